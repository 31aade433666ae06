//! Wrong input and hostile targets: each ends with a message, a hint and the right exit status, and the target goes on.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use ytrace_tests::fixtures::{Waiting, directory, luajits, standalone_with};
use ytrace_tests::processes::{Instants, alive, assert_untouched, rounds, signal, wait_for};
use ytrace_tests::program::{
    Finished, LUA_GC, finish, finish_child, run, run_lua_gc, run_text, start, ytrace,
};
use ytrace_tests::{root, skip};

const USAGE: i32 = 2;
const PROBE: i32 = 1;
const PARTIAL: i32 = 3;

/// A C program with debug information, without any runtime that ytrace knows but libc.
fn records(test: &str) -> Option<Waiting> {
    let program = directory().join("c/records");
    if !program.is_file() {
        skip(test, &format!("{} is missing", program.display()));
        return None;
    }
    Some(Waiting::start(&mut Command::new(program)))
}

/// A small Lua heap in a stand-alone LuaJIT.
fn lua(test: &str, entries: usize) -> Option<Waiting> {
    let (_, luajit) = luajits().swap_remove(0);
    if !luajit.is_file() {
        skip(test, &format!("{} is missing", luajit.display()));
        return None;
    }
    Some(standalone_with(&luajit, entries, 4_000))
}

/// A whole run after a failed one: the target is as it was.
fn still_well(target: &mut Waiting) {
    assert!(target.running());
    assert_untouched(target.pid());
}

#[test]
fn no_such_process() {
    for pid in ["4194304", "4194303"] {
        run(&["run", LUA_GC, "-p", pid])
            .expect_status(USAGE)
            .says(&["no process", pid])
            .hints();
    }
    for pid in ["0", "-1", "99999999999", "nginx", ""] {
        run(&["run", LUA_GC, "-p", pid])
            .expect_status(USAGE)
            .says(&["error"]);
    }
    run(&["run", LUA_GC]).expect_status(USAGE).says(&["--pid"]);
    // A thread of the kernel, where some are to be seen.
    let kernel = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .find_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
            status
                .lines()
                .any(|line| line == "Kthread:\t1")
                .then_some(pid)
        });
    if let Some(pid) = kernel {
        run_lua_gc(pid, &[])
            .expect_status(USAGE)
            .says(&["kernel thread"]);
    }
    // A thread is not a process; a zombie has no memory.
    let program = directory().join("c/eintr");
    if program.is_file() {
        let target = Waiting::start(&mut Command::new(program));
        let thread = std::fs::read_dir(format!("/proc/{}/task", target.pid()))
            .unwrap()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
            .find(|tid| *tid != target.pid())
            .unwrap();
        run_lua_gc(thread, &[])
            .expect_status(USAGE)
            .says(&["thread"])
            .hints();
    }
    let mut ended = Command::new("true").spawn().unwrap();
    let pid = i32::try_from(ended.id()).unwrap();
    wait_for("the end of a child", || !alive(pid));
    run_lua_gc(pid, &[])
        .expect_status(USAGE)
        .says(&["zombie"])
        .hints();
    ended.wait().unwrap();
}

