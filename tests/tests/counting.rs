//! Handlers that run wholly in the kernel: what they count is what the program did, and what they give when they run in ytrace.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ytrace_tests::leaks::build;
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::Finished;
use ytrace_tests::tracing::{Tracing, says};

const THREADS: i64 = 64;
/// What they send, if all is sent, has room in the smallest ring.
const CALLS: i64 = 80;

/// The program `counts`, which does as it is told.
struct Counts {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

impl Counts {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(build(folder.path(), "counts"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut counts = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            _folder: folder,
        };
        counts.expect("READY");
        counts
    }

    fn expect(&mut self, what: &str) {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), what);
    }

    fn begin(&mut self, threads: i64, calls: i64) {
        writeln!(self.input.as_mut().unwrap(), "{threads} {calls}").unwrap();
    }

    fn tell(&mut self, threads: i64, calls: i64) {
        self.begin(threads, calls);
        self.expect("DONE");
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Runs a probe while threads make calls, in the kernel or not.
    fn probed(&mut self, text: &str, in_kernel: bool) -> Finished {
        let forbid = match in_kernel {
            true => "",
            false => "kernel_tables",
        };
        self.probed_without(forbid, text, &[])
    }

    /// The same without some of what the kernel has, with options.
    fn probed_without(&mut self, forbid: &str, text: &str, options: &[&str]) -> Finished {
        let pid = self.pid().to_string();
        let mut words = vec!["run", "-v", "-e", text, "-p", &pid];
        words.extend(options);
        let tracing = Tracing::start_with(&words, &[("YTRACE_FORBID", forbid)]);
        let tracing = tracing.unwrap_or_else(|ended| panic!("{ended}"));
        self.tell(THREADS, CALLS);
        tracing.interrupt()
    }
}

impl Drop for Counts {
    fn drop(&mut self) {
        // It ends with its input.
        self.input = None;
        self.child.wait().unwrap();
    }
}

/// All forms. Each thread comes to the keys in the same order, so that is the one in which they are inserted.
const FORMS: &str = r#"
    long hits, bytes, odd, some, last; unsigned char small; int least; _agg all, took, variable; _agg of[long, long];
    struct sums { long n; int weight; long numbers; }; struct sums by[long]; long sizes[long];
    _probe _begin { least = 5; by[2].n = 1000; small = 7; variable <<< 3; }
    _probe work_on(long thread, long number, struct cell *cell) {
        hits++;
        bytes += number * 3 - 100;
        small += 3;
        all <<< number - 50;
        variable <<< number << 50;
        sizes[number / 10]++;
    }
    _probe work_on(long thread, long number, struct cell *cell) {
        if (!cell) { odd++; return; }
        by[cell->kind].n++;
        by[cell->kind].weight += cell->weight;
        if (cell->weight < 0) by[cell->kind].numbers -= number;
        of[_tid() > 0, cell->kind] <<< cell->weight * number;
    }
    _probe work_on(long thread, long number, struct cell *cell) -> long r {
        if (number < least) return;
        some += r - thread - number;
        took <<< _now_ns() - _entry(_now_ns());
    }
    _probe _timer.ms(20) { last = hits; }
    _probe _end {
        _push(lines, sprintf("%ld %ld %d %ld %ld %d", hits, bytes, small, odd, some, last <= hits));
        _push(lines, sprintf("%V %s %s", all, _hist_log(all), _hist_linear(all, 0, 100, 25)));
        _push(lines, sprintf("%V %ld", variable, _variance(all)));
        _push(lines, sprintf("%V %V %s", by, of, _hist_log(of[1, 3])));
        _foreach (size, n in sizes) _push(lines, sprintf("%ld: %ld", size, n));
        _push(lines, sprintf("%ld %d %d", _count(took), _min(took) >= 0, _max(took) >= _min(took)));
        _foreach (i, line in lines) printf("%s\n", line);
    }
    _str lines[];
"#;

