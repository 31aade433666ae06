//! What lines at the prompt are taken for, where their output goes, how they are interrupted, and with which status they end.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::{Finished, command, finish};
use ytrace_tests::prompt;
use ytrace_tests::pty::Terminal;

const PROGRAM: &str = r#"
#include <stdio.h>
struct node { int number; struct node *next, *other; };
struct four { long alpha, beta, gamma, delta; };
struct node last = { 3, (struct node *)16, 0 };
struct node first = { 1, &last, (struct node *)16 };
struct four four = { 1111111111, 2222222222, 3333333333, 4444444444 };
int width = 7;
int main(void) {
    puts("READY");
    fflush(stdout);
    return getchar() == 0;
}
"#;

fn program() -> (Waiting, TempDir) {
    Waiting::compiled("lines", PROGRAM, &["-O1", "-g"])
}

/// Lines that run in a folder.
fn lines(pid: i32, folder: &Path, more: &[&str], typed: &[&str]) -> Finished {
    let pid = pid.to_string();
    let words = [&["--max-pause", "5s", "-p", &pid], more].concat();
    let mut command = command(&prompt::arguments(&words, typed));
    finish(command.current_dir(folder))
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn statements_and_directives_are_no_redirections() {
    let (target, _folder) = program();
    let folder = tempfile::tempdir().unwrap();
    let said = lines(
        target.pid(),
        folder.path(),
        &[],
        &[
            "long flags = 1, n;",
            "flags = flags | 4;",
            "flags",
            "long m = flags | 8;",
            "m",
            "n = flags > 3;",
            "n",
            "#define BOTH 1 | 2",
            "BOTH",
            "n++; // flags > b",
            "n++; /* flags | b */",
            "n",
            "n = width > 6 ? 10 | 1 : 0; m = n | 16; m > 3",
            "long wide(void) { return 1; }",
            "long s = wide() | 6; s | 8",
            "3 | 4",
            "width > 6",
            "p width > 6",
        ],
    )
    .expect_status(0);
    let values: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(
        values,
        [
            "$1 = 5", "$2 = 13", "$3 = 1", "$4 = 3", "$5 = 3", "$6 = 1", "$7 = 15", "$8 = 7",
            "$9 = 1", "$10 = 1"
        ],
        "{said}"
    );
    assert!(names(folder.path()).is_empty(), "{said}");
    // A slip assigns nothing and runs nothing.
    let said = lines(
        target.pid(),
        folder.path(),
        &[],
        &[
            "long flags = 1;",
            "flags = 2 | touch made",
            "flags = 3 > made",
            "flags = flags_ | touch;",
            "long more = flags | touch made",
            "p flags = 4 | no_such",
            "flags",
        ],
    )
    .expect_status(1);
    assert_eq!(said.stdout, "$1 = 1\n", "{said}");
    assert!(names(folder.path()).is_empty(), "{said}");
    assert_untouched(target.pid());
}

#[test]
fn what_goes_elsewhere_still_does() {
    let (target, _folder) = program();
    let folder = tempfile::tempdir().unwrap();
    let said = lines(
        target.pid(),
        folder.path(),
        &[],
        &[
            "width | sed s/=/is/",
            "p width + 1 | cat > piped",
            "printf(\"a\\n\"); > out",
            "for (int i = 0; i < 2; i++) printf(\"%d\\n\", i | 4); >> out",
            "info threads > threads",
            "no_such > kept",
        ],
    )
    .expect_status(1);
    assert_eq!(said.stdout, "$1 is 7\n", "{said}");
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(text("piped"), "$2 = 8\n");
    assert_eq!(text("out"), "a\n4\n5\n");
    assert!(text("threads").contains("lines"));
    assert_eq!(names(folder.path()), ["out", "piped", "threads"]);
}

#[test]
fn a_file_of_lines_may_send_some_elsewhere() {
    let (target, _folder) = program();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("typed");
    std::fs::write(
        &file,
        "printf(\"one\\n\");\nprintf(\"two\\n\"); > inner\nprintf(\"three\\n\"); | cat >> inner\nprintf(\"four\\n\");\n",
    )
    .unwrap();
    let said = lines(target.pid(), folder.path(), &[], &["source typed > outer"]);
    let said = said.expect_status(0);
    assert_eq!(said.stdout, "");
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(text("outer"), "one\nfour\n");
    assert_eq!(text("inner"), "two\nthree\n");
}

#[test]
fn pointers_that_lead_nowhere_show_in_the_status() {
    let (target, folder) = program();
    let said = lines(target.pid(), folder.path(), &[], &["p+ first"]).expect_status(1);
    // The others are followed even so.
    assert!(said.stdout.contains("*next:"), "{said}");
    lines(target.pid(), folder.path(), &[], &["p+ four"]).expect_status(0);
}

#[test]
fn faults_of_handlers_show_in_the_status() {
    let (target, folder) = program();
    let status = |body: &str, wait: &str, status: i32| {
        let probe = format!("probe _timer.ms(1) {{ n++; {body} }}");
        let typed = ["long n;", &probe, wait];
        lines(target.pid(), folder.path(), &[], &typed).expect_status(status)
    };
    status("if (n > 5) _exit();", ":wait 60s", 0);
    status(
        "if (n == 3) n = 4 / (n - n); if (n > 5) _exit();",
        ":wait 60s",
        1,
    );
    status("if (n > 2) _error(\"enough\");", ":wait 60s", 1);
    // One that is attached until the end.
    let said = status("n = 1 / (n - n);", ":wait 500ms", 1);
    said.says(&["division by zero"]);
    assert_untouched(target.pid());
}

#[test]
fn documents_are_all_that_is_printed() {
    let (target, folder) = program();
    let pid = target.pid();
    let thread = format!("thread {pid}");
    for (line, member, stops) in [
        (thread.as_str(), "thread", false),
        ("thread", "chosen", false),
        ("info threads", "state", false),
        ("help", "command", false),
        ("help bt", "help", false),
        ("bt", "frame", true),
        ("bt 1", "left_out", true),
        ("x/2xg _reg(\"rsp\")", "value", true),
        ("x/s _reg(\"rsp\")", "value", true),
        ("x/2i _reg(\"rip\")", "value", true),
        ("info symbol _reg(\"rip\")", "lines", true),
        (":what _reg(\"rsp\")", "kind", true),
        ("p+ _reg(\"rsp\")", "text", true),
        (":freeze", "copied", true),
        ("long at = _reg(\"rsp\");", "pause_ns", true),
        ("printf(\"%d\\n\", _reg(\"rsp\") != 0);", "printed", true),
    ] {
        let said = lines(pid, folder.path(), &["--json"], &[line]).expect_status(0);
        let documents: Vec<Value> = said
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{said}")))
            .collect();
        let last = documents.last().unwrap_or_else(|| panic!("{said}"));
        assert!(last.get(member).is_some(), "{line}: {said}");
        assert_eq!(last.get("pause_ns").is_some(), stops, "{line}: {said}");
    }
    assert_untouched(pid);
}

#[test]
fn a_stack_that_is_cut_is_not_whole() {
    let flags = [
        "-O2",
        "-fomit-frame-pointer",
        "-fno-asynchronous-unwind-tables",
        "-fno-unwind-tables",
    ];
    let (target, folder) = Waiting::compiled("bare", PROGRAM, &flags);
    let said = lines(target.pid(), folder.path(), &["--json"], &["bt"]).expect_status(3);
    let last: Value = serde_json::from_str(said.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["partial"], true, "{said}");
    let why = last["reasons"][0].as_str().unwrap();
    assert!(why.starts_with("the stack ends here: "), "{said}");
    said.says(&["the stack ends here: "]);
    lines(target.pid(), folder.path(), &[], &["bt 1"]).expect_status(0);
}

/// Lines that run, and what they print.
struct Running {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(pid: i32, typed: &[&str]) -> Self {
        let pid = pid.to_string();
        let mut child = command(&prompt::arguments(&["-p", &pid], typed))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Interrupts it when it has printed a line.
    fn interrupt_after(&mut self, expected: &str) {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert_eq!(line, expected);
        let pid = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGINT).unwrap();
    }

    fn end(mut self) -> Finished {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.output.read_to_string(&mut stdout).unwrap();
        let errors = self.child.stderr.as_mut().unwrap();
        errors.read_to_string(&mut stderr).unwrap();
        Finished {
            status: self.child.wait().unwrap().code(),
            stdout,
            stderr,
        }
    }
}

const BUSY: &str = "printf(\"busy\\n\"); while (1) { long n = 0; for (long i = 0; i < 1000000; i++) n += i; if (n < 0) break; }";

#[test]
fn an_interrupt_ends_the_waiting_and_the_next_line_runs() {
    let (target, _folder) = program();
    let mut running = Running::start(
        target.pid(),
        &[
            "long n;",
            "probe _timer.ms(1) { if (++n == 2) printf(\"two\\n\"); }",
            ":wait 600s",
            "printf(\"after\\n\");",
        ],
    );
    running.interrupt_after("two\n");
    let said = running.end().expect_status(0);
    assert!(said.stdout.contains("after\n"), "{said}");
    assert_untouched(target.pid());
}

#[test]
fn lines_that_an_interrupt_keeps_from_running_are_told() {
    let (target, _folder) = program();
    let mut running = Running::start(target.pid(), &[BUSY, "1", "2"]);
    running.interrupt_after("busy\n");
    let said = running.end().expect_status(1);
    said.says(&["interrupted: 2 lines did not run"]);
    assert_eq!(said.stdout, "");
    let mut running = Running::start(target.pid(), &[]);
    let mut input = running.child.stdin.take().unwrap();
    input
        .write_all(format!("{BUSY}\n1\n2\n").as_bytes())
        .unwrap();
    running.interrupt_after("busy\n");
    let said = running.end().expect_status(1);
    drop(input);
    said.says(&["interrupted: what is left of standard input did not run"]);
    assert_eq!(said.stdout, "");
    assert_untouched(target.pid());
}

const PROMPT: &str = "(ytrace) ";

fn terminal(pid: i32, state: &Path, columns: u16) -> Terminal {
    let mut command = command(&["repl", "--max-pause", "5s", "-p", &pid.to_string()]);
    command
        .env("XDG_STATE_HOME", state)
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS");
    let mut terminal = Terminal::start(&command, columns);
    terminal.expect(PROMPT);
    terminal
}

#[test]
fn interrupts_are_for_the_program_that_has_the_terminal() {
    let (target, folder) = program();
    let mut user = terminal(target.pid(), folder.path(), 200);
    // As a pager, which takes an interrupt for what it does itself.
    user.send("width | (trap 'echo in\"\"t' INT; cat; echo pa\"\"ger; until read q </dev/tty; do :; done; echo do\"\"ne)\r");
    user.expect("pager");
    for _ in 0..8 {
        user.send("\x03");
        user.expect("int\n");
    }
    user.send("q\r");
    user.expect("done\n");
    user.expect(PROMPT);
    assert!(user.ask("width + 1", PROMPT).contains("= 8"));
    user.send("\x04");
    assert!(user.wait().success());
}

#[test]
fn only_what_all_names_begin_with_is_completed() {
    let names: String = (0..600)
        .map(|n| format!("int many_a_{n:04} = {n};\n"))
        .collect();
    let text = format!("{names}int many_b = 77;\n{PROGRAM}");
    let (target, folder) = Waiting::compiled("many", &text, &["-O1", "-g"]);
    let mut user = terminal(target.pid(), folder.path(), 100);
    user.send("man\t");
    user.expect("many_");
    user.send("b\r");
    let shown = user.expect("= 77\n");
    assert!(!shown.contains("many_a"), "{shown}");
    user.expect(PROMPT);
    user.send("many_\t\t");
    user.expect("Display all 501 possibilities");
    user.send("y");
    while !user.expect("\n").contains("… and more") {
        user.send(" ");
    }
    drop(user);
    assert_untouched(target.pid());
}

#[test]
fn answers_are_as_wide_as_the_terminal_is_now() {
    let (target, folder) = program();
    let mut user = terminal(target.pid(), folder.path(), 60);
    let narrow = user.ask("four", PROMPT);
    assert!(narrow.contains("{\n  alpha = 1111111111,\n"), "{narrow}");
    user.resize(140);
    let wide = user.ask("four", PROMPT);
    assert!(wide.contains("{alpha = 1111111111, beta = "), "{wide}");
    // What is typed has colours.
    user.ask("sizeof(width) + 3", PROMPT);
    let raw = user.raw();
    assert!(raw.contains("\x1b[35msizeof\x1b[0m("), "{raw}");
    user.send("\x04");
    assert!(user.wait().success());
}
