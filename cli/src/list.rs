//! `ytrace list`: the probes that are installed, or what of a target can be probed and read.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};
use ytrace_lang::target::matches_pattern;
use ytrace_runtime::listing::{
    Body, Details, Kinds, ListedFunction, ListedStatic, ListedType, ListedVariable, Listing,
    Location, Site, kernel_rules, list, of_file,
};
use ytrace_runtime::names::Names;
use ytrace_runtime::{Mode, Options, Session, SessionError};
use ytrace_target::Process;

use crate::arguments::{ListArguments, ListFormat};
use crate::diagnose::failure;
use crate::failure::{Failure, Status};
use crate::terminal::{Terminal, print, safe, say};

/// Ctrl-C ends this command at once.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Copies of one function that are shown.
const MAX_COPIES: usize = 8;

/// Lists what matches.
pub fn run(arguments: &ListArguments, terminal: &Terminal) -> Result<Status, Failure> {
    if arguments.pid.is_none() && arguments.exe.is_none() {
        return installed(arguments, terminal);
    }
    let mut options = Options {
        mode: Mode::Live,
        ..Options::default()
    };
    arguments.debug.fill(&mut options, &NEVER, terminal)?;
    let look = |names: &Names| {
        let kinds = kinds(arguments);
        list(
            names,
            &arguments.pattern,
            kinds,
            arguments.verbose,
            kernel_rules(),
        )
    };
    let found = match (&arguments.exe, arguments.pid) {
        (Some(file), _) => look(&of_file(file, &options).map_err(failure)?),
        (None, Some(pid)) => {
            let process = Process::open(pid).map_err(|error| failure(SessionError::Open(error)))?;
            look(Session::open(process, &options).map_err(failure)?.names())
        }
        (None, None) => return Err(Failure::usage("-p PID or -e FILE is needed")),
    };
    let (yellow, _, reset) = terminal.error_colors("\x1b[1;33m", "");
    for problem in &found.problems {
        say(&format!("{yellow}warning{reset}: {}\n", safe(problem)));
    }
    if found.count() == 0 {
        let error = Failure::usage(format!("nothing matches `{}`", arguments.pattern));
        let names: Vec<String> = found.similar.iter().map(|n| format!("`{n}`")).collect();
        return Err(match names.is_empty() {
            true => {
                error.with_hint("`ytrace list … '*'` lists all; `*part*` finds a part of a name")
            }
            false => error.with_hint(format!("did you mean {}?", names.join(", "))),
        });
    }
    match arguments.format {
        ListFormat::Text => print(&text(&found))?,
        ListFormat::Json => print(&format!("{}\n", to_json(&found)))?,
    }
    say(&format!("{}\n", counts(&found)));
    Ok(match found.problems.is_empty() {
        true => Status::Success,
        false => Status::Partial,
    })
}

/// Lists the probes that `ytrace run` finds by name.
fn installed(arguments: &ListArguments, terminal: &Terminal) -> Result<Status, Failure> {
    let of_target = [
        (arguments.functions, "--functions"),
        (arguments.usdt, "--usdt"),
        (arguments.variables, "--variables"),
        (arguments.types, "--types"),
        (arguments.verbose, "-v"),
        (!arguments.debug.debug_file.is_empty(), "--debug-file"),
        (!arguments.debug.debug_root.is_empty(), "--debug-root"),
        (arguments.debug.servers.debuginfod.is_some(), "--debuginfod"),
    ];
    if let Some((_, option)) = of_target.iter().find(|(given, _)| *given) {
        return Err(
            Failure::usage(format!("{option} is for what a process or a file has"))
                .with_hint("-p PID looks at a process, -e FILE at a program or library"),
        );
    }
    let (probes, problems) = ytrace_runtime::packages::installed::installed();
    let (yellow, _, reset) = terminal.error_colors("\x1b[1;33m", "");
    for problem in &problems {
        say(&format!(
            "{yellow}warning{reset}: {}\n",
            safe(&problem.to_string())
        ));
    }
    // A part of a name does, too: nobody writes `*` for a handful of probes.
    let pattern = arguments.pattern.as_str();
    let matching: Vec<_> = probes
        .iter()
        .filter(|probe| matches_pattern(pattern, &probe.name) || probe.name.contains(pattern))
        .collect();
    if matching.is_empty() {
        return Err(
            Failure::usage(format!("no probe is called `{pattern}`")).with_hint(
                "`ytrace list` lists all; -p PID or -e FILE lists what a process or a file has",
            ),
        );
    }
    let text = match arguments.format {
        ListFormat::Text => {
            let width = matching
                .iter()
                .map(|probe| probe.name.len())
                .max()
                .unwrap_or(0);
            let mut text = String::new();
            for probe in &matching {
                line(
                    &mut text,
                    "",
                    &format!("{:width$}  {}", probe.name, probe.about),
                );
            }
            text
        }
        ListFormat::Json => {
            let list: Vec<Value> = matching
                .iter()
                .map(|probe| {
                    let package = probe.package.as_ref();
                    json!({
                        "name": probe.name,
                        "package": package.map(|(name, _)| name),
                        "version": package.map(|(_, version)| version.to_string()),
                        "about": probe.about,
                    })
                })
                .collect();
            format!("{}\n", Value::Array(list))
        }
    };
    print(&text)?;
    Ok(match problems.is_empty() {
        true => Status::Success,
        false => Status::Partial,
    })
}

