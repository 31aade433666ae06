//! The tables of the supervisor, and what it shares with this program. All are made before the fork, since the supervisor may
//! not allocate; memory is taken as they fill.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use nix::errno::Errno;

use super::{EntryState, Reason, Refused, Subject};
use crate::maps::Origin;
use crate::registers::Registers;
use crate::stop::channel::message;
use crate::stop::table::{Plain, Shared};
use crate::stop::threads::MAX_THREADS;

/// The most threads that are traced at a time.
pub(super) const MAX_TRACED: usize = MAX_THREADS;
/// The most processes.
pub(super) const MAX_SPACES: usize = 4 << 10;
/// The most addresses that are stopped at, returns included.
pub(super) const MAX_ADDRESSES: usize = 64 << 10;
/// The most places that addresses belong to, counted for each address.
pub(super) const MAX_MEMBERS: usize = 256 << 10;
/// The most calls whose return is awaited.
pub(super) const MAX_FRAMES: usize = 64 << 10;
/// One more than the greatest number of a thread (`PID_MAX_LIMIT` of the kernel's `threads.h`).
const NUMBERS: usize = 4 << 20;
/// Registers of the processor for addresses.
pub(super) const SLOTS: usize = 4;
/// The longest instruction of x86.
pub(super) const LONGEST: usize = 15;
/// No element.
pub(super) const NONE: u32 = u32::MAX;

/// An array of zeros of this process alone, in memory of its own.
#[derive(Debug)]
pub(super) struct Pool<T> {
    base: NonNull<T>,
    length: usize,
    owns: PhantomData<T>,
}

impl<T: Plain> Pool<T> {
    pub(super) fn new(length: usize) -> Result<Pool<T>, Errno> {
        let bytes = length.checked_mul(size_of::<T>()).ok_or(Errno::ENOMEM)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches no existing memory.
        let raw = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if raw == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        Ok(Pool {
            base: NonNull::new(raw.cast()).ok_or(Errno::ENOMEM)?,
            length,
            owns: PhantomData,
        })
    }
}

impl<T> Deref for Pool<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the mapping is ours, as long as said, aligned to a page, and zeros are a value of every plain type.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.length) }
    }
}

impl<T> DerefMut for Pool<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above; the borrow of this value is the only one.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.length) }
    }
}

impl<T> Drop for Pool<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no reference into it exists.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.length * size_of::<T>()) };
    }
}

/// How a traced thread stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum State {
    /// There is no such thread.
    #[default]
    Free = 0,
    /// It runs, or its stop has not been seen.
    Running = 1,
    /// Stopped by us: in the queue, as a stop, or because others want it so.
    Stopped = 2,
    /// Stopped by job control.
    Listening = 3,
    /// A new process, stopped before it runs anything, whose maker has not told of it yet.
    Unborn = 4,
}

/// What a thread has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Came {
    #[default]
    Nowhere = 0,
    /// A probed address.
    Code = 1,
    Watch = 2,
    ThreadBegin = 3,
    ThreadEnd = 4,
    Exec = 5,
    Exit = 6,
    Signal = 7,
    /// One that is over when its return has been told.
    Return = 8,
}

/// A traced thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thread {
    pub(super) tid: i32,
    /// The index of its process.
    pub(super) space: u32,
    pub(super) state: State,
    /// To be delivered when it goes on.
    pub(super) signal: i32,
    pub(super) came: Came,
    /// The watch, the signal, or the status.
    pub(super) number: i32,
    /// The probed address.
    pub(super) address: u64,
    /// The next of the places of that address that is to be told.
    pub(super) cursor: u32,
    /// Calls that have returned at that address, to be told, the innermost first.
    pub(super) returned: u32,
    /// Calls that have not returned, the innermost first.
    pub(super) frames: u32,
    /// The bounds of the stack that it began with; zeros before they are looked for.
    pub(super) stack: (u64, u64),
    /// The next in the queue.
    pub(super) next: u32,
    /// Since when it stands still, on the monotonic clock in nanoseconds.
    pub(super) since: u64,
    /// It stands still because all do.
    pub(super) frozen: bool,
    /// It has come to its end.
    pub(super) ending: bool,
    /// That its process exits is told of it, too, when its end has been told.
    pub(super) tells_exit: bool,
    /// It is kept at its end, since it may be the last of its process to come there.
    pub(super) kept: bool,
    /// Its first stop has been seen.
    pub(super) begun: bool,
    /// It is about to be let go, and nothing else has come to it since.
    pub(super) proceeding: bool,
    /// It runs one instruction with its signals blocked; those that it blocked itself.
    pub(super) stepped: bool,
    pub(super) mask: u64,
    /// A signal that came meanwhile and could not be blocked, to be delivered then; 0 is none.
    pub(super) delayed: i32,
    /// The events of the processor's registers, by slot; 0 is none.
    pub(super) events: [i32; SLOTS],
}

