//! The threads that copy.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::layout::SharedFiles;
use crate::buffer::{Page, Region};
use crate::maps::Maps;
use crate::presence::Sharing;
use crate::remote::Remote;
use crate::sys;

/// The longest to wait for the helper to start.
const HELPER_START: Duration = Duration::from_millis(100);

/// Where the bytes of a task come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The process's memory.
    Memory,
    /// The file behind the shared mapping that starts there.
    File {
        /// The mapping's start.
        mapping: u64,
    },
}

/// Pieces to copy one after another into a region of the same length.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) region: Region,
    pub(crate) pieces: Vec<Range<u64>>,
    pub(crate) origin: Origin,
}

/// A task that was done: its pieces lie one after another in the bytes.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) bytes: Page,
    pub(crate) pieces: Vec<Range<u64>>,
    /// Pages that could not be read; their bytes are without meaning.
    pub(crate) failed: Vec<Range<u64>>,
    pub(crate) from_file: bool,
    /// The process was killed: the failed pages are not unreadable, there is nothing to read any more.
    pub(crate) exited: bool,
    pub(crate) calls: u64,
    /// When it was done.
    pub(crate) done: Instant,
}

#[derive(Debug, Default)]
struct Work {
    tasks: VecDeque<Task>,
    deadline: Option<Instant>,
    /// The mappings that the tasks are of.
    maps: Arc<Maps>,
    /// Which of their pages others share, as far as that is known.
    sharing: Arc<Sharing>,
    finished: Vec<Finished>,
    busy: usize,
    expired: bool,
    helper_ready: bool,
    closed: bool,
}

/// The tasks, shared by the thread that copies and its helper.
#[derive(Debug)]
pub(crate) struct Pool {
    remote: Arc<Remote>,
    realtime: bool,
    work: Mutex<Work>,
    changed: Condvar,
}

/// Closes the pool when it goes out of scope.
pub(crate) struct Closer<'a>(&'a Pool);

