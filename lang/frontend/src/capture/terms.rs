//! Words that are known at a hit, as a graph in which equal words are one.

use std::collections::HashMap;

use crate::interpret::arithmetic;
use crate::ir::{Comparison, IntegerOperator, IntegerType};
use crate::source::Span;

/// An index into [`Terms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TermId(pub(super) u32);

/// An index of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ReadId(pub(super) u32);

/// A word that is known at a hit; see [`super::Value`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Term {
    Constant(u64),
    Register(u64),
    Argument(u64),
    EntryValue(u64),
    Function,
    Tid,
    Pid,
    Time,
    Weight,
    ThreadLocal(u32),
    /// A global of the script, widened with zeros, by its offset and size.
    Global {
        offset: u64,
        size: u8,
    },
    /// A scalar of the bytes of a read.
    Loaded {
        read: ReadId,
        offset: u32,
        size: u8,
        signed: bool,
    },
    Binary {
        operator: IntegerOperator,
        ty: IntegerType,
        left: TermId,
        right: TermId,
    },
    Extend {
        ty: IntegerType,
        from: TermId,
    },
    Compare {
        comparison: Comparison,
        signed: bool,
        left: TermId,
        right: TermId,
    },
    Select {
        condition: TermId,
        then: TermId,
        otherwise: TermId,
    },
}

/// How much a read takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Extent {
    /// So many bytes at once.
    Exact(u32),
    /// So many bytes, at most `most`, as far as they can be read.
    Bytes { length: TermId, most: u32 },
    /// Up to a zero.
    String { most: u32 },
}

/// A read of the target: `base + offset`, where the base is no sum with a constant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) base: TermId,
    pub(super) offset: u64,
    pub(super) extent: Extent,
    pub(super) span: Span,
}

/// All words and reads of a handler. What a term refers to has a lower index.
#[derive(Default)]
pub(super) struct Terms {
    terms: Vec<Term>,
    known: HashMap<Term, TermId>,
    reads: Vec<Read>,
    known_reads: HashMap<(TermId, u64, Extent), ReadId>,
}

/// The type of addresses and of other whole words.
pub(super) const WORD: IntegerType = IntegerType {
    size: 8,
    signed: false,
};

/// How deep a word is looked into for the most that it can be.
const MAX_BOUND_DEPTH: u32 = 8;

impl Terms {
    pub(super) fn get(&self, id: TermId) -> Term {
        self.terms
            .get(id.0 as usize)
            .copied()
            .unwrap_or(Term::Constant(0))
    }

    /// The reads, by their index.
    pub(super) fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// How many terms and reads there are, for [`Terms::truncate`].
    pub(super) fn mark(&self) -> (usize, usize) {
        (self.terms.len(), self.reads.len())
    }

    /// Forgets what was made since a mark.
    pub(super) fn truncate(&mut self, (terms, reads): (usize, usize)) {
        for term in self.terms.drain(terms.min(self.terms.len())..) {
            self.known.remove(&term);
        }
        for read in self.reads.drain(reads.min(self.reads.len())..) {
            self.known_reads
                .remove(&(read.base, read.offset, read.extent));
        }
    }

    pub(super) fn term(&mut self, term: Term) -> TermId {
        if let Some(known) = self.known.get(&term) {
            return *known;
        }
        let id = TermId(self.terms.len() as u32);
        self.terms.push(term);
        self.known.insert(term, id);
        id
    }

    pub(super) fn read(
        &mut self,
        address: TermId,
        offset: u64,
        extent: Extent,
        span: Span,
    ) -> ReadId {
        let (base, more) = self.split(address);
        let offset = offset.wrapping_add(more);
        if let Some(known) = self.known_reads.get(&(base, offset, extent)) {
            return *known;
        }
        let id = ReadId(self.reads.len() as u32);
        self.reads.push(Read {
            base,
            offset,
            extent,
            span,
        });
        self.known_reads.insert((base, offset, extent), id);
        id
    }

    /// An address as a base and a constant. A constant is its own distance from 0.
    fn split(&mut self, address: TermId) -> (TermId, u64) {
        if let Term::Constant(value) = self.get(address) {
            return (self.constant(0), value);
        }
        if let Term::Binary {
            operator: IntegerOperator::Add,
            ty: IntegerType { size: 8, .. },
            left,
            right,
        } = self.get(address)
            && let Term::Constant(offset) = self.get(right)
        {
            return (left, offset);
        }
        (address, 0)
    }

    pub(super) fn constant(&mut self, value: u64) -> TermId {
        self.term(Term::Constant(value))
    }

