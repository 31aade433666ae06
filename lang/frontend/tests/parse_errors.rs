//! Errors of syntax as the user sees them, and text that must not stop the parser.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use ytrace_lang::parse::{MAX_ERRORS, Parsed, parse};
use ytrace_lang::render::render;
use ytrace_lang::source::{LoadError, Loader, SourceFile};

struct OneFile;

impl Loader for OneFile {
    fn load(&mut self, name: &str, _quoted: bool, _from: &str) -> Result<SourceFile, LoadError> {
        if name == "macros.y" {
            return Ok(SourceFile {
                name: name.to_owned(),
                text: "#define WALK(p, n) for (p = p->n; p; p = p->n\n".into(),
                library: true,
            });
        }
        Err(LoadError::NotFound {
            name: name.to_owned(),
            tried: vec!["/usr/lib/ytrace".to_owned()],
        })
    }
}

fn parse_text(text: &str) -> Parsed {
    let main = SourceFile {
        name: "probe.y".to_owned(),
        text: text.into(),
        library: false,
    };
    parse(main, &mut OneFile, None, &Default::default(), &[])
}

fn shown(text: &str) -> String {
    let parsed = parse_text(text);
    assert!(parsed.has_errors());
    let text = render(
        &parsed.diagnostics,
        &parsed.sources,
        &parsed.expansions,
        false,
    );
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

macro_rules! snapshot {
    ($name:ident, $text:expr) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(shown($text));
        }
    };
}

snapshot!(
    missing_semicolons,
    "_probe _oneshot {\n    int a = 1\n    int b = 2;\n    printf(\"%d\", a)\n}\n"
);
snapshot!(
    several_errors_at_once,
    "int f(int x) {\n    x = ;\n    if (x x) { x = 1; } else x = 2;\n    return x;\n    x = 3 4;\n}\nlong long char y;\n_probe _oneshoot.s(1) { }\n_probe f(int a { }\n"
);
snapshot!(
    an_unclosed_block,
    "_probe _begin {\n    if (x) {\n        y = 1;\n}\n\n_probe _end { }\n"
);
snapshot!(
    brackets_that_do_not_match,
    "_probe _begin {\n    f(a[1);\n    g(b;\n    h(c));\n}\n"
);
snapshot!(
    statements_at_the_top_level,
    "printf(\"hello\");\nmain() { return 0; }\n"
);
snapshot!(
    inside_a_macro_of_another_file,
    "#include \"macros.y\"\n_probe _oneshot {\n    ngx_chain_t *in;\n    WALK(in, next) { puts(\"x\"); }\n}\n"
);
snapshot!(
    a_word_of_the_language_as_a_name,
    "struct s { int _limit; };\n_probe _exit { int _by = 1; }\n"
);
snapshot!(
    text_that_is_not_ascii,
    "_probe _oneshot {\n    /* größer */ puts(“grüße”); x = 'ä' 5; /// ünïcödé\n}\n"
);
snapshot!(
    wrong_literals,
    "_probe _oneshot { x = 089; y = \"a\\qb\"; z = 12abc; s ~~ rx/abc; }\n"
);
snapshot!(
    missing_include,
    "#include <luajit/gd.y>\n#inclde \"x\"\n#if FOO +\n#endif\n##ifdeftyp x\n##endif\n"
);
snapshot!(
    types_that_make_no_sense,
    "short long x;\nunsigned ngx_pool_t *p;\nstruct { int a; } f { }\nvoid g(int a, ...) { }\n"
);
snapshot!(
    parts_of_the_language,
    "_probe _oneshot {\n    _foreach (k, v of t) { }\n    _try { x = 1; }\n    y = 2;\n    case 1 x;\n    a->5;\n}\n_view flamegraph long x;\n_module libc;\n"
);

#[test]
fn the_list_of_errors_ends() {
    let text = "int x y;\n".repeat(1000);
    let parsed = parse_text(&text);
    assert_eq!(parsed.diagnostics.len(), MAX_ERRORS);
    let help = parsed.diagnostics.last().and_then(|d| d.help.clone());
    assert_eq!(help.as_deref(), Some("980 more errors are not shown"));
}

/// Parses within a bound that is generous for a busy machine.
#[track_caller]
fn ends_fast(text: &str) -> Parsed {
    let start = Instant::now();
    let parsed = parse_text(text);
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    let _ = render(
        &parsed.diagnostics,
        &parsed.sources,
        &parsed.expansions,
        true,
    );
    parsed
}

