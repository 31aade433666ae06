//! From a function of the intermediate representation to one of the code generator.
//!
//! Registers become variables of the code generator's front end, so they keep their values on
//! every edge, those to a catching block included. `faults` holds the ways out, `arithmetic`
//! integers and floats, `ranges` how large words can be, `memory` places, `target` the inline page
//! look-up, `calls` functions and operations.

mod arithmetic;
mod calls;
mod faults;
mod memory;
mod ranges;
mod target;

use std::collections::{BTreeMap, HashMap};

use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{
    self as clif, AbiParam, Block, BlockArg, FuncRef, InstBuilder, MemFlagsData, Signature,
    StackSlot, StackSlotData, StackSlotKind, Type, UserFuncName, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Switch, Variable};
use ytrace_lang::ir::{
    Base, BlockId, Class, Function, FunctionId, Instruction, InstructionKind, Program, Register,
    SpanId, Terminator,
};
use ytrace_values::Operation;

use crate::context::offset;
use crate::error::CompileError;
use crate::helpers::{Helper, Raised};
use crate::memory_access::Geometry;
use crate::verify::{SLOT_ALIGNMENT, slots_size};
use ranges::{MOST_RANGES, Ranges, most_as};

/// What the translation of every function of a program needs.
pub struct Plan<'a> {
    /// The program, of which every function with a number has been verified.
    pub program: &'a Program,
    /// The symbol of each function that is compiled or called.
    pub symbols: Vec<Option<Symbol>>,
    /// The number of each operation in the table that helpers use.
    pub operations: &'a HashMap<Operation, u64>,
    /// The page cache.
    pub geometry: Geometry,
    /// The calling convention of the host's C.
    pub convention: CallConv,
    /// What the front end wants to know of the host.
    pub frontend: TargetFrontendConfig,
}

/// What the linker knows a function by.
#[derive(Clone, Copy)]
pub struct Symbol {
    /// Its number. Those of helpers come first, in the order of [`Helper::ALL`].
    pub number: u32,
    /// Whether it is placed with what calls it.
    pub near: bool,
}

/// The signature of a helper.
pub fn helper_signature(helper: Helper, convention: CallConv) -> Signature {
    let (parameters, results) = helper.signature();
    let mut signature = Signature::new(convention);
    signature.params = vec![AbiParam::new(types::I64); parameters];
    signature.returns = vec![AbiParam::new(types::I64); results];
    signature
}

/// The signature of a function: context, frame, stack left, parameters; status, bits of the result.
pub fn function_signature(function: &Function, convention: CallConv) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params = vec![AbiParam::new(types::I64); 3];
    let parameters = function.registers.iter().take(function.parameters as usize);
    signature
        .params
        .extend(parameters.map(|&class| AbiParam::new(class_type(class))));
    signature.returns = vec![AbiParam::new(types::I64); 2];
    signature
}

/// Translates a function that has been verified.
pub fn translate(
    plan: &Plan<'_>,
    id: FunctionId,
    buffers: &mut FunctionBuilderContext,
) -> Result<clif::Function, CompileError> {
    let function = &plan.program.functions[id.0 as usize];
    let mut translated = clif::Function::with_name_signature(
        UserFuncName::user(0, id.0),
        function_signature(function, plan.convention),
    );
    let builder = FunctionBuilder::new(&mut translated, buffers);
    let mut translator = Translator::new(builder, plan, id, function)?;
    translator.blocks();
    translator.finish();
    Ok(translated)
}

/// The type of a register's class.
fn class_type(class: Class) -> Type {
    match class {
        Class::Word => types::I64,
        Class::Float32 => types::F32,
        Class::Float64 => types::F64,
    }
}

/// Accesses of the context that the run never changes.
fn fixed() -> MemFlagsData {
    MemFlagsData::trusted().with_readonly().with_can_move()
}

/// Accesses of data at any alignment.
fn data() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// The bytes of a row that a register holds. The length is 0 while they are not known: at the
/// start, and after anything that may have changed a container.
#[derive(Clone, Copy)]
struct RowVariables {
    pointer: Variable,
    length: Variable,
}

