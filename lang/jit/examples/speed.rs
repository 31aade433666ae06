//! How fast compiled handlers run, against the same work in plain Rust, and how long compiling
//! takes. Run with `cargo run --release -p ytrace-jit --example speed`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Builder, FakeHost, limits};
use ytrace_jit::{CompiledProgram, Jit, Options};
use ytrace_lang::execute::{Budget, Executor};
use ytrace_lang::ir::{
    Base, BlockId, Class, Comparison, Function, FunctionId, Instruction, InstructionKind as I,
    IntegerOperator, IntegerType, MemoryType, Place, Program, Register, Terminator,
};
use ytrace_values::constants::{ContainerType, Element, Scalar, Shape, ShapeId};
use ytrace_values::memory::{Memory, MemoryError, Page};
use ytrace_values::{Constants, Limits, Machine, Operation, Store};

const ENTRY: BlockId = BlockId(0);
const PAGE: u64 = 4096;
const NODE: u64 = 64;
const BASE: u64 = 0x7f00_0000_0000;
const HEAP: u64 = 60 << 20;

/// One buffer, as a snapshot keeps the target's pages.
struct Heap {
    bytes: Arc<Vec<u8>>,
    asked: u64,
}

impl Memory for Heap {
    fn page_size(&self) -> u64 {
        PAGE
    }

    fn page(&mut self, address: u64) -> Result<Page, MemoryError> {
        self.asked += 1;
        let unmapped = MemoryError::Unmapped { address };
        let offset = address.checked_sub(BASE).ok_or(unmapped)? as usize;
        Page::new(self.bytes.clone(), offset, PAGE as usize).ok_or(unmapped)
    }
}

/// A list of nodes, in random or in address order; a node is its next, its number, and padding.
fn heap(random: bool) -> (Heap, u64, u64) {
    let count = HEAP / NODE;
    let mut order: Vec<u64> = (0..count).collect();
    let mut state = 88_172_645_463_325_252_u64;
    if random {
        for at in (1..order.len()).rev() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            order.swap(at, (state % (at as u64 + 1)) as usize);
        }
    }
    let mut bytes = vec![0_u8; HEAP as usize];
    for (index, &node) in order.iter().enumerate() {
        let next = order.get(index + 1).map_or(0, |next| BASE + next * NODE);
        let at = (node * NODE) as usize;
        bytes[at..at + 8].copy_from_slice(&next.to_le_bytes());
        bytes[at + 8..at + 16].copy_from_slice(&(index as u64).to_le_bytes());
    }
    let head = BASE + order[0] * NODE;
    let heap = Heap {
        bytes: Arc::new(bytes),
        asked: 0,
    };
    (heap, head, count)
}

const WORD: IntegerType = IntegerType {
    size: 8,
    signed: false,
};

fn integer(
    b: &mut Builder,
    block: BlockId,
    operator: IntegerOperator,
    to: Register,
    left: Register,
    right: Register,
) {
    b.push(
        block,
        I::Integer {
            operator,
            ty: WORD,
            to,
            left,
            right,
        },
    );
}

fn field(pointer: Register, offset: i64) -> Place {
    Place {
        base: Base::Target(pointer),
        offset,
        index: None,
    }
}

/// `for (p = head; p; p = p->next) body(p)`.
fn walk(
    head: u64,
    prepare: impl FnOnce(&mut Builder) -> Register,
    body: impl FnOnce(&mut Builder, BlockId, Register, Register),
) -> Builder {
    let mut b = Builder::new("walk", &[], Some(Class::Word));
    b.push(ENTRY, I::Step);
    let state = prepare(&mut b);
    let pointer = b.constant(ENTRY, head);
    let (test, next, done) = (b.block(), b.block(), b.block());
    b.end(ENTRY, Terminator::Jump(test));
    b.end(
        test,
        Terminator::Branch {
            condition: pointer,
            then: next,
            otherwise: done,
        },
    );
    body(&mut b, next, pointer, state);
    b.push(
        next,
        I::Load {
            to: pointer,
            place: field(pointer, 0),
            ty: MemoryType::W64,
        },
    );
    b.push(next, I::Step);
    b.end(next, Terminator::Jump(test));
    b.end(done, Terminator::Return(Some(state)));
    b
}

fn sum_walk(head: u64) -> Builder {
    walk(head, Builder::word, |b, block, pointer, sum| {
        let part = b.word();
        b.push(
            block,
            I::Load {
                to: part,
                place: field(pointer, 8),
                ty: MemoryType::W64,
            },
        );
        integer(b, block, IntegerOperator::Add, sum, sum, part);
    })
}

