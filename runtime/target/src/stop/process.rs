//! A supervisor as a process of ours: started, talked to, and seen to its end.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;

use super::channel::{Channel, Received, Words};
use super::supervisor::{self, Arguments};
use crate::error::StopError;
use crate::{sys, tasks};

/// How often one that is to end is looked at.
const LOOK: Duration = Duration::from_micros(50);
/// How often one is woken that must not be killed, and how long it may take to stand still, in nanoseconds.
const WAKE: u64 = 1_000_000_000;

/// The process. It is told to end, and waited for, when this value is dropped.
#[derive(Debug)]
pub(crate) struct SupervisorProcess {
    pub(super) pid: i32,
    /// Refers to it even when its number is used again; `None` where the kernel has no such thing.
    pub(super) pidfd: Option<OwnedFd>,
    channel: Option<Channel>,
    /// How long it may take to end when its channel is closed, and again when it is killed.
    patience: Duration,
    pub(super) killed: bool,
    /// It has gone, or must not be used again.
    pub(super) lost: bool,
}

/// Whether descriptors may be closed by range, and whether a process may be named by a descriptor.
///
/// # Errors
/// The environment forbids something that is not known.
pub(crate) fn tiers() -> Result<(bool, bool), StopError> {
    let forbidden = |tier| sys::forbidden(tier).map_err(|word| StopError::UnknownTier { word });
    let by_range = !forbidden(sys::CLOSE_RANGE)?;
    let by_pidfd = !forbidden(sys::PIDFD_SEND_SIGNAL)?;
    Ok((by_range, by_pidfd))
}

/// What became of a supervisor that was to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It has ended.
    Gone,
    /// It has not, and was let be.
    Left,
}

