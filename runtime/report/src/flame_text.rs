//! A flame graph, or bars, as lines of a terminal.

use ytrace_values::{escape, units};

use crate::columns::{self, MORE_ROWS, Style, Tone, cut_end, cut_middle, percent};
use crate::model::{Bars, Flamegraph, Unit};
use crate::tree::Tree;

/// The least room for paths; columns of further values give way first.
const PATH_ROOM: usize = 30;
/// Terminals at least this wide have a column of bars.
const WIDE: usize = 120;
/// The cells of that column.
const BAR: usize = 20;

/// One line: values of all weights, and its text.
struct Row {
    values: Vec<i128>,
    level: usize,
    text: String,
    /// Whether the line stands for what was left out.
    rest: bool,
}

/// The lines of a flame graph.
pub(crate) fn flamegraph(graph: &Flamegraph, unit: &str, style: &Style) -> Vec<String> {
    let tree = Tree::new(graph);
    let outline = tree.outline(style.lines());
    let mut rows: Vec<Row> = outline
        .lines
        .into_iter()
        .map(|line| Row {
            level: line.level,
            text: join(&line.frames),
            values: line.values,
            rest: false,
        })
        .collect();
    if outline.hidden_rows > 0 {
        rows.push(rest(outline.hidden_rows, "path", "", outline.hidden));
    }
    let names = names(&graph.weights, unit);
    draw(&names, graph.selected, tree.whole(), "path", &rows, style)
}

/// The lines of bars.
pub(crate) fn bars(bars: &Bars, unit: &str, style: &Style) -> Vec<String> {
    let names = names(&bars.weights, unit);
    let selected = bars.selected.min(names.len().saturating_sub(1));
    let value = |row: &(Vec<String>, Vec<i64>)| {
        i128::from(row.1.get(selected).copied().unwrap_or_default())
    };
    let whole: i128 = bars.rows.iter().map(value).sum();
    let mut order: Vec<_> = bars.rows.iter().collect();
    order.sort_by(|a, b| {
        let sizes = value(b).unsigned_abs().cmp(&value(a).unsigned_abs());
        sizes.then_with(|| a.0.cmp(&b.0))
    });
    let values = |row: &(Vec<String>, Vec<i64>)| -> Vec<i128> {
        (0..names.len())
            .map(|weight| i128::from(row.1.get(weight).copied().unwrap_or_default()))
            .collect()
    };
    let (shown, hidden) = order.split_at(order.len().min(style.rows));
    let mut rows: Vec<Row> = shown
        .iter()
        .map(|row| Row {
            values: values(row),
            level: 0,
            text: escape::line(row.0.join(", ").as_bytes()),
            rest: false,
        })
        .collect();
    if !hidden.is_empty() {
        let mut sums = vec![0; names.len()];
        for row in hidden {
            for (sum, value) in sums.iter_mut().zip(values(row)) {
                *sum += value;
            }
        }
        rows.push(rest(hidden.len() as u64, "key", MORE_ROWS, sums));
    }
    draw(&names, selected, whole, "", &rows, style)
}

fn rest(count: u64, what: &str, more: &str, values: Vec<i128>) -> Row {
    let plural = if count == 1 { "" } else { "s" };
    Row {
        values,
        level: 0,
        text: format!(
            "({} smaller {what}{plural} not shown{more})",
            units::thousands(count)
        ),
        rest: true,
    }
}

/// The names of the weights; a single nameless one is named by the unit of the view.
pub(crate) fn names(weights: &[String], unit: &str) -> Vec<String> {
    match weights {
        [] => vec![unit.to_owned()],
        [only] if only.is_empty() => vec![unit.to_owned()],
        _ => weights.to_vec(),
    }
}

/// Frames of one line: those that begin with `.` or `[` follow directly, others after an arrow.
pub(crate) fn join(frames: &[&str]) -> String {
    let mut text = String::new();
    for frame in frames {
        if !text.is_empty() && !frame.starts_with(['.', '[']) {
            text.push_str(" → ");
        }
        text.push_str(&escape::line(frame.as_bytes()));
    }
    text
}

fn draw(
    names: &[String],
    selected: usize,
    whole: i128,
    heading: &str,
    rows: &[Row],
    style: &Style,
) -> Vec<String> {
    let selected = selected.min(names.len().saturating_sub(1));
    // The selected value first, then its share, then the others.
    let mut order: Vec<usize> = vec![selected];
    order.extend((0..names.len()).filter(|&weight| weight != selected));
    let cells = |weight: usize| -> Vec<String> {
        let unit = Unit::of(names.get(weight).map_or("", String::as_str));
        rows.iter()
            .map(|row| unit.show(row.values.get(weight).copied().unwrap_or_default()))
            .collect()
    };
    let mut table: Vec<(String, Vec<String>)> = Vec::new();
    for &weight in &order {
        let name = names
            .get(weight)
            .map_or(String::new(), |name| cut_end(name, 16));
        table.push((name, cells(weight)));
        if weight == selected {
            let shares = rows
                .iter()
                .map(|row| percent(row.values.get(selected).copied().unwrap_or_default(), whole));
            table.push(("%".to_owned(), shares.collect()));
        }
    }
    let widths: Vec<usize> = table
        .iter()
        .map(|(name, cells)| {
            let widest = cells.iter().map(|cell| columns::width(cell)).max();
            widest.unwrap_or(0).max(columns::width(name))
        })
        .collect();
    let bars = style.width >= WIDE || heading.is_empty();
    let bar_room = match (bars, style.width >= WIDE) {
        (false, _) => 0,
        (true, true) => BAR + 2,
        (true, false) => BAR / 2 + 2,
    };
    // The value and its share always stay.
    let mut count = table.len();
    let room = |count: usize| -> usize {
        let values: usize = widths.iter().take(count).map(|width| width + 1).sum();
        style.width.saturating_sub(values + 1 + bar_room)
    };
    while count > 2 && room(count) < PATH_ROOM {
        count -= 1;
    }
    let path_room = room(count).max(8);
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (cell, width) in cells.zip(&widths).take(count) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&columns::right(cell, *width));
        }
        line
    };
    let mut lines = Vec::new();
    let mut titles = line(&mut table.iter().map(|(name, _)| name.as_str()));
    titles.push_str(&" ".repeat(bar_room));
    if !heading.is_empty() {
        titles.push_str("  ");
        titles.push_str(heading);
    }
    lines.push(style.paint(Tone::Heading, titles.trim_end()));
    for (index, row) in rows.iter().enumerate() {
        let mut text = line(
            &mut table
                .iter()
                .map(|(_, cells)| cells.get(index).map_or("", String::as_str)),
        );
        let value = row.values.get(selected).copied().unwrap_or_default();
        let share = if whole > 0 {
            value as f64 / whole as f64
        } else {
            0.0
        };
        if bar_room > 0 {
            let bar = match row.rest {
                true => String::new(),
                false => columns::bar(share, bar_room - 2),
            };
            text.push_str("  ");
            text.push_str(&columns::left(&bar, bar_room - 2));
        }
        text.push_str("  ");
        // Deep levels share the last half of the room.
        let indent = (row.level * 2).min(path_room / 2);
        let path = cut_middle(&row.text, path_room - indent);
        let path = match (row.rest, share) {
            (true, _) => style.paint(Tone::Faint, &path),
            (false, share) if share >= 0.5 => style.paint(Tone::Hot, &path),
            (false, share) if share >= 0.1 => style.paint(Tone::Warm, &path),
            _ => path,
        };
        text.push_str(&" ".repeat(indent));
        text.push_str(&path);
        lines.push(text.trim_end().to_owned());
    }
    lines
}
