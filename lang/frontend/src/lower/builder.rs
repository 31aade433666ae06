//! The function under construction: registers, slots, blocks and scopes.

use std::collections::HashMap;

use super::labels::{LabelScopes, ScopeKey};
use super::{LowerError, Lowered, MAX_DEPTH, MAX_FRAME, Unit};
use crate::hir::{self, LabelId, LocalId};
use crate::ir::{
    Base, Block, BlockId, Class, Instruction, InstructionKind, IntegerType, MemoryType, Place,
    Register, SlotId, SpanId, Terminator,
};
use crate::source::Span;
use crate::types::{Type, TypeId, Types};
use ytrace_values::Operation;

/// The fixed part of [`crate::ir::Function::frame_cost`].
const FRAME_FIXED: u64 = 64;

/// Where a local lives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Home {
    /// A scalar, in a register.
    Register(Register),
    /// A record or a fixed array, in a slot of so many bytes.
    Slot(SlotId, u64),
    /// A container: its handle in a register.
    Container(Register),
}

/// What a function gives back.
#[derive(Clone, Copy, Debug)]
pub(super) enum ResultHome {
    /// A scalar.
    Scalar(Class),
    /// A record of so many bytes, written to the frame address in the register.
    Record(Register, u64),
}

/// Where `break` and `continue` go.
pub(super) struct JumpTarget {
    /// The block after the statement.
    pub(super) leave: BlockId,
    /// The block that goes on with the loop; `None` for a `switch`.
    pub(super) again: Option<BlockId>,
    /// How many scopes lie outside of the statement.
    pub(super) scopes: usize,
}

/// A function under construction.
pub(super) struct Builder<'a, 'p> {
    pub(super) unit: &'a mut Unit<'p>,
    pub(super) function: &'a hir::Function,
    pub(super) homes: Vec<Home>,
    pub(super) result: Option<ResultHome>,
    /// The block that is being filled.
    pub(super) current: BlockId,
    /// Where a caught fault goes here.
    pub(super) handler: Option<BlockId>,
    pub(super) targets: Vec<JumpTarget>,
    /// Containers in scope, with the register of the mark that frees each.
    pub(super) scopes: Vec<(ScopeKey, Register)>,
    pub(super) labels: HashMap<LabelId, (BlockId, bool)>,
    pub(super) label_scopes: LabelScopes,
    /// Marks of containers that operations of the expression under way made.
    pub(super) fresh: Vec<Register>,
    parameters: u32,
    registers: Vec<Class>,
    slots: Vec<u64>,
    blocks: Vec<(Vec<Instruction>, Option<Terminator>, Option<BlockId>)>,
    span: SpanId,
    place: Span,
    depth: u32,
    /// Registers and slots of the statements under way, to be used again after them.
    held_registers: Vec<Register>,
    held_slots: Vec<SlotId>,
    free_registers: HashMap<Class, Vec<Register>>,
    free_slots: HashMap<u64, Vec<SlotId>>,
}

/// How far temporaries had been handed out when a statement began.
pub(super) struct TemporaryMark(usize, usize);

impl<'a, 'p> Builder<'a, 'p> {
    pub(super) fn new(
        unit: &'a mut Unit<'p>,
        function: &'a hir::Function,
        result: Option<ResultHome>,
    ) -> Self {
        let span = unit.span(function.span);
        let mut builder = Self {
            unit,
            function,
            homes: Vec::new(),
            result,
            current: BlockId(0),
            handler: None,
            targets: Vec::new(),
            scopes: Vec::new(),
            labels: HashMap::new(),
            label_scopes: LabelScopes::new(function),
            fresh: Vec::new(),
            parameters: 0,
            registers: Vec::new(),
            slots: Vec::new(),
            blocks: Vec::new(),
            span,
            place: function.span,
            depth: 0,
            held_registers: Vec::new(),
            held_slots: Vec::new(),
            free_registers: HashMap::new(),
            free_slots: HashMap::new(),
        };
        builder.current = builder.block();
        builder
    }

    /// Lowers a function of the typed program.
    pub(super) fn lower_function(
        unit: &'a mut Unit<'p>,
        function: &'a hir::Function,
    ) -> Lowered<crate::ir::Function> {
        let mut builder = Builder::new(unit, function, None);
        builder.lay_out()?;
        builder.emit(InstructionKind::Step);
        builder.copy_record_parameters()?;
        builder.statements(&function.body)?;
        builder.return_nothing();
        builder.build()
    }

