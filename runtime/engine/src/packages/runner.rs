//! Runs a package's tests: builds and starts what they name, runs `ytrace` on it as a user would, compares.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use ytrace_target::Machine;

use super::strays::Strays;
use super::suite::{Suite, Test};
use super::{Package, PackageError, needs};

/// The most that is kept of what a program prints, in bytes.
const MOST_OUTPUT: usize = 64 << 20;

/// How long building may take.
const BUILD_LIMIT: Duration = Duration::from_secs(600);

/// How often a program that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// How long a program that was asked to end may take to do so.
const GRACE: Duration = Duration::from_secs(5);

/// How a test went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that it expects is so.
    Passed,
    /// Something that it needs is not there: which.
    Skipped(String),
    /// What is not as expected.
    Failed {
        /// A line for each.
        reasons: Vec<String>,
        /// Standard output of the run.
        output: String,
        /// Standard error of the run.
        errors: String,
    },
}

impl Verdict {
    fn failed(reason: impl Into<String>) -> Self {
        Self::Failed {
            reasons: vec![reason.into()],
            output: String::new(),
            errors: String::new(),
        }
    }
}

/// Runs tests.
#[derive(Debug)]
pub struct Runner<'a> {
    /// The `ytrace` program.
    pub program: &'a Path,
    /// The package.
    pub package: &'a Package,
    /// Ends it early.
    pub interrupt: &'a AtomicBool,
}

impl Runner<'_> {
    /// Runs those tests of a suite whose names contain `filter`, and tells `done` how each went.
    ///
    /// # Errors
    /// Files for what is built cannot be made, or it was interrupted.
    pub fn run(
        &self,
        suite: &Suite,
        filter: &str,
        done: &mut dyn FnMut(&Test, Verdict),
    ) -> Result<(), PackageError> {
        let wanted: Vec<&Test> = suite
            .tests
            .iter()
            .filter(|test| test.name.contains(filter))
            .collect();
        let root = std::fs::canonicalize(&self.package.root)
            .map_err(|error| PackageError::new(&self.package.root, error))?;
        let build =
            tempfile::tempdir().map_err(|error| PackageError::new(&std::env::temp_dir(), error))?;
        let strays = Strays::catch().map_err(|error| PackageError::new(&root, error))?;
        // What every test of the suite lacks cannot be built either.
        let mut built = None;
        for test in wanted {
            if let Some(missing) = missing(test) {
                done(test, Verdict::Skipped(missing));
                continue;
            }
            let ready = built.get_or_insert_with(|| self.build(suite, &root, build.path()));
            strays.end();
            let verdict = match ready {
                Ok(()) => self
                    .test(test, &root, build.path())
                    .unwrap_or_else(Verdict::failed),
                Err(reason) => Verdict::failed(reason.clone()),
            };
            strays.end();
            if self.interrupt.load(Ordering::Relaxed) {
                return Err(PackageError::new(&self.package.root, "interrupted"));
            }
            done(test, verdict);
        }
        Ok(())
    }

    fn build(&self, suite: &Suite, root: &Path, build: &Path) -> Result<(), String> {
        for line in &suite.build {
            let mut command = command(line, root, build)?;
            let mut running = Running::start(&mut command, false)
                .map_err(|error| format!("cannot run `{line}`: {error}"))?;
            let status = running.wait(BUILD_LIMIT, self.interrupt)?;
            if status != Some(0) {
                return Err(format!("`{line}` failed: {}", running.errors.text().trim()));
            }
        }
        Ok(())
    }

    fn test(&self, test: &Test, root: &Path, build: &Path) -> Result<Verdict, String> {
        let limit = test.limit();
        let mut words = vec!["run".to_owned(), test.probe.clone()];
        let mut target = None;
        if let (Some(start), Some(ready)) = (&test.start, &test.ready) {
            let mut command = command(start, root, build)?;
            let mut running = Running::start(&mut command, true)
                .map_err(|error| format!("cannot start `{start}`: {error}"))?;
            running.wait_for(ready, limit, self.interrupt)?;
            words.extend(["-p".to_owned(), running.child.id().to_string()]);
            target = Some(running);
        }
        if let Some(line) = &test.command {
            words.extend(["-c".to_owned(), fill(line, build)]);
        }
        if let Some(core) = &test.core {
            words.extend(["--core".to_owned(), fill(core, build)]);
        }
        words.extend(test.run.iter().map(|word| fill(word, build)));
        let result = build.join("result.json");
        if !test.expect_json.is_empty() {
            let _ = std::fs::remove_file(&result);
            words.extend(["-o".to_owned(), result.display().to_string()]);
        }
        if !test.options.is_empty() {
            words.push("--".to_owned());
            words.extend(test.options.iter().cloned());
        }
        let mut command = Command::new(self.program);
        command
            .args(&words)
            .current_dir(root)
            .env("NO_COLOR", "1")
            .env("COLUMNS", "100");
        let mut run = Running::start(&mut command, false)
            .map_err(|error| format!("cannot run ytrace: {error}"))?;
        let status = run.wait(limit, self.interrupt);
        let (output, errors) = (run.output.text(), run.errors.text());
        drop(target);
        let status = match status {
            Ok(status) => status,
            Err(reason) => {
                return Ok(Verdict::Failed {
                    reasons: vec![reason],
                    output,
                    errors,
                });
            }
        };
        let file = match &test.expect_file {
            Some(name) => Some(expected(&root.join(name))?),
            None => None,
        };
        let (json, unreadable) = match test.expect_json.is_empty() {
            true => (None, None),
            false => match result_of(&result) {
                Ok(json) => (json, None),
                Err(reason) => (None, Some(reason)),
            },
        };
        let mut reasons = test.compare(status, &output, &errors, file.as_deref(), json.as_ref());
        reasons.extend(unreadable);
        Ok(match reasons.is_empty() {
            true => Verdict::Passed,
            false => Verdict::Failed {
                reasons,
                output,
                errors,
            },
        })
    }
}

