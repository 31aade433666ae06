//! Each instruction on its own, against results worked out here.

mod common;

use common::{Builder, FakeMemory, PAGE, budget, run};
use ytrace_lang::execute::{Budget, Outcome};
use ytrace_lang::ir::{
    Base, BlockId, Class, Comparison, FloatOperator, FunctionId, InstructionKind as I,
    IntegerOperator, IntegerType, MemoryType, Place, Register, SlotId, SpanId, Terminator,
};
use ytrace_values::FaultKind;

const ENTRY: BlockId = BlockId(0);

/// Runs one block that computes a word.
fn word(build: impl FnOnce(&mut Builder) -> Register) -> Outcome {
    let mut builder = Builder::new("main", &[], Some(Class::Word));
    let result = build(&mut builder);
    builder.end(ENTRY, Terminator::Return(Some(result)));
    run(vec![builder.function], &mut FakeMemory::default(), budget())
}

fn integer(operator: IntegerOperator, ty: IntegerType, left: u64, right: u64) -> Outcome {
    // Once with the right operand known while compiling, once not; both must agree.
    let known = word(|b| {
        let (left, right) = (b.constant(ENTRY, left), b.constant(ENTRY, right));
        b.integer(ENTRY, operator, ty, left, right)
    });
    let mut callee = Builder::new("operate", &[Class::Word, Class::Word], Some(Class::Word));
    let to = callee.integer(ENTRY, operator, ty, Register(0), Register(1));
    callee.end(ENTRY, Terminator::Return(Some(to)));
    let mut main = Builder::new("main", &[], Some(Class::Word));
    let (left, right, to) = (
        main.constant(ENTRY, left),
        main.constant(ENTRY, right),
        main.word(),
    );
    main.push(
        ENTRY,
        I::Call {
            function: FunctionId(1),
            arguments: vec![left, right],
            to: Some(to),
        },
    );
    main.end(ENTRY, Terminator::Return(Some(to)));
    let called = run(
        vec![main.function, callee.function],
        &mut FakeMemory::default(),
        budget(),
    );
    let kind = |outcome: &Outcome| outcome.result.clone().map_err(|fault| fault.fault.kind);
    assert_eq!(kind(&known), kind(&called), "{operator:?} {ty:?}");
    known
}

/// Extends the low bytes of a word as a type says.
fn extend(ty: IntegerType, value: i128) -> u64 {
    match (ty.size, ty.signed) {
        (1, true) => value as i8 as u64,
        (2, true) => value as i16 as u64,
        (4, true) => value as i32 as u64,
        (1, false) => value as u8 as u64,
        (2, false) => value as u16 as u64,
        (4, false) => value as u32 as u64,
        _ => value as u64,
    }
}

const TYPES: [IntegerType; 8] = {
    let mut types = [IntegerType {
        size: 1,
        signed: false,
    }; 8];
    let mut index = 0;
    while index < 8 {
        types[index] = IntegerType {
            size: 1 << (index / 2),
            signed: index % 2 == 1,
        };
        index += 1;
    }
    types
};

fn samples(ty: IntegerType) -> Vec<u64> {
    let bits = u32::from(ty.size) * 8;
    let mut samples: Vec<u64> = [0, 1, 2, 3, 7, 63, 64, -1, -2, -7]
        .into_iter()
        .chain([1_i128 << (bits - 1), (1_i128 << (bits - 1)) - 1])
        .map(|value| extend(ty, value))
        .collect();
    samples.sort_unstable();
    samples.dedup();
    samples
}

