//! Calls that are not entered and left one after the other: what is counted is what the program says of itself.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ytrace_tests::compile_file;
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::Finished;
use ytrace_tests::tracing::{Tracing, says};

/// The program `odd_calls`, which does as it is told.
struct OddCalls {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl OddCalls {
    fn start(folder: &Path) -> Self {
        let source = ytrace_tests::root().join("tests/fixtures/c/odd_calls.c");
        // With optimization, calls at the end are jumps.
        let flags = ["-g", "-O2", "-fomit-frame-pointer", "-pthread"];
        let program = compile_file(&source, folder, "odd_calls", &flags);
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut program = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        assert_eq!(program.line(), "READY");
        program
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// What it says after a command.
    fn told(&mut self, what: &str) -> Vec<i64> {
        writeln!(self.input.as_mut().unwrap(), "{what}").unwrap();
        let line = self.line();
        let numbers = line.split(' ').map(|word| word.parse().unwrap());
        numbers.collect()
    }

    /// Runs a probe while it does as it is told: what it said, and what the probe's last line said.
    fn probed(&mut self, text: &str, what: &str) -> (Vec<i64>, Vec<i64>, Finished) {
        let (said, seen, finished) = self.probed_by(&[], text, what);
        says(&finished, &[" 0 lost"]);
        (said, seen, finished)
    }

    /// The same with further options.
    fn probed_by(
        &mut self,
        options: &[&str],
        text: &str,
        what: &str,
    ) -> (Vec<i64>, Vec<i64>, Finished) {
        let pid = self.pid().to_string();
        let words = ["run", "-e", text, "-p", &pid];
        let tracing = Tracing::start(&[&words[..], options].concat());
        let said = self.told(what);
        let finished = tracing.interrupt();
        assert_untouched(self.pid());
        let last = finished.stdout.lines().last().unwrap_or_default();
        let seen = last.split(' ').map(|word| {
            word.parse()
                .unwrap_or_else(|error| panic!("{error}: {finished}"))
        });
        (said, seen.collect(), finished)
    }
}

impl Drop for OddCalls {
    fn drop(&mut self) {
        drop(self.input.take());
        let status = self.child.wait().unwrap();
        // A target that a probe has harmed ends by a signal.
        if !std::thread::panicking() {
            assert!(status.success(), "{status}");
        }
    }
}

/// Counted at entries, at returns, and by records that the handler works on.
const OF_THREADS: &str = r#"
    long entries, results, threads, each, of[long];
    _probe shared(long n) { entries++; }
    _probe shared(long n) -> long r { results += r; of[_tid()] += r - n; }
    _probe _end {
        each = -1;
        _foreach (tid, n in of) { threads++; if (each == -1) each = n; if (n != each) each = -2; }
        printf("%d %d %d %d\n", entries, results, threads, each);
    }
"#;

/// Calls in calls.
const DESCENDS: &str = r#"
    long entries, returns, sum, wrong;
    _probe descend(long n) { entries++; }
    _probe descend(long n) -> long r { returns++; sum += r; wrong += r != n * (n + 1) / 2; }
    _probe _end { printf("%d %d %d %d\n", entries, returns, sum, wrong); }
"#;

/// Calls that are jumps.
const TAILS: &str = r#"
    long odd, odd_returns, even, even_returns, wrong;
    _probe odd_tail(long n) { odd++; }
    _probe odd_tail(long n) -> long r { odd_returns++; wrong += r != (n % 2 ? 8 : 7); }
    _probe even_tail(long n) { even++; }
    _probe even_tail(long n) -> long r { even_returns++; wrong += r != (n % 2 ? 7 : 8); }
    _probe _end { printf("%d %d %d %d %d\n", odd, odd_returns, even, even_returns, wrong); }
"#;

/// Calls that are left by longjmp or not.
const JUMPS: &str = r#"
    long thrown_n, thrown_returns, caught_n, caught_returns, wrong;
    _probe thrown(long n) { thrown_n++; }
    _probe thrown(long n) -> long r { thrown_returns++; wrong += r != n; }
    _probe caught(long n) { caught_n++; }
    _probe caught(long n) -> long r { caught_returns++; wrong += r != (n % 2 ? 2 * n : n); }
    _probe _end { printf("%d %d %d %d %d\n", thrown_n, thrown_returns, caught_n, caught_returns, wrong); }
"#;

/// Where threads end.
const LEAVES: &str = r#"
    long n, sum;
    _probe leave(long i) { n++; sum += i; }
    _probe _end { printf("%d %d\n", n, sum); }
"#;

/// Where threads end without a word.
const VANISHES: &str = r#"
    long n, sum, returns;
    _probe vanish(long i) { n++; sum += i; }
    _probe vanish(long i) -> _void { returns++; }
    _probe _end { printf("%d %d %d\n", n, sum, returns); }
"#;

/// Calls of the process, not of children that have its memory.
const SHARES: &str = r#"
    long n, sum;
    _probe shared(long i) { n++; }
    _probe shared(long i) -> long r { sum += r; }
    _probe _end { printf("%d %d\n", n, sum); }
"#;

#[test]
fn sixty_four_threads_at_once_are_counted_to_the_last_hit() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = OddCalls::start(folder.path());
    let (threads, calls) = (64, 3_000);
    let what = format!("threads {threads} {calls}");
    let all = threads * calls;
    let sum = threads * (3 * calls * (calls - 1) / 2 + calls);
    let (said, seen, finished) = program.probed(OF_THREADS, &what);
    assert_eq!((said[0], said[3]), (all, sum), "{finished}");
    let each = (sum - threads * calls * (calls - 1) / 2) / threads;
    assert_eq!(seen, [all, sum, threads, each], "{finished}");
    let stacks = r#"
        long whole;
        _probe shared(long n) { whole += _depth(_ubt()) >= 4; }
        _probe _end { printf("%d\n", whole); }
    "#;
    // So many that they find room in the ring whatever else the machine does.
    let (said, seen, finished) = program.probed(stacks, &format!("threads {threads} 50"));
    assert_eq!(seen, [said[0]], "{finished}");
}

#[test]
fn returns_of_recursive_calls_have_the_arguments_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = OddCalls::start(folder.path());
    let (said, seen, finished) = program.probed(DESCENDS, "recursion 60 300");
    assert_eq!(said[0], 61 * 300);
    assert_eq!(seen, [said[0], said[0], said[3], 0], "{finished}");
    // The kernel follows 64 calls of a thread that have not returned. Those that it sees are right, and the others are told.
    let (said, seen, finished) = program.probed_by(&[], DESCENDS, "recursion 99 300");
    assert_eq!(said[0], 100 * 300);
    assert_eq!((seen[0], seen[3]), (said[0], 0), "{finished}");
    assert_eq!(seen[1], 64 * 300, "{finished}");
    let finished = finished.expect_status(3);
    says(&finished, &["10,800 lost", "10800 returns were not seen"]);
}

