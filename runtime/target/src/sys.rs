//! Thin, safe wrappers of the system calls that the standard library lacks. Each retries when it is interrupted.

use std::ffi::CStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::OnceLock;
use std::time::Duration;

use nix::errno::Errno;

/// The most pieces that one vectored call takes (`UIO_MAXIOV`).
pub(crate) const MAX_PIECES: usize = 1024;

/// The page of x86, and the least of other machines: stands in where `sysconf` gives no answer.
const LEAST_PAGE: u64 = 1 << 12;

/// Sends a signal to a thread.
#[cfg(target_arch = "x86_64")]
pub(crate) fn signal_thread(pid: i32, tid: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: the call takes no pointer.
    retry(|| unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, signal) }).map(drop)
}

/// The size of a page of this machine, in bytes.
pub(crate) fn page_size() -> u64 {
    static SIZE: OnceLock<u64> = OnceLock::new();
    *SIZE.get_or_init(|| {
        // SAFETY: sysconf takes no pointer.
        let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        u64::try_from(size)
            .ok()
            .filter(|size| size.is_power_of_two())
            .unwrap_or(LEAST_PAGE)
    })
}

/// The kernel's version, its first two numbers; `None` if it cannot be told.
pub(crate) fn kernel_version() -> Option<(u32, u32)> {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The processors that this machine is set up for, one at least.
pub(crate) fn processors() -> u64 {
    // SAFETY: sysconf takes no pointer.
    let processors = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) };
    u64::try_from(processors).unwrap_or(1).max(1)
}

/// Clock ticks per second, the unit of the times in `/proc/PID/stat`.
pub(crate) fn clock_ticks() -> u64 {
    // SAFETY: sysconf takes no pointer.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks)
        .ok()
        .filter(|ticks| *ticks > 0)
        .unwrap_or(100)
}

/// The time since boot, including suspension: the clock of a process's start time.
pub(crate) fn time_since_boot() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a live timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &mut time) };
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// The monotonic clock, that of `Instant` and of the programs on this machine, in nanoseconds.
pub fn monotonic_ns() -> u64 {
    clock_ns(libc::CLOCK_MONOTONIC)
}

/// The processor time of the calling thread, in nanoseconds.
pub(crate) fn thread_ns() -> u64 {
    clock_ns(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a live timespec.
    unsafe { libc::clock_gettime(clock, &mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

/// A duration in nanoseconds, the longest that there is where it is longer.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How long the threads of a process, those that have ended among them, have run on processors; `None` if it is no more.
pub fn processor_time(pid: i32) -> Option<Duration> {
    // `CPUCLOCK_SCHED`
    process_clock(pid, 2)
}

/// The processor time of a process as its clocks and the timer's interrupts tell it: for how long it has run, and the share of interrupts that found it in its own code
/// and not in the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessorTimes {
    /// How long its threads have run, exactly.
    pub ran: Duration,
    /// The interrupts that found them at it, in time.
    pub sampled: Duration,
    /// Those of them that found them in their own code.
    pub own: Duration,
}

/// The processor times of a process; `None` if it is no more.
pub fn processor_times(pid: i32) -> Option<ProcessorTimes> {
    // `CPUCLOCK_VIRT` first, so that it is never more than `CPUCLOCK_PROF`.
    let own = process_clock(pid, 1)?;
    Some(ProcessorTimes {
        ran: process_clock(pid, 2)?,
        sampled: process_clock(pid, 0)?,
        own,
    })
}

/// The time between two of the timer's interrupts.
pub fn tick() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a live timespec.
    let failed = unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC_COARSE, &mut time) } != 0;
    match u32::try_from(time.tv_nsec) {
        Ok(nanoseconds) if !failed && nanoseconds > 0 => Duration::from_nanos(nanoseconds.into()),
        // The longest that kernels are built with.
        _ => Duration::from_millis(10),
    }
}

/// A clock of a process, as in `MAKE_PROCESS_CPUCLOCK` of the kernel's include/linux/posix-timers_types.h.
fn process_clock(pid: i32, which: i32) -> Option<Duration> {
    let clock = (!pid).wrapping_shl(3) | which;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a live timespec.
    if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
        return None;
    }
    let seconds = u64::try_from(time.tv_sec).ok()?;
    Some(Duration::new(seconds, u32::try_from(time.tv_nsec).ok()?))
}

/// Runs a call that returns −1 and sets errno, again for as long as it is interrupted.
pub(crate) fn retry<T: PartialOrd + From<i8>>(mut call: impl FnMut() -> T) -> Result<T, Errno> {
    loop {
        let result = call();
        if result >= T::from(0) {
            return Ok(result);
        }
        match Errno::last() {
            Errno::EINTR => continue,
            other => return Err(other),
        }
    }
}

