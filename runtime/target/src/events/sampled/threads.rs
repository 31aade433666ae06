//! The threads of the process, and their events.
//!
//! An event is of one thread: the kernel passes probes of instructions on to no thread that starts later (to have it do so makes starting one
//! fail). So threads are looked for, and what they did before they were found is not seen. Each has a ring, which belongs to an event that tells of
//! threads and programs that begin and end.

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::super::attached::close;
use super::super::error::EventError;
use super::super::perf::{self, Sampled, Shape};
use super::super::session::Site;
use super::awaited::Awaited;
use super::ring::Ring;
use crate::tasks;

/// So many events of threads that have ended are closed together: to close one takes the kernel some ten milliseconds.
const CLOSED_TOGETHER: usize = 64;

/// A thread.
#[derive(Debug)]
pub(super) struct Thread {
    pub tid: i32,
    /// Unmapped before the event is closed that it belongs to.
    pub ring: Ring,
    control: OwnedFd,
    pub events: Vec<Event>,
    pub awaited: Awaited,
    /// Events that have been closed, whose samples may still be in the ring.
    pub settling: Vec<Settling>,
    /// It has ended.
    pub gone: bool,
    /// Since when it is not found among those of the process.
    pub absent: Option<Instant>,
    /// Its ring has told since that something found no room; when the kernel was asked of what events, and how much of what is told besides samples.
    pub told_lost: bool,
    asked: Option<Instant>,
    pub untold: u64,
    /// Its samples have shorter stacks than there might be.
    pub short: bool,
}

/// An event of a probe.
#[derive(Debug)]
pub(super) struct Event {
    pub event: OwnedFd,
    /// The kernel's number of it.
    pub id: u64,
    pub probe: usize,
    pub always: bool,
}

/// An event that has been closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settling {
    pub id: u64,
    /// Where its last sample ends in the ring, at the latest.
    pub position: u64,
    /// How much it had counted, and how many samples found no room, if that was told.
    pub count: u64,
    pub lost: Option<u64>,
}

/// An instruction to be probed.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Named by the path.
    _file: Arc<File>,
    pub path: CString,
    pub offset: u64,
    pub semaphore: u64,
    pub cookie: u32,
    pub refused: bool,
}

impl Place {
    pub fn of(site: &Site) -> Place {
        // The kernel wants a path; this one also leads to files that have none any more.
        let path = format!("/proc/self/fd/{}", site.file.as_raw_fd());
        Place {
            _file: Arc::clone(&site.file),
            // Digits and strokes.
            path: CString::new(path).unwrap_or_default(),
            offset: site.offset,
            semaphore: site.semaphore.unwrap_or(0),
            cookie: site.cookie,
            refused: false,
        }
    }

    pub fn sampled(&self, at_return: bool) -> Sampled<'_> {
        Sampled::Instruction {
            path: &self.path,
            offset: self.offset,
            semaphore: self.semaphore,
            at_return,
        }
    }
}

impl Thread {
    /// Has a thread tell of others, by a ring of so many bytes, or of less where the kernel refuses that, but no less than `least`.
    ///
    /// # Errors
    /// `ESRCH`: it has ended.
    pub fn join(
        tid: i32,
        (bytes, least): (u64, u64),
        tells_lost: &mut bool,
    ) -> Result<Thread, Errno> {
        let open = |tells_lost| {
            let tasks = [(Sampled::Tasks, Shape::default())];
            let mut opened = perf::open_sampled(&tasks, true, tells_lost, tid);
            opened.pop().unwrap_or(Err(libc::EINTR))
        };
        let control = match open(*tells_lost) {
            // Before Linux 6.0.
            Err(libc::EINVAL) if *tells_lost => {
                *tells_lost = false;
                open(false)
            }
            result => result,
        };
        let control = control.map_err(Errno::from_raw)?;
        let ring = Ring::new(&control, bytes, least)?;
        Ok(Thread {
            tid,
            ring,
            control,
            events: Vec::new(),
            awaited: Awaited::default(),
            settling: Vec::new(),
            gone: false,
            absent: None,
            told_lost: false,
            asked: None,
            untold: 0,
            short: false,
        })
    }

    /// Has the samples of an event go to the ring of the thread; gives the event's number.
    pub fn take_in(&mut self, event: OwnedFd, probe: usize, always: bool) -> Result<u64, Errno> {
        perf::redirect(&event, &self.control)?;
        let id = perf::identity(&event)?;
        self.events.push(Event {
            event,
            id,
            probe,
            always,
        });
        Ok(id)
    }

