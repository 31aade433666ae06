//! The thread that traces a command from before its first instruction to its exit.

use std::collections::HashMap;
use std::sync::Once;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::SpawnError;
use super::child::{Child, Report};
use super::command::{Plan, execute_error};
use super::requests::{self, Call};
use crate::access::diagnose;
use crate::live::{LiveMemory, LiveOptions};
use crate::modules;
use crate::process::Process;
use crate::ptrace::{self, Change, EVENT_CALL, EVENT_STOP};
use crate::registers::{Registers, ThreadSnapshot};
use crate::tasks::thread_state;

/// The signal that ends the tracer's wait.
const WAKE_UP: i32 = libc::SIGURG;
/// How long the other threads may take to come to their exit. What keeps them is inside the kernel: a core that is being
/// written on kernels before 5.16, a file system that does not answer. They run no more of their program.
const ALL_LIMIT: Duration = Duration::from_secs(1);
/// How often the threads are looked at until all have come to their exit.
const LOOK: Duration = Duration::from_micros(50);

/// The most system calls of the dynamic linker that are looked at: a program that makes more of them is on its way.
const MOST_CALLS: u32 = 20_000;

/// What the owner wants of the tracer.
#[derive(Debug, Default)]
pub(super) struct Order(AtomicU8);

impl Order {
    /// Let the command go that is held before its own code runs.
    pub(super) const GO: u8 = 1;
    /// Detach from the command, unless it is exiting.
    pub(super) const DETACH: u8 = 2;
    /// End in any case.
    pub(super) const END: u8 = 3;

    pub(super) fn give(&self, order: u8) {
        self.0.fetch_max(order, Ordering::AcqRel);
    }

    fn given(&self) -> u8 {
        self.0.load(Ordering::Acquire)
    }
}

/// What the tracer tells its owner.
#[derive(Debug)]
pub(super) enum Message {
    /// The program has been executed.
    Started(Process),
    /// Its libraries are loaded, and it is held until [`Order::GO`].
    Loaded,
    /// It could not be, and the child has gone.
    Failed(SpawnError),
    /// The process is held at its exit until [`Order::END`].
    AtExit {
        /// The wait status that it will have.
        status: i32,
        threads: Vec<ThreadSnapshot>,
        /// A handle through another thread, where the main thread has no memory any more.
        reader: Option<Process>,
    },
    /// The process has exited unseen. It waits to be reaped.
    Gone,
}

/// Makes the wake-up signal end system calls instead of being ignored.
pub(super) fn install_wake_up() {
    extern "C" fn nothing(_signal: libc::c_int) {}
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: an all-zero sigaction is valid: no flags, so that the call is not restarted, and an empty mask.
        let mut action = unsafe { std::mem::zeroed::<libc::sigaction>() };
        action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as usize;
        // SAFETY: the pointer is to a live sigaction; the handler does nothing, which is allowed.
        unsafe { libc::sigaction(WAKE_UP, &action, std::ptr::null_mut()) };
    });
}

/// Ends the wait of a tracer thread that has not been joined.
pub(super) fn wake_up(tracer: libc::pthread_t) {
    // SAFETY: the caller holds the thread's handle, so it has not been joined, and its identity is still valid.
    unsafe { libc::pthread_kill(tracer, WAKE_UP) };
}

/// What the tracer thread does.
pub(super) fn run(plan: &Plan, hold: bool, messages: &Sender<Message>, order: &Order) {
    let (child, report) = match start(plan) {
        Ok(started) => started,
        Err(error) => {
            // Nobody listening means that nobody wants it.
            let _ = messages.send(Message::Failed(error));
            return;
        }
    };
    let mut tracer = Tracer {
        pid: child,
        plan,
        messages,
        order,
        report: Some(report),
        process: None,
        threads: HashMap::from([(child, State::Running)]),
        leader: true,
        status: None,
        undecided: None,
        deadline: None,
        loading: None,
        hold,
    };
    if tracer.watch() == End::AtExit {
        while order.given() < Order::END {
            std::thread::park();
        }
    }
    // The end of this operating system thread detaches from everything.
}

