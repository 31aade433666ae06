//! Formats of `printf` and its like, checked against their arguments.

use super::Checker;
use super::builtins::Builtin;
use super::class::{Class, Operand};
use super::format_text::{Part, Written, parse};
use crate::ast;
use crate::hir::{self, ExpressionKind, FormatPiece};
use crate::source::Span;
use crate::types::{Type, TypeId};
use ytrace_values::Operation;
use ytrace_values::constants::{Amount, Conversion, ConversionKind, FormatArgument, Scalar};

impl Checker<'_> {
    /// `printf` or `sprintf`.
    pub(super) fn format_call(
        &mut self,
        string: bool,
        format: &ast::Expression,
        arguments: &[&ast::Expression],
        span: Span,
    ) -> hir::Expression {
        let value = self.value(format);
        if self.is_unknown(value.ty) {
            return self.unknown(span);
        }
        let ExpressionKind::Str(bytes) = &value.kind else {
            let found = self.quoted(value.ty);
            self.error_help(
                format.span,
                "a format must be a string literal",
                format!("this is {found}"),
                "to print a string, write `printf(\"%s\", s)`",
            );
            return self.unknown(span);
        };
        let parts = match parse(bytes) {
            Ok(parts) => parts,
            Err((conversion, reason)) => {
                let conversion = ytrace_values::escape::line(conversion.as_bytes());
                self.error(
                    format.span,
                    format!("bad conversion `{conversion}`"),
                    reason,
                );
                return self.unknown(span);
            }
        };
        let mut rest = arguments.iter();
        let mut pieces = Vec::new();
        let mut values = Vec::new();
        let mut failed = false;
        for part in parts {
            match part {
                Part::Text(text) => pieces.push(FormatPiece::Text(text)),
                Part::Conversion(written) => {
                    let mut next = |checker: &mut Self, what: &str| match rest.next() {
                        Some(expression) => Some(*expression),
                        None => {
                            checker.error(
                                format.span,
                                format!("`{}` has no argument", written.text),
                                format!("{what} is missing"),
                            );
                            None
                        }
                    };
                    let mut amounts = Vec::new();
                    for given in [written.conversion.width, written.conversion.precision] {
                        if given == Amount::Argument {
                            match next(self, "the value of `*`") {
                                Some(expression) => amounts.push(expression),
                                None => return self.unknown(span),
                            }
                        }
                    }
                    let Some(expression) = next(self, "its value") else {
                        return self.unknown(span);
                    };
                    for amount in amounts {
                        let value = self.value(amount);
                        let class = self.class(value.ty);
                        if !class.is_integer() {
                            if class != Class::Unknown {
                                let found = self.quoted(value.ty);
                                self.error(
                                    amount.span,
                                    format!("the `*` of `{}` must be an integer", written.text),
                                    format!("this is {found}"),
                                );
                            }
                            failed = true;
                        }
                        let long = self.basics.long;
                        values.push(self.convert(value, long));
                    }
                    match self.format_argument(&written, expression) {
                        Some((piece, value)) => {
                            pieces.push(piece);
                            values.push(value);
                        }
                        None => failed = true,
                    }
                }
            }
        }
        let extra: Vec<_> = rest.collect();
        if let Some(first) = extra.first() {
            for expression in &extra {
                self.value(expression);
            }
            self.error(
                first.span,
                "more arguments than the format has conversions",
                "no conversion prints this",
            );
            failed = true;
        }
        if failed || values.iter().any(|value| self.is_unknown(value.ty)) {
            return self.unknown(span);
        }
        self.format_expression(string, pieces, values, span)
    }

    /// A use of a checked format.
    fn format_expression(
        &mut self,
        string: bool,
        pieces: Vec<FormatPiece>,
        arguments: Vec<hir::Expression>,
        span: Span,
    ) -> hir::Expression {
        let format = self.formats.len() as u32;
        self.formats.push(pieces);
        hir::Expression {
            kind: ExpressionKind::Format {
                string,
                format,
                arguments,
            },
            ty: if string {
                self.basics.string
            } else {
                self.basics.void
            },
            span,
        }
    }

    /// One conversion with its value; `None` after an error.
    fn format_argument(
        &mut self,
        written: &Written,
        expression: &ast::Expression,
    ) -> Option<(FormatPiece, hir::Expression)> {
        let mut conversion = written.conversion.clone();
        let operand = self.operand(expression);
        if conversion.kind == ConversionKind::Value {
            return self.value_argument(conversion, operand);
        }
        let value = self.rvalue(operand);
        if self.is_unknown(value.ty) {
            return None;
        }
        let class = self.class(value.ty);
        let (argument, value) = match conversion.kind {
            ConversionKind::Decimal
            | ConversionKind::Unsigned
            | ConversionKind::Octal
            | ConversionKind::Hexadecimal { .. } => self.integer_argument(written, value)?,
            ConversionKind::Character => {
                if !class.is_integer() {
                    self.format_mismatch(written, &value, "a character");
                    return None;
                }
                let ty = self.basics.unsigned_char;
                (
                    FormatArgument::Scalar(Scalar::Unsigned(1)),
                    self.convert(value, ty),
                )
            }
            ConversionKind::Pointer => {
                if !matches!(class, Class::Pointer(_) | Class::Integer { size: 8, .. }) {
                    self.format_mismatch(written, &value, "a pointer");
                    return None;
                }
                let ty = self.basics.void_pointer;
                (
                    FormatArgument::Scalar(Scalar::Pointer),
                    self.convert(value, ty),
                )
            }
            ConversionKind::Float(_) => {
                if !matches!(class, Class::Float(_)) {
                    self.format_mismatch(written, &value, "a `double`");
                    return None;
                }
                let ty = self.basics.double;
                (
                    FormatArgument::Scalar(Scalar::Float64),
                    self.convert(value, ty),
                )
            }
            ConversionKind::String => match class {
                Class::Str => (FormatArgument::Scalar(Scalar::Str), value),
                Class::Pointer(target) if self.is_character(target) => {
                    (FormatArgument::TargetString, value)
                }
                Class::Array(element, Some(_)) if self.is_character(element) => {
                    return Some(Self::array_piece(conversion, value));
                }
                _ => {
                    self.format_mismatch(written, &value, "a `_str` or a `char *`");
                    return None;
                }
            },
            ConversionKind::Bytes | ConversionKind::Duration => {
                if !class.is_integer() {
                    self.format_mismatch(written, &value, "an integer");
                    return None;
                }
                let ty = self.basics.long;
                (
                    FormatArgument::Scalar(Scalar::Signed(8)),
                    self.convert(value, ty),
                )
            }
            ConversionKind::Value => return None,
        };
        conversion.argument = argument;
        Some((
            FormatPiece::Conversion {
                conversion,
                value: None,
            },
            value,
        ))
    }

    fn integer_argument(
        &mut self,
        written: &Written,
        value: hir::Expression,
    ) -> Option<(FormatArgument, hir::Expression)> {
        let signed = written.conversion.kind == ConversionKind::Decimal;
        let class = self.class(value.ty);
        let pointer = matches!(class, Class::Pointer(_)) && written.size == 8 && !signed;
        if !class.is_integer() && !pointer || written.size > 8 {
            self.format_mismatch(written, &value, "an integer");
            return None;
        }
        let (size, _) = self.integer_shape(value.ty)?;
        // The type of the argument is known, so a `%d` prints all of a wider integer; only `h` and
        // `hh` cut, as they are meant to.
        let printed = if written.size >= 4 {
            written.size.max(size)
        } else {
            written.size
        };
        let ty = match (printed, signed) {
            (1, true) => self.basics.char,
            (1, false) => self.basics.unsigned_char,
            (2, true) => self.basics.short,
            (2, false) => self.basics.unsigned_short,
            (4, true) => self.basics.int,
            (4, false) => self.basics.unsigned_int,
            (_, true) => self.basics.long,
            (_, false) => self.basics.unsigned_long,
        };
        let scalar = if signed {
            Scalar::Signed(printed)
        } else {
            Scalar::Unsigned(printed)
        };
        // An `unsigned int` of a bit-field or a narrower type goes through its own promotion.
        let value = if pointer { value } else { self.promote(value) };
        Some((FormatArgument::Scalar(scalar), self.convert(value, ty)))
    }

    fn format_mismatch(&mut self, written: &Written, value: &hir::Expression, wanted: &str) {
        let found = self.quoted(value.ty);
        let flags: String = written
            .text
            .trim_start_matches('%')
            .trim_end_matches(|letter: char| letter.is_ascii_alphabetic())
            .to_owned();
        let help = match self.class(value.ty) {
            Class::Str => format!("a string is printed by `%{flags}s`"),
            Class::Path => "a path is printed by `%V`".to_owned(),
            Class::Float(_) => format!("a float is printed by `%{flags}f`"),
            Class::Pointer(target) if self.class(target) == Class::Void => {
                "an address is printed by `%p`; for text cast to `char *`".to_owned()
            }
            Class::Pointer(_) => "an address is printed by `%p`".to_owned(),
            Class::Record(record) => {
                let names = self.member_names(record, 0);
                let name = self.types.record(record).name.clone();
                let has = |name: &str| names.iter().any(|known| known == name);
                if has("data") && has("len") {
                    "write `%.*s` with `(int) s.len, s.data`, or `_tostr(s.data, s.len)`".to_owned()
                } else if names.is_empty() {
                    format!("a value of type `{name}` is printed by `%V`; it is not computed with")
                } else {
                    "a whole struct is printed by `%V`".to_owned()
                }
            }
            class if class.is_integer() => {
                let (size, signed) = self.integer_shape(value.ty).unwrap_or((4, true));
                let length = if size == 8 { "l" } else { "" };
                let letter = if signed { 'd' } else { 'u' };
                format!("an integer like this is printed by `%{flags}{length}{letter}`")
            }
            _ => "any value is printed by `%V`".to_owned(),
        };
        self.error_help(
            value.span,
            format!("`{}` prints {wanted}", written.text),
            format!("this is {found}"),
            help,
        );
    }

    /// `%V`: records and arrays of the target travel as addresses, all else as values.
    pub(super) fn value_argument(
        &mut self,
        conversion: Conversion,
        operand: Operand,
    ) -> Option<(FormatPiece, hir::Expression)> {
        if let Operand::Container(container) = operand {
            return Some(self.container_text(conversion, container));
        }
        let ty = operand.ty();
        let by_address = match &operand {
            Operand::Place(place) => {
                Self::in_target(place)
                    && matches!(self.class(ty), Class::Record(_) | Class::Array(_, Some(_)))
            }
            _ => false,
        };
        self.complete_value(ty);
        let value = match operand {
            Operand::Place(place) if by_address && self.size_of(ty).is_some() => {
                let pointer = self.types.intern(Type::Pointer(ty));
                self.address_of(place, pointer)
            }
            other => self.rvalue(other),
        };
        if self.is_unknown(value.ty) {
            return None;
        }
        if self.class(value.ty) == Class::Void {
            self.error(value.span, "`%V` prints a value", "this gives none");
            return None;
        }
        let shown = if by_address { ty } else { value.ty };
        Some((
            FormatPiece::Conversion {
                conversion,
                value: Some((shown, by_address)),
            },
            value,
        ))
    }

    /// A container under `%V`: its text is made first, and printed as it is.
    fn container_text(
        &mut self,
        mut conversion: Conversion,
        container: hir::Container,
    ) -> (FormatPiece, hir::Expression) {
        let span = container.span;
        conversion.kind = ConversionKind::String;
        conversion.argument = FormatArgument::Scalar(Scalar::Str);
        let value = hir::Expression {
            kind: ExpressionKind::ContainerOperation(
                Operation::ContainerText,
                container,
                Vec::new(),
            ),
            ty: self.basics.string,
            span,
        };
        let piece = FormatPiece::Conversion {
            conversion,
            value: None,
        };
        (piece, value)
    }

    /// A conversion without flags.
    pub(super) fn bare(kind: ConversionKind, argument: FormatArgument) -> Conversion {
        Conversion {
            left: false,
            plus: false,
            space: false,
            alternate: false,
            zero: false,
            thousands: false,
            width: Amount::None,
            precision: Amount::None,
            kind,
            argument,
        }
    }

    /// The piece that prints a value as it is: text bare, everything else as `%V`.
    fn plain_piece(&mut self, operand: Operand) -> Option<(FormatPiece, hir::Expression)> {
        let ty = operand.ty();
        let argument = match self.class(ty) {
            Class::Str => FormatArgument::Scalar(Scalar::Str),
            Class::Pointer(target) if self.is_character(target) => FormatArgument::TargetString,
            Class::Array(element, _)
                if self.is_character(element)
                    && matches!(&operand, Operand::Place(place) if Self::in_target(place)) =>
            {
                FormatArgument::TargetString
            }
            Class::Array(element, Some(_)) if self.is_character(element) => {
                let value = self.rvalue(operand);
                let argument = FormatArgument::Scalar(Scalar::Str);
                return Some(Self::array_piece(
                    Self::bare(ConversionKind::String, argument),
                    value,
                ));
            }
            _ => {
                let argument = FormatArgument::Scalar(Scalar::Unsigned(8));
                return self.value_argument(Self::bare(ConversionKind::Value, argument), operand);
            }
        };
        let value = self.rvalue(operand);
        if self.is_unknown(value.ty) {
            return None;
        }
        let conversion = Self::bare(ConversionKind::String, argument);
        Some((
            FormatPiece::Conversion {
                conversion,
                value: None,
            },
            value,
        ))
    }

    /// The piece that prints the text of an array of characters of the tracer.
    fn array_piece(
        conversion: Conversion,
        value: hir::Expression,
    ) -> (FormatPiece, hir::Expression) {
        let piece = FormatPiece::Conversion {
            conversion,
            value: Some((value.ty, false)),
        };
        (piece, value)
    }

    /// A value as text: strings and arrays of characters bare, everything else as `%V` shows it.
    pub(super) fn value_text(&mut self, value: hir::Expression, span: Span) -> hir::Expression {
        match self.plain_piece(Operand::Value(value)) {
            Some((piece, value)) => self.format_expression(true, vec![piece], vec![value], span),
            None => self.unknown(span),
        }
    }

    /// `_print(a, b, …)`.
    pub(super) fn print_call(
        &mut self,
        expressions: &[&ast::Expression],
        span: Span,
    ) -> hir::Expression {
        let mut pieces = Vec::new();
        let mut values = Vec::new();
        let mut failed = false;
        for expression in expressions {
            let operand = self.operand(expression);
            match self.plain_piece(operand) {
                Some((piece, value)) => {
                    pieces.push(piece);
                    values.push(value);
                }
                None => failed = true,
            }
        }
        if failed {
            return self.unknown(span);
        }
        self.format_expression(false, pieces, values, span)
    }

    /// `puts(s)`.
    pub(super) fn puts_call(&mut self, text: &ast::Expression, span: Span) -> hir::Expression {
        let operand = self.operand(text);
        let class = self.class(operand.ty());
        let is_text = match class {
            Class::Str | Class::Unknown => true,
            Class::Pointer(target) | Class::Array(target, _) => self.is_character(target),
            _ => false,
        };
        if !is_text {
            let found = self.quoted(operand.ty());
            self.error_help(
                text.span,
                "`puts` prints a `_str` or a `char *`",
                format!("this is {found}"),
                "any value is printed by `_print(x, \"\\n\")`",
            );
            return self.unknown(span);
        }
        let Some((piece, value)) = self.plain_piece(operand) else {
            return self.unknown(span);
        };
        let pieces = vec![piece, FormatPiece::Text(b"\n".to_vec())];
        self.format_expression(false, pieces, vec![value], span)
    }

    /// `_warn`, `_error`, `_raise`: one string, or a format with its arguments.
    pub(super) fn message(
        &mut self,
        builtin: &Builtin,
        operation: Operation,
        expressions: &[&ast::Expression],
        span: Span,
    ) -> hir::Expression {
        let [format, rest @ ..] = expressions else {
            return self.unknown(span);
        };
        let literal =
            matches!(&format.kind, ast::ExpressionKind::String(bytes) if bytes.contains(&b'%'));
        let text = if literal || !rest.is_empty() {
            self.format_call(true, format, rest, span)
        } else {
            let value = self.value(format);
            let string = self.basics.string;
            let what = format!("the message of `{}`", builtin.name);
            self.assign_to(value, string, &what)
        };
        if self.is_unknown(text.ty) {
            return self.unknown(span);
        }
        let void: TypeId = self.basics.void;
        self.operation(operation, vec![text], void, span)
    }
}