#[test]
fn integers_wrap_and_fault_as_the_language_says() {
    use IntegerOperator as O;
    for ty in TYPES {
        let wide = |word: u64| -> i128 {
            if ty.signed {
                i128::from(word as i64)
            } else {
                i128::from(word)
            }
        };
        for &left in &samples(ty) {
            for &right in &[samples(ty), vec![8, 16, 32]].concat() {
                let right = extend(ty, i128::from(right));
                let (l, r) = (wide(left), wide(right));
                let shift_fits = (0..i128::from(ty.size) * 8).contains(&r);
                for operator in [
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
                ] {
                    let expected = match operator {
                        O::Add => Ok(l + r),
                        O::Subtract => Ok(l - r),
                        O::Multiply => Ok(l.wrapping_mul(r)),
                        O::Divide | O::Remainder if r == 0 => Err(FaultKind::DivisionByZero),
                        O::Divide => Ok(l / r),
                        O::Remainder => Ok(l % r),
                        O::And => Ok(l & r),
                        O::Or => Ok(l | r),
                        O::Xor => Ok(l ^ r),
                        O::ShiftLeft | O::ShiftRight if !shift_fits => Err(FaultKind::ShiftRange),
                        O::ShiftLeft => Ok(l << r),
                        O::ShiftRight => Ok(l >> r),
                    };
                    // A sample of the full product keeps the test short.
                    if !(left ^ right.rotate_left(3) ^ operator as u64).is_multiple_of(3)
                        && !matches!(operator, O::Divide | O::Remainder)
                    {
                        continue;
                    }
                    let outcome = integer(operator, ty, left, right);
                    assert_eq!(
                        outcome.result.map_err(|fault| fault.fault.kind),
                        expected.map(|value| extend(ty, value)),
                        "{operator:?} {ty:?} {left:#x} {right:#x}"
                    );
                }
            }
        }
    }
}

#[test]
fn comparisons_look_at_whole_words() {
    use Comparison as C;
    for (comparison, signed, left, right, expected) in [
        (C::Less, true, u64::MAX, 0, 1),
        (C::Less, false, u64::MAX, 0, 0),
        (C::Greater, false, u64::MAX, 0, 1),
        (C::Equal, true, 5, 5, 1),
        (C::NotEqual, true, 5, 5, 0),
        (C::LessEqual, false, 5, 5, 1),
        (C::GreaterEqual, true, 5, 6, 0),
    ] {
        let outcome = word(|b| {
            let (left, right, to) = (b.constant(ENTRY, left), b.constant(ENTRY, right), b.word());
            b.push(
                ENTRY,
                I::CompareIntegers {
                    comparison,
                    signed,
                    to,
                    left,
                    right,
                },
            );
            to
        });
        assert_eq!(outcome.result, Ok(expected));
    }
}

fn float(b: &mut Builder, value: f64) -> Register {
    let to = b.register(Class::Float64);
    b.push(
        ENTRY,
        I::Constant {
            to,
            value: value.to_bits(),
        },
    );
    to
}

#[test]
fn floats_follow_ieee_754() {
    for (comparison, left, right, expected) in [
        (Comparison::Less, 1.0, 2.0, 1),
        (Comparison::Less, f64::NAN, 2.0, 0),
        (Comparison::GreaterEqual, f64::NAN, 2.0, 0),
        (Comparison::NotEqual, f64::NAN, f64::NAN, 1),
        (Comparison::Equal, f64::NAN, f64::NAN, 0),
        (Comparison::Equal, 0.0, -0.0, 1),
    ] {
        let outcome = word(|b| {
            let (left, right, to) = (float(b, left), float(b, right), b.word());
            b.push(
                ENTRY,
                I::CompareFloats {
                    comparison,
                    to,
                    left,
                    right,
                },
            );
            to
        });
        assert_eq!(
            outcome.result,
            Ok(expected),
            "{comparison:?} {left} {right}"
        );
    }
    let outcome = word(|b| {
        let (left, right) = (float(b, 1.5), float(b, 0.25));
        let (sum, to) = (b.register(Class::Float64), b.word());
        b.push(
            ENTRY,
            I::Float {
                operator: FloatOperator::Divide,
                to: sum,
                left,
                right,
            },
        );
        b.push(ENTRY, I::FloatNegate { to: sum, from: sum });
        b.push(ENTRY, I::FloatToBits { to, from: sum });
        to
    });
    assert_eq!(outcome.result, Ok((-6.0_f64).to_bits()));
}

