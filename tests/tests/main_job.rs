//! The main job on real heaps: what holds the memory of a LuaJIT virtual machine, to the byte.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use ytrace_tests::fixtures::{Nginx, luajits, standalone, unavailable};
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::{Finished, LUA_GC, command, finish, run_lua_gc};
use ytrace_tests::skip;

/// Certificates that make a heap of more than 700,000 objects.
const ENTRIES: i64 = 46_000;
const OBJECTS: i64 = 700_000;

/// What a request to `/gccount` itself may add to the heap, in bytes, once it has been served before: its coroutine with its stack, the
/// strings that it makes, and what the next request finds in their place.
const REQUEST: i64 = 4096;

/// The result as JSON.
struct Result {
    json: Value,
}

impl Result {
    fn of(pid: i32, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("held.json");
        let mut arguments = vec!["-o", path.to_str().unwrap()];
        arguments.extend(more);
        let result = run_lua_gc(pid, &arguments).expect_status(0);
        // The view goes to the file; what the probe prints is data, and what is said of it is not.
        assert!(
            result.stdout.contains("= gc.total, difference ")
                && !result.stdout.contains("Lua GC objects by reference"),
            "{result}"
        );
        assert!(
            !result.stderr.contains("= gc.total, difference ") && result.stderr.contains("wrote "),
            "{result}"
        );
        assert_private(&path);
        let json: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(json["footer"]["complete"], true, "{result}");
        assert_eq!(
            json["footer"]["faults"].as_array().unwrap().len(),
            0,
            "{result}"
        );
        assert_eq!(json["footer"]["mode"], "copy", "{result}");
        assert_eq!(json["footer"]["missed"], 0, "{result}");
        assert_untouched(pid);
        Self { json }
    }

    fn header(&self) -> String {
        let lines: Vec<&str> = self.json["header"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        lines.join("\n")
    }

    /// The paths with their bytes, objects and finalizers.
    fn rows(&self) -> Vec<(Vec<String>, [i64; 3])> {
        let view = &self.json["views"][0];
        assert_eq!(
            view["weights"],
            serde_json::json!(["bytes", "count", "finalizers"])
        );
        let rows = view["rows"].as_array().unwrap();
        rows.iter()
            .map(|row| {
                let path = row["path"].as_array().unwrap();
                let path = path
                    .iter()
                    .map(|frame| frame.as_str().unwrap().to_owned())
                    .collect();
                let value = |index: usize| row["values"][index].as_i64().unwrap();
                (path, [value(0), value(1), value(2)])
            })
            .collect()
    }

    fn sum(&self, column: usize) -> i64 {
        self.rows().iter().map(|(_, values)| values[column]).sum()
    }

    /// The sums of what stands below some frames, by the frame that follows.
    fn below(&self, prefix: &[&str]) -> BTreeMap<String, [i64; 3]> {
        let mut sums: BTreeMap<String, [i64; 3]> = BTreeMap::new();
        for (path, values) in self.rows() {
            if path.len() > prefix.len() && path.iter().zip(prefix).all(|(a, b)| a == b) {
                let sum = sums.entry(path[prefix.len()].clone()).or_default();
                for (sum, value) in sum.iter_mut().zip(values) {
                    *sum += value;
                }
            }
        }
        sums
    }

    /// `g->gc.total`, which every check and sum must equal.
    fn total(&self) -> i64 {
        let checks = self.json["checks"].as_array().unwrap();
        assert!(!checks.is_empty());
        for check in checks {
            assert_eq!(check["equal"], true, "{check}");
            assert_eq!(check["left"], check["right"], "{check}");
        }
        let check = checks
            .iter()
            .find(|check| check["name"] == "g->gc.total")
            .unwrap();
        let total = check["right"].as_i64().unwrap();
        assert_eq!(
            self.sum(0),
            total,
            "the paths of the graph add up to the collector's count"
        );
        total
    }
}

#[track_caller]
fn assert_private(path: &Path) {
    let mode = std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{} is private", path.display());
}

/// The widest child by bytes.
fn widest(sums: &BTreeMap<String, [i64; 3]>) -> Vec<&str> {
    let mut sums: Vec<(&String, &[i64; 3])> = sums.iter().collect();
    sums.sort_by_key(|(_, values)| std::cmp::Reverse(values[0]));
    sums.iter().map(|(name, _)| name.as_str()).collect()
}

/// The sum of the numbers at the ends of the lines of folded stacks.
fn folded_sum(text: &str) -> i64 {
    text.lines()
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<i64>().unwrap())
        .sum()
}

