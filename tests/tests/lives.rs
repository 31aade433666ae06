//! Probes on programs that load libraries, execute others, fork, and end.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use nix::sys::signal::Signal;
use ytrace_tests::plain_nginx::PlainNginx;
use ytrace_tests::processes::{Stopped, assert_untouched, signal, wait_for};
use ytrace_tests::tracing::{Tracing, says};
use ytrace_tests::{compile, compile_file};

const FLAGS: [&str; 5] = ["-g", "-O2", "-fomit-frame-pointer", "-pthread", "-ldl"];

/// Builds a program or library of the fixtures under a name.
fn build(folder: &Path, source: &str, name: &str, flags: &[&str]) -> PathBuf {
    let source = ytrace_tests::root().join(format!("tests/fixtures/lives/{source}.c"));
    compile_file(&source, folder, name, &[&FLAGS, flags].concat())
}

/// The program `lives`, which does as it is told.
struct Lives {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    folder: tempfile::TempDir,
}

impl Lives {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = build(folder.path(), "lives", "lives", &["-rdynamic"]);
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lives = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            folder,
        };
        assert_eq!(lives.line(), "ready");
        lives
    }

    /// A library whose function between the program's is called so.
    fn plugin(&self, inner: &str) -> PathBuf {
        let define = format!("-DINNER={inner}");
        let name = format!("lib{inner}.so");
        let flags = ["-shared", "-fPIC", &define];
        build(self.folder.path(), "plugin", &name, &flags)
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn send(&mut self, command: &str) {
        writeln!(self.input.as_mut().unwrap(), "{command}").unwrap();
    }

    fn ask(&mut self, command: &str) -> String {
        self.send(command);
        self.line()
    }

    fn trace(&self, text: &str, options: &[&str]) -> Tracing {
        let pid = self.pid().to_string();
        let mut words = vec!["run", "-e", text, "-p", &pid];
        words.extend(options);
        Tracing::start(&words)
    }
}

impl Drop for Lives {
    fn drop(&mut self) {
        drop(self.input.take());
        self.child.wait().unwrap();
    }
}

/// Shows the stack of each visit.
const STACKS: &str = r#"
    _probe visited(long n) { printf("%d %V\n", n, _ubt()); }
    _probe _end { printf("end\n"); }
"#;

/// Asserts that a stack has these functions, the outermost first.
#[track_caller]
fn leads(stack: &str, frames: &[&str]) {
    let places: Vec<Option<usize>> = frames.iter().map(|frame| stack.find(frame)).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{stack}"
    );
}

#[test]
fn stacks_go_through_libraries_that_come_and_go() {
    let mut lives = Lives::start();
    let (first, second) = (lives.plugin("first"), lives.plugin("second"));
    let text = r#"
        long at[_path];
        _probe visited(long n) { at[_ubt()]++; if (n == 2) puts("seen"); }
        _probe _end { _foreach (path, n in at) printf("%d %V\n", n, path); }
    "#;
    let mut tracing = lives.trace(text, &[]);
    let place = lives.ask(&format!("load {}", first.display()));
    assert_eq!(lives.ask("enter 3"), "entered");
    tracing.wait_for("seen");
    assert_eq!(lives.ask("unload"), "unloaded");
    // The other one is where the first was.
    assert_eq!(lives.ask(&format!("load {}", second.display())), place);
    assert_eq!(lives.ask("enter 5"), "entered");
    let finished = tracing.interrupt().expect_status(0);
    for (count, inner) in [("3 ", "first"), ("5 ", "second")] {
        let mut stacks = finished.stdout.lines();
        let stack = stacks.find(|stack| stack.starts_with(count));
        let stack = stack.unwrap_or_else(|| panic!("{finished}"));
        leads(stack, &["main", "enter", inner, "visited"]);
    }
}

