//! `--sync` on targets that are hard to stop: what is missed is told, and they go on as they were.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use ytrace_tests::code::Code;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::leaks::build;
use ytrace_tests::processes::{Stopped, assert_let_go, assert_untouched};
use ytrace_tests::program::{Finished, LIMIT, run};
use ytrace_tests::tracing::{Tracing, says};
use ytrace_tests::{compile, compile_file};

/// The program `odd_stops`, which does as it is told.
struct Odd {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    folder: tempfile::TempDir,
}

impl Odd {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(build(folder.path(), "odd_stops"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut odd = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            folder,
        };
        assert_eq!(odd.line(), "ready");
        odd
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn tell(&mut self, what: &str) {
        writeln!(self.input.as_mut().unwrap(), "{what}").unwrap();
    }

    /// Does what it is told, and gives its answer.
    fn does(&mut self, what: &str) -> i64 {
        self.tell(what);
        let line = self.line();
        line.parse()
            .unwrap_or_else(|_| panic!("`{what}` is answered by {line:?}"))
    }

    /// A library with `in_library`.
    fn library(&self) -> PathBuf {
        let text = "long in_library(long n) { __asm__ volatile(\"\"); return n + 1; }\n";
        let flags = ["-g", "-O2", "-shared", "-fPIC"];
        compile(self.folder.path(), "library.so", text, &flags)
    }

    /// Starts a run on it.
    fn trace(&self, text: &str, more: &[&str]) -> Tracing {
        let pid = self.pid().to_string();
        Tracing::start(&[&["run", "--sync", "-e", text, "-p", &pid], more].concat())
    }

    /// Probes it while it does something; gives what came of both.
    fn probed(&mut self, text: &str, what: &str) -> (Finished, i64) {
        let tracing = self.trace(text, &[]);
        let answer = self.does(what);
        (tracing.interrupt(), answer)
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        drop(self.input.take());
        self.child.wait().unwrap();
    }
}

/// Counts calls of `called`, and those with each argument.
const CALLS: &str = r#"
    long calls, sum;
    _probe called(long n) { calls++; sum += n; }
    _probe _end { printf("%ld %ld", calls, sum); }
"#;

#[test]
fn calls_while_sigtrap_is_blocked_are_counted_or_told() {
    let mut odd = Odd::start();
    // Blocked from the start: by breakpoints in the text all are seen.
    odd.does("block 0");
    let (finished, _) = odd.probed(CALLS, "calls 10");
    let finished = finished.expect_status(0);
    assert_eq!(finished.stdout, "10 45", "{finished}");
    says(&finished, &["1 by breakpoints in the text", "complete"]);
    odd.does("unblock 0");
    assert_untouched(odd.pid());
    // Blocked since: what was told too late is no call with a wrong argument, and after it none is missed.
    let code = Code::of(odd.pid());
    let tracing = odd.trace(CALLS, &[]);
    let deadline = Instant::now() + LIMIT;
    let mut rounds = 0;
    while code.changed().is_empty() {
        assert!(Instant::now() < deadline, "no breakpoint in the text");
        odd.does("blocked 1");
        odd.does("calls 0");
        rounds += 1;
    }
    odd.does("blocked 100");
    let finished = tracing.interrupt().expect_status(3);
    says(
        &finished,
        &["hits, or more, were not seen", "blocked SIGTRAP"],
    );
    let (calls, sum) = finished.stdout.split_once(' ').unwrap();
    let (calls, sum): (i64, i64) = (calls.parse().unwrap(), sum.parse().unwrap());
    // Each round is three calls, with 1, 2 and 3, of which those before the breakpoint may be missed.
    assert!(
        (300..=300 + 3 * rounds).contains(&calls),
        "{rounds} rounds; {finished}"
    );
    let off = rounds + 3;
    assert!(
        (2 * calls - off..=2 * calls + off).contains(&sum),
        "{finished}"
    );
    assert_eq!(odd.does("calls 3"), 3);
    assert_untouched(odd.pid());
}

#[test]
fn writes_while_sigtrap_is_blocked_are_blamed_on_nobody() {
    let mut odd = Odd::start();
    let text = r#"
        long writes, others;
        _probe _watch(&written, 8, "w") { writes++; others += _usym(_pc_reg()) ~~ rx/^write_it/ ? 0 : 1; }
        _probe _end { printf("%ld %ld", writes, others); }
    "#;
    let (finished, _) = odd.probed(text, "blocked 20");
    let finished = finished.expect_status(3);
    assert_eq!(finished.stdout, "0 0", "{finished}");
    says(&finished, &["20 hits, or more, were not seen"]);
    assert_untouched(odd.pid());
}

#[test]
fn nobody_is_left_with_a_pending_signal_of_ours() {
    let mut odd = Odd::start();
    let text = r#"_probe _watch(&written, 8, "w") { }"#;
    for kill in [false, true] {
        let tracing = odd.trace(text, &[]);
        odd.does("block 0");
        odd.does("write 1");
        match kill {
            true => tracing.kill(),
            false => {
                let began = Instant::now();
                let finished = tracing.interrupt().expect_status(3);
                says(&finished, &["1 hits, or more, were not seen"]);
                assert!(!finished.stderr.contains("could not be left"), "{finished}");
                assert!(began.elapsed() < Duration::from_secs(8), "{finished}");
            }
        }
        assert_let_go(odd.pid());
        // Still blocked, and nothing waits.
        let status = std::fs::read_to_string(format!("/proc/{}/status", odd.pid())).unwrap();
        let set = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            u64::from_str_radix(line.unwrap().trim(), 16).unwrap() >> 4 & 1
        };
        assert_eq!((set("SigPnd:"), set("SigBlk:")), (0, 1), "{status}");
        assert_eq!(odd.does("unblock 0"), 0);
        assert_eq!(odd.does("calls 3"), 3);
    }
}

