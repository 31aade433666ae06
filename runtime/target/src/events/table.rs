//! Tables that hits write and the reader merges.

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
    /// The sum of the values.
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
}

/// A row, as merged by the reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableRow {
    /// Its keys.
    pub keys: Vec<u64>,
    /// How many updates it had; 1 for the row of a map.
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
