//! Ctrl-C ends a run, not the program.

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use ytrace_target::monotonic_ns;

static FLAG: AtomicPtr<AtomicBool> = AtomicPtr::new(std::ptr::null_mut());

/// How many interrupts have come.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Since when output is being written, in nanoseconds of the monotonic clock; 0 while none is.
static WRITING: AtomicU64 = AtomicU64::new(0);

/// Nobody seems to read what takes longer to be written.
const UNREAD: Duration = Duration::from_millis(500);

/// Whether there is something to show.
static KEEPS_RESULT: AtomicBool = AtomicBool::new(false);

/// Whether another program has the keyboard.
static ELSEWHERE: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_signal: libc::c_int) {
    if ELSEWHERE.load(Ordering::Relaxed) {
        return;
    }
    let number = COUNT.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    let flag = FLAG.load(Ordering::Relaxed);
    // SAFETY: the pointer is null or came from a `&'static AtomicBool`; storing into an atomic is
    // allowed in a signal handler.
    if let Some(flag) = unsafe { flag.as_ref() } {
        flag.store(true, Ordering::Relaxed);
    }
    // A result would go where nobody reads.
    let keeps = KEEPS_RESULT.load(Ordering::Relaxed) && !is_unread();
    let patience = if keeps { 2 } else { 1 };
    if number > patience {
        // The user means it. The kernel resumes a target that is stopped, and removes probes.
        // SAFETY: `_exit` is allowed in a signal handler.
        unsafe { libc::_exit(130) };
    }
}

/// Whether what is being written has waited for its reader for long. For signal handlers, too: it takes a look at the clock.
fn is_unread() -> bool {
    let since = WRITING.load(Ordering::Relaxed);
    since != 0 && u128::from(monotonic_ns().saturating_sub(since)) > UNREAD.as_nanos()
}

/// Writes output. While that waits for its reader, the second interrupt ends the program: the handler of a signal can, and nothing else runs.
pub fn writing<T>(write: impl FnOnce() -> T) -> T {
    // Of several threads that write, the first one counts.
    let (relaxed, now) = (Ordering::Relaxed, monotonic_ns());
    let first = WRITING.compare_exchange(0, now, relaxed, relaxed).is_ok();
    let written = write();
    if first {
        WRITING.store(0, relaxed);
    }
    written
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

/// Does something while another program has the keyboard, which was started for that and gets the interrupts, too: none of them is for
/// this one.
pub fn elsewhere<T>(work: impl FnOnce() -> T) -> T {
    ELSEWHERE.store(true, Ordering::Relaxed);
    let done = work();
    ELSEWHERE.store(false, Ordering::Relaxed);
    done
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