fn table_walk(head: u64) -> Builder {
    let mut b = walk(
        head,
        |b| {
            let (kind, table) = (b.constant(ENTRY, 0), b.word());
            b.push(
                ENTRY,
                I::Operation {
                    operation: Operation::ContainerNew,
                    arguments: vec![kind],
                    to: Some(table),
                },
            );
            table
        },
        |b, block, pointer, table| {
            let (row, value, one) = (b.word(), b.word(), b.constant(block, 1));
            b.push(
                block,
                I::Operation {
                    operation: Operation::TableInsert,
                    arguments: vec![table, pointer],
                    to: Some(row),
                },
            );
            let place = Place {
                base: Base::Row {
                    container: table,
                    row,
                },
                offset: 8,
                index: None,
            };
            b.push(
                block,
                I::Load {
                    to: value,
                    place,
                    ty: MemoryType::W64,
                },
            );
            integer(b, block, IntegerOperator::Add, value, value, one);
            b.push(
                block,
                I::Store {
                    place,
                    from: value,
                    ty: MemoryType::W64,
                },
            );
        },
    );
    // The result is the number of keys.
    let done = BlockId(3);
    if let Terminator::Return(Some(table)) = b.function.blocks[done.0 as usize].terminator {
        b.push(
            done,
            I::Operation {
                operation: Operation::ContainerLength,
                arguments: vec![table],
                to: Some(table),
            },
        );
    }
    b
}

/// `for (i = 0; i < rounds; i++) x = x * 31 + (i ^ (x >> 7))`.
fn arithmetic(rounds: u64) -> Builder {
    let mut b = Builder::new("arithmetic", &[], Some(Class::Word));
    b.push(ENTRY, I::Step);
    let (x, i) = (b.word(), b.word());
    let (test, body, done) = (b.block(), b.block(), b.block());
    b.end(ENTRY, Terminator::Jump(test));
    let (limit, less) = (b.constant(test, rounds), b.word());
    b.push(
        test,
        I::CompareIntegers {
            comparison: Comparison::Less,
            signed: false,
            to: less,
            left: i,
            right: limit,
        },
    );
    b.end(
        test,
        Terminator::Branch {
            condition: less,
            then: body,
            otherwise: done,
        },
    );
    let (factor, shift, one) = (
        b.constant(body, 31),
        b.constant(body, 7),
        b.constant(body, 1),
    );
    let (product, shifted) = (b.word(), b.word());
    integer(&mut b, body, IntegerOperator::ShiftRight, shifted, x, shift);
    integer(&mut b, body, IntegerOperator::Xor, shifted, shifted, i);
    integer(&mut b, body, IntegerOperator::Multiply, product, x, factor);
    integer(&mut b, body, IntegerOperator::Add, x, product, shifted);
    integer(&mut b, body, IntegerOperator::Add, i, i, one);
    b.push(body, I::Step);
    b.end(body, Terminator::Jump(test));
    b.end(done, Terminator::Return(Some(x)));
    b
}

/// `for (i = 0; i < rounds; i++) x = f(x, i)`, with `f(x, i) = x + i`.
fn calls(rounds: u64) -> Vec<Function> {
    let mut callee = Builder::new("f", &[Class::Word, Class::Word], Some(Class::Word));
    callee.push(ENTRY, I::Step);
    let to = callee.word();
    integer(
        &mut callee,
        ENTRY,
        IntegerOperator::Add,
        to,
        Register(0),
        Register(1),
    );
    callee.end(ENTRY, Terminator::Return(Some(to)));
    let mut b = arithmetic(rounds);
    let body = &mut b.function.blocks[2].instructions;
    // The arithmetic goes but for the counter and the step.
    body.drain(3..7);
    let span = body[0].span;
    let call = Instruction {
        kind: I::Call {
            function: FunctionId(1),
            arguments: vec![Register(0), Register(1)],
            to: Some(Register(0)),
        },
        span,
    };
    body.insert(3, call);
    vec![b.function, callee.function]
}

fn program(builder: Builder) -> Arc<Program> {
    program_of(vec![builder.function])
}

fn program_of(functions: Vec<Function>) -> Arc<Program> {
    let constants = Constants {
        shapes: vec![Shape::Scalar(Scalar::Unsigned(8))],
        containers: vec![ContainerType::Table {
            key: vec![Scalar::Pointer],
            key_shapes: vec![(ShapeId(0), 1)],
            element: Element::Value {
                size: 8,
                shape: ShapeId(0),
            },
        }],
        ..Constants::default()
    };
    common::program(functions, constants)
}

