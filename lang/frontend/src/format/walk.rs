//! From pieces to lines: follows the statements, and decides where lines begin and what stands apart.

use std::collections::HashSet;

use crate::lexer::TokenKind;

use super::brackets::{Arms, Matched};
use super::layout::{Begin, Frame, Head, Open, Statement, Word};
use super::output::Output;
use super::pieces::{Kind, Piece};
use super::spacing::{self, Role};
use super::{INDENT, MAX_DEPTH};

/// Continued lines do not align with columns beyond this one.
const MAX_ALIGN: usize = 80;

/// Puts the pieces of a file together.
pub fn walk(pieces: &[Piece<'_>], matched: &Matched) -> String {
    let mut walker = Walker {
        pieces,
        matched,
        types: type_names(pieces, matched),
        state: State {
            frames: vec![Frame::new(Open::File, 0, 0, 0)],
            before: None,
        },
        output: Output::default(),
        last: None,
        earlier: None,
        after_comments: 0,
        at: 0,
    };
    let mut arms = Arms::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece.kind {
            Kind::Directive => {
                arms.directive(piece.text, &mut walker.state);
                walker.output.line(0, walker.blank(index, false));
                walker.output.put(piece.text);
            }
            Kind::LineComment | Kind::BlockComment => {
                walker.pass_comments(index);
                walker.comment(index, piece);
            }
            Kind::Code(kind) => {
                walker.code(index, piece, kind);
                walker.at += 1;
            }
        }
        walker.last = Some(index);
    }
    walker.output.finish()
}

/// The names that the file declares with `typedef`.
fn type_names<'t>(pieces: &[Piece<'t>], matched: &Matched) -> HashSet<&'t str> {
    let text = |at: usize| {
        matched
            .code
            .get(at)
            .and_then(|index| pieces.get(*index))
            .map_or("", |piece| piece.text)
    };
    let mut depth = 0usize;
    let mut open = Vec::new();
    let mut names = HashSet::new();
    for at in 0..matched.code.len() {
        match text(at) {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            "typedef" if open.len() < MAX_DEPTH => open.push(depth),
            ";" if open.last() == Some(&depth) => {
                open.pop();
                if let Some(name) = at.checked_sub(1).map(text) {
                    names.insert(name);
                }
            }
            _ => {}
        }
    }
    names
}

/// What the arms of a conditional begin with alike.
#[derive(Clone)]
pub(super) struct State {
    pub(super) frames: Vec<Frame>,
    /// The role of the token before.
    pub(super) before: Option<Role>,
}

pub(super) struct Walker<'t, 'p> {
    pub(super) pieces: &'p [Piece<'t>],
    pub(super) matched: &'p Matched,
    pub(super) types: HashSet<&'t str>,
    pub(super) state: State,
    pub(super) output: Output,
    /// The piece before.
    pub(super) last: Option<usize>,
    /// The role of the token before the one that `state.before` tells of.
    pub(super) earlier: Option<Role>,
    /// Where the comments that were come to last end.
    pub(super) after_comments: usize,
    /// The number of the token at hand.
    pub(super) at: usize,
}

