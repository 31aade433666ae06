//! Where in a function's prologue a probe goes: the cheapest instruction at which everything is as it was at the entry.
//!
//! From the entry on, instructions are followed for as long as each leads to the next only, and leaves alone what a probe may ask for:
//! argument registers, arguments on the stack, all memory above the stack pointer as of the entry. Among those that were come by, the
//! first that the kernel need not single-step is taken. No branch may lead there, or the probe would fire without a call.

use iced_x86::{
    FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register,
};
use std::ops::RangeInclusive;

use super::facts::{CodeFacts, Top};
use super::instruction::{self, Handling, KernelRules};
use crate::module::Module;

/// Instructions that are looked at, from the entry on.
const MAX_STEPS: usize = 32;

/// What a probe at a site has to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serves {
    /// The entry of a function.
    Entry,
    /// Also its return, for which the kernel replaces the word at the stack pointer.
    EntryAndReturn,
}

/// How the kernel handles an instruction under a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SiteKind {
    /// A `nop` of five bytes, which the kernel makes a call.
    Nop5,
    /// The kernel emulates the instruction.
    Emulated,
    /// The kernel single-steps a copy of the instruction.
    SingleStepped,
}

impl SiteKind {
    /// What a hit adds to the target, in nanoseconds, with an empty BPF program, as measured on one machine; on others the ratios
    /// hold.
    #[must_use]
    pub fn cost_ns(self) -> RangeInclusive<u32> {
        match self {
            SiteKind::Nop5 => 300..=350,
            SiteKind::Emulated => 550..=750,
            SiteKind::SingleStepped => 5_200..=5_800,
        }
    }
}

/// Where a probe goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Address of the instruction (svma).
    pub address: u64,
    /// Its offset in the module's file, by which the kernel knows a probe.
    pub file_offset: u64,
    /// The instruction, for people.
    pub instruction: String,
    /// What the kernel does with it.
    pub kind: SiteKind,
    /// How far the stack pointer is below where it was at the entry, in bytes: added to it, it finds the return address and the
    /// arguments on the stack.
    pub stack_offset: u32,
    /// Whether the return address is at the stack pointer, so that the site serves the return, too.
    pub serves_return: bool,
    /// Whether nothing but instructions without effect on arguments stands between the entry and the site: false for sites that are
    /// not of an entry, where registers hold anything.
    pub at_entry: bool,
    /// Why this one, in one sentence.
    pub reason: String,
}

/// Why there is no place for a probe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The file holds no code at this address.
    #[error("there is no code of the file at {address:#x}")]
    NotCode {
        /// The address (svma).
        address: u64,
    },
    /// The module's instructions cannot be decoded.
    #[error("code for {machine} is not understood")]
    Machine {
        /// The architecture.
        machine: String,
    },
    /// The bytes at the address are no instruction.
    #[error("the bytes at {address:#x} are not an instruction")]
    Undecodable {
        /// The address (svma).
        address: u64,
    },
    /// The kernel cannot probe the instruction, and there is no other.
    #[error("the kernel cannot probe `{instruction}` at {address:#x}: {why}")]
    Instruction {
        /// The address (svma).
        address: u64,
        /// The instruction.
        instruction: String,
        /// Why not.
        why: &'static str,
    },
}

/// An instruction at which a probe could stand.
struct Candidate {
    instruction: Instruction,
    handling: Handling,
    /// Nothing but marks of branch targets stands between the entry and it.
    begins: bool,
    /// How far the stack pointer is below the entry's.
    depth: u32,
}

impl Module {
    /// Where a probe of the entry of the function at `entry` goes. `size` is that of its code in bytes, zero where unknown.
    ///
    /// # Errors
    /// There is no code there, or none that the kernel can probe.
    pub fn site(
        &self,
        entry: u64,
        size: u64,
        serves: Serves,
        rules: KernelRules,
    ) -> Result<Site, Refusal> {
        let facts = self.code_facts()?;
        let code = self
            .code_from(entry)
            .ok_or(Refusal::NotCode { address: entry })?;
        let end = facts.end_of(entry, size).unwrap_or(entry);
        let (candidates, stopped) = walk(code, entry, end, facts, rules);
        let jumps = match candidates.len() {
            0 | 1 => Vec::new(),
            _ => facts.indirect_jumps(code, entry, end),
        };
        let Some(first) = candidates.first() else {
            return Err(Refusal::Undecodable { address: entry });
        };
        let suits = |c: &&Candidate| {
            let reached = c.instruction.ip() == entry || !may_be_reached(c, &jumps, facts);
            reached && (serves == Serves::Entry || c.depth == 0)
        };
        let best = candidates
            .iter()
            .filter(suits)
            .filter_map(|c| Some((kind(c)?, c)))
            .min_by_key(|(kind, c)| (*kind, c.instruction.ip()));
        let Some((kind, chosen)) = best else {
            let why = match first.handling {
                Handling::Refused(why) => why,
                _ => "a return cannot be probed here",
            };
            return Err(Refusal::Instruction {
                address: entry,
                instruction: instruction::text(&first.instruction),
                why,
            });
        };
        let reason = reason(chosen, kind, first, &candidates, stopped, serves);
        self.finish(chosen, kind, true, reason)
    }

