//! New threads and processes, and their ends.

use nix::errno::Errno;

use super::tables::{Came, State, Thread};
use super::text;
use super::tracer::Tracer;
use crate::ptrace;
use crate::sys::monotonic_ns;
use crate::tasks::{is_dying, thread_state};

impl Tracer<'_> {
    /// A thread tells of one that it has made.
    pub(super) fn has_made(&mut self, index: u32) {
        let thread = self.thread(index);
        let maker = self.space(thread.space);
        let message = ptrace::event_message(thread.tid);
        let Some(tid) = message.ok().and_then(|tid| i32::try_from(tid).ok()) else {
            return;
        };
        let known = self.find(tid);
        if thread_state(maker.pid, tid).is_some() {
            if known.is_none() {
                // Without room for it, it is turned away at its first stop.
                self.new_thread(tid, thread.space);
            }
            return;
        }
        if known.is_none() && !ptrace::is_traced(tid) {
            // A thread that has gone already.
            return;
        }
        // The kernel calls whatever raises SIGCHLD at its end a fork, also what has the same memory.
        let borrows = self.shares_memory(index);
        let followed = self.plan.children && maker.followed && !self.leaving;
        let Some(space) = self.new_space(tid, followed, borrows) else {
            return;
        };
        self.change_space(space, |space| space.has_text = maker.has_text);
        match known {
            Some(child) => {
                let unborn = self.thread(child).space;
                self.change(child, |thread| thread.space = space);
                self.change_space(space, |space| {
                    space.threads = 1;
                    space.known = 1;
                });
                self.drop_space(unborn);
                self.born(child);
            }
            None => {
                if self.new_thread(tid, space).is_none() {
                    self.drop_space(space);
                }
            }
        }
    }

    /// The first stop of something that there is no room for. It goes on untraced; a process without breakpoints.
    pub(super) fn turn_away(&mut self, tid: i32) {
        let stranger =
            |space: &super::tables::Space| !space.used || thread_state(space.pid, tid).is_none();
        if self.tables.spaces.iter().take(self.spaces).all(stranger) {
            if !self.clear_text_of(tid) {
                self.figures.restored = false;
            }
            self.figures.children_let_go += 1;
        }
        let _ = ptrace::detach(tid, 0);
    }

    /// Whether the process that a thread has just made has the same memory.
    fn shares_memory(&self, index: u32) -> bool {
        /// `clone`, of 32-bit programs.
        const COMPAT_CLONE: u64 = 120;
        let thread = self.thread(index);
        let Ok(user) = ptrace::registers(thread.tid) else {
            return false;
        };
        let flags = match i64::try_from(user.orig_rax).unwrap_or(-1) {
            libc::SYS_vfork => return true,
            libc::SYS_clone => user.rdi,
            libc::SYS_clone3 => {
                let mut word = [0; 8];
                let space = self.space(thread.space);
                match text::read(space, user.rdi, &mut word) {
                    Ok(8) => u64::from_ne_bytes(word),
                    _ => 0,
                }
            }
            _ if user.orig_rax == COMPAT_CLONE => user.rbx,
            _ => 0,
        };
        flags & libc::CLONE_VM as u64 != 0
    }

    /// The first stop of something that nobody has told of yet.
    pub(super) fn meet(&mut self, tid: i32) -> Option<u32> {
        for space in 0..u32::try_from(self.spaces).unwrap_or(0) {
            let pid = self.space(space).pid;
            if self.space(space).used && thread_state(pid, tid).is_some() {
                return self.new_thread(tid, space);
            }
        }
        let space = self.new_space(tid, false, false)?;
        let Some(index) = self.new_thread(tid, space) else {
            self.drop_space(space);
            return None;
        };
        self.change(index, |thread| {
            thread.state = State::Unborn;
            thread.since = monotonic_ns();
        });
        Some(index)
    }

    /// A thread that is known has come to its first stop, which was taken note of.
    pub(super) fn born(&mut self, index: u32) {
        self.change(index, |thread| {
            thread.begun = true;
            thread.state = State::Stopped;
            thread.since = 0;
        });
        let thread = self.thread(index);
        if self.space(thread.space).pid == thread.tid && !self.adopt(index) {
            return;
        }
        self.set_slots(index);
        let followed = self.space(thread.space).followed;
        if followed && self.plan.events.threads && !self.leaving {
            self.change(index, |thread| thread.came = Came::ThreadBegin);
            self.enqueue(index);
        } else {
            self.go(index);
        }
    }

    /// Sees to the memory of a new process; false when it was let go.
    fn adopt(&mut self, index: u32) -> bool {
        let thread = self.thread(index);
        // Without its memory it was killed this very moment, or descriptors are short.
        if let Err(errno) = self.open_memory(thread.space)
            && !matches!(errno, Errno::ENOENT | Errno::ESRCH)
        {
            self.figures.restored = false;
        }
        let space = self.space(thread.space);
        if space.borrows && space.has_text && !self.leaving {
            return true;
        }
        if space.followed && space.has_text && !self.leaving {
            self.complete_text(space);
            return true;
        }
        if space.has_text && !space.borrows && !self.clear_text(space) {
            self.figures.restored = false;
        }
        self.figures.children_let_go += 1;
        let _ = ptrace::detach(thread.tid, 0);
        self.drop_thread(index);
        false
    }

    /// A new process whose maker was killed before it could tell of it.
    pub(super) fn give_up_unborn(&mut self, index: u32) {
        self.change(index, |thread| thread.begun = true);
        self.adopt(index);
    }

    /// A thread or a process has gone.
    pub(super) fn exited(&mut self, tid: i32) {
        let status = ptrace::take_note(tid);
        let Some(index) = self.find(tid) else {
            return;
        };
        let space = self.thread(index).space;
        let whole = self.space(space).pid == tid;
        if tid == self.plan.pid {
            self.status = status.or(self.status);
        }
        self.drop_thread(index);
        if whole {
            // Its other threads have gone before.
            for other in self.all_threads() {
                let thread = self.thread(other);
                if thread.state != State::Free && thread.space == space {
                    self.drop_thread(other);
                }
            }
        }
    }

    /// Whether a thread at its end may be the last of a process whose exit is to be told: all others that have not come to theirs
    /// are dying. A thread that was killed within a stop that nobody has taken note of does not stop at its exit.
    pub(super) fn may_be_last(&self, thread: &Thread) -> bool {
        let space = self.space(thread.space);
        let told = self.plan.events.exit && space.followed && !space.exit_told;
        told && space.threads > 0 && self.all_others(thread, |other| is_dying(space.pid, other.tid))
    }

    /// Whether something is true of all threads of the same process that have not come to their end.
    fn all_others(&self, thread: &Thread, check: impl Fn(&Thread) -> bool) -> bool {
        self.all_threads().all(|index| {
            let other = self.thread(index);
            let counts = other.state != State::Free && other.space == thread.space && !other.ending;
            !counts || check(&other)
        })
    }

    /// Tells of the exit of a process when one of its threads is kept at its end and the others have exited.
    pub(super) fn settle_kept(&mut self) {
        for index in self.all_threads() {
            let thread = self.thread(index);
            if !thread.kept {
                continue;
            }
            let pid = self.space(thread.space).pid;
            // A leader stays a zombie, of which nothing is told before all others have gone.
            let exited =
                |other: &Thread| matches!(thread_state(pid, other.tid), Some('Z' | 'X') | None);
            if !self.space(thread.space).exit_told && self.all_others(&thread, exited) {
                self.tell_exit(index);
            }
            if self.space(thread.space).exit_told && self.thread(index).came != Came::Exit {
                self.change(index, |thread| thread.kept = false);
                self.go(index);
            }
        }
    }

    /// Tells that a process exits, by way of a thread at its end.
    fn tell_exit(&mut self, index: u32) {
        let thread = self.thread(index);
        let status = exit_status(thread.tid);
        if self.space(thread.space).pid == self.plan.pid {
            self.status = status;
        }
        self.change_space(thread.space, |space| space.exit_told = true);
        self.change(index, |thread| {
            thread.kept = false;
            thread.came = Came::Exit;
            thread.number = status.unwrap_or(0);
        });
        self.enqueue(index);
    }

    /// A thread has executed another program, and is the only one of its process.
    pub(super) fn executed(&mut self, tid: i32) {
        let former = ptrace::event_message(tid).ok();
        let former = former.and_then(|former| i32::try_from(former).ok());
        let caller = former.and_then(|former| self.rename(former, tid));
        let Some(index) = self.find(tid).or(caller) else {
            let _ = ptrace::detach(tid, 0);
            return;
        };
        let space = self.thread(index).space;
        for other in self.all_threads() {
            let thread = self.thread(other);
            if other != index && thread.state != State::Free && thread.space == space {
                self.drop_thread(other);
            }
        }
        self.forget(index);
        self.drop_frames(index);
        self.close_events(index);
        self.close_memory(space);
        self.change(index, |thread| {
            *thread = Thread {
                tid: thread.tid,
                space: thread.space,
                state: State::Stopped,
                begun: true,
                ..Thread::NOBODY
            };
        });
        self.change_space(space, |space| {
            space.has_text = false;
            space.borrows = false;
            space.threads = 1;
        });
        if !self.space(space).followed {
            let _ = ptrace::detach(tid, 0);
            self.drop_thread(index);
        } else if self.plan.events.exec && !self.leaving {
            self.change(index, |thread| thread.came = Came::Exec);
            self.enqueue(index);
        } else {
            self.go(index);
        }
    }

    /// Gives a thread that has executed a program the number of its process, which no known one has.
    fn rename(&mut self, former: i32, tid: i32) -> Option<u32> {
        let index = self.find(former)?;
        if self.find(tid).is_some() {
            return Some(index);
        }
        let entry = usize::try_from(tid).ok();
        let entry = entry.and_then(|tid| self.tables.by_number.get_mut(tid))?;
        *entry = index + 1;
        let former = usize::try_from(former).ok();
        if let Some(entry) = former.and_then(|former| self.tables.by_number.get_mut(former)) {
            *entry = 0;
        }
        self.change(index, |thread| thread.tid = tid);
        Some(index)
    }

    /// A thread has come to its end, and has its memory still.
    pub(super) fn ends(&mut self, index: u32) {
        let thread = self.thread(index);
        self.forget(index);
        self.drop_frames(index);
        self.change(index, |thread| {
            thread.ending = true;
            thread.proceeding = false;
            thread.address = 0;
            thread.frozen = false;
            thread.came = Came::Nowhere;
            thread.signal = 0;
            thread.state = State::Stopped;
        });
        if !thread.ending {
            self.change_space(thread.space, |space| {
                space.threads = space.threads.saturating_sub(1);
            });
        }
        let space = self.space(thread.space);
        let last = space.threads == 0;
        if last && space.pid == self.plan.pid {
            self.status = exit_status(thread.tid);
            // Its memory is still there.
            self.note_replaced();
        }
        let events = self.plan.events;
        let exits = last && events.exit && !space.exit_told;
        if !space.followed || self.leaving {
            self.go(index);
        } else if events.threads {
            let status = exit_status(thread.tid);
            self.change(index, |thread| {
                thread.came = Came::ThreadEnd;
                thread.number = status.unwrap_or(0);
                thread.tells_exit = exits;
            });
            if exits {
                self.change_space(thread.space, |space| space.exit_told = true);
            }
            self.enqueue(index);
        } else if exits {
            self.tell_exit(index);
        } else {
            self.go(index);
        }
    }
}

/// The wait status that a thread at its end will have.
fn exit_status(tid: i32) -> Option<i32> {
    i32::try_from(ptrace::event_message(tid).ok()?).ok()
}
