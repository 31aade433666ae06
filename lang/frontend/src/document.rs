//! What a probe file says of itself: its `///` texts with what they document, for reference pages.
//!
//! Everything is taken from the text of one file, as it is written there; names of a target stay names.

use std::collections::BTreeMap;

use crate::ast::{Declaration, Item, ItemKind, Probe, ProbePoint, TypeSpecifier};
use crate::compile::LayoutChoices;
use crate::parse::{MOST_ROUNDS, Parsed, parse_arm};
use crate::source::{FileId, Loader, SourceFile, Span};

/// The most lines of a type's definition that are shown.
const MAX_LINES: usize = 60;

/// What a file says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The text at the top of the file.
    pub introduction: Option<String>,
    /// What it has, in the order of the text.
    pub entries: Vec<Entry>,
}

/// Something that a file declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Its name: of an option as on the command line, of a view its title, of a probe its head.
    pub name: String,
    /// How it is declared, without a body.
    pub declaration: String,
    /// The `///` text, lines joined by `\n`.
    pub documentation: Option<String>,
    /// Its line, from 1.
    pub line: usize,
}

/// What an [`Entry`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// An option of the command line.
    Option,
    /// A view.
    View,
    /// A probe.
    Probe,
    /// A function.
    Function,
    /// A global variable.
    Variable,
    /// A type.
    Type,
    /// A macro.
    Macro,
    /// A `_layout`.
    Layout,
}

/// The `///` lines that a text begins with, after `#!`; `None` if there are none.
pub fn introduction(text: &str) -> Option<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("///") {
            Some(line) => lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end()),
            None if lines.is_empty() && (line.starts_with("#!") || line.trim().is_empty()) => {}
            None => break,
        }
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Reads what a file says of itself: of all arms of its `##if…`, each thing once. What is wrong with the text is left out.
pub fn document(main: SourceFile, loader: &mut dyn Loader) -> Document {
    let text = main.text.clone();
    let mut entries: BTreeMap<(u32, String), Entry> = BTreeMap::new();
    let mut arms = 1;
    let mut arm = 0;
    while arm < arms {
        let parsed = parse_arm(main.clone(), loader, None, &LayoutChoices::new(), &[], arm);
        arms = arms.max(parsed.arms.min(MOST_ROUNDS));
        for item in &parsed.unit.items {
            if item.span.file == FileId(0) {
                for entry in of_item(item, &text) {
                    entries
                        .entry((item.span.start, entry.name.clone()))
                        .or_insert(entry);
                }
            }
        }
        arm += 1;
    }
    for (offset, entry) in macros(&text) {
        entries.entry((offset, entry.name.clone())).or_insert(entry);
    }
    Document {
        introduction: introduction(&text),
        entries: entries.into_values().collect(),
    }
}

/// What an item declares.
fn of_item(item: &Item, text: &str) -> Vec<Entry> {
    let entry = |kind, name: &str, declaration: String| Entry {
        kind,
        name: name.to_owned(),
        declaration,
        documentation: item.documentation.clone(),
        line: line_of(text, item.span.start),
    };
    let head = |end: u32| one_line(slice(text, item.span.start, end));
    match &item.kind {
        ItemKind::Function(function) => match &function.body {
            Some(body) => vec![entry(
                EntryKind::Function,
                &function.name.text,
                head(body.span.start),
            )],
            // A prototype says nothing that the function does not.
            None => Vec::new(),
        },
        ItemKind::Option(option) => {
            let name = format!("--{}", option.name.text.replace('_', "-"));
            let whole = head(item.span.end);
            let words = whole.trim_start_matches("_option").trim();
            vec![entry(
                EntryKind::Option,
                &name,
                words.trim_end_matches(';').trim().to_owned(),
            )]
        }
        ItemKind::View(view) => {
            let unit = view.unit.as_ref().filter(|unit| !unit.is_empty());
            let unit = unit.map_or(String::new(), |unit| format!(", {unit}"));
            vec![entry(
                EntryKind::View,
                &view.title,
                format!("{}{unit}", view.kind.text),
            )]
        }
        ItemKind::Probe(probe) => {
            let head = head(probe_end(probe));
            let head = head.trim_start_matches("_probe").trim().to_owned();
            vec![entry(EntryKind::Probe, &head.clone(), head)]
        }
        ItemKind::Layout(layout) => {
            let names: Vec<String> = layout
                .candidates
                .iter()
                .map(|candidate| format!("`{}`", candidate.name))
                .collect();
            vec![entry(
                EntryKind::Layout,
                &layout.name.text,
                names.join(", "),
            )]
        }
        ItemKind::Declaration(declaration) => of_declaration(declaration, item, text, &entry),
        ItemKind::Module(_) | ItemKind::MaxOverhead(_) | ItemKind::Mode(_) => Vec::new(),
    }
}

