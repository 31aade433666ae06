//! Probes that are attached at the prompt.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::json;
use ytrace_report::units;
use ytrace_runtime::Sink;
use ytrace_runtime::interactive::Detached;

use super::lines::{Prompt, Wrong};
use crate::terminal::{safe, say};

impl Prompt<'_> {
    /// Whether there is anything to follow.
    pub(crate) fn has_probes(&self) -> bool {
        self.interactive.borrow().has_probes()
    }

    /// Runs the handlers of what attached probes have seen, until an instant. What they print is shown above the line that is being
    /// typed.
    pub(crate) fn follow(&mut self, until: Instant) {
        let gone = self
            .interactive
            .borrow_mut()
            .follow(until, &mut self.events);
        self.tell_detached(&gone);
        let printed = self.events.take_printed(!gone.is_empty());
        let said = self.events.take_said();
        if let Some(above) = &mut self.above {
            let printed: String = String::from_utf8_lossy(&printed)
                .lines()
                .map(|line| safe(line) + "\n")
                .collect();
            above.send(&(printed + &said));
        } else {
            self.show_events(&printed, &said);
        }
    }

    fn show_events(&mut self, printed: &[u8], said: &str) {
        if !printed.is_empty() && self.json {
            let document = json!({ "printed": String::from_utf8_lossy(printed) });
            self.sink.data(format!("{document}\n").as_bytes());
        } else if !printed.is_empty() {
            self.sink.data(printed);
        }
        if !said.is_empty() {
            say(said);
        }
    }

    /// Takes all probes away, and says what came of them.
    pub(crate) fn finish(&mut self) {
        self.above = None;
        let gone = self.interactive.borrow_mut().finish(&mut self.events);
        self.tell_detached(&gone);
        let (printed, said) = (self.events.take_printed(true), self.events.take_said());
        self.show_events(&printed, &said);
    }

    fn tell_detached(&mut self, gone: &[Detached]) {
        for probe in gone {
            self.partial |= !probe.partial.is_empty();
            self.wrong |= probe.faulted;
            let why = probe.why.as_ref();
            let why = why.map_or_else(String::new, |why| format!(", for {why}"));
            let notes = match probe.notes.is_empty() {
                true => String::new(),
                false => format!(": {}", probe.notes.join("; ")),
            };
            self.events.say(&format!(
                "probe {} ({}) is detached{why}{notes}",
                probe.number, probe.head
            ));
            for partial in &probe.partial {
                self.events.warn(partial);
            }
        }
    }

    pub(super) fn probes(&mut self) -> Result<(), Wrong> {
        let probes = self.interactive.borrow().probes()?;
        if probes.is_empty() && !self.json {
            say("no probe is attached\n");
        }
        for probe in probes {
            if self.json {
                self.sink.document(&json!({
                    "probe": probe.number, "head": probe.head, "places": probe.places,
                    "hits": probe.hits, "lost": probe.lost,
                }));
                continue;
            }
            let text = safe(&format!(
                "{:<3} {:<40} {}, {} lost",
                probe.number,
                probe.head,
                counted(probe.hits, "hit"),
                probe.lost
            ));
            self.sink.data(format!("{text}\n").as_bytes());
        }
        Ok(())
    }

    pub(super) fn detach(&mut self, text: &str) -> Result<(), Wrong> {
        let number = match text {
            "" => None,
            text => Some(
                text.parse()
                    .map_err(|_| Wrong::Words(format!("`{text}` is no number of a probe")))?,
            ),
        };
        let gone = self
            .interactive
            .borrow_mut()
            .detach(number, &mut self.events)?;
        self.tell_detached(&gone);
        let (printed, said) = (self.events.take_printed(true), self.events.take_said());
        self.show_events(&printed, &said);
        if self.json {
            for probe in gone {
                self.sink.document(&json!({
                    "detached": probe.number, "head": probe.head, "notes": probe.notes,
                }));
                self.taken.partial.extend(probe.partial);
            }
        }
        Ok(())
    }

    /// Lets probes run for some time.
    pub(super) fn wait(&mut self, text: &str) -> Result<(), Wrong> {
        /// How long an interrupt, or the last probe's end, may stay unseen.
        const SLICE: Duration = Duration::from_millis(50);
        let time = crate::arguments::parse_duration(text)
            .map_err(|error| Wrong::Words(format!("`:wait {text}`: {error}; as in `:wait 5s`")))?;
        if !self.has_probes() {
            return Err(Wrong::Words("no probe is attached".to_owned()));
        }
        let until = Instant::now().checked_add(time);
        let above = self.above.take();
        while self.has_probes() && !super::INTERRUPTED.load(Ordering::Relaxed) {
            let now = Instant::now();
            let left = until.map_or(SLICE, |until| until.saturating_duration_since(now));
            if left.is_zero() {
                break;
            }
            self.follow(now + left.min(SLICE));
        }
        self.above = above;
        // It has ended the waiting, and nothing else.
        ytrace_runtime::interrupt::begin_anew(&super::INTERRUPTED);
        Ok(())
    }
}

/// A number of things.
pub(super) fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", units::thousands(number))
}
