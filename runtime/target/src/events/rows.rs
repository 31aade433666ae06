//! Tables as the kernel keeps them, read and merged.

use std::collections::HashSet;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;

use super::compile::TableMaps;
use super::error::EventError;
use super::kernel::{self, MapType, NO_PREALLOCATION};
use super::layout::{slice, word64};
use super::program::MAX_KEYS;
use super::table::{TableKind, TableRow, TableSpec, places};

/// The most rows of a table.
const MAX_ROWS: u32 = 1 << 24;

/// A table and its maps.
#[derive(Debug)]
pub(super) struct Table {
    pub spec: TableSpec,
    rows: OwnedFd,
    /// Of keys, a word that is not 0 once some may be lacking.
    lacking: Option<OwnedFd>,
    processors: usize,
}

impl Table {
    pub fn new(spec: TableSpec, processors: usize) -> Result<Table, EventError> {
        let range = |what, number: u64, least, most| match (least..=most).contains(&number) {
            true => Ok(()),
            false => Err(EventError::Range {
                what,
                number,
                least,
                most,
            }),
        };
        let least = u64::from(spec.kind == TableKind::Keys);
        range("keys of a table", spec.keys as u64, least, MAX_KEYS as u64)?;
        range(
            "rows of a table",
            u64::from(spec.rows),
            1,
            u64::from(MAX_ROWS),
        )?;
        let keys = u32::try_from(spec.keys).unwrap_or(0);
        let failed = |errno| EventError::system("a table", errno);
        let (map, key, most, flags) = match (spec.kind, keys == 0) {
            (TableKind::Map, true) => (MapType::Array, 4, 1, 0),
            (TableKind::Map | TableKind::Keys, false) => {
                (MapType::Hash, 8 * keys, spec.rows, NO_PREALLOCATION)
            }
            (_, true) => (MapType::PerCpuArray, 4, 1, 0),
            (_, false) => (MapType::PerCpuHash, 8 * keys, spec.rows, NO_PREALLOCATION),
        };
        let value = places::bytes(spec.kind);
        let rows = kernel::create_map(map, key, value, most, flags, "ytrace_table");
        let rows = rows.map_err(failed)?;
        let lacking = match spec.kind {
            TableKind::Keys => {
                let map = kernel::create_map(MapType::Array, 4, 8, 1, 0, "ytrace_lacking");
                Some(map.map_err(failed)?)
            }
            _ => None,
        };
        Ok(Table {
            spec,
            rows,
            lacking,
            processors,
        })
    }

    pub fn maps(&self) -> TableMaps {
        TableMaps {
            spec: self.spec,
            rows: self.rows.as_raw_fd(),
            lacking: self.lacking.as_ref().map(AsRawFd::as_raw_fd),
        }
    }

    /// Of keys, whether some may be lacking.
    pub fn is_lacking(&self) -> Result<bool, EventError> {
        let mut word = [0; 8];
        if let Some(map) = &self.lacking {
            kernel::lookup(map.as_fd(), &[0; 4], &mut word).map_err(read_failed)?;
        }
        Ok(word != [0; 8])
    }

    /// Says that keys may be lacking.
    pub fn distrust(&self) -> Result<(), EventError> {
        match &self.lacking {
            Some(map) => kernel::update(map.as_fd(), &[0; 4], &1u64.to_ne_bytes())
                .map_err(|errno| EventError::system("a table", errno)),
            None => Ok(()),
        }
    }

    pub fn rows(&self) -> Result<Vec<TableRow>, EventError> {
        let mut rows = Vec::new();
        let mut known = HashSet::new();
        self.each(|keys, values| {
            // A row that is removed while they are read makes reading begin anew.
            if !known.insert(keys.to_vec()) {
                return;
            }
            let mut row = TableRow {
                keys: keys.to_vec(),
                ..TableRow::default()
            };
            for value in values {
                row.merge(self.spec.kind, value);
            }
            rows.push(row);
        })?;
        Ok(rows)
    }

    pub fn clear(&self) -> Result<(), EventError> {
        let (map, keys) = (&self.rows, self.spec.keys);
        if keys == 0 {
            let zeros = vec![0u8; self.value_bytes()];
            let done = kernel::update(map.as_fd(), &[0; 4], &zeros);
            return done.map_err(read_failed);
        }
        let mut key = vec![0u8; 8 * keys];
        // Each row that is removed leaves another one as the first.
        for _ in 0..self.limit() {
            match kernel::next_key(map.as_fd(), None, &mut key) {
                Ok(()) => {}
                Err(Errno::ENOENT) => return Ok(()),
                Err(errno) => return Err(read_failed(errno)),
            }
            match kernel::delete(map.as_fd(), &key) {
                Ok(()) | Err(Errno::ENOENT) => {}
                Err(errno) => return Err(read_failed(errno)),
            }
        }
        Ok(())
    }

    /// Rows are added while they are read, so reading them ends after so many.
    fn limit(&self) -> u64 {
        2 * u64::from(self.spec.rows) + 1
    }

    /// The bytes of a row as the kernel gives it: those of all processors, or of the one there is.
    fn value_bytes(&self) -> usize {
        let bytes = places::bytes(self.spec.kind) as usize;
        match self.spec.kind {
            TableKind::Map | TableKind::Keys => bytes,
            _ => bytes.saturating_mul(self.processors),
        }
    }

    /// Calls `each` with the keys of each row, and with its value of each processor.
    fn each(
        &self,
        mut each: impl FnMut(&[u64], std::slice::ChunksExact<'_, u8>),
    ) -> Result<(), EventError> {
        let (map, keys) = (&self.rows, self.spec.keys);
        let bytes = places::bytes(self.spec.kind) as usize;
        let mut value = vec![0u8; self.value_bytes()];
        if keys == 0 {
            let done = kernel::lookup(map.as_fd(), &[0; 4], &mut value);
            done.map_err(read_failed)?;
            each(&[], value.chunks_exact(bytes));
            return Ok(());
        }
        let mut key = vec![0u8; 8 * keys];
        let mut next = vec![0u8; 8 * keys];
        let mut known = false;
        for _ in 0..self.limit() {
            let from = known.then_some(key.as_slice());
            match kernel::next_key(map.as_fd(), from, &mut next) {
                Ok(()) => {}
                Err(Errno::ENOENT) => return Ok(()),
                Err(errno) => return Err(read_failed(errno)),
            }
            std::mem::swap(&mut key, &mut next);
            known = true;
            match kernel::lookup(map.as_fd(), &key, &mut value) {
                Ok(()) => {}
                // Removed in the meantime.
                Err(Errno::ENOENT) => continue,
                Err(errno) => return Err(read_failed(errno)),
            }
            let words: Vec<u64> = (0..keys)
                .filter_map(|word| word64(slice(&key, 8 * word as u32, 8)?, 0))
                .collect();
            each(&words, value.chunks_exact(bytes));
        }
        Ok(())
    }
}

fn read_failed(errno: Errno) -> EventError {
    EventError::system("reading a table", errno)
}
