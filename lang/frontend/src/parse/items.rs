//! Splits the terminals of a program into top-level items with matching brackets.

use super::attributes;
use crate::diagnostics::Diagnostic;
use crate::source::Span;
use crate::terminal::{Lexeme, Terminal};

/// The greatest depth of a syntax tree, counted generously from the terminals.
pub const MAX_DEPTH: usize = 500;

/// The terminals of one top-level item.
#[derive(Debug, Default)]
pub struct RawItem {
    /// The `///` text before the item, or behind it on its last line.
    pub documentation: Option<String>,
    /// The terminals; brackets match.
    pub lexemes: Vec<Lexeme>,
}

impl RawItem {
    /// Where the item stands.
    pub fn span(&self) -> Span {
        match (self.lexemes.first(), self.lexemes.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        }
    }
}

/// Splits terminals into items. Brackets that do not match are reported and repaired.
pub fn split(lexemes: Vec<Lexeme>, diagnostics: &mut Vec<Diagnostic>) -> Vec<RawItem> {
    let lexemes = attributes::apply(lexemes, diagnostics);
    let mut splitter = Splitter {
        diagnostics,
        items: Vec::new(),
        current: RawItem::default(),
        pending: Vec::new(),
        open: Vec::new(),
        counts: [0; 3],
        depth: Depth::default(),
        body: false,
        initializer: false,
        ended_on_line: false,
        statement_ended: false,
        too_deep: false,
    };
    for lexeme in lexemes {
        splitter.add(lexeme);
    }
    splitter.finish();
    splitter.items
}

/// An upper bound of the depth of the tree at the current terminal. Every bracket and every
/// operator since the last separator may be one level deeper.
#[derive(Default)]
struct Depth {
    /// Weights and commas of the enclosing brackets' levels, and of the current one.
    levels: Vec<(usize, usize)>,
    current: usize,
    commas: usize,
    total: usize,
}

impl Depth {
    fn open(&mut self) {
        self.add();
        self.levels.push((self.current, self.commas));
        self.current = 0;
        self.commas = 0;
    }

    /// The weight of the bracket itself stays: a call or a cast is one level.
    fn close(&mut self) {
        self.total -= self.current;
        (self.current, self.commas) = self.levels.pop().unwrap_or((0, 0));
    }

    /// A comma expression nests to the left, and what stands between two commas is apart.
    fn comma(&mut self) {
        let commas = self.commas + 1;
        self.reset();
        self.commas = commas;
        self.current = commas;
        self.total += commas;
    }

    fn add(&mut self) {
        self.current += 1;
        self.total += 1;
    }

    fn reset(&mut self) {
        self.total -= self.current;
        self.current = 0;
        self.commas = 0;
    }
}

struct Splitter<'a> {
    diagnostics: &'a mut Vec<Diagnostic>,
    items: Vec<RawItem>,
    current: RawItem,
    /// Documentation lines that wait for their item.
    pending: Vec<String>,
    /// Open brackets: the terminal that closes each, its place, and a mark: for `(` that `for`
    /// precedes it, for `{` that it holds a list rather than statements.
    open: Vec<(Terminal, Span, bool)>,
    /// How many of them are `(`, `[` and `{`.
    counts: [usize; 3],
    depth: Depth,
    /// Whether the `{` that is open at the top level is a body, which ends the item.
    body: bool,
    /// Whether `=` was seen at the top level.
    initializer: bool,
    /// Whether an item has just ended, so that documentation on the same line belongs to it.
    ended_on_line: bool,
    /// Whether the last terminal ends a statement that only `else` continues.
    statement_ended: bool,
    too_deep: bool,
}

