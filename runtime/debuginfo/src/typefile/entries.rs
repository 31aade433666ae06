//! Writes a collection as DWARF 5.
//!
//! What one unit alone has stands in that unit. What several have stands once, in a unit without a name that all of them import:
//! one such unit for each set of importing units.

use std::collections::HashMap;

use gimli::write::{
    Address, AttributeValue, DebugInfoRef, Dwarf, EndianVec, Expression, LineProgram, Sections,
    Unit, UnitEntryId, UnitId,
};

use super::classes::{Class, classes};
use super::collect::{Collection, Object};
use crate::objects::{Function, Location, Variable};
use crate::types::{BaseEncoding, Field, FieldRole, TypeDesc};

/// Contents of sections by name.
pub(super) type Contents = Vec<(&'static str, Vec<u8>)>;

/// The sections of a collection.
///
/// # Errors
/// As text: the writer refused it, which happens only beyond 4 GiB.
pub(super) fn write(
    collection: &Collection,
    is_64: bool,
    endian: gimli::RunTimeEndian,
) -> Result<Contents, gimli::write::Error> {
    let (classes, class_of) = classes(&collection.nodes);
    let encoding = gimli::Encoding {
        format: gimli::Format::Dwarf32,
        version: 5,
        address_size: if is_64 { 8 } else { 4 },
    };
    let mut writer = Writer {
        collection,
        classes: &classes,
        class_of: &class_of,
        encoding,
        dwarf: Dwarf::new(),
        places: Vec::with_capacity(classes.len()),
        scopes: HashMap::new(),
        bases: HashMap::new(),
    };
    let homes = writer.homes();
    writer.write_types(&homes);
    for variable in &collection.variables {
        writer.write_variable(variable, &homes);
    }
    for function in &collection.functions {
        writer.write_function(function, &homes);
    }
    let mut sections = Sections::new(EndianVec::new(endian));
    writer.dwarf.write(&mut sections)?;
    let mut contents = Vec::new();
    sections.for_each(|id, data| {
        if !data.slice().is_empty() {
            contents.push((id.name(), data.slice().to_vec()));
        }
        Ok::<(), gimli::write::Error>(())
    })?;
    Ok(contents)
}

/// Which unit each thing goes to.
struct Homes {
    /// By class.
    of_class: Vec<UnitId>,
    /// By number of the original unit, for those that have names.
    named: HashMap<u32, UnitId>,
    /// For what no unit with a name has.
    nobody: UnitId,
}

struct Writer<'c> {
    collection: &'c Collection,
    classes: &'c [Class],
    class_of: &'c [u32],
    encoding: gimli::Encoding,
    dwarf: Dwarf,
    /// Where each class is written.
    places: Vec<(UnitId, UnitEntryId)>,
    /// Namespaces, and for `None` the block that hides names, by unit.
    scopes: HashMap<(UnitId, Option<String>), UnitEntryId>,
    /// Signed base types without a name, by unit and size.
    bases: HashMap<(UnitId, u64), UnitEntryId>,
}

