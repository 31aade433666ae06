//! Why a core file cannot be used, or a file that it names.

use std::path::PathBuf;

use nix::errno::Errno;
use thiserror::Error;

/// A core file cannot be used.
#[derive(Clone, Debug, Error)]
pub enum CoreError {
    /// The file cannot be opened or read.
    #[error("{}: {errno}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error.
        errno: Errno,
    },
    /// It is no regular file.
    #[error("{} is {what}, not a core file", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// It is compressed in a way that is not read here.
    #[error("{} is compressed ({format})", path.display())]
    Compressed {
        /// The file.
        path: PathBuf,
        /// The format.
        format: &'static str,
        /// The command that decompresses.
        command: &'static str,
    },
    /// It unpacks to more than it may.
    #[error("{} decompresses to more than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes that it may come to.
        limit: u64,
    },
    /// What it unpacks to cannot be stored.
    #[error("{} cannot be decompressed: a temporary file in {}: {errno}", path.display(), folder.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// Where the temporary file was to be.
        folder: PathBuf,
        /// The error.
        errno: Errno,
    },
    /// The user ended it while it was being opened.
    #[error("interrupted while {} was being opened", path.display())]
    Interrupted {
        /// The file.
        path: PathBuf,
    },
    /// It is something else.
    #[error("{} is not a core file: {what}", path.display())]
    NotCore {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// It is of a machine that this build of ytrace does not know.
    #[error("{} is a core file of {machine}, and this ytrace is for {}", path.display(), std::env::consts::ARCH)]
    OtherMachine {
        /// The file.
        path: PathBuf,
        /// The machine.
        machine: String,
    },
    /// It ends, or is damaged, before it has told what is in it.
    #[error("{} is a damaged core file: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl CoreError {
    /// What would make it work, where something would.
    pub fn hint(&self) -> Option<String> {
        match self {
            CoreError::Compressed { command, path, .. } => Some(format!(
                "decompress it first: `{command} {}`; `coredumpctl dump -o FILE` does so too",
                path.display()
            )),
            CoreError::TooLarge { .. } => Some(
                "--max-core BYTES allows more; unless given, half of what is free where temporary files go ($TMPDIR, else /var/tmp) may be used"
                    .to_owned(),
            ),
            CoreError::Store { .. } => {
                Some("TMPDIR=DIR names a directory with room for temporary files".to_owned())
            }
            CoreError::NotCore { .. } | CoreError::NoFile { .. } => Some(
                "the kernel writes core files where /proc/sys/kernel/core_pattern says; `gcore PID` makes one of a running process"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// The file of a module of a core file cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CoreModuleError {
    /// It cannot be opened.
    #[error("{} cannot be opened: {}", path.display(), reason(*errno))]
    Open {
        /// Where it was looked for.
        path: PathBuf,
        /// The error; `EINVAL` for what is no regular file.
        errno: Errno,
    },
    /// It is no ELF file.
    #[error("{} is not the file that was mapped: it is no ELF file of this machine", path.display())]
    NotElf {
        /// The file.
        path: PathBuf,
    },
    /// It is another build.
    #[error(
        "{} is not the file that was mapped: its build-id is {}, that in the core file is {}",
        path.display(),
        hexadecimal(found),
        hexadecimal(wanted)
    )]
    OtherBuild {
        /// The file.
        path: PathBuf,
        /// Its build-id; empty for none.
        found: Vec<u8>,
        /// The one in the core file; empty for none.
        wanted: Vec<u8>,
    },
    /// The core file holds nothing of its start, and its segments are not those that were mapped.
    #[error("{} is not the file that was mapped: its segments lie elsewhere", path.display())]
    OtherSegments {
        /// The file.
        path: PathBuf,
    },
    /// It has no build-id, and other segments.
    #[error("{} is not the file that was mapped: its program headers differ from those in the core file", path.display())]
    OtherHeaders {
        /// The file.
        path: PathBuf,
    },
}

/// Why a file could not be opened.
fn reason(errno: Errno) -> String {
    match errno {
        Errno::EINVAL => "it is no regular file".to_owned(),
        errno => errno.to_string(),
    }
}

/// Bytes as hexadecimal digits; `none` for none.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "none".to_owned();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
