//! Assignments.
//!
//! The expressions of the place come first, then the value, then the row is looked up (and
//! inserted) and used at once.

use super::builder::Builder;
use super::place::{Located, Resolved};
use super::{LowerError, Lowered};
use crate::hir::{ArithmeticOperator, Expression, Place};
use crate::ir::{Class, FloatOperator, InstructionKind, IntegerOperator, IntegerType, Register};
use crate::types::{Type, TypeId};
use ytrace_values::Operation;

impl Builder<'_, '_> {
    /// `place = value` on scalars; gives the stored value.
    pub(super) fn assign(&mut self, place: &Place, value: &Expression) -> Lowered<Register> {
        let resolved = self.resolve(place)?;
        let from = self.scalar(value)?;
        let located = self.locate(&resolved)?;
        self.store_to(located, resolved.bits, resolved.ty, from);
        Ok(self.stored(&resolved, from))
    }

    /// What a place holds after a value has been stored there: bit-fields cut it.
    fn stored(&mut self, resolved: &Resolved, value: Register) -> Register {
        match resolved.bits {
            Some((_, width)) => self.extend_bits(value, width, resolved.ty),
            None => value,
        }
    }

    /// Loads what is at a located place, lets `change` compute what is stored there, and gives
    /// the old (if `keep`; else it may be overwritten) and the new value.
    fn update(
        &mut self,
        resolved: &Resolved,
        keep: bool,
        change: impl FnOnce(&mut Self, Register) -> Lowered<Register>,
    ) -> Lowered<(Register, Register)> {
        let ty = resolved.ty;
        let located = self.locate(resolved)?;
        let old = match located {
            Located::Register(register) if !keep => register,
            Located::Register(register) => {
                let old = self.register(self.class(ty));
                self.copy(old, register);
                old
            }
            Located::Memory(place) => {
                let old = self.register(self.class(ty));
                self.load_from(place, resolved.bits, ty, old);
                old
            }
        };
        let new = change(self, old)?;
        self.store_to(located, resolved.bits, ty, new);
        Ok((old, self.stored(resolved, new)))
    }

    pub(super) fn assign_arithmetic(
        &mut self,
        place: &Place,
        operator: ArithmeticOperator,
        compute: TypeId,
        value: &Expression,
    ) -> Lowered<Register> {
        let resolved = self.resolve(place)?;
        let right = self.scalar(value)?;
        let ty = resolved.ty;
        let (_, new) = self.update(&resolved, false, |builder, old| {
            let left = builder.convert(old, ty, compute);
            let result = builder.arithmetic(operator, left, right, compute)?;
            Ok(builder.convert(result, compute, ty))
        })?;
        Ok(new)
    }

    pub(super) fn assign_pointer_add(
        &mut self,
        place: &Place,
        value: &Expression,
        scale: i64,
    ) -> Lowered<Register> {
        let resolved = self.resolve(place)?;
        let index = self.scalar(value)?;
        let bytes = self.scaled(index, scale as u64);
        let (_, new) = self.update(&resolved, false, |builder, old| {
            Ok(builder.address_add(old, bytes))
        })?;
        Ok(new)
    }

    pub(super) fn assign_operation(
        &mut self,
        place: &Place,
        operation: Operation,
        value: &Expression,
    ) -> Lowered<Register> {
        let resolved = self.resolve(place)?;
        let right = self.scalar_word(value)?;
        let (_, new) = self.update(&resolved, false, |builder, old| {
            Ok(builder.operate(operation, vec![old, right]))
        })?;
        Ok(new)
    }

    /// `++` and `--`.
    pub(super) fn step(&mut self, place: &Place, amount: i64, postfix: bool) -> Lowered<Register> {
        let resolved = self.resolve(place)?;
        let ty = resolved.ty;
        let (old, new) = self.update(&resolved, postfix, |builder, old| {
            builder.stepped(old, amount, ty)
        })?;
        Ok(if postfix { old } else { new })
    }

    fn stepped(&mut self, old: Register, amount: i64, ty: TypeId) -> Lowered<Register> {
        let class = self.class(ty);
        if class != Class::Word {
            let right = self.float_constant(amount as f64, ty);
            let to = self.register(class);
            self.emit(InstructionKind::Float {
                operator: FloatOperator::Add,
                to,
                left: old,
                right,
            });
            return Ok(to);
        }
        let boolean = match self.types().resolved(ty) {
            Type::Bool => true,
            Type::Str | Type::Path => {
                return Err(LowerError::malformed(self.here(), "a step of a string"));
            }
            _ => false,
        };
        let integer = if boolean {
            IntegerType {
                size: 4,
                signed: true,
            }
        } else {
            self.integer(ty)
        };
        let right = self.constant(amount as u64);
        let to = self.word();
        self.emit(InstructionKind::Integer {
            operator: IntegerOperator::Add,
            ty: integer,
            to,
            left: old,
            right,
        });
        if boolean {
            return Ok(self.compare_with_zero(crate::ir::Comparison::NotEqual, to));
        }
        Ok(to)
    }
}
