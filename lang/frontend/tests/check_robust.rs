//! No text makes the checker panic, and none takes it long.

mod check_support;

use check_support::compile_with;
use proptest::prelude::*;
use std::time::{Duration, Instant};
use ytrace_lang::check::testing::{NoFiles, TestTarget};
use ytrace_lang::compile::{CompileError, Request, compile};

/// Pieces that programs are made of.
const PIECES: &[&str] = &[
    "main_pool",
    "head",
    "nodes",
    "flags",
    "variant",
    "module",
    "title",
    "counter",
    "message",
    "tcache",
    "stripped",
    "work",
    "RED",
    "ngx_pool_t",
    "struct list",
    "struct opaque",
    "ngx_str_t",
    "enum color",
    "int",
    "long",
    "char",
    "unsigned",
    "double",
    "_str",
    "_path",
    "_agg",
    "_Bool",
    "void",
    "_fault",
    "a",
    "b",
    "t",
    "g",
    "f",
    "x",
    "max",
    "next",
    "d",
    "value",
    "->",
    ".",
    "*",
    "&",
    "+",
    "-",
    "/",
    "%",
    "<<",
    ">>",
    "<",
    "==",
    "&&",
    "||",
    "!",
    "~",
    "=",
    "+=",
    "/=",
    "<<<",
    "++",
    "--",
    "?",
    ":",
    ",",
    ";",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "0",
    "1",
    "3u",
    "0x7fffffffffffffff",
    "1.5",
    "\"s\"",
    "\"%d %s\\n\"",
    "'c'",
    "rx/a(b)/",
    "~~",
    "!~~",
    "$1",
    "in",
    "if",
    "else",
    "for",
    "while",
    "do",
    "switch",
    "case",
    "default",
    "break",
    "continue",
    "return",
    "goto",
    "sizeof",
    "offsetof",
    "typeof",
    "_container_of",
    "_foreach",
    "_by",
    "_desc",
    "_limit",
    "_sort",
    "_delete",
    "_try",
    "_catch",
    "_probe",
    "_oneshot",
    "_begin",
    "_option",
    "_view",
    "flamegraph",
    "_if",
    "typedef",
    "struct",
    "union",
    "enum",
    "printf",
    "sprintf",
    "_tostr",
    "_len",
    "_push",
    "_pop",
    "_sum",
    "_maps",
    "_threads",
    "_ubt",
    "_usym",
    "_tls",
    "_clear",
    "_chop_token",
    "strncmp",
    "memcmp",
    "assert",
    "_timer.s",
    "app::counter",
];

