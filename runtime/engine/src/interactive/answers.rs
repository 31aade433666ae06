//! What the libraries of programs can answer at the prompt: `prompt.toml` beside their files says it. Shipped folders, directories on
//! the search paths, and packages that were added may each have one; `stdlib/glibc/prompt.toml` documents what it holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use ytrace_lang::target::matches_pattern;

use crate::library;
use crate::names::Names;
use crate::packages::{self, set::PackageSet};

/// The name of the file.
const FILE: &str = "prompt.toml";

/// The most entries of one directory of the search paths that are looked at.
const MOST_ENTRIES: usize = 10_000;

/// The most functions of all files together.
const MOST_FUNCTIONS: usize = 1_000;

/// A function that answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Answerer {
    /// Functions or variables of which the process must have all.
    #[serde(default)]
    symbols: Vec<String>,
    /// Modules by soname or file name, wildcards allowed, of which the process must have one.
    #[serde(default)]
    modules: Vec<String>,
    file: String,
    function: String,
    /// The folder that it lies in, as `#include <folder/file>` has it.
    #[serde(skip)]
    folder: String,
}

/// What a file holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PromptFile {
    #[serde(default)]
    what: Vec<Answerer>,
    #[serde(default)]
    heap: Vec<Answerer>,
}

/// The functions that answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Answerers {
    /// Those that say what an address is.
    pub(super) what: Vec<Answerer>,
    /// Those that give the blocks of an allocator.
    pub(super) heap: Vec<Answerer>,
}

impl Answerer {
    /// The file, as an `#include` names it.
    pub(super) fn place(&self) -> String {
        format!("{}/{}", self.folder, self.file)
    }

    /// Whether one of the modules that it is for is there.
    fn has_modules(&self, names: &Names) -> bool {
        self.modules.is_empty()
            || names.modules().iter().enumerate().any(|(index, module)| {
                let opened = names.open(index).ok();
                let soname = opened.and_then(|opened| opened.info.soname());
                self.modules.iter().any(|pattern| {
                    matches_pattern(pattern, &module.file_name)
                        || soname.is_some_and(|soname| matches_pattern(pattern, soname))
                })
            })
    }

    /// What is wrong with it, in words.
    fn check(&self) -> Result<(), String> {
        let named = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let mut names = self.symbols.iter().chain([&self.function]);
        if let Some(wrong) = names.find(|name| !named(name)) {
            return Err(format!(
                "`{}` is no name of a function or variable",
                wrong.escape_debug()
            ));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
        if !self.file.chars().all(plain)
            || self.file.starts_with('/')
            || self.file.contains("..")
            || !self.file.ends_with(".y")
        {
            return Err(format!(
                "`{}` is no probe file of this directory",
                self.file.escape_debug()
            ));
        }
        Ok(())
    }
}

impl Answerers {
    /// All that there are, and what is wrong with others. Of two folders with one name the first is used, in the order of `#include`.
    pub(super) fn find(include: &[PathBuf]) -> (Self, Vec<String>) {
        let mut found = Self::default();
        let mut problems = Vec::new();
        let mut known: Vec<String> = Vec::new();
        let mut folders: Vec<PathBuf> = Vec::new();
        for directory in include.iter().cloned().chain(library::search_paths()) {
            let mut here: Vec<PathBuf> = std::fs::read_dir(&directory)
                .into_iter()
                .flatten()
                .take(MOST_ENTRIES)
                .flatten()
                .map(|entry| entry.path())
                .collect();
            here.sort();
            folders.extend(here);
        }
        match PackageSet::find(Path::new(".")) {
            Ok(Some(set)) => {
                let packages = set.packages().iter();
                folders.extend(packages.filter_map(|package| set.place(&package.name)));
            }
            Ok(None) => {}
            Err(error) => problems.push(error.to_string()),
        }
        for folder in folders {
            let name = folder.file_name().and_then(|name| name.to_str());
            let Some(name) = name.filter(|name| is_plain(name)) else {
                continue;
            };
            let path = folder.join(FILE);
            // As for `#include`: what somebody's directory calls nginx is not that part of the library.
            let directory = folder.parent().unwrap_or(&folder);
            if library::is_shipped_folder(name) && !library::is_library(directory) {
                continue;
            }
            let text = match packages::read(&path) {
                Ok(Some(text)) => text,
                Ok(None) => continue,
                Err(error) => {
                    problems.push(error.to_string());
                    continue;
                }
            };
            if known.iter().any(|one| one == name) {
                continue;
            }
            known.push(name.to_owned());
            found.add(name, &text, &path.display().to_string(), &mut problems);
        }
        for (name, _) in library::shipped_folders() {
            if known.contains(&name) {
                continue;
            }
            let path = format!("{name}/{FILE}");
            if let Some(text) = library::shipped(&path) {
                found.add(&name, &Arc::from(text), &path, &mut problems);
            }
        }
        (found, problems)
    }

