//! How sessions end: the target exits, the user interrupts, others trace the target too.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ytrace_lang::source::SourceFile;
use ytrace_report::Output;
use ytrace_runtime::{
    Budgets, ExecutorKind, Finished, Mode, Options, Session, SessionError, Sink, session, views,
};
use ytrace_target::Process;

/// A program that says when it is ready, and lives until its standard input ends.
struct Target(Child);

impl Target {
    fn start() -> Self {
        let mut child = Command::new("sh")
            .args(["-c", "echo ready; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut ready)
            .unwrap();
        let target = Self(child);
        // `cat` has replaced the shell once it echoes.
        let mut target = target;
        std::io::Write::write_all(target.0.stdin.as_mut().unwrap(), b"x").unwrap();
        target
            .0
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut [0])
            .unwrap();
        target
    }

    fn open(&self) -> Process {
        Process::open(i32::try_from(self.0.id()).unwrap()).unwrap()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// Does something at the first text of the probe.
struct AtText<'a>(Option<Box<dyn FnOnce() + 'a>>);

impl Sink for AtText<'_> {
    fn begin(&mut self, _: bool) {}
    fn text(&mut self, _: &[u8]) {
        if let Some(action) = self.0.take() {
            action();
        }
    }
    fn warn(&mut self, _: &str) {}
    fn progress(&mut self, _: &str) {}
}

fn run(
    process: Process,
    probe: &str,
    interrupt: &'static AtomicBool,
    action: Option<Box<dyn FnOnce() + '_>>,
) -> Result<(Finished, ytrace_report::Report), SessionError> {
    let options = options(interrupt);
    let mut session = Session::open(process, &options)?;
    let finished = session.run(source(probe), &mut AtText(action))?;
    let report = views::report(&finished.finding(), session.names(), None);
    Ok((finished, report))
}

fn source(text: &str) -> SourceFile {
    SourceFile {
        name: "test.y".to_owned(),
        text: Arc::from(text),
        library: false,
    }
}

fn options(interrupt: &'static AtomicBool) -> Options {
    Options {
        executor: ExecutorKind::Interpreter,
        interrupt,
        ..Options::default()
    }
}

fn text(finished: &Finished) -> String {
    String::from_utf8_lossy(&finished.result.text).into_owned()
}

const TIMER: &str = r#"
long ticks;
_probe _timer.ms(1) { ticks++; printf("tick\n"); }
_probe _end { printf("end %d\n", ticks > 0); }
"#;

#[test]
fn what_was_gathered_is_shown_after_the_targets_exit() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let mut target = Target::start();
    let process = target.open();
    let end = Box::new(|| drop(target.0.stdin.take()));
    let (finished, _) = run(process, TIMER, &INTERRUPT, Some(end)).unwrap();
    assert!(text(&finished).ends_with("end 1\n"), "{}", text(&finished));
    assert_eq!(
        finished.result.partial,
        ["the target exited during the run"]
    );
}

#[test]
fn an_interrupt_ends_timers_and_lets_the_end_speak() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let interrupt = Box::new(|| INTERRUPT.store(true, Ordering::Relaxed));
    let (finished, report) = run(target.open(), TIMER, &INTERRUPT, Some(interrupt)).unwrap();
    assert!(text(&finished).ends_with("end 1\n"), "{}", text(&finished));
    assert_eq!(finished.result.partial, Vec::<String>::new());
    let notes = report.footer.notes.join("; ");
    assert!(notes.contains("auto: live"), "{notes}");
}

#[test]
fn an_interrupt_before_the_copy_stops_nothing() {
    static INTERRUPT: AtomicBool = AtomicBool::new(true);
    let target = Target::start();
    let probe = "_probe _oneshot { for (;;) if (_pid() == 0) break; }";
    match run(target.open(), probe, &INTERRUPT, None) {
        Err(SessionError::Interrupted) => {}
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it ran"),
    }
}