#[test]
fn what_is_probed_in_a_library_is_found_where_that_comes_back_to() {
    let mut lives = Lives::start();
    let (first, second) = (lives.plugin("first"), lives.plugin("second"));
    let place = lives.ask(&format!("load {}", first.display()));
    let text = r#"
        _probe first(long n) { printf("entry of %s %V\n", _usym(_pc_reg()), _ubt()); }
        _probe first -> _void { printf("return %V\n", _ubt()); }
        _probe _end { puts("end"); }
    "#;
    let mut tracing = lives.trace(text, &[]);
    assert_eq!(lives.ask("enter 2"), "entered");
    tracing.wait_for("return");
    assert_eq!(lives.ask("unload"), "unloaded");
    // Another one takes its place, so it has to go elsewhere.
    assert_eq!(lives.ask(&format!("load {}", second.display())), place);
    assert_ne!(lives.ask(&format!("load {}", first.display())), place);
    assert_eq!(lives.ask("enter 3"), "entered");
    let finished = tracing.interrupt().expect_status(0);
    let lines: Vec<&str> = finished.stdout.lines().collect();
    assert_eq!(lines.len(), 11, "{finished}");
    for line in lines.iter().filter(|line| **line != "end") {
        leads(line, &["main", "enter", "/ first"]);
        assert!(!line.contains("second"), "{finished}");
        assert!(
            !line.starts_with("entry") || line.starts_with("entry of first"),
            "{finished}"
        );
    }
}

#[test]
fn another_program_is_followed() {
    for command in ["exec", "exec-other"] {
        let mut lives = Lives::start();
        let program = std::fs::read_link(format!("/proc/{}/exe", lives.pid())).unwrap();
        let other = lives.plugin("inside");
        let text = format!(r#"{STACKS} _probe _exec {{ puts("executed"); }}"#);
        let mut tracing = lives.trace(&text, &[]);
        assert_eq!(lives.ask("visit 3"), "visited");
        tracing.wait_for("2 ");
        assert_eq!(
            lives.ask(&format!("{command} {}", program.display())),
            "ready"
        );
        // It was seen, and so the probes are in their places again.
        tracing.wait_for("executed");
        lives.ask(&format!("load {}", other.display()));
        assert_eq!(lives.ask("enter 5"), "entered");
        tracing.wait_for("4 ");
        let finished = tracing.interrupt();
        says(
            &finished,
            &[
                "the target executed",
                "9 hits at 1 place",
                "all its programs",
            ],
        );
        // What another thread than the first executes begins without probes.
        let blind = finished
            .stderr
            .contains("another thread than the first executed");
        assert_eq!(blind, command == "exec-other", "{finished}");
        let finished = finished.expect_status(if blind { 3 } else { 0 });
        let last = finished.stdout.lines().rev().nth(1);
        leads(
            last.unwrap_or_default(),
            &["main", "enter", "inside", "visited"],
        );
        assert_untouched(lives.pid());
    }
}

#[test]
fn a_program_without_what_was_probed_is_told() {
    let mut lives = Lives::start();
    let text = format!(r#"{STACKS} _probe _exec {{ puts("executed"); }}"#);
    let mut tracing = lives.trace(&text, &[]);
    assert_eq!(lives.ask("visit 3"), "visited");
    lives.send("exec /bin/cat");
    tracing.wait_for("executed");
    assert_eq!(lives.ask("words"), "words");
    let finished = tracing.interrupt().expect_status(3);
    says(
        &finished,
        &["the target executed", "cat", "not what was probed in lives"],
    );
}

#[test]
fn children_are_left_alone_and_counted() {
    let mut lives = Lives::start();
    let tracing = lives.trace(STACKS, &[]);
    assert_eq!(lives.ask("visit 2"), "visited");
    assert_eq!(lives.ask("fork 1000"), "7");
    assert_eq!(lives.ask("fork 1000"), "7");
    assert_eq!(lives.ask("visit 2"), "visited");
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &["2 children were forked", "4 hits"]);
    assert_untouched(lives.pid());
}

#[test]
fn what_may_have_gone_unnoticed_is_told() {
    let mut lives = Lives::start();
    let text = r#"
        long n;
        _probe visited(long v) { n += _len(_hex((void *) _reg("rsp"), 1000)); }
    "#;
    let tracing = lives.trace(text, &[]);
    // Nobody reads the ring, which is full then of records that are larger than those of children.
    let stopped = Stopped::new(tracing.pid());
    assert_eq!(lives.ask("visit 400000"), "visited");
    for _ in 0..100 {
        assert_eq!(lives.ask("fork 0"), "7");
    }
    drop(stopped);
    let finished = tracing.interrupt().expect_status(3);
    says(
        &finished,
        &[
            "of children being forked were lost: there were more than are told",
            "hits were lost: they came faster than could be handled",
        ],
    );
    assert_untouched(lives.pid());
}

/// What was counted beforehand had neither of them.
#[test]
fn children_and_libraries_that_come_later_are_held_to_the_limit_of_overhead() {
    let mut lives = Lives::start();
    let text = "long n; _probe visited { n++; }";
    let mut tracing = lives.trace(text, &["--children", "--max-overhead", "1"]);
    lives.send("fork 1500000");
    tracing.wait_to_say("probes make the target and its children about");
    assert_eq!(lives.line(), "7");
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &["0 hits a second, without those of children"]);
    let library = lives.plugin("later");
    let text = "long n; _probe liblater.so::later { n++; }";
    let mut tracing = lives.trace(text, &["--pending", "--max-overhead", "1"]);
    lives.ask(&format!("load {}", library.display()));
    lives.send("enter 1500000");
    tracing.wait_to_say("probes make the target about");
    assert_eq!(lives.line(), "entered");
    let finished = tracing.interrupt().expect_status(3);
    says(&finished, &["more than the 1 % that are allowed"]);
    assert_untouched(lives.pid());
}

