//! Checks the rules of the intermediate representation.
//!
//! Those of its structure are what machine code relies on, so a compiler asks for them before it translates anything:
//! [`verify_structure`]. The others say what a lowered program promises besides, and are for tests and debug builds.

use crate::ir::{
    Base, Block, BlockId, Class, Function, FunctionId, Instruction, InstructionKind, MemoryType,
    Place, Program, Register, Terminator,
};

/// A rule that a program breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("function `{function}`, block {block}, instruction {instruction}: {message}")]
pub struct VerifyError {
    /// The function.
    pub function: String,
    /// The index of the block.
    pub block: usize,
    /// The index of the instruction; the number of instructions for the terminator.
    pub instruction: usize,
    /// The rule.
    pub message: String,
}

/// Checks a whole program.
pub fn verify(program: &Program) -> Result<(), VerifyError> {
    for function in &program.functions {
        verify_function(program, function)?;
    }
    let roots = program.probes.iter().chain(&program.validators);
    let roots = roots.chain(&program.entry_values);
    for id in roots.chain([&program.initialize]) {
        let known = program.functions.get(id.0 as usize);
        if known.is_none_or(|function| function.parameters != 0) {
            return Err(VerifyError {
                function: format!("#{}", id.0),
                block: 0,
                instruction: 0,
                message: "a root function does not exist or takes parameters".to_owned(),
            });
        }
    }
    Ok(())
}

/// Checks one function of a program: its structure, that each instruction has a place in the source, and that it takes a
/// step when it begins and in each loop.
pub fn verify_function(program: &Program, function: &Function) -> Result<(), VerifyError> {
    let entry_steps = function.blocks.first().is_some_and(|block| {
        matches!(
            block.instructions.first(),
            Some(Instruction {
                kind: InstructionKind::Step,
                ..
            })
        )
    });
    if !entry_steps {
        let message = "the function does not begin with a step".to_owned();
        return Err(at(function, 0, 0, message));
    }
    verify_structure(program, function)?;
    for (index, block) in function.blocks.iter().enumerate() {
        let spans = block
            .instructions
            .iter()
            .map(|instruction| instruction.span);
        if let Some(lacking) = { spans }.position(|span| span.0 as usize >= program.spans.len()) {
            return Err(at(function, index, lacking, "no such span".to_owned()));
        }
    }
    let checker = Checker { program, function };
    checker
        .loops_step()
        .map_err(|(block, message)| at(function, block, 0, message))
}

/// Checks the structure of one function of a program: registers are used as what they are, and all that is named exists.
/// With this, an executor need not ask.
pub fn verify_structure(program: &Program, function: &Function) -> Result<(), VerifyError> {
    if function.blocks.is_empty() {
        return Err(at(function, 0, 0, "a function without a block".to_owned()));
    }
    if function.parameters as usize > function.registers.len() {
        let message = "more parameters than registers".to_owned();
        return Err(at(function, 0, 0, message));
    }
    let checker = Checker { program, function };
    for (index, block) in function.blocks.iter().enumerate() {
        checker
            .block(block)
            .map_err(|(instruction, message)| at(function, index, instruction, message))?;
    }
    Ok(())
}

fn at(function: &Function, block: usize, instruction: usize, message: String) -> VerifyError {
    VerifyError {
        function: function.name.clone(),
        block,
        instruction,
        message,
    }
}

type Checked = Result<(), String>;

struct Checker<'a> {
    program: &'a Program,
    function: &'a Function,
}

