//! Parses one item, and goes on after a wrong statement.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ops::Range;

use lalrpop_util::ParseError;

use super::{MAX_ERRORS, messages};
use crate::ast::ItemKind;
use crate::classify::{self, Classified};
use crate::diagnostics::Diagnostic;
use crate::grammar::ItemParser;
use crate::grammar_actions::Context;
use crate::source::Span;
use crate::terminal::{Lexeme, Terminal};

/// Parses the terminals of one item. `None` if nothing of it could be used; whatever is wrong has
/// been reported.
pub fn parse_item(
    lexemes: Vec<Lexeme>,
    typedefs: &mut HashSet<String>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<ItemKind> {
    let mut classified = classify::classify(lexemes, typedefs);
    loop {
        let spans: Vec<Span> = classified
            .lexemes
            .iter()
            .map(|lexeme| lexeme.span)
            .collect();
        let context = Context {
            spans: &spans,
            diagnostics: RefCell::new(Vec::new()),
        };
        let terminals = classified
            .lexemes
            .iter()
            .enumerate()
            .map(|(index, lexeme)| Ok((index, lexeme.terminal.clone(), index + 1)));
        let (at, expected) = match ItemParser::new().parse(&context, terminals) {
            Ok(kind) => {
                diagnostics.append(&mut context.diagnostics.borrow_mut());
                return Some(kind);
            }
            Err(ParseError::UnrecognizedToken {
                token: (at, _, _),
                expected,
            }) => (at, expected),
            Err(ParseError::ExtraToken { token: (at, _, _) }) => (at, Vec::new()),
            Err(ParseError::UnrecognizedEof { expected, .. }) => {
                (classified.lexemes.len(), expected)
            }
            Err(ParseError::InvalidToken { .. } | ParseError::User { .. }) => {
                (classified.lexemes.len(), Vec::new())
            }
        };
        diagnostics.push(messages::unexpected(&classified.lexemes, at, &expected));
        if diagnostics.len() > MAX_ERRORS {
            return None;
        }
        // Where no statement could start, the one before has no end.
        let unfinished = !expected.iter().any(|name| name.trim_matches('"') == "}");
        let region = statement_around(&classified, at, unfinished)?;
        replace(&mut classified, region);
    }
}

/// The statement that holds the terminal at `at`: from the end of the statement before it to its
/// own end, in the innermost block. If `at` starts a statement and the one before is `unfinished`,
/// that one.
fn statement_around(classified: &Classified, at: usize, unfinished: bool) -> Option<Range<usize>> {
    // The innermost block that is open at `at`.
    let mut open: Vec<usize> = Vec::new();
    for (index, lexeme) in classified.lexemes.iter().enumerate().take(at) {
        match lexeme.terminal {
            Terminal::LeftParenthesis | Terminal::LeftBracket | Terminal::LeftBrace => {
                open.push(index);
            }
            Terminal::RightParenthesis | Terminal::RightBracket | Terminal::RightBrace => {
                open.pop();
            }
            _ => {}
        }
    }
    let block = open
        .into_iter()
        .rev()
        .find(|index| classified.blocks.get(*index) == Some(&true))?;
    let mut start = block + 1;
    let mut depth = 0usize;
    let mut index = block + 1;
    while let Some(lexeme) = classified.lexemes.get(index) {
        let next_is_else = classified
            .lexemes
            .get(index + 1)
            .is_some_and(|next| next.is(&Terminal::Else));
        let ends = match lexeme.terminal {
            Terminal::LeftParenthesis | Terminal::LeftBracket | Terminal::LeftBrace => {
                depth += 1;
                false
            }
            Terminal::RightParenthesis | Terminal::RightBracket => {
                depth = depth.saturating_sub(1);
                false
            }
            Terminal::RightBrace => {
                if depth == 0 {
                    // The end of the block itself.
                    return (start < index).then_some(start..index);
                }
                depth -= 1;
                depth == 0
            }
            Terminal::Semicolon | Terminal::ErrorStatement => depth == 0,
            _ => false,
        };
        if ends && index < at {
            if !(next_is_else && index + 1 < at) {
                let before = start;
                start = index + 1;
                if start == at && unfinished {
                    return Some(before..start);
                }
            }
        } else if ends && !next_is_else {
            return Some(start..index + 1);
        }
        index += 1;
    }
    None
}

/// Puts one error statement in the place of a range.
fn replace(classified: &mut Classified, region: Range<usize>) {
    let span = match (
        classified.lexemes.get(region.start),
        classified.lexemes.get(region.end.saturating_sub(1)),
    ) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::default(),
    };
    classified.lexemes.splice(
        region.clone(),
        [Lexeme {
            terminal: Terminal::ErrorStatement,
            span,
            text: "".into(),
            first: false,
            weak: false,
        }],
    );
    classified.blocks.splice(region, [false]);
}
