//! Where files come from. The caller decides how a path of the target is resolved; this crate only asks.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens files as somebody sees them: the target, in its own mount namespace, or this machine.
///
/// An implementation for a process resolves paths below `/proc/PID/root`, deleted files through `/proc/PID/exe` or `map_files`, and
/// must itself keep symbolic links from leading out of that root (`openat2` with `RESOLVE_IN_ROOT`).
pub trait FileProvider: Send + Sync {
    /// Opens `path` for reading. Must not block on pipes or devices: open with `O_NONBLOCK`.
    ///
    /// # Errors
    /// Whatever the operating system answers.
    fn open(&self, path: &Path) -> io::Result<File>;
}

/// The files of this machine, as this process sees them.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostFiles;

/// `O_NONBLOCK` of Linux on every architecture but alpha, mips, hppa and sparc.
const O_NONBLOCK: i32 = 0o4000;

impl FileProvider for HostFiles {
    fn open(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .custom_flags(O_NONBLOCK)
            .open(path)
    }
}
