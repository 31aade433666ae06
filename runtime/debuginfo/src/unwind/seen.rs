//! Stacks that were seen before. Hits of a probe come by few paths, again and again, at the same places of the same stacks: whether one is
//! such a stack is told by comparing the words that led from frame to frame, which is much less work than to follow them.
//!
//! A stack is remembered with all that it follows from: the instruction and stack pointers, the registers that a row asked for before
//! they were restored, and the words of memory that hold return addresses or registers that a row asked for later. Other saved registers
//! are not looked at: they differ from hit to hit and lead nowhere. Only stacks that were followed to their end by compact rows are
//! remembered, for what those say depends on nothing else.

use std::hash::BuildHasher;

use gimli::Register;

use super::frame::{Frame, REGISTERS, STACK_POINTER};
use super::rows::{Compact, Row, Rows};
use super::{CapturedStack, Next, Slice, Stack, WORD};

/// Deeper stacks are not remembered.
const MAX_DEPTH: usize = 128;
/// Stacks whose tags fall together.
const WAYS: usize = 4;
/// As many times [`WAYS`] stacks are remembered. A power of two.
const SETS: usize = 512;

/// What stacks that might be alike have in common: the instruction pointer, the stack pointer, and the word there, which is
/// the return address where a function has just been called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Tag {
    instruction_pointer: u64,
    stack_pointer: u64,
    top: u64,
}

impl Tag {
    fn of(captured: &CapturedStack<'_>) -> Option<Self> {
        Some(Self {
            instruction_pointer: captured.instruction_pointer,
            stack_pointer: *captured.registers.get(usize::from(STACK_POINTER.0))?,
            top: word_at(captured.memory, 0)?,
        })
    }
}

/// A stack, and what it follows from.
#[derive(Debug, Default)]
struct Seen {
    tag: Tag,
    /// Registers as they were captured: number and value.
    registers: Vec<(u8, u64)>,
    /// Words of the captured memory: offset and value.
    words: Vec<(u32, u64)>,
    frames: Vec<u64>,
    bytes: u64,
}

impl Seen {
    fn is(&self, tag: &Tag, captured: &CapturedStack<'_>) -> bool {
        let register = |(number, value): &(u8, u64)| {
            captured.registers.get(usize::from(*number)) == Some(value)
        };
        let word = |(offset, value): &(u32, u64)| word_at(captured.memory, *offset) == Some(*value);
        self.tag == *tag
            && !self.frames.is_empty()
            && self.registers.iter().all(register)
            && self.words.iter().all(word)
    }
}

#[derive(Debug, Default)]
struct Set {
    stacks: [Seen; WAYS],
    /// The place of the one that is replaced next.
    next: usize,
    /// The tag of the last stack that was not remembered: one that does not come twice is not worth the work.
    missed: Tag,
}

/// The stacks that were seen lately.
#[derive(Default)]
pub(super) struct SeenStacks {
    /// Made when the first stack comes.
    sets: Vec<Set>,
    seed: foldhash::fast::RandomState,
    given: u64,
}

/// Whether a stack was seen before.
pub(super) enum Known {
    /// It was, and is given.
    Given,
    /// It was not, and has come for the second time at least.
    Wanted(Missed),
    /// It was not.
    New,
}

/// The place of a stack that is to be remembered.
pub(super) struct Missed {
    set: usize,
    tag: Tag,
}

impl SeenStacks {
    /// Gives the frames of a stack that was seen before.
    #[inline]
    pub(super) fn give(&mut self, captured: &CapturedStack<'_>, stack: &mut Stack) -> Known {
        let Some(tag) = Tag::of(captured) else {
            return Known::New;
        };
        if self.sets.is_empty() {
            self.sets.resize_with(SETS, Set::default);
        }
        let place = self.seed.hash_one(tag) as usize % SETS;
        let Some(set) = self.sets.get_mut(place) else {
            return Known::New;
        };
        if let Some(seen) = set.stacks.iter().find(|seen| seen.is(&tag, captured)) {
            stack.frames.extend_from_slice(&seen.frames);
            stack.bytes = seen.bytes;
            self.given += 1;
            return Known::Given;
        }
        if set.missed == tag {
            return Known::Wanted(Missed { set: place, tag });
        }
        set.missed = tag;
        Known::New
    }