/// The text of a file that output is held to.
fn expected(path: &Path) -> Result<String, String> {
    match super::read(path) {
        Ok(Some(text)) => Ok(text.to_string()),
        Ok(None) => Err(format!("{}: there is no such file", path.display())),
        Err(error) => Err(error.to_string()),
    }
}

/// The result that a run has written; `None` if it has written none.
fn result_of(path: &Path) -> Result<Option<serde_json::Value>, String> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("the result cannot be read: {error}")),
    };
    let mut bytes = Vec::new();
    file.take(MOST_OUTPUT as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("the result cannot be read: {error}"))?;
    if bytes.len() > MOST_OUTPUT {
        return Err(format!("the result is larger than {MOST_OUTPUT} bytes"));
    }
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| format!("the result is no JSON: {error}"))
}

/// What a test requires and is not there.
fn missing(test: &Test) -> Option<String> {
    let machine = Machine::look();
    let known = needs::known_privileges();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let lacks = |wanted: &&String| {
        if wanted.as_str() == "root" {
            return machine.user != 0;
        }
        if known.contains(&wanted.as_str()) {
            let held = |one: &ytrace_target::Capability| one.name == wanted.as_str() && one.held;
            return !machine.capabilities.iter().any(held);
        }
        !std::env::split_paths(&path).any(|folder| folder.join(wanted).is_file())
    };
    let wanted = test.requires.iter().find(lacks)?;
    Some(format!("{wanted} is not there"))
}

/// A line of a suite with the directory for what is built.
fn fill(line: &str, build: &Path) -> String {
    line.replace("{build}", &build.display().to_string())
}

/// A command of a suite: words as a shell would split them, but there is no shell.
fn command(line: &str, root: &Path, build: &Path) -> Result<Command, String> {
    let words = shlex::split(line).ok_or_else(|| format!("the quotes of `{line}` do not match"))?;
    let mut words = words.iter().map(|word| fill(word, build));
    let program = words.next().ok_or("a command is empty")?;
    // A path with a slash is below the package, whatever the current directory is.
    let program = match program.contains('/') {
        true => root.join(program),
        false => PathBuf::from(program),
    };
    let mut command = Command::new(program);
    command.args(words).current_dir(root);
    Ok(command)
}

/// What a program has printed so far.
#[derive(Clone, Debug, Default)]
struct Printed(Arc<(Mutex<Collected>, Condvar)>);

#[derive(Debug, Default)]
struct Collected {
    bytes: Vec<u8>,
    ended: bool,
}

impl Printed {
    /// Reads a pipe to its end, in a thread of its own.
    fn collect(mut pipe: impl Read + Send + 'static) -> std::io::Result<Self> {
        let printed = Self::default();
        let shared = printed.clone();
        std::thread::Builder::new()
            .name("ytrace-reads".to_owned())
            .spawn(move || {
                let mut buffer = vec![0; 16 << 10];
                loop {
                    let count = pipe.read(&mut buffer).unwrap_or(0);
                    let (lock, change) = &*shared.0;
                    let mut collected = lock.lock().unwrap_or_else(PoisonError::into_inner);
                    let room = MOST_OUTPUT.saturating_sub(collected.bytes.len());
                    let new = buffer.get(..count.min(room)).unwrap_or_default();
                    collected.bytes.extend_from_slice(new);
                    collected.ended = count == 0;
                    change.notify_all();
                    if count == 0 {
                        return;
                    }
                }
            })?;
        Ok(printed)
    }

