//! Where everything is in a record: shared by the code that writes records and the code that reads them.
//!
//! A record is a header of [`HEADER_BYTES`], registers by their number, values, captures, stack; all in multiples of eight bytes,
//! little-endian. A capture is its [`CAPTURE_HEADER`] (length and state) and its bytes.

use super::program::{Emit, Extent, Register, RegisterSet};
use super::record::Captured;

/// Bytes of the header.
pub(super) const HEADER_BYTES: u32 = 56;
/// Bytes before those of a capture: the length and the state, four each.
pub(super) const CAPTURE_HEADER: u32 = 8;

/// Places of the header's fields.
pub(super) mod header {
    pub const TIME: u32 = 0;
    pub const COOKIE: u32 = 8;
    pub const WEIGHT: u32 = 16;
    /// One bit for each value of the record.
    pub const FAILED: u32 = 24;
    pub const TID: u32 = 32;
    pub const PID: u32 = 36;
    /// Twice the probe's number, and 1 for its return.
    pub const PART: u32 = 40;
    pub const CPU: u32 = 44;
    pub const STACK_LENGTH: u32 = 48;
    /// How many bytes of stack there were to be.
    pub const STACK_WANTED: u32 = 52;
}

/// The state of a capture.
pub(super) mod state {
    pub const WHOLE: u32 = 0;
    pub const CUT: u32 = 1;
    pub const FAILED: u32 = 2;
}

/// The fixed fields of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub time: u64,
    pub cookie: u64,
    pub weight: u64,
    pub failed: u64,
    pub tid: u32,
    pub pid: u32,
    pub probe: u32,
    pub on_return: bool,
    pub cpu: u32,
    pub stack_length: u32,
    pub stack_wanted: u32,
}

impl Header {
    /// Reads it; `None` if the record is too short.
    pub fn read(bytes: &[u8]) -> Option<Header> {
        let part = word32(bytes, header::PART)?;
        Some(Header {
            time: word64(bytes, header::TIME)?,
            cookie: word64(bytes, header::COOKIE)?,
            weight: word64(bytes, header::WEIGHT)?,
            failed: word64(bytes, header::FAILED)?,
            tid: word32(bytes, header::TID)?,
            pid: word32(bytes, header::PID)?,
            probe: part >> 1,
            on_return: part & 1 == 1,
            cpu: word32(bytes, header::CPU)?,
            stack_length: word32(bytes, header::STACK_LENGTH)?,
            stack_wanted: word32(bytes, header::STACK_WANTED)?,
        })
    }
}

/// Where a capture is kept: in a record, on the stack of the kernel's program, or among what an entry part saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CaptureLayout {
    /// Its header.
    pub offset: u32,
    pub extent: Extent,
}

impl CaptureLayout {
    /// Where its bytes are.
    pub fn data(self) -> u32 {
        self.offset + CAPTURE_HEADER
    }
}

/// The bytes of a buffer for a capture, without its header. A string's has room for the NUL and for one byte more, which tells a
/// string that fits from one that was cut.
pub(super) fn buffer_bytes(extent: Extent) -> u32 {
    match extent {
        Extent::Bytes(bytes) | Extent::UpTo { max: bytes, .. } => bytes,
        Extent::String { max } => max.saturating_add(2),
    }
}

/// The bytes of a capture with its header, padded.
pub(super) fn capture_bytes(extent: Extent) -> u32 {
    CAPTURE_HEADER + buffer_bytes(extent).next_multiple_of(8)
}

/// The places of what one kind of record holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RecordLayout {
    pub on_return: bool,
    pub registers: RegisterSet,
    pub values: usize,
    pub captures: Vec<CaptureLayout>,
    pub stack_offset: u32,
    /// The most bytes of stack.
    pub stack_bytes: u32,
    /// So many while nothing is known of the stack; 0 where it is always as many as there are.
    pub stack_expected: u32,
}

impl RecordLayout {
    /// The layout of what a plan asks for; `extents` are those of its captures, and then of its captures at entry.
    pub fn new(emit: &Emit, extents: &[Extent], on_return: bool) -> RecordLayout {
        let registers = u32::try_from(emit.registers.len()).unwrap_or(0);
        let values = u32::try_from(emit.values.len()).unwrap_or(0);
        let mut offset = HEADER_BYTES + 8 * (registers + values);
        let mut captures = Vec::with_capacity(extents.len());
        for &extent in extents {
            captures.push(CaptureLayout { offset, extent });
            offset = offset.saturating_add(capture_bytes(extent));
        }
        RecordLayout {
            on_return,
            registers: emit.registers,
            values: emit.values.len(),
            captures,
            stack_offset: offset,
            stack_bytes: emit.stack_bytes,
            stack_expected: emit.stack_expected,
        }
    }

    /// The most bytes of a record.
    pub fn bytes(&self) -> u32 {
        self.stack_offset.saturating_add(self.stack_bytes)
    }

    /// Where a register is, if it is in the record.
    pub fn register_offset(&self, register: Register) -> Option<u32> {
        let rank = u32::try_from(self.registers.rank(register)).unwrap_or(0);
        self.registers
            .contains(register)
            .then_some(HEADER_BYTES + 8 * rank)
    }

    /// Where the value at a place is.
    pub fn value_offset(&self, place: usize) -> Option<u32> {
        let before = u32::try_from(self.registers.len().checked_add(place)?).ok()?;
        (place < self.values).then_some(HEADER_BYTES + 8 * before)
    }

    pub fn register(&self, bytes: &[u8], register: Register) -> Option<u64> {
        word64(bytes, self.register_offset(register)?)
    }

    pub fn value(&self, bytes: &[u8], place: usize) -> Option<u64> {
        word64(bytes, self.value_offset(place)?)
    }

    pub fn capture<'a>(&self, bytes: &'a [u8], place: usize) -> Option<Captured<'a>> {
        let capture = self.captures.get(place)?;
        let length = word32(bytes, capture.offset)?;
        let state = word32(bytes, capture.offset + 4)?;
        if state != state::WHOLE && state != state::CUT {
            return Some(Captured::Failed);
        }
        let data = slice(bytes, capture.data(), length.min(capture.extent.bytes()))?;
        Some(match state {
            state::CUT => Captured::Cut(data),
            _ => Captured::Bytes(data),
        })
    }

    pub fn stack<'a>(&self, bytes: &'a [u8], length: u32) -> &'a [u8] {
        slice(bytes, self.stack_offset, length.min(self.stack_bytes)).unwrap_or(&[])
    }
}

pub(super) fn slice(bytes: &[u8], offset: u32, length: u32) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    bytes.get(start..end)
}

pub(super) fn word64(bytes: &[u8], offset: u32) -> Option<u64> {
    let bytes = slice(bytes, offset, 8)?;
    bytes.try_into().ok().map(u64::from_le_bytes)
}

pub(super) fn word32(bytes: &[u8], offset: u32) -> Option<u32> {
    let bytes = slice(bytes, offset, 4)?;
    bytes.try_into().ok().map(u32::from_le_bytes)
}
