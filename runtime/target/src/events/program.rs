//! What is to be done when a probe is hit, as a plan that knows nothing of the machinery which carries it out.
//!
//! A [`HitProgram`] has a part for the function's entry (or any other site) and may have one for its return. A [`Part`] is
//! straight-line: [`Value`]s that are computed when a step needs them, and [`Step`]s that run one after the other until
//! one of them ends the part. All arithmetic is on 64 bits and wraps.
//!
//! # Values that fail
//!
//! Reading the target's memory may fail, and so may what depends on it. A value *fails* if it
//! - is a slot or the length of a capture that failed,
//! - is a division by zero,
//! - is looked up in a table that has no such row,
//! - has an operand that failed; a [`Value::Select`] depends on its condition and on the chosen operand alone.
//!
//! A capture whose address fails, fails. A table is not touched where a key, the value or the condition fails. A value
//! that failed reads as 0, and the record says so ([`Record::value`](super::Record::value)). Nothing of this ends the part.

use super::error::PlanError;
use super::table::TableId;

/// The most values of a part.
pub const MAX_VALUES: usize = 512;
/// The most steps of a part.
pub const MAX_STEPS: usize = 128;
/// The most bytes of one capture.
pub const MAX_CAPTURE: u32 = 16 << 10;
/// The most bytes of stack in a record.
pub const MAX_STACK: u32 = 64 << 10;
/// The most words that a session's owner sets.
pub const MAX_SETTINGS: usize = 256;
/// The most keys of a row.
pub const MAX_KEYS: usize = 5;
/// The most updates of one [`Step::Count`].
pub const MAX_UPDATES: usize = 16;

/// What is done at a hit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HitProgram {
    /// What is done at the site.
    pub entry: Part,
    /// What is done when the function returns, at whose entry the site is. The return address must be at `[rsp]` there.
    pub on_return: Option<Part>,
    /// Values of the entry part that the return part has as [`Value::Entry`], in this order.
    pub saved_values: Vec<ValueId>,
    /// Captures of the entry part that the return part has as [`Value::EntrySlot`], in this order.
    pub saved_captures: Vec<StepId>,
    /// Whether hits count even while those of others do not ([`super::EventSession::shut`]).
    pub always: bool,
}

/// One part: values, and steps that use them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Part {
    /// The values; each may refer to earlier ones alone.
    pub values: Vec<Value>,
    /// The steps, in order. A step may use the outcome of earlier ones alone.
    pub steps: Vec<Step>,
}

/// The number of a value in its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

/// The number of a step in its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub u32);

/// A value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A number.
    Constant(u64),
    /// A register as of the hit.
    Register(Register),
    /// The number of the thread, in our pid namespace.
    Tid,
    /// The number of the process, in our pid namespace.
    Pid,
    /// Nanoseconds of the monotonic clock, see [`crate::monotonic_ns`]; the same for all of a part.
    Time,
    /// The processor that the thread runs on.
    Cpu,
    /// The number that the site was given, see [`super::Site::cookie`].
    Cookie,
    /// A word that the session's owner sets ([`super::EventSession::set`]), by its place there, less than [`MAX_SETTINGS`].
    Setting(u32),
    /// At a page fault, the address that was used; 0 at all else.
    FaultAddress,
    /// Where a thread ends, its status as waitpid(2) would tell it, where the kernel's type information tells its place.
    ExitStatus,
    /// In a return part: a value that the entry part saved, by its place in [`HitProgram::saved_values`].
    Entry(u32),
    /// In a return part: an integer out of bytes that the entry part saved; `capture` is the place in
    /// [`HitProgram::saved_captures`].
    EntrySlot {
        /// Which saved capture.
        capture: u32,
        /// The first byte.
        offset: u32,
        /// How many bytes.
        width: Width,
        /// Whether it is widened with its sign.
        signed: bool,
    },
    /// An integer out of captured bytes.
    Slot {
        /// The step that captured them.
        capture: StepId,
        /// The first byte.
        offset: u32,
        /// How many bytes.
        width: Width,
        /// Whether it is widened with its sign.
        signed: bool,
    },
    /// How many bytes a capture has: of a string those before its end.
    Length(StepId),
    /// What a [`Step::Sample`] gave: how many bytes this hit stands for.
    Weight(StepId),
    /// What a [`Step::Lookup`] found.
    Found(StepId),
    /// 1 if a [`Step::Emit`] found no room for its record, else 0; never fails.
    Lost(StepId),
    /// 1 if the value failed, else 0; never fails itself.
    Failed(ValueId),
    /// An operation on one value.
    Unary(UnaryOperation, ValueId),
    /// An operation on two values.
    Binary(BinaryOperation, ValueId, ValueId),
    /// One of two values.
    Select {
        /// Which: any number but 0 chooses `then`.
        condition: ValueId,
        /// The one.
        then: ValueId,
        /// The other.
        otherwise: ValueId,
    },
}

