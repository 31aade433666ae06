//! A report as JSON, for programs.
//!
//! The document names its schema and its version; a change that could break a reader raises
//! the version. Strings are as the target has them, unescaped but for JSON's own escapes.

use serde::Serialize;
use ytrace_values::Value;

use crate::flame_text::names;
use crate::model::{
    Cell, Compared, Distribution, Footer, Hits, Line, Report, Unit, View, ViewData,
};

/// The name of the schema.
pub const SCHEMA: &str = "ytrace.report";
/// Its version.
pub const VERSION: u32 = 2;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: u32,
    probe: &'a str,
    header: Vec<String>,
    views: Vec<ViewDocument<'a>>,
    /// Left out where nothing was compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<ViewDocument<'a>>,
    checks: Vec<CheckDocument<'a>>,
    warnings: &'a [String],
    footer: FooterDocument<'a>,
    next: &'a [String],
}

#[derive(Serialize)]
pub(crate) struct ViewDocument<'a> {
    kind: &'a str,
    title: &'a str,
    unit: &'a str,
    #[serde(flatten)]
    data: DataDocument<'a>,
}

#[derive(Serialize)]
#[serde(tag = "form", rename_all = "lowercase")]
enum DataDocument<'a> {
    Paths {
        weights: Vec<String>,
        selected: usize,
        rows: Vec<PathDocument<'a>>,
    },
    Keys {
        weights: Vec<String>,
        selected: usize,
        rows: Vec<KeyDocument<'a>>,
    },
    Table {
        columns: Vec<ColumnDocument<'a>>,
        rows: &'a [Vec<Cell>],
    },
    Histogram {
        groups: Vec<GroupDocument<'a>>,
    },
    Series {
        lines: Vec<LineDocument<'a>>,
    },
    Heapmap {
        states: &'a [String],
        owners: &'a [String],
        regions: Vec<RegionDocument<'a>>,
    },
    Difference {
        of: &'static str,
        weights: &'a [String],
        selected: usize,
        rows: Vec<ChangeDocument<'a>>,
    },
}

#[derive(Serialize)]
struct ChangeDocument<'a> {
    name: &'a [String],
    /// Null for what is new.
    old: Option<&'a [Option<i64>]>,
    /// Null for what is gone.
    new: Option<&'a [Option<i64>]>,
    growth: Vec<Option<i128>>,
}

#[derive(Serialize)]
struct GroupDocument<'a> {
    key: &'a [String],
    count: u64,
    sum: i128,
    min: i64,
    max: i64,
    average: f64,
    rows: Vec<RowDocument>,
}

#[derive(Serialize)]
struct RowDocument {
    /// Null for everything below.
    from: Option<i64>,
    /// Null for everything above.
    to: Option<i64>,
    count: u64,
    /// Whether the count is an estimate; left out where it is not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    approximate: bool,
}

#[derive(Serialize)]
struct LineDocument<'a> {
    name: &'a str,
    samples: Vec<SampleDocument<'a>>,
}

#[derive(Serialize)]
struct SampleDocument<'a> {
    at_nanoseconds: u64,
    value: &'a Cell,
}

#[derive(Serialize)]
struct RegionDocument<'a> {
    /// In hexadecimal: numbers of JSON have 53 bits.
    start: String,
    length: u64,
    state: &'a str,
    /// Left out where the view has no owners.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
}

#[derive(Serialize)]
struct PathDocument<'a> {
    path: &'a [String],
    values: &'a [i64],
}

#[derive(Serialize)]
struct KeyDocument<'a> {
    key: &'a [String],
    values: &'a [i64],
}

#[derive(Serialize)]
struct ColumnDocument<'a> {
    name: &'a str,
    unit: &'static str,
}

#[derive(Serialize)]
pub(crate) struct CheckDocument<'a> {
    name: &'a str,
    left: i64,
    right: i64,
    equal: bool,
    tolerance: u64,
}

