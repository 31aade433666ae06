//! Words of the language without their underscore: `foreach (k in t) { … }`.
//!
//! A name of the script or of the target may be spelt so. Only what C has no use for is taken for such a word: each shape here
//! would be a syntax error. It is reported once, and read as what is meant, so that nothing else of it is in the way.

use crate::diagnostics::Diagnostic;
use crate::terminal::{self, Lexeme, Terminal};

/// How far the end of a bracket is looked for, in lexemes.
const REACH: usize = 256;

/// Puts the words that are meant in the place of those without an underscore, and reports them.
pub(super) fn mend(lexemes: &mut [Lexeme], diagnostics: &mut Vec<Diagnostic>) {
    // Inside of how many brackets the head of a `_foreach` or `_sort` began.
    let mut heads: Vec<usize> = Vec::new();
    let mut depth = 0_usize;
    for index in 0..lexemes.len() {
        let Some(lexeme) = lexemes.get(index) else {
            break;
        };
        match &lexeme.terminal {
            Terminal::LeftParenthesis | Terminal::LeftBracket | Terminal::LeftBrace => {
                depth += 1;
                let before = index.checked_sub(1).and_then(|before| lexemes.get(before));
                if before.is_some_and(|before| {
                    matches!(before.terminal, Terminal::Foreach | Terminal::Sort)
                }) {
                    heads.push(depth);
                }
                continue;
            }
            Terminal::RightParenthesis | Terminal::RightBracket | Terminal::RightBrace => {
                heads.pop_if(|head| *head == depth);
                depth = depth.saturating_sub(1);
                continue;
            }
            Terminal::Identifier(name) if name.prefix.is_none() => {}
            _ => continue,
        }
        let in_head = heads.last() == Some(&depth);
        if names_side(lexemes, index) {
            if let Some(lexeme) = lexemes.get_mut(index) {
                diagnostics.push(side(lexeme));
                lexeme.terminal = Terminal::Qualifier;
            }
            continue;
        }
        let Some(meant) = meant(lexemes, index, depth, in_head) else {
            continue;
        };
        let Some(lexeme) = lexemes.get_mut(index) else {
            break;
        };
        // In backquotes it is a name.
        if lexeme.text.starts_with('`') {
            continue;
        }
        let word = format!("_{}", lexeme.text);
        diagnostics.push(
            Diagnostic::error(
                lexeme.span,
                format!("`{}` is no word of the language", lexeme.text),
                "words that C does not have begin with an underscore",
            )
            .with_help(format!("did you mean `{word}`?")),
        );
        let is_probe = meant == Terminal::Probe;
        lexeme.terminal = meant;
        lexeme.text = word.into();
        // Points are words behind `_probe` alone.
        if is_probe
            && let Some(next) = lexemes.get_mut(index + 1)
            && let Some(point) = terminal::point(&next.text)
        {
            next.terminal = point;
        }
    }
}

/// Whether a declaration says by Y's word on which side something lies. Names are free, but no name stands before a type.
fn names_side(lexemes: &[Lexeme], index: usize) -> bool {
    let at = |index: usize| lexemes.get(index).map(|lexeme| &lexeme.terminal);
    lexemes
        .get(index)
        .is_some_and(|lexeme| matches!(&*lexeme.text, "_target" | "_tracer"))
        && match at(index + 1) {
            Some(
                Terminal::TypeWord(_)
                | Terminal::Qualifier
                | Terminal::Struct { .. }
                | Terminal::Enum { .. }
                | Terminal::Typeof
                | Terminal::Typedef,
            ) => true,
            // A type could be called so: `_target x;`.
            Some(Terminal::Identifier(_)) => matches!(
                at(index + 2),
                Some(Terminal::Identifier(_) | Terminal::Star)
            ),
            _ => false,
        }
}

/// What is said of such a word.
fn side(lexeme: &Lexeme) -> Diagnostic {
    let (means, help) = match &*lexeme.text {
        "_target" => (
            "in Y it says that something is the target's",
            "leave it out: variables, functions and types of the target are used by their names, without a declaration, and pointers lead there",
        ),
        _ => (
            "in Y it says that something is the tracer's",
            "leave it out: what a program declares is its own",
        ),
    };
    Diagnostic::error(
        lexeme.span,
        format!("`{}` is no word of the language", lexeme.text),
        means,
    )
    .with_help(help)
}

