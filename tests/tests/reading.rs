//! Reading harms nothing: no page is charged to the target, no signal is lost, and a target that hands over is reported.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;

use ytrace_tests::fixtures::{Nginx, unavailable};
use ytrace_tests::processes::{alive, assert_untouched, memory_figures, wait_for};
use ytrace_tests::program::{LUA_GC, finish_child, run_lua_gc, run_text, start};
use ytrace_tests::skip;

fn nginx(test: &str, options: &[&str], entries: u32) -> Option<Nginx> {
    if let Some(why) = unavailable("dwarf") {
        skip(test, &why);
        return None;
    }
    let nginx = Nginx::start("dwarf", options);
    if entries > 0 {
        nginx.get(&format!("/fill?n={entries}"));
    }
    Some(nginx)
}

/// The pids of the workers that serve now.
fn workers(nginx: &Nginx) -> Vec<i32> {
    nginx
        .verb("workers")
        .split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect()
}

/// Asserts that figures are those of before. The master or the worker may write to one page that they share, of its own accord, which then is
/// two: half a page more each.
#[track_caller]
fn assert_same(mut found: BTreeMap<String, u64>, before: &BTreeMap<String, u64>, what: &str) {
    const ANONYMOUS: &str = "Pss_Anon";
    const PAGE: u64 = 4;
    if found[ANONYMOUS].abs_diff(before[ANONYMOUS]) <= PAGE {
        found.insert(ANONYMOUS.to_owned(), before[ANONYMOUS]);
    }
    assert_eq!(found, *before, "{what}");
}

/// A gigabyte of shared memory that nobody has touched costs nothing, and still costs nothing after it was looked at.
#[test]
fn an_empty_shared_zone_stays_empty() {
    let Some(nginx) = nginx("an_empty_shared_zone_stays_empty", &["--shm", "1g"], 2_000) else {
        return;
    };
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", nginx.worker)).unwrap();
    let zone = maps
        .lines()
        .filter_map(|line| line.split_once(' ')?.0.split_once('-'))
        .map(|(start, end)| {
            let number = |text| u64::from_str_radix(text, 16).unwrap();
            number(start)..number(end)
        })
        .find(|range| range.end - range.start >= 1 << 30)
        .expect("the zone is mapped");
    let middle = zone.start + (zone.end - zone.start) / 2;
    let before = memory_figures(nginx.worker);
    let master = memory_figures(nginx.master);
    assert!(
        before["RssShmem"] < 64 << 10,
        "the zone is empty: {before:?}"
    );
    for mode in ["auto", "live", "copy", "stop"] {
        let more = ["--mode", mode, "--max-pause", "5s"];
        run_lua_gc(nginx.worker, &more).expect_status(0);
        assert_same(
            memory_figures(nginx.worker),
            &before,
            &format!("the main job in mode {mode}"),
        );
        // Pages of the zone itself, which the target has never touched: zeros, or left out and said so.
        let text = format!(
            "_probe _oneshot {{ long sum = 0; for (long i = 0; i < 4096; i++) sum += *(unsigned char *)({middle} + i * 65536); printf(\"%ld\\n\", sum); }}"
        );
        let result = run_text(&text, nginx.worker, &more);
        match result.status {
            Some(0) => assert_eq!(result.stdout, "0\n", "{mode}: {result}"),
            _ => assert!(result.stderr.contains("PARTIAL"), "{mode}: {result}"),
        }
        assert_same(
            memory_figures(nginx.worker),
            &before,
            &format!("the zone in mode {mode}: {result}"),
        );
    }
    assert_same(memory_figures(nginx.master), &master, "the master");
    eprintln!("kB before and after: {before:?}");
    assert_untouched(nginx.worker);
}

/// USR1 during runs: each time every process opens its log anew.
#[test]
fn log_rotation_during_runs() {
    let Some(nginx) = nginx("log_rotation_during_runs", &["--access-log"], 4_000) else {
        return;
    };
    let log = nginx.prefix.join("logs/access.log");
    let worker = nginx.worker.to_string();
    // Whether the worker writes to the file that has the log's name now.
    let reopened = || {
        let Ok(named) = std::fs::metadata(&log) else {
            return false;
        };
        std::fs::read_dir(format!("/proc/{worker}/fd"))
            .unwrap()
            .flatten()
            .filter_map(|entry| std::fs::metadata(entry.path()).ok())
            .any(|open| (open.dev(), open.ino()) == (named.dev(), named.ino()))
    };
    assert!(reopened());
    for round in 0..20 {
        let mode = ["auto", "stop", "live"][round % 3];
        let child = start(&[
            "run",
            LUA_GC,
            "-p",
            &worker,
            "--mode",
            mode,
            "--max-pause",
            "5s",
        ]);
        // Several rotations in each run.
        for part in 0..3 {
            std::fs::rename(&log, log.with_extension(format!("{round}.{part}"))).unwrap();
            nginx.verb("reopen");
            wait_for("the worker's new log", reopened);
            assert_eq!(nginx.get("/ping"), "pong");
        }
        let result = finish_child(child).expect_status(0);
        assert!(result.stderr.contains("complete"), "{result}");
    }
    let lines: usize = std::fs::read_dir(nginx.prefix.join("logs"))
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("access"))
        .map(|entry| {
            std::fs::read_to_string(entry.path())
                .unwrap()
                .matches("/ping")
                .count()
        })
        .sum();
    // The fixture's start asks once or more.
    assert!(lines > 60, "{lines} requests in the logs");
    assert_untouched(nginx.worker);
    assert_untouched(nginx.master);
}

