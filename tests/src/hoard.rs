//! An nginx with the module of `tests/fixtures/hoard`, which makes pools and never destroys them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use crate::fixtures::directory;
use crate::plain_nginx::PlainNginx;
use crate::processes::{signal, wait_for};
use crate::root;

/// A master with one worker, on a socket in a directory of its own.
pub struct Hoard {
    nginx: PlainNginx,
    /// The worker's process id.
    pub worker: i32,
}

/// What a variant is started with: the program and the lines that load modules.
fn parts(variant: &str) -> (PathBuf, Vec<PathBuf>) {
    let own = directory().join("hoard");
    let packaged = Path::new("/usr/lib/nginx/modules");
    match variant {
        "dwarf" => (
            directory().join("dwarf/nginx/sbin/nginx"),
            vec![own.join("dwarf.so")],
        ),
        "stock" => (
            PathBuf::from("/usr/sbin/nginx"),
            vec![
                packaged.join("ndk_http_module.so"),
                packaged.join("ngx_http_lua_module.so"),
                own.join("stock.so"),
            ],
        ),
        _ => (own.join(format!("nginx-{variant}/sbin/nginx")), Vec::new()),
    }
}

/// Why a variant (`dwarf`, `stock` or a later version) cannot be started here, if so.
pub fn unavailable(variant: &str) -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("only root can start the fixtures and trace them".to_owned());
    }
    let (program, modules) = parts(variant);
    let missing = std::iter::once(&program)
        .chain(&modules)
        .find(|file| !file.is_file())?;
    Some(format!(
        "{} is missing (tests/run.sh builds what the tests need)",
        missing.display()
    ))
}

/// The worker of a master that is not shutting down.
fn worker_of(master: i32) -> Option<i32> {
    let children =
        std::fs::read_to_string(format!("/proc/{master}/task/{master}/children")).ok()?;
    children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .find(|pid: &i32| {
            let title = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let title = String::from_utf8_lossy(&title).into_owned();
            title.starts_with("nginx: worker process") && !title.contains("shutting down")
        })
}

impl Hoard {
    /// Starts one and waits until it serves.
    ///
    /// # Panics
    /// If it does not.
    pub fn start(variant: &str) -> Self {
        Self::start_with(variant, |text| text)
    }

    /// Starts one process that is master and worker at once.
    ///
    /// # Panics
    /// If it does not serve.
    pub fn start_alone(variant: &str) -> Self {
        Self::start_with(variant, |text| {
            text.replace("master_process on;", "master_process off;")
        })
    }

    fn start_with(variant: &str, change: impl Fn(String) -> String) -> Self {
        let (program, modules) = parts(variant);
        let lua = modules.iter().any(|file| file.ends_with("stock.so")) || variant == "dwarf";
        let load: String = modules
            .iter()
            .map(|file| format!("load_module {};", file.display()))
            .collect();
        let (settings, locations) = if lua {
            (
                "lua_shared_dict sessions 4m; lua_package_path '/usr/share/lua/5.1/?.lua;;';",
                "location = /fill { content_by_lua_block {
                    for i = 1, tonumber(ngx.var.arg_n) do
                        ngx.shared.sessions:set('session' .. i, string.rep('x', 100), i % 3 == 0 and 1000 + i or 0)
                    end
                    ngx.say(#ngx.shared.sessions:get_keys(0), ' ', ngx.shared.sessions:free_space())
                } }
                location = /timers { content_by_lua_block {
                    for i = 1, 20 do ngx.timer.at(3600 + i, function() end) end
                    ngx.say(ngx.timer.pending_count())
                } }
                location = /wait { content_by_lua_block { ngx.sleep(600) } }",
            )
        } else {
            ("", "")
        };
        let text = std::fs::read_to_string(root().join("tests/fixtures/hoard/nginx.conf.in"))
            .expect("the configuration")
            .replace("@LOAD_MODULES@", &load)
            .replace("@USER@", "user root root;")
            .replace("@LUA@", settings)
            .replace("@LUA_LOCATIONS@", locations);
        let nginx = PlainNginx::start_with(&program, &change(text), "one.example.com/ping");
        let worker = worker_of(nginx.pid()).unwrap_or_else(|| nginx.pid());
        Self { nginx, worker }
    }

    /// The master's process id.
    pub fn master(&self) -> i32 {
        self.nginx.pid()
    }

    /// What it answers.
    ///
    /// # Panics
    /// If it does not answer 200.
    pub fn get(&self, path: &str) -> String {
        self.nginx.get(&format!("one.example.com/{path}"))
    }

    /// The counters that the module keeps, after it has made what the query says.
    pub fn counters(&self, query: &str) -> BTreeMap<String, i64> {
        self.get(&format!("hoard?{query}"))
            .lines()
            .filter_map(|line| {
                let (name, number) = line.split_once(' ')?;
                Some((name.to_owned(), number.parse().ok()?))
            })
            .collect()
    }

    /// A connection that stays open after a request was answered on it.
    ///
    /// # Panics
    /// If it is not answered.
    pub fn idle_connection(&self) -> UnixStream {
        let mut stream = UnixStream::connect(self.nginx.socket()).expect("it listens");
        stream
            .write_all(b"GET /ping HTTP/1.1\r\nHost: one.example.com\r\n\r\n")
            .expect("it reads");
        let mut answer = Vec::new();
        let mut part = [0; 512];
        while !answer.ends_with(b"pong\n") {
            let n = stream.read(&mut part).expect("it answers");
            assert!(n > 0, "it closed the connection");
            answer.extend_from_slice(&part[..n]);
        }
        stream
    }

    /// A connection on which only the beginning of a request was sent, and has been read.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub fn unfinished_request(&self, beginning: &str) -> UnixStream {
        let mut stream = UnixStream::connect(self.nginx.socket()).expect("it listens");
        stream.write_all(beginning.as_bytes()).expect("it reads");
        // The worker has one thread, which takes events in their order.
        self.get("ping");
        self.get("ping");
        stream
    }

    /// Reloads the configuration and waits for the new worker, which has not served anything, and the end of the old one.
    ///
    /// # Panics
    /// If there is none in time.
    pub fn reload(&mut self) {
        let (master, old) = (self.master(), self.worker);
        signal(master, Signal::SIGHUP);
        wait_for("a new worker", || {
            worker_of(master).is_some_and(|pid| pid != old)
                && !Path::new(&format!("/proc/{old}")).exists()
        });
        self.worker = worker_of(master).expect("a worker");
    }
}
