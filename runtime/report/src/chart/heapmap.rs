//! The address space as a grid of cells, by state and by owner.

use std::io;

use plotters::style::RGBColor;
use ytrace_values::units;

use super::canvas::{Anchor, Canvas, FAINT, GRID, TEXT, WIDTH};
use super::canvas::{color, fitted, paint, text_width};
use super::rows::{nothing, percents};
use crate::heapmap::{self, By, Grid, Legend};
use crate::model::Heapmap;

/// Cells of a line, and lines.
const CELLS: u64 = 128;
const LINES: u64 = 48;
/// The size of a cell.
const CELL: (i32, i32) = (6, 16);
/// Where cells begin; addresses stand before.
const LEFT: i32 = 130;
/// The height of a line of the legend, and the most of them.
const ROW: i32 = 22;
const ENTRIES: usize = 26;

pub(super) fn heapmap(label: &str, map: &Heapmap) -> io::Result<String> {
    let parts = heapmap::parts(map);
    if parts.is_empty() {
        return nothing(label);
    }
    let kinds: &[By] = match map.owners.is_empty() {
        true => &[By::State],
        false => &[By::State, By::Owner],
    };
    let drawings: Vec<(Legend, Grid)> = kinds
        .iter()
        .map(|by| {
            let legend = Legend::new(map, &parts, *by);
            let grid = heapmap::grid(&parts, &legend, CELLS, LINES);
            (legend, grid)
        })
        .collect();
    let height: i32 = drawings
        .iter()
        .map(|(legend, grid)| measure(legend, grid))
        .sum();
    let alone = kinds.len() == 1;
    paint(label, height, |canvas| {
        let mut y = 0;
        for (legend, grid) in &drawings {
            draw(canvas, legend, grid, y, alone)?;
            y += measure(legend, grid);
        }
        Ok(())
    })
}

fn lines(grid: &Grid) -> usize {
    grid.lines.len() + grid.lines.iter().filter(|line| line.gap > 0).count()
}

fn measure(legend: &Legend, grid: &Grid) -> i32 {
    let entries = legend.entries.len();
    let legend = entries.min(ENTRIES) + usize::from(entries > ENTRIES);
    ROW + lines(grid) as i32 * CELL.1 + 8 + legend as i32 * ROW + 16
}

fn draw(
    canvas: &Canvas<'_>,
    legend: &Legend,
    grid: &Grid,
    top: i32,
    alone: bool,
) -> io::Result<()> {
    let size = 1_u128.checked_shl(grid.shift).unwrap_or(u128::MAX);
    let what = match (legend.by, alone) {
        (_, true) => "",
        (By::State, false) => "By state: ",
        (By::Owner, false) => "By owner: ",
    };
    let heading = format!(
        "{what}a cell is {}; a low one is less than half full",
        units::bytes(i128::try_from(size).unwrap_or(i128::MAX))
    );
    canvas.text(&heading, (0, top + ROW / 2), FAINT, Anchor::Start)?;
    let mut y = top + ROW;
    for line in &grid.lines {
        if line.gap > 0 {
            let gap = i128::try_from(line.gap).unwrap_or(i128::MAX);
            let words = format!("… {} of nothing", units::bytes(gap));
            canvas.text(&words, (LEFT, y + CELL.1 / 2), FAINT, Anchor::Start)?;
            y += CELL.1;
        }
        let middle = y + CELL.1 / 2;
        let address = format!("{:#x}", line.address);
        canvas.fixed(&address, (LEFT - 8, middle), TEXT, Anchor::End)?;
        let cells: Vec<_> = line
            .cells
            .iter()
            .map(|cell| cell.content(grid.shift))
            .collect();
        let mut from = 0;
        // Equal cells beside each other are one rectangle.
        while let Some(content) = cells.get(from) {
            let rest = cells.get(from..).unwrap_or_default();
            let count = rest.iter().take_while(|cell| *cell == content).count();
            let (left, right) = (x(from), x(from + count));
            match content {
                None => canvas.fill((left, middle), (right, middle + 1), GRID)?,
                Some((rank, full)) => {
                    let above = if *full { 1 } else { CELL.1 / 2 };
                    let color = cell_color(*rank);
                    canvas.fill((left, y + above), (right, y + CELL.1), color)?;
                    if *full {
                        letters(canvas, legend.letter(*rank), (left, right), middle, color)?;
                    }
                }
            }
            from += count.max(1);
        }
        y += CELL.1;
    }
    y += 8;
    let whole: u128 = legend.entries.iter().map(|entry| entry.bytes).sum();
    let bytes = |bytes: u128| i128::try_from(bytes).unwrap_or(i128::MAX);
    let amounts = legend.entries.iter().take(ENTRIES);
    let amounts: Vec<String> = amounts
        .map(|entry| units::bytes(bytes(entry.bytes)))
        .collect();
    let widest = amounts
        .iter()
        .map(|text| text_width(text))
        .max()
        .unwrap_or(0);
    for (rank, (entry, amount)) in legend.entries.iter().zip(&amounts).enumerate() {
        let middle = y + ROW / 2;
        let color = cell_color(rank);
        canvas.fill((LEFT, middle - 9), (LEFT + 18, middle + 9), color)?;
        canvas.mark(entry.letter, (LEFT + 9, middle), color, 12.0)?;
        let right = LEFT + 30 + widest;
        canvas.text(amount, (right, middle), TEXT, Anchor::End)?;
        let share = percents(bytes(entry.bytes), bytes(whole));
        canvas.text(&share, (right + 52, middle), FAINT, Anchor::End)?;
        let name = fitted(&entry.name, WIDTH - right - 66);
        canvas.text(&name, (right + 66, middle), TEXT, Anchor::Start)?;
        y += ROW;
    }
    if legend.entries.len() > ENTRIES {
        let words = format!("* {} smaller ones", legend.entries.len() - ENTRIES);
        canvas.text(&words, (LEFT, y + ROW / 2), FAINT, Anchor::Start)?;
    }
    Ok(())
}

fn x(cell: usize) -> i32 {
    LEFT + i32::try_from(cell).unwrap_or(0) * CELL.0
}

/// A letter in the middle of a rectangle, repeated in wide ones.
fn letters(
    canvas: &Canvas<'_>,
    letter: char,
    (left, right): (i32, i32),
    middle: i32,
    color: RGBColor,
) -> io::Result<()> {
    const EVERY: i32 = 96;
    if right - left < 9 {
        return Ok(());
    }
    let count = ((right - left) / EVERY).max(1);
    for index in 0..count {
        let x = left + (right - left) * (2 * index + 1) / (2 * count);
        canvas.mark(letter, (x, middle), color, 10.0)?;
    }
    Ok(())
}

/// Six colours for the greatest, one for all others.
fn cell_color(rank: usize) -> RGBColor {
    color(rank)
}
