//! `_oneshot` at an event: all threads stand still from the hit until what the walk needs has been copied.

use std::time::{Duration, Instant};

use ytrace_target::breakpoints::Stop;
use ytrace_target::{AddressSpace, CopyOptions, HeldCopy, PageCache, Process, ThreadSnapshot};
use ytrace_values::units;

use super::Stops;
use super::run::Came;
use crate::copying::Learned;
use crate::error::SessionError;
use crate::host::Sink;
use crate::memory::TargetMemory;
use crate::moment::PausedMaps;
use crate::options::Mode;
use crate::session::{Session, State, cache_options};

/// The most bytes that are copied of what the target maps until the event.
const GROWTH: u64 = 512 << 20;

impl Session<'_> {
    /// Waits for the event of `--when`, and runs `_oneshot` on the target as of it.
    pub(crate) fn run_when(
        &mut self,
        process: &Process,
        state: &mut State<'_>,
        awaited: usize,
        oneshot: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        for function in state.functions(oneshot) {
            self.prepare(state.runner, function);
        }
        let mut copy = self.ready_copy(process, state, oneshot, sink)?;
        if self.interrupted() {
            self.result
                .partial("interrupted before the event of --when");
            return Ok(());
        }
        let began = Instant::now();
        let within = self.options.when.as_ref().and_then(|when| when.within);
        let until = within.and_then(|within| began.checked_add(within));
        let mut stops = self.attach_stops(process, state, &[awaited], sink)?;
        let mut hits = 0_u64;
        let found = loop {
            let stop = match self.next_stop(&mut stops, until, sink)? {
                Came::Stop(stop) => stop,
                Came::Time => break None,
                Came::Over => {
                    if self.interrupted() {
                        self.result
                            .partial("interrupted before the event of --when");
                    }
                    break None;
                }
            };
            let ran = self.run_stop(&mut stops, &stop, state);
            hits += ran.handlers;
            if ran.to_the_end {
                break Some(stop);
            }
            self.let_go(&mut stops, &stop, state, sink)?;
            if state.end {
                break None;
            }
        };
        let Some(stop) = found else {
            if let Some(within) = within.filter(|_| !self.interrupted() && !process.exited()) {
                self.result.partial(self.not_within(within, hits));
            }
            return self.finish_stops(stops);
        };
        self.result.note(format!(
            "taken at hit {} of --when, {} after the wait began",
            units::thousands(hits),
            units::duration(i128::try_from(began.elapsed().as_nanos()).unwrap_or(i128::MAX)),
        ));
        self.hit_thread = Some(stop.tid);
        match copy.take() {
            Some(copy) => self.copy_at(copy, stops, &stop, state, oneshot, sink),
            None => self.walk_at(process, stops, &stop, state, oneshot, sink),
        }
    }

    /// Why there is no snapshot.
    fn not_within(&self, within: Duration, hits: u64) -> String {
        let head = self.options.when.as_ref().map_or("", |when| &when.head);
        let within =
            units::duration_with(i128::try_from(within.as_nanos()).unwrap_or(i128::MAX), 0);
        let seen = match hits {
            0 => "it did not happen".to_owned(),
            hits => format!("at none of {} hits --if held", units::thousands(hits)),
        };
        format!(
            "`_oneshot` did not run: --when waited {within} for `{head}` (--within), and {seen}"
        )
    }

    /// Learns what the walk reads, and makes room for a copy of it. `None` where the walk itself is to be made in the pause.
    fn ready_copy(
        &mut self,
        process: &Process,
        state: &mut State<'_>,
        oneshot: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<Option<HeldCopy>, SessionError> {
        if !matches!(self.mode, Mode::Auto | Mode::Copy) {
            return Ok(None);
        }
        sink.progress("learning which memory the probe reads");
        let functions = state.functions(oneshot);
        let mut functions = functions.iter();
        if !functions.any(|function| state.runner.looks_at_target(*function)) {
            return Ok(None);
        }
        self.see_threads(process, state)?;
        let started = Instant::now();
        let mut memory = self.live_memory(process)?;
        let before = memory.cache().space().mappings();
        let Learned { .. } = self.learn(state, oneshot, &mut memory, u64::MAX);
        let touched = memory.cache().touched();
        self.result.timings.learn += started.elapsed();
        let plan = self.plan(memory.space_mut(), &before, &touched)?;
        self.result.counters.bytes_read += memory.counters().bytes_read;
        drop(memory);
        let options = CopyOptions {
            stop: self.stop_options(),
            read_swap: self.options.read_swap,
            growth: GROWTH,
            ..CopyOptions::default()
        };
        let copy = HeldCopy::prepare(process, &plan.ranges, &options)?;
        sink.progress("");
        Ok(Some(copy))
    }

    /// Copies while all threads are held, lets them go, and walks the copy.
    fn copy_at(
        &mut self,
        copy: HeldCopy,
        mut stops: Stops,
        stop: &Stop,
        state: &mut State<'_>,
        oneshot: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        let began = Instant::now();
        let threads = hold(&mut stops, stop)?;
        let taken = copy.take(began, threads.clone());
        self.let_go(&mut stops, stop, state, sink)?;
        self.note_hold(began, threads.len());
        self.finish_stops(stops)?;
        let copy = taken?;
        self.note_mode(Mode::Copy);
        self.result.copied += copy.copied_bytes();
        self.result.pauses.expired |= copy.report().expired;
        sink.progress("walking the copy");
        let mut memory = TargetMemory::new(PageCache::new(copy, cache_options())?);
        let paused = PausedMaps::new(memory.space());
        self.execute(state, oneshot, &mut memory, &threads, Some(&paused), sink);
        self.add_counters(memory.counters());
        sink.flush();
        Ok(())
    }

    /// Walks while all threads are held.
    fn walk_at(
        &mut self,
        process: &Process,
        mut stops: Stops,
        stop: &Stop,
        state: &mut State<'_>,
        oneshot: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        let mut memory = self.live_memory(process)?;
        let began = Instant::now();
        let threads = hold(&mut stops, stop)?;
        memory.space_mut().refresh_mappings()?;
        self.note_mode(Mode::Stop);
        self.execute(
            state,
            oneshot,
            &mut memory,
            &threads,
            None,
            &mut stops.output,
        );
        self.let_go(&mut stops, stop, state, sink)?;
        self.note_hold(began, threads.len());
        self.add_counters(memory.counters());
        sink.flush();
        self.finish_stops(stops)
    }
}

/// Stops all other threads until the thread of the stop is let go; all are given.
fn hold(stops: &mut Stops, stop: &Stop) -> Result<Vec<ThreadSnapshot>, SessionError> {
    let mut threads = stops.session.hold()?;
    threads.retain(|thread| thread.tid != stop.tid);
    threads.push(ThreadSnapshot {
        tid: stop.tid,
        registers: Some(stop.registers),
    });
    Ok(threads)
}
