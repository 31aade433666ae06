//! The tables of a session, kept by the reader.

use std::collections::HashMap;

use super::super::error::EventError;
use super::super::program::MAX_KEYS;
use super::super::rows::check_spec;
use super::super::table::{TableKind, TableRow, TableSpec};

/// The keys of a row; those that it has not are 0.
pub(super) type Key = [u64; MAX_KEYS];

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub spec: TableSpec,
    rows: HashMap<Key, Row>,
    /// Of keys, whether some may be lacking.
    pub lacking: bool,
}

/// What a row holds.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    made: u64,
    count: u64,
    sum: i128,
    min: i64,
    max: i64,
    squares: Option<u128>,
}

impl Table {
    pub fn new(spec: TableSpec) -> Result<Table, EventError> {
        check_spec(spec)?;
        let mut table = Table {
            spec,
            rows: HashMap::new(),
            lacking: false,
        };
        table.clear();
        Ok(table)
    }

    fn row(&self, made: u64) -> Row {
        let squares = matches!(self.spec.kind, TableKind::Aggregate { squares: true });
        Row {
            made,
            squares: squares.then_some(0),
            ..Row::default()
        }
    }

    /// Removes all rows; the only one of a table without keys is always there.
    pub fn clear(&mut self) {
        self.rows.clear();
        if self.spec.keys == 0 {
            let row = self.row(0);
            self.rows.insert(Key::default(), row);
        }
    }

    fn has_room(&self) -> bool {
        self.rows.len() < self.spec.rows as usize
    }

    /// Finds a row or makes it; false if there is no room.
    pub fn find_or_make(&mut self, key: Key, made: u64) -> bool {
        if self.rows.contains_key(&key) {
            return true;
        }
        let room = self.has_room();
        if room {
            let row = self.row(made);
            self.rows.insert(key, row);
        }
        room
    }

    /// Adds to a row that is there; a table that counts takes no value.
    pub fn add(&mut self, key: &Key, value: Option<u64>) {
        let kind = self.spec.kind;
        let Some(row) = self.rows.get_mut(key) else {
            return;
        };
        let value = value.unwrap_or(0) as i64;
        match kind {
            TableKind::Sum => {
                row.count = 1;
                row.sum = i128::from((row.sum as i64).wrapping_add(value));
            }
            TableKind::Aggregate { .. } => {
                (row.min, row.max) = match row.count {
                    0 => (value, value),
                    _ => (row.min.min(value), row.max.max(value)),
                };
                row.count = row.count.wrapping_add(1);
                row.sum += i128::from(value);
                let magnitude = u128::from(value.unsigned_abs());
                row.squares = row
                    .squares
                    .and_then(|squares| squares.checked_add(magnitude * magnitude));
            }
            TableKind::Count | TableKind::Map | TableKind::Keys => {
                row.count = row.count.wrapping_add(1);
            }
        }
    }

    /// Sets a row of a map, or puts a key in; false if there is no room.
    pub fn put(&mut self, key: Key, value: u64) -> bool {
        let room = self.rows.contains_key(&key) || self.has_room();
        if room {
            let row = Row {
                count: 1,
                sum: i128::from(value),
                ..Row::default()
            };
            self.rows.insert(key, row);
        } else if self.spec.kind == TableKind::Keys {
            self.lacking = true;
        }
        room
    }

    pub fn remove(&mut self, key: &Key) {
        if self.spec.keys > 0 {
            self.rows.remove(key);
        }
    }

    /// The value of a row of a map; of keys `Some` where the key may be there.
    pub fn look_up(&self, key: &Key) -> Option<u64> {
        let found = self.rows.get(key).map(|row| row.sum as u64);
        match self.spec.kind {
            TableKind::Keys => found.or(self.lacking.then_some(0)),
            _ => found,
        }
    }

    pub fn rows(&self) -> Vec<TableRow> {
        let is_map = matches!(self.spec.kind, TableKind::Map | TableKind::Keys);
        let rows = self.rows.iter().map(|(key, row)| TableRow {
            keys: key.get(..self.spec.keys).unwrap_or_default().to_vec(),
            made: row.made,
            count: if is_map { 1 } else { row.count },
            sum: row.sum,
            min: row.min,
            max: row.max,
            squares: row.squares,
        });
        rows.collect()
    }
}
