//! Places in tracer memory: globals, slots, frame addresses and rows.
//!
//! What cannot be proved while compiling is checked when the code runs, so that whatever the
//! lowering does wrong ends in an internal error: an indexed access of a slot or of the globals
//! stays within it, one through a frame address within the frame stack, one of a row within the
//! bytes that the store gave for it since the last operation on a container.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, types};
use ytrace_lang::ir::{Base, MemoryType, Place, Register};

use super::ranges::most_of_load;
use super::{Translator, data};
use crate::context::{LEAST_FRAMES, offset};
use crate::helpers::{Helper, Raised};

/// The most bytes that are copied or zeroed inline.
const INLINE_BYTES: u64 = 64;

impl Translator<'_> {
    pub(super) fn load(&mut self, to: Register, place: &Place, ty: MemoryType) {
        let (base, offset) = match place.base {
            Base::Target(base) => (self.target_place(base, place, ty.size()), 0),
            _ => self.tracer_place(place, ty.size()),
        };
        let flags = data();
        let value = match ty {
            MemoryType::I8 => self.builder.ins().sload8(types::I64, flags, base, offset),
            MemoryType::I16 => self.builder.ins().sload16(types::I64, flags, base, offset),
            MemoryType::I32 => self.builder.ins().sload32(flags, base, offset),
            MemoryType::U8 => self.builder.ins().uload8(types::I64, flags, base, offset),
            MemoryType::U16 => self.builder.ins().uload16(types::I64, flags, base, offset),
            MemoryType::U32 => self.builder.ins().uload32(flags, base, offset),
            MemoryType::W64 | MemoryType::F32 | MemoryType::F64 => {
                self.builder
                    .ins()
                    .load(memory_type(ty), flags, base, offset)
            }
        };
        self.define(to, value);
        self.limit(to, most_of_load(ty));
    }

    pub(super) fn store(&mut self, place: &Place, from: Register, ty: MemoryType) {
        let (base, offset) = self.tracer_place(place, ty.size());
        let value = self.value(from);
        let value = match memory_type(ty) {
            kind @ (types::I8 | types::I16 | types::I32) => self.builder.ins().ireduce(kind, value),
            _ => value,
        };
        self.builder.ins().store(data(), value, base, offset);
    }

    pub(super) fn copy_bytes(&mut self, to: &Place, from: &Place, length: u64) {
        if length == 0 {
            return;
        }
        if let Base::Target(_) = from.base {
            let address = self.target_address(from);
            let destination = self.tracer_pointer(to, length);
            self.copy_from_target(destination, address, length);
            return;
        }
        let (source, source_offset) = self.tracer_place(from, length);
        let (destination, destination_offset) = self.tracer_place(to, length);
        if length <= INLINE_BYTES {
            self.copy_inline(
                (destination, destination_offset),
                (source, source_offset),
                length,
            );
        } else {
            let destination = self.add(destination, destination_offset);
            let source = self.add(source, source_offset);
            let length = self.word(length as i64);
            self.help(Helper::Copy, &[destination, source, length]);
        }
    }

    /// Copies bytes that do not overlap, or are the same.
    pub(super) fn copy_inline(&mut self, to: (Value, i32), from: (Value, i32), length: u64) {
        for (at, kind) in pieces(length) {
            let value = self.builder.ins().load(kind, data(), from.0, from.1 + at);
            self.builder.ins().store(data(), value, to.0, to.1 + at);
        }
    }

    /// Zeroes bytes that are known to be the program's.
    pub(super) fn zero(&mut self, base: Value, offset: i32, length: u64) {
        if length <= INLINE_BYTES * 2 {
            for (at, kind) in pieces(length) {
                let zero = self.builder.ins().iconst(kind, 0);
                self.builder.ins().store(data(), zero, base, offset + at);
            }
        } else {
            let pointer = self.add(base, offset);
            let length = self.word(length as i64);
            self.help(Helper::Zero, &[pointer, length]);
        }
    }

    /// A pointer plus a constant.
    fn add(&mut self, base: Value, offset: i32) -> Value {
        if offset == 0 {
            base
        } else {
            self.builder.ins().iadd_imm_s(base, i64::from(offset))
        }
    }

    /// A pointer to `length` bytes at a place of the tracer's.
    pub(super) fn tracer_pointer(&mut self, place: &Place, length: u64) -> Value {
        let (base, offset) = self.tracer_place(place, length);
        self.add(base, offset)
    }

    /// A pointer and a constant offset to `length` bytes at a place of the tracer's.
    pub(super) fn tracer_place(&mut self, place: &Place, length: u64) -> (Value, i32) {
        match place.base {
            Base::Globals => {
                let globals = self.field(offset::GLOBALS);
                let size = self.plan.program.constants.globals_size;
                self.bounded_place(globals, 0, size, place, length)
            }
            Base::Slot(slot) => {
                let start = self.slot_offsets[slot.0 as usize];
                let size = self.function.slots[slot.0 as usize];
                self.bounded_place(self.frame, start, size, place, length)
            }
            Base::Frame(address) => (self.frame_place(address, place, length), 0),
            Base::Row { container, row } => self.row_place(container, row, place, length),
            // Verified before: the target is never a place of the tracer's. The null page keeps
            // even a defect here harmless.
            Base::Target(_) => (self.word(0), 0),
        }
    }

    /// A place in `size` bytes that begin `start` bytes after a pointer.
    fn bounded_place(
        &mut self,
        pointer: Value,
        start: u64,
        size: u64,
        place: &Place,
        length: u64,
    ) -> (Value, i32) {
        let Some(index) = place.index else {
            // Verified before: the offset lies within `size`.
            let at = (start as i64).wrapping_add(place.offset);
            return match i32::try_from(at) {
                // Pieces of an inline copy are added to it.
                Ok(at) if at < i32::MAX / 2 => (pointer, at),
                _ => (self.builder.ins().iadd_imm_s(pointer, at), 0),
            };
        };
        let end = u64::try_from(place.offset)
            .ok()
            .and_then(|offset| offset.checked_add(length)?.checked_add(self.most(index)));
        let index = self.value(index);
        let at = (start as i64).wrapping_add(place.offset);
        if end.is_some_and(|end| end <= size)
            && let Ok(at) = i32::try_from(at)
            && at < i32::MAX / 2
        {
            return (self.builder.ins().iadd(pointer, index), at);
        }
        let within = self.builder.ins().iadd_imm_s(index, place.offset);
        let last = self.word(size.saturating_sub(length) as i64);
        let outside = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, within, last);
        self.fault_if(outside, Raised::BadPlace, None);
        let address = self.builder.ins().iadd(pointer, within);
        let address = self.builder.ins().iadd_imm_s(address, start as i64);
        (address, 0)
    }

    /// The address of the place, without an index that is not there.
    fn sum(&mut self, base: Value, place: &Place) -> Value {
        let address = if place.offset == 0 {
            base
        } else {
            self.builder.ins().iadd_imm_s(base, place.offset)
        };
        match place.index {
            Some(index) => {
                let index = self.value(index);
                self.builder.ins().iadd(address, index)
            }
            None => address,
        }
    }

    /// An address of the target.
    pub(super) fn target_address(&mut self, place: &Place) -> Value {
        let base = match place.base {
            Base::Target(address) => self.value(address),
            _ => self.word(0),
        };
        self.sum(base, place)
    }

    /// A place on the frame stack.
    fn frame_place(&mut self, address: Register, place: &Place, length: u64) -> Value {
        let base = self.value(address);
        let address = self.sum(base, place);
        let frames = self.fixed_field(offset::FRAMES);
        let size = self.fixed_field(offset::FRAMES_LENGTH);
        let within = self.builder.ins().isub(address, frames);
        let last = self.builder.ins().iadd_imm_s(size, -(length as i64));
        let mut outside = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, within, last);
        if length > LEAST_FRAMES {
            let length = self.word(length as i64);
            let short = self
                .builder
                .ins()
                .icmp(IntCC::UnsignedLessThan, size, length);
            outside = self.builder.ins().bor(outside, short);
        }
        self.fault_if(outside, Raised::BadPlace, None);
        address
    }

    /// A place in a row.
    fn row_place(
        &mut self,
        container: Register,
        row: Register,
        place: &Place,
        length: u64,
    ) -> (Value, i32) {
        let constant = if place.index.is_none() {
            u64::try_from(place.offset).unwrap_or(u64::MAX)
        } else {
            0
        };
        // An end beyond all rows makes the look-up fail.
        let end = constant.saturating_add(length).min(i64::MAX as u64);
        let (pointer, size) = self.row(container, row, end);
        if let Some(index) = place.index {
            let index = self.value(index);
            let within = self.builder.ins().iadd_imm_s(index, place.offset);
            let last = self.builder.ins().iadd_imm_s(size, -(length as i64));
            let outside = self
                .builder
                .ins()
                .icmp(IntCC::UnsignedGreaterThan, within, last);
            self.fault_if(outside, Raised::BadPlace, None);
            return (self.builder.ins().iadd(pointer, within), 0);
        }
        match i32::try_from(place.offset) {
            Ok(at) if at < i32::MAX / 2 => (pointer, at),
            _ => (self.builder.ins().iadd_imm_s(pointer, place.offset), 0),
        }
    }

    /// The bytes of a row, which are at least `end`.
    fn row(&mut self, container: Register, row: Register, end: u64) -> (Value, Value) {
        let Some(variables) = self.rows.get(&row).copied() else {
            let none = self.word(0);
            return (none, none);
        };
        let length = self.builder.use_var(variables.length);
        let end = self.word(end as i64);
        let (look_up, next) = (self.new_block(true), self.new_block(false));
        let short = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, length, end);
        self.builder.ins().brif(short, look_up, &[], next, &[]);
        self.go_on(look_up);
        let (container, word) = (self.value(container), self.value(row));
        let call = self.help(Helper::ResolveRow, &[container, word]);
        let status = self.first(call);
        self.check_status(status);
        self.take_row(variables.pointer, variables.length);
        let length = self.builder.use_var(variables.length);
        let short = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, length, end);
        self.fault_if(short, Raised::BadPlace, None);
        self.builder.ins().jump(next, &[] as &[BlockArg]);
        self.go_on(next);
        (
            self.builder.use_var(variables.pointer),
            self.builder.use_var(variables.length),
        )
    }

    /// Takes the row that a helper left in the context.
    pub(super) fn take_row(
        &mut self,
        pointer: cranelift_frontend::Variable,
        length: cranelift_frontend::Variable,
    ) {
        let value = self.field(offset::ROW);
        self.builder.def_var(pointer, value);
        let value = self.field(offset::ROW_LENGTH);
        self.builder.def_var(length, value);
    }

    /// Forgets all rows, since containers may have changed.
    pub(super) fn forget_rows(&mut self) {
        if self.rows.is_empty() {
            return;
        }
        let none = self.word(0);
        for row in self.rows.values() {
            self.builder.def_var(row.length, none);
        }
    }
}

/// The type of a scalar in memory.
fn memory_type(ty: MemoryType) -> types::Type {
    match ty {
        MemoryType::I8 | MemoryType::U8 => types::I8,
        MemoryType::I16 | MemoryType::U16 => types::I16,
        MemoryType::I32 | MemoryType::U32 => types::I32,
        MemoryType::W64 => types::I64,
        MemoryType::F32 => types::F32,
        MemoryType::F64 => types::F64,
    }
}

/// Cuts a small number of bytes into scalars: their offsets and types.
fn pieces(length: u64) -> impl Iterator<Item = (i32, types::Type)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (size, kind) = match length - at {
            0 => return None,
            1 => (1, types::I8),
            2 | 3 => (2, types::I16),
            4..=7 => (4, types::I32),
            _ => (8, types::I64),
        };
        let piece = (at as i32, kind);
        at += size;
        Some(piece)
    })
}
