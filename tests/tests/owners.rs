//! Whose the blocks of a heap are, and what pins a fragmented one: programs' own counts, and those of malloc, held against each other.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use ytrace_tests::fixtures::{Nginx, Waiting, directory, perls, unavailable};
use ytrace_tests::malloc_said::{self, Said, compare, sums};
use ytrace_tests::program::{run, run_text, whole_json};
use ytrace_tests::reloads::Fragmented;
use ytrace_tests::{root, skip};

/// Says which claimed blocks are chunks in use: all of them must be.
const CLAIMS: &str = "
#include <glibc/owners.y>
long met[int];
long bytes[int];
void meet(uint64_t p, uint64_t size, int mapped)
{
    if (glibc_looking_for_owners)
        glibc_look_at_chunk(p, mapped);
    else if (glibc_owner(p)) {
        met[glibc_owner(p)]++;
        bytes[glibc_owner(p)] += size;
    }
}
void glibc_on_used(uint64_t p, uint64_t size) { meet(p, size, 0); }
void glibc_on_mapped(uint64_t p, uint64_t size) { meet(p, size, 1); }
_probe _oneshot {
    glibc_find_owners();
    glibc_walk();
    long claimed[int];
    _foreach (p, owner in glibc_owner_of)
        claimed[owner]++;
    _foreach (owner, n in claimed)
        printf(\"%s: claimed %ld, met %ld, bytes %ld\\n\", glibc_owner_names[owner], n, met[owner], bytes[owner]);
    glibc_say_owners();
}";

/// Claims by owner: how many, how many of them are chunks in use, and their bytes.
fn claims(pid: i32) -> BTreeMap<String, [i64; 3]> {
    let result = run_text(CLAIMS, pid, &["--max-pause", "5s"]).expect_status(0);
    let lines = result.stdout.lines().filter_map(|line| {
        let (owner, rest) = line.split_once(": claimed ")?;
        let mut numbers = rest
            .split(", met ")
            .flat_map(|part| part.split(", bytes "))
            .map(|number| number.parse().expect("a number"));
        let mut next = || numbers.next().expect("three numbers");
        Some((owner.to_owned(), [next(), next(), next()]))
    });
    lines.collect()
}

#[track_caller]
fn json(probe: &str, pid: i32, more: &[&str]) -> Value {
    whole_json(&format!("probes/{probe}.y"), pid, more).1
}

fn header(json: &Value) -> String {
    let lines = json["header"].as_array().unwrap();
    let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
    lines.join("\n")
}

/// Bytes of the map by state or owner.
fn map_bytes(json: &Value, by: &str) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for region in json["views"][0]["regions"].as_array().unwrap() {
        let name = region[by].as_str().unwrap().to_owned();
        *sums.entry(name).or_default() += region["length"].as_i64().unwrap();
    }
    sums
}

/// Bytes of the regions of the map for whose state and owner something holds.
fn bytes_where(json: &Value, holds: impl Fn(&str, &str) -> bool) -> i64 {
    let regions = json["views"][0]["regions"].as_array().unwrap().iter();
    regions
        .filter(|region| {
            holds(
                region["state"].as_str().unwrap(),
                region["owner"].as_str().unwrap(),
            )
        })
        .map(|region| region["length"].as_i64().unwrap())
        .sum()
}

