//! Compile time: a probe file of some 500 lines with 30 functions and handlers, up to its first handler and in full; and
//! `ytrace check` and `ytrace fmt` as whole commands on the probes that ship.

mod common;

use std::path::Path;

use common::{Samples, machine, measure_if_asked, row, runs, scratch, title, ytrace};
use ytrace_tests::fixtures::{self, Nginx};

/// How often the functions and handlers of `tests/bench/compile.y` are repeated under other names.
const COPIES: usize = 5;

fn main() -> Result<(), String> {
    measure_if_asked();
    machine();
    commands()?;
    if let Some(why) = fixtures::unavailable("dwarf") {
        println!("compile: the probe file is skipped: {why}");
        return Ok(());
    }
    probe_file()
}

/// A run up to the end of its first handler, and one of all handlers, on a worker whose types are indexed.
fn probe_file() -> Result<(), String> {
    let path = ytrace_tests::root().join("tests/bench/compile.y");
    let part = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let parts = |suffix: &dyn Fn(usize) -> String| -> String {
        (1..=COPIES)
            .map(|copy| part.replace('@', &suffix(copy)))
            .collect()
    };
    let body = parts(&|copy| copy.to_string());
    let (_folder, folder) = scratch();
    let write = |name: &str, text: &str| -> Result<String, String> {
        let file = folder.join(name);
        std::fs::write(&file, text).map_err(|error| error.to_string())?;
        Ok(file.display().to_string())
    };
    let first = write(
        "first.y",
        &format!("_probe _begin {{ if (_pid() > 0) _exit(); }}\n{body}"),
    )?;
    // Oneshots run, and so are compiled, without waiting for a timer.
    let every: String = body
        .lines()
        .map(|line| match line.starts_with("_probe _timer") {
            true => "_probe _oneshot {\n".to_owned(),
            false => format!("{line}\n"),
        })
        .collect();
    let all = write("all.y", &every)?;
    let nginx = Nginx::start("dwarf", &["--workers", "1"]);
    let pid = nginx.worker.to_string();
    let (_cache_folder, cache) = scratch();
    // On live memory, since a pause that a busy machine makes too long would end in a partial result.
    let alone = write("alone.y", "_probe _begin { if (_pid() > 0) _exit(); }\n")?;
    let commands = [
        ["run", &alone, "-p", &pid, "-v", "--mode", "live"],
        ["run", &first, "-p", &pid, "-v", "--mode", "live"],
        ["run", &all, "-p", &pid, "-v", "--mode", "live"],
    ];
    for command in commands {
        ytrace(&command, &cache);
    }
    const PARTS: [&str; 5] = [
        "compile and machine code",
        "compile",
        "machine code",
        "whole command",
        "whole command, processor time",
    ];
    let mut samples = [const { [const { None }; PARTS.len()] }; 3]
        .map(|of: [Option<Samples>; PARTS.len()]| of.map(Option::unwrap_or_default));
    for _ in 0..runs(15) {
        for (command, samples) in commands.iter().zip(&mut samples) {
            let run = ytrace(command, &cache);
            let phases = [run.phase("compile"), run.phase("machine code")];
            for (samples, value) in samples.iter_mut().zip([
                phases[0] + phases[1],
                phases[0],
                phases[1],
                run.wall,
                run.cpu,
            ]) {
                samples.push(value);
            }
        }
    }
    let lines = body.lines().count();
    let aims = [
        "its first handler without the rest",
        "up to the first handler (aim: at most 20)",
        "with all handlers (aim: at most 60)",
    ];
    for (aim, samples) in aims.iter().zip(&samples) {
        title(
            &format!("{lines} lines, 30 functions and handlers: {aim}"),
            "ms",
        );
        for (name, samples) in PARTS.iter().zip(samples) {
            row(name, samples);
        }
    }
    Ok(())
}

/// Whole commands that need no target.
fn commands() -> Result<(), String> {
    let probes = ytrace_tests::root().join("probes");
    let mut names: Vec<String> = std::fs::read_dir(&probes)
        .map_err(|error| error.to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "y"))
        .map(|path| path.display().to_string())
        .collect();
    names.sort();
    let (_folder, cache) = scratch();
    title(
        "whole commands on the shipped probes (aim: at most 50)",
        "ms",
    );
    for name in &names {
        let shown = Path::new(name).file_name().unwrap_or_default().display();
        let commands = [
            (format!("check {shown}"), vec!["check", name]),
            (format!("fmt --check {shown}"), vec!["fmt", "--check", name]),
        ];
        let mut samples = vec![[(); 2].map(|()| Samples::default()); commands.len()];
        for _ in 0..runs(15) {
            for ((_, command), [wall, cpu]) in commands.iter().zip(&mut samples) {
                let run = ytrace(command, &cache);
                wall.push(run.wall);
                cpu.push(run.cpu);
            }
        }
        for ((name, _), [wall, cpu]) in commands.iter().zip(&samples) {
            row(name, wall);
            row("  processor time", cpu);
        }
    }
    Ok(())
}
