//! The unwind tables of a module, and which entry covers an address.

use gimli::{
    BaseAddresses, CieOrFde, DebugFrame, EhFrame, FrameDescriptionEntry, RunTimeEndian,
    UnwindOffset, UnwindSection,
};

use crate::dwarf::Reader;
use crate::module::Module;

/// The size of an address on the machines that ytrace runs on, in bytes.
const ADDRESS_SIZE: u8 = size_of::<u64>() as u8;

/// The tables of one module. Addresses are those of its file.
pub(super) struct Tables {
    pub(super) section: Section,
    pub(super) bases: BaseAddresses,
    /// First address, address after the last, and offset in the section, in order of addresses.
    entries: Vec<(u64, u64, usize)>,
}

/// The section that has the tables.
pub(super) enum Section {
    Runtime(EhFrame<Reader>),
    Debug(DebugFrame<Reader>),
}

impl Tables {
    /// The tables of a module; `None` if it has none. Of damaged ones those before the damage are used.
    pub(super) fn of(module: &Module) -> Option<Self> {
        let content = |name: &str| module.section(name).ok().flatten();
        let address = |name: &str| {
            let sections = module.sections().iter();
            let mut found = sections.filter(|section| section.name == name);
            found.next().map_or(0, |section| section.address)
        };
        let bases = BaseAddresses::default()
            .set_eh_frame(address(".eh_frame"))
            .set_text(address(".text"))
            .set_got(address(".got"));
        let reader = |content| Reader::new(content, RunTimeEndian::default());
        let (section, entries) = if let Some(content) = content(".eh_frame") {
            let mut section = EhFrame::from(reader(content));
            section.set_address_size(ADDRESS_SIZE);
            let entries = entries(&section, &bases);
            (Section::Runtime(section), entries)
        } else {
            let mut section = DebugFrame::from(reader(content(".debug_frame")?));
            section.set_address_size(ADDRESS_SIZE);
            let entries = entries(&section, &bases);
            (Section::Debug(section), entries)
        };
        Some(Self {
            section,
            bases,
            entries,
        })
    }

    /// The offset of the entry that covers an address of the file.
    pub(super) fn find(&self, address: u64) -> Option<usize> {
        let after = self
            .entries
            .partition_point(|(start, _, _)| *start <= address);
        let (_, end, offset) = self.entries.get(after.checked_sub(1)?)?;
        (address < *end).then_some(*offset)
    }
}

/// Where each entry of a section begins and what it covers.
fn entries<S: UnwindSection<Reader>>(section: &S, bases: &BaseAddresses) -> Vec<(u64, u64, usize)>
where
    S::Offset: UnwindOffset<usize>,
{
    let mut result = Vec::new();
    let mut entries = section.entries(bases);
    // An error ends the iteration.
    while let Ok(Some(entry)) = entries.next() {
        let CieOrFde::Fde(partial) = entry else {
            continue;
        };
        // An entry of a kind that is not known covers nothing.
        let Ok(entry): gimli::Result<FrameDescriptionEntry<Reader>> =
            partial.parse(S::cie_from_offset)
        else {
            continue;
        };
        result.push((entry.initial_address(), entry.end_address(), entry.offset()));
    }
    result.sort_unstable();
    result
}
