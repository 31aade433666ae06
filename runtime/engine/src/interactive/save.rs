//! What was typed, as a probe file.

use std::collections::HashSet;

use ytrace_lang::fragment::{self, PieceKind};
use ytrace_lang::source::SourceFile;

use super::declared::{Form, number_of};
use super::generations::{Entry, entries, one_line};
use super::{HowShown, Interactive, NAME, Typed};
use crate::error::SessionError;
use crate::host::Sink;

/// Why nothing was saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Nothing has been typed that went well.
    #[error("there is nothing to save yet")]
    Nothing,
    /// What was typed makes no probe file.
    #[error("what was typed does not make a probe file as it stands")]
    Wrong(Box<SessionError>),
    /// A file would do something else.
    #[error("a file cannot do what was typed: {0}")]
    Unlike(String),
}

/// A probe file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its text.
    pub text: String,
    /// What it lacks, for it faulted at the prompt: it may have done a part of its work there.
    pub left_out: Vec<String>,
}

/// How the file begins.
pub const SAVED_HEAD: &str = "/// What was typed at the prompt of `ytrace repl`";

impl Interactive<'_> {
    /// A probe file that does what was typed, in order, in one `_oneshot`. It has been checked against the target.
    ///
    /// # Errors
    /// There is nothing, a file cannot do the same, or it does not compile.
    pub fn save(&mut self, sink: &mut dyn Sink) -> Result<Saved, SaveError> {
        if self.log.iter().all(|typed| typed.faulted) {
            return Err(SaveError::Nothing);
        }
        let text = self.as_file()?;
        let faulted = self.log.iter().filter(|typed| typed.faulted);
        let left_out = faulted.map(|typed| typed.text.clone()).collect();
        Ok(Saved {
            text: self.check_file(text, sink)?,
            left_out,
        })
    }

    fn has_saved_probes(&self) -> bool {
        self.log.iter().any(|typed| typed.kind == PieceKind::Probe)
    }

    /// Whether a probe was taken away, and another one with the same head attached later, which is the one that was meant.
    fn is_superseded(&self, typed: &Typed) -> bool {
        let head = |typed: &Typed| {
            let head = typed.text.split('{').next().unwrap_or_default();
            head.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let mut later = self.log.iter().filter(|other| {
            other.kind == PieceKind::Probe
                && other.order > typed.order
                && head(other) == head(typed)
        });
        let attached = |number| self.probes.iter().any(|probe| Some(probe.number) == number);
        typed.kind == PieceKind::Probe && !attached(typed.number) && later.next().is_some()
    }

    fn check_file(&mut self, text: String, sink: &mut dyn Sink) -> Result<String, SaveError> {
        let main = SourceFile {
            name: NAME.to_owned(),
            text: text.as_str().into(),
            library: false,
        };
        let compiled = self.session.compile(&main, sink);
        sink.progress("");
        match compiled {
            Ok(_) => Ok(text),
            Err(error) => Err(SaveError::Wrong(Box::new(error))),
        }
    }

    /// The file. What was typed after the first probe is wanted when it has run, so it is in `_end`; all else is in `_oneshot`.
    fn as_file(&self) -> Result<String, SaveError> {
        let wanted = |typed: &&Typed| !typed.faulted && !self.is_superseded(typed);
        let log: Vec<&Typed> = self.log.iter().filter(wanted).collect();
        let viewed = self.viewed.iter().map(|viewed| viewed.name.as_str());
        let entries = entries(&log, &viewed.collect(), &|typed: &Typed| {
            self.with_views(&typed.text, &typed.names)
        })?;
        let used: HashSet<usize> = entries
            .iter()
            .flat_map(|entry| fragment::mentioned(&entry.text))
            .filter_map(|name| number_of(&name))
            .collect();
        let prefix = unused_prefix(&entries);
        let carried = carried(&entries);
        let needed = needed_at_top(&entries, &carried);
        let mut top = String::new();
        let mut body = String::new();
        let mut before = None;
        let mut probes = String::new();
        let mut faulted = self.log.iter().filter(|typed| typed.faulted).peekable();
        for entry in &entries {
            while let Some(left_out) = faulted.next_if(|typed| typed.order < entry.typed.order) {
                add_left_out(&mut body, &left_out.text);
            }
            let text = self.with_variables(&entry.text, &prefix);
            match entry.typed.kind {
                PieceKind::Probe => {
                    probes.push_str(&format!("\n{text}\n"));
                    before.get_or_insert_with(|| std::mem::take(&mut body));
                }
                PieceKind::Definition => {
                    match self.place_of_definition(entry, &entries, &needed)? {
                        Placed::Top => top.push_str(&format!("{text}\n")),
                        Placed::Body => add_lines(&mut body, &text),
                        Placed::Split => {
                            let Some((declaration, assignment)) =
                                fragment::split_initializer(&text)
                            else {
                                return Err(SaveError::Unlike(format!(
                                    "`{}` cannot be declared before it is set",
                                    one_line(&text)
                                )));
                            };
                            top.push_str(&format!("{declaration}\n"));
                            add_lines(&mut body, &assignment);
                        }
                    }
                }
                PieceKind::Statements => add_lines(&mut body, &text),
                PieceKind::Expression => {
                    let number = entry.typed.number;
                    let is_carried = number.is_some_and(|number| carried.contains(&number));
                    let top = is_carried.then_some(&mut top);
                    self.add_expression(&mut body, top, entry, &text, &prefix, &used)
                }
            }
        }
        for left_out in faulted {
            add_left_out(&mut body, &left_out.text);
        }
        let target = match self.session.target.name() {
            name if name.is_empty() => "a process".to_owned(),
            name => name,
        };
        let handler = |point: &str, body: &str| match body.is_empty() && !probes.is_empty() {
            true => String::new(),
            false => format!("\n_probe {point} {{\n{body}}}\n"),
        };
        let handlers = match &before {
            Some(before) => handler("_oneshot", before) + &probes + &handler("_end", &body),
            None => handler("_oneshot", &body) + &probes,
        };
        Ok(format!(
            "{SAVED_HEAD} on {}.\n{top}{handlers}",
            ytrace_values::escape::line(target.as_bytes())
        ))
    }

    /// Adds an expression: its value is shown, and kept where it is used later; in a variable that is declared at `top`, if that is given.
    fn add_expression(
        &self,
        body: &mut String,
        top: Option<&mut String>,
        entry: &Entry<'_>,
        expression: &str,
        prefix: &str,
        used: &HashSet<usize>,
    ) {
        let number = entry.typed.number.filter(|number| used.contains(number));
        let form = number
            .and_then(|number| self.earlier.get(number - 1))
            .map(|earlier| earlier.form);
        let shown = match (number, form) {
            (Some(number), Some(form)) => {
                let name = format!("{prefix}{number}");
                let (ty, value, shown) = match form {
                    Form::Place => {
                        let place = format!("&({expression})");
                        (place.clone(), place, format!("*{name}"))
                    }
                    Form::Value => (expression.to_owned(), expression.to_owned(), name.clone()),
                    Form::Function => (
                        format!("0 ? {expression} : {expression}"),
                        expression.to_owned(),
                        name.clone(),
                    ),
                };
                match top {
                    Some(top) => {
                        top.push_str(&format!("typeof({ty}) {name};\n"));
                        add_lines(body, &format!("{name} = {value};"));
                    }
                    None => add_lines(body, &format!("typeof({ty}) {name} = {value};")),
                }
                shown
            }
            _ => expression.to_owned(),
        };
        match &entry.typed.shown {
            HowShown::Value { head, style } => {
                if let Some(style) = style {
                    add_lines(body, &format!("// The prompt showed it in {style}."));
                }
                let head = head
                    .replace('%', "%%")
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"");
                add_lines(body, &format!("printf(\"{head}%V\\n\", {shown});"));
            }
            HowShown::Text => add_lines(body, &format!("_print({shown}, \"\\n\");")),
            // What gives nothing is only done.
            HowShown::Nothing => add_lines(body, &format!("{shown};")),
        }
    }

    /// Where a definition stands in a file: at the top level directives, types, functions, and variables that functions use. Other variables
    /// are set in the order of what was typed.
    fn place_of_definition(
        &self,
        entry: &Entry<'_>,
        entries: &[Entry<'_>],
        needed: &HashSet<String>,
    ) -> Result<Placed, SaveError> {
        let text = entry.text.trim_start();
        let names = &entry.names;
        let is_variable = !(text.starts_with('#')
            || text.starts_with("typedef")
            || text.starts_with("_module")
            || text.starts_with("_layout")
            || is_function(text)
            || names.iter().any(|name| name.contains(' ')));
        if !is_variable {
            return Ok(Placed::Top);
        }
        let at_top = names.iter().any(|name| needed.contains(name))
            || entry.viewed
            // What is typed after a probe may use it, too.
            || self.has_saved_probes() && !text.contains('=');
        if !at_top {
            return Ok(Placed::Body);
        }
        let Some((_, initializer)) = text.split_once('=') else {
            return Ok(Placed::Top);
        };
        // What it begins with may have been found by what was typed before.
        let used = fragment::used_names(initializer);
        let declared = entries.iter().flat_map(|entry| &entry.names);
        let found = fragment::mentioned(initializer);
        let of_session = declared.into_iter().any(|name| used.contains(name))
            || found.iter().any(|name| number_of(name).is_some());
        match (of_session, fragment::split_initializer(&entry.text)) {
            (false, _) => Ok(Placed::Top),
            (true, Some(_)) => Ok(Placed::Split),
            (true, None) => Err(SaveError::Unlike(format!(
                "functions or probes use what `{}` declares, and it begins with what was found before: declare it without an initializer, and then set it",
                one_line(text)
            ))),
        }
    }

    /// A text in which earlier values are variables of the file.
    fn with_variables(&self, text: &str, prefix: &str) -> String {
        if fragment::has_captures(text) {
            return text.to_owned();
        }
        fragment::renamed(text, &|name| {
            let number = number_of(name)?;
            let earlier = self.earlier.get(number.checked_sub(1)?)?;
            Some(match earlier.form {
                Form::Place => format!("(*{prefix}{number})"),
                Form::Value | Form::Function => format!("{prefix}{number}"),
            })
        })
    }
}