/// Bytes of an integer in memory; little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// One byte.
    One,
    /// Two bytes.
    Two,
    /// Four bytes.
    Four,
    /// Eight bytes.
    Eight,
}

impl Width {
    /// How many bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Width::One => 1,
            Width::Two => 2,
            Width::Four => 4,
            Width::Eight => 8,
        }
    }

    /// The width of so many bytes.
    pub fn of_bytes(bytes: u32) -> Option<Width> {
        match bytes {
            1 => Some(Width::One),
            2 => Some(Width::Two),
            4 => Some(Width::Four),
            8 => Some(Width::Eight),
            _ => None,
        }
    }
}

/// An operation on one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOperation {
    /// The two's complement.
    Negate,
    /// All bits the other way.
    Invert,
    /// 1 if it is 0, else 0.
    IsZero,
    /// Keeps the low bytes and widens them with zeros.
    ZeroExtend(Width),
    /// Keeps the low bytes and widens them with their sign.
    SignExtend(Width),
    /// The number of the [`Bucket`](super::Bucket) of a signed number.
    Bucket,
}

/// An operation on two values; comparisons give 1 or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryOperation {
    Add,
    Subtract,
    Multiply,
    DivideUnsigned,
    /// Rounds towards zero; the least number divided by −1 is itself.
    DivideSigned,
    RemainderUnsigned,
    /// Has the sign of the dividend.
    RemainderSigned,
    And,
    Or,
    Xor,
    /// By the low six bits of the second value, as the other shifts.
    ShiftLeft,
    ShiftRightLogical,
    ShiftRightArithmetic,
    Equal,
    NotEqual,
    LessUnsigned,
    LessEqualUnsigned,
    LessSigned,
    LessEqualSigned,
}

/// A register of a thread on x86-64.
///
/// Vector registers are not among them: the kernel does not save them at a hit, and no program of the kernel can read
/// them. What needs one has to stop the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
#[repr(u8)]
pub enum Register {
    Rax = 0,
    Rdx = 1,
    Rcx = 2,
    Rbx = 3,
    Rsi = 4,
    Rdi = 5,
    Rbp = 6,
    Rsp = 7,
    R8 = 8,
    R9 = 9,
    R10 = 10,
    R11 = 11,
    R12 = 12,
    R13 = 13,
    R14 = 14,
    R15 = 15,
    /// At a site its address, at a return the return address.
    Rip = 16,
    Rflags = 17,
    /// The thread pointer, where the kernel's type information tells its place
    /// ([`Facilities::thread_pointer`](super::Facilities::thread_pointer)).
    FsBase = 18,
}

impl Register {
    /// All of them, by their number.
    pub const ALL: [Register; 19] = [
        Register::Rax,
        Register::Rdx,
        Register::Rcx,
        Register::Rbx,
        Register::Rsi,
        Register::Rdi,
        Register::Rbp,
        Register::Rsp,
        Register::R8,
        Register::R9,
        Register::R10,
        Register::R11,
        Register::R12,
        Register::R13,
        Register::R14,
        Register::R15,
        Register::Rip,
        Register::Rflags,
        Register::FsBase,
    ];

