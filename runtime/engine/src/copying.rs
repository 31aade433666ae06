//! The mode `copy`: learning what a handler reads, copying that in a pause, running on the copy.
//!
//! Learning takes as long as the walk itself. But a pause copies mappings whole where it can, and most walks have touched
//! every mapping that they will read long before their end. So learning is broken off early, and the run on the copy tells
//! whether that was right: if it wanted no page that was not copied, its result stands. Else it was the learning run, and
//! there is a second pause.

use std::ops::Range;
use std::time::Instant;

use ytrace_lang::compile::Compiled;
use ytrace_lang::execute::Outcome;
use ytrace_lang::ir::FunctionId;
use ytrace_target::{
    AddressSpace, CopyError, CopyOptions, CopyPlan, LiveMemory, Maps, PageCache, PageState,
    PausedCopy, PausedProcess, Process, ThreadSnapshot, copy_ranges, plan_copy,
};
use ytrace_values::{FaultKind, units};

use crate::error::SessionError;
use crate::host::{Effects, Origin, RunHost, Sink};
use crate::memory::TargetMemory;
use crate::moment::PausedMaps;
use crate::options::Mode;
use crate::session::{Session, State, cache_options, is_last};

/// How fast a pause is taken to copy, in bytes a second. A careful figure.
pub(crate) const COPY_SPEED: u64 = 5_000_000_000;

/// After so many steps, learning is looked at: some five, twenty and forty milliseconds. It is broken off where the later
/// look needs nothing copied that would not have been after the earlier one.
const ROUNDS: [u64; 3] = [1 << 19, 1 << 21, 1 << 22];

/// The most addresses, in bytes, that the target mapped during the learning run and that are copied for that reason alone.
const GROWTH: u64 = 256 << 20;

/// The most bytes that a copy takes, beyond what was touched, when learning was broken off: a few milliseconds.
const SMALL_MAPPINGS: u64 = 16 << 20;

/// How often a run on a copy that wanted what was not copied is done again on another copy, before it is left at that.
const RETRIES: usize = 2;

/// What a learning run has found besides the pages that it touched.
pub(crate) struct Learned {
    /// It was broken off.
    broken_off: bool,
    /// The handler asks for registers, which only a stopped thread has.
    registers: bool,
    /// A handler used up its time. The copy would come when that time is over, and would take as much again.
    out_of_time: bool,
    /// How the handlers ended, for a run that none follows.
    outcomes: Vec<Outcome>,
    /// What they showed, for such a run.
    effects: Effects,
}

/// What the first run on a copy came to.
enum Attempt {
    /// All that it wanted had been copied.
    Stands,
    /// It wanted more. These pages were touched.
    Missed(Vec<Range<u64>>),
}