#[test]
fn float_to_integer_faults_exactly_outside_of_the_range() {
    for ty in TYPES {
        let bits = i32::from(ty.size) * 8;
        let (low, high) = if ty.signed {
            (-(2_f64.powi(bits - 1)), 2_f64.powi(bits - 1))
        } else {
            (0.0, 2_f64.powi(bits))
        };
        for value in [
            0.0,
            -0.0,
            -0.99,
            -1.0,
            low,
            low.next_down(),
            low - 0.5,
            low - 1.0,
            high,
            high.next_down(),
            high - 0.5,
            high - 1.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            1e300,
        ] {
            let outcome = word(|b| {
                let (from, to) = (float(b, value), b.word());
                b.push(ENTRY, I::FloatToInteger { ty, to, from });
                to
            });
            let whole = value.trunc();
            let expected = if whole >= low && whole < high {
                Ok(extend(ty, whole as i128))
            } else {
                Err(FaultKind::FloatRange)
            };
            assert_eq!(
                outcome.result.map_err(|fault| fault.fault.kind),
                expected,
                "{ty:?} {value:e}"
            );
        }
    }
}

#[test]
fn conversions_round_to_nearest() {
    for value in [0, 1, u64::MAX, 1 << 63, (1 << 53) + 1, u64::MAX << 10] {
        for signed in [false, true] {
            let wide = word(|b| {
                let from = b.constant(ENTRY, value);
                let (float, to) = (b.register(Class::Float64), b.word());
                b.push(
                    ENTRY,
                    I::IntegerToFloat {
                        signed,
                        to: float,
                        from,
                    },
                );
                b.push(ENTRY, I::FloatToBits { to, from: float });
                to
            });
            let narrow = word(|b| {
                let from = b.constant(ENTRY, value);
                let (float, to) = (b.register(Class::Float32), b.word());
                b.push(
                    ENTRY,
                    I::IntegerToFloat {
                        signed,
                        to: float,
                        from,
                    },
                );
                b.push(ENTRY, I::FloatToBits { to, from: float });
                to
            });
            let (expected_wide, expected_narrow) = if signed {
                (value as i64 as f64, value as i64 as f32)
            } else {
                (value as f64, value as f32)
            };
            assert_eq!(wide.result, Ok(expected_wide.to_bits()));
            assert_eq!(narrow.result, Ok(f64::from(expected_narrow).to_bits()));
        }
    }
}

fn load(memory: &mut FakeMemory, address: u64, ty: MemoryType) -> Outcome {
    let mut b = Builder::new("main", &[], Some(Class::Word));
    let (base, to) = (b.constant(ENTRY, address), b.word());
    let place = Place {
        base: Base::Target(base),
        offset: 0,
        index: None,
    };
    b.push(ENTRY, I::Load { to, place, ty });
    // A second time, from the cache.
    b.push(ENTRY, I::Load { to, place, ty });
    b.end(ENTRY, Terminator::Return(Some(to)));
    run(vec![b.function], memory, budget())
}

#[test]
fn loads_of_the_target_extend_and_cross_pages() {
    let bytes: Vec<u8> = (0..3 * PAGE).map(|at| (at * 7 + 129) as u8).collect();
    let mut memory = FakeMemory::default();
    memory.map(PAGE, &bytes);
    let at = |address: u64| &bytes[(address - PAGE) as usize..];
    for address in [
        PAGE,
        PAGE + 1,
        2 * PAGE - 1,
        2 * PAGE - 4,
        2 * PAGE - 8,
        3 * PAGE - 3,
    ] {
        let word = u64::from_le_bytes(at(address)[..8].try_into().unwrap());
        for (ty, expected) in [
            (MemoryType::U8, word as u8 as u64),
            (MemoryType::I8, word as i8 as u64),
            (MemoryType::U16, word as u16 as u64),
            (MemoryType::I16, word as i16 as u64),
            (MemoryType::U32, word as u32 as u64),
            (MemoryType::I32, word as i32 as u64),
            (MemoryType::W64, word),
        ] {
            assert_eq!(
                load(&mut memory, address, ty).result,
                Ok(expected),
                "{address:#x} {ty:?}"
            );
        }
    }
}

#[test]
fn a_fault_names_the_first_byte_that_cannot_be_read() {
    let mut memory = FakeMemory::default();
    memory.map(PAGE, &[1; PAGE as usize]);
    for (address, first) in [
        (0, 0),
        (PAGE - 8, PAGE - 8),
        (PAGE - 1, PAGE - 1),
        (2 * PAGE - 4, 2 * PAGE),
        (2 * PAGE, 2 * PAGE),
        (2 * PAGE + 3, 2 * PAGE + 3),
        (u64::MAX, u64::MAX),
        (u64::MAX - 7, u64::MAX - 7),
    ] {
        let fault = load(&mut memory, address, MemoryType::W64)
            .result
            .unwrap_err();
        assert_eq!(fault.fault.kind, FaultKind::Unmapped);
        assert_eq!(fault.fault.address, Some(first), "{address:#x}");
        assert_eq!(fault.span, SpanId(1));
        assert_eq!(fault.chain, [(FunctionId(0), SpanId(1))]);
    }
}

