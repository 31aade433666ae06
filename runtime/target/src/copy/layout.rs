//! Which pages of the wanted ranges are to be copied, and from where.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::os::fd::AsFd;
use std::time::Instant;

use nix::errno::Errno;

use super::worker::{Origin, Task};
use crate::buffer::Region;
use crate::error::ReadError;
use crate::maps::{Mapping, MappingKind, Maps};
use crate::presence::{PageState, Pagemap, PresenceRun, Sharing};
use crate::process::Process;
use crate::sys;

/// Bytes of one task: the deadline is looked at between two.
const TASK_BYTES: u64 = 1 << 20;
/// Bytes of address space of one question to the page table: the deadline is looked at between two. Where the table must be
/// read entry by entry, this is about a millisecond.
const QUERY_BYTES: u64 = 256 << 20;

/// The open files behind shared mappings, by the mapping's start.
#[derive(Debug, Default)]
pub(crate) struct SharedFiles {
    files: BTreeMap<u64, (Mapping, File)>,
}

impl SharedFiles {
    /// Opens the files behind the shared mappings in the wanted ranges. Pages that the process has not mapped in are read
    /// from them: a forked worker has few pages of a shared zone in its own page table.
    pub(crate) fn open(process: &Process, maps: &Maps, wanted: &[Range<u64>]) -> SharedFiles {
        let mut files = BTreeMap::new();
        for range in wanted {
            for mapping in maps.overlapping(range.clone()) {
                if mapping.permissions.shared
                    && mapping.permissions.read
                    && matches!(mapping.kind, MappingKind::SharedMemory | MappingKind::File)
                    && let Ok(opened) = process.open_mapping(mapping)
                {
                    files.insert(mapping.start, (mapping.clone(), opened.file));
                }
            }
        }
        SharedFiles { files }
    }

    pub(crate) fn get(&self, start: u64) -> Option<&(Mapping, File)> {
        self.files.get(&start)
    }
}

/// Pages in a row that come from the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) origin: Origin,
}

/// What is to be copied of the wanted ranges, and what is known of the rest.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) segments: Vec<Segment>,
    /// Pages on swap, and guard pages.
    pub(crate) special: Vec<PresenceRun>,
    /// Which pages others share, as far as that was told with what is present.
    pub(crate) sharing: Sharing,
    /// What was not looked at because the time was over, ascending.
    pub(crate) left: Vec<Range<u64>>,
    /// Bytes of all segments.
    pub(crate) bytes: u64,
}

impl Layout {
    /// Asks the page table about the wanted ranges, and about the holes of the objects behind shared memory, until
    /// `deadline`. Either can be long: a shared zone of a gibibyte may have a hole after every page.
    pub(crate) fn make(
        pagemap: &mut Pagemap,
        maps: &Maps,
        wanted: &[Range<u64>],
        shared: &SharedFiles,
        read_swap: bool,
        page: u64,
        deadline: Option<Instant>,
    ) -> Result<Layout, ReadError> {
        let mut layout = Layout::default();
        let mut runs = Vec::new();
        for (index, range) in wanted.iter().enumerate() {
            for mapping in maps.overlapping(range.clone()) {
                if !mapping.permissions.read || mapping.kind == MappingKind::Kernel {
                    continue;
                }
                let part = range.start.max(mapping.start)..range.end.min(mapping.end);
                let mut extents = shared
                    .get(mapping.start)
                    .filter(|(known, _)| known == mapping)
                    .map(|(_, file)| Extents::new(mapping, file, page));
                let mut from = part.start;
                while from < part.end {
                    let query = from..from.saturating_add(QUERY_BYTES).min(part.end);
                    let stopped = if is_over(deadline) {
                        Some(from)
                    } else {
                        runs.clear();
                        pagemap
                            .query(query.clone(), &mut runs, Some(&mut layout.sharing))
                            .map_err(|errno| match errno {
                                Errno::ESRCH => ReadError::Exited,
                                errno => ReadError::Denied {
                                    address: from,
                                    errno,
                                },
                            })?;
                        layout
                            .add(&runs, query.clone(), extents.as_mut(), read_swap, deadline)
                            .err()
                    };
                    if let Some(position) = stopped {
                        layout.left.push(position..range.end);
                        layout.left.extend(wanted.iter().skip(index + 1).cloned());
                        return Ok(layout);
                    }
                    from = query.end;
                }
            }
        }
        Ok(layout)
    }

    /// Adds what the page table says of a part of a mapping. The error is the address up to which that was done when the
    /// time was over.
    fn add(
        &mut self,
        runs: &[PresenceRun],
        part: Range<u64>,
        mut extents: Option<&mut Extents<'_>>,
        read_swap: bool,
        deadline: Option<Instant>,
    ) -> Result<(), u64> {
        let mut position = part.start;
        for run in runs {
            let (start, end) = (run.start.max(part.start), run.end.min(part.end));
            if start >= end {
                continue;
            }
            if let Some(extents) = &mut extents {
                self.absent(extents, position..start, deadline)?;
            }
            position = end;
            match run.state {
                PageState::Present => self.push(start, end, Origin::Memory),
                PageState::Swapped if read_swap => self.push(start, end, Origin::Memory),
                PageState::Swapped | PageState::Guard => {
                    self.special.push(PresenceRun {
                        start,
                        end,
                        state: run.state,
                    });
                }
                PageState::Zero => {}
            }
        }
        match extents {
            Some(extents) => self.absent(extents, position..part.end, deadline),
            None => Ok(()),
        }
    }

