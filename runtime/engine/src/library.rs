//! Probe files: the library that ships inside the program, search paths, and who may write them.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use ytrace_lang::source::{LoadError, Loader, SourceFile};

static STDLIB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../stdlib");
static PROBES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../probes");

/// The largest probe file that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;

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
}

/// Reads the main file of a run. `probes/NAME.y` and `NAME.y` fall back to the probes that ship
/// inside the program when no such file exists.
pub fn main_file(path: &Path) -> Result<SourceFile, ProbeFileError> {
    let shown = path.display().to_string();
    match read_checked(path) {
        Ok(text) => Ok(SourceFile {
            name: shown,
            text,
            library: false,
        }),
        Err(ReadFailure::Missing) => shipped_probe(path).ok_or_else(|| ProbeFileError::NotFound {
            path: shown,
            shipped: PROBES
                .files()
                .map(|file| format!("probes/{}", file.path().display()))
                .collect(),
        }),
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

/// Finds what `#include` names: beside the including file, on the search paths, then among the
/// files that ship inside the program.
#[derive(Debug, Default)]
pub struct Library {
    paths: Vec<PathBuf>,
    cache: HashMap<String, SourceFile>,
}

impl Library {
    /// A library with search paths, the first one first: those given, then those of
    /// `$YTRACE_PATH`.
    pub fn new(include: &[PathBuf]) -> Self {
        let mut paths = include.to_vec();
        if let Some(more) = std::env::var_os("YTRACE_PATH") {
            paths.extend(std::env::split_paths(&more).filter(|path| !path.as_os_str().is_empty()));
        }
        Self {
            paths,
            cache: HashMap::new(),
        }
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
                    candidates.push(Path::new(from).parent().unwrap_or(Path::new("")).join(name))
                }
            }
        }
        candidates.extend(self.paths.iter().map(|path| path.join(name)));
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

enum ReadFailure {
    Missing,
    Refused(String),
}

/// Reads a file that nobody else can write, nor put another in its place.
fn read_checked(path: &Path) -> Result<Arc<str>, ReadFailure> {
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
        let directory = std::fs::metadata(parent).map_err(refused)?;
        // In a sticky directory such as /tmp nobody can replace another's file.
        if directory.mode() & 0o1000 == 0
            && let Some(reason) = writable_by_others(&directory)
        {
            return Err(ReadFailure::Refused(format!(
                "its directory {}: {reason}; a probe file that others can replace is not run (chmod go-w)",
                parent.display()
            )));
        }
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

fn writable_by_others(meta: &std::fs::Metadata) -> Option<String> {
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
    fn an_include_is_a_regular_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut library = Library {
            paths: vec![directory.path().to_owned()],
            cache: HashMap::new(),
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
            cache: HashMap::new(),
        };
        let LoadError::NotFound { tried, .. } =
            library.load("no/such.y", false, "x.y").unwrap_err()
        else {
            panic!("wrong error");
        };
        assert_eq!(tried.len(), 2);
    }
}