#[derive(Serialize)]
pub(crate) struct FooterDocument<'a> {
    complete: bool,
    partial: &'a [String],
    mode: &'a str,
    /// The core file that was read; null for a process.
    core: Option<&'a str>,
    /// Null if the target was never stopped.
    pause_nanoseconds: Option<u64>,
    pauses: u64,
    threads_stopped: usize,
    restarted_calls: u64,
    bytes_read: u64,
    faults: Vec<FaultDocument<'a>>,
    /// How many faults the probe caught itself.
    caught: u64,
    swapped: u64,
    not_resident: u64,
    missed: u64,
    not_dumped: u64,
    /// Left out where nothing was probed.
    #[serde(skip_serializing_if = "Option::is_none")]
    hits: Option<&'a Hits>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct FaultDocument<'a> {
    message: &'a str,
    location: &'a str,
    chain: &'a [String],
    count: u64,
}

/// The document, indented, with a newline at its end.
pub fn render(report: &Report) -> Result<Vec<u8>, serde_json::Error> {
    let document = Document {
        schema: SCHEMA,
        version: VERSION,
        probe: &report.probe,
        header: report.lines(),
        views: report.views.iter().map(view).collect(),
        differences: report.differences.iter().map(view).collect(),
        checks: checks(report),
        warnings: &report.warnings,
        footer: footer(&report.footer),
        next: &report.next,
    };
    let mut out = serde_json::to_vec_pretty(&document)?;
    out.push(b'\n');
    Ok(out)
}

pub(crate) fn checks(report: &Report) -> Vec<CheckDocument<'_>> {
    let checks = report.checks.iter().map(|check| CheckDocument {
        name: &check.name,
        left: check.left,
        right: check.right,
        equal: check.holds(),
        tolerance: check.tolerance,
    });
    checks.collect()
}

pub(crate) fn footer(footer: &Footer) -> FooterDocument<'_> {
    let faults = footer.faults.iter().map(|fault| FaultDocument {
        message: &fault.message,
        location: &fault.location,
        chain: &fault.chain,
        count: fault.count,
    });
    FooterDocument {
        complete: footer.partial.is_empty(),
        partial: &footer.partial,
        mode: &footer.mode,
        core: footer.core.as_deref(),
        pause_nanoseconds: footer
            .pause
            .map(|pause| u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX)),
        pauses: footer.pauses,
        threads_stopped: footer.threads,
        restarted_calls: footer.restarted_calls,
        bytes_read: footer.bytes_read,
        faults: faults.collect(),
        caught: footer.caught,
        swapped: footer.swapped,
        not_resident: footer.not_resident,
        missed: footer.missed,
        not_dumped: footer.not_dumped,
        hits: footer.hits.as_ref(),
        notes: &footer.notes,
    }
}

