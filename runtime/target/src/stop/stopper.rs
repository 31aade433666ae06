//! This program's side of the supervisors: starting them, asking them, and seeing that they end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::channel::{Failure, Order, Outcome, Reply, Request};
use super::process::{self, SupervisorProcess};
use super::supervisor;
use super::threads::Tables;
use super::worker::Worker;
use super::{PauseReport, StopOptions};
use crate::access::diagnose;
use crate::error::StopError;
use crate::process::Process;
use crate::registers::ThreadSnapshot;
use crate::sys;

/// How long a supervisor may take to answer beyond what it was given. After that it is ended, by which the kernel lets the
/// target go.
const ANSWER: Duration = Duration::from_secs(5);

/// How long a supervisor may take to end when its channel is closed, and again when it is killed. It may have to wait for a
/// thread for a second.
const END: Duration = Duration::from_secs(3);

/// Stops processes. Clones are handles to the same.
///
/// The tracing is done by supervisors, which are processes of their own, one for each pause under way. One that has nothing
/// to do is kept for the next pause. They end with the last handle, and with this program, however it ends.
#[derive(Clone, Debug, Default)]
pub struct Stopper {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    idle: Vec<Station>,
    /// The thread that starts stations. They get its priority, which is that of who first needed one.
    starter: Option<Worker>,
}

impl Stopper {
    /// One without a supervisor yet; the first pause starts it.
    pub fn new() -> Stopper {
        Stopper::default()
    }

    /// Starts a supervisor ahead of the first pause. Early is better: a fork of a small process is cheap, and pages that this
    /// program changes later are copied for as long as the supervisor lives. This supervisor, all later ones, and the threads
    /// that work during a pause get the priority that the calling thread has now.
    ///
    /// # Errors
    /// No process or thread could be made. The first pause tries again.
    pub fn prepare(&self) -> Result<(), StopError> {
        let station = self.take()?;
        self.give_back(station);
        Ok(())
    }

    /// A supervisor that is idle, or a new one.
    pub(crate) fn take(&self) -> Result<Station, StopError> {
        let mut shared = self.lock();
        while let Some(mut station) = shared.idle.pop() {
            // Nothing is lost by one that somebody has ended while it had nothing to do.
            if !station.supervisor.process.is_gone() {
                return Ok(station);
            }
        }
        let no_thread = |errno| StopError::NoThread { errno };
        // One that has gone is not kept; another is tried once.
        for _ in 0..2 {
            let starter = match shared.starter.take() {
                Some(starter) => starter,
                None => Worker::start("ytrace-start").map_err(no_thread)?,
            };
            if let Some(station) = starter.run(Station::start) {
                shared.starter = Some(starter);
                return station;
            }
        }
        Err(no_thread(Errno::ESRCH))
    }