#[test]
fn what_a_target_did_before_its_end_is_shown() {
    for end in ["kill", "end"] {
        let mut lives = Lives::start();
        let tracing = lives.trace(STACKS, &[]);
        assert_eq!(lives.ask("visit 3"), "visited");
        match end {
            "kill" => lives.send("kill"),
            _ => drop(lives.input.take()),
        }
        let finished = tracing.finish().expect_status(0);
        assert_eq!(finished.stdout.lines().count(), 4, "{finished}");
        says(
            &finished,
            &["3 hits at 1 place", "the target ended", "complete"],
        );
    }
}

#[test]
fn what_would_have_to_be_read_of_a_target_that_has_gone_is_lacking() {
    let mut lives = Lives::start();
    let text = r#"long n; _probe visited { n++; } _probe _end { printf("%d visits\n", n); printf("%d\n", sink); }"#;
    let tracing = lives.trace(text, &[]);
    assert_eq!(lives.ask("visit 3"), "visited");
    lives.send("kill");
    let finished = tracing.finish().expect_status(3);
    assert_eq!(finished.stdout, "3 visits\n", "{finished}");
    says(&finished, &["the target exited during the run"]);
}

#[test]
fn a_command_that_ends_by_itself_is_seen_whole() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path(), "lives", "lives", &["-rdynamic"]);
    let program = program.to_str().unwrap();
    let run = |text: &str| ytrace_tests::program::run(&["run", "-c", program, "-e", text]);
    let text = r#"long n; _probe main { n++; } _probe _end { printf("main %d\n", n); }"#;
    // It ends at once; whether ytrace looks before or after that does not matter.
    for _ in 0..10 {
        let finished = run(text).expect_status(0);
        assert!(finished.stdout.ends_with("main 1\n"), "{finished}");
        says(
            &finished,
            &["1 hit at 1 place", "the command ended", "complete"],
        );
    }
}

#[test]
fn nothing_of_a_command_runs_if_its_probes_cannot_be_placed() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made");
    // A shell without external commands is quick to do something.
    let command = format!("sh -c 'trap \"\" TERM; echo > {}'", made.display());
    for (text, status) in [
        ("_probe no_such_function { }", 1),
        ("_probe _line(\"none.c\", 3) { }", 2),
    ] {
        for _ in 0..20 {
            let ran = ytrace_tests::program::run(&["run", "-c", &command, "-e", text]);
            ran.expect_status(status);
            assert!(!made.exists(), "{text}");
        }
    }
}

#[test]
fn a_command_that_fails_is_told() {
    let text = "_probe libc.so.6::exit { }";
    let finished = ytrace_tests::program::run(&["run", "-c", "sh -c 'exit 3'", "-e", text]);
    let finished = finished.expect_status(0);
    says(&finished, &["warning", "failed with exit status 3"]);
}

