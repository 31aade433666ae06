//! Profiles for `pprof`: the protobuf message of github.com/google/pprof, `proto/profile.proto`, compressed by gzip.
//!
//! Each frame is a function and a location of its own, for frames have been named already. All weights of a flame graph travel, the
//! selected one as the default; of a difference, what the selected weight was, what it is now, and by how much it grew.

use std::collections::HashMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;
use ytrace_values::escape;

use crate::model::{Difference, Flamegraph, Footer, Unit};

/// The paths of a flame graph as a compressed profile.
///
/// # Errors
/// None but those of the compression, which writes to memory.
pub fn render(graph: &Flamegraph, footer: &Footer) -> std::io::Result<Vec<u8>> {
    let mut builder = Builder::new(footer);
    for weight in &graph.weights {
        builder.value(weight, Unit::of(weight));
    }
    builder.select(graph.selected);
    for (frames, values) in &graph.rows {
        let values = (0..graph.weights.len()).map(|at| values.get(at).copied().unwrap_or_default());
        builder.sample(frames, values.collect());
    }
    builder.finish()
}

/// The paths of a difference as a compressed profile. A path of which one value is not known is left out; a comment says how many
/// are.
///
/// # Errors
/// None but those of the compression, which writes to memory.
pub fn difference(difference: &Difference, footer: &Footer) -> std::io::Result<Vec<u8>> {
    let mut builder = Builder::new(footer);
    let selected = difference.selected;
    let name = difference.weights.get(selected).map_or("", String::as_str);
    let unit = difference.units.get(selected).copied().unwrap_or_default();
    for what in ["growth", "old", "new"] {
        builder.value(&format!("{what} {name}"), unit);
    }
    builder.select(0);
    for change in &difference.rows {
        if let (Some(old), Some(new)) = (change.before(selected), change.now(selected)) {
            let values = [new.saturating_sub(old), old, new];
            builder.sample(&change.name, values.map(narrow).to_vec());
        }
    }
    if let Some(lack) = difference.unknown_paths() {
        builder.comment(&lack);
    }
    builder.finish()
}

/// The nearest value that the format can hold.
fn narrow(value: i128) -> i64 {
    value.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// A profile that is being made.
struct Builder {
    profile: Profile,
    strings: HashMap<String, i64>,
    /// The location of each name; its function has the same number.
    locations: HashMap<String, u64>,
}

impl Builder {
    fn new(footer: &Footer) -> Self {
        let mut builder = Self {
            profile: Profile::default(),
            strings: HashMap::new(),
            locations: HashMap::new(),
        };
        // The format wants the empty string first.
        builder.string("");
        if !footer.partial.is_empty() {
            builder.comment(&footer.verdict());
        }
        builder
    }

    fn comment(&mut self, text: &str) {
        let number = self.string(text);
        self.profile.comment.push(number);
    }

    fn string(&mut self, text: &str) -> i64 {
        if let Some(known) = self.strings.get(text) {
            return *known;
        }
        let number = self.profile.string_table.len() as i64;
        self.profile.string_table.push(text.to_owned());
        self.strings.insert(text.to_owned(), number);
        number
    }

    fn value(&mut self, name: &str, unit: Unit) {
        let unit = match unit {
            Unit::Bytes => "bytes",
            Unit::Nanoseconds => "nanoseconds",
            Unit::Count | Unit::Identity => "count",
        };
        let (kind, unit) = (self.string(name), self.string(unit));
        self.profile.sample_type.push(ValueType { kind, unit });
    }

    fn select(&mut self, weight: usize) {
        if let Some(value) = self.profile.sample_type.get(weight) {
            self.profile.default_sample_type = value.kind;
        }
    }

    /// Adds a path, its root first, unless all its values are 0.
    fn sample(&mut self, frames: &[String], value: Vec<i64>) {
        if value.iter().all(|value| *value == 0) {
            return;
        }
        let leaf_first = frames.iter().rev();
        let location_id = leaf_first.map(|frame| self.location(frame)).collect();
        self.profile.sample.push(Sample { location_id, value });
    }

    fn location(&mut self, frame: &str) -> u64 {
        if let Some(known) = self.locations.get(frame) {
            return *known;
        }
        let id = self.locations.len() as u64 + 1;
        self.locations.insert(frame.to_owned(), id);
        let name = self.string(&escape::line(frame.as_bytes()));
        self.profile.function.push(Function {
            id,
            name,
            system_name: name,
        });
        self.profile.location.push(Location {
            id,
            line: vec![Line { function_id: id }],
        });
        id
    }

    fn finish(self) -> std::io::Result<Vec<u8>> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&self.profile.encode_to_vec())?;
        packed.finish()
    }
}

/// The fields of `perftools.profiles.Profile` that are written here.
#[derive(Clone, PartialEq, Message)]
struct Profile {
    #[prost(message, repeated, tag = "1")]
    sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    sample: Vec<Sample>,
    #[prost(message, repeated, tag = "4")]
    location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    string_table: Vec<String>,
    #[prost(int64, repeated, tag = "13")]
    comment: Vec<i64>,
    #[prost(int64, tag = "14")]
    default_sample_type: i64,
}

