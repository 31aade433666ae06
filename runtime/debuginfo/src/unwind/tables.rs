//! The unwind tables of a module, and which entry covers an address.

use std::collections::HashMap;

use gimli::{
    BaseAddresses, CfaRule, CieOrFde, CommonInformationEntry, DebugFrame, DebugFrameOffset,
    EhFrame, EhFrameOffset, FrameDescriptionEntry, RunTimeEndian, UnwindContext, UnwindOffset,
    UnwindSection,
};

use crate::dwarf::Reader;
use crate::module::Module;

/// The size of an address on the machines that ytrace runs on, in bytes.
const ADDRESS_SIZE: u8 = size_of::<u64>() as u8;

/// Entries that are larger, in bytes, are left out: each is read anew for every frame that it covers.
const MAX_ENTRY: usize = 64 << 10;

/// How many entries that overlap are looked at for one address.
const MAX_OVERLAP: usize = 64;

/// The tables of one module. Addresses are those of its file.
pub(crate) struct Tables {
    pub(super) bases: BaseAddresses,
    pub(super) parts: Vec<Part>,
}

/// The tables of one section.
pub(super) struct Part {
    pub(super) section: Section,
    /// In order of addresses.
    entries: Vec<Entry>,
}

/// The section that has the tables.
pub(super) enum Section {
    Runtime(EhFrame<Reader>),
    Debug(DebugFrame<Reader>),
}

/// Where an entry lies, and what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    start: u64,
    end: u64,
    /// The greatest end of this entry and all before it.
    reach: u64,
    offset: usize,
}

impl Tables {
    /// The tables of a module. Of damaged ones those before the damage are used.
    pub(crate) fn of(module: &Module) -> Self {
        let address = |name: &str| {
            let sections = module.sections().iter();
            let mut found = sections.filter(|section| section.name == name);
            found.next().map_or(0, |section| section.address)
        };
        let bases = BaseAddresses::default()
            .set_eh_frame(address(".eh_frame"))
            .set_text(address(".text"))
            .set_got(address(".got"));
        let reader = |name: &str| {
            // A section that cannot be read covers nothing, and what it does not cover is said.
            let content = module.section(name).ok().flatten()?;
            Some(Reader::new(content, RunTimeEndian::default()))
        };
        let mut parts = Vec::new();
        if let Some(content) = reader(".eh_frame") {
            let mut section = EhFrame::from(content);
            section.set_address_size(ADDRESS_SIZE);
            let entries = entries(&section, &bases);
            parts.push(Part {
                section: Section::Runtime(section),
                entries,
            });
        }
        // Code that was compiled without tables for exceptions has them among its debug information.
        if let Some(content) = reader(".debug_frame") {
            let mut section = DebugFrame::from(content);
            section.set_address_size(ADDRESS_SIZE);
            let entries = entries(&section, &bases);
            parts.push(Part {
                section: Section::Debug(section),
                entries,
            });
        }
        Self { bases, parts }
    }

    /// The ranges of addresses that entries cover, of each section in order.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let entries = self.parts.iter().flat_map(|part| &part.entries);
        entries.map(|entry| (entry.start, entry.end))
    }

    /// Where the caller's frame is when the instruction at `address` is next; `None` if no entry covers it.
    pub(crate) fn frame_top(
        &self,
        address: u64,
        context: &mut UnwindContext<usize>,
    ) -> Option<CfaRule<usize>> {
        self.parts.iter().find_map(|part| {
            let offset = part.find(address)?;
            let bases = &self.bases;
            match &part.section {
                Section::Runtime(section) => {
                    let entry = section
                        .fde_from_offset(bases, EhFrameOffset(offset), EhFrame::cie_from_offset)
                        .ok()?;
                    let row = entry.unwind_info_for_address(section, bases, context, address);
                    Some(row.ok()?.cfa().clone())
                }
                Section::Debug(section) => {
                    let entry = section
                        .fde_from_offset(
                            bases,
                            DebugFrameOffset(offset),
                            DebugFrame::cie_from_offset,
                        )
                        .ok()?;
                    let row = entry.unwind_info_for_address(section, bases, context, address);
                    Some(row.ok()?.cfa().clone())
                }
            }
        })
    }
}

impl Part {
    /// The offset of the entry that covers an address of the file.
    pub(super) fn find(&self, address: u64) -> Option<usize> {
        let after = self.entries.partition_point(|entry| entry.start <= address);
        self.entries
            .get(..after)?
            .iter()
            .rev()
            .take(MAX_OVERLAP)
            .take_while(|entry| address < entry.reach)
            .find(|entry| address < entry.end)
            .map(|entry| entry.offset)
    }
}

/// Where each entry of a section begins and what it covers.
fn entries<S: UnwindSection<Reader>>(section: &S, bases: &BaseAddresses) -> Vec<Entry>
where
    S::Offset: UnwindOffset<usize>,
{
    let mut result = Vec::new();
    let mut shared: HashMap<usize, Option<CommonInformationEntry<Reader>>> = HashMap::new();
    let size = section.section().len();
    // Entries of a sound section share few others, and those do not overlap.
    let mut work = 0usize;
    let mut entries = section.entries(bases);
    // An error ends the iteration.
    while let Ok(Some(entry)) = entries.next() {
        let CieOrFde::Fde(partial) = entry else {
            continue;
        };
        let mut common = |section: &S, bases: &BaseAddresses, offset: S::Offset| {
            let place: usize = UnwindOffset::into(offset);
            let known = shared.entry(place).or_insert_with(|| {
                let Ok(common) = section.cie_from_offset(bases, offset) else {
                    // How much of it was read is not known.
                    work = work.saturating_add(size / 16);
                    return None;
                };
                work = work.saturating_add(common.entry_len());
                (common.entry_len() <= MAX_ENTRY).then_some(common)
            });
            known.clone().ok_or(gimli::Error::NoUnwindInfoForAddress)
        };
        // An entry of a kind that is not known covers nothing.
        let parsed: gimli::Result<FrameDescriptionEntry<Reader>> = partial.parse(&mut common);
        if work > size.saturating_mul(2) {
            break;
        }
        let Ok(entry) = parsed else {
            continue;
        };
        let (start, end) = (entry.initial_address(), entry.end_address());
        if start < end && entry.entry_len() <= MAX_ENTRY {
            result.push(Entry {
                start,
                end,
                reach: end,
                offset: entry.offset(),
            });
        }
    }
    result.sort_unstable();
    let mut reach = 0;
    for entry in &mut result {
        reach = entry.end.max(reach);
        entry.reach = reach;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_behind_others_is_found() {
        let entry = |start, end, reach, offset| Entry {
            start,
            end,
            reach,
            offset,
        };
        let part = Part {
            section: Section::Debug(DebugFrame::from(Reader::new(
                crate::mapping::SharedBytes::from_vec(Vec::new()),
                RunTimeEndian::default(),
            ))),
            entries: vec![
                entry(0x1000, 0x2000, 0x2000, 1),
                entry(0x1500, 0x1510, 0x2000, 2),
                entry(0x3000, 0x3001, 0x3001, 3),
            ],
        };
        let found = [0xfff, 0x1000, 0x1505, 0x1600, 0x2000, 0x3000, 0x3001];
        assert_eq!(
            found.map(|address| part.find(address)),
            [None, Some(1), Some(2), Some(1), None, Some(3), None]
        );
    }
}