/// The tiers that `YTRACE_FORBID` can switch off.
pub(crate) const TIERS: [&str; 14] = [
    PAGEMAP_SCAN,
    CLOSE_RANGE,
    PIDFD_SEND_SIGNAL,
    BPF,
    UPROBE_MULTI,
    UPROBE_SESSION,
    RINGBUF,
    KERNEL_TABLES,
    CLOCK_TABLES,
    TABLE_BATCHES,
    HARDWARE_BREAKPOINTS,
    URETPROBE_STACKS,
    PERF_UPROBES,
    LOST_BY_EVENT,
];
/// The tier of asking the page table with `PAGEMAP_SCAN`.
pub(crate) const PAGEMAP_SCAN: &str = "pagemap_scan";
/// The tier of closing descriptors with `close_range`.
pub(crate) const CLOSE_RANGE: &str = "close_range";
/// The tier of ending a supervisor with `pidfd_send_signal`.
pub(crate) const PIDFD_SEND_SIGNAL: &str = "pidfd_send_signal";

/// The tier of events by programs in the kernel.
pub(crate) const BPF: &str = "bpf";
/// The tier of events by `perf_event_open` alone.
pub(crate) const PERF_UPROBES: &str = "perf_uprobes";
/// The tier of asking each event of `perf_event_open` how many of its samples found no room (Linux 6.0).
pub(crate) const LOST_BY_EVENT: &str = "lost_by_event";
/// The tier of handlers that run wholly in the kernel.
pub(crate) const KERNEL_TABLES: &str = "kernel_tables";
/// The tier of tables in the kernel for handlers of the clock and of page faults.
pub(crate) const CLOCK_TABLES: &str = "clock_tables";
/// The tier of reading many rows of a table at once.
pub(crate) const TABLE_BATCHES: &str = "table_batches";
/// The tier of probing many places by one link.
pub(crate) const UPROBE_MULTI: &str = "uprobe_multi";
/// The tier of one program for entry and return.
pub(crate) const UPROBE_SESSION: &str = "uprobe_session";
/// The tier of one buffer for all processors.
pub(crate) const RINGBUF: &str = "ringbuf";

/// The tier of breakpoints by the processor's registers, without which they are in the text.
pub(crate) const HARDWARE_BREAKPOINTS: &str = "hardware_breakpoints";

/// The tier of stacks with the return addresses that probes on returns have replaced.
pub(crate) const URETPROBE_STACKS: &str = "uretprobe_stacks";

/// Whether the tier named `name` is switched off by the environment variable `YTRACE_FORBID`, a list of names with commas
/// between them.
///
/// # Errors
/// The first word of the list that is no tier. A misspelt name would else force nothing, without a word.
pub(crate) fn forbidden(name: &str) -> Result<bool, String> {
    match std::env::var_os("YTRACE_FORBID") {
        Some(list) => is_listed(&list.to_string_lossy(), name),
        None => Ok(false),
    }
}

fn is_listed(list: &str, name: &str) -> Result<bool, String> {
    let mut words = list
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    match words.clone().find(|word| !TIERS.contains(word)) {
        Some(unknown) => Err(unknown.to_owned()),
        None => Ok(words.any(|word| word == name)),
    }
}

/// A descriptor that refers to the process for ever, even when its number is used again. Absent before Linux 5.3.
pub(crate) fn pidfd_open(pid: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: the call takes no pointer.
    let raw = retry(|| unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    let raw = i32::try_from(raw).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel has just given us this descriptor and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Sends a signal to the process of a pidfd. Absent before Linux 5.1.
///
/// # Errors
/// `ESRCH`: it has gone.
pub(crate) fn pidfd_send_signal(descriptor: BorrowedFd<'_>, signal: i32) -> Result<(), Errno> {
    let information = std::ptr::null::<libc::siginfo_t>();
    let descriptor = descriptor.as_raw_fd();
    // SAFETY: the descriptor is open; without information the kernel fills in what `kill` would.
    retry(|| unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            descriptor,
            signal,
            information,
            0,
        )
    })?;
    Ok(())
}

/// Whether the process of a pidfd has exited: its descriptor is then readable.
pub(crate) fn pidfd_exited(descriptor: BorrowedFd<'_>) -> bool {
    let mut poll = libc::pollfd {
        fd: descriptor.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: the pointer is to one live pollfd, as the count says.
    let ready = retry(|| unsafe { libc::poll(&mut poll, 1, 0) });
    ready.is_ok_and(|ready| ready > 0) && poll.revents & libc::POLLIN != 0
}

/// Stands for the working directory in the calls that take a directory.
pub(crate) fn working_directory() -> BorrowedFd<'static> {
    // SAFETY: AT_FDCWD is a constant that these calls know; it is never closed.
    unsafe { BorrowedFd::borrow_raw(libc::AT_FDCWD) }
}

