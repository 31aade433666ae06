//! Small probes on a real nginx and on small C programs: what they print, where, and how they end.

use std::process::Command;

use ytrace_tests::fixtures::{Nginx, Waiting, directory, unavailable};
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::{command, finish, run, run_text};
use ytrace_tests::skip;

const CONNECTIONS: &str =
    "_probe _oneshot { printf(\"%d connections\\n\", ngx_cycle->connection_n); }";

fn nginx(test: &str) -> Option<Nginx> {
    if let Some(why) = unavailable("dwarf") {
        skip(test, &why);
        return None;
    }
    Some(Nginx::start("dwarf", &[]))
}

/// A C program with known data.
fn records(test: &str) -> Option<Waiting> {
    let program = directory().join("c/records");
    if !program.is_file() {
        skip(test, &format!("{} is missing", program.display()));
        return None;
    }
    Some(Waiting::start(&mut Command::new(program)))
}

#[test]
fn one_liners_on_nginx() {
    let Some(nginx) = nginx("one_liners_on_nginx") else {
        return;
    };
    for more in [
        &[][..],
        &["--interpret"],
        &["--mode", "live"],
        &["--mode", "stop"],
    ] {
        let result = run_text(CONNECTIONS, nginx.worker, more).expect_status(0);
        // As in the fixture's configuration. Data alone goes to standard output.
        assert_eq!(result.stdout, "1024 connections\n", "{more:?}");
        result.says(&["faults 0", "complete", "stopped"]);
        assert_untouched(nginx.worker);
    }

    let text = "_probe _oneshot { printf(\"%s|%d\\n\", ngx_cycle->conf_file.data, ngx_cycle->conf_file.len); }";
    let result = run_text(text, nginx.worker, &[]).expect_status(0);
    let path = nginx.prefix.join("nginx.conf");
    let path = path.to_str().unwrap();
    assert_eq!(result.stdout, format!("{path}|{}\n", path.len()));

    // The target's mappings are those that the kernel lists.
    let text = "_probe _oneshot { long n = 0; _foreach (m in _maps()) { n++; printf(\"%lx-%lx %s\\n\", m.start, m.end, m.perms); } printf(\"%ld\\n\", n); }";
    let result = run_text(text, nginx.worker, &[]).expect_status(0);
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", nginx.worker)).unwrap();
    for line in maps.lines().filter(|line| !line.contains("[vsyscall]")) {
        let (range, rest) = line.split_once(' ').unwrap();
        let permissions = &rest[..4];
        let (start, end) = range.split_once('-').unwrap();
        let wanted = format!(
            "{}-{} {permissions}",
            start.trim_start_matches('0'),
            end.trim_start_matches('0')
        );
        assert!(
            result.stdout.lines().any(|line| line == wanted),
            "no {wanted:?} in {result}"
        );
    }

    let result = run(&["ps", "nginx"]).expect_status(0);
    let worker = nginx.worker.to_string();
    let line = result
        .stdout
        .lines()
        .find(|line| line.split_whitespace().next() == Some(&worker))
        .unwrap_or_else(|| panic!("no worker in {result}"));
    assert!(
        line.contains("nginx worker") && line.contains("LuaJIT"),
        "{line}"
    );
    let master = nginx.master.to_string();
    assert!(
        result
            .stdout
            .lines()
            .any(|line| line.split_whitespace().next() == Some(&master)
                && line.contains("nginx master")),
        "no master in {result}"
    );

    let result = run(&["ps", "--json", "nginx"]).expect_status(0);
    let list: serde_json::Value = serde_json::from_str(&result.stdout).unwrap();
    let entry = list
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["pid"] == nginx.worker)
        .unwrap();
    assert_eq!(entry["process"], "nginx worker");
    assert_eq!(entry["readable"], true);
    assert!(entry["resident"].as_u64().unwrap() >= entry["private"].as_u64().unwrap());
    assert!(
        entry["runtimes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|name| name == "nginx")
    );

    run(&["ps", "no-such-program-anywhere"])
        .expect_status(2)
        .hints();
    assert_eq!(nginx.get("/ping"), "pong");
}

