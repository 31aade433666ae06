//! What attached probes print and say, beside a line that is being typed.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use ytrace_lang::compile::Compiled;
use ytrace_runtime::Sink;

use crate::terminal::{Terminal, safe};

/// The most text that waits to be shown, in bytes: of what comes faster the rest is only counted.
const MOST_WAITING: usize = 1 << 20;

/// The longest line that is waited for the end of, in bytes.
const LONGEST_LINE: usize = 1 << 16;

/// How many pieces of text wait for the terminal.
const PIECES: usize = 16;

/// Shows text above the line that is being typed. What shows it may wait for the terminal, and who sends does not.
pub(crate) struct Above {
    sender: SyncSender<String>,
    waiting: String,
    dropped: u64,
}

impl Above {
    /// What sends, and where it comes out.
    pub(crate) fn new() -> (Self, Receiver<String>) {
        let (sender, receiver) = sync_channel(PIECES);
        let above = Self {
            sender,
            waiting: String::new(),
            dropped: 0,
        };
        (above, receiver)
    }

    /// Sends text, and what could not be sent before.
    pub(crate) fn send(&mut self, text: &str) {
        if self.waiting.len() + text.len() > MOST_WAITING {
            self.dropped += text.lines().count() as u64;
        } else {
            if self.dropped > 0 {
                let dropped = std::mem::take(&mut self.dropped);
                self.waiting
                    .push_str(&format!("{dropped} lines came too fast to be shown\n"));
            }
            self.waiting.push_str(text);
        }
        if self.waiting.is_empty() {
            return;
        }
        if let Err(TrySendError::Full(back)) =
            self.sender.try_send(std::mem::take(&mut self.waiting))
        {
            self.waiting = back;
        }
    }
}

/// Takes what attached probes print and what is said of them.
pub(crate) struct EventSink {
    terminal: Terminal,
    /// What was printed, up to the end of a line.
    printed: Vec<u8>,
    /// What is said.
    said: String,
}

impl EventSink {
    pub(crate) fn new(terminal: &Terminal) -> Self {
        Self {
            terminal: *terminal,
            printed: Vec::new(),
            said: String::new(),
        }
    }

    /// What has been printed: whole lines, or all of it.
    pub(crate) fn take_printed(&mut self, all: bool) -> Vec<u8> {
        let end = match self.printed.iter().rposition(|byte| *byte == b'\n') {
            _ if all || self.printed.len() > LONGEST_LINE => self.printed.len(),
            Some(end) => end + 1,
            None => 0,
        };
        let rest = self.printed.split_off(end);
        let mut taken = std::mem::replace(&mut self.printed, rest);
        if taken.last().is_some_and(|last| *last != b'\n') {
            taken.push(b'\n');
        }
        taken
    }

    /// What has been said.
    pub(crate) fn take_said(&mut self) -> String {
        std::mem::take(&mut self.said)
    }

    /// Says something.
    pub(crate) fn say(&mut self, text: &str) {
        self.said.push_str(&safe(text));
        self.said.push('\n');
    }
}

impl Sink for EventSink {
    fn begin(&mut self, _streams: bool) {}

    fn compiled(&mut self, _compiled: &Compiled) {}

    fn text(&mut self, text: &[u8]) {
        self.printed.extend_from_slice(text);
    }

    fn warn(&mut self, text: &str) {
        let (yellow, _, reset) = self.terminal.error_colors("\x1b[1;33m", "");
        self.said
            .push_str(&format!("{yellow}warning{reset}: {}\n", safe(text)));
    }

    fn remark(&mut self, text: &str) {
        self.say(text);
    }

    fn more_attached(&mut self, places: usize, modules: &str) {
        self.say(&format!("{places} more places are probed, in {modules}"));
    }

    fn progress(&mut self, _text: &str) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_never_waits_and_what_is_dropped_is_counted() {
        let (mut above, shown) = Above::new();
        let line = format!("{}\n", "x".repeat(99));
        for _ in 0..50_000 {
            above.send(&line);
        }
        assert!(above.dropped > 0 && above.waiting.len() <= MOST_WAITING);
        let mut text: String = shown.try_iter().collect();
        above.send("last\n");
        text.extend(shown.try_iter());
        above.send("");
        text.extend(shown.try_iter());
        assert!(text.ends_with("lines came too fast to be shown\nlast\n") || above.dropped > 0);
        let lines = text.lines().filter(|line| line.starts_with('x')).count();
        assert!((PIECES..50_000).contains(&lines));
    }
}
