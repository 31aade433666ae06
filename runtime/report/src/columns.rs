//! Text in columns of a terminal: widths, cutting, padding, bars, colours.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use ytrace_values::escape;

/// How text is fitted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// Columns.
    pub(crate) width: usize,
    /// Whether to use colour.
    pub(crate) color: bool,
    /// The most rows of one view.
    pub(crate) rows: usize,
}

/// The most lines of what is drawn as fine as it has lines.
const MOST_LINES: usize = 100;

/// How more rows are had.
pub(crate) const MORE_ROWS: &str = "; --rows 0 shows all";

/// What a piece of text is, for colours.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    Title,
    Heading,
    Hot,
    Warm,
    Faint,
    Bad,
    Good,
}

impl Style {
    /// The most lines of what is drawn as fine as it has lines.
    pub(crate) fn lines(&self) -> usize {
        self.rows.min(MOST_LINES)
    }

    /// Text in a colour, if colour was asked for.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Title => "1",
            Tone::Heading => "4",
            Tone::Hot => "1;31",
            Tone::Warm => "33",
            Tone::Faint => "2",
            Tone::Bad => "1;31",
            Tone::Good => "32",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// The columns that text takes.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Text made safe, and cut at the end with `…` where it is wider than `columns`.
pub(crate) fn cut_end(text: &str, columns: usize) -> String {
    let text = escape::line(text.as_bytes());
    if width(&text) <= columns {
        return text;
    }
    let mut kept = head(&text, columns.saturating_sub(1));
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// Safe text cut in the middle, so that both its beginning and its end can be read.
pub(crate) fn cut_middle(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let front = head(text, room / 3);
    let back = tail(text, room - width(&front));
    if columns == 0 {
        return String::new();
    }
    format!("{front}…{back}")
}

fn head(text: &str, columns: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= columns
        })
        .collect()
}

fn tail(text: &str, columns: usize) -> String {
    let mut used = 0;
    let mut kept: Vec<char> = text
        .chars()
        .rev()
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= columns
        })
        .collect();
    // Marks that combine with a character that was cut away would join the ellipsis.
    while kept.last().is_some_and(|last| last.width() == Some(0)) {
        kept.pop();
    }
    kept.iter().rev().collect()
}

/// Pads on the left.
pub(crate) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Pads on the right.
pub(crate) fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Breaks safe text into lines at blanks; words that are too wide are broken anywhere.
///
/// Text that fits is left as it is. What follows a break is indented by `indent`.
pub(crate) fn wrap(text: &str, columns: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    let mut lead = "";
    let hanging = " ".repeat(indent);
    loop {
        let room = columns.saturating_sub(width(lead)).max(8);
        if width(rest) <= room {
            lines.push(format!("{lead}{rest}"));
            return lines;
        }
        let front = head(rest, room);
        // At the last blank that leaves something in front of it, or right where the room ends.
        let at = match front.trim_end().rfind(' ') {
            _ if rest[front.len()..].starts_with(' ') => front.len(),
            Some(blank) if !front[..blank].trim().is_empty() => blank,
            // A character wider than the room still has to go somewhere.
            _ if front.is_empty() => rest.chars().next().map_or(rest.len(), char::len_utf8),
            _ => front.len(),
        };
        lines.push(format!("{lead}{}", rest[..at].trim_end()));
        rest = rest[at..].trim_start();
        lead = &hanging;
        if rest.is_empty() {
            return lines;
        }
    }
}

/// Tabs as blanks up to the next of every eight columns.
pub(crate) fn expand_tabs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, part) in text.split('\t').enumerate() {
        if index > 0 {
            out.push_str(&" ".repeat(8 - width(&out) % 8));
        }
        out.push_str(part);
    }
    out
}

/// A bar of so many cells for a share between 0 and 1.
pub(crate) fn bar(share: f64, cells: usize) -> String {
    let halves = (share.clamp(0.0, 1.0) * cells as f64 * 2.0).round() as usize;
    let mut text = "█".repeat(halves / 2);
    if halves % 2 == 1 {
        text.push('▌');
    }
    text
}

/// `value` of `total` in per cent: `84`, `4.1`, `<0.1`; empty where there is no total.
pub(crate) fn percent(value: i128, total: i128) -> String {
    if total <= 0 {
        return String::new();
    }
    let percent = value as f64 * 100.0 / total as f64;
    match percent.abs() {
        _ if value == 0 => "0".to_owned(),
        small if small < 0.1 => "<0.1".to_owned(),
        middle if middle < 9.95 => format!("{percent:.1}"),
        _ => format!("{percent:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_counts_columns() {
        assert_eq!(cut_end("abcdef", 6), "abcdef");
        assert_eq!(cut_end("abcdef", 5), "abcd…");
        assert_eq!(cut_end("日本語日本語", 7), "日本語…");
        assert_eq!(cut_end("a\x1b[31m", 20), "a\\x1b[31m");
        assert_eq!(cut_end("abc", 0), "");
        assert_eq!(
            cut_middle("_LOADED.dynamic_cert.cert_cache", 20),
            "_LOADE…rt.cert_cache"
        );
        assert_eq!(width(&cut_middle("日本語日本語日本語", 10)), 9);
    }

    #[test]
    fn wrapping() {
        assert_eq!(wrap("one two three", 9, 2), ["one two", "  three"]);
        assert_eq!(wrap("", 9, 2), [""]);
        assert_eq!(wrap("   as  it is", 12, 2), ["   as  it is"]);
        assert_eq!(wrap("   as  it is", 11, 2), ["   as  it", "  is"]);
        assert_eq!(expand_tabs("a\tb\t\tc"), "a       b               c");
        for line in wrap(&"x".repeat(100), 10, 2) {
            assert!(width(&line) <= 10);
        }
    }

    #[test]
    fn shares() {
        assert_eq!(bar(0.5, 10), "█████");
        assert_eq!(bar(0.25, 10), "██▌");
        assert_eq!(bar(f64::NAN, 10), "");
        assert_eq!(percent(84, 100), "84");
        assert_eq!(percent(1, 100_000), "<0.1");
        assert_eq!(percent(41, 1000), "4.1");
        assert_eq!(percent(5, 0), "");
    }
}
