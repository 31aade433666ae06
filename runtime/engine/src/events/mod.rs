//! Probes on events: where they go, what the kernel does there, and the handlers that run on what it sends.

mod attach;
mod children;
mod clocks;
mod costs;
mod counted;
mod duty;
mod follow;
mod hit;
mod limit;
mod overhead;
mod plan;
mod programs;
mod sites;
mod slowdown;
mod spent;
mod stops;
mod tier;
mod watch;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ytrace_lang::ir::FunctionId;
use ytrace_target::LiveMemory;
use ytrace_target::breakpoints::BreakpointError;
use ytrace_target::events::{EventError, EventSession, PlanError, ProbeId, TableId, Totals};

pub(crate) use duty::Watching;
pub(crate) use follow::counted;
pub(crate) use hit::Hit;
use plan::Reading;
pub(crate) use stops::{StopHit, Stops};

use crate::memory::TargetMemory;

/// The probes of a program that are attached.
pub(crate) struct Events {
    session: EventSession,
    /// The globals of the script that the kernel is told of, by offset and size.
    settled: Vec<(u64, u64)>,
    /// The kernel's tables of keys that are in tables of the script.
    mirrors: Vec<TableId>,
    /// The tables of the script that these mirror.
    mirrored: Vec<u64>,
    /// What the kernel adds to variables of the script.
    counts: counted::KernelCounts,
    /// What each probe of the kernel's runs.
    handlers: HashMap<ProbeId, Handler>,
    /// Whether a handler asks for stacks.
    stacks: bool,
    watch: watch::Watch,
    /// Memory as of now, where functions are `_late`.
    now: Option<TargetMemory<LiveMemory>>,
    awaited: attach::Awaited,
    /// What is probed, by the handler, the file and the place in it.
    placed: HashSet<attach::Placed>,
    /// The processor time that the target had used when they were all in their places, if they stay there.
    processor_time: Option<std::time::Duration>,
    /// When the probes are in their places, where that is not always.
    duty: Option<duty::Duty>,
    /// How much slower they may make the target.
    limit: Option<limit::Limit>,
    /// How long their hits take, where that matters.
    spent: Option<spent::Spent>,
}

/// What runs for a probe of the kernel's.
struct Handler {
    function: FunctionId,
    reading: Arc<Reading>,
    /// Whether it runs at returns.
    at_return: bool,
    /// How much lower the stack pointer is at the sites than at the functions' first instructions.
    stack_offset: u64,
    /// Of each site by its cookie: where its function begins, or 0, and the address of the point.
    sites: Vec<(u64, u64)>,
    /// The same where they are now: a library may have come back to another place.
    now: Vec<Now>,
    /// How many of them could not be probed.
    refused: u64,
    /// Of a clock, how often a second it strikes.
    hertz: Option<u64>,
    /// The kernel's tables of keys that it takes some out of, by their places in [`Events::mirrors`].
    removes_from: Vec<usize>,
}

/// Where a site is now.
#[derive(Clone, Copy, Debug, Default)]
struct Now {
    /// Where its function begins, or 0.
    function: u64,
    /// The address of the point.
    address: u64,
    /// The inode of its file.
    inode: u64,
}

/// What came of all probes of a program.
#[derive(Default)]
struct EventFigures {
    /// The instructions that are probed.
    sites: u64,
    /// Hits that were seen.
    hits: u64,
    /// Hits that the probes' first conditions dropped, in the kernel.
    filtered: u64,
    /// Hits that are not of the sample.
    unsampled: u64,
    /// Hits for which the kernel did all that the handler would.
    counted: u64,
    /// Records that were lost because they came faster than they could be read.
    lost: u64,
    /// Returns of calls that had begun before the probe was there or, where that cannot be told apart, of which too many were under way.
    unpaired: u64,
    /// Returns of which what was noted at the entry was lost, for too many calls were under way.
    evicted: u64,
    /// Returns that the kernel did not see, for too many were under way in their thread.
    too_deep: u64,
    /// Calls whose return was not seen, where the kernel does not tell which return belongs to which entry. Until the probes are gone those under way are
    /// among them.
    unseen: u64,
    /// Updates for which a table of the kernel's had no room.
    table_full: u64,
}

