//! What can go wrong, always with the file and, where there is one, the offset.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::types::NameKind;

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate. Cheap to clone: results are cached and handed out again.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, examined or read.
    #[error("cannot read {}: {source}", path.display())]
    Open {
        /// The path as the caller's file provider was asked for it.
        path: PathBuf,
        /// The operating system's answer.
        source: Arc<io::Error>,
    },
    /// A path leads to a directory, a device, a pipe or a socket.
    #[error("{} is not a regular file", path.display())]
    NotRegular {
        /// The path.
        path: PathBuf,
    },
    /// A file, a section or a table is larger than this crate accepts.
    #[error("{}: {what} is too large: {size} (the limit is {limit})", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is too large.
        what: String,
        /// Its size, in the unit that `what` implies.
        size: u64,
        /// The limit in the same unit.
        limit: u64,
    },
    /// The file is not an ELF file that this crate reads, or its headers are damaged.
    #[error("{}: {reason}", path.display())]
    Elf {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A section's content cannot be had.
    #[error("{}: section {section}: {reason}", path.display())]
    Section {
        /// The file.
        path: PathBuf,
        /// The section's name.
        section: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The DWARF parser refused the data.
    #[error("{}: {section}+{offset:#x}: {source}", path.display())]
    Dwarf {
        /// The file.
        path: PathBuf,
        /// The section that was being read.
        section: &'static str,
        /// Offset in that section of the unit or entry that was being read, in bytes.
        offset: u64,
        /// The parser's reason.
        source: gimli::Error,
    },
    /// The line tables are damaged.
    #[error("{}: line information of address {address:#x}: {source}", path.display())]
    Lines {
        /// The file.
        path: PathBuf,
        /// The address that was looked up (svma).
        address: u64,
        /// The parser's reason.
        source: gimli::Error,
    },
    /// The data parse as DWARF but make no sense.
    #[error("{}: {section}+{offset:#x}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The section that was being read.
        section: &'static str,
        /// Offset of the entry, in bytes.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// Several definitions of one name differ, and nothing says which is meant.
    #[error("{}: {kind} {name} has {} different definitions: {}", path.display(), candidates.len(), list(candidates))]
    Ambiguous {
        /// The module.
        path: PathBuf,
        /// The kind that was looked up.
        kind: NameKind,
        /// The name that was looked up.
        name: String,
        /// One per distinct definition.
        candidates: Vec<Candidate>,
    },
    /// No compile unit of the module has the name that was asked for.
    #[error("{}: no compile unit is called {unit}", path.display())]
    NoSuchUnit {
        /// The module.
        path: PathBuf,
        /// The name that was asked for.
        unit: String,
        /// Names that look like it, best first.
        similar: Vec<String>,
    },
    /// A debug file given by the user belongs to another build.
    #[error("{} does not fit {}: {}", debug_file.display(), module.display(), differences.join("; "))]
    Misfit {
        /// The module.
        module: PathBuf,
        /// The file that the user named.
        debug_file: PathBuf,
        /// Each difference, as a short clause.
        differences: Vec<String>,
    },
    /// A types file cannot be used or made.
    #[error("{}: {reason}", path.display())]
    TypesFile {
        /// The types file, or the module that it was to be made of.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Reading the debug information took longer than the caller allows.
    #[error("{}: indexing its debug information took longer than {seconds} s and was given up", path.display())]
    IndexTimeout {
        /// The debug file.
        path: PathBuf,
        /// The limit in seconds.
        seconds: u64,
    },
}

/// One of several definitions that differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The compile unit that has it, as the compiler named it.
    pub unit: String,
    /// Its size in bytes, for types that have one; its address for variables and functions.
    pub detail: String,
}

fn list(candidates: &[Candidate]) -> String {
    let shown: Vec<String> = candidates
        .iter()
        .take(8)
        .map(|c| format!("{} ({})", c.unit, c.detail))
        .collect();
    shown.join(", ")
}
