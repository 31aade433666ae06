//! Where a function has its parameters at its first instruction, as the debug information says: compilers change what a copy of a
//! function takes that nobody outside of its file can call.

use gimli::{AttributeValue, LocationLists, Operation};

use crate::code::functions::is_label;
use crate::demangle::split_clone;
use crate::dwarf::{EntrySection, Reader};
use crate::elf::ElfImage;
use crate::error::Result;
use crate::layout::Located;
use crate::lookup::Debug;
use crate::mapping::SharedBytes;
use crate::module::Module;
use crate::objects::Function;
use crate::types::TypeRef;

/// The most entries of a location list that are looked at.
const MAX_ENTRIES: usize = 1 << 16;
/// The most operations of an expression that are looked at: one that says where a value is has two or three.
const MAX_OPERATIONS: usize = 16;

/// Where a function has a parameter when it is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterPlace {
    /// The debug information does not say, or says where it is later: it is where the calling convention has it.
    Unsaid,
    /// In this register, by its DWARF number.
    Register(u16),
    /// In memory, so many bytes above the frame's base (`DW_OP_call_frame_cfa`), which is 8 above the stack pointer.
    Stack(u64),
    /// It is always this number.
    Constant(u64),
    /// Nowhere: the compiler has left it out.
    Absent,
}

/// What a function takes, in the order of the source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParameterPlaces {
    /// One for each parameter of a copy.
    pub places: Vec<ParameterPlace>,
    /// Whether it need not follow the calling convention: it is a copy that the compiler has made for some callers (`f.isra.0`,
    /// `f.constprop.0`), or the compiler says so (`DW_CC_nocall`).
    pub copied: bool,
}

impl Module {
    /// Where a function has its parameters that begins at `entry`, if it is such a copy. Without debug information about it only
    /// that is known.
    ///
    /// # Errors
    /// The debug information is damaged.
    pub fn parameter_places(
        &self,
        function: Option<&Function>,
        entry: u64,
    ) -> Result<ParameterPlaces> {
        let mut names = self.tables().iter().flat_map(|table| table.at(entry));
        // Equal functions may share their code: one that anybody may call follows the convention.
        let is_copy = names
            .next()
            .is_some_and(|first| is_copy(&first.name) && names.all(|name| is_copy(&name.name)));
        let at = function.and_then(|function| function.ty);
        let (Some(debug), Some(at)) = (self.debug()?, at) else {
            return Ok(ParameterPlaces {
                places: Vec::new(),
                copied: is_copy,
            });
        };
        let copied = is_copy || debug.is_unconventional(at)?;
        Ok(ParameterPlaces {
            places: match copied {
                true => debug.parameter_places(at, entry)?,
                false => Vec::new(),
            },
            copied,
        })
    }

    /// The same for the place of a function of that name.
    ///
    /// # Errors
    /// As [`Module::parameter_places`].
    pub fn parameters_at(&self, name: &str, entry: u64) -> Result<(Vec<String>, ParameterPlaces)> {
        let function = self.described_at(name, entry)?;
        let parameters = function.as_ref().and_then(|one| one.parameters.as_ref());
        let names = parameters.into_iter().flatten();
        let names = names.map(|one| one.name.clone().unwrap_or_default());
        let places = self.parameter_places(function.as_ref(), entry)?;
        Ok((names.collect(), places))
    }
}

/// Whether a symbol is of a copy that takes other arguments than the function that it was made of.
fn is_copy(symbol: &str) -> bool {
    let (_, suffix) = split_clone(symbol);
    !suffix.is_empty() && !is_label(suffix)
}

impl Debug {
    /// Whether the function of an entry does not follow the calling convention, by its own account.
    fn is_unconventional(&self, at: TypeRef) -> Result<bool> {
        let convention = self
            .entry(at)?
            .entry
            .attr_value(gimli::DW_AT_calling_convention);
        Ok(matches!(
            convention,
            Some(AttributeValue::CallingConvention(gimli::DW_CC_nocall))
        ))
    }

    /// Where the function of an entry has its parameters at its first instruction, which is at `entry`.
    fn parameter_places(&self, at: TypeRef, entry: u64) -> Result<Vec<ParameterPlace>> {
        let chain = self.chain(self.entry(at)?)?;
        let Some(here) = chain.first() else {
            return Ok(Vec::new());
        };
        let own = self.parameter_entries(here)?;
        let abstract_instance = match here.entry.attr(gimli::DW_AT_abstract_origin) {
            Some(_) => chain.get(1),
            None => None,
        };
        let listed = match abstract_instance {
            Some(instance) => self.parameter_entries(instance)?,
            None => Vec::new(),
        };
        let place = |entry_of: &Located| self.place_of(entry_of, entry);
        Ok(match listed.is_empty() {
            true => own.iter().map(place).collect(),
            false => {
                let mut of = Vec::with_capacity(own.len());
                for one in &own {
                    of.push((self.follow(one, gimli::DW_AT_abstract_origin)?, one));
                }
                let found = |wanted: &Located| {
                    of.iter()
                        .find(|(origin, _)| *origin == Some(wanted.at))
                        .map_or(ParameterPlace::Absent, |(_, one)| place(one))
                };
                listed.iter().map(found).collect()
            }
        })
    }

