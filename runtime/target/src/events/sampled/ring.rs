//! The ring of a thread: what the kernel writes of its events, in the order in which the thread came to them.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;

use nix::errno::Errno;

use super::super::ring::MappedMap;
use super::records::{HEADER_BYTES, Header, MIN_RECORD};
use crate::sys;

/// Places in `struct perf_event_mmap_page` of `linux/perf_event.h`: how far the kernel has written, and how far we have read.
const HEAD: usize = 1024;
const TAIL: usize = 1032;

/// The reading end of a ring.
#[derive(Debug)]
pub(super) struct Ring {
    memory: MappedMap,
    /// Where the records begin in the memory.
    first: usize,
    bytes: u64,
    /// How far the kernel had written when it was looked.
    head: u64,
    /// How far has been read, and how far it has been looked for threads that began.
    tail: u64,
    scanned: u64,
}

impl Ring {
    /// A ring for what an event tells, of so many bytes, or of less where the kernel refuses that ("perf_event_mlock_kb"), but no less than
    /// `least`. Both are powers of two and no less than a page.
    ///
    /// # Errors
    /// The kernel refuses even the least.
    pub fn new(event: &OwnedFd, wanted: u64, least: u64) -> Result<Ring, Errno> {
        let page = sys::page_size();
        let mut bytes = wanted.max(least);
        loop {
            let whole = usize::try_from(bytes + page).map_err(|_| Errno::EOVERFLOW)?;
            match MappedMap::new(event.as_fd(), whole, 0, true) {
                Ok(memory) => {
                    return Ok(Ring {
                        memory,
                        first: usize::try_from(page).map_err(|_| Errno::EOVERFLOW)?,
                        bytes,
                        head: 0,
                        tail: 0,
                        scanned: 0,
                    });
                }
                Err(Errno::EPERM | Errno::ENOMEM) if bytes > least => bytes /= 2,
                Err(errno) => return Err(errno),
            }
        }
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.bytes
    }

    /// The bytes of all records since the beginning.
    pub fn written(&self) -> u64 {
        let word = self.memory.word(HEAD);
        word.map_or(0, |word| word.load(Ordering::Acquire))
    }

    /// How many bytes of records have not been read.
    pub fn waiting(&self) -> u64 {
        self.written().wrapping_sub(self.tail)
    }

    /// How far has been read.
    pub fn position(&self) -> u64 {
        self.tail
    }

    /// Looks how far the kernel has written. Only that far is read.
    pub fn look(&mut self) {
        self.head = self.written();
    }

    /// A word of the records.
    fn word(&self, position: u64) -> u64 {
        // Records are of whole words, and so is the ring: none is split by its end.
        let place = usize::try_from(position & (self.bytes - 1)).unwrap_or(0);
        let word = self.memory.word(self.first.saturating_add(place));
        word.map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// The header of the record at a position before `head`, and its length; `None` where there is none, or no sense in it.
    fn header(&self, position: u64, head: u64) -> Option<(Header, u64)> {
        let left = head.wrapping_sub(position);
        if left < HEADER_BYTES {
            return None;
        }
        let header = Header(self.word(position));
        let length = header.length();
        let fits = length >= MIN_RECORD && length <= left && length.is_multiple_of(8);
        fits.then_some((header, length))
    }

    /// The time of the next record.
    pub fn next_time(&self) -> Option<u64> {
        let (header, length) = self.header(self.tail, self.head)?;
        let place = match u64::try_from(header.time_place()) {
            Ok(distance) => self.tail.wrapping_add(distance),
            Err(_) => {
                (self.tail.wrapping_add(length)).wrapping_sub(header.time_place().unsigned_abs())
            }
        };
        Some(self.word(place))
    }

    /// Whether something is there that is no record: the rest cannot be read then.
    pub fn is_broken(&self) -> bool {
        self.head != self.tail && self.header(self.tail, self.head).is_none()
    }

    /// Passes over all that is there.
    pub fn skip_all(&mut self) {
        self.tail = self.head;
        self.give_back();
    }

    /// Copies the next record, and passes over it; false if there is none.
    pub fn take(&mut self, record: &mut Vec<u8>) -> bool {
        let Some((_, length)) = self.header(self.tail, self.head) else {
            return false;
        };
        record.clear();
        let start = self.tail & (self.bytes - 1);
        let before_end = length.min(self.bytes - start);
        for (start, length) in [(start, before_end), (0, length - before_end)] {
            let place = self.first.saturating_add(start as usize);
            let bytes = self.memory.bytes(place, length as usize);
            record.extend_from_slice(bytes.unwrap_or_default());
        }
        self.tail = self.tail.wrapping_add(length);
        self.give_back();
        record.len() as u64 == length
    }

    fn give_back(&self) {
        if let Some(word) = self.memory.word(TAIL) {
            word.store(self.tail, Ordering::Release);
        }
    }

    /// Gives the header of each record that has come since the last time, and the words after it, to `each`.
    pub fn scan(&mut self, mut each: impl FnMut(Header, u64, u64)) {
        let mut position = match self.scanned.wrapping_sub(self.tail) <= self.bytes {
            true => self.scanned,
            false => self.tail,
        };
        while let Some((header, length)) = self.header(position, self.head) {
            let word = |distance| self.word(position.wrapping_add(distance));
            each(header, word(8), word(16));
            position = position.wrapping_add(length);
        }
        self.scanned = position;
    }

    /// Whether one of the records that wait is such a one, by its header and the words after that. They stay.
    pub fn any(&self, mut is_wanted: impl FnMut(Header, u64, u64) -> bool) -> bool {
        let (mut position, head) = (self.tail, self.written());
        while let Some((header, length)) = self.header(position, head) {
            let word = |distance| self.word(position.wrapping_add(distance));
            if is_wanted(header, word(8), word(16)) {
                return true;
            }
            position = position.wrapping_add(length);
        }
        false
    }
}
