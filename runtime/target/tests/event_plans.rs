//! What plans do at a hit: the program's own account says what must come out.

mod common;
#[path = "common/sites.rs"]
mod sites;
#[path = "common/traced.rs"]
mod traced;

use common::skip;
use traced::{Traced, again_without, emit, entry, on_return};
use ytrace_target::events::*;

const ARGUMENTS: [Register; 6] = [
    Register::Rdi,
    Register::Rsi,
    Register::Rdx,
    Register::Rcx,
    Register::R8,
    Register::R9,
];

#[test]
fn arguments_and_results_are_those_of_the_call() {
    let mut traced = Traced::start();
    let six = ARGUMENTS.map(Value::Register);
    traced.probe("six", on_return(&six));
    assert_eq!(traced.program.ask("six 1000000007 -4"), "1000000200");
    let found = traced.records(|record| {
        assert!(record.is_return());
        let word = |place| record.value(place).unwrap() as i64;
        (
            word(0),
            word(1) as i32,
            word(2) as u8,
            word(3),
            word(4),
            word(5),
            word(6),
        )
    });
    assert_eq!(found, [(1_000_000_007, -2, 200, -4, 5, 6, 1_000_000_200)]);
}

#[test]
fn recursion_keeps_entries_apart() {
    // One word is kept by the kernel, more are in a table.
    for saved in [1, 3] {
        let mut traced = Traced::start();
        let values = [Register::Rdi, Register::Rsp, Register::Rip].map(Value::Register);
        let probe = traced.probe("down", on_return(&values[..saved]));
        assert_eq!(traced.program.ask("down 50"), "50");
        let found =
            traced.records(|record| (record.value(0).unwrap(), record.value(saved).unwrap()));
        let expected: Vec<(u64, u64)> = (0..=50).map(|n| (n, n)).collect();
        assert_eq!(found, expected);
        let totals = traced.session.totals(probe).unwrap();
        assert_eq!((totals.entry.hits, totals.on_return.hits), (51, 51));
        assert_eq!(totals.on_return.unpaired, 0);
    }
}

fn capture(part: &mut Part, address: Value, extent: Extent) -> StepId {
    let address = part.value(address);
    part.step(Step::Capture { address, extent })
}

fn slot(capture: StepId, offset: u32, width: Width, signed: bool) -> Value {
    Value::Slot {
        capture,
        offset,
        width,
        signed,
    }
}

/// `see(struct item *item, const char *text)`: the text, the item's number, its name, and the number and small members of
/// the next one.
fn see() -> HitProgram {
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    let text = capture(
        part,
        Value::Register(Register::Rsi),
        Extent::String { max: 16 },
    );
    let item = capture(part, Value::Register(Register::Rdi), Extent::Bytes(24));
    let name = capture(
        part,
        slot(item, 8, Width::Eight, false),
        Extent::String { max: 200 },
    );
    let next = capture(part, slot(item, 16, Width::Eight, false), Extent::Bytes(32));
    let values = [
        slot(item, 0, Width::Eight, true),
        slot(next, 0, Width::Eight, true),
        slot(next, 24, Width::Two, false),
        slot(next, 24, Width::Two, true),
        slot(next, 26, Width::One, true),
        Value::Length(text),
        // Not aligned.
        slot(text, 1, Width::Four, false),
        slot(next, 1, Width::Two, false),
    ];
    let mut values: Vec<ValueId> = values.map(|value| part.value(value)).to_vec();
    let failed = Value::Failed(values[0]);
    values.push(part.value(failed));
    part.step(Step::Emit(Emit {
        values,
        captures: vec![text, name, item],
        registers: RegisterSet::UNWIND,
        ..Emit::default()
    }));
    program
}

/// A capture as a test writes it: cut strings end in `…`, a failed capture is `?`.
fn text(captured: Option<Captured<'_>>) -> String {
    match captured.unwrap() {
        Captured::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Captured::Cut(bytes) => format!("{}…", std::str::from_utf8(bytes).unwrap()),
        Captured::Failed => "?".to_owned(),
    }
}

#[test]
fn captures_follow_pointers_and_fail_one_by_one() {
    let mut traced = Traced::start();
    traced.probe("see", see());
    assert_eq!(traced.program.ask("see"), "seen");
    let found = traced.records(|record| {
        let values: Vec<Option<i64>> = (0..9)
            .map(|place| record.value(place).map(|value| value as i64))
            .collect();
        assert_eq!(record.value(9), None);
        assert_eq!(record.capture(3), None);
        assert_eq!(record.register(Register::Rdi), None);
        assert!(record.register(Register::Rip).is_some());
        let whole = record.capture(2).unwrap().bytes().map(<[u8]>::len);
        (
            text(record.capture(0)),
            text(record.capture(1)),
            whole,
            values,
        )
    });
    let word = |bytes: &[u8; 4]| Some(i64::from(u32::from_le_bytes(*bytes)));
    let expected = [
        (
            "a string that is…".to_owned(),
            "first".to_owned(),
            Some(24),
            vec![
                Some(-6),
                Some(7),
                Some(65535),
                Some(-1),
                Some(-3),
                Some(16),
                word(b" str"),
                Some(0),
                Some(0),
            ],
        ),
        // The string ends where the page does, and there is no next one.
        (
            "edge!".to_owned(),
            "last".to_owned(),
            Some(24),
            vec![
                Some(7),
                None,
                None,
                None,
                None,
                Some(5),
                word(b"dge!"),
                None,
                Some(0),
            ],
        ),
        // The page ends before the string does, which is cut there; the item is NULL.
        (
            "yyyyyy…".to_owned(),
            "?".to_owned(),
            None,
            vec![
                None,
                None,
                None,
                None,
                None,
                Some(6),
                word(b"yyyy"),
                None,
                Some(1),
            ],
        ),
        (
            "?".to_owned(),
            "?".to_owned(),
            None,
            vec![None, None, None, None, None, None, None, None, Some(1)],
        ),
    ];
    assert_eq!(found, expected);
}

