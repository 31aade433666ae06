//! `:what` and the heap questions of the prompt, held against what programs know of their own memory.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use ytrace_tests::cores;
use ytrace_tests::fixtures::{Nginx, Waiting, perl_daemon, perls, unavailable};
use ytrace_tests::processes::assert_let_go;
use ytrace_tests::program::{Finished, command};
use ytrace_tests::prompt;
use ytrace_tests::pty::Terminal;
use ytrace_tests::{compile, skip};

/// Blocks of known sizes: a list that is in use, a ring and a chain that nothing leads to, freed ones between blocks that stay, and an
/// allocator of its own.
const PROGRAM: &str = r#"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct kind { int number; } kind = { 1 };
struct node { struct kind *kind; struct node *next; char text[184]; };
struct node *list;
void *keep[40];
struct slab { long number; char room[120]; } slabs[32];
long slabs_used = 20;
static long lost, lost_bytes;
static void lose(void **block) { lost++; lost_bytes += malloc_usable_size(block); }
__attribute__((noinline)) static void make(void) {
    for (int i = 0; i < 500; i++) {
        struct node *node = calloc(1, sizeof *node);
        node->kind = &kind; node->next = list; list = node;
    }
    void **first = 0, **last = 0;
    for (int i = 0; i < 60; i++) {
        void **block = calloc(1, 600);
        if (last) last[3] = block; else first = block;
        last = block;
        lose(block);
    }
    last[3] = (char *)first + 8;
    for (int i = 0; i < 3; i++) {
        void **block = calloc(1, 400000);
        lose(block);
    }
    void *freed[40];
    for (int i = 0; i < 40; i++) {
        freed[i] = malloc(2000);
        memset(freed[i], 0, 2000);
        keep[i] = malloc(40);
        memset(keep[i], 0, 40);
    }
    for (int i = 0; i < 40; i++) free(freed[i]);
}
/* What is left on the stack and in registers of those that were called. */
__attribute__((noinline)) static long clean(void) {
    volatile char rest[16384];
    for (unsigned i = 0; i < sizeof rest; i++) rest[i] = 0;
    return rest[77];
}
int main(void) {
    make();
    clean();
    struct mallinfo2 said = mallinfo2();
    printf("READY lost %ld %ld all %zu\n", lost, lost_bytes, said.arena + said.hblkhd);
    fflush(stdout);
    clean();
    return getchar() == 1;
}
"#;

struct Known {
    target: Waiting,
    folder: TempDir,
    lost: [i64; 2],
    all: i64,
}

fn known() -> Known {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["-O1", "-g", "-fno-builtin"];
    let program = compile(folder.path(), "known", PROGRAM, &flags);
    let target = Waiting::start(&mut Command::new(&program));
    let words: Vec<&str> = target.ready.split_whitespace().collect();
    let number = |name: &str, offset: usize| -> i64 {
        let at = words.iter().position(|word| *word == name).unwrap();
        words[at + offset].parse().unwrap()
    };
    let lost = [number("lost", 1), number("lost", 2)];
    let all = number("all", 1);
    Known {
        target,
        folder,
        lost,
        all,
    }
}

/// Lines at the prompt of a target that the words name.
fn ask(words: &[&str], lines: &[&str]) -> Finished {
    prompt::lines(&[&["--max-pause", "5s"], words].concat(), lines)
}

