//! What users get wrong, and what they are told of it.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::processes::{assert_untouched, signal, wait_for};
use ytrace_tests::program::{run, start};

const PROGRAM: &str = r#"
#include <stdio.h>
#include <stdlib.h>
typedef struct { int id; double w; } conf;
struct request { int id; } req = { 7 };
conf global = { 1, 2.0 };
volatile long counter;
static inline __attribute__((always_inline)) long tiny(long a) {
    long s = 0;
    for (long i = 0; i < a; i++)
        s += counter * a;
    return s;
}
__attribute__((noinline)) double scale(double x, float y) { __asm__ volatile(""); return x * y; }
__attribute__((noinline)) void *my_alloc(size_t n) { __asm__ volatile(""); return malloc(n); }
__attribute__((noinline)) void my_free(void *p) { __asm__ volatile(""); free(p); }
__attribute__((noinline)) void work(long n) { counter += tiny(n); }
__asm__(".pushsection .note.stapsdt,\"\",@note\n.balign 4\n.4byte 8, 2f-1f, 3\n.asciz \"stapsdt\"\n.balign 4\n1: .8byte probed\n"
        ".8byte 0\n.8byte 0\n.asciz \"app\"\n.asciz \"tick\"\n.asciz \"4@%edi\"\n2: .balign 4\n.popsection\n");
__attribute__((noinline)) void tick(int n) { __asm__ volatile("probed: nop" ::"D"(n)); }
int main(void) {
    char line[100];
    puts("READY");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        work(counter & 7);
        tick(counter);
        my_free(my_alloc(100));
        counter += scale(1, req.id) + global.id;
    }
}
"#;

fn target() -> (Waiting, TempDir) {
    Waiting::compiled("slips", PROGRAM, &["-g", "-O2", "-no-pie", "-fno-pie"])
}

/// Asserts how a run of a text ends, and what it says, however its lines are folded.
#[track_caller]
fn told(pid: i32, words: &[&str], status: i32, said: &[&str]) {
    let pid = pid.to_string();
    let finished = run(&[&["run", "-p", &pid], words].concat()).expect_status(status);
    let text = finished.stderr.split_whitespace();
    let text = text.collect::<Vec<&str>>().join(" ");
    for said in said {
        assert!(text.contains(said), "{said}: {finished}");
    }
    assert!(!text.contains("#define"), "{finished}");
}

#[test]
fn heads_that_find_nothing_are_explained() {
    let (target, _folder) = target();
    for (text, status, said) in [
        (
            "_probe tiny(long a) { }",
            1,
            &[
                "`tiny` is only inlined",
                "it is part of `work`",
                "_line(\"slips.c\", ",
            ][..],
        ),
        (
            "_probe _usdt(\"app:tik\") (n) { }",
            2,
            &[
                "no module of the target has the static probe app:tik",
                "did you mean `_usdt(\"app:tick\")`?",
            ],
        ),
        (
            "_probe _usdt(\"app:*\") (n) { }",
            1,
            &[
                "a static probe is named in full",
                "`app:*` is a pattern",
                "ytrace list -p PID 'app:*'",
            ],
        ),
        (
            "_probe _usdt(\"app:tick\") (n, m) { printf(\"%d\", n); }",
            2,
            &["app:tick: it has 1 argument, and the probe names 2"],
        ),
        (
            "_probe _usdt(\"app:tick\") (n) { printf(\"%d\", _arg(1)); }",
            2,
            &["`_arg(1)` is asked for, and what is probed has one argument, `_arg(0)`"],
        ),
        (
            "_probe _page_fault { printf(\"%d\", _arg(1)); }",
            2,
            &["`_arg(1)` is asked for, and what is probed has one argument"],
        ),
        (
            "_probe _line(\"slip.c\", 12) { }",
            2,
            &[
                "no module of the target has code for slip.c:12",
                "`_line(\"slips.c\", 12)`",
            ],
        ),
        (
            "_probe work(long n) { printf(\"%d\", _arg(1)); }",
            1,
            &[
                "`work` takes one argument that is an integer or a pointer",
                "this is 1, and they are counted from 0",
            ],
        ),
        (
            "_probe scale(double x) -> _void { printf(\"%f\", x); }",
            2,
            &[
                "a floating-point argument or result is in the vector register xmm0",
                "`--sync` stops the thread",
            ],
        ),
        (
            "_probe _line(\"slips.c\", 10) { printf(\"%d\", i); }",
            1,
            &[
                "unknown name `i`",
                "local variables of the target cannot be read by their names",
                "`_reg(\"rbx\")`",
            ],
        ),
        (
            "_probe scale(double x) { printf(\"%f\", x); }",
            2,
            &[
                "a floating-point argument or result is in the vector register xmm0",
                "`--sync` stops the thread",
            ],
        ),
        (
            "_probe wor* { }",
            1,
            &["a pattern stands in backquotes: `` _probe `wor*` ``"],
        ),
        (
            "_probe libc.so.6::mem* { }",
            1,
            &["a pattern stands in backquotes"],
        ),
        (
            "_probe *ork { }",
            1,
            &["a pattern stands in backquotes: `` _probe `*ork` ``"],
        ),
        (
            "_probe _oneshot { sruct request *r = 0; }",
            1,
            &["did you mean `struct` for `sruct`?"],
        ),
        (
            "int conf; _probe _oneshot { conf c; }",
            1,
            &["`conf` is no type here", "hides a type of the target"],
        ),
    ] {
        told(target.pid(), &["-e", text], status, said);
    }
    // What all of these are right about works.
    for text in [
        "_probe work(long n) { printf(\"%d\", _arg(0)); }",
        "_probe _usdt(\"app:tick\") (n) { printf(\"%d\", n); }",
        "_probe malloc { printf(\"%d\", _arg(0)); }",
    ] {
        told(
            target.pid(),
            &["-e", text, "--duration", "10ms"],
            0,
            &["0 lost"],
        );
    }
    assert_untouched(target.pid());
}

