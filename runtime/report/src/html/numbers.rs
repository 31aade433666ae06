//! The numbers of views as tables.

use std::collections::HashMap;

use unicode_width::UnicodeWidthStr;
use ytrace_values::units;

use crate::columns::{cut_middle, percent};
use crate::difference_text;
use crate::flame_text;
use crate::heapmap;
use crate::histogram_text::{by_size, count, facts, range};
use crate::markup::line;
use crate::model::{Heapmap, Unit, View, ViewData};
use crate::series_text::{by_growth, numbers as ends};
use crate::table_text;
use crate::tree::Tree;

/// The most rows of one table; `.json` has all.
const ROWS: usize = 1000;
/// The most lines of a flame graph's table.
const PATHS: usize = 200;
/// The longest text of a cell, in columns.
const CELL: usize = 1000;
/// Words up to this long, in columns, are kept whole.
const WORD: usize = 24;

/// One table.
pub(super) struct Numbers {
    pub(super) caption: String,
    /// Headings, and whether the cells are numbers.
    pub(super) columns: Vec<(String, bool)>,
    pub(super) rows: Vec<Vec<String>>,
    /// What was left out.
    pub(super) rest: String,
}

impl Numbers {
    fn new(columns: Vec<(String, bool)>, rows: Vec<Vec<String>>, all: usize) -> Self {
        let hidden = all.saturating_sub(rows.len());
        Self {
            caption: String::new(),
            columns,
            rows,
            rest: match hidden {
                0 => String::new(),
                hidden => format!(
                    "({} more rows are not shown; .json has all)",
                    units::thousands(hidden as i128)
                ),
            },
        }
    }

    /// The width of the longest word in a column, in columns of text; longer ones than [`WORD`] may be broken.
    pub(super) fn longest_word(&self, column: usize) -> usize {
        let heading = self.columns.get(column).map(|(name, _)| name);
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        heading
            .into_iter()
            .chain(cells)
            .flat_map(|text| text.split(' '))
            .map(UnicodeWidthStr::width)
            .max()
            .map_or(1, |width| width.min(WORD))
    }
}

fn number(name: &str) -> (String, bool) {
    (name.to_owned(), true)
}

fn word(name: &str) -> (String, bool) {
    (name.to_owned(), false)
}

fn cell(text: &str) -> String {
    cut_middle(&line(text), CELL)
}

/// The tables of a view.
pub(super) fn numbers(view: &View) -> Vec<Numbers> {
    match &view.data {
        ViewData::Bars(bars) => {
            let rows = bars.rows.iter().map(|(key, values)| {
                let values: Vec<i128> = values.iter().map(|value| i128::from(*value)).collect();
                (cell(&key.join(", ")), values)
            });
            let mut rows: Vec<_> = rows.collect();
            let value = |row: &(String, Vec<i128>)| row.1.get(bars.selected).copied().unwrap_or(0);
            rows.sort_by(|a, b| {
                let sizes = value(b).unsigned_abs().cmp(&value(a).unsigned_abs());
                sizes.then_with(|| a.0.cmp(&b.0))
            });
            let whole = rows.iter().map(value).sum();
            let count = rows.len();
            rows.truncate(ROWS);
            let weights = flame_text::names(&bars.weights, &view.unit);
            vec![weighed("key", &weights, bars.selected, whole, rows, count)]
        }
        ViewData::Flamegraph(graph) => {
            let tree = Tree::new(graph);
            let outline = tree.outline(PATHS);
            let lines = outline.lines.into_iter().map(|line| {
                // Depth shows as in the terminal.
                let indent = "\u{a0}\u{a0}".repeat(line.level.min(64));
                let text = flame_text::join(&line.frames);
                (format!("{indent}{}", cell(&text)), line.values)
            });
            let weights = flame_text::names(&graph.weights, &view.unit);
            let rows: Vec<_> = lines.collect();
            let count = rows.len();
            let whole = tree.whole();
            let mut table = weighed("path", &weights, graph.selected, whole, rows, count);
            if outline.hidden_rows > 0 {
                table.rest = format!(
                    "({} smaller paths are not shown; .json has all)",
                    units::thousands(outline.hidden_rows)
                );
            }
            vec![table]
        }
        ViewData::Histogram(histogram) => {
            let unit = Unit::of(&view.unit);
            let mut room = ROWS;
            let mut tables = Vec::new();
            for group in by_size(histogram) {
                if group.rows.len() > room {
                    break;
                }
                room -= group.rows.len();
                let rows = group.rows.iter().map(|row| {
                    let (number, all) = (i128::from(row.count), i128::from(group.count));
                    vec![range(row, unit), count(row), percent(number, all)]
                });
                let columns = vec![word("values"), number("count"), number("%")];
                let mut table = Numbers::new(columns, rows.collect(), group.rows.len());
                table.caption = cell(&facts(group, unit));
                tables.push(table);
            }
            let hidden = histogram.groups.len() - tables.len();
            if let (Some(last), 1..) = (tables.last_mut(), hidden) {
                last.rest = format!("({hidden} more keys are not shown; .json has all)");
            }
            tables
        }
        ViewData::Series(series) => {
            let unit = Unit::of(&view.unit);
            let rows = by_growth(series).into_iter().take(ROWS).map(|line| {
                let mut row = vec![cell(&line.name)];
                row.extend(ends(line, unit));
                row
            });
            let mut columns = vec![word("line")];
            columns.extend(["first", "last", "growth", "rate", "samples"].map(number));
            let rows = rows.collect();
            vec![Numbers::new(columns, rows, series.lines.len())]
        }
        ViewData::Heapmap(map) => vec![heap(map)],
        ViewData::Difference(difference) => {
            let unit = difference_text::unit(difference);
            let rows = difference_text::rows(difference, ROWS)
                .into_iter()
                .map(|row| {
                    let indent = "\u{a0}\u{a0}".repeat(row.level.min(64));
                    vec![
                        format!("{indent}{}", cell(&row.name)),
                        row.grown(unit),
                        row.share(),
                        difference_text::value(unit, row.old),
                        difference_text::value(unit, row.new),
                    ]
                });
            let mut columns = vec![word("name")];
            columns.extend(["growth", "%", "old", "new"].map(number));
            let rows: Vec<_> = rows.collect();
            let count = rows.len();
            vec![Numbers::new(columns, rows, count)]
        }
        ViewData::Table(table) => {
            let columns =
                table.columns.iter().enumerate().map(|(index, column)| {
                    (column.name.clone(), table_text::is_numeric(table, index))
                });
            let rows = table.rows.iter().take(ROWS).map(|row| {
                let cells = table.columns.iter().enumerate();
                let cells = cells.map(|(index, column)| {
                    let text = row
                        .get(index)
                        .map(|cell| table_text::show(cell, column.unit));
                    cell(&text.unwrap_or_default())
                });
                cells.collect()
            });
            let rows = rows.collect();
            vec![Numbers::new(columns.collect(), rows, table.rows.len())]
        }
    }
}

