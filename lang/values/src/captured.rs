//! Memory of the target that was captured before: some ranges of bytes and nothing between them.

use crate::memory::{Memory, MemoryError, Page};

/// A few ranges of the target's memory, as of one moment.
///
/// What was not captured cannot be read, and neither can what could not be read when it was to be captured. It is filled anew for
/// each moment, and keeps its buffers.
#[derive(Clone, Debug, Default)]
pub struct CapturedMemory {
    page_size: u64,
    ranges: Vec<Range>,
    bytes: Vec<u8>,
    /// Address and length of what could not be read.
    failed: Vec<(u64, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Range {
    address: u64,
    length: u64,
    /// Where its bytes begin.
    at: usize,
}

impl CapturedMemory {
    /// Nothing, of a target whose pages have this size.
    pub fn new(page_size: u64) -> Self {
        Self {
            page_size,
            ..Self::default()
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.ranges.clear();
        self.bytes.clear();
        self.failed.clear();
    }

    /// Adds bytes that were captured at an address.
    pub fn add(&mut self, address: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.ranges.push(Range {
            address,
            length: bytes.len() as u64,
            at: self.bytes.len(),
        });
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds a range that could not be read. Bytes of it that another capture has can be read.
    pub fn fail(&mut self, address: u64, length: u64) {
        if length > 0 {
            self.failed.push((address, length));
        }
    }

    /// The bytes from an address to the end of a range that has it, the longest there is.
    fn from(&self, address: u64) -> Option<&[u8]> {
        self.ranges
            .iter()
            .filter_map(|range| {
                let within = address.wrapping_sub(range.address);
                let length = range.length.checked_sub(within).filter(|left| *left > 0)?;
                let start = range.at.checked_add(usize::try_from(within).ok()?)?;
                let end = start.checked_add(usize::try_from(length).ok()?)?;
                self.bytes.get(start..end)
            })
            .max_by_key(|bytes| bytes.len())
    }

    #[cold]
    fn error(&self, address: u64) -> MemoryError {
        let failed = self
            .failed
            .iter()
            .any(|(start, length)| address.wrapping_sub(*start) < *length);
        if failed {
            MemoryError::NotAtHit { address }
        } else {
            MemoryError::Unreadable {
                address,
                reason: "it was not captured at the hit",
            }
        }
    }
}

/// What was captured at a hit, and behind it memory as of now, for functions that are `_late`.
///
/// What was to be captured and could not be read is not read later either.
pub struct LateMemory<'a> {
    /// As of the hit.
    pub captured: &'a mut CapturedMemory,
    /// As of now.
    pub now: &'a mut dyn Memory,
}

impl Memory for LateMemory<'_> {
    fn page_size(&self) -> u64 {
        self.captured.page_size()
    }

    fn is_paged(&self) -> bool {
        false
    }

    fn page(&mut self, address: u64) -> Result<Page, MemoryError> {
        self.captured.page(address)
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), MemoryError> {
        match self.captured.read(address, buffer) {
            Err(MemoryError::Unreadable { .. }) => self.now.read(address, buffer),
            done => done,
        }
    }

    fn leading(&mut self, address: u64, buffer: &mut [u8]) -> Result<usize, MemoryError> {
        match self.captured.leading(address, buffer) {
            Err(MemoryError::Unreadable { .. }) => self.now.leading(address, buffer),
            done => done,
        }
    }
}

impl Memory for CapturedMemory {
    fn page_size(&self) -> u64 {
        self.page_size
    }

    fn is_paged(&self) -> bool {
        false
    }

    fn page(&mut self, address: u64) -> Result<Page, MemoryError> {
        Err(self.error(address))
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), MemoryError> {
        let wanted = buffer.len() as u64;
        for range in &self.ranges {
            let within = address.wrapping_sub(range.address);
            if within < range.length && range.length - within >= wanted {
                let start = range.at + within as usize;
                if let Some(bytes) = self.bytes.get(start..start + buffer.len()) {
                    buffer.copy_from_slice(bytes);
                    return Ok(());
                }
            }
        }
        let mut done = 0;
        while let Some(left) = buffer.get_mut(done..).filter(|left| !left.is_empty()) {
            done += self.leading(address.wrapping_add(done as u64), left)?;
        }
        Ok(())
    }

    fn leading(&mut self, address: u64, buffer: &mut [u8]) -> Result<usize, MemoryError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let Some(bytes) = self.from(address) else {
            return Err(self.error(address));
        };
        let count = bytes.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), bytes.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}