/// Interrupts when learning has taken some processor time.
struct AtLearning(Option<&'static AtomicBool>);

impl Sink for AtLearning {
    fn begin(&mut self, _: bool) {}
    fn text(&mut self, _: &[u8]) {}
    fn warn(&mut self, _: &str) {}
    fn progress(&mut self, what: &str) {
        if what.starts_with("learning")
            && let Some(interrupt) = self.0.take()
        {
            let own = std::fs::read_link("/proc/thread-self").unwrap();
            let figures = std::path::Path::new("/proc").join(own).join("schedstat");
            // The first figure is the time on a processor, in nanoseconds (proc_pid_schedstat(5)).
            let used = move || -> u64 {
                let text = std::fs::read_to_string(&figures).unwrap();
                text.split(' ').next().unwrap().parse().unwrap()
            };
            let before = used();
            std::thread::spawn(move || {
                while used() < before + 100_000_000 {
                    std::thread::yield_now();
                }
                interrupt.store(true, Ordering::Relaxed);
            });
        }
    }
}

#[test]
fn an_interrupt_while_learning_keeps_what_was_gathered() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let options = options(&INTERRUPT);
    let mut session = Session::open(target.open(), &options).unwrap();
    let probe = r#"
long rounds[int];
_probe _oneshot { for (;;) rounds[1]++; }
_probe _end { printf("%d\n", rounds[1] > 0); }
"#;
    let finished = session
        .run(source(probe), &mut AtLearning(Some(&INTERRUPT)))
        .unwrap();
    let report = views::report(&finished.finding(), session.names(), None);
    assert_eq!(text(&finished), "1\n");
    let partial = finished.result.partial.join("; ");
    assert!(
        partial.contains("was read while the target ran"),
        "{partial}"
    );
    assert_eq!(finished.result.pauses.count, 0);
    let notes = report.footer.notes.join("; ");
    assert!(notes.contains("ended before the copy"), "{notes}");
}

#[test]
fn a_run_whose_time_is_over_while_learning_is_not_done_again() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let options = Options {
        budgets: Budgets {
            time: Duration::from_millis(300),
            ..Budgets::default()
        },
        ..options(&INTERRUPT)
    };
    for view in ["", "_view bars \"rounds\" \"\" "] {
        let probe = format!(
            r#"{view}long rounds[int];
            _probe _oneshot {{ puts("before"); _assert_equal("one", 1, 1); for (;;) rounds[1]++; }}
            _probe _oneshot {{ printf("%d\n", rounds[1] > 0); }}"#
        );
        let mut session = Session::open(target.open(), &options).unwrap();
        let finished = session.run(source(&probe), &mut AtText(None)).unwrap();
        let result = &finished.result;
        assert_eq!(
            result.partial,
            ["the time budget was exhausted (--timeout)"],
            "{view}"
        );
        assert_eq!((result.faults.len(), result.faults[0].count), (1, 1));
        assert_eq!(text(&finished), "before\n1\n");
        assert_eq!(result.checks.len(), 1);
        // No other run has taken any time.
        if view.is_empty() {
            assert_eq!(result.timings.run, Duration::ZERO);
            assert_eq!(
                (result.pauses.count, result.modes.as_slice()),
                (0, [Mode::Live].as_slice())
            );
            let notes = result.notes.join("; ");
            assert!(notes.contains("time was over before"), "{notes}");
        }
    }
}

#[test]
fn registers_are_those_of_the_pause() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let probe = r#"_probe _oneshot { printf("%d\n", _reg("rsp", _pid()) != 0); }"#;
    let (finished, report) = run(target.open(), probe, &INTERRUPT, None).unwrap();
    assert_eq!(text(&finished), "1\n");
    assert_eq!(finished.result.pauses.count, 1);
    assert_eq!(report.footer.mode, "copy");
}

#[test]
fn handlers_that_are_due_together_share_a_pause() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let probe = r#"
long rounds;
_probe _timer.ms(20) { rounds += _reg("rsp", _pid()) != 0; }
_probe _timer.ms(20) {
    if (_reg("rsp", _pid()) != 0) printf("%d ", rounds);
    if (rounds == 3) _exit();
}
"#;
    let (finished, _) = run(target.open(), probe, &INTERRUPT, None).unwrap();
    assert_eq!(text(&finished), "1 2 3 ");
    assert_eq!(finished.result.pauses.count, 3);
    let probe = r#"
long first;
_probe _oneshot { first = _reg("rsp", _pid()); }
_probe _oneshot { printf("%d\n", first != 0 && first == _reg("rsp", _pid())); }
"#;
    let (finished, _) = run(target.open(), probe, &INTERRUPT, None).unwrap();
    assert_eq!(text(&finished), "1\n");
    assert_eq!(finished.result.pauses.count, 1);
}

#[test]
fn a_handler_that_reads_nothing_stops_nothing() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let probe = "long n; _probe _timer.ms(1) { n++; if (n == 5) { printf(\"%d\", n); _exit(); } }";
    let (finished, _) = run(target.open(), probe, &INTERRUPT, None).unwrap();
    assert_eq!(text(&finished), "5");
    assert_eq!(finished.result.pauses.count, 0);
}

