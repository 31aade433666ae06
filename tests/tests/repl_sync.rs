//! `ytrace repl --sync` and `--pending`: probes that stop threads, and probes on what is not loaded yet.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use tempfile::TempDir;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::processes::{Stopped, assert_let_go, assert_untouched};
use ytrace_tests::program::{command, run};

/// Does as many calls as it is told, a line of its input each, and then counts them for itself; `load` loads a library.
const PROGRAM: &str = r#"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
long done;
int value = 7;
double (*third)(double);
__attribute__((noinline)) void work(int *n) { __asm__ volatile("" ::: "memory"); value = *n; }
#define STEP(n) __attribute__((noinline)) void step_##n(void) { __asm__ volatile("" ::: "memory"); }
STEP(1) STEP(2) STEP(3) STEP(4) STEP(5)
int main(void) {
    char line[64];
    puts("READY");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (!strncmp(line, "load", 4)) {
            third = dlsym(dlopen("libm.so.6", RTLD_NOW), "cbrt");
        } else if (!strncmp(line, "third", 5)) {
            value = (int)third(27);
        } else
            for (int n = 0; n < atoi(line); n++) {
                work(&n);
                step_1(); step_2(); step_3(); step_4(); step_5();
                __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
            }
    }
    return 0;
}
"#;

fn program() -> (Waiting, TempDir) {
    Waiting::compiled("worker", PROGRAM, &["-O1", "-g", "-ldl"])
}

/// A prompt without a terminal.
struct Prompt {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Prompt {
    fn start(pid: i32, more: &[&str]) -> Self {
        let pid = pid.to_string();
        let mut arguments = vec!["repl", "-p", &pid];
        arguments.extend(more);
        let mut child = command(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn say(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The next line that is printed.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }

    /// Asks until the answer is this.
    #[track_caller]
    fn ask_until(&mut self, line: &str, expected: &str) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            self.say(line);
            let answer = self.line();
            if answer.ends_with(expected) {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "{answer}");
        }
    }

    /// Ends it; what it said besides.
    fn end(self) -> String {
        self.end_with_status().0
    }

    /// The same, and its exit status.
    fn end_with_status(mut self) -> (String, Option<i32>) {
        drop(self.input.take());
        let mut said = String::new();
        let errors = self.child.stderr.as_mut().unwrap();
        std::io::Read::read_to_string(errors, &mut said).unwrap();
        (said, self.child.wait().unwrap().code())
    }
}

#[test]
fn a_thread_stands_still_while_its_handler_runs() {
    let (mut target, _folder) = program();
    let pid = target.pid();
    let mut prompt = Prompt::start(pid, &["--sync", "--max-pause", "5s"]);
    prompt.say("long calls, wrong;");
    // What the pointer leads to is that of the hit only if the thread stands still.
    prompt.say("_probe work(int *n) { if (*n != calls) wrong++; calls++; }");
    prompt.say("printf(\"there\\n\");");
    assert_eq!(prompt.line(), "there\n");
    target.say("500");
    prompt.ask_until("calls", "= 500\n");
    prompt.say("wrong");
    assert!(prompt.line().ends_with("= 0\n"));
    // One tracer at a time.
    for line in [
        "_probe work { }",
        ":freeze",
        "bt",
        "count used",
        ":detach",
        "bt 1",
    ] {
        prompt.say(line);
    }
    assert!(prompt.line().starts_with("#0"));
    let said = prompt.end();
    assert_eq!(
        said.matches("probe 1 stops threads of the target").count(),
        4,
        "{said}"
    );
    assert!(
        said.contains("`:detach 1` takes the probe away")
            && said.contains("500 hits at 1 place, 500 stops"),
        "{said}"
    );
    assert_untouched(pid);
}

#[test]
fn a_long_line_holds_no_thread_for_longer_than_a_pause() {
    let (mut target, _folder) = program();
    let pid = target.pid();
    let mut prompt = Prompt::start(pid, &["--sync", "--max-pause", "20ms"]);
    prompt.say("long calls;");
    prompt.say("_probe work(int *n) { calls++; }");
    prompt.say("printf(\"there\\n\");");
    assert_eq!(prompt.line(), "there\n");
    // A line that runs until all calls are done, though no handler can run meanwhile.
    prompt.say("printf(\"busy\\n\"); while (1) { long n = 0; for (long i = 0; i < 1000000; i++) n += i; if (n < 0) break; }");
    assert_eq!(prompt.line(), "busy\n");
    target.say("2000");
    let mut watch = Prompt::start(pid, &[]);
    watch.ask_until("done", "= 2000\n");
    watch.end();
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(prompt.child.id() as i32),
        nix::sys::signal::Signal::SIGINT,
    )
    .unwrap();
    let said = prompt.end();
    assert!(
        said.contains("stops had no handler run: ytrace came to them so late"),
        "{said}"
    );
    assert_let_go(pid);
}

