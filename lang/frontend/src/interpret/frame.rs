//! The frames of a run: registers and slots of the functions that are under way.

use crate::ir::{Class, Function, FunctionId, Register, SlotId, SpanId};
use ytrace_values::floats::{canonical32, canonical64};

/// One function that is under way.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The function.
    pub(super) function: FunctionId,
    /// The block and the instruction that comes next.
    pub(super) block: u32,
    pub(super) instruction: u32,
    /// Where its registers start.
    pub(super) registers: usize,
    /// Where its slots start.
    pub(super) slots: usize,
    /// What it took from the stack budget.
    pub(super) cost: u64,
    /// Where the caller wants the result.
    pub(super) result: Option<Register>,
    /// The place of the call, or of the function for the outermost one.
    pub(super) call: SpanId,
}

/// All frames with their registers and slots.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pub(super) frames: Vec<Frame>,
    pub(super) registers: Vec<u64>,
    pub(super) bytes: Vec<u8>,
}

impl Frames {
    /// Forgets everything of the run before.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.registers.clear();
        self.bytes.clear();
    }

    /// Enters a function. Its registers are zeros but for the arguments; its slots are zeros.
    pub(super) fn push(
        &mut self,
        id: FunctionId,
        function: &Function,
        arguments: &[u64],
        result: Option<Register>,
        call: SpanId,
    ) {
        let registers = self.registers.len();
        self.registers.extend_from_slice(arguments);
        self.registers
            .resize(registers + function.registers.len().max(arguments.len()), 0);
        let slots = self.bytes.len();
        let size: u64 = function.slots.iter().sum();
        self.bytes.resize(slots + size as usize, 0);
        self.frames.push(Frame {
            function: id,
            block: 0,
            instruction: 0,
            registers,
            slots,
            cost: function.frame_cost,
            result,
            call,
        });
    }

    /// Leaves the innermost function.
    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop()?;
        self.registers.truncate(frame.registers);
        self.bytes.truncate(frame.slots);
        Some(frame)
    }
}

/// The offset of a slot from the start of a function's slots.
pub(super) fn slot_offset(function: &Function, slot: SlotId) -> usize {
    function.slots.iter().take(slot.0 as usize).sum::<u64>() as usize
}

/// A float in a register as a double.
pub(super) fn as_double(class: Option<Class>, word: u64) -> f64 {
    match class {
        Some(Class::Float32) => f64::from_bits(canonical64(f64::from(f32::from_bits(word as u32)))),
        _ => f64::from_bits(word),
    }
}

/// A double as the float of a register.
pub(super) fn from_double(class: Option<Class>, value: f64) -> u64 {
    match class {
        Some(Class::Float32) => u64::from(canonical32(value as f32)),
        _ => value.to_bits(),
    }
}