/// The numbers of the row of a table that begins with a name.
#[track_caller]
fn row(json: &Value, title: &str, name: &str) -> BTreeMap<String, i64> {
    let views = json["views"].as_array().unwrap();
    let view = views
        .iter()
        .find(|view| view["title"].as_str().unwrap().starts_with(title))
        .unwrap_or_else(|| panic!("no {title:?} in {json}"));
    let rows = view["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row[0] == name);
    let row = row.unwrap_or_else(|| panic!("no {name:?} in {view}"));
    let columns = view["columns"].as_array().unwrap().iter();
    let cells = columns.zip(row.as_array().unwrap());
    let number = |cell: &Value| {
        // What may be unknown, elsewhere, has a fraction.
        cell.as_i64()
            .or_else(|| cell.as_f64().map(|number| number as i64))
    };
    cells
        .filter_map(|(column, cell)| Some((column["name"].as_str()?.to_owned(), number(cell)?)))
        .collect()
}

/// The map with every chunk for itself adds up to what malloc says.
fn map_is_malloc_info(what: &str, said: &Said, map: &Value) {
    let states = map_bytes(map, "state");
    let of = |name: &str| states.get(name).copied().unwrap_or(0);
    let figure = |name: &str| said.mallinfo(name).unwrap();
    let free = of("free") + of("fast bins") + of("top");
    assert_eq!(free, figure("fordblks"), "{what}");
    // What no block is: the head of the heap that aligns it.
    let used = of("in use") + of("cached by threads");
    let said = figure("uordblks") + figure("hblkhd");
    assert!(
        (0..=64).contains(&(said - used)),
        "{what}: {said} in use, {used} drawn"
    );
}

/// A master after reloads with fewer and more servers, at rest: what is free lies below the present cycle's pool.
#[test]
fn reloads_leave_a_heap_that_the_current_cycle_pins() {
    if let Some(why) = unavailable("stock") {
        return skip("reloads_leave_a_heap_that_the_current_cycle_pins", &why);
    }
    let nginx = Fragmented::start(Path::new("/usr/sbin/nginx"));
    for (what, pid) in [
        ("master", nginx.pid()),
        ("worker", nginx.worker),
        ("old worker", nginx.old_worker),
    ] {
        let said = nginx.said(pid);
        compare(what, &said, &sums(pid, &[]).stdout);
        for (owner, [claimed, met, _]) in claims(pid) {
            assert_eq!(claimed, met, "{what}: blocks of {owner} are chunks");
        }
    }

    let said = nginx.said(nginx.pid());
    let (system, free) = (
        said.mallinfo("arena").unwrap(),
        said.mallinfo("fordblks").unwrap(),
    );
    assert!(free * 10 > system * 9, "{free} of {system} is free");
    let verdict = json("glibc-verdict", nginx.pid(), &[]);
    let text = header(&verdict);
    assert!(text.contains("FRAGMENTED: "), "{text}");
    assert!(text.contains("pinned by: current cycle pool, "), "{text}");
    assert!(text.contains("of the main arena's free bytes: "), "{text}");
    let arena = row(&verdict, "Arenas", "main");
    assert_eq!(arena["system_bytes"], system);
    // The table has what threads cache with the free; malloc counts it as in use.
    let cached = arena["free_bytes"] + arena["top_bytes"] - free;
    assert!((0..65_536).contains(&cached), "{arena:?}");
    // Nearly all of it would go, and nearly all of it lies right below blocks of the pool.
    assert!(arena["trim_bytes"] * 10 > free * 9, "{arena:?}");
    let pool = row(&verdict, "Owners", "current cycle pool");
    assert!(pool["free_below_bytes"] * 10 > free * 9, "{pool:?}");

    // The map, chunk by chunk, and the pool as nginx's own structures tell it.
    let map = json("glibc-heapmap", nginx.pid(), &["--", "--least", "1"]);
    map_is_malloc_info("master", &said, &map);
    let owners = map_bytes(&map, "owner");
    let pools = json("ngx-pools", nginx.pid(), &[]);
    let cycle = row(&pools, "Pools by kind", "cycle");
    assert_eq!(owners["current cycle pool"], cycle["total_bytes"]);
    assert_eq!(pool["bytes"], cycle["total_bytes"]);
    assert_eq!(
        owners.keys().map(String::as_str).collect::<Vec<_>>(),
        ["current cycle pool", "free", "not known"]
    );

    // Drawn for the terminal and as a picture.
    let folder = tempfile::tempdir().unwrap();
    let svg = folder.path().join("map.svg");
    let pid = nginx.pid().to_string();
    let shown = run(&[
        "run",
        "probes/glibc-heapmap.y",
        "-p",
        &pid,
        "--max-pause",
        "5s",
    ]);
    let shown = shown.expect_status(0);
    assert!(shown.stdout.contains("C  ") && shown.stdout.contains("current cycle pool"));
    run(&[
        "run",
        "probes/glibc-heapmap.y",
        "-p",
        &pid,
        "--max-pause",
        "5s",
        "-o",
        svg.to_str().unwrap(),
    ])
    .expect_status(0);
    let svg = std::fs::read_to_string(svg).unwrap();
    assert!(svg.contains("current cycle pool"));

    // The old worker still has the first configuration's cycle, which is its present one.
    let verdict = json("glibc-verdict", nginx.old_worker, &[]);
    let old = row(&verdict, "Owners", "current cycle pool");
    assert!(old["bytes"] > 5 * pool["bytes"], "{old:?}, {pool:?}");
    assert!(header(&verdict).contains("LIVE: "), "{}", header(&verdict));
}

/// Workers and masters with Lua: malloc's own figures, the C objects that Lua holds, and what LuaJIT has mapped for itself.
#[test]
fn nginx_with_lua() {
    for variant in ["dwarf", "stock"] {
        if let Some(why) = unavailable(variant) {
            skip("nginx_with_lua", &why);
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let (nginx, said) = Nginx::start_saying(variant, folder.path());
        nginx.number("/fill?n=3000");
        for pid in [nginx.master, nginx.worker] {
            let said = malloc_said::ask(&said, pid);
            compare(variant, &said, &sums(pid, &[]).stdout);
        }
        let claims = claims(nginx.worker);
        for (owner, [claimed, met, _]) in &claims {
            assert_eq!(claimed, met, "{variant}: blocks of {owner} are chunks");
        }
        // An X509 and an EVP_PKEY each.
        assert_eq!(claims["held by Lua's C data"][0], 6_000, "{variant}");
        assert!(claims["current cycle pool"][0] > 10, "{variant}");
        let map = json("glibc-heapmap", nginx.worker, &["--", "--least", "1"]);
        let said = malloc_said::ask(&said, nginx.worker);
        let of_lua = bytes_where(&map, |_, owner| owner == "Lua");
        let free = bytes_where(&map, |state, owner| {
            owner != "Lua" && matches!(state, "free" | "top" | "fast bins")
        });
        assert_eq!(free, said.mallinfo("fordblks").unwrap(), "{variant}");
        // LuaJIT's own segments, but for what stands at their ends, and the blocks that it maps one by one: those of the cache that is far
        // too large.
        let stats = json("lua-gc-stats", nginx.worker, &[]);
        let right = |name: &str| {
            let checks = stats["checks"].as_array().unwrap();
            let check = checks.iter().find(|check| check["name"] == name);
            check.unwrap()["right"].as_i64().unwrap()
        };
        let segments = right("in use + free + rest = segments");
        let large = of_lua - segments;
        assert!(large > 400_001 * 32, "{variant}: {of_lua}, {segments}");
        let used = bytes_where(&map, |state, owner| owner == "Lua" && state == "in use");
        let total = right("g->gc.total");
        assert!(
            used > total && used < total + total / 4,
            "{variant}: {used}, {total}"
        );
    }
}

/// Perl: every block that it is said to own is a chunk in use, and malloc's figures hold.
#[test]
fn perl() {
    for (version, perl) in perls() {
        if !perl.is_file() || !nix::unistd::geteuid().is_root() {
            skip("perl", &format!("Perl {version} is missing, or not root"));
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(&perl);
        let said = malloc_said::preload(&mut command, folder.path());
        let script = root().join("tests/fixtures/perl/daemon.pl");
        let target = Waiting::start(command.arg(script).args(["2000", "100", "0"]));
        let said = malloc_said::ask(&said, target.pid());
        compare(version, &said, &sums(target.pid(), &[]).stdout);
        let claims = claims(target.pid());
        let [claimed, met, bytes] = claims["Perl"];
        assert_eq!(claimed, met, "{version}: blocks of Perl are chunks");
        assert_eq!(claims.len(), 1, "{claims:?}");
        // As many as perl-gc-stats counts.
        let stats = header(&json("perl-gc-stats", target.pid(), &[]));
        let blocks = stats.split(" blocks, not reached").next().unwrap();
        let blocks: String = blocks.rsplit(' ').next().unwrap().replace(',', "");
        assert_eq!(claimed.to_string(), blocks, "{version}: {stats}");
        let verdict = json("glibc-verdict", target.pid(), &[]);
        let owner = row(&verdict, "Owners", "Perl");
        assert_eq!((owner["chunks"], owner["bytes"]), (met, bytes));
        let map = json("glibc-heapmap", target.pid(), &["--", "--least", "1"]);
        // Older C libraries do not say it.
        if said.mallinfo("fordblks").is_some() || version != "5.32" {
            map_is_malloc_info(version, &said, &map);
        }
        assert_eq!(map_bytes(&map, "owner")["Perl"], bytes, "{version}");

        // Chunks that are drawn together leave the sums as they are, but for less than a stretch of each kind.
        let coarse = json("glibc-heapmap", target.pid(), &["--", "--least", "4096"]);
        let regions = |map: &Value| map["views"][0]["regions"].as_array().unwrap().len();
        assert!(regions(&coarse) * 10 < regions(&map), "{version}");
        for by in ["state", "owner"] {
            let drawn = map_bytes(&coarse, by);
            for (name, bytes) in map_bytes(&map, by) {
                let drawn = drawn.get(&name).copied().unwrap_or(0);
                assert!(
                    (drawn - bytes).abs() <= 4 * 4096,
                    "{name}: {drawn} of {bytes}"
                );
            }
        }
    }
}

/// Names of nginx and Perl do not make a program one: the heap is told of all the same, and that owners are not known.
#[test]
fn programs_that_are_not_what_they_seem() {
    let program = directory().join("c/pretend");
    if !program.is_file() {
        let why = format!("{} is missing", program.display());
        return skip("programs_that_are_not_what_they_seem", &why);
    }
    let target = Waiting::start(&mut Command::new(&program));
    let verdict = json("glibc-verdict", target.pid(), &[]);
    let text = header(&verdict);
    for part in [
        "FRAGMENTED: ",
        "pinned by: what is in use, above ",
        "nginx: whose blocks are is not known: ",
        "Perl: whose blocks are is not known: ",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    // No layout is claimed to fit.
    let notes = verdict["footer"]["notes"].to_string();
    assert!(!notes.contains("layout"), "{notes}");
}

/// Secondary heaps and blocks that are mapped directly are in the map, too, and the segments of a main arena whose break cannot move.
#[test]
fn all_kinds_of_memory_are_in_the_map() {
    let program = directory().join("c/arenas");
    if !program.is_file() {
        let why = format!("{} is missing", program.display());
        return skip("all_kinds_of_memory_are_in_the_map", &why);
    }
    let target = Waiting::start(Command::new(&program).args(["8", "20000", "blocked"]));
    let said = Said::of(&target.ready);
    let map = json("glibc-heapmap", target.pid(), &["--", "--least", "1"]);
    // Without a program that tells whose blocks are, the owners are arenas.
    let owners = map_bytes(&map, "owner");
    assert_eq!(owners.len(), 10, "{owners:?}");
    assert_eq!(owners["mapped directly"], said.mapped.1);
    let free = bytes_where(&map, |state, _| {
        matches!(state, "free" | "top" | "fast bins")
    });
    assert_eq!(free, said.mallinfo("fordblks").unwrap());
    for (number, arena) in said.arenas.iter().enumerate() {
        let name = match number {
            0 => "main arena".to_owned(),
            number => format!("arena {number}"),
        };
        let free = bytes_where(&map, |state, owner| {
            owner == name && matches!(state, "free" | "top" | "fast bins")
        });
        assert_eq!(free, arena.rest.1 + arena.fast.1, "{name}");
        // The head of the arena and of each heap, and fenceposts.
        let heads = arena.system - owners[&name];
        assert!((0..4_096).contains(&heads), "{name}: {heads}");
    }
}

/// A program that has given LuaJIT its own malloc: Lua's blocks lie in glibc's heap.
#[test]
fn a_machine_in_the_heap_of_malloc() {
    let program = directory().join("c/held");
    if !program.is_file() {
        let why = format!("{} is missing", program.display());
        return skip("a_machine_in_the_heap_of_malloc", &why);
    }
    let target = Waiting::start(&mut Command::new(&program));
    let claims = claims(target.pid());
    for (owner, [claimed, met, _]) in &claims {
        assert_eq!(claimed, met, "blocks of {owner} are chunks");
    }
    let stats = json("lua-gc-stats", target.pid(), &[]);
    let checks = stats["checks"].as_array().unwrap().iter();
    let total = checks
        .filter(|check| check["name"] == "g->gc.total")
        .map(|check| check["right"].as_i64().unwrap())
        .next()
        .unwrap();
    // Userdata with a finalizer in C, and the path that holds it.
    let userdata = row(&stats, "Userdata by finalizer", "cert_gc");
    assert_eq!(userdata["number"], 2_000);
    let graph = json("lua-gc-fgraph", target.pid(), &[]);
    let text = header(&graph);
    assert!(text.contains("finalizers (cert_gc ×2,000, "), "{text}");
    assert!(
        text.contains("hold C memory that is not in this graph"),
        "{text}"
    );
    let rows = graph["views"][0]["rows"].as_array().unwrap().iter();
    let held: i64 = rows
        .filter(|row| {
            let path = row["path"].as_array().unwrap();
            path.starts_with(&["_LOADED".into(), ".holder".into(), ".cert_cache".into()])
        })
        .map(|row| row["values"][2].as_i64().unwrap())
        .sum();
    assert_eq!(held, 2_000);
    // Each block has a head of 8 bytes, and is rounded up; the trace compiler's buffers, some KiB, are not claimed.
    let [blocks, _, bytes] = claims["Lua"];
    assert!(
        bytes > total + blocks * 8 - 8_192 && bytes < total + blocks * 24,
        "{bytes} of {total} in {blocks}"
    );
    let map = json("glibc-heapmap", target.pid(), &["--", "--least", "1"]);
    assert_eq!(map_bytes(&map, "owner")["Lua"], bytes);
}