#[test]
fn slots_hold_records_and_start_as_zeros() {
    let mut memory = FakeMemory::default();
    let bytes: Vec<u8> = (0..2 * PAGE).map(|at| at as u8).collect();
    memory.map(PAGE, &bytes);
    for (start, length) in [
        (PAGE + 3, 40),
        (2 * PAGE - 8, 40),
        (PAGE, 200),
        (2 * PAGE - 1, 2),
    ] {
        let mut b = Builder::new("main", &[], Some(Class::Word));
        b.function.slots = vec![256, 256];
        let (address, sum, part, index) = (
            b.constant(ENTRY, start),
            b.word(),
            b.word(),
            b.constant(ENTRY, 0),
        );
        let slot = |slot, offset, index| Place {
            base: Base::Slot(SlotId(slot)),
            offset,
            index,
        };
        b.push(
            ENTRY,
            I::CopyBytes {
                to: slot(0, 8, None),
                from: Place {
                    base: Base::Target(address),
                    offset: 0,
                    index: None,
                },
                length,
            },
        );
        b.push(
            ENTRY,
            I::CopyBytes {
                to: slot(1, 0, None),
                from: slot(0, 8, None),
                length,
            },
        );
        // Sums all bytes of both slots.
        let (head, next, done) = (b.block(), b.block(), b.block());
        b.end(ENTRY, Terminator::Jump(head));
        b.push(head, I::Step);
        let (limit, less, one) = (b.constant(head, 256), b.word(), b.constant(head, 1));
        b.push(
            head,
            I::CompareIntegers {
                comparison: Comparison::Less,
                signed: false,
                to: less,
                left: index,
                right: limit,
            },
        );
        b.end(
            head,
            Terminator::Branch {
                condition: less,
                then: next,
                otherwise: done,
            },
        );
        let word = IntegerType {
            size: 8,
            signed: false,
        };
        b.push(next, I::BoundsCheck { index, length: 256 });
        for number in [0, 1] {
            b.push(
                next,
                I::Load {
                    to: part,
                    place: slot(number, 0, Some(index)),
                    ty: MemoryType::U8,
                },
            );
            b.push(
                next,
                I::Integer {
                    operator: IntegerOperator::Add,
                    ty: word,
                    to: sum,
                    left: sum,
                    right: part,
                },
            );
        }
        b.push(
            next,
            I::Integer {
                operator: IntegerOperator::Add,
                ty: word,
                to: index,
                left: index,
                right: one,
            },
        );
        b.end(next, Terminator::Jump(head));
        b.end(done, Terminator::Return(Some(sum)));
        let outcome = run(vec![b.function], &mut memory, budget());
        let range = (start - PAGE) as usize..(start - PAGE + length) as usize;
        let expected: u64 = bytes[range].iter().map(|&byte| u64::from(byte) * 2).sum();
        assert_eq!(outcome.result, Ok(expected));
        assert_eq!(outcome.steps, 257);
    }
}

#[test]
fn an_index_outside_is_a_fault_and_never_an_access() {
    let place = |index| Place {
        base: Base::Slot(SlotId(0)),
        offset: 0,
        index: Some(index),
    };
    let access = |index: u64, checked: bool| {
        word(|b| {
            b.function.slots = vec![16];
            let (index, to) = (b.constant(ENTRY, index), b.word());
            if checked {
                b.push(ENTRY, I::BoundsCheck { index, length: 9 });
            }
            b.push(
                ENTRY,
                I::Load {
                    to,
                    place: place(index),
                    ty: MemoryType::W64,
                },
            );
            to
        })
    };
    assert_eq!(access(8, true).result, Ok(0));
    let fault = access(9, true).result.unwrap_err();
    assert_eq!(fault.fault.kind, FaultKind::IndexOutOfRange);
    // Without the check that the lowering should have made, it is a defect but no access.
    for index in [9, 16, u64::MAX, u64::MAX - 7, 1 << 63] {
        let fault = access(index, false).result.unwrap_err();
        assert_eq!(fault.fault.kind, FaultKind::Internal, "{index:#x}");
    }
}

