//! The index of a module's names: which entry of the debug information defines what.
//!
//! It is one flat buffer, written by `build`, kept on disk by `cache`, read here. All numbers are little endian.
//!
//! | part | content |
//! |---|---|
//! | header | magic, version, checksum of the rest, length, fingerprint of the debug files, table positions |
//! | units | sorted by section and offset: section and start, end, name, the compile unit that stands for it, whether it nests too deeply |
//! | entries | sorted by name, then kind: name, kind, flags, unit, entry |
//! | signatures | sorted: type signature, entry |
//! | imports | sorted: unit, imported unit |
//! | strings | names |
//!
//! Every number is checked where it is used, so a forged index leads to wrong answers about its own module at worst.

mod build;
pub(crate) mod cache;
mod scan;

pub(crate) use build::build;
pub(crate) use cache::{Cache, Fingerprint};
pub(crate) use scan::{Scanned, Slice, Stop, scan_unit};

use crate::dwarf::EntrySection;
use crate::types::{NameKind, TypeRef};

/// Where an index came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexSource {
    /// Not needed yet.
    NotLoaded,
    /// Read from the cache.
    Cached,
    /// Built from the debug information in this run; the text says why it could not be kept, if so.
    Built {
        /// Why the cache has no copy, `None` if it has.
        not_kept: Option<String>,
    },
}

/// The entry only declares; the definition is elsewhere or nowhere.
pub(crate) const DECLARATION: u8 = 1;
/// A function that exists only inlined, or a variable that was optimised away.
pub(crate) const NO_PLACE: u8 = 2;
/// Visible to other units.
pub(crate) const EXTERNAL: u8 = 4;

const MAGIC: [u8; 8] = *b"ytrindex";
/// To be raised whenever the format or the meaning of an index changes.
const VERSION: u32 = 1;
const HEADER: usize = 8 + 4 + 4 + 8 + 32 + 5 * 16;
const UNIT: usize = 32;
const ENTRY: usize = 32;
const SIGNATURE: usize = 16;
const IMPORT: usize = 8;
/// The unit of an import or of a representative that is not known.
pub(crate) const NO_UNIT: u32 = u32::MAX;

/// A unit of the debug information.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnitRow<'a> {
    pub section: EntrySection,
    pub start: u64,
    pub end: u64,
    /// Empty for partial units and type units.
    pub name: &'a str,
    /// The compile unit that stands for it in messages: itself, or the first one that imports it.
    pub shown_as: u32,
}

/// A definition or declaration of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryRow {
    pub flags: u8,
    pub unit: u32,
    pub at: TypeRef,
}

impl EntryRow {
    pub fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

#[derive(Debug, Clone, Copy)]
struct Table {
    start: usize,
    count: usize,
}

/// A complete index in memory.
#[derive(Debug)]
pub(crate) struct Index {
    bytes: Vec<u8>,
    units: Table,
    entries: Table,
    signatures: Table,
    imports: Table,
    strings: Table,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        bytes.get(at..at.checked_add(4)?)?.try_into().ok()?,
    ))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(
        bytes.get(at..at.checked_add(8)?)?.try_into().ok()?,
    ))
}

impl Index {
    /// Takes over a buffer; `None` unless it is a whole, undamaged index of this version for these debug files.
    pub fn from_bytes(bytes: Vec<u8>, fingerprint: &Fingerprint) -> Option<Self> {
        let sound = bytes.get(..8)? == MAGIC
            && u32_at(&bytes, 8)? == VERSION
            && u64_at(&bytes, 16)? == bytes.len() as u64
            && bytes.get(24..56)? == fingerprint.bytes()
            && u32_at(&bytes, 12)? == crc32fast::hash(bytes.get(16..)?);
        if !sound {
            return None;
        }
        let mut tables = [Table { start: 0, count: 0 }; 5];
        for (i, (table, size)) in tables
            .iter_mut()
            .zip([UNIT, ENTRY, SIGNATURE, IMPORT, 1])
            .enumerate()
        {
            let start = usize::try_from(u64_at(&bytes, 56 + i * 16)?).ok()?;
            let count = usize::try_from(u64_at(&bytes, 64 + i * 16)?).ok()?;
            let end = count.checked_mul(size)?.checked_add(start)?;
            if start < HEADER || end > bytes.len() {
                return None;
            }
            *table = Table { start, count };
        }
        let [units, entries, signatures, imports, strings] = tables;
        Some(Index {
            bytes,
            units,
            entries,
            signatures,
            imports,
            strings,
        })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn string(&self, start: u32, len: u32) -> &[u8] {
        let start = start as usize;
        let end = start.saturating_add(len as usize).min(self.strings.count);
        self.bytes
            .get(self.strings.start + start.min(end)..self.strings.start + end)
            .unwrap_or_default()
    }

    pub fn unit_count(&self) -> usize {
        self.units.count
    }

    pub fn unit(&self, number: u32) -> Option<UnitRow<'_>> {
        let row = self.row(self.units, UNIT, number as usize)?;
        let start = TypeRef::from_raw(u64_at(row, 0)?);
        Some(UnitRow {
            section: start.section()?,
            start: start.offset(),
            end: u64_at(row, 8)?,
            name: std::str::from_utf8(self.string(u32_at(row, 16)?, u32_at(row, 20)?)).ok()?,
            shown_as: u32_at(row, 24)?,
        })
    }

