//! Probe files: the library that ships inside the program, and search paths.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use ytrace_lang::source::{LoadError, Loader, SourceFile};

use crate::packages::set::{self, PackageSet};
use crate::packages::{self, Package, PackageError, installed};
use crate::trusted::{self, ReadFailure};

static STDLIB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../stdlib");
static PROBES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../probes");

/// Whether the library that ships with ytrace has a folder of this name.
pub(crate) fn is_shipped_folder(name: &str) -> bool {
    STDLIB.get_dir(name).is_some()
}

/// The folders of the library that ships inside the program, each with its `.y` files, by name.
pub fn shipped_folders() -> Vec<(String, Vec<SourceFile>)> {
    let mut folders: Vec<_> = STDLIB
        .dirs()
        .map(|folder| {
            let mut files: Vec<SourceFile> = folder
                .files()
                .filter_map(|file| shipped_file(file.path()))
                .filter(|file| file.name.ends_with(".y"))
                .collect();
            files.sort_by(|a, b| a.name.cmp(&b.name));
            (folder.path().display().to_string(), files)
        })
        .collect();
    folders.sort_by(|a, b| a.0.cmp(&b.0));
    folders
}

/// What is in a folder of the library that ships inside the program, by its name with a slash at the end; folders with a slash, too.
pub(crate) fn shipped_names(folder: &str) -> Vec<String> {
    let dir = match folder.trim_end_matches('/') {
        "" => Some(&STDLIB),
        folder => STDLIB.get_dir(folder),
    };
    let entries = dir.map(Dir::entries).unwrap_or_default();
    let named = entries.iter().filter_map(|entry| {
        let name = entry.path().file_name()?.to_str()?;
        match entry.as_dir() {
            Some(_) => Some(format!("{name}/")),
            None => name.ends_with(".y").then(|| name.to_owned()),
        }
    });
    named.collect()
}

/// The probes that ship inside the program, by name.
pub fn shipped_probes() -> Vec<SourceFile> {
    let mut probes: Vec<SourceFile> = PROBES
        .files()
        .filter_map(|file| shipped_probe(file.path()))
        .collect();
    probes.sort_by(|a, b| a.name.cmp(&b.name));
    probes
}

/// A file of the library that ships inside the program, by its name below `stdlib/`.
pub fn shipped(name: &str) -> Option<&'static str> {
    STDLIB.get_file(name).and_then(|file| file.contents_utf8())
}

/// Why a probe file given on the command line could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ProbeFileError {
    /// No such file here, nor among the probes that ship with ytrace.
    #[error("no probe file {path}")]
    NotFound {
        /// As given.
        path: String,
        /// Probes of the package that the path begins with, else those that ship with ytrace.
        known: Vec<String>,
        /// That package.
        package: Option<String>,
    },
    /// It exists but will not be used.
    #[error("{path}: {reason}")]
    Refused {
        /// As given.
        path: String,
        /// Why.
        reason: String,
    },
    /// The package that it belongs to will not be used.
    #[error(transparent)]
    Package(#[from] PackageError),
}

impl ProbeFileError {
    /// What to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            ProbeFileError::NotFound { known, package, .. } => Some(format!(
                "{}: {}; `ytrace list` says what each is for",
                match package {
                    Some(package) => format!("probes of the package {package}"),
                    None => "probes that ship with ytrace".to_owned(),
                },
                known.join(", ")
            )),
            ProbeFileError::Refused { .. } => None,
            ProbeFileError::Package(error) => error.hint.clone(),
        }
    }
}

