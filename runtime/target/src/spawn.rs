//! Starting a command so that it can be looked at when it exits, while its memory is still there.
//!
//! The command is started by a tracer thread of its own, which has seized it before it executes anything, so that even
//! `/bin/true` is not missed. It runs as it would by itself: every signal is passed on, job control stops it as usual, new
//! threads are followed, and the processes that it forks are not traced. When it exits (by `exit_group`, by a fatal signal,
//! or because its last thread ends) the kernel stops each thread before its memory goes, and there it is held until
//! [`SpawnedTarget::release`].
//!
//! # What a death of this program leaves behind
//!
//! `PTRACE_O_EXITKILL` is never set: when the tracer thread ends, in whatever way, the kernel detaches from the command,
//! which goes on. A thread that is stopped for a signal gets it (stops are observed with `WNOWAIT`), one that is held at its
//! exit goes on exiting, one that job control has stopped stays stopped. The child that waits before its `execve` to be
//! seized reads from a pipe: when that closes without a word, it goes on untraced.
//!
//! # What tracing changes
//!
//! The kernel ignores the set-user-ID bit of a program whose tracer lacks the privilege, as it does under a debugger. The
//! command has a tracer while it runs, so a second one (`strace -p`, `gdb -p`) is refused. A signal with a handler costs two
//! more context switches, a new thread four.
//!
//! # The signal of the tracer thread
//!
//! The tracer thread waits inside `waitid`, which only a signal ends early. The owner sends `SIGURG` to that one thread, for
//! which an empty handler is installed at the first use; the default action of this signal is to be ignored.

mod child;
mod command;
mod error;
mod requests;
mod tracer;

pub use error::SpawnError;

use std::os::unix::process::ExitStatusExt;
use std::os::unix::thread::JoinHandleExt;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::process::Process;
use crate::registers::ThreadSnapshot;
use crate::sys;
use tracer::{Message, Order};

/// How long an interrupt may go unnoticed.
const SLICE: Duration = Duration::from_millis(20);
/// How long after an interrupt the command may take to exit by it.
const INTERRUPT_GRACE: Duration = Duration::from_secs(1);
/// How long a command may take to end by SIGTERM before it is left alone.
const TERM_GRACE: Duration = Duration::from_secs(5);
/// How often the tracer thread is told again to leave.
const KICK: Duration = Duration::from_millis(1);
/// The longest to wait for the kernel to have detached.
const DETACH_LIMIT: Duration = Duration::from_secs(1);

/// How waiting for a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The command is exiting, with this status. No thread of it runs its program any more, its memory can be read, and it
    /// stays so until [`SpawnedTarget::release`].
    AtExit(ExitStatus),
    /// The time was over. The command runs on, and is not traced any more.
    After,
    /// The interrupt came, and the command did not exit by it within a second. It runs on, and is not traced any more.
    Interrupted,
    /// The command has gone without its exit having been held. The status is unknown where somebody else took it.
    Gone(Option<ExitStatus>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Traced,
    Exiting {
        status: ExitStatus,
        threads: Vec<ThreadSnapshot>,
    },
    Free(Held),
    Gone(Option<ExitStatus>),
}

/// A command that this program has started.
///
/// When this value is dropped while the command runs, because its time was over or an interrupt came, the command is sent
/// SIGTERM (and SIGCONT, in case it is stopped), for whoever starts a program ends it too; after five seconds it is left
/// alone. SIGKILL is for a command alone that is still held before its own code runs ([`spawn_held`]), so that none of it ever does.
#[derive(Debug)]
pub struct SpawnedTarget {
    pid: i32,
    process: Process,
    messages: Receiver<Message>,
    order: Arc<Order>,
    tracer: Option<JoinHandle<()>>,
    phase: Phase,
    /// Whether it waits for [`SpawnedTarget::go`], and nothing of its own code has run.
    waits: bool,
}

/// Starts a command, which inherits standard input, output and error, the environment and the working directory.
///
/// The command line is split into words as a shell does, with quotes and backslashes and without expansions. A first word
/// without a slash is looked up in `PATH`. When this returns, the command has executed its program.
///
/// # Errors
/// The command line is not well-formed, there is no such program, it cannot be executed, or it may not be traced; nothing
/// is left running.
pub fn spawn(command: &str) -> Result<SpawnedTarget, SpawnError> {
    start(command, false)
}

/// The same, but the command is held when the dynamic linker has loaded and relocated its libraries, before their constructors
/// and its own code run, until [`SpawnedTarget::go`]. Where there is no dynamic linker, it is held before its first
/// instruction; where there is one that does not tell what it does (`r_debug` of `link.h`), at its first system call.
///
/// The dynamic linker is followed from one of its system calls to the next: no breakpoint is set.
///
/// # Errors
/// As [`spawn`].
pub fn spawn_held(command: &str) -> Result<SpawnedTarget, SpawnError> {
    let mut target = start(command, true)?;
    loop {
        match target.messages.recv() {
            Ok(Message::Loaded) => {
                target.waits = true;
                return Ok(target);
            }
            Ok(message) => target.note(message),
            Err(_) => return Err(SpawnError::TracerLost),
        }
        if target.phase != Phase::Traced {
            // It ended before that: what is left of it is for the caller to see.
            return Ok(target);
        }
    }
}

