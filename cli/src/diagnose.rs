//! Sessions that gave no result, and macros of the command line: what several commands share.

use ytrace_runtime::SessionError;
use ytrace_runtime::library::ProbeFileError;
use ytrace_runtime::packages::PackageError;

use crate::failure::Failure;
use crate::terminal::{Terminal, say};

/// A session that gave no result for a reason that is not in the probe's text.
pub fn failure(error: SessionError) -> Failure {
    let hints = error.hints();
    Failure::usage(&error).with_hints(hints)
}

/// A session that gave no result; errors in the probe's text are shown where they stand.
pub fn session_failure(error: SessionError, terminal: &Terminal) -> Failure {
    let hints = error.hints();
    match &error {
        SessionError::Source { errors, .. } => {
            say(&ytrace_lang::render::render(
                &errors.diagnostics,
                &errors.sources,
                &errors.expansions,
                terminal.error_color,
            ));
            Failure::probe(&error).with_hints(hints)
        }
        SessionError::NoProbe | SessionError::Compile(_) => {
            Failure::probe(&error).with_hints(hints)
        }
        _ => failure(error),
    }
}

/// A probe file that cannot be had.
pub fn probe_file(error: ProbeFileError) -> Failure {
    let hint = error.hint();
    Failure::usage(error).with_hints(hint)
}

/// A package that cannot be used.
pub fn package(error: PackageError) -> Failure {
    Failure::usage(&error).with_hints(error.hint)
}

/// The macros that `-D NAME[=VALUE]` defines.
pub fn defines(words: &[String]) -> Vec<(String, String)> {
    words
        .iter()
        .map(|define| match define.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (define.clone(), "1".to_owned()),
        })
        .collect()
}
