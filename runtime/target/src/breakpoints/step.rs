//! How a thread goes on from a breakpoint in the text.

use nix::errno::Errno;

use super::emulate::{self, Outcome};
use super::tables::{Address, Came, Space, State};
use super::text::{self, BREAKPOINT};
use super::tracer::{STOPPING, Tracer};
use crate::ptrace::{self, Change, EVENT_STOP};
use crate::stop::threads::restart_call;
use crate::sys::{self, monotonic_ns};

/// How long a single instruction may take, in nanoseconds: a page that it needs may have to be read.
const LIMIT: u64 = 2_000_000_000;
/// How long to wait between two looks.
const LOOK: u64 = 1_000_000;
/// The signals that instructions themselves raise. A blocked one of them would lose its handler.
const BY_INSTRUCTIONS: [i32; 5] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
];

impl Tracer<'_> {
    /// Lets a thread go on that has been told of. One that stands at `int3` runs the instruction that belongs there.
    pub(super) fn proceed(&mut self, index: u32) {
        // Returns that it goes on from untold are not to be told at its next stop.
        while self.pop_returned(index).is_some() {}
        let thread = self.thread(index);
        self.change(index, |thread| {
            thread.came = Came::Nowhere;
            thread.proceeding = true;
        });
        let space = self.space(thread.space);
        if thread.address != 0 {
            self.change(index, |thread| thread.address = 0);
            let point = self.find_address(thread.address).map(|at| self.address(at));
            if let Some(point) = point.filter(|point| point.in_text && space.has_text) {
                self.step_over(index, space, &point);
            }
        }
        // It may have come to its end, or executed a program, while others were stopped for it, and is seen to.
        if self.thread(index).proceeding {
            self.change(index, |thread| thread.proceeding = false);
            self.go(index);
        }
    }

    fn step_over(&mut self, index: u32, space: Space, point: &Address) {
        let tid = self.thread(index).tid;
        let Ok(mut user) = ptrace::registers(tid) else {
            return;
        };
        // Somebody may have set it elsewhere.
        if user.rip != point.address {
            return;
        }
        let outcome = emulate::run(point, &mut user, &mut |address, bytes| {
            text::read(space, address, bytes) == Ok(bytes.len())
        });
        match outcome {
            Outcome::Done { written } => {
                let stored = match written {
                    Some((address, word)) => {
                        sys::write_process(space.pid, address, &word.to_ne_bytes())
                    }
                    None => Ok(()),
                };
                if stored.is_ok() && ptrace::set_registers(tid, &user).is_ok() {
                    self.figures.emulated += 1;
                    return;
                }
            }
            Outcome::Unknown => {}
        }
        self.step_in_place(index, space, point);
    }

    /// Takes the breakpoint out for one instruction, while all others stand still.
    fn step_in_place(&mut self, index: u32, space: Space, point: &Address) {
        let was_frozen = self.frozen;
        let tid = self.thread(index).tid;
        if !was_frozen {
            // A thread that did not stop may miss this breakpoint once.
            let _ = self.freeze(STOPPING);
        }
        if !self.thread(index).proceeding {
            if !was_frozen {
                self.thaw();
            }
            return;
        }
        self.figures.stepped += 1;
        let _ = self.toggle(space, point, false);
        let mask = ptrace::blocked(tid);
        if let Ok(mask) = mask {
            let open = BY_INSTRUCTIONS
                .iter()
                .fold(u64::MAX, |all, signal| all & !(1 << (signal - 1)));
            let _ = ptrace::set_blocked(tid, mask | open);
            self.change(index, |thread| {
                thread.mask = mask;
                thread.stepped = true;
                thread.delayed = 0;
            });
        }
        let done = match emulate::repeated(point) {
            Some(length) => self.run_to(index, space, point.address.wrapping_add(length)),
            None => self.one_step(index),
        };
        self.deliver_delayed(index, done.is_ok());
        match done {
            Ok(()) => self.end_step(index),
            // It is still at it. Its next stop ends that.
            Err(Errno::ETIMEDOUT) => self.change(index, |thread| {
                thread.proceeding = false;
                thread.state = State::Running;
                thread.since = 0;
            }),
            Err(_) => {}
        }
        let _ = self.toggle(space, point, true);
        if !was_frozen {
            self.thaw();
        }
    }

    /// Has a thread run an instruction that is repeated, to the next one. A step would be one of its rounds.
    fn run_to(&mut self, index: u32, space: Space, next: u64) -> Result<(), Errno> {
        let mut byte = [0];
        text::read(space, next, &mut byte)?;
        let [first] = byte;
        if first != BREAKPOINT {
            text::write(space, next, BREAKPOINT)?;
        }
        let result = self.run_to_breakpoint(index, next);
        if first != BREAKPOINT {
            text::write(space, next, first)?;
        }
        result
    }

    /// Has a thread run to the breakpoint at an address, unless the instruction that it is at raises a signal.
    fn run_to_breakpoint(&mut self, index: u32, next: u64) -> Result<(), Errno> {
        let tid = self.thread(index).tid;
        loop {
            self.until_trap(index, |tid| ptrace::go_on(tid, 0))?;
            let mut user = ptrace::registers(tid)?;
            if user.rip == next.wrapping_add(1) {
                user.rip = next;
                return ptrace::set_registers(tid, &user);
            }
            if self.thread(index).signal != 0 {
                return Ok(());
            }
            // It has accessed watched memory, and is in the middle of it.
            self.figures.late += 1;
        }
    }

    /// Has a thread run one instruction. An error: it does not come to its end, or the thread does.
    fn one_step(&mut self, index: u32) -> Result<(), Errno> {
        self.until_trap(index, ptrace::step)
    }

    /// Has a thread go on until SIGTRAP, or a signal that it raises itself.
    fn until_trap(&mut self, index: u32, go: fn(i32) -> Result<(), Errno>) -> Result<(), Errno> {
        let tid = self.thread(index).tid;
        if ptrace::is_at_exit(tid) {
            return Err(Errno::ESRCH);
        }
        go(tid)?;
        let deadline = monotonic_ns().saturating_add(LIMIT);
        loop {
            match ptrace::change_of(tid)? {
                Change::Stopped { signal, event, .. } => match (event, signal) {
                    (0, libc::SIGTRAP) => {
                        ptrace::take_note(tid);
                        return Ok(());
                    }
                    // The instruction itself has raised it.
                    (0, signal) if BY_INSTRUCTIONS.contains(&signal) => {
                        ptrace::take_note(tid);
                        self.change(index, |thread| thread.signal = signal);
                        return Ok(());
                    }
                    // It has run nothing: SIGSTOP, which cannot be blocked. A second one is told as ever.
                    (0, signal) if [0, signal].contains(&self.thread(index).delayed) => {
                        ptrace::take_note(tid);
                        self.change(index, |thread| thread.delayed = signal);
                        go(tid)?;
                    }
                    (0, signal) => {
                        ptrace::take_note(tid);
                        self.change(index, |thread| thread.signal = signal);
                        return Ok(());
                    }
                    (EVENT_STOP, signal) => {
                        ptrace::take_note(tid);
                        if signal != libc::SIGTRAP {
                            // Its process is stopped, and so is it to be when the step is done.
                            self.change(index, |thread| thread.delayed = libc::SIGSTOP);
                        }
                        let _ = restart_call(tid);
                        go(tid)?;
                    }
                    // Its end, which is seen to as ever.
                    _ => return Err(Errno::ESRCH),
                },
                Change::Exited { .. } | Change::NoneLeft => return Err(Errno::ESRCH),
                Change::Nothing | Change::Interrupted => {
                    let now = monotonic_ns();
                    if now > deadline {
                        return Err(Errno::ETIMEDOUT);
                    }
                    self.wait(now.saturating_add(LOOK), false);
                }
            }
        }
    }

    /// Sees that a signal is delivered that came while a thread stepped and could not be blocked; `stands` tells whether it stands
    /// still.
    fn deliver_delayed(&mut self, index: u32, stands: bool) {
        let thread = self.thread(index);
        if thread.delayed == 0 {
            return;
        }
        self.change(index, |thread| thread.delayed = 0);
        if thread.delayed == libc::SIGSTOP && stands && ptrace::is_queued(thread.tid, libc::SIGCONT)
        {
            // Sent later, for SIGSTOP takes back what was before it; it has taken that SIGSTOP back.
            return;
        }
        if stands && thread.signal == 0 {
            let signal = thread.delayed;
            self.change(index, |thread| thread.signal = signal);
        } else {
            // An error: it was killed this very moment.
            let _ = sys::signal_thread(self.space(thread.space).pid, thread.tid, thread.delayed);
        }
    }

    /// Lets signals through again that waited for a step.
    pub(super) fn end_step(&mut self, index: u32) {
        let thread = self.thread(index);
        if thread.stepped {
            let _ = ptrace::set_blocked(thread.tid, thread.mask);
            self.change(index, |thread| thread.stepped = false);
        }
    }

    /// Sees that a return address is stopped at; false when it cannot be.
    pub(super) fn stop_at_return(&mut self, space: Space, to: u64) -> bool {
        let index = match self.find_address(to) {
            Some(index) => index,
            None => {
                let mut point = self.read_instruction(space, to);
                let Some(mapped) = self
                    .code_at(space, to)
                    .filter(|_| !emulate::refusal(&point))
                else {
                    return false;
                };
                point.shared = mapped.shared;
                point.origin = mapped.origin(to);
                if point.text_refusal().is_some() && !self.has_free_slot() {
                    // Not noted: programs that make code make much of it, and there is no room for all.
                    return false;
                }
                let Some(index) = self.note_address(point) else {
                    return false;
                };
                // If it cannot be written, or must not be, it is not set, which is looked at last.
                let first = self.traps.blocked && self.set_in_text(index).is_ok();
                if !(first || self.has_free_slot() && self.set_in_hardware(index)) {
                    let _ = self.set_in_text(index);
                }
                index
            }
        };
        if let Some(point) = self.tables.addresses.get_mut(index) {
            point.is_return = true;
            return point.in_text || point.slot > 0;
        }
        false
    }
}