#[test]
fn a_second_interrupt_loses_nothing_that_was_found() {
    for [first, second] in [
        [Signal::SIGINT, Signal::SIGTERM],
        [Signal::SIGTERM, Signal::SIGINT],
    ] {
        let mut lives = Lives::start();
        let mut tracing = lives.trace(STACKS, &[]);
        assert_eq!(lives.ask("visit 3"), "visited");
        tracing.wait_for("2 ");
        lives.send("visit 100000");
        // Two of one number may be one.
        signal(tracing.pid(), first);
        signal(tracing.pid(), second);
        let finished = tracing.finish();
        assert!(matches!(finished.status, Some(0 | 3)), "{finished}");
        assert!(finished.stdout.ends_with("end\n"), "{finished}");
        says(&finished, &["hits at 1 place", "lost"]);
        assert_eq!(lives.line(), "visited");
    }
}

#[test]
fn functions_are_waited_for() {
    let mut lives = Lives::start();
    let library = lives.plugin("later");
    let text = r#"
        _probe liblater.so::later(long n) { printf("later %d\n", n); }
        _probe `ent?r`(long n) -> _void { printf("entered %d\n", n); }
        _probe _end { puts("end"); }
    "#;
    let pid = lives.pid().to_string();
    let refused = ytrace_tests::program::run(&["run", "-e", text, "-p", &pid]);
    says(
        &refused.expect_status(1),
        &["no module or source file `liblater.so`", "--pending"],
    );
    for option in ["--sync", "--when=visited"] {
        let words = ["run", "-e", text, "-p", &pid, "--pending", option];
        let refused = ytrace_tests::program::run(&words).expect_status(2);
        let name = option.split('=').next().unwrap();
        let message = format!("--pending does not go with {name}");
        says(&refused, &[&message, "when the library is"]);
    }
    let mut tracing = lives.trace(text, &["--pending"]);
    lives.ask(&format!("load {}", library.display()));
    tracing.wait_to_say("probing 2 more places: liblater.so was loaded");
    assert_eq!(lives.ask("enter 2"), "entered");
    tracing.wait_for("entered 1");
    // Nobody knows what it did before it was probed.
    let finished = tracing.interrupt().expect_status(3);
    says(
        &finished,
        &[
            "PARTIAL: liblater.so was probed up to ",
            " after being loaded: calls before that are missing, how many is not known",
        ],
    );
    assert_eq!(
        finished.stdout, "later 0\nentered 0\nlater 1\nentered 1\nend\n",
        "{finished}"
    );
}

#[test]
fn what_comes_later_must_be_as_the_head_says() {
    let mut lives = Lives::start();
    let library = lives.plugin("later");
    let text = r#"
        _probe liblater.so::later(long n) { printf("good %d\n", n); }
        _probe liblater.so::later(long n) -> long r { printf("result %d\n", r); }
        _probe liblater.so::later(int n) { printf("short %d\n", n); }
        _probe liblater.so::later(long n, long more) { printf("more %d\n", more); }
        _probe liblater.so::latest(long n) { printf("never %d\n", n); }
    "#;
    let mut tracing = lives.trace(text, &["--pending"]);
    lives.ask(&format!("load {}", library.display()));
    tracing.wait_to_say("probing 1 more place: liblater.so was loaded");
    assert_eq!(lives.ask("enter 2"), "entered");
    tracing.wait_for("good 1");
    let finished = tracing.interrupt().expect_status(3);
    says(
        &finished,
        &[
            "later is not probed: its parameter `n` is `long`, 8 bytes in an integer register, and the head of the probe says `int`, 4 bytes",
            "later is not probed: the head of the probe names 2 parameters, and it is `later(long n)`",
            "later is not probed: the head of the probe names a result, and it returns nothing: it is `later(long n)`",
            "PARTIAL: some places could not be probed",
            "no function `liblater.so::latest` came",
            "`later`",
        ],
    );
    assert!(
        finished
            .stdout
            .lines()
            .all(|line| line.starts_with("good ")),
        "{finished}"
    );
}

