//! The copy that a pause has left.

use std::ops::Range;
use std::sync::Arc;

use super::layout::{Layout, SharedFiles};
use super::worker::Finished;
use crate::buffer::Page;
use crate::error::ReadError;
use crate::live::{LiveMemory, at_address};
use crate::maps::{MappingKind, Maps};
use crate::memory::{AddressSpace, Counters, PageOutcome};
use crate::presence::{PageState, PresenceRun};
use crate::process::Process;
use crate::registers::ThreadSnapshot;
use crate::stop::PauseReport;

/// Memory, mappings and registers of a process as of one instant.
///
/// A page that was not copied is read from the running process, and counted as missed: the result is then partial. This
/// does not concern pages of read-only files, which do not change.
#[derive(Debug)]
pub struct PausedCopy {
    live: LiveMemory,
    page_size: u64,
    maps: Arc<Maps>,
    /// Copied stretches, ascending.
    copied: Vec<Copied>,
    /// The ranges that were looked at in the pause.
    covered: Vec<Range<u64>>,
    /// Swapped and guard pages in them, ascending.
    special: Vec<PresenceRun>,
    /// Pages in them that could not be read, ascending.
    failed: Vec<Range<u64>>,
    /// Pages in them that were left out for want of time or room, ascending.
    left: Vec<Range<u64>>,
    shared: SharedFiles,
    zero: Page,
    threads: Vec<ThreadSnapshot>,
    report: PauseReport,
    counters: Counters,
}

#[derive(Debug)]
struct Copied {
    start: u64,
    end: u64,
    bytes: Page,
}

/// What a [`PausedCopy`] is made of.
pub(crate) struct Parts {
    pub(crate) layout: Layout,
    pub(crate) finished: Vec<Finished>,
    pub(crate) left: Vec<Range<u64>>,
    pub(crate) wanted: Vec<Range<u64>>,
    pub(crate) shared: SharedFiles,
    pub(crate) maps: Arc<Maps>,
    pub(crate) threads: Vec<ThreadSnapshot>,
    pub(crate) report: PauseReport,
}

/// How a page outside of the copied stretches is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Copied,
    Zero,
    Swapped,
    Unreadable,
    Unmapped,
    /// From the file behind the mapping, as it was: exact.
    Constant,
    /// From the running process: not of the same instant.
    Missed,
}

impl PausedCopy {
    pub(crate) fn new(live: LiveMemory, parts: Parts) -> Result<PausedCopy, ReadError> {
        let page_size = live.page_size();
        let mut counters = Counters::default();
        let mut copied = Vec::new();
        let mut failed = Vec::new();
        for task in parts.finished {
            counters.calls += task.calls;
            let mut offset = 0usize;
            for piece in task.pieces {
                let length = (piece.end - piece.start) as usize;
                if let Some(bytes) = task.bytes.slice(offset..offset + length) {
                    copied.push(Copied {
                        start: piece.start,
                        end: piece.end,
                        bytes,
                    });
                    counters.bytes_read += length as u64;
                    let pages = length as u64 / page_size;
                    if task.from_file {
                        counters.pages_from_file += pages
                    } else {
                        counters.pages_read += pages
                    }
                }
                offset += length;
            }
            failed.extend(task.failed);
        }
        copied.sort_by_key(|stretch| stretch.start);
        failed.sort_by_key(|range: &Range<u64>| range.start);
        let mut left = parts.left;
        left.sort_by_key(|range| range.start);
        let zero =
            Page::zeros(page_size as usize).map_err(|errno| ReadError::NoMemory { errno })?;
        Ok(PausedCopy {
            live,
            page_size,
            maps: parts.maps,
            copied,
            covered: parts.wanted,
            special: parts.layout.special,
            failed,
            left,
            shared: parts.shared,
            zero,
            threads: parts.threads,
            report: parts.report,
            counters,
        })
    }

    /// How the pause went.
    pub fn report(&self) -> &PauseReport {
        &self.report
    }

    /// The threads and their registers at the stop.
    pub fn threads(&self) -> &[ThreadSnapshot] {
        &self.threads
    }

    /// The wanted ranges that were not copied because the pause was over or the buffer full, ascending.
    pub fn not_copied(&self) -> &[Range<u64>] {
        &self.left
    }

    /// Bytes that were copied.
    pub fn copied_bytes(&self) -> u64 {
        self.copied
            .iter()
            .map(|stretch| stretch.end - stretch.start)
            .sum()
    }

