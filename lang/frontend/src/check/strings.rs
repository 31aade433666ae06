//! Built-ins on text, and the others that have rules of their own.

use super::Checker;
use super::builtins::{Builtin, Special};
use super::class::{Class, Operand};
use crate::ast;
use crate::hir::{self, ExpressionKind, PlaceKind};
use crate::source::Span;
use crate::target::Scope;
use crate::types::Type;
use ytrace_values::Operation;

/// Text to be compared: of the target, or of the tracer.
enum Text {
    Target(hir::Expression),
    Tracer(hir::Expression),
}

/// The longest literal that a comparison reads byte by byte instead of up to a NUL.
const LONGEST_LITERAL: i128 = 4096;

impl Checker<'_> {
    /// A built-in with its own rules. The number of arguments has been checked.
    pub(super) fn special_call(
        &mut self,
        special: Special,
        builtin: &Builtin,
        expressions: &[&ast::Expression],
        span: Span,
    ) -> hir::Expression {
        match (special, expressions) {
            (Special::Printf, [format, rest @ ..]) => self.format_call(false, format, rest, span),
            (Special::Sprintf, [format, rest @ ..]) => self.format_call(true, format, rest, span),
            (Special::Print, values) => self.print_call(values, span),
            (Special::Puts, [text]) => self.puts_call(text, span),
            (Special::ToString, [value, length @ ..]) => {
                self.text_of(value, length.first().copied(), span)
            }
            (Special::ToStringQuoted, [value, length @ ..]) => {
                let text = self.text_of(value, length.first().copied(), span);
                self.on_text(Operation::StrQuoted, vec![text], span)
            }
            (Special::Length, [value]) => self.length(value, span),
            (Special::ChopToken, [variable, delimiters]) => {
                self.chop_token(variable, delimiters, span)
            }
            (Special::MemoryCompare, [left, right, count]) => {
                self.memory_compare(builtin, left, right, count, span)
            }
            (Special::StringCompare, [left, right]) => {
                self.string_compare(builtin, left, right, span)
            }
            (Special::StringCompareN, [left, right, count]) => {
                self.string_compare_n(builtin, left, right, count, span)
            }
            (Special::StringLength, [text]) => {
                let ty = self.basics.unsigned_long;
                match self.text_argument(builtin, text) {
                    None => self.unknown(span),
                    Some(Text::Target(pointer)) => {
                        self.operation(Operation::TargetStringLength, vec![pointer], ty, span)
                    }
                    Some(Text::Tracer(text)) => {
                        self.operation(Operation::StrLength, vec![text], ty, span)
                    }
                }
            }
            (Special::SymbolAddress, [name]) => self.symbol_address(name, span),
            (Special::SymbolizedPath, path) => {
                let path = match path.first() {
                    Some(path) => self.kind_argument(builtin, 0, path),
                    None => {
                        let tid = self.current_tid(span);
                        let ty = self.basics.path;
                        self.operation(Operation::Backtrace, vec![tid], ty, span)
                    }
                };
                self.on_text(Operation::PathSymbols, vec![path], span)
            }
            (Special::Register, [name, tid @ ..]) => {
                let name = self.kind_argument(builtin, 0, name);
                if tid.is_empty()
                    && let ExpressionKind::Str(text) = &name.kind
                    && let Ok(text) = std::str::from_utf8(text)
                    && let Some(value) = self.hit_register(text, span, name.span)
                {
                    return value;
                }
                // A name that is no constant is taken for that of another register.
                self.thread_pointers |= matches!(
                    &name.kind,
                    ExpressionKind::Str(text) if text == b"fs_base" || text == b"tpidr_el0"
                );
                let tid = self.thread_argument(builtin, tid.first(), span);
                match tid {
                    Some(tid) if !self.is_unknown(name.ty) => {
                        let ty = self.basics.unsigned_long;
                        self.operation(Operation::Register, vec![name, tid], ty, span)
                    }
                    _ => self.unknown(span),
                }
            }
            (Special::EntryValue, [value]) => self.entry_value(value, span),
            (Special::HitArgument, [number]) => self.hit_argument(number, span),
            (Special::HitFunction, []) => self.hit_function(span),
            (Special::SampleBytes, [every, bytes]) => {
                let every = self.kind_argument(builtin, 0, every);
                let bytes = self.kind_argument(builtin, 1, bytes);
                self.hit_sample(vec![every, bytes], span)
            }
            (Special::Assert, [condition]) => self.assert_call(condition, span),
            (Special::AssertEqual, [name, numbers @ ..]) => {
                self.assert_equal(builtin, name, numbers, span)
            }
            _ => self.unknown(span),
        }
    }

    /// An operation that gives a string, unless an argument is unknown.
    fn on_text(
        &self,
        operation: Operation,
        arguments: Vec<hir::Expression>,
        span: Span,
    ) -> hir::Expression {
        if arguments
            .iter()
            .any(|argument| self.is_unknown(argument.ty))
        {
            return self.unknown(span);
        }
        self.operation(operation, arguments, self.basics.string, span)
    }

    /// The text of the target at a pointer to characters.
    pub(super) fn text_at(&self, pointer: hir::Expression) -> hir::Expression {
        let span = pointer.span;
        self.on_text(Operation::TargetString, vec![pointer], span)
    }

    /// `_tostr(value)`, `_tostr(p, n)`.
    fn text_of(
        &mut self,
        expression: &ast::Expression,
        length: Option<&ast::Expression>,
        span: Span,
    ) -> hir::Expression {
        let value = self.value(expression);
        if let Some(length) = length {
            let length = self.value(length);
            let ty = self.basics.unsigned_long;
            let length = self.assign_to(length, ty, "the argument `n` of `_tostr`");
            return match self.class(value.ty) {
                Class::Pointer(_) => {
                    self.on_text(Operation::TargetBytes, vec![value, length], span)
                }
                Class::Str => {
                    let start = self.integer(0, self.basics.long, span);
                    self.on_text(Operation::StrSubstr, vec![value, start, length], span)
                }
                Class::Array(element, Some(_)) if self.is_character(element) => {
                    let text = self.value_text(value, span);
                    let start = self.integer(0, self.basics.long, span);
                    self.on_text(Operation::StrSubstr, vec![text, start, length], span)
                }
                Class::Unknown => self.unknown(span),
                _ => {
                    let found = self.quoted(value.ty);
                    self.error(
                        value.span,
                        "`_tostr(p, n)` copies n bytes from an address",
                        format!("this is {found}"),
                    );
                    self.unknown(span)
                }
            };
        }
        let found = self.quoted(value.ty);
        let help = match self.class(value.ty) {
            Class::Unknown => return self.unknown(span),
            Class::Str => return value,
            Class::Pointer(target) if self.is_character(target) => {
                return self.on_text(Operation::TargetString, vec![value], span);
            }
            class if class.is_integer() => {
                let (_, signed) = self.integer_shape(value.ty).unwrap_or((8, true));
                let ty = if signed {
                    self.basics.long
                } else {
                    self.basics.unsigned_long
                };
                let value = self.convert(value, ty);
                let signed = self.int(i32::from(signed), span);
                return self.on_text(Operation::StrFromInteger, vec![value, signed], span);
            }
            Class::Float(_) | Class::Path => return self.value_text(value, span),
            Class::Array(element, Some(_)) if self.is_character(element) => {
                return self.value_text(value, span);
            }
            Class::Pointer(_) => {
                "cast to `char *` for text, use `_usym(p)` for a name, `sprintf(\"%p\", p)` for \
                 the address itself"
            }
            Class::Record(record) => {
                let names = self.member_names(record, 0);
                if names.iter().any(|name| name == "data") && names.iter().any(|name| name == "len")
                {
                    "write `_tostr(s.data, s.len)`"
                } else {
                    "`sprintf(\"%V\", x)` shows a whole struct"
                }
            }
            _ => "`sprintf(\"%V\", x)` shows any value",
        };
        self.error_help(
            value.span,
            "`_tostr` takes a `char *` or a number",
            format!("this is {found}"),
            help,
        );
        self.unknown(span)
    }

    /// `_len(value)`.
    fn length(&mut self, expression: &ast::Expression, span: Span) -> hir::Expression {
        let long = self.basics.long;
        let operand = self.operand(expression);
        match operand {
            Operand::Container(container)
                if matches!(self.types.resolved(container.ty), Type::Aggregate) =>
            {
                self.error(
                    span,
                    "an aggregate holds no elements",
                    "how many values it has seen is `_count(a)`",
                );
                self.unknown(span)
            }
            Operand::Container(container) => hir::Expression {
                kind: ExpressionKind::ContainerOperation(
                    Operation::ContainerLength,
                    container,
                    Vec::new(),
                ),
                ty: long,
                span,
            },
            other => {
                if let Class::Array(_, Some(count)) = self.class(other.ty()) {
                    return self.integer(count, long, span);
                }
                let value = self.rvalue(other);
                match self.class(value.ty) {
                    Class::Unknown => self.unknown(span),
                    Class::Str => {
                        if let ExpressionKind::Str(bytes) = &value.kind {
                            return self.integer(bytes.len() as u64, long, span);
                        }
                        self.operation(Operation::StrLength, vec![value], long, span)
                    }
                    Class::Path => self.operation(Operation::PathDepth, vec![value], long, span),
                    Class::Pointer(_) => {
                        let found = self.quoted(value.ty);
                        self.error_help(
                            value.span,
                            "`_len` takes a string or a container",
                            format!("this is {found}"),
                            "the length of text of the target is `strlen(p)`",
                        );
                        self.unknown(span)
                    }
                    _ => {
                        let found = self.quoted(value.ty);
                        self.error(
                            value.span,
                            "`_len` takes a string or a container",
                            format!("this is {found}"),
                        );
                        self.unknown(span)
                    }
                }
            }
        }
    }

    /// `_chop_token(s, delimiters)`: takes the first token off `s`.
    fn chop_token(
        &mut self,
        variable: &ast::Expression,
        delimiters: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let place = self.writable(variable);
        let string = self.basics.string;
        let delimiters = self.value(delimiters);
        let delimiters = self.assign_to(
            delimiters,
            string,
            "the argument `delimiters` of `_chop_token`",
        );
        let Some(place) = place else {
            return self.unknown(span);
        };
        // The variable and the delimiters are read more than once, so they must have no effects.
        let simple = matches!(place.kind, PlaceKind::Local(_) | PlaceKind::Global(_));
        if self.class(place.ty) != Class::Str || !simple {
            self.error_help(
                variable.span,
                "`_chop_token` takes a variable of type `_str`",
                format!("this is {}", self.quoted(place.ty)),
                "copy it to a local variable first",
            );
            return self.unknown(span);
        }
        if self.is_unknown(delimiters.ty) {
            return self.unknown(span);
        }
        let hidden = |checker: &mut Self, name: &str| hir::Place {
            kind: PlaceKind::Local(checker.context.hidden_local(name, string, span)),
            ty: string,
            span,
        };
        let token = hidden(self, "token");
        let separators = hidden(self, "delimiters");
        let load = |place: &hir::Place| hir::Expression {
            kind: ExpressionKind::Load(Box::new(place.clone())),
            ty: string,
            span,
        };
        let store = |place: &hir::Place, value: hir::Expression| hir::Expression {
            kind: ExpressionKind::Assign(Box::new(place.clone()), Box::new(value)),
            ty: string,
            span,
        };
        let first = self.operation(
            Operation::StrFirstToken,
            vec![load(&place), load(&separators)],
            string,
            span,
        );
        let after = self.operation(
            Operation::StrAfterToken,
            vec![load(&place), load(&separators)],
            string,
            span,
        );
        let steps = [
            store(&separators, delimiters),
            store(&token, first),
            store(&place, after),
        ];
        let result = load(&token);
        steps
            .into_iter()
            .rev()
            .fold(result, |rest, step| hir::Expression {
                kind: ExpressionKind::Comma(Box::new(step), Box::new(rest)),
                ty: string,
                span,
            })
    }

    /// Text that is compared: an address in the target or a string.
    fn text_argument(&mut self, builtin: &Builtin, expression: &ast::Expression) -> Option<Text> {
        let value = self.value(expression);
        match self.class(value.ty) {
            Class::Unknown => None,
            Class::Str => Some(Text::Tracer(value)),
            Class::Pointer(_) => Some(Text::Target(value)),
            Class::Array(element, Some(_)) if self.is_character(element) => {
                let span = value.span;
                Some(Text::Tracer(self.value_text(value, span)))
            }
            _ => {
                let found = self.quoted(value.ty);
                self.error(
                    value.span,
                    format!(
                        "`{}` takes an address in the target or a string",
                        builtin.name
                    ),
                    format!("this is {found}"),
                );
                None
            }
        }
    }

    fn count_argument(
        &mut self,
        builtin: &Builtin,
        expression: &ast::Expression,
    ) -> Option<hir::Expression> {
        let value = self.value(expression);
        let ty = self.basics.unsigned_long;
        let what = format!("the argument `n` of `{}`", builtin.name);
        let value = self.assign_to(value, ty, &what);
        (!self.is_unknown(value.ty)).then_some(value)
    }

    fn prefix_of(
        &self,
        text: hir::Expression,
        count: hir::Expression,
        span: Span,
    ) -> hir::Expression {
        if let (ExpressionKind::Str(bytes), ExpressionKind::Integer(count)) =
            (&text.kind, &count.kind)
        {
            let count = usize::try_from(*count)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            return self.str_constant(bytes.get(..count).unwrap_or_default(), span);
        }
        let start = self.integer(0, self.basics.long, span);
        self.operation(
            Operation::StrSubstr,
            vec![text, start, count],
            self.basics.string,
            span,
        )
    }

    fn memory_compare(
        &mut self,
        builtin: &Builtin,
        left: &ast::Expression,
        right: &ast::Expression,
        count: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let sides = self.text_arguments(builtin, left, right);
        let count = self.count_argument(builtin, count);
        let (Some(sides), Some(count)) = (sides, count) else {
            return self.unknown(span);
        };
        let operation = Operation::TargetCompare;
        self.compare_texts(sides, operation, Some(&count), span, |text| match text {
            Text::Target(pointer) => self.operation(
                Operation::TargetBytes,
                vec![pointer, count.clone()],
                self.basics.string,
                span,
            ),
            Text::Tracer(text) => self.prefix_of(text, count.clone(), span),
        })
    }

    fn string_compare(
        &mut self,
        builtin: &Builtin,
        left: &ast::Expression,
        right: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let Some(sides) = self.text_arguments(builtin, left, right) else {
            return self.unknown(span);
        };
        let operation = Operation::TargetStringCompare;
        self.compare_texts(sides, operation, None, span, |text| match text {
            Text::Target(pointer) => self.operation(
                Operation::TargetString,
                vec![pointer],
                self.basics.string,
                span,
            ),
            Text::Tracer(text) => text,
        })
    }

    fn string_compare_n(
        &mut self,
        builtin: &Builtin,
        left: &ast::Expression,
        right: &ast::Expression,
        count: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let sides = self.text_arguments(builtin, left, right);
        let count = self.count_argument(builtin, count);
        let (Some(sides), Some(count)) = (sides, count) else {
            return self.unknown(span);
        };
        // Against a literal no byte beyond the literal's NUL matters, so text that has no NUL of
        // its own (nginx's) is not read to an end that it does not have.
        let literal = sides.iter().find_map(|text| match text {
            Text::Tracer(hir::Expression {
                kind: ExpressionKind::Str(bytes),
                ..
            }) => Some(bytes.len() as i128 + 1),
            _ => None,
        });
        let bound = match (self.constant_of(&count), literal) {
            (Some(count), Some(literal)) => {
                Some(count.min(literal)).filter(|bound| *bound <= LONGEST_LITERAL)
            }
            _ => None,
        };
        let bound = bound.map(|bound| self.integer(bound as u64, count.ty, span));
        let operation = Operation::TargetStringCompareN;
        self.compare_texts(sides, operation, Some(&count), span, |text| {
            match (text, &bound) {
                (Text::Target(pointer), Some(bound)) => self.operation(
                    Operation::TargetBytes,
                    vec![pointer, bound.clone()],
                    self.basics.string,
                    span,
                ),
                (Text::Target(pointer), None) => {
                    let text = self.operation(
                        Operation::TargetString,
                        vec![pointer],
                        self.basics.string,
                        span,
                    );
                    self.prefix_of(text, count.clone(), span)
                }
                (Text::Tracer(text), Some(bound)) => {
                    let text = match text.kind {
                        ExpressionKind::Str(mut bytes) => {
                            bytes.push(0);
                            self.str_constant(bytes, span)
                        }
                        kind => hir::Expression { kind, ..text },
                    };
                    self.prefix_of(text, bound.clone(), span)
                }
                (Text::Tracer(text), None) => self.prefix_of(text, count.clone(), span),
            }
        })
    }

    /// Both sides of a comparison, each as it is given.
    fn text_arguments(
        &mut self,
        builtin: &Builtin,
        left: &ast::Expression,
        right: &ast::Expression,
    ) -> Option<[Text; 2]> {
        let left = self.text_argument(builtin, left);
        let right = self.text_argument(builtin, right);
        Some([left?, right?])
    }

    /// Compares two texts: in the target where both are there, up to a count if one is given; else as strings, which
    /// `side` makes of them.
    fn compare_texts(
        &self,
        sides: [Text; 2],
        in_target: Operation,
        count: Option<&hir::Expression>,
        span: Span,
        side: impl Fn(Text) -> hir::Expression,
    ) -> hir::Expression {
        let (operation, arguments) = match sides {
            [Text::Target(left), Text::Target(right)] => {
                let given = [left, right].into_iter();
                (in_target, given.chain(count.cloned()).collect())
            }
            sides => (Operation::StrCompare, sides.map(side).into()),
        };
        self.operation(operation, arguments, self.basics.int, span)
    }

    /// `_uaddr("name")`.
    fn symbol_address(&mut self, name: &ast::Expression, span: Span) -> hir::Expression {
        let value = self.value(name);
        let value = self.with_option_values(value);
        if self.is_unknown(value.ty) {
            return self.unknown(span);
        }
        let ExpressionKind::Str(bytes) = &value.kind else {
            self.error(
                name.span,
                "`_uaddr` takes a name that is known before anything runs",
                format!("this is {}", self.quoted(value.ty)),
            );
            return self.unknown(span);
        };
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (prefix, text) = match text.rsplit_once("::") {
            Some((prefix, text)) => (Some(prefix.to_owned()), text.to_owned()),
            None => (None, text),
        };
        let name = ast::Name {
            prefix,
            text,
            span: name.span,
        };
        let scope: Scope = self.scope_of(&name);
        let pointer = self.basics.void_pointer;
        let Some(target) = self.target.as_deref_mut() else {
            self.add_unresolved(span, name.text);
            return self.unknown(span);
        };
        let function = target.find_function(&scope, &name.text);
        let variable = target.find_variable(&scope, &name.text);
        match (function, variable) {
            (Ok(Some(function)), _) => self.integer(function.address, pointer, span),
            (_, Ok(Some(variable))) if !variable.thread_local => {
                self.integer(variable.address, pointer, span)
            }
            (Err(error), _) | (_, Err(error)) => {
                self.lookup_error(&name, error);
                self.unknown(span)
            }
            _ => {
                self.unknown_name(&name);
                self.unknown(span)
            }
        }
    }

    fn assert_call(&mut self, condition: &ast::Expression, span: Span) -> hir::Expression {
        let text = self.text(condition.span);
        let condition = self.condition(condition);
        if self.is_unknown(condition.ty) {
            return self.unknown(span);
        }
        let message = self.str_constant(text, span);
        let failed = self.operation(
            Operation::AssertionFailed,
            vec![message],
            self.basics.void,
            span,
        );
        let failed = hir::Expression {
            kind: ExpressionKind::Comma(Box::new(failed), Box::new(self.int(0, span))),
            ty: self.basics.int,
            span,
        };
        let either = hir::Expression {
            kind: ExpressionKind::Logical {
                and: false,
                left: Box::new(condition),
                right: Box::new(failed),
            },
            ty: self.basics.int,
            span,
        };
        // A statement for its effect, whose value nobody misses.
        hir::Expression {
            kind: ExpressionKind::Comma(Box::new(either), Box::new(self.int(0, span))),
            ty: self.basics.void,
            span,
        }
    }

    fn assert_equal(
        &mut self,
        builtin: &Builtin,
        name: &ast::Expression,
        numbers: &[&ast::Expression],
        span: Span,
    ) -> hir::Expression {
        let mut values = vec![self.kind_argument(builtin, 0, name)];
        let long = self.basics.long;
        let which = ["the first number", "the second number", "the tolerance"];
        for (expression, which) in numbers.iter().zip(which) {
            let value = self.value(expression);
            values.push(match self.class(value.ty) {
                Class::Pointer(_) => self.convert(value, long),
                _ => self.assign_to(value, long, &format!("{which} of `_assert_equal`")),
            });
        }
        if numbers.len() < which.len() {
            values.push(self.integer(0, long, span));
        }
        if values.iter().any(|value| self.is_unknown(value.ty)) {
            return self.unknown(span);
        }
        self.operation(Operation::AssertEqual, values, self.basics.void, span)
    }
}
