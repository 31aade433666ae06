//! The ptrace and wait calls of the tracer of a command. All but the last two are for the thread that has seized it.

// The type of a request differs between C libraries.
#![allow(clippy::unnecessary_cast)]

use std::ffi::c_void;

use nix::errno::Errno;

use crate::registers::Registers;

/// `PTRACE_EVENT_STOP` of `linux/ptrace.h`.
pub(super) const EVENT_STOP: i32 = 128;
/// `PTRACE_LISTEN` of `linux/ptrace.h`.
const LISTEN: u32 = 0x4208;

/// What a traced thread has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It has stopped: a ptrace event and its signal, or (event 0) a signal that is to be delivered.
    Stopped { tid: i32, signal: i32, event: i32 },
    /// It has exited.
    Exited { tid: i32 },
    /// Nothing has happened yet.
    Nothing,
    /// The wait was ended by a signal to us.
    Interrupted,
    /// No thread is traced any more.
    NoneLeft,
}

fn request(request: u32, tid: i32, data: *mut c_void) -> Result<(), Errno> {
    // SAFETY: callers pass pointers that the request asks for, valid for as long as the call takes, or plain numbers.
    let result = unsafe { libc::ptrace(request as _, tid, number(0), data) };
    if result == -1 {
        return Err(Errno::last());
    }
    Ok(())
}

fn number(value: usize) -> *mut c_void {
    std::ptr::without_provenance_mut(value)
}

/// Becomes the tracer of a process of one thread without stopping it, and is told of its exit, its new threads, and its
/// `execve`. The processes that it forks are not traced, and `PTRACE_O_EXITKILL` is not set.
pub(super) fn seize(pid: i32) -> Result<(), Errno> {
    let options = libc::PTRACE_O_TRACEEXIT | libc::PTRACE_O_TRACECLONE | libc::PTRACE_O_TRACEEXEC;
    request(libc::PTRACE_SEIZE as u32, pid, number(options as usize))
}

/// Lets a stopped thread go on, delivering `signal` if it is not 0.
pub(super) fn go_on(tid: i32, signal: i32) -> Result<(), Errno> {
    let signal = usize::try_from(signal).unwrap_or(0);
    request(libc::PTRACE_CONT as u32, tid, number(signal))
}

/// Leaves a thread stopped by job control, and is told when that ends.
pub(super) fn listen(tid: i32) -> Result<(), Errno> {
    request(LISTEN, tid, number(0))
}

/// Lets a stopped thread go for good.
pub(super) fn detach(tid: i32) -> Result<(), Errno> {
    request(libc::PTRACE_DETACH as u32, tid, number(0))
}

/// The number that comes with an event: the new thread, the former number, the exit status.
pub(super) fn event_message(tid: i32) -> Result<u64, Errno> {
    let mut message: libc::c_ulong = 0;
    request(
        libc::PTRACE_GETEVENTMSG as u32,
        tid,
        (&raw mut message).cast(),
    )?;
    Ok(message as u64)
}

/// What any thread traced by this one has done. The kernel keeps the change (`WNOWAIT`), so that a signal that is to be
/// delivered is not lost if we die.
pub(super) fn any_change(wait: bool) -> Result<Change, Errno> {
    // SAFETY: an all-zero siginfo_t is valid.
    let mut info = unsafe { std::mem::zeroed::<libc::siginfo_t>() };
    let mut flags =
        libc::WSTOPPED | libc::WEXITED | libc::WNOWAIT | libc::__WALL | libc::__WNOTHREAD;
    if !wait {
        flags |= libc::WNOHANG;
    }
    // SAFETY: the pointer is to a live siginfo_t.
    if unsafe { libc::waitid(libc::P_ALL, 0, &mut info, flags) } != 0 {
        return match Errno::last() {
            Errno::EINTR => Ok(Change::Interrupted),
            Errno::ECHILD => Ok(Change::NoneLeft),
            errno => Err(errno),
        };
    }
    // SAFETY: waitid has filled the fields of a child's change of state, or left zeros.
    let (tid, status) = unsafe { (info.si_pid(), info.si_status()) };
    Ok(match info.si_code {
        _ if tid == 0 => Change::Nothing,
        libc::CLD_TRAPPED | libc::CLD_STOPPED => Change::Stopped {
            tid,
            signal: status & 0x7f,
            event: status >> 8,
        },
        _ => Change::Exited { tid },
    })
}

