//! An nginx master whose heap is fragmented: its configuration was read again and again, with more and fewer servers.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::malloc_said::{self, Said};
use crate::processes::{alive, signal, wait_for};

/// The server blocks at the start, then of each reload.
pub const SERVERS: [usize; 7] = [2_000, 2_500, 500, 3_000, 1_000, 2_000, 200];

/// A master at rest, its present worker, and an old worker that an unfinished request keeps.
pub struct Fragmented {
    child: Child,
    folder: TempDir,
    said: PathBuf,
    unfinished: Option<UnixStream>,
    /// What its `http` has besides.
    directives: &'static str,
    /// The worker of the last configuration.
    pub worker: i32,
    /// The worker of the first one.
    pub old_worker: i32,
}

fn configure(folder: &Path, servers: usize, directives: &str) {
    let here = folder.display();
    let mut text = format!(
        "daemon off; user root root; pid {here}/nginx.pid; error_log {here}/logs/error.log notice; worker_processes 1; events {{ }}\n\
         http {{ {directives} access_log off; client_body_temp_path {here}/b; proxy_temp_path {here}/p; fastcgi_temp_path {here}/f;\n\
         uwsgi_temp_path {here}/u; scgi_temp_path {here}/s; server_names_hash_max_size 65536; server_names_hash_bucket_size 128;\n"
    );
    for server in 0..servers {
        writeln!(
            text,
            "server {{ listen unix:{here}/socket; server_name s{server}.example.com; location /a{server} {{ proxy_pass http://127.0.0.1:9; }} }}"
        )
        .expect("memory");
    }
    text.push('}');
    std::fs::write(folder.join("nginx.conf"), text).expect("the configuration");
}

/// The workers that the log names, in the order of their starts, and how many have ended.
fn workers(folder: &Path) -> (Vec<i32>, usize) {
    let log = std::fs::read_to_string(folder.join("logs/error.log")).unwrap_or_default();
    let started = log.lines().filter_map(|line| {
        let (_, pid) = line.split_once("start worker process ")?;
        pid.trim().parse().ok()
    });
    (started.collect(), log.matches("exited with code 0").count())
}

impl Fragmented {
    /// Starts it and makes the reloads.
    ///
    /// # Panics
    /// If a step does not come to its end in time.
    pub fn start(program: &Path) -> Self {
        let mut master = Self::start_one(program, "");
        master.reload_all();
        master
    }

    /// Starts it, with the first configuration alone, and waits for its worker. `directives` are further ones for `http`.
    ///
    /// # Panics
    /// If that does not come.
    pub fn start_one(program: &Path, directives: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(folder.path().join("logs")).expect("a directory");
        configure(folder.path(), SERVERS[0], directives);
        let mut command = Command::new(program);
        let said = malloc_said::preload(&mut command, folder.path());
        let child = command
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(folder.path().join("nginx.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let mut master = Self {
            child,
            folder,
            said,
            unfinished: None,
            directives,
            worker: 0,
            old_worker: 0,
        };
        wait_for("the first worker", || {
            workers(master.folder.path()).0.len() == 1
        });
        master.worker = workers(master.folder.path()).0[0];
        master.old_worker = master.worker;
        master
    }

    /// Has it read a configuration with so many servers, as `kill -HUP` does, and waits for nothing.
    pub fn hang_up(&self, servers: usize) {
        configure(self.folder.path(), servers, self.directives);
        signal(self.pid(), Signal::SIGHUP);
    }

    /// Waits until so many workers have started and all but one have ended.
    ///
    /// # Panics
    /// If that takes too long.
    pub fn wait_for_workers(&self, all: usize) {
        wait_for("the workers are new", || {
            let (started, ended) = workers(self.folder.path());
            started.len() == all && ended == all - 1
        });
    }

    fn reload_all(&mut self) {
        let folder = self.folder.path().to_owned();
        let mut request = UnixStream::connect(folder.join("socket")).expect("it listens");
        request
            .write_all(b"GET / HTTP/1.1\r\nHost: s1.exam")
            .expect("it reads");
        // It has been accepted once a request behind it is answered.
        let mut other = UnixStream::connect(folder.join("socket")).expect("it listens");
        other
            .write_all(b"GET / HTTP/1.0\r\n\r\n")
            .expect("it reads");
        std::io::copy(&mut other, &mut std::io::sink()).expect("it answers");
        self.unfinished = Some(request);
        for (round, servers) in SERVERS.into_iter().enumerate().skip(1) {
            configure(&folder, servers, self.directives);
            signal(self.pid(), Signal::SIGHUP);
            // All have ended but the newest, and the one that the request keeps.
            wait_for("the workers are new", || {
                let (started, ended) = workers(&folder);
                started.len() == round + 1 && ended == round - 1
            });
        }
        self.worker = *workers(&folder).0.last().expect("one was started");
        assert!(alive(self.old_worker) && alive(self.worker));
    }

    /// The master's process id.
    ///
    /// # Panics
    /// Never: process ids fit.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id")
    }

    /// What the malloc of one of its processes says.
    ///
    /// # Panics
    /// If it says nothing.
    pub fn said(&self, pid: i32) -> Said {
        malloc_said::ask(&self.said, pid)
    }
}

impl Drop for Fragmented {
    fn drop(&mut self) {
        drop(self.unfinished.take());
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(self.pid(), Signal::SIGTERM);
        }
        let _ = self.child.wait();
    }
}
