//! Probe files checked against core files.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ytrace_tests::cores::{gcore, kernel_cores, written};
use ytrace_tests::fixtures::{Nginx, Waiting, directory, unavailable};
use ytrace_tests::program::run;
use ytrace_tests::skip;

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn records(test: &str) -> Option<PathBuf> {
    let program = directory().join("c/records");
    if !program.is_file() {
        skip(test, &format!("{} is missing", program.display()));
        return None;
    }
    Some(program)
}

#[test]
fn a_core_file_gives_the_types_of_its_program() {
    let test = "a_core_file_gives_the_types_of_its_program";
    let Some(original) = records(test) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let program = folder.join("records");
    // Copied by another process: a file that this one has open for writing cannot be run while another test starts a program.
    let copied = Command::new("cp").arg(&original).arg(&program).status();
    assert!(copied.unwrap().success());
    let target = Waiting::start(&mut Command::new(&program));
    let Some(core) = gcore(test, folder, target.pid()) else {
        return;
    };
    drop(target);
    let good = file(
        folder,
        "good.y",
        "_probe _oneshot { printf(\"%d\\n\", items->count); }\n",
    );
    let bad = file(
        folder,
        "bad.y",
        "_probe _oneshot { printf(\"%d\\n\", items->frist->id); }\n",
    );
    let right = run(&["check", &good, "--core", &core]).expect_status(0);
    assert_eq!(right.stdout, format!("{good}: right for this core file\n"));
    assert_eq!(right.stderr, "");
    run(&["check", &bad, "--core", &core])
        .expect_status(1)
        .says(&["no member `frist` in `list_t`", "did you mean `first`?"]);

    // Another program, and none.
    run(&["check", &good, "--core", &core, "--exe", "/bin/true"])
        .expect_status(2)
        .says(&["/bin/true is not the file that was mapped: its build-id is"])
        .hints();
    let types = folder.join("records.types").display().to_string();
    let shown = program.display().to_string();
    run(&["types", "extract", &shown, "-o", &types]).expect_status(0);
    std::fs::remove_file(&program).unwrap();
    run(&["check", &good, "--core", &core])
        .expect_status(2)
        .says(&[&format!("{shown} cannot be opened"), "--exe FILE"]);
    let moved = original.display().to_string();
    run(&["check", &good, "--core", &core, "--exe", &moved]).expect_status(0);
    run(&["check", &bad, "--core", &core, "--exe", &moved]).expect_status(1);
    // Its types stand in for it.
    run(&["check", &good, "--core", &core, "--types", &types]).expect_status(0);
    run(&["check", &bad, "--core", &core, "--types", &types])
        .expect_status(1)
        .says(&["did you mean `first`?"]);
    // Under another root its libraries are missing, which is no error.
    let root = folder.join("root");
    let below = root.join(program.strip_prefix("/").unwrap());
    std::fs::create_dir_all(below.parent().unwrap()).unwrap();
    std::fs::copy(&original, &below).unwrap();
    let root = root.display().to_string();
    run(&["check", &good, "--core", &core, "--sysroot", &root])
        .expect_status(0)
        .says(&["warning: no names of libc.so.6: "]);

    // What is no core file.
    run(&["check", &good, "--core", &good])
        .expect_status(2)
        .says(&["is not a core file"])
        .hints();
    run(&["check", &good, "--core", &core, "-p", "1"]).expect_status(2);
    run(&["check", &good, "--exe", &core]).expect_status(2);
}

