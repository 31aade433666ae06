//! Runs of handlers, in each mode, and the timers that cause them.

use std::time::{Duration, Instant};

use ytrace_target::{
    AddressSpace, CopyOptions, Counters, PageCache, PauseReport, PausedProcess, StopOptions,
    ThreadSnapshot, copy_ranges, plan_copy,
};

use crate::error::SessionError;
use crate::host::{Effects, RunHost, Sink};
use crate::memory::TargetMemory;
use crate::options::Mode;
use crate::session::{Session, State, cache_options};

/// How fast a pause is taken to copy, in bytes a second. A careful figure.
const COPY_SPEED: u64 = 5_000_000_000;

impl Session<'_> {
    /// Runs the handler of a probe on a view of the target.
    pub(crate) fn run_handler(
        &mut self,
        state: &mut State<'_>,
        probe: usize,
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        match self.options.mode {
            Mode::Live => self.run_live(state, probe, sink),
            Mode::Stop => self.run_stopped(state, probe, sink),
            Mode::Copy | Mode::Auto => self.run_on_copy(state, probe, sink),
        }
    }

    fn run_live(
        &mut self,
        state: &mut State<'_>,
        probe: usize,
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        self.note_mode(Mode::Live);
        let mut memory = self.live_memory()?;
        self.execute(state, probe, &mut memory, &[], sink);
        self.add_counters(memory.counters());
        Ok(())
    }

    fn run_stopped(
        &mut self,
        state: &mut State<'_>,
        probe: usize,
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        self.note_mode(Mode::Stop);
        let paused = PausedProcess::stop(&self.process, &self.stop_options())?;
        let mut memory = self.live_memory()?;
        self.execute(state, probe, &mut memory, paused.threads(), sink);
        let expired = !paused.is_stopped();
        let report = paused.resume()?;
        self.add_pause(&PauseReport {
            expired: expired || report.expired,
            ..report
        });
        self.add_counters(memory.counters());
        Ok(())
    }

    /// Learns on live memory what the handler reads, copies that in a pause, and runs on the copy.
    fn run_on_copy(
        &mut self,
        state: &mut State<'_>,
        probe: usize,
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        sink.progress("learning which memory the probe reads");
        let started = Instant::now();
        let mut memory = self.live_memory()?;
        self.learn(state, probe, &mut memory);
        let touched = memory.cache().touched();
        let mut live = memory.into_space();
        let learning = live.counters();
        self.result.timings.learn += started.elapsed();

        let started = Instant::now();
        let plan = plan_copy(&mut live, &touched, self.options.max_pause, COPY_SPEED)?;
        if plan.ranges.is_empty() {
            // Nothing that can change is read, so nothing is stopped.
            self.note_mode(Mode::Live);
            let mut memory = TargetMemory::new(PageCache::new(live, cache_options())?);
            self.execute(state, probe, &mut memory, &[], sink);
            self.add_counters(memory.counters());
            return Ok(());
        }
        drop(live);
        self.note_mode(Mode::Copy);
        sink.progress("copying");
        let copy = copy_ranges(
            &self.process,
            &plan.ranges,
            &CopyOptions {
                stop: self.stop_options(),
                read_swap: self.options.read_swap,
                ..CopyOptions::default()
            },
        )?;
        self.result.timings.copy += started.elapsed();
        self.add_pause(copy.report());
        self.result.copied += copy.copied_bytes();
        let threads = copy.threads().to_vec();
        let mut memory = TargetMemory::new(PageCache::new(copy, cache_options())?);
        sink.progress("walking the copy");
        self.execute(state, probe, &mut memory, &threads, sink);
        let counters = memory.counters();
        self.add_counters(Counters {
            bytes_read: counters.bytes_read + learning.bytes_read,
            ..counters
        });
        Ok(())
    }

    /// A run whose effects are discarded.
    fn learn(
        &mut self,
        state: &mut State<'_>,
        probe: usize,
        memory: &mut TargetMemory<ytrace_target::LiveMemory>,
    ) {
        let Some(function) = state.compiled.program.probes.get(probe).copied() else {
            return;
        };
        let mut effects = Effects::default();
        let mut host = RunHost {
            process: &self.process,
            names: &self.names,
            sink: None,
            effects: &mut effects,
            threads: &[],
            started: self.started,
        };
        // A fresh store touches less memory than a copy of one with large arrays.
        let mut store = if state.pristine {
            state.runner.store(memory, &mut host, self.options).0
        } else {
            state.store.clone()
        };
        // However it ends, what it touched is learned. It may race with the target.
        let _ = state
            .runner
            .run(function, &mut store, memory, &mut host, self.options);
    }

    /// The run that counts.
    fn execute<S: AddressSpace>(
        &mut self,
        state: &mut State<'_>,
        probe: usize,
        memory: &mut TargetMemory<S>,
        threads: &[ThreadSnapshot],
        sink: &mut dyn Sink,
    ) {
        let Some(function) = state.compiled.program.probes.get(probe).copied() else {
            return;
        };
        let started = Instant::now();
        let mut host = RunHost {
            process: &self.process,
            names: &self.names,
            sink: Some(sink),
            effects: state.effects,
            threads,
            started: self.started,
        };
        state.pristine = false;
        let outcome = state
            .runner
            .run(function, state.store, memory, &mut host, self.options);
        self.result.timings.run += started.elapsed();
        state.end |= self.account(&outcome, state.compiled);
    }

    /// Runs timers until `_exit()`, Ctrl-C, or the end of the target.
    pub(crate) fn run_timers(
        &mut self,
        state: &mut State<'_>,
        timers: &[(usize, u64)],
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        let begun = Instant::now();
        let mut due: Vec<(Instant, usize, Duration)> = timers
            .iter()
            .map(|(probe, interval)| {
                let interval = Duration::from_nanos((*interval).max(1));
                (begun + interval, *probe, interval)
            })
            .collect();
        sink.progress("");
        while !state.end {
            let Some((at, probe, interval)) = due.iter().min().copied() else {
                return Ok(());
            };
            if self.wait_until(at) {
                break;
            }
            self.run_handler(state, probe, sink)?;
            sink.progress("");
            for entry in &mut due {
                if entry.1 == probe {
                    // A handler that takes longer than its interval skips rounds.
                    let now = Instant::now();
                    while entry.0 <= now {
                        entry.0 += interval;
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits; true if the target exited or the user interrupted before.
    fn wait_until(&self, at: Instant) -> bool {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::sync::atomic::Ordering;
        /// An interrupt between the check and the wait is seen after this long at most.
        const SLICE: Duration = Duration::from_millis(200);
        loop {
            if self.options.interrupt.load(Ordering::Relaxed) || self.process.exited() {
                return true;
            }
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let timeout = PollTimeout::try_from(left.min(SLICE)).unwrap_or(PollTimeout::ZERO);
            // The descriptor becomes readable when the target exits. A wait that is interrupted is
            // taken up again.
            let _ = match self.process.pidfd() {
                Some(descriptor) => poll(&mut [PollFd::new(descriptor, PollFlags::POLLIN)], timeout),
                None => poll(&mut [], timeout),
            };
        }
    }

    fn stop_options(&self) -> StopOptions {
        StopOptions {
            max_pause: self.options.max_pause,
            ..StopOptions::default()
        }
    }

    fn note_mode(&mut self, mode: Mode) {
        if !self.result.modes.contains(&mode) {
            self.result.modes.push(mode);
        }
    }

    fn add_counters(&mut self, counters: Counters) {
        self.result.counters += counters;
    }

    fn add_pause(&mut self, report: &PauseReport) {
        let pauses = &mut self.result.pauses;
        pauses.count += 1;
        pauses.total += report.pause;
        pauses.longest = pauses.longest.max(report.pause);
        pauses.threads = pauses.threads.max(report.threads);
        pauses.restarted_calls += report.restarted_calls;
        pauses.expired |= report.expired;
    }
}
