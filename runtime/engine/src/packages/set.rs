//! The packages that a directory uses: copies below `ytrace-packages`, and a lock file with their hashes.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use super::contents::{self, Contents, Digest};
use super::{Package, PackageError};
use crate::trusted::{self, ReadFailure};

/// The name of the lock file.
pub const LOCK: &str = "ytrace.lock";

/// The directory with the copies, beside the lock file.
pub const FOLDER: &str = "ytrace-packages";

/// How long another program may take that changes the same set.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether it is done.
const LOOK: Duration = Duration::from_millis(10);

/// The version of the lock file that this program reads and writes.
const FORMAT: u32 = 1;

/// What a lock file holds.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Lock {
    format: u32,
    #[serde(default)]
    package: Vec<Locked>,
}

/// A package as it was when it was added.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: semver::Version,
    /// The directory that it was added from, for people.
    pub from: String,
    /// The hash of all its files.
    pub hash: Digest,
    /// Its files with their hashes.
    pub files: std::collections::BTreeMap<String, Digest>,
}

impl Locked {
    fn contents(&self) -> Contents {
        Contents {
            files: self.files.clone(),
        }
    }
}

/// The packages of one directory.
#[derive(Clone, Debug)]
pub struct PackageSet {
    /// The directory with the lock file, canonical.
    root: PathBuf,
    packages: Vec<Locked>,
}

/// What [`PackageSet::add`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The package as it is in the lock file now.
    pub locked: Locked,
    /// Where its copy is.
    pub place: PathBuf,
    /// The version that it replaced, and what differs from it.
    pub replaced: Option<(semver::Version, Vec<String>)>,
}

/// What [`PackageSet::remove`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: semver::Version,
    /// What was not as it had been added, a line for each file.
    pub changes: Vec<String>,
}

impl PackageSet {
    /// The set of a directory; an empty one where there is no lock file.
    ///
    /// # Errors
    /// The lock file cannot be read or understood, or others can write it.
    pub fn of(root: &Path) -> Result<Self, PackageError> {
        Ok(Self::find(root)?.unwrap_or(Self {
            root: canonical(root),
            packages: Vec::new(),
        }))
    }

    /// The set of a directory, if it has a lock file.
    ///
    /// # Errors
    /// As [`PackageSet::of`].
    pub fn find(root: &Path) -> Result<Option<Self>, PackageError> {
        let path = root.join(LOCK);
        let text = match trusted::read(&path) {
            Ok(text) => text,
            Err(ReadFailure::Missing) => return Ok(None),
            Err(ReadFailure::Refused(reason)) => {
                return Err(PackageError::new(&path, reason).hint(
                    "a lock file says which probes are run: make it yours alone, or go to another directory",
                ));
            }
        };
        let damaged = |reason: String| {
            PackageError::new(&path, reason).hint(format!(
                "delete {LOCK} and {FOLDER}, and add the packages again with `ytrace add DIR`"
            ))
        };
        let lock: Lock = super::from_toml(&text).map_err(damaged)?;
        if lock.format != FORMAT {
            return Err(damaged(format!(
                "is of format {}, and this version of ytrace reads format {FORMAT}",
                lock.format
            )));
        }
        for package in &lock.package {
            super::manifest::check_name(&package.name).map_err(damaged)?;
            if package.contents().digest() != package.hash {
                return Err(damaged(format!(
                    "the hash of `{}` is not that of its files: the lock file was changed by hand",
                    package.name
                )));
            }
        }
        Ok(Some(Self {
            root: canonical(root),
            packages: lock.package,
        }))
    }

    /// The set of the current directory, if it has one. Copies of packages, or of the one that is named, without a lock file are an error:
    /// somebody may have taken it away.
    ///
    /// # Errors
    /// As [`PackageSet::of`].
    pub fn here(name: Option<&str>) -> Result<Option<Self>, PackageError> {
        let (root, folder) = (Path::new("."), Path::new(FOLDER));
        let folder = name.map_or(folder.to_owned(), |name| folder.join(name));
        let mut copies = std::fs::read_dir(&folder).into_iter().flatten();
        match copies.next() {
            Some(_) => Self::of_file(&folder, root).map(Some),
            None => Self::find(root),
        }
    }