#[test]
fn what_the_kernel_counts_is_what_the_program_did() {
    let mut counts = Counts::start();
    // The interrupt may come while the timer's handler runs, which is then not whole.
    let kernel = counts.probed(FORMS, true);
    assert!(matches!(kernel.status, Some(0 | 3)), "{kernel}");
    says(
        &kernel,
        &[" handled by the kernel, 0 lost", ": wholly in the kernel"],
    );
    let here = counts.probed(FORMS, false);
    assert!(matches!(here.status, Some(0 | 3)), "{here}");
    says(&here, &["here: YTRACE_FORBID switches it off", " 0 lost"]);
    let sum: i64 = (0..CALLS).map(|number| number * 3 - 100).sum();
    let weights: i64 = (5..CALLS)
        .filter(|number| number % 8 != 7)
        .map(|number| [1, -20, 300, -4000][usize::try_from(number % 4).unwrap()])
        .sum();
    let hits = THREADS * CALLS;
    let first = format!(
        "{hits} {} {} {} {} 1",
        sum * THREADS,
        (7 + 3 * hits) % 256,
        hits / 8,
        weights * THREADS
    );
    assert_eq!(kernel.stdout.lines().next(), Some(&*first), "{kernel}");
    assert_eq!(kernel.stdout, here.stdout);
    assert_untouched(counts.pid());
}

/// A handler, and what is said of it where it does not run wholly in the kernel.
#[test]
fn what_is_too_much_for_one_step_comes_as_records() {
    let mut counts = Counts::start();
    let (names, adds): (Vec<String>, Vec<String>) = (0..9)
        .map(|number| (format!("g{number}"), format!("g{number} <<< number;")))
        .unzip();
    let text = format!(
        "long n; _agg {}; _probe work_on(long thread, long number, struct cell *cell) {{ n++; {} }} _probe _end {{ printf(\"%d %d\\n\", n == _count(g0), n == _count(g8)); }}",
        names.join(", "),
        adds.join(" ")
    );
    let finished = counts.probed(&text, true);
    says(&finished.expect_status(0), &[" 0 lost", "complete"]);
}

#[test]
fn what_others_see_is_not_counted_in_the_kernel() {
    let mut counts = Counts::start();
    let text = r#"
        long printed, read, set, by[long], cleared[long], seen, ended; _agg all;
        _probe work_on(long thread, long number, struct cell *cell) { printed++; if (number != 3) return; printf("%d", 1); }
        _probe work_on(long thread, long number, struct cell *cell) { read++; }
        _probe work_on(long thread, long number, struct cell *cell) { if (read > 10) seen++; }
        _probe work_on(long thread, long number, struct cell *cell) { set++; }
        _probe work_on(long thread, long number, struct cell *cell) { if (number == 7) set = 0; }
        _probe work_on(long thread, long number, struct cell *cell) { cleared[number]++; }
        _probe work_on(long thread, long number, struct cell *cell) { by[cell->kind]++; }
        _probe _timer.s(100) { _clear(cleared); }
        _probe _end { printf(" %ld %ld %ld %ld", printed, read, _sum(cleared), _sum(by)); }
    "#;
    let finished = counts.probed(text, true);
    // There is nothing at NULL: the handler runs for such hits, and faults.
    says(
        &finished,
        &[
            ":3:9: in the kernel for some hits; for others here: it prints, at",
            ":4:9: here: of `read`: a handler of an event reads it",
            ":5:9: here: a condition is not known at the hit, at",
            ":6:9: here: of `set`: a handler of an event sets it",
            ":8:9: here: of `cleared`: a timer changes it",
            ":9:9: wholly in the kernel",
            "a handler ended in a fault",
            " 0 lost",
        ],
    );
    let hits = THREADS * CALLS;
    let sums = format!(" {hits} {hits} {hits} {}", hits * 7 / 8);
    let ones = "1".repeat(usize::try_from(THREADS).unwrap());
    assert_eq!(finished.stdout, ones + &sums, "{finished}");
}

#[test]
fn after_the_exit_of_a_timer_all_numbers_are_of_one_instant() {
    let mut counts = Counts::start();
    let text = r#"
        long n, by[long], also[long]; _agg all;
        _probe work_on(long thread, long number) { by[number & 4095]++; n++; also[number & 4095]++; all <<< 1; }
        _probe _timer.ms(300) { _exit(); }
        _probe _end { printf("%d %d %d %d\n", n > 1000, _sum(by) == n, _sum(also) == n, _sum(all) == n && _count(all) == n); }
    "#;
    let pid = counts.pid().to_string();
    let tracing = Tracing::start(&["run", "-v", "-e", text, "-p", &pid]);
    // They go on until the probes have gone, and some time more.
    counts.begin(2, 4_000_000);
    let finished = tracing.finish().expect_status(0);
    says(&finished, &["wholly in the kernel", " 0 lost", "complete"]);
    assert_eq!(finished.stdout, "1 1 1 1\n", "{finished}");
    counts.expect("DONE");
    assert_untouched(counts.pid());
}

