//! The target is never harmed: it serves on, sees no interrupted system call, and is not left stopped or traced, even by a ytrace that was killed.

use std::io::{BufRead, BufReader};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ytrace_tests::fixtures::{Nginx, Waiting, directory, unavailable};
use ytrace_tests::load::Load;
use ytrace_tests::processes::{Instants, assert_let_go, assert_untouched, rounds};
use ytrace_tests::program::{LUA_GC, run_lua_gc, run_text, start};
use ytrace_tests::skip;

/// These load the machine: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn loaded_nginx(test: &str, entries: u32) -> Option<Nginx> {
    if let Some(why) = unavailable("dwarf") {
        skip(test, &why);
        return None;
    }
    let nginx = Nginx::start("dwarf", &[]);
    nginx.get(&format!("/fill?n={entries}"));
    Some(nginx)
}

/// How many threads of the C program have started: a read of memory that can change, so that it is stopped.
const STARTED: &str = "_probe _oneshot { printf(\"%d\\n\", started); }";

/// A program that waits in every system call that a stop interrupts, and aborts on EINTR.
fn eintr(test: &str) -> Option<Waiting> {
    let program = directory().join("c/eintr");
    if !program.is_file() {
        skip(test, &format!("{} is missing", program.display()));
        return None;
    }
    Some(Waiting::start(&mut Command::new(program)))
}

/// The server's own account of what went wrong.
#[track_caller]
fn assert_clean_log(nginx: &Nginx) {
    let log = std::fs::read_to_string(nginx.prefix.join("logs/error.log")).unwrap();
    for word in [
        "[alert]",
        "[emerg]",
        "[crit]",
        "[error]",
        "epoll_wait",
        "Interrupted",
    ] {
        assert!(!log.contains(word), "{word} in the error log:\n{log}");
    }
}

/// 20 runs of the main job, one after another, while wrk loads the worker.
#[test]
fn load_is_served_through_runs() {
    let _alone = alone();
    let Some(nginx) = loaded_nginx("load_is_served_through_runs", 15_000) else {
        return;
    };
    let load = Load::start(nginx.port, "/ping");
    for round in 0..rounds(20).min(20) {
        // The heap moves under load, and the pause is what makes the picture whole.
        let more = match round % 5 {
            3 => &["--mode", "stop", "--max-pause", "2s"][..],
            _ => &[],
        };
        let result = run_lua_gc(nginx.worker, more).expect_status(0);
        assert!(result.stdout.contains("difference 0 B"), "{result}");
        assert!(result.stderr.contains("complete"), "{result}");
        assert_untouched(nginx.worker);
    }
    load.finish();
    assert_untouched(nginx.worker);
    assert_clean_log(&nginx);
    assert_eq!(nginx.number("/gccount").signum(), 1);
}

/// No system call of a program that aborts on EINTR returns it.
#[test]
fn no_call_returns_eintr() {
    let _alone = alone();
    let Some(mut target) = eintr("no_call_returns_eintr") else {
        return;
    };
    let rounds = rounds(50);
    let mut restarted = 0;
    for round in 0..rounds {
        let mode = if round % 2 == 0 { "copy" } else { "stop" };
        let result = run_text(STARTED, target.pid(), &["--mode", mode]).expect_status(0);
        assert_eq!(result.stdout, "7\n");
        result.says(&["complete"]);
        restarted += usize::from(result.stderr.contains("restarted"));
        assert!(target.running(), "it aborted in round {round}");
        assert_untouched(target.pid());
    }
    eprintln!("{rounds} runs; in {restarted} of them system calls were restarted");
    assert!(
        restarted * 2 > rounds,
        "the test must meet calls that need it"
    );
}

/// SIGKILL to ytrace at any instant of a run.
#[test]
fn a_killed_ytrace_leaves_nothing_behind() {
    let _alone = alone();
    let Some(nginx) = loaded_nginx("a_killed_ytrace_leaves_nothing_behind", 5_000) else {
        return;
    };
    let load = Load::start(nginx.port, "/ping");
    let worker = nginx.worker.to_string();
    let modes = [&[][..], &["--mode", "stop", "--max-pause", "1s"]];
    // How long each takes under this load.
    let whole = modes.map(|more| {
        let begun = Instant::now();
        let status = run_lua_gc(nginx.worker, more).status;
        // A worker that allocates all the time on a busy machine may leave some pages to be read late.
        assert!(matches!(status, Some(0 | 3)), "status {status:?}");
        begun.elapsed()
    });
    let mut instants = Instants::new();
    let rounds = rounds(30);
    let mut killed = 0;
    for round in 0..rounds {
        let which = round % modes.len();
        let mut arguments = vec!["run", LUA_GC, "-p", &worker];
        arguments.extend(modes[which]);
        let mut child = start(&arguments);
        // What it writes is little enough for the pipes. The instant is what is tried here.
        std::thread::sleep(instants.next(whole[which] + Duration::from_millis(10)));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        killed += usize::from(status.code().is_none());
        assert_let_go(nginx.worker);
    }
    eprintln!("{killed} of {rounds} runs (of {whole:?}) were killed before their end");
    assert!(killed * 2 > rounds, "the runs ended too soon to be killed");
    load.finish();
    assert_untouched(nginx.worker);
    assert_untouched(nginx.master);
    assert_clean_log(&nginx);
    // And a run after all that is as good as ever.
    let result = run_lua_gc(nginx.worker, &[]).expect_status(0);
    assert!(result.stdout.contains("difference 0 B"), "{result}");
}

/// The same while threads are held stopped in system calls: none sees EINTR from a tracer that dies.
#[test]
fn a_killed_ytrace_lets_waiting_threads_wait_on() {
    let _alone = alone();
    let Some(mut target) = eintr("a_killed_ytrace_lets_waiting_threads_wait_on") else {
        return;
    };
    let pid = target.pid().to_string();
    // A handler that did not read anything would not stop the target.
    let text =
        "_probe _oneshot { if (!_readable((void *) 8, 8)) printf(\"started\\n\"); for (;;) { } }";
    for round in 0..20 {
        let mut child = start(&[
            "run",
            "-e",
            text,
            "-p",
            &pid,
            "--mode",
            "stop",
            "--max-pause",
            "60s",
        ]);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "started\n");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(status.contains("State:\tt"), "it is stopped now: {status}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_let_go(target.pid());
        // A whole run needs the target's threads to be where they wait again.
        run_text(STARTED, target.pid(), &[]).expect_status(0);
        assert!(target.running(), "it aborted in round {round}");
    }
}

/// The same at any instant, also while threads are about to stop.
#[test]
fn a_killed_ytrace_lets_waiting_threads_wait_on_at_any_instant() {
    let _alone = alone();
    let Some(mut target) = eintr("a_killed_ytrace_lets_waiting_threads_wait_on_at_any_instant")
    else {
        return;
    };
    let pid = target.pid().to_string();
    let begun = Instant::now();
    run_text(STARTED, target.pid(), &[]).expect_status(0);
    let whole = begun.elapsed();
    let mut instants = Instants::new();
    for round in 0..rounds(60) {
        let mode = if round % 2 == 0 { "copy" } else { "stop" };
        let mut child = start(&["run", "-e", STARTED, "-p", &pid, "--mode", mode]);
        std::thread::sleep(instants.next(whole));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_let_go(target.pid());
        assert!(target.running(), "it aborted in round {round}");
    }
}