/// Text output names the biggest first and fits the terminal.
fn text_fits(pid: i32) -> Finished {
    let result = finish(command(&["run", LUA_GC, "-p", &pid.to_string()]).env("COLUMNS", "80"));
    let result = result.expect_status(0);
    for line in result.stdout.lines() {
        // A command is not broken, so that it can be copied; neither is, in a pipe, what the probe printed.
        let printed = ["next: ", "Lua heap ", "! "];
        if !printed.iter().any(|start| line.starts_with(start)) {
            assert!(
                line.chars().count() <= 80,
                "wider than 80 columns: {line:?}"
            );
        }
    }
    assert!(!result.stdout.contains('\x1b'), "{result}");
    result
}

fn outputs_agree(pid: i32, result: &Result) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (svg, folded, json) = (path("x.svg"), path("x.folded"), path("x.json"));
    // A file that is there already, and open to others, is replaced by a private one.
    std::fs::write(&svg, "old").unwrap();
    std::fs::set_permissions(&svg, std::fs::Permissions::from_mode(0o644)).unwrap();
    run_lua_gc(pid, &["-o", &svg, "-o", &folded, "-o", &json])
        .expect_status(0)
        .says(&["wrote", "complete"]);
    for file in [&svg, &folded, &json] {
        assert_private(Path::new(file));
    }
    let text = std::fs::read_to_string(&folded).unwrap();
    assert_eq!(folded_sum(&text), result.total());
    assert!(text.lines().any(|line| line.contains("cert_cache")));
    let text = std::fs::read_to_string(&svg).unwrap();
    assert!(text.starts_with("<?xml") && text.contains("</svg>"));
    assert!(text.contains("cert_cache") && text.contains("by_serial"));
    let same: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(
        same["views"][0]["rows"], result.json["views"][0]["rows"],
        "nothing moved"
    );

    for (weight, column) in [("count", 1), ("finalizers", 2), ("bytes", 0)] {
        run_lua_gc(pid, &["-o", &folded, "--weight", weight]).expect_status(0);
        let text = std::fs::read_to_string(&folded).unwrap();
        assert_eq!(folded_sum(&text), result.sum(column), "--weight {weight}");
        let run = run_lua_gc(pid, &["--weight", weight]).expect_status(0);
        assert!(run.stdout.contains("cert_cache"), "{run}");
    }

    // Chains are cut at a depth: what lies deeper is one frame more, with its bytes.
    for depth in ["8", "2"] {
        let shallow = Result::of(pid, &["--", "--depth", depth]);
        assert_eq!(shallow.total(), result.total());
        let most = depth.parse().unwrap();
        let rows = shallow.rows();
        let cut = |path: &[String]| path.last().is_some_and(|frame| frame == "(deeper)");
        for (path, _) in &rows {
            let frames = path.len() - usize::from(cut(path));
            assert!(frames <= most, "--depth {depth} gave {path:?}");
            assert!(!cut(path) || frames == most, "cut too early: {path:?}");
        }
        assert!(
            rows.iter().any(|(path, _)| cut(path)),
            "--depth {depth} cut nothing"
        );
    }
    // Keys that are data: shown when asked for, as far as the limits of folding and of all chains allow; nothing is lost.
    let keys = Result::of(pid, &["--", "--show-keys", "--fold", "100000"]);
    assert_eq!(keys.total(), result.total());
    assert!(keys.rows().len() > 40_000, "{} paths", keys.rows().len());
    assert!(keys.rows().iter().all(|(path, _)| !path.is_empty()));
    let help = run_lua_gc(pid, &["--", "--help"]).expect_status(0);
    for option in ["--depth", "--fold", "--show-keys", "--vm"] {
        assert!(help.stdout.contains(option), "{help}");
    }
}

