//! An nginx of one process with debug information, with the configuration of `tests/pages`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::fixtures::directory;
use crate::processes::{signal, wait_for};
use crate::root;

/// One that serves on a socket of its own directory.
pub struct PlainNginx {
    child: Child,
    folder: TempDir,
}

impl PlainNginx {
    /// Starts it and waits until it serves.
    ///
    /// # Panics
    /// If it does not.
    pub fn start() -> Self {
        let configuration = std::fs::read_to_string(root().join("tests/pages/nginx/nginx.conf"))
            .expect("the configuration");
        Self::start_with(
            &directory().join("dwarf/nginx/sbin/nginx"),
            &configuration,
            "one.example.com/files/nginx.conf",
        )
    }

    /// Starts an nginx with a configuration that listens on `one.sock` of its directory, and waits until it answers `ready`, a
    /// host and a path.
    ///
    /// # Panics
    /// If it does not.
    pub fn start_with(program: &Path, configuration: &str, ready: &str) -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        // Beside the log that is open before the configuration is read.
        for name in ["logs", "cache"] {
            std::fs::create_dir(folder.path().join(name)).expect("a directory");
        }
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration).expect("the configuration");
        let child = Command::new(program)
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .arg("-e")
            .arg(folder.path().join("error.log"))
            // Where the configuration's socket is made.
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let nginx = Self { child, folder };
        wait_for("nginx serves", || nginx.ask(ready).is_some());
        nginx
    }

    /// The socket that it listens on.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("one.sock")
    }

    fn ask(&self, path: &str) -> Option<String> {
        let output = Command::new("curl")
            .args(["-sS", "--fail", "--max-time", "60", "--unix-socket"])
            .arg(self.socket())
            .arg(format!("http://{path}"))
            .output()
            .expect("curl runs");
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    }

    /// What it answers to a host and a path.
    ///
    /// # Panics
    /// If it does not answer 200.
    pub fn get(&self, path: &str) -> String {
        self.ask(path)
            .unwrap_or_else(|| panic!("GET {path} is not answered"))
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id")
    }

    /// Its directory.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

impl Drop for PlainNginx {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(self.pid(), Signal::SIGTERM);
        }
        let _ = self.child.wait();
    }
}