/// The time of the fastest of some runs, and the result.
fn fastest(times: usize, mut work: impl FnMut() -> u64) -> (Duration, u64) {
    let mut best = Duration::MAX;
    let mut result = 0;
    for _ in 0..times {
        let start = Instant::now();
        result = black_box(work());
        best = best.min(start.elapsed());
    }
    (best, result)
}

fn run(jit: &mut Jit, memory: &mut Heap) -> Result<u64, Box<dyn Error>> {
    let constants = Arc::clone(&jit.code().program().constants);
    let limits = Limits {
        memory: 1 << 32,
        ..limits()
    };
    let mut store = Store::new(constants, limits);
    let mut host = FakeHost::default();
    let mut machine = Machine {
        store: &mut store,
        memory,
        host: &mut host,
    };
    let budget = Budget {
        steps: u64::MAX,
        ..common::budget()
    };
    let outcome = jit.run(FunctionId(0), &mut machine, budget);
    outcome
        .result
        .map_err(|fault| format!("the run faulted: {fault:?}").into())
}

fn measure(
    name: &str,
    program: Arc<Program>,
    memory: &mut Heap,
    units: u64,
    options: Options,
    plain: impl FnMut() -> u64,
) -> Result<(), Box<dyn Error>> {
    let code = Arc::new(CompiledProgram::compile(program, options)?);
    let mut jit = Jit::new(code);
    memory.asked = 0;
    let expected = run(&mut jit, memory)?;
    let asked = memory.asked;
    let (time, _) = fastest(5, || run(&mut jit, memory).unwrap_or_default());
    let (plain_time, plain_result) = fastest(5, plain);
    let each = |time: Duration| time.as_nanos() as f64 / units as f64;
    println!(
        "{name:44} {:7.2} ns  plain {:7.2} ns  ratio {:5.2}  pages asked for {asked}{}",
        each(time),
        each(plain_time),
        each(time) / each(plain_time),
        if expected == plain_result {
            ""
        } else {
            "  (results differ)"
        },
    );
    Ok(())
}

fn plain_sum(heap: &Heap, head: u64) -> u64 {
    let word = |at: u64| {
        let at = (at - BASE) as usize;
        u64::from_le_bytes(heap.bytes[at..at + 8].try_into().unwrap_or_default())
    };
    let (mut pointer, mut sum) = (head, 0_u64);
    while pointer != 0 {
        sum = sum.wrapping_add(word(pointer + 8));
        pointer = word(pointer);
    }
    sum
}

#[inline(never)]
fn plain_callee(x: u64, i: u64) -> u64 {
    black_box(x.wrapping_add(i))
}

/// A function of about five hundred instructions, such as a walk over several structs has.
fn large() -> Builder {
    let mut b = Builder::new("large", &[], Some(Class::Word));
    b.push(ENTRY, I::Step);
    let (sum, pointer) = (b.word(), b.constant(ENTRY, BASE));
    let mut at = ENTRY;
    for round in 0..50 {
        let (part, less) = (b.word(), b.word());
        let limit = b.constant(at, round * 3);
        for offset in 0..3 {
            b.push(
                at,
                I::Load {
                    to: part,
                    place: field(pointer, offset * 8),
                    ty: MemoryType::U32,
                },
            );
            integer(&mut b, at, IntegerOperator::Add, sum, sum, part);
        }
        b.push(
            at,
            I::CompareIntegers {
                comparison: Comparison::Less,
                signed: false,
                to: less,
                left: sum,
                right: limit,
            },
        );
        let (then, after) = (b.block(), b.block());
        b.end(
            at,
            Terminator::Branch {
                condition: less,
                then,
                otherwise: after,
            },
        );
        integer(&mut b, then, IntegerOperator::Xor, sum, sum, limit);
        b.push(then, I::Step);
        b.end(then, Terminator::Jump(after));
        at = after;
    }
    b.end(at, Terminator::Return(Some(sum)));
    b
}