impl Thread {
    /// There is no such thread, and nothing hangs on it.
    pub(super) const NOBODY: Thread = Thread {
        tid: 0,
        space: 0,
        state: State::Free,
        signal: 0,
        came: Came::Nowhere,
        number: 0,
        address: 0,
        cursor: 0,
        returned: NONE,
        frames: NONE,
        stack: (0, 0),
        next: NONE,
        since: 0,
        frozen: false,
        ending: false,
        tells_exit: false,
        kept: false,
        begun: false,
        proceeding: false,
        stepped: false,
        mask: 0,
        delayed: 0,
        events: [0; SLOTS],
    };
}

// SAFETY: numbers and enumerations with a value for 0.
unsafe impl Plain for Thread {}

/// A process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Space {
    pub(super) pid: i32,
    /// Its `/proc/PID/mem`; 0 is none.
    pub(super) memory: i32,
    /// Its `/proc/PID/maps`; 0 is none.
    pub(super) maps: i32,
    /// Traced threads that have not come to their end.
    pub(super) threads: u32,
    /// All traced threads.
    pub(super) known: u32,
    /// In use.
    pub(super) used: bool,
    /// Its stops are told. Else it only has to be kept from harm.
    pub(super) followed: bool,
    /// Its exit has been told.
    pub(super) exit_told: bool,
    /// It runs what breakpoints were set in.
    pub(super) has_text: bool,
    /// Its memory is that of the process that made it.
    pub(super) borrows: bool,
}

// SAFETY: numbers and booleans.
unsafe impl Plain for Space {}

/// A probed address.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Address {
    pub(super) address: u64,
    /// The places, in the table of members.
    pub(super) first: u32,
    pub(super) count: u32,
    /// Functions return there.
    pub(super) is_return: bool,
    /// It is in memory that other processes may share.
    pub(super) shared: bool,
    /// What it was mapped from when it was noted.
    pub(super) origin: Origin,
    /// `int3` stands there.
    pub(super) in_text: bool,
    /// One more than the slot of the processor that it has; 0 is none.
    pub(super) slot: u8,
    /// The instruction, as far as it could be read.
    pub(super) length: u8,
    /// How many of those bytes are the instruction itself.
    pub(super) size: u8,
    pub(super) code: [u8; LONGEST],
}

impl Address {
    /// Why it must not be stopped at in the text, whatever the target does with signals.
    pub(super) fn text_refusal(&self) -> Option<Reason> {
        if self.shared {
            Some(Reason::Shared)
        } else if !self.origin.is_file() {
            Some(Reason::NoFile)
        } else {
            None
        }
    }
}

// SAFETY: numbers and booleans.
unsafe impl Plain for Address {}

/// A place that an address belongs to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Member {
    pub(super) place: u32,
    pub(super) at_return: bool,
}

// SAFETY: numbers and booleans.
unsafe impl Plain for Member {}

/// A call whose return is awaited.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frame {
    /// The next outer one of the thread, or the next free one.
    pub(super) next: u32,
    pub(super) place: u32,
    /// Where the return address stood, and what it was.
    pub(super) stack: u64,
    pub(super) to: u64,
    pub(super) entry: EntryState,
}

// SAFETY: numbers and booleans, and the `None` of an option whose tag is a number of its own.
unsafe impl Plain for Frame {}

/// A thread that stands still, as this program is told of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub(super) came: Came,
    /// The place, the watch, the signal or the status.
    pub(super) number: i32,
    pub(super) pid: i32,
    pub(super) tid: i32,
    /// When it goes on by itself, on the monotonic clock in nanoseconds.
    pub(super) deadline: u64,
    pub(super) has_entry: bool,
    pub(super) entry: EntryState,
    pub(super) now: EntryState,
}

