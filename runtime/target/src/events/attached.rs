//! A program of the kernel, and where it runs.

use std::ffi::CStr;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};

use nix::errno::Errno;

use super::attach::{FileSites, RefusedSites};
use super::counters::{ONLINE_PROCESSORS, online_processors};
use super::error::EventError;
use super::kernel::{self, AttachType};
use super::perf::{self, Counted};
use super::shield::{Call, shielded};
use crate::process::Process;

/// The most threads that close descriptors. Closing a probe waits for other processors to have passed it, some ten milliseconds and almost
/// independent of how many sites it has, and such waits may as well be at the same time.
const MAX_CLOSERS: usize = 16;

/// Where a program runs.
#[derive(Debug)]
pub(super) enum Places {
    /// At instructions, many by one link.
    Links {
        attach: AttachType,
        at_return: bool,
        files: Vec<FileSites>,
    },
    /// At instructions, each by an event of its own.
    OneByOne {
        at_return: bool,
        files: Vec<FileSites>,
    },
    /// At what is counted on each processor. Events of threads would do without those of other processes, but they miss threads that start while they
    /// are made, with all that these start; and each new thread begins a new period, so that short ones are never hit.
    Counted {
        counted: Counted,
        /// Whether what happens in the kernel is counted, too.
        with_kernel: bool,
    },
    /// Where the kernel does something with threads, by its name for that.
    Kernel(&'static CStr),
}

/// A program, and where it runs.
#[derive(Debug)]
pub(super) struct AttachedPart {
    program: OwnedFd,
    places: Places,
    /// What keeps it attached.
    open: Vec<OwnedFd>,
}

impl AttachedPart {
    pub fn new(program: OwnedFd, places: Places) -> AttachedPart {
        AttachedPart {
            program,
            places,
            open: Vec::new(),
        }
    }

    pub fn is_attached(&self) -> bool {
        !self.open.is_empty()
    }

    /// Attaches to all sites that are not refused, with `children` in all processes: the program tells which count.
    pub fn attach(
        &mut self,
        process: &Process,
        children: bool,
    ) -> Result<RefusedSites, EventError> {
        let program = self.program.as_fd();
        let mut refused = Vec::new();
        let whose = (!children).then(|| process.pid());
        match &mut self.places {
            Places::Links {
                attach,
                at_return,
                files,
            } => {
                for file in files {
                    let (open, bad) =
                        file.attach(program, *attach, whose.unwrap_or(0), *at_return)?;
                    self.open.extend(open);
                    refused.extend(bad);
                }
            }
            Places::OneByOne { at_return, files } => {
                for file in files {
                    let (open, bad) =
                        file.attach_one_by_one(program, whose.unwrap_or(-1), *at_return)?;
                    self.open.extend(open);
                    refused.extend(bad);
                }
            }
            Places::Kernel(name) => {
                let open = kernel::open_tracepoint(program, name);
                let failed = |errno| EventError::system("events of threads", errno);
                self.open.push(open.map_err(failed)?);
            }
            Places::Counted {
                counted,
                with_kernel,
            } => {
                let failed = |errno| EventError::system("counting on processors", errno);
                let failed_to_list = |why| EventError::Proc {
                    path: ONLINE_PROCESSORS.to_owned(),
                    why,
                };
                for processor in online_processors().map_err(failed_to_list)? {
                    let event = match perf::count(*counted, processor, *with_kernel) {
                        Ok(event) => event,
                        // It has been switched off.
                        Err(Errno::ENODEV) => continue,
                        Err(errno) => return Err(failed(errno)),
                    };
                    perf::set_program(event.as_fd(), program).map_err(failed)?;
                    self.open.push(event);
                }
            }
        }
        Ok(refused)
    }

    /// Whether the kernel has lost the process that it is attached to, or does not say so.
    ///
    /// A link is for the thread that led the process when it was made. Where another thread runs another program, that one takes the
    /// number of the leader, which is no more, and with it all that the link could find of the process.
    pub fn has_lost_process(&self) -> bool {
        let Places::Links { .. } = &self.places else {
            return false;
        };
        let process = |link: &OwnedFd| kernel::process_of_link(link.as_fd());
        self.open.iter().any(|link| process(link).unwrap_or(0) == 0)
    }

    /// Takes it away.
    pub fn detach(&mut self) {
        close(self.release());
    }

    /// Gives what keeps it attached, so that it is taken away together with others when that is closed ([`close`]).
    pub fn release(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.open)
    }
}

impl Drop for AttachedPart {
    fn drop(&mut self) {
        self.detach();
    }
}

/// Closes descriptors, many of them at the same time, whatever becomes of this process meanwhile.
pub(super) fn close(mut open: Vec<OwnedFd>) {
    let closers = open.len().clamp(1, MAX_CLOSERS);
    let each = open.len().div_ceil(closers);
    std::thread::scope(|scope| {
        // The last ones are closed by this thread.
        while open.len() > each {
            let rest = open.split_off(open.len().saturating_sub(each));
            let closer = move || close_in_turn(rest);
            let thread = std::thread::Builder::new().spawn_scoped(scope, closer);
            // What could not be handed to a thread has been closed here.
            drop(thread);
        }
        close_in_turn(open);
    });
}

fn close_in_turn(open: Vec<OwnedFd>) {
    if open.is_empty() {
        return;
    }
    let calls = open
        .into_iter()
        .map(|one| Call::new(libc::SYS_close, [one.into_raw_fd().into(), 0, 0]));
    let mut calls: Vec<Call> = calls.collect();
    // SAFETY: the call takes no pointer, and the descriptors were ours.
    unsafe { shielded(&mut calls) };
}
