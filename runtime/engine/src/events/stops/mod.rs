//! Probes on events whose handlers run while the thread that was hit stands still: breakpoints and watchpoints of ptrace(2).

mod attach;
mod calls;
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
use ytrace_target::breakpoints::{self, Stop, What};

use super::plan::Argument;
use super::programs::Programs;
use calls::Calls;
pub(crate) use hit::StopHit;
use memory::StopMemory;
use output::Output;

/// The probes of a program that stop threads.
pub(crate) struct Stops {
    session: breakpoints::Session,
    /// What each place of the session is for.
    places: Vec<PlaceUse>,
    /// The file that each place is mapped from.
    files: Vec<String>,
    /// The handlers of each watchpoint of the session.
    watches: Vec<Vec<usize>>,
    /// The handlers of events of the process.
    processes: HashMap<ProcessEvent, Vec<usize>>,
    handlers: Vec<Handler>,
    calls: Calls,
    memory: StopMemory,
    /// What the handlers of the stop that is out have shown.
    output: Output,
    /// What the target has executed.
    programs: Programs,
    /// A thread that is held for longer goes on by itself.
    max_hold: Duration,
    figures: Figures,
}

impl Stops {
    /// Forgets what was kept for a stop that no handler is run for.
    fn skip(&mut self, stop: &Stop) {
        let (What::Return { place }, Some(entry)) = (stop.what, &stop.entry) else {
            return;
        };
        let place = self.places.get(place);
        for (handler, _) in place.into_iter().flat_map(|place| &place.run) {
            self.calls.take(stop.tid, entry, *handler);
        }
    }

    /// Runs of handlers, hits that had none, as far as they are known so far, and places.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let figures = &self.figures;
        let lost = finish::lost(figures, &self.session.so_far());
        (figures.hits, lost, figures.places as u64)
    }

    /// Why what has come so far is not whole.
    pub(crate) fn losses(&self) -> Vec<String> {
        finish::losses(&self.figures, &self.session.so_far())
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
    /// Runs of handlers at returns that there were not, for of the entry nothing is known.
    unpaired: u64,
}
