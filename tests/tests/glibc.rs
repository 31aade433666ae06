//! glibc's heap, walked from outside, held against what malloc says of itself: `malloc_info` and `mallinfo2`, to the byte.

use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;
use ytrace_tests::fixtures::{Nginx, Waiting, directory, unavailable};
use ytrace_tests::processes::{assert_untouched, memory_figures, signal, wait_for};
use ytrace_tests::program::{Finished, run, run_text};
use ytrace_tests::{root, skip};

const PROBES: [&str; 4] = [
    "glibc-chunks",
    "glibc-free",
    "glibc-verdict",
    "glibc-heapmap",
];

/// Prints what the library found, a line for each arena and one for what is mapped directly.
const SUMS: &str = "
#include <glibc/walk.y>
_probe _oneshot {
    glibc_walk();
    _foreach (s in glibc_sums)
        printf(\"arena %s fast %ld %ld rest %ld %ld system %ld met %ld listed %ld %ld skipped %ld heaps %ld cached %ld\\n\", s.name, s.fast_chunks, s.fast,
               s.free_chunks + 1, s.free + s.top, s.system, glibc_met(s), s.listed_chunks, s.listed, s.skipped, s.heaps, s.cached_chunks);
    printf(\"mapped %ld %ld\\n\", _elems(glibc_blocks), glibc_blocks_bytes);
    printf(\"found by %s, caches by %s: %ld, broken %ld\\n\", glibc_found, glibc_caches_found, glibc_caches, glibc_broken);
}";

/// The number behind a word and an equals sign and a quote: `size="12"`.
fn attribute(element: &str, name: &str) -> i64 {
    let start = element.find(&format!(" {name}=\"")).expect(name) + name.len() + 3;
    let text = &element[start..];
    text[..text.find('"').unwrap()].parse().unwrap()
}

/// What `malloc_info` says of one arena.
#[derive(Debug, PartialEq, Eq)]
struct Arena {
    fast: (i64, i64),
    /// Chunks in bins and the top, and their bytes.
    rest: (i64, i64),
    system: i64,
}

/// What a target said of itself.
#[derive(Debug)]
struct Said {
    arenas: Vec<Arena>,
    mapped: (i64, i64),
    /// The fields of `mallinfo2`, where there is one.
    mallinfo: Option<String>,
}

impl Said {
    fn of(ready: &str) -> Self {
        // Since 2.43 there are no fast bins.
        let total = |text: &str, kind: &str| {
            text.find(&format!("<total type=\"{kind}\""))
                .map_or((0, 0), |start| {
                    let text = &text[start..];
                    (attribute(text, "count"), attribute(text, "size"))
                })
        };
        let arenas = ready.split("<heap nr=").skip(1).map(|heap| {
            let heap = heap.split("</heap>").next().unwrap();
            let rest = total(heap, "rest");
            // The sizes of free chunks are summed with the lowest bit of their heads, that of the top without.
            Arena {
                fast: total(heap, "fast"),
                rest: (rest.0, rest.1 - (rest.0 - 1)),
                system: attribute(
                    &heap[heap.find("<system type=\"current\"").unwrap()..],
                    "size",
                ),
            }
        });
        Self {
            arenas: arenas.collect(),
            mapped: total(ready.split("</heap>").last().unwrap(), "mmap"),
            mallinfo: ready
                .split_once("mallinfo2 ")
                .map(|(_, fields)| fields.to_owned()),
        }
    }

    fn mallinfo(&self, name: &str) -> Option<i64> {
        let fields = self.mallinfo.as_ref()?;
        let value = fields
            .split_whitespace()
            .find_map(|field| field.strip_prefix(&format!("{name}=")))?;
        Some(value.parse().unwrap())
    }
}

/// Numbers of a line behind a word.
fn numbers(line: &str, word: &str, count: usize) -> Vec<i64> {
    line.split_whitespace()
        .skip_while(|part| *part != word)
        .skip(1)
        .take(count)
        .map(|part| {
            part.parse()
                .unwrap_or_else(|_| panic!("{word:?} in {line:?}"))
        })
        .collect()
}

/// Holds what the library found against what the target said.
fn compare(what: &str, said: &Said, output: &str) {
    let lines: Vec<&str> = output
        .lines()
        .filter(|line| line.starts_with("arena "))
        .collect();
    assert_eq!(lines.len(), said.arenas.len(), "{what}: {output}");
    let mut sums = [0; 3];
    for (line, arena) in lines.iter().zip(&said.arenas) {
        let pair = |word| {
            let numbers = numbers(line, word, 2);
            (numbers[0], numbers[1])
        };
        let found = Arena {
            fast: pair("fast"),
            rest: pair("rest"),
            system: numbers(line, "system", 1)[0],
        };
        assert_eq!(&found, arena, "{what}: {line}");
        assert_eq!(
            numbers(line, "met", 1)[0],
            arena.system,
            "in use + free + top; {what}: {line}"
        );
        assert_eq!(
            pair("listed").0,
            arena.rest.0 - 1,
            "free chunks are in bins; {what}: {line}"
        );
        assert_eq!(numbers(line, "skipped", 1), [0], "{what}: {line}");
        sums[0] += found.system;
        sums[1] += found.rest.1 + found.fast.1;
        sums[2] += found.rest.0;
    }
    let mapped = output
        .lines()
        .find(|line| line.starts_with("mapped "))
        .unwrap();
    let mapped = numbers(mapped, "mapped", 2);
    assert_eq!(mapped[0], said.mapped.0, "{what}: {output}");
    // Since 2.43 malloc adds 16 bytes for each block that realloc has moved, which are two here.
    let drift = said.mapped.1 - mapped[1];
    assert!(
        drift == 0 || (drift == 32 && said.arenas.iter().all(|arena| arena.fast.0 == 0)),
        "{what}: {said:?}, {mapped:?}"
    );
    if said.mallinfo.is_some() {
        let ours = [sums[0], sums[1], sums[0] - sums[1], sums[2], mapped[0]];
        let names = ["arena", "fordblks", "uordblks", "ordblks", "hblks"];
        for (name, ours) in names.iter().zip(ours) {
            assert_eq!(said.mallinfo(name), Some(ours), "{what}: {name}");
        }
    }
    assert!(output.contains("broken 0"), "{what}: {output}");
}

/// The target program with threads, or one of the two builds of it.
fn arenas(name: &str) -> Option<std::path::PathBuf> {
    let program = directory().join("c").join(name);
    if program.is_file() {
        return Some(program);
    }
    skip("glibc", &format!("{} is missing", program.display()));
    None
}

/// Every probe ends well, and all its cross-checks hold.
fn probes(what: &str, pid: i32, more: &[&str]) {
    for probe in PROBES {
        let folder = tempfile::tempdir().unwrap();
        let json = folder.path().join("result.json");
        let file = format!("probes/{probe}.y");
        let pid_text = pid.to_string();
        let mut arguments = vec![
            "run",
            &file,
            "-p",
            &pid_text,
            "--max-pause",
            "5s",
            "-o",
            json.to_str().unwrap(),
        ];
        arguments.extend(more);
        let result = run(&arguments).expect_status(0);
        let json: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        let checks = json["checks"].as_array().unwrap();
        assert_eq!(checks.len(), 4, "{what}, {probe}: {json}");
        for check in checks {
            assert_eq!(check["equal"], true, "{what}, {probe}: {check}");
        }
        assert_eq!(
            json["footer"]["complete"], true,
            "{what}, {probe}: {result}"
        );
        let header = json["header"].to_string();
        assert!(
            header.contains("difference 0 B; mmapped = mp_.mmapped_mem, difference 0 B"),
            "{what}, {probe}: {header}"
        );
        let views = json["views"].as_array().unwrap();
        assert!(
            views.iter().all(|view| {
                let rows = view["rows"].as_array().or(view["regions"].as_array());
                rows.is_some_and(|rows| !rows.is_empty())
            }),
            "{what}, {probe}: a view without rows"
        );
        assert_untouched(pid);
    }
}

fn sums(pid: i32, more: &[&str]) -> Finished {
    let mut arguments = vec!["--max-pause", "5s"];
    arguments.extend(more);
    run_text(SUMS, pid, &arguments).expect_status(0)
}

/// Threads with arenas of their own, what they share, a break that others move or that cannot move.
#[test]
fn arenas_and_threads() {
    let Some(program) = arenas("arenas") else {
        return;
    };
    for mode in ["plain", "foreign", "blocked"] {
        let target = Waiting::start(Command::new(&program).args(["8", "60000", mode]));
        let said = Said::of(&target.ready);
        assert_eq!(said.arenas.len(), 9, "{mode}");
        let output = sums(target.pid(), &[]).stdout;
        compare(mode, &said, &output);
        let heaps = numbers(output.lines().next().unwrap(), "heaps", 1)[0];
        match mode {
            "plain" => assert_eq!(heaps, 1),
            "foreign" => assert_eq!(heaps, 3, "two gaps of others"),
            _ => assert!(heaps > 10, "{heaps} segments"),
        }
        // Several heaps in one arena.
        assert!(output.contains(" heaps 2 "), "{output}");
        // Compiled and interpreted, and on the running process.
        let interpreted = sums(target.pid(), &["--interpret"]).stdout;
        assert_eq!(interpreted, output, "{mode}");
        let live = sums(target.pid(), &["--mode", "live"]).stdout;
        compare(&format!("{mode}, live"), &said, &live);
        probes(mode, target.pid(), &[]);
    }
}

/// More threads than arenas: threads' caches lie anywhere in the arenas that they share.
#[test]
fn caches_of_threads_that_share_arenas() {
    let Some(program) = arenas("arenas") else {
        return;
    };
    let target = Waiting::start(
        Command::new(&program)
            .args(["12", "20000"])
            .env("ARENAS", "3"),
    );
    let said = Said::of(&target.ready);
    let stopped = sums(target.pid(), &[]).stdout;
    compare("shared arenas", &said, &stopped);
    // With the threads' own variables where there is debug information, by what caches look like on the running process: the same chunks.
    let live = sums(target.pid(), &["--mode", "live"]).stdout;
    assert!(live.contains("caches by search: 13,"), "{live}");
    assert!(stopped.contains(": 13,"), "{stopped}");
    let arenas = |text: &str| {
        text.lines()
            .filter(|line| line.starts_with("arena"))
            .count()
    };
    assert!(arenas(&stopped) < 13, "{stopped}");
    let without_names = |text: &str| {
        text.lines()
            .take(arenas(text))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(without_names(&live), without_names(&stopped));
}

/// Other C libraries, run by their own loader: stripped, by declared layouts; and with their debug files.
#[test]
fn other_versions_of_the_c_library() {
    let Some(program) = arenas("arenas-old") else {
        return;
    };
    let script = root().join("tests/fixtures/glibc-versions.sh");
    let mut versions: Vec<String> = match std::fs::read_dir(directory().join("glibc")) {
        Ok(entries) => entries
            .flatten()
            .filter(|entry| entry.path().join(".complete").is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect(),
        Err(_) => Vec::new(),
    };
    versions.sort();
    if versions.is_empty() {
        return skip(
            "other_versions_of_the_c_library",
            "tests/fixtures/glibc-versions.sh has fetched none",
        );
    }
    eprintln!("versions: {versions:?}");
    for version in &versions {
        for mode in ["plain", "foreign", "blocked"] {
            let what = format!("glibc {version}, {mode}");
            let target = Waiting::start(
                Command::new("bash")
                    .arg(&script)
                    .args(["run", version])
                    .arg(&program)
                    .args(["8", "30000", mode]),
            );
            let said = Said::of(&target.ready);
            assert_eq!(said.arenas.len(), 9, "{what}");
            let result = sums(target.pid(), &[]);
            compare(&what, &said, &result.stdout);
            // What is installed as the system's own has its debug files, too.
            if result.stdout.contains("found by search") {
                result.says(&["layout"]);
            }
            let debug = directory()
                .join("glibc")
                .join(version)
                .join("usr/lib/debug");
            let named = sums(target.pid(), &["--debug-root", debug.to_str().unwrap()]);
            compare(&format!("{what}, debug files"), &said, &named.stdout);
            assert!(named.stdout.contains("found by symbols"), "{what}: {named}");
            if mode == "blocked" {
                probes(&what, target.pid(), &[]);
            }
        }
    }
}

/// A program without any names, linked statically: the search finds malloc's variables in the data of the executable.
#[test]
fn static_and_stripped() {
    let Some(program) = arenas("heap-static") else {
        return;
    };
    let target = Waiting::start(&mut Command::new(program));
    let said = |name: &str| -> i64 {
        let fields = target.ready.split_whitespace();
        let mut values = fields.filter_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        values.next().unwrap().parse().unwrap()
    };
    let result = sums(target.pid(), &[]);
    let of_arenas = |word: &str, index: usize| -> i64 {
        let lines = result.stdout.lines();
        let arenas = lines.filter(|line| line.starts_with("arena "));
        arenas
            .map(|line| numbers(line, word, index + 1)[index])
            .sum()
    };
    assert_eq!(of_arenas("system", 0), said("arena"), "{result}");
    assert_eq!(of_arenas("rest", 0), said("ordblks"), "{result}");
    assert_eq!(of_arenas("fast", 0), said("smblks"), "{result}");
    assert_eq!(
        of_arenas("rest", 1) + of_arenas("fast", 1),
        said("fordblks"),
        "{result}"
    );
    assert!(
        result
            .stdout
            .contains(&format!("mapped {} {}\n", said("hblks"), said("hblkhd"))),
        "{result}"
    );
    assert!(result.stdout.contains("found by search"), "{result}");
    probes("static", target.pid(), &[]);
}

#[test]
fn nginx_master_and_worker() {
    for variant in ["dwarf", "stock"] {
        if let Some(why) = unavailable(variant) {
            skip("nginx_master_and_worker", &why);
            continue;
        }
        let nginx = Nginx::start(variant, &[]);
        nginx.number("/fill?n=3000");
        for pid in [nginx.master, nginx.worker] {
            probes(variant, pid, &[]);
            let map = run(&["run", "probes/ngx-heapmap.y", "-p", &pid.to_string()]);
            let map = map.expect_status(0);
            assert!(map.stdout.contains("cycle pool"), "{variant}: {map}");
        }
        assert_eq!(nginx.get("/ping"), "pong");
    }
}

#[test]
fn perl() {
    let script = "%h = map { $_ => { a => [1 .. 5], b => 'x' x 300 } } 1 .. 20000; delete $h{$_} for 1 .. 9000; \
                  $| = 1; print \"READY\\n\"; 1 while <STDIN>";
    if Command::new("perl").args(["-e", "1"]).status().is_err() {
        return skip("perl", "there is no perl");
    }
    let target = Waiting::start(Command::new("perl").args(["-e", script]));
    probes("perl", target.pid(), &[]);
}

/// What `malloc_trim` is said to give back is what the process loses.
#[test]
fn trimming_gives_back_what_was_said() {
    let Some(program) = arenas("arenas") else {
        return;
    };
    let mut target = Waiting::start(Command::new(program).args(["4", "60000"]));
    let pid = target.pid();
    let trimmed = || -> u64 {
        let folder = tempfile::tempdir().unwrap();
        let json = folder.path().join("result.json");
        let pid = pid.to_string();
        let result = run(&[
            "run",
            "probes/glibc-verdict.y",
            "-p",
            &pid,
            "--max-pause",
            "5s",
            "-o",
            json.to_str().unwrap(),
        ]);
        result.expect_status(0);
        let json: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        let view = &json["views"][0];
        let columns = view["columns"].as_array().unwrap();
        let column = columns
            .iter()
            .position(|column| column["name"] == "trim_bytes")
            .unwrap();
        let rows = view["rows"].as_array().unwrap();
        rows.iter().map(|row| row[column].as_u64().unwrap()).sum()
    };
    let resident = || memory_figures(pid)["Anonymous"] * 1024;
    let (said, before) = (trimmed(), resident());
    assert!(said > 1 << 20, "{said}");
    target.say("trim");
    wait_for("the heap is trimmed", || before - resident() >= said / 2);
    // The system call comes arena by arena.
    wait_for("all of it is trimmed", || trimmed() < said / 100);
    let gone = before - resident();
    eprintln!("malloc_trim gave back {gone} bytes, {said} were said");
    // Fast bins are merged into free chunks first, which makes a few more whole pages.
    assert!(
        gone >= said && gone - said <= said / 50 + 65_536,
        "{gone} bytes went, {said} were said"
    );
}

/// A master that has read its configuration again and again, with fewer and more servers: most of its heap is free, between what is in use.
#[test]
fn reloads_fragment_an_nginx_master() {
    if let Some(why) = unavailable("stock") {
        return skip("reloads_fragment_an_nginx_master", &why);
    }
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path();
    std::fs::create_dir(prefix.join("logs")).unwrap();
    let configure = |servers: usize| {
        use std::fmt::Write;
        let here = prefix.display();
        let mut text = format!(
            "daemon off; pid {here}/nginx.pid; error_log {here}/logs/error.log notice; worker_processes 1; events {{ }}\n\
             http {{ access_log off; client_body_temp_path {here}/b; proxy_temp_path {here}/p; fastcgi_temp_path {here}/f;\n\
             uwsgi_temp_path {here}/u; scgi_temp_path {here}/s; server_names_hash_max_size 65536; server_names_hash_bucket_size 128;\n"
        );
        for server in 0..servers {
            writeln!(
                text,
                "server {{ listen unix:{here}/socket; server_name s{server}.example.com; location /a{server} {{ proxy_pass http://127.0.0.1:9; }} }}"
            )
            .unwrap();
        }
        text.push('}');
        std::fs::write(prefix.join("nginx.conf"), text).unwrap();
    };
    let log = || std::fs::read_to_string(prefix.join("logs/error.log")).unwrap_or_default();
    configure(600);
    let mut master = Command::new("/usr/sbin/nginx")
        .arg("-p")
        .arg(prefix)
        .arg("-c")
        .arg(prefix.join("nginx.conf"))
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let pid = i32::try_from(master.id()).unwrap();
    let workers = |started: usize| {
        wait_for("the workers are new", || {
            let log = log();
            log.matches("start worker process ").count() == started
                && log.matches("exited with code 0").count() == started - 1
        });
    };
    workers(1);
    for (round, servers) in [800, 200, 1000, 300, 600, 60].into_iter().enumerate() {
        configure(servers);
        signal(pid, Signal::SIGHUP);
        workers(round + 2);
    }
    let result = run(&[
        "run",
        "probes/glibc-verdict.y",
        "-p",
        &pid.to_string(),
        "--max-pause",
        "5s",
    ]);
    probes("fragmented nginx master", pid, &[]);
    signal(pid, Signal::SIGTERM);
    master.wait().unwrap();
    let result = result.expect_status(0);
    assert!(result.stdout.contains("FRAGMENTED: "), "{result}");
    assert!(result.stdout.contains("pinned by: "), "{result}");
    assert!(result.stdout.contains("malloc_trim(0) now: "), "{result}");
}

/// A heap with bytes overwritten at random: each probe ends by itself, and what does not add up is said.
#[test]
fn a_damaged_heap_is_partial_and_never_endless() {
    let Some(program) = arenas("arenas") else {
        return;
    };
    let mut partial = 0;
    for (seed, bytes) in [(1, 1), (2, 100), (3, 10_000), (4, 2_000), (5, 1000)] {
        let target = Waiting::start(Command::new(&program).args([
            "2",
            "20000",
            "plain",
            &seed.to_string(),
            &bytes.to_string(),
        ]));
        for probe in PROBES {
            let file = format!("probes/{probe}.y");
            let result = run(&["run", &file, "-p", &target.pid().to_string()]);
            assert!(
                matches!(result.status, Some(0 | 3)),
                "{probe}, seed {seed}: {result}"
            );
            let differs = result.stderr.contains('≠') || result.stdout.contains('≠');
            assert_eq!(
                result.status == Some(3),
                differs || result.stderr.contains("PARTIAL"),
                "{result}"
            );
            partial += i32::from(result.status == Some(3));
            assert_untouched(target.pid());
        }
    }
    assert!(partial >= 12, "only {partial} of 20 runs noticed");
}

/// Where there is no glibc heap, an error says what was looked for.
#[test]
fn no_heap_is_a_clear_error() {
    let nginx = directory().join("nginx-static/nginx");
    if !nginx.is_file() {
        return skip(
            "no_heap_is_a_clear_error",
            &format!("{} is missing", nginx.display()),
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("nginx.conf");
    let text = format!(
        "daemon off; master_process off; pid {0}/nginx.pid; error_log {0}/error.log; events {{ }}",
        folder.path().display()
    );
    std::fs::write(&configuration, text).unwrap();
    let mut child = Command::new(&nginx)
        .arg("-c")
        .arg(&configuration)
        .arg("-p")
        .arg(folder.path())
        .stdin(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    wait_for("nginx runs", || folder.path().join("nginx.pid").is_file());
    let result = run(&["run", "probes/glibc-chunks.y", "-p", &pid.to_string()]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        matches!(result.status, Some(1 | 2)),
        "it must not succeed: {result}"
    );
    result.says(&["malloc"]);
}
