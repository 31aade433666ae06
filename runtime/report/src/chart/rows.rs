//! Bars that lie, one a row: categories and histograms.

use std::io;

use plotters::style::RGBColor;
use ytrace_values::units;

use super::canvas::{Anchor, Canvas, FAINT, GRID, LESS, PALETTE, TEXT};
use super::canvas::{WIDTH, fitted, paint, text_width};
use crate::columns::percent;
use crate::difference_text;
use crate::flame_text;
use crate::histogram_text::{by_size, count, facts, range};
use crate::model::{Bars, Difference, Histogram, Unit};

/// The height of a row.
const ROW: i32 = 22;
/// The most rows of bars, and of all histograms of a view.
const MOST: (usize, usize) = (30, 120);
/// The widest that names become.
const NAME: i32 = 330;

/// One row.
pub(super) struct Row {
    pub(super) name: String,
    /// The length of the bar: between -1 and 1, of the longest.
    pub(super) share: f64,
    /// What stands behind the bar.
    pub(super) value: String,
    pub(super) color: RGBColor,
}

/// Rows under a heading.
pub(super) struct Block {
    pub(super) heading: String,
    pub(super) rows: Vec<Row>,
    /// What was left out.
    pub(super) rest: String,
}

/// The values of bars in the order that they are shown in, the greatest first.
pub(super) fn sorted(bars: &Bars) -> Vec<(String, i128)> {
    let value = |values: &[i64]| i128::from(values.get(bars.selected).copied().unwrap_or(0));
    let mut rows: Vec<_> = bars
        .rows
        .iter()
        .map(|(key, values)| (key.join(", "), value(values)))
        .collect();
    rows.sort_by(|a, b| {
        let sizes = b.1.unsigned_abs().cmp(&a.1.unsigned_abs());
        sizes.then_with(|| a.0.cmp(&b.0))
    });
    rows
}

/// What the selected numbers of bars are.
pub(super) fn unit_of(bars: &Bars, unit: &str) -> Unit {
    let names = flame_text::names(&bars.weights, unit);
    Unit::of(names.get(bars.selected).map_or("", String::as_str))
}

pub(super) fn bars(label: &str, bars: &Bars, unit: &str) -> io::Result<String> {
    let unit = unit_of(bars, unit);
    let sorted = sorted(bars);
    let whole: i128 = sorted.iter().map(|(_, value)| value).sum();
    let greatest = sorted.first().map_or(0, |(_, value)| value.unsigned_abs());
    let rows = sorted.iter().take(MOST.0).map(|(name, value)| Row {
        name: name.clone(),
        share: share(*value, greatest),
        value: joined(unit.show(*value), &percents(*value, whole)),
        color: if *value < 0 { LESS } else { PALETTE[0] },
    });
    let hidden = sorted.get(MOST.0..).unwrap_or_default();
    let rest = match hidden {
        [] => String::new(),
        hidden => {
            let sum: i128 = hidden.iter().map(|(_, value)| value).sum();
            format!(
                "{} smaller ones, {} in all, are not drawn",
                units::thousands(hidden.len() as i128),
                unit.show(sum)
            )
        }
    };
    let block = Block {
        heading: String::new(),
        rows: rows.collect(),
        rest,
    };
    blocks(label, &[block])
}

/// A number with its share, where it has one.
fn joined(number: String, percents: &str) -> String {
    match percents {
        "" => number,
        percents => format!("{number} · {percents}"),
    }
}

/// `12 %`; nothing where there is no whole.
pub(super) fn percents(value: i128, whole: i128) -> String {
    match percent(value, whole) {
        none if none.is_empty() => none,
        some => format!("{some} %"),
    }
}

pub(super) fn share(value: i128, greatest: u128) -> f64 {
    match greatest {
        0 => 0.0,
        greatest => value as f64 / greatest as f64,
    }
}

pub(super) fn histogram(label: &str, histogram: &Histogram, unit: &str) -> io::Result<String> {
    let unit = Unit::of(unit);
    let order = by_size(histogram);
    let mut drawn = Vec::new();
    let mut room = MOST.1;
    for (index, group) in order.iter().enumerate() {
        if index > 0 && group.rows.len() > room {
            let hidden = units::thousands((order.len() - index) as i128);
            if let Some(Block { rest, .. }) = drawn.last_mut() {
                *rest = format!("{hidden} keys with fewer values are not drawn");
            }
            break;
        }
        let shown = group
            .rows
            .get(..group.rows.len().min(room))
            .unwrap_or_default();
        room -= shown.len();
        let most = shown.iter().map(|row| row.count).max().unwrap_or(0);
        let rows = shown.iter().map(|row| {
            let (number, all) = (i128::from(row.count), i128::from(group.count));
            Row {
                name: range(row, unit),
                share: share(number, most.into()),
                value: match row.count {
                    0 => count(row),
                    _ => joined(count(row), &percents(number, all)),
                },
                color: PALETTE[0],
            }
        });
        drawn.push(Block {
            heading: facts(group, unit),
            rows: rows.collect(),
            rest: match group.rows.len() - shown.len() {
                0 => String::new(),
                hidden => format!(
                    "{} more rows are not drawn",
                    units::thousands(hidden as i128)
                ),
            },
        });
    }
    blocks(label, &drawn)
}