#[test]
fn several_sessions_take_turns() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let probe = r#"_probe _oneshot { printf("%d\n", _reg("rsp", _pid()) != 0); }"#;
                    let (finished, _) = run(target.open(), probe, &INTERRUPT, None).unwrap();
                    assert_eq!(text(&finished), "1\n");
                }
            });
        }
    });
}

#[test]
fn cross_checks_are_bounded_and_counted() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let probe =
        r#"_probe _oneshot { for (int i = 0; i < 1003; i++) _assert_equal("same", i, i); }"#;
    let (finished, _) = run(target.open(), probe, &INTERRUPT, None).unwrap();
    assert_eq!(finished.result.checks.len(), 1000);
    assert_eq!(
        finished.result.partial,
        ["3 further cross-checks were not kept"]
    );
}

#[test]
fn a_view_of_an_aggregate_shows_it() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let probe = "_view histogram \"times\" \"ns\"\n_agg times; _probe _oneshot { times <<< 5; times <<< 7; times <<< 7; }";
    let (_, report) = run(target.open(), probe, &INTERRUPT, None).unwrap();
    let ytrace_report::ViewData::Histogram(histogram) = &report.views[0].data else {
        panic!("{:?}", report.views);
    };
    let [times] = histogram.groups.as_slice() else {
        panic!("{histogram:?}");
    };
    assert_eq!((times.count, times.least, times.greatest), (3, 5, 7));
    // All of them lie from 4 to 7.
    assert_eq!((times.rows.len(), times.rows[0].count), (1, 3));
}

#[test]
fn a_heapmap_has_states_and_owners() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let probe = r#"
struct place { _str state; _str owner; };
_view heapmap "Heap" "bytes" struct place heap[size_t, size_t];
void put(size_t start, size_t length, _str state, _str owner) {
    struct place place = { state, owner };
    heap[start, length] = place;
}
_probe _oneshot {
    put(0x1000, 16, "in use", "pool");
    put(0x1010, 32, "free", "");
    put(0xfffffffffffff000, 16, "in use", "");
}
"#;
    let (_, report) = run(target.open(), probe, &INTERRUPT, None).unwrap();
    let ytrace_report::ViewData::Heapmap(map) = &report.views[0].data else {
        panic!("{:?}", report.views);
    };
    let regions: Vec<_> = map
        .regions
        .iter()
        .map(|region| {
            let (state, owner) = (map.state(region), map.owner(region));
            (region.start, region.length, state, owner)
        })
        .collect();
    assert_eq!(
        regions,
        [
            (0x1000, 16, "in use", "pool"),
            (0x1010, 32, "free", ""),
            (0xffff_ffff_ffff_f000, 16, "in use", ""),
        ]
    );
}

#[test]
fn faults_that_the_probe_catches_are_counted_once() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let probe = r#"
_probe _oneshot {
    for (int i = 0; i < 3; i++) {
        _try { printf("%d\n", *(int *)8); } _catch (f) { printf("%s\n", f.kind); }
    }
}
"#;
    let (finished, report) = run(target.open(), probe, &INTERRUPT, None).unwrap();
    assert_eq!(text(&finished), "unmapped\n".repeat(3));
    // The learning run caught them, too, and does not count.
    assert_eq!(report.footer.caught, 3);
    let facts = report.footer.facts().join(" · ");
    assert!(facts.contains("faults 0 · 3 caught"), "{facts}");
}

#[test]
fn what_no_view_can_show_is_refused_before_the_probe_runs() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    const BARS: &str = r#"
struct held { long bytes; long count; };
_view bars "held" long held[_str];
_probe _oneshot { printf("ran\n"); held["a"] += 1; }
"#;
    let target = Target::start();
    let attempt = |weight: Option<&str>, forms: Vec<Output>| {
        let options = Options {
            weight: weight.map(str::to_owned),
            ..options(&INTERRUPT)
        };
        let mut session = Session::open(target.open(), &options)?;
        session.expect(forms);
        session.run(source(BARS), &mut AtText(None))
    };
    let error = attempt(Some("size"), Vec::new()).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "no view has a column `size`");
    assert_eq!(error.hints(), ["--weight takes count"]);
    let error = attempt(None, vec![Output::Json, Output::Folded])
        .map(drop)
        .unwrap_err();
    assert!(
        error.to_string().contains("the views are: bars;"),
        "{error}"
    );
    attempt(
        Some("count"),
        vec![Output::Json, Output::Text, Output::Svg, Output::Html],
    )
    .unwrap();

    // The same of the formats is known without a target.
    let parse = |text: &str, form| session::parse(&source(text), &options(&INTERRUPT), &[form]);
    let error = parse(BARS, Output::Folded).unwrap_err();
    assert!(
        error.to_string().contains("the views are: bars;"),
        "{error}"
    );
    parse(BARS, Output::Json).unwrap();
    // An arm that the target may choose has one.
    let either =
        "##ifdefvar no_such_variable\n##else\n_view flamegraph \"g\" long held[_path];\n##endif\n";
    parse(either, Output::Folded).unwrap();
}

