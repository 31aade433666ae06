//! `ytrace list`: what of a program can be probed and read.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::processes::assert_untouched;
use ytrace_tests::program::run;
use ytrace_tests::{compile, compile_file};

const PROGRAM: &str = r#"
#include <stdio.h>
struct box { int width; struct box *next; char name[8]; void (*free)(struct box *, int); unsigned low : 3; };
enum colour { RED = -1, GREEN = 2 };
typedef struct box box_t;
struct box *boxes;
enum colour colour = GREEN;
static _Thread_local long depth;
__attribute__((noinline)) box_t *box_add(box_t *list, int width, const char *name) {
    depth += width;
    printf("%s", name);
    return list ? list->next : boxes;
}
static int half(int x) { return x / 2 + (int)depth; }
__attribute__((noinline, noclone)) void box_draw(int r, double scale, ...) { printf("%d %f\n", half(r), scale); }
int main(int argc, char **argv) {
    box_draw(half(argc), 1.5);
    puts("READY");
    fflush(stdout);
    getchar();
    return box_add(boxes, argc, argv[0]) != 0;
}
"#;

fn build(folder: &Path) -> String {
    let program = compile(folder, "boxes", PROGRAM, &["-O2", "-g"]);
    program.to_str().unwrap().to_owned()
}

#[test]
fn functions_variables_and_types_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path());
    let list = |arguments: &[&str]| {
        let mut all = vec!["list", "-e", &program];
        all.extend(arguments);
        run(&all)
    };
    let functions = list(&["--functions", "box_*"]).expect_status(0);
    assert_eq!(
        functions.stdout,
        "boxes::box_add(box_t *list, int width, char *name) -> box_t *r\n\
         boxes::box_draw(int r, double scale, ...) -> _void\n"
    );
    functions.says(&["2 functions"]);
    let inlined = list(&["half"]).expect_status(0);
    assert_eq!(
        inlined.stdout,
        "boxes::half(int x) -> int r  // only inlined\n"
    );
    let details = list(&["-v", "half"]).expect_status(0);
    assert_eq!(
        details.stdout.matches("inlined at 0x").count(),
        2,
        "{details}"
    );

    let variables = list(&["--variables", "*"]).expect_status(0).stdout;
    for expected in [
        "struct box *boxes::boxes;  // 8 bytes at 0x",
        "enum colour boxes::colour;  // 4 bytes at 0x",
        "long int boxes::depth;  // 8 bytes, thread-local at 0x0, ",
    ] {
        assert!(variables.contains(expected), "{expected}: {variables}");
    }
    let types = list(&["-v", "struct box"]).expect_status(0).stdout;
    let expected = [
        "struct box;  // boxes, 40 bytes",
        "    int width  // 0",
        "    struct box *next  // 8",
        "    char name[8]  // 16",
        "    void (*free)(struct box *, int)  // 24",
        "    unsigned int low : 3  // 32, bit 0",
    ];
    assert_eq!(types.lines().collect::<Vec<_>>(), expected);
    let types = list(&["--types", "-v", "colour"]).expect_status(0).stdout;
    assert!(
        types.contains("enum colour;  // boxes, 4 bytes\n    RED  // -1\n    GREEN  // 2\n"),
        "{types}"
    );
    let types = list(&["--types", "box_t"]).expect_status(0).stdout;
    assert_eq!(types, "typedef struct box box_t;  // boxes, 40 bytes\n");

    let nothing = list(&["box_ad"]).expect_status(2);
    nothing.says(&["nothing matches `box_ad`", "did you mean", "`box_add`"]);
    assert_eq!(nothing.stdout, "");
    list(&["usdt:*"]).expect_status(2);
    run(&["list", "-e", "/nonexistent/file"]).expect_status(2);
    run(&["list", "main"]).expect_status(2);
}

#[test]
fn sites_are_shown_with_reasons_and_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path());
    let details = run(&["list", "-e", &program, "-v", "box_add"]).expect_status(0);
    for expected in [
        "boxes.c:9, at 0x",
        "entry: `",
        "entry and return: `",
        "µs a hit)",
    ] {
        assert!(details.stdout.contains(expected), "{expected}: {details}");
    }
    let json = run(&[
        "list",
        "-e",
        &program,
        "-v",
        "--format",
        "json",
        "--functions",
        "box_add",
    ]);
    let json: Value = serde_json::from_str(&json.expect_status(0).stdout).unwrap();
    let [function] = json.as_array().unwrap().as_slice() else {
        panic!("{json}")
    };
    assert_eq!(function["kind"], "function");
    assert_eq!(function["module"], "boxes");
    assert_eq!(function["name"], "box_add");
    let entry = &function["entry"];
    assert!(
        entry["instruction"].is_string() && entry["reason"].is_string(),
        "{entry}"
    );
    assert!(entry["address"].as_u64() >= function["address"].as_u64());
    assert_eq!(function["entry_and_return"]["serves_return"], true);
    // What is listed is a program, as nm sees it.
    let output = Command::new("nm").arg(&program).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|l| l.ends_with(" T box_add")).unwrap();
    let address = u64::from_str_radix(line.split_whitespace().next().unwrap(), 16).unwrap();
    assert_eq!(function["address"].as_u64(), Some(address));
}

