//! Stopping real programs leaves them as they were.

mod common;

use std::time::Duration;

use common::{Program, stopper};
use ytrace_target::{PausedProcess, StopError, StopOptions};

fn options() -> StopOptions {
    StopOptions {
        max_pause: Duration::from_secs(5),
        stop_timeout: Duration::from_secs(5),
        realtime: true,
    }
}

/// Rounds of the test of interrupted system calls; more by the environment variable `YTRACE_TEST_ROUNDS`.
fn rounds(default: usize) -> usize {
    std::env::var("YTRACE_TEST_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

#[test]
fn interrupted_system_calls_start_again() {
    for computers in ["0", "2"] {
        let mut program = Program::start("waiters", &[computers]);
        assert_eq!(program.line(), "ready");
        let process = program.process();
        let (mut restarted, mut longest) = (0, Duration::ZERO);
        let rounds = rounds(1000);
        for _ in 0..rounds {
            let paused = PausedProcess::stop(&stopper(), &process, &options()).unwrap();
            let report = paused.resume().unwrap();
            restarted += report.restarted_calls;
            longest = longest.max(report.pause);
        }
        println!(
            "{rounds} rounds with {computers} computing threads: {restarted} calls restarted, longest pause {longest:?}"
        );
        assert!(
            restarted > rounds,
            "the calls were not interrupted: the test tests nothing"
        );
        let before: u64 = program.ask("x").parse().unwrap();
        if computers != "0" {
            assert!(before > 0);
        }
        let (code, rest) = program.finish();
        assert_eq!((code, rest.as_str()), (Some(0), ""));
    }
}

#[test]
fn stop_and_resume_with_1_8_64_threads() {
    for threads in [1usize, 8, 64] {
        let count = (threads - 1).to_string();
        let mut program = Program::start("threads", &["sleep", &count]);
        assert_eq!(program.line(), "ready");
        let process = program.process();
        let mut pauses = Vec::new();
        for _ in 0..50 {
            let paused = PausedProcess::stop(&stopper(), &process, &options()).unwrap();
            assert_eq!(paused.threads().len(), threads);
            assert!(paused.threads().iter().all(|thread| {
                thread
                    .registers
                    .is_some_and(|registers| registers.stack_pointer != 0)
            }));
            pauses.push(paused.resume().unwrap());
        }
        pauses.sort_by_key(|report| report.pause);
        println!(
            "{threads} threads: stop + resume {:?} (median of 50)",
            pauses[25].pause
        );
        assert_eq!(program.ask("x"), "alive");
        assert_eq!(program.finish().0, Some(0));
    }
}

#[test]
fn registers_are_those_of_the_thread() {
    let mut program = Program::start("threads", &["sleep", "3"]);
    program.line();
    let process = program.process();
    let paused = PausedProcess::stop(&stopper(), &process, &options()).unwrap();
    let maps = process.maps().unwrap();
    for thread in paused.threads() {
        let registers = thread.registers.unwrap();
        let code = maps.find(registers.instruction_pointer).unwrap();
        assert!(code.permissions.execute);
        let stack = maps.find(registers.stack_pointer).unwrap();
        assert!(stack.permissions.write && stack.is_anonymous());
        assert!(maps.find(registers.thread_pointer).is_some());
        assert_eq!(
            registers.dwarf(if cfg!(target_arch = "x86_64") { 7 } else { 31 }),
            Some(registers.stack_pointer)
        );
    }
    drop(paused);
    assert_eq!(program.ask("x"), "alive");
}

#[test]
fn threads_that_come_and_go_are_all_stopped() {
    let mut program = Program::start("threads", &["churn", "4"]);
    program.line();
    let process = program.process();
    let mut stopped = 0;
    // With little time some of them are given up; one that is not has stopped all threads none the less.
    for round in 0..300 {
        let stop_timeout = match round % 3 {
            0 => options().stop_timeout,
            _ => Duration::from_micros(round),
        };
        let options = StopOptions {
            stop_timeout,
            ..options()
        };
        let paused = match PausedProcess::stop(&stopper(), &process, &options) {
            Ok(paused) => paused,
            Err(StopError::Unresponsive { .. }) if round % 3 != 0 => continue,
            Err(error) => panic!("{error}"),
        };
        stopped += 1;
        let known: Vec<i32> = paused.threads().iter().map(|thread| thread.tid).collect();
        for tid in process.threads().unwrap() {
            let path = format!("/proc/{}/task/{tid}/stat", program.pid());
            // A thread that was exiting may go away while all others are stopped.
            let Ok(stat) = std::fs::read_to_string(path) else {
                continue;
            };
            let state = stat.rsplit_once(") ").unwrap().1.chars().next().unwrap();
            assert!(
                state == 't' && known.contains(&tid) || matches!(state, 'Z' | 'X'),
                "thread {tid} is in state {state}"
            );
        }
        paused.resume().unwrap();
    }
    assert!(stopped >= 100);
    assert_eq!(program.ask("x"), "alive");
}

#[test]
fn a_program_may_exit_while_it_is_being_stopped() {
    let mut exited = 0;
    for _ in 0..100 {
        let mut program = Program::start_compiled("threads", &["sleep", "8"]);
        program.line();
        let process = program.process();
        program.send("exit");
        // It exits at some point of these rounds.
        loop {
            match PausedProcess::stop(&stopper(), &process, &options()) {
                Ok(paused) => {
                    let _ = paused.resume();
                }
                Err(StopError::Exited { .. }) => break,
                Err(error) => panic!("{error}"),
            }
        }
        exited += 1;
        // The exit is still there for its parent, which is this program.
        assert_eq!(program.finish().0, Some(7));
    }
    assert_eq!(exited, 100);
}

#[test]
fn a_program_killed_while_stopped_goes() {
    let mut program = Program::start("threads", &["sleep", "4"]);
    program.line();
    let process = program.process();
    let paused = PausedProcess::stop(&stopper(), &process, &options()).unwrap();
    program.signal(libc::SIGKILL);
    paused.resume().unwrap();
    program.child.wait().unwrap();
    assert!(process.exited());
}

#[test]
fn a_stopped_program_stays_stopped_and_a_signal_is_passed_on() {
    let mut program = Program::start("threads", &["sleep", "4"]);
    program.line();
    let process = program.process();
    program.signal(libc::SIGSTOP);
    let mut status = 0;
    // SAFETY: the pointer is to a live integer; the child is ours.
    unsafe { libc::waitpid(program.pid(), &mut status, libc::WUNTRACED) };
    assert!(libc::WIFSTOPPED(status));
    for _ in 0..20 {
        let paused = PausedProcess::stop(&stopper(), &process, &options()).unwrap();
        let report = paused.resume().unwrap();
        assert!(report.was_stopped);
        for tid in process.threads().unwrap() {
            assert!(
                wait_for_state(program.pid(), tid, 'T'),
                "thread {tid} does not stay stopped"
            );
        }
    }
    program.signal(libc::SIGCONT);
    assert_eq!(program.ask("x"), "alive");
    // A signal sent while it is stopped by us is delivered after.
    let paused = PausedProcess::stop(&stopper(), &process, &options()).unwrap();
    program.signal(libc::SIGTERM);
    paused.resume().unwrap();
    let status = program.child.wait().unwrap();
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(libc::SIGTERM)
    );
}

/// Whether a thread comes to be in a state; a wake-up that ends in the old state takes it a moment.
fn wait_for_state(pid: i32, tid: i32, wanted: char) -> bool {
    (0..100_000).any(|_| {
        std::thread::yield_now();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/stat")).unwrap();
        stat.rsplit_once(") ").unwrap().1.starts_with(wanted)
    })
}

#[test]
fn a_pause_ends_by_itself() {
    let mut program = Program::start("threads", &["sleep", "4"]);
    program.line();
    let process = program.process();
    let short = StopOptions {
        max_pause: Duration::from_millis(5),
        ..options()
    };
    let paused = PausedProcess::stop(&stopper(), &process, &short).unwrap();
    // It answers although the pause is still held.
    assert_eq!(program.ask("x"), "alive");
    let report = paused.resume().unwrap();
    assert!(report.expired);
    assert!(report.pause < Duration::from_secs(1), "{:?}", report.pause);
}

#[test]
fn a_second_tracer_is_refused_by_name() {
    let mut program = Program::start("threads", &["sleep", "1"]);
    program.line();
    let process = program.process();
    let paused = PausedProcess::stop(&stopper(), &process, &options()).unwrap();
    let refused = PausedProcess::stop(&stopper(), &process, &options()).unwrap_err();
    assert!(
        matches!(refused, StopError::AlreadyTraced { .. }),
        "{refused}"
    );
    assert!(refused.hint().is_some());
    paused.resume().unwrap();
    assert_eq!(program.ask("x"), "alive");
    let own = ytrace_target::Process::open(std::process::id() as i32).unwrap();
    assert!(matches!(
        PausedProcess::stop(&stopper(), &own, &options()),
        Err(StopError::Ourselves { .. })
    ));
}

/// Not a test of its own: what the next one starts, to be killed. Stops the process named by the environment variable, says
/// so, and holds it until it is killed itself; or stops and resumes it for ever.
#[test]
fn tracer_to_be_killed() {
    let Ok(pid) = std::env::var("YTRACE_TEST_HOLD") else {
        return;
    };
    let process = ytrace_target::Process::open(pid.parse().unwrap()).unwrap();
    let forever = StopOptions {
        max_pause: Duration::MAX,
        ..options()
    };
    if std::env::var_os("YTRACE_TEST_LOOP").is_some() {
        println!("stopping");
        loop {
            stop_in_turn(&process, &forever).resume().unwrap();
        }
    }
    let paused = stop_in_turn(&process, &forever);
    println!("stopped");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    drop(paused);
}

/// Stops a process once the supervisor of a tracer that was killed has let go of it.
fn stop_in_turn(process: &ytrace_target::Process, options: &StopOptions) -> PausedProcess {
    loop {
        match PausedProcess::stop(&stopper(), process, options) {
            Ok(paused) => return paused,
            Err(StopError::AlreadyTraced { .. }) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Starts this test program again as the tracer of `pid`, and waits until it has begun.
fn tracer(pid: i32, endless: bool) -> Program {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "tracer_to_be_killed",
        "--nocapture",
        "--test-threads=1",
    ]);
    command.env("YTRACE_TEST_HOLD", pid.to_string());
    if endless {
        command.env("YTRACE_TEST_LOOP", "1");
    }
    let mut tracer = Program::spawn(&mut command);
    while !tracer
        .line()
        .ends_with(if endless { "stopping" } else { "stopped" })
    {}
    tracer
}

#[test]
fn a_killed_tracer_leaves_no_trace() {
    // Killed while everything is stopped: no system call fails.
    let mut program = Program::start("waiters", &["1"]);
    program.line();
    for _ in 0..20 {
        let mut tracer = tracer(program.pid(), false);
        assert!(!program.status("TracerPid:").ends_with("\t0"));
        tracer.child.kill().unwrap();
        tracer.child.wait().unwrap();
        assert!(program.is_let_go());
        let steps: u64 = program.ask("x").parse().unwrap();
        while program.ask("x").parse::<u64>().unwrap() == steps {}
    }
    assert_eq!(program.finish(), (Some(0), String::new()));
    // Killed at any instant, also between asking threads to stop and setting their registers: no system call fails.
    let mut program = Program::start("waiters", &["1"]);
    program.line();
    for round in 0..rounds(50) {
        let mut tracer = tracer(program.pid(), true);
        (0..round % 50 * 20).for_each(|_| std::thread::yield_now());
        tracer.child.kill().unwrap();
        tracer.child.wait().unwrap();
        assert!(program.is_let_go());
        let steps: u64 = program.ask("x").parse().unwrap();
        while program.ask("x").parse::<u64>().unwrap() == steps {}
    }
    assert_eq!(program.finish(), (Some(0), String::new()));
    // The program runs on.
    let mut program = Program::start("threads", &["sleep", "8"]);
    program.line();
    for round in 0..50 {
        let mut tracer = tracer(program.pid(), true);
        (0..round * 50).for_each(|_| std::thread::yield_now());
        tracer.child.kill().unwrap();
        tracer.child.wait().unwrap();
        assert!(program.is_let_go());
        assert_eq!(program.ask("x"), "alive");
        for tid in program.process().threads().unwrap() {
            assert!(
                wait_for_state(program.pid(), tid, 'S'),
                "thread {tid} does not sleep as before"
            );
        }
    }
    assert_eq!(program.finish().0, Some(0));
}

#[test]
fn a_thread_that_nothing_interrupts_is_held() {
    let mut program = Program::start("threads", &["vfork", "1"]);
    program.line();
    let process = program.process();
    let others = process
        .threads()
        .unwrap()
        .into_iter()
        .filter(|tid| *tid != program.pid());
    for tid in others {
        assert!(wait_for_state(program.pid(), tid, 'D'));
    }
    for _ in 0..3 {
        let paused = PausedProcess::stop(&stopper(), &process, &options()).unwrap();
        assert_eq!(
            paused
                .threads()
                .iter()
                .filter(|thread| thread.registers.is_none())
                .count(),
            1
        );
        let report = paused.resume().unwrap();
        assert_eq!(report.held_in_kernel, 1);
        assert!(report.pause < Duration::from_secs(1));
        assert_eq!(program.ask("x"), "alive");
        assert!(program.status("TracerPid:").ends_with("\t0"));
    }
    assert_eq!(program.ask("open"), "back");
    assert_eq!(program.finish().0, Some(0));
}

#[test]
fn a_thread_that_does_not_stop_in_time_is_an_error_and_all_others_run() {
    let mut program = Program::start("threads", &["vfork", "1", "3"]);
    program.line();
    let process = program.process();
    let state = |tid: i32| {
        let stat = std::fs::read_to_string(format!("/proc/{}/task/{tid}/stat", process.pid()));
        stat.unwrap().rsplit_once(") ").unwrap().1.chars().next()
    };
    let threads = process.threads().unwrap();
    assert_eq!(threads.len(), 5);
    let waiting = loop {
        if let Some(waiting) = threads.iter().find(|tid| state(**tid) == Some('D')) {
            break *waiting;
        }
        std::thread::yield_now();
    };
    // What waits inside the kernel is held only when it has been waited for longer than this.
    let stop_timeout = Duration::from_millis(1);
    let options = StopOptions {
        stop_timeout,
        ..options()
    };
    let stopper = stopper();
    let (mut found, mut tries) = (0, 0);
    while found < 3 {
        tries += 1;
        assert!(tries < 300, "the others never stop in time");
        match PausedProcess::stop(&stopper, &process, &options) {
            Err(StopError::Unresponsive { tid, state, .. }) if tid == waiting => {
                assert_eq!(state, 'D');
                found += 1;
            }
            // On a busy machine another one may be late, too.
            Err(StopError::Unresponsive { .. }) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(program.ask("x"), "alive");
        for tid in &threads {
            let path = format!("/proc/{}/task/{tid}/status", program.pid());
            let status = std::fs::read_to_string(path).unwrap();
            assert!(status.contains("TracerPid:\t0\n"), "{status}");
            let asleep = if *tid == waiting { 'D' } else { 'S' };
            assert!(wait_for_state(program.pid(), *tid, asleep), "{status}");
        }
    }
    // Nor is anything left to stop it later.
    assert_eq!(program.ask("open"), "back");
    assert_eq!(program.ask("x"), "alive");
    assert_eq!(program.finish().0, Some(0));
}
