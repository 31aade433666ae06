//! The ptrace and wait calls that are used, made safe. All are for the operating system thread that has seized the tracee.
//! Nothing here allocates or locks, so that a forked child may use it.

// The type of a request differs between C libraries.
#![allow(clippy::unnecessary_cast)]

use std::ffi::c_void;

use nix::errno::Errno;

/// `PTRACE_EVENT_STOP` of `linux/ptrace.h`.
pub(crate) const EVENT_STOP: i32 = 128;
/// The event of [`Change::Stopped`] for a thread that [`go_on_to_call`] has brought to a system call, or to the end of one. It is
/// none that the kernel has; `PTRACE_O_TRACESYSGOOD` must be set.
pub(crate) const EVENT_CALL: i32 = 0x100;
/// `PTRACE_LISTEN` of `linux/ptrace.h`.
const LISTEN: u32 = 0x4208;

/// What a traced thread has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It has stopped: a ptrace event and its signal, or (event 0) a signal that is to be delivered.
    Stopped { tid: i32, signal: i32, event: i32 },
    /// It has exited.
    Exited { tid: i32 },
    /// Nothing has happened yet.
    Nothing,
    /// The wait was ended by a signal to us.
    Interrupted,
    /// No such thread is traced (any more).
    NoneLeft,
}

fn request(request: u32, tid: i32, address: usize, data: *mut c_void) -> Result<(), Errno> {
    let address = std::ptr::without_provenance_mut::<c_void>(address);
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

fn number(value: usize) -> *mut c_void {
    std::ptr::without_provenance_mut(value)
}

/// Becomes the tracer of a thread without stopping it. `options` are `PTRACE_O_*`; never `PTRACE_O_EXITKILL`.
pub(crate) fn seize(tid: i32, options: i32) -> Result<(), Errno> {
    let options = usize::try_from(options & !libc::PTRACE_O_EXITKILL).unwrap_or(0);
    request(libc::PTRACE_SEIZE as u32, tid, 0, number(options))
}

/// Asks a seized thread to stop.
pub(crate) fn interrupt(tid: i32) -> Result<(), Errno> {
    request(libc::PTRACE_INTERRUPT as u32, tid, 0, number(0))
}

/// Lets a stopped thread go for good, delivering `signal` if it is not 0.
pub(crate) fn detach(tid: i32, signal: i32) -> Result<(), Errno> {
    let signal = usize::try_from(signal).unwrap_or(0);
    request(libc::PTRACE_DETACH as u32, tid, 0, number(signal))
}

/// Lets a stopped thread go on, delivering `signal` if it is not 0.
pub(crate) fn go_on(tid: i32, signal: i32) -> Result<(), Errno> {
    let signal = usize::try_from(signal).unwrap_or(0);
    request(libc::PTRACE_CONT as u32, tid, 0, number(signal))
}

/// The same, until it comes to a system call, or to the end of one.
pub(crate) fn go_on_to_call(tid: i32, signal: i32) -> Result<(), Errno> {
    let signal = usize::try_from(signal).unwrap_or(0);
    request(libc::PTRACE_SYSCALL as u32, tid, 0, number(signal))
}

/// Leaves a thread stopped by job control, and is told when that ends.
pub(crate) fn listen(tid: i32) -> Result<(), Errno> {
    request(LISTEN, tid, 0, number(0))
}

/// The number that comes with an event: the new thread, the former number, the exit status.
pub(crate) fn event_message(tid: i32) -> Result<u64, Errno> {
    let mut message: libc::c_ulong = 0;
    let pointer = (&raw mut message).cast();
    request(libc::PTRACE_GETEVENTMSG as u32, tid, 0, pointer)?;
    Ok(message as u64)
}

/// What one traced thread has done, without waiting. As [`any_change`] does, it leaves the change with the kernel.
pub(crate) fn change_of(tid: i32) -> Result<Change, Errno> {
    let id = libc::id_t::try_from(tid).map_err(|_| Errno::ESRCH)?;
    loop {
        match change(libc::P_PID, id, libc::WNOHANG)? {
            Change::Interrupted => continue,
            change => return Ok(change),
        }
    }
}

/// Whether this thread traces another one.
pub(crate) fn is_traced(tid: i32) -> bool {
    change_of(tid).is_ok_and(|change| change != Change::NoneLeft)
}

/// What any thread traced by this one has done. The kernel keeps the change (`WNOWAIT`), so that a signal that is to be
/// delivered is not lost if we die.
pub(crate) fn any_change(wait: bool) -> Result<Change, Errno> {
    change(libc::P_ALL, 0, if wait { 0 } else { libc::WNOHANG })
}

fn change(kind: libc::idtype_t, id: libc::id_t, flags: i32) -> Result<Change, Errno> {
    // SAFETY: an all-zero siginfo_t is valid.
    let mut info = unsafe { std::mem::zeroed::<libc::siginfo_t>() };
    let flags =
        flags | libc::WSTOPPED | libc::WEXITED | libc::WNOWAIT | libc::__WALL | libc::__WNOTHREAD;
    // SAFETY: the pointer is to a live siginfo_t.
    if unsafe { libc::waitid(kind, id, &mut info, flags) } != 0 {
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
            event: match status >> 8 {
                0 if status & 0x80 != 0 => EVENT_CALL,
                event => event,
            },
        },
        _ => Change::Exited { tid },
    })
}

