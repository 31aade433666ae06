//! Infix operators and assignment.

use super::Checker;
use super::class::{Class, Operand};
use crate::ast;
use crate::hir::{self, ArithmeticOperator, CompareOperator, ExpressionKind, PlaceKind};
use crate::source::Span;
use crate::types::TypeId;
use ytrace_values::Operation;

/// What an infix operator is in the typed program.
enum Infix {
    Arithmetic(ArithmeticOperator),
    Compare(CompareOperator),
    Logical { and: bool },
}

fn infix(operator: ast::BinaryOperator) -> Infix {
    use ast::BinaryOperator as B;
    match operator {
        B::Multiply => Infix::Arithmetic(ArithmeticOperator::Multiply),
        B::Divide => Infix::Arithmetic(ArithmeticOperator::Divide),
        B::Remainder => Infix::Arithmetic(ArithmeticOperator::Remainder),
        B::Add => Infix::Arithmetic(ArithmeticOperator::Add),
        B::Subtract => Infix::Arithmetic(ArithmeticOperator::Subtract),
        B::ShiftLeft => Infix::Arithmetic(ArithmeticOperator::ShiftLeft),
        B::ShiftRight => Infix::Arithmetic(ArithmeticOperator::ShiftRight),
        B::And => Infix::Arithmetic(ArithmeticOperator::And),
        B::Or => Infix::Arithmetic(ArithmeticOperator::Or),
        B::Xor => Infix::Arithmetic(ArithmeticOperator::Xor),
        B::Less => Infix::Compare(CompareOperator::Less),
        B::LessEqual => Infix::Compare(CompareOperator::LessEqual),
        B::Greater => Infix::Compare(CompareOperator::Greater),
        B::GreaterEqual => Infix::Compare(CompareOperator::GreaterEqual),
        B::Equal => Infix::Compare(CompareOperator::Equal),
        B::NotEqual => Infix::Compare(CompareOperator::NotEqual),
        B::LogicalAnd => Infix::Logical { and: true },
        B::LogicalOr => Infix::Logical { and: false },
    }
}

/// How an operator is written.
pub(super) fn symbol(operator: ArithmeticOperator) -> &'static str {
    match operator {
        ArithmeticOperator::Add => "+",
        ArithmeticOperator::Subtract => "-",
        ArithmeticOperator::Multiply => "*",
        ArithmeticOperator::Divide => "/",
        ArithmeticOperator::Remainder => "%",
        ArithmeticOperator::And => "&",
        ArithmeticOperator::Or => "|",
        ArithmeticOperator::Xor => "^",
        ArithmeticOperator::ShiftLeft => "<<",
        ArithmeticOperator::ShiftRight => ">>",
    }
}

/// Whether an operator takes integers only.
fn integers_only(operator: ArithmeticOperator) -> bool {
    !matches!(
        operator,
        ArithmeticOperator::Add
            | ArithmeticOperator::Subtract
            | ArithmeticOperator::Multiply
            | ArithmeticOperator::Divide
    )
}

fn is_shift(operator: ArithmeticOperator) -> bool {
    matches!(
        operator,
        ArithmeticOperator::ShiftLeft | ArithmeticOperator::ShiftRight
    )
}

