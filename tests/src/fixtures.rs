//! Real programs to look at, started and stopped by the scripts in `tests/fixtures`.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::root;

/// The directory with what the fixtures' scripts built.
pub fn directory() -> PathBuf {
    std::env::var_os("YTRACE_FIXTURES").map_or_else(|| root().join(".fixtures"), PathBuf::from)
}

/// Whether the program may trace others and the fixtures are built; else why not.
pub fn unavailable(variant: &str) -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("only root can start the fixtures and trace them".to_owned());
    }
    let needed = match variant {
        "dwarf" | "stripped" => directory().join("dwarf/nginx/sbin/nginx"),
        _ => PathBuf::from("/usr/sbin/nginx"),
    };
    if !needed.is_file() {
        return Some(format!(
            "{} is missing (tests/run.sh builds what the tests need)",
            needed.display()
        ));
    }
    None
}

/// An nginx with the leaking Lua application.
pub struct Nginx {
    /// The master's process id.
    pub master: i32,
    /// The first worker's process id.
    pub worker: i32,
    /// Where it listens, on loopback.
    pub port: u16,
    /// Its directory.
    pub prefix: PathBuf,
}

impl Nginx {
    /// Starts one, `dwarf` (with debug information), `stripped` (the same without) or `stock` (stripped packages).
    ///
    /// # Panics
    /// If it does not serve within its time.
    pub fn start(variant: &str, options: &[&str]) -> Self {
        Self::start_by(&mut Command::new("bash"), variant, options)
    }

    /// The same one, whose processes say what malloc counts: where, for [`crate::malloc_said::ask`], is the second value.
    ///
    /// # Panics
    /// If it does not serve within its time.
    pub fn start_saying(variant: &str, folder: &Path) -> (Self, PathBuf) {
        let mut command = Command::new("bash");
        let said = crate::malloc_said::preload(&mut command, folder);
        (Self::start_by(&mut command, variant, &[]), said)
    }

    fn start_by(command: &mut Command, variant: &str, options: &[&str]) -> Self {
        let output = command
            .arg(root().join("tests/fixtures/fixture.sh"))
            .arg("start")
            .arg(variant)
            .args(options)
            .stderr(Stdio::inherit())
            .output()
            .expect("bash runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{variant} nginx does not start: {text}"
        );
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(&format!("{name}=")))
                .unwrap_or_else(|| panic!("no {name} in {text}"))
                .trim_matches('"')
                .to_owned()
        };
        Self {
            master: value("MASTER").parse().expect("a process id"),
            worker: value("WORKER").parse().expect("a process id"),
            port: value("PORT").parse().expect("a port"),
            prefix: PathBuf::from(value("PREFIX")),
        }
    }

    /// The body that an endpoint answers.
    ///
    /// # Panics
    /// If it does not answer 200.
    pub fn get(&self, path: &str) -> String {
        let output = Command::new("curl")
            .args(["-sS", "--fail", "--max-time", "120"])
            .arg(format!("http://127.0.0.1:{}{path}", self.port))
            .output()
            .expect("curl runs");
        assert!(
            output.status.success(),
            "GET {path}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The same as a number.
    ///
    /// # Panics
    /// If it is none.
    pub fn number(&self, path: &str) -> i64 {
        let text = self.get(path);
        text.parse()
            .unwrap_or_else(|_| panic!("GET {path}: {text:?} is no number"))
    }

    /// Runs a verb of the fixture script on it.
    ///
    /// # Panics
    /// If the script fails.
    pub fn verb(&self, verb: &str) -> String {
        let output = Command::new("bash")
            .arg(root().join("tests/fixtures/fixture.sh"))
            .arg(verb)
            .arg(&self.prefix)
            .stderr(Stdio::inherit())
            .output()
            .expect("bash runs");
        assert!(output.status.success(), "{verb} failed");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let stopped = Command::new("bash")
            .arg(root().join("tests/fixtures/fixture.sh"))
            .arg("stop")
            .arg(&self.prefix)
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            eprintln!("the nginx of {} was not stopped", self.prefix.display());
        }
    }
}

/// A program that prints `READY …` and then waits for the end of its standard input.
pub struct Waiting {
    child: Child,
    stdin: Option<ChildStdin>,
    /// What stood after `READY`.
    pub ready: String,
}

impl Waiting {
    /// Starts a command and waits until it is ready.
    ///
    /// # Panics
    /// If it ends first.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = child.stdout.take().expect("piped");
        let ready = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                line.strip_prefix("READY")
                    .map(|rest| rest.trim().to_owned())
            })
            .unwrap_or_else(|| panic!("{command:?} ended before it was ready"));
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            ready,
        }
    }

    /// Compiles a program and starts it; gives also the folder that it lies in, which goes with what is dropped.
    ///
    /// # Panics
    /// If it does not compile, or ends before it is ready.
    pub fn compiled(name: &str, text: &str, flags: &[&str]) -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let program = crate::compile(folder.path(), name, text, flags);
        (Self::start(&mut Command::new(program)), folder)
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id")
    }

    /// Whether it is still running.
    pub fn running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Writes a line to it.
    ///
    /// # Panics
    /// If it has ended.
    pub fn say(&mut self, line: &str) {
        if let Some(stdin) = &mut self.stdin {
            writeln!(stdin, "{line}").expect("it reads");
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // The end of its input ends it; a program that was left stopped or looping is ended.
        for _ in 0..200 {
            match self.child.try_wait() {
                Ok(Some(_)) | Err(_) => return,
                Ok(None) => std::thread::sleep(std::time::Duration::from_millis(5)),
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Perl in several versions: a name and the program, which may be missing. The first is the system's, with debug information.
pub fn perls() -> Vec<(&'static str, PathBuf)> {
    vec![
        ("system", PathBuf::from("/usr/bin/perl")),
        ("5.40", directory().join("perl/5.40/perl")),
        ("5.32", directory().join("perl/5.32/perl")),
    ]
}

/// Starts the leaking Perl daemon with so many certificates in its cache, sessions that only refer to themselves, and threads.
///
/// # Panics
/// If it does not get ready.
pub fn perl_daemon(perl: &Path, certificates: usize, sessions: usize, threads: usize) -> Waiting {
    Waiting::start(
        Command::new(perl)
            .arg(root().join("tests/fixtures/perl/daemon.pl"))
            .args([certificates, sessions, threads].map(|number| number.to_string())),
    )
}

/// The stand-alone LuaJIT programs that were built: a name and the executable.
pub fn luajits() -> Vec<(&'static str, PathBuf)> {
    vec![
        ("gc64", directory().join("dwarf/luajit-gc64/bin/luajit")),
        ("gc32", directory().join("dwarf/luajit-gc32/bin/luajit")),
    ]
}

/// Starts the stand-alone leaking script with as many entries as make 900,000 objects.
///
/// # Panics
/// If it does not get ready.
pub fn standalone(luajit: &Path) -> Waiting {
    standalone_with(luajit, 60_000, 400_000)
}

/// Starts the stand-alone leaking script with so many entries in a cache of so many slots.
///
/// # Panics
/// If it does not get ready.
pub fn standalone_with(luajit: &Path, entries: usize, slots: usize) -> Waiting {
    Waiting::start(
        Command::new(luajit)
            .arg(root().join("tests/fixtures/leak/standalone.lua"))
            .args([entries.to_string(), slots.to_string()]),
    )
}
