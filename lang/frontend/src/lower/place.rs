//! Places: what can be loaded and, in tracer memory, stored.
//!
//! A place is resolved in two steps. [`Builder::resolve`] evaluates everything that its
//! expression says (keys, indexes, addresses) from left to right. Only where the place is used
//! does [`Builder::locate`] or a load look up the row of a container, because a row is valid
//! only until the next operation on any container.

use super::builder::{Builder, Home, fixed, shifted};
use super::container::Prepared;
use super::{LowerError, Lowered};
use crate::hir::{self, ExpressionKind, PlaceKind};
use crate::ir::{
    Base, Class, Comparison, InstructionKind, IntegerOperator, IntegerType, Place, Register,
    Terminator,
};
use crate::types::TypeId;
use ytrace_values::Operation;
use ytrace_values::operation::NO_ROW;

/// The integer type of addresses and offsets.
pub(super) const ADDRESS: IntegerType = IntegerType {
    size: 8,
    signed: false,
};

/// What a place starts from.
#[derive(Clone, Debug)]
pub(super) enum Root {
    /// A scalar local.
    Register(Register),
    /// Memory that stays where it is.
    Fixed(Base),
    /// The value of a table under these key words.
    Row {
        table: Prepared,
        keys: Vec<Register>,
    },
    /// An element of a growing array.
    Element { array: Prepared, index: Register },
}

/// A place whose expressions have been evaluated.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    pub(super) root: Root,
    /// Bytes from the root; for a table, from its first key word.
    pub(super) offset: u64,
    /// Bytes added to that.
    pub(super) index: Option<Register>,
    /// For a bit-field, its bits counted from the offset.
    pub(super) bits: Option<(u32, u32)>,
    /// The type of what lies there.
    pub(super) ty: TypeId,
}

impl Resolved {
    fn new(root: Root, ty: TypeId) -> Self {
        Self {
            root,
            offset: 0,
            index: None,
            bits: None,
            ty,
        }
    }

    /// The place, given what the root turned out to be.
    pub(super) fn on(&self, base: Base) -> Place {
        Place {
            base,
            offset: self.offset as i64,
            index: self.index,
        }
    }

    /// The place if it stays where it is, whatever happens to containers.
    pub(super) fn fixed(&self) -> Option<Place> {
        match &self.root {
            Root::Fixed(base) => Some(self.on(*base)),
            _ => None,
        }
    }
}

/// Where a store goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Located {
    /// To a register.
    Register(Register),
    /// To memory.
    Memory(Place),
}

impl Builder<'_, '_> {
    /// Evaluates the expressions of a place.
    pub(super) fn resolve(&mut self, place: &hir::Place) -> Lowered<Resolved> {
        self.at(place.span, |builder| builder.resolve_here(place))
    }

    fn resolve_here(&mut self, place: &hir::Place) -> Lowered<Resolved> {
        let span = place.span;
        let root = match &place.kind {
            PlaceKind::Local(local) => match self.home(*local, span)? {
                Home::Register(register) => Root::Register(register),
                Home::Slot(slot, _) => Root::Fixed(Base::Slot(slot)),
                Home::Container(_) => {
                    return Err(LowerError::malformed(span, "a container as a value"));
                }
            },
            PlaceKind::Global(global) => {
                let mut resolved = Resolved::new(Root::Fixed(Base::Globals), place.ty);
                resolved.offset = self.unit.global_offset(*global, span)?;
                return Ok(resolved);
            }
            PlaceKind::Target(address) => Root::Fixed(Base::Target(self.scalar(address)?)),
            PlaceKind::Row(container, keys) => {
                let words = self.unit.table_key_words(container.ty, span)?;
                let table = self.prepare(container)?;
                let keys = self.keys(keys)?;
                let mut resolved = Resolved::new(Root::Row { table, keys }, place.ty);
                resolved.offset = 8 * words;
                return Ok(resolved);
            }
            PlaceKind::Element(container, index) => Root::Element {
                array: self.prepare(container)?,
                index: self.scalar(index)?,
            },
            PlaceKind::Member { base, offset, bits } => {
                let mut resolved = self.resolve(base)?;
                if matches!(resolved.root, Root::Register(_)) {
                    return Err(LowerError::malformed(span, "a member of a scalar"));
                }
                resolved.offset = resolved.offset.wrapping_add(*offset);
                resolved.bits = *bits;
                resolved.ty = place.ty;
                return Ok(resolved);
            }
            PlaceKind::Index {
                base,
                index,
                stride,
                count,
            } => {
                let resolved = self.resolve(base)?;
                return self.resolve_index(resolved, index, *stride, *count, place.ty);
            }
            PlaceKind::Value(value) => {
                let bytes = if self.is_scalar(value.ty) {
                    let bytes = self.temporary(8)?;
                    let register = self.scalar(value)?;
                    let ty = self.memory_type(value.ty);
                    self.emit(InstructionKind::Store {
                        place: bytes,
                        from: register,
                        ty,
                    });
                    bytes
                } else {
                    self.record(value)?
                };
                let mut resolved = Resolved::new(Root::Fixed(bytes.base), place.ty);
                resolved.offset = bytes.offset as u64;
                resolved.index = bytes.index;
                return Ok(resolved);
            }
        };
        Ok(Resolved::new(root, place.ty))
    }