    /// The register that DWARF numbers so (System V ABI AMD64, figure 3.36).
    ///
    /// # Errors
    /// [`PlanError::Unavailable`]: a vector register, or another that the kernel does not give.
    pub fn from_dwarf(number: u16) -> Result<Register, PlanError> {
        let general = Register::ALL.get(usize::from(number)).copied();
        match number {
            0..=16 => general.ok_or(PlanError::Unavailable { number }),
            49 => Ok(Register::Rflags),
            58 => Ok(Register::FsBase),
            _ => Err(PlanError::Unavailable { number }),
        }
    }
}

/// Some registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RegisterSet(u32);

impl RegisterSet {
    /// None.
    pub const NONE: RegisterSet = RegisterSet(0);
    /// What unwinding begins with: those that a function keeps for its caller, the stack pointer and the place.
    pub const UNWIND: RegisterSet = RegisterSet::NONE
        .with(Register::Rbx)
        .with(Register::Rbp)
        .with(Register::Rsp)
        .with(Register::R12)
        .with(Register::R13)
        .with(Register::R14)
        .with(Register::R15)
        .with(Register::Rip);
    /// All general registers, the place and the flags.
    pub const GENERAL: RegisterSet = RegisterSet(0x3_ffff);

    /// These and one more.
    pub const fn with(self, register: Register) -> RegisterSet {
        RegisterSet(self.0 | 1 << register as u8)
    }

    /// Those of both.
    pub const fn union(self, other: RegisterSet) -> RegisterSet {
        RegisterSet(self.0 | other.0)
    }

    /// Whether the register is among them.
    pub const fn contains(self, register: Register) -> bool {
        self.0 >> register as u8 & 1 == 1
    }

    /// Them, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Register> {
        Register::ALL
            .into_iter()
            .filter(move |register| self.contains(*register))
    }

    /// How many.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many of them have smaller numbers than this one.
    pub(crate) fn rank(self, register: Register) -> usize {
        (self.0 & ((1 << register as u8) - 1)).count_ones() as usize
    }
}

/// What happens when a condition fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// The part goes on.
    GoOn,
    /// The part ends.
    End,
}

/// How much is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// So many bytes, or the capture fails.
    Bytes(u32),
    /// As many bytes as a value says, and no more than `max`; none can always be read. No value may be read from them.
    UpTo {
        /// How many.
        length: ValueId,
        /// The most bytes.
        max: u32,
    },
    /// The bytes before the first NUL, `max` at most; a longer string is cut, and so is one whose page ends
    /// before it, where the next cannot be read. A [`Value::Slot`] beyond the end reads zeros.
    String {
        /// The most bytes, without the NUL.
        max: u32,
    },
}

impl Extent {
    /// The value that says how many bytes there are.
    pub(super) fn length(self) -> Option<ValueId> {
        match self {
            Extent::UpTo { length, .. } => Some(length),
            Extent::Bytes(_) | Extent::String { .. } => None,
        }
    }

