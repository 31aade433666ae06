//! Diagnostics as text, as the user sees them.

use std::collections::HashMap;
use std::fmt;

use ariadne::{Cache, Config, IndexType, Label, Report, ReportKind, Source};
use ytrace_values::escape;

use crate::diagnostics::{Diagnostic, Severity};
use crate::parse::Expansions;
use crate::source::{FileId, SourceMap, Span};

/// Lines of more bytes are not shown: the terminal would fold them, and the place be lost.
const MOST_LINE: usize = 1_000;

/// Diagnostics beyond these are only counted: a broken file can have one for each of its bytes.
const MOST_SHOWN: usize = 200;

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
    for diagnostic in diagnostics.iter().take(MOST_SHOWN) {
        if on_long_lines(diagnostic, sources, expansions) {
            output.extend_from_slice(plain(diagnostic, sources).as_bytes());
            continue;
        }
        let report = report(diagnostic, &mut files, expansions, colour);
        if report.write(&mut files, &mut output).is_err() {
            // A vector takes everything; should a label not fit its file, the message remains.
            output.extend_from_slice(plain(diagnostic, sources).as_bytes());
        }
    }
    let more = diagnostics.len().saturating_sub(MOST_SHOWN);
    if more > 0 {
        output.extend_from_slice(format!("{more} more like these are not shown\n").as_bytes());
    }
    String::from_utf8_lossy(&output).into_owned()
}

/// Whether a place that a diagnostic shows lies on a line that is too long for it.
fn on_long_lines(diagnostic: &Diagnostic, sources: &SourceMap, expansions: &Expansions) -> bool {
    let secondary = diagnostic.secondary.iter().map(|(span, _)| *span);
    std::iter::once(diagnostic.primary.0)
        .chain(secondary)
        .any(|span| {
            let chain = expansions.at(span).into_iter();
            let definitions = chain.filter_map(|one| one.definition);
            std::iter::once(span)
                .chain(definitions)
                .any(|span| line_is_long(span, sources))
        })
}

fn line_is_long(span: Span, sources: &SourceMap) -> bool {
    let bytes = sources
        .get(span.file)
        .map_or(&[][..], |file| file.text.as_bytes());
    [span.start, span.end].iter().any(|offset| {
        let (before, after) = bytes.split_at((*offset as usize).min(bytes.len()));
        let is_text = |byte: &&u8| **byte != b'\n';
        let before = before.iter().rev().take(MOST_LINE).take_while(is_text);
        let after = after.iter().take(MOST_LINE).take_while(is_text);
        before.count() + after.count() >= MOST_LINE
    })
}

/// A diagnostic in one line, with its help in another.
fn plain(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let kind = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let (span, label) = &diagnostic.primary;
    let mut text = format!(
        "{}: {kind}: {}",
        sources.location(*span),
        diagnostic.message
    );
    if !label.is_empty() {
        text.push_str(&format!(" ({label})"));
    }
    text.push('\n');
    for (span, label) in &diagnostic.secondary {
        text.push_str(&format!("{}: note: {label}\n", sources.location(*span)));
    }
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!("  help: {help}\n"));
    }
    shown_text(&text)
}

/// A span as ariadne wants it: characters within their file. Ariadne counts bytes too, but takes the
/// one for the other where it names the places of further files.
#[derive(Clone, Debug)]
struct Place {
    part: Part,
    range: std::ops::Range<usize>,
}

impl ariadne::Span for Place {
    type SourceId = Part;

    fn source(&self) -> &Part {
        &self.part
    }

    fn start(&self) -> usize {
        self.range.start
    }

    fn end(&self) -> usize {
        self.range.end
    }
}

/// What is one file to the reader: a file, or a part of it whose lines are counted for themselves, from its first byte to its last.
type Part = (FileId, usize, usize);

/// The files of a program, read as they are needed.
struct Files<'s> {
    sources: &'s SourceMap,
    loaded: HashMap<Part, Source<String>>,
    empty: Source<String>,
}

