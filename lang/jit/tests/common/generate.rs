//! Random programs in the intermediate representation, made from a list of choices, so that
//! shrinking the list shrinks the program.
//!
//! They keep the rules that the lowering keeps (words are extended to the type of an operation,
//! a step stands at the entry and at every back-edge) and break none that the executors may rely
//! on. They do read unmapped memory, use stale rows, overflow, recurse, raise and catch.

use std::sync::Arc;

use ytrace_lang::execute::Budget;
use ytrace_lang::ir::{
    Base, BlockId, Class, Comparison, FloatOperator, FunctionId, InstructionKind as I,
    IntegerOperator, IntegerType, MemoryType, Place, Program, Register, SlotId, Terminator,
};
use ytrace_values::constants::{ContainerType, ContainerTypeId, Element, Scalar, Shape, ShapeId};
use ytrace_values::{Constants, Operation};

use crate::common::{Builder, FakeMemory, PAGE, budget, program};

/// A list of choices; when it has run out, every choice is 0.
pub struct Choices {
    words: Vec<u32>,
    at: usize,
}

impl Choices {
    pub fn new(words: Vec<u32>) -> Self {
        Self { words, at: 0 }
    }

    /// A number below `limit`.
    fn below(&mut self, limit: u32) -> u32 {
        let word = self.words.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        word % limit
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u32) as usize]
    }
}

/// A program with the budget to run it under.
pub struct Case {
    pub program: Arc<Program>,
    pub budget: Budget<'static>,
}

/// A memory with holes: pages 1, 2, 4 and 9 and the last one.
pub fn memory() -> FakeMemory {
    let mut memory = FakeMemory::default();
    for page in [1, 2, 4, 9, u64::MAX / PAGE] {
        let bytes: Vec<u8> = (0..PAGE).map(|at| (at * 37 + page * 11) as u8).collect();
        memory.map(page * PAGE, &bytes);
    }
    memory
}

pub fn case(words: Vec<u32>) -> Case {
    let mut choices = Choices::new(words);
    let steps = choices.pick(&[1 << 20, 3, 40, 500, 65_536, 70_000]);
    let stack = choices.pick(&[1 << 16, 100, 2000, 8192]);
    let functions = (0..3)
        .map(|number| function(&mut choices, number))
        .collect();
    Case {
        program: program(functions, constants()),
        budget: Budget {
            steps,
            stack,
            ..budget()
        },
    }
}

const GLOBALS: u64 = 96;
const SLOT: u64 = 48;
const FLOAT_SLOT: u64 = 32;
const VALUE: u64 = 16;

fn constants() -> Constants {
    let value = Element::Value {
        size: VALUE,
        shape: ShapeId(0),
    };
    let table = |words: usize| ContainerType::Table {
        key: vec![Scalar::Unsigned(8); words],
        key_shapes: vec![(ShapeId(1), 1); words],
        element: value.clone(),
    };
    Constants {
        strings: vec![b"".to_vec(), b"key".to_vec(), b"a longer\0text".to_vec()],
        shapes: vec![
            Shape::Array {
                element: ShapeId(1),
                count: 2,
                stride: 8,
            },
            Shape::Scalar(Scalar::Unsigned(8)),
        ],
        containers: vec![
            table(1),
            table(2),
            ContainerType::Array {
                element: value.clone(),
            },
            ContainerType::Aggregate { linear: Vec::new() },
            ContainerType::Table {
                key: vec![Scalar::Unsigned(8)],
                key_shapes: vec![(ShapeId(1), 1)],
                element: Element::Container(ContainerTypeId(2)),
            },
        ],
        globals_size: GLOBALS,
        ..Constants::default()
    }
}

const WORD: IntegerType = IntegerType {
    size: 8,
    signed: false,
};