/// The translation of one function.
struct Translator<'a> {
    builder: FunctionBuilder<'a>,
    plan: &'a Plan<'a>,
    id: FunctionId,
    function: &'a Function,
    blocks: Vec<Block>,
    registers: Vec<Variable>,
    rows: BTreeMap<Register, RowVariables>,
    slot_offsets: Vec<u64>,
    slots_size: u64,
    context: Value,
    frame: Value,
    stack_left: Value,
    steps: Variable,
    /// Where a fault leaves the function; takes the span.
    exit: Block,
    /// Where a fault that a block catches goes; take the span.
    dispatches: BTreeMap<BlockId, Block>,
    /// Where a fault that the code finds itself is raised, for each handler; takes the span and
    /// the words of the fault.
    raises: BTreeMap<(Raised, Option<BlockId>), Block>,
    helpers: BTreeMap<Helper, FuncRef>,
    callees: BTreeMap<FunctionId, FuncRef>,
    arguments: Option<StackSlot>,
    /// Registers with a value that is known, in the block that is being translated.
    constants: HashMap<Register, u64>,
    /// How large others can be, where that is known.
    ranges: Ranges,
    /// The page of the target that was looked up last, where that is known.
    near: Option<target::NearPage>,
    on_fault: Option<BlockId>,
    span: SpanId,
}

impl<'a> Translator<'a> {
    fn new(
        mut builder: FunctionBuilder<'a>,
        plan: &'a Plan<'a>,
        id: FunctionId,
        function: &'a Function,
    ) -> Result<Self, CompileError> {
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        builder.seal_block(entry);
        let exit = builder.create_block();
        builder.set_cold_block(exit);
        builder.append_block_param(exit, types::I64);
        let (context, frame, stack_left, parameters) = match builder.block_params(entry) {
            [context, frame, stack_left, parameters @ ..] => {
                (*context, *frame, *stack_left, parameters.to_vec())
            }
            _ => {
                return Err(CompileError::Codegen {
                    function: function.name.clone(),
                    reason: "the entry has too few parameters".to_owned(),
                });
            }
        };
        let blocks = function
            .blocks
            .iter()
            .map(|_| builder.create_block())
            .collect();
        let registers: Vec<Variable> = function
            .registers
            .iter()
            .map(|&class| builder.declare_var(class_type(class)))
            .collect();
        let steps = builder.declare_var(types::I64);
        let mut rows = BTreeMap::new();
        for register in row_registers(function) {
            rows.entry(register).or_insert_with(|| RowVariables {
                pointer: builder.declare_var(types::I64),
                length: builder.declare_var(types::I64),
            });
        }
        let mut slot_offsets = Vec::with_capacity(function.slots.len());
        let mut end = 0_u64;
        for &size in &function.slots {
            slot_offsets.push(end);
            end += size.next_multiple_of(SLOT_ALIGNMENT);
        }
        let arguments = most_arguments(function).map(|count| {
            builder.create_sized_stack_slot(StackSlotData::new(
                StackSlotKind::ExplicitSlot,
                count * 8,
                3,
            ))
        });
        let mut translator = Self {
            builder,
            plan,
            id,
            function,
            blocks,
            registers,
            rows,
            slot_offsets,
            slots_size: slots_size(function).unwrap_or(end),
            context,
            frame,
            stack_left,
            steps,
            exit,
            dispatches: BTreeMap::new(),
            raises: BTreeMap::new(),
            helpers: BTreeMap::new(),
            callees: BTreeMap::new(),
            arguments,
            constants: HashMap::new(),
            ranges: Ranges::new(),
            near: None,
            on_fault: None,
            span: SpanId(0),
        };
        translator.prologue(&parameters);
        Ok(translator)
    }

    /// Gives registers and slots their first values.
    fn prologue(&mut self, parameters: &[Value]) {
        let word = self.word(0);
        let float32 = self.builder.ins().f32const(Ieee32::with_bits(0));
        let float64 = self.builder.ins().f64const(Ieee64::with_bits(0));
        for (index, &class) in self.function.registers.iter().enumerate() {
            let value = parameters.get(index).copied().unwrap_or(match class {
                Class::Word => word,
                Class::Float32 => float32,
                Class::Float64 => float64,
            });
            self.builder.def_var(self.registers[index], value);
        }
        for row in self.rows.values() {
            self.builder.def_var(row.pointer, word);
            self.builder.def_var(row.length, word);
        }
        self.reload_steps();
        if self.slots_size > 0 {
            self.zero(self.frame, 0, self.slots_size);
        }
        let first = self.blocks[0];
        self.builder.ins().jump(first, &[]);
    }

