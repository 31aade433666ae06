//! What a token is to its neighbours: above all, whether an operator stands before one operand or between two.

use crate::lexer::TokenKind;

use super::layout::{Begin, Open};
use super::pieces::{Kind, Piece};
use super::spacing::{self, Role};
use super::walk::Walker;

/// The longest type in parentheses that is recognised as a cast, in tokens.
const MAX_CAST: usize = 24;

impl<'t> Walker<'t, '_> {
    pub(super) fn role(&mut self, piece: &Piece<'t>, kind: TokenKind, begins: bool) -> Role {
        match kind {
            TokenKind::Identifier => self.word(piece.text),
            TokenKind::Punctuator => self.punctuator(piece, begins),
            _ => Role::Operand,
        }
    }

    pub(super) fn word(&self, text: &str) -> Role {
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

    pub(super) fn punctuator(&mut self, piece: &Piece<'t>, begins: bool) -> Role {
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

    pub(super) fn colon(&mut self) -> Role {
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
    pub(super) fn declares_function_pointer(&self) -> bool {
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
    pub(super) fn ambiguous(&self, piece: &Piece<'t>, operand: bool) -> Role {
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
                None if self.spaced_after() || !self.operand_follows() => Role::Infix,
                None => Role::Prefix,
            };
        }
        if piece.text == "*" && self.is_pointer(piece) {
            Role::Pointer
        } else {
            Role::Infix
        }
    }

    /// Whether the next token begins an operand whatever stands before it.
    pub(super) fn operand_follows(&self) -> bool {
        match self.token(self.at + 1).map(|piece| piece.kind) {
            Some(Kind::Code(TokenKind::Punctuator)) => self.text(self.at + 1) == "(",
            // Words between operands get blanks, and would be read otherwise with them.
            Some(Kind::Code(TokenKind::Identifier)) => {
                spacing::word_role(self.text(self.at + 1)) != Role::Infix
            }
            Some(Kind::Code(_)) => true,
            _ => false,
        }
    }

    pub(super) fn spaced_after(&self) -> bool {
        self.matched
            .code
            .get(self.at)
            .and_then(|index| self.pieces.get(index + 1))
            .is_none_or(|next| next.spaced || next.newlines > 0)
    }

    /// Whether the group that has just been closed is a type; `None` if it is a single name.
    pub(super) fn is_cast(&self) -> Option<bool> {
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
    pub(super) fn is_pointer(&self, piece: &Piece<'t>) -> bool {
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