/// Opens `name` relative to a directory.
pub(crate) fn open_at(
    directory: BorrowedFd<'_>,
    name: &CStr,
    flags: i32,
) -> Result<OwnedFd, Errno> {
    let flags = flags | libc::O_CLOEXEC;
    // SAFETY: the name is a terminated string that outlives the call.
    let raw = retry(|| unsafe { libc::openat(directory.as_raw_fd(), name.as_ptr(), flags) })?;
    // SAFETY: the kernel has just given us this descriptor and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// The target of the symbolic link `name` in a directory, at most 64 KiB of it.
pub(crate) fn read_link_at(directory: BorrowedFd<'_>, name: &CStr) -> Result<Vec<u8>, Errno> {
    let mut target = vec![0u8; 1 << 10];
    loop {
        let room = target.len();
        // SAFETY: name is terminated; the buffer is writable for the length given.
        let length = retry(|| unsafe {
            libc::readlinkat(
                directory.as_raw_fd(),
                name.as_ptr(),
                target.as_mut_ptr().cast(),
                room,
            )
        })?;
        let length = usize::try_from(length).unwrap_or(0);
        if length < room || room >= 65_536 {
            target.truncate(length);
            return Ok(target);
        }
        target.resize(room * 2, 0);
    }
}

/// What `stat` says about `name` in a directory, links followed, nothing opened.
pub(crate) fn stat_at(directory: BorrowedFd<'_>, name: &CStr) -> Result<libc::stat, Errno> {
    let mut status = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: name is terminated and status is writable.
    retry(|| unsafe {
        libc::fstatat(directory.as_raw_fd(), name.as_ptr(), status.as_mut_ptr(), 0)
    })?;
    // SAFETY: all-zero bytes are a valid stat, and the kernel has filled it.
    Ok(unsafe { status.assume_init() })
}

/// What `stat` says about an open file.
pub(crate) fn stat_file(file: BorrowedFd<'_>) -> Result<libc::stat, Errno> {
    let mut status = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: status is writable.
    retry(|| unsafe { libc::fstat(file.as_raw_fd(), status.as_mut_ptr()) })?;
    // SAFETY: all-zero bytes are a valid stat, and the kernel has filled it.
    Ok(unsafe { status.assume_init() })
}

/// The type of the file system that holds an open file (`f_type` of `statfs`).
pub(crate) fn file_system_type(file: BorrowedFd<'_>) -> Result<i64, Errno> {
    let mut status = std::mem::MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: status is writable.
    retry(|| unsafe { libc::fstatfs(file.as_raw_fd(), status.as_mut_ptr()) })?;
    // SAFETY: all-zero bytes are a valid statfs, and the kernel has filled it.
    #[allow(clippy::unnecessary_cast)]
    Ok(unsafe { status.assume_init() }.f_type as i64)
}

/// The next offset at or after `offset` that holds data; `None` when only holes follow.
pub(crate) fn next_data(file: BorrowedFd<'_>, offset: u64) -> Result<Option<u64>, Errno> {
    seek(file, offset, libc::SEEK_DATA)
}

/// The next hole at or after `offset`; the end of the file counts as one.
pub(crate) fn next_hole(file: BorrowedFd<'_>, offset: u64) -> Result<Option<u64>, Errno> {
    seek(file, offset, libc::SEEK_HOLE)
}

fn seek(file: BorrowedFd<'_>, offset: u64, whence: i32) -> Result<Option<u64>, Errno> {
    let offset = i64::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
    // SAFETY: the call takes no pointer.
    match retry(|| unsafe { libc::lseek(file.as_raw_fd(), offset, whence) }) {
        Ok(found) => Ok(u64::try_from(found).ok()),
        Err(Errno::ENXIO) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Reads from an open file at an offset; short only at the end of the file.
pub(crate) fn read_at(
    file: BorrowedFd<'_>,
    buffer: &mut [u8],
    offset: u64,
) -> Result<usize, Errno> {
    let mut done = 0usize;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let position = offset
            .checked_add(done as u64)
            .and_then(|position| i64::try_from(position).ok());
        let position = position.ok_or(Errno::EOVERFLOW)?;
        // SAFETY: the buffer is writable for the length given.
        let got = retry(|| unsafe {
            libc::pread64(
                file.as_raw_fd(),
                rest.as_mut_ptr().cast(),
                rest.len(),
                position,
            )
        })?;
        match usize::try_from(got) {
            Ok(0) | Err(_) => break,
            Ok(got) => done += got,
        }
    }
    Ok(done)
}

/// Reads `name` of a directory to its end, at most `limit` bytes.
pub(crate) fn read_file_at(
    directory: BorrowedFd<'_>,
    name: &CStr,
    limit: u64,
) -> Result<Vec<u8>, Errno> {
    let file = File::from(open_at(directory, name, libc::O_RDONLY)?);
    let mut content = Vec::new();
    file.take(limit)
        .read_to_end(&mut content)
        .map_err(|error| errno_of(&error))?;
    Ok(content)
}

/// The error number of a standard library error.
pub(crate) fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}

/// Copies remote pieces, one after another, into `local`; returns the bytes copied, which are fewer than asked for where a
/// page could not be read. At most [`MAX_PIECES`] pieces are looked at.
///
/// # Errors
/// The error of the call when nothing could be read: `EFAULT` for an unreadable first page, `ESRCH`, `EPERM`.
pub(crate) fn read_process(
    pid: i32,
    remote: &[libc::iovec],
    local: &mut [u8],
) -> Result<usize, Errno> {
    let piece = libc::iovec {
        iov_base: local.as_mut_ptr().cast(),
        iov_len: local.len(),
    };
    let count = remote.len().min(MAX_PIECES) as libc::c_ulong;
    // SAFETY: the local piece is a writable slice; remote pieces are only addresses in the other process, which the
    // kernel checks, and their list is live for the count given.
    let got =
        retry(|| unsafe { libc::process_vm_readv(pid, &piece, 1, remote.as_ptr(), count, 0) })?;
    Ok(usize::try_from(got).unwrap_or(0))
}

/// A piece of another process's memory. Its address is never dereferenced here.
pub(crate) fn remote_piece(address: u64, length: usize) -> libc::iovec {
    libc::iovec {
        iov_base: std::ptr::without_provenance_mut(address as usize),
        iov_len: length,
    }
}

/// Asks for the calling thread to be scheduled before all ordinary threads; says whether it was granted.
pub(crate) fn schedule_first() -> bool {
    // SAFETY: an all-zero sched_param is valid, on every libc.
    let mut parameter = unsafe { std::mem::zeroed::<libc::sched_param>() };
    parameter.sched_priority = 1;
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    // SAFETY: the pointer is to a live sched_param; 0 means the calling thread.
    unsafe { libc::sched_setscheduler(0, policy, &parameter) == 0 }
}

/// Undoes [`schedule_first`] for the calling thread.
pub(crate) fn schedule_as_usual() {
    // SAFETY: an all-zero sched_param is valid, on every libc.
    let parameter = unsafe { std::mem::zeroed::<libc::sched_param>() };
    // SAFETY: the pointer is to a live sched_param; 0 means the calling thread. Giving up a privilege is not refused.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &parameter) };
}

/// Asks the kernel to end other processes before this one when memory is short. That needs a privilege; without it nothing is
/// changed. Nothing here allocates.
pub(crate) fn spare_from_memory_shortage() {
    let Ok(file) = open_at(
        working_directory(),
        c"/proc/self/oom_score_adj",
        libc::O_WRONLY,
    ) else {
        return;
    };
    let least = b"-1000";
    // SAFETY: the bytes are live for the length given.
    unsafe { libc::write(file.as_raw_fd(), least.as_ptr().cast(), least.len()) };
}

/// Allows this process as many descriptors as it may allow itself. Nothing here allocates.
pub(crate) fn allow_descriptors() {
    // SAFETY: all-zero limits are valid, and the pointers are to live ones.
    unsafe {
        let mut limit = std::mem::zeroed::<libc::rlimit>();
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// Writes into the memory of a process as the process itself could; nothing where a page could not be written.
///
/// # Errors
/// `EFAULT`: not all of it could be written.
pub(crate) fn write_process(pid: i32, address: u64, bytes: &[u8]) -> Result<(), Errno> {
    let local = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let remote = remote_piece(address, bytes.len());
    // SAFETY: the local piece is live and only read; the remote one is an address that the kernel checks.
    let done = retry(|| unsafe { libc::process_vm_writev(pid, &local, 1, &remote, 1, 0) })?;
    match usize::try_from(done) == Ok(bytes.len()) {
        true => Ok(()),
        false => Err(Errno::EFAULT),
    }
}

/// Makes short sleeps of the calling thread end on time: the default slack is 50 µs.
pub(crate) fn wake_punctually() {
    // SAFETY: the call takes no pointer; it concerns the calling thread only.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong, 0, 0, 0) };
}

/// Whether the effective capabilities of the calling thread hold `capability`.
pub(crate) fn has_capability(capability: u32) -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/thread-self/status") else {
        return false;
    };
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> capability & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_tiers_can_be_forbidden() {
        assert_eq!(is_listed("", PAGEMAP_SCAN), Ok(false));
        assert_eq!(is_listed(" pagemap_scan ,", PAGEMAP_SCAN), Ok(true));
        assert_eq!(
            is_listed("pagemap_scan,pagemap-scan", PAGEMAP_SCAN),
            Err("pagemap-scan".to_owned())
        );
    }
}