#[test]
fn calls_at_the_end_of_functions_return_with_these() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = OddCalls::start(folder.path());
    let (said, seen, finished) = program.probed(TAILS, "tails 40 500");
    assert_eq!(seen, [said[0], said[0], said[1], said[1], 0], "{finished}");
    // They are jumps indeed: all have one caller.
    let text = r#"
        long deepest;
        _probe even_tail(long n) { long d = _depth(_ubt()); if (d > deepest) deepest = d; }
        _probe _end { printf("%d\n", deepest); }
    "#;
    let (_, seen, finished) = program.probed(text, "tails 40 1");
    assert!(seen[0] < 10, "{finished}");
}

#[test]
fn calls_that_jumps_leave_have_entries_but_no_returns() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = OddCalls::start(folder.path());
    let (said, seen, finished) = program.probed(JUMPS, "jumps 20000");
    assert_eq!(
        seen,
        [said[0], said[2], said[1], said[1], 0],
        "{said:?} {finished}"
    );
}

#[test]
fn threads_may_end_within_a_probed_function() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = OddCalls::start(folder.path());
    let (said, seen, finished) = program.probed(LEAVES, "leave 300");
    assert_eq!(seen, [said[0], said[3]], "{finished}");
    // A thread that is gone without unwinding may have calls whose returns are probed.
    let (said, seen, finished) = program.probed(VANISHES, "vanish 300");
    assert_eq!(seen, [said[0], said[3], 0], "{finished}");
}

#[test]
fn children_that_borrow_the_memory_are_not_the_target() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = OddCalls::start(folder.path());
    let (said, seen, finished) = program.probed(SHARES, "children 200");
    assert_eq!(said[0], 200);
    assert_eq!(seen, [said[0], said[3]], "{finished}");
}

#[test]
fn a_stack_that_is_deeper_than_its_slice_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = OddCalls::start(folder.path());
    let text = r#"
        _path p; long n;
        _probe bottom { n++; p = _ubt(); printf("%s", _sym_ubt(p)); }
        _probe _end { printf("%d %d\n", n, _depth(p)); }
    "#;
    let (said, seen, finished) = program.probed(text, "deep 5000");
    assert_eq!(seen[0], said[0]);
    assert!(seen[1] > 10 && seen[1] < 1024, "{finished}");
    assert!(finished.stdout.contains("(truncated)"), "{finished}");
    says(&finished, &["go on beyond what was captured of them"]);
    assert_eq!(finished.status, Some(3), "{finished}");
    // And one that is not, is not.
    let (said, seen, finished) = program.probed(text, "deep 5");
    let finished = finished.expect_status(0);
    assert_eq!(seen[0], said[0]);
    assert!(!finished.stdout.contains("(truncated)"), "{finished}");
    assert_eq!(finished.stdout.matches("deep+").count(), 6, "{finished}");
}

#[test]
fn calls_are_the_same_where_threads_are_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = OddCalls::start(folder.path());
    let mut probed = |text, what| {
        let (said, seen, finished) = program.probed_by(&["--sync"], text, what);
        (said, seen, finished.expect_status(0))
    };
    let (said, seen, finished) = probed(OF_THREADS, "threads 64 40");
    let each = said[3] / 64 - 40 * 39 / 2;
    assert_eq!(seen, [64 * 40, said[3], 64, each], "{finished}");
    // No depth is too deep.
    let (said, seen, finished) = probed(DESCENDS, "recursion 99 10");
    assert_eq!(seen, [said[0], said[0], said[3], 0], "{finished}");
    // One return ends the calls that were jumps.
    let (said, seen, finished) = probed(TAILS, "tails 40 20");
    assert_eq!(
        (seen[0], seen[2], seen[4]),
        (said[0], said[1], 0),
        "{finished}"
    );
    assert!(seen[1] >= 20 && seen[1] <= said[0], "{finished}");
    let (said, seen, finished) = probed(JUMPS, "jumps 500");
    let expected = [said[0], said[2], said[1], said[1], 0];
    assert_eq!(seen, expected, "{finished}");
    let (said, seen, finished) = probed(LEAVES, "leave 50");
    assert_eq!(seen, [said[0], said[3]], "{finished}");
    let (said, seen, finished) = probed(VANISHES, "vanish 50");
    assert_eq!(seen, [said[0], said[3], 0], "{finished}");
    let (said, seen, finished) = probed(SHARES, "children 50");
    assert_eq!(seen, [said[0], said[3]], "{finished}");
}
