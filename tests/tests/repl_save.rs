//! `:save` of `ytrace repl`: the file does what was typed.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::program::{Finished, run};
use ytrace_tests::prompt;

const PROGRAM: &str = r#"
#include <stdio.h>
struct node { int k; struct node *next; };
struct node second = { 2, 0 }, first = { 1, &second };
struct node *list = &first;
int width = 7;
int main(void) {
    puts("READY");
    fflush(stdout);
    return getchar() == 0;
}
"#;

fn program() -> (Waiting, TempDir) {
    Waiting::compiled("nodes", PROGRAM, &["-g"])
}

fn lines(pid: i32, typed: &[&str]) -> Finished {
    prompt::lines(&["--max-pause", "5s", "-p", &pid.to_string()], typed)
}

/// Types lines and saves them.
fn save(pid: i32, typed: &[&str], file: &Path) -> Finished {
    let save = format!(":save {}", file.display());
    let mut all = typed.to_vec();
    all.push(&save);
    lines(pid, &all)
}

/// What was shown, without the numbers of values.
fn shown(text: &str) -> Vec<&str> {
    let value = |line| match line {
        line if str::starts_with(line, "$") => {
            line.split_once(" = ").map_or(line, |(_, rest)| rest)
        }
        line => line,
    };
    text.lines().map(value).collect()
}

/// Asserts that the saved file prints what the session showed; gives its text.
#[track_caller]
fn does_the_same(pid: i32, typed: &[&str], folder: &Path) -> String {
    let file = folder.join("saved.y");
    let session = save(pid, typed, &file);
    session.says(&["wrote "]);
    let name = file.to_str().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let again = run(&["run", name, "-p", &pid.to_string()]).expect_status(0);
    assert_eq!(
        shown(&again.stdout),
        shown(&session.stdout),
        "{text}\n{session}\n{again}"
    );
    assert!(!shown(&session.stdout).is_empty(), "{session}");
    text
}

#[test]
fn what_is_declared_anew_is_another_thing() {
    let (target, folder) = program();
    let cases: &[&[&str]] = &[
        &["int k = 3;", "k += 2;", "int k = 3;", "k", "list->k"],
        &["int k = 3;", "k + 1", "long k = 7;", "k", "list->k + k"],
        &[
            "int f(void) { return 1; }",
            "f()",
            "int f(void) { return 2; }",
            "f()",
        ],
        &["#define X 3", "X + 1", "#define X 5", "X + 1"],
        // One of several that were declared together; the others stay.
        &["long a = 1, b = 2;", "a + b", "int a = 7;", "b++; a + b"],
        // What a function uses is what it is when it is called.
        &[
            "int k = 9;",
            "int twice(void) { return k * 2; }",
            "int four(void) { return twice() * 2; }",
            "four()",
            "long k = 7;",
            "four()",
            "k = 8; four()",
        ],
        &[
            "#define TWICE (width * N)",
            "#define N 2",
            "TWICE",
            "#define N 3",
            "TWICE",
        ],
        &[
            "struct pair { int k; int l; };",
            "int k = 2;",
            "struct pair p; p.k = k; p.l = 5;",
            "long k = 4;",
            "p.k + k",
        ],
        // What is set at its place, though a function uses it.
        &[
            "int n = width;",
            "n += 4;",
            "int m = n * 2;",
            "int get(void) { return m; }",
            "get()",
        ],
        &["int v1 = 5;", "v1 + 1", "_ + v1"],
    ];
    for typed in cases {
        does_the_same(target.pid(), typed, folder.path());
    }
}

#[test]
fn what_was_typed_after_a_probe_is_done_after_it() {
    let (target, folder) = program();
    let probe = "_probe _timer.ms(1) { ticks++; if (ticks == 2) _exit(); }";
    let typed = [
        "int k = 3;",
        "list->k + k",
        "$1 * 10",
        "long ticks;",
        probe,
        ":wait 60s",
        "ticks * k + $2",
        "list->next->k",
    ];
    let text = does_the_same(target.pid(), &typed, folder.path());
    let (_, end) = text.split_once("_probe _end {").unwrap();
    assert!(
        end.contains("ticks * k") && end.contains("list->next->k"),
        "{text}"
    );
}

#[test]
fn values_are_shown_as_they_were() {
    let (target, folder) = program();
    let text = does_the_same(
        target.pid(),
        &[
            "long by[_str];",
            "by[\"a%d\"] = 1;",
            "by",
            "sprintf(\"<%d>\", width)",
            "list",
            "list->next",
            "*_",
        ],
        folder.path(),
    );
    assert!(text.contains("(struct node *) %V"), "{text}");
    let file = folder.path().join("saved.y");
    save(target.pid(), &["p/x width"], &file).expect_status(0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("// The prompt showed it in hexadecimal."),
        "{text}"
    );
}

#[test]
fn what_faulted_is_said_to_be_missing() {
    let (target, folder) = program();
    let file = folder.path().join("saved.y");
    let typed = ["int k = 3;", "k = 9; printf(\"%d\\n\", *(int *)8);", "k"];
    let session = save(target.pid(), &typed, &file);
    session.says(&["left out, which faulted", "k = 9; printf("]);
    assert!(session.stdout.contains("$1 = 9\n"), "{session}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("// Left out, for it faulted:\n    //     k = 9;"),
        "{text}"
    );
    let name = file.to_str().unwrap();
    run(&["check", name, "-p", &target.pid().to_string()]).expect_status(0);
}

#[test]
fn what_a_file_cannot_do_is_refused() {
    let (target, folder) = program();
    for (typed, why) in [
        (
            &["#define X 3", "X", "#undef X"][..],
            "the macro `X` was defined for a part of the session only",
        ),
        (
            &[
                "struct pair { int a; };",
                "struct pair p;",
                "struct pair { int a; int b; };",
            ],
            "`struct pair` was declared anew after `struct pair p;`",
        ),
    ] {
        let file = folder.path().join("refused.y");
        let session = save(target.pid(), typed, &file);
        session.says(&["a file cannot do what was typed", why]);
        assert!(!PathBuf::from(&file).exists());
    }
}

#[test]
fn a_file_of_ones_own_is_not_lost() {
    let (target, folder) = program();
    let pid = target.pid();
    let own = folder.path().join("own.c");
    std::fs::write(&own, PROGRAM).unwrap();
    save(pid, &["width"], &own)
        .expect_status(1)
        .says(&["own.c is there, and no session that was saved: give another name"]);
    assert_eq!(std::fs::read_to_string(&own).unwrap(), PROGRAM);
    // A session that was saved is replaced.
    let saved = folder.path().join("saved.y");
    save(pid, &["width"], &saved).expect_status(0);
    save(pid, &["width + 1"], &saved).expect_status(0);
    assert!(
        std::fs::read_to_string(&saved)
            .unwrap()
            .contains("width + 1")
    );
    save(pid, &["width"], folder.path())
        .expect_status(1)
        .says(&["is there, and no plain file"]);
}
