//! Where the blocks of thread-local variables are: how far below the thread pointer.
//!
//! The ELF ABI for thread-local storage on x86-64 ("variant II" of Drepper's "ELF Handling For Thread-Local Storage") fixes that of the
//! executable. Those of shared libraries only the C library knows; how it tells is data of the shipped library.

use serde::Deserialize;
use ytrace_debuginfo::ThreadLocalSegment;

use super::{LoadedModule, Names};
use crate::library::shipped;

/// The name of the description in the shipped library.
const DESCRIPTION: &str = "glibc/threads.toml";

/// `EM_X86_64`.
const X86_64: u16 = 62;

/// The largest offset of a member in the dynamic linker's entry that is believed, in bytes.
const MOST_OFFSET: u64 = 1 << 20;

/// How a C library tells where blocks are; `stdlib/glibc/threads.toml` says what the members mean.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    distance: String,
    elsewhere: Vec<i64>,
}

impl Names {
    /// By how many bytes the block of a module's thread-local variables begins below the thread pointer, in each thread.
    ///
    /// # Errors
    /// A sentence that says why that is not known.
    pub(crate) fn thread_local_distance(&self, module: usize) -> Result<u64, String> {
        let loaded = self.modules.get(module).ok_or("no such module")?;
        loaded
            .thread_locals
            .get_or_init(|| self.find_thread_locals(module, loaded))
            .clone()
    }

    fn find_thread_locals(&self, module: usize, loaded: &LoadedModule) -> Result<u64, String> {
        let opened = self.open(module)?;
        if opened.info.machine() != X86_64 || !opened.info.is_64() {
            return Err("thread-local variables are found on x86-64 only".to_owned());
        }
        if loaded.mapped.main {
            let segment = opened
                .info
                .thread_local_segment()
                .ok_or("the executable has no segment of thread-local variables")?;
            return distance_of_executable(&segment)
                .ok_or_else(|| "the segment of thread-local variables is malformed".to_owned());
        }
        let link = loaded
            .mapped
            .link
            .ok_or("the module is not in the dynamic linker's list")?;
        self.distance_of_library(link)
    }

    /// The same for a shared library, whose entry in the dynamic linker's list is at `link`.
    fn distance_of_library(&self, link: u64) -> Result<u64, String> {
        let text = shipped(DESCRIPTION)
            .ok_or_else(|| format!("the shipped library has no {DESCRIPTION}"))?;
        let description: Description =
            toml::from_str(text).map_err(|error| format!("{DESCRIPTION}: {error}"))?;
        let mut memory = self.origin.memory()?;
        let descriptor = (0..self.modules.len())
            .filter_map(|module| self.open(module).ok())
            .find_map(|opened| {
                let symbol = opened.info.symbols_named(&description.distance);
                Some(symbol.first()?.address.wrapping_add(opened.bias))
            })
            .ok_or_else(|| {
                format!(
                    "no module of the target has the symbol `{}`, which tells where libraries' variables are",
                    description.distance
                )
            })?;
        let mut words = [0; 12];
        memory
            .read(descriptor, &mut words)
            .map_err(|error| error.to_string())?;
        let (bits, offset) = match words {
            [a, b, c, d, _, _, _, _, i, j, k, l] => (
                u32::from_ne_bytes([a, b, c, d]),
                u64::from(u32::from_ne_bytes([i, j, k, l])),
            ),
        };
        if bits != u64::BITS || offset > MOST_OFFSET {
            return Err(format!("`{}` is malformed", description.distance));
        }
        let mut distance = [0; 8];
        memory
            .read(link.wrapping_add(offset), &mut distance)
            .map_err(|error| error.to_string())?;
        let distance = u64::from_ne_bytes(distance);
        if description.elsewhere.contains(&distance.cast_signed()) {
            return Err(
                "its library was loaded later (dlopen), and each thread has the variable at a place of its own"
                    .to_owned(),
            );
        }
        Ok(distance)
    }
}

/// The least distance that holds the segment and puts its start where its alignment wants it: the thread pointer is aligned.
fn distance_of_executable(segment: &ThreadLocalSegment) -> Option<u64> {
    let alignment = segment.alignment.max(1);
    if !alignment.is_power_of_two() {
        return None;
    }
    let excess = segment.address.checked_add(segment.memory_size)? & (alignment - 1);
    let padding = alignment.wrapping_sub(excess) & (alignment - 1);
    segment.memory_size.checked_add(padding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(address: u64, memory_size: u64, alignment: u64) -> Option<u64> {
        distance_of_executable(&ThreadLocalSegment {
            address,
            memory_size,
            alignment,
        })
    }

    #[test]
    fn blocks_end_at_the_thread_pointer_and_are_aligned() {
        assert_eq!(distance(0x1000, 20, 8), Some(24));
        assert_eq!(distance(0x1000, 24, 8), Some(24));
        assert_eq!(distance(0x1000, 20, 64), Some(64));
        assert_eq!(distance(0x1000, 5, 0), Some(5));
        // A start that is itself not aligned stays at the same place modulo the alignment.
        assert_eq!(distance(0x1008, 20, 16), Some(24));
    }

    #[test]
    fn malformed_segments_have_no_block() {
        assert_eq!(distance(0x1000, 20, 3), None);
        assert_eq!(distance(u64::MAX, 20, 8), None);
        assert_eq!(distance(0, u64::MAX, 8), None);
    }
}