#[test]
fn libraries_that_come_and_go_unseen_are_told() {
    let mut lives = Lives::start();
    let library = lives.plugin("later");
    let text = "long n; _probe liblater.so::later { n++; }";
    let tracing = lives.trace(text, &["--pending"]);
    // Loaded and unloaded while ytrace stands still.
    let stopped = Stopped::new(tracing.pid());
    lives.ask(&format!("load {}", library.display()));
    assert_eq!(lives.ask("enter 2"), "entered");
    assert_eq!(lives.ask("unload"), "unloaded");
    drop(stopped);
    let finished = tracing.interrupt().expect_status(3);
    says(
        &finished,
        &["libraries may have been loaded and unloaded faster than they were looked at"],
    );
}

const CPP: &str = r#"
#include <cstdio>
#include <string>
namespace app {
struct Req {
    int n;
    Req(int n);
    void serve(int a);
    void serve(const std::string &s);
};
__attribute__((noinline)) Req::Req(int n) : n(n) { asm volatile(""); }
__attribute__((noinline)) void Req::serve(int a) { n += a; asm volatile("" ::: "memory"); }
__attribute__((noinline)) void Req::serve(const std::string &s) { n += s.size(); asm volatile("" ::: "memory"); }
__attribute__((noinline)) void helper(int) { asm volatile("" ::: "memory"); }
}
int main() {
    puts("ready");
    fflush(stdout);
    getchar();
    app::Req r(1);
    r.serve(2);
    r.serve(std::string("abc"));
    app::helper(3);
}
"#;

/// Asserts what the heads of probes find in a program that waits for its input, in the order in which it is called.
#[track_caller]
fn finds(compiler: &[&str], source: (&str, &str), heads: &[(&str, &[&str])]) {
    let folder = tempfile::tempdir().unwrap();
    let (file, text) = source;
    let source = folder.path().join(file);
    std::fs::write(&source, text).unwrap();
    let program = folder.path().join("names");
    let (tool, flags) = compiler.split_first().unwrap();
    let built = Command::new(tool)
        .args(flags)
        .arg("-g")
        .arg("-o")
        .arg(&program)
        .arg(&source)
        .status()
        .unwrap();
    assert!(built.success());
    // Both ways to probe find the same.
    let ways = [&[][..], &["--sync"]];
    let runs = heads.iter().flat_map(|head| ways.map(|way| (head, way)));
    for ((head, wanted), way) in runs {
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let text = format!("_probe {head} {{ printf(\"%s\\n\", _func()); }}");
        let pid = child.id().to_string();
        let words = ["run", "-e", &text, "-p", &pid];
        let tracing = Tracing::start_or_end(&[&words[..], way].concat());
        drop(child.stdin.take());
        let finished = match tracing {
            Ok(tracing) => tracing.finish(),
            Err(ended) => *ended,
        };
        child.wait().unwrap();
        // Where there are several of a name, their parameters tell which it is.
        let names = finished.stdout.lines();
        let names: Vec<&str> = names
            .map(|name| name.split_once('(').map_or(name, |(bare, _)| bare))
            .collect();
        assert_eq!(&names, wanted, "{head} {way:?}: {finished}");
    }
}

#[test]
fn functions_of_cpp_are_named_as_people_write_them() {
    let (new, serve) = ("app::Req::Req", "app::Req::serve");
    finds(
        &["c++", "-O1"],
        ("names.cc", CPP),
        &[
            ("`app::Req::serve`", &[serve, serve]),
            ("`app::Req::serve(int)`", &[serve]),
            ("`app::Req::serve(int)`(...)", &[serve]),
            ("`app::Req::Req`", &[new]),
            ("names::`app::helper`(int n)", &["app::helper"]),
            ("`app::*`", &[new, serve, serve, "app::helper"]),
        ],
    );
}

const RUST: &str = r#"
mod app {
    pub struct Req(pub u64);
    impl Req {
        #[inline(never)]
        pub fn serve(&mut self, n: u64) {
            self.0 = std::hint::black_box(self.0 + n);
        }
    }
    #[inline(never)]
    pub fn helper(n: u64) -> u64 {
        std::hint::black_box(n)
    }
}
fn main() {
    println!("ready");
    let mut line = String::new();
    let count = std::io::stdin().read_line(&mut line).unwrap();
    let mut request = app::Req(1);
    request.serve(count as u64);
    request.serve(app::helper(2));
}
"#;

