//! The system call bpf(2): maps, programs, links. Layouts are those of `union bpf_attr` in `linux/bpf.h`.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use super::shield::{Call, shielded};
use crate::sys::retry;

const MAP_CREATE: i32 = 0;
const MAP_LOOKUP_ELEM: i32 = 1;
const MAP_UPDATE_ELEM: i32 = 2;
const MAP_DELETE_ELEM: i32 = 3;
const MAP_GET_NEXT_KEY: i32 = 4;
const MAP_LOOKUP_BATCH: i32 = 24;
const PROG_LOAD: i32 = 5;
const RAW_TRACEPOINT_OPEN: i32 = 17;
const OBJ_GET_INFO_BY_FD: i32 = 15;
const LINK_CREATE: i32 = 28;

/// The kinds of maps that are used (`enum bpf_map_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum MapType {
    Hash = 1,
    Array = 2,
    PerCpuHash = 5,
    PerCpuArray = 6,
    LruHash = 9,
    RingBuffer = 27,
}

/// The map does not allocate its rows beforehand.
pub(super) const NO_PREALLOCATION: u32 = 1;
/// The map can be mapped into memory.
pub(super) const MAPPABLE: u32 = 1 << 10;

/// The kinds of programs that are used (`enum bpf_prog_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum ProgramType {
    /// On the registers of a hit: uprobes are of this kind, too.
    Kprobe = 2,
    PerfEvent = 7,
    /// On the operands of a place in the kernel's own code that has a name.
    RawTracepoint = 17,
}

/// How a program is attached (`enum bpf_attach_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum AttachType {
    /// None, for programs that need not say it.
    Unsaid = 0,
    PerfEvent = 41,
    UprobeMulti = 48,
    UprobeSession = 57,
}

/// What a program may use is decided by its licence. This one names no licence of the project: it is what the kernel
/// calls programs that may call the helpers that read memory.
const LICENSE: &CStr = c"Dual MIT/GPL";
/// The most bytes that the verifier is given to explain itself.
const LOG_BYTES: u32 = 1 << 20;

#[repr(C)]
#[derive(Default)]
struct MapCreate {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
    inner_map_fd: u32,
    numa_node: u32,
    name: [u8; 16],
}

/// Makes a map. `name` is what `bpftool map` shows, up to 15 bytes of it.
pub(super) fn create_map(
    kind: MapType,
    key: u32,
    value: u32,
    rows: u32,
    flags: u32,
    name: &str,
) -> Result<OwnedFd, Errno> {
    let mut attributes = MapCreate {
        map_type: kind as u32,
        key_size: key,
        value_size: value,
        max_entries: rows,
        map_flags: flags,
        name: short_name(name),
        ..MapCreate::default()
    };
    new_descriptor(MAP_CREATE, &mut attributes)
}

#[repr(C)]
#[derive(Default)]
struct Element {
    map_fd: u32,
    padding: u32,
    key: u64,
    /// The value, or the next key.
    value: u64,
    flags: u64,
}

/// Copies the value of a row; `value` must be as long as the kernel makes it: of a map by processor, so many times the padded
/// value as there are possible processors.
///
/// # Errors
/// `ENOENT`: there is no such row.
pub(super) fn lookup(map: BorrowedFd<'_>, key: &[u8], value: &mut [u8]) -> Result<(), Errno> {
    element(MAP_LOOKUP_ELEM, map, Some(key), value.as_mut_ptr() as u64)
}

/// Sets the value of a row.
pub(super) fn update(map: BorrowedFd<'_>, key: &[u8], value: &[u8]) -> Result<(), Errno> {
    element(MAP_UPDATE_ELEM, map, Some(key), value.as_ptr() as u64)
}

/// Removes a row.
///
/// # Errors
/// `ENOENT`: there is no such row.
pub(super) fn delete(map: BorrowedFd<'_>, key: &[u8]) -> Result<(), Errno> {
    element(MAP_DELETE_ELEM, map, Some(key), 0)
}

/// The key after this one, or the first.
///
/// # Errors
/// `ENOENT`: there is none.
pub(super) fn next_key(
    map: BorrowedFd<'_>,
    key: Option<&[u8]>,
    next: &mut [u8],
) -> Result<(), Errno> {
    element(MAP_GET_NEXT_KEY, map, key, next.as_mut_ptr() as u64)
}

