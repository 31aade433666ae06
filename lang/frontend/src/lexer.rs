//! From text to preprocessing tokens.
//!
//! Works in time linear in the text, and gives tokens for any text: what it cannot read it reports
//! and leaves out.

use std::rc::Rc;

use hashbrown::HashSet;
use logos::Logos;

use crate::diagnostics::{Diagnostic, Topic};
use crate::source::{FileId, Span};

/// What a token is. Words are told apart later: a macro may have any name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A name, perhaps with a module prefix.
    Identifier,
    /// A name written in backquotes (which `text` no longer has), perhaps with a prefix.
    Quoted,
    /// A number as C's preprocessor sees one.
    Number,
    /// A character literal with its quotes.
    Character,
    /// A string literal with its quotes.
    String,
    /// `rx/…/`.
    Regex,
    /// `$0`.
    Capture,
    /// `/// text`, without the slashes.
    Documentation,
    /// An operator or a bracket.
    Punctuator,
    /// An empty macro argument on one side of `##`.
    Placemarker,
}

/// A preprocessing token.
#[derive(Clone, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// The text, as described at [`TokenKind`].
    pub text: Rc<str>,
    /// The module prefix of a name.
    pub prefix: Option<Rc<str>>,
    /// Where it stands; for a token out of a macro, where the macro is used.
    pub span: Span,
    /// Whether white space precedes it.
    pub spaced: bool,
    /// Whether it is the first on its line.
    pub first: bool,
    /// The macros that it must not be expanded by again.
    pub hidden: u32,
}

impl Token {
    /// Whether it is this operator or bracket.
    pub fn is(&self, text: &str) -> bool {
        self.kind == TokenKind::Punctuator && &*self.text == text
    }

    /// Whether it is this unquoted word.
    pub fn is_word(&self, text: &str) -> bool {
        self.kind == TokenKind::Identifier && self.prefix.is_none() && &*self.text == text
    }

    /// The token as it may be written.
    pub fn spelling(&self) -> String {
        let text = match self.kind {
            TokenKind::Quoted => format!("`{}`", self.text),
            TokenKind::Documentation => format!("///{}", self.text),
            _ => self.text.to_string(),
        };
        match &self.prefix {
            Some(prefix) if is_plain_prefix(prefix) => format!("{prefix}::{text}"),
            Some(prefix) => format!("`{prefix}`::{text}"),
            None => text,
        }
    }
}

fn is_plain_prefix(prefix: &str) -> bool {
    prefix
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
}

/// Shares equal texts.
#[derive(Default)]
pub struct Interner {
    texts: HashSet<Rc<str>>,
}

impl Interner {
    /// The shared copy of a text.
    pub fn intern(&mut self, text: &str) -> Rc<str> {
        if let Some(shared) = self.texts.get(text) {
            return shared.clone();
        }
        let shared: Rc<str> = Rc::from(text);
        self.texts.insert(shared.clone());
        shared
    }
}

#[derive(Logos, Clone, Copy, Debug, PartialEq)]
enum Raw {
    #[regex(r"[ \t\r\x0b\x0c]+")]
    #[regex(r"\\\r?\n")]
    Space,
    #[token("\n")]
    Newline,
    #[token("///", to_line_end)]
    Documentation,
    #[token("//", to_line_end)]
    LineComment,
    #[token("/*", block_comment)]
    BlockComment(bool),
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Identifier,
    #[token("`", |lex| delimited(lex, b'`', false))]
    Quoted(bool),
    #[token("\"", |lex| delimited(lex, b'"', true))]
    String(bool),
    #[token("'", |lex| delimited(lex, b'\'', true))]
    Character(bool),
    #[regex(r"\.?[0-9]", number)]
    Number,
    #[regex(r"\$[0-9]+")]
    Capture,
    #[token("{")]
    #[token("}")]
    #[token("(")]
    #[token(")")]
    #[token("[")]
    #[token("]")]
    #[token(";")]
    #[token(",")]
    #[token(".")]
    #[token("...")]
    #[token("->")]
    #[token("?")]
    #[token(":")]
    #[token("::")]
    #[token("=")]
    #[token("*=")]
    #[token("/=")]
    #[token("%=")]
    #[token("+=")]
    #[token("-=")]
    #[token("<<=")]
    #[token(">>=")]
    #[token("&=")]
    #[token("^=")]
    #[token("|=")]
    #[token("*")]
    #[token("/")]
    #[token("%")]
    #[token("+")]
    #[token("-")]
    #[token("++")]
    #[token("--")]
    #[token("<<")]
    #[token("<<<")]
    #[token(">>")]
    #[token("<")]
    #[token(">")]
    #[token("<=")]
    #[token(">=")]
    #[token("==")]
    #[token("!=")]
    #[token("&")]
    #[token("^")]
    #[token("|")]
    #[token("&&")]
    #[token("||")]
    #[token("!")]
    #[token("~")]
    #[token("~~")]
    #[token("!~~")]
    #[token("#")]
    #[token("##")]
    Punctuator,
}

