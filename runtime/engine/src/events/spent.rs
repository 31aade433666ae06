//! How long the hits of a session's probes have taken the threads that were hit, by what they did and what that costs on this machine.

use std::collections::HashMap;

use ytrace_target::events::{EventError, EventSession, EventTier, HitCost, ProbeId};

use super::attach::STACK_BYTES;
use super::costs::{Done, Expected, Shape};

/// What tells how long hits have taken.
pub(super) struct Spent {
    cost: HitCost,
    shapes: HashMap<ProbeId, Shape>,
}

impl Spent {
    /// Measures what hits cost here. There are no probes yet.
    ///
    /// # Errors
    /// This program cannot be probed.
    pub(super) fn measure() -> Result<Spent, EventError> {
        Ok(Spent {
            cost: HitCost::measure(STACK_BYTES)?,
            shapes: HashMap::new(),
        })
    }

    /// What hits cost.
    pub(super) fn cost(&self) -> HitCost {
        self.cost
    }

    /// Takes note of probes that have been attached.
    pub(super) fn add<'p>(
        &mut self,
        ids: impl Iterator<Item = ProbeId>,
        probes: impl Iterator<Item = Expected<'p>>,
    ) {
        let shapes = probes.map(|expected| Shape::of(&expected));
        self.shapes.extend(ids.zip(shapes));
    }

    /// How long hits have taken so far, in nanoseconds.
    ///
    /// # Errors
    /// The kernel does not tell its counts.
    pub(super) fn nanoseconds(&self, session: &EventSession) -> Result<f64, EventError> {
        let mut done = Done::default();
        if *session.tier() == EventTier::Bpf {
            done.bytes = session.sent_bytes() as f64;
        }
        for (id, shape) in &self.shapes {
            done.add(shape.done_by(session, *id)?);
        }
        Ok(done.nanoseconds(&self.cost))
    }
}
