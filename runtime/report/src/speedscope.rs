//! Files for speedscope: its JSON format, version 1 of `file-format-schema.json`.
//!
//! Each weight of each flame graph is a profile, the selected one of the first shown first; of a difference, what the selected
//! weight was and what it is. Values below 0 have no width there: such paths are left out and counted in the profile's name.

use std::collections::HashMap;

use serde::Serialize;
use ytrace_values::escape;

use crate::model::{Report, Unit, ViewData};

/// What the format is known by.
const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

/// All flame graphs of a report.
///
/// # Errors
/// The document could not be written.
pub fn render(report: &Report) -> serde_json::Result<Vec<u8>> {
    let mut frames = Frames::default();
    let mut profiles = Vec::new();
    let mut active = 0;
    for view in report.shown() {
        match &view.data {
            ViewData::Flamegraph(graph) => {
                if profiles.is_empty() {
                    active = graph.selected;
                }
                for (at, weight) in graph.weights.iter().enumerate() {
                    let rows = graph.rows.iter();
                    let rows = rows
                        .map(|(frames, values)| (frames, values.get(at).copied().map(i128::from)));
                    let name = format!("{}: {weight}", view.title);
                    profiles.push(profile(name, Unit::of(weight), rows, &mut frames));
                }
            }
            ViewData::Difference(difference) if view.data.has_paths() => {
                let selected = difference.selected;
                let unit = difference.units.get(selected).copied().unwrap_or_default();
                let weight = difference.weights.get(selected).map_or("", String::as_str);
                let rows = || difference.rows.iter();
                let new = rows().map(|change| (&change.name, change.now(selected)));
                let old = rows().map(|change| (&change.name, change.before(selected)));
                let name = |when| format!("{}: {weight}, {when}", view.title);
                profiles.push(profile(name("now"), unit, new, &mut frames));
                profiles.push(profile(name("before"), unit, old, &mut frames));
            }
            _ => {}
        }
    }
    let name = match report.footer.partial.is_empty() {
        true => report.header.first().cloned().unwrap_or_default(),
        false => report.footer.verdict(),
    };
    serde_json::to_vec(&File {
        schema: SCHEMA,
        shared: Shared {
            frames: frames.list,
        },
        active_profile_index: active.min(profiles.len().saturating_sub(1)),
        profiles,
        name: escape::line(name.as_bytes()),
        exporter: concat!("ytrace ", env!("CARGO_PKG_VERSION")),
    })
}

fn profile<'a>(
    mut name: String,
    unit: Unit,
    rows: impl Iterator<Item = (&'a Vec<String>, Option<i128>)>,
    frames: &mut Frames<'a>,
) -> Profile {
    let mut samples = Vec::new();
    let mut weights = Vec::new();
    let mut negative = 0_u64;
    for (path, value) in rows {
        match value.unwrap_or_default() {
            0 => {}
            value if value < 0 => negative += 1,
            value => {
                samples.push(path.iter().map(|frame| frames.number(frame)).collect());
                weights.push(value);
            }
        }
    }
    if negative > 0 {
        name.push_str(&format!(" (without {negative} paths with negative values)"));
    }
    let end = weights
        .iter()
        .fold(0_i128, |sum, weight| sum.saturating_add(*weight));
    Profile {
        kind: "sampled",
        name: escape::line(name.as_bytes()),
        unit: match unit {
            Unit::Bytes => "bytes",
            Unit::Nanoseconds => "nanoseconds",
            Unit::Count | Unit::Identity => "none",
        },
        start_value: 0,
        end_value: end,
        samples,
        weights,
    }
}

/// The frames of all profiles, each once.
#[derive(Default)]
struct Frames<'a> {
    list: Vec<Frame>,
    known: HashMap<&'a str, usize>,
}

impl<'a> Frames<'a> {
    fn number(&mut self, name: &'a str) -> usize {
        *self.known.entry(name).or_insert_with(|| {
            self.list.push(Frame {
                name: escape::line(name.as_bytes()),
            });
            self.list.len() - 1
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(rename = "$schema")]
    schema: &'static str,
    shared: Shared,
    profiles: Vec<Profile>,
    name: String,
    active_profile_index: usize,
    exporter: &'static str,
}

#[derive(Serialize)]
struct Shared {
    frames: Vec<Frame>,
}

#[derive(Serialize)]
struct Frame {
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    unit: &'static str,
    start_value: i128,
    end_value: i128,
    samples: Vec<Vec<usize>>,
    weights: Vec<i128>,
}
