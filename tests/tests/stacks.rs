//! `_ubt`: the stacks of a real program's threads, through a signal handler, with frame pointers and without.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ytrace_tests::leaks::Leaks;
use ytrace_tests::processes::{assert_untouched, wait_for};
use ytrace_tests::program::run_text;
use ytrace_tests::tracing::Tracing;
use ytrace_tests::{compile, compile_file};

const STACKS: &str = r#"
_probe _oneshot {
    _foreach (t in _threads() _by t.tid)
        printf("%s-\n", _sym_ubt(_ubt(t.tid)));
}
"#;

/// The main thread of the program, from inside out: `read` within a handler of a signal that it sent to itself.
const MAIN: [&str; 11] = [
    "sleeper",
    "handler",
    "interrupted",
    "even",
    "odd",
    "even",
    "odd",
    "even",
    "odd",
    "even",
    "main",
];

struct Target(Child);

impl Target {
    /// Builds `tests/fixtures/c/stack.c` with these flags, starts it, and waits until both threads sleep.
    fn start(folder: &Path, flags: &[&str]) -> Self {
        let source = ytrace_tests::root().join("tests/fixtures/c/stack.c");
        let flags = [&["-pthread"], flags].concat();
        let program = compile_file(&source, folder, "stack", &flags);
        let mut child = Command::new(program)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let target = Self(child);
        let other: i32 = output.lines().next().unwrap().unwrap().parse().unwrap();
        for tid in [target.pid(), other] {
            let path = format!("/proc/{}/task/{tid}/syscall", target.pid());
            wait_for("the thread to read", || {
                std::fs::read_to_string(&path).is_ok_and(|call| call.starts_with("0 "))
            });
        }
        target
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }

    /// The functions of each thread's stack, the innermost first.
    fn stacks(&self, more: &[&str], warning: bool) -> Vec<Vec<String>> {
        // A busy machine takes long for a pause.
        let more = [more, &["--max-pause", "20s"]].concat();
        let result = run_text(STACKS, self.pid(), &more).expect_status(0);
        assert_untouched(self.pid());
        let warned = result.stderr.contains("no unwind table covers ");
        assert_eq!(warned, warning, "{result}");
        let stacks = result.stdout.split_terminator("-\n");
        let functions = |stack: &str| -> Vec<String> {
            // Which functions a library's compiler inlined is not of interest.
            let lines = stack.lines().filter(|line| !line.ends_with(" (inlined)"));
            lines.map(|line| without_offset(line).to_owned()).collect()
        };
        stacks.map(functions).collect()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Whether these functions stand in a stack in this order, with those of libraries between them alone.
#[track_caller]
fn assert_calls(stack: &[String], own: &[&str]) {
    let known = [
        "sleeper",
        "handler",
        "interrupted",
        "even",
        "odd",
        "main",
        "compare",
        "work",
    ];
    let found: Vec<&str> = stack
        .iter()
        .map(String::as_str)
        .filter(|name| known.contains(name))
        .collect();
    assert_eq!(found, own, "{stack:?}");
}

#[test]
fn stacks_need_no_frame_pointers_and_go_on_through_signal_handlers() {
    let flags: [&[&str]; 3] = [
        &["-O0"],
        &["-O2", "-fomit-frame-pointer"],
        &["-O2", "-fno-omit-frame-pointer", "-static"],
    ];
    for flags in flags {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::start(folder.path(), flags);
        for mode in ["copy", "stop"] {
            let stacks = target.stacks(&["--mode", mode], false);
            assert_eq!(stacks.len(), 2, "{stacks:?}");
            assert_calls(&stacks[0], &MAIN);
            assert_calls(&stacks[1], &["sleeper", "compare", "work"]);
            // Both end where their threads began.
            assert_eq!(stacks[0].last().unwrap(), "_start", "{stacks:?}");
            assert!(!stacks[1].contains(&"(truncated)".to_owned()), "{stacks:?}");
            assert!(stacks[1].len() > 4, "{stacks:?}");
        }
    }
}

#[test]
fn code_without_tables_is_unwound_by_frame_pointers_or_marked() {
    let without = [
        "-O1",
        "-fno-asynchronous-unwind-tables",
        "-fno-unwind-tables",
    ];
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(
        folder.path(),
        &[&without[..], &["-fno-omit-frame-pointer"]].concat(),
    );
    let stacks = target.stacks(&[], true);
    // The function that a signal interrupted is in libc, which has tables.
    assert_calls(&stacks[0], &MAIN);
    assert_calls(&stacks[1], &["sleeper", "compare", "work"]);

    // With debug information there are tables of another kind, and the program's few `.eh_frame` are those of the C library's
    // start-up code.
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(
        folder.path(),
        &[&without[..], &["-fomit-frame-pointer", "-g"]].concat(),
    );
    let stacks = target.stacks(&[], false);
    assert_calls(&stacks[0], &MAIN);
    assert_calls(&stacks[1], &["sleeper", "compare", "work"]);

    // With neither, callers are missing, which is said, and the stacks end nowhere.
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(
        folder.path(),
        &[&without[..], &["-fomit-frame-pointer"]].concat(),
    );
    for stack in target.stacks(&[], true) {
        assert_eq!(stack[..2], ["read", "sleeper"]);
        assert_eq!(stack.last().unwrap(), "(truncated)", "{stack:?}");
    }
}

#[test]
fn a_run_that_ends_before_its_pause_says_so_of_stacks() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &["-O1"]);
    let endless = "_probe _oneshot { printf(\"%d\\n\", _depth(_ubt())); for (;;) ; }";
    let result = run_text(endless, target.pid(), &["--timeout", "300ms"]).expect_status(3);
    result.says(&["registers and stacks were not those of a pause"]);
}

