//! Which brackets belong together, in every arm of the conditionals.

use crate::diagnostics::Diagnostic;
use crate::source::Span;

use super::MAX_DEPTH;
use super::pieces::{Kind, Piece};

/// The tokens among the pieces, and the partners of brackets.
pub struct Matched {
    /// Indexes of the tokens among the pieces.
    pub code: Vec<usize>,
    /// For each token that is a bracket the token that it belongs with; of several closing ones
    /// in arms of a conditional the first.
    pub partners: Vec<Option<usize>>,
    /// For each token the line breaks in front of it since the start of the file.
    pub lines: Vec<usize>,
}

/// What a directive does to the text after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conditional {
    /// It begins a conditional; whether its first arm is `#if 0`, which may hold anything.
    Begin(bool),
    Arm,
    End,
    None,
}

fn conditional(text: &str) -> Conditional {
    let text = text.trim_start_matches('#').trim_start();
    let end = text
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.starts_with("if") {
        Conditional::Begin(word == "if" && rest.trim() == "0")
    } else if word == "endif" {
        Conditional::End
    } else if word == "else" || word.starts_with("elif") {
        Conditional::Arm
    } else {
        Conditional::None
    }
}

/// The state of a pass at the arms of conditionals. Every arm starts as the first one did; after
/// the conditional things go on as after its first arm.
pub struct Arms<S> {
    open: Vec<Open<S>>,
}

struct Open<S> {
    before: S,
    after_first: Option<S>,
    dead: bool,
}

impl<S: Clone> Arms<S> {
    pub fn new() -> Self {
        Self { open: Vec::new() }
    }

    /// Whether the text at hand is in an arm that may hold anything.
    pub fn dead(&self) -> bool {
        self.open.iter().any(|open| open.dead)
    }

    /// Goes over a directive.
    pub fn directive(&mut self, text: &str, state: &mut S) {
        match conditional(text) {
            Conditional::Begin(dead) => {
                if self.open.len() < MAX_DEPTH {
                    self.open.push(Open {
                        before: state.clone(),
                        after_first: None,
                        dead,
                    });
                }
            }
            Conditional::Arm => {
                if let Some(open) = self.open.last_mut() {
                    let after = std::mem::replace(state, open.before.clone());
                    if !open.dead && open.after_first.is_none() {
                        open.after_first = Some(after);
                    }
                    open.dead = false;
                }
            }
            Conditional::End => {
                if let Some(open) = self.open.pop() {
                    if open.dead {
                        *state = open.before;
                    } else if let Some(after) = open.after_first {
                        *state = after;
                    }
                }
            }
            Conditional::None => {}
        }
    }
}

/// Matches brackets.
///
/// # Errors
/// The first bracket that has no partner, or that lies too deep.
pub fn brackets(pieces: &[Piece<'_>]) -> Result<Matched, Box<Diagnostic>> {
    let mut matched = Matched {
        code: Vec::with_capacity(pieces.len()),
        partners: Vec::with_capacity(pieces.len()),
        lines: Vec::with_capacity(pieces.len()),
    };
    let mut arms = Arms::new();
    let mut stack: Vec<(usize, usize)> = Vec::new();
    let mut lines = 0;
    for (index, piece) in pieces.iter().enumerate() {
        lines += piece.newlines;
        match piece.kind {
            Kind::Directive => {
                arms.directive(piece.text, &mut stack);
                lines += 1;
            }
            Kind::LineComment => lines += 1,
            Kind::BlockComment => lines += usize::from(piece.text.contains('\n')),
            Kind::Code(_) => {
                let at = matched.code.len();
                matched.code.push(index);
                matched.partners.push(None);
                matched.lines.push(lines);
                match piece.text {
                    "(" | "[" | "{" => {
                        if stack.len() >= MAX_DEPTH {
                            return Err(error(piece, "nested too deeply", "one bracket too many"));
                        }
                        stack.push((at, index));
                    }
                    ")" | "]" | "}" => {
                        let open = stack
                            .last()
                            .and_then(|(open, index)| Some((*open, pieces.get(*index)?)));
                        match open {
                            Some((open, opening)) if closes(opening.text, piece.text) => {
                                stack.pop();
                                if let Some(partner) = matched.partners.get_mut(at) {
                                    *partner = Some(open);
                                }
                                if let Some(partner) = matched.partners.get_mut(open) {
                                    partner.get_or_insert(at);
                                }
                            }
                            _ if arms.dead() => {}
                            Some((_, opening)) => {
                                return Err(Box::new(
                                    error(
                                        piece,
                                        format!("`{}` does not match", piece.text),
                                        format!("`{}` is to be closed first", opening.text),
                                    )
                                    .with_secondary(span(opening), "opened here"),
                                ));
                            }
                            None => {
                                return Err(error(
                                    piece,
                                    format!("`{}` closes nothing", piece.text),
                                    "no bracket is open here",
                                ));
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    match stack.last().and_then(|(_, index)| pieces.get(*index)) {
        Some(open) => Err(error(
            open,
            format!("`{}` is never closed", open.text),
            "opened here",
        )),
        None => Ok(matched),
    }
}

fn closes(open: &str, close: &str) -> bool {
    matches!((open, close), ("(", ")") | ("[", "]") | ("{", "}"))
}

fn span(piece: &Piece<'_>) -> Span {
    Span {
        start: piece.start as u32,
        end: (piece.start + piece.text.len()) as u32,
        ..Span::default()
    }
}

fn error(
    piece: &Piece<'_>,
    message: impl Into<String>,
    label: impl Into<String>,
) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(span(piece), message, label))
}
