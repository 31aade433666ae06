//! Arguments and results of every class of the ABI: a program says what it passes, and `arguments.y` what it sees.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use ytrace_tests::fixtures::{Waiting, directory};
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::run;
use ytrace_tests::tracing::{Tracing, says};
use ytrace_tests::{compile, root, skip};

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
    let program = compile(folder.path(), "copied", COPIED, &["-O2", "-g"]);
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

/// A function that the compiler keeps and makes a copy of, one with a second name, and one that is picked when the program is loaded. Each
/// line of input makes all calls.
const BODY_AND_COPY: &str = r#"
#include <stdio.h>
#include <unistd.h>
volatile long sink;
__attribute__((noinline)) long scale(long n, int kind, const char *name)
{
    long sum = 0;
    for (int i = 0; i < kind; i++)
        sum += n * i + name[i % 2];
    if (kind == 3) sum *= 2;
    sink += sum;
    return sum;
}
__attribute__((noinline)) long weigh(long n, int kind, const char *name, double weight)
{
    long sum = 0;
    for (int i = 0; i < kind; i++)
        sum += n * i + name[i % 2];
    if (kind > 100) sum += weight * 3;
    sink += sum;
    return sum;
}
__attribute__((noinline, noclone)) long square(long n) { return n * n; }
long squared(long) __attribute__((alias("square")));
static long one(long n) { return n * 3; }
static long two(long n) { return n * 4; }
static void *pick(void) { return sizeof(long) == 8 ? one : two; }
long picked(long) __attribute__((ifunc("pick")));
int main(int argc, char **argv) {
    puts("READY");
    fflush(stdout);
    for (int c; (c = getchar()) != EOF;) {
        if (c != '\n') continue;
        for (long i = 0; i < 7; i++) sink += scale(i, 3, "ab");
        for (long i = 0; i < 5; i++) sink += scale(i + 100, 3, argv[0]);
        for (long i = 0; i < 4; i++) sink += scale(i + 200, argc + 1, argv[0]);
        for (long i = 0; i < 6; i++) weigh(i, 3, i & 1 ? argv[0] : "ab", 0.5);
        for (long i = 0; i < 4; i++) weigh(i + 200, argc + 1, argv[0], argc);
        for (long i = 0; i < 3; i++) sink += square(i) + squared(i) + picked(i);
        puts("done");
        fflush(stdout);
    }
    return 0;
}
"#;

#[test]
fn a_name_stands_for_the_function_and_its_copies() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let options = [
        "-O2",
        "-fipa-cp-clone",
        "--param",
        "ipa-cp-eval-threshold=1",
    ];
    for (name, debug) in [("with", "-g"), ("without", "-g0")] {
        let flags = [&options[..], &[debug]].concat();
        compile(folder.path(), name, BODY_AND_COPY, &flags);
    }
    let with = path("with").display().to_string();
    let listed = run(&["list", "-e", &with, "-v", "scale"]).expect_status(0);
    for part in [
        "and as scale.constprop.0",
        "n in rdi, kind always 3",
        "  entry: ",
    ] {
        assert!(listed.stdout.contains(part), "{part}: {listed}");
    }
    let sum: i64 = (0..7).sum::<i64>() + (100..105).sum::<i64>() + (200..204).sum::<i64>();
    for (name, sync) in [
        ("with", false),
        ("with", true),
        ("without", false),
        ("without", true),
    ] {
        let mut child = Command::new(path(name))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut input = child.stdin.take().expect("piped");
        let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut line = || output.next().expect("a line").expect("text");
        assert_eq!(line(), "READY");
        let pid = child.id().to_string();
        let mut words = vec!["run", "-p", &pid];
        words.extend(sync.then_some("--sync"));
        let mut seen = |text: &str| {
            let tracing = Tracing::start(&[&words[..], &["-e", text]].concat());
            writeln!(input, "go").expect("it reads");
            assert_eq!(line(), "done");
            tracing.interrupt()
        };
        let all = r#"
            long calls, returns, squares, picks, matched;
            _probe scale { calls++; }
            _probe scale -> _void { returns++; }
            _probe square { squares++; }
            _probe `squar*` { squares++; }
            _probe picked(long n) { picks += n + 1; }
            _probe `scal*` { matched++; }
            _probe _end { printf("%d %d %d %d %d", calls, returns, squares, picks, matched); }
        "#;
        let finished = seen(all).expect_status(0);
        assert_eq!(
            finished.stdout, "16 16 12 6 16",
            "{name} {sync}: {finished}"
        );
        let arguments = r#"
            long calls, sum, first, kinds;
            _probe scale(long n, int kind) -> long r {
                calls++;
                sum += n;
                first += _arg(0) + (_entry(n) == n) + (r > 0);
                kinds += kind;
            }
            _probe _end { printf("%d %d %d %d", calls, sum, first, kinds); }
        "#;
        let finished = seen(arguments);
        if name == "with" {
            let finished = finished.expect_status(0);
            let expected = format!("16 {sum} {} 44", sum + 32);
            assert_eq!(finished.stdout, expected, "{sync}: {finished}");
            // The copy is for one value of `kind`, and has not got it.
            let lacking = seen("_probe weigh(...) { printf(\"%d %d\\n\", n, kind); }");
            let lacking = lacking.expect_status(3);
            assert_eq!(lacking.stdout, "200 2\n201 2\n202 2\n203 2\n", "{lacking}");
            says(
                &lacking,
                &["weigh.constprop.0", "`kind` cannot be read", "PARTIAL"],
            );
        } else {
            let finished = finished.expect_status(3);
            assert!(finished.stdout.starts_with("4 806 "), "{sync}: {finished}");
            says(
                &finished,
                &["scale.constprop.0", "is not probed", "PARTIAL"],
            );
        }
        drop(input);
        assert!(child.wait().expect("it ends").success());
    }
}

const ENDS: &str = r#"
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
static void *end(void *status)
{
    syscall(SYS_exit, (long)status);
    return 0;
}
int main(void)
{
    puts("READY");
    fflush(stdout);
    while (getchar() == 'g') {
        for (long status = 0; status < 300; status += 50) {
            pthread_t thread;
            pthread_create(&thread, 0, end, (void *)status);
            pthread_join(thread, 0);
        }
        puts("done");
        fflush(stdout);
    }
    return 0;
}
"#;

#[test]
fn threads_that_end_give_their_status() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = compile(folder.path(), "ends", ENDS, &["-g", "-pthread"]);
    for more in [&[][..], &["--sync"]] {
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut input = child.stdin.take().expect("piped");
        let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut line = || output.next().expect("a line").expect("text");
        assert_eq!(line(), "READY");
        let pid = child.id().to_string();
        let text = r#"
            long ended;
            _probe _thread_end {
                printf("%d\n", _arg(0));
                if (++ended == 6) _exit();
            }
        "#;
        let words = ["run", "-p", &pid, "-e", text];
        let tracing = Tracing::start(&[&words[..], more].concat());
        write!(input, "g").expect("it reads");
        assert_eq!(line(), "done");
        let finished = tracing.finish().expect_status(0);
        // One that has been joined may still be about to end.
        let mut seen: Vec<&str> = finished.stdout.lines().collect();
        seen.sort_unstable();
        // As waitpid(2) has them.
        let mut expected = [0, 50, 100, 150, 200, 250].map(|status| (status << 8).to_string());
        expected.sort_unstable();
        assert_eq!(seen, expected, "{more:?} {finished}");
        drop(input);
        assert!(child.wait().expect("our child").success());
    }
}
