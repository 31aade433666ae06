//! What is read at a hit: a portable program without loops that a kernel can carry out.

use std::collections::BTreeSet;

use crate::ir::{Comparison, IntegerOperator, IntegerType};
use crate::source::Span;

/// The most bytes that one hit captures.
pub const MAX_BYTES: u64 = 16 << 10;
/// The most captures of one handler.
pub const MAX_CAPTURES: usize = 64;
/// The most pieces of one capture.
pub const MAX_PIECES: usize = 16;
/// The most bytes from the first to the last piece of a capture that has several.
pub const MAX_MERGED: u64 = 256;
/// The most values of one handler.
pub const MAX_VALUES: usize = 1024;

/// An index into [`Plan::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

/// An index into [`Plan::captures`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaptureId(pub u32);

/// What is done at a hit of one handler.
///
/// The steps are carried out in order. A value may be computed at any time after the captures that it depends on; it depends on
/// values of lower index only, and what a capture's address and length depend on is captured by earlier steps.
///
/// Where a capture fails, its bytes count as zeros and the program goes on: values that are computed from them are of no
/// meaning, but harmless, for a capture at a wrong address has the bytes that are there. Only what names its [`Requirement`]s depends on success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The values.
    pub values: Vec<Value>,
    /// The captures, in the order in which they are made.
    pub captures: Vec<Capture>,
    /// What is done, in order: each capture once, and where the hit may be dropped.
    pub steps: Vec<Step>,
    /// What the function gives, where it was asked for and is a word that is known at the hit.
    pub result: Option<ValueId>,
    /// Whether a backtrace of the hit is asked for.
    pub stack: bool,
    /// What the handler asks of the hit, whether or not a value needs it.
    pub needs: Needs,
    /// Keys that the handler may insert into tables.
    pub inserts: Vec<TableKey>,
    /// Keys that are not in their tables when the handler has ended, however it ends but for a fault.
    pub removes: Vec<TableKey>,
    /// The tables into which it may insert keys that are not known at the hit; `None` if that may be any.
    pub inserts_unknown: Option<BTreeSet<u64>>,
}

/// A key of a table of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableKey {
    /// The offset of the table's global.
    pub table: u64,
    /// The words of the key, one to four.
    pub words: Vec<ValueId>,
}

/// What a handler asks of the hit that it runs for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// General registers by DWARF number, ascending.
    pub registers: Vec<u64>,
    /// Vector registers, ascending.
    pub vectors: Vec<u64>,
    /// Arguments of a static probe, ascending.
    pub arguments: Vec<u64>,
    /// Entry values by index, ascending.
    pub entry_values: Vec<u64>,
    /// Thread-local variables of the thread that was hit, by the program's index, ascending.
    pub thread_locals: Vec<u32>,
    /// Scalar globals of the script that no handler of an event writes, by offset and size, ascending: the handler must see them as of
    /// the hit.
    pub globals: Vec<(u64, u8)>,
}

/// A 64-bit word that is known at the hit.
///
/// Words of integers are extended to 64 bits by their type, as registers of the intermediate representation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A constant.
    Constant(u64),
    /// A general register, by its DWARF number.
    Register(u64),
    /// An argument of a static probe, from 0.
    Argument(u64),
    /// An entry value of a return probe, by index.
    EntryValue(u64),
    /// The address of the function that was hit.
    Function,
    /// The thread.
    Tid,
    /// The process.
    Pid,
    /// Nanoseconds of the monotonic clock.
    Time,
    /// The weight that [`Step::Sample`] gave; 0 before.
    Weight,
    /// The address of a thread-local variable of the thread: its pointer plus the variable's distance, by the program's index.
    ThreadLocal(u32),
    /// A scalar global of the script that no handler of an event writes, as of the hit, widened with zeros.
    Global {
        /// Its offset in [`ytrace_values::Store::globals`].
        offset: u64,
        /// Its size in bytes: 1, 2, 4 or 8.
        size: u8,
    },
    /// A scalar of captured bytes, little-endian.
    Captured {
        /// The capture.
        capture: CaptureId,
        /// The offset of the scalar in the capture, in bytes.
        offset: u32,
        /// Its size in bytes: 1, 2, 4 or 8.
        size: u8,
        /// Whether it is sign-extended.
        signed: bool,
    },
    /// `left operator right`, extended to `ty`. A division is by a constant that is neither 0 nor -1, a shift by a constant less than the width.
    Binary {
        /// The operator.
        operator: IntegerOperator,
        /// The type.
        ty: IntegerType,
        /// The left operand.
        left: ValueId,
        /// The right operand.
        right: ValueId,
    },
    /// A word truncated to a type and extended again.
    Extend {
        /// The type.
        ty: IntegerType,
        /// The word.
        from: ValueId,
    },
    /// 0 or 1, of whole words.
    Compare {
        /// The comparison.
        comparison: Comparison,
        /// Whether words are signed.
        signed: bool,
        /// The left operand.
        left: ValueId,
        /// The right operand.
        right: ValueId,
    },
    /// `then` where the condition is not 0, else `otherwise`.
    Select {
        /// The condition.
        condition: ValueId,
        /// If it is not 0.
        then: ValueId,
        /// If it is 0.
        otherwise: ValueId,
    },
}

