//! One iteration over a table or an array.

use crate::account::vector_bytes;

/// An element remembered for sorting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SortEntry {
    /// The sort key, as a word of the iterator's kind.
    pub(crate) key: u64,
    /// The row number of a table, the sequence number of an array.
    pub(crate) element: i64,
    /// Where the element stood when the iteration began.
    pub(crate) position: u64,
}

/// How sort keys compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKind {
    /// As signed words.
    Signed,
    /// As unsigned words.
    Unsigned,
    /// As the bits of an `f64`, in IEEE's total order.
    Float,
    /// As strings, by bytes.
    Str,
    /// As paths, frame by frame from the root.
    Path,
}

impl SortKind {
    /// The kind that an operation's argument names.
    pub fn from_word(word: u64) -> Option<Self> {
        Some(match word {
            0 => SortKind::Signed,
            1 => SortKind::Unsigned,
            2 => SortKind::Float,
            3 => SortKind::Str,
            4 => SortKind::Path,
            _ => return None,
        })
    }
}

/// An iterator. Elements that are added after its start are not seen, and removed ones skipped.
#[derive(Clone, Debug)]
pub(crate) struct ElementIterator {
    /// What is iterated; 0 for nothing.
    pub(crate) container: u64,
    /// The table's epoch at the start.
    pub(crate) epoch: u32,
    /// The elements present at the start that may still exist: row or sequence numbers. For an
    /// array, removal clips the range.
    pub(crate) range: (i64, i64),
    /// The first element of the array at the start, from which positions count.
    pub(crate) origin: i64,
    /// The next element in order of the container, or the next of `entries` once sorted.
    pub(crate) cursor: i64,
    pub(crate) entries: Vec<SortEntry>,
    pub(crate) kind: SortKind,
    pub(crate) sorted: bool,
    /// How many elements may still be given.
    pub(crate) remaining: u64,
    /// How many were given in order of the container.
    pub(crate) given: u64,
    /// The element given last, with its position.
    pub(crate) last: Option<(i64, u64)>,
}

impl ElementIterator {
    pub(crate) fn new(container: u64, epoch: u32, range: (i64, i64)) -> Self {
        Self {
            container,
            epoch,
            range,
            origin: range.0,
            cursor: range.0,
            entries: Vec::new(),
            kind: SortKind::Signed,
            sorted: false,
            remaining: u64::MAX,
            given: 0,
            last: None,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        vector_bytes(&self.entries)
    }
}
