//! The typed intermediate representation, which the interpreter and the compiler execute.
//!
//! A function is a graph of blocks over virtual registers. An integer register always holds a
//! 64-bit word that its type has sign- or zero-extended, so comparisons are 64 bits wide and an
//! operation on a narrower type ends by extending again. Registers are mutable and start as 0.
//!
//! Both executors must agree on results, faults and steps for every program. A [`InstructionKind::Step`] stands at
//! every loop back-edge and at the entry of every function; nothing else costs steps.

use std::sync::Arc;

use crate::source::{SourceMap, Span};
use ytrace_values::{Constants, Operation};

/// A virtual register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Register(pub u32);

/// A block of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub u32);

/// A frame slot of a function: bytes for a record or a fixed array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub u32);

/// A function of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId(pub u32);

/// An index into [`Program::spans`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(pub u32);

/// A lowered program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Functions.
    pub functions: Vec<Function>,
    /// The function that initializes the globals: containers, then initializers.
    pub initialize: FunctionId,
    /// One function a probe, in the order of the typed program.
    pub probes: Vec<FunctionId>,
    /// One function a `_layout`, in the order of the typed program: its validator.
    pub validators: Vec<FunctionId>,
    /// Functions that give values as of entry to probes on returns.
    pub entry_values: Vec<FunctionId>,
    /// For each global of the typed program, its offset in [`ytrace_values::Store::globals`].
    /// A container global holds its handle there.
    pub global_offsets: Vec<u64>,
    /// For each view of the typed program, what its global holds.
    pub view_shapes: Vec<ViewShape>,
    /// Strings, formats, shapes and container types.
    pub constants: Arc<Constants>,
    /// Source places of instructions.
    pub spans: Vec<Span>,
    /// The source text that the spans refer to, for the places that `_catch` shows. Lowering
    /// leaves it empty; whoever has the sources sets it.
    pub sources: Arc<SourceMap>,
}

impl Program {
    /// `file:line:column` of a place, or `?` where the sources are not known.
    pub fn location(&self, span: SpanId) -> String {
        match self.spans.get(span.0 as usize) {
            Some(span) => self.sources.location(*span),
            None => "?".to_owned(),
        }
    }

    /// Where a function begins: the place of a fault that keeps it from being started.
    pub fn entry_span(&self, function: FunctionId) -> SpanId {
        self.functions
            .get(function.0 as usize)
            .and_then(|function| function.blocks.first()?.instructions.first())
            .map_or(SpanId(0), |instruction| instruction.span)
    }
}

/// What the global of a view holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewShape {
    /// A plain value of a shape.
    Value(ytrace_values::constants::ShapeId),
    /// A container.
    Container(ytrace_values::constants::ContainerTypeId),
}

/// The class of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A 64-bit word: an integer, a pointer, a handle, a row, an address of the frame.
    Word,
    /// A 32-bit float.
    Float32,
    /// A 64-bit float.
    Float64,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// The name in call chains.
    pub name: String,
    /// Classes of the registers; the first ones are the parameters.
    pub registers: Vec<Class>,
    /// How many registers are parameters. A record travels as the frame address of a slot of
    /// the caller, which the callee copies; a record result is written to such an address that
    /// comes as the first parameter.
    pub parameters: u32,
    /// The class of the result.
    pub result: Option<Class>,
    /// Sizes of the frame slots in bytes; they start as zeros.
    pub slots: Vec<u64>,
    /// The blocks; the first is the entry.
    pub blocks: Vec<Block>,
    /// What a call of it takes from the stack budget, in bytes: a fixed part, its slots, and
    /// sixteen bytes a register. Both executors charge it at entry and release it at return.
    pub frame_cost: u64,
    /// Whether it and what it calls read memory as of now, and nothing of that is captured at a hit.
    pub late: bool,
}

/// A block: instructions, then a terminator.
#[derive(Clone, Debug)]
pub struct Block {
    /// The instructions.
    pub instructions: Vec<Instruction>,
    /// How it ends.
    pub terminator: Terminator,
    /// Where a catchable fault in this block goes; `None` leaves the function. Faults of calls
    /// made in the block are included.
    pub on_fault: Option<BlockId>,
}

/// An instruction with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// What it does.
    pub kind: InstructionKind,
    /// Where it comes from.
    pub span: SpanId,
}

/// How a scalar lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum MemoryType {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    /// Also pointers and handles.
    W64,
    F32,
    F64,
}

impl MemoryType {
    /// The size in bytes.
    pub fn size(self) -> u64 {
        match self {
            MemoryType::I8 | MemoryType::U8 => 1,
            MemoryType::I16 | MemoryType::U16 => 2,
            MemoryType::I32 | MemoryType::U32 | MemoryType::F32 => 4,
            MemoryType::W64 | MemoryType::F64 => 8,
        }
    }
}

