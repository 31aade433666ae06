//! A compiled program with the executor that runs it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ytrace_jit::Jit;
use ytrace_lang::execute::{Budget, Executor, Outcome};
use ytrace_lang::interpret::Interpreter;
use ytrace_lang::ir::{Base, Function, FunctionId, InstructionKind, Place, Program, Register};
use ytrace_values::constants::{FormatArgument, FormatPiece};
use ytrace_values::store::Limits;
use ytrace_values::{Host, Machine, Memory, Operation, Store};

use crate::error::SessionError;
use crate::options::{ExecutorKind, Options};

/// A program ready to run, and its limits.
pub(crate) struct Runner {
    program: Arc<Program>,
    executor: Box<dyn Executor>,
    limits: Limits,
    /// Whether interrupts are not for what runs.
    pub(crate) patient: bool,
}

impl Runner {
    /// Prepares a program.
    pub(crate) fn new(
        program: Arc<Program>,
        executor: ExecutorKind,
        options: &Options,
        page_size: u64,
    ) -> Result<Self, SessionError> {
        let executor: Box<dyn Executor> = match executor {
            ExecutorKind::Interpreter => Box::new(Interpreter::new(Arc::clone(&program))),
            ExecutorKind::Compiled => {
                let options = ytrace_jit::Options::new(page_size);
                Box::new(Jit::lazy(Arc::clone(&program), options)?)
            }
        };
        let memory = options
            .budgets
            .memory
            .unwrap_or_else(|| ytrace_target::memory_headroom().allowance().0);
        Ok(Self {
            program,
            executor,
            limits: Limits {
                memory,
                output: options.budgets.output,
                string: options.budgets.string,
            },
            patient: false,
        })
    }

    /// Whether a function, or one that it calls, may look at what can change in the target.
    pub(crate) fn looks_at_target(&self, function: FunctionId) -> bool {
        looks_at_target(&self.program, function)
    }

    /// Compiles a function, if it has not been: what no probe has come to costs nothing, and none
    /// is compiled while the target stands still.
    pub(crate) fn prepare(&mut self, function: FunctionId) {
        self.executor.prepare(function);
    }

    /// A store with the globals' initial values; the outcome is that of the initializers.
    pub(crate) fn store(
        &mut self,
        memory: &mut dyn Memory,
        host: &mut dyn Host,
        options: &Options,
    ) -> (Store, Outcome) {
        let mut store = Store::new(Arc::clone(&self.program.constants), self.limits);
        let initialize = self.program.initialize;
        let outcome = self.run(initialize, &mut store, memory, host, options);
        (store, outcome)
    }

    /// The store that another program has left, or a fresh one, with the globals' initial values.
    pub(crate) fn next_store(
        &mut self,
        before: Option<Store>,
        memory: &mut dyn Memory,
        host: &mut dyn Host,
        options: &Options,
    ) -> (Store, Outcome) {
        let constants = Arc::clone(&self.program.constants);
        let mut store = match before {
            Some(before) => before.succeed(constants),
            None => Store::new(constants, self.limits),
        };
        let initialize = self.program.initialize;
        let outcome = self.run(initialize, &mut store, memory, host, options);
        (store, outcome)
    }

    /// Runs one function under the budgets of the options.
    pub(crate) fn run(
        &mut self,
        function: FunctionId,
        store: &mut Store,
        memory: &mut dyn Memory,
        host: &mut dyn Host,
        options: &Options,
    ) -> Outcome {
        self.run_for(function, store, memory, host, options, u64::MAX)
    }

    /// The same for the handler of an event: an interrupt ends the waiting for events, not the handler of one that has come, if it
    /// comes while `patient`. It takes no longer than `longest`, if that is less than its budget: its thread may stand still meanwhile.
    pub(crate) fn run_for_event(
        &mut self,
        function: FunctionId,
        machine: &mut Machine<'_>,
        options: &Options,
        patient: bool,
        longest: Duration,
    ) -> Outcome {
        let budget = Budget {
            interrupt: (!patient).then_some(options.interrupt),
            ..budget(options, longest)
        };
        self.executor.run(function, machine, budget)
    }

    /// The same, for at most so many steps.
    pub(crate) fn run_for(
        &mut self,
        function: FunctionId,
        store: &mut Store,
        memory: &mut dyn Memory,
        host: &mut dyn Host,
        options: &Options,
        steps: u64,
    ) -> Outcome {
        let budget = Budget {
            steps: options.budgets.steps.min(steps),
            interrupt: (!self.patient).then_some(options.interrupt),
            ..budget(options, Duration::MAX)
        };
        let mut machine = Machine {
            store,
            memory,
            host,
        };
        self.executor.run(function, &mut machine, budget)
    }
}

/// The budget of a run that begins now and may take at most so long.
fn budget(options: &Options, longest: Duration) -> Budget<'static> {
    Budget {
        steps: options.budgets.steps,
        stack: options.budgets.stack,
        deadline: Instant::now().checked_add(options.budgets.time.min(longest)),
        interrupt: Some(options.interrupt),
    }
}

/// The most instructions of what is executed without being compiled first.
const BRIEF: usize = 20_000;

/// Whether a function ends soon: neither it nor what it calls loops or recurses.
pub(crate) fn is_brief(program: &Program, function: FunctionId) -> bool {
    let mut path = Vec::new();
    let mut left = BRIEF;
    ends_soon(program, function, &mut path, &mut left)
}

