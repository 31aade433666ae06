//! Short-circuit and conditional expressions, and branches on conditions.

use super::Lowered;
use super::builder::Builder;
use crate::hir::{Expression, ExpressionKind};
use crate::ir::{BlockId, Class, Comparison, InstructionKind, Register, Terminator};
use crate::types::TypeId;

impl Builder<'_, '_> {
    /// Ends the current block with a branch on a condition.
    pub(super) fn branch(
        &mut self,
        condition: &Expression,
        then: BlockId,
        otherwise: BlockId,
    ) -> Lowered<()> {
        self.at(condition.span, |builder| {
            builder.branch_here(condition, then, otherwise)
        })
    }

    fn branch_here(
        &mut self,
        condition: &Expression,
        then: BlockId,
        otherwise: BlockId,
    ) -> Lowered<()> {
        match &condition.kind {
            ExpressionKind::Integer(value) => {
                let block = if *value != 0 { then } else { otherwise };
                self.finish(Terminator::Jump(block));
            }
            ExpressionKind::Not(operand) => self.branch(operand, otherwise, then)?,
            ExpressionKind::Logical { and, left, right } => {
                let middle = self.block();
                if *and {
                    self.branch(left, middle, otherwise)?;
                } else {
                    self.branch(left, then, middle)?;
                }
                self.switch_to(middle);
                self.branch(right, then, otherwise)?;
            }
            _ => {
                let register = self.operand(condition)?;
                let condition = self.truth(register);
                self.finish(Terminator::Branch {
                    condition,
                    then,
                    otherwise,
                });
            }
        }
        Ok(())
    }

    /// A word that is not 0 where a scalar is true.
    fn truth(&mut self, register: Register) -> Register {
        match self.class_of(register) {
            Class::Word => register,
            _ => self.compare_with_zero(Comparison::NotEqual, register),
        }
    }

    /// `&&` and `||`: 0 or 1.
    pub(super) fn logical(&mut self, expression: &Expression) -> Lowered<Register> {
        let to = self.word();
        let (yes, no, join) = (self.block(), self.block(), self.block());
        self.branch_here(expression, yes, no)?;
        self.switch_to(yes);
        self.emit(InstructionKind::Constant { to, value: 1 });
        self.finish(Terminator::Jump(join));
        self.switch_to(no);
        self.emit(InstructionKind::Constant { to, value: 0 });
        self.fall_into(join);
        Ok(to)
    }

    /// `c ? a : b` on scalars, or on `void`.
    pub(super) fn conditional(
        &mut self,
        condition: &Expression,
        yes: &Expression,
        no: &Expression,
        ty: TypeId,
    ) -> Lowered<Option<Register>> {
        let to = (!self.is_void(ty)).then(|| self.register(self.class(ty)));
        let (then, otherwise, join) = (self.block(), self.block(), self.block());
        self.branch(condition, then, otherwise)?;
        for (block, arm) in [(then, yes), (otherwise, no)] {
            self.switch_to(block);
            match to {
                Some(to) => {
                    let from = self.operand(arm)?;
                    self.copy(to, from);
                }
                None => self.effect(arm)?,
            }
            self.finish(Terminator::Jump(join));
        }
        self.switch_to(join);
        Ok(to)
    }

    /// `a ?: b` on scalars.
    pub(super) fn or_else(&mut self, first: &Expression, second: &Expression) -> Lowered<Register> {
        let from = self.operand(first)?;
        let to = self.register(self.class_of(from));
        self.copy(to, from);
        let condition = self.truth(to);
        let (otherwise, join) = (self.block(), self.block());
        self.finish(Terminator::Branch {
            condition,
            then: join,
            otherwise,
        });
        self.switch_to(otherwise);
        let from = self.operand(second)?;
        self.copy(to, from);
        self.fall_into(join);
        Ok(to)
    }
}
