//! Files: which format, and how they are written.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::model::{Report, ViewData};
use crate::svg::Place;
use crate::{chart, folded, html, json, pprof, speedscope, svg, text};

/// A format of a file, chosen by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// `.svg`: an interactive flame graph, or charts of all views where none is one.
    Svg,
    /// `.html`: all views with their numbers, in one file that needs no other.
    Html,
    /// `.folded`: folded stacks.
    Folded,
    /// `.pb.gz`: a profile for pprof.
    Pprof,
    /// `.speedscope.json`: for speedscope.
    Speedscope,
    /// `.json`: everything, for programs.
    Json,
    /// `.txt`: what the terminal would show, without colour, and with all rows.
    Text,
}

/// Why a result could not be put out.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The ending of the file names no format.
    #[error("{path}: no format has this ending; known are {}", Output::ENDINGS.join(", "))]
    UnknownEnding {
        /// The file.
        path: PathBuf,
    },
    /// The format shows paths, and no view holds any.
    #[error(
        "no view is a flame graph, which {ending} shows; the views are: {views}; .svg, .html, .json and .txt show them all"
    )]
    NoFlamegraph {
        /// The ending of the format.
        ending: &'static str,
        /// The kinds of the views there are.
        views: String,
    },
    /// The format is of pictures, and there is nothing to be drawn.
    #[error(
        "the probe has no view, and {ending} shows nothing else; what it prints goes to standard output, .txt and .json hold the rest"
    )]
    NoView {
        /// The ending of the format.
        ending: &'static str,
    },
    /// The file could not be written.
    #[error("{path}: {error}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The picture could not be drawn.
    #[error("the picture could not be drawn: {0}")]
    Draw(std::io::Error),
    /// The profile could not be compressed.
    #[error("the profile could not be compressed: {0}")]
    Compress(std::io::Error),
    /// The document could not be written.
    #[error("the result could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl OutputError {
    /// A format shows a flame graph, and the kinds of the views are these.
    pub fn no_flamegraph(output: Output, kinds: &[&str]) -> Self {
        OutputError::NoFlamegraph {
            ending: output.ending(),
            views: match kinds {
                [] => "none".to_owned(),
                kinds => kinds.join(", "),
            },
        }
    }
}

impl Output {
    /// The endings that are known.
    pub const ENDINGS: [&'static str; 7] = [
        ".svg",
        ".html",
        ".folded",
        ".json",
        ".txt",
        ".pb.gz",
        ".speedscope.json",
    ];

    /// All formats; one whose ending ends with that of another stands before it.
    const ALL: [Output; 7] = [
        Output::Svg,
        Output::Html,
        Output::Folded,
        Output::Speedscope,
        Output::Json,
        Output::Text,
        Output::Pprof,
    ];

    /// The format that the ending of a file names, whatever its case.
    pub fn from_path(path: &Path) -> Result<Self, OutputError> {
        let name = path.file_name().unwrap_or_default();
        let name = name.to_string_lossy().to_ascii_lowercase();
        let mut all = Output::ALL.into_iter();
        // A file that is called `.svg` has no ending.
        let found = all
            .find(|output| name.len() > output.ending().len() && name.ends_with(output.ending()));
        found.ok_or_else(|| OutputError::UnknownEnding {
            path: path.to_owned(),
        })
    }

    /// Whether the format shows a flame graph and nothing else.
    pub fn wants_flamegraph(self) -> bool {
        matches!(self, Output::Folded | Output::Pprof | Output::Speedscope)
    }

    /// Whether the format shows views and nothing else.
    pub fn wants_view(self) -> bool {
        self == Output::Svg
    }

    /// The ending of the format.
    pub fn ending(self) -> &'static str {
        match self {
            Output::Svg => ".svg",
            Output::Html => ".html",
            Output::Folded => ".folded",
            Output::Pprof => ".pb.gz",
            Output::Speedscope => ".speedscope.json",
            Output::Json => ".json",
            Output::Text => ".txt",
        }
    }
}

