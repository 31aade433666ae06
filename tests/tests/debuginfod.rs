//! Debug information from servers: Debian's own on loopback, and small ones that misbehave.

use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use ytrace_tests::fixtures::{self, Nginx, Waiting};
use ytrace_tests::processes::signal;
use ytrace_tests::program::{Finished, command, finish, finish_child};
use ytrace_tests::{compile, skip};

/// How long a server may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program without debug information, and the file that has it.
struct Stripped {
    folder: tempfile::TempDir,
    program: PathBuf,
    debug: PathBuf,
    build_id: String,
}

fn tool(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).output().unwrap();
    assert!(done.status.success(), "{program} {arguments:?}: {done:?}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

fn stripped() -> Stripped {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let text = "struct shelf { long count; } shelf = { 42 };\nint main(void) { return (int)shelf.count; }\n";
    let flags = ["-g", "-Wl,--build-id"];
    let program = compile(folder.path(), "program", text, &flags);
    tool(
        "objcopy",
        &["--only-keep-debug", &at("program"), &at("served.debug")],
    );
    tool("strip", &[&at("program")]);
    let notes = tool("readelf", &["-n", &at("program")]);
    let build_id = notes
        .split("Build ID: ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .unwrap()
        .to_owned();
    Stripped {
        program,
        debug: folder.path().join("served.debug"),
        build_id,
        folder,
    }
}

impl Stripped {
    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Takes the types out of the program: that needs its debug information. `more` are further arguments.
    fn extract(&self, urls: &str, more: &[&str], environment: &[(&str, &str)]) -> Finished {
        let program = self.program.display().to_string();
        let out = self.folder.path().join("types").display().to_string();
        let mut arguments = vec!["types", "extract", &program, "-o", &out];
        arguments.extend(more);
        let mut command = command(&arguments);
        command
            .env("DEBUGINFOD_URLS", urls)
            .env("DEBUGINFOD_CACHE_PATH", self.cache())
            .env("DEBUGINFOD_TIMEOUT", "2")
            .env("DEBUGINFOD_MAXTIME", "20")
            .envs(environment.iter().copied());
        finish(&mut command)
    }

    fn cached(&self) -> PathBuf {
        self.cache().join(&self.build_id).join("debuginfo")
    }
}

/// A server on loopback that answers each request by a function, and counts them.
struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
}

fn serve(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    // It ends with the test.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else {
                return;
            };
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let path = request.split_whitespace().nth(1).unwrap_or_default();
            answer(path, &mut stream);
        }
    });
    Server { url, requests }
}

/// Sends a whole answer. That the other side has gone is its right.
fn reply(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}

#[test]
fn a_file_is_fetched_once_and_only_when_asked_for() {
    let target = stripped();
    let bytes = std::fs::read(&target.debug).unwrap();
    let wanted = format!("/buildid/{}/debuginfo", target.build_id);
    let server = serve(move |path, stream| match path == wanted {
        true => reply(stream, "200 OK", &bytes),
        false => reply(stream, "404 Not Found", b""),
    });
    // The variable alone asks nobody.
    target.extract(&server.url, &[], &[]).expect_status(2);
    assert_eq!(server.requests.load(Ordering::SeqCst), 0);
    let done = target
        .extract(&server.url, &["--debuginfod"], &[])
        .expect_status(0);
    assert!(done.stdout.contains("debuginfo\n"), "{done}");
    // Nothing that moves goes where no terminal is.
    assert_eq!(done.stderr, "");
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
    assert_eq!(
        std::fs::read(target.cached()).unwrap(),
        std::fs::read(&target.debug).unwrap()
    );
    // From then on the cache has it, which elfutils' client would use as well.
    target
        .extract("http://127.0.0.1:1", &["--debuginfod"], &[])
        .expect_status(0);
    target
        .extract("", &[&format!("--debuginfod={}", server.url)], &[])
        .expect_status(0);
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
    // A file of the cache that is damaged is fetched anew.
    std::fs::remove_file(target.cached()).unwrap();
    std::fs::write(target.cached(), "no ELF file").unwrap();
    target
        .extract(&server.url, &["--debuginfod"], &[])
        .expect_status(0);
    assert_eq!(server.requests.load(Ordering::SeqCst), 2);
    for urls in ["", "file:///tmp", "ima:ignore"] {
        target
            .extract(urls, &["--debuginfod"], &[])
            .expect_status(2)
            .says(&["knows no server"])
            .hints();
    }
}