    /// A probe of exactly the instruction at `address`, which must be the first byte of one: a line, a static probe, an address.
    ///
    /// # Errors
    /// There is no code there, or the kernel cannot probe it.
    pub fn site_at(&self, address: u64, rules: KernelRules) -> Result<Site, Refusal> {
        let facts = self.code_facts()?;
        let code = self
            .code_from(address)
            .ok_or(Refusal::NotCode { address })?;
        let instruction =
            instruction::decode(code, address).ok_or(Refusal::Undecodable { address })?;
        let bytes = code.get(..instruction.len()).unwrap_or_default();
        let handling = instruction::handling(bytes, rules);
        let candidate = Candidate {
            instruction,
            handling,
            begins: false,
            depth: 0,
        };
        let text = instruction::text(&instruction);
        let (kind, reason) = match handling {
            Handling::Refused(why) => {
                return Err(Refusal::Instruction {
                    address,
                    instruction: text,
                    why,
                });
            }
            Handling::Emulated => (SiteKind::Emulated, format!("the kernel emulates `{text}`")),
            Handling::SingleStepped => (
                SiteKind::SingleStepped,
                format!("the kernel single-steps `{text}`"),
            ),
            Handling::Nop5 if self.keeps_nothing_below(address, facts) => (
                SiteKind::Nop5,
                "the kernel makes this `nop` a call; nothing is kept below the stack pointer"
                    .into(),
            ),
            Handling::Nop5 => {
                return Err(Refusal::Instruction {
                    address,
                    instruction: text,
                    why: "the kernel would make it a call, which overwrites what this function keeps below the stack pointer",
                });
            }
        };
        let mut site = self.finish(&candidate, kind, false, reason)?;
        site.serves_return = facts.starts_at(address);
        site.at_entry = site.serves_return;
        Ok(site)
    }

    /// Whether an instruction begins at an address (svma), as decoding the function around it tells. `None` where no function is
    /// known to be.
    #[must_use]
    pub fn begins_instruction(&self, address: u64) -> Option<bool> {
        let (start, end) = self.code_facts().ok()?.around(address)?;
        let code = self.code_from(start)?;
        Some(super::facts::sweep(code, start, end).any(|i| i.ip() == address))
    }

    /// Whether the function around an address is one that calls others: those keep nothing below the stack pointer, where any call
    /// would overwrite it (the red zone of the System V ABI is of use to leaf functions only). The first instruction of a function
    /// has kept nothing yet.
    fn keeps_nothing_below(&self, address: u64, facts: &CodeFacts) -> bool {
        if facts.starts_at(address) {
            return true;
        }
        let Some((start, end)) = facts.around(address) else {
            return false;
        };
        let Some(code) = self.code_from(start) else {
            return false;
        };
        super::facts::sweep(code, start, end).any(|i| {
            matches!(
                i.flow_control(),
                FlowControl::Call | FlowControl::IndirectCall
            )
        })
    }

    fn finish(
        &self,
        chosen: &Candidate,
        kind: SiteKind,
        at_entry: bool,
        reason: String,
    ) -> Result<Site, Refusal> {
        let address = chosen.instruction.ip();
        Ok(Site {
            address,
            file_offset: self
                .offset_of_address(address)
                .ok_or(Refusal::NotCode { address })?,
            instruction: instruction::text(&chosen.instruction),
            kind,
            stack_offset: chosen.depth,
            serves_return: at_entry && chosen.depth == 0,
            at_entry,
            reason,
        })
    }
}

/// What the kernel does with a candidate; `None` where it should not be used.
fn kind(candidate: &Candidate) -> Option<SiteKind> {
    match candidate.handling {
        // Elsewhere the call that it becomes could overwrite what a leaf function keeps below the stack pointer.
        Handling::Nop5 if candidate.begins => Some(SiteKind::Nop5),
        Handling::Nop5 | Handling::Refused(_) => None,
        Handling::Emulated => Some(SiteKind::Emulated),
        Handling::SingleStepped => Some(SiteKind::SingleStepped),
    }
}