#[test]
fn a_series_has_a_sample_of_each_timer_that_writes_it() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let probe = r#"
        _view series "Rounds" "" long rounds;
        _view series "By name" "" long by_name[_str];
        _view series "Once" "" long once;
        _probe _oneshot { once = 7; }
        _probe _timer.ms(5) {
            rounds++;
            if (rounds > 2)
                by_name["late"] += rounds;
            if (rounds == 4)
                _exit();
        }
        _probe _timer.ms(1) { printf("%ld\n", rounds); }
    "#;
    let (_, report) = run(target.open(), probe, &INTERRUPT, None).unwrap();
    let values = |index| lines(&report, index);
    assert_eq!(values(0), [(String::new(), vec![1.0, 2.0, 3.0, 4.0])]);
    assert_eq!(values(1), [("late".to_owned(), vec![3.0, 7.0])]);
    assert_eq!(values(2), [(String::new(), vec![7.0])]);
}

/// The lines of a view that is a series: their names and numbers.
fn lines(report: &ytrace_report::Report, view: usize) -> Vec<(String, Vec<f64>)> {
    let ytrace_report::ViewData::Series(series) = &report.views[view].data else {
        panic!("{:?}", report.views[view]);
    };
    let lines = series.lines.iter();
    lines
        .map(|line| {
            let samples = line.samples.iter();
            let numbers = samples.map(|sample| sample.value.number().unwrap());
            (line.name.clone(), numbers.collect())
        })
        .collect()
}

#[test]
fn a_timer_that_only_reads_a_table_takes_no_sample() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    // Each way to write, and beside it a handler that reads in every way.
    for write in [
        "t[\"a\"] += 1;",
        "add(t);",
        "_delete t[\"b\"];",
        "if (rounds > 9) _clear(t);",
    ] {
        let probe = format!(
            r#"
            _view series "T" "" long t[_str];
            long rounds;
            void add(long of[_str]) {{ more(of, 1); }}
            void more(long of[_str], long by) {{ of["a"] += by; }}
            long first(long of[_str]) {{ return "a" in of ? of["a"] : 0; }}
            _probe _oneshot {{ t["a"] = 5; }}
            _probe _timer.ms(7) {{ {write} if (++rounds == 3) _exit(); }}
            _probe _timer.ms(1) {{
                long sum = first(t) + t["b"] + _elems(t) + _sum(t) + _min(t) + _max(t);
                _foreach (k, v in t _by v _desc _limit 3) sum += v;
                printf("%ld %V\n", sum, t);
            }}
            "#
        );
        let (finished, _) = run(target.open(), &probe, &INTERRUPT, None).unwrap();
        let lines = &finished.result.series[0].series.lines;
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].samples.len(), 3, "{write}");
    }
}

#[test]
fn handlers_that_cannot_read_the_target_do_not_stop_it() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let pauses = |body: &str| {
        let probe = format!(
            r#"
            long t[_str];
            long twice(long n) {{ t["n"] = n; return n * 2; }}
            _str place(long at) {{ return _tostr((char *) at, 3); }}
            _probe _oneshot {{ {body} }}
            "#
        );
        let options = Options {
            mode: Mode::Stop,
            ..options(&INTERRUPT)
        };
        let mut session = Session::open(target.open(), &options).unwrap();
        let finished = session.run(source(&probe), &mut AtText(None)).unwrap();
        finished.result.pauses.count
    };
    for body in [
        "",
        r#"printf("%ld %d %s\n", twice(4), _pid(), _execname());"#,
        r#"_foreach (k, v in t) printf("%s %ld\n", k, v);"#,
        r#"_str s = sprintf("%5.2f", sqrt(2.0)); if (s ~~ rx/1/) puts(s);"#,
    ] {
        assert_eq!(pauses(body), 0, "{body}");
    }
    for body in [
        r#"_try { printf("%d\n", *(int *) 8); } _catch (_fault f) { }"#,
        r#"_try { puts(place(8)); } _catch (_fault f) { }"#,
        r#"_try { printf("%s\n", (char *) 8); } _catch (_fault f) { }"#,
        r#"char *p = (char *) 8; printf("%V\n", p);"#,
        r#"printf("%V\n", t);"#,
        r#"_foreach (m in _maps()) printf("%p\n", m.start);"#,
        r#"_foreach (x in _threads()) printf("%d\n", x.tid);"#,
        r#"printf("%d\n", _readable((void *) 8, 8));"#,
        r#"printf("%ld\n", _resident((void *) 8, 8));"#,
    ] {
        assert_eq!(pauses(body), 1, "{body}");
    }
}

