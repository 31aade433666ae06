//! From an entry of the debug information to a description of the type.

use std::sync::Arc;

use gimli::{AttributeValue, UnitOffset};

use crate::dwarf::{self, Entry, EntrySection, MAX_HOPS, Reference, Unit};
use crate::error::Result;
use crate::lookup::Debug;
use crate::types::{
    Aggregate, BaseEncoding, Bitfield, EnumType, Enumerator, Field, FieldRole, NameKind, TypeDesc,
    TypeRef,
};

/// A type with more members than this is refused.
const MAX_FIELDS: usize = 1 << 16;
/// An enumeration with more constants than this is refused.
const MAX_ENUMERATORS: usize = 1 << 20;
/// An array with more dimensions than this is refused.
const MAX_DIMENSIONS: usize = 64;
/// A function with more parameters than this is refused.
const MAX_PARAMETERS: usize = 1 << 12;
/// All names of one description together may take this many bytes.
const MAX_NAMES: usize = 64 << 20;

/// An entry with the unit that it stands in.
pub(crate) struct Located {
    pub at: TypeRef,
    pub section: EntrySection,
    pub unit: Arc<Unit>,
    pub offset: UnitOffset<usize>,
    pub entry: Entry,
}

/// How objects of a class of C++ are copied and ended, as its members that are functions tell.
#[derive(Default)]
struct Copying {
    /// Code of its own copies, moves or ends them, or each has a pointer to its class.
    code: bool,
    /// A constructor that copies or moves is deleted.
    deleted: bool,
    /// There is one that is not.
    possible: bool,
}

impl Copying {
    /// Whether bytes alone make no copy.
    fn needs_code(&self) -> bool {
        self.code || self.deleted && !self.possible
    }
}

/// A parameter's name, if it has one, and its type.
type Named = (Option<String>, TypeRef);

impl Debug {
    /// Reads the entry at `at`.
    pub(crate) fn entry(&self, at: TypeRef) -> Result<Located> {
        let index = self.index()?;
        let bad = || self.files.malformed(at, "no unit holds this entry");
        let section = at.section().ok_or_else(bad)?;
        let unit = index
            .unit_holding(section, at.offset())
            .and_then(|number| index.unit(number))
            .ok_or_else(bad)?;
        let unit = self.data()?.unit(section, unit.start)?;
        let offset = usize::try_from(at.offset())
            .ok()
            .and_then(|o| gimli::UnitSectionOffset(o).to_unit_offset(&unit.header))
            .ok_or_else(bad)?;
        let entry = unit
            .entry(offset)
            .map_err(|e| self.files.dwarf_error(section, at.offset(), e))?;
        Ok(Located {
            at,
            section,
            unit,
            offset,
            entry,
        })
    }

    /// Where a reference attribute of `from` leads.
    pub(crate) fn follow(&self, from: &Located, attribute: gimli::DwAt) -> Result<Option<TypeRef>> {
        let Some(value) = from.entry.attr_value(attribute) else {
            return Ok(None);
        };
        self.resolve(from, &value).map(Some)
    }

    pub(crate) fn resolve(
        &self,
        from: &Located,
        value: &AttributeValue<dwarf::Reader>,
    ) -> Result<TypeRef> {
        match dwarf::reference(from.section, from.unit.header.offset().0, value) {
            Some(Reference::Entry(at)) => Ok(at),
            Some(Reference::Signature(signature)) => {
                self.index()?.signature(signature).ok_or_else(|| {
                    self.files.malformed(
                        from.at,
                        format!("no type unit has the signature {signature:#x}"),
                    )
                })
            }
            None => Err(self
                .files
                .malformed(from.at, "a reference in an unknown form")),
        }
    }

    /// The type that an entry refers to by `DW_AT_type`; `void` where it refers to none.
    pub(crate) fn type_of(&self, from: &Located) -> Result<TypeRef> {
        Ok(self
            .follow(from, gimli::DW_AT_type)?
            .unwrap_or(TypeRef::VOID))
    }

