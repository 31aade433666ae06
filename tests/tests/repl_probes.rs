//! Probes that are attached at the prompt, and the target's changes and end while it is looked at.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use ytrace_tests::compile;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::{command, run};
use ytrace_tests::pty::Terminal;

/// Does as many calls as it is told, a line of its input each; `load` loads a library, `exec` executes itself anew.
const PROGRAM: &str = r#"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct request { int id; const char *name; };
struct wide { unsigned __int128 large; int low : 3, high : 29; };
struct wide wide = { ((unsigned __int128) 1 << 100) + 255, -1, 5 };
struct request request = { 7, "seven" };
_Thread_local int own = 1;
static pthread_barrier_t barrier;
__attribute__((noinline)) long work(struct request *request, int n) {
    __asm__ volatile("" ::: "memory");
    return request->id + n;
}
static void *other(void *none) {
    own = 2;
    pthread_barrier_wait(&barrier);
    for (;;) pause();
    return none;
}
int main(int count, char **arguments) {
    pthread_t thread;
    char line[64];
    pthread_barrier_init(&barrier, 0, 2);
    pthread_create(&thread, 0, other, 0);
    pthread_barrier_wait(&barrier);
    if (count == 1) {
        puts("READY");
        fflush(stdout);
    }
    while (fgets(line, sizeof line, stdin)) {
        if (!strncmp(line, "load", 4)) dlopen("libm.so.6", RTLD_NOW);
        else if (!strncmp(line, "exec", 4)) execl(arguments[0], arguments[0], "again", (char *) 0);
        else for (int n = 0; n < atoi(line); n++) work(&request, n);
    }
    return 0;
}
"#;

fn program() -> (Waiting, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["-O1", "-g", "-pthread", "-ldl"];
    let program = compile(folder.path(), "worker", PROGRAM, &flags);
    (Waiting::start(&mut Command::new(&program)), folder)
}

const PROMPT: &str = "(ytrace) ";

/// A user at the prompt.
struct User(Terminal);

impl User {
    fn start(pid: i32, folder: &Path) -> Self {
        let mut command = command(&["repl", "--max-pause", "5s", "-p", &pid.to_string()]);
        command
            .env("XDG_STATE_HOME", folder)
            .env("TERM", "xterm")
            .env_remove("COLUMNS");
        let mut terminal = Terminal::start(&command, 100);
        terminal.expect(PROMPT);
        Self(terminal)
    }

    #[track_caller]
    fn ask(&mut self, line: &str) -> String {
        self.0.ask(line, PROMPT)
    }

    /// Asks until the answer has a text in it.
    #[track_caller]
    fn ask_until(&mut self, line: &str, text: &str) -> String {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let answer = self.ask(line);
            if answer.contains(text) {
                return answer;
            }
            assert!(
                std::time::Instant::now() < deadline,
                "{text} does not come: {answer}"
            );
        }
    }
}

