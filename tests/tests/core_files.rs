//! Probe files checked against core files.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ytrace_tests::fixtures::{Nginx, Waiting, directory, unavailable};
use ytrace_tests::program::run;
use ytrace_tests::skip;

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Makes a core file of a running process; `None` where gdb is missing.
fn gcore(test: &str, folder: &Path, pid: i32) -> Option<String> {
    let dumped = Command::new("gcore")
        .arg("-o")
        .arg(folder.join("core"))
        .arg(pid.to_string())
        .output();
    match dumped {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "gcore: {said}");
            Some(folder.join(format!("core.{pid}")).display().to_string())
        }
        Err(error) => {
            skip(test, &format!("gcore cannot be run: {error}"));
            None
        }
    }
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
fn a_core_file_of_the_kernel_does_too() {
    let test = "a_core_file_of_the_kernel_does_too";
    let Some(program) = records(test) else {
        return;
    };
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if pattern.trim() != "core" {
        skip(
            test,
            &format!("core files are not written here, but to {pattern}"),
        );
        return;
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
    let written = std::fs::read_dir(folder.path())
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains("core"));
    let Some(core) = written.filter(|_| status.core_dumped()) else {
        skip(test, "the kernel wrote no core file");
        return;
    };
    let bytes = std::fs::read(&core).unwrap();
    let core = core.display().to_string();
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
