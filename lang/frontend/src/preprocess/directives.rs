//! Directive lines.

use super::Preprocessor;
use super::arms::Turn;
use crate::diagnostics::{Diagnostic, Topic};
use crate::lexer::{Token, TokenKind};
use crate::source::Span;

/// An open `#if` or `##if…`.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// Whether the text is used, which the enclosing conditions have to allow.
    pub active: bool,
    /// Whether an arm was taken already.
    taken: bool,
    /// Whether the enclosing conditions hold.
    enclosed: bool,
    /// Where it starts.
    pub span: Span,
    /// Whether it is `##`.
    target: bool,
    /// Whether its `else` was seen.
    last: bool,
    /// The number of its current arm.
    arm: usize,
    /// Without a target: the arm that is taken in this round, and the turn inside of it.
    chosen: usize,
    turn: Turn,
}

impl Condition {
    /// `#` or `##`.
    pub fn mark(&self) -> &'static str {
        if self.target { "##" } else { "#" }
    }
}

/// What a word after `#` or `##` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Include,
    Define,
    Undef,
    If,
    Ifdef {
        negated: bool,
    },
    Elif,
    Elifdef {
        negated: bool,
    },
    Else,
    Endif,
    Error,
    Warning,
    Ignored,
    Pragma,
    TargetIf {
        elif: bool,
        negated: bool,
        query: Query,
    },
}

/// What a `##if…` asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// Is there a type?
    Type,
    /// Has a type a field?
    Field,
    /// Is there a function?
    Function,
    /// Is there a variable?
    Variable,
    /// Is there an enumerator?
    Enumerator,
    /// Has a function a parameter?
    Argument,
}

const C_WORDS: &[&str] = &[
    "include", "define", "undef", "if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else",
    "endif", "error", "warning", "line", "pragma",
];

const QUERIES: &[(&str, Query)] = &[
    ("type", Query::Type),
    ("field", Query::Field),
    ("func", Query::Function),
    ("var", Query::Variable),
    ("enum", Query::Enumerator),
    ("arg", Query::Argument),
];

/// Whether a directive starts here.
pub fn is_directive(token: &Token) -> bool {
    token.first && (token.is("#") || token.is("##"))
}

fn read(double: bool, word: &str) -> Option<Directive> {
    if !double {
        return Some(match word {
            "include" => Directive::Include,
            "define" => Directive::Define,
            "undef" => Directive::Undef,
            "if" => Directive::If,
            "ifdef" => Directive::Ifdef { negated: false },
            "ifndef" => Directive::Ifdef { negated: true },
            "elif" => Directive::Elif,
            "elifdef" => Directive::Elifdef { negated: false },
            "elifndef" => Directive::Elifdef { negated: true },
            "else" => Directive::Else,
            "endif" => Directive::Endif,
            "error" => Directive::Error,
            "warning" => Directive::Warning,
            "line" => Directive::Ignored,
            "pragma" => Directive::Pragma,
            _ => return None,
        });
    }
    match word {
        "else" => return Some(Directive::Else),
        "endif" => return Some(Directive::Endif),
        "error" => return Some(Directive::Error),
        "warning" => return Some(Directive::Warning),
        _ => {}
    }
    let (elif, rest) = match word.strip_prefix("elif") {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix("if")?),
    };
    let (negated, rest) = match rest.strip_prefix("ndef") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix("def")?),
    };
    let (_, query) = QUERIES.iter().find(|(name, _)| *name == rest)?;
    Some(Directive::TargetIf {
        elif,
        negated,
        query: *query,
    })
}

/// The directive nearest to a misspelt one.
fn suggestion(double: bool, word: &str) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    if double {
        for start in ["if", "elif"] {
            for (name, _) in QUERIES {
                words.push(format!("{start}def{name}"));
                words.push(format!("{start}ndef{name}"));
            }
        }
        words.extend(["else", "endif", "error", "warning"].map(str::to_owned));
    } else {
        words.extend(C_WORDS.iter().map(|word| (*word).to_owned()));
    }
    words
        .into_iter()
        .map(|known| (strsim::osa_distance(&known, word), known))
        .min()
        .filter(|(distance, known)| *distance * 3 <= known.len())
        .map(|(_, known)| known)
}

/// What a directive means to the arms of `##if…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArmWord {
    /// A condition, with its first arm.
    First,
    /// The next arm.
    Next,
    /// The end of the condition.
    End,
    /// A file is included.
    Include,
}