/// Reads the main file of a run. Where there is no such file, `probes/NAME.y` and `NAME.y` are probes that ship inside the program,
/// and `PACKAGE/NAME.y` is a probe of an installed package.
///
/// # Errors
/// There is none, others can write it, or it is not what its package was when it was added.
pub fn main_file(path: &Path) -> Result<SourceFile, ProbeFileError> {
    let shown = path.display().to_string();
    let refused = |reason: String| ProbeFileError::Refused {
        path: shown.clone(),
        reason,
    };
    match read_main(path) {
        Ok((text, place)) => {
            if let Some(place) = place {
                set::check_file(&place, text.as_bytes())?;
                if let Some(package) = Package::around(&place)? {
                    packages::needs::check_version(&package)?;
                }
            }
            Ok(SourceFile {
                name: shown,
                text,
                library: false,
            })
        }
        Err(ReadFailure::Missing) => {
            // What is in the current directory does not stand before these.
            if let Some(file) = shipped_probe(path) {
                return Ok(file);
            }
            if let Some(found) = installed::resolve(path)? {
                return main_file(&found);
            }
            Err(not_found(path))
        }
        Err(ReadFailure::Refused(reason)) => Err(refused(reason)),
    }
}

/// There is no such file: what there is instead.
fn not_found(path: &Path) -> ProbeFileError {
    let path = path.display().to_string();
    let package = path.split('/').next().unwrap_or_default().to_owned();
    let of_package = installed::installed().0.into_iter().filter(|probe| {
        let of = probe.package.as_ref();
        of.is_some_and(|(name, _)| *name == package)
    });
    let own: Vec<String> = of_package.map(|probe| probe.name).collect();
    if !own.is_empty() && path.contains('/') {
        return ProbeFileError::NotFound {
            path,
            known: own,
            package: Some(package),
        };
    }
    let shipped = PROBES.files();
    ProbeFileError::NotFound {
        path,
        known: shipped
            .map(|file| format!("probes/{}", file.path().display()))
            .collect(),
        package: None,
    }
}

/// Reads what was named, and tells where it lies; pipes, terminals and files without a name lie nowhere.
fn read_main(path: &Path) -> Result<(Arc<str>, Option<PathBuf>), ReadFailure> {
    let named = std::fs::metadata(path)?;
    if !named.is_file() || named.nlink() == 0 {
        let text = match trusted::descriptor(path) {
            Some(number) => trusted::read_descriptor(number)?,
            None => trusted::read_terminal(path)?,
        };
        return Ok((text, None));
    }
    let place = trusted::resolve(path)?;
    let found = std::fs::symlink_metadata(&place)?;
    // A path through /proc may lead elsewhere than its text says.
    if (found.dev(), found.ino()) != (named.dev(), named.ino()) {
        return Err(ReadFailure::Refused(
            "it cannot be told where it lies, and who can write there".to_owned(),
        ));
    }
    Ok((trusted::read(&place)?, Some(place)))
}

fn shipped_probe(path: &Path) -> Option<SourceFile> {
    let name = path.strip_prefix("probes").unwrap_or(path);
    let text = PROBES.get_file(name)?.contents_utf8()?;
    Some(SourceFile {
        name: format!("probes/{}", name.display()),
        text: Arc::from(text),
        library: false,
    })
}

