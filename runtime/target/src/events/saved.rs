//! What the entry parts of probes give to their return parts, where that takes rows of a map.
//!
//! Where the kernel links an entry and its return itself, each row has a key of its own. Else a row is known by the thread and the stack
//! pointer, and outlives a call whose return is not seen: one that longjmp left, or that returned while nothing was probed. So an entry
//! that saves nothing takes the row of an earlier one away, and none is left when probes are put in their places again.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;

use super::compile::{SAVED_KEY, SavedMaps};
use super::kernel::{self, MapType};

/// The rows that there is room for at least for each processor: the kernel keeps free ones of each apart, 128 at a time, and pushes out
/// what was saved when those of one processor are used up.
const ROWS_OF_PROCESSOR: u32 = 1 << 10;
/// The rows that there is room for on few processors.
const LEAST_ROWS: u32 = 16 << 10;
/// The most bytes of what is saved, for the sake of more processors.
const MOST_BYTES: u32 = 256 << 20;
/// The most rows.
const MOST_ROWS: u32 = 1 << 20;

/// The maps of a batch of probes.
#[derive(Debug)]
pub(super) struct Saved {
    rows: OwnedFd,
    /// An array of one element, as long as a row, that is never written.
    zeros: OwnedFd,
    room: u32,
}

impl Saved {
    /// Room for so many rows, or as many as the processors need, of so many bytes each; 0 bytes where nothing is saved.
    pub fn new(bytes: u32, rows: Option<u32>, processors: usize) -> Result<Saved, Errno> {
        let rows = match (bytes, rows) {
            (0, _) => 1,
            (_, Some(rows)) => rows.clamp(1, MOST_ROWS),
            (_, None) => rows_for(bytes, processors),
        };
        let value = bytes.max(8);
        Ok(Saved {
            zeros: kernel::create_map(MapType::Array, 4, value, 1, 0, "ytrace_zeros")?,
            rows: kernel::create_map(MapType::LruHash, SAVED_KEY, value, rows, 0, "ytrace_saved")?,
            room: rows,
        })
    }

    pub fn maps(&self) -> SavedMaps {
        SavedMaps {
            rows: self.rows.as_raw_fd(),
            zeros: self.zeros.as_raw_fd(),
        }
    }

    /// Takes away what entry parts of some probes have saved, none of which may be in its places; tells `each` the probe of a row, which
    /// says whether it is one of them.
    ///
    /// # Errors
    /// `EBUSY`: other probes save so fast that not all rows could be looked at.
    pub fn forget(&self, mut each: impl FnMut(u32) -> bool) -> Result<(), Errno> {
        const KEY: usize = SAVED_KEY as usize;
        let (mut key, mut next) = ([0u8; KEY], [0u8; KEY]);
        let mut known = false;
        let mut found: Vec<[u8; KEY]> = Vec::new();
        let limit = 2 * u64::from(self.room) + 1;
        for _ in 0..limit {
            match kernel::next_key(
                self.rows.as_fd(),
                known.then_some(key.as_slice()),
                &mut next,
            ) {
                Ok(()) => {}
                Err(Errno::ENOENT) => {
                    for key in found {
                        match kernel::delete(self.rows.as_fd(), &key) {
                            Ok(()) | Err(Errno::ENOENT) => {}
                            Err(errno) => return Err(errno),
                        }
                    }
                    return Ok(());
                }
                Err(errno) => return Err(errno),
            }
            (key, known) = (next, true);
            // The stack pointer or a number, then the probe, and above it the thread.
            let word = key.get(8..12).and_then(<[u8]>::first_chunk);
            if each(u32::from_ne_bytes(word.copied().unwrap_or_default())) {
                found.push(key);
            }
        }
        Err(Errno::EBUSY)
    }
}

/// How many rows there are where nobody says how many.
fn rows_for(bytes: u32, processors: usize) -> u32 {
    let processors = u32::try_from(processors).unwrap_or(u32::MAX);
    let wanted = processors.saturating_mul(ROWS_OF_PROCESSOR).min(MOST_ROWS);
    // Large rows: the kernel takes the memory for all at once.
    wanted.min(MOST_BYTES / bytes.max(1)).max(LEAST_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_many_processors() {
        assert_eq!(rows_for(16, 4), LEAST_ROWS);
        assert_eq!(rows_for(16, 64), 64 << 10);
        assert_eq!(rows_for(16, 1 << 16), MOST_ROWS);
        assert_eq!(rows_for(8 << 10, 256), 32 << 10);
        assert_eq!(rows_for(64 << 10, 256), LEAST_ROWS);
    }
}
