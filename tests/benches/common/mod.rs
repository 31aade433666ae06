//! What the benchmarks share: samples and their medians, measured commands, a stand-alone LuaJIT that also walks itself.
#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use ytrace_tests::fixtures;

/// The first argument with which a benchmark runs itself to measure one command.
const MEASURE: &str = "--measure-one";

/// Runs of one thing.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds a run.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        match self.0.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => self.0[n / 2],
            n => (self.0[n / 2 - 1] + self.0[n / 2]) / 2.0,
        }
    }

    /// The smallest.
    pub fn min(&self) -> f64 {
        self.0.first().copied().unwrap_or(f64::NAN)
    }

    /// The largest.
    pub fn max(&self) -> f64 {
        self.0.last().copied().unwrap_or(f64::NAN)
    }

    /// How far apart the quartiles are, as a share of the median, in percent.
    pub fn spread(&self) -> f64 {
        let quartile = |share: f64| {
            let index = (share * (self.0.len().saturating_sub(1)) as f64).round() as usize;
            self.0.get(index).copied().unwrap_or(f64::NAN)
        };
        100.0 * (quartile(0.75) - quartile(0.25)) / self.median()
    }
}

/// Prints a table's title and columns.
pub fn title(text: &str, unit: &str) {
    println!("\n{text}");
    println!(
        "  {:<46} {:>10} {:>10} {:>10} {:>8} {:>5}",
        unit, "median", "min", "max", "spread", "runs"
    );
}

/// Prints a row.
pub fn row(name: &str, samples: &Samples) {
    println!(
        "  {:<46} {:>10.2} {:>10.2} {:>10.2} {:>6.0} % {:>5}",
        name,
        samples.median(),
        samples.min(),
        samples.max(),
        samples.spread(),
        samples.0.len()
    );
}

/// Prints what machine this is: figures mean nothing without.
pub fn machine() {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!(
        "{cpus} × {model}, Linux {}, load {load} at the start",
        kernel.trim()
    );
}

/// The number of runs: `$YTRACE_BENCH_RUNS`, or what suits the benchmark.
pub fn runs(usual: usize) -> usize {
    std::env::var("YTRACE_BENCH_RUNS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
        .max(1)
}

/// One run of a command.
#[derive(Clone, Debug)]
pub struct Run {
    /// From before its start to after its end, in milliseconds.
    pub wall: f64,
    /// Its processor time in user mode and in the kernel, with that of its children, in milliseconds. Other work on the
    /// machine changes it less than the wall time.
    pub cpu: f64,
    /// The processor time in user mode alone.
    pub user: f64,
    /// The largest resident size of it and its children, in megabytes (10^6 bytes).
    pub peak: f64,
    /// Whether it exited with status 0.
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Must come first in every benchmark: the kernel tells the peak memory of all children at once, so each command is
/// measured by a process of its own, which is this program again. Does not return there.
pub fn measure_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != MEASURE) {
        return;
    }
    let program = arguments.next().expect("a command to measure");
    let started = Instant::now();
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the command starts");
    let wall = started.elapsed().as_secs_f64() * 1e3;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel tells usage");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let milliseconds = |time: TimeVal| time.tv_sec() as f64 * 1e3 + time.tv_usec() as f64 / 1e3;
    let user = milliseconds(usage.user_time());
    let run = serde_json::json!({
        "wall": wall,
        "cpu": user + milliseconds(usage.system_time()),
        "user": user,
        "peak": usage.max_rss() as f64 * 1024.0 / 1e6,
        "success": output.status.success(),
        "stdout": text(&output.stdout),
        "stderr": text(&output.stderr),
    });
    println!("{run}");
    std::process::exit(0);
}

/// Runs a command in a directory, with variables added to the environment.
pub fn measure(program: &Path, arguments: &[&str], variables: &[(&str, &Path)]) -> Run {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .arg(MEASURE)
        .arg(program)
        .args(arguments)
        .current_dir(ytrace_tests::root())
        .envs(variables.iter().copied())
        .env("NO_COLOR", "1")
        .env("COLUMNS", "120")
        .output()
        .expect("this program starts again");
    let value: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("what the measuring process prints");
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| value[name].as_f64().unwrap_or(f64::NAN);
    Run {
        wall: number("wall"),
        cpu: number("cpu"),
        user: number("user"),
        peak: number("peak"),
        success: value["success"].as_bool().unwrap_or(false),
        stdout: text("stdout"),
        stderr: text("stderr"),
    }
}

/// The same for ytrace, which must succeed.
pub fn ytrace(arguments: &[&str], cache: &Path) -> Run {
    let run = measure(
        &ytrace_tests::program::ytrace(),
        arguments,
        &[("XDG_CACHE_HOME", cache)],
    );
    assert!(
        run.success,
        "ytrace {arguments:?}: {}{}",
        run.stdout, run.stderr
    );
    run
}

