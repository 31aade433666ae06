//! The system call perf_event_open(2): events of threads that no instruction of theirs names, and probes one by one.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use super::kernel::raw_errno;
use crate::sys::retry;

/// `struct perf_event_attr` of `linux/perf_event.h`, in the length that Linux has known since 5.13.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    bp_type: u32,
    config1: u64,
    config2: u64,
    branch_sample_type: u64,
    sample_regs_user: u64,
    sample_stack_user: u32,
    clockid: i32,
    sample_regs_intr: u64,
    aux_watermark: u32,
    sample_max_stack: u16,
    reserved: u16,
    aux_sample_size: u32,
    more_reserved: u32,
    sig_data: u64,
}

/// The length that Linux has known since 4.8, which is as much as most events need.
const SHORT: usize = 112;

const TYPE_SOFTWARE: u32 = 1;
const TYPE_BREAKPOINT: u32 = 5;
const SOFTWARE_CPU_CLOCK: u64 = 0;
const SOFTWARE_PAGE_FAULTS: u64 = 2;

/// Bits of the attributes.
const INHERIT: u64 = 1 << 1;
const EXCLUDE_KERNEL: u64 = 1 << 5;
/// Inherit by threads, not by processes (Linux 5.13).
const INHERIT_THREAD: u64 = 1 << 35;
/// The event goes when another program is executed, which [`RAISE_SIGNAL`] asks for.
const REMOVE_ON_EXEC: u64 = 1 << 36;
/// SIGTRAP is raised in the thread that counts (Linux 5.13).
const RAISE_SIGNAL: u64 = 1 << 37;

const CLOSE_ON_EXEC: libc::c_ulong = 1 << 3;
/// `PERF_EVENT_IOC_SET_BPF`: `_IOW('$', 8, __u32)`.
const SET_PROGRAM: libc::c_ulong = 0x4004_2408;
/// Where the kernel says which number its probes of instructions have, and where the reference counter goes.
const UPROBE_TYPE: &str = "/sys/bus/event_source/devices/uprobe/type";
const UPROBE_RETURN: u64 = 1;
const UPROBE_SEMAPHORE_SHIFT: u32 = 32;

/// What counts on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// Every so many page faults.
    PageFaults(u64),
    /// Every so many nanoseconds of running.
    Clock(u64),
}

/// Counts on a thread, and on those that it starts; a program that is attached runs each time the period is full.
///
/// `with_kernel` counts what happens while the thread is in the kernel, too; `children` counts processes that it forks.
pub(super) fn count(
    what: Counted,
    tid: i32,
    with_kernel: bool,
    children: bool,
) -> Result<OwnedFd, Errno> {
    let by_threads = if children { 0 } else { INHERIT_THREAD };
    let (config, period) = match what {
        Counted::PageFaults(period) => (SOFTWARE_PAGE_FAULTS, period),
        Counted::Clock(period) => (SOFTWARE_CPU_CLOCK, period),
    };
    let kernel = if with_kernel { 0 } else { EXCLUDE_KERNEL };
    let mut attributes = Attributes {
        kind: TYPE_SOFTWARE,
        config,
        sample_period: period.max(1),
        flags: INHERIT | by_threads | kernel,
        ..Attributes::default()
    };
    match open(&mut attributes, tid) {
        // Before Linux 5.13 processes that the thread forks are counted, too; a program can tell them.
        Err(Errno::EINVAL) if by_threads != 0 => {
            attributes.flags &= !INHERIT_THREAD;
            open(&mut attributes, tid)
        }
        result => result,
    }
}

/// Probes an instruction in the memory that a thread has, for all threads that have it, or with -1 in all memory. Only an attached program
/// sees hits of the others.
///
/// # Errors
/// The number of the error, which may be [`super::kernel::ENOTSUPP`].
pub(super) fn probe(
    path: &CStr,
    offset: u64,
    semaphore: u64,
    at_return: bool,
    tid: i32,
) -> Result<OwnedFd, i32> {
    let kind = std::fs::read_to_string(UPROBE_TYPE);
    let kind = kind.ok().and_then(|text| text.trim().parse::<u32>().ok());
    let semaphore = u32::try_from(semaphore).map_err(|_| libc::EOVERFLOW)?;
    let config = u64::from(semaphore) << UPROBE_SEMAPHORE_SHIFT;
    let mut attributes = Attributes {
        kind: kind.ok_or(libc::ENODEV)?,
        config: config | if at_return { UPROBE_RETURN } else { 0 },
        config1: path.as_ptr() as u64,
        config2: offset,
        sample_period: 1,
        ..Attributes::default()
    };
    open(&mut attributes, tid).map_err(raw_errno)
}

/// What the processor's registers for addresses stop at: `HW_BREAKPOINT_*` of `linux/hw_breakpoint.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Stops {
    Write = 2,
    ReadWrite = 3,
    Execute = 4,
}

/// Raises SIGTRAP with the code `TRAP_PERF` and `data` in a thread when it comes to an address in user mode: before an
/// instruction there runs, after memory there was accessed. Nothing here allocates or locks.
///
/// # Errors
/// `ENOSPC`: the processor's registers are taken. `EINVAL`, `E2BIG`: the kernel is older than 5.13.
pub(crate) fn breakpoint(
    stops: Stops,
    address: u64,
    bytes: u64,
    data: u64,
    tid: i32,
) -> Result<OwnedFd, Errno> {
    let mut attributes = Attributes {
        kind: TYPE_BREAKPOINT,
        bp_type: stops as u32,
        config1: address,
        config2: bytes,
        sample_period: 1,
        flags: EXCLUDE_KERNEL | REMOVE_ON_EXEC | RAISE_SIGNAL,
        sig_data: data,
        ..Attributes::default()
    };
    open(&mut attributes, tid)
}

/// Attaches a program to an event, for as long as that is open.
pub(super) fn set_program(event: BorrowedFd<'_>, program: BorrowedFd<'_>) -> Result<(), Errno> {
    let (event, program) = (event.as_raw_fd(), program.as_raw_fd());
    // SAFETY: both descriptors are open, and the call takes no pointer.
    retry(|| unsafe { libc::ioctl(event, SET_PROGRAM, program) })?;
    Ok(())
}

fn open(attributes: &mut Attributes, tid: i32) -> Result<OwnedFd, Errno> {
    let length = if attributes.flags & RAISE_SIGNAL == 0 {
        SHORT
    } else {
        size_of::<Attributes>()
    };
    attributes.size = u32::try_from(length).unwrap_or(0);
    // What counts in all processes does so on one processor; probes are hit on all.
    let processor = if tid < 0 { 0 } else { -1 };
    let no_group = -1;
    // SAFETY: the attributes are live, initialised and as long as they say; the path they may point to is the caller's and
    // lives through the call.
    let raw = retry(|| unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            std::ptr::from_mut(attributes),
            tid,
            processor,
            no_group,
            CLOSE_ON_EXEC,
        )
    })?;
    let raw = i32::try_from(raw).map_err(|_| Errno::EOVERFLOW)?;
    // SAFETY: the kernel has just given us this descriptor and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attributes_have_the_length_that_the_kernel_knows() {
        assert_eq!(size_of::<Attributes>(), 128);
        assert_eq!(std::mem::offset_of!(Attributes, aux_sample_size), SHORT);
    }
}
