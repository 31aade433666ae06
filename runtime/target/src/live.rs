//! The memory of a running process.
//!
//! Before anything is read, the page table is asked. Present pages are read many at a time (see `remote.rs`). Absent
//! pages are never touched through the process, for that would make the kernel provide them and charge them to it:
//! absent anonymous pages are zeros; those of a mapped file are read from the file; those of shared memory are read from
//! the object behind the mapping, opened through `/proc/PID/map_files`. Reading a shared memory object at an offset
//! allocates nothing, holes read as zeros (`shmem_file_read_iter`), and the page tables and counters of the target stay as
//! they are; tests hold both to it. Where the object cannot be opened the page is reported as not resident.

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::error::{OpenError, ReadError};
use crate::maps::{Mapping, MappingKind, Maps};
use crate::memory::{AddressSpace, Counters, PageOutcome};
use crate::presence::{PageState, Pagemap, PresenceRun, Sharing};
use crate::process::Process;
use crate::remote::Remote;
use crate::sys;

/// The most files that are kept open behind mappings.
const MAX_OPEN_FILES: usize = 256;
/// Looking for new mappings may take at most one part in this many of the time.
const REFRESH_SHARE: u32 = 20;

/// What a [`LiveMemory`] may do.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiveOptions {
    /// Read pages that are on swap; this brings them back into memory.
    pub read_swap: bool,
}

/// The memory of a running process, read without stopping or changing it.
#[derive(Debug)]
pub struct LiveMemory {
    process: Process,
    options: LiveOptions,
    page_size: u64,
    maps: Arc<Maps>,
    refreshed: Instant,
    refresh_cost: Duration,
    pagemap: Pagemap,
    remote: Remote,
    files: Backing,
    runs: Vec<PresenceRun>,
    counters: Counters,
    /// Whether the mappings may have changed since they were looked at, by what the reader knows.
    expired: bool,
}

/// Where a stretch of a window comes from.
#[derive(Clone, Copy, Debug)]
enum Source {
    Memory,
    Absent,
    Zero,
    Swapped,
    Unreadable,
}

/// What is told for each stretch that was dealt with: its bounds, and how it went.
type Report<'a> = &'a mut dyn FnMut(u64, u64, PageOutcome);

impl LiveMemory {
    /// Makes ready to read a process.
    ///
    /// # Errors
    /// It has gone, or may not be read; the cause is in the error.
    pub fn new(process: &Process, options: LiveOptions) -> Result<LiveMemory, OpenError> {
        process.check_access()?;
        let before = Instant::now();
        let maps = Arc::new(process.maps()?);
        let refreshed = Instant::now();
        let pagemap = Pagemap::open(process)?;
        Ok(LiveMemory {
            process: process.clone(),
            options,
            page_size: sys::page_size(),
            maps,
            refreshed,
            refresh_cost: refreshed.duration_since(before),
            remote: Remote::open(process, &pagemap)?,
            pagemap,
            files: Backing::default(),
            runs: Vec::new(),
            counters: Counters::default(),
            expired: false,
        })
    }