impl Writer<'_> {
    fn unit(&mut self) -> UnitId {
        self.dwarf
            .units
            .add(Unit::new(self.encoding, LineProgram::none()))
    }

    fn text(&mut self, text: &str) -> AttributeValue {
        // A name cannot hold a NUL in the first place: it ends there.
        let text = text.split('\0').next().unwrap_or_default();
        AttributeValue::StringRef(self.dwarf.strings.add(text))
    }

    fn set(
        &mut self,
        (unit, entry): (UnitId, UnitEntryId),
        name: gimli::DwAt,
        value: AttributeValue,
    ) {
        self.dwarf
            .units
            .get_mut(unit)
            .get_mut(entry)
            .set(name, value);
    }

    fn set_name(&mut self, at: (UnitId, UnitEntryId), name: Option<&str>) {
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            let name = self.text(name);
            self.set(at, gimli::DW_AT_name, name);
        }
    }

    fn add(
        &mut self,
        (unit, parent): (UnitId, UnitEntryId),
        tag: gimli::DwTag,
    ) -> (UnitId, UnitEntryId) {
        (unit, self.dwarf.units.get_mut(unit).add(parent, tag))
    }

    /// Makes the units, and says where each class goes.
    fn homes(&mut self) -> Homes {
        let mut named = HashMap::new();
        // By original unit, the units with names that have its content.
        let mut holders: HashMap<u32, Vec<u32>> = HashMap::new();
        for (number, of_name) in &self.collection.units {
            let id = self.unit();
            let root = self.dwarf.units.get(id).root();
            self.set_name((id, root), Some(&of_name.name));
            if let Some(language) = of_name.language {
                self.set(
                    (id, root),
                    gimli::DW_AT_language,
                    AttributeValue::Language(language),
                );
            }
            named.insert(*number, id);
            for held in &of_name.holds {
                holders.entry(*held).or_default().push(*number);
            }
        }
        let nobody = self.unit();
        let mut groups: HashMap<Vec<u32>, UnitId> = HashMap::new();
        let mut of_class = Vec::with_capacity(self.classes.len());
        for class in self.classes {
            let mut owners: Vec<u32> = class
                .units
                .iter()
                .filter_map(|unit| holders.get(unit))
                .flatten()
                .copied()
                .collect();
            owners.sort_unstable();
            owners.dedup();
            let home = match owners.as_slice() {
                [] => nobody,
                [one] => named.get(one).copied().unwrap_or(nobody),
                _ => match groups.get(&owners) {
                    Some(known) => *known,
                    None => {
                        let id = self.unit();
                        for importer in owners.iter().filter_map(|owner| named.get(owner).copied())
                        {
                            self.import(importer, id);
                        }
                        groups.insert(owners, id);
                        id
                    }
                },
            };
            of_class.push(home);
        }
        Homes {
            of_class,
            named,
            nobody,
        }
    }

    fn import(&mut self, from: UnitId, what: UnitId) {
        let root = self.dwarf.units.get(from).root();
        let entry = self.add((from, root), gimli::DW_TAG_imported_unit);
        let target = self.dwarf.units.get(what).root();
        self.set(
            entry,
            gimli::DW_AT_import,
            AttributeValue::DebugInfoRef(DebugInfoRef::Entry(what, target)),
        );
    }

    fn write_types(&mut self, homes: &Homes) {
        for home in &homes.of_class {
            let entry = self.dwarf.units.get_mut(*home).reserve();
            self.places.push((*home, entry));
        }
        // Number 0 is `void`, which has no entry.
        for (number, class) in self.classes.iter().enumerate().skip(1) {
            if let Some(place) = self.places.get(number).copied() {
                self.write_type(class, place);
            }
        }
    }

    /// The entry under which a type is written: the unit, a namespace, or a block whose content is not found by name.
    fn scope(&mut self, unit: UnitId, scope: Option<&str>) -> UnitEntryId {
        let root = self.dwarf.units.get(unit).root();
        if scope == Some("") {
            return root;
        }
        let key = (unit, scope.map(str::to_owned));
        if let Some(known) = self.scopes.get(&key) {
            return *known;
        }
        let entry = match scope {
            Some(name) => {
                let entry = self.add((unit, root), gimli::DW_TAG_namespace);
                self.set_name(entry, Some(name));
                entry
            }
            None => self.add((unit, root), gimli::DW_TAG_lexical_block),
        };
        self.scopes.insert(key, entry.1);
        entry.1
    }

    /// Sets a reference to the type of a node; `void` is no attribute.
    fn set_type(&mut self, at: (UnitId, UnitEntryId), node: Option<&u32>) {
        let class = node
            .and_then(|node| self.class_of.get(*node as usize))
            .copied();
        let Some(class) = class.filter(|class| *class != 0) else {
            return;
        };
        let Some((unit, entry)) = self.places.get(class as usize).copied() else {
            return;
        };
        let value = if unit == at.0 {
            AttributeValue::UnitRef(entry)
        } else {
            AttributeValue::DebugInfoRef(DebugInfoRef::Entry(unit, entry))
        };
        self.set(at, gimli::DW_AT_type, value);
    }

    fn write_type(&mut self, class: &Class, at: (UnitId, UnitEntryId)) {
        let collection = self.collection;
        let Some(node) = collection.nodes.get(class.node as usize) else {
            return;
        };
        let (tag, name) = match &node.description {
            TypeDesc::Void => (gimli::DW_TAG_unspecified_type, None),
            TypeDesc::Base { name, .. } => (gimli::DW_TAG_base_type, Some(name.as_str())),
            TypeDesc::Pointer { .. } => (gimli::DW_TAG_pointer_type, None),
            TypeDesc::Array { .. } => (gimli::DW_TAG_array_type, None),
            TypeDesc::Struct(own) => (gimli::DW_TAG_structure_type, own.name.as_deref()),
            TypeDesc::Union(own) => (gimli::DW_TAG_union_type, own.name.as_deref()),
            TypeDesc::Enum(own) => (gimli::DW_TAG_enumeration_type, own.name.as_deref()),
            TypeDesc::Typedef { name, .. } => (gimli::DW_TAG_typedef, Some(name.as_str())),
            TypeDesc::Function { .. } => (gimli::DW_TAG_subroutine_type, None),
            TypeDesc::Other { tag, name, .. } => (gimli::DwTag(*tag), name.as_deref()),
        };
        // Only what has a name and is not found by it must be hidden.
        let scope = match (&node.scope, name) {
            (None, Some(_)) => None,
            (scope, _) => Some(scope.as_deref().unwrap_or_default()),
        };
        let parent = self.scope(at.0, scope);
        self.dwarf
            .units
            .get_mut(at.0)
            .add_reserved(at.1, parent, tag);
        self.set_name(at, name);
        match &node.description {
            TypeDesc::Void => {}
            TypeDesc::Base { size, encoding, .. } => {
                self.set(at, gimli::DW_AT_byte_size, AttributeValue::Udata(*size));
                self.set(
                    at,
                    gimli::DW_AT_encoding,
                    AttributeValue::Encoding(code(*encoding)),
                );
            }
            TypeDesc::Pointer { size, .. } => {
                if *size != u64::from(self.encoding.address_size) {
                    self.set(at, gimli::DW_AT_byte_size, AttributeValue::Udata(*size));
                }
                self.set_type(at, node.references.first());
            }
            TypeDesc::Array { count, .. } => {
                self.set_type(at, node.references.first());
                let dimension = self.add(at, gimli::DW_TAG_subrange_type);
                if let Some(count) = count {
                    self.set(dimension, gimli::DW_AT_count, AttributeValue::Udata(*count));
                }
            }
            TypeDesc::Struct(own) | TypeDesc::Union(own) => {
                self.set_size(at, own.size, own.complete);
                if let Some(by_reference) = own.by_reference {
                    let convention = match by_reference {
                        true => gimli::DW_CC_pass_by_reference,
                        false => gimli::DW_CC_pass_by_value,
                    };
                    self.set(
                        at,
                        gimli::DW_AT_calling_convention,
                        AttributeValue::CallingConvention(convention),
                    );
                }
                let mut part = None;
                for (field, ty) in own.fields.iter().zip(&node.references) {
                    match field.role {
                        FieldRole::Always => {
                            self.write_field(at, field, *ty);
                            continue;
                        }
                        FieldRole::Virtual(distance) => {
                            let entry = self.add(at, gimli::DW_TAG_inheritance);
                            self.set_type(entry, Some(ty));
                            let place = distance.map_or_else(nowhere, below_table);
                            self.set(
                                entry,
                                gimli::DW_AT_data_member_location,
                                AttributeValue::Exprloc(place),
                            );
                            continue;
                        }
                        FieldRole::Discriminant | FieldRole::Variant(_) => {}
                    }
                    let part =
                        *part.get_or_insert_with(|| self.add(at, gimli::DW_TAG_variant_part));
                    self.write_variant(part, field, *ty);
                }
                for _ in 0..own.omitted {
                    // Its place is computed at run time; how, is of no use without the code.
                    let member = self.add(at, gimli::DW_TAG_inheritance);
                    self.set(
                        member,
                        gimli::DW_AT_data_member_location,
                        AttributeValue::Exprloc(nowhere()),
                    );
                }
            }
            TypeDesc::Enum(own) => {
                self.set_size(at, own.size, own.complete);
                if own.signed {
                    let underlying = self.signed_base(at.0, own.size);
                    self.set(at, gimli::DW_AT_type, AttributeValue::UnitRef(underlying));
                }
                if node.scoped {
                    self.set(at, gimli::DW_AT_enum_class, AttributeValue::FlagPresent);
                }
                for constant in &own.enumerators {
                    let entry = self.add(at, gimli::DW_TAG_enumerator);
                    self.set_name(entry, Some(&constant.name));
                    let value = match (i64::try_from(constant.value), u64::try_from(constant.value))
                    {
                        (_, Ok(value)) if !own.signed => AttributeValue::Udata(value),
                        (Ok(value), _) => AttributeValue::Sdata(value),
                        (_, Ok(value)) => AttributeValue::Udata(value),
                        _ => AttributeValue::Data16(constant.value as u128),
                    };
                    self.set(entry, gimli::DW_AT_const_value, value);
                }
            }
            TypeDesc::Typedef { .. } => self.set_type(at, node.references.first()),
            TypeDesc::Function { variadic, .. } => {
                self.set_type(at, node.references.first());
                for parameter in node.references.iter().skip(1) {
                    let entry = self.add(at, gimli::DW_TAG_formal_parameter);
                    self.set_type(entry, Some(parameter));
                }
                if *variadic {
                    self.add(at, gimli::DW_TAG_unspecified_parameters);
                }
            }
            TypeDesc::Other { size, .. } => {
                if let Some(size) = size {
                    self.set(at, gimli::DW_AT_byte_size, AttributeValue::Udata(*size));
                }
            }
        }
    }

    fn set_size(&mut self, at: (UnitId, UnitEntryId), size: u64, complete: bool) {
        if size != 0 || complete {
            self.set(at, gimli::DW_AT_byte_size, AttributeValue::Udata(size));
        }
        if !complete {
            self.set(at, gimli::DW_AT_declaration, AttributeValue::FlagPresent);
        }
    }

    /// A discriminant or a variant of a variant part.
    fn write_variant(&mut self, part: (UnitId, UnitEntryId), field: &Field, ty: u32) {
        let FieldRole::Variant(value) = field.role else {
            let member = self.write_field(part, field, ty);
            self.set(part, gimli::DW_AT_discr, AttributeValue::UnitRef(member.1));
            return;
        };
        let variant = self.add(part, gimli::DW_TAG_variant);
        if let Some(value) = value {
            let value = match u64::try_from(value) {
                Ok(value) => AttributeValue::Udata(value),
                Err(_) => AttributeValue::Data16(value),
            };
            self.set(variant, gimli::DW_AT_discr_value, value);
        }
        self.write_field(variant, field, ty);
    }

    fn write_field(
        &mut self,
        at: (UnitId, UnitEntryId),
        field: &Field,
        ty: u32,
    ) -> (UnitId, UnitEntryId) {
        let tag = if field.is_base {
            gimli::DW_TAG_inheritance
        } else {
            gimli::DW_TAG_member
        };
        let entry = self.add(at, tag);
        self.set_name(entry, field.name.as_deref());
        self.set_type(entry, Some(&ty));
        match field.bitfield {
            None => {
                self.set(
                    entry,
                    gimli::DW_AT_data_member_location,
                    AttributeValue::Udata(field.offset),
                );
            }
            Some(bits) => {
                self.set(
                    entry,
                    gimli::DW_AT_bit_size,
                    AttributeValue::Udata(bits.bit_size),
                );
                let first = field
                    .offset
                    .saturating_mul(8)
                    .saturating_add(bits.bit_offset);
                self.set(
                    entry,
                    gimli::DW_AT_data_bit_offset,
                    AttributeValue::Udata(first),
                );
            }
        }
        entry
    }

    /// A signed base type without a name, for enumerations.
    fn signed_base(&mut self, unit: UnitId, size: u64) -> UnitEntryId {
        if let Some(known) = self.bases.get(&(unit, size)) {
            return *known;
        }
        let root = self.dwarf.units.get(unit).root();
        let entry = self.add((unit, root), gimli::DW_TAG_base_type);
        self.set(entry, gimli::DW_AT_byte_size, AttributeValue::Udata(size));
        self.set(
            entry,
            gimli::DW_AT_encoding,
            AttributeValue::Encoding(gimli::DW_ATE_signed),
        );
        self.bases.insert((unit, size), entry.1);
        entry.1
    }

    /// What variables and functions have in common.
    fn write_object<T>(
        &mut self,
        tag: gimli::DwTag,
        object: &Object<T>,
        external: bool,
        homes: &Homes,
    ) -> (UnitId, UnitEntryId) {
        let home = object.unit.and_then(|unit| homes.named.get(&unit).copied());
        let unit = home.unwrap_or(homes.nobody);
        let root = self.dwarf.units.get(unit).root();
        let at = self.add((unit, root), tag);
        self.set_name(at, object.name.as_deref());
        if let Some(name) = &object.linkage_name {
            let name = self.text(name);
            self.set(at, gimli::DW_AT_linkage_name, name);
        }
        if external {
            self.set(at, gimli::DW_AT_external, AttributeValue::FlagPresent);
        }
        if object.declaration {
            self.set(at, gimli::DW_AT_declaration, AttributeValue::FlagPresent);
        }
        self.set_type(at, Some(&object.ty));
        at
    }

    fn write_variable(&mut self, variable: &Object<Variable>, homes: &Homes) {
        let at = self.write_object(
            gimli::DW_TAG_variable,
            variable,
            variable.is.external,
            homes,
        );
        if variable.declaration || variable.no_place {
            return;
        }
        let mut place = Expression::new();
        match variable.is.location {
            Location::Address(address) => place.op_addr(Address::Constant(address)),
            Location::ThreadLocal(offset) => {
                place.op_constu(offset);
                place.op(gimli::DW_OP_form_tls_address);
            }
            Location::Declared | Location::Unavailable => place = nowhere(),
        }
        self.set(at, gimli::DW_AT_location, AttributeValue::Exprloc(place));
    }

    fn write_function(&mut self, function: &Object<Function>, homes: &Homes) {
        let at = self.write_object(
            gimli::DW_TAG_subprogram,
            function,
            function.is.external,
            homes,
        );
        if let Some(entry) = function.is.entry {
            self.set(
                at,
                gimli::DW_AT_low_pc,
                AttributeValue::Address(Address::Constant(entry)),
            );
            if function.is.size > 0 {
                self.set(
                    at,
                    gimli::DW_AT_high_pc,
                    AttributeValue::Udata(function.is.size),
                );
            }
        }
        let parameters = function.is.parameters.iter().flatten();
        for (parameter, ty) in parameters.zip(&function.parameters) {
            let entry = self.add(at, gimli::DW_TAG_formal_parameter);
            self.set_name(entry, parameter.name.as_deref());
            self.set_type(entry, Some(ty));
        }
        if function.is.variadic {
            self.add(at, gimli::DW_TAG_unspecified_parameters);
        }
    }
}

