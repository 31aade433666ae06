//! What heap questions are held against: malloc's own accounts, and all the places outside of the heap where words that lead into it can stand.

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use ytrace_tests::fixtures::Waiting;
use ytrace_tests::processes::assert_let_go;
use ytrace_tests::program::Finished;
use ytrace_tests::prompt;
use ytrace_tests::{compile, cores};

/// Lines at the prompt of a target that the words name.
fn ask(words: &[&str], lines: &[&str]) -> Finished {
    prompt::lines(&[&["--max-pause", "5s"], words].concat(), lines)
}

/// The documents that lines give.
fn documents(result: &Finished) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
    result.stdout.lines().map(read).collect()
}

fn start(source: &str, arguments: &[&str]) -> (Waiting, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["-O1", "-g", "-fno-builtin", "-pthread"];
    let program = compile(folder.path(), "program", source, &flags);
    let target = Waiting::start(Command::new(program).args(arguments));
    (target, folder)
}

/// Large blocks, which malloc maps: one whose size somebody has written over, or one that its owner has sealed.
const LARGE: &str = r#"
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
char *volatile keep[3];
int main(int argc, char **argv) {
    keep[0] = memset(malloc(2 << 20), 0, 2 << 20);
    keep[1] = memset(malloc(1 << 20), 0, 1 << 20);
    keep[2] = malloc(1000);
    if (!strcmp(argv[1], "damaged")) ((size_t *)keep[0])[-1] = 0x1231;
    if (!strcmp(argv[1], "sealed") && mprotect(keep[1] - 16, (1 << 20) + 4096, PROT_READ)) return 1;
    puts("READY");
    fflush(stdout);
    return getchar() == 1;
}
"#;

#[test]
fn blocks_that_were_not_met_are_missed() {
    let (target, _folder) = start(LARGE, &["damaged"]);
    let pid = target.pid().to_string();
    for lines in [
        &["count used"][..],
        &["list used size 1M.."],
        &["count leaked"],
        &[":what keep"],
        &[":freeze", "count used"],
    ] {
        let said = ask(&["-p", &pid], lines).expect_status(3);
        said.says(&["mmapped = mp_.mmapped_mem: found 1052672, the target says 3153920"]);
        assert!(
            lines == [":what keep"] || said.stdout.contains("count differ by 2,101,248 bytes"),
            "{said}"
        );
    }
    let said = ask(&["-p", &pid, "--json"], &["count used"]).expect_status(3);
    let all = documents(&said);
    let [total] = all.as_slice() else {
        panic!("{said}");
    };
    assert_eq!(total["differs"], 2_101_248, "{said}");
    assert_eq!(total["partial"], true, "{said}");
    assert!(total["pause_ns"].as_u64().unwrap() > 0, "{said}");
    assert_eq!(total["checks"].as_array().unwrap().len(), 2, "{said}");
    assert_let_go(target.pid());
}

#[test]
fn a_block_that_is_sealed_is_a_block() {
    let (target, _folder) = start(LARGE, &["sealed"]);
    let pid = target.pid().to_string();
    let said = ask(&["-p", &pid], &["list used size 1M.."]).expect_status(0);
    assert!(said.stdout.contains("2 blocks in use, "), "{said}");
    let said = ask(&["-p", &pid, "--json"], &["count used size 1M.."]).expect_status(0);
    assert_eq!(documents(&said)[0]["differs"], 0, "{said}");
    assert!(documents(&said)[0].get("partial").is_none(), "{said}");
}

/// Blocks that are led to from a page of data that is sealed, and from memory below a stack that the program has put into the same mapping; and a few that nothing
/// leads to.
const ROOTS: &str = r#"
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
void *sealed[512] __attribute__((aligned(4096))) = { (void *)1 };
void **volatile map;
void *only;
static pthread_barrier_t ready;
__attribute__((noinline)) static long clean(void) {
    volatile char rest[16384];
    for (unsigned i = 0; i < sizeof rest; i++) rest[i] = 0;
    return rest[77];
}
static void *wait_here(void *none) {
    clean();
    pthread_barrier_wait(&ready);
    for (;;) pause();
    return none;
}
__attribute__((noinline)) static void make(void) {
    map = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 50; i++) map[i] = calloc(1, 700);
    for (int i = 0; i < 20; i++) sealed[i] = calloc(1, 600);
    for (int i = 0; i < 7; i++) only = calloc(1, 500);
    only = 0;
}
int main(void) {
    pthread_t threads[2];
    pthread_attr_t attributes;
    make();
    clean();
    if (mprotect(sealed, sizeof sealed, PROT_READ)) return 1;
    pthread_barrier_init(&ready, 0, 3);
    pthread_attr_init(&attributes);
    if (pthread_attr_setstack(&attributes, (char *)map + (1 << 19), 1 << 19)) return 1;
    if (pthread_create(&threads[0], &attributes, wait_here, 0)) return 1;
    if (pthread_create(&threads[1], 0, wait_here, 0)) return 1;
    pthread_barrier_wait(&ready);
    puts("READY");
    fflush(stdout);
    clean();
    return getchar() == 1;
}
"#;

