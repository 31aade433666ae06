//! `ytrace run --format`: what programs read.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::processes::signal;
use ytrace_tests::program::{run, start};
use ytrace_tests::{compile, skip};

/// A program that calls a function for each line of its input.
const PROGRAM: &str = r#"
#include <stdio.h>
#include <string.h>
long calls;
enum colour { RED, GREEN };
struct point { int x; short tag[3]; char text[8]; enum colour colour; double share; unsigned long big; void *none; int low : 3; }
    point = { -7, { 1, 2, 3 }, "seven", GREEN, 0.5, 18446744073709551615ul, 0, -2 };
const char *label = "a label";
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
    compile(folder, "works", PROGRAM, &["-O2", "-g"])
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
        assert_eq!(
            printed["values"],
            json!([number + 1, format!("{text}\n")]),
            "{printed}"
        );
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
    let mut child = start(&[
        "run", "-e", text, "-p", &pid, "--format", "ndjson", "--sync",
    ]);
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

/// A flame graph with two weights, and a path that has none.
const PATHS: &str = r#"
struct cost { long bytes, calls; };
_view flamegraph "Costs" "bytes" struct cost by[_path];
_probe _oneshot {
    _path root;
    _path main = root / "main";
    by[main].bytes = 3;
    by[main / "f"].bytes = 40;
    by[main / "f"].calls = 2;
    by[main / "f" / "g \"quoted\""].bytes = 500;
    by[main / "f" / "g \"quoted\""].calls = 1;
}
"#;

/// Debian's package of pprof has the schema that its authors publish.
const SCHEMA: &str = "/usr/share/gocode/src/github.com/google/pprof/proto/profile.proto";

#[test]
fn profiles_are_read_by_their_published_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let target = Waiting::start(&mut Command::new(build(folder.path())));
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (pprof, speedscope) = (file("a.pb.gz"), file("a.speedscope.json"));
    let pid = target.pid().to_string();
    run(&[
        "run",
        "-e",
        PATHS,
        "-p",
        &pid,
        "-o",
        &pprof,
        "-o",
        &speedscope,
    ])
    .expect_status(0);
    let text = std::fs::read_to_string(&speedscope).unwrap();
    check_speedscope(&serde_json::from_str(&text).unwrap());

    if !Path::new(SCHEMA).is_file() {
        skip(
            "profiles_are_read_by_their_published_schemas",
            "golang-github-google-pprof-dev is not installed",
        );
        return;
    }
    let decode = format!(
        "zcat '{pprof}' | protoc --decode=perftools.profiles.Profile --proto_path='{}' '{SCHEMA}'",
        Path::new(SCHEMA).parent().unwrap().display()
    );
    let decoded = Command::new("sh").args(["-ec", &decode]).output().unwrap();
    let errors = String::from_utf8_lossy(&decoded.stderr);
    assert!(decoded.status.success() && errors.is_empty(), "{errors}");
    let text = String::from_utf8(decoded.stdout).unwrap();
    // What the schema does not know is shown by its number.
    let known = text.lines().all(|line| {
        let line = line.trim_start();
        !line.starts_with(|c: char| c.is_ascii_digit())
    });
    assert!(known, "{text}");
    let count = |part: &str| text.matches(part).count();
    assert_eq!(
        [count("sample {"), count("sample_type {")],
        [3, 2],
        "{text}"
    );
    assert_eq!([count("location {"), count("function {")], [3, 3], "{text}");
    for part in [
        "value: 500\n  value: 1\n",
        "value: 40\n  value: 2\n",
        "value: 3\n  value: 0\n",
        "string_table: \"main\"\n",
        "string_table: \"g \\\"quoted\\\"\"\n",
    ] {
        assert_eq!(count(part), 1, "{part}: {text}");
    }
}

