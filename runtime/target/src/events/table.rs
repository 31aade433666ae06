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
    /// The most rows. What a full map cannot take is counted, see [`Totals::table_full`](super::Totals::table_full).
    pub rows: u32,
}

/// What the rows of a table hold. All but a map are kept by each processor for itself and merged by the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// How many times the row was updated.
    Count,
    /// The sum of the values, on 64 bits, which wraps; how many there were is not kept.
    Sum,
    /// Count, sum, least and greatest value, of signed numbers.
    Aggregate {
        /// Whether the sum of their squares is kept, too.
        squares: bool,
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
    /// When it was made, in nanoseconds of the monotonic clock; 0 for the row of a table without keys, and of a map.
    pub made: u64,
    /// How many updates it had; of a sum 0 for none, else 1; 1 for the row of a map. A row that was made and not updated has none.
    pub count: u64,
    /// The sum of the values; of a table of sums it wraps as a signed number of 64 bits; of a map the value.
    pub sum: i128,
    /// The least value; 0 where not kept.
    pub min: i64,
    /// The greatest value; 0 where not kept.
    pub max: i64,
    /// The sum of the squares; `None` where not kept, or too large.
    pub squares: Option<u128>,
}

/// A part of a distribution: numbers below 32 have one each, others that of all with the same highest five bits. Negative numbers have
/// those of their absolute values, negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket(pub i16);

impl Bucket {
    /// Buckets of a power of two, as a binary logarithm.
    pub const SUB_BITS: u32 = 4;

    /// The bucket of a number.
    pub fn of(value: i64) -> Bucket {
        let magnitude = value.unsigned_abs();
        let bits = 64 - magnitude.leading_zeros();
        let shift = bits.saturating_sub(Self::SUB_BITS + 1);
        let number = (u64::from(shift) << Self::SUB_BITS) + (magnitude >> shift);
        let number = i16::try_from(number).unwrap_or(i16::MAX);
        Bucket(if value < 0 { -number } else { number })
    }

    /// The number in it that is nearest to 0.
    pub fn nearest(self) -> i64 {
        let number = u64::from(self.0.unsigned_abs());
        let shift = (number >> Self::SUB_BITS).saturating_sub(1).min(63);
        let leading = number - (shift << Self::SUB_BITS);
        let magnitude = leading.checked_shl(shift as u32).unwrap_or(0);
        match self.0 < 0 {
            true => 0i64.wrapping_sub_unsigned(magnitude),
            false => i64::try_from(magnitude).unwrap_or(i64::MAX),
        }
    }
}

/// Where the words of a row are, in bytes, and how long rows are.
pub(super) mod places {
    use super::TableKind;

    /// The count; of a table of sums whether there was any, of a map the value.
    pub const COUNT: i16 = 0;
    /// When the row was made, on the processor that has made it; 0 on the others.
    pub const MADE: i16 = 8;
    /// Of a table of sums, the sum.
    pub const SUM: i16 = 16;
    /// The sum of the low 32 bits of the values.
    pub const SUM_LOW: i16 = 16;
    /// The sum of the high 32 bits, with their sign.
    pub const SUM_HIGH: i16 = 24;
    /// The greatest value, with the highest bit the other way, so that 0 is the least.
    pub const MAX: i16 = 32;
    /// The least value, in the same form, with all bits the other way.
    pub const INVERTED_MIN: i16 = 40;
    /// Four words: the sums of each 32 bits of the squares.
    pub const SQUARES: i16 = 48;

    /// The bytes of a row.
    pub fn bytes(kind: TableKind) -> u32 {
        match kind {
            TableKind::Aggregate { squares: true } => 80,
            TableKind::Aggregate { squares: false } => 48,
            TableKind::Sum => 24,
            TableKind::Count => 16,
            TableKind::Map | TableKind::Keys => 8,
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
        if let TableKind::Map | TableKind::Keys = kind {
            self.count = 1;
            self.sum = i128::from(first);
            return;
        }
        self.made = self.made.max(word(places::MADE));
        match kind {
            TableKind::Count => self.count = self.count.wrapping_add(first),
            TableKind::Sum => {
                // The sums are on 64 bits and wrap, whichever processor has what part of them.
                let known = self.sum as i64;
                self.sum = i128::from(known.wrapping_add(word(places::SUM) as i64));
                self.count |= first;
            }
            TableKind::Aggregate { squares } => {
                if self.count == 0 {
                    self.squares = squares.then_some(0);
                }
                let max = (word(places::MAX) ^ SIGN) as i64;
                let min = (!word(places::INVERTED_MIN) ^ SIGN) as i64;
                // Of the first value, a hit has written a part only: the row has it when it is read next.
                if first == 0 || min > max {
                    return;
                }
                let (low, high) = (word(places::SUM_LOW), word(places::SUM_HIGH) as i64);
                self.sum += i128::from(low) + (i128::from(high) << 32);
                (self.min, self.max) = match self.count {
                    0 => (min, max),
                    _ => (self.min.min(min), self.max.max(max)),
                };
                self.count = self.count.wrapping_add(first);
                for (place, shift) in (places::SQUARES..).step_by(8).zip([0, 32, 64, 96]) {
                    let part = u128::from(word(place)).checked_mul(1 << shift);
                    self.squares = self.squares.and_then(|squares| squares.checked_add(part?));
                }
            }
            TableKind::Map | TableKind::Keys => {}
        }
    }
}

/// The highest bit.
const SIGN: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aggregate_has_extremes_only_of_values_that_were_written() {
        let kind = TableKind::Aggregate { squares: false };
        let part = |words: [u64; 6]| words.map(u64::to_ne_bytes).concat();
        let extreme = |value: i64| value as u64 ^ SIGN;
        let whole = part([3, 7, 60, 0, extreme(30), !extreme(10)]);
        // The count is written first, then the sum, then the greatest, then the least.
        let first_of_another = [
            part([1, 9, 0, 0, 0, 0]),
            part([1, 9, 5, 0, 0, 0]),
            part([1, 9, 5, 0, extreme(5), 0]),
        ];
        for begun in first_of_another {
            let mut row = TableRow::default();
            row.merge(kind, &whole);
            row.merge(kind, &begun);
            let TableRow {
                count,
                sum,
                min,
                max,
                ..
            } = row;
            assert_eq!((count, sum, min, max), (3, 60, 10, 30));
        }
        let mut row = TableRow::default();
        row.merge(kind, &whole);
        row.merge(kind, &part([1, 9, 5, 0, extreme(5), !extreme(5)]));
        assert_eq!((row.count, row.sum, row.min, row.max), (4, 65, 5, 30));
    }

    #[test]
    fn buckets_hold_what_is_theirs() {
        let mut values: Vec<i64> = (-5000..5000).collect();
        for shift in 0..63 {
            for near in [-1, 0, 1] {
                values.extend([(1i64 << shift) + near, -(1i64 << shift) + near]);
            }
        }
        values.extend([i64::MIN, i64::MIN + 1, i64::MAX]);
        for value in values {
            let bucket = Bucket::of(value);
            let nearest = bucket.nearest();
            assert_eq!(Bucket::of(nearest), bucket, "{value}");
            assert!(nearest.unsigned_abs() <= value.unsigned_abs(), "{value}");
            let width = value.unsigned_abs() - nearest.unsigned_abs();
            assert!(width <= nearest.unsigned_abs() / 16, "{value} {nearest}");
            if nearest != 0 {
                let before = nearest - nearest.signum();
                assert_ne!(Bucket::of(before), bucket, "{value}");
            }
        }
    }
}