    pub(crate) fn name_of(&self, from: &Located) -> Option<String> {
        let value = from.entry.attr_value(gimli::DW_AT_name)?;
        self.data().ok()?.string(from.section, &from.unit, value)
    }

    fn number(&self, from: &Located, attribute: gimli::DwAt) -> Option<u64> {
        dwarf::unsigned(&from.entry.attr_value(attribute)?)
    }

    /// Describes a type. Qualifiers are stripped; a declaration is replaced by the module's one definition of that name.
    pub(crate) fn describe(&self, at: TypeRef) -> Result<TypeDesc> {
        match self.strip(at, true)? {
            Some(here) => self.describe_entry(&here),
            None => Ok(TypeDesc::Void),
        }
    }

    /// The same, but declarations stay declarations, so that no names are looked up.
    pub(crate) fn describe_as_is(&self, at: TypeRef) -> Result<TypeDesc> {
        match self.strip(at, false)? {
            Some(here) => self.describe_entry(&here),
            None => Ok(TypeDesc::Void),
        }
    }

    /// The entry behind qualifiers and, where `complete` is set, behind a declaration; `None` is `void`.
    pub(crate) fn strip(&self, at: TypeRef, complete: bool) -> Result<Option<Located>> {
        let mut at = at;
        for _ in 0..MAX_HOPS {
            if at == TypeRef::VOID {
                return Ok(None);
            }
            let here = self.entry(at)?;
            let tag = here.entry.tag();
            if is_qualifier(tag) {
                at = self.type_of(&here)?;
            } else if is_tagged(tag) {
                // gcc leaves nothing but the signature where the type is in a unit of its own.
                let definition = match self.follow(&here, gimli::DW_AT_signature)? {
                    None if complete && is_declaration(&here.entry) => self.definition_of(&here)?,
                    other => other,
                };
                match definition {
                    Some(definition) if definition != at => at = definition,
                    _ => return Ok(Some(here)),
                }
            } else {
                return Ok(Some(here));
            }
        }
        Err(self
            .files
            .malformed(at, "a chain of qualifiers without end"))
    }

    /// The definition that belongs to a declaration by its name, where the module has just one.
    fn definition_of(&self, here: &Located) -> Result<Option<TypeRef>> {
        let Some(name) = self.name_of(here) else {
            return Ok(None);
        };
        let kind = match here.entry.tag() {
            gimli::DW_TAG_union_type => NameKind::Union,
            gimli::DW_TAG_enumeration_type => NameKind::Enum,
            _ => NameKind::Struct,
        };
        self.complete_definition(kind, &name)
    }

    pub(crate) fn describe_entry(&self, here: &Located) -> Result<TypeDesc> {
        let tag = here.entry.tag();
        Ok(match tag {
            gimli::DW_TAG_base_type => TypeDesc::Base {
                name: self.name_of(here).unwrap_or_default(),
                size: self.base_size(here),
                encoding: encoding(&here.entry),
            },
            gimli::DW_TAG_unspecified_type => TypeDesc::Void,
            gimli::DW_TAG_pointer_type
            | gimli::DW_TAG_reference_type
            | gimli::DW_TAG_rvalue_reference_type => TypeDesc::Pointer {
                target: self.type_of(here)?,
                size: self
                    .number(here, gimli::DW_AT_byte_size)
                    .unwrap_or_else(|| u64::from(here.unit.header.address_size())),
            },
            gimli::DW_TAG_typedef | gimli::DW_TAG_template_alias => TypeDesc::Typedef {
                name: self.name_of(here).unwrap_or_default(),
                target: self.type_of(here)?,
            },
            gimli::DW_TAG_array_type => self.array(here)?,
            gimli::DW_TAG_structure_type
            | gimli::DW_TAG_class_type
            | gimli::DW_TAG_interface_type => TypeDesc::Struct(self.aggregate(here)?),
            gimli::DW_TAG_union_type => TypeDesc::Union(self.aggregate(here)?),
            gimli::DW_TAG_enumeration_type => TypeDesc::Enum(self.enumeration(here)?),
            gimli::DW_TAG_subroutine_type | gimli::DW_TAG_subprogram => {
                let (parameters, variadic) = self.parameters(here)?;
                TypeDesc::Function {
                    result: self.type_of(here)?,
                    parameters: parameters.into_iter().map(|(_, ty)| ty).collect(),
                    variadic,
                }
            }
            _ => TypeDesc::Other {
                tag: tag.0,
                name: self.name_of(here),
                size: self.number(here, gimli::DW_AT_byte_size),
            },
        })
    }