/// What a file in this format leaves out of a report: a sentence, where it is anything.
pub fn left_out(report: &Report, output: Output) -> Option<String> {
    let every_graph = match output {
        Output::Svg | Output::Folded | Output::Pprof => false,
        Output::Speedscope => true,
        Output::Html | Output::Json | Output::Text => return None,
    };
    let mut views = report.shown().iter();
    let shown = views.find(|view| view.data.has_paths())?;
    let others: Vec<String> = report
        .shown()
        .iter()
        .filter(|view| !(std::ptr::eq(*view, shown) || every_graph && view.data.has_paths()))
        .map(|view| format!("{} “{}”", view.kind, view.title))
        .collect();
    let held = match every_graph {
        true => "the flame graphs".to_owned(),
        false => format!("the flame graph “{}”", shown.title),
    };
    let mut lacks = Vec::new();
    if !others.is_empty() {
        lacks.push(format!(
            "{} holds {held} alone, without {}; .html, .json and .txt show them all",
            output.ending(),
            others.join(", ")
        ));
    }
    if let (Output::Folded | Output::Pprof, ViewData::Difference(difference)) =
        (output, &shown.data)
    {
        lacks.extend(difference.unknown_paths());
    }
    (!lacks.is_empty()).then(|| lacks.join("; "))
}

/// The bytes of a report in a format. Folded stacks, profiles, and SVG where there is one, hold the first flame graph; what speedscope
/// reads holds them all.
pub fn render(report: &Report, output: Output) -> Result<Vec<u8>, OutputError> {
    let view = report.shown().iter().find(|view| view.data.has_paths());
    let no_flamegraph = || {
        let views = report.shown().iter();
        let kinds: Vec<&str> = views.map(|view| view.kind.as_str()).collect();
        OutputError::no_flamegraph(output, &kinds)
    };
    match output {
        Output::Svg => match view.map(|view| (view, &view.data)) {
            Some((view, ViewData::Flamegraph(graph))) => {
                svg::render(report, view, graph, Place::File)
            }
            Some((view, ViewData::Difference(difference))) => {
                svg::difference(report, view, difference, Place::File)
            }
            _ => chart::document(report),
        }
        .map_err(OutputError::Draw),
        Output::Folded => match view.map(|view| &view.data) {
            Some(ViewData::Flamegraph(graph)) => {
                Ok(folded::render(graph, &report.footer).into_bytes())
            }
            Some(ViewData::Difference(difference)) => {
                Ok(folded::difference(difference).into_bytes())
            }
            _ => Err(no_flamegraph()),
        },
        Output::Pprof => match view.map(|view| &view.data) {
            Some(ViewData::Flamegraph(graph)) => pprof::render(graph, &report.footer),
            Some(ViewData::Difference(difference)) => pprof::difference(difference, &report.footer),
            _ => return Err(no_flamegraph()),
        }
        .map_err(OutputError::Compress),
        Output::Speedscope => match view {
            Some(_) => Ok(speedscope::render(report)?),
            None => Err(no_flamegraph()),
        },
        Output::Html => html::render(report),
        Output::Json => Ok(json::render(report)?),
        Output::Text => {
            let options = text::Options {
                rows: text::ALL_ROWS,
                ..text::Options::default()
            };
            Ok(text::render(report, options))
        }
    }
}

/// Writes a file that only its owner can read, whole or not at all.
///
/// The bytes go to a temporary file beside it, which then takes its name. Something that exists
/// and is no regular file (a pipe, a device) is written to instead.
pub fn write_output(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let failed = |error| OutputError::Write {
        path: path.to_owned(),
        error,
    };
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        Ok(metadata) if !metadata.is_file() => {
            let mut file = OpenOptions::new().write(true).open(path).map_err(failed)?;
            return file.write_all(bytes).map_err(failed);
        }
        _ => {}
    }
    // Temporary files are made with mode 0600, which the name that they take keeps.
    let mut file = temporary_beside(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Says early whether [`write_output`] could write a file. Its directory holds a temporary file for a moment; something
/// that is no regular file is not tried, for it may take notice.
///
/// # Errors
/// It is a directory, or its directory does not exist or takes no new file.
pub fn check_output(path: &Path) -> Result<(), OutputError> {
    let failed = |error| OutputError::Write {
        path: path.to_owned(),
        error,
    };
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(failed(std::io::ErrorKind::IsADirectory.into())),
        Ok(metadata) if !metadata.is_file() => Ok(()),
        _ => temporary_beside(path).map(drop).map_err(failed),
    }
}

/// A temporary file beside a file. An error does not name it: it means nothing to the user.
fn temporary_beside(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let directory = directory_of(path);
    tempfile::NamedTempFile::new_in(directory).map_err(|error| match std::fs::metadata(directory) {
        Err(missing) => missing,
        Ok(_) => error.kind().into(),
    })
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}
