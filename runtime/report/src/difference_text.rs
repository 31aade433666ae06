//! What changed, as lines of a terminal.

use std::cmp::Reverse;

use ytrace_values::{escape, units};

use crate::columns::{self, Style, Tone, cut_end, cut_middle};
use crate::flame_text::join;
use crate::model::{Change, Compared, Difference, Flamegraph, Unit};
use crate::tree::Tree;

/// One line; a value that is not known is `None`.
pub(crate) struct Row {
    pub(crate) level: usize,
    pub(crate) name: String,
    pub(crate) old: Option<i128>,
    pub(crate) new: Option<i128>,
    /// Whether it stands for what was left out.
    rest: bool,
}

impl Row {
    pub(crate) fn growth(&self) -> Option<i128> {
        Some(self.new? - self.old?)
    }

    /// `+1.3 MB`, `-4`, `0`, `unknown`.
    pub(crate) fn grown(&self, unit: Unit) -> String {
        self.growth()
            .map_or_else(|| UNKNOWN.to_owned(), |growth| signed(unit, growth))
    }

    /// `+12 %`; or that there was or is nothing.
    pub(crate) fn share(&self) -> String {
        let (Some(old), Some(new), Some(growth)) = (self.old, self.new, self.growth()) else {
            return String::new();
        };
        match (old, new) {
            (0, 0) => String::new(),
            (0, _) => "new".to_owned(),
            (_, 0) => "gone".to_owned(),
            (old, _) if old < 0 => String::new(),
            (old, _) => {
                let percent = growth as f64 * 100.0 / old as f64;
                match percent.abs() {
                    _ if growth == 0 => "0 %".to_owned(),
                    large if large >= 9.95 => format!("{percent:+.0} %"),
                    middle if middle >= 0.1 => format!("{percent:+.1} %"),
                    _ => format!("{}<0.1 %", if percent < 0.0 { "-" } else { "+" }),
                }
            }
        }
    }
}

/// What stands in place of a number that is not known.
const UNKNOWN: &str = "unknown";

/// A value of a line.
pub(crate) fn value(unit: Unit, number: Option<i128>) -> String {
    number.map_or_else(|| UNKNOWN.to_owned(), |number| unit.show(number))
}

pub(crate) fn signed(unit: Unit, number: i128) -> String {
    let sign = if number > 0 { "+" } else { "" };
    format!("{sign}{}", unit.show(number))
}

/// What the selected numbers are.
pub(crate) fn unit(difference: &Difference) -> Unit {
    let unit = difference.units.get(difference.selected);
    unit.copied().unwrap_or_default()
}

/// What changed most, in at most so many lines: names in order of growth, paths as a tree in which that which changed most
/// comes first.
pub(crate) fn rows(difference: &Difference, most: usize) -> Vec<Row> {
    let selected = difference.selected;
    let values = |change: &Change| (change.before(selected), change.now(selected));
    // What is known of neither run is no change.
    let changed = difference
        .rows
        .iter()
        .filter(|change| change.growth(selected) != Some(0) && values(change) != (None, None));
    if difference.of == Compared::Paths {
        let clamp = |number: i128| number.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        let graph = Flamegraph {
            // What came and what went does not cancel.
            weights: ["change", "old", "new"].map(str::to_owned).to_vec(),
            selected: 0,
            rows: difference
                .rows
                .iter()
                .filter_map(|change| {
                    let (old, new) = (change.before(selected)?, change.now(selected)?);
                    let size = (new - old).unsigned_abs();
                    let size = i64::try_from(size).unwrap_or(i64::MAX);
                    Some((change.name.clone(), vec![size, clamp(old), clamp(new)]))
                })
                .collect(),
        };
        let tree = Tree::new(&graph);
        let outline = tree.outline(most);
        let number = |values: &[i128], at: usize| values.get(at).copied();
        let lines = outline.lines.iter().map(|line| Row {
            level: line.level,
            name: join(&line.frames),
            old: number(&line.values, 1),
            new: number(&line.values, 2),
            rest: false,
        });
        let mut rows: Vec<Row> = lines.collect();
        if outline.hidden_rows > 0 {
            rows.push(Row {
                level: 0,
                name: format!(
                    "({} other path{})",
                    units::thousands(outline.hidden_rows),
                    if outline.hidden_rows == 1 { "" } else { "s" }
                ),
                old: number(&outline.hidden, 1),
                new: number(&outline.hidden, 2),
                rest: true,
            });
        }
        return rows;
    }
    let mut order: Vec<&Change> = changed.collect();
    order.sort_by_key(|change| Reverse(change.growth(selected).map(i128::unsigned_abs)));
    let (kept, hidden) = order.split_at(order.len().min(most));
    let mut rows: Vec<Row> = kept
        .iter()
        .map(|change| {
            let (old, new) = values(change);
            let parts = change.name.iter().filter(|part| !part.is_empty());
            let name = match parts.cloned().collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => "(all)".to_owned(),
                name => name,
            };
            Row {
                level: 0,
                name: escape::line(name.as_bytes()),
                old,
                new,
                rest: false,
            }
        })
        .collect();
    rows.sort_by(|a, b| {
        b.growth()
            .cmp(&a.growth())
            .then_with(|| a.name.cmp(&b.name))
    });
    if !hidden.is_empty() {
        let known = hidden.iter().filter_map(|change| match values(change) {
            (Some(old), Some(new)) => Some((old, new)),
            _ => None,
        });
        let (count, old, new) = known.fold((0, 0, 0), |(count, before, after), (old, new)| {
            (count + 1, before + old, after + new)
        });
        // Nothing can be said of their sum where none of them is known.
        let sum = |number: i128| Some(number).filter(|_| count > 0);
        rows.push(Row {
            level: 0,
            name: format!(
                "({} smaller change{}{})",
                units::thousands(hidden.len() as i128),
                if hidden.len() == 1 { "" } else { "s" },
                unknown(hidden.len().saturating_sub(count) as u64),
            ),
            old: sum(old),
            new: sum(new),
            rest: true,
        });
    }
    rows
}

