//! What `ytrace new` writes: a package with a probe, a library file and a test of both on a small program.

use std::path::{Path, PathBuf};

use super::PackageError;
use super::contents::make_directories;
use super::manifest::check_name;

/// The files, by their paths; `NAME` stands for the package's name, `PREFIX` for it as a part of names in C.
const FILES: &[(&str, &str)] = &[
    ("probes.toml", include_str!("skeleton/probes.toml")),
    ("items.y", include_str!("skeleton/items.y")),
    ("probes/items.y", include_str!("skeleton/probes/items.y")),
    ("tests/items.c", include_str!("skeleton/tests/items.c")),
    (
        "tests/items.toml",
        include_str!("skeleton/tests/items.toml"),
    ),
];

/// Makes a package in a directory, which is made, too, and must be empty if it is there. Its last part is the name of the package.
/// Gives the files that were written.
///
/// # Errors
/// The directory holds something, has a name that no package can have, or cannot be written.
pub fn make(directory: &Path) -> Result<Vec<PathBuf>, PackageError> {
    let whole =
        std::path::absolute(directory).map_err(|error| PackageError::new(directory, error))?;
    let name = whole
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    check_name(&name).map_err(|reason| {
        PackageError::new(directory, reason).hint("the last part of the path is the package's name")
    })?;
    if directory.exists() {
        let mut entries =
            std::fs::read_dir(directory).map_err(|error| PackageError::new(directory, error))?;
        if entries.next().is_some() {
            return Err(
                PackageError::new(directory, "is there already, and is not empty")
                    .hint("name a directory that is not there yet"),
            );
        }
    }
    let prefix = name.replace('-', "_");
    let mut written = Vec::new();
    for (path, text) in FILES {
        let path = directory.join(path);
        let failed = |error: std::io::Error| PackageError::new(&path, error);
        if let Some(parent) = path.parent()
            && !parent.is_dir()
        {
            make_directories(parent).map_err(failed)?;
        }
        let text = text.replace("PREFIX", &prefix).replace("NAME", &name);
        std::fs::write(&path, text).map_err(failed)?;
        // Whatever the umask is: a file that others can write would be refused.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(&path, mode).map_err(failed)?;
        written.push(path);
    }
    Ok(written)
}