    /// The set that a probe file goes by, by its canonical path: that which it is in, else that of the nearest directory at or
    /// above its own that has a lock file, else that of the current directory. Lock files of other users are passed over.
    ///
    /// # Errors
    /// As [`PackageSet::of`].
    pub fn for_file(main: Option<&Path>) -> Result<Option<Self>, PackageError> {
        if let Some(root) = main.and_then(root_around) {
            return Self::find(root);
        }
        for directory in main.into_iter().flat_map(|main| main.ancestors().skip(1)) {
            let lock = directory.join(LOCK).symlink_metadata();
            if lock.is_ok_and(|meta| meta.is_file() && trusted::is_own(meta.uid())) {
                return Self::find(directory);
            }
        }
        Self::find(Path::new("."))
    }

    /// The packages.
    pub fn packages(&self) -> &[Locked] {
        &self.packages
    }

    /// Where the copy of a package is, if the set has it.
    pub fn place(&self, name: &str) -> Option<PathBuf> {
        let known = self.packages.iter().any(|package| package.name == name);
        known.then(|| self.root.join(FOLDER).join(name))
    }

    /// Adds the package in a directory, or replaces it by what is there now: its files are copied, and their hashes go into
    /// the lock file. Nothing of it is run.
    ///
    /// # Errors
    /// It is no package, others can write a part of it, or files cannot be written.
    pub fn add(&mut self, directory: &Path) -> Result<Added, PackageError> {
        let package = Package::open(directory)?;
        super::needs::check_version(&package)?;
        let contents = Contents::of(directory)?;
        let name = package.manifest.name.clone();
        let folder = self.root.join(FOLDER);
        let from = canonical(directory);
        if from.starts_with(&folder) || folder.starts_with(&from) {
            return Err(PackageError::new(
                directory,
                "lies where the packages of this directory are kept, or holds them",
            ));
        }
        let locked = Locked {
            name: name.clone(),
            version: package.manifest.version.clone(),
            from: directory.display().to_string(),
            hash: contents.digest(),
            files: contents.files.clone(),
        };
        let _held = self.hold()?;
        let place = folder.join(&name);
        // Beside the others, so that putting it in place is one step.
        let fresh = folder.join(format!(".{name}.new"));
        let old = folder.join(format!(".{name}.old"));
        for left in [&fresh, &old] {
            remove(left)?;
        }
        contents::copy(&contents, &from, &fresh).inspect_err(|_| {
            // What was copied so far is of no use; the error is what counts.
            let _ = std::fs::remove_dir_all(&fresh);
        })?;
        let moved = |error: std::io::Error| PackageError::new(&place, error);
        let was_there = place.symlink_metadata().is_ok();
        if was_there {
            std::fs::rename(&place, &old).map_err(moved)?;
        }
        let known = self.packages.clone();
        let before = known.iter().find(|known| known.name == name);
        self.packages.retain(|known| known.name != name);
        self.packages.push(locked.clone());
        self.packages.sort_by(|a, b| a.name.cmp(&b.name));
        let put = std::fs::rename(&fresh, &place).map_err(moved);
        if let Err(error) = put.and_then(|()| self.write()) {
            // As it was before; the error is what counts.
            let _ = std::fs::rename(&place, &fresh);
            if was_there {
                let _ = std::fs::rename(&old, &place);
            }
            let _ = std::fs::remove_dir_all(&fresh);
            let _ = std::fs::remove_dir(&folder);
            self.packages.clone_from(&known);
            return Err(error);
        }
        remove(&old)?;
        Ok(Added {
            replaced: before.map(|before| {
                let changes = before.contents().differences(&contents);
                (before.version.clone(), changes)
            }),
            locked,
            place,
        })
    }