#[test]
fn a_frame_address_reaches_the_callers_slot_and_no_further() {
    let mut callee = Builder::new("fill", &[Class::Word], None);
    let value = callee.constant(ENTRY, 99);
    callee.push(
        ENTRY,
        I::Store {
            place: Place {
                base: Base::Frame(Register(0)),
                offset: 8,
                index: None,
            },
            from: value,
            ty: MemoryType::W64,
        },
    );
    let mut main = Builder::new("main", &[], Some(Class::Word));
    main.function.slots = vec![16];
    let (address, to) = (main.word(), main.word());
    main.push(
        ENTRY,
        I::SlotAddress {
            to: address,
            slot: SlotId(0),
        },
    );
    main.push(
        ENTRY,
        I::Call {
            function: FunctionId(1),
            arguments: vec![address],
            to: None,
        },
    );
    main.push(
        ENTRY,
        I::Load {
            to,
            place: Place {
                base: Base::Slot(SlotId(0)),
                offset: 8,
                index: None,
            },
            ty: MemoryType::W64,
        },
    );
    main.end(ENTRY, Terminator::Return(Some(to)));
    let mut wild = main.function.clone();
    let functions = vec![main.function, callee.function];
    let outcome = run(functions.clone(), &mut FakeMemory::default(), budget());
    assert_eq!(outcome.result, Ok(99));
    wild.blocks[0].instructions[0].kind = I::Constant {
        to: address,
        value: 0x1000,
    };
    let outcome = run(
        vec![wild, functions[1].clone()],
        &mut FakeMemory::default(),
        budget(),
    );
    let fault = outcome.result.unwrap_err();
    assert_eq!(fault.fault.kind, FaultKind::Internal);
    assert_eq!(
        fault.chain,
        [(FunctionId(1), SpanId(1)), (FunctionId(0), SpanId(1))]
    );
}

#[test]
fn a_block_catches_what_may_be_caught_and_registers_keep_their_values() {
    let mut callee = Builder::new("divide", &[Class::Word], Some(Class::Word));
    let zero = callee.word();
    callee.push(
        ENTRY,
        I::Integer {
            operator: IntegerOperator::Divide,
            ty: IntegerType {
                size: 8,
                signed: true,
            },
            to: zero,
            left: Register(0),
            right: zero,
        },
    );
    callee.end(ENTRY, Terminator::Return(Some(zero)));
    let mut main = Builder::new("main", &[], Some(Class::Word));
    let handler = main.block();
    let kept = main.constant(ENTRY, 5);
    main.push(
        ENTRY,
        I::Call {
            function: FunctionId(1),
            arguments: vec![kept],
            to: Some(kept),
        },
    );
    main.end(ENTRY, Terminator::Return(Some(kept)));
    main.on_fault(ENTRY, handler);
    let one = main.constant(handler, 1);
    main.push(
        handler,
        I::Integer {
            operator: IntegerOperator::Add,
            ty: IntegerType {
                size: 8,
                signed: true,
            },
            to: kept,
            left: kept,
            right: one,
        },
    );
    main.end(handler, Terminator::Return(Some(kept)));
    let outcome = run(
        vec![main.function, callee.function],
        &mut FakeMemory::default(),
        budget(),
    );
    assert_eq!(outcome.result, Ok(6));
}

/// A loop without end.
fn endless() -> ytrace_lang::ir::Function {
    let mut b = Builder::new("main", &[], None);
    b.push(ENTRY, I::Step);
    b.end(ENTRY, Terminator::Jump(ENTRY));
    b.on_fault(ENTRY, ENTRY);
    b.function
}

#[test]
fn steps_run_out_exactly_and_cannot_be_caught() {
    for steps in [0, 1, 65_535, 65_536, 65_537, 200_000] {
        let outcome = run(
            vec![endless()],
            &mut FakeMemory::default(),
            Budget { steps, ..budget() },
        );
        assert_eq!(outcome.steps, steps);
        assert_eq!(
            outcome.result.unwrap_err().fault.kind,
            FaultKind::StepsExhausted
        );
    }
}

