//! Starts the small C programs of `tests/programs`, compiled once for each test binary, and ends them.

#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use ytrace_target::Process;

static DIRECTORY: OnceLock<tempfile::TempDir> = OnceLock::new();

pub fn directory() -> &'static Path {
    DIRECTORY
        .get_or_init(|| tempfile::tempdir().unwrap())
        .path()
}

/// The source of a program; another user may have to read it from elsewhere.
pub fn source(name: &str) -> PathBuf {
    let directory = std::env::var_os("YTRACE_TEST_PROGRAMS").map(PathBuf::from);
    directory
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs"))
        .join(name)
}

/// Compiles `tests/programs/NAME.c`; returns the executable.
pub fn compile(name: &str) -> PathBuf {
    let source = source(&format!("{name}.c"));
    // Tests run side by side: each compiles to a name of its own.
    let unique = format!("{name}-{:?}", std::thread::current().id()).replace(['(', ')'], "_");
    let program = directory().join(unique);
    let status = Command::new("gcc")
        .args(["-O1", "-g", "-Wall", "-Wno-return-type", "-pthread", "-o"])
        .arg(&program)
        .arg(&source)
        .status()
        .unwrap();
    assert!(status.success(), "{} does not compile", source.display());
    program
}

/// A running program that answers a line for each line it is sent.
pub struct Program {
    pub child: Child,
    pub input: Option<ChildStdin>,
    pub output: BufReader<ChildStdout>,
}

impl Program {
    pub fn start(name: &str, arguments: &[&str]) -> Program {
        Program::run(&compile(name), arguments)
    }

    /// The same, compiled at the first call of a thread only.
    pub fn start_compiled(name: &str, arguments: &[&str]) -> Program {
        thread_local! {
            static COMPILED: std::cell::RefCell<Option<(String, PathBuf)>> = const { std::cell::RefCell::new(None) };
        }
        let program = COMPILED.with(|known| {
            let mut known = known.borrow_mut();
            if known.as_ref().is_none_or(|(known, _)| known != name) {
                *known = Some((name.to_owned(), compile(name)));
            }
            known.as_ref().unwrap().1.clone()
        });
        Program::run(&program, arguments)
    }

    pub fn run(program: &Path, arguments: &[&str]) -> Program {
        Program::spawn(Command::new(program).args(arguments))
    }

    pub fn spawn(command: &mut Command) -> Program {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Program {
            child,
            input,
            output,
        }
    }

    /// The next line that the program prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The numbers of the next line, hexadecimal after `0x`.
    pub fn numbers(&mut self) -> Vec<u64> {
        let line = self.line();
        line.split_whitespace()
            .filter_map(|word| match word.strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16).ok(),
                None => word.parse().ok(),
            })
            .collect()
    }

    pub fn send(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        input.flush().unwrap();
    }

    pub fn ask(&mut self, line: &str) -> String {
        self.send(line);
        self.line()
    }

    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    pub fn process(&self) -> Process {
        Process::open(self.pid()).unwrap()
    }

    /// Closes the program's input, at which it ends, and returns its exit code and what it still printed.
    pub fn finish(mut self) -> (Option<i32>, String) {
        drop(self.input.take());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: the call takes no pointer; the process is our own child, not waited for yet.
        assert_eq!(unsafe { libc::kill(self.pid(), signal) }, 0);
    }

    /// A line of `/proc/PID/status`.
    pub fn status(&self, name: &str) -> String {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        text.lines()
            .find(|line| line.starts_with(name))
            .unwrap_or("")
            .to_owned()
    }

    /// Whether nobody traces it any more, which takes the supervisor of a tracer that was killed a moment.
    pub fn is_let_go(&self) -> bool {
        (0..100_000).any(|_| {
            std::thread::yield_now();
            self.status("TracerPid:").ends_with("\t0")
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says loudly that a test cannot run here. Where `YTRACE_NO_SKIP` is set (as in CI) that is a
/// failure.
pub fn skip(test: &str, why: &str) {
    assert!(
        std::env::var_os("YTRACE_NO_SKIP").is_none(),
        "{test} was to be skipped where nothing may be: {why}"
    );
    eprintln!("SKIPPED: {test}: {why}");
}

/// The stopper of a test, which runs on a thread of its own.
pub fn stopper() -> ytrace_target::Stopper {
    thread_local! {
        static STOPPER: ytrace_target::Stopper = ytrace_target::Stopper::new();
    }
    STOPPER.with(Clone::clone)
}