    /// Keeps others from changing the set until what is given is dropped, and takes up what they have changed.
    fn hold(&mut self) -> Result<Flock<File>, PackageError> {
        check_root(&self.root)?;
        let folder = self.root.join(FOLDER);
        let failed = |error: std::io::Error| PackageError::new(&folder, error);
        let started = Instant::now();
        loop {
            match contents::make_directory(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(failed(error));
                }
                _ => {}
            }
            check_folder(&self.root)?;
            let file = File::open(&folder).map_err(failed)?;
            let opened = file.metadata().map_err(failed)?;
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(held) => {
                    // Whoever removes the last package takes the directory away.
                    let there = folder.symlink_metadata();
                    if there
                        .is_ok_and(|meta| (meta.dev(), meta.ino()) == (opened.dev(), opened.ino()))
                    {
                        *self = Self::of(&self.root)?;
                        return Ok(held);
                    }
                }
                Err((_, Errno::EAGAIN | Errno::EINTR)) => {}
                Err((_, error)) => return Err(failed(error.into())),
            }
            if started.elapsed() > PATIENCE {
                return Err(PackageError::new(
                    &folder,
                    format!(
                        "another program has been changing the packages for {} s",
                        PATIENCE.as_secs()
                    ),
                ));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Removes a package: its copy and its entry in the lock file. Files that are not as they were added are deleted only with `force`.
    ///
    /// # Errors
    /// There is no such package; its copy is not what was added, or cannot be looked at; or files cannot be written.
    pub fn remove(&mut self, name: &str, force: bool) -> Result<Removed, PackageError> {
        let path = self.root.join(LOCK);
        self.position(name)?;
        let _held = self.hold()?;
        let index = self.position(name)?;
        let folder = self.root.join(FOLDER);
        let place = folder.join(name);
        let known = self.packages.get(index);
        let locked = known.map(Locked::contents).unwrap_or_default();
        let changes = match place.exists() {
            false => vec!["its directory was not there any more".to_owned()],
            // What only --force may delete need not be understood.
            true if force => Contents::of(&place)
                .map(|now| locked.differences(&now))
                .unwrap_or_else(|error| vec![error.to_string()]),
            true => {
                let mut changes = locked.differences(&Contents::of(&place)?);
                changes.extend(contents::hidden(&place)?);
                if !changes.is_empty() {
                    return Err(PackageError::new(
                        &place,
                        format!("is not what was added, and is kept: {}", changes.join(", ")),
                    )
                    .hint("look at what is of use in it; `--force` removes it all the same"));
                }
                changes
            }
        };
        // A package without an entry is refused, an entry without a package is only reported: so the entry goes last.
        let old = folder.join(format!(".{name}.old"));
        remove(&old)?;
        if place.exists() {
            std::fs::rename(&place, &old).map_err(|error| PackageError::new(&place, error))?;
        }
        let gone = self.packages.remove(index);
        let written = match self.packages.is_empty() {
            true => std::fs::remove_file(&path).map_err(|error| PackageError::new(&path, error)),
            false => self.write(),
        };
        if let Err(error) = written {
            // As it was before; the error is what counts.
            let _ = std::fs::rename(&old, &place);
            self.packages.insert(index, gone);
            return Err(error);
        }
        remove(&old)?;
        if self.packages.is_empty() {
            // It goes if nothing is left in it; what is, is somebody's.
            let _ = std::fs::remove_dir(&folder);
        }
        Ok(Removed {
            name: gone.name,
            version: gone.version,
            changes,
        })
    }

    /// The entry of a package.
    fn position(&self, name: &str) -> Result<usize, PackageError> {
        let found = self.packages.iter().position(|known| known.name == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = self.packages.iter().map(|one| one.name.as_str()).collect();
            let hint = match names.is_empty() {
                true => "no package was added to this directory".to_owned(),
                false => format!("there are: {}", names.join(", ")),
            };
            let reason = format!("there is no package `{name}`");
            PackageError::new(&self.root.join(LOCK), reason).hint(hint)
        })
    }

    fn write(&self) -> Result<(), PackageError> {
        let path = self.root.join(LOCK);
        let failed = |error: String| PackageError::new(&path, error);
        let lock = Lock {
            format: FORMAT,
            package: self.packages.clone(),
        };
        let text = toml::to_string(&lock).map_err(|error| failed(error.to_string()))?;
        let text = format!(
            "# The packages of this directory, with the hashes of their files. Written by `ytrace add`; keep it with them.\n{text}"
        );
        let write = || -> std::io::Result<()> {
            // A name that nobody can know, and where nothing is: a link put there would lead elsewhere.
            let mut fresh = tempfile::Builder::new()
                .prefix(&format!(".{LOCK}."))
                .tempfile_in(&self.root)?;
            let mode = PermissionsExt::from_mode(0o644);
            fresh.as_file().set_permissions(mode)?;
            fresh.write_all(text.as_bytes())?;
            fresh.as_file().sync_all()?;
            fresh.persist(&path)?;
            Ok(())
        };
        write().map_err(|error| failed(error.to_string()))
    }

    /// Holds all packages against the lock file.
    ///
    /// # Errors
    /// What differs in the first that does.
    pub fn verify(&self) -> Result<(), PackageError> {
        self.packages
            .iter()
            .try_for_each(|package| self.verify_one(package))
    }

    fn verify_one(&self, package: &Locked) -> Result<(), PackageError> {
        check_folder(&self.root)?;
        let place = self.root.join(FOLDER).join(&package.name);
        let changes = package.contents().differences(&Contents::of(&place)?);
        match changes.is_empty() {
            true => Ok(()),
            false => Err(changed(&place, &package.name, &changes.join(", "))),
        }
    }

