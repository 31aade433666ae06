//! `mem-breakdown` and `mem-trend`: the sums are the kernel's, read by the test from a stopped process; the shares are what the target said.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use nix::sys::signal::Signal;
use nix::unistd::{SysconfVar, sysconf};
use serde_json::Value;
use ytrace_tests::cores::gcore;
use ytrace_tests::fixtures::{self, Nginx, directory, luajits, perl_daemon, standalone_with};
use ytrace_tests::plain_nginx::PlainNginx;
use ytrace_tests::processes::{Stopped, assert_untouched, signal, wait_for};
use ytrace_tests::program::{Finished, finish_child, run, run_json, run_text, start};
use ytrace_tests::{root, skip};

const ANONYMOUS: &str = "anonymous, unknown allocator";

/// The size of a page.
fn page() -> i64 {
    sysconf(SysconfVar::PAGE_SIZE).unwrap().unwrap()
}

/// Bytes of the pages that so many bytes from the start of one take.
fn pages(bytes: i64) -> i64 {
    (bytes + page() - 1) / page() * page()
}

/// The program that makes memory on command.
struct Target {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Target {
    fn start() -> Option<Self> {
        let program = directory().join("c/memory");
        if !program.is_file() {
            skip("mem", &format!("{} is missing", program.display()));
            return None;
        }
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut target = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        assert_eq!(target.line(), "READY");
        Some(target)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Gives a command, and waits for what it answers.
    fn ask(&mut self, command: &str) -> Vec<i64> {
        writeln!(self.input.as_mut().unwrap(), "{command}").unwrap();
        let line = self.line();
        let numbers = line.split(' ').map(|word| word.parse().unwrap());
        numbers.collect()
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A field of `smaps_rollup`, in bytes.
fn rollup(pid: i32, name: &str) -> i64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}:")))
        .unwrap_or_else(|| panic!("{name} in {text}"));
    line.trim().trim_end_matches(" kB").parse::<i64>().unwrap() << 10
}

fn mappings(pid: i32) -> i64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    i64::try_from(text.lines().count()).unwrap()
}

/// What one user of memory has, by the names of the columns.
type Part = BTreeMap<String, i64>;

struct Breakdown {
    parts: BTreeMap<String, Part>,
    json: Value,
}

impl Breakdown {
    /// Runs the probe; its result must be complete, and its cross-check hold.
    #[track_caller]
    fn of(pid: i32, more: &[&str]) -> Self {
        let (json, finished) = result("probes/mem-breakdown.y", pid, more);
        assert_eq!(json["footer"]["mode"], "live", "{finished}");
        assert_eq!(json["footer"]["pause_nanoseconds"], Value::Null);
        let mut parts = keyed(&json["views"][0]);
        for row in json["views"][3]["rows"].as_array().unwrap() {
            let part = parts.get_mut(row[0].as_str().unwrap()).unwrap();
            part.insert("pss_bytes".to_owned(), row[1].as_i64().unwrap());
        }
        Self { parts, json }
    }

    /// The same of a stopped process, whose sums must be what the kernel says, to the page.
    #[track_caller]
    fn stopped(pid: i32, more: &[&str]) -> Self {
        let _stopped = Stopped::new(pid);
        let found = Self::of(pid, more);
        assert_eq!(found.sum("resident_bytes"), rollup(pid, "Rss"), "resident");
        // Pages of programs and libraries that ytrace maps, too, are the target's alone again when it has ended.
        let text = |column| found.get("text", column) + found.get("data", column);
        let mapped = text("resident_bytes") - text("private_bytes");
        let private = rollup(pid, "Private_Clean") + rollup(pid, "Private_Dirty");
        let difference = private - found.sum("private_bytes");
        // Nor are they if another process of the same program starts between the two looks.
        let most = -text("private_bytes")..=mapped;
        assert!(most.contains(&difference), "private: {difference}");
        if more.contains(&"no") {
            let known = found
                .parts
                .values()
                .filter(|part| part.contains_key("pss_bytes"));
            assert_eq!(known.count(), 0, "what was not asked for is no number");
        } else {
            // The kernel cuts what is below a kilobyte off each mapping.
            let difference = rollup(pid, "Pss") - found.sum("pss_bytes");
            let most = mapped + (mappings(pid) << 10);
            let least = -1024 - text("private_bytes");
            assert!((least..=most).contains(&difference), "PSS: {difference}");
        }
        for check in found.json["checks"].as_array().unwrap() {
            assert_eq!(check["left"], check["right"], "{check}");
        }
        found
    }

    fn sum(&self, column: &str) -> i64 {
        self.parts
            .values()
            .filter_map(|part| part.get(column))
            .sum()
    }

    /// A column of a part; 0 where there is no such part.
    fn get(&self, part: &str, column: &str) -> i64 {
        let part = self.parts.get(part);
        part.and_then(|part| part.get(column)).copied().unwrap_or(0)
    }