/// The directories of `$YTRACE_PATH`.
pub(crate) fn search_paths() -> Vec<PathBuf> {
    let paths = std::env::var_os("YTRACE_PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .filter(|path| !path.as_os_str().is_empty())
        .collect()
}

/// Finds what `#include` names: beside the including file, in the package of the main file, on the search paths, among the packages
/// that were added, then among the files that ship inside the program.
#[derive(Debug, Default)]
pub struct Library {
    paths: Vec<PathBuf>,
    cache: HashMap<String, SourceFile>,
    /// The package that the main file lies in, with its canonical directory.
    own: Option<Package>,
    /// The packages that were added, or why they cannot be used.
    set: Option<Result<PackageSet, PackageError>>,
    /// Packages of which files were read, by their directories.
    used: BTreeMap<PathBuf, Package>,
    /// The directories that quoted names in files do not leave, by the names of these files: of their packages or search paths.
    homes: HashMap<String, PathBuf>,
    /// What was wrong with a package that a file was to be read of.
    refused: Option<PackageError>,
}

impl Library {
    /// A library for a main file, by its name, with search paths, the first one first: those given, then those of `$YTRACE_PATH`.
    pub fn new(include: &[PathBuf], main: &SourceFile) -> Self {
        let mut library = Self {
            paths: include.to_vec(),
            ..Self::default()
        };
        library.paths.extend(search_paths());
        // A probe that ships inside the program has a name like that of a file.
        let file = match main.library {
            true => None,
            false => trusted::resolve(Path::new(&main.name))
                .ok()
                .filter(|path| path.is_file()),
        };
        library.set = PackageSet::for_file(file.as_deref()).transpose();
        if let Some(file) = &file {
            // What is wrong with it was said when the file was read.
            if let Ok(Some(package)) = Package::around(file) {
                library.used.insert(package.root.clone(), package.clone());
                let root = package.root.clone();
                library.homes.insert(main.name.clone(), root);
                library.own = Some(package);
            }
        }
        library
    }

    /// The packages that the files read so far belong to, the main file's included.
    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        self.used.values()
    }

    /// Tells whether all packages that files were to be read of could be used.
    ///
    /// # Errors
    /// What is wrong with the first that could not.
    pub fn check_refused(&self) -> Result<(), PackageError> {
        self.refused.clone().map_or(Ok(()), Err)
    }

    /// Where to look for a file besides beside the including one, the first place first.
    fn elsewhere(&self, name: &Path) -> Result<Vec<Candidate>, PackageError> {
        let mut parts = name.components();
        let first = match parts.next() {
            Some(Component::Normal(first)) => first.to_str().unwrap_or_default(),
            _ => "",
        };
        let rest = parts.as_path();
        let own = self.own.as_ref();
        let own = own.filter(|package| package.manifest.name == first);
        let shipped = is_shipped_folder(first);
        let added = match &self.set {
            _ if rest.as_os_str().is_empty() => None,
            None => None,
            Some(Ok(set)) => set.place(first),
            Some(Err(_)) if shipped => None,
            Some(Err(error)) => return Err(error.clone()),
        };
        let mut candidates = Vec::new();
        let in_package = |root: PathBuf| Candidate {
            path: root.join(rest),
            bounds: Bounds::Within(root),
        };
        candidates.extend(own.map(|package| in_package(package.root.clone())));
        // What somebody's directory calls nginx is not that part of the library, unless the directory is a library.
        let paths = self
            .paths
            .iter()
            .filter(|path| !shipped || is_library(path));
        candidates.extend(paths.map(|path| Candidate {
            path: path.join(name),
            bounds: Bounds::SearchPath(path.clone()),
        }));
        candidates.extend(added.map(in_package));
        Ok(candidates)
    }

    /// Reads a file where one is. Gives `None` where there is none.
    fn read(&mut self, candidate: &Candidate) -> Result<Option<SourceFile>, Refusal> {
        let place = match trusted::resolve(&candidate.path) {
            Ok(place) => place,
            Err(ReadFailure::Missing) => return Ok(None),
            // A link where packages are: what is there is not what was added.
            Err(ReadFailure::Refused(reason)) => {
                let error = PackageError::new(&candidate.path, reason);
                return Err(Refusal::Package(error));
            }
        };
        if let Bounds::Within(home) = &candidate.bounds
            && !place.starts_with(home)
        {
            let reason = format!("lies outside of {}", home.display());
            return Err(Refusal::of(&place, reason)
                .hint("files of a package, and below a search path, include what lies there, or `<package/file.y>`"));
        }
        // A probe of a stranger names no other file of this machine, whose text would show in errors.
        if place.extension().is_none_or(|ending| ending != "y") {
            return Err(Refusal::of(&place, "is no probe file")
                .hint("files whose names end in .y can be included"));
        }
        let shown = place.display().to_string();
        if let Some(file) = self.cache.get(&shown) {
            return Ok(Some(file.clone()));
        }
        let text = match trusted::read(&place) {
            Ok(text) => text,
            Err(ReadFailure::Missing) => return Ok(None),
            Err(ReadFailure::Refused(reason)) => return Err(Refusal::of(&place, reason)),
        };
        let home = match self.belongs(&place, &text).map_err(Refusal::Package)? {
            Some(root) => Some(root),
            None => candidate.bounds.home(&place),
        };
        if let Some(home) = home {
            self.homes.insert(shown.clone(), home);
        }
        let file = SourceFile {
            name: shown.clone(),
            text,
            library: false,
        };
        self.cache.insert(shown, file.clone());
        Ok(Some(file))
    }

    /// Holds a file that was read against the hash of its package, and remembers the package, whose directory is given.
    fn belongs(&mut self, path: &Path, text: &str) -> Result<Option<PathBuf>, PackageError> {
        set::check_file(path, text.as_bytes())?;
        let Some(package) = Package::around(path)? else {
            return Ok(None);
        };
        let root = package.root.clone();
        if !self.used.contains_key(&root) {
            packages::needs::check_version(&package)?;
            self.used.insert(root.clone(), package);
        }
        Ok(Some(root))
    }

    fn find(&mut self, name: &str, quoted: bool, from: &str) -> Result<SourceFile, Refusal> {
        let path = Path::new(name);
        if path.is_absolute() {
            return Err(Refusal::of(path, "is an absolute name").hint(
                "-I DIR is for directories elsewhere; a quoted name is relative to its file",
            ));
        }
        let mut candidates = Vec::new();
        if quoted {
            match from.strip_prefix(SHIPPED) {
                // A file of the shipped library finds its neighbours there.
                Some(inside) => {
                    let beside = Path::new(inside)
                        .parent()
                        .unwrap_or(Path::new(""))
                        .join(name);
                    if let Some(file) = normal(&beside).and_then(|path| shipped_file(&path)) {
                        return Ok(file);
                    }
                }
                None => {
                    let beside = Path::new(from).parent().unwrap_or(Path::new("")).join(name);
                    // So does a probe that ships with ytrace.
                    let shipped = shipped_probe(Path::new(from)).is_some();
                    if shipped && !Path::new(from).exists() {
                        let probe = normal(&beside).and_then(|path| shipped_probe(&path));
                        if let Some(file) = probe {
                            return Ok(file);
                        }
                    }
                    candidates.push(Candidate {
                        path: beside,
                        bounds: match self.homes.get(from) {
                            Some(home) => Bounds::Within(home.clone()),
                            None => Bounds::None,
                        },
                    });
                }
            }
        }
        match stays_in_its_first_part(path) {
            true => candidates.extend(self.elsewhere(path).map_err(Refusal::Package)?),
            false if quoted => {}
            false => {
                return Err(Refusal::of(
                    path,
                    "leaves the directory that it begins with",
                ));
            }
        }
        let mut tried = Vec::new();
        for candidate in candidates {
            match self.read(&candidate)? {
                Some(file) => return Ok(file),
                None => tried.push(candidate.path.display().to_string()),
            }
        }
        if let Some(file) = normal(path).and_then(|path| shipped_file(&path)) {
            return Ok(file);
        }
        tried.push("the library that ships with ytrace".to_owned());
        Err(Refusal::Load(LoadError::NotFound {
            name: name.to_owned(),
            tried,
        }))
    }
}

