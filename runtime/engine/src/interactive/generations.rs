//! What was typed with a name of its own for each declaration: what is declared anew at the prompt is another thing in a file.

use std::collections::{HashMap, HashSet};

use ytrace_lang::fragment::{self, PieceKind};

use super::Typed;
use super::save::{SaveError, is_function};

/// Something that was typed, as a file has it.
#[derive(Clone, Debug)]
pub(super) struct Entry<'t> {
    pub(super) typed: &'t Typed,
    /// Its text in the file, with earlier values by their numbers.
    pub(super) text: String,
    /// The names that it declares there, tags as `struct name`.
    pub(super) names: Vec<String>,
    /// Whether it has a view.
    pub(super) viewed: bool,
}

/// What is in force.
struct Live<'t> {
    typed: &'t Typed,
    viewed: bool,
}

/// Names as they are in a file.
#[derive(Default)]
struct Names {
    /// By the name that was typed, without `struct`.
    written: HashMap<String, String>,
    /// All that stand somewhere.
    taken: HashSet<String>,
}

impl Names {
    /// Another name for what is declared anew.
    fn renew(&mut self, name: &str) {
        let bare = bare(name);
        let mut number = 2;
        let written = loop {
            let written = format!("{bare}_{number}");
            if self.taken.insert(written.clone()) {
                break written;
            }
            number += 1;
        };
        self.written.insert(name.to_owned(), written);
    }

    fn text(&self, text: &str) -> String {
        fragment::with_other_names(text, &|name| self.written.get(name).cloned())
    }

    fn entry<'t>(&self, live: &Live<'t>, views: &dyn Fn(&Typed) -> String) -> Entry<'t> {
        let text = match live.viewed {
            true => views(live.typed),
            false => live.typed.text.clone(),
        };
        let names = live.typed.names.iter();
        let names = names.map(|name| match self.written.get(name) {
            Some(written) => match name.split_once(' ') {
                Some((keyword, _)) => format!("{keyword} {written}"),
                None => written.clone(),
            },
            None => name.clone(),
        });
        Entry {
            typed: live.typed,
            text: self.text(&text),
            names: names.collect(),
            viewed: live.viewed,
        }
    }
}

/// What was typed, in order. `viewed` are the variables that have a view, which `views` writes in front of a declaration.
///
/// # Errors
/// A file would do something else.
pub(super) fn entries<'t>(
    log: &[&'t Typed],
    viewed: &HashSet<&str>,
    views: &dyn Fn(&Typed) -> String,
) -> Result<Vec<Entry<'t>>, SaveError> {
    let mut names = Names::default();
    for typed in log {
        let used = fragment::used_names(&typed.text);
        names
            .taken
            .extend(used.iter().map(|name| bare(name).to_owned()));
    }
    let mut last = HashMap::new();
    for (at, typed) in log.iter().enumerate() {
        for name in &typed.names {
            last.insert(name.as_str(), at);
        }
    }
    let mut entries = Vec::new();
    let mut live: Vec<Live<'t>> = Vec::new();
    for (at, &typed) in log.iter().enumerate() {
        let mut one = Live {
            typed,
            viewed: false,
        };
        if typed.kind != PieceKind::Definition {
            entries.push(names.entry(&one, views));
            continue;
        }
        let shown =
            |name: &String| viewed.contains(name.as_str()) && last.get(name.as_str()) == Some(&at);
        one.viewed = typed.names.iter().any(shown);
        let declared = |name: &&String| live.iter().any(|live| live.typed.names.contains(name));
        let again: Vec<String> = typed.names.iter().filter(declared).cloned().collect();
        check_directives(typed, &names, &again, &live)?;
        live.retain(|live| !live.typed.names.iter().any(|name| again.contains(name)));
        for name in &again {
            names.renew(name);
        }
        let dependents = dependents(&live, again)?;
        for live in &dependents {
            live.typed.names.iter().for_each(|name| names.renew(name));
        }
        entries.push(names.entry(&one, views));
        for live in dependents {
            entries.push(names.entry(live, views));
        }
        live.push(one);
    }
    Ok(entries)
}

/// Functions and macros that use what is declared anew, in the order of what was typed: they mean that from then on, in a file others of them do.
fn dependents<'l, 't>(
    live: &'l [Live<'t>],
    mut changed: Vec<String>,
) -> Result<Vec<&'l Live<'t>>, SaveError> {
    let mut found: HashSet<&str> = HashSet::new();
    while let Some(name) = changed.pop() {
        for Live { typed, .. } in live {
            if found.contains(typed.text.as_str()) {
                continue;
            }
            let used = fragment::used_names(declared_with(&typed.text));
            if !used.contains(&name) {
                continue;
            }
            let (macros, _) = fragment::macros(&typed.text);
            if macros.is_empty() && !is_function(&typed.text) {
                return Err(SaveError::Unlike(format!(
                    "`{name}` was declared anew after `{}`, which is made with it",
                    one_line(&typed.text)
                )));
            }
            found.insert(&typed.text);
            changed.extend(typed.names.iter().cloned());
        }
    }
    let is_found = |live: &&Live<'_>| found.contains(live.typed.text.as_str());
    Ok(live.iter().filter(is_found).collect())
}

/// What of a definition means what its names mean later: of a variable not its initializer, which has been used.
fn declared_with(text: &str) -> &str {
    match text.trim_start().starts_with('#') || is_function(text) {
        true => text,
        false => text.split('=').next().unwrap_or_default(),
    }
}

/// Refuses directives whose order with what was typed around them matters in a way that a file cannot have.
fn check_directives(
    typed: &Typed,
    names: &Names,
    again: &[String],
    live: &[Live<'_>],
) -> Result<(), SaveError> {
    let is_conditional = |text: &str| {
        text.lines()
            .any(|line| line.trim_start().starts_with("#if"))
    };
    let (_, undefined) = fragment::macros(&typed.text);
    let known = |name: &&String| live.iter().any(|live| live.typed.names.contains(name));
    if let Some(name) = undefined.iter().find(known) {
        return Err(SaveError::Unlike(format!(
            "the macro `{name}` was defined for a part of the session only"
        )));
    }
    let replaced = live
        .iter()
        .filter(|live| live.typed.names.iter().any(|name| again.contains(name)));
    let mut conditional = replaced.map(|live| live.typed).chain([typed]);
    if !again.is_empty() && conditional.any(|typed| is_conditional(&typed.text)) {
        return Err(SaveError::Unlike(format!(
            "`{}` was declared anew, under a condition",
            again.join("`, `")
        )));
    }
    let includes = typed.text.contains("include") && typed.text.trim_start().starts_with('#');
    let macros = live
        .iter()
        .flat_map(|live| fragment::macros(&live.typed.text).0);
    let mut renewed = macros.filter(|name| names.written.contains_key(name));
    match renewed.next() {
        Some(name) if includes => Err(SaveError::Unlike(format!(
            "`{}` was included after the macro `{name}` was defined anew, which it may use",
            one_line(&typed.text)
        ))),
        _ => Ok(()),
    }
}

/// A name without `struct`, `union` or `enum`.
pub(super) fn bare(name: &str) -> &str {
    name.rsplit(' ').next().unwrap_or(name)
}

/// The first line of a text.
pub(super) fn one_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}