/// Takes note of the change of a thread: of the exit of one that is not the main thread, so that it does not stay a zombie,
/// or of a stop in which it is kept.
pub(super) fn take_note(tid: i32) {
    let mut status = 0;
    let flags = libc::WNOHANG | libc::__WALL | libc::__WNOTHREAD;
    // SAFETY: the pointer is to a live integer. A failure means that there is nothing to take note of.
    unsafe { libc::waitpid(tid, &mut status, flags) };
}

/// How a stopped thread came into the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// By the system call that ends this thread alone.
    Exit,
    /// By the one that ends the process.
    ExitGroup,
    /// In any other way.
    Other,
}

/// The system call and the registers of a stopped thread.
#[cfg(target_arch = "x86_64")]
pub(super) fn registers(tid: i32) -> Result<(Call, Registers), Errno> {
    /// The code segment of 32-bit programs, and their `exit` and `exit_group`.
    const COMPAT: (u64, i64, i64) = (0x23, 1, 252);
    // SAFETY: all-zero registers are valid values.
    let mut user = unsafe { std::mem::zeroed::<libc::user_regs_struct>() };
    request(libc::PTRACE_GETREGS as u32, tid, (&raw mut user).cast())?;
    let (call, exit, exit_group) = if user.cs == COMPAT.0 {
        (i64::from(user.orig_rax as i32), COMPAT.1, COMPAT.2)
    } else {
        (user.orig_rax as i64, libc::SYS_exit, libc::SYS_exit_group)
    };
    Ok((call_of(call, exit, exit_group), Registers::from_user(&user)))
}

/// The system call and the registers of a stopped thread.
#[cfg(target_arch = "aarch64")]
pub(super) fn registers(tid: i32) -> Result<(Call, Registers), Errno> {
    /// Register sets of `linux/elf.h`.
    const NT_PRSTATUS: usize = 1;
    const NT_ARM_TLS: usize = 0x401;
    const NT_ARM_SYSTEM_CALL: usize = 0x404;
    fn set<T>(tid: i32, kind: usize, value: &mut T) -> Result<(), Errno> {
        let mut piece = libc::iovec {
            iov_base: (&raw mut *value).cast(),
            iov_len: size_of::<T>(),
        };
        // SAFETY: the piece is a live value of the length given, which any bytes are valid for.
        let result = unsafe {
            libc::ptrace(
                libc::PTRACE_GETREGSET as _,
                tid,
                number(kind),
                &raw mut piece,
            )
        };
        if result == -1 {
            Err(Errno::last())
        } else {
            Ok(())
        }
    }
    // SAFETY: all-zero registers are valid values.
    let mut user = unsafe { std::mem::zeroed::<libc::user_regs_struct>() };
    let (mut thread_pointer, mut call) = (0u64, 0i32);
    set(tid, NT_PRSTATUS, &mut user)?;
    set(tid, NT_ARM_TLS, &mut thread_pointer)?;
    set(tid, NT_ARM_SYSTEM_CALL, &mut call)?;
    let call = call_of(i64::from(call), libc::SYS_exit, libc::SYS_exit_group);
    Ok((call, Registers::from_user(&user, thread_pointer)))
}

fn call_of(call: i64, exit: i64, exit_group: i64) -> Call {
    if call == exit {
        Call::Exit
    } else if call == exit_group {
        Call::ExitGroup
    } else {
        Call::Other
    }
}

/// The wait status of a child of ours that is not traced, once it has exited.
///
/// # Errors
/// `ECHILD`: the status was taken by somebody else, or discarded since we ignore `SIGCHLD`.
pub(super) fn exit_status(pid: i32, wait: bool) -> Result<Option<i32>, Errno> {
    let mut status = 0;
    let flags = if wait { 0 } else { libc::WNOHANG };
    loop {
        // SAFETY: the pointer is to a live integer.
        let found = crate::sys::retry(|| unsafe { libc::waitpid(pid, &mut status, flags) })?;
        if found == 0 {
            return Ok(None);
        }
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            return Ok(Some(status));
        }
    }
}

/// Sends a signal to a process.
pub(super) fn send_signal(pid: i32, signal: i32) -> Result<(), Errno> {
    if pid <= 0 {
        return Err(Errno::ESRCH);
    }
    // SAFETY: the call takes no pointer.
    match unsafe { libc::kill(pid, signal) } {
        0 => Ok(()),
        _ => Err(Errno::last()),
    }
}