    /// Says that the process has run since, and stands still now: what is not in memory where it was mapped is looked up again
    /// before anything is said of it.
    pub fn expire_mappings(&mut self) {
        self.expired = true;
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Looks at the mappings again.
    ///
    /// # Errors
    /// The process has gone.
    pub fn refresh_mappings(&mut self) -> Result<(), OpenError> {
        let before = Instant::now();
        self.maps = Arc::new(self.process.maps()?);
        self.expired = false;
        self.refreshed = Instant::now();
        self.refresh_cost = self.refreshed.duration_since(before);
        // The files are known by the mapping that they were opened through.
        self.files.clear();
        Ok(())
    }

    /// Which pages of a range are present, zero, on swap or guards; absent ones are in no run.
    ///
    /// # Errors
    /// The process has gone.
    pub fn presence(&mut self, start: u64, end: u64) -> Result<Vec<PresenceRun>, ReadError> {
        let mut runs = Vec::new();
        let start = start / self.page_size * self.page_size;
        self.pagemap
            .query(start..end, &mut runs, None)
            .map_err(|errno| self.failure(start, errno))?;
        Ok(runs)
    }

    /// Reads one page, of a process that stands still since [`LiveMemory::expire_mappings`]: what mappings of before have led to is
    /// believed of pages in memory alone.
    ///
    /// # Errors
    /// The process has gone, or may not be read.
    pub fn read_settled(&mut self, start: u64, page: &mut [u8]) -> Result<PageOutcome, ReadError> {
        let mut outcomes = Vec::new();
        let failed = PageOutcome::Failed(ReadError::Unmapped { address: start });
        let before = self.counters;
        self.read_window(start, page, &mut outcomes)?;
        let outcome = outcomes.first().copied().unwrap_or(failed);
        let from_memory = outcome == PageOutcome::Bytes
            && self.counters.pages_from_file == before.pages_from_file;
        if from_memory || !self.expired {
            return Ok(outcome);
        }
        self.counters = before;
        self.refresh_mappings().map_err(|_| ReadError::Exited)?;
        self.read_window(start, page, &mut outcomes)?;
        Ok(outcomes.first().copied().unwrap_or(failed))
    }

    fn failure(&self, address: u64, errno: Errno) -> ReadError {
        match errno {
            Errno::ESRCH => ReadError::Exited,
            Errno::EFAULT => ReadError::NotReadable { address },
            errno => ReadError::Denied { address, errno },
        }
    }

    /// Deals with the bytes from `start` on, which lie in `mapping`, and tells how each stretch went. Stretches are told in
    /// order; those that fail are whole pages, cut at the ends of the range.
    fn transfer(
        &mut self,
        mapping: &Mapping,
        start: u64,
        buffer: &mut [u8],
        report: Report<'_>,
    ) -> Result<(), ReadError> {
        let end = start + buffer.len() as u64;
        if mapping.kind == MappingKind::Kernel || !mapping.permissions.read {
            report(
                start,
                end,
                PageOutcome::Failed(ReadError::NotReadable { address: start }),
            );
            return Ok(());
        }
        let mut runs = std::mem::take(&mut self.runs);
        runs.clear();
        let page = self.page_size;
        let asked = if mapping.kind == MappingKind::Vdso {
            // The kernel's own pages: always there, and charged to nobody.
            runs.push(PresenceRun {
                start: mapping.start,
                end: mapping.end,
                state: PageState::Present,
            });
            Ok(())
        } else {
            self.counters.calls += 1;
            self.pagemap.query(
                start / page * page..end.next_multiple_of(page),
                &mut runs,
                None,
            )
        };
        let mut result = asked.map_err(|errno| self.failure(start, errno));
        let mut position = start;
        let mut next = runs.iter().peekable();
        while result.is_ok() && position < end {
            let (stop, source) = match next.peek() {
                Some(run) if run.end <= position => {
                    next.next();
                    continue;
                }
                Some(run) if run.start <= position => (run.end, self.source_of(run.state)),
                Some(run) => (run.start, Source::Absent),
                None => (end, Source::Absent),
            };
            let stop = stop.min(end);
            let part = buffer
                .get_mut((position - start) as usize..(stop - start) as usize)
                .unwrap_or(&mut []);
            result = self.stretch(mapping, source, position, part, report);
            position = stop;
        }
        self.runs = runs;
        result
    }

    fn source_of(&self, state: PageState) -> Source {
        match state {
            PageState::Present => Source::Memory,
            PageState::Zero => Source::Zero,
            PageState::Swapped if self.options.read_swap => Source::Memory,
            PageState::Swapped => Source::Swapped,
            PageState::Guard => Source::Unreadable,
        }
    }

    fn stretch(
        &mut self,
        mapping: &Mapping,
        source: Source,
        start: u64,
        part: &mut [u8],
        report: Report<'_>,
    ) -> Result<(), ReadError> {
        let end = start + part.len() as u64;
        let pages = part.len().div_ceil(self.page_size as usize) as u64;
        match source {
            Source::Memory => return self.read_present(start, part, report),
            Source::Unreadable => report(
                start,
                end,
                PageOutcome::Failed(ReadError::NotReadable { address: start }),
            ),
            Source::Swapped => {
                self.counters.swapped_skipped += pages;
                report(
                    start,
                    end,
                    PageOutcome::Failed(ReadError::Swapped { address: start }),
                );
            }
            Source::Absent if mapping.inode != 0 || mapping.kind == MappingKind::SharedMemory => {
                return self.read_behind(mapping, start, part, report);
            }
            Source::Absent if !mapping.is_anonymous() => {
                self.counters.not_resident += pages;
                report(
                    start,
                    end,
                    PageOutcome::Failed(ReadError::NotResident { address: start }),
                );
            }
            Source::Zero | Source::Absent => {
                self.counters.pages_zero += pages;
                report(start, end, PageOutcome::Zero);
            }
        }
        Ok(())
    }

    fn read_present(
        &mut self,
        start: u64,
        part: &mut [u8],
        report: Report<'_>,
    ) -> Result<(), ReadError> {
        let end = start + part.len() as u64;
        let page = self.page_size;
        let mut position = start;
        while position < end {
            let rest = part
                .get_mut((position - start) as usize..)
                .unwrap_or(&mut []);
            self.counters.calls += 1;
            let wanted = position..position + rest.len() as u64;
            // It runs: whether a page is shared is asked right before it is read.
            let unknown = Sharing::default();
            let wanted = std::iter::once(wanted);
            let got = match self.remote.read(&self.maps, &unknown, wanted, rest) {
                Ok(got) => got as u64,
                Err(Errno::EFAULT) => 0,
                Err(errno) => return Err(self.failure(position, errno)),
            };
            if got > 0 {
                self.counters.bytes_read += got;
                self.counters.pages_read += got.div_ceil(page);
                report(position, position + got, PageOutcome::Bytes);
                position += got;
            }
            if position < end {
                // The page that stopped the call: gone since it was seen, or not ordinary memory.
                let stop = ((position / page + 1) * page).min(end);
                report(
                    position,
                    stop,
                    PageOutcome::Failed(ReadError::NotReadable { address: position }),
                );
                position = stop;
            }
        }
        if self.process.exited() {
            Err(ReadError::Exited)
        } else {
            Ok(())
        }
    }

    /// Reads whole pages of a mapping from the file behind it, whatever the process has made of them since.
    pub(crate) fn read_file_window(
        &mut self,
        mapping: &Mapping,
        start: u64,
        part: &mut [u8],
        outcomes: &mut Vec<PageOutcome>,
    ) -> Result<(), ReadError> {
        let page = self.page_size;
        outcomes.resize(
            part.len() / page as usize,
            PageOutcome::Failed(ReadError::Unmapped { address: start }),
        );
        self.read_behind(mapping, start, part, &mut |from, to, outcome| {
            note(outcomes, start, page, from..to, outcome)
        })
    }

    fn read_behind(
        &mut self,
        mapping: &Mapping,
        start: u64,
        part: &mut [u8],
        report: Report<'_>,
    ) -> Result<(), ReadError> {
        let end = start + part.len() as u64;
        let pages = part.len().div_ceil(self.page_size as usize) as u64;
        let Some(file) = self.files.open(&self.process, mapping) else {
            self.counters.not_resident += pages;
            report(
                start,
                end,
                PageOutcome::Failed(ReadError::NotResident { address: start }),
            );
            return Ok(());
        };
        let read = read_file_pages(file, mapping, start, part, self.page_size, report);
        self.counters.calls += read.calls;
        self.counters.bytes_read += read.bytes;
        self.counters.pages_from_file += read.bytes.div_ceil(self.page_size);
        self.counters.pages_zero += read.zero_pages;
        Ok(())
    }
}

/// What [`read_file_pages`] did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FileRead {
    pub(crate) calls: u64,
    pub(crate) bytes: u64,
    pub(crate) zero_pages: u64,
}