fn nginx(variant: &str) {
    if let Some(why) = unavailable(variant) {
        return skip(&format!("main job on {variant} nginx"), &why);
    }
    let nginx = Nginx::start(variant, &[]);
    // Nothing may be freed between the target's answer and ours.
    assert_eq!(nginx.get("/stop-gc"), "stopped");
    assert_eq!(nginx.number(&format!("/fill?n={ENTRIES}")), ENTRIES);
    nginx.number("/gccount");
    let before = nginx.number("/gccount");
    let result = Result::of(nginx.worker, &[]);
    let after = nginx.number("/gccount");
    let total = result.total();
    eprintln!("{variant}: gc.total {total}, the endpoint said {before} before and {after} after");
    assert!(
        (0..=REQUEST).contains(&(total - before)),
        "{before} before, {total}"
    );
    assert!(
        (0..=REQUEST).contains(&(after - total)),
        "{total}, {after} after"
    );
    assert!(result.sum(1) >= OBJECTS, "{} objects", result.sum(1));

    // The widest path names the cache, and next to it the index.
    assert_eq!(widest(&result.below(&[]))[0], "_LOADED");
    assert_eq!(widest(&result.below(&["_LOADED"]))[0], ".dynamic_cert");
    let held = result.below(&["_LOADED", ".dynamic_cert"]);
    assert_eq!(widest(&held)[..2], [".cert_cache", ".by_serial"]);
    let under = result.below(&["_LOADED", ".dynamic_cert", ".cert_cache"]);
    // What the cache preallocated for a capacity that is far too large: 400,001 nodes of 32 bytes.
    let queue = under[".free_queue"];
    assert!(queue[0] >= 400_001 * 32 && queue[1] == 1, "{queue:?}");
    // Each certificate holds two finalizers, freed by two C functions.
    assert_eq!(held[".cert_cache"][2], 2 * ENTRIES);
    assert_eq!(held[".by_serial"][2], 0);
    assert!(result.rows().len() < 5_000, "alike keys are folded");

    let header = result.header();
    let role = format!(
        "nginx worker {} (master {}, 1 worker)",
        nginx.worker, nginx.master
    );
    for part in [
        role.as_str(),
        "X509_free ×46,000",
        "EVP_PKEY_free ×46,000",
        "difference 0 B",
        "% of",
        "resident",
        "http VM",
    ] {
        assert!(
            header.contains(part),
            "no {part:?} in the header:\n{header}"
        );
    }
    // The endpoint's requests are over: from here on nothing moves.
    let result = Result::of(nginx.worker, &[]);
    let text = text_fits(nginx.worker);
    for part in [
        ".cert_cache",
        ".by_serial",
        "difference 0 B",
        "complete",
        "stopped ",
        "next: ",
        &role,
    ] {
        let said = text.stdout.contains(part) || text.stderr.contains(part);
        assert!(said, "no {part:?} in {text}");
    }
    outputs_agree(nginx.worker, &result);
    assert_eq!(nginx.get("/ping"), "pong");
    let log = std::fs::read_to_string(nginx.prefix.join("logs/error.log")).unwrap();
    for word in ["[alert]", "[emerg]", "[crit]", "[error]"] {
        assert!(!log.contains(word), "{log}");
    }
}

#[test]
fn nginx_with_debug_information() {
    nginx("dwarf");
}

#[test]
fn stock_stripped_nginx() {
    nginx("stock");
}

#[test]
fn standalone_luajit() {
    for (name, luajit) in luajits() {
        if !luajit.is_file() {
            skip(
                "standalone_luajit",
                &format!("{} is missing", luajit.display()),
            );
            continue;
        }
        let mut target = standalone(&luajit);
        let said: i64 = target.ready.parse().unwrap();
        let result = Result::of(target.pid(), &[]);
        let total = result.total();
        eprintln!("{name}: gc.total {total}, the script said {said}");
        // The script's line is made after its count: a string or two.
        assert!(
            (0..=REQUEST).contains(&(total - said)),
            "{name}: {said}, {total}"
        );
        assert!(
            result.sum(1) >= OBJECTS,
            "{name}: {} objects",
            result.sum(1)
        );
        let held = result.below(&["_LOADED", ".dynamic_cert"]);
        assert_eq!(widest(&held)[..2], [".cert_cache", ".by_serial"], "{name}");
        assert_eq!(held[".cert_cache"][2], 120_000, "{name}");
        // A thousand tables that refer to themselves and to another each, and a few that were left before.
        let garbage = result.below(&[])["(unreachable)"];
        assert!((2_000..2_500).contains(&garbage[1]), "{name}: {garbage:?}");
        assert!(
            result.header().contains("stand-alone"),
            "{}",
            result.header()
        );
        text_fits(target.pid());
        assert!(target.running());
    }
}

#[test]
fn the_interpreter_gives_the_same_picture() {
    for (name, luajit) in luajits() {
        if !luajit.is_file() {
            skip(
                "the_interpreter_gives_the_same_picture",
                &format!("{} is missing", luajit.display()),
            );
            continue;
        }
        let target = ytrace_tests::fixtures::standalone_with(&luajit, 3_000, 4_000);
        let folder = tempfile::tempdir().unwrap();
        let mut outputs = Vec::new();
        for more in [&[][..], &["--interpret"]] {
            let path = folder.path().join("x.folded");
            let mut arguments = vec!["-o", path.to_str().unwrap()];
            arguments.extend(more);
            run_lua_gc(target.pid(), &arguments).expect_status(0);
            outputs.push(std::fs::read_to_string(path).unwrap());
        }
        assert!(outputs[0].lines().count() > 100, "{name}");
        assert_eq!(outputs[0], outputs[1], "{name}: compiled and interpreted");
    }
}