    fn add(&mut self, folder: &str, text: &Arc<str>, shown: &str, problems: &mut Vec<String>) {
        let file: PromptFile = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                problems.push(format!("{shown}: {}", error.message()));
                return;
            }
        };
        for (all, to) in [(file.what, &mut self.what), (file.heap, &mut self.heap)] {
            for mut one in all {
                folder.clone_into(&mut one.folder);
                match one.check() {
                    Ok(()) if to.len() < MOST_FUNCTIONS => to.push(one),
                    Ok(()) => problems.push(format!("{shown}: too many functions")),
                    Err(why) => problems.push(format!("{shown}: {why}")),
                }
            }
        }
    }

    /// Leaves those whose modules are there.
    pub(super) fn of_target(mut self, names: &Names) -> Self {
        self.what.retain(|one| one.has_modules(names));
        self.heap.retain(|one| one.has_modules(names));
        self
    }

    /// The text that includes their files as far as the symbols that they need are there, and that has the functions which call
    /// them all.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (index, one) in self.what.iter().chain(&self.heap).enumerate() {
            for (symbol, name) in one.symbols.iter().enumerate() {
                text.push_str(&format!(
                    "##ifdefvar {name}\n#define PROMPT_{index}_HAS_{symbol}\n##elifdeffunc {name}\n#define PROMPT_{index}_HAS_{symbol}\n##endif\n"
                ));
            }
            let mut conditions = String::from("1");
            for symbol in 0..one.symbols.len() {
                conditions.push_str(&format!(" && defined(PROMPT_{index}_HAS_{symbol})"));
            }
            text.push_str(&format!(
                "#if {conditions}\n#define PROMPT_{index}\n#include <{}>\n#endif\n",
                one.place()
            ));
        }
        let called = |indexed: &mut dyn Iterator<Item = (usize, &Answerer)>| {
            let mut text = String::new();
            for (index, one) in indexed {
                text.push_str(&format!(
                    "#ifdef PROMPT_{index}\n    _try {{ {}(); }} _catch (_fault f) {{ _warn(\"{}: %s\", f.message); }}\n#endif\n",
                    one.function,
                    one.place()
                ));
            }
            text
        };
        let first = self.what.len();
        let what = called(&mut self.what.iter().enumerate());
        let heap = called(
            &mut self
                .heap
                .iter()
                .enumerate()
                .map(|(index, one)| (first + index, one)),
        );
        let mut givers = String::new();
        for index in first..first + self.heap.len() {
            givers.push_str(&format!("#ifdef PROMPT_{index}\n    n++;\n#endif\n"));
        }
        text.push_str(&format!(
            "void prompt_ask_all(void) {{\n{what}}}\nvoid heap_give_all(void) {{\n{heap}}}\nint heap_givers(void) {{\n    int n = 0;\n{givers}    return n;\n}}\n"
        ));
        text
    }

    /// Each by itself.
    pub(super) fn alone(&self) -> impl Iterator<Item = (&Answerer, Self)> {
        let what = self.what.iter().map(|one| {
            let alone = Self {
                what: vec![one.clone()],
                heap: Vec::new(),
            };
            (one, alone)
        });
        let heap = self.heap.iter().map(|one| {
            let alone = Self {
                what: Vec::new(),
                heap: vec![one.clone()],
            };
            (one, alone)
        });
        what.chain(heap)
    }

    /// Without those of some files.
    pub(super) fn without(mut self, places: &[String]) -> Self {
        self.what.retain(|one| !places.contains(&one.place()));
        self.heap.retain(|one| !places.contains(&one.place()));
        self
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.what.is_empty() && self.heap.is_empty()
    }
}

/// Whether a folder can be named in an `#include`.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Answerers, Vec<String>) {
        let mut found = Answerers::default();
        let mut problems = Vec::new();
        found.add("mine", &Arc::from(text), "mine/prompt.toml", &mut problems);
        (found, problems)
    }

    #[test]
    fn the_shipped_files_are_right() {
        let (found, problems) = Answerers::find(&[]);
        assert_eq!(problems, [""; 0]);
        assert!(!found.what.is_empty() && !found.heap.is_empty());
        for one in found.what.iter().chain(&found.heap) {
            let place = one.place();
            let text = library::shipped(&place);
            let function = format!("void {}(void)", one.function);
            assert!(
                text.is_some_and(|text| text.contains(&function)),
                "{place}: {function}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("[[what]]\nfile = \"a.y\"", "missing field `function`"),
            (
                "[[what]]\nfile = \"../a.y\"\nfunction = \"f\"",
                "no probe file",
            ),
            (
                "[[what]]\nfile = \"a.y>\\n#\"\nfunction = \"f\"",
                "no probe file",
            ),
            (
                "[[heap]]\nfile = \"a.y\"\nfunction = \"f(); g\"",
                "no name of a function",
            ),
            (
                "[[what]]\nfile = \"a.y\"\nfunction = \"f\"\nsymbols = [\"a b\"]",
                "no name of a function",
            ),
            (
                "[[how]]\nfile = \"a.y\"\nfunction = \"f\"",
                "unknown field `how`",
            ),
        ] {
            let (found, problems) = read(text);
            assert!(found.is_empty(), "{text}");
            assert!(
                problems.iter().any(|problem| problem.contains(part)),
                "{text}: {problems:?}"
            );
        }
    }

    #[test]
    fn files_are_included_where_their_symbols_are() {
        let (found, problems) = read(
            "[[what]]\nsymbols = [\"a\", \"b\"]\nfile = \"x.y\"\nfunction = \"f\"\n[[heap]]\nfile = \"y.y\"\nfunction = \"g\"",
        );
        assert_eq!(problems, [""; 0]);
        let text = found.text();
        assert!(text.contains(
            "#if 1 && defined(PROMPT_0_HAS_0) && defined(PROMPT_0_HAS_1)\n#define PROMPT_0\n#include <mine/x.y>"
        ));
        assert!(text.contains("#if 1\n#define PROMPT_1\n#include <mine/y.y>"));
        assert_eq!(found.clone().without(&["mine/x.y".to_owned()]).what, []);
        assert_eq!(found.alone().count(), 2);
    }
}