#[derive(Clone, PartialEq, Message)]
struct ValueType {
    #[prost(int64, tag = "1")]
    kind: i64,
    #[prost(int64, tag = "2")]
    unit: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(uint64, repeated, tag = "1")]
    location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    value: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Location {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(message, repeated, tag = "4")]
    line: Vec<Line>,
}

#[derive(Clone, PartialEq, Message)]
struct Line {
    #[prost(uint64, tag = "1")]
    function_id: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Function {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "2")]
    name: i64,
    #[prost(int64, tag = "3")]
    system_name: i64,
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;
    use crate::model::Change;

    fn decoded(bytes: &[u8]) -> Profile {
        let mut message = Vec::new();
        GzDecoder::new(bytes).read_to_end(&mut message).unwrap();
        Profile::decode(&message[..]).unwrap()
    }

    /// Each sample as `root;leaf values`, and the types of the values.
    fn said(profile: &Profile) -> Vec<String> {
        let text = |number: i64| profile.string_table[number as usize].as_str();
        let types = profile.sample_type.iter();
        let types: Vec<String> = types
            .map(|value| format!("{}/{}", text(value.kind), text(value.unit)))
            .collect();
        let mut lines = vec![format!(
            "{}, {} first",
            types.join(" "),
            text(profile.default_sample_type)
        )];
        for sample in &profile.sample {
            let frames = sample.location_id.iter().rev().map(|id| {
                let at = profile.location.iter().find(|location| location.id == *id);
                let function = at.unwrap().line[0].function_id;
                let found = profile.function.iter().find(|known| known.id == function);
                text(found.unwrap().name)
            });
            let frames: Vec<&str> = frames.collect();
            lines.push(format!("{} {:?}", frames.join(";"), sample.value));
        }
        lines
    }

    #[test]
    fn all_weights_of_all_paths() {
        let graph = Flamegraph {
            weights: vec!["bytes".into(), "blocks".into()],
            selected: 1,
            rows: vec![
                (vec!["main".into(), "f\n".into()], vec![10, 2]),
                (vec!["main".into()], vec![0, 0]),
                (
                    vec!["main".into(), "f\n".into(), "main".into()],
                    vec![-3, 1],
                ),
                (vec![], vec![7]),
            ],
        };
        let profile = decoded(&render(&graph, &Footer::default()).unwrap());
        let lines = said(&profile);
        assert_eq!(
            lines,
            [
                "bytes/bytes blocks/count, blocks first",
                "main;f\\n [10, 2]",
                "main;f\\n;main [-3, 1]",
                " [7, 0]",
            ]
        );
        assert_eq!(profile.string_table[0], "");
        assert_eq!(profile.function.len(), 2);
        assert!(profile.comment.is_empty());
        let footer = Footer {
            partial: vec!["the target exited".into()],
            ..Footer::default()
        };
        let profile = decoded(&render(&graph, &footer).unwrap());
        let comment = &profile.string_table[profile.comment[0] as usize];
        assert_eq!(*comment, footer.verdict());
    }

    #[test]
    fn a_difference_has_what_was_and_what_is() {
        let change = |name: &str, old: Option<i64>, new: Option<i64>| Change {
            name: vec![name.to_owned()],
            old: old.map(|old| vec![Some(old)]),
            new: new.map(|new| vec![Some(new)]),
        };
        let found = Difference {
            of: crate::model::Compared::Paths,
            weights: vec!["bytes".into()],
            units: vec![Unit::Bytes],
            selected: 0,
            rows: vec![
                change("grown", Some(1), Some(5)),
                change("gone", Some(2), None),
                change("new", None, Some(i64::MAX)),
            ],
        };
        let lines = said(&decoded(&difference(&found, &Footer::default()).unwrap()));
        assert_eq!(
            lines,
            [
                "growth bytes/bytes old bytes/bytes new bytes/bytes, growth bytes first".to_owned(),
                "grown [4, 1, 5]".to_owned(),
                "gone [-2, 2, 0]".to_owned(),
                format!("new [{0}, 0, {0}]", i64::MAX),
            ]
        );
    }

    #[test]
    fn paths_that_are_left_out_are_counted() {
        let mut found = Difference {
            of: crate::model::Compared::Paths,
            weights: vec!["bytes".into()],
            units: vec![Unit::Bytes],
            selected: 0,
            rows: vec![Change {
                name: vec!["known".into()],
                old: Some(vec![Some(1)]),
                new: Some(vec![Some(2)]),
            }],
        };
        let comments = |found: &Difference| {
            let profile = decoded(&difference(found, &Footer::default()).unwrap());
            let comments = profile.comment.iter();
            let text = |number: &i64| profile.string_table[*number as usize].clone();
            comments.map(text).collect::<Vec<_>>()
        };
        assert!(comments(&found).is_empty());
        found.rows.push(Change {
            name: vec!["other".into()],
            old: Some(vec![None]),
            new: Some(vec![Some(2)]),
        });
        assert_eq!(
            comments(&found),
            ["1 path is left out: its value in one of the two runs is not known"]
        );
    }
}