#[test]
fn a_probe_is_attached_beside_the_line_that_is_typed() {
    let (mut target, folder) = program();
    let mut user = User::start(target.pid(), folder.path());
    user.ask("long calls; long by[int]; int wanted = 3;");
    user.0
        .send("_probe work(struct request *r, int n) -> long v {\r");
    user.0
        .send("calls++; by[n % 3]++; if (n == wanted) printf(\"%d %s %ld\\n\", n, r->name, v);\r");
    user.0.send("}\r");
    user.0
        .expect("probe 1 (work(struct request *r, int n) -> long v) is attached at 1 place");
    user.0.expect(PROMPT);
    // What is being typed stays, and what is printed comes above it.
    user.0.send("calls * 2 + ");
    user.0.expect("calls * 2 + ");
    target.say("9");
    user.0.expect("3 seven 10\n");
    user.0.expect("calls * 2 + ");
    user.ask("0");
    user.ask_until("calls", "= 9\n");
    let by = user.ask("by");
    assert!(by.contains("{[0] = 3, [1] = 3, [2] = 3}"), "{by}");
    // A variable of a line is one of the probe's.
    user.ask("wanted = 1; calls = 100; by[7] = 1;");
    target.say("2");
    user.0.expect("1 seven 8\n");
    user.ask_until("calls", "= 102\n");
    let by = user.ask("by");
    assert!(by.contains("[7] = 1"), "{by}");
    let taken = user.ask("int calls;");
    assert!(taken.contains("`calls` is used by probe 1"), "{taken}");
    let listed = user.ask(":probes");
    assert!(listed.contains("11 hits, 0 lost"), "{listed}");
    // A timer, and Ctrl-C, which takes none of them away.
    user.ask("long ticks;");
    let timer = user.ask("probe _timer.ms(10) { ticks++; }");
    assert!(
        timer.contains("probe 2 (_timer.ms(10)) is attached"),
        "{timer}"
    );
    user.0.send("given up\x03");
    user.0.expect(&format!("\n{PROMPT}"));
    user.ask_until("ticks > 3", "= 1\n");
    // As a file.
    let file = folder.path().join("saved.y");
    user.ask(&format!(":save {}", file.display()));
    let saved = std::fs::read_to_string(&file).unwrap();
    assert!(
        saved.contains("_probe _timer.ms(10)") && saved.contains("_probe _end {"),
        "{saved}"
    );
    run(&[
        "check",
        file.to_str().unwrap(),
        "-p",
        &target.pid().to_string(),
    ])
    .expect_status(0);
    let gone = user.ask(":detach 2");
    assert!(
        gone.contains("probe 2 (_timer.ms(10)) is detached"),
        "{gone}"
    );
    user.0.send("\x04");
    user.0.expect("is detached");
    user.0.expect("11 hits at 1 place, 0 lost");
    assert!(user.0.wait().success());
    assert_untouched(target.pid());
}

#[test]
fn a_handler_that_ends_its_probe_is_the_last_and_faults_are_counted() {
    let (mut target, folder) = program();
    let mut user = User::start(target.pid(), folder.path());
    user.ask("long calls; long others;");
    user.ask("_probe work { others++; }");
    user.ask("_probe work { calls++; if (calls == 1) _exit(); }");
    target.say("3000");
    user.0
        .expect("probe 2 (work) is detached, for it called `_exit()`");
    user.0.expect(PROMPT);
    user.ask_until("others", "= 3000\n");
    let calls = user.ask("calls");
    assert!(calls.contains("= 1\n"), "{calls}");
    user.ask("_probe work { calls++; _error(\"no more\"); }");
    target.say("3000");
    user.0
        .expect("probe 3 (work) is detached, for it called `_error()`: no more");
    user.0.expect(PROMPT);
    user.ask_until("others", "= 6000\n");
    let calls = user.ask("calls");
    assert!(calls.contains("= 2\n"), "{calls}");
    // A fault, then ten times as many, then all of them.
    user.ask("_probe work(struct request *r, int n) { calls = 1 / (n - n); }");
    target.say("1");
    user.0.expect("probe 4: division by zero");
    target.say("36");
    user.0.expect(" times");
    user.ask_until("others", "= 6037\n");
    user.0.send(":detach 4\r");
    user.0.expect(", 37 times");
    user.0.expect(PROMPT);
    user.0.send("\x04");
    assert!(user.0.wait().success());
    assert_untouched(target.pid());
}

#[test]
fn the_end_of_the_target_is_told_and_leaves_what_was_found() {
    let (mut target, folder) = program();
    let mut user = User::start(target.pid(), folder.path());
    user.ask("long calls; request.id");
    user.ask("_probe work { calls++; }");
    target.say("5");
    user.ask_until("calls", "= 5\n");
    user.ask(":freeze");
    drop(target);
    user.0.expect("is detached, for the target has ended");
    user.0.expect(PROMPT);
    let frozen = user.ask("request");
    assert!(
        frozen.contains("name = ") && frozen.contains("\"seven\""),
        "{frozen}"
    );
    user.ask(":thaw");
    let kept = user.ask("calls + $1");
    assert!(kept.contains("= 12\n"), "{kept}");
    let types = user.ask("ptype struct request");
    assert!(types.contains("int id;"), "{types}");
    for line in ["request.id", "x/4x &request", "bt"] {
        let wrong = user.ask(line);
        assert!(wrong.contains("exited"), "{line}: {wrong}");
        assert!(!wrong.contains("--mode"), "{line}: {wrong}");
    }
    let wrong = user.ask("_probe work { calls++; }");
    assert!(
        wrong.contains("exited") || wrong.contains("ended"),
        "{wrong}"
    );
    user.0.send("\x04");
    assert!(user.0.wait().success());
}

