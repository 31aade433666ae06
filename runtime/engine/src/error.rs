//! Why a session could not be had or ended without a result.

use ytrace_lang::compile::{OptionHelp, SourceErrors};

/// A session that gives no result.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The process cannot be opened or read.
    #[error("{0}")]
    Open(#[from] ytrace_target::OpenError),
    /// Its memory cannot be read.
    #[error("{0}")]
    Read(#[from] ytrace_target::ReadError),
    /// It cannot be stopped.
    #[error("{0}")]
    Stop(#[from] ytrace_target::StopError),
    /// Its memory cannot be copied.
    #[error("{0}")]
    Copy(#[from] ytrace_target::CopyError),
    /// The program does not compile.
    #[error("the probe does not compile")]
    Source {
        /// What is wrong, with the text.
        errors: Box<SourceErrors>,
    },
    /// The words after `--` are wrong.
    #[error("{message}")]
    Arguments {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// `--help` stood after `--`.
    #[error("the options of the probe")]
    Help(Vec<OptionHelp>),
    /// No candidate of a `_layout` holds on the target.
    #[error("{}", no_layout(group, tried))]
    Layout {
        /// The group.
        group: String,
        /// Each candidate with what its check said.
        tried: Vec<(String, Misfit)>,
        /// Modules of the target without debug information, one sentence each.
        missing: Vec<String>,
        /// Runtimes that were found in the process.
        runtimes: Vec<String>,
    },
    /// The check of a `_layout` ran out of a budget, so nobody knows whether it holds.
    #[error(
        "the check whether the layout {candidate} of `{group}` fits the target was cut short: {reason}"
    )]
    LayoutBudget {
        /// The group.
        group: String,
        /// The candidate.
        candidate: String,
        /// Which budget, with its option.
        reason: &'static str,
    },
    /// Machine code could not be made.
    #[error("the probe cannot be compiled to machine code: {0}")]
    Compile(#[from] ytrace_jit::CompileError),
    /// The views cannot be shown as asked.
    #[error("{0}")]
    View(#[from] crate::views::ViewError),
    /// The result cannot be written in a format that was asked for.
    #[error("{0}")]
    Output(#[from] ytrace_report::output::OutputError),
    /// The result cannot be compared with an earlier one.
    #[error(transparent)]
    Difference(#[from] ytrace_report::DifferenceError),
    /// The rules for processes are damaged.
    #[error("{0}")]
    Rules(#[from] crate::identity::RulesError),
    /// The processors that were asked for cannot be used.
    #[error("cannot run on the processors given by --cpu: {0}")]
    Processors(ytrace_target::scheduling::ProcessorsError),
    /// Debug information or a types file that was named cannot be used.
    #[error("{0}")]
    DebugInfo(#[from] ytrace_debuginfo::Error),
    /// Types cannot be extracted.
    #[error("{0}")]
    Types(#[from] crate::types::TypesError),
    /// The core file cannot be read.
    #[error("{0}")]
    Core(#[from] ytrace_target::CoreError),
    /// What the core file is of cannot be had.
    #[error("{0}")]
    CoreNames(#[from] crate::core::CoreNamesError),
    /// The program has a probe for which the target must live.
    #[error(
        "{place}: {what} needs a process, and a core file is none: nothing happens in it any more"
    )]
    NeedsProcess {
        /// What kind of probe.
        what: &'static str,
        /// File, line and column.
        place: String,
    },
    /// A probe on an event cannot be had.
    #[error("{place}: {error}")]
    Event {
        /// File, line and column of the probe.
        place: String,
        /// Why not.
        error: crate::events::EventFailure,
    },
    /// Threads cannot be stopped at what is probed any longer.
    #[error("{0}")]
    Breakpoints(#[from] ytrace_target::breakpoints::BreakpointError),
    /// A package lacks what it needs.
    #[error(transparent)]
    Package(#[from] crate::packages::PackageError),
    /// The user ended it before there was anything to show.
    #[error("interrupted before the probe ran")]
    Interrupted,
    /// The program has nothing to run.
    #[error("the probe file declares no probe")]
    NoProbe,
}

/// Why a candidate of a `_layout` does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The library's own words, which its check raised.
    Explained(String),
    /// Anything else.
    Failed(String),
    /// Its check gave a number below 0: what the layout is of is not there, and the program can do without.
    Dispensable {
        /// Whether that is so for all candidates: a number below -1.
        all: bool,
    },
    /// Its check ended with `_error`, in these words: what the layout is of is not there, whatever its candidate.
    Absent(String),
}

impl Misfit {
    /// The text alone.
    pub fn text(&self) -> &str {
        match self {
            Misfit::Explained(text) | Misfit::Failed(text) | Misfit::Absent(text) => text,
            Misfit::Dispensable { .. } => "its check does not hold",
        }
    }
}

/// The library's explanation, if all candidates had the same one.
fn explanation(tried: &[(String, Misfit)]) -> Option<&str> {
    let (_, first) = tried.first()?;
    match first {
        Misfit::Absent(text) => Some(text),
        Misfit::Explained(text) if tried.iter().all(|(_, why)| why == first) => Some(text),
        _ => None,
    }
}

fn no_layout(group: &str, tried: &[(String, Misfit)]) -> String {
    match explanation(tried) {
        Some(text) => text.to_owned(),
        None => format!(
            "the target has no types for `{group}`, and none of the layouts that the library declares fits it"
        ),
    }
}

impl SessionError {
    /// Whether the end of the target is what went wrong. Its memory goes a little before the kernel tells of its exit.
    pub(crate) fn is_exit(&self) -> bool {
        use ytrace_target::{CopyError, OpenError, ReadError, StopError};
        let open = |error: &OpenError| {
            matches!(
                error,
                OpenError::NoSuchProcess { .. } | OpenError::Zombie { .. }
            )
        };
        match self {
            SessionError::Open(error) | SessionError::Copy(CopyError::Open(error)) => open(error),
            SessionError::Read(error) | SessionError::Copy(CopyError::Read(error)) => {
                *error == ReadError::Exited
            }
            SessionError::Stop(error) | SessionError::Copy(CopyError::Stop(error)) => {
                matches!(error, StopError::Exited { .. })
            }
            _ => false,
        }
    }

    /// What to do about it, one sentence each.
    pub fn hints(&self) -> Vec<String> {
        match self {
            SessionError::Open(error) => error.hint().into_iter().collect(),
            SessionError::Stop(error) => {
                let live = "`--mode live` reads without stopping it".to_owned();
                error.hint().into_iter().chain([live]).collect()
            }
            SessionError::Copy(error) => error.hint().into_iter().collect(),
            SessionError::Arguments { hint, .. } => hint.iter().cloned().collect(),
            SessionError::Layout {
                group,
                tried,
                missing,
                runtimes,
            } => {
                let mut hints = match (explanation(tried), tried.as_slice()) {
                    (Some(_), [(first, _), .., (last, _)]) => vec![format!(
                        "the target has no types for `{group}`; {} layouts were tried, from {first} to {last}",
                        tried.len()
                    )],
                    // Types would not help.
                    (_, [(_, Misfit::Absent(_))]) => Vec::new(),
                    (Some(_), _) => vec![format!("the target has no types for `{group}`")],
                    _ => tried_hints(tried),
                };
                if runtimes.is_empty() {
                    hints.push("no runtime that ytrace knows was found in this process; `ytrace ps` lists processes that have one".to_owned());
                } else {
                    hints.push(format!("found in this process: {}", runtimes.join(", ")));
                }
                if !missing.is_empty() && !matches!(tried.as_slice(), [(_, Misfit::Absent(_))]) {
                    hints.push(missing_hint(missing));
                }
                hints
            }
            SessionError::View(crate::views::ViewError::NoSuchWeight { known, .. }) => {
                vec![match known.as_slice() {
                    [] => "no view of this probe has columns to choose from".to_owned(),
                    known => format!("--weight takes {}", known.join(", ")),
                }]
            }
            SessionError::Processors(_) => {
                vec![
                    "`nproc --all` and `taskset -p $$` tell which there are and which may be used"
                        .to_owned(),
                ]
            }
            SessionError::Core(error) => error.hint().into_iter().collect(),
            SessionError::CoreNames(error) => error.hint().into_iter().collect(),
            SessionError::Types(error) => error.hint().into_iter().collect(),
            SessionError::NeedsProcess { .. } => vec![
                "`_oneshot`, `_begin` and `_end` run on a core file; `-p PID` takes a process"
                    .to_owned(),
            ],
            SessionError::Event { error, .. } => error.hint().into_iter().collect(),
            SessionError::Package(error) => error.hint.iter().cloned().collect(),
            SessionError::Breakpoints(error) => error.hint().into_iter().collect(),
            SessionError::NoProbe => {
                vec!["write `_probe _oneshot { … }` for a single look at the target".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

/// What was tried, candidates with the same answer together.
fn tried_hints(tried: &[(String, Misfit)]) -> Vec<String> {
    let mut by_answer: Vec<(&str, Vec<&str>)> = Vec::new();
    for (candidate, why) in tried {
        let why = why.text();
        match by_answer.iter_mut().find(|(known, _)| *known == why) {
            Some((_, candidates)) => candidates.push(candidate),
            None => by_answer.push((why, vec![candidate])),
        }
    }
    by_answer
        .iter()
        .map(|(why, candidates)| format!("tried {}: {why}", candidates.join(", ")))
        .collect()
}

/// The most modules that a hint lists.
const MAX_LISTED: usize = 6;

fn missing_hint(missing: &[String]) -> String {
    let mut text = missing
        .iter()
        .take(MAX_LISTED)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    if missing.len() > MAX_LISTED {
        text.push_str(&format!("; and {} more", missing.len() - MAX_LISTED));
    }
    let servers = match std::env::var_os("DEBUGINFOD_URLS") {
        Some(urls) if !urls.is_empty() => {
            ", or let the servers of DEBUGINFOD_URLS be asked: --debuginfod"
        }
        _ => "",
    };
    format!(
        "{text}. Install the matching debug packages, or name a file: --debug-file MODULE=FILE{servers}"
    )
}