/// A place where an included file may be.
struct Candidate {
    path: PathBuf,
    bounds: Bounds,
}

/// Where an included file may lie, links followed.
enum Bounds {
    /// Anywhere.
    None,
    /// Below this directory, without links.
    Within(PathBuf),
    /// Anywhere, for who names a search path may have links in it.
    SearchPath(PathBuf),
}

impl Bounds {
    /// The directory that quoted names in a file that was found do not leave.
    fn home(&self, place: &Path) -> Option<PathBuf> {
        match self {
            Bounds::None => None,
            Bounds::Within(home) => Some(home.clone()),
            Bounds::SearchPath(path) => trusted::resolve(path)
                .ok()
                .filter(|path| place.starts_with(path)),
        }
    }
}

/// Why a file was not included.
enum Refusal {
    Load(LoadError),
    Package(PackageError),
}

impl Refusal {
    fn of(path: &Path, reason: impl Into<String>) -> Self {
        Refusal::Load(LoadError::Refused {
            name: path.display().to_string(),
            reason: reason.into(),
            hint: None,
        })
    }

    fn hint(mut self, text: &str) -> Self {
        if let Refusal::Load(LoadError::Refused { hint, .. }) = &mut self {
            *hint = Some(text.to_owned());
        }
        self
    }
}