impl Checker<'_> {
    fn block(&self, block: &Block) -> Result<(), (usize, String)> {
        for (index, instruction) in block.instructions.iter().enumerate() {
            self.instruction(&instruction.kind)
                .map_err(|message| (index, message))?;
        }
        let end = block.instructions.len();
        self.terminator(block).map_err(|message| (end, message))
    }

    fn terminator(&self, block: &Block) -> Checked {
        let mut missing = false;
        let mut check = |id: BlockId| missing |= id.0 as usize >= self.function.blocks.len();
        block.terminator.successors(&mut check);
        if let Some(handler) = block.on_fault {
            check(handler);
        }
        if missing {
            return Err("a jump to a block that does not exist".to_owned());
        }
        match &block.terminator {
            Terminator::Branch { condition, .. } => self.word(*condition),
            Terminator::Switch { value, cases, .. } => {
                let mut words: Vec<u64> = cases.iter().map(|(word, _)| *word).collect();
                words.sort_unstable();
                words.dedup();
                if words.len() != cases.len() {
                    return Err("a switch with equal cases".to_owned());
                }
                self.word(*value)
            }
            Terminator::Return(value) => match (value, self.function.result) {
                (None, None) => Ok(()),
                (Some(register), Some(class)) => self.is(*register, class),
                _ => Err("a return that does not fit the result".to_owned()),
            },
            Terminator::Jump(_) => Ok(()),
        }
    }

    fn class(&self, register: Register) -> Result<Class, String> {
        self.function
            .registers
            .get(register.0 as usize)
            .copied()
            .ok_or_else(|| format!("no register r{}", register.0))
    }

    fn is(&self, register: Register, class: Class) -> Checked {
        let found = self.class(register)?;
        if found == class {
            Ok(())
        } else {
            Err(format!("r{} is {found:?}, not {class:?}", register.0))
        }
    }

    fn word(&self, register: Register) -> Checked {
        self.is(register, Class::Word)
    }

    fn words(&self, registers: &[Register]) -> Checked {
        registers
            .iter()
            .try_for_each(|register| self.word(*register))
    }

    fn float(&self, register: Register) -> Result<Class, String> {
        match self.class(register)? {
            Class::Word => Err(format!("r{} is no float", register.0)),
            class => Ok(class),
        }
    }

    fn memory(&self, register: Register, ty: MemoryType) -> Checked {
        self.is(
            register,
            match ty {
                MemoryType::F32 => Class::Float32,
                MemoryType::F64 => Class::Float64,
                _ => Class::Word,
            },
        )
    }

    /// A place of so many bytes, to be read, or (`write`) also to be written.
    fn place(&self, place: &Place, length: u64, write: bool) -> Checked {
        if let Some(index) = place.index {
            self.word(index)?;
        }
        // Where there is an index, the whole is checked when it is used, and the constant part may be negative.
        let inside = |size: u64| {
            let start = u64::try_from(place.offset).ok();
            let end = start.and_then(|start| start.checked_add(length));
            let fits = place.index.is_some() || end.is_some_and(|end| end <= size);
            if length > size || !fits {
                return Err(format!("bytes {}+{length} of {size}", place.offset));
            }
            Ok(())
        };
        match place.base {
            Base::Target(address) => {
                self.word(address)?;
                if write {
                    return Err("a store to the target".to_owned());
                }
                Ok(())
            }
            Base::Globals => inside(self.program.constants.globals_size),
            Base::Slot(slot) => match self.function.slots.get(slot.0 as usize) {
                Some(size) => inside(*size),
                None => Err(format!("no slot s{}", slot.0)),
            },
            Base::Frame(address) => self.word(address),
            Base::Row { container, row } => {
                if place.index.is_none() && place.offset < 0 {
                    return Err(format!("byte {} of a row", place.offset));
                }
                self.word(container)?;
                self.word(row)
            }
        }
    }

    fn instruction(&self, kind: &InstructionKind) -> Checked {
        match kind {
            InstructionKind::Constant { to, .. } => self.class(*to).map(|_| ()),
            InstructionKind::Literal { to, index } => {
                if *index as usize >= self.program.constants.strings.len() {
                    return Err("no such string literal".to_owned());
                }
                self.word(*to)
            }
            InstructionKind::Copy { to, from } => self.is(*to, self.class(*from)?),
            InstructionKind::Integer {
                ty,
                to,
                left,
                right,
                ..
            } => {
                integer_size(ty.size)?;
                self.words(&[*to, *left, *right])
            }
            InstructionKind::Extend { ty, to, from } => {
                integer_size(ty.size)?;
                self.words(&[*to, *from])
            }
            InstructionKind::CompareIntegers {
                to, left, right, ..
            } => self.words(&[*to, *left, *right]),
            InstructionKind::Float {
                to, left, right, ..
            } => {
                let class = self.float(*to)?;
                self.is(*left, class)?;
                self.is(*right, class)
            }
            InstructionKind::FloatNegate { to, from } => {
                let class = self.float(*to)?;
                self.is(*from, class)
            }
            InstructionKind::CompareFloats {
                to, left, right, ..
            } => {
                let class = self.float(*left)?;
                self.is(*right, class)?;
                self.word(*to)
            }
            InstructionKind::IntegerToFloat { to, from, .. }
            | InstructionKind::BitsToFloat { to, from } => {
                self.float(*to)?;
                self.word(*from)
            }
            InstructionKind::FloatToInteger { ty, to, from } => {
                integer_size(ty.size)?;
                self.float(*from)?;
                self.word(*to)
            }
            InstructionKind::FloatToFloat { to, from } => {
                self.float(*to)?;
                self.float(*from).map(|_| ())
            }
            InstructionKind::FloatToBits { to, from } => {
                self.word(*to)?;
                self.float(*from).map(|_| ())
            }
            InstructionKind::Load { to, place, ty } => {
                self.memory(*to, *ty)?;
                self.place(place, ty.size(), false)
            }
            InstructionKind::Store { place, from, ty } => {
                self.memory(*from, *ty)?;
                self.place(place, ty.size(), true)
            }
            InstructionKind::CopyBytes { to, from, length } => {
                self.place(to, *length, true)?;
                self.place(from, *length, false)
            }
            InstructionKind::Zero { place, length } => self.place(place, *length, true),
            InstructionKind::SlotAddress { to, slot } => {
                if slot.0 as usize >= self.function.slots.len() {
                    return Err(format!("no slot s{}", slot.0));
                }
                self.word(*to)
            }
            InstructionKind::BoundsCheck { index, .. } => self.word(*index),
            InstructionKind::Call {
                function,
                arguments,
                to,
            } => self.call(*function, arguments, *to),
            InstructionKind::Operation { arguments, to, .. } => {
                if let Some(to) = to {
                    self.word(*to)?;
                }
                self.words(arguments)
            }
            InstructionKind::Step => Ok(()),
        }
    }

    fn call(&self, function: FunctionId, arguments: &[Register], to: Option<Register>) -> Checked {
        let Some(callee) = self.program.functions.get(function.0 as usize) else {
            return Err("a call of no function".to_owned());
        };
        if arguments.len() != callee.parameters as usize {
            return Err("a call with the wrong number of arguments".to_owned());
        }
        for (argument, class) in arguments.iter().zip(&callee.registers) {
            self.is(*argument, *class)?;
        }
        match (to, callee.result) {
            (None, _) => Ok(()),
            (Some(to), Some(class)) => self.is(to, class),
            (Some(_), None) => Err("a result of a function that has none".to_owned()),
        }
    }

    /// Every cycle takes a step: without the edges out of blocks that do, no cycle is left.
    fn loops_step(&self) -> Result<(), (usize, String)> {
        let blocks = &self.function.blocks;
        let steps = |block: &Block| {
            block
                .instructions
                .iter()
                .any(|instruction| instruction.kind == InstructionKind::Step)
        };
        // 0 unseen, 1 on the way, 2 done.
        let mut state = vec![0u8; blocks.len()];
        for start in 0..blocks.len() {
            let mut stack = vec![(start, false)];
            while let Some((index, done)) = stack.pop() {
                let Some(current) = state.get_mut(index) else {
                    continue;
                };
                if done {
                    *current = 2;
                    continue;
                }
                if *current != 0 {
                    continue;
                }
                *current = 1;
                stack.push((index, true));
                let Some(block) = blocks.get(index) else {
                    continue;
                };
                if steps(block) {
                    continue;
                }
                let mut cycle = false;
                block
                    .terminator
                    .successors(&mut |next| match state.get(next.0 as usize) {
                        Some(1) => cycle = true,
                        Some(0) => stack.push((next.0 as usize, false)),
                        _ => {}
                    });
                if cycle {
                    return Err((index, "a loop that takes no steps".to_owned()));
                }
            }
        }
        Ok(())
    }
}

fn integer_size(size: u8) -> Checked {
    if matches!(size, 1 | 2 | 4 | 8) {
        Ok(())
    } else {
        Err(format!("an integer of {size} bytes"))
    }
}
