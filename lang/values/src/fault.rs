//! What can end a run of a handler before its end.

use std::fmt;

/// The kind of a [`Fault`]. `f.kind` in a probe is [`FaultKind::name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// A read of memory that the target has not mapped (or not readable, or swapped out).
    Unmapped,
    /// An integer division or remainder by zero.
    DivisionByZero,
    /// A shift by a negative amount or by the width of the type or more.
    ShiftRange,
    /// A floating-point value that the integer type converted to cannot hold.
    FloatRange,
    /// An index outside an array or a string, or a pop from an empty array.
    IndexOutOfRange,
    /// The stack budget is exhausted: calls are nested too deeply.
    StackTooDeep,
    /// `_raise("…")`.
    Raised,
    /// `assert(e)` with a false `e`.
    AssertionFailed,
    /// A thing of the target that this mode or this target cannot give (registers, a variable).
    NotAvailable,
    /// The local copies of the target's memory, or the process itself, ended.
    TargetGone,
    /// The tracer memory budget is exhausted.
    MemoryExhausted,
    /// The step budget is exhausted.
    StepsExhausted,
    /// The wall-time budget is exhausted.
    TimeExhausted,
    /// The output budget is exhausted.
    OutputExhausted,
    /// The user interrupted the run.
    Interrupted,
    /// `_next()`: ends this run of the handler; not an error.
    Next,
    /// `_exit()`: ends the session after `_end`; not an error.
    Exit,
    /// `_error("…")`: prints a message and ends the session with a failure.
    Error,
    /// A defect of ytrace itself: an operation was called with arguments it does not take.
    Internal,
}

impl FaultKind {
    /// The name under which a probe and a report show the kind.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Unmapped => "unmapped",
            FaultKind::DivisionByZero => "division by zero",
            FaultKind::ShiftRange => "shift out of range",
            FaultKind::FloatRange => "float out of range",
            FaultKind::IndexOutOfRange => "index out of range",
            FaultKind::StackTooDeep => "stack too deep",
            FaultKind::Raised => "raised",
            FaultKind::AssertionFailed => "assertion failed",
            FaultKind::NotAvailable => "not available",
            FaultKind::TargetGone => "target gone",
            FaultKind::MemoryExhausted => "memory exhausted",
            FaultKind::StepsExhausted => "steps exhausted",
            FaultKind::TimeExhausted => "time exhausted",
            FaultKind::OutputExhausted => "output exhausted",
            FaultKind::Interrupted => "interrupted",
            FaultKind::Next => "next",
            FaultKind::Exit => "exit",
            FaultKind::Error => "error",
            FaultKind::Internal => "internal error",
        }
    }

    /// Whether `_catch` may stop the fault. Exhausted budgets and the ends of a run go through.
    pub fn catchable(self) -> bool {
        matches!(
            self,
            FaultKind::Unmapped
                | FaultKind::DivisionByZero
                | FaultKind::ShiftRange
                | FaultKind::FloatRange
                | FaultKind::IndexOutOfRange
                | FaultKind::Raised
                | FaultKind::AssertionFailed
                | FaultKind::NotAvailable
        )
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What went wrong in one operation. The executor adds the source span and the call chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of fault.
    pub kind: FaultKind,
    /// The address in the target that could not be read.
    pub address: Option<u64>,
    /// More words: the text of `_raise`, the index and the length, the limit.
    pub message: Option<String>,
}

impl Fault {
    /// A fault of a kind, with no address and no message.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            address: None,
            message: None,
        }
    }

    /// The same fault with a message.
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// A read of the target's memory that failed.
    pub fn memory(error: crate::memory::MemoryError) -> Self {
        use crate::memory::MemoryError as E;
        let (kind, address) = match error {
            E::Unmapped { address }
            | E::NotAtHit { address }
            | E::Swapped { address }
            | E::Unreadable { address, .. } => (FaultKind::Unmapped, Some(address)),
            E::TargetGone => (FaultKind::TargetGone, None),
            E::CacheFull { .. } => (FaultKind::MemoryExhausted, None),
            E::Interrupted => (FaultKind::Interrupted, None),
        };
        Self {
            kind,
            address,
            message: Some(error.to_string()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.message, self.address) {
            (Some(message), _) => write!(f, "{}: {message}", self.kind),
            (None, Some(address)) => write!(f, "{} at {address:#x}", self.kind),
            (None, None) => write!(f, "{}", self.kind),
        }
    }
}

impl std::error::Error for Fault {}
