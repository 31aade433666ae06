//! What the kernel's programs count, in memory that both see.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;

use nix::errno::Errno;

use super::compile::{COUNTER_BYTES, counter};
use super::kernel::{self, MAPPABLE, MapType};
use super::ring::MappedMap;
use super::session::{PartTotals, Totals};

/// The counters of some probes, by processor.
#[derive(Debug)]
pub(super) struct Counters {
    map: OwnedFd,
    memory: MappedMap,
    processors: usize,
    shift: u32,
}

impl Counters {
    /// Counters for so many probes.
    pub fn new(probes: usize, processors: usize) -> Result<Counters, Errno> {
        let block = probes
            .checked_mul(2 * COUNTER_BYTES as usize)
            .and_then(usize::checked_next_power_of_two)
            .ok_or(Errno::EOVERFLOW)?;
        let slots = processors.max(1).next_power_of_two();
        let bytes = block.checked_mul(slots).ok_or(Errno::EOVERFLOW)?;
        let value = u32::try_from(bytes).map_err(|_| Errno::EOVERFLOW)?;
        let map = kernel::create_map(MapType::Array, 4, value, 1, MAPPABLE, "ytrace_counts")?;
        let memory = MappedMap::new(map.as_fd(), bytes, 0, false)?;
        Ok(Counters {
            map,
            memory,
            processors: slots,
            shift: block.trailing_zeros(),
        })
    }

    pub fn descriptor(&self) -> i32 {
        self.map.as_raw_fd()
    }

    /// Bytes of one processor's counters, as a binary logarithm.
    pub fn shift(&self) -> u32 {
        self.shift
    }

    pub fn processors_mask(&self) -> u32 {
        u32::try_from(self.processors - 1).unwrap_or(0)
    }

    /// Where the counters of a probe are.
    pub fn offset(probe: usize) -> u32 {
        let probe = u32::try_from(probe).unwrap_or(0);
        probe.saturating_mul(2 * COUNTER_BYTES)
    }

    /// What was counted for a probe, by the place that it has among these.
    pub fn totals(&self, probe: usize) -> Totals {
        let part = |place: usize| {
            let sum = |field: i16| self.sum(place, field);
            PartTotals {
                hits: sum(counter::HITS),
                filtered: sum(counter::FILTERED),
                unsampled: sum(counter::UNSAMPLED),
                lost: sum(counter::LOST),
                table_full: sum(counter::TABLE_FULL),
                unpaired: sum(counter::UNPAIRED),
                evicted: sum(counter::EVICTED),
                too_deep: sum(counter::TOO_DEEP),
                counted: sum(counter::COUNTED),
                unseen: 0,
            }
        };
        let first = probe * 2 * COUNTER_BYTES as usize;
        Totals {
            entry: part(first),
            on_return: part(first + COUNTER_BYTES as usize),
        }
    }

    /// Calls whose entry part had saved something that was taken away while hits did not count.
    pub fn shut(&self, probe: usize) -> u64 {
        let first = probe * 2 * COUNTER_BYTES as usize;
        let places = [first, first + COUNTER_BYTES as usize];
        places.iter().fold(0, |sum, place| {
            sum.wrapping_add(self.sum(*place, counter::SHUT))
        })
    }

    /// One counter, at a place, of all processors.
    fn sum(&self, place: usize, field: i16) -> u64 {
        let offset = place + usize::try_from(field).unwrap_or(0);
        (0..self.processors)
            .filter_map(|processor| self.memory.word((processor << self.shift) + offset))
            .fold(0, |sum: u64, word| {
                sum.wrapping_add(word.load(Ordering::Relaxed))
            })
    }
}

/// How many processors there may ever be, which is what maps by processor have room for.
pub(super) fn possible_processors() -> Result<usize, String> {
    let path = "/sys/devices/system/cpu/possible";
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    // A list of ranges; the last number is the greatest.
    let last = text.trim().rsplit([',', '-']).next();
    let last = last.and_then(|last| last.parse::<usize>().ok());
    last.and_then(|last| last.checked_add(1))
        .filter(|count| *count <= 1 << 16)
        .ok_or_else(|| format!("{path}: not a list of processors"))
}

/// Where the kernel lists the processors that run.
pub(super) const ONLINE_PROCESSORS: &str = "/sys/devices/system/cpu/online";

/// The numbers of the processors that run.
pub(super) fn online_processors() -> Result<Vec<i32>, String> {
    let text = std::fs::read_to_string(ONLINE_PROCESSORS).map_err(|error| error.to_string())?;
    numbers_of(&text).ok_or_else(|| "not a list of processors".to_owned())
}

/// The numbers of a list such as "0-3,8".
fn numbers_of(list: &str) -> Option<Vec<i32>> {
    let mut numbers = Vec::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
        numbers.extend((first..=last).map(i32::from));
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_listed_by_ranges() {
        assert_eq!(numbers_of("0\n"), Some(vec![0]));
        assert_eq!(numbers_of("0-2,5,7-8\n"), Some(vec![0, 1, 2, 5, 7, 8]));
        assert_eq!(numbers_of(""), None);
        assert_eq!(numbers_of("0-x"), None);
        assert!(!online_processors().unwrap().is_empty());
    }
}
