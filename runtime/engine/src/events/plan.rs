//! From what a handler reads at a hit to what the kernel is to do there.
//!
//! The language works out a [`capture::Plan`] for each handler, in terms of the function's first instruction. The kernel's program
//! ([`HitProgram`]) is in terms of the instruction that is probed, which may come a little later, and has two parts where a
//! handler runs at a function's return.

mod counting;

use std::collections::{HashMap, HashSet};

use ytrace_lang::capture::{self, CaptureId, CaptureKind, Step, TableKey, Value, ValueId};
use ytrace_lang::ir::{Comparison, IntegerOperator, IntegerType};
use ytrace_target::events::{
    self as target, BinaryOperation, Emit, Extent, HitProgram, OnFailure, Part, Register,
    RegisterSet, StepId, UnaryOperation, Width,
};

use super::EventFailure;
use super::counted::Counted;

/// What is the same for all sites of one program in the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct SiteFacts {
    /// Where the function begins, if the plan asks for it.
    pub(super) function: u64,
    /// How much lower the stack pointer is at the site than at the function's first instruction, in bytes.
    pub(super) stack_offset: u64,
    /// How the arguments of a static probe are computed there.
    pub(super) arguments: Vec<Argument>,
    /// For each thread-local variable of the program, how far it is from the thread pointer; wraps.
    pub(super) thread_locals: Vec<Option<u64>>,
    /// The globals of the script that the kernel is told of, by offset and size; their numbers as settings.
    pub(super) globals: Vec<(u64, u64)>,
    /// The tables of the script whose keys the kernel mirrors, by the offsets of their globals; their numbers as tables of the kernel.
    pub(super) mirrors: Vec<u64>,
    /// What the kernel's tables after these are for.
    pub(super) counted: Vec<Counted>,
    /// The bytes of stack that are sent while nothing is known of it.
    pub(super) stack_expected: u32,
}

/// Where a static probe has an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Argument {
    /// Somewhere that the kernel's programs cannot look, such as a vector register.
    None,
    /// A number.
    Constant(u64),
    /// The address of a page fault.
    FaultAddress,
    /// The status with which a thread ends.
    ExitStatus,
    /// A register, of which the low bytes count.
    Register(Register, Width, bool),
    /// Memory at a base, plus an index times a scale, plus a displacement; the base may be none, for an address.
    Memory {
        /// The base register.
        base: Option<Register>,
        /// The index register and its scale.
        index: Option<(Register, u64)>,
        /// What is added; an address where there is no base.
        displacement: u64,
        /// How many bytes.
        width: Width,
        /// Whether they are widened with their sign.
        signed: bool,
    },
}

/// Where a record has what a handler asks of the hit.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// For each capture: the place of its address among the values, its own place among the captures, and its kind.
    pub(super) captures: Vec<CaptureReading>,
    /// Places of the static probe's arguments among the values.
    pub(super) arguments: HashMap<u64, usize>,
    /// Places of entry values among the values.
    pub(super) entry_values: HashMap<u64, usize>,
    /// Places of the addresses of thread-local variables.
    pub(super) thread_locals: HashMap<u32, usize>,
    /// Places of globals of the script among the values, which the handler must see as of the hit: offset, size, place.
    pub(super) globals: Vec<(u64, u8, usize)>,
    /// The place of the weight of a sample.
    pub(super) weight: Option<usize>,
    /// Whether the record has a slice of the stack.
    pub(super) stack: bool,
}

/// Where a record has a capture.
#[derive(Clone, Copy, Debug)]
pub(super) struct CaptureReading {
    /// The place of the address among the values.
    pub(super) address: usize,
    /// What is added to that address.
    pub(super) offset: u64,
    /// The place among the captures.
    pub(super) place: usize,
    /// How many bytes were asked for.
    pub(super) length: u32,
    /// Whether it is a string, which ends with a zero that the record leaves out.
    pub(super) string: bool,
}

