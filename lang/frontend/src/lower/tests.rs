//! Hand-built typed programs, lowered, verified and interpreted.

use std::sync::Arc;

use super::{LowerError, lower};
use crate::execute::{Budget, Executor, Outcome};
use crate::hir::{
    ArithmeticOperator as A, CallArgument, CompareOperator as C, Container, ContainerKind,
    Conversion, Expression, ExpressionKind as E, Foreach, Function, FunctionId, Global, GlobalId,
    LabelId, Local, LocalId, Place, PlaceKind, Probe, ProbePoint, Program, Statement,
    StatementKind as S,
};
use crate::interpret::Interpreter;
use crate::source::Span;
use crate::testing::world::{RecordingHost, SparseMemory};
use crate::types::{Member, Record, RecordBody, Type, TypeId, Types};
use crate::verify::verify;
use ytrace_values::{FaultKind, Limits, Machine, Operation, Store};

const SPAN: Span = Span {
    file: crate::source::FileId(0),
    start: 1,
    end: 2,
    expansion: 0,
};

/// A member of a record: type, offset, bits.
type Part = (TypeId, u64, Option<(u32, u32)>);

/// A program under construction: function 0 is what the test runs.
struct Maker {
    types: Types,
    globals: Vec<Global>,
    functions: Vec<Function>,
    int: TypeId,
    long: TypeId,
    unsigned_char: TypeId,
    double: TypeId,
    float: TypeId,
    str: TypeId,
    void: TypeId,
    pointer: TypeId,
}

impl Maker {
    fn new() -> Self {
        let mut types = Types::default();
        let mut integer = |size, signed, rank| {
            types.intern(Type::Integer {
                size,
                signed,
                rank,
                character: false,
            })
        };
        let int = integer(4, true, 3);
        let long = integer(8, true, 4);
        let unsigned_char = integer(1, false, 1);
        let void = types.intern(Type::Void);
        Self {
            int,
            long,
            unsigned_char,
            double: types.intern(Type::Float { size: 8 }),
            float: types.intern(Type::Float { size: 4 }),
            str: types.intern(Type::Str),
            pointer: types.intern(Type::Pointer(void)),
            void,
            types,
            globals: Vec::new(),
            functions: Vec::new(),
        }
    }

    fn record(&mut self, members: &[Part], size: u64) -> TypeId {
        let members = members
            .iter()
            .map(|(ty, offset, bits)| Member {
                role: crate::target::MemberRole::Always,
                name: Some(format!("m{offset}")),
                ty: *ty,
                offset: *offset,
                bits: *bits,
            })
            .collect();
        let id = self.types.add_record(Record {
            name: "pair".to_owned(),
            union: false,
            origin: None,
            module: None,
            body: Some(RecordBody {
                size,
                align: 8,
                members,
                by_reference: None,
            }),
        });
        self.types.intern(Type::Record(id))
    }

    fn table(&mut self, keys: &[TypeId], value: TypeId) -> TypeId {
        self.types.intern(Type::Table(keys.to_vec(), value))
    }

    fn global(&mut self, ty: TypeId) -> GlobalId {
        self.globals.push(Global {
            name: format!("g{}", self.globals.len()),
            ty,
            initializer: Vec::new(),
            span: SPAN,
            documentation: None,
        });
        GlobalId(self.globals.len() as u32 - 1)
    }

    fn function(
        &mut self,
        result: TypeId,
        parameters: u32,
        locals: &[TypeId],
        body: Vec<Statement>,
    ) -> FunctionId {
        self.functions.push(Function {
            name: format!("f{}", self.functions.len()),
            parameters,
            locals: locals
                .iter()
                .enumerate()
                .map(|(index, ty)| Local {
                    name: format!("l{index}"),
                    ty: *ty,
                    span: SPAN,
                })
                .collect(),
            result,
            body,
            late: false,
            span: SPAN,
        });
        FunctionId(self.functions.len() as u32 - 1)
    }

    fn program(self) -> Program {
        Program {
            types: self.types,
            globals: self.globals,
            functions: self.functions,
            probes: Vec::new(),
            options: Vec::new(),
            views: Vec::new(),
            thread_locals: Vec::new(),
            stacks: false,
            thread_pointers: false,
            live: false,
            max_overhead: None,
            layouts: Vec::new(),
            formats: Vec::new(),
            regexes: Vec::new(),
            shown: None,
        }
    }

