//! Calls whose return is awaited.
//!
//! A call is known by where its return address stood. A return is matched with it by that: the stack pointer is just above then.
//! Calls further in, on the same stack, have been left by longjmp or an exception. A function that was jumped to at the end of
//! another has the same return address at the same place, so one return ends both; a function that is entered anew where a
//! call of it is still noted has been left before.
//!
//! A thread may have several stacks, for signals or for coroutines, whose calls wait while others run. Which addresses are of one
//! stack is known of the one that the thread began with alone. A call elsewhere is taken to have been left when its return address
//! is no longer where it stood, and kept otherwise.

use super::tables::{Frame, MAX_FRAMES, NONE, Space};
use super::text;
use super::tracer::Tracer;
use crate::tasks;

/// How far a stack that grows may have grown since it was last looked at.
const GROWTH: u64 = 8 << 20;
/// The most calls on other stacks that are looked at for one call or return.
const LOOKED: usize = 64;

impl Tracer<'_> {
    /// Notes a call of a thread that is stopped at the entry of a place, and sees that its return is stopped at.
    pub(super) fn enter(&mut self, index: u32, place: u32, entry: super::EntryState) {
        let thread = self.thread(index);
        let stack = entry.registers.stack_pointer;
        let space = self.space(thread.space);
        let mut word = [0; 8];
        if text::read(space, stack, &mut word) != Ok(word.len()) {
            self.figures.returns_unfollowed += 1;
            return;
        }
        let to = u64::from_ne_bytes(word);
        self.leave_inner(index, stack, |frame| frame.place == place || frame.to != to);
        if !self.stop_at_return(space, to) {
            self.figures.returns_unfollowed += 1;
            return;
        }
        let mut at = self.take_frame();
        if at.is_none() {
            self.leave_overwritten(index);
            at = self.take_frame();
        }
        let Some(at) = at else {
            self.figures.returns_without_room += 1;
            return;
        };
        let outer = self.thread(index).frames;
        if let Some(frame) = self.tables.frames.get_mut(at as usize) {
            *frame = Frame {
                next: outer,
                place,
                stack,
                to,
                entry,
            };
        }
        self.change(index, |thread| thread.frames = at);
    }

    /// Finds the calls of a thread that have returned to where it is stopped, and those that were left.
    pub(super) fn unwind(&mut self, index: u32, to: u64, stack_pointer: u64) {
        let stack = stack_pointer.wrapping_sub(8);
        self.leave_inner(index, stack, |_| false);
        let (mut last, mut before, mut at) = (NONE, NONE, self.thread(index).frames);
        while at != NONE {
            let frame = self.frame(at);
            if frame.stack != stack || frame.to != to {
                (before, at) = (at, frame.next);
                continue;
            }
            let next = frame.next;
            self.link(index, before, next);
            if self.has_returned(index, frame.place) {
                // An earlier call of the same function at the same place, which was left unseen.
                self.free(at);
                self.figures.returns_left_out += 1;
                at = next;
                continue;
            }
            self.set_next(at, NONE);
            match last {
                NONE => self.change(index, |thread| thread.returned = at),
                _ => self.set_next(last, at),
            }
            last = at;
            self.count_hit(frame.place as usize);
            at = next;
        }
    }

    /// Whether a return of a place is to be told of a thread.
    fn has_returned(&self, index: u32, place: u32) -> bool {
        let mut at = self.thread(index).returned;
        while at != NONE {
            let frame = self.frame(at);
            if frame.place == place {
                return true;
            }
            at = frame.next;
        }
        false
    }

    /// A call that has returned and is to be told.
    pub(super) fn pop_returned(&mut self, index: u32) -> Option<Frame> {
        let at = self.thread(index).returned;
        if at == NONE {
            return None;
        }
        let frame = self.frame(at);
        self.change(index, |thread| thread.returned = frame.next);
        self.free(at);
        Some(frame)
    }

    /// Forgets the calls of a thread that is about to end.
    pub(super) fn drop_frames(&mut self, index: u32) {
        let left = self.figures.returns_left_out;
        self.leave_those(index, |_, _| Some(true));
        if self.leaving {
            // They are still under way.
            self.figures.returns_left_out = left;
        }
        while self.pop_returned(index).is_some() {}
    }

    /// Forgets calls that were left, as is known when a thread enters or leaves a function whose return address is at `stack`;
    /// `there` tells it of those at that very place.
    fn leave_inner(&mut self, index: u32, stack: u64, there: impl Fn(&Frame) -> bool) {
        let mut looked = 0;
        self.leave_those(index, |tracer, frame| {
            // What is further out lives, and is seen to when it is returned to.
            if frame.stack > stack {
                return None;
            }
            if frame.stack == stack {
                return Some(there(frame));
            }
            if tracer.are_on_first_stack(index, frame.stack, stack) {
                return Some(true);
            }
            looked += 1;
            (looked <= LOOKED).then(|| tracer.is_overwritten(index, frame))
        });
    }

    /// Forgets calls of a thread whose return address is no longer where it stood.
    fn leave_overwritten(&mut self, index: u32) {
        self.leave_those(index, |tracer, frame| {
            Some(tracer.is_overwritten(index, frame))
        });
    }

    /// Forgets calls of a thread of which `left` says that they were left, the innermost first, until it says nothing.
    fn leave_those(&mut self, index: u32, mut left: impl FnMut(&mut Self, &Frame) -> Option<bool>) {
        let (mut before, mut at) = (NONE, self.thread(index).frames);
        while at != NONE {
            let frame = self.frame(at);
            match left(self, &frame) {
                None => return,
                Some(false) => before = at,
                Some(true) => {
                    self.link(index, before, frame.next);
                    self.free(at);
                    self.figures.returns_left_out += 1;
                }
            }
            at = frame.next;
        }
    }

    /// Whether the return address of a call is no longer where it stood.
    fn is_overwritten(&self, index: u32, frame: &Frame) -> bool {
        let space = self.space(self.thread(index).space);
        let mut word = [0; 8];
        text::read(space, frame.stack, &mut word) != Ok(word.len())
            || u64::from_ne_bytes(word) != frame.to
    }

    /// Whether two addresses, the lower one first, are of the stack that a thread began with.
    fn are_on_first_stack(&mut self, index: u32, low: u64, high: u64) -> bool {
        let thread = self.thread(index);
        let mut stack = thread.stack;
        let unknown = stack == (0, 0);
        // That of a process's first thread grows as it is used; others have their size.
        let first = self.space(thread.space).pid == thread.tid;
        let near = first && high < stack.1 && low < stack.0 && stack.0 - low < GROWTH;
        if unknown || near {
            let space = self.space(thread.space);
            // Of one that is not found nothing is known.
            stack = first_stack(space, thread.tid).unwrap_or((u64::MAX, u64::MAX));
            self.change(index, |thread| thread.stack = stack);
        }
        stack.0 <= low && high < stack.1
    }

    fn link(&mut self, index: u32, before: u32, next: u32) {
        match before {
            NONE => self.change(index, |thread| thread.frames = next),
            _ => self.set_next(before, next),
        }
    }

    fn frame(&self, at: u32) -> Frame {
        let found = self.tables.frames.get(at as usize);
        found.copied().unwrap_or(Frame {
            next: NONE,
            ..Frame::default()
        })
    }

    fn set_next(&mut self, at: u32, next: u32) {
        if let Some(frame) = self.tables.frames.get_mut(at as usize) {
            frame.next = next;
        }
    }

    fn take_frame(&mut self) -> Option<u32> {
        if self.free_frame != NONE {
            let at = self.free_frame;
            self.free_frame = self.frame(at).next;
            return Some(at);
        }
        if self.frames == MAX_FRAMES {
            return None;
        }
        self.frames += 1;
        u32::try_from(self.frames - 1).ok()
    }

    fn free(&mut self, at: u32) {
        let next = self.free_frame;
        self.set_next(at, next);
        self.free_frame = at;
    }
}

/// Where the stack is that a thread began with: its lowest address, and one that is above all its calls.
fn first_stack(space: Space, tid: i32) -> Option<(u64, u64)> {
    // Of a process's first thread the kernel knows it. C libraries keep what is a thread's own, to which its pointer leads, at the
    // top of the stacks of others; where that lies elsewhere, nothing that a stack pointer leads to is found.
    let top = match tid == space.pid {
        true => tasks::first_stack_pointer(space.pid)?,
        false => crate::ptrace::registers(tid).ok()?.fs_base,
    };
    let mapped = tasks::mapping_at(space.pid, top).ok()??;
    let above = match tid == space.pid {
        true => mapped.end,
        false => top,
    };
    Some((mapped.start, above))
}