impl SupervisorProcess {
    /// Forks one, which is called `name` and does what `run` says until its channel closes.
    ///
    /// # Safety
    /// `run` does only what is allowed after a fork of a program with several threads: it neither allocates nor locks nor
    /// unwinds.
    pub(crate) unsafe fn fork(
        name: &'static CStr,
        by_range: bool,
        by_pidfd: bool,
        patience: Duration,
        run: impl FnOnce(&Channel),
    ) -> Result<SupervisorProcess, Errno> {
        let (ours, theirs) = Channel::pair()?;
        let arguments = Arguments::find();
        // SAFETY: all-zero signal sets are valid, and are filled before they are used.
        let (mut all, mut before) =
            unsafe { std::mem::zeroed::<(libc::sigset_t, libc::sigset_t)>() };
        // SAFETY: the pointers are to live sets.
        unsafe {
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        }
        // SAFETY: the child does only what is allowed after a fork of a program with several threads, and never returns.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: this is the child of a fork, and all signals are blocked. `_exit` ends the process without running
            // anything of the parent's; the kernel detaches from what is still traced.
            unsafe {
                supervisor::settle_in(name, theirs.descriptor(), arguments, by_range);
                run(&theirs);
                libc::_exit(0);
            }
        }
        let errno = Errno::last();
        // SAFETY: the pointer is to a live set.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut()) };
        if pid < 0 {
            return Err(errno);
        }
        let mut process = SupervisorProcess {
            pid,
            pidfd: None,
            channel: Some(ours),
            patience,
            killed: false,
            lost: false,
        };
        if by_pidfd {
            let pidfd = sys::pidfd_open(pid).ok();
            // Where the ends of children are ignored, one that has ended is not kept, and its number may be another's already.
            if process.is_gone() {
                return Err(Errno::ESRCH);
            }
            process.pidfd = pidfd;
        }
        Ok(process)
    }

    /// Its number.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Sends a message; false where nobody takes it.
    pub(crate) fn send(&self, message: &impl Words) -> bool {
        let channel = self.channel.as_ref();
        channel.is_some_and(|channel| channel.send(message).is_ok())
    }

    /// Waits for a message, for so long at most; `None` when none came or it has gone.
    pub(crate) fn receive<M: Words>(&self, patience: Duration) -> Option<M> {
        match self.wait(patience) {
            Received::Message(message) => Some(message),
            Received::Timeout | Received::Closed => None,
        }
    }

    /// The same, telling the two apart.
    pub(crate) fn wait<M: Words>(&self, patience: Duration) -> Received<M> {
        let until = sys::monotonic_ns().saturating_add(sys::nanoseconds(patience));
        match &self.channel {
            Some(channel) => channel.receive(until),
            None => Received::Closed,
        }
    }

    /// Whether it is there and has said nothing.
    pub(crate) fn is_silent(&self) -> bool {
        self.channel
            .as_ref()
            .is_some_and(|channel| !channel.readable(0))
    }

    /// Whether it has gone or must not be used again, as far as is known.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Ends a supervisor that has gone or does not answer.
    pub(crate) fn give_up(&mut self) -> StopError {
        self.kill();
        match self.end() {
            Ok(()) => StopError::TracerLost,
            Err(stuck) => stuck,
        }
    }

    /// Kills it, once, and never another process that has got its number.
    pub(super) fn kill(&mut self) {
        if self.lost || self.killed {
            return;
        }
        self.killed = true;
        self.signal(libc::SIGKILL);
    }

    /// Sends it a signal, and never to another process that has got its number.
    fn signal(&mut self, signal: i32) {
        if self.lost {
            return;
        }
        if let Some(pidfd) = &self.pidfd {
            match sys::pidfd_send_signal(pidfd.as_fd(), signal) {
                Ok(()) | Err(Errno::ESRCH) => return,
                // A filter of system calls may know the one call and not the other.
                Err(_) => {}
            }
        }
        if !self.is_gone() {
            // SAFETY: the call takes no pointer. The child has just been there, and keeps its number until it is waited for;
            // where the ends of children are ignored, until it ends, which would have to be in this very moment.
            unsafe { libc::kill(self.pid, signal) };
        }
    }

    /// Whether it has ended; if so, it is reaped. Until then its number is its own.
    pub(crate) fn is_gone(&mut self) -> bool {
        let mut status = 0;
        if !self.lost {
            // SAFETY: the pointer is to a live integer.
            let found =
                sys::retry(|| unsafe { libc::waitpid(self.pid, &mut status, libc::WNOHANG) });
            // An error: there is nothing to reap since this program ignores the ends of its children.
            self.lost = found != Ok(0);
        }
        self.lost
    }

    /// Lets one go on that somebody has stopped. What it holds would stay held.
    pub(crate) fn wake(&mut self) {
        self.signal(libc::SIGCONT);
    }

    /// Closes the channel, by which the supervisor ends, and waits for that. One that somebody has stopped is woken. If it does
    /// not end, and is `needed` since the kernel would not undo what it has done, it is left; else it is killed.
    ///
    /// # Errors
    /// It has not ended though it was killed. It is not waited for again.
    pub(crate) fn end_unless(&mut self, needed: impl Fn() -> bool) -> Result<Ended, StopError> {
        drop(self.channel.take());
        let deadline = self.deadline();
        let mut woken = 0;
        while !self.is_gone() {
            let now = sys::monotonic_ns();
            if now >= woken {
                self.wake();
                woken = now.saturating_add(WAKE);
            }
            if now >= deadline {
                if self.stands_still_unless(&needed) {
                    self.kill();
                    return self.end().map(|()| Ended::Gone);
                }
                self.wake();
                self.lost = true;
                return Ok(Ended::Left);
            }
            std::thread::sleep(LOOK);
        }
        Ok(Ended::Gone)
    }

    /// Stops it, and tells whether it is of no need then, so that it may be killed. It could change that while it runs.
    fn stands_still_unless(&mut self, needed: impl Fn() -> bool) -> bool {
        self.signal(libc::SIGSTOP);
        let until = sys::monotonic_ns().saturating_add(WAKE);
        while matches!(tasks::thread_state(self.pid, self.pid), Some('R')) {
            if sys::monotonic_ns() >= until {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        !needed()
    }

    /// Closes the channel, by which the supervisor ends, and waits for that. One that somebody has stopped is killed: only for a
    /// supervisor of which the kernel undoes what it has done.
    ///
    /// # Errors
    /// It has not ended even so. It is not waited for again.
    pub(crate) fn end(&mut self) -> Result<(), StopError> {
        drop(self.channel.take());
        let mut deadline = self.deadline();
        while !self.is_gone() {
            if sys::monotonic_ns() >= deadline {
                if self.killed {
                    self.lost = true;
                    return Err(StopError::TracerStuck { tracer: self.pid });
                }
                self.kill();
                deadline = self.deadline();
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// When it must have ended if it is to end from now on, on the monotonic clock in nanoseconds.
    fn deadline(&self) -> u64 {
        sys::monotonic_ns().saturating_add(sys::nanoseconds(self.patience))
    }
}

impl Drop for SupervisorProcess {
    fn drop(&mut self) {
        // It holds nothing by now, so there is nobody to be told.
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::super::channel::Request;
    use super::*;

    fn started(patience: Duration, run: impl FnOnce(&Channel)) -> SupervisorProcess {
        // SAFETY: what the tests run does nothing but system calls.
        unsafe { SupervisorProcess::fork(c"ytrace-test", true, true, patience, run) }.unwrap()
    }

    fn never_ends(_: &Channel) {
        loop {
            // SAFETY: the call takes no pointer.
            unsafe { libc::pause() };
        }
    }

    #[test]
    fn one_that_was_stopped_is_woken_and_ends() {
        let mut process = started(Duration::from_secs(60), |channel| {
            while !matches!(channel.receive::<Request>(u64::MAX), Received::Closed) {}
        });
        // SAFETY: the call takes no pointer; the process is one that this test has made.
        unsafe { libc::kill(process.pid, libc::SIGSTOP) };
        assert_eq!(process.end_unless(|| true).unwrap(), Ended::Gone);
        assert!(!process.killed);
    }

    #[test]
    fn one_that_is_needed_is_never_killed() {
        let mut process = started(Duration::from_millis(20), never_ends);
        let pid = process.pid;
        assert_eq!(process.end_unless(|| true).unwrap(), Ended::Left);
        assert!(process.is_lost() && !process.killed);
        drop(process);
        assert!(matches!(
            tasks::thread_state(pid, pid),
            Some('R' | 'S' | 'T')
        ));
        // SAFETY: the calls take no pointer but to a live integer; the process is one that this test has made.
        unsafe {
            libc::kill(pid, libc::SIGKILL);
            libc::waitpid(pid, std::ptr::null_mut(), 0);
        }
        let mut process = started(Duration::from_millis(20), never_ends);
        assert_eq!(process.end_unless(|| false).unwrap(), Ended::Gone);
        assert!(process.killed);
    }
}