    /// Lowers, verifies and runs the last function.
    fn run(self) -> Outcome {
        self.run_with(1_000_000, 1 << 20).0
    }

    fn run_with(self, steps: u64, stack: u64) -> (Outcome, Store) {
        let last = FunctionId(self.functions.len() as u32 - 1);
        let mut program = self.program();
        program.probes.push(Probe {
            point: ProbePoint::Oneshot,
            function: last,
            span: SPAN,
        });
        let program = Arc::new(lower(&program).expect("lowers"));
        verify(&program).expect("verifies");
        let limits = Limits {
            memory: 1 << 24,
            output: 1 << 20,
            string: 1 << 10,
        };
        let mut store = Store::new(Arc::clone(&program.constants), limits);
        let mut memory = SparseMemory::default();
        memory.write(0x1000, &(0..=255).collect::<Vec<u8>>());
        let mut host = RecordingHost::default();
        let budget = Budget {
            steps,
            stack,
            deadline: None,
            interrupt: None,
        };
        let mut interpreter = Interpreter::new(Arc::clone(&program));
        let mut machine = Machine {
            store: &mut store,
            memory: &mut memory,
            host: &mut host,
        };
        let first = interpreter.run(program.initialize, &mut machine, budget);
        assert_eq!(first.result, Ok(0));
        let root = program.probes.first().copied().expect("one probe");
        let outcome = interpreter.run(root, &mut machine, budget);
        (outcome, store)
    }

    // Expressions.

    fn int(&self, value: i64) -> Expression {
        self.make(E::Integer(value as u64), self.long)
    }

    fn make(&self, kind: E, ty: TypeId) -> Expression {
        Expression {
            kind,
            ty,
            span: SPAN,
        }
    }

    fn arithmetic(&self, operator: A, left: Expression, right: Expression) -> Expression {
        let ty = left.ty;
        self.make(E::Arithmetic(operator, Box::new(left), Box::new(right)), ty)
    }

    fn add(&self, left: Expression, right: Expression) -> Expression {
        self.arithmetic(A::Add, left, right)
    }

    fn compare(&self, operator: C, left: Expression, right: Expression) -> Expression {
        self.make(
            E::Compare(operator, Box::new(left), Box::new(right)),
            self.int,
        )
    }
}

fn place(kind: PlaceKind, ty: TypeId) -> Place {
    Place {
        kind,
        ty,
        span: SPAN,
    }
}

fn local(index: u32, ty: TypeId) -> Place {
    place(PlaceKind::Local(LocalId(index)), ty)
}

fn load(place: Place) -> Expression {
    let ty = place.ty;
    Expression {
        kind: E::Load(Box::new(place)),
        ty,
        span: SPAN,
    }
}

fn get(index: u32, ty: TypeId) -> Expression {
    load(local(index, ty))
}

fn assign(place: Place, value: Expression) -> Expression {
    let ty = place.ty;
    Expression {
        kind: E::Assign(Box::new(place), Box::new(value)),
        ty,
        span: SPAN,
    }
}

fn member(base: Place, offset: u64, bits: Option<(u32, u32)>, ty: TypeId) -> Place {
    place(
        PlaceKind::Member {
            base: Box::new(base),
            offset,
            bits,
        },
        ty,
    )
}

fn statement(kind: S) -> Statement {
    Statement { kind, span: SPAN }
}

fn run(expression: Expression) -> Statement {
    statement(S::Expression(expression))
}

fn set(place: Place, value: Expression) -> Statement {
    run(assign(place, value))
}

fn give(expression: Expression) -> Statement {
    statement(S::Return(Some(expression)))
}

fn global_container(id: GlobalId, ty: TypeId) -> Container {
    Container {
        kind: ContainerKind::Global(id),
        ty,
        span: SPAN,
    }
}

fn add_to(target: Place, value: Expression) -> Statement {
    let ty = target.ty;
    run(Expression {
        kind: E::AssignArithmetic {
            place: Box::new(target),
            operator: A::Add,
            compute: ty,
            value: Box::new(value),
        },
        ty,
        span: SPAN,
    })
}