impl Files<'_> {
    fn source(&mut self, part: Part) -> &Source<String> {
        let (id, start, end) = part;
        let file = self.sources.get(id);
        let Some(text) = file.and_then(|file| file.text.get(start..end)) else {
            return &self.empty;
        };
        self.loaded
            .entry(part)
            .or_insert_with(|| Source::from(shown_source(text)))
    }

    fn place(&mut self, span: Span) -> Place {
        let whole = self.sources.part_of(span);
        let part = (span.file, whole.start, whole.end);
        let source = self.source(part);
        let start = characters(source, (span.start as usize).saturating_sub(whole.start));
        let end = (span.end as usize).saturating_sub(whole.start);
        let end = characters(source, end).max(start);
        Place {
            part,
            range: start..end,
        }
    }
}

/// A text as a terminal may show it: no character that it would obey, each replaced by one of as many bytes, so that places stay.
fn shown_source(text: &str) -> String {
    let mut rest = text.chars().peekable();
    let mut shown = String::with_capacity(text.len());
    while let Some(one) = rest.next() {
        let ends_line = one == '\r' && rest.peek() == Some(&'\n');
        shown.push(match one {
            '\n' | '\t' => one,
            _ if ends_line || !escape::obeyed(one) => one,
            _ => match one.len_utf8() {
                1 => '?',
                2 => '¿',
                _ => char::REPLACEMENT_CHARACTER,
            },
        });
    }
    shown
}

/// A message, of one line or several, without what a terminal would obey.
fn shown_text(text: &str) -> String {
    let mut shown = Vec::with_capacity(text.len());
    escape::terminal_into(&mut shown, text.as_bytes());
    String::from_utf8_lossy(&shown).into_owned()
}

/// How many characters of a text end at or before an offset, which may lie behind the text.
fn characters(source: &Source<String>, offset: usize) -> usize {
    let Some((line, _, column)) = source.get_byte_line(offset) else {
        return source.len();
    };
    let text = source.get_line_text(line).unwrap_or_default();
    let ends = text.char_indices().map(|(at, one)| at + one.len_utf8());
    line.offset() + ends.take_while(|end| *end <= column).count()
}

impl Cache<Part> for Files<'_> {
    type Storage = String;

    fn fetch(&mut self, part: &Part) -> Result<&Source<String>, impl fmt::Debug> {
        Ok::<_, std::convert::Infallible>(self.source(*part))
    }

    fn display<'a>(&self, part: &'a Part) -> Option<impl fmt::Display + 'a> {
        let name = self.sources.get(part.0).map(|file| &file.name);
        name.map(|name| escape::line(name.as_bytes()))
    }
}

