//! The reference interpreter: says what a program means, and what it costs.
//!
//! It is written to be plainly right rather than fast. Calls of the interpreted program do not
//! nest calls of the interpreter, so its depth is bounded by the stack budget alone.

pub(crate) mod arithmetic;
mod frame;
mod memory;
mod run;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::execute::{Budget, Executor, Outcome};
use crate::ir::{FunctionId, Program};
use run::Run;
use ytrace_values::Machine;

/// The most functions of a call chain that a fault names.
pub const MAX_CHAIN: usize = 64;

/// Interprets the functions of one program.
///
/// What a run allocates is kept for the next one.
#[derive(Debug)]
pub struct Interpreter {
    program: Arc<Program>,
    state: run::State,
}

impl Interpreter {
    /// An interpreter of a program.
    pub fn new(program: Arc<Program>) -> Self {
        Self {
            program,
            state: run::State::default(),
        }
    }
}

impl Executor for Interpreter {
    fn run(
        &mut self,
        function: FunctionId,
        machine: &mut Machine<'_>,
        budget: Budget<'_>,
    ) -> Outcome {
        // Containers of a run that a fault ends are freed here; those of globals stay.
        let mark = machine.store.mark();
        let program = Arc::clone(&self.program);
        let outcome = Run::new(&program, &mut self.state, machine, budget).function(function);
        if outcome.result.is_err() && function != program.initialize {
            machine.store.release(mark);
        }
        outcome
    }
}
