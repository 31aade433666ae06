//! Walks of whole heaps on the copy: glibc's chunks, Perl's values, LuaJIT's objects; against C inside the process and against the
//! Python of gdb and drgn. All must find the same. And how much memory ytrace took for it.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{
    Peer, Run, Samples, Walker, machine, measure, measure_if_asked, row, runs, scratch, title,
    ytrace,
};
use ytrace_tests::{fixtures, root};

/// Chunks that the C program allocates. A third is free again.
const CHUNKS: u64 = 4_000_000;
/// Chunks that a walk in Python sees, by pieces and by objects.
const PYTHON: [(&str, u64); 2] = [("pieces", 1_000_000), ("objects", 100_000)];
/// Nine values an entry of the Perl program's cache.
const ENTRIES: u64 = 330_000;
const PERL: &str = r#"
    my %cache;
    $cache{"key$_"} = { id => $_, name => "name $_", list => [1, 2, 3] } for 1 .. $ARGV[0];
    $| = 1;
    print "ready\n";
    <STDIN>;
"#;

fn main() -> Result<(), String> {
    measure_if_asked();
    if !nix::unistd::geteuid().is_root() {
        println!("heaps: skipped: only root can trace others");
        return Ok(());
    }
    machine();
    let (_folder, cache) = scratch();
    chunks(&cache)?;
    values(&cache)?;
    objects(&cache)
}

/// Bytes that ytrace may take beside what it copied, and how much more than that.
struct Memory {
    peak: Samples,
    share: Samples,
}

impl Memory {
    fn new() -> Self {
        Self {
            peak: Samples::default(),
            share: Samples::default(),
        }
    }

    fn push(&mut self, run: &Run) {
        self.peak.push(run.peak);
        self.share.push((run.peak - 60.0) / run.copied());
    }

    fn print(&self) {
        row("peak memory of ytrace, MB", &self.peak);
        row("(that - 60 MB) / copied (aim: at most 1.2)", &self.share);
    }
}

/// A run with its phases. The pause may be as long as the copy takes on a busy machine: what is measured is the walk.
fn command<'a>(probe: &'a str, pid: &'a str) -> [&'a str; 7] {
    ["run", probe, "-p", pid, "-v", "--max-pause", "2s"]
}

/// Million things a second.
fn rate(name: &str, things: u64, milliseconds: &Samples, aim: &str) {
    println!(
        "  {name}: {:.1} M/s{aim}",
        things as f64 / milliseconds.median() / 1e3
    );
}

/// What a walk says: chunks in use and their bytes, free ones and theirs; then nanoseconds.
fn walked(line: &str) -> Result<([u64; 4], f64), String> {
    let numbers: Option<Vec<u64>> = line.split(' ').map(|word| word.parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[used, bytes, free, free_bytes, nanoseconds]) => {
            Ok(([used, bytes, free, free_bytes], nanoseconds as f64 / 1e6))
        }
        _ => Err(format!("not understood: {line:?}")),
    }
}

/// The same of `glibc-free`'s and `glibc-chunks`' one arena.
fn found(file: &Path) -> Result<[u64; 4], String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let report: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let views = report["views"].as_array().ok_or("no views")?;
    let table = views
        .iter()
        .find(|view| {
            view["title"]
                .as_str()
                .is_some_and(|title| title.starts_with("Arenas"))
        })
        .ok_or("no table of arenas")?;
    let columns = table["columns"].as_array().ok_or("no columns")?;
    let cell = |name: &str| {
        let index = columns
            .iter()
            .position(|column| column["name"] == name || *column == name)
            .ok_or_else(|| format!("no column {name} in {columns:?}"))?;
        table["rows"][0][index]
            .as_u64()
            .or_else(|| table["rows"][0]["cells"][index].as_u64())
            .ok_or_else(|| format!("no number in {name}: {}", table["rows"][0]))
    };
    let bins = report["checks"]
        .as_array()
        .and_then(|checks| {
            checks
                .iter()
                .find(|check| check["name"] == "free chunks = bins")
        })
        .and_then(|check| check["left"].as_u64())
        .ok_or("no check of the bins")?;
    Ok([cell("chunks")?, cell("bytes")?, bins, cell("free_bytes")?])
}

