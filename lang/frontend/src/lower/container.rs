//! References to containers.

use super::builder::{Builder, Home, fixed};
use super::{LowerError, Lowered};
use crate::hir::{self, ContainerKind};
use crate::ir::{Base, InstructionKind, MemoryType, Place, Register, Terminator};
use crate::types::{Type, TypeId};
use ytrace_values::constants::ContainerTypeId;
use ytrace_values::{Operation, Steps};

/// A reference to a container whose expressions have been evaluated.
#[derive(Clone, Debug)]
pub(super) enum Prepared {
    /// The handle.
    Handle(Register),
    /// The value of another table under these key words.
    Row {
        table: Box<Prepared>,
        keys: Vec<Register>,
        /// Offset of the handle in the row.
        offset: u64,
        /// The type of the container in the row.
        ty: ContainerTypeId,
    },
    /// An element of a growing array.
    Element {
        array: Box<Prepared>,
        index: Register,
    },
}

impl Builder<'_, '_> {
    /// Evaluates the expressions of a reference to a container.
    pub(super) fn prepare(&mut self, container: &hir::Container) -> Lowered<Prepared> {
        self.at(container.span, |builder| builder.prepare_here(container))
    }

    fn prepare_here(&mut self, container: &hir::Container) -> Lowered<Prepared> {
        let span = container.span;
        Ok(match &container.kind {
            ContainerKind::Global(global) => {
                let offset = self.unit.global_offset(*global, span)?;
                let to = self.word();
                self.emit(InstructionKind::Load {
                    to,
                    place: global_place(offset),
                    ty: MemoryType::W64,
                });
                Prepared::Handle(to)
            }
            ContainerKind::Local(local) => match self.home(*local, span)? {
                Home::Container(register) => Prepared::Handle(register),
                _ => return Err(LowerError::malformed(span, "a local that is no container")),
            },
            ContainerKind::Row(table, keys) => {
                let offset = 8 * self.unit.table_key_words(table.ty, span)?;
                let table = Box::new(self.prepare(table)?);
                let keys = self.keys(keys)?;
                Prepared::Row {
                    table,
                    keys,
                    offset,
                    ty: self.unit.container_type(container.ty, span)?,
                }
            }
            ContainerKind::Element(array, index) => Prepared::Element {
                array: Box::new(self.prepare(array)?),
                index: self.scalar(index)?,
            },
            ContainerKind::Fresh(operation, wanted) => {
                let mut arguments = Vec::with_capacity(1 + wanted.len());
                for value in wanted {
                    arguments.push(self.scalar(value)?);
                }
                let mark = self.operate(Operation::ContainerMark, Vec::new());
                self.fresh.push(mark);
                let ty = self.unit.container_type(container.ty, span)?;
                arguments.insert(0, self.constant(u64::from(ty.0)));
                Prepared::Handle(self.operate(*operation, arguments))
            }
        })
    }

    /// The handle of a container. An absent row is inserted, or (`insert` false) gives a
    /// container that is always empty.
    pub(super) fn open(&mut self, prepared: &Prepared, insert: bool) -> Register {
        match prepared {
            Prepared::Handle(handle) => *handle,
            Prepared::Element { array, index } => {
                let container = self.open(array, insert);
                let row = self.operate(Operation::ArrayIndex, vec![container, *index]);
                self.handle_in_row(container, row, 0)
            }
            Prepared::Row {
                table,
                keys,
                offset,
                ..
            } if insert => {
                let container = self.open(table, true);
                let mut arguments = vec![container];
                arguments.extend_from_slice(keys);
                let row = self.operate(Operation::TableInsert, arguments);
                self.handle_in_row(container, row, *offset)
            }
            Prepared::Row {
                table,
                keys,
                offset,
                ty,
            } => {
                let container = self.open(table, false);
                let handle = self.word();
                let (row, found) = self.find(container, keys);
                let (then, otherwise, join) = (self.block(), self.block(), self.block());
                self.finish(Terminator::Branch {
                    condition: found,
                    then,
                    otherwise,
                });
                self.switch_to(then);
                let inner = self.handle_in_row(container, row, *offset);
                self.copy(handle, inner);
                self.finish(Terminator::Jump(join));
                self.switch_to(otherwise);
                let empty = self.unit.empty_container(*ty);
                self.emit(InstructionKind::Load {
                    to: handle,
                    place: global_place(empty),
                    ty: MemoryType::W64,
                });
                self.fall_into(join);
                handle
            }
        }
    }

    fn handle_in_row(&mut self, container: Register, row: Register, offset: u64) -> Register {
        let to = self.word();
        self.emit(InstructionKind::Load {
            to,
            place: self.part(fixed(Base::Row { container, row }), offset),
            ty: MemoryType::W64,
        });
        to
    }