// SAFETY: numbers and enumerations with a value for 0, and the `None` of an option whose tag is a number of its own.
unsafe impl Plain for Told {}

/// Another thread that is held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Other {
    pub(super) tid: i32,
    pub(super) known: bool,
    pub(super) registers: Registers,
}

// SAFETY: numbers and booleans, and the `None` of an option whose tag is a number of its own.
unsafe impl Plain for Other {}

/// Something that was refused.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Refusal {
    pub(super) watch: bool,
    pub(super) index: u32,
    pub(super) address: u64,
    /// 0 is no code, 1 the instruction, 2 the text, 3 the alignment, 4 too many, 5 the hardware, 6 shared, 7 SIGTRAP, 8 no file.
    pub(super) reason: u32,
    pub(super) errno: i32,
}

// SAFETY: numbers and booleans.
unsafe impl Plain for Refusal {}

impl Refusal {
    pub(super) fn new(subject: Subject, address: u64, reason: Reason) -> Refusal {
        let (watch, index) = match subject {
            Subject::Place(index) => (false, index),
            Subject::Watch(index) => (true, index),
        };
        let (reason, errno) = match reason {
            Reason::NoCode => (0, 0),
            Reason::Instruction => (1, 0),
            Reason::Text(errno) => (2, errno as i32),
            Reason::Alignment => (3, 0),
            Reason::TooMany => (4, 0),
            Reason::Hardware(errno) => (5, errno as i32),
            Reason::Shared => (6, 0),
            Reason::Trap => (7, 0),
            Reason::NoFile => (8, 0),
        };
        Refusal {
            watch,
            index: index as u32,
            address,
            reason,
            errno,
        }
    }

    pub(super) fn refused(self) -> Refused {
        let index = self.index as usize;
        let errno = Errno::from_raw(self.errno);
        Refused {
            subject: if self.watch {
                Subject::Watch(index)
            } else {
                Subject::Place(index)
            },
            address: self.address,
            reason: match self.reason {
                0 => Reason::NoCode,
                1 => Reason::Instruction,
                2 => Reason::Text(errno),
                3 => Reason::Alignment,
                4 => Reason::TooMany,
                6 => Reason::Shared,
                7 => Reason::Trap,
                8 => Reason::NoFile,
                _ => Reason::Hardware(errno),
            },
        }
    }
}

/// What both sides have. The supervisor writes it before it says so, and not again until it is asked.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) told: Shared<Told>,
    pub(super) others: Shared<Other>,
    pub(super) refused: Shared<Refusal>,
    /// The hits of places, then those of watches.
    pub(super) hits: Shared<u64>,
    /// Not 0 for places whose code was no longer there at the end.
    pub(super) replaced: Shared<u64>,
    /// How many addresses are in the text, written as it changes.
    pub(super) text: Shared<u64>,
    /// The figures so far as the words of their message, written as they change.
    pub(super) figures: Shared<u64>,
}

impl Board {
    pub(super) fn new(counted: usize) -> Result<Board, Errno> {
        Ok(Board {
            told: Shared::new(1)?,
            others: Shared::new(MAX_TRACED)?,
            refused: Shared::new(MAX_MEMBERS)?,
            hits: Shared::new(counted.max(1))?,
            replaced: Shared::new(counted.max(1))?,
            text: Shared::new(1)?,
            figures: Shared::new(message(&[]).len())?,
        })
    }
}

/// What the supervisor has.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) threads: Pool<Thread>,
    /// One more than the index of a thread, by its number.
    pub(super) by_number: Pool<u32>,
    pub(super) spaces: Pool<Space>,
    /// Ascending by address.
    pub(super) addresses: Pool<Address>,
    pub(super) members: Pool<Member>,
    pub(super) frames: Pool<Frame>,
}

// SAFETY: a number.
unsafe impl Plain for u32 {}

impl Tables {
    pub(super) fn new() -> Result<Tables, Errno> {
        Ok(Tables {
            threads: Pool::new(MAX_TRACED)?,
            by_number: Pool::new(NUMBERS)?,
            spaces: Pool::new(MAX_SPACES)?,
            addresses: Pool::new(MAX_ADDRESSES)?,
            members: Pool::new(MAX_MEMBERS)?,
            frames: Pool::new(MAX_FRAMES)?,
        })
    }
}