impl Splitter<'_> {
    fn add(&mut self, lexeme: Lexeme) {
        if lexeme.first {
            self.ended_on_line = false;
        }
        match &lexeme.terminal {
            Terminal::Documentation(text) => {
                let text = text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned();
                self.documentation(text);
                return;
            }
            Terminal::Probe
            | Terminal::Option
            | Terminal::View
            | Terminal::Module
            | Terminal::Mode
            | Terminal::MaxOverhead
            | Terminal::Layout
                if !self.current.lexemes.is_empty() =>
            {
                self.cut(&lexeme);
            }
            _ => {}
        }
        if self.current.lexemes.is_empty() {
            if lexeme.is(&Terminal::Semicolon) {
                return;
            }
            let lines = std::mem::take(&mut self.pending);
            if !lines.is_empty() {
                self.current.documentation = Some(lines.join("\n"));
            }
        }
        // `else` continues what `;` or `}` seemed to end, one level deeper.
        if self.statement_ended && !lexeme.is(&Terminal::Else) {
            self.depth.reset();
        }
        self.statement_ended = false;
        self.bracket_or_other(lexeme);
    }

    fn documentation(&mut self, text: String) {
        if !self.current.lexemes.is_empty() {
            // Inside an item nothing is documented.
            return;
        }
        if self.ended_on_line
            && let Some(item) = self.items.last_mut()
        {
            item.documentation = Some(match item.documentation.take() {
                Some(before) => format!("{before}\n{text}"),
                None => text,
            });
            return;
        }
        self.pending.push(text);
    }

    /// A word that starts an item stands inside another one.
    fn cut(&mut self, lexeme: &Lexeme) {
        if let Some((_, span, _)) = self.open.last().cloned() {
            self.diagnostics.push(
                Diagnostic::error(span, "a bracket is never closed", "opened here").with_secondary(
                    lexeme.span,
                    format!("`{}` starts something new", lexeme.text),
                ),
            );
            self.drop_item();
        } else {
            // The grammar reports the missing `;`.
            self.end_item();
        }
    }

    fn bracket_or_other(&mut self, lexeme: Lexeme) {
        match &lexeme.terminal {
            Terminal::LeftParenthesis => {
                let head = self
                    .current
                    .lexemes
                    .last()
                    .is_some_and(|before| before.is(&Terminal::For));
                self.push_open(Terminal::RightParenthesis, lexeme, head);
            }
            Terminal::LeftBracket => self.push_open(Terminal::RightBracket, lexeme, false),
            Terminal::LeftBrace => {
                let list = self.opens_list();
                if !list {
                    self.close_head(&lexeme);
                }
                if self.open.is_empty() {
                    self.body = self.opens_body();
                }
                self.push_open(Terminal::RightBrace, lexeme, list);
            }
            Terminal::RightParenthesis | Terminal::RightBracket | Terminal::RightBrace => {
                self.close(lexeme);
            }
            Terminal::Semicolon => {
                self.close_expressions(&lexeme);
                self.statement_ended = true;
                self.current.lexemes.push(lexeme);
                if self.open.is_empty() {
                    self.end_item();
                    self.ended_on_line = true;
                }
            }
            Terminal::Comma => {
                // A list of thousands is no comma expression.
                if matches!(self.open.last(), Some((Terminal::RightBrace, _, true))) {
                    self.depth.reset();
                } else {
                    self.depth.comma();
                    self.check_depth(lexeme.span);
                }
                self.current.lexemes.push(lexeme);
            }
            other => {
                if *other == Terminal::Equals && self.open.is_empty() {
                    self.initializer = true;
                }
                if nests(other) {
                    self.depth.add();
                }
                self.check_depth(lexeme.span);
                self.current.lexemes.push(lexeme);
            }
        }
    }

    /// The terminal `back` places before the end of the current item.
    fn before(&self, back: usize) -> Option<&Terminal> {
        let index = self.current.lexemes.len().checked_sub(back)?;
        self.current
            .lexemes
            .get(index)
            .map(|lexeme| &lexeme.terminal)
    }

    /// Whether a `{` here holds initializers, enumerators or candidates.
    fn opens_list(&self) -> bool {
        match self.before(1) {
            Some(Terminal::Equals | Terminal::Enum { .. }) => true,
            Some(Terminal::Comma | Terminal::LeftBrace) => {
                matches!(self.open.last(), Some((Terminal::RightBrace, _, true)))
            }
            Some(Terminal::Identifier(_)) => matches!(
                self.before(2),
                Some(Terminal::Enum { .. } | Terminal::Layout)
            ),
            _ => false,
        }
    }

    /// Whether a `{` at the top level starts a body, at whose end the item ends.
    fn opens_body(&self) -> bool {
        let first = self.current.lexemes.first().map(|first| &first.terminal);
        if matches!(first, Some(Terminal::Probe)) {
            return true;
        }
        let head = match self.before(1) {
            Some(Terminal::RightParenthesis) => true,
            Some(Terminal::Identifier(_)) => !matches!(
                self.before(2),
                Some(Terminal::Struct { .. } | Terminal::Enum { .. })
            ),
            _ => false,
        };
        head && !self.initializer && !matches!(first, Some(Terminal::Layout))
    }

    /// `{` after an operand inside `(` or `[`: the bracket's end is missing.
    fn close_head(&mut self, brace: &Lexeme) {
        let after_operand = match self.before(1) {
            Some(Terminal::Identifier(_)) => {
                !matches!(self.before(2), Some(Terminal::Struct { .. }))
            }
            Some(
                Terminal::Integer(_)
                | Terminal::String(_)
                | Terminal::RightBracket
                | Terminal::Star
                | Terminal::TypeWord(_),
            ) => true,
            _ => false,
        };
        if after_operand {
            self.close_brackets(brace);
        }
    }

    fn push_open(&mut self, closing: Terminal, lexeme: Lexeme, head: bool) {
        self.depth.open();
        self.check_depth(lexeme.span);
        *self.count(&closing) += 1;
        self.open.push((closing, lexeme.span, head));
        self.current.lexemes.push(lexeme);
    }

    fn check_depth(&mut self, span: Span) {
        if self.depth.total > MAX_DEPTH && !self.too_deep {
            self.too_deep = true;
            self.diagnostics.push(
                Diagnostic::error(span, "this nests too deeply", "too deep from here on").with_help(
                    "split the expression, or use a table or a `switch` for a long chain of `else if`",
                ),
            );
        }
    }

    /// `;` inside `(` or `[` that is not the head of `for`: the bracket's end is missing.
    fn close_expressions(&mut self, semicolon: &Lexeme) {
        let head = self
            .open
            .iter()
            .rev()
            .find(|(closing, _, head)| *head || *closing == Terminal::RightBrace);
        if matches!(head, Some((Terminal::RightParenthesis, _, true)))
            && matches!(self.open.last(), Some((_, _, true)))
        {
            return;
        }
        self.close_brackets(semicolon);
    }

    /// Closes the `(` and `[` that are open before a terminal which they cannot hold.
    fn close_brackets(&mut self, found: &Lexeme) {
        while let Some((closing, span, _)) = self.open.last().cloned() {
            if closing == Terminal::RightBrace {
                break;
            }
            let text = spelling(&closing);
            self.diagnostics.push(
                Diagnostic::error(
                    found.span,
                    format!("`{text}` is missing"),
                    format!("`{text}` must stand before this `{}`", found.text),
                )
                .with_secondary(span, "opened here"),
            );
            self.insert(closing, found.span);
        }
    }

    /// How many brackets are open that this terminal closes.
    fn count(&mut self, closing: &Terminal) -> &mut usize {
        let [parentheses, square, braces] = &mut self.counts;
        match closing {
            Terminal::RightParenthesis => parentheses,
            Terminal::RightBracket => square,
            _ => braces,
        }
    }

    fn pop_open(&mut self) {
        if let Some((closing, ..)) = self.open.pop() {
            *self.count(&closing) -= 1;
        }
        self.depth.close();
    }

    /// Puts a missing bracket in its place.
    fn insert(&mut self, closing: Terminal, span: Span) {
        self.pop_open();
        self.current.lexemes.push(Lexeme {
            text: spelling(&closing).into(),
            terminal: closing,
            span,
            first: false,
            weak: false,
        });
    }

    fn close(&mut self, lexeme: Lexeme) {
        let found = spelling(&lexeme.terminal);
        if *self.count(&lexeme.terminal) == 0 {
            self.diagnostics.push(
                Diagnostic::error(
                    lexeme.span,
                    format!("`{found}` closes nothing"),
                    "no bracket is open that this could close",
                )
                .with_help("remove it, or look for a bracket that is missing before it"),
            );
            return;
        }
        // A `)` never closes a block that is open inside it.
        while let Some((closing, span, _)) = self.open.last().cloned() {
            if closing == lexeme.terminal {
                break;
            }
            if closing == Terminal::RightBrace && lexeme.terminal != Terminal::RightBrace {
                self.diagnostics.push(
                    Diagnostic::error(
                        lexeme.span,
                        format!("`{found}` closes nothing"),
                        "no bracket of this kind is open in this block",
                    )
                    .with_secondary(span, "the block starts here"),
                );
                return;
            }
            let text = spelling(&closing);
            self.diagnostics.push(
                Diagnostic::error(
                    lexeme.span,
                    format!("`{text}` is missing"),
                    format!("found `{found}`, expected `{text}`"),
                )
                .with_secondary(span, "opened here"),
            );
            self.insert(closing, lexeme.span);
        }
        self.pop_open();
        let brace = lexeme.is(&Terminal::RightBrace);
        if brace && matches!(self.open.last(), Some((Terminal::RightBrace, ..))) {
            // After a block a statement ends, unless `else` follows.
            self.statement_ended = true;
        }
        self.current.lexemes.push(lexeme);
        if brace && self.open.is_empty() && self.body {
            self.end_item();
            self.ended_on_line = true;
        }
    }

    fn end_item(&mut self) {
        let item = std::mem::take(&mut self.current);
        if !item.lexemes.is_empty() && !self.too_deep {
            self.items.push(item);
        }
        self.start_item();
    }

    fn drop_item(&mut self) {
        self.current = RawItem::default();
        self.start_item();
    }

    fn start_item(&mut self) {
        self.open.clear();
        self.counts = [0; 3];
        self.depth = Depth::default();
        self.body = false;
        self.initializer = false;
        self.statement_ended = false;
        self.too_deep = false;
    }

    fn finish(&mut self) {
        if let Some((_, span, _)) = self.open.last().cloned() {
            self.diagnostics.push(
                Diagnostic::error(span, "a bracket is never closed", "opened here")
                    .with_help("the end of the file comes first"),
            );
            self.drop_item();
        } else {
            self.end_item();
        }
    }
}

/// Whether a terminal may make the tree deeper.
fn nests(terminal: &Terminal) -> bool {
    matches!(
        terminal,
        Terminal::Assign(_)
            | Terminal::Equals
            | Terminal::Infix(_)
            | Terminal::Star
            | Terminal::Ampersand
            | Terminal::Plus
            | Terminal::Minus
            | Terminal::Prefix(_)
            | Terminal::Match
            | Terminal::NotMatch
            | Terminal::Step(_)
            | Terminal::AggregateAdd
            | Terminal::In
            | Terminal::Dot
            | Terminal::Arrow
            | Terminal::Colon
            | Terminal::If
            | Terminal::While
            | Terminal::For
            | Terminal::Do
            | Terminal::Foreach
            | Terminal::Switch
            | Terminal::Sizeof
            | Terminal::Struct { .. }
    )
}

fn spelling(terminal: &Terminal) -> &'static str {
    match terminal {
        Terminal::RightParenthesis => ")",
        Terminal::RightBracket => "]",
        _ => "}",
    }
}
