//! Precedence: from a chain of operands and operators to a tree.
//!
//! The grammar keeps every chain of infix operators flat. A chain without `(name)` before
//! `* & + - (` gets its tree at once; the others wait until the checker knows which names are
//! types.

use crate::ast::{
    Argument, BinaryOperator, Expression, ExpressionKind, FlatOperator, FlatPart, FlatSuffix, Name,
    TypeName, TypeSpecifier, UnaryOperator,
};
use crate::source::Span;

/// The tree of a chain. `is_type` says whether a bare name in parentheses is a type (then it is a
/// cast); it is asked once for each such name, from left to right.
///
/// A chain that makes no sense (the grammar gives none) becomes [`ExpressionKind::Error`].
pub fn resolve(parts: &[FlatPart], is_type: &mut dyn FnMut(&Name) -> bool) -> Expression {
    let types = parts
        .iter()
        .map(|part| match part {
            FlatPart::Parenthesized(name, _) => is_type(name),
            _ => false,
        })
        .collect();
    let mut resolver = Resolver {
        parts,
        types,
        position: 0,
    };
    let result = resolver.binary(0);
    if resolver.position == parts.len() {
        result
    } else {
        error(result.span)
    }
}

fn error(span: Span) -> Expression {
    Expression {
        kind: ExpressionKind::Error,
        span,
    }
}

/// An infix operator once it is certain.
#[derive(Clone, Copy)]
enum Infix {
    Binary(BinaryOperator),
    In,
    Match { negated: bool },
}

impl Infix {
    /// C's precedence; a higher one binds tighter.
    fn precedence(self) -> u8 {
        match self {
            Infix::Binary(operator) => match operator {
                BinaryOperator::LogicalOr => 1,
                BinaryOperator::LogicalAnd => 2,
                BinaryOperator::Or => 3,
                BinaryOperator::Xor => 4,
                BinaryOperator::And => 5,
                BinaryOperator::Equal | BinaryOperator::NotEqual => 6,
                BinaryOperator::Less
                | BinaryOperator::LessEqual
                | BinaryOperator::Greater
                | BinaryOperator::GreaterEqual => 7,
                BinaryOperator::ShiftLeft | BinaryOperator::ShiftRight => 8,
                BinaryOperator::Add | BinaryOperator::Subtract => 9,
                BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Remainder => 10,
            },
            Infix::Match { .. } => 6,
            Infix::In => 7,
        }
    }
}

struct Resolver<'a> {
    parts: &'a [FlatPart],
    types: Vec<bool>,
    position: usize,
}

