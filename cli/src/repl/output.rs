//! Where what lines print goes: the terminal, a file, or a program that reads it.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use ytrace_lang::compile::Compiled;
use ytrace_report::write_output;
use ytrace_runtime::Sink;

use super::names::{file_name, has_bare_blank};
use crate::diagnose::warnings;
use crate::failure::Failure;
use crate::terminal::{Terminal, print_bytes, safe, say};

/// Where the output of one line goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Redirect {
    /// `| COMMAND`.
    Pipe(String),
    /// `> FILE`.
    File(String),
    /// `>> FILE`.
    Append(String),
    /// The name of a file is not right, in words.
    Wrong(String),
}

/// Splits `LINE | COMMAND`, `LINE > FILE` and `LINE >> FILE`, at the last such sign that stands between blanks and outside of brackets
/// and quotes. Whether it is meant so, or is an operator, is for others to say.
pub(crate) fn split_redirect(line: &str) -> Option<(&str, Redirect)> {
    let mut depth = 0_i64;
    let mut quote = None;
    let mut escaped = false;
    let mut found = None;
    let bytes = line.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        if let Some(open) = quote {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                _ if *byte == open => quote = None,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' | b'\'' | b'`' => quote = Some(*byte),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b'|' | b'>' if depth == 0 => {
                let before = at.checked_sub(1).and_then(|at| bytes.get(at));
                let double = *byte == b'>' && bytes.get(at + 1) == Some(&b'>');
                let end = if double { at + 2 } else { at + 1 };
                let blank = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
                // Of a chain of programs the shell takes all.
                let first = !matches!(found, Some((_, _, b'|')));
                if blank(before) && blank(bytes.get(end)) && first {
                    found = Some((at, end, *byte));
                }
            }
            _ => {}
        }
    }
    let (at, end, _) = found?;
    let sign = line.get(at..end)?;
    let left = line.get(..at)?.trim_end();
    let right = line.get(end..)?.trim().to_owned();
    if left.is_empty() || right.is_empty() {
        return None;
    }
    let redirect = match sign {
        "|" => Redirect::Pipe(right),
        _ if has_bare_blank(&right) && file_name(&right).is_ok() => return None,
        sign => match file_name(&right) {
            Ok(name) if sign == ">" => Redirect::File(name),
            Ok(name) => Redirect::Append(name),
            Err(why) => Redirect::Wrong(why),
        },
    };
    Some((left, redirect))
}

/// Sends bytes where they belong; the error is in words.
pub(crate) fn deliver(bytes: &[u8], redirect: &Redirect) -> Result<(), String> {
    match redirect {
        Redirect::File(name) => write_file(name, bytes),
        Redirect::Append(name) => append_to_file(name, bytes),
        Redirect::Wrong(why) => Err(why.clone()),
        Redirect::Pipe(command) => {
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
    /// What was printed of the line, where output is JSON.
    pub(super) printed: Option<Vec<u8>>,
    /// The last of the documents that a question gives, or the part of one that has come: what is known only in the end goes into it.
    last: Option<Vec<u8>>,
}

impl LineSink {
    pub(crate) fn new(terminal: &Terminal) -> Self {
        Self {
            terminal: *terminal,
            kept: None,
            closed: None,
            printed: None,
            last: None,
        }
    }

    /// What is printed from here on are documents, a line each.
    pub(super) fn begin_documents(&mut self) {
        self.last = Some(Vec::new());
    }

    /// The last document, which has not been printed; `None` if there is none.
    pub(super) fn take_last_document(&mut self) -> Option<serde_json::Value> {
        let last = self.last.as_mut()?;
        let document = serde_json::from_slice(last).ok()?;
        last.clear();
        Some(document)
    }

    /// Prints what is left of documents.
    pub(super) fn end_documents(&mut self) {
        if let Some(last) = self.last.take() {
            self.data(&last);
        }
    }

    /// Prints all but the last document.
    fn documents(&mut self, text: &[u8]) {
        let Some(mut last) = self.last.take() else {
            return;
        };
        // All that has come ends with a line end only if the next byte begins another document.
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            if last.ends_with(b"\n") {
                self.data(&std::mem::take(&mut last));
            }
            last.extend_from_slice(line);
        }
        self.last = Some(last);
    }

    /// Writes what lines print as JSON, too.
    pub(crate) fn in_json(mut self, json: bool) -> Self {
        self.printed = json.then(Vec::new);
        self
    }

    /// Shows what has been printed as a document, where output is JSON.
    pub(crate) fn show_printed(&mut self) {
        let printed = match &mut self.printed {
            Some(printed) if !printed.is_empty() => std::mem::take(printed),
            _ => return,
        };
        let document = serde_json::json!({ "printed": String::from_utf8_lossy(&printed) });
        self.data(format!("{document}\n").as_bytes());
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
            None if self.last.is_some() => self.documents(text),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirections_are_told_from_operators() {
        let pipe = |command: &str| Redirect::Pipe(command.to_owned());
        for (line, expected) in [
            ("p a | less", Some(("p a", pipe("less")))),
            (
                "bt | grep x | head -3",
                Some(("bt", pipe("grep x | head -3"))),
            ),
            ("p a > f", Some(("p a", Redirect::File("f".to_owned())))),
            (
                "p a >> /tmp/f",
                Some(("p a", Redirect::Append("/tmp/f".to_owned()))),
            ),
            ("p a|b", None),
            ("p (a | b)", None),
            ("p f(\" | \")", None),
            ("p '|'", None),
            ("p a->b", None),
            ("p a > b c", None),
            (
                "p a > \"b c\"",
                Some(("p a", Redirect::File("b c".to_owned()))),
            ),
            (
                "p a >> b\\ c",
                Some(("p a", Redirect::Append("b c".to_owned()))),
            ),
            ("| less", None),
            ("p a || b", None),
            ("p a >= b", None),
        ] {
            assert_eq!(split_redirect(line), expected, "{line}");
        }
        assert!(matches!(
            split_redirect("p a > \"q.txt"),
            Some(("p a", Redirect::Wrong(_)))
        ));
    }
}
