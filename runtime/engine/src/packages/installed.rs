//! Probes that can be run by name: those that ship with ytrace, those of packages that were added, and of packages on `$YTRACE_PATH`.

use std::path::{Component, Path, PathBuf};

use super::manifest::MANIFEST;
use super::set::PackageSet;
use super::{Package, PackageError};
use crate::library;

/// The most entries of one directory of `$YTRACE_PATH` that are looked at.
const MOST_ENTRIES: usize = 10_000;

/// A probe that `ytrace run NAME` finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledProbe {
    /// What to call it: `probes/cpu-profile.y`, `mine/items.y`.
    pub name: String,
    /// The package and its version; none for probes that ship with ytrace.
    pub package: Option<(String, semver::Version)>,
    /// What it is for: the first sentence of its `///` text.
    pub about: String,
}

/// All probes that are installed, by name, and what kept others from being listed.
pub fn installed() -> (Vec<InstalledProbe>, Vec<PackageError>) {
    let mut probes: Vec<InstalledProbe> = library::shipped_probes()
        .iter()
        .map(|file| InstalledProbe {
            name: file.name.clone(),
            package: None,
            about: about(&file.text),
        })
        .collect();
    let (packages, mut problems) = packages();
    for package in packages {
        match probes_of(&package) {
            Ok(found) => probes.extend(found),
            Err(error) => problems.push(error),
        }
    }
    (probes, problems)
}

/// The packages that were added to the current directory, then those on `$YTRACE_PATH`; and what is wrong with others.
pub fn packages() -> (Vec<Package>, Vec<PackageError>) {
    let mut roots = Vec::new();
    let mut problems = Vec::new();
    match PackageSet::here(None) {
        Ok(Some(set)) => {
            let names = set.packages().iter();
            roots.extend(names.filter_map(|package| set.place(&package.name)));
            problems.extend(set.verify().err());
        }
        Ok(None) => {}
        Err(error) => problems.push(error),
    }
    for directory in library::search_paths() {
        let mut found: Vec<PathBuf> = std::fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .take(MOST_ENTRIES)
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.join(MANIFEST).is_file())
            .collect();
        found.sort();
        roots.extend(found);
    }
    let mut packages: Vec<Package> = Vec::new();
    for root in roots {
        match open(&root) {
            // The first is the one that is used.
            Ok(package)
                if packages
                    .iter()
                    .all(|p| p.manifest.name != package.manifest.name) =>
            {
                packages.push(package);
            }
            Ok(_) => {}
            Err(error) => problems.push(error),
        }
    }
    (packages, problems)
}

/// Opens a package where it is found by its name, which is then that of its directory.
fn open(root: &Path) -> Result<Package, PackageError> {
    let package = Package::open(root)?;
    let name = &package.manifest.name;
    match root
        .file_name()
        .is_some_and(|directory| directory == name.as_str())
    {
        true => Ok(package),
        false => Err(PackageError::new(
            root,
            format!("its manifest calls it `{name}`, and it is found by the name of its directory"),
        )
        .hint("rename the directory, or change the name in its manifest")),
    }
}

/// The probes of a package.
///
/// # Errors
/// One cannot be read, or is not what was added.
fn probes_of(package: &Package) -> Result<Vec<InstalledProbe>, PackageError> {
    let mut probes = Vec::new();
    for file in package.probe_files()? {
        let path = package.root.join(&file);
        let main = library::main_file(&path).map_err(|error| PackageError {
            hint: error.hint(),
            ..PackageError::new(&package.root, error)
        })?;
        let name = file.strip_prefix("probes").unwrap_or(&file);
        probes.push(InstalledProbe {
            name: format!("{}/{}", package.manifest.name, name.display()),
            package: Some((
                package.manifest.name.clone(),
                package.manifest.version.clone(),
            )),
            about: about(&main.text),
        });
    }
    Ok(probes)
}

/// The file that `PACKAGE/NAME.y` stands for, if a package is installed that has it.
///
/// # Errors
/// A package is installed and cannot be used.
pub(crate) fn resolve(path: &Path) -> Result<Option<PathBuf>, PackageError> {
    let plain = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let mut parts = path.components();
    let Some(first) = parts.next().filter(|_| plain) else {
        return Ok(None);
    };
    let rest = parts.as_path();
    let Some(name) = first.as_os_str().to_str() else {
        return Ok(None);
    };
    if rest.as_os_str().is_empty() {
        return Ok(None);
    }
    let added = PackageSet::here(Some(name))?.and_then(|set| set.place(name));
    let others = library::search_paths()
        .into_iter()
        .map(|path| path.join(name));
    for root in added.into_iter().chain(others) {
        if !root.join(MANIFEST).is_file() {
            continue;
        }
        let files = [root.join("probes").join(rest), root.join(rest)];
        if let Some(file) = files.into_iter().find(|file| file.is_file()) {
            open(&root)?;
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// What a probe file is for: the first sentence of the `///` lines that it begins with.
pub fn about(text: &str) -> String {
    let text = ytrace_lang::document::introduction(text).unwrap_or_default();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let line = paragraph.replace('\n', " ");
    // A sentence ends with a full stop before a space: names of files have dots, too.
    match line.split_once(". ") {
        Some((first, _)) => first.trim().to_owned(),
        None => line.trim().trim_end_matches('.').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_probe_says_what_it_is_for() {
        let (probes, _) = installed();
        assert!(probes.len() > 10);
        for probe in probes {
            assert!(probe.about.len() > 10, "{probe:?}");
            assert!(!probe.about.ends_with('.'), "{probe:?}");
        }
    }

    #[test]
    fn a_first_sentence() {
        assert_eq!(
            about("#!/x\n/// Reads a.y and b. More.\n"),
            "Reads a.y and b"
        );
        assert_eq!(about("/// One\n/// two.\n///\n/// Three.\n"), "One two");
        assert_eq!(about("int a;"), "");
    }
}
