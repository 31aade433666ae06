//! The invariants of `docs/architecture.md` that a test can enforce.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ytrace_tests::root;

/// Crates with their folders and the crates of the project that each may depend on.
const ROOMS: &[(&str, &str, &[&str])] = &[
    ("ytrace-values", "lang/values", &[]),
    ("ytrace-lang", "lang/frontend", &["ytrace-values"]),
    ("ytrace-jit", "lang/jit", &["ytrace-lang", "ytrace-values"]),
    ("ytrace-debuginfo", "runtime/debuginfo", &[]),
    ("ytrace-target", "runtime/target", &[]),
    ("ytrace-report", "runtime/report", &["ytrace-values"]),
    (
        "ytrace-runtime",
        "runtime/engine",
        &[
            "ytrace-debuginfo",
            "ytrace-jit",
            "ytrace-lang",
            "ytrace-report",
            "ytrace-target",
            "ytrace-values",
        ],
    ),
    (
        "ytrace",
        "cli",
        &[
            "ytrace-lang",
            "ytrace-report",
            "ytrace-runtime",
            "ytrace-target",
        ],
    ),
];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The lines of a file that are code: no comments, nothing from the first `#[cfg(test)]` on.
fn code_lines(path: &Path) -> Vec<(usize, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| {
            let line = line.split(" // ").next().unwrap_or(line);
            (number + 1, line.to_owned())
        })
        .collect()
}

fn offenders(folders: &[&str], wrong: impl Fn(&Path, &str) -> bool) -> Vec<String> {
    let root = root();
    let mut found = Vec::new();
    for folder in folders {
        let files = rust_files(&root.join(folder).join("src"));
        assert!(!files.is_empty(), "{folder} has no source files");
        for file in files {
            let shown = file.strip_prefix(&root).unwrap().to_owned();
            for (number, line) in code_lines(&file) {
                if wrong(&shown, &line) {
                    found.push(format!("{}:{number}: {}", shown.display(), line.trim()));
                }
            }
        }
    }
    found
}

/// Whether a file is made of tests or of what tests stand on: hand-made targets, which are like real ones.
fn is_for_tests(path: &Path) -> bool {
    path.components().any(|part| {
        matches!(
            part.as_os_str().to_str(),
            Some("testing" | "testing.rs" | "tests" | "tests.rs")
        )
    })
}

fn all_rooms() -> Vec<&'static str> {
    ROOMS.iter().map(|(_, folder, _)| *folder).collect()
}

#[test]
fn rooms_depend_one_way() {
    for (name, folder, allowed) in ROOMS {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{folder}");
        let (_, rest) = manifest.split_once("[dependencies]").unwrap();
        let dependencies = rest.split("\n[").next().unwrap();
        for line in dependencies.lines() {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or("");
            if dependency.starts_with("ytrace") {
                assert!(
                    allowed.contains(&dependency),
                    "{name} must not depend on {dependency}"
                );
            }
        }
    }
}

#[test]
fn unsafe_stays_where_the_design_allows_it() {
    let allowed = ["lang/jit/", "runtime/target/", "runtime/engine/"];
    let found = offenders(&all_rooms(), |path, line| {
        let path = path.to_string_lossy();
        let mapping = path == "runtime/debuginfo/src/mapping.rs";
        let words = line
            .replace("unsafe_code", "")
            .replace("unsafe_op_in_unsafe_fn", "");
        words
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == "unsafe")
            && !mapping
            && !allowed.iter().any(|room| path.starts_with(room))
    });
    assert!(
        found.is_empty(),
        "unsafe where it may not be:\n{}",
        found.join("\n")
    );
}

#[test]
fn only_target_and_engine_trace_or_read_processes() {
    let calls = [
        "ptrace",
        "process_vm_readv",
        "perf_event_open",
        "pidfd_open",
        "SYS_bpf",
        "/proc/{",
        "kill(",
    ];
    let rooms = [
        "lang/values",
        "lang/frontend",
        "lang/jit",
        "runtime/debuginfo",
        "runtime/report",
        "cli",
    ];
    let found = offenders(&rooms, |_, line| {
        calls.iter().any(|call| line.contains(call))
    });
    assert!(
        found.is_empty(),
        "process access outside target and engine:\n{}",
        found.join("\n")
    );
}