    fn resident(&self, part: &str) -> i64 {
        self.get(part, "resident_bytes")
    }

    fn header(&self) -> String {
        self.json["header"].to_string()
    }

    /// The row of the table of other mappings that has a name.
    fn mapping(&self, name: &str) -> BTreeMap<String, Value> {
        let view = &self.json["views"][2];
        let columns = view["columns"].as_array().unwrap();
        for row in view["rows"].as_array().unwrap() {
            let cells = columns.iter().zip(row.as_array().unwrap());
            let row: BTreeMap<String, Value> = cells
                .map(|(column, cell)| (column["name"].as_str().unwrap().to_owned(), cell.clone()))
                .collect();
            if row["mapping"] == name {
                return row;
            }
        }
        panic!("no mapping {name} in {view}");
    }
}

/// Runs a probe, which must end well.
#[track_caller]
fn result(probe: &str, pid: i32, more: &[&str]) -> (Value, Finished) {
    let number = pid.to_string();
    let mut words = vec!["-p", &number];
    words.extend(more);
    let (finished, json) = run_json(probe, &words);
    let finished = finished.expect_status(0);
    assert_eq!(json["footer"]["complete"], true, "{finished}");
    (json, finished)
}

/// A whole number, or one of a kind that can be unknown.
#[track_caller]
fn whole(value: &Value) -> i64 {
    let number = value.as_i64().or(value.as_f64().map(|value| value as i64));
    number.unwrap_or_else(|| panic!("{value}"))
}

/// The rows of a pie by their keys.
fn keyed(view: &Value) -> BTreeMap<String, Part> {
    let weights = view["weights"].as_array().unwrap();
    let rows = view["rows"].as_array().unwrap();
    rows.iter()
        .map(|row| {
            let values = row["values"].as_array().unwrap().iter();
            let part = weights
                .iter()
                .zip(values)
                .map(|(name, value)| (name.as_str().unwrap().to_owned(), value.as_i64().unwrap()))
                .collect();
            (row["key"][0].as_str().unwrap().to_owned(), part)
        })
        .collect()
}

/// Each kind of memory that a C program makes is found where it belongs, and nowhere else.
#[test]
fn known_memory_of_a_c_program() {
    let Some(mut target) = Target::start() else {
        return;
    };
    target.ask("arena 3000000");
    target.ask("mmapped 1000000");
    let before = Breakdown::stopped(target.pid(), &[]);
    let grew = |after: &Breakdown, part: &str| after.resident(part) - before.resident(part);

    target.ask("anon 7000000");
    target.ask("read 5000000");
    target.ask("shared 8000000 1000000");
    target.ask("code 300000");
    target.ask("mmapped 3000000");
    target.ask("mmapped 2000000");
    let after = Breakdown::stopped(target.pid(), &[]);
    assert_eq!(
        grew(&after, ANONYMOUS),
        pages(7_000_000),
        "what was only read is nobody's"
    );
    assert_eq!(after.resident("shared memory"), pages(1_000_000));
    assert_eq!(
        after.get("shared memory", "virtual_bytes"),
        pages(8_000_000)
    );
    assert_eq!(after.resident("JIT machine code"), pages(300_000));
    // A block has a head of 16 bytes.
    let blocks = pages(3_000_016) + pages(2_000_016);
    assert_eq!(grew(&after, "glibc mmapped"), blocks);
    for part in ["glibc arena", "stack, main thread"] {
        assert!((0..=2 * page()).contains(&grew(&after, part)), "{part}");
    }
    // A fault maps the cached pages of a file around it, too (fault_around_bytes, 64 KiB).
    assert!((0..=(64 << 10) + 2 * page()).contains(&grew(&after, "data")));
    // As malloc says itself.
    let said = target.ask("info");
    let after = Breakdown::stopped(target.pid(), &[]);
    assert_eq!(after.get("glibc mmapped", "virtual_bytes"), said[2]);
    assert_eq!(after.get("glibc arena", "virtual_bytes"), said[0]);
    let arena = after.resident("glibc arena");
    assert!(
        (3_000_000..=said[0]).contains(&arena),
        "{arena} of {said:?}"
    );
    let heap = heap_resident(target.pid());
    assert_eq!(arena, heap, "all of the break is malloc's here");

    // Without the kernel's slow figures: the same.
    let fast = Breakdown::stopped(target.pid(), &["--", "--pss", "no"]);
    for (name, part) in &after.parts {
        for column in ["resident_bytes", "swap_bytes", "virtual_bytes"] {
            assert_eq!(part[column], fast.get(name, column), "{name} {column}");
        }
        // Others may map the same files, or do so no longer.
        if !["text", "data"].contains(&name.as_str()) {
            let column = "private_bytes";
            assert_eq!(part[column], fast.get(name, column), "{name} {column}");
        }
    }
    let zeroes = after.mapping("/dev/zero (deleted)");
    assert_eq!(
        number(&zeroes, "loaded_bytes"),
        pages(1_000_000),
        "{zeroes:?}"
    );
    assert_untouched(target.pid());
}

/// The resident bytes of the mapping `[heap]`, as `smaps` has them.
fn heap_resident(pid: i32) -> i64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let heap = &text[text.find("[heap]").expect("a heap")..];
    let rss = heap
        .lines()
        .find_map(|line| line.strip_prefix("Rss:"))
        .unwrap();
    rss.trim().trim_end_matches(" kB").parse::<i64>().unwrap() << 10
}

