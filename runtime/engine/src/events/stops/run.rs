//! Running handlers at stops.

use std::time::{Duration, Instant};

use ytrace_lang::execute::Outcome;
use ytrace_lang::hir::ProcessEvent;
use ytrace_lang::ir::FunctionId;
use ytrace_target::breakpoints::{EntryState, Next, Stop, What};
use ytrace_target::{PauseReport, ThreadSnapshot};
use ytrace_values::{FaultKind, Machine, Memory};

use super::calls::Calls;
use super::hit::{StopHit, argument};
use super::{Handler, PlaceUse, Stops};
use crate::error::SessionError;
use crate::host::{RunHost, Sink};
use crate::session::{Session, State};

/// An interrupt is seen after this long at most.
const SLICE: Duration = Duration::from_millis(50);

/// What waiting for a stop has come to.
pub(super) enum Came {
    /// A thread stopped, and stands still until it is let go.
    Stop(Box<Stop>),
    /// The time is over.
    Time,
    /// Nothing more will come.
    Over,
}

/// What the handlers of one stop did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ran {
    /// How many ran.
    pub(super) handlers: u64,
    /// Whether one of them came to its end, without `_next()` or a fault.
    pub(super) to_the_end: bool,
}

impl Session<'_> {
    /// Runs handlers as threads stop, until `until`. True if nothing more will come: the target exited, the user interrupted, or a
    /// handler ended the session.
    pub(crate) fn follow_stops(
        &mut self,
        stops: &mut Stops,
        state: &mut State<'_>,
        until: Option<Instant>,
        sink: &mut dyn Sink,
    ) -> Result<bool, SessionError> {
        loop {
            match self.next_stop(stops, until, sink)? {
                Came::Stop(stop) => {
                    // Its thread would go on by itself while the handler reads.
                    let left = stop.deadline.saturating_sub(ytrace_target::monotonic_ns());
                    if Duration::from_nanos(left) < self.options.max_pause && !changes_all(&stop) {
                        stops.figures.late += 1;
                        stops.skip(&stop);
                    } else {
                        self.run_stop(stops, &stop, state);
                    }
                    self.let_go(stops, &stop, state, sink)?;
                    if state.end {
                        sink.flush();
                        return Ok(true);
                    }
                }
                Came::Time => {
                    sink.flush();
                    return Ok(false);
                }
                Came::Over => {
                    sink.flush();
                    return Ok(true);
                }
            }
        }
    }

    /// Waits for a thread to stop. What was shown before is written when none does.
    pub(super) fn next_stop(
        &mut self,
        stops: &mut Stops,
        until: Option<Instant>,
        sink: &mut dyn Sink,
    ) -> Result<Came, SessionError> {
        loop {
            if self.interrupted() {
                return Ok(Came::Over);
            }
            let now = Instant::now();
            let left = until.map(|until| until.saturating_duration_since(now));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(Came::Time);
            }
            let wait = left.map_or(SLICE, |left| left.min(SLICE));
            match stops.session.next(wait)? {
                Next::Stop(stop) => {
                    stops.figures.stops += 1;
                    if ytrace_target::monotonic_ns() < stop.deadline || changes_all(&stop) {
                        return Ok(Came::Stop(stop));
                    }
                    // Its memory is no longer that of the hit.
                    stops.figures.missed += 1;
                    stops.skip(&stop);
                    stops.session.resume()?;
                }
                Next::Nothing => sink.flush(),
                Next::Gone { .. } => {
                    self.note_end();
                    return Ok(Came::Over);
                }
            }
        }
    }

    /// Lets the thread of a stop go on, and shows what its handlers have said.
    pub(super) fn let_go(
        &mut self,
        stops: &mut Stops,
        stop: &Stop,
        state: &State<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        stops.session.resume()?;
        let held = ytrace_target::monotonic_ns().saturating_sub(stop.time);
        // In the queue, and as a stop: one that was held for longer has gone on by itself.
        let most = stops.max_hold.saturating_mul(2);
        stops.figures.held += Duration::from_nanos(held).min(most);
        stops.output.pass_on(state.compiled, sink);
        Ok(())
    }

    /// Runs the handlers of a stop, in the order of the file.
    pub(super) fn run_stop(
        &mut self,
        stops: &mut Stops,
        stop: &Stop,
        state: &mut State<'_>,
    ) -> Ran {
        let Stops {
            places,
            watches,
            processes,
            handlers,
            calls,
            memory,
            output,
            figures,
            programs,
            ..
        } = stops;
        memory.forget();
        let mut due = Due::default();
        let of_process = |event: ProcessEvent| processes.get(&event).cloned().unwrap_or_default();
        match stop.what {
            What::Entry { place } => {
                let Some(place) = places.get(place) else {
                    return Ran::default();
                };
                self.keep_values(place, handlers, calls, stop, state, memory);
                due.at(place, stop, memory);
            }
            What::Return { place } => {
                let Some(place) = places.get(place) else {
                    return Ran::default();
                };
                due.at(place, stop, memory);
                due.handlers.retain_mut(|one| {
                    let wants = handlers.get(one.handler);
                    if wants.is_none_or(|handler| handler.entry_values.is_empty()) {
                        return true;
                    }
                    let entry = stop.entry.as_ref();
                    let values = entry.and_then(|entry| calls.take(stop.tid, entry, one.handler));
                    figures.unpaired += u64::from(values.is_none());
                    one.entry_values = values.unwrap_or_default();
                    // Without them the handler would do half of its work.
                    !one.entry_values.is_empty()
                });
            }
            What::Watch { watch } => due.all(watches.get(watch).cloned().unwrap_or_default(), None),
            What::ThreadBegin => due.all(of_process(ProcessEvent::ThreadBegin), None),
            What::ThreadEnd { status } => {
                calls.forget_thread(stop.tid);
                due.all(of_process(ProcessEvent::ThreadEnd), Some(status));
            }
            What::Exec => {
                programs.count(stop.pid);
                due.all(of_process(ProcessEvent::Exec), None);
            }
            What::Exit { status } => due.all(of_process(ProcessEvent::Exit), Some(status)),
            What::Signal { number } => due.all(of_process(ProcessEvent::Signal), Some(number)),
        }
        let thread = [ThreadSnapshot {
            tid: stop.tid,
            registers: Some(stop.registers),
        }];
        let mut ran = Ran::default();
        for one in &due.handlers {
            let Some(handler) = handlers.get(one.handler) else {
                continue;
            };
            let hit = StopHit {
                stop,
                thread: &thread,
                function: due.function,
                arguments: &one.arguments,
                entry_values: &one.entry_values,
            };
            let outcome = self.run_at_stop(handler.function, &hit, state, memory, Some(output));
            ran.handlers += 1;
            ran.to_the_end |= outcome.result.is_ok();
            figures.hits += 1;
            if self.account_stop(&outcome, state, figures, output) {
                state.end = true;
                break;
            }
        }
        ran
    }

    /// Keeps what handlers at the return of a function want to know of its entry.
    fn keep_values(
        &mut self,
        place: &PlaceUse,
        handlers: &[Handler],
        calls: &mut Calls,
        stop: &Stop,
        state: &mut State<'_>,
        memory: &mut dyn Memory,
    ) {
        let thread = [ThreadSnapshot {
            tid: stop.tid,
            registers: Some(stop.registers),
        }];
        let entry = EntryState {
            time: stop.time,
            registers: stop.registers,
            vectors: stop.vectors,
        };
        for index in &place.keep {
            let Some(handler) = handlers.get(*index) else {
                continue;
            };
            let mut values = Vec::with_capacity(handler.entry_values.len());
            for function in &handler.entry_values {
                let hit = StopHit {
                    stop,
                    thread: &thread,
                    function: place.function,
                    arguments: &[],
                    entry_values: &[],
                };
                let outcome = self.run_at_stop(*function, &hit, state, memory, None);
                self.result.steps += outcome.steps;
                // A read that fails matters only to a handler that asks for its value.
                values.push(outcome.result.ok());
            }
            calls.keep(stop.tid, &entry, *index, values);
        }
    }

    fn run_at_stop(
        &mut self,
        function: FunctionId,
        hit: &StopHit<'_>,
        state: &mut State<'_>,
        memory: &mut dyn Memory,
        sink: Option<&mut dyn Sink>,
    ) -> Outcome {
        let mut host = RunHost::new(&self.target, &self.names, state.effects)
            .with_threads(hit.thread())
            .with_thread_locals(&state.compiled.typed.thread_locals)
            .watching(self.watched)
            .named(self.words.as_deref())
            .with_stop(hit);
        host.runs(state.compiled, function);
        if let Some(sink) = sink {
            host = host.shown_on(sink);
            state.pristine = false;
        }
        let mut machine = Machine {
            store: state.store,
            memory,
            host: &mut host,
        };
        state.runner.run_for_event(
            function,
            &mut machine,
            self.options,
            self.patient,
            self.options.max_pause,
        )
    }

    /// Notes how a handler ended; tells whether the session is to end. One that held its thread too long is ended, not the session.
    fn account_stop(
        &mut self,
        outcome: &Outcome,
        state: &State<'_>,
        figures: &mut super::Figures,
        sink: &mut dyn Sink,
    ) -> bool {
        let kind = outcome.result.as_ref().err().map(|fault| fault.fault.kind);
        let late = kind == Some(FaultKind::TimeExhausted)
            && self.options.max_pause < self.options.budgets.time;
        if late {
            self.result.steps += outcome.steps;
            figures.ended += 1;
            return false;
        }
        self.tell_budget(outcome, sink);
        self.account(outcome, state.compiled)
    }

    /// Runs handlers of timers. The process has a tracer already, so what they read is read while it runs.
    pub(crate) fn run_beside_stops(
        &mut self,
        state: &mut State<'_>,
        probes: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        let functions = state.functions(probes);
        for function in &functions {
            self.prepare(state.runner, *function);
        }
        if functions
            .iter()
            .any(|function| state.runner.looks_at_target(*function))
        {
            self.result
                .note("what timers read was read while the target ran (--sync)");
        }
        self.run_live(state, probes, sink)?;
        sink.flush();
        Ok(())
    }

    /// Notes a pause of all threads that has ended just now.
    pub(super) fn note_hold(&mut self, began: Instant, threads: usize) {
        let pause = began.elapsed();
        self.add_pause(&PauseReport {
            pause,
            threads,
            expired: pause > self.options.max_pause,
            ..PauseReport::default()
        });
    }
}

