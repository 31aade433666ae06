//! A table as lines of a terminal.

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
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|column| cut_end(&column.name, style.width))
        .collect();
    let numeric: Vec<bool> = (0..count).map(|column| is_numeric(table, column)).collect();
    let mut widths: Vec<usize> = (0..count)
        .map(|column| {
            let cells = cells.iter().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| columns::width(cell)).max().unwrap_or(0);
            widest.max(names.get(column).map_or(0, |name| columns::width(name)))
        })
        .collect();
    // The widest columns give way until all fit.
    let gaps = count.saturating_sub(1) * 2;
    while widths.iter().sum::<usize>() + gaps > style.width {
        let Some(widest) = widths.iter_mut().max() else {
            break;
        };
        if *widest <= LEAST {
            break;
        }
        *widest -= 1;
    }
    let line = |cells: &[String]| {
        let mut line = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let width = widths.get(column).copied().unwrap_or(0);
            if column > 0 {
                line.push_str("  ");
            }
            // What matters of a path is where it ends.
            let cell = match cell.starts_with('/') {
                true => cut_middle(cell, width),
                false => cut_end(cell, width),
            };
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
