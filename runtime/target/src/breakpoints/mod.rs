//! Breakpoints that stop only the thread that came to them: functions, returns, watched memory, and what happens to threads
//! and processes.
//!
//! A [`Session`] gives one [`Stop`] at a time. The thread that it names stands still until [`Session::resume`], so its memory
//! and registers are those of the hit. Other threads run on; those that come to a breakpoint meanwhile wait for their turn.
//!
//! # Who traces
//!
//! A supervisor: a process of its own, forked by [`Session::start`], that outlives this program (see [`crate::stop`] for how it
//! stands apart). It sets breakpoints, steps over them, follows new threads and processes, and when its channel closes, however
//! that came about, it takes everything out, repairs interrupted system calls, detaches and exits.
//!
//! # How an address is made to stop
//!
//! **By hardware**, where the addresses that are probed and watched are four at most: the processor compares addresses, nothing
//! is written to the target. The debug registers are set by events of perf_event_open(2) that raise a signal (`sigtrap`, Linux
//! 5.13), which the kernel removes when their descriptors close. So nothing stays behind even if the supervisor is killed as
//! well, but for a thread that has hit and whose signal has not been taken yet: some microseconds.
//!
//! **In the text** otherwise: the first byte of the instruction is replaced by `int3`. A supervisor that is killed (nothing but
//! a SIGKILL aimed at it, or at all processes of a control group, does that) leaves it behind, and the next thread that comes
//! there dies of SIGTRAP. So this is the second choice. [`Totals`] tells how many addresses were done in which way.
//!
//! # How a thread goes on from `int3`
//!
//! Most instructions at which functions begin, or to which they return, are carried out by the supervisor on the thread's
//! registers. Any other is stepped in place, while all other threads are stopped, so that none passes the place unseen;
//! signals that arrive meanwhile are blocked until the step is done, and delivered then.
//!
//! # What tracing changes
//!
//! The target has a tracer, so a second one is refused. The page of a breakpoint in the text becomes private to the process.
//! A thread that blocks SIGTRAP finds it no longer blocked after a hit in the text, as under every debugger: the kernel does that,
//! and takes the handler away, if there is one. So text is left alone where SIGTRAP is ignored, or has a handler and is blocked by
//! a thread at the start. Hits by hardware stay pending in such a thread, one at most, until it unblocks the signal, too late to
//! be stops: [`Totals::late`] counts them, `int3` is used where a thread blocks the signal at the start, and whoever is let go has
//! none of ours pending. A thread that waits may find that a relative timeout has started anew. Signals that the target ignores (SIGCHLD, say) wake the threads
//! of a traced process; the calls of those that get them are made again, but where several threads were woken and another
//! one gets the signal, an `epoll_wait` fails with `EINTR`, since nothing tells the tracer of it.

#[cfg(target_arch = "x86_64")]
mod births;
#[cfg(target_arch = "x86_64")]
mod changes;
#[cfg(target_arch = "x86_64")]
mod emulate;
mod error;
#[cfg(target_arch = "x86_64")]
mod frames;
#[cfg(target_arch = "x86_64")]
mod hardware;
#[cfg(target_arch = "x86_64")]
mod leave;
mod messages;
mod queue;
mod session;
#[cfg(target_arch = "x86_64")]
mod step;
mod tables;
#[cfg(target_arch = "x86_64")]
mod text;
#[cfg(target_arch = "x86_64")]
mod tracer;

use std::time::Duration;

pub use error::BreakpointError;
pub use session::Session;

use crate::registers::Registers;

/// The name of the processes that hold breakpoints, as `ps` shows it.
pub const BREAKPOINT_TRACER_NAME: &str = "ytrace-tracer";

/// What is to be stopped at.
#[derive(Clone, Debug)]
pub struct Request {
    /// Code. The index of a place is its number in [`What`] and [`Totals`].
    pub places: Vec<Place>,
    /// Memory; likewise.
    pub watches: Vec<Watch>,
    /// What happens to threads and processes.
    pub events: Events,
    /// Whether processes that the target forks are stopped at the same things. Else they are let go, free of breakpoints,
    /// before they run.
    pub children: bool,
    /// Whether stops come with the vector registers.
    pub vectors: bool,
    /// The longest that a stop may be held, and the longest that it may wait to be told before. A thread that is held for longer
    /// goes on by itself, and so does the target when this program hangs; [`Totals::overdue`] and [`Totals::unserved`] count those.
    pub max_hold: Duration,
    /// How long all threads may stand still at once while breakpoints are set or stepped over. [`Totals::long_freezes`] counts where
    /// that took longer; it is done then all the same.
    pub max_pause: Duration,
}

