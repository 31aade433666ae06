//! What is reported: plain data, with no knowledge of where it came from.

use std::time::Duration;

use serde::Serialize;
use ytrace_values::{HistogramRow, Value, units};

/// Everything that a session found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The name of the probe that ran, without folders; a later run is compared with one of the same probe.
    pub probe: String,
    /// What the process is.
    pub header: Vec<String>,
    /// What the probe printed, byte for byte; it stands below the header.
    pub text: Vec<u8>,
    /// The views in order of declaration.
    pub views: Vec<View>,
    /// What changed in them since an earlier run, where one was given.
    pub differences: Vec<View>,
    /// Cross-checks.
    pub checks: Vec<Check>,
    /// Warnings of the probe and of the session.
    pub warnings: Vec<String>,
    /// How far the result can be trusted, and what it cost.
    pub footer: Footer,
    /// Commands that these numbers suggest.
    pub next: Vec<String>,
}

impl Report {
    /// What was asked for: what changed where an earlier run was given, else the views.
    pub fn shown(&self) -> &[View] {
        match self.differences.as_slice() {
            [] => &self.views,
            differences => differences,
        }
    }

    /// The lines above the views: the header, and what was printed as text.
    pub fn lines(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.text);
        let printed = text.lines().map(str::to_owned);
        self.header.iter().cloned().chain(printed).collect()
    }

    /// Takes the printed lines that begin with `next:` over into [`Report::next`].
    ///
    /// A probe prints such a line like any other; it belongs at the end.
    pub fn move_next_lines(&mut self) {
        let text = std::mem::take(&mut self.text);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let Some(command) = line.strip_prefix(b"next:") else {
                self.text.extend_from_slice(line);
                continue;
            };
            let command = String::from_utf8_lossy(command).trim().to_owned();
            if !command.is_empty() && !self.next.contains(&command) {
                self.next.push(command);
            }
        }
    }
}

/// A cross-check: two numbers that should be equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// What is compared.
    pub name: String,
    /// What ytrace found.
    pub left: i64,
    /// What the target says of itself.
    pub right: i64,
    /// How far the two may be apart.
    pub tolerance: u64,
}

impl Check {
    /// Whether both are alike, as far as they must be.
    pub fn holds(&self) -> bool {
        self.left.abs_diff(self.right) <= self.tolerance
    }
}

/// How far a result can be trusted, and what it cost the target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Footer {
    /// How long the target was stopped in all; `None` if it never was.
    pub pause: Option<Duration>,
    /// How many pauses that was.
    pub pauses: u64,
    /// Threads were stopped one at a time, of which the notes tell; the target as a whole was stopped for as long as the pauses say.
    pub one_by_one: bool,
    /// The mode by its name: `live`, `copy`, `stop`, …
    pub mode: String,
    /// The core file that was read instead of a process, in words: `core file core.4211 of 4211`.
    pub core: Option<String>,
    /// Threads that were stopped.
    pub threads: usize,
    /// System calls that a stop interrupted and that were made to start again.
    pub restarted_calls: u64,
    /// Bytes read from the target.
    pub bytes_read: u64,
    /// Uncaught faults.
    pub faults: Vec<Fault>,
    /// Faults that the probe caught: what it left out for them.
    pub caught: u64,
    /// Pages on swap that were not read.
    pub swapped: u64,
    /// Pages that could be had only by charging them to the target, and were left out.
    pub not_resident: u64,
    /// Pages that were not in the copy and were read from the running target.
    pub missed: u64,
    /// Whether it was made of earlier results, without a target: then nothing was stopped or read.
    pub offline: bool,
    /// Pages that were wanted and are not in the core file.
    pub not_dumped: u64,
    /// What came of probes on events, if there were any.
    pub hits: Option<Hits>,
    /// Why the result is partial; empty if it is complete.
    pub partial: Vec<String>,
    /// Further facts, each a short clause.
    pub notes: Vec<String>,
}

/// What came of the probes on events of a session, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hits {
    /// Instructions that were probed.
    pub places: u64,
    /// Hits, of which all that follow are a part, but for `unpaired` and `table_full`; of `--sync` runs of handlers.
    pub hits: u64,
    /// Hits that the probes' first conditions dropped.
    pub dropped: u64,
    /// Hits outside of the sample.
    pub unsampled: u64,
    /// Hits whose records found no room, for they came faster than they could be handled.
    pub lost: u64,
    /// Hits at returns that the kernel did not see, for too many calls were under way in their thread.
    pub too_deep: u64,
    /// Hits at returns that were seen, but what was noted at the entry had been pushed out: too many calls were under way in all threads.
    pub evicted: u64,
    /// Returns that are no hits: their calls had begun before the probes were there. On kernels without sessions of probes these are not told from
    /// those whose notes were pushed out.
    pub unpaired: u64,
    /// Updates for which a table of the kernel's had no room.
    pub table_full: u64,
}