    /// Translates all blocks that can be reached.
    fn blocks(&mut self) {
        let reachable = reachable(self.function);
        let function = self.function;
        let before = only_predecessors(function, &reachable);
        let mut known_at_end = vec![(None, Ranges::new()); function.blocks.len()];
        for (index, block) in function.blocks.iter().enumerate() {
            let translated = self.blocks[index];
            if !reachable[index] {
                continue;
            }
            self.builder.switch_to_block(translated);
            self.constants.clear();
            // What holds at the end of the only block before holds here.
            let before = before.get(index).copied().flatten();
            let known = before.and_then(|before| known_at_end.get(before));
            (self.near, self.ranges) = known.cloned().unwrap_or_default();
            self.on_fault = block.on_fault;
            for instruction in &block.instructions {
                self.instruction(instruction);
            }
            self.terminator(&block.terminator);
            if let Some(known) = known_at_end.get_mut(index) {
                // What is kept for all blocks stays in proportion to them.
                let ranges = std::mem::take(&mut self.ranges);
                let kept = Some(ranges).filter(|ranges| ranges.len() <= MOST_RANGES);
                *known = (self.near, kept.unwrap_or_default());
            }
        }
    }

    /// Ends the translation: the shared ways out, then the sealing of all blocks.
    fn finish(mut self) {
        self.ways_out();
        self.builder.seal_all_blocks();
        self.builder.finalize(self.plan.frontend);
    }

    fn instruction(&mut self, instruction: &Instruction) {
        use InstructionKind as I;
        self.span = instruction.span;
        match &instruction.kind {
            I::Constant { to, value } => self.constant(*to, *value),
            I::Literal { to, index } => {
                let literals = self.fixed_field(offset::LITERALS);
                let index = i32::try_from(*index).unwrap_or(i32::MAX).saturating_mul(8);
                let handle = self
                    .builder
                    .ins()
                    .load(types::I64, fixed(), literals, index);
                self.define(*to, handle);
            }
            I::Copy { to, from } => {
                let known = self.constants.get(from).copied();
                let most = self.most(*from);
                let value = self.value(*from);
                self.define(*to, value);
                if let Some(known) = known {
                    self.constants.insert(*to, known);
                }
                self.limit(*to, most);
            }
            I::Integer {
                operator,
                ty,
                to,
                left,
                right,
            } => self.integer(*operator, *ty, *to, *left, *right),
            I::Extend { ty, to, from } => {
                let most = most_as(*ty, self.most(*from));
                let value = self.value(*from);
                let value = self.extend(*ty, value);
                self.define(*to, value);
                self.limit(*to, most);
            }
            I::CompareIntegers {
                comparison,
                signed,
                to,
                left,
                right,
            } => self.compare_integers(*comparison, *signed, *to, *left, *right),
            I::Float {
                operator,
                to,
                left,
                right,
            } => self.float(*operator, *to, *left, *right),
            I::FloatNegate { to, from } => {
                let value = self.value(*from);
                let value = self.builder.ins().fneg(value);
                self.define(*to, value);
            }
            I::CompareFloats {
                comparison,
                to,
                left,
                right,
            } => self.compare_floats(*comparison, *to, *left, *right),
            I::IntegerToFloat { signed, to, from } => self.integer_to_float(*signed, *to, *from),
            I::FloatToInteger { ty, to, from } => self.float_to_integer(*ty, *to, *from),
            I::FloatToFloat { to, from } => self.float_to_float(*to, *from),
            I::FloatToBits { to, from } => self.float_to_bits(*to, *from),
            I::BitsToFloat { to, from } => self.bits_to_float(*to, *from),
            I::Load { to, place, ty } => self.load(*to, place, *ty),
            I::Store { place, from, ty } => self.store(place, *from, *ty),
            I::CopyBytes { to, from, length } => self.copy_bytes(to, from, *length),
            I::Zero { place, length } => {
                if *length > 0 {
                    let (base, offset) = self.tracer_place(place, *length);
                    self.zero(base, offset, *length);
                }
            }
            I::SlotAddress { to, slot } => {
                let offset = self.slot_offsets[slot.0 as usize] as i64;
                let address = self.builder.ins().iadd_imm_s(self.frame, offset);
                self.define(*to, address);
            }
            I::BoundsCheck { index, length } => self.bounds_check(*index, *length),
            I::Call {
                function,
                arguments,
                to,
            } => self.call(*function, arguments, *to),
            I::Operation {
                operation,
                arguments,
                to,
            } => self.operation(*operation, arguments, *to),
            I::Step => self.step(),
        }
    }

