//! Numbers over time as lines, each with its letter along it.

use std::io;

use plotters::prelude::*;
use ytrace_values::units;

use super::canvas::{Anchor, FAINT, GRID, SIZE, TEXT, WIDTH};
use super::canvas::{color, drawn, fitted, font, letter, paint};
use super::rows::nothing;
use crate::model::{Line, Series, Unit};
use crate::series_text::{by_growth, numbers};

/// The most lines that are drawn.
const LINES: usize = 8;
/// The height of the chart itself, and of a line of its legend.
const CHART: i32 = 280;
const ROW: i32 = 22;
/// Numbers beyond are drawn as if they were this.
const FAR: f64 = 1e30;

/// A measure of an axis with round marks.
struct Scale {
    low: f64,
    step: f64,
    steps: u32,
}

impl Scale {
    /// Covers all from `low` to `high` with about so many marks.
    fn new(low: f64, high: f64, marks: f64) -> Self {
        let (low, high) = (low.clamp(-FAR, FAR), high.clamp(-FAR, FAR));
        let span = match high - low {
            // What does not change has a measure of its own size.
            flat if flat <= low.abs() * 1e-12 => (low.abs() * 0.1).max(1.0),
            span => span,
        };
        let magnitude = 10_f64.powf((span / marks).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * magnitude)
            .into_iter()
            .find(|step| span / step <= marks)
            .unwrap_or(span);
        let first = (low / step).floor();
        let steps = ((high / step).ceil() - first).clamp(1.0, 50.0);
        Self {
            low: first * step,
            step,
            steps: steps as u32,
        }
    }

    fn place(&self, value: f64) -> f64 {
        let place = (value.clamp(-FAR, FAR) - self.low) / self.step;
        place.clamp(0.0, f64::from(self.steps))
    }

    fn value(&self, place: f64) -> f64 {
        self.low + place * self.step
    }
}

/// The seconds and numbers of a line.
fn points(line: &Line) -> Vec<(f64, f64)> {
    let samples = line.samples.iter();
    samples
        .filter_map(|sample| Some((sample.at.as_secs_f64(), sample.value.number()?)))
        .filter(|(_, value)| value.is_finite())
        .collect()
}