/// The program for one handler. `entries` has the plans of the entry values of a handler that runs at a return, each with the
/// value that it gives.
pub(super) fn hit_program(
    plan: &capture::Plan,
    entries: Option<&[(capture::Plan, ValueId)]>,
    facts: &SiteFacts,
) -> Result<(HitProgram, Reading), EventFailure> {
    match entries {
        None => {
            let mut maker = Maker::new(plan, facts, &[]);
            maker.steps(0)?;
            let reading = maker.emit()?;
            let program = HitProgram {
                entry: maker.part,
                ..HitProgram::default()
            };
            Ok((program, reading))
        }
        Some(entries) => with_return(plan, entries, facts),
    }
}

fn with_return(
    plan: &capture::Plan,
    entries: &[(capture::Plan, ValueId)],
    facts: &SiteFacts,
) -> Result<(HitProgram, Reading), EventFailure> {
    let mut program = HitProgram::default();
    // What is known at the entry: each entry value.
    let mut known: Vec<target::ValueId> = Vec::with_capacity(entries.len());
    for (entry, value) in entries {
        let mut maker = Maker::new(entry, facts, &[]);
        maker.part = std::mem::take(&mut program.entry);
        maker.steps(0)?;
        let value = maker.value(*value)?;
        known.push(value);
        program.entry = maker.part;
    }
    // What the handler decides by entry values alone is decided at the entry: a return that nobody wants costs nothing then.
    let hoisted = plan
        .steps
        .iter()
        .take_while(|step| match step {
            Step::Capture(_) => false,
            Step::Return {
                condition, absent, ..
            } => absent.is_empty() && known_at_entry(plan, *condition),
            Step::Sample { every, bytes, .. } => {
                known_at_entry(plan, *every) && known_at_entry(plan, *bytes)
            }
            Step::Update { .. } => false,
        })
        .count();
    let mut weight = None;
    if hoisted > 0 {
        let mut maker = Maker::new(plan, facts, &known);
        maker.part = std::mem::take(&mut program.entry);
        maker.at_entry = true;
        for step in plan.steps.iter().take(hoisted) {
            maker.step(step)?;
        }
        weight = maker.weight;
        program.entry = maker.part;
    }
    program.saved_values = known;
    if let Some(sample) = weight {
        let value = program.entry.value(target::Value::Weight(sample));
        program.saved_values.push(value);
    }
    let mut maker = Maker::new(plan, facts, &[]);
    maker.entry_weight = weight.and(u32::try_from(entries.len()).ok());
    maker.steps(hoisted)?;
    let reading = maker.emit()?;
    program.on_return = Some(maker.part);
    Ok((program, reading))
}

/// Whether a value is known when the function is entered: nothing of it is what the call has changed, or what the entry does not have.
fn known_at_entry(plan: &capture::Plan, value: ValueId) -> bool {
    sources(plan, value).iter().all(|source| {
        matches!(
            source,
            Value::Constant(_) | Value::EntryValue(_) | Value::Tid | Value::Pid
        )
    })
}

/// The captures that a value is computed from.
fn captures_of(plan: &capture::Plan, value: ValueId) -> HashSet<CaptureId> {
    let sources = sources(plan, value);
    let captures = sources.iter().filter_map(|source| match source {
        Value::Captured { capture, .. } => Some(*capture),
        _ => None,
    });
    captures.collect()
}

/// What a value is computed from in the end: values without operands, with those that captures among them were made at.
fn sources(plan: &capture::Plan, value: ValueId) -> Vec<Value> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([value]);
    let mut left = vec![value];
    while let Some(next) = left.pop() {
        let Some(value) = plan.values.get(next.0 as usize) else {
            continue;
        };
        let mut next = operands(value);
        if next.is_empty() {
            found.push(*value);
        }
        if let Value::Captured { capture, .. } = value
            && let Some(capture) = plan.captures.get(capture.0 as usize)
        {
            next.push(capture.address);
        }
        left.extend(next.into_iter().filter(|operand| seen.insert(*operand)));
    }
    found
}

/// The values that a value is computed from at once.
fn operands(value: &Value) -> Vec<ValueId> {
    match value {
        Value::Binary { left, right, .. } | Value::Compare { left, right, .. } => {
            vec![*left, *right]
        }
        Value::Extend { from, .. } => vec![*from],
        Value::Select {
            condition,
            then,
            otherwise,
        } => vec![*condition, *then, *otherwise],
        Value::Constant(_)
        | Value::Register(_)
        | Value::Argument(_)
        | Value::EntryValue(_)
        | Value::Function
        | Value::Tid
        | Value::Pid
        | Value::Time
        | Value::Weight
        | Value::ThreadLocal(_)
        | Value::Global { .. }
        | Value::Captured { .. } => Vec::new(),
    }
}