/// Takes note of the change of a thread: of its exit, so that it does not stay a zombie, or of a stop in which it is kept.
/// Returns its wait status, if there was anything.
pub(crate) fn take_note(tid: i32) -> Option<i32> {
    let mut status = 0;
    let flags = libc::WNOHANG | libc::__WALL | libc::__WNOTHREAD;
    // SAFETY: the pointer is to a live integer. A failure means that there is nothing to take note of.
    let found = unsafe { libc::waitpid(tid, &mut status, flags) };
    (found == tid).then_some(status)
}

/// Lets a stopped thread run one instruction, delivering no signal.
#[cfg(target_arch = "x86_64")]
pub(crate) fn step(tid: i32) -> Result<(), Errno> {
    request(libc::PTRACE_SINGLESTEP as u32, tid, 0, number(0))
}

/// The cause of a signal.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// `si_code`.
    pub(crate) code: i32,
    /// What a performance event that raised it was given to say.
    pub(crate) data: u64,
    /// The thread had blocked it when that happened, and has run on since (`TRAP_PERF_FLAG_ASYNC`, Linux 6.0).
    pub(crate) late: bool,
}

#[cfg(target_arch = "x86_64")]
fn cause(info: &libc::siginfo_t) -> Cause {
    /// Where `si_perf_data`, and `si_perf_type` with `si_perf_flags`, lie in `siginfo_t` (`asm-generic/siginfo.h`), in words.
    const PERF_DATA: usize = 3;
    const PERF_FLAGS: usize = 4;
    const ASYNCHRONOUS: u64 = 1 << 32;
    let words = std::ptr::from_ref(info).cast::<u64>();
    // SAFETY: a siginfo_t is 128 bytes, aligned to eight, and initialised.
    let word = |number: usize| unsafe { words.add(number).read() };
    Cause {
        code: info.si_code,
        data: word(PERF_DATA),
        late: word(PERF_FLAGS) & ASYNCHRONOUS != 0,
    }
}

/// The cause of the signal that a thread is stopped with.
#[cfg(target_arch = "x86_64")]
pub(crate) fn signal_cause(tid: i32) -> Result<Cause, Errno> {
    // SAFETY: all-zero bytes are a valid siginfo_t.
    let mut info = unsafe { std::mem::zeroed::<libc::siginfo_t>() };
    request(
        libc::PTRACE_GETSIGINFO as u32,
        tid,
        0,
        (&raw mut info).cast(),
    )?;
    Ok(cause(&info))
}