/// The instructions that are equivalent to the entry, and why there are no more.
fn walk(
    code: &[u8],
    entry: u64,
    end: u64,
    facts: &CodeFacts,
    rules: KernelRules,
) -> (Vec<Candidate>, &'static str) {
    let mut candidates = Vec::new();
    let mut state = State::default();
    let mut infos = InstructionInfoFactory::new();
    let mut address = entry;
    let mut begins = true;
    while candidates.len() < MAX_STEPS {
        if address != entry {
            if address >= end {
                return (candidates, "the function ends");
            }
            if facts.is_target(address) {
                return (candidates, "a branch leads there");
            }
            if !state.agrees(facts.top(address)) {
                return (
                    candidates,
                    "the unwind tables do not follow the stack pointer",
                );
            }
        }
        let rest = usize::try_from(address.wrapping_sub(entry))
            .ok()
            .and_then(|skip| code.get(skip..));
        let Some(instruction) = rest.and_then(|rest| instruction::decode(rest, address)) else {
            return (candidates, "what follows is not an instruction");
        };
        let bytes = rest.and_then(|rest| rest.get(..instruction.len()));
        candidates.push(Candidate {
            instruction,
            handling: instruction::handling(bytes.unwrap_or_default(), rules),
            begins,
            depth: state.depth,
        });
        begins &= instruction.mnemonic() == Mnemonic::Endbr64;
        if let Err(why) = state.step(&instruction, &mut infos) {
            return (candidates, why);
        }
        address = instruction.next_ip();
    }
    (candidates, "enough was looked at")
}

/// Where the stack and frame pointers are, relative to the stack pointer at the entry, in bytes below it.
#[derive(Default)]
struct State {
    depth: u32,
    frame: Option<i64>,
}

/// No prologue makes a larger frame in one go (16 MiB).
const MAX_DEPTH: i64 = 16 << 20;

impl State {
    /// Whether the unwind tables, if they cover the place, tell the same.
    fn agrees(&self, top: Top) -> bool {
        let expected = |below: i64| below + 8;
        match top {
            Top::Uncovered => true,
            Top::StackPointer(offset) => offset == expected(i64::from(self.depth)),
            Top::FramePointer(offset) => self.frame.is_some_and(|f| offset == expected(f)),
            Top::Other => false,
        }
    }

    /// Goes past an instruction, if a probe after it sees what one before it does.
    fn step(
        &mut self,
        instruction: &Instruction,
        infos: &mut InstructionInfoFactory,
    ) -> Result<(), &'static str> {
        if instruction.flow_control() != FlowControl::Next {
            return Err("control goes elsewhere");
        }
        let info = infos.info(instruction);
        for memory in info.used_memory() {
            self.memory(memory)?;
        }
        let mut moves_stack = false;
        let mut moves_frame = false;
        for used in info.used_registers() {
            if matches!(
                used.access(),
                OpAccess::Read | OpAccess::CondRead | OpAccess::None
            ) {
                continue;
            }
            match used.register().full_register() {
                Register::RSP => moves_stack = true,
                Register::RBP => moves_frame = true,
                Register::RDI
                | Register::RSI
                | Register::RDX
                | Register::RCX
                | Register::R8
                | Register::R9
                | Register::ZMM0
                | Register::ZMM1
                | Register::ZMM2
                | Register::ZMM3
                | Register::ZMM4
                | Register::ZMM5
                | Register::ZMM6
                | Register::ZMM7 => return Err("a register of arguments is written"),
                _ => {}
            }
        }
        if moves_frame {
            self.frame = frame_pointer(instruction, i64::from(self.depth));
        }
        if moves_stack {
            let by = stack_change(instruction).ok_or("the stack pointer is set anew")?;
            let depth = i64::from(self.depth) + by;
            if !(0..=MAX_DEPTH).contains(&depth) {
                return Err("the stack pointer is set anew");
            }
            self.depth = u32::try_from(depth).map_err(|_| "the stack pointer is set anew")?;
        }
        Ok(())
    }

    /// A read must not fail, and a write must stay in the function's own frame.
    fn memory(&self, memory: &iced_x86::UsedMemory) -> Result<(), &'static str> {
        let writes = match memory.access() {
            OpAccess::None | OpAccess::NoMemAccess => return Ok(()),
            OpAccess::Read | OpAccess::CondRead => false,
            _ => true,
        };
        let base = match memory.base() {
            Register::RSP => Some(i64::from(self.depth)),
            Register::RBP => self.frame,
            _ => None,
        };
        let plain = memory.index() == Register::None;
        if !writes {
            // The thread's own block and what is at a fixed address are there.
            let fixed = memory.base() == Register::None && plain;
            let own = matches!(memory.segment(), Register::FS | Register::GS);
            return if fixed || (base.is_some() && plain && !own) {
                Ok(())
            } else {
                Err("memory is read that might not be there")
            };
        }
        let size = i64::try_from(memory.memory_size().size()).unwrap_or(i64::MAX);
        // Of an unknown size, or of one that depends on a register.
        let inside = base
            .filter(|_| plain && size > 0 && memory.segment() != Register::FS)
            .and_then(|below| memory.displacement().cast_signed().checked_sub(below))
            .and_then(|from| from.checked_add(size))
            .is_some_and(|to| to <= 0);
        if inside {
            Ok(())
        } else {
            Err("memory is written")
        }
    }
}

