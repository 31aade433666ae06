//! Probes on events of real programs: what is counted is what the program says of itself.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::Finished;
use ytrace_tests::tracing::{Tracing, says};

/// What a program of the fixtures is built with.
const FLAGS: [&str; 4] = ["-g", "-O2", "-fomit-frame-pointer", "-pthread"];

fn build(folder: &Path, name: &str) -> PathBuf {
    let program = folder.join(name);
    let source = ytrace_tests::root().join(format!("tests/fixtures/c/{name}.c"));
    let built = Command::new("cc")
        .args(FLAGS)
        .arg("-o")
        .arg(&program)
        .arg(source)
        .status()
        .unwrap();
    assert!(built.success());
    program
}

/// The program `leaks`, which does as it is told.
struct Leaks {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

/// What one of its functions says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Site {
    calls: i64,
    bytes: i64,
    freed_calls: i64,
    freed_bytes: i64,
}

impl Leaks {
    fn start(threads: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(build(folder.path(), "leaks"))
            .arg(threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut leaks = Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            _folder: folder,
        };
        assert_eq!(leaks.line(), "ready");
        leaks
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Does so many rounds in each thread, and gives what each function says of all so far.
    fn round(&mut self, rounds: usize) -> BTreeMap<String, Site> {
        writeln!(self.input.as_mut().unwrap(), "round {rounds}").unwrap();
        let mut sites = BTreeMap::new();
        loop {
            let line = self.line();
            if line == "done" {
                return sites;
            }
            let words: Vec<&str> = line.split(' ').collect();
            let number = |at: usize| words[at].parse().unwrap();
            sites.insert(
                words[0].to_owned(),
                Site {
                    calls: number(1),
                    bytes: number(2),
                    freed_calls: number(3),
                    freed_bytes: number(4),
                },
            );
        }
    }
}

impl Drop for Leaks {
    fn drop(&mut self) {
        drop(self.input.take());
        self.child.wait().unwrap();
    }
}

/// The rows of the flame graph by the function of `leaks` that they are of: bytes, blocks, allocated, calls, freed.
fn by_site(json: &serde_json::Value) -> BTreeMap<String, [i64; 5]> {
    let names = [
        "parse_header",
        "parse_body",
        "grow_list",
        "map_page",
        "copy_name",
        "use_scratch",
    ];
    let mut found: BTreeMap<String, [i64; 5]> = BTreeMap::new();
    let view = &json["views"][0];
    for row in view["rows"].as_array().expect("a flame graph") {
        let frames: Vec<&str> = row["path"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|frame| frame.as_str())
            .collect();
        let Some(name) = names.iter().find(|name| frames.contains(name)) else {
            continue;
        };
        let values: Vec<i64> = row["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_i64().unwrap())
            .collect();
        let sums = found.entry((*name).to_owned()).or_default();
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value;
        }
    }
    found
}

const LEAKS: &str = "probes/c-memory-leak-fgraph.y";

#[test]
fn every_block_of_a_program_is_followed() {
    let mut leaks = Leaks::start(3);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("leaks.json");
    let pid = leaks.pid().to_string();
    let tracing = Tracing::start(&["run", LEAKS, "-p", &pid, "-o", file.to_str().unwrap()]);
    let sites = leaks.round(300);
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &[" 0 lost", "complete"]);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let found = by_site(&json);
    for (name, said) in &sites {
        let seen = found
            .get(name)
            .unwrap_or_else(|| panic!("nothing of {name}: {found:?}"));
        let [bytes, blocks, allocated, calls, freed] = *seen;
        assert_eq!(
            (bytes, blocks, allocated, calls, freed),
            (
                said.bytes - said.freed_bytes,
                said.calls - said.freed_calls,
                said.bytes,
                said.calls,
                said.freed_bytes
            ),
            "{name}"
        );
    }
    assert_untouched(leaks.pid());
}

/// Runs text on a program that does a few rounds, until it is interrupted.
fn probe(leaks: &mut Leaks, text: &str, rounds: usize) -> (Finished, BTreeMap<String, Site>) {
    let pid = leaks.pid().to_string();
    let tracing = Tracing::start(&["run", "-e", text, "-p", &pid]);
    let sites = leaks.round(rounds);
    (tracing.interrupt(), sites)
}

#[test]
fn arguments_results_text_and_stacks_are_those_of_the_call() {
    let mut leaks = Leaks::start(1);
    let text = r#"
        long calls, bytes, same, deep;
        _probe strdup(const char *s) -> char *copy {
            calls++;
            bytes += strlen(copy) + 1;
            same += strcmp(s, copy) == 0;
            deep += _depth(_ubt()) > 4;
        }
        _probe parse_header(struct worker *w) { if (!w->rounds) _error("no rounds"); }
        _probe _end { printf("%ld %ld %ld %ld", calls, bytes, same, deep); }
    "#;
    let (finished, sites) = probe(&mut leaks, text, 100);
    let finished = finished.expect_status(0);
    let copies = sites["copy_name"];
    let expected = format!("{0} {1} {0} {0}", copies.calls, copies.bytes);
    assert_eq!(finished.stdout, expected, "{finished}");
    says(&finished, &[" 0 lost", "complete"]);
    assert_untouched(leaks.pid());
}