#[test]
fn functions_of_rust_are_named_as_people_write_them() {
    let helper = "names::app::helper";
    // As the older way of mangling keeps the names, and as the newer one does.
    for (compiler, serve) in [
        (&["rustc"][..], "names::app::Req::serve"),
        (
            &["rustc", "-Csymbol-mangling-version=v0"],
            "<names::app::Req>::serve",
        ),
    ] {
        let quoted = format!("`{serve}`");
        finds(
            compiler,
            ("names.rs", RUST),
            &[
                (&quoted, &[serve, serve]),
                ("`names::app::helper`(...)", &[helper]),
                ("`*names::app::*`", &[serve, helper, serve]),
            ],
        );
    }
}

#[test]
fn places_that_are_probed_one_by_one_may_be_more_than_the_soft_limit_of_open_files() {
    const FUNCTIONS: usize = 80;
    let folder = tempfile::tempdir().unwrap();
    let functions: String = (0..FUNCTIONS)
        .map(|number| format!("void many_{number}(void) {{ }}\n"))
        .collect();
    let text = format!("{functions}int main(void) {{ return 0; }}\n");
    let program = compile(folder.path(), "many", &text, &[]);
    let run = |limit: &str| {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("ulimit {limit} 64; exec \"$@\""), "sh"])
            .arg(ytrace_tests::program::ytrace())
            .args(["run", "-e", "_probe `many_*` { }", "-c"])
            .arg(&program)
            .env("YTRACE_FORBID", "uprobe_multi")
            .stdin(Stdio::null());
        ytrace_tests::program::finish(&mut shell)
    };
    let finished = run("-Sn").expect_status(0);
    says(&finished, &["at 80 places", "complete"]);
    let finished = run("-n").expect_status(2);
    says(&finished, &["EMFILE", "RLIMIT_NOFILE"]);
}

/// Forks children, and these grandchildren, that visit; with an argument, a child that loads a library before.
const FAMILY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
volatile long sink;
__attribute__((noinline, noclone)) void visited(long n) { sink += n; }
__attribute__((noinline, noclone)) void visits(long n) { for (long i = 0; i < n; i++) visited(i); sink++; }
static void *thread(void *unused) { visits(4); return unused; }
__attribute__((noinline, noclone)) void grandchild(void) { visits(5); sink++; }
__attribute__((noinline, noclone)) void child(void)
{
    pthread_t other;
    pthread_create(&other, 0, thread, 0);
    pthread_join(other, 0);
    visits(6);
    for (int i = 0; i < 2; i++)
        if (!fork()) {
            grandchild();
            _exit(0);
        }
    while (wait(0) > 0) ;
}
int main(int argc, char **argv)
{
    visits(2);
    if (argc > 1) {
        if (!fork()) {
            visits(3);
            if (!dlopen("libm.so.6", RTLD_NOW)) _exit(1);
            visits(4);
            _exit(0);
        }
    } else {
        for (int i = 0; i < 3; i++)
            if (!fork()) {
                child();
                _exit(0);
            }
        if (!vfork()) {
            visited(1);
            _exit(0);
        }
        if (!fork()) {
            execl("/bin/true", "true", (char *)0);
            _exit(1);
        }
    }
    while (wait(0) > 0) ;
    visits(1);
    return 0;
}
"#;

