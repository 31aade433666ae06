//! glibc's heap, walked from outside, held against what malloc says of itself: `malloc_info` and `mallinfo2`, to the byte.

use std::process::Command;

use serde_json::Value;
use ytrace_tests::fixtures::{Nginx, Waiting, directory, unavailable};
use ytrace_tests::malloc_said::{Said, compare, numbers, sums};
use ytrace_tests::processes::{assert_untouched, memory_figures, wait_for};
use ytrace_tests::program::{run, whole_json};
use ytrace_tests::{root, skip};

const PROBES: [&str; 4] = [
    "glibc-chunks",
    "glibc-free",
    "glibc-verdict",
    "glibc-heapmap",
];

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
    linked_statically("heap-static", "search");
}

/// Symbols without types: of the threads' caches, too.
#[test]
fn static_with_symbols() {
    linked_statically("heap-static-symbols", "symbols");
}

fn linked_statically(name: &str, found: &str) {
    let Some(program) = arenas(name) else {
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
    let found = format!("found by {found}");
    assert!(result.stdout.contains(&found), "{result}");
    probes(name, target.pid(), &[]);
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
        }
        assert_eq!(nginx.get("/ping"), "pong");
    }
}

/// The biggest chunks are listed where all are small, too.
#[test]
fn the_biggest_of_small_chunks() {
    let target = Waiting::start(Command::new("sh").args(["-c", "echo READY; read line"]));
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("result.json");
    let pid = target.pid().to_string();
    let arguments = ["run", "probes/glibc-chunks.y", "-p", &pid, "-o"];
    let arguments = [
        &arguments[..],
        &[json.to_str().unwrap(), "--", "--biggest", "40"],
    ]
    .concat();
    run(&arguments).expect_status(0);
    let json: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let sizes: Vec<i64> = json["views"][2]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[1].as_i64().unwrap())
        .collect();
    assert_eq!(sizes.len(), 40, "{json}");
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
    // The classes of sizes hold all of those that are listed.
    let chunks: i64 = json["views"][0]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[1].as_i64().unwrap())
        .sum();
    let arena = json["views"][1]["rows"][0].as_array().unwrap();
    assert_eq!(arena[2], chunks, "{json}");
    assert!(sizes[39] < 1024, "most are small: {sizes:?}");
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
        rows.iter()
            .map(|row| row[column].as_f64().unwrap() as u64)
            .sum()
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

/// A result of a probe, whose checks hold.
fn result_of(probe: &str, pid: i32) -> Value {
    whole_json(&format!("probes/{probe}.y"), pid, &[]).1
}

/// The line of a result that begins so.
fn line_of<'a>(json: &'a Value, start: &str) -> &'a str {
    let lines = json["header"].as_array().unwrap().iter();
    lines
        .filter_map(Value::as_str)
        .find(|line| line.starts_with(start))
        .unwrap_or_else(|| panic!("no line {start:?} in {json}"))
}

/// Bytes as results show them.
fn in_words(bytes: f64) -> String {
    let powers = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match powers.iter().find(|(power, _)| bytes >= *power) {
        Some((power, unit)) => format!("{:.1} {unit}", bytes / power),
        None => format!("{bytes} B"),
    }
}

/// The line of free chunks counts their pages, not those of tops, and not pages of none: in a program where whole pages lie in free chunks, and in one where
/// they lie in tops alone.
#[test]
fn pages_in_free_chunks_are_those_of_the_chunks() {
    let Some(program) = arenas("arenas") else {
        return;
    };
    let targets = [
        Waiting::start(Command::new(&program).args(["4", "20000"])),
        Waiting::start(Command::new(&program).args(["1", "100", "blocked"])),
        Waiting::start(Command::new(&program).args(["0", "4", "blocked"])),
    ];
    for target in targets {
        let free = result_of("glibc-free", target.pid());
        let kinds = free["views"][0]["rows"].as_array().unwrap();
        // kind, chunks, bytes, resident bytes
        let listed = kinds.iter().filter(|row| row[0] != "top");
        let bytes: f64 = listed.map(|row| row[3].as_f64().unwrap()).sum();
        let verdict = result_of("glibc-verdict", target.pid());
        let line = line_of(&verdict, "free ");
        let said = format!("; {} in whole resident pages of ", in_words(bytes));
        let (_, chunks) = line
            .split_once(&said)
            .unwrap_or_else(|| panic!("no {said:?} in {line:?}"));
        assert_eq!(chunks == "0", bytes == 0.0, "{line}");
    }
}

/// Pages that a worker shares are the machine's again only when it has trimmed, too: what is said of that, against the kernel's proportional figures.
#[test]
fn what_workers_share_is_gained_when_all_trim() {
    let Some(program) = arenas("workers") else {
        return;
    };
    let mut target = Waiting::start(Command::new(program).arg("3000"));
    let own = target.pid();
    let worker: i32 = target.ready.parse().unwrap();
    // Shares in the machine's memory of both processes.
    let machine = || [own, worker].map(|pid| memory_figures(pid)["Pss_Anon"] * 1024);
    let trim = |pid| -> (String, f64) {
        let json = result_of("glibc-verdict", pid);
        let arenas = json["views"][0]["rows"].as_array().unwrap();
        let columns = json["views"][0]["columns"].as_array().unwrap();
        let column = columns.iter().position(|each| each["name"] == "trim_bytes");
        let bytes = arenas[0][column.unwrap()].as_f64().unwrap();
        (line_of(&json, "malloc_trim(0) now").to_owned(), bytes)
    };
    for pid in [own, worker] {
        let (line, bytes) = trim(pid);
        assert!(bytes > 20e6, "{line}");
        let text = in_words(bytes);
        let start = format!("malloc_trim(0) now: {text} here; {text} of that is shared ");
        assert!(line.starts_with(&start), "{line}");
    }
    let (_, said) = trim(own);
    let before = machine();
    let sum = |figures: [u64; 2]| (figures[0] + figures[1]) as f64;
    target.say("own");
    wait_for("this one has trimmed", || {
        (sum(before) - sum(machine())).abs() < 1e6
            && (before[0] - machine()[0]) as f64 > said / 2.0 - 1e6
    });
    // The machine has not gained a thing: all of it is the worker's now, which alone can give it back.
    let (line, bytes) = trim(worker);
    assert_eq!(bytes, said, "{line}");
    assert!(!line.contains("shared"), "{line}");
    assert!(trim(own).1 < said / 50.0, "{}", trim(own).0);
    target.say("worker");
    wait_for("the worker has trimmed", || trim(worker).1 < said / 50.0);
    let gained = sum(before) - sum(machine());
    eprintln!("{said} were said, the machine gained {gained}");
    assert!((gained - said).abs() <= said / 50.0, "{gained} of {said}");
}