    /// Remembers a stack that was followed, unless it depends on more than compact rows. `rows` gives the row of an address.
    pub(super) fn remember(
        &mut self,
        missed: Missed,
        captured: &CapturedStack<'_>,
        stack: &Stack,
        rows: &mut Rows,
    ) {
        let followed = stack.cut.is_none() && stack.uncovered.is_none();
        if !followed || stack.frames.len() > MAX_DEPTH {
            return;
        }
        let Some(set) = self.sets.get_mut(missed.set) else {
            return;
        };
        let Some(needs) = needs_of(captured, missed.tag.stack_pointer, rows) else {
            return;
        };
        let next = set.next % WAYS;
        set.next = next + 1;
        let Some(seen) = set.stacks.get_mut(next) else {
            return;
        };
        seen.tag = missed.tag;
        seen.registers = needs.registers;
        seen.words = needs.words;
        seen.frames.clone_from(&stack.frames);
        seen.bytes = stack.bytes;
    }

    /// How many stacks were given.
    pub(super) fn given(&self) -> u64 {
        self.given
    }

    /// Forgets all stacks.
    pub(super) fn clear(&mut self) {
        self.sets.clear();
    }
}

/// Where the value of a register of a frame comes from.
#[derive(Clone, Copy)]
enum Origin {
    /// It was captured.
    Captured,
    /// It was saved at this address.
    Saved(u64),
    /// It follows from what is noted.
    Noted,
}

/// What the steps from frame to frame have asked for.
pub(super) struct Needs<'a> {
    captured: &'a CapturedStack<'a>,
    start: u64,
    origins: [Origin; REGISTERS],
    registers: Vec<(u8, u64)>,
    words: Vec<(u32, u64)>,
}

impl Needs<'_> {
    /// A row asked for a register.
    pub(super) fn register(&mut self, number: u8) -> Option<()> {
        let place = usize::from(number);
        let origin = self.origins.get_mut(place)?;
        match std::mem::replace(origin, Origin::Noted) {
            Origin::Captured => {
                let value = *self.captured.registers.get(place)?;
                self.registers.push((number, value));
            }
            Origin::Saved(address) => self.word(address)?,
            Origin::Noted => {}
        }
        Some(())
    }

    /// A row asked for a word of memory, which says where the next frame is.
    pub(super) fn word(&mut self, address: u64) -> Option<()> {
        let offset = u32::try_from(address.checked_sub(self.start)?).ok()?;
        let value = word_at(self.captured.memory, offset)?;
        self.words.push((offset, value));
        Some(())
    }

    /// A row restored a register from memory.
    pub(super) fn restored(&mut self, number: u8, address: u64) -> Option<()> {
        *self.origins.get_mut(usize::from(number))? = Origin::Saved(address);
        Some(())
    }

    /// What a row has worked out of what it asked for.
    pub(super) fn follows(&mut self, register: Register) -> Option<()> {
        *self.origins.get_mut(usize::from(register.0))? = Origin::Noted;
        Some(())
    }
}

/// Follows a stack once more, and notes what it depends on.
fn needs_of<'a>(captured: &'a CapturedStack<'a>, start: u64, rows: &mut Rows) -> Option<Needs<'a>> {
    let mut needs = Needs {
        captured,
        start,
        origins: [Origin::Captured; REGISTERS],
        registers: Vec::new(),
        words: Vec::new(),
    };
    // It is in the tag.
    needs.follows(STACK_POINTER)?;
    let mut frame = Frame::captured(captured.instruction_pointer, &captured.registers);
    let mut memory = Slice {
        start,
        bytes: captured.memory,
        reach: 0,
    };
    for _ in 0..=MAX_DEPTH {
        let row: Compact = match rows.get(frame.lookup_address(), || Row::Uncovered) {
            Row::Compact(row) => *row,
            Row::Full | Row::Uncovered => return None,
        };
        row.note(&frame, &mut memory, &mut needs)?;
        match row.apply(&mut frame, &mut memory) {
            Next::Caller => {}
            Next::End => return Some(needs),
            Next::Cut(_) => return None,
        }
    }
    None
}

#[inline]
fn word_at(memory: &[u8], offset: u32) -> Option<u64> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(WORD as usize)?;
    Some(u64::from_ne_bytes(*memory.get(start..end)?.first_chunk()?))
}