/// Forks the child, seizes it, and lets it go on to its `execve`.
fn start(plan: &Plan) -> Result<(i32, Report), SpawnError> {
    // SAFETY: all-zero signal sets are valid, and are filled before they are used.
    let (mut all, mut before) = unsafe { std::mem::zeroed::<(libc::sigset_t, libc::sigset_t)>() };
    // SAFETY: the pointers are to live sets.
    unsafe {
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
    }
    let forked = Child::fork(plan, &before);
    // This thread has no use for any signal but the one that wakes it, and those of its own faults.
    // SAFETY: the pointer is to a live set.
    unsafe {
        for signal in [
            WAKE_UP,
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGFPE,
            libc::SIGILL,
        ] {
            libc::sigdelset(&mut all, signal);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, std::ptr::null_mut());
    }
    let child = forked.map_err(|(call, errno)| SpawnError::Call { call, errno })?;
    let pid = child.pid;
    if let Err(errno) = ptrace::seize(pid, requests::EVENTS) {
        let cause = diagnose(pid, errno);
        child.give_up();
        let _ = requests::exit_status(pid, true);
        return Err(SpawnError::Denied { cause });
    }
    Ok((pid, child.go()))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Running,
    /// Stopped before its memory goes, and kept there.
    AtExit(Option<Registers>),
    /// It has been let go on from there.
    Exiting,
    /// Another process, which the kernel has us trace too since it was not made by a plain fork. It is let go at its first
    /// stop.
    Foreign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    AtExit,
    /// The owner has been told, or told us to go.
    Over,
}

struct Tracer<'a> {
    pid: i32,
    plan: &'a Plan,
    messages: &'a Sender<Message>,
    order: &'a Order,
    /// Until the program has been executed.
    report: Option<Report>,
    process: Option<Process>,
    threads: HashMap<i32, State>,
    /// Whether the main thread still has its memory.
    leader: bool,
    /// The exit status, once the process is known to exit.
    status: Option<i32>,
    /// Since when threads are kept of which it is not known whether they end by an exit or by an `execve`.
    undecided: Option<Instant>,
    /// When the threads that have not come to their exit are no longer waited for.
    deadline: Option<Instant>,
    /// How many more system calls of the dynamic linker are looked at, while it is at work.
    loading: Option<u32>,
    /// Whether the command is to be held when its libraries are loaded.
    hold: bool,
}

