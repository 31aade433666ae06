//! The errors of this crate. Each names its cause; [`DenialCause`] holds what a refusal needs for good advice.

use nix::errno::Errno;
use thiserror::Error;

use crate::access::DenialCause;

/// A process cannot be looked at.
#[derive(Clone, Debug, Error)]
pub enum OpenError {
    /// There is no such process, or it has just gone.
    #[error("no process {pid}")]
    NoSuchProcess {
        /// The number asked for.
        pid: i32,
    },
    /// The number is that of a thread that is not the main one.
    #[error("{tid} is a thread of process {pid}, not a process")]
    IsThread {
        /// The number asked for.
        tid: i32,
        /// The process that it belongs to.
        pid: i32,
    },
    /// The process has exited and waits for its parent to notice.
    #[error("process {pid} has exited and is a zombie; it has no memory any more")]
    Zombie {
        /// The process.
        pid: i32,
    },
    /// A thread of the kernel, which has no memory of its own.
    #[error("{pid} is a kernel thread; it has no memory of its own")]
    KernelThread {
        /// The process.
        pid: i32,
    },
    /// Access is refused.
    #[error("process {pid} may not be read: {cause}")]
    Denied {
        /// The process.
        pid: i32,
        /// Who refuses it.
        cause: DenialCause,
    },
    /// A file under `/proc` could not be read or did not have its documented form.
    #[error("/proc/{pid}/{file}: {errno}")]
    Proc {
        /// The process.
        pid: i32,
        /// The file's name.
        file: &'static str,
        /// The error.
        errno: Errno,
    },
    /// The environment variable `YTRACE_FORBID` names something that cannot be switched off.
    #[error("YTRACE_FORBID names `{word}`, which is none of: {}", crate::sys::TIERS.join(", "))]
    UnknownTier {
        /// The unknown word.
        word: String,
    },
}

impl OpenError {
    /// What would make it work, where something would.
    pub fn hint(&self) -> Option<String> {
        match self {
            OpenError::Denied { cause, .. } => cause.hint(),
            OpenError::IsThread { pid, .. } => Some(format!("use {pid}")),
            OpenError::NoSuchProcess { .. } | OpenError::Zombie { .. } => {
                Some("`ytrace ps` lists processes".to_owned())
            }
            _ => None,
        }
    }
}

/// Memory cannot be read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ReadError {
    /// Nothing is mapped there.
    #[error("nothing is mapped at {address:#x}")]
    Unmapped {
        /// The address.
        address: u64,
    },
    /// Something is mapped there, but it is not readable memory (no read permission, a device, a guard page).
    #[error("the memory at {address:#x} is not readable")]
    NotReadable {
        /// The address.
        address: u64,
    },
    /// The mapping is longer than the file behind it.
    #[error("{address:#x} is past the end of the mapped file")]
    PastEnd {
        /// The address.
        address: u64,
    },
    /// The page is on swap, and reading those was not asked for.
    #[error("the page at {address:#x} is swapped out")]
    Swapped {
        /// The address.
        address: u64,
    },
    /// The target has not mapped the page in, the file behind it cannot be opened, and faulting it in would charge it to
    /// the target.
    #[error(
        "the page at {address:#x} is not resident in the target, and the file behind it cannot be opened"
    )]
    NotResident {
        /// The address.
        address: u64,
    },
    /// The bytes were left out of the core file, and are in no file that could be told to be the one that was mapped.
    #[error("the memory at {address:#x} is not in the core file")]
    NotDumped {
        /// The address.
        address: u64,
    },
    /// The process has exited, or runs another program now.
    #[error("the process has exited, or has replaced itself by another program")]
    Exited,
    /// Access is refused, or was withdrawn.
    #[error("access to the memory at {address:#x} was refused: {errno}")]
    Denied {
        /// The address.
        address: u64,
        /// The error.
        errno: Errno,
    },
    /// The file behind the mapping could not be read.
    #[error("reading the file behind {address:#x}: {errno}")]
    File {
        /// The address.
        address: u64,
        /// The error.
        errno: Errno,
    },
    /// As many bytes are held as are allowed.
    #[error("the memory budget of {limit} bytes for target memory is used up")]
    Limit {
        /// The most bytes that may be held.
        limit: u64,
    },
    /// No memory for a buffer.
    #[error("no memory for a buffer: {errno}")]
    NoMemory {
        /// The error.
        errno: Errno,
    },
}