fn counting_loop(m: &Maker, counter: u32, limit: i64, body: Vec<Statement>) -> Statement {
    let step = m.make(
        E::Step {
            place: Box::new(local(counter, m.long)),
            amount: 1,
            postfix: true,
        },
        m.long,
    );
    statement(S::Loop {
        condition: Some(m.compare(C::Less, get(counter, m.long), m.int(limit))),
        test_last: false,
        step: Some(step),
        body,
    })
}

fn kind_of(outcome: &Outcome) -> Option<FaultKind> {
    outcome.result.as_ref().err().map(|fault| fault.fault.kind)
}

#[test]
fn a_loop_takes_a_step_an_iteration_and_one_for_its_function() {
    let mut m = Maker::new();
    let body = vec![
        counting_loop(&m, 0, 10, vec![add_to(local(1, m.long), get(0, m.long))]),
        give(get(1, m.long)),
    ];
    m.function(m.long, 0, &[m.long, m.long], body);
    let outcome = m.run();
    assert_eq!(
        outcome,
        Outcome {
            result: Ok(45),
            steps: 11
        }
    );
}

#[test]
fn the_step_after_the_last_one_faults() {
    for (steps, good) in [(10, false), (11, true)] {
        let mut m = Maker::new();
        let body = vec![counting_loop(&m, 0, 10, Vec::new()), give(get(0, m.long))];
        m.function(m.long, 0, &[m.long], body);
        let (outcome, _) = m.run_with(steps, 1 << 20);
        assert_eq!(outcome.result.is_ok(), good);
        assert_eq!(outcome.steps, steps);
    }
}

#[test]
fn operands_are_evaluated_from_left_to_right() {
    // x + (x = 5) with x = 2 is 7, not 10.
    let mut m = Maker::new();
    let sum = m.add(get(0, m.long), assign(local(0, m.long), m.int(5)));
    let body = vec![set(local(0, m.long), m.int(2)), give(sum)];
    m.function(m.long, 0, &[m.long], body);
    assert_eq!(m.run().result, Ok(7));
}

#[test]
fn integers_wrap_and_division_by_zero_faults() {
    let mut m = Maker::new();
    let big = m.make(E::Integer(i64::from(i32::MAX) as u64), m.int);
    let one = m.make(E::Integer(1), m.int);
    m.function(m.int, 0, &[], vec![give(m.add(big, one))]);
    assert_eq!(m.run().result, Ok(i64::from(i32::MIN) as u64));

    let mut m = Maker::new();
    let least = m.int(i64::MIN);
    m.function(
        m.long,
        0,
        &[],
        vec![give(m.arithmetic(A::Divide, least, m.int(-1)))],
    );
    assert_eq!(m.run().result, Ok(i64::MIN as u64));

    let mut m = Maker::new();
    m.function(
        m.long,
        0,
        &[],
        vec![give(m.arithmetic(A::Remainder, m.int(1), m.int(0)))],
    );
    assert_eq!(kind_of(&m.run()), Some(FaultKind::DivisionByZero));
}

#[test]
fn logical_operators_do_not_evaluate_more_than_they_need() {
    let mut m = Maker::new();
    let bad = |m: &Maker| m.arithmetic(A::Divide, m.int(1), m.int(0));
    let logical = |m: &Maker, and, left, right| {
        m.make(
            E::Logical {
                and,
                left: Box::new(left),
                right: Box::new(right),
            },
            m.long,
        )
    };
    let no = logical(&m, true, m.compare(C::Less, m.int(2), m.int(1)), bad(&m));
    let yes = logical(&m, false, m.compare(C::Less, m.int(1), m.int(2)), bad(&m));
    m.function(m.long, 0, &[], vec![give(m.add(no, yes))]);
    assert_eq!(m.run().result, Ok(1));
}

#[test]
fn records_travel_by_value() {
    // pair f(pair p) { p.a += 1; return p; }  main: q.a = 3; r = f(q); return 100*q.a + r.a;
    let mut m = Maker::new();
    let pair = m.record(&[(m.long, 0, None), (m.long, 8, None)], 16);
    let callee = m.function(
        pair,
        1,
        &[pair],
        vec![
            add_to(member(local(0, pair), 0, None, m.long), m.int(1)),
            give(get(0, pair)),
        ],
    );
    let call = m.make(
        E::Call(callee, vec![CallArgument::Value(get(0, pair))]),
        pair,
    );
    let result = m.add(
        m.arithmetic(
            A::Multiply,
            load(member(local(0, pair), 0, None, m.long)),
            m.int(100),
        ),
        load(member(local(1, pair), 0, None, m.long)),
    );
    let body = vec![
        set(member(local(0, pair), 0, None, m.long), m.int(3)),
        set(local(1, pair), call),
        give(result),
    ];
    m.function(m.long, 0, &[pair, pair], body);
    assert_eq!(m.run().result, Ok(304));
}