#[test]
fn what_names_no_server_is_told_and_signatures_are_not_promised() {
    let target = stripped();
    let bytes = std::fs::read(&target.debug).unwrap();
    let server = serve(move |_, stream| reply(stream, "200 OK", &bytes));
    let urls = format!("file:///srv ima:ignore {} debuginfod.example", server.url);
    let done = target
        .extract(&urls, &["--debuginfod"], &[])
        .expect_status(0);
    assert_eq!(done.stderr.matches("is left out").count(), 2, "{done}");
    for part in ["`file:///srv`", "`debuginfod.example`", "https://"] {
        assert!(done.stderr.contains(part), "{done}");
    }
    // Nothing that is not checked is used as if it were.
    std::fs::remove_file(target.cached()).unwrap();
    target
        .extract(
            &format!("ima:enforcing {}", server.url),
            &["--debuginfod"],
            &[],
        )
        .expect_status(2)
        .says(&["`ima:enforcing`", "signatures"])
        .hints();
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}

#[test]
fn settings_that_no_clock_can_hold_are_as_long_as_need_be() {
    let target = stripped();
    let bytes = std::fs::read(&target.debug).unwrap();
    let server = serve(move |_, stream| reply(stream, "200 OK", &bytes));
    let most = u64::MAX.to_string();
    let done = target.extract(
        &server.url,
        &["--debuginfod"],
        &[
            ("DEBUGINFOD_MAXTIME", &most),
            ("DEBUGINFOD_TIMEOUT", &most),
            ("DEBUGINFOD_MAXSIZE", &most),
        ],
    );
    assert_eq!(done.expect_status(0).stderr, "");
}

/// A process whose program and libraries have no debug information: `reader`, `libshelf.so` and two more.
fn without_debug_information(folder: &Path) -> Waiting {
    let names = ["shelf", "hook", "peg"];
    let mut files = Vec::new();
    for name in names {
        let text = format!("int {name}(void) {{ return 42; }}\n");
        let flags = ["-shared", "-fPIC", "-Wl,--build-id"];
        files.push(compile(folder, &format!("lib{name}.so"), &text, &flags));
    }
    let text = "#include <stdio.h>\nint shelf(void), hook(void), peg(void);\nint main(void) { puts(\"READY\"); fflush(stdout); return getchar() + shelf() + hook() + peg() == 0; }\n";
    let path = format!("-Wl,-rpath,{}", folder.display());
    let mut flags = vec!["-Wl,--build-id", path.as_str()];
    flags.extend(files.iter().filter_map(|file| file.to_str()));
    let program = compile(folder, "reader", text, &flags);
    for file in files.iter().chain([&program]) {
        tool("strip", &[&file.display().to_string()]);
    }
    Waiting::start(&mut Command::new(program))
}

/// What `doctor` says of a process, with a server.
fn doctor(pid: i32, cache: &Path, url: &str) -> Finished {
    let servers = format!("--debuginfod={url}");
    let mut command = command(&["doctor", "-p", &pid.to_string(), &servers]);
    finish(
        command
            .env("DEBUGINFOD_CACHE_PATH", cache)
            .env("DEBUGINFOD_TIMEOUT", "2")
            .env("DEBUGINFOD_MAXSIZE", "1000000"),
    )
}

/// The line of `doctor` on a file, and the one below it.
fn line_on<'t>(told: &'t Finished, subject: &str) -> (&'t str, &'t str) {
    let mut lines = told.stdout.lines();
    let part = format!("  {subject}: ");
    let line = lines.find(|line| line.contains(&part));
    let line = line.unwrap_or_else(|| panic!("{subject}: {told}"));
    (line, lines.next().unwrap_or_default())
}

#[test]
fn doctor_tells_what_servers_answered() {
    let folder = tempfile::tempdir().unwrap();
    let target = without_debug_information(folder.path());
    let cache = folder.path().join("cache");
    let cases: [(Server, &str); 3] = [
        (
            serve(|_, stream| reply(stream, "404 Not Found", b"")),
            "the server has none",
        ),
        (
            serve(|_, stream| reply(stream, "500 Oops", b"")),
            "status 500",
        ),
        (
            serve(|_, stream| {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
            }),
            "larger than 1000000 bytes",
        ),
    ];
    for (server, answer) in &cases {
        let told = doctor(target.pid(), &cache, &server.url);
        for file in ["reader", "libshelf.so"] {
            let (line, fix) = line_on(&told, file);
            for part in ["limited", server.url.as_str(), answer] {
                assert!(line.contains(part), "{part}: {told}");
            }
            // That was tried already.
            assert!(!fix.contains("--debuginfod"), "{told}");
            assert!(fix.contains("build-id "), "{told}");
        }
        if answer.starts_with("the server") {
            let again = doctor(target.pid(), &cache, &server.url);
            let (line, _) = line_on(&again, "reader");
            assert!(line.contains("ten minutes ago"), "{again}");
            std::fs::remove_dir_all(&cache).unwrap();
        }
    }
}

