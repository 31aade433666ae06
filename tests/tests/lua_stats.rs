//! LuaJIT's objects by type, held against the collector's count, the graph of references, and a script that knows what it made.

use std::process::Command;

use serde_json::Value;
use ytrace_tests::fixtures::{Nginx, Waiting, directory, luajits, standalone_with, unavailable};
use ytrace_tests::program::{LUA_GC, whole_json};
use ytrace_tests::{root, skip};

fn check(json: &Value, name: &str) -> i64 {
    let checks = json["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no check {name:?}"))["right"]
        .as_i64()
        .unwrap()
}

/// A cell of the first row of a table in which a text stands.
#[track_caller]
fn cell(json: &Value, title: &str, row: &str, column: &str) -> Value {
    let views = json["views"].as_array().unwrap();
    let view = views.iter().find(|view| view["title"] == title);
    let view = view.unwrap_or_else(|| panic!("no view {title:?} in {json}"));
    let columns = view["columns"].as_array().unwrap();
    let index = columns.iter().position(|each| each["name"] == column);
    let index = index.unwrap_or_else(|| panic!("no column {column:?} in {view}"));
    let rows = view["rows"].as_array().unwrap();
    let has = |cells: &&Value| cells.as_array().unwrap().iter().any(|cell| cell == row);
    rows.iter()
        .find(has)
        .unwrap_or_else(|| panic!("no row {row:?} in {view}"))[index]
        .clone()
}

#[track_caller]
fn number(json: &Value, title: &str, row: &str, column: &str) -> i64 {
    let cell = cell(json, title, row, column);
    cell.as_i64()
        .unwrap_or_else(|| panic!("{cell} is no number"))
}

const TYPES: &str = "Objects by type";
const SHAPES: &str = "Tables by shape";
const CDATA: &str = "C data by type";

/// Objects of all types, without the machine's own rows, which stand in parentheses.
fn objects(json: &Value) -> i64 {
    let views = json["views"].as_array().unwrap();
    let view = views.iter().find(|view| view["title"] == TYPES).unwrap();
    let rows = view["rows"].as_array().unwrap().iter();
    rows.filter(|row| !row[0].as_str().unwrap().starts_with('('))
        .map(|row| row[1].as_i64().unwrap())
        .sum()
}

#[test]
fn known_shapes() {
    for (name, luajit) in luajits() {
        if !luajit.is_file() {
            let why = format!("{} is missing", luajit.display());
            skip("known_shapes", &why);
            continue;
        }
        let script = root().join("tests/fixtures/leak/shapes.lua");
        let target = Waiting::start(Command::new(&luajit).arg(script));
        let json = whole_json("probes/lua-gc-stats.y", target.pid(), &[]).1;
        let total = check(&json, "g->gc.total");
        let said: f64 = target.ready.parse().unwrap();
        // What it says is made after its count, in a buffer of two pages at most.
        let difference = total - said as i64;
        assert!((0..12_288).contains(&difference), "{name}: {said}, {total}");

        // 25 or 20 bytes more than the text each.
        let strings = number(&json, "Strings by size", "1.0 kB .. 2.0 kB", "number");
        assert!((1_000..1_050).contains(&strings), "{name}: {strings}");
        // 50 empty arrays of 10,001 slots.
        let waste = number(&json, SHAPES, "array", "waste_bytes");
        assert!(
            (50 * 80_000..50 * 80_000 + 200_000).contains(&waste),
            "{name}: {waste}"
        );
        // 60 hashes of 1,024 nodes, three of them in use.
        let waste = number(&json, SHAPES, "hash", "waste_bytes");
        assert!(
            (60 * 1_021 * 24..60 * 1_021 * 24 + 200_000).contains(&waste),
            "{name}: {waste}"
        );
        assert_eq!(number(&json, CDATA, "struct shapes_record", "number"), 500);
        // An `int64_t` and 40 bytes, after the object's head.
        let head = if name == "gc32" { 8 } else { 16 };
        assert_eq!(
            number(&json, CDATA, "struct shapes_record", "bytes"),
            500 * (48 + head)
        );
        assert_eq!(number(&json, CDATA, "void *", "finalizers"), 400);
        assert_eq!(cell(&json, CDATA, "void *", "finalizer"), "free", "{name}");
        assert!(check(&json, "bytes of free chunks in the segments = on the lists") > 0);

        // The graph of references has the same objects.
        let graph = whole_json(LUA_GC, target.pid(), &[]).1;
        assert_eq!(check(&graph, "g->gc.total"), total, "{name}");
        let rows = graph["views"][0]["rows"].as_array().unwrap();
        let counted: i64 = rows
            .iter()
            .map(|row| row["values"][1].as_i64().unwrap())
            .sum();
        assert_eq!(objects(&json), counted, "{name}");
    }
}

fn nginx(variant: &str) {
    if let Some(why) = unavailable(variant) {
        return skip(&format!("lua-gc-stats on {variant} nginx"), &why);
    }
    let nginx = Nginx::start(variant, &[]);
    assert_eq!(nginx.get("/stop-gc"), "stopped");
    assert_eq!(nginx.number("/fill?n=5000"), 5_000);
    nginx.number("/gccount");
    let before = nginx.number("/gccount");
    let json = whole_json("probes/lua-gc-stats.y", nginx.worker, &[]).1;
    let total = check(&json, "g->gc.total");
    assert!((0..=4_096).contains(&(total - before)), "{before}, {total}");
    assert_eq!(
        number(&json, CDATA, "struct x509_st *", "finalizers"),
        5_000
    );
    assert_eq!(
        cell(&json, CDATA, "struct x509_st *", "finalizer"),
        "X509_free"
    );
    let header = json["header"].to_string();
    assert!(
        header.contains("http VM") && header.contains("difference 0 B"),
        "{header}"
    );
    assert!(header.contains("allocator: "), "{header}");
}

#[test]
fn nginx_with_debug_information() {
    nginx("dwarf");
}

#[test]
fn stock_stripped_nginx() {
    nginx("stock");
}

/// LuaJIT of before the redesign of its string table, stripped: the layouts of that time, and the sums of both probes.
#[test]
fn older_machines_without_debug_information() {
    for variant in ["gc64", "gc32"] {
        let luajit = directory()
            .join("luajit-older")
            .join(variant)
            .join("luajit");
        if !luajit.is_file() {
            let why = format!("{} is missing", luajit.display());
            skip("older_machines_without_debug_information", &why);
            continue;
        }
        let target = standalone_with(&luajit, 2_000, 4_000);
        for probe in ["probes/lua-gc-stats.y", LUA_GC] {
            let json = whole_json(probe, target.pid(), &[]).1;
            let notes = json["footer"]["notes"].to_string();
            let layout = format!("layout lj: {variant}-upstream-694d69a");
            assert!(notes.contains(&layout), "{variant}: {notes}");
            assert!(check(&json, "g->gc.total") > 1_000_000, "{variant}: {json}");
        }
    }
}