/// By how much an instruction lowers the stack pointer.
fn stack_change(instruction: &Instruction) -> Option<i64> {
    let immediate = || {
        let is_register = instruction.op0_register() == Register::RSP;
        let value = instruction.try_immediate(1).ok()?.cast_signed();
        is_register.then_some(value)
    };
    match instruction.mnemonic() {
        Mnemonic::Push | Mnemonic::Pushfq => {
            Some(-i64::from(instruction.stack_pointer_increment()))
        }
        Mnemonic::Pop if instruction.op0_register() != Register::RSP => {
            Some(-i64::from(instruction.stack_pointer_increment()))
        }
        Mnemonic::Sub => immediate(),
        Mnemonic::Add => immediate()?.checked_neg(),
        Mnemonic::Lea => offset_from(instruction, Register::RSP, Register::RSP)?.checked_neg(),
        _ => None,
    }
}

/// How far below the entry's stack pointer the frame pointer is after an instruction that writes it.
fn frame_pointer(instruction: &Instruction, depth: i64) -> Option<i64> {
    match instruction.mnemonic() {
        Mnemonic::Mov => {
            let moved = instruction.op0_register() == Register::RBP
                && instruction.op1_kind() == OpKind::Register
                && instruction.op1_register() == Register::RSP;
            moved.then_some(depth)
        }
        Mnemonic::Lea => depth.checked_sub(offset_from(instruction, Register::RBP, Register::RSP)?),
        _ => None,
    }
}

/// The constant of `lea to, [from+constant]`.
fn offset_from(instruction: &Instruction, to: Register, from: Register) -> Option<i64> {
    let fits = instruction.op0_register() == to
        && instruction.memory_base() == from
        && instruction.memory_index() == Register::None;
    fits.then(|| instruction.memory_displacement64().cast_signed())
}

/// Whether a jump through a register or a table might lead to a candidate that is not the first.
///
/// Jumps keep the stack as it is, so one at which the frame is of another size does not. No compiler puts the `push` of a register
/// that it must keep into a loop, so none leads there.
fn may_be_reached(candidate: &Candidate, jumps: &[u64], facts: &CodeFacts) -> bool {
    let kept = [
        Register::RBX,
        Register::RBP,
        Register::R12,
        Register::R13,
        Register::R14,
        Register::R15,
    ];
    if candidate.instruction.mnemonic() == Mnemonic::Push
        && kept.contains(&candidate.instruction.op0_register())
    {
        return false;
    }
    let here = facts.top(candidate.instruction.ip());
    jumps.iter().any(|&jump| match (here, facts.top(jump)) {
        (Top::StackPointer(a), Top::StackPointer(b)) => a == b,
        _ => true,
    })
}

fn reason(
    chosen: &Candidate,
    kind: SiteKind,
    first: &Candidate,
    all: &[Candidate],
    stopped: &'static str,
    serves: Serves,
) -> String {
    let text = instruction::text(&chosen.instruction);
    let entry = first.instruction.ip();
    let distance = chosen.instruction.ip() - entry;
    let does = match kind {
        SiteKind::Nop5 => "the kernel makes a call",
        SiteKind::Emulated => "the kernel emulates",
        SiteKind::SingleStepped => "the kernel single-steps",
    };
    if distance > 0 {
        let other = match first.handling {
            Handling::Refused(_) => "cannot be probed",
            _ => "would be single-stepped",
        };
        return format!(
            "`{text}` at +{distance}, which {does}: `{}` at the entry {other}",
            instruction::text(&first.instruction)
        );
    }
    let later = all.iter().find(|c| c.handling == Handling::Emulated);
    match (kind, later) {
        (SiteKind::SingleStepped, Some(later)) => {
            let why = if serves == Serves::EntryAndReturn && later.depth != 0 {
                "is too late for a return: the return address is no longer at the stack pointer"
            } else {
                "might be jumped to"
            };
            format!(
                "`{text}` at the entry, which {does}: `{}` at +{} {why}",
                instruction::text(&later.instruction),
                later.instruction.ip() - entry
            )
        }
        (SiteKind::SingleStepped, None) => {
            let last = all.last().map_or(0, |c| c.instruction.ip() - entry);
            format!(
                "`{text}` at the entry, which {does}: there is no better one before +{last}, where {stopped}"
            )
        }
        _ => format!("`{text}` at the entry, which {does}"),
    }
}