#[test]
fn the_deadline_and_the_interrupt_end_a_run() {
    let flag = std::sync::atomic::AtomicBool::new(true);
    let outcome = run(
        vec![endless()],
        &mut FakeMemory::default(),
        Budget {
            interrupt: Some(&flag),
            ..budget()
        },
    );
    assert_eq!(
        outcome.result.unwrap_err().fault.kind,
        FaultKind::Interrupted
    );
    let outcome = run(
        vec![endless()],
        &mut FakeMemory::default(),
        Budget {
            deadline: Some(std::time::Instant::now()),
            ..budget()
        },
    );
    assert_eq!(
        outcome.result.unwrap_err().fault.kind,
        FaultKind::TimeExhausted
    );
}

/// A function that calls itself without end, with a slot and many live registers.
fn recursion(slot: u64, live: usize, cost: u64) -> ytrace_lang::ir::Function {
    let mut b = Builder::new("main", &[], Some(Class::Word));
    b.function.frame_cost = cost;
    b.function.slots = vec![slot];
    b.push(ENTRY, I::Step);
    let now = b.word();
    let values: Vec<Register> = (0..live)
        .map(|_| {
            let to = b.word();
            b.push(
                ENTRY,
                I::Load {
                    to,
                    place: Place {
                        base: Base::Slot(SlotId(0)),
                        offset: 0,
                        index: None,
                    },
                    ty: MemoryType::W64,
                },
            );
            b.push(
                ENTRY,
                I::Store {
                    place: Place {
                        base: Base::Slot(SlotId(0)),
                        offset: 0,
                        index: None,
                    },
                    from: to,
                    ty: MemoryType::W64,
                },
            );
            to
        })
        .collect();
    b.push(
        ENTRY,
        I::Call {
            function: FunctionId(0),
            arguments: vec![],
            to: Some(now),
        },
    );
    for value in values {
        b.push(
            ENTRY,
            I::Integer {
                operator: IntegerOperator::Xor,
                ty: IntegerType {
                    size: 8,
                    signed: false,
                },
                to: now,
                left: now,
                right: value,
            },
        );
    }
    b.end(ENTRY, Terminator::Return(Some(now)));
    b.function
}

#[test]
fn deep_recursion_faults_and_never_overflows_the_native_stack() {
    for (slot, live, cost, stack) in [
        (8, 0, 64, 1 << 20),
        (1 << 16, 4, 1 << 16, 64 << 20),
        (8, 300, 16, 64 << 20),
        (8, 300, 16, u64::MAX),
        (8, 0, 0, 1 << 20),
        (1 << 29, 0, 1, u64::MAX),
    ] {
        // A thread with a small stack of its own.
        let outcome = std::thread::Builder::new()
            .stack_size(256 << 10)
            .spawn(move || {
                run(
                    vec![recursion(slot, live, cost)],
                    &mut FakeMemory::default(),
                    Budget { stack, ..budget() },
                )
            })
            .unwrap()
            .join()
            .unwrap();
        let fault = outcome.result.unwrap_err();
        assert_eq!(fault.fault.kind, FaultKind::StackTooDeep);
        if cost >= 64 {
            assert_eq!(outcome.steps, stack / cost);
        }
        assert!(fault.chain.len() <= 64);
    }
}

#[test]
fn a_switch_goes_to_the_block_of_its_value() {
    for (value, expected) in [(0, 10), (7, 11), (u64::MAX, 12), (8, 13)] {
        let mut b = Builder::new("main", &[], Some(Class::Word));
        let value = b.constant(ENTRY, value);
        let blocks: Vec<BlockId> = (10..14)
            .map(|result| {
                let block = b.block();
                let to = b.constant(block, result);
                b.end(block, Terminator::Return(Some(to)));
                block
            })
            .collect();
        b.end(
            ENTRY,
            Terminator::Switch {
                value,
                cases: vec![(0, blocks[0]), (7, blocks[1]), (u64::MAX, blocks[2])],
                otherwise: blocks[3],
            },
        );
        let outcome = run(vec![b.function], &mut FakeMemory::default(), budget());
        assert_eq!(outcome.result, Ok(expected));
    }
}

