//! The calls of a thread whose return is probed: what the kernel knows of them, and does not tell in samples.
//!
//! It puts an address of its own in place of the return address, so copies of the stack show that; and it awaits so many returns of a thread
//! and no more. What it does is done here again, by the samples of the entries (`prepare_uretprobe` and `cleanup_return_instances` of
//! `kernel/events/uprobes.c`).

use super::part::Saved;

/// The most returns that the kernel awaits of one thread (`MAX_URETPROBE_DEPTH`).
const MOST: usize = 64;
/// Bytes of a return address.
const WORD: u64 = 8;

/// A call.
#[derive(Debug)]
struct Call {
    /// Where the return address is on the stack, and what it was.
    slot: u64,
    address: u64,
    /// The instruction that is probed.
    place: u64,
    /// What the entries of probes have saved, if their returns are wanted, until these come.
    probes: Vec<(usize, Option<Option<Saved>>)>,
}

/// The calls of a thread, the latest last.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    calls: Vec<Call>,
}

impl Awaited {
    /// Another program is there.
    pub fn forget(&mut self) {
        self.calls.clear();
    }

    /// A thread has come to the entry of a function at `place` whose return is probed, with such a stack pointer and such a word there. False if the
    /// kernel does not await that return.
    pub fn enter(
        &mut self,
        (slot, word, place): (u64, u64, u64),
        kernels: Option<u64>,
        probe: usize,
        saved: Option<Saved>,
    ) -> bool {
        // Its own address: the call took the place of one that is awaited already.
        let chained = kernels == Some(word);
        let last = self.calls.last_mut();
        if let Some(call) = last
            && (call.slot, call.place) == (slot, place)
            && (chained || call.address == word)
            && call.probes.iter().all(|(known, _)| *known != probe)
        {
            // Another probe at the same hit.
            call.probes.push((probe, Some(saved)));
            return true;
        }
        let mut address = word;
        while let Some(call) = self.calls.last() {
            if slot < call.slot || chained && slot == call.slot {
                break;
            }
            self.calls.pop();
        }
        if let Some(call) = self.calls.last().filter(|call| call.slot == slot) {
            address = call.address;
        }
        if self.calls.len() >= MOST {
            return false;
        }
        self.calls.push(Call {
            slot,
            address,
            place,
            probes: vec![(probe, Some(saved))],
        });
        true
    }

    /// A thread has returned, with such a stack pointer: what the entry has saved, and nothing if the return is not wanted; `None` if the entry was not
    /// seen.
    pub fn leave(&mut self, stack_pointer: u64, probe: usize) -> Option<Option<Saved>> {
        let slot = stack_pointer.wrapping_sub(WORD);
        let waits = |call: &Call| {
            let mut probes = call.probes.iter();
            call.slot == slot && probes.any(|(known, saved)| *known == probe && saved.is_some())
        };
        let last = self.calls.iter().rposition(waits)?;
        // What was called from there has not returned, and will not.
        let inner = |call: &Call| call.slot != slot;
        while self.calls.len() > last + 1 && self.calls.last().is_some_and(inner) {
            self.calls.pop();
        }
        let call = self.calls.get_mut(last)?;
        let mut probes = call.probes.iter_mut();
        let (_, saved) = probes.find(|(known, saved)| *known == probe && saved.is_some())?;
        saved.take()
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Puts the return addresses back into the copy of a stack.
    pub fn heal(&self, stack_pointer: u64, stack: &mut [u8], kernels: u64) {
        for call in &self.calls {
            let first = call.slot.checked_sub(stack_pointer);
            let first = first.and_then(|first| usize::try_from(first).ok());
            let range = first.and_then(|first| Some(first..first.checked_add(WORD as usize)?));
            if let Some(word) = range.and_then(|range| stack.get_mut(range))
                && *word == kernels.to_le_bytes()
            {
                word.copy_from_slice(&call.address.to_le_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNELS: u64 = 0x7fff_f000;

    fn saved(number: u64) -> Option<Saved> {
        Some(Saved {
            values: vec![Some(number)],
            captures: Vec::new(),
        })
    }

    fn left(awaited: &mut Awaited, slot: u64, probe: usize) -> Option<Option<u64>> {
        let found = awaited.leave(slot + 8, probe)?;
        Some(found.and_then(|saved| saved.values[0]))
    }

    #[test]
    fn returns_find_their_entries() {
        let mut awaited = Awaited::default();
        let mut enter = |slot, word, place, probe, number| {
            let known = Some(KERNELS);
            assert!(awaited.enter((slot, word, place), known, probe, saved(number)));
        };
        // Two probes at one place, a call from there, and a jump from that to the first function.
        enter(1000, 5, 1, 0, 10);
        enter(1000, 5, 1, 1, 11);
        enter(900, 6, 2, 0, 12);
        enter(900, KERNELS, 1, 0, 13);
        enter(900, KERNELS, 1, 1, 14);
        let mut stack = vec![0; 200];
        for place in [900, 1000] {
            let place = place - 880;
            stack[place..place + 8].copy_from_slice(&KERNELS.to_le_bytes());
        }
        awaited.heal(880, &mut stack, KERNELS);
        assert_eq!((stack[20], stack[120]), (6, 5));
        assert_eq!(left(&mut awaited, 900, 1), Some(Some(14)));
        assert_eq!(left(&mut awaited, 900, 0), Some(Some(13)));
        assert_eq!(left(&mut awaited, 900, 0), Some(Some(12)));
        assert_eq!(left(&mut awaited, 900, 0), None);
        assert_eq!(left(&mut awaited, 1000, 0), Some(Some(10)));
        assert_eq!(left(&mut awaited, 1000, 1), Some(Some(11)));
        assert_eq!(left(&mut awaited, 1000, 1), None);
    }

    #[test]
    fn what_a_jump_has_left_is_forgotten() {
        let mut awaited = Awaited::default();
        for depth in 0..10 {
            assert!(awaited.enter((1000 - 10 * depth, 5, 1), None, 0, saved(depth)));
        }
        assert_eq!(left(&mut awaited, 950, 0), Some(Some(5)));
        assert_eq!(left(&mut awaited, 940, 0), None);
        assert!(awaited.enter((990, 5, 1), None, 0, None));
        assert_eq!(left(&mut awaited, 990, 0), Some(None));
        assert_eq!(left(&mut awaited, 1000, 0), Some(Some(0)));
    }

    #[test]
    fn no_more_are_awaited_than_the_kernel_does() {
        let mut awaited = Awaited::default();
        for depth in 0..100 {
            let fits = awaited.enter((10_000 - 10 * depth, 5, 1), None, 0, saved(depth));
            assert_eq!(fits, depth < 64);
        }
        assert_eq!(left(&mut awaited, 10_000 - 640, 0), None);
        assert_eq!(left(&mut awaited, 10_000 - 630, 0), Some(Some(63)));
    }
}
