//! `_foreach`: loops over the rows of a container.
//!
//! Key and value are copied into locals at once, so that the body may do what it likes to the
//! container. The iterator is freed through the mark of the loop.

use super::builder::{Builder, JumpTarget, fixed};
use super::call::scalar_sort_kind;
use super::labels::ScopeKey;
use super::{LowerError, Lowered};
use crate::hir::{Expression, Foreach};
use crate::ir::{
    Base, Comparison, InstructionKind, IntegerOperator, IntegerType, Place, Register, Terminator,
};
use crate::types::Type;
use ytrace_values::Operation;

impl Builder<'_, '_> {
    pub(super) fn foreach(&mut self, foreach: &Foreach) -> Lowered<()> {
        let mark = self.operate(Operation::ContainerMark, Vec::new());
        let outside = self.scopes.len();
        self.scopes.push((ScopeKey::foreach(foreach), mark));
        // The mark of the loop also frees a container that the head makes.
        let fresh = self.fresh.len();
        let prepared = self.prepare(&foreach.container)?;
        let limit = match &foreach.limit {
            Some(limit) => Some(self.limit(limit)?),
            None => None,
        };
        self.fresh.truncate(fresh);
        let container = self.open(&prepared, false);
        let iterator = self.operate(Operation::IteratorNew, vec![container]);
        match &foreach.by {
            Some(by) => {
                self.sort_keys(container, iterator, by, &mut |builder, row| {
                    builder.row_to_locals(foreach, iterator, row)
                })?;
                self.sort_iterator(iterator, foreach.descending);
            }
            None if foreach.descending => {
                self.position_keys(iterator)?;
                self.sort_iterator(iterator, true);
            }
            None => {}
        }
        if let Some(limit) = limit {
            self.operation(Operation::IteratorLimit, vec![iterator, limit], None);
        }
        let (head, inside, again, leave) = (self.block(), self.block(), self.block(), self.block());
        self.fall_into(head);
        let row = self.operate(Operation::IteratorNext, vec![iterator]);
        let condition = self.is_row(row);
        self.finish(Terminator::Branch {
            condition,
            then: inside,
            otherwise: leave,
        });
        self.switch_to(inside);
        self.row_to_locals(foreach, iterator, fixed(Base::Row { container, row }))?;
        self.targets.push(JumpTarget {
            leave,
            again: Some(again),
            scopes: self.scopes.len(),
        });
        let result = self.statements(&foreach.body);
        self.targets.pop();
        result?;
        self.fall_into(again);
        self.emit(InstructionKind::Step);
        self.finish(Terminator::Jump(head));
        self.switch_to(leave);
        self.release_scopes(outside);
        self.scopes.truncate(outside);
        Ok(())
    }

    /// The limit; a negative one is 0.
    fn limit(&mut self, limit: &Expression) -> Lowered<Register> {
        let word = self.scalar(limit)?;
        if !self.integer(limit.ty).signed {
            return Ok(word);
        }
        // All ones where it is not negative.
        let zero = self.constant(0);
        let negative = self.word();
        self.emit(InstructionKind::CompareIntegers {
            comparison: Comparison::Less,
            signed: true,
            to: negative,
            left: word,
            right: zero,
        });
        let ty = IntegerType {
            size: 8,
            signed: false,
        };
        let one = self.constant(1);
        let mask = self.word();
        self.emit(InstructionKind::Integer {
            operator: IntegerOperator::Subtract,
            ty,
            to: mask,
            left: negative,
            right: one,
        });
        let to = self.word();
        self.emit(InstructionKind::Integer {
            operator: IntegerOperator::And,
            ty,
            to,
            left: word,
            right: mask,
        });
        Ok(to)
    }

    fn sort_iterator(&mut self, iterator: Register, descending: bool) {
        let descending = self.constant(u64::from(descending));
        self.operation(Operation::IteratorSort, vec![iterator, descending], None);
    }

    /// Goes over all rows once and gives the iterator a sort key for each. `load` puts the row
    /// into the locals that the key expression reads.
    pub(super) fn sort_keys(
        &mut self,
        container: Register,
        iterator: Register,
        by: &Expression,
        load: &mut dyn FnMut(&mut Self, Place) -> Lowered<()>,
    ) -> Lowered<()> {
        let Some(scalar) = self.unit.scalar_kind(by.ty) else {
            return Err(LowerError::malformed(
                by.span,
                "a sort key that is no scalar",
            ));
        };
        self.each_row(iterator, &mut |builder, row| {
            load(builder, fixed(Base::Row { container, row }))?;
            let key = builder.scalar_word(by)?;
            let kind = builder.constant(scalar_sort_kind(scalar));
            builder.operation(Operation::IteratorSortKey, vec![iterator, key, kind], None);
            Ok(())
        })
    }

    /// Sort keys that are the positions: descending, the order is turned around.
    fn position_keys(&mut self, iterator: Register) -> Lowered<()> {
        self.each_row(iterator, &mut |builder, _| {
            let key = builder.operate(Operation::IteratorPosition, vec![iterator]);
            let kind = builder.constant(1);
            builder.operation(Operation::IteratorSortKey, vec![iterator, key, kind], None);
            Ok(())
        })
    }

    fn each_row(
        &mut self,
        iterator: Register,
        visit: &mut dyn FnMut(&mut Self, Register) -> Lowered<()>,
    ) -> Lowered<()> {
        let (head, inside, done) = (self.block(), self.block(), self.block());
        self.fall_into(head);
        let row = self.operate(Operation::IteratorNext, vec![iterator]);
        let condition = self.is_row(row);
        self.finish(Terminator::Branch {
            condition,
            then: inside,
            otherwise: done,
        });
        self.switch_to(inside);
        visit(self, row)?;
        self.emit(InstructionKind::Step);
        self.finish(Terminator::Jump(head));
        self.switch_to(done);
        Ok(())
    }

    /// Copies a row into the locals of the loop.
    fn row_to_locals(&mut self, foreach: &Foreach, iterator: Register, row: Place) -> Lowered<()> {
        let span = foreach.container.span;
        let words = match self.types().resolved(foreach.container.ty) {
            Type::Table(..) => {
                let mut word = 0;
                for local in &foreach.keys {
                    word += self.key_to_local(row, word, *local, span)?;
                }
                self.unit.table_key_words(foreach.container.ty, span)?
            }
            Type::Growing(_) => 0,
            _ => return Err(LowerError::malformed(span, "a loop over no table or array")),
        };
        if let Some(value) = foreach.value {
            self.row_to_local(self.part(row, 8 * words), value, span)?;
        }
        // Asking for the position is an operation on a container: the row is done with.
        if words == 0
            && let Some(index) = foreach.keys.first()
        {
            let position = self.operate(Operation::IteratorPosition, vec![iterator]);
            let ty = self.local_type(*index, span)?;
            match self.home(*index, span)? {
                super::builder::Home::Register(to) => {
                    let integer = self.integer(ty);
                    let value = if integer.size < 8 {
                        self.extend(position, integer)
                    } else {
                        position
                    };
                    self.copy(to, value);
                }
                _ => return Err(LowerError::malformed(span, "an index that is no integer")),
            }
        }
        Ok(())
    }
}