impl EventFigures {
    /// Adds what the kernel has counted for a probe.
    fn add(&mut self, handler: &Handler, totals: &Totals) {
        self.sites += (handler.sites.len() as u64).saturating_sub(handler.refused);
        self.add_hits(handler.at_return, totals);
    }

    fn add_hits(&mut self, at_return: bool, totals: &Totals) {
        let Totals { entry, on_return } = totals;
        self.hits += match at_return {
            false => entry.hits,
            // What the entry decided never came to its return.
            true => {
                let decided = entry.filtered + entry.unsampled;
                on_return.hits + on_return.evicted + decided + entry.too_deep
            }
        };
        self.filtered += entry.filtered + on_return.filtered;
        self.unsampled += entry.unsampled + on_return.unsampled;
        self.counted += entry.counted + on_return.counted;
        self.lost += entry.lost + on_return.lost;
        self.unpaired += on_return.unpaired;
        self.evicted += on_return.evicted;
        self.too_deep += entry.too_deep;
        self.unseen += on_return.unseen;
        self.table_full += entry.table_full + on_return.table_full;
    }
}

/// Why a probe on an event cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum EventFailure {
    /// The kernel's program cannot be made.
    #[error("{0}")]
    Plan(#[from] PlanError),
    /// A vector register is asked for.
    #[error(
        "a floating-point argument or result is in the vector register xmm{0}, which is not among those that the kernel gives at a hit: it cannot be had without stopping the thread"
    )]
    Vector(u64),
    /// The rate of a sample is not constant.
    #[error("the first argument of `_every` must be a constant or an option")]
    SampleRate,
    /// A thread-local variable is not at a fixed distance from the thread pointer.
    #[error("a thread-local variable of the probe cannot be found at a hit")]
    ThreadLocal,
    /// The event has fewer arguments.
    #[error("`_arg({number})` is asked for, and what is probed has {}", match has { 0 => "no arguments".to_owned(), 1 => "one argument, `_arg(0)`".to_owned(), has => format!("{has} arguments, from `_arg(0)`") })]
    NoArgument {
        /// Which is asked for, from 0.
        number: u64,
        /// How many there are.
        has: usize,
    },
    /// An argument of a static probe is where the kernel's programs cannot look.
    #[error("argument {0} of the static probe cannot be had without stopping the thread")]
    Argument(u64),
    /// There is no such place in any module.
    #[error("no module of the target has {what}")]
    NoSuch {
        /// What is missing, in words.
        what: String,
        /// What is named alike, as it is written in a head.
        close: Vec<String>,
    },
    /// No site can be probed.
    #[error("nothing can be probed: {}", reasons(.0))]
    NoSite(Vec<(String, String)>),
    /// This kind of point is not supported by this back end.
    #[error("{0} cannot be had without stopping the thread")]
    Kind(&'static str),
    /// The kernel refuses.
    #[error("{0}")]
    Kernel(#[from] EventError),
    /// The target would be slowed down more than is allowed.
    #[error(
        "the target would be about {percent:.1} % slower, and {limit} % are allowed: {} hits a second",
        ytrace_values::units::thousands(*rate)
    )]
    Overhead {
        /// How much slower.
        percent: f64,
        /// How much is allowed.
        limit: f64,
        /// Hits in a second.
        rate: u64,
    },
    /// A return is to be probed where exceptions may pass.
    #[error(
        "functions of {0} are to be probed at their return, and it throws or catches exceptions: one that passes through a probed function ends the target, for the kernel has replaced its return address"
    )]
    Throws(String),
    /// A return is to be probed where stacks are switched.
    #[error(
        "functions of {0} are to be probed at their return, and it has coroutines (swapcontext or the like): one that is left by a switch of stacks within a probed function, and returned to, ends the target, for the kernel takes returns to come in the order of one stack"
    )]
    Switches(String),
    /// `_late` functions look at memory after the hit, of one process.
    #[error("`_late` functions read the memory of the target, and not of its children")]
    LateOfChildren,
    /// This kind of point is the kernel's alone.
    #[error("{0} cannot be had with --sync")]
    KernelOnly(&'static str),
    /// Threads cannot be stopped at what is probed.
    #[error("{0}")]
    Breakpoints(#[from] BreakpointError),
    /// The plan breaks its own rules: a defect of ytrace.
    #[error("the plan of the probe is malformed: {0}")]
    Malformed(&'static str),
}

impl EventFailure {
    /// What would make it work, where something would.
    pub fn hint(&self) -> Option<String> {
        match self {
            EventFailure::Kernel(
                error @ (EventError::Denied { .. } | EventError::NoWay { .. }),
            ) => {
                const OTHERWISE: &str = "`--sync` does without: it needs the right to trace the process alone, and stops a thread at each hit (it has no `_page_fault` and `_timer.profile`)";
                Some(match error.hint() {
                    Some(hint) => format!("{hint}; {OTHERWISE}"),
                    None => OTHERWISE.to_owned(),
                })
            }
            EventFailure::Plan(error) | EventFailure::Kernel(EventError::Plan { error, .. })
                if error.is_too_much() =>
            {
                Some(
                    "probe the same point twice, with a part of the handler each, or read less of what pointers lead to in one; `--sync` has no such limit, and a hit takes some 10 to 100 times as long"
                        .to_owned(),
                )
            }
            EventFailure::Plan(PlanError::NotSampled { .. })
            | EventFailure::Kernel(EventError::Plan { error: PlanError::NotSampled { .. }, .. }) => Some(
                "`--sync` stops the thread at each hit, and has it then; a hit takes some 10 to 100 times as long. `ytrace doctor` says what BPF programs need"
                    .to_owned(),
            ),
            EventFailure::Kernel(error) => error.hint(),
            EventFailure::Breakpoints(error) => error.hint(),
            EventFailure::KernelOnly(_) => {
                Some("leave out --sync: the kernel tells of it without stopping anything".to_owned())
            }
            EventFailure::NoSuch { close, .. } if !close.is_empty() => {
                let close: Vec<String> = close.iter().map(|name| format!("`{name}`")).collect();
                Some(format!("did you mean {}?", close.join(" or ")))
            }
            EventFailure::NoSite(_) | EventFailure::NoSuch { .. } => {
                Some("`ytrace list -p PID 'PATTERN'` shows what can be probed".to_owned())
            }
            EventFailure::Throws(_) | EventFailure::Switches(_) => Some(
                "probe the entries, or other functions, or use `--sync`, which puts nothing on the stack; `--force` probes the returns all the same"
                    .to_owned(),
            ),
            EventFailure::LateOfChildren => Some(
                "leave out --children, or what asks for Lua frames and the like".to_owned(),
            ),
            EventFailure::Overhead { .. } => Some(
                "options of the probe may make it cheaper, a sample above all (`-- --help`); `--max-overhead PERCENT` allows more, `--force` anything"
                    .to_owned(),
            ),
            EventFailure::Vector(_)
            | EventFailure::Argument(_)
            | EventFailure::SampleRate
            | EventFailure::ThreadLocal
            | EventFailure::Kind(_) => Some(
                "`--sync` stops the thread at each hit, and has it then; a hit takes some 10 to 100 times as long"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

fn reasons(left_out: &[(String, String)]) -> String {
    const SHOWN: usize = 3;
    let shown = left_out.iter().take(SHOWN);
    let mut text: Vec<String> = shown.map(|(name, why)| format!("{name}: {why}")).collect();
    if left_out.len() > SHOWN {
        text.push(format!("and {} more", left_out.len() - SHOWN));
    }
    text.join("; ")
}

#[cfg(test)]
mod tests {
    use ytrace_target::events::PartTotals;

    use super::*;

    /// 100 calls: what became of each is one of the figures.
    #[test]
    fn hits_at_returns_are_the_sum_of_what_became_of_them() {
        let entry = PartTotals {
            hits: 100,
            filtered: 40,
            too_deep: 7,
            ..PartTotals::default()
        };
        let on_return = PartTotals {
            hits: 48,
            lost: 3,
            counted: 10,
            evicted: 5,
            unpaired: 2,
            unseen: 4,
            ..PartTotals::default()
        };
        let mut figures = EventFigures::default();
        figures.add_hits(true, &Totals { entry, on_return });
        assert_eq!((figures.hits, figures.lost, figures.evicted), (100, 3, 5));
        assert_eq!((figures.too_deep, figures.unpaired), (7, 2));
        assert_eq!(figures.unseen, 4);
    }
}