impl Loader for Library {
    fn load(&mut self, name: &str, quoted: bool, from: &str) -> Result<SourceFile, LoadError> {
        self.find(name, quoted, from).map_err(|why| match why {
            Refusal::Load(error) => error,
            Refusal::Package(error) => {
                self.refused.get_or_insert_with(|| error.clone());
                LoadError::Refused {
                    name: error.place.clone(),
                    reason: error.to_string(),
                    hint: error.hint,
                }
            }
        })
    }
}

/// Whether a directory has all folders of the library that ships with ytrace, and so may stand in for it.
pub(crate) fn is_library(directory: &Path) -> bool {
    STDLIB
        .dirs()
        .all(|folder| directory.join(folder.path()).is_dir())
}

/// Whether `..` in a relative name leads no further up than to its first part.
fn stays_in_its_first_part(name: &Path) -> bool {
    let mut parts = name.components().filter(|part| *part != Component::CurDir);
    match parts.next() {
        Some(Component::Normal(_)) => normal(&parts.collect::<PathBuf>()).is_some(),
        _ => false,
    }
}

/// How the names of shipped files begin, so that no file on disk can be taken for one.
const SHIPPED: &str = "<ytrace>/";

fn shipped_file(path: &Path) -> Option<SourceFile> {
    let text = STDLIB.get_file(path)?.contents_utf8()?;
    Some(SourceFile {
        name: format!("{SHIPPED}{}", path.display()),
        text: Arc::from(text),
        library: true,
    })
}

/// The path without `.` and `..`; `None` if it leaves the root or is absolute.
pub(crate) fn normal(path: &Path) -> Option<PathBuf> {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => result.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !result.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_that_others_can_write_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("p.y");
        std::fs::write(&path, "int x;").unwrap();
        assert!(main_file(&path).is_ok());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let error = main_file(&path).unwrap_err();
        assert!(
            error.to_string().contains("everybody can write it"),
            "{error}"
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let error = main_file(&path).unwrap_err();
        assert!(error.to_string().contains("its directory"), "{error}");
    }

    #[test]
    fn includes_do_not_leave_the_shipped_library() {
        assert_eq!(normal(Path::new("a/../../b")), None);
        assert_eq!(normal(Path::new("/etc/passwd")), None);
        assert_eq!(normal(Path::new("a/./../b.y")), Some(PathBuf::from("b.y")));
    }

    #[test]
    fn a_shipped_probe_finds_those_beside_it() {
        let mut library = Library::default();
        // Tests run in the crate's own directory, which has no probes.
        let file = library
            .load(
                "c-memory-leak-fgraph.y",
                true,
                "probes/lua-memory-leak-fgraph.y",
            )
            .unwrap();
        assert_eq!(file.name, "probes/c-memory-leak-fgraph.y");
        assert!(
            library
                .load("c-memory-leak-fgraph.y", true, "probes/x.y")
                .is_err()
        );
    }

    #[test]
    fn an_include_is_a_regular_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut library = Library {
            paths: vec![directory.path().to_owned()],
            ..Library::default()
        };
        nix::unistd::mkfifo(
            &directory.path().join("pipe.y"),
            nix::sys::stat::Mode::S_IRWXU,
        )
        .unwrap();
        for name in ["pipe.y", "/dev/null", ".."] {
            let error = library.load(name, false, "x.y").unwrap_err();
            assert!(
                matches!(error, LoadError::Refused { .. }),
                "{name}: {error:?}"
            );
        }
    }

    #[test]
    fn a_missing_include_says_where_it_was_looked_for() {
        let directory = tempfile::tempdir().unwrap();
        let mut library = Library {
            paths: vec![directory.path().to_owned()],
            ..Library::default()
        };
        let LoadError::NotFound { tried, .. } =
            library.load("no/such.y", false, "x.y").unwrap_err()
        else {
            panic!("wrong error");
        };
        assert_eq!(tried.len(), 2);
    }
}
