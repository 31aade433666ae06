//! The hash index of strings, paths and tables: 32 bits of a hash to a 32-bit entry number.
//!
//! Open addressing with linear probing. A slot is one word: the hash in its high half, the entry
//! number plus one in its low half, 0 when empty. An ideal position is the top bits of the hash,
//! so growing is one ordered sweep, and removal shifts later slots back instead of leaving
//! tombstones. One look-up touches one line of the index and one of the entries.

use crate::account::Account;
use crate::fault::{Fault, FaultKind};

/// Most entries of one index.
pub(crate) const MAX_ENTRIES: u32 = u32::MAX - 2;

const MIN_SLOTS: usize = 8;

/// Where a hash was sought.
pub(crate) enum Probe {
    /// This entry.
    Found(u32),
    /// Absent; it belongs into this slot.
    Vacant(usize),
}

/// The index. The entries themselves lie elsewhere and are compared through closures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Empty, or a power of two.
    slots: Vec<u64>,
    /// 32 less the binary logarithm of the number of slots.
    shift: u32,
    used: usize,
}

impl Index {
    /// The entry with this hash for which `equal` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u32, equal: impl Fn(u32) -> bool) -> Option<u32> {
        match self.probe(hash, equal) {
            Probe::Found(entry) => Some(entry),
            Probe::Vacant(_) => None,
        }
    }

    /// The entry, or the slot where it would go (meaningless while there are no slots).
    #[inline]
    pub(crate) fn probe(&self, hash: u32, equal: impl Fn(u32) -> bool) -> Probe {
        let mask = self.slots.len().wrapping_sub(1);
        let mut position = self.ideal(hash);
        while let Some(&slot) = self.slots.get(position & mask) {
            if slot == 0 {
                break;
            }
            if (slot >> 32) as u32 == hash {
                let entry = (slot as u32).wrapping_sub(1);
                if equal(entry) {
                    return Probe::Found(entry);
                }
            }
            position = (position & mask) + 1;
        }
        Probe::Vacant(position & mask)
    }

    /// Whether one more entry needs more slots first.
    #[inline]
    pub(crate) fn full(&self) -> bool {
        (self.used + 1) * 4 > self.slots.len() * 3
    }

    /// Writes an entry into the vacant slot that [`Index::probe`] gave, with nothing in between
    /// and [`Index::full`] being false.
    #[inline]
    pub(crate) fn fill(&mut self, slot: usize, hash: u32, entry: u32) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = u64::from(hash) << 32 | (u64::from(entry) + 1);
            self.used += 1;
        }
    }

    /// Adds an entry that is known to be absent, growing as needed.
    pub(crate) fn insert(
        &mut self,
        hash: u32,
        entry: u32,
        account: &mut Account,
    ) -> Result<(), Fault> {
        if self.full() {
            self.grow(account)?;
        }
        if let Probe::Vacant(slot) = self.probe(hash, |_| false) {
            self.fill(slot, hash, entry);
        }
        Ok(())
    }

    /// Doubles the slots.
    #[cold]
    pub(crate) fn grow(&mut self, account: &mut Account) -> Result<(), Fault> {
        let count = (self.slots.len() * 2).max(MIN_SLOTS);
        if count > 1 << 32 {
            return Err(Fault::new(FaultKind::MemoryExhausted)
                .with_message("a container holds too many elements"));
        }
        let mut slots = Vec::new();
        account.reserve(&mut slots, count)?;
        slots.resize(count, 0);
        let old = std::mem::replace(&mut self.slots, slots);
        self.shift = 32 - count.trailing_zeros();
        let mask = count - 1;
        for slot in old.iter().copied().filter(|&slot| slot != 0) {
            let mut position = self.ideal((slot >> 32) as u32);
            while let Some(place) = self.slots.get_mut(position & mask) {
                if *place == 0 {
                    *place = slot;
                    break;
                }
                position += 1;
            }
        }
        account.refund_vector(&old);
        Ok(())
    }

    /// Removes an entry.
    pub(crate) fn remove(&mut self, hash: u32, entry: u32) {
        let wanted = u64::from(hash) << 32 | (u64::from(entry) + 1);
        let mask = self.slots.len().wrapping_sub(1);
        let mut hole = self.ideal(hash);
        loop {
            match self.slots.get(hole & mask) {
                Some(&slot) if slot == wanted => break,
                None | Some(0) => return,
                Some(_) => hole = (hole & mask) + 1,
            }
        }
        hole &= mask;
        self.used -= 1;
        let mut next = hole;
        loop {
            next = (next + 1) & mask;
            let slot = self.slots.get(next).copied().unwrap_or(0);
            if slot == 0 {
                break;
            }
            // A slot may move into the hole unless its ideal position lies behind the hole.
            let ideal = self.ideal((slot >> 32) as u32) & mask;
            if next.wrapping_sub(ideal) & mask >= next.wrapping_sub(hole) & mask {
                self.slots[hole] = slot;
                hole = next;
            }
        }
        self.slots[hole] = 0;
    }

    /// Forgets all entries and keeps the slots.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(0);
        self.used = 0;
    }

    /// The bytes of the slots.
    pub(crate) fn bytes(&self) -> u64 {
        crate::account::vector_bytes(&self.slots)
    }

    #[inline]
    fn ideal(&self, hash: u32) -> usize {
        // The shift is 32 only while there are no slots.
        (u64::from(hash) >> self.shift) as usize
    }
}

/// The hash of one word: the two halves of a 128-bit product, folded, and multiplied again.
///
/// The seed differs from process to process, so that a target cannot prepare keys that collide.
#[inline]
pub(crate) fn hash_word(word: u64, seed: u64) -> u32 {
    finish(fold(word ^ seed, 0x9e37_79b9_7f4a_7c15))
}

/// The hash of several words, in order.
#[inline]
pub(crate) fn hash_words(words: &[u64], seed: u64) -> u32 {
    match words {
        [word] => hash_word(*word, seed),
        _ => {
            let mut state = seed;
            for &word in words {
                state = fold(state.rotate_left(23) ^ word ^ seed, 0xd6e8_feb8_6659_fd93);
            }
            finish(state)
        }
    }
}

// The high bits of a folded product still show the steps of evenly spaced keys; those of a
// product with it do not.
#[inline]
fn finish(state: u64) -> u32 {
    (state.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 32) as u32
}

#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive_growth_and_removal() {
        let mut account = Account::new(1 << 24);
        let mut index = Index::default();
        // A poor hash, so that runs are long and wrap around the end.
        let hash = |entry: u32| (entry / 5).wrapping_mul(0x4000_0001) | 0xc000_0000;
        for entry in 0..1000 {
            index.insert(hash(entry), entry, &mut account).unwrap();
        }
        for entry in (0..1000).filter(|entry| entry % 3 != 0) {
            index.remove(hash(entry), entry);
        }
        for entry in 0..1000 {
            let found = index.find(hash(entry), |candidate| candidate == entry);
            assert_eq!(found.is_some(), entry % 3 == 0, "{entry}");
        }
    }

    #[test]
    fn aligned_pointers_spread() {
        for stride in [8_u64, 16, 24, 64, 4096] {
            let mut tops = std::collections::HashSet::new();
            for step in 0..4096_u64 {
                tops.insert(hash_word(0x7f12_3400_0000 + step * stride, 99) >> 20);
            }
            // 4096 balls into 4096 bins fill about 63 % of them.
            assert!(tops.len() > 2300, "stride {stride}: {}", tops.len());
        }
    }
}
