//! Sessions that gave no result, and macros of the command line: what several commands share.

use ytrace_lang::compile::Compiled;
use ytrace_lang::render::render;
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
            say(&render(
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

/// The warnings of a program as they are shown; `None` where there is none. What is wrong with the library is not for those who use it.
pub fn warnings(compiled: &Compiled, color: bool) -> Option<String> {
    let own = compiled.warnings.iter().filter(|warning| {
        let file = compiled.sources.get(warning.primary.0.file);
        file.is_some_and(|file| !file.library)
    });
    let own: Vec<_> = own.cloned().collect();
    (!own.is_empty()).then(|| render(&own, &compiled.sources, &compiled.expansions, color))
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