#[test]
fn places_that_are_not_there_are_named() {
    let leaks = Leaks::start(1);
    let pid = leaks.pid().to_string();
    for (text, said) in [
        ("_probe mallok(size_t n) { }", "did you mean"),
        (
            "_probe _usdt(\"leaks:none\") (a) { }",
            "no module of the target has the static probe leaks:none",
        ),
        (
            "_probe _line(\"leaks.c\", 1) { puts(\"here\"); }",
            "the line has no code",
        ),
        (
            "long n; _probe parse_header(struct worker *w) { struct block *b; for (b = w->kept; b; b = b->next) n++; }",
            "this cannot be read at the hit",
        ),
    ] {
        let finished = ytrace_tests::program::run(&["run", "-e", text, "-p", &pid]);
        assert!(
            matches!(finished.status, Some(1 | 2)) && finished.stderr.contains(said),
            "{text}: {finished}"
        );
    }
}

#[test]
fn lines_are_probed() {
    let mut leaks = Leaks::start(1);
    let source = ytrace_tests::root().join("tests/fixtures/c/leaks.c");
    let source = std::fs::read_to_string(source).unwrap();
    let line = source
        .lines()
        .position(|line| line.contains("char *grown = realloc("))
        .unwrap()
        + 1;
    let text = format!(
        "long n; _probe _line(\"leaks.c\", {line}) {{ n++; }} _probe _end {{ printf(\"%d\", n > 0); }}"
    );
    let (finished, _) = probe(&mut leaks, &text, 50);
    assert_eq!(finished.stdout, "1", "{finished}");
}

#[test]
fn a_sample_estimates_what_is_allocated() {
    let mut leaks = Leaks::start(2);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("leaks.json");
    let pid = leaks.pid().to_string();
    let words = ["run", LEAKS, "-p", &pid, "-o", file.to_str().unwrap()];
    let more = ["--", "--every", "16K"];
    let tracing = Tracing::start(&[&words[..], &more[..]].concat());
    let sites = leaks.round(2_000);
    let finished = tracing.interrupt().expect_status(0);
    says(&finished, &["outside of the sample", " 0 lost"]);
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let found = by_site(&json);
    let every = 16.0 * 1024.0;
    for name in ["parse_body", "use_scratch"] {
        let said = sites[name].bytes as f64;
        let seen = found.get(name).map_or(0, |values| values[2]) as f64;
        // Five standard deviations: the variance is at most the bytes times the rate.
        let most = 5.0 * (said * every).sqrt();
        assert!(
            (seen - said).abs() <= most,
            "{name}: {seen}, {said} ± {most}"
        );
    }
}

#[test]
fn a_killed_ytrace_leaves_the_target_as_it_was() {
    let mut leaks = Leaks::start(2);
    let pid = leaks.pid().to_string();
    for _ in 0..5 {
        let tracing = Tracing::start(&["run", LEAKS, "-p", &pid]);
        leaks.round(50);
        tracing.kill();
        assert_untouched(leaks.pid());
        leaks.round(50);
    }
}

#[test]
fn a_command_is_probed_from_its_start_to_its_exit() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path(), "leaks");
    let line = format!("{} 1", program.display());
    // Its standard input is at its end, so that it ends at once.
    let text = r#"
        long n;
        _probe calloc(size_t a, size_t b) -> void *p { n += a == 1 && p != NULL; }
        _probe _oneshot { printf("at exit %ld\n", n); }
    "#;
    let finished = ytrace_tests::program::run(&["run", "-e", text, "-c", &line]);
    let finished = finished.expect_status(0);
    assert!(finished.stdout.ends_with("at exit 1\n"), "{finished}");
}

#[test]
fn returns_that_exceptions_may_pass_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("throws.cc");
    let text = "#include <cstdio>\n#include <stdexcept>\nextern \"C\" __attribute__((noinline)) int risky(int n) { if (n) throw std::runtime_error(\"n\"); return 1; }\nint main() { puts(\"ready\"); fflush(stdout); getchar(); try { return risky(0) - 1; } catch (...) { return 2; } }\n";
    std::fs::write(&source, text).unwrap();
    let program = folder.path().join("throws");
    let built = Command::new("c++")
        .args(["-O1", "-o"])
        .arg(&program)
        .arg(&source)
        .status()
        .unwrap();
    assert!(built.success());
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let pid = child.id().to_string();
    for (text, warned) in [
        ("long n; _probe risky -> int r { n += r; }", true),
        ("long n; _probe risky { n++; }", false),
        (
            "long n; _probe malloc(size_t n1) -> void *p { n += n1; }",
            false,
        ),
    ] {
        let words = ["run", "-e", text, "-p", &pid, "--duration", "50ms"];
        let finished = ytrace_tests::program::run(&words).expect_status(0);
        let says = finished.stderr.contains("an exception");
        assert_eq!(says, warned, "{text}: {finished}");
    }
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
