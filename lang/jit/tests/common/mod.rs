//! What the tests share: a builder of functions, a small memory and a small host.
#![allow(dead_code, reason = "no test uses all of it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use ytrace_jit::{CompiledProgram, Jit, Options};
use ytrace_lang::execute::{Budget, Executor, Outcome};
use ytrace_lang::ir::{
    Block, BlockId, Class, Function, FunctionId, Instruction, InstructionKind, IntegerOperator,
    IntegerType, Program, Register, SpanId, Terminator,
};
use ytrace_values::host::{Host, MappingRecord, ModuleRecord, PageFigure, Stack, ThreadRecord};
use ytrace_values::memory::{Memory, MemoryError, Page};
use ytrace_values::{Constants, Fault, Limits, Machine, Store};

/// The page size of the fake memory: small, so that holes are dense.
pub const PAGE: u64 = 256;

/// A memory of a few pages.
#[derive(Clone, Default)]
pub struct FakeMemory {
    pages: BTreeMap<u64, Arc<Vec<u8>>>,
    /// How often a page was asked for.
    pub asked: u64,
}

impl FakeMemory {
    /// Maps pages that hold `bytes` from `address` on, a multiple of the page size.
    pub fn map(&mut self, address: u64, bytes: &[u8]) {
        for (index, part) in bytes.chunks(PAGE as usize).enumerate() {
            let mut page = part.to_vec();
            page.resize(PAGE as usize, 0);
            self.pages
                .insert(address + index as u64 * PAGE, Arc::new(page));
        }
    }
}

impl Memory for FakeMemory {
    fn page_size(&self) -> u64 {
        PAGE
    }

    fn page(&mut self, address: u64) -> Result<Page, MemoryError> {
        self.asked += 1;
        let bytes = self
            .pages
            .get(&address)
            .ok_or(MemoryError::Unmapped { address })?;
        Page::new(bytes.clone(), 0, PAGE as usize).ok_or(MemoryError::Unmapped { address })
    }
}

/// A host that keeps what is printed.
#[derive(Default)]
pub struct FakeHost {
    pub printed: Vec<u8>,
}

impl Host for FakeHost {
    fn print(&mut self, text: &[u8]) -> Result<(), Fault> {
        self.printed.extend_from_slice(text);
        Ok(())
    }
    fn warn(&mut self, text: &str) -> Result<(), Fault> {
        self.printed.extend_from_slice(text.as_bytes());
        Ok(())
    }
    fn assert_equal(&mut self, _: &str, _: i64, _: i64, _: u64) -> Result<(), Fault> {
        Ok(())
    }
    fn now_ns(&mut self) -> u64 {
        7
    }
    fn pid(&mut self) -> u64 {
        42
    }
    fn tid(&mut self) -> u64 {
        43
    }
    fn execname(&mut self) -> Vec<u8> {
        b"fake".to_vec()
    }
    fn symbol_name(&mut self, _: u64) -> Option<String> {
        None
    }
    fn object_bytes(&mut self, _: u64) -> Option<u64> {
        None
    }
    fn register(&mut self, _: &str, _: u64) -> Result<u64, Fault> {
        Ok(0)
    }
    fn backtrace(&mut self, _: u64, _: &mut dyn Memory) -> Result<Stack, Fault> {
        Ok(Stack::default())
    }
    fn thread_local(&mut self, _: u32, _: u64) -> Result<u64, Fault> {
        Ok(0)
    }
    fn residency(&mut self, _: u64, length: u64, _: PageFigure) -> Option<u64> {
        Some(length)
    }
    fn process_bytes(&mut self, _: &str) -> Option<u64> {
        None
    }
    fn cgroup_bytes(&mut self, _: &str) -> Result<Option<u64>, Fault> {
        Ok(None)
    }
    fn mappings(&mut self, _: bool) -> Result<Vec<MappingRecord>, Fault> {
        Ok(Vec::new())
    }
    fn threads(&mut self) -> Result<Vec<ThreadRecord>, Fault> {
        Ok(Vec::new())
    }
    fn modules(&mut self) -> Result<Vec<ModuleRecord>, Fault> {
        Ok(Vec::new())
    }
}

/// Builds a function block by block.
pub struct Builder {
    pub function: Function,
    span: u32,
}

