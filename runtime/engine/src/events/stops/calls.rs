//! What handlers at the return of a function want to know of its entry.
//!
//! An entry and a return are of the same call if the thread, the stack pointer at the entry and the time of the entry are the same.
//! Without the time, the return of a call at whose entry nothing was kept, since ytrace came too late to it, would get what was
//! kept of an earlier one at the same depth.

use std::collections::HashMap;

use ytrace_target::breakpoints::EntryState;

/// The most calls under way whose values are kept.
const MOST: usize = 1 << 20;

/// What was kept when functions were entered.
pub(super) struct Calls {
    /// By thread, stack pointer at the entry, and handler.
    kept: HashMap<(i32, u64, usize), Kept>,
    most: usize,
}

struct Kept {
    /// When the function was entered.
    entered: u64,
    values: Vec<Option<u64>>,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            kept: HashMap::new(),
            most: MOST,
        }
    }
}

impl Calls {
    /// Keeps the values of a call, in place of an earlier one at the same depth. Where there is no room, the older half of the calls
    /// is forgotten: those that were left unseen are among them.
    pub(super) fn keep(
        &mut self,
        tid: i32,
        entry: &EntryState,
        handler: usize,
        values: Vec<Option<u64>>,
    ) {
        let call = (tid, entry.registers.stack_pointer, handler);
        if self.kept.len() >= self.most && !self.kept.contains_key(&call) {
            self.forget_older_half();
        }
        let entered = entry.time;
        self.kept.insert(call, Kept { entered, values });
    }

    /// The values of a call that returns; `None` where nothing was kept of it.
    pub(super) fn take(
        &mut self,
        tid: i32,
        entry: &EntryState,
        handler: usize,
    ) -> Option<Vec<Option<u64>>> {
        let call = (tid, entry.registers.stack_pointer, handler);
        let kept = self.kept.remove(&call)?;
        (kept.entered == entry.time).then_some(kept.values)
    }

    /// Forgets the calls of a thread that has ended.
    pub(super) fn forget_thread(&mut self, tid: i32) {
        self.kept.retain(|(thread, _, _), _| *thread != tid);
    }

    fn forget_older_half(&mut self) {
        let mut times: Vec<u64> = self.kept.values().map(|kept| kept.entered).collect();
        let half = times.len() / 2;
        if half < times.len() {
            let (_, middle, _) = times.select_nth_unstable(half);
            let middle = *middle;
            self.kept.retain(|_, kept| kept.entered > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(stack_pointer: u64, time: u64) -> EntryState {
        let mut entry = EntryState {
            time,
            ..EntryState::default()
        };
        entry.registers.stack_pointer = stack_pointer;
        entry
    }

    #[test]
    fn calls_are_told_apart_by_thread_depth_handler_and_time() {
        let mut calls = Calls::default();
        calls.keep(1, &entry(0x100, 5), 0, vec![Some(1)]);
        calls.keep(1, &entry(0x80, 6), 0, vec![Some(2)]);
        calls.keep(2, &entry(0x100, 7), 0, vec![Some(3)]);
        calls.keep(1, &entry(0x100, 5), 1, vec![None]);
        assert_eq!(calls.take(1, &entry(0x80, 6), 0), Some(vec![Some(2)]));
        assert_eq!(calls.take(1, &entry(0x80, 6), 0), None);
        assert_eq!(calls.take(1, &entry(0x100, 5), 1), Some(vec![None]));
        // Of another call at that depth, nothing was kept.
        assert_eq!(calls.take(2, &entry(0x100, 8), 0), None);
        calls.forget_thread(1);
        assert_eq!(calls.take(1, &entry(0x100, 5), 0), None);
    }

    #[test]
    fn the_older_calls_make_room() {
        let mut calls = Calls {
            most: 8,
            ..Calls::default()
        };
        for time in 0..9 {
            calls.keep(1, &entry(time * 16, time), 0, vec![Some(time)]);
            assert!(calls.kept.len() <= 8);
        }
        assert_eq!(calls.take(1, &entry(0, 0), 0), None);
        assert_eq!(calls.take(1, &entry(8 * 16, 8), 0), Some(vec![Some(8)]));
        assert_eq!(calls.take(1, &entry(7 * 16, 7), 0), Some(vec![Some(7)]));
    }
}
