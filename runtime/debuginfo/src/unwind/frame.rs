//! One frame, and the step from it to its caller.

use gimli::{
    CfaRule, DebugFrameOffset, EhFrameOffset, Evaluation, EvaluationResult, FrameDescriptionEntry,
    Location, Register, RegisterRule, UnwindContext, UnwindExpression, UnwindOffset, UnwindSection,
    Value,
};

use super::tables::{Section, Tables};
use super::{Cut, ThreadState};
use crate::dwarf::Reader;

/// The registers that are followed: on x86-64 the general ones (System V ABI AMD64, figure 3.36), on AArch64 x0 to x30, of
/// which the last is the return address, and the stack pointer (AADWARF64). The return address of x86-64 is no register.
const REGISTERS: u16 = if cfg!(target_arch = "x86_64") { 16 } else { 32 };
const STACK_POINTER: Register = Register(if cfg!(target_arch = "x86_64") { 7 } else { 31 });
const FRAME_POINTER: Register = Register(if cfg!(target_arch = "x86_64") { 6 } else { 29 });

/// The size of a word of the stack, in bytes.
const WORD: u64 = size_of::<u64>() as u64;

/// The most operations of one expression.
const MAX_OPERATIONS: u32 = 10_000;

/// Where a frame pointer may lead at most, in bytes above the stack pointer: beyond any frame, within any stack.
const MAX_FRAME: u64 = 64 << 20;

type Memory<'a> = dyn FnMut(u64) -> Option<u64> + 'a;

/// A function that is being called, with its registers as far as they are known.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The next instruction.
    address: u64,
    /// Whether that follows a call: the function may end with it.
    returned_to: bool,
    registers: [Option<u64>; REGISTERS as usize],
    /// Memory that could not be read, and held a register of this frame.
    unreadable: Option<u64>,
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
enum Unknown {
    /// The register was not saved.
    Register,
    /// The memory at this address cannot be read.
    Memory(u64),
}

/// What is kept between frames for speed alone.
#[derive(Default)]
pub(super) struct Context(UnwindContext<usize>);

impl Frame {
    /// The frame that a thread is in.
    pub(super) fn innermost(thread: &ThreadState<'_>) -> Self {
        let mut registers = [None; REGISTERS as usize];
        for (number, register) in (0..REGISTERS).zip(&mut registers) {
            *register = (thread.register)(number);
        }
        Self {
            address: thread.instruction_pointer,
            returned_to: false,
            registers,
            unreadable: None,
        }
    }

    /// The address by which its function is known.
    pub(super) fn lookup_address(&self) -> u64 {
        self.address.wrapping_sub(u64::from(self.returned_to))
    }

    fn register(&self, register: Register) -> Option<u64> {
        self.registers
            .get(usize::from(register.0))
            .copied()
            .flatten()
    }

    /// Why one of its registers is not known.
    fn unknown(&self) -> Unknown {
        self.unreadable.map_or(Unknown::Register, Unknown::Memory)
    }

    fn set(&mut self, register: Register, value: Option<u64>) {
        if let Some(place) = self.registers.get_mut(usize::from(register.0)) {
            *place = value;
        }
    }

    /// The caller by the chain of frame pointers: the word there is the caller's, the next one the return address.
    pub(super) fn by_frame_pointer(
        &self,
        is_code: &dyn Fn(u64) -> bool,
        read: &mut Memory<'_>,
    ) -> Step {
        let (Some(stack), Some(frame)) =
            (self.register(STACK_POINTER), self.register(FRAME_POINTER))
        else {
            return Step::Cut(Cut::Lost);
        };
        let near = frame >= stack && frame - stack <= MAX_FRAME && frame % WORD == 0;
        let Some(after) = frame.checked_add(2 * WORD).filter(|_| near) else {
            return Step::Cut(Cut::Lost);
        };
        let (Some(saved), Some(address)) = (read(frame), read(frame + WORD)) else {
            return Step::Cut(Cut::Memory(frame));
        };
        if !is_code(address) {
            return Step::Cut(Cut::Lost);
        }
        let mut caller = self.clone();
        caller.address = address;
        caller.returned_to = true;
        caller.set(FRAME_POINTER, Some(saved));
        caller.set(STACK_POINTER, Some(after));
        Step::Caller(Box::new(caller))
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
        read: &mut Memory<'_>,
    ) -> Option<Step> {
        tables.parts.iter().find_map(|part| {
            let offset = part.find(address)?;
            match &part.section {
                Section::Runtime(section) => {
                    self.by_entry(tables, section, EhFrameOffset(offset), address, frame, read)
                }
                Section::Debug(section) => self.by_entry(
                    tables,
                    section,
                    DebugFrameOffset(offset),
                    address,
                    frame,
                    read,
                ),
            }
        })
    }

    fn by_entry<S: UnwindSection<Reader>>(
        &mut self,
        tables: &Tables,
        section: &S,
        offset: S::Offset,
        address: u64,
        frame: &Frame,
        read: &mut Memory<'_>,
    ) -> Option<Step>
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
        let mut rules = Rules {
            section,
            entry: &entry,
            frame,
            read,
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
            Err(unknown) => return Some(Step::Cut(unknown.into())),
        };
        let mut caller = frame.clone();
        caller.set(STACK_POINTER, Some(top));
        for (register, rule) in row.registers() {
            let value = rules.value(*register, rule, top);
            if let Err(Unknown::Memory(address)) = value {
                caller.unreadable.get_or_insert(address);
            }
            caller.set(*register, value.ok());
        }
        let column = entry.cie().return_address_register();
        let address = match row.register(column) {
            // Tables end so the functions that threads begin with.
            Some(RegisterRule::Undefined) => return Some(Step::End),
            Some(rule) => match rules.value(column, &rule, top) {
                Ok(address) => address,
                Err(unknown) => return Some(Step::Cut(unknown.into())),
            },
            None => match frame.register(column) {
                Some(address) => address,
                None => return Some(Step::Cut(frame.unknown().into())),
            },
        };
        if address == 0 {
            return Some(Step::End);
        }
        let same = (address, caller.register(STACK_POINTER))
            == (frame.address, frame.register(STACK_POINTER));
        if same {
            return Some(Step::Cut(Cut::Lost));
        }
        caller.address = address;
        // What a signal interrupted has not called anything.
        caller.returned_to = !entry.is_signal_trampoline();
        Some(Step::Caller(Box::new(caller)))
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
struct Rules<'a, 'r, S> {
    section: &'a S,
    entry: &'a FrameDescriptionEntry<Reader>,
    frame: &'a Frame,
    read: &'a mut Memory<'r>,
}

impl<S: UnwindSection<Reader>> Rules<'_, '_, S>
where
    S::Offset: UnwindOffset<usize>,
{
    fn word(&mut self, address: u64) -> Result<u64, Unknown> {
        (self.read)(address).ok_or(Unknown::Memory(address))
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
                    let value = self
                        .frame
                        .register(register)
                        .ok_or_else(|| self.frame.unknown())?;
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