    fn base_size(&self, here: &Located) -> u64 {
        self.number(here, gimli::DW_AT_byte_size)
            .or_else(|| Some(self.number(here, gimli::DW_AT_bit_size)?.div_ceil(8)))
            .unwrap_or(0)
    }

    fn array(&self, here: &Located) -> Result<TypeDesc> {
        let mut counts: Vec<Option<u64>> = Vec::new();
        self.data()?
            .children(here.section, &here.unit, here.offset, |child| {
                match child.tag() {
                    gimli::DW_TAG_subrange_type | gimli::DW_TAG_generic_subrange => {
                        counts.push(subrange_count(child));
                    }
                    // An array indexed by an enumeration: the number of its constants is not the bound; leave it open.
                    gimli::DW_TAG_enumeration_type => counts.push(None),
                    _ => {}
                }
                Ok(counts.len() <= MAX_DIMENSIONS)
            })?;
        if counts.len() > MAX_DIMENSIONS {
            return Err(self
                .files
                .malformed(here.at, "an array of too many dimensions"));
        }
        let taken = here.at.dimension();
        let count = counts.get(taken).copied().flatten();
        let element = if taken + 1 < counts.len() {
            here.at.with_dimension(taken + 1).ok_or_else(|| {
                self.files
                    .malformed(here.at, "an array of too many dimensions")
            })?
        } else {
            self.type_of(here)?
        };
        Ok(TypeDesc::Array { element, count })
    }

    fn aggregate(&self, here: &Located) -> Result<Aggregate> {
        let mut fields = Vec::new();
        let mut omitted = 0;
        let mut names = 0;
        let mut part = None;
        let name = self.name_of(here);
        let mut copying = Copying::default();
        self.data()?
            .children(here.section, &here.unit, here.offset, |child| {
                self.see_copying(here, child, name.as_deref(), &mut copying)?;
                let is_base = child.tag() == gimli::DW_TAG_inheritance;
                // Static members of C++ classes are declared as members too (DWARF 4).
                let is_member = child.tag() == gimli::DW_TAG_member
                    && child.attr(gimli::DW_AT_external).is_none()
                    && child.attr(gimli::DW_AT_const_value).is_none();
                if child.tag() == gimli::DW_TAG_variant_part && part.is_none() {
                    part = Some(child.clone());
                }
                if !is_base && !is_member {
                    return Ok(true);
                }
                if fields.len() >= MAX_FIELDS || names > MAX_NAMES {
                    return Err(self
                        .files
                        .malformed(here.at, "a type with too many members"));
                }
                match self.field(here, child, is_base)? {
                    Some(field) => {
                        names += field.name.as_ref().map_or(0, String::len);
                        fields.push(field);
                    }
                    None => omitted += 1,
                }
                Ok(true)
            })?;
        if let Some(part) = part {
            self.variants(here, &part, &mut fields, &mut omitted)?;
        }
        let by_reference = match here.entry.attr_value(gimli::DW_AT_calling_convention) {
            Some(AttributeValue::CallingConvention(gimli::DW_CC_pass_by_reference)) => Some(true),
            Some(AttributeValue::CallingConvention(gimli::DW_CC_pass_by_value)) => Some(false),
            // Not every compiler says it.
            _ => copying.needs_code().then_some(true),
        };
        Ok(Aggregate {
            name,
            size: self.number(here, gimli::DW_AT_byte_size).unwrap_or(0),
            complete: !is_declaration(&here.entry),
            fields,
            omitted,
            by_reference,
        })
    }

