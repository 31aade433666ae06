//! Fields that are read through the page entry of the field before: right across page ends, and never from a page that
//! has been dropped meanwhile.

mod common;

use common::{Builder, FakeMemory, PAGE, budget, run};
use ytrace_lang::ir::{
    Base, BlockId, Class, Function, FunctionId, InstructionKind as I, IntegerOperator, IntegerType,
    MemoryType, Place, Register, Terminator,
};

const ENTRY: BlockId = BlockId(0);
const START: u64 = 0x10000;
/// As many pages on, the index in the cache of the tests is the same.
const SAME_INDEX: u64 = 4 * PAGE;

fn load(b: &mut Builder, block: BlockId, base: Register, offset: i64) -> Register {
    let to = b.word();
    b.push(
        block,
        I::Load {
            to,
            place: Place {
                base: Base::Target(base),
                offset,
                index: None,
            },
            ty: MemoryType::U32,
        },
    );
    to
}

/// A function, a register with the address `START`, and what it loaded from there. The page was in the cache before: a look-up
/// that misses selects an entry that nothing can match later.
fn begun() -> (Builder, Register, Register) {
    let mut b = Builder::new("f", &[], Some(Class::Word));
    let other = b.constant(ENTRY, START);
    load(&mut b, ENTRY, other, 0);
    let base = b.constant(ENTRY, START);
    let first = load(&mut b, ENTRY, base, 0);
    (b, base, first)
}

/// Runs the first of some functions: its result, and how often a page was asked for.
fn result(functions: Vec<Function>) -> (u64, u64) {
    let mut memory = memory();
    let outcome = run(functions, &mut memory, budget());
    (outcome.result.unwrap(), memory.asked)
}

/// `left * 1000 + right`.
fn join(b: &mut Builder, block: BlockId, left: Register, right: Register) -> Register {
    let ty = IntegerType {
        size: 8,
        signed: false,
    };
    let thousand = b.constant(block, 1000);
    let product = b.integer(block, IntegerOperator::Multiply, ty, left, thousand);
    b.integer(block, IntegerOperator::Add, ty, product, right)
}

/// Pages whose words are their numbers, from 1.
fn memory() -> FakeMemory {
    let mut memory = FakeMemory::default();
    let bytes: Vec<u8> = (1..=4 * PAGE as u32).flat_map(u32::to_le_bytes).collect();
    memory.map(START, &bytes);
    memory
}

#[test]
fn fields_beside_one_another_ask_once_for_their_page() {
    let mut b = Builder::new("f", &[], Some(Class::Word));
    let base = b.constant(ENTRY, START);
    let first = load(&mut b, ENTRY, base, 0);
    let second = load(&mut b, ENTRY, base, 8);
    let sum = join(&mut b, ENTRY, first, second);
    b.end(ENTRY, Terminator::Return(Some(sum)));
    assert_eq!(result(vec![b.function]), (1003, 1));
}

#[test]
fn the_next_field_may_lie_on_the_next_page_or_before() {
    for (base, left, right, expected) in [
        (START + PAGE - 4, 0, 4, 64_065),
        (START + PAGE, 0, -4, 65_064),
        // Unaligned, and across the end.
        (START + PAGE - 6, 2, 4, 64 * 1000 + (65 << 16)),
    ] {
        let mut b = Builder::new("f", &[], Some(Class::Word));
        let base = b.constant(ENTRY, base);
        let first = load(&mut b, ENTRY, base, left);
        let second = load(&mut b, ENTRY, base, right);
        let sum = join(&mut b, ENTRY, first, second);
        b.end(ENTRY, Terminator::Return(Some(sum)));
        let outcome = run(vec![b.function], &mut memory(), budget());
        assert_eq!(outcome.result.unwrap(), expected, "{left} {right}");
    }
}

#[test]
fn a_page_that_another_look_up_has_dropped_is_looked_up_again() {
    let (mut b, base, first) = begun();
    let other = b.constant(ENTRY, START + SAME_INDEX);
    let dropping = load(&mut b, ENTRY, other, 0);
    let second = load(&mut b, ENTRY, base, 8);
    let sum = join(&mut b, ENTRY, first, second);
    let sum = join(&mut b, ENTRY, sum, dropping);
    b.end(ENTRY, Terminator::Return(Some(sum)));
    assert_eq!(result(vec![b.function]), (1_003_257, 3));
}

#[test]
fn a_page_that_a_callee_has_dropped_is_looked_up_again() {
    let (mut b, base, first) = begun();
    b.push(
        ENTRY,
        I::Call {
            function: FunctionId(1),
            arguments: Vec::new(),
            to: None,
        },
    );
    let second = load(&mut b, ENTRY, base, 8);
    let sum = join(&mut b, ENTRY, first, second);
    b.end(ENTRY, Terminator::Return(Some(sum)));
    let mut callee = Builder::new("g", &[], Some(Class::Word));
    let other = callee.constant(ENTRY, START + SAME_INDEX);
    let value = load(&mut callee, ENTRY, other, 0);
    callee.end(ENTRY, Terminator::Return(Some(value)));
    assert_eq!(result(vec![b.function, callee.function]), (1003, 3));
}

#[test]
fn a_block_that_two_others_go_to_looks_up_again() {
    let (mut b, base, first) = begun();
    let other = b.constant(ENTRY, START + SAME_INDEX);
    let (drops, keeps, join_block) = (b.block(), b.block(), b.block());
    b.end(
        ENTRY,
        Terminator::Branch {
            condition: first,
            then: drops,
            otherwise: keeps,
        },
    );
    let inherited = load(&mut b, drops, base, 4);
    let dropping = load(&mut b, drops, other, 0);
    b.end(drops, Terminator::Jump(join_block));
    b.end(keeps, Terminator::Jump(join_block));
    let second = load(&mut b, join_block, base, 8);
    let sum = join(&mut b, join_block, inherited, second);
    let sum = join(&mut b, join_block, sum, dropping);
    b.end(join_block, Terminator::Return(Some(sum)));
    assert_eq!(result(vec![b.function]), (2_003_257, 3));
}

#[test]
fn a_register_with_another_address_looks_up_again() {
    let mut b = Builder::new("f", &[], Some(Class::Word));
    let base = b.constant(ENTRY, START);
    let first = load(&mut b, ENTRY, base, 0);
    b.push(
        ENTRY,
        I::Constant {
            to: base,
            value: START + 2 * PAGE,
        },
    );
    let second = load(&mut b, ENTRY, base, 8);
    let sum = join(&mut b, ENTRY, first, second);
    b.end(ENTRY, Terminator::Return(Some(sum)));
    let outcome = run(vec![b.function], &mut memory(), budget());
    assert_eq!(outcome.result.unwrap(), 1131);
}

#[test]
fn a_register_that_comes_back_to_an_address_looks_up_again() {
    let (mut b, base, first) = begun();
    let go_to = |b: &mut Builder, value| {
        b.push(ENTRY, I::Constant { to: base, value });
    };
    // The page of this one takes the place of the first, which is gone when the register points to it again.
    go_to(&mut b, START + SAME_INDEX);
    let dropping = load(&mut b, ENTRY, base, 0);
    go_to(&mut b, START);
    let second = load(&mut b, ENTRY, base, 8);
    let sum = join(&mut b, ENTRY, first, second);
    let sum = join(&mut b, ENTRY, sum, dropping);
    b.end(ENTRY, Terminator::Return(Some(sum)));
    assert_eq!(result(vec![b.function]), (1_003_257, 3));
}
