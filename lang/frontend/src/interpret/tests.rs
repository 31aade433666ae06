//! Budgets, the page cache and arithmetic, on hand-built intermediate representation.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::Interpreter;
use super::arithmetic::{extend, float_to_integer, integer};
use crate::execute::{Budget, Executor, Outcome, STEPS_PER_CHECK};
use crate::ir::{
    Base, Block, BlockId, Class, Function, FunctionId, Instruction, InstructionKind as I,
    IntegerOperator, IntegerType, MemoryType, Place, Program, Register, SpanId, Terminator,
};
use crate::testing::world::{RecordingHost, SparseMemory};
use proptest::prelude::*;
use ytrace_values::{Constants, FaultKind, Limits, Machine, Store};

const PLENTY: Budget<'static> = Budget {
    steps: 1 << 40,
    stack: 1 << 20,
    deadline: None,
    interrupt: None,
};

fn program(registers: usize, blocks: Vec<(Vec<I>, Terminator)>) -> Arc<Program> {
    Arc::new(Program {
        functions: vec![Function {
            name: "f".to_owned(),
            registers: vec![Class::Word; registers],
            parameters: 0,
            result: Some(Class::Word),
            slots: Vec::new(),
            blocks: blocks
                .into_iter()
                .map(|(instructions, terminator)| Block {
                    instructions: instructions
                        .into_iter()
                        .map(|kind| Instruction {
                            kind,
                            span: SpanId(0),
                        })
                        .collect(),
                    terminator,
                    on_fault: None,
                })
                .collect(),
            frame_cost: 100,
            late: false,
        }],
        initialize: FunctionId(0),
        probes: Vec::new(),
        validators: Vec::new(),
        entry_values: Vec::new(),
        global_offsets: Vec::new(),
        view_shapes: Vec::new(),
        constants: Arc::new(Constants::default()),
        spans: vec![crate::source::Span::default()],
        sources: Arc::default(),
    })
}

fn run(program: &Arc<Program>, memory: &mut SparseMemory, budget: Budget<'_>) -> Outcome {
    let limits = Limits {
        memory: 1 << 20,
        output: 1 << 20,
        string: 100,
    };
    let mut store = Store::new(Arc::clone(&program.constants), limits);
    let mut host = RecordingHost::default();
    let mut machine = Machine {
        store: &mut store,
        memory,
        host: &mut host,
    };
    Interpreter::new(Arc::clone(program)).run(FunctionId(0), &mut machine, budget)
}

fn endless() -> Arc<Program> {
    program(
        1,
        vec![
            (vec![I::Step], Terminator::Jump(BlockId(1))),
            (vec![I::Step], Terminator::Jump(BlockId(1))),
        ],
    )
}

fn kind(outcome: &Outcome) -> Option<FaultKind> {
    outcome.result.as_ref().err().map(|fault| fault.fault.kind)
}

#[test]
fn an_endless_loop_ends_with_its_steps() {
    for steps in [0, 1, 2, STEPS_PER_CHECK, STEPS_PER_CHECK + 1] {
        let budget = Budget { steps, ..PLENTY };
        let outcome = run(&endless(), &mut SparseMemory::default(), budget);
        assert_eq!(kind(&outcome), Some(FaultKind::StepsExhausted));
        assert_eq!(outcome.steps, steps);
    }
}

#[test]
fn deadline_and_interrupt_are_looked_at_before_anything_runs() {
    let budget = Budget {
        deadline: Some(Instant::now()),
        ..PLENTY
    };
    let outcome = run(&endless(), &mut SparseMemory::default(), budget);
    assert_eq!(kind(&outcome), Some(FaultKind::TimeExhausted));
    assert_eq!(outcome.steps, 0);
    let interrupt = AtomicBool::new(true);
    let budget = Budget {
        interrupt: Some(&interrupt),
        ..PLENTY
    };
    let outcome = run(&endless(), &mut SparseMemory::default(), budget);
    assert_eq!(kind(&outcome), Some(FaultKind::Interrupted));
}

#[test]
fn a_deadline_ends_an_endless_loop() {
    let budget = Budget {
        deadline: Some(Instant::now() + std::time::Duration::from_millis(20)),
        ..PLENTY
    };
    let outcome = run(&endless(), &mut SparseMemory::default(), budget);
    assert_eq!(kind(&outcome), Some(FaultKind::TimeExhausted));
    assert_eq!(outcome.steps % STEPS_PER_CHECK, 0);
}

#[test]
fn a_function_that_does_not_fit_the_stack_does_not_start() {
    let budget = Budget {
        stack: 99,
        ..PLENTY
    };
    let outcome = run(&endless(), &mut SparseMemory::default(), budget);
    assert_eq!(kind(&outcome), Some(FaultKind::StackTooDeep));
    assert_eq!(outcome.steps, 0);
}

