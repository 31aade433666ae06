//! Probe files named on the command line: files, and directories with `.y` files below them; and files that may be written.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The most files that are looked for below one directory.
const MAX_FILES: usize = 100_000;

/// The files that `paths` name, in order; those below a directory sorted. Directories whose names
/// begin with a dot and symbolic links below a directory are left out.
pub fn probe_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut found = below(path)?;
        if found.is_empty() {
            return Err(Failure::usage(format!(
                "no file below {} ends in .y",
                path.display()
            )));
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

/// Refuses a file that is there, unless it begins as what is to be written does: what one has written oneself is not to be lost. `what` is what
/// such files are; the error says why not.
pub fn check_replaceable(path: &Path, head: &str, what: &str) -> Result<(), String> {
    let name = path.display();
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("{name}: {error}")),
        Ok(known) if !known.is_file() => {
            return Err(format!("{name} is there, and no plain file"));
        }
        Ok(_) => {}
    }
    let mut found = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(head.len() as u64).read_to_end(&mut found));
    match read {
        Ok(_) if found == head.as_bytes() => Ok(()),
        Ok(_) => Err(format!("{name} is there, and no {what}")),
        Err(error) => Err(format!("{name} is there and cannot be read: {error}")),
    }
}

fn below(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |directory: &Path, error: std::io::Error| {
        Failure::usage(format!("{}: {error}", directory.display()))
    };
    let mut pending = vec![directory.to_owned()];
    let mut found = Vec::new();
    let mut seen = 0usize;
    while let Some(directory) = pending.pop() {
        let entries =
            std::fs::read_dir(&directory).map_err(|error| unreadable(&directory, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&directory, error))?;
            let kind = entry
                .file_type()
                .map_err(|error| unreadable(&entry.path(), error))?;
            let path = entry.path();
            seen += 1;
            if seen > MAX_FILES {
                return Err(Failure::usage(format!(
                    "more than {MAX_FILES} files below {}",
                    directory.display()
                )));
            }
            if kind.is_dir() {
                if !entry.file_name().to_string_lossy().starts_with('.') {
                    pending.push(path);
                }
            } else if kind.is_file() && path.extension().is_some_and(|ending| ending == "y") {
                found.push(path);
            }
        }
    }
    Ok(found)
}
