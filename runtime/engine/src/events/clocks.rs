//! Whether the samples of a clock are as many as the processor time of the process demands.

use ytrace_target::processor_time;

use super::Events;
use crate::session::Session;

/// Samples are taken whether the process runs or not, so their number scatters about as much as its root. So many times that is beyond chance.
const DEVIATIONS: f64 = 4.0;
/// Fewer than so many say too little of how they scatter.
const FEW: f64 = 25.0;
/// What the clocks of the kernel may differ by: it takes no samples while a processor takes no interrupts, and may count that time.
const INEXACT: f64 = 0.25;

/// Whether so many samples are what so many are expected to be.
fn agree(samples: f64, expected: f64) -> bool {
    let allowed = DEVIATIONS * expected.max(FEW).sqrt() + INEXACT * expected;
    (samples - expected).abs() <= allowed
}

impl Session<'_> {
    /// Says so where a clock has taken other samples than the processor time of the process demands, as where the process does its work in step with
    /// the clock. Where the process has ended, or others belong to it, or it was watched at times only, that cannot be told.
    pub(super) fn note_clocks(&mut self, events: &Events) {
        let now = processor_time(self.target.pid());
        let (Some(before), Some(now)) = (events.processor_time, now) else {
            return;
        };
        if events.duty.is_some() || self.options.children {
            return;
        }
        let used = now.saturating_sub(before).as_secs_f64();
        for (id, handler) in &events.handlers {
            let (Some(hertz), Ok(totals)) = (handler.hertz, events.session.totals(*id)) else {
                continue;
            };
            let samples = totals.entry.hits;
            if !agree(samples as f64, used * hertz as f64) {
                self.result.partial(format!(
                    "{} of {hertz} a second stand for {:.2} s of processor time, and the process has used {used:.2} s",
                    super::follow::counted(samples, "sample"),
                    samples as f64 / hertz as f64
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_scatter_and_are_not_biased() {
        assert!(agree(0.0, 0.0) && agree(0.0, 15.0) && agree(99.0, 99.0));
        assert!(agree(750.0, 1000.0) && agree(1250.0, 1000.0));
        assert!(!agree(4.0, 75.0) && !agree(500.0, 1000.0) && !agree(1500.0, 1000.0));
    }
}