    /// The most bytes that it takes.
    pub fn bytes(self) -> u32 {
        match self {
            Extent::Bytes(bytes)
            | Extent::UpTo { max: bytes, .. }
            | Extent::String { max: bytes } => bytes,
        }
    }
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Copies memory of the target. A page that is not in memory (never touched, or on swap) cannot be waited for at a
    /// hit: such a capture fails.
    Capture {
        /// Where.
        address: ValueId,
        /// How much.
        extent: Extent,
    },
    /// Ends the part if the condition is not 0; such hits are counted as filtered. In an entry part the return is then
    /// left out, too.
    ReturnIf {
        /// The condition.
        condition: ValueId,
        /// What happens when it fails.
        on_failure: OnFailure,
    },
    /// Samples by bytes: goes on with probability p = min(1, bytes / every), else ends the part, and such hits are counted
    /// as not sampled. [`Value::Weight`] is then bytes / p = max(bytes, every).
    ///
    /// Hits are drawn independently of each other, so the sum of the weights is an unbiased estimate of the sum of the
    /// bytes: a hit of n bytes adds n / p with probability p, n on average, whatever p is (Horvitz and Thompson 1952). Its
    /// variance is the sum of n · (every − n) over the hits with n < every, and no hit of `every` bytes or more is ever
    /// missed. Divided by the bytes, the same weights estimate a number of hits. 32 random bits decide, so p is too large
    /// by less than 2⁻³². Where `bytes` fails or is 0, the hit is not sampled.
    Sample {
        /// How many bytes this hit has.
        bytes: ValueId,
        /// One sample for so many bytes; 1 or more, less than 2³².
        every: u64,
    },
    /// Does all that a hit is for: adds to rows of tables that count, sum or aggregate, makes those that are not there, and ends the part;
    /// such hits are counted as such. In an entry part the return is then left out, too. It is all or nothing: where the condition is 0 or
    /// fails, or a key or a value fails, or a table has no room for a row, nothing is added and the part goes on.
    Count {
        /// Whether it is done.
        condition: Option<ValueId>,
        /// It is not where one of these fails.
        needs: Vec<ValueId>,
        /// What is added, to where.
        updates: Vec<Update>,
    },
    /// Sets the row of a [`TableKind::Map`](super::TableKind::Map) or of [`TableKind::Keys`](super::TableKind::Keys), and makes it if
    /// need be.
    Put {
        /// The table.
        table: TableId,
        /// Its keys.
        keys: Vec<ValueId>,
        /// What it is set to.
        value: ValueId,
        /// Only if this is not 0.
        when: Option<ValueId>,
    },
    /// Removes the row of such a table, where there is one.
    Remove {
        /// The table.
        table: TableId,
        /// Its keys.
        keys: Vec<ValueId>,
        /// Only if this is not 0.
        when: Option<ValueId>,
    },
    /// Looks up the row of such a table; [`Value::Found`] is its value, and fails if there is no such row. Of
    /// [`TableKind::Keys`](super::TableKind::Keys) it fails only if there is none for sure, and not where a key fails.
    Lookup {
        /// The table.
        table: TableId,
        /// Its keys.
        keys: Vec<ValueId>,
    },
    /// Sends a record. At most one of a part.
    Emit(Emit),
}

/// What a [`Step::Count`] adds to one row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Update {
    /// The table.
    pub table: TableId,
    /// Its keys, as many as it was declared with.
    pub keys: Vec<ValueId>,
    /// What is added; a table that counts takes none.
    pub value: Option<ValueId>,
    /// Only if this is not 0.
    pub when: Option<ValueId>,
}

/// What a record holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Emit {
    /// Registers.
    pub registers: RegisterSet,
    /// Values, which the record has by their place in this list.
    pub values: Vec<ValueId>,
    /// Captures, which the record has by their place in this list.
    pub captures: Vec<StepId>,
    /// In a return part: captures of the entry part, by their place in [`HitProgram::saved_captures`]; the record has
    /// them after the others.
    pub entry_captures: Vec<u32>,
    /// So many bytes from the stack pointer upwards, fewer where the stack ends before. A multiple of 8.
    pub stack_bytes: u32,
    /// If it is not 0, no more of the stack is sent than was needed there before, as [`super::Record::stack_took`] tells; and so many bytes
    /// while nothing was told and the thread pointer is not above the stack either. `stack_bytes` is then the most.
    pub stack_expected: u32,
}

impl Part {
    /// Adds a value.
    pub fn value(&mut self, value: Value) -> ValueId {
        let number = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(value);
        ValueId(number)
    }

    /// Adds a step.
    pub fn step(&mut self, step: Step) -> StepId {
        let number = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        self.steps.push(step);
        StepId(number)
    }
}
