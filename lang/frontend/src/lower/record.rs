//! Records and fixed arrays as values: bytes in a frame slot.

use super::builder::{Builder, fixed};
use super::place::{Located, Resolved, Root};
use super::{LowerError, Lowered};
use crate::hir::{self, Expression, ExpressionKind};
use crate::ir::{Base, InstructionKind, Place, Register, SlotId, Terminator};

/// A part of a compound value: its offset, the bits of a bit-field, and its value.
type Part = (u64, Option<(u32, u32)>, Expression);

impl Builder<'_, '_> {
    /// Evaluates a record into bytes that stay unchanged until the statement ends.
    pub(super) fn record(&mut self, expression: &Expression) -> Lowered<Place> {
        let length = self.unit.size(expression.ty, expression.span)?;
        let to = self.temporary(length)?;
        self.record_into(expression, to, length)?;
        Ok(to)
    }

    /// Evaluates a record into a slot that the expression itself cannot see.
    pub(super) fn record_into(
        &mut self,
        expression: &Expression,
        to: Place,
        length: u64,
    ) -> Lowered<()> {
        self.at(expression.span, |builder| {
            let fresh = builder.fresh.len();
            builder.record_here(expression, to, length)?;
            builder.release_fresh(fresh);
            Ok(())
        })
    }

    fn record_here(&mut self, expression: &Expression, to: Place, length: u64) -> Lowered<()> {
        match &expression.kind {
            ExpressionKind::Load(place) => {
                let resolved = self.resolve(place)?;
                self.copy_out(&resolved, to, length)
            }
            ExpressionKind::Call(function, arguments) => {
                let slot = match to {
                    Place {
                        base: Base::Slot(slot),
                        offset: 0,
                        index: None,
                    } => slot,
                    _ => {
                        let temporary = self.temporary(length)?;
                        self.record_into(expression, temporary, length)?;
                        self.emit(InstructionKind::CopyBytes {
                            to,
                            from: temporary,
                            length,
                        });
                        return Ok(());
                    }
                };
                self.call(*function, arguments, Some(slot)).map(|_| ())
            }
            ExpressionKind::Conditional(condition, yes, no) => {
                let (then, otherwise, join) = (self.block(), self.block(), self.block());
                self.branch(condition, then, otherwise)?;
                for (block, arm) in [(then, yes), (otherwise, no)] {
                    self.switch_to(block);
                    self.record_into(arm, to, length)?;
                    self.finish(Terminator::Jump(join));
                }
                self.switch_to(join);
                Ok(())
            }
            ExpressionKind::Comma(first, second) => {
                self.effect(first)?;
                self.record_into(second, to, length)
            }
            ExpressionKind::Assign(place, value) => {
                let stored = self.assign_record(place, value)?;
                self.emit(InstructionKind::CopyBytes {
                    to,
                    from: stored,
                    length,
                });
                Ok(())
            }
            ExpressionKind::ArrayTake { front, container } => {
                let from = self.array_take(*front, container)?;
                self.emit(InstructionKind::CopyBytes { to, from, length });
                Ok(())
            }
            ExpressionKind::Aggregate(parts) => self.aggregate(parts, to, length),
            ExpressionKind::Convert(_, operand) => self.record_into(operand, to, length),
            _ => Err(LowerError::malformed(
                expression.span,
                "an expression that gives no record",
            )),
        }
    }

    /// Zeros, then each value at its offset.
    fn aggregate(&mut self, parts: &[Part], to: Place, length: u64) -> Lowered<()> {
        self.emit(InstructionKind::Zero { place: to, length });
        for (offset, bits, value) in parts {
            let place = self.part(to, *offset);
            let inside = |size: u64| offset.checked_add(size).is_some_and(|end| end <= length);
            if self.is_scalar(value.ty) {
                let size = match bits {
                    Some((low, width)) => u64::from((low + width).div_ceil(8)),
                    None => self.memory_type(value.ty).size(),
                };
                if !inside(size) {
                    return Err(LowerError::malformed(
                        value.span,
                        "a part outside its record",
                    ));
                }
                let from = self.scalar(value)?;
                self.store_to(Located::Memory(place), *bits, value.ty, from);
            } else {
                let size = self.unit.size(value.ty, value.span)?;
                if !inside(size) {
                    return Err(LowerError::malformed(
                        value.span,
                        "a part outside its record",
                    ));
                }
                self.record_into(value, place, size)?;
            }
        }
        Ok(())
    }

