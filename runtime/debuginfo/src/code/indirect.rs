//! Indirect functions (`STT_GNU_IFUNC`): what stands at the symbol is a resolver, which picks one of several implementations when the
//! program is loaded. Which ones there are is in the resolver's code; which one was picked is in memory, in words that the dynamic
//! linker fills.

use iced_x86::{Code, Mnemonic, OpKind};

use super::facts::sweep;
use super::functions::Body;
use crate::module::Module;
use crate::symtab::SymbolKind;

/// A resolver that is longer is not read to its end, in bytes.
const MAX_RESOLVER: u64 = 16 << 10;
/// Relocations beyond this number are not read.
const MAX_RELOCATIONS: usize = 1 << 22;

/// The sections of relocations with addends: `SHT_RELA`.
const SECTION_KIND: u32 = object::elf::SHT_RELA.0;

impl Module {
    /// What a resolver may pick, in the order of addresses: the functions whose addresses its code takes. Empty where that cannot be
    /// told. One without a symbol is named after the resolver and its address.
    #[must_use]
    pub fn implementations(&self, resolver: &Body) -> Vec<Body> {
        let (Ok(facts), Some(code)) = (self.code_facts(), self.code_from(resolver.address)) else {
            return Vec::new();
        };
        let end = facts
            .end_of(resolver.address, resolver.size)
            .unwrap_or(resolver.address);
        let end = end.min(resolver.address.saturating_add(MAX_RESOLVER));
        let mut addresses: Vec<u64> = sweep(code, resolver.address, end)
            .filter_map(|i| match i.mnemonic() {
                Mnemonic::Lea if i.is_ip_rel_memory_operand() => Some(i.ip_rel_memory_address()),
                // Code that is linked to a fixed address.
                Mnemonic::Mov if i.code() == Code::Mov_r32_imm32 => {
                    (i.op1_kind() == OpKind::Immediate32).then(|| u64::from(i.immediate32()))
                }
                _ => None,
            })
            .filter(|&address| address != resolver.address && facts.starts_at(address))
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
            .into_iter()
            .map(|address| {
                let symbols = self.tables().iter().flat_map(|t| t.at(address));
                let symbol = symbols
                    .filter(|s| s.kind == SymbolKind::Function)
                    .min_by_key(|s| (s.size == 0, s.name.len(), s.name.clone()));
                let (symbol, size) = match symbol {
                    Some(symbol) => (symbol.name, symbol.size),
                    None => (format!("{} at {address:#x}", resolver.symbol), 0),
                };
                Body {
                    address,
                    file_offset: self.offset_of_address(address),
                    size,
                    symbol,
                }
            })
            .collect()
    }

    /// Words of this module (svma) in which the dynamic linker leaves what a resolver of it picked.
    #[must_use]
    pub fn resolved_slots(&self, resolver: u64) -> Vec<u64> {
        const IRELATIVE: u32 = object::elf::R_X86_64_IRELATIVE.0;
        self.relocations(|kind, _, addend| kind == IRELATIVE && addend == resolver)
    }

    /// Words of this module (svma) in which the dynamic linker leaves the address of the function of that name, wherever it is. Those
    /// of calls hold an address in this module until the first call, unless the program asked for all to be bound at once.
    #[must_use]
    pub fn import_slots(&self, name: &str) -> Vec<u64> {
        const BINDING: [u32; 3] = [
            object::elf::R_X86_64_JUMP_SLOT.0,
            object::elf::R_X86_64_GLOB_DAT.0,
            object::elf::R_X86_64_64.0,
        ];
        let image = self.image();
        let Some(table) = image
            .sections
            .iter()
            .position(|s| s.kind == object::elf::SHT_DYNSYM.0)
        else {
            return Vec::new();
        };
        let strings = image
            .sections
            .get(table)
            .and_then(|s| image.content_at(s.link as usize).ok().flatten());
        let (Ok(Some(symbols)), Some(strings)) = (image.content_at(table), strings) else {
            return Vec::new();
        };
        // A symbol of 64-bit files begins with the offset of its name.
        let is_named = |number: u32| {
            let at = usize::try_from(number).ok()?.checked_mul(24)?;
            let offset = u32::from_le_bytes(symbols.get(at..at.checked_add(4)?)?.try_into().ok()?);
            let tail = strings.get(usize::try_from(offset).ok()?..)?;
            let rest = tail.strip_prefix(name.as_bytes())?;
            (rest.first() == Some(&0)).then_some(())
        };
        self.relocations(|kind, symbol, addend| {
            addend == 0 && BINDING.contains(&kind) && is_named(symbol).is_some()
        })
    }

    /// Places of the dynamic relocations whose type, symbol and addend are `wanted`.
    fn relocations(&self, wanted: impl Fn(u32, u32, u64) -> bool) -> Vec<u64> {
        let image = self.image();
        if !image.is_64 || image.machine != object::elf::EM_X86_64.0 {
            return Vec::new();
        }
        let mut found = Vec::new();
        let sections = image.sections.iter().enumerate();
        for (number, _) in sections.filter(|(_, s)| s.kind == SECTION_KIND && s.address != 0) {
            let Ok(Some(content)) = image.content_at(number) else {
                continue;
            };
            let (entries, _) = content.as_chunks::<24>();
            for entry in entries.iter().take(MAX_RELOCATIONS) {
                let (words, _) = entry.as_chunks::<8>();
                let [place, info, addend] = words else {
                    continue;
                };
                let [place, info, addend] = [place, info, addend].map(|w| u64::from_le_bytes(*w));
                if wanted(info as u32, (info >> 32) as u32, addend) {
                    found.push(place);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