#[test]
fn strings_of_every_length_are_told_from_cut_ones() {
    let mut traced = Traced::start();
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    let mut captures = Vec::new();
    for max in 47..=49 {
        captures.push(capture(
            part,
            Value::Register(Register::Rsi),
            Extent::String { max },
        ));
    }
    part.step(Step::Emit(Emit {
        captures,
        ..Emit::default()
    }));
    traced.probe("see", program);
    traced.program.ask("see");
    let whole = "a string that is a little longer than the others";
    assert_eq!(whole.len(), 48);
    let found = traced.records(|record| [0, 1, 2].map(|place| text(record.capture(place))));
    let cut = format!("{}…", &whole[..47]);
    assert_eq!(found[0], [cut, whole.to_owned(), whole.to_owned()]);
}

#[test]
fn lengths_may_be_read_from_memory() {
    const MAX: u32 = 4100;
    let mut traced = Traced::start();
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    // `measure(struct piece *piece)`: of the length nothing else is made than the length of a capture.
    let length = capture(part, Value::Register(Register::Rdi), Extent::Bytes(8));
    let piece = part.value(Value::Register(Register::Rdi));
    let eight = part.value(Value::Constant(8));
    let data = part.value(Value::Binary(BinaryOperation::Add, piece, eight));
    let data = part.step(Step::Capture {
        address: data,
        extent: Extent::Bytes(8),
    });
    let length = part.value(slot(length, 0, Width::Eight, false));
    let max = MAX;
    let text = capture(
        part,
        slot(data, 0, Width::Eight, false),
        Extent::UpTo { length, max },
    );
    part.step(Step::Emit(Emit {
        captures: vec![text],
        ..Emit::default()
    }));
    traced.probe("measure", program);
    assert_eq!(traced.program.ask("measure"), "measured");
    let found = traced.records(|record| match record.capture(0).unwrap() {
        Captured::Bytes(bytes) => Ok(bytes.to_vec()),
        Captured::Cut(bytes) => Err(Some(bytes.to_vec())),
        Captured::Failed => Err(None),
    });
    // SAFETY: the call takes no pointer.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap();
    let (end, max) = (3 * page, MAX as usize);
    let bytes = |from: usize, length: usize| -> Vec<u8> {
        let at = from..from + length;
        at.map(|at| b'a' + (at % 26) as u8).collect()
    };
    let expected = [
        Ok(bytes(10, 100)),
        Ok(Vec::new()),
        Ok(Vec::new()),
        Ok(bytes(10, max)),
        Ok(bytes(end - 50, 50)),
        Err(Some(bytes(end - 50, 50))),
        Ok(bytes(0, max)),
        // More than a page, in two pages: all that can be read.
        Err(Some(bytes(end - page - 1, page + 1))),
        Err(Some(bytes(end - page, page))),
        Err(None),
        Err(None),
    ];
    assert_eq!(found, expected);
}

#[test]
fn memory_at_the_return_is_that_of_the_return() {
    let mut traced = Traced::start();
    let mut program = HitProgram::default();
    let to = program.entry.value(Value::Register(Register::Rdi));
    // Short ones go by the stack of the kernel's program, long ones do not.
    for max in [30, 150] {
        let extent = Extent::String { max };
        let step = program.entry.step(Step::Capture {
            address: to,
            extent,
        });
        program.saved_captures.push(step);
    }
    program.saved_values = vec![to];
    let mut part = Part::default();
    let now = capture(&mut part, Value::Entry(0), Extent::String { max: 100 });
    let first = part.value(Value::EntrySlot {
        capture: 0,
        offset: 1,
        width: Width::Four,
        signed: false,
    });
    part.step(Step::Emit(Emit {
        values: vec![first],
        captures: vec![now],
        entry_captures: vec![1, 0],
        ..Emit::default()
    }));
    program.on_return = Some(part);
    traced.probe("fill", program);
    assert_eq!(traced.program.ask("fill 60"), "60");
    let found = traced.records(|record| {
        let texts = [0, 1, 2].map(|place| text(record.capture(place)));
        (texts, record.value(0))
    });
    let expected = ["x".repeat(60), "before".to_owned(), "before".to_owned()];
    let bytes = u64::from(u32::from_le_bytes(*b"efor"));
    assert_eq!(found, [(expected, Some(bytes))]);
}

