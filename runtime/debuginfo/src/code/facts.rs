//! What is known of a module's code as a whole: where functions begin, where branches lead, where the caller's frame is.

use std::sync::OnceLock;

use gimli::{CfaRule, Register, UnwindContext};
use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, OpKind};

use super::place::Refusal;
use crate::module::Module;
use crate::symtab::SymbolKind;
use crate::unwind::tables::Tables;

/// Of more code than this (32 MiB), only branches within a function are looked for.
const MAX_SWEPT: u64 = 32 << 20;
/// Functions that are larger (1 MiB) are not searched for indirect jumps; they count as having one.
const MAX_FUNCTION: u64 = 1 << 20;

const STACK_POINTER: Register = Register(7);
const FRAME_POINTER: Register = Register(6);

/// Where the top of the caller's frame is, by the unwind tables: the address after the return address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Top {
    /// No table covers the address.
    Uncovered,
    /// So many bytes above the stack pointer.
    StackPointer(i64),
    /// So many bytes above the frame pointer.
    FramePointer(i64),
    /// Some other way.
    Other,
}

/// The code of a module.
pub(crate) struct CodeFacts {
    tables: Tables,
    /// Address and size (zero where unknown) of functions, sorted; one for each address.
    starts: Vec<(u64, u64)>,
    /// Address ranges of sections or segments with code, sorted.
    code: Vec<(u64, u64)>,
    /// Where direct branches and calls lead, sorted; `None` where there is too much code.
    targets: OnceLock<Option<Vec<u64>>>,
}

impl Module {
    /// The facts, gathered when first asked for.
    pub(super) fn code_facts(&self) -> Result<&CodeFacts, Refusal> {
        let image = self.image();
        if image.machine != object::elf::EM_X86_64.0 || !image.is_64 {
            return Err(Refusal::Machine {
                machine: image.machine_name(),
            });
        }
        Ok(self.code_cell().get_or_init(|| {
            let facts = CodeFacts::of(self);
            facts.targets.get_or_init(|| facts.all_targets(self));
            facts
        }))
    }

    /// The file's bytes of code from an address to the end of what is mapped executable there.
    pub(super) fn code_from(&self, address: u64) -> Option<&[u8]> {
        let image = self.image();
        image.segments.iter().find_map(|s| {
            let within = address
                .checked_sub(s.address)
                .filter(|&w| w < s.file_size && s.permissions[2])?;
            let start = usize::try_from(s.offset.checked_add(within)?).ok()?;
            let end = usize::try_from(s.offset.checked_add(s.file_size)?).ok()?;
            image.data.get(start..end.min(image.data.len()))
        })
    }

    /// The offset in the file of an address, where a segment maps it from the file.
    #[must_use]
    pub fn offset_of_address(&self, address: u64) -> Option<u64> {
        self.image().segments.iter().find_map(|s| {
            let within = address
                .checked_sub(s.address)
                .filter(|&w| w < s.file_size)?;
            s.offset.checked_add(within)
        })
    }
}

impl CodeFacts {
    fn of(module: &Module) -> Self {
        let image = module.image();
        let mut code: Vec<(u64, u64)> = module
            .sections()
            .iter()
            .filter(|s| s.is_code() && s.has_content() && s.address != 0)
            .map(|s| (s.address, s.address.saturating_add(s.size)))
            .collect();
        if code.is_empty() {
            // Without section headers, the segments tell.
            code = image
                .segments
                .iter()
                .filter(|s| s.permissions[2])
                .map(|s| (s.address, s.address.saturating_add(s.file_size)))
                .collect();
        }
        code.sort_unstable();
        let tables = Tables::of(module);
        let in_code = |address: u64| {
            let after = code.partition_point(|&(start, _)| start <= address);
            after
                .checked_sub(1)
                .and_then(|i| code.get(i))
                .is_some_and(|&(_, end)| address < end)
        };
        let mut starts: Vec<(u64, u64)> = module
            .symbols()
            .filter(|s| {
                matches!(
                    s.kind,
                    SymbolKind::Function | SymbolKind::IndirectFunction | SymbolKind::Untyped
                ) && (s.kind != SymbolKind::Untyped || s.global || s.size > 0)
            })
            .map(|s| (s.address, s.size))
            .chain(tables.ranges().map(|(start, end)| (start, end - start)))
            .filter(|&(start, _)| in_code(start))
            .collect();
        // Of several at one address, the largest.
        starts.sort_unstable_by_key(|&(start, size)| (start, std::cmp::Reverse(size)));
        starts.dedup_by_key(|&mut (start, _)| start);
        CodeFacts {
            tables,
            starts,
            code,
            targets: OnceLock::new(),
        }
    }

    /// Whether a function begins at an address.
    pub(super) fn starts_at(&self, address: u64) -> bool {
        self.starts
            .binary_search_by_key(&address, |&(start, _)| start)
            .is_ok()
    }

