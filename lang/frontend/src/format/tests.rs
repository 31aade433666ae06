use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::format;

#[track_caller]
fn check(text: &str, expected: &str) {
    let formatted = format(text).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(formatted, expected);
    assert_eq!(format(&formatted).as_deref(), Ok(expected), "not stable");
}

fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pending = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|ending| ending == "y") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty());
    found
}

#[test]
fn spaces_follow_from_the_tokens() {
    check(
        "int x=(uint32_t)-1*( a )-b ;",
        "int x = (uint32_t)-1 * (a)-b;\n",
    );
    check(
        "int f(T*a,char**b){return a->x[ 1 ]+ *b++;}",
        "int f(T *a, char **b) { return a->x[1] + *b++; }\n",
    );
    check(
        "T*f(void){T*p=&x;a=b*c;}",
        "T *f(void) { T *p = &x; a = b * c; }\n",
    );
    check("int y = (double)(int) d;", "int y = (double)(int)d;\n");
    check("int y = a - -b - --c;", "int y = a - -b - --c;\n");
    check("int a[]={1,2};", "int a[] = { 1, 2 };\n");
    check(
        "struct p v=(struct p) {1};",
        "struct p v = (struct p){ 1 };\n",
    );
    check(
        "struct s{int a:3;char*(*f)(int);};",
        "struct s { int a : 3; char *(*f)(int); };\n",
    );
    check(
        "_probe malloc(size_t n)->void*p{}",
        "_probe malloc(size_t n) -> void *p { }\n",
    );
    check(
        "_probe _begin{_foreach((k,v)in t _by v){a<<<v;}if(!(s~~rx/a b/)&&k in t)_exit();}",
        "_probe _begin { _foreach ((k, v) in t _by v) { a <<< v; } if (!(s ~~ rx/a b/) && k in t) _exit(); }\n",
    );
    check("int a = . 5;", "int a = . 5;\n");
}

#[test]
fn braces_and_statements() {
    check(
        "int f(void) {\n  if(a)\n  {\n b(); }\n  else if(c)\n d();\n else\n{ e(); }\n}\n",
        "int f(void)\n{\n    if (a) {\n        b();\n    } else if (c)\n        d();\n    else { e(); }\n}\n",
    );
    check(
        "void f(void)\n{ switch(x)\n{\ncase 1:\nfoo();\ndefault:\nbar();\n}\nagain:\nfor(;;)\nif(a)\nb();\nc(); }",
        "void f(void)\n{\n    switch (x) {\n    case 1:\n        foo();\n    default:\n        bar();\n    }\nagain:\n    for (;;)\n        if (a)\n            b();\n    c();\n}\n",
    );
    check(
        "_probe _begin {\ndo {\nx++;\n}\nwhile(x<3);\n_try {\ny();\n}\n_catch(_fault f) {\n}\n}",
        "_probe _begin {\n    do {\n        x++;\n    } while (x < 3);\n    _try {\n        y();\n    } _catch (_fault f) {\n    }\n}\n",
    );
    check(
        "_view table \"a\" \"b\"\nlong t[_str];\n\n\n\nFOO(x)\nint y;\n\n",
        "_view table \"a\" \"b\"\nlong t[_str];\n\nFOO(x)\nint y;\n",
    );
}

#[test]
fn continued_lines_align() {
    check(
        "_probe _begin {\nlong total = a +\nb;\nx =\na + b;\nreturn f(1,\n2);\nf(\n1);\n}",
        "_probe _begin {\n    long total = a +\n                 b;\n    x =\n        a + b;\n    return f(1,\n             2);\n    f(\n        1);\n}\n",
    );
}

#[test]
fn comments_and_directives_stay() {
    check(
        "#!/usr/bin/env -S ytrace run\n\n\n  /// d  \n#define F( x )  x+ \\\n  1 // c\nint a;//1\nint abc; /*2*/\n\nint d; // 3",
        "#!/usr/bin/env -S ytrace run\n/// d\n#define F( x )  x+ \\\n  1 // c\nint a;   //1\nint abc; /*2*/\n\nint d; // 3\n",
    );
    check(
        "_probe _begin {\n##ifdeftype T\nif (a) {\n##else\nif (b) {\n ##endif\n/* x\n   y */\nc();\n}\n// last\n}",
        "_probe _begin {\n##ifdeftype T\n    if (a) {\n##else\n    if (b) {\n##endif\n        /* x\n           y */\n        c();\n    }\n    // last\n}\n",
    );
    check("#if 0\n} )\n#endif\nint  x;", "#if 0\n})\n#endif\nint x;\n");
}