/// What operations mean.
fn reference(operation: BinaryOperation, a: u64, b: u64) -> Option<u64> {
    use BinaryOperation::*;
    let (signed_a, signed_b) = (a as i64, b as i64);
    Some(match operation {
        Add => a.wrapping_add(b),
        Subtract => a.wrapping_sub(b),
        Multiply => a.wrapping_mul(b),
        DivideUnsigned => a.checked_div(b)?,
        DivideSigned if b == 0 => return None,
        DivideSigned => signed_a.wrapping_div(signed_b) as u64,
        RemainderUnsigned => a.checked_rem(b)?,
        RemainderSigned if b == 0 => return None,
        RemainderSigned => signed_a.wrapping_rem(signed_b) as u64,
        And => a & b,
        Or => a | b,
        Xor => a ^ b,
        ShiftLeft => a << (b & 63),
        ShiftRightLogical => a >> (b & 63),
        ShiftRightArithmetic => (signed_a >> (b & 63)) as u64,
        Equal => u64::from(a == b),
        NotEqual => u64::from(a != b),
        LessUnsigned => u64::from(a < b),
        LessEqualUnsigned => u64::from(a <= b),
        LessSigned => u64::from(signed_a < signed_b),
        LessEqualSigned => u64::from(signed_a <= signed_b),
    })
}

const BINARY: [BinaryOperation; 19] = {
    use BinaryOperation::*;
    [
        Add,
        Subtract,
        Multiply,
        DivideUnsigned,
        DivideSigned,
        RemainderUnsigned,
        RemainderSigned,
        And,
        Or,
        Xor,
        ShiftLeft,
        ShiftRightLogical,
        ShiftRightArithmetic,
        Equal,
        NotEqual,
        LessUnsigned,
        LessEqualUnsigned,
        LessSigned,
        LessEqualSigned,
    ]
};

#[test]
fn operations_are_those_of_the_machine() {
    use UnaryOperation::*;
    let unary = [
        Negate,
        Invert,
        IsZero,
        ZeroExtend(Width::One),
        SignExtend(Width::One),
        ZeroExtend(Width::Four),
        SignExtend(Width::Four),
        SignExtend(Width::Two),
        SignExtend(Width::Eight),
    ];
    let mut traced = Traced::start();
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    let a = part.value(Value::Register(Register::Rdi));
    let b = part.value(Value::Register(Register::Rsi));
    let mut values: Vec<ValueId> = BINARY
        .map(|operation| part.value(Value::Binary(operation, a, b)))
        .to_vec();
    for operation in unary {
        values.push(part.value(Value::Unary(operation, a)));
    }
    // A quotient that fails is not looked at where it is not chosen.
    let (quotient, one) = (values[4], part.value(Value::Constant(1)));
    let select = Value::Select {
        condition: b,
        then: quotient,
        otherwise: one,
    };
    values.push(part.value(select));
    let select = Value::Select {
        condition: quotient,
        then: one,
        otherwise: b,
    };
    values.push(part.value(select));
    let sum = Value::Binary(BinaryOperation::Add, quotient, one);
    let sum = part.value(sum);
    values.push(sum);
    values.push(part.value(Value::Failed(sum)));
    let count = values.len();
    part.step(Step::Emit(Emit {
        values,
        ..Emit::default()
    }));
    traced.probe("divide", program);
    let numbers = [
        0,
        1,
        -1,
        2,
        -7,
        63,
        64,
        255,
        65_536,
        4_294_967_295,
        -4_294_967_296,
        i64::MAX,
        i64::MIN + 1,
        i64::MIN,
    ];
    let mut expected = Vec::new();
    for a in numbers {
        for b in numbers {
            // The program itself would trap.
            if a == i64::MIN && b == -1 {
                continue;
            }
            traced.program.ask(&format!("divide {a} {b}"));
            let mut results: Vec<Option<u64>> = BINARY
                .map(|operation| reference(operation, a as u64, b as u64))
                .to_vec();
            let word = a as u64;
            results.extend([
                Some(word.wrapping_neg()),
                Some(!word),
                Some(u64::from(a == 0)),
                Some(u64::from(word as u8)),
                Some(a as i8 as u64),
                Some(u64::from(word as u32)),
                Some(a as i32 as u64),
                Some(a as i16 as u64),
                Some(word),
            ]);
            let quotient = results[4].map(|quotient| quotient as i64);
            results.push(if b == 0 {
                Some(1)
            } else {
                quotient.map(|word| word as u64)
            });
            results.push(quotient.map(|quotient| if quotient != 0 { 1 } else { b as u64 }));
            results.push(quotient.map(|quotient| quotient.wrapping_add(1) as u64));
            results.push(Some(u64::from(b == 0)));
            assert_eq!(results.len(), count);
            expected.push((a, b, results));
        }
    }
    let found = traced.records(|record| {
        (0..count)
            .map(|place| record.value(place))
            .collect::<Vec<_>>()
    });
    assert_eq!(found.len(), expected.len());
    for (found, (a, b, expected)) in found.iter().zip(expected) {
        for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert_eq!(*found, expected, "result {place} of {a} and {b}");
        }
    }
}

