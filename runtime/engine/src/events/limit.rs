//! How much slower probes make the target as they go, held against what is allowed (`--max-overhead`): what was counted beforehand has not seen
//! children, libraries that come later, and what the target does at other times.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ytrace_target::Process;
use ytrace_target::events::{EventError, EventSession, EventTier, HitCost, ProbeId};

use super::Events;
use super::costs::{Done, Expected, Shape};
use super::follow::counted;
use crate::host::Sink;
use crate::session::Session;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);
/// What is left at the end counts if it was as long as this.
pub(super) const SHORTEST: Duration = Duration::from_millis(200);

/// What is allowed, and what has come of it.
pub(super) struct Limit {
    percent: f64,
    cost: HitCost,
    shapes: HashMap<ProbeId, Shape>,
    last: Option<Look>,
    /// How often it was more, and the most.
    over: u64,
    most: f64,
}

/// What had been done at an instant.
struct Look {
    at: Instant,
    nanoseconds: f64,
    /// How long each process had run.
    busy: HashMap<i32, Duration>,
}

impl Limit {
    /// So many per cent, where hits cost so much.
    pub(super) fn new(percent: f64, cost: HitCost) -> Limit {
        Limit {
            percent,
            cost,
            shapes: HashMap::new(),
            last: None,
            over: 0,
            most: 0.0,
        }
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

    /// How long hits have taken so far.
    fn nanoseconds(&self, session: &EventSession) -> Result<f64, EventError> {
        let mut done = Done::default();
        if *session.tier() == EventTier::Bpf {
            done.bytes = session.sent_bytes() as f64;
        }
        for (id, shape) in &self.shapes {
            done.add(shape.done_by(session, *id)?);
        }
        Ok(done.nanoseconds(&self.cost))
    }

    /// Compares with the last look: by how many per cent processes were slower since.
    fn look(&mut self, now: Look) -> Option<f64> {
        let last = self.last.replace(now)?;
        let now = self.last.as_ref()?;
        let elapsed = now.at.saturating_duration_since(last.at).as_secs_f64();
        let ran = now.busy.iter().map(|(pid, busy)| {
            let before = last.busy.get(pid).copied().unwrap_or_default();
            busy.saturating_sub(before).as_secs_f64()
        });
        let spent = (now.nanoseconds - last.nanoseconds) / 1e9;
        // Where they wait, what a hit takes is taken from their waiting.
        let work = (ran.sum::<f64>().max(elapsed) - spent).max(elapsed / 10.0);
        let percent = 100.0 * spent / work.max(f64::EPSILON);
        if percent > self.percent {
            self.over += 1;
            self.most = self.most.max(percent);
        }
        Some(percent)
    }
}

impl Session<'_> {
    /// Looks from time to time how much slower the target is, and warns when that is more than allowed.
    pub(super) fn hold_to_limit(
        &self,
        events: &mut Events,
        process: &Process,
        least: Option<Duration>,
        sink: &mut dyn Sink,
    ) -> Result<(), EventError> {
        let Events {
            session,
            watch,
            limit: Some(limit),
            ..
        } = events
        else {
            return Ok(());
        };
        let least = least.unwrap_or(LOOK);
        if limit
            .last
            .as_ref()
            .is_some_and(|last| last.at.elapsed() < least)
        {
            return Ok(());
        }
        let pids = watch.children.pids().chain([process.pid()]);
        let busy = pids.filter_map(|pid| Some((pid, ytrace_target::processor_time(pid)?)));
        let now = Look {
            at: Instant::now(),
            nanoseconds: limit.nanoseconds(session)?,
            busy: busy.collect(),
        };
        let percent = limit.look(now).unwrap_or(0.0);
        if limit.over == 1 && percent > limit.percent {
            sink.warn(&format!(
                "probes make the target{} about {percent:.1} % slower now, and {} % are allowed (--max-overhead): Ctrl-C ends that",
                if self.options.children { " and its children" } else { "" },
                limit.percent
            ));
        }
        Ok(())
    }

    /// Says whether they were slower than allowed.
    pub(super) fn note_limit(&mut self, events: &Events) {
        if let Some(limit) = &events.limit
            && limit.over > 0
        {
            self.result.note(format!(
                "probes made the target up to {:.1} % slower, more than the {} % that are allowed at {} (a look a second)",
                limit.most,
                limit.percent,
                counted(limit.over, "look")
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hits_take_is_held_against_what_processes_did() {
        let cost = HitCost {
            counted: 1000.0,
            stepped: 1000.0,
            returned: 1000.0,
            added: 1000.0,
            sent: 1000.0,
            recorded: 1000.0,
        };
        let mut limit = Limit::new(5.0, cost);
        let begun = Instant::now();
        let look = |second: u64, milliseconds: f64, busy: &[(i32, u64)]| Look {
            at: begun + Duration::from_secs(second),
            nanoseconds: milliseconds * 1e6,
            busy: busy
                .iter()
                .map(|(pid, seconds)| (*pid, Duration::from_secs(*seconds)))
                .collect(),
        };
        assert_eq!(limit.look(look(0, 0.0, &[(1, 7)])), None);
        // It waited all the time.
        let idle = limit.look(look(1, 40.0, &[(1, 7)])).unwrap();
        assert!((idle - 4.17).abs() < 0.01, "{idle}");
        assert_eq!(limit.over, 0);
        // Four threads, one of them of a child that is new.
        let busy = limit.look(look(2, 240.0, &[(1, 10), (2, 1)])).unwrap();
        assert!((busy - 5.26).abs() < 0.01, "{busy}");
        assert_eq!((limit.over, limit.most), (1, busy));
        // All of its time, and more than that for all we know.
        let whole = limit.look(look(3, 2240.0, &[(1, 11)])).unwrap();
        assert!((whole - 2000.0).abs() < 0.01, "{whole}");
        assert_eq!(limit.over, 2);
    }
}
