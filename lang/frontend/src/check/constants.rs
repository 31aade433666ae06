//! Constants: what can be computed while checking.

use super::Checker;
use super::class::{Class, Operand};
use crate::ast;
use crate::hir::{self, ArithmeticOperator, CompareOperator, ExpressionKind};
use crate::source::Span;
use crate::types::TypeId;

/// Cuts a word to `size` bytes and extends it again.
pub(super) fn wrap(value: u64, size: u8, signed: bool) -> u64 {
    let unused = 64 - u32::from(size.clamp(1, 8)) * 8;
    if signed {
        (((value << unused) as i64) >> unused) as u64
    } else {
        (value << unused) >> unused
    }
}

/// The result of integer arithmetic on constants; `None` where it would fault.
pub(super) fn arithmetic(
    operator: ArithmeticOperator,
    left: u64,
    right: u64,
    size: u8,
    signed: bool,
) -> Option<u64> {
    let bits = u64::from(size) * 8;
    let result = match operator {
        ArithmeticOperator::Add => left.wrapping_add(right),
        ArithmeticOperator::Subtract => left.wrapping_sub(right),
        ArithmeticOperator::Multiply => left.wrapping_mul(right),
        ArithmeticOperator::Divide if signed => {
            if right == 0 {
                return None;
            }
            (left as i64).wrapping_div(right as i64) as u64
        }
        ArithmeticOperator::Remainder if signed => {
            if right == 0 {
                return None;
            }
            (left as i64).wrapping_rem(right as i64) as u64
        }
        ArithmeticOperator::Divide => left.checked_div(right)?,
        ArithmeticOperator::Remainder => left.checked_rem(right)?,
        ArithmeticOperator::And => left & right,
        ArithmeticOperator::Or => left | right,
        ArithmeticOperator::Xor => left ^ right,
        ArithmeticOperator::ShiftLeft => {
            if right >= bits {
                return None;
            }
            left << right
        }
        ArithmeticOperator::ShiftRight => {
            if right >= bits {
                return None;
            }
            if signed {
                ((left as i64) >> right) as u64
            } else {
                left >> right
            }
        }
    };
    Some(wrap(result, size, signed))
}

/// Whether a comparison holds for an ordering.
pub(super) fn compare(operator: CompareOperator, ordering: std::cmp::Ordering) -> bool {
    match operator {
        CompareOperator::Equal => ordering.is_eq(),
        CompareOperator::NotEqual => ordering.is_ne(),
        CompareOperator::Less => ordering.is_lt(),
        CompareOperator::LessEqual => ordering.is_le(),
        CompareOperator::Greater => ordering.is_gt(),
        CompareOperator::GreaterEqual => ordering.is_ge(),
    }
}