    fn push(&mut self, start: u64, end: u64, origin: Origin) {
        self.bytes += end - start;
        match self.segments.last_mut() {
            Some(last) if last.end == start && last.origin == origin => last.end = end,
            _ => self.segments.push(Segment { start, end, origin }),
        }
    }

    /// Adds the parts of an absent stretch of shared memory that the object holds all the same. The error is the address up
    /// to which that was done when the time was over.
    fn absent(
        &mut self,
        extents: &mut Extents<'_>,
        range: Range<u64>,
        deadline: Option<Instant>,
    ) -> Result<(), u64> {
        let end = range.end.min(extents.limit);
        let mut position = range.start;
        while position < end {
            if !extents.known.contains(&position) {
                if is_over(deadline) {
                    return Err(position);
                }
                extents.look(position);
            }
            let stop = extents.known.end.min(end);
            if extents.data {
                let mapping = extents.mapping.start;
                self.push(position, stop, Origin::File { mapping });
            }
            position = stop;
        }
        Ok(())
    }

    /// Cuts the segments into tasks, each with a part of the buffer; what finds no room is returned apart.
    pub(crate) fn tasks(&self, buffer: &mut Region) -> (Vec<Task>, Vec<Range<u64>>) {
        let mut tasks = Vec::with_capacity((self.bytes / TASK_BYTES) as usize + 16);
        let mut left = Vec::new();
        let mut pieces: Vec<Range<u64>> = Vec::new();
        let mut bytes = 0u64;
        let mut flush = |pieces: &mut Vec<Range<u64>>, bytes: &mut u64, origin: &Origin| {
            if pieces.is_empty() {
                return;
            }
            match buffer.take_front(*bytes as usize) {
                Some(region) => {
                    tasks.push(Task {
                        region,
                        pieces: std::mem::take(pieces),
                        origin: origin.clone(),
                    });
                }
                None => left.append(pieces),
            }
            *bytes = 0;
        };
        let mut origin = Origin::Memory;
        for segment in &self.segments {
            if segment.origin != origin {
                flush(&mut pieces, &mut bytes, &origin);
                origin = segment.origin.clone();
            }
            let mut start = segment.start;
            while start < segment.end {
                let length = (segment.end - start).min(TASK_BYTES - bytes);
                pieces.push(start..start + length);
                bytes += length;
                start += length;
                if bytes >= TASK_BYTES || pieces.len() >= sys::MAX_PIECES {
                    flush(&mut pieces, &mut bytes, &origin);
                }
            }
        }
        flush(&mut pieces, &mut bytes, &origin);
        (tasks, left)
    }
}

fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

/// The runs of data and of holes of the object behind a mapping. The last run is remembered, so that each costs two calls
/// at most, however many stretches of absent pages lie in it.
struct Extents<'a> {
    mapping: &'a Mapping,
    file: &'a File,
    page: u64,
    /// The end of the object, as an address.
    limit: u64,
    /// The addresses of the run looked at last.
    known: Range<u64>,
    /// Whether they are data.
    data: bool,
    /// The offset of the data after a hole.
    next: Option<u64>,
}

impl<'a> Extents<'a> {
    fn new(mapping: &'a Mapping, file: &'a File, page: u64) -> Extents<'a> {
        let size = sys::stat_file(file.as_fd())
            .map_or(0, |status| u64::try_from(status.st_size).unwrap_or(0));
        let mut extents = Extents {
            mapping,
            file,
            page,
            limit: 0,
            known: 0..0,
            data: false,
            next: None,
        };
        let end = size.checked_next_multiple_of(page).unwrap_or(u64::MAX);
        extents.limit = extents.address_of(end).min(mapping.end);
        extents
    }

    fn offset_of(&self, address: u64) -> u64 {
        self.mapping
            .offset
            .saturating_add(address.saturating_sub(self.mapping.start))
    }

    fn address_of(&self, offset: u64) -> u64 {
        self.mapping
            .start
            .saturating_add(offset.saturating_sub(self.mapping.offset))
    }

    /// Makes the run known that holds a page before the limit.
    fn look(&mut self, position: u64) {
        let offset = self.offset_of(position);
        let next = match self.next.take() {
            Some(data) if self.known.end == position => Ok(Some(data)),
            _ => sys::next_data(self.file.as_fd(), offset),
        };
        let (data, end) = match next {
            Ok(Some(data)) => {
                let start = self.address_of(data).max(position) / self.page * self.page;
                if start > position {
                    self.next = Some(data);
                    (false, start)
                } else {
                    let hole = sys::next_hole(self.file.as_fd(), data.max(offset));
                    let end = hole
                        .ok()
                        .flatten()
                        .and_then(|hole| self.address_of(hole).checked_next_multiple_of(self.page));
                    (true, end.unwrap_or(self.limit))
                }
            }
            Ok(None) => (false, self.limit),
            // A file system without holes.
            Err(_) => (true, self.limit),
        };
        // A hole made meanwhile may begin right here; the run must hold the page even so.
        let least = position.saturating_add(self.page);
        self.known = position..end.min(self.limit).max(least);
        self.data = data;
    }
}
