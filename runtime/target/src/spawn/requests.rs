//! What the tracer of a command asks besides the plain requests.

use nix::errno::Errno;

use crate::ptrace;
use crate::registers::Registers;

/// What the tracer of a command is told of: its exit, its new threads, its `execve`. The processes that it forks are not
/// traced, and `PTRACE_O_EXITKILL` is not set.
pub(super) const EVENTS: i32 = libc::PTRACE_O_TRACEEXIT
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACESYSGOOD;

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
    let user = ptrace::registers(tid)?;
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
    let call = i64::from(ptrace::system_call(tid)?);
    let call = call_of(call, libc::SYS_exit, libc::SYS_exit_group);
    let user = ptrace::registers(tid)?;
    Ok((
        call,
        Registers::from_user(&user, ptrace::thread_pointer(tid)?),
    ))
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