    fn text(&self) -> String {
        let collected = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&collected.bytes).into_owned()
    }

    /// Waits until something is printed or the end has come, no longer than `time`. Gives what there is, and whether it ended.
    fn wait(&self, time: Duration) -> (String, bool) {
        let (lock, change) = &*self.0;
        let collected = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = match collected.ended {
            true => collected,
            false => {
                change
                    .wait_timeout(collected, time)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
        (
            String::from_utf8_lossy(&waited.bytes).into_owned(),
            waited.ended,
        )
    }
}

/// A program that runs, in a process group of its own. It ends with this value, and so does all of its group; what has left that is ended
/// by [`Strays`].
#[derive(Debug)]
struct Running {
    child: Child,
    output: Printed,
    errors: Printed,
    ended: bool,
}

impl Running {
    /// Starts a program; with `input`, its standard input stays open until this value is dropped.
    fn start(command: &mut Command, input: bool) -> std::io::Result<Self> {
        let mut child = command
            .stdin(if input { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let output = child.stdout.take();
        let errors = child.stderr.take();
        let mut running = Self {
            child,
            output: Printed::default(),
            errors: Printed::default(),
            ended: false,
        };
        if let Some(pipe) = output {
            running.output = Printed::collect(pipe)?;
        }
        if let Some(pipe) = errors {
            running.errors = Printed::collect(pipe)?;
        }
        Ok(running)
    }

    /// Waits until the program has printed a text.
    fn wait_for(&mut self, text: &str, limit: Duration, stop: &AtomicBool) -> Result<(), String> {
        let started = Instant::now();
        loop {
            let (printed, ended) = self.output.wait(LOOK);
            if printed.contains(text) {
                return Ok(());
            }
            let said = || {
                let errors = self.errors.text();
                match errors.trim() {
                    "" => String::new(),
                    errors => format!("; it said: {errors}"),
                }
            };
            if ended {
                // What it said last may still be on its way.
                let until = Instant::now() + GRACE;
                while !self.errors.wait(LOOK).1 && Instant::now() < until {}
                return Err(format!(
                    "the program ended, or closed its output, before it printed {text:?}{}",
                    said()
                ));
            }
            if started.elapsed() > limit {
                return Err(format!(
                    "the program did not print {text:?} within {} s{}",
                    limit.as_secs(),
                    said()
                ));
            }
            if stop.load(Ordering::Relaxed) {
                return Err("interrupted".to_owned());
            }
        }
    }

    /// Waits for the end of the program, and for all that it has printed. Gives its exit status, none if a signal ended it.
    fn wait(&mut self, limit: Duration, stop: &AtomicBool) -> Result<Option<i32>, String> {
        let started = Instant::now();
        loop {
            if self.has_ended() {
                let status = self.reap().map_err(|error| error.to_string())?;
                // Whoever holds the pipes longer than this is not waited for.
                let until = Instant::now() + GRACE;
                for printed in [&self.output, &self.errors] {
                    while !printed.wait(LOOK).1 && Instant::now() < until {}
                }
                return Ok(status.code());
            }
            if started.elapsed() > limit {
                return Err(format!("it did not end within {} s", limit.as_secs()));
            }
            if stop.load(Ordering::Relaxed) {
                return Err("interrupted".to_owned());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Whether the program has ended. It is not waited for: its number, and that of its group, stay its own.
    fn has_ended(&self) -> bool {
        let Ok(number) = i32::try_from(self.child.id()) else {
            return true;
        };
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        // What cannot be looked at is not waited for any longer.
        !matches!(
            waitid(Id::Pid(Pid::from_raw(number)), flags),
            Ok(WaitStatus::StillAlive) | Err(nix::errno::Errno::EINTR)
        )
    }

    /// Ends whatever is left of the program and of what it has started, then takes its exit status.
    fn reap(&mut self) -> std::io::Result<std::process::ExitStatus> {
        self.signal(Signal::SIGKILL);
        let status = self.child.wait();
        self.ended = true;
        status
    }

    fn signal(&self, signal: Signal) {
        if let Ok(group) = i32::try_from(self.child.id()) {
            // It may have ended by itself meanwhile.
            let _ = killpg(Pid::from_raw(group), signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Its number stays its own until it is waited for.
        if self.ended {
            return;
        }
        self.signal(Signal::SIGTERM);
        let until = Instant::now() + GRACE;
        while !self.has_ended() && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        // What the program started may outlive it.
        let _ = self.reap();
    }
}