#[test]
fn filters_run_before_anything_is_sent() {
    let mut traced = Traced::start();
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    let number = part.value(Value::Register(Register::Rdi));
    let limit = part.value(Value::Constant(900));
    let condition = part.value(Value::Binary(BinaryOperation::LessUnsigned, number, limit));
    part.step(Step::ReturnIf {
        condition,
        on_failure: OnFailure::GoOn,
    });
    program.saved_values = vec![number];
    let mut returns = Part::default();
    emit(&mut returns, &[Value::Entry(0)]);
    emit(&mut program.entry, &[Value::Register(Register::Rdi)]);
    program.on_return = Some(returns);
    let probe = traced.probe("step", program);
    assert_eq!(traced.program.ask("work 2 1000"), "2000");
    let found = traced.records(|record| (record.is_return(), record.value(0).unwrap()));
    assert_eq!(found.len(), 400);
    assert!(found.iter().all(|(_, number)| *number >= 900));
    let totals = traced.session.totals(probe).unwrap();
    assert_eq!((totals.entry.hits, totals.entry.filtered), (2000, 1800));
    assert_eq!((totals.on_return.hits, totals.on_return.unpaired), (200, 0));
}

#[test]
fn settings_are_read_at_the_hit() {
    let mut traced = Traced::start();
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    let limit = part.value(Value::Setting(3));
    let number = part.value(Value::Register(Register::Rdi));
    let low = part.value(Value::Binary(BinaryOperation::LessUnsigned, number, limit));
    part.step(Step::ReturnIf {
        condition: low,
        on_failure: OnFailure::GoOn,
    });
    let last = Value::Setting(MAX_SETTINGS as u32 - 1);
    emit(part, &[Value::Register(Register::Rdi), last]);
    let mut settings = [0; MAX_SETTINGS];
    settings[3] = 7;
    traced.session.set(&settings).unwrap();
    traced.probe("step", program.clone());
    traced.program.ask("work 1 9");
    settings[3] = u64::MAX;
    traced.session.set(&settings[..4]).unwrap();
    traced.program.ask("work 1 9");
    settings[3] = 8;
    for last in 0..20 {
        settings[MAX_SETTINGS - 1] = last;
        traced.session.set(&settings).unwrap();
        traced.program.ask("work 1 9");
    }
    let found = traced.records(|record| (record.value(0).unwrap(), record.value(1).unwrap()));
    let later: Vec<_> = (0..20).map(|last| (8, last)).collect();
    assert_eq!(found[..2], [(7, 0), (8, 0)]);
    assert_eq!(found[2..], later);
    assert!(traced.session.set(&[0; MAX_SETTINGS + 1]).is_err());
    program
        .entry
        .values
        .push(Value::Setting(MAX_SETTINGS as u32));
    assert!(matches!(
        program.check(&[]),
        Err(PlanError::Unknown {
            what: "setting",
            ..
        })
    ));
}

#[test]
fn a_condition_that_fails_does_as_the_plan_says() {
    for (on_failure, records) in [(OnFailure::GoOn, 4), (OnFailure::End, 2)] {
        let mut traced = Traced::start();
        let mut program = HitProgram::default();
        let part = &mut program.entry;
        let item = capture(part, Value::Register(Register::Rdi), Extent::Bytes(8));
        let number = part.value(slot(item, 0, Width::Eight, true));
        let condition = part.value(Value::Unary(UnaryOperation::IsZero, number));
        part.step(Step::ReturnIf {
            condition,
            on_failure,
        });
        emit(part, &[]);
        let probe = traced.probe("see", program);
        traced.program.ask("see");
        assert_eq!(traced.records(|_| ()).len(), records);
        let totals = traced.session.totals(probe).unwrap().entry;
        assert_eq!(totals.filtered, 4 - records as u64);
    }
}

#[test]
fn samples_estimate_bytes_without_bias() {
    const EVERY: u64 = 65_536;
    let mut traced = Traced::start();
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    let bytes = part.value(Value::Register(Register::Rdi));
    let sample = part.step(Step::Sample {
        bytes,
        every: EVERY,
    });
    emit(
        part,
        &[Value::Register(Register::Rdi), Value::Weight(sample)],
    );
    let probe = traced.probe("take", program);
    let calls = 400_000u64;
    let sum: u64 = traced
        .program
        .ask(&format!("take {calls}"))
        .parse()
        .unwrap();
    let (mut estimate, mut number, mut whole) = (0.0, 0.0, 0u64);
    let found = traced.records(|record| {
        let (bytes, weight) = (record.value(0).unwrap(), record.weight());
        assert_eq!(record.value(1), Some(weight));
        assert_eq!(weight, bytes.max(EVERY));
        whole += u64::from(bytes >= EVERY);
        estimate += weight as f64;
        number += weight as f64 / bytes as f64;
    });
    // What the sizes of `take` give, as documented: the variance of the sum of bytes is that of n (every - n).
    let size = |i: u64| (i % 100) * 16 + if i.is_multiple_of(1000) { 500_000 } else { 0 };
    assert_eq!((0..calls).map(size).sum::<u64>(), sum);
    let small = || (0..calls).map(size).filter(|n| *n < EVERY);
    let variance: u64 = small().map(|n| n * (EVERY - n)).sum();
    assert_eq!(whole, calls / 1000);
    let error = (estimate - sum as f64) / (variance as f64).sqrt();
    assert!(error.abs() < 5.0, "{error} sigma off: {estimate} for {sum}");
    // Of calls: every / n - 1 for each; those of 0 bytes are never sampled.
    let variance: f64 = small()
        .filter(|n| *n > 0)
        .map(|n| EVERY as f64 / n as f64 - 1.0)
        .sum();
    let real = (0..calls).filter(|i| size(*i) > 0).count() as f64;
    let error = (number - real) / variance.sqrt();
    assert!(error.abs() < 5.0, "{error} sigma off: {number} for {real}");
    let totals = traced.session.totals(probe).unwrap().entry;
    assert_eq!(totals.hits, calls);
    assert_eq!(totals.unsampled + found.len() as u64, calls);
    assert_eq!(totals.lost, 0);
}

