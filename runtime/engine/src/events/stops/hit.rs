//! One stop, as the handler sees it: registers are those of the thread that stands still.

use ytrace_debuginfo::Stack;
use ytrace_target::breakpoints::{Stop, What};
use ytrace_target::events::Width;
use ytrace_target::{Registers, ThreadSnapshot};
use ytrace_values::host::HitQuestion;
use ytrace_values::{Fault, FaultKind, Memory};

use super::super::hit::sample;
use super::super::plan::Argument;
use crate::names::Names;

/// A stop of a thread, for one handler.
pub(crate) struct StopHit<'a> {
    pub(super) stop: &'a Stop,
    /// The thread with its registers.
    pub(super) thread: &'a [ThreadSnapshot],
    /// Where the function begins; 0 where the point is no function's.
    pub(super) function: u64,
    /// The arguments that the event gives, those that could be read.
    pub(super) arguments: &'a [Option<u64>],
    /// What the handler wanted kept when the function was entered, as far as it could be had.
    pub(super) entry_values: &'a [Option<u64>],
}

impl StopHit<'_> {
    /// The thread.
    pub(crate) fn tid(&self) -> u64 {
        u64::try_from(self.stop.tid).unwrap_or(0)
    }

    /// The time, of the clock that [`ytrace_target::monotonic_ns`] reads.
    pub(crate) fn time(&self) -> u64 {
        self.stop.time
    }

    /// The thread with its registers.
    pub(crate) fn thread(&self) -> &[ThreadSnapshot] {
        self.thread
    }

    /// The answer to a question of the handler.
    pub(crate) fn answer(&self, question: HitQuestion) -> Result<u64, Fault> {
        let of = |values: &[Option<u64>], number: u64| {
            let number = usize::try_from(number).ok()?;
            values.get(number).copied().flatten()
        };
        let answer = match question {
            HitQuestion::Register(number) => register(&self.stop.registers, number),
            HitQuestion::Vector(number) => {
                let number = usize::try_from(number).ok();
                let value = number.and_then(|number| self.stop.vectors.get(number));
                // The low half is what was asked for.
                value.map(|value| *value as u64)
            }
            HitQuestion::Argument(number) => of(self.arguments, number),
            HitQuestion::Function => Some(self.function),
            HitQuestion::Entry(number) => of(self.entry_values, number),
            HitQuestion::Sample { every, bytes } => {
                Some(sample(every, bytes, self.stop.time, self.stop.tid))
            }
        };
        answer.ok_or_else(|| {
            let text = match question {
                HitQuestion::Register(number) => format!("there is no register {number}"),
                HitQuestion::Vector(number) => format!("there is no vector register {number}"),
                HitQuestion::Argument(number) => format!("argument {number} could not be read"),
                HitQuestion::Entry(_) => {
                    "the value as of the function's entry could not be read".to_owned()
                }
                HitQuestion::Function | HitQuestion::Sample { .. } => "it is not known".to_owned(),
            };
            Fault::new(FaultKind::NotAvailable).with_message(text)
        })
    }

    /// The backtrace of the thread, read from its memory.
    pub(crate) fn backtrace(&self, names: &Names, memory: &mut dyn Memory) -> Stack {
        let registers = &self.stop.registers;
        let mut stack = names.stack(registers, memory);
        match self.stop.what {
            What::Return { .. } => {
                // The function has been left; it is still the one that this is about.
                if let Some(caller) = stack.frames.first_mut() {
                    *caller = caller.wrapping_sub(1);
                }
                stack.frames.insert(0, self.function);
            }
            What::Entry { .. }
                if self.function == registers.instruction_pointer
                    && stack.uncovered == Some(self.function) =>
            {
                // Without a table the frame pointer would lead past the caller: nothing has been pushed yet.
                let mut word = [0; size_of::<u64>()];
                if memory.read(registers.stack_pointer, &mut word).is_ok() {
                    stack
                        .frames
                        .insert(1, u64::from_ne_bytes(word).wrapping_sub(1));
                }
            }
            _ => {}
        }
        stack
    }
}

/// A general register, the stack pointer or the instruction pointer by its number in DWARF (System V ABI AMD64 figure 3.36).
fn register(registers: &Registers, number: u64) -> Option<u64> {
    let number = u16::try_from(number).ok()?;
    /// `rflags`, and the base of thread-local storage.
    const FLAGS: u16 = 49;
    const FS_BASE: u16 = 58;
    match number {
        FLAGS => Some(registers.flags),
        FS_BASE => Some(registers.thread_pointer),
        number => registers.dwarf(number),
    }
}

/// The value of a static probe's argument at a stop.
pub(super) fn argument(
    argument: &Argument,
    registers: &Registers,
    memory: &mut dyn Memory,
) -> Option<u64> {
    use ytrace_target::events::Register;
    let value = |wanted: Register| {
        let known = (0..=16).find(|number| Register::from_dwarf(*number) == Ok(wanted))?;
        registers.dwarf(known)
    };
    match *argument {
        Argument::None | Argument::FaultAddress | Argument::ExitStatus => None,
        Argument::Constant(value) => Some(value),
        Argument::Register(register, width, signed) => {
            Some(extended(value(register)?, width, signed))
        }
        Argument::Memory {
            base,
            index,
            displacement,
            width,
            signed,
        } => {
            let mut address = displacement;
            if let Some(base) = base {
                address = address.wrapping_add(value(base)?);
            }
            if let Some((index, scale)) = index {
                address = address.wrapping_add(value(index)?.wrapping_mul(scale));
            }
            let mut word = [0; size_of::<u64>()];
            let length = usize::try_from(width.bytes()).ok()?;
            memory.read(address, word.get_mut(..length)?).ok()?;
            Some(extended(u64::from_ne_bytes(word), width, signed))
        }
    }
}

/// The low bytes of a word, widened.
fn extended(value: u64, width: Width, signed: bool) -> u64 {
    let unused = 64 - 8 * width.bytes().clamp(1, 8);
    let high = value << unused;
    if signed {
        (high.cast_signed() >> unused).cast_unsigned()
    } else {
        high >> unused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_widened_by_their_width_and_sign() {
        let wide = |value, bytes, signed| {
            extended(value, Width::of_bytes(bytes).expect("a width"), signed)
        };
        assert_eq!(wide(0x0012_3480, 1, true), -128_i64 as u64);
        assert_eq!(wide(0x0012_3480, 1, false), 0x80);
        assert_eq!(wide(0xffff_ffff_8000_0000, 4, false), 0x8000_0000);
        assert_eq!(wide(u64::MAX, 8, true), u64::MAX);
    }
}
