//! What a machine and a process allow, and what is made of the table of options.

use std::process::Command;

use serde_json::Value;
use ytrace_tests::fixtures::{Waiting, directory};
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::{command, finish, run};
use ytrace_tests::skip;

fn list(text: &str) -> Vec<Value> {
    let value: Value = serde_json::from_str(text).unwrap();
    value.as_array().unwrap().clone()
}

#[test]
fn a_process_that_can_be_looked_at() {
    let test = "a_process_that_can_be_looked_at";
    let program = directory().join("c/heap");
    if !program.is_file() || !nix::unistd::geteuid().is_root() {
        return skip(test, "the fixture is missing, or this is not root");
    }
    let target = Waiting::start(&mut Command::new(program));
    let pid = target.pid().to_string();
    let told = run(&["doctor", "-p", &pid, "--json"]).expect_status(0);
    let found = list(&told.stdout);
    let of = |subject: &str| {
        let mut all = found.iter();
        let one = all.find(|one| one["subject"] == subject);
        one.unwrap_or_else(|| panic!("{subject}: {told}"))
    };
    assert_eq!(of("memory")["health"], "ok", "{told}");
    assert_eq!(of("stopping")["health"], "ok", "{told}");
    // Each file that it runs is spoken of.
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let code = maps.lines().filter(|line| line.contains(" r-xp "));
    let mut files = 0;
    for path in code.filter_map(|line| line.split_whitespace().nth(5)) {
        if let Some((_, name)) = path.rsplit_once('/') {
            of(name);
            files += 1;
        }
    }
    assert!(files >= 2, "{maps}");
    assert_eq!(of("heap")["health"], "ok", "{told}");
    assert_eq!(of("text")["health"], "ok", "{told}");
    assert_untouched(target.pid());
    let text = run(&["doctor", "-p", &pid]).expect_status(0);
    let process = format!("Process {pid}");
    for part in ["This machine", &process, "expected pause: "] {
        assert!(text.stdout.contains(part), "{text}");
    }
}

#[test]
fn what_is_missing_has_its_cause_and_the_status_of_an_environment() {
    let told =
        finish(command(&["doctor"]).env("YTRACE_FORBID", "bpf,perf_uprobes")).expect_status(2);
    let line = "missing  probes on events: ";
    assert!(told.stdout.contains(line), "{told}");
    assert!(
        told.stdout.contains("YTRACE_FORBID switches it off"),
        "{told}"
    );
    let told = finish(command(&["doctor"]).env("YTRACE_FORBID", "bfp")).expect_status(2);
    told.says(&["YTRACE_FORBID names `bfp`"]);
    let own = std::process::id().to_string();
    let gone = run(&["doctor", "-p", &i32::MAX.to_string()]).expect_status(2);
    gone.says(&["no process"]).hints();
    run(&["doctor", "-p", &own]).expect_status(0);
}

#[test]
fn pages_and_completions_have_every_command_and_option() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    run(&["man", &path]).expect_status(0);
    let help = run(&["--help"]).expect_status(0).stdout;
    let commands = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(
        commands.contains(&"run") && commands.contains(&"doctor"),
        "{help}"
    );
    let bash = run(&["completions", "bash"]).expect_status(0).stdout;
    for name in &commands {
        let page = std::fs::read_to_string(folder.path().join(format!("ytrace-{name}.1"))).unwrap();
        assert!(page.contains(".TH"), "{page}");
        assert!(bash.contains(&format!("ytrace,{name})")), "{name}");
    }
    let page = std::fs::read_to_string(folder.path().join("ytrace-run.1")).unwrap();
    for option in ["max\\-pause", "mode", "core"] {
        assert!(page.contains(&format!("\\-\\-{option}")), "{page}");
        assert!(bash.contains(&format!("--{}", option.replace('\\', ""))));
    }
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(
            run(&["completions", shell])
                .expect_status(0)
                .stdout
                .contains("doctor")
        );
    }
    run(&["completions", "csh"]).expect_status(2);
    run(&["man", "/dev/null/x"])
        .expect_status(2)
        .says(&["/dev/null/x"]);
}

#[test]
fn a_breakpoint_that_somebody_left_behind_is_told() {
    use std::os::unix::fs::FileExt;
    let test = "a_breakpoint_that_somebody_left_behind_is_told";
    let program = directory().join("c/heap");
    if !program.is_file() || !nix::unistd::geteuid().is_root() {
        return skip(test, "the fixture is missing, or this is not root");
    }
    let target = Waiting::start(&mut Command::new(program));
    let pid = target.pid().to_string();
    // A function that nobody calls.
    let told = run(&[
        "list",
        "-p",
        &pid,
        "-v",
        "--format",
        "json",
        "libc.so.6::lrand48",
    ]);
    let listed = list(&told.stdout);
    let word = |name: &str| listed[0][name].as_u64().unwrap();
    let address = word("address") + word("bias");
    let memory = std::fs::File::options()
        .write(true)
        .open(format!("/proc/{pid}/mem"))
        .unwrap();
    memory.write_all_at(&[0xcc], address).unwrap();
    let found = run(&["doctor", "-p", &pid]).expect_status(0);
    for part in [
        "limited  text: a breakpoint stands in it (lrand48)",
        "no debugger holds",
    ] {
        assert!(found.stdout.contains(part), "{found}");
    }
    let text = "_probe lrand48 { } _probe _timer.ms(1) { _exit(); }";
    let found = run(&["run", "-p", &pid, "--sync", "-e", text]).expect_status(2);
    for part in [
        "at lrand48 a breakpoint stands already",
        "cannot be stopped at",
    ] {
        assert!(found.stderr.contains(part), "{found}");
    }
}