/// The word that an identifier is without its underscore, where it can be nothing else.
fn meant(lexemes: &[Lexeme], index: usize, depth: usize, in_head: bool) -> Option<Terminal> {
    let text = &*lexemes.get(index)?.text;
    let before = index
        .checked_sub(1)
        .and_then(|before| lexemes.get(before))
        .map(|lexeme| &lexeme.terminal);
    let at = |offset: usize| lexemes.get(index + offset).map(|lexeme| &lexeme.terminal);
    let starts_statement = matches!(
        before,
        None | Some(
            Terminal::Semicolon
                | Terminal::LeftBrace
                | Terminal::RightBrace
                | Terminal::RightParenthesis
                | Terminal::Else
                | Terminal::Do
                | Terminal::Colon
        )
    );
    let starts_item = depth == 0
        && matches!(
            before,
            None | Some(Terminal::Semicolon | Terminal::RightBrace | Terminal::Documentation(_))
        );
    let is_name = |terminal: Option<&Terminal>| matches!(terminal, Some(Terminal::Identifier(_)));
    let is_string = |terminal: Option<&Terminal>| matches!(terminal, Some(Terminal::String(_)));
    // A statement follows the bracket that opens at `index + 1`.
    let statement_follows = || {
        let close = closing(lexemes, index + 1)?;
        let next = lexemes.get(close + 1)?;
        matches!(
            next.terminal,
            Terminal::LeftBrace
                | Terminal::Identifier(_)
                | Terminal::TypeWord(_)
                | Terminal::If
                | Terminal::For
                | Terminal::While
                | Terminal::Switch
                | Terminal::Return
                | Terminal::Continue
                | Terminal::Break
                | Terminal::Delete
                | Terminal::Foreach
                | Terminal::Try
        )
        .then_some(())
    };
    let found = match text {
        "foreach"
            if starts_statement
                && at(1) == Some(&Terminal::LeftParenthesis)
                && is_name(at(2))
                && (at(3) == Some(&Terminal::In)
                    || (at(3) == Some(&Terminal::Comma)
                        && is_name(at(4))
                        && at(5) == Some(&Terminal::In)))
                && statement_follows().is_some() =>
        {
            Terminal::Foreach
        }
        "try" if starts_statement && at(1) == Some(&Terminal::LeftBrace) && depth > 0 => {
            Terminal::Try
        }
        "catch"
            if before == Some(&Terminal::RightBrace)
                && at(1) == Some(&Terminal::LeftParenthesis)
                && closing(lexemes, index + 1).is_some_and(|close| {
                    lexemes
                        .get(close + 1)
                        .is_some_and(|next| next.is(&Terminal::LeftBrace))
                }) =>
        {
            Terminal::Catch
        }
        "view" if starts_item && is_name(at(1)) && is_string(at(2)) => Terminal::View,
        "module" if starts_item && (is_string(at(1)) || at(1) == Some(&Terminal::Exe)) => {
            Terminal::Module
        }
        "layout" if starts_item && is_name(at(1)) && at(2) == Some(&Terminal::LeftBrace) => {
            Terminal::Layout
        }
        "option"
            if starts_item
                && (matches!(at(1), Some(Terminal::TypeWord(_)))
                    || (is_name(at(1)) && is_name(at(2)))) =>
        {
            Terminal::Option
        }
        "probe" if starts_item && is_name(at(1)) => {
            let point = &*lexemes.get(index + 1)?.text;
            let known =
                terminal::point(point).is_some() || terminal::point(&format!("_{point}")).is_some();
            let head = matches!(
                at(2),
                Some(Terminal::LeftBrace | Terminal::Dot | Terminal::ProbeIf)
            );
            if !known || !head {
                return None;
            }
            Terminal::Probe
        }
        "by" | "desc" | "limit" if in_head && is_operand(before?) => {
            let next = at(1)?;
            let fits = match text {
                "desc" => {
                    matches!(next, Terminal::RightParenthesis | Terminal::Limit)
                        || matches!(next, Terminal::Identifier(name) if name.text == "limit")
                }
                _ => !is_between(next),
            };
            if !fits {
                return None;
            }
            match text {
                "by" => Terminal::By,
                "desc" => Terminal::Descending,
                _ => Terminal::Limit,
            }
        }
        // `_probe timer.s(1) { }`
        _ if before == Some(&Terminal::Probe) => {
            let point = terminal::point(&format!("_{text}"))?;
            let head = match point {
                Terminal::Timer => at(1) == Some(&Terminal::Dot),
                // As functions of the target they could be meant.
                Terminal::Oneshot | Terminal::Begin | Terminal::End => {
                    at(1) == Some(&Terminal::LeftBrace) && is_mended(lexemes, index)
                }
                _ => false,
            };
            if !head {
                return None;
            }
            point
        }
        _ => return None,
    };
    Some(found)
}

/// Whether the `_probe` before a point was written without its underscore.
fn is_mended(lexemes: &[Lexeme], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|before| lexemes.get(before));
    before.is_some_and(|before| before.span.end - before.span.start < "_probe".len() as u32)
}

/// The bracket that closes the one at `open`, if it is near.
fn closing(lexemes: &[Lexeme], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, lexeme) in lexemes.get(open..)?.iter().enumerate().take(REACH) {
        match lexeme.terminal {
            Terminal::LeftParenthesis | Terminal::LeftBracket | Terminal::LeftBrace => depth += 1,
            Terminal::RightParenthesis | Terminal::RightBracket | Terminal::RightBrace => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(open + offset);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether an operand may end here.
fn is_operand(terminal: &Terminal) -> bool {
    matches!(
        terminal,
        Terminal::Identifier(_)
            | Terminal::Integer(_)
            | Terminal::RightParenthesis
            | Terminal::RightBracket
            | Terminal::Descending
    )
}

/// Whether a terminal stands between operands or ends an expression.
fn is_between(terminal: &Terminal) -> bool {
    matches!(
        terminal,
        Terminal::RightParenthesis
            | Terminal::RightBracket
            | Terminal::Comma
            | Terminal::Semicolon
            | Terminal::Dot
            | Terminal::Arrow
            | Terminal::Infix(_)
            | Terminal::Star
            | Terminal::Ampersand
            | Terminal::Plus
            | Terminal::Minus
            | Terminal::Question
            | Terminal::Colon
            | Terminal::Equals
            | Terminal::LeftBracket
            | Terminal::LeftParenthesis
    )
}
