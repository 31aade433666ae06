//! What is told of the way by which the kernel probes.

use ytrace_target::events::{EventSession, EventTier};

use super::follow::counted;
use crate::session::Session;

/// Where a handler runs, as far as its plan says.
pub(super) struct Runs {
    /// The place of its probe in the program.
    pub(super) probe: usize,
    /// Whether it need not run for some hits.
    pub(super) counted: bool,
    /// Why it does run.
    pub(super) why: Option<String>,
}

impl Runs {
    /// In words.
    pub(super) fn told(&self, tier: &EventTier) -> String {
        let not_run = match tier {
            EventTier::Bpf => "in the kernel",
            EventTier::PerfUprobes(_) => "added up from samples",
        };
        match (self.counted, &self.why) {
            (true, None) if *tier == EventTier::Bpf => format!("wholly {not_run}"),
            (true, None) => not_run.to_owned(),
            (true, Some(why)) => format!("{not_run} for some hits; for others here: {why}"),
            (false, Some(why)) => format!("here: {why}"),
            (false, None) => "here".to_owned(),
        }
    }
}

/// What has become of hits for which no handler ran, in words.
pub(super) fn handled(tier: &EventTier) -> &'static str {
    match tier {
        EventTier::Bpf => "handled by the kernel",
        EventTier::PerfUprobes(_) => "added up from samples",
    }
}

impl Session<'_> {
    /// Notes by which way the kernel probes, where it is not the best one.
    pub(super) fn note_tier(&mut self, session: &EventSession) {
        let tier = session.tier();
        self.result.handlers.push(format!("events by {tier}"));
        if let EventTier::PerfUprobes(_) = tier {
            self.result.note(format!("events by {tier}"));
        }
    }

    /// Says what rings there were, where each thread has its own, and what was cut for them or lost by nobody knows whom.
    pub(super) fn note_rings(&mut self, session: &EventSession) {
        let Some(rings) = session.rings() else {
            return;
        };
        let size = |bytes| ytrace_values::units::bytes(bytes);
        let each = match rings.least == rings.most {
            true => size(rings.most),
            false => format!("{} to {}", size(rings.least), size(rings.most)),
        };
        self.result.handlers.push(format!(
            "rings of samples for {}, {each} each",
            counted(rings.count, "thread")
        ));
        if rings.short_stacks > 0 {
            self.result.note(format!(
                "samples of {} have no more than {} of stack or little more, since rings are small where there are many threads",
                counted(rings.short_stacks, "thread"),
                size(u64::from(rings.shortest))
            ));
        }
        match session.lost_of_unknown() {
            0 => {}
            lost => self.result.partial(format!(
                "{} of the kernel's found no room, and it is not known of which probes: hits, or threads and programs that begin and end",
                counted(lost, "record")
            )),
        }
    }

    /// Says which threads were not probed from their beginning on.
    pub(super) fn note_late_threads(&mut self, session: &EventSession) {
        let threads = session.late_threads();
        if threads.late > 0 {
            self.result.partial(format!(
                "{} began while hits were counted, and what {} did first was not seen: perf_event_open alone finds threads after they have begun (BPF programs miss none)",
                counted(threads.late, "thread"),
                if threads.late == 1 { "it" } else { "they" }
            ));
        }
        if threads.missed > 0 {
            let why = threads.why.unwrap_or_default();
            self.result.partial(format!(
                "{} could not be probed: {why}",
                counted(threads.missed, "thread")
            ));
        }
    }
}
