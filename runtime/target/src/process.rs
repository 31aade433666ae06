//! A live process, held by descriptors that its number's reuse cannot fool.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;

use crate::access::diagnose;
use crate::error::{OpenError, ReadError};
use crate::maps::{Mapping, Maps, path_candidates};
use crate::modules::{ModuleFile, ModuleFileSource};
use crate::sys;

/// The most bytes of a file under `/proc/PID` that are read.
const PROC_LIMIT: u64 = 256 << 20;
/// `PF_KTHREAD` of `linux/sched.h`, in the flags field of `/proc/PID/stat`.
const PF_KTHREAD: u64 = 0x0020_0000;
/// btrfs, overlayfs and bcachefs, on which the device of `stat` differs from that of `/proc/PID/maps` (`linux/magic.h`).
const LAYERED_FILE_SYSTEMS: [i64; 3] = [0x9123_683e, 0x794c_7630, 0xca45_1a4e];

/// A live process. Clones are handles to the same.
///
/// Its `/proc` directory is held open, so that facts are never those of a later process with the same number; where the
/// kernel has them (5.3), a pidfd is held as well.
#[derive(Clone, Debug)]
pub struct Process {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pid: i32,
    directory: OwnedFd,
    pidfd: Option<OwnedFd>,
    start_ticks: u64,
}

impl Process {
    /// Finds the process numbered `pid` in our pid namespace. Nothing is done to it.
    ///
    /// # Errors
    /// There is none, or it has no memory: a zombie, a kernel thread, a thread that is not a process.
    pub fn open(pid: i32) -> Result<Process, OpenError> {
        let gone = OpenError::NoSuchProcess { pid };
        if pid <= 0 {
            return Err(gone);
        }
        let path = CString::new(format!("/proc/{pid}")).map_err(|_| gone.clone())?;
        let pidfd = match sys::pidfd_open(pid) {
            Ok(descriptor) => Some(descriptor),
            Err(Errno::ESRCH) => return Err(gone),
            // Not the main thread, or a kernel or filter without the call; the status below tells which.
            Err(_) => None,
        };
        let directory = match sys::open_at(
            sys::working_directory(),
            &path,
            libc::O_RDONLY | libc::O_DIRECTORY,
        ) {
            Ok(directory) => directory,
            Err(Errno::ENOENT | Errno::ESRCH) => return Err(gone),
            Err(errno) => return Err(proc_error(pid, "", errno)),
        };
        let mut inner = Inner {
            pid,
            directory,
            pidfd,
            start_ticks: 0,
        };
        let status = inner.read_text(c"status", "status")?;
        if let Some(group) =
            status_number(&status, "Tgid:").filter(|group| *group != i64::from(pid))
        {
            return Err(OpenError::IsThread {
                tid: pid,
                pid: i32::try_from(group).unwrap_or(0),
            });
        }
        let stat = inner.read_text(c"stat", "stat")?;
        let fields =
            StatFields::parse(&stat).ok_or_else(|| proc_error(pid, "stat", Errno::EPROTO))?;
        if matches!(fields.state, 'Z' | 'X') {
            return Err(OpenError::Zombie { pid });
        }
        if fields.flags & PF_KTHREAD != 0 {
            return Err(OpenError::KernelThread { pid });
        }
        inner.start_ticks = fields.start_ticks;
        let process = Process {
            inner: Arc::new(inner),
        };
        if process.exited() {
            return Err(gone);
        }
        Ok(process)
    }

    /// The same process seen through another of its threads, for a main thread that has ended has no memory any more. Its
    /// number is that of the thread.
    pub(crate) fn through_thread(&self, tid: i32) -> Result<Process, OpenError> {
        let gone = OpenError::NoSuchProcess { pid: tid };
        // Not listed there, but found by name, and with the files that `task` lacks.
        let path = CString::new(format!("/proc/{tid}")).map_err(|_| gone.clone())?;
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        let directory = sys::open_at(sys::working_directory(), &path, flags).map_err(|_| gone)?;
        let pidfd = self
            .pidfd()
            .and_then(|descriptor| descriptor.try_clone_to_owned().ok());
        Ok(Process {
            inner: Arc::new(Inner {
                pid: tid,
                directory,
                pidfd,
                start_ticks: self.start_ticks(),
            }),
        })
    }