impl Drop for Closer<'_> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl Pool {
    pub(crate) fn new(remote: Arc<Remote>, realtime: bool) -> Pool {
        Pool {
            remote,
            realtime,
            work: Mutex::new(Work::default()),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn closer(&self) -> Closer<'_> {
        Closer(self)
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The helper: copies memory whenever there are tasks, until the pool is closed.
    pub(crate) fn help(&self) {
        if self.realtime {
            sys::schedule_first();
        }
        let mut work = self.lock();
        work.helper_ready = true;
        self.changed.notify_all();
        while !work.closed {
            work = self.step(work).unwrap_or_else(|work| {
                self.changed
                    .wait(work)
                    .unwrap_or_else(PoisonError::into_inner)
            });
        }
    }

    /// Waits until the helper runs, so that the pause does not wait for it; not for ever, since it is only a help.
    pub(crate) fn await_helper(&self) {
        let work = self.lock();
        let ready = self.changed.wait_timeout_while(work, HELPER_START, |work| {
            !work.helper_ready && !work.closed
        });
        drop(ready);
    }

    /// Does all tasks, with the helper's help, until they are done or the deadline is over. Returns what was done and the
    /// ranges that were not.
    pub(crate) fn run(
        &self,
        tasks: Vec<Task>,
        shared: &SharedFiles,
        maps: &Arc<Maps>,
        sharing: Arc<Sharing>,
        deadline: Option<Instant>,
    ) -> (Vec<Finished>, Vec<Range<u64>>) {
        let mut work = self.lock();
        work.deadline = deadline;
        work.maps = Arc::clone(maps);
        work.sharing = sharing;
        let (memory, files): (VecDeque<Task>, VecDeque<Task>) = tasks
            .into_iter()
            .partition(|task| task.origin == Origin::Memory);
        work.tasks = memory;
        let count = work.tasks.len() + files.len();
        work.finished.reserve(count);
        self.changed.notify_all();
        // The helper knows no files, so the caller does those first.
        let mut unfinished = Vec::new();
        drop(work);
        for task in files {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                unfinished.extend(task.pieces);
                continue;
            }
            let finished = copy_file(task, shared);
            self.lock().finished.push(finished);
        }
        let mut work = self.lock();
        loop {
            work = match self.step(work) {
                Ok(work) => work,
                Err(work) if work.busy == 0 => {
                    unfinished.extend(work.tasks.iter().flat_map(|task| task.pieces.clone()));
                    let mut work = work;
                    work.tasks.clear();
                    return (std::mem::take(&mut work.finished), unfinished);
                }
                Err(work) => self
                    .changed
                    .wait(work)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Does one task; gives the lock back as an error when there is none to do.
    fn step<'a>(
        &'a self,
        mut work: MutexGuard<'a, Work>,
    ) -> Result<MutexGuard<'a, Work>, MutexGuard<'a, Work>> {
        if work
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
            && !work.tasks.is_empty()
        {
            work.expired = true;
        }
        if work.expired {
            return Err(work);
        }
        let Some(task) = work.tasks.pop_front() else {
            return Err(work);
        };
        work.busy += 1;
        let (maps, sharing) = (Arc::clone(&work.maps), Arc::clone(&work.sharing));
        drop(work);
        let finished = copy_memory(&self.remote, &maps, &sharing, task);
        let mut work = self.lock();
        work.busy -= 1;
        work.finished.push(finished);
        if work.busy == 0 {
            self.changed.notify_all();
        }
        Ok(work)
    }
}

/// Copies the pieces of a task out of the process, stepping over pages that cannot be read.
fn copy_memory(remote: &Remote, maps: &Maps, sharing: &Sharing, mut task: Task) -> Finished {
    let page = sys::page_size();
    let mut failed: Vec<Range<u64>> = Vec::new();
    let mut calls = 0;
    let mut exited = false;
    let bytes = task.region.bytes_mut();
    // How much of the task is done, and in which piece that is.
    let (mut done, mut index, mut inside) = (0usize, 0usize, 0u64);
    while let Some(piece) = task.pieces.get(index) {
        let rest = task.pieces.iter().skip(index + 1).cloned();
        let wanted = std::iter::once(piece.start + inside..piece.end).chain(rest);
        let local = bytes.get_mut(done..).unwrap_or(&mut []);
        calls += 1;
        let (mut advance, error) = match remote.read(maps, sharing, wanted, local) {
            Ok(got) => (got as u64, None),
            Err(errno) => (0, Some(errno)),
        };
        done += advance as usize;
        while let Some(piece) = task.pieces.get(index) {
            let rest = piece.end - piece.start - inside;
            if advance < rest {
                inside += advance;
                break;
            }
            advance -= rest;
            index += 1;
            inside = 0;
        }
        let Some(piece) = task.pieces.get(index) else {
            break;
        };
        if error.is_some_and(|errno| errno != Errno::EFAULT) {
            // The process is gone, or access was withdrawn: nothing further can be read.
            exited = error == Some(Errno::ESRCH);
            failed.push(piece.start + inside..piece.end);
            failed.extend(task.pieces.iter().skip(index + 1).cloned());
            break;
        }
        // Step over the page that stopped the call.
        let skip = page.min(piece.end - piece.start - inside);
        let start = piece.start + inside;
        failed.push(start..start + skip);
        done += skip as usize;
        inside += skip;
        if piece.start + inside >= piece.end {
            index += 1;
            inside = 0;
        }
    }
    Finished {
        bytes: task.region.freeze(),
        pieces: task.pieces,
        failed,
        from_file: false,
        exited,
        calls,
        done: Instant::now(),
    }
}

fn copy_file(mut task: Task, shared: &SharedFiles) -> Finished {
    let mut failed = Vec::new();
    let mut calls = 0;
    let file = match task.origin {
        Origin::File { mapping } => shared.get(mapping),
        Origin::Memory => None,
    };
    let mut rest = task.region.bytes_mut();
    for piece in &task.pieces {
        let Some((target, after)) = rest.split_at_mut_checked((piece.end - piece.start) as usize)
        else {
            break;
        };
        rest = after;
        let read = file.and_then(|(mapping, file)| {
            let offset = mapping
                .offset
                .saturating_add(piece.start.saturating_sub(mapping.start));
            calls += 1;
            sys::read_at(std::os::fd::AsFd::as_fd(file), target, offset).ok()
        });
        match read {
            Some(got) => target.iter_mut().skip(got).for_each(|byte| *byte = 0),
            None => failed.push(piece.clone()),
        }
    }
    Finished {
        bytes: task.region.freeze(),
        pieces: task.pieces,
        failed,
        from_file: true,
        exited: false,
        calls,
        done: Instant::now(),
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::*;
    use crate::presence::Pagemap;
    use crate::process::Process;

    fn copy_of(remote: &Remote, address: u64) -> Finished {
        let page = sys::page_size();
        copy_memory(
            remote,
            &Maps::default(),
            &Sharing::default(),
            Task {
                region: Region::new(page as usize).unwrap(),
                pieces: vec![address..address + page],
                origin: Origin::Memory,
            },
        )
    }

    #[test]
    fn a_process_that_is_gone_is_told_from_a_page_that_cannot_be_read() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let remote_of = |pid: u32| {
            let process = Process::open(i32::try_from(pid).unwrap()).unwrap();
            Remote::open(&process, &Pagemap::open(&process).unwrap()).unwrap()
        };
        let remote = remote_of(child.id());
        child.wait().unwrap();
        let page = sys::page_size();
        let gone = copy_of(&remote, page);
        assert!(gone.exited);
        assert_eq!(gone.failed, [page..2 * page]);
        // Nothing is ever mapped at the very first page.
        let own = copy_of(&remote_of(std::process::id()), 0);
        assert!(!own.exited);
        assert_eq!(own.failed, [0..page]);
    }
}
