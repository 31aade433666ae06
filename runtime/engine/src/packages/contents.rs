//! The files of a package and their hashes.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::PackageError;
use super::set::{FOLDER, LOCK};
use crate::trusted::{self, ReadFailure};

/// The most files of a package.
const MOST_FILES: usize = 10_000;

/// The most bytes of a package: core files for its tests may be among them.
const MOST_BYTES: u64 = 1 << 30;

/// How deep directories may lie in one another.
const DEEPEST: usize = 32;

/// The SHA-256 of some bytes, as `sha256:` and 64 digits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, PartialOrd, Ord)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The hash of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_hash(Sha256::digest(bytes).as_slice())
    }

    fn from_hash(hash: &[u8]) -> Self {
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("sha256:{digits}"))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The files of a package, by their paths below it with `/`, with their hashes. Names that begin with a dot are no part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Paths and hashes.
    pub files: BTreeMap<String, Digest>,
}

impl Contents {
    /// Reads all files of a directory.
    ///
    /// # Errors
    /// One cannot be read, is a link or no regular file, can be written by others, or there are too many; or it holds packages itself.
    pub fn of(root: &Path) -> Result<Self, PackageError> {
        let mut files = BTreeMap::new();
        let mut bytes = 0u64;
        // Its own lock file would stand before the one that it is held to.
        for name in [FOLDER, LOCK] {
            let path = root.join(name);
            if path.symlink_metadata().is_ok() {
                return Err(holds_packages(&path));
            }
        }
        for name in names(root)? {
            let (digest, length) = hash_file(&root.join(&name), MOST_BYTES - bytes)?;
            bytes = bytes.saturating_add(length);
            files.insert(name, digest);
        }
        Ok(Self { files })
    }

    /// The hash of all names and hashes.
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        for (name, digest) in &self.files {
            // Neither can hold a line end: names with one are refused.
            hash.update(format!("{digest}  {name}\n"));
        }
        Digest::from_hash(hash.finalize().as_slice())
    }

    /// What differs from other contents, a line for each file.
    pub fn differences(&self, other: &Contents) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, digest) in &self.files {
            match other.files.get(name) {
                None => lines.push(format!("{name} is missing")),
                Some(theirs) if theirs != digest => lines.push(format!("{name} has changed")),
                Some(_) => {}
            }
        }
        for name in other.files.keys() {
            if !self.files.contains_key(name) {
                lines.push(format!("{name} is new"));
            }
        }
        lines
    }
}

/// What lies below a package's directory under a name that begins with a dot, and so is no part of the package: a line for each.
///
/// # Errors
/// A directory cannot be read.
pub fn hidden(root: &Path) -> Result<Vec<String>, PackageError> {
    let mut lines = Vec::new();
    let mut pending = vec![(root.to_owned(), 0usize)];
    while let Some((directory, depth)) = pending.pop() {
        let failed = |error| PackageError::new(&directory, error);
        for entry in std::fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                let below = path.strip_prefix(root).unwrap_or(&path);
                lines.push(format!("{} is new", below.display()));
            } else if depth < DEEPEST && entry.file_type().map_err(failed)?.is_dir() {
                pending.push((path, depth + 1));
            }
        }
    }
    lines.sort();
    Ok(lines)
}

fn holds_packages(path: &Path) -> PackageError {
    PackageError::new(path, "is no part of a package: packages hold no packages")
        .hint("what it needs is added to the directory that it is added to, with `ytrace add DIR`")
}

/// The paths of all files of a package below it, sorted. Names that begin with a dot are no part of it, nor are, in its own directory, the
/// packages that whoever writes it has added there.
///
/// # Errors
/// A directory cannot be read, or others can write it; something is a link or no regular file; or there are too many.
pub fn names(root: &Path) -> Result<Vec<String>, PackageError> {
    let mut names = Vec::new();
    let mut pending = vec![(root.to_owned(), 0usize)];
    trusted::check_directories(root)
        .map_err(|(directory, reason)| PackageError::new(&directory, reason))?;
    while let Some((directory, depth)) = pending.pop() {
        trusted::check_directory(&directory)
            .map_err(|reason| PackageError::new(&directory, reason))?;
        let entries =
            std::fs::read_dir(&directory).map_err(|error| PackageError::new(&directory, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| PackageError::new(&directory, error))?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.file_name() == FOLDER || entry.file_name() == LOCK {
                match depth {
                    0 => continue,
                    _ => return Err(holds_packages(&path)),
                }
            }
            let kind = entry
                .file_type()
                .map_err(|error| PackageError::new(&path, error))?;
            if kind.is_dir() {
                if depth >= DEEPEST {
                    return Err(PackageError::new(
                        &path,
                        format!("lies in more than {DEEPEST} directories of a package"),
                    ));
                }
                pending.push((path, depth + 1));
            } else if kind.is_file() {
                names.push(name_below(root, &path)?);
            } else {
                return Err(PackageError::new(
                    &path,
                    "is no regular file, and a package has nothing else",
                ));
            }
            if names.len() > MOST_FILES || pending.len() > MOST_FILES {
                return Err(PackageError::new(
                    root,
                    format!("has more than {MOST_FILES} files"),
                ));
            }
        }
    }
    names.sort();
    Ok(names)
}

