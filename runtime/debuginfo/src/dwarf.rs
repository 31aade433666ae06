//! The DWARF sections of a module, its units, and the small steps that every reader of entries needs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gimli::{AttributeValue, SectionId, UnitOffset};

use crate::elf::ElfImage;
use crate::error::{Error, Result};
use crate::mapping::SharedBytes;
use crate::symtab::MAX_NAME;
use crate::types::TypeRef;

/// How sections are read by everything that keeps them: by shared ownership.
pub(crate) type Reader = gimli::EndianReader<gimli::RunTimeEndian, SharedBytes>;
pub(crate) type Unit = gimli::Unit<Reader>;
pub(crate) type Entry = gimli::DebuggingInformationEntry<Reader>;
pub(crate) type Dwarf = gimli::Dwarf<Reader>;

/// References from entry to entry are followed this often at most.
pub(crate) const MAX_HOPS: usize = 32;

/// A section that holds entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum EntrySection {
    /// `.debug_info` of the debug file.
    Info = 0,
    /// `.debug_types` of the debug file (DWARF 4).
    Types = 1,
    /// `.debug_info` of the supplementary file.
    Supplementary = 2,
}

impl EntrySection {
    pub fn name(self) -> &'static str {
        match self {
            EntrySection::Info => ".debug_info",
            EntrySection::Types => ".debug_types",
            EntrySection::Supplementary => ".debug_info (supplementary)",
        }
    }

    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(EntrySection::Info),
            1 => Some(EntrySection::Types),
            2 => Some(EntrySection::Supplementary),
            _ => None,
        }
    }
}

/// Where an attribute points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference {
    Entry(TypeRef),
    Signature(u64),
}

/// The target of a reference attribute found in a unit that starts at `unit_start` of `section`.
pub(crate) fn reference<R: gimli::Reader<Offset = usize>>(
    section: EntrySection,
    unit_start: usize,
    value: &AttributeValue<R>,
) -> Option<Reference> {
    let info = match section {
        EntrySection::Supplementary => EntrySection::Supplementary,
        _ => EntrySection::Info,
    };
    let (section, offset) = match value {
        AttributeValue::UnitRef(o) => (section, unit_start.checked_add(o.0)?),
        AttributeValue::DebugInfoRef(o) => (info, o.0),
        AttributeValue::DebugInfoRefSup(o) => (EntrySection::Supplementary, o.0),
        AttributeValue::DebugTypesRef(s) => return Some(Reference::Signature(s.0)),
        _ => return None,
    };
    TypeRef::new(section, offset as u64).map(Reference::Entry)
}

/// The header of the unit at `start` of a section.
pub(crate) fn unit_header<R: gimli::Reader<Offset = usize>>(
    dwarf: &gimli::Dwarf<R>,
    section: EntrySection,
    start: u64,
) -> gimli::Result<gimli::UnitHeader<R>> {
    let missing = gimli::Error::NoEntryAtGivenOffset(start);
    let start = usize::try_from(start).map_err(|_| missing)?;
    if section != EntrySection::Types {
        return dwarf.unit_header(gimli::DebugInfoOffset(start));
    }
    // Type units of DWARF 4 are only read in sequence; there is no other way to their headers.
    let mut headers = dwarf.type_units();
    while let Some(header) = headers.next()? {
        if header.offset().0 == start {
            return Ok(header);
        }
    }
    Err(missing)
}

/// Builds a unit without its line program, which lives in a section that types do not need.
pub(crate) fn unit_without_lines<R: gimli::Reader<Offset = usize>>(
    dwarf: &gimli::Dwarf<R>,
    header: gimli::UnitHeader<R>,
) -> gimli::Result<gimli::Unit<R>> {
    let encoding = header.encoding();
    let file = dwarf.file_type;
    let mut unit = gimli::Unit {
        abbreviations: dwarf.abbreviations(&header)?,
        name: None,
        comp_dir: None,
        low_pc: 0,
        str_offsets_base: gimli::DebugStrOffsetsBase::default_for_encoding_and_file(encoding, file),
        addr_base: gimli::DebugAddrBase(0),
        loclists_base: gimli::DebugLocListsBase::default_for_encoding_and_file(encoding, file),
        rnglists_base: gimli::DebugRngListsBase::default_for_encoding_and_file(encoding, file),
        line_program: None,
        dwo_id: None,
        header,
    };
    let root = unit.entry(unit.header.root_offset())?;
    for attr in root.attrs() {
        match attr.value() {
            AttributeValue::DebugStrOffsetsBase(base) => unit.str_offsets_base = base,
            AttributeValue::DebugAddrBase(base) => unit.addr_base = base,
            AttributeValue::DebugLocListsBase(base) => unit.loclists_base = base,
            AttributeValue::DebugRngListsBase(base) => unit.rnglists_base = base,
            _ => {}
        }
    }
    if let Some(value) = root.attr_value(gimli::DW_AT_name) {
        unit.name = dwarf.attr_string(&unit, value).ok();
    }
    if let Some(value) = root.attr_value(gimli::DW_AT_low_pc) {
        unit.low_pc = dwarf.attr_address(&unit, value)?.unwrap_or(0);
    }
    Ok(unit)
}

