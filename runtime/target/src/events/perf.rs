//! The system call perf_event_open(2): events of threads that no instruction of theirs names, and probes one by one.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::OnceLock;

use nix::errno::Errno;

use super::shield::{Call, shielded};
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
const SOFTWARE_DUMMY: u64 = 9;

/// Bits of the attributes.
const DISABLED: u64 = 1;
const EXCLUDE_KERNEL: u64 = 1 << 5;
const EXCLUDE_IDLE: u64 = 1 << 7;
/// Other programs, and names that threads give themselves.
const TELL_NAMES: u64 = 1 << 9;
/// Threads and processes that begin and end.
const TELL_TASKS: u64 = 1 << 13;
/// What is told besides samples says where it is from, too.
const ALWAYS_FROM: u64 = 1 << 18;
/// Another program is told from another name.
const TELL_PROGRAMS: u64 = 1 << 24;
const OWN_CLOCK: u64 = 1 << 25;
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

/// `PERF_EVENT_IOC_*`: `_IO('$', n)`, and `_IOR('$', 7, __u64 *)`.
const ENABLE: libc::c_ulong = 0x2400;
const DISABLE: libc::c_ulong = 0x2401;
const SET_OUTPUT: libc::c_ulong = 0x2405;
const IDENTITY: libc::c_ulong = 0x8008_2407;

/// What a sample has (`enum perf_event_sample_format`): the thread, the time, the address, the processor, the registers and the stack of
/// the program, and first of all the number of the event.
const SAMPLE_THREAD: u64 = 1 << 1;
const SAMPLE_TIME: u64 = 1 << 2;
const SAMPLE_ADDRESS: u64 = 1 << 3;
const SAMPLE_PROCESSOR: u64 = 1 << 7;
const SAMPLE_REGISTERS: u64 = 1 << 12;
const SAMPLE_STACK: u64 = 1 << 13;
const SAMPLE_IDENTIFIER: u64 = 1 << 16;
/// The general registers, the place and the flags in the numbering of `enum perf_event_x86_regs`: 0 to 9 and 16 to 23.
const GENERAL_REGISTERS: u64 = 0xff_03ff;
/// How often a sample found no room is told when the event is read (Linux 6.0).
const READ_LOST: u64 = 1 << 4;

/// What counts on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// Every so many page faults.
    PageFaults(u64),
    /// Every so many nanoseconds.
    Clock(u64),
}

impl Counted {
    /// What is counted in the kernel's numbering, and how much of it makes a hit.
    fn config(self) -> (u64, u64) {
        match self {
            Counted::PageFaults(period) => (SOFTWARE_PAGE_FAULTS, period.max(1)),
            Counted::Clock(period) => (SOFTWARE_CPU_CLOCK, period.max(1)),
        }
    }
}

/// Counts on a processor, whoever runs there; a program that is attached runs each time the period is full, and leaves alone whom it does not
/// mean.
///
/// `with_kernel` counts what happens in the kernel, too.
pub(super) fn count(what: Counted, processor: i32, with_kernel: bool) -> Result<OwnedFd, Errno> {
    let (config, period) = what.config();
    let kernel = if with_kernel { 0 } else { EXCLUDE_KERNEL };
    let mut attributes = Attributes {
        kind: TYPE_SOFTWARE,
        config,
        sample_period: period,
        flags: EXCLUDE_IDLE | kernel,
        ..Attributes::default()
    };
    open_on(&mut attributes, -1, processor)
}

/// What a sampled event is of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sampled<'a> {
    /// A thread comes to an instruction, or returns from the function that begins there.
    Instruction {
        /// Lives for as long as the attributes are used.
        path: &'a CStr,
        offset: u64,
        semaphore: u64,
        at_return: bool,
    },
    /// So much has been counted.
    Counted(Counted),
    /// Nothing: only threads, processes and programs that begin and end are told.
    Tasks,
}

/// What samples have besides the thread, the time and the processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// The address of a page fault.
    pub address: bool,
    /// Registers.
    pub registers: bool,
    /// So many bytes of stack, a multiple of 8 below 64 KiB.
    pub stack_bytes: u32,
}

