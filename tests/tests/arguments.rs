//! Arguments and results of every class of the ABI: a program says what it passes, and `arguments.y` what it sees.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use ytrace_tests::fixtures::{Waiting, directory};
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::run;
use ytrace_tests::tracing::{Tracing, says};
use ytrace_tests::{root, skip};

const PROBES: &str = "tests/fixtures/c/arguments.y";

/// What a line begins with: `name:` for what is passed, `name =` for what is returned.
fn beginning(line: &str) -> Option<String> {
    let end = line.find([':', '='])?;
    Some(line.get(..=end)?.to_owned())
}

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

/// The probes of the file, and what stands before them.
fn probes() -> (String, Vec<String>) {
    let text = std::fs::read_to_string(root().join(PROBES)).expect("the probes");
    let (mut before, mut probes) = (String::new(), Vec::<String>::new());
    for line in text.lines() {
        if line.starts_with("_probe ") {
            probes.push(String::new());
        }
        let part = probes.last_mut().unwrap_or(&mut before);
        part.push_str(line);
        part.push('\n');
    }
    (before, probes)
}

/// Floating-point numbers that the ABI passes in memory or in registers of integers, which the kernel's programs see.
const FLOATS_WITHIN_REACH: [&str; 5] = [
    "take_three_doubles(...) -> r",
    "take_float_int(...)",
    "take_float_int(...) -> r",
    "take_bits_float(...)",
    "take_bits_float(...) -> r",
];

/// The program that says what it passes, told to do so once, and then all that it said.
fn said_by(child: &mut Child) -> Vec<String> {
    let mut input = child.stdin.take().expect("piped");
    writeln!(input).expect("it reads");
    drop(input);
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let lines = output.lines().map_while(Result::ok);
    let lines = lines.take_while(|line| line != "DONE").collect();
    assert!(child.wait().expect("our child").success());
    lines
}

/// Runs probes on the program while it makes its calls: what it said of those that are probed, and what ytrace printed.
fn compared(text: &str, more: &[&str]) -> (Vec<String>, Vec<String>) {
    let mut child = Command::new(directory().join("c/arguments"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the fixture starts");
    let pid = child.id().to_string();
    let words = ["run", "-e", text, "-p", &pid];
    let tracing = Tracing::start(&[&words[..], more].concat());
    let synchronous = more.contains(&"--sync");
    if !synchronous {
        assert_untouched(i32::try_from(child.id()).expect("a process id"));
    }
    let said = said_by(&mut child);
    // It ends with its target.
    let finished = tracing.finish();
    says(
        &finished,
        &[if synchronous { " stops;" } else { " 0 lost" }],
    );
    let seen: Vec<String> = finished.stdout.lines().map(str::to_owned).collect();
    let probed: BTreeSet<String> = text
        .lines()
        .filter_map(|line| beginning(line.split_once("printf(\"")?.1))
        .collect();
    let said = said
        .into_iter()
        .filter(|line| beginning(line).is_some_and(|name| probed.contains(&name)))
        .collect();
    (said, seen)
}

#[test]
fn arguments_and_results_that_the_kernel_sees_are_those_of_the_calls() {
    if !directory().join("c/arguments").is_file() {
        return skip("arguments", "the fixture c/arguments is not built");
    }
    let (before, probes) = probes();
    let within_reach = |probe: &String| {
        let head = probe.strip_prefix("_probe ").unwrap_or_default();
        let head = head.split(" {").next().unwrap_or_default();
        !probe.contains("%g") || FLOATS_WITHIN_REACH.contains(&head)
    };
    let (within, without): (Vec<String>, Vec<String>) = probes.into_iter().partition(within_reach);
    let (said, seen) = compared(&(before.clone() + &within.concat()), &[]);
    assert_eq!(seen, said);
    assert_eq!(seen.len(), within.len(), "{seen:?}");
    assert!(seen.len() > 70, "{seen:?}");

    // Each of the others is refused, and says why.
    for probe in without {
        let waiting = Waiting::start(&mut Command::new(directory().join("c/arguments")));
        let pid = waiting.pid().to_string();
        let text = before.clone() + &probe;
        let refused = run(&["run", "-e", &text, "-p", &pid, "--duration", "10s"]).expect_status(2);
        assert!(
            refused
                .stderr
                .contains("cannot be had without stopping the thread"),
            "{probe}: {refused}"
        );
    }
}

#[test]
fn all_arguments_and_results_are_those_of_the_calls_where_threads_are_stopped() {
    if !directory().join("c/arguments").is_file() {
        return skip("arguments", "the fixture c/arguments is not built");
    }
    let (before, probes) = probes();
    let (said, seen) = compared(&(before + &probes.concat()), &["--sync"]);
    assert_eq!(seen, said);
    assert_eq!(seen.len(), probes.len(), "{seen:?}");
    assert!(seen.iter().any(|line| line.contains('.')), "{seen:?}");
}

/// Functions of which an optimizing compiler makes copies for its callers, which it passes less to.
const COPIED: &str = r#"
#include <stdio.h>
struct pair { long a, b; };
static __attribute__((noinline)) int fixed(int a, int five, int c) { __asm__ volatile("" : : "r"(a)); return a * 3 + c + five; }
static __attribute__((noinline)) long shorter(struct pair *p, int unused, int k) { __asm__ volatile("" : : "r"(p)); return p->b * 7 + k; }
int main(void) {
    volatile long sum = 0;
    for (int i = 0; i < 3; i++) {
        struct pair p = { i, i * 11 };
        sum += fixed(i, 5, i * 2) + shorter(&p, i + 40, i + 100);
    }
    return sum == 0;
}
"#;

#[test]
fn arguments_of_copies_are_where_the_debug_information_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, program) = (folder.path().join("copied.c"), folder.path().join("copied"));
    std::fs::write(&source, COPIED).expect("it is written");
    let built = Command::new("gcc")
        .args(["-O2", "-g", "-o"])
        .args([&program, &source])
        .status();
    assert!(built.expect("gcc").success());
    let program = program.to_str().expect("UTF-8");
    let text = r#"
        _probe fixed(...) { printf("fixed %d %d %d\n", a, five, c); }
        _probe fixed(int first, int second, int third) -> r { printf("%d %d %d -> %d\n", first, second, third, r); }
        _probe shorter(...) { printf("shorter %d\n", k); }
    "#;
    let finished = run(&["run", "-c", program, "-e", text]).expect_status(0);
    let expected: String = (0..3)
        .map(|i| {
            let result = i * 3 + i * 2 + 5;
            format!(
                "fixed {i} 5 {}\n{i} 5 {} -> {result}\nshorter {}\n",
                i * 2,
                i * 2,
                i + 100
            )
        })
        .collect();
    assert_eq!(finished.stdout, expected, "{finished}");
    let text = r#"_probe shorter(...) { printf("%d\n", unused); }"#;
    let refused = run(&["run", "-c", program, "-e", text]).expect_status(1);
    says(&refused, &["`unused` cannot be read", "left out"]);
    let listed = run(&["list", "-e", program, "-v", "fixed"]).expect_status(0);
    assert!(
        listed.stdout.contains("a in rdi, five always 5, c in rsi"),
        "{listed}"
    );
    assert!(
        listed.stdout.contains("fixed(int a, int five, int c)"),
        "{listed}"
    );
}