    fn terminator(&mut self, terminator: &Terminator) {
        match terminator {
            Terminator::Jump(block) => {
                let block = self.block(*block);
                self.builder.ins().jump(block, &[]);
            }
            Terminator::Branch {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.value(*condition);
                let (then, otherwise) = (self.block(*then), self.block(*otherwise));
                self.builder
                    .ins()
                    .brif(condition, then, &[], otherwise, &[]);
            }
            Terminator::Switch {
                value,
                cases,
                otherwise,
            } => {
                let value = self.value(*value);
                let mut switch = Switch::new();
                for &(word, block) in cases {
                    switch.set_entry(u128::from(word), self.block(block));
                }
                let otherwise = self.block(*otherwise);
                switch.emit(&mut self.builder, value, otherwise);
            }
            Terminator::Return(register) => {
                self.save_steps();
                let bits = match register {
                    Some(register) => {
                        let value = self.value(*register);
                        self.bits_of(value)
                    }
                    None => self.word(0),
                };
                let status = self.word(0);
                self.builder.ins().return_(&[status, bits]);
            }
        }
    }

    fn constant(&mut self, to: Register, value: u64) {
        let constant = match self.class(to) {
            Class::Word => self.word(value as i64),
            Class::Float32 => self.builder.ins().f32const(Ieee32::with_bits(value as u32)),
            Class::Float64 => self.builder.ins().f64const(Ieee64::with_bits(value)),
        };
        self.define(to, constant);
        if self.class(to) == Class::Word {
            self.constants.insert(to, value);
        }
    }

    fn block(&self, block: BlockId) -> Block {
        self.blocks[block.0 as usize]
    }

    fn class(&self, register: Register) -> Class {
        self.function.registers[register.0 as usize]
    }

    /// The value of a register.
    fn value(&mut self, register: Register) -> Value {
        self.builder.use_var(self.registers[register.0 as usize])
    }

    /// Gives a register a value. A row that it held is forgotten.
    fn define(&mut self, register: Register, value: Value) {
        self.builder
            .def_var(self.registers[register.0 as usize], value);
        self.constants.remove(&register);
        self.ranges.remove(&register);
        self.near = self.near.filter(|near| near.base != register);
        if let Some(row) = self.rows.get(&register).copied() {
            let none = self.word(0);
            self.builder.def_var(row.length, none);
        }
    }

    /// A constant word.
    fn word(&mut self, value: i64) -> Value {
        self.builder.ins().iconst(types::I64, value)
    }

    /// A field of the context that never changes during a run.
    fn fixed_field(&mut self, offset: i32) -> Value {
        let context = self.context;
        self.builder
            .ins()
            .load(types::I64, fixed(), context, offset)
    }

    /// A field of the context.
    fn field(&mut self, offset: i32) -> Value {
        let context = self.context;
        self.builder
            .ins()
            .load(types::I64, MemFlagsData::trusted(), context, offset)
    }

    /// The bits of a value of any class as a word; those of a 32-bit float zero-extended.
    fn bits_of(&mut self, value: Value) -> Value {
        match self.builder.func.dfg.value_type(value) {
            types::F32 => {
                let bits = self
                    .builder
                    .ins()
                    .bitcast(types::I32, MemFlagsData::new(), value);
                self.builder.ins().uextend(types::I64, bits)
            }
            types::F64 => self
                .builder
                .ins()
                .bitcast(types::I64, MemFlagsData::new(), value),
            _ => value,
        }
    }

    /// The inverse of [`Translator::bits_of`].
    fn value_of_bits(&mut self, class: Class, bits: Value) -> Value {
        match class {
            Class::Word => bits,
            Class::Float32 => {
                let bits = self.builder.ins().ireduce(types::I32, bits);
                self.builder
                    .ins()
                    .bitcast(types::F32, MemFlagsData::new(), bits)
            }
            Class::Float64 => self
                .builder
                .ins()
                .bitcast(types::F64, MemFlagsData::new(), bits),
        }
    }

