//! Marks type names by look-ahead, so that the grammar has no conflicts.
//!
//! A single pass over the terminals of one top-level item with a stack of the open brackets. It
//! never looks further ahead than a run of `*` and qualifiers or one bracket, and takes time
//! linear in the terminals. What it cannot settle is left to the grammar and the checker:
//! `(name)` before `* & + - (` becomes one terminal.

mod brackets;

use std::collections::HashSet;

use crate::terminal::{Lexeme, Terminal, TypeWord};

/// What an open bracket holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// The top level of the item.
    Item,
    /// `{ statements }`.
    Block,
    /// `{ members }` of a struct, or the declarations of a `_layout` candidate.
    Members,
    /// `{ enumerators }` or `{ initializers }`.
    List,
    /// `{ candidates }` of a `_layout`.
    Candidates,
    /// `( parameters )`.
    Parameters,
    /// `( declarator )`.
    Declarator,
    /// `( expression )`, `[ expression ]`, arguments.
    Expression,
    /// The head of `for`.
    ForHead,
    /// The head of `if`, `while`, `switch`, `_foreach`, `_if`: what follows is a statement.
    Head,
    /// `[ length or keys ]`.
    Suffix,
}

/// How far a declaration has come at one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// At the start of a statement or a member.
    Start,
    /// Among specifiers, no type seen.
    Specifiers,
    /// Among declarators.
    Declarators,
    /// Inside an expression or an initializer.
    Expression,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    inside: Inside,
    phase: Phase,
    /// Whether the last terminal ends a declarator or an operand.
    after_operand: bool,
    /// Whether the level's statement is a declaration.
    declaration: bool,
    /// `?` without their `:`, so that `a ? b : c` and `case a:` differ.
    questions: u32,
    /// Whether the closing bracket leaves a cast: an operand follows it.
    cast: bool,
    /// At this comma a type follows (`_container_of`).
    type_after_comma: bool,
    /// Whether the level is the head of a probe.
    probe: bool,
    /// Whether an `enum` or `struct` specifier waits for its braces.
    record: Option<Inside>,
}

impl Level {
    fn new(inside: Inside, phase: Phase) -> Self {
        Self {
            inside,
            phase,
            after_operand: false,
            declaration: false,
            questions: 0,
            cast: false,
            type_after_comma: false,
            probe: false,
            record: None,
        }
    }
}

/// The result of classification.
pub struct Classified {
    /// The terminals, without qualifiers and attributes.
    pub lexemes: Vec<Lexeme>,
    /// For each terminal whether it is the `{` of a block of statements.
    pub blocks: Vec<bool>,
}

/// Marks the type names of one item. `typedefs` holds the names that the script has declared as
/// types so far, and receives those that this item declares.
pub fn classify(mut lexemes: Vec<Lexeme>, typedefs: &mut HashSet<String>) -> Classified {
    let mut classifier = Classifier {
        lexemes: &mut lexemes,
        typedefs,
        levels: vec![Level::new(Inside::Item, Phase::Start)],
        position: 0,
        merged: Vec::new(),
        blocks: Vec::new(),
        in_typedef: None,
    };
    classifier.run();
    let (merged, blocks) = (classifier.merged, classifier.blocks);
    rebuild(lexemes, merged, blocks)
}

/// Joins `( name )` where that is marked and drops qualifiers.
fn rebuild(lexemes: Vec<Lexeme>, merged: Vec<usize>, blocks: Vec<usize>) -> Classified {
    let mut result = Classified {
        lexemes: Vec::with_capacity(lexemes.len()),
        blocks: Vec::with_capacity(lexemes.len()),
    };
    let mut merged = merged.into_iter().peekable();
    let mut blocks = blocks.into_iter().peekable();
    let mut iterator = lexemes.into_iter().enumerate();
    while let Some((index, lexeme)) = iterator.next() {
        if merged.next_if_eq(&index).is_some()
            && let Some((_, name)) = iterator.next()
            && let Some((_, close)) = iterator.next()
            && let Terminal::Identifier(identifier) = name.terminal
        {
            let span = lexeme.span.to(close.span);
            result.blocks.push(false);
            result.lexemes.push(Lexeme {
                terminal: Terminal::ParenthesizedName(identifier, span),
                span,
                text: format!("({})", name.text).into(),
                first: lexeme.first,
                weak: false,
            });
            continue;
        }
        let block = blocks.next_if_eq(&index).is_some();
        if lexeme.is(&Terminal::Qualifier) {
            continue;
        }
        result.blocks.push(block);
        result.lexemes.push(lexeme);
    }
    result
}

