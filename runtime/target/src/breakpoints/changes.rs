//! What a thread has stopped for.

use super::tables::{Came, SLOTS, State};
use super::tracer::{Slot, TRAP, Tracer};
use crate::ptrace::{self, EVENT_STOP};
use crate::stop::threads::restart_call;
use crate::sys::monotonic_ns;
use crate::tasks;

/// `si_code` of `int3`: `SI_KERNEL`.
const BY_KERNEL: i32 = 0x80;
/// Of an event of the kernel, and of a register of the processor: `TRAP_PERF`, `TRAP_HWBKPT`.
pub(super) const BY_EVENT: i32 = 6;
/// Of a step: `TRAP_TRACE`.
const BY_STEP: i32 = 2;

impl Tracer<'_> {
    /// A thread has stopped. Every way out takes note of that or lets it go on.
    pub(super) fn stopped(&mut self, tid: i32, signal: i32, event: i32) {
        let Some(index) = self.find(tid).or_else(|| self.meet(tid)) else {
            ptrace::take_note(tid);
            self.turn_away(tid);
            return;
        };
        let thread = self.thread(index);
        if event != 0 || signal == libc::SIGTRAP {
            // Nothing of it is to be delivered, whatever becomes of us.
            ptrace::take_note(tid);
        }
        match event {
            libc::PTRACE_EVENT_EXIT => self.ends(index),
            libc::PTRACE_EVENT_EXEC => self.executed(tid),
            libc::PTRACE_EVENT_CLONE | libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK => {
                self.has_made(index);
                self.go(index);
            }
            EVENT_STOP if thread.state == State::Unborn => {}
            EVENT_STOP if !thread.begun => self.born(index),
            EVENT_STOP => self.asked_to_stop(index, signal),
            0 if signal == libc::SIGTRAP => self.trapped(index),
            0 => self.signalled(index, signal),
            _ => self.go(index),
        }
    }

    /// A thread has stopped since it was asked to, by us or by job control, or since that is over.
    fn asked_to_stop(&mut self, index: u32, signal: i32) {
        let thread = self.thread(index);
        self.end_step(index);
        self.restart(index);
        if self.leaving || signal == libc::SIGTRAP {
            self.go(index);
        } else if ptrace::listen(thread.tid).is_ok() {
            self.change(index, |thread| thread.state = State::Listening);
        } else {
            self.go(index);
        }
    }

    /// Makes the system call of a stopped thread start again, if the stop has interrupted it.
    fn restart(&mut self, index: u32) {
        // An error: it was killed this very moment.
        if let Ok((_, true)) = restart_call(self.thread(index).tid) {
            self.figures.restarted_calls += 1;
        }
    }

    /// A signal is to be delivered to a thread. A call that it has interrupted starts again where the signal is ignored, as it
    /// would without us, and fails with `EINTR` where it has a handler.
    fn signalled(&mut self, index: u32, signal: i32) {
        self.end_step(index);
        self.restart(index);
        let thread = self.thread(index);
        self.change(index, |thread| thread.signal = signal);
        let told = self.plan.events.signals && self.space(thread.space).followed;
        if told && !self.leaving && thread.begun {
            ptrace::take_note(thread.tid);
            self.change(index, |thread| {
                thread.came = Came::Signal;
                thread.number = signal;
            });
            self.enqueue(index);
        } else {
            if self.frozen {
                ptrace::take_note(thread.tid);
            }
            self.go(index);
        }
    }

    /// SIGTRAP: a breakpoint of ours, a step, or something of the target's own.
    fn trapped(&mut self, index: u32) {
        let thread = self.thread(index);
        let (Ok(cause), Ok(mut user)) = (
            ptrace::signal_cause(thread.tid),
            ptrace::registers(thread.tid),
        ) else {
            // Killed this very moment: its exit is seen.
            return;
        };
        // A step that took too long is over in any case.
        self.end_step(index);
        let space = self.space(thread.space);
        match cause.code {
            BY_KERNEL => {
                let address = user.rip.wrapping_sub(1);
                let found = self.find_address(address).map(|at| self.address(at));
                if space.has_text && found.is_some_and(|point| point.in_text) {
                    user.rip = address;
                    self.look_for_handler(index);
                    if ptrace::set_registers(thread.tid, &user).is_ok() {
                        self.came_to(index, address, &user);
                    }
                    return;
                }
            }
            BY_EVENT => {
                let number = usize::try_from(cause.data).unwrap_or(SLOTS);
                let slot = self.slots.get(number).filter(|slot| slot.used).copied();
                let elsewhere = |slot: &Slot| slot.watch.is_none() && slot.address != user.rip;
                match slot {
                    _ if cause.late => self.told_late(index, number),
                    Some(slot) if elsewhere(&slot) => self.told_late(index, number),
                    Some(slot) => match slot.watch {
                        Some(watch) => self.accessed(index, watch),
                        None => self.came_to(index, slot.address, &user),
                    },
                    // It was taken out meanwhile.
                    None => self.go(index),
                }
                return;
            }
            BY_STEP if thread.stepped => {
                self.go(index);
                return;
            }
            _ => {}
        }
        // The target's own.
        self.change(index, |thread| thread.signal = libc::SIGTRAP);
        self.go(index);
    }

    /// A thread that had blocked SIGTRAP learns only now of hits before: one at least, for the kernel keeps one. Where it was
    /// and what it did is not known any more.
    fn told_late(&mut self, index: u32, slot: usize) {
        self.figures.late += 1;
        if let Some(slot) = self.slots.get_mut(slot) {
            let first = slot.used && slot.watch.is_none() && !slot.is_late;
            slot.is_late |= first;
            self.any_late |= first;
        }
        self.go(index);
    }

    /// Notes whether the kernel has taken the handler of SIGTRAP away, which it does when a thread that blocks the signal comes to
    /// `int3`.
    fn look_for_handler(&mut self, index: u32) {
        let thread = self.thread(index);
        let space = self.space(thread.space);
        if self.traps.caught && space.followed {
            let sets = tasks::signal_sets(space.pid, thread.tid);
            if sets.is_some_and(|sets| sets.caught & TRAP == 0) {
                self.traps.caught = false;
                self.figures.handler_lost = true;
            }
        }
    }

    /// A thread has accessed watched memory.
    fn accessed(&mut self, index: u32, watch: usize) {
        self.count_hit(self.plan.places.saturating_add(watch));
        self.change(index, |thread| {
            thread.came = Came::Watch;
            thread.number = i32::try_from(watch).unwrap_or(i32::MAX);
        });
        if self.leaving {
            self.go(index);
        } else {
            self.enqueue(index);
        }
    }

    /// A thread has come to a probed address, and has not run what is there.
    fn came_to(&mut self, index: u32, address: u64, user: &libc::user_regs_struct) {
        let thread = self.thread(index);
        let followed = self.space(thread.space).followed;
        self.change(index, |thread| {
            thread.state = State::Stopped;
            thread.came = Came::Nowhere;
            thread.address = address;
            thread.cursor = 0;
        });
        if self.leaving {
            self.go(index);
            return;
        }
        let Some(point) = self.find_address(address).map(|at| self.address(at)) else {
            self.go(index);
            return;
        };
        if !followed {
            self.proceed(index);
            return;
        }
        if point.is_return {
            self.unwind(index, address, user.rsp);
        }
        let mut told = self.thread(index).returned != super::tables::NONE;
        // A call is known by it: the stop at its entry, and that at its return, tell the same.
        let came = monotonic_ns();
        let mut entry = None;
        for at in self.members_of(&point) {
            let Some(member) = self.tables.members.get(at).copied() else {
                break;
            };
            if !member.at_return {
                self.count_hit(member.place as usize);
                told = true;
                continue;
            }
            if entry.is_none() {
                entry = self.now(thread.tid, self.plan.vectors, came).ok();
            }
            if let Some(entry) = entry {
                self.enter(index, member.place, entry);
            }
        }
        if told {
            self.change(index, |thread| thread.came = Came::Code);
            self.enqueue_since(index, came);
        } else {
            self.proceed(index);
        }
    }

    pub(super) fn count_hit(&mut self, counter: usize) {
        let hits = self.board.hits.get(counter).unwrap_or(0);
        self.board.hits.set(counter, hits.saturating_add(1));
    }
}
