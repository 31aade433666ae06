//! Shares of a whole as a pie, with a letter on each slice and its name beside it.

use std::f64::consts::PI;
use std::io;

use plotters::prelude::Pie;
use plotters::style::RGBColor;
use ytrace_values::units;

use super::canvas::{Anchor, BACK, FAINT, TEXT, WIDTH};
use super::canvas::{color, drawn, fitted, letter, paint, text_width};
use super::rows;
use crate::model::Bars;

/// Slices before the one of all the others, which has the last colour.
const SLICES: usize = 11;
const CENTER: (i32, i32) = (150, 150);
const RADIUS: f64 = 140.0;
/// Where the names begin, and how high one is.
const NAMES: i32 = 330;
const ROW: i32 = 23;

/// The slices of a pie, the greatest first; parts of a whole cannot be less than nothing, so such are drawn as bars.
pub(super) fn pie(label: &str, bars: &Bars, unit: &str) -> io::Result<String> {
    let mut sorted = rows::sorted(bars);
    let whole: i128 = sorted.iter().map(|(_, value)| value).sum();
    if whole <= 0 || sorted.iter().any(|(_, value)| *value < 0) {
        return rows::bars(label, bars, unit);
    }
    let unit = rows::unit_of(bars, unit);
    if sorted.len() > SLICES + 1 {
        let rest = sorted.split_off(SLICES);
        let sum = rest.iter().map(|(_, value)| value).sum();
        let count = units::thousands(rest.len() as i128);
        sorted.push((format!("({count} smaller ones)"), sum));
    }
    let sizes: Vec<f64> = sorted.iter().map(|(_, value)| *value as f64).collect();
    let colors: Vec<RGBColor> = (0..sizes.len()).map(slice_color).collect();
    let labels = vec![""; sizes.len()];
    let height = (CENTER.1 * 2).max(sorted.len() as i32 * ROW + 10);
    paint(label, height, |canvas| {
        let mut pie = Pie::new(&CENTER, &RADIUS, &sizes, &colors, &labels);
        pie.start_angle(-90.0);
        drawn(canvas.area.draw(&pie))?;
        let mut angle = -PI / 2.0;
        let whole_size: f64 = sizes.iter().sum();
        let at = |radius: f64, angle: f64| {
            let (x, y) = (radius * angle.cos(), radius * angle.sin());
            (CENTER.0 + x.round() as i32, CENTER.1 + y.round() as i32)
        };
        let several = sizes.iter().filter(|size| **size > 0.0).count() > 1;
        for (index, size) in sizes.iter().enumerate() {
            let turn = size / whole_size * 2.0 * PI;
            // Slices of like colours stay apart.
            if several && *size > 0.0 {
                canvas.path(vec![CENTER, at(RADIUS + 1.0, angle)], BACK, 2)?;
            }
            if turn > 0.16 {
                let place = at(RADIUS * 0.8, angle + turn / 2.0);
                canvas.mark(letter(index), place, slice_color(index), 14.0)?;
            }
            angle += turn;
        }
        let values: Vec<String> = sorted.iter().map(|(_, value)| unit.show(*value)).collect();
        let value = values
            .iter()
            .map(|text| text_width(text))
            .max()
            .unwrap_or(0);
        let share = NAMES + 30 + value + 12 + 40;
        for (index, ((name, number), text)) in sorted.iter().zip(&values).enumerate() {
            let y = 10 + index as i32 * ROW + ROW / 2;
            let color = slice_color(index);
            canvas.fill((NAMES, y - 9), (NAMES + 18, y + 9), color)?;
            canvas.mark(letter(index), (NAMES + 9, y), color, 12.0)?;
            canvas.text(text, (NAMES + 30 + value, y), TEXT, Anchor::End)?;
            let percents = rows::percents(*number, whole);
            canvas.text(&percents, (share, y), FAINT, Anchor::End)?;
            let room = WIDTH - share - 14;
            canvas.text(&fitted(name, room), (share + 14, y), TEXT, Anchor::Start)?;
        }
        Ok(())
    })
}

/// Colours repeat: slices also have letters and edges.
fn slice_color(index: usize) -> RGBColor {
    match index {
        SLICES => color(usize::MAX),
        index => color(index % (super::canvas::PALETTE.len() - 1)),
    }
}