    fn of_file(path: &Path, root: &Path) -> Result<Self, PackageError> {
        Self::find(root)?.ok_or_else(|| {
            PackageError::new(path, format!("lies in {FOLDER}, beside which there is no {LOCK}"))
                .hint("`ytrace add DIR` adds a package with its lock file; a package of your own belongs elsewhere")
        })
    }
}

/// The directory of the set that a file or directory lies in, by its canonical path. A set within a package of a set is none.
fn root_around(path: &Path) -> Option<&Path> {
    path.ancestors()
        .filter(|parent| parent.file_name().is_some_and(|name| name == FOLDER))
        .last()
        .and_then(Path::parent)
}

/// Tells whether a file is as it was when its package was added. `path` is canonical, and without links where packages are, as
/// [`trusted::resolve`] gives it; `text` is what was read. Files that are in no set are nobody's concern here.
///
/// # Errors
/// It is not, or nobody can tell.
pub(crate) fn check_file(path: &Path, text: &[u8]) -> Result<(), PackageError> {
    let Some(root) = root_around(path) else {
        return Ok(());
    };
    let folder = root.join(FOLDER);
    let below = path.strip_prefix(&folder).unwrap_or(path);
    let mut parts = below.components();
    let Some(name) = parts.next() else {
        return Ok(());
    };
    let name = name.as_os_str().to_string_lossy().into_owned();
    let file = parts.as_path().to_string_lossy().into_owned();
    let set = PackageSet::of_file(path, root)?;
    if file.is_empty() {
        return Err(
            PackageError::new(path, format!("lies in {FOLDER}, and in no package"))
                .hint("files of your own belong elsewhere"),
        );
    }
    let place = folder.join(&name);
    let Some(package) = set.packages.iter().find(|package| package.name == name) else {
        return Err(unknown(path, &name));
    };
    match package.files.get(&file) {
        None => Err(changed(&place, &name, &format!("{file} is new"))),
        Some(digest) if *digest != Digest::of(text) => {
            Err(changed(&place, &name, &format!("{file} has changed")))
        }
        Some(_) => Ok(()),
    }
}

/// Holds all files of a package against the lock file, if it is one that was added.
///
/// # Errors
/// What differs.
pub fn check_package(package: &Package) -> Result<(), PackageError> {
    let place = canonical(&package.root);
    let Some(root) = root_around(&place) else {
        return Ok(());
    };
    let set = PackageSet::of_file(&place, root)?;
    let below = place.strip_prefix(root.join(FOLDER));
    let name = below.unwrap_or(&place).display().to_string();
    match set.packages.iter().find(|package| package.name == name) {
        Some(package) => set.verify_one(package),
        None => Err(unknown(&place, &name)),
    }
}

fn unknown(path: &Path, name: &str) -> PackageError {
    PackageError::new(path, format!("`{name}` is not in {LOCK}"))
        .hint("`ytrace add DIR` adds it, with what it is now")
}

/// Refuses what is no directory of packages, but a link to one.
fn check_folder(root: &Path) -> Result<(), PackageError> {
    let folder = root.join(FOLDER);
    match folder.symlink_metadata() {
        Ok(meta) if !meta.is_dir() => Err(PackageError::new(
            &folder,
            "is no directory, and packages are kept nowhere else",
        )
        .hint("a link would lead past the lock file: put the packages themselves there")),
        Ok(_) => {
            trusted::check_directory(&folder).map_err(|reason| PackageError::new(&folder, reason))
        }
        Err(error) => Err(PackageError::new(&folder, error)),
    }
}

/// Refuses a directory in which others could replace the lock file and the packages.
fn check_root(root: &Path) -> Result<(), PackageError> {
    trusted::check_directories(root).map_err(|(directory, reason)| {
        PackageError::new(
            &directory,
            format!("{reason}: others could put other packages and another {LOCK} in place"),
        )
        .hint("packages belong in a directory that only you can write (chmod go-w), or another one")
    })
}

fn changed(place: &Path, name: &str, what: &str) -> PackageError {
    PackageError::new(
        place,
        format!("the package is not what was added: {what} since its hash went into {LOCK}"),
    )
    .hint(format!(
        "compare it with what it was made from; then `ytrace add DIR` takes `{name}` from DIR as it is there"
    ))
}