/// The path of a file below a directory, with `/`.
fn name_below(root: &Path, path: &Path) -> Result<String, PackageError> {
    let below = path.strip_prefix(root).unwrap_or(path);
    match below.to_str() {
        Some(name) if !name.chars().any(char::is_control) => Ok(name.to_owned()),
        _ => Err(PackageError::new(path, "has a name that is not plain text")),
    }
}

/// Opens a file of a package.
fn open(path: &Path) -> Result<(File, Metadata), PackageError> {
    let (file, meta) = trusted::open(path).map_err(|failure| match failure {
        ReadFailure::Missing => PackageError::new(path, "has gone meanwhile"),
        ReadFailure::Refused(reason) => PackageError::new(path, reason),
    })?;
    if meta.mode() & 0o6000 != 0 {
        let reason = format!(
            "runs with the rights of its owner or group, whoever starts it (mode {:o})",
            meta.mode() & 0o7777
        );
        return Err(PackageError::new(path, reason).hint("chmod ug-s"));
    }
    Ok((file, meta))
}

/// The hash of a file that nobody else can write, and its length.
fn hash_file(path: &Path, most: u64) -> Result<(Digest, u64), PackageError> {
    let (file, _) = open(path)?;
    copy_bytes(path, file, &mut std::io::sink(), most)
}

/// Copies an open file. Gives the hash of what was copied, and its length.
fn copy_bytes(
    path: &Path,
    file: File,
    to: &mut dyn Write,
    most: u64,
) -> Result<(Digest, u64), PackageError> {
    let wrong = |error: std::io::Error| PackageError::new(path, error);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut file = file.take(most.saturating_add(1));
    let mut length = 0u64;
    loop {
        let count = file.read(&mut buffer).map_err(wrong)?;
        if count == 0 {
            break;
        }
        length += count as u64;
        let read = buffer.get(..count).unwrap_or_default();
        hash.update(read);
        to.write_all(read).map_err(wrong)?;
    }
    if length > most {
        return Err(PackageError::new(
            path,
            format!("makes the package larger than {MOST_BYTES} bytes"),
        ));
    }
    Ok((Digest::from_hash(hash.finalize().as_slice()), length))
}

/// Copies the files of `contents` from one directory to another that does not exist yet, and holds the copies against the hashes. Of their
/// modes only that they can be run is kept.
///
/// # Errors
/// A file cannot be copied, or changed meanwhile.
pub(super) fn copy(contents: &Contents, from: &Path, to: &Path) -> Result<(), PackageError> {
    let failed = |path: &Path, error: std::io::Error| PackageError::new(path, error);
    make_directory(to).map_err(|error| failed(to, error))?;
    for (name, digest) in &contents.files {
        let (source, copy) = (from.join(name), to.join(name));
        if let Some(parent) = copy.parent() {
            make_directories(parent).map_err(|error| failed(parent, error))?;
        }
        let (file, meta) = open(&source)?;
        let mode = match meta.mode() & 0o111 {
            0 => 0o644,
            _ => 0o755,
        };
        let mut written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&copy)
            .map_err(|error| failed(&copy, error))?;
        let (copied, _) = copy_bytes(&source, file, &mut written, MOST_BYTES)?;
        if copied != *digest {
            return Err(PackageError::new(&source, "changed while it was copied"));
        }
    }
    Ok(())
}

/// Makes a directory, and those that it lies in, that nobody else can write, whatever the umask is.
pub(super) fn make_directories(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
}

/// Makes a directory that nobody else can write, whatever the umask is.
pub(super) fn make_directory(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o755).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_names_and_bytes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("lib")).unwrap();
        std::fs::write(folder.path().join("lib/a.y"), "int a;").unwrap();
        std::fs::write(folder.path().join(".hidden"), "x").unwrap();
        let first = Contents::of(folder.path()).unwrap();
        assert_eq!(first.files.keys().collect::<Vec<_>>(), ["lib/a.y"]);
        // What sha256sum says of these six bytes.
        assert_eq!(
            first.files["lib/a.y"].to_string(),
            "sha256:68ee7ca0e099b2c45f613f363e4911edbf3f696a3569f0ca666d433db8503c90"
        );
        std::fs::rename(folder.path().join("lib/a.y"), folder.path().join("lib/b.y")).unwrap();
        let second = Contents::of(folder.path()).unwrap();
        assert_ne!(first.digest(), second.digest());
        assert_eq!(
            first.differences(&second),
            ["lib/a.y is missing", "lib/b.y is new"]
        );
    }

    #[test]
    fn links_are_no_part_of_a_package() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("a.y")).unwrap();
        let error = Contents::of(folder.path()).unwrap_err();
        assert!(error.reason.contains("no regular file"), "{error}");
    }
}
