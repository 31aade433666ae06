//! Stopping every thread of a process, and letting it go on as if nothing had been.
//!
//! # What a death of this program leaves behind
//!
//! All tracing is done by one operating system thread of our own, because the kernel ties a tracee to the thread that
//! attached to it. When that thread ends, in whatever way, the kernel detaches from all its tracees and lets them run
//! (`exit_ptrace`); `PTRACE_O_EXITKILL` is never set. Step by step, a SIGKILL to us
//!
//! - **before or after `PTRACE_SEIZE`** leaves nothing: seizing does not stop a thread;
//! - **after `PTRACE_INTERRUPT`, before the thread has stopped** leaves nothing in a computing thread; a thread that waits
//!   in one of the system calls that the kernel does not restart (`epoll_wait`, `semtimedop`, `sigtimedwait`,
//!   `io_getevents`, reading from inotify, `recv` with a timeout) sees `EINTR`. The interrupt itself has done that, and
//!   only the next step undoes it. This window is some microseconds;
//! - **after the thread has stopped, before its registers were set** likewise; that is why registers are set as soon as a
//!   thread is seen to have stopped, before anything else is done;
//! - **after its registers were set** leaves nothing: the thread restarts its call. The call's timeout starts anew, as it
//!   does when the call is made again by hand after `EINTR`;
//! - **while a thread is stopped with a signal to be delivered** leaves nothing: the stop is observed with `WNOWAIT`, so the
//!   signal stays where the kernel keeps it and is delivered when we are gone. Consuming the stop would lose it;
//! - **while copying** leaves nothing: copying only reads;
//! - **between two `PTRACE_DETACH`** leaves nothing: the kernel detaches from the remaining threads;
//! - a process that was **stopped by job control** (SIGSTOP) before stays so: the kernel puts the group stop back when it
//!   detaches, by our hand or by our death.
//!
//! # The cure for `EINTR`
//!
//! A thread that stops inside a system call with the result −EINTR gets the result −ERESTARTNOHAND (−514) instead: the
//! kernel then makes the call again, unless a signal with a handler is pending, which yields `EINTR` as it would have
//! without us. `close` is left alone, since its descriptor is gone even when it fails.
//!
//! On aarch64 the kernel decides about the restart before the stop, so the call is instead set up again by hand, with its
//! first argument as `/proc/PID/task/TID/syscall` told it just before.

mod paused;
mod ptrace;
mod threads;

pub use paused::PausedProcess;
pub(crate) use threads::StoppedThreads;

use std::time::Duration;

/// The name of the threads that stop processes, as other programs see it.
pub const TRACER_NAME: &str = "ytrace-pause";

/// How a process is stopped.
#[derive(Clone, Copy, Debug)]
pub struct StopOptions {
    /// The longest that the process may be stopped. Whoever works during the pause checks it; when it is over, the process
    /// is resumed at once.
    pub max_pause: Duration,
    /// The longest to wait for all threads to have stopped; those that have are resumed if the others have not by then.
    pub stop_timeout: Duration,
    /// Run the tracer thread before all ordinary ones during the pause, where that is permitted. Without it a busy machine
    /// can stretch the pause by milliseconds.
    pub realtime: bool,
}

impl Default for StopOptions {
    fn default() -> StopOptions {
        let pause = Duration::from_millis(50);
        StopOptions {
            max_pause: pause,
            stop_timeout: pause,
            realtime: true,
        }
    }
}

/// How a pause went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PauseReport {
    /// From just before the first thread was stopped until the last one was resumed.
    pub pause: Duration,
    /// The part of it until all threads had stopped.
    pub stopping: Duration,
    /// The part of it that resuming took.
    pub resuming: Duration,
    /// The threads that were stopped.
    pub threads: usize,
    /// The interrupted system calls that were made to start again.
    pub restarted_calls: usize,
    /// The signals that arrived meanwhile and were passed on.
    pub signals_passed: usize,
    /// The threads that waited inside the kernel in a way that nothing interrupts. They could not run their program either.
    pub held_in_kernel: usize,
    /// Whether the process had been stopped by job control before; it still is.
    pub was_stopped: bool,
    /// Whether the tracer ran before all ordinary threads.
    pub realtime: bool,
    /// Whether `max_pause` was over before the work was done.
    pub expired: bool,
}
