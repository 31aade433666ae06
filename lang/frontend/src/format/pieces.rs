//! Text as pieces: code, comments, directives, and how they were set apart.

use crate::lexer::{Token, TokenKind};

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A token.
    Code(TokenKind),
    /// `//` or `///` to the end of the line.
    LineComment,
    /// `/* */`.
    BlockComment,
    /// A whole directive with its continued lines and its comments.
    Directive,
}

/// A piece of a file.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'t> {
    /// What it is.
    pub kind: Kind,
    /// As written, without white space around it.
    pub text: &'t str,
    /// Offset of the first byte.
    pub start: usize,
    /// Line breaks between the piece before and this one.
    pub newlines: usize,
    /// Whether white space or a comment precedes it.
    pub spaced: bool,
    /// Blanks in front of it, where it is first on its line.
    pub blanks: usize,
}

impl Piece<'_> {
    /// Whether it is a comment.
    pub fn is_comment(&self) -> bool {
        matches!(self.kind, Kind::LineComment | Kind::BlockComment)
    }

    /// Whether it is a token.
    pub fn is_code(&self) -> bool {
        matches!(self.kind, Kind::Code(_))
    }
}

/// Splits a text into what stands before all tokens (a byte order mark, the line that names the
/// interpreter) and pieces.
pub fn pieces<'t>(text: &'t str, tokens: &[Token]) -> (&'t str, Vec<Piece<'t>>) {
    let mut splitter = Splitter {
        text,
        at: 0,
        newlines: 0,
        spaced: false,
        blanks: 0,
        pieces: Vec::with_capacity(tokens.len()),
    };
    let mark = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let rest = text.get(mark..).unwrap_or_default();
    let head = mark
        + if rest.starts_with("#!") {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            0
        };
    splitter.at = head;
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        let start = token.span.start as usize;
        splitter.gap(start);
        index += 1;
        if token.first && (token.is("#") || token.is("##")) {
            let mut end = token.span.end as usize;
            while let Some(next) = tokens.get(index).filter(|next| !next.first) {
                end = next.span.end as usize;
                index += 1;
            }
            splitter.directive(start, end);
            continue;
        }
        let kind = match token.kind {
            TokenKind::Documentation => Kind::LineComment,
            kind => Kind::Code(kind),
        };
        splitter.push(kind, start, token.span.end as usize);
    }
    splitter.gap(text.len());
    let head = text.get(..head).unwrap_or_default().trim_end();
    (head, splitter.pieces)
}

struct Splitter<'t> {
    text: &'t str,
    at: usize,
    newlines: usize,
    spaced: bool,
    blanks: usize,
    pieces: Vec<Piece<'t>>,
}

impl<'t> Splitter<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let text = self.text.get(start..end).unwrap_or_default();
        let text = match kind {
            Kind::LineComment => text.trim_end(),
            _ => text,
        };
        self.pieces.push(Piece {
            kind,
            text,
            start,
            newlines: self.newlines,
            spaced: self.spaced,
            blanks: self.blanks,
        });
        self.at = end;
        self.newlines = 0;
        self.blanks = 0;
        self.spaced = false;
    }

    /// Takes white space and comments up to the next token.
    fn gap(&mut self, end: usize) {
        while self.at < end {
            let rest = self.rest();
            let start = self.at;
            if rest.starts_with("//") {
                let length = rest.find('\n').unwrap_or(rest.len());
                self.push(Kind::LineComment, start, (start + length).min(end));
                self.spaced = true;
            } else if rest.starts_with("/*") {
                let length = comment_length(rest);
                self.push(Kind::BlockComment, start, start + length);
                self.spaced = true;
            } else {
                self.spaced = true;
                match rest.as_bytes().first() {
                    Some(b'\n') => {
                        self.newlines += 1;
                        self.blanks = 0;
                    }
                    // A line that a backslash continues is one line.
                    Some(b'\\') => {
                        self.at += rest.find('\n').unwrap_or(0);
                    }
                    _ => self.blanks += 1,
                }
                self.at += 1;
            }
        }
        self.at = self.at.max(end);
    }

    /// Takes a directive whose tokens end at `end`, with the comments that follow in its line.
    fn directive(&mut self, start: usize, mut end: usize) {
        self.newlines = self.newlines.max(1);
        self.at = end;
        loop {
            let rest = self.rest();
            match rest.as_bytes() {
                [] | [b'\n', ..] => break,
                [b'/', b'/', ..] => {
                    let line = rest.split('\n').next().unwrap_or_default().trim_end();
                    end = self.at + line.len();
                    self.at = end;
                    break;
                }
                [b'/', b'*', ..] => {
                    self.at += comment_length(rest);
                    end = self.at;
                }
                [b'\\', ..] => self.at += rest.find('\n').unwrap_or(0) + 1,
                _ => self.at += 1,
            }
        }
        let at = self.at;
        self.push(Kind::Directive, start, end);
        self.at = at.max(end);
    }
}

fn comment_length(rest: &str) -> usize {
    rest.get(2..)
        .and_then(|inner| inner.find("*/"))
        .map_or(rest.len(), |inner| inner + 4)
}