/// The mapping that an address lies in, as a line of `/proc/PID/maps`.
fn mapping_of(pid: i32, address: i64) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let holds = |line: &&str| {
        let (range, _) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let number = |text| i64::from_str_radix(text, 16).unwrap_or(i64::MAX);
        (number(start)..number(end)).contains(&address)
    };
    text.lines().find(holds).expect("it is mapped").to_owned()
}

/// Stacks of threads that wait, that run, and that have ended.
#[test]
fn stacks_of_threads() {
    let Some(mut target) = Target::start() else {
        return;
    };
    let before = Breakdown::of(target.pid(), &[]);
    assert_eq!(before.resident("stacks, threads"), 0);
    target.ask("thread");
    target.ask("thread");
    target.ask("busy");
    // Its stack is kept for the next thread.
    target.ask("ended");
    // Also while it runs: the number of the busy thread stands in its control block.
    let after = Breakdown::of(target.pid(), &[]);
    let stacks = after.resident("stacks, threads");
    assert!((600_000..660_000).contains(&stacks), "{stacks}");
    assert_eq!(
        after.get("stacks, threads", "virtual_bytes"),
        3 * (8 << 20),
        "{:?}",
        after.parts
    );
    assert!(!after.header().contains("were not found"), "{}", after.json);
    let ended = after.parts.contains_key("stacks, of no thread");
    assert!(ended, "{:?}", after.parts);
    Breakdown::stopped(target.pid(), &[]);
}

/// Advice cuts a block of malloc into several mappings; it is still one block, and malloc's own figures agree.
#[test]
fn a_block_in_several_mappings() {
    let Some(mut target) = Target::start() else {
        return;
    };
    let blocks = [3_000_000, 5_000_000];
    for block in blocks {
        let address = target.ask(&format!("split {block}"))[0];
        assert_ne!(
            mapping_of(target.pid(), address),
            mapping_of(target.pid(), address + block / 2)
        );
    }
    let found = Breakdown::stopped(target.pid(), &[]);
    let whole: i64 = blocks.iter().map(|block| pages(block + 16)).sum();
    assert_eq!(found.resident("glibc mmapped"), whole);
    let pid = target.pid().to_string();
    let result = run(&["run", "probes/glibc-verdict.y", "-p", &pid]).expect_status(0);
    result.says(&["mmapped chunks = mp_.n_mmaps: 2 = 2"]);
}

/// A forked process and its parent: what both have, and what each has for itself.
#[test]
fn a_fork_shares_what_it_has_not_written() {
    let Some(mut target) = Target::start() else {
        return;
    };
    target.ask("arena 2000000");
    target.ask("shared 4000000 500000");
    target.ask("anon 8000000");
    // It lies beside the last one, in one mapping with it.
    let block = target.ask("mmapped 2000000")[0];
    assert_eq!(
        mapping_of(target.pid(), block),
        mapping_of(target.pid(), block + 4_000_000)
    );
    let child = i32::try_from(target.ask("fork 3000000")[0]).unwrap();
    let (whole, own) = (pages(8_000_000), pages(3_000_000));
    for pid in [target.pid(), child] {
        let found = Breakdown::stopped(pid, &[]);
        // A few pages of other anonymous memory come with it.
        let few = 0..=8 * page();
        let rest = found.resident(ANONYMOUS) - whole;
        assert!(few.contains(&rest), "{rest}");
        let private = found.get(ANONYMOUS, "private_bytes");
        assert!(few.contains(&(private - own)), "{private}");
        let share = found.get(ANONYMOUS, "pss_bytes") - (own + (whole - own) / 2);
        assert!(few.contains(&share), "{share}");
        assert_eq!(found.resident("glibc mmapped"), pages(2_000_016));
        let private = found.get("glibc mmapped", "private_bytes");
        assert!(
            (0..100_000).contains(&private),
            "{private} of a part of that mapping"
        );
        let half = pages(2_000_016) / 2;
        let share = found.get("glibc mmapped", "pss_bytes") - half;
        assert!((0..60_000).contains(&share), "{share}");
        let heap = found.get("glibc arena", "private_bytes");
        assert!(heap < 100_000, "{heap} of the heap is the process's own");
        // Half of what both have. Where a mapping is all of one part, to the byte.
        let arena = found.resident("glibc arena");
        let proportional = found.get("glibc arena", "pss_bytes");
        assert!(
            (proportional - (arena + heap) / 2).abs() <= 1024,
            "{proportional} of {arena}"
        );
        // Loaded is what either has touched; here is what this one has.
        let zeroes = found.mapping("/dev/zero (deleted)");
        assert_eq!(
            number(&zeroes, "loaded_bytes"),
            pages(500_000),
            "{zeroes:?}"
        );
        let here = if pid == child { 0 } else { pages(500_000) };
        assert_eq!(number(&zeroes, "resident_bytes"), here, "{zeroes:?}");
    }
}

