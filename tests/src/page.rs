//! Pages whose commands the tests run as a reader would: what is printed is held against the page, numbers aside.
//!
//! A block of kind `c NAME` is a file that the reader writes, one of kind `console` has commands after `$ `, which go on in lines after `> `,
//! and what each prints. A line `…` on the page stands for any lines. `YTRACE_BLESS=1` rewrites what the page shows where it no longer fits.

use std::fmt::Write as _;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program::{finish, ytrace};

/// What stands for lines that a page leaves out.
const ANY_LINES: &str = "…";

/// A page, and what is in it.
pub struct Page {
    path: PathBuf,
    text: String,
    parts: Vec<Part>,
}

/// A part of the page.
enum Part {
    /// A file that the reader writes: its name and text.
    File(String, String),
    /// A command, the lines of the page that show what it prints, and where on the page they are.
    Command {
        text: String,
        shown: Vec<String>,
        output: Range<usize>,
    },
}

impl Page {
    /// Reads a page.
    ///
    /// # Panics
    /// It cannot be read, or is not of this form.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let mut parts = Vec::new();
        let mut position = 0;
        while position < lines.len() {
            let Some(kind) = lines[position].strip_prefix("```") else {
                position += 1;
                continue;
            };
            let start = position + 1;
            let end = (start..lines.len())
                .find(|line| lines[*line] == "```")
                .unwrap_or_else(|| panic!("the block of line {start} has no end"));
            position = end + 1;
            if let Some(name) = kind.strip_prefix("c ") {
                let text = lines[start..end].join("\n") + "\n";
                parts.push(Part::File(name.to_owned(), text));
            }
            if kind == "console" {
                parts.extend(commands(&lines, start..end));
            }
        }
        Self {
            path: path.to_owned(),
            text,
            parts,
        }
    }

    /// Runs the commands in a directory, which is where the files go, with further variables of the environment, and holds what they print against
    /// the page. `before` are lines of the shell that come first. Returns how many commands there were.
    ///
    /// # Panics
    /// Something else was printed.
    pub fn run(&self, folder: &Path, before: &str, variables: &[(&str, String)]) -> usize {
        for part in &self.parts {
            if let Part::File(name, text) = part {
                std::fs::write(folder.join(name), text).unwrap();
            }
        }
        let search = std::env::var("PATH").unwrap_or_default();
        let programs = programs(folder);
        let result = finish(
            Command::new("bash")
                .arg("-c")
                .arg(self.script(before))
                .current_dir(folder)
                .envs(variables.iter().map(|(name, value)| (*name, value)))
                .env("PATH", format!("{}:{search}", programs.display()))
                .env("NO_COLOR", "1")
                .env("COLUMNS", "100")
                .stdin(Stdio::null()),
        );
        let mut printed = vec![Vec::new(); self.parts.len()];
        let mut current = None;
        for line in result.stdout.lines() {
            if let Some(index) = line.strip_prefix("== ") {
                current = index.parse::<usize>().ok();
            } else if let Some(lines) = current.and_then(|index| printed.get_mut(index)) {
                lines.push(line.trim_end().to_owned());
            }
        }
        // The blank line between views and footer is of no use where the footer goes elsewhere.
        for lines in &mut printed {
            while lines.last().is_some_and(String::is_empty) {
                lines.pop();
            }
        }
        self.compare(&printed, &result.to_string())
    }

    /// Holds what was printed against what is shown, or makes the page show it.
    fn compare(&self, printed: &[Vec<String>], all: &str) -> usize {
        let bless = std::env::var_os("YTRACE_BLESS").is_some();
        let lines: Vec<&str> = self.text.lines().collect();
        let mut blessed = String::new();
        let mut position = 0;
        let mut commands = 0;
        let mut wrong = String::new();
        for (part, printed) in self.parts.iter().zip(printed) {
            let Part::Command {
                text,
                shown,
                output,
            } = part
            else {
                continue;
            };
            commands += 1;
            let (is, should) = (normalized(printed), normalized(shown));
            if fits(&is, &should) {
                continue;
            }
            let _ = writeln!(
                wrong,
                "$ {text}\nprinted\n{}\nthat is\n{}\nand not\n{}\n",
                printed.join("\n"),
                is.join("\n"),
                should.join("\n"),
            );
            let before = lines[position..output.start].iter().copied();
            for line in before.chain(printed.iter().map(String::as_str)) {
                let _ = writeln!(blessed, "{line}");
            }
            position = output.end;
        }
        if bless {
            for line in &lines[position..] {
                let _ = writeln!(blessed, "{line}");
            }
            std::fs::write(&self.path, blessed).unwrap();
        } else {
            assert!(wrong.is_empty(), "{wrong}\nall: {all}");
        }
        commands
    }

    /// A shell script that prints what stands before each output.
    fn script(&self, before: &str) -> String {
        let mut script = format!(
            "trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null' EXIT\nexec 2>&1\n{before}\n"
        );
        for (index, part) in self.parts.iter().enumerate() {
            if let Part::Command { text, .. } = part {
                let _ = write!(script, "echo '== {index}'\n{text}\n");
            }
        }
        script
    }
}