#[test]
fn stacks_that_are_too_deep_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &["-O1", "-DDEPTH=1100"]);
    let result = run_text(STACKS, target.pid(), &[]).expect_status(3);
    result.says(&["1 stacks have more than 1024 frames"]);
    assert!(result.stdout.contains("(truncated)"), "{result}");
}

#[test]
fn registers_of_a_running_thread_are_not_to_be_had() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), &["-O1"]);
    let result = run_text(STACKS, target.pid(), &["--mode", "live"]).expect_status(1);
    result.says(&["registers are known only of a run that stopped the target"]);
}

#[test]
fn stacks_lead_out_of_the_vdso() {
    let source = r#"
#include <stdio.h>
#include <time.h>
static volatile long sum;
__attribute__((noinline)) static void ask(void)
{
    struct timespec t;
    for (;;) {
        clock_gettime(CLOCK_MONOTONIC, &t);
        sum += t.tv_nsec;
    }
}
int main(void)
{
    puts("READY");
    fflush(stdout);
    ask();
    return 0;
}
"#;
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "clock", source, &["-g", "-O1"]);
    let target = ytrace_tests::fixtures::Waiting::start(&mut Command::new(program));
    let text = r#"_probe _oneshot { printf("%s", _sym_ubt(_ubt())); }"#;
    // It is there most of the time, but not at every instant.
    let mut found = false;
    for _ in 0..50 {
        let flags = ["--mode", "stop", "--max-pause", "20s", "--no-inline"];
        let result = run_text(text, target.pid(), &flags).expect_status(0);
        assert!(!result.stderr.contains("no unwind table"), "{result}");
        let names: Vec<&str> = result
            .stdout
            .lines()
            .map(|line| line.split('+').next().unwrap_or(line))
            .collect();
        assert!(names.contains(&"main"), "{result}");
        // The kernel's function is called by that of the library, or by a library without one of its own.
        if names
            .iter()
            .filter(|name| name.contains("clock_gettime"))
            .count()
            == 2
        {
            let ask = names.iter().position(|name| *name == "ask");
            assert_eq!(ask, Some(2), "{result}");
            found = true;
            break;
        }
    }
    assert!(found, "never in the vDSO");
}

