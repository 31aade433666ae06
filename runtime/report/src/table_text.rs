//! A table as lines of a terminal.

use std::collections::HashMap;

use ytrace_values::units;

use crate::columns::{self, MORE_ROWS, Style, Tone, cut_end, cut_middle};
use crate::model::{Cell, Table, Unit};

/// The widest that one column may become while others need room.
const LEAST: usize = 8;

/// The lines of a table: headings, then rows as they come.
pub(crate) fn table(table: &Table, style: &Style) -> Vec<String> {
    let count = table.columns.len();
    let shown = table.rows.len().min(style.rows);
    let cells: Vec<Vec<String>> = table
        .rows
        .iter()
        .take(shown)
        .map(|row| {
            (0..count)
                .map(|column| {
                    let unit = table.columns.get(column).map_or(Unit::Count, |c| c.unit);
                    row.get(column)
                        .map_or(String::new(), |cell| show(cell, unit))
                })
                .collect()
        })
        .collect();
    let mut names: Vec<String> = table
        .columns
        .iter()
        .map(|column| cut_end(&column.name, style.width))
        .collect();
    let numeric: Vec<bool> = (0..count).map(|column| is_numeric(table, column)).collect();
    let gaps = count.saturating_sub(1) * 2;
    let mut widths = widest(&names, &cells);
    if widths.iter().sum::<usize>() + gaps > style.width {
        names = without_units(table, names);
        widths = widest(&names, &cells);
    }
    // The widest columns give way until all fit.
    while widths.iter().sum::<usize>() + gaps > style.width {
        let Some(widest) = widths.iter_mut().max() else {
            break;
        };
        if *widest <= LEAST {
            break;
        }
        *widest -= 1;
    }
    let cells = fitted(&cells, &widths);
    let line = |cells: &[String]| {
        let mut line = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let width = widths.get(column).copied().unwrap_or(0);
            if column > 0 {
                line.push_str("  ");
            }
            let cell = cut_end(cell, width);
            line.push_str(&match numeric.get(column) {
                Some(true) => columns::right(&cell, width),
                _ => columns::left(&cell, width),
            });
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![style.paint(Tone::Heading, &line(&names))];
    lines.extend(cells.iter().map(|row| line(row)));
    let hidden = table.rows.len() - shown;
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

/// The widths that columns would like to have.
fn widest(names: &[String], cells: &[Vec<String>]) -> Vec<usize> {
    let widths = names.iter().enumerate().map(|(column, name)| {
        let cells = cells.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| columns::width(cell)).max().unwrap_or(0);
        widest.max(columns::width(name))
    });
    widths.collect()
}

/// Headings without the units that their cells show anyway, but where two would be alike.
fn without_units(table: &Table, names: Vec<String>) -> Vec<String> {
    let short = names.iter().zip(&table.columns).map(|(name, column)| {
        let ending = match column.unit {
            Unit::Bytes => "_bytes",
            Unit::Nanoseconds => "_ns",
            Unit::Count | Unit::Identity => return name.clone(),
        };
        let short = name.strip_suffix(ending).unwrap_or(name);
        let taken = names.iter().any(|other| other == short);
        if taken { name } else { short }.to_owned()
    });
    short.collect()
}

/// Cells that fit their columns. Those that would look alike and are not show where they differ.
fn fitted(cells: &[Vec<String>], widths: &[usize]) -> Vec<Vec<String>> {
    let cut = |cell: &str, width: usize| match cell.starts_with('/') {
        // What matters of a path is where it ends.
        true => cut_middle(cell, width),
        false => cut_end(cell, width),
    };
    let mut fitted: Vec<Vec<String>> = cells
        .iter()
        .map(|row| {
            let cells = row.iter().zip(widths);
            cells.map(|(cell, width)| cut(cell, *width)).collect()
        })
        .collect();
    for (column, width) in widths.iter().enumerate() {
        let mut alike: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, row) in fitted.iter().enumerate() {
            if let Some(cell) = row.get(column) {
                alike.entry(cell.clone()).or_default().push(index);
            }
        }
        let whole = |row: usize| cells.get(row).and_then(|row| row.get(column));
        for rows in alike.into_values().filter(|rows| rows.len() > 1) {
            let mut texts = rows.iter().filter_map(|row| whole(*row));
            let Some(first) = texts.next() else {
                continue;
            };
            let common = texts.fold(first.len(), |most, text| most.min(shared(first, text)));
            if rows.iter().all(|row| whole(*row) == Some(first)) {
                continue;
            }
            for row in rows {
                let cell = fitted.get_mut(row).and_then(|row| row.get_mut(column));
                if let (Some(cell), Some(text)) = (cell, whole(row)) {
                    *cell = cut_around(text, common, *width);
                }
            }
        }
    }
    fitted
}

