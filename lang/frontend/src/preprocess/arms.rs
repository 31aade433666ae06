//! Without a target, the arms of `##if…` are gone through in rounds: in how many, and which arm of each is taken in one.
//!
//! Conditions that stand beside each other take their turns in the same rounds. Those inside of an arm need rounds in which that arm is
//! taken, so an arm is taken in as many as what is in it needs, and a condition needs the sum of its arms' rounds.

use std::collections::HashMap;

use super::directives::{ArmWord, arm_word, is_directive};
use super::{MAX_FILES, MAX_INCLUDE_DEPTH, Preprocessor};
use crate::lexer::{self, Token, TokenKind};
use crate::source::FileId;

/// A place in the rounds: which one of how many this is for what stands here.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// The number of the round, from 0.
    pub round: usize,
    /// How many there are.
    pub rounds: usize,
}

impl Turn {
    /// For text that stands in no arm: there are as many rounds as it needs.
    pub fn outermost(round: usize) -> Self {
        Self {
            round,
            rounds: usize::MAX,
        }
    }

    /// The arm that is taken of a condition whose arms need so many rounds, and the turn inside of it.
    pub fn arm(self, needs: &[usize]) -> (usize, Turn) {
        let mut left = self.round;
        let last = needs.len().saturating_sub(1);
        for (arm, &rounds) in needs.iter().enumerate() {
            if left < rounds || arm == last {
                // What is over before others are stays as it ended.
                let round = left.min(rounds.saturating_sub(1));
                return (arm, Turn { round, rounds });
            }
            left -= rounds;
        }
        (0, self)
    }
}

/// How many rounds the conditions of a file need.
#[derive(Debug, Default)]
pub struct Needs {
    /// For the index of each `##if…` among the tokens, those of each of its arms.
    pub arms: HashMap<usize, Vec<usize>>,
    /// Those of the file: the most that stands in no arm needs.
    pub rounds: usize,
}

impl Preprocessor<'_, '_, '_> {
    /// Counts the rounds that a file's conditions need, with files that are included in arms; with `whole` those that are included
    /// elsewhere, too.
    pub(super) fn count_rounds(
        &mut self,
        text: &str,
        tokens: &[Token],
        from: &str,
        whole: bool,
    ) -> Needs {
        let mut needs = Needs::default();
        let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
        for (index, pair) in tokens.windows(2).enumerate() {
            let [mark, word] = pair else { continue };
            if !is_directive(mark) || word.first {
                continue;
            }
            match arm_word(mark.is("##"), &word.text) {
                Some(ArmWord::First) => open.push((index, vec![1])),
                Some(ArmWord::Next) => {
                    if let Some((_, arms)) = open.last_mut() {
                        arms.push(1);
                    }
                }
                Some(ArmWord::End) => {
                    if let Some((start, arms)) = open.pop() {
                        close(&mut open, &mut needs, start, arms);
                    }
                }
                Some(ArmWord::Include) if whole || !open.is_empty() => {
                    let line = tokens.get(index + 2..).unwrap_or_default();
                    let end = line.iter().position(|token| token.first);
                    let line = line.get(..end.unwrap_or(line.len())).unwrap_or_default();
                    if let Some((name, quoted)) = written_name(text, line) {
                        let rounds = self.rounds_of_file(&name, quoted, from);
                        add(&mut open, &mut needs, rounds);
                    }
                }
                Some(ArmWord::Include) | None => {}
            }
        }
        // One that never ends is an error, which is told elsewhere.
        while let Some((start, arms)) = open.pop() {
            close(&mut open, &mut needs, start, arms);
        }
        needs
    }

    /// Those of a file that is included. One that cannot be had needs none.
    fn rounds_of_file(&mut self, name: &str, quoted: bool, from: &str) -> usize {
        let Ok(file) = self.loader.load(name, quoted, from) else {
            return 1;
        };
        // It is read once.
        if self.included.contains(&file.name) {
            return 1;
        }
        if let Some(&known) = self.counted.get(&file.name) {
            return known;
        }
        if self.counting >= MAX_INCLUDE_DEPTH || self.counted.len() >= MAX_FILES {
            return 1;
        }
        // One that includes itself.
        self.counted.insert(file.name.clone(), 1);
        self.counting += 1;
        let mut unsaid = Vec::new();
        let tokens = lexer::lex(FileId(0), &file.text, &mut self.interner, &mut unsaid);
        let needs = self.count_rounds(&file.text, &tokens, &file.name, true);
        self.counting -= 1;
        let rounds = needs.rounds.max(1);
        self.counted.insert(file.name, rounds);
        rounds
    }
}

/// A condition has ended.
fn close(open: &mut [(usize, Vec<usize>)], needs: &mut Needs, start: usize, arms: Vec<usize>) {
    let rounds = arms
        .iter()
        .fold(0_usize, |sum, rounds| sum.saturating_add(*rounds));
    needs.arms.insert(start, arms);
    add(open, needs, rounds);
}

/// Something needs so many rounds where it stands.
fn add(open: &mut [(usize, Vec<usize>)], needs: &mut Needs, rounds: usize) {
    let place = match open.last_mut().and_then(|(_, arms)| arms.last_mut()) {
        Some(arm) => arm,
        None => &mut needs.rounds,
    };
    *place = rounds.max(*place);
}

/// The name that a line includes, unless a macro gives it; whether it stands in quotes.
fn written_name(text: &str, line: &[Token]) -> Option<(String, bool)> {
    match line {
        [name, ..] if name.kind == TokenKind::String => {
            Some((name.text.trim_matches('"').to_owned(), true))
        }
        [open, .., close] if open.is("<") && close.is(">") => {
            let name = text.get(open.span.end as usize..close.span.start as usize)?;
            Some((name.to_owned(), false))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_of_each_arm_has_its_turn() {
        let needs = [2, 1, 3];
        let turns: Vec<(usize, usize)> = (0..8)
            .map(|round| {
                let (arm, turn) = Turn::outermost(round).arm(&needs);
                (arm, turn.round)
            })
            .collect();
        let each = [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (2, 2)];
        assert_eq!(turns[..6], each);
        assert_eq!(turns[6..], [(2, 2), (2, 2)]);
        assert_eq!(Turn::outermost(3).arm(&[]).0, 0);
    }
}