#[test]
fn another_users_process() {
    if !nix::unistd::geteuid().is_root() {
        return skip("another_users_process", "only root can become another user");
    }
    let Some(mut target) = records("another_users_process") else {
        return;
    };
    // Where another user can execute and write.
    let folder = tempfile::Builder::new()
        .permissions(PermissionsExt::from_mode(0o777))
        .tempdir()
        .unwrap();
    let copy = folder.path().join("ytrace");
    // Copied by another process: a file that this one has open for writing cannot be run while another test starts a program.
    let copied = Command::new("cp").arg(ytrace()).arg(&copy).status();
    assert!(copied.unwrap().success());
    let run_as_nobody = |arguments: &[&str]| -> Finished {
        let mut command = Command::new("setpriv");
        command
            .args([
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "--inh-caps=-all",
            ])
            .arg(&copy)
            .args(arguments)
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .env("XDG_CACHE_HOME", folder.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        finish(&mut command)
    };
    let pid = target.pid().to_string();
    let text = "_probe _oneshot { printf(\"%d\\n\", minimum); }";
    for mode in ["auto", "live", "stop"] {
        run_as_nobody(&["run", "-e", text, "-p", &pid, "--mode", mode])
            .expect_status(USAGE)
            .says(&["may not be read", "user 0", "65534", "CAP_SYS_PTRACE"])
            .hints();
    }
    // It is listed as such.
    let list = run_as_nobody(&["ps", "--all", "records"]).expect_status(0);
    assert!(list.stdout.contains("no permission"), "{list}");
    still_well(&mut target);
}

#[test]
fn no_luajit_inside() {
    let Some(mut target) = records("no_luajit_inside") else {
        return;
    };
    let result = run_lua_gc(target.pid(), &[]).expect_status(USAGE);
    result.says(&["glibc"]).hints();
    assert!(
        result.stderr.lines().count() < 12,
        "a short answer: {result}"
    );
    still_well(&mut target);
}

/// A process that is ended by its kill, whatever it has become.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn static_stripped_nginx() {
    let program = directory().join("nginx-static/nginx");
    if !program.is_file() {
        return skip(
            "static_stripped_nginx",
            &format!(
                "{} is missing (tests/fixtures/nginx-static.sh)",
                program.display()
            ),
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let socket = folder.path().join("socket");
    std::fs::create_dir(folder.path().join("temp")).unwrap();
    let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {path}/temp/{kind}; "))
        .concat();
    std::fs::write(
        folder.path().join("nginx.conf"),
        format!(
            "daemon off; master_process off; pid {path}/pid; error_log {path}/error.log; events {{}} \
             http {{ access_log off; {temp} server {{ listen unix:{}; location / {{ return 200; }} }} }}",
            socket.display()
        ),
    )
    .unwrap();
    let mut target = Ended(
        Command::new(program)
            .args(["-p", &path.to_string(), "-c", &format!("{path}/nginx.conf")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    wait_for("nginx", || {
        std::os::unix::net::UnixStream::connect(&socket).is_ok()
    });
    let pid = i32::try_from(target.0.id()).unwrap();
    run_lua_gc(pid, &[])
        .expect_status(USAGE)
        .says(&["error"])
        .hints();
    let text = "_probe _oneshot { printf(\"%d\\n\", ngx_cycle->connection_n); }";
    let result = run_text(text, pid, &[]).expect_status(PROBE);
    result.says(&["ngx_cycle"]).hints();
    // Its memory can be looked at even so.
    let text =
        "_probe _oneshot { long n = 0; _foreach (m in _maps()) n++; printf(\"%d\\n\", n > 3); }";
    let result = run_text(text, pid, &[]).expect_status(0);
    assert_eq!(result.stdout, "1\n");
    assert_untouched(pid);
    assert!(std::os::unix::net::UnixStream::connect(&socket).is_ok());
    assert!(matches!(target.0.try_wait(), Ok(None)));
}

#[test]
fn wrong_debug_file() {
    let Some(mut target) = lua("wrong_debug_file", 100) else {
        return;
    };
    let (_, luajit) = luajits().swap_remove(0);
    let (_, other) = luajits().swap_remove(1);
    // Modules go by the names of the files that are mapped.
    let mapped = luajit.canonicalize().unwrap();
    let module = mapped.file_name().unwrap().to_str().unwrap().to_owned();
    let own = ytrace();
    let text = root().join("Cargo.toml");
    for (file, why) in [
        (other.as_path(), "does not fit"),
        (Path::new("/bin/true"), "does not fit"),
        (own.as_path(), "does not fit"),
        (text.as_path(), "Cargo.toml"),
        (Path::new("/nonexistent"), "No such file"),
        (Path::new("/"), "not a regular file"),
    ] {
        let option = format!("{module}={}", file.display());
        run_lua_gc(target.pid(), &["--debug-file", &option])
            .expect_status(USAGE)
            .says(&["--debug-file", why])
            .hints();
    }
    run_lua_gc(target.pid(), &["--debug-file", "libnone.so=/bin/true"])
        .expect_status(USAGE)
        .says(&["no module `libnone.so`", "libc.so.6"])
        .hints();
    run_lua_gc(target.pid(), &["--debug-file", "libnone.so"])
        .expect_status(USAGE)
        .says(&["MODULE=FILE"]);
    // One that fits, under another name.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    std::fs::copy(&luajit, &copy).unwrap();
    run_lua_gc(
        target.pid(),
        &["--debug-file", &format!("{module}={}", copy.display())],
    )
    .expect_status(0);
    still_well(&mut target);
}

#[test]
fn the_target_exits_at_any_instant() {
    let Some(first) = lua("the_target_exits_at_any_instant", 4_000) else {
        return;
    };
    let begun = Instant::now();
    run_lua_gc(first.pid(), &[]).expect_status(0);
    let whole = begun.elapsed();
    drop(first);
    let mut instants = Instants::new();
    let mut statuses = std::collections::BTreeMap::new();
    for round in 0..rounds(24) {
        let Some(target) = lua("the_target_exits_at_any_instant", 4_000) else {
            return;
        };
        let pid = target.pid().to_string();
        let mode = ["auto", "live", "stop"][round % 3];
        let child = start(&[
            "run",
            LUA_GC,
            "-p",
            &pid,
            "--mode",
            mode,
            "--max-pause",
            "10s",
        ]);
        // The instant is what is tried here.
        std::thread::sleep(instants.next(whole));
        signal(target.pid(), Signal::SIGKILL);
        let result = finish_child(child);
        assert!(!result.stderr.contains("defect of ytrace"), "{result}");
        let status = result
            .status
            .unwrap_or_else(|| panic!("a signal ended ytrace: {result}"));
        *statuses.entry(status).or_insert(0) += 1;
        match status {
            0 => assert!(result.stderr.contains("complete"), "{result}"),
            USAGE => {
                let words = ["exited", "zombie", "no process"];
                assert!(
                    words.iter().any(|word| result.stderr.contains(word)),
                    "{mode}: {result}"
                );
            }
            PARTIAL => {
                let all = format!("{}{}", result.stdout, result.stderr);
                assert!(
                    all.contains("PARTIAL") && all.contains("exited"),
                    "{mode}: {result}"
                );
            }
            other => panic!("status {other} in mode {mode}; {result}"),
        }
    }
    eprintln!("exit statuses: {statuses:?}");
}

#[test]
fn the_target_exits_during_a_handler() {
    let Some(target) = records("the_target_exits_during_a_handler") else {
        return;
    };
    let text = "_probe _oneshot { printf(\"started\\n\"); for (;;) { } }";
    let pid = target.pid().to_string();
    // The loop reads nothing, so it is the time budget that ends it.
    let modes = ["--mode", "live", "--timeout", "3s"];
    let mut child = start(&[&["run", "-e", text, "-p", &pid], &modes[..]].concat());
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");
    signal(target.pid(), Signal::SIGKILL);
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    let result = finish_child(child).expect_status(PARTIAL);
    result.says(&["PARTIAL", "exited"]);
}

#[test]
fn errors_in_the_text() {
    let Some(mut target) = records("errors_in_the_text") else {
        return;
    };
    let pid = target.pid();
    let wrong = |text: &str, parts: &[&str]| {
        let result = run_text(text, pid, &[]).expect_status(PROBE);
        assert_eq!(result.stdout, "");
        result.says(parts).says(&["-e:"]);
        result
    };
    wrong("_probe _oneshot { printf(\"%d\\n\", minimum) }", &["`;`"]);
    wrong("_probe _oneshot { if (1 { } }", &["Error"]);
    wrong("_probe _oneshot {", &["Error"]);
    wrong("_probe _oneshot { printf(\"abc); }", &["Error"]);
    wrong("_probe _oneshot { int x = \"abc\" * 3; }", &["_str", "int"]);
    wrong("_probe _oneshot { int x = items; }", &["Error"]);
    wrong("_probe _oneshot { printf(\"%d %d\\n\", 1); }", &["Error"]);
    // The real struct's fields are known.
    wrong(
        "_probe _oneshot { printf(\"%d\\n\", items->first->colur); }",
        &["colur", "item_s", "colour"],
    )
    .hints();
    wrong(
        "_probe _oneshot { printf(\"%d\\n\", minimun); }",
        &["minimun", "minimum"],
    )
    .hints();
    wrong(
        "_probe _oneshot { struct itm_s *p = 0; printf(\"%d\\n\", p->id); }",
        &["itm_s"],
    );
    // Several errors are shown at once.
    wrong(
        "_probe _oneshot { printf(\"%d\\n\", items->first->colur); printf(\"%d\\n\", items->first->nam); }",
        &["colur", "`nam`"],
    );
    run_text("long f(void) { return 1; }", pid, &[])
        .expect_status(PROBE)
        .says(&["no probe"])
        .hints();
    run_text("", pid, &[]).expect_status(PROBE).hints();
    // Nothing can be written to the target.
    wrong("_probe _oneshot { items->first->id = 3; }", &["Error"]);
    wrong("_probe _oneshot { *(int *)wild = 3; }", &["Error"]);
    still_well(&mut target);
}

#[test]
fn misspelt_field_of_nginx() {
    if let Some(why) = ytrace_tests::fixtures::unavailable("dwarf") {
        return skip("misspelt_field_of_nginx", &why);
    }
    let nginx = ytrace_tests::fixtures::Nginx::start("dwarf", &[]);
    run_text(
        "_probe _oneshot { printf(\"%d\\n\", ngx_cycle->conection_n); }",
        nginx.worker,
        &[],
    )
    .expect_status(PROBE)
    .says(&["conection_n", "ngx_cycle_s", "connection_n", "-e:1:"])
    .hints();
    assert_untouched(nginx.worker);
    assert_eq!(nginx.get("/ping"), "pong");
}

#[test]
fn wrong_arguments() {
    let Some(mut target) = lua("wrong_arguments", 100) else {
        return;
    };
    let pid = target.pid();
    let script = |words: &[&str], parts: &[&str]| {
        let mut arguments = vec!["--"];
        arguments.extend(words);
        run_lua_gc(pid, &arguments)
            .expect_status(USAGE)
            .says(parts)
            .hints();
    };
    script(&["--bogus", "3"], &["--bogus", "--depth"]);
    script(&["--depht", "3"], &["--depht", "did you mean `--depth`"]);
    script(&["--depth", "many"], &["--depth", "many"]);
    script(&["--depth"], &["--depth"]);
    script(&["word"], &["word"]);
    // The script itself knows what this may be.
    run_lua_gc(pid, &["--", "--vm", "nonsense"])
        .expect_status(PROBE)
        .says(&["--vm", "nonsense", "auto"]);
    let folder = tempfile::tempdir().unwrap();
    let output = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["x.png", "x", ".svg.bak"] {
        run_lua_gc(pid, &["-o", &output(name)])
            .expect_status(USAGE)
            .says(&[".svg", ".folded", ".json"]);
    }
    run_lua_gc(pid, &["-o", &output("none/x.svg")])
        .expect_status(USAGE)
        .says(&["none/x.svg"]);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing was written"
    );
    run_lua_gc(pid, &["--weight", "nonsense"])
        .expect_status(USAGE)
        .says(&["nonsense", "bytes, count, finalizers"])
        .hints();
    for (option, value) in [
        ("--mode", "nonsense"),
        ("--timeout", "soon"),
        ("--steps", "many"),
        ("--memory", "lots"),
        ("--max-pause", "never"),
    ] {
        run_lua_gc(pid, &[option, value])
            .expect_status(USAGE)
            .says(&[option]);
    }
    run(&["nonsense"]).expect_status(USAGE);
    run(&["run", "probes/none.y", "-p", &pid.to_string()])
        .expect_status(USAGE)
        .says(&["probes/none.y", "lua-gc-fgraph"])
        .hints();
    still_well(&mut target);
}

#[test]
fn probe_files_that_others_can_change() {
    let Some(mut target) = records("probe_files_that_others_can_change") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.y");
    std::fs::write(
        &file,
        "/// Mine.\n_probe _oneshot { printf(\"ran\\n\"); }\n",
    )
    .unwrap();
    let run_file = |file: &Path| {
        run(&[
            "run",
            file.to_str().unwrap(),
            "-p",
            &target.pid().to_string(),
        ])
    };
    for (mode, refused) in [(0o600, false), (0o644, false), (0o666, true), (0o646, true)] {
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        let result = run_file(&file);
        if refused {
            let result = result.expect_status(USAGE);
            assert_eq!(result.stdout, "");
            result.says(&["mine.y", "chmod"]);
        } else {
            assert_eq!(result.expect_status(0).stdout, "ran\n");
        }
    }
    // So are those that it includes.
    let included = folder.path().join("part.y");
    std::fs::write(&included, "/// A part.\nlong part(void) { return 1; }\n").unwrap();
    std::fs::set_permissions(&included, PermissionsExt::from_mode(0o666)).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(
        &file,
        "/// Mine.\n#include \"part.y\"\n_probe _oneshot { printf(\"%ld\\n\", part()); }\n",
    )
    .unwrap();
    let result = run_file(&file);
    assert_ne!(result.status, Some(0), "{result}");
    result.says(&["part.y"]);
    // What is no text.
    std::fs::write(&file, [0xff, 0xfe, 0x00, 0x80]).unwrap();
    assert_ne!(run_file(&file).status, Some(0));
    run_file(folder.path()).expect_status(USAGE);
    still_well(&mut target);
}

/// The memory of a process that this test started, and ends afterwards.
struct Victim {
    target: Waiting,
    memory: std::fs::File,
    width: usize,
}

impl Victim {
    fn start(luajit: &Path, width: usize) -> Self {
        let target = standalone_with(luajit, 2_000, 4_000);
        let memory = OpenOptions::new()
            .read(true)
            .write(true)
            .open(format!("/proc/{}/mem", target.pid()))
            .unwrap();
        Self {
            target,
            memory,
            width,
        }
    }

    fn read(&self, address: u64) -> u64 {
        let mut bytes = [0; 8];
        self.memory
            .read_exact_at(&mut bytes[..self.width], address)
            .unwrap();
        u64::from_le_bytes(bytes)
    }

    fn write(&self, address: u64, value: u64) {
        self.memory
            .write_all_at(&value.to_le_bytes()[..self.width], address)
            .unwrap();
    }

    /// Where `g->gc.root` is: the list of all objects, linked by their first field, `nextgc`.
    fn root(&self) -> u64 {
        let text = "#include <luajit/vm.y>\n#include <luajit/gc.y>\n_probe _oneshot { printf(\"%ld\\n\", (long)&G(lj_main_state(\"auto\"))->gc.root); }";
        let result = run_text(text, self.target.pid(), &[]).expect_status(0);
        result.stdout.trim().parse().unwrap()
    }
}

/// A list of objects that is corrupted ends the walk, and the result says that it is not whole.
#[test]
fn corrupted_nextgc() {
    for ((name, luajit), width) in luajits().into_iter().zip([8, 4]) {
        if !luajit.is_file() {
            skip(
                "corrupted_nextgc",
                &format!("{} is missing", luajit.display()),
            );
            continue;
        }
        let mut victim = Victim::start(&luajit, width);
        let mut objects = vec![victim.read(victim.root())];
        while objects.len() < 4_000 {
            objects.push(victim.read(objects[objects.len() - 1]));
        }
        let middle = objects[2_000];
        let sound = victim.read(middle);
        for (what, value) in [
            ("itself", middle),
            ("an earlier object", objects[100]),
            ("a wild address", 0xdead_0000),
            ("the first page", 8),
            ("an odd address", sound + 1),
            ("all ones", u64::MAX >> (64 - 8 * width)),
        ] {
            victim.write(middle, value);
            for more in [&[][..], &["--interpret"]] {
                let begun = Instant::now();
                let result = run_lua_gc(victim.target.pid(), more).expect_status(PARTIAL);
                assert!(
                    begun.elapsed() < Duration::from_secs(60),
                    "{name}: {what}: {result}"
                );
                assert!(
                    result.stderr.contains("PARTIAL"),
                    "{name}: {what}: {result}"
                );
                assert!(
                    result.stderr.contains("could not be read"),
                    "{name}: {what}: {result}"
                );
                // What is held by reference does not hang on the list.
                assert!(
                    result.stdout.contains(".cert_cache"),
                    "{name}: {what}: {result}"
                );
            }
        }
        victim.write(middle, sound);
        run_lua_gc(victim.target.pid(), &[]).expect_status(0);
        // The tables' own memory: the first objects of the list, their fields overwritten.
        for object in &objects[..64] {
            let at = object + 2 * width as u64;
            victim.write(at, victim.read(at) ^ 0x5555_5555);
        }
        let result = run_lua_gc(victim.target.pid(), &[]);
        assert!(
            matches!(result.status, Some(0 | PARTIAL)),
            "{name}: {result}"
        );
        assert!(victim.target.running());
        assert_untouched(victim.target.pid());
        // It is not fit to go on.
        signal(victim.target.pid(), Signal::SIGKILL);
    }
}

/// Where the test programs lie is not what the tests are about.
#[test]
fn fixtures_are_where_they_are_looked_for() {
    let missing: Vec<PathBuf> = luajits()
        .into_iter()
        .map(|(_, path)| path)
        .chain([directory().join("c/records"), directory().join("c/eintr")])
        .filter(|path| !path.is_file())
        .collect();
    if !missing.is_empty() {
        skip(
            "fixtures_are_where_they_are_looked_for",
            &format!("{missing:?}"),
        );
    }
}

/// A process without a runtime is told so at once, in one error; a layout is looked for only where there is something to fit it to.
#[test]
fn absent_runtimes_are_one_error() {
    let programs = [Path::new("/bin/cat"), &directory().join("c/pretend")];
    for program in programs {
        if !program.is_file() {
            skip("absent_runtimes_are_one_error", "a program is missing");
            continue;
        }
        let pretends = program.ends_with("pretend");
        let target = match pretends {
            true => Waiting::start(&mut Command::new(program)),
            false => Waiting::start(Command::new("sh").args(["-c", "echo READY; exec cat"])),
        };
        let pid = target.pid().to_string();
        for (probe, says) in [
            ("perl-gc-stats", "no Perl "),
            ("perl-gc-fgraph", "no Perl "),
            ("lua-gc-stats", "no LuaJIT machine found"),
            ("lua-gc-fgraph", "no LuaJIT machine found"),
            ("ngx-pools", "nginx"),
        ] {
            let file = format!("probes/{probe}.y");
            let result = run(&["run", &file, "-p", &pid]).expect_status(USAGE);
            result.says(&[says, "found in this process: glibc"]);
            assert_eq!(result.stderr.matches("error").count(), 1, "{result}");
            if !pretends && probe.starts_with("perl") {
                assert!(!result.stderr.contains("layouts were tried"), "{result}");
            }
        }
    }
    // Where nothing looks like a machine, one layout settles it. Now and then words of a heap do, by where it lies.
    let settled = (0..8).any(|_| {
        let target = Waiting::start(Command::new("sh").args(["-c", "echo READY; exec cat"]));
        let pid = target.pid().to_string();
        let result = run(&["run", "probes/lua-gc-stats.y", "-p", &pid]).expect_status(USAGE);
        !result.stderr.contains("layouts were tried")
    });
    assert!(settled, "all layouts were tried on eight processes");
}