impl<'t> Walker<'t, '_> {
    pub(super) fn token(&self, at: usize) -> Option<&Piece<'t>> {
        self.pieces.get(*self.matched.code.get(at)?)
    }

    pub(super) fn text(&self, at: usize) -> &'t str {
        self.token(at).map_or("", |piece| piece.text)
    }

    pub(super) fn text_before(&self, back: usize) -> &'t str {
        self.at.checked_sub(back).map_or("", |at| self.text(at))
    }

    pub(super) fn partner(&self, at: usize) -> Option<usize> {
        self.matched.partners.get(at).copied().flatten()
    }

    pub(super) fn top(&self) -> Option<&Frame> {
        self.state.frames.last()
    }

    pub(super) fn statement(&mut self) -> Option<&mut Statement> {
        self.state
            .frames
            .last_mut()
            .map(|frame| &mut frame.statement)
    }

    /// Whether lines break between the brackets of the opening token at hand.
    pub(super) fn broken(&self) -> bool {
        let lines = |at: usize| self.matched.lines.get(at).copied().unwrap_or(0);
        self.partner(self.at)
            .is_some_and(|partner| lines(partner) > lines(self.at))
    }

    /// Whether a blank line stands in front of a piece. None stands after `{` and before `}`.
    pub(super) fn blank(&self, index: usize, closing: bool) -> bool {
        let blank = self
            .pieces
            .get(index)
            .is_some_and(|piece| piece.newlines > 1);
        blank && !closing && !self.after_open_brace()
    }

    pub(super) fn after_open_brace(&self) -> bool {
        self.state.before == Some(Role::OpenBrace)
            && self
                .last
                .and_then(|last| self.pieces.get(last))
                .is_some_and(Piece::is_code)
    }

    pub(super) fn is_type(&self, word: &str) -> bool {
        spacing::is_type_name(word) || self.types.contains(word)
    }

    pub(super) fn code(&mut self, index: usize, piece: &Piece<'t>, kind: TokenKind) {
        let text = piece.text;
        self.end_lone_line(piece, kind);
        let breaks = self.breaks(index, piece);
        if breaks {
            let indent = self.line_indent(text);
            let closing = text == "}";
            let joined = text == "{" && self.state.before == Some(Role::Close);
            self.output
                .line(indent, !joined && self.blank(index, closing));
        }
        let begins = self.begin_statement(text, kind);
        let role = self.role(piece, kind, begins);
        if !breaks && self.last.is_some() {
            let spaced = match self.state.before {
                Some(before) => {
                    let author = piece.spaced && piece.newlines == 0;
                    spacing::needs_space(before, self.text_before(1), role, text, author)
                }
                None => true,
            };
            let after_comment = self.follows_comment()
                && !matches!(
                    role,
                    Role::Comma
                        | Role::Semicolon
                        | Role::Close
                        | Role::CloseGroup
                        | Role::CloseHead
                );
            if spaced && !self.follows_comment() || after_comment {
                self.output.put(" ");
            }
        }
        let column = self.output.column();
        if let Some(statement) = self.statement()
            && std::mem::take(&mut statement.align_next)
            && !breaks
            && column <= MAX_ALIGN
        {
            statement.align = Some(column);
        }
        self.output.put(text);
        self.earlier = self.state.before.replace(role);
        self.after(text, kind, role);
    }

    /// At the top level a macro with its arguments may be alone on its line; the head of a view is.
    pub(super) fn end_lone_line(&mut self, piece: &Piece<'t>, kind: TokenKind) {
        if piece.newlines == 0 || kind != TokenKind::Identifier {
            return;
        }
        let first = self.top().map(|frame| frame.statement.first);
        if self
            .top()
            .is_some_and(|frame| frame.open == Open::File && frame.statement.started)
            && first.is_some_and(|first| self.text(first) == "_view")
            && self.text_before(1).ends_with('"')
        {
            self.end_statement(self.at);
            return;
        }
        if piece.text.starts_with('_') {
            return;
        }
        let closing = self.text_before(1) == ")";
        let opened = self.at.checked_sub(1).and_then(|at| self.partner(at));
        if let Some(frame) = self.top()
            && frame.open == Open::File
            && frame.statement.started
            && frame.statement.begin == Begin::Plain
            && closing
            && opened == Some(frame.statement.first + 1)
        {
            self.end_statement(self.at);
        }
    }

    /// Whether a token begins a line.
    pub(super) fn breaks(&self, index: usize, piece: &Piece<'t>) -> bool {
        let Some(last) = self.last.and_then(|last| self.pieces.get(last)) else {
            return index == 0;
        };
        // A number sign that begins a line would be a directive.
        if piece.text.starts_with('#') {
            return last.kind == Kind::LineComment || last.kind == Kind::Directive;
        }
        let author = piece.newlines > 0 || last.kind == Kind::Directive;
        if !last.is_code() {
            return author || self.breaks_anyway();
        }
        if self.breaks_anyway() {
            return true;
        }
        let Some(frame) = self.top() else {
            return author;
        };
        match piece.text {
            "{" if self.opens_function() => self.broken(),
            "{" if frame.open.has_statements() => {
                let joins = frame.statement.started || !frame.statement.heads.is_empty();
                author && !joins
            }
            "else" | "_catch" | "while"
                if self.state.before == Some(Role::CloseBrace)
                    && frame.statement.after.is_some()
                    && self.closed_lines() =>
            {
                false
            }
            _ => author,
        }
    }

    /// Whether the bracket that has just been closed spans lines.
    pub(super) fn closed_lines(&self) -> bool {
        let lines = |at: usize| self.matched.lines.get(at).copied().unwrap_or(0);
        self.at.checked_sub(1).is_some_and(|close| {
            self.partner(close)
                .is_some_and(|open| lines(close) > lines(open))
        })
    }

    /// Whether the brace at hand opens the body of a function.
    pub(super) fn opens_function(&self) -> bool {
        self.top().is_some_and(|frame| {
            frame.open == Open::File
                && frame.statement.started
                && frame.statement.begin == Begin::Plain
                && !frame.statement.assigned
                && self.state.before == Some(Role::Close)
                && self.text_before(1) == ")"
        })
    }

    /// The indentation of a line that begins with a token.
    pub(super) fn line_indent(&self, text: &str) -> usize {
        let Some(frame) = self.top() else {
            return 0;
        };
        if matches!(text, ")" | "]" | "}") {
            return frame.closing;
        }
        if frame.open == Open::List {
            let begins = matches!(
                self.state.before,
                Some(Role::OpenBrace | Role::Comma) | None
            );
            return frame.content + if begins { 0 } else { INDENT };
        }
        if !frame.open.has_statements() {
            return frame.content;
        }
        let statement = &frame.statement;
        if statement.started {
            return match text {
                "{" => statement.indent,
                _ => statement.align.unwrap_or(statement.indent + INDENT),
            };
        }
        if let Some(after) = statement.after
            && matches!(text, "else" | "_catch" | "while")
        {
            return after.indent;
        }
        match statement.heads.last() {
            Some(head) if text == "{" => head.indent,
            Some(head) => head.indent + INDENT,
            None if self.begins_label(text) => frame.content.saturating_sub(INDENT),
            None => frame.content,
        }
    }

    /// Whether the next token begins a label.
    pub(super) fn begins_label(&self, text: &str) -> bool {
        match text {
            "case" => true,
            "default" => self.text(self.at + 1) == ":",
            _ => {
                self.top().is_some_and(|frame| frame.open == Open::Block)
                    && self.text(self.at) == text
                    && self.text(self.at + 1) == ":"
                    && !spacing::is_type_name(text)
                    && matches!(
                        self.token(self.at).map(|piece| piece.kind),
                        Some(Kind::Code(TokenKind::Identifier))
                    )
            }
        }
    }

    /// Begins a statement if one is to begin; tells whether it does.
    pub(super) fn begin_statement(&mut self, text: &str, kind: TokenKind) -> bool {
        let (at, indent) = (self.at, self.output.indent());
        let Some(frame) = self.state.frames.last_mut() else {
            return false;
        };
        let statement = &mut frame.statement;
        if !frame.open.has_statements() || statement.started || matches!(text, "}" | "{") {
            return false;
        }
        statement.started = true;
        statement.first = at;
        statement.indent = indent;
        statement.align = None;
        statement.align_next = false;
        statement.assigned = false;
        statement.begin = Begin::Plain;
        let after = statement.after.take();
        if kind != TokenKind::Identifier {
            return true;
        }
        let word = match text {
            "_probe" => {
                statement.begin = Begin::Probe;
                return true;
            }
            "_layout" => {
                statement.begin = Begin::Layout;
                return true;
            }
            "case" | "default" => {
                statement.begin = Begin::Case;
                return true;
            }
            "if" => Word::If,
            "else" => Word::Else,
            "do" => Word::Do,
            "_try" => Word::Try,
            "while" if matches!(after, Some(head) if head.word == Word::Do) => return true,
            "for" | "while" | "switch" | "_foreach" | "_catch" => Word::Loop,
            _ => return true,
        };
        let mut head = Head { word, indent };
        if let Some(after) = after
            && matches!(text, "else" | "_catch")
        {
            head.indent = after.indent;
        }
        // `else if` is one head.
        if word == Word::If
            && self.text_before(1) == "else"
            && self.pieces_between() == 0
            && let Some(statement) = self.statement()
            && let Some(before) = statement.heads.last().copied()
            && before.word == Word::Else
        {
            head.indent = before.indent;
            statement.indent = before.indent;
            statement.heads.pop();
        }
        if let Some(statement) = self.statement()
            && statement.heads.len() < MAX_DEPTH
        {
            statement.heads.push(head);
        }
        true
    }

    /// Line breaks, comments and directives between the token at hand and the one before.
    pub(super) fn pieces_between(&self) -> usize {
        let index = |at: usize| self.matched.code.get(at).copied().unwrap_or(0);
        let before = self.at.checked_sub(1).map_or(0, index);
        let newlines = self.token(self.at).map_or(0, |piece| piece.newlines);
        index(self.at).saturating_sub(before + 1) + newlines
    }

    /// What a token does to the statement and to what is open.
    pub(super) fn after(&mut self, text: &str, kind: TokenKind, role: Role) {
        if kind == TokenKind::Identifier && role == Role::Keyword {
            let align = text == "return";
            let ends = spacing::is_bare_head(text);
            if let Some(statement) = self.statement() {
                statement.align_next = align;
                if ends {
                    statement.started = false;
                }
            }
            return;
        }
        match role {
            Role::LabelColon => {
                if let Some(statement) = self.statement() {
                    statement.started = false;
                }
            }
            Role::Semicolon if self.top().is_some_and(|frame| frame.open.has_statements()) => {
                self.end_statement(self.at + 1);
            }
            Role::Comma => {
                if let Some(statement) = self.statement() {
                    statement.align = None;
                }
            }
            Role::Infix if spacing::is_assignment(text) => {
                if let Some(statement) = self.statement() {
                    statement.align_next = !statement.assigned;
                    statement.assigned = true;
                }
            }
            _ => {}
        }
        match text {
            "(" | "[" | "{" if matches!(role, Role::Open | Role::OpenBrace) => self.open(text),
            ")" | "]" | "}" => self.close(text),
            _ => {}
        }
    }

    /// Ends the statement at hand; `next` is the token after it.
    pub(super) fn end_statement(&mut self, next: usize) {
        let next = self.text(next);
        let Some(statement) = self.statement() else {
            return;
        };
        statement.started = false;
        statement.align = None;
        statement.align_next = false;
        statement.after = None;
        while let Some(head) = statement.heads.pop() {
            let goes_on = match head.word {
                Word::If => next == "else",
                Word::Try => next == "_catch",
                Word::Do => next == "while",
                Word::Else | Word::Loop => false,
            };
            if goes_on {
                statement.after = Some(head);
                break;
            }
        }
    }

    pub(super) fn open(&mut self, text: &str) {
        let (at, indent, column) = (self.at, self.output.indent(), self.output.column());
        let next = self
            .matched
            .code
            .get(at)
            .and_then(|index| self.pieces.get(index + 1));
        if text != "{" {
            let hangs = next.is_none_or(|next| !next.is_code() || next.newlines > 0);
            let content = if hangs || column > MAX_ALIGN {
                indent + INDENT
            } else {
                column
            };
            let open = match text {
                "[" => Open::Bracket,
                _ => self.parenthesis(),
            };
            self.push(Frame::new(open, at, content, indent));
            return;
        }
        let broken = self.broken();
        let (open, ends_statement, indent) = self.brace(indent);
        self.push(Frame {
            ends_statement,
            broken: broken && open != Open::List,
            ..Frame::new(open, at, indent + INDENT, indent)
        });
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.state.frames.push(frame);
    }

    /// What the parenthesis at hand is.
    pub(super) fn parenthesis(&self) -> Open {
        let Some(before) = self.at.checked_sub(1) else {
            return Open::Group;
        };
        let word = self.text(before);
        let statement_level = self.top().is_some_and(|frame| frame.open.has_statements());
        let name = matches!(
            self.token(before).map(|piece| piece.kind),
            Some(Kind::Code(TokenKind::Identifier | TokenKind::Quoted))
        );
        if name && (spacing::is_head(word) && statement_level || word == "_if") {
            return Open::Head;
        }
        // A cast may follow a cast.
        if word == ")" && self.earlier == Some(Role::CloseGroup) {
            return Open::Group;
        }
        if matches!(word, ")" | "]") {
            return Open::Call;
        }
        match spacing::word_role(word) {
            Role::Keyword | Role::Infix => Open::Group,
            _ if name && word != "in" => Open::Call,
            _ => Open::Group,
        }
    }

    /// What the brace at hand is, whether its end ends the statement around it, and the indentation of its end.
    pub(super) fn brace(&self, indent: usize) -> (Open, bool, usize) {
        let Some(frame) = self.top() else {
            return (Open::Block, true, indent);
        };
        let statement = &frame.statement;
        let before = self.text_before(1);
        if !frame.open.has_statements() {
            let block = frame.open != Open::List && matches!(before, "(" | ",");
            let open = if self.is_record() {
                Open::Members
            } else if block {
                Open::Block
            } else {
                Open::List
            };
            return (open, false, indent);
        }
        if !statement.started {
            return match statement.heads.last() {
                Some(head) => (Open::Block, true, head.indent),
                None => (Open::Block, true, indent),
            };
        }
        if statement.begin == Begin::Layout {
            return (Open::Members, false, statement.indent);
        }
        if self.is_record() {
            let nested = statement.assigned || before == "enum" || self.text_before(2) == "enum";
            let open = if nested { Open::List } else { Open::Members };
            return (open, false, statement.indent);
        }
        let list = statement.assigned
            || match before {
                ")" => {
                    let open = self.at.checked_sub(1).and_then(|at| self.partner(at));
                    open.is_some_and(|open| open == statement.first)
                }
                "return" | "," | "=" => true,
                _ => false,
            };
        if list {
            (Open::List, false, indent)
        } else {
            (Open::Block, true, statement.indent)
        }
    }

    /// Whether the brace at hand holds the members of a record or the names of an enumeration.
    pub(super) fn is_record(&self) -> bool {
        let word = |back: usize| {
            let text = self.text_before(back);
            let text = text.rsplit("::").next().unwrap_or(text);
            matches!(text, "struct" | "union" | "enum")
        };
        word(1) || word(2)
    }

    pub(super) fn close(&mut self, text: &str) {
        let Some(frame) = self.state.frames.last() else {
            return;
        };
        // In an arm that is never taken brackets may be missing.
        let fits = match frame.open {
            Open::File => false,
            Open::Block | Open::Members | Open::List => text == "}",
            Open::Bracket => text == "]",
            Open::Head | Open::Call | Open::Group => text == ")",
        };
        if !fits {
            return;
        }
        let (open, ends) = (frame.open, frame.ends_statement);
        self.state.frames.pop();
        if ends {
            self.end_statement(self.at + 1);
        } else if open == Open::Head
            && let Some(statement) = self.statement()
            && statement.begin == Begin::Plain
        {
            // The body is a statement of its own; `do … while (…)` has had its body.
            let first = statement.first;
            let head = !statement.heads.is_empty() || self.text(first) != "while";
            if head && let Some(statement) = self.statement() {
                statement.started = false;
            }
        }
    }
}