/// The integer type of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IntegerType {
    /// Size in bytes: 1, 2, 4 or 8.
    pub size: u8,
    /// Whether it is signed.
    pub signed: bool,
}

/// A place in memory: a base, a constant offset, and a byte offset in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The base.
    pub base: Base,
    /// Bytes added to the base.
    pub offset: i64,
    /// Bytes added to that; checked by [`InstructionKind::BoundsCheck`] before, except for the target, where addresses wrap.
    pub index: Option<Register>,
}

/// The base of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// An address in the target. Only loads.
    Target(Register),
    /// The globals of the script.
    Globals,
    /// A frame slot of this function.
    Slot(SlotId),
    /// A frame address that [`InstructionKind::SlotAddress`] gave, here or in a caller.
    Frame(Register),
    /// A row that an operation gave, of that container. Offset 0 is the first key word of a
    /// table, or the element of an array. Valid until the next operation on any container.
    Row {
        /// The container's handle.
        container: Register,
        /// The row.
        row: Register,
    },
}

/// Integer operators of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum IntegerOperator {
    Add,
    Subtract,
    Multiply,
    /// Faults on zero; the least integer divided by -1 wraps.
    Divide,
    /// Faults on zero; the least integer's remainder by -1 is 0.
    Remainder,
    And,
    Or,
    Xor,
    /// Faults when the right operand is negative or at least the width.
    ShiftLeft,
    /// Likewise. Arithmetic for signed types, logical for unsigned ones.
    ShiftRight,
}

/// Float operators of two operands, IEEE 754.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum FloatOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Comparisons. With NaN all but `NotEqual` are false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// What an instruction does.
#[derive(Clone, Debug, PartialEq)]
pub enum InstructionKind {
    /// A constant word, or the bits of a float, as the class of `to` says.
    Constant {
        /// The result.
        to: Register,
        /// The word.
        value: u64,
    },
    /// The handle of a string literal.
    Literal {
        /// The result.
        to: Register,
        /// Index in [`Constants::strings`].
        index: u32,
    },
    /// A copy between registers of one class.
    Copy {
        /// The result.
        to: Register,
        /// The source.
        from: Register,
    },
    /// `to = left op right` on integers, extended again to `ty`.
    Integer {
        /// The operator.
        operator: IntegerOperator,
        /// The type.
        ty: IntegerType,
        /// The result.
        to: Register,
        /// The left operand.
        left: Register,
        /// The right operand.
        right: Register,
    },
    /// Truncates a word to `ty` and extends it again.
    Extend {
        /// The type.
        ty: IntegerType,
        /// The result.
        to: Register,
        /// The source.
        from: Register,
    },
    /// `to = left ? right`, 0 or 1, on whole words.
    CompareIntegers {
        /// The comparison.
        comparison: Comparison,
        /// Whether words are signed.
        signed: bool,
        /// The result.
        to: Register,
        /// The left operand.
        left: Register,
        /// The right operand.
        right: Register,
    },
    /// `to = left op right` on floats of one class.
    Float {
        /// The operator.
        operator: FloatOperator,
        /// The result.
        to: Register,
        /// The left operand.
        left: Register,
        /// The right operand.
        right: Register,
    },
    /// `to = -from` on floats (the sign bit is flipped).
    FloatNegate {
        /// The result.
        to: Register,
        /// The source.
        from: Register,
    },
    /// `to = left ? right`, 0 or 1, on floats of one class.
    CompareFloats {
        /// The comparison.
        comparison: Comparison,
        /// The result.
        to: Register,
        /// The left operand.
        left: Register,
        /// The right operand.
        right: Register,
    },
    /// A word to a float, rounded to nearest.
    IntegerToFloat {
        /// Whether the word is signed.
        signed: bool,
        /// The result.
        to: Register,
        /// The source.
        from: Register,
    },
    /// A float to an integer, towards zero. Faults when `ty` cannot hold it, or on NaN.
    FloatToInteger {
        /// The type.
        ty: IntegerType,
        /// The result.
        to: Register,
        /// The source.
        from: Register,
    },
    /// Between float classes.
    FloatToFloat {
        /// The result.
        to: Register,
        /// The source.
        from: Register,
    },
    /// The bits of a float as a word (a 32-bit float is widened to 64 bits first), for
    /// operations, formats and keys.
    FloatToBits {
        /// The result, a word.
        to: Register,
        /// The source.
        from: Register,
    },
    /// The inverse of `FloatToBits`.
    BitsToFloat {
        /// The result.
        to: Register,
        /// The source, a word.
        from: Register,
    },
    /// Loads a scalar. Faults when the target's memory cannot be read.
    Load {
        /// The result.
        to: Register,
        /// Where.
        place: Place,
        /// How it lies in memory.
        ty: MemoryType,
    },
    /// Stores a scalar in tracer memory.
    Store {
        /// Where; never in the target.
        place: Place,
        /// What.
        from: Register,
        /// How it lies in memory.
        ty: MemoryType,
    },
    /// Copies bytes to tracer memory. The ranges do not overlap, or are equal.
    CopyBytes {
        /// Where; never in the target.
        to: Place,
        /// From where.
        from: Place,
        /// How many.
        length: u64,
    },
    /// Zeroes bytes of tracer memory.
    Zero {
        /// Where; never in the target.
        place: Place,
        /// How many.
        length: u64,
    },
    /// The frame address of a slot, to be passed to a function.
    SlotAddress {
        /// The result, an opaque word.
        to: Register,
        /// The slot.
        slot: SlotId,
    },
    /// Faults unless `index` (an unsigned word) is less than `length`.
    BoundsCheck {
        /// The index.
        index: Register,
        /// The length.
        length: u64,
    },
    /// Calls a function of the program.
    Call {
        /// The function.
        function: FunctionId,
        /// The arguments, one a parameter.
        arguments: Vec<Register>,
        /// The result.
        to: Option<Register>,
    },
    /// Carries out an operation. All registers are words.
    Operation {
        /// The operation.
        operation: Operation,
        /// The arguments.
        arguments: Vec<Register>,
        /// The result.
        to: Option<Register>,
    },
    /// Takes one step from the budget; faults when none is left, when time is up, or when the
    /// user interrupts.
    Step,
}