#[test]
fn inlined_functions_are_frames_unless_left_out() {
    let source = r#"
#include <stdio.h>
#include <unistd.h>
static volatile long sum;
static inline __attribute__((always_inline)) void inner(int file) { char byte; sum += read(file, &byte, 1); }
static inline __attribute__((always_inline)) void outer(int file) { sum++; inner(file); sum++; }
__attribute__((noinline)) static void real(int file) { outer(file); sum++; }
int main(void)
{
    int ends[2];
    if (pipe(ends)) return 1;
    puts("READY");
    fflush(stdout);
    real(ends[0]);
    return 0;
}
"#;
    let target = Built::start(source, &["-g", "-O2"]);
    let text = r#"_path p; _probe _oneshot { p = _ubt(); printf("%s%V\n", _sym_ubt(p), p); }"#;
    let result = run_text(text, target.pid(), &["--max-pause", "20s"]).expect_status(0);
    let names = result.stdout.lines().map(without_offset);
    let names: Vec<&str> = names.take_while(|name| !name.contains(" / ")).collect();
    let expected = ["inner (inlined)", "outer (inlined)", "real", "main"];
    let at = names.iter().position(|name| *name == expected[0]);
    assert_eq!(names[at.unwrap()..][..4], expected, "{result}");
    let line = result.stdout.lines().last().unwrap();
    let order = ["main+", "real+", "outer (inlined)", "inner (inlined)"];
    let places: Vec<_> = order.iter().map(|name| line.find(name).unwrap()).collect();
    assert!(places.is_sorted(), "{line}");
    let result =
        run_text(text, target.pid(), &["--no-inline", "--max-pause", "20s"]).expect_status(0);
    assert!(!result.stdout.contains("inlined"), "{result}");
    assert!(result.stdout.contains("real+"), "{result}");
}

#[test]
fn code_made_in_memory_has_the_names_that_its_compiler_tells() {
    let source = r#"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static int ends[2];
static volatile long sum;
__attribute__((noinline)) static void sleeper(void) { char byte; sum += read(ends[0], &byte, 1); }
int main(void)
{
    /* push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret */
    static const char bytes[] = "\x55\x48\x89\xe5\xff\xd7\x5d\xc3";
    char *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char path[64];
    if (code == MAP_FAILED || pipe(ends)) return 1;
    memcpy(code + 16, bytes, sizeof bytes);
    snprintf(path, sizeof path, "/tmp/perf-%d.map", getpid());
    FILE *map = fopen(path, "w");
    fprintf(map, "not a line of it\n%lx %zx made /a file.js:1 \x1b[31m\n", (long) (code + 16), sizeof bytes);
    fclose(map);
    puts("READY");
    fflush(stdout);
    ((void (*)(void (*)(void))) (code + 16))(sleeper);
    sum++;
    return 0;
}
"#;
    let target = Built::start(source, &["-O2"]);
    let text = r#"_probe _oneshot { printf("%s", _sym_ubt(_ubt())); }"#;
    let result = run_text(text, target.pid(), &["--no-inline", "--max-pause", "20s"]);
    std::fs::remove_file(format!("/tmp/perf-{}.map", target.pid())).unwrap();
    let result = result.expect_status(0);
    let names: Vec<&str> = result.stdout.lines().map(without_offset).collect();
    let expected = ["sleeper", "made /a file.js:1 \u{fffd}[31m", "main"];
    assert_eq!(names[1..4], expected, "{result}");
    assert_eq!(names.last(), Some(&"_start"), "{result}");
    result.says(&["no unwind table covers made /a file.js:1"]);
}

/// What became of the stack of one hit of `probed`: how many frames it has, and whether it is whole.
type Followed = (usize, bool);

/// Calls `probed` once more, from a stack as the line tells, and gives what became of it.
fn followed(program: &mut Leaks, tracing: &mut Tracing, line: &str) -> Followed {
    program.tell(line);
    program.expect("done");
    tracing.wait_for("hit ");
    let said = tracing.last_line().split(' ').collect::<Vec<_>>();
    (said[1].parse().unwrap(), said[2].trim_end() == "1")
}