    /// `place = value` on records; gives a place that holds the stored bytes.
    pub(super) fn assign_record(
        &mut self,
        place: &hir::Place,
        value: &Expression,
    ) -> Lowered<Place> {
        let length = self.unit.size(place.ty, place.span)?;
        let resolved = self.resolve(place)?;
        // A function writes its result once, when it has read all it needs: straight into a
        // variable, then.
        if let (ExpressionKind::Call(..), Some(to)) = (&value.kind, resolved.fixed())
            && matches!(to.base, Base::Slot(_))
            && (to.offset, to.index) == (0, None)
        {
            self.record_into(value, to, length)?;
            return Ok(to);
        }
        let from = match self.direct_source(&resolved, value, length)? {
            Some(from) => from,
            None => self.record(value)?,
        };
        let Located::Memory(to) = self.locate(&resolved)? else {
            return Err(LowerError::malformed(place.span, "a record in a register"));
        };
        self.emit(InstructionKind::CopyBytes { to, from, length });
        Ok(from)
    }

    /// The place of a record that can be copied without a copy in between: a variable that the
    /// destination does not overlap.
    fn direct_source(
        &mut self,
        to: &Resolved,
        value: &Expression,
        length: u64,
    ) -> Lowered<Option<Place>> {
        let ExpressionKind::Load(place) = &value.kind else {
            return Ok(None);
        };
        // Only plain variables and their members, whose resolution emits nothing.
        if !plain(place) {
            return Ok(None);
        }
        let from = self.resolve(place)?;
        let Some(source) = from.fixed() else {
            return Ok(None);
        };
        let disjoint = match (&to.root, source.base) {
            (Root::Row { .. } | Root::Element { .. }, _) => true,
            (Root::Fixed(Base::Slot(left)), Base::Slot(right)) if *left != right => true,
            (Root::Fixed(Base::Slot(_)), Base::Globals)
            | (Root::Fixed(Base::Globals), Base::Slot(_)) => true,
            (Root::Fixed(left), right) if *left == right && to.index.is_none() => {
                to.offset == from.offset || to.offset.abs_diff(from.offset) >= length
            }
            _ => false,
        };
        Ok(disjoint.then_some(source))
    }

    /// The frame address of a slot.
    pub(super) fn slot_address(&mut self, slot: SlotId) -> Register {
        let to = self.word();
        self.emit(InstructionKind::SlotAddress { to, slot });
        to
    }

    /// The frame address of a copy of a record, to be passed to a function.
    pub(super) fn record_argument(&mut self, value: &Expression) -> Lowered<Register> {
        let place = self.record(value)?;
        match place.base {
            Base::Slot(slot) => Ok(self.slot_address(slot)),
            _ => Err(LowerError::malformed(
                value.span,
                "a temporary outside of the frame",
            )),
        }
    }

    /// A place that holds a record until anything else is evaluated: a variable itself, or a
    /// temporary.
    pub(super) fn record_source(&mut self, value: &Expression) -> Lowered<Place> {
        if let ExpressionKind::Load(place) = &value.kind
            && plain(place)
            && let Some(place) = self.resolve(place)?.fixed()
        {
            return Ok(place);
        }
        self.record(value)
    }

    /// Copies a record to the address that the caller gave for the result.
    pub(super) fn return_record(
        &mut self,
        value: &Expression,
        address: Register,
        length: u64,
    ) -> Lowered<()> {
        let from = self.record_source(value)?;
        self.emit(InstructionKind::CopyBytes {
            to: fixed(Base::Frame(address)),
            from,
            length,
        });
        Ok(())
    }
}

/// Whether a place is a variable of the script or a member of one.
fn plain(mut place: &hir::Place) -> bool {
    loop {
        match &place.kind {
            hir::PlaceKind::Local(_) | hir::PlaceKind::Global(_) => return true,
            hir::PlaceKind::Member { base, .. } => place = base,
            _ => return false,
        }
    }
}
