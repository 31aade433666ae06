//! Tables as the kernel keeps them, read and merged.

use std::collections::HashSet;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;

use super::compile::TableMaps;
use super::error::EventError;
use super::kernel::{self, MapType, NO_PREALLOCATION};
use super::layout::word64;
use super::program::MAX_KEYS;
use super::table::{TableKind, TableRow, TableSpec, places};

/// The most rows of a table.
const MAX_ROWS: u32 = 1 << 24;
/// Rows are copied in pieces of so many bytes, but of so many rows at least.
const PIECE_BYTES: usize = 1 << 20;
const PIECE_ROWS: usize = 64;

/// A table and its maps.
#[derive(Debug)]
pub(super) struct Table {
    pub spec: TableSpec,
    rows: OwnedFd,
    /// Of keys, a word that is not 0 once some may be lacking.
    lacking: Option<OwnedFd>,
    processors: usize,
    /// Whether the kernel copies many rows at once.
    batches: bool,
}

impl Table {
    pub fn new(spec: TableSpec, processors: usize, batches: bool) -> Result<Table, EventError> {
        check_spec(spec)?;
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
            batches,
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

    /// Calls `each` with each row as of now, in no order.
    pub fn each_row(&self, mut each: impl FnMut(TableRow)) -> Result<(), EventError> {
        let bytes = places::bytes(self.spec.kind) as usize;
        let mut merged = |key: &[u8], value: &[u8]| {
            let words = key.chunks_exact(8).filter_map(|word| word64(word, 0));
            let mut row = TableRow {
                keys: words.collect(),
                ..TableRow::default()
            };
            for value in value.chunks_exact(bytes) {
                row.merge(self.spec.kind, value);
            }
            each(row);
        };
        if self.spec.keys == 0 {
            let mut value = vec![0u8; self.value_bytes()];
            let done = kernel::lookup(self.rows.as_fd(), &[0; 4], &mut value);
            done.map_err(read_failed)?;
            merged(&[], &value);
            return Ok(());
        }
        match self.batches {
            true => self.by_pieces(merged),
            false => self.one_by_one(merged),
        }
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

    /// Calls `each` with the key of each row and its values, of which the kernel copies many at once.
    fn by_pieces(&self, mut each: impl FnMut(&[u8], &[u8])) -> Result<(), EventError> {
        let (key, value) = (8 * self.spec.keys, self.value_bytes());
        let most = (self.spec.rows as usize).max(1);
        let mut rows = (PIECE_BYTES / (key + value)).max(PIECE_ROWS).min(most);
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        let (mut from, mut to) = (None, [0; 8]);
        loop {
            keys.resize(key.saturating_mul(rows), 0);
            values.resize(value.saturating_mul(rows), 0);
            let room = u32::try_from(rows).unwrap_or(u32::MAX);
            let map = self.rows.as_fd();
            match kernel::lookup_batch(map, from, &mut to, &mut keys, &mut values, room) {
                Ok((count, last)) => {
                    let found = keys.chunks_exact(key).zip(values.chunks_exact(value));
                    for (key, value) in found.take(count) {
                        each(key, value);
                    }
                    if last {
                        return Ok(());
                    }
                    from = Some(to);
                }
                // The kernel copies those with one hash together, of which there are more.
                Err(Errno::ENOSPC) if rows < most => rows = rows.saturating_mul(2).min(most),
                Err(errno) => return Err(read_failed(errno)),
            }
        }
    }

    /// The same, where it copies one at a time.
    fn one_by_one(&self, mut each: impl FnMut(&[u8], &[u8])) -> Result<(), EventError> {
        let (map, keys) = (&self.rows, self.spec.keys);
        let mut value = vec![0u8; self.value_bytes()];
        let mut key = vec![0u8; 8 * keys];
        let mut next = vec![0u8; 8 * keys];
        let mut seen = HashSet::new();
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
            // A row that is removed while they are read makes reading begin anew.
            if seen.insert(key.clone()) {
                each(&key, &value);
            }
        }
        Ok(())
    }
}

/// Whether a table may be so large.
pub(super) fn check_spec(spec: TableSpec) -> Result<(), EventError> {
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
    )
}

fn read_failed(errno: Errno) -> EventError {
    EventError::system("reading a table", errno)
}