    /// The number in our pid namespace.
    pub fn pid(&self) -> i32 {
        self.inner.pid
    }

    /// How long its threads have run on processors; `None` once it is gone.
    pub fn processor_time(&self) -> Option<Duration> {
        sys::processor_time(self.pid())
    }

    /// Whether the process has exited.
    pub fn exited(&self) -> bool {
        match &self.inner.pidfd {
            Some(descriptor) => sys::pidfd_exited(descriptor.as_fd()),
            None => !matches!(self.stat(), Ok(fields) if !matches!(fields.state, 'Z' | 'X')),
        }
    }

    /// A descriptor of the process that becomes readable when it exits, where the kernel has them.
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.inner
            .pidfd
            .as_ref()
            .map(|descriptor| descriptor.as_fd())
    }

    /// The start time in clock ticks since boot: with the number, it names the process for as long as the machine runs.
    pub fn start_ticks(&self) -> u64 {
        self.inner.start_ticks
    }

    /// Finds out whether its memory may be read, without reading any.
    ///
    /// # Errors
    /// [`OpenError::Denied`] with the cause, or the process has gone.
    pub fn check_access(&self) -> Result<(), OpenError> {
        let pid = self.pid();
        let mut byte = [0u8; 1];
        // Address 1 is never mapped, so a permitted read ends in EFAULT.
        match sys::read_process(pid, &[sys::remote_piece(1, 1)], &mut byte) {
            Ok(_) | Err(Errno::EFAULT) => Ok(()),
            Err(Errno::ESRCH) if self.exited() => Err(OpenError::NoSuchProcess { pid }),
            Err(Errno::ESRCH) => Err(OpenError::Zombie { pid }),
            Err(errno) => Err(OpenError::Denied {
                pid,
                cause: diagnose(pid, errno),
            }),
        }
    }

    /// The mappings as of now.
    ///
    /// # Errors
    /// The process has gone, or its mappings may not be seen.
    pub fn maps(&self) -> Result<Maps, OpenError> {
        Ok(Maps::parse(&self.read_bytes(c"maps", "maps")?))
    }

    /// The auxiliary vector that the kernel gave the program at its start (getauxval(3)), for [`crate::Module::find_all`].
    ///
    /// # Errors
    /// The process has gone, or may not be read.
    pub fn auxiliary_vector(&self) -> Result<Vec<u8>, OpenError> {
        self.read_bytes(c"auxv", "auxv")
    }

    /// The bytes of a file under `/proc/PID`; `label` is its name in errors.
    pub(crate) fn read_bytes(
        &self,
        name: &std::ffi::CStr,
        label: &'static str,
    ) -> Result<Vec<u8>, OpenError> {
        self.inner.read_bytes(name, label)
    }

    /// The same as text; bytes that are not UTF-8 are replaced.
    pub(crate) fn read_text(
        &self,
        name: &std::ffi::CStr,
        label: &'static str,
    ) -> Result<String, OpenError> {
        self.inner.read_text(name, label)
    }

    /// Opens a file under `/proc/PID`.
    pub(crate) fn open_proc(
        &self,
        name: &std::ffi::CStr,
        label: &'static str,
    ) -> Result<File, OpenError> {
        let opened = sys::open_at(self.inner.directory.as_fd(), name, libc::O_RDONLY);
        opened
            .map(File::from)
            .map_err(|errno| self.inner.failure(label, errno))
    }

    /// The target of a link under `/proc/PID`.
    pub(crate) fn read_link(
        &self,
        name: &std::ffi::CStr,
        label: &'static str,
    ) -> Result<OsString, OpenError> {
        let target = sys::read_link_at(self.inner.directory.as_fd(), name);
        target
            .map(OsString::from_vec)
            .map_err(|errno| self.inner.failure(label, errno))
    }

    /// The fields of `/proc/PID/stat`.
    pub(crate) fn stat(&self) -> Result<StatFields, OpenError> {
        let text = self.read_text(c"stat", "stat")?;
        StatFields::parse(&text).ok_or_else(|| proc_error(self.pid(), "stat", Errno::EPROTO))
    }

    /// The path under which we see a path of the process: `/proc/PID/root` and then the path.
    pub fn path_in_root(&self, path: &Path) -> PathBuf {
        let mut whole = OsString::from(format!("/proc/{}/root", self.pid()));
        if !path.as_os_str().as_bytes().starts_with(b"/") {
            whole.push("/");
        }
        whole.push(path.as_os_str());
        PathBuf::from(whole)
    }

    /// Opens a file as the process sees it, by a path of its mount namespace and root directory.
    ///
    /// # Errors
    /// As opening a file has them. Devices, sockets and pipes are refused (`EINVAL`): opening them may do something.
    pub fn open_in_root(&self, path: &Path) -> Result<File, Errno> {
        open_regular(&self.path_in_root(path), &[])
    }

    /// The bytes that the kernel holds for the file or the shared memory behind a mapping: the blocks of the object, which
    /// the page tables of one process do not show. Pages of shared memory that are swapped out count, too. `None` without
    /// an object, or without the privilege to reach one that has no name.
    pub fn object_bytes(&self, mapping: &Mapping) -> Option<u64> {
        let file = self.open_mapping(mapping).ok()?.file;
        // st_blocks has a unit of its own: stat(2).
        file.metadata().ok()?.blocks().checked_mul(512)
    }

    /// Opens the file behind a mapping: through `/proc/PID/map_files`, which needs a privilege but also reaches deleted
    /// files and shared memory; else by its path, under `/proc/PID/root` and our own root, where the inode agrees; else,
    /// for the executable, through `/proc/PID/exe`. Only regular files are ever opened.
    ///
    /// # Errors
    /// The file is out of reach, or is not a regular one.
    pub fn open_mapping(&self, mapping: &Mapping) -> Result<ModuleFile, ReadError> {
        let failed = |errno| ReadError::File {
            address: mapping.start,
            errno,
        };
        if mapping.inode == 0 {
            return Err(failed(Errno::EINVAL));
        }
        let name = CString::new(format!("map_files/{:x}-{:x}", mapping.start, mapping.end))
            .map_err(|_| failed(Errno::EINVAL))?;
        let directory = self.inner.directory.as_fd();
        let mut first_error = Errno::ENOENT;
        match sys::stat_at(directory, &name) {
            Ok(status)
                if status.st_mode & libc::S_IFMT == libc::S_IFREG
                    && status.st_ino == mapping.inode =>
            {
                match open_quietly(directory, &name) {
                    Ok(file) => {
                        return Ok(ModuleFile {
                            file,
                            source: ModuleFileSource::MapFiles,
                        });
                    }
                    Err(errno) => first_error = errno,
                }
            }
            Ok(status) if status.st_mode & libc::S_IFMT != libc::S_IFREG => {
                return Err(failed(Errno::EINVAL));
            }
            Ok(_) => {}
            Err(errno) => first_error = errno,
        }
        for path in path_candidates(mapping) {
            if !path.is_absolute() {
                continue;
            }
            for (whole, source) in [
                (self.path_in_root(&path), ModuleFileSource::Root),
                (path.clone(), ModuleFileSource::Path),
            ] {
                if let Ok(file) = open_regular(&whole, &[mapping]) {
                    return Ok(ModuleFile { file, source });
                }
            }
        }
        if let Ok(status) = sys::stat_at(directory, c"exe")
            && status.st_ino == mapping.inode
            && status.st_mode & libc::S_IFMT == libc::S_IFREG
            && let Ok(file) = open_quietly(directory, c"exe")
            && same_file(&file, mapping)
        {
            return Ok(ModuleFile {
                file,
                source: ModuleFileSource::Exe,
            });
        }
        Err(failed(first_error))
    }
}