    pub(crate) fn give_back(&self, station: Station) {
        if !station.supervisor.process.is_lost() {
            self.lock().idle.push(station);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A supervisor, and the thread of this program that works while it holds a process.
#[derive(Debug)]
pub(crate) struct Station {
    pub(crate) supervisor: Supervisor,
    pub(crate) worker: Worker,
}

impl Station {
    fn start() -> Result<Station, StopError> {
        let supervisor = Supervisor::start()?;
        let worker = Worker::start("ytrace-copy").map_err(|errno| StopError::NoThread { errno })?;
        Ok(Station { supervisor, worker })
    }
}

/// A process that is held stopped by a supervisor.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// The threads, with their registers at the stop.
    pub(crate) threads: Vec<ThreadSnapshot>,
    /// When the pause began.
    pub(crate) began: Instant,
}

/// A supervisor.
#[derive(Debug)]
pub(crate) struct Supervisor {
    process: SupervisorProcess,
    tables: Tables,
}

impl Supervisor {
    fn start() -> Result<Supervisor, StopError> {
        let (by_range, by_pidfd) = process::tiers()?;
        Supervisor::fork(by_range, by_pidfd).map_err(|errno| StopError::NoSupervisor { errno })
    }

    fn fork(by_range: bool, by_pidfd: bool) -> Result<Supervisor, Errno> {
        let mut tables = Tables::new()?;
        // SAFETY: what the supervisor does is allowed after a fork of a program with several threads.
        let process = unsafe {
            SupervisorProcess::fork(super::SUPERVISOR_NAME, by_range, by_pidfd, END, |channel| {
                supervisor::run(channel, &mut tables)
            })
        }?;
        Ok(Supervisor { process, tables })
    }

    /// Its number.
    pub(crate) fn pid(&self) -> i32 {
        self.process.pid
    }

    /// Stops all threads of a process, for `limit` at most, or for ever.
    ///
    /// # Errors
    /// It could not be done; the process is running again.
    pub(crate) fn stop(
        &mut self,
        process: &Process,
        options: &StopOptions,
        limit: Duration,
    ) -> Result<Stopped, StopError> {
        let pid = process.pid();
        if u32::try_from(pid).is_ok_and(|pid| pid == std::process::id()) {
            return Err(StopError::Ourselves { pid });
        }
        if process.exited() {
            return Err(StopError::Exited { pid });
        }
        if let Some(tracer) = process.tracer() {
            return Err(already_traced(pid, tracer));
        }
        let order = Order {
            pid,
            timeout: sys::nanoseconds(options.stop_timeout),
            limit: sys::nanoseconds(limit),
            realtime: options.realtime,
        };
        if !self.ask(&order) {
            // One that somebody has ended before it was asked has done nothing: another takes its place, once.
            match self.process.give_up() {
                StopError::TracerLost => *self = Supervisor::start()?,
                stuck => return Err(stuck),
            }
            if !self.ask(&order) {
                return Err(self.process.give_up());
            }
        }
        match self
            .process
            .receive::<Reply>(options.stop_timeout.saturating_add(ANSWER))
        {
            Some(Reply::Stopped { records, began }) => {
                let since = Duration::from_nanos(sys::monotonic_ns().saturating_sub(began));
                let now = Instant::now();
                Ok(Stopped {
                    threads: self.snapshots(records),
                    began: now.checked_sub(since).unwrap_or(now),
                })
            }
            Some(Reply::Failed(failure)) => {
                // It ends after a failure, for not all may have been undone.
                self.process.end()?;
                Err(stop_error(pid, failure))
            }
            _ => Err(self.process.give_up()),
        }
    }

    /// Sends an order to stop; false where nobody takes it.
    fn ask(&self, order: &Order) -> bool {
        self.process.send(&Request::Stop(*order))
    }

    /// Whether the process is still held: the limit is not over, and the supervisor is there.
    pub(crate) fn holds(&self) -> bool {
        // It says nothing while it holds a process.
        self.process.is_silent()
    }

    /// Lets the process go on. Besides how that went, tells when it began to.
    ///
    /// # Errors
    /// The supervisor has gone, by which the kernel has let the process go, nobody knows when.
    pub(crate) fn resume(&mut self) -> Result<(PauseReport, Instant), StopError> {
        // If it has gone, that is found next.
        self.process.send(&Request::Resume);
        let Some(Reply::Resumed(outcome)) = self.process.receive::<Reply>(ANSWER) else {
            return Err(self.process.give_up());
        };
        if outcome.leaving {
            self.process.end()?;
        }
        let since = Duration::from_nanos(sys::monotonic_ns().saturating_sub(outcome.resumed));
        let now = Instant::now();
        Ok((report(&outcome), now.checked_sub(since).unwrap_or(now)))
    }

    fn snapshots(&self, records: usize) -> Vec<ThreadSnapshot> {
        // The supervisor writes these before it answers, and then not until the next order, which comes from here.
        let seen = (0..records).map_while(|index| self.tables.seen.get(index));
        seen.filter_map(|seen| {
            Some(ThreadSnapshot {
                tid: seen.tid,
                registers: seen.registers()?,
            })
        })
        .collect()
    }
}

fn report(outcome: &Outcome) -> PauseReport {
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    PauseReport {
        pause: Duration::from_nanos(outcome.pause),
        stopping: Duration::from_nanos(outcome.stopping),
        resuming: Duration::from_nanos(outcome.resuming),
        threads: count(outcome.threads),
        restarted_calls: count(outcome.restarted_calls),
        signals_passed: count(outcome.signals_passed),
        held_in_kernel: count(outcome.held_in_kernel),
        was_stopped: outcome.was_stopped,
        realtime: outcome.realtime,
        expired: outcome.expired,
    }
}

pub(crate) fn stop_error(pid: i32, failure: Failure) -> StopError {
    match failure {
        Failure::Exited => StopError::Exited { pid },
        Failure::AlreadyTraced { tracer } => already_traced(pid, tracer),
        Failure::Denied { errno } => StopError::Denied {
            pid,
            cause: diagnose(pid, errno),
        },
        Failure::Unresponsive {
            tid,
            state,
            waited_us,
        } => StopError::Unresponsive {
            pid,
            tid,
            state,
            waited_us,
        },
        Failure::TooManyThreads => StopError::TooManyThreads {
            pid,
            limit: super::threads::MAX_THREADS,
        },
        Failure::Call { call, tid, errno } => StopError::Call {
            call: call.name(),
            tid,
            errno,
        },
    }
}

pub(crate) fn already_traced(pid: i32, tracer: i32) -> StopError {
    let name = std::fs::read(format!("/proc/{tracer}/comm")).ok();
    let name = name.map(|name| String::from_utf8_lossy(&name).trim_end().to_owned());
    StopError::AlreadyTraced { pid, tracer, name }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};

    use super::*;

    fn is_there(pid: i32) -> bool {
        // SAFETY: the call takes no pointer, and signal 0 does nothing.
        unsafe { libc::kill(pid, 0) == 0 }
    }

    #[test]
    fn what_starts_later_has_the_priority_of_the_first() {
        fn priority(pid: i32) -> i32 {
            // SAFETY: the call takes no pointer; 0 means the calling thread.
            unsafe { libc::getpriority(libc::PRIO_PROCESS, pid.cast_unsigned()) }
        }
        let thread = std::thread::spawn(|| {
            let before = priority(0);
            let stopper = Stopper::new();
            stopper.prepare().unwrap();
            crate::scheduling::give_way();
            assert!(priority(0) > before || before >= 10);
            let check = |station: &Station| {
                assert_eq!(priority(station.supervisor.process.pid), before);
                assert_eq!(station.worker.run(|| priority(0)), Some(before));
            };
            // Two pauses at once.
            let (first, second) = (stopper.take().unwrap(), stopper.take().unwrap());
            check(&first);
            check(&second);
            stopper.give_back(first);
            // One that was ended while it had nothing to do, and one at work.
            for idle in [true, false] {
                let mut station = stopper.take().unwrap();
                let ended = station.supervisor.process.pid;
                if idle {
                    // SAFETY: the call takes no pointer; the process is one that this test has made.
                    unsafe { libc::kill(ended, libc::SIGKILL) };
                    while std::fs::read_to_string(format!("/proc/{ended}/stat"))
                        .is_ok_and(|stat| !stat.contains(") Z "))
                    {
                        std::thread::yield_now();
                    }
                } else {
                    assert!(matches!(
                        station.supervisor.process.give_up(),
                        StopError::TracerLost
                    ));
                }
                stopper.give_back(station);
                let another = stopper.take().unwrap();
                assert_ne!(another.supervisor.process.pid, ended);
                check(&another);
                stopper.give_back(another);
            }
        });
        thread.join().unwrap();
    }

    #[test]
    fn a_stranger_with_the_number_of_a_supervisor_is_not_killed() {
        let mut parent = Command::new("sh")
            .args(["-c", "exec 3<&0; cat <&3 & echo $!; wait"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = parent.stdin.take().unwrap();
        let mut output = BufReader::new(parent.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        // A child of our child, so none that we could reap: as a supervisor that the kernel has reaped.
        let stranger = line.trim().parse().unwrap();
        for by_pidfd in [true, false] {
            let mut supervisor = Supervisor::fork(true, by_pidfd).unwrap();
            let pid = std::mem::replace(&mut supervisor.process.pid, stranger);
            supervisor.process.kill();
            // It answers, so it lives.
            line.clear();
            input.write_all(b"alive\n").unwrap();
            output.read_line(&mut line).unwrap();
            assert_eq!(line, "alive\n");
            supervisor.process.pid = pid;
            supervisor.process.lost = false;
            supervisor.process.end().unwrap();
            assert!(!is_there(pid));
        }
        drop(input);
        parent.wait().unwrap();
    }

    #[test]
    fn one_that_was_ended_before_it_was_asked_is_replaced() {
        let mut target = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let process = Process::open(i32::try_from(target.id()).unwrap()).unwrap();
        let stopper = Stopper::new();
        let mut station = stopper.take().unwrap();
        let ended = station.supervisor.process.pid;
        // SAFETY: the calls take no pointer but one to a live value; the process is one that this test has made.
        unsafe {
            libc::kill(ended, libc::SIGKILL);
            let mut info = std::mem::zeroed::<libc::siginfo_t>();
            let flags = libc::WEXITED | libc::WNOWAIT;
            libc::waitid(libc::P_PID, ended as libc::id_t, &mut info, flags);
        }
        let options = StopOptions::default();
        let stopped = station.supervisor.stop(&process, &options, Duration::MAX);
        assert_eq!(stopped.unwrap().threads.len(), 1);
        assert_ne!(station.supervisor.process.pid, ended);
        assert!(!is_there(ended));
        station.supervisor.resume().unwrap();
        stopper.give_back(station);
        drop(target.stdin.take());
        target.wait().unwrap();
    }

    #[test]
    fn a_starter_that_has_gone_is_replaced() {
        let stopper = Stopper::new();
        stopper.prepare().unwrap();
        let mut shared = stopper.lock();
        shared.idle.clear();
        // As when a job of its has panicked.
        shared.starter.as_mut().unwrap().stop();
        drop(shared);
        let station = stopper.take().unwrap();
        stopper.give_back(station);
        assert!(stopper.lock().starter.is_some());
    }

    #[test]
    fn a_supervisor_is_killed_with_and_without_a_pidfd() {
        for by_pidfd in [true, false] {
            let mut supervisor = Supervisor::fork(true, by_pidfd).unwrap();
            assert_eq!(supervisor.process.pidfd.is_some(), by_pidfd);
            let pid = supervisor.process.pid;
            // SAFETY: the call takes no pointer; the process is one that this test has made.
            unsafe { libc::kill(pid, libc::SIGSTOP) };
            assert!(matches!(
                supervisor.process.give_up(),
                StopError::TracerLost
            ));
            assert!(!is_there(pid));
        }
    }

    #[test]
    fn a_supervisor_that_does_not_end_is_an_error() {
        let mut supervisor = Supervisor::fork(true, true).unwrap();
        let pid = supervisor.process.pid;
        // SAFETY: the call takes no pointer; the process is one that this test has made.
        unsafe { libc::kill(pid, libc::SIGSTOP) };
        // As if it had been killed, and waited inside the kernel.
        supervisor.process.killed = true;
        let stuck = supervisor.process.end().unwrap_err();
        assert!(matches!(stuck, StopError::TracerStuck { tracer } if tracer == pid));
        supervisor.process.killed = false;
        supervisor.process.lost = false;
        assert!(matches!(
            supervisor.process.give_up(),
            StopError::TracerLost
        ));
        assert!(!is_there(pid));
    }
}