fn build(folder: &Path) -> Option<PathBuf> {
    let program = folder.join("chunks");
    let status = Command::new("cc")
        .args(["-O2", "-g", "-Wall", "-o"])
        .arg(&program)
        .arg(root().join("tests/bench/chunks.c"))
        .status();
    status
        .is_ok_and(|status| status.success())
        .then_some(program)
}

/// A debugger with Python, and the arguments that let it run a script on a process.
fn debuggers<'a>(pid: &'a str, script: &'a str) -> [(&'static str, PathBuf, Vec<&'a str>); 2] {
    [
        (
            "gdb",
            PathBuf::from("/usr/bin/gdb"),
            vec!["-nx", "-batch", "-p", pid, "-x", script],
        ),
        (
            "drgn",
            fixtures::directory().join("venv/bin/drgn"),
            vec!["-q", "-p", pid, script],
        ),
    ]
}

/// What a script printed after "walked".
fn said(run: &Run) -> Result<&str, String> {
    run.stdout
        .lines()
        .find_map(|line| line.strip_prefix("walked "))
        .ok_or_else(|| format!("no result: {}{}", run.stdout, run.stderr))
}

fn chunks(cache: &Path) -> Result<(), String> {
    let (_folder, folder) = scratch();
    let Some(program) = build(&folder) else {
        println!("chunks: skipped: no C compiler");
        return Ok(());
    };
    let mut peer = Peer::start(
        Command::new(&program)
            .arg(CHUNKS.to_string())
            .env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0"),
    )?;
    let ready = peer.line()?;
    let (start, top) = ready
        .strip_prefix("ready ")
        .and_then(|rest| rest.split_once(' '))
        .ok_or_else(|| format!("not ready: {ready:?}"))?;
    let pid = peer.pid();
    let probe = command("probes/glibc-chunks.y", &pid);
    ytrace(&probe, cache);

    let mut ours = Samples::default();
    let mut learning = Samples::default();
    let mut theirs = Samples::default();
    let mut ratio = Samples::default();
    let mut memory = Memory::new();
    let mut expected = [0; 4];
    for _ in 0..runs(11) {
        let run = ytrace(&probe, cache);
        peer.tell("walk\n")?;
        let (in_c, milliseconds) = walked(&peer.line()?)?;
        expected = in_c;
        ours.push(run.phase("run"));
        learning.push(run.phase("learn"));
        theirs.push(milliseconds);
        ratio.push(run.phase("run") / milliseconds);
        memory.push(&run);
    }
    let all = expected[0] + expected[2];
    title(&format!("glibc: {all} chunks"), "ms");
    row("ytrace, the run on the copy", &ours);
    row("ytrace, the learning run on live memory", &learning);
    row("C inside the process", &theirs);
    row("ytrace's run / C", &ratio);
    memory.print();
    rate("ytrace", all, &ours, " (aim: at least 20, better 50)");
    rate("C", all, &theirs, "");

    let file = folder.join("chunks.json");
    let name = file.display().to_string();
    ytrace(&[&probe[..], &["-o", &name]].concat(), cache);
    let ours = found(&file)?;
    if ours != expected {
        return Err(format!("ytrace found {ours:?}, C {expected:?}"));
    }
    println!("  both found the same: {expected:?} (chunks and bytes in use, and free)");
    in_python(&pid, start, top)
}