/// The commands of a block, each with its output.
fn commands(lines: &[&str], block: Range<usize>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut line = block.start;
    while line < block.end {
        let mut text = lines[line]
            .strip_prefix("$ ")
            .unwrap_or_else(|| panic!("line {}: no command", line + 1))
            .to_owned();
        let mut first = line + 1;
        while let Some(more) = lines[first..block.end]
            .first()
            .and_then(|line| line.strip_prefix("> "))
        {
            text.push('\n');
            text.push_str(more);
            first += 1;
        }
        let last = (first..block.end)
            .find(|line| lines[*line].starts_with("$ "))
            .unwrap_or(block.end);
        parts.push(Part::Command {
            text,
            shown: lines[first..last]
                .iter()
                .map(|line| (*line).to_owned())
                .collect(),
            output: first..last,
        });
        line = last;
    }
    parts
}

/// A directory with a `ytrace` that does as the page says, but on a busy machine a pause may take longer.
fn programs(folder: &Path) -> PathBuf {
    let programs = folder.join(".programs");
    std::fs::create_dir_all(&programs).unwrap();
    let program = programs.join("ytrace");
    std::fs::write(
        &program,
        format!(
            "#!/bin/sh\ncommand=$1\nshift\ncase $command in run|repl) set -- --max-pause 10s \"$@\";; esac\nexec '{}' \"$command\" \"$@\"\n",
            ytrace().display()
        ),
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    programs
}

/// Whether lines are those of the page, which may leave some out.
fn fits(is: &[String], should: &[String]) -> bool {
    let Some((first, rest)) = should.split_first() else {
        return is.is_empty();
    };
    if first == ANY_LINES {
        return (0..=is.len()).any(|from| fits(&is[from..], rest));
    }
    is.split_first()
        .is_some_and(|(line, more)| line == first && fits(more, rest))
}

/// What must be the same in every run: numbers with their units, addresses, uptimes, bars and spaces are not. Of the footer only that the run was good.
fn normalized(lines: &[String]) -> Vec<String> {
    let mut shape = Vec::new();
    let mut footer = false;
    for line in lines {
        if line.starts_with("stopped ") {
            footer = true;
            shape.push("footer".to_owned());
        }
        if footer {
            for word in ["faults 0", "complete", "PARTIAL"] {
                if line.contains(word) {
                    shape.push(word.to_owned());
                }
            }
            // It may be longer than a line.
            footer = line.starts_with("stopped ") || line.starts_with("  ");
            if footer {
                continue;
            }
        }
        let line = line.split(", up ").next().unwrap_or(line);
        let mut words: Vec<String> = Vec::new();
        for word in line.split_whitespace().map(without_numbers) {
            let bar = word.chars().all(|c| ('\u{2580}'..='\u{259f}').contains(&c));
            // Small shares are below a tenth of one per cent.
            let word = word.replace("<N", "N");
            let unit = UNITS.contains(&word.trim_end_matches([',', ')']))
                && words.last().is_some_and(|word| word.ends_with('N'));
            if !bar && !unit {
                words.push(word);
            }
        }
        shape.push(words.join(" "));
    }
    shape
}

/// What stands after numbers and depends on how large they are.
const UNITS: [&str; 10] = [
    "B", "kB", "MB", "GB", "B/s", "kB/s", "MB/s", "ns", "µs", "ms",
];

/// A word with an `N` for each number or address in it.
fn without_numbers(word: &str) -> String {
    let mut text = String::new();
    let mut number = false;
    for c in word.chars() {
        let part = c.is_ascii_digit() || number && matches!(c, '.' | ',' | 'x' | 'a'..='f');
        if !part {
            text.push(c);
        } else if !number {
            text.push('N');
        }
        number = part;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_command_may_take_several_lines() {
        let page = ["$ echo 'a", "> b'", "a", "b", "$ true"];
        let commands = commands(&page, 0..page.len());
        let [
            Part::Command { text, shown, .. },
            Part::Command { text: last, .. },
        ] = commands.as_slice()
        else {
            panic!("{} commands", commands.len());
        };
        assert_eq!(text, "echo 'a\nb'");
        assert_eq!(shown, &["a", "b"]);
        assert_eq!(last, "true");
    }

    #[test]
    fn a_page_may_leave_lines_out() {
        let printed = lines("a 1.5 kB\nb ██ 0x7f00\nc\nstopped 1 ms · faults 0\n  complete");
        for page in [
            "a 2 MB\nb █ 0x1\nc\nstopped 2.5 ms · faults 0 · complete",
            "a 7 MB\n…\nstopped 2.5 ms · faults 0 · complete",
            "…\nb 0x1\n…\nc\nstopped 2.5 ms · faults 0 · complete",
        ] {
            let page = lines(page);
            assert!(fits(&normalized(&printed), &normalized(&page)), "{page:?}");
        }
        for page in [
            "a 2 MB\nb 0x1\nc",
            "x 2 MB\n…",
            "a 2 MB\nb 0x1\n…\nd\n…",
            "a 2 MB\nb 0x1\nc\nstopped 2.5 ms · faults 0 · PARTIAL: x",
            "",
        ] {
            let page = lines(page);
            assert!(!fits(&normalized(&printed), &normalized(&page)), "{page:?}");
        }
    }
}