fn documents(words: &[&str], lines: &[&str]) -> Vec<Value> {
    let mut words = words.to_vec();
    words.push("--json");
    let result = ask(&words, lines).expect_status(0);
    let lines = result.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The number of blocks and their bytes, as lines count them.
fn counted<const N: usize>(words: &[&str], lines: [&str; N]) -> [[i64; 2]; N] {
    let all = documents(words, &lines);
    assert_eq!(all.len(), N, "{all:?}");
    let mut all = all.into_iter();
    lines.map(|_| {
        let document = all.next().unwrap();
        [&document["blocks"], &document["bytes"]].map(|number| number.as_i64().unwrap())
    })
}

/// The same numbers, whoever is asked.
fn compare(known: &Known, words: &[&str]) {
    let usable = |size: i64| (size + 8 + 15) / 16 * 16 - 8;
    // All chunks are all that malloc has.
    let whole: i64 = documents(words, &["count used", "count free"])
        .iter()
        .map(|total| total["with_heads"].as_i64().unwrap())
        .sum();
    assert_eq!(whole, known.all, "{words:?}");
    let nodes = [500, 500 * usable(200)];
    assert_eq!(
        counted(
            words,
            [
                "count used type kind",
                "count used first &kind",
                "count used size 200..208 type k?nd",
                "count used size ..199 type kind",
                "count free size 2000..2008",
                "count leaked",
                "count leaked size 600..1K",
            ]
        ),
        [
            nodes,
            nodes,
            nodes,
            [0, 0],
            [40, 40 * usable(2000)],
            known.lost,
            [60, 60 * usable(600)],
        ],
        "{words:?}"
    );
    // The first node of the list is led to by a variable alone, the second by the first.
    let all = documents(
        words,
        &[
            "list",
            "list->next",
            "list incoming list->next",
            "list incoming list",
            "list outgoing list",
        ],
    );
    let address = |row: &Value| row["address"].as_str().unwrap_or_default().to_owned();
    let text = |row: &Value| row["text"].as_str().unwrap_or_default().to_owned();
    let blocks: Vec<&Value> = all.iter().filter(|row| row["state"].is_string()).collect();
    let [incoming, outgoing] = blocks.as_slice() else {
        panic!("{all:?}");
    };
    assert!(text(&all[0]).contains(&address(incoming)), "{all:?}");
    assert!(text(&all[1]).contains(&address(outgoing)), "{all:?}");
    assert_eq!(incoming["type"], "kind");
    assert!(all.iter().any(|row| row["outside"] == "list"), "{all:?}");
    // What a table gives adds up.
    let rows = documents(words, &["summarize used limit 1000"]);
    let (total, groups) = rows.split_last().unwrap();
    let sum: i64 = groups
        .iter()
        .map(|row| row["bytes"].as_i64().unwrap())
        .sum();
    assert_eq!(sum, total["bytes"].as_i64().unwrap());
    assert!(
        groups.iter().any(|row| row["type"] == "kind"
            && row["blocks"] == 500
            && row["least"] == row["most"]),
        "{rows:?}"
    );
}

#[test]
fn numbers_are_those_of_the_program() {
    let known = known();
    let pid = known.target.pid().to_string();
    compare(&known, &["-p", &pid]);
    assert_let_go(known.target.pid());
    let text = ask(
        &["-p", &pid],
        &[
            "list leaked size 600 limit 2",
            ":freeze",
            "count leaked",
            ":what list",
            ":what &list->text[100]",
            ":what &kind",
            ":what main",
            ":what _reg(\"rsp\") + 8",
            ":thaw",
            "describe leaked size 10K.. limit 1",
            "describe incoming list->next",
            "count used | cat",
        ],
    )
    .expect_status(0);
    let out = &text.stdout;
    for part in [
        "… and 58 more\n60 blocks leaked, ",
        "\n63 blocks leaked, ",
        "glibc chunk: in use, main arena, type kind, malloc gave 0x",
        ", 0x84 inside\n",
        "symbol: kind\n",
        "symbol: main, known.c:",
        "stack: of thread ",
        "glibc chunk: in use, mapped directly, malloc gave 0x",
        "… and 2 more\n3 blocks leaked, ",
        "1 block that leads to the block at 0x",
    ] {
        assert!(out.contains(part), "{part}: {text}");
    }
    text.says(&["frozen: stopped ", "stopped "]);
    // Nothing lies there, or not what was asked for.
    let wrong = ask(
        &["-p", &pid],
        &[
            "count incoming &kind",
            "count used 7",
            "list",
            ":what 0",
            "list outgoing",
            "count used size 8..4",
        ],
    )
    .expect_status(1);
    wrong.says(&[
        "lies in no block of this heap",
        "`7` is no restriction",
        "nothing is mapped at 0x0",
        "an address is missing",
        "ends before it begins",
    ]);
    // A variable of a verb's name is a variable.
    assert!(
        wrong.stdout.starts_with("$1 = (struct node *) 0x"),
        "{wrong}"
    );

    if let Some(core) = cores::gcore("heap_questions", known.folder.path(), known.target.pid()) {
        compare(&known, &["--core", &core]);
    }
}

/// A team's own allocator, told by files beside which a table names their functions.
const OWN: &str = r#"
#include <prompt/answers.y>
#include <heap/blocks.y>
#ifndef MINE_Y
#define MINE_Y
void mine_what(void)
{
    for (long i = 0; i < 32; i++)
        if (prompt_is_asked(&slabs[i], sizeof(struct slab)))
            prompt_say((uint64_t)&slabs[i], sizeof(struct slab), "slab", sprintf("number %ld", i));
}
void mine_blocks(void)
{
    for (long i = 0; i < 32; i++)
        heap_block((uint64_t)&slabs[i], sizeof(struct slab), (uint64_t)&slabs[i], sizeof(struct slab), i < slabs_used ? HEAP_USED : HEAP_FREE,
                   heap_owner_number("slab"));
}
void mine_forever(void)
{
    if (prompt_is_asked(&slabs[31], 1)) {
        printf("walks-%d\n", 1);
        for (;;) { }
    }
}
#endif
"#;

const TABLE: &str = r#"
[[what]]
symbols = ["slabs"]
file = "own.y"
function = "mine_what"
[[what]]
modules = ["known"]
file = "own.y"
function = "mine_forever"
[[what]]
symbols = ["no_such_allocator"]
file = "missing.y"
function = "f"
[[what]]
modules = ["libnone.so*"]
file = "missing.y"
function = "f"
[[heap]]
symbols = ["slabs"]
file = "own.y"
function = "mine_blocks"
"#;

fn write(place: &Path, text: &str) {
    std::fs::write(place, text).unwrap();
    std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o644)).unwrap();
}