#[test]
fn what_cannot_be_read_is_an_error() {
    for (text, message) in [
        ("int f(void) { (", "`(` is never closed"),
        ("int x; }", "`}` closes nothing"),
        ("int a[2);", "`)` does not match"),
        ("_str s = \"abc", "this string never ends"),
    ] {
        let errors = format(text).unwrap_err();
        assert_eq!(
            errors.first().map(|error| error.message.as_str()),
            Some(message)
        );
    }
    assert!(format(&"(".repeat(100_000)).is_err());
    let deep = format!("int x = {}1{};", "(".repeat(300), ")".repeat(300));
    check(&format!("{deep}\n"), &format!("{deep}\n"));
}

#[test]
fn time_and_size_stay_in_proportion() {
    let many = "if (x)\n".repeat(20_000);
    let text = format!("_probe _begin {{\n{many}y();\n}}\n");
    assert!(format(&text).unwrap().len() < text.len() * 20);
    for unit in [
        "#if x\n",
        "x ? ",
        "int *(*f)(",
        "/* */ ",
        "a\n",
        "{}\n",
        "typedef ",
        "x // y\n",
    ] {
        let _ = format(&unit.repeat(20_000));
    }
}

#[test]
fn shipped_files_are_formatted() {
    for folder in ["stdlib", "probes"] {
        for path in files(folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            let formatted = format(&text).unwrap_or_else(|errors| panic!("{errors:?}"));
            assert!(text == formatted, "run `ytrace fmt {}`", path.display());
        }
    }
}

#[test]
fn files_are_stable() {
    for folder in ["stdlib", "probes", "lang/frontend/filetests"] {
        for path in files(folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            // Some tests are of text that is wrong.
            let Ok(once) = format(&text) else {
                assert!(folder.ends_with("filetests"), "{}", path.display());
                continue;
            };
            assert_eq!(format(&once).as_ref(), Ok(&once), "{}", path.display());
        }
    }
}

fn pieces() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "a",
        "b",
        "in",
        "if",
        "else",
        "while",
        "do",
        "for",
        "switch",
        "case",
        "default",
        "return",
        "struct",
        "union",
        "enum",
        "typedef",
        "int",
        "size_t",
        "_probe",
        "_oneshot",
        "_try",
        "_catch",
        "_foreach",
        "_layout",
        "_if",
        "_by",
        "sizeof",
        "x::y",
        "`q r`",
        "1",
        ".5",
        "1e",
        "0x1e",
        "\"s\"",
        "'c'",
        "rx",
        "$0",
        "~~ rx/a b/",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ";",
        ",",
        ".",
        "...",
        "->",
        "?",
        ":",
        "::",
        "=",
        "+=",
        "*",
        "/",
        "%",
        "+",
        "-",
        "++",
        "--",
        "<<",
        "<<<",
        "<",
        ">",
        "==",
        "&",
        "&&",
        "|",
        "!",
        "~",
        "~~",
        "!~~",
        "#",
        "##",
        " # x",
        "/* c */",
        "/* c\n  d */",
        "// l\n",
        "/// d\n",
        "//// e\n",
        "\n#define F(x) x + \\\n y\n",
        "\n##ifdeftype T\n",
        "\n##else // e\n",
        "\n##endif\n",
        "\n#if 0\n",
        "\n#endif /* e */\n",
        "\\\n",
        "{\n",
        "\n}",
        ";\n",
        "a *b",
        "(T)",
        "if (x)",
    ]);
    let gap = prop::sample::select(vec!["", " ", "  ", "\n", "\n\n\n", "\t", "\r\n", " \n "]);
    prop::collection::vec((words, gap), 0..60).prop_map(|parts| {
        parts
            .into_iter()
            .flat_map(|(word, gap)| [word, gap])
            .collect()
    })
}

/// Brackets that match around soup.
fn balanced() -> impl Strategy<Value = String> {
    let leaf = pieces().prop_map(|text| text.replace(['{', '}', '(', ')', '[', ']'], " "));
    leaf.prop_recursive(5, 60, 5, |inner| {
        (prop::collection::vec(inner, 1..5), 0..4usize).prop_map(|(parts, kind)| {
            let (open, close) = [("{", "}"), ("(", ")"), ("[", "]"), (" ", " ")][kind];
            parts
                .iter()
                .map(|part| format!("{open}{part}{close}"))
                .collect()
        })
    })
}

#[track_caller]
fn stable(text: &str) -> Result<(), TestCaseError> {
    match format(text) {
        Ok(once) => {
            let again = format(&once);
            prop_assert_eq!(again.as_ref(), Ok(&once));
        }
        Err(errors) => {
            for error in errors {
                prop_assert!(!error.message.contains("cannot be formatted"), "{}", text);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text(text in "\\PC*") {
        stable(&text)?;
    }

    #[test]
    fn any_tokens(text in pieces()) {
        stable(&text)?;
    }

    #[test]
    fn any_tokens_in_brackets(text in balanced()) {
        stable(&text)?;
    }
}
