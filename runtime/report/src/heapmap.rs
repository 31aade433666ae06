//! The address space as a grid of cells, in which long stretches of nothing are left out.

use ytrace_values::escape;

use crate::columns::cut_middle;
use crate::model::Heapmap;

/// The fewest bytes of a cell, as a binary logarithm.
const LEAST: u32 = 4;
/// Room for the names of categories.
const NAME: usize = 40;
/// Categories with a mark of their own; what is smaller shares one.
pub(crate) const MARKED: usize = 26;
/// What stands for categories without a letter of their own.
pub(crate) const OTHER: char = '*';

/// By what cells are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    State,
    Owner,
}

/// A region without what another one before it covers: first and last byte, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) state: u32,
    pub(crate) owner: u32,
}

impl Part {
    pub(crate) fn bytes(&self) -> u128 {
        u128::from(self.last - self.first) + 1
    }
}

/// The regions in order, without overlaps.
pub(crate) fn parts(map: &Heapmap) -> Vec<Part> {
    let mut sorted: Vec<_> = map
        .regions
        .iter()
        .filter(|region| region.length > 0)
        .collect();
    sorted.sort_by_key(|region| (region.start, region.length));
    let mut parts = Vec::with_capacity(sorted.len());
    let mut end: Option<u64> = None;
    for region in sorted {
        let last = region.start.saturating_add(region.length - 1);
        let first = match end {
            Some(end) if end >= region.start => match end.checked_add(1) {
                Some(first) if first <= last => first,
                _ => continue,
            },
            _ => region.start,
        };
        end = Some(last);
        parts.push(Part {
            first,
            last,
            state: region.state,
            owner: region.owner,
        });
    }
    parts
}

/// Categories of one kind, the biggest first, each with a mark.
pub(crate) struct Legend {
    pub(crate) entries: Vec<Entry>,
    /// The entry of each category, in the order of the map.
    ranks: Vec<usize>,
    pub(crate) by: By,
}

/// One category.
pub(crate) struct Entry {
    /// Its name, made safe for one line.
    pub(crate) name: String,
    pub(crate) bytes: u128,
    /// A capital letter, or [`OTHER`].
    pub(crate) letter: char,
}

impl Legend {
    pub(crate) fn new(map: &Heapmap, parts: &[Part], by: By) -> Self {
        let names = match by {
            By::State => &map.states,
            By::Owner => &map.owners,
        };
        let mut bytes = vec![0_u128; names.len()];
        for part in parts {
            if let Some(sum) = bytes.get_mut(category(part, by)) {
                *sum += part.bytes();
            }
        }
        let mut order: Vec<usize> = (0..names.len())
            .filter(|category| bytes.get(*category).is_some_and(|bytes| *bytes > 0))
            .collect();
        order.sort_by_key(|category| std::cmp::Reverse(bytes.get(*category).copied()));
        let mut ranks = vec![MARKED; names.len()];
        let mut free: Vec<char> = ('A'..='Z').collect();
        let mut entries = Vec::with_capacity(order.len());
        for (rank, category) in order.iter().enumerate() {
            if let Some(place) = ranks.get_mut(*category) {
                *place = rank.min(MARKED);
            }
            let name = names.get(*category).map_or("", String::as_str);
            let name = cut_middle(&escape::line(name.as_bytes()), NAME);
            entries.push(Entry {
                letter: letter(&name, &mut free),
                name: match name.is_empty() {
                    true => "(none)".to_owned(),
                    false => name,
                },
                bytes: bytes.get(*category).copied().unwrap_or(0),
            });
        }
        Self { entries, ranks, by }
    }

    /// The place of a part's category among the entries; [`MARKED`] for all that have no letter.
    fn rank(&self, part: &Part) -> usize {
        let rank = self.ranks.get(category(part, self.by));
        rank.copied().unwrap_or(MARKED)
    }

    pub(crate) fn letter(&self, rank: usize) -> char {
        self.entries.get(rank).map_or(OTHER, |entry| entry.letter)
    }
}