impl Session<'_> {
    /// Learns on live memory what the handler reads, copies that in a pause, and runs on the copy.
    pub(crate) fn run_on_copy(
        &mut self,
        process: &Process,
        state: &mut State<'_>,
        probes: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        // A run whose output is shown as it comes cannot be taken back, nor can one that finds
        // what an earlier one has left in the globals.
        let may_repeat = state.pristine && !state.compiled.typed.views.is_empty();
        sink.progress("learning which memory the probe reads");
        let functions = state.functions(probes);
        if functions
            .iter()
            .any(|function| state.runner.looks_at_target(*function))
        {
            self.see_threads(process, state)?;
        }
        // What an earlier look has read serves the later ones: the copy will hold what is so by then.
        let mut memory = self.live_memory(process)?;
        let before = memory.cache().space().mappings();
        let looks: &[u64] = if may_repeat { &ROUNDS } else { &[] };
        let mut rounds = looks.iter().copied();
        let mut earlier: Vec<Range<u64>> = Vec::new();
        let (mut plan, learned) = loop {
            let steps = rounds.next().unwrap_or(u64::MAX);
            let started = Instant::now();
            let learned = self.learn(state, probes, &mut memory, steps);
            if self.interrupted() || learned.out_of_time {
                self.end_with(learned, state, &memory, sink);
                return Ok(());
            }
            let touched = memory.cache().touched();
            self.result.timings.learn += started.elapsed();
            let mut plan = self.plan(memory.space_mut(), &before, &touched)?;
            if !learned.broken_off {
                break (plan, learned);
            }
            if plan.over {
                // What is left out must be chosen among all that is read.
                rounds = [].iter().copied();
                continue;
            }
            let new = |range: &Range<u64>| {
                !earlier
                    .iter()
                    .any(|known| known.start <= range.start && range.end <= known.end)
            };
            let settled = !plan.ranges.is_empty() && !plan.ranges.iter().any(new);
            add_small_mappings(memory.space_mut(), &mut plan)?;
            if !settled {
                earlier = plan.ranges;
                continue;
            }
            memory.forget();
            match self.attempt(process, state, probes, &plan, sink) {
                Ok(Attempt::Stands) => {
                    self.result.counters.bytes_read += memory.counters().bytes_read;
                    return Ok(());
                }
                Ok(Attempt::Missed(touched)) => {
                    break (self.plan(memory.space_mut(), &before, &touched)?, learned);
                }
                // The copy below meets the same limit, and what follows from it is said there.
                Err(SessionError::Copy(CopyError::Budget { .. })) => break (plan, learned),
                Err(error) => return Err(error),
            }
        };
        self.result.counters.bytes_read += memory.counters().bytes_read;
        if plan.ranges.is_empty() && !learned.registers {
            // Nothing that can change is read, so nothing is stopped.
            self.note_choice("live, for nothing read can change".to_owned());
            drop(memory);
            return self.run_live(state, probes, sink);
        }
        // What the target maps between planning and pausing is missed. On a busy machine that is likely, and the plan after
        // a miss knows it.
        memory.forget();
        let retries = if may_repeat && !plan.over { RETRIES } else { 0 };
        for _ in 0..retries {
            match self.attempt(process, state, probes, &plan, sink) {
                Ok(Attempt::Stands) => return Ok(()),
                Ok(Attempt::Missed(touched)) => {
                    plan = self.plan(memory.space_mut(), &before, &touched)?;
                }
                Err(SessionError::Copy(CopyError::Budget { .. })) => break,
                Err(error) => return Err(error),
            }
        }
        drop(memory);
        let (mut memory, threads) = match self.copy(process, &plan, sink) {
            Err(SessionError::Copy(CopyError::Budget {
                needed,
                allowed,
                limit,
            })) if self.mode == Mode::Auto => {
                let (needed, allowed) = (units::bytes(needed), units::bytes(allowed));
                self.result.partial(format!(
                    "{needed} would have to be copied, and {allowed} may be ({limit}); the target ran while it was read"
                ));
                self.note_choice("live, as a copy would take too much memory".to_owned());
                return self.run_live(state, probes, sink);
            }
            copied => copied?,
        };
        let paused = PausedMaps::new(memory.space());
        self.execute(state, probes, &mut memory, &threads, Some(&paused), sink);
        self.add_counters(memory.counters());
        Ok(())
    }

    /// Stops the target for a moment if the program has thread-local variables, reads thread pointers or asks for stacks, and
    /// there are threads whose registers have not been seen: only these tell where the variables and the stacks are, and what a
    /// learning run does not touch is not copied. A thread keeps its thread pointer and its stack for life, so timers stop the
    /// target anew only after it has started threads.
    pub(crate) fn see_threads(
        &mut self,
        process: &Process,
        state: &State<'_>,
    ) -> Result<(), SessionError> {
        let typed = &state.compiled.typed;
        if typed.thread_locals.is_empty() && !typed.thread_pointers && !typed.stacks {
            return Ok(());
        }
        let threads = process.threads()?;
        let known = |tid: &i32| self.seen_threads.iter().any(|seen| seen.tid == *tid);
        if threads.iter().all(known) {
            return Ok(());
        }
        let options = self.stop_options();
        let paused = || PausedProcess::stop(&self.stopper, process, &options);
        let paused = self.in_turn(|| Ok(paused()?))?;
        self.seen_threads = paused.threads().to_vec();
        let report = paused.resume()?;
        self.add_pause(&report);
        Ok(())
    }

    /// Lets a learning run stand as the run that counts: the user ended it, or its time is over. Nothing is stopped any more.
    fn end_with(
        &mut self,
        learned: Learned,
        state: &mut State<'_>,
        memory: &TargetMemory<LiveMemory>,
        sink: &mut dyn Sink,
    ) {
        if learned.effects.more_text > 0 {
            self.result.partial(format!(
                "{} of output were not kept: they were printed before anything was copied",
                units::bytes(learned.effects.more_text)
            ));
        }
        if learned.registers {
            self.result.partial(
                "registers and stacks were not those of a pause: the handler ended before anything was copied",
            );
        }
        let compiled = state.compiled;
        state.effects.take_over(learned.effects, compiled, sink);
        if self.interrupted() {
            self.result.partial(
                "interrupted before anything was copied: what is shown was read while the target ran",
            );
            state.end = true;
        } else {
            for outcome in &learned.outcomes {
                state.end |= self.account(outcome, state.compiled);
            }
            self.result.note(
                "its time was over before anything was copied: the target ran while it was read",
            );
        }
        self.note_mode(Mode::Live);
        self.note_choice("ended before the copy".to_owned());
        self.add_counters(memory.counters());
    }

    /// What a pause is to copy: what was touched, and what the target has mapped since, for older objects may refer to it.
    pub(crate) fn plan(
        &mut self,
        live: &mut LiveMemory,
        before: &Maps,
        touched: &[Range<u64>],
    ) -> Result<CopyPlan, SessionError> {
        let started = Instant::now();
        live.refresh_mappings()?;
        let mut plan = plan_copy(live, touched, self.options.max_pause, COPY_SPEED)?;
        if !plan.ranges.is_empty() {
            plan.ranges.extend(before.growth(&live.mappings(), GROWTH));
        }
        self.result.timings.copy += started.elapsed();
        Ok(plan)
    }

    /// Stops the target and copies.
    pub(crate) fn copy(
        &mut self,
        process: &Process,
        plan: &CopyPlan,
        sink: &mut dyn Sink,
    ) -> Result<(TargetMemory<PausedCopy>, Vec<ThreadSnapshot>), SessionError> {
        sink.progress("copying");
        let started = Instant::now();
        let options = CopyOptions {
            stop: self.stop_options(),
            read_swap: self.options.read_swap,
            ..CopyOptions::default()
        };
        let copied = || copy_ranges(&self.stopper, process, &plan.ranges, &options);
        let copy = self.in_turn(|| Ok(copied()?))?;
        self.note_mode(Mode::Copy);
        self.note_choice(match copy.copied_bytes() {
            0 => "copy, for registers".to_owned(),
            bytes => format!("copy, for {} that can change", units::bytes(bytes)),
        });
        self.add_pause(copy.report());
        self.result.copied += copy.copied_bytes();
        let threads = copy.threads().to_vec();
        let memory = TargetMemory::new(PageCache::new(copy, cache_options())?);
        self.result.timings.copy += started.elapsed();
        sink.progress("walking the copy");
        Ok((memory, threads))
    }

    /// Copies and runs, on what a learning run that was broken off has touched. Leaves no trace, but for the pause, if
    /// that was not enough.
    fn attempt(
        &mut self,
        process: &Process,
        state: &mut State<'_>,
        probes: &[usize],
        plan: &CopyPlan,
        sink: &mut dyn Sink,
    ) -> Result<Attempt, SessionError> {
        let (mut memory, threads) = self.copy(process, plan, sink)?;
        let started = Instant::now();
        let paused = PausedMaps::new(memory.space());
        let mut recorder = Recorder::default();
        let mut effects = state.effects.clone();
        let mut host = RunHost::new(&self.target, &self.names, &mut effects)
            .shown_on(&mut recorder)
            .with_threads(&threads)
            .with_paused(Some(&paused))
            .with_thread_locals(&state.compiled.typed.thread_locals)
            .watching(self.watched)
            .named(self.words.as_deref());
        let mut outcomes: Vec<Outcome> = Vec::new();
        for function in state.functions(probes) {
            let (runner, store) = (&mut *state.runner, &mut *state.store);
            host.runs(state.compiled, function);
            let outcome = runner.run(function, store, &mut memory, &mut host, self.options);
            let last = is_last(&outcome);
            outcomes.push(outcome);
            if last {
                break;
            }
        }
        let counters = memory.counters();
        // A run that the user, the target or the clock ended cannot be done again, and after a pause that reached its limit
        // another one is not owed.
        let expired = memory.cache().space().report().expired;
        let last = self.interrupted()
            || process.exited()
            || expired
            || outcomes.iter().any(is_out_of_time);
        if counters.missed == 0 || last {
            self.result.timings.run += started.elapsed();
            recorder.replay(state.compiled, sink);
            *state.effects = effects;
            state.pristine = false;
            self.add_counters(counters);
            for outcome in outcomes {
                state.end |= self.account(&outcome, state.compiled);
            }
            return Ok(Attempt::Stands);
        }
        self.result.counters.bytes_read += counters.bytes_read;
        let touched = memory.cache().touched();
        drop(memory);
        let mut live = self.live_memory(process)?;
        let mut nothing = Effects::default();
        let mut host = RunHost::new(&self.target, &self.names, &mut nothing);
        *state.store = state.runner.store(&mut live, &mut host, self.options).0;
        self.result.timings.learn += started.elapsed();
        Ok(Attempt::Missed(touched))
    }

    /// Runs whose effects are discarded, each of at most so many steps.
    pub(crate) fn learn(
        &mut self,
        state: &mut State<'_>,
        probes: &[usize],
        memory: &mut TargetMemory<LiveMemory>,
        steps: u64,
    ) -> Learned {
        let mut effects = Effects {
            learning: true,
            values_wanted: self.options.values,
            ..Effects::default()
        };
        let mut host = RunHost::new(&self.target, &self.names, &mut effects)
            .with_threads(&self.seen_threads)
            .with_thread_locals(&state.compiled.typed.thread_locals)
            .watching(self.watched)
            .named(self.words.as_deref());
        // A fresh store touches less memory than a copy of one with large arrays.
        let mut store = if state.pristine {
            state.runner.store(memory, &mut host, self.options).0
        } else {
            state.store.clone()
        };
        // However they end, what they touched is learned. They may race with the target.
        let mut outcomes: Vec<Outcome> = Vec::new();
        for function in state.functions(probes) {
            host.runs(state.compiled, function);
            let outcome =
                state
                    .runner
                    .run_for(function, &mut store, memory, &mut host, self.options, steps);
            let last = is_last(&outcome);
            outcomes.push(outcome);
            if last {
                break;
            }
        }
        let exhausted = outcomes
            .iter()
            .any(|outcome| ended_by(outcome, FaultKind::StepsExhausted));
        let broken_off = steps < self.options.budgets.steps && exhausted;
        // Of handlers that were broken off, nothing is known.
        let out_of_time = !broken_off && outcomes.iter().any(is_out_of_time);
        if self.interrupted() || out_of_time {
            // There will be no other run. What this one has gathered is still of use.
            *state.store = store;
            state.pristine = false;
        }
        Learned {
            broken_off,
            registers: effects.registers_wanted,
            out_of_time,
            outcomes,
            effects,
        }
    }
}