#[test]
fn a_process_is_listed_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path());
    let process = Waiting::start(&mut Command::new(&program));
    let pid = process.pid().to_string();
    let found = run(&["list", "-p", &pid, "--functions", "malloc"]).expect_status(0);
    assert!(found.stdout.contains("libc.so.6::malloc("), "{found}");
    let own = run(&["list", "-p", &pid, "_exe::box_*"]).expect_status(0);
    assert!(
        own.stdout.contains("boxes::box_add(") && !own.stdout.contains("libc"),
        "{own}"
    );
    let quoted = run(&["list", "-p", &pid, "libc.so.6::`mallo*`"]).expect_status(0);
    assert!(quoted.stdout.contains("libc.so.6::malloc("), "{quoted}");
    let indirect =
        run(&["list", "-p", &pid, "-v", "--functions", "libc.so.6::memcpy"]).expect_status(0);
    assert!(indirect.stdout.contains("indirect"), "{indirect}");
    assert_untouched(process.pid());
}

#[test]
fn heads_can_be_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let program = build(folder.path());
    let heads = run(&["list", "-e", &program, "--functions", "box_*"]).expect_status(0);
    let mut text = String::new();
    for head in heads.stdout.lines() {
        text.push_str(&format!("_probe {head} {{ }}\n"));
        let entry = head.split(" -> ").next().unwrap_or(head);
        text.push_str(&format!("_probe {entry} {{ }}\n"));
    }
    let file = folder.path().join("pasted.y");
    std::fs::write(&file, &text).unwrap();
    run(&["fmt", "--check", file.to_str().unwrap()]).expect_status(0);
}

const SCOPES: &str = r#"
#include <cstdio>
#include <vector>
namespace zoo {
struct Bat { int span; int noise() { return span; } };
struct Loud { int count; void noise(int n) { count += n; } };
void noise() { puts("READY"); fflush(stdout); }
template <typename T> T *same(T *t) { return t; }
}
template <typename T> T &first(T &t) { return t; }
void noise(int n) { printf("%d\n", n); }
struct bits { unsigned a : 3, b : 1; unsigned : 9; unsigned c : 5; long wide : 40; } bits;
int main() {
    std::vector<zoo::Bat> bats(1);
    zoo::Loud loud = { 0 };
    loud.noise(first(bats[0]).noise());
    noise(zoo::same(&bats[0])->span + bits.a);
    zoo::noise();
    return getchar();
}
"#;

#[test]
fn patterns_are_of_scopes_and_names_and_not_of_results() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("zoo.cc");
    std::fs::write(&source, SCOPES).unwrap();
    let flags = ["-O0", "-g", "-lstdc++"];
    // A module of that name would be meant.
    let program = compile_file(&source, folder.path(), "animals", &flags);
    let path = program.to_str().unwrap();
    let list = |pattern: &str| run(&["list", "-e", path, "--functions", pattern]).expect_status(0);
    let names = |pattern: &str| -> Vec<String> {
        let listed = list(pattern).stdout;
        let heads = listed
            .lines()
            .filter_map(|line| line.strip_prefix("animals::"));
        let names = heads.map(|head| head.split('(').next().unwrap().replace('`', ""));
        names.collect()
    };
    let scope = names("zoo::*");
    assert_eq!(
        scope,
        [
            "zoo::Bat::noise",
            "zoo::Loud::noise",
            "zoo::noise",
            "zoo::same<zoo::Bat>",
        ]
    );
    // `*` may be a scope or a module.
    assert_eq!(
        names("*::noise"),
        ["noise", "zoo::Bat::noise", "zoo::Loud::noise", "zoo::noise"]
    );
    // Where bit-fields are.
    let members = run(&["list", "-e", path, "-v", "struct bits"]).expect_status(0);
    let lines: Vec<&str> = members.stdout.lines().skip(1).map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "unsigned int a : 3  // 0, bit 0",
            "unsigned int b : 1  // 0, bit 3",
            "unsigned int c : 5  // 1, bit 5",
            "long int wide : 40  // 2, bit 2",
        ]
    );
}