fn main() -> Result<(), Box<dyn Error>> {
    let entries: Vec<u64> = std::env::args()
        .skip(1)
        .map(|argument| argument.parse())
        .collect::<Result<_, _>>()?;
    let sizes = if entries.is_empty() {
        vec![Options::new(PAGE).cache_entries]
    } else {
        entries
    };
    for cache_entries in sizes {
        let options = Options {
            cache_entries,
            ..Options::new(PAGE)
        };
        println!("cache of {cache_entries} entries");
        for random in [true, false] {
            let (mut memory, head, count) = heap(random);
            let order = if random { "random" } else { "address" };
            let heap = Heap {
                bytes: memory.bytes.clone(),
                asked: 0,
            };
            measure(
                &format!("walk of a list in {order} order, a node"),
                program(sum_walk(head)),
                &mut memory,
                count,
                options,
                || plain_sum(&heap, head),
            )?;
            if !random {
                measure(
                    "table[pointer] += 1, a node",
                    program(table_walk(head)),
                    &mut memory,
                    count,
                    options,
                    || {
                        let mut table: HashMap<u64, u64, foldhash::fast::RandomState> =
                            HashMap::default();
                        let word = |at: u64| {
                            let at = (at - BASE) as usize;
                            u64::from_le_bytes(
                                heap.bytes[at..at + 8].try_into().unwrap_or_default(),
                            )
                        };
                        let mut pointer = head;
                        while pointer != 0 {
                            *table.entry(pointer).or_default() += 1;
                            pointer = word(pointer);
                        }
                        black_box(&table).len() as u64
                    },
                )?;
            }
        }
    }
    let rounds = 50_000_000;
    let (mut memory, ..) = heap(false);
    measure(
        "arithmetic loop, a round",
        program(arithmetic(rounds)),
        &mut memory,
        rounds,
        Options::new(PAGE),
        || {
            let mut x = 0_u64;
            for i in 0..black_box(rounds) {
                x = x.wrapping_mul(31).wrapping_add(i ^ (x >> 7));
            }
            x
        },
    )?;

    measure(
        "call of a small function, a call",
        program_of(calls(rounds)),
        &mut memory,
        rounds,
        Options::new(PAGE),
        || {
            let mut x = 0;
            for i in 0..black_box(rounds) {
                x = plain_callee(x, i);
            }
            x
        },
    )?;

    let mut empty = Builder::new("empty", &[], None);
    empty.push(ENTRY, I::Step);
    let program_of_one = program(empty);
    let code = Arc::new(CompiledProgram::compile(
        Arc::clone(&program_of_one),
        Options::new(PAGE),
    )?);
    let mut jit = Jit::new(code);
    let mut store = Store::new(Arc::clone(&program_of_one.constants), limits());
    let mut host = FakeHost::default();
    let runs = 1_000_000;
    let (time, _) = fastest(3, || {
        let mut steps = 0;
        for _ in 0..runs {
            let mut machine = Machine {
                store: &mut store,
                memory: &mut memory,
                host: &mut host,
            };
            steps += jit.run(FunctionId(0), &mut machine, common::budget()).steps;
        }
        steps
    });
    println!(
        "a run of an empty handler: {:.1} ns",
        time.as_nanos() as f64 / f64::from(runs)
    );

    let large = program(large());
    let instructions: usize = large.functions[0]
        .blocks
        .iter()
        .map(|block| block.instructions.len() + 1)
        .sum();
    let mut size = 0;
    let (time, _) = fastest(20, || {
        let code = CompiledProgram::compile(Arc::clone(&large), Options::new(PAGE));
        size = code.map_or(0, |code| code.code_size());
        0
    });
    println!(
        "compiling one function of {instructions} instructions: {:.2} ms, {size} bytes",
        time.as_secs_f64() * 1e3
    );
    let mut many = program_of(
        (0..30)
            .map(|_| {
                let mut function = large.functions[0].clone();
                function.blocks.truncate(30);
                for (index, block) in function.blocks.iter_mut().enumerate() {
                    block.terminator = if index < 29 {
                        Terminator::Jump(BlockId(index as u32 + 1))
                    } else {
                        Terminator::Return(None)
                    };
                }
                function
            })
            .collect(),
    );
    if let Some(program) = Arc::get_mut(&mut many) {
        program.probes = (0..30).map(FunctionId).collect();
    }
    let instructions: usize = many
        .functions
        .iter()
        .flat_map(|function| &function.blocks)
        .map(|block| block.instructions.len() + 1)
        .sum();
    let (time, _) = fastest(10, || {
        CompiledProgram::compile(Arc::clone(&many), Options::new(PAGE))
            .map_or(0, |code| code.code_size() as u64)
    });
    println!(
        "compiling thirty functions of {instructions} instructions together: {:.2} ms",
        time.as_secs_f64() * 1e3
    );
    Ok(())
}
