//! What fuzzers found interesting, and changes to it, go through every fuzz target.
//!
//! `YTRACE_MUTATIONS=N` makes N changed texts instead of a few, `YTRACE_SEED=N` other ones.
//! `YTRACE_BLESS=1` rewrites the dictionary.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use regex::Regex;
use ytrace_lang::check::builtins::{BUILTINS, RECORDS};
use ytrace_lang::check::testing::SAMPLE;
use ytrace_lang::testing::fuzzing::TARGETS;
use ytrace_lang::testing::mutation::Mutator;

/// Changed texts of a run that names no number.
const MUTATIONS: usize = 3_000;

/// The longest text that is changed: a longer one takes time and little else.
const MOST_BYTES: usize = 4 << 10;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut pending = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("a directory entry").path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let bytes = std::fs::read(&path).expect("a file");
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

fn corpus() -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = files(&root().join("fuzz/corpus"));
    assert!(found.len() > 50, "the corpus is there");
    for folder in ["lang/frontend/filetests", "stdlib", "probes"] {
        found.extend(files(&root().join(folder)));
    }
    found
}

/// The words of [`dictionary`] as the fuzzers read them.
fn words() -> Vec<String> {
    dictionary()
        .lines()
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'))
        .map(|word| {
            word.replace("\\\"", "\"")
                .replace("\\x0a", "\n")
                .replace("\\\\", "\\")
        })
        .collect()
}

/// Runs all targets on a text; gives the names of those that panic.
fn failing(data: &[u8]) -> Vec<&'static str> {
    TARGETS
        .iter()
        .filter(|target| catch_unwind(AssertUnwindSafe(|| (target.run)(data))).is_err())
        .map(|target| target.name)
        .collect()
}

#[test]
fn the_corpus_breaks_nothing() {
    let broken: Vec<String> = corpus()
        .iter()
        .filter_map(|(path, data)| {
            let names = failing(data);
            (!names.is_empty()).then(|| format!("{}: {names:?}", path.display()))
        })
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn changes_to_the_corpus_break_nothing() {
    let number = |name: &str| std::env::var(name).ok()?.parse::<usize>().ok();
    let count = number("YTRACE_MUTATIONS").unwrap_or(MUTATIONS);
    let mut mutator = Mutator::new(number("YTRACE_SEED").unwrap_or(1) as u64);
    let mut corpus = corpus();
    corpus.retain(|(_, data)| data.len() <= MOST_BYTES);
    let words = words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut broken = Vec::new();
    for _ in 0..count {
        let (_, text) = &corpus[mutator.below(corpus.len())];
        let (_, other) = &corpus[mutator.below(corpus.len())];
        let changed = mutator.mutate(text, other, &words);
        let names = failing(&changed);
        if !names.is_empty() {
            broken.push(format!(
                "{names:?}: {:?}",
                String::from_utf8_lossy(&changed)
            ));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The string literals between two marks of a source file.
fn literals(file: &str, from: &str, to: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    let text = std::fs::read_to_string(path).expect("a source file");
    let (_, part) = text.split_once(from).expect("the start of the list");
    let (part, _) = part.split_once(to).expect("the end of the list");
    Regex::new(r#""([^"\\ `]+)""#)
        .expect("a regex")
        .captures_iter(part)
        .map(|found| found[1].to_owned())
        .collect()
}

/// Every word of the language, from where the front end itself has them.
fn dictionary() -> String {
    let mut keywords = literals("terminal.rs", "\nfn word(", "\n}\n");
    keywords.extend(literals("terminal.rs", "\npub(crate) fn point(", "\n}\n"));
    let marks = literals("terminal.rs", "\nfn punctuator(", "\n}\n");
    let directives = literals("preprocess/directives.rs", "const C_WORDS", "];");
    let queries = literals("preprocess/directives.rs", "const QUERIES", "];");
    let views = literals("check/views.rs", "const KINDS", "\n];");
    assert!(
        keywords.len() > 80 && marks.len() > 40 && directives.len() > 10,
        "the lists moved"
    );
    assert!(queries.len() > 4 && views.len() > 5, "the lists moved");
    let mut words: BTreeSet<String> = BTreeSet::new();
    words.extend(keywords);
    words.extend(marks);
    words.extend(views);
    words.extend(directives.iter().map(|word| format!("\n#{word} ")));
    for word in ["else", "endif", "error", "warning"] {
        words.insert(format!("\n##{word} "));
    }
    for query in queries {
        for start in ["if", "elif"] {
            words.insert(format!("\n##{start}def{query} "));
            words.insert(format!("\n##{start}ndef{query} "));
        }
    }
    words.extend(BUILTINS.iter().map(|builtin| builtin.name.to_owned()));
    words.extend(RECORDS.iter().map(|record| record.name.to_owned()));
    // The sample target's names.
    let names = Regex::new(r"[A-Za-z_]\w+").expect("a regex");
    words.extend(names.find_iter(SAMPLE).map(|name| name.as_str().to_owned()));
    // What no list has: literals, comments, the directives of filetests.
    for other in [
        "//! memory 0x1000 u32 ",
        "\n//! file f\n//| ",
        "\n//: ",
        "\n//! arguments --",
        "rx/a(b)/",
        "$1",
        "_timer.s(1)",
        "__VA_ARGS__",
        "__LINE__",
        "##",
        "\\\n",
        "/*",
        "*/",
        "\n/// ",
        "app::",
        "`x`",
        "0x7fffffffffffffff",
        "1.5",
        "'c'",
        "\"%d %s\"",
        "%V",
        "%hB",
        "%.*s",
    ] {
        words.insert(other.to_owned());
    }
    let mut text =
        "# The words of the language, for fuzzers. Written by tests/fuzz_corpus.rs of lang/frontend.\n"
            .to_owned();
    for word in words {
        let word = word
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\x0a");
        text.push_str(&format!("\"{word}\"\n"));
    }
    text
}

#[test]
fn the_dictionary_has_the_words_of_the_language() {
    let path = root().join("fuzz/words.dict");
    let wanted = dictionary();
    if std::env::var_os("YTRACE_BLESS").is_some() {
        std::fs::write(&path, &wanted).expect("to write the dictionary");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "fuzz/words.dict is out of date: run with YTRACE_BLESS=1"
    );
}

#[test]
fn every_target_has_its_program() {
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("a manifest");
    let programs = files(&root().join("fuzz/targets"));
    assert_eq!(programs.len(), TARGETS.len());
    for target in TARGETS {
        let path = format!("targets/{}.rs", target.name);
        assert!(manifest.contains(&format!("path = \"{path}\"")), "{path}");
        let text = std::fs::read_to_string(root().join("fuzz").join(&path)).expect("a program");
        let call = format!("ytrace_lang::testing::fuzzing::{}(data)", target.name);
        assert!(text.contains(&call), "{path}");
        assert!(!text.contains("unsafe"), "{path}");
    }
}
