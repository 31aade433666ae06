//! The ring buffer between the kernel's programs and this one, read in place (Documentation/bpf/ringbuf.rst).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::errno::Errno;

use super::kernel::{self, MapType};
use crate::sys;

/// Set in the length of a record that is not complete yet.
const BUSY: u32 = 1 << 31;
/// Set in the length of a record that is to be passed over.
const DISCARDED: u32 = 1 << 30;
/// Bytes before those of a record.
const RECORD_HEADER: u64 = 8;

/// The most bytes that are fetched before they are read.
const MOST_AHEAD: u64 = 2 << 10;
/// Bytes that come at once.
#[cfg(target_arch = "x86_64")]
const CACHE_LINE: usize = 64;

/// Memory of a map, mapped into this process.
#[derive(Debug)]
pub(super) struct MappedMap {
    start: *mut u8,
    bytes: usize,
}

// SAFETY: the memory stays mapped for as long as the value lives, and is accessed by atomic operations or as bytes that
// nobody writes at that time.
unsafe impl Send for MappedMap {}

impl MappedMap {
    /// Maps so many bytes of a map from an offset on.
    pub fn new(
        map: BorrowedFd<'_>,
        bytes: usize,
        offset: usize,
        writable: bool,
    ) -> Result<MappedMap, Errno> {
        let protection = match writable {
            true => libc::PROT_READ | libc::PROT_WRITE,
            false => libc::PROT_READ,
        };
        let offset = libc::off_t::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
        // SAFETY: the kernel chooses the address, so no memory in use is touched.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                protection,
                libc::MAP_SHARED,
                map.as_raw_fd(),
                offset,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        Ok(MappedMap {
            start: start.cast(),
            bytes,
        })
    }

    /// A word of eight bytes at an offset; `None` if it is outside or not aligned.
    pub fn word(&self, offset: usize) -> Option<&AtomicU64> {
        let end = offset.checked_add(8)?;
        if end > self.bytes || !offset.is_multiple_of(8) {
            return None;
        }
        // SAFETY: the word is within the mapping, which begins at a page and lives as long as the reference; it is accessed by
        // atomic operations alone, here and in the kernel.
        Some(unsafe { &*self.start.add(offset).cast::<AtomicU64>() })
    }

    /// A word of four bytes at an offset.
    fn half(&self, offset: usize) -> Option<&AtomicU32> {
        let end = offset.checked_add(4)?;
        if end > self.bytes || !offset.is_multiple_of(4) {
            return None;
        }
        // SAFETY: as for `word`.
        Some(unsafe { &*self.start.add(offset).cast::<AtomicU32>() })
    }

    /// Has the processor fetch some bytes, which others may be writing. Only saves time.
    fn fetch(&self, offset: usize, length: usize) {
        #[cfg(target_arch = "x86_64")]
        for line in (0..length).step_by(CACHE_LINE) {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let address = self.start.wrapping_add(offset).wrapping_add(line);
            // SAFETY: nothing but the processor's cache changes, whatever is at the address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (offset, length);
    }

    /// Some bytes, which nothing may write while the reference lives.
    pub fn bytes(&self, offset: usize, length: usize) -> Option<&[u8]> {
        let end = offset.checked_add(length)?;
        if end > self.bytes {
            return None;
        }
        // SAFETY: the bytes are within the mapping. They are those of a complete record, which the kernel does not write again
        // before the reader's position has passed it, and that is moved only after the reference is gone (`Ring::drain`, and
        // `copy` and `advance` of `sampled/ring.rs`).
        Some(unsafe { std::slice::from_raw_parts(self.start.add(offset), length) })
    }
}

impl Drop for MappedMap {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this size, and nothing refers to it any more.
        unsafe { libc::munmap(self.start.cast(), self.bytes) };
    }
}

/// The reading end of a ring buffer.
#[derive(Debug)]
pub(super) struct Ring {
    map: OwnedFd,
    /// The page with our position.
    consumer: MappedMap,
    /// The page with the kernel's position, and the records, twice in a row, so that none is split by the end.
    producer: MappedMap,
    page: usize,
    bytes: u64,
    position: u64,
}

