//! Values that were written in one line, broken into several where they would be too wide.

use ytrace_values::show::{Mark, MarkKind, Outline};

use crate::text::fit;

/// Columns that an inner level is moved to the right by.
const INDENT: usize = 2;

/// The text of a value within `width` columns, as far as its parts allow; `used` columns of the first line are taken. What fits into the
/// rest of a line stays on it; else each part of a `{…}` has a line of its own. The text is made safe for a terminal.
pub fn fit_value(outline: &Outline, width: usize, used: usize) -> String {
    let mut layout = Layout {
        text: &outline.text,
        marks: &outline.marks,
        width: width.max(20),
        out: String::new(),
        column: used,
    };
    layout.part(0..outline.text.len(), 0..outline.marks.len(), 0);
    layout.out
}

struct Layout<'o> {
    text: &'o [u8],
    marks: &'o [Mark],
    width: usize,
    out: String,
    column: usize,
}

impl Layout<'_> {
    /// Writes a range of the text with the marks in it.
    fn part(
        &mut self,
        mut text: std::ops::Range<usize>,
        mut marks: std::ops::Range<usize>,
        indent: usize,
    ) {
        while let Some(first) = self.mark(marks.start).filter(|_| !marks.is_empty()) {
            let closing = self.closing(marks.clone());
            let (Some(closing), MarkKind::Open) = (closing, first.kind) else {
                // A separator between the parts of what is broken is written by whoever breaks it.
                marks.start += 1;
                continue;
            };
            let Some(close) = self.mark(closing) else {
                return;
            };
            self.write(text.start..first.at);
            let inner = first.at..close.at;
            // The comma after it belongs to its line.
            if self.fits(inner.start..(close.at + 2).min(text.end)) || inner.is_empty() {
                self.write(inner.clone());
            } else {
                self.broken(inner, marks.start + 1..closing, indent + INDENT);
                self.line(indent);
            }
            text.start = close.at;
            marks.start = closing + 1;
        }
        self.write(text);
    }

    /// Whether the parts of a group are plain values, as those of an array of numbers.
    fn is_plain(&self, text: std::ops::Range<usize>, marks: std::ops::Range<usize>) -> bool {
        let all = self.marks.get(marks).unwrap_or_default();
        let bytes = self.text.get(text).unwrap_or_default();
        let flat = all.iter().all(|mark| mark.kind == MarkKind::Separator);
        flat && !bytes.windows(3).any(|bytes| bytes == b" = ")
    }

    /// Writes the inside of a group of plain values, as many a line as fit.
    fn filled(
        &mut self,
        text: std::ops::Range<usize>,
        marks: std::ops::Range<usize>,
        indent: usize,
    ) {
        let ends = self.marks.get(marks).unwrap_or_default().iter();
        let ends: Vec<usize> = ends.map(|mark| mark.at).chain([text.end]).collect();
        self.line(indent);
        let mut from = text.start;
        for (index, end) in ends.into_iter().enumerate() {
            if index > 0 {
                // Behind the space, which the line break stands for.
                match self.fits(from..end) {
                    true => self.write(from..from + 1),
                    false => self.line(indent),
                }
                from += 1;
            }
            self.write(from..end);
            from = end;
        }
    }

    /// Writes the inside of a group, a line each part.
    fn broken(
        &mut self,
        text: std::ops::Range<usize>,
        marks: std::ops::Range<usize>,
        indent: usize,
    ) {
        if self.is_plain(text.clone(), marks.clone()) {
            return self.filled(text, marks, indent);
        }
        let mut depth = 0_usize;
        let mut from = text.start;
        let mut first = marks.start;
        for index in marks.clone() {
            let Some(mark) = self.mark(index) else {
                break;
            };
            match mark.kind {
                MarkKind::Open => depth += 1,
                MarkKind::Close => depth = depth.saturating_sub(1),
                MarkKind::Separator if depth == 0 => {
                    self.line(indent);
                    self.part(from..mark.at, first..index, indent);
                    // Without the space.
                    from = mark.at + 1;
                    first = index + 1;
                }
                MarkKind::Separator => {}
            }
        }
        self.line(indent);
        self.part(from..text.end, first..marks.end, indent);
    }

    fn mark(&self, index: usize) -> Option<Mark> {
        self.marks.get(index).copied()
    }

    /// The mark that closes the first one.
    fn closing(&self, marks: std::ops::Range<usize>) -> Option<usize> {
        let mut depth = 0_usize;
        for index in marks {
            match self.mark(index)?.kind {
                MarkKind::Open => depth += 1,
                MarkKind::Close => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(index);
                    }
                }
                MarkKind::Separator => {}
            }
        }
        None
    }

    fn safe(&self, range: std::ops::Range<usize>) -> String {
        let bytes = self.text.get(range).unwrap_or_default();
        fit(&String::from_utf8_lossy(bytes), usize::MAX)
    }

    fn fits(&self, range: std::ops::Range<usize>) -> bool {
        self.column + columns(&self.safe(range)) <= self.width
    }

    fn write(&mut self, range: std::ops::Range<usize>) {
        let text = self.safe(range);
        self.column += columns(&text);
        self.out.push_str(&text);
    }

    fn line(&mut self, indent: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }
}

fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An outline of a text in which all braces and commas are marked.
    fn outline(text: &str) -> Outline {
        let mut marks = Vec::new();
        for (at, c) in text.char_indices() {
            let (at, kind) = match c {
                '{' => (at + 1, MarkKind::Open),
                ',' => (at + 1, MarkKind::Separator),
                '}' => (at, MarkKind::Close),
                _ => continue,
            };
            marks.push(Mark { at, kind });
        }
        Outline {
            text: text.as_bytes().to_vec(),
            marks,
        }
    }

    #[test]
    fn what_fits_stays_on_its_line() {
        let value = outline("{a = 1, b = {c = 2, d = 3}, e = {}}");
        assert_eq!(
            fit_value(&value, 80, 0),
            "{a = 1, b = {c = 2, d = 3}, e = {}}"
        );
        assert_eq!(
            fit_value(&value, 30, 5),
            "{\n  a = 1,\n  b = {c = 2, d = 3},\n  e = {}\n}"
        );
        assert_eq!(
            fit_value(&value, 20, 0),
            "{\n  a = 1,\n  b = {\n    c = 2,\n    d = 3\n  },\n  e = {}\n}"
        );
    }

    #[test]
    fn plain_values_fill_their_lines() {
        let value = outline("{a = {10, 20, 30, 40, 50, 60}}");
        assert_eq!(
            fit_value(&value, 20, 0),
            "{\n  a = {\n    10, 20, 30, 40,\n    50, 60\n  }\n}"
        );
    }

    #[test]
    fn text_without_marks_and_bytes_of_the_target_are_safe() {
        assert_eq!(fit_value(&outline("42"), 20, 0), "42");
        let hostile = Outline {
            text: b"\"\x1b[31m\xff\"".to_vec(),
            marks: Vec::new(),
        };
        let text = fit_value(&hostile, 20, 0);
        assert!(!text.contains('\x1b'), "{text:?}");
        // Marks that are not those of a value do no harm.
        for marks in [
            vec![Mark {
                at: 9,
                kind: MarkKind::Open,
            }],
            vec![
                Mark {
                    at: 3,
                    kind: MarkKind::Close,
                },
                Mark {
                    at: 1,
                    kind: MarkKind::Open,
                },
            ],
        ] {
            fit_value(
                &Outline {
                    text: b"abc".to_vec(),
                    marks,
                },
                20,
                0,
            );
        }
    }
}