fn kinds(arguments: &ListArguments) -> Kinds {
    let kinds = Kinds {
        functions: arguments.functions,
        statics: arguments.usdt,
        variables: arguments.variables,
        types: arguments.types,
    };
    match kinds.functions || kinds.statics || kinds.variables || kinds.types {
        true => kinds,
        false => Kinds::ALL,
    }
}

fn counts(found: &Listing) -> String {
    let all = [
        (found.functions.len(), "function", "functions"),
        (found.statics.len(), "static probe", "static probes"),
        (found.variables.len(), "variable", "variables"),
        (found.types.len(), "type", "types"),
    ];
    let parts: Vec<String> = all
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
        .collect();
    parts.join(", ")
}

fn text(found: &Listing) -> String {
    let mut out = String::new();
    let mut same: HashMap<&str, usize> = HashMap::new();
    for function in &found.functions {
        *same.entry(&function.head).or_default() += 1;
    }
    for function in &found.functions {
        let several = same.get(function.head.as_str()).is_some_and(|n| *n > 1);
        line(&mut out, "", &with_note(function, several));
        if let Some(details) = &function.details {
            for detail in function_details(function, details) {
                line(&mut out, "    ", &detail);
            }
        }
    }
    for probe in &found.statics {
        line(
            &mut out,
            "",
            &format!("{}  // {}", probe.head, static_note(probe)),
        );
    }
    for variable in &found.variables {
        line(
            &mut out,
            "",
            &format!("{};  // {}", variable.declaration, place(variable)),
        );
    }
    for ty in &found.types {
        line(
            &mut out,
            "",
            &format!("{};  // {}", ty.declaration, type_note(ty)),
        );
        for member in &ty.members {
            let bit = member.bit.map(|bit| format!(", bit {bit}"));
            let (declaration, at) = (&member.declaration, member.at);
            let text = format!("{declaration}  // {at}{}", bit.unwrap_or_default());
            line(&mut out, "    ", &text);
        }
    }
    out
}

fn line(out: &mut String, indent: &str, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{indent}{}", safe(text));
}

/// The head of a probe, and what a reader must know before they paste it.
fn with_note(listed: &ListedFunction, several: bool) -> String {
    let function = &listed.function;
    let mut notes: Vec<String> = Vec::new();
    if let Some((version, false)) = &function.version {
        notes.push(format!("version {version}"));
    }
    if function.indirect {
        notes.push("indirect: one of several implementations".to_owned());
    } else {
        let names: Vec<&str> = function.clones.iter().map(|c| c.symbol.as_str()).collect();
        let copies = names.join(", ");
        match (&function.body, names.is_empty()) {
            (Some(_), true) => {}
            (Some(_), false) => notes.push(format!("and as {copies}")),
            (None, true) => notes.push("only inlined".to_owned()),
            (None, false) => notes.push(format!("only as {copies}")),
        }
    }
    if several && let Some(unit) = function.prototype.as_ref().and_then(|p| p.unit.as_ref()) {
        notes.push(unit.clone());
    }
    match notes.is_empty() {
        true => listed.head.clone(),
        false => format!("{}  // {}", listed.head, notes.join("; ")),
    }
}

