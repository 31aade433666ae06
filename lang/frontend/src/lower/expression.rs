//! Expressions that give scalars.

use super::builder::Builder;
use super::place::ADDRESS;
use super::{LowerError, Lowered};
use crate::hir::{
    ArithmeticOperator, CompareOperator, Conversion, Expression, ExpressionKind, Place, PlaceKind,
    UnaryOperator,
};
use crate::ir::{
    Class, Comparison, FloatOperator, InstructionKind, IntegerOperator, IntegerType, Register,
};
use crate::types::{Type, TypeId};
use ytrace_values::Operation;

impl Builder<'_, '_> {
    /// Evaluates a scalar into a register that nothing else writes before the statement ends.
    pub(super) fn scalar(&mut self, expression: &Expression) -> Lowered<Register> {
        match self.evaluate(expression)? {
            Some(register) => Ok(register),
            None => Err(LowerError::malformed(
                expression.span,
                "a value is needed here",
            )),
        }
    }

    /// Evaluates a scalar that is used before anything else is evaluated: a local's own register
    /// will do.
    pub(super) fn operand(&mut self, expression: &Expression) -> Lowered<Register> {
        if let ExpressionKind::Load(place) = &expression.kind
            && let Place {
                kind: PlaceKind::Local(local),
                span,
                ..
            } = place.as_ref()
            && let super::builder::Home::Register(register) = self.home(*local, *span)?
        {
            return Ok(register);
        }
        self.scalar(expression)
    }

    /// Evaluates two scalars from left to right.
    fn operands(&mut self, left: &Expression, right: &Expression) -> Lowered<(Register, Register)> {
        let left = if harmless(right, 0) {
            self.operand(left)?
        } else {
            self.scalar(left)?
        };
        Ok((left, self.operand(right)?))
    }

    /// Evaluates a scalar as a word: floats by their bits.
    pub(super) fn scalar_word(&mut self, expression: &Expression) -> Lowered<Register> {
        let register = self.scalar(expression)?;
        Ok(self.as_word(register))
    }

    /// Evaluates an expression for its effects.
    pub(super) fn effect(&mut self, expression: &Expression) -> Lowered<()> {
        if self.is_void(expression.ty) || self.is_scalar(expression.ty) {
            self.evaluate(expression)?;
        } else if let ExpressionKind::Assign(place, value) = &expression.kind {
            self.at(expression.span, |builder| {
                let fresh = builder.fresh.len();
                builder.assign_record(place, value)?;
                builder.release_fresh(fresh);
                Ok(())
            })?;
        } else {
            self.record(expression)?;
        }
        Ok(())
    }

    /// Evaluates a scalar or `void` expression.
    pub(super) fn evaluate(&mut self, expression: &Expression) -> Lowered<Option<Register>> {
        self.at(expression.span, |builder| {
            let fresh = builder.fresh.len();
            let result = builder.evaluate_here(expression)?;
            builder.release_fresh(fresh);
            Ok(result)
        })
    }