/// Reads the bytes of a mapping from the file behind it, holes apart, and tells how each stretch went.
pub(crate) fn read_file_pages(
    file: &File,
    mapping: &Mapping,
    start: u64,
    part: &mut [u8],
    page: u64,
    report: Report<'_>,
) -> FileRead {
    let mut done = FileRead::default();
    let end = start + part.len() as u64;
    let offset_of = |address: u64| {
        mapping
            .offset
            .saturating_add(address.saturating_sub(mapping.start))
    };
    let address_of = |offset: u64| {
        mapping
            .start
            .saturating_add(offset.saturating_sub(mapping.offset))
    };
    let size = match sys::stat_file(file.as_fd()) {
        Ok(status) => u64::try_from(status.st_size).unwrap_or(0),
        Err(errno) => {
            report(
                start,
                end,
                PageOutcome::Failed(ReadError::File {
                    address: start,
                    errno,
                }),
            );
            return done;
        }
    };
    // The rest of the page that holds the end of the file is zeros; what comes after it cannot be read.
    let limit = address_of(size.next_multiple_of(page)).clamp(start, end);
    let mut position = start;
    while position < limit {
        done.calls += 1;
        let data = match sys::next_data(file.as_fd(), offset_of(position)) {
            Ok(Some(offset)) => address_of(offset).clamp(position, limit) / page * page,
            Ok(None) => limit,
            // A file system without holes.
            Err(_) => position,
        };
        if data > position {
            done.zero_pages += (data - position).div_ceil(page);
            report(position, data, PageOutcome::Zero);
            position = data;
            continue;
        }
        let stop = match sys::next_hole(file.as_fd(), offset_of(position)) {
            Ok(Some(offset)) => address_of(offset).next_multiple_of(page).min(limit),
            _ => limit,
        };
        let stop = if stop > position { stop } else { limit };
        done.calls += 2;
        let target = part
            .get_mut((position - start) as usize..(stop - start) as usize)
            .unwrap_or(&mut []);
        match sys::read_at(file.as_fd(), target, offset_of(position)) {
            Ok(got) => {
                target.iter_mut().skip(got).for_each(|byte| *byte = 0);
                done.bytes += stop - position;
                report(position, stop, PageOutcome::Bytes);
            }
            Err(errno) => report(
                position,
                stop,
                PageOutcome::Failed(ReadError::File {
                    address: position,
                    errno,
                }),
            ),
        }
        position = stop;
    }
    if limit < end {
        report(
            limit,
            end,
            PageOutcome::Failed(ReadError::PastEnd { address: limit }),
        );
    }
    done
}

