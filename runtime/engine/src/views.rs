//! From a finished program to a report.

use std::collections::HashMap;

use ytrace_lang::ast::{ItemKind, Unit};
use ytrace_lang::compile::Compiled;
use ytrace_lang::hir::{HistogramRows, View, ViewKind};
use ytrace_lang::ir::ViewShape;
use ytrace_report as report;
use ytrace_values::constants::{ContainerType, Element, Shape, ShapeId};
use ytrace_values::store::Frame;
use ytrace_values::{AggregateSummary, Store, Value};

use crate::error::SessionError;
use crate::names::Names;
use crate::session::Finding;
use crate::target::shell_word;

/// Why a result cannot be shown as asked.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// No view has such a column.
    #[error("no view has a column `{wanted}`")]
    NoSuchWeight {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: Vec<String>,
    },
}

/// Says whether the views of a program can be shown as asked: `weight` is the column that is to decide, `forms` are the
/// formats that the result is to be written in. The program need not have run.
///
/// # Errors
/// No view has such a column, none is a flame graph for a format that shows one, or none can be compared with the earlier
/// result that is given with the name of the program.
pub(crate) fn check(
    compiled: &Compiled,
    weight: Option<&str>,
    forms: &[report::Output],
    earlier: Option<(&report::Earlier, &str)>,
) -> Result<(), SessionError> {
    if let Some((earlier, main)) = earlier {
        let views: Vec<(&str, &str)> = declared(compiled)
            .map(|(view, _)| (kind_name(view.kind), view.title.as_str()))
            .collect();
        earlier.check(&probe_name(main), &views)?;
    }
    let constants = &compiled.program.constants;
    let mut known: Vec<String> = Vec::new();
    let mut kinds: Vec<&str> = Vec::new();
    let mut graph = false;
    for (view, shape) in declared(compiled) {
        kinds.push(kind_name(view.kind));
        if let Some(names) = view_weights(constants, view.kind, &view.unit, *shape) {
            graph |= view.kind == ViewKind::Flamegraph;
            for name in names {
                if !known.contains(&name) {
                    known.push(name);
                }
            }
        }
        for name in table_weights(constants, view, *shape) {
            if !known.contains(&name) {
                known.push(name);
            }
        }
    }
    if let Some(wanted) = weight
        && !known.iter().any(|name| name == wanted)
    {
        return Err(SessionError::View(ViewError::NoSuchWeight {
            wanted: wanted.to_owned(),
            known,
        }));
    }
    if let Some(form) = forms.iter().find(|form| form.wants_view())
        && kinds.is_empty()
    {
        return Err(no_view(*form));
    }
    match forms.iter().find(|form| form.wants_flamegraph()) {
        Some(form) if !graph => Err(SessionError::Output(
            report::output::OutputError::no_flamegraph(*form, &kinds),
        )),
        _ => Ok(()),
    }
}

/// The kinds of the views that a parsed program declares, as written.
pub(crate) fn declared_kinds(unit: &Unit) -> Vec<String> {
    unit.items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::View(view) => Some(view.kind.text.to_string()),
            _ => None,
        })
        .collect()
}

/// Why a format of pictures cannot be had.
pub(crate) fn no_view(form: report::Output) -> SessionError {
    SessionError::Output(report::output::OutputError::NoView {
        ending: form.ending(),
    })
}

/// Refuses a format that shows a flame graph where no view has the kind of one.
pub(crate) fn check_kinds(kinds: &[String], form: report::Output) -> Result<(), SessionError> {
    if kinds
        .iter()
        .any(|kind| kind == kind_name(ViewKind::Flamegraph))
    {
        return Ok(());
    }
    let mut known: Vec<&str> = Vec::new();
    for kind in kinds {
        if !known.contains(&kind.as_str()) {
            known.push(kind);
        }
    }
    Err(SessionError::Output(
        report::output::OutputError::no_flamegraph(form, &known),
    ))
}

/// The views of a program with what they show.
fn declared(compiled: &Compiled) -> impl Iterator<Item = (&View, &ViewShape)> {
    compiled
        .typed
        .views
        .iter()
        .zip(&compiled.program.view_shapes)
}

