//! The expressions of `#if`.

use super::Preprocessor;
use crate::diagnostics::Diagnostic;
use crate::lexer::{Token, TokenKind};
use crate::lexer_literals::{self, Number};
use crate::source::Span;

/// Operands that may stand inside one another.
const MAX_DEPTH: usize = 100;

/// A value of C's `intmax_t` or `uintmax_t`.
#[derive(Clone, Copy, Debug)]
struct Value {
    bits: u64,
    unsigned: bool,
}

impl Value {
    fn boolean(value: bool) -> Self {
        Self {
            bits: u64::from(value),
            unsigned: false,
        }
    }
}

impl Preprocessor<'_, '_, '_> {
    /// Whether the expression of an `#if` holds. What is wrong is reported; then it does not.
    pub(super) fn evaluate(&mut self, arguments: &[&Token], span: Span) -> bool {
        let mut tokens: Vec<Token> = Vec::with_capacity(arguments.len());
        let mut rest = arguments;
        // `defined` is settled before macros are expanded.
        loop {
            rest = match rest {
                [word, open, name, close, after @ ..]
                    if word.is_word("defined") && open.is("(") && close.is(")") =>
                {
                    let defined = self.defined(name);
                    tokens.push(self.number(word, defined));
                    after
                }
                [word, name, after @ ..]
                    if word.is_word("defined") && name.kind == TokenKind::Identifier =>
                {
                    let defined = self.defined(name);
                    tokens.push(self.number(word, defined));
                    after
                }
                [token, after @ ..] => {
                    tokens.push((*token).clone());
                    after
                }
                [] => break,
            };
        }
        let tokens = self.expand(tokens);
        let mut evaluation = Evaluation {
            tokens: &tokens,
            position: 0,
            depth: 0,
            span,
            error: None,
        };
        let value = evaluation.conditional(true);
        if evaluation.error.is_none() && evaluation.position < tokens.len() {
            evaluation.fail("an operator is wanted here");
        }
        match evaluation.error {
            None => value.bits != 0,
            Some((at, message)) => {
                self.diagnostics.push(
                    Diagnostic::error(at, "this condition makes no sense", message).with_help(
                        "`#if` takes integers, operators and `defined`; the target is asked with `##if…`",
                    ),
                );
                false
            }
        }
    }

    fn defined(&mut self, name: &Token) -> bool {
        name.prefix.is_none() && self.is_macro(name)
    }

    fn number(&mut self, place: &Token, value: bool) -> Token {
        Token {
            kind: TokenKind::Number,
            text: self.interner.intern(if value { "1" } else { "0" }),
            ..place.clone()
        }
    }
}

struct Evaluation<'a> {
    tokens: &'a [Token],
    position: usize,
    depth: usize,
    span: Span,
    error: Option<(Span, String)>,
}