/// More places than the processor has registers for.
const MANY: &str = r#"
    long n;
    _probe called { n++; }
    _probe write_it { n++; }
    _probe gives_way { n++; }
    _probe returns_oddly { n++; }
    _probe fills { n++; }
    _probe _end { printf("%ld", n); }
"#;

#[test]
fn what_the_target_does_with_sigtrap_is_left_alone() {
    for (before, after) in [("ignore 0", None), ("catch 0", Some("block 0"))] {
        let mut odd = Odd::start();
        odd.does(before);
        if let Some(after) = after {
            odd.does(after);
        }
        let (finished, _) = odd.probed(MANY, "calls 5");
        let finished = finished.expect_status(3);
        says(
            &finished,
            &[
                "stopped thread by thread, never all of it at once",
                "is not probed: it would take a breakpoint in the text, and the target ignores SIGTRAP, or has a handler of it",
            ],
        );
        assert!(
            !finished.stderr.contains("by breakpoints in the text"),
            "{finished}"
        );
        odd.does("unblock 0");
        assert_eq!(odd.does("caught 0"), i64::from(after.is_some()));
        let status = std::fs::read_to_string(format!("/proc/{}/status", odd.pid())).unwrap();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = u64::from_str_radix(ignored.unwrap().trim(), 16).unwrap();
        assert_eq!(ignored >> 4 & 1, u64::from(after.is_none()), "{status}");
    }
    // With a handler that nobody blocks yet, what the kernel then does is told.
    let mut odd = Odd::start();
    odd.does("catch 0");
    let (finished, _) = odd.probed(MANY, "blocked 1");
    let finished = finished.expect_status(3);
    says(&finished, &["the target's handler of SIGTRAP is gone"]);
    assert_eq!(odd.does("caught 0"), 0);
}

#[test]
fn memory_that_others_share_gets_no_breakpoint() {
    let mut odd = Odd::start();
    assert_eq!(odd.does("share 0"), 0);
    // Four returns take the registers. The last is in memory that the child has as well.
    let text = r#"
        long returns;
        _probe called(long m) -> long r { returns++; }
        _probe write_it(long v) -> _void { }
        _probe gives_way(long m) -> long r { }
        _probe fills { }
        _probe returns_oddly { }
        _probe _end { printf("%ld", returns); }
    "#;
    let tracing = odd.trace(text, &[]);
    for first in ["calls 1", "threads 1", "write 1", "coroutines 2"] {
        odd.does(first);
    }
    assert_eq!(odd.does("shared 3"), 1);
    let finished = tracing.interrupt().expect_status(3);
    assert_eq!(finished.stdout, "2", "{finished}");
    says(&finished, &["3 returns could not be followed"]);
    assert_untouched(odd.pid());
    assert_eq!(odd.does("shared 3"), 1);
}

