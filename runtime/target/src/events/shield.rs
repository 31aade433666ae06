//! System calls that a SIGKILL to ytrace does not break off.
//!
//! The kernel changes a target's code page by page, and gives up where the task that asked for it is about to be killed: also when probes
//! are taken away, whose breakpoints then stay for good ("failed to unregister, leaking uprobe" in its log). A task that is on its way out
//! already does not have that trouble, so what a dead ytrace leaves to the kernel is taken away whole. What must not be broken off is done
//! by a process of its own that shares memory and descriptors and lives for as long as the calls take.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use nix::errno::Errno;

/// Bytes of stack for a function that makes system calls.
const STACK: usize = 32 << 10;

/// A system call with up to five arguments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    number: libc::c_long,
    arguments: [libc::c_long; 5],
    begun: bool,
    result: Result<libc::c_long, i32>,
}

impl Call {
    pub fn new(number: libc::c_long, arguments: [libc::c_long; 3]) -> Call {
        let [first, second, third] = arguments;
        Call::with_five(number, [first, second, third, 0, 0])
    }

    pub fn with_five(number: libc::c_long, arguments: [libc::c_long; 5]) -> Call {
        Call {
            number,
            arguments,
            begun: false,
            // What is told of a call that was broken off nevertheless.
            result: Err(libc::EINTR),
        }
    }

    /// What it returned, or the number of its error, which may be one that the C library does not know.
    pub fn result(&self) -> Result<libc::c_long, i32> {
        self.result
    }

    /// # Safety
    /// The arguments are as the call wants them.
    unsafe fn make(&mut self) {
        self.begun = true;
        let [first, second, third, fourth, fifth] = self.arguments;
        // SAFETY: as our caller promises.
        let returned = unsafe { libc::syscall(self.number, first, second, third, fourth, fifth) };
        self.result = match returned {
            // SAFETY: the C library has such a place for each thread.
            -1 => Err(unsafe { *libc::__errno_location() }),
            value => Ok(value),
        };
    }
}

/// Makes system calls one after the other, each once.
///
/// # Safety
/// What the arguments of the calls point to is live and of the form that they want.
pub(super) unsafe fn shielded(calls: &mut [Call]) {
    // Without a process for it, or where somebody killed that very process, nothing is worse than it would have been: what was not begun is
    // made by ourselves, which is nothing where all is well.
    // SAFETY: as our caller promises.
    let _unshielded = unsafe { by_another_process(calls) };
    for call in calls.iter_mut().filter(|call| !call.begun) {
        // SAFETY: as our caller promises.
        unsafe { call.make() };
    }
}

/// # Safety
/// As for [`shielded`].
unsafe fn by_another_process(calls: &mut [Call]) -> Result<(), Errno> {
    let mut stack = Vec::<u128>::new();
    let words = STACK / size_of::<u128>();
    stack.try_reserve_exact(words).map_err(|_| Errno::ENOMEM)?;
    let mut work: &mut [Call] = calls;
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are live. No handler of ours may run in a process that shares our memory.
    let masked = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr())
    };
    if masked != 0 {
        return Err(Errno::from_raw(masked));
    }
    // SAFETY: the stack is ours, grows down from its end, which is aligned to 16 bytes, and is not used for anything else; this thread stands still
    // until the other process has ended (CLONE_VFORK), so that what it is given and the thread's own storage, which it uses too,
    // are its alone. If this thread is killed the memory stays for as long as the other process runs.
    let (pid, cloned) = unsafe {
        let pid = libc::clone(
            carry_out,
            stack.as_mut_ptr().add(words).cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES,
            (&raw mut work).cast(),
        );
        let cloned = Errno::last();
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
        (pid, cloned)
    };
    if pid < 0 {
        return Err(cloned);
    }
    loop {
        // SAFETY: a null pointer asks for no status. The process has ended, or is about to.
        let waited = unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::__WALL) };
        // Another thread of the program that we are in may wait for any child.
        if waited >= 0 || Errno::last() != Errno::EINTR {
            return Ok(());
        }
    }
}

/// What the other process does. It neither allocates nor locks.
extern "C" fn carry_out(work: *mut c_void) -> libc::c_int {
    // A signal that is sent to all of ytrace's process group, or session, as `timeout` does, is not for us.
    // SAFETY: the call takes no arguments. Without it the calls are as good.
    unsafe { libc::syscall(libc::SYS_setsid) };
    // SAFETY: it is what `by_another_process` hands over, and nobody else uses it meanwhile.
    let calls: &mut &mut [Call] = unsafe { &mut *work.cast() };
    for call in calls.iter_mut() {
        // SAFETY: as the caller of `shielded` promises.
        unsafe { call.make() };
    }
    0
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::{AsRawFd, IntoRawFd};

    use super::*;

    fn made(number: libc::c_long, arguments: [libc::c_long; 3]) -> Result<libc::c_long, i32> {
        let mut calls = [Call::new(number, arguments)];
        // SAFETY: these tests make calls without pointers.
        unsafe { shielded(&mut calls) };
        calls[0].result()
    }

    #[test]
    fn calls_are_made_by_another_process_with_our_descriptors() {
        let own = i64::from(std::process::id());
        let other = made(libc::SYS_getpid, [0; 3]).unwrap();
        assert!(other > 0 && other != own, "{other}");
        assert_eq!(made(libc::SYS_getppid, [0; 3]), Ok(own));
        // SAFETY: the call takes no pointer.
        let group = i64::from(unsafe { libc::getpgrp() });
        let other_group = made(libc::SYS_getpgrp, [0; 3]).unwrap();
        assert!(
            other_group > 0 && other_group != group,
            "a signal to our group reaches it"
        );
        // Other tests open files meanwhile, which may get the number of one that was closed.
        let program = std::env::current_exe().unwrap();
        let file = File::open(&program).unwrap();
        let copy = made(libc::SYS_dup, [file.as_raw_fd().into(), 0, 0]).unwrap();
        let link = format!("/proc/self/fd/{copy}");
        assert_eq!(std::fs::read_link(&link).unwrap(), program);
        assert_eq!(made(libc::SYS_close, [copy, 0, 0]), Ok(0));
        assert_ne!(std::fs::read_link(&link).ok(), Some(program));
        let number = file.into_raw_fd();
        assert_eq!(made(libc::SYS_close, [number.into(), 0, 0]), Ok(0));
        assert_eq!(made(libc::SYS_close, [-1, 0, 0]), Err(libc::EBADF));
        // What ends the other process leaves the rest to us.
        let mut calls = [
            Call::new(libc::SYS_exit, [0; 3]),
            Call::new(libc::SYS_getpid, [0; 3]),
        ];
        // SAFETY: these calls take no pointers.
        unsafe { shielded(&mut calls) };
        assert_eq!(calls[0].result(), Err(libc::EINTR));
        assert_eq!(calls[1].result(), Ok(own));
        // Nothing is left to wait for.
        // SAFETY: a null pointer asks for no status.
        let left = unsafe { libc::waitpid(other as i32, std::ptr::null_mut(), libc::__WALL) };
        assert_eq!((left, Errno::last()), (-1, Errno::ECHILD));
    }
}