/// The attributes of an event that is sampled at each hit, by the monotonic clock. `tells_lost`: the kernel may be asked how many samples found
/// no room.
///
/// # Errors
/// `ENODEV`: the kernel has no probes of instructions. `EOVERFLOW`: the semaphore is too far in its file.
fn sampled(
    what: Sampled<'_>,
    shape: Shape,
    enabled: bool,
    tells_lost: bool,
) -> Result<Attributes, i32> {
    let mut sample = SAMPLE_IDENTIFIER | SAMPLE_THREAD | SAMPLE_TIME | SAMPLE_PROCESSOR;
    for (wanted, bit) in [
        (shape.address, SAMPLE_ADDRESS),
        (shape.registers, SAMPLE_REGISTERS),
        (shape.stack_bytes > 0, SAMPLE_STACK),
    ] {
        sample |= if wanted { bit } else { 0 };
    }
    let mut attributes = Attributes {
        kind: TYPE_SOFTWARE,
        sample_period: 1,
        sample_type: sample,
        read_format: if tells_lost { READ_LOST } else { 0 },
        flags: ALWAYS_FROM | OWN_CLOCK | if enabled { 0 } else { DISABLED },
        clockid: libc::CLOCK_MONOTONIC,
        sample_regs_user: if shape.registers {
            GENERAL_REGISTERS
        } else {
            0
        },
        sample_stack_user: shape.stack_bytes,
        ..Attributes::default()
    };
    match what {
        Sampled::Instruction {
            path,
            offset,
            semaphore,
            at_return,
        } => {
            let semaphore = u32::try_from(semaphore).map_err(|_| libc::EOVERFLOW)?;
            attributes.kind = uprobe_type().ok_or(libc::ENODEV)?;
            attributes.config = u64::from(semaphore) << UPROBE_SEMAPHORE_SHIFT
                | if at_return { UPROBE_RETURN } else { 0 };
            attributes.config1 = path.as_ptr() as u64;
            attributes.config2 = offset;
        }
        Sampled::Counted(counted) => {
            (attributes.config, attributes.sample_period) = counted.config();
        }
        Sampled::Tasks => {
            attributes.config = SOFTWARE_DUMMY;
            attributes.flags |= TELL_TASKS | TELL_NAMES | TELL_PROGRAMS;
        }
    }
    Ok(attributes)
}