#[test]
fn bit_fields_keep_their_neighbours_and_cut_their_values() {
    let mut m = Maker::new();
    // 3 bits unsigned at 0, 13 bits signed at 3 (over a byte boundary), 7 bits at 16.
    let fields = [Some((0, 3)), Some((3, 13)), Some((16, 7))];
    let record = m.record(
        &[
            (m.int, 0, fields[0]),
            (m.int, 0, fields[1]),
            (m.int, 0, fields[2]),
        ],
        4,
    );
    let field = |m: &Maker, index: usize| member(local(0, record), 0, fields[index], m.int);
    let int = |m: &Maker, value: i64| m.make(E::Integer(value as u64), m.int);
    let body = vec![
        set(field(&m, 0), int(&m, 3)),
        set(field(&m, 2), int(&m, 33)),
        // The value of the assignment is what the field holds: 4097 in 13 signed bits is -4095.
        set(
            local(1, m.long),
            m.make(
                E::Convert(
                    Conversion::Integer,
                    Box::new(assign(field(&m, 1), int(&m, 4097))),
                ),
                m.long,
            ),
        ),
        give(m.make(
            E::Operation(
                Operation::StrFromInteger,
                vec![
                    m.add(
                        get(1, m.long),
                        m.make(
                            E::Convert(
                                Conversion::Integer,
                                Box::new(m.add(
                                    load(field(&m, 1)),
                                    m.add(
                                        m.arithmetic(
                                            A::Multiply,
                                            load(field(&m, 0)),
                                            int(&m, 1000),
                                        ),
                                        load(field(&m, 2)),
                                    ),
                                )),
                            ),
                            m.long,
                        ),
                    ),
                    m.int(1),
                ],
            ),
            m.str,
        )),
    ];
    m.function(m.str, 0, &[record, m.long], body);
    let (outcome, store) = m.run_with(100, 1 << 16);
    let handle = outcome.result.expect("a string");
    // -4095 + -4095 + 3000 + 33
    assert_eq!(String::from_utf8_lossy(store.string(handle)), "-5157");
}

#[test]
fn reading_an_absent_row_inserts_nothing_and_compound_assignment_does() {
    let mut m = Maker::new();
    let ty = m.table(&[m.long], m.long);
    let table = m.global(ty);
    let row = |m: &Maker, key| {
        place(
            PlaceKind::Row(global_container(table, ty), vec![m.int(key)]),
            m.long,
        )
    };
    let length = |m: &Maker| {
        m.make(
            E::ContainerOperation(
                Operation::ContainerLength,
                global_container(table, ty),
                Vec::new(),
            ),
            m.long,
        )
    };
    let body = vec![
        add_to(local(0, m.long), load(row(&m, 7))),
        add_to(local(0, m.long), length(&m)),
        add_to(row(&m, 7), m.int(40)),
        add_to(row(&m, 7), m.int(2)),
        give(m.add(
            m.arithmetic(A::Multiply, load(row(&m, 7)), m.int(10)),
            m.add(get(0, m.long), length(&m)),
        )),
    ];
    m.function(m.long, 0, &[m.long], body);
    assert_eq!(m.run().result, Ok(421));
}