impl InstructionKind {
    /// The register that it gives a value to.
    pub fn result(&self) -> Option<Register> {
        match self {
            InstructionKind::Constant { to, .. }
            | InstructionKind::Literal { to, .. }
            | InstructionKind::Copy { to, .. }
            | InstructionKind::Integer { to, .. }
            | InstructionKind::Extend { to, .. }
            | InstructionKind::CompareIntegers { to, .. }
            | InstructionKind::Float { to, .. }
            | InstructionKind::FloatNegate { to, .. }
            | InstructionKind::CompareFloats { to, .. }
            | InstructionKind::IntegerToFloat { to, .. }
            | InstructionKind::BitsToFloat { to, .. }
            | InstructionKind::FloatToInteger { to, .. }
            | InstructionKind::FloatToBits { to, .. }
            | InstructionKind::FloatToFloat { to, .. }
            | InstructionKind::Load { to, .. }
            | InstructionKind::SlotAddress { to, .. } => Some(*to),
            InstructionKind::Call { to, .. } | InstructionKind::Operation { to, .. } => *to,
            InstructionKind::Store { .. }
            | InstructionKind::CopyBytes { .. }
            | InstructionKind::Zero { .. }
            | InstructionKind::BoundsCheck { .. }
            | InstructionKind::Step => None,
        }
    }
}

/// How a block ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Terminator {
    /// Goes to a block.
    Jump(BlockId),
    /// Goes to `then` if the word is not 0.
    Branch {
        /// The condition.
        condition: Register,
        /// If not 0.
        then: BlockId,
        /// If 0.
        otherwise: BlockId,
    },
    /// Goes to the block of the value, or to `otherwise`.
    Switch {
        /// The word.
        value: Register,
        /// Distinct words with their blocks.
        cases: Vec<(u64, BlockId)>,
        /// If none is equal.
        otherwise: BlockId,
    },
    /// Returns.
    Return(Option<Register>),
}

impl Terminator {
    /// Calls `visit` with each block that this may go to.
    pub fn successors(&self, visit: &mut dyn FnMut(BlockId)) {
        match self {
            Terminator::Jump(block) => visit(*block),
            Terminator::Branch {
                then, otherwise, ..
            } => {
                visit(*then);
                visit(*otherwise);
            }
            Terminator::Switch {
                cases, otherwise, ..
            } => {
                for (_, block) in cases {
                    visit(*block);
                }
                visit(*otherwise);
            }
            Terminator::Return(_) => {}
        }
    }

    /// Replaces each block that this may go to.
    pub fn replace_successors(&mut self, replace: &dyn Fn(BlockId) -> BlockId) {
        match self {
            Terminator::Jump(block) => *block = replace(*block),
            Terminator::Branch {
                then, otherwise, ..
            } => {
                *then = replace(*then);
                *otherwise = replace(*otherwise);
            }
            Terminator::Switch {
                cases, otherwise, ..
            } => {
                for (_, block) in cases {
                    *block = replace(*block);
                }
                *otherwise = replace(*otherwise);
            }
            Terminator::Return(_) => {}
        }
    }
}