impl Inner {
    fn read_bytes(&self, name: &std::ffi::CStr, label: &'static str) -> Result<Vec<u8>, OpenError> {
        sys::read_file_at(self.directory.as_fd(), name, PROC_LIMIT)
            .map_err(|errno| self.failure(label, errno))
    }

    fn read_text(&self, name: &std::ffi::CStr, label: &'static str) -> Result<String, OpenError> {
        let bytes = self.read_bytes(name, label)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn failure(&self, file: &'static str, errno: Errno) -> OpenError {
        let pid = self.pid;
        match errno {
            Errno::ESRCH | Errno::ENOENT => OpenError::NoSuchProcess { pid },
            Errno::EACCES | Errno::EPERM => OpenError::Denied {
                pid,
                cause: diagnose(pid, errno),
            },
            _ => OpenError::Proc { pid, file, errno },
        }
    }
}

fn proc_error(pid: i32, file: &'static str, errno: Errno) -> OpenError {
    OpenError::Proc { pid, file, errno }
}

/// Opens a file for reading without waiting for it, and where it is ours without touching its access time.
fn open_quietly(directory: BorrowedFd<'_>, name: &std::ffi::CStr) -> Result<File, Errno> {
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;
    match sys::open_at(directory, name, flags | libc::O_NOATIME) {
        Err(Errno::EPERM) => sys::open_at(directory, name, flags).map(File::from),
        other => other.map(File::from),
    }
}

/// Opens `path` if it is a regular file and the one behind each of `mappings`.
pub(crate) fn open_regular(path: &Path, mappings: &[&Mapping]) -> Result<File, Errno> {
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    let here = sys::working_directory();
    let before = sys::stat_at(here, &name)?;
    if before.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Err(Errno::EINVAL);
    }
    let file = open_quietly(here, &name)?;
    let after = sys::stat_file(file.as_fd())?;
    if after.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Err(Errno::EINVAL);
    }
    if mappings.iter().all(|mapping| same_file(&file, mapping)) {
        Ok(file)
    } else {
        Err(Errno::ESTALE)
    }
}