/// Whether an address begins a page that is not in memory (proc_pid_pagemap(5)).
fn is_absent(pid: i32, address: u64) -> bool {
    use std::os::unix::fs::FileExt;
    // SAFETY: the call takes no pointer.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap();
    let table = std::fs::File::open(format!("/proc/{pid}/pagemap")).unwrap();
    let mut entry = [0u8; 8];
    table.read_exact_at(&mut entry, address / page * 8).unwrap();
    address.is_multiple_of(page) && u64::from_le_bytes(entry) >> 63 == 0
}

#[test]
fn the_stack_is_copied_as_far_as_it_goes() {
    for stack_bytes in [512, 2048, 65_536] {
        let mut traced = Traced::start();
        let mut program = HitProgram::default();
        program.entry.step(Step::Emit(Emit {
            stack_bytes,
            registers: RegisterSet::GENERAL,
            ..Emit::default()
        }));
        traced.probe("down", program);
        traced.program.ask("down 30");
        let maps = traced.program.process().maps().unwrap();
        let pid = traced.program.pid();
        let found = traced.records(|record| {
            let rsp = record.register(Register::Rsp).unwrap();
            let mapping = maps.find(rsp);
            let rest = mapping.unwrap().end - rsp;
            let wanted = rest.min(u64::from(stack_bytes));
            let length = record.stack().len() as u64;
            if length != wanted {
                // Between the first frame and the environment there may be a page that nobody has touched.
                assert!(length < wanted);
                assert!(is_absent(pid, rsp + length), "{length} of {wanted}");
            }
            assert_eq!(record.has_whole_stack(), length == u64::from(stack_bytes));
            (
                rsp,
                record.stack().to_vec(),
                record.register(Register::Rdi).unwrap(),
            )
        });
        assert_eq!(found.len(), 31);
        // The return address of each call but the first is the same, and is at the stack pointer.
        let address = |stack: &[u8]| u64::from_le_bytes(stack[..8].try_into().unwrap());
        let returns: std::collections::HashSet<u64> = found[1..]
            .iter()
            .map(|(_, stack, _)| address(stack))
            .collect();
        assert_eq!(returns.len(), 1);
        // What an outer call's slice shows is in the inner call's slice, too, farther up.
        let ((outer, outer_stack, _), (inner, inner_stack, n)) = (&found[0], &found[1]);
        let distance = (outer - inner) as usize;
        let common = (inner_stack.len() - distance).min(outer_stack.len());
        assert_eq!(
            inner_stack[distance..distance + common],
            outer_stack[..common]
        );
        assert_eq!(*n, 29);
    }
}

