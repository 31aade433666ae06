//! The trait that every address space implements, and its counters.

use std::ops::AddAssign;
use std::sync::Arc;

use crate::buffer::Page;
use crate::error::ReadError;
use crate::maps::{Mapping, Maps};

/// What became of one page of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageOutcome {
    /// The page's bytes are in the buffer.
    Bytes,
    /// The page holds only zeros; nothing was written to the buffer.
    Zero,
    /// The page cannot be read.
    Failed(ReadError),
}

/// A program's address space: a live process, a paused copy of one, or the contents of a core file.
///
/// Reading never changes the program. Nothing here is a promise about consistency: a live space may differ between two
/// reads, a copy does not.
pub trait AddressSpace: Send {
    /// The size of a page in bytes: a power of two.
    fn page_size(&self) -> u64;

    /// The mappings as they are known now. A live space may know more later.
    fn mappings(&self) -> Arc<Maps>;

    /// The mapping that holds `address`. A live space looks again before it says that there is none.
    fn mapping_at(&mut self, address: u64) -> Option<Mapping> {
        self.mappings().find(address).cloned()
    }

    /// Fills `buffer` with the bytes at `address`, all of them.
    ///
    /// # Errors
    /// The first address that cannot be read and why; the buffer's content is then unspecified.
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), ReadError>;

    /// Reads whole pages from `start` (a multiple of the page size, like the buffer's length), each for itself: one entry
    /// of `outcomes`, which is cleared first, for each page. The window lies in one mapping.
    ///
    /// # Errors
    /// Only what concerns the space as a whole (the process is gone, access is denied).
    fn read_window(
        &mut self,
        start: u64,
        buffer: &mut [u8],
        outcomes: &mut Vec<PageOutcome>,
    ) -> Result<(), ReadError>;

    /// The page at `start` where the space holds it as stable bytes anyway, as copies and core files do.
    ///
    /// # Errors
    /// The page is known to be unreadable.
    fn held_page(&mut self, start: u64) -> Result<Option<Page>, ReadError> {
        let _ = start;
        Ok(None)
    }

    /// Whether reading more than what was asked for is of use. It is not for a copy, where all that was not copied counts
    /// as missed.
    fn reads_ahead(&self) -> bool {
        true
    }

    /// What has been read so far, and what could not be.
    fn counters(&self) -> Counters;
}

/// What reading an address space has cost and what it has left out. Everything that makes a result partial is in here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes copied out of the target or its files.
    pub bytes_read: u64,
    /// Pages whose bytes were copied out of the target.
    pub pages_read: u64,
    /// Pages that were zeros without being read: absent anonymous memory and holes of shared memory.
    pub pages_zero: u64,
    /// Pages that the target had not mapped in and that were read from the file or shared memory behind them.
    pub pages_from_file: u64,
    /// System calls made to read.
    pub calls: u64,
    /// Reads that ended in an error, of whatever kind.
    pub faults: u64,
    /// Pages on swap that were not read.
    pub swapped_skipped: u64,
    /// Pages of shared memory or files that could be had only by charging them to the target, and were left out.
    pub not_resident: u64,
    /// Pages of a paused copy that were wanted but not copied, and so read from the running target: the result is then not
    /// of one instant.
    pub missed: u64,
    /// Pages that were wanted and that the core file does not hold, nor a file that was mapped there.
    pub not_dumped: u64,
}

impl Counters {
    /// Whether something was left out or is not as of the same instant.
    pub fn partial(&self) -> bool {
        self.swapped_skipped > 0 || self.not_resident > 0 || self.missed > 0 || self.not_dumped > 0
    }

    /// What has come since it was `before`.
    pub fn since(&self, before: &Counters) -> Counters {
        Counters {
            bytes_read: self.bytes_read.saturating_sub(before.bytes_read),
            pages_read: self.pages_read.saturating_sub(before.pages_read),
            pages_zero: self.pages_zero.saturating_sub(before.pages_zero),
            pages_from_file: self.pages_from_file.saturating_sub(before.pages_from_file),
            calls: self.calls.saturating_sub(before.calls),
            faults: self.faults.saturating_sub(before.faults),
            swapped_skipped: self.swapped_skipped.saturating_sub(before.swapped_skipped),
            not_resident: self.not_resident.saturating_sub(before.not_resident),
            missed: self.missed.saturating_sub(before.missed),
            not_dumped: self.not_dumped.saturating_sub(before.not_dumped),
        }
    }
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Counters) {
        self.bytes_read += other.bytes_read;
        self.pages_read += other.pages_read;
        self.pages_zero += other.pages_zero;
        self.pages_from_file += other.pages_from_file;
        self.calls += other.calls;
        self.faults += other.faults;
        self.swapped_skipped += other.swapped_skipped;
        self.not_resident += other.not_resident;
        self.missed += other.missed;
        self.not_dumped += other.not_dumped;
    }
}
