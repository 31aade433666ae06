//! Ctrl-C ends a run, not the program.

use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

static FLAG: AtomicPtr<AtomicBool> = AtomicPtr::new(std::ptr::null_mut());

extern "C" fn note(_signal: libc::c_int) {
    let flag = FLAG.load(Ordering::Relaxed);
    // SAFETY: the pointer is null or came from a `&'static AtomicBool`; storing into an atomic is
    // allowed in a signal handler.
    let flag = unsafe { flag.as_ref() };
    if flag.is_some_and(|flag| flag.swap(true, Ordering::Relaxed)) {
        // The second time the user means it. The kernel resumes a target that is stopped.
        // SAFETY: `_exit` is allowed in a signal handler.
        unsafe { libc::_exit(130) };
    }
}

/// Sets `flag` at the first SIGINT or SIGTERM; at the second one the program ends.
pub fn on_interrupt(flag: &'static AtomicBool) {
    FLAG.store(std::ptr::from_ref(flag).cast_mut(), Ordering::Relaxed);
    let action = SigAction::new(
        SigHandler::Handler(note),
        SaFlags::SA_RESTART,
        SigSet::empty(),
    );
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        // SAFETY: the handler does only what a signal handler may do.
        let installed = unsafe { sigaction(signal, &action) };
        // Without a handler the signal ends the program, which is safe for the target.
        let _ = installed;
    }
}
