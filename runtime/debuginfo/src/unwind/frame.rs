//! One frame, and the step from it to its caller.

use gimli::{
    CfaRule, DebugFrameOffset, EhFrameOffset, Evaluation, EvaluationResult, FrameDescriptionEntry,
    Location, Register, RegisterRule, UnwindContext, UnwindExpression, UnwindOffset, UnwindSection,
    UnwindTableRow, Value,
};

use super::rows::{Compact, Row};
use super::tables::{Section, Tables};
use super::{Cut, Next, WORD, Words};
use crate::dwarf::Reader;

/// The registers that are followed: on x86-64 the general ones (System V ABI AMD64, figure 3.36), on AArch64 x0 to x30, of
/// which the last is the return address, and the stack pointer (AADWARF64). The return address of x86-64 is no register.
pub const REGISTERS: usize = if cfg!(target_arch = "x86_64") { 16 } else { 32 };

/// The number of the instruction pointer, which is no general register: `%rip` of the System V ABI for x86-64, `PC` of that for AArch64.
const INSTRUCTION_POINTER: Register = Register(if cfg!(target_arch = "x86_64") { 16 } else { 32 });
pub(super) const STACK_POINTER: Register =
    Register(if cfg!(target_arch = "x86_64") { 7 } else { 31 });
const FRAME_POINTER: Register = Register(if cfg!(target_arch = "x86_64") { 6 } else { 29 });

/// The most operations of one expression.
const MAX_OPERATIONS: u32 = 10_000;

/// Where a frame pointer may lead at most, in bytes above the stack pointer: beyond any frame, within any stack.
const MAX_FRAME: u64 = 64 << 20;

/// A function that is being called, with its registers as far as they are known.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The next instruction.
    pub(super) address: u64,
    /// Whether that follows a call: the function may end with it.
    pub(super) returned_to: bool,
    values: [u64; REGISTERS],
    /// Which of the values are known, a bit each.
    known: u32,
    /// Memory that could not be read, and held a register of this frame.
    pub(super) unreadable: Option<u64>,
}

/// What lies beyond a frame.
pub(super) enum Step {
    /// Its caller.
    Caller(Box<Frame>),
    /// Nothing: the thread began with it.
    End,
    /// It cannot be told.
    Cut(Cut),
}

/// Why a rule gives no value.
pub(super) enum Unknown {
    /// The register was not saved.
    Register,
    /// The memory at this address cannot be read.
    Memory(u64),
}

/// What is kept between frames for speed alone.
#[derive(Default)]
pub(super) struct Context(UnwindContext<usize>);

impl Frame {
    /// The frame that a thread is in. `register` gives registers by their DWARF numbers.
    pub(super) fn innermost(address: u64, register: &dyn Fn(u16) -> Option<u64>) -> Self {
        let mut frame = Self {
            address,
            returned_to: false,
            values: [0; REGISTERS],
            known: 0,
            unreadable: None,
        };
        for number in 0..REGISTERS as u16 {
            frame.set(Register(number), register(number));
        }
        frame
    }

    /// The frame that a thread is in whose registers are all known.
    pub(super) fn captured(address: u64, registers: &[u64; REGISTERS]) -> Self {
        Self {
            address,
            returned_to: false,
            values: *registers,
            known: u32::MAX,
            unreadable: None,
        }
    }

    /// The frame of a function that has called another.
    pub(super) fn calling(caller: super::Caller) -> Self {
        let mut frame = Self::innermost(caller.pc, &|_| None);
        frame.returned_to = true;
        frame.set(STACK_POINTER, Some(caller.sp));
        frame.set(FRAME_POINTER, Some(caller.bp));
        frame
    }

    /// The address by which its function is known.
    pub(super) fn lookup_address(&self) -> u64 {
        self.address.wrapping_sub(u64::from(self.returned_to))
    }

    /// What tells frames of a stack from each other.
    pub(super) fn place(&self) -> (u64, Option<u64>) {
        (self.address, self.stack_pointer())
    }

    pub(super) fn stack_pointer(&self) -> Option<u64> {
        self.register(STACK_POINTER)
    }

    #[inline]
    pub(super) fn register(&self, register: Register) -> Option<u64> {
        let value = *self.values.get(usize::from(register.0))?;
        (self.known & (1 << register.0) != 0).then_some(value)
    }

    /// Why one of its registers is not known.
    pub(super) fn unknown(&self) -> Unknown {
        self.unreadable.map_or(Unknown::Register, Unknown::Memory)
    }

    #[inline]
    pub(super) fn set(&mut self, register: Register, value: Option<u64>) {
        let Some(place) = self.values.get_mut(usize::from(register.0)) else {
            return;
        };
        let bit = 1 << register.0;
        match value {
            Some(value) => {
                *place = value;
                self.known |= bit;
            }
            None => self.known &= !bit,
        }
    }

