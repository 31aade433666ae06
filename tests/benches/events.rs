//! What probing costs the program that is probed, in ytrace and in others, on the same program in one run: a hit that is counted, that
//! carries arguments, that carries a stack, that returns; probes on a thousand functions put in place and taken away; a program that
//! allocates all the time and nginx under load while their memory is followed; and whether records are lost.
//!
//! Others are used where they are installed, as `tests/fixtures/setup.sh` does; memleak-bpfcc needs headers of a kernel and the file system of
//! traces (`mount -t tracefs tracefs /sys/kernel/tracing`). Tools take turns within each round. Nanoseconds are of processor time of the program that is probed, where other
//! work on the machine counts least.

mod common;

use std::cell::Cell;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Peer, Samples, machine, row, runs, scratch, title};
use nix::sys::signal::Signal;
use ytrace_tests::code::Code;
use ytrace_tests::fixtures::{Nginx, unavailable};
use ytrace_tests::processes::signal;
use ytrace_tests::program::command;

/// Calls of the function that is probed in one run.
const CALLS: u32 = 200_000;

/// Blocks that the program allocates in one run.
const BLOCKS: u32 = 300_000;

/// How long a tool may take until its probes are in their places.
const START: Duration = Duration::from_secs(30);

/// The program that is probed, and where it lies.
struct Program {
    peer: Peer,
    path: PathBuf,
}

impl Program {
    fn start(folder: &Path, variables: &[(&str, &Path)]) -> Result<Self, String> {
        let path = folder.join("events");
        if !path.is_file() {
            let source = ytrace_tests::root().join("tests/bench/events.c");
            let built = Command::new("cc")
                .args([
                    "-g",
                    "-O2",
                    "-fno-omit-frame-pointer",
                    "-fcf-protection=none",
                ])
                .args(["-fno-stack-protector", "-o"])
                .args([&path, &source])
                .status();
            if !built.is_ok_and(|status| status.success()) {
                return Err("the program cannot be built".to_owned());
            }
        }
        // In a session of its own: where the kernel shares the processors out by session (sched(7), autogroup), what probes would else
        // have to share with what is probed.
        let mut command = Command::new("setsid");
        // What is loaded into one program takes itself out of the environment of the next: only the last one gets the variables.
        command.arg("env");
        for (name, value) in variables {
            let mut variable = OsString::from(name);
            variable.push("=");
            variable.push(value);
            command.arg(variable);
        }
        command.arg(&path);
        let mut peer = Peer::start(&mut command)?;
        peer.line()?;
        Ok(Self { peer, path })
    }

    fn pid(&self) -> i32 {
        self.peer.pid().parse().unwrap_or_default()
    }

    /// The number that it answers to a command.
    fn told(&mut self, what: &str) -> Result<f64, String> {
        self.peer.tell(&format!("{what}\n"))?;
        let line = self.peer.line()?;
        let number = line.split(' ').next().unwrap_or_default();
        number.parse().map_err(|_| format!("{what}: {line}"))
    }
}

/// Something that probes a process.
struct Tool {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    /// On how many places its probes are at least.
    places: usize,
    /// Whether its probes are in their places for a part of the time only.
    windows: bool,
    /// How it said it did not work, which it is then not asked again.
    failed: Cell<bool>,
}

fn tool(name: &str, program: &str, arguments: &[&str], places: usize) -> Tool {
    Tool {
        name: name.to_owned(),
        program: PathBuf::from(program),
        arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
        places,
        windows: false,
        failed: Cell::new(false),
    }
}

/// ytrace, with what comes after `run -p PID`.
fn ours(name: &str, arguments: &[&str], places: usize) -> Tool {
    tool(name, "", arguments, places)
}

/// ytrace with `--duty`.
fn in_windows(name: &str, arguments: &[&str], places: usize) -> Tool {
    Tool {
        windows: true,
        ..ours(name, arguments, places)
    }
}