fn of_declaration(
    declaration: &Declaration,
    item: &Item,
    text: &str,
    entry: &dyn Fn(EntryKind, &str, String) -> Entry,
) -> Vec<Entry> {
    let whole = || several_lines(slice(text, item.span.start, item.span.end));
    if declaration.declarators.is_empty() {
        return match tag(&declaration.base) {
            Some(tag) => vec![entry(EntryKind::Type, &tag, whole())],
            None => Vec::new(),
        };
    }
    let kind = match declaration.typedef {
        true => EntryKind::Type,
        false => EntryKind::Variable,
    };
    let names = declaration.declarators.iter();
    let names = names.filter_map(|one| one.declarator.name.as_ref());
    names
        .map(|name| {
            let text = match kind {
                EntryKind::Type => whole(),
                // What it begins with is no part of its interface.
                _ => {
                    let whole = one_line(slice(text, item.span.start, item.span.end));
                    let end = whole.find(" = ").unwrap_or(whole.len());
                    let whole = whole.get(..end).unwrap_or(&whole);
                    whole.trim_end_matches(';').trim().to_owned()
                }
            };
            entry(kind, &name.text, text)
        })
        .collect()
}

/// `struct s`, where a specifier defines that.
fn tag(base: &TypeSpecifier) -> Option<String> {
    match base {
        TypeSpecifier::Record(record) => {
            record.members.as_ref()?;
            let word = if record.union { "union" } else { "struct" };
            Some(format!("{word} {}", record.tag.as_ref()?.text))
        }
        TypeSpecifier::Enum(one) => {
            one.enumerators.as_ref()?;
            Some(format!("enum {}", one.tag.as_ref()?.text))
        }
        _ => None,
    }
}

fn probe_end(probe: &Probe) -> u32 {
    probe.body.span.start
}

/// Macros that `///` lines right before them document.
fn macros(text: &str) -> Vec<(u32, Entry)> {
    let mut found = Vec::new();
    let mut waiting: Vec<&str> = Vec::new();
    let mut offset = 0usize;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += line.len();
        let line = line.trim_end();
        if let Some(documentation) = line.strip_prefix("///") {
            waiting.push(documentation.strip_prefix(' ').unwrap_or(documentation));
            continue;
        }
        let lines = std::mem::take(&mut waiting);
        let Some(rest) = line.strip_prefix("#define ").filter(|_| !lines.is_empty()) else {
            continue;
        };
        let rest = rest.trim_start();
        let name = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let parameters = rest
            .get(name..)
            .filter(|rest| rest.starts_with('('))
            .and_then(|rest| rest.split_inclusive(')').next())
            .unwrap_or_default();
        let name = rest.get(..name).unwrap_or_default();
        found.push((
            u32::try_from(start).unwrap_or(u32::MAX),
            Entry {
                kind: EntryKind::Macro,
                name: name.to_owned(),
                declaration: format!("{name}{parameters}"),
                documentation: Some(lines.join("\n")),
                line: index + 1,
            },
        ));
    }
    found
}

fn slice(text: &str, start: u32, end: u32) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}

/// Text without comments and line breaks.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(without_comment);
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or(line)
}

fn several_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    match lines.get(..MAX_LINES) {
        Some(first) if lines.len() > MAX_LINES => format!("{}\n…", first.join("\n")),
        _ => lines.join("\n"),
    }
}

fn line_of(text: &str, offset: u32) -> usize {
    let before = text.as_bytes().get(..offset as usize).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// What a program reads, probes and asks for, as far as its own text tells: for those who have not written it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Points {
    /// Heads of probes with their places.
    pub probes: Vec<(String, Span)>,
    /// Modules that `_module` lines name, in their order.
    pub modules: Vec<String>,
    /// What they take.
    pub needs: Vec<Need>,
    /// Views, as kind and title.
    pub views: Vec<String>,
}