#[test]
fn an_absent_row_of_containers_is_empty_until_it_is_written() {
    let mut m = Maker::new();
    let array = m.types.intern(Type::Growing(m.long));
    let ty = m.table(&[m.long], array);
    let table = m.global(ty);
    let inner = |m: &Maker, key| Container {
        kind: ContainerKind::Row(Box::new(global_container(table, ty)), vec![m.int(key)]),
        ty: array,
        span: SPAN,
    };
    let length = |m: &Maker, container| {
        m.make(
            E::ContainerOperation(Operation::ContainerLength, container, Vec::new()),
            m.long,
        )
    };
    let push = |m: &Maker, value| {
        run(m.make(
            E::ArrayAppend {
                front: false,
                container: inner(m, 1),
                value: Box::new(m.int(value)),
            },
            m.void,
        ))
    };
    let outer = |_: &Maker| global_container(table, ty);
    let body = vec![
        add_to(local(0, m.long), length(&m, inner(&m, 1))),
        add_to(local(0, m.long), length(&m, outer(&m))),
        push(&m, 5),
        push(&m, 6),
        give(m.add(
            m.add(
                get(0, m.long),
                m.arithmetic(A::Multiply, length(&m, outer(&m)), m.int(100)),
            ),
            m.add(
                m.arithmetic(A::Multiply, length(&m, inner(&m, 1)), m.int(10)),
                load(place(
                    PlaceKind::Element(inner(&m, 1), Box::new(m.int(1))),
                    m.long,
                )),
            ),
        )),
    ];
    m.function(m.long, 0, &[m.long], body);
    assert_eq!(m.run().result, Ok(126));
}

#[test]
fn struct_keys_compare_by_field_and_come_back_in_loops() {
    let mut m = Maker::new();
    // A record with padding between its members and a float.
    let key = m.record(
        &[
            (m.unsigned_char, 0, None),
            (m.float, 4, None),
            (m.long, 8, None),
        ],
        16,
    );
    let ty = m.table(&[key], m.long);
    let table = m.global(ty);
    let make_key = |m: &Maker, float: f64| {
        m.make(
            E::Aggregate(vec![
                (0, None, m.make(E::Integer(200), m.unsigned_char)),
                (4, None, m.make(E::Float(float), m.float)),
                (8, None, m.int(-5)),
            ]),
            key,
        )
    };
    let row = |m: &Maker, float| {
        place(
            PlaceKind::Row(global_container(table, ty), vec![make_key(m, float)]),
            m.long,
        )
    };
    let foreach = Foreach {
        container: global_container(table, ty),
        keys: vec![LocalId(0)],
        value: Some(LocalId(1)),
        by: None,
        descending: false,
        limit: None,
        body: vec![
            add_to(
                local(2, m.long),
                load(member(local(0, key), 8, None, m.long)),
            ),
            add_to(local(2, m.long), get(1, m.long)),
            add_to(
                local(2, m.long),
                m.make(
                    E::Convert(
                        Conversion::FloatToInteger,
                        Box::new(load(member(local(0, key), 4, None, m.float))),
                    ),
                    m.long,
                ),
            ),
        ],
    };
    let body = vec![
        add_to(row(&m, 0.0), m.int(100)),
        add_to(row(&m, -0.0), m.int(1000)),
        add_to(row(&m, 7.5), m.int(10000)),
        statement(S::Foreach(Box::new(foreach))),
        give(get(2, m.long)),
    ];
    m.function(m.long, 0, &[key, m.long, m.long], body);
    // (−5 + 1100 + 0) + (−5 + 10000 + 7)
    assert_eq!(m.run().result, Ok(11097));
}

#[test]
fn a_loop_can_be_sorted_and_limited() {
    let mut m = Maker::new();
    let ty = m.table(&[m.long], m.long);
    let table = m.global(ty);
    let row = |m: &Maker, key| {
        place(
            PlaceKind::Row(global_container(table, ty), vec![m.int(key)]),
            m.long,
        )
    };
    let digits = add_to(
        local(2, m.long),
        m.add(
            m.arithmetic(A::Multiply, get(2, m.long), m.int(9)),
            get(0, m.long),
        ),
    );
    let foreach = Foreach {
        container: global_container(table, ty),
        keys: vec![LocalId(0)],
        value: Some(LocalId(1)),
        by: Some(get(1, m.long)),
        descending: true,
        limit: Some(m.int(2)),
        body: vec![digits],
    };
    let body = vec![
        set(row(&m, 1), m.int(50)),
        set(row(&m, 2), m.int(-70)),
        set(row(&m, 3), m.int(90)),
        statement(S::Foreach(Box::new(foreach))),
        give(get(2, m.long)),
    ];
    m.function(m.long, 0, &[m.long, m.long, m.long], body);
    let outcome = m.run();
    assert_eq!(outcome.result, Ok(31));
    // The function, three keys, two iterations.
    assert_eq!(outcome.steps, 6);
}