fn to_line_end(lex: &mut logos::Lexer<'_, Raw>) {
    let rest = lex.remainder();
    lex.bump(rest.find('\n').unwrap_or(rest.len()));
}

/// Whether the comment ends.
fn block_comment(lex: &mut logos::Lexer<'_, Raw>) -> bool {
    let rest = lex.remainder();
    match rest.find("*/") {
        Some(end) => {
            lex.bump(end + 2);
            true
        }
        None => {
            lex.bump(rest.len());
            false
        }
    }
}

/// Whether the literal ends on its line. A backslash joins lines and hides the delimiter.
fn delimited(lex: &mut logos::Lexer<'_, Raw>, delimiter: u8, escapes: bool) -> bool {
    let rest = lex.remainder().as_bytes();
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        if byte == delimiter {
            lex.bump(at + 1);
            return true;
        }
        if byte == b'\n' {
            break;
        }
        at += 1;
        if escapes && byte == b'\\' {
            match rest.get(at) {
                // The next character may have several bytes; none of them is a delimiter.
                Some(b'\r') if rest.get(at + 1) == Some(&b'\n') => at += 2,
                Some(next) if next.is_ascii() => at += 1,
                _ => {}
            }
        }
    }
    lex.bump(at.min(rest.len()));
    false
}

/// The rest of a number. `..` never belongs to one, so that `1...3` is a range.
fn number(lex: &mut logos::Lexer<'_, Raw>) {
    let hex = lex.slice() == "0" && matches!(lex.remainder().as_bytes(), [b'x' | b'X', ..]);
    let rest = lex.remainder().as_bytes();
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        let next = rest.get(at + 1).copied();
        let exponent = match byte {
            b'p' | b'P' => true,
            b'e' | b'E' => !hex,
            _ => false,
        };
        if exponent && matches!(next, Some(b'+' | b'-')) {
            at += 2;
        } else if byte.is_ascii_alphanumeric()
            || byte == b'_'
            || (byte == b'.' && next != Some(b'.'))
        {
            at += 1;
        } else {
            break;
        }
    }
    lex.bump(at);
}

/// Splits text into tokens. Comments and white space are dropped, except for `///`.
pub fn lex(
    file: FileId,
    text: &str,
    interner: &mut Interner,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Token> {
    // Offsets are 32 bits wide.
    if u32::try_from(text.len()).is_err() {
        diagnostics.push(Diagnostic::error(
            Span {
                file,
                ..Span::default()
            },
            "the file is too large",
            "4 GiB or more",
        ));
        return Vec::new();
    }
    let mut lexer = Lexer {
        file,
        text,
        raw: Raw::lexer(text),
        interner,
        diagnostics,
        tokens: Vec::new(),
        no_prefix_until: 0,
        spaced: false,
        first: true,
        regex: false,
        unknown: None,
    };
    lexer.run();
    lexer.tokens
}

struct Lexer<'a> {
    file: FileId,
    text: &'a str,
    raw: logos::Lexer<'a, Raw>,
    interner: &'a mut Interner,
    diagnostics: &'a mut Vec<Diagnostic>,
    tokens: Vec<Token>,
    /// Names that start before this offset have no prefix: the dotted run that they are part of
    /// has been looked at.
    no_prefix_until: usize,
    spaced: bool,
    first: bool,
    /// Whether the last token was `~~` or `!~~`.
    regex: bool,
    /// A run of characters that belong to no token.
    unknown: Option<(usize, usize)>,
}