#[test]
fn stops_that_nobody_came_to_are_told_before_the_end() {
    let (mut target, _folder) = program();
    let pid = target.pid();
    let mut prompt = Prompt::start(pid, &["--sync", "--max-pause", "20ms"]);
    prompt.say("long calls[int];");
    prompt.say("_probe work(int *n) { calls[1]++; }");
    prompt.say("printf(\"there\\n\");");
    assert_eq!(prompt.line(), "there\n");
    let stopped = Stopped::new(i32::try_from(prompt.child.id()).unwrap());
    target.say("100");
    let mut watch = Prompt::start(pid, &[]);
    watch.ask_until("done", "= 100\n");
    watch.end();
    drop(stopped);
    prompt.ask_until(":probes", "0 hits, 100 lost\n");
    prompt.say(":view table calls");
    prompt.say("printf(\"end\\n\");");
    let mut shown = String::new();
    loop {
        let line = prompt.line();
        if line == "end\n" || line.is_empty() {
            break;
        }
        shown.push_str(&line);
    }
    let (said, status) = prompt.end_with_status();
    assert_eq!(status, Some(3), "{said}");
    assert!(
        shown.contains("stops had no handler run") || said.contains("probe 1: 100 stops had no"),
        "{shown} {said}"
    );
    assert_untouched(pid);
}

#[test]
fn a_prompt_that_is_killed_leaves_no_breakpoint() {
    let (mut target, _folder) = program();
    let pid = target.pid();
    let mut done = 0;
    for round in 0..ytrace_tests::processes::rounds(10) {
        let mut prompt = Prompt::start(pid, &["--sync"]);
        prompt.say("long calls;");
        // Of more places than the processor has registers for the breakpoints are in the text.
        prompt.say(match round % 4 {
            0 | 1 => "_probe work(int *n) -> _void { calls++; }",
            _ => "_probe `step_*` { calls++; }",
        });
        prompt.say("printf(\"there\\n\");");
        assert_eq!(prompt.line(), "there\n");
        target.say("1000");
        if round % 2 == 0 {
            // In the midst of hits.
            prompt.ask_until("calls > 10", "= 1\n");
        }
        prompt.child.kill().unwrap();
        prompt.child.wait().unwrap();
        done += 1000;
        let mut watch = Prompt::start(pid, &[]);
        watch.ask_until("done", &format!("= {done}\n"));
        watch.end();
        assert_let_go(pid);
    }
    assert_untouched(pid);
}

#[test]
fn a_probe_waits_for_a_library() {
    let (mut target, _folder) = program();
    let pid = target.pid();
    let refused = run(&["repl", "-p", &pid.to_string(), "-e", "_probe cbrt { }"]);
    refused.expect_status(1).says(&["no function `cbrt`"]);
    let mut prompt = Prompt::start(pid, &["--pending"]);
    prompt.say("long calls;");
    prompt.say("_probe libm.so.6::cbrt { calls++; }");
    prompt.say("printf(\"there\\n\");");
    assert_eq!(prompt.line(), "there\n");
    target.say("load");
    // It is probed within milliseconds, of which the line that names the probes tells.
    prompt.say("");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    prompt.say("printf(\"%d\\n\", third != 0);");
    while prompt.line() != "1\n" {
        assert!(std::time::Instant::now() < deadline);
        prompt.say("printf(\"%d\\n\", third != 0);");
    }
    // Until a call is seen: those before that came too early.
    target.say("third");
    prompt.say("calls > 0");
    while !prompt.line().ends_with("= 1\n") {
        assert!(std::time::Instant::now() < deadline);
        target.say("third");
        prompt.say("calls > 0");
    }
    let said = prompt.end();
    assert!(
        said.contains("1 more places are probed, in libm.so.6"),
        "{said}"
    );
    assert_untouched(pid);
    // The two do not go together.
    let wrong = run(&["repl", "-p", &pid.to_string(), "--sync", "--pending"]);
    assert!(
        wrong
            .expect_status(2)
            .stderr
            .contains("cannot be used with"),
        "clap says so"
    );
}

#[test]
fn a_line_tells_what_the_probes_of_its_variables_have_lost() {
    let (mut target, _folder) = program();
    let pid = target.pid();
    let mut prompt = Prompt::start(pid, &["--sync", "--json", "--max-pause", "20ms"]);
    prompt.say("long calls, others;");
    prompt.say("long twice(void) { return calls * 2; }");
    prompt.say("_probe work(int *n) { calls++; }");
    prompt.say("printf(\"there\\n\");");
    assert!(prompt.line().contains("there"));
    let stopped = Stopped::new(i32::try_from(prompt.child.id()).unwrap());
    target.say("100");
    let mut watch = Prompt::start(pid, &[]);
    watch.ask_until("done", "= 100\n");
    watch.end();
    drop(stopped);
    let mut ask = |line: &str| {
        prompt.say(line);
        let answer: serde_json::Value = serde_json::from_str(&prompt.line()).unwrap();
        answer
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while ask(":probes")["lost"] != 100 {
        assert!(std::time::Instant::now() < deadline);
    }
    for line in ["calls", "twice()"] {
        let answer = ask(line);
        assert_eq!(answer["partial"], true, "{answer}");
        let why = answer["reasons"][0].as_str().unwrap();
        assert!(why.starts_with("probe 1: "), "{answer}");
    }
    let answer = ask("others");
    assert!(answer.get("partial").is_none(), "{answer}");
    let (said, status) = prompt.end_with_status();
    assert_eq!(status, Some(3), "{said}");
}
