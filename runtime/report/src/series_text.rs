//! Numbers over time as lines of a terminal: a sparkline each, with where it began and ended.

use ytrace_values::{escape, units};

use crate::columns::{self, MORE_ROWS, Style, Tone, cut_middle};
use crate::model::{Line, Sample, Series, Unit};

/// The levels of a sparkline.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The most and the fewest cells of one.
const CELLS: (usize, usize) = (60, 8);
/// Room for the names of lines.
const NAME: usize = 30;

/// The lines of a series, the one that grew most first.
pub(crate) fn series(series: &Series, unit: &str, style: &Style) -> Vec<String> {
    let unit = Unit::of(unit);
    let order = by_growth(series);
    let (kept, hidden) = order.split_at(order.len().min(style.rows));
    let cells: Vec<[String; 5]> = kept.iter().map(|line| numbers(line, unit)).collect();
    let headings = ["first", "last", "growth", "rate", "samples"];
    let widths = [0, 1, 2, 3, 4].map(|column: usize| {
        let cells = cells.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| columns::width(cell)).max().unwrap_or(0);
        widest.max(headings.get(column).map_or(0, |heading| heading.len()))
    });
    let names = kept.iter().map(|line| columns::width(&line.name)).max();
    let name = names.unwrap_or(0).min(NAME);
    let used: usize = widths.iter().sum::<usize>() + 4 * 2 + 2 + name + 2;
    let longest = kept.iter().map(|line| line.samples.len()).max();
    let room = style.width.saturating_sub(used).clamp(CELLS.1, CELLS.0);
    let room = room.min(longest.unwrap_or(0));
    let join = |cells: &[String]| {
        let cells = cells.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| columns::right(cell, *width))
            .collect();
        cells.join("  ")
    };
    let mut lines = vec![style.paint(Tone::Heading, &join(&headings.map(str::to_owned)))];
    for (line, cells) in kept.iter().zip(&cells) {
        let spark = columns::left(&sparkline(&line.samples, room), room);
        let name = cut_middle(&escape::line(line.name.as_bytes()), NAME);
        lines.push(
            format!("{}  {spark}  {name}", join(cells))
                .trim_end()
                .to_owned(),
        );
    }
    if !hidden.is_empty() {
        let plural = if hidden.len() == 1 { "" } else { "s" };
        let text = format!(
            "({} steadier line{plural} not shown{MORE_ROWS})",
            units::thousands(hidden.len() as i128)
        );
        lines.push(style.paint(Tone::Faint, &text));
    }
    lines
}

/// The lines, the one that grew or fell most first.
pub(crate) fn by_growth(series: &Series) -> Vec<&Line> {
    let lines = series.lines.iter();
    let mut order: Vec<(f64, &Line)> = lines.map(|line| (growth(line).abs(), line)).collect();
    order.sort_by(|(a, first), (b, second)| {
        b.total_cmp(a).then_with(|| first.name.cmp(&second.name))
    });
    order.into_iter().map(|(_, line)| line).collect()
}

fn ends(line: &Line) -> Option<(&Sample, f64, &Sample, f64)> {
    let (first, last) = (line.samples.first()?, line.samples.last()?);
    Some((first, first.value.number()?, last, last.value.number()?))
}

fn growth(line: &Line) -> f64 {
    ends(line).map_or(0.0, |(_, first, _, last)| last - first)
}

/// First, last, growth, growth over time, and how many samples.
pub(crate) fn numbers(line: &Line, unit: Unit) -> [String; 5] {
    let count = units::thousands(line.samples.len() as i128);
    let Some((begin, first, end, last)) = ends(line) else {
        return [
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            count,
        ];
    };
    let signed = |number: f64| {
        let sign = if number > 0.0 { "+" } else { "" };
        format!("{sign}{}", unit.show_float(number))
    };
    let seconds = end.at.saturating_sub(begin.at).as_secs_f64();
    let (span, name) = match seconds {
        short if short < 60.0 => (1.0, "s"),
        middle if middle < 3600.0 => (60.0, "min"),
        _ => (3600.0, "h"),
    };
    let (growth, rate) = match seconds > 0.0 {
        false => (String::new(), String::new()),
        true => {
            let growth = last - first;
            let percent = match first > 0.0 && growth != 0.0 {
                true => format!(" ({} %)", signed_percent(growth * 100.0 / first)),
                false => String::new(),
            };
            // A rate finer than the unit is a fraction only of a count.
            let rate = signed(growth / seconds * span);
            (
                format!("{}{percent}", signed(growth)),
                format!("{rate}/{name}"),
            )
        }
    };
    [
        unit.show_float(first),
        unit.show_float(last),
        growth,
        rate,
        count,
    ]
}

/// `+110`, `-4.2`, `+0.04`.
fn signed_percent(percent: f64) -> String {
    match percent.abs() {
        large if large >= 10.0 => format!("{percent:+.0}"),
        middle if middle >= 0.1 => format!("{percent:+.1}"),
        _ => format!("{percent:+.2}"),
    }
}

/// At most `cells` marks between the least and the greatest value; where several samples share a
/// mark, their greatest value counts.
fn sparkline(samples: &[Sample], cells: usize) -> String {
    let values: Vec<f64> = samples
        .iter()
        .filter_map(|sample| sample.value.number())
        .filter(|value| value.is_finite())
        .collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let cells = cells.min(values.len());
    (0..cells)
        .map(|cell| {
            let (from, to) = (
                cell * values.len() / cells,
                (cell + 1) * values.len() / cells,
            );
            let part = values.get(from..to).unwrap_or_default();
            let value = part.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let share = (value - least) / (greatest - least);
            let level = match share.is_nan() {
                true => 0,
                false => (share * (LEVELS.len() - 1) as f64).round() as usize,
            };
            LEVELS.get(level).copied().unwrap_or('█')
        })
        .collect()
}
