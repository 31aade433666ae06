//! One run of a function.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::MAX_CHAIN;
use super::arithmetic as a;
use super::frame::{Frames, as_double, from_double, slot_offset};
use super::memory::Pages;
use crate::execute::{Budget, MOST_STACK, Outcome, RunFault, STEPS_PER_CHECK};
use crate::ir::{
    Base, Block, Class, Function, FunctionId, InstructionKind, MemoryType, Place, Program,
    Register, SpanId, Terminator,
};
use ytrace_values::{Fault, FaultKind, Machine};

/// What is kept from run to run: memory only.
#[derive(Debug, Default)]
pub(super) struct State {
    frames: Frames,
    pages: Pages,
    words: Vec<u64>,
}

/// A run under way.
pub(super) struct Run<'a, 'm, 'b> {
    program: &'a Program,
    state: &'a mut State,
    machine: &'a mut Machine<'m>,
    budget: Budget<'b>,
    steps: u64,
    stack: u64,
}

/// Where control goes after an instruction.
enum Flow {
    /// To the next instruction.
    Next,
    /// Into a function that was just entered.
    Enter,
}

impl<'a, 'm, 'b> Run<'a, 'm, 'b> {
    pub(super) fn new(
        program: &'a Program,
        state: &'a mut State,
        machine: &'a mut Machine<'m>,
        budget: Budget<'b>,
    ) -> Self {
        state.frames.clear();
        state.pages.reset(&*machine.memory);
        Self {
            program,
            state,
            machine,
            budget,
            steps: 0,
            stack: 0,
        }
    }

    /// Runs a function that takes no arguments.
    pub(super) fn function(mut self, id: FunctionId) -> Outcome {
        let result = match self.start(id) {
            // Nothing has run yet; the place is where the function begins.
            Err(fault) => {
                let span = self.program.entry_span(id);
                Err(RunFault {
                    fault,
                    span,
                    chain: vec![(id, span)],
                })
            }
            Ok(()) => self.execute(),
        };
        Outcome {
            result,
            steps: self.steps,
        }
    }

    fn start(&mut self, id: FunctionId) -> Result<(), Fault> {
        self.check()?;
        let takes_nothing = self
            .program
            .functions
            .get(id.0 as usize)
            .is_some_and(|function| function.parameters == 0);
        if !takes_nothing {
            return Err(internal("no such function to run"));
        }
        self.enter(id, &[], None, SpanId(0))
    }