    /// How the pages of private memory stood at the stop: the ranges that were looked at, and the runs in them, both ascending. Pages in no run
    /// were absent.
    pub fn presence(&self) -> (Vec<Range<u64>>, Vec<PresenceRun>) {
        let private = self.maps.as_slice().iter();
        let private: Vec<Range<u64>> = private
            .filter(|mapping| !mapping.permissions.shared)
            .map(|mapping| mapping.range())
            .collect();
        let covered = common(&self.covered, &private);
        let present = |range: &Range<u64>| PresenceRun {
            start: range.start,
            end: range.end,
            state: PageState::Present,
        };
        let copied = self.copied.iter().map(|stretch| stretch.start..stretch.end);
        let mut runs: Vec<PresenceRun> = copied.map(|range| present(&range)).collect();
        runs.extend(self.failed.iter().chain(&self.left).map(present));
        runs.extend(&self.special);
        runs.sort_by_key(|run| run.start);
        runs.dedup_by(|next, last| {
            let joined = last.end == next.start && last.state == next.state;
            if joined {
                last.end = next.end;
            }
            joined
        });
        (covered, runs)
    }

    /// The process, which runs on.
    pub fn process(&self) -> &Process {
        self.live.process()
    }

    fn stretch(&self, address: u64) -> Option<&Copied> {
        let index = self
            .copied
            .partition_point(|stretch| stretch.end <= address);
        self.copied
            .get(index)
            .filter(|stretch| stretch.start <= address)
    }

    fn classify(&self, start: u64) -> Class {
        if contains(&self.failed, start) {
            return Class::Unreadable;
        }
        if self.stretch(start).is_some() {
            return Class::Copied;
        }
        let Some(mapping) = self.maps.find(start) else {
            return Class::Unmapped;
        };
        if !contains(&self.covered, start) {
            return if mapping.is_constant() {
                Class::Constant
            } else {
                Class::Missed
            };
        }
        if contains(&self.left, start) {
            return Class::Missed;
        }
        let index = self.special.partition_point(|run| run.end <= start);
        if let Some(run) = self.special.get(index).filter(|run| run.start <= start) {
            return if run.state == PageState::Swapped {
                Class::Swapped
            } else {
                Class::Unreadable
            };
        }
        if !mapping.permissions.read {
            return Class::Unreadable;
        }
        // Absent at the stop: zeros, a hole of shared memory, or what a privately mapped file holds.
        if mapping.is_anonymous() {
            Class::Zero
        } else if mapping.permissions.shared {
            // What the object held has been copied if it could be opened.
            if self
                .shared
                .get(mapping.start)
                .is_some_and(|(known, _)| known == mapping)
            {
                Class::Zero
            } else {
                Class::Missed
            }
        } else {
            Class::Constant
        }
    }

    /// Deals with pages of one class that lie side by side.
    fn fill(
        &mut self,
        class: Class,
        start: u64,
        part: &mut [u8],
        outcomes: &mut Vec<PageOutcome>,
    ) -> Result<(), ReadError> {
        let page = self.page_size;
        let pages = part.len() as u64 / page;
        let fail = |error: ReadError, outcomes: &mut Vec<PageOutcome>| {
            outcomes.extend(
                (0..pages)
                    .map(|index| PageOutcome::Failed(at_address(error, start + index * page))),
            );
        };
        let address = start;
        match class {
            Class::Copied => {
                for (index, target) in part.chunks_exact_mut(page as usize).enumerate() {
                    let here = start + index as u64 * page;
                    let bytes = self.copied_page(here);
                    match bytes {
                        Some(bytes) if bytes.bytes().len() == target.len() => {
                            target.copy_from_slice(bytes.bytes());
                            outcomes.push(PageOutcome::Bytes);
                        }
                        _ => outcomes.push(PageOutcome::Failed(ReadError::NotReadable {
                            address: here,
                        })),
                    }
                }
            }
            Class::Zero => {
                self.counters.pages_zero += pages;
                outcomes.extend((0..pages).map(|_| PageOutcome::Zero));
            }
            Class::Swapped => {
                self.counters.swapped_skipped += pages;
                fail(ReadError::Swapped { address }, outcomes);
            }
            Class::Unreadable => fail(ReadError::NotReadable { address }, outcomes),
            Class::Unmapped => fail(ReadError::Unmapped { address }, outcomes),
            Class::Constant => {
                let mapping = self.maps.find(start).cloned();
                let mut results = Vec::new();
                let before = self.live.counters();
                let read = match mapping {
                    // A page that was absent at the stop may be written by now: its file is what it was.
                    Some(mapping)
                        if mapping.kind == MappingKind::File && contains(&self.covered, start) =>
                    {
                        self.live
                            .read_file_window(&mapping, start, part, &mut results)
                    }
                    _ => self.live.read_window(start, part, &mut results),
                };
                self.note_live(before);
                outcomes.append(&mut results);
                return read;
            }
            Class::Missed => {
                let mut results = Vec::new();
                let before = self.live.counters();
                let read = self.live.read_window(start, part, &mut results);
                self.note_live(before);
                // What cannot be read, such as the guard page of a stack, was left out for that and not for want of time.
                let unreadable = results.iter().filter(|outcome| {
                    matches!(outcome, PageOutcome::Failed(ReadError::NotReadable { .. }))
                });
                self.counters.missed += pages - pages.min(unreadable.count() as u64);
                outcomes.append(&mut results);
                return read;
            }
        }
        Ok(())
    }

