//! The address space as a grid of cells of a terminal.

use std::collections::HashMap;

use ytrace_values::{escape, units};

use crate::columns::{Style, Tone, cut_middle, percent};
use crate::model::{Heapmap, Region};

/// Cells of a line in wide terminals and in others.
const CELLS: (u64, u64) = (64, 32);
/// Room for the address in front of a line.
const ADDRESS: usize = 18;
/// The fewest bytes of a cell.
const LEAST: u32 = 4;
/// Room for the names of categories.
const NAME: usize = 40;
/// What is said of categories for which no letter is left.
const OTHER: char = '*';

/// A region without what another one before it covers: first and last byte, and its category.
type Part = (u64, u64, usize);

/// The lines of a heapmap: the grid, then what its letters stand for.
pub(crate) fn heapmap(map: &Heapmap, style: &Style) -> Vec<String> {
    let (parts, names) = parts(&map.regions);
    let mut bytes = vec![0_u128; names.len()];
    for (first, last, category) in &parts {
        if let Some(sum) = bytes.get_mut(*category) {
            *sum += u128::from(last - first) + 1;
        }
    }
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|category| std::cmp::Reverse(bytes.get(*category).copied()));
    let letters = letters(&names, &order);
    let cells = match style.width >= CELLS.0 as usize + ADDRESS {
        true => CELLS.0,
        false => CELLS
            .1
            .min(style.width.saturating_sub(ADDRESS).max(8) as u64),
    };
    let shift = scale(&parts, cells, style.rows as u64);
    let mut lines = vec![style.paint(
        Tone::Heading,
        &format!(
            "a cell is {}; capital: at least half of it; · nothing",
            units::bytes(1_u128.checked_shl(shift).map_or(i128::MAX, |size| size as i128))
        ),
    )];
    let mut before: Option<u64> = None;
    for (line, content) in grid(&parts, &letters, cells, shift) {
        if let Some(before) = before
            && line > before + 1
        {
            let skipped = i128::from(line - before - 1) * i128::from(cells);
            let gap = skipped << shift;
            let text = format!("{:>ADDRESS$}{} of nothing", "… ", units::bytes(gap));
            lines.push(style.paint(Tone::Faint, &text));
        }
        before = Some(line);
        let address = (u128::from(line) * u128::from(cells)) << shift;
        let mut text = format!("{:<ADDRESS$}", format!("{address:#x}"));
        for cell in &content {
            text.push(mark(cell, shift));
        }
        lines.push(text);
    }
    let whole: u128 = bytes.iter().sum();
    let rows = order.len().min(style.rows);
    for category in order.iter().take(rows) {
        let amount = bytes.get(*category).copied().unwrap_or(0);
        lines.push(format!(
            "{} {:>9} {:>4}  {}",
            letters.get(*category).copied().unwrap_or(OTHER),
            units::bytes(amount as i128),
            percent(amount as i128, whole as i128),
            names.get(*category).map_or("", String::as_str),
        ));
    }
    if order.len() > rows {
        let text = format!("({} smaller categories not shown)", order.len() - rows);
        lines.push(style.paint(Tone::Faint, &text));
    }
    lines
}

/// The regions in order, without overlaps, and the names of the categories that they refer to.
fn parts(regions: &[Region]) -> (Vec<Part>, Vec<String>) {
    let mut sorted: Vec<&Region> = regions.iter().filter(|region| region.length > 0).collect();
    sorted.sort_by_key(|region| (region.start, region.length));
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut names = Vec::new();
    let mut parts = Vec::with_capacity(sorted.len());
    let mut end: Option<u64> = None;
    for region in sorted {
        let category = *known.entry(&region.category).or_insert_with(|| {
            names.push(cut_middle(&escape::line(region.category.as_bytes()), NAME));
            names.len() - 1
        });
        let last = region.start.saturating_add(region.length - 1);
        let first = match end {
            Some(end) if end >= region.start => match end.checked_add(1) {
                Some(first) if first <= last => first,
                _ => continue,
            },
            _ => region.start,
        };
        end = Some(last);
        parts.push((first, last, category));
    }
    (parts, names)
}