    /// Notes what a child of a class says of how its objects are copied and ended.
    fn see_copying(
        &self,
        here: &Located,
        child: &Entry,
        class: Option<&str>,
        copying: &mut Copying,
    ) -> Result<()> {
        let number = |attribute| dwarf::unsigned(&child.attr_value(attribute)?);
        let flag = |attribute| child.attr(attribute).is_some();
        let virtuality = child.attr_value(gimli::DW_AT_virtuality);
        let is_virtual = !matches!(
            virtuality,
            None | Some(AttributeValue::Virtuality(gimli::DW_VIRTUALITY_none))
        );
        copying.code |= is_virtual;
        // What the compiler makes by itself does what the members need, no more.
        let own = child.tag() == gimli::DW_TAG_subprogram && !flag(gimli::DW_AT_artificial);
        let (Some(class), Some(value), true) = (class, child.attr_value(gimli::DW_AT_name), own)
        else {
            return Ok(());
        };
        let data = self.data()?;
        let name = data
            .string(here.section, &here.unit, value)
            .unwrap_or_default();
        let in_class = u64::from(gimli::DW_DEFAULTED_in_class.0);
        let defaulted = number(gimli::DW_AT_defaulted) == Some(in_class);
        if name.starts_with('~') {
            copying.code |= !defaulted;
            return Ok(());
        }
        // A constructor is called as its template: `vector` in `vector<int>`.
        let bare = class.split('<').next().unwrap_or_default();
        if name.split('<').next() != Some(bare) {
            return Ok(());
        }
        let mut parameters = Vec::new();
        data.children(here.section, &here.unit, child.offset(), |parameter| {
            let explicit = parameter.tag() == gimli::DW_TAG_formal_parameter
                && parameter.attr(gimli::DW_AT_artificial).is_none();
            if explicit {
                parameters.push(parameter.attr_value(gimli::DW_AT_type));
            }
            Ok(parameters.len() < 2)
        })?;
        let [Some(ty)] = parameters.as_slice() else {
            return Ok(());
        };
        if !self.refers_to(self.resolve(here, ty)?, here)? {
            return Ok(());
        }
        match flag(gimli::DW_AT_deleted) {
            true => copying.deleted = true,
            false => {
                copying.possible = true;
                copying.code |= !defaulted;
            }
        }
        Ok(())
    }

    /// Whether a type is a reference to a class.
    fn refers_to(&self, ty: TypeRef, class: &Located) -> Result<bool> {
        let Some(reference) = self.strip(ty, false)? else {
            return Ok(false);
        };
        let is_reference = matches!(
            reference.entry.tag(),
            gimli::DW_TAG_reference_type | gimli::DW_TAG_rvalue_reference_type
        );
        if !is_reference {
            return Ok(false);
        }
        let target = self.strip(self.type_of(&reference)?, false)?;
        Ok(target.is_some_and(|target| target.at == class.at))
    }