    /// Adds what the live memory has counted since `before`.
    fn note_live(&mut self, before: Counters) {
        let now = self.live.counters();
        self.counters += Counters {
            bytes_read: now.bytes_read - before.bytes_read,
            pages_read: now.pages_read - before.pages_read,
            pages_zero: now.pages_zero - before.pages_zero,
            pages_from_file: now.pages_from_file - before.pages_from_file,
            calls: now.calls - before.calls,
            faults: now.faults - before.faults,
            swapped_skipped: now.swapped_skipped - before.swapped_skipped,
            not_resident: now.not_resident - before.not_resident,
            ..Counters::default()
        };
    }

    fn copied_page(&self, start: u64) -> Option<Page> {
        let stretch = self.stretch(start)?;
        let offset = (start - stretch.start) as usize;
        stretch
            .bytes
            .slice(offset..offset + self.page_size as usize)
    }
}

/// What lies in a range of both, each of which is ascending and disjoint.
fn common(some: &[Range<u64>], others: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut found = Vec::new();
    for range in some {
        let first = others.partition_point(|other| other.end <= range.start);
        let others = others.iter().skip(first);
        for other in others.take_while(|other| other.start < range.end) {
            found.push(range.start.max(other.start)..range.end.min(other.end));
        }
    }
    found
}

/// Whether one of the ascending, disjoint ranges holds `address`.
fn contains(ranges: &[Range<u64>], address: u64) -> bool {
    let index = ranges.partition_point(|range| range.end <= address);
    ranges
        .get(index)
        .is_some_and(|range| range.start <= address)
}

impl AddressSpace for PausedCopy {
    fn page_size(&self) -> u64 {
        self.page_size
    }

    fn mappings(&self) -> Arc<Maps> {
        Arc::clone(&self.maps)
    }

    fn reads_ahead(&self) -> bool {
        // Only what is wanted may count as missed.
        false
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let page = self.page_size;
        let mut done = 0usize;
        let mut window = Vec::new();
        let mut outcomes = Vec::new();
        while done < buffer.len() {
            let here = address
                .checked_add(done as u64)
                .ok_or(ReadError::Unmapped { address })?;
            let start = here / page * page;
            let rest = buffer.get_mut(done..).unwrap_or(&mut []);
            if let Some(held) = self.held_page(start)? {
                done += copy_from(held.bytes(), (here - start) as usize, rest);
                continue;
            }
            window.resize(page as usize, 0);
            self.read_window(start, &mut window, &mut outcomes)?;
            match outcomes.first() {
                Some(PageOutcome::Bytes) => {}
                Some(PageOutcome::Zero) => window.fill(0),
                Some(PageOutcome::Failed(error)) => {
                    self.counters.faults += 1;
                    return Err(at_address(*error, here));
                }
                None => return Err(ReadError::Unmapped { address: here }),
            }
            done += copy_from(&window, (here - start) as usize, rest);
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
        let mut rest = buffer;
        let mut position = start;
        while rest.len() as u64 >= page {
            let class = self.classify(position);
            let mut length = page;
            while length + page <= rest.len() as u64 && self.classify(position + length) == class {
                length += page;
            }
            let Some((part, after)) = rest.split_at_mut_checked(length as usize) else {
                break;
            };
            self.fill(class, position, part, outcomes)?;
            rest = after;
            position += length;
        }
        Ok(())
    }

    fn held_page(&mut self, start: u64) -> Result<Option<Page>, ReadError> {
        if contains(&self.failed, start) {
            self.counters.faults += 1;
            return Err(ReadError::NotReadable { address: start });
        }
        if let Some(page) = self.copied_page(start) {
            return Ok(Some(page));
        }
        if contains(&self.covered, start) && self.classify(start) == Class::Zero {
            self.counters.pages_zero += 1;
            return Ok(Some(self.zero.clone()));
        }
        Ok(None)
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}

/// Copies from `offset` of a page as much as fits; returns how much.
fn copy_from(page: &[u8], offset: usize, target: &mut [u8]) -> usize {
    let source = page.get(offset..).unwrap_or(&[]);
    let length = source.len().min(target.len());
    for (to, from) in target.iter_mut().zip(source) {
        *to = *from;
    }
    length
}
