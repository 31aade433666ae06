//! The errors of events.

use nix::errno::Errno;
use thiserror::Error;

use super::facilities::EventDenial;
use super::session::ProbeId;

/// A plan that cannot be carried out.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// A register that the kernel does not give at a hit.
    #[error(
        "register {number} (in DWARF's numbering) cannot be had at a hit without stopping the thread"
    )]
    Unavailable {
        /// Its number in DWARF.
        number: u16,
    },
    /// The thread pointer is asked for, and the kernel does not say where it keeps it.
    #[error("the thread pointer cannot be had at a hit: {why}")]
    NoThreadPointer {
        /// Why not.
        why: String,
    },
    /// The status of a thread that ends is asked for, and the kernel does not say where it keeps it.
    #[error(
        "the status of a thread cannot be had: the kernel's type information does not tell where it is"
    )]
    NoExitStatus,
    /// Something refers to a value or a step that does not come before it, or that is none of the right kind.
    #[error("{what} {number} is used where it is not known")]
    Unknown {
        /// What: a value, a capture, a lookup, a sample, a saved value, a table.
        what: &'static str,
        /// Its number.
        number: u32,
    },
    /// A number is outside of what is allowed.
    #[error("{what}: {number} is not within {least} and {most}")]
    Range {
        /// What it is the number of.
        what: &'static str,
        /// The number.
        number: u64,
        /// The least one allowed.
        least: u64,
        /// The greatest one allowed.
        most: u64,
    },
    /// A table is used as one of another kind, or with another number of keys.
    #[error("table {table} is not used as it was declared: {why}")]
    TableUse {
        /// Its number.
        table: u32,
        /// What differs.
        why: &'static str,
    },
    /// A part sends more than one record.
    #[error("a part can send one record, this one sends two")]
    TwoRecords,
    /// The values that are needed at the same time take more than the room that the kernel gives.
    #[error("the values needed at the same time take {bytes} bytes, and {limit} are to be had")]
    TooComplex {
        /// What they take.
        bytes: u32,
        /// What there is.
        limit: u32,
    },
    /// Samples do not have it, and there are no BPF programs.
    #[error(
        "{what} cannot be had by perf_event_open alone, which gives registers and a piece of the stack; BPF programs would allow it ({bpf}), and so would --sync"
    )]
    NotSampled {
        /// What is asked for.
        what: &'static str,
        /// Why there are no programs.
        bpf: String,
    },
    /// A kind of probe that can only have a part for the entry.
    #[error("this kind of event has no return")]
    NoReturn,
}

/// What is out of range where a sample is asked for that is too large; all other numbers are too large where a plan does too much.
pub(super) const BETWEEN_SAMPLES: &str = "bytes between samples";

impl PlanError {
    /// Whether a plan that does less could be carried out.
    pub fn is_too_much(&self) -> bool {
        match self {
            PlanError::TooComplex { .. } => true,
            PlanError::Range { what, .. } => *what != BETWEEN_SAMPLES,
            _ => false,
        }
    }
}

