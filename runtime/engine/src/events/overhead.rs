//! How much slower the target is to be expected, before it is probed: its hits are counted for a moment.

use std::time::{Duration, Instant};

use ytrace_target::Process;
use ytrace_target::events::{
    EventSession, HitCost, HitProgram, Part, Probe, Source, Step, Totals, Value,
};

use super::attach::{STACK_BYTES, event_options, publish};
use crate::host::Sink;
use crate::session::{Session, State};

/// How long hits are counted.
const COUNTING: Duration = Duration::from_millis(200);
/// An interrupt is seen after this long at most.
const SLICE: Duration = Duration::from_millis(20);

/// A kernel's probe as the estimate sees it.
pub(super) struct Expected<'a> {
    /// What is to be attached.
    pub(super) probe: &'a Probe,
    /// How many of its sites the kernel has to single-step.
    pub(super) stepped: usize,
}

impl Session<'_> {
    /// Counts the hits of probes for a moment, and says how much slower the target is to be expected with them.
    ///
    /// # Errors
    /// That is more than is allowed, or the kernel refuses.
    pub(super) fn foresee(
        &mut self,
        process: &Process,
        state: &State<'_>,
        probes: &[Expected<'_>],
        settled: &[(u64, u64)],
        sink: &mut dyn Sink,
    ) -> Result<(), super::EventFailure> {
        let own = state
            .compiled
            .typed
            .max_overhead
            .map(|percent| percent as f64);
        let Some(limit) = self.options.max_overhead.or(own) else {
            return Ok(());
        };
        // What was started for this does not run yet.
        if self.command.is_some() {
            return Ok(());
        }
        sink.progress("counting hits");
        let cost = HitCost::measure(STACK_BYTES)?;
        let counting: Vec<Probe> = probes
            .iter()
            .map(|expected| Probe {
                program: counting(&expected.probe.program),
                source: expected.probe.source.clone(),
            })
            .collect();
        let mut session = EventSession::new(process, event_options())?;
        publish(&mut session, settled, state.store)?;
        session.shut();
        let ids = session.attach(counting)?.probes;
        session.open();
        let (begun, busy) = (Instant::now(), process.processor_time());
        while begun.elapsed() < COUNTING && !self.interrupted() && !process.exited() {
            std::thread::sleep(SLICE);
        }
        session.shut();
        let elapsed = begun.elapsed().as_secs_f64();
        let busy = match (busy, process.processor_time()) {
            (Some(before), Some(after)) => after.saturating_sub(before).as_secs_f64(),
            _ => 0.0,
        };
        session.suspend();
        let sessions = session.facilities().uprobe_session;
        let (mut hits, mut counted, mut expected) = (0, 0.0, 0.0);
        for (probe, id) in probes.iter().zip(ids) {
            let totals = session.totals(id)?;
            hits += totals.entry.hits;
            counted += seconds(&cost, probe, &totals, false, sessions);
            expected += seconds(&cost, probe, &totals, true, sessions);
        }
        drop(session);
        // Where the target waits, what a hit takes is taken from its waiting.
        let work = (busy.max(elapsed) - counted).max(elapsed / 10.0);
        // Probes that are in place for a part of the time cost no more than that part.
        let share = self.options.duty.map_or(1.0, |percent| percent / 100.0);
        let whole = 100.0 * expected / work;
        let percent = share * whole;
        let rate = hits as f64 / elapsed.max(f64::EPSILON);
        let text = format!(
            "expected slowdown {percent:.1} %{}: {} hits a second",
            match self.options.duty {
                Some(_) => format!(" ({whole:.1} % in windows)"),
                None => String::new(),
            },
            ytrace_values::units::thousands(rate as u64)
        );
        sink.progress("");
        if percent > limit && !self.options.force {
            return Err(super::EventFailure::Overhead {
                percent,
                limit,
                rate: rate as u64,
            });
        }
        sink.remark(&text);
        self.result.note(text);
        Ok(())
    }
}

/// How long hits take the target: if they are only counted, or if all is done.
///
/// `sessions`: the kernel asks at the entry whether the return is wanted; else it sees to the return of each call.
fn seconds(
    cost: &HitCost,
    expected: &Expected<'_>,
    totals: &Totals,
    all: bool,
    sessions: bool,
) -> f64 {
    let Expected { probe, stepped } = expected;
    let hits = totals.entry.hits as f64;
    let wanted = hits - (totals.entry.filtered + totals.entry.unsampled) as f64;
    let mut each = cost.counted;
    if let Source::Sites(sites) = &probe.source
        && !sites.is_empty()
    {
        let share = *stepped as f64 / sites.len() as f64;
        each += share * (cost.stepped - cost.counted).max(0.0);
    }
    let mut nanoseconds = hits * each;
    if all {
        let program = &probe.program;
        let parts = [Some(&program.entry), program.on_return.as_ref()];
        for part in parts.into_iter().flatten() {
            // A record without a stack is small.
            let share = part.steps.iter().find_map(|step| match step {
                Step::Emit(emit) if emit.stack_bytes > 0 => Some(1.0),
                Step::Emit(_) => Some(0.2),
                // What always counts sends none.
                Step::Count {
                    condition: None, ..
                } => Some(0.1),
                _ => None,
            });
            nanoseconds += wanted * share.unwrap_or(0.0) * (cost.recorded - cost.counted).max(0.0);
        }
        if program.on_return.is_some() {
            let returns = if sessions { wanted } else { hits };
            nanoseconds += returns * (cost.returned - cost.counted).max(0.0);
        }
    }
    nanoseconds / 1e9
}

/// A program that only counts: what decides which hits count, and nothing after that.
fn counting(program: &HitProgram) -> HitProgram {
    let mut part: Part = program.entry.clone();
    let decides = |step: &Step| {
        matches!(
            step,
            Step::Capture { .. } | Step::ReturnIf { .. } | Step::Sample { .. }
        )
    };
    let length = part.steps.iter().take_while(|step| decides(step)).count();
    part.steps.truncate(length);
    for value in &mut part.values {
        let step = match value {
            Value::Slot { capture, .. } => *capture,
            Value::Length(step) | Value::Weight(step) | Value::Found(step) | Value::Lost(step) => {
                *step
            }
            _ => continue,
        };
        if step.0 as usize >= length {
            *value = Value::Constant(0);
        }
    }
    HitProgram {
        entry: part,
        ..HitProgram::default()
    }
}