#[test]
fn coroutines_return_on_their_own_stacks() {
    let mut odd = Odd::start();
    let text = r#"
        long calls, returns, wrong;
        _probe gives_way(long n) { calls++; }
        _probe gives_way(long n) -> long r { returns++; wrong += r != _entry(n); }
        _probe _end { printf("%ld %ld %ld", calls, returns, wrong); }
    "#;
    let tracing = odd.trace(text, &[]);
    let returned = odd.does("coroutines 100");
    assert_eq!(returned, 198);
    let finished = tracing.interrupt().expect_status(0);
    assert_eq!(finished.stdout, "200 198 0", "{finished}");
    assert!(!finished.stderr.contains("longjmp"), "{finished}");
    assert_untouched(odd.pid());
    assert_eq!(odd.does("coroutines 10"), 20);
}

#[test]
fn coroutines_and_exceptions_under_the_kernels_return_probes_are_refused() {
    let odd = Odd::start();
    let pid = odd.pid().to_string();
    let text = "_probe gives_way(long n) -> long r { }";
    let refused = run(&["run", "-e", text, "-p", &pid]).expect_status(2);
    says(&refused, &["it has coroutines (swapcontext or the like)"]);
    says(refused.hints(), &["`--sync`", "`--force`"]);
    let tracing = Tracing::start(&["run", "--force", "-e", text, "-p", &pid]);
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &["it has coroutines (swapcontext or the like)"]);
    let entries = Tracing::start(&["run", "-e", "_probe gives_way(long n) { }", "-p", &pid]);
    let finished = entries.interrupt().expect_status(0);
    assert!(!finished.stderr.contains("coroutines"), "{finished}");

    let source = "#include <cstdio>\nextern \"C\" int inner(int n) { if (n < 0) throw n; return n; }\nint main() { puts(\"READY\"); fflush(stdout); try { return inner(getchar()); } catch (int n) { return n; } }\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("throws.cc");
    std::fs::write(&file, source).unwrap();
    let program = compile_file(&file, folder.path(), "throws", &["-O0", "-g", "-lstdc++"]);
    let target = Waiting::start(&mut Command::new(program));
    let pid = target.pid().to_string();
    let text = "_probe inner(int n) -> int r { }";
    let refused = run(&["run", "-e", text, "-p", &pid]).expect_status(2);
    says(
        &refused,
        &["throws", "it throws or catches exceptions", "1:1"],
    );
    says(refused.hints(), &["`--force`"]);
    let tracing = Tracing::start(&["run", "--sync", "-e", text, "-p", &pid]);
    let finished = tracing.interrupt().expect_status(0);
    assert!(!finished.stderr.contains("exceptions"), "{finished}");
}

#[test]
fn returns_that_cannot_be_followed_are_told_as_that() {
    let mut odd = Odd::start();
    let text = r#"
        long n;
        _probe called(long m) -> long r { n++; }
        _probe _end { printf("%ld", n); }
    "#;
    let (finished, _) = odd.probed(text, "odd 7");
    let finished = finished.expect_status(3);
    assert_eq!(finished.stdout, "0", "{finished}");
    says(&finished, &["7 returns could not be followed"]);
    assert!(!finished.stderr.contains("longjmp"), "{finished}");
    assert_untouched(odd.pid());
}

#[test]
fn a_return_is_that_of_its_own_call() {
    let mut odd = Odd::start();
    let text = r#"
        _probe called(long n) { printf("called\n"); }
        _probe waits_within(long n) -> long r { printf("%d was %d\n", r, _entry(n)); }
    "#;
    let mut tracing = odd.trace(text, &["--max-pause", "50ms"]);
    assert_eq!(odd.does("within 1"), 1);
    let stopped = Stopped::new(tracing.pid());
    // This one is held until it is over that nobody looks at it; those after it pass: a return, and an entry at the same depth.
    assert_eq!(odd.does("called"), 1);
    assert_eq!(odd.does("out"), 1);
    assert_eq!(odd.does("within 2"), 2);
    drop(stopped);
    std::thread::scope(|scope| {
        let seen = scope.spawn(|| tracing.wait_for("called"));
        while !seen.is_finished() {
            assert_eq!(odd.does("called"), 2);
        }
    });
    assert_eq!(odd.does("out"), 2);
    assert_eq!(odd.does("within 3"), 3);
    assert_eq!(odd.does("out"), 3);
    let finished = tracing.interrupt().expect_status(3);
    assert_eq!(was(&finished), ["3 was 3"], "{finished}");
    says(&finished, &["1 returns are left out"]);
    assert_untouched(odd.pid());
}

/// The lines that tell what was.
fn was(finished: &Finished) -> Vec<&str> {
    let lines = finished.stdout.lines();
    lines.filter(|line| line.contains(" was ")).collect()
}

