//! What was typed, as a probe file.

use std::collections::HashSet;

use ytrace_lang::fragment::{self, PieceKind};
use ytrace_lang::source::SourceFile;

use super::declared::{Form, number_of};
use super::{Interactive, NAME, Typed};
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
}

impl Interactive<'_> {
    /// The text of a probe file that does what was typed, in order, in one `_oneshot`. It has been checked against the target.
    ///
    /// # Errors
    /// There is nothing, or it does not compile as a file.
    pub fn save(&mut self, sink: &mut dyn Sink) -> Result<String, SaveError> {
        if self.log.is_empty() {
            return Err(SaveError::Nothing);
        }
        let has_probes = self.log.iter().any(|typed| typed.kind == PieceKind::Probe);
        // What was looked at after a probe is wanted when it has run; unless that needs what was found before.
        let mut result = self.check_file(self.as_file(has_probes), sink);
        if has_probes && result.is_err() {
            result = match self.check_file(self.as_file(false), sink) {
                Ok(text) => Ok(text),
                Err(_) => result,
            };
        }
        result
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

    /// The file. What was typed after the first probe is in `_end` if `later`, else in `_oneshot` as all is.
    fn as_file(&self, later: bool) -> String {
        let functions = self.used_by_functions();
        let mut declared = HashSet::new();
        let log: Vec<&Typed> = self
            .log
            .iter()
            .filter(|typed| self.is_current(typed))
            // What was declared twice in the same words stands once.
            .filter(|typed| {
                typed.kind != PieceKind::Definition || declared.insert(typed.text.as_str())
            })
            .collect();
        let used: HashSet<usize> = log
            .iter()
            .flat_map(|typed| fragment::mentioned(&typed.text))
            .filter_map(|name| number_of(&name))
            .collect();
        let mut top = String::new();
        let mut body = String::new();
        let mut before = None;
        let mut probes = String::new();
        for typed in log {
            match typed.kind {
                PieceKind::Probe => {
                    probes.push_str(&format!("\n{}\n", self.with_variables(&typed.text)));
                    if later && before.is_none() {
                        before = Some(std::mem::take(&mut body));
                    }
                }
                PieceKind::Definition => match self.stays_at_top(typed, &functions) {
                    true => {
                        let text = self.with_views(&typed.text, self.names_of(typed));
                        top.push_str(&format!("{}\n", self.with_variables(&text)));
                    }
                    false => add_lines(&mut body, &self.with_variables(&typed.text)),
                },
                PieceKind::Statements => add_lines(&mut body, &self.with_variables(&typed.text)),
                PieceKind::Expression => {
                    let expression = self.with_variables(&typed.text);
                    let number = typed.number.filter(|number| used.contains(number));
                    let form = number
                        .and_then(|number| self.earlier.get(number - 1))
                        .map(|earlier| earlier.form);
                    let shown = match (number, form) {
                        (Some(number), Some(Form::Place)) => {
                            add_lines(
                                &mut body,
                                &format!("typeof(&({expression})) v{number} = &({expression});"),
                            );
                            format!("*v{number}")
                        }
                        (Some(number), Some(Form::Value)) => {
                            add_lines(
                                &mut body,
                                &format!("typeof({expression}) v{number} = {expression};"),
                            );
                            format!("v{number}")
                        }
                        (Some(number), Some(Form::Function)) => {
                            add_lines(
                                &mut body,
                                &format!(
                                    "typeof(0 ? {expression} : {expression}) v{number} = {expression};"
                                ),
                            );
                            format!("v{number}")
                        }
                        _ => expression,
                    };
                    // What gives nothing is only done.
                    match typed.number.is_some() || form.is_some() {
                        true => add_lines(&mut body, &format!("printf(\"%V\\n\", {shown});")),
                        false => add_lines(&mut body, &format!("{shown};")),
                    }
                }
            }
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
        format!(
            "/// What was typed at the prompt of `ytrace repl` on {}.\n{top}{handlers}",
            ytrace_values::escape::line(target.as_bytes())
        )
    }

    /// Whether a definition is still in force, and what is no definition is.
    fn is_current(&self, typed: &Typed) -> bool {
        typed.kind != PieceKind::Definition
            || self.declared.items().any(|(text, _)| text == typed.text)
    }

    /// The names that functions of the session mention, and probes: what they use must be there for them.
    fn used_by_functions(&self) -> HashSet<String> {
        let functions = self.declared.items().filter(|(text, _)| is_function(text));
        let mut used: HashSet<String> = functions
            .flat_map(|(text, _)| fragment::mentioned(text))
            .collect();
        used.extend(self.used_by_probes());
        used
    }

    /// Whether a definition is one of the top level in a file: directives, types, functions, and variables that functions use. Other
    /// variables are set in the order of what was typed.
    fn stays_at_top(&self, typed: &Typed, functions: &HashSet<String>) -> bool {
        let text = typed.text.trim_start();
        let has_probes = self.log.iter().any(|typed| typed.kind == PieceKind::Probe);
        let names = self.names_of(typed);
        let is_viewed = |name: &String| self.viewed.iter().any(|viewed| viewed.name == *name);
        text.starts_with('#')
            || text.starts_with("typedef")
            || text.starts_with("_module")
            || text.starts_with("_layout")
            || is_function(text)
            || names.iter().any(|name| name.contains(' '))
            || names.iter().any(|name| functions.contains(name))
            || names.iter().any(is_viewed)
            // What is typed after a probe may use it, too.
            || has_probes && !text.contains('=')
    }

    /// The names that a definition declares.
    fn names_of(&self, typed: &Typed) -> &[String] {
        let mut items = self.declared.items();
        let found = items.find(|(text, _)| *text == typed.text);
        found.map(|(_, names)| names).unwrap_or_default()
    }

    /// A text in which earlier values are variables of the file.
    fn with_variables(&self, text: &str) -> String {
        if fragment::has_captures(text) {
            return text.to_owned();
        }
        fragment::renamed(text, &|name| {
            let number = number_of(name)?;
            let earlier = self.earlier.get(number.checked_sub(1)?)?;
            Some(match earlier.form {
                Form::Place => format!("(*v{number})"),
                Form::Value | Form::Function => format!("v{number}"),
            })
        })
    }
}

/// Whether a definition is a function with its body.
fn is_function(text: &str) -> bool {
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
