//! `ytrace check --audit`: what a probe file reads, probes and needs.

use std::fmt::Write as _;

use ytrace_lang::document::Need;
use ytrace_lang::parse::MOST_ROUNDS;
use ytrace_runtime::audit::Audit;

use crate::terminal::{Terminal, safe};

/// The width of headings, in columns.
const HEADING: usize = 11;

/// Shows an audit.
pub fn text(
    name: &str,
    about: &str,
    audit: &Audit,
    with_target: bool,
    terminal: &Terminal,
) -> String {
    let mut out = String::new();
    let title = match about {
        "" => name.to_owned(),
        about => format!("{name}: {about}"),
    };
    let _ = writeln!(out, "{}", safe(&title));
    let list = |names: &mut dyn Iterator<Item = &String>| {
        let names: Vec<&str> = names.map(String::as_str).collect();
        names.join(", ")
    };
    let mut part =
        |heading: &str, text: String| paragraph(&mut out, heading, &text, terminal.width);
    let mut heading = "probes";
    for (head, place) in &audit.probes {
        part(heading, format!("{head}   {place}"));
        heading = "";
    }
    if audit.probes.is_empty() {
        part(heading, "nothing: it is for others to include".to_owned());
    }
    heading = "reads";
    for (what, names) in [
        ("variables", &audit.variables),
        ("functions", &audit.functions),
        ("types", &audit.types),
    ] {
        if !names.is_empty() {
            part(heading, format!("{what}: {}", list(&mut names.iter())));
            heading = "";
        }
    }
    if !audit.names.is_empty() {
        let more = if audit.more_names { ", and more" } else { "" };
        part(
            heading,
            format!("names of a target: {}{more}", list(&mut audit.names.keys())),
        );
        heading = "";
    }
    part(
        heading,
        "whatever of the target's memory pointers lead to, its mappings, threads and counters; nothing else of this machine"
            .to_owned(),
    );
    if !audit.modules.is_empty() {
        part("modules", list(&mut audit.modules.iter()));
    }
    part(
        "writes",
        "nothing into the target, no file and no connection: it prints, and shows its views"
            .to_owned(),
    );
    if !audit.views.is_empty() {
        part("views", audit.views.join(", "));
    }
    heading = "needs";
    for need in &audit.needs {
        let said = match need {
            Need::Memory => {
                "to trace the target: its own user, or CAP_SYS_PTRACE; the target is stopped for --max-pause at most, or not at all with --mode live"
            }
            Need::Events => {
                "probes in the kernel: CAP_BPF, CAP_PERFMON; or --sync, which takes no more than to trace the target, and is much slower"
            }
            Need::Samples => "samples of the target's threads: CAP_PERFMON",
            Need::Stops => "--sync: threads of the target stop at each hit",
        };
        part(heading, said.to_owned());
        heading = "";
    }
    for (package, version, needs) in &audit.packages {
        let needs = match needs.is_empty() {
            true => String::new(),
            false => format!(", which wants {}", needs.join(", ")),
        };
        part(heading, format!("the package {package} {version}{needs}"));
        heading = "";
    }
    heading = "options";
    for option in &audit.options {
        let about = option.documentation.clone().unwrap_or_default();
        let value = match option.value {
            "" => String::new(),
            value => format!(" {value}"),
        };
        part(
            heading,
            format!("--{}{value}   {}", option.name, about.replace('\n', " ")),
        );
        heading = "";
    }
    heading = "files";
    for file in &audit.files {
        let shipped = match file.shipped {
            true => "   (ships with ytrace)",
            false => "",
        };
        // Not broken: other programs read these, too.
        let _ = writeln!(
            out,
            "{heading:<HEADING$}{}  {}{shipped}",
            file.digest,
            safe(&file.name)
        );
        heading = "";
    }
    if let Some(rounds) = audit.arms_left {
        let _ = writeln!(out, "PARTIAL: {}", arms_left(rounds));
    }
    if !with_target {
        let _ = writeln!(
            out,
            "Without a target: -p PID, --core FILE or --types FILE tells which of its names are variables, functions and types."
        );
    }
    out
}

/// What is said where not all arms of `##if…` have been looked at.
pub fn arms_left(rounds: usize) -> String {
    match rounds > MOST_ROUNDS {
        true => format!(
            "there is text that was not looked at: all arms of ##if… would take {rounds} rounds, and {MOST_ROUNDS} were made"
        ),
        false => {
            "there is text that was not looked at: a macro gives the name of a file that an arm of ##if… includes"
                .to_owned()
        }
    }
}

/// A heading and text that is broken at the width.
fn paragraph(out: &mut String, heading: &str, text: &str, width: usize) {
    let room = width.saturating_sub(HEADING).max(20);
    let mut line = String::new();
    let mut first = true;
    let mut end = |line: &str| {
        let shown = if first { heading } else { "" };
        first = false;
        let _ = writeln!(out, "{shown:<HEADING$}{line}");
    };
    for word in safe(text).split(' ') {
        let longer = line.chars().count() + 1 + word.chars().count() > room;
        if longer && !line.trim().is_empty() {
            end(line.trim_end());
            line = "  ".to_owned();
        } else if !line.is_empty() && line != "  " {
            line.push(' ');
        }
        line.push_str(word);
    }
    end(line.trim_end());
}
