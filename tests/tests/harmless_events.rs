//! A target whose functions are probed is as it was once the probes are gone, also those of a ytrace that was killed: it serves on, its code is
//! that of its files, and nobody holds a probe of it or traces it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ytrace_tests::code::{Code, holders};
use ytrace_tests::fixtures::{Nginx, unavailable};
use ytrace_tests::load::Load;
use ytrace_tests::processes::{Instants, assert_let_go, assert_untouched, rounds};
use ytrace_tests::program::command;
use ytrace_tests::skip;
use ytrace_tests::tracing::{Tracing, says};

/// Entries and returns, of functions that are hit all the time, with records, with stacks, and counted in the kernel.
const PROBES: &str = r#"
long calls, bytes, freed, handled; _path last;
_probe malloc(size_t n) -> void *p { if (p) { calls++; bytes += n; } }
_probe free(void *p) { freed++; }
_probe `ngx_http_core_*` { handled++; }
_probe ngx_http_process_request { last = _ubt(); }
_probe ngx_http_finalize_request -> _void { handled++; }
"#;

/// The least number of places that these probes are on.
const PLACES: usize = 30;

/// Few enough for the registers of the processor.
const FEW: &str = r#"
long handled; _path last;
_probe ngx_http_process_request { last = _ubt(); }
_probe ngx_http_finalize_request -> _void { handled++; }
"#;

/// How probes are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// By programs of the kernel.
    Kernel,
    /// The same, each place by an event of its own.
    OneByOne,
    /// By breakpoints in the code.
    Text,
    /// By breakpoints in the registers of the processor.
    Registers,
}

impl Kind {
    /// A run with such probes.
    fn arguments<'a>(self, worker: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let text = if self == Kind::Registers { FEW } else { PROBES };
        let mut arguments = vec!["run", "-e", text, "-p", worker];
        if !matches!(self, Kind::Kernel | Kind::OneByOne) {
            arguments.push("--sync");
        }
        arguments.extend(more);
        arguments
    }

    /// What the kernel is taken not to have, for the environment.
    fn forbidden(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Kind::OneByOne => &[("YTRACE_FORBID", "uprobe_multi")],
            _ => &[],
        }
    }

    /// The least number of places that its probes are on.
    fn places(self) -> usize {
        if self == Kind::Registers { 2 } else { PLACES }
    }
}

/// How long a run that is not killed probes.
const DURATION: Duration = Duration::from_millis(150);