    fn evaluate_here(&mut self, expression: &Expression) -> Lowered<Option<Register>> {
        let ty = expression.ty;
        let register = match &expression.kind {
            ExpressionKind::Integer(value) => self.constant(*value),
            ExpressionKind::Float(value) => self.float_constant(*value, ty),
            ExpressionKind::Str(bytes) => self.literal(bytes),
            ExpressionKind::EmptyPath => self.constant(0),
            ExpressionKind::Load(place) => {
                let resolved = self.resolve(place)?;
                self.load(&resolved)?
            }
            ExpressionKind::AddressOf(place) => self.address_of(place)?,
            ExpressionKind::Unary(operator, operand) => {
                let from = self.operand(operand)?;
                self.unary(*operator, from, ty)
            }
            ExpressionKind::Not(operand) => {
                let from = self.operand(operand)?;
                self.compare_with_zero(Comparison::Equal, from)
            }
            ExpressionKind::Arithmetic(operator, left, right) => {
                let (left, right) = self.operands(left, right)?;
                self.arithmetic(*operator, left, right, ty)?
            }
            ExpressionKind::Compare(operator, left, right) => {
                let ty = left.ty;
                let (left, right) = self.operands(left, right)?;
                self.compare(*operator, left, right, ty)
            }
            ExpressionKind::Logical { .. } => self.logical(expression)?,
            ExpressionKind::Conditional(condition, yes, no) => {
                return self.conditional(condition, yes, no, ty);
            }
            ExpressionKind::OrElse(first, second) => self.or_else(first, second)?,
            ExpressionKind::Comma(first, second) => {
                self.effect(first)?;
                return self.evaluate(second);
            }
            ExpressionKind::PointerAdd {
                pointer,
                index,
                scale,
            } => {
                let left = if harmless(index, 0) {
                    self.operand(pointer)?
                } else {
                    self.scalar(pointer)?
                };
                if let ExpressionKind::Integer(index) = index.kind {
                    let offset = self.constant(index.wrapping_mul(*scale as u64));
                    self.address_add(left, offset)
                } else {
                    let index = self.operand(index)?;
                    let bytes = self.scaled(index, *scale as u64);
                    self.address_add(left, bytes)
                }
            }
            ExpressionKind::PointerDifference { left, right, scale } => {
                let (left, right) = self.operands(left, right)?;
                self.pointer_difference(left, right, *scale)
            }
            ExpressionKind::Convert(conversion, operand) => {
                let from = self.operand(operand)?;
                self.explicit(*conversion, from, operand.ty, ty)
            }
            ExpressionKind::Assign(place, value) => return self.assign(place, value).map(Some),
            ExpressionKind::AssignArithmetic {
                place,
                operator,
                compute,
                value,
            } => self.assign_arithmetic(place, *operator, *compute, value)?,
            ExpressionKind::AssignPointerAdd {
                place,
                value,
                scale,
            } => self.assign_pointer_add(place, value, *scale)?,
            ExpressionKind::AssignOperation {
                place,
                operation,
                value,
            } => self.assign_operation(place, *operation, value)?,
            ExpressionKind::Step {
                place,
                amount,
                postfix,
            } => self.step(place, *amount, *postfix)?,
            ExpressionKind::Call(function, arguments) => {
                return self.call(*function, arguments, None);
            }
            ExpressionKind::Operation(operation, arguments) => {
                let mut words = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    words.push(self.scalar_word(argument)?);
                }
                return self.operation_result(*operation, words, ty);
            }
            ExpressionKind::ContainerOperation(operation, container, arguments) => {
                return self.container_operation(*operation, container, arguments, ty);
            }
            ExpressionKind::ArrayAppend {
                front,
                container,
                value,
            } => return self.array_append(*front, container, value, ty),
            ExpressionKind::ArrayTake { front, container } => {
                let place = self.array_take(*front, container)?;
                let to = self.register(self.class(ty));
                self.load_from(place, None, ty, to);
                to
            }
            ExpressionKind::TableReduce {
                operation,
                container,
                offset,
                scalar,
            } => self.table_reduce(*operation, container, *offset, *scalar, ty)?,
            ExpressionKind::In(container, keys) => self.is_in(container, keys)?,
            ExpressionKind::Format {
                string,
                format,
                arguments,
            } => return self.format(*string, *format, arguments),
            ExpressionKind::Aggregate(_) => {
                return Err(LowerError::malformed(
                    expression.span,
                    "a compound value as a scalar",
                ));
            }
        };
        Ok(Some(register))
    }

    /// An operation whose result has a type (`void`: none).
    pub(super) fn operation_result(
        &mut self,
        operation: Operation,
        arguments: Vec<Register>,
        ty: TypeId,
    ) -> Lowered<Option<Register>> {
        if self.is_void(ty) {
            self.operation(operation, arguments, None);
            return Ok(None);
        }
        let word = self.operate(operation, arguments);
        if self.class(ty) == Class::Word {
            let integer = self.integer(ty);
            if integer.size < 8 {
                return Ok(Some(self.extend(word, integer)));
            }
        }
        Ok(Some(self.word_as(word, ty)))
    }

    fn unary(&mut self, operator: UnaryOperator, from: Register, ty: TypeId) -> Register {
        if self.class(ty) != Class::Word {
            let to = self.register(self.class(ty));
            self.emit(InstructionKind::FloatNegate { to, from });
            return to;
        }
        let ty = self.integer(ty);
        let (operator, left) = match operator {
            UnaryOperator::Negate => (IntegerOperator::Subtract, 0),
            UnaryOperator::Complement => (IntegerOperator::Xor, u64::MAX),
        };
        let left = self.constant(left);
        let to = self.word();
        self.emit(InstructionKind::Integer {
            operator,
            ty,
            to,
            left,
            right: from,
        });
        to
    }

    /// `left op right` in a type.
    pub(super) fn arithmetic(
        &mut self,
        operator: ArithmeticOperator,
        left: Register,
        right: Register,
        ty: TypeId,
    ) -> Lowered<Register> {
        let class = self.class(ty);
        let to = self.register(class);
        if class != Class::Word {
            let operator = match operator {
                ArithmeticOperator::Add => FloatOperator::Add,
                ArithmeticOperator::Subtract => FloatOperator::Subtract,
                ArithmeticOperator::Multiply => FloatOperator::Multiply,
                ArithmeticOperator::Divide => FloatOperator::Divide,
                _ => {
                    return Err(LowerError::malformed(
                        self.here(),
                        "an integer operator on floats",
                    ));
                }
            };
            self.emit(InstructionKind::Float {
                operator,
                to,
                left,
                right,
            });
            return Ok(to);
        }
        let operator = match operator {
            ArithmeticOperator::Add => IntegerOperator::Add,
            ArithmeticOperator::Subtract => IntegerOperator::Subtract,
            ArithmeticOperator::Multiply => IntegerOperator::Multiply,
            ArithmeticOperator::Divide => IntegerOperator::Divide,
            ArithmeticOperator::Remainder => IntegerOperator::Remainder,
            ArithmeticOperator::And => IntegerOperator::And,
            ArithmeticOperator::Or => IntegerOperator::Or,
            ArithmeticOperator::Xor => IntegerOperator::Xor,
            ArithmeticOperator::ShiftLeft => IntegerOperator::ShiftLeft,
            ArithmeticOperator::ShiftRight => IntegerOperator::ShiftRight,
        };
        let ty = self.integer(ty);
        self.emit(InstructionKind::Integer {
            operator,
            ty,
            to,
            left,
            right,
        });
        Ok(to)
    }

    fn compare(
        &mut self,
        operator: CompareOperator,
        left: Register,
        right: Register,
        ty: TypeId,
    ) -> Register {
        let comparison = comparison(operator);
        if self.class(ty) != Class::Word {
            let to = self.word();
            self.emit(InstructionKind::CompareFloats {
                comparison,
                to,
                left,
                right,
            });
            return to;
        }
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if matches!(self.types().resolved(ty), Type::Str) && !equality {
            let order = self.operate(Operation::StrCompare, vec![left, right]);
            let zero = self.constant(0);
            let to = self.word();
            self.emit(InstructionKind::CompareIntegers {
                comparison,
                signed: true,
                to,
                left: order,
                right: zero,
            });
            return to;
        }
        let to = self.word();
        let signed = self.integer(ty).signed;
        self.emit(InstructionKind::CompareIntegers {
            comparison,
            signed,
            to,
            left,
            right,
        });
        to
    }

    /// `register ? 0` for integers, handles and floats.
    pub(super) fn compare_with_zero(
        &mut self,
        comparison: Comparison,
        register: Register,
    ) -> Register {
        let class = self.class_of(register);
        let right = self.register(class);
        self.emit(InstructionKind::Constant {
            to: right,
            value: 0,
        });
        let to = self.word();
        self.emit(match class {
            Class::Word => InstructionKind::CompareIntegers {
                comparison,
                signed: false,
                to,
                left: register,
                right,
            },
            _ => InstructionKind::CompareFloats {
                comparison,
                to,
                left: register,
                right,
            },
        });
        to
    }

    fn pointer_difference(&mut self, left: Register, right: Register, scale: u64) -> Register {
        let signed = IntegerType {
            size: 8,
            signed: true,
        };
        let bytes = self.word();
        self.emit(InstructionKind::Integer {
            operator: IntegerOperator::Subtract,
            ty: ADDRESS,
            to: bytes,
            left,
            right,
        });
        if scale == 1 {
            return bytes;
        }
        let scale = self.constant(scale);
        let to = self.word();
        self.emit(InstructionKind::Integer {
            operator: IntegerOperator::Divide,
            ty: signed,
            to,
            left: bytes,
            right: scale,
        });
        to
    }

    fn explicit(
        &mut self,
        conversion: Conversion,
        from: Register,
        from_ty: TypeId,
        to_ty: TypeId,
    ) -> Register {
        match conversion {
            Conversion::ToBool => self.compare_with_zero(Comparison::NotEqual, from),
            _ => self.convert(from, from_ty, to_ty),
        }
    }

    /// Converts a scalar between types as C does. The result is `from` itself when no bit of it
    /// changes; the register of a local then is copied.
    pub(super) fn convert(&mut self, from: Register, from_ty: TypeId, to_ty: TypeId) -> Register {
        let (source, target) = (self.class(from_ty), self.class(to_ty));
        match (source, target) {
            (_, Class::Word) if matches!(self.types().resolved(to_ty), Type::Bool) => {
                if matches!(self.types().resolved(from_ty), Type::Bool) {
                    return self.own(from, target);
                }
                self.compare_with_zero(Comparison::NotEqual, from)
            }
            (Class::Word, Class::Word) => {
                let (old, new) = (self.integer(from_ty), self.integer(to_ty));
                if fits(old, new) {
                    return self.own(from, target);
                }
                self.extend(from, new)
            }
            (Class::Word, _) => {
                let signed = self.integer(from_ty).signed;
                let to = self.register(target);
                self.emit(InstructionKind::IntegerToFloat { signed, to, from });
                to
            }
            (_, Class::Word) => {
                let ty = self.integer(to_ty);
                let to = self.word();
                self.emit(InstructionKind::FloatToInteger { ty, to, from });
                to
            }
            (old, new) if old == new => self.own(from, target),
            _ => {
                let to = self.register(target);
                self.emit(InstructionKind::FloatToFloat { to, from });
                to
            }
        }
    }

    /// A register of its own with the value of `from`, which may be that of a local.
    fn own(&mut self, from: Register, class: Class) -> Register {
        if self.is_local_register(from) {
            let to = self.register(class);
            self.copy(to, from);
            return to;
        }
        from
    }

    fn is_local_register(&self, register: Register) -> bool {
        self.homes
            .iter()
            .any(|home| matches!(home, super::builder::Home::Register(local) if *local == register))
    }

    pub(super) fn extend(&mut self, from: Register, ty: IntegerType) -> Register {
        let to = self.word();
        self.emit(InstructionKind::Extend { ty, to, from });
        to
    }
}

