//! The result of an earlier run, from a file that may hold anything.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;

use super::{Rows, cell_of, distributions, known, last_values, regions, units};
use crate::json::{SCHEMA, VERSION};
use crate::markup::line;
use crate::model::{Cell, Compared, Heapmap, Region, Unit};

/// The most bytes of a file that is read.
pub const MAX_BYTES: u64 = 128 << 20;

/// Why two results cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DifferenceError {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file has more than [`MAX_BYTES`].
    #[error("{file}: results of more than {} MB are not compared", MAX_BYTES >> 20)]
    TooLarge {
        /// The file.
        file: String,
    },
    /// The file ends in the middle of the document.
    #[error("{file}: the document is cut short at line {line}")]
    CutShort {
        /// The file.
        file: String,
        /// The last line.
        line: usize,
    },
    /// The file holds no JSON.
    #[error("{file}: this is not JSON: {error}")]
    NotJson {
        /// The file.
        file: String,
        /// What the reader says.
        error: serde_json::Error,
    },
    /// The file holds another kind of JSON.
    #[error("{file}: this is no result of `ytrace run -o FILE.json`: {why}")]
    NotAResult {
        /// The file.
        file: String,
        /// What is missing or wrong.
        why: String,
    },
    /// Another version of ytrace wrote it.
    #[error("{file}: its schema has version {found}, this ytrace reads {VERSION}")]
    Version {
        /// The file.
        file: String,
        /// Its version.
        found: u64,
    },
    /// Another probe left it.
    #[error("{file}: this is a result of {found}, not of {wanted}")]
    OtherProbe {
        /// The file.
        file: String,
        /// The probe that left it.
        found: String,
        /// The probe that runs.
        wanted: String,
    },
    /// No view is in both.
    #[error("{file}: it has none of the views {wanted}; its views are: {found}")]
    OtherViews {
        /// The file.
        file: String,
        /// Its views.
        found: String,
        /// Those of the other result.
        wanted: String,
    },
}

/// The result of an earlier run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Earlier {
    /// The name of the file.
    pub(super) file: String,
    pub(super) probe: Option<String>,
    /// The first line of its header.
    pub(super) header: String,
    pub(super) complete: bool,
    pub(super) views: Vec<Rows>,
}

#[derive(Deserialize)]
struct Head {
    schema: String,
    version: u64,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    probe: Option<String>,
    #[serde(default)]
    header: Vec<String>,
    views: Vec<ViewDocument>,
    footer: FooterDocument,
}

#[derive(Deserialize)]
struct FooterDocument {
    complete: bool,
}

#[derive(Deserialize)]
struct ViewDocument {
    kind: String,
    title: String,
    unit: String,
    form: String,
    #[serde(default)]
    weights: Vec<String>,
    #[serde(default)]
    selected: usize,
    #[serde(default)]
    rows: Vec<RowDocument>,
    #[serde(default)]
    columns: Vec<ColumnDocument>,
    #[serde(default)]
    groups: Vec<GroupDocument>,
    #[serde(default)]
    lines: Vec<LineDocument>,
    #[serde(default)]
    regions: Vec<RegionDocument>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RowDocument {
    Path { path: Vec<String>, values: Vec<i64> },
    Key { key: Vec<String>, values: Vec<i64> },
    Cells(Vec<Value>),
}

#[derive(Deserialize)]
struct ColumnDocument {
    name: String,
    unit: String,
}

#[derive(Deserialize)]
struct GroupDocument {
    key: Vec<String>,
    count: u64,
    sum: i128,
}

#[derive(Deserialize)]
struct LineDocument {
    name: String,
    samples: Vec<SampleDocument>,
}

#[derive(Deserialize)]
struct SampleDocument {
    value: Value,
}

#[derive(Deserialize)]
struct RegionDocument {
    start: String,
    length: u64,
    state: String,
    owner: Option<String>,
}

impl Earlier {
    /// Reads a file that `ytrace run -o FILE.json` left.
    ///
    /// # Errors
    /// It cannot be read, is too large, or holds no result that this version understands.
    pub fn read(path: &Path) -> Result<Self, DifferenceError> {
        let failed = |error| DifferenceError::Read {
            path: path.to_owned(),
            error,
        };
        let name = line(&path.display().to_string());
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        let mut bytes = Vec::new();
        // A pipe, or a file that grows, has no size to ask for.
        let mut part = file.take(MAX_BYTES + 1);
        part.read_to_end(&mut bytes).map_err(failed)?;
        Self::parse(&name, &bytes)
    }

    /// The same from bytes; `file` is what errors call them.
    ///
    /// # Errors
    /// They are too many, or hold no result that this version understands.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, DifferenceError> {
        let file = file.to_owned();
        if bytes.len() as u64 > MAX_BYTES {
            return Err(DifferenceError::TooLarge { file });
        }
        let failed = |error: serde_json::Error| {
            let file = file.clone();
            match error.classify() {
                Category::Eof if !bytes.is_empty() => DifferenceError::CutShort {
                    file,
                    line: error.line(),
                },
                Category::Data => DifferenceError::NotAResult {
                    file,
                    why: line(&error.to_string()),
                },
                _ => DifferenceError::NotJson { file, error },
            }
        };
        let head: Head = serde_json::from_slice(bytes).map_err(failed)?;
        if head.schema != SCHEMA {
            return Err(DifferenceError::NotAResult {
                file,
                why: format!("its schema is “{}”", line(&head.schema)),
            });
        }
        if head.version != u64::from(VERSION) {
            return Err(DifferenceError::Version {
                file,
                found: head.version,
            });
        }
        let document: Document = serde_json::from_slice(bytes).map_err(failed)?;
        let views: Result<Vec<Rows>, String> = document.views.into_iter().map(rows).collect();
        Ok(Self {
            probe: document.probe,
            header: document.header.first().cloned().unwrap_or_default(),
            complete: document.footer.complete,
            views: views.map_err(|why| DifferenceError::NotAResult {
                file: file.clone(),
                why,
            })?,
            file,
        })
    }

