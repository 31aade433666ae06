//! Perl's heap: every value on a chain, sums against Perl's own counts, in several versions, with threads and without debug information.

use std::path::PathBuf;

use serde_json::Value;
use ytrace_tests::fixtures::{Waiting, perl_daemon, perls};
use ytrace_tests::program::{run, whole_json};
use ytrace_tests::skip;

const FGRAPH: &str = "probes/perl-gc-fgraph.y";
const STATS: &str = "probes/perl-gc-stats.y";
const CERTIFICATES: i64 = 2_000;
const SESSIONS: i64 = 300;

/// Runs a probe on a process; every check must be equal and the result complete.
fn result(probe: &str, target: &Waiting, more: &[&str]) -> Value {
    let (finished, json) = whole_json(probe, target.pid(), more);
    assert_eq!(json["footer"]["missed"], 0, "{finished}");
    let checks = json["checks"].as_array().unwrap();
    let values = checks
        .iter()
        .filter(|check| check["name"].as_str().unwrap().contains("PL_sv_count"));
    assert_eq!(values.count(), 1, "{finished}");
    json
}

/// Bytes, values and objects of all chains for which something holds.
fn sum(json: &Value, holds: impl Fn(&[&str]) -> bool) -> [i64; 3] {
    let mut sums = [0; 3];
    for row in json["views"][0]["rows"].as_array().unwrap() {
        let path: Vec<&str> = row["path"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        if holds(&path) {
            for (sum, value) in sums.iter_mut().zip(row["values"].as_array().unwrap()) {
                *sum += value.as_i64().unwrap();
            }
        }
    }
    sums
}

/// Whether these frames follow one another somewhere in a chain.
fn has(path: &[&str], frames: &[&str]) -> bool {
    path.windows(frames.len()).any(|window| window == frames)
}

/// The header as one text.
fn header(json: &Value) -> String {
    let lines = json["header"].as_array().unwrap();
    let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
    lines.join("\n")
}

/// What the daemon said of its nested structure, in bytes.
fn nested(target: &Waiting) -> i64 {
    let words: Vec<&str> = target.ready.split_whitespace().collect();
    words[1].parse().unwrap()
}

fn available(name: &str) -> Vec<(&'static str, PathBuf)> {
    let (there, missing): (Vec<_>, Vec<_>) =
        perls().into_iter().partition(|(_, perl)| perl.is_file());
    for (version, _) in missing {
        skip(name, &format!("Perl {version} is missing"));
    }
    if !nix::unistd::geteuid().is_root() {
        skip(name, "only root can trace others");
        return Vec::new();
    }
    there
}

#[test]
fn every_value_is_on_its_shortest_chain() {
    for (version, perl) in available("every_value_is_on_its_shortest_chain") {
        let target = perl_daemon(&perl, CERTIFICATES as usize, SESSIONS as usize, 0);
        let json = result(FGRAPH, &target, &[]);
        // The cache keeps the certificates, under the name of its variable.
        let cache = sum(&json, |path| {
            path.starts_with(&["%My::Cache::", "$My::Cache::cache"])
        });
        assert_eq!(cache[2], CERTIFICATES, "{version}: {cache:?}");
        // They are kept by serial number and in order, which is as far: many alike keys are one frame.
        let keys = format!("{{×{},000}}", CERTIFICATES / 1000);
        let elements = format!("[×{},000]", CERTIFICATES / 1000);
        let certificates = sum(&json, |path| {
            has(path, &[keys.as_str(), "My::Cert"]) || has(path, &[elements.as_str(), "My::Cert"])
        });
        assert_eq!(certificates[2], CERTIFICATES, "{version}: {certificates:?}");
        // What only refers to itself is in a branch of its own, by class.
        let left = sum(&json, |path| {
            path.starts_with(&["(unreachable)", "My::Session"])
        });
        assert_eq!(left[2], SESSIONS, "{version}: {left:?}");
        assert!(
            sum(&json, |path| path.starts_with(&["(unreachable)"])
                && path
                    .iter()
                    .any(|frame| frame.starts_with("closure daemon.pl:")))[1]
                >= 3 * SESSIONS,
            "{version}"
        );
        // Closures that are kept, and what they captured.
        let captured = sum(&json, |path| {
            path.contains(&"%My::Handlers::handlers") && path.contains(&"my @captured")
        });
        assert!(
            captured[1] >= 5 * (1..=20).sum::<i64>(),
            "{version}: {captured:?}"
        );
        // Weak references keep nothing alive: no certificate is on a chain through them.
        let weak = sum(&json, |path| path.contains(&"@My::Cache::recent"));
        assert_eq!(weak[2], 0, "{version}: {weak:?}");
        assert!(weak[1] >= 10, "{version}: {weak:?}");
        let tied = sum(&json, |path| has(path, &["%main::tied", "(tied)"]));
        assert_eq!(tied[2], 1, "{version}: {tied:?}");
        // Sizes are those of Devel::Size.
        let said = nested(&target);
        let walked = sum(&json, |path| path.contains(&"$main::nested"))[0];
        eprintln!("{version}: Devel::Size {said}, walked {walked}");
        assert!(
            (walked - said).abs() * 100 <= said,
            "{version}: {said}, {walked}"
        );
        let header = header(&json);
        assert!(header.contains("difference 0"), "{header}");
        let cycles = format!("below {SESSIONS} cycles, which are never freed");
        assert!(header.contains(&cycles), "{version}: {header}");
    }
}

#[test]
fn statistics_by_type_and_class() {
    for (version, perl) in available("statistics_by_type_and_class") {
        let target = perl_daemon(&perl, CERTIFICATES as usize, SESSIONS as usize, 0);
        let json = result(STATS, &target, &[]);
        let text = json.to_string();
        let rows = |view: usize| json["views"][view]["rows"].as_array().unwrap().clone();
        let row = |view: usize, name: &str| {
            rows(view)
                .into_iter()
                .find(|row| row.to_string().contains(&format!("\"{name}\"")))
                .unwrap_or_else(|| panic!("{version}: no {name:?} in {text}"))
        };
        let certificates = row(1, "My::Cert").to_string();
        assert!(
            certificates.contains(&CERTIFICATES.to_string()),
            "{certificates}"
        );
        let sessions = row(1, "My::Session").to_string();
        assert!(sessions.contains(&SESSIONS.to_string()), "{sessions}");
        row(0, "string (PV)");
        // What is no value: optrees, and the string table with what is in it.
        for what in [
            "optrees of subs",
            "optree of the main program",
            "pads of subs: lists and names",
        ] {
            let bytes = row(2, what)[2].as_i64().unwrap();
            assert!(bytes > 1_000, "{version}: {what}: {bytes}");
        }
        let table = header(&json);
        let table = table.split(" of subs' optrees, ").nth(1).unwrap();
        assert!(
            table.contains("kB in the string table"),
            "{version}: {table}"
        );
        // What Perl does not reach of glibc's heap is little in a program without C libraries.
        let header = header(&json);
        assert!(
            header.contains("not reached by Perl"),
            "{version}: {header}"
        );
        let percent = header
            .split("not reached by Perl")
            .nth(1)
            .and_then(|rest| {
                rest.split('(')
                    .nth(1)?
                    .split(' ')
                    .next()?
                    .parse::<f64>()
                    .ok()
            })
            .unwrap_or_else(|| panic!("{version}: {header}"));
        assert!((0.0..3.0).contains(&percent), "{version}: {header}");
    }
}

#[test]
fn interpreters_of_threads() {
    for (version, perl) in available("interpreters_of_threads") {
        let target = perl_daemon(&perl, 200, 20, 2);
        let json = result(FGRAPH, &target, &[]);
        assert!(
            header(&json).contains("3 interpreters"),
            "{version}: {}",
            header(&json)
        );
        for number in 1..=3 {
            let certificates = sum(&json, |path| {
                path.first()
                    .is_some_and(|first| first.starts_with(&format!("interpreter {number}")))
                    && path.contains(&"$My::Cache::cache")
            });
            assert_eq!(certificates[2], 200, "{version}, interpreter {number}");
        }
        let one = result(FGRAPH, &target, &["--", "--interpreter", "2"]);
        let cache = sum(&one, |path| {
            path.starts_with(&["%My::Cache::", "$My::Cache::cache"])
        });
        assert_eq!(cache[2], 200, "{version}: {cache:?}");
        let copied = result(STATS, &target, &[]);
        // Without a stop, too: the module `threads` knows them.
        let live = result(STATS, &target, &["--mode", "live"]);
        assert!(
            header(&live).contains("3 interpreters"),
            "{version}: {live}"
        );
        assert_eq!(live["warnings"], serde_json::json!([]), "{version}");
        assert_eq!(live["views"], copied["views"], "{version}");
    }
}

#[test]
fn declared_layouts_are_used_without_debug_information() {
    for (version, perl) in available("declared_layouts_are_used_without_debug_information") {
        if version == "system" {
            continue;
        }
        let target = perl_daemon(&perl, 100, 10, 0);
        let json = result(STATS, &target, &[]);
        assert!(
            json["footer"]
                .to_string()
                .contains(&format!("{version}-threaded")),
            "{version}: {}",
            json["footer"]
        );
    }
}

#[test]
fn options_fold_cut_and_show() {
    let Some((_, perl)) = available("options_fold_cut_and_show").into_iter().next() else {
        return;
    };
    let target = perl_daemon(&perl, 100, 10, 0);
    let whole = sum(&result(FGRAPH, &target, &[]), |_| true);
    let keys = result(FGRAPH, &target, &["--", "--show-keys", "--fold", "1000"]);
    assert_eq!(sum(&keys, |_| true), whole, "nothing is lost");
    let shown = sum(&keys, |path| {
        path.iter().any(|frame| frame.starts_with("{\"00000"))
    });
    assert!(shown[1] >= 100, "serial numbers are shown: {shown:?}");
    let shallow = result(FGRAPH, &target, &["--", "--depth", "3"]);
    assert_eq!(sum(&shallow, |_| true), whole, "nothing is lost");
    assert_eq!(sum(&shallow, |path| path.len() > 4), [0; 3]);
    assert!(sum(&shallow, |path| path.contains(&"(deeper)"))[1] > 0);
    let other = run(&[
        "run",
        FGRAPH,
        "-p",
        &target.pid().to_string(),
        "--",
        "--interpreter",
        "9",
    ]);
    assert!(
        other.status != Some(0) && other.stderr.contains("--interpreter takes 1 to 1"),
        "{other}"
    );
}

#[test]
fn a_process_without_perl_is_told_so() {
    if available("a_process_without_perl_is_told_so").is_empty() {
        return;
    }
    let target =
        Waiting::start(std::process::Command::new("sh").args(["-c", "echo READY; read line"]));
    let pid = target.pid().to_string();
    for probe in [FGRAPH, STATS] {
        let finished = run(&["run", probe, "-p", &pid]);
        assert_ne!(finished.status, Some(0), "{finished}");
        assert!(
            finished.stderr.to_lowercase().contains("perl"),
            "{finished}"
        );
    }
}
