//! `:view`: variables that were declared at the prompt, as the views of a probe file show them.

use std::path::Path;

use serde_json::{Value, json};
use ytrace_lang::check::view_kinds;
use ytrace_report::{Output, Report, json as report_json, left_out, render, text, write_output};
use ytrace_runtime::Sink;
use ytrace_runtime::interactive::Answer;

use super::lines::{Prompt, Wrong};
use crate::terminal::{safe, say};

/// What can follow a text that begins with `:view`: where the word at its end begins, and the kinds that fit.
pub(crate) fn completions(text: &str) -> Option<(usize, Vec<&'static str>)> {
    let rest = text.strip_prefix(":view")?;
    let word = rest.trim_start();
    if word.len() == rest.len() || word.contains(char::is_whitespace) {
        return None;
    }
    let found: Vec<&str> = view_kinds().filter(|kind| kind.starts_with(word)).collect();
    (!found.is_empty()).then_some((text.len() - word.len(), found))
}

impl Prompt<'_> {
    /// Shows a view where lines print.
    pub(super) fn view(&mut self, typed: &str) -> Result<(), Wrong> {
        let mut report = self.report(typed)?;
        // Who types knows which process it is.
        report.header.clear();
        if self.json {
            self.sink.document(&document(&report)?);
            return Ok(());
        }
        let shown = match self.sink.kept.is_some() {
            // A file is as wide as need be, but not wider than can be read.
            true => text::render_data(
                &report,
                text::Options {
                    width: 200,
                    ..text::Options::default()
                },
            ),
            false => text::render_data(
                &report,
                text::Options {
                    width: self.terminal.width_now(),
                    color: self.terminal.output_color,
                    fold: self.terminal.output_terminal,
                    ..text::Options::default()
                },
            ),
        };
        self.sink.data(&shown);
        Ok(())
    }

    /// Writes a view to a file, in the format that its ending names.
    pub(super) fn view_file(&mut self, typed: &str, name: &str) -> Result<(), Wrong> {
        let path = Path::new(name);
        let words = |error: ytrace_report::OutputError| Wrong::Words(error.to_string());
        let form = Output::from_path(path).map_err(words)?;
        let report = self.report(typed)?;
        let graph = report.views.iter().any(|view| view.data.has_paths());
        if form.wants_flamegraph() && !graph {
            let kinds: Vec<&str> = report.views.iter().map(|view| view.kind.as_str()).collect();
            return Err(words(ytrace_report::OutputError::no_flamegraph(
                form, &kinds,
            )));
        }
        write_output(path, &render(&report, form).map_err(words)?).map_err(words)?;
        say(&format!("wrote {}\n", safe(name)));
        if let Some(lack) = left_out(&report, form) {
            self.sink.warn(&lack);
        }
        Ok(())
    }

    /// What a view shows; what is lacking of it is said.
    fn report(&mut self, typed: &str) -> Result<Report, Wrong> {
        let report = self.interactive.borrow_mut().view(typed, &mut self.sink);
        let report = report?;
        self.tell_losses(&Answer {
            partial: report.footer.partial.clone(),
            ..Answer::default()
        });
        Ok(report)
    }
}

/// A view as a document.
fn document(report: &Report) -> Result<Value, Wrong> {
    let wrong = |error: serde_json::Error| Wrong::Words(error.to_string());
    let whole = report_json::render(report).map_err(wrong)?;
    let mut whole: Value = serde_json::from_slice(&whole).map_err(wrong)?;
    let view = whole.pointer_mut("/views/0").map(Value::take);
    Ok(json!({ "view": view }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_completed() {
        assert_eq!(completions(":view hi"), Some((6, vec!["histogram"])));
        assert_eq!(
            completions(":view ").map(|(start, kinds)| (start, kinds.len() > 4)),
            Some((6, true))
        );
        for text in [":view", ":view table by", ":vie", ":viewer"] {
            assert_eq!(completions(text), None, "{text}");
        }
    }
}
