//! Probes on events whose handlers run while the thread that was hit stands still: breakpoints and watchpoints of ptrace(2).

mod attach;
mod finish;
mod hit;
mod memory;
mod output;
mod run;
mod when;

use std::collections::HashMap;
use std::time::Duration;

use ytrace_lang::hir::ProcessEvent;
use ytrace_lang::ir::FunctionId;
use ytrace_target::breakpoints;

use super::plan::Argument;
pub(crate) use hit::StopHit;
use memory::StopMemory;
use output::Output;

/// The most calls under way whose values as of entry are kept.
const MOST_CALLS: usize = 1 << 20;

/// The probes of a program that stop threads.
pub(crate) struct Stops {
    session: breakpoints::Session,
    /// What each place of the session is for.
    places: Vec<PlaceUse>,
    /// The handlers of each watchpoint of the session.
    watches: Vec<Vec<usize>>,
    /// The handlers of events of the process.
    processes: HashMap<ProcessEvent, Vec<usize>>,
    handlers: Vec<Handler>,
    calls: Calls,
    memory: StopMemory,
    /// What the handlers of the stop that is out have shown.
    output: Output,
    /// A thread that is held for longer goes on by itself.
    max_hold: Duration,
    figures: Figures,
}

impl Stops {
    /// Runs of handlers, those that there were not for the stop was too old, and places.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let figures = self.figures;
        (
            figures.hits,
            figures.missed + figures.late,
            figures.places as u64,
        )
    }
}

/// What runs for a probe of the program.
struct Handler {
    function: FunctionId,
    /// Functions that give the values as of entry, for one that runs at a return.
    entry_values: Vec<FunctionId>,
}

/// An instruction at which threads stop, and why.
struct PlaceUse {
    /// Where the function begins; 0 where the point is no function's.
    function: u64,
    /// Handlers that run here, in the order of the file, each with how the arguments of its static probe are computed.
    run: Vec<(usize, Vec<Argument>)>,
    /// Handlers of which the values as of entry are kept here.
    keep: Vec<usize>,
}

/// What was kept when functions were entered.
#[derive(Default)]
struct Calls {
    /// By thread, stack pointer at the entry, and handler.
    kept: HashMap<(i32, u64, usize), Vec<Option<u64>>>,
    /// Calls for which there was no room.
    left_out: u64,
}

impl Calls {
    fn keep(&mut self, call: (i32, u64, usize), values: Vec<Option<u64>>) {
        if self.kept.len() >= MOST_CALLS && !self.kept.contains_key(&call) {
            self.left_out += 1;
            return;
        }
        self.kept.insert(call, values);
    }

    fn take(&mut self, call: (i32, u64, usize)) -> Vec<Option<u64>> {
        self.kept.remove(&call).unwrap_or_default()
    }

    /// Forgets the calls of a thread that has ended.
    fn forget_thread(&mut self, tid: i32) {
        self.kept.retain(|(thread, _, _), _| *thread != tid);
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    /// Places that are probed.
    places: usize,
    /// Runs of handlers.
    hits: u64,
    /// Stops of threads.
    stops: u64,
    /// How long threads were held, all stops together.
    held: Duration,
    /// Stops that were over before ytrace came to look at them.
    missed: u64,
    /// Handlers that were ended for holding their thread too long.
    ended: u64,
    /// Stops whose threads would have gone on before the end of a handler.
    late: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_apart_by_thread_depth_and_handler() {
        let mut calls = Calls::default();
        calls.keep((1, 0x100, 0), vec![Some(1)]);
        calls.keep((1, 0x80, 0), vec![Some(2)]);
        calls.keep((2, 0x100, 0), vec![Some(3)]);
        calls.keep((1, 0x100, 1), vec![None]);
        assert_eq!(calls.take((1, 0x80, 0)), [Some(2)]);
        assert_eq!(calls.take((1, 0x80, 0)), []);
        assert_eq!(calls.take((1, 0x100, 1)), [None]);
        calls.forget_thread(1);
        assert_eq!(calls.take((1, 0x100, 0)), []);
        assert_eq!(calls.take((2, 0x100, 0)), [Some(3)]);
    }
}
