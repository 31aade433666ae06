//! What handlers show while a thread stands still for them. It is passed on when the thread has gone on, since whoever reads it may
//! take any time.

use ytrace_lang::compile::Compiled;
use ytrace_values::Value;

use crate::host::{Origin, Sink};

/// What was shown, in its order.
#[derive(Default)]
pub(super) struct Output {
    shown: Vec<Shown>,
}

enum Shown {
    Printed(Origin<'static>, Vec<u8>),
    Values(Origin<'static>, Vec<Value>),
    Text(Vec<u8>),
    Warning(String),
    Remark(String),
}

impl Output {
    /// Passes on what handlers of a program have shown since the last time.
    pub(super) fn pass_on(&mut self, compiled: &Compiled, sink: &mut dyn Sink) {
        for shown in self.shown.drain(..) {
            match shown {
                Shown::Printed(origin, text) => {
                    sink.printed(&origin.of_program(compiled), &text);
                }
                Shown::Values(origin, values) => {
                    sink.values(&origin.of_program(compiled), values);
                }
                Shown::Text(text) => sink.text(&text),
                Shown::Warning(text) => sink.warn(&text),
                Shown::Remark(text) => sink.remark(&text),
            }
        }
    }
}

impl Sink for Output {
    fn begin(&mut self, _streams: bool) {}

    fn text(&mut self, text: &[u8]) {
        self.shown.push(Shown::Text(text.to_vec()));
    }

    fn printed(&mut self, origin: &Origin<'_>, text: &[u8]) {
        let origin = origin.without_program();
        self.shown.push(Shown::Printed(origin, text.to_vec()));
    }

    fn values(&mut self, origin: &Origin<'_>, values: Vec<Value>) {
        self.shown
            .push(Shown::Values(origin.without_program(), values));
    }

    fn warn(&mut self, text: &str) {
        self.shown.push(Shown::Warning(text.to_owned()));
    }

    fn remark(&mut self, text: &str) {
        self.shown.push(Shown::Remark(text.to_owned()));
    }

    fn progress(&mut self, _text: &str) {}
}
