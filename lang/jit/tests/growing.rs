//! Code that grows: each function is compiled once, whichever asks for it first, and one that cannot be compiled is not
//! tried again.

mod common;

use std::sync::Arc;

use common::{Builder, FakeHost, FakeMemory, budget, limits, options};
use ytrace_jit::{CompileError, CompiledProgram, Jit};
use ytrace_lang::execute::{Executor, Outcome};
use ytrace_lang::ir::{
    BlockId, Class, Function, FunctionId, InstructionKind, IntegerOperator, IntegerType, Program,
    Terminator,
};
use ytrace_values::{FaultKind, Machine, Operation, Store};

const ENTRY: BlockId = BlockId(0);
const SHARED: FunctionId = FunctionId(3);
const BROKEN: FunctionId = FunctionId(4);

/// Returns what a function gives for a number, and the time, times a hundred.
fn caller(name: &str, callee: FunctionId, number: u64) -> Function {
    let mut b = Builder::new(name, &[], Some(Class::Word));
    let argument = b.constant(ENTRY, number);
    let (time, result) = (b.word(), b.word());
    b.push(
        ENTRY,
        InstructionKind::Operation {
            operation: Operation::NowNs,
            arguments: Vec::new(),
            to: Some(time),
        },
    );
    b.push(
        ENTRY,
        InstructionKind::Call {
            function: callee,
            arguments: vec![argument],
            to: Some(result),
        },
    );
    let hundred = b.constant(ENTRY, 100);
    let ty = IntegerType {
        size: 8,
        signed: false,
    };
    let time = b.integer(ENTRY, IntegerOperator::Multiply, ty, time, hundred);
    let sum = b.integer(ENTRY, IntegerOperator::Add, ty, time, result);
    b.end(ENTRY, Terminator::Return(Some(sum)));
    b.function
}

/// The number less the process id.
fn shared() -> Function {
    let mut b = Builder::new("shared", &[Class::Word], Some(Class::Word));
    let number = ytrace_lang::ir::Register(0);
    let pid = b.word();
    b.push(
        ENTRY,
        InstructionKind::Operation {
            operation: Operation::Pid,
            arguments: Vec::new(),
            to: Some(pid),
        },
    );
    let ty = IntegerType {
        size: 8,
        signed: false,
    };
    let left = b.integer(ENTRY, IntegerOperator::Subtract, ty, number, pid);
    b.end(ENTRY, Terminator::Return(Some(left)));
    b.function
}

fn program() -> Arc<Program> {
    let initialize = Builder::new("initialize", &[], None).function;
    // It has a result and returns none.
    let broken = Builder::new("broken", &[Class::Word], Some(Class::Word)).function;
    let functions = vec![
        initialize,
        caller("first", SHARED, 50),
        caller("second", SHARED, 60),
        shared(),
        broken,
        caller("third", BROKEN, 0),
        caller("fourth", BROKEN, 0),
    ];
    common::program(functions, Default::default())
}

fn run(jit: &mut Jit, program: &Arc<Program>, function: u32) -> Outcome {
    let mut store = Store::new(Arc::clone(&program.constants), limits());
    let mut machine = Machine {
        store: &mut store,
        memory: &mut FakeMemory::default(),
        host: &mut FakeHost::default(),
    };
    jit.run(FunctionId(function), &mut machine, budget())
}

#[test]
fn functions_that_handlers_share_are_compiled_once() {
    let program = program();
    let mut jit = Jit::lazy(Arc::clone(&program), options()).unwrap();
    assert_eq!(jit.code().translations(), 0);
    jit.prepare(FunctionId(1));
    assert_eq!(jit.code().translations(), 2);
    jit.prepare(FunctionId(2));
    assert_eq!(jit.code().translations(), 3);
    // The operations that the first half of the code numbers are those of the second.
    assert_eq!(run(&mut jit, &program, 1).result, Ok(708));
    assert_eq!(run(&mut jit, &program, 2).result, Ok(718));
    assert_eq!(run(&mut jit, &program, 1).result, Ok(708));
    assert_eq!(jit.code().translations(), 3);
}

#[test]
fn what_cannot_be_compiled_is_not_tried_again() {
    let program = program();
    let mut jit = Jit::lazy(Arc::clone(&program), options()).unwrap();
    let fault = |outcome: Outcome| outcome.result.unwrap_err().fault;
    jit.prepare(FunctionId(5));
    let tried = jit.code().translations();
    assert!(tried > 0);
    for function in [5, 6, 5] {
        let fault = fault(run(&mut jit, &program, function));
        assert_eq!(fault.kind, FaultKind::Internal);
        let message = fault.message.unwrap();
        assert!(message.contains("`broken`"), "{message}");
    }
    assert_eq!(jit.code().translations(), tried);
    // The others are none the worse.
    assert_eq!(run(&mut jit, &program, 1).result, Ok(708));
    let whole = CompiledProgram::compile(Arc::clone(&program), options());
    assert!(whole.is_ok(), "{whole:?}");
    let mut growing = CompiledProgram::empty(program, options()).unwrap();
    let error = growing.add(FunctionId(6)).unwrap_err();
    assert!(matches!(*error, CompileError::Invalid(_)), "{error}");
}