#[test]
fn a_caught_fault_keeps_locals_and_goes_on() {
    let mut m = Maker::new();
    let fault = m.record(
        &[
            (m.str, 0, None),
            (m.pointer, 8, None),
            (m.str, 16, None),
            (m.str, 24, None),
        ],
        32,
    );
    // The fault happens in a callee.
    let target = place(
        PlaceKind::Target(Box::new(m.make(E::Integer(0xdead_0000), m.pointer))),
        m.long,
    );
    let callee = m.function(m.long, 0, &[], vec![give(load(target))]);
    let call = m.make(E::Call(callee, Vec::new()), m.long);
    let body = vec![
        statement(S::Try {
            body: vec![
                set(local(1, m.long), m.int(5)),
                set(local(1, m.long), call),
                set(local(1, m.long), m.int(6)),
            ],
            fault: Some(LocalId(0)),
            handler: vec![add_to(
                local(1, m.long),
                load(member(local(0, fault), 8, None, m.long)),
            )],
        }),
        give(get(1, m.long)),
    ];
    m.function(m.long, 0, &[fault, m.long], body);
    assert_eq!(m.run().result, Ok(0xdead_0005));
}

#[test]
fn an_uncaught_fault_names_its_callers() {
    let mut m = Maker::new();
    let bad = m.arithmetic(A::Divide, m.int(1), m.int(0));
    let callee = m.function(m.long, 0, &[], vec![give(bad)]);
    let call = m.make(E::Call(callee, Vec::new()), m.long);
    m.function(m.long, 0, &[], vec![give(call)]);
    let fault = m.run().result.expect_err("a fault");
    let functions: Vec<u32> = fault.chain.iter().map(|(function, _)| function.0).collect();
    assert_eq!(functions, [0, 1]);
}

#[test]
fn recursion_ends_with_the_stack_budget_and_cannot_be_caught() {
    let mut m = Maker::new();
    let call = m.make(E::Call(FunctionId(0), Vec::new()), m.long);
    m.function(m.long, 0, &[], vec![give(m.add(call.clone(), m.int(1)))]);
    m.function(
        m.long,
        0,
        &[m.long],
        vec![
            statement(S::Try {
                body: vec![set(local(0, m.long), call)],
                fault: None,
                handler: vec![set(local(0, m.long), m.int(-1))],
            }),
            give(get(0, m.long)),
        ],
    );
    let outcome = m.run();
    let fault = outcome.result.expect_err("a fault");
    assert_eq!(fault.fault.kind, FaultKind::StackTooDeep);
    assert!(outcome.steps > 1000);
}

#[test]
fn local_containers_are_freed_on_every_way_out() {
    for how in 0..4 {
        let mut m = Maker::new();
        let array = m.types.intern(Type::Growing(m.long));
        let container = Container {
            kind: ContainerKind::Local(LocalId(1)),
            ty: array,
            span: SPAN,
        };
        let push = run(m.make(
            E::ArrayAppend {
                front: false,
                container,
                value: Box::new(m.int(1)),
            },
            m.void,
        ));
        let leave = match how {
            0 => statement(S::Continue),
            1 => statement(S::If(
                m.compare(C::Greater, get(0, m.long), m.int(90)),
                vec![statement(S::Break)],
                Vec::new(),
            )),
            2 => statement(S::Goto(LabelId(0))),
            _ => run(m.int(0)),
        };
        let body = vec![
            counting_loop(
                &m,
                0,
                100,
                vec![
                    statement(S::Block(vec![
                        statement(S::Declare(LocalId(1))),
                        push,
                        leave,
                    ])),
                    statement(S::Label(LabelId(0))),
                ],
            ),
            give(m.int(0)),
        ];
        m.function(m.long, 0, &[m.long, array], body);
        let (outcome, store) = m.run_with(1000, 1 << 16);
        assert_eq!(outcome.result, Ok(0));
        assert!(
            store.memory_used() < 2000,
            "way {how}: {}",
            store.memory_used()
        );
    }
}

