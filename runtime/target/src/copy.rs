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
use std::time::{Duration, Instant};

use crate::budget::memory_headroom;
use crate::buffer::Region;
use crate::error::{CopyError, ReadError, StopError};
use crate::live::{LiveMemory, LiveOptions};
use crate::maps::Maps;
use crate::memory::AddressSpace;
use crate::presence::Pagemap;
use crate::process::Process;
use crate::registers::ThreadSnapshot;
use crate::remote::Remote;
use crate::stop::{PauseReport, Station, StopOptions, Stopper, Supervisor};

use layout::{Layout, SharedFiles};
use worker::{Finished, Pool};

/// Copies larger than this are made by two threads.
const PARALLEL_BYTES: u64 = 8 << 20;
/// Room for memory that the process allocates between the first look and the pause: already faulted in.
const WARM_SLACK: u64 = 1 << 20;
/// The same, not faulted in: it costs address space, and time only when used.
const GROWTH: u64 = 16 << 20;
/// Looking at the page table again may take one part in this many of the longest pause.
const LOOK_PART: u32 = 2;

/// How long the process may stay stopped beyond the longest pause if this program hangs: the end of the copy is otherwise
/// told by this program, which looks at the time between two tasks.
const HANG: Duration = Duration::from_millis(20);

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
    /// The most bytes that are copied of what the process maps between the first look and the pause.
    pub growth: u64,
}

impl Default for CopyOptions {
    fn default() -> CopyOptions {
        CopyOptions {
            stop: StopOptions::default(),
            read_swap: false,
            budget: None,
            threads: 2,
            growth: GROWTH,
        }
    }
}

/// What the pause has brought.
struct Taken {
    maps: Arc<Maps>,
    wanted: Vec<Range<u64>>,
    layout: Layout,
    finished: Vec<Finished>,
    left: Vec<Range<u64>>,
    threads: Vec<ThreadSnapshot>,
    report: PauseReport,
}

/// Stops a process, copies the pages of `ranges` that are in memory, and resumes it. The copy also knows which pages of the
/// ranges were absent, and so are zeros or what their file holds.
///
/// # Errors
/// The process cannot be read or stopped, or the copy is larger than allowed. It runs on in any case.
pub fn copy_ranges(
    stopper: &Stopper,
    process: &Process,
    ranges: &[Range<u64>],
    options: &CopyOptions,
) -> Result<PausedCopy, CopyError> {
    let HeldCopy { live, job } = HeldCopy::prepare(process, ranges, options)?;
    let station = stopper.take()?;
    let Station {
        mut supervisor,
        worker,
    } = station;
    let done = worker.run(move || {
        let taken = job.run(|job, pool| job.take(&mut supervisor, pool));
        (supervisor, taken)
    });
    // Without an answer, the supervisor went with the thread, and the process goes on.
    let (supervisor, taken) = done.ok_or(StopError::TracerLost)?;
    stopper.give_back(Station { supervisor, worker });
    finished(live, taken?)
}

/// A copy that is ready to be made of a process that somebody else will hold: all that takes time has been done.
pub struct HeldCopy {
    live: LiveMemory,
    job: Job,
}

impl HeldCopy {
    /// Looks at the ranges, and makes room for them.
    ///
    /// # Errors
    /// The process cannot be read, or the copy is larger than allowed.
    pub fn prepare(
        process: &Process,
        ranges: &[Range<u64>],
        options: &CopyOptions,
    ) -> Result<HeldCopy, CopyError> {
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
            .saturating_add(first.bytes.min(options.growth.saturating_sub(GROWTH)))
            .min(allowed);
        let room = warm
            .saturating_add(first.bytes / 4)
            .saturating_add(options.growth)
            .min(allowed)
            .max(page);
        let too_large = |_| CopyError::NoMemory(nix::errno::Errno::ENOMEM);
        let mut buffer =
            Region::new(usize::try_from(room).map_err(too_large)?).map_err(CopyError::NoMemory)?;
        buffer.populate(0..usize::try_from(warm).map_err(too_large)?.min(buffer.len()));

        let remote = Arc::new(Remote::open(process, &pagemap)?);
        let job = Job {
            process: process.clone(),
            before: text,
            maps,
            wanted,
            shared,
            pagemap,
            remote,
            buffer,
            helpers: options.threads > 1 && first.bytes > PARALLEL_BYTES,
            options: *options,
            page,
        };
        Ok(HeldCopy { live, job })
    }

    /// Copies. The process has been held since `began`, with these threads, and is held by the caller until this is done;
    /// the longest pause counts from there.
    ///
    /// # Errors
    /// The process cannot be read.
    pub fn take(
        self,
        began: Instant,
        threads: Vec<ThreadSnapshot>,
    ) -> Result<PausedCopy, CopyError> {
        let HeldCopy { live, job } = self;
        let taken = job.run(|job, pool| {
            let taken = job.copy(pool, began)?;
            Ok(Taken { threads, ..taken })
        });
        finished(live, taken?)
    }
}

