//! The records that hits send, read in place.

use super::layout::{Header, RecordLayout};
use super::program::Register;
use super::session::ProbeId;
use super::tops::{StackEnd, Tops};

/// Bytes that a hit captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captured<'a> {
    /// The bytes; of a string those before its NUL.
    Bytes(&'a [u8]),
    /// The first bytes of a longer string.
    Cut(&'a [u8]),
    /// The memory could not be read.
    Failed,
}

impl<'a> Captured<'a> {
    /// The bytes, cut or not.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Captured::Bytes(bytes) | Captured::Cut(bytes) => Some(bytes),
            Captured::Failed => None,
        }
    }
}

/// A record, which borrows the bytes of the ring buffer.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub(super) header: Header,
    pub(super) bytes: &'a [u8],
    pub(super) layout: &'a RecordLayout,
    /// What the kernel's programs learn from how much was needed; `None` where there are none.
    pub(super) tops: Option<&'a Tops>,
    pub(super) tid: i32,
    pub(super) pid: i32,
}

impl<'a> Record<'a> {
    /// The probe that was hit.
    pub fn probe(&self) -> ProbeId {
        ProbeId(self.header.probe)
    }

    /// Whether the return part sent it.
    pub fn is_return(&self) -> bool {
        self.layout.on_return
    }

    /// When, in nanoseconds of the monotonic clock ([`crate::monotonic_ns`]).
    pub fn time(&self) -> u64 {
        self.header.time
    }

    /// The thread, in our pid namespace; as the kernel numbers it where that cannot be told any more.
    pub fn tid(&self) -> i32 {
        self.tid
    }

    /// The process, in our pid namespace.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The processor.
    pub fn cpu(&self) -> u32 {
        self.header.cpu
    }

    /// The number that the site was given.
    pub fn cookie(&self) -> u32 {
        self.header.cookie as u32
    }

    /// How many bytes it stands for, where the part samples; else 0.
    pub fn weight(&self) -> u64 {
        self.header.weight
    }

    /// A register, where the plan asks for it.
    pub fn register(&self, register: Register) -> Option<u64> {
        self.layout.register(self.bytes, register)
    }

    /// The value at this place of the plan's list; `None` if it failed or if there is no such place.
    pub fn value(&self, place: usize) -> Option<u64> {
        if self.header.failed >> place & 1 == 1 {
            return None;
        }
        self.layout.value(self.bytes, place)
    }

    /// What was captured, by the place in the plan's list: `captures` first, then `entry_captures`. `None` if there is no such
    /// place.
    pub fn capture(&self, place: usize) -> Option<Captured<'a>> {
        self.layout.capture(self.bytes, place)
    }

    /// The stack from the stack pointer upwards: as many bytes as the plan asks for ([`super::Emit`]), or fewer where a page that follows could not
    /// be read. The stack ends there, or that page is not in memory: on swap, or never touched, as one between the first frame of a
    /// program and its environment may be.
    pub fn stack(&self) -> &'a [u8] {
        self.layout.stack(self.bytes, self.header.stack_length)
    }

    /// Whether all the bytes of stack that were asked for are there.
    pub fn has_whole_stack(&self) -> bool {
        self.header.stack_length == self.header.stack_wanted
    }

    /// Tells how much of the stack was needed, in bytes from the stack pointer upwards, so that later hits on it send no more, where the plan has it so.
    /// Of one that goes on beyond what was sent, that is how much the next step needs.
    pub fn stack_took(&self, needed: u64, end: StackEnd) {
        if self.layout.stack_expected == 0 {
            return;
        }
        if let (Some(tops), Some(pointer)) = (self.tops, self.register(Register::Rsp)) {
            let sent = u64::from(self.header.stack_length);
            let most = u64::from(self.layout.stack_bytes);
            tops.note(pointer, needed, end, sent, most);
        }
    }
}
