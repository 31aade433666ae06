//! Programs of C that tests build.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles a text of C to a program of this name in a folder, where the text is put too, as `NAME.c`.
///
/// # Panics
/// If it cannot be compiled.
#[track_caller]
pub fn compile(folder: &Path, name: &str, text: &str, flags: &[&str]) -> PathBuf {
    let source = folder.join(format!("{name}.c"));
    std::fs::write(&source, text).expect("the folder can be written");
    compile_file(&source, folder, name, flags)
}

/// The same of a file of C.
///
/// # Panics
/// If it cannot be compiled.
#[track_caller]
pub fn compile_file(source: &Path, folder: &Path, name: &str, flags: &[&str]) -> PathBuf {
    let program = folder.join(name);
    let status = Command::new("gcc")
        .arg("-o")
        .arg(&program)
        .arg(source)
        // Libraries among them are looked through after what needs them.
        .args(flags)
        .status()
        .expect("gcc runs");
    assert!(status.success(), "{} is not compiled", source.display());
    program
}