/// One function being made.
struct Maker<'c> {
    choices: &'c mut Choices,
    number: u32,
    b: Builder,
    at: BlockId,
    on_fault: Option<BlockId>,
    words: Vec<Register>,
    doubles: Vec<Register>,
    singles: Vec<Register>,
    /// Containers: table of one word, table of two, array, aggregate, table of arrays.
    containers: Vec<Register>,
    /// Per container with rows: the register of its row.
    rows: Vec<Register>,
    iterator: Register,
    scratch: [Register; 3],
    /// The address of this function's slot, and of the caller's.
    frames: Vec<Register>,
    left: u32,
}

fn function(choices: &mut Choices, number: u32) -> ytrace_lang::ir::Function {
    let entry = BlockId(0);
    let parameters: &[Class] = if number == 0 {
        &[]
    } else {
        &[
            Class::Word,
            Class::Word,
            Class::Float64,
            Class::Float32,
            Class::Word,
        ]
    };
    let mut b = Builder::new(&format!("f{number}"), parameters, Some(Class::Word));
    b.push(entry, I::Step);
    b.function.slots = vec![SLOT, FLOAT_SLOT];
    b.function.frame_cost = 100 + u64::from(number) * 7;
    let mut words: Vec<Register> = (0..5).map(|_| b.word()).collect();
    let mut doubles: Vec<Register> = (0..2).map(|_| b.register(Class::Float64)).collect();
    let mut singles: Vec<Register> = (0..2).map(|_| b.register(Class::Float32)).collect();
    let mut frames = vec![b.word()];
    if number > 0 {
        words.extend([Register(0), Register(1)]);
        doubles.push(Register(2));
        singles.push(Register(3));
        frames.push(Register(4));
    }
    b.push(
        entry,
        I::SlotAddress {
            to: frames[0],
            slot: SlotId(0),
        },
    );
    let containers: Vec<Register> = (0..5)
        .map(|index| {
            let (kind, to) = (b.constant(entry, index), b.word());
            b.push(
                entry,
                I::Operation {
                    operation: Operation::ContainerNew,
                    arguments: vec![kind],
                    to: Some(to),
                },
            );
            to
        })
        .collect();
    let rows = (0..3).map(|_| b.word()).collect();
    let iterator = b.word();
    let scratch = [b.word(), b.word(), b.word()];
    let mut maker = Maker {
        choices,
        number,
        b,
        at: entry,
        on_fault: None,
        words,
        doubles,
        singles,
        containers,
        rows,
        iterator,
        scratch,
        frames,
        left: 60,
    };
    maker.statements(3);
    maker.ending();
    maker.b.function
}