/// The files behind mappings, opened once.
#[derive(Debug, Default)]
pub(crate) struct Backing {
    files: HashMap<u64, Option<File>>,
}

impl Backing {
    /// The file behind a mapping, if it can be opened.
    pub(crate) fn open(&mut self, process: &Process, mapping: &Mapping) -> Option<&File> {
        if self.files.len() >= MAX_OPEN_FILES && !self.files.contains_key(&mapping.start) {
            self.files.clear();
        }
        self.files
            .entry(mapping.start)
            .or_insert_with(|| process.open_mapping(mapping).ok().map(|opened| opened.file))
            .as_ref()
    }

    fn clear(&mut self) {
        self.files.clear();
    }
}

impl AddressSpace for LiveMemory {
    fn page_size(&self) -> u64 {
        self.page_size
    }

    fn mappings(&self) -> Arc<Maps> {
        Arc::clone(&self.maps)
    }

    fn mapping_at(&mut self, address: u64) -> Option<Mapping> {
        if let Some(mapping) = self.maps.find(address) {
            return Some(mapping.clone());
        }
        let rest = self.refresh_cost.saturating_mul(REFRESH_SHARE);
        let recent = self.refreshed.elapsed() < rest && !self.expired;
        if recent || self.refresh_mappings().is_err() {
            return None;
        }
        self.maps.find(address).cloned()
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut done = 0usize;
        while done < buffer.len() {
            let here = address
                .checked_add(done as u64)
                .ok_or(ReadError::Unmapped { address })?;
            let Some(mapping) = self.mapping_at(here) else {
                self.counters.faults += 1;
                return Err(if self.process.exited() {
                    ReadError::Exited
                } else {
                    ReadError::Unmapped { address: here }
                });
            };
            let length = (mapping.end - here).min((buffer.len() - done) as u64) as usize;
            let part = buffer.get_mut(done..done + length).unwrap_or(&mut []);
            let mut failed = None;
            let mut zeros: Vec<(u64, u64)> = Vec::new();
            self.transfer(
                &mapping,
                here,
                part,
                &mut |start, end, outcome| match outcome {
                    PageOutcome::Bytes => {}
                    PageOutcome::Zero => zeros.push((start, end)),
                    PageOutcome::Failed(error) => {
                        failed.get_or_insert(error);
                    }
                },
            )?;
            if let Some(error) = failed {
                self.counters.faults += 1;
                return Err(error);
            }
            for (start, end) in zeros {
                if let Some(zero) = part.get_mut((start - here) as usize..(end - here) as usize) {
                    zero.fill(0);
                }
            }
            done += length;
        }
        Ok(())
    }