impl Default for Request {
    /// Nothing, ten seconds, and a tenth of one.
    fn default() -> Request {
        Request {
            places: Vec::new(),
            watches: Vec::new(),
            events: Events::default(),
            children: false,
            vectors: false,
            max_hold: Duration::from_secs(10),
            max_pause: Duration::from_millis(100),
        }
    }
}

/// Instructions of the target that are one thing to whoever asks: the copies of a function, say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Their addresses in the target. For a place with `at_return`, instructions where the return address is at the stack
    /// pointer, as it is at a function's first.
    pub addresses: Vec<u64>,
    /// Stop when the function returns, not when it is entered.
    pub at_return: bool,
}

/// Memory that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Where it begins: a multiple of its size.
    pub address: u64,
    /// Its size: 1, 2, 4 or 8 bytes.
    pub bytes: u8,
    /// What stops.
    pub access: Access,
}

/// What is done to watched memory. What the kernel does there for a system call is not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is written, with whatever value.
    Write,
    /// It is read or written.
    ReadWrite,
}

/// What happens to threads and processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Threads begin and end.
    pub threads: bool,
    /// Another program is executed. Breakpoints are gone by that.
    pub exec: bool,
    /// The process exits; its memory is still there.
    pub exit: bool,
    /// A signal is about to be delivered. It is delivered after the stop, unchanged.
    pub signals: bool,
}

/// What a thread has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// An instruction of a place, which it has not run yet.
    Entry {
        /// The place.
        place: usize,
    },
    /// The instruction that a function returned to.
    Return {
        /// The place.
        place: usize,
    },
    /// The instruction after one that accessed watched memory.
    Watch {
        /// The watch.
        watch: usize,
    },
    /// It is new, and has run nothing.
    ThreadBegin,
    /// It ends, with this wait status. The last thread of a process tells that, too, before [`What::Exit`].
    ThreadEnd {
        /// As waitpid(2) would tell it.
        status: i32,
    },
    /// It has executed another program, of which nothing has run.
    Exec,
    /// The process ends, with this wait status. Nothing of it runs any more.
    Exit {
        /// As waitpid(2) tells it.
        status: i32,
    },
    /// This signal is about to be delivered to it.
    Signal {
        /// Its number.
        number: i32,
    },
}

/// A thread that stands still.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// Why.
    pub what: What,
    /// Its process.
    pub pid: i32,
    /// Its number.
    pub tid: i32,
    /// When it came there: `CLOCK_MONOTONIC`, in nanoseconds.
    pub time: u64,
    /// When it goes on by itself, of the same clock.
    pub deadline: u64,
    /// Its registers. The instruction pointer is that of the place.
    pub registers: Registers,
    /// `xmm0` to `xmm15`; zeros unless asked for.
    pub vectors: [u128; 16],
    /// For [`What::Return`], how it was when the function was entered. Its time is that of the [`What::Entry`] there, if the entry
    /// is a place, too.
    pub entry: Option<EntryState>,
}

/// A thread as it was when it entered a function that has returned now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EntryState {
    /// When: `CLOCK_MONOTONIC`, in nanoseconds. No two entries of a thread are of the same time.
    pub time: u64,
    /// Its registers.
    pub registers: Registers,
    /// `xmm0` to `xmm15`; zeros unless asked for.
    pub vectors: [u128; 16],
}

/// What [`Session::next`] came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// A thread stands still until [`Session::resume`].
    Stop(Box<Stop>),
    /// Nothing in the time given.
    Nothing,
    /// The target and all processes that were followed have gone.
    Gone {
        /// The wait status of the target, where it was seen.
        status: Option<i32>,
    },
}

/// Something that cannot be stopped at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What.
    pub subject: Subject,
    /// Where.
    pub address: u64,
    /// Why.
    pub reason: Reason,
}

/// What a refusal is about: the index in [`Request::places`] or [`Request::watches`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A place.
    Place(usize),
    /// A watch.
    Watch(usize),
}

