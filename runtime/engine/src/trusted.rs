//! Files that nobody else can change: who owns them, who can write them and the directories above, and how they are opened.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, IsTerminal, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::packages::set::FOLDER;
use crate::writers;

/// The largest text that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// The file system of pipes without names, as in linux/magic.h.
const PIPEFS_MAGIC: libc::__fsword_t = 0x5049_5045;

/// The most symbolic links on one path: as many as Linux follows.
const MOST_LINKS: usize = 40;

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReadFailure {
    /// There is none.
    Missing,
    /// It is not to be read, or cannot be.
    Refused(String),
}

impl From<std::io::Error> for ReadFailure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            // Below a file there is nothing either.
            ErrorKind::NotFound | ErrorKind::NotADirectory => ReadFailure::Missing,
            _ => ReadFailure::Refused(error.to_string()),
        }
    }
}

fn refused(reason: impl Into<String>) -> ReadFailure {
    ReadFailure::Refused(reason.into())
}

/// The path without links, `.` and `..`. Where packages were added there are no links: one there is refused, for the hashes are of what
/// lies there, not of where it leads.
///
/// # Errors
/// There is nothing of that name, or it cannot be told where it lies.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, ReadFailure> {
    let mut pending = Vec::new();
    put(&mut pending, &std::path::absolute(path)?);
    let mut at = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = pending.pop() {
        if part == ".." {
            at.pop();
            continue;
        }
        at.push(&part);
        let meta = at.symlink_metadata()?;
        if !meta.is_symlink() {
            if !meta.is_dir() && !pending.is_empty() {
                return Err(ReadFailure::Missing);
            }
            continue;
        }
        if at.iter().any(|part| part == FOLDER) {
            let shown = at.display();
            return Err(refused(format!(
                "{shown} is a symbolic link, and among added packages there are none"
            )));
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(refused("leads through too many symbolic links"));
        }
        let target = std::fs::read_link(&at)?;
        at.pop();
        if target.is_absolute() {
            at = PathBuf::from("/");
        }
        put(&mut pending, &target);
    }
    Ok(at)
}

/// Puts the parts of a path on a stack, its first part on top.
fn put(pending: &mut Vec<OsString>, path: &Path) {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    pending.extend(parts);
}

/// Opens a regular file that nobody else can change, nor put another in its place. Waits for nothing, and follows no link at the end of
/// the path.
///
/// # Errors
/// There is none, or it is none of that kind.
pub(crate) fn open(path: &Path) -> Result<(File, Metadata), ReadFailure> {
    let file = OpenOptions::new()
        .read(true)
        // Opening a pipe waits, opening some devices does things.
        .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_NOCTTY)
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            Some(libc::ELOOP) => refused("is a symbolic link"),
            _ => error.into(),
        })?;
    let meta = file.metadata()?;
    if meta.is_dir() {
        return Err(refused("is a directory"));
    }
    if !meta.is_file() {
        return Err(refused("is no regular file"));
    }
    check_file(&file, &meta)?;
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    check_directories(parent).map_err(|(directory, reason)| {
        refused(format!("its directory {}: {reason}", directory.display()))
    })?;
    Ok((file, meta))
}

/// Tells whether nobody else can change a file.
fn check_file(file: &File, meta: &Metadata) -> Result<(), ReadFailure> {
    match foreign(meta).or_else(|| writers::of_file(file, meta)) {
        Some(reason) => Err(refused(format!(
            "{reason}; a probe file that others can change is not run (chown, chmod go-w)"
        ))),
        None => Ok(()),
    }
}

/// Reads a text, as [`open`] opens it.
///
/// # Errors
/// As [`open`], or it is too large or no text.
pub(crate) fn read(path: &Path) -> Result<Arc<str>, ReadFailure> {
    text_of(open(path)?.0)
}

/// The descriptor of this process that a path names: whoever started this process has opened it.
pub(crate) fn descriptor(path: &Path) -> Option<u32> {
    let name = path.to_str()?;
    if name == "/dev/stdin" {
        return Some(0);
    }
    let number = name
        .strip_prefix("/dev/fd/")
        .or_else(|| name.strip_prefix("/proc/self/fd/"))?;
    number.parse().ok()
}