impl Ring {
    /// A ring of so many bytes, a power of two and a multiple of the page size.
    pub fn new(bytes: u32) -> Result<Ring, Errno> {
        let map = kernel::create_map(MapType::RingBuffer, 0, 0, bytes, 0, "ytrace_ring")?;
        let page = usize::try_from(sys::page_size()).map_err(|_| Errno::EOVERFLOW)?;
        let whole = usize::try_from(bytes)
            .ok()
            .and_then(|bytes| bytes.checked_mul(2)?.checked_add(page))
            .ok_or(Errno::EOVERFLOW)?;
        let consumer = MappedMap::new(map.as_fd(), page, 0, true)?;
        let producer = MappedMap::new(map.as_fd(), whole, page, false)?;
        Ok(Ring {
            map,
            consumer,
            producer,
            page,
            bytes: u64::from(bytes),
            position: 0,
        })
    }

    pub fn descriptor(&self) -> i32 {
        self.map.as_raw_fd()
    }

    /// How many bytes of records wait.
    pub fn waiting(&self) -> u64 {
        self.produced().wrapping_sub(self.position)
    }

    /// The bytes of all records since the beginning.
    pub fn sent(&self) -> u64 {
        self.produced()
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.bytes
    }

    fn produced(&self) -> u64 {
        let word = self.producer.word(0);
        word.map_or(0, |word| word.load(Ordering::Acquire))
    }

    /// Gives all complete records to `each`, which says whether to go on. Their room is given back after that, at the latest
    /// when a part of the ring has been read.
    pub fn drain(&mut self, mut each: impl FnMut(&[u8]) -> bool) {
        let produced = self.produced();
        let mut given_back = self.position;
        while self.position < produced {
            // Records become complete in any order, but are read in that of their places.
            let Some((whole, record)) = self.record_at(self.position) else {
                break;
            };
            if self.position.saturating_add(whole) < produced {
                self.fetch_ahead(self.position.saturating_add(whole), whole);
            }
            let go_on = record.is_none_or(&mut each);
            self.position = self.position.saturating_add(whole);
            if self.position - given_back > self.bytes / 16 {
                self.give_back();
                given_back = self.position;
            }
            if !go_on {
                break;
            }
        }
        if given_back != self.position {
            self.give_back();
        }
    }

    /// Whether one of the complete records that wait is such a one. They stay.
    pub fn any(&self, mut is_wanted: impl FnMut(&[u8]) -> bool) -> bool {
        let (mut position, produced) = (self.position, self.produced());
        while position < produced {
            let Some((length, record)) = self.record_at(position) else {
                return false;
            };
            if record.is_some_and(&mut is_wanted) {
                return true;
            }
            position = position.saturating_add(length);
        }
        false
    }

    /// The record at a position, unless it was discarded, and the room that it takes; `None` if it is not complete.
    fn record_at(&self, position: u64) -> Option<(u64, Option<&[u8]>)> {
        let place = usize::try_from(position & (self.bytes - 1)).ok()?;
        let place = self.page.saturating_add(place);
        let length = self.producer.half(place)?.load(Ordering::Acquire);
        let bytes = u64::from(length & !(BUSY | DISCARDED));
        if length & BUSY != 0 || bytes > self.bytes {
            return None;
        }
        let data = place.saturating_add(RECORD_HEADER as usize);
        let record = match length & DISCARDED {
            0 => self.producer.bytes(data, usize::try_from(bytes).ok()?),
            _ => None,
        };
        Some(((bytes + RECORD_HEADER).next_multiple_of(8), record))
    }

    /// Has the processor fetch what is at a position, about so many bytes: records come from another processor's cache or from memory, and
    /// whoever unwinds a stack asks for one word after the other, each of which would have to be waited for.
    fn fetch_ahead(&self, position: u64, bytes: u64) {
        let bytes = bytes.min(MOST_AHEAD) as usize;
        if let Ok(place) = usize::try_from(position & (self.bytes - 1)) {
            self.producer.fetch(self.page.saturating_add(place), bytes);
        }
    }

    fn give_back(&self) {
        if let Some(word) = self.consumer.word(0) {
            word.store(self.position, Ordering::Release);
        }
    }
}