    /// Goes where a step leads.
    pub(super) fn take(&mut self, step: Step) -> Next {
        match step {
            Step::Caller(caller) => {
                *self = *caller;
                Next::Caller
            }
            Step::End => Next::End,
            Step::Cut(cut) => Next::Cut(cut),
        }
    }

    /// Goes to the caller of a function that has just been called: the return address is at the stack pointer.
    pub(super) fn by_entry(
        &mut self,
        is_code: &dyn Fn(u64) -> bool,
        memory: &mut dyn Words,
    ) -> Next {
        let Some(stack) = self.stack_pointer() else {
            return Next::Cut(Cut::NoTable);
        };
        let Some(address) = memory.word(stack) else {
            return Next::Cut(Cut::Memory(stack));
        };
        if !is_code(address.wrapping_sub(1)) {
            return Next::Cut(Cut::NoTable);
        }
        self.address = address;
        self.returned_to = true;
        self.set(STACK_POINTER, Some(stack.wrapping_add(WORD)));
        Next::Caller
    }

    /// Goes to the caller by the chain of frame pointers: the word there is the caller's, the next one the return address.
    pub(super) fn by_frame_pointer(
        &mut self,
        is_code: &dyn Fn(u64) -> bool,
        memory: &mut dyn Words,
    ) -> Next {
        let (Some(stack), Some(frame)) =
            (self.register(STACK_POINTER), self.register(FRAME_POINTER))
        else {
            return Next::Cut(Cut::NoTable);
        };
        let near = frame >= stack && frame - stack <= MAX_FRAME && frame % WORD == 0;
        let Some(after) = frame.checked_add(2 * WORD).filter(|_| near) else {
            return Next::Cut(Cut::NoTable);
        };
        let (Some(saved), Some(address)) = (memory.word(frame), memory.word(frame + WORD)) else {
            return Next::Cut(Cut::Memory(frame + WORD));
        };
        // What called is before the address to return to.
        if !is_code(address.wrapping_sub(1)) {
            return Next::Cut(Cut::NoTable);
        }
        self.address = address;
        self.returned_to = true;
        self.set(FRAME_POINTER, Some(saved));
        self.set(STACK_POINTER, Some(after));
        Next::Caller
    }
}

impl Context {
    /// The caller by the tables of the module that the frame's code is in; `address` is that of its file. `None` if no entry
    /// covers it.
    pub(super) fn by_tables(
        &mut self,
        tables: &Tables,
        address: u64,
        frame: &Frame,
        memory: &mut dyn Words,
    ) -> Option<Step> {
        tables.parts.iter().find_map(|part| {
            let offset = part.find(address)?;
            match &part.section {
                Section::Runtime(section) => self
                    .entry(tables, section, EhFrameOffset(offset), address)
                    .map(|covered| covered.step(frame, memory)),
                Section::Debug(section) => self
                    .entry(tables, section, DebugFrameOffset(offset), address)
                    .map(|covered| covered.step(frame, memory)),
            }
        })
    }

    /// The row for an address of the file; `None` if no entry covers it.
    pub(super) fn row(&mut self, tables: &Tables, address: u64) -> Option<Row> {
        tables.parts.iter().find_map(|part| {
            let offset = part.find(address)?;
            match &part.section {
                Section::Runtime(section) => self
                    .entry(tables, section, EhFrameOffset(offset), address)
                    .map(|covered| covered.compact()),
                Section::Debug(section) => self
                    .entry(tables, section, DebugFrameOffset(offset), address)
                    .map(|covered| covered.compact()),
            }
        })
    }

    fn entry<'a, S: UnwindSection<Reader>>(
        &'a mut self,
        tables: &Tables,
        section: &'a S,
        offset: S::Offset,
        address: u64,
    ) -> Option<Covered<'a, S>>
    where
        S::Offset: UnwindOffset<usize>,
    {
        let bases = &tables.bases;
        let entry = section
            .fde_from_offset(bases, offset, S::cie_from_offset)
            .ok()?;
        let row = entry
            .unwind_info_for_address(section, bases, &mut self.0, address)
            .ok()?;
        Some(Covered {
            section,
            row,
            entry,
        })
    }
}

/// An entry of a table, and its row for an address.
struct Covered<'a, S> {
    section: &'a S,
    row: &'a UnwindTableRow<usize>,
    entry: FrameDescriptionEntry<Reader>,
}

