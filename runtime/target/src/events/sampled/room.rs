//! How much memory the rings of threads have, and how much of a stack their samples.
//!
//! A ring cannot grow or shrink while a thread is probed, and who will start is not known. So each thread has a share of what is left as if as many
//! more came as there are, and all rings together no more than they may.

use super::super::error::EventError;

/// The least ring: some records with the least stacks.
const LEAST_RING: u64 = 32 << 10;
/// The largest.
const MOST_RING: u64 = 8 << 20;
/// So many threads are expected at least.
const LEAST_THREADS: u64 = 8;
/// A ring has room for so many stacks at least, if they are not the shortest.
const STACKS: u64 = 16;
/// A stack that is unwound may be so many times as long as is expected, where there is room.
const MOST_TIMES: u32 = 4;

/// What rings there are, and how they differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rings {
    /// How many there have been, and the bytes of the least and of the largest.
    pub count: u64,
    /// Bytes of the least.
    pub least: u64,
    /// Bytes of the largest.
    pub most: u64,
    /// Threads whose samples have shorter stacks than others might have, since their rings are small.
    pub short_stacks: u64,
    /// Bytes of the shortest of these.
    pub shortest: u32,
}

impl Rings {
    /// Takes note of a ring.
    pub(super) fn add(&mut self, bytes: u64) {
        self.least = match self.count {
            0 => bytes,
            _ => self.least.min(bytes),
        };
        self.most = self.most.max(bytes);
        self.count += 1;
    }

    /// Takes note of a thread whose stacks are short.
    pub(super) fn add_short(&mut self, bytes: u32) {
        self.shortest = match self.short_stacks {
            0 => bytes,
            _ => self.shortest.min(bytes),
        };
        self.short_stacks += 1;
    }
}

/// Bytes of the ring of one of `coming` threads, where there may be `total`, `taken` of that by `living` threads: a power of two, and the least that
/// it may be where the kernel refuses so much.
///
/// # Errors
/// There is not so much left. A thread that is alone has the least ring in any case.
pub(super) fn ring(
    total: u64,
    taken: u64,
    living: usize,
    coming: usize,
) -> Result<(u64, u64), EventError> {
    let (living, coming) = (living as u64, (coming as u64).max(1));
    let left = total.saturating_sub(taken);
    if left < LEAST_RING && living > 0 {
        return Err(EventError::RingRoom {
            bytes: total,
            threads: living,
        });
    }
    let parts = living.saturating_add(coming.saturating_mul(2));
    let share = (left / parts.max(LEAST_THREADS)).clamp(LEAST_RING, MOST_RING);
    // The greatest power of two that is no more.
    Ok((1 << share.ilog2(), LEAST_RING))
}

/// Bytes of stack in a sample where so many are expected and the ring is so large.
pub(super) fn stack(expected: u32, ring: u64) -> u32 {
    // Of a stack that ends before, less is copied; but the room in the ring is taken.
    let fits = u32::try_from(ring / STACKS).unwrap_or(u32::MAX);
    // What does not fit into the ring would be lost as a whole.
    let least = expected.min(u32::try_from(ring / 2).unwrap_or(u32::MAX));
    fits.clamp(least, expected.saturating_mul(MOST_TIMES)) & !7
}

/// Whether a larger ring would have longer stacks.
pub(super) fn is_short(expected: u32, ring: u64) -> bool {
    stack(expected, ring) < stack(expected, MOST_RING)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rings of threads that come one after the other.
    fn one_by_one(total: u64, first: usize) -> Vec<u64> {
        let (mut taken, mut rings) = (0, Vec::new());
        let share = ring(total, 0, 0, first).unwrap().0;
        rings.resize(first, share);
        taken += share * first as u64;
        while let Ok((bytes, least)) = ring(total, taken, rings.len(), 1) {
            assert!(bytes.is_power_of_two() && bytes >= least, "{rings:?}");
            taken += bytes;
            rings.push(bytes);
            assert!(taken <= total, "{taken} of {total}: {rings:?}");
        }
        rings
    }

    #[test]
    fn rings_are_bounded_together_and_shared() {
        for total in [4 << 20, 16 << 20, 128 << 20] {
            for first in [1, 4, 30] {
                let rings = one_by_one(total, first);
                // Those that are there at first have the same, and leave as much as they take.
                let at_first: u64 = rings.iter().take(first).sum();
                assert!(at_first <= total / 2, "{at_first} of {total}");
                assert!(
                    rings.len() > 40,
                    "{total}, {first}: {} threads",
                    rings.len()
                );
                // Nobody has more than who came before.
                assert!(rings.is_sorted_by(|a, b| a >= b), "{rings:?}");
            }
        }
        assert_eq!(one_by_one(128 << 20, 1)[0], MOST_RING);
        let error = ring(4 << 20, 4 << 20, 77, 1).unwrap_err().to_string();
        assert!(
            error.contains("4096 KiB") && error.contains("77"),
            "{error}"
        );
        // One thread is always probed.
        assert_eq!(ring(0, 0, 0, 1).unwrap().0, LEAST_RING);
    }

    #[test]
    fn stacks_are_as_long_as_rings_have_room_for() {
        assert_eq!(stack(8 << 10, MOST_RING), 32 << 10);
        assert_eq!(stack(8 << 10, 512 << 10), 32 << 10);
        assert_eq!(stack(8 << 10, 256 << 10), 16 << 10);
        assert_eq!(stack(8 << 10, LEAST_RING), 8 << 10);
        assert!(is_short(8 << 10, 256 << 10) && !is_short(8 << 10, 512 << 10));
        let mut rings = Rings::default();
        for bytes in [1 << 20, 64 << 10, 512 << 10] {
            rings.add(bytes);
        }
        rings.add_short(16 << 10);
        rings.add_short(8 << 10);
        assert_eq!(
            (rings.count, rings.least, rings.most),
            (3, 64 << 10, 1 << 20)
        );
        assert_eq!((rings.short_stacks, rings.shortest), (2, 8 << 10));
    }
}
