//! What `/proc` says of single threads. Nothing here allocates or locks, so that a forked child may use it.

use std::ffi::CStr;
use std::fmt::{self, Write};
#[cfg(target_arch = "x86_64")]
use std::os::fd::BorrowedFd;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;

#[cfg(target_arch = "x86_64")]
use crate::maps::Origin;
use crate::sys;

/// Longer than every path under `/proc/PID/task` that is asked for.
const PATH_BYTES: usize = 80;
/// Longer than the parts of `stat`, `status` and `syscall` that are looked at.
const TEXT_BYTES: usize = 1 << 10;
/// Bytes of the list of threads that are read at a time.
const LIST_BYTES: usize = 8 << 10;
/// More than stands before the name of a file in a line of the mappings (86 bytes at most), and than what is looked for in others.
#[cfg(target_arch = "x86_64")]
const HEAD_BYTES: usize = 96;

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

/// Where the stack of a process began when it executed its program; `None` where that is not told.
#[cfg(target_arch = "x86_64")]
pub(crate) fn first_stack_pointer(pid: i32) -> Option<u64> {
    /// Words between the state and that one (proc_pid_stat(5)).
    const BEFORE: usize = 24;
    let text = Text::read(pid, pid, "stat")?;
    let stat = text.bytes();
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = stat.get(end + 1..)?.trim_ascii();
    let word = rest.split(|byte| *byte == b' ').nth(1 + BEFORE)?;
    let address = std::str::from_utf8(word).ok()?.parse().ok()?;
    (address > 1).then_some(address)
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

/// Opens the list of the mappings of a process. It stays readable when the process changes its rights later.
#[cfg(target_arch = "x86_64")]
pub(crate) fn open_maps(pid: i32) -> Result<OwnedFd, Errno> {
    Path::new(format_args!("/proc/{pid}/maps"))?.open(libc::O_RDONLY)
}

/// Memory that is mapped.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mapped {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) executable: bool,
    /// What is written there is seen by others who map the same.
    pub(crate) shared: bool,
    /// Where its first address comes from.
    first: Origin,
}

#[cfg(target_arch = "x86_64")]
impl Mapped {
    /// Where an address in it comes from.
    pub(crate) fn origin(&self, address: u64) -> Origin {
        let within = address.wrapping_sub(self.start);
        Origin {
            offset: self.first.offset.wrapping_add(within),
            ..self.first
        }
    }
}

/// The mappings of a process, read as far as they are asked for: once, where addresses are asked for in ascending order.
#[cfg(target_arch = "x86_64")]
#[derive(Debug)]
pub(crate) struct Mappings<'a> {
    file: BorrowedFd<'a>,
    /// Where the file is read next.
    position: u64,
    buffer: [u8; LIST_BYTES],
    filled: usize,
    /// The bytes of the buffer that have been looked at.
    seen: usize,
    /// The mapping that was read last.
    last: Option<Mapped>,
}

#[cfg(target_arch = "x86_64")]
impl<'a> Mappings<'a> {
    /// Nothing is read yet. The file is that of [`open_maps`].
    pub(crate) fn new(file: BorrowedFd<'a>) -> Mappings<'a> {
        Mappings {
            file,
            position: 0,
            buffer: [0; LIST_BYTES],
            filled: 0,
            seen: 0,
            last: None,
        }
    }

    /// Has everything read anew.
    pub(crate) fn forget(&mut self) {
        (self.position, self.filled, self.seen) = (0, 0, 0);
        self.last = None;
    }

    /// What is mapped at an address.
    pub(crate) fn at(&mut self, address: u64) -> Result<Option<Mapped>, Errno> {
        if self.last.is_some_and(|last| address < last.start) {
            self.forget();
        }
        loop {
            if let Some(last) = self.last.filter(|last| address < last.end) {
                return Ok((last.start <= address).then_some(last));
            }
            match self.next()? {
                Some(next) => self.last = Some(next),
                None => return Ok(None),
            }
        }
    }

    fn next(&mut self) -> Result<Option<Mapped>, Errno> {
        let mut head = [0u8; HEAD_BYTES];
        let mut length = 0;
        loop {
            let Some(byte) = self
                .buffer
                .get(self.seen..self.filled)
                .and_then(<[u8]>::first)
            else {
                let got = sys::read_at(self.file, &mut self.buffer, self.position)?;
                if got == 0 {
                    return Ok(None);
                }
                self.position = self.position.saturating_add(got as u64);
                (self.filled, self.seen) = (got, 0);
                continue;
            };
            let byte = *byte;
            self.seen += 1;
            if byte != b'\n' {
                if let Some(place) = head.get_mut(length) {
                    *place = byte;
                    length += 1;
                }
                continue;
            }
            let found = mapping(head.get(..length).unwrap_or(&[]));
            if found.is_some() {
                return Ok(found);
            }
            length = 0;
        }
    }
}

/// What is mapped at an address of a process, as `/proc/PID/maps` tells (proc_pid_maps(5)).
#[cfg(target_arch = "x86_64")]
pub(crate) fn mapping_at(pid: i32, address: u64) -> Result<Option<Mapped>, Errno> {
    let path = Path::new(format_args!("/proc/{pid}/maps"))?;
    find_line(&path, |line| {
        mapping(line).filter(|found| (found.start..found.end).contains(&address))
    })
}

/// The signals of a thread, each a bit, the lowest for number 1.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SignalSets {
    /// Those that it blocks.
    pub(crate) blocked: u64,
    /// Those that its process ignores.
    pub(crate) ignored: u64,
    /// Those that its process has handlers for.
    pub(crate) caught: u64,
}

