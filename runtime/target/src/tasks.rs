//! What `/proc` says of single threads. Nothing here allocates or locks, so that a forked child may use it.

use std::ffi::CStr;
use std::fmt::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;

use crate::sys;

/// Longer than every path under `/proc/PID/task` that is asked for.
const PATH_BYTES: usize = 80;
/// Longer than the parts of `stat`, `status` and `syscall` that are looked at.
const TEXT_BYTES: usize = 1 << 10;
/// Bytes of the list of threads that are read at a time.
const LIST_BYTES: usize = 8 << 10;

/// A path, put together without allocating.
struct Path {
    bytes: [u8; PATH_BYTES],
    length: usize,
}

impl Path {
    fn new(text: fmt::Arguments<'_>) -> Result<Path, Errno> {
        let mut path = Path {
            bytes: [0; PATH_BYTES],
            length: 0,
        };
        path.write_fmt(text).map_err(|_| Errno::ENAMETOOLONG)?;
        Ok(path)
    }

    fn open(&self, flags: i32) -> Result<OwnedFd, Errno> {
        let name = CStr::from_bytes_until_nul(&self.bytes).map_err(|_| Errno::ENAMETOOLONG)?;
        sys::open_at(sys::working_directory(), name, flags)
    }
}

impl fmt::Write for Path {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // One byte is left for the terminating zero.
        let room = self.bytes.get_mut(self.length..PATH_BYTES - 1);
        let part = room.and_then(|room| room.get_mut(..text.len()));
        part.ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

/// The beginning of a file of a thread.
struct Text {
    bytes: [u8; TEXT_BYTES],
    length: usize,
}

impl Text {
    fn read(pid: i32, tid: i32, name: &str) -> Option<Text> {
        let path = Path::new(format_args!("/proc/{pid}/task/{tid}/{name}")).ok()?;
        let file = path.open(libc::O_RDONLY).ok()?;
        let mut text = Text {
            bytes: [0; TEXT_BYTES],
            length: 0,
        };
        text.length = sys::read_at(file.as_fd(), &mut text.bytes, 0).ok()?;
        Some(text)
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

/// The state letter of a thread (proc_pid_stat(5)); `None` when there is no such thread.
pub(crate) fn thread_state(pid: i32, tid: i32) -> Option<char> {
    let text = Text::read(pid, tid, "stat")?;
    state_letter(text.bytes())
}

/// The name of a thread may itself hold parentheses and spaces, so it ends at the last parenthesis.
fn state_letter(stat: &[u8]) -> Option<char> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let mut rest = stat.get(end + 1..)?.iter();
    rest.find(|byte| **byte != b' ')
        .map(|byte| char::from(*byte))
}

/// Whether a thread has exited, or is about to run nothing but its exit since it was killed, by a signal or by the exit of its
/// process.
#[cfg(target_arch = "x86_64")]
pub(crate) fn is_dying(pid: i32, tid: i32) -> bool {
    Text::read(pid, tid, "stat").is_none_or(|text| has_exited_or_is_killed(text.bytes()))
}

/// Words between the state of a thread and the signals that are pending for it (proc_pid_stat(5)).
#[cfg(target_arch = "x86_64")]
const PENDING_BEFORE: usize = 27;

#[cfg(target_arch = "x86_64")]
fn has_exited_or_is_killed(stat: &[u8]) -> bool {
    const KILL: i64 = 1 << (libc::SIGKILL - 1);
    if matches!(state_letter(stat), Some('Z' | 'X')) {
        return true;
    }
    let Some(end) = stat.iter().rposition(|byte| *byte == b')') else {
        return false;
    };
    let rest = stat.get(end + 1..).unwrap_or(&[]).trim_ascii();
    let word = rest.split(|byte| *byte == b' ').nth(1 + PENDING_BEFORE);
    let word = word.and_then(|word| std::str::from_utf8(word).ok());
    let pending = word.and_then(|word| word.parse::<i64>().ok());
    pending.is_some_and(|pending| pending & KILL != 0)
}

/// The tracer of a thread; `None` where there is none.
pub(crate) fn thread_tracer(pid: i32, tid: i32) -> Option<i32> {
    /// What stands before the number.
    const NAME: &[u8] = b"TracerPid:";
    let text = Text::read(pid, tid, "status")?;
    let mut lines = text.bytes().split(|byte| *byte == b'\n');
    let value = lines.find_map(|line| line.strip_prefix(NAME))?;
    number(value.trim_ascii()).filter(|tracer| *tracer != 0)
}

/// The words of `/proc/PID/task/TID/syscall` (proc_pid_syscall(5)): the number of the system call, its six arguments, the
/// stack pointer and the instruction pointer. `None` for a thread that is not in a call.
#[cfg(target_arch = "aarch64")]
pub(crate) fn system_call(pid: i32, tid: i32) -> Option<[u64; 9]> {
    let text = Text::read(pid, tid, "syscall")?;
    let mut words = text.bytes().split(|byte| byte.is_ascii_whitespace());
    let mut found = [0u64; 9];
    for (index, slot) in found.iter_mut().enumerate() {
        let word = std::str::from_utf8(words.next()?).ok()?;
        *slot = match index {
            0 => word.parse().ok()?,
            _ => u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()?,
        };
    }
    Some(found)
}

/// Whether a thread waits within a system call that makes a process: with `vfork`, until that has executed another program.
#[cfg(target_arch = "x86_64")]
pub(crate) fn is_making_process(pid: i32, tid: i32) -> bool {
    /// `fork`, `clone` and `vfork` of 32-bit programs.
    const COMPAT: [libc::c_long; 3] = [2, 120, 190];
    let Some(text) = Text::read(pid, tid, "syscall") else {
        return false;
    };
    let mut words = text.bytes().split(|byte| byte.is_ascii_whitespace());
    let call = words.next().and_then(number).map(libc::c_long::from);
    call.is_some_and(|call| {
        [
            libc::SYS_clone,
            libc::SYS_fork,
            libc::SYS_vfork,
            libc::SYS_clone3,
        ]
        .contains(&call)
            || COMPAT.contains(&call)
    })
}

/// The stack pointer of a thread that waits in the kernel or is stopped; `None` for one that runs. After the number of a system call come its
/// six arguments, after -1, in no call, nothing; then the stack pointer and the instruction pointer.
pub(crate) fn stack_pointer(pid: i32, tid: i32) -> Option<u64> {
    let text = Text::read(pid, tid, "syscall")?;
    let text = std::str::from_utf8(text.bytes()).ok()?;
    let pointer = text.split_ascii_whitespace().rev().nth(1)?;
    u64::from_str_radix(pointer.strip_prefix("0x")?, 16).ok()
}

/// Opens the memory of a process for reading and writing.
#[cfg(target_arch = "x86_64")]
pub(crate) fn open_memory(pid: i32) -> Result<OwnedFd, Errno> {
    Path::new(format_args!("/proc/{pid}/mem"))?.open(libc::O_RDWR)
}

/// Whether executable memory is mapped at an address of a process, as `/proc/PID/maps` tells (proc_pid_maps(5)).
#[cfg(target_arch = "x86_64")]
pub(crate) fn is_executable(pid: i32, address: u64) -> Result<bool, Errno> {
    /// More than stands before the name of a file in any line.
    const HEAD: usize = 64;
    let file = Path::new(format_args!("/proc/{pid}/maps"))?.open(libc::O_RDONLY)?;
    let mut buffer = [0u8; LIST_BYTES];
    let mut head = [0u8; HEAD];
    let mut length = 0;
    loop {
        // SAFETY: the buffer is writable for the length given.
        let got = sys::retry(|| unsafe {
            libc::read(file.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len())
        })?;
        let got = usize::try_from(got).unwrap_or(0);
        if got == 0 {
            return Ok(false);
        }
        for byte in buffer.get(..got).unwrap_or(&[]) {
            if *byte != b'\n' {
                if let Some(place) = head.get_mut(length) {
                    *place = *byte;
                    length += 1;
                }
                continue;
            }
            let line = head.get(..length).unwrap_or(&[]);
            length = 0;
            if let Some(executable) = mapping_at(line, address) {
                return Ok(executable);
            }
        }
    }
}

/// Whether a line of the mappings, `START-END PERMISSIONS …`, holds an address, and if so, whether it is executable.
#[cfg(target_arch = "x86_64")]
fn mapping_at(line: &[u8], address: u64) -> Option<bool> {
    let line = std::str::from_utf8(line).unwrap_or_else(|error| {
        let valid = line.get(..error.valid_up_to()).unwrap_or(&[]);
        std::str::from_utf8(valid).unwrap_or("")
    });
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let start = u64::from_str_radix(start, 16).ok()?;
    let end = u64::from_str_radix(end, 16).ok()?;
    let permissions = words.next()?;
    (start..end)
        .contains(&address)
        .then(|| permissions.as_bytes().get(2) == Some(&b'x'))
}

/// Calls `each` for every thread of a process; its error ends that.
///
/// # Errors
/// That error, or that of listing: `ENOENT` or `ESRCH` when the process has gone.
pub(crate) fn each_thread<E: From<Errno>>(
    pid: i32,
    mut each: impl FnMut(i32) -> Result<(), E>,
) -> Result<(), E> {
    let path = Path::new(format_args!("/proc/{pid}/task"))?;
    each_number(&path, |_, tid| each(tid))
}

/// Calls `each` for every open descriptor of this process but the one that the list itself is read from. It may close them.
///
/// # Errors
/// That of listing.
pub(crate) fn each_descriptor(mut each: impl FnMut(i32)) -> Result<(), Errno> {
    let path = Path::new(format_args!("/proc/self/fd"))?;
    each_number(&path, |list, descriptor| {
        if descriptor != list {
            each(descriptor);
        }
        Ok(())
    })
}

/// Calls `each` for every name in a directory that is a number, together with the directory's descriptor.
fn each_number<E: From<Errno>>(
    path: &Path,
    mut each: impl FnMut(i32, i32) -> Result<(), E>,
) -> Result<(), E> {
    /// Where the length and the name lie in `struct linux_dirent64` (getdents(2)).
    const LENGTH: usize = 16;
    const NAME: usize = 19;
    let directory = path.open(libc::O_RDONLY | libc::O_DIRECTORY)?;
    // The kernel writes records that are aligned to eight bytes.
    let mut buffer = [0u64; LIST_BYTES / 8];
    loop {
        // SAFETY: the buffer is writable for the length given.
        let got = sys::retry(|| unsafe {
            libc::syscall(
                libc::SYS_getdents64,
                directory.as_raw_fd(),
                buffer.as_mut_ptr(),
                LIST_BYTES,
            )
        })?;
        let got = usize::try_from(got).unwrap_or(0).min(LIST_BYTES);
        if got == 0 {
            return Ok(());
        }
        // SAFETY: the bytes of initialized numbers, of which there are more than `got`.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), got) };
        let mut rest = bytes;
        while let Some(length) = rest.get(LENGTH..LENGTH + 2) {
            let length = u16::from_ne_bytes(length.try_into().unwrap_or([0; 2])).into();
            let Some((record, after)) = rest.split_at_checked(length).filter(|_| length > 0) else {
                break;
            };
            let name = record.get(NAME..).unwrap_or(&[]);
            let name = name.split(|byte| *byte == 0).next().unwrap_or(&[]);
            if let Some(number) = number(name) {
                each(directory.as_raw_fd(), number)?;
            }
            rest = after;
        }
    }
}

fn number(digits: &[u8]) -> Option<i32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_threads() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let mut threads = Vec::new();
        each_thread(pid, |tid| {
            threads.push(tid);
            Ok::<(), Errno>(())
        })
        .unwrap();
        assert!(threads.contains(&pid));
        assert!(thread_state(pid, pid).is_some());
        assert_eq!(thread_tracer(pid, pid), None);
        assert_eq!(thread_state(pid, i32::MAX), None);
        let gone = each_thread(i32::MAX, |_| Ok::<(), Errno>(()));
        assert_eq!(gone, Err(Errno::ENOENT));
        let end = each_thread(pid, |_| Err(Errno::E2BIG));
        assert_eq!(end, Err(Errno::E2BIG));
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn own_code() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let code = own_code as fn() as usize as u64;
        let data = 7u64;
        assert_eq!(is_executable(pid, code), Ok(true));
        assert_eq!(is_executable(pid, (&raw const data) as u64), Ok(false));
        assert_eq!(is_executable(pid, 1), Ok(false));
        assert_eq!(mapping_at(b"10-20 r-xp 0 \xff", 0x1f), Some(true));
        assert_eq!(mapping_at(b"10-20 r-xp 0", 0x20), None);
        assert_eq!(mapping_at(b"10", 0x10), None);
    }

    #[test]
    fn own_descriptors() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let mut found = Vec::new();
        each_descriptor(|descriptor| found.push(descriptor)).unwrap();
        assert!(found.contains(&file.as_raw_fd()), "{found:?}");
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn the_dying_are_known() {
        let with = |letter: char, pending: i64| {
            let words = "1 ".repeat(PENDING_BEFORE);
            format!("12 (a) 1 {pending}) {letter} {words}{pending} 0 0 0")
        };
        let dying = |letter, pending| has_exited_or_is_killed(with(letter, pending).as_bytes());
        assert!(dying('R', 256) && dying('t', 256 | 2));
        assert!(dying('Z', 0) && dying('X', 0));
        assert!(!dying('R', 0) && !dying('S', 2));
        assert!(!has_exited_or_is_killed(b"12 (a) R 1 256"));
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(!is_dying(own, own) && is_dying(own, i32::MAX));
    }

    #[test]
    fn names_do_not_mislead() {
        assert_eq!(state_letter(b"12 (a) R (b) c) S 1 12"), Some('S'));
        assert_eq!(state_letter(b"12 (a"), None);
        assert!(Path::new(format_args!("{:200}", 1)).is_err());
    }
}
