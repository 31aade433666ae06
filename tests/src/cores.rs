//! Core files of the fixtures.

use std::path::Path;
use std::process::Command;

use crate::skip;

/// Makes a core file of a running process with gdb's `gcore`; `None` where that is missing.
///
/// # Panics
/// If it cannot be made.
pub fn gcore(test: &str, folder: &Path, pid: i32) -> Option<String> {
    let dumped = Command::new("gcore")
        .arg("-o")
        .arg(folder.join("core"))
        .arg(pid.to_string())
        .output();
    match dumped {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "gcore: {said}");
            Some(folder.join(format!("core.{pid}")).display().to_string())
        }
        Err(error) => {
            skip(test, &format!("gcore cannot be run: {error}"));
            None
        }
    }
}

/// Whether the kernel writes core files into the directory of their process; else where they go.
pub fn kernel_cores() -> Result<(), String> {
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    match pattern.trim() {
        "core" => Ok(()),
        other => Err(format!("core files are not written here, but to {other}")),
    }
}

/// The core file that the kernel has written into a directory.
pub fn written(folder: &Path) -> Option<String> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    let found = paths.find(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("core"))
    });
    Some(found?.display().to_string())
}