/// How many bytes at the beginning of two texts are the same, in whole characters.
fn shared(a: &str, b: &str) -> usize {
    let pairs = a.chars().zip(b.chars());
    let same = pairs.take_while(|(a, b)| a == b);
    same.map(|(a, _)| a.len_utf8()).sum()
}

/// Safe text cut so that both its beginning and what stands at a place in it can be read. The place is an offset in bytes.
fn cut_around(text: &str, place: usize, columns: usize) -> String {
    let before = text.get(..place).unwrap_or(text);
    // The word in which the difference is.
    let begin = before.rfind(' ').map_or(0, |blank| blank + 1);
    let rest = text.get(begin..).unwrap_or_default();
    let front = cut_end(text, columns / 3);
    let room = columns.saturating_sub(columns::width(&front));
    format!("{front}{}", cut_end(rest, room))
}

/// Whether a column holds no text.
pub(crate) fn is_numeric(table: &Table, column: usize) -> bool {
    let mut cells = table.rows.iter().map(|row| row.get(column));
    cells.all(|cell| !matches!(cell, Some(Cell::Text(_))))
}

/// A cell for people.
pub(crate) fn show(cell: &Cell, unit: Unit) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Bool(truth) => truth.to_string(),
        Cell::Integer(number) => unit.show(i128::from(*number)),
        Cell::Unsigned(number) => unit.show(i128::from(*number)),
        Cell::Float(number) if number.is_nan() => "unknown".to_owned(),
        Cell::Float(number) => match unit {
            Unit::Count | Unit::Identity => format!("{number:.2}"),
            _ => unit.show(*number as i128),
        },
        Cell::Text(text) => ytrace_values::escape::line(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Column;

    fn lines(columns: &[(&str, Unit)], rows: &[(&str, i64)], width: usize) -> Vec<String> {
        let columns = columns.iter().map(|(name, unit)| Column {
            name: (*name).to_owned(),
            unit: *unit,
        });
        let rows = rows
            .iter()
            .map(|(text, number)| vec![Cell::Text((*text).to_owned()), Cell::Integer(*number)]);
        let shown = Table {
            columns: columns.collect(),
            rows: rows.collect(),
        };
        let style = Style {
            width,
            color: false,
            rows: 10,
        };
        table(&shown, &style)
    }

    #[test]
    fn rows_that_are_cut_can_be_told_apart() {
        let columns = [("by", Unit::Count), ("held_bytes", Unit::Bytes)];
        let rows = [
            ("malloc ← allocate ← set ← answer ← serve ← main", 1),
            ("malloc ← allocate ← set ← answer ← serve ← load", 2),
            ("malloc ← allocate ← set ← answer ← serve ← main", 3),
            ("free ← release", 4),
        ];
        let lines = lines(&columns, &rows, 34);
        assert_eq!(
            lines,
            [
                "by                            held",
                "malloc ←…main                  1 B",
                "malloc ←…load                  2 B",
                "malloc ←…main                  3 B",
                "free ← release                 4 B",
            ]
        );
    }

    #[test]
    fn headings_lose_their_units_where_there_is_no_room() {
        let columns = [("by", Unit::Count), ("held_bytes", Unit::Bytes)];
        let rows = [("a text of some length", 1)];
        assert_eq!(
            lines(&columns, &rows, 40)[0],
            "by                     held_bytes"
        );
        assert_eq!(lines(&columns, &rows, 30)[0], "by                     held");
        let columns = [("held", Unit::Count), ("held_bytes", Unit::Bytes)];
        assert_eq!(
            lines(&columns, &rows, 30)[0],
            "held                held_bytes"
        );
    }

    #[test]
    fn paths_keep_the_names_of_their_files() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let column = |name: &str| Column {
            name: name.to_owned(),
            unit: Unit::Count,
        };
        let shown = Table {
            columns: vec![column("mapping"), column("kind"), column("bytes")],
            rows: vec![vec![
                text("/opt/application/releases/2031-01-01/lib/x86_64-linux-gnu/libanswer.so.42"),
                text("a kind that is told of in more words than there is room for here"),
                Cell::Integer(7),
            ]],
        };
        let style = Style {
            width: 80,
            color: false,
            rows: 10,
        };
        let lines = table(&shown, &style);
        let row = lines.get(1).map_or("", String::as_str);
        assert!(
            row.starts_with("/opt/appl") && row.contains("/libanswer.so.42 "),
            "{row}"
        );
        assert!(row.contains("  a kind that is told"), "{row}");
        assert!(row.ends_with('7') && columns::width(row) <= 80, "{row}");
    }
}