impl Checker<'_> {
    pub(super) fn integer(&self, value: u64, ty: TypeId, span: Span) -> hir::Expression {
        hir::Expression {
            kind: ExpressionKind::Integer(value),
            ty,
            span,
        }
    }

    pub(super) fn int(&self, value: i32, span: Span) -> hir::Expression {
        self.integer(i64::from(value) as u64, self.basics.int, span)
    }

    pub(super) fn str_constant(&self, bytes: impl Into<Vec<u8>>, span: Span) -> hir::Expression {
        hir::Expression {
            kind: ExpressionKind::Str(bytes.into()),
            ty: self.basics.string,
            span,
        }
    }

    /// An expression of unknown type, after an error.
    pub(super) fn unknown(&self, span: Span) -> hir::Expression {
        self.integer(0, self.basics.unknown, span)
    }

    pub(super) fn unknown_operand(&self, span: Span) -> Operand {
        Operand::Value(self.unknown(span))
    }

    /// The value of a constant that is an integer.
    pub(super) fn constant_of(&self, expression: &hir::Expression) -> Option<i128> {
        let ExpressionKind::Integer(value) = expression.kind else {
            return None;
        };
        let (_, signed) = self.integer_shape(expression.ty)?;
        Some(if signed {
            i128::from(value as i64)
        } else {
            i128::from(value)
        })
    }

    /// The truth of a constant scalar.
    pub(super) fn constant_truth(&self, expression: &hir::Expression) -> Option<bool> {
        match &expression.kind {
            ExpressionKind::Integer(value) if !self.is_unknown(expression.ty) => Some(*value != 0),
            ExpressionKind::Float(value) => Some(*value != 0.0),
            ExpressionKind::Str(bytes) => Some(!bytes.is_empty()),
            ExpressionKind::EmptyPath => Some(false),
            _ => None,
        }
    }

    /// Checks an expression that must be an integer constant; an option counts with its value.
    /// `None` after an error.
    pub(super) fn constant_integer(&mut self, expression: &ast::Expression) -> Option<i128> {
        let ty = match self.integer_or_type(expression)? {
            Ok(constant) => return Some(constant),
            Err(ty) => ty,
        };
        self.error(
            expression.span,
            "this must be an integer constant",
            match self.class(ty) {
                class if class.is_integer() => "its value is not known here".to_owned(),
                _ => format!("this is {}", self.quoted(ty)),
            },
        );
        None
    }

    /// The value of an expression that is an integer constant, an option counting with its value; else its type. `None`
    /// after an error.
    pub(super) fn integer_or_type(
        &mut self,
        expression: &ast::Expression,
    ) -> Option<Result<i128, TypeId>> {
        let value = self.value(expression);
        if self.is_unknown(value.ty) {
            return None;
        }
        let value = self.with_option_values(value);
        let constant = self.constant_of(&value);
        let constant = constant.filter(|_| self.class(value.ty).is_integer());
        Some(constant.ok_or(value.ty))
    }

    /// The value of a name that is an enumerator or an option, as the length of an array.
    pub(super) fn named_constant(&mut self, name: &ast::Name) -> Option<i64> {
        if !self.is_known_value(name) {
            return None;
        }
        let operand = self.name_operand(name);
        let value = self.rvalue(operand);
        let value = self.with_option_values(value);
        self.constant_of(&value)
            .and_then(|value| i64::try_from(value).ok())
    }

    /// Options are known before anything is checked: the expression with their values in place,
    /// folded as far as that goes.
    pub(super) fn with_option_values(&mut self, expression: hir::Expression) -> hir::Expression {
        let hir::Expression { kind, ty, span } = expression;
        match kind {
            ExpressionKind::Load(place) => {
                if let hir::PlaceKind::Global(id) = place.kind
                    && let Some(value) = self.option_constant(id, span)
                {
                    return value;
                }
                if let hir::PlaceKind::Index { base, index, .. } = &place.kind
                    && let Some(value) = self.range_end(base, index, ty, span)
                {
                    return value;
                }
                hir::Expression {
                    kind: ExpressionKind::Load(place),
                    ty,
                    span,
                }
            }
            ExpressionKind::Arithmetic(operator, left, right) => {
                let left = self.with_option_values(*left);
                let right = self.with_option_values(*right);
                self.fold_arithmetic(operator, left, right, ty, span)
            }
            ExpressionKind::Compare(operator, left, right) => {
                let left = self.with_option_values(*left);
                let right = self.with_option_values(*right);
                self.fold_compare(operator, left, right, span)
            }
            ExpressionKind::Not(operand) => {
                let operand = self.with_option_values(*operand);
                self.fold_not(operand, span)
            }
            ExpressionKind::Unary(operator, operand) => {
                let operand = self.with_option_values(*operand);
                self.fold_unary(operator, operand, span)
            }
            ExpressionKind::Convert(_, operand) => {
                let operand = self.with_option_values(*operand);
                self.convert(operand, ty)
            }
            ExpressionKind::Logical { and, left, right } => {
                let left = self.with_option_values(*left);
                let right = self.with_option_values(*right);
                self.fold_logical(and, left, right, span)
            }
            ExpressionKind::Conditional(condition, then, otherwise) => {
                let condition = self.with_option_values(*condition);
                let then = self.with_option_values(*then);
                let otherwise = self.with_option_values(*otherwise);
                match self.constant_truth(&condition) {
                    Some(true) => then,
                    Some(false) => otherwise,
                    None => hir::Expression {
                        kind: ExpressionKind::Conditional(
                            Box::new(condition),
                            Box::new(then),
                            Box::new(otherwise),
                        ),
                        ty,
                        span,
                    },
                }
            }
            kind => hir::Expression { kind, ty, span },
        }
    }

    /// The option that an expression computes with, as on the command line, and where it is declared.
    pub(super) fn option_in(&self, expression: &hir::Expression) -> Option<(String, Span)> {
        match &expression.kind {
            ExpressionKind::Load(place) => {
                let hir::PlaceKind::Global(id) = place.kind else {
                    return None;
                };
                let option = self.options.iter().find(|option| option.global == id)?;
                let place = self.globals.get(id.0 as usize)?.span;
                Some((option.name.replace('_', "-"), place))
            }
            ExpressionKind::Convert(_, operand) | ExpressionKind::Unary(_, operand) => {
                self.option_in(operand)
            }
            ExpressionKind::Arithmetic(_, left, right) => {
                self.option_in(left).or_else(|| self.option_in(right))
            }
            _ => None,
        }
    }

    /// What is to be said of an option that must be above 0.
    pub(super) fn option_to_change(&self, expression: &hir::Expression) -> Option<String> {
        let (name, _) = self.option_in(expression)?;
        Some(format!(
            "it is the option --{name}: give it a number above 0"
        ))
    }

    /// The value of an option's global as a constant.
    fn option_constant(&self, id: hir::GlobalId, span: Span) -> Option<hir::Expression> {
        let option = self.options.iter().find(|option| option.global == id)?;
        let ty = self.globals.get(id.0 as usize)?.ty;
        let kind = match &option.value {
            hir::OptionValue::Integer(value) => ExpressionKind::Integer(*value as u64),
            hir::OptionValue::Float(value) => ExpressionKind::Float(*value),
            hir::OptionValue::Str(bytes) => ExpressionKind::Str(bytes.clone()),
            hir::OptionValue::Range { .. } => return None,
        };
        Some(hir::Expression { kind, ty, span })
    }

    /// An end of an option that is a range, as a constant.
    fn range_end(
        &self,
        base: &hir::Place,
        index: &hir::Expression,
        ty: TypeId,
        span: Span,
    ) -> Option<hir::Expression> {
        let (hir::PlaceKind::Global(id), ExpressionKind::Integer(index)) =
            (&base.kind, &index.kind)
        else {
            return None;
        };
        let option = self.options.iter().find(|option| option.global == *id)?;
        let hir::OptionValue::Range {
            least, greatest, ..
        } = option.value
        else {
            return None;
        };
        let value = match *index {
            0 => least,
            1 => greatest,
            _ => return None,
        };
        let kind = ExpressionKind::Integer(value as u64);
        Some(hir::Expression { kind, ty, span })
    }

    /// Arithmetic on two operands of type `ty`, computed if both are constants.
    pub(super) fn fold_arithmetic(
        &self,
        operator: ArithmeticOperator,
        left: hir::Expression,
        right: hir::Expression,
        ty: TypeId,
        span: Span,
    ) -> hir::Expression {
        let constant = match (&left.kind, &right.kind) {
            (ExpressionKind::Integer(a), ExpressionKind::Integer(b)) => self
                .integer_shape(ty)
                .and_then(|(size, signed)| arithmetic(operator, *a, *b, size, signed))
                .map(ExpressionKind::Integer),
            (ExpressionKind::Float(a), ExpressionKind::Float(b))
                if self.class(ty) == Class::Float(8) =>
            {
                match operator {
                    ArithmeticOperator::Add => Some(a + b),
                    ArithmeticOperator::Subtract => Some(a - b),
                    ArithmeticOperator::Multiply => Some(a * b),
                    ArithmeticOperator::Divide => Some(a / b),
                    _ => None,
                }
                .map(ExpressionKind::Float)
            }
            _ => None,
        };
        let kind = constant.unwrap_or_else(|| {
            ExpressionKind::Arithmetic(operator, Box::new(left), Box::new(right))
        });
        hir::Expression { kind, ty, span }
    }

    /// A comparison of two operands of one type, computed if both are constants.
    pub(super) fn fold_compare(
        &self,
        operator: CompareOperator,
        left: hir::Expression,
        right: hir::Expression,
        span: Span,
    ) -> hir::Expression {
        let ordering = match (&left.kind, &right.kind) {
            (ExpressionKind::Integer(a), ExpressionKind::Integer(b)) => {
                match self.integer_shape(left.ty) {
                    Some((_, true)) => Some((*a as i64).cmp(&(*b as i64))),
                    Some((_, false)) => Some(a.cmp(b)),
                    None => None,
                }
            }
            (ExpressionKind::Str(a), ExpressionKind::Str(b)) => Some(a.cmp(b)),
            _ => None,
        };
        match ordering {
            Some(ordering) => self.int(i32::from(compare(operator, ordering)), span),
            None => hir::Expression {
                kind: ExpressionKind::Compare(operator, Box::new(left), Box::new(right)),
                ty: self.basics.int,
                span,
            },
        }
    }

    /// `!operand`, computed if it is a constant.
    pub(super) fn fold_not(&self, operand: hir::Expression, span: Span) -> hir::Expression {
        match self.constant_truth(&operand) {
            Some(truth) => self.int(i32::from(!truth), span),
            None => hir::Expression {
                kind: ExpressionKind::Not(Box::new(operand)),
                ty: self.basics.int,
                span,
            },
        }
    }

    /// `-operand` or `~operand` of promoted type, computed if it is a constant.
    pub(super) fn fold_unary(
        &self,
        operator: hir::UnaryOperator,
        operand: hir::Expression,
        span: Span,
    ) -> hir::Expression {
        let ty = operand.ty;
        let kind = match (&operand.kind, operator) {
            (ExpressionKind::Integer(value), _) => {
                let (size, signed) = self.integer_shape(ty).unwrap_or((8, true));
                let value = match operator {
                    hir::UnaryOperator::Negate => value.wrapping_neg(),
                    hir::UnaryOperator::Complement => !value,
                };
                ExpressionKind::Integer(wrap(value, size, signed))
            }
            (ExpressionKind::Float(value), hir::UnaryOperator::Negate) => {
                ExpressionKind::Float(-value)
            }
            _ => ExpressionKind::Unary(operator, Box::new(operand)),
        };
        hir::Expression { kind, ty, span }
    }

    /// `&&` or `||`, computed as far as the left side is a constant.
    pub(super) fn fold_logical(
        &self,
        and: bool,
        left: hir::Expression,
        right: hir::Expression,
        span: Span,
    ) -> hir::Expression {
        match (self.constant_truth(&left), self.constant_truth(&right)) {
            (Some(truth), _) if truth != and => self.int(i32::from(truth), span),
            (Some(_), Some(truth)) => self.int(i32::from(truth), span),
            _ => hir::Expression {
                kind: ExpressionKind::Logical {
                    and,
                    left: Box::new(left),
                    right: Box::new(right),
                },
                ty: self.basics.int,
                span,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_as_c_does_on_lp64() {
        assert_eq!(wrap(0x1_0000_0080, 1, true), (-128_i64) as u64);
        assert_eq!(wrap(0xffff_ffff, 4, true), u64::MAX);
        assert_eq!(wrap(0xffff_ffff, 4, false), 0xffff_ffff);
        assert_eq!(wrap(u64::MAX, 8, true), u64::MAX);
    }

    #[test]
    fn arithmetic_that_faults_is_no_constant() {
        use ArithmeticOperator as A;
        let min = i64::MIN as u64;
        assert_eq!(arithmetic(A::Divide, 1, 0, 4, true), None);
        assert_eq!(arithmetic(A::Remainder, 1, 0, 8, false), None);
        assert_eq!(arithmetic(A::ShiftLeft, 1, 32, 4, true), None);
        assert_eq!(arithmetic(A::ShiftRight, 1, u64::MAX, 4, true), None);
        assert_eq!(arithmetic(A::Divide, min, u64::MAX, 8, true), Some(min));
        assert_eq!(arithmetic(A::Remainder, min, u64::MAX, 8, true), Some(0));
    }
}