/// What sections are loaded for: unpacking all of them would double the start-up time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Types, variables and functions.
    Entries,
    /// Also source lines.
    Lines,
    /// Also macros, whose files are in the line tables.
    Macros,
}

/// The DWARF sections of a debug file and its supplementary file.
#[derive(Debug)]
pub(crate) struct Sections {
    main: gimli::DwarfSections<SharedBytes>,
    sup: Option<gimli::DwarfSections<SharedBytes>>,
    endian: gimli::RunTimeEndian,
}

impl Sections {
    /// Loads (and unpacks) the sections that `purpose` needs.
    pub fn load(main: &ElfImage, sup: Option<&ElfImage>, purpose: Purpose) -> Result<Self> {
        let load = |image: &ElfImage| {
            gimli::DwarfSections::load(|id| -> Result<SharedBytes> {
                let needed = match id {
                    SectionId::DebugInfo
                    | SectionId::DebugAbbrev
                    | SectionId::DebugStr
                    | SectionId::DebugLineStr
                    | SectionId::DebugStrOffsets
                    | SectionId::DebugAddr
                    | SectionId::DebugTypes
                    | SectionId::DebugRanges
                    | SectionId::DebugRngLists => true,
                    SectionId::DebugLine => purpose != Purpose::Entries,
                    SectionId::DebugAranges => purpose == Purpose::Lines,
                    SectionId::DebugMacro | SectionId::DebugMacinfo => purpose == Purpose::Macros,
                    _ => false,
                };
                let bytes = if needed {
                    image.content(id.name())?
                } else {
                    None
                };
                Ok(bytes.unwrap_or_else(|| SharedBytes::from_vec(Vec::new())))
            })
        };
        Ok(Sections {
            main: load(main)?,
            sup: sup.map(load).transpose()?,
            endian: main.runtime_endian(),
        })
    }

    /// A view that owns its share of the sections.
    pub fn shared(&self) -> Dwarf {
        self.main.borrow_with_sup(self.sup.as_ref(), |bytes| {
            Reader::new(bytes.clone(), self.endian)
        })
    }

    /// A faster view that borrows them.
    pub fn slices(&self) -> gimli::Dwarf<gimli::EndianSlice<'_, gimli::RunTimeEndian>> {
        self.main.borrow_with_sup(self.sup.as_ref(), |bytes| {
            gimli::EndianSlice::new(bytes, self.endian)
        })
    }
}

/// The files that hold the DWARF of a module.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub main: Arc<ElfImage>,
    pub sup: Option<Arc<ElfImage>>,
}

impl Files {
    fn image_of(&self, section: EntrySection) -> &ElfImage {
        match (section, &self.sup) {
            (EntrySection::Supplementary, Some(sup)) => sup,
            _ => &self.main,
        }
    }

    pub fn dwarf_error(&self, section: EntrySection, offset: u64, source: gimli::Error) -> Error {
        Error::Dwarf {
            path: self.image_of(section).path.clone(),
            section: section.name(),
            offset,
            source,
        }
    }

    pub fn malformed(&self, at: TypeRef, reason: impl Into<String>) -> Error {
        let section = at.section().unwrap_or(EntrySection::Info);
        Error::Malformed {
            path: self.image_of(section).path.clone(),
            section: section.name(),
            offset: at.offset(),
            reason: reason.into(),
        }
    }
}

/// The DWARF of a module, with a cache of the units that were looked into.
#[derive(Debug)]
pub(crate) struct DebugData {
    pub files: Files,
    pub sections: Sections,
    pub dwarf: Dwarf,
    units: Mutex<HashMap<(EntrySection, u64), Arc<Unit>>>,
}

impl DebugData {
    pub fn load(files: Files) -> Result<Self> {
        let sections = Sections::load(&files.main, files.sup.as_deref(), Purpose::Entries)?;
        let dwarf = sections.shared();
        Ok(DebugData {
            files,
            sections,
            dwarf,
            units: Mutex::default(),
        })
    }

    /// The sections that hold `section`'s units and strings.
    pub fn dwarf_of(&self, section: EntrySection) -> &Dwarf {
        match section {
            EntrySection::Supplementary => self.dwarf.sup().unwrap_or(&self.dwarf),
            _ => &self.dwarf,
        }
    }