impl Footer {
    /// How many faults there were.
    pub fn fault_count(&self) -> u64 {
        self.faults
            .iter()
            .fold(0, |sum, fault| sum.saturating_add(fault.count))
    }

    /// The clauses of the footer's line, without whether the result is complete.
    pub fn facts(&self) -> Vec<String> {
        if self.offline {
            return self.notes.clone();
        }
        let mut facts = Vec::new();
        let mode = match self.mode.is_empty() {
            true => String::new(),
            false => format!(" ({})", self.mode),
        };
        let pause = self.pause.unwrap_or_default();
        let mut stopped = match (pause.as_nanos(), &self.core) {
            (0, Some(core)) => format!("{core}, no pause"),
            (0, None) if self.one_by_one => {
                format!("stopped thread by thread, never all of it at once{mode}")
            }
            (0, None) => format!("stopped 0 ms{mode}"),
            (pause, _) if self.one_by_one => format!(
                "stopped thread by thread, all of it {}{mode}",
                units::duration(pause as i128)
            ),
            (pause, _) => format!("stopped {}{mode}", units::duration(pause as i128)),
        };
        if self.pauses > 1 {
            stopped.push_str(&format!(" in {} pauses", units::thousands(self.pauses)));
        }
        facts.push(stopped);
        facts.push(format!("{} read", units::bytes(self.bytes_read)));
        facts.push(format!("faults {}", units::thousands(self.fault_count())));
        for (count, what) in [
            (self.caught, "caught"),
            (self.swapped, "pages on swap not read"),
            (self.not_resident, "pages not resident, not read"),
            (self.missed, "pages read live"),
            (self.not_dumped, "pages not in the core file"),
            (
                self.restarted_calls,
                match self.restarted_calls {
                    1 => "system call restarted",
                    _ => "system calls restarted",
                },
            ),
        ] {
            if count > 0 {
                facts.push(format!("{} {what}", units::thousands(count)));
            }
        }
        facts.extend(self.notes.iter().cloned());
        facts
    }

    /// `complete`, or `PARTIAL: reason; reason`.
    pub fn verdict(&self) -> String {
        match self.partial.as_slice() {
            [] => "complete".to_owned(),
            reasons => format!("PARTIAL: {}", reasons.join("; ")),
        }
    }
}

/// A fault that ended runs of a handler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// What happened.
    pub message: String,
    /// File, line and column.
    pub location: String,
    /// The calls that were active, innermost first.
    pub chain: Vec<String>,
    /// How often.
    pub count: u64,
}

/// One view of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The kind as the probe named it: `flamegraph`, `pie`, `bars`, `table`, …
    pub kind: String,
    /// The title.
    pub title: String,
    /// What the numbers count, in the probe's words: `bytes`, `ns`, `requests`.
    pub unit: String,
    /// The numbers.
    pub data: ViewData,
}

/// The data of a view, by its form rather than by the kind that shows it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ViewData {
    /// Paths with their own values.
    Flamegraph(Flamegraph),
    /// Keys with values.
    Bars(Bars),
    /// Rows under headings.
    Table(Table),
    /// Distributions.
    Histogram(Histogram),
    /// Numbers over time.
    Series(Series),
    /// What lies where in the address space.
    Heapmap(Heapmap),
    /// What changed since an earlier run.
    Difference(Difference),
}

impl ViewData {
    /// Whether it is drawn as a flame graph.
    pub fn has_paths(&self) -> bool {
        match self {
            ViewData::Flamegraph(_) => true,
            ViewData::Difference(difference) => difference.of == Compared::Paths,
            _ => false,
        }
    }
}

/// What changed between two runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What the rows are.
    pub of: Compared,
    /// Names of the values.
    pub weights: Vec<String>,
    /// What each of them is.
    pub units: Vec<Unit>,
    /// Which of them decides.
    pub selected: usize,
    /// The rows of both runs, in order of growth.
    pub rows: Vec<Change>,
}

/// What the rows of a difference are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compared {
    /// Paths, root first.
    Paths,
    /// Keys.
    #[default]
    Keys,
    /// Rows of a table, named by their text.
    Rows,
}

