//! The ptrace requests that are used, made safe. All are for the thread that has seized the tracee.

// The type of a request differs between C libraries.
#![allow(clippy::unnecessary_cast)]

use std::ffi::c_void;

use nix::errno::Errno;

/// What a traced thread has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It has stopped: a ptrace event and its signal, or (event 0) a signal that is to be delivered.
    Stopped { signal: i32, event: i32 },
    /// It has exited, or is not ours any more.
    Gone,
}

/// `PTRACE_EVENT_STOP` of `linux/ptrace.h`.
pub(crate) const EVENT_STOP: i32 = 128;

fn request(request: u32, tid: i32, address: *mut c_void, data: *mut c_void) -> Result<(), Errno> {
    loop {
        // SAFETY: callers pass pointers that the request asks for, valid for as long as the call takes, or plain numbers.
        let result = unsafe { libc::ptrace(request as _, tid, address, data) };
        if result != -1 {
            return Ok(());
        }
        match Errno::last() {
            Errno::EINTR => continue,
            errno => return Err(errno),
        }
    }
}

fn number(value: u64) -> *mut c_void {
    std::ptr::without_provenance_mut(value as usize)
}

/// Becomes the tracer of a thread without stopping it. No option is set: above all not `PTRACE_O_EXITKILL`.
pub(crate) fn seize(tid: i32) -> Result<(), Errno> {
    request(libc::PTRACE_SEIZE as u32, tid, number(0), number(0))
}

/// Asks a seized thread to stop.
pub(crate) fn interrupt(tid: i32) -> Result<(), Errno> {
    request(libc::PTRACE_INTERRUPT as u32, tid, number(0), number(0))
}

/// Lets a stopped thread go for good, delivering `signal` if it is not 0.
pub(crate) fn detach(tid: i32, signal: i32) -> Result<(), Errno> {
    request(
        libc::PTRACE_DETACH as u32,
        tid,
        number(0),
        number(u64::try_from(signal).unwrap_or(0)),
    )
}

/// What a traced thread has done, without waiting. The kernel keeps the event (`WNOWAIT`), so that a signal that is to be
/// delivered is not lost if we die.
pub(crate) fn look(tid: i32) -> Result<Option<Event>, Errno> {
    // SAFETY: an all-zero siginfo_t is valid.
    let mut info = unsafe { std::mem::zeroed::<libc::siginfo_t>() };
    let flags = libc::WSTOPPED
        | libc::WEXITED
        | libc::WNOHANG
        | libc::WNOWAIT
        | libc::__WALL
        | libc::__WNOTHREAD;
    let id = libc::id_t::try_from(tid).map_err(|_| Errno::ESRCH)?;
    // SAFETY: the pointer is to a live siginfo_t.
    let result = crate::sys::retry(|| unsafe { libc::waitid(libc::P_PID, id, &mut info, flags) });
    match result {
        Ok(_) => {}
        Err(Errno::ECHILD) => return Ok(Some(Event::Gone)),
        Err(errno) => return Err(errno),
    }
    // SAFETY: waitid has filled the fields of a child's change of state, or left zeros.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return Ok(None);
    }
    Ok(Some(match info.si_code {
        libc::CLD_TRAPPED | libc::CLD_STOPPED => Event::Stopped {
            signal: status & 0x7f,
            event: status >> 8,
        },
        _ => Event::Gone,
    }))
}

/// Takes note of the exit of a traced thread that is not a main thread, so that it does not stay a zombie until we detach.
pub(crate) fn reap(tid: i32) {
    let mut status = 0;
    let flags = libc::WNOHANG | libc::__WALL | libc::__WNOTHREAD;
    // SAFETY: the pointer is to a live integer. A failure means that there is nothing to take note of.
    unsafe { libc::waitpid(tid, &mut status, flags) };
}

/// The general registers of a stopped thread.
#[cfg(target_arch = "x86_64")]
pub(crate) fn registers(tid: i32) -> Result<libc::user_regs_struct, Errno> {
    // SAFETY: all-zero registers are valid values.
    let mut user = unsafe { std::mem::zeroed::<libc::user_regs_struct>() };
    request(
        libc::PTRACE_GETREGS as u32,
        tid,
        number(0),
        (&raw mut user).cast(),
    )?;
    Ok(user)
}

/// Sets the result of the system call that a stopped thread is in.
#[cfg(target_arch = "x86_64")]
pub(crate) fn set_result(tid: i32, result: i64) -> Result<(), Errno> {
    let offset = std::mem::offset_of!(libc::user_regs_struct, rax) as u64;
    request(
        libc::PTRACE_POKEUSER as u32,
        tid,
        number(offset),
        number(result as u64),
    )
}

/// `NT_PRSTATUS` and `NT_ARM_TLS` of `linux/elf.h`.
#[cfg(target_arch = "aarch64")]
const NT_PRSTATUS: u64 = 1;
#[cfg(target_arch = "aarch64")]
const NT_ARM_TLS: u64 = 0x401;

/// The general registers of a stopped thread.
#[cfg(target_arch = "aarch64")]
pub(crate) fn registers(tid: i32) -> Result<libc::user_regs_struct, Errno> {
    // SAFETY: all-zero registers are valid values.
    let mut user = unsafe { std::mem::zeroed::<libc::user_regs_struct>() };
    let mut piece = libc::iovec {
        iov_base: (&raw mut user).cast(),
        iov_len: size_of::<libc::user_regs_struct>(),
    };
    request(
        libc::PTRACE_GETREGSET as u32,
        tid,
        number(NT_PRSTATUS),
        (&raw mut piece).cast(),
    )?;
    Ok(user)
}

/// Sets the general registers of a stopped thread.
#[cfg(target_arch = "aarch64")]
pub(crate) fn set_registers(tid: i32, user: &libc::user_regs_struct) -> Result<(), Errno> {
    let mut user = *user;
    let mut piece = libc::iovec {
        iov_base: (&raw mut user).cast(),
        iov_len: size_of::<libc::user_regs_struct>(),
    };
    request(
        libc::PTRACE_SETREGSET as u32,
        tid,
        number(NT_PRSTATUS),
        (&raw mut piece).cast(),
    )
}

/// The base of thread-local storage of a stopped thread.
#[cfg(target_arch = "aarch64")]
pub(crate) fn thread_pointer(tid: i32) -> Result<u64, Errno> {
    let mut value = 0u64;
    let mut piece = libc::iovec {
        iov_base: (&raw mut value).cast(),
        iov_len: size_of::<u64>(),
    };
    request(
        libc::PTRACE_GETREGSET as u32,
        tid,
        number(NT_ARM_TLS),
        (&raw mut piece).cast(),
    )?;
    Ok(value)
}
