//! What the kernel said of a process in a pause, for lines and handlers that run on a copy of that moment.

use std::ops::Range;
use std::sync::Arc;

use ytrace_target::{
    AddressSpace, Maps, PageState, PausedCopy, PresenceRun, Process, ThreadSnapshot, field_bytes,
};
use ytrace_values::host::{PageFigure, ThreadRecord};

use crate::figures::{Figures, Used};

/// The mappings of a pause, and which of their pages were there.
#[derive(Debug)]
pub(crate) struct PausedMaps {
    pub(crate) maps: Arc<Maps>,
    page_size: u64,
    /// The private memory whose pages are known, ascending, and their runs; pages in none were absent.
    covered: Vec<Range<u64>>,
    runs: Vec<PresenceRun>,
}

impl PausedMaps {
    /// Those of a copy.
    pub(crate) fn new(copy: &PausedCopy) -> Self {
        let (covered, runs) = copy.presence();
        Self {
            maps: copy.mappings(),
            page_size: copy.page_size(),
            covered,
            runs,
        }
    }

    /// A figure of the pages that lie in a range as a whole; `None` where it was not recorded.
    pub(crate) fn pages(&self, address: u64, length: u64, figure: PageFigure) -> Option<u64> {
        let wanted = match figure {
            PageFigure::Resident => PageState::Present,
            PageFigure::Swapped => PageState::Swapped,
            PageFigure::Unshared => return None,
        };
        let start = address.checked_next_multiple_of(self.page_size)?;
        let end = address.checked_add(length)? / self.page_size * self.page_size;
        if start >= end {
            return Some(0);
        }
        let mut at = start;
        let first = self.covered.partition_point(|range| range.end <= start);
        for range in self.covered.iter().skip(first) {
            if range.start > at || at >= end {
                break;
            }
            at = range.end;
        }
        (at >= end).then(|| self.bytes(start..end, wanted))
    }

    /// Puts what was in memory and on swap in the pause for what the kernel says later. Of a mapping that is known in part, what was there is
    /// the least of it.
    pub(crate) fn correct(&self, used: &mut [Option<Used>]) {
        for (mapping, used) in self.maps.as_slice().iter().zip(used) {
            let Some(used) = used else { continue };
            let of = |figure, state, later: u64| {
                self.pages(mapping.start, mapping.len(), figure)
                    .unwrap_or_else(|| later.max(self.bytes(mapping.range(), state)))
            };
            used.resident = of(PageFigure::Resident, PageState::Present, used.resident);
            used.swapped = of(PageFigure::Swapped, PageState::Swapped, used.swapped);
            // What has come since was not there.
            used.unshared = used.unshared.min(used.resident);
            used.anonymous = used.anonymous.min(used.resident);
        }
    }

    /// How many bytes of a range are known to have been in a state.
    fn bytes(&self, range: Range<u64>, wanted: PageState) -> u64 {
        let first = self.runs.partition_point(|run| run.end <= range.start);
        let runs = self.runs.iter().skip(first);
        let inside = runs.take_while(|run| run.start < range.end);
        let wanted = inside.filter(|run| run.state == wanted);
        wanted
            .map(|run| run.end.min(range.end) - run.start.max(range.start))
            .sum()
    }
}

/// The mappings and the threads of a pause, and how pages stood then.
#[derive(Debug)]
pub(crate) struct Moment {
    pub(crate) paused: PausedMaps,
    pub(crate) threads: Vec<ThreadRecord>,
    /// What each mapping used.
    pub(crate) used: Vec<Option<Used>>,
    /// `/proc/PID/status`.
    status: String,
}

impl Moment {
    /// That of a copy which has just been taken. `before` are the threads as they were before the pause: their names, and the states that they
    /// were stopped in. Figures of whole mappings and of the process are read now, right after the pause.
    pub(crate) fn new(process: &Process, copy: &PausedCopy, before: Vec<ThreadRecord>) -> Self {
        let paused = PausedMaps::new(copy);
        let mut figures = Figures::default();
        let used = figures.mappings(process, &paused.maps, false);
        let mut used = used.unwrap_or_else(|_| vec![None; paused.maps.as_slice().len()]);
        // A mapping may have gone since: its pages in the copy were there.
        paused.correct(&mut used);
        Self {
            threads: threads_of(before, copy.threads()),
            // The text is what a process has that is gone: nothing is known of it.
            status: process.status_text().unwrap_or_default(),
            paused,
            used,
        }
    }

    /// A field of `status`.
    pub(crate) fn field(&self, field: &str) -> Option<u64> {
        field_bytes(&self.status, field)
    }
}

/// The threads of a pause. Names and states are those of `known`, as far as it has them.
pub(crate) fn threads_of(
    known: Vec<ThreadRecord>,
    snapshots: &[ThreadSnapshot],
) -> Vec<ThreadRecord> {
    let records = snapshots.iter().map(|snapshot| {
        let tid = u64::try_from(snapshot.tid).unwrap_or(0);
        let found = known.iter().find(|record| record.tid == tid).cloned();
        let record = found.unwrap_or_default();
        ThreadRecord {
            tid,
            sp: snapshot
                .registers
                .map_or(record.sp, |registers| registers.stack_pointer),
            ..record
        }
    });
    records.collect()
}
