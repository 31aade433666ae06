//! An interactive flame graph as SVG, drawn by inferno.
//!
//! Roots are at the top (an icicle): the reader begins with what holds everything and follows
//! the chain down. Siblings go from the biggest to the smallest, in the order of the terminal's
//! view, and a frame's colour depends on its name alone, so two runs compare.

use inferno::flamegraph::{self, Direction, Palette, TextTruncateDirection, color::BasicPalette};

use crate::columns::cut_end;
use crate::difference_text;
use crate::flame_text;
use crate::folded;
use crate::markup::{self, escaped, legal};
use crate::model::{Difference, Flamegraph, Report, Unit, View};
use crate::tree::Tree;

/// Characters of the subtitle, which is one line over the whole width.
const SUBTITLE: usize = 165;

/// What the colours of a difference mean.
const COLOURS: &str = "red grew, blue shrank";

/// Sums beyond this are scaled down; inferno counts in 64 bits.
const LARGEST: i128 = 1 << 62;

/// The same where two values of a path are subtracted and multiplied.
const LARGEST_CHANGE: i128 = 1 << 52;

/// A subtree of less than one part in so many of the whole is not drawn (inferno's least width
/// is a hundredth of a per cent).
const NARROWEST: i128 = 20_000;

/// Where a picture stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file of its own: it says all that there is to say.
    File,
    /// On a page that says what it is of, and may be narrow.
    Page,
}

/// Draws a flame graph of a report.
pub fn render(
    report: &Report,
    view: &View,
    graph: &Flamegraph,
    place: Place,
) -> std::io::Result<Vec<u8>> {
    let names = flame_text::names(&graph.weights, &view.unit);
    let name = names.get(graph.selected).map_or("", String::as_str);
    draw(report, &view.title, name, &Tree::new(graph), None, place)
}

/// Draws a differential flame graph: as wide as things are now, red where they grew themselves, blue where they shrank.
pub fn difference(
    report: &Report,
    view: &View,
    difference: &Difference,
    place: Place,
) -> std::io::Result<Vec<u8>> {
    let selected = difference.selected;
    let clamp = |number: i128| number.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    let graph = Flamegraph {
        weights: vec!["new".to_owned(), "old".to_owned()],
        selected: 0,
        rows: difference
            .rows
            .iter()
            .filter_map(|change| {
                let (old, new) = (change.before(selected)?, change.now(selected)?);
                Some((change.name.clone(), vec![clamp(new), clamp(old)]))
            })
            .collect(),
    };
    let name = difference.weights.get(selected).map_or("", String::as_str);
    let title = format!("What changed: {}", view.title);
    let summary = format!("{} · {COLOURS}", difference_text::summary(difference));
    let tree = Tree::new(&graph);
    draw(report, &title, name, &tree, Some(&summary), place)
}

/// Draws a tree by its selected weight; with a summary, as its change from the weight after it.
fn draw(
    report: &Report,
    title: &str,
    name: &str,
    tree: &Tree<'_>,
    summary: Option<&str>,
    place: Place,
) -> std::io::Result<Vec<u8>> {
    let mut negative = 0_u64;
    let stacks = stacks(tree, &mut negative);
    let sum = |value: fn(&Stack) -> i128| -> i128 { stacks.iter().map(value).sum() };
    let (whole, before) = (sum(|stack| stack.value), sum(|stack| stack.before));
    let divisor = match summary {
        None => whole / LARGEST + 1,
        Some(_) => whole.max(before) / LARGEST_CHANGE + 1,
    };

    let mut notes = report.lines();
    let facts = report.footer.facts();
    if !facts.is_empty() {
        notes.push(facts.join(" · "));
    }
    notes.push(report.footer.verdict());
    let identity = report.header.first().map_or("", String::as_str);
    let mut subtitle: Vec<String> = Vec::new();
    if !report.footer.partial.is_empty() {
        subtitle.push(report.footer.verdict());
    }
    subtitle.push(match (summary, Unit::of(name)) {
        (Some(summary), _) => summary.to_owned(),
        (None, Unit::Count | Unit::Identity) => format!("{} {name}", Unit::Count.show(whole)),
        (None, unit) => unit.show(whole),
    });
    if negative > 0 {
        let note = format!("{negative} paths with negative values are not drawn");
        subtitle.push(note.clone());
        notes.push(note);
    }
    subtitle.extend(facts);
    if report.footer.partial.is_empty() {
        subtitle.push(report.footer.verdict());
    }

    let mut options = flamegraph::Options::default();
    options.title = match identity {
        "" => markup::line(title),
        identity => cut_end(
            &markup::line(&format!("{title} — {identity}")),
            SUBTITLE * 2 / 3,
        ),
    };
    options.subtitle = Some(cut_end(&markup::line(&subtitle.join(" · ")), SUBTITLE));
    if place == Place::Page {
        // The title is as wide as it is, whatever the width of the page.
        options.title = markup::line(name);
        options.subtitle = summary.map(|_| COLOURS.to_owned());
    }
    options.notes = comment(&notes.join("\n"));
    options.count_name = markup::line(name);
    options.name_type = "Frame:".to_owned();
    options.direction = Direction::Inverted;
    options.colors = Palette::Basic(BasicPalette::Mem);
    options.deterministic = true;
    options.text_truncate_direction = TextTruncateDirection::Right;
    options.factor = divisor as f64;
    // Keeps the order of the lines, which begin with the last, and joins equal beginnings.
    options.flame_chart = true;

    let lines: Vec<String> = stacks
        .iter()
        .rev()
        .map(|stack| (&stack.text, stack.before / divisor, stack.value / divisor))
        .filter(|(_, before, value)| *value > 0 || (summary.is_some() && *before > 0))
        .map(|(text, before, value)| match summary {
            None => format!("{text} {value}"),
            Some(_) => format!("{text} {before} {value}"),
        })
        .collect();
    if whole <= 0 || lines.is_empty() {
        return Ok(empty(
            &options.title,
            options.subtitle.as_deref().unwrap_or(""),
        ));
    }
    let mut svg = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)?;
    Ok(styled(svg, summary.is_some()))
}