/// The canonical path, or the path itself where there is none.
fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn remove(path: &Path) -> Result<(), PackageError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(PackageError::new(path, error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(folder: &Path) -> PathBuf {
        let directory = folder.join("mine");
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(
            directory.join("probes.toml"),
            "name = \"mine\"\nversion = \"1.0.0\"\n",
        )
        .unwrap();
        std::fs::write(directory.join("a.y"), "int a;\n").unwrap();
        directory
    }

    #[test]
    fn what_was_added_is_held_to_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let directory = package(folder.path());
        let home = folder.path().join("home");
        std::fs::create_dir(&home).unwrap();
        let mut set = PackageSet::of(&home).unwrap();
        let added = set.add(&directory).unwrap();
        assert_eq!(added.replaced, None);
        let set = PackageSet::find(&home).unwrap().unwrap();
        set.verify().unwrap();
        let copy = canonical(&home).join(FOLDER).join("mine/a.y");
        check_file(&copy, b"int a;\n").unwrap();
        let error = check_file(&copy, b"int b;\n").unwrap_err();
        assert!(error.reason.contains("a.y has changed"), "{error}");
        std::fs::write(copy.with_file_name("b.y"), "").unwrap();
        let error = set.verify().unwrap_err();
        assert!(error.reason.contains("b.y is new"), "{error}");
        // Nobody may pass by the lock file by taking it away, nor by writing another hash into it.
        std::fs::remove_file(home.join(LOCK)).unwrap();
        let error = check_file(&copy, b"int a;\n").unwrap_err();
        assert!(error.reason.contains("there is no ytrace.lock"), "{error}");
    }

    #[test]
    fn what_was_added_can_be_removed() {
        let folder = tempfile::tempdir().unwrap();
        let directory = package(folder.path());
        let home = folder.path().join("home");
        std::fs::create_dir(&home).unwrap();
        let mut set = PackageSet::of(&home).unwrap();
        let error = set.remove("mine", false).unwrap_err();
        assert!(error.reason.contains("no package `mine`"), "{error}");
        set.add(&directory).unwrap();
        let copy = home.join(FOLDER).join("mine");
        // What somebody has changed or put there is not deleted unasked, whatever its name.
        for name in ["a.y", "b.y", ".hidden"] {
            std::fs::write(copy.join(name), "int b;\n").unwrap();
            let error = set.remove("mine", false).unwrap_err();
            assert!(error.reason.contains(name), "{error}");
            assert!(copy.is_dir() && home.join(LOCK).is_file());
            if name == "a.y" {
                std::fs::write(copy.join(name), "int a;\n").unwrap();
            } else {
                std::fs::remove_file(copy.join(name)).unwrap();
            }
        }
        let removed = set.remove("mine", false).unwrap();
        assert_eq!((removed.name.as_str(), removed.changes), ("mine", vec![]));
        assert!(!home.join(FOLDER).exists() && !home.join(LOCK).exists());
        let mut set = PackageSet::of(&home).unwrap();
        set.add(&directory).unwrap();
        std::fs::write(copy.join("b.y"), "").unwrap();
        assert_eq!(set.remove("mine", true).unwrap().changes, ["b.y is new"]);
        assert!(!copy.exists());
        // One whose copy is gone leaves its entry, which goes.
        set.add(&directory).unwrap();
        std::fs::remove_dir_all(&copy).unwrap();
        assert_eq!(set.remove("mine", false).unwrap().changes.len(), 1);
        assert!(PackageSet::find(&home).unwrap().is_none());
    }

    #[test]
    fn packages_are_not_added_where_others_can_write() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let directory = package(folder.path());
        let home = folder.path().join("home");
        std::fs::create_dir(&home).unwrap();
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o777)).unwrap();
        let error = PackageSet::of(&home).unwrap().add(&directory).unwrap_err();
        assert!(error.reason.contains("everybody can write it"), "{error}");
        assert!(error.reason.contains("other packages"), "{error}");
        assert_eq!(std::fs::read_dir(&home).unwrap().count(), 0);
    }

    #[test]
    fn a_lock_file_agrees_with_itself() {
        let folder = tempfile::tempdir().unwrap();
        let directory = package(folder.path());
        let home = folder.path().join("home");
        std::fs::create_dir(&home).unwrap();
        PackageSet::of(&home).unwrap().add(&directory).unwrap();
        let path = home.join(LOCK);
        let text = std::fs::read_to_string(&path).unwrap();
        let other = Digest::of(b"other").to_string();
        let real = Digest::of(b"int a;\n").to_string();
        std::fs::write(&path, text.replace(&real, &other)).unwrap();
        let error = PackageSet::find(&home).unwrap_err();
        assert!(error.reason.contains("changed by hand"), "{error}");
        std::fs::write(&path, text.replace("format = 1", "format = 2")).unwrap();
        let error = PackageSet::find(&home).unwrap_err();
        assert!(error.reason.contains("format 2"), "{error}");
    }
}
