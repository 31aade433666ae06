//! Runs of compiled programs.

use std::sync::Arc;

use ytrace_lang::execute::{Budget, Executor, MOST_STACK, Outcome, RunFault, STEPS_PER_CHECK};
use ytrace_lang::ir::{FunctionId, Program};
use ytrace_values::{Fault, FaultKind, Machine};

use crate::compile::{CompiledProgram, Entry, Options};
use crate::context::{Context, HostState, LEAST_FRAMES, Returned, check};
use crate::error::CompileError;
use crate::memory_access::{CacheEntry, Geometry, PageHandles};
use crate::verify::slots_size;

/// The native stack that helpers may use below the deepest function, in bytes: operations, the
/// target's memory and the host run there.
pub const HELPER_STACK: u64 = 512 << 10;

/// The most native stack that a run makes for itself, in bytes; calls that would need more
/// fault as too deep. The memory is only taken as it is used.
pub const MOST_NATIVE_STACK: u64 = 512 << 20;

/// Runs the functions of one program.
///
/// They are compiled before, or each with what it calls when it is first run: what never runs then
/// costs nothing.
///
/// It keeps the page cache's memory and the frame stack between runs; the pages themselves are
/// dropped at the end of each run, since the next may have another view of the target.
///
/// The native stack needs no care: where the stack budget may need more than the current thread
/// has left, the run moves to a stack of its own.
pub struct Jit {
    code: Code,
    state: State,
}

enum Code {
    /// Of all functions that are run, compiled before.
    Whole(Arc<CompiledProgram>),
    /// Of those that have been prepared or run.
    Growing(Box<CompiledProgram>),
}

impl Code {
    fn get(&self) -> &CompiledProgram {
        match self {
            Code::Whole(code) => code,
            Code::Growing(code) => code,
        }
    }

    /// The code, with that of a function.
    fn with(&mut self, function: FunctionId) -> Result<&CompiledProgram, Arc<CompileError>> {
        if let Code::Growing(code) = self
            && !code.has(function)
        {
            code.add(function)?;
        }
        Ok(self.get())
    }
}

/// What lives from run to run.
struct State {
    entries: Vec<CacheEntry>,
    pages: PageHandles,
    frames: Vec<u8>,
}

impl std::fmt::Debug for Jit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jit")
            .field("code", self.code.get())
            .finish_non_exhaustive()
    }
}

impl Jit {
    /// An executor of a program that has been compiled.
    pub fn new(code: Arc<CompiledProgram>) -> Self {
        Self {
            state: State::new(code.geometry()),
            code: Code::Whole(code),
        }
    }

    /// An executor of a program that compiles each function, with what it calls, when it is first
    /// run or prepared.
    pub fn lazy(program: Arc<Program>, options: Options) -> Result<Self, CompileError> {
        let code = CompiledProgram::empty(program, options)?;
        Ok(Self {
            state: State::new(code.geometry()),
            code: Code::Growing(Box::new(code)),
        })
    }

    /// The code that it has.
    pub fn code(&self) -> &CompiledProgram {
        self.code.get()
    }

    /// Runs a function, or says why it cannot be started.
    fn start(
        &mut self,
        function: FunctionId,
        machine: &mut Machine<'_>,
        budget: Budget<'_>,
    ) -> Result<Outcome, Fault> {
        check(budget.deadline, budget.interrupt)?;
        let code = self
            .code
            .with(function)
            .map_err(|error| Fault::new(FaultKind::Internal).with_message(error.to_string()))?;
        self.state.start(code, function, machine, budget)
    }
}

impl State {
    fn new(geometry: Geometry) -> Self {
        Self {
            entries: vec![CacheEntry::EMPTY; geometry.entries as usize],
            pages: PageHandles::new(geometry),
            frames: Vec::new(),
        }
    }

    /// Gets everything ready that does not depend on the function.
    fn prepare(
        &mut self,
        program: &Program,
        machine: &Machine<'_>,
        stack: u64,
    ) -> Result<(), Fault> {
        let internal = |text: &str| Fault::new(FaultKind::Internal).with_message(text);
        let constants = &program.constants;
        if (machine.store.globals.len() as u64) < constants.globals_size {
            return Err(internal("the store has too few globals"));
        }
        if machine.store.literals().len() < constants.strings.len() {
            return Err(internal("the store lacks a string literal"));
        }
        let frames = stack.clamp(LEAST_FRAMES, MOST_STACK);
        if (self.frames.len() as u64) < frames {
            // Not resized: that would touch, and copy, all of it.
            self.frames = vec![0; frames as usize];
        }
        Ok(())
    }

