//! Machine instructions as a probe sees them: what the kernel does with one that a uprobe replaces.
//!
//! The kernel's rules are those of `arch/x86/kernel/uprobes.c`: it steps over some instructions by itself, which is cheap, copies most
//! others and single-steps the copy, which takes ten times as long, and refuses the rest (`ENOTSUPP`, 524).

use std::fmt::Write as _;

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

/// The longest instruction of x86, in bytes.
pub(crate) const MAX_LENGTH: usize = 15;

/// What a kernel can do beyond what all kernels can. It differs between releases, so a caller who can should measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelRules {
    /// Emulates `nop` instructions of two to eight bytes (since 6.16); the one of one byte always is.
    pub long_nops: bool,
    /// Replaces a `nop` of five bytes by a call (since 6.18), which overwrites the word below the stack pointer.
    pub nop5: bool,
}

impl Default for KernelRules {
    /// Those of Linux 6.18.
    fn default() -> Self {
        KernelRules {
            long_nops: true,
            nop5: true,
        }
    }
}

impl KernelRules {
    /// Those of a release as `uname -r` tells it (`6.18.44-generic`); of one that cannot be read, those that every kernel has.
    #[must_use]
    pub fn of_release(release: &str) -> Self {
        let mut numbers = release
            .split(|c: char| !c.is_ascii_digit())
            .map_while(|n| n.parse::<u32>().ok());
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        KernelRules {
            long_nops: version >= (6, 16),
            nop5: version >= (6, 18),
        }
    }
}

/// What the kernel does with an instruction under a uprobe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handling {
    /// A `nop` of five bytes that becomes a call: cheapest, but the call overwrites the word below the stack pointer.
    Nop5,
    /// Emulated.
    Emulated,
    /// Single-stepped.
    SingleStepped,
    /// Not probed at all; why.
    Refused(&'static str),
}

/// The instruction at the start of `code`, which is at `address`; `None` where there is none.
pub(crate) fn decode(code: &[u8], address: u64) -> Option<Instruction> {
    let code = code.get(..code.len().min(MAX_LENGTH))?;
    if code.is_empty() {
        return None;
    }
    let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let instruction = decoder.decode();
    (!instruction.is_invalid()).then_some(instruction)
}

/// What the kernel does with an instruction, of which `bytes` are all.
pub(crate) fn handling(bytes: &[u8], rules: KernelRules) -> Handling {
    let Some(parts) = Parts::of(bytes) else {
        return Handling::Refused("it is not an instruction");
    };
    if let Some(why) = parts.refusal() {
        return Handling::Refused(why);
    }
    if parts.is_nop() {
        return match (bytes.len(), rules) {
            (5, KernelRules { nop5: true, .. }) => Handling::Nop5,
            (1, _) => Handling::Emulated,
            (
                2..=8,
                KernelRules {
                    long_nops: true, ..
                },
            ) => Handling::Emulated,
            _ => Handling::SingleStepped,
        };
    }
    if parts.vector {
        return Handling::SingleStepped;
    }
    match (parts.first, parts.second) {
        // Jumps and calls by a distance.
        (0xe8 | 0xe9 | 0xeb | 0x70..=0x7f, _) | (0x0f, Some(0x80..=0x8f)) => {
            if parts.prefixes.contains(&0x66) {
                Handling::Refused("a branch with an operand-size prefix")
            } else {
                Handling::Emulated
            }
        }
        // `push` of a register: alone, or with the prefix for r8 to r15 and nothing else.
        (0x50..=0x57, _) if parts.prefixes.is_empty() && matches!(parts.rex, None | Some(0x41)) => {
            Handling::Emulated
        }
        _ => Handling::SingleStepped,
    }
}