/// Makes a report of what a program left behind. `weight` is the column that decides, in the views that have it.
pub fn report(finished: &Finding<'_>, names: &Names, weight: Option<&str>) -> report::Report {
    let result = finished.result;
    let header: Vec<String> = result
        .identity
        .iter()
        .map(|identity| identity.line())
        .collect();
    let mut views = Vec::new();
    for (index, (view, shape)) in declared(finished.compiled).enumerate() {
        let offset = finished
            .compiled
            .program
            .global_offsets
            .get(view.global.0 as usize)
            .copied()
            .unwrap_or(0);
        let recorded = result.series.iter().find(|recorded| recorded.view == index);
        let mut data = match recorded {
            Some(recorded) => report::ViewData::Series(recorded.series.clone()),
            None => view_data(finished, names, view, offset, *shape),
        };
        if let report::ViewData::Flamegraph(report::Flamegraph {
            weights, selected, ..
        })
        | report::ViewData::Bars(report::Bars {
            weights, selected, ..
        }) = &mut data
            && let Some(index) =
                weight.and_then(|wanted| weights.iter().position(|weight| weight == wanted))
        {
            *selected = index;
        }
        if let (report::ViewData::Table(table), Some(wanted)) = (&mut data, weight) {
            sort_by_column(table, wanted);
        }
        views.push(report::View {
            kind: kind_name(view.kind).to_owned(),
            title: view.title.clone(),
            unit: view.unit.clone(),
            data,
        });
    }
    let mut report = report::Report {
        probe: probe_name(&finished.main.name),
        header,
        text: result.text.clone(),
        views,
        differences: Vec::new(),
        checks: result
            .checks
            .iter()
            .map(|check| report::Check {
                name: check.name.clone(),
                left: check.left,
                right: check.right,
                tolerance: check.tolerance,
            })
            .collect(),
        warnings: result.warnings.clone(),
        footer: footer(finished),
        next: successors_hint(finished),
    };
    report.move_next_lines();
    if let Some(pid) = result.gone {
        // What would look at it again finds nothing.
        let gone = format!("-p {pid}");
        report.next.retain(|line| {
            let mut parts = line.match_indices(&gone);
            !parts.any(|(at, _)| {
                let rest = line.get(at + gone.len()..).unwrap_or_default();
                !rest.starts_with(|c: char| c.is_ascii_digit())
            })
        });
    }
    report
}

/// The name by which a later run knows the probe: that of its file, without folders.
pub fn probe_name(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.to_owned()
}

fn footer(finished: &Finding<'_>) -> report::Footer {
    let result = finished.result;
    let mut modes: Vec<&str> = result.modes.iter().map(|mode| mode.name()).collect();
    // A handler that read nothing that can change was not worth a mode of its own.
    if modes.len() > 1 {
        modes.retain(|mode| *mode != "live");
    }
    let mut notes = result.notes.clone();
    for (group, candidate) in &result.layouts {
        notes.push(format!("layout {group}: {candidate}"));
    }
    report::Footer {
        pause: (result.pauses.count > 0).then_some(result.pauses.total),
        pauses: result.pauses.count,
        one_by_one: result.one_by_one,
        mode: modes.join(", "),
        core: result.core.clone(),
        threads: result.pauses.threads,
        restarted_calls: result.pauses.restarted_calls as u64,
        bytes_read: result.counters.bytes_read,
        faults: result
            .faults
            .iter()
            .map(|fault| report::Fault {
                message: fault.message.clone(),
                location: fault.location.clone(),
                chain: fault.chain.clone(),
                count: fault.count,
            })
            .collect(),
        caught: finished.store.caught_count(),
        swapped: result.counters.swapped_skipped,
        not_resident: result.counters.not_resident,
        missed: result.counters.missed,
        offline: false,
        not_dumped: result.counters.not_dumped,
        hits: result.hits,
        partial: result.partial.clone(),
        notes,
    }
}

