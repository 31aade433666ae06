//! Whether a function keeps the rules of the intermediate representation.
//!
//! Translation relies on what is checked here: a broken rule becomes a typed error instead of a
//! panic of the code generator or code that touches memory that is not the program's.

use ytrace_lang::ir::{
    Base, BlockId, Class, Function, FunctionId, InstructionKind, IntegerType, MemoryType, Place,
    Program, Register, Terminator,
};

use crate::error::CompileError;

/// The greatest size of all slots of a function together, in bytes.
pub const SLOTS_LIMIT: u64 = 1 << 30;

/// The most arguments of one operation or call.
pub const ARGUMENTS_LIMIT: usize = 4096;

/// How slots and other parts of a frame are aligned, in bytes.
pub const SLOT_ALIGNMENT: u64 = 16;

/// The size of all slots of a function, each aligned, or `None` if it is beyond the limit.
pub fn slots_size(function: &Function) -> Option<u64> {
    function
        .slots
        .iter()
        .try_fold(0_u64, |sum, &size| {
            sum.checked_add(size.checked_next_multiple_of(SLOT_ALIGNMENT)?)
        })
        .filter(|&sum| sum <= SLOTS_LIMIT)
}

/// Checks one function of a program.
pub fn verify(program: &Program, id: FunctionId) -> Result<(), CompileError> {
    let Some(function) = program.functions.get(id.0 as usize) else {
        return Err(CompileError::Invalid {
            function: format!("#{}", id.0),
            block: 0,
            reason: "there is no such function".to_owned(),
        });
    };
    let invalid = |block: usize, reason: String| CompileError::Invalid {
        function: function.name.clone(),
        block,
        reason,
    };
    let checker = Checker { program, function };
    checker.head().map_err(|reason| invalid(0, reason))?;
    for (index, block) in function.blocks.iter().enumerate() {
        for instruction in &block.instructions {
            checker
                .instruction(&instruction.kind)
                .map_err(|reason| invalid(index, format!("{reason} in {:?}", instruction.kind)))?;
        }
        checker
            .terminator(&block.terminator)
            .and_then(|()| block.on_fault.map_or(Ok(()), |block| checker.block(block)))
            .map_err(|reason| invalid(index, reason))?;
    }
    Ok(())
}

/// One function under test. Errors say which rule is broken.
struct Checker<'a> {
    program: &'a Program,
    function: &'a Function,
}

type Checked = Result<(), String>;

fn require(condition: bool, otherwise: &str) -> Checked {
    if condition {
        Ok(())
    } else {
        Err(otherwise.to_owned())
    }
}

