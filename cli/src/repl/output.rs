//! Where what lines print goes: the terminal, a file, or a program that reads it.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use ytrace_lang::compile::Compiled;
use ytrace_report::write_output;
use ytrace_runtime::{Sink, interrupt};

use super::redirect::Redirect;
use crate::diagnose::warnings;
use crate::failure::Failure;
use crate::terminal::{Terminal, print_bytes, safe, say};

/// Sends bytes where they belong; the error is in words.
pub(crate) fn deliver(bytes: &[u8], redirect: &Redirect) -> Result<(), String> {
    match redirect {
        Redirect::File(name) => write_file(name, bytes),
        Redirect::Append(name) => append_to_file(name, bytes),
        Redirect::Wrong(why) => Err(why.clone()),
        Redirect::Pipe(command) => {
            // Ctrl-C is for the program that has the terminal.
            interrupt::elsewhere(|| pipe(bytes, command))
        }
    }
}

/// Lets a program of the shell read bytes, and waits for its end.
fn pipe(bytes: &[u8], command: &str) -> Result<(), String> {
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{command}` cannot be started: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // One that has seen enough ends early.
        match input.write_all(bytes) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                return Err(format!("`{command}` cannot be written to: {error}"));
            }
            _ => {}
        }
    }
    let status = child
        .wait()
        .map_err(|error| format!("`{command}`: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("`{command}` ended with {status}")),
    }
}

/// Writes a file that only its owner may read: what is in it may be secrets of the target. One that is there is replaced, as `-o` of
/// `ytrace run` does.
fn write_file(name: &str, bytes: &[u8]) -> Result<(), String> {
    write_output(Path::new(name), bytes).map_err(|error| error.to_string())
}

/// Adds to a file, which then only its owner may read.
fn append_to_file(name: &str, bytes: &[u8]) -> Result<(), String> {
    let opened = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        // What a link that somebody has put there leads to is another's.
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(Path::new(name));
    let written = opened.and_then(|mut file| {
        if file.metadata()?.is_file() {
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
        file.write_all(bytes)
    });
    written.map_err(|error| match error.raw_os_error() {
        Some(nix::libc::ELOOP) => {
            format!("{name}: it is a symbolic link, which `>>` does not follow")
        }
        _ => format!("{name}: {error}"),
    })
}

/// Takes what a line prints and says.
pub(crate) struct LineSink {
    terminal: Terminal,
    /// What is printed, if it is not for standard output.
    pub(crate) kept: Option<Vec<u8>>,
    /// Why standard output takes no more.
    pub(crate) closed: Option<Failure>,
    /// Whether documents are printed, a line each.
    json: bool,
    /// What was printed of the line, where output is JSON and that is none yet.
    pub(super) printed: Option<Vec<u8>>,
    /// The last document of the line, or the part of one that has come: what the line took and lacks is known in the end, and goes into
    /// it.
    last: Vec<u8>,
}

impl LineSink {
    pub(crate) fn new(terminal: &Terminal) -> Self {
        Self {
            terminal: *terminal,
            kept: None,
            closed: None,
            json: false,
            printed: None,
            last: Vec::new(),
        }
    }

    /// Writes what lines print as JSON, too.
    pub(crate) fn in_json(mut self, json: bool) -> Self {
        self.json = json;
        self.printed = json.then(Vec::new);
        self
    }

    /// Prints a document behind what has been printed.
    pub(super) fn document(&mut self, document: &serde_json::Value) {
        self.show_printed();
        self.documents(format!("{document}\n").as_bytes());
    }

    /// Prints what is left of a line's documents. The last one gets these members; if there is none, they are one.
    pub(super) fn end_line(&mut self, members: serde_json::Map<String, serde_json::Value>) {
        self.show_printed();
        let last = std::mem::take(&mut self.last);
        if members.is_empty() {
            self.data(&last);
            return;
        }
        let document = match serde_json::from_slice(&last) {
            Ok(serde_json::Value::Object(mut document)) => {
                document.extend(members);
                document
            }
            _ => {
                self.data(&last);
                members
            }
        };
        let document = serde_json::Value::Object(document);
        self.data(format!("{document}\n").as_bytes());
    }

    /// Prints all but the last document.
    fn documents(&mut self, text: &[u8]) {
        // All that has come ends with a line end only if the next byte begins another document.
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            if self.last.ends_with(b"\n") {
                let last = std::mem::take(&mut self.last);
                self.data(&last);
            }
            self.last.extend_from_slice(line);
        }
    }

    /// Shows what has been printed as a document, where output is JSON.
    pub(crate) fn show_printed(&mut self) {
        let printed = match &mut self.printed {
            Some(printed) if !printed.is_empty() => std::mem::take(printed),
            _ => return,
        };
        let document = serde_json::json!({ "printed": String::from_utf8_lossy(&printed) });
        self.documents(format!("{document}\n").as_bytes());
    }

    /// Prints data.
    pub(crate) fn data(&mut self, bytes: &[u8]) {
        match &mut self.kept {
            Some(kept) => kept.extend_from_slice(bytes),
            None => {
                if let Err(failure) = print_bytes(bytes) {
                    self.closed.get_or_insert(failure);
                }
            }
        }
    }

    /// Says that something is wrong.
    pub(crate) fn error(&self, text: &str) {
        let (red, _, reset) = self.terminal.error_colors("\x1b[1;31m", "");
        say(&format!("{red}error{reset}: {}\n", safe(text)));
    }

    /// Says what to do about it.
    pub(crate) fn hint(&self, text: &str) {
        let (cyan, _, reset) = self.terminal.error_colors("\x1b[1;36m", "");
        say(&format!("{cyan}hint{reset}: {}\n", safe(text)));
    }
}

impl Sink for LineSink {
    fn begin(&mut self, _streams: bool) {}

    fn compiled(&mut self, compiled: &Compiled) {
        if let Some(warnings) = warnings(compiled, self.terminal.error_color) {
            say(&warnings);
        }
    }

    fn text(&mut self, text: &[u8]) {
        match &mut self.printed {
            Some(printed) => printed.extend_from_slice(text),
            None if self.json => self.documents(text),
            None => self.data(text),
        }
    }

    fn warn(&mut self, text: &str) {
        let (yellow, _, reset) = self.terminal.error_colors("\x1b[1;33m", "");
        say(&format!("{yellow}warning{reset}: {}\n", safe(text)));
    }

    fn remark(&mut self, text: &str) {
        say(&format!("{}\n", safe(text)));
    }

    fn progress(&mut self, _text: &str) {}
}

/// Takes nothing: for what is only tried. What is wrong with a text is said when it runs.
pub(crate) struct Silent;

impl Sink for Silent {
    fn begin(&mut self, _streams: bool) {}

    fn text(&mut self, _text: &[u8]) {}

    fn warn(&mut self, _text: &str) {}

    fn progress(&mut self, _text: &str) {}
}
