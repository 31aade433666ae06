//! Interned strings.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;

use crate::account::Account;
use crate::fault::{Fault, FaultKind};
use crate::index::{Index, MAX_ENTRIES, Probe};

/// All strings of a program, each once. Entry 0 is the empty string.
#[derive(Clone, Debug)]
pub(crate) struct Strings {
    bytes: Vec<u8>,
    /// Where each string ends; it begins where the one before ends.
    ends: Vec<u64>,
    index: Index,
    state: RandomState,
}

impl Strings {
    pub(crate) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            ends: vec![0],
            index: Index::default(),
            state: RandomState::default(),
        }
    }

    /// The handle of a string.
    pub(crate) fn intern(&mut self, text: &[u8], account: &mut Account) -> Result<u64, Fault> {
        if text.is_empty() {
            return Ok(0);
        }
        let hash = self.hash(text);
        let entry = match self.probe(hash, text) {
            Probe::Found(entry) => return Ok(u64::from(entry)),
            Probe::Vacant(_) => self.ends.len() as u32,
        };
        if entry >= MAX_ENTRIES {
            return Err(
                Fault::new(FaultKind::MemoryExhausted).with_message("there are too many strings")
            );
        }
        account.reserve(&mut self.bytes, text.len())?;
        account.reserve(&mut self.ends, 1)?;
        self.index.insert(hash, entry, account)?;
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u64);
        Ok(u64::from(entry))
    }

    /// The bytes of a string.
    #[inline]
    pub(crate) fn get(&self, handle: u64) -> Option<&[u8]> {
        get(&self.bytes, &self.ends, handle)
    }

    fn hash(&self, text: &[u8]) -> u32 {
        let mut hasher = self.state.build_hasher();
        hasher.write(text);
        (hasher.finish() >> 32) as u32
    }

    fn probe(&self, hash: u32, text: &[u8]) -> Probe {
        self.index.probe(hash, |entry| {
            get(&self.bytes, &self.ends, u64::from(entry)) == Some(text)
        })
    }
}

fn get<'a>(bytes: &'a [u8], ends: &[u64], handle: u64) -> Option<&'a [u8]> {
    let handle = usize::try_from(handle).ok()?;
    let end = *ends.get(handle)?;
    let start = match handle {
        0 => 0,
        _ => *ends.get(handle - 1)?,
    };
    bytes.get(start as usize..end as usize)
}
