//! Runs of handlers, in each mode, and the timers that cause them.

use std::time::{Duration, Instant};

use ytrace_target::{Counters, PauseReport, PausedProcess, Process, StopOptions, ThreadSnapshot};
use ytrace_values::Memory;

use crate::error::SessionError;
use crate::host::{RunHost, Sink};
use crate::memory::GoneMemory;
use crate::options::Mode;
use crate::series::Recorder;
use crate::session::{EXITED, Session, State};
use crate::target::Target;

impl Session<'_> {
    /// Runs the handlers of probes that are due together, one after another on one view of the target.
    pub(crate) fn run_handlers(
        &mut self,
        state: &mut State<'_>,
        probes: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        for function in state.functions(probes) {
            self.prepare(state.runner, function);
        }
        let Some(process) = self.running() else {
            return self.run_held(state, probes, sink);
        };
        if process.exited() {
            self.run_without_target(state, probes, sink);
            sink.flush();
            return Ok(());
        }
        let run = match self.mode {
            Mode::Live | Mode::Held | Mode::Core => self.run_live(state, probes, sink),
            Mode::Stop => {
                let functions = state.functions(probes);
                let mut functions = functions.into_iter();
                if functions.any(|function| state.runner.looks_at_target(function)) {
                    self.run_stopped(&process, state, probes, sink)
                } else {
                    self.run_live(state, probes, sink)
                }
            }
            Mode::Copy | Mode::Auto => self.run_on_copy(&process, state, probes, sink),
        };
        sink.flush();
        match run {
            Err(error) if error.is_exit() || process.exited() => {
                // What was gathered before is still of use.
                self.result.partial(EXITED);
                state.end = true;
                Ok(())
            }
            run => run,
        }
    }

    /// Runs a handler after the target's end: it has what was gathered, and no memory to read.
    fn run_without_target(&mut self, state: &mut State<'_>, probes: &[usize], sink: &mut dyn Sink) {
        self.result.partial(EXITED);
        let mut memory = GoneMemory {
            page_size: self.page_size,
        };
        self.execute(state, probes, &mut memory, &[], sink);
    }

    pub(crate) fn run_live(
        &mut self,
        state: &mut State<'_>,
        probes: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        self.note_mode(Mode::Live);
        let mut memory = self.memory()?;
        self.execute(state, probes, &mut *memory, &[], sink);
        self.add_counters(memory.counters());
        Ok(())
    }

    /// Reads a process that is held at its exit, or what has been left of one: nothing changes, and nothing need be stopped.
    fn run_held(
        &mut self,
        state: &mut State<'_>,
        probes: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        self.note_mode(match self.target {
            Target::Process(_) => Mode::Held,
            Target::Core(_) => Mode::Core,
        });
        let mut memory = self.memory()?;
        let threads = self.held.clone().unwrap_or_default();
        self.execute(state, probes, &mut *memory, &threads, sink);
        self.add_counters(memory.counters());
        Ok(())
    }

    fn run_stopped(
        &mut self,
        process: &Process,
        state: &mut State<'_>,
        probes: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        self.note_mode(Mode::Stop);
        let options = self.stop_options();
        // All that can be done before the pause is: what is left for it is to look at the mappings again.
        let mut memory = self.live_memory(process)?;
        if state.compiled.typed.stacks {
            self.names.prepare_stacks();
        }
        let paused = || PausedProcess::stop(&self.stopper, process, &options);
        let paused = self.in_turn(|| Ok(paused()?))?;
        memory.space_mut().refresh_mappings()?;
        self.execute(state, probes, &mut memory, paused.threads(), sink);
        let expired = !paused.is_stopped();
        let report = paused.resume()?;
        self.add_pause(&PauseReport {
            expired: expired || report.expired,
            ..report
        });
        self.add_counters(memory.counters());
        Ok(())
    }

    /// The runs that count.
    pub(crate) fn execute(
        &mut self,
        state: &mut State<'_>,
        probes: &[usize],
        memory: &mut dyn Memory,
        threads: &[ThreadSnapshot],
        sink: &mut dyn Sink,
    ) {
        for function in state.functions(probes) {
            let started = Instant::now();
            let mut host = RunHost::new(&self.target, &self.names, state.effects)
                .shown_on(sink)
                .with_threads(threads)
                .with_thread_locals(&state.compiled.typed.thread_locals);
            state.pristine = false;
            let outcome = state
                .runner
                .run(function, state.store, memory, &mut host, self.options);
            self.result.timings.run += started.elapsed();
            if self.account(&outcome, state.compiled) {
                state.end = true;
                return;
            }
        }
    }

    /// Runs timers until `_exit()`, Ctrl-C, or the end of the target.
    pub(crate) fn run_timers(
        &mut self,
        process: &Process,
        state: &mut State<'_>,
        timers: &[(usize, u64)],
        recorder: &mut Recorder,
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
            let Some((at, _, _)) = due.iter().min().copied() else {
                return Ok(());
            };
            if self.wait_until(process, at) {
                break;
            }
            // Those that are due by now share a view of the target, and so a pause. In the order of the file.
            let now = Instant::now();
            let probes: Vec<usize> = due
                .iter()
                .filter(|(at, _, _)| *at <= now)
                .map(|(_, probe, _)| *probe)
                .collect();
            self.run_handlers(state, &probes, sink)?;
            recorder.sample(&probes, state.store, self.started.elapsed());
            sink.progress("");
            let now = Instant::now();
            for (at, probe, interval) in &mut due {
                if probes.contains(probe) {
                    *at = next_round(*at, *interval, now);
                }
            }
        }
        Ok(())
    }

    /// Waits; true if the target exited or the user interrupted before.
    fn wait_until(&self, process: &Process, at: Instant) -> bool {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        /// An interrupt between the check and the wait is seen after this long at most.
        const SLICE: Duration = Duration::from_millis(200);
        loop {
            if self.interrupted() || process.exited() {
                return true;
            }
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let timeout = PollTimeout::try_from(left.min(SLICE)).unwrap_or(PollTimeout::ZERO);
            // The descriptor becomes readable when the target exits. A wait that is interrupted is
            // taken up again.
            let _ = match process.pidfd() {
                Some(descriptor) => {
                    poll(&mut [PollFd::new(descriptor, PollFlags::POLLIN)], timeout)
                }
                None => poll(&mut [], timeout),
            };
        }
    }

    pub(crate) fn stop_options(&self) -> StopOptions {
        StopOptions {
            max_pause: self.options.max_pause,
            ..StopOptions::default()
        }
    }

    pub(crate) fn note_mode(&mut self, mode: Mode) {
        if !self.result.modes.contains(&mode) {
            self.result.modes.push(mode);
        }
    }

    /// Does what stops the target when no other run of ytrace holds it: a process has one tracer at a time, and theirs are brief.
    pub(crate) fn in_turn<T>(
        &self,
        stop: impl Fn() -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        use ytrace_target::{CopyError, StopError};
        /// How long to wait for others.
        const PATIENCE: Duration = Duration::from_secs(5);
        /// How long to wait between two tries.
        const PERIOD: Duration = Duration::from_millis(2);
        let begun = Instant::now();
        loop {
            let error = match stop() {
                Err(error) => error,
                done => return done,
            };
            let brief = match &error {
                SessionError::Stop(error) | SessionError::Copy(CopyError::Stop(error)) => {
                    // One without a name has ended since.
                    matches!(error, StopError::AlreadyTraced { name, .. }
                        if name.as_ref().is_none_or(|name| name == ytrace_target::TRACER_NAME))
                }
                _ => false,
            };
            if !brief || self.interrupted() || begun.elapsed() > PATIENCE {
                return Err(error);
            }
            std::thread::sleep(PERIOD);
        }
    }

    /// Says which mode was chosen, and why.
    pub(crate) fn note_choice(&mut self, choice: String) {
        if self.options.mode != Mode::Auto {
            return;
        }
        const ONLY_READ: &str = "auto: live, ";
        let choice = format!("auto: {choice}");
        let notes = &mut self.result.notes;
        // A session of several handlers tells of the first that needed more than reading.
        match notes.iter_mut().find(|note| note.starts_with("auto: ")) {
            None => notes.push(choice),
            Some(known) if known.starts_with(ONLY_READ) => *known = choice,
            Some(_) => {}
        }
    }

    pub(crate) fn add_counters(&mut self, counters: Counters) {
        self.result.counters += counters;
    }

    pub(crate) fn add_pause(&mut self, report: &PauseReport) {
        let pauses = &mut self.result.pauses;
        pauses.count += 1;
        pauses.total += report.pause;
        pauses.longest = pauses.longest.max(report.pause);
        pauses.threads = pauses.threads.max(report.threads);
        pauses.restarted_calls += report.restarted_calls;
        pauses.expired |= report.expired;
    }
}

/// When a timer that was due at `at` is due next: a whole number of intervals later, after `now`. A handler that takes longer
/// than its interval skips rounds.
fn next_round(at: Instant, interval: Duration, now: Instant) -> Instant {
    let late = now.saturating_duration_since(at).as_nanos();
    let rounds = late / interval.as_nanos().max(1) + 1;
    let ahead = rounds.saturating_mul(interval.as_nanos());
    at + Duration::from_nanos(u64::try_from(ahead).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_that_were_missed_are_skipped_at_once() {
        let at = Instant::now();
        let second = Duration::from_secs(1);
        assert_eq!(next_round(at, second, at), at + second);
        assert_eq!(next_round(at, second, at + second), at + 2 * second);
        assert_eq!(next_round(at, second, at + second * 7 / 2), at + 4 * second);
        // An hour late with the shortest interval: no loop over the rounds.
        let hour = Duration::from_secs(3600);
        let shortest = Duration::from_nanos(1);
        assert_eq!(next_round(at, shortest, at + hour), at + hour + shortest);
    }
}
