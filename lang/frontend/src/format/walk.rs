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

/// The longest type in parentheses that is recognised as a cast, in tokens.
const MAX_CAST: usize = 24;

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
            Kind::LineComment | Kind::BlockComment => walker.comment(index, piece),
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
struct State {
    frames: Vec<Frame>,
    /// The role of the token before.
    before: Option<Role>,
}

struct Walker<'t, 'p> {
    pieces: &'p [Piece<'t>],
    matched: &'p Matched,
    types: HashSet<&'t str>,
    state: State,
    output: Output,
    /// The piece before.
    last: Option<usize>,
    /// The role of the token before the one that `state.before` tells of.
    earlier: Option<Role>,
    /// The number of the token at hand.
    at: usize,
}

impl<'t> Walker<'t, '_> {
    fn token(&self, at: usize) -> Option<&Piece<'t>> {
        self.pieces.get(*self.matched.code.get(at)?)
    }

    fn text(&self, at: usize) -> &'t str {
        self.token(at).map_or("", |piece| piece.text)
    }

    fn text_before(&self, back: usize) -> &'t str {
        self.at.checked_sub(back).map_or("", |at| self.text(at))
    }

    fn partner(&self, at: usize) -> Option<usize> {
        self.matched.partners.get(at).copied().flatten()
    }

    fn top(&self) -> Option<&Frame> {
        self.state.frames.last()
    }

    fn statement(&mut self) -> Option<&mut Statement> {
        self.state
            .frames
            .last_mut()
            .map(|frame| &mut frame.statement)
    }

    /// Whether lines break between the brackets of the opening token at hand.
    fn broken(&self) -> bool {
        let lines = |at: usize| self.matched.lines.get(at).copied().unwrap_or(0);
        self.partner(self.at)
            .is_some_and(|partner| lines(partner) > lines(self.at))
    }

    /// Whether a blank line stands in front of a piece. None stands after `{` and before `}`.
    fn blank(&self, index: usize, closing: bool) -> bool {
        let blank = self
            .pieces
            .get(index)
            .is_some_and(|piece| piece.newlines > 1);
        blank && !closing && !self.after_open_brace()
    }

    fn after_open_brace(&self) -> bool {
        self.state.before == Some(Role::OpenBrace)
            && self
                .last
                .and_then(|last| self.pieces.get(last))
                .is_some_and(Piece::is_code)
    }

    fn is_type(&self, word: &str) -> bool {
        spacing::is_type_name(word) || self.types.contains(word)
    }

    // Comments.

    fn comment(&mut self, index: usize, piece: &Piece<'t>) {
        let next = self.pieces.get(index + 1);
        let breaks = next.is_none_or(|next| next.newlines > 0 || next.kind == Kind::Directive)
            || self.breaks_anyway();
        let first = piece.newlines > 0 || self.last.is_none();
        if first {
            let indent = self.comment_indent(index);
            self.output.line(indent, self.blank(index, false));
            let moved = shifted(piece, self.output.indent());
            self.output.put(&moved);
        } else if self.follows_directive() {
            self.output.line(0, false);
            self.output.put(piece.text);
        } else if breaks && !piece.text.contains('\n') {
            self.output.comment(piece.text);
        } else {
            if self.state.before != Some(Role::Open) || self.follows_comment() {
                self.output.put(" ");
            }
            self.output.put(piece.text);
        }
    }

    fn follows_directive(&self) -> bool {
        self.last
            .and_then(|last| self.pieces.get(last))
            .is_some_and(|last| last.kind == Kind::Directive)
    }

    fn follows_comment(&self) -> bool {
        self.last
            .and_then(|last| self.pieces.get(last))
            .is_some_and(Piece::is_comment)
    }

    /// Whether the next token begins a line whatever the author wrote.
    fn breaks_anyway(&self) -> bool {
        let Some(frame) = self.top() else {
            return false;
        };
        frame.broken
            && (self.state.before == Some(Role::OpenBrace) && frame.token + 1 == self.at
                || self.text(self.at) == "}")
    }

    fn comment_indent(&self, index: usize) -> usize {
        let next = self
            .pieces
            .iter()
            .skip(index + 1)
            .find(|piece| !piece.is_comment());
        match next {
            Some(next) if next.is_code() && !matches!(next.text, "}" | ")" | "]" | "{") => {
                self.line_indent(next.text)
            }
            _ => match self.top() {
                Some(frame) => match frame.statement.heads.last() {
                    Some(head) if !frame.statement.started => head.indent + INDENT,
                    _ => frame.content,
                },
                None => 0,
            },
        }
    }

    // Tokens.

    fn code(&mut self, index: usize, piece: &Piece<'t>, kind: TokenKind) {
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
    fn end_lone_line(&mut self, piece: &Piece<'t>, kind: TokenKind) {
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
    fn breaks(&self, index: usize, piece: &Piece<'t>) -> bool {
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
    fn closed_lines(&self) -> bool {
        let lines = |at: usize| self.matched.lines.get(at).copied().unwrap_or(0);
        self.at.checked_sub(1).is_some_and(|close| {
            self.partner(close)
                .is_some_and(|open| lines(close) > lines(open))
        })
    }

    /// Whether the brace at hand opens the body of a function.
    fn opens_function(&self) -> bool {
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
    fn line_indent(&self, text: &str) -> usize {
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
    fn begins_label(&self, text: &str) -> bool {
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
    fn begin_statement(&mut self, text: &str, kind: TokenKind) -> bool {
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
    fn pieces_between(&self) -> usize {
        let index = |at: usize| self.matched.code.get(at).copied().unwrap_or(0);
        let before = self.at.checked_sub(1).map_or(0, index);
        let newlines = self.token(self.at).map_or(0, |piece| piece.newlines);
        index(self.at).saturating_sub(before + 1) + newlines
    }

    /// What a token does to the statement and to what is open.
    fn after(&mut self, text: &str, kind: TokenKind, role: Role) {
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
            Role::Open | Role::OpenBrace => {}
            Role::Close | Role::CloseGroup | Role::CloseHead | Role::CloseBrace => {}
            Role::LabelColon => {
                if let Some(statement) = self.statement() {
                    statement.started = false;
                }
            }
            Role::Semicolon => {
                if self.top().is_some_and(|frame| frame.open.has_statements()) {
                    self.end_statement(self.at + 1);
                }
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
    fn end_statement(&mut self, next: usize) {
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

    fn open(&mut self, text: &str) {
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

    fn push(&mut self, frame: Frame) {
        self.state.frames.push(frame);
    }

    /// What the parenthesis at hand is.
    fn parenthesis(&self) -> Open {
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
    fn brace(&self, indent: usize) -> (Open, bool, usize) {
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
    fn is_record(&self) -> bool {
        let word = |back: usize| {
            let text = self.text_before(back);
            let text = text.rsplit("::").next().unwrap_or(text);
            matches!(text, "struct" | "union" | "enum")
        };
        word(1) || word(2)
    }

    fn close(&mut self, text: &str) {
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

    // Roles.

    fn role(&mut self, piece: &Piece<'t>, kind: TokenKind, begins: bool) -> Role {
        match kind {
            TokenKind::Identifier => self.word(piece.text),
            TokenKind::Punctuator => self.punctuator(piece, begins),
            _ => Role::Operand,
        }
    }

    fn word(&self, text: &str) -> Role {
        if self.state.before == Some(Role::Member) {
            return Role::Operand;
        }
        if text == "in" && self.state.before.is_some_and(Role::ends_operand) {
            let name = matches!(
                self.token(self.at + 1).map(|piece| piece.kind),
                Some(Kind::Code(TokenKind::Identifier | TokenKind::Quoted))
            );
            if name {
                return Role::Infix;
            }
        }
        spacing::word_role(text.rsplit("::").next().unwrap_or(text))
    }

    fn punctuator(&mut self, piece: &Piece<'t>, begins: bool) -> Role {
        let text = piece.text;
        let before = self.state.before;
        let operand = before.is_some_and(Role::ends_operand) && !begins;
        match text {
            "(" => {
                if self.declares_function_pointer() {
                    // As after the word of a type.
                    self.state.before = Some(Role::TypeWord);
                }
                Role::Open
            }
            "[" => Role::Open,
            "{" => Role::OpenBrace,
            "}" => Role::CloseBrace,
            "]" => Role::Close,
            ")" => match self.top().map(|frame| frame.open) {
                Some(Open::Head) => Role::CloseHead,
                Some(Open::Group) => Role::CloseGroup,
                _ => Role::Close,
            },
            "," => Role::Comma,
            ";" => Role::Semicolon,
            "." => match before {
                Some(role) if role.ends_operand() || role == Role::CloseBrace => Role::Member,
                _ => Role::Prefix,
            },
            "->" => match self.top() {
                Some(frame)
                    if frame.open == Open::File && frame.statement.begin == Begin::Probe =>
                {
                    Role::Infix
                }
                _ => Role::Member,
            },
            "++" | "--" if operand => Role::Postfix,
            "++" | "--" | "!" | "~" => Role::Prefix,
            "*" | "&" | "+" | "-" | "~~" => self.ambiguous(piece, operand),
            ":" => self.colon(),
            "..." => match before {
                Some(role) if role.ends_operand() => Role::Infix,
                _ => Role::Operand,
            },
            _ if spacing::is_infix(text) => {
                if text == "?"
                    && let Some(frame) = self.state.frames.last_mut()
                {
                    frame.questions = frame.questions.saturating_add(1);
                }
                Role::Infix
            }
            _ => Role::Other,
        }
    }

    fn colon(&mut self) -> Role {
        let label = self.at.checked_sub(1).is_some_and(|before| {
            self.top()
                .is_some_and(|frame| frame.open == Open::Block && frame.statement.first == before)
        });
        let Some(frame) = self.state.frames.last_mut() else {
            return Role::Infix;
        };
        if frame.questions > 0 {
            frame.questions -= 1;
            return Role::Infix;
        }
        let statement = &frame.statement;
        if statement.started
            && frame.open.has_statements()
            && (label || statement.begin == Begin::Case)
        {
            Role::LabelColon
        } else {
            Role::Infix
        }
    }

    /// Whether `(` begins a declarator: `T (*f)(int)`, `T (*a)[4]`.
    fn declares_function_pointer(&self) -> bool {
        let first = self.top().is_some_and(|frame| {
            frame.open.has_statements() && frame.statement.first + 1 == self.at
        });
        first
            && self.text(self.at + 1) == "*"
            && self.partner(self.at).is_some_and(|close| {
                close == self.at + 3 && matches!(self.text(close + 1), "(" | "[")
            })
    }

    /// `*`, `&`, `+`, `-`, `~~`: before one operand or between two.
    fn ambiguous(&self, piece: &Piece<'t>, operand: bool) -> Role {
        if !operand {
            return match self.state.before {
                Some(Role::Pointer) if piece.text == "*" => Role::Pointer,
                _ => Role::Prefix,
            };
        }
        if self.state.before == Some(Role::CloseGroup) {
            return match self.is_cast() {
                Some(true) => Role::Prefix,
                Some(false) => Role::Infix,
                // `(name) - 1` is a difference, `(name)-1` a cast, as the author has it.
                None if self.spaced_after() => Role::Infix,
                None => Role::Prefix,
            };
        }
        if piece.text == "*" && self.is_pointer(piece) {
            Role::Pointer
        } else {
            Role::Infix
        }
    }

    fn spaced_after(&self) -> bool {
        self.matched
            .code
            .get(self.at)
            .and_then(|index| self.pieces.get(index + 1))
            .is_none_or(|next| next.spaced || next.newlines > 0)
    }

    /// Whether the group that has just been closed is a type; `None` if it is a single name.
    fn is_cast(&self) -> Option<bool> {
        let close = self.at.checked_sub(1)?;
        let Some(open) = self.partner(close) else {
            return Some(false);
        };
        let inside = close.saturating_sub(open + 1);
        if inside == 0 || inside > MAX_CAST {
            return Some(false);
        }
        let mut pointer = false;
        let mut known = false;
        for at in open + 1..close {
            let text = self.text(at);
            match self.token(at).map(|piece| piece.kind) {
                Some(Kind::Code(TokenKind::Identifier | TokenKind::Quoted)) => {
                    known |= self.is_type(text);
                }
                _ if matches!(text, "*" | "[" | "]" | "(" | ")") => pointer = text == "*",
                _ => return Some(false),
            }
        }
        if known || pointer {
            return Some(true);
        }
        if inside == 1 { None } else { Some(false) }
    }

    /// Whether `*` after a name or a bracket belongs to a declarator or a type.
    fn is_pointer(&self, piece: &Piece<'t>) -> bool {
        let before = self.text_before(1);
        let next = self.text(self.at + 1);
        if matches!(
            next,
            ")" | "]" | "," | "const" | "restrict" | "volatile" | ";" | ">"
        ) {
            return true;
        }
        if self.state.before == Some(Role::TypeWord) {
            return true;
        }
        let name = self
            .at
            .checked_sub(1)
            .and_then(|at| self.token(at))
            .is_some_and(|piece| {
                matches!(
                    piece.kind,
                    Kind::Code(TokenKind::Identifier | TokenKind::Quoted)
                )
            });
        if !name {
            return false;
        }
        let second = self.text_before(2);
        if self.is_type(before) || spacing::is_type_word(second) {
            return true;
        }
        let Some(frame) = self.top() else {
            return false;
        };
        let first = frame.statement.first;
        if frame.open.has_statements() {
            // `T *p`, `static T *p`, `_probe f(…) -> T *p`.
            let begins = first + 1 == self.at;
            let head = frame.open == Open::File && frame.statement.begin == Begin::Probe;
            return begins && !frame.statement.assigned || head;
        }
        if second == "(" && self.text(self.at + 2) == "=" {
            return true;
        }
        if !matches!(second, "(" | ",") {
            return false;
        }
        // Parameters of a function or of a probe.
        let outer = self.state.frames.len().checked_sub(2);
        let outer = outer.and_then(|index| self.state.frames.get(index));
        if let Some(outer) = outer
            && outer.open == Open::File
            && frame.open == Open::Call
            && !outer.statement.assigned
        {
            return true;
        }
        if frame.open == Open::Head && self.text(self.at + 2) == "in" {
            return true;
        }
        next == "*" && !self.spaced_after() && piece.spaced
    }
}

/// A comment with its later lines moved as far as its first one.
fn shifted(piece: &Piece<'_>, indent: usize) -> String {
    if piece.kind != Kind::BlockComment || !piece.text.contains('\n') {
        return piece.text.to_owned();
    }
    let mut result = String::with_capacity(piece.text.len());
    for (index, line) in piece.text.split('\n').enumerate() {
        let line = line.trim_end();
        if index == 0 {
            result.push_str(line);
            continue;
        }
        result.push('\n');
        let blanks = line.bytes().take_while(|byte| *byte == b' ').count();
        let rest = line.get(blanks..).unwrap_or_default();
        if rest.is_empty() {
            continue;
        }
        let column = (blanks + indent).saturating_sub(piece.blanks);
        result.extend(std::iter::repeat_n(' ', column));
        result.push_str(rest);
    }
    result
}
