//! `ytrace run --format`: what programs read.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::processes::signal;
use ytrace_tests::program::{run, start};

/// A program that calls a function for each line of its input.
const PROGRAM: &str = r#"
#include <stdio.h>
#include <string.h>
long calls;
__attribute__((noinline)) void work(long number, const char *text) { calls += number + (long)strlen(text); }
int main(void) {
    char line[100];
    long number = 0;
    puts("READY");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        work(++number, line);
}
"#;

fn build(folder: &Path) -> PathBuf {
    let source = folder.join("works.c");
    std::fs::write(&source, PROGRAM).unwrap();
    let program = folder.join("works");
    let status = Command::new("gcc")
        .args(["-O2", "-g", "-o"])
        .args([&program, &source])
        .status()
        .unwrap();
    assert!(status.success());
    program
}

const PROBE: &str = r#"
_view table "Numbers" "calls" long seen[long];
_probe work(long number, char *text) {
    seen[number]++;
    printf("%ld ", number);
    printf("%s", _tostr(text));
}
"#;

#[test]
fn events_are_objects_as_they_happen() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = Waiting::start(&mut Command::new(build(folder.path())));
    let pid = target.pid().to_string();
    let mut child = start(&[
        "run",
        "-e",
        PROBE,
        "-p",
        &pid,
        "--format",
        "ndjson",
        "--duration",
        "5m",
    ]);
    // The pipe is read while ytrace runs: each object is a line that has come whole.
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut errors = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).map(|_| text)
    });
    let mut next = || -> Option<Value> {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let line = line.strip_suffix('\n')?;
        Some(serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
    };
    let begin = next().unwrap();
    assert_eq!(begin["type"], "begin");
    assert_eq!(
        (&begin["schema"], &begin["version"]),
        (&json!("ytrace.events"), &json!(1))
    );
    assert_eq!(
        (&begin["probe"], &begin["pid"]),
        (&json!("-e"), &json!(target.pid()))
    );
    let attached = next().unwrap();
    assert_eq!(attached["type"], "attached");
    assert_eq!(attached["places"], 1);
    let mut before = attached["at_nanoseconds"].as_u64().unwrap();
    for (number, text) in ["a", "b \\ \"c\"", "d"].into_iter().enumerate() {
        target.say(text);
        let printed = next().unwrap();
        // Both calls of printf in one object.
        assert_eq!(printed["type"], "print", "{printed}");
        assert_eq!(printed["text"], format!("{} {text}\n", number + 1));
        assert_eq!(printed["probe"], "work(long number, char *text)");
        assert_eq!(
            (&printed["pid"], &printed["tid"]),
            (&begin["pid"], &begin["pid"])
        );
        let at = printed["at_nanoseconds"].as_u64().unwrap();
        assert!(at > before, "{printed}");
        before = at;
        let time = printed["time"].as_str().unwrap();
        assert!(
            time > begin["time"].as_str().unwrap() && time.ends_with('Z'),
            "{printed}"
        );
    }
    signal(i32::try_from(child.id()).unwrap(), Signal::SIGINT);
    let view = next().unwrap();
    assert_eq!(
        (&view["type"], &view["interim"]),
        (&json!("view"), &json!(false))
    );
    assert_eq!(
        (&view["form"], &view["title"]),
        (&json!("table"), &json!("Numbers"))
    );
    assert_eq!(view["rows"].as_array().unwrap().len(), 3);
    let end = next().unwrap();
    assert_eq!(end["type"], "end");
    assert_eq!(end["complete"], true, "{end}");
    let counted = ["places", "hits", "lost"].map(|name| end["hits"][name].as_u64());
    assert_eq!(counted, [Some(1), Some(3), Some(0)], "{end}");
    assert_eq!(next(), None);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let errors = reader.join().unwrap().unwrap();
    assert!(
        errors.contains("3 hits at 1 place") && !errors.contains("\"type\""),
        "{errors}"
    );
}

#[test]
fn what_is_no_event_has_no_thread() {
    let folder = tempfile::tempdir().unwrap();
    let target = Waiting::start(&mut Command::new(build(folder.path())));
    let pid = target.pid().to_string();
    let text = "_probe _begin { puts(\"one\"); _warn(\"take\\ncare\"); } _probe _oneshot { printf(\"%ld\\n\", calls); } _probe _end { int a[]; a[3] = 1; }";
    let done = run(&["run", "-e", text, "-p", &pid, "--format", "ndjson"]).expect_status(1);
    let lines = done.stdout.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |kind: &str| -> Vec<&Value> {
        let lines = lines.iter();
        lines.filter(|line| line["type"] == kind).collect()
    };
    let printed: Vec<(&str, &str)> = of("print")
        .iter()
        .map(|line| {
            (
                line["probe"].as_str().unwrap(),
                line["text"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        printed,
        [("_begin", "one\n"), ("_oneshot", "0\n")],
        "{done}"
    );
    for line in of("print") {
        assert_eq!(
            (line.get("tid"), &line["pid"]),
            (None, &json!(target.pid()))
        );
    }
    assert_eq!(of("warning").len(), 1);
    let end = lines.last().unwrap();
    assert_eq!(
        (&end["type"], &end["complete"]),
        (&json!("end"), &json!(false))
    );
    assert_eq!(end["faults"].as_array().unwrap().len(), 1, "{done}");
    assert_eq!(end.get("hits"), None);
    // The same as one document.
    let done = run(&["run", "-e", text, "-p", &pid, "--format", "json"]).expect_status(1);
    let document: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(document["schema"], "ytrace.report");
    let header = document["header"].as_array().unwrap();
    assert!(
        header.contains(&json!("one")) && header.contains(&json!("0")),
        "{done}"
    );
    // A probe that does not compile leaves no stream.
    let done = run(&[
        "run",
        "-e",
        "_probe _oneshot { x }",
        "-p",
        &pid,
        "--format",
        "ndjson",
    ]);
    assert_eq!(done.expect_status(1).stdout, "");
}

#[test]
fn faults_at_many_addresses_do_not_fill_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = Waiting::start(&mut Command::new(build(folder.path())));
    let pid = target.pid().to_string();
    let text = "_probe work(long number, char *text) { printf(\"%d\\n\", *(int *) number); }";
    let child = start(&[
        "run", "-e", text, "-p", &pid, "--format", "ndjson", "--sync",
    ]);
    let mut child = child;
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("attached") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0);
    }
    for _ in 0..50 {
        target.say("x");
    }
    drop(target);
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    let status = child.wait().unwrap();
    let end: Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    let faults = end["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 4, "{end}");
    let count: u64 = faults
        .iter()
        .filter_map(|fault| fault["count"].as_u64())
        .sum();
    assert_eq!(count, 50, "{end}");
    assert_eq!(faults[3]["message"], "other faults at this place");
    assert_eq!(status.code(), Some(1));
}