fn finished(live: LiveMemory, taken: (Taken, SharedFiles)) -> Result<PausedCopy, CopyError> {
    let (taken, shared) = taken;
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

/// All that the pause needs, made ready before.
struct Job {
    process: Process,
    /// The text of the mappings before the pause, and what it says.
    before: Vec<u8>,
    maps: Arc<Maps>,
    wanted: Vec<Range<u64>>,
    shared: SharedFiles,
    pagemap: Pagemap,
    remote: Arc<Remote>,
    buffer: Region,
    /// Whether a second thread copies.
    helpers: bool,
    options: CopyOptions,
    page: u64,
}

impl Job {
    /// Has the threads ready that copy while `take` does its work.
    fn run(
        mut self,
        take: impl FnOnce(&mut Job, &Pool) -> Result<Taken, CopyError>,
    ) -> Result<(Taken, SharedFiles), CopyError> {
        let realtime = self.options.stop.realtime;
        let pool = Pool::new(Arc::clone(&self.remote), realtime);
        let taken = std::thread::scope(|scope| {
            // However this ends, the helper must not wait for ever.
            let _close = pool.closer();
            if self.helpers {
                // Without a helper, one thread does it all.
                let helper = std::thread::Builder::new().name("ytrace-copy".to_owned());
                if helper.spawn_scoped(scope, || pool.help()).is_ok() {
                    pool.await_helper();
                }
            }
            // This thread waits for the supervisor, and is to run as soon as that has stopped the process.
            let first = realtime && crate::sys::schedule_first();
            let taken = take(&mut self, &pool);
            if first {
                crate::sys::schedule_as_usual();
            }
            taken
        });
        // What the process did not need of the room.
        self.buffer.discard(0..self.buffer.len());
        Ok((taken?, self.shared))
    }

    /// Stops, looks, copies, resumes.
    fn take(&mut self, supervisor: &mut Supervisor, pool: &Pool) -> Result<Taken, CopyError> {
        let options = &self.options;
        let limit = options.stop.max_pause.saturating_add(HANG);
        let stopped = supervisor.stop(&self.process, &options.stop, limit)?;
        let copied = self.copy(pool, stopped.began);
        let resumed = supervisor.resume();
        let (mut taken, (report, resumed)) = (copied?, resumed?);
        let expired = taken.report.expired || report.expired;
        taken.report = PauseReport { expired, ..report };
        taken.threads = stopped.threads;
        if report.expired {
            // This program was held up, and the process ran again before the copy was done.
            let (whole, torn) = std::mem::take(&mut taken.finished)
                .into_iter()
                .partition(|task| task.done <= resumed);
            taken.finished = whole;
            let torn: Vec<Finished> = torn;
            taken
                .left
                .extend(torn.into_iter().flat_map(|task| task.pieces));
        }
        Ok(taken)
    }

    /// Looks and copies while the process is stopped.
    fn copy(&mut self, pool: &Pool, began: Instant) -> Result<Taken, CopyError> {
        let max_pause = self.options.stop.max_pause;
        let deadline = began.checked_add(max_pause);
        let text = self.process.read_bytes(c"maps", "maps")?;
        // Comparing is cheaper than parsing. Only a changed text must be understood before the copy can be laid out.
        let mut wanted = self.wanted.clone();
        let mut current = Arc::clone(&self.maps);
        if text != self.before {
            current = Arc::new(Maps::parse(&text));
            // What was allocated since the first look lies there, and older objects may refer to it.
            wanted.extend(self.maps.growth(&current, self.options.growth));
            wanted = normalize(&wanted, self.page);
        }
        // Looking must leave time to copy what it has found.
        let look_until = began.checked_add(max_pause / LOOK_PART);
        let mut layout = Layout::make(
            &mut self.pagemap,
            &current,
            &wanted,
            &self.shared,
            self.options.read_swap,
            self.page,
            look_until,
        )?;
        let (tasks, mut left) = layout.tasks(&mut self.buffer);
        left.extend(layout.left.iter().cloned());
        let sharing = Arc::new(std::mem::take(&mut layout.sharing));
        let (finished, unfinished) = pool.run(tasks, &self.shared, &current, sharing, deadline);
        if finished.iter().any(|task| task.exited) {
            // Killed while it was stopped. Its pages must not pass for unreadable ones.
            return Err(CopyError::Read(ReadError::Exited));
        }
        let expired = !unfinished.is_empty()
            || !layout.left.is_empty()
            || deadline.is_some_and(|deadline| Instant::now() > deadline);
        left.extend(unfinished);
        Ok(Taken {
            maps: current,
            wanted,
            layout,
            finished,
            left,
            threads: Vec::new(),
            report: PauseReport {
                expired,
                ..PauseReport::default()
            },
        })
    }
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
