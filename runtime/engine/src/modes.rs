//! Runs of handlers, in each mode, and the timers that cause them.

use std::time::{Duration, Instant};

use ytrace_target::{Counters, PauseReport, PausedProcess, Process, StopOptions, ThreadSnapshot};
use ytrace_values::{Machine, Memory};

use crate::error::SessionError;
use crate::host::{RunHost, Sink};
use crate::memory::GoneMemory;
use crate::moment::PausedMaps;
use crate::options::Mode;
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
        let runs = self.runs;
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
                if self.runs == runs {
                    self.run_without_target(state, probes, sink);
                    sink.flush();
                }
                if !self.followed {
                    self.result.partial(EXITED);
                }
                state.end = true;
                Ok(())
            }
            run => run,
        }
    }

    /// Runs a handler after the target's end: it has what was gathered, and no memory to read. One that follows events needs no more, and
    /// where it does, that is a fault.
    fn run_without_target(&mut self, state: &mut State<'_>, probes: &[usize], sink: &mut dyn Sink) {
        if !self.followed {
            self.result.partial(EXITED);
        }
        let mut memory = GoneMemory {
            page_size: self.page_size,
        };
        self.execute(state, probes, &mut memory, &[], None, sink);
    }

    pub(crate) fn run_live(
        &mut self,
        state: &mut State<'_>,
        probes: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        self.note_mode(Mode::Live);
        let mut memory = self.memory()?;
        self.execute(state, probes, &mut *memory, &[], None, sink);
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
        self.execute(state, probes, &mut *memory, &threads, None, sink);
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
        self.execute(state, probes, &mut memory, paused.threads(), None, sink);
        let expired = !paused.is_stopped();
        let report = paused.resume()?;
        self.add_pause(&PauseReport {
            expired: expired || report.expired,
            ..report
        });
        self.add_counters(memory.counters());
        Ok(())
    }

    /// The runs that count; on a copy with the mappings of its pause.
    pub(crate) fn execute(
        &mut self,
        state: &mut State<'_>,
        probes: &[usize],
        memory: &mut dyn Memory,
        threads: &[ThreadSnapshot],
        paused_at: Option<&PausedMaps>,
        sink: &mut dyn Sink,
    ) {
        for function in state.functions(probes) {
            let started = Instant::now();
            let mut host = RunHost::new(&self.target, &self.names, state.effects)
                .shown_on(sink)
                .with_threads(threads)
                .with_paused(paused_at)
                .of_thread(self.hit_thread)
                .with_thread_locals(&state.compiled.typed.thread_locals)
                .watching(self.watched)
                .named(self.words.as_deref());
            host.runs(state.compiled, function);
            state.pristine = false;
            self.runs += 1;
            // What is gathered between windows is part of what these show: the interrupt that ends the waiting for events does not end it.
            let outcome = match self.options.duty.is_some() && self.watched.goes_on() {
                true => {
                    let mut machine = Machine {
                        store: state.store,
                        memory,
                        host: &mut host,
                    };
                    let (patient, longest) = (true, Duration::MAX);
                    let runner = &mut *state.runner;
                    runner.run_for_event(function, &mut machine, self.options, patient, longest)
                }
                false => state
                    .runner
                    .run(function, state.store, memory, &mut host, self.options),
            };
            self.result.timings.run += started.elapsed();
            if self.account(&outcome, state.compiled) {
                state.end = true;
                return;
            }
        }
    }

    pub(crate) fn stop_options(&self) -> StopOptions {
        let usual = StopOptions::default();
        StopOptions {
            max_pause: self.options.max_pause,
            // Who allows a longer pause allows that others of its threads wait for the last as long.
            stop_timeout: self.options.max_pause.max(usual.stop_timeout),
            ..usual
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
        use crate::events::EventFailure;
        use ytrace_target::breakpoints::BreakpointError;
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
                SessionError::Stop(error)
                | SessionError::Copy(CopyError::Stop(error))
                | SessionError::Event {
                    error: EventFailure::Breakpoints(BreakpointError::Stop(error)),
                    ..
                } => {
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
