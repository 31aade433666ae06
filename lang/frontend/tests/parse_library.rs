//! Every probe file of the library and of the probes directory parses.

use std::path::{Path, PathBuf};

use ytrace_lang::parse::{parse, parse_arm};
use ytrace_lang::render::render;
use ytrace_lang::source::{LoadError, Loader, SourceFile};

/// Loads from the library's own directory.
struct Library(PathBuf);

impl Loader for Library {
    fn load(&mut self, name: &str, quoted: bool, from: &str) -> Result<SourceFile, LoadError> {
        let mut tried = Vec::new();
        let beside = Path::new(from).parent().map(|parent| parent.join(name));
        for path in beside
            .filter(|_| quoted)
            .into_iter()
            .chain([self.0.join(name)])
        {
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    return Ok(SourceFile {
                        name: path.display().to_string(),
                        text: text.into(),
                        library: true,
                    });
                }
                Err(_) => tried.push(path.display().to_string()),
            }
        }
        Err(LoadError::NotFound {
            name: name.to_owned(),
            tried,
        })
    }
}

fn probe_files(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            probe_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "y") {
            found.push(path);
        }
    }
}

#[test]
fn every_file_parses_with_every_arm() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let library = root.join("stdlib");
    let mut files = Vec::new();
    for directory in ["stdlib", "probes", "examples"] {
        probe_files(&root.join(directory), &mut files);
    }
    files.sort();
    let mut wrong = String::new();
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let main = SourceFile {
            name: path.display().to_string(),
            text: text.into(),
            library: false,
        };
        let mut loader = Library(library.clone());
        let first = parse(main.clone(), &mut loader, None, &Default::default(), &[]);
        let arms = first.arms;
        let mut all = vec![first];
        for arm in 1..arms {
            all.push(parse_arm(
                main.clone(),
                &mut loader,
                None,
                &Default::default(),
                &[],
                arm,
            ));
        }
        for parsed in all {
            wrong += &render(
                &parsed.diagnostics,
                &parsed.sources,
                &parsed.expansions,
                false,
            );
        }
    }
    assert!(!files.is_empty(), "no probe files in {}", root.display());
    assert!(wrong.is_empty(), "{wrong}");
}