/// Events cannot be had, or something about them failed.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum EventError {
    /// A probe's plan cannot be carried out.
    #[error("probe {}: {error}", probe.0)]
    Plan {
        /// Which probe.
        probe: ProbeId,
        /// What is wrong with it.
        error: PlanError,
    },
    /// A probe needs what this kernel, or the way that is left by `YTRACE_FORBID`, does not offer.
    #[error("{what} cannot be had by {by}")]
    Unsupported {
        /// What is needed.
        what: &'static str,
        /// By which way.
        by: &'static str,
    },
    /// The kernel refuses.
    #[error("the kernel refuses {what}: {cause}")]
    Denied {
        /// What it refuses.
        what: &'static str,
        /// Why.
        cause: EventDenial,
    },
    /// The kernel refuses BPF programs, and all that could do without them.
    #[error(
        "the kernel refuses {what}: {bpf}; and probes by perf_event_open, which do without: {perf}"
    )]
    NoWay {
        /// What it refuses of BPF.
        what: &'static str,
        /// Why that.
        bpf: EventDenial,
        /// Why the other.
        perf: EventDenial,
    },
    /// Without BPF programs, each place takes a descriptor for each thread, and there are not so many.
    #[error(
        "{events} events for each of {threads} threads are more than the open files that are allowed ({limit})"
    )]
    Descriptors {
        /// How many threads there are.
        threads: usize,
        /// How many events each needs.
        events: usize,
        /// How many files may be open (`RLIMIT_NOFILE`).
        limit: u64,
    },
    /// All that rings of samples may have is used up.
    #[error(
        "the rings of {threads} threads take the {} KiB that they may have together",
        bytes >> 10
    )]
    RingRoom {
        /// How much that is.
        bytes: u64,
        /// How many threads have some of it.
        threads: u64,
    },
    /// The kernel's verifier refuses the program made for a probe, which is a defect of this program.
    #[error("the kernel's verifier refuses the program of probe {} ({errno}): {log}", probe.0)]
    Verifier {
        /// Which probe.
        probe: ProbeId,
        /// The error.
        errno: Errno,
        /// The last lines of what the verifier says.
        log: String,
    },
    /// A call of the kernel fails.
    #[error("{what}: {errno}")]
    System {
        /// What was done.
        what: &'static str,
        /// The error.
        errno: Errno,
    },
    /// A file under `/proc` or `/sys` could not be read or understood.
    #[error("{path}: {why}")]
    Proc {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A number of a table or probe that the session does not have.
    #[error("there is no {what} {number}")]
    NoSuch {
        /// What.
        what: &'static str,
        /// Its number.
        number: u32,
    },
    /// A number outside of what is allowed.
    #[error("{what}: {number} is not within {least} and {most}")]
    Range {
        /// What it is the number of.
        what: &'static str,
        /// The number.
        number: u64,
        /// The least one allowed.
        least: u64,
        /// The greatest one allowed.
        most: u64,
    },
    /// The environment variable `YTRACE_FORBID` names something that cannot be switched off.
    #[error("YTRACE_FORBID names `{word}`, which is none of: {}", crate::sys::TIERS.join(", "))]
    UnknownTier {
        /// The unknown word.
        word: String,
    },
}

/// The most bytes of what the verifier says that an error has: the last ones tell why.
const LOG_TAIL: usize = 2000;

impl EventError {
    /// A call that failed.
    pub(super) fn system(what: &'static str, errno: Errno) -> EventError {
        match errno {
            Errno::EPERM | Errno::EACCES => EventError::Denied {
                what,
                cause: EventDenial::of(errno),
            },
            errno => EventError::System { what, errno },
        }
    }

    /// Probes that could not be attached, for another reason than one of their sites.
    pub(super) fn attach(errno: Errno) -> EventError {
        EventError::system("attaching probes", errno)
    }

    /// A program that could not be loaded.
    pub(super) fn load(probe: ProbeId, errno: Errno, log: &str) -> EventError {
        if log.trim().is_empty() {
            return EventError::system("loading a program", errno);
        }
        let mut start = log.len().saturating_sub(LOG_TAIL);
        while !log.is_char_boundary(start) {
            start += 1;
        }
        EventError::Verifier {
            probe,
            errno,
            log: log.get(start..).unwrap_or("").trim().to_owned(),
        }
    }

    /// What would make it work, where something would.
    pub fn hint(&self) -> Option<String> {
        match self {
            EventError::Denied { cause, .. } => cause.hint(),
            EventError::NoWay { bpf, perf, .. } => match (bpf.hint(), perf.hint()) {
                (Some(bpf), Some(perf)) if bpf != perf => Some(format!("{bpf}; {perf}")),
                (bpf, perf) => bpf.or(perf),
            },
            EventError::Descriptors { .. } => Some(
                "perf_event_open alone takes an event for each place and thread: raise the hard limit of open files (RLIMIT_NOFILE, `ulimit -Hn`), or probe fewer places; BPF programs take one for all"
                    .to_owned(),
            ),
            EventError::RingRoom { .. } => Some(
                "BPF programs take one ring for all threads, and `--sync` takes none".to_owned(),
            ),
            EventError::System {
                errno: Errno::EMFILE,
                ..
            } => Some(
                "where the kernel has no links (before Linux 6.6) each probed place takes a descriptor, and so does each processor where page faults or the clock are counted: raise the hard limit of open files (RLIMIT_NOFILE, `ulimit -Hn`), or probe fewer places"
                    .to_owned(),
            ),
            EventError::Verifier { .. } => Some(
                "this is a defect of ytrace: please report it with the text above and `uname -r`"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
