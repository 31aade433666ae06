//! Core files of the command line.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use ytrace_report::units;
use ytrace_runtime::{SessionError, Sink};
use ytrace_target::{CoreFile, CoreOptions, Opening};

use crate::arguments::CoreFiles;
use crate::diagnose::failure;
use crate::failure::Failure;

/// Opens a core file, and shows how far that has come, until `interrupted` is set.
pub fn open(
    path: &Path,
    files: &CoreFiles,
    interrupted: &AtomicBool,
    sink: &mut dyn Sink,
) -> Result<CoreFile, Failure> {
    let options = CoreOptions {
        executable: files.exe.clone(),
        sysroot: files.sysroot.clone(),
        most_bytes: files.max_core,
    };
    let opened = CoreFile::open_with(path, options, &mut |opening| {
        sink.progress(&match opening {
            Opening::Unpacking(done) => {
                let share = done.used.saturating_mul(100) / done.of.max(1);
                let unpacked = units::bytes(done.unpacked);
                format!("decompressing the core file: {share} %, {unpacked}")
            }
            Opening::Files { done, of } => format!("looking at its files: {done} of {of}"),
        });
        !interrupted.load(Ordering::Relaxed)
    });
    sink.progress("");
    opened.map_err(|error| failure(SessionError::Core(error)))
}
