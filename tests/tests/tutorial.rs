//! Runs every command of `docs/tutorial.md` as a reader would, in a copy of the example, and holds
//! what they print against the page, numbers aside. `YTRACE_BLESS=1` rewrites what the page shows.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use ytrace_tests::program::{finish, ytrace};
use ytrace_tests::{root, skip};

/// A part of the page.
enum Part {
    /// A file that the reader writes: its name and text.
    File(String, String),
    /// A command, the lines of the page that show what it prints, and where on the page they are.
    Command {
        text: String,
        shown: Vec<String>,
        output: std::ops::Range<usize>,
    },
}

/// The files and commands of the page, in order.
fn parts(page: &str) -> Vec<Part> {
    let lines: Vec<&str> = page.lines().collect();
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
        if kind != "console" {
            continue;
        }
        let mut line = start;
        while line < end {
            let text = lines[line]
                .strip_prefix("$ ")
                .unwrap_or_else(|| panic!("line {}: no command", line + 1))
                .to_owned();
            let first = line + 1;
            let last = (first..end)
                .find(|line| lines[*line].starts_with("$ "))
                .unwrap_or(end);
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
    }
    parts
}

/// What must be the same in every run: numbers, addresses, uptimes and spaces are not. Of the footer only
/// that the run was good.
fn normalized(lines: &[String]) -> String {
    let mut text = String::new();
    let mut footer = false;
    for line in lines {
        if line.starts_with("stopped ") {
            footer = true;
            text.push_str("footer\n");
        }
        if footer {
            for word in ["faults 0", "complete", "PARTIAL"] {
                if line.contains(word) {
                    let _ = writeln!(text, "{word}");
                }
            }
            // It may be longer than a line.
            footer = line.starts_with("stopped ") || line.starts_with("  ");
            if footer {
                continue;
            }
        }
        let line = line.split(", up ").next().unwrap_or(line);
        let words: Vec<String> = line.split_whitespace().map(without_numbers).collect();
        text.push_str(&words.join(" "));
        text.push('\n');
    }
    text
}

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

/// A shell script that prints what stands before each output.
fn script(parts: &[Part]) -> String {
    let mut script =
        String::from("trap 'kill $PID 2>/dev/null; wait 2>/dev/null' EXIT\nexec 2>&1\n");
    for (index, part) in parts.iter().enumerate() {
        if let Part::Command { text, .. } = part {
            let _ = write!(script, "echo '== {index}'\n{text}\n");
        }
    }
    script
}

fn write_executable(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn commands_of_the_tutorial() {
    if !nix::unistd::geteuid().is_root() {
        skip("commands_of_the_tutorial", "only root can trace others");
        return;
    }
    let path = root().join("docs/tutorial.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let parts = parts(&page);
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("examples/session-cache/session-cache.c");
    std::fs::copy(&example, folder.path().join("session-cache.c")).unwrap();
    for part in &parts {
        if let Part::File(name, text) = part {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
    }
    // As the page says, but on a busy machine a pause may take longer.
    let programs = folder.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    write_executable(
        &programs.join("ytrace"),
        &format!(
            "#!/bin/sh\ncommand=$1\nshift\n[ \"$command\" != run ] || set -- --max-pause 10s \"$@\"\nexec '{}' \"$command\" \"$@\"\n",
            ytrace().display()
        ),
    );
    let search = std::env::var("PATH").unwrap_or_default();
    let result = finish(
        Command::new("bash")
            .arg("-c")
            .arg(script(&parts))
            .current_dir(folder.path())
            .env("PATH", format!("{}:{search}", programs.display()))
            .env("NO_COLOR", "1")
            .env("COLUMNS", "100")
            .stdin(Stdio::null()),
    );
    let mut printed = vec![Vec::new(); parts.len()];
    let mut current = None;
    for line in result.stdout.lines() {
        if let Some(index) = line.strip_prefix("== ") {
            current = index.parse::<usize>().ok();
        } else if let Some(lines) = current.and_then(|index| printed.get_mut(index)) {
            lines.push(line.trim_end().to_owned());
        }
    }

    let bless = std::env::var_os("YTRACE_BLESS").is_some();
    let lines: Vec<&str> = page.lines().collect();
    let mut blessed = String::new();
    let mut position = 0;
    let mut commands = 0;
    for (part, printed) in parts.iter().zip(&printed) {
        let Part::Command {
            text,
            shown,
            output,
        } = part
        else {
            continue;
        };
        commands += 1;
        if bless {
            for line in lines[position..output.start]
                .iter()
                .copied()
                .chain(printed.iter().map(String::as_str))
            {
                let _ = writeln!(blessed, "{line}");
            }
            position = output.end;
        } else {
            assert_eq!(
                normalized(printed),
                normalized(shown),
                "$ {text}\nprinted\n{}\nall: {result}",
                printed.join("\n")
            );
        }
    }
    assert!(commands >= 16, "{commands} commands");
    if bless {
        for line in &lines[position..] {
            let _ = writeln!(blessed, "{line}");
        }
        std::fs::write(&path, blessed).unwrap();
    }
    let picture = std::fs::read_to_string(folder.path().join("held.svg")).unwrap();
    assert!(picture.contains("<svg") && picture.contains("CLOSED"));
}
