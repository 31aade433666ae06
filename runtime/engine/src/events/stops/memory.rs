//! Memory as of a stop: read afresh for each, while the thread that was hit stands still.

use std::collections::HashMap;
use std::sync::Arc;

use ytrace_target::{AddressSpace, Counters, LiveMemory, PageOutcome};
use ytrace_values::memory::MemoryError;
use ytrace_values::{Memory, Page};

use crate::memory::memory_error;
use crate::session::cache_options;

/// Pages of the target, each as it was when it was first wanted since the last stop.
pub(in crate::events) struct StopMemory {
    live: LiveMemory,
    page_size: u64,
    pages: HashMap<u64, Page>,
    zero: Page,
    /// How many pages may be held.
    most: usize,
}

impl StopMemory {
    /// Reads a process.
    pub(super) fn new(live: LiveMemory) -> Option<Self> {
        let page_size = live.page_size();
        let length = usize::try_from(page_size).ok()?;
        let most = cache_options().limit / page_size.max(1);
        Some(Self {
            zero: Page::new(Arc::new(vec![0; length]), 0, length)?,
            live,
            page_size,
            pages: HashMap::new(),
            most: usize::try_from(most).unwrap_or(usize::MAX),
        })
    }

    /// Forgets what was read: the process has run.
    pub(in crate::events) fn forget(&mut self) {
        self.pages.clear();
        self.live.expire_mappings();
    }

    /// What was read, and what could not be.
    pub(in crate::events) fn counters(&self) -> Counters {
        self.live.counters()
    }
}

impl Memory for StopMemory {
    fn page_size(&self) -> u64 {
        self.page_size
    }

    fn page(&mut self, address: u64) -> Result<Page, MemoryError> {
        if let Some(page) = self.pages.get(&address) {
            return Ok(page.clone());
        }
        if self.pages.len() >= self.most {
            let limit = (self.most as u64).saturating_mul(self.page_size);
            return Err(MemoryError::CacheFull { limit });
        }
        let length = self.zero.bytes().len();
        let mut bytes = vec![0; length];
        let page = match self.live.read_settled(address, &mut bytes) {
            Ok(PageOutcome::Bytes) => {
                Page::new(Arc::new(bytes), 0, length).ok_or(MemoryError::Unmapped { address })?
            }
            Ok(PageOutcome::Zero) => self.zero.clone(),
            Ok(PageOutcome::Failed(error)) | Err(error) => return Err(memory_error(error)),
        };
        self.pages.insert(address, page.clone());
        Ok(page)
    }
}
