//! The queue of stopped threads of which ytrace is to be told.

use super::tables::{NONE, State};
use super::tracer::Tracer;
use crate::sys::monotonic_ns;

impl Tracer<'_> {
    /// When the first thread in the queue has waited for long enough.
    pub(super) fn head_deadline(&self) -> u64 {
        match self.head {
            NONE => u64::MAX,
            head => self.thread(head).since.saturating_add(self.plan.max_hold),
        }
    }

    /// Puts a stopped thread into the queue.
    pub(super) fn enqueue(&mut self, index: u32) {
        self.enqueue_since(index, monotonic_ns());
    }

    /// Puts a thread into the queue that has stopped at an instant.
    pub(super) fn enqueue_since(&mut self, index: u32, since: u64) {
        self.change(index, |thread| {
            thread.state = State::Stopped;
            thread.since = since;
            thread.next = NONE;
        });
        let last = self.tail;
        match self.head {
            NONE => self.head = index,
            _ => self.change(last, |thread| thread.next = index),
        }
        self.tail = index;
    }

    /// Takes the first thread out of the queue, which is not empty.
    pub(super) fn dequeue(&mut self) -> u32 {
        let index = self.head;
        self.head = self.thread(index).next;
        if self.head == NONE {
            self.tail = NONE;
        }
        index
    }

    /// Takes a thread out of the queue, and from ytrace, for it is no longer where it was.
    pub(super) fn forget(&mut self, index: u32) {
        if let Some(out) = &mut self.out
            && out.thread == index
        {
            out.thread = NONE;
        }
        let (mut before, mut at) = (NONE, self.head);
        while at != NONE {
            let next = self.thread(at).next;
            if at == index {
                match before {
                    NONE => self.head = next,
                    _ => self.change(before, |thread| thread.next = next),
                }
                if self.tail == index {
                    self.tail = before;
                }
                return;
            }
            (before, at) = (at, next);
        }
    }
}