/// The most processes that took over for which a command is shown.
const MAX_SUCCESSORS: usize = 4;

/// The longest text of `-e`, in bytes, that is repeated in a command.
const MAX_TEXT: usize = 200;

/// The commands that look at those to which the target has handed over.
fn successors_hint(finished: &Finding<'_>) -> Vec<String> {
    let program = if finished.main.name == "-e" {
        // A text of several lines is no word of a line.
        match finished.main.text.trim() {
            text if text.len() <= MAX_TEXT && !text.chars().any(char::is_control) => {
                format!("-e {}", shell_word(text))
            }
            _ => "-e …".to_owned(),
        }
    } else {
        shell_word(&finished.main.name)
    };
    finished
        .result
        .successors
        .iter()
        .take(MAX_SUCCESSORS)
        .map(|pid| format!("ytrace run {program} -p {pid}"))
        .collect()
}

fn kind_name(kind: ViewKind) -> &'static str {
    match kind {
        ViewKind::Flamegraph => "flamegraph",
        ViewKind::Pie => "pie",
        ViewKind::Bars => "bars",
        ViewKind::Histogram => "histogram",
        ViewKind::Table => "table",
        ViewKind::Series => "series",
        ViewKind::Heapmap => "heapmap",
    }
}

fn view_data(
    finished: &Finding<'_>,
    names: &Names,
    view: &View,
    offset: u64,
    shape: ViewShape,
) -> report::ViewData {
    let (kind, unit) = (view.kind, view.unit.as_str());
    let store = finished.store;
    let constants = &store.constants;
    let write_path = |handle: u64| frames(store, names, handle).join(" / ");
    let global = usize::try_from(offset)
        .ok()
        .and_then(|at| store.globals.get(at..))
        .unwrap_or_default();
    let container = match shape {
        ViewShape::Value(shape) => {
            let value = store.decode(shape, global);
            return report::ViewData::Table(report::Table {
                columns: vec![report::Column {
                    name: unit.to_owned(),
                    unit: report::Unit::of(unit),
                }],
                rows: vec![vec![report::Cell::from_value(&value, &write_path)]],
            });
        }
        ViewShape::Container(container) => container,
    };
    let handle = global
        .get(..8)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes);
    if let Some(ContainerType::Aggregate { .. }) = constants.containers.get(container.0 as usize) {
        let summary = store.aggregate_summary(handle).unwrap_or_default();
        if kind == ViewKind::Histogram {
            return report::ViewData::Histogram(report::Histogram {
                groups: vec![distribution(Vec::new(), &summary, view.rows)],
            });
        }
        return report::ViewData::Table(aggregate_table(&summary, unit));
    }
    let key_text = |keys: &[Value]| -> Vec<String> {
        let keys = keys.iter();
        keys.map(|key| report::model::value_text(key, &write_path))
            .collect()
    };
    if kind == ViewKind::Histogram {
        let groups = store
            .table_rows(handle)
            .filter_map(|(keys, value)| match value {
                Value::Aggregate(summary) => {
                    Some(distribution(key_text(&keys), &summary, view.rows))
                }
                _ => None,
            });
        return report::ViewData::Histogram(report::Histogram {
            groups: groups.collect(),
        });
    }
    if kind == ViewKind::Heapmap {
        return report::ViewData::Heapmap(heapmap(store, handle, &write_path));
    }
    if let Some(weights) = view_weights(constants, kind, unit, shape) {
        let rows = store.table_rows(handle).map(|(keys, value)| {
            let values = numbers(&value, weights.len());
            let key: Vec<String> = match (kind, keys.as_slice()) {
                (ViewKind::Flamegraph, [Value::Path(path)]) => frames(store, names, *path),
                _ => key_text(&keys),
            };
            (key, values)
        });
        let rows: Vec<(Vec<String>, Vec<i64>)> = rows.collect();
        return if kind == ViewKind::Flamegraph {
            report::ViewData::Flamegraph(report::Flamegraph {
                weights,
                selected: 0,
                rows: merged(rows),
            })
        } else {
            report::ViewData::Bars(report::Bars {
                weights,
                selected: 0,
                rows,
            })
        };
    }
    report::ViewData::Table(table(store, handle, &write_path))
}