#[test]
fn faults_name_kind_address_and_place() {
    let Some(target) = records("faults_name_kind_address_and_place") else {
        return;
    };
    let text = "_probe _oneshot { printf(\"before\\n\"); printf(\"%d\\n\", *(int *)16); }";
    for more in [
        &[][..],
        &["--interpret"],
        &["--mode", "stop"],
        &["--mode", "live"],
    ] {
        let result = run_text(text, target.pid(), more).expect_status(1);
        assert_eq!(result.stdout, "before\n");
        result.says(&["unmapped", "0x10 ", "-e:1:", "PARTIAL", "faults 1"]);
    }
    let text = "long f(long n) { return 7 / n; } _probe _oneshot { printf(\"%ld\\n\", f(0)); }";
    for more in [&[][..], &["--interpret"]] {
        let result = run_text(text, target.pid(), more).expect_status(1);
        result.says(&["division", "-e:1:", "in f"]);
    }
    let text = "struct item_s *walk(struct item_s *p) { while (p) p = p->next; return p; } _probe _oneshot { walk((struct item_s *)wild); }";
    run_text(text, target.pid(), &[])
        .expect_status(1)
        .says(&["unmapped", "0x10 "]);
    assert_untouched(target.pid());
}

#[test]
fn probes_end_as_they_say() {
    let Some(target) = records("probes_end_as_they_say") else {
        return;
    };
    let result = run_text(
        "_probe _oneshot { printf(\"a\\n\"); _exit(); printf(\"b\\n\"); }",
        target.pid(),
        &[],
    );
    let result = result.expect_status(0);
    assert_eq!(result.stdout, "a\n");
    result.says(&["complete"]);

    let result = run_text(
        "_probe _oneshot { printf(\"a\\n\"); _error(\"no way\"); printf(\"b\\n\"); }",
        target.pid(),
        &[],
    );
    let result = result.expect_status(1);
    assert_eq!(result.stdout, "a\n");
    result.says(&["error", "no way"]);
    assert!(!result.stderr.contains("complete"), "{result}");

    for executor in [&[][..], &["--interpret"]] {
        for budget in [["--steps", "100000"], ["--timeout", "300ms"]] {
            let more: Vec<&str> = budget.iter().chain(executor).copied().collect();
            let result = run_text(
                "_probe _oneshot { printf(\"a\\n\"); for (;;) ; }",
                target.pid(),
                &more,
            )
            .expect_status(3);
            assert_eq!(result.stdout, "a\n");
            result.says(&["PARTIAL", budget[0]]);
        }
        // A cyclic list of the target's.
        let more: Vec<&str> = ["--timeout", "300ms"]
            .iter()
            .chain(executor)
            .copied()
            .collect();
        run_text(
            "_probe _oneshot { long n = 0; for (struct item_s *p = loop; p; p = p->next) n++; printf(\"%ld\\n\", n); }",
            target.pid(),
            &more,
        )
        .expect_status(3)
        .says(&["PARTIAL", "--timeout"]);
    }
    let result = run_text(
        "_probe _oneshot { for (;;) printf(\"0123456789\\n\"); }",
        target.pid(),
        &["--max-output", "1000"],
    )
    .expect_status(3);
    assert!(result.stdout.len() <= 1000, "{}", result.stdout.len());
    result.says(&["PARTIAL", "--max-output"]);
    let deep = "long f(long n) { return n ? f(n - 1) + 1 : 0; }
        _probe _oneshot { _try { printf(\"%ld\\n\", f(1000)); } _catch (e) { puts(e.kind); } }";
    run_text(deep, target.pid(), &["--max-stack", "8K"])
        .expect_status(3)
        .says(&["PARTIAL", "--max-stack"]);
    let result = run_text(deep, target.pid(), &["--max-stack", "1M"]).expect_status(0);
    assert_eq!(result.stdout, "1000\n");
    run_text(deep, target.pid(), &["--max-stack", "1G"])
        .expect_status(2)
        .says(&["256M at most"]);
    run_text(
        "long t[long]; _probe _oneshot { for (long i = 0; ; i++) t[i] = i; }",
        target.pid(),
        &["--memory", "1M"],
    )
    .expect_status(3)
    .says(&["PARTIAL", "--memory"]);
    assert_untouched(target.pid());
}

#[test]
fn colour_is_chosen() {
    let Some(target) = records("colour_is_chosen") else {
        return;
    };
    let pid = target.pid().to_string();
    let text = "_probe _oneshot { printf(\"%d\\n\", *(int *)16); }";
    let arguments = ["run", "-e", text, "-p", &pid];
    let escape = '\x1b';
    assert!(!run(&arguments).stderr.contains(escape), "NO_COLOR");
    // Standard error is no terminal here.
    let piped = finish(command(&arguments).env_remove("NO_COLOR"));
    assert!(!piped.stderr.contains(escape), "{piped}");
    let mut always = vec!["--color", "always"];
    always.extend(arguments);
    assert!(run(&always).stderr.contains(escape));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let Some(target) = records("a_reader_that_has_seen_enough_is_no_failure") else {
        return;
    };
    let text = "_probe _oneshot { for (long i = 0; i < 200000; i++) printf(\"%ld\\n\", i); }";
    let mut child =
        ytrace_tests::program::start(&["run", "-e", text, "-p", &target.pid().to_string()]);
    drop(child.stdout.take());
    let result = ytrace_tests::program::finish_child(child);
    assert!(!result.stderr.contains("panicked"), "{result}");
    assert!(result.status.is_some(), "{result}");
}

#[test]
fn tables_have_as_many_rows_and_the_order_that_was_asked_for() {
    let Some(target) = records("tables_have_as_many_rows_and_the_order_that_was_asked_for") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out.txt");
    let file = file.to_str().unwrap();
    let probe = "struct held { long number; long count; };
        _view table \"T\" \"\" struct held t[long];
        _probe _oneshot { for (long i = 0; i < 60; i++) { t[i].number = i; t[i].count = (i * 7) % 60; } }";
    let rows = |text: &str| -> Vec<Vec<String>> {
        let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        let lines = text.lines().skip_while(|line| !line.starts_with("key"));
        let lines = lines.skip(1).take_while(|line| {
            line.starts_with(' ') || line.starts_with(|c: char| c.is_ascii_digit())
        });
        lines.map(cells).collect()
    };
    let shown = |more: &[&str]| run_text(probe, target.pid(), more).expect_status(0);
    let result = shown(&[]);
    assert_eq!(rows(&result.stdout).len(), 25);
    let rest = "(35 more rows not shown; --rows 0 shows all)";
    assert!(result.stdout.contains(rest), "{result}");
    // What is said of the data is no part of them.
    assert!(!result.stdout.contains("complete"), "{result}");
    result.says(&["complete"]);
    assert_eq!(rows(&shown(&["--rows", "0"]).stdout).len(), 60);
    assert_eq!(rows(&shown(&["--rows", "10"]).stdout).len(), 10);
    shown(&["-o", file]);
    assert_eq!(rows(&std::fs::read_to_string(file).unwrap()).len(), 60);
    shown(&["-o", file, "--rows", "10"]);
    assert_eq!(rows(&std::fs::read_to_string(file).unwrap()).len(), 10);
    // 43 * 7 is 301, one more than five times 60.
    let result = shown(&["--weight", "count", "--rows", "0"]);
    let counts: Vec<i64> = rows(&result.stdout)
        .iter()
        .map(|row| row[2].parse().unwrap())
        .collect();
    assert_eq!(counts, (0..60).rev().collect::<Vec<i64>>());
    run_text(probe, target.pid(), &["--weight", "key"])
        .expect_status(2)
        .says(&["no view has a column `key`", "number, count"]);
    assert_untouched(target.pid());
}

#[test]
fn slips_on_the_command_line_are_explained() {
    let Some(target) = records("slips_on_the_command_line_are_explained") else {
        return;
    };
    let text = "_view flamegraph \"F\" \"bytes\" long t[_path]; _probe _oneshot { }";
    let slip = |more: &[&str], parts: &[&str]| {
        run_text(text, target.pid(), more)
            .expect_status(2)
            .says(parts);
    };
    slip(&["--timeout", "0"], &["a limit is more than 0"]);
    slip(
        &["--timeout", "-1s"],
        &["'--timeout <TIME>'", "expected a time"],
    );
    slip(&["--max-pause", "0ms"], &["a limit is more than 0"]);
    let result = run_text(text, target.pid(), &["-o", "/nonexistent/x.svg"]).expect_status(2);
    result.says(&["/nonexistent/x.svg: No such file or directory"]);
    assert!(!result.stderr.contains(".tmp"), "{result}");
    run_text(text, target.pid(), &["--max-pause", "100us"]).expect_status(0);
    let help = run(&["run", "--help"]);
    assert!(
        help.stdout
            .contains("<FILE | -e TEXT> <-p PID | -c COMMAND | --core FILE>"),
        "{help}"
    );
    assert_untouched(target.pid());
}
