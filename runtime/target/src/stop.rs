//! Stopping every thread of a process, and letting it go on as if nothing had been.
//!
//! # Who traces
//!
//! The kernel ties a tracee to the operating system thread that attached to it, and detaches from it when that thread ends.
//! A tracer that is killed between asking a thread to stop and setting its registers would leave an `EINTR` behind (see
//! below). So all tracing is done by a supervisor, a process of its own that is forked from this one and outlives it
//! ([`Stopper`]). It has a session of its own, so that neither Ctrl-C on the terminal nor a signal to our process group
//! reaches it, blocks all signals, and holds no file but its end of a pair of sockets, by whose other end it is asked to stop
//! a process and to let it go on. Everything else is done by this program: reading memory above all.
//!
//! Commands that this program starts itself are traced by a thread of it ([`crate::spawn`]): no call of theirs is interrupted,
//! so there is nothing to bring to an end.
//!
//! # What a death of this program leaves behind
//!
//! Nothing, at any instant. The supervisor sees its channel close; it does so only when it looks at it, which is after all
//! threads have stopped and their registers are set. Then it lets them go on and exits. If this program hangs or is stopped
//! (Ctrl-Z) while it holds a process, the supervisor lets that go on when the longest pause is over.
//!
//! # What a death of the supervisor leaves behind
//!
//! It exits when this program has gone, so that only a SIGKILL to it alone, or to all processes of the machine or of a control
//! group at once, is of concern. The kernel detaches from all tracees and lets them run (`exit_ptrace`);
//! `PTRACE_O_EXITKILL` is never set. This program is told [`crate::StopError::TracerLost`]. Step by step, such a SIGKILL
//!
//! - **before or after `PTRACE_SEIZE`** leaves nothing: seizing does not stop a thread;
//! - **after `PTRACE_INTERRUPT`, before registers were set** leaves nothing in a computing thread; a thread that waits in one
//!   of the system calls that the kernel does not restart (`epoll_wait`, `semtimedop`, `sigtimedwait`, `io_getevents`,
//!   reading from inotify, `recv` with a timeout) sees `EINTR`. The interrupt itself has done that, and only the next step
//!   undoes it, which is done as soon as a thread is seen to have stopped, before anything else. This window is some 20 to
//!   150 µs;
//! - **after its registers were set** leaves nothing: the thread restarts its call. The call's timeout starts anew, as it
//!   does when the call is made again by hand after `EINTR`;
//! - **while a thread is stopped with a signal to be delivered** leaves nothing: the stop is observed with `WNOWAIT`, so the
//!   signal stays where the kernel keeps it and is delivered when the tracer is gone. Consuming the stop would lose it;
//! - **between two `PTRACE_DETACH`** leaves nothing: the kernel detaches from the remaining threads;
//! - a process that was **stopped by job control** (SIGSTOP) before stays so: the kernel puts the group stop back when it
//!   detaches, by our hand or by a death.
//!
//! # The cure for `EINTR`
//!
//! A thread that stops inside a system call with the result −EINTR gets the result −ERESTARTNOHAND (−514) instead: the
//! kernel then makes the call again, unless a signal with a handler is pending, which yields `EINTR` as it would have
//! without us. `close` is left alone, since its descriptor is gone even when it fails.
//!
//! On aarch64 the kernel decides about the restart before the stop, so the call is instead set up again by hand, with its
//! first argument as `/proc/PID/task/TID/syscall` told it just before.

pub(crate) mod channel;
mod paused;
pub(crate) mod process;
mod stopper;
mod supervisor;
pub(crate) mod table;
pub(crate) mod threads;
mod worker;

pub use paused::PausedProcess;
pub use stopper::Stopper;
pub(crate) use stopper::{Station, Supervisor, already_traced, stop_error};

use std::ffi::CStr;
use std::time::Duration;

/// The name of the processes that stop others, as `ps` shows it.
pub const TRACER_NAME: &str = "ytrace-stopper";
/// The same as the kernel takes it.
const SUPERVISOR_NAME: &CStr = c"ytrace-stopper";

/// How a process is stopped.
#[derive(Clone, Copy, Debug)]
pub struct StopOptions {
    /// The longest that the process may be stopped. Whoever works during the pause checks it; when it is over, the process
    /// is resumed at once.
    pub max_pause: Duration,
    /// The longest to wait for all threads to have stopped; those that have are resumed if the others have not by then.
    pub stop_timeout: Duration,
    /// Run the threads that work during the pause before all ordinary ones, where that is permitted. Without it a busy machine
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
    /// Whether the supervisor ran before all ordinary threads.
    pub realtime: bool,
    /// Whether `max_pause` was over before the work was done.
    pub expired: bool,
}