/// Whether a thread is stopped at its exit, and nobody has taken note of that. One that is killed leaves the stop that it is in
/// and comes to that one.
#[cfg(target_arch = "x86_64")]
pub(crate) fn is_at_exit(tid: i32) -> bool {
    let change = change_of(tid);
    matches!(
        change,
        Ok(Change::Stopped {
            event: libc::PTRACE_EVENT_EXIT,
            ..
        })
    )
}

/// The cause of a signal that is queued for a stopped thread itself, if it is.
#[cfg(target_arch = "x86_64")]
pub(crate) fn pending(tid: i32, signal: i32) -> Result<Option<Cause>, Errno> {
    queued(tid, signal, 0)
}

/// Whether a signal is queued for a stopped thread or for its process.
#[cfg(target_arch = "x86_64")]
pub(crate) fn is_queued(tid: i32, signal: i32) -> bool {
    /// `PTRACE_PEEKSIGINFO_SHARED` of `linux/ptrace.h`.
    const SHARED: u32 = 1;
    // An error: it was killed this very moment.
    [0, SHARED]
        .iter()
        .any(|flags| matches!(queued(tid, signal, *flags), Ok(Some(_))))
}

#[cfg(target_arch = "x86_64")]
fn queued(tid: i32, signal: i32, flags: u32) -> Result<Option<Cause>, Errno> {
    /// The most that are looked at; such a queue has a place for each signal that is not a real-time one.
    const MOST: usize = 64;
    /// `struct ptrace_peeksiginfo_args` of `linux/ptrace.h`.
    #[repr(C)]
    struct Peek {
        offset: u64,
        flags: u32,
        count: i32,
    }
    for offset in 0..MOST as u64 {
        let mut peek = Peek {
            offset,
            flags,
            count: 1,
        };
        // SAFETY: all-zero bytes are a valid siginfo_t.
        let mut info = unsafe { std::mem::zeroed::<libc::siginfo_t>() };
        // SAFETY: the pointers are to live values of the kinds that the request takes.
        let got = crate::sys::retry(|| unsafe {
            libc::ptrace(
                libc::PTRACE_PEEKSIGINFO as _,
                tid,
                (&raw mut peek).cast::<c_void>(),
                (&raw mut info).cast::<c_void>(),
            )
        })?;
        if got == 0 {
            return Ok(None);
        }
        if info.si_signo == signal {
            return Ok(Some(cause(&info)));
        }
    }
    Ok(None)
}

/// The signals that a stopped thread blocks, as the kernel's set of 64 bits.
#[cfg(target_arch = "x86_64")]
pub(crate) fn blocked(tid: i32) -> Result<u64, Errno> {
    let mut mask = 0u64;
    let pointer = (&raw mut mask).cast();
    request(
        libc::PTRACE_GETSIGMASK as u32,
        tid,
        size_of::<u64>(),
        pointer,
    )?;
    Ok(mask)
}

/// Sets them.
#[cfg(target_arch = "x86_64")]
pub(crate) fn set_blocked(tid: i32, mask: u64) -> Result<(), Errno> {
    let mut mask = mask;
    let pointer = (&raw mut mask).cast();
    request(
        libc::PTRACE_SETSIGMASK as u32,
        tid,
        size_of::<u64>(),
        pointer,
    )
}

/// `xmm0` to `xmm15` of a stopped thread.
#[cfg(target_arch = "x86_64")]
pub(crate) fn vectors(tid: i32) -> Result<[u128; 16], Errno> {
    // SAFETY: all-zero registers are valid values.
    let mut user = unsafe { std::mem::zeroed::<libc::user_fpregs_struct>() };
    request(
        libc::PTRACE_GETFPREGS as u32,
        tid,
        0,
        (&raw mut user).cast(),
    )?;
    let mut vectors = [0u128; 16];
    for (vector, words) in vectors.iter_mut().zip(user.xmm_space.as_chunks::<4>().0) {
        *vector = words
            .iter()
            .rev()
            .fold(0, |whole, word| whole << 32 | u128::from(*word));
    }
    Ok(vectors)
}

