//! The process that traces: what it is, and what becomes of it and of the target when something goes wrong.

mod common;

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{Program, stopper};
use ytrace_target::{
    CopyOptions, PausedProcess, StopError, StopOptions, Stopper, TRACER_NAME, copy_ranges,
};

fn options(max_pause: Duration) -> StopOptions {
    StopOptions {
        max_pause,
        stop_timeout: Duration::from_secs(5),
        realtime: true,
    }
}

fn long() -> StopOptions {
    options(Duration::from_secs(60))
}

/// A program that sleeps in several threads and answers lines.
fn sleeper() -> Program {
    let mut program = Program::start("threads", &["sleep", "3"]);
    assert_eq!(program.line(), "ready");
    program
}

fn stat(pid: i32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').map(str::to_owned).collect())
}

fn signal(pid: i32, signal: i32) {
    // SAFETY: the call takes no pointer; the process is one that the test has made.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

#[test]
fn it_stands_apart_and_ends_with_its_stopper() {
    // Among the files that it must not keep is one whose number is far from the others.
    let nothing = std::fs::File::open("/dev/null").unwrap();
    // SAFETY: the call takes no pointer.
    let far = unsafe { libc::fcntl(nothing.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 900) };
    assert!(far >= 900);
    // SAFETY: the kernel has just given us this descriptor and nobody else owns it.
    let _far = unsafe { OwnedFd::from_raw_fd(far) };
    let mut program = sleeper();
    let process = program.process();
    let stopper = Stopper::new();
    let paused = PausedProcess::stop(&stopper, &process, &long()).unwrap();
    let tracer = paused.tracer().unwrap();
    assert!(
        program
            .status("TracerPid:")
            .ends_with(&format!("\t{tracer}"))
    );
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{tracer}/{name}")).unwrap();
    assert_eq!(read("comm").trim_end(), TRACER_NAME);
    assert_eq!(read("cmdline").trim_end_matches('\0'), TRACER_NAME);
    // A group and a session of its own: the third and the fourth field after the name.
    let fields = stat(tracer).unwrap();
    assert_eq!(fields[1], std::process::id().to_string());
    assert_eq!(
        (&fields[2], &fields[3]),
        (&tracer.to_string(), &tracer.to_string())
    );
    let status = read("status");
    let blocked = status
        .lines()
        .find_map(|line| line.strip_prefix("SigBlk:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap();
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
        assert_eq!(
            blocked >> (signal - 1) & 1,
            1,
            "signal {signal} is not blocked"
        );
    }
    let mut files: Vec<String> = std::fs::read_dir(format!("/proc/{tracer}/fd"))
        .unwrap()
        .map(|entry| std::fs::read_link(entry.unwrap().path()).unwrap())
        .map(|target| target.to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(files.len(), 4, "{files:?}");
    assert!(files[3].starts_with("socket:"), "{files:?}");
    assert!(
        files[..3].iter().all(|file| file == "/dev/null"),
        "{files:?}"
    );
    paused.resume().unwrap();
    assert_eq!(program.ask("x"), "alive");
    // It is kept for the next pause, and gone, not a zombie, with the stopper.
    let paused = PausedProcess::stop(&stopper, &process, &long()).unwrap();
    assert_eq!(paused.tracer(), Some(tracer));
    drop(paused);
    drop(stopper);
    assert!(!Path::new(&format!("/proc/{tracer}")).exists());
    assert_eq!(program.ask("x"), "alive");
}

#[test]
fn it_does_without_what_old_kernels_lack() {
    for (lack, test) in [
        ("close_range", "it_stands_apart_and_ends_with_its_stopper"),
        ("pidfd_send_signal", "a_supervisor_that_hangs_is_ended"),
    ] {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test])
            .env("YTRACE_FORBID", lack)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "without {lack}: {text}"
        );
    }
}

#[test]
fn its_death_is_an_error_and_the_program_goes_on() {
    let mut program = sleeper();
    let process = program.process();
    let stopper = Stopper::new();
    let paused = PausedProcess::stop(&stopper, &process, &long()).unwrap();
    assert!(paused.is_stopped());
    let tracer = paused.tracer().unwrap();
    signal(tracer, libc::SIGKILL);
    // It answers, so it goes on.
    assert_eq!(program.ask("x"), "alive");
    assert!(!paused.is_stopped());
    assert!(matches!(paused.resume(), Err(StopError::TracerLost)));
    assert!(!Path::new(&format!("/proc/{tracer}")).exists());
    // The next pause has another one, also when one was killed that had nothing to do.
    for _ in 0..3 {
        let paused = PausedProcess::stop(&stopper, &process, &long()).unwrap();
        let tracer = paused.tracer().unwrap();
        paused.resume().unwrap();
        signal(tracer, libc::SIGKILL);
        wait_for_end(tracer);
    }
    assert_eq!(program.ask("x"), "alive");
}