fn start(command: &str, hold: bool) -> Result<SpawnedTarget, SpawnError> {
    // A child that was forked but has not exec'ed yet holds the pipes of every start under way, which would then wait for
    // each other's end: one start at a time.
    static STARTING: Mutex<()> = Mutex::new(());
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let plan = command::plan(command)?;
    tracer::install_wake_up();
    let (sender, messages) = mpsc::channel();
    let order = Arc::new(Order::default());
    let given = Arc::clone(&order);
    let tracer = std::thread::Builder::new()
        .name("ytrace-command".to_owned())
        .spawn(move || tracer::run(&plan, hold, &sender, &given))
        .map_err(|error| SpawnError::NoThread {
            errno: sys::errno_of(&error),
        })?;
    match messages.recv() {
        Ok(Message::Started(process)) => Ok(SpawnedTarget {
            pid: process.pid(),
            process,
            messages,
            order,
            tracer: Some(tracer),
            phase: Phase::Traced,
            waits: false,
        }),
        Ok(Message::Failed(error)) => {
            let _ = tracer.join();
            Err(error)
        }
        Ok(_) | Err(_) => {
            let _ = tracer.join();
            Err(SpawnError::TracerLost)
        }
    }
}

impl SpawnedTarget {
    /// The command's process. While it is held at its exit, its memory is read through this as ever. Where the main thread
    /// had ended before the others, this is a handle through a thread that is still there.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The threads with their registers as they came to their exit; empty unless the command is held at its exit.
    pub fn threads(&self) -> &[ThreadSnapshot] {
        match &self.phase {
            Phase::Exiting { threads, .. } => threads,
            _ => &[],
        }
    }

    /// Lets a command go on that [`spawn_held`] has started.
    pub fn go(&mut self) {
        self.waits = false;
        self.order.give(Order::GO);
        if let Some(tracer) = &self.tracer {
            tracer.thread().unpark();
        }
    }

    /// Stops tracing the command, unless it is exiting at this very moment: it goes on, its exit is not held.
    pub fn set_free(&mut self) {
        if self.phase == Phase::Traced {
            self.detach(Held::After);
        }
    }

    /// What has become of the command, without waiting; `None` while it runs.
    pub fn look(&mut self) -> Option<Held> {
        while self.phase == Phase::Traced {
            match self.messages.try_recv() {
                Ok(message) => self.note(message),
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => self.detach(Held::Interrupted),
            }
        }
        match &self.phase {
            Phase::Exiting { status, .. } => Some(Held::AtExit(*status)),
            Phase::Gone(status) => Some(Held::Gone(*status)),
            Phase::Traced | Phase::Free(_) => self
                .process
                .exited()
                .then(|| Held::Gone(self.reap(Duration::ZERO))),
        }
    }

    /// Waits until the command exits, `interrupt` is set, or `after` is over. It is for one call; later ones tell the same
    /// again, or that the command has gone.
    ///
    /// A terminal sends its Ctrl-C to the command as well. So after an interrupt the command has a second to exit, in
    /// which case the answer is [`Held::AtExit`].
    pub fn wait(&mut self, interrupt: &AtomicBool, after: Option<Duration>) -> Held {
        let deadline = after.and_then(|after| Instant::now().checked_add(after));
        let mut patience: Option<Instant> = None;
        while self.phase == Phase::Traced {
            let now = Instant::now();
            if patience.is_none() && interrupt.load(Ordering::Relaxed) {
                patience = now.checked_add(INTERRUPT_GRACE);
            }
            let soonest = [patience, deadline].into_iter().flatten().min();
            let left = soonest.map_or(SLICE, |soonest| soonest.saturating_duration_since(now));
            match self.messages.recv_timeout(left.min(SLICE)) {
                Ok(message) => self.note(message),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => {
                    self.detach(if patience.is_some() {
                        Held::Interrupted
                    } else {
                        Held::After
                    });
                }
                Err(RecvTimeoutError::Timeout) => {}
                // The kernel has detached.
                Err(RecvTimeoutError::Disconnected) => self.detach(Held::Interrupted),
            }
        }
        match &self.phase {
            Phase::Exiting { status, .. } => Held::AtExit(*status),
            Phase::Gone(status) => Held::Gone(*status),
            Phase::Free(held) if !self.process.exited() => *held,
            Phase::Traced | Phase::Free(_) => Held::Gone(self.reap(Duration::ZERO)),
        }
    }

