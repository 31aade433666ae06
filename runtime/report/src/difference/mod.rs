//! What changed between two runs of one probe: the result of an earlier one, as JSON, against another.

mod read;

use std::collections::HashMap;

use serde_json::Value;

pub use read::{DifferenceError, Earlier, MAX_BYTES};

use crate::flame_text::names;
use crate::heapmap;
use crate::model::{
    Cell, Change, Compared, Difference, Footer, Heapmap, Report, Unit, View, ViewData,
};

/// The rows of a view as names with numbers, whatever its form.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) unit: String,
    pub(crate) of: Compared,
    pub(crate) weights: Vec<String>,
    pub(crate) units: Vec<Unit>,
    pub(crate) selected: usize,
    pub(crate) rows: Vec<NamedRow>,
    /// Of a table: its columns and cells, in place of rows. Only both tables together tell their text from their numbers.
    pub(crate) columns: Vec<(String, Unit)>,
    pub(crate) cells: Vec<Vec<Cell>>,
}

/// A name, and its values; `None` for one that is not known.
type NamedRow = (Vec<String>, Vec<Option<i64>>);

impl Report {
    /// Adds what changed since an earlier run to [`Report::differences`], and a warning for each view that the earlier run
    /// has not.
    ///
    /// # Errors
    /// The earlier run was of another probe, or has none of the views.
    pub fn compare(&mut self, earlier: &Earlier) -> Result<(), DifferenceError> {
        let shown: Vec<(&str, &str)> = self
            .views
            .iter()
            .map(|view| (view.kind.as_str(), view.title.as_str()))
            .collect();
        earlier.check(&self.probe, &shown)?;
        let rows: Vec<Rows> = self.views.iter().map(rows).collect();
        let (differences, missing) = between(&earlier.views, &rows);
        self.differences = differences;
        let file = &earlier.file;
        self.warnings.extend(missing.into_iter().map(|title| {
            format!("{file} has no view “{title}” of the same kind and unit: it is not compared")
        }));
        if !earlier.complete {
            self.warnings.push(format!(
                "{file} is a partial result: what it lacks looks new"
            ));
        }
        Ok(())
    }
}

/// A report of what changed between two results of one probe.
///
/// # Errors
/// They are of different probes, or have no view in common.
pub fn compare(old: &Earlier, new: &Earlier) -> Result<Report, DifferenceError> {
    let views = new.views.iter();
    let shown: Vec<(&str, &str)> = views
        .map(|view| (view.kind.as_str(), view.title.as_str()))
        .collect();
    old.check(new.probe.as_deref().unwrap_or(""), &shown)?;
    let (differences, missing) = between(&old.views, &new.views);
    let mut report = Report {
        probe: new.probe.clone().unwrap_or_default(),
        header: vec![
            format!("{}: {}", old.file, old.header),
            format!("{}: {}", new.file, new.header),
        ],
        differences,
        footer: Footer {
            offline: true,
            ..Footer::default()
        },
        ..Report::default()
    };
    report.warnings.extend(missing.into_iter().map(|title| {
        let file = &old.file;
        format!("{file} has no view “{title}” of the same kind and unit: it is not compared")
    }));
    for (each, how) in [(old, "new"), (new, "gone")] {
        if !each.complete {
            report.footer.partial.push(format!(
                "{} is a partial result: what it lacks looks {how}",
                each.file
            ));
        }
    }
    Ok(report)
}

/// What changed in each view of `new` that `old` has too, and the titles of the others.
fn between(old: &[Rows], new: &[Rows]) -> (Vec<View>, Vec<String>) {
    let mut used = vec![false; old.len()];
    let mut views = Vec::new();
    let mut missing = Vec::new();
    for view in new {
        let found = old.iter().enumerate().find(|(index, other)| {
            used.get(*index) == Some(&false)
                && (&other.kind, &other.title, &other.unit, other.of)
                    == (&view.kind, &view.title, &view.unit, view.of)
        });
        let Some((index, other)) = found else {
            missing.push(view.title.clone());
            continue;
        };
        if let Some(used) = used.get_mut(index) {
            *used = true;
        }
        views.push(View {
            kind: view.kind.clone(),
            title: view.title.clone(),
            unit: view.unit.clone(),
            data: ViewData::Difference(changes(other, view)),
        });
    }
    (views, missing)
}

