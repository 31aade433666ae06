//! What answers at the prompt say of themselves: words as C has them, strings that were cut, pauses, and what is missing.

use serde_json::Value;
use tempfile::TempDir;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::processes::assert_let_go;
use ytrace_tests::program::Finished;
use ytrace_tests::prompt;

const PROGRAM: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum { BELOW = -2 } below = BELOW;
int minus = -1;
unsigned int most = -1;
char words[] = "abc\0def\0";
char text[20001];
long *block;
int main(void) {
    memset(text, 'a', 20000);
    block = malloc(5000);
    block[0] = -1;
    puts("READY");
    fflush(stdout);
    return getchar() == 1;
}
"#;

fn program() -> (Waiting, TempDir) {
    Waiting::compiled("answers", PROGRAM, &["-O1", "-g", "-fno-builtin"])
}

/// The lines that `-e` gives, run.
fn lines(pid: i32, more: &[&str], lines: &[&str]) -> Finished {
    let pid = pid.to_string();
    prompt::lines(&[&["-p", &pid], more].concat(), lines)
}

const LONG: &[&str] = &["--max-pause", "5s"];

#[test]
fn words_keep_their_signs() {
    let (target, _folder) = program();
    let pid = target.pid();
    let said = lines(
        pid,
        LONG,
        &[":what minus", ":what below", ":what most", ":what (char)-3"],
    )
    .expect_status(1);
    for address in [
        "0xffffffffffffffff",
        "0xfffffffffffffffe",
        "0xffffffff\n",
        "0xfffffffffffffffd",
    ] {
        said.says(&[&format!("nothing is mapped at {address}")]);
    }
    let said = lines(
        pid,
        LONG,
        &[
            "count used first -1",
            "count used first minus",
            "count used first most",
        ],
    )
    .expect_status(0);
    let counts: Vec<_> = said.stdout.lines().map(|line| &line[..8]).collect();
    assert_eq!(counts, ["1 block ", "1 block ", "0 blocks"], "{said}");
}

#[test]
fn strings_go_on_where_they_were_cut() {
    let (target, _folder) = program();
    let pid = target.pid();
    let said = lines(pid, LONG, &["x/2s words", "x/s text", "x/s"]).expect_status(0);
    let shown: Vec<_> = said
        .stdout
        .lines()
        .map(|line| line.split_once('\t').unwrap().1)
        .collect();
    let (first, rest) = (1 << 14, 20_000 - (1 << 14));
    assert_eq!(shown[..2], ["\"abc\"", "\"def\""], "{said}");
    assert_eq!(shown[2], format!("\"{}\"…", "a".repeat(first)));
    assert_eq!(shown[3], format!("\"{}\"", "a".repeat(rest)));
    let more = [LONG, &["--json"]].concat();
    let said = lines(pid, &more, &["x/2s text"]).expect_status(0);
    let all: Vec<Value> = said
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(all[0]["cut"], true);
    assert_eq!(all[1]["value"], "a".repeat(rest));
    assert!(all[1].get("cut").is_none());
}

#[test]
fn pauses_are_told_wherever_they_come_from() {
    let (target, _folder) = program();
    let pid = target.pid();
    for line in [
        "x/2xg _reg(\"rsp\")",
        "info symbol _reg(\"rip\")",
        ":what _reg(\"rip\")",
        "p+ _reg(\"rsp\")",
    ] {
        lines(pid, LONG, &[line])
            .expect_status(0)
            .says(&["stopped "]);
    }
    // A word that takes none tells of none.
    let said = lines(pid, LONG, &["x/2xg &minus"]).expect_status(0);
    assert!(!said.stderr.contains("stopped"), "{said}");
    assert_let_go(pid);
}

#[test]
fn what_is_not_whole_shows_in_status_and_documents() {
    let (target, _folder) = program();
    let pid = target.pid();
    let short = ["--max-pause", "1us"];
    let said = lines(pid, &short, &["count leaked"]).expect_status(3);
    said.says(&["the longest pause"]);
    let more = [&short[..], &["--json"]].concat();
    for line in [
        "count leaked",
        "_reg(\"rsp\")",
        "list used limit 3",
        "long at = _reg(\"rsp\");",
    ] {
        let said = lines(pid, &more, &[line]).expect_status(3);
        let last: Value = serde_json::from_str(said.stdout.lines().last().unwrap()).unwrap();
        assert_eq!(last["partial"], true, "{said}");
        assert!(last["pause_ns"].as_u64().unwrap() > 0, "{said}");
    }
    // What went wrong comes first.
    lines(pid, &short, &["_reg(\"rsp\")", "no_such_name"]).expect_status(1);
    let more = [LONG, &["--json"]].concat();
    let said = lines(pid, &more, &["minus", "count used"]).expect_status(0);
    assert!(!said.stdout.contains("partial"), "{said}");
    assert_let_go(pid);
}
