//! Comparisons, `in`, and matches of regular expressions.

use super::Checker;
use super::class::{Class, Operand};
use crate::ast;
use crate::diagnostics::Diagnostic;
use crate::hir::{self, CompareOperator, ExpressionKind};
use crate::source::Span;
use ytrace_values::Operation;

impl Checker<'_> {
    /// A comparison of two values, neither of unknown type.
    pub(super) fn compare(
        &mut self,
        operator: CompareOperator,
        left: hir::Expression,
        right: hir::Expression,
        span: Span,
    ) -> hir::Expression {
        let equality = matches!(operator, CompareOperator::Equal | CompareOperator::NotEqual);
        match (self.class(left.ty), self.class(right.ty)) {
            (a, b) if a.is_arithmetic() && b.is_arithmetic() => {
                let (left, right, _) = self.usual(left, right);
                self.fold_compare(operator, left, right, span)
            }
            (Class::Pointer(a), Class::Pointer(b)) => {
                if self.refuse_moved(a, b, "a comparison", span) {
                    return self.unknown(span);
                }
                let free =
                    |checker: &Self, ty| matches!(checker.class(ty), Class::Void | Class::Function);
                let characters = self.is_character(a) && self.is_character(b);
                if !characters && !free(self, a) && !free(self, b) && !self.same_type(a, b) {
                    self.warning(
                        span,
                        "a comparison of pointers to different types",
                        format!("{} and {}", self.quoted(left.ty), self.quoted(right.ty)),
                    );
                }
                let right = self.convert(right, left.ty);
                self.fold_compare(operator, left, right, span)
            }
            (Class::Pointer(_), b) if b.is_integer() => {
                self.warn_pointer_integer(&right, span);
                let right = self.convert(right, left.ty);
                self.fold_compare(operator, left, right, span)
            }
            (a, Class::Pointer(_)) if a.is_integer() => {
                self.warn_pointer_integer(&left, span);
                let left = self.convert(left, right.ty);
                self.fold_compare(operator, left, right, span)
            }
            (Class::Str, Class::Str) => self.fold_compare(operator, left, right, span),
            (Class::Path, Class::Path) if equality => {
                self.fold_compare(operator, left, right, span)
            }
            (Class::Pointer(_), Class::Str) => {
                self.compare_pointer_text(operator, left, right, span)
            }
            (Class::Str, Class::Pointer(_)) => {
                self.compare_pointer_text(operator, right, left, span)
            }
            (Class::Path, Class::Path) => {
                self.error_help(
                    span,
                    "paths have no order",
                    "only `==` and `!=` compare them",
                    "to sort, sort by a name: `_leaf(p)`",
                );
                self.unknown(span)
            }
            _ => {
                let message = format!(
                    "{} and {} cannot be compared",
                    self.quoted(left.ty),
                    self.quoted(right.ty)
                );
                let record = matches!(self.class(left.ty), Class::Record(_))
                    || matches!(self.class(right.ty), Class::Record(_));
                let text =
                    |class| matches!(class, Class::Array(element, _) if self.is_character(element));
                let help = if record {
                    "compare their members"
                } else if text(self.class(left.ty)) || text(self.class(right.ty)) {
                    "the text of an array is `_tostr(a)`; `strcmp(a, b)` takes it, too"
                } else {
                    "compare a string with a string, a number with a number"
                };
                self.error_help(span, message, "these do not go together", help);
                self.unknown(span)
            }
        }
    }

    fn warn_pointer_integer(&mut self, integer: &hir::Expression, span: Span) {
        if matches!(integer.kind, ExpressionKind::Integer(0)) {
            return;
        }
        self.report(
            Diagnostic::warning(span, "a comparison of a pointer with an integer", "")
                .with_help("cast one of them: `(uintptr_t) p`, or `(void *) n`"),
        );
    }

    /// A pointer against a string: with a literal, C compares addresses, which is seldom meant.
    fn compare_pointer_text(
        &mut self,
        operator: CompareOperator,
        pointer: hir::Expression,
        text: hir::Expression,
        span: Span,
    ) -> hir::Expression {
        let written = self.text(pointer.span);
        let help = format!("to compare the text, write `_tostr({written}) == …`");
        if !matches!(text.kind, ExpressionKind::Str(_)) {
            self.error_help(
                span,
                "an address in the target is compared with a string of the tracer",
                "the two never are the same thing",
                help,
            );
            return self.unknown(span);
        }
        let text = self.assign_to(text, pointer.ty, "the other side of the comparison");
        if self.is_unknown(text.ty) {
            return self.unknown(span);
        }
        self.report(
            Diagnostic::warning(
                span,
                "this compares addresses, not text",
                "the literal is an address here",
            )
            .with_help(help),
        );
        self.fold_compare(operator, pointer, text, span)
    }

    /// `k in t`.
    pub(super) fn key_in(
        &mut self,
        keys: &[ast::Expression],
        table: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let Some(container) = self.container(table, "the right side of `in`") else {
            for key in keys {
                self.value(key);
            }
            return self.unknown(span);
        };
        let Some((key_types, _)) = self.table_types(container.ty) else {
            self.error_help(
                table.span,
                "`in` looks for a key of a table",
                format!("this is {}", self.quoted(container.ty)),
                "to look for an element of an array, loop over it with `_foreach`",
            );
            return self.unknown(span);
        };
        let Some(keys) = self.keys(keys, &key_types, span) else {
            return self.unknown(span);
        };
        hir::Expression {
            kind: ExpressionKind::In(container, keys),
            ty: self.basics.int,
            span,
        }
    }

    /// `s ~~ rx/…/`.
    pub(super) fn regex_match(
        &mut self,
        subject: &ast::Expression,
        pattern: &ast::Expression,
        negated: bool,
        span: Span,
    ) -> hir::Expression {
        let subject = self.value(subject);
        let string = self.basics.string;
        let subject = self.assign_to(subject, string, "the text to match");
        let source = match &pattern.kind {
            ast::ExpressionKind::Regex(source) => Some(source.clone()),
            _ => self.constant_pattern(pattern),
        };
        let Some(index) = source.and_then(|source| self.regex_index(&source, pattern.span)) else {
            return self.unknown(span);
        };
        if self.is_unknown(subject.ty) {
            return self.unknown(span);
        }
        let index = self.integer(u64::from(index), self.basics.unsigned_int, span);
        let matched = self.operation(
            Operation::StrMatch,
            vec![subject, index],
            self.basics.int,
            span,
        );
        if negated {
            self.fold_not(matched, span)
        } else {
            matched
        }
    }

    fn constant_pattern(&mut self, pattern: &ast::Expression) -> Option<String> {
        let value = self.value(pattern);
        let value = self.with_option_values(value);
        if self.is_unknown(value.ty) {
            return None;
        }
        let ExpressionKind::Str(bytes) = value.kind else {
            self.error_help(
                pattern.span,
                "a pattern must be known before anything runs",
                format!("this is {}", self.quoted(value.ty)),
                "write `rx/…/`, a string literal, or an option of type `_str`",
            );
            return None;
        };
        match String::from_utf8(bytes) {
            Ok(source) => Some(source),
            Err(_) => {
                self.error(pattern.span, "a pattern must be valid UTF-8", "");
                None
            }
        }
    }

    /// The index of a regular expression, checked here.
    fn regex_index(&mut self, source: &str, span: Span) -> Option<u32> {
        if let Some(index) = self.regexes.iter().position(|known| known == source) {
            return Some(index as u32);
        }
        if let Err(text) = self.regex_check.check(source) {
            let reason = text
                .lines()
                .rev()
                .find(|line| !line.trim().is_empty())
                .unwrap_or("not a regular expression")
                .trim()
                .trim_start_matches("error: ")
                .to_owned();
            self.error(span, "this is not a regular expression", reason);
            return None;
        }
        self.regexes.push(source.to_owned());
        Some((self.regexes.len() - 1) as u32)
    }

    /// The container that an expression denotes; `None` after an error.
    pub(super) fn container(
        &mut self,
        expression: &ast::Expression,
        what: &str,
    ) -> Option<hir::Container> {
        match self.operand(expression) {
            Operand::Container(container) => Some(container),
            other => {
                if !self.is_unknown(other.ty()) {
                    let found = self.quoted(other.ty());
                    self.error(
                        expression.span,
                        format!("{what} must be a table or an array"),
                        format!("this is {found}"),
                    );
                }
                None
            }
        }
    }
}
