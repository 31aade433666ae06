//! `:what`: what an address is, by all that is known of it, the outermost first; and what the libraries of the target's programs answer.

use serde_json::json;
use ytrace_runtime::interactive::{Answer, Question, StackPlace};

use super::lines::{Prompt, Wrong};
use crate::terminal::safe;

/// What was found out about an address.
struct Finding {
    kind: &'static str,
    text: String,
}

impl Prompt<'_> {
    /// Says what an address is.
    pub(super) fn what(&mut self, text: &str) -> Result<(), Wrong> {
        let address = self.address(text)?;
        let found = self.interactive.borrow().symbol_at(address);
        let Some(mapping) = found.mapping else {
            return Err(Wrong::Words(format!("nothing is mapped at {address:#x}")));
        };
        let mut findings = vec![Finding {
            kind: "mapping",
            text: mapping,
        }];
        findings.extend(found.module.map(|text| Finding {
            kind: "module",
            text,
        }));
        let mut pause = None;
        // The engine knows whether it can be a stack; what lies in a module is none.
        if findings.len() == 1 {
            let (place, stopped) = self.interactive.borrow_mut().stack_at(address)?;
            pause = stopped;
            findings.extend(place.map(|place| Finding {
                kind: "stack",
                text: stack_text(&place, address),
            }));
        }
        if let Some((name, offset)) = &found.symbol {
            let line = self.interactive.borrow().line_at(address);
            let line = line.map_or_else(String::new, |line| format!(", {line}"));
            let offset = match offset {
                0 => String::new(),
                offset => format!("+{offset:#x}"),
            };
            findings.push(Finding {
                kind: "symbol",
                text: format!("{name}{offset}{line}"),
            });
        }
        for finding in findings {
            if self.json {
                self.sink.document(&json!({
                    "address": format!("{address:#x}"),
                    "kind": finding.kind,
                    "text": finding.text,
                }));
                continue;
            }
            let line = safe(&format!("{}: {}", finding.kind, finding.text));
            self.sink.data(format!("{line}\n").as_bytes());
        }
        self.tell_losses(&Answer {
            pause,
            ..Answer::default()
        });
        match found.allocable {
            true => self.ask(&Question::What(address)),
            false => Ok(()),
        }
    }

    /// Asks the libraries of the target's programs.
    pub(super) fn ask(&mut self, question: &Question) -> Result<(), Wrong> {
        let json = self.json;
        // What the library prints are documents already.
        let wrapped = self.sink.printed.take();
        let answer = self
            .interactive
            .borrow_mut()
            .ask(question, json, &mut self.sink);
        self.sink.printed = wrapped;
        match self.show(&answer?) {
            super::After::Wrong => Err(Wrong::Said),
            _ => Ok(()),
        }
    }
}

fn stack_text(place: &StackPlace, address: u64) -> String {
    let distance = address.abs_diff(place.stack_pointer);
    let tid = place.tid;
    if address < place.stack_pointer {
        return match place.alone {
            true => format!(
                "of thread {tid}, {distance:#x} bytes below its stack pointer: what is not in use"
            ),
            false => format!(
                "thread {tid} has its stack in this mapping, {distance:#x} bytes below its stack pointer"
            ),
        };
    }
    match &place.frame {
        Some((number, frame)) => {
            let line = frame.place.as_ref();
            let line = line.map_or_else(String::new, |line| format!(" at {line}"));
            format!(
                "of thread {tid}, in frame #{number} of {}{line}",
                frame.function
            )
        }
        None => format!("of thread {tid}, {distance:#x} bytes above its stack pointer"),
    }
}