impl<S: UnwindSection<Reader>> Covered<'_, S>
where
    S::Offset: UnwindOffset<usize>,
{
    fn compact(&self) -> Row {
        let expression = |expression: &UnwindExpression<usize>| {
            let bytes = expression.get(self.section).ok()?;
            Some((bytes, self.entry.cie().encoding()))
        };
        let column = self.entry.cie().return_address_register();
        Compact::of(
            self.row,
            column,
            !self.entry.is_signal_trampoline(),
            &expression,
        )
        .map_or(Row::Full, Row::Compact)
    }

    fn step(&self, frame: &Frame, memory: &mut dyn Words) -> Step {
        let Self {
            section,
            row,
            entry,
        } = self;
        let mut rules = Rules {
            section: *section,
            entry,
            frame,
            memory,
        };
        let top = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => frame
                .register(*register)
                .map(|value| value.wrapping_add_signed(*offset))
                .ok_or_else(|| frame.unknown()),
            CfaRule::Expression(expression) => rules.evaluate(expression, None),
        };
        let top = match top {
            Ok(top) => top,
            Err(unknown) => return Step::Cut(unknown.into()),
        };
        let mut caller = frame.clone();
        caller.set(STACK_POINTER, Some(top));
        for (register, rule) in row.registers() {
            if usize::from(register.0) >= REGISTERS {
                continue;
            }
            let value = rules.value(*register, rule, top);
            if let Err(Unknown::Memory(address)) = value {
                caller.unreadable.get_or_insert(address);
            }
            caller.set(*register, value.ok());
        }
        let column = entry.cie().return_address_register();
        let address = match row.register(column) {
            // Tables end so the functions that threads begin with.
            Some(RegisterRule::Undefined) => return Step::End,
            Some(rule) => match rules.value(column, &rule, top) {
                Ok(address) => address,
                Err(unknown) => return Step::Cut(unknown.into()),
            },
            None => match frame.register(column) {
                Some(address) => address,
                None => return Step::Cut(frame.unknown().into()),
            },
        };
        if address == 0 {
            return Step::End;
        }
        caller.address = address;
        // What a signal interrupted has not called anything.
        caller.returned_to = !entry.is_signal_trampoline();
        Step::Caller(Box::new(caller))
    }
}

impl From<Unknown> for Cut {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Register => Cut::Lost,
            Unknown::Memory(address) => Cut::Memory(address),
        }
    }
}

/// The rules of one row of a table.
struct Rules<'a, S> {
    section: &'a S,
    entry: &'a FrameDescriptionEntry<Reader>,
    frame: &'a Frame,
    memory: &'a mut dyn Words,
}

impl<S: UnwindSection<Reader>> Rules<'_, S>
where
    S::Offset: UnwindOffset<usize>,
{
    fn word(&mut self, address: u64) -> Result<u64, Unknown> {
        self.memory.word(address).ok_or(Unknown::Memory(address))
    }

    /// The caller's value of a register. `top` is the canonical frame address.
    fn value(
        &mut self,
        register: Register,
        rule: &RegisterRule<usize>,
        top: u64,
    ) -> Result<u64, Unknown> {
        let same = |register| {
            self.frame
                .register(register)
                .ok_or_else(|| self.frame.unknown())
        };
        match rule {
            RegisterRule::SameValue => same(register),
            RegisterRule::Register(other) => same(*other),
            RegisterRule::Offset(offset) => self.word(top.wrapping_add_signed(*offset)),
            RegisterRule::ValOffset(offset) => Ok(top.wrapping_add_signed(*offset)),
            RegisterRule::Expression(expression) => {
                let address = self.evaluate(expression, Some(top))?;
                self.word(address)
            }
            RegisterRule::ValExpression(expression) => self.evaluate(expression, Some(top)),
            RegisterRule::Constant(value) => Ok(*value),
            _ => Err(Unknown::Register),
        }
    }

    /// The value of an expression on the registers of the frame and memory; `initial` lies on its stack.
    fn evaluate(
        &mut self,
        expression: &UnwindExpression<usize>,
        initial: Option<u64>,
    ) -> Result<u64, Unknown> {
        let wrong = |_| Unknown::Register;
        let encoding = self.entry.cie().encoding();
        let expression = expression.get(self.section).map_err(wrong)?;
        let mut evaluation: Evaluation<Reader> = expression.evaluation(encoding);
        evaluation.set_max_iterations(MAX_OPERATIONS);
        if let Some(initial) = initial {
            evaluation.set_initial_value(initial);
        }
        let mut state = evaluation.evaluate().map_err(wrong)?;
        loop {
            state = match state {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresRegister { register, .. } => {
                    // Procedure linkage tables ask where in an entry of theirs it is.
                    let value = match register {
                        INSTRUCTION_POINTER => Some(self.frame.address),
                        _ => self.frame.register(register),
                    };
                    let value = value.ok_or_else(|| self.frame.unknown())?;
                    evaluation.resume_with_register(Value::Generic(value))
                }
                EvaluationResult::RequiresMemory { address, size, .. } => {
                    let word = self.word(address)?;
                    // Words are little-endian here: the first bytes are the low ones.
                    let unused = 64u32.saturating_sub(8 * u32::from(size));
                    let value = word.checked_shl(unused).unwrap_or(0) >> unused.min(63);
                    evaluation.resume_with_memory(Value::Generic(value))
                }
                _ => return Err(Unknown::Register),
            }
            .map_err(wrong)?;
        }
        match evaluation.as_result().last().map(|piece| &piece.location) {
            Some(Location::Address { address }) => Ok(*address),
            _ => Err(Unknown::Register),
        }
    }
}
