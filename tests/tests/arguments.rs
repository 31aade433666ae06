//! Arguments and results of every class of the ABI: a program says what it passes, and `arguments.y` what it sees.

use std::collections::BTreeSet;
use std::process::Command;

use ytrace_tests::fixtures::{Waiting, directory};
use ytrace_tests::program::run;
use ytrace_tests::{root, skip};

const PROBES: &str = "tests/fixtures/c/arguments.y";

#[test]
fn the_probes_fit_the_prototypes_of_the_program() {
    let program = directory().join("c/arguments");
    if !program.is_file() {
        return skip("arguments", "the fixture c/arguments is not built");
    }
    let waiting = Waiting::start(&mut Command::new(program));
    let pid = waiting.pid().to_string();
    let checked = run(&["check", PROBES, "-p", &pid]).expect_status(0);
    assert!(!checked.stderr.contains("warning"), "{checked}");
}

#[test]
fn the_probes_say_all_that_the_program_says() {
    let program = directory().join("c/arguments");
    if !program.is_file() {
        return skip("arguments", "the fixture c/arguments is not built");
    }
    let output = Command::new(program)
        .arg("1")
        .output()
        .expect("the fixture runs");
    assert!(output.status.success());
    // What a line begins with: `name:` for what is passed, `name =` for what is returned.
    let beginning = |line: &str| {
        let end = line.find([':', '='])?;
        Some(line.get(..=end)?.to_owned())
    };
    let said: BTreeSet<String> = String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .filter_map(beginning)
        .collect();
    let probes = std::fs::read_to_string(root().join(PROBES)).expect("the probes");
    let seen: BTreeSet<String> = probes
        .lines()
        .filter_map(|line| beginning(line.split_once("printf(\"")?.1))
        .collect();
    // Results in registers of the x87 unit are out of reach.
    let missing: Vec<&String> = said.difference(&seen).collect();
    assert_eq!(missing, ["boxed =", "complex_extended =", "extended ="]);
    assert_eq!(seen.difference(&said).count(), 0, "{seen:?} {said:?}");
    assert!(said.len() > 100, "{}", said.len());
}