    /// Gives every parameter and local its home.
    fn lay_out(&mut self) -> Lowered<()> {
        let function = self.function;
        let result = self.types().resolved(function.result).clone();
        self.result = match result {
            Type::Void | Type::Unknown => None,
            Type::Record(_) | Type::Array(..) => {
                let size = self.unit.size(function.result, function.span)?;
                let register = self.permanent(Class::Word);
                self.parameters += 1;
                Some(ResultHome::Record(register, size))
            }
            _ => Some(ResultHome::Scalar(self.class(function.result))),
        };
        for (index, local) in function.locals.iter().enumerate() {
            let home = if self.types().is_container(local.ty) {
                Home::Container(self.permanent(Class::Word))
            } else if self.is_scalar(local.ty) {
                Home::Register(self.permanent(self.class(local.ty)))
            } else {
                let size = self.unit.size(local.ty, local.span)?;
                if index < function.parameters as usize {
                    self.permanent(Class::Word);
                }
                Home::Slot(self.new_slot(size, local.span)?, size)
            };
            if index < function.parameters as usize {
                self.parameters += 1;
            }
            self.homes.push(home);
        }
        Ok(())
    }

    /// Copies records that came as frame addresses into the slots of their parameters.
    fn copy_record_parameters(&mut self) -> Lowered<()> {
        // One register a parameter, after that of a record result.
        let first = u32::from(matches!(self.result, Some(ResultHome::Record(..))));
        for index in 0..self.function.parameters {
            if let Some(Home::Slot(slot, size)) = self.homes.get(index as usize).copied() {
                self.emit(InstructionKind::CopyBytes {
                    to: fixed(Base::Slot(slot)),
                    from: fixed(Base::Frame(Register(first + index))),
                    length: size,
                });
            }
        }
        Ok(())
    }

    /// Ends a function whose body runs out: a result is zero.
    pub(super) fn return_nothing(&mut self) {
        let value = match self.result {
            None => None,
            Some(ResultHome::Scalar(class)) => {
                let register = self.register(class);
                self.emit(InstructionKind::Constant {
                    to: register,
                    value: 0,
                });
                Some(register)
            }
            Some(ResultHome::Record(address, length)) => {
                self.emit(InstructionKind::Zero {
                    place: fixed(Base::Frame(address)),
                    length,
                });
                None
            }
        };
        self.finish(Terminator::Return(value));
    }

    /// The finished function, without blocks that cannot be reached.
    pub(super) fn build(self) -> Lowered<crate::ir::Function> {
        let slot_bytes: u64 = self.slots.iter().sum();
        let mut order = Vec::new();
        let mut number: Vec<Option<BlockId>> = vec![None; self.blocks.len()];
        let mut pending = vec![BlockId(0)];
        // In order of creation, which reads best, of those that can be reached.
        let mut reached = vec![false; self.blocks.len()];
        while let Some(id) = pending.pop() {
            let index = id.0 as usize;
            let Some(seen) = reached.get_mut(index) else {
                continue;
            };
            if std::mem::replace(seen, true) {
                continue;
            }
            if let Some((_, terminator, handler)) = self.blocks.get(index) {
                pending.extend(*handler);
                if let Some(terminator) = terminator {
                    terminator.successors(&mut |next| pending.push(next));
                }
            }
        }
        for (index, reached) in reached.iter().enumerate() {
            if *reached && let Some(number) = number.get_mut(index) {
                *number = Some(BlockId(order.len() as u32));
                order.push(index);
            }
        }
        let renumber = |id: BlockId| number.get(id.0 as usize).copied().flatten().unwrap_or(id);
        let mut blocks = Vec::with_capacity(order.len());
        let mut all = self.blocks;
        for index in order {
            let Some((instructions, terminator, handler)) = all.get_mut(index) else {
                continue;
            };
            let Some(mut terminator) = terminator.take() else {
                return Err(LowerError::malformed(
                    self.function.span,
                    "a block of the function does not end",
                ));
            };
            terminator.replace_successors(&renumber);
            blocks.push(Block {
                instructions: std::mem::take(instructions),
                terminator,
                on_fault: handler.map(renumber),
            });
        }
        Ok(crate::ir::Function {
            name: self.function.name.clone(),
            late: self.function.late,
            frame_cost: FRAME_FIXED + slot_bytes + 16 * self.registers.len() as u64,
            registers: self.registers,
            parameters: self.parameters,
            result: match self.result {
                Some(ResultHome::Scalar(class)) => Some(class),
                _ => None,
            },
            slots: self.slots,
            blocks,
        })
    }

    // Types.