    /// A new block; the caller switches to it and seals it when all its predecessors are known.
    fn new_block(&mut self, cold: bool) -> Block {
        let block = self.builder.create_block();
        if cold {
            self.builder.set_cold_block(block);
        }
        block
    }

    /// Goes on in a block that has all its predecessors.
    fn go_on(&mut self, block: Block) {
        self.builder.switch_to_block(block);
        self.builder.seal_block(block);
    }

    /// Calls a helper, which gets the context as its first argument; returns its first result.
    fn help(&mut self, helper: Helper, arguments: &[Value]) -> clif::Inst {
        let reference = self.helper(helper);
        let mut all = Vec::with_capacity(arguments.len() + 1);
        all.push(self.context);
        all.extend_from_slice(arguments);
        self.builder.ins().call(reference, &all)
    }

    /// The first result of a call that has one.
    fn first(&mut self, call: clif::Inst) -> Value {
        self.builder.inst_results(call)[0]
    }

    /// Jumps with one argument.
    fn jump_with(&mut self, block: Block, argument: Value) {
        self.builder.ins().jump(block, &[BlockArg::Value(argument)]);
    }
}

/// The registers that some place of a function uses as rows.
fn row_registers(function: &Function) -> Vec<Register> {
    let mut rows = Vec::new();
    let mut add = |place: &ytrace_lang::ir::Place| {
        if let Base::Row { row, .. } = place.base {
            rows.push(row);
        }
    };
    for instruction in function.blocks.iter().flat_map(|block| &block.instructions) {
        match &instruction.kind {
            InstructionKind::Load { place, .. }
            | InstructionKind::Store { place, .. }
            | InstructionKind::Zero { place, .. } => add(place),
            InstructionKind::CopyBytes { to, from, .. } => {
                add(to);
                add(from);
            }
            _ => {}
        }
    }
    rows
}

/// The most arguments that an operation of a function takes, or `None` if none takes any.
fn most_arguments(function: &Function) -> Option<u32> {
    function
        .blocks
        .iter()
        .flat_map(|block| &block.instructions)
        .filter_map(|instruction| match &instruction.kind {
            InstructionKind::Operation { arguments, .. } => u32::try_from(arguments.len()).ok(),
            _ => None,
        })
        .max()
        .filter(|&most| most > 0)
}

/// For each block the one that goes to it, if it is only one and does so at its end.
fn only_predecessors(function: &Function, reachable: &[bool]) -> Vec<Option<usize>> {
    let count = function.blocks.len();
    let mut before = vec![None; count];
    let mut edges = vec![0_usize; count];
    // The entry is entered from outside as well.
    let mut add = |to: BlockId, from: usize, weight: usize| {
        if let (Some(edges), Some(before)) =
            (edges.get_mut(to.0 as usize), before.get_mut(to.0 as usize))
        {
            *edges += weight;
            *before = Some(from);
        }
    };
    add(BlockId(0), 0, 2);
    for (index, block) in function.blocks.iter().enumerate() {
        if !reachable.get(index).is_some_and(|&reachable| reachable) {
            continue;
        }
        // A fault leaves a block anywhere.
        if let Some(handler) = block.on_fault {
            add(handler, index, 2);
        }
        block
            .terminator
            .successors(&mut |to: BlockId| add(to, index, 1));
    }
    before
        .into_iter()
        .zip(edges)
        .map(|(before, edges)| before.filter(|_| edges == 1))
        .collect()
}

/// Which blocks of a function can be reached.
fn reachable(function: &Function) -> Vec<bool> {
    let mut reached = vec![false; function.blocks.len()];
    let mut pending = vec![BlockId(0)];
    while let Some(block) = pending.pop() {
        let index = block.0 as usize;
        if std::mem::replace(&mut reached[index], true) {
            continue;
        }
        pending.extend(function.blocks[index].on_fault);
        match &function.blocks[index].terminator {
            Terminator::Jump(block) => pending.push(*block),
            Terminator::Branch {
                then, otherwise, ..
            } => pending.extend([*then, *otherwise]),
            Terminator::Switch {
                cases, otherwise, ..
            } => {
                pending.extend(cases.iter().map(|&(_, block)| block));
                pending.push(*otherwise);
            }
            Terminator::Return(_) => {}
        }
    }
    reached
}