fn ends_soon(
    program: &Program,
    id: FunctionId,
    path: &mut Vec<FunctionId>,
    left: &mut usize,
) -> bool {
    /// The most calls within one another.
    const DEEPEST: usize = 32;
    let Some(function) = program.functions.get(id.0 as usize) else {
        return true;
    };
    if path.contains(&id) || path.len() >= DEEPEST || loops(function) {
        return false;
    }
    path.push(id);
    for instruction in function.blocks.iter().flat_map(|block| &block.instructions) {
        let Some(rest) = left.checked_sub(1) else {
            return false;
        };
        *left = rest;
        if let InstructionKind::Call { function, .. } = &instruction.kind
            && !ends_soon(program, *function, path, left)
        {
            return false;
        }
    }
    path.pop();
    true
}

/// Whether control can come to a block again that it has left.
fn loops(function: &Function) -> bool {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut states = vec![State::New; function.blocks.len()];
    // Blocks to be entered, and (true) to be left.
    let mut pending = vec![(0_usize, false)];
    while let Some((block, leave)) = pending.pop() {
        let Some(state) = states.get_mut(block) else {
            continue;
        };
        if leave {
            *state = State::Done;
            continue;
        }
        match *state {
            State::Done => continue,
            State::Open => return true,
            State::New => *state = State::Open,
        }
        pending.push((block, true));
        let Some(block) = function.blocks.get(block) else {
            continue;
        };
        let mut next: Vec<usize> = block.on_fault.iter().map(|to| to.0 as usize).collect();
        block
            .terminator
            .successors(&mut |to| next.push(to.0 as usize));
        if next.iter().any(|to| states.get(*to) == Some(&State::Open)) {
            return true;
        }
        pending.extend(next.into_iter().map(|to| (to, false)));
    }
    false
}

/// Whether a function, or one that it calls, asks for a register of a thread or for its stack.
pub(crate) fn asks_for_registers(program: &Program, function: FunctionId) -> bool {
    any_instruction(program, function, |_, instruction| {
        matches!(
            instruction,
            InstructionKind::Operation {
                operation: Operation::Register
                    | Operation::Backtrace
                    | Operation::BacktracePart
                    | Operation::ThreadLocal,
                ..
            }
        )
    })
}

fn looks_at_target(program: &Program, function: FunctionId) -> bool {
    let in_target = |place: &Place| matches!(place.base, Base::Target(_));
    any_instruction(
        program,
        function,
        |function, instruction| match instruction {
            InstructionKind::Load { place, .. } => in_target(place),
            InstructionKind::CopyBytes { from, .. } => in_target(from),
            InstructionKind::Operation {
                operation: Operation::Printf | Operation::Sprintf,
                arguments,
                ..
            } => format_looks(program, function, arguments.first()),
            InstructionKind::Operation { operation, .. } => operation.looks_at_target(),
            // Each is named, so that a new one is not forgotten.
            InstructionKind::Call { .. }
            | InstructionKind::Constant { .. }
            | InstructionKind::Literal { .. }
            | InstructionKind::Copy { .. }
            | InstructionKind::Integer { .. }
            | InstructionKind::Extend { .. }
            | InstructionKind::CompareIntegers { .. }
            | InstructionKind::Float { .. }
            | InstructionKind::FloatNegate { .. }
            | InstructionKind::CompareFloats { .. }
            | InstructionKind::IntegerToFloat { .. }
            | InstructionKind::FloatToInteger { .. }
            | InstructionKind::FloatToFloat { .. }
            | InstructionKind::FloatToBits { .. }
            | InstructionKind::BitsToFloat { .. }
            | InstructionKind::Store { .. }
            | InstructionKind::Zero { .. }
            | InstructionKind::SlotAddress { .. }
            | InstructionKind::BoundsCheck { .. }
            | InstructionKind::Step => false,
        },
    )
}

/// Whether something holds of any instruction of a function, or of one that it calls. What does not exist cannot run.
fn any_instruction(
    program: &Program,
    function: FunctionId,
    holds: impl Fn(&Function, &InstructionKind) -> bool,
) -> bool {
    let mut seen = HashSet::from([function]);
    let mut left = vec![function];
    while let Some(next) = left.pop() {
        let Some(function) = program.functions.get(next.0 as usize) else {
            continue;
        };
        let blocks = function.blocks.iter();
        for instruction in blocks.flat_map(|block| &block.instructions) {
            if holds(function, &instruction.kind) {
                return true;
            }
            if let InstructionKind::Call { function, .. } = &instruction.kind
                && seen.insert(*function)
            {
                left.push(*function);
            }
        }
    }
    false
}

/// Whether what a format shows may be in the target: anything but single words. `index` is the register with its index.
fn format_looks(program: &Program, function: &Function, index: Option<&Register>) -> bool {
    let shows_words = |piece: &FormatPiece| match piece {
        FormatPiece::Text(_) => true,
        FormatPiece::Conversion(conversion) => {
            matches!(conversion.argument, FormatArgument::Scalar(_))
        }
    };
    let blocks = function.blocks.iter();
    let mut indexes = blocks
        .flat_map(|block| &block.instructions)
        .filter_map(|instruction| match &instruction.kind {
            InstructionKind::Constant { to, value } if Some(to) == index => Some(*value),
            _ => None,
        })
        .peekable();
    // One that is not told by constants may be any.
    indexes.peek().is_none()
        || indexes.any(|index| {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            let format = program.constants.formats.get(index);
            !format.is_some_and(|format| format.iter().all(shows_words))
        })
}