#[test]
fn names_of_a_series_are_held_against_the_memory_budget() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let with = |view: &str, memory| {
        let probe = format!(
            r#"
            _view {view} "T" "" long t[_str];
            long round;
            _probe _timer.ms(1) {{
                if (++round > 5)
                    _exit();
                _clear(t);
                for (int i = 0; i < 1000; i++)
                    t[sprintf("a name that is rather long, so that it takes memory: %d of %ld", i, round)] = i;
            }}
            "#
        );
        let options = Options {
            budgets: Budgets {
                memory,
                ..Budgets::default()
            },
            ..options(&INTERRUPT)
        };
        let mut session = Session::open(target.open(), &options).unwrap();
        session.run(source(&probe), &mut AtText(None)).unwrap()
    };
    let names = |finished: &Finished| finished.result.series[0].series.lines.len();
    let program = with("table", None).store.memory_used();
    let all = with("series", None);
    assert_eq!(names(&all), 5000);
    assert_eq!(all.result.partial, Vec::<String>::new());
    assert!(all.store.memory_used() > program + 5000 * 120);
    // There is room for the program, and for few names.
    let some = with("series", Some(program + 20_000));
    assert!(names(&some) < 5000, "{}", names(&some));
    assert!(some.store.memory_used() <= program + 20_000);
    assert!(!some.result.partial.is_empty());
    // In the last round nothing more is taken by the program.
    let most = with("series", Some(all.store.memory_used() - 20_000));
    assert!(names(&most) < 5000, "{}", names(&most));
    let partial = most.result.partial.join("\n");
    assert!(partial.contains("“T” leaves out keys"), "{partial}");
}

#[test]
fn a_check_of_a_layout_that_runs_out_of_steps_is_no_verdict() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let error = |check: &str| {
        let probe = format!(
            r#"_layout group {{ "one" {{ struct thing {{ int a; }}; }} }} _valid holds;
            int holds(void) {{ {check} }}
            _probe _oneshot {{ struct thing t; t.a = 1; }}"#
        );
        let options = Options {
            budgets: Budgets {
                steps: 10_000,
                ..Budgets::default()
            },
            ..options(&INTERRUPT)
        };
        let mut session = Session::open(target.open(), &options).unwrap();
        let run = session.run(source(&probe), &mut AtText(None));
        run.err().unwrap().to_string()
    };
    let text = error("for (;;) { } return 1;");
    assert!(
        text.contains("cut short: the step budget was exhausted"),
        "{text}"
    );
    // What the library says of itself comes first.
    assert_eq!(
        error(r#"_raise("no such thing here"); return 0;"#),
        "no such thing here"
    );
}

#[test]
fn a_program_that_can_do_without_a_layout_runs_where_none_holds() {
    static INTERRUPT: AtomicBool = AtomicBool::new(false);
    let target = Target::start();
    let run = |first: &str, second: &str| {
        let probe = format!(
            r#"_layout group {{
                "one" {{ struct thing {{ int a; }}; enum {{ ONE = 1 }}; }}
                "two" {{ struct thing {{ long a; }}; }}
            }} _valid holds;
            int holds(void) {{
            ##ifdefenum ONE
                return {first};
            ##else
                return {second};
            ##endif
            }}
            _probe _oneshot {{ printf("%lu", sizeof(struct thing)); }}"#
        );
        let options = options(&INTERRUPT);
        let mut session = Session::open(target.open(), &options).unwrap();
        let finished = session.run(source(&probe), &mut AtText(None));
        finished.map(|finished| {
            let text = String::from_utf8(finished.result.text).unwrap();
            (text, finished.result.layouts)
        })
    };
    // The types of the first, which the result does not claim to have found.
    let (text, layouts) = run("-1", "-1").unwrap();
    assert_eq!((text.as_str(), layouts.len()), ("4", 0));
    let (text, layouts) = run("-1", "1").unwrap();
    assert_eq!(text, "8");
    assert_eq!(layouts, [("group".to_owned(), "two".to_owned())]);
    // One that says no for another reason is needed.
    for (first, second) in [("0", "-1"), ("-1", "0")] {
        let error = run(first, second).err().unwrap().to_string();
        assert!(error.contains("none of the layouts"), "{error}");
    }
}
