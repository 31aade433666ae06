//! How much slower the target is to be expected, before it is probed: its hits are counted for a moment.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use ytrace_target::Process;
use ytrace_target::events::{
    Copied, Copies, Emit, EventSession, HitCost, HitProgram, Part, Probe, ProbeId, Record,
    RegisterSet, Step, TableId, TableSpec, Totals, Value,
};

use super::attach::{STACK_BYTES, event_options, publish};
use super::costs::{Done, Expected, Shape, asks_at_entry};
use super::limit::Limit;
use crate::host::Sink;
use crate::session::{Session, State};

/// How long hits are counted.
const COUNTING: Duration = Duration::from_millis(200);
/// An interrupt is seen after this long at most.
const SLICE: Duration = Duration::from_millis(20);
/// One hit in so many sends its stack meanwhile, where the handler wants stacks: so long will those of all others be, too.
const STACKS_EVERY: u64 = 64;

/// What is to be foreseen.
pub(super) struct Foreseen<'a> {
    /// By how many per cent the target may be slower.
    pub(super) percent: f64,
    /// What hits cost.
    pub(super) cost: HitCost,
    pub(super) probes: &'a [Expected<'a>],
    /// The tables that they use, by number, for so many processors.
    pub(super) tables: &'a dyn Fn(usize) -> Vec<TableSpec>,
}

/// What was seen of a probe while hits were counted.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    totals: Totals,
    /// Stacks that came, and their bytes.
    stacks: u64,
    bytes: u64,
    /// Without programs in the kernel: what it has copied meanwhile, and what it would copy at each hit of the probe itself.
    samples: Option<(Copied, [Copies; 2])>,
}

impl Session<'_> {
    /// By how many per cent probes may slow the target, if there is a limit.
    pub(super) fn limit_of(&self, state: &State<'_>) -> Option<f64> {
        let own = state.compiled.typed.max_overhead;
        let own = own.map(|percent| percent as f64);
        self.options.max_overhead.or(own)
    }

    /// Counts the hits of probes for a moment, and says how much slower the target is to be expected with them. Gives what their costs are
    /// to be held against as they go, unless the limit is not to matter.
    ///
    /// # Errors
    /// That is more than is allowed, or the kernel refuses.
    pub(super) fn foresee(
        &mut self,
        process: &Process,
        state: &State<'_>,
        of: &Foreseen<'_>,
        settled: &[(u64, u64)],
        sink: &mut dyn Sink,
    ) -> Result<Option<Limit>, super::EventFailure> {
        let Foreseen {
            percent: limit,
            cost,
            probes,
            tables,
        } = *of;
        sink.progress("counting hits");
        let held = (!self.options.force).then(|| Limit::new(limit));
        // What was started for this does not run yet.
        if self.command.is_some() {
            sink.progress("");
            return Ok(held);
        }
        let mut session = EventSession::new(process, event_options())?;
        publish(&mut session, settled, state.store)?;
        for table in tables(session.processors()) {
            session.add_table(table)?;
        }
        session.shut();
        let counting: Vec<Probe> = probes
            .iter()
            .map(|expected| Probe {
                program: counting(&expected.probe.program),
                source: expected.probe.source.clone(),
            })
            .collect();
        let ids = session.attach(counting)?.probes;
        session.open();
        let (begun, busy) = (Instant::now(), process.processor_time());
        let mut stacks: HashMap<_, (u64, u64)> = HashMap::new();
        while begun.elapsed() < COUNTING && !self.interrupted() && !process.exited() {
            session.poll(Instant::now() + SLICE, |record| see(&mut stacks, record));
        }
        session.shut();
        let elapsed = begun.elapsed().as_secs_f64();
        let busy = match (busy, process.processor_time()) {
            (Some(before), Some(after)) => after.saturating_sub(before).as_secs_f64(),
            _ => 0.0,
        };
        session.suspend();
        // Samples that found no room are known when all others have been read.
        session.poll(Instant::now(), |record| see(&mut stacks, record));
        let sessions = asks_at_entry(&session);
        let mut seen = Vec::with_capacity(ids.len());
        for (id, expected) in ids.into_iter().zip(probes) {
            let (stacks, bytes) = stacks.get(&id).copied().unwrap_or_default();
            let copied = session.copied(id)?;
            seen.push(Seen {
                totals: session.totals(id)?,
                stacks,
                bytes,
                samples: copied.zip(session.copies(expected.probe)?),
            });
        }
        drop(session);
        let hits: u64 = seen.iter().map(|seen| seen.totals.entry.hits).sum();
        let counted = measured(probes, &seen).nanoseconds(&cost) / 1e9;
        let expected = foreseen(probes, &seen, sessions).nanoseconds(&cost) / 1e9;
        // Where the target waits, what a hit takes is taken from its waiting.
        let work = (busy.max(elapsed) - counted).max(elapsed / 10.0);
        // Probes that are in place for a part of the time cost no more than that part.
        let share = self.options.duty.map_or(1.0, |percent| percent / 100.0);
        let whole = 100.0 * expected / work;
        let percent = share * whole;
        let rate = hits as f64 / elapsed.max(f64::EPSILON);
        let text = format!(
            "expected slowdown {percent:.1} %{}: {} hits a second{}",
            match self.options.duty {
                Some(_) => format!(" ({whole:.1} % in windows)"),
                None => String::new(),
            },
            ytrace_values::units::thousands(rate as u64),
            match self.options.children {
                true => ", without those of children",
                false => "",
            }
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
        Ok(held)
    }
}

