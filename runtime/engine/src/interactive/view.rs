//! Views of variables that were declared at the prompt.

use std::collections::HashSet;

use ytrace_lang::check::view_kinds;
use ytrace_lang::fragment::{self, HANDLER, HANDLER_END};
use ytrace_lang::source::{FileId, SourceFile};
use ytrace_report::Report;

use super::{Interactive, NAME};
use crate::error::SessionError;
use crate::host::Sink;
use crate::result::RunResult;
use crate::session::Finding;
use crate::views;

/// A view that was asked for: what `:save` writes in front of the declaration.
#[derive(Clone, Debug)]
pub(super) struct Viewed {
    pub(super) name: String,
    /// As `_view table "title" "unit"`.
    pub(super) head: String,
}

impl Interactive<'_> {
    /// What a variable that was declared here holds, as a view shows it. `text` is what would stand in a probe file, with the variable's name
    /// in place of its declaration, and a title only if one is wanted: `histogram "Latency" "ns" taken`.
    ///
    /// # Errors
    /// There is no such variable, no such kind of view, or the one does not show the other.
    pub fn view(&mut self, text: &str, sink: &mut dyn Sink) -> Result<Report, SessionError> {
        let (kind, rest, name) = parts(text)?;
        let wrong = |message: String, hint: &str| {
            Err(SessionError::Arguments {
                message,
                hint: Some(hint.to_owned()),
            })
        };
        if kind == "series" {
            return wrong(
                "a series is of values over time, and a line sees those of one instant".to_owned(),
                "`bars` and `table` show those; in a probe file with a timer `_view series` records them",
            );
        }
        // A title is what stands first.
        let title = match rest.starts_with(['"', 'R', 'L']) && rest.contains('"') {
            true => String::new(),
            false => format!(" \"{name}\""),
        };
        let head = format!("_view {kind}{title} {rest}");
        let head = head.trim_end().to_owned();
        let items: Vec<(&str, &[String])> = self.declared.items().collect();
        let place = items
            .iter()
            .position(|(_, names)| names.iter().any(|declared| declared == name));
        let Some((place, (own, _))) = place.and_then(|at| Some((at, *items.get(at)?))) else {
            return wrong(
                format!("`{name}` is no variable that was declared at the prompt"),
                "a view shows a variable of your own: `long by_size[long];` declares one",
            );
        };
        let Some(shown) = fragment::with_view(own, name, &head) else {
            return wrong(
                format!("how `{name}` is declared cannot be told from its line"),
                "declare it on a line of its own, without a macro, behind its type",
            );
        };
        let before: String = items
            .iter()
            .take(place)
            .map(|(text, _)| format!("{text}\n"))
            .collect();
        let after: String = items
            .iter()
            .skip(place + 1)
            .map(|(text, _)| format!("{text}\n"))
            .collect();
        let whole = format!("{before}{shown}\n{after}{HANDLER}{HANDLER_END}");
        let (start, end) = (before.len(), before.len() + shown.len());
        let mut part = self
            .compile_text(whole, false, sink)
            .map_err(|error| match error {
                SessionError::Source { mut errors } => {
                    fragment::as_typed(&mut errors, start, 0, &shown);
                    SessionError::Source { errors }
                }
                other => other,
            })?;
        // What is wrong with earlier lines has been said then.
        part.compiled.warnings.retain(|warning| {
            let span = warning.primary.0;
            span.file == FileId(0) && (start..end).contains(&(span.start as usize))
        });
        self.say_of(&part, sink);
        if let Some(fault) = self.initialize(&mut part, &[], sink)? {
            return Err(SessionError::Arguments {
                message: fault.message,
                hint: None,
            });
        }
        let Some(store) = &self.store else {
            return Err(SessionError::NoProbe);
        };
        let mut result = RunResult {
            identity: self.session.identity.clone(),
            core: self.session.result.core.clone(),
            ..RunResult::default()
        };
        self.tell_losses(name, &mut result)?;
        let main = SourceFile {
            name: NAME.to_owned(),
            text: "".into(),
            library: false,
        };
        let finding = Finding {
            main: &main,
            compiled: &part.compiled,
            store,
            result: &result,
        };
        let mut report = views::report(&finding, &self.session.names, None);
        // What is included may have views of its own.
        let own = part.compiled.typed.views.iter().map(|view| {
            let global = part.compiled.typed.globals.get(view.global.0 as usize);
            global.is_some_and(|global| global.name == name)
        });
        let mut own = own.collect::<Vec<bool>>().into_iter();
        report.views.retain(|_| own.next().unwrap_or(false));
        self.viewed.retain(|viewed| viewed.name != name);
        self.viewed.push(Viewed {
            name: name.to_owned(),
            head,
        });
        Ok(report)
    }

    /// Notes what attached probes that use a variable have lost.
    fn tell_losses(&self, name: &str, result: &mut RunResult) -> Result<(), SessionError> {
        for reason in self.losses_of_users(&HashSet::from([name.to_owned()]))? {
            result.partial(reason);
        }
        Ok(())
    }

    /// A declaration with the view in front of it that was asked for.
    pub(super) fn with_views(&self, text: &str, names: &[String]) -> String {
        let mut text = text.to_owned();
        for Viewed { name, head } in &self.viewed {
            if names.contains(name)
                && let Some(shown) = fragment::with_view(&text, name, head)
            {
                text = shown;
            }
        }
        text
    }
}

/// The kind of a view, what stands between it and the variable, and the variable.
fn parts(text: &str) -> Result<(&str, &str, &str), SessionError> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let kinds: Vec<&str> = view_kinds().collect();
    let wrong = |message: String| {
        Err(SessionError::Arguments {
            message,
            hint: Some(format!(
                "`:view KIND [\"TITLE\" [\"UNIT\"]] VARIABLE`; the kinds are {}",
                kinds.join(", ")
            )),
        })
    };
    let (kind, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if !kinds.contains(&kind) {
        return wrong(match kind {
            "" => "what is to be shown?".to_owned(),
            kind => format!("there is no view `{kind}`"),
        });
    }
    let rest = rest.trim();
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '`';
    let start = rest
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_name(*c))
        .last()
        .map_or(rest.len(), |(at, _)| at);
    let (rest, name) = rest.split_at(start);
    let name = name.trim_matches('`');
    if name.is_empty() {
        return wrong("a variable is missing".to_owned());
    }
    Ok((kind, rest.trim(), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_taken_apart() {
        for (text, expected) in [
            ("table by", ("table", "", "by")),
            (
                " histogram \"How long\" \"ns\" _hist_linear(0, 100, 10) taken;",
                (
                    "histogram",
                    "\"How long\" \"ns\" _hist_linear(0, 100, 10)",
                    "taken",
                ),
            ),
            ("pie \"t\" `odd`", ("pie", "\"t\"", "odd")),
        ] {
            assert_eq!(parts(text).ok(), Some(expected), "{text}");
        }
        for text in ["", "picture by", "table", "table \"title\""] {
            assert!(parts(text).is_err(), "{text}");
        }
    }
}