/// Rows with one value a weight, and the share of the selected one.
fn weighed(
    what: &str,
    weights: &[String],
    selected: usize,
    whole: i128,
    rows: Vec<(String, Vec<i128>)>,
    count: usize,
) -> Numbers {
    let mut columns = vec![word(what)];
    for (index, weight) in weights.iter().enumerate() {
        columns.push(number(weight));
        if index == selected {
            columns.push(number("%"));
        }
    }
    let rows = rows.into_iter().map(|(name, values)| {
        let mut row = vec![name];
        for (index, weight) in weights.iter().enumerate() {
            let value = values.get(index).copied().unwrap_or(0);
            row.push(Unit::of(weight).show(value));
            if index == selected {
                row.push(percent(value, whole));
            }
        }
        row
    });
    Numbers::new(columns, rows.collect(), count)
}

/// The bytes of each state, or of each state of each owner.
fn heap(map: &Heapmap) -> Numbers {
    let mut sums: HashMap<(u32, u32), (u64, u128)> = HashMap::new();
    let parts = heapmap::parts(map);
    for part in &parts {
        let sum = sums.entry((part.state, part.owner)).or_default();
        sum.0 += 1;
        sum.1 += part.bytes();
    }
    let whole: u128 = parts.iter().map(heapmap::Part::bytes).sum();
    let number_of = |bytes: u128| i128::try_from(bytes).unwrap_or(i128::MAX);
    let mut rows: Vec<_> = sums.into_iter().collect();
    rows.sort_by_key(|(key, (_, bytes))| (std::cmp::Reverse(*bytes), *key));
    let count = rows.len();
    let name =
        |names: &[String], index: u32| cell(names.get(index as usize).map_or("", String::as_str));
    let rows = rows
        .iter()
        .take(ROWS)
        .map(|((state, owner), (regions, bytes))| {
            let mut row = vec![name(&map.states, *state)];
            if !map.owners.is_empty() {
                row.push(name(&map.owners, *owner));
            }
            row.push(units::thousands(*regions));
            row.push(units::bytes(number_of(*bytes)));
            row.push(percent(number_of(*bytes), number_of(whole)));
            row
        });
    let mut columns = vec![word("state")];
    if !map.owners.is_empty() {
        columns.push(word("owner"));
    }
    columns.extend(["regions", "bytes", "%"].map(number));
    Numbers::new(columns, rows.collect(), count)
}