    /// Start and end of the function around an address.
    pub(super) fn around(&self, address: u64) -> Option<(u64, u64)> {
        let after = self.starts.partition_point(|&(start, _)| start <= address);
        let &(start, size) = self.starts.get(after.checked_sub(1)?)?;
        let end = self.end_of(start, size)?;
        (address < end).then_some((start, end))
    }

    /// Where the code of a function ends: by its size, else where the next one begins.
    pub(super) fn end_of(&self, entry: u64, size: u64) -> Option<u64> {
        let known = match size {
            0 => self
                .starts
                .binary_search_by_key(&entry, |&(start, _)| start)
                .ok()
                .and_then(|i| self.starts.get(i))
                .map_or(0, |&(_, size)| size),
            size => size,
        };
        if known != 0 {
            return entry.checked_add(known);
        }
        let section_end = self
            .code
            .iter()
            .find(|(start, end)| (start..end).contains(&&entry))
            .map(|&(_, end)| end)?;
        let after = self.starts.partition_point(|&(start, _)| start <= entry);
        let next = self.starts.get(after).map(|&(start, _)| start);
        Some(next.map_or(section_end, |n| n.min(section_end)))
    }

    /// Whether a direct branch leads to an address, or a function begins there.
    pub(super) fn is_target(&self, address: u64) -> bool {
        if self.starts_at(address) {
            return true;
        }
        match self.targets.get() {
            Some(Some(targets)) => targets.binary_search(&address).is_ok(),
            // It is not known: so nothing but the entry is used.
            _ => true,
        }
    }

    /// Where direct branches of all code lead. Decoding begins anew at each function, so data between functions do no harm.
    fn all_targets(&self, module: &Module) -> Option<Vec<u64>> {
        let total: u64 = self.code.iter().map(|(start, end)| end - start).sum();
        if total > MAX_SWEPT {
            return None;
        }
        let mut targets = Vec::new();
        for &(start, end) in &self.code {
            let Some(code) = module.code_from(start) else {
                continue;
            };
            let first = self.starts.partition_point(|&(s, _)| s <= start);
            let inner = self.starts.get(first..).unwrap_or_default();
            let inner = inner.iter().map(|&(s, _)| s).take_while(|&s| s < end);
            let mut from = start;
            for to in inner.chain(std::iter::once(end)) {
                let skip = usize::try_from(from - start).ok()?;
                let part = code.get(skip..).unwrap_or_default();
                targets.extend(sweep(part, from, to).filter_map(|i| branch_target(&i)));
                from = to;
            }
        }
        targets.sort_unstable();
        targets.dedup();
        Some(targets)
    }

    /// Addresses of the function's jumps through registers or memory. Of one that is too large, its entry stands for them.
    pub(super) fn indirect_jumps(&self, code: &[u8], entry: u64, end: u64) -> Vec<u64> {
        if end.saturating_sub(entry) > MAX_FUNCTION {
            return vec![entry];
        }
        sweep(code, entry, end)
            .filter(|i| i.flow_control() == FlowControl::IndirectBranch)
            .map(|i| i.ip())
            .collect()
    }

    /// Where the caller's frame is when the instruction at `address` is next.
    pub(super) fn top(&self, address: u64) -> Top {
        let mut context = UnwindContext::new();
        match self.tables.frame_top(address, &mut context) {
            None => Top::Uncovered,
            Some(CfaRule::RegisterAndOffset { register, offset }) => match register {
                STACK_POINTER => Top::StackPointer(offset),
                FRAME_POINTER => Top::FramePointer(offset),
                _ => Top::Other,
            },
            Some(CfaRule::Expression(_)) => Top::Other,
        }
    }
}

/// The instructions of `code`, which begins at `from`, up to `to`. What is none is skipped byte by byte.
pub(super) fn sweep(code: &[u8], from: u64, to: u64) -> impl Iterator<Item = Instruction> {
    let length = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
    let code = code.get(..length.min(code.len())).unwrap_or_default();
    let mut decoder = Decoder::with_ip(64, code, from, DecoderOptions::NONE);
    std::iter::from_fn(move || {
        while decoder.can_decode() {
            let (position, ip) = (decoder.position(), decoder.ip());
            let instruction = decoder.decode();
            if !instruction.is_invalid() {
                return Some(instruction);
            }
            decoder.try_set_position(position + 1).ok()?;
            decoder.set_ip(ip.wrapping_add(1));
        }
        None
    })
}

/// Where a direct branch or call leads.
fn branch_target(instruction: &Instruction) -> Option<u64> {
    let near = matches!(
        instruction.op0_kind(),
        OpKind::NearBranch64 | OpKind::NearBranch32 | OpKind::NearBranch16
    );
    (near && instruction.op_count() == 1).then(|| instruction.near_branch_target())
}
