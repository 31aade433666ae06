//! Runs of ytrace that probe until they are interrupted.

use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use crate::processes::signal;
use crate::program::{Finished, command};

/// The longest that a line is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A run of ytrace whose probes are in their places.
pub struct Tracing {
    child: Child,
    /// What it said before, and the rest of its standard error.
    said: String,
    errors: BufReader<std::process::ChildStderr>,
    /// What it has printed before, and the rest of its standard output.
    printed: String,
    output: BufReader<std::process::ChildStdout>,
}

impl Tracing {
    /// Starts a command and waits until it says that it probes.
    ///
    /// # Panics
    /// If it ends first.
    #[track_caller]
    pub fn start(arguments: &[&str]) -> Self {
        match Self::start_or_end(arguments) {
            Ok(tracing) => tracing,
            Err(ended) => panic!("it ended before it probed anything: {ended}"),
        }
    }

    /// The same, or how it ended before it probed anything.
    ///
    /// # Errors
    /// How it ended.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start_or_end(arguments: &[&str]) -> Result<Self, Box<Finished>> {
        Self::start_with(arguments, &[])
    }

    /// The same with variables of the environment.
    ///
    /// # Errors
    /// How it ended.
    ///
    /// # Panics
    /// If it cannot be started.
    // It is waited for where it is interrupted or killed.
    #[allow(clippy::zombie_processes)]
    pub fn start_with(
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Self, Box<Finished>> {
        let mut child = command(arguments)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("ytrace starts");
        let mut errors = BufReader::new(child.stderr.take().expect("piped"));
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut said = String::new();
        loop {
            let line = next_line(&mut errors, &said);
            if line.is_empty() {
                break;
            }
            said.push_str(&line);
            if line.starts_with("probing ") {
                return Ok(Self {
                    child,
                    said,
                    errors,
                    printed: String::new(),
                    output,
                });
            }
        }
        let mut stdout = String::new();
        output.read_to_string(&mut stdout).expect("text");
        let status = child.wait().expect("our child").code();
        Err(Box::new(Finished {
            status,
            stdout,
            stderr: said,
        }))
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id")
    }

    /// Waits until it has printed a line that holds this text.
    ///
    /// # Panics
    /// If it ends before, or says nothing for two minutes.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        loop {
            let line = next_line(&mut self.output, &self.printed);
            assert!(!line.is_empty(), "it ended: {}", self.printed);
            self.printed.push_str(&line);
            if line.contains(text) {
                return;
            }
        }
    }

    /// The last line that it has printed and that was waited for.
    pub fn last_line(&self) -> &str {
        self.printed.lines().next_back().unwrap_or_default()
    }

    /// Waits until it has said a line on standard error that holds this text.
    ///
    /// # Panics
    /// If it ends before, or says nothing for two minutes.
    #[track_caller]
    pub fn wait_to_say(&mut self, text: &str) {
        loop {
            let line = next_line(&mut self.errors, &self.said);
            assert!(!line.is_empty(), "it ended: {}", self.said);
            self.said.push_str(&line);
            if line.contains(text) {
                return;
            }
        }
    }

    /// Interrupts it as Ctrl-C does, and waits for its end.
    ///
    /// # Panics
    /// If it has ended.
    #[track_caller]
    pub fn interrupt(self) -> Finished {
        signal(self.pid(), Signal::SIGINT);
        self.finish()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If what it says is no text.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        // Both pipes are read at once, or one that is full would keep it from ending.
        let mut errors = self.errors;
        let reader = std::thread::spawn(move || {
            let mut rest = String::new();
            errors.read_to_string(&mut rest).expect("text");
            rest
        });
        let mut stdout = self.printed;
        self.output.read_to_string(&mut stdout).expect("text");
        let status = self.child.wait().expect("our child").code();
        Finished {
            status,
            stdout,
            stderr: self.said + &reader.join().expect("the reader ends"),
        }
    }

    /// Ends it without warning.
    ///
    /// # Panics
    /// If it has ended.
    pub fn kill(mut self) {
        signal(self.pid(), Signal::SIGKILL);
        self.child.wait().expect("our child");
    }
}

/// The next line of a pipe; nothing at its end. `before` is what came from it, for who reads that it does not come.
///
/// # Panics
/// If nothing comes for two minutes.
#[track_caller]
fn next_line(pipe: &mut BufReader<impl Read + AsFd>, before: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        if pipe.buffer().is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            let mut waited = [PollFd::new(pipe.get_ref().as_fd(), PollFlags::POLLIN)];
            let ready = poll(&mut waited, left).expect("the pipe is looked at");
            assert!(ready > 0, "nothing more comes; what did: {before}");
        }
        let part = pipe.fill_buf().expect("the pipe is read");
        if part.is_empty() {
            break;
        }
        let end = part.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(part.len(), |end| end + 1);
        line.extend_from_slice(&part[..length]);
        pipe.consume(length);
    }
    String::from_utf8(line).expect("text")
}

/// Asserts that standard error holds all of these, however its lines are folded.
///
/// # Panics
/// If one is missing.
#[track_caller]
pub fn says(finished: &Finished, parts: &[&str]) {
    let words: Vec<&str> = finished.stderr.split_whitespace().collect();
    let text = words.join(" ");
    for part in parts {
        assert!(text.contains(part), "no {part:?}; {finished}");
    }
}