#[test]
fn one_download_that_breaks_off_does_not_shut_a_server_out() {
    let folder = tempfile::tempdir().unwrap();
    let target = without_debug_information(folder.path());
    let cache = folder.path().join("cache");
    let first = std::sync::atomic::AtomicBool::new(true);
    // The first answer has another form than it says, the next ones are right.
    let server = serve(move |_, stream| {
        if first.swap(false, Ordering::SeqCst) {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\nabc");
        } else {
            reply(stream, "404 Not Found", b"");
        }
    });
    let told = doctor(target.pid(), &cache, &server.url);
    let with = |part: &str| {
        let lines = told.stdout.lines();
        lines.filter(|line| line.contains(part)).count()
    };
    assert!(with("the server has none") >= 1, "{told}");
    assert_eq!(with(&server.url) - with("the server has none"), 1, "{told}");
    // One that never works is asked three times at most, and one that is not there once.
    let never_right = [
        serve(|_, stream| {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\nabc");
        }),
        serve(|_, stream| reply(stream, "503 Service Unavailable", b"")),
        serve(|_, stream| reply(stream, "200 OK", b"<html>")),
    ];
    for never in never_right {
        // It is there if something was downloaded.
        if cache.exists() {
            std::fs::remove_dir_all(&cache).unwrap();
        }
        doctor(target.pid(), &cache, &never.url);
        assert_eq!(never.requests.load(Ordering::SeqCst), 3);
    }
    let told = doctor(target.pid(), &cache, "http://127.0.0.1:1");
    let (line, _) = line_on(&told, "libshelf.so");
    assert!(line.contains("it is not asked again"), "{told}");
}

#[test]
fn what_a_server_has_not_is_remembered() {
    let target = stripped();
    let server = serve(|_, stream| reply(stream, "404 Not Found", b"not found"));
    target
        .extract(&server.url, &["--debuginfod"], &[])
        .expect_status(2);
    assert_eq!(std::fs::read(target.cached()).unwrap(), b"");
    target
        .extract(&server.url, &["--debuginfod"], &[])
        .expect_status(2);
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}

#[test]
fn a_server_that_misbehaves_is_passed_over() {
    let target = stripped();
    let bytes = Arc::new(std::fs::read(&target.debug).unwrap());
    let good = {
        let bytes = bytes.clone();
        serve(move |_, stream| reply(stream, "200 OK", &bytes))
    };
    let other = std::fs::read(ytrace_tests::program::ytrace()).unwrap();
    let short = bytes.clone();
    let bad = [
        serve(|_, stream| reply(stream, "500 Oops", b"x")),
        serve(|_, stream| reply(stream, "200 OK", b"<html>")),
        // Another build.
        serve(move |_, stream| reply(stream, "200 OK", &other)),
        // Less than it says.
        serve(move |_, stream| {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", short.len());
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&short[..short.len() / 2]);
        }),
        // More than is allowed, without an end.
        serve(|_, stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            while stream.write_all(&[0; 4096]).is_ok() {}
        }),
        // In circles.
        serve(|path, stream| {
            let head = format!("302 Found\r\nLocation: {path}x");
            reply(stream, &head, b"");
        }),
        // Silence.
        serve(|_, stream| {
            let _ = stream.read(&mut [0]);
        }),
    ];
    let limit = [("DEBUGINFOD_MAXSIZE", "1000000")];
    for server in &bad {
        let started = Instant::now();
        target
            .extract(&server.url, &["--debuginfod"], &limit)
            .expect_status(2);
        assert!(server.requests.load(Ordering::SeqCst) > 0);
        assert!(started.elapsed() < PATIENCE, "{}", server.url);
        // Nothing of it is left.
        assert!(!target.cached().exists());
        let left = std::fs::read_dir(target.cached().parent().unwrap());
        assert_eq!(left.into_iter().flatten().count(), 0);
    }
    let all: Vec<&str> = bad
        .iter()
        .chain([&good])
        .map(|server| server.url.as_str())
        .collect();
    let done = target.extract(&all.join(" "), &["--debuginfod"], &limit);
    done.expect_status(0);
    assert_eq!(good.requests.load(Ordering::SeqCst), 1);
}

#[test]
fn a_cache_that_others_can_write_is_not_used() {
    let target = stripped();
    let server = serve(|_, stream| reply(stream, "404 Not Found", b""));
    let planted = target.cached();
    std::fs::create_dir_all(planted.parent().unwrap()).unwrap();
    std::fs::copy(&target.debug, &planted).unwrap();
    let mode = |path: &Path, bits| {
        std::fs::set_permissions(path, Permissions::from_mode(bits)).unwrap();
    };
    for path in [&target.cache(), planted.parent().unwrap(), &planted] {
        mode(path, 0o777);
        let done = target.extract(&server.url, &["--debuginfod"], &[]);
        done.expect_status(2).says(&["others can write there"]);
        mode(path, 0o755);
    }
    assert_eq!(server.requests.load(Ordering::SeqCst), 0);
    target
        .extract(&server.url, &["--debuginfod"], &[])
        .expect_status(0);
}

