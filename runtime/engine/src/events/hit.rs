//! One hit, as the handler sees it: what it asks for is in the record.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use ytrace_debuginfo::{CapturedStack, Cut, Part, REGISTERS, Stack};
use ytrace_target::events::{Captured, Record, Register, StackEnd};
use ytrace_values::host::HitQuestion;
use ytrace_values::{CapturedMemory, Fault, FaultKind, Store};

use super::plan::Reading;
use crate::names::Names;

/// A scalar global of the script, widened with zeros.
pub(super) fn global_word(store: &Store, offset: u64, size: u64) -> Option<u64> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    let mut word = [0; 8];
    word.get_mut(..end - start)?
        .copy_from_slice(store.globals.get(start..end)?);
    Some(u64::from_ne_bytes(word))
}

/// Sets such a global.
pub(super) fn set_global(store: &mut Store, offset: u64, size: u8, value: u64) {
    let Ok(start) = usize::try_from(offset) else {
        return;
    };
    let end = start.saturating_add(usize::from(size));
    if let (Some(to), Some(from)) = (
        store.globals.get_mut(start..end),
        value.to_ne_bytes().get(..usize::from(size)),
    ) {
        to.copy_from_slice(from);
    }
}

/// A hit.
#[derive(Clone, Copy)]
pub(crate) struct Hit<'a> {
    pub(super) record: &'a Record<'a>,
    pub(super) reading: &'a Reading,
    /// How much lower the stack pointer was than at the function's first instruction, in bytes.
    pub(super) stack_offset: u64,
    /// Where the function began when the program was compiled; 0 where the point is no function's.
    pub(super) function: u64,
    /// Where it begins now.
    pub(super) here: u64,
    /// The address that the point has for the user: of the function's first instruction, of the line, of the static probe.
    pub(super) address: u64,
    /// Whether the process has the code that the target has.
    pub(super) known: bool,
}