/// A running tool whose probes are in their places.
struct Running {
    child: Child,
    said: PathBuf,
}

impl Tool {
    /// Starts it and waits until it has changed as much code as it is to, and changes no more of it; where it changes it in windows, until some
    /// of these have come, after the one in which it estimates its cost.
    fn start(&self, pid: i32, code: &Code, folder: &Path) -> Result<Running, String> {
        let number = pid.to_string();
        let said = folder.join("said");
        let output = File::create(&said).map_err(|error| error.to_string())?;
        let errors = output.try_clone().map_err(|error| error.to_string())?;
        let mut command = match self.program.as_os_str().is_empty() {
            true => {
                let mut command = command(&["run", "-p", &number]);
                command.args(&self.arguments);
                command
            }
            false => {
                let mut command = Command::new(&self.program);
                let words = self
                    .arguments
                    .iter()
                    .map(|word| word.replace("{pid}", &number));
                command.args(words).current_dir(folder);
                command
            }
        };
        let mut child = command
            .env("BPFTRACE_MAX_PROBES", "4000")
            .env("BPFTRACE_MAP_KEYS_MAX", "1000000")
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| error.to_string())?;
        let deadline = Instant::now() + START;
        let mut before = (0, Instant::now());
        let mut windows = 0;
        loop {
            let now = code.changed().len();
            if now >= self.places && before.0 < self.places {
                windows += 1;
            }
            if now != before.0 {
                before = (now, Instant::now());
            }
            let settled = match self.windows {
                true => windows > 2,
                false => before.1.elapsed() > Duration::from_millis(300),
            };
            if now >= self.places && settled {
                return Ok(Running { child, said });
            }
            let ended = child.try_wait().ok().flatten().is_some();
            if ended || Instant::now() > deadline {
                let _ = child.kill();
                let _ = child.wait();
                self.failed.set(true);
                let text = std::fs::read_to_string(&said).unwrap_or_default();
                let last = text.lines().last().unwrap_or("it says nothing").to_owned();
                return Err(format!("{}: did not probe: {last}", self.name));
            }
            std::thread::sleep(Duration::from_millis(if self.windows { 1 } else { 5 }));
        }
    }
}