/// A table from starts and lengths to states, or to records of a state and an owner.
fn heapmap(store: &Store, handle: u64, write_path: &dyn Fn(u64) -> String) -> report::Heapmap {
    let mut states = Categories::default();
    let mut owners = Categories::default();
    let mut regions = Vec::new();
    for (keys, value) in store.table_rows(handle) {
        let [start, length] = keys.as_slice() else {
            continue;
        };
        let (state, owner) = match &value {
            Value::Record(fields) => {
                let field = |wanted: &str| {
                    let field = fields.iter().find(|(name, _)| name == wanted);
                    field.map_or(String::new(), |(_, value)| {
                        report::model::value_text(value, write_path)
                    })
                };
                (field("state"), owners.index(field("owner")))
            }
            value => (report::model::value_text(value, write_path), 0),
        };
        regions.push(report::Region {
            start: word(start),
            length: word(length),
            state: states.index(state),
            owner,
        });
    }
    report::Heapmap {
        states: states.names,
        owners: owners.names,
        regions,
    }
}

/// Names in order of first appearance.
#[derive(Default)]
struct Categories {
    names: Vec<String>,
    index: HashMap<String, u32>,
}

impl Categories {
    fn index(&mut self, name: String) -> u32 {
        if let Some(index) = self.index.get(&name) {
            return *index;
        }
        // Each has a row of a table, which the memory budget bounds.
        let index = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.clone());
        self.index.insert(name, index);
        index
    }
}

/// Paths of different handles may have the same frames once they are symbolized.
fn merged(rows: Vec<(Vec<String>, Vec<i64>)>) -> Vec<(Vec<String>, Vec<i64>)> {
    let mut index = HashMap::new();
    let mut result: Vec<(Vec<String>, Vec<i64>)> = Vec::with_capacity(rows.len());
    for (path, values) in rows {
        match index.entry(path.clone()) {
            std::collections::hash_map::Entry::Occupied(at) => {
                let at: &usize = at.get();
                if let Some((_, known)) = result.get_mut(*at) {
                    for (known, value) in known.iter_mut().zip(&values) {
                        *known = known.saturating_add(*value);
                    }
                }
            }
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(result.len());
                result.push((path, values));
            }
        }
    }
    result
}

/// The most frames of a path that are shown; what lies deeper is counted at a last frame that says
/// so. Every row holds its whole path, so a long chain would otherwise take the square of its length.
const MAX_FRAMES: usize = 256;

/// The frames of a path, root first.
fn frames(store: &Store, names: &Names, handle: u64) -> Vec<String> {
    let frames = store.path_frames(handle);
    let deeper = frames.len() > MAX_FRAMES;
    frames
        .into_iter()
        .take(MAX_FRAMES)
        .flat_map(|frame| match frame {
            Frame::Name(name) => vec![String::from_utf8_lossy(&name).into_owned()],
            Frame::Code(address) => names.frames(address).iter().rev().cloned().collect(),
        })
        .chain(deeper.then(|| "(deeper)".to_owned()))
        .collect()
}

/// The columns to choose from in a view that is drawn by one; `None` for a view that is a table.
fn view_weights(
    constants: &ytrace_values::Constants,
    kind: ViewKind,
    unit: &str,
    shape: ViewShape,
) -> Option<Vec<String>> {
    let (ViewKind::Flamegraph | ViewKind::Pie | ViewKind::Bars, ViewShape::Container(container)) =
        (kind, shape)
    else {
        return None;
    };
    match constants.containers.get(container.0 as usize)? {
        ContainerType::Table { element, .. } | ContainerType::Array { element } => {
            weights(constants, element, unit)
        }
        ContainerType::Aggregate { .. } => None,
    }
}