#[test]
fn the_time_for_which_all_threads_stand_still_is_told() {
    let mut odd = Odd::start();
    // Too many for the processor's registers; the first instruction of one is stepped.
    let (finished, _) = odd.probed(MANY, "rounds 20");
    let finished = finished.expect_status(0);
    assert_eq!(finished.stdout, "20", "{finished}");
    says(
        &finished,
        &[
            "stopped thread by thread, all of it ",
            " in 21 pauses",
            "all threads stood still 21 times while breakpoints were set or stepped over, ",
        ],
    );
    assert_untouched(odd.pid());
}

#[test]
fn a_repeated_instruction_is_one_hit() {
    let mut odd = Odd::start();
    let text = "long n; _probe fills { n++; } _probe _end { printf(\"%ld\", n); }";
    let (finished, _) = odd.probed(text, "rounds 9");
    assert_eq!(finished.expect_status(0).stdout, "9");
    // In the text.
    let (finished, _) = odd.probed(MANY, "rounds 9");
    assert_eq!(finished.expect_status(0).stdout, "9");
    assert_untouched(odd.pid());
    // The kernel would have as many hits as rounds.
    let pid = odd.pid().to_string();
    let refused = run(&["run", "-e", text, "-p", &pid]);
    assert_ne!(refused.status, Some(0), "{refused}");
    says(&refused, &["each of its rounds would be a hit"]);
}

#[test]
fn both_copies_of_a_library_are_probed() {
    let mut odd = Odd::start();
    let library = odd.library();
    assert_eq!(odd.does(&format!("copy {}", library.display())), 1);
    let text = "long n; _probe in_library(long m) { n++; } _probe _end { printf(\"%ld\", n); }";
    let (finished, calls) = odd.probed(text, "twice 25");
    let finished = finished.expect_status(0);
    assert_eq!((finished.stdout.as_str(), calls), ("50", 50), "{finished}");
    assert_untouched(odd.pid());
}

#[test]
fn a_library_that_is_loaded_again_is_told_and_makes_the_result_partial() {
    let mut odd = Odd::start();
    let library = odd.library();
    assert_eq!(odd.does(&format!("copy {}", library.display())), 1);
    // So that breakpoints are in the text.
    odd.does("block 0");
    let text = "long n; _probe in_library(long m) { n++; } _probe _end { printf(\"%ld\", n); }";
    let tracing = odd.trace(text, &[]);
    odd.does("twice 5");
    assert_eq!(odd.does(&format!("reload {}", library.display())), 1);
    odd.does("twice 5");
    let finished = tracing.interrupt().expect_status(3);
    assert_eq!(finished.stdout, "10", "{finished}");
    let told = format!("{} was unloaded while it was probed", library.display());
    says(&finished, &[&told]);
    odd.does("unblock 0");
    assert_untouched(odd.pid());
}

#[test]
fn another_program_is_told_and_makes_the_result_partial() {
    let mut odd = Odd::start();
    let tracing = odd.trace(CALLS, &[]);
    odd.does("calls 4");
    odd.tell("again 0");
    assert_eq!(odd.line(), "ready");
    odd.does("calls 4");
    let finished = tracing.interrupt().expect_status(3);
    assert_eq!(finished.stdout, "4 6", "{finished}");
    says(
        &finished,
        &["the target executed ", "in which nothing is probed"],
    );
    assert_untouched(odd.pid());
}

#[test]
fn a_reader_that_does_not_read_holds_nobody() {
    let mut odd = Odd::start();
    // More than a pipe has room for, at each call.
    let text = r#"_probe called(long n) { for (int i = 0; i < 1000; i++) printf("%0100d\n", i); }"#;
    let mut tracing = odd.trace(text, &["--max-pause", "500ms"]);
    let began = Instant::now();
    odd.does("calls 20");
    // One call waits until it is over that nobody looks at it; the others pass.
    assert!(began.elapsed() < Duration::from_secs(8));
    tracing.wait_for("0999");
    let finished = tracing.interrupt().expect_status(3);
    says(
        &finished,
        &["stops had no handler run", "stopped thread by thread"],
    );
    assert_untouched(odd.pid());
}

#[test]
fn threads_wait_for_their_turn_for_a_time_only() {
    let mut odd = Odd::start();
    // Each handler takes as long as it may.
    let text = "long n; _probe called(long m) { n++; while (1) n += 0; }";
    let tracing = odd.trace(text, &["--max-pause", "150ms"]);
    let began = Instant::now();
    assert_eq!(odd.does("threads 40"), 40);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    let finished = tracing.interrupt().expect_status(3);
    says(&finished, &["stops had no handler run"]);
    assert_untouched(odd.pid());
}