/// Whether a word of one integer type is also right for another.
fn fits(old: IntegerType, new: IntegerType) -> bool {
    new.size == 8
        || (old.size == new.size && old.signed == new.signed)
        || (old.size < new.size && (!old.signed || new.signed))
}

fn comparison(operator: CompareOperator) -> Comparison {
    match operator {
        CompareOperator::Equal => Comparison::Equal,
        CompareOperator::NotEqual => Comparison::NotEqual,
        CompareOperator::Less => Comparison::Less,
        CompareOperator::LessEqual => Comparison::LessEqual,
        CompareOperator::Greater => Comparison::Greater,
        CompareOperator::GreaterEqual => Comparison::GreaterEqual,
    }
}

/// Whether evaluating an expression certainly changes no local. Gives up on anything large.
fn harmless(expression: &Expression, level: u32) -> bool {
    if level > 4 {
        return false;
    }
    let next = level + 1;
    match &expression.kind {
        ExpressionKind::Integer(_)
        | ExpressionKind::Float(_)
        | ExpressionKind::Str(_)
        | ExpressionKind::EmptyPath => true,
        ExpressionKind::Load(place) => harmless_place(place, next),
        ExpressionKind::Unary(_, operand)
        | ExpressionKind::Not(operand)
        | ExpressionKind::Convert(_, operand) => harmless(operand, next),
        ExpressionKind::Arithmetic(_, left, right) | ExpressionKind::Compare(_, left, right) => {
            harmless(left, next) && harmless(right, next)
        }
        ExpressionKind::PointerAdd { pointer, index, .. } => {
            harmless(pointer, next) && harmless(index, next)
        }
        _ => false,
    }
}

fn harmless_place(place: &Place, level: u32) -> bool {
    if level > 4 {
        return false;
    }
    match &place.kind {
        PlaceKind::Local(_) | PlaceKind::Global(_) => true,
        PlaceKind::Target(address) => harmless(address, level + 1),
        PlaceKind::Member { base, .. } => harmless_place(base, level + 1),
        _ => false,
    }
}