#[test]
fn an_allocator_of_ones_own() {
    let known = known();
    let pid = known.target.pid().to_string();
    let library = known.folder.path().join("library");
    let mine = library.join("mine");
    std::fs::create_dir_all(&mine).unwrap();
    write(&mine.join("own.y"), OWN);
    write(&mine.join("prompt.toml"), TABLE);
    let include = library.display().to_string();
    let words = ["-p", &pid, "-I", &include];
    assert_eq!(
        counted(&words, ["count used type slab", "count free size 128"]),
        [[20, 20 * 128], [12, 12 * 128]]
    );
    let text = ask(&words, &[":what &slabs[3].room[5]"]).expect_status(0);
    assert!(text.stdout.contains("symbol: slabs+0x18d\n"), "{text}");
    assert!(
        text.stdout.contains("\nslab: number 3, 128 bytes at 0x")
            && text.stdout.ends_with(", 0xd inside\n"),
        "{text}"
    );
    // A walk that does not end is ended, and the session goes on.
    let mut at_prompt = command(&["repl", "--max-pause", "5s", "-p", &pid, "-I", &include]);
    at_prompt
        .env("XDG_STATE_HOME", known.folder.path())
        .env("TERM", "xterm")
        .env_remove("COLUMNS");
    let mut terminal = Terminal::start(&at_prompt, 100);
    terminal.expect("(ytrace) ");
    assert!(
        terminal
            .ask("count u\t type slab", "(ytrace) ")
            .contains("\n20 blocks in use")
    );
    terminal.ask(":freeze", "(ytrace) ");
    terminal.send(":what &slabs[31]\r");
    terminal.expect("walks-1\n");
    terminal.send("\x03");
    let text = terminal.expect("\n(ytrace) ");
    assert!(text.contains("interrupted"), "{text}");
    assert!(terminal.ask("slabs_used", "(ytrace) ").contains("$1 = 20"));
    terminal.send("\x04");
    assert!(terminal.wait().success());
    assert_let_go(known.target.pid());
    // What is wrong with one file does not keep others from answering.
    write(
        &mine.join("own.y"),
        "void mine_what(void) { no_such_name(); }\n",
    );
    let text = ask(&words, &[":what list", ":what list"]).expect_status(0);
    text.says(&["mine/own.y is left out: ", "no_such_name"]);
    assert_eq!(
        text.stdout.matches("glibc chunk: in use").count(),
        2,
        "{text}"
    );
    assert_eq!(text.stderr.matches("is left out").count(), 1, "{text}");
    // Nor do tables that make no sense, or that others can write.
    write(&mine.join("prompt.toml"), "[[what]]\nfile = 1\n");
    let text = ask(&words, &[":what list"]).expect_status(0);
    text.says(&["prompt.toml: "]);
    assert!(text.stdout.contains("glibc chunk: in use"), "{text}");
    let everybody = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(mine.join("prompt.toml"), everybody).unwrap();
    let text = ask(&words, &[":what list"]).expect_status(0);
    text.says(&["everybody can write it"]);
}