/// Other colours in the dark, and a search that can be seen: a style sheet behind inferno's own.
fn styled(svg: Vec<u8>, outlined: bool) -> Vec<u8> {
    const END: &str = "</style>";
    const DARK: &str = "<style type=\"text/css\">
#search { opacity: 0.7; }
@media screen and (prefers-color-scheme: dark) {
#background stop { stop-color: #161616; }
text { fill: #ececec; }
#frames text { fill: #101010; }
#subtitle { fill: #b4b4b4; }
}
</style>";
    // What did not change has no colour of its own.
    const LINES: &str = "<style type=\"text/css\">#frames &gt; g &gt; rect { stroke: #8a8a8a; stroke-width: 0.5; }</style>";
    let lines = if outlined { LINES } else { "" };
    // Nothing of the target stands before inferno's style sheet but the comment, whose `<` are escaped.
    match String::from_utf8(svg) {
        Ok(text) => text
            .replacen(END, &format!("{END}{DARK}{lines}"), 1)
            .into_bytes(),
        Err(error) => error.into_bytes(),
    }
}

/// A folded stack with its own value, and with that of the weight after the selected one.
struct Stack {
    text: String,
    value: i128,
    before: i128,
}

/// Folded stacks: parents first, then children, biggest first.
fn stacks(tree: &Tree<'_>, negative: &mut u64) -> Vec<Stack> {
    let mut stacks = Vec::new();
    // A node with the length of its parent's text.
    let mut pending: Vec<(u32, usize)> = vec![(0, 0)];
    let mut text = String::new();
    while let Some((node, length)) = pending.pop() {
        text.truncate(length);
        if node != 0 {
            if !text.is_empty() {
                text.push(';');
            }
            text.push_str(&legal(&folded::frame(tree.name(node))));
        }
        // Subtrees too narrow to be drawn widen the frame that they hang on.
        let narrow = |child: u32| (0..=tree.whole() / NARROWEST).contains(&tree.width(child));
        let (drawn, rest): (Vec<u32>, Vec<u32>) = tree
            .children(node)
            .iter()
            .partition(|&&child| !narrow(child));
        let hidden: i128 = rest.iter().map(|&child| tree.width(child)).sum();
        let value = tree.own_width(node) + hidden;
        let hidden: i128 = rest.iter().map(|&child| tree.total(child, 1)).sum();
        let before = (tree.own(node, 1) + hidden).max(0);
        if value > 0 || (value == 0 && before > 0) {
            let stack = if text.is_empty() {
                "(empty)"
            } else {
                text.as_str()
            };
            stacks.push(Stack {
                text: stack.to_owned(),
                value,
                before,
            });
        } else if value < 0 {
            *negative += 1;
        }
        pending.extend(drawn.iter().rev().map(|&child| (child, text.len())));
    }
    stacks
}

/// Text of a comment, in which two hyphens may not meet.
fn comment(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(markup::line).collect();
    let mut text = lines.join("\n");
    while text.contains("--") {
        text = text.replace("--", "-\u{2010}");
    }
    // One at the end would meet the end of the comment.
    text.push('\n');
    text
}

/// What is drawn when there is nothing to draw.
fn empty(title: &str, subtitle: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" standalone=\"no\"?>\n\
         <svg version=\"1.1\" width=\"1200\" height=\"90\" viewBox=\"0 0 1200 90\" \
         xmlns=\"http://www.w3.org/2000/svg\" font-family=\"monospace\" text-anchor=\"middle\">\n\
         <text x=\"600\" y=\"24\" font-size=\"17\">{}</text>\n\
         <text x=\"600\" y=\"48\" font-size=\"12\">{}</text>\n\
         <text x=\"600\" y=\"72\" font-size=\"12\">nothing to draw: every value is 0</text>\n\
         </svg>\n",
        escaped(title),
        escaped(subtitle)
    )
    .into_bytes()
}
