//! What an event handler reads of the target, worked out before it runs, so that it can be captured at the hit.
//!
//! [`analyze`] follows a handler over all its ways at once ([`run`]). Words that are known at the hit (registers, constants, what is
//! read at known addresses, and what is computed from those) are terms of a graph in which equal ones are one ([`terms`]); at each
//! point each register is a term, one of a few, or unknown for a reason ([`state`]). Where ways come together, values that differ
//! become a choice by the condition that told the ways apart. Calls are followed with their arguments; loops round by round if their
//! number of rounds is constant, else what they change is unknown. Reads at known addresses become captures ([`build`]); one at an
//! unknown address is an error that says what it depends on ([`refusal`]).
//!
//! [`evaluate`] carries out a plan as a kernel would: the reference for those that do.

mod build;
mod counting;
mod dump;
mod evaluate;
mod formats;
mod found;
mod globals;
mod instructions;
mod operations;
mod plan;
mod readers;
mod refusal;
mod region;
mod run;
mod state;
mod tables;
mod terms;
mod updates;

pub use counting::{Countable, Counting, countable};
pub use dump::text;
pub use evaluate::{Evaluated, Hit, evaluate};
pub use globals::settled;
pub use plan::{
    Capture, CaptureId, CaptureKind, MAX_BYTES, MAX_CAPTURES, MAX_MERGED, MAX_PIECES, MAX_VALUES,
    Needs, Piece, Plan, Requirement, Step, TableKey, Update, UpdatedPart, Value, ValueId,
};
pub use run::MAX_ROUNDS;
pub use tables::mirrored;

use std::collections::BTreeSet;

use crate::diagnostics::Diagnostic;
use crate::ir::{FunctionId, Program};
use globals::Globals;
use run::{Analysis, Stop};

/// What the analysis must know of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The size of a page of the target in bytes.
    pub page_size: u64,
    /// The most bytes of a string, as [`ytrace_values::Limits::string`] of the store that the handler will run with.
    pub string: u64,
}

/// Works out what is captured for a handler, or for an entry value.
///
/// # Errors
/// What it reads that cannot be captured, each with its place and why.
pub fn analyze(
    program: &Program,
    function: FunctionId,
    options: &Options,
) -> Result<Plan, Vec<Diagnostic>> {
    Captures::new(program, *options, Vec::new()).analyze(function)
}

/// The same for several functions of one program.
pub struct Captures<'p> {
    program: &'p Program,
    options: Options,
    globals: Globals,
}

impl<'p> Captures<'p> {
    /// Looks at the globals of a program. What [`settled`] ones hold is known at a hit.
    pub fn new(program: &'p Program, options: Options, settled: Vec<(u64, u64)>) -> Self {
        Self {
            program,
            options,
            globals: Globals::of(program, &options, settled),
        }
    }

    /// See [`analyze`].
    pub fn analyze(&self, function: FunctionId) -> Result<Plan, Vec<Diagnostic>> {
        match self.follow(function, true, false) {
            Ok(Some(plan)) => Ok(plan),
            // The kernel cannot drop all hits outside of the sample.
            Ok(None) => self
                .follow(function, false, false)
                .map(Option::unwrap_or_default),
            Err(errors) => Err(errors),
        }
    }

    /// The same for a function whose result is wanted: the plan, and the result among its values.
    ///
    /// # Errors
    /// As [`analyze`]; or the result is not known at the hit.
    pub fn analyze_value(&self, function: FunctionId) -> Result<(Plan, ValueId), Vec<Diagnostic>> {
        let plan = self.follow(function, false, true)?.unwrap_or_default();
        match plan.result {
            Some(result) => Ok((plan, result)),
            None => {
                let span = self.program.entry_span(function);
                Err(vec![refusal::no_result(self.program, span)])
            }
        }
    }

    /// The vector register that a function asks for whose result is not known at the hit for that, if it is so.
    pub fn vector_of(&self, function: FunctionId) -> Option<u64> {
        let plan = self.follow(function, false, true).ok()??;
        plan.needs.vectors.first().copied()
    }

    /// The tables of the script, by the offset of their global, into which a function that runs on no hit inserts anything, with those
    /// that it calls; `None` if that may be any.
    pub fn inserts_into(&self, function: FunctionId) -> Option<BTreeSet<u64>> {
        let mut analysis = Analysis::new(self.program, &self.options, &self.globals);
        analysis.handler(function).ok()?;
        analysis.found.tables.written()
    }

    fn follow(
        &self,
        function: FunctionId,
        sampling: bool,
        valued: bool,
    ) -> Result<Option<Plan>, Vec<Diagnostic>> {
        let mut analysis = Analysis::new(self.program, &self.options, &self.globals);
        analysis.sampling = sampling;
        analysis.valued = valued;
        self.run(&mut analysis, function)?;
        if !build::settle_sample(&mut analysis) {
            return Ok(None);
        }
        build::plan(&mut analysis)
            .map(Some)
            .map_err(|(excess, span)| vec![refusal::excess(excess, span)])
    }

    /// Follows a function, and finds out whether all that it reads can be captured.
    fn run(
        &self,
        analysis: &mut Analysis<'p>,
        function: FunctionId,
    ) -> Result<(), Vec<Diagnostic>> {
        match analysis.handler(function) {
            Ok(ended) => {
                let result = ended.and_then(|(_, result)| result.single());
                analysis.result = result.filter(|_| analysis.valued);
            }
            Err(Stop::TooLarge(span)) => return Err(vec![refusal::too_large(self.program, span)]),
            Err(Stop::Attempt) => {
                let span = self.program.entry_span(function);
                return Err(vec![refusal::too_large(self.program, span)]);
            }
        }
        if !analysis.found.refused.is_empty() {
            let refused = analysis.found.refused.iter();
            return Err(refused
                .map(|refused| refusal::refused(self.program, refused, &self.options))
                .collect());
        }
        Ok(())
    }
}