/// Where a definition stands.
enum Placed {
    Top,
    Body,
    /// Declared at the top, and set where it was typed.
    Split,
}

/// The numbers of the values that were shown before the first probe and are used after it, as such or by others of them.
fn carried(entries: &[Entry<'_>]) -> HashSet<usize> {
    let is_probe = |entry: &Entry<'_>| entry.typed.kind == PieceKind::Probe;
    let Some(first) = entries.iter().position(is_probe) else {
        return HashSet::new();
    };
    let (before, after) = entries.split_at(first);
    let numbers = |text: &str| -> Vec<usize> {
        let mentioned = fragment::mentioned(text);
        mentioned
            .iter()
            .filter_map(|name| number_of(name))
            .collect()
    };
    let mut pending: Vec<usize> = after
        .iter()
        .flat_map(|entry| numbers(&entry.text))
        .collect();
    let mut carried = HashSet::new();
    while let Some(number) = pending.pop() {
        let shown = before
            .iter()
            .find(|entry| entry.typed.number == Some(number));
        if let Some(entry) = shown
            && carried.insert(number)
        {
            pending.extend(numbers(&entry.text));
        }
    }
    carried
}

/// The names that functions, probes, what was typed after a probe and the values that are carried there use, and what these use: they must be
/// there for them.
fn needed_at_top(entries: &[Entry<'_>], carried: &HashSet<usize>) -> HashSet<String> {
    let mut behind = false;
    let users = entries.iter().filter(|entry| {
        behind |= entry.typed.kind == PieceKind::Probe;
        behind
            || entry.typed.kind == PieceKind::Definition && is_function(&entry.text)
            || entry
                .typed
                .number
                .is_some_and(|number| carried.contains(&number))
    });
    let mut pending: Vec<String> = users
        .flat_map(|entry| fragment::used_names(&entry.text))
        .collect();
    let mut needed = HashSet::new();
    while let Some(name) = pending.pop() {
        if !needed.insert(name.clone()) {
            continue;
        }
        let definitions = entries.iter().filter(|entry| {
            // A variable needs nothing more once it is there.
            entry.names.contains(&name) && entry.text.trim_start().starts_with('#')
        });
        pending.extend(definitions.flat_map(|entry| fragment::used_names(&entry.text)));
    }
    needed
}

/// How the names of variables for earlier values begin: no name that was typed does.
fn unused_prefix(entries: &[Entry<'_>]) -> String {
    let names: HashSet<String> = entries
        .iter()
        .flat_map(|entry| fragment::mentioned(&entry.text))
        .collect();
    let mut prefix = "v".to_owned();
    let numbered = |prefix: &str, name: &String| {
        let rest = name.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    while names.iter().any(|name| numbered(&prefix, name)) {
        prefix.push('_');
    }
    prefix
}

/// A comment for what faulted.
fn add_left_out(body: &mut String, text: &str) {
    body.push_str("    // Left out, for it faulted:\n");
    for line in text.lines() {
        // A backslash at its end would go on with the next line.
        let line = line.trim_end_matches(|c: char| c == '\\' || c.is_whitespace());
        body.push_str(&format!("    //     {line}\n"));
    }
}

/// Whether a definition is a function with its body.
pub(super) fn is_function(text: &str) -> bool {
    let head = text.split('{').next().unwrap_or_default();
    head.contains('(') && text.trim_end().ends_with('}') && !head.contains('=')
}

fn add_lines(body: &mut String, text: &str) {
    for line in text.lines() {
        body.push_str("    ");
        body.push_str(line.trim_end());
        body.push('\n');
    }
}