#[test]
fn deep_text_is_an_error_and_not_a_crash() {
    let in_body = |inner: String| format!("void f(void) {{ x = {inner}; }}");
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("a(", ")"),
        ("(T)(", ")"),
    ] {
        let nested = format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
        assert!(ends_fast(&in_body(nested)).has_errors());
    }
    for prefix in [
        "-", "!", "*", "~", "a ? b : ", "a = ", "(T) ", "(T *) ", "1 + ", "a, ", "sizeof ",
    ] {
        let text = in_body(format!("{}1", prefix.repeat(20_000)));
        assert!(ends_fast(&text).has_errors(), "{prefix}");
    }
    for suffix in ["->a", ".a", "[0]", "(0)", "++", " + 1", " in t", "(a)"] {
        let text = in_body(format!("a{}", suffix.repeat(20_000)));
        assert!(ends_fast(&text).has_errors(), "{suffix}");
    }
    for statement in [
        "{",
        "if (x) ",
        "while (x) ",
        "for (;;) ",
        "do ",
        "x: ",
        "case 1: ",
        "if (x) y; else ",
        "if (x) { } else ",
        "_foreach (a in b) ",
        "switch (x) ",
    ] {
        let text = format!("void f(void) {{ {} ; }}", statement.repeat(20_000));
        assert!(ends_fast(&text).has_errors(), "{statement}");
    }
    for declarator in ["*", "(", "(*"] {
        let text = format!("int {}x;", declarator.repeat(20_000));
        assert!(ends_fast(&text).has_errors(), "{declarator}");
    }
    assert!(ends_fast(&"struct a { ".repeat(20_000)).has_errors());
    assert!(ends_fast(&format!("int x{};", "[1]".repeat(20_000))).has_errors());
    assert!(ends_fast(&format!("{}\n", "#if 1\n".repeat(20_000))).has_errors());
}

#[test]
fn long_text_is_no_error() {
    let sum = vec!["a"; 200].join(" + ");
    let list = vec!["1"; 20_000].join(", ");
    let cases: String = (0..5_000)
        .map(|n| format!("case {n}: x = {n}; break;"))
        .collect();
    let arms: String = (0..150)
        .map(|n| format!("if (x == {n}) {{ y = 1; }} else "))
        .collect();
    let text = format!(
        "int t[] = {{ {list} }};\nvoid f(void) {{ x = {sum}; switch (x) {{ {cases} }} {arms} y = 2; g({}); }}\n",
        vec!["1"; 100].join(", ")
    );
    let parsed = ends_fast(&text);
    let shown = render(
        &parsed.diagnostics,
        &parsed.sources,
        &parsed.expansions,
        false,
    );
    assert!(!parsed.has_errors(), "{shown}");
}

/// Words that meet the parser in random order.
const WORDS: &[&str] = &[
    "int",
    "T",
    "x",
    "y",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ";",
    ",",
    "*",
    "&",
    "+",
    "-",
    "=",
    "==",
    "->",
    ".",
    "...",
    "?",
    ":",
    "1",
    "2.5",
    "\"s\"",
    "'c'",
    "if",
    "else",
    "while",
    "for",
    "do",
    "switch",
    "case",
    "default",
    "return",
    "struct",
    "enum",
    "typedef",
    "sizeof",
    "offsetof",
    "_container_of",
    "typeof",
    "const",
    "_probe",
    "_oneshot",
    "_option",
    "_view",
    "_module",
    "_mode",
    "_layout",
    "_valid",
    "_foreach",
    "in",
    "_by",
    "_desc",
    "_limit",
    "_try",
    "_catch",
    "_delete",
    "_sort",
    "_if",
    "~~",
    "rx/a/",
    "<<<",
    "!",
    "~",
    "++",
    "$1",
    "->",
    "_void",
    "`q r`",
    "m.so::x",
    "(T)",
    "(x)",
    "(T *)",
    "T *x = ",
    "f(",
    "\n#define M(a) a b\n",
    "M",
    "M(",
    "\n#if 1\n",
    "\n#else\n",
    "\n#endif\n",
    "\n##ifdeftype T\n",
    "\n##endif\n",
    "##",
    "#",
    "/// d\n",
    "\n",
    "__attribute__",
    "_fault",
    "_str",
    "_path",
    "_agg",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_text_ends(text in "\\PC{0,400}") {
        ends_fast(&text);
    }

    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        ends_fast(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_words_end(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..120)) {
        ends_fast(&words.join(" "));
    }

    #[test]
    fn any_words_in_a_body_end(
        words in proptest::collection::vec(proptest::sample::select(WORDS), 0..80),
    ) {
        ends_fast(&format!("void f(void) {{ {} }} _probe _end {{ x = 1; }}", words.join(" ")));
    }
}

#[test]
fn large_random_text_ends() {
    // 64 KiB of each word, alone and between others.
    for word in WORDS {
        ends_fast(&format!("{word} ").repeat(65_536 / (word.len() + 1)));
    }
}