/// `, 3 unknown`, or nothing.
fn unknown(count: u64) -> String {
    match count {
        0 => String::new(),
        count => format!(", {} {UNKNOWN}", units::thousands(count)),
    }
}

/// How many rows cannot be compared, since one of the two runs does not know their value.
fn unknown_rows(difference: &Difference) -> u64 {
    let selected = difference.selected;
    let rows = difference.rows.iter();
    rows.filter(|change| change.growth(selected).is_none())
        .count() as u64
}

/// What the title of a view says of its changes, the sums being of the rows that are known in both runs; of a table with several columns of numbers, also which of them is compared.
pub(crate) fn summary(difference: &Difference) -> String {
    let selected = difference.selected;
    let unit = unit(difference);
    let (mut old, mut new, mut changed, mut came, mut went) = (0, 0, 0_u64, 0_u64, 0_u64);
    let not_known = unknown_rows(difference);
    for change in &difference.rows {
        if let (Some(before), Some(now)) = (change.before(selected), change.now(selected)) {
            old += before;
            new += now;
            changed += u64::from(now != before);
        }
        came += u64::from(change.old.is_none());
        went += u64::from(change.new.is_none());
    }
    let column = match (difference.of, difference.weights.as_slice()) {
        (Compared::Rows, [_, _, ..]) => difference
            .weights
            .get(selected)
            .map(|name| format!("{} ", escape::line(name.as_bytes()))),
        _ => None,
    };
    let sum = match not_known > 0 && not_known == difference.rows.len() as u64 {
        true => UNKNOWN.to_owned(),
        false => format!(
            "{} ({} → {})",
            signed(unit, new - old),
            unit.show(old),
            unit.show(new)
        ),
    };
    format!(
        "{}{sum} · {} changed, of them {} new, {} gone{}",
        column.unwrap_or_default(),
        units::thousands(changed),
        units::thousands(came),
        units::thousands(went),
        unknown(not_known),
    )
}

/// The lines of a difference.
pub(crate) fn difference(difference: &Difference, style: &Style) -> Vec<String> {
    let unit = unit(difference);
    let rows = rows(difference, style.rows);
    if rows.iter().all(|row| row.growth() == Some(0)) {
        return vec![match unknown_rows(difference) {
            0 => "(nothing changed)".to_owned(),
            count => format!("(nothing known changed{})", unknown(count)),
        }];
    }
    let cells: Vec<[String; 4]> = rows
        .iter()
        .map(|row| {
            [
                row.grown(unit),
                row.share(),
                value(unit, row.old),
                value(unit, row.new),
            ]
        })
        .collect();
    let headings = ["growth", "%", "old", "new"];
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = cells.iter().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| columns::width(cell)).max().unwrap_or(0);
            widest.max(heading.len())
        })
        .collect();
    let joined = |cells: &[String]| -> String {
        let cells = cells.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| columns::right(cell, *width))
            .collect();
        cells.join("  ")
    };
    let room = style
        .width
        .saturating_sub(widths.iter().sum::<usize>() + 8)
        .max(8);
    let what = match difference.of {
        Compared::Paths => "path",
        Compared::Keys => "key",
        Compared::Rows => "row",
    };
    let heading = format!("{}  {what}", joined(&headings.map(str::to_owned)));
    let mut lines = vec![style.paint(Tone::Heading, &cut_end(&heading, style.width))];
    for (row, cells) in rows.iter().zip(&cells) {
        let indent = (row.level * 2).min(room / 2);
        let name = cut_middle(&row.name, room - indent);
        let name = match (row.rest, row.growth()) {
            (true, _) => style.paint(Tone::Faint, &name),
            (_, Some(growth)) if growth > 0 => style.paint(Tone::Warm, &name),
            _ => name,
        };
        let line = format!("{}  {}{name}", joined(cells), " ".repeat(indent));
        lines.push(line.trim_end().to_owned());
    }
    lines
}
