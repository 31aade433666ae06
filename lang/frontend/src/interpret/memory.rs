//! Loads from the target, through a small cache of pages.

use ytrace_values::memory::MemoryError;
use ytrace_values::{Fault, Memory, Page};

/// How many pages are kept at hand.
const ENTRIES: usize = 256;

/// A direct-mapped cache of pages of the target, for one run.
#[derive(Debug, Default)]
pub(super) struct Pages {
    entries: Vec<Option<(u64, Page)>>,
    /// Whether any entry is filled.
    used: bool,
    /// Whether the memory has pages.
    paged: bool,
    size: u64,
}

impl Pages {
    /// Forgets all pages: a target may have gone on between two runs.
    pub(super) fn reset(&mut self, memory: &dyn Memory) {
        if self.used || self.entries.is_empty() {
            self.entries.clear();
            self.entries.resize(ENTRIES, None);
            self.used = false;
        }
        self.paged = memory.is_paged();
        self.size = memory.page_size().max(1);
    }

    /// Loads `N` bytes.
    pub(super) fn load<const N: usize>(
        &mut self,
        memory: &mut dyn Memory,
        address: u64,
    ) -> Result<[u8; N], Fault> {
        let base = address & !(self.size - 1);
        let within = (address - base) as usize;
        let mut bytes = [0; N];
        if !self.paged || within + N > self.size as usize {
            memory.read(address, &mut bytes).map_err(Fault::memory)?;
            return Ok(bytes);
        }
        let slot = (base / self.size) as usize % ENTRIES;
        let Some(entry) = self.entries.get_mut(slot) else {
            memory.read(address, &mut bytes).map_err(Fault::memory)?;
            return Ok(bytes);
        };
        if !matches!(entry, Some((cached, _)) if *cached == base) {
            let page = memory.page(base).map_err(|error| {
                // The fault is about the address that was asked for, not about its page.
                Fault::memory(match error {
                    MemoryError::Unmapped { .. } => MemoryError::Unmapped { address },
                    MemoryError::Swapped { .. } => MemoryError::Swapped { address },
                    other => other,
                })
            })?;
            *entry = Some((base, page));
            self.used = true;
        }
        let found = entry
            .as_ref()
            .and_then(|(_, page)| page.bytes().get(within..within + N));
        match found {
            Some(found) => bytes.copy_from_slice(found),
            // A page shorter than its size ends its mapping.
            None => return Err(Fault::memory(MemoryError::Unmapped { address })),
        }
        Ok(bytes)
    }
}
