//! Runs every example of `docs/language.md`, and holds the table of built-ins against the page
//! that is made of it. `YTRACE_BLESS=1` rewrites what the examples give, and the table.

use std::fmt::Write;
use std::path::PathBuf;

use ytrace_lang::check::builtins::{BUILTINS, RECORDS};
use ytrace_lang::testing::page;

fn documentation(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name)
}

fn bless() -> bool {
    std::env::var_os("YTRACE_BLESS").is_some()
}

#[test]
fn examples_of_the_reference() {
    let path = documentation("language.md");
    let text = std::fs::read_to_string(&path).expect("the page");
    let examples = page::examples(&text).expect("well-formed examples");
    assert!(examples.len() > 50, "the page has its examples");
    let mut outputs = Vec::new();
    let mut failures = Vec::new();
    for example in &examples {
        match example.filetest.evaluate("example.y") {
            Ok(actual) => {
                if actual != example.filetest.expected && !bless() {
                    failures.push(format!(
                        "== line {}: the page says\n{}-- but it gives\n{actual}",
                        example.line, example.filetest.expected
                    ));
                }
                outputs.push(actual);
            }
            Err(message) => {
                failures.push(format!("== line {}: {message}", example.line));
                outputs.push(example.filetest.expected.clone());
            }
        }
    }
    if bless() {
        std::fs::write(&path, page::blessed(&text, &examples, &outputs)).expect("to write");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn table() -> String {
    let mut text = String::from(
        "# Built-in functions\n\n\
         What the language brings with it, made from the table that the checker reads. `[…]` may be left \
         out. `any` is a value of any type, `T` the type that the arguments say.\n\n\
         | function | what it does |\n|---|---|\n",
    );
    for builtin in BUILTINS {
        let summary = builtin.summary.replace('|', "\\|");
        let _ = writeln!(
            text,
            "| `{}` | {summary} |",
            ytrace_lang::check::builtins::usage(builtin.name).unwrap_or_default()
        );
    }
    text.push_str("\n## Records\n\n| type | fields |\n|---|---|\n");
    for record in RECORDS {
        let fields: Vec<String> = record
            .fields
            .iter()
            .map(|(name, kind)| format!("`{} {name}`", kind.written()).replace("* ", "*"))
            .collect();
        let _ = writeln!(text, "| `{}` | {} |", record.name, fields.join(", "));
    }
    text
}

#[test]
fn table_of_built_ins() {
    let path = documentation("builtins.md");
    let wanted = table();
    if bless() {
        std::fs::write(&path, &wanted).expect("to write");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/builtins.md is out of date: run with YTRACE_BLESS=1"
    );
}

/// Every word of the table for those who know the Y language is one that this language has.
#[test]
fn words_of_the_y_language() {
    let page = std::fs::read_to_string(documentation("ylang.md")).unwrap();
    // What the checker looks for besides built-in functions.
    const OTHERS: &[&str] = &[
        "_str",
        "_agg",
        "_sort",
        "_foreach",
        "_delete",
        "in",
        "_container_of",
        "offsetof",
        "sizeof",
        "typeof",
        "_probe",
        "_oneshot",
        "_begin",
        "_end",
        "_timer",
    ];
    let mut seen = 0;
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = line.split('|').skip(1);
        let (words, here) = (cells.next().unwrap(), cells.next().unwrap());
        for word in words.split('`').skip(1).step_by(2) {
            seen += 1;
            let is_name = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_name || here.contains("not needed") || OTHERS.contains(&word) {
                continue;
            }
            assert!(
                BUILTINS.iter().any(|builtin| builtin.name == word),
                "{word}"
            );
        }
    }
    assert!(seen > 70, "{seen}");
}
