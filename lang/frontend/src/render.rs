//! Diagnostics as text, as the user sees them.

use std::collections::HashMap;
use std::fmt;

use ariadne::{Cache, Config, IndexType, Label, Report, ReportKind, Source};

use crate::diagnostics::{Diagnostic, Severity};
use crate::parse::Expansions;
use crate::source::{FileId, SourceMap, Span};

/// Renders diagnostics one after the other. Places inside macros also show which macro it was and
/// where it is defined; `expansions` may be empty.
pub fn render(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    expansions: &Expansions,
    colour: bool,
) -> String {
    let mut files = Files {
        sources,
        loaded: HashMap::new(),
        empty: Source::from(String::new()),
    };
    let mut output = Vec::new();
    for diagnostic in diagnostics {
        let report = report(diagnostic, sources, expansions, colour);
        if report.write(&mut files, &mut output).is_err() {
            // A vector takes everything; should a label not fit its file, the message remains.
            output.extend_from_slice(
                format!(
                    "{}: {}\n",
                    sources.location(diagnostic.primary.0),
                    diagnostic.message
                )
                .as_bytes(),
            );
        }
    }
    String::from_utf8_lossy(&output).into_owned()
}

/// A span as ariadne wants it: within its file, on character boundaries.
#[derive(Clone, Debug)]
struct Place {
    file: FileId,
    range: std::ops::Range<usize>,
}

impl Place {
    fn new(span: Span, sources: &SourceMap) -> Self {
        let text = sources.get(span.file).map_or("", |file| &*file.text);
        let start = boundary(text, span.start as usize);
        let end = boundary(text, span.end as usize).max(start);
        Self {
            file: span.file,
            range: start..end,
        }
    }
}

/// The nearest character boundary at or before an offset.
fn boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

impl ariadne::Span for Place {
    type SourceId = FileId;

    fn source(&self) -> &FileId {
        &self.file
    }

    fn start(&self) -> usize {
        self.range.start
    }

    fn end(&self) -> usize {
        self.range.end
    }
}

/// The files of a program, read as they are needed.
struct Files<'s> {
    sources: &'s SourceMap,
    loaded: HashMap<FileId, Source<String>>,
    empty: Source<String>,
}

impl Cache<FileId> for Files<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &FileId) -> Result<&Source<String>, impl fmt::Debug> {
        let Some(file) = self.sources.get(*id) else {
            return Ok::<_, std::convert::Infallible>(&self.empty);
        };
        Ok(self
            .loaded
            .entry(*id)
            .or_insert_with(|| Source::from(file.text.to_string())))
    }

    fn display<'a>(&self, id: &'a FileId) -> Option<impl fmt::Display + 'a> {
        self.sources.get(*id).map(|file| file.name.clone())
    }
}

fn report(
    diagnostic: &Diagnostic,
    sources: &SourceMap,
    expansions: &Expansions,
    colour: bool,
) -> Report<'static, Place> {
    let kind = match diagnostic.severity {
        Severity::Error => ReportKind::Error,
        Severity::Warning => ReportKind::Warning,
    };
    let accent = match diagnostic.severity {
        Severity::Error => ariadne::Color::Red,
        Severity::Warning => ariadne::Color::Yellow,
    };
    let (span, label) = &diagnostic.primary;
    let place = Place::new(*span, sources);
    let mut builder = Report::build(kind, place.clone())
        .with_config(
            Config::default()
                .with_color(colour)
                .with_index_type(IndexType::Byte)
                .with_tab_width(4),
        )
        .with_message(&diagnostic.message)
        .with_label(
            Label::new(place)
                .with_message(label)
                .with_color(accent)
                .with_priority(1),
        );
    for (span, label) in &diagnostic.secondary {
        builder = builder.with_label(
            Label::new(Place::new(*span, sources))
                .with_message(label)
                .with_color(ariadne::Color::Blue),
        );
    }
    let places = std::iter::once(span).chain(diagnostic.secondary.iter().map(|(span, _)| span));
    let mut shown: Vec<&str> = Vec::new();
    for expansion in places.flat_map(|span| expansions.at(*span)) {
        let name = &expansion.name;
        if shown.contains(&name.as_str()) {
            continue;
        }
        shown.push(name);
        match (expansion.definition, &expansion.place) {
            (Some(definition), _) => {
                builder = builder.with_label(
                    Label::new(Place::new(definition, sources))
                        .with_message(format!("in the macro `{name}`, defined here"))
                        .with_color(ariadne::Color::Blue),
                );
            }
            (None, Some(place)) => builder.add_note(format!(
                "in the macro `{name}`, defined in the target's debug information: {place}"
            )),
            (None, None) => builder.add_note(format!("in the built-in macro `{name}`")),
        }
    }
    if let Some(help) = &diagnostic.help {
        builder.set_help(help);
    }
    builder.finish()
}
