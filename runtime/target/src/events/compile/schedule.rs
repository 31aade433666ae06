//! What of a part is computed when, where captures are kept, and which values may fail.

use super::super::check::index;
use super::super::error::PlanError;
use super::super::layout::buffer_bytes;
use super::super::program::*;

/// Captures of up to so many bytes are kept on the stack of the kernel's program as a whole, if values are read from them.
const SMALL_CAPTURE: u32 = 64;
/// How many things that may fail a part can tell apart: bits of a register.
const FAILURE_BITS: u32 = 64;

/// The bytes of a capture that are kept on the stack of the kernel's program, where values are read from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OnStack {
    /// The first byte, a multiple of eight.
    pub first: u32,
    pub extent: Extent,
    /// Whether that is all of the capture.
    pub whole: bool,
    /// The bit that says that it failed.
    pub failure: u64,
}

impl OnStack {
    /// The bytes of its buffer.
    pub fn buffer(self) -> u32 {
        buffer_bytes(self.extent).next_multiple_of(8)
    }
}

/// A part, looked through.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// For each step, and one more for what is saved at the end: the values to compute before it, in order.
    pub compute: Vec<Vec<ValueId>>,
    /// For each value, the last step that needs it.
    pub last: Vec<usize>,
    /// For each value, the bits of what it depends on.
    pub failures: Vec<u64>,
    /// For each value, the bit that is its own.
    pub own: Vec<u64>,
    /// For each step that captures, what it keeps on the stack.
    pub on_stack: Vec<Option<OnStack>>,
    /// For each step that looks up, the bit that says that nothing was found.
    pub not_found: Vec<u64>,
    /// For each capture of the entry part, the bit that says that it failed there.
    pub entry_failures: Vec<u64>,
}

/// What a return part knows of its entry part: which saved values may have failed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SavedFailures<'a> {
    pub values: &'a [bool],
    pub captures: usize,
}

impl Schedule {
    /// Looks through a part; `saved` and `saved_captures` are what it saves at its end.
    pub fn new(
        part: &Part,
        saved: &[ValueId],
        saved_captures: &[StepId],
        entry: SavedFailures<'_>,
    ) -> Result<Schedule, PlanError> {
        let (values, steps) = (part.values.len(), part.steps.len());
        let mut schedule = Schedule {
            compute: vec![Vec::new(); steps + 1],
            last: vec![0; values],
            failures: vec![0; values],
            own: vec![0; values],
            on_stack: vec![None; steps],
            not_found: vec![0; steps],
            entry_failures: vec![0; entry.captures],
        };
        let used = used_values(part, saved, saved_captures);
        let mut bits = Bits::default();
        schedule.place_captures(part, &used, &mut bits)?;
        schedule.find_failures(part, &used, entry, &mut bits)?;
        let mut first = vec![None; values];
        for (number, step) in part.steps.iter().enumerate() {
            // Captures that are made where they go to a record have their addresses computed here, so that what these are made of is
            // not needed at the same time.
            let mut needed = step.values();
            if let Step::Emit(emit) = step {
                schedule.add_addresses(part, &emit.captures, &mut needed);
            }
            schedule.need(part, number, needed, &mut first);
        }
        let mut needed = saved.to_vec();
        schedule.add_addresses(part, saved_captures, &mut needed);
        schedule.need(part, steps, needed, &mut first);
        Ok(schedule)
    }

    /// The bits of what a value depends on.
    pub fn failures_of(&self, value: ValueId) -> u64 {
        self.failures.get(index(value.0)).copied().unwrap_or(0)
    }

    /// What of a capture is kept on the stack.
    pub fn kept(&self, step: StepId) -> Option<OnStack> {
        self.on_stack.get(index(step.0)).copied().flatten()
    }

    /// The addresses of captures that are made when they are sent or saved.
    fn add_addresses(&self, part: &Part, captures: &[StepId], needed: &mut Vec<ValueId>) {
        for &step in captures {
            if self.kept(step).is_some_and(|kept| kept.whole) {
                continue;
            }
            if let Some(Step::Capture { address, extent }) = part.steps.get(index(step.0)) {
                needed.push(*address);
                needed.extend(extent.length());
            }
        }
    }