impl Difference {
    /// How many paths files cannot hold that need both values of the selected weight, as a sentence; `None` where there is none.
    pub(crate) fn unknown_paths(&self) -> Option<String> {
        let rows = self.rows.iter();
        let unknown = rows
            .filter(|change| change.growth(self.selected).is_none())
            .count();
        match unknown {
            0 => None,
            1 => {
                Some("1 path is left out: its value in one of the two runs is not known".to_owned())
            }
            count => Some(format!(
                "{count} paths are left out: their values in one of the two runs are not known"
            )),
        }
    }
}

/// One row of two runs: one value a weight in each, `None` for a value that is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The frames of a path, or the parts of a key.
    pub name: Vec<String>,
    /// The values in the earlier run; `None` if it had no such row.
    pub old: Option<Vec<Option<i64>>>,
    /// The values in the later run; `None` if it has no such row.
    pub new: Option<Vec<Option<i64>>>,
}

impl Change {
    /// A value of the earlier run: 0 where it had no such row, `None` where it is not known.
    pub fn before(&self, weight: usize) -> Option<i128> {
        value(self.old.as_deref(), weight)
    }

    /// A value of the later run: 0 where it has no such row, `None` where it is not known.
    pub fn now(&self, weight: usize) -> Option<i128> {
        value(self.new.as_deref(), weight)
    }

    /// How much a value grew; `None` where one of the two is not known.
    pub fn growth(&self, weight: usize) -> Option<i128> {
        Some(self.now(weight)? - self.before(weight)?)
    }
}

fn value(row: Option<&[Option<i64>]>, weight: usize) -> Option<i128> {
    match row {
        None => Some(0),
        Some(values) => values.get(weight).copied().flatten().map(i128::from),
    }
}

/// Distributions of numbers, one a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// The distributions in order of their keys' insertion.
    pub groups: Vec<Distribution>,
}

/// One distribution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// The parts of its key; empty where there is one distribution without a key.
    pub key: Vec<String>,
    /// How many values there are.
    pub count: u64,
    /// Their sum.
    pub sum: i128,
    /// The least value.
    pub least: i64,
    /// The greatest value.
    pub greatest: i64,
    /// The average.
    pub average: f64,
    /// The rows in ascending order.
    pub rows: Vec<HistogramRow>,
}

/// Numbers over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// One line a key, in order of first appearance.
    pub lines: Vec<Line>,
}

/// A number over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// The key; empty for a number without one.
    pub name: String,
    /// The samples, oldest first.
    pub samples: Vec<Sample>,
}

/// A number at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Time since the session began.
    pub at: Duration,
    /// The number: an integer or a float.
    pub value: Cell,
}

/// What lies where in the address space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heapmap {
    /// The states that regions refer to: `in use`, `free`, or any other category.
    pub states: Vec<String>,
    /// The owners that regions refer to; empty where regions have none.
    pub owners: Vec<String>,
    /// The regions in any order; where two overlap, the one that begins first counts.
    pub regions: Vec<Region>,
}

/// A part of the address space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// The address.
    pub start: u64,
    /// The length in bytes.
    pub length: u64,
    /// Which of [`Heapmap::states`] it is in.
    pub state: u32,
    /// Which of [`Heapmap::owners`] it belongs to.
    pub owner: u32,
}

impl Heapmap {
    /// The state of a region; empty where it refers to none.
    pub fn state(&self, region: &Region) -> &str {
        name(&self.states, region.state)
    }

    /// The owner of a region; empty where it refers to none.
    pub fn owner(&self, region: &Region) -> &str {
        name(&self.owners, region.owner)
    }
}

fn name(names: &[String], index: u32) -> &str {
    names.get(index as usize).map_or("", String::as_str)
}

/// Paths with their own values; what shows them sums upwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flamegraph {
    /// Names of the values that every path carries; `bytes` and `ns` are shown in such units.
    pub weights: Vec<String>,
    /// Which of them gives the widths.
    pub selected: usize,
    /// Frames, root first, and one own value a weight.
    pub rows: Vec<(Vec<String>, Vec<i64>)>,
}

/// Keys with values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bars {
    /// Names of the values.
    pub weights: Vec<String>,
    /// Which of them gives the lengths.
    pub selected: usize,
    /// The parts of a key, and one value a weight.
    pub rows: Vec<(Vec<String>, Vec<i64>)>,
}

/// Rows under headings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The headings.
    pub columns: Vec<Column>,
    /// The rows, one cell a column.
    pub rows: Vec<Vec<Cell>>,
}

/// A heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// What it says.
    pub name: String,
    /// What its numbers are.
    pub unit: Unit,
}

/// What numbers are, for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Things: `12,345`.
    #[default]
    Count,
    /// Bytes: `1.3 GB`.
    Bytes,
    /// Nanoseconds: `4.2 ms`.
    Nanoseconds,
    /// Numbers that are names, such as process ids and addresses: `12345`.
    Identity,
}