#[test]
fn children_are_followed_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "family", FAMILY, &FLAGS);
    let command = program.to_str().unwrap();
    let run = |words: &[&str]| ytrace_tests::program::run(&[&["run", "-c"], words].concat());
    let text = r#"
        long hits, returns, grand;
        long of[long];
        _probe visited(long n) {
            hits++;
            of[_pid()]++;
            grand += _contains(sprintf("%V", _ubt()), "grandchild");
        }
        _probe visits(long n) -> _void { returns += n; }
        _probe _end { printf("%d %d %d %d\n", hits, returns, _len(of), grand); }
    "#;
    let finished = run(&[command, "-e", text]).expect_status(0);
    assert_eq!(finished.stdout, "3 3 1 0\n", "{finished}");
    let finished = run(&[command, "-e", text, "--children"]).expect_status(0);
    // The target twice and once, children six times and four in a thread, grandchildren five times, and one that shares memory.
    assert_eq!(finished.stdout, "64 63 11 30\n", "{finished}");
    says(
        &finished,
        &[
            "11 children were forked and probed, 10 ended, 1 executed another program",
            "0 lost",
        ],
    );
    let loads = format!("{command} load");
    // The child may have gone before anybody could look what it has loaded.
    let finished = run(&[&loads, "-e", text, "--children"]);
    assert!(matches!(finished.status, Some(0 | 3)), "{finished}");
    assert_eq!(finished.stdout, "10 10 2 0\n", "{finished}");
    if finished.status == Some(3) {
        says(&finished, &["4 stacks of children end at the innermost"]);
    }
    for (more, status, message) in [
        (&["-p", "1", "--sync"][..], 2, "cannot be used with"),
        (&["-p", "1", "--when", "visited"], 2, "cannot be used with"),
    ] {
        let words = [&["run", "-e", text, "--children"][..], more].concat();
        let refused = ytrace_tests::program::run(&words).expect_status(status);
        says(&refused, &[message]);
    }
    // The returns of other processes would be those of the kernel.
    let without = ytrace_tests::program::finish(
        ytrace_tests::program::command(&["run", "-c", command, "-e", text, "--children"])
            .env("YTRACE_FORBID", "uprobe_session"),
    );
    says(
        &without.expect_status(2),
        &["probes at returns that follow children cannot be had"],
    );
    let leaks = [
        "run",
        "probes/c-memory-leak-fgraph.y",
        "-c",
        command,
        "--children",
    ];
    let refused = ytrace_tests::program::run(&leaks).expect_status(1);
    says(&refused, &["have the same addresses"]);
}

const WORKERS: &str =
    "user root root; daemon off; master_process on; worker_processes 2; error_log error.log; pid nginx.pid;
events { worker_connections 64; }
http { lua_package_path '/usr/share/lua/5.1/?.lua;;'; access_log off; server { listen unix:one.sock; location / { return 200 'here'; } } }
";

#[test]
fn workers_that_come_with_a_reload_are_followed() {
    let program = ytrace_tests::fixtures::directory().join("dwarf/nginx/sbin/nginx");
    if let Some(why) = ytrace_tests::fixtures::unavailable("dwarf") {
        return ytrace_tests::skip("workers_that_come_with_a_reload_are_followed", &why);
    }
    let nginx = PlainNginx::start_with(&program, WORKERS, "localhost/");
    let master = nginx.pid();
    let workers = || -> BTreeSet<String> {
        let list = std::fs::read_to_string(format!("/proc/{master}/task/{master}/children"));
        let list = list.unwrap_or_default();
        list.split_whitespace().map(str::to_owned).collect()
    };
    wait_for("nginx has workers", || workers().len() == 2);
    let before = workers();
    let text = r#"
        long led;
        long of[long];
        _probe ngx_http_process_request {
            of[_pid()]++;
            led += _contains(sprintf("%V", _ubt()), "ngx_worker_process_cycle");
        }
        _probe _end { _foreach (pid, n in of) printf("%d %d\n", pid, n); printf("led %d\n", led); }
    "#;
    let pid = master.to_string();
    let tracing = Tracing::start(&["run", "-e", text, "-p", &pid, "--children"]);
    // Those that were there before are none that it forks.
    assert_eq!(nginx.get("localhost/"), "here");
    signal(master, Signal::SIGHUP);
    wait_for("nginx has other workers", || {
        let now = workers();
        now.len() == 2 && now.is_disjoint(&before)
    });
    let now = workers();
    for _ in 0..20 {
        assert_eq!(nginx.get("localhost/"), "here");
    }
    let finished = tracing.interrupt().expect_status(0);
    let mut sum = 0;
    for line in finished.stdout.lines() {
        let (pid, hits) = line.split_once(' ').unwrap();
        let hits: u64 = hits.parse().unwrap();
        match pid {
            "led" => assert_eq!(hits, 20, "{finished}"),
            pid => {
                assert!(now.contains(pid), "{finished} {now:?}");
                sum += hits;
            }
        }
    }
    assert_eq!(sum, 20, "{finished}");
    says(&finished, &["2 children were forked and probed, 0 ended"]);
}
