//! `ytrace ps`: which processes there are, what they do, and which runtimes are inside.

use ytrace_report::units;
use ytrace_runtime::identity::{Rules, age};
use ytrace_runtime::target::Target;
use ytrace_target::{Process, list_processes};

use crate::arguments::PsArguments;
use crate::failure::{Failure, Status};
use crate::terminal::{self, Terminal};

struct Row {
    pid: i32,
    what: String,
    age: String,
    resident: u64,
    private: Option<u64>,
    runtimes: Vec<String>,
    denied: bool,
}

/// Lists processes.
pub fn run(arguments: PsArguments, terminal: &Terminal) -> Result<Status, Failure> {
    let mut rules = Rules::shipped().map_err(Failure::usage)?;
    let all = list_processes()
        .map_err(|error| Failure::usage(format!("/proc cannot be listed: {error}")))?;
    let own = std::process::id();
    let mut rows = Vec::new();
    for process in &all {
        if u32::try_from(process.pid).ok() == Some(own) {
            continue;
        }
        let identity = rules.identify(process, &all);
        let what = match &identity.role {
            Some(role) => format!("{} {role}", identity.program),
            None => identity.title.clone(),
        };
        if let Some(wanted) = &arguments.name
            && !what.contains(wanted.as_str())
            && !process.name.contains(wanted.as_str())
            && !process.title.contains(wanted.as_str())
        {
            continue;
        }
        // A process may end between two looks; it is then not shown.
        let Ok(opened) = Process::open(process.pid) else {
            continue;
        };
        let denied = opened.check_access().is_err();
        let runtimes = rules.runtimes(&Target::Process(opened.clone()), true);
        let known =
            identity.role.is_some() || runtimes.iter().any(|name| !rules.probes(name).is_empty());
        if arguments.name.is_none() && !arguments.all && !known {
            continue;
        }
        let usage = opened.memory_usage().ok();
        rows.push(Row {
            pid: process.pid,
            what,
            age: age(process.age),
            resident: process.resident,
            private: usage
                .and_then(|usage| usage.detail)
                .map(|detail| detail.private),
            runtimes,
            denied,
        });
    }
    if arguments.json {
        terminal::print(&json(&rows))?;
    } else if rows.is_empty() {
        let hint = match &arguments.name {
            Some(name) => format!("no process matches `{name}`"),
            None => "no process with a runtime that ytrace knows".to_owned(),
        };
        return Err(Failure::usage(hint).with_hint("`ytrace ps --all` lists all processes"));
    } else {
        terminal::print(&table(&rows, terminal.width))?;
    }
    Ok(Status::Success)
}

fn table(rows: &[Row], width: usize) -> String {
    let room = width
        .saturating_sub(7 + 1 + 8 + 1 + 9 + 1 + 9 + 2 + 2 + 24)
        .max(20);
    let width = rows
        .iter()
        .map(|row| row.what.chars().count())
        .max()
        .unwrap_or(0)
        .clamp(7, room);
    let mut text = format!(
        "{:>7} {:>8} {:>9} {:>9}  {:<width$}  runtimes\n",
        "pid", "up", "resident", "private", "process"
    );
    for row in rows {
        let what = ytrace_report::text::fit(&row.what, width);
        text.push_str(&format!(
            "{:>7} {:>8} {:>9} {:>9}  {:<width$}  {}{}\n",
            row.pid,
            row.age,
            units::bytes(row.resident as i64),
            row.private
                .map_or("?".to_owned(), |private| units::bytes(private as i64)),
            what,
            row.runtimes.join(", "),
            if row.denied {
                " (no permission to read it)"
            } else {
                ""
            },
        ));
    }
    text
}

fn json(rows: &[Row]) -> String {
    let list: Vec<_> = rows
        .iter()
        .map(|row| {
            serde_json::json!({
                "pid": row.pid,
                "process": row.what,
                "up": row.age,
                "resident": row.resident,
                "private": row.private,
                "runtimes": row.runtimes,
                "readable": !row.denied,
            })
        })
        .collect();
    format!("{}\n", serde_json::Value::Array(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(what: &str) -> Row {
        Row {
            pid: 42,
            what: what.to_owned(),
            age: "8s".to_owned(),
            resident: 3_000_000,
            private: None,
            runtimes: vec!["LuaJIT".to_owned(), "glibc".to_owned()],
            denied: true,
        }
    }

    #[test]
    fn titles_are_cut_and_cannot_drive_the_terminal() {
        let text = table(
            &[row("evil \x1b]0;x\x07title"), row(&"long ".repeat(40))],
            80,
        );
        assert!(!text.contains('\x1b') && !text.contains('\x07'), "{text:?}");
        assert!(text.contains('…'));
        assert!(text.contains("(no permission to read it)"));
        assert_eq!(text.lines().count(), 3);
    }

    #[test]
    fn json_has_a_row_a_process() {
        let list: serde_json::Value = serde_json::from_str(&json(&[row("a \x1b")])).unwrap();
        assert_eq!(list[0]["pid"], 42);
        assert_eq!(list[0]["private"], serde_json::Value::Null);
        assert_eq!(list[0]["runtimes"][0], "LuaJIT");
        assert_eq!(list[0]["readable"], false);
        assert_eq!(json(&[]), "[]\n");
    }
}
