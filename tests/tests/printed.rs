//! What a probe prints, and what is said of a command that ended badly.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use ytrace_tests::program::{command, finish_child, run};

/// Runs a text on a command.
fn on_command(text: &str, program: &str, more: &[&str]) -> ytrace_tests::program::Finished {
    let mut arguments = vec!["run", "-e", text, "-c", program];
    arguments.extend(more);
    run(&arguments)
}

#[test]
fn printed_text_reaches_pipes_and_files_byte_for_byte() {
    let line = format!("a\\tb {}\\n", "long words ".repeat(30));
    let wanted = format!("a\tb {}\n", "long words ".repeat(30));
    let plain = format!("_probe _oneshot {{ printf(\"{line}\"); }}");
    let found = on_command(&plain, "/bin/true", &[]).expect_status(0);
    assert_eq!(found.stdout, wanted);
    let view = format!(
        "_view bars \"Numbers\" \"n\" long n[long]; _probe _oneshot {{ n[1] = 1; printf(\"{line}\"); }}"
    );
    let found = on_command(&view, "/bin/true", &[]).expect_status(0);
    assert!(found.stdout.contains(&wanted), "{found}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.txt");
    on_command(&view, "/bin/true", &["-o", file.to_str().unwrap()]).expect_status(0);
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.contains(&wanted), "{written}");
}

#[test]
fn a_file_is_not_written_line_by_line() {
    // Each write to a socket of datagrams is a message of its own.
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let text = "_probe _oneshot { for (int i = 0; i < 500; i++) printf(\"%d\\n\", i); } _probe _end { puts(\"end\"); }";
    let child = command(&["run", "-e", text, "-c", "/bin/true"])
        .stdout(Stdio::from(OwnedFd::from(theirs)))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let finished = finish_child(child).expect_status(0);
    ours.set_nonblocking(true).unwrap();
    let mut whole = Vec::new();
    let mut writes = 0;
    let mut buffer = vec![0; 1 << 20];
    while let Ok(length) = ours.recv(&mut buffer) {
        if length == 0 {
            break;
        }
        writes += 1;
        whole.extend_from_slice(&buffer[..length]);
    }
    let wanted: String = (0..500).map(|i| format!("{i}\n")).collect();
    assert_eq!(String::from_utf8(whole).unwrap(), wanted + "end\n");
    // One of each handler, and perhaps an empty one at the end.
    assert!(writes <= 3, "{writes} writes; {finished}");
}

#[test]
fn commands_that_end_badly_are_told_of() {
    let text = "_probe _oneshot { puts(\"seen\"); }";
    let found = on_command(text, "/bin/false", &[]).expect_status(0);
    assert_eq!(found.stdout, "seen\n");
    found.says(&["warning: `/bin/false` failed with exit status 1"]);
    let killed = on_command(text, "/bin/sh -c 'kill -SEGV $$'", &[]).expect_status(0);
    killed.says(&["was killed by signal 11 (SIGSEGV)"]);
    let well = on_command(text, "/bin/true", &[]).expect_status(0);
    assert!(!well.stderr.contains("warning"), "{well}");
}

#[test]
fn the_probes_own_failure_is_status_1_and_what_was_gathered_is_shown() {
    let text =
        "_view bars \"Numbers\" \"n\" long n[long]; _probe _oneshot { n[1] = 77; *(int *) 8; }";
    let found = on_command(text, "/bin/true", &[]).expect_status(1);
    assert!(found.stdout.contains("77"), "{found}");
    found.says(&["PARTIAL"]);
    let text =
        "_view bars \"Numbers\" \"n\" long n[long]; _probe _oneshot { n[1] = 77; for (;;) ; }";
    let found = on_command(text, "/bin/true", &["--steps", "1000"]).expect_status(3);
    assert!(found.stdout.contains("77"), "{found}");
    let text = "_view bars \"Numbers\" \"n\" long n[long]; _probe _oneshot { n[1] = 77; _error(\"no %d\", 5); }";
    let found = on_command(text, "/bin/true", &[]).expect_status(1);
    assert!(found.stdout.contains("77"), "{found}");
    found.says(&["error: no 5", "PARTIAL"]);
}

#[test]
fn as_many_rows_as_were_asked_for() {
    let text = "_view table \"Rows\" \"n\" long n[]; _probe _oneshot { for (int i = 0; i < 9; i++) _push(n, 100 + i); }";
    for rows in ["1", "2", "3"] {
        let found = on_command(text, "/bin/true", &["--rows", rows]).expect_status(0);
        let numbers = found
            .stdout
            .lines()
            .filter_map(|line| line.split_whitespace().last()?.parse::<i64>().ok());
        let shown = numbers.filter(|number| (100..109).contains(number)).count();
        assert_eq!(shown, rows.parse::<usize>().unwrap(), "{found}");
        let hidden = 9 - shown;
        assert!(
            found
                .stdout
                .contains(&format!("({hidden} more rows not shown")),
            "{found}"
        );
    }
}
