//! The seam to the target's memory.

use std::sync::Arc;

/// Bytes of one page of the target, kept alive and unchanged for as long as a clone exists.
///
/// Compiled code keeps pointers into the bytes, so an implementation never writes to a buffer
/// after it has handed out a page of it.
#[derive(Clone)]
pub struct Page {
    buffer: Arc<dyn AsRef<[u8]> + Send + Sync>,
    offset: usize,
    length: usize,
}

impl Page {
    /// A page that is `length` bytes of `buffer` from `offset`.
    ///
    /// Returns `None` if the range does not lie inside the buffer.
    pub fn new(
        buffer: Arc<dyn AsRef<[u8]> + Send + Sync>,
        offset: usize,
        length: usize,
    ) -> Option<Self> {
        let end = offset.checked_add(length)?;
        ((*buffer).as_ref().len() >= end).then_some(Self {
            buffer,
            offset,
            length,
        })
    }

    /// The bytes of the page.
    pub fn bytes(&self) -> &[u8] {
        (*self.buffer)
            .as_ref()
            .get(self.offset..self.offset + self.length)
            .unwrap_or_default()
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page")
            .field("offset", &self.offset)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Why an address of the target could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// No mapping, or one without read permission, covers the address.
    #[error("address {address:#x} is not mapped")]
    Unmapped {
        /// The first byte that could not be read.
        address: u64,
    },
    /// It was to be read when a probe was hit, and could not be: nothing is mapped there, or its page was not in memory.
    #[error(
        "address {address:#x} could not be read at the hit: nothing is mapped there, or it was not in memory then (--sync reads it)"
    )]
    NotAtHit {
        /// The first byte that could not be read.
        address: u64,
    },
    /// The page is swapped out and reading swapped pages was not asked for.
    #[error("address {address:#x} is swapped out")]
    Swapped {
        /// The first byte that could not be read.
        address: u64,
    },
    /// Something is mapped there, but it cannot be had without harm, or at all.
    #[error("address {address:#x} cannot be read: {reason}")]
    Unreadable {
        /// The first byte that could not be read.
        address: u64,
        /// Why, as a clause.
        reason: &'static str,
    },
    /// The process is gone.
    #[error("the target exited")]
    TargetGone,
    /// The cap on local copies of the target's memory is reached.
    #[error("the limit of {limit} bytes for copies of the target's memory is reached")]
    CacheFull {
        /// The cap in bytes.
        limit: u64,
    },
    /// The user has ended the reading.
    #[error("interrupted")]
    Interrupted,
}

impl MemoryError {
    /// Where it could not be read, if it is about a place.
    pub fn address(&self) -> Option<u64> {
        match self {
            MemoryError::Unmapped { address }
            | MemoryError::NotAtHit { address }
            | MemoryError::Swapped { address }
            | MemoryError::Unreadable { address, .. } => Some(*address),
            MemoryError::TargetGone | MemoryError::CacheFull { .. } | MemoryError::Interrupted => {
                None
            }
        }
    }

    /// The same reason at another address: a page's error seen from a byte within it.
    pub fn at(self, address: u64) -> Self {
        match self {
            MemoryError::Unmapped { .. } => MemoryError::Unmapped { address },
            MemoryError::NotAtHit { .. } => MemoryError::NotAtHit { address },
            MemoryError::Swapped { .. } => MemoryError::Swapped { address },
            MemoryError::Unreadable { reason, .. } => MemoryError::Unreadable { address, reason },
            MemoryError::TargetGone | MemoryError::CacheFull { .. } | MemoryError::Interrupted => {
                self
            }
        }
    }
}

/// "Give me the page at this address."
///
/// Tests give the handlers a `Vec<u8>`; the engine gives them a live process or a snapshot.
pub trait Memory {
    /// The size of a page in bytes, a power of two.
    fn page_size(&self) -> u64;

    /// Whether there are whole pages. Where there are none, all is read by [`Memory::read`] and [`Memory::leading`].
    fn is_paged(&self) -> bool {
        true
    }

    /// The page that starts at `address`, which is a multiple of the page size.
    fn page(&mut self, address: u64) -> Result<Page, MemoryError>;

    /// The same for the question whether it can be read: a page that cannot is then not one that is missing.
    fn ask(&mut self, address: u64) -> Result<Page, MemoryError> {
        self.page(address)
    }

    /// Fills `buffer` with the bytes at `address`, across pages.
    ///
    /// The error names the first byte that could not be read.
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), MemoryError> {
        let size = self.page_size().max(1);
        let mut done = 0;
        while done < buffer.len() {
            let at = address.wrapping_add(done as u64);
            let base = at & !(size - 1);
            let within = (at - base) as usize;
            let page = self.page(base).map_err(|error| error.at(at))?;
            let bytes = page
                .bytes()
                .get(within..)
                .filter(|bytes| !bytes.is_empty())
                .ok_or(MemoryError::Unmapped { address: at })?;
            let part = bytes.len().min(buffer.len() - done);
            buffer[done..done + part].copy_from_slice(&bytes[..part]);
            done += part;
        }
        Ok(())
    }

    /// Fills `buffer` with the bytes at `address` as far as they can be read, perhaps less where a page ends; gives how many those are,
    /// at least one unless the buffer is empty.
    ///
    /// The error is that of the first byte.
    fn leading(&mut self, address: u64, buffer: &mut [u8]) -> Result<usize, MemoryError> {
        let size = self.page_size().max(1);
        let left = size - (address & (size - 1));
        let count = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let part = buffer.get_mut(..count).unwrap_or_default();
        self.read(address, part)?;
        Ok(count)
    }
}