/// An expression that computes nothing: there is a place, but none that can be told.
/// How the place of a virtual base is found.
fn below_table(distance: u64) -> Expression {
    let mut expression = Expression::new();
    expression.op(gimli::DW_OP_dup);
    expression.op_deref();
    expression.op_constu(distance);
    expression.op(gimli::DW_OP_minus);
    expression.op_deref();
    expression.op(gimli::DW_OP_plus);
    expression
}

fn nowhere() -> Expression {
    let mut expression = Expression::new();
    expression.op(gimli::DW_OP_nop);
    expression
}

fn code(encoding: BaseEncoding) -> gimli::DwAte {
    match encoding {
        BaseEncoding::Bool => gimli::DW_ATE_boolean,
        BaseEncoding::Signed => gimli::DW_ATE_signed,
        BaseEncoding::Unsigned => gimli::DW_ATE_unsigned,
        BaseEncoding::SignedChar => gimli::DW_ATE_signed_char,
        BaseEncoding::UnsignedChar => gimli::DW_ATE_unsigned_char,
        BaseEncoding::Utf => gimli::DW_ATE_UTF,
        BaseEncoding::Float => gimli::DW_ATE_float,
        BaseEncoding::ComplexFloat => gimli::DW_ATE_complex_float,
        BaseEncoding::Other(code) => gimli::DwAte(code),
    }
}