/// Opens sampled events of a thread, whatever becomes of this process meanwhile ([`super::shield`]); for each the event, or the number of the
/// error as of [`probe`].
pub(super) fn open_sampled(
    events: &[(Sampled<'_>, Shape)],
    enabled: bool,
    tells_lost: bool,
    tid: i32,
) -> Vec<Result<OwnedFd, i32>> {
    let mut attributes = Vec::with_capacity(events.len());
    for (what, shape) in events {
        match sampled(*what, *shape, enabled, tells_lost) {
            Ok(one) => attributes.push(one),
            Err(errno) => return events.iter().map(|_| Err(errno)).collect(),
        }
    }
    open_shielded(&mut attributes, tid)
}

/// Opens events, whatever becomes of this process meanwhile; the attributes are of the short length.
fn open_shielded(attributes: &mut [Attributes], tid: i32) -> Vec<Result<OwnedFd, i32>> {
    let processor = processor_for(tid);
    let call = |attributes: &mut Attributes| {
        attributes.size = u32::try_from(SHORT).unwrap_or(0);
        let pointer = std::ptr::from_mut(attributes) as libc::c_long;
        let no_group = -1;
        let close_on_exec = CLOSE_ON_EXEC as libc::c_long;
        let arguments = [
            pointer,
            tid.into(),
            processor.into(),
            no_group,
            close_on_exec,
        ];
        Call::with_five(libc::SYS_perf_event_open, arguments)
    };
    let mut calls: Vec<Call> = attributes.iter_mut().map(call).collect();
    if calls.is_empty() {
        return Vec::new();
    }
    // SAFETY: the attributes are live, initialised and as long as they say; the paths they point to are our callers' and live.
    unsafe { shielded(&mut calls) };
    let results = calls.iter().map(|call| {
        let raw = i32::try_from(call.result()?).map_err(|_| libc::EOVERFLOW)?;
        // SAFETY: the kernel has just given us this descriptor and nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(raw) })
    });
    results.collect()
}

/// What counts in all processes does so on one processor; probes are hit on all.
fn processor_for(tid: i32) -> i32 {
    if tid < 0 { 0 } else { -1 }
}

/// Whether this program may probe instructions so: a probe in a directory is refused for that, unless it is refused anyway.
pub(super) fn try_probe() -> Result<(), Errno> {
    let pid = i32::try_from(std::process::id()).unwrap_or(0);
    match probes(c"/", &[(0, 0)], false, pid).pop() {
        None | Some(Ok(_) | Err(libc::EINVAL)) => Ok(()),
        Some(Err(errno)) => Err(Errno::from_raw(errno)),
    }
}

/// The number that an event's samples have.
pub(super) fn identity(event: &OwnedFd) -> Result<u64, Errno> {
    let mut number = 0_u64;
    let pointer = std::ptr::from_mut(&mut number);
    // SAFETY: the descriptor is open, and the pointer is to a live word, which is what the call writes.
    retry(|| unsafe { libc::ioctl(event.as_raw_fd(), IDENTITY, pointer) })?;
    Ok(number)
}

/// Has the samples of an event go to the ring of another one of the same thread.
pub(super) fn redirect(event: &OwnedFd, to: &OwnedFd) -> Result<(), Errno> {
    let to = to.as_raw_fd();
    // SAFETY: both descriptors are open, and the call takes no pointer.
    retry(|| unsafe { libc::ioctl(event.as_raw_fd(), SET_OUTPUT, to) })?;
    Ok(())
}

/// Has an event count, or not.
pub(super) fn enable(event: &OwnedFd, enabled: bool) -> Result<(), Errno> {
    let request = if enabled { ENABLE } else { DISABLE };
    // SAFETY: the descriptor is open, and the call takes no pointer.
    retry(|| unsafe { libc::ioctl(event.as_raw_fd(), request, 0) })?;
    Ok(())
}

/// How much an event has counted, and how many samples found no room, where it was opened so that this is told.
pub(super) fn counts(event: &OwnedFd) -> Result<(u64, Option<u64>), Errno> {
    let mut bytes = [0; 16];
    let read = nix::unistd::read(event.as_fd(), &mut bytes)?;
    let mut words = bytes.chunks_exact(8).map(|word| {
        let word = word.first_chunk().copied().unwrap_or_default();
        u64::from_ne_bytes(word)
    });
    let (count, lost) = (words.next().unwrap_or(0), words.next());
    Ok((count, lost.filter(|_| read >= bytes.len())))
}

fn uprobe_type() -> Option<u32> {
    static KIND: OnceLock<Option<u32>> = OnceLock::new();
    *KIND.get_or_init(|| {
        let kind = std::fs::read_to_string(UPROBE_TYPE).ok()?;
        kind.trim().parse().ok()
    })
}

/// Probes instructions, given by their offset and semaphore, in the memory that a thread has, for all threads that have it, or with -1 in all
/// memory, whatever becomes of this process meanwhile ([`super::shield`]). Only an attached program sees hits of the others. Where there is none, the number
/// of the error, which may be [`super::kernel::ENOTSUPP`].
pub(super) fn probes(
    path: &CStr,
    sites: &[(u64, u64)],
    at_return: bool,
    tid: i32,
) -> Vec<Result<OwnedFd, i32>> {
    let attributes = |&(offset, semaphore): &(u64, u64)| {
        let semaphore = u32::try_from(semaphore).map_err(|_| libc::EOVERFLOW)?;
        let config = u64::from(semaphore) << UPROBE_SEMAPHORE_SHIFT;
        Ok(Attributes {
            kind: uprobe_type().ok_or(libc::ENODEV)?,
            config: config | if at_return { UPROBE_RETURN } else { 0 },
            config1: path.as_ptr() as u64,
            config2: offset,
            sample_period: 1,
            ..Attributes::default()
        })
    };
    let wanted: Vec<Result<Attributes, i32>> = sites.iter().map(attributes).collect();
    let mut possible: Vec<Attributes> = wanted.iter().filter_map(|one| (*one).ok()).collect();
    let mut opened = open_shielded(&mut possible, tid).into_iter();
    let results = wanted.into_iter().map(|one| match one {
        Ok(_) => opened.next().unwrap_or(Err(libc::EINTR)),
        Err(errno) => Err(errno),
    });
    results.collect()
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
    open_on(attributes, tid, processor_for(tid))
}

fn open_on(attributes: &mut Attributes, tid: i32, processor: i32) -> Result<OwnedFd, Errno> {
    let length = if attributes.flags & RAISE_SIGNAL == 0 {
        SHORT
    } else {
        size_of::<Attributes>()
    };
    attributes.size = u32::try_from(length).unwrap_or(0);
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
