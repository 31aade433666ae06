//! What a session found.

use std::time::Duration;

use ytrace_target::Counters;

use crate::host::CrossCheck;
use crate::identity::Identity;
use crate::options::Mode;

/// An uncaught fault of a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultReport {
    /// What happened.
    pub message: String,
    /// File, line and column.
    pub location: String,
    /// The functions that were active, innermost first, each with the place of its call.
    pub chain: Vec<String>,
    /// How many runs of handlers ended in it.
    pub count: u64,
}

/// Pauses of the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pauses {
    /// How many there were.
    pub count: u64,
    /// The sum.
    pub total: Duration,
    /// The longest.
    pub longest: Duration,
    /// The most threads that were stopped at once.
    pub threads: usize,
    /// System calls that the stop interrupted and that were made to start again.
    pub restarted_calls: usize,
    /// Whether one of them reached its limit before its work was done.
    pub expired: bool,
}

/// How long each part took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Opening the process and its modules.
    pub open: Duration,
    /// From text to the program, names looked up.
    pub compile: Duration,
    /// From the program to machine code.
    pub machine_code: Duration,
    /// The learning runs.
    pub learn: Duration,
    /// Planning and copying, the pause included.
    pub copy: Duration,
    /// The runs that count.
    pub run: Duration,
}

/// What a session found besides the views.
#[derive(Clone, Debug, Default)]
pub struct RunResult {
    /// What the target is.
    pub identity: Option<Identity>,
    /// The core file that was read instead of a process, in words.
    pub core: Option<String>,
    /// What the probe printed.
    pub text: Vec<u8>,
    /// Warnings of the probe.
    pub warnings: Vec<String>,
    /// Cross-checks.
    pub checks: Vec<CrossCheck>,
    /// Uncaught faults.
    pub faults: Vec<FaultReport>,
    /// Whether a handler ended in a fault that is the probe's own, not an exhausted budget.
    pub failed: bool,
    /// The message of `_error`, if the probe called it.
    pub error: Option<String>,
    /// The modes in which handlers were run.
    pub modes: Vec<Mode>,
    /// Pauses of the target.
    pub pauses: Pauses,
    /// What was read and what was left out.
    pub counters: Counters,
    /// Bytes copied during pauses; they are among those that `counters` has as read.
    pub copied: u64,
    /// Layouts in use that the library declares: group and candidate.
    pub layouts: Vec<(String, String)>,
    /// What came of probes on events, if there were any.
    pub hits: Option<ytrace_report::Hits>,
    /// Threads were stopped one at a time, at the hits of probes.
    pub one_by_one: bool,
    /// Why the result is not whole; empty if it is.
    pub partial: Vec<String>,
    /// Further facts for the footer.
    pub notes: Vec<String>,
    /// Where the handlers of events run, the kernel or ytrace, and why; a line each.
    pub handlers: Vec<String>,
    /// The samples of the views over time.
    pub series: Vec<crate::series::RecordedSeries>,
    /// Steps taken by the handlers.
    pub steps: u64,
    /// The number of the target, if it has gone.
    pub gone: Option<i32>,
    /// Processes that took over from the target, which has gone.
    pub successors: Vec<i32>,
    /// How long each part took.
    pub timings: Timings,
}

impl RunResult {
    /// Adds a reason why the result is not whole, once.
    pub(crate) fn partial(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        if !self.partial.contains(&reason) {
            self.partial.push(reason);
        }
    }

    /// Adds a fact for the footer, once.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// What was wanted of the target's pages and was not to be had, besides what is on swap or was missed in the pause, in words.
pub(crate) fn pages_left_out(counters: &Counters) -> Vec<String> {
    let mut reasons = Vec::new();
    if counters.not_resident > 0 {
        reasons.push(format!(
            "{} pages could be read only by charging them to the target, and were left out",
            counters.not_resident
        ));
    }
    if counters.not_dumped > 0 {
        reasons.push(format!(
            "{} pages that were wanted are not in the core file",
            counters.not_dumped
        ));
    }
    reasons
}