/// The names of the numbers of an element: a record's fields, or the view's unit for a number.
fn weights(
    constants: &ytrace_values::Constants,
    element: &Element,
    unit: &str,
) -> Option<Vec<String>> {
    let Element::Value { shape, .. } = element else {
        return None;
    };
    match constants.shapes.get(shape.0 as usize)? {
        Shape::Record { fields, .. } => fields
            .iter()
            .map(|field| is_number(constants, field.shape).then(|| field.name.clone()))
            .collect(),
        _ => is_number(constants, *shape).then(|| {
            vec![if unit.is_empty() {
                "count".to_owned()
            } else {
                unit.to_owned()
            }]
        }),
    }
}

/// The columns that a table can be ordered by: those of its values that are numbers.
fn table_weights(
    constants: &ytrace_values::Constants,
    view: &View,
    shape: ViewShape,
) -> Vec<String> {
    let (ViewKind::Table, ViewShape::Container(container)) = (view.kind, shape) else {
        return Vec::new();
    };
    let aggregate = || {
        let cells = aggregate_cells(&AggregateSummary::default()).into_iter();
        cells.map(|(name, _)| name).collect()
    };
    let element = match constants.containers.get(container.0 as usize) {
        Some(ContainerType::Table { element, .. } | ContainerType::Array { element }) => element,
        Some(ContainerType::Aggregate { .. }) | None => return Vec::new(),
    };
    match element {
        Element::Container(_) => aggregate(),
        Element::Value { shape, .. } => match constants.shapes.get(shape.0 as usize) {
            Some(Shape::Record { fields, .. }) => fields
                .iter()
                .filter(|field| is_number(constants, field.shape))
                .map(|field| field.name.clone())
                .collect(),
            _ if is_number(constants, *shape) => vec!["value".to_owned()],
            _ => Vec::new(),
        },
    }
}

/// Puts the rows of a table in order by a column of that name, the greatest first; equal ones stay in order.
fn sort_by_column(table: &mut report::Table, wanted: &str) {
    use std::cmp::Reverse;
    use ytrace_report::Cell;
    // Of a key and a value of one name it is the value.
    let Some(column) = table.columns.iter().rposition(|c| c.name == wanted) else {
        return;
    };
    let whole = |cell: &Cell| match cell {
        Cell::Integer(number) => Some(i128::from(*number)),
        Cell::Unsigned(number) => Some(i128::from(*number)),
        Cell::Bool(truth) => Some(i128::from(*truth)),
        _ => None,
    };
    let float = |cell: &Cell| match cell {
        Cell::Float(number) => Some(*number),
        cell => whole(cell).map(|number| number as f64),
    };
    // One float makes all of them floats: an order that is exact for some pairs and not for others is none.
    let floats = table
        .rows
        .iter()
        .any(|row| matches!(row.get(column), Some(Cell::Float(_))));
    table.rows.sort_by_cached_key(|row| {
        let cell = row.get(column);
        // What is no number comes last.
        Reverse(match floats {
            true => cell.and_then(float).map(total_order),
            false => cell.and_then(whole),
        })
    });
}

/// A number that compares as [`f64::total_cmp`] does.
fn total_order(number: f64) -> i128 {
    let bits = number.to_bits().cast_signed();
    // The bits of a negative number fall as its magnitude rises.
    i128::from(bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed())
}

fn is_number(constants: &ytrace_values::Constants, shape: ShapeId) -> bool {
    use ytrace_values::constants::Scalar;
    matches!(
        constants.shapes.get(shape.0 as usize),
        Some(
            Shape::Scalar(
                Scalar::Bool
                    | Scalar::Signed(_)
                    | Scalar::Unsigned(_)
                    | Scalar::Float32
                    | Scalar::Float64
            ) | Shape::Char { .. }
        )
    )
}

fn numbers(value: &Value, count: usize) -> Vec<i64> {
    let mut numbers: Vec<i64> = match value {
        Value::Record(fields) => fields.iter().map(|(_, value)| number(value)).collect(),
        other => vec![number(other)],
    };
    numbers.resize(count, 0);
    numbers
}