    /// Runs a function of some code, or says why it cannot be started.
    fn start(
        &mut self,
        code: &CompiledProgram,
        function: FunctionId,
        machine: &mut Machine<'_>,
        budget: Budget<'_>,
    ) -> Result<Outcome, Fault> {
        let entry = code.entry(function).ok_or_else(|| {
            Fault::new(FaultKind::Internal)
                .with_message("the function takes arguments or was not compiled")
        })?;
        let stack = budget.stack.min(MOST_STACK);
        self.prepare(code.program(), machine, stack)?;
        let (cost, slots) = code
            .program()
            .functions
            .get(function.0 as usize)
            .map_or((0, None), |function| {
                (function.frame_cost, slots_size(function))
            });
        let fits = slots.is_some_and(|size| size <= self.frames.len() as u64);
        let stack_left = stack
            .checked_sub(cost)
            .filter(|_| fits)
            .ok_or_else(|| Fault::new(FaultKind::StackTooDeep))?;
        let need = code
            .native_need(function, stack)
            .saturating_add(2 * code.largest_native_frame() + 2 * HELPER_STACK)
            .min(MOST_NATIVE_STACK);
        let enough = stacker::remaining_stack().is_some_and(|left| left as u64 >= need);
        Ok(if enough {
            self.call(code, entry, stack_left, machine, budget)
        } else {
            stacker::grow(need as usize, || {
                self.call(code, entry, stack_left, machine, budget)
            })
        })
    }

    /// Calls the code of a function.
    fn call(
        &mut self,
        code: &CompiledProgram,
        entry: Entry,
        stack_left: u64,
        machine: &mut Machine<'_>,
        budget: Budget<'_>,
    ) -> Outcome {
        let native_limit = native_limit(code.largest_native_frame());
        // The step that completes a period is taken by the helper that looks at the budget.
        let chunk = budget.steps.min(STEPS_PER_CHECK - 1);
        let mut context = Context {
            cache: self.entries.as_mut_ptr(),
            frames: self.frames.as_mut_ptr(),
            frames_length: self.frames.len() as u64,
            native_limit,
            literals: machine.store.literals().as_ptr(),
            globals: machine.store.globals.as_mut_ptr(),
            steps: chunk,
            row: std::ptr::null_mut(),
            row_length: 0,
            catchable: 0,
            scratch: 0,
            host: std::ptr::null_mut(),
        };
        let paged = machine.memory.is_paged();
        let mut host = HostState {
            paged,
            machine,
            program: code.program(),
            pages: &mut self.pages,
            operations: code.operations(),
            globals_size: code.program().constants.globals_size,
            fault: None,
            chain: Vec::new(),
            steps_remaining: budget.steps - chunk,
            deadline: budget.deadline,
            interrupt: budget.interrupt,
        };
        context.host = std::ptr::from_mut(&mut host).cast();
        let pointer = std::ptr::from_mut(&mut context);
        let frames = self.frames.as_mut_ptr();
        // SAFETY: the code was generated for this context's layout and for a cache of as many
        // entries, and lives as long as `code`. The pointers in the context are valid for
        // the call: the vectors of `self` and the globals are not touched but by helpers, which
        // renew the latter, and a store never changes its literals. Nothing here uses `context` or `host` before the code returns.
        let Returned { status, value } = unsafe { entry(pointer, frames, stack_left) };
        let steps = budget.steps - host.steps_remaining - context.steps;
        let result = if status == 0 {
            Ok(value)
        } else {
            Err(host.take_fault())
        };
        Outcome { result, steps }
    }
}

/// The stack pointer below which no function may be called, so that helpers have room.
fn native_limit(largest_frame: u64) -> u64 {
    let marker = 0_u8;
    let here = std::ptr::from_ref(&marker) as u64;
    let left = stacker::remaining_stack().map_or(0, |bytes| bytes as u64);
    here.saturating_sub(left)
        .saturating_add(HELPER_STACK)
        .saturating_add(largest_frame)
}

impl Executor for Jit {
    /// Compiles the function with what it calls.
    fn prepare(&mut self, function: FunctionId) {
        // Where that fails, the run says why.
        let _ = self.code.with(function);
    }

    fn run(
        &mut self,
        function: FunctionId,
        machine: &mut Machine<'_>,
        budget: Budget<'_>,
    ) -> Outcome {
        let mark = machine.store.mark();
        let outcome = self
            .start(function, machine, budget)
            .unwrap_or_else(|fault| {
                // The run did not get as far as the code.
                let span = self.code().program().entry_span(function);
                Outcome {
                    result: Err(RunFault {
                        fault,
                        span,
                        chain: vec![(function, span)],
                    }),
                    steps: 0,
                }
            });
        self.state.pages.flush(&mut self.state.entries);
        if outcome.result.is_err() && function != self.code().program().initialize {
            // Containers of a run that a fault ends are freed here; those of globals stay.
            machine.store.release(mark);
        }
        outcome
    }
}