#[test]
fn a_debug_file_goes_with_an_executable_of_another_name() {
    let test = "a_debug_file_goes_with_an_executable_of_another_name";
    let Some(original) = records(test) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = |name: &str| folder.join(name).display().to_string();
    let original = original.display().to_string();
    let (stripped, debug) = (path("stripped"), path("symbols"));
    for arguments in [
        ["--strip-all", &original, &stripped],
        ["--only-keep-debug", &original, &debug],
    ] {
        let Ok(done) = Command::new("objcopy").args(arguments).status() else {
            return skip(test, "objcopy is missing");
        };
        assert!(done.success());
    }
    let target = Waiting::start(&mut Command::new(&stripped));
    let pid = target.pid().to_string();
    let Some(core) = gcore(test, folder, target.pid()) else {
        return;
    };
    let renamed = path("renamed");
    std::fs::copy(&stripped, &renamed).unwrap();
    let text = "_probe _oneshot { printf(\"%d\\n\", items->count); }";
    let of_core = ["run", "-e", text, "--core", &core, "--exe", &renamed];
    run(&of_core)
        .expect_status(1)
        .says(&["stripped has no type information"]);
    let debug_file = |module: &str| format!("{module}={debug}");
    let of_live = ["run", "-e", text, "-p", &pid];
    let mut outputs = Vec::new();
    for target in [&of_core[..], &of_live[..]] {
        for module in ["stripped", "_exe", "str?pp*"] {
            let given = debug_file(module);
            let result = run(&[target, &["--debug-file", &given]].concat()).expect_status(0);
            outputs.push(result.stdout);
        }
    }
    outputs.dedup();
    assert_eq!(outputs.len(), 1, "{outputs:?}");
    run(&[&of_core[..], &["--debug-file", &debug_file("renamed")]].concat())
        .expect_status(2)
        .says(&["the target has no module `renamed`"]);
}

#[test]
fn a_core_file_of_the_kernel_does_too() {
    let test = "a_core_file_of_the_kernel_does_too";
    let Some(program) = records(test) else {
        return;
    };
    if let Err(why) = kernel_cores() {
        return skip(test, &why);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -c unlimited && exec \"$0\""])
        .arg(&program)
        .current_dir(folder.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    let stdout = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut ready).unwrap();
    assert!(ready.starts_with("READY"), "{ready}");
    kill(
        Pid::from_raw(i32::try_from(child.id()).unwrap()),
        Signal::SIGABRT,
    )
    .unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(libc::SIGABRT));
    let Some(core) = written(folder.path()).filter(|_| status.core_dumped()) else {
        skip(test, "the kernel wrote no core file");
        return;
    };
    let bytes = std::fs::read(&core).unwrap();
    let bad = file(
        folder.path(),
        "bad.y",
        "_probe _oneshot { printf(\"%d\\n\", items->cuont); }\n",
    );
    run(&["check", &bad, "--core", &core])
        .expect_status(1)
        .says(&["did you mean `count`?"]);
    // The notes come first: one that is cut short still tells what it is of.
    std::fs::write(&core, &bytes[..bytes.len() - bytes.len() / 4]).unwrap();
    run(&["check", &bad, "--core", &core])
        .expect_status(1)
        .says(&["the core file is truncated", "did you mean `count`?"]);
    // What malloc keeps lies behind, and that is said to be missing.
    std::fs::write(&core, &bytes[..bytes.len() / 8]).unwrap();
    let found = run(&["repl", "--core", &core, "-e", "count used"]).expect_status(1);
    found.says(&[
        "glibc's heap cannot be looked at",
        "is not in the core file",
    ]);
    assert!(!found.stderr.contains("error: error"), "{found}");
    assert!(!found.stderr.contains("  in glibc_"), "{found}");
}

/// What gdb writes has registers at the end.
#[test]
fn a_core_file_without_registers_has_no_stacks() {
    let test = "a_core_file_without_registers_has_no_stacks";
    let Some(program) = records(test) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let target = Waiting::start(&mut Command::new(&program));
    let Some(core) = gcore(test, folder.path(), target.pid()) else {
        return;
    };
    drop(target);
    let bytes = std::fs::read(&core).unwrap();
    std::fs::write(&core, &bytes[..bytes.len() / 2]).unwrap();
    let exe = program.to_str().unwrap();
    run(&["repl", "--core", &core, "--exe", exe, "-e", "bt"])
        .expect_status(1)
        .says(&["no registers of threads are known"]);
}