    pub(super) fn as_constant(&self, id: TermId) -> Option<u64> {
        match self.get(id) {
            Term::Constant(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn add(&mut self, left: TermId, right: TermId) -> TermId {
        self.binary(IntegerOperator::Add, WORD, left, right)
            .unwrap_or(left)
    }

    /// `left operator right`; `None` where that may fault.
    pub(super) fn binary(
        &mut self,
        operator: IntegerOperator,
        ty: IntegerType,
        left: TermId,
        right: TermId,
    ) -> Option<TermId> {
        use IntegerOperator as Op;
        let (mut left, mut right) = (left, right);
        let mut constants = (self.as_constant(left), self.as_constant(right));
        if let (Some(left), Some(right)) = constants {
            let value = arithmetic::integer(operator, ty, left, right).ok()?;
            return Some(self.constant(value));
        }
        let commutes = matches!(
            operator,
            Op::Add | Op::Multiply | Op::And | Op::Or | Op::Xor
        );
        if commutes && constants.0.is_some() {
            std::mem::swap(&mut left, &mut right);
            constants = (None, constants.0);
        }
        match (operator, constants.1) {
            (Op::Divide | Op::Remainder, None | Some(0)) => return None,
            (Op::ShiftLeft | Op::ShiftRight, None) => return None,
            (Op::ShiftLeft | Op::ShiftRight, Some(by)) if by >= u64::from(ty.size) * 8 => {
                return None;
            }
            // The kernel need not know the least number divided by -1.
            (Op::Divide, Some(u64::MAX)) if ty.signed => {
                let zero = self.constant(0);
                return self.binary(Op::Subtract, ty, zero, left);
            }
            (Op::Remainder, Some(u64::MAX)) if ty.signed => return Some(self.constant(0)),
            (Op::Multiply | Op::And, Some(0)) => return Some(self.constant(0)),
            (Op::Add | Op::Subtract | Op::Or | Op::Xor, Some(0))
            | (Op::ShiftLeft | Op::ShiftRight, Some(0))
            | (Op::Multiply | Op::Divide, Some(1)) => return Some(self.extend(ty, left)),
            (Op::Subtract, Some(value)) if ty.size == 8 => {
                let negative = self.constant(value.wrapping_neg());
                return self.binary(Op::Add, ty, left, negative);
            }
            (Op::Add, Some(value)) if ty.size == 8 => {
                let (base, offset) = self.split(left);
                let sum = offset.wrapping_add(value);
                if sum == 0 {
                    return Some(base);
                }
                (left, right) = (base, self.constant(sum));
            }
            _ => {}
        }
        // Whole words wrap alike, signed or not.
        let sign_matters = matches!(operator, Op::Divide | Op::Remainder | Op::ShiftRight);
        let ty = if ty.size == 8 && !sign_matters {
            WORD
        } else {
            ty
        };
        Some(self.term(Term::Binary {
            operator,
            ty,
            left,
            right,
        }))
    }

    pub(super) fn extend(&mut self, ty: IntegerType, from: TermId) -> TermId {
        if ty.size >= 8 {
            return from;
        }
        // Whether a word of this type already is what extending gives.
        let narrow = |size: u8, signed: bool| {
            (size == ty.size && signed == ty.signed) || (size < ty.size && (!signed || ty.signed))
        };
        match self.get(from) {
            Term::Constant(value) => {
                let value = arithmetic::extend(value, ty);
                self.constant(value)
            }
            Term::Compare { .. } => from,
            Term::Loaded { size, signed, .. } if narrow(size, signed) => from,
            Term::Binary { ty: of, .. } | Term::Extend { ty: of, .. }
                if narrow(of.size, of.signed) =>
            {
                from
            }
            Term::Extend { ty: of, from } if of.size >= ty.size => self.extend(ty, from),
            _ => self.term(Term::Extend { ty, from }),
        }
    }

    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        signed: bool,
        left: TermId,
        right: TermId,
    ) -> TermId {
        if let (Some(left), Some(right)) = (self.as_constant(left), self.as_constant(right)) {
            let value = arithmetic::compare(comparison, signed, left, right);
            return self.constant(value);
        }
        if left == right {
            let value = arithmetic::compare(comparison, signed, 0, 0);
            return self.constant(value);
        }
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if self.as_constant(right) == Some(0)
            && equality
            && let Term::Compare {
                comparison: inner,
                signed,
                left,
                right,
            } = self.get(left)
        {
            // A truth value held against 0.
            let comparison = match comparison {
                Comparison::Equal => opposite(inner),
                _ => inner,
            };
            return self.term(Term::Compare {
                comparison,
                signed,
                left,
                right,
            });
        }
        self.term(Term::Compare {
            comparison,
            // Equality has no sign.
            signed: signed && !equality,
            left,
            right,
        })
    }

    pub(super) fn select(&mut self, condition: TermId, then: TermId, otherwise: TermId) -> TermId {
        if then == otherwise {
            return then;
        }
        match self.as_constant(condition) {
            Some(0) => otherwise,
            Some(_) => then,
            None => self.term(Term::Select {
                condition,
                then,
                otherwise,
            }),
        }
    }

    /// The most that a word is, unsigned, as far as the word itself tells.
    pub(super) fn most(&self, id: TermId) -> u64 {
        self.most_within(id, MAX_BOUND_DEPTH)
    }

    fn most_within(&self, id: TermId, depth: u32) -> u64 {
        use IntegerOperator as Op;
        let Some(depth) = depth.checked_sub(1) else {
            return u64::MAX;
        };
        let of_size = |size: u8, signed: bool| match size {
            1..=7 if !signed => (1 << (8 * size)) - 1,
            _ => u64::MAX,
        };
        match self.get(id) {
            Term::Constant(value) => value,
            Term::Compare { .. } => 1,
            Term::Loaded { size, signed, .. } => of_size(size, signed),
            Term::Global { size, .. } => of_size(size, false),
            Term::Extend { ty, from } if !ty.signed => {
                let own = of_size(ty.size, ty.signed);
                own.min(self.most_within(from, depth))
            }
            Term::Binary {
                operator,
                ty,
                left,
                right,
            } => match (operator, self.as_constant(right)) {
                (Op::And, _) => {
                    let left = self.most_within(left, depth);
                    left.min(self.most_within(right, depth))
                }
                (Op::Remainder, Some(by)) if !ty.signed => by.saturating_sub(1),
                (Op::Divide, Some(by)) if !ty.signed => {
                    let left = self.most_within(left, depth);
                    left.checked_div(by).unwrap_or(u64::MAX)
                }
                (Op::ShiftRight, Some(by)) if !ty.signed && by < 64 => {
                    self.most_within(left, depth) >> by
                }
                _ => u64::MAX,
            },
            Term::Select {
                condition,
                then,
                otherwise,
            } => {
                let either = |term, truth| {
                    let known = self.most_where(condition, truth, term);
                    known.min(self.most_within(term, depth))
                };
                either(then, true).max(either(otherwise, false))
            }
            _ => u64::MAX,
        }
    }

    /// The most that a word is where a condition holds, or where it does not, as far as that compares the word with a constant.
    fn most_where(&self, condition: TermId, truth: bool, word: TermId) -> u64 {
        let Term::Compare {
            comparison,
            signed: false,
            left,
            right,
        } = self.get(condition)
        else {
            return u64::MAX;
        };
        let comparison = if truth {
            comparison
        } else {
            opposite(comparison)
        };
        let (left_is, right_is) = (self.as_constant(left), self.as_constant(right));
        match (comparison, left_is, right_is) {
            (Comparison::Less, _, Some(than)) if left == word => than.saturating_sub(1),
            (Comparison::LessEqual | Comparison::Equal, _, Some(than)) if left == word => than,
            (Comparison::Greater, Some(than), _) if right == word => than.saturating_sub(1),
            (Comparison::GreaterEqual, Some(than), _) if right == word => than,
            _ => u64::MAX,
        }
    }

    /// A literal of a condition: a term and whether it is not 0. Opposite conditions give the same term.
    pub(super) fn literal(&mut self, condition: TermId, truth: bool) -> (TermId, bool) {
        let Term::Compare {
            comparison,
            signed,
            left,
            right,
        } = self.get(condition)
        else {
            return (condition, truth);
        };
        if comparison == Comparison::NotEqual && self.as_constant(right) == Some(0) {
            return (left, truth);
        }
        if comparison == Comparison::Equal && self.as_constant(right) == Some(0) {
            return (left, !truth);
        }
        match comparison {
            Comparison::NotEqual | Comparison::Greater | Comparison::GreaterEqual => {
                let positive = self.compare(opposite(comparison), signed, left, right);
                (positive, !truth)
            }
            _ => (condition, truth),
        }
    }

    /// A literal as a word that is 0 or 1.
    pub(super) fn truth(&mut self, term: TermId, truth: bool) -> TermId {
        let zero = self.constant(0);
        match (self.get(term), truth) {
            (Term::Compare { .. }, true) => term,
            (_, true) => self.compare(Comparison::NotEqual, false, term, zero),
            (_, false) => self.compare(Comparison::Equal, false, term, zero),
        }
    }
}

fn opposite(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::GreaterEqual,
        Comparison::LessEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessEqual,
        Comparison::GreaterEqual => Comparison::Less,
    }
}