impl Running {
    /// Interrupts it and gives what it said.
    fn stop(mut self) -> String {
        signal(
            i32::try_from(self.child.id()).unwrap_or_default(),
            Signal::SIGINT,
        );
        let _ = self.child.wait();
        let text = std::fs::read(&self.said).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// How many hits ytrace says that it lost.
fn lost(said: &str) -> Option<u64> {
    let words: Vec<&str> = said.split_whitespace().collect();
    let at = words
        .iter()
        .position(|word| word.trim_end_matches([',', '·']) == "lost")?;
    words.get(at.checked_sub(1)?)?.replace(',', "").parse().ok()
}

/// What one tool cost: figures, their ratios to those without it, and what it lost.
#[derive(Default)]
struct Cost {
    figures: Samples,
    lost: u64,
}

/// Prints what each tool cost, and what it lost.
fn told_apart(tools: &[Tool], costs: &[Cost]) {
    for (tool, cost) in tools.iter().zip(costs) {
        if tool.failed.get() {
            println!("  {:<46} did not run", tool.name);
            continue;
        }
        row(&tool.name, &cost.figures);
        if cost.lost > 0 {
            println!("    {} hits lost", cost.lost);
        }
    }
}

/// Lets each tool of a list probe the program in turn while that does something, and prints what it said more than untraced.
fn side_by_side(
    heading: &str,
    program: &mut Program,
    tools: &[Tool],
    what: &str,
    rounds: usize,
    ratios: bool,
) -> Result<(), String> {
    let (_kept, folder) = scratch();
    let code = Code::of(program.pid());
    let mut bare = Samples::default();
    let mut costs: Vec<Cost> = tools.iter().map(|_| Cost::default()).collect();
    for _ in 0..rounds {
        let without = program.told(what)?;
        bare.push(without);
        for (tool, cost) in tools.iter().zip(&mut costs) {
            if tool.failed.get() {
                continue;
            }
            let running = match tool.start(program.pid(), &code, &folder) {
                Ok(running) => running,
                Err(why) => {
                    println!("  {why}");
                    continue;
                }
            };
            let with = program.told(what);
            let said = running.stop();
            let with = with?;
            cost.figures.push(if ratios {
                with / without
            } else {
                with - without
            });
            cost.lost += lost(&said).unwrap_or(0);
            let deadline = Instant::now() + START;
            while !code.changed().is_empty() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
    title(
        heading,
        if ratios {
            "times as long"
        } else {
            "ns more a hit"
        },
    );
    row("untraced, ns", &bare);
    told_apart(tools, &costs);
    Ok(())
}

fn installed(program: &str) -> bool {
    let found = Command::new("which")
        .arg(program)
        .stdout(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

/// Those tools whose programs are there; says which are not.
fn there(tools: Vec<Tool>) -> Vec<Tool> {
    let mut missing = Vec::new();
    let tools = tools.into_iter().filter(|tool| {
        let name = tool.program.display().to_string();
        let there = name.is_empty() || installed(&name);
        if !there && !missing.contains(&name) {
            println!("  {name} is not installed");
            missing.push(name);
        }
        there
    });
    tools.collect()
}

/// What it costs to be hit.
fn hits(folder: &Path) -> Result<(), String> {
    let mut program = Program::start(folder, &[])?;
    let path = program.path.display().to_string();
    let at = |probe: &str, body: &str| format!("{probe}:{path}:cheap {body}");
    let bpftrace = |name: &str, text: &str| tool(name, "bpftrace", &["-p", "{pid}", "-e", text], 1);
    let mut perf = installed("perf");
    for event in [
        "entered=cheap+0 n=%di:s64 key=%si:s64",
        "back=cheap%return n=$retval:s64",
    ] {
        perf = perf && perf_probe(&["-q", "-f", "-x", &path, event]);
    }
    let record = |name: &str, more: &[&str]| {
        let words = [
            "record",
            "-q",
            "-o",
            "perf.data",
            "-p",
            "{pid}",
            "-e",
            "probe_events:entered",
        ];
        let mut tool = tool(name, "perf", &[&words[..], more].concat(), 1);
        tool.failed.set(!perf);
        tool.arguments
            .extend(["--".to_owned(), "sleep".to_owned(), "1000".to_owned()]);
        tool
    };
    let lists = [
        (
            "a hit that is counted",
            vec![
                ours(
                    "ytrace, counted in the kernel",
                    &["-e", "long n; _probe cheap(long a, long b) { n++; }"],
                    1,
                ),
                ours(
                    "ytrace, a record for each",
                    &[
                        "-e",
                        "long n; _probe cheap(long a, long b) { n = n * 3 + 1; }",
                    ],
                    1,
                ),
                bpftrace("bpftrace", &at("uprobe", "{ @ = count(); }")),
            ],
        ),
        (
            "a hit in a histogram",
            vec![
                ours(
                    "ytrace, histogram",
                    &[
                        "-e",
                        "_agg all; _probe cheap(long a, long b) { all <<< a; }",
                    ],
                    1,
                ),
                bpftrace("bpftrace", &at("uprobe", "{ @ = hist(arg0); }")),
            ],
        ),
        (
            "a hit with its arguments: a table by one, sums of the other",
            vec![
                ours(
                    "ytrace, summed in the kernel",
                    &[
                        "-e",
                        "long sums[long]; _probe cheap(long a, long b) { sums[b] += a; }",
                    ],
                    1,
                ),
                ours(
                    "ytrace, a record for each",
                    &[
                        "-e",
                        "long last; _probe cheap(long a, long b) { last = last * 3 + a + b; }",
                    ],
                    1,
                ),
                bpftrace("bpftrace", &at("uprobe", "{ @[arg1] = sum(arg0); }")),
                record("perf record (a record for each)", &[]),
            ],
        ),
        (
            "a hit with its stack",
            vec![
                ours(
                    "ytrace, a slice of the stack",
                    &[
                        "-e",
                        "long paths[_path]; _probe cheap(long a, long b) { paths[_ubt()]++; }",
                    ],
                    1,
                ),
                bpftrace(
                    "bpftrace, frame pointers",
                    &at("uprobe", "{ @[ustack] = count(); }"),
                ),
                record(
                    "perf record, 2 KiB of stack",
                    &["--call-graph", "dwarf,2048"],
                ),
                record(
                    "perf record, 8 KiB of stack",
                    &["--call-graph", "dwarf,8192"],
                ),
            ],
        ),
        (
            "entry and return",
            vec![
                ours(
                    "ytrace",
                    &[
                        "-e",
                        "long sum; _probe cheap(long a, long b) -> long r { sum += r - a; }",
                    ],
                    1,
                ),
                bpftrace(
                    "bpftrace",
                    &format!(
                        "{} {}",
                        at("uprobe", "{ @a[tid] = arg0; }"),
                        at("uretprobe", "{ @sum = sum(retval - @a[tid]); }")
                    ),
                ),
                record(
                    "perf record (two records)",
                    &["-e", "probe_events:back__return"],
                ),
            ],
        ),
        (
            "the time that a call takes, in a histogram",
            vec![
                ours(
                    "ytrace",
                    &[
                        "-e",
                        "_agg took; _probe cheap(long a, long b) -> _void { took <<< _now_ns() - _entry(_now_ns()); }",
                    ],
                    1,
                ),
                bpftrace(
                    "bpftrace",
                    &format!(
                        "{} {}",
                        at("uprobe", "{ @a[tid] = nsecs; }"),
                        at(
                            "uretprobe",
                            "/@a[tid]/ { @ = hist(nsecs - @a[tid]); delete(@a[tid]); }"
                        )
                    ),
                ),
            ],
        ),
    ];
    for (heading, tools) in lists {
        let what = format!("calls {CALLS}");
        side_by_side(heading, &mut program, &there(tools), &what, runs(7), false)?;
    }
    if perf {
        perf_probe(&["-q", "-d", "probe_events:entered"]);
        perf_probe(&["-q", "-d", "probe_events:back__return"]);
    }
    Ok(())
}

fn perf_probe(arguments: &[&str]) -> bool {
    let status = Command::new("perf")
        .arg("probe")
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// How long the code of a process takes to change in all these places: from when the first is seen changed, or the first is seen as it
/// was, to the last.
fn watched(code: &Code, places: usize, gone: bool, deadline: Instant) -> f64 {
    let mut first = None;
    loop {
        let changed = code.changed().len();
        let (begun, done) = match gone {
            true => (changed < places, changed == 0),
            false => (changed > 0, changed >= places),
        };
        let now = Instant::now();
        if begun && first.is_none() {
            first = Some(now);
        }
        if let (Some(first), true) = (first, done) {
            return (now - first).as_secs_f64() * 1e3;
        }
        if now > deadline {
            return f64::NAN;
        }
        std::hint::spin_loop();
    }
}

/// Probes on a thousand functions.
fn many(folder: &Path) -> Result<(), String> {
    let program = Program::start(folder, &[])?;
    let path = program.path.display().to_string();
    // Taking one probe of perf's away takes it some 80 ms, so there are fewer.
    let text = format!("uprobe:{path}:many_0* {{ @ = count(); }}");
    let tools = there(vec![
        ours("ytrace", &["-e", "long n; _probe `many_*` { n++; }"], 1000),
        ours(
            "ytrace, returns",
            &["-e", "long n; _probe `many_*` -> _void { n++; }"],
            1000,
        ),
        tool(
            "bpftrace, 100 functions",
            "bpftrace",
            &["-p", "{pid}", "-e", &text],
            100,
        ),
    ]);
    let (_kept, scratch) = scratch();
    let own = program.path.clone();
    let code = Code::of_files(program.pid(), |path| Path::new(path) == own);
    let mut figures: Vec<[Samples; 3]> = tools.iter().map(|_| Default::default()).collect();
    for round in 0..runs(5) {
        for (tool, figures) in tools.iter().zip(&mut figures) {
            if tool.failed.get() || (round > 0 && tool.places < 1000) {
                continue;
            }
            let begun = Instant::now();
            let (deadline, places) = (begun + START, tool.places);
            let (started, put) = std::thread::scope(|scope| {
                let watcher = scope.spawn(|| {
                    let put = watched(&code, places, false, deadline);
                    (begun.elapsed().as_secs_f64() * 1e3, put)
                });
                let started = tool.start(program.pid(), &code, &scratch);
                (started, watcher.join().unwrap_or((f64::NAN, f64::NAN)))
            });
            let running = match started {
                Ok(running) => running,
                Err(why) => {
                    println!("  {why}");
                    continue;
                }
            };
            figures[0].push(put.1);
            figures[1].push(put.0);
            let deadline = Instant::now() + START;
            let taken = std::thread::scope(|scope| {
                let watcher = scope.spawn(|| watched(&code, places, true, deadline));
                running.stop();
                watcher.join().unwrap_or(f64::NAN)
            });
            figures[2].push(taken);
        }
    }
    title("a thousand functions, seen from the program's code", "ms");
    for (tool, [put, ready, taken]) in tools.iter().zip(&figures) {
        if tool.failed.get() {
            println!("  {:<46} did not run", tool.name);
            continue;
        }
        row(&format!("{}: first to last probe", tool.name), put);
        row(
            &format!("{}: start of the command to last probe", tool.name),
            ready,
        );
        row(&format!("{}: first to last taken away", tool.name), taken);
    }
    Ok(())
}

const LEAKS: &str = "probes/c-memory-leak-fgraph.y";

/// Probes on the functions that the flame graph of leaks is made of, which only count.
const COUNTED: &str = "long n;
    _probe malloc(size_t a) -> void *p { n++; }
    _probe calloc(size_t a, size_t b) -> void *p { n++; }
    _probe aligned_alloc(size_t a, size_t b) -> void *p { n++; }
    _probe posix_memalign(void **o, size_t a, size_t b) -> int r { n++; }
    _probe realloc(void *o, size_t a) { n++; }
    _probe realloc(void *o, size_t a) -> void *p { n++; }
    _probe free(void *p) { n++; }";

/// Who follows the memory of a process whose C library lies there.
fn memory_tools(libc: &str) -> Vec<Tool> {
    let mut functions = vec![
        format!("uprobe:{libc}:free"),
        format!("uprobe:{libc}:realloc"),
    ];
    for name in [
        "malloc",
        "calloc",
        "realloc",
        "aligned_alloc",
        "posix_memalign",
    ] {
        functions.push(format!("uretprobe:{libc}:{name}"));
    }
    let empty = format!("{} {{ }}", functions.join(","));
    let followed = format!(
        "uprobe:{libc}:malloc {{ @size[tid] = arg0; }} \
         uretprobe:{libc}:malloc /@size[tid]/ {{ @live[retval] = @size[tid]; @paths[ustack] = sum(@size[tid]); delete(@size[tid]); }} \
         uprobe:{libc}:free {{ delete(@live[arg0]); }} END {{ clear(@live); clear(@size); clear(@paths); }}"
    );
    let places = 6;
    there(vec![
        ours("ytrace, every block", &[LEAKS, "--force"], places),
        ours(
            "ytrace, --every 64K",
            &[LEAKS, "--force", "--", "--every", "64K"],
            places,
        ),
        ours(
            "ytrace, --every 512K",
            &[LEAKS, "--force", "--", "--every", "512K"],
            places,
        ),
        ours(
            "ytrace, hits of the same functions counted",
            &["-e", COUNTED],
            places,
        ),
        tool(
            "bpftrace, the same functions, nothing done",
            "bpftrace",
            &["-p", "{pid}", "-e", &empty],
            places,
        ),
        tool(
            "bpftrace, malloc and free, blocks and stacks",
            "bpftrace",
            &["-p", "{pid}", "-e", &followed],
            2,
        ),
        tool(
            "memleak-bpfcc",
            "memleak-bpfcc",
            &["-p", "{pid}", "1000"],
            2,
        ),
    ])
}

/// The C library of a process.
fn libc_of(pid: i32) -> Result<String, String> {
    let maps =
        std::fs::read_to_string(format!("/proc/{pid}/maps")).map_err(|error| error.to_string())?;
    let paths = maps
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().nth(5));
    let mut libraries = paths.filter(|path| path.contains("/libc.so") || path.contains("/libc-2"));
    libraries
        .next()
        .map(str::to_owned)
        .ok_or_else(|| "no C library".to_owned())
}

/// A program that allocates all the time.
fn allocations(folder: &Path) -> Result<(), String> {
    let mut program = Program::start(folder, &[])?;
    let what = format!("malloc {BLOCKS}");
    let tools = memory_tools(&libc_of(program.pid())?);
    let heading = "a program that allocates, time for a block";
    side_by_side(heading, &mut program, &tools, &what, runs(5), true)?;
    // heaptrack is in the program from its start on.
    let library = Path::new("/usr/lib/heaptrack/libheaptrack_preload.so");
    if !library.is_file() {
        println!("  heaptrack is not installed");
        return Ok(());
    }
    let (_kept, scratch) = scratch();
    let output = scratch.join("heaptrack");
    let variables = [("LD_PRELOAD", library), ("DUMP_HEAPTRACK_OUTPUT", &*output)];
    let mut with = Program::start(folder, &variables)?;
    let mut ratios = Samples::default();
    for _ in 0..runs(5) {
        ratios.push(with.told(&what)? / program.told(&what)?);
    }
    if std::fs::metadata(&output).map_or(0, |meta| meta.len()) == 0 {
        return Err("heaptrack has recorded nothing".to_owned());
    }
    row("heaptrack (loaded, its file is not compressed)", &ratios);
    Ok(())
}

/// Records at 500,000 a second.
fn losses(folder: &Path) -> Result<(), String> {
    const STACKS: &str = "long paths[_path]; _probe cheap(long a, long b) { paths[_ubt()]++; }";
    let mut program = Program::start(folder, &[])?;
    let (_kept, scratch) = scratch();
    let code = Code::of(program.pid());
    println!("\n500,000 hits a second for 4 s");
    for (tool, what) in [
        (
            ours(
                "a record of two arguments",
                &[
                    "-e",
                    "long last; _probe cheap(long a, long b) { last = last * 3 + a + b; }",
                ],
                1,
            ),
            "paced",
        ),
        (ours("a record with its stack", &["-e", STACKS], 1), "paced"),
        (
            ours("a record with its stack, 20 calls deep", &["-e", STACKS], 1),
            "deep",
        ),
    ] {
        let running = tool.start(program.pid(), &code, &scratch)?;
        let begun = Instant::now();
        let calls = program.told(&format!("{what} 500000 4"));
        let seconds = begun.elapsed().as_secs_f64();
        let said = running.stop();
        let calls = calls?;
        let lost = lost(&said).map_or("an unknown number".to_owned(), |lost| lost.to_string());
        println!(
            "  {:<46} {calls:.0} hits in {seconds:.2} s, {:.0} a second, {lost} lost",
            tool.name,
            calls / seconds
        );
    }
    Ok(())
}

/// Requests a second, by wrk.
fn requests(port: u16, path: &str) -> Result<f64, String> {
    let output = Command::new("wrk")
        .args([
            "-t1",
            "-c8",
            "-d3s",
            &format!("http://127.0.0.1:{port}{path}"),
        ])
        .output()
        .map_err(|error| format!("wrk: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    rate.and_then(|rate| rate.trim().parse().ok())
        .ok_or_else(|| format!("wrk: {text}"))
}

/// nginx under load.
fn nginx() -> Result<(), String> {
    if let Some(why) = unavailable("dwarf") {
        println!("\nnginx: skipped: {why}");
        return Ok(());
    }
    let nginx = Nginx::start("dwarf", &[]);
    let tools = memory_tools(&libc_of(nginx.worker)?);
    let (_kept, scratch) = scratch();
    let code = Code::of(nginx.worker);
    for path in ["/ping", "/static"] {
        let mut bare = Samples::default();
        let mut costs: Vec<Cost> = tools.iter().map(|_| Cost::default()).collect();
        for _ in 0..runs(5) {
            let without = requests(nginx.port, path)?;
            bare.push(without);
            for (tool, cost) in tools.iter().zip(&mut costs) {
                if tool.failed.get() {
                    continue;
                }
                match tool.start(nginx.worker, &code, &scratch) {
                    Ok(running) => {
                        let with = requests(nginx.port, path);
                        cost.lost += lost(&running.stop()).unwrap_or(0);
                        cost.figures.push(without / with?);
                    }
                    Err(why) => println!("  {why}"),
                }
            }
        }
        title(&format!("nginx, {path}, one worker"), "times as long");
        row("untraced, requests a second", &bare);
        told_apart(&tools, &costs);
    }
    Ok(())
}

/// Processor time of a process in nanoseconds.
fn processor_time(pid: i32) -> Result<f64, String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat"))
        .map_err(|error| error.to_string())?;
    let number = text.split(' ').next().unwrap_or_default();
    number.parse().map_err(|_| format!("schedstat: {text}"))
}

/// nginx under load while its memory is followed in windows of time, in pairs with and without.
fn duty() -> Result<(), String> {
    if let Some(why) = unavailable("dwarf") {
        println!("\nnginx in windows: skipped: {why}");
        return Ok(());
    }
    let nginx = Nginx::start("dwarf", &[]);
    let (_kept, scratch) = scratch();
    let code = Code::of(nginx.worker);
    let loaded = |path: &str| {
        let before = processor_time(nginx.worker)?;
        let rate = requests(nginx.port, path)?;
        // Each run takes as long, so requests are to rates as one is to another.
        Ok::<_, String>((1.0 / rate, (processor_time(nginx.worker)? - before) / rate))
    };
    for path in ["/ping", "/static"] {
        title(
            &format!("nginx in windows, {path}, one worker"),
            "times as long",
        );
        for share in ["1%", "2%", "5%"] {
            let tool = in_windows(share, &[LEAKS, "--force", "--duty", share], 6);
            let (mut wall, mut processor) = (Samples::default(), Samples::default());
            for _ in 0..runs(11) {
                let without = loaded(path)?;
                let running = tool.start(nginx.worker, &code, &scratch)?;
                let with = loaded(path);
                running.stop();
                let with = with?;
                wall.push(with.0 / without.0);
                processor.push(with.1 / without.1);
            }
            row(&format!("--duty {share}: a request by the clock"), &wall);
            row(
                &format!("--duty {share}: a request, processor time of nginx"),
                &processor,
            );
        }
    }
    Ok(())
}

fn main() -> Result<(), String> {
    machine();
    let (_kept, folder) = scratch();
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let asked = |part: &str| wanted.is_empty() || wanted.iter().any(|word| word == part);
    if asked("hits") {
        hits(&folder)?;
    }
    if asked("many") {
        many(&folder)?;
    }
    if asked("losses") {
        losses(&folder)?;
    }
    if asked("allocations") {
        allocations(&folder)?;
    }
    if asked("nginx") {
        nginx()?;
    }
    if asked("duty") {
        duty()?;
    }
    Ok(())
}