/// HUP during runs: each time a new worker takes over and the old one goes, whatever ytrace does.
#[test]
fn reloads_during_runs() {
    let Some(nginx) = nginx("reloads_during_runs", &[], 0) else {
        return;
    };
    let mut statuses = std::collections::BTreeMap::new();
    for round in 0..20 {
        let old = workers(&nginx);
        let [worker] = old[..] else {
            panic!("one worker serves: {old:?}");
        };
        nginx.get("/fill?n=400");
        let mode = ["auto", "stop", "live"][round % 3];
        let pid = worker.to_string();
        let child = start(&[
            "run",
            LUA_GC,
            "-p",
            &pid,
            "--mode",
            mode,
            "--max-pause",
            "5s",
        ]);
        nginx.verb("reload");
        wait_for("the new worker", || {
            let now = workers(&nginx);
            !now.is_empty() && !now.contains(&worker)
        });
        let result = finish_child(child);
        wait_for("the end of the old worker", || !alive(worker));
        let all = format!("{}{}", result.stdout, result.stderr);
        let status = result.status.unwrap_or_else(|| panic!("{result}"));
        *statuses.entry(status).or_insert(0) += 1;
        match status {
            0 => assert!(all.contains("complete"), "{result}"),
            // It was gone before there was anything to show.
            2 => assert!(
                ["exited", "no process", "zombie"]
                    .iter()
                    .any(|word| all.contains(word)),
                "{result}"
            ),
            3 => assert!(all.contains("PARTIAL"), "{result}"),
            // A worker closes its Lua before it exits.
            1 => assert!(all.contains("no LuaJIT machine found"), "{result}"),
            other => panic!("status {other}: {result}"),
        }
        assert_eq!(nginx.get("/ping"), "pong");
    }
    eprintln!("exit statuses of 20 runs with a reload in each: {statuses:?}");
    let log = std::fs::read_to_string(nginx.prefix.join("logs/error.log")).unwrap();
    for word in ["[alert]", "[emerg]", "[crit]", "[error]"] {
        assert!(!log.contains(word), "{log}");
    }
    assert_untouched(nginx.master);
}

const ENDLESS: &str = "_probe _oneshot { printf(\"started\\n\"); for (;;) { } }";

/// Runs something endless, lets the caller act once it has started, and returns how it ended.
fn during_a_run(worker: i32, act: impl FnOnce()) -> ytrace_tests::program::Finished {
    let pid = worker.to_string();
    // What it prints comes at once only where no learning run goes before.
    let mut child = start(&[
        "run",
        "-e",
        ENDLESS,
        "-p",
        &pid,
        "--timeout",
        "3s",
        "--mode",
        "live",
    ]);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");
    act();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    finish_child(child)
}

/// The worker exits during the run: the result is partial and names the workers that took over.
#[test]
fn a_worker_that_exits_names_its_successors() {
    let Some(nginx) = nginx("a_worker_that_exits_names_its_successors", &[], 0) else {
        return;
    };
    let old = nginx.worker;
    let result = during_a_run(old, || {
        nginx.verb("reload");
        wait_for("the end of the old worker", || {
            !alive(old) && !workers(&nginx).is_empty()
        });
    })
    .expect_status(3);
    let new = workers(&nginx);
    assert!(!new.is_empty() && !new.contains(&old));
    result.says(&["PARTIAL", "exited", "next:"]);
    for pid in new {
        result.says(&[&format!("-p {pid}")]);
    }
}

/// A worker that has begun to shut down, and finishes a request first, says so and names the others.
#[test]
fn a_worker_that_shuts_down_says_so() {
    let Some(nginx) = nginx("a_worker_that_shuts_down_says_so", &[], 200) else {
        return;
    };
    let old = nginx.worker;
    // Half a request keeps the old worker.
    let mut connection = TcpStream::connect(("127.0.0.1", nginx.port)).unwrap();
    connection.write_all(b"GET /ping HTTP/1.1\r\n").unwrap();
    assert_eq!(nginx.get("/ping"), "pong");
    let leaving = || {
        std::fs::read_to_string(format!("/proc/{old}/cmdline"))
            .is_ok_and(|title| title.contains("shutting down"))
    };
    let result = during_a_run(old, || {
        nginx.verb("reload");
        wait_for("the old worker's farewell", || {
            leaving() && !workers(&nginx).is_empty()
        });
    })
    .expect_status(3);
    result.says(&["shut down", "next:"]);
    let new = workers(&nginx);
    assert_eq!(new.len(), 1);
    result.says(&[&format!("-p {}", new[0])]);

    // From the first: its role, and a result that is whole.
    let result = run_lua_gc(old, &[]).expect_status(0);
    assert!(result.stdout.contains("shutting down"), "{result}");
    result.says(&[&format!("-p {}", new[0])]);
    let list = ytrace_tests::program::run(&["ps", "nginx"]).expect_status(0);
    let pid = old.to_string();
    let line = list
        .stdout
        .lines()
        .find(|line| line.split_whitespace().next() == Some(&pid));
    assert!(
        line.is_some_and(|line| line.contains("shutting down")),
        "{list}"
    );

    // The request that it kept is still answered.
    connection
        .write_all(b"Host: fixture\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(
        answer.contains("200 OK") && answer.contains("pong"),
        "{answer}"
    );
    wait_for("the end of the old worker", || !alive(old));
}