    /// Adds the discriminant and the variants of a variant part.
    fn variants(
        &self,
        here: &Located,
        part: &Entry,
        fields: &mut Vec<Field>,
        omitted: &mut u32,
    ) -> Result<()> {
        let discriminant = part.attr_value(gimli::DW_AT_discr);
        let mut variants = Vec::new();
        let data = self.data()?;
        data.children(here.section, &here.unit, part.offset(), |child| {
            match child.tag() {
                gimli::DW_TAG_member
                    if discriminant == Some(AttributeValue::UnitRef(child.offset())) =>
                {
                    if let Some(mut field) = self.field(here, child, false)? {
                        field.role = FieldRole::Discriminant;
                        fields.push(field);
                    }
                }
                // Lists of values are for languages that are not C's kin.
                gimli::DW_TAG_variant if child.attr(gimli::DW_AT_discr_list).is_none() => {
                    let value = child.attr_value(gimli::DW_AT_discr_value);
                    let value = value.map(|value| constant(&value, 0, false) as u128);
                    variants.push((child.offset(), value));
                }
                _ => {}
            }
            Ok(variants.len() <= MAX_FIELDS)
        })?;
        let mut names = 0;
        for (offset, value) in variants {
            if fields.len() >= MAX_FIELDS || names > MAX_NAMES {
                return Err(self
                    .files
                    .malformed(here.at, "a type with too many variants"));
            }
            data.children(here.section, &here.unit, offset, |child| {
                if child.tag() != gimli::DW_TAG_member {
                    return Ok(true);
                }
                match self.field(here, child, false)? {
                    Some(mut field) => {
                        names += field.name.as_ref().map_or(0, String::len);
                        field.role = FieldRole::Variant(value);
                        fields.push(field);
                    }
                    None => *omitted += 1,
                }
                // A variant is one member.
                Ok(false)
            })?;
        }
        Ok(())
    }

    /// `None` where the place of a member that is no base is computed at run time.
    fn field(&self, parent: &Located, child: &Entry, is_base: bool) -> Result<Option<Field>> {
        let ty = match child.attr_value(gimli::DW_AT_type) {
            Some(value) => self.resolve(parent, &value)?,
            None => TypeRef::VOID,
        };
        let number = |attribute| dwarf::unsigned(&child.attr_value(attribute)?);
        let mut role = FieldRole::Always;
        let location = match child.attr_value(gimli::DW_AT_data_member_location) {
            Some(value) => match dwarf::member_offset(&value, parent.unit.encoding()) {
                Some(offset) => Some(offset),
                None if is_base => {
                    let distance = dwarf::virtual_base(&value, parent.unit.encoding());
                    role = FieldRole::Virtual(distance);
                    None
                }
                None => return Ok(None),
            },
            None => None,
        };
        let name = child
            .attr_value(gimli::DW_AT_name)
            .and_then(|value| {
                self.data()
                    .ok()?
                    .string(parent.section, &parent.unit, value)
            })
            .filter(|name| !is_base && !name.is_empty());
        let bit_size = number(gimli::DW_AT_bit_size).filter(|_| !is_base);
        let (offset, bitfield) = match bit_size {
            None => (location.unwrap_or(0), None),
            Some(bit_size) => {
                let (offset, bitfield) = self.bitfield(child, ty, location, bit_size);
                (offset, Some(bitfield))
            }
        };
        Ok(Some(Field {
            name,
            ty,
            offset,
            bitfield,
            is_base,
            role,
        }))
    }

    /// DWARF 4 and 5 count bits from the start of the structure (`DW_AT_data_bit_offset`); before, a storage unit was named by offset
    /// and size, and bits were counted in it from the most significant one (DWARF 3, section 5.5.6).
    fn bitfield(
        &self,
        child: &Entry,
        ty: TypeRef,
        location: Option<u64>,
        bit_size: u64,
    ) -> (u64, Bitfield) {
        let number = |attribute| dwarf::unsigned(&child.attr_value(attribute)?);
        // The declared type's size; a member whose type cannot be sized is addressed by bytes.
        let declared = self.scalar_of(ty).ok().flatten().map(|(size, _)| size);
        let declared = declared.filter(|size| (1..=16).contains(size));
        let little = self.files.main.endian == object::Endianness::Little;
        let from_start = if let Some(bits) = number(gimli::DW_AT_data_bit_offset) {
            location.unwrap_or(0).saturating_mul(8).saturating_add(bits)
        } else if let Some(value) = child.attr_value(gimli::DW_AT_bit_offset) {
            let high = i128::from(value.sdata_value().unwrap_or(0));
            let storage = number(gimli::DW_AT_byte_size).or(declared).unwrap_or(1);
            let base = i128::from(location.unwrap_or(0)) * 8;
            let bits = if little {
                base + i128::from(storage) * 8 - high - i128::from(bit_size)
            } else {
                base + high
            };
            u64::try_from(bits).unwrap_or(0)
        } else {
            location.unwrap_or(0).saturating_mul(8)
        };
        let unit_bits = declared.unwrap_or(1) * 8;
        let in_unit = from_start % unit_bits;
        let fits = in_unit
            .checked_add(bit_size)
            .is_some_and(|end| end <= unit_bits);
        let (offset, bit_offset) = if fits && little {
            ((from_start - in_unit) / 8, in_unit)
        } else {
            (from_start / 8, from_start % 8)
        };
        (
            offset,
            Bitfield {
                bit_offset,
                bit_size,
            },
        )
    }

