//! The cache of the target's pages that compiled code looks up inline.
//!
//! An entry holds a tag and an addend. A load of `size` bytes at `address` hits when
//! `address & (!(granule - 1) | (size - 1))` equals the tag of the entry that the address selects;
//! the bytes are then at `address + addend`. The low bits make every unaligned load miss, so that a
//! hit never crosses a page. The tag of an empty entry is all ones, which no masked address is, for
//! a granule has at least [`LEAST_GRANULE`] bytes and a scalar at most eight.
//!
//! [`PageHandles`] keeps the pages alive that entries point into: a page's bytes stay where they
//! are and unchanged for as long as a handle exists (the contract of [`ytrace_values::Page`]).

use ytrace_values::{Fault, Machine, Page};

/// The least granule in bytes.
pub const LEAST_GRANULE: u64 = 64;

/// The tag of an empty entry.
pub const EMPTY_TAG: u64 = u64::MAX;

/// One entry of the cache.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheEntry {
    /// The address of the granule in the target, or [`EMPTY_TAG`].
    pub tag: u64,
    /// What is added (wrapping) to an address of the target to get the one of its copy.
    pub addend: u64,
}

impl CacheEntry {
    /// An entry that no load hits.
    pub const EMPTY: CacheEntry = CacheEntry {
        tag: EMPTY_TAG,
        addend: 0,
    };
}

/// How the cache is laid out; a program is compiled for one geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes that an entry covers, a power of two; pages of the target have a multiple of it.
    pub granule: u64,
    /// Number of entries, a power of two.
    pub entries: u64,
}

impl Geometry {
    /// The entry that an address selects.
    pub fn index(self, address: u64) -> usize {
        ((address / self.granule) & (self.entries - 1)) as usize
    }
}

/// The pages behind the filled entries of a cache.
#[derive(Debug)]
pub struct PageHandles {
    geometry: Geometry,
    pages: Vec<Option<Page>>,
    filled: Vec<u32>,
}

impl PageHandles {
    /// No pages.
    pub fn new(geometry: Geometry) -> Self {
        Self {
            geometry,
            pages: vec![None; geometry.entries as usize],
            filled: Vec::new(),
        }
    }

    /// The geometry of the cache.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Forgets all pages and empties the entries that point into them.
    pub fn flush(&mut self, entries: &mut [CacheEntry]) {
        for index in self.filled.drain(..) {
            if let Some(entry) = entries.get_mut(index as usize) {
                *entry = CacheEntry::EMPTY;
            }
            if let Some(page) = self.pages.get_mut(index as usize) {
                *page = None;
            }
        }
    }

    /// Gets the granule of `address` from the target and returns its entry, or `None` if its page
    /// cannot be had whole. The caller must put the entry at [`Geometry::index`] of the address:
    /// the page that was kept for that index before is dropped.
    pub fn fill(&mut self, machine: &mut Machine<'_>, address: u64) -> Option<CacheEntry> {
        let page_size = machine.memory.page_size();
        if !page_size.is_power_of_two() || page_size < self.geometry.granule {
            return None;
        }
        let start = address & !(page_size - 1);
        let page = machine.memory.page(start).ok()?;
        let granule = address & !(self.geometry.granule - 1);
        let within = usize::try_from(granule - start).ok()?;
        let length = usize::try_from(self.geometry.granule).ok()?;
        let bytes = page.bytes().get(within..)?.get(..length)?;
        let entry = CacheEntry {
            tag: granule,
            addend: (bytes.as_ptr() as u64).wrapping_sub(granule),
        };
        let index = self.geometry.index(address);
        let kept = self.pages.get_mut(index)?;
        if kept.replace(page).is_none() {
            self.filled.push(index as u32);
        }
        Some(entry)
    }
}

/// Reads a scalar of `size` bytes (at most eight), zero-extended, without the cache.
pub fn read_scalar(machine: &mut Machine<'_>, address: u64, size: usize) -> Result<u64, Fault> {
    let mut bytes = [0; 8];
    let part = bytes.get_mut(..size).ok_or_else(|| {
        Fault::new(ytrace_values::FaultKind::Internal).with_message("a scalar of too many bytes")
    })?;
    machine.memory.read(address, part).map_err(Fault::memory)?;
    Ok(u64::from_le_bytes(bytes))
}