    /// Ends the events that are such ones: they are to be closed. What they have counted is known when the ring has been read.
    pub fn release(&mut self, which: impl Fn(&Event) -> bool) -> Vec<OwnedFd> {
        let events = std::mem::take(&mut self.events);
        let (ended, kept) = events.into_iter().partition(which);
        self.events = kept;
        let ended: Vec<Event> = ended;
        for event in &ended {
            // One of a thread that has ended counts no more.
            let _ = perf::enable(&event.event, false);
        }
        let position = self.ring.written();
        for event in &ended {
            // It can always be read but for a defect; then no loss is known.
            let (count, lost) = perf::counts(&event.event).unwrap_or_default();
            self.settling.push(Settling {
                id: event.id,
                position,
                count,
                lost,
            });
        }
        ended.into_iter().map(|event| event.event).collect()
    }

    /// Asks of which events samples have found no room, where the ring has told that some have: each event's number, and how many. What is told next may be of any
    /// of them.
    pub fn ask_lost(&mut self) -> Vec<(u64, u64)> {
        // The kernel has to ask the processor that the thread runs on.
        const EVERY: Duration = Duration::from_millis(50);
        if !self.told_lost || self.asked.is_some_and(|asked| asked.elapsed() < EVERY) {
            return Vec::new();
        }
        (self.told_lost, self.asked) = (false, Some(Instant::now()));
        self.ask_untold();
        let lost = |event: &OwnedFd| perf::counts(event).ok()?.1;
        let events = self.events.iter();
        events
            .filter_map(|one| Some((one.id, lost(&one.event)?)))
            .collect()
    }

    /// Asks how much of what is told of threads and programs has found no room.
    pub fn ask_untold(&mut self) {
        if let Ok((_, Some(lost))) = perf::counts(&self.control) {
            self.untold = lost;
        }
    }

    /// Whether nothing more will come of it.
    pub fn is_over(&self) -> bool {
        self.gone && self.events.is_empty() && self.settling.is_empty() && self.ring.waiting() == 0
    }
}

/// The numbers of the threads of a process that are there now, the first one first: in most programs it starts the others. None where the process has gone.
pub(super) fn numbers(pid: i32) -> Vec<i32> {
    let mut found = vec![pid];
    let listed = tasks::each_thread(pid, |tid| {
        if tid != pid {
            found.push(tid);
        }
        Ok::<(), Errno>(())
    });
    if listed.is_err() {
        found.clear();
    }
    found
}

/// Whether so many events and rings have descriptors.
///
/// # Errors
/// They have not.
pub(super) fn check_descriptors(threads: usize, events: usize) -> Result<(), EventError> {
    let mut used = 0_u64;
    // What cannot be counted is refused when it comes to that.
    let counted = tasks::each_descriptor(|_| used += 1);
    let limit = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE);
    let (Ok(()), Ok((limit, _))) = (counted, limit) else {
        return Ok(());
    };
    let wanted = (threads as u64).saturating_mul(events as u64);
    // Some are needed for other things.
    const OTHERS: u64 = 32;
    if wanted.saturating_add(used).saturating_add(OTHERS) <= limit {
        return Ok(());
    }
    Err(EventError::Descriptors {
        threads,
        events,
        limit,
    })
}

/// Closes events while others are read.
#[derive(Debug, Default)]
pub(super) struct Closer {
    waiting: Vec<OwnedFd>,
    busy: Option<JoinHandle<()>>,
}

impl Closer {
    /// Closes events at some time.
    pub fn later(&mut self, events: Vec<OwnedFd>) {
        self.waiting.extend(events);
        let free = self.busy.as_ref().is_none_or(JoinHandle::is_finished);
        if self.waiting.len() < CLOSED_TOGETHER || !free {
            return;
        }
        let events = std::mem::take(&mut self.waiting);
        // What could not be handed to a thread has been closed here.
        let thread = std::thread::Builder::new().spawn(move || close(events));
        self.busy = thread.ok();
    }

    /// Closes these events and all that wait.
    pub fn now(&mut self, mut events: Vec<OwnedFd>) {
        events.append(&mut self.waiting);
        if !events.is_empty() {
            close(events);
        }
        if let Some(busy) = self.busy.take() {
            // It cannot panic but for a defect, which it has told then.
            let _ = busy.join();
        }
    }
}

impl Drop for Closer {
    fn drop(&mut self) {
        self.now(Vec::new());
    }
}