fn function_details(listed: &ListedFunction, details: &Details) -> Vec<String> {
    let function = &listed.function;
    let mut lines = Vec::new();
    let mut first = Vec::new();
    if let Some((file, number)) = &details.source {
        first.push(format!("{file}:{number}"));
    }
    if let Some(body) = &function.body {
        let address = body.address.wrapping_add(details.bias);
        first.push(format!("at {address:#x}"));
        if details.bias != 0 {
            first.push(format!("{:#x} of the file", body.address));
        }
        first.push(format!("{} bytes", body.size));
    }
    if !first.is_empty() {
        lines.push(first.join(", "));
    }
    if !function.aliases.is_empty() {
        lines.push(format!("also called {}", function.aliases.join(", ")));
    }
    for (what, site) in [
        ("entry", &details.site),
        ("entry and return", &details.return_site),
    ] {
        if let Some(site) = site {
            lines.push(format!("{what}: {}", site_or_why(site)));
        }
    }
    if !details.implementations.is_empty() {
        let names: Vec<&str> = details
            .implementations
            .iter()
            .map(|body| body.symbol.as_str())
            .collect();
        lines.push(format!("implementations: {}", names.join(", ")));
    }
    for (index, clone) in function.clones.iter().enumerate() {
        let address = clone.address.wrapping_add(details.bias);
        let copy = details.copies.get(index);
        let places = copy.into_iter().flat_map(|copy| &copy.parameters);
        let places: Vec<String> = places
            .map(|(name, place)| format!("{name} {place}"))
            .collect();
        let arguments = match places.is_empty() {
            true => "its arguments may be elsewhere".to_owned(),
            false => places.join(", "),
        };
        lines.push(format!(
            "copy {} at {address:#x}, {} bytes; {arguments}",
            clone.symbol, clone.size
        ));
        let sites = copy.map(|copy| {
            [
                ("entry", &copy.site),
                ("entry and return", &copy.return_site),
            ]
        });
        for (what, site) in sites.into_iter().flatten() {
            lines.push(format!("  {what}: {}", site_or_why(site)));
        }
    }
    for part in &function.parts {
        let address = part.address.wrapping_add(details.bias);
        lines.push(format!(
            "part {} at {address:#x}, {} bytes: called from within it, so it is not probed",
            part.symbol, part.size
        ));
    }
    for (address, within) in details.inlined.iter().take(MAX_COPIES) {
        let address = address.wrapping_add(details.bias);
        let within = within.as_deref().unwrap_or("unnamed code");
        lines.push(format!("inlined at {address:#x} in {within}"));
    }
    let more = details.inlined.len().saturating_sub(MAX_COPIES);
    if more > 0 {
        lines.push(format!("and inlined at {more} more places"));
    }
    lines
}

fn site_or_why(site: &Result<Site, String>) -> String {
    match site {
        Ok(site) => site_text(site),
        Err(why) => format!("refused: {why}"),
    }
}

fn site_text(site: &Site) -> String {
    let cost = site.kind.cost_ns();
    let cost = f64::from(cost.start() + cost.end()) / 2000.0;
    format!("{} (about {cost:.1} µs a hit)", site.reason)
}

fn static_note(probe: &ListedStatic) -> String {
    let mut note = format!("{:#x} of {}", probe.address, probe.module);
    let arguments: Vec<&str> = probe.arguments.iter().map(|a| a.text.as_str()).collect();
    if !arguments.is_empty() {
        note.push_str(&format!(": {}", arguments.join(" ")));
    }
    if probe.semaphore {
        note.push_str("; has a semaphore");
    }
    if let Err(why) = &probe.site {
        note.push_str(&format!("; refused: {why}"));
    }
    note
}

fn place(variable: &ListedVariable) -> String {
    let mut note = match variable.size {
        Some(size) => format!("{size} bytes"),
        None => "size unknown".to_owned(),
    };
    match variable.location {
        Location::Address(address) => note.push_str(&format!(" at {address:#x} of the file")),
        Location::ThreadLocal(offset) => note.push_str(&format!(", thread-local at {offset:#x}")),
        Location::Declared | Location::Unavailable => {}
    }
    if let Some(unit) = &variable.unit {
        note.push_str(&format!(", {unit}"));
    }
    note
}

fn type_note(ty: &ListedType) -> String {
    match ty.size {
        Some(size) => format!("{}, {size} bytes", ty.module),
        None => ty.module.clone(),
    }
}