#[test]
fn no_more_of_a_stack_is_sent_than_was_needed() {
    const MOST: u32 = 8 << 10;
    const DEPTH: u64 = 700;
    let mut traced = Traced::start();
    let mut program = HitProgram::default();
    program.entry.step(Step::Emit(Emit {
        stack_bytes: MOST,
        stack_expected: 512,
        registers: RegisterSet::UNWIND,
        ..Emit::default()
    }));
    let probe = traced.probe("down", program);
    // Where the stack pointer was, and what was sent; `took` says how much was needed, and whether that was too little.
    let hits = |traced: &mut Traced, depth: u64, took: &dyn Fn(u64) -> Option<(u64, StackEnd)>| {
        traced.program.ask(&format!("down {depth}"));
        let found = traced.records(|record| {
            let pointer = record.register(Register::Rsp).unwrap();
            if let Some((needed, end)) = took(pointer) {
                record.stack_took(needed, end);
            }
            assert!(record.has_whole_stack());
            (pointer, record.stack().to_vec())
        });
        assert_eq!(found.len() as u64, depth + 1);
        found
    };
    // The kernel tells where the first thread's stack begins, above all that it has.
    let found = hits(&mut traced, DEPTH, &|_| None);
    let (outermost, first) = &found[0];
    let begins = outermost + first.len() as u64;
    let maps = traced.program.process().maps().unwrap();
    assert!(maps.find(*outermost).unwrap().contains(begins));
    let reached = |found: &[(u64, Vec<u8>)], top: u64| {
        for (pointer, stack) in found {
            let length = stack.len() as u64;
            match top - pointer {
                wanted if wanted <= u64::from(MOST) => assert_eq!(length, wanted),
                // The thread's own data is elsewhere, or near.
                _ => assert!(length <= u64::from(MOST)),
            }
        }
    };
    reached(&found, begins);
    assert!(begins - found[600].0 > u64::from(MOST), "not deep");
    // It is needed up to a word of the outermost call: that is so for all of it, once it was found out somewhere.
    let top = outermost + 8;
    hits(&mut traced, 0, &|pointer| {
        Some((top - pointer, StackEnd::Begin))
    });
    let found = hits(&mut traced, DEPTH, &|pointer| match top - pointer {
        needed if needed <= u64::from(MOST) => Some((needed, StackEnd::Begin)),
        _ => None,
    });
    assert_eq!(found[0].1.len(), 8);
    let found_again = hits(&mut traced, DEPTH, &|_| None);
    reached(&found_again, top);
    // What is sent is what is there.
    let whole = &found[400].1;
    let distance = (found[300].0 - found[400].0) as usize;
    assert_eq!(whole[distance..], found[300].1[..whole.len() - distance]);
    // More is needed than was sent: at once it is twice as much, or what the next step needs. No slice is as large as the last.
    let more = [
        (16, 16),
        (24, 32),
        (48, 64),
        (200, 200),
        (u64::from(MOST) + 8, 200),
    ];
    for (needed, then) in more {
        hits(&mut traced, 0, &|_| Some((needed, StackEnd::Slice)));
        let found = hits(&mut traced, 0, &|_| None);
        assert_eq!(found[0].1.len(), then, "after {needed}");
    }
    // Less is needed, again and again: then less is sent.
    let needed = |_| Some((40, StackEnd::Begin));
    let shrinks = (0..100_000).position(|_| hits(&mut traced, 0, &needed)[0].1.len() == 40);
    assert!(shrinks.is_some_and(|after| after > 100), "{shrinks:?}");
    // One that was not followed to where its thread began tells when it took more, and no more than that.
    for (needed, then) in [(24, 40), (72, 72), (24, 72)] {
        for _ in 0..100 {
            hits(&mut traced, 0, &|_| Some((needed, StackEnd::Elsewhere)));
        }
        let found = hits(&mut traced, 0, &|_| None);
        assert_eq!(found[0].1.len(), then, "after {needed}");
    }
    assert_eq!(traced.session.totals(probe).unwrap().entry.lost, 0);
}

#[test]
fn stacks_are_whole_below_probed_returns() {
    let forbidden = std::env::var_os("YTRACE_FORBID").is_some();
    let mut traced = Traced::start();
    let whole = &traced.session.facilities().whole_stacks;
    if whole.is_err() != forbidden {
        return skip(
            "stacks below probed returns",
            &format!("the kernel does not tell: {whole:?}"),
        );
    }
    let stacks = || {
        let mut part = Part::default();
        part.step(Step::Emit(Emit {
            stack_bytes: 2048,
            registers: RegisterSet::UNWIND,
            ..Emit::default()
        }));
        part
    };
    let program = HitProgram {
        entry: stacks(),
        ..HitProgram::default()
    };
    let inner = traced.probe("down", program);
    // For each hit the return addresses of all calls under way: where one lies is where the stack pointer was at its entry.
    let addresses = |traced: &mut Traced| {
        traced.program.ask("down 40");
        let found = traced.records(|record| {
            let rsp = record.register(Register::Rsp).unwrap();
            (record.probe() == inner, rsp, record.stack().to_vec())
        });
        let entries: Vec<u64> = found.iter().filter(|one| one.0).map(|one| one.1).collect();
        let returned = |(entry, rsp, stack): &(bool, u64, Vec<u8>)| {
            let at = |place: &&u64| **place >= *rsp;
            let words = entries.iter().filter(at).map(|place| {
                let word = &stack[(place - rsp) as usize..][..8];
                (*place, u64::from_le_bytes(word.try_into().unwrap()))
            });
            (*entry, words.collect::<Vec<_>>())
        };
        let all: Vec<_> = found.iter().map(returned).collect();
        let (entries, returns): (Vec<_>, Vec<_>) = all.into_iter().partition(|(entry, _)| *entry);
        (entries, returns)
    };
    let (before, none) = addresses(&mut traced);
    assert_eq!((before.len(), none.len()), (41, 0));
    assert!(
        before
            .iter()
            .zip(1..)
            .all(|((_, words), n)| words.len() == n)
    );
    // Two probes on the same return: the kernel awaits each of them.
    for _ in 0..2 {
        let program = HitProgram {
            on_return: Some(stacks()),
            ..HitProgram::default()
        };
        traced.probe("down", program);
    }
    let (after, returns) = addresses(&mut traced);
    let differ = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    if forbidden {
        // The first entry is before its own return is awaited.
        assert_eq!(differ, 40);
        return;
    }
    assert_eq!(differ, 0);
    // What returns is followed by those that it returns to.
    assert_eq!(returns.len(), 82);
    for (_, words) in &returns {
        let entry = &before[words.len()].1;
        assert_eq!(words, &entry[..words.len()]);
    }
}

#[test]
fn stacks_end_at_probed_returns_where_the_kernel_does_not_tell() {
    again_without("uretprobe_stacks", "stacks_are_whole_below_probed_returns");
}