/// What `status` says of a thread's signals; `None` when there is no such thread.
#[cfg(target_arch = "x86_64")]
pub(crate) fn signal_sets(pid: i32, tid: i32) -> Option<SignalSets> {
    let path = Path::new(format_args!("/proc/{pid}/task/{tid}/status")).ok()?;
    let mut sets = SignalSets::default();
    find_line(&path, |line| {
        let (name, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
        let place = match name {
            b"SigBlk" => &mut sets.blocked,
            b"SigIgn" => &mut sets.ignored,
            b"SigCgt" => &mut sets.caught,
            _ => return None,
        };
        let digits = std::str::from_utf8(value.get(1..)?).ok()?;
        *place = u64::from_str_radix(digits.trim(), 16).ok()?;
        // It is the last of them.
        (name == b"SigCgt").then_some(())
    })
    .ok()??;
    Some(sets)
}

/// The first that `find` makes of the lines of a file, of each of which it is given the beginning.
#[cfg(target_arch = "x86_64")]
fn find_line<T>(path: &Path, mut find: impl FnMut(&[u8]) -> Option<T>) -> Result<Option<T>, Errno> {
    let file = path.open(libc::O_RDONLY)?;
    let mut buffer = [0u8; LIST_BYTES];
    let mut head = [0u8; HEAD_BYTES];
    let mut length = 0;
    loop {
        // SAFETY: the buffer is writable for the length given.
        let got = sys::retry(|| unsafe {
            libc::read(file.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len())
        })?;
        let got = usize::try_from(got).unwrap_or(0);
        if got == 0 {
            return Ok(None);
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
            if let Some(found) = find(line) {
                return Ok(Some(found));
            }
        }
    }
}

/// What a line of the mappings says, `START-END PERMISSIONS OFFSET MAJOR:MINOR INODE …`.
#[cfg(target_arch = "x86_64")]
fn mapping(line: &[u8]) -> Option<Mapped> {
    let line = std::str::from_utf8(line).unwrap_or_else(|error| {
        let valid = line.get(..error.valid_up_to()).unwrap_or(&[]);
        std::str::from_utf8(valid).unwrap_or("")
    });
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let permissions = words.next()?.as_bytes();
    let offset = words.next()?;
    let (major, minor) = words.next()?.split_once(':')?;
    let inode = words.next()?;
    Some(Mapped {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        executable: permissions.get(2) == Some(&b'x'),
        shared: permissions.get(3) == Some(&b's'),
        first: Origin {
            device: (
                u32::from_str_radix(major, 16).ok()?,
                u32::from_str_radix(minor, 16).ok()?,
            ),
            inode: inode.parse().ok()?,
            offset: u64::from_str_radix(offset, 16).ok()?,
        },
    })
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
        let executable =
            |address| mapping_at(pid, address).map(|found| found.map(|found| found.executable));
        assert_eq!(executable(code), Ok(Some(true)));
        assert_eq!(executable((&raw const data) as u64), Ok(Some(false)));
        assert_eq!(mapping_at(pid, 1), Ok(None));
        let expected = |shared| Mapped {
            start: 0x10,
            end: 0x20,
            executable: true,
            shared,
            first: Origin {
                device: (0xfd, 1),
                inode: 7,
                offset: 0x30,
            },
        };
        let found = mapping(b"10-20 r-xp 30 fd:01 7 \xff").unwrap();
        assert_eq!(found, expected(false));
        assert_eq!(found.origin(0x12).offset, 0x32);
        assert_eq!(mapping(b"10-20 rwxs 30 fd:01 7"), Some(expected(true)));
        assert_eq!(mapping(b"10-20 rwxs 30 fd:01"), None);
        assert_eq!(mapping(b"10"), None);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn own_mappings_are_found_in_any_order() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let code = own_code as fn() as usize as u64;
        let data = 7u64;
        let data = (&raw const data) as u64;
        let file = open_maps(pid).unwrap();
        let mut mappings = Mappings::new(file.as_fd());
        for address in [code, data, 1, u64::MAX, code + 1, code, data] {
            let expected = mapping_at(pid, address).unwrap();
            let expected = expected.map(|found| found.origin(address));
            let found = mappings.at(address).unwrap();
            assert_eq!(found.map(|found| found.origin(address)), expected);
        }
        let found = mappings.at(code).unwrap().unwrap().origin(code);
        assert!(found.is_file());
        let text = std::fs::read("/proc/self/maps").unwrap();
        let maps = crate::maps::Maps::parse(&text);
        assert_eq!(maps.find(code).unwrap().origin(code), found);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn own_stack() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let stack = maps.lines().find(|line| line.ends_with("[stack]")).unwrap();
        let found = mapping_at(pid, first_stack_pointer(pid).unwrap());
        assert_eq!(found.unwrap(), mapping(stack.as_bytes()));
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn own_signals() {
        let pid = i32::try_from(std::process::id()).unwrap();
        // The standard library ignores SIGPIPE, and has a handler of SIGSEGV for overflows of stacks.
        let sets = signal_sets(pid, pid).unwrap();
        assert_ne!(sets.ignored & 1 << (libc::SIGPIPE - 1), 0);
        assert_ne!(sets.caught & 1 << (libc::SIGSEGV - 1), 0);
        assert_eq!(signal_sets(pid, i32::MAX), None);
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