/// Held against what the program has done, whoever is asked.
fn compare(words: &[&str]) {
    let lines = [
        "count leaked size 700..750",
        "count leaked size 600..650",
        "count leaked size 500..550",
    ];
    let mut words = words.to_vec();
    words.push("--json");
    let said = ask(&words, &lines).expect_status(0);
    let counted: Vec<_> = documents(&said)
        .iter()
        .map(|total| total["blocks"].as_i64().unwrap())
        .collect();
    assert_eq!(counted, [0, 0, 7], "{words:?}: {said}");
}

#[test]
fn all_that_is_no_unused_stack_leads_to_blocks() {
    let (target, folder) = start(ROOTS, &[]);
    let pid = target.pid().to_string();
    compare(&["-p", &pid]);
    // Below the pointer of a stack that has no mapping of its own lies anything.
    let said = ask(&["-p", &pid], &[":what map", "list incoming map[3]"]).expect_status(0);
    assert!(
        said.stdout.contains("has its stack in this mapping"),
        "{said}"
    );
    assert!(!said.stdout.contains("not in use"), "{said}");
    assert!(
        said.stdout
            .contains("outside of the heap: other memory, 0x"),
        "{said}"
    );
    assert_let_go(target.pid());
    if let Some(core) = cores::gcore("heap_checks", folder.path(), target.pid()) {
        compare(&["--core", &core]);
    }
}

const TABLE: &str = r#"
[[what]]
symbols = ["keep"]
file = "own.y"
function = "own_what"
"#;

const OWN: &str = r#"
#include <prompt/answers.y>
#ifndef OWN_Y
#define OWN_Y
void own_what(void)
{
    prompt_say((uint64_t)&keep, 8, "only\xff", "\xff a \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xed\xa0\x80 \xc0\xaf \xe2\x82 q\"\\\x01\t");
}
#endif
"#;

#[test]
fn answers_are_json_whatever_they_hold() {
    let (target, folder) = start(LARGE, &["plain"]);
    let pid = target.pid().to_string();
    let mine = folder.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    std::fs::write(mine.join("own.y"), OWN).unwrap();
    std::fs::write(mine.join("prompt.toml"), TABLE).unwrap();
    let include = folder.path().display().to_string();
    let words = ["-p", &pid, "--json", "-I", &include];
    let said = ask(&words, &[":what &keep"]).expect_status(0);
    let all = documents(&said);
    let own = all
        .iter()
        .find(|one| one["kind"] == "only\u{fffd}")
        .unwrap();
    assert_eq!(
        own["text"],
        "\u{fffd} a é € 😀 \u{fffd}\u{fffd}\u{fffd} \u{fffd}\u{fffd} \u{fffd}\u{fffd} q\"\\\u{1}\t",
        "{said}"
    );
    // What is left out is said in documents, too.
    let said = ask(
        &words,
        &["summarize used limit 1", "summarize used limit 99"],
    )
    .expect_status(0);
    let all = documents(&said);
    let groups = all.len() - 3;
    assert!(groups > 1, "{said}");
    for (total, shown) in [(&all[1], 1), (&all[all.len() - 1], groups)] {
        assert_eq!(total["groups"], groups, "{said}");
        assert_eq!(total["shown"], shown, "{said}");
        assert_eq!(total["left_out"], groups - shown, "{said}");
    }
    let said = ask(&words, &["list used limit 2"]).expect_status(0);
    let all = documents(&said);
    let total = all.last().unwrap();
    assert_eq!(total["shown"], 2, "{said}");
    assert_eq!(
        total["left_out"],
        total["blocks"].as_i64().unwrap() - 2,
        "{said}"
    );
}
