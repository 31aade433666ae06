//! What is known at one point of a handler: registers, frame slots, and under which condition the point is reached.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::tables::KeyId;
use super::terms::{ReadId, TermId, Terms};
use super::updates::{self, CellId, Change};
use crate::ir::{IntegerOperator, MemoryType, SpanId};

/// The most words that one value may be.
const MAX_WORDS: usize = 4;

/// Why a word is not known at the hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It changes in a loop.
    Loop,
    /// It is the result of a function that calls itself.
    Recursion,
    /// It comes from a table, an array or an aggregate.
    Container,
    /// It comes from a variable of the script.
    Global,
    /// It comes from a floating-point number.
    Float,
    /// It is a string or a path of the script, or computed from one.
    Text,
    /// Division and shifts may fault.
    Division,
    /// It is an element of an array of the script whose index is not constant.
    Index,
    /// Bytes of several values make it up.
    Bytes,
    /// A fault was caught before.
    Fault,
    /// A `_late` function reads it when the handler runs.
    Late,
    /// Only ytrace can tell it.
    Asked,
    /// It cannot be had, which has been said.
    Refused,
    /// Too many different values come together.
    Branches,
}

/// A word that is not known, with the place of the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    pub(super) why: Why,
    pub(super) span: SpanId,
}

/// One to four words: the value is one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    words: [TermId; MAX_WORDS],
    count: u8,
}

impl Words {
    pub(super) fn one(word: TermId) -> Self {
        Self {
            words: [word; MAX_WORDS],
            count: 1,
        }
    }

    pub(super) fn all(&self) -> &[TermId] {
        self.words
            .get(..usize::from(self.count))
            .unwrap_or_default()
    }

    /// The word, if there is only one.
    pub(super) fn single(&self) -> Option<TermId> {
        match self.all() {
            [word] => Some(*word),
            _ => None,
        }
    }

    /// One more; `None` if there are too many.
    pub(super) fn with(mut self, word: TermId) -> Option<Self> {
        if self.all().contains(&word) {
            return Some(self);
        }
        *self.words.get_mut(usize::from(self.count))? = word;
        self.count += 1;
        Some(self)
    }

    /// What a function makes of each of them.
    pub(super) fn map(&self, mut change: impl FnMut(TermId) -> Option<TermId>) -> Option<Self> {
        let mut all: Option<Words> = None;
        for word in self.all() {
            let word = change(*word)?;
            all = Some(match all {
                None => Words::one(word),
                Some(all) => all.with(word)?,
            });
        }
        all
    }
}

/// A value of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Words that are known at the hit.
    Words(Words),
    /// An address in a frame slot.
    Frame { object: u32, offset: u64 },
    /// The handle of a string literal.
    Literal(u32),
    /// The handle of the container in a global, by the global's offset.
    Container(u64),
    /// The row of a key in a table of the globals, or that there is none.
    Row(KeyId),
    /// Whether the key is in its table; or, if false, whether it is not.
    Presence(KeyId, bool),
    /// The row of a key that was inserted into a table of the globals.
    Inserted(KeyId),
    /// What an integer that handlers add to held before this one ran, with what is added: so many low bytes of the word.
    Sum {
        cell: CellId,
        added: TermId,
        bytes: u8,
    },
    /// A word that is not known.
    Unknown(Unknown),
}

impl Known {
    pub(super) fn word(word: TermId) -> Self {
        Known::Words(Words::one(word))
    }

    pub(super) fn single(&self) -> Option<TermId> {
        match self {
            Known::Words(words) => words.single(),
            _ => None,
        }
    }
}

/// What lies in a part of a frame slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Zero,
    /// A scalar, truncated to the part.
    Scalar(Known),
    /// Bytes of a read, from an offset.
    Read(ReadId, u32),
    Unknown(Unknown),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    length: u64,
    content: Content,
    /// When it was written.
    stamp: u64,
}

/// A frame slot, or the globals: cells that do not overlap, zeros between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Object {
    cells: BTreeMap<u64, Cell>,
}

impl Object {
    /// How many cells there are.
    pub(super) fn cells(&self) -> usize {
        self.cells.len()
    }

    /// Makes room for a cell: what overlaps is cut.
    fn cut(&mut self, start: u64, end: u64) {
        let first = self
            .cells
            .range(..start)
            .next_back()
            .filter(|(at, cell)| at.saturating_add(cell.length) > start)
            .map_or(start, |(at, _)| *at);
        let overlapping: Vec<(u64, Cell)> = self
            .cells
            .range(first..end)
            .map(|(at, cell)| (*at, *cell))
            .collect();
        for (at, cell) in overlapping {
            self.cells.remove(&at);
            let cell_end = at.saturating_add(cell.length);
            if at < start {
                self.insert_part(at, start, at, cell);
            }
            if cell_end > end {
                self.insert_part(end, cell_end, at, cell);
            }
        }
    }