#[test]
fn rows_are_read_one_by_one_where_the_kernel_has_it_so() {
    let mut counts = Counts::start();
    let text = r#"
        long by[long, long]; _agg of[long];
        _probe work_on(long thread, long number) { by[thread, number]++; of[number] <<< thread; }
        _probe _end { printf("%ld %ld %ld\n", _count(by), _sum(by), _sum(of[3])); }
    "#;
    let expected = format!(
        "{0} {0} {1}\n",
        THREADS * CALLS,
        THREADS * (THREADS - 1) / 2
    );
    for forbid in ["", "table_batches"] {
        let finished = counts.probed_without(forbid, text, &[]).expect_status(0);
        says(&finished, &["wholly in the kernel", "complete"]);
        assert_eq!(finished.stdout, expected, "{finished}");
    }
}

#[test]
fn handlers_of_the_clock_run_here_where_the_kernel_has_no_tables_for_them() {
    let mut counts = Counts::start();
    let text = r#"
        long n, hits;
        _probe _timer.profile(997) { n++; }
        _probe work_on { hits++; }
        _probe _end { printf("%ld\n", hits); }
    "#;
    let hits = format!("{}\n", THREADS * CALLS);
    let kernel = counts.probed_without("", text, &[]).expect_status(0);
    says(&kernel, &[":3:9: wholly in the kernel", " 0 lost"]);
    let here = counts
        .probed_without("clock_tables", text, &[])
        .expect_status(0);
    says(
        &here,
        &[
            ":3:9: here: this kernel has no such tables for handlers of the clock",
            ":4:9: wholly in the kernel",
            " 0 lost",
        ],
    );
    assert_eq!((&*kernel.stdout, &*here.stdout), (&*hits, &*hits));
}

#[test]
fn what_is_kept_of_the_kernel_s_tables_counts_as_memory() {
    let mut counts = Counts::start();
    let text = r#"
        long by[long, long];
        _probe work_on(long thread, long number) { by[thread, number]++; }
        _probe _end { printf("%d\n", _sum(by)); }
    "#;
    // The table itself would have room.
    let little = counts.probed_without("", text, &["--memory", "700K"]);
    let little = little.expect_status(3);
    says(
        &little,
        &[
            "the memory budget was exhausted (--memory)",
            "rows of the kernel's could not be added",
        ],
    );
    let enough = counts.probed_without("", text, &["--memory", "4M"]);
    says(&enough.expect_status(0), &["complete"]);
    let records = counts.probed_without("kernel_tables", text, &["--memory", "700K"]);
    says(&records.expect_status(0), &["complete"]);
}

#[test]
fn memory_that_handlers_have_used_up_is_told_at_once() {
    let mut counts = Counts::start();
    let text = r#"
        long at[long], n;
        _probe work_on(long thread, long number) { at[thread << 32 | number] = n; n++; }
        _probe _end { puts("end"); }
    "#;
    let pid = counts.pid().to_string();
    let mut tracing = Tracing::start(&["run", "-e", text, "-p", &pid, "--memory", "60K"]);
    counts.tell(THREADS, CALLS);
    tracing.wait_to_say("warning: the memory budget was exhausted (--memory)");
    let finished = tracing.interrupt().expect_status(3);
    says(&finished, &["PARTIAL", " × memory exhausted: "]);
    assert_eq!(finished.stdout, "end\n");
    assert_eq!(
        finished
            .stderr
            .matches("handlers end where they need more")
            .count(),
        1
    );
}

#[test]
fn what_makes_the_target_slower_than_allowed_is_told_as_it_goes() {
    let mut counts = Counts::start();
    let text = "long n; _probe work_on { n++; }";
    let pid = counts.pid().to_string();
    // It does nothing while hits are counted.
    let mut tracing = Tracing::start(&["run", "-e", text, "-p", &pid, "--max-overhead", "1"]);
    counts.begin(2, 4_000_000);
    tracing.wait_to_say("slower now, and 1 % are allowed (--max-overhead)");
    let finished = tracing.interrupt().expect_status(0);
    says(
        &finished,
        &[
            "expected slowdown 0.0 %: 0 hits a second",
            "probes made the target up to",
        ],
    );
    assert_eq!(finished.stderr.matches("slower now").count(), 1);
    counts.expect("DONE");
    assert_untouched(counts.pid());
}
