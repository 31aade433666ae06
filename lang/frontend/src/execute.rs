//! What every executor of a program offers, and what a run of a function needs.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::ir::{FunctionId, SpanId};
use ytrace_values::{Fault, Machine};

/// What one run of a handler may use.
#[derive(Clone, Copy, Debug)]
pub struct Budget<'a> {
    /// Steps: one a loop back-edge and a call.
    pub steps: u64,
    /// Frame bytes of nested calls, at most [`MOST_STACK`]; see
    /// [`crate::ir::Function::frame_cost`].
    pub stack: u64,
    /// When the run must have ended.
    pub deadline: Option<Instant>,
    /// Set from elsewhere to end the run at its next check (Ctrl-C).
    pub interrupt: Option<&'a AtomicBool>,
}

/// The most bytes of a stack budget; a larger one counts as this much in both executors.
pub const MOST_STACK: u64 = 256 << 20;

/// How often the deadline and the interrupt are looked at, in steps.
pub const STEPS_PER_CHECK: u64 = 1 << 16;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The result (0 for `void`, the bits of a float), or what ended the run early.
    pub result: Result<u64, RunFault>,
    /// Steps taken.
    pub steps: u64,
}

/// A fault with the place where it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFault {
    /// What happened.
    pub fault: Fault,
    /// The instruction's place.
    pub span: SpanId,
    /// Functions from the one that faulted outwards, with the place of each call; bounded.
    pub chain: Vec<(FunctionId, SpanId)>,
}

/// Executes functions of one program.
pub trait Executor {
    /// Gets ready what the first run of a function would else have to, for instance before a time
    /// when nothing may be late.
    fn prepare(&mut self, function: FunctionId) {
        let _ = function;
    }

    /// Runs a function that takes no arguments.
    fn run(
        &mut self,
        function: FunctionId,
        machine: &mut Machine<'_>,
        budget: Budget<'_>,
    ) -> Outcome;
}