    fn row(&self, table: Table, size: usize, number: usize) -> Option<&[u8]> {
        if number >= table.count {
            return None;
        }
        let at = table.start + number * size;
        self.bytes.get(at..at + size)
    }

    /// The unit that holds the entry at `offset` of `section`.
    pub fn unit_holding(&self, section: EntrySection, offset: u64) -> Option<u32> {
        let after = self.partition(self.units, UNIT, |row| {
            let start = TypeRef::from_raw(u64_at(row, 0)?);
            Some((start.section()?, start.offset()) <= (section, offset))
        });
        let number = u32::try_from(after.checked_sub(1)?).ok()?;
        let unit = self.unit(number)?;
        (unit.section == section && offset < unit.end).then_some(number)
    }

    /// The name of the compile unit by which a unit is shown.
    pub fn shown_name(&self, number: u32) -> &str {
        let Some(unit) = self.unit(number) else {
            return "";
        };
        if unit.name.is_empty() {
            self.unit(unit.shown_as).map_or("", |u| u.name)
        } else {
            unit.name
        }
    }

    /// Whether some unit nests entries so deeply that no reader should follow them by recursion.
    pub fn is_too_deep(&self) -> bool {
        (0..self.units.count).any(|i| {
            let flag = self
                .row(self.units, UNIT, i)
                .and_then(|row| u32_at(row, 28));
            flag != Some(0)
        })
    }

    /// Like `slice::partition_point`; a row that cannot be read counts as greater.
    fn partition(
        &self,
        table: Table,
        size: usize,
        is_less: impl Fn(&[u8]) -> Option<bool>,
    ) -> usize {
        let (mut low, mut high) = (0, table.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let less = self.row(table, size, middle).and_then(&is_less);
            if less == Some(true) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// All entries of that kind and name.
    pub fn find(&self, kind: NameKind, name: &str) -> Vec<EntryRow> {
        let key = (name.as_bytes(), kind as u8);
        let first = self.partition(self.entries, ENTRY, |row| Some(self.key(row)? < key));
        (first..self.entries.count)
            .map_while(|i| {
                let row = self.row(self.entries, ENTRY, i)?;
                (self.key(row)? == key).then_some(())?;
                Some(EntryRow {
                    flags: *row.get(9)?,
                    unit: u32_at(row, 12)?,
                    at: TypeRef::from_raw(u64_at(row, 16)?),
                })
            })
            .collect()
    }

    fn key<'a>(&'a self, row: &[u8]) -> Option<(&'a [u8], u8)> {
        Some((self.string(u32_at(row, 0)?, u32_at(row, 4)?), *row.get(8)?))
    }

    /// All distinct names of a kind, sorted.
    pub fn names(&self, kind: NameKind) -> impl Iterator<Item = &str> {
        let mut previous: Option<&[u8]> = None;
        (0..self.entries.count).filter_map(move |i| {
            let row = self.row(self.entries, ENTRY, i)?;
            let (name, of) = self.key(row)?;
            if of != kind as u8 || previous == Some(name) {
                return None;
            }
            previous = Some(name);
            std::str::from_utf8(name).ok()
        })
    }

    pub fn entry_count(&self) -> usize {
        self.entries.count
    }

    /// The type with that signature.
    pub fn signature(&self, signature: u64) -> Option<TypeRef> {
        let at = self.partition(self.signatures, SIGNATURE, |row| {
            Some(u64_at(row, 0)? < signature)
        });
        let row = self.row(self.signatures, SIGNATURE, at)?;
        (u64_at(row, 0)? == signature).then_some(TypeRef::from_raw(u64_at(row, 8)?))
    }

    /// The units that a unit imports.
    pub fn imports(&self, unit: u32) -> impl Iterator<Item = u32> {
        let first = self.partition(self.imports, IMPORT, |row| Some(u32_at(row, 0)? < unit));
        (first..self.imports.count).map_while(move |i| {
            let row = self.row(self.imports, IMPORT, i)?;
            (u32_at(row, 0)? == unit).then_some(u32_at(row, 4)?)
        })
    }
}
