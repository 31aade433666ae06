//! One table: rows of key words and value bytes, in order of insertion.

use crate::account::Account;
use crate::constants::ContainerTypeId;
use crate::fault::{Fault, FaultKind};
use crate::index::{Index, MAX_ENTRIES, Probe, hash_word, hash_words};

/// A table. Rows are numbered in order of insertion; a number is stable while an iterator lives.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) type_id: ContainerTypeId,
    /// What the value of a row is, if it is a container.
    pub(crate) nested: Option<ContainerTypeId>,
    key_words: usize,
    /// Words a row.
    stride: usize,
    rows: Vec<u64>,
    /// Rows, dead ones included.
    count: u32,
    index: Index,
    seed: u64,
    /// One bit a row that was deleted; shorter than the rows while the last ones live.
    dead: Vec<u64>,
    dead_count: u32,
    /// Grows when the table is cleared, which ends iterations.
    pub(crate) epoch: u32,
    /// Iterators alive over this table.
    pub(crate) iterators: u32,
}

impl Table {
    pub(crate) fn new(
        type_id: ContainerTypeId,
        key_words: usize,
        value_words: usize,
        nested: Option<ContainerTypeId>,
        seed: u64,
    ) -> Self {
        Self {
            type_id,
            nested,
            key_words,
            stride: (key_words + value_words).max(1),
            rows: Vec::new(),
            count: 0,
            index: Index::default(),
            seed,
            dead: Vec::new(),
            dead_count: 0,
            epoch: 0,
            iterators: 0,
        }
    }

    /// Elements.
    pub(crate) fn len(&self) -> u64 {
        u64::from(self.count - self.dead_count)
    }

    /// The number after the last row.
    pub(crate) fn end(&self) -> u32 {
        self.count
    }

    pub(crate) fn key_words(&self) -> usize {
        self.key_words
    }

    /// The row of a one-word key. The caller has checked that keys are one word.
    #[inline]
    pub(crate) fn find1(&self, key: u64) -> Option<u32> {
        let (rows, stride) = (&self.rows, self.stride);
        self.index.find(hash_word(key, self.seed), |row| {
            rows.get(row as usize * stride) == Some(&key)
        })
    }

    /// The row of a key.
    pub(crate) fn find(&self, key: &[u64]) -> Option<u32> {
        match key {
            [key] if self.key_words == 1 => self.find1(*key),
            _ => self.index.find(hash_words(key, self.seed), |row| {
                self.key(row).is_some_and(|words| words == key)
            }),
        }
    }

    /// The row of a one-word key, which is inserted if absent, and whether it was.
    #[inline]
    pub(crate) fn insert1(
        &mut self,
        key: u64,
        account: &mut Account,
    ) -> Result<(u32, bool), Fault> {
        let hash = hash_word(key, self.seed);
        let (rows, stride) = (&self.rows, self.stride);
        match self
            .index
            .probe(hash, |row| rows.get(row as usize * stride) == Some(&key))
        {
            Probe::Found(row) => Ok((row, false)),
            Probe::Vacant(slot) => Ok((self.append(&[key], hash, slot, account)?, true)),
        }
    }

    /// The same for keys of any length.
    pub(crate) fn insert(
        &mut self,
        key: &[u64],
        account: &mut Account,
    ) -> Result<(u32, bool), Fault> {
        match key {
            [key] if self.key_words == 1 => self.insert1(*key, account),
            _ => {
                let hash = hash_words(key, self.seed);
                match self.index.probe(hash, |row| self.key(row) == Some(key)) {
                    Probe::Found(row) => Ok((row, false)),
                    Probe::Vacant(slot) => Ok((self.append(key, hash, slot, account)?, true)),
                }
            }
        }
    }

    fn append(
        &mut self,
        key: &[u64],
        hash: u32,
        slot: usize,
        account: &mut Account,
    ) -> Result<u32, Fault> {
        let mut slot_known = true;
        if self.dead_count > 64 && self.dead_count > self.count / 2 && self.iterators == 0 {
            self.compact(account)?;
            slot_known = false;
        }
        if self.count >= MAX_ENTRIES {
            return Err(Fault::new(FaultKind::MemoryExhausted)
                .with_message("a table holds too many elements"));
        }
        account.reserve(&mut self.rows, self.stride)?;
        let row = self.count;
        if slot_known && !self.index.full() {
            self.index.fill(slot, hash, row);
        } else {
            self.index.insert(hash, row, account)?;
        }
        self.rows.extend_from_slice(key);
        let length = self.rows.len() + self.stride - key.len();
        self.rows.resize(length, 0);
        self.count += 1;
        Ok(row)
    }

    /// Deletes a row. Its bytes stay readable until the next change of the table.
    pub(crate) fn delete(&mut self, row: u32, account: &mut Account) -> Result<(), Fault> {
        let Some(key) = self.key(row) else {
            return Ok(());
        };
        let hash = hash_words(key, self.seed);
        let word = row as usize / 64;
        if self.dead.len() <= word {
            let missing = word + 1 - self.dead.len();
            account.reserve(&mut self.dead, missing)?;
            self.dead.resize(word + 1, 0);
        }
        self.index.remove(hash, row);
        if let Some(bits) = self.dead.get_mut(word) {
            *bits |= 1 << (row % 64);
            self.dead_count += 1;
        }
        Ok(())
    }

    /// Empties the table and ends its iterations.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.dead.clear();
        self.index.clear();
        self.count = 0;
        self.dead_count = 0;
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// The first live row at or after `from` and before `end`.
    #[inline]
    pub(crate) fn next_live(&self, from: u32, end: u32) -> Option<u32> {
        (from..end.min(self.count)).find(|&row| !self.is_dead(row))
    }

    #[inline]
    pub(crate) fn is_dead(&self, row: u32) -> bool {
        self.dead_count != 0
            && self
                .dead
                .get(row as usize / 64)
                .is_some_and(|bits| bits >> (row % 64) & 1 != 0)
    }

    /// The words of a row: key, then value.
    #[inline]
    pub(crate) fn row(&self, row: u32) -> Option<&[u64]> {
        let start = row as usize * self.stride;
        self.rows.get(start..start + self.stride)
    }

    /// The same, for writing.
    #[inline]
    pub(crate) fn row_mut(&mut self, row: u32) -> Option<&mut [u64]> {
        let start = row as usize * self.stride;
        self.rows.get_mut(start..start + self.stride)
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        use crate::account::vector_bytes;
        vector_bytes(&self.rows) + vector_bytes(&self.dead) + self.index.bytes()
    }

    fn key(&self, row: u32) -> Option<&[u64]> {
        let start = row as usize * self.stride;
        self.rows.get(start..start + self.key_words)
    }

    /// Drops dead rows. Row numbers change, so no iterator may be alive.
    #[cold]
    fn compact(&mut self, account: &mut Account) -> Result<(), Fault> {
        let mut kept = 0_u32;
        for row in 0..self.count {
            if self.is_dead(row) {
                continue;
            }
            let start = row as usize * self.stride;
            if kept != row {
                self.rows
                    .copy_within(start..start + self.stride, kept as usize * self.stride);
            }
            kept += 1;
        }
        self.rows.truncate(kept as usize * self.stride);
        self.count = kept;
        self.dead.clear();
        self.dead_count = 0;
        self.index.clear();
        for row in 0..kept {
            let hash = match self.key(row) {
                Some(key) => hash_words(key, self.seed),
                None => continue,
            };
            self.index.insert(hash, row, account)?;
        }
        Ok(())
    }
}