/// What a probe takes to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A view of the target: a pause, or live reading.
    Memory,
    /// Probes in the kernel, or threads that stop.
    Events,
    /// Samples of the target's threads.
    Samples,
    /// Threads that stop: `--sync`.
    Stops,
}

/// What a probe at a point takes.
fn need(point: &ProbePoint) -> Need {
    match point {
        ProbePoint::Oneshot | ProbePoint::Begin | ProbePoint::End => Need::Memory,
        ProbePoint::Timer { unit, .. } if unit.text == "profile" => Need::Samples,
        ProbePoint::Timer { .. } => Need::Memory,
        ProbePoint::Watch(_) => Need::Stops,
        ProbePoint::Process(name) if matches!(name.text.as_str(), "_signal" | "_exit") => {
            Need::Stops
        }
        ProbePoint::Function { .. }
        | ProbePoint::Line(_)
        | ProbePoint::Address(_)
        | ProbePoint::Usdt { .. }
        | ProbePoint::Process(_) => Need::Events,
    }
}

/// The probes and modules of a program, those of included files as well.
pub fn points(parsed: &Parsed) -> Points {
    let mut points = Points::default();
    for item in &parsed.unit.items {
        let text = parsed.sources.get(item.span.file).map(|file| &file.text);
        match &item.kind {
            ItemKind::Probe(probe) => {
                let text = text.map_or("", |text| slice(text, item.span.start, probe_end(probe)));
                let head = one_line(text);
                let head = head.trim_start_matches("_probe").trim().to_owned();
                points.probes.push((head, item.span));
                let need = need(&probe.point);
                if !points.needs.contains(&need) {
                    points.needs.push(need);
                }
            }
            ItemKind::Module(patterns) => {
                for (pattern, _) in patterns {
                    if !points.modules.contains(pattern) {
                        points.modules.push(pattern.clone());
                    }
                }
            }
            ItemKind::View(view) => {
                let shown = format!("{} \"{}\"", view.kind.text, view.title);
                if !points.views.contains(&shown) {
                    points.views.push(shown);
                }
            }
            _ => {}
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::LoadError;

    struct Nothing;

    impl Loader for Nothing {
        fn load(&mut self, name: &str, _: bool, _: &str) -> Result<SourceFile, LoadError> {
            Err(LoadError::NotFound {
                name: name.to_owned(),
                tried: Vec::new(),
            })
        }
    }

    fn read(text: &str) -> Document {
        let main = SourceFile {
            name: "a.y".to_owned(),
            text: Arc::from(text),
            library: false,
        };
        document(main, &mut Nothing)
    }

    #[test]
    fn everything_with_its_text() {
        let page = read(
            "#!/usr/bin/env x\n/// A file.\n///\n/// More.\n\n/// How deep.\n#define DEEP(x, y) ((x) + (y))\n\n/// A pair.\nstruct pair {\n    int a;\n};\n\n_option int most_rows = 5; /// how many\n\n/// Adds.\n/// Twice.\nlong add(struct pair *p,\n         long n)\n{\n    return n;\n}\n\n_view bars \"Sizes\" \"bytes\"\nlong sizes[_str];\n\n_probe _oneshot {\n}\n",
        );
        assert_eq!(page.introduction.as_deref(), Some("A file.\n\nMore."));
        let shown: Vec<String> = page
            .entries
            .iter()
            .map(|e| {
                let documentation = e.documentation.as_deref().unwrap_or("-");
                format!(
                    "{:?} {}|{}|{documentation}|{}",
                    e.kind, e.name, e.declaration, e.line
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "Macro DEEP|DEEP(x, y)|How deep.|7",
                "Type struct pair|struct pair {\n    int a;\n};|A pair.|10",
                "Option --most-rows|int most_rows = 5|how many|14",
                "Function add|long add(struct pair *p, long n)|Adds.\nTwice.|18",
                "View Sizes|bars, bytes|-|24",
                "Probe _oneshot|_oneshot|-|27",
            ]
        );
    }

    #[test]
    fn every_arm_counts_once() {
        let page = read(
            "##ifdefvar v\nint a(void) { return 1; }\n##else\nint b(void) { return 2; }\n##endif\nint c(void) { return 3; }\n",
        );
        let names: Vec<&str> = page
            .entries
            .iter()
            .map(|entry| entry.name.as_str())
            .collect();
        assert_eq!(names, ["a", "b", "c"]);
    }
}
