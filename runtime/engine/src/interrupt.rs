//! Ctrl-C ends a run, not the program.

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

static FLAG: AtomicPtr<AtomicBool> = AtomicPtr::new(std::ptr::null_mut());

/// How many interrupts have come.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Whether there is something to show.
static KEEPS_RESULT: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_signal: libc::c_int) {
    let number = COUNT.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    let flag = FLAG.load(Ordering::Relaxed);
    // SAFETY: the pointer is null or came from a `&'static AtomicBool`; storing into an atomic is
    // allowed in a signal handler.
    if let Some(flag) = unsafe { flag.as_ref() } {
        flag.store(true, Ordering::Relaxed);
    }
    let patience = match KEEPS_RESULT.load(Ordering::Relaxed) {
        true => 2,
        false => 1,
    };
    if number > patience {
        // The user means it. The kernel resumes a target that is stopped, and removes probes.
        // SAFETY: `_exit` is allowed in a signal handler.
        unsafe { libc::_exit(130) };
    }
}

/// Sets `flag` at SIGINT. The second one before [`begin_anew`] ends the program. SIGTERM ends it as ever.
pub fn on_keyboard(flag: &'static AtomicBool) {
    install(flag, &[Signal::SIGINT]);
}

/// Sets `flag` at the first SIGINT or SIGTERM. The second one ends the program, or, once there is something to show
/// ([`keep_result`]), sets the flag again; then the third one ends it.
pub fn on_interrupt(flag: &'static AtomicBool) {
    install(flag, &[Signal::SIGINT, Signal::SIGTERM]);
}

fn install(flag: &'static AtomicBool, signals: &[Signal]) {
    FLAG.store(std::ptr::from_ref(flag).cast_mut(), Ordering::Relaxed);
    let action = SigAction::new(
        SigHandler::Handler(note),
        SaFlags::SA_RESTART,
        SigSet::empty(),
    );
    for signal in signals {
        // SAFETY: the handler does only what a signal handler may do.
        let installed = unsafe { sigaction(*signal, &action) };
        // Without a handler the signal ends the program, which is safe for the target.
        let _ = installed;
    }
}

/// Says that a second interrupt would lose something.
pub fn keep_result() {
    KEEPS_RESULT.store(true, Ordering::Relaxed);
}

/// Takes back all interrupts: what is begun next is not what the user wanted to end.
pub fn begin_anew(flag: &AtomicBool) {
    COUNT.store(0, Ordering::Relaxed);
    flag.store(false, Ordering::Relaxed);
}

/// Takes back the first interrupt, which has ended the waiting. One that came after it stays.
pub(crate) fn take_first(flag: &AtomicBool) {
    flag.store(false, Ordering::Relaxed);
    if COUNT.load(Ordering::Relaxed) > 1 {
        flag.store(true, Ordering::Relaxed);
    }
}