fn category(part: &Part, by: By) -> usize {
    match by {
        By::State => part.state as usize,
        By::Owner => part.owner as usize,
    }
}

/// A free capital letter, one of the name's own if there is one.
fn letter(name: &str, free: &mut Vec<char>) -> char {
    let own = name
        .chars()
        .map(|character| character.to_ascii_uppercase())
        .find_map(|character| free.iter().position(|letter| *letter == character));
    match own.or_else(|| (!free.is_empty()).then_some(0)) {
        Some(at) => free.remove(at),
        None => OTHER,
    }
}

/// Lines of cells.
pub(crate) struct Grid {
    /// The bytes of a cell, as a binary logarithm.
    pub(crate) shift: u32,
    /// The lines that hold anything.
    pub(crate) lines: Vec<GridLine>,
}

/// One line.
pub(crate) struct GridLine {
    pub(crate) address: u128,
    /// The bytes between this line and the one before it that are left out.
    pub(crate) gap: u128,
    pub(crate) cells: Vec<Cell>,
}

/// The bytes of each rank in a cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell(Vec<(usize, u128)>);

impl Cell {
    /// What fills most of the cell, and whether half of it is filled at all.
    pub(crate) fn content(&self, shift: u32) -> Option<(usize, bool)> {
        let (rank, _) = self.0.iter().max_by_key(|(_, bytes)| *bytes)?;
        let filled: u128 = self.0.iter().map(|(_, bytes)| bytes).sum();
        Some((*rank, filled * 2 >= 1_u128 << shift))
    }
}

/// The grid of `cells` in a line that shows all parts in at most `rows` lines.
pub(crate) fn grid(parts: &[Part], legend: &Legend, cells: u64, rows: u64) -> Grid {
    let cells = cells.max(1);
    let shift = scale(parts, cells, rows);
    let mut lines: Vec<(u64, Vec<Cell>)> = Vec::new();
    for part in parts {
        let rank = legend.rank(part);
        for cell in (part.first >> shift)..=(part.last >> shift) {
            let line = cell / cells;
            if lines.last().is_none_or(|(last, _)| *last != line) {
                lines.push((line, vec![Cell::default(); cells as usize]));
            }
            let begin = u128::from(cell) << shift;
            let end = begin + (1_u128 << shift);
            let inside = (u128::from(part.last) + 1).min(end) - u128::from(part.first).max(begin);
            let content = lines
                .last_mut()
                .and_then(|(_, line)| line.get_mut((cell % cells) as usize));
            if let Some(Cell(content)) = content {
                match content.iter_mut().find(|(known, _)| *known == rank) {
                    Some((_, sum)) => *sum += inside,
                    None => content.push((rank, inside)),
                }
            }
        }
    }
    let size = u128::from(cells) << shift;
    let mut before: Option<u64> = None;
    let lines = lines.into_iter().map(|(line, content)| {
        let skipped = before.map_or(0, |before| line.saturating_sub(before + 1));
        before = Some(line);
        GridLine {
            address: u128::from(line) * size,
            gap: u128::from(skipped) * size,
            cells: content,
        }
    });
    Grid {
        shift,
        lines: lines.collect(),
    }
}

/// The least size of a cell, as a binary logarithm, with which the grid has at most so many lines.
fn scale(parts: &[Part], cells: u64, rows: u64) -> u32 {
    (LEAST..64)
        .find(|shift| {
            let mut lines = 0_u64;
            let mut before: Option<u64> = None;
            for part in parts {
                let (from, to) = ((part.first >> shift) / cells, (part.last >> shift) / cells);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Region;

    #[test]
    fn overlaps_count_once() {
        let region = |start, length, state| Region {
            start,
            length,
            state,
            owner: 0,
        };
        let map = Heapmap {
            regions: vec![region(0, 10, 0), region(5, 10, 1), region(6, 2, 2)],
            ..Heapmap::default()
        };
        let parts: Vec<_> = parts(&map)
            .iter()
            .map(|part| (part.first, part.last, part.state))
            .collect();
        assert_eq!(parts, [(0, 9, 0), (10, 14, 1)]);
    }
}