/// What speedscope's published schema, version 1.25, asks of a file with sampled profiles, and what it cannot say: that numbers fit.
fn check_speedscope(file: &Value) {
    let members = |value: &Value| -> Vec<String> {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(
        file["$schema"],
        "https://www.speedscope.app/file-format-schema.json"
    );
    let known = [
        "$schema",
        "activeProfileIndex",
        "exporter",
        "name",
        "profiles",
        "shared",
    ];
    assert_eq!(members(file), known);
    let frames = file["shared"]["frames"].as_array().unwrap();
    let names: Vec<&str> = frames
        .iter()
        .map(|frame| frame["name"].as_str().unwrap())
        .collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["f", "g \"quoted\"", "main"]);
    let profiles = file["profiles"].as_array().unwrap();
    assert_eq!(profiles.len(), 2);
    assert!(file["activeProfileIndex"].as_u64().unwrap() < 2);
    for (profile, (unit, sum)) in profiles.iter().zip([("bytes", 543), ("none", 3)]) {
        let known = [
            "endValue",
            "name",
            "samples",
            "startValue",
            "type",
            "unit",
            "weights",
        ];
        assert_eq!(members(profile), known);
        assert_eq!(
            (&profile["type"], &profile["unit"]),
            (&json!("sampled"), &json!(unit))
        );
        assert_eq!(
            (&profile["startValue"], &profile["endValue"]),
            (&json!(0), &json!(sum))
        );
        let weights = profile["weights"].as_array().unwrap();
        assert_eq!(
            weights
                .iter()
                .map(|weight| weight.as_u64().unwrap())
                .sum::<u64>(),
            sum
        );
        let samples = profile["samples"].as_array().unwrap();
        assert_eq!(samples.len(), weights.len());
        for frame in samples.iter().flat_map(|sample| sample.as_array().unwrap()) {
            assert!(frame.as_u64().unwrap() < 3);
        }
    }
}

/// Numbers are numbers, strings strings and structs objects, whether the text was printed on a copy or at a hit.
#[test]
fn values_come_typed() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = Waiting::start(&mut Command::new(build(folder.path())));
    let pid = target.pid().to_string();
    let words = |text: &str| -> Vec<Value> {
        let ran = run(&["run", "-e", text, "-p", &pid, "--format", "ndjson"]).expect_status(0);
        let lines = ran.stdout.lines();
        let all: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let printed = all.iter().filter(|one| one["type"] == "print");
        printed.map(|one| one["values"].clone()).collect()
    };
    let point = json!({
        "x": -7, "tag": [1, 2, 3], "text": "seven", "colour": "GREEN", "share": 0.5,
        "big": 18446744073709551615_u64, "none": "0x0", "low": -2,
    });
    for (text, expected) in [
        (
            "printf(\"%d %x %u %5.1f %hT %hB %c|\", point.x, point.x, 3, 0.25, 1500l, 2048ul, 'y');",
            json!([-7, 4294967289_u64, 3, 0.25, 1500, 2048, "y"]),
        ),
        (
            "printf(\"%s %.3s %*d %p %s|\", label, \"abcdef\", 9, 4, (void *)0x1f, (char *)0);",
            json!(["a label", "abc", 4, "0x1f", null]),
        ),
        (
            "printf(\"%V|%V\\n\", point, point.colour);",
            json!([point, "GREEN"]),
        ),
        (
            "_print(point.x, \"text\", point.share);",
            json!([-7, "text", 0.5]),
        ),
        ("puts(\"a \\\"line\\\"\");", json!(["a \"line\""])),
        ("printf(\"no values\\n\");", Value::Null),
        (
            "struct { int a; _str b; } s = { 1, \"two\" }; printf(\"%V\\n\", s);",
            json!([{ "a": 1, "b": "two" }]),
        ),
        ("printf(\"%f\\n\", 0.0 / 0.0);", json!([null])),
    ] {
        let printed = words(&format!("_probe _oneshot {{ {text} }}"));
        assert_eq!(printed, [expected], "{text}");
    }
    // At a hit, whose memory was captured, and at one whose thread stands still.
    for more in [&[][..], &["--sync"]] {
        let probe = "_probe work(long number) { printf(\"%V %ld\\n\", point, number); _exit(); }";
        let words = ["run", "-e", probe, "-p", &pid, "--format", "ndjson"];
        let mut child = start(&[&words[..], more].concat());
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        for _ in 0..2 {
            line.clear();
            output.read_line(&mut line).unwrap();
        }
        assert!(line.contains("attached"), "{line}");
        target.say("go");
        line.clear();
        output.read_line(&mut line).unwrap();
        let printed: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(printed["values"][0], point, "{more:?}: {line}");
        assert!(printed["values"][1].is_number(), "{more:?}: {line}");
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        assert!(child.wait().unwrap().success(), "{rest}");
    }
}
