//! Probe files: the library that ships inside the program, search paths, and who may write them.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use ytrace_lang::source::{LoadError, Loader, SourceFile};

use crate::packages::set::{self, PackageSet};
use crate::packages::{self, Package, PackageError, installed};

static STDLIB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../stdlib");
static PROBES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../probes");

/// The largest probe file that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;

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
        /// Probes that ship with ytrace.
        shipped: Vec<String>,
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
            ProbeFileError::NotFound { shipped, .. } => Some(format!(
                "probes that ship with ytrace: {}; `ytrace list` says what each is for",
                shipped.join(", ")
            )),
            ProbeFileError::Refused { .. } => None,
            ProbeFileError::Package(error) => error.hint.clone(),
        }
    }
}

/// Reads the main file of a run. Where there is no such file, `PACKAGE/NAME.y` is a probe of an installed package, and
/// `probes/NAME.y` and `NAME.y` are probes that ship inside the program.
///
/// # Errors
/// There is none, others can write it, or it is not what its package was when it was added.
pub fn main_file(path: &Path) -> Result<SourceFile, ProbeFileError> {
    let shown = path.display().to_string();
    match read_checked(path) {
        Ok(text) => {
            if let Ok(canonical) = std::fs::canonicalize(path) {
                set::check_file(&canonical, text.as_bytes())?;
                if let Some(package) = Package::around(&canonical)? {
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
            if let Some(found) = installed::resolve(path)? {
                return main_file(&found);
            }
            shipped_probe(path).ok_or_else(|| ProbeFileError::NotFound {
                path: shown,
                shipped: PROBES
                    .files()
                    .map(|file| format!("probes/{}", file.path().display()))
                    .collect(),
            })
        }
        Err(ReadFailure::Refused(reason)) => Err(ProbeFileError::Refused {
            path: shown,
            reason,
        }),
    }
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
            false => std::fs::canonicalize(&main.name)
                .ok()
                .filter(|path| path.is_file()),
        };
        library.set = PackageSet::for_file(file.as_deref()).transpose();
        if let Some(file) = &file {
            // What is wrong with it was said when the file was read.
            if let Ok(Some(package)) = Package::around(file) {
                library.used.insert(package.root.clone(), package.clone());
                library.own = Some(package);
            }
        }
        library
    }

    /// The packages that the files read so far belong to, the main file's included.
    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        self.used.values()
    }

    /// Where the packages have what `#include <name>` says: that of the main file itself, and those added.
    fn in_packages(&self, name: &str) -> Result<(Option<PathBuf>, Option<PathBuf>), PackageError> {
        let Some((first, rest)) = name.split_once('/') else {
            return Ok((None, None));
        };
        let own = self.own.as_ref();
        let own = own.filter(|package| package.manifest.name == first);
        let added = match &self.set {
            None => None,
            Some(Ok(set)) => set.place(first),
            Some(Err(_)) if is_shipped_folder(first) => None,
            Some(Err(error)) => return Err(error.clone()),
        };
        Ok((
            own.map(|package| package.root.join(rest)),
            added.map(|place| place.join(rest)),
        ))
    }

    /// Holds a file that was read against the hash of its package, and remembers the package.
    fn belongs(&mut self, path: &Path, text: &str) -> Result<(), PackageError> {
        set::check_file(path, text.as_bytes())?;
        let known = self.used.keys().any(|root| path.starts_with(root));
        if !known && let Some(package) = Package::around(path)? {
            packages::needs::check_version(&package)?;
            self.used.insert(package.root.clone(), package);
        }
        Ok(())
    }
}