/// A value of a program as JSON; `path` writes the paths that occur in it. Addresses are text in hexadecimal, what is no text in UTF-8
/// has its wrong bytes replaced, tables are lists of their keys and values.
pub fn value(value: &Value, path: &dyn Fn(u64) -> String) -> serde_json::Value {
    use serde_json::{Map, Value as Json, json};
    let all = |values: &[Value]| -> Vec<Json> {
        values
            .iter()
            .map(|inner| self::value(inner, path))
            .collect()
    };
    match value {
        Value::Integer(number) => json!(number),
        Value::Unsigned(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Bool(truth) => json!(truth),
        Value::Char(byte) => json!(byte),
        Value::Str(bytes) => json!(String::from_utf8_lossy(bytes)),
        Value::Path(handle) => json!(path(*handle)),
        Value::Pointer(address) => json!(format!("{address:#x}")),
        Value::Enum(Some(name), _) => json!(name),
        Value::Enum(None, number) => json!(number),
        Value::Record(fields) => {
            let mut object = Map::new();
            for (name, inner) in fields {
                let inner = self::value(inner, path);
                match inner {
                    // Members of what has no name are members of what it is in.
                    Json::Object(members) if name.is_empty() => object.extend(members),
                    inner => {
                        object.insert(name.clone(), inner);
                    }
                }
            }
            Json::Object(object)
        }
        Value::Array(values) => Json::Array(all(values)),
        Value::Table(rows) => {
            let rows = rows.iter().map(
                |(keys, inner)| json!({ "keys": all(keys), "value": self::value(inner, path) }),
            );
            Json::Array(rows.collect())
        }
        Value::Aggregate(summary) => json!({
            "count": summary.count,
            "sum": summary.sum,
            "min": summary.min,
            "max": summary.max,
        }),
        Value::Opaque => Json::Null,
    }
}

pub(crate) fn view(view: &View) -> ViewDocument<'_> {
    let data = match &view.data {
        ViewData::Flamegraph(graph) => DataDocument::Paths {
            weights: names(&graph.weights, &view.unit),
            selected: graph.selected,
            rows: graph
                .rows
                .iter()
                .map(|(path, values)| PathDocument { path, values })
                .collect(),
        },
        ViewData::Bars(bars) => DataDocument::Keys {
            weights: names(&bars.weights, &view.unit),
            selected: bars.selected,
            rows: bars
                .rows
                .iter()
                .map(|(key, values)| KeyDocument { key, values })
                .collect(),
        },
        ViewData::Table(table) => DataDocument::Table {
            columns: table
                .columns
                .iter()
                .map(|column| ColumnDocument {
                    name: &column.name,
                    unit: match column.unit {
                        Unit::Count => "count",
                        Unit::Bytes => "bytes",
                        Unit::Nanoseconds => "ns",
                        Unit::Identity => "id",
                    },
                })
                .collect(),
            rows: &table.rows,
        },
        ViewData::Histogram(histogram) => DataDocument::Histogram {
            groups: histogram.groups.iter().map(group).collect(),
        },
        ViewData::Series(series) => DataDocument::Series {
            lines: series.lines.iter().map(line).collect(),
        },
        ViewData::Heapmap(map) => DataDocument::Heapmap {
            states: &map.states,
            owners: &map.owners,
            regions: map
                .regions
                .iter()
                .map(|region| RegionDocument {
                    start: format!("{:#x}", region.start),
                    length: region.length,
                    state: map.state(region),
                    owner: (!map.owners.is_empty()).then(|| map.owner(region)),
                })
                .collect(),
        },
        ViewData::Difference(difference) => DataDocument::Difference {
            of: match difference.of {
                Compared::Paths => "paths",
                Compared::Keys => "keys",
                Compared::Rows => "table",
            },
            weights: &difference.weights,
            selected: difference.selected,
            rows: difference
                .rows
                .iter()
                .map(|change| ChangeDocument {
                    name: &change.name,
                    old: change.old.as_deref(),
                    new: change.new.as_deref(),
                    growth: (0..difference.weights.len())
                        .map(|weight| change.growth(weight))
                        .collect(),
                })
                .collect(),
        },
    };
    ViewDocument {
        kind: &view.kind,
        title: &view.title,
        unit: &view.unit,
        data,
    }
}

fn group(group: &Distribution) -> GroupDocument<'_> {
    GroupDocument {
        key: &group.key,
        count: group.count,
        sum: group.sum,
        min: group.least,
        max: group.greatest,
        average: group.average,
        rows: group
            .rows
            .iter()
            .map(|row| RowDocument {
                from: row.low,
                to: row.high,
                count: row.count,
                approximate: row.approximate,
            })
            .collect(),
    }
}

fn line(line: &Line) -> LineDocument<'_> {
    LineDocument {
        name: &line.name,
        samples: line
            .samples
            .iter()
            .map(|sample| SampleDocument {
                at_nanoseconds: u64::try_from(sample.at.as_nanos()).unwrap_or(u64::MAX),
                value: &sample.value,
            })
            .collect(),
    }
}
