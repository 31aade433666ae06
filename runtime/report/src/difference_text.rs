//! What changed, as lines of a terminal.

use std::cmp::Reverse;

use ytrace_values::{escape, units};

use crate::columns::{self, Style, Tone, cut_end, cut_middle};
use crate::flame_text::join;
use crate::model::{Change, Compared, Difference, Flamegraph, Unit};
use crate::tree::Tree;

/// One line.
pub(crate) struct Row {
    pub(crate) level: usize,
    pub(crate) name: String,
    pub(crate) old: i128,
    pub(crate) new: i128,
    /// Whether it stands for what was left out.
    rest: bool,
}

impl Row {
    pub(crate) fn growth(&self) -> i128 {
        self.new - self.old
    }

    /// `+1.3 MB`, `-4`, `0`.
    pub(crate) fn grown(&self, unit: Unit) -> String {
        signed(unit, self.growth())
    }

    /// `+12 %`; or that there was or is nothing.
    pub(crate) fn share(&self) -> String {
        match (self.old, self.new) {
            (0, 0) => String::new(),
            (0, _) => "new".to_owned(),
            (_, 0) => "gone".to_owned(),
            (old, _) if old < 0 => String::new(),
            (old, _) => {
                let percent = self.growth() as f64 * 100.0 / old as f64;
                match percent.abs() {
                    _ if self.growth() == 0 => "0 %".to_owned(),
                    large if large >= 9.95 => format!("{percent:+.0} %"),
                    middle if middle >= 0.1 => format!("{percent:+.1} %"),
                    _ => format!("{}<0.1 %", if percent < 0.0 { "-" } else { "+" }),
                }
            }
        }
    }
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
    let changed = difference
        .rows
        .iter()
        .filter(|change| change.growth(selected) != 0);
    if difference.of == Compared::Paths {
        let clamp = |number: i128| number.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        let graph = Flamegraph {
            // What came and what went does not cancel.
            weights: ["change", "old", "new"].map(str::to_owned).to_vec(),
            selected: 0,
            rows: difference
                .rows
                .iter()
                .map(|change| {
                    let (old, new) = values(change);
                    let size = change.growth(selected).unsigned_abs();
                    let size = i64::try_from(size).unwrap_or(i64::MAX);
                    (change.name.clone(), vec![size, clamp(old), clamp(new)])
                })
                .collect(),
        };
        let tree = Tree::new(&graph);
        let outline = tree.outline(most);
        let number = |values: &[i128], at: usize| values.get(at).copied().unwrap_or(0);
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
    order.sort_by_key(|change| Reverse(change.growth(selected).unsigned_abs()));
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
        let (old, new) = hidden.iter().fold((0, 0), |(old, new), change| {
            let (before, now) = values(change);
            (old + before, new + now)
        });
        rows.push(Row {
            level: 0,
            name: format!(
                "({} smaller change{})",
                units::thousands(hidden.len() as i128),
                if hidden.len() == 1 { "" } else { "s" }
            ),
            old,
            new,
            rest: true,
        });
    }
    rows
}

/// What the title of a view says of its changes; of a table with several columns of numbers, also which of them is compared.
pub(crate) fn summary(difference: &Difference) -> String {
    let selected = difference.selected;
    let unit = unit(difference);
    let (mut old, mut new, mut changed, mut came, mut went) = (0, 0, 0_u64, 0_u64, 0_u64);
    for change in &difference.rows {
        old += change.before(selected);
        new += change.now(selected);
        changed += u64::from(change.growth(selected) != 0);
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
    format!(
        "{}{} ({} → {}) · {} changed, of them {} new, {} gone",
        column.unwrap_or_default(),
        signed(unit, new - old),
        unit.show(old),
        unit.show(new),
        units::thousands(changed),
        units::thousands(came),
        units::thousands(went)
    )
}

/// The lines of a difference.
pub(crate) fn difference(difference: &Difference, style: &Style) -> Vec<String> {
    let unit = unit(difference);
    let rows = rows(difference, style.rows);
    if rows.iter().all(|row| row.growth() == 0) {
        return vec!["(nothing changed)".to_owned()];
    }
    let cells: Vec<[String; 4]> = rows
        .iter()
        .map(|row| {
            [
                row.grown(unit),
                row.share(),
                unit.show(row.old),
                unit.show(row.new),
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
            (_, growth) if growth > 0 => style.paint(Tone::Warm, &name),
            _ => name,
        };
        let line = format!("{}  {}{name}", joined(cells), " ".repeat(indent));
        lines.push(line.trim_end().to_owned());
    }
    lines
}