/// Where a piece of a capture has gone.
struct Piece {
    /// Where it begins in the capture, and how long it is.
    offset: u32,
    length: u32,
    step: StepId,
}

/// Makes one part.
struct Maker<'a> {
    plan: &'a capture::Plan,
    facts: &'a SiteFacts,
    part: Part,
    /// The values that have been made.
    values: HashMap<ValueId, target::ValueId>,
    /// The steps that make each capture.
    pieces: HashMap<CaptureId, Vec<Piece>>,
    /// The sample step, and where the weight is that the entry part found.
    weight: Option<StepId>,
    entry_weight: Option<u32>,
    /// Entry values, for steps that are made in the entry part.
    known: &'a [target::ValueId],
    at_entry: bool,
    /// Arguments of the static probe that have been made.
    arguments: HashMap<u64, target::ValueId>,
}

impl<'a> Maker<'a> {
    fn new(plan: &'a capture::Plan, facts: &'a SiteFacts, known: &'a [target::ValueId]) -> Self {
        Self {
            plan,
            facts,
            part: Part::default(),
            values: HashMap::new(),
            pieces: HashMap::new(),
            weight: None,
            entry_weight: None,
            known,
            at_entry: false,
            arguments: HashMap::new(),
        }
    }

    fn steps(&mut self, from: usize) -> Result<(), EventFailure> {
        for step in self.plan.steps.iter().skip(from) {
            self.step(step)?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), EventFailure> {
        match step {
            Step::Capture(id) => self.capture(*id),
            Step::Return {
                condition,
                absent,
                requires,
            } => {
                let mut read = captures_of(self.plan, *condition);
                for word in absent.iter().flat_map(|key| &key.words) {
                    read.extend(captures_of(self.plan, *word));
                }
                if requires.iter().any(|one| !read.contains(&one.capture)) {
                    // A read on the way there may have failed, which the condition does not tell: the handler finds out.
                    return Ok(());
                }
                // A condition whose operands failed fails too: the handler runs and meets what it is that failed.
                let mut condition = self.value(*condition)?;
                for key in absent {
                    let (table, keys) = self.key(key)?;
                    let step = self.part.step(target::Step::Lookup { table, keys });
                    let found = self.part.value(target::Value::Found(step));
                    let absent = self.part.value(target::Value::Failed(found));
                    condition = self.binary(BinaryOperation::And, condition, absent);
                }
                self.part.step(target::Step::ReturnIf {
                    condition,
                    on_failure: OnFailure::GoOn,
                });
                Ok(())
            }
            Step::Sample { every, bytes, .. } => {
                let every = match self.plan.values.get(every.0 as usize) {
                    Some(Value::Constant(every)) => *every,
                    _ => return Err(EventFailure::SampleRate),
                };
                let bytes = self.value(*bytes)?;
                // Where the bytes could not be read the hit goes on, and the handler meets what it is that failed.
                let failed = self.part.value(target::Value::Failed(bytes));
                let whole = self.constant(every);
                let bytes = self.part.value(target::Value::Select {
                    condition: failed,
                    then: whole,
                    otherwise: bytes,
                });
                self.weight = Some(self.part.step(target::Step::Sample { bytes, every }));
                Ok(())
            }
            Step::Update {
                condition,
                updates,
                requires,
            } => self.count(*condition, updates, requires),
        }
    }

    fn capture(&mut self, id: CaptureId) -> Result<(), EventFailure> {
        let capture = self
            .plan
            .captures
            .get(id.0 as usize)
            .ok_or(EventFailure::Malformed("a capture that is not there"))?;
        let base = self.value(capture.address)?;
        let mut made = Vec::new();
        match &capture.kind {
            CaptureKind::Pieces { pieces, .. } => {
                for piece in pieces {
                    let address = self.offset(base, u64::from(piece.offset));
                    let step = self.part.step(target::Step::Capture {
                        address,
                        extent: Extent::Bytes(piece.length),
                    });
                    made.push(Piece {
                        offset: piece.offset,
                        length: piece.length,
                        step,
                    });
                }
            }
            CaptureKind::Bytes { length, most } => {
                let extent = match self.plan.values.get(length.0 as usize) {
                    Some(Value::Constant(0)) => None,
                    Some(Value::Constant(bytes)) => {
                        let bytes = u32::try_from(*bytes).unwrap_or(u32::MAX);
                        Some(Extent::UpTo {
                            length: self.value(*length)?,
                            max: bytes.min(*most),
                        })
                    }
                    _ => Some(Extent::UpTo {
                        length: self.value(*length)?,
                        max: *most,
                    }),
                };
                if let Some(extent) = extent {
                    let step = self.part.step(target::Step::Capture {
                        address: base,
                        extent,
                    });
                    made.push(Piece {
                        offset: 0,
                        length: extent.bytes(),
                        step,
                    });
                }
            }
            CaptureKind::String { most } => {
                let step = self.part.step(target::Step::Capture {
                    address: base,
                    extent: Extent::String { max: *most },
                });
                made.push(Piece {
                    offset: 0,
                    length: *most,
                    step,
                });
            }
        }
        self.pieces.insert(id, made);
        Ok(())
    }

    /// A key of a mirror.
    fn key(
        &mut self,
        key: &TableKey,
    ) -> Result<(target::TableId, Vec<target::ValueId>), EventFailure> {
        let mirrors = &self.facts.mirrors;
        let number = mirrors.iter().position(|table| *table == key.table);
        let number = number.and_then(|number| u32::try_from(number).ok());
        let number = number.ok_or(EventFailure::Malformed("a table that is not mirrored"))?;
        let words = key.words.iter().map(|word| self.value(*word));
        Ok((target::TableId(number), words.collect::<Result<_, _>>()?))
    }

    /// Puts the keys into mirrors that the handler may insert.
    fn insert_keys(&mut self) -> Result<(), EventFailure> {
        for key in &self.plan.inserts {
            let (table, keys) = self.key(key)?;
            let value = self.constant(1);
            self.part.step(target::Step::Put {
                table,
                keys,
                value,
                when: None,
            });
        }
        Ok(())
    }

    fn constant(&mut self, value: u64) -> target::ValueId {
        self.part.value(target::Value::Constant(value))
    }

    fn binary(
        &mut self,
        operation: BinaryOperation,
        left: target::ValueId,
        right: target::ValueId,
    ) -> target::ValueId {
        self.part
            .value(target::Value::Binary(operation, left, right))
    }

    fn offset(&mut self, base: target::ValueId, offset: u64) -> target::ValueId {
        if offset == 0 {
            return base;
        }
        let offset = self.constant(offset);
        self.binary(BinaryOperation::Add, base, offset)
    }

    /// A register as of the function's first instruction.
    fn register(&mut self, register: Register) -> target::ValueId {
        let value = self.part.value(target::Value::Register(register));
        match register {
            Register::Rsp => self.offset(value, self.facts.stack_offset),
            _ => value,
        }
    }

    /// The value of the plan in this part.
    fn value(&mut self, id: ValueId) -> Result<target::ValueId, EventFailure> {
        if let Some(made) = self.values.get(&id) {
            return Ok(*made);
        }
        // Each refers to earlier ones alone, so this is no deeper than there are values; they are made in order to keep it flat.
        for operand in operands(&self.planned(id)?) {
            if operand >= id {
                return Err(EventFailure::Malformed(
                    "a value that refers to a later one",
                ));
            }
            self.value(operand)?;
        }
        let made = self.make(id)?;
        self.values.insert(id, made);
        Ok(made)
    }

    /// A value of the plan.
    fn planned(&self, id: ValueId) -> Result<Value, EventFailure> {
        let value = self.plan.values.get(id.0 as usize).copied();
        value.ok_or(EventFailure::Malformed("a value that is not there"))
    }

    fn made(&self, id: ValueId) -> Result<target::ValueId, EventFailure> {
        let made = self.values.get(&id).copied();
        made.ok_or(EventFailure::Malformed("a value that was not made"))
    }

    fn make(&mut self, id: ValueId) -> Result<target::ValueId, EventFailure> {
        Ok(match self.planned(id)? {
            Value::Constant(value) => self.constant(value),
            Value::Register(number) => {
                let register = register(number)?;
                self.register(register)
            }
            Value::Argument(number) => self.argument(number)?,
            Value::EntryValue(number) => {
                if self.at_entry {
                    let known = usize::try_from(number).ok();
                    let known = known.and_then(|number| self.known.get(number).copied());
                    known.ok_or(EventFailure::Malformed("an entry value that is not there"))?
                } else {
                    let number = u32::try_from(number)
                        .map_err(|_| EventFailure::Malformed("an entry value that is not there"))?;
                    self.part.value(target::Value::Entry(number))
                }
            }
            Value::Function => self.constant(self.facts.function),
            Value::Tid => self.part.value(target::Value::Tid),
            Value::Pid => self.part.value(target::Value::Pid),
            Value::Time => self.part.value(target::Value::Time),
            Value::Weight => match (self.weight, self.entry_weight) {
                (Some(step), _) => self.part.value(target::Value::Weight(step)),
                (None, Some(number)) => self.part.value(target::Value::Entry(number)),
                (None, None) => self.constant(0),
            },
            Value::ThreadLocal(variable) => {
                let distance = self.facts.thread_locals.get(variable as usize);
                let distance = distance.copied().flatten();
                let distance = distance.ok_or(EventFailure::ThreadLocal)?;
                let pointer = self.part.value(target::Value::Register(Register::FsBase));
                self.offset(pointer, distance)
            }
            Value::Global { offset, size } => self.global(offset, size)?,
            Value::Captured {
                capture,
                offset,
                size,
                signed,
            } => {
                let width = width(size)?;
                let (step, offset) = self.piece(capture, offset, u32::from(size))?;
                self.part.value(target::Value::Slot {
                    capture: step,
                    offset,
                    width,
                    signed,
                })
            }
            Value::Binary {
                operator,
                ty,
                left,
                right,
            } => {
                let (left, right) = (self.made(left)?, self.made(right)?);
                let result = self.binary(operation(operator, ty), left, right);
                self.extend(ty, result)?
            }
            Value::Extend { ty, from } => {
                let from = self.made(from)?;
                self.extend(ty, from)?
            }
            Value::Compare {
                comparison,
                signed,
                left,
                right,
            } => {
                let (left, right) = (self.made(left)?, self.made(right)?);
                self.compare(comparison, signed, left, right)
            }
            Value::Select {
                condition,
                then,
                otherwise,
            } => {
                let (condition, then, otherwise) = (
                    self.made(condition)?,
                    self.made(then)?,
                    self.made(otherwise)?,
                );
                self.part.value(target::Value::Select {
                    condition,
                    then,
                    otherwise,
                })
            }
        })
    }

    /// A global of the script.
    fn global(&mut self, offset: u64, size: u8) -> Result<target::ValueId, EventFailure> {
        let wanted = (offset, u64::from(size));
        let number = self.facts.globals.iter().position(|known| *known == wanted);
        let number = number.and_then(|number| u32::try_from(number).ok());
        let number = number.ok_or(EventFailure::Malformed("a global that is not there"))?;
        Ok(self.part.value(target::Value::Setting(number)))
    }

    fn piece(
        &self,
        capture: CaptureId,
        offset: u32,
        size: u32,
    ) -> Result<(StepId, u32), EventFailure> {
        let pieces = self.pieces.get(&capture).map_or(&[][..], Vec::as_slice);
        let holds = |piece: &&Piece| {
            offset
                .checked_sub(piece.offset)
                .and_then(|within| within.checked_add(size))
                .is_some_and(|end| end <= piece.length)
        };
        let piece = pieces.iter().find(holds).ok_or(EventFailure::Malformed(
            "a scalar of bytes that are not captured",
        ))?;
        Ok((piece.step, offset - piece.offset))
    }

    fn extend(
        &mut self,
        ty: IntegerType,
        value: target::ValueId,
    ) -> Result<target::ValueId, EventFailure> {
        let width = width(ty.size)?;
        if width == Width::Eight {
            return Ok(value);
        }
        let operation = if ty.signed {
            UnaryOperation::SignExtend(width)
        } else {
            UnaryOperation::ZeroExtend(width)
        };
        Ok(self.part.value(target::Value::Unary(operation, value)))
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        signed: bool,
        left: target::ValueId,
        right: target::ValueId,
    ) -> target::ValueId {
        use BinaryOperation as B;
        let (less, less_equal) = if signed {
            (B::LessSigned, B::LessEqualSigned)
        } else {
            (B::LessUnsigned, B::LessEqualUnsigned)
        };
        match comparison {
            Comparison::Equal => self.binary(B::Equal, left, right),
            Comparison::NotEqual => self.binary(B::NotEqual, left, right),
            Comparison::Less => self.binary(less, left, right),
            Comparison::LessEqual => self.binary(less_equal, left, right),
            Comparison::Greater => self.binary(less, right, left),
            Comparison::GreaterEqual => self.binary(less_equal, right, left),
        }
    }

    fn argument(&mut self, number: u64) -> Result<target::ValueId, EventFailure> {
        if let Some(made) = self.arguments.get(&number) {
            return Ok(*made);
        }
        let argument = usize::try_from(number).ok();
        let argument = argument.and_then(|number| self.facts.arguments.get(number));
        let has = self.facts.arguments.len();
        let argument = *argument.ok_or(EventFailure::NoArgument { number, has })?;
        let made = match argument {
            Argument::None => return Err(EventFailure::Argument(number)),
            Argument::Constant(value) => self.constant(value),
            Argument::FaultAddress => self.part.value(target::Value::FaultAddress),
            Argument::ExitStatus => self.part.value(target::Value::ExitStatus),
            Argument::Register(register, width, signed) => {
                let value = self.part.value(target::Value::Register(register));
                let ty = IntegerType {
                    size: width.bytes() as u8,
                    signed,
                };
                self.extend(ty, value)?
            }
            Argument::Memory {
                base,
                index,
                displacement,
                width,
                signed,
            } => {
                let mut address = self.constant(displacement);
                if let Some(base) = base {
                    let base = self.part.value(target::Value::Register(base));
                    address = self.binary(BinaryOperation::Add, address, base);
                }
                if let Some((index, scale)) = index {
                    let index = self.part.value(target::Value::Register(index));
                    let scale = self.constant(scale);
                    let distance = self.binary(BinaryOperation::Multiply, index, scale);
                    address = self.binary(BinaryOperation::Add, address, distance);
                }
                let step = self.part.step(target::Step::Capture {
                    address,
                    extent: Extent::Bytes(width.bytes()),
                });
                self.part.value(target::Value::Slot {
                    capture: step,
                    offset: 0,
                    width,
                    signed,
                })
            }
        };
        self.arguments.insert(number, made);
        Ok(made)
    }

    /// Sends what the handler wants to know.
    fn emit(&mut self) -> Result<Reading, EventFailure> {
        let plan = self.plan;
        // While it is known where captures are.
        for key in plan.removes.iter().chain(&plan.inserts) {
            self.key(key)?;
        }
        let mut emit = Emit::default();
        let mut reading = Reading {
            stack: plan.stack,
            ..Reading::default()
        };
        for number in &plan.needs.registers {
            emit.registers = emit.registers.with(register(*number)?);
        }
        if let Some(vector) = plan.needs.vectors.first() {
            return Err(EventFailure::Vector(*vector));
        }
        if plan.stack {
            emit.registers = emit.registers.union(RegisterSet::UNWIND);
            emit.stack_bytes = target::MAX_STACK;
            emit.stack_expected = self.facts.stack_expected;
        }
        for number in &plan.needs.arguments {
            let value = self.argument(*number)?;
            reading.arguments.insert(*number, emit.values.len());
            emit.values.push(value);
        }
        for number in &plan.needs.entry_values {
            let entry = u32::try_from(*number)
                .map_err(|_| EventFailure::Malformed("an entry value that is not there"))?;
            let value = self.part.value(target::Value::Entry(entry));
            reading.entry_values.insert(*number, emit.values.len());
            emit.values.push(value);
        }
        for variable in &plan.needs.thread_locals {
            let distance = self.facts.thread_locals.get(*variable as usize);
            let distance = distance.copied().flatten();
            let distance = distance.ok_or(EventFailure::ThreadLocal)?;
            let pointer = self.part.value(target::Value::Register(Register::FsBase));
            let value = self.offset(pointer, distance);
            reading.thread_locals.insert(*variable, emit.values.len());
            emit.values.push(value);
        }
        for (offset, size) in &plan.needs.globals {
            // The one that the plan's values are computed from, where they are.
            let known = Value::Global {
                offset: *offset,
                size: *size,
            };
            let known = plan.values.iter().position(|value| *value == known);
            let known = known.and_then(|index| u32::try_from(index).ok());
            let value = match known {
                Some(known) => self.value(ValueId(known))?,
                None => self.global(*offset, *size)?,
            };
            reading.globals.push((*offset, *size, emit.values.len()));
            emit.values.push(value);
        }
        match (self.weight, self.entry_weight) {
            (Some(step), _) => {
                let value = self.part.value(target::Value::Weight(step));
                reading.weight = Some(emit.values.len());
                emit.values.push(value);
            }
            (None, Some(number)) => {
                let value = self.part.value(target::Value::Entry(number));
                reading.weight = Some(emit.values.len());
                emit.values.push(value);
            }
            (None, None) => {}
        }
        for (index, capture) in plan.captures.iter().enumerate() {
            let id = CaptureId(u32::try_from(index).unwrap_or(u32::MAX));
            let Some(pieces) = self.pieces.remove(&id) else {
                // A capture that no step makes: it is one of the entry's.
                continue;
            };
            let address = emit.values.len();
            emit.values.push(self.value(capture.address)?);
            let string = matches!(capture.kind, CaptureKind::String { .. });
            for piece in pieces {
                reading.captures.push(CaptureReading {
                    address,
                    offset: u64::from(piece.offset),
                    place: emit.captures.len(),
                    length: piece.length,
                    string,
                });
                emit.captures.push(piece.step);
            }
        }
        self.emit_record(emit)?;
        Ok(reading)
    }
}

impl Maker<'_> {
    /// Sends the record, and does to mirrors what the handler will do to its tables. Handlers run in the order in which records ask for room. A
    /// mirror must lack no key that its table has, so a key is taken out before that, and put in before that and once more after it:
    /// another thread may take it out in between, for a handler that runs earlier.
    fn emit_record(&mut self, emit: Emit) -> Result<(), EventFailure> {
        let plan = self.plan;
        for key in &plan.removes {
            let (table, keys) = self.key(key)?;
            self.part.step(target::Step::Remove {
                table,
                keys,
                when: None,
            });
        }
        self.insert_keys()?;
        let step = self.part.step(target::Step::Emit(emit));
        self.insert_keys()?;
        // A handler that does not run takes nothing out.
        for key in &plan.removes {
            let (table, keys) = self.key(key)?;
            let lost = self.part.value(target::Value::Lost(step));
            let value = self.constant(1);
            self.part.step(target::Step::Put {
                table,
                keys,
                value,
                when: Some(lost),
            });
        }
        Ok(())
    }
}