impl Checker<'_> {
    pub(super) fn binary(
        &mut self,
        operator: ast::BinaryOperator,
        left: &ast::Expression,
        right: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let operator = infix(operator);
        if let Infix::Logical { and } = operator {
            let left = self.condition(left);
            let right = self.condition(right);
            if self.is_unknown(left.ty) || self.is_unknown(right.ty) {
                return self.unknown(span);
            }
            return self.fold_logical(and, left, right, span);
        }
        let left = self.value(left);
        let right = self.value(right);
        if self.is_unknown(left.ty) || self.is_unknown(right.ty) {
            return self.unknown(span);
        }
        match operator {
            Infix::Compare(operator) => self.compare(operator, left, right, span),
            Infix::Arithmetic(operator) => self.arithmetic(operator, left, right, span),
            Infix::Logical { .. } => self.unknown(span),
        }
    }

    /// An arithmetic operator on two values, neither of unknown type.
    fn arithmetic(
        &mut self,
        operator: ArithmeticOperator,
        left: hir::Expression,
        right: hir::Expression,
        span: Span,
    ) -> hir::Expression {
        use ArithmeticOperator::{Add, Divide, Subtract};
        match (self.class(left.ty), self.class(right.ty)) {
            (a, b) if a.is_integer() && b.is_integer() && is_shift(operator) => {
                let left = self.promote(left);
                let right = self.promote(right);
                self.warn_shift(&left, &right);
                let ty = left.ty;
                self.fold_arithmetic(operator, left, right, ty, span)
            }
            (a, b)
                if a.is_arithmetic()
                    && b.is_arithmetic()
                    && (!integers_only(operator) || a.is_integer() && b.is_integer()) =>
            {
                let (left, right, ty) = self.usual(left, right);
                self.warn_division(operator, &right);
                self.fold_arithmetic(operator, left, right, ty, span)
            }
            (Class::Pointer(target), b) if b.is_integer() && matches!(operator, Add | Subtract) => {
                self.pointer_add(left, target, right, operator == Subtract, span)
            }
            (a, Class::Pointer(target)) if a.is_integer() && operator == Add => {
                self.pointer_add(right, target, left, false, span)
            }
            (Class::Pointer(target), Class::Pointer(other)) if operator == Subtract => {
                self.pointer_difference(left, target, right, other, span)
            }
            (Class::Str, Class::Str) if operator == Add => {
                if let (ExpressionKind::Str(a), ExpressionKind::Str(b)) = (&left.kind, &right.kind)
                {
                    let joined = [a.as_slice(), b.as_slice()].concat();
                    return self.str_constant(joined, span);
                }
                self.operation(
                    Operation::StrConcat,
                    vec![left, right],
                    self.basics.string,
                    span,
                )
            }
            (Class::Path, _) if operator == Divide => match self.path_operation(&right) {
                Some(operation) => {
                    self.operation(operation, vec![left, right], self.basics.path, span)
                }
                None => self.unknown(span),
            },
            _ => self.no_operator(symbol(operator), &left, &right, span),
        }
    }

    /// The operation that appends a value to a path; `None` after an error.
    fn path_operation(&mut self, value: &hir::Expression) -> Option<Operation> {
        let help = match self.class(value.ty) {
            Class::Str => return Some(Operation::PathAppendStr),
            Class::Path => return Some(Operation::PathAppendPath),
            Class::Pointer(target) if self.is_character(target) => {
                "text of the target is copied by `_tostr(p)`; for a code address cast to `void *`"
            }
            Class::Pointer(_) => return Some(Operation::PathAppendCode),
            Class::Unknown => return None,
            class if class.is_arithmetic() => {
                "write `_tostr(n)` for its digits, or cast to `void *` for a code address"
            }
            _ => "a frame is a string, a code address, or a path",
        };
        self.error_help(
            value.span,
            "this cannot be a frame of a path",
            format!("this is {}", self.quoted(value.ty)),
            help,
        );
        None
    }

    fn no_operator(
        &mut self,
        symbol: &str,
        left: &hir::Expression,
        right: &hir::Expression,
        span: Span,
    ) -> hir::Expression {
        let message = format!(
            "no `{symbol}` between {} and {}",
            self.quoted(left.ty),
            self.quoted(right.ty)
        );
        let classes = (self.class(left.ty), self.class(right.ty));
        let help = match classes {
            (Class::Str, Class::Pointer(_)) | (Class::Pointer(_), Class::Str) => {
                "text of the target becomes a string by `_tostr(p)`"
            }
            (Class::Str, b) if symbol == "+" && b.is_arithmetic() => {
                "a number becomes a string by `_tostr(n)`"
            }
            (a, Class::Str) if symbol == "+" && a.is_arithmetic() => {
                "a number becomes a string by `_tostr(n)`"
            }
            (Class::Path, _) if symbol == "+" => "a path is extended by `/`: `p / x`",
            (Class::Str, _) if symbol == "/" => {
                "paths are extended by `/`; a string is no path (`_path p; … p / s`)"
            }
            (Class::Pointer(_), b) if b.is_integer() => {
                "cast the pointer to `uintptr_t` to compute with its bits"
            }
            _ => "",
        };
        if help.is_empty() {
            self.error(span, message, "these do not go together");
        } else {
            self.error_help(span, message, "these do not go together", help);
        }
        self.unknown(span)
    }

    fn warn_shift(&mut self, left: &hir::Expression, right: &hir::Expression) {
        let Some(amount) = self.constant_of(right) else {
            return;
        };
        let bits = self
            .integer_shape(left.ty)
            .map_or(64, |(size, _)| i128::from(size) * 8);
        if amount < 0 || amount >= bits {
            self.warning(
                right.span,
                "this shift always faults",
                format!("the left side has {bits} bits"),
            );
        }
    }

    fn warn_division(&mut self, operator: ArithmeticOperator, right: &hir::Expression) {
        let divides = matches!(
            operator,
            ArithmeticOperator::Divide | ArithmeticOperator::Remainder
        );
        if divides && self.constant_of(right) == Some(0) {
            self.warning(right.span, "this division always faults", "this is zero");
        }
    }

    fn pointer_add(
        &mut self,
        pointer: hir::Expression,
        target: TypeId,
        index: hir::Expression,
        subtract: bool,
        span: Span,
    ) -> hir::Expression {
        let Some(size) = self.pointee_size(target, span) else {
            return self.unknown(span);
        };
        let scale = if subtract { -size } else { size };
        let index = self.index_value(index);
        let ty = pointer.ty;
        self.offset_pointer(pointer, index, scale, ty, span)
    }

    /// `pointer + index * scale` as a pointer of type `ty`, folded where possible.
    pub(super) fn offset_pointer(
        &mut self,
        pointer: hir::Expression,
        index: hir::Expression,
        scale: i64,
        ty: TypeId,
        span: Span,
    ) -> hir::Expression {
        if self.is_unknown(index.ty) || self.is_unknown(pointer.ty) {
            return self.unknown(span);
        }
        match (&pointer.kind, &index.kind) {
            (ExpressionKind::Integer(base), ExpressionKind::Integer(index)) => {
                let address = base.wrapping_add(index.wrapping_mul(scale as u64));
                self.integer(address, ty, span)
            }
            (_, ExpressionKind::Integer(0)) => {
                let mut pointer = self.convert(pointer, ty);
                pointer.span = span;
                pointer
            }
            _ => hir::Expression {
                kind: ExpressionKind::PointerAdd {
                    pointer: Box::new(pointer),
                    index: Box::new(index),
                    scale,
                },
                ty,
                span,
            },
        }
    }

    fn pointer_difference(
        &mut self,
        left: hir::Expression,
        target: TypeId,
        right: hir::Expression,
        other: TypeId,
        span: Span,
    ) -> hir::Expression {
        let characters = self.is_character(target) && self.is_character(other);
        let free = self.class(target) == Class::Void || self.class(other) == Class::Void;
        if !characters && !free && !self.same_type(target, other) {
            self.error_help(
                span,
                "the difference of pointers to different types",
                format!("{} and {}", self.quoted(left.ty), self.quoted(right.ty)),
                "cast both to `char *` to count in bytes",
            );
            return self.unknown(span);
        }
        let Some(scale) = self.pointee_size(target, span) else {
            return self.unknown(span);
        };
        let Some(scale) = u64::try_from(scale).ok().filter(|scale| *scale > 0) else {
            self.error(
                span,
                "the elements have no size, so they cannot be counted",
                format!("{} takes no bytes", self.quoted(target)),
            );
            return self.unknown(span);
        };
        hir::Expression {
            kind: ExpressionKind::PointerDifference {
                left: Box::new(left),
                right: Box::new(right),
                scale,
            },
            ty: self.basics.difference,
            span,
        }
    }

    /// The place of an expression that is written to; `None` after an error.
    pub(super) fn writable(&mut self, expression: &ast::Expression) -> Option<hir::Place> {
        let operand = self.operand(expression);
        self.writable_operand(operand, expression.span)
    }

    fn writable_operand(&mut self, operand: Operand, span: Span) -> Option<hir::Place> {
        match operand {
            Operand::Place(place) if self.is_unknown(place.ty) => None,
            Operand::Place(place) if Self::in_target(&place) => {
                self.error_help(
                    span,
                    "a probe file cannot write to the target",
                    "this is memory of the target, which is only ever read",
                    "keep what is computed in a variable of the script",
                );
                None
            }
            Operand::Place(place) if Self::is_temporary(&place) => {
                self.error(
                    span,
                    "only a variable can be assigned to",
                    "this is a value without a place",
                );
                None
            }
            Operand::Place(place) => {
                if self.is_option(&place) {
                    self.error_help(
                        span,
                        "an option cannot be assigned to",
                        "its value comes from the command line",
                        "copy it to a variable first",
                    );
                    return None;
                }
                Some(place)
            }
            Operand::Value(value) => {
                let is_byte = matches!(
                    &value.kind,
                    ExpressionKind::Operation(Operation::StrIndex, _)
                );
                if is_byte {
                    self.error_help(
                        span,
                        "a `_str` never changes",
                        "this is a byte of one",
                        "make another: `s = \"A\" + _substr(s, 1, _len(s))`; an array of `char` can be written to",
                    );
                } else if !self.is_unknown(value.ty) {
                    self.error(
                        span,
                        "only a variable can be assigned to",
                        "this is a value without a place",
                    );
                }
                None
            }
            Operand::Container(container) => {
                self.error_help(
                    span,
                    "containers are never assigned",
                    format!("this is {}", self.quoted(container.ty)),
                    "assign to an element `[k]`; `_push(a, v)` appends; `_clear(a)` empties",
                );
                None
            }
        }
    }

    /// Whether a place is a part of a value that lies nowhere.
    fn is_temporary(place: &hir::Place) -> bool {
        let mut place = place;
        loop {
            match &place.kind {
                PlaceKind::Value(_) => return true,
                PlaceKind::Member { base, .. } | PlaceKind::Index { base, .. } => place = base,
                _ => return false,
            }
        }
    }

    fn is_option(&self, place: &hir::Place) -> bool {
        matches!(place.kind, PlaceKind::Global(id)
            if self.options.iter().any(|option| option.global == id))
    }

    pub(super) fn assign(
        &mut self,
        operator: Option<ast::BinaryOperator>,
        target: &ast::Expression,
        value: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let place = self.writable(target);
        let value = self.value(value);
        let Some(place) = place else {
            return self.unknown(span);
        };
        let Some(operator) = operator else {
            let what = format!("the value of `{}`", self.text(target.span));
            return self.store(place, value, &what, span);
        };
        match infix(operator) {
            Infix::Arithmetic(operator) if !self.is_unknown(value.ty) => {
                self.assign_arithmetic(operator, place, value, span)
            }
            _ => self.unknown(span),
        }
    }

    /// `place = value`.
    pub(super) fn store(
        &mut self,
        place: hir::Place,
        value: hir::Expression,
        what: &str,
        span: Span,
    ) -> hir::Expression {
        if matches!(self.class(place.ty), Class::Array(..)) && !self.is_unknown(value.ty) {
            self.error_help(
                span,
                "an array cannot be assigned as a whole",
                format!("this is {}", self.quoted(place.ty)),
                "assign its elements in a loop",
            );
            return self.unknown(span);
        }
        let value = self.assign_to(value, place.ty, what);
        if self.is_unknown(value.ty) {
            return self.unknown(span);
        }
        hir::Expression {
            ty: place.ty,
            span,
            kind: ExpressionKind::Assign(Box::new(place), Box::new(value)),
        }
    }

    fn assign_arithmetic(
        &mut self,
        operator: ArithmeticOperator,
        place: hir::Place,
        value: hir::Expression,
        span: Span,
    ) -> hir::Expression {
        use ArithmeticOperator::{Add, Divide, Subtract};
        let ty = place.ty;
        let current = hir::Expression {
            kind: ExpressionKind::Load(Box::new(place.clone())),
            ty,
            span,
        };
        let kind = match (self.class(ty), self.class(value.ty)) {
            (a, b) if is_shift(operator) && a.is_integer() && b.is_integer() => {
                let compute = self.promote(current).ty;
                let value = self.promote(value);
                ExpressionKind::AssignArithmetic {
                    place: Box::new(place),
                    operator,
                    compute,
                    value: Box::new(value),
                }
            }
            (a, b)
                if a.is_arithmetic()
                    && b.is_arithmetic()
                    && (!integers_only(operator) || a.is_integer() && b.is_integer()) =>
            {
                let (_, value, compute) = self.usual(current, value);
                self.warn_division(operator, &value);
                ExpressionKind::AssignArithmetic {
                    place: Box::new(place),
                    operator,
                    compute,
                    value: Box::new(value),
                }
            }
            (Class::Pointer(target), b) if b.is_integer() && matches!(operator, Add | Subtract) => {
                let Some(size) = self.pointee_size(target, span) else {
                    return self.unknown(span);
                };
                let value = self.index_value(value);
                ExpressionKind::AssignPointerAdd {
                    place: Box::new(place),
                    value: Box::new(value),
                    scale: if operator == Subtract { -size } else { size },
                }
            }
            (Class::Str, Class::Str) if operator == Add => ExpressionKind::AssignOperation {
                place: Box::new(place),
                operation: Operation::StrConcat,
                value: Box::new(value),
            },
            (Class::Path, _) if operator == Divide => match self.path_operation(&value) {
                Some(operation) => ExpressionKind::AssignOperation {
                    place: Box::new(place),
                    operation,
                    value: Box::new(value),
                },
                None => return self.unknown(span),
            },
            (Class::Unknown, _) => return self.unknown(span),
            _ => {
                let symbol = format!("{}=", symbol(operator));
                return self.no_operator(&symbol, &current, &value, span);
            }
        };
        hir::Expression { kind, ty, span }
    }
}
