//! Histograms as lines of a terminal.

use ytrace_values::{HistogramRow, escape, units};

use crate::columns::{self, MORE_ROWS, Style, Tone, cut_end, percent};
use crate::model::{Distribution, Histogram, Unit};

/// The widest that bars become.
const BAR: usize = 50;

/// The lines of all distributions, the one with the most values first.
pub(crate) fn histogram(histogram: &Histogram, unit: &str, style: &Style) -> Vec<String> {
    let order = by_size(histogram);
    let mut lines = Vec::new();
    for (index, group) in order.iter().enumerate() {
        let drawn = distribution(group, Unit::of(unit), style);
        // The first is always shown; the others as far as there are lines.
        if index > 0 && lines.len() + drawn.len() > style.rows {
            let hidden = order.len() - index;
            let plural = if hidden == 1 { "" } else { "s" };
            let text = format!(
                "({} smaller key{plural} not shown{MORE_ROWS})",
                units::thousands(hidden as i128)
            );
            lines.push(style.paint(Tone::Faint, &text));
            break;
        }
        lines.extend(drawn);
    }
    lines
}

/// The distributions, the one with the most values first.
pub(crate) fn by_size(histogram: &Histogram) -> Vec<&Distribution> {
    let mut order: Vec<&Distribution> = histogram.groups.iter().collect();
    order.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
    order
}

/// The key of a distribution, and its numbers.
pub(crate) fn facts(group: &Distribution, unit: Unit) -> String {
    let plural = if group.count == 1 { "" } else { "s" };
    let mut facts = format!("{} value{plural}", units::thousands(group.count));
    if group.count > 0 {
        for (name, number) in [
            ("min", unit.show(i128::from(group.least))),
            ("average", unit.show_float(group.average)),
            ("max", unit.show(i128::from(group.greatest))),
            ("sum", unit.show(group.sum)),
        ] {
            facts.push_str(&format!(", {name} {number}"));
        }
    }
    match group.key.is_empty() {
        true => facts,
        false => format!("{}: {facts}", group.key.join(", ")),
    }
}

fn distribution(group: &Distribution, unit: Unit, style: &Style) -> Vec<String> {
    let heading = cut_end(&facts(group, unit), style.width);
    let mut lines = vec![style.paint(Tone::Heading, &heading)];
    let hidden = group.rows.len().saturating_sub(style.rows);
    // Rows without values at the end of a long histogram say the least.
    let shown = group.rows.len() - hidden;
    let rows = group.rows.get(..shown).unwrap_or_default();
    let most = rows.iter().map(|row| row.count).max().unwrap_or(0).max(1);
    let cells: Vec<[String; 3]> = rows
        .iter()
        .map(|row| {
            let share = percent(i128::from(row.count), i128::from(group.count));
            [range(row, unit), count(row), share]
        })
        .collect();
    let width = |column: usize| {
        let cells = cells.iter().filter_map(|row| row.get(column));
        cells.map(|cell| columns::width(cell)).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2).max(2)];
    let used: usize = widths.iter().sum::<usize>() + 7;
    let room = style.width.saturating_sub(used).clamp(4, BAR);
    for (row, [range, count, share]) in rows.iter().zip(&cells) {
        let bar = match row.count {
            0 => String::new(),
            // What is not zero shows.
            count => match columns::bar(count as f64 / most as f64, room) {
                bar if bar.is_empty() => "▏".to_owned(),
                bar => bar,
            },
        };
        let line = format!(
            "{}  {} {}  {bar}",
            columns::left(range, widths[0]),
            columns::right(count, widths[1]),
            columns::right(share, widths[2]),
        );
        lines.push(line.trim_end().to_owned());
    }
    if hidden > 0 {
        let plural = if hidden == 1 { "" } else { "s" };
        let text = format!(
            "({} more row{plural} not shown{MORE_ROWS})",
            units::thousands(hidden as i128)
        );
        lines.push(style.paint(Tone::Faint, &text));
    }
    lines
}

/// The count of a row, marked where it is an estimate.
pub(crate) fn count(row: &HistogramRow) -> String {
    let mark = if row.approximate { "≈" } else { "" };
    format!("{mark}{}", units::thousands(row.count))
}

/// `[low, end)` with the end left out, or the one value of a row.
pub(crate) fn range(row: &HistogramRow, unit: Unit) -> String {
    let show = |number: i128| escape::line(unit.show(number).as_bytes());
    match (row.low, row.high) {
        (Some(low), Some(high)) if low == high => format!("[{}]", show(low.into())),
        (Some(low), Some(high)) => {
            format!("[{}, {})", show(low.into()), show(i128::from(high) + 1))
        }
        (None, Some(high)) => format!("< {}", show(i128::from(high) + 1)),
        (Some(low), None) => format!("≥ {}", show(low.into())),
        (None, None) => "all".to_owned(),
    }
}