    fn enumeration(&self, here: &Located) -> Result<EnumType> {
        let size = self.number(here, gimli::DW_AT_byte_size);
        let underlying = match self.follow(here, gimli::DW_AT_type)? {
            Some(at) => self.scalar_of(at)?,
            None => None,
        };
        let mut constants: Vec<(String, AttributeValue<dwarf::Reader>)> = Vec::new();
        let mut names = 0;
        self.data()?
            .children(here.section, &here.unit, here.offset, |child| {
                if child.tag() != gimli::DW_TAG_enumerator {
                    return Ok(true);
                }
                if constants.len() >= MAX_ENUMERATORS || names > MAX_NAMES {
                    return Err(self
                        .files
                        .malformed(here.at, "an enumeration with too many constants"));
                }
                let name = child
                    .attr_value(gimli::DW_AT_name)
                    .and_then(|value| self.data().ok()?.string(here.section, &here.unit, value));
                if let (Some(name), Some(value)) =
                    (name, child.attr_value(gimli::DW_AT_const_value))
                {
                    names += name.len();
                    constants.push((name, value));
                }
                Ok(true)
            })?;
        let size = size.or(underlying.map(|(size, _)| size)).unwrap_or(0);
        // Without an underlying type (gcc's DWARF 2), a negative constant tells that values are signed.
        let signed = underlying.map_or_else(
            || {
                constants
                    .iter()
                    .any(|(_, v)| matches!(v, AttributeValue::Sdata(n) if *n < 0))
            },
            |(_, signed)| signed,
        );
        Ok(EnumType {
            name: self.name_of(here),
            size,
            signed,
            complete: !is_declaration(&here.entry),
            enumerators: constants
                .into_iter()
                .map(|(name, value)| Enumerator {
                    name,
                    value: constant(&value, size, signed),
                })
                .collect(),
        })
    }

    /// Size and signedness of the base type or enumeration behind typedefs and qualifiers, read without describing anything, so that
    /// a type that contains itself cannot lead in circles.
    fn scalar_of(&self, at: TypeRef) -> Result<Option<(u64, bool)>> {
        let mut at = at;
        for _ in 0..MAX_HOPS {
            if at == TypeRef::VOID {
                return Ok(None);
            }
            let here = self.entry(at)?;
            let tag = here.entry.tag();
            if tag == gimli::DW_TAG_base_type {
                let signed = matches!(
                    encoding(&here.entry),
                    BaseEncoding::Signed | BaseEncoding::SignedChar
                );
                return Ok(Some((self.base_size(&here), signed)));
            }
            if tag == gimli::DW_TAG_enumeration_type {
                if let Some(size) = self.number(&here, gimli::DW_AT_byte_size) {
                    return Ok(Some((size, false)));
                }
            } else if tag != gimli::DW_TAG_typedef && !is_qualifier(tag) {
                return Ok(None);
            }
            at = self.type_of(&here)?;
        }
        Ok(None)
    }