#[test]
fn lines_without_a_terminal_attach_probes_too() {
    let (target, folder) = program();
    let pid = target.pid().to_string();
    let finished = run(&[
        "repl",
        "-p",
        &pid,
        "-e",
        "long n;",
        "-e",
        "_probe _timer.ms(1) { if (++n == 3) printf(\"three\\n\"); if (n == 5) _exit(); }",
        "-e",
        ":wait 60s",
        "-e",
        "n",
        "-e",
        "_probe _oneshot { }",
        "-e",
        "_probe no_such_function { }",
        "-e",
        ":detach 4",
    ]);
    assert!(
        finished.stdout.contains("three\n") && finished.stdout.contains("= 5\n"),
        "{finished}"
    );
    for text in [
        "probe 1 (_timer.ms(1)) is detached, for it called `_exit()`",
        "`_oneshot` does nothing at the prompt",
        "no_such_function",
        "no probe is attached",
    ] {
        assert!(finished.stderr.contains(text), "{text}: {finished}");
    }
    assert!(!finished.stderr.contains("--sync"), "{finished}");
    // A core file has nothing to wait for.
    let core = folder.path().join("core");
    let made = Command::new("gcore")
        .args(["-o", core.to_str().unwrap(), &pid])
        .output()
        .unwrap();
    assert!(made.status.success());
    let core = format!("{}.{pid}", core.display());
    let finished = run(&["repl", "--core", &core, "-e", "_probe work { }"]).expect_status(1);
    assert!(finished.stderr.contains("needs a process"), "{finished}");
}

#[test]
fn a_thread_a_library_and_another_program_are_noticed() {
    let (mut target, folder) = program();
    let pid = target.pid();
    let mut user = User::start(pid, folder.path());
    assert!(user.ask("own").contains("= 1\n"));
    let threads = user.ask("info threads");
    let other = threads
        .lines()
        .filter_map(|line| line.trim_start_matches('*').split_whitespace().next())
        .filter_map(|word| word.parse::<i32>().ok())
        .find(|tid| *tid != pid)
        .unwrap();
    user.ask(&format!("thread {other}"));
    assert!(user.ask("own").contains("= 2\n"));
    user.ask(&format!("thread {pid}"));
    target.say("load");
    user.ask_until("1", "the target has loaded libm.so.6");
    let what = user.ask("info symbol cbrt");
    assert!(what.contains("cbrt"), "{what}");
    target.say("exec");
    user.ask_until("1", "the target executes another program now: worker");
    assert!(user.ask("request.id").contains("= 7\n"));
}