#[test]
fn a_supervisor_that_hangs_is_ended() {
    let mut program = sleeper();
    let process = program.process();
    let paused = PausedProcess::stop(&stopper(), &process, &long()).unwrap();
    let tracer = paused.tracer().unwrap();
    signal(tracer, libc::SIGSTOP);
    assert!(matches!(paused.resume(), Err(StopError::TracerLost)));
    assert!(!Path::new(&format!("/proc/{tracer}")).exists());
    assert_eq!(program.ask("x"), "alive");
}

/// Not a test of its own: what the next ones start. Stops the process named by the environment variable for 50 ms at most,
/// says so, and waits.
#[test]
fn ytrace_to_be_harmed() {
    let Ok(pid) = std::env::var("YTRACE_TEST_HARMED") else {
        return;
    };
    let process = ytrace_target::Process::open(pid.parse().unwrap()).unwrap();
    let limit = std::env::var("YTRACE_TEST_LIMIT").unwrap().parse().unwrap();
    let options = options(Duration::from_millis(limit));
    let paused = PausedProcess::stop(&stopper(), &process, &options).unwrap();
    println!("stopped by {}", paused.tracer().unwrap());
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// Starts this test program again, in a process group of its own; returns it and its supervisor.
fn harmed(pid: i32, limit_ms: u64) -> (Program, i32) {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "ytrace_to_be_harmed",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("YTRACE_TEST_HARMED", pid.to_string())
        .env("YTRACE_TEST_LIMIT", limit_ms.to_string())
        .process_group(0);
    let mut started = Program::spawn(&mut command);
    loop {
        if let Some((_, tracer)) = started.line().split_once("stopped by ") {
            return (started, tracer.parse().unwrap());
        }
    }
}

/// Waits until a process has ended, which takes it a moment.
fn wait_for_end(pid: i32) {
    let began = Instant::now();
    while stat(pid).is_some_and(|fields| fields[0] != "Z") {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "process {pid} does not end"
        );
        std::thread::yield_now();
    }
}

#[test]
fn it_outlives_a_killed_group_and_ends_at_once() {
    let mut program = sleeper();
    for round in 0..20 {
        let (mut killed, tracer) = harmed(program.pid(), 60_000);
        let victim = if round % 2 == 0 {
            killed.pid()
        } else {
            -killed.pid()
        };
        signal(victim, libc::SIGKILL);
        killed.child.wait().unwrap();
        assert!(program.is_let_go());
        assert_eq!(program.ask("x"), "alive");
        wait_for_end(tracer);
    }
}

#[test]
fn a_ytrace_that_is_stopped_does_not_keep_the_program_stopped() {
    let mut program = sleeper();
    let (harmed, tracer) = harmed(program.pid(), 300);
    // Of a pause that is over by now, nothing would be seen.
    assert!(
        program
            .status("TracerPid:")
            .ends_with(&format!("\t{tracer}"))
    );
    signal(harmed.pid(), libc::SIGSTOP);
    // The supervisor lets it go on when the pause is over; without it, this would wait for ever.
    assert_eq!(program.ask("x"), "alive");
    assert!(program.is_let_go());
    drop(harmed);
    wait_for_end(tracer);
}

#[test]
fn a_copy_during_which_the_supervisor_dies_is_an_error() {
    let mut program = Program::start("threads", &["sleep", "3"]);
    program.line();
    let process = program.process();
    let maps = process.maps().unwrap();
    let ranges: Vec<_> = maps
        .as_slice()
        .iter()
        .filter(|mapping| mapping.permissions.write)
        .map(|mapping| mapping.range())
        .collect();
    let stopper = Stopper::new();
    let copy = |stopper: &Stopper| copy_ranges(stopper, &process, &ranges, &CopyOptions::default());
    copy(&stopper).unwrap();
    let paused = PausedProcess::stop(&stopper, &process, &long()).unwrap();
    let tracer = paused.tracer().unwrap();
    paused.resume().unwrap();
    // A supervisor that does not answer has not stopped anything; it is ended, and that is told.
    signal(tracer, libc::SIGSTOP);
    let lost = copy(&stopper).unwrap_err();
    assert!(
        matches!(lost, ytrace_target::CopyError::Stop(StopError::TracerLost)),
        "{lost}"
    );
    assert_eq!(program.ask("x"), "alive");
    copy(&stopper).unwrap();
}