#[test]
fn a_core_file_of_nginx() {
    let test = "a_core_file_of_nginx";
    if let Some(why) = unavailable("dwarf") {
        skip(test, &why);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let nginx = Nginx::start("dwarf", &[]);
    let Some(core) = gcore(test, folder.path(), nginx.worker) else {
        return;
    };
    drop(nginx);
    let good = file(
        folder.path(),
        "good.y",
        "_probe _oneshot { printf(\"%d\\n\", ngx_cycle->connection_n); }\n",
    );
    let bad = file(
        folder.path(),
        "bad.y",
        "_probe _oneshot { printf(\"%d\\n\", ngx_cycle->conection_n); }\n",
    );
    run(&["check", &good, "--core", &core]).expect_status(0);
    run(&["check", &bad, "--core", &core])
        .expect_status(1)
        .says(&["no member `conection_n`", "did you mean `connection_n`"]);
    // Types of LuaJIT, which is a library here.
    run(&["check", "probes/lua-gc-fgraph.y", "--core", &core]).expect_status(0);
}

#[test]
fn what_a_core_file_cannot_do() {
    let test = "what_a_core_file_cannot_do";
    let Some(program) = records(test) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let target = Waiting::start(&mut Command::new(&program));
    let Some(core) = gcore(test, folder, target.pid()) else {
        return;
    };
    let pid = target.pid().to_string();
    drop(target);
    let timer = file(
        folder,
        "timer.y",
        "_probe _oneshot { puts(\"one\"); }\n_probe _timer.s(1) { puts(\"tick\"); }\n",
    );
    run(&["run", &timer, "--core", &core])
        .expect_status(2)
        .says(&[
            "timer.y:2",
            "a timer needs a process, and a core file is none",
        ])
        .hints();
    let good = file(
        folder,
        "good.y",
        "_probe _begin { puts(\"begin\"); }
_probe _oneshot { printf(\"%d %d %s %ld %s\\n\", items->count, _is_live(), _execname(), _pid(), _target_words()); }
_probe _end { puts(\"end\"); }
",
    );
    let result = run(&["run", &good, "--core", &core]).expect_status(0);
    let lines: Vec<&str> = result.stdout.lines().collect();
    let (count, rest) = lines[1].split_once(' ').unwrap();
    assert!(count.parse::<u32>().unwrap() > 0, "{result}");
    assert_eq!(rest, format!("0 records {pid} --core {core}"), "{result}");
    assert_eq!((lines[0], lines[2]), ("begin", "end"), "{result}");
    result.says(&[
        &format!("core file core.{pid} of {pid}, no pause"),
        "complete",
    ]);
    // Which of two targets, and which mode of a process that is none.
    for more in [vec!["-p", "1"], vec!["-c", "true"], vec!["--mode", "stop"]] {
        let mut arguments = vec!["run", &good, "--core", &core];
        arguments.extend(more);
        run(&arguments)
            .expect_status(2)
            .says(&["cannot be used with"]);
    }
    run(&["run", &good, "-p", "1", "--exe", &good]).expect_status(2);
    // What means nothing for it.
    for (more, why) in [
        (vec!["--after", "1s"], "a core file stands still"),
        (vec!["--read-swap"], "a core file has no pages on swap"),
        (
            vec!["--rows", "-1"],
            "expected a number of rows, such as 25",
        ),
        (vec!["--max-core", "-1"], "expected a number such as"),
    ] {
        let result = run(&[&["run", &good, "--core", &core], &more[..]].concat());
        let result = result.expect_status(2);
        result.says(&[why, more[0]]);
        assert!(!result.stderr.contains("tip:"), "{result}");
    }
    run(&["run", &good, "--core", "/"])
        .expect_status(2)
        .says(&["/ is a directory, not a core file"])
        .hints();
    // The wrong program, a missing one, and its types in its place.
    run(&["run", &good, "--core", &core, "--exe", "/bin/true"])
        .expect_status(2)
        .says(&["/bin/true is not the file that was mapped"])
        .hints();
    run(&["run", &good, "--core", "/nonexistent"])
        .expect_status(2)
        .says(&["/nonexistent: ENOENT"]);
    run(&["run", &good, "--core", &good])
        .expect_status(2)
        .says(&["is not a core file"]);
    // Memory that nobody has.
    let wild = file(
        folder,
        "wild.y",
        "_probe _oneshot { printf(\"%d\\n\", *(int *)16); }\n",
    );
    run(&["run", &wild, "--core", &core])
        .expect_status(1)
        .says(&["address 0x10 is not mapped"]);
}