    fn place_of(&self, parameter: &Located, entry: u64) -> ParameterPlace {
        if let Some(value) = parameter.entry.attr_value(gimli::DW_AT_const_value) {
            return constant(&value).map_or(ParameterPlace::Absent, ParameterPlace::Constant);
        }
        let place = match parameter.entry.attr_value(gimli::DW_AT_location) {
            None => return ParameterPlace::Absent,
            Some(AttributeValue::Exprloc(expression)) => {
                // One that holds everywhere is in the frame where nothing is optimized: it gets there after the entry.
                return self
                    .evaluated(parameter, expression)
                    .unwrap_or(ParameterPlace::Unsaid);
            }
            Some(value) => self.in_list(parameter, &value, entry),
        };
        place.unwrap_or(ParameterPlace::Absent)
    }

    /// What the element of a location list says that covers the entry.
    fn in_list(
        &self,
        parameter: &Located,
        value: &AttributeValue<Reader>,
        entry: u64,
    ) -> Option<ParameterPlace> {
        // Code and its lists are not in supplementary files.
        if parameter.section == EntrySection::Supplementary {
            return None;
        }
        let data = self.data().ok()?;
        let dwarf = data.dwarf_of(parameter.section);
        let unit = &parameter.unit;
        let lists = self.location_lists().ok()?;
        let offset = match value {
            AttributeValue::LocationListsRef(offset) => *offset,
            AttributeValue::DebugLocListsIndex(index) => lists
                .get_offset(unit.encoding(), unit.loclists_base, *index)
                .ok()?,
            AttributeValue::SecOffset(offset) => gimli::LocationListsOffset(*offset),
            _ => return None,
        };
        let mut elements = lists
            .locations(
                offset,
                unit.encoding(),
                unit.low_pc,
                &dwarf.debug_addr,
                unit.addr_base,
            )
            .ok()?;
        for _ in 0..MAX_ENTRIES {
            let element = elements.next().ok()??;
            if (element.range.begin..element.range.end).contains(&entry) {
                return self.evaluated(parameter, element.data);
            }
        }
        None
    }

    /// What an expression says; `None` where that is no place of its own.
    fn evaluated(
        &self,
        parameter: &Located,
        expression: gimli::Expression<Reader>,
    ) -> Option<ParameterPlace> {
        let mut operations = expression.operations(parameter.unit.encoding());
        let mut list = Vec::new();
        while let Some(operation) = operations.next().ok()? {
            list.push(operation);
            if list.len() > MAX_OPERATIONS {
                return None;
            }
        }
        match list.as_slice() {
            [Operation::Register { register }] => Some(ParameterPlace::Register(register.0)),
            [Operation::FrameOffset { offset }] => {
                // Below the frame's base is what the function keeps there itself.
                let above = u64::try_from(*offset);
                Some(above.map_or(ParameterPlace::Unsaid, ParameterPlace::Stack))
            }
            [Operation::UnsignedConstant { value }, Operation::StackValue] => {
                Some(ParameterPlace::Constant(*value))
            }
            [Operation::SignedConstant { value }, Operation::StackValue] => {
                Some(ParameterPlace::Constant(value.cast_unsigned()))
            }
            [Operation::EntryValue { expression }, Operation::StackValue] => {
                let inner = gimli::Expression(expression.clone());
                let mut inner = inner.operations(parameter.unit.encoding());
                match (inner.next().ok()??, inner.next().ok()?) {
                    (Operation::Register { register }, None) => {
                        Some(ParameterPlace::Register(register.0))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn constant(value: &AttributeValue<Reader>) -> Option<u64> {
    match value {
        AttributeValue::Sdata(value) => Some(value.cast_unsigned()),
        // Forms of a fixed size are for numbers that are not negative.
        other => other.udata_value(),
    }
}

/// The location lists of a file, which only a few functions need: they may have to be unpacked.
pub(crate) fn location_lists(
    image: &ElfImage,
    endian: gimli::RunTimeEndian,
) -> Result<LocationLists<Reader>> {
    let section = |id: gimli::SectionId| -> Result<Reader> {
        let bytes = image.content(id.name())?;
        let bytes = bytes.unwrap_or_else(|| SharedBytes::from_vec(Vec::new()));
        Ok(Reader::new(bytes, endian))
    };
    Ok(LocationLists::new(
        section(gimli::SectionId::DebugLoc)?.into(),
        section(gimli::SectionId::DebugLocLists)?.into(),
    ))
}
