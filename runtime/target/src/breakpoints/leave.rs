//! Taking everything out, and letting everything go.

use super::changes::BY_EVENT;
use super::tables::{NONE, State};
use super::tracer::{TRAP, Tracer};
use crate::ptrace;
use crate::sys::monotonic_ns;

/// How long threads are waited for, in nanoseconds.
const LIMIT: u64 = 10_000_000_000;
/// How long those that wait inside the kernel are.
const KERNEL_LIMIT: u64 = 1_000_000_000;
/// How long to wait between two looks.
const LOOK: u64 = 1_000_000;

impl Tracer<'_> {
    /// Takes all breakpoints out and detaches from all threads, each after it has stopped, so that none goes on with a hit or an
    /// interrupted call that nobody sees to.
    pub(super) fn leave(&mut self) {
        self.leaving = true;
        self.note_replaced();
        self.close_all_events();
        if self.clear_all_text() {
            self.board.text.set(0, 0);
        } else {
            self.figures.restored = false;
        }
        for index in self.all_threads() {
            let thread = self.thread(index);
            match thread.state {
                State::Free | State::Unborn => {}
                State::Stopped => self.let_go(index),
                State::Running | State::Listening => {
                    if thread.begun && !thread.ending {
                        // An error: it was killed this very moment.
                        let _ = ptrace::interrupt(thread.tid);
                    }
                }
            }
        }
        let began = monotonic_ns();
        loop {
            self.look();
            let waited = monotonic_ns().saturating_sub(began);
            let mut left = false;
            for index in self.all_threads() {
                let thread = self.thread(index);
                let done = match thread.state {
                    State::Free => true,
                    // Its end is no concern of ours.
                    _ if thread.ending => true,
                    State::Unborn => waited > KERNEL_LIMIT,
                    // One with its signals blocked would keep them so.
                    _ => !thread.stepped && waited > KERNEL_LIMIT && self.is_in_kernel(&thread),
                };
                left |= !done;
            }
            if !left {
                break;
            }
            if waited > LIMIT {
                self.figures.restored = false;
                break;
            }
            self.wait(monotonic_ns().saturating_add(LOOK), false);
        }
        for index in self.all_threads() {
            if self.thread(index).state == State::Unborn {
                self.give_up_unborn(index);
            }
        }
    }

    /// Detaches from a thread whose stop was taken note of.
    pub(super) fn let_go(&mut self, index: u32) {
        self.end_step(index);
        self.forget(index);
        if self.goes_on_to_hit(index) {
            return;
        }
        let thread = self.thread(index);
        match ptrace::detach(thread.tid, thread.signal) {
            Ok(()) => self.drop_thread(index),
            // It was killed this very moment; its exit is seen.
            Err(_) => self.change(index, |thread| thread.state = State::Running),
        }
    }

    /// Has a thread that has hit, and has not been told so by the kernel yet, go on to that first: the signal would end it, at once
    /// or when it unblocks it. False if there is no such hit.
    fn goes_on_to_hit(&mut self, index: u32) -> bool {
        let thread = self.thread(index);
        let tid = thread.tid;
        let (Ok(Some(cause)), Ok(mask)) =
            (ptrace::pending(tid, libc::SIGTRAP), ptrace::blocked(tid))
        else {
            return false;
        };
        let blocked = mask & TRAP != 0;
        if blocked && cause.code != BY_EVENT {
            // One of the target's own that waits.
            return false;
        }
        if thread.signal != 0 {
            // That is delivered first, and the thread stops again before it runs anything.
            let _ = ptrace::interrupt(tid);
        } else if blocked {
            if ptrace::set_blocked(tid, mask & !TRAP).is_err() {
                return false;
            }
            self.change(index, |thread| {
                thread.mask = mask;
                thread.stepped = true;
            });
        }
        if ptrace::go_on(tid, thread.signal).is_ok() {
            self.change(index, |thread| {
                thread.state = State::Running;
                thread.next = NONE;
                thread.signal = 0;
            });
        }
        true
    }
}
