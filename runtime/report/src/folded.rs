//! Folded stacks: a line `a;b;c N` a path, as flame graph tools read them.

use ytrace_values::escape;

use crate::model::{Difference, Flamegraph, Footer};

/// The paths of a flame graph with their own values of the selected weight.
///
/// Frames are made safe for one line; `;` within a frame becomes `\x3b`. Paths whose value is 0
/// have no line. A partial result begins with a comment that says so.
pub fn render(graph: &Flamegraph, footer: &Footer) -> String {
    let mut out = String::new();
    if !footer.partial.is_empty() {
        // Without a number at its end, which some tools would take for a value.
        out.push_str(&format!(
            "# {}.\n",
            escape::line(footer.verdict().as_bytes())
        ));
    }
    for (frames, values) in &graph.rows {
        let value = values.get(graph.selected).copied().unwrap_or_default();
        if value == 0 {
            continue;
        }
        out.push_str(&stack(frames.iter().map(String::as_str)));
        out.push_str(&format!(" {value}\n"));
    }
    out
}

/// The paths of a difference, a line `a;b;c OLD NEW` each, as tools for differential flame graphs read them. Values below 0
/// count as 0; a path of which one is not known is left out.
pub fn difference(difference: &Difference) -> String {
    let mut out = String::new();
    for change in &difference.rows {
        let selected = difference.selected;
        let (Some(old), Some(new)) = (change.before(selected), change.now(selected)) else {
            continue;
        };
        if (old, new) != (0, 0) {
            out.push_str(&stack(change.name.iter().map(String::as_str)));
            out.push_str(&format!(" {} {}\n", old.max(0), new.max(0)));
        }
    }
    out
}

/// Frames as one folded stack.
pub(crate) fn stack<'a>(frames: impl Iterator<Item = &'a str>) -> String {
    let mut stack = String::new();
    for frame in frames {
        if !stack.is_empty() {
            stack.push(';');
        }
        stack.push_str(&self::frame(frame));
    }
    if stack.is_empty() {
        stack.push_str("(empty)");
    }
    stack
}

/// One frame so that a line of folded stacks means what it should.
///
/// A trailing number would be read as a value, a leading `# ` as a comment, and blanks at the
/// ends are dropped by readers; no-break spaces stand in their place.
pub(crate) fn frame(name: &str) -> String {
    const HARD: &str = "\u{a0}";
    let mut text: String = escape::line(name.as_bytes()).trim().replace(';', "\\x3b");
    if let Some((front, last)) = text.rsplit_once(' ')
        && last.starts_with(|c: char| c.is_ascii_digit() || c == '.')
    {
        text = format!("{front}{HARD}{last}");
    }
    if text == "#" || text.starts_with("# ") {
        text = text.replacen('#', "\\x23", 1);
    }
    if text.is_empty() {
        text.push_str("(empty)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_stay_one_frame() {
        assert_eq!(frame("a;b\nc"), "a\\x3bb\\nc");
        assert_eq!(frame("slot 5"), "slot\u{a0}5");
        assert_eq!(frame("f (x.lua:12)"), "f (x.lua:12)");
        assert_eq!(frame("  "), "(empty)");
        assert_eq!(frame("# x"), "\\x23 x");
        assert_eq!(frame("#"), "\\x23");
    }

    #[test]
    fn lines() {
        let graph = Flamegraph {
            weights: vec!["bytes".into(), "count".into()],
            selected: 1,
            rows: vec![
                (vec!["a".into(), ".b".into()], vec![10, 2]),
                (vec!["a".into()], vec![10, 0]),
                (vec![], vec![10, 1]),
            ],
        };
        assert_eq!(render(&graph, &Footer::default()), "a;.b 2\n(empty) 1\n");
        let footer = Footer {
            partial: vec!["the target\nexited".into()],
            ..Footer::default()
        };
        assert!(render(&graph, &footer).starts_with("# PARTIAL: the target\\nexited.\na;.b 2\n"));
    }
}