fn register(number: u64) -> Result<Register, EventFailure> {
    let number = u16::try_from(number).unwrap_or(u16::MAX);
    Ok(Register::from_dwarf(number)?)
}

fn width(bytes: u8) -> Result<Width, EventFailure> {
    Width::of_bytes(u32::from(bytes))
        .ok_or(EventFailure::Malformed("an integer of a size that is none"))
}

fn operation(operator: IntegerOperator, ty: IntegerType) -> BinaryOperation {
    use BinaryOperation as B;
    match (operator, ty.signed) {
        (IntegerOperator::Add, _) => B::Add,
        (IntegerOperator::Subtract, _) => B::Subtract,
        (IntegerOperator::Multiply, _) => B::Multiply,
        (IntegerOperator::Divide, true) => B::DivideSigned,
        (IntegerOperator::Divide, false) => B::DivideUnsigned,
        (IntegerOperator::Remainder, true) => B::RemainderSigned,
        (IntegerOperator::Remainder, false) => B::RemainderUnsigned,
        (IntegerOperator::And, _) => B::And,
        (IntegerOperator::Or, _) => B::Or,
        (IntegerOperator::Xor, _) => B::Xor,
        (IntegerOperator::ShiftLeft, _) => B::ShiftLeft,
        (IntegerOperator::ShiftRight, true) => B::ShiftRightArithmetic,
        (IntegerOperator::ShiftRight, false) => B::ShiftRightLogical,
    }
}
