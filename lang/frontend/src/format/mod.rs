//! The one style of probe files.
//!
//! [`format`] works on tokens and changes white space only. The author's line breaks stay, as do
//! comments and whole directives (with the macros' bodies in them); indentation, the space between
//! tokens, blank lines, and where `{` and `else` stand, follow from the tokens alone. That
//! makes the result stable: formatting it again gives the same.
//!
//! The style: four spaces; `{` at the end of its line, but on a line of its own for functions;
//! a block that spans lines has its braces at the ends of lines; `case` and labels one level
//! out; continued lines aligned in their bracket or after `=` and `return`; one blank line at most;
//! comments after code of consecutive lines aligned; directives at the margin. Long lines stay as they are.
//!
//! Three passes, each linear in the text: [`pieces`] (tokens with what lies between them),
//! [`brackets`] (what belongs together), [`walk`] (statements, spaces, indentation).

mod brackets;
mod comments;
mod layout;
mod output;
mod pieces;
mod roles;
mod spacing;
#[cfg(test)]
mod tests;
mod walk;

use crate::diagnostics::Diagnostic;
use crate::lexer::{self, Interner, Token, TokenKind};
use crate::source::{FileId, Span};

/// Columns that a level of blocks moves to the right.
const INDENT: usize = 4;

/// Nothing is moved further to the right than this, so that the result stays in proportion to the text.
const MAX_INDENT: usize = 100;

/// Brackets, directives and unbraced statements nested deeper than this are refused or left as they are.
const MAX_DEPTH: usize = 400;

/// Formats the text of a file.
///
/// # Errors
/// Text that has no tokens (an unfinished string or comment, stray characters), brackets that do
/// not match, or nesting too deep: diagnostics whose spans lie in `FileId(0)`.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let tokens = tokens(text)?;
    let (head, pieces) = pieces::pieces(text, &tokens);
    let matched = brackets::brackets(&pieces).map_err(|diagnostic| vec![*diagnostic])?;
    let body = walk::walk(&pieces, &matched);
    let mut result = String::with_capacity(head.len() + body.len() + 1);
    result.push_str(head);
    if !head.is_empty() && !head.ends_with('\u{feff}') {
        result.push('\n');
    }
    // A directive must not become the line that names the interpreter.
    if matches!(head, "" | "\u{feff}") && body.starts_with("#!") {
        result.push('\n');
    }
    result.push_str(&body);
    // Whatever a rule of spacing may miss: better an error than another program.
    match self::tokens(&result) {
        Ok(again) if same(&tokens, &again) => Ok(result),
        _ => Err(vec![
            Diagnostic::error(
                Span::default(),
                "this file cannot be formatted without changing its tokens",
                "",
            )
            .with_help("this is a defect of ytrace; the file is left as it is"),
        ]),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let tokens = lexer::lex(FileId(0), text, &mut Interner::default(), &mut diagnostics);
    if diagnostics.is_empty() {
        Ok(tokens)
    } else {
        Err(diagnostics)
    }
}

/// Whether two texts mean the same to the preprocessor: equal tokens, the same directives, and documentation beside the same things.
fn same(before: &[Token], after: &[Token]) -> bool {
    before.len() == after.len()
        && before.iter().zip(after).all(|(before, after)| {
            let documentation = before.kind == TokenKind::Documentation;
            let placed = documentation || before.is("#") || before.is("##");
            before.kind == after.kind
                && before.prefix == after.prefix
                && (before.text == after.text
                    || documentation && before.text.trim_end() == after.text.trim_end())
                && (!placed || before.first == after.first)
        })
}
