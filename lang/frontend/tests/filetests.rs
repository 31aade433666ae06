//! Runs every file under `filetests/` through the phase that its first line names.
//!
//! `YTRACE_BLESS=1 cargo test -p ytrace-lang --test filetests` rewrites the expectations;
//! `YTRACE_FILETEST=part` runs the files whose path holds `part`, `YTRACE_FILETESTS=DIR` those of
//! another directory.

use std::path::{Path, PathBuf};

use ytrace_lang::testing::filetest::Filetest;

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).expect("the directory of filetests");
    for entry in entries {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "y") {
            found.push(path);
        }
    }
}

#[test]
fn filetests() {
    let directory = std::env::var_os("YTRACE_FILETESTS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("filetests"),
        PathBuf::from,
    );
    let bless = std::env::var_os("YTRACE_BLESS").is_some();
    let only = std::env::var("YTRACE_FILETEST").unwrap_or_default();
    let mut paths = Vec::new();
    files(&directory, &mut paths);
    paths.sort();
    assert!(!paths.is_empty(), "there are filetests");
    let mut failures = Vec::new();
    for path in paths {
        let name = path
            .strip_prefix(&directory)
            .unwrap_or(&path)
            .display()
            .to_string();
        if !name.contains(&only) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a filetest");
        let filetest = match Filetest::read(&text) {
            Ok(filetest) => filetest,
            Err(message) => {
                failures.push(format!("== {name}: {message}"));
                continue;
            }
        };
        match filetest.evaluate(&name) {
            Ok(actual) if actual == filetest.expected => {}
            Ok(actual) if bless => {
                std::fs::write(&path, filetest.blessed(&actual)).expect("to write expectations");
            }
            Ok(actual) => failures.push(format!(
                "== {name}: expected\n{}-- but it gives\n{actual}",
                filetest.expected
            )),
            Err(message) => failures.push(format!("== {name}: {message}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