    /// Puts a part of a cell that began at `was` back.
    fn insert_part(&mut self, start: u64, end: u64, was: u64, cell: Cell) {
        let content = match cell.content {
            Content::Read(read, offset) => {
                let moved = (start - was).try_into().ok();
                match moved.and_then(|moved: u32| offset.checked_add(moved)) {
                    Some(offset) => Content::Read(read, offset),
                    None => bytes_unknown(),
                }
            }
            Content::Scalar(_) => bytes_unknown(),
            other => other,
        };
        self.cells.insert(
            start,
            Cell {
                length: end - start,
                content,
                stamp: cell.stamp,
            },
        );
    }

    pub(super) fn write(&mut self, at: u64, length: u64, content: Content, stamp: u64) {
        let Some(end) = at.checked_add(length).filter(|_| length > 0) else {
            return;
        };
        self.cut(at, end);
        self.cells.insert(
            at,
            Cell {
                length,
                content,
                stamp,
            },
        );
    }

    /// What lies at a range: the content of the cell that has all of it, with the offset in it.
    pub(super) fn at(&self, at: u64, length: u64) -> (Content, u64, u64) {
        let end = at.saturating_add(length);
        let zero = (Content::Zero, 0, length);
        let Some((start, cell)) = self.cells.range(..end).next_back() else {
            return zero;
        };
        let cell_end = start.saturating_add(cell.length);
        if cell_end <= at {
            return zero;
        }
        if *start <= at && cell_end >= end {
            return (cell.content, at - start, cell.length);
        }
        (bytes_unknown(), 0, length)
    }

    /// The contents of a range, each with its offset from the beginning of the range and its length.
    pub(super) fn copy(&self, at: u64, length: u64) -> Vec<(u64, u64, Content)> {
        let end = at.saturating_add(length);
        let mut part = Object {
            cells: self
                .cells
                .range(..end)
                .filter(|(start, cell)| start.saturating_add(cell.length) > at)
                .map(|(start, cell)| (*start, *cell))
                .collect(),
        };
        part.cut(0, at);
        part.cut(end, u64::MAX);
        part.cells
            .range(at..end)
            .map(|(start, cell)| (start - at, cell.length, cell.content))
            .collect()
    }

    /// All cells: offset, length and content.
    pub(super) fn contents(&self) -> impl Iterator<Item = (u64, u64, Content)> + '_ {
        self.cells
            .iter()
            .map(|(at, cell)| (*at, cell.length, cell.content))
    }

    /// Makes what was written since a time unknown.
    fn forget_since(&mut self, stamp: u64, unknown: Unknown) {
        for cell in self.cells.values_mut() {
            if cell.stamp > stamp {
                cell.content = Content::Unknown(unknown);
            }
        }
    }
}

fn bytes_unknown() -> Content {
    Content::Unknown(Unknown {
        why: Why::Bytes,
        span: SpanId(0),
    })
}

/// One condition on the way to a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    /// The word is not 0, or is.
    Known(TermId, bool),
    /// A condition that is not known; each has a number of its own.
    Unknown(u32, bool),
}

impl Literal {
    fn opposite(self) -> Self {
        match self {
            Literal::Known(term, truth) => Literal::Known(term, !truth),
            Literal::Unknown(number, truth) => Literal::Unknown(number, !truth),
        }
    }
}

/// What is known at one point.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// The registers of the function at hand.
    pub(super) registers: Vec<Known>,
    /// Frame slots of all active functions.
    pub(super) objects: BTreeMap<u32, Rc<Object>>,
    /// All of these hold here. More than that may be needed to get here where a fault may be caught.
    pub(super) reach: Vec<Literal>,
    /// The reads that have been made on the way, a bit each.
    pub(super) reads: Vec<u64>,
    /// Keys of tables that were deleted on the way and not inserted since.
    pub(super) deleted: Vec<KeyId>,
    /// What is added to variables of the script.
    pub(super) changes: Vec<Change>,
    /// Whether something was done on the way that a dropped hit would lack, or that may fault for another reason than a read.
    pub(super) effect: bool,
}

impl State {
    pub(super) fn get(&self, register: crate::ir::Register) -> Option<Known> {
        self.registers.get(register.0 as usize).copied()
    }

    pub(super) fn set(&mut self, register: crate::ir::Register, value: Known) {
        if let Some(slot) = self.registers.get_mut(register.0 as usize) {
            *slot = value;
        }
    }

    /// Notes that a read has been made.
    pub(super) fn note(&mut self, read: ReadId) {
        let index = (read.0 / 64) as usize;
        if self.reads.len() <= index {
            self.reads.resize(index + 1, 0);
        }
        if let Some(word) = self.reads.get_mut(index) {
            *word |= 1 << (read.0 % 64);
        }
    }

