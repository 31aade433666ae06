//! Where comments go.

use super::INDENT;
use super::pieces::{Kind, Piece};
use super::spacing::Role;
use super::walk::Walker;

impl<'t> Walker<'t, '_> {
    pub(super) fn comment(&mut self, index: usize, piece: &Piece<'t>) {
        let next = self.pieces.get(index + 1);
        let breaks = next.is_none_or(|next| next.newlines > 0 || next.kind == Kind::Directive)
            || self.breaks_anyway();
        let first = piece.newlines > 0 || self.last.is_none();
        if first {
            let indent = self.comment_indent();
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

    pub(super) fn follows_directive(&self) -> bool {
        self.last
            .and_then(|last| self.pieces.get(last))
            .is_some_and(|last| last.kind == Kind::Directive)
    }

    pub(super) fn follows_comment(&self) -> bool {
        self.last
            .and_then(|last| self.pieces.get(last))
            .is_some_and(Piece::is_comment)
    }

    /// Whether the next token begins a line whatever the author wrote.
    pub(super) fn breaks_anyway(&self) -> bool {
        let Some(frame) = self.top() else {
            return false;
        };
        frame.broken
            && (self.state.before == Some(Role::OpenBrace) && frame.token + 1 == self.at
                || self.text(self.at) == "}")
    }

    /// Finds what follows the comment at `index` and those right after it, once for all of them.
    pub(super) fn pass_comments(&mut self, index: usize) {
        if self.after_comments <= index {
            let comments = self.pieces.iter().skip(index);
            self.after_comments = index + comments.take_while(|piece| piece.is_comment()).count();
        }
    }

    fn comment_indent(&self) -> usize {
        match self.pieces.get(self.after_comments) {
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