/// A process could not be stopped. It runs on as before.
#[derive(Clone, Debug, Error)]
pub enum StopError {
    /// The process exited before or while it was stopped.
    #[error("process {pid} has exited")]
    Exited {
        /// The process.
        pid: i32,
    },
    /// Another tracer, such as a debugger or strace, is attached.
    #[error("process {pid} is already being traced by process {tracer}{}", name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default())]
    AlreadyTraced {
        /// The process.
        pid: i32,
        /// The tracer, as numbered in our pid namespace; 0 when it is in one that we cannot see.
        tracer: i32,
        /// The tracer's name.
        name: Option<String>,
    },
    /// A program cannot stop itself this way.
    #[error("process {pid} is this very program")]
    Ourselves {
        /// The process.
        pid: i32,
    },
    /// Stopping is refused.
    #[error("process {pid} may not be stopped: {cause}")]
    Denied {
        /// The process.
        pid: i32,
        /// Who refuses it.
        cause: DenialCause,
    },
    /// A thread did not stop in time.
    #[error("thread {tid} of process {pid} (state {state}) did not stop within {waited_us} µs")]
    Unresponsive {
        /// The process.
        pid: i32,
        /// The thread.
        tid: i32,
        /// Its state letter, as in `/proc/PID/stat`.
        state: char,
        /// How long it was waited for, in microseconds.
        waited_us: u64,
    },
    /// The process makes threads faster than they can be stopped, or has more than the limit.
    #[error("process {pid} has more than {limit} threads, or makes new ones without end")]
    TooManyThreads {
        /// The process.
        pid: i32,
        /// The limit.
        limit: usize,
    },
    /// A system call failed in a way that has no better name.
    #[error("{call} of thread {tid}: {errno}")]
    Call {
        /// The call.
        call: &'static str,
        /// The thread.
        tid: i32,
        /// The error.
        errno: Errno,
    },
    /// The process that does the tracing could not be started.
    #[error("cannot start a process that stops others: {errno}")]
    NoSupervisor {
        /// The error.
        errno: Errno,
    },
    /// A thread that works during the pause could not be started.
    #[error("cannot start a thread: {errno}")]
    NoThread {
        /// The error.
        errno: Errno,
    },
    /// The process that does the tracing ended, or gave no answer and was ended. The process was resumed by that.
    #[error(
        "the process that stops others ({}) ended unexpectedly; the target goes on",
        crate::stop::TRACER_NAME
    )]
    TracerLost,
    /// The process that does the tracing did not even end when it was killed: it waits inside the kernel for something that
    /// nothing interrupts. What it holds stays stopped until it ends.
    #[error(
        "the process that stops others ({}, {tracer}) was killed and does not end; the target may be stopped until it does",
        crate::stop::TRACER_NAME
    )]
    TracerStuck {
        /// Its number.
        tracer: i32,
    },
    /// The environment variable `YTRACE_FORBID` names something that cannot be switched off.
    #[error("YTRACE_FORBID names `{word}`, which is none of: {}", crate::sys::TIERS.join(", "))]
    UnknownTier {
        /// The unknown word.
        word: String,
    },
}

impl StopError {
    /// What would make it work, where something would.
    pub fn hint(&self) -> Option<String> {
        match self {
            StopError::Denied { cause, .. } => cause.hint(),
            StopError::AlreadyTraced { tracer, .. } if *tracer > 0 => Some(format!(
                "end the tracer {tracer} first, or use the live mode, which does not stop the target"
            )),
            StopError::AlreadyTraced { .. } | StopError::Unresponsive { .. } => {
                Some("use the live mode, which does not stop the target".to_owned())
            }
            _ => None,
        }
    }
}

/// A process could not be copied. It runs on as before.
#[derive(Clone, Debug, Error)]
pub enum CopyError {
    /// The process could not be stopped.
    #[error(transparent)]
    Stop(#[from] StopError),
    /// The process could not be looked at.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its memory could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The copy would take more memory than is allowed.
    #[error("a copy needs {needed} bytes, of which {allowed} are allowed ({limit})")]
    Budget {
        /// The bytes needed.
        needed: u64,
        /// The bytes allowed.
        allowed: u64,
        /// What sets the limit: the caller, the machine's available memory, or the cgroup.
        limit: &'static str,
    },
    /// No memory for the buffers.
    #[error("no memory for the buffers of a copy: {0}")]
    NoMemory(Errno),
}

impl CopyError {
    /// What would make it work, where something would.
    pub fn hint(&self) -> Option<String> {
        match self {
            CopyError::Stop(error) => error.hint(),
            CopyError::Open(error) => error.hint(),
            CopyError::Budget { .. } | CopyError::NoMemory(_) => {
                Some("copy fewer ranges, or read in windows while the target runs".to_owned())
            }
            CopyError::Read(_) => None,
        }
    }
}