#[test]
fn an_interrupt_ends_a_download_that_waits() {
    let target = stripped();
    // Longer than anybody waits for a test.
    let server = serve(|_, stream| {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(600)));
        let _ = stream.read(&mut [0]);
    });
    let program = target.program.display().to_string();
    let text = "_probe _oneshot { printf(\"%ld\\n\", shelf.count); }";
    let mut command = command(&["run", "-e", text, "-c", &program, "--debuginfod"]);
    command
        .env("DEBUGINFOD_URLS", &server.url)
        .env("DEBUGINFOD_CACHE_PATH", target.cache())
        .env("DEBUGINFOD_TIMEOUT", "600")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let started = Instant::now();
    while server.requests.load(Ordering::SeqCst) == 0 {
        assert!(started.elapsed() < PATIENCE, "nobody asks");
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(i32::try_from(child.id()).unwrap(), Signal::SIGINT);
    let done = finish_child(child);
    assert!(started.elapsed() < PATIENCE, "{done}");
    assert!(!target.cached().exists());
}

/// Debian's server on what lies below a directory.
struct Debuginfod {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Debuginfod {
    fn start(directory: &Path) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new("debuginfod")
            .args(["-F", "-t", "0", "-p", &port.to_string(), "-d"])
            .arg(folder.path().join("index.sqlite"))
            .arg(directory)
            .env("HOME", folder.path())
            .env_remove("DEBUGINFOD_URLS")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        Some(Self {
            child,
            port,
            _folder: folder,
        })
    }

    /// Waits until it has a build.
    fn wait_for(&self, build_id: &str) {
        let started = Instant::now();
        loop {
            let mut answer = [0; 12];
            let asked = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut stream| {
                stream.set_read_timeout(Some(PATIENCE))?;
                write!(
                    stream,
                    "GET /buildid/{build_id}/debuginfo HTTP/1.0\r\nHost: localhost\r\n\r\n"
                )?;
                stream.read_exact(&mut answer)
            });
            if asked.is_ok() && answer.ends_with(b"200") {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "debuginfod has no {build_id}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Debuginfod {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs something where there is no network but a loopback of its own: Debian's server listens on all addresses.
///
/// # Errors
/// Why that cannot be.
fn alone(work: impl FnOnce() + Send) -> Result<(), String> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // That of this thread, and of what it starts.
            unshare(CloneFlags::CLONE_NEWNET)
                .map_err(|errno| format!("no network of its own: {errno}"))?;
            tool("ip", &["link", "set", "lo", "up"]);
            work();
            Ok(())
        });
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[test]
fn debians_server_supplies_nginx() {
    if let Err(why) = alone(debians_server) {
        skip("debians_server_supplies_nginx", &why);
    }
}

fn debians_server() {
    let test = "debians_server_supplies_nginx";
    if let Some(why) = fixtures::unavailable("stripped") {
        return skip(test, &why);
    }
    let program = fixtures::directory().join("dwarf/nginx/sbin/nginx");
    let Some(server) = Debuginfod::start(program.parent().unwrap()) else {
        return skip(test, "debuginfod is not installed");
    };
    let notes = tool("readelf", &["-n", &program.display().to_string()]);
    let build_id = notes
        .split("Build ID: ")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    server.wait_for(build_id);
    let nginx = Nginx::start("stripped", &[]);
    let pid = nginx.worker.to_string();
    let cache = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let text =
            "_probe _oneshot { printf(\"CONNECTIONS %d\\n\", (int)ngx_cycle->connection_n); }";
        let mut arguments = vec!["run", "-e", text, "-p", &pid];
        arguments.extend(more);
        let mut command = command(&arguments);
        let url = format!("http://127.0.0.1:{}", server.port);
        finish(
            command
                .env("DEBUGINFOD_URLS", url)
                .env("DEBUGINFOD_CACHE_PATH", cache.path()),
        )
    };
    // Without being asked nobody is asked, and the error names the way.
    run(&[]).expect_status(1);
    let done = run(&["--debuginfod"]).expect_status(0);
    let number = done.stdout.strip_prefix("CONNECTIONS ").unwrap().trim();
    assert!(
        number.parse::<u32>().is_ok_and(|number| number > 0),
        "{done}"
    );
    assert!(cache.path().join(build_id).join("debuginfo").is_file());
}