impl Resolver<'_> {
    /// The infix operator at the current position.
    fn infix(&self) -> Option<Infix> {
        match self.parts.get(self.position)? {
            FlatPart::Operator(operator, _) => Some(match operator {
                FlatOperator::Star => Infix::Binary(BinaryOperator::Multiply),
                FlatOperator::Ampersand => Infix::Binary(BinaryOperator::And),
                FlatOperator::Plus => Infix::Binary(BinaryOperator::Add),
                FlatOperator::Minus => Infix::Binary(BinaryOperator::Subtract),
                FlatOperator::Infix(operator) => Infix::Binary(*operator),
                FlatOperator::In => Infix::In,
                FlatOperator::Match { negated } => Infix::Match { negated: *negated },
                FlatOperator::Prefix(_) => return None,
            }),
            _ => None,
        }
    }

    /// Operands joined by operators that bind at least as tightly as `minimum`. Recursion is
    /// bounded by the number of precedences.
    fn binary(&mut self, minimum: u8) -> Expression {
        let mut left = self.unary();
        while let Some(infix) = self.infix() {
            let precedence = infix.precedence();
            if precedence < minimum {
                break;
            }
            self.position += 1;
            let right = self.binary(precedence + 1);
            let span = left.span.to(right.span);
            let kind = match infix {
                Infix::Binary(operator) => {
                    ExpressionKind::Binary(operator, Box::new(left), Box::new(right))
                }
                Infix::In => ExpressionKind::In(keys(left), Box::new(right)),
                Infix::Match { negated } => ExpressionKind::Match {
                    subject: Box::new(left),
                    pattern: Box::new(right),
                    negated,
                },
            };
            left = Expression { kind, span };
        }
        left
    }

    /// An operand with its prefix operators and casts.
    fn unary(&mut self) -> Expression {
        let mut prefixes: Vec<(Prefix, Span)> = Vec::new();
        let mut operand = loop {
            let Some(part) = self.parts.get(self.position) else {
                break error(prefixes.last().map(|(_, span)| *span).unwrap_or_default());
            };
            let is_type = self.types.get(self.position).copied().unwrap_or(false);
            self.position += 1;
            match part {
                FlatPart::Operand(operand) => break operand.clone(),
                FlatPart::Cast(ty, span) => prefixes.push((Prefix::Cast(ty.clone()), *span)),
                FlatPart::Parenthesized(name, span) if is_type => {
                    let ty = TypeName {
                        base: TypeSpecifier::Named(name.clone()),
                        derivations: Vec::new(),
                        span: name.span,
                    };
                    prefixes.push((Prefix::Cast(ty), *span));
                }
                FlatPart::Parenthesized(name, span) => break self.called(name, *span),
                FlatPart::Group(arguments, span) => {
                    let operand = parenthesized(arguments, *span);
                    break self.suffixes(operand);
                }
                FlatPart::Operator(operator, span) => {
                    let operator = match operator {
                        FlatOperator::Star => UnaryOperator::Dereference,
                        FlatOperator::Ampersand => UnaryOperator::AddressOf,
                        FlatOperator::Plus => UnaryOperator::Plus,
                        FlatOperator::Minus => UnaryOperator::Negate,
                        FlatOperator::Prefix(operator) => *operator,
                        _ => break error(*span),
                    };
                    prefixes.push((Prefix::Operator(operator), *span));
                }
                FlatPart::Suffix(_, span) => break error(*span),
            }
        };
        while let Some((prefix, span)) = prefixes.pop() {
            let whole = span.to(operand.span);
            let kind = match prefix {
                Prefix::Operator(operator) => ExpressionKind::Unary(operator, Box::new(operand)),
                Prefix::Cast(ty) => ExpressionKind::Cast(Box::new(ty), Box::new(operand)),
            };
            operand = Expression { kind, span: whole };
        }
        operand
    }

    /// `(name)` that is not a type, with the groups and suffixes that follow: `(f)(x)->y`.
    fn called(&mut self, name: &Name, span: Span) -> Expression {
        let mut result = Expression {
            kind: ExpressionKind::Name(name.clone()),
            span,
        };
        loop {
            let (arguments, end) = match self.parts.get(self.position) {
                Some(FlatPart::Group(arguments, end)) => (arguments.clone(), *end),
                Some(FlatPart::Parenthesized(argument, end)) => {
                    let argument = Expression {
                        kind: ExpressionKind::Name(argument.clone()),
                        span: argument.span,
                    };
                    (vec![Argument::Expression(argument)], *end)
                }
                _ => break,
            };
            self.position += 1;
            let span = result.span.to(end);
            result = Expression {
                kind: ExpressionKind::Call(Box::new(result), arguments),
                span,
            };
            result = self.suffixes(result);
        }
        result
    }

    fn suffixes(&mut self, mut operand: Expression) -> Expression {
        while let Some(FlatPart::Suffix(suffix, span)) = self.parts.get(self.position) {
            self.position += 1;
            operand = apply_suffix(operand, suffix.clone(), *span);
        }
        operand
    }
}

enum Prefix {
    Operator(UnaryOperator),
    Cast(TypeName),
}

/// An operand with a postfix operator.
pub(crate) fn apply_suffix(operand: Expression, suffix: FlatSuffix, end: Span) -> Expression {
    let span = operand.span.to(end);
    let operand = Box::new(operand);
    let kind = match suffix {
        FlatSuffix::Index(indices) => ExpressionKind::Index(operand, indices),
        FlatSuffix::Call(arguments) => ExpressionKind::Call(operand, arguments),
        FlatSuffix::Member { arrow, member } => ExpressionKind::Member {
            object: operand,
            arrow,
            member,
        },
        FlatSuffix::Step { increment } => ExpressionKind::Step {
            increment,
            prefix: false,
            operand,
        },
    };
    Expression { kind, span }
}

/// `(a, b)` as one operand: C's comma.
fn parenthesized(arguments: &[Argument], span: Span) -> Expression {
    let mut result: Option<Expression> = None;
    for argument in arguments {
        let Argument::Expression(next) = argument else {
            return error(span);
        };
        result = Some(match result {
            None => next.clone(),
            Some(left) => {
                let span = left.span.to(next.span);
                Expression {
                    kind: ExpressionKind::Comma(Box::new(left), Box::new(next.clone())),
                    span,
                }
            }
        });
    }
    match result {
        Some(mut result) => {
            result.span = span;
            result
        }
        None => error(span),
    }
}

/// The keys of `(a, b) in t`. A comma reaches a chain only in parentheses; one in parentheses of
/// its own, as in `((a, b), c) in t`, is C's.
fn keys(left: Expression) -> Vec<Expression> {
    let mut keys = Vec::new();
    let mut rest = left;
    loop {
        match rest.kind {
            ExpressionKind::Comma(before, last)
                if keys.is_empty() || rest.span == before.span.to(last.span) =>
            {
                keys.push(*last);
                rest = *before;
            }
            _ => {
                keys.push(rest);
                break;
            }
        }
    }
    keys.reverse();
    keys
}