fn changes(old: &Rows, new: &Rows) -> Difference {
    let tables;
    let (old, new) = match new.of {
        Compared::Rows => {
            tables = (by_name(old, new), by_name(new, old));
            (&tables.0, &tables.1)
        }
        Compared::Paths | Compared::Keys => (old, new),
    };
    // Without rows a table may have no columns.
    let form = match new.rows.is_empty() {
        true => old,
        false => new,
    };
    // Columns are compared by name; what one was that the earlier run lacks is not known.
    let places: Vec<Option<usize>> = form
        .weights
        .iter()
        .map(|name| old.weights.iter().position(|other| other == name))
        .collect();
    let mut index: HashMap<&[String], usize> = HashMap::new();
    let mut rows: Vec<Change> = Vec::new();
    for (name, values) in &old.rows {
        let values = places
            .iter()
            .map(|place| place.and_then(|place| values.get(place)).copied().flatten());
        if let Some(row) = row_of(&mut rows, &mut index, name) {
            add(&mut row.old, values);
        }
    }
    for (name, values) in &new.rows {
        let values = (0..form.weights.len()).map(|weight| values.get(weight).copied().flatten());
        if let Some(row) = row_of(&mut rows, &mut index, name) {
            add(&mut row.new, values);
        }
    }
    let selected = form.selected.min(form.weights.len().saturating_sub(1));
    rows.sort_by(|a, b| {
        // What is not known comes last.
        let growth = |row: &Change| row.growth(selected);
        growth(b).cmp(&growth(a)).then_with(|| a.name.cmp(&b.name))
    });
    Difference {
        of: new.of,
        weights: form.weights.clone(),
        units: form.units.clone(),
        selected,
        rows,
    }
}

/// The row of a name, which is added if there is none yet.
fn row_of<'r, 'n>(
    rows: &'r mut Vec<Change>,
    index: &mut HashMap<&'n [String], usize>,
    name: &'n [String],
) -> Option<&'r mut Change> {
    let at = *index.entry(name).or_insert_with(|| {
        rows.push(Change {
            name: name.to_vec(),
            old: None,
            new: None,
        });
        rows.len() - 1
    });
    rows.get_mut(at)
}

/// Adds to what is there; names may come twice. A sum of which a part is not known is not known.
fn add(known: &mut Option<Vec<Option<i64>>>, values: impl Iterator<Item = Option<i64>>) {
    match known {
        None => *known = Some(values.collect()),
        Some(known) => {
            for (known, value) in known.iter_mut().zip(values) {
                *known = known
                    .zip(value)
                    .map(|(known, value)| known.saturating_add(value));
            }
        }
    }
}

/// The rows of a view of this run.
fn rows(view: &View) -> Rows {
    let (mut columns, mut cells) = (Vec::new(), Vec::new());
    let (of, weights, selected, rows) = match &view.data {
        ViewData::Flamegraph(graph) => (
            Compared::Paths,
            names(&graph.weights, &view.unit),
            graph.selected,
            known(&graph.rows),
        ),
        ViewData::Bars(bars) => (
            Compared::Keys,
            names(&bars.weights, &view.unit),
            bars.selected,
            known(&bars.rows),
        ),
        ViewData::Histogram(histogram) => {
            let groups = histogram.groups.iter();
            let groups = groups.map(|group| (group.key.clone(), group.count, group.sum));
            distributions(groups, &view.unit)
        }
        ViewData::Series(series) => {
            let lines = series.lines.iter().map(|line| {
                let last = line.samples.last().map(|sample| sample.value.number());
                (line.name.clone(), last)
            });
            last_values(lines, &view.unit)
        }
        ViewData::Heapmap(map) => regions(map),
        ViewData::Table(table) => {
            let named = table.columns.iter();
            columns.extend(named.map(|column| (column.name.clone(), column.unit)));
            cells.clone_from(&table.rows);
            (Compared::Rows, Vec::new(), 0, Vec::new())
        }
        ViewData::Difference(_) => Default::default(),
    };
    Rows {
        kind: view.kind.clone(),
        title: view.title.clone(),
        unit: view.unit.clone(),
        of,
        units: units(&weights),
        weights,
        selected,
        rows,
        columns,
        cells,
    }
}

/// What the values of these names are.
fn units(weights: &[String]) -> Vec<Unit> {
    weights.iter().map(|name| Unit::of(name)).collect()
}

/// What kind of rows, the names of their values, which of these decides, and the rows.
type Form = (Compared, Vec<String>, usize, Vec<NamedRow>);

/// Rows all of whose values are known.
fn known(rows: &[(Vec<String>, Vec<i64>)]) -> Vec<NamedRow> {
    let rows = rows.iter();
    rows.map(|(name, values)| (name.clone(), values.iter().copied().map(Some).collect()))
        .collect()
}

fn distributions(groups: impl Iterator<Item = (Vec<String>, u64, i128)>, unit: &str) -> Form {
    let rows = groups.map(|(key, count, sum)| {
        let sum = sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        (
            key,
            vec![Some(i64::try_from(count).unwrap_or(i64::MAX)), Some(sum)],
        )
    });
    let sum = match unit {
        "" => "sum",
        unit => unit,
    };
    let weights = vec!["values".to_owned(), sum.to_owned()];
    (Compared::Keys, weights, 0, rows.collect())
}