/// Whether an open file is the one behind a mapping. Layered file systems show another device in `/proc/PID/maps` than to
/// `stat`; there the inode must do.
fn same_file(file: &File, mapping: &Mapping) -> bool {
    let Ok(status) = sys::stat_file(file.as_fd()) else {
        return false;
    };
    if status.st_ino != mapping.inode {
        return false;
    }
    let device = (libc::major(status.st_dev), libc::minor(status.st_dev));
    device == mapping.device
        || sys::file_system_type(file.as_fd())
            .is_ok_and(|kind| LAYERED_FILE_SYSTEMS.contains(&kind))
}

/// The number after `name` in the text of `/proc/PID/status`.
pub(crate) fn status_number(status: &str, name: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Some of the fields of `/proc/PID/stat` (proc_pid_stat(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatFields {
    pub(crate) command: String,
    pub(crate) state: char,
    pub(crate) parent: i32,
    pub(crate) flags: u64,
    pub(crate) threads: u64,
    pub(crate) start_ticks: u64,
    pub(crate) resident_pages: u64,
    /// Where the kernel had the first thread's stack begin; 0 where it does not tell.
    pub(crate) start_stack: u64,
}

impl StatFields {
    /// Parses the line. The command may itself hold spaces and parentheses, so it ends at the last one.
    pub(crate) fn parse(text: &str) -> Option<StatFields> {
        let (_, rest) = text.split_once('(')?;
        let (command, rest) = rest.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |index: usize| {
            fields
                .get(index)
                .and_then(|field| field.parse::<u64>().ok())
        };
        Some(StatFields {
            command: command.to_owned(),
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            flags: number(6)?,
            threads: number(17)?,
            start_ticks: number(19)?,
            resident_pages: number(21)?,
            start_stack: number(25).unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_with_a_hostile_command() {
        let text = "12 (a) R (b) c) S 1 12 12 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 3 0 999 1000 250 18446744073709551615";
        let fields = StatFields::parse(text).unwrap();
        assert_eq!(fields.command, "a) R (b) c");
        assert_eq!(
            (
                fields.state,
                fields.parent,
                fields.threads,
                fields.start_ticks,
                fields.resident_pages
            ),
            ('S', 1, 3, 999, 250)
        );
        assert!(StatFields::parse("12 (a").is_none());
    }

    #[test]
    fn refusals() {
        assert!(matches!(
            Process::open(0),
            Err(OpenError::NoSuchProcess { .. })
        ));
        assert!(matches!(
            Process::open(i32::MAX),
            Err(OpenError::NoSuchProcess { .. })
        ));
        let own = Process::open(std::process::id() as i32).unwrap();
        assert!(!own.exited());
        own.check_access().unwrap();
    }
}