    /// Notes that a step needs values; what they are made of is computed with them, if it is not known yet.
    fn need(
        &mut self,
        part: &Part,
        step: usize,
        needed: Vec<ValueId>,
        first: &mut [Option<usize>],
    ) {
        let mut fresh = Vec::new();
        let mut pending = needed;
        while let Some(value) = pending.pop() {
            if let Some(last) = self.last.get_mut(index(value.0)) {
                *last = step;
            }
            let Some(first) = first.get_mut(index(value.0)) else {
                continue;
            };
            if first.is_some() {
                // One that is not kept is made anew, of what it was made of.
                let value = part.values.get(index(value.0));
                pending.extend(value.and_then(|value| Some(distance(part, value)?.0)));
                continue;
            }
            *first = Some(step);
            fresh.push(value);
            pending.extend(operands(part, value));
        }
        // A value refers to earlier ones alone, so their order is one in which they can be computed.
        fresh.sort_unstable();
        if let Some(compute) = self.compute.get_mut(step) {
            *compute = fresh;
        }
    }

    fn place_captures(
        &mut self,
        part: &Part,
        used: &[bool],
        bits: &mut Bits,
    ) -> Result<(), PlanError> {
        for (number, step) in part.steps.iter().enumerate() {
            let Step::Capture { extent, .. } = step else {
                continue;
            };
            let Some(place) = self.on_stack.get_mut(number) else {
                continue;
            };
            let Some((first, end, length)) = read_range(part, used, number) else {
                continue;
            };
            let whole = length || extent.bytes() <= SMALL_CAPTURE;
            let (first, kept) = match (whole, *extent) {
                (true, extent) => (0, extent),
                (false, Extent::Bytes(bytes)) => {
                    let first = first / 8 * 8;
                    let end = end.next_multiple_of(8).min(bytes);
                    (first, Extent::Bytes(end.saturating_sub(first)))
                }
                // Nothing is read from these.
                (false, extent @ Extent::UpTo { .. }) => (0, extent),
                (false, Extent::String { .. }) => (0, Extent::String { max: end }),
            };
            *place = Some(OnStack {
                first,
                extent: kept,
                whole,
                failure: bits.next()?,
            });
        }
        Ok(())
    }

    fn find_failures(
        &mut self,
        part: &Part,
        used: &[bool],
        entry: SavedFailures<'_>,
        bits: &mut Bits,
    ) -> Result<(), PlanError> {
        for (number, value) in part.values.iter().enumerate() {
            if !used.get(number).copied().unwrap_or(false) {
                continue;
            }
            let mut own = 0;
            let failures = match *value {
                Value::Slot { capture, .. } | Value::Length(capture) => {
                    self.kept(capture).map_or(0, |kept| kept.failure)
                }
                Value::Found(step) => match self.not_found.get_mut(index(step.0)) {
                    Some(bit) => {
                        if *bit == 0 {
                            *bit = bits.next()?;
                        }
                        *bit
                    }
                    None => 0,
                },
                Value::Entry(place) => {
                    if entry.values.get(index(place)).copied().unwrap_or(false) {
                        own = bits.next()?;
                    }
                    own
                }
                Value::EntrySlot { capture, .. } => {
                    match self.entry_failures.get_mut(index(capture)) {
                        Some(bit) => {
                            if *bit == 0 {
                                *bit = bits.next()?;
                            }
                            *bit
                        }
                        None => 0,
                    }
                }
                Value::Unary(_, a) => self.failures_of(a),
                Value::Binary(operation, a, b) => {
                    if divides(operation) && !is_constant_but_0(part, b) {
                        own = bits.next()?;
                    }
                    own | self.failures_of(a) | self.failures_of(b)
                }
                Value::Select {
                    condition,
                    then,
                    otherwise,
                } => {
                    let (then, otherwise) = (self.failures_of(then), self.failures_of(otherwise));
                    if then == 0 && otherwise == 0 {
                        self.failures_of(condition)
                    } else {
                        own = bits.next()?;
                        own
                    }
                }
                Value::Constant(_)
                | Value::Register(_)
                | Value::Tid
                | Value::Pid
                | Value::Time
                | Value::Cpu
                | Value::Cookie
                | Value::Setting(_)
                | Value::FaultAddress
                | Value::ExitStatus
                | Value::Weight(_)
                | Value::Lost(_)
                | Value::Failed(_) => 0,
            };
            if let (Some(to), Some(to_own)) =
                (self.failures.get_mut(number), self.own.get_mut(number))
            {
                (*to, *to_own) = (failures, own);
            }
        }
        Ok(())
    }
}