fn in_python(pid: &str, start: &str, top: &str) -> Result<(), String> {
    for (how, most) in PYTHON {
        let mut results = Vec::new();
        for (name, program, arguments) in debuggers(pid, "tests/bench/chunks.py") {
            if !program.is_file() {
                println!("  {name} is missing");
                continue;
            }
            let most_text = most.to_string();
            let mut samples = Samples::default();
            for _ in 0..runs(5) {
                let run = measure(
                    &program,
                    &arguments,
                    &[
                        ("WALK_START", Path::new(start)),
                        ("WALK_TOP", Path::new(top)),
                        ("WALK_HOW", Path::new(how)),
                        ("WALK_MOST", Path::new(&most_text)),
                    ],
                );
                let (result, milliseconds) = walked(said(&run)?)?;
                results.push(result);
                samples.push(milliseconds);
            }
            row(&format!("{name}, {how}, {most} chunks"), &samples);
            rate(name, most, &samples, "");
        }
        if results.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(format!("walks in Python differ: {results:?}"));
        }
    }
    Ok(())
}

fn values(cache: &Path) -> Result<(), String> {
    let mut peer =
        match Peer::start(Command::new("/usr/bin/perl").args(["-e", PERL, &ENTRIES.to_string()])) {
            Ok(peer) => peer,
            Err(why) => {
                println!("values: skipped: {why}");
                return Ok(());
            }
        };
    peer.line()?;
    let pid = peer.pid();
    let mut counted = 0;
    for probe in ["perl-gc-fgraph", "perl-gc-stats"] {
        let file = format!("probes/{probe}.y");
        let arguments = command(&file, &pid);
        let first = ytrace(&arguments, cache);
        counted = first
            .stderr
            .lines()
            .chain(first.stdout.lines())
            .filter(|line| line.starts_with("values ") && line.contains("PL_sv_count: "))
            .find_map(|line| line.rsplit_once(" = ")?.1.replace(',', "").parse().ok())
            .ok_or("no count of values")?;
        let mut samples = Samples::default();
        let mut memory = Memory::new();
        for _ in 0..runs(7) {
            let run = ytrace(&arguments, cache);
            samples.push(run.phase("run"));
            memory.push(&run);
        }
        title(&format!("Perl: {counted} values"), "ms");
        row(&format!("{probe}, the run on the copy"), &samples);
        memory.print();
        rate(probe, counted, &samples, " (aim: at least 3)");
    }
    for (name, program, arguments) in debuggers(&pid, "tests/bench/values.py") {
        if !program.is_file() {
            println!("  {name} is missing");
            continue;
        }
        let mut samples = Samples::default();
        for _ in 0..runs(5) {
            let run = measure(&program, &arguments, &[]);
            let (count, nanoseconds) = said(&run)?.split_once(' ').ok_or("not understood")?;
            if count.parse() != Ok(counted) {
                return Err(format!("{name} counts {count} values, ytrace {counted}"));
            }
            samples.push(nanoseconds.parse::<f64>().map_err(|e| e.to_string())? / 1e6);
        }
        row(&format!("{name}, counts by type alone"), &samples);
        rate(name, counted, &samples, "");
    }
    Ok(())
}

fn objects(cache: &Path) -> Result<(), String> {
    let mut walker = match Walker::start(60_000) {
        Ok(walker) => walker,
        Err(why) => {
            println!("objects: skipped: {why}");
            return Ok(());
        }
    };
    let pid = walker.pid();
    let walked = walker.walk()?;
    for probe in ["lua-gc-fgraph", "lua-gc-stats"] {
        let file = format!("probes/{probe}.y");
        let arguments = command(&file, &pid);
        ytrace(&arguments, cache);
        let mut samples = Samples::default();
        let mut memory = Memory::new();
        for _ in 0..runs(7) {
            let run = ytrace(&arguments, cache);
            samples.push(run.phase("run"));
            memory.push(&run);
        }
        title(&format!("LuaJIT: {} objects", walked.objects), "ms");
        row(&format!("{probe}, the run on the copy"), &samples);
        memory.print();
        let objects = u64::try_from(walked.objects).unwrap_or(0);
        rate(probe, objects, &samples, " (aim: at least 5)");
    }
    Ok(())
}