/// Reads one of our own descriptors: pipes, terminals, and files that have no name any more.
///
/// # Errors
/// It is none of these, others can write it, or as [`read`].
pub(crate) fn read_descriptor(number: u32) -> Result<Arc<str>, ReadFailure> {
    let (file, meta) = open_stream(Path::new(&format!("/proc/self/fd/{number}")))?;
    // Nobody can find a pipe without a name. One with a name is what its directory had, as a file is.
    let pipe = meta.file_type().is_fifo()
        && nix::sys::statfs::fstatfs(&file)
            .map_err(std::io::Error::from)?
            .filesystem_type()
            == nix::sys::statfs::FsType(PIPEFS_MAGIC);
    if !pipe && !meta.file_type().is_char_device() {
        check_file(&file, &meta)?;
    }
    text_of(file)
}

/// Reads a terminal that was named.
///
/// # Errors
/// It is something else, belongs to another user, or as [`read`].
pub(crate) fn read_terminal(path: &Path) -> Result<Arc<str>, ReadFailure> {
    let (file, meta) = open_stream(path)?;
    if meta.file_type().is_fifo() {
        return Err(refused(
            "is a pipe with a name, and it cannot be told who writes into it (`/dev/stdin` and `<(…)` are read)",
        ));
    }
    if !file.is_terminal() {
        return Err(refused("is neither a regular file nor a terminal"));
    }
    if let Some(reason) = foreign(&meta) {
        return Err(refused(reason));
    }
    text_of(file)
}

/// Opens what may be no regular file, without waiting for somebody who writes; reading does wait.
fn open_stream(path: &Path) -> Result<(File, Metadata), ReadFailure> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)?;
    let meta = file.metadata()?;
    if meta.is_dir() {
        return Err(refused("is a directory"));
    }
    let flags = fcntl(&file, FcntlArg::F_GETFL).map_err(std::io::Error::from)?;
    let flags = OFlag::from_bits_retain(flags) - OFlag::O_NONBLOCK;
    fcntl(&file, FcntlArg::F_SETFL(flags)).map_err(std::io::Error::from)?;
    Ok((file, meta))
}

/// The text of a file, from where it stands.
fn text_of(file: File) -> Result<Arc<str>, ReadFailure> {
    let mut text = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(refused(format!("is larger than {MAX_FILE} bytes")));
    }
    String::from_utf8(text)
        .map(Arc::from)
        .map_err(|error| refused(format!("is not UTF-8: {error}")))
}

/// Tells whether nobody else can put other files in place of those of a directory: itself, and all that it lies in.
///
/// # Errors
/// The directory in which others can, or that cannot be looked at, and why.
pub(crate) fn check_directories(path: &Path) -> Result<(), (PathBuf, String)> {
    let canonical =
        std::fs::canonicalize(path).map_err(|error| (path.to_owned(), error.to_string()))?;
    for directory in canonical.ancestors() {
        check_directory(directory).map_err(|reason| (directory.to_owned(), reason))?;
    }
    Ok(())
}

/// Tells whether nobody else can put other files in place of those of a directory, as far as its own owner, mode and access list go.
///
/// # Errors
/// Others can, or it cannot be looked at.
pub(crate) fn check_directory(path: &Path) -> Result<(), String> {
    let meta = std::fs::metadata(path).map_err(|error| error.to_string())?;
    let owner = foreign(&meta).filter(|_| !is_unmapped(meta.uid()));
    // In a sticky directory such as /tmp nobody can replace another's file.
    let writers = || match meta.mode() & 0o1000 {
        0 => writers::of_directory(path, &meta),
        _ => None,
    };
    match owner.or_else(writers) {
        Some(reason) => Err(format!(
            "{reason}; a probe file that others can replace is not run (chown, chmod go-w)"
        )),
        None => Ok(()),
    }
}

/// Whether others can put files of theirs into a directory, even if they cannot replace what is there.
pub(crate) fn is_shared(directory: &Path) -> bool {
    std::fs::metadata(directory).map_or(true, |meta| {
        writers::of_directory(directory, &meta).is_some()
    })
}

/// Whether a file of this user is ours: of the user of this program, of root, of whoever became root by sudo, or of the owner of the
/// current directory: root who works in a checkout of somebody's has chosen to.
pub(crate) fn is_own(user: u32) -> bool {
    let own = nix::unistd::geteuid();
    let by_sudo = || {
        let name = std::env::var("SUDO_UID").ok()?;
        name.parse::<u32>().ok()
    };
    let here = || Some(std::fs::metadata(".").ok()?.uid());
    user == 0
        || user == own.as_raw()
        || own.is_root() && (by_sudo() == Some(user) || here() == Some(user))
}