impl Maker<'_> {
    fn push(&mut self, kind: I) {
        self.b.push(self.at, kind);
    }

    fn block(&mut self) -> BlockId {
        let block = self.b.block();
        self.b.function.blocks[block.0 as usize].on_fault = self.on_fault;
        block
    }

    fn jump(&mut self, to: BlockId) {
        self.b.end(self.at, Terminator::Jump(to));
        self.at = to;
    }

    fn a_word(&mut self) -> Register {
        let words = self.words.clone();
        self.choices.pick(&words)
    }

    fn constant(&mut self, to: Register, value: u64) {
        self.push(I::Constant { to, value });
    }

    fn operation(&mut self, operation: Operation, arguments: &[Register], to: Option<Register>) {
        self.push(I::Operation {
            operation,
            arguments: arguments.to_vec(),
            to,
        });
    }

    fn arithmetic(
        &mut self,
        operator: IntegerOperator,
        to: Register,
        left: Register,
        right: Register,
    ) {
        self.push(I::Integer {
            operator,
            ty: WORD,
            to,
            left,
            right,
        });
    }

    fn statements(&mut self, depth: u32) {
        while self.left > 0 {
            self.left -= 1;
            match self.choices.below(30) {
                0 => return,
                1 | 2 if depth > 0 => self.conditional(depth - 1),
                3 | 4 if depth > 0 => self.repetition(depth - 1),
                5 if depth > 0 => self.protected(depth - 1),
                6 if depth > 0 => self.switch(depth - 1),
                7..=9 => self.integer(),
                10 => self.constant_word(),
                11 | 12 => self.target(),
                13 | 14 => self.tracer(),
                15 | 16 => self.float(),
                17 => self.call(),
                18..=23 => self.container(),
                24 | 25 => self.text(),
                26 => self.compare(),
                27 => self.slots(),
                28 => self.iterate(),
                _ => self.odd(),
            }
        }
    }

    fn constant_word(&mut self) {
        let to = self.a_word();
        let small = u64::from(self.choices.below(5));
        let value = match self.choices.below(8) {
            0 => 0,
            1 => 1,
            2 => u64::MAX,
            3 => 1 << 63,
            4 => PAGE * small + u64::from(self.choices.below(PAGE as u32)),
            5 => 0x8000_0000,
            6 => small,
            _ => u64::from(self.choices.below(1 << 16)).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        };
        self.constant(to, value);
    }

    fn integer(&mut self) {
        use IntegerOperator as O;
        let ty = IntegerType {
            size: self.choices.pick(&[4, 8, 1, 2]),
            signed: self.choices.below(2) == 1,
        };
        let operator = self.choices.pick(&[
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
        ]);
        let (left, right, to) = (self.a_word(), self.a_word(), self.a_word());
        let [l, r, _] = self.scratch;
        self.push(I::Extend {
            ty,
            to: l,
            from: left,
        });
        match self.choices.below(3) {
            0 => {
                let value = self
                    .choices
                    .pick(&[3, 0, 1, 7, 8, 31, 32, 63, 64, u64::MAX, 10]);
                self.constant(r, value);
                self.push(I::Extend { ty, to: r, from: r });
            }
            _ => self.push(I::Extend {
                ty,
                to: r,
                from: right,
            }),
        }
        self.push(I::Integer {
            operator,
            ty,
            to,
            left: l,
            right: r,
        });
    }

    fn comparison(&mut self) -> Comparison {
        use Comparison as C;
        self.choices.pick(&[
            C::Less,
            C::Equal,
            C::NotEqual,
            C::LessEqual,
            C::Greater,
            C::GreaterEqual,
        ])
    }

    fn compare(&mut self) {
        let (left, right, to) = (self.a_word(), self.a_word(), self.a_word());
        let comparison = self.comparison();
        let signed = self.choices.below(2) == 1;
        self.push(I::CompareIntegers {
            comparison,
            signed,
            to,
            left,
            right,
        });
    }

    /// A read of the target near a mapped page or a hole, with an index at times.
    fn target(&mut self) {
        let [address, index, _] = self.scratch;
        let page = u64::from(self.choices.below(11));
        let at = self
            .choices
            .pick(&[8, 0, PAGE - 8, PAGE - 4, PAGE - 1, 100, 33]);
        let start = if page == 10 {
            u64::MAX - PAGE + 1
        } else {
            page * PAGE
        };
        self.constant(address, start.wrapping_add(at));
        let indexed = self.choices.below(3) == 0;
        if indexed {
            let from = self.a_word();
            self.push(I::Extend {
                ty: IntegerType {
                    size: 1,
                    signed: true,
                },
                to: index,
                from,
            });
        }
        let place = Place {
            base: Base::Target(address),
            offset: i64::from(self.choices.below(5)) * 4 - 4,
            index: indexed.then_some(index),
        };
        if self.choices.below(4) == 0 {
            let length = self.choices.pick(&[8, 1, 3, 20, SLOT]);
            let to = Place {
                base: Base::Slot(SlotId(0)),
                offset: 0,
                index: None,
            };
            self.push(I::CopyBytes {
                to,
                from: place,
                length,
            });
            return;
        }
        let to = self.a_word();
        let ty = self.memory_type();
        self.push(I::Load { to, place, ty });
    }

    fn memory_type(&mut self) -> MemoryType {
        use MemoryType as M;
        self.choices
            .pick(&[M::W64, M::I8, M::U8, M::I16, M::U16, M::I32, M::U32])
    }

    /// A place in tracer memory of at least `size` bytes.
    fn place(&mut self, size: u64) -> Place {
        let index = self.scratch[1];
        let (base, length) = match self.choices.below(5) {
            0 => (Base::Globals, GLOBALS),
            1 => (Base::Slot(SlotId(0)), SLOT),
            2 => {
                let frames = self.frames.clone();
                (Base::Frame(self.choices.pick(&frames)), SLOT)
            }
            _ => {
                let which = self.choices.below(3) as usize;
                let keys = [8, 16, 0][which];
                // At times one byte too many.
                let more = u64::from(self.choices.below(10) == 9);
                let row = Base::Row {
                    container: self.containers[which],
                    row: self.rows[which],
                };
                (row, keys + VALUE + more)
            }
        };
        let room = length - size;
        if self.choices.below(4) == 0 {
            let from = self.a_word();
            self.push(I::Copy { to: index, from });
            // A negative word faults here.
            self.push(I::BoundsCheck {
                index,
                length: room + 1,
            });
            return Place {
                base,
                offset: 0,
                index: Some(index),
            };
        }
        Place {
            base,
            offset: i64::from(self.choices.below(room as u32 + 1)),
            index: None,
        }
    }

    fn tracer(&mut self) {
        let ty = self.memory_type();
        let word = self.a_word();
        match self.choices.below(5) {
            0 | 1 => {
                let place = self.place(ty.size());
                self.push(I::Load {
                    to: word,
                    place,
                    ty,
                });
            }
            2 | 3 => {
                let place = self.place(ty.size());
                self.push(I::Store {
                    place,
                    from: word,
                    ty,
                });
            }
            _ => {
                let place = self.place(8);
                self.push(I::Zero { place, length: 8 });
            }
        }
    }

    /// Copies between the slot and the globals, whose ranges never overlap.
    fn slots(&mut self) {
        let slot = Place {
            base: Base::Slot(SlotId(0)),
            offset: i64::from(self.choices.below(9)),
            index: None,
        };
        let globals = Place {
            base: Base::Globals,
            offset: i64::from(self.choices.below(57)),
            index: None,
        };
        let length = self.choices.pick(&[8, 1, 7, 24, 39]);
        let (to, from) = if self.choices.below(2) == 0 {
            (slot, globals)
        } else {
            (globals, slot)
        };
        self.push(I::CopyBytes { to, from, length });
    }

    fn float(&mut self) {
        let doubles = self.doubles.clone();
        let singles = self.singles.clone();
        let (d, e, f) = (
            self.choices.pick(&doubles),
            self.choices.pick(&doubles),
            self.choices.pick(&doubles),
        );
        let (s, t) = (self.choices.pick(&singles), self.choices.pick(&singles));
        let operator = self.choices.pick(&[
            FloatOperator::Add,
            FloatOperator::Subtract,
            FloatOperator::Multiply,
            FloatOperator::Divide,
        ]);
        let word = self.a_word();
        let signed = self.choices.below(2) == 1;
        match self.choices.below(12) {
            0 => {
                let value = self.choices.pick(&[
                    1.5,
                    0.0,
                    -0.0,
                    f64::NAN,
                    f64::INFINITY,
                    -1e30,
                    2147483648.0,
                    -9223372036854775808.0,
                    0.1,
                ]);
                self.push(I::Constant {
                    to: d,
                    value: value.to_bits(),
                });
                self.push(I::Constant {
                    to: s,
                    value: u64::from((value as f32).to_bits()),
                });
            }
            1 => self.push(I::Float {
                operator,
                to: d,
                left: e,
                right: f,
            }),
            2 => self.push(I::Float {
                operator,
                to: s,
                left: t,
                right: s,
            }),
            3 => {
                self.push(I::FloatNegate { to: d, from: e });
                self.push(I::FloatNegate { to: s, from: t });
            }
            4 => {
                let comparison = self.comparison();
                self.push(I::CompareFloats {
                    comparison,
                    to: word,
                    left: d,
                    right: e,
                });
            }
            5 => {
                let comparison = self.comparison();
                self.push(I::CompareFloats {
                    comparison,
                    to: word,
                    left: s,
                    right: t,
                });
            }
            6 => self.push(I::IntegerToFloat {
                signed,
                to: d,
                from: word,
            }),
            7 => self.push(I::IntegerToFloat {
                signed,
                to: s,
                from: word,
            }),
            8 => {
                let ty = IntegerType {
                    size: self.choices.pick(&[4, 8, 1, 2]),
                    signed,
                };
                let from = if self.choices.below(2) == 0 { d } else { s };
                self.push(I::FloatToInteger { ty, to: word, from });
            }
            9 => {
                self.push(I::FloatToFloat { to: s, from: d });
                self.push(I::FloatToFloat { to: e, from: t });
            }
            10 => {
                let place = |offset| Place {
                    base: Base::Slot(SlotId(1)),
                    offset,
                    index: None,
                };
                self.push(I::Store {
                    place: place(0),
                    from: d,
                    ty: MemoryType::F64,
                });
                self.push(I::Store {
                    place: place(12),
                    from: s,
                    ty: MemoryType::F32,
                });
                self.push(I::Load {
                    to: f,
                    place: place(0),
                    ty: MemoryType::F64,
                });
                self.push(I::Load {
                    to: t,
                    place: place(12),
                    ty: MemoryType::F32,
                });
            }
            _ => {
                // The sign and the payload of a NaN are not specified, so it becomes 0.
                let [bits, number, _] = self.scratch;
                self.push(I::FloatToBits { to: bits, from: d });
                self.push(I::CompareFloats {
                    comparison: Comparison::Equal,
                    to: number,
                    left: d,
                    right: d,
                });
                self.arithmetic(IntegerOperator::Multiply, word, bits, number);
                self.push(I::BitsToFloat { to: s, from: word });
                let operation = self
                    .choices
                    .pick(&[Operation::FloatAbs, Operation::FloatFloor]);
                self.operation(operation, &[word], Some(word));
            }
        }
    }

    fn call(&mut self) {
        let (x, y, to) = (self.a_word(), self.a_word(), self.a_word());
        // Recursion ends by the budget of the stack or of steps.
        let recursive = self.number > 0 && self.choices.below(4) == 0;
        let callee = if recursive {
            self.number
        } else {
            self.number + 1
        };
        if callee > 2 {
            return;
        }
        let (double, single) = (self.doubles[0], self.singles[0]);
        let frames = self.frames.clone();
        let frame = self.choices.pick(&frames);
        let to = (self.choices.below(4) > 0).then_some(to);
        self.push(I::Call {
            function: FunctionId(callee),
            arguments: vec![x, y, double, single, frame],
            to,
        });
    }

    fn container(&mut self) {
        use Operation as O;
        let [key, more, _] = self.scratch;
        // Keys come from a small range, so that they meet again.
        let from = self.a_word();
        self.constant(more, 7);
        self.arithmetic(IntegerOperator::And, key, from, more);
        let word = self.a_word();
        let [table, pairs, array, aggregate, nested] = self.containers[..] else {
            return;
        };
        let (table_row, pairs_row, array_row) = (self.rows[0], self.rows[1], self.rows[2]);
        match self.choices.below(16) {
            0 | 1 => self.operation(O::TableInsert, &[table, key], Some(table_row)),
            2 => self.operation(O::TableFind, &[table, key], Some(table_row)),
            3 => self.operation(O::TableDelete, &[table, key], Some(word)),
            4 => self.operation(O::TableInsert, &[pairs, key, more], Some(pairs_row)),
            5 => self.operation(O::TableFind, &[pairs, key, key], Some(pairs_row)),
            6 | 7 => self.operation(O::ArrayPush, &[array], Some(array_row)),
            8 => self.operation(O::ArrayPop, &[array], Some(array_row)),
            9 => self.operation(O::ArrayShift, &[array], Some(array_row)),
            10 => self.operation(O::ArrayUnshift, &[array], Some(array_row)),
            11 => self.operation(O::ArrayIndex, &[array, key], Some(array_row)),
            12 => {
                let which = self.choices.pick(&[table, pairs, array]);
                self.operation(O::ContainerLength, &[which], Some(word));
            }
            13 => {
                self.operation(O::AggregateAdd, &[aggregate, from, key], None);
                self.operation(O::AggregateSum, &[aggregate], Some(word));
            }
            14 => {
                // An array in a table: its handle lies after the key of the row.
                let row = self.scratch[2];
                self.operation(O::TableInsert, &[nested, key], Some(row));
                self.push(I::Load {
                    to: word,
                    place: Place {
                        base: Base::Row {
                            container: nested,
                            row,
                        },
                        offset: 8,
                        index: None,
                    },
                    ty: MemoryType::W64,
                });
                self.operation(O::ArrayPush, &[word], Some(row));
                self.push(I::Store {
                    place: Place {
                        base: Base::Row {
                            container: word,
                            row,
                        },
                        offset: 8,
                        index: None,
                    },
                    from: key,
                    ty: MemoryType::W64,
                });
                self.operation(O::ContainerLength, &[word], Some(word));
            }
            _ => {
                let which = self.choices.pick(&[table, pairs, array]);
                self.operation(O::ContainerClear, &[which], None);
            }
        }
    }

    /// A loop over a container that sums a word of its rows.
    fn iterate(&mut self) {
        let which = self.choices.below(3) as usize;
        let (container, row, iterator) = (self.containers[which], self.rows[which], self.iterator);
        let sum = self.a_word();
        self.operation(Operation::IteratorNew, &[container], Some(iterator));
        let (head, body, done) = (self.block(), self.block(), self.block());
        self.jump(head);
        self.push(I::Step);
        self.operation(Operation::IteratorNext, &[iterator], Some(row));
        let [none, more, part] = self.scratch;
        self.constant(none, u64::MAX);
        self.push(I::CompareIntegers {
            comparison: Comparison::NotEqual,
            signed: false,
            to: more,
            left: row,
            right: none,
        });
        self.b.end(
            head,
            Terminator::Branch {
                condition: more,
                then: body,
                otherwise: done,
            },
        );
        self.at = body;
        self.push(I::Load {
            to: part,
            place: Place {
                base: Base::Row { container, row },
                offset: 8,
                index: None,
            },
            ty: MemoryType::W64,
        });
        self.arithmetic(IntegerOperator::Add, sum, sum, part);
        self.jump(head);
        self.at = done;
    }

    fn text(&mut self) {
        use Operation as O;
        let [text, other, _] = self.scratch;
        let (word, from) = (self.a_word(), self.a_word());
        let index = self.choices.below(3);
        self.push(I::Literal { to: text, index });
        match self.choices.below(7) {
            0 => self.operation(O::StrLength, &[text], Some(word)),
            1 => {
                self.constant(other, 1);
                self.operation(O::StrFromInteger, &[from, other], Some(other));
                self.operation(O::StrConcat, &[text, other], Some(text));
                self.operation(O::StrLength, &[text], Some(word));
            }
            2 => self.operation(O::StrIndex, &[text, from], Some(word)),
            3 => {
                self.constant(other, 0);
                self.operation(O::PathAppendStr, &[other, text], Some(other));
                self.operation(O::PathAppendCode, &[other, from], Some(other));
                self.operation(O::PathDepth, &[other], Some(word));
            }
            4 => self.operation(O::PrintStr, &[text], None),
            5 => {
                self.operation(O::FaultKind, &[], Some(text));
                self.operation(O::PrintStr, &[text], None);
                self.operation(O::FaultMessage, &[], Some(text));
                self.operation(O::PrintStr, &[text], None);
            }
            _ => self.operation(O::FaultAddress, &[], Some(word)),
        }
    }

    /// What ends a run or a part of it.
    fn odd(&mut self) {
        let text = self.scratch[0];
        self.push(I::Literal { to: text, index: 1 });
        match self.choices.below(8) {
            0 => self.operation(Operation::Raise, &[text], None),
            1 => self.operation(Operation::Next, &[], None),
            2 => self.operation(Operation::AssertionFailed, &[text], None),
            3 => {
                let word = self.a_word();
                self.operation(Operation::RandomInteger, &[word], Some(word));
            }
            4 => {
                // A wrong number of arguments is an internal error in both.
                self.operation(Operation::StrLength, &[], None);
            }
            5 => {
                // What follows is never reached.
                let next = self.block();
                self.b.end(self.at, Terminator::Return(Some(self.words[0])));
                self.at = next;
            }
            _ => {
                let (to, from) = (self.a_word(), self.a_word());
                self.push(I::Copy { to, from });
            }
        }
    }

    fn conditional(&mut self, depth: u32) {
        let condition = self.a_word();
        let (then, otherwise, after) = (self.block(), self.block(), self.block());
        self.b.end(
            self.at,
            Terminator::Branch {
                condition,
                then,
                otherwise,
            },
        );
        for block in [then, otherwise] {
            self.at = block;
            self.statements(depth);
            self.jump(after);
        }
        self.at = after;
    }

    fn switch(&mut self, depth: u32) {
        let value = self.a_word();
        let blocks = [self.block(), self.block(), self.block()];
        let after = self.block();
        let words = self.choices.pick(&[[0, 1], [7, u64::MAX], [1, 1 << 63]]);
        self.b.end(
            self.at,
            Terminator::Switch {
                value,
                cases: vec![(words[0], blocks[0]), (words[1], blocks[1])],
                otherwise: blocks[2],
            },
        );
        for block in blocks {
            self.at = block;
            self.statements(depth);
            self.jump(after);
        }
        self.at = after;
    }

    /// A loop of a few rounds, or of many that do little.
    fn repetition(&mut self, depth: u32) {
        let (counter, limit, less) = (self.b.word(), self.b.word(), self.b.word());
        let one = self.b.word();
        let rounds = self.choices.pick(&[2, 0, 3, 5, 300]);
        self.constant(counter, 0);
        let (head, body, after) = (self.block(), self.block(), self.block());
        self.jump(head);
        self.constant(limit, rounds);
        self.push(I::CompareIntegers {
            comparison: Comparison::Less,
            signed: false,
            to: less,
            left: counter,
            right: limit,
        });
        self.b.end(
            head,
            Terminator::Branch {
                condition: less,
                then: body,
                otherwise: after,
            },
        );
        self.at = body;
        self.constant(one, 1);
        self.arithmetic(IntegerOperator::Add, counter, counter, one);
        self.statements(depth);
        self.push(I::Step);
        self.jump(head);
        self.at = after;
    }

    /// Statements whose faults go to a block of their own.
    fn protected(&mut self, depth: u32) {
        let handler = self.block();
        let outer = self.on_fault.replace(handler);
        let body = self.block();
        self.jump(body);
        self.statements(depth);
        self.on_fault = outer;
        let after = self.block();
        self.jump(after);
        self.at = handler;
        self.statements(depth);
        self.jump(after);
    }

    /// Leaves a trace of all registers in the globals, and returns.
    fn ending(&mut self) {
        let [sum, factor, _] = self.scratch;
        self.constant(sum, 1);
        self.constant(factor, 0x0010_0000_01b3);
        for word in self.words.clone() {
            self.arithmetic(IntegerOperator::Multiply, sum, sum, factor);
            self.arithmetic(IntegerOperator::Add, sum, sum, word);
        }
        self.push(I::Store {
            place: Place {
                base: Base::Globals,
                offset: i64::from(self.number) * 8,
                index: None,
            },
            from: sum,
            ty: MemoryType::W64,
        });
        self.b.end(self.at, Terminator::Return(Some(sum)));
    }
}