    pub(super) fn types(&self) -> &'p Types {
        &self.unit.program.types
    }

    pub(super) fn is_scalar(&self, ty: TypeId) -> bool {
        self.unit.scalar_kind(ty).is_some()
    }

    pub(super) fn is_void(&self, ty: TypeId) -> bool {
        matches!(self.types().resolved(ty), Type::Void | Type::Unknown)
    }

    /// The class of the register that holds a scalar of a type.
    pub(super) fn class(&self, ty: TypeId) -> Class {
        match self.types().resolved(ty) {
            Type::Float { size: 4 } => Class::Float32,
            Type::Float { .. } => Class::Float64,
            _ => Class::Word,
        }
    }

    /// The integer type of a scalar that is no float. Handles and pointers are unsigned words.
    pub(super) fn integer(&self, ty: TypeId) -> IntegerType {
        let (size, signed) = match self.types().resolved(ty) {
            Type::Bool => (1, false),
            Type::Integer { size, signed, .. } => (*size, *signed),
            Type::Enum(id) => {
                let enumeration = self.types().enumeration(*id);
                (enumeration.size, enumeration.signed)
            }
            _ => (8, false),
        };
        IntegerType { size, signed }
    }

    /// How a scalar of a type lies in memory.
    pub(super) fn memory_type(&self, ty: TypeId) -> MemoryType {
        match self.class(ty) {
            Class::Float32 => MemoryType::F32,
            Class::Float64 => MemoryType::F64,
            Class::Word => match self.integer(ty) {
                IntegerType { size: 1, signed } if signed => MemoryType::I8,
                IntegerType { size: 1, .. } => MemoryType::U8,
                IntegerType { size: 2, signed } if signed => MemoryType::I16,
                IntegerType { size: 2, .. } => MemoryType::U16,
                IntegerType { size: 4, signed } if signed => MemoryType::I32,
                IntegerType { size: 4, .. } => MemoryType::U32,
                _ => MemoryType::W64,
            },
        }
    }

    // Registers and slots.

    /// A register that lasts for the whole function.
    pub(super) fn permanent(&mut self, class: Class) -> Register {
        let register = Register(self.registers.len() as u32);
        self.registers.push(class);
        register
    }

    /// A register that lasts until the statement under way ends.
    pub(super) fn register(&mut self, class: Class) -> Register {
        let register = match self.free_registers.get_mut(&class).and_then(Vec::pop) {
            Some(register) => register,
            None => self.permanent(class),
        };
        self.held_registers.push(register);
        register
    }

    /// [`Self::register`] for a word.
    pub(super) fn word(&mut self) -> Register {
        self.register(Class::Word)
    }

    pub(super) fn new_slot(&mut self, size: u64, span: Span) -> Lowered<SlotId> {
        let size = size.next_multiple_of(8);
        let total = self
            .slots
            .iter()
            .fold(size, |sum, slot| sum.saturating_add(*slot));
        if total > MAX_FRAME {
            return Err(LowerError::TooLarge {
                what: "the local variables of this function".to_owned(),
                size: total,
                limit: MAX_FRAME,
                span,
            });
        }
        let slot = SlotId(self.slots.len() as u32);
        self.slots.push(size);
        Ok(slot)
    }

    /// A slot of at least so many bytes, in whole words, that lasts until the statement under
    /// way ends. Its bytes are whatever was there before.
    pub(super) fn temporary(&mut self, size: u64) -> Lowered<Place> {
        let size = size.checked_next_multiple_of(8).unwrap_or(u64::MAX);
        let slot = match self.free_slots.get_mut(&size).and_then(Vec::pop) {
            Some(slot) => slot,
            None if size > MAX_FRAME => {
                return Err(LowerError::TooLarge {
                    what: "this value".to_owned(),
                    size,
                    limit: MAX_FRAME,
                    span: self.place,
                });
            }
            None => self.new_slot(size, self.place)?,
        };
        self.held_slots.push(slot);
        Ok(fixed(Base::Slot(slot)))
    }

    pub(super) fn temporaries(&self) -> TemporaryMark {
        TemporaryMark(self.held_registers.len(), self.held_slots.len())
    }

    /// Lets temporaries since a mark be used again.
    pub(super) fn release_temporaries(&mut self, mark: &TemporaryMark) {
        let registers = self
            .held_registers
            .split_off(mark.0.min(self.held_registers.len()));
        // Backwards, so that the same registers serve the next statement in the same order.
        for register in registers.into_iter().rev() {
            if let Some(class) = self.registers.get(register.0 as usize) {
                self.free_registers
                    .entry(*class)
                    .or_default()
                    .push(register);
            }
        }
        let slots = self.held_slots.split_off(mark.1.min(self.held_slots.len()));
        for slot in slots.into_iter().rev() {
            if let Some(size) = self.slots.get(slot.0 as usize) {
                self.free_slots.entry(*size).or_default().push(slot);
            }
        }
    }

    // Places in the source.

    pub(super) fn set_span(&mut self, span: Span) {
        self.place = span;
        self.span = self.unit.span(span);
    }

    /// The place in the source of what is being lowered.
    pub(super) fn here(&self) -> Span {
        self.place
    }

    /// Runs `lower` one level deeper, at a place in the source.
    pub(super) fn at<T>(
        &mut self,
        span: Span,
        lower: impl FnOnce(&mut Self) -> Lowered<T>,
    ) -> Lowered<T> {
        if self.depth >= MAX_DEPTH {
            return Err(LowerError::TooDeep { span });
        }
        let (outer, outer_place) = (self.span, self.place);
        self.depth += 1;
        self.set_span(span);
        let result = lower(self);
        self.depth -= 1;
        self.span = outer;
        self.place = outer_place;
        result
    }

    // Blocks.

    /// A new block, to be filled after [`Self::switch_to`].
    pub(super) fn block(&mut self) -> BlockId {
        let id = BlockId(self.blocks.len() as u32);
        self.blocks.push((Vec::new(), None, None));
        id
    }

    /// Goes on in a block. Faults in it go to the handler in force now.
    pub(super) fn switch_to(&mut self, block: BlockId) {
        self.current = block;
        let handler = self.handler;
        if let Some((_, _, on_fault)) = self.blocks.get_mut(block.0 as usize) {
            *on_fault = handler;
        }
    }

    /// Ends the current block, unless it has ended.
    pub(super) fn finish(&mut self, end: Terminator) {
        if let Some((_, terminator @ None, _)) = self.blocks.get_mut(self.current.0 as usize) {
            *terminator = Some(end);
        }
    }

    /// Ends the current block with a jump and goes on there.
    pub(super) fn fall_into(&mut self, block: BlockId) {
        self.finish(Terminator::Jump(block));
        self.switch_to(block);
    }

    /// Goes on in a block that nothing reaches, after a jump.
    pub(super) fn unreachable(&mut self) {
        let block = self.block();
        self.switch_to(block);
    }

    // Instructions.

    pub(super) fn emit(&mut self, kind: InstructionKind) {
        let span = self.span;
        if let Some((instructions, None, _)) = self.blocks.get_mut(self.current.0 as usize) {
            instructions.push(Instruction { kind, span });
        }
    }

    pub(super) fn operation(
        &mut self,
        operation: Operation,
        arguments: Vec<Register>,
        to: Option<Register>,
    ) {
        self.emit(InstructionKind::Operation {
            operation,
            arguments,
            to,
        });
    }

    /// An operation with a word as its result.
    pub(super) fn operate(&mut self, operation: Operation, arguments: Vec<Register>) -> Register {
        let to = self.word();
        self.operation(operation, arguments, Some(to));
        to
    }

    /// A word constant.
    pub(super) fn constant(&mut self, value: u64) -> Register {
        let to = self.word();
        self.emit(InstructionKind::Constant { to, value });
        to
    }

    /// A float constant of a float type.
    pub(super) fn float_constant(&mut self, value: f64, ty: TypeId) -> Register {
        let class = self.class(ty);
        let to = self.register(class);
        let value = match class {
            Class::Float32 => u64::from((value as f32).to_bits()),
            _ => value.to_bits(),
        };
        self.emit(InstructionKind::Constant { to, value });
        to
    }

    /// The handle of a string literal.
    pub(super) fn literal(&mut self, bytes: &[u8]) -> Register {
        let index = self.unit.string(bytes);
        let to = self.word();
        self.emit(InstructionKind::Literal { to, index });
        to
    }

    pub(super) fn copy(&mut self, to: Register, from: Register) {
        if to != from {
            self.emit(InstructionKind::Copy { to, from });
        }
    }

    pub(super) fn class_of(&self, register: Register) -> Class {
        self.registers
            .get(register.0 as usize)
            .copied()
            .unwrap_or(Class::Word)
    }

    pub(super) fn home(&self, local: LocalId, span: Span) -> Lowered<Home> {
        self.homes
            .get(local.0 as usize)
            .copied()
            .ok_or_else(|| LowerError::malformed(span, "no such local"))
    }
}

/// The place at the start of a base.
pub(super) fn fixed(base: Base) -> Place {
    Place {
        base,
        offset: 0,
        index: None,
    }
}

/// A place so many bytes further on.
pub(super) fn shifted(place: Place, bytes: u64) -> Place {
    Place {
        offset: place.offset.wrapping_add(bytes as i64),
        ..place
    }
}