impl Tracer<'_> {
    fn watch(&mut self) -> End {
        loop {
            let closing = self.status.is_some() || self.undecided.is_some();
            let ordered = self.order.given();
            if ordered == Order::END {
                return End::Over;
            }
            let wait = !closing && ordered < Order::DETACH;
            let change = match ptrace::any_change(wait) {
                Ok(change) => change,
                // Not among the errors that the call has; the end of this thread detaches.
                Err(_) => return End::Over,
            };
            match change {
                Change::Stopped { tid, signal, event } => self.stopped(tid, signal, event),
                Change::Exited { tid } if tid == self.pid => return self.gone(),
                Change::Exited { tid } => {
                    ptrace::take_note(tid);
                    self.threads.remove(&tid);
                }
                Change::NoneLeft => return self.gone(),
                Change::Interrupted => {}
                Change::Nothing if !closing && ordered >= Order::DETACH => return End::Over,
                Change::Nothing => std::thread::sleep(LOOK),
            }
            if self.status.is_some() {
                if self.all_at_exit() {
                    return self.at_exit();
                }
            } else if let Some(since) = self.undecided {
                self.decide(since);
            }
        }
    }

    fn stopped(&mut self, tid: i32, signal: i32, event: i32) {
        let known = self.threads.get(&tid).copied();
        let state = match known {
            Some(state) => state,
            // The first stop of a new thread may be seen before its maker's.
            None => self.meet(tid),
        };
        if state == State::Foreign {
            // It leaves our sight by this; an error means that it was killed.
            let _ = ptrace::detach(tid, 0);
            self.threads.remove(&tid);
            return;
        }
        // An error of a request means that the thread was killed this very moment: its exit is seen next.
        let done = match event {
            libc::PTRACE_EVENT_EXIT => {
                self.exiting(tid);
                Ok(())
            }
            libc::PTRACE_EVENT_EXEC => {
                // The kernel refuses requests to a thread whose number this `execve` has changed until the event has been
                // taken note of (`looks_like_a_spurious_pid`).
                ptrace::take_note(tid);
                self.executed();
                self.load();
                self.go_on(tid, 0)
            }
            EVENT_CALL => {
                self.load();
                self.go_on(tid, 0)
            }
            libc::PTRACE_EVENT_CLONE => {
                if let Ok(new) = ptrace::event_message(tid)
                    && let Ok(new) = i32::try_from(new)
                    && !self.threads.contains_key(&new)
                {
                    self.meet(new);
                }
                ptrace::go_on(tid, 0)
            }
            EVENT_STOP if is_stop_signal(signal) => {
                ptrace::listen(tid).or_else(|_| ptrace::go_on(tid, 0))
            }
            0 => self.go_on(tid, signal),
            _ => self.go_on(tid, 0),
        };
        if done.is_err_and(|errno| errno != Errno::ESRCH) {
            let _ = ptrace::go_on(tid, 0);
        }
    }

    /// Lets a thread go on, to the next system call while the dynamic linker is at work.
    fn go_on(&self, tid: i32, signal: i32) -> Result<(), Errno> {
        match self.loading {
            Some(_) if tid == self.pid => ptrace::go_on_to_call(tid, signal),
            _ => ptrace::go_on(tid, signal),
        }
    }

    /// Looks whether the libraries are loaded, and if they are, holds the command until it is to go on.
    fn load(&mut self) {
        let (Some(left), Some(process)) = (self.loading, &self.process) else {
            return;
        };
        let loaded = || {
            let auxv = process.auxiliary_vector().ok()?;
            let mut memory = LiveMemory::new(process, LiveOptions::default()).ok()?;
            Some(modules::is_loaded(&mut memory, &auxv))
        };
        if left > 0 && loaded() == Some(false) {
            self.loading = Some(left - 1);
            return;
        }
        self.loading = None;
        // Nobody listening means that it is to go on.
        if self.messages.send(Message::Loaded).is_ok() {
            while self.order.given() < Order::GO {
                std::thread::park();
            }
        }
    }

    /// Notes a new thread, or a process that was made by `clone` with another signal than SIGCHLD.
    fn meet(&mut self, tid: i32) -> State {
        let ours = std::path::Path::new(&format!("/proc/{}/task/{tid}", self.pid)).exists();
        let state = if ours { State::Running } else { State::Foreign };
        self.threads.insert(tid, state);
        state
    }

    /// A program has been executed: there is one thread left, which has the process's number now.
    fn executed(&mut self) {
        self.threads.retain(|_, state| *state == State::Foreign);
        self.threads.insert(self.pid, State::Running);
        self.leader = true;
        self.undecided = None;
        if self.report.take().is_none() {
            return;
        }
        // Nobody listening means that it is to go on alone.
        let _ = self.messages.send(match Process::open(self.pid) {
            Ok(process) => {
                self.process = Some(process.clone());
                self.loading = self.hold.then_some(MOST_CALLS);
                Message::Started(process)
            }
            Err(error) => {
                // It has not executed an instruction of the program.
                let _ = requests::send_signal(self.pid, libc::SIGKILL);
                Message::Failed(SpawnError::Open(error))
            }
        });
    }

    /// A thread has stopped before its memory goes.
    fn exiting(&mut self, tid: i32) {
        let status = ptrace::event_message(tid).ok();
        let status = status.and_then(|status| i32::try_from(status).ok());
        let found = requests::registers(tid).ok();
        let call = found.map_or(Call::Other, |(call, _)| call);
        let kept = State::AtExit(found.map(|(_, registers)| registers));
        let Some(status) = status.filter(|_| self.process.is_some()) else {
            // It never was the program, or was killed in this very moment.
            self.let_go(tid);
            return;
        };
        if status & 0x7f == 0 && call == Call::Exit {
            if !self.is_last(tid) {
                self.let_go(tid);
                return;
            }
            self.exits(status);
        } else if status != 0 || call == Call::ExitGroup {
            // A fatal signal, or the exit of the process, by this thread or by another.
            self.exits(status);
        } else if self.status.is_none() {
            // Another thread has called `exit_group(0)`, or `execve`.
            self.undecided.get_or_insert_with(Instant::now);
        }
        ptrace::take_note(tid);
        self.threads.insert(tid, kept);
    }

    fn exits(&mut self, status: i32) {
        self.undecided = None;
        if self.status.is_none() {
            self.status = Some(status);
            self.deadline = Instant::now().checked_add(ALL_LIMIT);
        }
    }

    fn let_go(&mut self, tid: i32) {
        if tid == self.pid {
            self.leader = false;
        }
        self.threads.insert(tid, State::Exiting);
        let _ = ptrace::go_on(tid, 0);
    }

    /// Whether no other thread of the process runs, neither one that we know nor one that was made untraced.
    fn is_last(&self, tid: i32) -> bool {
        let running = |(other, state): (&i32, &State)| *other != tid && *state == State::Running;
        if self.threads.iter().any(running) {
            return false;
        }
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{}/task", self.pid)) else {
            return true;
        };
        let mut others = tasks
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
            .filter(|other| !self.threads.contains_key(other));
        !others.any(
            |other| matches!(thread_state(self.pid, other), Some(letter) if !"ZX".contains(letter)),
        )
    }

    /// Finds out what the threads that are kept undecided end by.
    fn decide(&mut self, since: Instant) {
        // A thread inside `execve` waits, uninterruptibly, for the others to have gone; one that has called `exit_group`
        // does not wait before it comes to its own exit. `/proc/PID/task/TID/syscall` would tell, but on old kernels it
        // waits for the `execve` to be over.
        let running = |(tid, state): (&i32, &State)| {
            *state == State::Running
                && matches!(thread_state(self.pid, *tid), Some(letter) if letter != 'D')
        };
        if since.elapsed() < ALL_LIMIT && self.threads.iter().any(running) {
            return;
        }
        self.undecided = None;
        let kept: Vec<i32> = self
            .threads
            .iter()
            .filter(|(_, state)| matches!(state, State::AtExit(_)))
            .map(|(tid, _)| *tid)
            .collect();
        for tid in kept {
            self.let_go(tid);
        }
    }

    fn all_at_exit(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
            || !self
                .threads
                .values()
                .any(|state| matches!(state, State::Running | State::Foreign))
    }

    fn at_exit(&mut self) -> End {
        let kept = self.threads.iter().filter_map(|(tid, state)| match state {
            State::AtExit(registers) => Some((*tid, *registers)),
            _ => None,
        });
        let mut threads: Vec<ThreadSnapshot> = kept
            .map(|(tid, registers)| ThreadSnapshot { tid, registers })
            .collect();
        threads.sort_by_key(|thread| thread.tid);
        let reader = match (&self.process, threads.first()) {
            (Some(process), Some(thread)) if !self.leader => {
                process.through_thread(thread.tid).ok()
            }
            _ => None,
        };
        let told = self.messages.send(Message::AtExit {
            status: self.status.unwrap_or(0),
            threads,
            reader,
        });
        if told.is_err() {
            End::Over
        } else {
            End::AtExit
        }
    }

    /// The process has exited.
    fn gone(&mut self) -> End {
        let message = match self.report.take() {
            Some(report) => {
                let _ = requests::exit_status(self.pid, true);
                Message::Failed(match report.read() {
                    Some(errno) => execute_error(&self.plan.path, errno),
                    None => SpawnError::Killed,
                })
            }
            None => {
                if self.process.is_none() {
                    let _ = requests::exit_status(self.pid, true);
                }
                Message::Gone
            }
        };
        // Nobody listening means that nobody wants to know.
        let _ = self.messages.send(message);
        End::Over
    }
}

fn is_stop_signal(signal: i32) -> bool {
    [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU].contains(&signal)
}
