//! Every filetest of the language that runs something gives the same as machine code as in the
//! interpreter: outcomes with faults, places, chains and steps, output, warnings, checks,
//! globals, tracer memory.

use std::path::{Path, PathBuf};

use ytrace_jit::{Jit, Options};
use ytrace_lang::execute::Executor;
use ytrace_lang::testing::filetest::{Filetest, Transcript};
use ytrace_lang::testing::world::SparseMemory;
use ytrace_values::{FaultKind, Memory};

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

/// Internal errors tell of the same defect in other words.
fn normal(mut transcript: Transcript) -> Transcript {
    for (_, outcome) in &mut transcript.outcomes {
        if let Err(fault) = &mut outcome.result
            && fault.fault.kind == FaultKind::Internal
        {
            fault.fault.message = None;
        }
    }
    transcript
}

#[test]
fn filetests_run_alike() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontend/filetests");
    let only = std::env::var("YTRACE_FILETEST").unwrap_or_default();
    let options = Options {
        cache_entries: 16,
        ..Options::new(SparseMemory::default().page_size())
    };
    let mut paths = Vec::new();
    files(&directory, &mut paths);
    paths.sort();
    let (mut compared, mut failures) = (0, Vec::new());
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
        // What does not get as far as running is for the tests of the language.
        let Ok(filetest) = Filetest::read(&text) else {
            continue;
        };
        let Ok(Some(expected)) = filetest.interpreted(&name) else {
            continue;
        };
        let found = filetest.transcript(&name, &mut |program| {
            // Function by function, as the engine does; the examples of the language's page are
            // compiled as a whole.
            let jit = Jit::lazy(program, options).map_err(|error| format!("{error}: {error:?}"))?;
            Ok(Box::new(jit) as Box<dyn Executor>)
        });
        match found {
            Ok(Some(found)) if normal(found.clone()) == normal(expected.clone()) => compared += 1,
            Ok(found) => failures.push(format!(
                "== {name}: the interpreter gives\n{expected:?}\nand compiled code\n{found:?}"
            )),
            Err(message) => failures.push(format!("== {name}: {message}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(compared > 0 || !only.is_empty(), "some filetest runs");
    println!("{compared} filetests run alike");
}
