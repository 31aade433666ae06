//! A snapshot that lines are run on: one consistent picture of the target's memory, registers, mappings and threads.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use ytrace_target::{
    AddressSpace, CopyError, CopyOptions, Maps, OpenError, PageCache, PageState, PauseReport,
    PausedCopy, ThreadSnapshot, copy_ranges,
};
use ytrace_values::{Memory, units};

use super::Interactive;
use crate::copying::COPY_SPEED;
use crate::error::SessionError;
use crate::memory::TargetMemory;
use crate::moment::Moment;
use crate::session::cache_options;

/// How often a copy that takes too much memory is tried again with less.
const TRIES: usize = 16;

/// A snapshot.
pub(super) struct Frozen {
    pub(super) memory: TargetMemory<PausedCopy>,
    pub(super) threads: Vec<ThreadSnapshot>,
    /// What the kernel said of it.
    pub(super) moment: Moment,
    since: Instant,
}

/// What a snapshot took.
#[derive(Clone, Debug)]
pub struct Freezing {
    /// The pause.
    pub pause: PauseReport,
    /// How much was copied, in bytes.
    pub bytes: u64,
    /// How much of what can change was left out, in bytes, for it would have taken longer than the longest pause, or too much
    /// memory: it is read live.
    pub left_out: u64,
}

impl Interactive<'_> {
    /// Stops the target, copies what can change of its memory, and lets it go; lines see that copy from now on. An earlier one stays until
    /// there is another.
    ///
    /// # Errors
    /// The target is a core file, which stands still, or cannot be stopped or copied.
    pub fn freeze(&mut self) -> Result<Freezing, SessionError> {
        let Some(process) = self.session.running() else {
            return Err(SessionError::Arguments {
                message: "the target stands still: there is nothing to freeze".to_owned(),
                hint: None,
            });
        };
        self.check_no_tracer("meanwhile it cannot be stopped as a whole")?;
        let mut live = self.session.live_space(&process)?;
        let maps = live.mappings();
        let mut found: Vec<(u64, Range<u64>)> = Vec::new();
        let mut constants: Vec<Range<u64>> = Vec::new();
        for mapping in maps.overlapping(0..u64::MAX) {
            if mapping.permissions.read && mapping.is_constant() {
                // What is looked at of code is its symbols.
                if !mapping.permissions.execute {
                    constants.push(mapping.range());
                }
                continue;
            }
            if !mapping.permissions.read {
                continue;
            }
            let runs = live.presence(mapping.start, mapping.end)?;
            let present = runs.iter().filter(|run| run.state == PageState::Present);
            let present: u64 = present.map(|run| run.end - run.start).sum();
            found.push((present, mapping.range()));
        }
        drop(live);
        // As many mappings as possible are whole.
        found.sort_by_key(|(present, _)| *present);
        let nanoseconds = self.session.options.max_pause.as_nanos();
        let room = nanoseconds.saturating_mul(u128::from(COPY_SPEED)) / 1_000_000_000;
        let mut room = u64::try_from(room).unwrap_or(u64::MAX);
        let mut left_out = 0_u64;
        let mut ranges = Vec::new();
        for (present, range) in found {
            match room.checked_sub(present) {
                Some(rest) => {
                    room = rest;
                    ranges.push((present, range));
                }
                None => left_out = left_out.saturating_add(present),
            }
        }
        let options = CopyOptions {
            stop: self.session.stop_options(),
            read_swap: self.session.options.read_swap,
            ..CopyOptions::default()
        };
        let known = self.session.target.threads()?;
        let mut tries = TRIES;
        let copy = loop {
            let mut chosen: Vec<Range<u64>> =
                ranges.iter().map(|(_, range)| range.clone()).collect();
            chosen.sort_by_key(|range| range.start);
            let stopper = &self.session.stopper;
            let copied = self
                .session
                .in_turn(|| Ok(copy_ranges(stopper, &process, &chosen, &options)?));
            match copied {
                // Both are kept for a moment, and the earlier one may be all that there will ever be.
                Err(SessionError::Copy(CopyError::Budget {
                    needed, allowed, ..
                })) if self.frozen.is_some() => {
                    let (needed, allowed) = (units::bytes(needed), units::bytes(allowed));
                    return Err(SessionError::Arguments {
                        message: format!(
                            "there is no room for another snapshot beside this one: it needs {needed}, and {allowed} may be copied"
                        ),
                        hint: Some("`:thaw` forgets the one that there is".to_owned()),
                    });
                }
                Err(SessionError::Copy(CopyError::Budget { .. })) if tries > 0 => {
                    tries -= 1;
                    // The largest are the last.
                    let half = ranges.len() / 2;
                    let last: Vec<_> = match ranges.pop() {
                        Some(last) if tries > TRIES / 2 => vec![last],
                        Some(last) => {
                            let mut rest = ranges.split_off(half.min(ranges.len()));
                            rest.push(last);
                            rest
                        }
                        None => Vec::new(),
                    };
                    left_out += last.iter().map(|(present, _)| *present).sum::<u64>();
                }
                copied => break copied?,
            }
        };
        let freezing = Freezing {
            pause: *copy.report(),
            bytes: copy.copied_bytes(),
            left_out,
        };
        let threads = copy.threads().to_vec();
        let moment = Moment::new(&process, &copy, known);
        self.session.names.prepare_stacks();
        let mut memory = TargetMemory::new(PageCache::new(copy, cache_options())?);
        keep_constants(&mut memory, &constants);
        self.frozen = Some(Frozen {
            memory,
            threads,
            moment,
            since: Instant::now(),
        });
        Ok(freezing)
    }

    /// The mappings that lines see.
    pub(super) fn mappings(&self) -> Result<Arc<Maps>, OpenError> {
        match &self.frozen {
            Some(frozen) => Ok(Arc::clone(&frozen.moment.paused.maps)),
            None => self.session.target.maps(),
        }
    }

    /// Forgets the snapshot; whether there was one.
    pub fn thaw(&mut self) -> bool {
        self.frozen.take().is_some()
    }

    /// How long ago the snapshot was taken that lines see, if they see one.
    pub fn frozen_since(&self) -> Option<Instant> {
        self.frozen.as_ref().map(|frozen| frozen.since)
    }
}

/// The most bytes of what cannot change that are kept.
const MOST_CONSTANTS: u64 = 64 << 20;

/// Reads what cannot change, so that it is there when the target has gone: the texts that its variables point to, above all. That is not
/// done in the pause, and what cannot be read is left out.
fn keep_constants(memory: &mut TargetMemory<PausedCopy>, ranges: &[Range<u64>]) {
    let size = memory.page_size().max(1);
    let mut left = MOST_CONSTANTS / size;
    for range in ranges {
        let mut at = range.start;
        while at < range.end && left > 0 {
            if memory.ask(at).is_err() {
                break;
            }
            at = at.saturating_add(size);
            left -= 1;
        }
    }
}