/// Lines by their last sample: `None` for a line that has none, `Some(None)` for one that is not known.
fn last_values(lines: impl Iterator<Item = (String, Option<Option<f64>>)>, unit: &str) -> Form {
    let rows = lines.filter_map(|(name, last)| Some((vec![name], vec![last?.map(rounded)])));
    (Compared::Keys, vec![unit.to_owned()], 0, rows.collect())
}

fn regions(map: &Heapmap) -> Form {
    let word = |names: &[String], index: u32| -> String {
        names.get(index as usize).cloned().unwrap_or_default()
    };
    let parts = heapmap::parts(map);
    let rows = parts.iter().map(|part| {
        let mut name = vec![word(&map.states, part.state)];
        if !map.owners.is_empty() {
            name.push(word(&map.owners, part.owner));
        }
        let bytes = i64::try_from(part.bytes()).unwrap_or(i64::MAX);
        (name, vec![Some(bytes), Some(1)])
    });
    let weights = vec!["bytes".to_owned(), "regions".to_owned()];
    (Compared::Keys, weights, 0, rows.collect())
}

/// The rows of a table by name, for a comparison with `other`: columns of text and of ids are the name of a row, all others its
/// numbers. The first column of bytes of which both know anything decides, or else the first such number.
///
/// Whether a column is one of text shows in both tables: either may have no row, or nothing in that column.
fn by_name(rows: &Rows, other: &Rows) -> Rows {
    let (words, numbers): (Vec<usize>, Vec<usize>) =
        (0..rows.columns.len()).partition(|index| is_word(rows, other, *index));
    let named = rows.cells.iter().map(|row| {
        let word = |index: &usize| match row.get(*index) {
            Some(Cell::Text(text)) => text.clone(),
            Some(Cell::Bool(truth)) => truth.to_string(),
            Some(cell) => cell
                .number()
                .map_or(String::new(), |number| number.to_string()),
            None => String::new(),
        };
        let number = |index: &usize| match row.get(*index)? {
            Cell::Integer(number) => Some(*number),
            Cell::Unsigned(number) => Some(i64::try_from(*number).unwrap_or(i64::MAX)),
            cell => cell.number().map(rounded),
        };
        (
            words.iter().map(word).collect(),
            numbers.iter().map(number).collect(),
        )
    });
    let column = |index: &usize| rows.columns.get(*index);
    let known = |name: &str| {
        [rows, other].iter().all(|rows| {
            rows.cells.is_empty() || column_of(rows, name).any(|cell| cell.number().is_some())
        })
    };
    let find = |wanted: Option<Unit>| {
        numbers.iter().position(|index| {
            column(index).is_some_and(|(name, unit)| {
                wanted.is_none_or(|wanted| *unit == wanted) && known(name)
            })
        })
    };
    let selected = find(Some(Unit::Bytes)).or_else(|| find(None));
    Rows {
        kind: rows.kind.clone(),
        title: rows.title.clone(),
        unit: rows.unit.clone(),
        of: rows.of,
        weights: numbers
            .iter()
            .filter_map(column)
            .map(|(name, _)| name.clone())
            .collect(),
        units: numbers
            .iter()
            .filter_map(column)
            .map(|(_, unit)| *unit)
            .collect(),
        selected: selected.unwrap_or(0),
        rows: named.collect(),
        columns: Vec::new(),
        cells: Vec::new(),
    }
}

/// Whether a column of a table is part of the rows' names.
fn is_word(rows: &Rows, other: &Rows, index: usize) -> bool {
    let Some((name, unit)) = rows.columns.get(index) else {
        return true;
    };
    let cells = || column_of(rows, name).chain(column_of(other, name));
    match unit {
        Unit::Identity => true,
        Unit::Bytes | Unit::Nanoseconds => false,
        Unit::Count => {
            cells().any(|cell| matches!(cell, Cell::Text(_)))
                || cells().all(|cell| cell.number().is_none())
        }
    }
}

/// The cells of the column of a name.
fn column_of<'r>(rows: &'r Rows, name: &str) -> impl Iterator<Item = &'r Cell> {
    let index = rows.columns.iter().position(|(column, _)| column == name);
    let cells = rows.cells.iter();
    cells.filter_map(move |row| row.get(index?))
}

fn rounded(number: f64) -> i64 {
    number.round() as i64
}

/// A cell of a table as JSON has it.
fn cell_of(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Empty,
        Value::Bool(truth) => Cell::Bool(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Cell::Integer(number),
            (None, Some(number)) => Cell::Unsigned(number),
            _ => number.as_f64().map_or(Cell::Empty, Cell::Float),
        },
        Value::String(text) => Cell::Text(text.clone()),
        other => Cell::Text(other.to_string()),
    }
}