#[repr(C)]
#[derive(Default)]
struct Batch {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

/// Copies rows of a hash map, from the first on or from where another call has come to (Linux 5.6). `keys` and `values` have room for `rows` of
/// them, values as long as for [`lookup`]; `to` is where it has come to. Gives how many were copied, and whether these were the last.
///
/// # Errors
/// `ENOSPC`: there is room for too few; nothing was copied.
pub(super) fn lookup_batch(
    map: BorrowedFd<'_>,
    from: Option<[u8; 8]>,
    to: &mut [u8; 8],
    keys: &mut [u8],
    values: &mut [u8],
    rows: u32,
) -> Result<(usize, bool), Errno> {
    let mut attributes = Batch {
        in_batch: from.as_ref().map_or(0, |from| from.as_ptr() as u64),
        out_batch: to.as_mut_ptr() as u64,
        keys: keys.as_mut_ptr() as u64,
        values: values.as_mut_ptr() as u64,
        count: rows,
        map_fd: map.as_raw_fd() as u32,
        ..Batch::default()
    };
    let last = match bpf(MAP_LOOKUP_BATCH, &mut attributes) {
        Ok(_) => false,
        Err(Errno::ENOENT) => true,
        Err(errno) => return Err(errno),
    };
    Ok((attributes.count as usize, last))
}

fn element(command: i32, map: BorrowedFd<'_>, key: Option<&[u8]>, value: u64) -> Result<(), Errno> {
    let mut attributes = Element {
        map_fd: map.as_raw_fd() as u32,
        key: key.map_or(0, |key| key.as_ptr() as u64),
        value,
        ..Element::default()
    };
    bpf(command, &mut attributes).map(drop)
}

#[repr(C)]
#[derive(Default)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
}

/// Loads a program. The error has what the verifier says.
pub(super) fn load_program(
    kind: ProgramType,
    attach: AttachType,
    instructions: &[u64],
    name: &str,
) -> Result<OwnedFd, (Errno, String)> {
    let mut attributes = ProgLoad {
        prog_type: kind as u32,
        insn_cnt: u32::try_from(instructions.len()).unwrap_or(u32::MAX),
        insns: instructions.as_ptr() as u64,
        license: LICENSE.as_ptr() as u64,
        prog_name: short_name(name),
        expected_attach_type: attach as u32,
        ..ProgLoad::default()
    };
    let first = match new_descriptor(PROG_LOAD, &mut attributes) {
        Ok(descriptor) => return Ok(descriptor),
        Err(errno) => errno,
    };
    // Only a program that was verified and refused has a log; asking for it makes loading slower, so it is asked for then.
    let mut log = vec![0u8; LOG_BYTES as usize];
    attributes.log_level = 1;
    attributes.log_size = LOG_BYTES;
    attributes.log_buf = log.as_mut_ptr() as u64;
    match new_descriptor(PROG_LOAD, &mut attributes) {
        // The verifier may be interrupted by a signal, or have no memory for a moment.
        Ok(descriptor) => Ok(descriptor),
        Err(_) => {
            let end = log.iter().position(|byte| *byte == 0).unwrap_or(0);
            let text = String::from_utf8_lossy(log.get(..end).unwrap_or(&[])).into_owned();
            Err((first, text))
        }
    }
}

#[repr(C)]
#[derive(Default)]
struct LinkMulti {
    prog_fd: u32,
    target_fd: u32,
    attach_type: u32,
    flags: u32,
    path: u64,
    offsets: u64,
    ref_ctr_offsets: u64,
    cookies: u64,
    count: u32,
    multi_flags: u32,
    pid: u32,
    padding: u32,
}

/// Where a program is attached by [`link_uprobes`]; all lists are equally long.
#[derive(Clone, Copy, Debug)]
pub(super) struct UprobeSites<'a> {
    pub path: &'a CStr,
    pub offsets: &'a [u64],
    /// 0 is none.
    pub semaphores: &'a [u64],
    pub cookies: &'a [u64],
    /// The process.
    pub pid: i32,
    /// Whether the program runs at the return of the functions that begin there.
    pub at_return: bool,
}

/// `ENOTSUPP`, which the kernel should keep for itself and [`Errno`] has no name for: an instruction that cannot be run
/// elsewhere.
pub(super) const ENOTSUPP: i32 = 524;