    /// Names (as far as they have any) and types of a function's parameters, and whether it takes more.
    pub(crate) fn parameters(&self, here: &Located) -> Result<(Vec<Named>, bool)> {
        let (entries, variadic) = self.listed_parameters(here)?;
        let mut parameters = Vec::with_capacity(entries.len());
        for child in entries {
            // A concrete instance of an inlined function leaves name and type to the abstract one.
            let origin = self.follow(&child, gimli::DW_AT_abstract_origin)?;
            let full = match origin {
                Some(at) if child.entry.attr(gimli::DW_AT_type).is_none() => self.entry(at)?,
                _ => child,
            };
            parameters.push((self.name_of(&full), self.type_of(&full)?));
        }
        Ok((parameters, variadic))
    }

    /// The entries of a function's parameters.
    pub(crate) fn parameter_entries(&self, here: &Located) -> Result<Vec<Located>> {
        Ok(self.listed_parameters(here)?.0)
    }

    fn listed_parameters(&self, here: &Located) -> Result<(Vec<Located>, bool)> {
        let mut raw = Vec::new();
        let mut variadic = false;
        self.data()?
            .children(here.section, &here.unit, here.offset, |child| {
                match child.tag() {
                    gimli::DW_TAG_formal_parameter => raw.push(child.clone()),
                    gimli::DW_TAG_unspecified_parameters => variadic = true,
                    _ => {}
                }
                Ok(raw.len() <= MAX_PARAMETERS)
            })?;
        if raw.len() > MAX_PARAMETERS {
            return Err(self
                .files
                .malformed(here.at, "a function with too many parameters"));
        }
        let start = here.unit.header.offset().0;
        let located = raw.into_iter().map(|entry| {
            let offset = entry.offset();
            let at = start.checked_add(offset.0);
            let at = at.and_then(|at| TypeRef::new(here.section, at as u64));
            Located {
                at: at.unwrap_or(here.at),
                section: here.section,
                unit: Arc::clone(&here.unit),
                offset,
                entry,
            }
        });
        Ok((located.collect(), variadic))
    }

    /// Size in bytes; `None` for types without one (functions, incomplete types, flexible arrays).
    pub(crate) fn size_of(&self, at: TypeRef) -> Result<Option<u64>> {
        let mut at = at;
        let mut factor = 1u64;
        for _ in 0..2 * MAX_DIMENSIONS {
            let Some(here) = self.strip(at, true)? else {
                return Ok(None);
            };
            let size = match here.entry.tag() {
                gimli::DW_TAG_typedef | gimli::DW_TAG_template_alias => {
                    at = self.type_of(&here)?;
                    continue;
                }
                gimli::DW_TAG_array_type => {
                    let TypeDesc::Array {
                        element,
                        count: Some(count),
                    } = self.array(&here)?
                    else {
                        return Ok(None);
                    };
                    factor = factor
                        .checked_mul(count)
                        .ok_or_else(|| self.files.malformed(at, "an array larger than memory"))?;
                    at = element;
                    continue;
                }
                gimli::DW_TAG_base_type => Some(self.base_size(&here)),
                gimli::DW_TAG_pointer_type
                | gimli::DW_TAG_reference_type
                | gimli::DW_TAG_rvalue_reference_type => Some(
                    self.number(&here, gimli::DW_AT_byte_size)
                        .unwrap_or_else(|| u64::from(here.unit.header.address_size())),
                ),
                gimli::DW_TAG_enumeration_type if !is_declaration(&here.entry) => {
                    Some(self.enumeration(&here)?.size)
                }
                tag if is_tagged(tag) && is_declaration(&here.entry) => None,
                tag if is_tagged(tag) => {
                    Some(self.number(&here, gimli::DW_AT_byte_size).unwrap_or(0))
                }
                gimli::DW_TAG_subroutine_type
                | gimli::DW_TAG_subprogram
                | gimli::DW_TAG_unspecified_type => None,
                _ => self.number(&here, gimli::DW_AT_byte_size),
            };
            return match size {
                None => Ok(None),
                Some(size) => match size.checked_mul(factor) {
                    Some(size) => Ok(Some(size)),
                    None => Err(self.files.malformed(at, "an array larger than memory")),
                },
            };
        }
        Err(self.files.malformed(at, "a chain of typedefs without end"))
    }
}