#[test]
fn broken_rules_are_errors() {
    use ytrace_jit::{CompileError, CompiledProgram};
    let broken: Vec<fn(&mut Builder)> = vec![
        |b| {
            b.push(
                ENTRY,
                I::Copy {
                    to: Register(0),
                    from: Register(9),
                },
            );
        },
        |b| {
            b.function.slots = vec![8];
            b.push(
                ENTRY,
                I::Load {
                    to: Register(0),
                    place: Place {
                        base: Base::Slot(SlotId(0)),
                        offset: 1,
                        index: None,
                    },
                    ty: MemoryType::W64,
                },
            );
        },
        |b| {
            b.push(
                ENTRY,
                I::Store {
                    place: Place {
                        base: Base::Target(Register(0)),
                        offset: 0,
                        index: None,
                    },
                    from: Register(0),
                    ty: MemoryType::W64,
                },
            );
        },
        |b| {
            b.push(
                ENTRY,
                I::Call {
                    function: FunctionId(3),
                    arguments: vec![],
                    to: None,
                },
            );
        },
        |b| {
            b.push(
                ENTRY,
                I::Load {
                    to: Register(0),
                    place: Place {
                        base: Base::Globals,
                        offset: 0,
                        index: None,
                    },
                    ty: MemoryType::W64,
                },
            );
        },
        |b| b.end(ENTRY, Terminator::Jump(BlockId(5))),
        |b| {
            b.end(
                ENTRY,
                Terminator::Switch {
                    value: Register(0),
                    cases: vec![(1, ENTRY), (1, ENTRY)],
                    otherwise: ENTRY,
                },
            );
        },
        |b| b.function.slots = vec![u64::MAX],
        |b| b.function.blocks.clear(),
    ];
    for (index, breaks) in broken.into_iter().enumerate() {
        let mut b = Builder::new("main", &[], None);
        b.word();
        breaks(&mut b);
        let program = common::program(vec![b.function], Default::default());
        let result = CompiledProgram::compile(program, common::options());
        assert!(
            matches!(result, Err(CompileError::Invalid { .. })),
            "{index}: {result:?}"
        );
    }
}

#[test]
fn code_is_never_writable_and_executable_and_is_freed() {
    use std::sync::Arc;
    use ytrace_jit::CompiledProgram;
    let program = common::program(vec![recursion(8, 10, 64)], Default::default());
    let compile =
        || CompiledProgram::compile(Arc::clone(&program), common::options()).expect("compiles");
    let executable = || {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("maps");
        assert!(!maps.lines().any(|line| line.contains("rwx")), "{maps}");
        maps.lines().filter(|line| line.contains("r-xp")).count()
    };
    let before = executable();
    let kept: Vec<CompiledProgram> = (0..50).map(|_| compile()).collect();
    assert!(executable() > before);
    drop(kept);
    // Other tests compile meanwhile, but not fifty programs at once.
    assert!(executable() < before + 50);
}

#[test]
fn a_panic_in_a_helper_is_an_internal_error() {
    use std::sync::Arc;
    use ytrace_lang::execute::Executor;
    use ytrace_values::memory::{Memory, MemoryError, Page};
    use ytrace_values::{Machine, Store};

    struct Panics;
    impl Memory for Panics {
        fn page_size(&self) -> u64 {
            PAGE
        }
        fn page(&mut self, address: u64) -> Result<Page, MemoryError> {
            panic!("page {address:#x}");
        }
    }
    let mut b = Builder::new("main", &[], Some(Class::Word));
    let (base, to) = (b.constant(ENTRY, PAGE), b.word());
    b.push(
        ENTRY,
        I::Load {
            to,
            place: Place {
                base: Base::Target(base),
                offset: 0,
                index: None,
            },
            ty: MemoryType::W64,
        },
    );
    b.end(ENTRY, Terminator::Return(Some(to)));
    let program = common::program(vec![b.function], Default::default());
    let mut jit = common::compile(&program);
    let mut store = Store::new(Arc::clone(&program.constants), common::limits());
    let mut host = common::FakeHost::default();
    let mut memory = Panics;
    let mut machine = Machine {
        store: &mut store,
        memory: &mut memory,
        host: &mut host,
    };
    let outcome = jit.run(FunctionId(0), &mut machine, budget());
    let fault = outcome.result.unwrap_err().fault;
    assert_eq!(fault.kind, FaultKind::Internal);
    assert_eq!(fault.message.as_deref(), Some("page 0x100"));
}