impl Loader for Library {
    fn load(&mut self, name: &str, quoted: bool, from: &str) -> Result<SourceFile, LoadError> {
        let mut tried = Vec::new();
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
                    candidates.push(beside);
                }
            }
        }
        let refused = |error: PackageError| LoadError::Refused {
            name: error.place.clone(),
            reason: error.to_string(),
            hint: error.hint,
        };
        let (own, added) = self.in_packages(name).map_err(refused)?;
        candidates.extend(own);
        candidates.extend(self.paths.iter().map(|path| path.join(name)));
        candidates.extend(added);
        for path in candidates {
            let canonical = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
            let shown = canonical.display().to_string();
            if let Some(file) = self.cache.get(&shown) {
                return Ok(file.clone());
            }
            // Opening a pipe waits, opening some devices does things: an include names neither.
            let read = match std::fs::metadata(&canonical) {
                Ok(meta) if !meta.is_file() => {
                    Err(ReadFailure::Refused("is no regular file".to_owned()))
                }
                _ => read_checked(&canonical),
            };
            match read {
                Ok(text) => {
                    self.belongs(&canonical, &text).map_err(refused)?;
                    let file = SourceFile {
                        name: shown.clone(),
                        text,
                        library: false,
                    };
                    self.cache.insert(shown, file.clone());
                    return Ok(file);
                }
                Err(ReadFailure::Missing) => tried.push(path.display().to_string()),
                Err(ReadFailure::Refused(reason)) => {
                    return Err(LoadError::Refused {
                        name: shown,
                        reason,
                        hint: None,
                    });
                }
            }
        }
        if let Some(file) = normal(Path::new(name)).and_then(|path| shipped_file(&path)) {
            return Ok(file);
        }
        tried.push("the library that ships with ytrace".to_owned());
        Err(LoadError::NotFound {
            name: name.to_owned(),
            tried,
        })
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
fn normal(path: &Path) -> Option<PathBuf> {
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

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReadFailure {
    /// There is none.
    Missing,
    /// It is not to be read, or cannot be.
    Refused(String),
}

/// Reads a file that nobody else can write, nor put another in its place.
pub(crate) fn read_checked(path: &Path) -> Result<Arc<str>, ReadFailure> {
    let refused = |error: std::io::Error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            ReadFailure::Missing
        } else {
            ReadFailure::Refused(error.to_string())
        }
    };
    let file = std::fs::File::open(path).map_err(refused)?;
    let meta = file.metadata().map_err(refused)?;
    if meta.is_dir() {
        return Err(ReadFailure::Refused("is a directory".to_owned()));
    }
    if meta.is_file() {
        if let Some(reason) = writable_by_others(&meta) {
            return Err(ReadFailure::Refused(format!(
                "{reason}; a probe file that others can change is not run (chmod go-w)"
            )));
        }
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        check_directory(parent).map_err(|reason| {
            ReadFailure::Refused(format!("its directory {}: {reason}", parent.display()))
        })?;
    }
    if meta.len() > MAX_FILE {
        return Err(ReadFailure::Refused(format!(
            "is larger than {MAX_FILE} bytes"
        )));
    }
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_FILE + 1), &mut text)
        .map_err(refused)?;
    if text.len() as u64 > MAX_FILE {
        return Err(ReadFailure::Refused(format!(
            "is larger than {MAX_FILE} bytes"
        )));
    }
    String::from_utf8(text)
        .map(Arc::from)
        .map_err(|error| ReadFailure::Refused(format!("is not UTF-8: {error}")))
}

/// Tells whether nobody else can put other files into a directory in place of those that are there.
///
/// # Errors
/// Others can, or it cannot be looked at.
pub(crate) fn check_directory(path: &Path) -> Result<(), String> {
    match check_writers(path).map_err(|error| error.to_string())? {
        Some(reason) => Err(format!(
            "{reason}; a probe file that others can replace is not run (chmod go-w)"
        )),
        None => Ok(()),
    }
}

/// Why others can replace what is in a directory; `None` if they cannot.
pub(crate) fn check_writers(path: &Path) -> std::io::Result<Option<String>> {
    let meta = std::fs::metadata(path)?;
    // In a sticky directory such as /tmp nobody can replace another's file.
    Ok(match meta.mode() & 0o1000 {
        0 => writable_by_others(&meta),
        _ => None,
    })
}

/// Whether others can put files of theirs into a directory, even if they cannot replace what is there.
pub(crate) fn others_can_write(directory: &Path) -> bool {
    std::fs::metadata(directory).map_or(true, |meta| writable_by_others(&meta).is_some())
}

/// Why others can write a file or directory; `None` if they cannot.
pub(crate) fn writable_by_others(meta: &std::fs::Metadata) -> Option<String> {
    let mode = meta.mode();
    if mode & 0o002 != 0 {
        return Some(format!("everybody can write it (mode {:o})", mode & 0o7777));
    }
    // Many systems give each user a group of their own, with the user's number.
    if mode & 0o020 != 0 && meta.gid() != 0 && meta.gid() != meta.uid() {
        return Some(format!(
            "its group {} can write it (mode {:o})",
            meta.gid(),
            mode & 0o7777
        ));
    }
    None
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