fn to_json(found: &Listing) -> Value {
    let functions = found.functions.iter().map(|listed| {
        let function = &listed.function;
        let body = function.body.as_ref();
        let details = listed.details.as_ref();
        let clone = |(index, body): (usize, &Body)| {
            let copy = details.and_then(|details| details.copies.get(index));
            let places = copy.map(|copy| {
                let one = |(name, place): &(String, String)| json!({"name": name, "place": place});
                copy.parameters.iter().map(one).collect::<Vec<Value>>()
            });
            let mut entry = json!({
                "symbol": body.symbol,
                "address": body.address,
                "size": body.size,
                "parameters": places,
            });
            if let (Some(copy), Some(object)) = (copy, entry.as_object_mut()) {
                object.insert("entry".into(), site_json(&copy.site));
                object.insert("entry_and_return".into(), site_json(&copy.return_site));
            }
            entry
        };
        let clones: Vec<Value> = function.clones.iter().enumerate().map(clone).collect();
        let mut entry = json!({
            "kind": "function",
            "module": listed.module,
            "name": function.name,
            "head": listed.head,
            "aliases": function.aliases,
            "address": body.map(|b| b.address),
            "file_offset": body.and_then(|b| b.file_offset),
            "size": body.map(|b| b.size),
            "indirect": function.indirect,
            "external": function.external,
            "clones": clones,
        });
        if let (Some(details), Some(object)) = (details, entry.as_object_mut()) {
            let source = details.source.as_ref();
            let inlined: Vec<Value> = details
                .inlined
                .iter()
                .map(|(address, within)| json!({"address": address, "within": within}))
                .collect();
            let implementations: Vec<Value> = details
                .implementations
                .iter()
                .map(|b| json!({"symbol": b.symbol, "address": b.address}))
                .collect();
            object.insert("bias".into(), json!(details.bias));
            object.insert("file".into(), json!(source.map(|s| &s.0)));
            object.insert("line".into(), json!(source.map(|s| s.1)));
            object.insert("entry".into(), json!(details.site.as_ref().map(site_json)));
            object.insert(
                "entry_and_return".into(),
                json!(details.return_site.as_ref().map(site_json)),
            );
            object.insert("implementations".into(), json!(implementations));
            object.insert("inlined".into(), json!(inlined));
        }
        entry
    });
    let statics = found.statics.iter().map(|probe| {
        let arguments: Vec<&str> = probe.arguments.iter().map(|a| a.text.as_str()).collect();
        json!({
            "kind": "usdt",
            "module": probe.module,
            "provider": probe.provider,
            "name": probe.name,
            "head": probe.head,
            "address": probe.address,
            "semaphore": probe.semaphore,
            "arguments": arguments,
            "site": site_json(&probe.site),
        })
    });
    let variables = found.variables.iter().map(|variable| {
        let (address, thread_local) = match variable.location {
            Location::Address(address) => (Some(address), None),
            Location::ThreadLocal(offset) => (None, Some(offset)),
            Location::Declared | Location::Unavailable => (None, None),
        };
        json!({
            "kind": "variable",
            "module": variable.module,
            "name": variable.name,
            "declaration": variable.declaration,
            "size": variable.size,
            "address": address,
            "thread_local_offset": thread_local,
            "unit": variable.unit,
        })
    });
    let types = found.types.iter().map(|ty| {
        let members: Vec<Value> = ty
            .members
            .iter()
            // JSON has no numbers of 128 bits.
            .map(|member| {
                json!({
                    "at": i64::try_from(member.at).ok(),
                    "bit": member.bit,
                    "declaration": member.declaration,
                })
            })
            .collect();
        json!({
            "kind": "type",
            "module": ty.module,
            "name": ty.name,
            "declaration": ty.declaration,
            "size": ty.size,
            "members": members,
        })
    });
    Value::Array(
        functions
            .chain(statics)
            .chain(variables)
            .chain(types)
            .collect(),
    )
}

fn site_json(site: &Result<Site, String>) -> Value {
    match site {
        Ok(site) => json!({
            "address": site.address,
            "file_offset": site.file_offset,
            "instruction": site.instruction,
            "handling": format!("{:?}", site.kind),
            "stack_offset": site.stack_offset,
            "serves_return": site.serves_return,
            "reason": site.reason,
        }),
        Err(why) => json!({"refused": why}),
    }
}
