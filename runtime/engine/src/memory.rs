//! The language's `Memory` on the target's address spaces.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ytrace_target::{AddressSpace, Counters, PageCache, ReadError};
use ytrace_values::memory::MemoryError;
use ytrace_values::{Memory, Page};

/// Memory that tells what was read of it.
pub(crate) trait CountedMemory: Memory {
    /// What was read, and what could not be.
    fn counters(&self) -> Counters;
}

impl<S: AddressSpace> CountedMemory for TargetMemory<S> {
    fn counters(&self) -> Counters {
        self.cache.counters()
    }
}

/// Pages of an address space for a program.
pub(crate) struct TargetMemory<S> {
    cache: PageCache<S>,
    page_size: u64,
}

impl<S: AddressSpace> TargetMemory<S> {
    /// Puts the language's face on a cache.
    pub(crate) fn new(cache: PageCache<S>) -> Self {
        let page_size = cache.space().page_size();
        Self { cache, page_size }
    }

    /// What was read, and what could not be.
    pub(crate) fn counters(&self) -> Counters {
        self.cache.counters()
    }

    /// The cache behind.
    pub(crate) fn cache(&self) -> &PageCache<S> {
        &self.cache
    }

    /// Gives up the bytes that were read.
    pub(crate) fn forget(&mut self) {
        self.cache.forget();
    }

    /// The address space behind the cache.
    pub(crate) fn space(&self) -> &S {
        self.cache.space()
    }

    /// The same to be changed.
    pub(crate) fn space_mut(&mut self) -> &mut S {
        self.cache.space_mut()
    }
}

/// Memory whose reading an interrupt ends: what copies much of it at once looks at nothing else meanwhile.
pub(crate) struct Interruptible<'m> {
    pub(crate) memory: &'m mut dyn Memory,
    pub(crate) interrupt: &'m AtomicBool,
}

impl Interruptible<'_> {
    fn check(&self) -> Result<(), MemoryError> {
        match self.interrupt.load(Ordering::Relaxed) {
            true => Err(MemoryError::Interrupted),
            false => Ok(()),
        }
    }
}

impl Memory for Interruptible<'_> {
    fn page_size(&self) -> u64 {
        self.memory.page_size()
    }

    fn is_paged(&self) -> bool {
        self.memory.is_paged()
    }

    fn page(&mut self, address: u64) -> Result<Page, MemoryError> {
        self.check()?;
        self.memory.page(address)
    }

    fn ask(&mut self, address: u64) -> Result<Page, MemoryError> {
        self.check()?;
        self.memory.ask(address)
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), MemoryError> {
        self.check()?;
        self.memory.read(address, buffer)
    }

    fn leading(&mut self, address: u64, buffer: &mut [u8]) -> Result<usize, MemoryError> {
        self.check()?;
        self.memory.leading(address, buffer)
    }
}

/// What is left of the memory of a process that has gone: nothing. Handlers that only show what was gathered run on it.
pub(crate) struct GoneMemory {
    /// The size of a page, in bytes.
    pub(crate) page_size: u64,
}

impl Memory for GoneMemory {
    fn page_size(&self) -> u64 {
        self.page_size
    }

    fn page(&mut self, _address: u64) -> Result<Page, MemoryError> {
        Err(MemoryError::TargetGone)
    }

    fn read(&mut self, _address: u64, _buffer: &mut [u8]) -> Result<(), MemoryError> {
        Err(MemoryError::TargetGone)
    }
}

/// A page of the target as the buffer of a page of the language.
struct Held(ytrace_target::Page);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        self.0.bytes()
    }
}

impl<S: AddressSpace> Memory for TargetMemory<S> {
    fn page_size(&self) -> u64 {
        self.page_size
    }

    fn page(&mut self, address: u64) -> Result<Page, MemoryError> {
        held(address, self.cache.page(address))
    }

    fn ask(&mut self, address: u64) -> Result<Page, MemoryError> {
        held(address, self.cache.ask(address))
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), MemoryError> {
        self.cache.read(address, buffer).map_err(|error| {
            let error = memory_error(error);
            // The cache names the page; the first byte that was asked for may lie behind its start.
            let first = error.address().map_or(address, |page| page.max(address));
            error.at(first)
        })
    }
}

/// A page of the target as one of the language.
fn held(address: u64, page: Result<ytrace_target::Page, ReadError>) -> Result<Page, MemoryError> {
    let page = page.map_err(memory_error)?;
    let length = page.bytes().len();
    Page::new(Arc::new(Held(page)), 0, length).ok_or(MemoryError::Unmapped { address })
}

/// An error of the target as one of the language.
pub(crate) fn memory_error(error: ReadError) -> MemoryError {
    match error {
        ReadError::Unmapped { address } => MemoryError::Unmapped { address },
        ReadError::Swapped { address } => MemoryError::Swapped { address },
        ReadError::NotReadable { address } => unreadable(address, "it may not be read"),
        ReadError::PastEnd { address } => {
            unreadable(address, "it is past the end of the mapped file")
        }
        ReadError::NotResident { address } => unreadable(
            address,
            "it is not resident, and reading it would charge it to the target",
        ),
        ReadError::NotDumped { address } => unreadable(address, "it is not in the core file"),
        ReadError::Denied { address, .. } => unreadable(address, "access was refused"),
        ReadError::File { address, .. } => unreadable(address, "the file behind it cannot be read"),
        ReadError::NoMemory { .. } => MemoryError::CacheFull { limit: 0 },
        ReadError::Exited => MemoryError::TargetGone,
        ReadError::Limit { limit } => MemoryError::CacheFull { limit },
    }
}

fn unreadable(address: u64, reason: &'static str) -> MemoryError {
    MemoryError::Unreadable { address, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_ends_reading() {
        let interrupt = AtomicBool::new(false);
        let mut memory = Interruptible {
            memory: &mut GoneMemory { page_size: 1 << 12 },
            interrupt: &interrupt,
        };
        assert_eq!(memory.ask(0).unwrap_err(), MemoryError::TargetGone);
        interrupt.store(true, Ordering::Relaxed);
        let mut byte = [0];
        assert_eq!(memory.page(0).unwrap_err(), MemoryError::Interrupted);
        assert_eq!(memory.ask(0).unwrap_err(), MemoryError::Interrupted);
        assert_eq!(memory.read(0, &mut byte), Err(MemoryError::Interrupted));
        assert_eq!(memory.leading(0, &mut byte), Err(MemoryError::Interrupted));
    }
}
