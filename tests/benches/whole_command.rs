//! Whole commands: the main job on nginx, cold and warm; the start-up of one line of code against other tools; peak memory.

mod common;

use std::path::Path;

use common::{Run, Samples, machine, measure, measure_if_asked, row, runs, scratch, title, ytrace};
use ytrace_tests::fixtures::{self, Nginx};

fn main() {
    measure_if_asked();
    if let Some(why) = fixtures::unavailable("dwarf") {
        println!("whole_command: skipped: {why}");
        return;
    }
    machine();
    let nginx = Nginx::start("dwarf", &["--workers", "1"]);
    nginx.get("/fill?n=60000");
    nginx.get("/stop-gc");
    let pid = nginx.worker.to_string();
    main_job(&pid);
    one_line(&pid);
}

fn main_job(pid: &str) {
    let probe = ["run", "probes/lua-gc-fgraph.y", "-p", pid, "-v"];
    let (_folder, warm) = scratch();
    let last = ytrace(&probe, &warm);
    let objects = last
        .stdout
        .lines()
        .find_map(|line| line.split_once(" objects on "))
        .map_or("?", |(number, _)| number)
        .to_owned();
    let mut cold = Samples::default();
    let mut no_index = Samples::default();
    let mut warmed = Samples::default();
    let mut peak = Samples::default();
    let mut allowed = Samples::default();
    let mut dropped = true;
    let mut phases = vec![Samples::default(); PHASES.len()];
    for _ in 0..runs(7) {
        let (_folder, empty) = scratch();
        dropped &= drop_page_cache();
        cold.push(ytrace(&probe, &empty).wall);
        let (_folder, empty) = scratch();
        no_index.push(ytrace(&probe, &empty).wall);
        // Once more to bring back what dropping has cost.
        ytrace(&probe, &warm);
        let run = ytrace(&probe, &warm);
        warmed.push(run.wall);
        peak.push(run.peak);
        allowed.push(60.0 + 2.0 * run.copied());
        for (phase, samples) in PHASES.iter().zip(&mut phases) {
            samples.push(run.phase(phase));
        }
    }
    title(
        &format!("main job, {objects} objects in an nginx worker with debug information"),
        "ms",
    );
    row(
        if dropped {
            "no index, page cache dropped (aim: 1500)"
        } else {
            "no index (the page cache could not be dropped)"
        },
        &cold,
    );
    row("no index, page cache warm", &no_index);
    row("index and page cache warm (aim: 400)", &warmed);
    for (phase, samples) in PHASES.iter().zip(&phases) {
        row(&format!("  of which {phase}"), samples);
    }
    title("peak memory of the main job", "MB");
    row("ytrace", &peak);
    row("allowed: 60 MB + 2 × the bytes copied", &allowed);
}

const PHASES: [&str; 6] = ["open", "compile", "machine code", "learn", "copy", "run"];

/// Needs privilege; false without.
fn drop_page_cache() -> bool {
    nix::unistd::sync();
    std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

fn one_line(pid: &str) {
    let (_folder, cache) = scratch();
    let line = r#"_probe _oneshot { printf("%d\n", ngx_cycle->connection_n); }"#;
    let ours = ["run", "-e", line, "-p", pid, "-v"];
    let venv = fixtures::directory().join("venv/bin/drgn");
    let drgn = [
        "-q",
        "-p",
        pid,
        "-e",
        "print(prog['ngx_cycle'].connection_n)",
    ];
    let print = "print ngx_cycle->connection_n";
    let gdb = ["-nx", "-batch", "-p", pid, "-ex", print];
    let begin = "BEGIN { printf(\"ready\\n\"); exit(); }";
    let bpftrace = ["-e", begin];
    type Tool<'a> = (&'a str, &'a Path, &'a [&'a str]);
    let others: [Tool<'_>; 3] = [
        ("gdb, print the same", Path::new("/usr/bin/gdb"), &gdb),
        ("drgn, print the same", &venv, &drgn),
        (
            "bpftrace, an empty BEGIN (reads nothing)",
            Path::new("/usr/bin/bpftrace"),
            &bpftrace,
        ),
    ];
    let mut own = Samples::default();
    let mut own_peak = Samples::default();
    let mut theirs = vec![(Samples::default(), Samples::default()); others.len()];
    let mut wrong: Option<Run> = None;
    let expected = ytrace(&ours, &cache).stdout;
    let expected = expected.lines().next().unwrap_or("?").trim().to_owned();
    for (_, program, arguments) in others {
        if program.is_file() {
            measure(program, arguments, &[]);
        }
    }
    let mut last = None;
    for _ in 0..runs(11) {
        let run = ytrace(&ours, &cache);
        own.push(run.wall);
        own_peak.push(run.peak);
        last = Some(run);
        for (index, (name, program, arguments)) in others.iter().enumerate() {
            if !program.is_file() {
                continue;
            }
            let run = measure(program, arguments, &[]);
            let answered = run.stdout.contains(&expected) || name.starts_with("bpftrace");
            if !run.success || !answered {
                wrong = Some(run);
                continue;
            }
            theirs[index].0.push(run.wall);
            theirs[index].1.push(run.peak);
        }
    }
    title(
        "start-up: one line that prints ngx_cycle->connection_n, warm",
        "ms",
    );
    row("ytrace", &own);
    let mut best = f64::INFINITY;
    for ((name, _, _), (wall, _)) in others.iter().zip(&theirs) {
        row(name, wall);
        best = best.min(wall.median());
    }
    println!(
        "  ytrace / the best of the others: {:.2} (aim: at most 0.5)",
        own.median() / best
    );
    if let Some(run) = last {
        println!("  {}", run.stderr.trim());
    }
    title("peak memory of the same", "MB");
    row("ytrace", &own_peak);
    for ((name, _, _), (_, peak)) in others.iter().zip(&theirs) {
        row(name, peak);
    }
    if let Some(run) = wrong {
        println!(
            "  left out, a run without the answer: {}{}",
            run.stdout, run.stderr
        );
    }
}