impl Lexer<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            file: self.file,
            start: start as u32,
            end: end as u32,
            expansion: 0,
        }
    }

    fn run(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.raw.bump('\u{feff}'.len_utf8());
        }
        if self.raw.remainder().starts_with("#!") {
            to_line_end(&mut self.raw);
        }
        while let Some(result) = self.raw.next() {
            let start = self.raw.span().start;
            match result {
                Ok(raw) => self.raw_token(raw, start),
                Err(()) => self.unknown_character(start),
            }
        }
        self.report_unknown();
    }

    fn raw_token(&mut self, raw: Raw, start: usize) {
        let slice = self.raw.slice();
        match raw {
            Raw::Space | Raw::LineComment => self.spaced = true,
            Raw::Newline => {
                self.spaced = true;
                self.first = true;
            }
            Raw::BlockComment(closed) => {
                self.spaced = true;
                if !closed {
                    self.unfinished(
                        start,
                        start + 2,
                        "this comment never ends",
                        "no `*/` follows",
                    );
                }
            }
            Raw::Documentation => {
                let text = slice.strip_prefix("///").unwrap_or(slice);
                // `////` and more is a line of decoration.
                if text.starts_with('/') {
                    self.spaced = true;
                } else {
                    let text = text.strip_suffix('\r').unwrap_or(text);
                    self.push(TokenKind::Documentation, text, None, start);
                }
            }
            Raw::Identifier => {
                if self.regex && slice == "rx" && self.raw.remainder().starts_with('/') {
                    self.regex_literal(start);
                } else if let Some(length) = self.prefix_length(start) {
                    self.raw.bump(length - slice.len() + 2);
                    let prefix = self.text.get(start..start + length).unwrap_or_default();
                    self.prefixed(prefix, start);
                } else {
                    self.push(TokenKind::Identifier, slice, None, start);
                }
            }
            Raw::Quoted(closed) => {
                if !closed {
                    self.unfinished(
                        start,
                        start + slice.len(),
                        "this quoted name never ends",
                        "no closing backquote on this line",
                    );
                }
                let name = slice.trim_matches('`');
                if closed && self.raw.remainder().starts_with("::") {
                    self.raw.bump(2);
                    self.prefixed(name, start);
                } else if name.is_empty() {
                    if closed {
                        self.error(
                            start,
                            start + slice.len(),
                            "a name is empty",
                            "nothing between the backquotes",
                        );
                    }
                } else {
                    self.push(TokenKind::Quoted, name, None, start);
                }
            }
            Raw::String(closed) | Raw::Character(closed) => {
                let (kind, what, quote) = match raw {
                    Raw::String(_) => (TokenKind::String, "this string never ends", "\""),
                    _ => (
                        TokenKind::Character,
                        "this character literal never ends",
                        "'",
                    ),
                };
                if closed {
                    self.push(kind, slice, None, start);
                } else {
                    self.unfinished(
                        start,
                        start + slice.len(),
                        what,
                        "no closing quote on this line",
                    );
                    // A lone backslash must not hide the quote that is put in its place.
                    let repaired = format!("{}{quote}", slice.trim_end_matches('\\'));
                    if kind == TokenKind::String {
                        self.push(kind, &repaired, None, start);
                    } else {
                        self.push(TokenKind::Number, "0", None, start);
                    }
                }
            }
            Raw::Number => self.push(TokenKind::Number, slice, None, start),
            Raw::Capture => self.push(TokenKind::Capture, slice, None, start),
            Raw::Punctuator => {
                self.push(TokenKind::Punctuator, slice, None, start);
                self.regex = slice == "~~" || slice == "!~~";
            }
        }
    }

    /// The length of the module prefix that starts at a name, if `::` follows it.
    fn prefix_length(&mut self, start: usize) -> Option<usize> {
        if start < self.no_prefix_until {
            return None;
        }
        let rest = self.text.as_bytes().get(start..)?;
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
            .count();
        let name_follows = matches!(
            rest.get(length..),
            Some([b':', b':', byte, ..])
                if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'`')
        );
        self.no_prefix_until = start + length;
        (name_follows && rest.get(length - 1) != Some(&b'.')).then_some(length)
    }

    /// The name after `prefix::`.
    fn prefixed(&mut self, prefix: &str, start: usize) {
        let prefix = self.interner.intern(prefix);
        let rest = self.raw.remainder();
        let plain = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        if plain > 0 {
            let name = rest.get(..plain).unwrap_or_default();
            self.raw.bump(plain);
            self.push(TokenKind::Identifier, name, Some(prefix), start);
            return;
        }
        if let Some(after) = rest.strip_prefix('`') {
            let length = after.find(['`', '\n']).unwrap_or(after.len());
            if after.as_bytes().get(length) == Some(&b'`') && length > 0 {
                let name = after.get(..length).unwrap_or_default();
                self.raw.bump(length + 2);
                self.push(TokenKind::Quoted, name, Some(prefix), start);
                return;
            }
        }
        let end = self.raw.span().end;
        self.error(
            start,
            end,
            "a name must follow the module prefix",
            "nothing that `::` could look up follows",
        );
    }

    fn regex_literal(&mut self, start: usize) {
        let rest = self.raw.remainder().as_bytes();
        let mut at = 1;
        let closed = loop {
            match rest.get(at) {
                Some(b'/') => break true,
                Some(b'\n') | None => break false,
                Some(b'\\')
                    if rest
                        .get(at + 1)
                        .is_some_and(|b| b.is_ascii() && *b != b'\n') =>
                {
                    at += 2;
                }
                Some(_) => at += 1,
            }
        };
        if !closed {
            // What follows a blank or a `;` is hardly meant to belong to it.
            at = rest
                .iter()
                .take(at)
                .position(|byte| matches!(byte, b' ' | b'\t' | b';'))
                .unwrap_or(at);
        }
        let end = start + 2 + at;
        self.raw.bump(at + usize::from(closed));
        let pattern = self.text.get(start + 3..end).unwrap_or_default().to_owned();
        if !closed {
            self.unfinished(
                start,
                end,
                "this regex never ends",
                "no closing `/` on this line",
            );
        }
        self.push(TokenKind::Regex, &pattern.replace("\\/", "/"), None, start);
    }

    fn push(&mut self, kind: TokenKind, text: &str, prefix: Option<Rc<str>>, start: usize) {
        self.report_unknown();
        let span = self.span(start, self.raw.span().end);
        let text = self.interner.intern(text);
        self.tokens.push(Token {
            kind,
            text,
            prefix,
            span,
            spaced: self.spaced,
            first: self.first,
            hidden: 0,
        });
        self.spaced = false;
        self.first = false;
        self.regex = false;
    }

    fn unknown_character(&mut self, start: usize) {
        let end = self.raw.span().end.max(start);
        match &mut self.unknown {
            Some((_, last)) if *last == start => *last = end,
            _ => {
                self.report_unknown();
                self.unknown = Some((start, end));
            }
        }
    }

    /// Reports a run of characters that belong to no token.
    fn report_unknown(&mut self) {
        let Some((start, end)) = self.unknown.take() else {
            return;
        };
        let text = self.text.get(start..end).unwrap_or_default();
        let shown: String = text
            .chars()
            .take(12)
            .flat_map(char::escape_default)
            .collect();
        let many = text.chars().nth(1).is_some();
        let mut diagnostic = Diagnostic::error(
            self.span(start, end),
            if many {
                format!("these characters have no meaning here: `{shown}`")
            } else {
                format!("this character has no meaning here: `{shown}`")
            },
            "not part of the language",
        );
        if !text.is_ascii() {
            diagnostic = diagnostic
                .with_help("outside strings and comments text is ASCII; a quotation mark or a dash may have been pasted in its typographic form");
        }
        self.diagnostics.push(diagnostic);
    }

    /// What has no end swallows what follows: what else is wrong may come from that.
    fn unfinished(&mut self, start: usize, end: usize, message: &str, label: &str) {
        self.error(start, end, message, label);
        if let Some(last) = self.diagnostics.last_mut() {
            last.topic = Topic::Missing;
        }
    }

    fn error(&mut self, start: usize, end: usize, message: &str, label: &str) {
        let span = self.span(start, end);
        self.diagnostics
            .push(Diagnostic::error(span, message, label));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(text: &str) -> (Vec<String>, Vec<String>) {
        let mut diagnostics = Vec::new();
        let tokens = lex(FileId(0), text, &mut Interner::default(), &mut diagnostics);
        (
            tokens.iter().map(Token::spelling).collect(),
            diagnostics.into_iter().map(|d| d.message).collect(),
        )
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let (tokens, errors) = tokens(text);
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(tokens, expected);
    }

    #[test]
    fn operators_are_longest_first() {
        check(
            "a<<<b <<= c<<d ~~x !~~ y->z...",
            &[
                "a", "<<<", "b", "<<=", "c", "<<", "d", "~~", "x", "!~~", "y", "->", "z", "...",
            ],
        );
    }

    #[test]
    fn prefixes_belong_to_the_name() {
        check(
            "libc.so.6::main_arena ngx_cycle.c::ngx_cycle a.b.c",
            &[
                "libc.so.6::main_arena",
                "ngx_cycle.c::ngx_cycle",
                "a",
                ".",
                "b",
                ".",
                "c",
            ],
        );
        check(
            "libc.so.6::struct malloc_state `libluajit-5.1.so.2`::lj_gc_step x::`a b`",
            &[
                "libc.so.6::struct",
                "malloc_state",
                "`libluajit-5.1.so.2`::lj_gc_step",
                "x::`a b`",
            ],
        );
    }

    #[test]
    fn a_regex_starts_only_after_the_match_operators() {
        check(
            "s ~~ rx/a\\/b[0-9]/ && rx/2",
            &["s", "~~", "a/b[0-9]", "&&", "rx", "/", "2"],
        );
    }

    #[test]
    fn numbers_keep_their_exponents_and_leave_ranges() {
        check(
            "1...3 0x1e+3 1e+3 0x1.8p-3 .5f 10ULL",
            &[
                "1", "...", "3", "0x1e", "+", "3", "1e+3", "0x1.8p-3", ".5f", "10ULL",
            ],
        );
    }

    #[test]
    fn the_first_line_may_name_the_interpreter() {
        check("#!/usr/bin/env -S ytrace run\nx", &["x"]);
    }

    #[test]
    fn unfinished_literals_are_reported_and_repaired() {
        let (tokens, errors) = tokens("f(\"abc\\\n\"d\ng('x\n/* never");
        assert_eq!(tokens, ["f", "(", "\"abc\\\n\"", "d", "g", "(", "0"]);
        assert_eq!(errors.len(), 2);
        let (_, errors) = super::tests::tokens("a “b” c");
        assert_eq!(errors.len(), 2);
    }

    proptest! {
        #[test]
        fn any_text_gives_tokens_in_order(text in "\\PC*") {
            let mut diagnostics = Vec::new();
            let tokens = lex(FileId(0), &text, &mut Interner::default(), &mut diagnostics);
            let mut end = 0;
            for token in tokens {
                prop_assert!(token.span.start >= end && token.span.end >= token.span.start);
                end = token.span.end;
                prop_assert!(end as usize <= text.len());
            }
        }

        #[test]
        fn any_tokens_give_tokens(text in "([a-z`'\"/*\\\\\n.:$#~!0-9 ]|rx/|::|~~)*") {
            let mut diagnostics = Vec::new();
            lex(FileId(0), &text, &mut Interner::default(), &mut diagnostics);
        }
    }
}
