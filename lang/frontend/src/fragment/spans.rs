//! The parts of a text as they stand there, whether it is complete or not: for those who colour it, and for those who look for signs
//! outside of comments and strings.

use std::ops::Range;

use super::tokens;
use crate::lexer::TokenKind;

/// What a part of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// A word or a name.
    Name,
    /// A number.
    Number,
    /// A string, a character or a regular expression, closed or not.
    Quoted,
    /// A name in backquotes, or a capture or earlier value, such as `$1`.
    Other,
    /// An operator or a bracket.
    Sign,
    /// A comment, closed or not.
    Comment,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextSpan {
    /// What it is.
    pub kind: TextKind,
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Whether it is the first on its line.
    pub first: bool,
}

/// The parts of any text, in order; what is no part is white space, or of no meaning.
pub fn spans(text: &str) -> Vec<TextSpan> {
    let (tokens, _) = tokens(text);
    let mut spans = Vec::with_capacity(tokens.len());
    let mut from = 0;
    for token in tokens {
        let range = token.span.start as usize..token.span.end as usize;
        between(text, from..range.start, &mut spans);
        from = range.end;
        let kind = match token.kind {
            TokenKind::Identifier => TextKind::Name,
            TokenKind::Number => TextKind::Number,
            TokenKind::Character | TokenKind::String | TokenKind::Regex => TextKind::Quoted,
            TokenKind::Quoted | TokenKind::Capture => TextKind::Other,
            TokenKind::Documentation => TextKind::Comment,
            TokenKind::Punctuator => TextKind::Sign,
            TokenKind::Placemarker => continue,
        };
        spans.push(TextSpan {
            kind,
            range,
            first: token.first,
        });
    }
    between(text, from..text.len(), &mut spans);
    spans
}

/// What the lexer leaves out: comments, and strings that are not closed, which end with their line.
fn between(text: &str, range: Range<usize>, spans: &mut Vec<TextSpan>) {
    let Range { mut start, end } = range;
    while let Some(rest) = text.get(start..end) {
        let blank = rest.len() - rest.trim_start().len();
        let Some(rest) = rest.get(blank..).filter(|rest| !rest.is_empty()) else {
            return;
        };
        start += blank;
        let line = rest.find('\n').unwrap_or(rest.len());
        let (kind, length) = match rest.as_bytes() {
            [b'/', b'/', ..] => (Some(TextKind::Comment), line),
            [b'/', b'*', ..] => {
                let closing = rest.get(2..).and_then(|inside| inside.find("*/"));
                let length = closing.map_or(rest.len(), |at| at + 4);
                (Some(TextKind::Comment), length)
            }
            [b'"' | b'\'', ..] => (Some(TextKind::Quoted), line),
            // A character of no meaning.
            _ => (None, rest.chars().next().map_or(1, char::len_utf8)),
        };
        spans.extend(kind.map(|kind| TextSpan {
            kind,
            range: start..start + length,
            first: false,
        }));
        start += length;
    }
}

/// Whether a text ends with the `;` or `}` of a statement or a declaration.
pub fn is_closed(text: &str) -> bool {
    let spans = spans(text);
    let last = spans.iter().rfind(|span| span.kind != TextKind::Comment);
    last.is_some_and(|last| matches!(text.get(last.range.clone()), Some(";" | "}")))
}

/// Whether a text assigns something outside of brackets.
pub fn assigns(text: &str) -> bool {
    let mut depth = 0_i64;
    let mut found = false;
    for span in spans(text) {
        match text.get(span.range) {
            Some("(" | "[" | "{") => depth += 1,
            Some(")" | "]" | "}") => depth -= 1,
            Some("==" | "!=" | "<=" | ">=") => {}
            Some(sign) if depth == 0 && span.kind == TextKind::Sign => {
                found |= sign.ends_with('=');
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::TextKind::{Comment, Name, Number, Other, Quoted, Sign};
    use super::*;

    fn parts(text: &str) -> Vec<(TextKind, &str)> {
        let spans = spans(text);
        let part = |span: TextSpan| (span.kind, &text[span.range]);
        spans.into_iter().map(part).collect()
    }

    #[test]
    fn parts_of_texts_that_are_complete_and_that_are_not() {
        assert_eq!(
            parts("f(1.5, \"a|b\") >> $2; // no > sign\n/* a */ `x y`"),
            [
                (Name, "f"),
                (Sign, "("),
                (Number, "1.5"),
                (Sign, ","),
                (Quoted, "\"a|b\""),
                (Sign, ")"),
                (Sign, ">>"),
                (Other, "$2"),
                (Sign, ";"),
                (Comment, "// no > sign"),
                (Comment, "/* a */"),
                (Other, "`x y`"),
            ]
        );
        assert_eq!(
            parts("g(\"not closed | here"),
            [(Name, "g"), (Sign, "("), (Quoted, "\"not closed | here")]
        );
        assert_eq!(parts("n /* > | é"), [(Name, "n"), (Comment, "/* > | é")]);
        assert_eq!(parts("é § a"), [(Name, "a")]);
    }

    #[test]
    fn ends_and_assignments() {
        for text in ["n++;", "for (;;) { }", "n; // why", "int a;  "] {
            assert!(is_closed(text), "{text}");
        }
        for text in ["n", "n = 3", "// ;", "\";\"", ""] {
            assert!(!is_closed(text), "{text}");
        }
        for text in ["n = a", "n += 1", "n <<= 2", "a == b, c = d"] {
            assert!(assigns(text), "{text}");
        }
        for text in ["n == a", "a <= b", "f(a = 3)", "\"=\"", "a // = b"] {
            assert!(!assigns(text), "{text}");
        }
    }
}