    /// How much work a copy of it is.
    pub(super) fn size(&self) -> u64 {
        let cells: usize = self.objects.values().map(|object| 1 + object.cells()).sum();
        (self.registers.len() + self.reach.len() + cells) as u64
    }

    /// Makes what was written to frame slots since a time unknown.
    pub(super) fn forget_since(&mut self, stamp: u64, unknown: Unknown) {
        for object in self.objects.values_mut() {
            if object.cells.values().any(|cell| cell.stamp > stamp) {
                Rc::make_mut(object).forget_since(stamp, unknown);
            }
        }
    }

    /// Makes a frame slot unknown as a whole.
    pub(super) fn forget_object(&mut self, object: u32, stamp: u64, unknown: Unknown) {
        if let Some(object) = self.objects.get_mut(&object) {
            let mut new = Object::default();
            new.write(0, u64::MAX, Content::Unknown(unknown), stamp);
            *object = Rc::new(new);
        }
    }
}

/// What merging needs beside the two states.
pub(super) struct Merger<'t> {
    pub(super) terms: &'t mut Terms,
    /// Numbers of unknown conditions.
    pub(super) numbers: &'t mut u32,
    /// Where the states come together.
    pub(super) span: SpanId,
}

impl Merger<'_> {
    /// All states that come to one point as one. States whose conditions are opposite come together first.
    pub(super) fn all(&mut self, mut states: Vec<State>) -> Option<State> {
        while states.len() > 1 {
            let deepest = (0..states.len()).max_by_key(|index| states[*index].reach.len())?;
            let one = states.swap_remove(deepest);
            let other = states
                .iter()
                .position(|other| complementary(&one.reach, &other.reach))
                .or_else(|| (0..states.len()).max_by_key(|index| states[*index].reach.len()))?;
            let other = states.swap_remove(other);
            states.push(self.merge(one, other));
        }
        states.pop()
    }

    fn merge(&mut self, a: State, b: State) -> State {
        let common = a
            .reach
            .iter()
            .zip(&b.reach)
            .take_while(|(a, b)| a == b)
            .count();
        let rest_a = a.reach.get(common..).unwrap_or_default().to_vec();
        let rest_b = b.reach.get(common..).unwrap_or_default().to_vec();
        let condition = self.conjunction(&rest_a);
        let other = self.conjunction(&rest_b);
        let both = condition.zip(other);
        let mut reach = a.reach;
        reach.truncate(common);
        let opposite = matches!((&*rest_a, &*rest_b), ([a], [b]) if *a == b.opposite());
        match both {
            // With an empty rest one of them is all that is left of a caught fault.
            _ if opposite || rest_a.is_empty() || rest_b.is_empty() => {}
            Some((one, other)) => {
                let either = self
                    .terms
                    .binary(IntegerOperator::Or, super::terms::WORD, one, other);
                reach.push(match either {
                    Some(either) => Literal::Known(either, true),
                    None => self.unknown_literal(),
                });
            }
            None => {
                let literal = self.unknown_literal();
                reach.push(literal);
            }
        }
        // Where a fault may have led here, the condition does not tell the ways apart.
        let condition = both.map(|(condition, _)| condition);
        let registers = a
            .registers
            .iter()
            .zip(&b.registers)
            .map(|(a, b)| self.known(condition, *a, *b))
            .collect();
        let mut objects = BTreeMap::new();
        for (number, one) in &a.objects {
            if let Some(other) = b.objects.get(number) {
                let merged = if one == other {
                    Rc::clone(one)
                } else {
                    Rc::new(self.object(condition, one, other))
                };
                objects.insert(*number, merged);
            }
        }
        let mut reads = a.reads;
        if reads.len() < b.reads.len() {
            reads.resize(b.reads.len(), 0);
        }
        for (one, other) in reads.iter_mut().zip(&b.reads) {
            *one |= other;
        }
        let mut deleted = a.deleted;
        deleted.retain(|key| b.deleted.contains(key));
        let mut effect = a.effect || b.effect;
        // With an empty rest it is a caught fault that tells them apart.
        let (on_a, on_b) = match rest_a.is_empty() || rest_b.is_empty() {
            true => (None, None),
            false => (condition, other),
        };
        let changes = updates::merge(self.terms, (&a.changes, on_a), (&b.changes, on_b));
        effect |= changes.is_none();
        State {
            registers,
            objects,
            reach,
            reads,
            deleted,
            changes: changes.unwrap_or_default(),
            effect,
        }
    }

    fn unknown_literal(&mut self) -> Literal {
        *self.numbers += 1;
        Literal::Unknown(*self.numbers, true)
    }

    /// All of the literals as a word that is 0 or 1; `None` if there are none, or one is unknown.
    pub(super) fn conjunction(&mut self, literals: &[Literal]) -> Option<TermId> {
        let mut all = None;
        for literal in literals {
            let Literal::Known(term, truth) = *literal else {
                return None;
            };
            let truth = self.terms.truth(term, truth);
            all = Some(match all {
                None => truth,
                Some(all) => {
                    self.terms
                        .binary(IntegerOperator::And, super::terms::WORD, all, truth)?
                }
            });
        }
        all
    }

    fn known(&mut self, condition: Option<TermId>, a: Known, b: Known) -> Known {
        if a == b {
            return a;
        }
        let branches = Known::Unknown(Unknown {
            why: Why::Branches,
            span: self.span,
        });
        match (a, b) {
            (Known::Unknown(_), _) => a,
            (_, Known::Unknown(_)) => b,
            (Known::Words(a), Known::Words(b)) => {
                if let (Some(condition), Some(a), Some(b)) = (condition, a.single(), b.single()) {
                    return Known::word(self.terms.select(condition, a, b));
                }
                let mut all = Some(a);
                for word in b.all() {
                    all = all.and_then(|all| all.with(*word));
                }
                all.map_or(branches, Known::Words)
            }
            (
                Known::Sum { cell, added, bytes },
                Known::Sum {
                    cell: other,
                    added: more,
                    bytes: least,
                },
            ) if cell == other => match condition {
                Some(condition) => Known::Sum {
                    cell,
                    added: self.terms.select(condition, added, more),
                    bytes: bytes.min(least),
                },
                None => branches,
            },
            _ => branches,
        }
    }

    fn object(&mut self, condition: Option<TermId>, a: &Object, b: &Object) -> Object {
        let mut merged = Object::default();
        // Where the cells of both begin and end.
        let mut bounds: Vec<u64> = a
            .cells
            .iter()
            .chain(&b.cells)
            .flat_map(|(at, cell)| [*at, at.saturating_add(cell.length)])
            .collect();
        bounds.sort_unstable();
        bounds.dedup();
        let mut next = 0;
        for (start, end) in bounds.iter().zip(bounds.iter().skip(1)) {
            // A cell that both have is merged as a whole.
            if *start < next {
                continue;
            }
            let stamp = |object: &Object| {
                let cell = object.cells.range(..=*start).next_back();
                cell.filter(|(at, cell)| at.saturating_add(cell.length) > *start)
                    .map(|(_, cell)| cell.stamp)
            };
            let stamp = stamp(a).max(stamp(b)).unwrap_or(0);
            let whole = match (a.cells.get(start), b.cells.get(start)) {
                (Some(one), Some(other)) if one.length == other.length => Some(one.length),
                (Some(one), None) if b.at(*start, one.length).0 == Content::Zero => {
                    Some(one.length)
                }
                (None, Some(other)) if a.at(*start, other.length).0 == Content::Zero => {
                    Some(other.length)
                }
                _ => None,
            };
            let length = whole.unwrap_or(end - start);
            let one = a.at(*start, length);
            let other = b.at(*start, length);
            let content = if one == other && one.1 == 0 && one.2 == length {
                one.0
            } else {
                let one = self.scalar(one.0, one.1);
                let other = self.scalar(other.0, other.1);
                match (one, other, whole) {
                    (Some(one), Some(other), Some(_)) => match self.known(condition, one, other) {
                        Known::Unknown(unknown) => Content::Unknown(unknown),
                        known => Content::Scalar(known),
                    },
                    _ => Content::Unknown(Unknown {
                        why: Why::Branches,
                        span: self.span,
                    }),
                }
            };
            merged.write(*start, length, content, stamp);
            next = start.saturating_add(length);
        }
        merged
    }

    fn scalar(&mut self, content: Content, offset: u64) -> Option<Known> {
        match content {
            Content::Zero => Some(Known::word(self.terms.constant(0))),
            Content::Scalar(known) if offset == 0 => Some(known),
            Content::Unknown(unknown) => Some(Known::Unknown(unknown)),
            _ => None,
        }
    }
}

fn complementary(a: &[Literal], b: &[Literal]) -> bool {
    match (a.split_last(), b.split_last()) {
        (Some((last, before)), Some((other, others))) => {
            *last == other.opposite() && before == others
        }
        _ => false,
    }
}

/// The size of a scalar and whether it is sign-extended; `None` for a float.
pub(super) fn integer_of(ty: MemoryType) -> Option<(u8, bool)> {
    match ty {
        MemoryType::I8 => Some((1, true)),
        MemoryType::U8 => Some((1, false)),
        MemoryType::I16 => Some((2, true)),
        MemoryType::U16 => Some((2, false)),
        MemoryType::I32 => Some((4, true)),
        MemoryType::U32 => Some((4, false)),
        MemoryType::W64 => Some((8, false)),
        MemoryType::F32 | MemoryType::F64 => None,
    }
}