/// Waits until all probes are gone: the kernel takes them away when the last descriptor is closed, a supervisor takes its breakpoints out when nobody asks it any
/// more.
#[track_caller]
fn assert_restored(pid: i32, when: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let code = Code::of(pid);
    loop {
        let (changed, holders) = (code.changed(), holders(pid));
        if changed.is_empty() && holders.is_empty() {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{when}: {} bytes of code are changed, as {:?}; held by {holders:?}",
            changed.len(),
            changed.first()
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whatever the server has to complain about.
#[track_caller]
fn assert_clean_log(prefix: &Path) {
    let log = std::fs::read_to_string(prefix.join("logs/error.log")).unwrap();
    for word in ["[alert]", "[emerg]", "[crit]", "[error]", "Interrupted"] {
        assert!(!log.contains(word), "{word} in the error log:\n{log}");
    }
}

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
enum Kill {
    Never,
    /// So long after its start.
    AfterStart(Duration),
    /// So long after it said that it probes.
    AfterProbing(Duration),
}

/// What became of a run.
struct Ran {
    /// How long it took until it said that it probes, if it did.
    begin: Option<Duration>,
    whole: Duration,
    killed: bool,
}

/// Runs the probes for a while, or until it is killed.
fn run_until(kind: Kind, arguments: &[&str], kill: Kill) -> Ran {
    let least = kind.places();
    let begun = Instant::now();
    let mut child = command(arguments)
        .envs(kind.forbidden().iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let errors = BufReader::new(child.stderr.take().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut said = Vec::new();
        for line in errors.lines().map_while(Result::ok) {
            if line.starts_with("probing ") {
                let places: usize = line.split(' ').nth(1).unwrap().parse().unwrap();
                assert!(places >= least, "{line}");
                sender.send(begun.elapsed()).unwrap();
            }
            said.push(line);
        }
        said
    });
    // The instant is what is tried here.
    let mut begin = None;
    match kill {
        Kill::Never => {}
        Kill::AfterStart(instant) => std::thread::sleep(instant),
        Kill::AfterProbing(instant) => {
            begin = receiver.recv().ok();
            std::thread::sleep(instant);
        }
    }
    if !matches!(kill, Kill::Never) {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    let whole = begun.elapsed();
    let said = reader.join().unwrap();
    let killed = status.code().is_none();
    if !killed {
        assert_eq!(status.code(), Some(0), "{said:?}");
    }
    Ran {
        begin: begin.or_else(|| receiver.try_recv().ok()),
        whole,
        killed,
    }
}

fn killed_at_any_instant(kind: Kind) {
    if let Some(why) = unavailable("dwarf") {
        return skip(&format!("a killed ytrace, {kind:?}"), &why);
    }
    let nginx = Nginx::start("dwarf", &[]);
    let worker = nginx.worker.to_string();
    assert_restored(nginx.worker, "before anything");
    let load = Load::start(nginx.port, "/ping");

    // While it is probed the code is not that of the files, so that the check can fail.
    let tracing =
        Tracing::start_with(&kind.arguments(&worker, &[]), kind.forbidden()).expect("it probes");
    let changed = Code::of(nginx.worker).changed().len();
    match kind {
        Kind::Registers => assert_eq!(changed, 0),
        _ => assert!(changed >= PLACES, "{changed}"),
    }
    let finished = tracing.interrupt();
    says(&finished, &[" hits at "]);
    assert_restored(nginx.worker, "after a run that was interrupted");

    let duration = format!("{}ms", DURATION.as_millis());
    let arguments = kind.arguments(&worker, &["--duration", &duration]);
    let first = run_until(kind, &arguments, Kill::Never);
    let mut begin = first.begin.expect("it probes");
    let end = first.whole.saturating_sub(begin + DURATION);
    let mut instants = Instants::new();
    let rounds = rounds(30);
    let (mut killed, mut probing) = (0, 0);
    for round in 0..rounds {
        let kill = match round % 4 {
            0 => Kill::AfterStart(instants.next(begin)),
            // Attaching ends with that line.
            1 => Kill::AfterStart(begin * 3 / 4 + instants.next(begin / 2)),
            2 => Kill::AfterProbing(instants.next(DURATION)),
            _ => Kill::AfterProbing(DURATION + instants.next(end)),
        };
        let ran = run_until(kind, &arguments, kill);
        // How long it takes depends on what else the machine does.
        begin = ran.begin.unwrap_or(begin);
        killed += usize::from(ran.killed);
        probing += usize::from(ran.killed && ran.begin.is_some());
        assert_let_go(nginx.worker);
        assert_restored(nginx.worker, &format!("round {round}, {kill:?}"));
    }
    eprintln!(
        "{kind:?}: {killed} of {rounds} runs (the first of {:?}, probing from {:?}) were killed before their end, {probing} of these after they began to probe",
        first.whole, first.begin
    );
    assert!(
        killed * 2 > rounds && probing * 5 > rounds,
        "the runs were killed too late or too early"
    );
    load.finish();
    assert_untouched(nginx.worker);
    assert_untouched(nginx.master);
    assert_clean_log(&nginx.prefix);
    // And a run after all that is as good as ever.
    run_until(kind, &arguments, Kill::Never);
    assert_restored(nginx.worker, "at the end");
}

#[test]
fn a_killed_ytrace_takes_its_probes_along() {
    killed_at_any_instant(Kind::Kernel);
}

#[test]
fn a_killed_ytrace_takes_probes_along_that_were_made_one_by_one() {
    killed_at_any_instant(Kind::OneByOne);
}

#[test]
fn a_killed_ytrace_leaves_no_breakpoint_in_the_code() {
    killed_at_any_instant(Kind::Text);
}

#[test]
fn a_killed_ytrace_leaves_no_breakpoint_in_registers() {
    killed_at_any_instant(Kind::Registers);
}
