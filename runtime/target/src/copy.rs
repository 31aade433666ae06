//! Copying ranges of a process's memory during one short pause.
//!
//! Everything that takes time is done before: the ranges are looked at, buffers are allocated and faulted in, the files
//! behind shared memory are opened, the second copying thread waits. In the pause the presence of pages and the mappings
//! are looked at again, so that the copy is as of that instant, and then only copied.

mod layout;
mod paused_copy;
mod worker;

pub use paused_copy::PausedCopy;

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use crate::budget::memory_headroom;
use crate::buffer::Region;
use crate::error::{CopyError, ReadError, StopError};
use crate::live::{LiveMemory, LiveOptions};
use crate::maps::Maps;
use crate::memory::AddressSpace;
use crate::presence::Pagemap;
use crate::process::Process;
use crate::stop::{PauseReport, StopOptions, StoppedThreads};

use layout::{Layout, SharedFiles};
use worker::{Finished, Pool};

/// Copies larger than this are made by two threads.
const PARALLEL_BYTES: u64 = 8 << 20;
/// Room for memory that the process allocates between the first look and the pause: already faulted in.
const WARM_SLACK: u64 = 1 << 20;
/// The same, not faulted in: it costs address space, and time only when used.
const COLD_SLACK: u64 = 16 << 20;
/// Looking at the page table again may take one part in this many of the longest pause.
const LOOK_PART: u32 = 2;

/// How ranges are copied.
#[derive(Clone, Copy, Debug)]
pub struct CopyOptions {
    /// How the process is stopped, and the longest pause.
    pub stop: StopOptions,
    /// Read pages that are on swap; this brings them back into memory, and each may take milliseconds of the pause.
    pub read_swap: bool,
    /// The most bytes to take; `None` for what [`memory_headroom`] allows.
    pub budget: Option<u64>,
    /// The most threads that copy: 1 or 2.
    pub threads: usize,
}

impl Default for CopyOptions {
    fn default() -> CopyOptions {
        CopyOptions {
            stop: StopOptions::default(),
            read_swap: false,
            budget: None,
            threads: 2,
        }
    }
}

/// What the tracer thread brings back.
struct Taken {
    maps: Arc<Maps>,
    wanted: Vec<Range<u64>>,
    layout: Layout,
    finished: Vec<Finished>,
    left: Vec<Range<u64>>,
    threads: Vec<crate::registers::ThreadSnapshot>,
    report: PauseReport,
}

/// Stops a process, copies the pages of `ranges` that are in memory, and resumes it. The copy also knows which pages of the
/// ranges were absent, and so are zeros or what their file holds.
///
/// # Errors
/// The process cannot be read or stopped, or the copy is larger than allowed. It runs on in any case.
pub fn copy_ranges(
    process: &Process,
    ranges: &[Range<u64>],
    options: &CopyOptions,
) -> Result<PausedCopy, CopyError> {
    let live = LiveMemory::new(
        process,
        LiveOptions {
            read_swap: options.read_swap,
        },
    )?;
    let page = live.page_size();
    let wanted = normalize(ranges, page);
    let text = process.read_bytes(c"maps", "maps")?;
    let maps = Arc::new(Maps::parse(&text));
    let mut pagemap = Pagemap::open(process)?;
    let shared = SharedFiles::open(process, &maps, &wanted);
    let first = Layout::make(
        &mut pagemap,
        &maps,
        &wanted,
        &shared,
        options.read_swap,
        page,
        None,
    )?;

    let (allowed, limit) = match options.budget {
        Some(budget) => (budget, "the caller's budget"),
        None => memory_headroom().allowance(),
    };
    if first.bytes > allowed {
        return Err(CopyError::Budget {
            needed: first.bytes,
            allowed,
            limit,
        });
    }
    let warm = first
        .bytes
        .saturating_add(first.bytes / 32)
        .saturating_add(WARM_SLACK)
        .min(allowed);
    let room = warm
        .saturating_add(first.bytes / 4)
        .saturating_add(COLD_SLACK)
        .min(allowed)
        .max(page);
    let too_large = |_| CopyError::NoMemory(nix::errno::Errno::ENOMEM);
    let mut buffer =
        Region::new(usize::try_from(room).map_err(too_large)?).map_err(CopyError::NoMemory)?;
    buffer.populate(0..usize::try_from(warm).map_err(too_large)?.min(buffer.len()));

    let helpers = options.threads > 1 && first.bytes > PARALLEL_BYTES;
    let pool = Pool::new(process.pid(), options.stop.realtime);
    let taken = std::thread::scope(|scope| {
        // However this ends, the helper must not wait for ever.
        let _close = pool.closer();
        if helpers {
            scope.spawn(|| pool.help());
            pool.await_helper();
        }
        let tracer = std::thread::Builder::new()
            .name(crate::stop::TRACER_NAME.to_owned())
            .spawn_scoped(scope, || {
                take(
                    process,
                    &text,
                    &maps,
                    &wanted,
                    &shared,
                    &mut pagemap,
                    buffer,
                    &pool,
                    options,
                    page,
                )
            });
        match tracer {
            Ok(tracer) => tracer
                .join()
                .unwrap_or(Err(CopyError::Stop(StopError::TracerLost))),
            Err(error) => {
                let errno = crate::sys::errno_of(&error);
                Err(CopyError::Stop(StopError::NoThread { errno }))
            }
        }
    })?;
    let parts = paused_copy::Parts {
        layout: taken.layout,
        finished: taken.finished,
        left: taken.left,
        wanted: taken.wanted,
        shared,
        maps: taken.maps,
        threads: taken.threads,
        report: taken.report,
    };
    PausedCopy::new(live, parts).map_err(CopyError::from)
}