pub(super) fn series(label: &str, series: &Series, unit: &str) -> io::Result<String> {
    let unit = Unit::of(unit);
    let order = by_growth(series);
    let lines: Vec<(&Line, Vec<(f64, f64)>)> = order
        .iter()
        .map(|line| (*line, points(line)))
        .filter(|(_, points)| !points.is_empty())
        .take(LINES)
        .collect();
    let all = || lines.iter().flat_map(|(_, points)| points);
    let fold = |each: fn(&(f64, f64)) -> f64, first: f64, choose: fn(f64, f64) -> f64| {
        all().map(each).fold(first, choose)
    };
    let (begin, end) = (
        fold(|point| point.0, f64::INFINITY, f64::min),
        fold(|point| point.0, 0.0, f64::max),
    );
    let (mut low, high) = (
        fold(|point| point.1, f64::INFINITY, f64::min),
        fold(|point| point.1, f64::NEG_INFINITY, f64::max),
    );
    if lines.is_empty() {
        return nothing(label);
    }
    // A measure that begins at zero shows proportions, unless it would hide the change.
    if low > 0.0 && low < high * 0.7 {
        low = 0.0;
    }
    let (time, scale) = (Scale::new(begin, end, 8.0), Scale::new(low, high, 6.0));
    let hidden = order.len() - lines.len();
    let height = CHART + 10 + (lines.len() as i32 + i32::from(hidden > 0)) * ROW;
    paint(label, height, |canvas| {
        let (area, _) = canvas.area.split_vertically(CHART);
        let text = |size| TextStyle::from(font("sans-serif", size)).color(&TEXT);
        let mut chart = drawn(
            ChartBuilder::on(&area)
                .margin_top(10)
                .margin_right(40)
                .x_label_area_size(30)
                .y_label_area_size(90)
                .build_cartesian_2d(0.0..f64::from(time.steps), 0.0..f64::from(scale.steps)),
        )?;
        drawn(
            chart
                .configure_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(GRID)
                .axis_style(FAINT)
                .x_labels(time.steps as usize + 1)
                .y_labels(scale.steps as usize + 1)
                .label_style(text(SIZE - 1.0))
                .x_label_formatter(&|place| clock(time.value(*place), end))
                .y_label_formatter(&|place| shown(unit, scale.value(*place)))
                .draw(),
        )?;
        for (index, (_, points)) in lines.iter().enumerate() {
            let color = color(index % 6);
            let places: Vec<(f64, f64)> = points
                .iter()
                .map(|(at, value)| (time.place(*at), scale.place(*value)))
                .collect();
            if let [only] = places.as_slice() {
                let dot = Circle::new(*only, 4, color.filled());
                drawn(chart.plotting_area().draw(&dot))?;
            }
            let style = color.stroke_width(2);
            drawn(chart.draw_series(LineSeries::new(places.iter().copied(), style)))?;
            // Letters along the line, where those of the others are not.
            let near = thinned(&places, 5, index, lines.len());
            for place in near {
                let (x, y) = chart.backend_coord(&place);
                canvas.fill((x - 7, y - 8), (x + 7, y + 8), color)?;
                canvas.mark(letter(index), (x, y), color, 12.0)?;
            }
        }
        for (index, (line, _)) in lines.iter().enumerate() {
            let y = CHART + 10 + index as i32 * ROW + ROW / 2;
            let color = color(index % 6);
            canvas.fill((90, y - 9), (108, y + 9), color)?;
            canvas.mark(letter(index), (99, y), color, 12.0)?;
            let [first, last, growth, rate, count] = numbers(line, unit);
            let mut words = format!("{first} → {last}");
            for (word, before) in [(growth, ", "), (rate, ", ")] {
                if !word.is_empty() {
                    words.push_str(&format!("{before}{word}"));
                }
            }
            words.push_str(&format!(", {count} samples"));
            if !line.name.is_empty() {
                words = format!("{}: {words}", fitted(&line.name, 330));
            }
            canvas.text(&fitted(&words, WIDTH - 116), (116, y), TEXT, Anchor::Start)?;
        }
        if hidden > 0 {
            let words = format!(
                "{} steadier lines are not drawn",
                units::thousands(hidden as i128)
            );
            let y = CHART + 10 + lines.len() as i32 * ROW + ROW / 2;
            canvas.text(&words, (116, y), FAINT, Anchor::Start)?;
        }
        Ok(())
    })
}

/// A few of many points, at other places for each line.
fn thinned(points: &[(f64, f64)], few: usize, index: usize, lines: usize) -> Vec<(f64, f64)> {
    let few = few.min(points.len().saturating_sub(1));
    (0..few)
        .filter_map(|mark| {
            let share = (mark as f64 + (index as f64 + 0.5) / lines as f64) / few as f64;
            points.get((share * points.len() as f64) as usize).copied()
        })
        .collect()
}

fn shown(unit: Unit, value: f64) -> String {
    match unit {
        // A mark between two counts needs its fraction, and one beyond has many digits.
        Unit::Count | Unit::Identity if value.abs() >= 1e15 => format!("{value:.1e}"),
        unit => unit.show_float(value),
    }
}

/// Seconds since the beginning, in the unit that the whole time asks for.
fn clock(seconds: f64, end: f64) -> String {
    let (divisor, name) = match end {
        tiny if tiny < 2e-3 => (1e-6, "µs"),
        small if small < 1.0 => (1e-3, "ms"),
        _ if end < 180.0 => (1.0, "s"),
        _ if end < 3.0 * 3600.0 => (60.0, "min"),
        _ => (3600.0, "h"),
    };
    let number = format!("{:.2}", seconds / divisor);
    let number = number.trim_end_matches('0').trim_end_matches('.');
    format!("{number} {name}")
}