impl Unit {
    /// What a name stands for.
    pub fn of(name: &str) -> Self {
        let name = name.trim().to_ascii_lowercase();
        // `large_bytes` are bytes.
        if name.ends_with("_bytes") {
            return Unit::Bytes;
        }
        match name.as_str() {
            "b" | "byte" | "bytes" => Unit::Bytes,
            "ns" | "nanoseconds" | "time" => Unit::Nanoseconds,
            name if name.ends_with("_bytes") => Unit::Bytes,
            name if name.ends_with("_ns") => Unit::Nanoseconds,
            name if is_identity(name) => Unit::Identity,
            _ => Unit::Count,
        }
    }

    /// A number of this unit, for people.
    pub fn show(self, number: i128) -> String {
        match self {
            Unit::Count => units::thousands(number),
            Unit::Bytes => units::bytes(number),
            Unit::Nanoseconds => units::duration(number),
            Unit::Identity => number.to_string(),
        }
    }

    /// A number with a fraction of this unit, for people.
    pub fn show_float(self, number: f64) -> String {
        match self {
            Unit::Count | Unit::Identity if number.fract() == 0.0 && number.abs() < 1e15 => {
                self.show(number as i128)
            }
            Unit::Count | Unit::Identity => format!("{number:.2}"),
            _ => self.show(number.round() as i128),
        }
    }
}

/// Whether numbers under a heading are names of things: nobody counts in them.
fn is_identity(heading: &str) -> bool {
    const WORDS: [&str; 16] = [
        "pid", "ppid", "tid", "tgid", "uid", "gid", "fd", "id", "port", "line", "inode", "errno",
        "addr", "address", "offset", "version",
    ];
    let last = heading.rsplit(['_', ' ', '-']).next().unwrap_or(heading);
    WORDS.contains(&last)
}

/// One cell of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A truth value.
    Bool(bool),
    /// A signed integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A floating-point number.
    Float(f64),
    /// Text, as it is; what shows it escapes it.
    Text(String),
}

impl Cell {
    /// The number that it holds; `None` also for one that is not known.
    pub fn number(&self) -> Option<f64> {
        match self {
            Cell::Integer(number) => Some(*number as f64),
            Cell::Unsigned(number) => Some(*number as f64),
            Cell::Float(number) => Some(*number).filter(|number| !number.is_nan()),
            Cell::Bool(truth) => Some(f64::from(u8::from(*truth))),
            Cell::Empty | Cell::Text(_) => None,
        }
    }

    /// A cell from a value of a program; `path` writes the paths that occur in it.
    pub fn from_value(value: &Value, path: &dyn Fn(u64) -> String) -> Self {
        match value {
            Value::Integer(number) => Cell::Integer(*number),
            Value::Unsigned(number) => Cell::Unsigned(*number),
            Value::Float(number) => Cell::Float(*number),
            Value::Bool(truth) => Cell::Bool(*truth),
            Value::Enum(None, number) => Cell::Integer(*number),
            Value::Opaque => Cell::Empty,
            other => Cell::Text(value_text(other, path)),
        }
    }
}

/// Any value in one line, as C would write it.
pub fn value_text(value: &Value, path: &dyn Fn(u64) -> String) -> String {
    let list = |values: &mut dyn Iterator<Item = String>| {
        format!("{{{}}}", values.collect::<Vec<_>>().join(", "))
    };
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Unsigned(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Bool(truth) => truth.to_string(),
        Value::Char(byte) => String::from_utf8_lossy(&[*byte as u8]).into_owned(),
        Value::Str(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Path(handle) => path(*handle),
        Value::Pointer(address) => format!("{address:#x}"),
        Value::Enum(Some(name), _) => name.clone(),
        Value::Enum(None, number) => number.to_string(),
        Value::Record(fields) => list(
            &mut fields
                .iter()
                .map(|(name, value)| format!("{name} = {}", value_text(value, path))),
        ),
        Value::Array(values) => list(&mut values.iter().map(|value| value_text(value, path))),
        Value::Table(rows) => list(&mut rows.iter().map(|(keys, value)| {
            let keys: Vec<_> = keys.iter().map(|key| value_text(key, path)).collect();
            format!("[{}] = {}", keys.join(", "), value_text(value, path))
        })),
        Value::Aggregate(summary) => format!(
            "{{count = {}, sum = {}, min = {}, max = {}}}",
            summary.count, summary.sum, summary.min, summary.max
        ),
        Value::Opaque => String::new(),
    }
}
