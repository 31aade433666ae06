//! What an opening bracket means where it stands, and what its end leaves behind.

use super::{Classifier, Inside, Level, Phase};
use crate::terminal::Terminal;

impl Classifier<'_> {
    pub(super) fn open_parenthesis(&mut self, at: usize) {
        let before = at
            .checked_sub(1)
            .and_then(|before| self.terminal(before))
            .cloned();
        let level = *self.level();
        match before {
            Some(Terminal::If | Terminal::While | Terminal::Switch | Terminal::Foreach) => {
                self.push(Level::new(Inside::Head, Phase::Expression));
                return;
            }
            Some(Terminal::For) => {
                self.push(Level::new(Inside::ForHead, Phase::Start));
                return;
            }
            Some(Terminal::ProbeIf | Terminal::Catch | Terminal::Sort) => {
                self.push(Level::new(Inside::Expression, Phase::Expression));
                return;
            }
            Some(Terminal::Typeof) => {
                if self.lone_name(at).is_some() && self.is_typedef(at + 1) {
                    self.mark(at + 1);
                }
                self.push(Level::new(Inside::Expression, Phase::Expression));
                return;
            }
            Some(Terminal::Offsetof) => {
                self.mark(at + 1);
                let mut inner = Level::new(Inside::Expression, Phase::Expression);
                if matches!(self.terminal(at + 1), Some(Terminal::TypeName(_))) {
                    inner.after_operand = true;
                    self.position += 1;
                }
                self.push(inner);
                return;
            }
            Some(Terminal::ContainerOf) => {
                let mut inner = Level::new(Inside::Expression, Phase::Expression);
                inner.type_after_comma = true;
                self.push(inner);
                return;
            }
            Some(Terminal::Sizeof) => {
                self.sizeof_parenthesis(at);
                return;
            }
            _ => {}
        }
        if level.probe && level.inside == Inside::Item {
            self.probe_parenthesis(at, before.as_ref());
            return;
        }
        if level.declaration && level.phase == Phase::Declarators {
            // After a name, or in an abstract function type: `T (int)`.
            let inside = if level.after_operand || self.opens_parameters(at) {
                Inside::Parameters
            } else {
                Inside::Declarator
            };
            self.level().after_operand = true;
            let phase = if inside == Inside::Parameters {
                Phase::Start
            } else {
                Phase::Declarators
            };
            let mut inner = Level::new(inside, phase);
            inner.declaration = inside == Inside::Declarator;
            self.push(inner);
            return;
        }
        if level.inside == Inside::Item && level.phase == Phase::Start {
            self.push(Level::new(Inside::Expression, Phase::Expression));
            return;
        }
        // An expression.
        if !level.after_operand && self.parenthesized_name(at) {
            return;
        }
        let mut inner = Level::new(Inside::Expression, Phase::Expression);
        inner.cast = !level.after_operand && self.is_type_start(at + 1);
        let outer = self.level();
        outer.phase = if outer.phase == Phase::Start {
            Phase::Expression
        } else {
            outer.phase
        };
        outer.after_operand = true;
        self.push(inner);
    }

    /// The index of the `)` if exactly one name stands in the parentheses.
    pub(super) fn lone_name(&self, at: usize) -> Option<usize> {
        (self.is_name(at + 1) && self.is(at + 2, &Terminal::RightParenthesis)).then_some(at + 2)
    }

    /// Whether a type certainly starts here, inside parentheses that follow no operand.
    pub(super) fn is_type_start(&self, at: usize) -> bool {
        match self.terminal(at) {
            Some(
                Terminal::TypeWord(_)
                | Terminal::Struct { .. }
                | Terminal::Enum { .. }
                | Terminal::Qualifier
                | Terminal::Typeof
                | Terminal::TypeName(_),
            ) => true,
            Some(Terminal::Identifier(_)) => {
                let (next, stars) = self.skip_pointers(at + 1);
                stars
                    && matches!(
                        self.terminal(next),
                        Some(Terminal::RightParenthesis | Terminal::Comma)
                    )
                    || self.is(next, &Terminal::LeftParenthesis)
                        && self.is(next + 1, &Terminal::Star)
                        && self.is(self.skip_pointers(next + 1).0, &Terminal::RightParenthesis)
            }
            _ => false,
        }
    }

    /// `(name)` where no operand precedes: a cast, one terminal, or an operand. Returns whether it
    /// was consumed.
    fn parenthesized_name(&mut self, at: usize) -> bool {
        let Some(close) = self.lone_name(at) else {
            return false;
        };
        let known = self.is_typedef(at + 1);
        let (cast, open) = match self.terminal(close + 1) {
            Some(
                Terminal::Identifier(_)
                | Terminal::Integer(_)
                | Terminal::Float(..)
                | Terminal::Character(_)
                | Terminal::String(_)
                | Terminal::Capture(_)
                | Terminal::Sizeof
                | Terminal::Offsetof
                | Terminal::ContainerOf
                | Terminal::Prefix(_),
            ) => (true, false),
            // A compound literal, also in the initializer of a global.
            Some(Terminal::LeftBrace) => (
                self.levels.len() > 1 || self.level().phase == Phase::Expression,
                false,
            ),
            Some(Terminal::Step(_)) => (
                known || self.is_name(close + 2) || self.is(close + 2, &Terminal::LeftParenthesis),
                false,
            ),
            Some(
                Terminal::Star
                | Terminal::Ampersand
                | Terminal::Plus
                | Terminal::Minus
                | Terminal::LeftParenthesis,
            ) => (known, !known),
            Some(Terminal::Match | Terminal::NotMatch) => (known, false),
            _ => (false, false),
        };
        let level = self.level();
        if level.phase == Phase::Start {
            level.phase = Phase::Expression;
        }
        if cast {
            self.level().after_operand = false;
            self.mark(at + 1);
        } else if open {
            // An operator may follow (then it was an operand) or an operand (then a cast).
            self.level().after_operand = false;
            self.merged.push(at);
        } else {
            self.level().after_operand = true;
        }
        self.position = close;
        true
    }

    fn sizeof_parenthesis(&mut self, at: usize) {
        if let Some(close) = self.lone_name(at) {
            let postfix = matches!(
                self.terminal(close + 1),
                Some(Terminal::Dot | Terminal::Arrow | Terminal::LeftBracket | Terminal::Step(_))
            );
            if self.is_typedef(at + 1) {
                self.mark(at + 1);
            } else if !postfix {
                self.merged.push(at);
            }
            self.position = close;
            self.operand();
            return;
        }
        self.operand();
        self.push(Level::new(Inside::Expression, Phase::Expression));
    }

    /// In the head of a probe: parameters, arguments of a point, or names.
    fn probe_parenthesis(&mut self, at: usize, before: Option<&Terminal>) {
        // `_usdt("…") (a, b)`: names.
        let point = self.lexemes.get(1).map(|lexeme| &lexeme.terminal);
        let names = matches!(before, Some(Terminal::RightParenthesis))
            && matches!(point, Some(Terminal::Usdt));
        let expression = matches!(
            before,
            Some(
                Terminal::FunctionPoint
                    | Terminal::LinePoint
                    | Terminal::AddressPoint
                    | Terminal::Usdt
                    | Terminal::Watch
            )
        ) || matches!(point, Some(Terminal::Timer));
        let declarator = self.level().phase == Phase::Declarators && !self.level().after_operand;
        let level = if names || expression {
            Level::new(Inside::Expression, Phase::Expression)
        } else if declarator && !self.opens_parameters(at) {
            let mut level = Level::new(Inside::Declarator, Phase::Declarators);
            level.declaration = true;
            level
        } else {
            Level::new(Inside::Parameters, Phase::Start)
        };
        self.level().after_operand = true;
        self.push(level);
    }

    /// Whether `(` in an abstract declarator opens parameters rather than a declarator.
    fn opens_parameters(&self, at: usize) -> bool {
        match self.terminal(at + 1) {
            Some(
                Terminal::TypeWord(_)
                | Terminal::Struct { .. }
                | Terminal::Enum { .. }
                | Terminal::Qualifier
                | Terminal::RightParenthesis
                | Terminal::Dots,
            ) => true,
            Some(Terminal::Identifier(_)) => {
                let (next, stars) = self.skip_pointers(at + 2);
                stars || self.is_name(next)
            }
            _ => false,
        }
    }

    pub(super) fn open_bracket(&mut self, at: usize) {
        let level = *self.level();
        let declarator = level.phase == Phase::Declarators && (level.declaration || level.probe);
        self.operand();
        if declarator {
            self.level().phase = Phase::Declarators;
            self.keys(at);
            self.push(Level::new(Inside::Suffix, Phase::Expression));
        } else {
            self.push(Level::new(Inside::Expression, Phase::Expression));
        }
    }

    /// Marks the key types between the brackets of a declarator. Looks at the text up to the
    /// closing bracket; what it holds are names, stars and commas, so nothing nests in it that
    /// would be looked at again.
    fn keys(&mut self, at: usize) {
        let mut starts = vec![at + 1];
        let mut index = at + 1;
        let mut stars_last = false;
        let end = loop {
            match self.terminal(index) {
                Some(Terminal::RightBracket) => break index,
                Some(Terminal::Comma) => {
                    starts.push(index + 1);
                    stars_last = false;
                }
                Some(Terminal::Star) => stars_last = true,
                Some(
                    Terminal::Identifier(_)
                    | Terminal::TypeWord(_)
                    | Terminal::Struct { .. }
                    | Terminal::Enum { .. }
                    | Terminal::Qualifier,
                ) => stars_last = false,
                _ => return,
            }
            index += 1;
        };
        if starts.len() > 1 || stars_last {
            for start in starts {
                let (first, _) = if self.is(start, &Terminal::Qualifier) {
                    self.skip_pointers(start)
                } else {
                    (start, false)
                };
                self.mark(first);
            }
        } else if self.is_typedef(at + 1) && end == at + 2 {
            self.mark(at + 1);
        }
    }

    pub(super) fn open_brace(&mut self, at: usize) {
        let level = *self.level();
        if let Some(inside) = level.record {
            self.level().record = None;
            let phase = match inside {
                Inside::Members => Phase::Start,
                _ => Phase::Expression,
            };
            self.push(Level::new(inside, phase));
            return;
        }
        if level.inside == Inside::Candidates {
            self.push(Level::new(Inside::Members, Phase::Start));
            return;
        }
        let before = at.checked_sub(1).and_then(|before| self.terminal(before));
        let initializer = match level.inside {
            Inside::List | Inside::Expression | Inside::Suffix | Inside::Head => true,
            _ => {
                matches!(before, Some(Terminal::Equals))
                    || level.phase == Phase::Expression
                        && !level.after_operand
                        && matches!(before, Some(Terminal::RightParenthesis))
                        && !level.probe
                    || level.phase == Phase::Expression
                        && !level.probe
                        && matches!(
                            before,
                            Some(Terminal::Return | Terminal::Comma | Terminal::Question)
                        )
            }
        };
        if initializer {
            self.operand();
            self.push(Level::new(Inside::List, Phase::Expression));
            return;
        }
        self.blocks.push(at);
        self.push(Level::new(Inside::Block, Phase::Start));
    }

    pub(super) fn close(&mut self, terminal: &Terminal) {
        if self
            .in_typedef
            .is_some_and(|depth| depth >= self.levels.len())
            && self.levels.len() > 1
        {
            self.in_typedef = None;
        }
        if self.levels.len() <= 1 {
            return;
        }
        let Some(closed) = self.levels.pop() else {
            return;
        };
        let level = self.level();
        match closed.inside {
            Inside::Head | Inside::ForHead => {
                level.phase = Phase::Start;
                level.after_operand = false;
                level.questions = 0;
            }
            Inside::Block => {
                level.phase = Phase::Start;
                level.after_operand = false;
                level.declaration = false;
                level.questions = 0;
            }
            Inside::Members | Inside::Candidates => {
                if level.inside == Inside::Candidates {
                    level.phase = Phase::Expression;
                }
                level.after_operand = false;
            }
            Inside::List => {
                // An enumeration's names leave a specifier; initializers leave an operand.
                level.after_operand = level.phase == Phase::Expression;
            }
            _ => {
                level.after_operand = *terminal != Terminal::RightParenthesis || !closed.cast;
            }
        }
    }
}