impl Evaluation<'_> {
    fn fail(&mut self, message: impl Into<String>) -> Value {
        let at = self
            .tokens
            .get(self.position)
            .map_or(self.span, |token| token.span);
        if self.error.is_none() {
            self.error = Some((at, message.into()));
        }
        // Nothing that follows is looked at.
        self.position = self.tokens.len();
        Value::boolean(false)
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self
            .tokens
            .get(self.position)
            .is_some_and(|token| token.is(text));
        if found {
            self.position += 1;
        }
        found
    }

    /// `live` is false where C does not evaluate: a division by zero is no error there.
    fn conditional(&mut self, live: bool) -> Value {
        if self.depth >= MAX_DEPTH {
            return self.fail("too deep");
        }
        self.depth += 1;
        let condition = self.binary(0, live);
        let result = if self.take("?") {
            let then = self.conditional(live && condition.bits != 0);
            if self.take(":") {
                let other = self.conditional(live && condition.bits == 0);
                let chosen = if condition.bits != 0 { then } else { other };
                Value {
                    unsigned: then.unsigned || other.unsigned,
                    ..chosen
                }
            } else {
                self.fail("`:` is wanted here")
            }
        } else {
            condition
        };
        self.depth -= 1;
        result
    }

    fn operator(&self) -> Option<(&'static str, u8)> {
        const OPERATORS: &[(&str, u8)] = &[
            ("||", 1),
            ("&&", 2),
            ("|", 3),
            ("^", 4),
            ("&", 5),
            ("==", 6),
            ("!=", 6),
            ("<", 7),
            ("<=", 7),
            (">", 7),
            (">=", 7),
            ("<<", 8),
            (">>", 8),
            ("+", 9),
            ("-", 9),
            ("*", 10),
            ("/", 10),
            ("%", 10),
        ];
        let token = self.tokens.get(self.position)?;
        OPERATORS.iter().find(|(text, _)| token.is(text)).copied()
    }

    fn binary(&mut self, minimum: u8, live: bool) -> Value {
        let mut left = self.unary(live);
        while let Some((operator, precedence)) = self.operator() {
            if precedence < minimum || self.error.is_some() {
                break;
            }
            self.position += 1;
            let live_right = live
                && match operator {
                    "||" => left.bits == 0,
                    "&&" => left.bits != 0,
                    _ => true,
                };
            let right = self.binary(precedence + 1, live_right);
            left = self.apply(operator, left, right, live);
        }
        left
    }

    fn apply(&mut self, operator: &str, left: Value, right: Value, live: bool) -> Value {
        let unsigned = left.unsigned || right.unsigned;
        let (a, b) = (left.bits, right.bits);
        let (sa, sb) = (a as i64, b as i64);
        let less = if unsigned { a < b } else { sa < sb };
        let bits = match operator {
            "||" => return Value::boolean(a != 0 || b != 0),
            "&&" => return Value::boolean(a != 0 && b != 0),
            "==" => return Value::boolean(a == b),
            "!=" => return Value::boolean(a != b),
            "<" => return Value::boolean(less),
            ">=" => return Value::boolean(!less),
            ">" => return Value::boolean(!less && a != b),
            "<=" => return Value::boolean(less || a == b),
            "|" => a | b,
            "^" => a ^ b,
            "&" => a & b,
            "+" => a.wrapping_add(b),
            "-" => a.wrapping_sub(b),
            "*" => a.wrapping_mul(b),
            "<<" | ">>" => {
                let count = u32::try_from(b).ok().filter(|count| *count < 64);
                let Some(count) = count else {
                    return if live {
                        self.fail("a shift by 64 or more")
                    } else {
                        Value::boolean(false)
                    };
                };
                return Value {
                    bits: match (operator, left.unsigned) {
                        ("<<", _) => a << count,
                        (_, true) => a >> count,
                        (_, false) => (sa >> count) as u64,
                    },
                    unsigned: left.unsigned,
                };
            }
            _ => {
                if b == 0 {
                    return if live {
                        self.fail("a division by zero")
                    } else {
                        Value::boolean(false)
                    };
                }
                match (operator, unsigned) {
                    ("/", true) => a / b,
                    ("/", false) => sa.wrapping_div(sb) as u64,
                    (_, true) => a % b,
                    (_, false) => sa.wrapping_rem(sb) as u64,
                }
            }
        };
        Value { bits, unsigned }
    }

    fn unary(&mut self, live: bool) -> Value {
        if self.depth >= MAX_DEPTH {
            return self.fail("too deep");
        }
        self.depth += 1;
        let value = self.operand(live);
        self.depth -= 1;
        value
    }

    fn operand(&mut self, live: bool) -> Value {
        let Some(token) = self.tokens.get(self.position) else {
            return self.fail("a value is missing at the end");
        };
        match token.kind {
            TokenKind::Number => match lexer_literals::number(&token.text) {
                Ok(Number::Integer(integer)) => {
                    self.position += 1;
                    Value {
                        bits: integer.value,
                        unsigned: integer.unsigned || integer.value > i64::MAX as u64,
                    }
                }
                Ok(Number::Float(..)) => self.fail("an integer is wanted here"),
                Err(message) => self.fail(message),
            },
            TokenKind::Character => match lexer_literals::character(&token.text) {
                Ok(value) => {
                    self.position += 1;
                    Value {
                        bits: value as u64,
                        unsigned: false,
                    }
                }
                Err(message) => self.fail(message),
            },
            TokenKind::Identifier | TokenKind::Quoted => {
                // A name that is no macro is 0, as in C.
                let value = token.is_word("true");
                self.position += 1;
                Value::boolean(value)
            }
            _ if token.is("(") => {
                self.position += 1;
                let value = self.conditional(live);
                if !self.take(")") {
                    return self.fail("`)` is wanted here");
                }
                value
            }
            _ if token.is("!") => {
                self.position += 1;
                let value = self.unary(live);
                Value::boolean(value.bits == 0)
            }
            _ if token.is("-") => {
                self.position += 1;
                let value = self.unary(live);
                Value {
                    bits: value.bits.wrapping_neg(),
                    ..value
                }
            }
            _ if token.is("+") => {
                self.position += 1;
                self.unary(live)
            }
            _ if token.is("~") || token.is("~~") => {
                let twice = token.is("~~");
                self.position += 1;
                let value = self.unary(live);
                Value {
                    bits: if twice { value.bits } else { !value.bits },
                    ..value
                }
            }
            _ => self.fail("a value is wanted here"),
        }
    }
}
