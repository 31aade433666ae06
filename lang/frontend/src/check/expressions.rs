//! Expressions, by their kind.

use super::Checker;
use super::class::{Class, Operand};
use crate::ast::{self, ExpressionKind as Syntax};
use crate::hir::{self, ExpressionKind, PlaceKind};
use crate::source::Span;
use crate::types::{Type, TypeId};
use ytrace_values::Operation;

impl Checker<'_> {
    /// What an expression denotes.
    pub(super) fn operand(&mut self, expression: &ast::Expression) -> Operand {
        let span = expression.span;
        self.nested(
            span,
            |checker| checker.operand_of_kind(expression),
            |checker| checker.unknown_operand(span),
        )
    }

    fn operand_of_kind(&mut self, expression: &ast::Expression) -> Operand {
        let span = expression.span;
        let value = match &expression.kind {
            Syntax::Name(name) => return self.name_operand(name),
            Syntax::Index(base, indices) => return self.index(base, indices, span),
            Syntax::Member {
                object,
                arrow,
                member,
            } => return self.member(object, *arrow, member, span),
            Syntax::Unary(ast::UnaryOperator::Dereference, operand) => {
                return self.dereference(operand, span);
            }
            Syntax::Call(callee, arguments) => return self.call(callee, arguments, span),
            Syntax::Flat(parts) => return self.flat(parts),
            Syntax::Integer(literal) => self.integer_literal(*literal, span),
            Syntax::Float(value, single) => hir::Expression {
                kind: ExpressionKind::Float(if *single {
                    f64::from(*value as f32)
                } else {
                    *value
                }),
                ty: if *single {
                    self.basics.float
                } else {
                    self.basics.double
                },
                span,
            },
            Syntax::Character(value) => self.integer(*value as u64, self.basics.int, span),
            Syntax::String(bytes) => self.str_constant(bytes.clone(), span),
            Syntax::Regex(_) => {
                self.error_help(
                    span,
                    "a regular expression is not a value",
                    "it can only stand after `~~` and `!~~`",
                    "write `s ~~ rx/…/`",
                );
                self.unknown(span)
            }
            Syntax::Capture(number) => {
                if let Some(operand) = self.earlier_value(&format!("${number}"), span) {
                    return operand;
                }
                let number = self.integer(u64::from(*number), self.basics.int, span);
                self.operation(
                    Operation::StrCapture,
                    vec![number],
                    self.basics.string,
                    span,
                )
            }
            Syntax::Unary(operator, operand) => self.unary(*operator, operand, span),
            Syntax::Step {
                increment,
                prefix,
                operand,
            } => self.step(*increment, *prefix, operand, span),
            Syntax::Binary(operator, left, right) => self.binary(*operator, left, right, span),
            Syntax::Conditional(condition, then, otherwise) => {
                self.conditional(condition, then.as_deref(), otherwise, span)
            }
            Syntax::Assign(operator, place, value) => self.assign(*operator, place, value, span),
            Syntax::AggregateAdd(aggregate, value) => self.aggregate_add(aggregate, value, span),
            Syntax::Comma(left, right) => self.comma(left, right, span),
            Syntax::Cast(ty, operand) => self.cast(ty, operand, span),
            Syntax::CompoundLiteral(ty, items) => self.compound_literal(ty, items, span),
            Syntax::Sizeof(argument) => self.size_expression(argument, span),
            Syntax::Offsetof(ty, designators) => self.offset_expression(ty, designators, span),
            Syntax::ContainerOf(pointer, ty, designators) => {
                self.container_of(pointer, ty, designators, span)
            }
            Syntax::In(keys, table) => self.key_in(keys, table, span),
            Syntax::Match {
                subject,
                pattern,
                negated,
            } => self.regex_match(subject, pattern, *negated, span),
            Syntax::Error => self.unknown(span),
        };
        Operand::Value(value)
    }

    /// An operation on scalars.
    pub(super) fn operation(
        &self,
        operation: Operation,
        arguments: Vec<hir::Expression>,
        ty: TypeId,
        span: Span,
    ) -> hir::Expression {
        hir::Expression {
            kind: ExpressionKind::Operation(operation, arguments),
            ty,
            span,
        }
    }

    /// A chain whose tree depends on which names are types.
    fn flat(&mut self, parts: &[ast::FlatPart]) -> Operand {
        let tree = crate::flat::resolve(parts, &mut |name| self.find_named_type(name).is_some());
        self.operand(&tree)
    }

    /// The type that C gives a literal on LP64.
    fn integer_literal(&mut self, literal: ast::IntegerLiteral, span: Span) -> hir::Expression {
        let basics = self.basics;
        let value = literal.value;
        let fits_int = value <= i32::MAX as u64;
        let fits_unsigned = value <= u64::from(u32::MAX);
        let fits_long = value <= i64::MAX as u64;
        let ty = match (literal.longs, literal.unsigned) {
            (0, false) if fits_int => basics.int,
            (0, false) if !literal.decimal && fits_unsigned => basics.unsigned_int,
            (0, true) if fits_unsigned => basics.unsigned_int,
            (0 | 1, false) if fits_long => basics.long,
            (0 | 1, _) => basics.unsigned_long,
            (_, false) if fits_long => basics.long_long,
            _ => basics.unsigned_long_long,
        };
        self.integer(value, ty, span)
    }

    fn unary(
        &mut self,
        operator: ast::UnaryOperator,
        operand: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let hir_operator = match operator {
            ast::UnaryOperator::AddressOf => return self.address_expression(operand, span),
            ast::UnaryOperator::Dereference => {
                let operand = self.dereference(operand, span);
                return self.rvalue(operand);
            }
            ast::UnaryOperator::Not => {
                let value = self.condition(operand);
                if self.is_unknown(value.ty) {
                    return self.unknown(span);
                }
                return self.fold_not(value, span);
            }
            ast::UnaryOperator::Plus => None,
            ast::UnaryOperator::Negate => Some(hir::UnaryOperator::Negate),
            ast::UnaryOperator::Complement => Some(hir::UnaryOperator::Complement),
        };
        let value = self.value(operand);
        let class = self.class(value.ty);
        let fits = class.is_integer()
            || matches!(class, Class::Float(_)) && operator != ast::UnaryOperator::Complement;
        if !fits {
            if class != Class::Unknown {
                let sign = match operator {
                    ast::UnaryOperator::Complement => "~",
                    ast::UnaryOperator::Plus => "+",
                    _ => "-",
                };
                self.error(
                    value.span,
                    format!("`{sign}` needs a number"),
                    format!("this is {}", self.quoted(value.ty)),
                );
            }
            return self.unknown(span);
        }
        let mut value = self.promote(value);
        value.span = span;
        match hir_operator {
            Some(operator) => self.fold_unary(operator, value, span),
            None => value,
        }
    }

    /// `&operand`.
    fn address_expression(&mut self, operand: &ast::Expression, span: Span) -> hir::Expression {
        if let Syntax::Name(name) = &operand.kind
            && name.prefix.is_none()
            && matches!(
                self.script.ordinary.get(name.text.as_str()),
                Some((super::script::Ordinary::Function(_), _))
            )
        {
            self.error(
                span,
                format!("`{}` is a function of the script", name.text),
                "it has no address in the target",
            );
            return self.unknown(span);
        }
        let place = match self.operand(operand) {
            Operand::Place(place) => place,
            Operand::Value(value) if self.is_unknown(value.ty) => return self.unknown(span),
            Operand::Value(_) => {
                self.error(
                    span,
                    "`&` needs a variable or a member of the target",
                    "this is a value without a place",
                );
                return self.unknown(span);
            }
            Operand::Container(_) => {
                self.tracer_address(span);
                return self.unknown(span);
            }
        };
        if self.is_unknown(place.ty) {
            return self.unknown(span);
        }
        if !Self::in_target(&place) {
            self.tracer_address(span);
            return self.unknown(span);
        }
        if let PlaceKind::Member { bits: Some(_), .. } = &place.kind {
            self.error(span, "a bit-field has no address", "this is a bit-field");
            return self.unknown(span);
        }
        let pointer = self.types.intern(Type::Pointer(place.ty));
        let mut address = self.address_of(place, pointer);
        address.span = span;
        address
    }

    fn tracer_address(&mut self, span: Span) {
        self.error_help(
            span,
            "a variable of the script has no address",
            "this lives in the tracer; pointers point into the target",
            "pass tables and arrays themselves (they go by reference), return structs by value",
        );
    }

    fn step(
        &mut self,
        increment: bool,
        prefix: bool,
        operand: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let Some(place) = self.writable(operand) else {
            return self.unknown(span);
        };
        let amount = match self.class(place.ty) {
            Class::Bool | Class::Integer { .. } | Class::Enum(_) | Class::Float(_) => 1,
            Class::Pointer(target) => match self.pointee_size(target, span) {
                Some(size) => size,
                None => return self.unknown(span),
            },
            Class::Unknown => return self.unknown(span),
            _ => {
                self.error(
                    span,
                    "`++` and `--` need a number or a pointer",
                    format!("this is {}", self.quoted(place.ty)),
                );
                return self.unknown(span);
            }
        };
        hir::Expression {
            ty: place.ty,
            span,
            kind: ExpressionKind::Step {
                amount: if increment { amount } else { -amount },
                postfix: !prefix,
                place: Box::new(place),
            },
        }
    }

    /// The distance in bytes between neighbours that a pointer to `target` walks over.
    pub(super) fn pointee_size(&mut self, target: TypeId, span: Span) -> Option<i64> {
        match self.class(target) {
            Class::Unknown => return None,
            // As GNU C has it.
            Class::Void | Class::Function => return Some(1),
            _ => {}
        }
        let size = self
            .size_of(target)
            .and_then(|size| i64::try_from(size).ok());
        if size.is_none() {
            self.error_help(
                span,
                format!("the size of {} is not known", self.quoted(target)),
                "so no arithmetic is possible on a pointer to it",
                "cast to `char *` to count in bytes",
            );
        }
        size
    }

    fn conditional(
        &mut self,
        condition: &ast::Expression,
        then: Option<&ast::Expression>,
        otherwise: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let condition = self.condition(condition);
        let unknown = self.is_unknown(condition.ty);
        let Some(then) = then else {
            let otherwise = self.value(otherwise);
            let (left, right, ty) = self.unify(condition, otherwise, span);
            if unknown || self.is_unknown(ty) {
                return self.unknown(span);
            }
            return hir::Expression {
                kind: ExpressionKind::OrElse(Box::new(left), Box::new(right)),
                ty,
                span,
            };
        };
        let then = self.value(then);
        let otherwise = self.value(otherwise);
        let (then, otherwise, ty) = self.unify(then, otherwise, span);
        if unknown || self.is_unknown(ty) {
            return self.unknown(span);
        }
        match self.constant_truth(&condition) {
            Some(true) => hir::Expression { span, ..then },
            Some(false) => hir::Expression { span, ..otherwise },
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

    /// Two values brought to one type, as the arms of `?:` are.
    fn unify(
        &mut self,
        left: hir::Expression,
        right: hir::Expression,
        span: Span,
    ) -> (hir::Expression, hir::Expression, TypeId) {
        let unknown = self.basics.unknown;
        let (left_class, right_class) = (self.class(left.ty), self.class(right.ty));
        let null = |value: &hir::Expression| matches!(value.kind, ExpressionKind::Integer(0));
        match (left_class, right_class) {
            (Class::Unknown, _) | (_, Class::Unknown) => return (left, right, unknown),
            (a, b) if a.is_arithmetic() && b.is_arithmetic() => return self.usual(left, right),
            (Class::Pointer(_), b) if b.is_integer() && null(&right) => {
                let ty = left.ty;
                let right = self.convert(right, ty);
                return (left, right, ty);
            }
            (a, Class::Pointer(_)) if a.is_integer() && null(&left) => {
                let ty = right.ty;
                let left = self.convert(left, ty);
                return (left, right, ty);
            }
            (Class::Pointer(a), Class::Pointer(b)) => {
                // `void *` gives way to the null constant's other side, else wins, as in C.
                let ty = if self.same_type(a, b) || null(&right) {
                    left.ty
                } else if null(&left) {
                    right.ty
                } else {
                    self.basics.void_pointer
                };
                let left = self.convert(left, ty);
                let right = self.convert(right, ty);
                return (left, right, ty);
            }
            // `name ? name : "none"`: with a literal at hand, text is what is meant.
            (Class::Pointer(target), Class::Str)
                if self.is_character(target) && is_literal_text(&right) =>
            {
                let left = self.text_at(left);
                return (left, right, self.basics.string);
            }
            (Class::Str, Class::Pointer(target))
                if self.is_character(target) && is_literal_text(&left) =>
            {
                let right = self.text_at(right);
                return (left, right, self.basics.string);
            }
            (Class::Pointer(_), Class::Str) | (Class::Str, Class::Pointer(_)) => {
                self.error_help(
                    span,
                    "one arm is an address in the target, the other a string of the tracer",
                    "the two need one type",
                    "copy the target's text with `_tostr(p)`",
                );
                return (left, right, unknown);
            }
            (Class::Void, Class::Void) => {
                let ty = self.basics.void;
                return (left, right, ty);
            }
            _ if self.same_type(left.ty, right.ty) => {
                let ty = left.ty;
                return (left, hir::Expression { ty, ..right }, ty);
            }
            _ => {}
        }
        self.error(
            span,
            "the two arms have no common type",
            format!(
                "one is {}, the other {}",
                self.quoted(left.ty),
                self.quoted(right.ty)
            ),
        );
        (left, right, unknown)
    }

    fn comma(
        &mut self,
        left: &ast::Expression,
        right: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let left = self.value(left);
        let right = self.value(right);
        if self.is_unknown(left.ty) || self.is_unknown(right.ty) {
            return self.unknown(span);
        }
        hir::Expression {
            ty: right.ty,
            span,
            kind: ExpressionKind::Comma(Box::new(left), Box::new(right)),
        }
    }

    fn cast(
        &mut self,
        ty: &ast::TypeName,
        operand: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let to = self.type_name(ty);
        let mut value = self.value(operand);
        value.span = span;
        let (from_class, to_class) = (self.class(value.ty), self.class(to));
        let help = match (from_class, to_class) {
            (Class::Unknown, _) | (_, Class::Unknown) => return self.unknown(span),
            (_, Class::Void) => {
                // `(void) f();` says that the value is not wanted.
                let zero = self.int(0, span);
                return hir::Expression {
                    kind: ExpressionKind::Comma(Box::new(value), Box::new(zero)),
                    ty: to,
                    span,
                };
            }
            (a, b) if a.is_arithmetic() && b.is_arithmetic() => return self.convert(value, to),
            (Class::Pointer(_), b) if b.is_integer() => return self.convert(value, to),
            (a, Class::Pointer(_)) if a.is_integer() => {
                // As C does: the integer is widened by its own sign first.
                return self.convert(value, to);
            }
            (Class::Pointer(from), Class::Pointer(into)) => {
                if self.refuse_moved(from, into, "a cast", span) {
                    return self.unknown(span);
                }
                return self.convert(value, to);
            }
            (Class::Str, Class::Str) | (Class::Path, Class::Path) => return value,
            (Class::Str | Class::Path, Class::Bool) => return self.convert(value, to),
            (Class::Str, Class::Path) => {
                let empty = hir::Expression {
                    kind: ExpressionKind::EmptyPath,
                    ty: to,
                    span,
                };
                return self.operation(Operation::PathAppendStr, vec![empty, value], to, span);
            }
            (Class::Str, Class::Pointer(_)) => return self.assign_to(value, to, "the operand"),
            (Class::Record(_), Class::Record(_)) if self.same_type(value.ty, to) => {
                return hir::Expression { ty: to, ..value };
            }
            (Class::Pointer(_), Class::Str) => "write `_tostr(p)` to copy text of the target",
            (a, Class::Str) if a.is_arithmetic() => "write `_tostr(n)`",
            (Class::Str, b) if b.is_arithmetic() => "write `_strtol(s, 10)`",
            (Class::Record(_), _) | (_, Class::Record(_)) => {
                "to look at memory as another type, cast its address: `*(T *) &x`"
            }
            _ => "",
        };
        let message = format!(
            "{} cannot be cast to {}",
            self.quoted(value.ty),
            self.quoted(to)
        );
        if help.is_empty() {
            self.error(span, message, "no such conversion exists");
        } else {
            self.error_help(span, message, "no such conversion exists", help);
        }
        self.unknown(span)
    }
}

/// Whether it is a string literal, or a choice between some.
fn is_literal_text(value: &hir::Expression) -> bool {
    match &value.kind {
        ExpressionKind::Str(_) => true,
        ExpressionKind::Conditional(_, then, otherwise) => {
            is_literal_text(then) && is_literal_text(otherwise)
        }
        _ => false,
    }
}
