//! Handler speed: loops of a handler against the same loops in C (`cc -O2`, tests/bench/handlers.c) in the process that
//! they look at; and a table update against those of bpftrace and Python.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use common::{Samples, machine, measure, measure_if_asked, row, runs, scratch, title, ytrace};

/// A loop: its name, how often it goes round, what one round is, how many items a count stands for, and the aim.
struct Loop {
    name: &'static str,
    option: &'static str,
    count: u64,
    items: u64,
    what: &'static str,
    aim: &'static str,
}

const LOOPS: [Loop; 6] = [
    Loop {
        name: "arithmetic",
        option: "--arithmetic",
        count: 10_000_000,
        items: 1,
        what: "arithmetic: multiply, shift, add",
        aim: "2",
    },
    Loop {
        name: "table",
        option: "--table",
        count: 2_000_000,
        items: 1,
        what: "t[k] += i, 65,536 keys; C: open addressing",
        aim: "4",
    },
    Loop {
        name: "ordered",
        option: "--ordered-rounds",
        count: 4,
        items: 400_000,
        what: "list in address order, 3 fields a node",
        aim: "2",
    },
    Loop {
        name: "shuffled",
        option: "--shuffled-rounds",
        count: 2,
        items: 400_000,
        what: "list in random order, 3 fields a node",
        aim: "2",
    },
    Loop {
        name: "contains",
        option: "--contains",
        count: 20,
        items: 20_000,
        what: "_contains, 37 to 48 bytes; C: memmem",
        aim: "4",
    },
    Loop {
        name: "match",
        option: "--match",
        count: 5,
        items: 20_000,
        what: "rx/ne+dle[0-9]/; C: regexec",
        aim: "4",
    },
];

/// The process with the loops in C.
struct Peer {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Peer {
    fn start(program: &Path) -> Result<Self, String> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut peer = Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
        };
        peer.line()?;
        Ok(peer)
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.stdout.read_line(&mut line) {
            Ok(0) => Err("the loops in C have ended".to_owned()),
            Ok(_) => Ok(line),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Runs a loop: nanoseconds and result.
    fn run(&mut self, of: &Loop) -> Result<(f64, String), String> {
        let stdin = self.stdin.as_mut().ok_or("no input")?;
        writeln!(stdin, "{} {}", of.name, of.count).map_err(|error| error.to_string())?;
        let line = self.line()?;
        pair(&line).ok_or_else(|| format!("not understood: {line:?}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // The end of its input ends it.
        let _ = self.child.wait();
    }
}

fn pair(text: &str) -> Option<(f64, String)> {
    let mut words = text.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.to_owned()))
}

fn main() -> Result<(), String> {
    measure_if_asked();
    if !nix::unistd::geteuid().is_root() {
        println!("handlers: skipped: only root can trace others");
        return Ok(());
    }
    let (_folder, folder) = scratch();
    let program = folder.join("handlers");
    let built = Command::new("cc")
        .args(["-O2", "-g", "-Wall", "-o"])
        .arg(&program)
        .arg(ytrace_tests::root().join("tests/bench/handlers.c"))
        .status();
    if !built.is_ok_and(|status| status.success()) {
        println!("handlers: skipped: no C compiler");
        return Ok(());
    }
    machine();
    let mut peer = Peer::start(&program)?;
    let pid = peer.child.id().to_string();
    let (_cache_folder, cache) = scratch();
    let counts: Vec<String> = LOOPS.iter().map(|of| of.count.to_string()).collect();
    let mut command = vec![
        "run",
        "tests/bench/handlers.y",
        "-p",
        &pid,
        "--mode",
        "live",
        "--",
    ];
    for (of, count) in LOOPS.iter().zip(&counts) {
        command.extend([of.option, count]);
    }
    ytrace(&command, &cache);
    let mut samples =
        vec![[const { None::<Samples> }; 3].map(Option::unwrap_or_default); LOOPS.len()];
    for _ in 0..runs(9) {
        let run = ytrace(&command, &cache);
        for (of, [ours, theirs, ratio]) in LOOPS.iter().zip(&mut samples) {
            let line = run
                .stdout
                .lines()
                .find_map(|line| line.strip_prefix(of.name))
                .ok_or("a loop is missing")?;
            let (own, result) = pair(line).ok_or("not understood")?;
            let (other, expected) = peer.run(of)?;
            if result != expected {
                return Err(format!("{}: {result}, C {expected}", of.name));
            }
            let items = (of.count * of.items) as f64;
            ours.push(own / items);
            theirs.push(other / items);
            ratio.push(own / other);
        }
    }
    for (of, [ours, theirs, ratio]) in LOOPS.iter().zip(&samples) {
        title(of.what, "ns each");
        row("ytrace", ours);
        row("C", theirs);
        row(&format!("ytrace / C (aim: at most {})", of.aim), ratio);
    }
    tables(samples[1][0].median());
    Ok(())
}

/// A table update in other tools. That of bpftrace is in a loop of one `BEGIN`, as long as the kernel's verifier allows, with the
/// cost of reading the clock twice; that of Python (drgn's language) is `t[k] = t.get(k, 0) + i` with a key that is computed.
fn tables(own: f64) {
    const BPFTRACE: &str = "BEGIN { $s = nsecs; $i = (uint64)0; while ($i < 4000) { @t[($i * 40503) & 65535] += $i; $i++ } \
                            printf(\"ns %lu\\n\", nsecs - $s); clear(@t); exit(); }";
    const PYTHON: &str = "import time\nt = {}\nn = 500000\ns = time.perf_counter_ns()\nfor i in range(n):\n    \
                          k = i * 40503 & 65535\n    t[k] = t.get(k, 0) + i\nprint('ns', time.perf_counter_ns() - s)";
    title("a table update in other tools", "ns each");
    for (name, program, arguments, count) in [
        (
            "bpftrace, while in BEGIN",
            "/usr/bin/bpftrace",
            ["-e", BPFTRACE],
            4_000.0,
        ),
        (
            "Python, dict",
            "/usr/bin/python3",
            ["-c", PYTHON],
            500_000.0,
        ),
    ] {
        if !Path::new(program).is_file() {
            println!("  {name}: {program} is missing");
            continue;
        }
        let mut samples = Samples::default();
        for _ in 0..runs(5) {
            let run = measure(Path::new(program), &arguments, &[]);
            let nanoseconds = run
                .stdout
                .lines()
                .find_map(|line| line.strip_prefix("ns ")?.trim().parse::<f64>().ok());
            if let Some(nanoseconds) = nanoseconds {
                samples.push(nanoseconds / count);
            }
        }
        row(name, &samples);
        println!("  ytrace / {name}: {:.2}", own / samples.median());
    }
}