/// The least size of a cell, as a binary logarithm, with which the grid has at most so many lines.
fn scale(parts: &[Part], cells: u64, rows: u64) -> u32 {
    (LEAST..64)
        .find(|shift| {
            let mut lines = 0_u64;
            let mut before: Option<u64> = None;
            for (first, last, _) in parts {
                let (from, to) = ((first >> shift) / cells, (last >> shift) / cells);
                let fresh = match before {
                    Some(before) if before >= from => to - before.min(to),
                    // A line says how much is left out.
                    Some(before) => to - from + 1 + u64::from(from > before + 1),
                    None => to - from + 1,
                };
                lines = lines.saturating_add(fresh);
                before = Some(to);
                if lines > rows {
                    return false;
                }
            }
            true
        })
        .unwrap_or(63)
}

/// Bytes in a cell by letter.
type Cell = Vec<(char, u128)>;

/// The lines that hold anything, each with its cells.
fn grid(parts: &[Part], letters: &[char], cells: u64, shift: u32) -> Vec<(u64, Vec<Cell>)> {
    let mut lines: Vec<(u64, Vec<Cell>)> = Vec::new();
    for (first, last, category) in parts {
        let letter = letters.get(*category).copied().unwrap_or(OTHER);
        for cell in (first >> shift)..=(last >> shift) {
            let line = cell / cells;
            if lines.last().is_none_or(|(last, _)| *last != line) {
                lines.push((line, vec![Cell::new(); cells as usize]));
            }
            let begin = u128::from(cell) << shift;
            let end = begin + (1_u128 << shift);
            let inside = (u128::from(*last) + 1).min(end) - u128::from(*first).max(begin);
            let content = lines
                .last_mut()
                .and_then(|(_, line)| line.get_mut((cell % cells) as usize));
            if let Some(content) = content {
                match content.iter_mut().find(|(known, _)| *known == letter) {
                    Some((_, sum)) => *sum += inside,
                    None => content.push((letter, inside)),
                }
            }
        }
    }
    lines
}

/// The letter of what fills most of a cell.
fn mark(cell: &Cell, shift: u32) -> char {
    let Some((letter, _)) = cell.iter().max_by_key(|(_, bytes)| *bytes) else {
        return '·';
    };
    let filled: u128 = cell.iter().map(|(_, bytes)| bytes).sum();
    match filled * 2 >= 1_u128 << shift {
        true => *letter,
        false => letter.to_ascii_lowercase(),
    }
}

/// A capital letter for each category, one of its name's where that is free; larger categories
/// choose first.
fn letters(names: &[String], order: &[usize]) -> Vec<char> {
    let mut letters = vec![OTHER; names.len()];
    let mut free: Vec<char> = ('A'..='Z').collect();
    for category in order {
        let name = names.get(*category).map_or("", String::as_str);
        let own = name
            .chars()
            .map(|character| character.to_ascii_uppercase())
            .find_map(|character| free.iter().position(|letter| *letter == character));
        let Some(at) = own.or_else(|| (!free.is_empty()).then_some(0)) else {
            break;
        };
        let letter = free.remove(at);
        if let Some(place) = letters.get_mut(*category) {
            *place = letter;
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(start: u64, length: u64, category: &str) -> Region {
        Region {
            start,
            length,
            category: category.to_owned(),
        }
    }

    fn drawn(regions: &[Region], rows: usize) -> Vec<String> {
        let map = Heapmap {
            regions: regions.to_vec(),
        };
        let style = Style {
            width: 100,
            color: false,
            rows,
        };
        heapmap(&map, &style)
    }

    #[test]
    fn overlaps_count_once() {
        let (parts, _) = parts(&[region(0, 10, "a"), region(5, 10, "b"), region(6, 2, "c")]);
        assert_eq!(parts, [(0, 9, 0), (10, 14, 1)]);
    }

    #[test]
    fn the_ends_of_the_address_space() {
        let lines = drawn(&[region(0, 1, "low"), region(u64::MAX, 9, "high")], 10);
        assert!(
            lines.iter().any(|line| line.contains("of nothing")),
            "{lines:?}"
        );
        drawn(&[region(0, u64::MAX, "all")], 3);
        assert_eq!(drawn(&[], 3).len(), 1);
    }

    #[test]
    fn lines_stay_within_the_bound() {
        let regions: Vec<Region> = (0..1000).map(|at| region(at * 65536, 100, "x")).collect();
        // The grid, its heading, and one category.
        assert!(drawn(&regions, 20).len() <= 22);
    }
}