impl Checker<'_> {
    fn head(&self) -> Checked {
        let function = self.function;
        require(!function.blocks.is_empty(), "the function has no block")?;
        require(
            function.registers.len() >= function.parameters as usize,
            "more parameters than registers",
        )?;
        require(
            function.parameters as usize <= ARGUMENTS_LIMIT,
            "too many parameters",
        )?;
        require(slots_size(function).is_some(), "the slots are too large")
    }

    fn class(&self, register: Register) -> Result<Class, String> {
        self.function
            .registers
            .get(register.0 as usize)
            .copied()
            .ok_or_else(|| format!("there is no register {}", register.0))
    }

    fn is(&self, register: Register, class: Class) -> Checked {
        let found = self.class(register)?;
        if found == class {
            Ok(())
        } else {
            Err(format!(
                "register {} is {found:?}, not {class:?}",
                register.0
            ))
        }
    }

    fn word(&self, register: Register) -> Checked {
        self.is(register, Class::Word)
    }

    fn float(&self, register: Register) -> Checked {
        require(
            self.class(register)? != Class::Word,
            "a word where a float is wanted",
        )
    }

    fn same(&self, left: Register, right: Register) -> Checked {
        require(
            self.class(left)? == self.class(right)?,
            "registers of different classes",
        )
    }

    fn block(&self, block: BlockId) -> Checked {
        require(
            (block.0 as usize) < self.function.blocks.len(),
            "there is no such block",
        )
    }

    fn integer(&self, ty: IntegerType) -> Checked {
        require(matches!(ty.size, 1 | 2 | 4 | 8), "no such integer type")
    }

    fn memory_class(&self, register: Register, ty: MemoryType) -> Checked {
        self.is(
            register,
            match ty {
                MemoryType::F32 => Class::Float32,
                MemoryType::F64 => Class::Float64,
                _ => Class::Word,
            },
        )
    }

    /// A place that `length` bytes are accessed at.
    fn place(&self, place: &Place, length: u64, writes: bool) -> Checked {
        if let Some(index) = place.index {
            self.word(index)?;
        }
        let within = |size: u64| {
            let inside = u64::try_from(place.offset)
                .ok()
                .and_then(|offset| offset.checked_add(length))
                .is_some_and(|end| end <= size);
            // An indexed place is checked when it is used; its constant offset may be negative.
            require(
                place.index.is_some() || inside,
                "the place is outside of its base",
            )?;
            require(length <= size, "the access is larger than its base")
        };
        match place.base {
            Base::Target(address) => {
                require(!writes, "a write to the target")?;
                self.word(address)
            }
            Base::Globals => within(self.program.constants.globals_size),
            Base::Slot(slot) => within(
                *self
                    .function
                    .slots
                    .get(slot.0 as usize)
                    .ok_or("there is no such slot")?,
            ),
            Base::Frame(address) => self.word(address),
            Base::Row { container, row } => {
                require(
                    place.index.is_some() || place.offset >= 0,
                    "a negative offset in a row",
                )?;
                self.word(container)?;
                self.word(row)
            }
        }
    }

    fn instruction(&self, kind: &InstructionKind) -> Checked {
        use InstructionKind as I;
        match kind {
            I::Constant { to, .. } => self.class(*to).map(|_| ()),
            I::Literal { to, index } => {
                require(
                    (*index as usize) < self.program.constants.strings.len(),
                    "there is no such literal",
                )?;
                self.word(*to)
            }
            I::Copy { to, from } => self.same(*to, *from),
            I::Integer {
                ty,
                to,
                left,
                right,
                ..
            } => {
                self.integer(*ty)?;
                self.word(*to)?;
                self.word(*left)?;
                self.word(*right)
            }
            I::Extend { ty, to, from } => {
                self.integer(*ty)?;
                self.word(*to)?;
                self.word(*from)
            }
            I::CompareIntegers {
                to, left, right, ..
            } => {
                self.word(*to)?;
                self.word(*left)?;
                self.word(*right)
            }
            I::Float {
                to, left, right, ..
            } => {
                self.float(*to)?;
                self.same(*to, *left)?;
                self.same(*to, *right)
            }
            I::FloatNegate { to, from } => {
                self.float(*to)?;
                self.same(*to, *from)
            }
            I::CompareFloats {
                to, left, right, ..
            } => {
                self.word(*to)?;
                self.float(*left)?;
                self.same(*left, *right)
            }
            I::IntegerToFloat { to, from, .. } | I::BitsToFloat { to, from } => {
                self.float(*to)?;
                self.word(*from)
            }
            I::FloatToInteger { ty, to, from } => {
                self.integer(*ty)?;
                self.word(*to)?;
                self.float(*from)
            }
            I::FloatToBits { to, from } => {
                self.word(*to)?;
                self.float(*from)
            }
            I::FloatToFloat { to, from } => {
                self.float(*to)?;
                self.float(*from)
            }
            I::Load { to, place, ty } => {
                self.memory_class(*to, *ty)?;
                self.place(place, ty.size(), false)
            }
            I::Store { place, from, ty } => {
                self.memory_class(*from, *ty)?;
                self.place(place, ty.size(), true)
            }
            I::CopyBytes { to, from, length } => {
                require(*length <= SLOTS_LIMIT, "too many bytes")?;
                self.place(to, *length, true)?;
                self.place(from, *length, false)
            }
            I::Zero { place, length } => {
                require(*length <= SLOTS_LIMIT, "too many bytes")?;
                self.place(place, *length, true)
            }
            I::SlotAddress { to, slot } => {
                require(
                    (slot.0 as usize) < self.function.slots.len(),
                    "there is no such slot",
                )?;
                self.word(*to)
            }
            I::BoundsCheck { index, .. } => self.word(*index),
            I::Call {
                function,
                arguments,
                to,
            } => self.call(*function, arguments, *to),
            I::Operation { arguments, to, .. } => {
                require(arguments.len() <= ARGUMENTS_LIMIT, "too many arguments")?;
                for &argument in arguments {
                    self.word(argument)?;
                }
                to.map_or(Ok(()), |to| self.word(to))
            }
            I::Step => Ok(()),
        }
    }

    fn call(&self, callee: FunctionId, arguments: &[Register], to: Option<Register>) -> Checked {
        let callee = self
            .program
            .functions
            .get(callee.0 as usize)
            .ok_or("there is no such function")?;
        require(
            arguments.len() == callee.parameters as usize,
            "a call with a wrong number of arguments",
        )?;
        for (&argument, &class) in arguments.iter().zip(&callee.registers) {
            self.is(argument, class)?;
        }
        match (to, callee.result) {
            (None, _) => Ok(()),
            (Some(to), Some(class)) => self.is(to, class),
            (Some(_), None) => Err("the result of a function that has none".to_owned()),
        }
    }

    fn terminator(&self, terminator: &Terminator) -> Checked {
        match terminator {
            Terminator::Jump(block) => self.block(*block),
            Terminator::Branch {
                condition,
                then,
                otherwise,
            } => {
                self.word(*condition)?;
                self.block(*then)?;
                self.block(*otherwise)
            }
            Terminator::Switch {
                value,
                cases,
                otherwise,
            } => {
                self.word(*value)?;
                let mut seen: Vec<u64> = cases.iter().map(|&(word, _)| word).collect();
                seen.sort_unstable();
                require(
                    seen.windows(2).all(|pair| pair[0] != pair[1]),
                    "a switch with two cases of one value",
                )?;
                for &(_, block) in cases {
                    self.block(block)?;
                }
                self.block(*otherwise)
            }
            Terminator::Return(None) => Ok(()),
            Terminator::Return(Some(register)) => match self.function.result {
                Some(class) => self.is(*register, class),
                None => Err("a result from a function that has none".to_owned()),
            },
        }
    }
}