/// An instruction taken apart as far as the kernel's tables look (Intel SDM volume 2, chapter 2).
struct Parts<'a> {
    prefixes: &'a [u8],
    rex: Option<u8>,
    /// Encoded with VEX or EVEX.
    vector: bool,
    first: u8,
    second: Option<u8>,
    /// What follows the opcode.
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        const PREFIXES: [u8; 11] = [
            0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3,
        ];
        let count = bytes.iter().take_while(|b| PREFIXES.contains(b)).count();
        let (prefixes, mut tail) = bytes.split_at_checked(count)?;
        let mut rex = None;
        if let [byte @ 0x40..=0x4f, after @ ..] = tail {
            rex = Some(*byte);
            tail = after;
        }
        let (vector, tail) = match tail {
            [0xc5, _, after @ ..] | [0xc4, _, _, after @ ..] | [0x62, _, _, _, after @ ..] => {
                (true, after)
            }
            _ => (false, tail),
        };
        let (&first, rest) = tail.split_first()?;
        let two = first == 0x0f && !vector;
        Some(Parts {
            prefixes,
            rex,
            vector,
            first,
            second: rest.first().copied().filter(|_| two),
            rest: if two {
                rest.get(1..).unwrap_or_default()
            } else {
                rest
            },
        })
    }

    /// Why the kernel refuses it, if it does.
    fn refusal(&self) -> Option<&'static str> {
        if self.prefixes.contains(&0xf0) {
            return Some("the kernel refuses a lock prefix");
        }
        if self
            .prefixes
            .iter()
            .any(|p| matches!(p, 0x26 | 0x2e | 0x36 | 0x3e))
        {
            return Some("the kernel refuses a segment prefix");
        }
        // It is stepped round by round, each of which comes to the probe anew.
        let repeated = self.prefixes.iter().any(|p| matches!(p, 0xf2 | 0xf3));
        let string = matches!(self.first, 0x6c..=0x6f | 0xa4..=0xa7 | 0xaa..=0xaf);
        if repeated && string && !self.vector {
            return Some("each of its rounds would be a hit");
        }
        // Debug exceptions are held off after a load of the stack segment.
        if self.first == 0x8e && !self.vector && self.rest.first().is_some_and(|m| m >> 3 & 7 == 2)
        {
            return Some("the kernel refuses a load of the stack segment");
        }
        // The kernel looks up the opcode of a vector instruction in the same table.
        let refused = matches!(
            self.first,
            0x06 | 0x07 | 0x0e | 0x16 | 0x17 | 0x1e | 0x1f | 0x27 | 0x2f | 0x37 | 0x3f | 0x60..=0x62
                | 0x6c..=0x6f | 0x82 | 0x9a | 0xcc..=0xcf | 0xd4..=0xd6 | 0xe4..=0xe7 | 0xea
                | 0xec..=0xef | 0xf1 | 0xf4 | 0xfa | 0xfb
        );
        match (refused, self.vector, self.first) {
            (false, ..) => None,
            (true, true, _) => Some("the kernel refuses this vector instruction"),
            (true, false, 0xcc) => Some("there is a breakpoint"),
            (true, false, _) => Some("the kernel refuses this instruction"),
        }
    }

    /// Whether it is a `nop` in one of the forms that assemblers make (Intel SDM, table 4-12), which are those that kernels know.
    fn is_nop(&self) -> bool {
        if self.vector || self.rex.is_some() || self.prefixes.iter().any(|&p| p != 0x66) {
            return false;
        }
        match (self.first, self.second, self.prefixes.len()) {
            (0x90, _, 0 | 1) => true,
            (0x0f, Some(0x1f), 0 | 1) => matches!(
                self.rest,
                [0x00] | [0x40, 0] | [0x44, 0, 0] | [0x80, 0, 0, 0, 0] | [0x84, 0, 0, 0, 0, 0]
            ),
            _ => false,
        }
    }
}

/// The instruction in Intel's notation, as far as a reader needs it.
pub(crate) fn text(instruction: &Instruction) -> String {
    let mut text = match instruction.mnemonic() {
        Mnemonic::INVALID => return "(not an instruction)".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    if instruction.has_lock_prefix() {
        text.insert_str(0, "lock ");
    }
    for operand in 0..instruction.op_count() {
        text.push_str(if operand == 0 { " " } else { ", " });
        match instruction.op_kind(operand) {
            OpKind::Register => text.push_str(&name(instruction.op_register(operand))),
            OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64 => {
                add(
                    &mut text,
                    format_args!("{:#x}", instruction.near_branch_target()),
                );
            }
            OpKind::Memory => memory(instruction, &mut text),
            _ => match instruction.try_immediate(operand) {
                Ok(value) => add(&mut text, format_args!("{value:#x}")),
                // An implied operand, such as those of string instructions.
                Err(_) => text.push('…'),
            },
        }
    }
    text
}

fn memory(instruction: &Instruction, text: &mut String) {
    let (base, index) = (instruction.memory_base(), instruction.memory_index());
    let segment = instruction.memory_segment();
    if matches!(segment, Register::FS | Register::GS) {
        add(text, format_args!("{}:", name(segment)));
    }
    text.push('[');
    let displacement = instruction.memory_displacement64();
    if instruction.is_ip_rel_memory_operand() {
        add(text, format_args!("rip → {displacement:#x}]"));
        return;
    }
    let mut any = false;
    if base != Register::None {
        text.push_str(&name(base));
        any = true;
    }
    if index != Register::None {
        let plus = if any { "+" } else { "" };
        let scale = instruction.memory_index_scale();
        add(text, format_args!("{plus}{}*{scale}", name(index)));
        any = true;
    }
    match (any, displacement.cast_signed()) {
        (true, 0) => {}
        (true, d) if d < 0 => add(text, format_args!("-{:#x}", d.unsigned_abs())),
        (true, d) => add(text, format_args!("+{d:#x}")),
        (false, _) => add(text, format_args!("{displacement:#x}")),
    }
    text.push(']');
}

fn name(register: Register) -> String {
    format!("{register:?}").to_lowercase()
}

fn add(text: &mut String, part: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(part);
}
