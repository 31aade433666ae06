//! What the terminal can do: colour and width.

use std::io::{IsTerminal, Write};

use ytrace_runtime::interrupt;

use crate::arguments::ColorChoice;
use crate::failure::Failure;

/// Writes data to standard output. A reader that has seen enough closes the pipe; that is no failure.
///
/// # Errors
/// Anything else that keeps the data from being written, such as a full disk.
pub fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// The same with bytes, which a probe may print.
///
/// # Errors
/// As [`print`].
pub fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let written = interrupt::writing(|| {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush())
    });
    written.or_else(|error| output_failure(&error).map_or(Ok(()), Err))
}

/// What an error of standard output means: nothing if the reader has closed the pipe.
pub fn output_failure(error: &std::io::Error) -> Option<Failure> {
    (error.kind() != std::io::ErrorKind::BrokenPipe)
        .then(|| Failure::usage(format!("standard output cannot be written: {error}")))
}

/// Writes a message to standard error, where nobody need be listening.
pub fn say(text: &str) {
    say_bytes(text.as_bytes());
}

/// The same with bytes, which a probe may print.
pub fn say_bytes(bytes: &[u8]) {
    // There is no other place to tell of a failure to do so; the exit status stands.
    let _ = interrupt::writing(|| std::io::stderr().lock().write_all(bytes));
}

/// Text on one line without what a terminal would obey.
pub fn safe(text: &str) -> String {
    ytrace_report::text::fit(text, usize::MAX)
}

fn width() -> usize {
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse::<usize>().ok())
        .filter(|columns| (20..=1000).contains(columns));
    columns
        .or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
        .unwrap_or(100)
        .max(40)
}

/// What is known of standard output and standard error.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether to colour standard output.
    pub output_color: bool,
    /// Whether to colour standard error.
    pub error_color: bool,
    /// Whether standard output is a terminal: what is shown there is made safe for it.
    pub output_terminal: bool,
    /// Whether standard error is a terminal, so that progress may be shown there.
    pub interactive: bool,
    /// The width to fit results into, in columns.
    pub width: usize,
}

impl Terminal {
    /// Looks at the environment: `NO_COLOR`, `TERM=dumb`, `COLUMNS`, and the terminal's size.
    pub fn detect(choice: ColorChoice) -> Self {
        let allowed = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let color = |is_terminal: bool| match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && allowed,
        };
        Self {
            output_color: color(std::io::stdout().is_terminal()),
            error_color: color(std::io::stderr().is_terminal()),
            output_terminal: std::io::stdout().is_terminal(),
            interactive: std::io::stderr().is_terminal(),
            width: width(),
        }
    }

    /// The width as it is now: the user may have made the window another size.
    pub fn width_now(&self) -> usize {
        width()
    }

    /// Two colour sequences and the one that ends them, or empty strings where standard error
    /// takes no colour.
    pub fn error_colors(
        &self,
        first: &'static str,
        second: &'static str,
    ) -> (&'static str, &'static str, &'static str) {
        if self.error_color {
            (first, second, "\x1b[0m")
        } else {
            ("", "", "")
        }
    }
}