/// Memory that is read at the hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Where.
    pub address: ValueId,
    /// How much.
    pub kind: CaptureKind,
    /// The read that it is for, the first one if there are several.
    pub span: Span,
}

impl Capture {
    /// The most bytes that it takes.
    pub fn most(&self) -> u64 {
        match &self.kind {
            CaptureKind::Pieces { length, .. } => u64::from(*length),
            CaptureKind::Bytes { most, .. } | CaptureKind::String { most } => u64::from(*most),
        }
    }
}

/// How much a capture reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureKind {
    /// A range that holds all that the handler reads near one address. Where the whole cannot be read, each piece is read for itself;
    /// a piece that fails leaves zeros.
    Pieces {
        /// The length of the range in bytes.
        length: u32,
        /// What the handler reads of it, by rising offset: at least one, at most [`MAX_PIECES`]. They may overlap, and lie in the range.
        pieces: Vec<Piece>,
    },
    /// So many bytes, or `most` if that is less. Where the whole cannot be read, the bytes before the first page that cannot.
    Bytes {
        /// The length, an unsigned word.
        length: ValueId,
        /// The most bytes.
        most: u32,
    },
    /// The bytes up to a zero, with it, or `most` without one. Where that cannot be read, the bytes before the first page that cannot.
    String {
        /// The most bytes.
        most: u32,
    },
}

/// A part of a capture that is read for itself where the whole cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Piece {
    /// The offset in the capture in bytes.
    pub offset: u32,
    /// The length in bytes.
    pub length: u32,
}

/// Captures that must have succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Requirement {
    /// The capture.
    pub capture: CaptureId,
    /// Its pieces, a bit each, the first the lowest. Of other kinds, 1: all bytes that were asked for, or a string with its end or of the full length.
    pub pieces: u32,
}

/// One step at a hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Makes a capture.
    Capture(CaptureId),
    /// Drops the hit if the requirements are met, the condition is not 0 and none of the keys is in its table: the handler would
    /// return at once.
    Return {
        /// The condition.
        condition: ValueId,
        /// The keys.
        absent: Vec<TableKey>,
        /// What must have been captured.
        requires: Vec<Requirement>,
    },
    /// Decides whether the hit is of the sample, and drops it if not. Where the requirements are not met, the hit goes on without a decision.
    Sample {
        /// How many bytes there are from one hit of the sample to the next, on average.
        every: ValueId,
        /// The bytes of this hit.
        bytes: ValueId,
        /// What must have been captured.
        requires: Vec<Requirement>,
    },
    /// If the requirements are met and the condition is not 0, does all that the handler would do, so that it need not run: adds to
    /// variables of the script. Only in plans of [`super::Captures::counting`].
    Update {
        /// The condition.
        condition: ValueId,
        /// What is added.
        updates: Vec<Update>,
        /// What must have been captured.
        requires: Vec<Requirement>,
    },
}

/// What is added to a variable of the script. Sums wrap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The offset of the variable.
    pub global: u64,
    /// In a table, the words of the key; else none.
    pub key: Vec<ValueId>,
    /// What of the variable, or of the value of the key.
    pub part: UpdatedPart,
    /// Only if this is not 0.
    pub when: Option<ValueId>,
    /// What is added to an integer, or put into an aggregate.
    pub value: ValueId,
}

/// The part of a variable, or of a value in a table, that is added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UpdatedPart {
    /// An integer, by its offset in the globals, or in the value, and its size.
    Integer {
        /// The offset in bytes.
        offset: u64,
        /// The size in bytes: 1, 2, 4 or 8.
        size: u8,
    },
    /// An aggregate of signed numbers.
    Aggregate,
}