    fn resolve_index(
        &mut self,
        mut resolved: Resolved,
        index: &hir::Expression,
        stride: u64,
        count: u64,
        ty: TypeId,
    ) -> Lowered<Resolved> {
        if matches!(resolved.root, Root::Register(_)) {
            return Err(LowerError::malformed(index.span, "an element of a scalar"));
        }
        resolved.ty = ty;
        if let ExpressionKind::Integer(index) = &index.kind
            && *index < count
        {
            resolved.offset = resolved.offset.wrapping_add(index.wrapping_mul(stride));
            return Ok(resolved);
        }
        let index = self.scalar(index)?;
        self.emit(InstructionKind::BoundsCheck {
            index,
            length: count,
        });
        let bytes = self.scaled(index, stride);
        resolved.index = Some(match resolved.index {
            Some(outer) => self.address_add(outer, bytes),
            None => bytes,
        });
        Ok(resolved)
    }

    /// `register * factor`, wrapping.
    pub(super) fn scaled(&mut self, register: Register, factor: u64) -> Register {
        if factor == 1 {
            return register;
        }
        let right = self.constant(factor);
        let to = self.word();
        self.emit(InstructionKind::Integer {
            operator: IntegerOperator::Multiply,
            ty: ADDRESS,
            to,
            left: register,
            right,
        });
        to
    }

    /// `left + right`, wrapping.
    pub(super) fn address_add(&mut self, left: Register, right: Register) -> Register {
        let to = self.word();
        self.emit(InstructionKind::Integer {
            operator: IntegerOperator::Add,
            ty: ADDRESS,
            to,
            left,
            right,
        });
        to
    }

    /// The address in the target of a place.
    pub(super) fn address_of(&mut self, place: &hir::Place) -> Lowered<Register> {
        let resolved = self.resolve(place)?;
        let Root::Fixed(Base::Target(mut address)) = resolved.root else {
            return Err(LowerError::malformed(
                place.span,
                "the address of something outside of the target",
            ));
        };
        if let Some(index) = resolved.index {
            address = self.address_add(address, index);
        }
        if resolved.offset != 0 {
            let offset = self.constant(resolved.offset);
            address = self.address_add(address, offset);
        }
        Ok(address)
    }

    /// Finds a place to store in (or to load and store), inserting rows that are absent. Used
    /// at once: no operation on a container may come between.
    pub(super) fn locate(&mut self, resolved: &Resolved) -> Lowered<Located> {
        Ok(match &resolved.root {
            Root::Register(register) => Located::Register(*register),
            Root::Fixed(Base::Target(_)) => {
                return Err(LowerError::malformed(
                    self.here(),
                    "a store to the memory of the target",
                ));
            }
            Root::Fixed(base) => Located::Memory(resolved.on(*base)),
            Root::Row { table, keys } => {
                let container = self.open(table, true);
                let mut arguments = vec![container];
                arguments.extend_from_slice(keys);
                let row = self.operate(Operation::TableInsert, arguments);
                Located::Memory(resolved.on(Base::Row { container, row }))
            }
            Root::Element { array, index } => {
                let container = self.open(array, true);
                let row = self.operate(Operation::ArrayIndex, vec![container, *index]);
                Located::Memory(resolved.on(Base::Row { container, row }))
            }
        })
    }

    /// Reads from a place: `present` is run with the place found, `absent` where the key of a
    /// table is absent. Both must leave their result in the same registers or memory.
    pub(super) fn read(
        &mut self,
        resolved: &Resolved,
        present: impl FnOnce(&mut Self, Place),
        absent: impl FnOnce(&mut Self),
    ) -> Lowered<()> {
        match &resolved.root {
            Root::Register(_) => {
                return Err(LowerError::malformed(self.here(), "a register as memory"));
            }
            Root::Fixed(base) => present(self, resolved.on(*base)),
            Root::Element { array, index } => {
                let container = self.open(array, false);
                let row = self.operate(Operation::ArrayIndex, vec![container, *index]);
                present(self, resolved.on(Base::Row { container, row }));
            }
            Root::Row { table, keys } => {
                let container = self.open(table, false);
                let (row, found) = self.find(container, keys);
                let (then, otherwise, join) = (self.block(), self.block(), self.block());
                self.finish(Terminator::Branch {
                    condition: found,
                    then,
                    otherwise,
                });
                self.switch_to(then);
                present(self, resolved.on(Base::Row { container, row }));
                self.finish(Terminator::Jump(join));
                self.switch_to(otherwise);
                absent(self);
                self.fall_into(join);
            }
        }
        Ok(())
    }