    /// Lets a command go that is held at its exit, and waits for its end; the memory is gone then. A command that runs on
    /// is only looked at, and one that still waits for [`SpawnedTarget::go`] is ended. `None` while it runs, or when somebody else took its status.
    pub fn release(&mut self) -> Option<ExitStatus> {
        match self.phase {
            Phase::Exiting { status, .. } => {
                self.end_tracer();
                // Only the teardown of its memory, or the writing of its core, is left to be done.
                let found = self.reap(Duration::MAX).or(Some(status));
                self.phase = Phase::Gone(found);
                found
            }
            Phase::Gone(status) => status,
            Phase::Traced if self.waits => self.abandon(),
            Phase::Traced => {
                self.detach(Held::After);
                self.reap(Duration::ZERO)
            }
            Phase::Free(_) => self.reap(Duration::ZERO),
        }
    }

    fn note(&mut self, message: Message) {
        match message {
            Message::AtExit {
                status,
                threads,
                reader,
            } => {
                if let Some(reader) = reader {
                    self.process = reader;
                }
                let status = ExitStatus::from_raw(status);
                self.phase = Phase::Exiting { status, threads };
            }
            Message::Gone => {
                self.end_tracer();
                let status = self.reap(Duration::MAX);
                self.phase = Phase::Gone(status);
            }
            Message::Started(_) | Message::Loaded | Message::Failed(_) => {}
        }
    }

    /// Detaches from the running command, unless it is exiting at this very moment.
    fn detach(&mut self, held: Held) {
        self.order.give(Order::DETACH);
        loop {
            self.kick();
            match self.messages.recv_timeout(KICK) {
                Ok(message) => {
                    // It came to its exit before the order, which is then void.
                    self.note(message);
                    if self.phase != Phase::Traced {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.end_tracer();
        self.phase = Phase::Free(held);
    }

    /// Ends the tracer thread, by which the kernel detaches from all that it traces.
    fn end_tracer(&mut self) {
        let Some(tracer) = self.tracer.take() else {
            return;
        };
        self.order.give(Order::END);
        while !tracer.is_finished() {
            tracer.thread().unpark();
            tracer::wake_up(tracer.as_pthread_t());
            // Nothing is sent any more: this waits for the other end to be dropped.
            let _ = self.messages.recv_timeout(KICK);
        }
        let _ = tracer.join();
        // A thread is joined a moment before the kernel has detached.
        let began = Instant::now();
        while self.process.tracer().is_some() && began.elapsed() < DETACH_LIMIT {
            std::thread::yield_now();
        }
    }

    fn kick(&self) {
        if let Some(tracer) = self.tracer.as_ref().filter(|tracer| !tracer.is_finished()) {
            tracer.thread().unpark();
            tracer::wake_up(tracer.as_pthread_t());
        }
    }

    /// Waits for the end of a command that is not traced, and takes its status.
    fn reap(&mut self, limit: Duration) -> Option<ExitStatus> {
        if let Phase::Gone(status) = self.phase {
            return status;
        }
        let pid = self.pid;
        let found = if limit == Duration::MAX {
            requests::exit_status(pid, true)
        } else {
            let deadline = Instant::now().checked_add(limit);
            loop {
                match requests::exit_status(pid, false) {
                    Ok(None) if deadline.is_some_and(|deadline| Instant::now() < deadline) => {
                        std::thread::sleep(KICK);
                    }
                    other => break other,
                }
            }
        };
        match found {
            Ok(None) => None,
            Ok(Some(status)) => {
                let status = Some(ExitStatus::from_raw(status));
                self.phase = Phase::Gone(status);
                status
            }
            Err(_) => {
                self.phase = Phase::Gone(None);
                None
            }
        }
    }
}

impl Drop for SpawnedTarget {
    fn drop(&mut self) {
        match self.phase {
            Phase::Gone(_) => {}
            Phase::Exiting { .. } => {
                self.release();
            }
            Phase::Traced if self.waits => {
                self.abandon();
            }
            Phase::Traced => {
                self.detach(Held::After);
                if self.phase == Phase::Free(Held::After) {
                    self.terminate();
                } else {
                    self.release();
                }
            }
            Phase::Free(_) => self.terminate(),
        }
        self.end_tracer();
    }
}

impl SpawnedTarget {
    /// Ends a command before any of its own code has run. It has nothing to do first, so it is not asked.
    fn abandon(&mut self) -> Option<ExitStatus> {
        self.waits = false;
        // Not reaped yet, so the number is still that of the command.
        let _ = requests::send_signal(self.pid, libc::SIGKILL);
        self.end_tracer();
        self.reap(Duration::MAX)
    }

    fn terminate(&mut self) {
        if self.reap(Duration::ZERO).is_some() || matches!(self.phase, Phase::Gone(_)) {
            return;
        }
        // Not reaped yet, so the number is still that of the command.
        let pid = self.pid;
        if requests::send_signal(pid, libc::SIGTERM) != Err(Errno::ESRCH) {
            let _ = requests::send_signal(pid, libc::SIGCONT);
            self.reap(TERM_GRACE);
        }
    }
}
