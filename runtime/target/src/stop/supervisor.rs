//! The supervisor: a process of its own that traces, so that what it has begun is brought to its end when ytrace dies.
//!
//! It is forked, not executed anew: that costs less, needs no file, and works for whatever program this crate is part of. The
//! program that forks has several threads, so the child may only do what is allowed in a signal handler: nothing here, nor
//! in what it calls, allocates, locks, unwinds or prints. Its memory is what the parent had at the fork, shared for as long as
//! the parent does not write to it; the tables are made before.
//!
//! Whatever must be undone when ytrace goes is undone in one place, where [`pause`] comes to its end: on request, when the
//! limit is over, and when the channel closes. Breakpoints have a supervisor of their own ([`crate::breakpoints`]).

use std::ffi::CStr;
use std::ptr;

use super::channel::{Channel, Order, Received, Reply, Request};
use super::threads::{Tables, Threads};
use crate::{sys, tasks};

/// The number of the channel's descriptor in the supervisor, and the least of those that it has no use for.
const CHANNEL: i32 = 3;
/// The least number that is not tried blindly where descriptors can neither be closed all at once nor be listed.
const MOST_DESCRIPTORS: i32 = 1 << 16;

/// Where the arguments of this program lie, which `ps` shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arguments {
    start: usize,
    length: usize,
}

impl Arguments {
    /// The start and the end of them as `/proc/self/stat` tells (proc_pid_stat(5)).
    pub(crate) fn find() -> Option<Arguments> {
        /// Where they stand after the name; `arg_start` is the 48th field, the name the second.
        const START: usize = 45;
        let text = std::fs::read("/proc/self/stat").ok()?;
        let text = String::from_utf8_lossy(&text);
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_whitespace().skip(START);
        let start = fields.next()?.parse::<usize>().ok()?;
        let end = fields.next()?.parse::<usize>().ok()?;
        let length = end.checked_sub(start)?;
        (start > 0).then_some(Arguments { start, length })
    }

    /// Writes a name over them.
    ///
    /// # Safety
    /// Only for a process that uses its arguments no more.
    unsafe fn overwrite(self, name: &[u8]) {
        let arguments = ptr::with_exposed_provenance_mut::<u8>(self.start);
        // One byte is left for the terminating zero.
        let shown = name.len().min(self.length.saturating_sub(1));
        // SAFETY: the kernel put the arguments there, writable and private to this process; the caller uses them no more.
        unsafe {
            ptr::write_bytes(arguments, 0, self.length);
            ptr::copy_nonoverlapping(name.as_ptr(), arguments, shown);
        }
    }
}

/// What the supervisor does, until the channel closes.
pub(super) fn run(channel: &Channel, tables: &mut Tables) {
    sys::wake_punctually();
    while serve(channel, tables) == Next::Go {}
}

/// Leaves the parent's session, so that neither its terminal nor its process group reaches this process, and gives up its
/// files but for the channel, which keeps its number. `by_range` tells whether they may be closed with `close_range`.
///
/// # Safety
/// Only for the child of a fork, in which all signals are blocked.
pub(super) unsafe fn settle_in(
    name: &CStr,
    channel: i32,
    arguments: Option<Arguments>,
    by_range: bool,
) {
    // SAFETY: the calls are allowed after a fork; the names are terminated strings; no Rust value that owns a descriptor is
    // used afterwards but the channel, whose descriptor is left alone.
    unsafe {
        libc::setsid();
        libc::prctl(libc::PR_SET_NAME, name.as_ptr());
        if let Some(arguments) = arguments {
            arguments.overwrite(name.to_bytes());
        }
        libc::chdir(c"/".as_ptr());
        let nothing = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for standard in (0..CHANNEL).filter(|standard| *standard != channel) {
            if nothing < 0 || libc::dup2(nothing, standard) < 0 {
                libc::close(standard);
            }
        }
        let closed = by_range
            && close_range(CHANNEL, channel - 1)
            && close_range(channel.max(CHANNEL - 1) + 1, i32::MAX);
        if !closed {
            close_one_by_one(channel);
        }
    }
}

/// Closes the descriptors from `first` to `last`; tells whether that could be done. `close_range` is absent before Linux 5.9.
///
/// # Safety
/// Nothing may use them afterwards.
unsafe fn close_range(first: i32, last: i32) -> bool {
    // SAFETY: the call takes no pointer; the rest is as the caller promises.
    first > last || unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0
}

/// Closes all descriptors but the channel and the standard ones. They are listed, for the limit of their numbers may be 2³⁰,
/// as it often is in containers.
///
/// # Safety
/// Nothing may use them afterwards.
unsafe fn close_one_by_one(channel: i32) {
    let close = |descriptor| {
        if descriptor >= CHANNEL && descriptor != channel {
            // SAFETY: as the caller promises.
            unsafe { libc::close(descriptor) };
        }
    };
    if tasks::each_descriptor(close).is_err() {
        (CHANNEL..MOST_DESCRIPTORS).for_each(close);
        // Perhaps there was only no descriptor left for the list. What this leaves open does no more than stay open.
        let _ = tasks::each_descriptor(close);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Wait for the next request.
    Go,
    /// There is no one to serve any more, or something is left that only the end of this process undoes.
    End,
}

/// Serves one request.
fn serve(channel: &Channel, tables: &mut Tables) -> Next {
    match channel.receive(u64::MAX) {
        // Nothing is begun for one who has gone since.
        Received::Message(Request::Stop(_)) if channel.is_closed() => Next::End,
        Received::Message(Request::Stop(order)) => pause(channel, order, tables),
        // It came too late: the limit was over before.
        Received::Message(Request::Resume) => Next::Go,
        Received::Timeout | Received::Closed => Next::End,
    }
}

/// Stops a process and holds it until ytrace wants it to go on, has gone, or the limit is over.
fn pause(channel: &Channel, order: Order, tables: &mut Tables) -> Next {
    let mut threads = Threads::new(order, tables);
    let stopped = threads.stop();
    let mut expired = false;
    let mut wanted = true;
    if stopped.is_ok() {
        let reply = Reply::Stopped {
            records: threads.count(),
            began: threads.began(),
        };
        // If ytrace has gone, that is found by waiting for it.
        let _ = channel.send(&reply);
        match channel.receive::<Request>(threads.began().saturating_add(order.limit)) {
            Received::Message(_) => {}
            Received::Timeout => expired = true,
            Received::Closed => wanted = false,
        }
    }
    let mut outcome = threads.resume();
    if outcome.realtime {
        sys::schedule_as_usual();
    }
    outcome.expired = expired;
    let reply = match stopped {
        Ok(()) => Reply::Resumed(outcome),
        Err(failure) => Reply::Failed(failure),
    };
    // Nobody listening means that nobody wants to know.
    let _ = channel.send(&reply);
    if stopped.is_ok() && !outcome.leaving && wanted {
        return Next::Go;
    }
    threads.leave();
    Next::End
}