impl Hit<'_> {
    /// Fills memory with what was captured.
    pub(super) fn fill(&self, memory: &mut CapturedMemory) {
        memory.clear();
        for capture in &self.reading.captures {
            let Some(base) = self.record.value(capture.address) else {
                continue;
            };
            let address = base.wrapping_add(capture.offset);
            match self.record.capture(capture.place) {
                Some(Captured::Bytes(bytes)) => {
                    memory.add(address, bytes);
                    if capture.string {
                        // The end of a string is not sent.
                        memory.add(address.wrapping_add(bytes.len() as u64), &[0]);
                    }
                }
                Some(Captured::Cut(bytes)) => {
                    memory.add(address, bytes);
                    let had = bytes.len() as u64;
                    let rest = u64::from(capture.length).saturating_sub(had);
                    memory.fail(address.wrapping_add(had), rest);
                }
                Some(Captured::Failed) | None => {
                    memory.fail(address, u64::from(capture.length));
                }
            }
        }
    }

    /// Gives globals of the script the values that they had at the hit, where a timer has changed them since. No handler of an event writes
    /// them, so these are to be put back: offset, size, value.
    pub(super) fn set_globals(&self, store: &mut Store) -> Vec<(u64, u8, u64)> {
        let mut kept = Vec::new();
        for (offset, size, place) in &self.reading.globals {
            let Some(value) = self.record.value(*place) else {
                continue;
            };
            let now = global_word(store, *offset, u64::from(*size));
            if let Some(now) = now.filter(|now| *now != value) {
                kept.push((*offset, *size, now));
                set_global(store, *offset, *size, value);
            }
        }
        kept
    }

    /// The thread.
    pub(crate) fn tid(&self) -> u64 {
        u64::try_from(self.record.tid()).unwrap_or(0)
    }

    /// The process and the thread.
    pub(crate) fn thread(&self) -> (i32, i32) {
        (self.record.pid(), self.record.tid())
    }

    /// The process.
    pub(crate) fn pid(&self) -> u64 {
        u64::try_from(self.record.pid()).unwrap_or(0)
    }

    /// The time, of the clock that [`ytrace_target::monotonic_ns`] reads.
    pub(crate) fn time(&self) -> u64 {
        self.record.time()
    }

    /// What the record has for a question.
    pub(crate) fn answer(&self, question: HitQuestion) -> Result<u64, Fault> {
        let place = |places: &std::collections::HashMap<u64, usize>, number: u64| {
            let place = places.get(&number).copied();
            place.and_then(|place| self.record.value(place))
        };
        let answer = match question {
            HitQuestion::Register(number) => self.register(number),
            HitQuestion::Vector(_) => None,
            HitQuestion::Argument(number) => place(&self.reading.arguments, number),
            HitQuestion::Function => Some(self.function),
            HitQuestion::Entry(number) => place(&self.reading.entry_values, number),
            HitQuestion::Sample { every, bytes } => match self.reading.weight {
                Some(place) => self.record.value(place),
                None => Some(sample(every, bytes, self.record.time(), self.record.tid())),
            },
        };
        answer.ok_or_else(|| {
            let text = match question {
                HitQuestion::Register(number) => format!("register {number} was not captured"),
                HitQuestion::Vector(_) => "vector registers cannot be had without stopping the thread".to_owned(),
                HitQuestion::Argument(number) => format!("argument {number} could not be read"),
                HitQuestion::Entry(_) => {
                    "the value as of the function's entry could not be read, or the call began before the probe was there"
                        .to_owned()
                }
                HitQuestion::Function | HitQuestion::Sample { .. } => "it was not captured".to_owned(),
            };
            Fault::new(FaultKind::NotAvailable).with_message(text)
        })
    }

    fn register(&self, number: u64) -> Option<u64> {
        let register = Register::from_dwarf(u16::try_from(number).ok()?).ok()?;
        let value = self.record.register(register)?;
        Some(match register {
            Register::Rsp if !self.record.is_return() => value.wrapping_add(self.stack_offset),
            Register::Rip if !self.record.is_return() && self.address != 0 => self.address,
            _ => value,
        })
    }

    /// The address of a thread-local variable of the thread, where the handler asks for one.
    pub(crate) fn thread_local(&self, variable: u32) -> Option<u64> {
        self.record
            .value(*self.reading.thread_locals.get(&variable)?)
    }

    /// The backtrace of the hit, or the part of it that `part` says.
    pub(crate) fn backtrace(
        &self,
        names: &Names,
        part: Part,
        stack: &mut Stack,
    ) -> Result<(), Fault> {
        if !self.reading.stack {
            return Err(Fault::new(FaultKind::NotAvailable)
                .with_message("the stack of this hit was not captured"));
        }
        let mut registers = [0; REGISTERS];
        for register in Register::ALL {
            if let (Some(slot), Some(value)) = (
                registers.get_mut(register as usize),
                self.record.register(register),
            ) {
                *slot = value;
            }
        }
        let next = self.record.register(Register::Rip).unwrap_or(0);
        if !self.known {
            // What its code is called where it has come to is known, but not by what it was called.
            let innermost = match self.record.is_return() {
                true => self.here,
                false if self.address != 0 => self.address,
                false => next,
            };
            *stack = Stack {
                frames: vec![names.dated(innermost)],
                cut: Some(Cut::NoTable),
                ..Stack::default()
            };
            return Ok(());
        }
        // Nothing has been pushed at the function's first instruction.
        let first = self.here != 0 && self.address == self.here && self.stack_offset == 0;
        let captured = CapturedStack {
            instruction_pointer: next,
            registers,
            memory: self.record.stack(),
            at_entry: first && !self.record.is_return(),
        };
        names.captured_stack(&captured, part, stack);
        let end = match stack.cut {
            None if part == Part::WHOLE => StackEnd::Begin,
            Some(Cut::Slice(_)) => StackEnd::Slice,
            _ => StackEnd::Elsewhere,
        };
        self.record.stack_took(stack.bytes, end);
        if part.from.is_some() {
            return Ok(());
        }
        if self.record.is_return() {
            // The function has been left; it is still the one that this is about.
            if let Some(caller) = stack.frames.first_mut() {
                *caller = caller.wrapping_sub(1);
            }
            stack.frames.insert(0, self.here);
        } else if self.address != 0
            && let Some(innermost) = stack.frames.first_mut()
        {
            *innermost = self.address;
        }
        for frame in &mut stack.frames {
            *frame = names.dated(*frame);
        }
        Ok(())
    }
}

/// Decides whether the hit of a thread at a time is of a sample that the kernel has not drawn, as it does (see
/// [`ytrace_target::events::Step::Sample`]): the weight, or 0.
pub(super) fn sample(every: u64, bytes: u64, time: u64, tid: i32) -> u64 {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    if bytes == 0 || bytes >= every {
        return bytes;
    }
    let seed = SEED.get_or_init(RandomState::new);
    let number = seed.hash_one((time, tid, bytes));
    if number % every < bytes { every } else { 0 }
}