/// What a process has for itself and shares with others, by the kernel's count, in bytes.
fn private_and_shared(pid: i32) -> (i64, i64) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let sum = |start: &str| {
        let lines = text.lines().filter(|line| line.starts_with(start));
        let numbers = lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<i64>().ok());
        numbers.sum::<i64>() * 1024
    };
    (sum("Private_"), sum("Shared_"))
}

/// The kernel gives a process copies of pages that are pinned while a fork shares them. ytrace does not pin those.
#[test]
fn reading_a_fork_leaves_its_pages_shared() {
    let Some(mut target) = Target::start() else {
        return;
    };
    target.ask("arena 2000000");
    let address = target.ask("anon 8000000")[0];
    let child = i32::try_from(target.ask("fork 1000000")[0]).unwrap();
    for pid in [child, target.pid()] {
        for mode in ["live", "copy"] {
            let (private, shared) = private_and_shared(pid);
            assert!(shared > 9_000_000, "{shared}");
            let step = page();
            let text = format!(
                "_probe _oneshot {{ long sum = 0; char *p = (char *){address};
                 for (long i = 0; i < 8000000; i += {step}) sum += p[i]; printf(\"%ld\\n\", sum); }}"
            );
            let result = run_text(&text, pid, &["--mode", mode, "--max-pause", "5s"]);
            let result = result.expect_status(0);
            assert_ne!(result.stdout.trim(), "0", "{result}");
            run(&[
                "run",
                "probes/glibc-chunks.y",
                "-p",
                &pid.to_string(),
                "--mode",
                mode,
                "--max-pause",
                "5s",
            ])
            .expect_status(0);
            let after = private_and_shared(pid);
            // Pages of the C library that the command maps, too, are shared with it for a time.
            assert!(
                after.0 - private < 40_000,
                "{mode}: {private} private, {} afterwards",
                after.0
            );
        }
    }
}

/// nginx with Lua in all builds: http VM, glibc, zones; the worker and the master.
#[test]
fn nginx_with_lua() {
    for variant in ["dwarf", "stripped", "stock"] {
        if let Some(why) = fixtures::unavailable(variant) {
            skip(&format!("{variant} nginx"), &why);
            continue;
        }
        let nginx = Nginx::start(variant, &[]);
        nginx.get("/fill");
        let counted = nginx.number("/gccount");
        let worker = Breakdown::stopped(nginx.worker, &[]);
        let lua = worker.resident("LuaJIT http");
        assert!(lua * 10 > counted * 9, "{variant}: {lua} for {counted}");
        assert!(lua <= worker.get("LuaJIT http", "virtual_bytes"));
        assert!(worker.resident("glibc arena") > 100_000, "{variant}");
        let unknown = worker.resident(ANONYMOUS);
        assert!(unknown < 200_000, "{variant}: {unknown} unknown");
        let objects = "LuaJIT http: objects ";
        assert!(worker.header().contains(objects), "{}", worker.header());
        let master = Breakdown::stopped(nginx.master, &[]);
        let of = |found: &Breakdown| found.mapping("/dev/zero (deleted)");
        assert_eq!(of(&worker)["loaded_bytes"], of(&master)["loaded_bytes"]);
        let here = number(&of(&worker), "resident_bytes");
        let loaded = number(&of(&worker), "loaded_bytes");
        assert!(here < loaded, "{variant}: {here} of {loaded}");
        assert!(worker.header().contains("nginx shm: "));
        assert_untouched(nginx.worker);
    }
}

/// An nginx without Lua, LuaJIT alone with references of both widths, Perl, a program that is linked statically, and others.
#[test]
fn other_programs() {
    let nginx = directory().join("dwarf/nginx/sbin/nginx");
    if nginx.is_file() {
        let nginx = PlainNginx::start();
        let found = Breakdown::stopped(nginx.pid(), &[]);
        assert!(found.resident("glibc arena") > 50_000, "{:?}", found.parts);
    }
    for (name, luajit) in luajits() {
        if !luajit.is_file() {
            skip(name, "it was not built");
            continue;
        }
        let target = standalone_with(&luajit, 2_000, 100_000);
        let found = Breakdown::stopped(target.pid(), &[]);
        let lua = found.resident("LuaJIT");
        let all = found.sum("resident_bytes");
        assert!(
            lua * 10 > all * 6,
            "{name}: {lua} of {all}: {:?}",
            found.parts
        );
        let unknown = found.resident(ANONYMOUS);
        assert!(unknown < 200_000, "{name}: {unknown} unknown");
        assert!(found.json["next"].to_string().contains("lua-gc-fgraph.y"));
        assert!(
            found.header().contains(" large blocks"),
            "{}",
            found.header()
        );
        assert!(
            !found.header().contains(" 0 large blocks"),
            "{}",
            found.header()
        );
    }
    let perl = std::path::Path::new("/usr/bin/perl");
    if perl.is_file() {
        let target = perl_daemon(perl, 1_000, 100, 0);
        let found = Breakdown::stopped(target.pid(), &[]);
        // What the probe for Perl counts.
        let (counted, _) = result("probes/perl-gc-stats.y", target.pid(), &[]);
        let line = counted["header"].to_string();
        let perl = found.resident("Perl");
        let arena = found.resident("glibc arena");
        assert!(perl > 1_000_000 && perl > 10 * arena, "{perl}: {line}");
        let blocks = format!(": Perl {} in ", bytes_as_text(perl));
        assert!(line.contains(&blocks), "{blocks}: {line}");
        // Of addresses it has what its blocks take, and nothing of what is free between them.
        let beyond = found.get("Perl", "virtual_bytes") - perl;
        assert!((0..=4 * page()).contains(&beyond), "{:?}", found.parts);
        assert!(found.header().contains("≈ what of Perl"), "{line}");
        let whole = Breakdown::stopped(target.pid(), &["--", "--perl=false"]);
        let glibc = |found: &Breakdown| -> i64 {
            let parts = ["Perl", "glibc arena", "glibc mmapped"];
            parts.iter().map(|part| found.resident(part)).sum()
        };
        assert_eq!(whole.resident("Perl"), 0);
        assert_eq!(glibc(&whole), glibc(&found));
        assert!(found.json["next"].to_string().contains("perl-gc-stats.y"));
    }
    let program = directory().join("c/heap-static");
    if program.is_file() {
        let target = fixtures::Waiting::start(&mut Command::new(program));
        let found = Breakdown::stopped(target.pid(), &[]);
        assert!(found.resident("glibc arena") > 100_000, "{:?}", found.parts);
    }
}

/// A number of a row; those that can be unknown are floats.
fn number(row: &BTreeMap<String, Value>, column: &str) -> i64 {
    row[column]
        .as_f64()
        .unwrap_or_else(|| panic!("{column}: {row:?}")) as i64
}

/// As `%hB` shows it, for some megabytes.
fn bytes_as_text(bytes: i64) -> String {
    let tenths = (bytes + 50_000) / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

/// Allocators that are not known: their memory is what is left, under a name if a function tells it. No layout of glibc's fits a program
/// that has none of it.
#[test]
fn allocators_of_other_makes() {
    for (name, part) in [("own-static", ANONYMOUS), ("own-named", "jemalloc")] {
        let program = directory().join("c").join(name);
        if !program.is_file() {
            skip(name, "it was not built");
            continue;
        }
        let target = fixtures::Waiting::start(Command::new(program).arg("9000000"));
        let found = Breakdown::stopped(target.pid(), &[]);
        // Each block takes 1024 bytes; and there are some pages of the program's own.
        let least = 9_000 * 1024;
        let resident = found.resident(part);
        assert!(
            (least..least + 200_000).contains(&resident),
            "{name}: {resident}"
        );
        assert_eq!(found.resident("glibc arena"), 0, "{name}");
        let said = match part {
            ANONYMOUS => "no heap of glibc's",
            _ => "jemalloc: told by exclusion",
        };
        assert!(found.header().contains(said), "{}", found.header());
        assert!(found.json["next"].to_string().contains("mem-trend.y"));
    }
}

/// A core file: the same parts, by the sizes of their addresses; what was in memory is unknown, and said to be.
#[test]
fn a_core_file() {
    let Some(mut target) = Target::start() else {
        return;
    };
    target.ask("arena 3000000");
    target.ask("mmapped 2000000");
    target.ask("anon 5000000");
    target.ask("thread");
    let said = target.ask("info");
    let folder = tempfile::tempdir().unwrap();
    let pid = target.pid();
    let Some(core) = gcore("a_core_file", folder.path(), pid) else {
        return;
    };
    let live = Breakdown::of(pid, &[]);
    let (finished, json) = run_json("probes/mem-breakdown.y", &["--core", &core]);
    let finished = finished.expect_status(0);
    assert_eq!(json["views"][0]["rows"].as_array().unwrap().len(), 0);
    let states = keyed(&json["views"][1]);
    let size = |part: &str| states[part].values().next().copied().unwrap();
    assert_eq!(size("glibc arena"), said[0], "{finished}");
    assert_eq!(size("glibc mmapped"), said[2], "{finished}");
    assert_eq!(
        size("stacks, threads"),
        live.get("stacks, threads", "virtual_bytes")
    );
    let unknown = size(ANONYMOUS);
    assert!((5_000_000..5_300_000).contains(&unknown), "{states:?}");
    let text = json["header"].to_string();
    assert!(text.contains("a core file does not tell"), "{text}");
    let notes = json["footer"].to_string();
    assert!(!notes.contains("as the probe asks"), "{notes}");
}

/// Pages of hugetlbfs that are set aside while it lives.
struct HugePages(String);

impl HugePages {
    const FILE: &str = "/proc/sys/vm/nr_hugepages";

    /// Sets some more aside, of 2 MiB; `None` where that cannot be.
    fn reserve(more: u64) -> Option<Self> {
        let before = std::fs::read_to_string(Self::FILE).ok()?;
        let wanted = before.trim().parse::<u64>().ok()? + more;
        let pages = Self(before);
        std::fs::write(Self::FILE, wanted.to_string()).ok()?;
        let now = std::fs::read_to_string(Self::FILE).ok()?;
        (now.trim().parse() == Ok(wanted)).then_some(pages)
    }
}

impl Drop for HugePages {
    fn drop(&mut self) {
        if let Err(error) = std::fs::write(Self::FILE, &self.0) {
            eprintln!("{}: {error}", Self::FILE);
        }
    }
}

/// Pages of hugetlbfs are no part of what the kernel calls resident, and are told of beside it.
#[test]
fn pages_of_hugetlbfs() {
    const MIB: i64 = 1 << 20;
    let program = directory().join("c/huge");
    if !program.is_file() {
        return skip(
            "pages_of_hugetlbfs",
            &format!("{} is missing", program.display()),
        );
    }
    let Some(_pages) = HugePages::reserve(4) else {
        return skip(
            "pages_of_hugetlbfs",
            "no huge pages can be set aside: that takes root, and memory that is not in pieces",
        );
    };
    let target = fixtures::Waiting::start(&mut Command::new(program));
    let found = Breakdown::stopped(target.pid(), &[]);
    let row = found.mapping("/anon_hugepage (deleted)");
    assert_eq!(row["kind"], "hugetlb", "{row:?}");
    assert_eq!(number(&row, "resident_bytes"), 4 * MIB, "{row:?}");
    assert_eq!(number(&row, "virtual_bytes"), 8 * MIB, "{row:?}");
    assert_eq!(found.resident("hugetlb pages"), 0);
    let header = found.header();
    assert!(
        header.contains("hugetlb pages: 4.2 MB, which the kernel does not count as resident"),
        "{header}"
    );
    let states = keyed(&found.json["views"][1]);
    let state: i64 = states["hugetlb pages"].values().sum();
    assert_eq!(state, 4 * MIB);
}

/// Shared memory is loaded once, however many mappings of it there are; pages that cannot be accessed any more are in memory once.
#[test]
fn mappings_that_are_easily_counted_twice() {
    const MIB: i64 = 1 << 20;
    let program = directory().join("c/mappings");
    if !program.is_file() {
        return skip("mappings", &format!("{} is missing", program.display()));
    }
    let target = fixtures::Waiting::start(&mut Command::new(program));
    let found = Breakdown::stopped(target.pid(), &[]);
    for (name, mappings, loaded) in [
        ("/dev/zero (deleted)", 3, 16 * MIB),
        ("/memfd:twice (deleted)", 2, 8 * MIB),
    ] {
        let row = found.mapping(name);
        assert_eq!(row["mappings"], mappings, "{row:?}");
        assert_eq!(number(&row, "loaded_bytes"), loaded, "{row:?}");
    }
    let header = found.header();
    assert!(header.contains("difference 0 B; tolerance "), "{header}");

    // Each address has one state.
    let text = std::fs::read_to_string(format!("/proc/{}/maps", target.pid())).unwrap();
    let (mut size, mut closed) = (0, 0);
    for line in text.lines() {
        let (start, rest) = line.split_once('-').unwrap();
        let (end, rest) = rest.split_once(' ').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap().cast_signed();
        size += number(end) - number(start);
        if rest.starts_with("---p") {
            closed += number(end) - number(start);
        }
    }
    let states = keyed(&found.json["views"][1]);
    let state = |name: &str| states[name].values().copied().sum::<i64>();
    assert_eq!(state("reserved, not accessible"), closed - 4 * MIB);
    let resident = found.sum("resident_bytes");
    assert_eq!(state("resident"), resident);
    assert_eq!(state("not in memory"), size - resident - (closed - 4 * MIB));

    // What is not listed is told of, with its sums.
    let short = Breakdown::stopped(target.pid(), &["--", "--others", "1"]);
    let names = |found: &Breakdown| -> Vec<Value> {
        let rows = found.json["views"][2]["rows"].as_array().unwrap();
        rows.iter().map(|row| row[0].clone()).collect()
    };
    let all = names(&found).len();
    assert_eq!(names(&short)[1], format!("… {} more", all - 1));
    let sum = |found: &Breakdown| -> i64 {
        let rows = found.json["views"][2]["rows"].as_array().unwrap();
        rows.iter().map(|row| whole(&row[3])).sum()
    };
    assert_eq!(sum(&found), sum(&short));

    let (trend, _) = result(
        "probes/mem-trend.y",
        target.pid(),
        &["--", "--duration", "30ms", "--period", "10"],
    );
    let lines = trend["views"][2]["lines"].as_array().unwrap();
    let line = lines
        .iter()
        .find(|line| line["name"] == "shared memory, loaded")
        .unwrap();
    assert_eq!(line["samples"][0]["value"], 16 * MIB, "{line}");
    let header = trend["header"].to_string();
    assert!(header.contains("difference 0 B; tolerance "), "{header}");
}

/// What is larger than is looked through is not taken for empty: the result is partial, and says what is missing.
#[test]
fn addresses_that_cannot_be_looked_through() {
    let program = directory().join("c/mappings");
    if !program.is_file() {
        return skip("mappings", &format!("{} is missing", program.display()));
    }
    let target = fixtures::Waiting::start(Command::new(program).arg("more"));
    let pid = target.pid().to_string();
    let words = ["-p", &pid, "--", "--pss", "no"];
    let (finished, json) = run_json("probes/mem-breakdown.y", &words);
    let checks = json["checks"].as_array().unwrap();
    let missing = checks.iter().find(|check| check["right"] == 0).unwrap();
    assert_eq!(missing["left"], 70_i64 << 40, "{finished}");
    assert_eq!(json["footer"]["complete"], false, "{finished}");
}

/// Where a search ends before the memory does, it is said.
#[test]
fn pages_that_were_not_searched_are_counted() {
    let Some((name, luajit)) = luajits().into_iter().find(|(_, path)| path.is_file()) else {
        return skip("LuaJIT", "it was not built");
    };
    let target = standalone_with(&luajit, 2_000, 100_000);
    let folder = tempfile::tempdir().unwrap();
    let probe = folder.path().join("searched.y");
    let text = "#define LJ_PAGES_MOST LIMIT\n#include <linux/users.y>\n_mode live;\n\
        _probe _oneshot { users_claim(); printf(\"unsearched %ld\\n\", lj_unsearched); }\n";
    let unsearched = |limit: &str| {
        std::fs::write(&probe, text.replace("LIMIT", limit)).unwrap();
        let (json, _) = result(probe.to_str().unwrap(), target.pid(), &[]);
        let header = json["header"].to_string();
        let (_, rest) = header.split_once("unsearched ").unwrap();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<i64>().unwrap()
    };
    assert!(unsearched("3") > 10, "{name}");
    assert_eq!(unsearched("262144"), 0, "{name}");
}

/// What grows between two looks is counted to the page, by who uses it.
#[test]
fn growth_in_known_steps() {
    let Some(mut target) = Target::start() else {
        return;
    };
    // What is made once for the first of its kind.
    target.ask("arena 1000000");
    target.ask("mmapped 400000");
    target.ask("anon 100000");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.json");
    let pid = target.pid().to_string();
    let child = start(&[
        "run",
        "probes/mem-trend.y",
        "-p",
        &pid,
        "-o",
        path.to_str().unwrap(),
        "--",
        "--duration",
        "10m",
        "--period",
        "40",
    ]);
    let ytrace = i32::try_from(child.id()).unwrap();
    wait_for("the first look", || waits_for_a_timer(ytrace));
    for _ in 0..3 {
        target.ask("anon 2000000");
        target.ask("mmapped 1000000");
        target.ask("arena 400000");
    }
    target.ask("shared 900000 700000");
    let said = target.ask("info");
    // A whole look comes after one that may be under way.
    for _ in 0..2 {
        let before = bytes_read(ytrace);
        wait_for("a look", || {
            bytes_read(ytrace) > before && waits_for_a_timer(ytrace)
        });
    }
    signal(ytrace, Signal::SIGINT);
    let finished = finish_child(child).expect_status(0);
    let json: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(json["footer"]["complete"], true, "{finished}");
    assert_eq!(json["footer"]["pause_nanoseconds"], Value::Null);

    let view = &json["views"][3];
    let growth = |name: &str| {
        let rows = view["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row[0] == name);
        row.map_or(0, |row| row[3].as_i64().unwrap())
    };
    assert_eq!(growth(ANONYMOUS), 3 * pages(2_000_000), "{view}");
    assert_eq!(growth("glibc mmapped"), 3 * pages(1_000_016), "{view}");
    assert_eq!(growth("shared memory"), pages(700_000), "{view}");
    // Blocks of 1000 bytes take 1008, and pages are touched as they are reached.
    let arena = growth("glibc arena") - 3 * 400 * 1008;
    assert!(arena.abs() <= 4 * page(), "{view}");
    // What it runs may be read in meanwhile.
    assert!((0..1 << 20).contains(&growth("text")), "{view}");
    assert!(
        json["next"].to_string().contains("glibc-verdict.y"),
        "{}",
        json["next"]
    );

    // The series of the kernel's figures lead from before to after.
    let samples = |view: usize, name: &str| -> Vec<i64> {
        let lines = json["views"][view]["lines"].as_array().unwrap();
        let line = lines.iter().find(|line| line["name"] == name).unwrap();
        let samples = line["samples"].as_array().unwrap().iter();
        samples
            .map(|sample| sample["value"].as_i64().unwrap())
            .collect()
    };
    let resident = samples(0, "resident");
    assert!(resident.is_sorted(), "{resident:?}");
    let anonymous = samples(0, "anonymous");
    let most = 3 * (pages(2_000_000) + pages(1_000_016)) + growth("glibc arena") + 16 * page();
    assert!(anonymous.last().unwrap() - anonymous[0] <= most);
    // A zone that came after the first look is among those that are asked.
    let zones = samples(2, "shared memory, loaded");
    assert_eq!(*zones.last().unwrap(), pages(700_000), "{zones:?}");
    let mapped = samples(2, "glibc mmapped");
    assert!(
        mapped.is_sorted() && *mapped.last().unwrap() <= said[2],
        "{mapped:?}"
    );
    assert_untouched(target.pid());
}

/// How much a process has read from files so far, those of `/proc` among them.
fn bytes_read(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Whether a thread of ytrace waits for a timer or the target's end: in poll on one descriptor, for 200 ms at most.
fn waits_for_a_timer(pid: i32) -> bool {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    tasks.flatten().any(|task| {
        let text = std::fs::read_to_string(task.path().join("syscall")).unwrap_or_default();
        let words: Vec<&str> = text.split(' ').collect();
        let number = |index: usize| -> Option<u64> {
            let word = words.get(index)?;
            u64::from_str_radix(word.trim_start_matches("0x"), 16).ok()
        };
        words.first() == Some(&libc::SYS_poll.to_string().as_str())
            && number(2) == Some(1)
            && number(3).is_some_and(|timeout| timeout <= 200)
    })
}

/// A target that ends takes nothing with it of what was gathered; times that make no sense are refused.
#[test]
fn trends_that_end_early() {
    let Some(mut target) = Target::start() else {
        return;
    };
    let pid = target.pid().to_string();
    let child = start(&[
        "run",
        "probes/mem-trend.y",
        "-p",
        &pid,
        "--",
        "--period",
        "20",
    ]);
    let ytrace = i32::try_from(child.id()).unwrap();
    wait_for("the first look", || waits_for_a_timer(ytrace));
    target.ask("anon 1000000");
    drop(target);
    let finished = finish_child(child).expect_status(3);
    for text in ["the target had gone", "resident and swapped "] {
        assert!(finished.stdout.contains(text), "{finished}");
    }
    finished.says(&["PARTIAL", "exited"]);
    // Nothing can be looked at there any more.
    assert!(!finished.stderr.contains("next:"), "{finished}");

    // At its exit a command does not grow: that is said, and what to do.
    let once = run(&["run", "probes/mem-trend.y", "-c", "sh -c 'exit 0'"]).expect_status(3);
    once.says(&[
        "PARTIAL: the timers did not run",
        "with --after",
        "next: ytrace run probes/mem-trend.y -c 'sh -c '\\''exit 0'\\''' --after 1s",
    ]);
    assert!(once.stdout.contains("! one look alone"), "{once}");
    let child = run(&[
        "run",
        "probes/mem-trend.y",
        "-c",
        "sleep 60",
        "--after",
        "100ms",
        "--",
        "--duration",
        "50ms",
        "--period",
        "10",
    ]);
    let child = child.expect_status(0);
    child.says(&["next: ytrace run probes/mem-breakdown.y -c 'sleep 60' --after 100ms"]);

    let own = std::process::id().to_string();
    let refused = run(&[
        "run",
        "probes/mem-trend.y",
        "-p",
        &own,
        "--",
        "--duration",
        "soon",
    ]);
    refused.expect_status(1).says(&["--duration", "soon"]);
    let refused = run(&[
        "run",
        "probes/mem-breakdown.y",
        "-p",
        &own,
        "--",
        "--pss",
        "perhaps",
    ]);
    refused.expect_status(1).says(&["--pss", "perhaps"]);
    assert!(root().join("probes/mem-trend.y").is_file());
}