/// Whether what is known of the process or of a thread is over with a stop: it is looked at, however late that is.
fn changes_all(stop: &Stop) -> bool {
    matches!(stop.what, What::Exec | What::ThreadEnd { .. })
}

/// The handlers that are due at a stop.
#[derive(Default)]
struct Due {
    /// Where the function begins that was hit, or 0.
    function: u64,
    handlers: Vec<One>,
}

struct One {
    handler: usize,
    arguments: Vec<Option<u64>>,
    entry_values: Vec<Option<u64>>,
}

impl Due {
    /// Those of a place.
    fn at(&mut self, place: &PlaceUse, stop: &Stop, memory: &mut dyn Memory) {
        self.function = place.function;
        for (handler, arguments) in &place.run {
            let values = arguments
                .iter()
                .map(|one| argument(one, &stop.registers, memory));
            self.handlers.push(One {
                handler: *handler,
                arguments: values.collect(),
                entry_values: Vec::new(),
            });
        }
    }

    /// All of these, with the argument that the event gives.
    fn all(&mut self, handlers: Vec<usize>, argument: Option<i32>) {
        let argument = argument.map(|number| i64::from(number).cast_unsigned());
        self.handlers
            .extend(handlers.into_iter().map(|handler| One {
                handler,
                arguments: argument.map(Some).into_iter().collect(),
                entry_values: Vec::new(),
            }));
    }
}