#[test]
fn a_page_is_asked_for_once() {
    let load = |to: u32, offset: i64| I::Load {
        to: Register(to),
        place: Place {
            base: Base::Target(Register(0)),
            offset,
            index: None,
        },
        ty: MemoryType::W64,
    };
    let program = program(
        3,
        vec![(
            vec![
                I::Step,
                I::Constant {
                    to: Register(0),
                    value: 0x1000,
                },
                load(1, 0),
                load(1, 8),
                load(2, 16),
            ],
            Terminator::Return(Some(Register(2))),
        )],
    );
    let mut memory = SparseMemory::default();
    memory.write(0x1010, &7_u64.to_le_bytes());
    let outcome = run(&program, &mut memory, PLENTY);
    assert_eq!(outcome.result, Ok(7));
    assert_eq!(memory.requests, 1);
}

#[test]
fn addresses_wrap_around() {
    // The last bytes of the address space, then the first ones.
    let program = program(
        2,
        vec![(
            vec![
                I::Step,
                I::Constant {
                    to: Register(0),
                    value: u64::MAX - 3,
                },
                I::Load {
                    to: Register(1),
                    place: Place {
                        base: Base::Target(Register(0)),
                        offset: 0,
                        index: None,
                    },
                    ty: MemoryType::W64,
                },
            ],
            Terminator::Return(Some(Register(1))),
        )],
    );
    let mut memory = SparseMemory::default();
    memory.write(u64::MAX - 3, &[1, 2, 3, 4, 5, 6, 7, 8]);
    let outcome = run(&program, &mut memory, PLENTY);
    assert_eq!(outcome.result, Ok(0x0807_0605_0403_0201));
}

#[test]
fn malformed_programs_end_in_internal_faults() {
    let nowhere = program(1, vec![(vec![I::Step], Terminator::Jump(BlockId(7)))]);
    let outcome = run(&nowhere, &mut SparseMemory::default(), PLENTY);
    assert_eq!(kind(&outcome), Some(FaultKind::Internal));
    let outside = program(
        1,
        vec![(
            vec![I::Load {
                to: Register(0),
                place: Place {
                    base: Base::Globals,
                    offset: -8,
                    index: None,
                },
                ty: MemoryType::W64,
            }],
            Terminator::Return(None),
        )],
    );
    let outcome = run(&outside, &mut SparseMemory::default(), PLENTY);
    assert_eq!(kind(&outcome), Some(FaultKind::Internal));
}

/// The same operation on 128-bit integers, cut to the type: a second opinion.
fn wide(operator: IntegerOperator, ty: IntegerType, left: u64, right: u64) -> Option<u64> {
    let value = |word: u64| {
        if ty.signed {
            i128::from(word as i64)
        } else {
            i128::from(word)
        }
    };
    let (left, right) = (value(left), value(right));
    let bits = i128::from(ty.size) * 8;
    let result = match operator {
        IntegerOperator::Add => left + right,
        IntegerOperator::Subtract => left - right,
        IntegerOperator::Multiply => left.wrapping_mul(right),
        IntegerOperator::Divide if right == 0 => return None,
        IntegerOperator::Divide => left / right,
        IntegerOperator::Remainder if right == 0 => return None,
        IntegerOperator::Remainder => left % right,
        IntegerOperator::And => left & right,
        IntegerOperator::Or => left | right,
        IntegerOperator::Xor => left ^ right,
        IntegerOperator::ShiftLeft | IntegerOperator::ShiftRight if !(0..bits).contains(&right) => {
            return None;
        }
        IntegerOperator::ShiftLeft => left << right,
        IntegerOperator::ShiftRight => left >> right,
    };
    Some(extend(result as u64, ty))
}

fn operators() -> impl Strategy<Value = IntegerOperator> {
    use IntegerOperator as O;
    prop::sample::select(vec![
        O::Add,
        O::Subtract,
        O::Multiply,
        O::Divide,
        O::Remainder,
        O::And,
        O::Or,
        O::Xor,
        O::ShiftLeft,
        O::ShiftRight,
    ])
}

fn words() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0_u64..70,
        (0_u64..70).prop_map(u64::wrapping_neg),
        (0_u32..64).prop_map(|bit| 1 << bit),
        (0_u32..64).prop_map(|bit| (1_u64 << bit).wrapping_neg()),
    ]
}

proptest! {
    #[test]
    fn integers_are_those_of_wider_arithmetic(
        operator in operators(),
        size in prop::sample::select(vec![1_u8, 2, 4, 8]),
        signed: bool,
        left in words(),
        right in words(),
    ) {
        let ty = IntegerType { size, signed };
        let (left, right) = (extend(left, ty), extend(right, ty));
        let expected = wide(operator, ty, left, right);
        prop_assert_eq!(integer(operator, ty, left, right).ok(), expected);
    }

    #[test]
    fn floats_become_integers_only_where_they_fit(
        value in prop_oneof![any::<f64>(), -1e20..1e20, -300.0..300.0],
        size in prop::sample::select(vec![1_u8, 2, 4, 8]),
        signed: bool,
    ) {
        let ty = IntegerType { size, signed };
        let bits = u32::from(size) * 8;
        let (least, greatest) = if signed {
            (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
        } else {
            (0, (1_i128 << bits) - 1)
        };
        // The conversion to 128 bits saturates.
        let whole = value.trunc() as i128;
        let expected = (value.is_finite() && (least..=greatest).contains(&whole))
            .then(|| extend(whole as u64, ty));
        prop_assert_eq!(float_to_integer(value, ty).ok(), expected);
    }
}