/// Blocks one below another, with one measure of names and values for all.
pub(super) fn blocks(label: &str, blocks: &[Block]) -> io::Result<String> {
    let rows = || blocks.iter().flat_map(|block| &block.rows);
    let name = rows().map(|row| text_width(&fitted(&row.name, NAME))).max();
    let name = name.unwrap_or(0).clamp(60, NAME) + 10;
    let value = rows().map(|row| text_width(&row.value)).max().unwrap_or(0) + 10;
    let room = (WIDTH - name - value).max(100);
    let negative = rows().any(|row| row.share < 0.0);
    let positive = rows().any(|row| row.share > 0.0);
    // Bars of both signs grow from the middle.
    let (zero, reach) = match (negative, positive) {
        (true, true) => (name + room / 2, room / 2),
        (true, false) => (name + room, room),
        _ => (name, room),
    };
    let lines: usize = blocks
        .iter()
        .map(|block| {
            block.rows.len()
                + usize::from(!block.heading.is_empty())
                + usize::from(!block.rest.is_empty())
        })
        .sum();
    let height = (lines as i32) * ROW + blocks.len() as i32 * 8;
    if lines == 0 {
        return nothing(label);
    }
    paint(label, height, |canvas| {
        let mut y = 0;
        for block in blocks {
            if !block.heading.is_empty() {
                let text = fitted(&block.heading, WIDTH);
                canvas.text(&text, (0, y + ROW / 2), FAINT, Anchor::Start)?;
                y += ROW;
            }
            let top = y;
            for row in &block.rows {
                draw(canvas, row, y, (name, zero, reach))?;
                y += ROW;
            }
            canvas.path(vec![(zero, top), (zero, y)], FAINT, 1)?;
            if !block.rest.is_empty() {
                canvas.text(&block.rest, (name, y + ROW / 2), FAINT, Anchor::Start)?;
                y += ROW;
            }
            y += 8;
        }
        Ok(())
    })
}

fn draw(
    canvas: &Canvas<'_>,
    row: &Row,
    y: i32,
    (name, zero, reach): (i32, i32, i32),
) -> io::Result<()> {
    let middle = y + ROW / 2;
    canvas.text(
        &fitted(&row.name, NAME),
        (name - 10, middle),
        TEXT,
        Anchor::End,
    )?;
    let length = (row.share.clamp(-1.0, 1.0) * f64::from(reach)).round() as i32;
    // What is not zero shows.
    let length = match row.share {
        0.0 => 0,
        negative if negative < 0.0 => length.min(-1),
        _ => length.max(1),
    };
    let (from, to) = (zero.min(zero + length), zero.max(zero + length));
    canvas.path(vec![(name, y + ROW), (WIDTH, y + ROW)], GRID, 1)?;
    if length != 0 {
        canvas.fill((from, y + 3), (to, y + ROW - 3), row.color)?;
    }
    canvas.text(&row.value, (to.max(zero) + 6, middle), TEXT, Anchor::Start)
}

/// What grew to the right, what shrank to the left.
pub(super) fn difference(label: &str, difference: &Difference) -> io::Result<String> {
    let unit = difference_text::unit(difference);
    let changes = difference_text::rows(difference, MOST.0);
    let grown = |row: &difference_text::Row| row.growth().unwrap_or(0);
    let sizes = changes.iter().map(|row| grown(row).unsigned_abs());
    let greatest = sizes.max().unwrap_or(0);
    if changes.iter().all(|row| row.growth() == Some(0)) {
        return nothing(label);
    }
    let rows = changes.iter().map(|row| Row {
        name: format!("{}{}", "\u{a0}\u{a0}".repeat(row.level.min(12)), row.name),
        share: share(grown(row), greatest),
        value: joined(row.grown(unit), &row.share()),
        color: if grown(row) < 0 { PALETTE[0] } else { LESS },
    });
    let block = Block {
        heading: String::new(),
        rows: rows.collect(),
        rest: String::new(),
    };
    blocks(label, &[block])
}

pub(super) fn nothing(label: &str) -> io::Result<String> {
    paint(label, ROW, |canvas| {
        canvas.text("(nothing)", (0, ROW / 2), FAINT, Anchor::Start)
    })
}