    /// Frees the containers that operations made since `depth` of [`Builder::fresh`].
    pub(super) fn release_fresh(&mut self, depth: usize) {
        if let Some(mark) = self.fresh.get(depth).copied() {
            self.fresh.truncate(depth);
            self.operation(Operation::ContainerRelease, vec![mark], None);
        }
    }

    /// `_len`, `_count`, `<<<` and the like.
    pub(super) fn container_operation(
        &mut self,
        operation: Operation,
        container: &hir::Container,
        arguments: &[hir::Expression],
        ty: TypeId,
    ) -> Lowered<Option<Register>> {
        if operation == Operation::AggregateHistogramLinear {
            self.note_rows(container, arguments);
        }
        let prepared = self.prepare(container)?;
        let mut words = Vec::with_capacity(arguments.len() + 1);
        for argument in arguments {
            words.push(self.scalar_word(argument)?);
        }
        let insert = matches!(operation, Operation::AggregateAdd);
        let handle = self.open(&prepared, insert);
        words.insert(0, handle);
        self.operation_result(operation, words, ty)
    }

    /// Where the steps of a histogram are known now, its aggregate will count its rows.
    fn note_rows(&mut self, container: &hir::Container, arguments: &[hir::Expression]) {
        let global = match &container.kind {
            ContainerKind::Global(global) => *global,
            ContainerKind::Row(table, _) => match &table.kind {
                ContainerKind::Global(global) => *global,
                _ => return,
            },
            _ => return,
        };
        let constant = |argument: &hir::Expression| match argument.kind {
            hir::ExpressionKind::Integer(value) => Some(value as i64),
            _ => None,
        };
        let values: Vec<Option<i64>> = arguments.iter().map(constant).collect();
        if let &[Some(low), Some(high), Some(step)] = values.as_slice() {
            self.unit.note_linear(global, Steps { low, high, step });
        }
    }

    /// `k in t`; for an array, whether it has such an index.
    pub(super) fn is_in(
        &mut self,
        container: &hir::Container,
        keys: &[hir::Expression],
    ) -> Lowered<Register> {
        let prepared = self.prepare(container)?;
        let keys = self.keys(keys)?;
        let handle = self.open(&prepared, false);
        if matches!(self.types().resolved(container.ty), Type::Growing(_)) {
            let Some(index) = keys.first().copied() else {
                return Err(LowerError::malformed(container.span, "no index"));
            };
            let length = self.operate(Operation::ContainerLength, vec![handle]);
            let to = self.word();
            self.emit(InstructionKind::CompareIntegers {
                comparison: crate::ir::Comparison::Less,
                signed: false,
                to,
                left: index,
                right: length,
            });
            return Ok(to);
        }
        Ok(self.find(handle, &keys).1)
    }

    /// `_push`, `_unshift`. The value is evaluated before the element is made.
    pub(super) fn array_append(
        &mut self,
        front: bool,
        container: &hir::Container,
        value: &hir::Expression,
        ty: TypeId,
    ) -> Lowered<Option<Register>> {
        let operation = if front {
            Operation::ArrayUnshift
        } else {
            Operation::ArrayPush
        };
        let prepared = self.prepare(container)?;
        let handle = if self.is_scalar(value.ty) {
            let from = self.scalar(value)?;
            let handle = self.open(&prepared, true);
            let row = self.operate(operation, vec![handle]);
            let ty = self.memory_type(value.ty);
            self.emit(InstructionKind::Store {
                place: fixed(Base::Row {
                    container: handle,
                    row,
                }),
                from,
                ty,
            });
            handle
        } else {
            let length = self.unit.size(value.ty, value.span)?;
            let from = self.record_source(value)?;
            let handle = self.open(&prepared, true);
            let row = self.operate(operation, vec![handle]);
            self.emit(InstructionKind::CopyBytes {
                to: fixed(Base::Row {
                    container: handle,
                    row,
                }),
                from,
                length,
            });
            handle
        };
        if self.is_void(ty) {
            return Ok(None);
        }
        Ok(Some(self.operate(Operation::ContainerLength, vec![handle])))
    }

    /// `_pop`, `_shift`: the place of the removed element.
    pub(super) fn array_take(&mut self, front: bool, container: &hir::Container) -> Lowered<Place> {
        let operation = if front {
            Operation::ArrayShift
        } else {
            Operation::ArrayPop
        };
        let prepared = self.prepare(container)?;
        let container = self.open(&prepared, false);
        let row = self.operate(operation, vec![container]);
        Ok(fixed(Base::Row { container, row }))
    }
}

fn global_place(offset: u64) -> Place {
    Place {
        base: Base::Globals,
        offset: offset as i64,
        index: None,
    }
}