#[test]
fn nothing_writes_to_the_target() {
    let calls = [
        "process_vm_writev",
        "POKEDATA",
        "POKETEXT",
        "POKEUSER",
        "ptrace::write",
    ];
    let found = offenders(&all_rooms(), |path, line| {
        // Registers are no memory: the result of an interrupted system call is set, so that it is made again.
        let register = path == "runtime/target/src/ptrace.rs" && line.contains("PTRACE_POKEUSER");
        // What a thread would have pushed itself, had no breakpoint stood there; the only caller is in `breakpoints`.
        let pushed = path == "runtime/target/src/sys.rs" && line.contains("process_vm_writev");
        !register && !pushed && calls.iter().any(|call| line.contains(call))
    });
    assert!(
        found.is_empty(),
        "writes to the target:\n{}",
        found.join("\n")
    );
}

#[test]
fn only_breakpoints_write_what_a_thread_would() {
    let found = offenders(&all_rooms(), |path, line| {
        !path.starts_with("runtime/target/src/breakpoints")
            && path != "runtime/target/src/sys.rs"
            && (line.contains("write_process") || line.contains("pwrite"))
    });
    assert!(
        found.is_empty(),
        "writes to the target:\n{}",
        found.join("\n")
    );
}

#[test]
fn knowledge_of_programs_lies_in_the_library() {
    // Names of data structures and functions of the programs that the library knows.
    let words = [
        "ngx_",
        "lj_",
        "lua_",
        "GCobj",
        "malloc_state",
        "malloc_chunk",
        "PL_sv",
        "PL_curinterp",
        "libluajit",
        "nginx:",
        "nginx\"",
        "LuaJIT",
        "main_arena",
    ];
    // Texts for the user may show an example: help, and hints about wrong forms.
    let texts = [
        "cli/src/arguments.rs",
        "lang/frontend/src/parse/messages.rs",
        "lang/frontend/src/preprocess/target.rs",
    ];
    let found = offenders(&all_rooms(), |path, line| {
        !texts.iter().any(|text| path.ends_with(text))
            && !is_for_tests(path)
            && words.iter().any(|word| line.contains(word))
    });
    assert!(
        found.is_empty(),
        "knowledge that belongs into stdlib/:\n{}",
        found.join("\n")
    );
}

#[test]
fn the_page_size_is_asked_for() {
    let found = offenders(
        &[
            "lang/values",
            "lang/frontend",
            "lang/jit",
            "runtime/target",
            "runtime/engine",
        ],
        |path, line| {
            // A limit with a name of its own may happen to be of that size.
            let limit = line
                .trim_start()
                .trim_start_matches("pub ")
                .trim_start_matches("const ");
            let named = limit.len() < line.trim_start().len() && !limit.contains("PAGE");
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            !named
                && !is_for_tests(path)
                && words
                    .any(|word| matches!(word, "4096" | "0x1000" | "0xfff" | "4095" | "PAGE_SHIFT"))
        },
    );
    assert!(
        found.is_empty(),
        "a literal page size:\n{}",
        found.join("\n")
    );
}

#[test]
fn files_stay_small_enough_to_read() {
    let root = root();
    let mut long = BTreeMap::new();
    for folder in all_rooms() {
        for file in rust_files(&root.join(folder).join("src")) {
            let lines = code_lines(&file).len();
            if lines > 900 && !is_for_tests(&file) {
                long.insert(file.strip_prefix(&root).unwrap().to_owned(), lines);
            }
        }
    }
    assert!(
        long.is_empty(),
        "files of more than 900 lines of code: {long:?}"
    );
}

#[test]
fn every_probe_and_library_file_says_what_it_is_for() {
    let root = root();
    let mut pending = vec![root.join("stdlib"), root.join("probes")];
    let mut seen = 0;
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|ending| ending == "y") {
                seen += 1;
                let text = std::fs::read_to_string(&path).unwrap();
                let first = text
                    .lines()
                    .find(|line| !line.starts_with("#!"))
                    .unwrap_or("");
                assert!(
                    first.starts_with("///"),
                    "{} does not begin with `///`",
                    path.display()
                );
            }
        }
    }
    assert!(seen > 0, "no probe files found");
}
