//! Tables that hits write and the reader merges.

use super::layout::word64;

/// The number of a table in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(pub u32);

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableSpec {
    /// What its rows hold.
    pub kind: TableKind,
    /// How many keys a row has; up to [`MAX_KEYS`](super::MAX_KEYS), and 0 for a single row.
    pub keys: usize,
    /// The most rows. What a full table cannot take is counted, see [`Totals::table_full`](super::Totals::table_full).
    pub rows: u32,
}

/// What the rows of a table hold. All but a map are kept by each processor for itself and merged by the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// How many times the row was updated.
    Count,
    /// The sum of the values, on 64 bits, which wraps; how many there were is not kept.
    Sum {
        /// Whether they are signed.
        signed: bool,
    },
    /// Count, sum, least and greatest value.
    Aggregate {
        /// Whether the values are signed.
        signed: bool,
        /// Whether the sum of their squares is kept, too.
        squares: bool,
        /// Whether values are counted by powers of two, too; each row then takes as many rows of another table of the
        /// same size as there are different powers.
        powers: bool,
    },
    /// A value that is put, looked up and removed; shared by all processors.
    Map,
    /// Keys that are put, looked up and removed, shared by all processors, as a filter that must lack none: once it had no room for one, or
    /// was told that it lacks some ([`super::EventSession::distrust`]), all are found in it. At least one key.
    Keys,
}

/// A row, as merged by the reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableRow {
    /// Its keys.
    pub keys: Vec<u64>,
    /// How many updates it had; 0 where not kept, 1 for the row of a map.
    pub count: u64,
    /// The sum of the values; of a map the value.
    pub sum: i128,
    /// The least value; 0 where not kept.
    pub min: i128,
    /// The greatest value; 0 where not kept.
    pub max: i128,
    /// The sum of the squares; 0 where not kept.
    pub squares: u128,
    /// Counts by power of two, ascending; empty where not kept.
    pub powers: Vec<(Power, u64)>,
}

/// A row of a distribution by powers of two: 0 holds the value 0, n > 0 the values from 2ⁿ⁻¹ to 2ⁿ − 1, −n their negatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Power(pub i8);

impl Power {
    /// The least and the greatest value of the row.
    pub fn bounds(self) -> (i128, i128) {
        let order = u32::from(self.0.unsigned_abs()).min(64);
        if order == 0 {
            return (0, 0);
        }
        let (low, high) = (1i128 << (order - 1), (1i128 << order) - 1);
        if self.0 < 0 {
            (-high, -low)
        } else {
            (low, high)
        }
    }
}

/// Where the words of a row are, in bytes, and how long rows are.
pub(super) mod places {
    use super::TableKind;

    /// The count; of a table of sums the sum, of a map the value.
    pub const COUNT: i16 = 0;
    /// The sum of the low 32 bits of the values.
    pub const SUM_LOW: i16 = 8;
    /// The sum of the high 32 bits, with their sign.
    pub const SUM_HIGH: i16 = 16;
    /// The greatest value; of signed ones with the highest bit the other way, so that 0 is the least.
    pub const MAX: i16 = 24;
    /// The least value, in the same form, with all bits the other way.
    pub const INVERTED_MIN: i16 = 32;
    /// Four words: the sums of each 32 bits of the squares.
    pub const SQUARES: i16 = 40;

    /// The bytes of a row.
    pub fn bytes(kind: TableKind) -> u32 {
        match kind {
            TableKind::Aggregate { squares: true, .. } => 72,
            TableKind::Aggregate { squares: false, .. } => 40,
            TableKind::Count | TableKind::Sum { .. } | TableKind::Map | TableKind::Keys => 8,
        }
    }
}

impl TableRow {
    /// Adds what one processor has for the row.
    pub(super) fn merge(&mut self, kind: TableKind, bytes: &[u8]) {
        let word = |place: i16| {
            let place = u32::try_from(place).ok();
            place.and_then(|place| word64(bytes, place)).unwrap_or(0)
        };
        let first = word(places::COUNT);
        match kind {
            TableKind::Count => self.count = self.count.wrapping_add(first),
            TableKind::Map | TableKind::Keys => {
                self.count = 1;
                self.sum = i128::from(first);
            }
            TableKind::Sum { signed } => {
                // The sums are on 64 bits and wrap, whichever processor has what part of them.
                let known = self.sum as u64;
                self.sum = widen(known.wrapping_add(first), signed);
            }
            TableKind::Aggregate {
                signed, squares, ..
            } => {
                if first == 0 {
                    return;
                }
                let (low, high) = (word(places::SUM_LOW), word(places::SUM_HIGH));
                self.sum += i128::from(low) + (widen(high, signed) << 32);
                let flip = if signed { 1 << 63 } else { 0 };
                let max = widen(word(places::MAX) ^ flip, signed);
                let min = widen(!word(places::INVERTED_MIN) ^ flip, signed);
                (self.min, self.max) = match self.count {
                    0 => (min, max),
                    _ => (self.min.min(min), self.max.max(max)),
                };
                self.count = self.count.wrapping_add(first);
                if squares {
                    for (place, shift) in (places::SQUARES..).step_by(8).zip([0, 32, 64, 96]) {
                        let part = u128::from(word(place)) << shift;
                        self.squares = self.squares.wrapping_add(part);
                    }
                }
            }
        }
    }
}

fn widen(word: u64, signed: bool) -> i128 {
    match signed {
        true => i128::from(word as i64),
        false => i128::from(word),
    }
}