/// An address or a length.
fn word(value: &Value) -> u64 {
    match value {
        Value::Pointer(address) => *address,
        Value::Unsigned(number) => *number,
        other => number(other) as u64,
    }
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Integer(number) => *number,
        Value::Unsigned(number) => i64::try_from(*number).unwrap_or(i64::MAX),
        Value::Float(number) => *number as i64,
        Value::Bool(truth) => i64::from(*truth),
        Value::Char(byte) => i64::from(*byte),
        Value::Enum(_, number) => *number,
        _ => 0,
    }
}

/// An aggregate alone: its numbers in one row.
fn aggregate_table(summary: &AggregateSummary, unit: &str) -> report::Table {
    use ytrace_report::{Column, Unit};
    let column = |name: &str, unit| Column {
        name: name.to_owned(),
        unit,
    };
    let (columns, row) = aggregate_cells(summary)
        .into_iter()
        .map(|(name, cell)| {
            let unit = if name == "count" {
                Unit::Count
            } else {
                Unit::of(unit)
            };
            (column(&name, unit), cell)
        })
        .unzip();
    report::Table {
        columns,
        rows: vec![row],
    }
}

/// A distribution as a view shows it.
fn distribution(
    key: Vec<String>,
    summary: &AggregateSummary,
    rows: HistogramRows,
) -> report::Distribution {
    let rows = match rows {
        HistogramRows::Logarithmic => summary.logarithmic_rows(),
        // The checker has refused other steps.
        HistogramRows::Linear { low, high, step } => {
            summary.linear_rows(low, high, step).unwrap_or_default()
        }
    };
    report::Distribution {
        key,
        count: summary.count,
        sum: summary.sum,
        least: summary.min,
        greatest: summary.max,
        average: summary.average,
        rows,
    }
}

/// The numbers of an aggregate with their names.
fn aggregate_cells(summary: &AggregateSummary) -> Vec<(String, report::Cell)> {
    use ytrace_report::Cell;
    let sum = i64::try_from(summary.sum).map_or(Cell::Float(summary.sum as f64), Cell::Integer);
    [
        ("count", Cell::Unsigned(summary.count)),
        ("sum", sum),
        ("min", Cell::Integer(summary.min)),
        ("average", Cell::Float(summary.average)),
        ("max", Cell::Integer(summary.max)),
    ]
    .map(|(name, cell)| (name.to_owned(), cell))
    .into()
}