impl Run {
    /// A phase of `ytrace run -v` in milliseconds: `open`, `compile`, `machine code`, `learn`, `copy`, `run`.
    pub fn phase(&self, name: &str) -> f64 {
        self.stderr
            .lines()
            .filter(|line| line.contains(" ms · "))
            .flat_map(|line| line.split(" · "))
            .find_map(|part| part.strip_prefix(name)?.trim_start().split(' ').next())
            .and_then(|text| text.parse().ok())
            .unwrap_or(f64::NAN)
    }

    /// The bytes that the pause copied, in megabytes.
    pub fn copied(&self) -> f64 {
        self.stderr
            .rsplit_once(" MB)")
            .and_then(|(before, _)| before.rsplit_once('('))
            .and_then(|(_, text)| text.parse().ok())
            .unwrap_or(f64::NAN)
    }

    /// The pause of the footer, in milliseconds.
    pub fn pause(&self) -> f64 {
        let footer = self.stdout.lines().chain(self.stderr.lines());
        let mut words = footer
            .filter_map(|line| line.trim().strip_prefix("stopped "))
            .flat_map(|rest| rest.split(' '));
        let value: f64 = words
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(f64::NAN);
        match words.next() {
            Some("s") => value * 1e3,
            Some("µs" | "us") => value / 1e3,
            _ => value,
        }
    }
}

/// What the walk in C tells.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// Bytes of all chains, and the collector's own count.
    pub bytes: i64,
    /// The collector's own count.
    pub total: i64,
    /// Objects.
    pub objects: i64,
    /// How long it took.
    pub milliseconds: f64,
    /// Bytes by chain.
    pub chains: BTreeMap<String, i64>,
}

/// A program that is told in lines what to do and answers in lines. The end of its input ends it.
pub struct Peer {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts it.
    pub fn start(command: &mut Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or("no output")?;
        Ok(Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
        })
    }

    /// Its process id.
    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Tells it something.
    pub fn tell(&mut self, text: &str) -> Result<(), String> {
        let stdin = self.stdin.as_mut().ok_or("no input")?;
        stdin
            .write_all(text.as_bytes())
            .map_err(|error| error.to_string())
    }

    /// The next line of its answer, without the line end.
    pub fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.stdout.read_line(&mut line) {
            Ok(0) => Err("the program that is measured against has ended".to_owned()),
            Ok(_) => Ok(line.trim_end_matches('\n').to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// A stand-alone LuaJIT with a large heap, that walks it on demand.
pub struct Walker(Peer);

impl Walker {
    /// Starts one, or says what is missing.
    pub fn start(entries: u32) -> Result<Self, String> {
        let program = fixtures::directory().join("dwarf/luajit-gc64/bin/luajit");
        let module = fixtures::directory().join("lj_walk-gc64.so");
        for needed in [&program, &module] {
            if !needed.is_file() {
                return Err(format!(
                    "{} is missing: run tests/fixtures/setup.sh",
                    needed.display()
                ));
            }
        }
        let mut peer = Peer::start(
            Command::new(program)
                .arg(ytrace_tests::root().join("tests/fixtures/leak/standalone.lua"))
                .arg(entries.to_string())
                .arg("400000")
                .arg(module),
        )?;
        while !peer.line()?.starts_with("READY") {}
        Ok(Self(peer))
    }

    /// Its process id.
    pub fn pid(&self) -> String {
        self.0.pid()
    }

    /// Lets it walk its heap. The result becomes garbage of that heap, which the next walk finds.
    pub fn walk(&mut self) -> Result<Walked, String> {
        // A count is one number on a line, and so the end of the walk's lines.
        self.0.tell("walk\ncount\n")?;
        let head = self.0.line()?;
        let words: Vec<&str> = head.split(' ').collect();
        let field = |name: &str| {
            words
                .windows(2)
                .find_map(|pair| (pair[0] == name).then(|| pair[1]))
                .ok_or_else(|| format!("no {name} in {head:?}"))
        };
        let number = |name: &str| {
            field(name)?
                .parse::<i64>()
                .map_err(|_| format!("{name} in {head:?}"))
        };
        let mut walked = Walked {
            bytes: number("total")?,
            total: number("gc.total")?,
            objects: number("objects")?,
            milliseconds: field("seconds")?
                .parse::<f64>()
                .map_err(|e| e.to_string())?
                * 1e3,
            chains: BTreeMap::new(),
        };
        loop {
            let line = self.0.line()?;
            if !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()) {
                return Ok(walked);
            }
            let mut parts = line.rsplitn(4, ' ').skip(2);
            if let (Some(bytes), Some(chain)) = (parts.next(), parts.next())
                && let Ok(bytes) = bytes.parse::<i64>()
            {
                *walked.chains.entry(chain.to_owned()).or_default() += bytes;
            }
        }
    }
}

/// Folded stacks: bytes by chain.
pub fn folded(text: &str) -> BTreeMap<String, i64> {
    let mut chains = BTreeMap::new();
    for line in text.lines() {
        if let Some((chain, bytes)) = line.rsplit_once(' ')
            && let Ok(bytes) = bytes.parse::<i64>()
        {
            *chains.entry(chain.to_owned()).or_default() += bytes;
        }
    }
    chains
}

/// A directory that goes with the value.
pub fn scratch() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().to_owned();
    (folder, path)
}
