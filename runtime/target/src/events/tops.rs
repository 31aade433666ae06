//! How far up the stacks of a process are needed, as those who follow them find out: the address above which nothing is.
//!
//! A thread's stack is needed up to the frame that the thread began with, wherever in it a hit is, so the address is the same for
//! all hits on it, and what is to be copied is what lies between the stack pointer and that address. It is kept by the place
//! of the stack pointer, not by thread, so stacks of coroutines and of signal handlers have their own.
//!
//! The kernel's programs look an address up by [`REGION_SHIFT`] and [`FACTOR`]. Two places may share a word. An address that is
//! not above the stack pointer, or too far, counts as none; another one that is wrong has the kernel send too much, or too little,
//! which whoever follows the stack notices: no word is ever taken for what is on a stack.

use std::cell::Cell;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;

use nix::errno::Errno;

use super::kernel::{self, MAPPABLE, MapType};
use super::ring::MappedMap;
use crate::sys;

/// Stack pointers are told apart by so many bytes, as a binary logarithm.
pub(super) const REGION_SHIFT: u32 = 12;
/// How many words there are, as a binary logarithm.
pub(super) const WORDS_SHIFT: u32 = 16;
/// What the number of a region is multiplied by: the upper bits say which word it has (multiplicative hashing with 2^64 divided by
/// the golden ratio; Knuth, The Art of Computer Programming, volume 3, 6.4).
pub(super) const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
/// After so many stacks of a place, no more of them is sent than these needed.
const WINDOW: u32 = 1 << 12;

/// Where a stack was followed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackEnd {
    /// The function that the thread began with.
    Begin,
    /// What was sent of it: it goes on.
    Slice,
    /// No further, for another reason.
    Elsewhere,
}

/// What is known of one word.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// The highest address that was needed since the word was looked at last.
    highest: u64,
    /// By how many stacks.
    stacks: u32,
    /// It follows from another place of the same stack.
    guessed: bool,
}

/// The words, in memory that the kernel sees, too.
pub(super) struct Tops {
    map: OwnedFd,
    memory: MappedMap,
    seen: Vec<Cell<Seen>>,
}

impl fmt::Debug for Tops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tops").finish_non_exhaustive()
    }
}

impl Tops {
    /// Words that say nothing.
    pub fn new() -> Result<Tops, Errno> {
        let words = 1usize << WORDS_SHIFT;
        let bytes = (8 * words).next_multiple_of(sys::page_size() as usize);
        let value = u32::try_from(bytes).map_err(|_| Errno::EOVERFLOW)?;
        let map = kernel::create_map(MapType::Array, 4, value, 1, MAPPABLE, "ytrace_tops")?;
        let memory = MappedMap::new(map.as_fd(), bytes, 0, true)?;
        let seen = vec![Cell::default(); words];
        Ok(Tops { map, memory, seen })
    }

    pub fn descriptor(&self) -> i32 {
        self.map.as_raw_fd()
    }

    /// Takes note of a stack of which so many bytes were needed from the stack pointer upwards. `sent` are those that were there, `most`
    /// those that there can be.
    pub fn note(&self, stack_pointer: u64, needed: u64, end: StackEnd, sent: u64, most: u64) {
        // How much is needed after the next step is not known.
        let wanted = match end {
            StackEnd::Slice => needed.max(sent.saturating_mul(2)).min(most),
            StackEnd::Begin | StackEnd::Elsewhere => needed.max(1),
        };
        // What no slice would hold is not worth a larger one.
        let (true, Some(top)) = (needed <= most, stack_pointer.checked_add(wanted)) else {
            return;
        };
        let place = place(stack_pointer >> REGION_SHIFT);
        let (Some(word), Some(seen)) = (self.memory.word(8 * place), self.seen.get(place)) else {
            return;
        };
        let known = word.load(Ordering::Relaxed);
        let distance = known.wrapping_sub(stack_pointer);
        let usable = distance != 0 && distance <= most;
        let mut now = seen.get();
        let more = usable && top > known;
        let at_once = match end {
            StackEnd::Begin => more || !usable || now.guessed,
            StackEnd::Slice => more || !usable,
            StackEnd::Elsewhere => more,
        };
        if at_once {
            word.store(top, Ordering::Relaxed);
            seen.set(Seen {
                highest: top,
                ..Seen::default()
            });
            if end == StackEnd::Begin && top != known {
                self.guess(top, most);
            }
            return;
        }
        now.highest = now.highest.max(top);
        // That one was left early does not tell how far the others will be followed.
        if end != StackEnd::Elsewhere || !usable {
            now.stacks += 1;
        }
        if now.stacks >= WINDOW {
            word.store(now.highest, Ordering::Relaxed);
            now = Seen::default();
        }
        seen.set(now);
    }

    /// Stacks below an address are taken to be needed up to it, where nothing else is known. `most` is the most that can be sent of one.
    pub fn guess(&self, top: u64, most: u64) {
        let first = top.saturating_sub(most) >> REGION_SHIFT;
        let last = top.saturating_sub(1) >> REGION_SHIFT;
        for region in first..=last {
            let place = place(region);
            let (Some(word), Some(seen)) = (self.memory.word(8 * place), self.seen.get(place))
            else {
                continue;
            };
            if word.load(Ordering::Relaxed) == 0 || seen.get().guessed {
                word.store(top, Ordering::Relaxed);
                seen.set(Seen {
                    guessed: true,
                    ..Seen::default()
                });
            }
        }
    }

    /// Forgets everything: other stacks are there now.
    pub fn forget(&self) {
        for (place, seen) in self.seen.iter().enumerate() {
            if let Some(word) = self.memory.word(8 * place) {
                word.store(0, Ordering::Relaxed);
            }
            seen.set(Seen::default());
        }
    }
}

/// The word of a region.
fn place(region: u64) -> usize {
    (region.wrapping_mul(FACTOR) >> (u64::BITS - WORDS_SHIFT)) as usize
}