#[test]
fn slices_of_stacks_are_as_large_as_the_stacks() {
    let mut program = Leaks::start_program("slices", 1);
    let text = r#"_probe probed(long n) {
        _path p = _ubt();
        printf("hit %ld %d\n", _depth(p), !(_sym_ubt(p) ~~ rx/truncated/));
    }"#;
    let pid = program.pid().to_string();
    let mut tracing = Tracing::start(&["run", "--no-inline", "-e", text, "-p", &pid]);
    let mut all: Vec<Followed> = Vec::new();
    let mut follow = |line: &str| {
        let found = followed(&mut program, &mut tracing, line);
        all.push(found);
        found
    };
    // Where the first thread's stack begins, and a thread's own data above its stack, is known from the start.
    for (calls, room) in [(1, 0), (50, 0), (50, 1000), (1000, 0), (3, 0)] {
        for kind in ["main", "thread"] {
            let (depth, whole) = follow(&format!("{kind} {calls} {room}"));
            assert!(whole, "{kind} {calls} {room}");
            assert!(
                (calls + 3..calls + 12).contains(&depth),
                "{depth} of {calls}"
            );
        }
    }
    // Nobody tells of the stacks of coroutines: too little is sent at first, and later what they take. No table covers what they begin with.
    let mut until = |line: &str, least: usize| {
        let tries = (0..10).position(|_| {
            let (depth, whole) = follow(line);
            assert!(!whole, "{line}");
            depth >= least
        });
        tries.unwrap_or_else(|| panic!("{line}"))
    };
    let tries = until("coroutine 50 500", 53);
    assert!((1..4).contains(&tries), "{tries}");
    assert_eq!(until("coroutine 50 500", 53), 0);
    assert_eq!(until("coroutine 5 0", 8), 0);
    assert_eq!(until("coroutine 50 100", 53), 0);
    // A handler's stack leads to another one.
    until("signal 50 500", 53);
    assert_eq!(until("signal 50 500", 53), 0);
    // More than a slice can have, and more frames than are followed.
    until("main 200 1000", 60);
    until("main 2000 0", 1025);
    let finished = tracing.interrupt().expect_status(3);
    let cut = all.iter().filter(|(_, whole)| !whole).count();
    // Lines are as wide as the terminal.
    let said = finished
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let number = |words: &str| -> usize {
        let (before, _) = said
            .split_once(words)
            .unwrap_or_else(|| panic!("{finished}"));
        before.split(' ').next_back().unwrap().parse().unwrap()
    };
    let short = number(" stacks go on beyond what was captured of them");
    let deep = number(" stacks have more than 1024 frames");
    let unreadable = number(" stacks end where memory could not be read");
    let lost = number(" stacks end where neither a table nor a frame pointer leads on");
    assert_eq!(deep, 1, "{finished}");
    assert!(short > tries, "{finished}");
    assert!(unreadable > 1 && lost > 3, "{finished}");
    assert_eq!(short + deep + unreadable + lost, cut, "{finished}");
    finished.says(&[" 0 lost"]);
}

fn without_offset(line: &str) -> &str {
    line.split('+').next().unwrap_or(line)
}

/// A program of its own that says READY and then sleeps in `read`.
struct Built {
    target: ytrace_tests::fixtures::Waiting,
    _folder: tempfile::TempDir,
}

impl Built {
    fn start(source: &str, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = compile(folder.path(), "own", source, flags);
        let target = ytrace_tests::fixtures::Waiting::start(&mut Command::new(program));
        let path = format!("/proc/{}/syscall", target.pid());
        wait_for("the program to read", || {
            std::fs::read_to_string(&path).is_ok_and(|call| call.starts_with("0 "))
        });
        Self {
            target,
            _folder: folder,
        }
    }

    fn pid(&self) -> i32 {
        self.target.pid()
    }
}