    /// Says whether a run of `probe` with views of these kinds and titles can be compared with this.
    ///
    /// # Errors
    /// It was left by another probe, or has none of the views.
    pub fn check(&self, probe: &str, views: &[(&str, &str)]) -> Result<(), DifferenceError> {
        if let Some(found) = &self.probe
            && !probe.is_empty()
            && found != probe
        {
            return Err(DifferenceError::OtherProbe {
                file: self.file.clone(),
                found: line(found),
                wanted: line(probe),
            });
        }
        let known = |(kind, title): &(&str, &str)| {
            let mut views = self.views.iter();
            views.any(|view| view.kind == *kind && view.title == *title)
        };
        if views.iter().any(known) {
            return Ok(());
        }
        let list = |views: &mut dyn Iterator<Item = (&str, &str)>| {
            let views = views.take(20);
            let views: Vec<String> = views
                .map(|(kind, title)| line(&format!("{kind} “{title}”")))
                .collect();
            match views.as_slice() {
                [] => "none".to_owned(),
                views => views.join(", "),
            }
        };
        let own = self.views.iter();
        let mut own = own.map(|view| (view.kind.as_str(), view.title.as_str()));
        Err(DifferenceError::OtherViews {
            file: self.file.clone(),
            found: list(&mut own),
            wanted: list(&mut views.iter().copied()),
        })
    }
}

/// The regions of a heapmap, or what is wrong with one.
fn heapmap(documents: Vec<RegionDocument>) -> Result<Heapmap, String> {
    let mut map = Heapmap::default();
    let mut states = HashMap::new();
    let mut owners = HashMap::new();
    let index = |known: &mut HashMap<String, u32>, names: &mut Vec<String>, name: String| {
        let next = u32::try_from(names.len()).unwrap_or(u32::MAX);
        *known.entry(name).or_insert_with_key(|name| {
            names.push(name.clone());
            next
        })
    };
    for region in documents {
        let start = region.start.strip_prefix("0x");
        let start = start.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        map.regions.push(Region {
            start: start.ok_or_else(|| format!("“{}” is no address", line(&region.start)))?,
            length: region.length,
            state: index(&mut states, &mut map.states, region.state),
            owner: match region.owner {
                Some(owner) => index(&mut owners, &mut map.owners, owner),
                None => 0,
            },
        });
    }
    Ok(map)
}

/// The rows of a view, or what is wrong with it.
fn rows(view: ViewDocument) -> Result<Rows, String> {
    let weighed = |rows: Vec<RowDocument>, of: Compared| {
        let rows = rows.into_iter().map(|row| match (row, of) {
            (RowDocument::Path { path, values }, Compared::Paths) => Ok((path, values)),
            (RowDocument::Key { key, values }, Compared::Keys) => Ok((key, values)),
            _ => Err("a row has another form than its view".to_owned()),
        });
        let rows = rows.collect::<Result<Vec<_>, String>>()?;
        Ok::<_, String>(known(&rows))
    };
    let mut columns: Vec<(String, Unit)> = Vec::new();
    let mut cells: Vec<Vec<Cell>> = Vec::new();
    let (of, weights, selected, rows) = match view.form.as_str() {
        "paths" | "keys" => {
            let of = match view.form.as_str() {
                "paths" => Compared::Paths,
                _ => Compared::Keys,
            };
            (of, view.weights, view.selected, weighed(view.rows, of)?)
        }
        "table" => {
            let rows = view.rows.into_iter().map(|row| match row {
                RowDocument::Cells(cells) => Ok(cells.iter().map(cell_of).collect()),
                _ => Err("a row of a table is no list".to_owned()),
            });
            cells = rows.collect::<Result<_, String>>()?;
            columns.extend(view.columns.into_iter().map(|column| {
                let unit = match column.unit.as_str() {
                    "bytes" => Unit::Bytes,
                    "ns" => Unit::Nanoseconds,
                    "id" => Unit::Identity,
                    _ => Unit::Count,
                };
                (column.name, unit)
            }));
            (Compared::Rows, Vec::new(), 0, Vec::new())
        }
        "histogram" => {
            let groups = view.groups.into_iter();
            let groups = groups.map(|group| (group.key, group.count, group.sum));
            distributions(groups, &view.unit)
        }
        "series" => {
            let lines = view.lines.into_iter().map(|line| {
                let last = line.samples.last().map(|last| last.value.as_f64());
                (line.name, last)
            });
            last_values(lines, &view.unit)
        }
        "heapmap" => regions(&heapmap(view.regions)?),
        other => return Err(format!("a view has the unknown form “{}”", line(other))),
    };
    Ok(Rows {
        kind: view.kind,
        title: view.title,
        unit: view.unit,
        of,
        units: units(&weights),
        weights,
        selected,
        rows,
        columns,
        cells,
    })
}
