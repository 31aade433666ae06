//! What a plan needs of samples, and whether they can have it.

use super::super::check::index;
use super::super::error::PlanError;
use super::super::facilities::EventDenial;
use super::super::perf::Shape;
use super::super::program::*;

/// The most bytes of stack that a sample has: less than 64 KiB, in words of 8.
const MOST_STACK: u32 = MAX_STACK - 8;

/// What a part needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    pub shape: Shape,
    /// Of the stack so much at least: what is captured from it.
    pub least_stack: u32,
    /// Of a stack that is unwound, so much is expected.
    pub expected_stack: u32,
}

/// Finds what a part needs. `bpf` says why there is nothing that could do more.
///
/// # Errors
/// It needs what no sample has.
pub(super) fn of(part: &Part, bpf: &EventDenial) -> Result<Needs, PlanError> {
    let refuse = |what| PlanError::NotSampled {
        what,
        bpf: bpf.to_string(),
    };
    let mut needs = Needs::default();
    for value in &part.values {
        match value {
            Value::Register(Register::FsBase) => return Err(refuse("the thread pointer")),
            Value::ExitStatus => return Err(refuse("the status of a thread that ends")),
            Value::Register(_) => needs.shape.registers = true,
            Value::FaultAddress => needs.shape.address = true,
            _ => {}
        }
    }
    for step in &part.steps {
        match step {
            Step::Capture { address, extent } => {
                let end = match extent {
                    Extent::Bytes(bytes) => end_on_stack(part, *address, *bytes),
                    Extent::UpTo { .. } | Extent::String { .. } => None,
                };
                let end = end.ok_or_else(|| refuse("memory that is not right above the stack pointer, such as what a pointer leads to, or a string,"))?;
                needs.shape.registers = true;
                needs.least_stack = needs.least_stack.max(end);
            }
            Step::Emit(emit) => {
                if emit.registers.contains(Register::FsBase) {
                    return Err(refuse("the thread pointer"));
                }
                needs.shape.registers |= !emit.registers.is_empty() || emit.stack_bytes > 0;
                let stack = emit.stack_bytes.min(MOST_STACK);
                match emit.stack_expected {
                    0 => needs.least_stack = needs.least_stack.max(stack),
                    expected => needs.expected_stack = expected.min(stack),
                }
            }
            _ => {}
        }
    }
    Ok(needs)
}

/// Where bytes at an address end, counted from the stack pointer upwards; `None` where that is not known to be on the stack.
fn end_on_stack(part: &Part, address: ValueId, bytes: u32) -> Option<u32> {
    let first = u32::try_from(above_stack_pointer(part, address)?).ok()?;
    let end = first.checked_add(bytes)?.checked_next_multiple_of(8)?;
    (end <= MOST_STACK).then_some(end)
}

/// How far above the stack pointer an address is.
fn above_stack_pointer(part: &Part, mut value: ValueId) -> Option<i64> {
    let constant = |value: ValueId| match part.values.get(index(value.0)) {
        Some(Value::Constant(number)) => Some(*number as i64),
        _ => None,
    };
    let mut distance = 0_i64;
    // Each value refers to earlier ones alone.
    loop {
        let (next, more) = match part.values.get(index(value.0))? {
            Value::Register(Register::Rsp) => return Some(distance),
            Value::Binary(BinaryOperation::Add, a, b) => match (constant(*a), constant(*b)) {
                (_, Some(more)) => (*a, more),
                (Some(more), None) => (*b, more),
                (None, None) => return None,
            },
            Value::Binary(BinaryOperation::Subtract, a, b) => (*a, constant(*b)?.checked_neg()?),
            _ => return None,
        };
        if next >= value {
            return None;
        }
        distance = distance.checked_add(more)?;
        value = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(part: &mut Part, address: ValueId, extent: Extent) {
        part.step(Step::Capture { address, extent });
    }

    #[test]
    fn what_is_on_the_stack_can_be_had_and_nothing_else() {
        let mut part = Part::default();
        let pointer = part.value(Value::Register(Register::Rsp));
        let distance = part.value(Value::Constant(16));
        let address = part.value(Value::Binary(BinaryOperation::Add, pointer, distance));
        captured(&mut part, address, Extent::Bytes(4));
        let needs = of(&part, &EventDenial::Seccomp).unwrap();
        assert_eq!((needs.least_stack, needs.shape.registers), (24, true));
        let refused = |change: &dyn Fn(&mut Part)| {
            let mut other = part.clone();
            change(&mut other);
            let error = of(&other, &EventDenial::Seccomp).unwrap_err().to_string();
            assert!(error.contains("BPF") && error.contains("--sync"), "{error}");
        };
        refused(&|part| captured(part, address, Extent::String { max: 8 }));
        refused(&|part| captured(part, address, Extent::Bytes(MAX_STACK)));
        refused(&|part| {
            let below = part.value(Value::Binary(BinaryOperation::Subtract, pointer, distance));
            captured(part, below, Extent::Bytes(8));
        });
        refused(&|part| {
            let other = part.value(Value::Register(Register::Rdi));
            captured(part, other, Extent::Bytes(8));
        });
        for value in [Value::Register(Register::FsBase), Value::ExitStatus] {
            refused(&|part| {
                part.value(value);
            });
        }
    }
}