#[test]
fn what_addresses_of_nginx_and_lua_are() {
    if let Some(why) = unavailable("dwarf") {
        return skip("heap_questions", &why);
    }
    let nginx = Nginx::start("dwarf", &[]);
    let folder = tempfile::tempdir().unwrap();
    let pid = nginx.worker;
    let mut at_prompt = command(&["repl", "--max-pause", "5s", "-p", &pid.to_string()]);
    at_prompt
        .env("XDG_STATE_HOME", folder.path())
        .env("TERM", "xterm")
        .env_remove("COLUMNS");
    let mut terminal = Terminal::start(&at_prompt, 200);
    terminal.expect("(ytrace) ");
    let mut ask = |line: &str, parts: &[&str]| {
        let text = terminal.ask(line, "(ytrace) ");
        for part in parts {
            assert!(text.contains(part), "{line}, {part}: {text}");
        }
        text
    };
    ask(
        ":what ngx_cycle->pool",
        &[
            "mapping: 0x",
            "glibc arena: main",
            "glibc chunk: in use, main arena, current cycle pool, malloc gave 0x",
            "nginx pool: current cycle pool 0x",
            "small objects, block 1, ",
        ],
    );
    ask(
        ":what (char *)ngx_cycle->pool->large->alloc + 1",
        &["glibc chunk: in use, ", "; a large block, ", "0x1 inside"],
    );
    ask("#include <nginx/lua.y>", &[]);
    ask("#include <luajit/c.y>", &[]);
    ask(
        ":what ngx_http_lua_vm()",
        &[
            "LuaJIT chunk: in use, ",
            "Lua object: thread at 0x",
            "reached as: ",
        ],
    );
    ask(
        ":what tabV(&G((lua_State *)ngx_http_lua_vm())->registrytv)",
        &["Lua object: table with 0 array and "],
    );
    ask(
        ":what tabref(((lua_State *)ngx_http_lua_vm())->env)",
        &["Lua object: table with 0 array and ", "reached as: _G, "],
    );
    ask(
        ":what _reg(\"rsp\") + 64",
        &["[stack]", "stack: of thread ", "in frame #"],
    );
    ask(
        ":what ngx_process_events_and_timers",
        &[
            "module: nginx+0x",
            "symbol: ngx_process_events_and_timers, ngx_event.c:",
        ],
    );
    ask(":what &ngx_cycle", &["symbol: ngx_cycle"]);
    ask(
        "summarize used",
        &["current cycle pool", " blocks in use, "],
    );
    ask(
        "describe incoming ngx_cycle->pool limit 1",
        &["outside of the heap", "glibc chunk: in use"],
    );
    terminal.send("\x04");
    assert!(terminal.wait().success());
    assert_let_go(pid);
}

#[test]
fn what_addresses_of_perl_are() {
    let (_, perl) = perls().swap_remove(0);
    if !perl.is_file() {
        return skip("heap_questions", "perl is missing");
    }
    let target = perl_daemon(&perl, 20, 20, 0);
    let pid = target.pid().to_string();
    let text = ask(
        &["-p", &pid],
        &[
            "#include <perl/vm.y>",
            "perl_find_interpreters() ? perl_interpreters[0]->Idefstash : 0",
            ":what _",
            ":what SvANY((SV *)$1)",
            ":what HvARRAY((SV *)$1)",
        ],
    )
    .expect_status(0);
    for part in [
        "glibc chunk: in use, main arena, Perl, malloc gave 0x",
        "\nPerl: a block of the interpreter",
        "\nPerl value: hash (HV) at 0x",
        "\nPerl value: body of hash (HV) at 0x",
        "\nPerl value: a block of hash (HV) at 0x",
    ] {
        assert!(text.stdout.contains(part), "{part}: {text}");
    }
    assert_let_go(target.pid());
}

/// An object of C++ is told by the table of virtual functions that its first word leads to.
const OBJECTS: &str = r#"
#include <cstdio>
namespace shapes {
struct Shape { virtual ~Shape() {} virtual double area() const { return 0; } };
struct Circle : Shape { double radius = 2; double area() const override { return 3 * radius * radius; } };
template <class T> struct Box : Shape { T width{}, height{}; char room[200]{}; };
}
shapes::Shape *circle, *circles[20], *box;
char *plain;
int main() {
    circle = new shapes::Circle;
    for (auto &one : circles) one = new shapes::Circle;
    box = new shapes::Box<int>;
    plain = new char[100]();
    std::puts("READY");
    std::fflush(stdout);
    return std::getchar() == 1;
}
"#;

#[test]
fn what_objects_of_cpp_are() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("objects.cc");
    std::fs::write(&source, OBJECTS).unwrap();
    let program = folder.path().join("objects");
    let status = Command::new("g++")
        .args(["-O1", "-g", "-o"])
        .args([&program, &source])
        .status()
        .unwrap();
    assert!(status.success());
    let target = Waiting::start(&mut Command::new(&program));
    let pid = target.pid().to_string();
    let words = ["-p", pid.as_str()];
    let said = ask(
        &words,
        &[
            ":what circle",
            ":what (char *)box + 100",
            ":what plain",
            "list used type shapes::Box*",
        ],
    )
    .expect_status(0)
    .stdout;
    let chunks: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("glibc chunk: "))
        .collect();
    assert_eq!(chunks.len(), 3, "{said}");
    assert!(
        chunks[0].contains(", type shapes::Circle, malloc gave "),
        "{said}"
    );
    assert!(
        chunks[1].contains(", type shapes::Box<int>, ") && chunks[1].contains(" inside"),
        "{said}"
    );
    assert!(!chunks[2].contains("type"), "{said}");
    assert!(said.contains("1 block"), "{said}");
    let [circles] = counted(&words, ["count used type shapes::Circle"]);
    assert_eq!(circles[0], 21, "{said}");
    assert_let_go(target.pid());
}
