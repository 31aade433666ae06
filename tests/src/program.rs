//! Running the program under test, each time for a bounded time.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::processes::assert_untouched;

/// No run of a test takes longer, however busy the machine.
pub const LIMIT: Duration = Duration::from_secs(120);

/// The main job's probe file.
pub const LUA_GC: &str = "probes/lua-gc-fgraph.y";

/// The `ytrace` program that this test run built, or the one that `$YTRACE` names.
///
/// # Panics
/// If there is none beside the test executable; `tests/run.sh` builds it.
pub fn ytrace() -> PathBuf {
    if let Some(program) = std::env::var_os("YTRACE") {
        return PathBuf::from(program);
    }
    let own = std::env::current_exe().expect("a test has an executable");
    let folder = own
        .parent()
        .and_then(|deps| deps.parent())
        .expect("tests lie in target/PROFILE/deps");
    let program = folder.join("ytrace");
    assert!(
        program.is_file(),
        "{} is missing: run `cargo build -p ytrace` first",
        program.display()
    );
    program
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The exit status; none if a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// The same, if it ended with this status.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    pub fn expect_status(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self}");
        self
    }

    /// Asserts that standard error holds all of these.
    ///
    /// # Panics
    /// If one is missing.
    #[track_caller]
    pub fn says(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "no {part:?} in standard error; {self}"
            );
        }
        self
    }

    /// Asserts that the error comes with a hint.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn hints(&self) -> &Self {
        assert!(
            self.stderr.contains("hint:") || self.stderr.contains("Help:"),
            "no hint; {self}"
        );
        self
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "status {:?}\n--- standard output\n{}\n--- standard error\n{}",
            self.status, self.stdout, self.stderr
        )
    }
}

/// The command, from the root of the repository, without colour and 100 columns wide.
///
/// A run on a process may pause it for longer than usual, unless the arguments say for how long: what else runs on the
/// machine of the tests can hold up any pause, and the limit has tests of its own.
pub fn command(arguments: &[&str]) -> Command {
    let mut arguments = arguments.to_vec();
    let asked: Vec<&str> = arguments
        .iter()
        .copied()
        .take_while(|word| *word != "--")
        .collect();
    if asked.first() == Some(&"run") && asked.contains(&"-p") && !asked.contains(&"--max-pause") {
        arguments.splice(1..1, ["--max-pause", "5s"]);
    }
    let mut command = Command::new(ytrace());
    command
        .args(arguments)
        .current_dir(crate::root())
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end, within [`LIMIT`].
///
/// # Panics
/// If it cannot be started or takes longer.
pub fn finish(command: &mut Command) -> Finished {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    finish_child(child)
}

/// Runs a command that reads so much, within [`LIMIT`].
///
/// # Panics
/// If it cannot be started, ends without reading all, or does not end.
pub fn finish_with_input(command: &mut Command, input: &str) -> Finished {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut pipe = child.stdin.take().expect("piped");
    pipe.write_all(input.as_bytes()).expect("it reads");
    drop(pipe);
    finish_child(child)
}

/// Waits for a child whose output is piped, within [`LIMIT`].
///
/// # Panics
/// If it takes longer; it is ended then.
pub fn finish_child(mut child: Child) -> Finished {
    fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                let _ = pipe.read_to_end(&mut bytes);
            }
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        });
        receiver
    }
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let (Ok(stdout), Ok(stderr)) = (stdout.recv_timeout(LIMIT), stderr.recv_timeout(LIMIT)) else {
        let _ = child.kill();
        let _ = child.wait();
        panic!("a run did not end within {LIMIT:?}");
    };
    let status = child.wait().expect("a child can be waited for").code();
    Finished {
        status,
        stdout,
        stderr,
    }
}

/// Runs ytrace with arguments.
pub fn run(arguments: &[&str]) -> Finished {
    finish(&mut command(arguments))
}

/// Runs a probe file; gives how the run ended, and the result that it has left.
///
/// # Panics
/// If it has left none.
#[track_caller]
pub fn run_json(probe: &str, words: &[&str]) -> (Finished, Value) {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let path = folder.path().join("result.json");
    let output = path.display().to_string();
    let mut arguments = vec!["run", probe, "-o", &output];
    arguments.extend(words);
    let finished = run(&arguments);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{error}: {finished}"));
    let json = serde_json::from_slice(&bytes);
    let json = json.unwrap_or_else(|error| panic!("{error}: {finished}"));
    (finished, json)
}

/// Runs a probe file on a process that runs; of its result nothing is missing, all its cross-checks hold, and the process is left as it was.
///
/// # Panics
/// If something is missing.
#[track_caller]
pub fn whole_json(probe: &str, pid: i32, more: &[&str]) -> (Finished, Value) {
    let number = pid.to_string();
    let mut words = vec!["-p", &number, "--max-pause", "5s"];
    words.extend(more);
    let (finished, json) = run_json(probe, &words);
    let finished = finished.expect_status(0);
    assert_eq!(json["footer"]["complete"], true, "{finished}");
    for check in json["checks"].as_array().into_iter().flatten() {
        assert_eq!(check["equal"], true, "{check}: {finished}");
    }
    assert_untouched(pid);
    (finished, json)
}

/// Runs the text of a probe on a process, with further arguments.
pub fn run_text(text: &str, pid: i32, more: &[&str]) -> Finished {
    let pid = pid.to_string();
    let mut arguments = vec!["run", "-e", text, "-p", &pid];
    arguments.extend(more);
    run(&arguments)
}

/// Runs the main job on a process, with further arguments.
pub fn run_lua_gc(pid: i32, more: &[&str]) -> Finished {
    let pid = pid.to_string();
    let mut arguments = vec!["run", LUA_GC, "-p", &pid];
    arguments.extend(more);
    run(&arguments)
}

/// Starts a command whose output is piped and is not read yet.
///
/// # Panics
/// If it cannot be started.
pub fn start(arguments: &[&str]) -> Child {
    command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ytrace starts")
}