/// Why a file is not ours; `None` if it is.
fn foreign(meta: &Metadata) -> Option<String> {
    (!is_own(meta.uid())).then(|| format!("belongs to another user ({})", meta.uid()))
}

/// Whether a user is what stands for all that this user namespace has no number for: root outside of it is among them.
fn is_unmapped(user: u32) -> bool {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    if read("/proc/sys/kernel/overflowuid").trim().parse() != Ok(user) {
        return false;
    }
    // As in user_namespaces(7): the first number inside, the first outside, and how many.
    let map = read("/proc/self/uid_map");
    let mut ranges = map.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        let (first, _, count) = (numbers.next()?, numbers.next()?, numbers.next()?);
        Some((first.ok()?, count.ok()?))
    });
    let user = u64::from(user);
    !map.is_empty() && !ranges.any(|(first, count)| (first..first + count).contains(&user))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn all_directories_above_count() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("a/b/c");
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("p.y");
        std::fs::write(&path, "int x;").unwrap();
        assert_eq!(&*read(&path).unwrap(), "int x;");
        let open = folder.path().join("a");
        let set = |mode| std::fs::set_permissions(&open, PermissionsExt::from_mode(mode));
        set(0o777).unwrap();
        let Err(ReadFailure::Refused(reason)) = read(&path) else {
            panic!("it is read");
        };
        assert!(
            reason.contains("everybody can write it (mode 777)"),
            "{reason}"
        );
        set(0o1777).unwrap();
        read(&path).unwrap();
        set(0o755).unwrap();
        let link = directory.join("q.y");
        symlink("p.y", &link).unwrap();
        assert_eq!(read(&link), Err(refused("is a symbolic link")));
        // Nothing is below a file, and a pipe is not waited for.
        assert_eq!(read(&path.join("x")), Err(ReadFailure::Missing));
        let pipe = directory.join("pipe.y");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(read(&pipe), Err(refused("is no regular file")));
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
            let Err(ReadFailure::Refused(reason)) = read(&path) else {
                panic!("it is read");
            };
            assert!(reason.contains("another user (12345)"), "{reason}");
            std::os::unix::fs::chown(&path, Some(0), None).unwrap();
            std::os::unix::fs::chown(&open, Some(12345), None).unwrap();
            let Err(ReadFailure::Refused(reason)) = read(&path) else {
                panic!("it is read");
            };
            assert!(reason.contains("another user (12345)"), "{reason}");
        }
    }

    #[test]
    fn paths_are_resolved_as_the_kernel_does() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::create_dir_all(root.join(FOLDER).join("shelf")).unwrap();
        std::fs::write(root.join("a/x.y"), "").unwrap();
        symlink("a/b", root.join("to_b")).unwrap();
        symlink(&root, root.join("a/up")).unwrap();
        for path in [
            "a/x.y",
            "to_b/../x.y",
            "a/up/a/./b/../x.y",
            "to_b/../up/a/x.y",
        ] {
            let path = root.join(path);
            assert_eq!(resolve(&path), Ok(root.join("a/x.y")), "{path:?}");
            assert_eq!(
                resolve(&path).unwrap(),
                std::fs::canonicalize(&path).unwrap()
            );
        }
        assert_eq!(resolve(&root.join("no")), Err(ReadFailure::Missing));
        assert_eq!(resolve(&root.join("a/x.y/..")), Err(ReadFailure::Missing));
        symlink("round", root.join("round")).unwrap();
        assert!(matches!(
            resolve(&root.join("round")),
            Err(ReadFailure::Refused(_))
        ));
        // A link out of an added package, through a link into it.
        symlink("../../a/x.y", root.join(FOLDER).join("shelf/x.y")).unwrap();
        symlink(root.join(FOLDER), root.join("store")).unwrap();
        let Err(ReadFailure::Refused(reason)) = resolve(&root.join("store/shelf/x.y")) else {
            panic!("it is followed");
        };
        assert!(reason.contains("shelf/x.y is a symbolic link"), "{reason}");
    }
}
