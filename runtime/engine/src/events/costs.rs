//! What probes cost the target, by what they do.

use ytrace_target::events::{
    Copied, Copies, EventError, EventSession, EventTier, HitCost, Part, PartTotals, Probe, ProbeId,
    Source, Step, Totals,
};

use super::attach::STACK_BYTES;

/// A kernel's probe as the estimate sees it.
pub(super) struct Expected<'a> {
    /// What is to be attached.
    pub(super) probe: &'a Probe,
    /// How many of its sites the kernel has to single-step.
    pub(super) stepped: usize,
}

impl<'a> Expected<'a> {
    /// Probes with how many of the sites of each the kernel has to single-step.
    pub(super) fn all(
        probes: &'a [Probe],
        stepped: &'a [usize],
    ) -> impl Iterator<Item = Expected<'a>> {
        probes.iter().zip(stepped).map(|(probe, stepped)| Expected {
            probe,
            stepped: *stepped,
        })
    }
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
    /// Records, and bytes of their stacks. Where each hit is a sample, those that have registers whether a record follows or not.
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

    /// What a probe has done where there are no programs in the kernel: each hit was a sample, of which so much was copied.
    pub(super) fn sampled(&self, hits: f64, copied: Copied) -> Done {
        // What an entry and a return cost together was measured with their registers.
        let (returns, records) = match self.at_return {
            Some(_) => (hits, 0.0),
            None => (0.0, copied.registers as f64),
        };
        Done {
            hits,
            stepped: hits * self.stepped,
            returns,
            records,
            bytes: copied.stack_bytes as f64,
            ..Done::default()
        }
    }

    /// What that would be of so many calls. `mean`: how long the stacks are of which samples have some, if that is known.
    pub(super) fn sampled_by(
        &self,
        hits: u64,
        [entry, on_return]: [Copies; 2],
        mean: Option<f64>,
    ) -> Done {
        let bytes = |copies: Copies| {
            let most = f64::from(copies.stack_bytes);
            mean.map_or(most, |mean| mean.min(most))
        };
        let mut each = bytes(entry);
        if self.at_return.is_some() {
            each += bytes(on_return);
        }
        let copied = Copied {
            registers: if entry.registers { hits } else { 0 },
            stack_bytes: (hits as f64 * each) as u64,
        };
        self.sampled(hits as f64, copied)
    }

    /// What a probe of a session has done so far. Where there are programs in the kernel, the bytes of its records are not among that.
    ///
    /// # Errors
    /// There is no such probe.
    pub(super) fn done_by(
        &self,
        session: &EventSession,
        probe: ProbeId,
    ) -> Result<Done, EventError> {
        let totals = session.totals(probe)?;
        Ok(match session.copied(probe)? {
            Some(copied) => self.sampled(totals.entry.hits as f64, copied),
            None => self.done(&totals, asks_at_entry(session)),
        })
    }
}

/// Whether the kernel asks at the entry of a call whether its return is wanted.
pub(super) fn asks_at_entry(session: &EventSession) -> bool {
    *session.tier() == EventTier::Bpf && session.facilities().uprobe_session
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

#[cfg(test)]
mod tests {
    use super::*;

    const COST: HitCost = HitCost {
        counted: 1000.0,
        stepped: 1500.0,
        returned: 3000.0,
        added: 1200.0,
        sent: 1300.0,
        recorded: 1300.0 + STACK_BYTES as f64,
    };

    /// Where each hit is a sample, what a condition drops costs what its copy does.
    #[test]
    fn samples_cost_what_they_copy() {
        let entry = Shape {
            stepped: 0.0,
            sends: true,
            at_return: None,
        };
        let stacks = Copies {
            registers: true,
            stack_bytes: 32 << 10,
        };
        let plain = Copies::default();
        let cost = |done: Done| done.nanoseconds(&COST);
        let whole = entry.sampled_by(10, [stacks, plain], None);
        assert_eq!(cost(whole), 10.0 * (1300.0 + 32768.0));
        // Stacks were shorter than what was asked for, which is the most.
        let short = entry.sampled_by(10, [stacks, plain], Some(500.0));
        assert_eq!(cost(short), 10.0 * (1300.0 + 500.0));
        let long = entry.sampled_by(10, [stacks, plain], Some(1e6));
        assert_eq!(cost(long), cost(whole));
        assert_eq!(cost(entry.sampled_by(10, [plain, plain], None)), 10_000.0);
        // An entry and a return were measured with their registers.
        let at_return = Shape {
            at_return: Some(true),
            ..entry
        };
        let both = at_return.sampled_by(10, [stacks, stacks], Some(500.0));
        assert_eq!(cost(both), 10.0 * (3000.0 + 1000.0));
        let copied = Copied {
            registers: 8,
            stack_bytes: 4000,
        };
        // Two of ten found no room.
        let seen = entry.sampled(10.0, copied);
        assert_eq!(cost(seen), 10_000.0 + 8.0 * 300.0 + 4000.0);
    }
}
