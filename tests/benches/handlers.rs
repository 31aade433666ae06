//! Handler speed: loops of a handler against the same loops in C (`cc -O2`, tests/bench/handlers.c) in the process that
//! they look at; and a table update against those of bpftrace, Python and drgn.
//!
//! A round runs each loop in a command of its own and then in C, so that what else the machine does hits both. Both are
//! measured in processor time: that of the command, less that of the same command with one
//! round, which starts, compiles and finds the target's pages.

mod common;

use std::path::Path;
use std::process::Command;

use common::{
    Peer, Samples, machine, measure, measure_if_asked, row, runs, scratch, title, ytrace,
};

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
        count: 50_000_000,
        items: 1,
        what: "arithmetic: multiply, shift, add",
        aim: "2",
    },
    Loop {
        name: "table",
        option: "--table",
        count: 5_000_000,
        items: 1,
        what: "t[k] += i, 65,536 keys; C: open addressing",
        aim: "4",
    },
    Loop {
        name: "ordered",
        option: "--ordered-rounds",
        count: 40,
        items: 400_000,
        what: "list in address order, 3 fields a node",
        aim: "2",
    },
    Loop {
        name: "shuffled",
        option: "--shuffled-rounds",
        count: 5,
        items: 400_000,
        what: "list in random order, 3 fields a node",
        aim: "2",
    },
    Loop {
        name: "contains",
        option: "--contains",
        count: 100,
        items: 20_000,
        what: "_contains, 37 to 48 bytes; C: memmem",
        aim: "4",
    },
    Loop {
        name: "match",
        option: "--match",
        count: 30,
        items: 20_000,
        what: "rx/ne+dle[0-9]/; C: regexec",
        aim: "4",
    },
];

/// Runs a loop in C: nanoseconds and result.
fn in_c(peer: &mut Peer, of: &Loop, count: u64) -> Result<(f64, String), String> {
    peer.tell(&format!("{} {count}\n", of.name))?;
    let line = peer.line()?;
    pair(&line).ok_or_else(|| format!("not understood: {line:?}"))
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
    // The process with the loops in C.
    let mut peer = Peer::start(&mut Command::new(&program))?;
    peer.line()?;
    let pid = peer.pid();
    let (_cache_folder, cache) = scratch();
    let command = |option: &str, count: u64| {
        let count = count.to_string();
        let mut command = vec!["run", "tests/bench/handlers.y", "-p", &pid];
        command.extend(["--mode", "live", "--", option, &count]);
        ytrace(&command, &cache)
    };
    command(LOOPS[0].option, 1);
    let mut samples =
        vec![[const { None::<Samples> }; 3].map(Option::unwrap_or_default); LOOPS.len()];
    for _ in 0..runs(9) {
        for (of, [ours, theirs, ratio]) in LOOPS.iter().zip(&mut samples) {
            let one = command(of.option, 1);
            let run = command(of.option, of.count + 1);
            let line = run
                .stdout
                .lines()
                .find_map(|line| line.strip_prefix(of.name))
                .ok_or("a loop is missing")?;
            let (_, result) = pair(line).ok_or("not understood")?;
            let own = (run.user - one.user) * 1e6;
            let (other, expected) = in_c(&mut peer, of, of.count + 1)?;
            if result != expected {
                return Err(format!("{}: {result}, C {expected}", of.name));
            }
            let own = own / (of.count * of.items) as f64;
            let other = other / ((of.count + 1) * of.items) as f64;
            ours.push(own);
            theirs.push(other);
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
/// cost of reading the clock twice; that of Python is `t[k] = t.get(k, 0) + i` with a key that is computed, and so is that of
/// drgn, whose scripts are Python: there `i` and the values are objects of drgn, of the type of C.
fn tables(own: f64) {
    const BPFTRACE: &str = "BEGIN { $s = nsecs; $i = (uint64)0; while ($i < 4000) { @t[($i * 40503) & 65535] += $i; $i++ } \
                            printf(\"ns %lu\\n\", nsecs - $s); clear(@t); exit(); }";
    const PYTHON: &str = "import time\nt = {}\nn = 500000\ns = time.thread_time_ns()\nfor i in range(n):\n    \
                          k = i * 40503 & 65535\n    t[k] = t.get(k, 0) + i\nprint('ns', time.thread_time_ns() - s)";
    const DRGN: &str = "import time, drgn\nprog = drgn.Program(drgn.host_platform)\nt = {}\nn = 100000\n\
                        word = prog.int_type('unsigned long', 8, False)\nzero = drgn.Object(prog, word, 0)\n\
                        s = time.thread_time_ns()\nfor i in range(n):\n    o = drgn.Object(prog, word, i)\n    \
                        k = i * 40503 & 65535\n    t[k] = t.get(k, zero) + o\nprint('ns', time.thread_time_ns() - s)";
    title("a table update in other tools", "ns each");
    let drgn = ytrace_tests::fixtures::directory().join("venv/bin/python3");
    for (name, program, arguments, count) in [
        (
            "bpftrace, while in BEGIN",
            Path::new("/usr/bin/bpftrace"),
            ["-e", BPFTRACE],
            4_000.0,
        ),
        (
            "Python, dict",
            Path::new("/usr/bin/python3"),
            ["-c", PYTHON],
            500_000.0,
        ),
        ("drgn, dict of objects", &drgn, ["-c", DRGN], 100_000.0),
    ] {
        if !program.is_file() {
            println!("  {name}: {} is missing", program.display());
            continue;
        }
        let mut samples = Samples::default();
        for _ in 0..runs(9) {
            let run = measure(program, &arguments, &[]);
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