fn is_qualifier(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        gimli::DW_TAG_const_type
            | gimli::DW_TAG_volatile_type
            | gimli::DW_TAG_restrict_type
            | gimli::DW_TAG_atomic_type
            | gimli::DW_TAG_immutable_type
            | gimli::DW_TAG_shared_type
            | gimli::DW_TAG_packed_type
    )
}

fn is_tagged(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        gimli::DW_TAG_structure_type
            | gimli::DW_TAG_class_type
            | gimli::DW_TAG_interface_type
            | gimli::DW_TAG_union_type
            | gimli::DW_TAG_enumeration_type
    )
}

pub(crate) fn is_declaration(entry: &Entry) -> bool {
    matches!(
        entry.attr_value(gimli::DW_AT_declaration),
        Some(AttributeValue::Flag(true))
    )
}

fn encoding(entry: &Entry) -> BaseEncoding {
    let Some(AttributeValue::Encoding(code)) = entry.attr_value(gimli::DW_AT_encoding) else {
        return BaseEncoding::Other(0);
    };
    match code {
        gimli::DW_ATE_boolean => BaseEncoding::Bool,
        gimli::DW_ATE_signed => BaseEncoding::Signed,
        gimli::DW_ATE_unsigned => BaseEncoding::Unsigned,
        gimli::DW_ATE_signed_char => BaseEncoding::SignedChar,
        gimli::DW_ATE_unsigned_char => BaseEncoding::UnsignedChar,
        gimli::DW_ATE_UTF => BaseEncoding::Utf,
        gimli::DW_ATE_float => BaseEncoding::Float,
        gimli::DW_ATE_complex_float => BaseEncoding::ComplexFloat,
        other => BaseEncoding::Other(other.0),
    }
}

/// The number of elements of one dimension: `DW_AT_count`, or the upper bound plus one (C counts from zero).
fn subrange_count(entry: &Entry) -> Option<u64> {
    if let Some(count) = entry.attr_value(gimli::DW_AT_count) {
        return dwarf::unsigned(&count);
    }
    let upper = entry.attr_value(gimli::DW_AT_upper_bound)?;
    let lower = entry
        .attr_value(gimli::DW_AT_lower_bound)
        .map_or(Some(0), |v| v.sdata_value())?;
    // gcc writes the bound of `int a[0]` as -1 in whatever wide form is at hand.
    let upper = match upper {
        AttributeValue::Sdata(v) => i128::from(v),
        AttributeValue::Data4(u32::MAX)
        | AttributeValue::Data8(u64::MAX)
        | AttributeValue::Udata(u64::MAX) => -1,
        other => i128::from(other.udata_value()?),
    };
    u64::try_from(upper - i128::from(lower) + 1).ok()
}

/// An enumerator's value, extended from the enumeration's size: compilers use the shortest form that holds the bits.
fn constant(value: &AttributeValue<dwarf::Reader>, size: u64, signed: bool) -> i128 {
    let bits: i128 = match value {
        AttributeValue::Sdata(v) => i128::from(*v),
        AttributeValue::Udata(v) => i128::from(*v),
        AttributeValue::Data1(v) if signed => i128::from(*v as i8),
        AttributeValue::Data2(v) if signed => i128::from(*v as i16),
        AttributeValue::Data4(v) if signed => i128::from(*v as i32),
        AttributeValue::Data8(v) if signed => i128::from(*v as i64),
        AttributeValue::Data16(v) => *v as i128,
        other => i128::from(other.udata_value().unwrap_or(0)),
    };
    if signed || size == 0 || size >= 16 {
        return bits;
    }
    // An unsigned constant written in a signed form.
    bits & ((1i128 << (size * 8)) - 1)
}
