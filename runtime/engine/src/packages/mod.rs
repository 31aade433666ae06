//! Packages: directories of probe files that are passed on, with what they need, tests, and a lock file that holds them to what was
//! looked at when they were added.

pub mod contents;
pub mod installed;
pub mod manifest;
pub mod needs;
pub mod reference;
pub mod runner;
pub mod set;
pub mod skeleton;
mod strays;
pub mod suite;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use contents::{Contents, Digest};
pub use manifest::{MANIFEST, Manifest, Requirements};

use crate::trusted::{self, ReadFailure};

/// What is wrong with a package, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct PackageError {
    /// The file or directory.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
    /// What to do.
    pub hint: Option<String>,
}

impl PackageError {
    pub(crate) fn new(place: &Path, reason: impl std::fmt::Display) -> Self {
        Self {
            place: place.display().to_string(),
            reason: reason.to_string(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Reads a file of a package, which is what was added if the package was. Gives `None` where there is none.
///
/// # Errors
/// Others can write it, it cannot be read, or it is not what was added.
pub(crate) fn read(path: &Path) -> Result<Option<Arc<str>>, PackageError> {
    let text = trusted::resolve(path).and_then(|place| Ok((trusted::read(&place)?, place)));
    match text {
        Ok((text, place)) => {
            set::check_file(&place, text.as_bytes())?;
            Ok(Some(text))
        }
        Err(ReadFailure::Missing) => Ok(None),
        Err(ReadFailure::Refused(reason)) => Err(PackageError::new(path, reason)),
    }
}

/// Reads TOML.
///
/// # Errors
/// What is wrong, on one line, with the line of the text.
fn from_toml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let message = error.message().trim().replace('\n', "; ");
        match error.span() {
            Some(span) => {
                let before = text.get(..span.start).unwrap_or(text);
                format!("line {}: {message}", before.matches('\n').count() + 1)
            }
            None => message,
        }
    })
}

/// A directory with a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Where it is.
    pub root: PathBuf,
    /// What its manifest says.
    pub manifest: Manifest,
}

impl Package {
    /// Opens the package in a directory: reads its manifest, which nobody else may be able to write.
    ///
    /// # Errors
    /// There is no manifest, others can write it, it is wrong, or it is not what was added.
    pub fn open(root: &Path) -> Result<Self, PackageError> {
        let path = root.join(MANIFEST);
        let Some(text) = read(&path)? else {
            let reason = format!("is no package: there is no {MANIFEST}");
            return Err(PackageError::new(root, reason)
                .hint(format!("`ytrace new {}` makes a package", root.display())));
        };
        let manifest = manifest::parse(&text).map_err(|reason| {
            PackageError::new(&path, reason).hint("docs/packages.md says what a manifest holds")
        })?;
        Ok(Self {
            root: root.to_owned(),
            manifest,
        })
    }

    /// The package that a file lies in: of the nearest directory above it that has a manifest. `path` is canonical.
    ///
    /// # Errors
    /// There is a manifest, and it cannot be used.
    pub fn around(path: &Path) -> Result<Option<Self>, PackageError> {
        for directory in path.ancestors().skip(1) {
            let Ok(meta) = directory.join(MANIFEST).symlink_metadata() else {
                continue;
            };
            // Where everybody may put files, as in /tmp, a stranger's manifest is nobody's.
            let strange = trusted::is_shared(directory) && !trusted::is_own(meta.uid());
            if !strange && !meta.is_dir() {
                return Self::open(directory).map(Some);
            }
        }
        Ok(None)
    }

    /// The probe files of the package by their paths below it: those in `probes`.
    ///
    /// # Errors
    /// The directory cannot be read, or a file is refused.
    pub fn probe_files(&self) -> Result<Vec<PathBuf>, PackageError> {
        let mut found = Vec::new();
        for name in contents::names(&self.root)? {
            let path = PathBuf::from(name);
            let ends = path.extension().is_some_and(|ending| ending == "y");
            if ends && path.starts_with("probes") {
                found.push(path);
            }
        }
        Ok(found)
    }
}