/// Of a value that is another one and a constant, which one, and the constant. It is added where it is needed, which takes no room: so fields of one
/// structure, and captures of these, take that of the structure's address alone.
pub(super) fn distance(part: &Part, value: &Value) -> Option<(ValueId, i32)> {
    let constant = |value: ValueId| match part.values.get(index(value.0)) {
        Some(Value::Constant(number)) => i32::try_from(number.cast_signed()).ok(),
        _ => None,
    };
    match value {
        Value::Binary(BinaryOperation::Add, base, added) => match constant(*added) {
            Some(added) => Some((*base, added)),
            None => Some((*added, constant(*base)?)),
        },
        _ => None,
    }
}

/// Whether an operation fails if its second value is 0.
pub(super) fn divides(operation: BinaryOperation) -> bool {
    matches!(
        operation,
        BinaryOperation::DivideUnsigned
            | BinaryOperation::DivideSigned
            | BinaryOperation::RemainderUnsigned
            | BinaryOperation::RemainderSigned
    )
}

fn is_constant_but_0(part: &Part, value: ValueId) -> bool {
    matches!(part.values.get(index(value.0)), Some(Value::Constant(number)) if *number != 0)
}

/// Hands out the bits.
#[derive(Debug, Default)]
struct Bits(u32);

impl Bits {
    fn next(&mut self) -> Result<u64, PlanError> {
        let bit = 1u64.checked_shl(self.0);
        self.0 = self.0.saturating_add(1);
        bit.ok_or(PlanError::Range {
            what: "values of a part that may fail",
            number: u64::from(self.0),
            least: 0,
            most: u64::from(FAILURE_BITS),
        })
    }
}

/// The values that a value is made of.
fn operands(part: &Part, value: ValueId) -> Vec<ValueId> {
    match part.values.get(index(value.0)) {
        Some(Value::Failed(a) | Value::Unary(_, a)) => vec![*a],
        Some(Value::Binary(_, a, b)) => vec![*a, *b],
        Some(Value::Select {
            condition,
            then,
            otherwise,
        }) => vec![*condition, *then, *otherwise],
        _ => Vec::new(),
    }
}

/// The values that anything is made of in the end.
fn used_values(part: &Part, saved: &[ValueId], saved_captures: &[StepId]) -> Vec<bool> {
    let mut used = vec![false; part.values.len()];
    let mut pending = saved.to_vec();
    let mut wanted = vec![false; part.steps.len()];
    for step in &part.steps {
        match step {
            Step::Capture { .. } => {}
            Step::Emit(emit) => {
                pending.extend(&emit.values);
                for capture in &emit.captures {
                    if let Some(wanted) = wanted.get_mut(index(capture.0)) {
                        *wanted = true;
                    }
                }
            }
            _ => pending.extend(step.values()),
        }
    }
    for capture in saved_captures {
        if let Some(wanted) = wanted.get_mut(index(capture.0)) {
            *wanted = true;
        }
    }
    // Where a capture is, and of how many bytes.
    let place = |step: usize| match part.steps.get(step) {
        Some(Step::Capture { address, extent }) => vec![Some(*address), extent.length()],
        _ => Vec::new(),
    };
    let wanted = wanted.iter().enumerate().filter(|(_, wanted)| **wanted);
    pending.extend(wanted.flat_map(|(step, _)| place(step)).flatten());
    while let Some(value) = pending.pop() {
        match used.get_mut(index(value.0)) {
            Some(used) if !*used => *used = true,
            _ => continue,
        }
        pending.extend(operands(part, value));
        if let Some(Value::Slot { capture, .. } | Value::Length(capture)) =
            part.values.get(index(value.0))
        {
            pending.extend(place(index(capture.0)).into_iter().flatten());
        }
    }
    used
}

/// The bytes of a capture that values are read from, and whether its length is; `None` if nothing is.
fn read_range(part: &Part, used: &[bool], step: usize) -> Option<(u32, u32, bool)> {
    let mut range: Option<(u32, u32, bool)> = None;
    for (number, value) in part.values.iter().enumerate() {
        if !used.get(number).copied().unwrap_or(false) {
            continue;
        }
        let (first, end, length) = match *value {
            Value::Slot {
                capture,
                offset,
                width,
                ..
            } if index(capture.0) == step => (offset, offset.saturating_add(width.bytes()), false),
            Value::Length(capture) if index(capture.0) == step => (0, 0, true),
            _ => continue,
        };
        let known = range.unwrap_or((first, end, false));
        range = Some((known.0.min(first), known.1.max(end), known.2 || length));
    }
    range
}