/// The tracer thread: stops, looks, copies, resumes.
#[allow(clippy::too_many_arguments)]
fn take(
    process: &Process,
    before: &[u8],
    maps: &Arc<Maps>,
    wanted: &[Range<u64>],
    shared: &SharedFiles,
    pagemap: &mut Pagemap,
    mut buffer: Region,
    pool: &Pool,
    options: &CopyOptions,
    page: u64,
) -> Result<Taken, CopyError> {
    let stopped = StoppedThreads::stop(process, &options.stop)?;
    let deadline = stopped.began().checked_add(options.stop.max_pause);
    let text = process.read_bytes(c"maps", "maps")?;
    // Comparing is cheaper than parsing. Only a changed text must be understood before the copy can be laid out.
    let changed = text != before;
    let current = if changed {
        Arc::new(Maps::parse(&text))
    } else {
        Arc::clone(maps)
    };
    let mut wanted = wanted.to_vec();
    if changed {
        // What was allocated since the first look lies there, and older objects may refer to it.
        wanted.extend(maps.growth(&current, COLD_SLACK));
        wanted = normalize(&wanted, page);
    }
    // Looking must leave time to copy what it has found.
    let look_until = stopped
        .began()
        .checked_add(options.stop.max_pause / LOOK_PART);
    let layout = Layout::make(
        pagemap,
        &current,
        &wanted,
        shared,
        options.read_swap,
        page,
        look_until,
    )?;
    let (tasks, mut left) = layout.tasks(&mut buffer);
    left.extend(layout.left.iter().cloned());
    let (finished, unfinished) = pool.run(tasks, shared, deadline);
    if finished.iter().any(|task| task.exited) {
        // Killed while it was stopped. Its pages must not pass for unreadable ones.
        return Err(CopyError::Read(ReadError::Exited));
    }
    let expired = !unfinished.is_empty()
        || !layout.left.is_empty()
        || deadline.is_some_and(|deadline| Instant::now() > deadline);
    let threads = stopped.snapshots();
    let report = stopped.resume();
    // What the process did not need of the room.
    buffer.discard(0..buffer.len());
    left.extend(unfinished);
    Ok(Taken {
        maps: current,
        wanted,
        layout,
        finished,
        left,
        threads,
        report: PauseReport { expired, ..report },
    })
}

/// Page-aligned, ascending ranges that neither overlap nor touch.
fn normalize(ranges: &[Range<u64>], page: u64) -> Vec<Range<u64>> {
    let mut sorted: Vec<Range<u64>> = ranges
        .iter()
        .filter(|range| range.start < range.end)
        .map(|range| {
            range.start / page * page
                ..range
                    .end
                    .checked_next_multiple_of(page)
                    .unwrap_or(u64::MAX / page * page)
        })
        .collect();
    sorted.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn normalized_ranges_cover_the_same(list in proptest::collection::vec((0u64..100_000, 0u64..20_000), 0..20)) {
            let ranges: Vec<Range<u64>> = list.iter().map(|(start, length)| *start..start + length).collect();
            let merged = normalize(&ranges, 4096);
            prop_assert!(merged.windows(2).all(|pair| pair[0].end < pair[1].start));
            prop_assert!(merged.iter().all(|range| range.start % 4096 == 0 && range.end % 4096 == 0));
            for range in ranges.iter().filter(|range| range.start < range.end) {
                prop_assert!(merged.iter().any(|whole| whole.start <= range.start && range.end <= whole.end));
            }
        }
    }
}