#[test]
fn longjmp_and_tail_calls_leave_others_alone() {
    for saved in [1, 2] {
        let values = [Register::Rdi, Register::Rsp].map(Value::Register);
        let mut traced = Traced::start();
        let leap = traced.probe("leap", on_return(&values[..saved]));
        // None of these returns, and those that come after are not taken for them.
        for _ in 0..3 {
            assert_eq!(traced.program.ask("leap 5"), "-1");
        }
        assert_eq!(traced.program.ask("leap -1"), "-1");
        let found = traced.records(|record| (record.value(0), record.value(saved)));
        assert_eq!(found, [(Some(u64::MAX), Some(u64::MAX))]);
        let totals = traced.session.totals(leap).unwrap();
        assert_eq!((totals.entry.hits, totals.on_return.hits), (19, 1));

        // Each of these calls returns to the caller of the first one.
        let tail = traced.probe("tail", on_return(&values[..saved]));
        assert_eq!(traced.program.ask("tail 3"), "42");
        let found = traced.records(|record| (record.value(0), record.value(saved)));
        let totals = traced.session.totals(tail).unwrap();
        assert_eq!(totals.entry.hits, 4);
        let mut expected: Vec<_> = (0..4).map(|n| (Some(n), Some(42))).collect();
        if !traced.session.facilities().uprobe_session {
            // Without the kernel's help they are not told apart: only the last is found again.
            expected.truncate(1);
            assert_eq!(totals.on_return.unpaired, 3);
        }
        assert_eq!(found, expected);
    }
}

#[test]
fn returns_deeper_than_the_kernel_follows_are_counted() {
    for saved in 0..3 {
        let mut traced = Traced::start();
        if let Err(why) = &traced.session.facilities().whole_stacks {
            return common::skip("returns_deeper_than_the_kernel_follows_are_counted", why);
        }
        let values = [Register::Rdi, Register::Rsp].map(Value::Register);
        let probe = traced.probe("down", on_return(&values[..saved]));
        for rounds in 1..3 {
            assert_eq!(traced.program.ask("down 99"), "99");
            assert_eq!(traced.records(|record| record.value(saved)).len(), 64);
            let totals = traced.session.totals(probe).unwrap();
            assert_eq!(totals.entry.too_deep, 36 * rounds);
            assert_eq!(totals.on_return.hits, 64 * rounds);
        }
        assert_eq!(traced.program.ask("down 63"), "63");
        assert_eq!(traced.session.totals(probe).unwrap().entry.too_deep, 72);
    }
}

#[test]
fn entries_that_are_pushed_out_are_told_from_calls_that_had_begun_before() {
    let mut traced = Traced::with(EventOptions {
        saved_entries: Some(8),
        ..EventOptions::default()
    });
    if !traced.session.facilities().uprobe_session {
        let why = "the kernel has no sessions of probes";
        return common::skip(
            "entries_that_are_pushed_out_are_told_from_calls_that_had_begun_before",
            why,
        );
    }
    let values = [Register::Rdi, Register::Rsp].map(Value::Register);
    let probe = traced.probe("down", on_return(&values));
    assert_eq!(traced.program.ask("down 49"), "49");
    let found = traced.records(|record| record.value(2)).len() as u64;
    let totals = traced.session.totals(probe).unwrap();
    assert_eq!(found, totals.on_return.hits, "{totals:?}");
    assert_eq!(found + totals.on_return.evicted, 50, "{totals:?}");
    assert!(totals.on_return.evicted >= 30, "{totals:?}");
    assert_eq!(totals.on_return.unpaired, 0);
}

/// A plan for `leap` that drops calls with a negative number at their entry.
fn unless_negative() -> HitProgram {
    let mut program = on_return(&[Register::Rdi, Register::Rsp].map(Value::Register));
    let part = &mut program.entry;
    let number = part.value(Value::Register(Register::Rdi));
    let zero = part.value(Value::Constant(0));
    let negative = part.value(Value::Binary(BinaryOperation::LessSigned, number, zero));
    part.step(Step::ReturnIf {
        condition: negative,
        on_failure: OnFailure::GoOn,
    });
    program
}

#[test]
fn a_call_that_is_dropped_has_nothing_of_one_that_longjmp_left() {
    if std::env::var_os("YTRACE_FORBID").is_none() {
        let test = "a_call_that_is_dropped_has_nothing_of_one_that_longjmp_left";
        again_without("uprobe_session", test);
        again_without("uprobe_session,uprobe_multi", test);
    }
    let mut traced = Traced::start();
    let leap = traced.probe("leap", unless_negative());
    let dropped = |traced: &mut Traced| {
        assert_eq!(traced.program.ask("leap -7"), "-7");
        assert_eq!(traced.records(|record| record.value(0)), []);
    };
    assert_eq!(traced.program.ask("leap 5"), "-1");
    dropped(&mut traced);
    // One that begins while hits do not count.
    assert_eq!(traced.program.ask("leap 5"), "-1");
    traced.session.shut();
    dropped(&mut traced);
    traced.session.open();
    dropped(&mut traced);
    // And before the probes are in their places again.
    assert_eq!(traced.program.ask("leap 5"), "-1");
    traced.session.suspend_probes(&[leap]);
    traced.session.resume_probes(&[leap]).unwrap();
    dropped(&mut traced);
    let totals = traced.session.totals(leap).unwrap();
    assert_eq!((totals.entry.filtered, totals.on_return.hits), (3, 0));
}

