//! Calls whose return is awaited.
//!
//! A call is known by where its return address stood. A return is matched with it by that: the stack pointer is just above then.
//! Calls further in, on the same stack, have been left by longjmp or an exception. A function that was jumped to at the end of
//! another has the same return address at the same place, so one return ends both; a function that is entered anew where a
//! call of it is still noted has been left before.

use super::tables::{Frame, MAX_FRAMES, NONE};
use super::text;
use super::tracer::Tracer;

/// How far apart two addresses of one stack may be. A thread may have several stacks, for signals or for coroutines.
const STACK: u64 = 8 << 20;

impl Tracer<'_> {
    /// Notes a call of a thread that is stopped at the entry of a place, and sees that its return is stopped at.
    pub(super) fn enter(&mut self, index: u32, place: u32, entry: super::EntryState) {
        let thread = self.thread(index);
        let stack = entry.registers.stack_pointer;
        let space = self.space(thread.space);
        let mut word = [0; 8];
        if text::read(space, stack, &mut word) != Ok(word.len()) {
            self.figures.returns_left_out += 1;
            return;
        }
        let to = u64::from_ne_bytes(word);
        self.leave_inner(index, |frame| {
            frame.stack < stack && stack - frame.stack < STACK
                || frame.stack == stack && (frame.place == place || frame.to != to)
        });
        let at = match self.stop_at_return(space, to) {
            true => self.take_frame(),
            false => None,
        };
        let Some(at) = at else {
            self.figures.returns_left_out += 1;
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
        self.leave_inner(index, |frame| {
            frame.stack < stack && stack - frame.stack < STACK
        });
        let (mut last, mut before, mut at) = (NONE, NONE, self.thread(index).frames);
        while at != NONE {
            let frame = self.frame(at);
            if frame.stack != stack || frame.to != to {
                (before, at) = (at, frame.next);
                continue;
            }
            let next = frame.next;
            self.link(index, before, next);
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
        self.leave_inner(index, |_| true);
        while self.pop_returned(index).is_some() {}
    }

    /// Forgets calls that were left.
    fn leave_inner(&mut self, index: u32, left: impl Fn(&Frame) -> bool) {
        let (mut before, mut at) = (NONE, self.thread(index).frames);
        while at != NONE {
            let frame = self.frame(at);
            if left(&frame) {
                self.link(index, before, frame.next);
                self.free(at);
                self.figures.returns_left_out += 1;
            } else if before != NONE && frame.stack != self.frame(before).stack {
                // What is further out on this stack lives, and other stacks are seen to when they are returned on.
                return;
            } else {
                before = at;
            }
            at = frame.next;
        }
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
