//! What probes cost the target, by what they do.

use ytrace_target::events::{HitCost, Part, PartTotals, Probe, Source, Step, Totals};

use super::attach::STACK_BYTES;

/// A kernel's probe as the estimate sees it.
pub(super) struct Expected<'a> {
    /// What is to be attached.
    pub(super) probe: &'a Probe,
    /// How many of its sites the kernel has to single-step.
    pub(super) stepped: usize,
}

/// What of a probe its cost depends on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    /// The share of its sites that the kernel has to single-step.
    pub(super) stepped: f64,
    /// Whether its entry part sends records.
    pub(super) sends: bool,
    /// The same of its return part, if there is one.
    pub(super) at_return: Option<bool>,
}

/// What probes have done, or are expected to do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Done {
    pub(super) hits: f64,
    /// Those that the kernel has to single-step.
    pub(super) stepped: f64,
    /// Calls whose return the kernel sees to.
    pub(super) returns: f64,
    /// Hits that were added to tables.
    pub(super) added: f64,
    /// Records, and their bytes.
    pub(super) records: f64,
    pub(super) bytes: f64,
}

impl Shape {
    /// That of a probe.
    pub(super) fn of(expected: &Expected<'_>) -> Shape {
        let sites = match &expected.probe.source {
            Source::Sites(sites) => sites.len().max(1),
            _ => 1,
        };
        // What always counts sends none.
        let sends = |part: &Part| {
            part.steps.iter().find_map(|step| match step {
                Step::Emit(_) => Some(true),
                Step::Count {
                    condition: None, ..
                } => Some(false),
                _ => None,
            }) == Some(true)
        };
        let program = &expected.probe.program;
        Shape {
            stepped: expected.stepped as f64 / sites as f64,
            sends: sends(&program.entry),
            at_return: program.on_return.as_ref().map(sends),
        }
    }

    /// What a probe has done that has counted so much, without the bytes of its records.
    ///
    /// `sessions`: the kernel asks at the entry whether the return is wanted; else it sees to the return of each call.
    pub(super) fn done(&self, totals: &Totals, sessions: bool) -> Done {
        let Totals { entry, on_return } = totals;
        let wanted = |part: &PartTotals| {
            let done = part.filtered + part.unsampled + part.counted;
            part.hits.saturating_sub(done) as f64
        };
        let hits = entry.hits as f64;
        let mut done = Done {
            hits,
            stepped: hits * self.stepped,
            added: (entry.counted + on_return.counted) as f64,
            ..Done::default()
        };
        if self.sends {
            done.records += wanted(entry);
        }
        if let Some(sends) = self.at_return {
            done.returns = if sessions { wanted(entry) } else { hits };
            if sends {
                done.records += wanted(on_return);
            }
        }
        done
    }
}

impl Done {
    pub(super) fn add(&mut self, more: Done) {
        self.hits += more.hits;
        self.stepped += more.stepped;
        self.returns += more.returns;
        self.added += more.added;
        self.records += more.records;
        self.bytes += more.bytes;
    }

    /// How long that has taken the threads that were hit.
    pub(super) fn nanoseconds(&self, cost: &HitCost) -> f64 {
        let more = |what: f64| (what - cost.counted).max(0.0);
        let byte = (cost.recorded - cost.sent).max(0.0) / f64::from(STACK_BYTES);
        self.hits * cost.counted
            + self.stepped * more(cost.stepped)
            + self.returns * more(cost.returned)
            + self.added * more(cost.added)
            + self.records * more(cost.sent)
            + self.bytes * byte
    }
}