impl Builder {
    pub fn new(name: &str, parameters: &[Class], result: Option<Class>) -> Self {
        Self {
            function: Function {
                name: name.to_owned(),
                registers: parameters.to_vec(),
                parameters: parameters.len() as u32,
                result,
                slots: Vec::new(),
                blocks: vec![empty_block()],
                frame_cost: 64,
                late: false,
            },
            span: 0,
        }
    }

    /// A new register.
    pub fn register(&mut self, class: Class) -> Register {
        self.function.registers.push(class);
        Register(self.function.registers.len() as u32 - 1)
    }

    /// A new word register.
    pub fn word(&mut self) -> Register {
        self.register(Class::Word)
    }

    /// A new block.
    pub fn block(&mut self) -> BlockId {
        self.function.blocks.push(empty_block());
        BlockId(self.function.blocks.len() as u32 - 1)
    }

    /// Appends an instruction to a block; its span is its number.
    pub fn push(&mut self, block: BlockId, kind: InstructionKind) -> SpanId {
        let span = SpanId(self.span);
        self.span += 1;
        self.function.blocks[block.0 as usize]
            .instructions
            .push(Instruction { kind, span });
        span
    }

    /// Appends a constant and returns its register.
    pub fn constant(&mut self, block: BlockId, value: u64) -> Register {
        let to = self.word();
        self.push(block, InstructionKind::Constant { to, value });
        to
    }

    /// Appends an operation on integers and returns the register of its result.
    pub fn integer(
        &mut self,
        block: BlockId,
        operator: IntegerOperator,
        ty: IntegerType,
        left: Register,
        right: Register,
    ) -> Register {
        let to = self.word();
        let kind = InstructionKind::Integer {
            operator,
            ty,
            to,
            left,
            right,
        };
        self.push(block, kind);
        to
    }

    pub fn end(&mut self, block: BlockId, terminator: Terminator) {
        self.function.blocks[block.0 as usize].terminator = terminator;
    }

    pub fn on_fault(&mut self, block: BlockId, handler: BlockId) {
        self.function.blocks[block.0 as usize].on_fault = Some(handler);
    }
}

fn empty_block() -> Block {
    Block {
        instructions: Vec::new(),
        terminator: Terminator::Return(None),
        on_fault: None,
    }
}

/// A program of functions, of which the first is the only probe and the initializer.
pub fn program(functions: Vec<Function>, constants: Constants) -> Arc<Program> {
    Arc::new(Program {
        functions,
        initialize: FunctionId(0),
        probes: vec![FunctionId(0)],
        validators: Vec::new(),
        entry_values: Vec::new(),
        global_offsets: Vec::new(),
        view_shapes: Vec::new(),
        constants: Arc::new(constants),
        spans: Vec::new(),
        sources: Arc::default(),
    })
}

/// A generous budget.
pub fn budget() -> Budget<'static> {
    Budget {
        steps: 1 << 40,
        stack: 1 << 20,
        deadline: None,
        interrupt: None,
    }
}

pub fn limits() -> Limits {
    Limits {
        memory: 1 << 24,
        output: 1 << 20,
        string: 1 << 10,
    }
}

/// Options for the fake memory, with a cache so small that its entries collide.
pub fn options() -> Options {
    Options {
        page_size: PAGE,
        cache_entries: 4,
    }
}

pub fn compile(program: &Arc<Program>) -> Jit {
    let code = CompiledProgram::compile(Arc::clone(program), options()).expect("compiles");
    Jit::new(Arc::new(code))
}

/// Runs the first function of a program on an executor.
pub fn run_on(
    executor: &mut dyn Executor,
    program: &Arc<Program>,
    memory: &mut FakeMemory,
    budget: Budget<'_>,
) -> (Outcome, Vec<u8>, Vec<u8>) {
    let mut store = Store::new(Arc::clone(&program.constants), limits());
    let mut host = FakeHost::default();
    let mut machine = Machine {
        store: &mut store,
        memory,
        host: &mut host,
    };
    let outcome = executor.run(FunctionId(0), &mut machine, budget);
    (outcome, store.globals.to_vec(), host.printed)
}

/// Compiles and runs the first of some functions.
pub fn run(functions: Vec<Function>, memory: &mut FakeMemory, budget: Budget<'_>) -> Outcome {
    let program = program(functions, Constants::default());
    run_on(&mut compile(&program), &program, memory, budget).0
}
