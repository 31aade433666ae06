//! Values from operands, and conversions between types.

use super::Checker;
use super::class::{Class, Operand};
use super::constants::wrap;
use crate::ast;
use crate::diagnostics::Diagnostic;
use crate::hir::{self, Conversion, ExpressionKind, PlaceKind};
use crate::source::Span;
use crate::target::Scope;
use crate::types::{Type, TypeId};

impl Checker<'_> {
    /// The value of an expression: places are loaded, arrays and functions of the target become
    /// their addresses.
    pub(super) fn value(&mut self, expression: &ast::Expression) -> hir::Expression {
        let operand = self.operand(expression);
        self.rvalue(operand)
    }

    /// Whether a place lies in the target's memory.
    pub(super) fn in_target(place: &hir::Place) -> bool {
        let mut place = place;
        loop {
            match &place.kind {
                PlaceKind::Target(_) => return true,
                PlaceKind::Member { base, .. } | PlaceKind::Index { base, .. } => place = base,
                _ => return false,
            }
        }
    }

    /// The value of an operand.
    pub(super) fn rvalue(&mut self, operand: Operand) -> hir::Expression {
        let place = match operand {
            Operand::Value(value) => return value,
            Operand::Place(place) => place,
            Operand::Container(container) => {
                self.error_help(
                    container.span,
                    format!("{} is not a value", self.quoted(container.ty)),
                    "a container can be passed to functions, not copied or computed with",
                    "take an element `[k]`, or its size `_len(…)`",
                );
                return self.unknown(container.span);
            }
        };
        let span = place.span;
        match self.class(place.ty) {
            Class::Unknown => self.unknown(span),
            Class::Void => {
                let name = self.text(span);
                let mut help = format!("say what it is: `*(T *) &{name}`");
                // Why, and what would bring it.
                for reason in self.missing_types() {
                    help.push('\n');
                    help.push_str(&reason);
                }
                self.error_help(
                    span,
                    format!("there is no type information for `{name}`"),
                    "only its address is known",
                    help,
                );
                self.unknown(span)
            }
            Class::Array(element, _) if Self::in_target(&place) => {
                let pointer = self.types.intern(Type::Pointer(element));
                self.address_of(place, pointer)
            }
            Class::Function => {
                let pointer = self.types.intern(Type::Pointer(place.ty));
                self.address_of(place, pointer)
            }
            Class::Record(id) if !self.complete(id) => {
                self.error(
                    span,
                    format!("{} is incomplete", self.quoted(place.ty)),
                    "its size is not known",
                );
                self.unknown(span)
            }
            _ => hir::Expression {
                ty: place.ty,
                span,
                kind: ExpressionKind::Load(Box::new(place)),
            },
        }
    }

    /// The address of a place in the target, as a pointer of type `pointer`.
    pub(super) fn address_of(&mut self, place: hir::Place, pointer: TypeId) -> hir::Expression {
        let span = place.span;
        if let Some(address) = Self::constant_address(&place) {
            return self.integer(address, pointer, span);
        }
        match place.kind {
            PlaceKind::Target(address) => self.convert(*address, pointer),
            kind => hir::Expression {
                kind: ExpressionKind::AddressOf(Box::new(hir::Place { kind, ..place })),
                ty: pointer,
                span,
            },
        }
    }

    /// The address of a place that does not depend on anything.
    fn constant_address(place: &hir::Place) -> Option<u64> {
        let mut total = 0_u64;
        let mut place = place;
        loop {
            match &place.kind {
                PlaceKind::Target(address) => {
                    let ExpressionKind::Integer(address) = address.kind else {
                        return None;
                    };
                    return Some(address.wrapping_add(total));
                }
                PlaceKind::Member {
                    base,
                    offset,
                    bits: None,
                } => {
                    total = total.wrapping_add(*offset);
                    place = base;
                }
                _ => return None,
            }
        }
    }

    /// An explicit conversion between scalars, folded for constants. Types that have none come
    /// back as unknown; callers check first.
    pub(super) fn convert(&mut self, value: hir::Expression, to: TypeId) -> hir::Expression {
        let span = value.span;
        if self.types.resolve(value.ty) == self.types.resolve(to) {
            return hir::Expression { ty: to, ..value };
        }
        let (from_class, to_class) = (self.class(value.ty), self.class(to));
        if from_class == Class::Unknown || to_class == Class::Unknown {
            return self.unknown(span);
        }
        let word = |class: Class| class.is_integer() || matches!(class, Class::Pointer(_));
        let conversion = match (from_class, to_class) {
            (_, Class::Bool) if from_class.is_scalar() => {
                if let Some(truth) = self.constant_truth(&value) {
                    return self.integer(u64::from(truth), to, span);
                }
                Conversion::ToBool
            }
            (from, into) if word(from) && word(into) => {
                if let ExpressionKind::Integer(constant) = value.kind {
                    let (size, signed) = self.integer_shape(to).unwrap_or((8, false));
                    return self.integer(wrap(constant, size, signed), to, span);
                }
                Conversion::Integer
            }
            (from, Class::Float(size)) if from.is_integer() => {
                if let ExpressionKind::Integer(constant) = value.kind {
                    let signed = self.integer_shape(value.ty).is_some_and(|(_, s)| s);
                    let float = match (signed, size) {
                        (true, 4) => f64::from(constant as i64 as f32),
                        (false, 4) => f64::from(constant as f32),
                        (true, _) => constant as i64 as f64,
                        (false, _) => constant as f64,
                    };
                    return hir::Expression {
                        kind: ExpressionKind::Float(float),
                        ty: to,
                        span,
                    };
                }
                Conversion::IntegerToFloat
            }
            (Class::Float(_), into) if into.is_integer() => {
                if let ExpressionKind::Float(constant) = value.kind
                    && let Some(word) = self.float_to_word(constant, to)
                {
                    return self.integer(word, to, span);
                }
                Conversion::FloatToInteger
            }
            (Class::Float(_), Class::Float(size)) => {
                if let ExpressionKind::Float(constant) = value.kind {
                    let constant = if size == 4 {
                        f64::from(constant as f32)
                    } else {
                        constant
                    };
                    return hir::Expression {
                        kind: ExpressionKind::Float(constant),
                        ty: to,
                        span,
                    };
                }
                Conversion::Float
            }
            _ => return self.unknown(span),
        };
        hir::Expression {
            kind: ExpressionKind::Convert(conversion, Box::new(value)),
            ty: to,
            span,
        }
    }

    /// A float constant as a word of an integer type; `None` when it would fault.
    fn float_to_word(&self, value: f64, to: TypeId) -> Option<u64> {
        let (size, signed) = self.integer_shape(to)?;
        let value = value.trunc();
        if !value.is_finite() || value.abs() >= 1e38 {
            return None;
        }
        let whole = value as i128;
        let bits = u32::from(size) * 8;
        let (least, most) = if signed {
            (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
        } else {
            (0, (1_i128 << bits) - 1)
        };
        (whole >= least && whole <= most).then_some(whole as u64)
    }

    /// A promoted integer: narrower types and bit-fields become `int`, or `unsigned int` where
    /// `int` cannot hold all their values.
    pub(super) fn promote(&mut self, value: hir::Expression) -> hir::Expression {
        let ty = self.promoted_type(&value);
        self.convert(value, ty)
    }

    fn promoted_type(&self, value: &hir::Expression) -> TypeId {
        let Some((size, signed)) = self
            .integer_shape(value.ty)
            .filter(|_| self.class(value.ty).is_integer())
        else {
            return value.ty;
        };
        if let ExpressionKind::Load(place) = &value.kind
            && let PlaceKind::Member {
                bits: Some((_, width)),
                ..
            } = place.kind
            && size <= 4
        {
            return if width < 32 || signed {
                self.basics.int
            } else {
                self.basics.unsigned_int
            };
        }
        match (size, signed) {
            (1 | 2, _) => self.basics.int,
            (4, true) => self.basics.int,
            (4, false) => self.basics.unsigned_int,
            _ => match self.types.resolved(value.ty) {
                Type::Integer { .. } => value.ty,
                _ if signed => self.basics.long,
                _ => self.basics.unsigned_long,
            },
        }
    }

    /// C's usual arithmetic conversions on two arithmetic values.
    pub(super) fn usual(
        &mut self,
        left: hir::Expression,
        right: hir::Expression,
    ) -> (hir::Expression, hir::Expression, TypeId) {
        let ty = match (self.class(left.ty), self.class(right.ty)) {
            (Class::Float(8), _) | (_, Class::Float(8)) => self.basics.double,
            (Class::Float(_), _) | (_, Class::Float(_)) => self.basics.float,
            _ => {
                let left_type = self.promoted_type(&left);
                let right_type = self.promoted_type(&right);
                self.common_integer(left_type, right_type)
            }
        };
        let left = self.convert(left, ty);
        let right = self.convert(right, ty);
        (left, right, ty)
    }

    /// The common type of two promoted integer types. On LP64 a wider type holds every value of
    /// a narrower one, so the wider wins, then the unsigned one, then the rank.
    fn common_integer(&self, left: TypeId, right: TypeId) -> TypeId {
        let rank = |ty: TypeId| match self.types.resolved(ty) {
            Type::Integer {
                size, signed, rank, ..
            } => (*size, !*signed, *rank),
            _ => (0, false, 0),
        };
        let ((left_size, left_unsigned, left_rank), (right_size, right_unsigned, right_rank)) =
            (rank(left), rank(right));
        if left_size != right_size {
            return if left_size > right_size { left } else { right };
        }
        if left_unsigned != right_unsigned {
            // `unsigned long` with `long long` gives `unsigned long long`.
            let (unsigned, other) = if left_unsigned {
                (left, right_rank)
            } else {
                (right, left_rank)
            };
            let unsigned_rank = left_rank.min(right_rank);
            return if other == 5 && unsigned_rank == 4 && left_size == 8 {
                self.basics.unsigned_long_long
            } else {
                unsigned
            };
        }
        if left_rank >= right_rank { left } else { right }
    }

    /// The value converted implicitly to `to`, as in an assignment. `what` says what is
    /// converted, for messages: "the argument `n` of `f`".
    pub(super) fn assign_to(
        &mut self,
        value: hir::Expression,
        to: TypeId,
        what: &str,
    ) -> hir::Expression {
        let span = value.span;
        let (from_class, to_class) = (self.class(value.ty), self.class(to));
        match (from_class, to_class) {
            (Class::Unknown, _) | (_, Class::Unknown) => self.unknown(span),
            (from, into) if from.is_arithmetic() && into.is_arithmetic() => self.convert(value, to),
            (from, Class::Bool) if from.is_scalar() => self.convert(value, to),
            (Class::Pointer(from), Class::Pointer(into)) => {
                if self.refuse_moved(from, into, "an assignment", span) {
                    return self.unknown(span);
                }
                self.warn_incompatible(value.ty, to, from, into, span, what);
                self.convert(value, to)
            }
            (Class::Str, Class::Str) | (Class::Path, Class::Path) => {
                hir::Expression { ty: to, ..value }
            }
            (Class::Record(_), Class::Record(_)) | (Class::Array(..), Class::Array(..))
                if self.same_type(value.ty, to) =>
            {
                hir::Expression { ty: to, ..value }
            }
            (Class::Str, Class::Pointer(into)) => self.string_address(value, into, to, what),
            (from, Class::Pointer(_)) if from.is_integer() => {
                let null = matches!(value.kind, ExpressionKind::Integer(0));
                let wide = self
                    .integer_shape(value.ty)
                    .is_some_and(|(size, _)| size == 8);
                if !null && !wide && !matches!(value.kind, ExpressionKind::Integer(_)) {
                    return self.mismatch(value, to, what, "write a cast if it is an address");
                }
                if !null {
                    let name = self.quoted(value.ty);
                    self.report(
                        Diagnostic::warning(
                            span,
                            format!("{what} is a pointer made from {name} without a cast"),
                            "an integer",
                        )
                        .with_help(format!("write `({}) …`", self.types.name_of(to))),
                    );
                }
                self.convert(value, to)
            }
            (Class::Pointer(_), into) if into.is_integer() => {
                if self.integer_shape(to).is_some_and(|(size, _)| size != 8) {
                    let help = format!("write `({}) …` if that is meant", self.types.name_of(to));
                    return self.mismatch(value, to, what, &help);
                }
                self.report(
                    Diagnostic::warning(
                        span,
                        format!("{what} is an integer made from a pointer without a cast"),
                        "a pointer",
                    )
                    .with_help(format!("write `({}) …`", self.types.name_of(to))),
                );
                self.convert(value, to)
            }
            (Class::Pointer(target), Class::Str) => {
                let help = if self.is_character(target) {
                    "text of the target is copied by `_tostr(p)`, or `_tostr(p, n)` for n bytes"
                } else {
                    "the text at an address is `_tostr((char *) p)`; its name is `_usym(p)`"
                };
                self.mismatch(value, to, what, help)
            }
            (Class::Array(element, _), Class::Str) if self.is_character(element) => {
                self.mismatch(value, to, what, "its text is `_tostr(a)`")
            }
            (from, Class::Str) if from.is_arithmetic() => {
                self.mismatch(value, to, what, "write `_tostr(n)`, or `sprintf(\"…\", n)`")
            }
            (Class::Str, Class::Path) => {
                self.mismatch(value, to, what, "append it to a path: `_path p; … p / s`")
            }
            (Class::Str, into) if into.is_arithmetic() => self.mismatch(
                value,
                to,
                what,
                "the number in a string is `_strtol(s, 10)`",
            ),
            (Class::Void, _) => self.mismatch(value, to, what, "this gives no value"),
            _ => self.mismatch(value, to, what, ""),
        }
    }

    fn mismatch(
        &mut self,
        value: hir::Expression,
        to: TypeId,
        what: &str,
        help: &str,
    ) -> hir::Expression {
        let found = self.quoted(value.ty);
        let diagnostic = Diagnostic::error(
            value.span,
            format!("{what} must be {}", self.quoted(to)),
            format!("this is {found}"),
        );
        self.report(if help.is_empty() {
            diagnostic
        } else {
            diagnostic.with_help(help)
        });
        self.unknown(value.span)
    }

    /// Whether a type is a character: text may stand where a pointer to it points.
    pub(super) fn is_character(&self, ty: TypeId) -> bool {
        matches!(self.class(ty), Class::Integer { size: 1, .. })
    }

    fn warn_incompatible(
        &mut self,
        from: TypeId,
        to: TypeId,
        from_target: TypeId,
        to_target: TypeId,
        span: Span,
        what: &str,
    ) {
        let free =
            |checker: &Self, ty: TypeId| matches!(checker.class(ty), Class::Void | Class::Unknown);
        if free(self, from_target) || free(self, to_target) {
            return;
        }
        let both_characters = self.is_character(from_target) && self.is_character(to_target);
        let both_functions =
            self.class(from_target) == Class::Function && self.class(to_target) == Class::Function;
        if both_characters || both_functions || self.same_type(from_target, to_target) {
            return;
        }
        let message = format!(
            "{what} is {}, made from {}",
            self.quoted(to),
            self.quoted(from)
        );
        self.report(
            Diagnostic::warning(span, message, "another type of pointer").with_help(format!(
                "write `({}) …` if that is meant",
                self.types.name_of(to)
            )),
        );
    }

    /// The address of a string literal's bytes in the target.
    fn string_address(
        &mut self,
        value: hir::Expression,
        target: TypeId,
        to: TypeId,
        what: &str,
    ) -> hir::Expression {
        let ExpressionKind::Str(bytes) = &value.kind else {
            return self.mismatch(
                value,
                to,
                what,
                "a string of the tracer has no address in the target; compare with `_tostr(p)`",
            );
        };
        if !self.is_character(target) && self.class(target) != Class::Void {
            return self.mismatch(value, to, what, "");
        }
        let scope = Scope {
            prefix: None,
            preferred: self.preferred_module(value.span),
        };
        let address = self
            .target
            .as_deref_mut()
            .and_then(|target| target.find_string(&scope, bytes));
        match address {
            Some(address) => self.integer(address, to, value.span),
            None if self.target.is_none() => {
                let text = self.text(value.span);
                self.add_unresolved(value.span, text);
                self.unknown(value.span)
            }
            None => {
                let literal = self.text(value.span);
                self.error_help(
                    value.span,
                    format!("{what} must be an address in the target"),
                    "the target's read-only data does not hold this text",
                    format!("to compare text, write `_tostr(p) == {literal}`; text of the probe itself is a `_str`"),
                );
                self.unknown(value.span)
            }
        }
    }

    /// The value as a condition: any scalar.
    pub(super) fn truth(&mut self, value: hir::Expression) -> hir::Expression {
        let class = self.class(value.ty);
        if class.is_scalar() || class == Class::Unknown {
            return value;
        }
        self.error(
            value.span,
            "a condition must be a number, a pointer, a string or a path",
            format!("this is {}", self.quoted(value.ty)),
        );
        self.unknown(value.span)
    }

    /// A checked condition.
    pub(super) fn condition(&mut self, expression: &ast::Expression) -> hir::Expression {
        let value = self.value(expression);
        self.truth(value)
    }

    /// The condition of a statement. As C compilers do, it warns of an assignment without parentheses of its own.
    pub(super) fn statement_condition(&mut self, expression: &ast::Expression) -> hir::Expression {
        if let ast::ExpressionKind::Assign(None, left, _) = &expression.kind
            && left.span.file == expression.span.file
            && left.span.start == expression.span.start
        {
            self.report(
                Diagnostic::warning(
                    expression.span,
                    "this condition assigns",
                    "it is what `=` has assigned",
                )
                .with_help(
                    "`==` compares; if `=` is meant, put it in parentheses of its own: `((a = b))`",
                ),
            );
        }
        self.condition(expression)
    }

    /// The value as a 64-bit integer, for an index.
    pub(super) fn index_value(&mut self, value: hir::Expression) -> hir::Expression {
        let class = self.class(value.ty);
        if class.is_integer() {
            let unsigned = self
                .integer_shape(value.ty)
                .is_some_and(|(size, signed)| size == 8 && !signed);
            let ty = if unsigned {
                self.basics.unsigned_long
            } else {
                self.basics.long
            };
            return self.convert(value, ty);
        }
        if class != Class::Unknown {
            self.error(
                value.span,
                "an index must be an integer",
                format!("this is {}", self.quoted(value.ty)),
            );
        }
        self.unknown(value.span)
    }
}
