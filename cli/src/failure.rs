//! How commands end: exit statuses, and failures with hints.

use std::process::ExitCode;

use crate::terminal::{Terminal, safe, say};

/// The exit status of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All went well.
    Success,
    /// The probe failed: it does not compile, it called `_error`, or a handler faulted.
    Probe,
    /// Wrong usage, or the environment does not allow it.
    Usage,
    /// There is a result, but not a whole one.
    Partial,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        ExitCode::from(match status {
            Status::Success => 0,
            Status::Probe => 1,
            Status::Usage => 2,
            Status::Partial => 3,
        })
    }
}

/// What went wrong and what to do about it.
#[derive(Debug)]
pub struct Failure {
    status: Status,
    message: String,
    hints: Vec<String>,
}

impl Failure {
    /// Wrong usage, or an environment that does not allow it.
    pub fn usage(message: impl std::fmt::Display) -> Self {
        Self {
            status: Status::Usage,
            message: message.to_string(),
            hints: Vec::new(),
        }
    }

    /// A probe that failed.
    pub fn probe(message: impl std::fmt::Display) -> Self {
        Self {
            status: Status::Probe,
            ..Self::usage(message)
        }
    }

    /// The same with what to do.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same with more hints.
    pub fn with_hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }

    /// The exit status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Shows it on standard error.
    pub fn print(&self, terminal: &Terminal) {
        let (red, bold, reset) = terminal.error_colors("\x1b[1;31m", "\x1b[1;36m");
        // Names of the target's files and processes occur in messages.
        let mut text = format!("{red}error{reset}: {}\n", safe(&self.message));
        for hint in &self.hints {
            text.push_str(&format!("{bold}hint{reset}: {}\n", safe(hint)));
        }
        say(&text);
    }
}
