//! `ytrace doctor`: what this machine and a process allow, and what to do about the rest.

use std::sync::atomic::AtomicBool;

use ytrace_runtime::Options;
use ytrace_runtime::doctor::{Diagnosis, Health, of_machine, of_process};
use ytrace_target::Process;

use crate::arguments::DoctorArguments;
use crate::diagnose::failure;
use crate::failure::{Failure, Status};
use crate::servers::servers;
use crate::terminal::{self, Terminal, safe};

/// Ctrl-C ends this command at once.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Looks at the machine, and at a process if one is named.
pub fn run(arguments: &DoctorArguments, terminal: &Terminal) -> Result<Status, Failure> {
    let mut parts = vec![(
        "This machine".to_owned(),
        of_machine().map_err(Failure::usage)?,
    )];
    if let Some(pid) = arguments.pid {
        let options = Options {
            debug_roots: arguments.debug_root.clone(),
            debuginfod: servers(&arguments.servers, &NEVER, terminal)?,
            ..Options::default()
        };
        let process = Process::open(pid).map_err(|error| failure(error.into()))?;
        let found = of_process(process, &options).map_err(failure)?;
        parts.push((format!("Process {pid}"), found));
    }
    let text = match arguments.json {
        true => json(&parts),
        false => table(&parts, terminal),
    };
    terminal::print(&text)?;
    let all = parts.iter().flat_map(|(_, list)| list);
    let worst = all.map(Diagnosis::health).max().unwrap_or(Health::Good);
    Ok(match worst {
        Health::Missing => Status::Usage,
        Health::Good | Health::Limited => Status::Success,
    })
}

fn table(parts: &[(String, Vec<Diagnosis>)], terminal: &Terminal) -> String {
    let mut text = String::new();
    for (title, list) in parts {
        text.push_str(&format!("{title}\n"));
        for one in list {
            let color = match one.health() {
                Health::Good => "\x1b[32m",
                Health::Limited => "\x1b[33m",
                Health::Missing => "\x1b[31m",
            };
            let (color, reset) = match terminal.output_color {
                true => (color, "\x1b[0m"),
                false => ("", ""),
            };
            text.push_str(&format!(
                "  {color}{:<8}{reset} {}: {}\n",
                one.health().word(),
                safe(&one.subject),
                safe(&one.found)
            ));
            if let Some(fix) = one.fix() {
                text.push_str(&format!("           → {}\n", safe(fix)));
            }
        }
    }
    text
}

fn json(parts: &[(String, Vec<Diagnosis>)]) -> String {
    let list: Vec<_> = parts
        .iter()
        .flat_map(|(part, list)| list.iter().map(move |one| (part, one)))
        .map(|(part, one)| {
            serde_json::json!({
                "of": part,
                "subject": one.subject,
                "health": one.health().word(),
                "found": one.found,
                "fix": one.fix(),
            })
        })
        .collect();
    format!("{}\n", serde_json::Value::Array(list))
}
