//! Taking the probes away, and telling what came of them.

use std::time::Duration;

use ytrace_target::breakpoints::Totals;
use ytrace_values::units;

use super::super::follow::counted;
use super::{Figures, Stops};
use crate::error::SessionError;
use crate::session::Session;

impl Session<'_> {
    /// Takes the breakpoints away, and notes what came of them.
    pub(crate) fn finish_stops(&mut self, stops: Stops) -> Result<(), SessionError> {
        let Stops {
            session,
            memory,
            figures,
            programs,
            places,
            watches,
            files,
            ..
        } = stops;
        self.add_counters(memory.counters());
        let totals = session.finish()?;
        let pauses = &mut self.result.pauses;
        pauses.count += totals.freezes;
        pauses.total += totals.frozen;
        pauses.longest = pauses.longest.max(totals.longest_frozen);
        let restarted = usize::try_from(totals.restarted_calls).unwrap_or(usize::MAX);
        pauses.restarted_calls = pauses.restarted_calls.saturating_add(restarted);
        if programs.executed() > 0 {
            let what = format!("the target executed {}", programs.shown());
            match places.is_empty() && watches.is_empty() {
                true => self.result.note(what),
                false => self
                    .result
                    .partial(format!("{what}, in which nothing is probed (--sync)")),
            }
        }
        if let Some(note) = freezes(&totals, self.options.max_pause) {
            self.result.note(note);
        }
        self.result.hits = Some(ytrace_report::Hits {
            places: figures.places as u64,
            hits: figures.hits,
            unpaired: figures.unpaired,
            ..ytrace_report::Hits::default()
        });
        self.result.note(summary(&figures, &totals));
        for loss in losses(&figures, &totals) {
            self.result.partial(loss);
        }
        for loss in unloaded(&files, &totals.replaced) {
            self.result.partial(loss);
        }
        if totals.returns_left_out > 0 {
            self.result.note(format!(
                "{} returns were not seen: the calls were left by longjmp, an exception or the end of their thread",
                units::thousands(totals.returns_left_out)
            ));
        }
        if figures.ended > 0 {
            self.result.partial(format!(
                "{} handlers were ended because they held their thread for {} (--max-pause)",
                figures.ended,
                shown(self.options.max_pause)
            ));
        }
        Ok(())
    }
}

/// What there was, and for how long threads stood still for it.
fn summary(figures: &Figures, totals: &Totals) -> String {
    let mut note = format!(
        "{} at {}, {}",
        counted(figures.hits, "hit"),
        counted(figures.places as u64, "place"),
        counted(figures.stops, "stop"),
    );
    if figures.stops > 0 {
        note.push_str(&format!(
            "; threads were held {} in all, {} at the longest",
            shown(figures.held),
            // It knows when a thread went on by itself.
            shown(totals.longest_held)
        ));
    }
    for (number, what) in [
        (totals.text, "by breakpoints in the text"),
        (totals.hardware, "by registers of the processor"),
    ] {
        if number > 0 {
            note.push_str(&format!(", {number} {what}"));
        }
    }
    note
}

/// What was probed of files that were unloaded.
fn unloaded(files: &[String], replaced: &[usize]) -> Vec<String> {
    let mut names: Vec<&String> = replaced
        .iter()
        .filter_map(|place| files.get(*place))
        .collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            format!(
                "{name} was unloaded while it was probed, and perhaps loaded again, or its code was changed: what ran there since was not seen (--sync)"
            )
        })
        .collect()
}

/// How long all threads stood still at once.
fn freezes(totals: &Totals, max_pause: Duration) -> Option<String> {
    if totals.freezes == 0 {
        return None;
    }
    let mut note = format!(
        "all threads stood still {} while breakpoints were set or stepped over, {} at the longest",
        counted(totals.freezes, "time"),
        shown(totals.longest_frozen)
    );
    if totals.long_freezes > 0 {
        note.push_str(&format!(
            ", {} longer than {} (--max-pause)",
            counted(totals.long_freezes, "time"),
            shown(max_pause)
        ));
    }
    Some(note)
}

/// Hits that no handler ran for.
pub(super) fn lost(figures: &Figures, totals: &Totals) -> u64 {
    [
        figures.missed,
        figures.late,
        figures.unpaired,
        totals.unserved,
        totals.late,
        totals.returns_unfollowed,
        totals.returns_without_room,
    ]
    .into_iter()
    .fold(0, u64::saturating_add)
}

/// Why the result is partial.
pub(super) fn losses(figures: &Figures, totals: &Totals) -> Vec<String> {
    let counts = [
        (
            totals.overdue.saturating_sub(figures.missed),
            "threads were held for so long that they went on by themselves",
        ),
        (
            totals
                .unserved
                .saturating_add(figures.missed)
                .saturating_add(figures.late),
            "stops had no handler run: ytrace came to them so late that their threads had gone on by themselves, or were about to",
        ),
        (
            figures.unpaired,
            "returns are left out: ytrace came too late to the entries of their calls, or too many calls were under way, so that what they want to know of them is not known",
        ),
        (
            totals.unwatched,
            "threads have no watchpoints: the kernel refused them",
        ),
        (
            totals.late,
            "hits, or more, were not seen: their threads had blocked SIGTRAP, by which the processor's registers tell",
        ),
        (
            totals.returns_unfollowed,
            "returns could not be followed: nothing can stop at the instruction that they lead to",
        ),
        (
            totals.returns_without_room,
            "returns could not be followed: too many calls were under way",
        ),
    ];
    let mut losses: Vec<String> = counts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", units::thousands(number)))
        .collect();
    if totals.handler_lost {
        losses.push(
            "the target's handler of SIGTRAP is gone: a thread came to a breakpoint while it blocked the signal, and the kernel took it away"
                .to_owned(),
        );
    }
    if !totals.restored {
        losses.push(
            "the target could not be left as it was: a thread did not stop, or its text could not be written"
                .to_owned(),
        );
    }
    losses
}

fn shown(time: Duration) -> String {
    units::duration(i128::try_from(time.as_nanos()).unwrap_or(i128::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_were_unloaded_are_told_once_each() {
        let files = ["/a/plugin.so", "/a/plugin.so", "/b", "/c"].map(str::to_owned);
        let told = unloaded(&files, &[0, 1, 2, 9]);
        assert_eq!(told.len(), 2);
        assert!(told[0].starts_with("/a/plugin.so was unloaded"), "{told:?}");
        assert_eq!(unloaded(&files, &[]), [""; 0]);
    }

    #[test]
    fn each_loss_is_told() {
        let none = Totals {
            restored: true,
            returns_left_out: 7,
            ..Totals::default()
        };
        assert_eq!(losses(&Figures::default(), &none), [""; 0]);
        let all = Totals {
            overdue: 3,
            unserved: 2,
            unwatched: 3,
            late: 4000,
            returns_unfollowed: 5,
            returns_without_room: 6,
            handler_lost: true,
            ..Totals::default()
        };
        let figures = Figures {
            missed: 2,
            unpaired: 9,
            ..Figures::default()
        };
        let told = losses(&figures, &all);
        assert_eq!(told.len(), 9, "{told:?}");
        for part in [
            "9 returns are",
            "1 threads were held",
            "4 stops had no",
            "4,000 hits",
        ] {
            assert!(told.iter().any(|loss| loss.starts_with(part)), "{told:?}");
        }
    }
}
