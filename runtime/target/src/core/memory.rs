//! The memory that a core file holds, and what of the rest the mapped files still tell.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::sync::Arc;

use nix::errno::Errno;

use super::CoreFile;
use crate::error::ReadError;
use crate::maps::{Mapping, MappingKind, Maps};
use crate::memory::{AddressSpace, Counters, PageOutcome};
use crate::sys;

/// The most mapped files that are held open.
const MAX_FILES: usize = 256;

/// The memory of a process that has left a core file.
///
/// Memory that was not dumped is read from the file that was mapped there, if that is still the same: the kernel leaves out pages of
/// a file that the process has not written. All else that was not dumped, or is no longer in a core file that was cut short, is
/// unreadable ([`ReadError::NotDumped`]), never zeros.
#[derive(Debug)]
pub struct CoreMemory {
    core: CoreFile,
    /// Files that are known to be those that were mapped, by their numbers in the mappings; `None` for others.
    files: HashMap<u64, Option<Arc<MappedFile>>>,
    counters: Counters,
}

/// A file that is known to be the one that was mapped.
#[derive(Debug)]
struct MappedFile {
    file: File,
    length: u64,
}

impl MappedFile {
    /// Fills a buffer as a mapping of the file shows it: zeros follow its last byte to the end of the page.
    fn read(&self, offset: u64, buffer: &mut [u8], page_size: u64) -> Result<usize, Errno> {
        let got = sys::read_at(self.file.as_fd(), buffer, offset)?;
        let Some(rest) = buffer.get_mut(got..) else {
            return Ok(got);
        };
        let padded = self.length.checked_next_multiple_of(page_size).unwrap_or(0);
        let zeros = padded.saturating_sub(offset.saturating_add(got as u64));
        let zeros = usize::try_from(zeros).unwrap_or(usize::MAX).min(rest.len());
        if let Some(zeros) = rest.get_mut(..zeros) {
            zeros.fill(0);
        }
        Ok(got + zeros)
    }
}

impl CoreMemory {
    pub(super) fn new(core: CoreFile) -> CoreMemory {
        CoreMemory {
            core,
            files: HashMap::new(),
            counters: Counters::default(),
        }
    }

    fn file(&mut self, mapping: &Mapping) -> Option<Arc<MappedFile>> {
        if let Some(known) = self.files.get(&mapping.inode) {
            return known.clone();
        }
        if self.files.len() >= MAX_FILES {
            self.files.clear();
        }
        let file = self.core.open_mapping(mapping).ok().and_then(|opened| {
            let length = opened.file.metadata().ok()?.len();
            Some(Arc::new(MappedFile {
                file: opened.file,
                length,
            }))
        });
        self.files.insert(mapping.inode, file.clone());
        file
    }

    /// Fills a buffer from one segment, if that holds all of it: at once.
    fn fill_dumped(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        let dumped = self.core.dumped_at(address);
        let Some((offset, _)) = dumped.filter(|(_, length)| *length >= buffer.len() as u64) else {
            return false;
        };
        let got = sys::read_at(self.core.inner.file.as_fd(), buffer, offset);
        let whole = got == Ok(buffer.len());
        if whole {
            self.counters.calls += 1;
            self.counters.bytes_read += buffer.len() as u64;
        }
        whole
    }

    /// Fills a buffer; tells whether a file had to help.
    fn fill(&mut self, address: u64, buffer: &mut [u8]) -> Result<bool, ReadError> {
        let mut from_file = false;
        let mut done = 0usize;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = address
                .checked_add(done as u64)
                .ok_or(ReadError::Unmapped { address })?;
            let whole = rest.len();
            let piece = |length: u64| usize::try_from(length).unwrap_or(usize::MAX).min(whole);
            let (got, wanted) = if let Some((offset, length)) = self.core.dumped_at(at) {
                let piece = rest.get_mut(..piece(length)).unwrap_or_default();
                let file = self.core.inner.file.as_fd();
                let got = sys::read_at(file, piece, offset)
                    .map_err(|errno| ReadError::File { address: at, errno })?;
                (got, piece.len())
            } else {
                let maps = self.core.maps();
                let mapping = maps.find(at).ok_or(ReadError::Unmapped { address: at })?;
                let file = (mapping.kind == MappingKind::File && !self.core.lost_at(at))
                    .then(|| self.file(mapping))
                    .flatten()
                    .ok_or(ReadError::NotDumped { address: at })?;
                from_file = true;
                let until = self.next_dumped(at).min(mapping.end);
                let piece = rest.get_mut(..piece(until - at)).unwrap_or_default();
                let offset = mapping.offset.saturating_add(at - mapping.start);
                let got = file
                    .read(offset, piece, self.core.inner.page_size)
                    .map_err(|errno| ReadError::File { address: at, errno })?;
                (got, piece.len())
            };
            if got == 0 || got < wanted {
                let address = at.saturating_add(got as u64);
                return Err(ReadError::PastEnd { address });
            }
            done += got;
            self.counters.calls += 1;
            self.counters.bytes_read += got as u64;
        }
        Ok(from_file)
    }

    /// The first address after `address` at which another segment begins.
    fn next_dumped(&self, address: u64) -> u64 {
        let segments = &self.core.inner.content.segments;
        let index = segments.partition_point(|segment| segment.start <= address);
        segments
            .get(index)
            .map_or(u64::MAX, |segment| segment.start)
    }
}

impl AddressSpace for CoreMemory {
    fn page_size(&self) -> u64 {
        self.core.inner.page_size
    }

    fn mappings(&self) -> Arc<Maps> {
        self.core.maps()
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let done = self.fill(address, buffer);
        self.counters.faults += u64::from(done.is_err());
        done.map(|_| ())
    }

    fn read_window(
        &mut self,
        start: u64,
        buffer: &mut [u8],
        outcomes: &mut Vec<PageOutcome>,
    ) -> Result<(), ReadError> {
        outcomes.clear();
        let page_size = self.page_size();
        let size =
            usize::try_from(page_size).map_err(|_| ReadError::Unmapped { address: start })?;
        if self.fill_dumped(start, buffer) {
            let pages = buffer.len() / size.max(1);
            self.counters.pages_read += pages as u64;
            outcomes.resize(pages, PageOutcome::Bytes);
            return Ok(());
        }
        let mut at = start;
        for page in buffer.chunks_exact_mut(size) {
            outcomes.push(match self.fill(at, page) {
                Ok(from_file) => {
                    self.counters.pages_read += 1;
                    self.counters.pages_from_file += u64::from(from_file);
                    PageOutcome::Bytes
                }
                Err(error) => {
                    self.counters.faults += 1;
                    PageOutcome::Failed(error)
                }
            });
            at = at.saturating_add(page_size);
        }
        Ok(())
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}