const PROGRAM: &str = "struct own { int i; _str s; unsigned b : 3; struct { long l; }; };
enum mine { A, B = 4 }; typedef struct own own_t; long t[_str]; long g[]; own_t rows[int, _path]; _agg agg[int];
_option int depth = 3; _view flamegraph \"T\" \"u\" long held[_path];
int f(struct list *l, long t[_str]) { if (l && l->next) return f(l->next, t) + l->value; t[\"x\"] += 1; return 0; }
_probe _oneshot {
    own_t o = { 1, \"s\", .b = 3 }; int i; _path p; char text[4] = \"abc\";
    for (i = 0; i < 4; i++) { t[sprintf(\"%d\", nodes[i].value)]++; _push(g, i); agg[i] <<< i; }
    _foreach (k, v in t _by v _desc _limit 3) { printf(\"%s %ld %V\\n\", k, v, o); held[p / k] += v; }
    switch (variant.kind) { case A: break; case 2 ... 3: default: goto out; }
    _try { _raise(\"x\"); } _catch (_fault e) { _warn(\"%s\", e.message); }
    rows[1, p].s = _tostr(title.data, title.len) + \"!\"; _delete rows[1, p];
    i = (int) (o.b ? main_pool->max : (size_t) 0); o = (own_t) { .i = sizeof(flags) }; text[1] = 'x';
    while (i --> 0) { if (\"k\" in t) continue; _sort(g _by _); }
    out: printf(\"%.*s %p\\n\", (int) title.len, title.data, _container_of(&head->next, struct list, next));
}";

fn check(text: &str) {
    let start = Instant::now();
    let mut target = TestTarget::sample();
    let _ = compile_with(text, None, &[]);
    let _ = compile(Request {
        main: check_support::main_file(text),
        loader: &mut NoFiles,
        target: Some(&mut target),
        layouts: Default::default(),
        defines: Vec::new(),
        arguments: Vec::new(),
        most_probes: ytrace_lang::check::MOST_PROBES,
    });
    assert!(start.elapsed() < Duration::from_secs(5), "{text}");
}

#[test]
fn the_program_itself_is_right() {
    check_support::accept(PROGRAM);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_pieces_in_a_body(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        check(&format!("long t[_str]; long g[]; int f(int a) {{ return a; }} _probe _oneshot {{ int a; _str b; {} }}", pieces.join(" ")));
    }

    #[test]
    fn any_pieces_at_the_top(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        check(&pieces.join(" "));
    }

    #[test]
    fn a_program_with_a_piece_replaced(edits in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(PIECES)), 1..6)) {
        let mut words: Vec<&str> = PROGRAM.split_inclusive([' ', '(', ')', ';', '[', ']', ',']).collect();
        for (place, piece) in &edits {
            let index = place.index(words.len());
            words[index] = piece;
        }
        check(&words.join(" "));
    }

    #[test]
    fn a_program_with_a_part_cut_out(from in any::<prop::sample::Index>(), length in 1_usize..40) {
        let characters: Vec<char> = PROGRAM.chars().collect();
        let from = from.index(characters.len());
        let text: String = characters.iter().enumerate()
            .filter(|(index, _)| *index < from || *index >= from + length)
            .map(|(_, character)| *character)
            .collect();
        check(&text);
    }
}

#[test]
fn names_of_a_missing_target_are_counted_beyond_a_bound() {
    let errors = |names: usize| {
        let uses: String = (0..names).map(|n| format!("a = unknown{n};")).collect();
        let result = compile(Request {
            main: check_support::main_file(&format!("_probe _oneshot {{ int a; {uses} }}")),
            loader: &mut NoFiles,
            target: None,
            layouts: Default::default(),
            defines: Vec::new(),
            arguments: Vec::new(),
            most_probes: ytrace_lang::check::MOST_PROBES,
        });
        match result {
            Err(CompileError::Source(errors)) => errors.diagnostics,
            other => panic!("{other:?}"),
        }
    };
    let few = errors(100);
    assert_eq!(few.len(), 100);
    assert_eq!(
        few[99].message,
        "`unknown99` is of a target, and there is none"
    );
    let many = errors(5_000);
    assert_eq!(many.len(), 101);
    assert_eq!(
        many[100].message,
        "4900 more names of a target are not shown"
    );
}

/// Members that a layout does not have are the target's to know; those of the script's own
/// structs are wrong, whether they stand before a layout, between two, or after.
#[test]
fn only_the_records_of_layouts_are_layout_records() {
    let layout =
        |n: u32| format!("_layout l{n} {{ \"a\" {{ struct l{n} {{ int x; }}; }} }} _valid v;");
    let text = format!(
        "int v() {{ return 1; }} struct o0 {{ int x; }}; {} struct o1 {{ int x; }}; {} {} struct o2 {{ int x; }};
        _probe _oneshot {{ int a; struct o0 *o0; struct o1 *o1; struct o2 *o2;
        struct l0 *l0; struct l1 *l1; struct l2 *l2;
        a = o0->y; a = o1->y; a = o2->y; a = l0->y; a = l1->y; a = l2->y; }}",
        layout(0),
        layout(1),
        layout(2)
    );
    let checked = compile_with(&text, None, &[]).expect("no options").checked;
    assert_eq!(checked.unresolved.len(), 3, "{:?}", checked.unresolved);
    assert_eq!(checked.diagnostics.len(), 3, "{:?}", checked.diagnostics);
}

#[test]
fn deep_and_long_texts_end_in_errors() {
    let wrap = |body: String| format!("_probe _oneshot {{ int a; _path p; _str s; {body} }}");
    for text in [
        wrap(format!("a = {}1{};", "(".repeat(5000), ")".repeat(5000))),
        wrap(format!("a = {}1;", "-".repeat(5000))),
        wrap(format!("a = {}1;", "1 + ".repeat(20000))),
        wrap(format!("s = {}\"x\";", "s + ".repeat(5000))),
        wrap(format!("a = {}head;", "*".repeat(5000))),
        wrap(format!(
            "a = {};",
            "head->next".to_owned() + &"->next".repeat(5000)
        )),
        wrap(format!("a = {}1;", "a ? 1 : ".repeat(5000))),
        wrap(format!("{}a = 1;", "if (a) {} else ".repeat(5000))),
        wrap(format!("{};{}", "{".repeat(5000), "}".repeat(5000))),
        wrap(format!(
            "switch (a) {{ {} }}",
            (0..5000).map(|n| format!("case {n}:")).collect::<String>()
        )),
        wrap(format!("int {}x;", "*".repeat(5000))),
        wrap(format!("{}a = 1;", "a = ".repeat(5000))),
        format!("{}int x;{}", "struct {".repeat(3000), "} y;".repeat(3000)),
        format!(
            "{} _probe _oneshot {{}}",
            (0..3000)
                .map(|n| format!("typedef t{} t{n};", n + 1))
                .collect::<String>()
        ),
        format!(
            "{} struct s2999 z; _probe _oneshot {{}}",
            (0..3000)
                .map(|n| format!("struct s{} {{ struct s{n} m; }};", n + 1))
                .collect::<String>()
        ),
        format!(
            "struct s0 {{ int a; }}; {} struct s60 z; _probe _oneshot {{ printf(\"%V\", z); }}",
            (0..60)
                .map(|n| format!("struct s{} {{ struct s{n} a, b; }};", n + 1))
                .collect::<String>()
        ),
        format!(
            "int big[10][10][10][10][10][10][10][10][10][10][10][10][10][10][10][10][10][10][10][10][10][10]; {}",
            wrap("big[1];".to_owned())
        ),
        format!(
            "enum {{ {} }}; _probe _oneshot {{}}",
            (0..5000)
                .map(|n| format!("E{n}"))
                .collect::<Vec<_>>()
                .join(",")
        ),
    ] {
        check(&text);
    }
}
