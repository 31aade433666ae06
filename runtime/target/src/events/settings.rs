//! Words that the owner of a session sets and its probes read.
//!
//! One of them says whether hits count at all: so those of all probes count from one instant on and up to another, however long it takes to put
//! them in place and to take them away.
//!
//! They are kept several times over. New ones are written where no hit looks, and then a word says that hits look there: so a hit has
//! words of one time, but for one that is kept from running while [`BANKS`] times new ones are set.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;

use nix::errno::Errno;

use super::kernel::{self, MAPPABLE, MapType};
use super::program::MAX_SETTINGS;
use super::ring::MappedMap;
use crate::sys;

/// How often they are kept; a power of two.
const BANKS: usize = 8;
/// The bytes of one time; a power of two.
const BANK_BYTES: usize = 8 * MAX_SETTINGS;
/// What an offset of a bank may have set.
pub(super) const BANK_MASK: i32 = ((BANKS - 1) * BANK_BYTES) as i32;
/// Where the word is that is not 0 while hits do not count.
pub(super) const SHUT: u32 = 8;
/// Where the first bank is, after that, and after the word that says which is looked at.
pub(super) const FIRST_BANK: u32 = 16;

/// The words, in memory that the kernel sees, too.
#[derive(Debug)]
pub(super) struct Settings {
    map: OwnedFd,
    memory: MappedMap,
    bank: usize,
}

impl Settings {
    /// Words that are 0.
    pub fn new() -> Result<Settings, Errno> {
        let bytes = FIRST_BANK as usize + BANKS * BANK_BYTES;
        let bytes = bytes.next_multiple_of(sys::page_size() as usize);
        let value = u32::try_from(bytes).map_err(|_| Errno::EOVERFLOW)?;
        let map = kernel::create_map(MapType::Array, 4, value, 1, MAPPABLE, "ytrace_set")?;
        let memory = MappedMap::new(map.as_fd(), bytes, 0, true)?;
        Ok(Settings {
            map,
            memory,
            bank: 0,
        })
    }

    pub fn descriptor(&self) -> i32 {
        self.map.as_raw_fd()
    }

    /// Says whether hits count.
    pub fn count(&self, count: bool) {
        if let Some(word) = self.memory.word(SHUT as usize) {
            word.store(u64::from(!count), Ordering::SeqCst);
        }
    }

    /// Sets the first words, at once; false if there are not so many.
    pub fn set(&mut self, values: &[u64]) -> bool {
        if values.len() > MAX_SETTINGS {
            return false;
        }
        self.bank = (self.bank + 1) % BANKS;
        let start = self.bank * BANK_BYTES;
        let places = (FIRST_BANK as usize + start..).step_by(8);
        for (place, value) in places.zip(values) {
            if let Some(word) = self.memory.word(place) {
                word.store(*value, Ordering::Relaxed);
            }
        }
        if let Some(word) = self.memory.word(0) {
            word.store(start as u64, Ordering::Release);
        }
        true
    }
}