    fn read_window(
        &mut self,
        start: u64,
        buffer: &mut [u8],
        outcomes: &mut Vec<PageOutcome>,
    ) -> Result<(), ReadError> {
        outcomes.clear();
        let page = self.page_size;
        let Some(mapping) = self.mapping_at(start) else {
            let exited = self.process.exited();
            let pages = buffer.len() as u64 / page;
            outcomes.extend((0..pages).map(|index| {
                PageOutcome::Failed(ReadError::Unmapped {
                    address: start + index * page,
                })
            }));
            return if exited {
                Err(ReadError::Exited)
            } else {
                Ok(())
            };
        };
        let inside = (mapping.end.saturating_sub(start)).min(buffer.len() as u64) as usize;
        let pages = buffer.len() / page as usize;
        let part = buffer.get_mut(..inside).unwrap_or(&mut []);
        // A stretch that ends within a page (the process exited, or the page went away) leaves that page to the failure
        // that follows.
        outcomes.resize(
            pages,
            PageOutcome::Failed(ReadError::Unmapped { address: start }),
        );
        self.transfer(&mapping, start, part, &mut |from, to, outcome| {
            note(outcomes, start, page, from..to, outcome)
        })
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

/// Records how a stretch of a window went, for each of its pages.
fn note(
    outcomes: &mut [PageOutcome],
    start: u64,
    page: u64,
    stretch: Range<u64>,
    outcome: PageOutcome,
) {
    for index in (stretch.start - start) / page..(stretch.end - start).div_ceil(page) {
        let outcome = match outcome {
            PageOutcome::Failed(error) => {
                PageOutcome::Failed(at_address(error, start + index * page))
            }
            other => other,
        };
        if let Some(slot) = outcomes.get_mut(index as usize) {
            *slot = outcome;
        }
    }
}

/// The same error, of another page of the same stretch.
pub(crate) fn at_address(error: ReadError, address: u64) -> ReadError {
    match error {
        ReadError::Unmapped { .. } => ReadError::Unmapped { address },
        ReadError::NotReadable { .. } => ReadError::NotReadable { address },
        ReadError::PastEnd { .. } => ReadError::PastEnd { address },
        ReadError::Swapped { .. } => ReadError::Swapped { address },
        ReadError::NotResident { .. } => ReadError::NotResident { address },
        ReadError::File { errno, .. } => ReadError::File { address, errno },
        other => other,
    }
}