    /// The unit whose header is at `start`.
    pub fn unit(&self, section: EntrySection, start: u64) -> Result<Arc<Unit>> {
        let mut units = self.units.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(unit) = units.get(&(section, start)) {
            return Ok(Arc::clone(unit));
        }
        let fail = |e| self.files.dwarf_error(section, start, e);
        let dwarf = self.dwarf_of(section);
        let header = unit_header(dwarf, section, start).map_err(fail)?;
        let unit = Arc::new(unit_without_lines(dwarf, header).map_err(fail)?);
        units.insert((section, start), Arc::clone(&unit));
        Ok(unit)
    }

    /// A string attribute, cut at a sensible length; bytes that are not UTF-8 are replaced.
    pub fn string(
        &self,
        section: EntrySection,
        unit: &Unit,
        value: AttributeValue<Reader>,
    ) -> Option<String> {
        let text = self.dwarf_of(section).attr_string(unit, value).ok()?;
        let bytes = text.bytes();
        let bytes = bytes.get(..bytes.len().min(MAX_NAME))?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Calls `visit` with every child of the entry at `offset`, until it answers `false`.
    pub fn children(
        &self,
        section: EntrySection,
        unit: &Unit,
        offset: UnitOffset<usize>,
        mut visit: impl FnMut(&Entry) -> Result<bool>,
    ) -> Result<()> {
        let start = unit.header.offset().0 as u64;
        let fail = |at: UnitOffset<usize>, e| {
            self.files
                .dwarf_error(section, start.saturating_add(at.0 as u64), e)
        };
        let mut raw = unit
            .entries_raw(Some(offset))
            .map_err(|e| fail(offset, e))?;
        let mut entry = Entry::null();
        if !raw.read_entry(&mut entry).map_err(|e| fail(offset, e))? || !entry.has_children() {
            return Ok(());
        }
        // `base` is the depth of children in the present reader, which starts anew at zero after a jump.
        let mut base = 1;
        while !raw.is_empty() {
            let (at, depth) = (raw.next_offset(), raw.next_depth());
            if depth != base {
                // Inside a child: nothing of interest, but the structure must be followed.
                match raw.read_abbreviation().map_err(|e| fail(at, e))? {
                    Some(abbrev) => raw
                        .skip_attributes(abbrev.attributes())
                        .map_err(|e| fail(at, e))?,
                    None => continue,
                }
                continue;
            }
            if !raw.read_entry(&mut entry).map_err(|e| fail(at, e))? {
                return Ok(());
            }
            if !visit(&entry)? {
                return Ok(());
            }
            if entry.has_children()
                && let Some(AttributeValue::UnitRef(next)) = entry.attr_value(gimli::DW_AT_sibling)
                && next.0 > raw.next_offset().0
            {
                raw = unit.entries_raw(Some(next)).map_err(|e| fail(next, e))?;
                base = 0;
            }
        }
        Ok(())
    }
}

/// An unsigned constant, whatever its form.
pub(crate) fn unsigned<R: gimli::Reader>(value: &AttributeValue<R>) -> Option<u64> {
    match value {
        // A negative number in a signed form is no size, count or offset.
        AttributeValue::Sdata(v) => u64::try_from(*v).ok(),
        other => other.udata_value(),
    }
}

/// How far below where an object's first word points the offset of a virtual base stands, where that is how the expression finds
/// the base: the object's address is on the stack, and its base's is wanted.
pub(crate) fn virtual_base<R: gimli::Reader<Offset = usize>>(
    value: &AttributeValue<R>,
    encoding: gimli::Encoding,
) -> Option<u64> {
    use gimli::Operation;
    let AttributeValue::Exprloc(expression) = value else {
        return None;
    };
    let mut operations = expression.clone().operations(encoding);
    let mut next = || operations.next().ok().flatten();
    let whole = |size| size == encoding.address_size;
    let Operation::Pick { index: 0 } = next()? else {
        return None;
    };
    let Operation::Deref { size, .. } = next()? else {
        return None;
    };
    let Operation::UnsignedConstant { value } = next()? else {
        return None;
    };
    let fits = whole(size)
        && matches!(next()?, Operation::Minus)
        && matches!(next()?, Operation::Deref { size, .. } if whole(size))
        && matches!(next()?, Operation::Plus)
        && next().is_none();
    fits.then_some(value)
}

/// A member's offset in bytes: a constant, or the expression `DW_OP_plus_uconst n` of DWARF 2.
pub(crate) fn member_offset<R: gimli::Reader<Offset = usize>>(
    value: &AttributeValue<R>,
    encoding: gimli::Encoding,
) -> Option<u64> {
    let block = match value {
        AttributeValue::Exprloc(e) => e.0.clone(),
        AttributeValue::Block(b) => b.clone(),
        other => return unsigned(other),
    };
    let mut operations = gimli::Expression(block).operations(encoding);
    match operations.next().ok()?? {
        gimli::Operation::PlusConstant { value } => {
            operations.next().ok()?.is_none().then_some(value)
        }
        _ => None,
    }
}