fn ended_by(outcome: &Outcome, kind: FaultKind) -> bool {
    matches!(&outcome.result, Err(fault) if fault.fault.kind == kind)
}

fn is_out_of_time(outcome: &Outcome) -> bool {
    ended_by(outcome, FaultKind::TimeExhausted)
}

/// Adds the smallest of the private writable mappings that have not been touched: a walk comes by the data of a library or
/// by a part of a heap at its end, and copying them costs less than a second pause.
fn add_small_mappings(live: &mut LiveMemory, plan: &mut CopyPlan) -> Result<(), SessionError> {
    let maps = live.mappings();
    let mut small = Vec::new();
    for mapping in maps.overlapping(0..u64::MAX) {
        let permissions = mapping.permissions;
        let private = permissions.read && permissions.write && !permissions.shared;
        let range = mapping.range();
        let planned = |known: &Range<u64>| known.start < range.end && range.start < known.end;
        if !private || plan.ranges.iter().any(planned) {
            continue;
        }
        let present: u64 = live
            .presence(range.start, range.end)?
            .iter()
            .filter(|run| run.state == PageState::Present)
            .map(|run| run.end - run.start)
            .sum();
        small.push((present, range));
    }
    small.sort_by_key(|(present, _)| *present);
    let mut left = SMALL_MAPPINGS;
    for (present, range) in small {
        let Some(rest) = left.checked_sub(present) else {
            break;
        };
        left = rest;
        plan.bytes += present;
        plan.ranges.push(range);
    }
    Ok(())
}

/// Keeps what a run shows until it is known that the run counts.
#[derive(Default)]
struct Recorder {
    shown: Vec<Shown>,
}

enum Shown {
    /// With the handler that printed it.
    Text(Option<FunctionId>, Vec<u8>),
    Warning(String),
}

impl Recorder {
    fn replay(self, compiled: &Compiled, sink: &mut dyn Sink) {
        for shown in self.shown {
            match shown {
                Shown::Text(function, text) => {
                    sink.printed(&Origin::of(compiled, function), &text);
                }
                Shown::Warning(text) => sink.warn(&text),
            }
        }
    }
}

impl Sink for Recorder {
    fn begin(&mut self, _streams: bool) {}

    fn text(&mut self, text: &[u8]) {
        self.shown.push(Shown::Text(None, text.to_vec()));
    }

    fn printed(&mut self, origin: &Origin<'_>, text: &[u8]) {
        self.shown.push(Shown::Text(origin.function, text.to_vec()));
    }

    fn warn(&mut self, text: &str) {
        self.shown.push(Shown::Warning(text.to_owned()));
    }

    fn progress(&mut self, _text: &str) {}
}