/// Any container as rows and columns.
fn table(store: &Store, handle: u64, write_path: &dyn Fn(u64) -> String) -> report::Table {
    use ytrace_report::{Cell, Column, Unit};
    let split = |value: &Value| -> Vec<(String, Cell)> {
        match value {
            Value::Record(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), Cell::from_value(value, write_path)))
                .collect(),
            Value::Aggregate(summary) => aggregate_cells(summary),
            other => vec![("value".to_owned(), Cell::from_value(other, write_path))],
        }
    };
    // What a row is called is not a quantity.
    let mut key_columns = 0;
    let mut rows: Vec<Vec<(String, Cell)>> = store
        .table_rows(handle)
        .map(|(keys, value)| {
            let mut row: Vec<(String, Cell)> = Vec::new();
            key_columns = keys.len();
            for (index, key) in keys.iter().enumerate() {
                let name = if keys.len() == 1 {
                    "key".to_owned()
                } else {
                    format!("key {}", index + 1)
                };
                row.push((name, Cell::from_value(key, write_path)));
            }
            row.extend(split(&value));
            row
        })
        .collect();
    if rows.is_empty() {
        rows = store
            .array_elements(handle)
            .map(|value| split(&value))
            .collect();
    }
    let columns = rows
        .first()
        .map(|row| {
            row.iter()
                .enumerate()
                .map(|(index, (name, _))| Column {
                    name: name.clone(),
                    unit: match index < key_columns {
                        true => Unit::Identity,
                        false => Unit::of(name),
                    },
                })
                .collect()
        })
        .unwrap_or_default();
    report::Table {
        columns,
        rows: rows
            .into_iter()
            .map(|row| row.into_iter().map(|(_, cell)| cell).collect())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(shell_word("probes/lua-gc.y"), "probes/lua-gc.y");
        assert_eq!(shell_word("it's.y"), r"'it'\''s.y'");
        assert_eq!(shell_word("a b"), "'a b'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn tables_are_ordered_by_numbers_of_all_kinds() {
        use report::Cell;
        let ordered = |cells: Vec<Cell>| -> Vec<String> {
            let mut table = report::Table {
                columns: vec![report::Column {
                    name: "sum".into(),
                    unit: Default::default(),
                }],
                rows: cells.into_iter().map(|cell| vec![cell]).collect(),
            };
            sort_by_column(&mut table, "sum");
            let shown = table.rows.iter().map(|row| format!("{:?}", row[0]));
            shown.collect()
        };
        let large = i64::MAX - 1;
        assert_eq!(
            ordered(vec![
                Cell::Integer(large),
                Cell::Empty,
                Cell::Integer(-1),
                Cell::Integer(large + 1)
            ]),
            [
                "Integer(9223372036854775807)",
                "Integer(9223372036854775806)",
                "Integer(-1)",
                "Empty"
            ]
        );
        assert_eq!(
            ordered(vec![
                Cell::Float(-2.5),
                Cell::Integer(7),
                Cell::Float(1.8e19),
                Cell::Integer(-1),
                Cell::Unsigned(u64::MAX)
            ]),
            [
                "Unsigned(18446744073709551615)",
                "Float(1.8e19)",
                "Integer(7)",
                "Integer(-1)",
                "Float(-2.5)"
            ]
        );
    }

    #[test]
    fn kinds_that_a_format_needs() {
        let kinds =
            |words: &[&str]| -> Vec<String> { words.iter().map(|&w| w.to_owned()).collect() };
        check_kinds(&kinds(&["bars", "flamegraph"]), report::Output::Folded).unwrap();
        let error = check_kinds(&kinds(&["bars", "bars"]), report::Output::Folded).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no view is a flame graph, which .folded shows; the views are: bars; .svg, .html, .json and .txt show them all"
        );
    }

    #[test]
    fn an_aggregate_is_shown_by_its_numbers_or_its_distribution() {
        let summary = AggregateSummary {
            count: 3,
            sum: 17,
            min: 5,
            max: 7,
            average: 17.0 / 3.0,
            variance: 1.3,
            buckets: vec![(5, 5, 2), (7, 7, 1)],
            linear: Vec::new(),
        };
        let of = |rows| distribution(Vec::new(), &summary, rows);
        let histogram = of(HistogramRows::Logarithmic);
        assert_eq!((histogram.rows.len(), histogram.rows[0].count), (1, 3));
        let histogram = of(HistogramRows::Linear {
            low: 0,
            high: 8,
            step: 2,
        });
        let counts: Vec<u64> = histogram.rows.iter().map(|row| row.count).collect();
        assert_eq!(counts, [0, 0, 2, 1]);
        let numbers = aggregate_table(&summary, "ns");
        let names: Vec<&str> = numbers
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        assert_eq!(names, ["count", "sum", "min", "average", "max"]);
        assert_eq!(numbers.columns[0].unit, report::Unit::Count);
        assert_eq!(numbers.rows[0][1], report::Cell::Integer(17));
    }

    #[test]
    fn equal_paths_of_different_handles_are_one() {
        let path = |name: &str| vec!["root".to_owned(), name.to_owned()];
        let rows = merged(vec![
            (path("a"), vec![1, i64::MAX]),
            (path("b"), vec![2, 2]),
            (path("a"), vec![3, 3]),
        ]);
        assert_eq!(
            rows,
            [(path("a"), vec![4, i64::MAX]), (path("b"), vec![2, 2])]
        );
    }

    #[test]
    fn numbers_of_records_and_of_plain_values() {
        let record = Value::Record(vec![
            ("bytes".to_owned(), Value::Unsigned(u64::MAX)),
            ("count".to_owned(), Value::Bool(true)),
        ]);
        assert_eq!(numbers(&record, 3), [i64::MAX, 1, 0]);
        assert_eq!(numbers(&Value::Float(2.9), 1), [2]);
    }
}
