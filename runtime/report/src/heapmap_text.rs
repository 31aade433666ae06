//! The address space as a grid of cells of a terminal.

use ytrace_values::units;

use crate::columns::{MORE_ROWS, Style, Tone, percent};
use crate::heapmap::{self, By, Legend, OTHER, Part};
use crate::model::Heapmap;

/// Cells of a line in wide terminals and in others.
const CELLS: (u64, u64) = (64, 32);
/// Room for the address in front of a line.
const ADDRESS: usize = 18;

/// The lines of a heapmap: the grid by state, and by owner if there are owners, each with what its letters stand for.
pub(crate) fn heapmap(map: &Heapmap, style: &Style) -> Vec<String> {
    let parts = heapmap::parts(map);
    let mut lines = drawn(map, &parts, By::State, style);
    if !map.owners.is_empty() {
        lines.push(String::new());
        lines.extend(drawn(map, &parts, By::Owner, style));
    }
    lines
}

fn drawn(map: &Heapmap, parts: &[Part], by: By, style: &Style) -> Vec<String> {
    let legend = Legend::new(map, parts, by);
    let cells = match style.width >= CELLS.0 as usize + ADDRESS {
        true => CELLS.0,
        false => CELLS
            .1
            .min(style.width.saturating_sub(ADDRESS).max(8) as u64),
    };
    let grid = heapmap::grid(parts, &legend, cells, style.lines() as u64);
    let what = match (by, map.owners.is_empty()) {
        (By::State, true) => "",
        (By::State, false) => "by state: ",
        (By::Owner, _) => "by owner: ",
    };
    let mut lines = vec![style.paint(
        Tone::Heading,
        &format!(
            "{what}a cell is {}; capital: at least half of it; · nothing",
            units::bytes(
                1_u128
                    .checked_shl(grid.shift)
                    .map_or(i128::MAX, |size| size as i128)
            )
        ),
    )];
    for line in &grid.lines {
        if line.gap > 0 {
            let gap = i128::try_from(line.gap).unwrap_or(i128::MAX);
            let text = format!("{:>ADDRESS$}{} of nothing", "… ", units::bytes(gap));
            lines.push(style.paint(Tone::Faint, &text));
        }
        let mut text = format!("{:<ADDRESS$}", format!("{:#x}", line.address));
        for cell in &line.cells {
            text.push(match cell.content(grid.shift) {
                None => '·',
                Some((rank, true)) => legend.letter(rank),
                Some((rank, false)) => legend.letter(rank).to_ascii_lowercase(),
            });
        }
        lines.push(text);
    }
    let whole: u128 = legend.entries.iter().map(|entry| entry.bytes).sum();
    let rows = legend.entries.len().min(style.rows);
    for entry in legend.entries.iter().take(rows) {
        lines.push(format!(
            "{} {:>9} {:>4}  {}",
            entry.letter,
            units::bytes(entry.bytes as i128),
            percent(entry.bytes as i128, whole as i128),
            entry.name,
        ));
    }
    let hidden = legend.entries.len() - rows;
    if hidden > 0 {
        let text = format!("{OTHER} ({hidden} smaller ones not shown{MORE_ROWS})");
        lines.push(style.paint(Tone::Faint, &text));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Region;

    fn drawn(regions: &[(u64, u64)], rows: usize) -> Vec<String> {
        let regions = regions.iter().map(|(start, length)| Region {
            start: *start,
            length: *length,
            state: 0,
            owner: 7,
        });
        let map = Heapmap {
            states: vec!["x".to_owned()],
            owners: Vec::new(),
            regions: regions.collect(),
        };
        let style = Style {
            width: 100,
            color: false,
            rows,
        };
        heapmap(&map, &style)
    }

    #[test]
    fn the_ends_of_the_address_space() {
        let lines = drawn(&[(0, 1), (u64::MAX, 9)], 10);
        assert!(
            lines.iter().any(|line| line.contains("of nothing")),
            "{lines:?}"
        );
        drawn(&[(0, u64::MAX)], 3);
        assert_eq!(drawn(&[], 3).len(), 1);
    }

    #[test]
    fn lines_stay_within_the_bound() {
        let regions: Vec<_> = (0..1000).map(|at| (at * 65536, 100)).collect();
        // The grid, its heading, and one category.
        assert!(drawn(&regions, 20).len() <= 22);
    }
}