#[test]
fn a_jump_past_the_declaration_of_a_container_is_refused() {
    let mut m = Maker::new();
    let array = m.types.intern(Type::Growing(m.long));
    m.function(
        m.void,
        0,
        &[array],
        vec![
            statement(S::Goto(LabelId(0))),
            statement(S::Declare(LocalId(0))),
            statement(S::Label(LabelId(0))),
        ],
    );
    assert!(matches!(
        lower(&m.program()),
        Err(LowerError::JumpIntoScope { name, .. }) if name == "l0"
    ));
}

#[test]
fn switches_fall_through_and_take_ranges() {
    let expected = [(1, 11), (2, 10), (3, 100), (9, 1000), (40, 1000), (41, 100)];
    for (value, result) in expected {
        let mut m = Maker::new();
        let label = |index| statement(S::Label(LabelId(index)));
        let body = vec![
            statement(S::Switch {
                value: m.int(value),
                cases: vec![(1, 1, LabelId(0)), (2, 2, LabelId(1)), (9, 40, LabelId(2))],
                signed: true,
                default: Some(LabelId(3)),
                body: vec![
                    label(0),
                    add_to(local(0, m.long), m.int(1)),
                    label(1),
                    add_to(local(0, m.long), m.int(10)),
                    statement(S::Break),
                    label(3),
                    add_to(local(0, m.long), m.int(100)),
                    statement(S::Break),
                    label(2),
                    add_to(local(0, m.long), m.int(1000)),
                ],
            }),
            give(get(0, m.long)),
        ];
        m.function(m.long, 0, &[m.long], body);
        assert_eq!(m.run().result, Ok(result), "switch ({value})");
    }
}

#[test]
fn an_index_outside_a_fixed_array_faults() {
    for (index, good) in [(0, true), (3, true), (4, false), (-1, false)] {
        let mut m = Maker::new();
        let array = m.types.intern(Type::Array(m.int, Some(4)));
        let element = place(
            PlaceKind::Index {
                base: Box::new(local(0, array)),
                index: Box::new(m.int(index)),
                stride: 4,
                count: 4,
            },
            m.int,
        );
        let one = m.make(E::Integer(1), m.int);
        let body = vec![set(element.clone(), one), give(load(element))];
        m.function(m.int, 0, &[array], body);
        let outcome = m.run();
        assert_eq!(outcome.result.is_ok(), good);
        if !good {
            assert_eq!(kind_of(&outcome), Some(FaultKind::IndexOutOfRange));
        }
    }
}

#[test]
fn loads_from_the_target_cross_pages_and_extend() {
    let mut m = Maker::new();
    let at = |m: &Maker, address: i64, ty| {
        load(place(
            PlaceKind::Target(Box::new(m.make(E::Integer(address as u64), m.pointer))),
            ty,
        ))
    };
    let wide = |m: &Maker, value| m.make(E::Convert(Conversion::Integer, Box::new(value)), m.long);
    // 0x83828180 as a signed int.
    let body = vec![give(wide(&m, at(&m, 0x1080, m.int)))];
    m.function(m.long, 0, &[], body);
    assert_eq!(m.run().result, Ok(0xffff_ffff_8382_8180));

    let mut m = Maker::new();
    let body = vec![give(at(&m, 0x10fe, m.int))];
    m.function(m.int, 0, &[], body);
    let outcome = m.run();
    let fault = outcome.result.expect_err("a fault").fault;
    assert_eq!(
        (fault.kind, fault.address),
        (FaultKind::Unmapped, Some(0x1100))
    );
}

#[test]
fn floats_out_of_range_fault() {
    for (value, good) in [
        (2_147_483_647.5, true),
        (2_147_483_648.0, false),
        (f64::NAN, false),
    ] {
        let mut m = Maker::new();
        let float = m.make(E::Float(value), m.double);
        let body = vec![give(m.make(
            E::Convert(Conversion::FloatToInteger, Box::new(float)),
            m.int,
        ))];
        m.function(m.int, 0, &[], body);
        let outcome = m.run();
        assert_eq!(outcome.result.is_ok(), good);
    }
}

#[test]
fn deep_nesting_is_refused_and_not_a_crash() {
    let mut m = Maker::new();
    let mut sum = m.int(1);
    for _ in 0..2000 {
        sum = m.add(sum, m.int(1));
    }
    m.function(m.long, 0, &[], vec![give(sum)]);
    assert!(matches!(
        lower(&m.program()),
        Err(LowerError::TooDeep { .. })
    ));
}