    /// Looks a key up: the row, and whether there is one.
    pub(super) fn find(&mut self, container: Register, keys: &[Register]) -> (Register, Register) {
        let mut arguments = vec![container];
        arguments.extend_from_slice(keys);
        let row = self.operate(Operation::TableFind, arguments);
        let found = self.is_row(row);
        (row, found)
    }

    /// Whether a row is not [`NO_ROW`].
    pub(super) fn is_row(&mut self, row: Register) -> Register {
        let none = self.constant(NO_ROW);
        let found = self.word();
        self.emit(InstructionKind::CompareIntegers {
            comparison: Comparison::NotEqual,
            signed: false,
            to: found,
            left: row,
            right: none,
        });
        found
    }

    /// Loads a scalar into a register of its own.
    pub(super) fn load(&mut self, resolved: &Resolved) -> Lowered<Register> {
        let ty = resolved.ty;
        let class = self.class(ty);
        let to = self.register(class);
        if let Root::Register(register) = resolved.root {
            self.copy(to, register);
            return Ok(to);
        }
        let bits = resolved.bits;
        self.read(
            resolved,
            |builder, place| builder.load_from(place, bits, ty, to),
            |builder| builder.emit(InstructionKind::Constant { to, value: 0 }),
        )?;
        Ok(to)
    }

    /// Loads a scalar or a bit-field that lies at a place.
    pub(super) fn load_from(
        &mut self,
        place: Place,
        bits: Option<(u32, u32)>,
        ty: TypeId,
        to: Register,
    ) {
        match bits {
            Some(bits) => self.load_bits(place, bits, ty, to),
            None => {
                let ty = self.memory_type(ty);
                self.emit(InstructionKind::Load { to, place, ty });
            }
        }
    }

    /// Stores a scalar or a bit-field.
    pub(super) fn store_to(
        &mut self,
        located: Located,
        bits: Option<(u32, u32)>,
        ty: TypeId,
        from: Register,
    ) {
        match (located, bits) {
            (Located::Register(register), _) => self.copy(register, from),
            (Located::Memory(place), Some(bits)) => self.store_bits(place, bits, from),
            (Located::Memory(place), None) => {
                let ty = self.memory_type(ty);
                self.emit(InstructionKind::Store { place, from, ty });
            }
        }
    }

    /// Copies the bytes of a record at a place to memory that stays where it is.
    pub(super) fn copy_out(&mut self, resolved: &Resolved, to: Place, length: u64) -> Lowered<()> {
        self.read(
            resolved,
            |builder, from| builder.emit(InstructionKind::CopyBytes { to, from, length }),
            |builder| builder.emit(InstructionKind::Zero { place: to, length }),
        )
    }

    /// Loads every scalar part of a row's key, or its element, into a local.
    pub(super) fn row_to_local(
        &mut self,
        from: Place,
        local: hir::LocalId,
        span: crate::source::Span,
    ) -> Lowered<()> {
        let ty = self.local_type(local, span)?;
        match self.home(local, span)? {
            Home::Register(to) => self.load_from(from, None, ty, to),
            Home::Container(to) => self.emit(InstructionKind::Load {
                to,
                place: from,
                ty: crate::ir::MemoryType::W64,
            }),
            Home::Slot(slot, length) => self.emit(InstructionKind::CopyBytes {
                to: fixed(Base::Slot(slot)),
                from,
                length,
            }),
        }
        Ok(())
    }

    pub(super) fn local_type(
        &self,
        local: hir::LocalId,
        span: crate::source::Span,
    ) -> Lowered<TypeId> {
        self.function
            .locals
            .get(local.0 as usize)
            .map(|local| local.ty)
            .ok_or_else(|| LowerError::malformed(span, "no such local"))
    }

    /// A word as a register of the class of a type.
    pub(super) fn word_as(&mut self, word: Register, ty: TypeId) -> Register {
        match self.class(ty) {
            Class::Word => word,
            class => {
                let to = self.register(class);
                self.emit(InstructionKind::BitsToFloat { to, from: word });
                to
            }
        }
    }

    /// A register as a word: floats by their bits.
    pub(super) fn as_word(&mut self, register: Register) -> Register {
        match self.class_of(register) {
            Class::Word => register,
            _ => {
                let to = self.word();
                self.emit(InstructionKind::FloatToBits { to, from: register });
                to
            }
        }
    }

    /// The part of a place that starts so many bytes further on.
    pub(super) fn part(&self, place: Place, bytes: u64) -> Place {
        shifted(place, bytes)
    }
}
