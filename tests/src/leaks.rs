//! The program `leaks` and its like, which allocate as they are told and say what they have allocated.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What a program of the fixtures is built with.
const FLAGS: [&str; 4] = ["-g", "-O2", "-fomit-frame-pointer", "-pthread"];

/// Builds a program of `tests/fixtures/c` in a folder.
///
/// # Panics
/// If it cannot be built.
pub fn build(folder: &Path, name: &str) -> PathBuf {
    let source = crate::root().join(format!("tests/fixtures/c/{name}.c"));
    crate::compile_file(&source, folder, name, &FLAGS)
}

/// The program `leaks`, or another of its kind, which does as it is told.
pub struct Leaks {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

/// What one of its functions says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Calls so far.
    pub calls: i64,
    /// Bytes that they got.
    pub bytes: i64,
    /// Blocks that were given back.
    pub freed_calls: i64,
    /// Their bytes.
    pub freed_bytes: i64,
}

impl Site {
    /// Its row of the flame graph as [`by_site`] gives it.
    pub fn row(&self) -> [i64; 5] {
        [
            self.bytes - self.freed_bytes,
            self.calls - self.freed_calls,
            self.bytes,
            self.calls,
            self.freed_bytes,
        ]
    }
}

impl Leaks {
    /// Starts it with so many threads, and waits until it is ready.
    ///
    /// # Panics
    /// If it cannot be built or started.
    pub fn start(threads: usize) -> Self {
        Self::start_program("leaks", threads)
    }

    /// Starts another program that is told what to do in the same way.
    ///
    /// # Panics
    /// If it cannot be built or started.
    pub fn start_program(name: &str, threads: usize) -> Self {
        let folder = tempfile::tempdir().expect("the program does as it is told");
        let mut child = Command::new(build(folder.path(), name))
            .arg(threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program does as it is told");
        let mut leaks = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().expect("the program does as it is told")),
            child,
            _folder: folder,
        };
        assert_eq!(leaks.line(), "ready");
        leaks
    }

    /// Its process id.
    ///
    /// # Panics
    /// Never: process ids fit.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("the program does as it is told")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .expect("the program does as it is told");
        line.trim_end().to_owned()
    }

    /// Tells it to do something, and does not wait.
    ///
    /// # Panics
    /// If it does not read.
    pub fn tell(&mut self, line: &str) {
        let input = self.input.as_mut().expect("piped");
        writeln!(input, "{line}").expect("it reads");
    }

    /// Waits until it says a line.
    ///
    /// # Panics
    /// If it says another one.
    pub fn expect(&mut self, line: &str) {
        assert_eq!(self.line(), line);
    }

    /// Ends it, whatever it does.
    ///
    /// # Panics
    /// If it has ended.
    pub fn kill(mut self) {
        self.child.kill().expect("our child");
    }

    /// Does so many rounds in each thread, and gives what each function says of all so far.
    ///
    /// # Panics
    /// If it has ended.
    pub fn round(&mut self, rounds: usize) -> BTreeMap<String, Site> {
        writeln!(
            self.input.as_mut().expect("the program does as it is told"),
            "round {rounds}"
        )
        .expect("the program does as it is told");
        let mut sites = BTreeMap::new();
        loop {
            let line = self.line();
            if line == "done" {
                return sites;
            }
            let words: Vec<&str> = line.split(' ').collect();
            let number = |at: usize| words[at].parse().expect("the program does as it is told");
            sites.insert(
                words[0].to_owned(),
                Site {
                    calls: number(1),
                    bytes: number(2),
                    freed_calls: number(3),
                    freed_bytes: number(4),
                },
            );
        }
    }
}

impl Drop for Leaks {
    fn drop(&mut self) {
        drop(self.input.take());
        if std::thread::panicking() {
            // It may have much to do yet.
            let _ = self.child.kill();
        }
        self.child.wait().expect("the program does as it is told");
    }
}

/// Asserts that a result has of each function exactly the bytes and blocks that it says of itself.
///
/// # Panics
/// If it has not.
#[track_caller]
pub fn assert_followed(json: &serde_json::Value, sites: &BTreeMap<String, Site>) {
    let found = by_site(json);
    for (name, said) in sites {
        let seen = found
            .get(name)
            .unwrap_or_else(|| panic!("nothing of {name}: {found:?}"));
        assert_eq!(*seen, said.row(), "{name}");
    }
}

/// The rows of the flame graph by the function of `leaks` that they are of: bytes, blocks, allocated, calls, freed.
///
/// # Panics
/// If it is no result with such a view.
pub fn by_site(json: &serde_json::Value) -> BTreeMap<String, [i64; 5]> {
    let names = [
        "parse_header",
        "parse_body",
        "grow_list",
        "map_page",
        "copy_name",
        "use_scratch",
    ];
    by_function(json, &names)
}

/// The sums of the first columns of a flame graph, the first view, by the function that its rows are of.
///
/// # Panics
/// If it is no result with such a view.
pub fn by_function(json: &serde_json::Value, names: &[&str]) -> BTreeMap<String, [i64; 5]> {
    let mut found: BTreeMap<String, [i64; 5]> = BTreeMap::new();
    let view = &json["views"][0];
    for row in view["rows"].as_array().expect("a flame graph") {
        let frames: Vec<&str> = row["path"]
            .as_array()
            .expect("the program does as it is told")
            .iter()
            .filter_map(|frame| frame.as_str())
            .collect();
        let Some(name) = names.iter().find(|name| frames.contains(name)) else {
            continue;
        };
        let values: Vec<i64> = row["values"]
            .as_array()
            .expect("the program does as it is told")
            .iter()
            .map(|value| value.as_i64().expect("the program does as it is told"))
            .collect();
        let sums = found.entry((*name).to_owned()).or_default();
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value;
        }
    }
    found
}
