//! Which pages of the wanted ranges are to be copied, and from where.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::os::fd::AsFd;

use nix::errno::Errno;

use super::worker::{Origin, Task};
use crate::buffer::Region;
use crate::error::ReadError;
use crate::maps::{Mapping, MappingKind, Maps};
use crate::presence::{PageState, Pagemap, PresenceRun};
use crate::process::Process;
use crate::sys;

/// Bytes of one task: the deadline is looked at between two.
const TASK_BYTES: u64 = 1 << 20;

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
    /// Bytes of all segments.
    pub(crate) bytes: u64,
}

impl Layout {
    /// Asks the page table about the wanted ranges.
    pub(crate) fn make(
        pagemap: &mut Pagemap,
        maps: &Maps,
        wanted: &[Range<u64>],
        shared: &SharedFiles,
        read_swap: bool,
        page: u64,
    ) -> Result<Layout, ReadError> {
        let mut layout = Layout::default();
        let mut runs = Vec::new();
        for range in wanted {
            for mapping in maps.overlapping(range.clone()) {
                if !mapping.permissions.read || mapping.kind == MappingKind::Kernel {
                    continue;
                }
                let part = range.start.max(mapping.start)..range.end.min(mapping.end);
                runs.clear();
                pagemap
                    .query(part.clone(), &mut runs)
                    .map_err(|errno| match errno {
                        Errno::ESRCH => ReadError::Exited,
                        errno => ReadError::Denied {
                            address: part.start,
                            errno,
                        },
                    })?;
                let file = shared
                    .get(mapping.start)
                    .filter(|(known, _)| known == mapping);
                let mut position = part.start;
                for run in &runs {
                    let (start, end) = (run.start.max(part.start), run.end.min(part.end));
                    if start >= end {
                        continue;
                    }
                    if let Some((_, file)) = file {
                        layout.absent(mapping, file, position..start, page);
                    }
                    position = end;
                    match run.state {
                        PageState::Present => layout.push(start, end, Origin::Memory),
                        PageState::Swapped if read_swap => layout.push(start, end, Origin::Memory),
                        PageState::Swapped | PageState::Guard => {
                            layout.special.push(PresenceRun {
                                start,
                                end,
                                state: run.state,
                            });
                        }
                        PageState::Zero => {}
                    }
                }
                if let Some((_, file)) = file {
                    layout.absent(mapping, file, position..part.end, page);
                }
            }
        }
        Ok(layout)
    }

    fn push(&mut self, start: u64, end: u64, origin: Origin) {
        self.bytes += end - start;
        match self.segments.last_mut() {
            Some(last) if last.end == start && last.origin == origin => last.end = end,
            _ => self.segments.push(Segment { start, end, origin }),
        }
    }

    /// Adds the parts of an absent stretch of shared memory that the object holds all the same.
    fn absent(&mut self, mapping: &Mapping, file: &File, range: Range<u64>, page: u64) {
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
        let size = sys::stat_file(file.as_fd())
            .map_or(0, |status| u64::try_from(status.st_size).unwrap_or(0));
        let limit = address_of(size.next_multiple_of(page)).clamp(range.start, range.end);
        let mut position = range.start;
        while position < limit {
            let Ok(Some(data)) = sys::next_data(file.as_fd(), offset_of(position)) else {
                return;
            };
            let start = address_of(data).max(position) / page * page;
            if start >= limit {
                return;
            }
            let hole = sys::next_hole(file.as_fd(), offset_of(start))
                .ok()
                .flatten();
            let end = hole
                .map_or(limit, |hole| address_of(hole).next_multiple_of(page))
                .min(limit);
            if end <= start {
                return;
            }
            self.push(
                start,
                end,
                Origin::File {
                    mapping: mapping.start,
                },
            );
            position = end;
        }
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