#[test]
fn numbers_instructions_and_what_is_typed_badly() {
    let (target, _folder) = program();
    let pid = target.pid().to_string();
    let lines = |more: &[&str], lines: &[&str]| {
        let mut arguments = vec!["repl", "--max-pause", "5s", "-p", &pid];
        arguments.extend(more);
        for line in lines {
            arguments.extend(["-e", line]);
        }
        run(&arguments)
    };
    let shown = lines(
        &[],
        &[
            "p/x wide",
            "p/x wide.low",
            "p/t wide.low",
            "p/d wide.low",
            "p wide.low",
            "p/d wide",
            "p/x wide.high",
            "x/s request.name",
            "x/3i work",
            "info symbol work",
            "ptype work",
            "x/2xb &request",
            "x",
        ],
    )
    .expect_status(0)
    .stdout;
    assert!(
        shown.contains("large = 0x100000000000000000000000ff") && shown.contains("low = 0x7"),
        "{shown}"
    );
    // A bit-field alone has its own width, and the sign of its type.
    for value in [
        "= 0x7\n",
        "= 0b111\n",
        "= -1\n",
        "low = -1, high = 5",
        "= 0x5\n",
    ] {
        assert!(shown.contains(value), "{value}: {shown}");
    }
    assert!(
        shown.contains(":\t\"seven\"\n") && !shown.contains("_fini"),
        "{shown}"
    );
    let code: Vec<&str> = shown
        .lines()
        .filter(|line| line.contains("<work+"))
        .collect();
    assert!(
        code.len() >= 3 && code.iter().any(|line| line.contains('%')),
        "{shown}"
    );
    assert!(
        shown.contains("type = long int work(struct request *request, int n)"),
        "{shown}"
    );
    assert!(
        shown.contains("0x07\t0x00\n") && shown.contains("<request+2>:\t0x00\n"),
        "{shown}"
    );
    // Nothing but what was typed is in an error.
    let wrong = lines(&[], &["foo(1", "int x = ;", "request.id +"])
        .expect_status(1)
        .stderr;
    assert!(
        !wrong.contains("_probe") && !wrong.contains(");"),
        "{wrong}"
    );
    assert!(
        wrong.contains("typed:3:12") && wrong.contains("found the end"),
        "{wrong}"
    );
    // All of JSON.
    let json = lines(
        &["--json"],
        &[
            "bt 1",
            "x/2xb &request",
            "printf(\"%d\\n\", 3);",
            "info threads",
        ],
    );
    let json = json.expect_status(0).stdout;
    let documents: Result<Vec<serde_json::Value>, _> =
        json.lines().map(serde_json::from_str).collect();
    let documents = documents.unwrap();
    assert_eq!(documents[0]["frame"], 0, "{json}");
    assert!(
        documents.iter().any(|one| one["printed"] == "3\n"),
        "{json}"
    );
    // A full disk.
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let status = command(&["repl", "-p", &pid, "-e", "1"])
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
    // A byte that is no text ends its line only.
    let mut bytes = command(&["repl", "-p", &pid])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut bytes.stdin.take().unwrap(), b"1 + \xff\n2 + 3\n").unwrap();
    let output = bytes.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "$1 = 5\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("byte 5 is not UTF-8"));
}

#[test]
fn files_that_lines_write_are_of_their_own() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (target, folder) = program();
    let pid = target.pid().to_string();
    let elsewhere = folder.path().join("elsewhere");
    std::fs::write(&elsewhere, "old").unwrap();
    std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o644)).unwrap();
    let link = folder.path().join("link");
    symlink(&elsewhere, &link).unwrap();
    let line = format!("1 > {}", link.display());
    run(&["repl", "-p", &pid, "-e", &line]).expect_status(0);
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "old");
    assert_eq!(std::fs::read_to_string(&link).unwrap(), "$1 = 1\n");
    let line = format!("2 >> {}", elsewhere.display());
    run(&["repl", "-p", &pid, "-e", &line]).expect_status(0);
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "old$1 = 2\n");
    for file in [&elsewhere, &link] {
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    std::fs::remove_file(&link).unwrap();
    symlink(&elsewhere, &link).unwrap();
    let line = format!("3 >> {}", link.display());
    let refused = run(&["repl", "-p", &pid, "-e", &line]).expect_status(1);
    assert!(refused.stderr.contains("symbolic link"), "{refused}");
}

#[test]
fn a_line_is_helped_while_it_is_typed() {
    let (target, folder) = program();
    let mut user = User::start(target.pid(), folder.path());
    // The prototype of what is called is shown beside it, and is not part of the line.
    user.0.send("p work(");
    user.0
        .expect("long int work(struct request *request, int n)");
    user.0.send("\x03");
    user.0.expect(PROMPT);
    user.0.send("#include <glibc/hea\t");
    user.0.expect("#include <glibc/heaps.y");
    user.0.send("\x03");
    user.0.expect(PROMPT);
    // Two lines at once.
    user.0.send("10 + 1\r20 + 2\r");
    user.0.expect("= 11\n");
    user.0.expect("= 22\n");
    user.0.expect(PROMPT);
    user.0.send("\x04");
    assert!(user.0.wait().success());
}