#[test]
fn calls_that_come_to_nothing_are_counted_without_the_kernels_help() {
    if std::env::var_os("YTRACE_FORBID").is_none() {
        again_without(
            "uprobe_session",
            "calls_that_come_to_nothing_are_counted_without_the_kernels_help",
        );
        return;
    }
    let mut traced = Traced::with(EventOptions {
        saved_entries: Some(8),
        ..EventOptions::default()
    });
    let values = [Register::Rdi, Register::Rsp].map(Value::Register);
    let down = traced.probe("down", on_return(&values));
    let leap = traced.probe("leap", unless_negative());
    assert_eq!(traced.program.ask("down 49"), "49");
    assert_eq!(traced.program.ask("leap 1"), "-1");
    traced.session.suspend();
    let totals = traced.session.totals(down).unwrap();
    assert_eq!(
        totals.on_return.hits + totals.on_return.unseen,
        50,
        "{totals:?}"
    );
    assert!(totals.on_return.unseen >= 30, "{totals:?}");
    // They were under way, as far as is known.
    let totals = traced.session.totals(leap).unwrap();
    assert_eq!(
        (totals.entry.hits, totals.on_return.unseen),
        (2, 0),
        "{totals:?}"
    );
}

#[test]
fn returns_that_are_too_deep_are_counted_in_each_tier() {
    for tiers in ["uprobe_session", "uprobe_multi"] {
        again_without(tiers, "returns_deeper_than_the_kernel_follows_are_counted");
    }
}

#[test]
fn returns_are_paired_without_the_kernels_help() {
    for test in [
        "arguments_and_results_are_those_of_the_call",
        "recursion_keeps_entries_apart",
        "memory_at_the_return_is_that_of_the_return",
        "longjmp_and_tail_calls_leave_others_alone",
        "filters_run_before_anything_is_sent",
    ] {
        again_without("uprobe_session", test);
    }
}

#[test]
fn the_thread_pointer_is_that_of_the_thread() {
    let mut traced = Traced::start();
    if let Err(why) = &traced.session.facilities().thread_pointer {
        return common::skip("the_thread_pointer_is_that_of_the_thread", why);
    }
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    let pointer = Value::Register(Register::FsBase);
    // The first word of a thread's block is its own address (System V ABI AMD64, TLS).
    let own = capture(part, pointer, Extent::Bytes(8));
    let values = [
        pointer,
        slot(own, 0, Width::Eight, false),
        Value::Register(Register::Rdi),
    ];
    let values = values.map(|value| part.value(value)).to_vec();
    part.step(Step::Emit(Emit {
        values,
        registers: RegisterSet::NONE.with(Register::FsBase),
        ..Emit::default()
    }));
    traced.probe("see", program);
    traced.program.ask("self");
    let found = traced.records(|record| {
        let own = record.value(2);
        assert_eq!(record.value(0), own);
        assert_eq!(record.value(1), own);
        assert_eq!(record.register(Register::FsBase), own);
        own
    });
    assert_eq!(found.len(), 2);
    assert_ne!(found[0], found[1]);
}

#[test]
fn captures_are_the_same_where_links_are_not_to_be_had() {
    for test in [
        "arguments_and_results_are_those_of_the_call",
        "captures_follow_pointers_and_fail_one_by_one",
        "lengths_may_be_read_from_memory",
    ] {
        again_without("uprobe_multi", test);
    }
}

#[test]
fn hits_count_only_while_the_session_is_open() {
    let mut traced = Traced::start();
    let entered = traced.probe("down", entry(&[]));
    let returned = traced.probe("down", on_return(&[Value::Register(Register::Rdi)]));
    let always = HitProgram {
        always: true,
        ..entry(&[])
    };
    let always = traced.probe("down", always);
    let counted = |traced: &mut Traced| {
        traced.program.ask("down 9");
        let records = traced.records(|record| record.probe());
        let of = |probe| records.iter().filter(|one| **one == probe).count();
        (of(entered), of(returned), of(always))
    };
    traced.session.shut();
    assert_eq!(counted(&mut traced), (0, 0, 10));
    traced.session.open();
    assert_eq!(counted(&mut traced), (10, 10, 10));
    traced.session.shut();
    assert_eq!(counted(&mut traced), (0, 0, 10));
    for (probe, hits) in [(entered, 10), (always, 30)] {
        assert_eq!(traced.session.totals(probe).unwrap().entry.hits, hits);
    }
    let totals = traced.session.totals(returned).unwrap();
    assert_eq!((totals.entry.hits, totals.on_return.hits), (10, 10));
    assert_eq!(totals.on_return.unpaired, 0);
}

#[test]
fn hits_count_only_while_the_session_is_open_without_links_of_both() {
    again_without(
        "uprobe_session",
        "hits_count_only_while_the_session_is_open",
    );
}