/// The general registers of a stopped thread.
#[cfg(target_arch = "x86_64")]
pub(crate) fn registers(tid: i32) -> Result<libc::user_regs_struct, Errno> {
    // SAFETY: all-zero registers are valid values.
    let mut user = unsafe { std::mem::zeroed::<libc::user_regs_struct>() };
    let pointer = (&raw mut user).cast();
    request(libc::PTRACE_GETREGS as u32, tid, 0, pointer)?;
    Ok(user)
}

/// Sets the general registers of a stopped thread.
#[cfg(target_arch = "x86_64")]
pub(crate) fn set_registers(tid: i32, user: &libc::user_regs_struct) -> Result<(), Errno> {
    let mut user = *user;
    let pointer = (&raw mut user).cast();
    request(libc::PTRACE_SETREGS as u32, tid, 0, pointer)
}

/// Sets the result of the system call that a stopped thread is in.
#[cfg(target_arch = "x86_64")]
pub(crate) fn set_result(tid: i32, result: i64) -> Result<(), Errno> {
    let offset = std::mem::offset_of!(libc::user_regs_struct, rax);
    let result = number(result as usize);
    request(libc::PTRACE_POKEUSER as u32, tid, offset, result)
}

/// Register sets of `linux/elf.h`.
#[cfg(target_arch = "aarch64")]
mod register_set {
    /// The general ones, `user_regs_struct`.
    pub(super) const GENERAL: usize = 1;
    /// The base of thread-local storage, eight bytes.
    pub(super) const THREAD_POINTER: usize = 0x401;
    /// The number of the system call, four bytes.
    pub(super) const SYSTEM_CALL: usize = 0x404;
}

/// Reads or writes a register set; any bytes must be valid for `T`.
#[cfg(target_arch = "aarch64")]
fn transfer<T>(direction: u32, tid: i32, set: usize, value: &mut T) -> Result<(), Errno> {
    let mut piece = libc::iovec {
        iov_base: (&raw mut *value).cast(),
        iov_len: size_of::<T>(),
    };
    request(direction, tid, set, (&raw mut piece).cast())
}

/// The general registers of a stopped thread.
#[cfg(target_arch = "aarch64")]
pub(crate) fn registers(tid: i32) -> Result<libc::user_regs_struct, Errno> {
    // SAFETY: all-zero registers are valid values.
    let mut user = unsafe { std::mem::zeroed::<libc::user_regs_struct>() };
    let direction = libc::PTRACE_GETREGSET as u32;
    transfer(direction, tid, register_set::GENERAL, &mut user)?;
    Ok(user)
}

/// Sets the general registers of a stopped thread.
#[cfg(target_arch = "aarch64")]
pub(crate) fn set_registers(tid: i32, user: &libc::user_regs_struct) -> Result<(), Errno> {
    let mut user = *user;
    let direction = libc::PTRACE_SETREGSET as u32;
    transfer(direction, tid, register_set::GENERAL, &mut user)
}

/// The base of thread-local storage of a stopped thread.
#[cfg(target_arch = "aarch64")]
pub(crate) fn thread_pointer(tid: i32) -> Result<u64, Errno> {
    let mut value = 0u64;
    let direction = libc::PTRACE_GETREGSET as u32;
    transfer(direction, tid, register_set::THREAD_POINTER, &mut value)?;
    Ok(value)
}

/// The number of the system call that a stopped thread is in.
#[cfg(target_arch = "aarch64")]
pub(crate) fn system_call(tid: i32) -> Result<i32, Errno> {
    let mut value = 0i32;
    let direction = libc::PTRACE_GETREGSET as u32;
    transfer(direction, tid, register_set::SYSTEM_CALL, &mut value)?;
    Ok(value)
}