/// Why something cannot be stopped at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// There is no code.
    #[error("nothing executable is mapped there")]
    NoCode,
    /// The instruction is a breakpoint or a system call, or is none.
    #[error("the instruction there cannot be stopped at")]
    Instruction,
    /// The text cannot be written, as where another program may share it.
    #[error("the text there cannot be written: {0}")]
    Text(nix::errno::Errno),
    /// The text is in memory that other processes may map as well, and be ended by a breakpoint there.
    #[error(
        "it would take a breakpoint in the text, which is in memory that other processes may share; they would be ended by it"
    )]
    Shared,
    /// The code is of no file: the program has made it, and may put other code or data there at any time.
    #[error(
        "it would take a breakpoint in the text, and the program has made that code itself, and may change it: the breakpoint would damage what comes there next"
    )]
    NoFile,
    /// The kernel would take the target's handler of SIGTRAP away, or no longer ignore that signal.
    #[error(
        "it would take a breakpoint in the text, and the target ignores SIGTRAP, or has a handler of it that a thread blocks: the kernel would end that"
    )]
    Trap,
    /// The size is none that the processor has, or the address is no multiple of it.
    #[error("watched memory must be 1, 2, 4 or 8 bytes, and aligned to that")]
    Alignment,
    /// The processor has four registers for addresses.
    #[error("the processor watches four addresses at most")]
    TooMany,
    /// The kernel refuses hardware breakpoints.
    #[error("the kernel refuses hardware breakpoints: {0}")]
    Hardware(nix::errno::Errno),
}

/// How a session went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How often each place was come to: entries, or returns for a place with `at_return`.
    pub hits: Vec<u64>,
    /// How often each watched memory was accessed.
    pub watch_hits: Vec<u64>,
    /// Places whose code was no longer what it was at the start when the session ended, or the target exited: it was unloaded, and perhaps loaded again,
    /// without breakpoints or elsewhere. What ran there since is not among the hits.
    pub replaced: Vec<usize>,
    /// The stops that were handed out.
    pub stops: u64,
    /// Calls whose return was not seen since they were left: by longjmp, an exception or the end of their thread.
    pub returns_left_out: u64,
    /// Calls whose return could not be followed: nothing can stop at the instruction that they return to.
    pub returns_unfollowed: u64,
    /// Calls whose return could not be followed for want of room: too many were under way.
    pub returns_without_room: u64,
    /// Addresses that were stopped at by hardware.
    pub hardware: u64,
    /// Addresses that were stopped at by `int3` in the text.
    pub text: u64,
    /// Instructions under `int3` that were carried out by the supervisor.
    pub emulated: u64,
    /// Instructions under `int3` that were stepped in place, while all other threads stood still.
    pub stepped: u64,
    /// The longest that a thread stood still: in the queue and as a stop.
    pub longest_held: Duration,
    /// Stops that were held for longer than [`Request::max_hold`] and went on by themselves.
    pub overdue: u64,
    /// Threads that stopped and went on by themselves before that was told, since others were told for so long.
    pub unserved: u64,
    /// Threads that a watch could not be set in.
    pub unwatched: u64,
    /// Hits by hardware that were told when a thread unblocked SIGTRAP, too late to be stops: as many at least, for of several the
    /// kernel tells one.
    pub late: u64,
    /// The kernel has taken the target's handler of SIGTRAP away, since a thread came to `int3` with that signal blocked.
    pub handler_lost: bool,
    /// System calls that were interrupted and made again.
    pub restarted_calls: u64,
    /// Processes that were made by the target and let go free of breakpoints.
    pub children_let_go: u64,
    /// How often all threads were stopped for the supervisor's own sake, from the first that was asked to stop until all go on: while
    /// text is changed, or an instruction stepped over. [`Session::hold`] is not among them, nor is the end, where each thread stops
    /// for itself.
    pub freezes: u64,
    /// Those that took longer than [`Request::max_pause`].
    pub long_freezes: u64,
    /// How long they were, all together.
    pub frozen: Duration,
    /// How long the longest was.
    pub longest_frozen: Duration,
    /// Whether everything that was done to the target was undone. If not, a thread did not stop within ten seconds, or a
    /// piece of text could not be written.
    pub restored: bool,
}