fn report(
    diagnostic: &Diagnostic,
    files: &mut Files<'_>,
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
    let place = files.place(*span);
    let mut builder = Report::build(kind, place.clone())
        .with_config(
            Config::default()
                .with_color(colour)
                .with_index_type(IndexType::Char)
                .with_tab_width(4),
        )
        .with_message(shown_text(&diagnostic.message))
        .with_label(
            Label::new(place)
                .with_message(shown_text(label))
                .with_color(accent)
                .with_priority(1),
        );
    for (span, label) in &diagnostic.secondary {
        builder = builder.with_label(
            Label::new(files.place(*span))
                .with_message(shown_text(label))
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
                    Label::new(files.place(definition))
                        .with_message(format!("in the macro `{name}`, defined here"))
                        .with_color(ariadne::Color::Blue),
                );
            }
            (None, Some(place)) => builder.add_note(shown_text(&format!(
                "in the macro `{name}`, defined in the target's debug information: {place}"
            ))),
            (None, None) => builder.add_note(format!("in the built-in macro `{name}`")),
        }
    }
    if let Some(help) = &diagnostic.help {
        builder.set_help(shown_text(help));
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    #[test]
    fn places_in_further_files_count_in_characters() {
        let mut sources = SourceMap::default();
        let mut add = |name: &str, text: &str| {
            sources.add(SourceFile {
                name: name.to_owned(),
                text: text.into(),
                library: false,
            })
        };
        let main = add("main.y", "// “‘’”\nint äx;\n");
        let other = add("other.y", "// “‘’”\nint öx;\n");
        let at = |file, start, end| Span {
            file,
            start,
            end,
            expansion: 0,
        };
        let x = at(main, 22, 23);
        let diagnostic =
            Diagnostic::error(x, "twice", "again").with_secondary(at(other, 22, 23), "first");
        let shown = render(&[diagnostic], &sources, &Expansions::default(), false);
        assert!(
            shown.contains("main.y:2:6") && shown.contains("other.y:2:6"),
            "{shown}"
        );
        // Offsets within a character and behind the text show the nearest place.
        for (start, end) in [(4, 5), (3, 4), (0, 5), (0, 1), (21, 300), (300, 400)] {
            let within = Diagnostic::error(at(main, start, end), "wrong", "here")
                .with_secondary(at(other, start, end), "there");
            let shown = render(&[within], &sources, &Expansions::default(), false);
            assert!(shown.contains("here") && shown.contains("there"), "{shown}");
        }
    }

    #[test]
    fn a_terminal_obeys_nothing_that_is_shown() {
        let mut sources = SourceMap::default();
        let text =
            "int a; // \u{1b}]0;t\u{7} \u{9b}2J \u{202e}\r\nint b;\r\n\u{c}int c; // \u{1b}[2J é\n";
        let file = sources.add(SourceFile {
            name: "\u{1b}[31mmain.y".to_owned(),
            text: text.into(),
            library: false,
        });
        let at = |what: &str| {
            let start = text.find(what).unwrap() as u32;
            Span {
                file,
                start,
                end: start + what.len() as u32,
                expansion: 0,
            }
        };
        let diagnostic = Diagnostic::error(at("a;"), "message \u{1b}c", "label \u{1b}[1m")
            .with_secondary(at("c;"), "other \u{9b}")
            .with_help("help \u{1b}\nof two lines");
        for colour in [false, true] {
            let shown = render(
                std::slice::from_ref(&diagnostic),
                &sources,
                &Expansions::default(),
                colour,
            );
            // Colours are ariadne's own.
            let own = shown
                .replace("\u{1b}[31mError", "")
                .replace("\u{1b}[0m", "");
            let mut left = own.as_str();
            while let Some((_, rest)) = left.split_once("\u{1b}[") {
                left = rest;
                assert!(
                    left.starts_with("31m") || left.starts_with("34m") || left.starts_with("38;"),
                    "{shown:?}"
                );
                assert!(!left.starts_with("31mmain"), "{shown:?}");
            }
            for part in [
                "\u{1b}]",
                "\u{1b}c",
                "\u{7}",
                "\u{9b}",
                "\u{202e}",
                "\u{c}",
                "\r",
                "\u{1b}[2J",
                "\u{1b}[1m",
            ] {
                assert!(!shown.contains(part), "{part:?}: {shown:?}");
            }
            assert!(shown.contains("message \\x1bc"), "{shown}");
        }
        let shown = render(&[diagnostic], &sources, &Expansions::default(), false);
        assert!(
            shown.contains("1:5") && shown.contains(" 3 │ ?int c;"),
            "{shown}"
        );
    }

    #[test]
    fn long_lines_are_not_shown() {
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile {
            name: "main.y".to_owned(),
            text: format!("int x;\n{}y{}\n", "x ".repeat(5_000), " x".repeat(5_000)).into(),
            library: false,
        });
        let at = |start, end| Span {
            file,
            start,
            end,
            expansion: 0,
        };
        let diagnostic = Diagnostic::error(at(10_007, 10_008), "unknown name `y`", "no such name")
            .with_secondary(at(4, 5), "this is known")
            .with_help("did you mean `x`?");
        let shown = render(&[diagnostic], &sources, &Expansions::default(), false);
        assert_eq!(
            shown,
            "main.y:2:10001: error: unknown name `y` (no such name)\n\
             main.y:1:5: note: this is known\n  help: did you mean `x`?\n"
        );
        let short = Diagnostic::error(at(4, 5), "unknown name `x`", "no such name");
        let shown = render(
            std::slice::from_ref(&short),
            &sources,
            &Expansions::default(),
            false,
        );
        assert!(shown.contains("int x;"), "{shown}");
        let many = vec![short; MOST_SHOWN + 3];
        let shown = render(&many, &sources, &Expansions::default(), false);
        assert!(
            shown.ends_with("3 more like these are not shown\n"),
            "{shown}"
        );
    }
}