/// Takes note of the stack of a record.
fn see(stacks: &mut HashMap<ProbeId, (u64, u64)>, record: &Record<'_>) -> ControlFlow<()> {
    let seen = stacks.entry(record.probe()).or_default();
    *seen = (seen.0 + 1, seen.1 + record.stack().len() as u64);
    ControlFlow::Continue(())
}

/// What counting has done itself.
fn measured(probes: &[Expected<'_>], seen: &[Seen]) -> Done {
    let mut done = Done::default();
    for (expected, seen) in probes.iter().zip(seen) {
        let hits = seen.totals.entry.hits as f64;
        if let Some((copied, _)) = seen.samples {
            let shape = Shape {
                at_return: None,
                ..Shape::of(expected)
            };
            done.add(shape.sampled(hits, copied));
            continue;
        }
        done.add(Done {
            hits,
            stepped: hits * Shape::of(expected).stepped,
            added: seen.totals.entry.counted as f64,
            records: seen.stacks as f64,
            bytes: seen.bytes as f64,
            ..Done::default()
        });
    }
    done
}

/// What the probes would have done in the same time.
fn foreseen(probes: &[Expected<'_>], seen: &[Seen], sessions: bool) -> Done {
    let wanted = |expected: &Expected<'_>, seen: &Seen| {
        let entry = &seen.totals.entry;
        let unsampled = match samples(&expected.probe.program) {
            true => entry.unsampled,
            // It is the sample of stacks that left these out.
            false => 0,
        };
        let dropped = entry.filtered + unsampled + entry.counted;
        entry.hits.saturating_sub(dropped)
    };
    // So many keys come into each table.
    let mut inserted: HashMap<TableId, u64> = HashMap::new();
    for (expected, seen) in probes.iter().zip(seen) {
        for table in tables(&expected.probe.program, inserts) {
            *inserted.entry(table).or_default() += wanted(expected, seen);
        }
    }
    let mut done = Done::default();
    for (expected, seen) in probes.iter().zip(seen) {
        let shape = Shape::of(expected);
        let program = &expected.probe.program;
        if let Some((copied, copies)) = seen.samples {
            // Stacks were sampled as they would be, if any are wanted.
            let samples = (stack_of(program).is_some() && copied.registers > 0).then_some(copied);
            let mean = samples.map(|one| one.stack_bytes as f64 / one.registers as f64);
            done.add(shape.sampled_by(seen.totals.entry.hits, copies, mean));
            continue;
        }
        let passing = wanted(expected, seen);
        // A hit that is only wanted where a key is there, and takes it away, comes no more often than keys do.
        let removed = tables(program, removes);
        let mut sought = tables(program, seeks).into_iter().peekable();
        let handled = match sought.peek().is_some() {
            true => sought
                .map(|table| match removed.contains(&table) {
                    true => inserted.get(&table).copied().unwrap_or(0),
                    false => u64::MAX,
                })
                .fold(0, u64::saturating_add)
                .min(passing),
            false => passing,
        };
        let hits = seen.totals.entry.hits as f64;
        let mut one = Done {
            hits,
            stepped: hits * shape.stepped,
            added: seen.totals.entry.counted as f64,
            ..Done::default()
        };
        if shape.sends {
            one.records += handled as f64;
        }
        match shape.at_return {
            Some(true) => one.records += handled as f64,
            Some(false) => one.added += handled as f64,
            None => {}
        }
        if shape.at_return.is_some() {
            one.returns = if sessions { passing as f64 } else { hits };
        }
        if stack_of(program).is_some() {
            let mean = match seen.stacks {
                0 => f64::from(STACK_BYTES),
                stacks => seen.bytes as f64 / stacks as f64,
            };
            one.bytes = one.records * mean;
        }
        done.add(one);
    }
    done
}

/// The tables of some of the steps of a program.
fn tables(program: &HitProgram, of: fn(&Step) -> Option<TableId>) -> Vec<TableId> {
    let parts = [Some(&program.entry), program.on_return.as_ref()];
    let steps = parts.into_iter().flatten().flat_map(|part| &part.steps);
    let mut tables: Vec<TableId> = steps.filter_map(of).collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

/// The table that a step puts a key into, whatever becomes of the record.
fn inserts(step: &Step) -> Option<TableId> {
    match step {
        Step::Put {
            table, when: None, ..
        } => Some(*table),
        _ => None,
    }
}

/// The table that a step takes a key out of.
fn removes(step: &Step) -> Option<TableId> {
    match step {
        Step::Remove {
            table, when: None, ..
        } => Some(*table),
        _ => None,
    }
}

/// The table that a step looks a key up in.
fn seeks(step: &Step) -> Option<TableId> {
    match step {
        Step::Lookup { table, .. } => Some(*table),
        _ => None,
    }
}

/// What decides which hits count, and what is added where they end: what is carried out while hits are counted.
fn decides(step: &Step) -> bool {
    matches!(
        step,
        Step::Capture { .. } | Step::ReturnIf { .. } | Step::Sample { .. } | Step::Count { .. }
    )
}

/// Whether a program draws a sample itself.
fn samples(program: &HitProgram) -> bool {
    let steps = program.entry.steps.iter().take_while(|step| decides(step));
    steps
        .into_iter()
        .any(|step| matches!(step, Step::Sample { .. }))
}

/// How much of the stack its records have.
fn stack_of(program: &HitProgram) -> Option<&Emit> {
    let parts = [Some(&program.entry), program.on_return.as_ref()];
    let steps = parts.into_iter().flatten().flat_map(|part| &part.steps);
    steps.into_iter().find_map(|step| match step {
        Step::Emit(emit) if emit.stack_bytes > 0 => Some(emit),
        _ => None,
    })
}

/// A program that only counts: what decides which hits count, and after that no more than a sample of stacks.
fn counting(program: &HitProgram) -> HitProgram {
    let mut part: Part = program.entry.clone();
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
    if let Some(emit) = stack_of(program) {
        // A program that draws a sample itself sends what is in it.
        if !samples(program) {
            let bytes = part.value(Value::Constant(1));
            part.step(Step::Sample {
                bytes,
                every: STACKS_EVERY,
            });
        }
        part.step(Step::Emit(Emit {
            registers: RegisterSet::UNWIND,
            stack_bytes: emit.stack_bytes,
            stack_expected: emit.stack_expected,
            ..Emit::default()
        }));
    }
    HitProgram {
        entry: part,
        ..HitProgram::default()
    }
}

#[cfg(test)]
mod tests {
    use ytrace_target::events::{PartTotals, Source, ValueId};

    use super::*;

    const LIVE: TableId = TableId(0);

    fn probe(steps: Vec<Step>, on_return: Option<Vec<Step>>) -> Probe {
        let part = |steps| Part {
            steps,
            values: vec![Value::Constant(1)],
        };
        Probe {
            program: HitProgram {
                entry: part(steps),
                on_return: on_return.map(part),
                ..HitProgram::default()
            },
            source: Source::Sites(Vec::new()),
        }
    }

    fn put() -> Step {
        Step::Put {
            table: LIVE,
            keys: vec![ValueId(0)],
            value: ValueId(0),
            when: None,
        }
    }

    fn emit(stack_bytes: u32) -> Step {
        Step::Emit(Emit {
            stack_bytes,
            ..Emit::default()
        })
    }

    fn seen(entry: PartTotals, stacks: u64, bytes: u64) -> Seen {
        Seen {
            totals: Totals {
                entry,
                ..Totals::default()
            },
            stacks,
            bytes,
            samples: None,
        }
    }

    /// Of what frees sampled blocks, no more is sent than was sampled; stacks are as long as those that were seen.
    #[test]
    fn what_is_expected_follows_from_what_was_seen() {
        let keys = vec![ValueId(0)];
        let sample = Step::Sample {
            bytes: ValueId(0),
            every: 1 << 16,
        };
        let taken = probe(vec![sample, put(), emit(64 << 10)], None);
        let lookup = Step::Lookup {
            table: LIVE,
            keys: keys.clone(),
        };
        let remove = Step::Remove {
            table: LIVE,
            keys,
            when: None,
        };
        let freed = probe(vec![lookup.clone(), remove, emit(0)], None);
        let asked = probe(vec![lookup, emit(0)], None);
        let probes = [&taken, &freed, &asked].map(|probe| Expected { probe, stepped: 0 });
        let hits = |hits, unsampled| PartTotals {
            hits,
            unsampled,
            ..PartTotals::default()
        };
        let seen = [
            seen(hits(1000, 990), 10, 5000),
            seen(hits(900, 0), 0, 0),
            seen(hits(70, 0), 0, 0),
        ];
        let done = foreseen(&probes, &seen, true);
        assert_eq!((done.hits, done.records), (1970.0, 10.0 + 10.0 + 70.0));
        assert_eq!(done.bytes, 5000.0);
        // What was not seen is taken to be as long as stacks are while nothing is known.
        let [first, ..] = seen;
        let blind = Seen { stacks: 0, ..first };
        let done = foreseen(&probes[..1], &[blind], true);
        assert_eq!(done.bytes, 10.0 * f64::from(STACK_BYTES));
    }

    #[test]
    fn what_is_counted_in_the_kernel_is_not_sent() {
        let count = |condition| Step::Count {
            condition,
            needs: Vec::new(),
            updates: Vec::new(),
        };
        let some = probe(vec![count(Some(ValueId(0))), emit(0)], None);
        let all = probe(vec![], Some(vec![count(None), emit(0)]));
        let probes = [&some, &all].map(|probe| Expected { probe, stepped: 0 });
        let entry = PartTotals {
            hits: 100,
            counted: 60,
            ..PartTotals::default()
        };
        let done = foreseen(&probes, &[seen(entry, 0, 0), seen(entry, 0, 0)], true);
        assert_eq!((done.records, done.returns), (40.0, 40.0));
        assert_eq!(done.added, 60.0 + 60.0 + 40.0);
        assert_eq!(done.bytes, 0.0);
    }

    #[test]
    fn counting_leaves_out_what_comes_after_the_decision() {
        let program = probe(vec![put(), emit(64 << 10)], None).program;
        let counted = counting(&program);
        assert!(matches!(
            counted.entry.steps.as_slice(),
            [
                Step::Sample {
                    every: STACKS_EVERY,
                    ..
                },
                Step::Emit(_)
            ]
        ));
        let spec = TableSpec {
            kind: ytrace_target::events::TableKind::Keys,
            keys: 1,
            rows: 16,
        };
        counted.check(&[spec]).unwrap();
        assert!(
            counting(&probe(vec![put(), emit(0)], None).program)
                .entry
                .steps
                .is_empty()
        );
    }
}