    /// Looks at the clock and at the interrupt.
    fn check(&self) -> Result<(), Fault> {
        if let Some(interrupt) = self.budget.interrupt
            && interrupt.load(Ordering::Relaxed)
        {
            return Err(Fault::new(FaultKind::Interrupted));
        }
        if let Some(deadline) = self.budget.deadline
            && Instant::now() >= deadline
        {
            return Err(Fault::new(FaultKind::TimeExhausted));
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Fault> {
        if self.steps >= self.budget.steps {
            return Err(Fault::new(FaultKind::StepsExhausted));
        }
        if self.steps > 0 && self.steps.is_multiple_of(STEPS_PER_CHECK) {
            self.check()?;
        }
        self.steps += 1;
        Ok(())
    }

    /// Enters a function, if the stack budget allows.
    fn enter(
        &mut self,
        id: FunctionId,
        arguments: &[u64],
        result: Option<Register>,
        call: SpanId,
    ) -> Result<(), Fault> {
        let program = self.program;
        let Some(function) = program.functions.get(id.0 as usize) else {
            return Err(internal("no such function"));
        };
        let stack = self.stack.saturating_add(function.frame_cost);
        if stack > self.budget.stack.min(MOST_STACK) {
            return Err(Fault::new(FaultKind::StackTooDeep));
        }
        self.stack = stack;
        self.state
            .frames
            .push(id, function, arguments, result, call);
        Ok(())
    }

    fn leave(&mut self) -> Option<super::frame::Frame> {
        let frame = self.state.frames.pop()?;
        self.stack = self.stack.saturating_sub(frame.cost);
        Some(frame)
    }

    /// Executes until the outermost function returns or a fault leaves it.
    fn execute(&mut self) -> Result<u64, RunFault> {
        loop {
            let Some((function, block)) = self.position() else {
                return Err(self.lost("the program has no such block"));
            };
            match self.block(function, block) {
                Ok(Some(result)) => return Ok(result),
                Ok(None) => {}
                Err((fault, span)) => self.handle(fault, span)?,
            }
        }
    }

    /// The function and the block that the innermost frame is in.
    fn position(&self) -> Option<(&'a Function, &'a Block)> {
        let frame = self.state.frames.frames.last()?;
        let function = self.program.functions.get(frame.function.0 as usize)?;
        Some((function, function.blocks.get(frame.block as usize)?))
    }

    fn lost(&self, message: &str) -> RunFault {
        RunFault {
            fault: internal(message),
            span: SpanId(0),
            chain: Vec::new(),
        }
    }

    /// Runs the rest of a block. Gives the result when the outermost function returns.
    fn block(
        &mut self,
        function: &'a Function,
        block: &'a Block,
    ) -> Result<Option<u64>, (Fault, SpanId)> {
        let Some(frame) = self.state.frames.frames.last() else {
            return Ok(Some(0));
        };
        let (registers, slots) = (frame.registers, frame.slots);
        let mut view = View {
            run: self,
            function,
            registers,
            slots,
        };
        let first = view
            .run
            .state
            .frames
            .frames
            .last()
            .map_or(0, |frame| frame.instruction as usize);
        for (index, instruction) in block.instructions.iter().enumerate().skip(first) {
            match view.instruction(&instruction.kind, instruction.span, index) {
                Ok(Flow::Next) => {}
                Ok(Flow::Enter) => return Ok(None),
                Err(fault) => return Err((fault, instruction.span)),
            }
        }
        let next = match &block.terminator {
            Terminator::Jump(block) => *block,
            Terminator::Branch {
                condition,
                then,
                otherwise,
            } => {
                if view.get(*condition) != 0 {
                    *then
                } else {
                    *otherwise
                }
            }
            Terminator::Switch {
                value,
                cases,
                otherwise,
            } => {
                let value = view.get(*value);
                cases
                    .iter()
                    .find(|(word, _)| *word == value)
                    .map_or(*otherwise, |(_, block)| *block)
            }
            Terminator::Return(value) => {
                let value = value.map_or(0, |register| view.get(register));
                let left = view.run.leave();
                let Some(caller) = view.run.state.frames.frames.last() else {
                    return Ok(Some(value));
                };
                let registers = caller.registers;
                if let Some(result) = left.and_then(|frame| frame.result)
                    && let Some(register) = view
                        .run
                        .state
                        .frames
                        .registers
                        .get_mut(registers + result.0 as usize)
                {
                    *register = value;
                }
                return Ok(None);
            }
        };
        if let Some(frame) = self.state.frames.frames.last_mut() {
            frame.block = next.0;
            frame.instruction = 0;
        }
        Ok(None)
    }

    /// Takes a fault to its handler, or out of the run.
    fn handle(&mut self, fault: Fault, span: SpanId) -> Result<(), RunFault> {
        let program = self.program;
        let mut chain = Vec::new();
        let mut at = span;
        let catchable = fault.kind.catchable();
        let mut depth = self.state.frames.frames.len();
        while depth > 0 {
            depth -= 1;
            let Some(frame) = self.state.frames.frames.get(depth) else {
                break;
            };
            let handler = program
                .functions
                .get(frame.function.0 as usize)
                .and_then(|function| function.blocks.get(frame.block as usize))
                .and_then(|block| block.on_fault)
                .filter(|_| catchable);
            if let Some(handler) = handler {
                while self.state.frames.frames.len() > depth + 1 {
                    self.leave();
                }
                if let Some(frame) = self.state.frames.frames.last_mut() {
                    frame.block = handler.0;
                    frame.instruction = 0;
                }
                self.machine.store.set_caught(fault, program.location(span));
                return Ok(());
            }
            if chain.len() < MAX_CHAIN {
                chain.push((frame.function, at));
            }
            at = frame.call;
        }
        Err(RunFault { fault, span, chain })
    }
}

/// The innermost frame while its instructions run.
struct View<'r, 'a, 'm, 'b> {
    run: &'r mut Run<'a, 'm, 'b>,
    function: &'a Function,
    registers: usize,
    slots: usize,
}

impl View<'_, '_, '_, '_> {
    #[inline]
    fn get(&self, register: Register) -> u64 {
        self.run
            .state
            .frames
            .registers
            .get(self.registers + register.0 as usize)
            .copied()
            .unwrap_or(0)
    }

    #[inline]
    fn set(&mut self, register: Register, value: u64) {
        if let Some(slot) = self
            .run
            .state
            .frames
            .registers
            .get_mut(self.registers + register.0 as usize)
        {
            *slot = value;
        }
    }

    fn class(&self, register: Register) -> Option<Class> {
        self.function.registers.get(register.0 as usize).copied()
    }

    fn double(&self, register: Register) -> f64 {
        as_double(self.class(register), self.get(register))
    }

    fn instruction(
        &mut self,
        kind: &InstructionKind,
        span: SpanId,
        index: usize,
    ) -> Result<Flow, Fault> {
        match kind {
            InstructionKind::Constant { to, value } => self.set(*to, *value),
            InstructionKind::Literal { to, index } => {
                let handle = self
                    .run
                    .machine
                    .store
                    .literal(*index)
                    .ok_or_else(|| internal("no such string literal"))?;
                self.set(*to, handle);
            }
            InstructionKind::Copy { to, from } => {
                let value = self.get(*from);
                self.set(*to, value);
            }
            InstructionKind::Integer {
                operator,
                ty,
                to,
                left,
                right,
            } => {
                let value = a::integer(*operator, *ty, self.get(*left), self.get(*right))?;
                self.set(*to, value);
            }
            InstructionKind::Extend { ty, to, from } => {
                let value = a::extend(self.get(*from), *ty);
                self.set(*to, value);
            }
            InstructionKind::CompareIntegers {
                comparison,
                signed,
                to,
                left,
                right,
            } => {
                let value = a::compare(*comparison, *signed, self.get(*left), self.get(*right));
                self.set(*to, value);
            }
            InstructionKind::Float {
                operator,
                to,
                left,
                right,
            } => {
                let (left, right) = (self.get(*left), self.get(*right));
                let value = match self.class(*to) {
                    Some(Class::Float32) => {
                        let (left, right) = (left as u32, right as u32);
                        a::float32(*operator, f32::from_bits(left), f32::from_bits(right))
                    }
                    _ => a::float64(*operator, f64::from_bits(left), f64::from_bits(right)),
                };
                self.set(*to, value);
            }
            InstructionKind::FloatNegate { to, from } => {
                let sign = match self.class(*to) {
                    Some(Class::Float32) => 1 << 31,
                    _ => 1 << 63,
                };
                let value = self.get(*from) ^ sign;
                self.set(*to, value);
            }
            InstructionKind::CompareFloats {
                comparison,
                to,
                left,
                right,
            } => {
                let value = a::compare_floats(*comparison, self.double(*left), self.double(*right));
                self.set(*to, value);
            }
            InstructionKind::IntegerToFloat { signed, to, from } => {
                let word = self.get(*from);
                let value = match (self.class(*to), *signed) {
                    (Some(Class::Float32), true) => u64::from((word as i64 as f32).to_bits()),
                    (Some(Class::Float32), false) => u64::from((word as f32).to_bits()),
                    (_, true) => (word as i64 as f64).to_bits(),
                    (_, false) => (word as f64).to_bits(),
                };
                self.set(*to, value);
            }
            InstructionKind::FloatToInteger { ty, to, from } => {
                let value = a::float_to_integer(self.double(*from), *ty)?;
                self.set(*to, value);
            }
            InstructionKind::FloatToFloat { to, from } => {
                let value = match (self.class(*from), self.class(*to)) {
                    (before, after) if before == after => self.get(*from),
                    (_, after) => from_double(after, self.double(*from)),
                };
                self.set(*to, value);
            }
            InstructionKind::FloatToBits { to, from } => {
                let value = self.double(*from).to_bits();
                self.set(*to, value);
            }
            InstructionKind::BitsToFloat { to, from } => {
                let value = from_double(self.class(*to), f64::from_bits(self.get(*from)));
                self.set(*to, value);
            }
            InstructionKind::Load { to, place, ty } => {
                let value = self.load(place, *ty)?;
                self.set(*to, value);
            }
            InstructionKind::Store { place, from, ty } => {
                let bytes = self.get(*from).to_le_bytes();
                let size = ty.size() as usize;
                let target = self.bytes_mut(place, size)?;
                target.copy_from_slice(bytes.get(..size).unwrap_or_default());
            }
            InstructionKind::CopyBytes { to, from, length } => {
                self.copy_bytes(to, from, *length as usize)?;
            }
            InstructionKind::Zero { place, length } => {
                self.bytes_mut(place, *length as usize)?.fill(0);
            }
            InstructionKind::SlotAddress { to, slot } => {
                let address = self.slots + slot_offset(self.function, *slot);
                self.set(*to, address as u64);
            }
            InstructionKind::BoundsCheck { index, length } => {
                let index = self.get(*index);
                if index >= *length {
                    return Err(out_of_bounds(index, *length));
                }
            }
            InstructionKind::Call {
                function,
                arguments,
                to,
            } => {
                let mut words = std::mem::take(&mut self.run.state.words);
                words.clear();
                words.extend(arguments.iter().map(|argument| self.get(*argument)));
                let entered = self.run.enter(*function, &words, *to, span);
                self.run.state.words = words;
                entered?;
                // The caller goes on after the call.
                let mut callers = self.run.state.frames.frames.iter_mut().rev();
                if let Some(caller) = callers.nth(1) {
                    caller.instruction = index as u32 + 1;
                }
                return Ok(Flow::Enter);
            }
            InstructionKind::Operation {
                operation,
                arguments,
                to,
            } => {
                let mut words = std::mem::take(&mut self.run.state.words);
                words.clear();
                words.extend(arguments.iter().map(|argument| self.get(*argument)));
                let result = self.run.machine.perform(*operation, &words);
                self.run.state.words = words;
                let value = result?;
                if let Some(to) = to {
                    self.set(*to, value);
                }
            }
            InstructionKind::Step => self.run.step()?,
        }
        Ok(Flow::Next)
    }

    /// Byte offset of a place from its base.
    fn offset(&self, place: &Place) -> u64 {
        let index = place.index.map_or(0, |register| self.get(register));
        (place.offset as u64).wrapping_add(index)
    }

    fn load(&mut self, place: &Place, ty: MemoryType) -> Result<u64, Fault> {
        let word = match ty.size() {
            1 => u64::from(u8::from_le_bytes(self.load_bytes(place)?)),
            2 => u64::from(u16::from_le_bytes(self.load_bytes(place)?)),
            4 => u64::from(u32::from_le_bytes(self.load_bytes(place)?)),
            _ => u64::from_le_bytes(self.load_bytes(place)?),
        };
        Ok(match ty {
            MemoryType::I8 => word as i8 as u64,
            MemoryType::I16 => word as i16 as u64,
            MemoryType::I32 => word as i32 as u64,
            _ => word,
        })
    }

    fn load_bytes<const N: usize>(&mut self, place: &Place) -> Result<[u8; N], Fault> {
        if let Base::Target(register) = place.base {
            let address = self.get(register).wrapping_add(self.offset(place));
            let run = &mut *self.run;
            return run.state.pages.load(&mut *run.machine.memory, address);
        }
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.bytes(place, N)?);
        Ok(bytes)
    }

    /// The range of a place in the slots of all frames.
    fn frame_range(&self, place: &Place, length: usize) -> Option<std::ops::Range<usize>> {
        let base = match place.base {
            Base::Slot(slot) => (self.slots + slot_offset(self.function, slot)) as u64,
            Base::Frame(register) => self.get(register),
            _ => return None,
        };
        range(base.checked_add(self.offset(place))?, length)
    }

    /// Bytes of tracer memory.
    fn bytes(&self, place: &Place, length: usize) -> Result<&[u8], Fault> {
        let found = match place.base {
            Base::Target(_) => None,
            Base::Globals => range(self.offset(place), length)
                .and_then(|range| self.run.machine.store.globals.get(range)),
            Base::Slot(_) | Base::Frame(_) => self
                .frame_range(place, length)
                .and_then(|range| self.run.state.frames.bytes.get(range)),
            Base::Row { container, row } => {
                let (container, row) = (self.get(container), self.get(row));
                range(self.offset(place), length)
                    .and_then(|range| self.run.machine.store.row(container, row)?.get(range))
            }
        };
        found.ok_or_else(|| internal("a load outside of its object"))
    }

    /// Bytes of tracer memory, to be written.
    fn bytes_mut(&mut self, place: &Place, length: usize) -> Result<&mut [u8], Fault> {
        let found = match place.base {
            Base::Target(_) => None,
            Base::Globals => {
                let range = range(self.offset(place), length);
                range.and_then(|range| self.run.machine.store.globals.get_mut(range))
            }
            Base::Slot(_) | Base::Frame(_) => {
                let range = self.frame_range(place, length);
                range.and_then(|range| self.run.state.frames.bytes.get_mut(range))
            }
            Base::Row { container, row } => {
                let (container, row) = (self.get(container), self.get(row));
                let range = range(self.offset(place), length);
                range.and_then(|range| {
                    self.run
                        .machine
                        .store
                        .row_mut(container, row)?
                        .get_mut(range)
                })
            }
        };
        found.ok_or_else(|| internal("a store outside of its object"))
    }

    fn copy_bytes(&mut self, to: &Place, from: &Place, length: usize) -> Result<(), Fault> {
        let mut buffer;
        if let Base::Target(register) = from.base {
            // The destination is there, so the buffer is no larger than an object of the tracer.
            self.bytes_mut(to, length)?;
            let address = self.get(register).wrapping_add(self.offset(from));
            buffer = vec![0; length];
            self.run
                .machine
                .memory
                .read(address, &mut buffer)
                .map_err(Fault::memory)?;
        } else {
            buffer = self.bytes(from, length)?.to_vec();
        }
        self.bytes_mut(to, length)?.copy_from_slice(&buffer);
        Ok(())
    }
}

fn range(start: u64, length: usize) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(start).ok()?;
    Some(start..start.checked_add(length)?)
}

fn internal(message: &str) -> Fault {
    Fault::new(FaultKind::Internal).with_message(message)
}

/// The fault of [`InstructionKind::BoundsCheck`]; every executor gives the same.
fn out_of_bounds(index: u64, length: u64) -> Fault {
    Fault::new(FaultKind::IndexOutOfRange)
        .with_message(format!("index {} of {length}", index as i64))
}