/// What the directive of a word means to the arms of `##if…`; `None` if nothing. `double`: it stands after `##`.
pub fn arm_word(double: bool, word: &str) -> Option<ArmWord> {
    match read(double, word)? {
        Directive::TargetIf { elif: false, .. } => Some(ArmWord::First),
        Directive::TargetIf { elif: true, .. } => Some(ArmWord::Next),
        Directive::Else if double => Some(ArmWord::Next),
        Directive::Endif if double => Some(ArmWord::End),
        Directive::Include => Some(ArmWord::Include),
        _ => None,
    }
}

impl Preprocessor<'_, '_, '_> {
    /// Obeys the directive in `line`, whose first token is `#` or `##`. `text` is the file's.
    pub(super) fn directive(
        &mut self,
        text: &str,
        line: &[Token],
        conditions: &mut Vec<Condition>,
        needs: Option<&[usize]>,
    ) {
        let [mark, rest @ ..] = line else { return };
        let double = mark.is("##");
        let rest: Vec<&Token> = rest
            .iter()
            .filter(|token| token.kind != TokenKind::Documentation)
            .collect();
        let enclosed = conditions.last().is_none_or(|condition| condition.active);
        let turn = conditions.last().map_or(self.turn, |outer| outer.turn);
        let Some((word, arguments)) = rest.split_first() else {
            // `#` alone is nothing.
            return;
        };
        let span = mark.span.to(word.span);
        let directive = match word.kind {
            TokenKind::Identifier if word.prefix.is_none() => read(double, &word.text),
            _ => None,
        };
        let Some(directive) = directive else {
            if !enclosed {
                // In skipped text only the nesting counts.
                if word.text.starts_with("if") {
                    conditions.push(Condition::skipped(span, double));
                }
                return;
            }
            let shown = if double { "##" } else { "#" };
            let mut diagnostic = Diagnostic::error(
                span,
                format!("no directive `{shown}{}`", word.spelling()),
                "unknown",
            );
            if let Some(known) = suggestion(double, &word.text) {
                diagnostic = diagnostic.with_help(format!("did you mean `{shown}{known}`?"));
            } else if let Some(known) = read(!double, &word.text) {
                let other = if double { "#" } else { "##" };
                let _ = known;
                diagnostic = diagnostic.with_help(format!("it is spelt `{other}{}`", word.text));
            }
            self.diagnostics.push(diagnostic);
            if word.text.starts_with("if") {
                conditions.push(Condition::skipped(span, double));
            }
            return;
        };
        let whole = rest.last().map_or(span, |last| span.to(last.span));
        match directive {
            Directive::If | Directive::Ifdef { .. } => {
                let holds = enclosed && self.c_condition(directive, arguments, whole);
                conditions.push(Condition {
                    active: holds,
                    taken: holds,
                    enclosed,
                    span,
                    target: false,
                    last: false,
                    arm: 0,
                    chosen: 0,
                    turn,
                });
            }
            Directive::TargetIf {
                elif: false,
                negated,
                query,
            } => {
                let (chosen, turn) = turn.arm(needs.unwrap_or(&[1]));
                let mut condition = Condition {
                    active: false,
                    taken: false,
                    enclosed,
                    span,
                    target: true,
                    last: false,
                    arm: 0,
                    chosen,
                    turn,
                };
                condition.active =
                    enclosed && self.target_condition(&condition, query, negated, arguments, whole);
                condition.taken = condition.active;
                conditions.push(condition);
            }
            Directive::Elif | Directive::Elifdef { .. } | Directive::TargetIf { .. } => {
                let Some(mut condition) = self.innermost(conditions, span, double) else {
                    return;
                };
                condition.arm += 1;
                if condition.last {
                    self.error(
                        span,
                        "this arm stands after the last one",
                        "an `else` precedes it",
                    );
                }
                let open = condition.enclosed && !condition.taken;
                condition.active = open
                    && match directive {
                        Directive::TargetIf { negated, query, .. } => {
                            self.target_condition(&condition, query, negated, arguments, whole)
                        }
                        _ => self.c_condition(directive, arguments, whole),
                    };
                condition.taken |= condition.active;
                if let Some(top) = conditions.last_mut() {
                    *top = condition;
                }
            }
            Directive::Else => {
                let Some(mut condition) = self.innermost(conditions, span, double) else {
                    return;
                };
                condition.arm += 1;
                if condition.last {
                    self.error(span, "a second `else`", "the condition has one already");
                }
                condition.last = true;
                condition.active = condition.enclosed && !condition.taken;
                condition.taken = true;
                if let Some(top) = conditions.last_mut() {
                    *top = condition;
                }
            }
            Directive::Endif => {
                if self.innermost(conditions, span, double).is_some() {
                    conditions.pop();
                }
            }
            _ if !enclosed => {}
            Directive::Include => {
                let outer = std::mem::replace(&mut self.turn, turn);
                self.include_directive(text, arguments, whole);
                self.turn = outer;
            }
            Directive::Define => self.define_directive(arguments, whole),
            Directive::Undef => match arguments {
                [name] if name.kind == TokenKind::Identifier && name.prefix.is_none() => {
                    self.macros.remove(&name.text);
                    self.target_macros.remove(&name.text);
                }
                _ => self.error(whole, "`#undef` takes one name", "a name must follow"),
            },
            Directive::Error | Directive::Warning => {
                // Without a target the arms are only looked at.
                if double && self.target.is_none() {
                    return;
                }
                let message = match (arguments.first(), arguments.last()) {
                    (Some(first), Some(last)) => text
                        .get(first.span.start as usize..last.span.end as usize)
                        .unwrap_or_default()
                        .trim_matches('"')
                        .to_owned(),
                    _ => String::new(),
                };
                let message = match message.trim() {
                    "" => "no reason is given".to_owned(),
                    reason => reason.to_owned(),
                };
                let mut diagnostic =
                    Diagnostic::error(whole, message, "stated here").about(Topic::Missing);
                if directive == Directive::Warning {
                    diagnostic.severity = crate::diagnostics::Severity::Warning;
                }
                self.diagnostics.push(diagnostic);
            }
            Directive::Pragma => {
                if !arguments.first().is_some_and(|first| first.is_word("once")) {
                    self.diagnostics.push(Diagnostic::warning(
                        whole,
                        "this pragma has no effect",
                        "only `once` is known, and every file is read once anyway",
                    ));
                }
            }
            Directive::Ignored => {}
        }
    }

    /// The innermost open condition, for a directive that continues or ends it.
    fn innermost(
        &mut self,
        conditions: &[Condition],
        span: Span,
        double: bool,
    ) -> Option<Condition> {
        let Some(condition) = conditions.last() else {
            self.error(
                span,
                "no condition is open here",
                "this continues or ends nothing",
            );
            return None;
        };
        if condition.target != double {
            let mark = condition.mark();
            self.diagnostics.push(
                Diagnostic::error(
                    span,
                    format!("this condition started with `{mark}`"),
                    format!("`{mark}` is wanted here"),
                )
                .with_secondary(condition.span, "it starts here"),
            );
        }
        Some(*condition)
    }

    /// `#if`, `#ifdef` and their like.
    fn c_condition(&mut self, directive: Directive, arguments: &[&Token], span: Span) -> bool {
        match directive {
            Directive::Ifdef { negated } | Directive::Elifdef { negated } => match arguments {
                [name] if name.kind == TokenKind::Identifier && name.prefix.is_none() => {
                    self.is_macro(name) != negated
                }
                _ => {
                    self.error(
                        span,
                        "one name is wanted",
                        "the name of a macro must follow",
                    );
                    false
                }
            },
            _ => self.evaluate(arguments, span),
        }
    }

    /// `##if…`: asked of the target; without one, by the arm whose turn it is.
    fn target_condition(
        &mut self,
        condition: &Condition,
        query: Query,
        negated: bool,
        arguments: &[&Token],
        span: Span,
    ) -> bool {
        let Some(question) = self.question(query, arguments, span) else {
            return false;
        };
        if self.target.is_none() {
            return condition.arm == condition.chosen;
        }
        match self.answer(&question, span) {
            Some(answer) => answer != negated,
            // None of the file's modules is loaded.
            None => false,
        }
    }

    fn include_directive(&mut self, text: &str, arguments: &[&Token], span: Span) {
        let expanded: Vec<Token>;
        let mut tokens: Vec<&Token> = arguments.to_vec();
        let literal = tokens
            .first()
            .is_some_and(|first| first.is("<") || first.kind == TokenKind::String);
        if !literal {
            expanded = self.expand(tokens.iter().map(|token| (*token).clone()).collect());
            tokens = expanded.iter().collect();
        }
        match tokens.as_slice() {
            [name] if name.kind == TokenKind::String => {
                let name = name.text.trim_matches('"').to_owned();
                self.include(&name, true, span);
            }
            [open, .., close] if literal && open.is("<") && close.is(">") => {
                let name = text
                    .get(open.span.end as usize..close.span.start as usize)
                    .unwrap_or_default()
                    .to_owned();
                self.include(&name, false, span);
            }
            _ => self.diagnostics.push(
                Diagnostic::error(span, "`#include` takes one file", "no file name follows")
                    .with_help("`#include <luajit/gc.y>` or `#include \"mine.y\"`"),
            ),
        }
    }
}

impl Condition {
    /// One whose arms are all skipped.
    fn skipped(span: Span, target: bool) -> Self {
        Self {
            active: false,
            taken: true,
            enclosed: false,
            span,
            target,
            last: false,
            arm: 0,
            chosen: 0,
            turn: Turn::outermost(0),
        }
    }
}