/// Attaches a program to many places of one file at once, or to none of them.
///
/// # Errors
/// The number of the error, which may be [`ENOTSUPP`].
pub(super) fn link_uprobes(
    program: BorrowedFd<'_>,
    attach: AttachType,
    sites: UprobeSites<'_>,
) -> Result<OwnedFd, i32> {
    let mut attributes = uprobes(program, attach, sites).map_err(|errno| errno as i32)?;
    let address = std::ptr::from_mut(&mut attributes) as libc::c_long;
    let command = libc::c_long::from(LINK_CREATE);
    let size = size_of::<LinkMulti>() as libc::c_long;
    let mut calls = [Call::new(libc::SYS_bpf, [command, address, size])];
    // SAFETY: the attributes are a live, fully initialised structure of the layout that the kernel has for the command; what they
    // point to lives through the call and is as long as they say.
    unsafe { shielded(&mut calls) };
    let raw = calls.first().map_or(Err(libc::EINTR), Call::result)?;
    let raw = i32::try_from(raw).map_err(|_| libc::EOVERFLOW)?;
    // SAFETY: the kernel has just given us this descriptor, close-on-exec, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

fn uprobes(
    program: BorrowedFd<'_>,
    attach: AttachType,
    sites: UprobeSites<'_>,
) -> Result<LinkMulti, Errno> {
    let count = sites.offsets.len();
    if sites.cookies.len() != count || sites.semaphores.len() != count {
        return Err(Errno::EINVAL);
    }
    let some_semaphore = sites.semaphores.iter().any(|offset| *offset != 0);
    Ok(LinkMulti {
        prog_fd: program.as_raw_fd() as u32,
        attach_type: attach as u32,
        path: sites.path.as_ptr() as u64,
        offsets: sites.offsets.as_ptr() as u64,
        ref_ctr_offsets: match some_semaphore {
            true => sites.semaphores.as_ptr() as u64,
            false => 0,
        },
        cookies: sites.cookies.as_ptr() as u64,
        count: u32::try_from(count).map_err(|_| Errno::E2BIG)?,
        // BPF_F_UPROBE_MULTI_RETURN
        multi_flags: u32::from(sites.at_return),
        pid: u32::try_from(sites.pid).map_err(|_| Errno::ESRCH)?,
        ..LinkMulti::default()
    })
}

/// `struct bpf_link_info` of a link of uprobes.
#[repr(C)]
#[derive(Default)]
struct LinkInfo {
    kind: u32,
    id: u32,
    prog_id: u32,
    padding: u32,
    path: u64,
    offsets: u64,
    ref_ctr_offsets: u64,
    cookies: u64,
    path_size: u32,
    count: u32,
    multi_flags: u32,
    pid: u32,
    rest: [u64; 8],
}

#[repr(C)]
#[derive(Default)]
struct GetInfo {
    fd: u32,
    info_length: u32,
    info: u64,
}

/// The process that a link of uprobes is for, as the kernel knows it now: 0 where it has lost it. A kernel before Linux 6.8 does not
/// say.
pub(super) fn process_of_link(link: BorrowedFd<'_>) -> Result<u32, Errno> {
    /// `BPF_LINK_TYPE_UPROBE_MULTI`.
    const UPROBE_MULTI: u32 = 12;
    let mut info = LinkInfo::default();
    let mut attributes = GetInfo {
        fd: link.as_raw_fd() as u32,
        info_length: size_of::<LinkInfo>() as u32,
        info: std::ptr::from_mut(&mut info) as u64,
    };
    bpf(OBJ_GET_INFO_BY_FD, &mut attributes)?;
    match info.kind {
        UPROBE_MULTI => Ok(info.pid),
        _ => Err(Errno::EINVAL),
    }
}

#[repr(C)]
#[derive(Default)]
struct LinkPerf {
    prog_fd: u32,
    target_fd: u32,
    attach_type: u32,
    flags: u32,
    cookie: u64,
    padding: [u64; 4],
}

/// Attaches a program to a perf event, with a number that its hits have.
pub(super) fn link_perf_event(
    program: BorrowedFd<'_>,
    event: BorrowedFd<'_>,
    cookie: u64,
) -> Result<OwnedFd, Errno> {
    let mut attributes = LinkPerf {
        prog_fd: program.as_raw_fd() as u32,
        target_fd: event.as_raw_fd() as u32,
        attach_type: AttachType::PerfEvent as u32,
        cookie,
        ..LinkPerf::default()
    };
    new_descriptor(LINK_CREATE, &mut attributes)
}

#[repr(C)]
#[derive(Default)]
struct OpenTracepoint {
    name: u64,
    prog_fd: u32,
    padding: u32,
    cookie: u64,
}

/// Attaches a program to a place in the kernel's own code that has a name. It runs for all processes.
pub(super) fn open_tracepoint(program: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let mut attributes = OpenTracepoint {
        name: name.as_ptr() as u64,
        prog_fd: program.as_raw_fd() as u32,
        ..OpenTracepoint::default()
    };
    new_descriptor(RAW_TRACEPOINT_OPEN, &mut attributes)
}

fn new_descriptor<T>(command: i32, attributes: &mut T) -> Result<OwnedFd, Errno> {
    let raw = bpf(command, attributes)?;
    // SAFETY: the kernel has just given us this descriptor, close-on-exec, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

fn bpf<T>(command: i32, attributes: &mut T) -> Result<i32, Errno> {
    // SAFETY: the attributes are a live, fully initialised structure of the layout that the kernel has for the command, as long
    // as it is told; what they point to lives through the call and is as long as they say.
    let result = retry(|| unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_mut(attributes),
            size_of::<T>(),
        )
    })?;
    i32::try_from(result).map_err(|_| Errno::EOVERFLOW)
}

/// The first bytes of a name, of letters that the kernel allows in one.
fn short_name(name: &str) -> [u8; 16] {
    let mut short = [0u8; 16];
    let letters = name
        .bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    for (to, from) in short.iter_mut().take(15).zip(letters) {
        *to = from;
    }
    short
}