struct Classifier<'a> {
    lexemes: &'a mut [Lexeme],
    typedefs: &'a mut HashSet<String>,
    levels: Vec<Level>,
    position: usize,
    /// Where a `(` starts a `(name)` that becomes one terminal.
    merged: Vec<usize>,
    /// Where a `{` starts a block of statements.
    blocks: Vec<usize>,
    /// The depth at which a `typedef` stands.
    in_typedef: Option<usize>,
}

impl Classifier<'_> {
    fn terminal(&self, index: usize) -> Option<&Terminal> {
        self.lexemes.get(index).map(|lexeme| &lexeme.terminal)
    }

    /// Goes past `_hist_linear(0, 10, 1)`, which holds no types.
    fn skip_form(&mut self) {
        if !self.is_name(self.position + 1)
            || !self.is(self.position + 2, &Terminal::LeftParenthesis)
        {
            return;
        }
        let mut depth = 0_usize;
        for (at, lexeme) in self.lexemes.iter().enumerate().skip(self.position + 2) {
            match lexeme.terminal {
                Terminal::LeftParenthesis => depth += 1,
                Terminal::RightParenthesis => depth -= 1,
                // One that is not closed is for the parser to report.
                Terminal::Semicolon | Terminal::LeftBrace => return,
                _ => {}
            }
            if depth == 0 {
                self.position = at;
                return;
            }
        }
    }

    fn is_name(&self, index: usize) -> bool {
        matches!(self.terminal(index), Some(Terminal::Identifier(_)))
    }

    fn is(&self, index: usize, terminal: &Terminal) -> bool {
        self.terminal(index) == Some(terminal)
    }

    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::new(Inside::Item, Phase::Start));
        }
        // There is one: it has just been made if there was none.
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// The first index from `index` on that holds no `*` and no qualifier, and whether any `*`
    /// was passed.
    fn skip_pointers(&self, mut index: usize) -> (usize, bool) {
        let mut stars = false;
        loop {
            match self.terminal(index) {
                Some(Terminal::Star) => stars = true,
                Some(Terminal::Qualifier) => {}
                _ => return (index, stars),
            }
            index += 1;
        }
    }

    fn is_typedef(&self, index: usize) -> bool {
        matches!(self.terminal(index), Some(Terminal::Identifier(name))
            if name.prefix.is_none() && self.typedefs.contains(&name.text))
    }

    /// Marks the name at an index as a type.
    fn mark(&mut self, index: usize) {
        let Some(lexeme) = self.lexemes.get_mut(index) else {
            return;
        };
        if let Terminal::Identifier(name) = &lexeme.terminal {
            lexeme.terminal = if name.text == "bool" && name.prefix.is_none() {
                Terminal::TypeWord(TypeWord::Bool)
            } else {
                Terminal::TypeName(name.clone())
            };
        }
    }

    fn run(&mut self) {
        while self.position < self.lexemes.len() {
            self.step();
            self.position += 1;
        }
    }

    fn step(&mut self) {
        let at = self.position;
        let Some(terminal) = self.terminal(at).cloned() else {
            return;
        };
        match terminal {
            Terminal::LeftParenthesis => self.open_parenthesis(at),
            Terminal::LeftBracket => self.open_bracket(at),
            Terminal::LeftBrace => self.open_brace(at),
            Terminal::RightParenthesis | Terminal::RightBracket | Terminal::RightBrace => {
                self.close(&terminal);
            }
            Terminal::Identifier(_) => self.name(at),
            Terminal::Semicolon => self.end_statement(),
            Terminal::Comma => self.comma(at),
            Terminal::Colon => self.colon(),
            Terminal::Question => {
                let level = self.level();
                level.questions = level.questions.saturating_add(1);
                level.after_operand = false;
            }
            Terminal::Equals => {
                let level = self.level();
                level.phase = Phase::Expression;
                level.after_operand = false;
            }
            Terminal::Typedef => {
                self.in_typedef = Some(self.levels.len());
                self.specifier(false);
            }
            Terminal::TypeWord(_) | Terminal::Typeof => self.specifier(true),
            Terminal::Qualifier => {
                let level = self.level();
                if level.phase == Phase::Start {
                    level.phase = Phase::Specifiers;
                    level.declaration = true;
                }
            }
            Terminal::Struct { .. } | Terminal::Enum { .. } => {
                let inside = match terminal {
                    Terminal::Struct { .. } => Inside::Members,
                    _ => Inside::List,
                };
                self.specifier(true);
                // The tag is no name of its own.
                if self.is_name(at + 1) {
                    self.position += 1;
                }
                if self.is(self.position + 1, &Terminal::LeftBrace) {
                    self.level().record = Some(inside);
                }
            }
            Terminal::Option | Terminal::View => {
                let level = self.level();
                level.phase = Phase::Specifiers;
                level.declaration = true;
                if terminal == Terminal::View {
                    // The kind and the titles.
                    self.position += 1;
                    while matches!(self.terminal(self.position + 1), Some(Terminal::String(_))) {
                        self.position += 1;
                    }
                    self.skip_form();
                }
            }
            Terminal::Probe => {
                let level = self.level();
                level.probe = true;
                level.phase = Phase::Expression;
            }
            Terminal::Layout => {
                self.level().record = Some(Inside::Candidates);
                self.level().phase = Phase::Expression;
            }
            Terminal::Arrow if self.probe_head() => {
                if self.is_name(at + 1) {
                    let (after, stars) = self.skip_pointers(at + 2);
                    if stars || self.is_name(after) {
                        self.mark(at + 1);
                    }
                }
                // Whatever follows is a declarator; its name is no type.
                self.level().phase = Phase::Declarators;
                self.level().after_operand = false;
            }
            Terminal::Else | Terminal::Do | Terminal::Try => {
                let level = self.level();
                level.phase = Phase::Start;
                level.after_operand = false;
            }
            Terminal::Case
            | Terminal::Return
            | Terminal::Delete
            | Terminal::Goto
            | Terminal::Module
            | Terminal::Mode
            | Terminal::MaxOverhead => {
                let level = self.level();
                level.phase = Phase::Expression;
                level.after_operand = false;
            }
            Terminal::Star | Terminal::Ampersand => {
                let level = self.level();
                if level.phase == Phase::Start {
                    level.phase = Phase::Expression;
                }
                level.after_operand = false;
            }
            Terminal::Integer(_)
            | Terminal::Float(..)
            | Terminal::Character(_)
            | Terminal::String(_)
            | Terminal::Regex(_)
            | Terminal::Capture(_) => self.operand(),
            Terminal::Step(_) => {
                let level = self.level();
                if level.phase == Phase::Start {
                    level.phase = Phase::Expression;
                }
            }
            Terminal::Dot | Terminal::Arrow => {
                // The member is no name of its own.
                if self.is_name(at + 1) {
                    self.position += 1;
                }
                self.operand();
            }
            _ => {
                let level = self.level();
                if level.phase == Phase::Start && level.inside != Inside::Item {
                    level.phase = Phase::Expression;
                }
                level.after_operand = false;
            }
        }
    }

    fn operand(&mut self) {
        let level = self.level();
        if level.phase == Phase::Start {
            level.phase = Phase::Expression;
        }
        level.after_operand = true;
    }

    /// Whether the current level is the head of a probe, before its body.
    fn probe_head(&mut self) -> bool {
        self.level().probe
    }

    fn specifier(&mut self, is_type: bool) {
        let level = self.level();
        match level.phase {
            Phase::Start | Phase::Specifiers => {
                level.declaration = true;
                level.phase = if is_type {
                    Phase::Declarators
                } else {
                    Phase::Specifiers
                };
                level.after_operand = false;
            }
            // `unsigned long int`, `sizeof(int)`, a type argument.
            Phase::Declarators => {}
            Phase::Expression => {
                // A type inside an expression: the rest of the bracket is its declarator.
                if level.inside == Inside::Expression {
                    level.phase = Phase::Declarators;
                    level.declaration = true;
                    level.after_operand = false;
                }
            }
        }
    }

    /// Whether the name at the start of a statement starts a declaration.
    fn starts_declaration(&self, at: usize) -> bool {
        let (next, stars) = self.skip_pointers(at + 1);
        let qualified = next > at + 1 && !stars;
        match self.terminal(next) {
            Some(Terminal::Identifier(_)) => true,
            Some(Terminal::Struct { .. } | Terminal::Enum { .. } | Terminal::TypeWord(_)) => {
                stars || qualified
            }
            // `T (*f)(…)`; a call is never called again.
            Some(Terminal::LeftParenthesis) => {
                let (inner, inner_stars) = self.skip_pointers(next + 1);
                inner_stars
                    && self.is_name(inner)
                    && (self.is_typedef(at)
                        || (self.is(inner + 1, &Terminal::RightParenthesis)
                            && self.is(inner + 2, &Terminal::LeftParenthesis))
                        || (self.is(inner + 1, &Terminal::LeftBracket) && stars))
            }
            Some(Terminal::Semicolon) => !stars && self.is_typedef(at),
            _ => false,
        }
    }

    fn name(&mut self, at: usize) {
        let depth = self.levels.len();
        let typedef_here = self.in_typedef == Some(depth);
        let level = *self.level();
        match level.phase {
            Phase::Start => {
                let declares = match level.inside {
                    Inside::Members | Inside::Parameters => true,
                    Inside::Item => {
                        // `f(…) {` without a type is a mistake that the grammar reports better.
                        !self.is(at + 1, &Terminal::LeftParenthesis)
                    }
                    _ => self.starts_declaration(at),
                };
                let level = self.level();
                if declares {
                    level.declaration = true;
                    level.phase = Phase::Declarators;
                    level.after_operand = false;
                    self.mark(at);
                } else {
                    level.phase = Phase::Expression;
                    level.after_operand = true;
                }
            }
            Phase::Specifiers => {
                let level = self.level();
                level.phase = Phase::Declarators;
                level.after_operand = false;
                self.mark(at);
            }
            Phase::Declarators => {
                let nested = self.in_typedef.is_some_and(|depth| {
                    self.levels
                        .get(depth..)
                        .is_some_and(|inner| inner.iter().all(|l| l.inside == Inside::Declarator))
                });
                if typedef_here || nested {
                    self.declare_typedef(at);
                }
                self.level().after_operand = true;
            }
            Phase::Expression => {
                // `f(a, T *)`, `(T *)`: a run of stars before `)` or `,`.
                let before_is_bracket = at.checked_sub(1).is_some_and(|before| {
                    matches!(
                        self.terminal(before),
                        Some(Terminal::LeftParenthesis | Terminal::Comma | Terminal::Qualifier)
                    )
                });
                let (next, stars) = self.skip_pointers(at + 1);
                let abstract_type = before_is_bracket
                    && level.inside == Inside::Expression
                    && (stars
                        && matches!(
                            self.terminal(next),
                            Some(Terminal::RightParenthesis | Terminal::Comma)
                        )
                        // `(T (*)(…))`
                        || self.is(next, &Terminal::LeftParenthesis)
                            && self.is(next + 1, &Terminal::Star)
                            && self.is(
                                self.skip_pointers(next + 1).0,
                                &Terminal::RightParenthesis,
                            )
                        || !stars && next > at + 1);
                if abstract_type {
                    self.mark(at);
                    let level = self.level();
                    level.phase = Phase::Declarators;
                    level.declaration = true;
                    level.after_operand = false;
                } else {
                    self.level().after_operand = true;
                }
            }
        }
    }

    fn declare_typedef(&mut self, at: usize) {
        if let Some(Terminal::Identifier(name)) = self.terminal(at) {
            let text = name.text.clone();
            self.typedefs.insert(text);
        }
    }

    fn push(&mut self, level: Level) {
        self.levels.push(level);
    }

    fn end_statement(&mut self) {
        if self.in_typedef == Some(self.levels.len()) {
            self.in_typedef = None;
        }
        let level = self.level();
        level.after_operand = false;
        level.declaration = false;
        level.questions = 0;
        level.record = None;
        level.phase = match level.inside {
            Inside::ForHead => Phase::Expression,
            Inside::Item | Inside::Block | Inside::Members => Phase::Start,
            _ => level.phase,
        };
    }

    fn comma(&mut self, at: usize) {
        let level = *self.level();
        if level.type_after_comma {
            self.level().type_after_comma = false;
            if self.is_name(at + 1) {
                self.mark(at + 1);
                self.position += 1;
            }
            self.level().after_operand = true;
            return;
        }
        let level = self.level();
        level.after_operand = false;
        match level.inside {
            Inside::Parameters => {
                level.phase = Phase::Start;
                level.declaration = false;
            }
            Inside::Expression | Inside::List | Inside::Suffix | Inside::Head => {
                level.phase = Phase::Expression;
                level.declaration = false;
            }
            _ if level.declaration => level.phase = Phase::Declarators,
            _ => {}
        }
    }

    fn colon(&mut self) {
        let level = self.level();
        level.after_operand = false;
        if level.questions > 0 {
            level.questions -= 1;
        } else if level.inside == Inside::Members || level.declaration {
            // The width of a bit-field.
            level.phase = Phase::Expression;
        } else {
            // `case x:`, `default:`, `label:`.
            level.phase = Phase::Start;
        }
    }
}