#[test]
fn options_that_make_no_sense_are_explained() {
    let (target, folder) = target();
    let leaks = "probes/c-memory-leak-fgraph.y";
    let own = ["--alloc", "my_alloc", "--release", "my_free"];
    let with = |more: &[&'static str]| [&[leaks, "--"], &own[..], more].concat();
    let picture = folder.path().join("x.svg");
    let picture = picture.to_str().unwrap();
    for (words, status, said) in [
        (
            vec![leaks, "--", "--every", "0"],
            1,
            &["--every is 0, and must be above 0"][..],
        ),
        (
            with(&["--size-argument", "1"]),
            1,
            &[
                "`my_alloc` takes one argument that is an integer or a pointer",
                "it is the option --size-argument",
            ],
        ),
        (
            with(&["--block-argument", "3"]),
            1,
            &[
                "`my_free` takes one argument",
                "it is the option --block-argument",
            ],
        ),
        (
            vec!["-e", "_probe work { }", "--max-probes", "0"],
            2,
            &["'--max-probes <N>'", "it must be above 0"],
        ),
        (
            vec!["-e", "_probe work { }", "-o", picture],
            2,
            &["the probe has no view, and .svg shows nothing else"],
        ),
    ] {
        told(target.pid(), &words, status, said);
    }
    assert!(!folder.path().join("x.svg").exists());
    assert_untouched(target.pid());
}

#[test]
fn the_second_signal_ends_what_nobody_reads() {
    let (mut target, _folder) = target();
    let pid = target.pid().to_string();
    let text = "_probe work { for (long n = 0; n < 100000; n++) printf(\"%d is a line\\n\", n); }";
    for stop in [Signal::SIGINT, Signal::SIGTERM] {
        // Its standard output is a pipe, which is not read here.
        let mut child = start(&["run", "-e", text, "-p", &pid]);
        let number = i32::try_from(child.id()).unwrap();
        let mut blocked: Option<Instant> = None;
        wait_for("it waits for its reader", || {
            target.say("go");
            let tasks = std::fs::read_dir(format!("/proc/{number}/task")).unwrap();
            let waits = tasks.flatten().any(|task| {
                let place = std::fs::read_to_string(task.path().join("wchan"));
                place.is_ok_and(|place| place.contains("pipe_write"))
            });
            match waits {
                true => blocked.get_or_insert_with(Instant::now).elapsed() > Duration::from_secs(1),
                false => {
                    blocked = None;
                    false
                }
            }
        });
        signal(number, stop);
        // Two that wait are one.
        wait_for("the first one is taken", || {
            let status = std::fs::read_to_string(format!("/proc/{number}/status"));
            status.is_ok_and(|status| status.contains("ShdPnd:\t0000000000000000"))
        });
        signal(number, stop);
        wait_for("it has ended", || child.try_wait().unwrap().is_some());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(target.running());
    }
    assert_untouched(target.pid());
}
