//! Variables and functions: where they are and what type they have.

use crate::dwarf::MAX_HOPS;
use crate::error::Result;
use crate::index::{DECLARATION, EXTERNAL, EntryRow, NO_PLACE};
use crate::layout::{Located, is_declaration};
use crate::lookup::Debug;
use crate::types::{NameKind, TypeRef};

/// Where a fact about a variable or function comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// The debug information: types are known.
    DebugInfo,
    /// `.symtab`: name, address and size only.
    StaticSymbols,
    /// `.dynsym`: name, address and size only.
    DynamicSymbols,
}

/// Where a variable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Location {
    /// At this address of the module (svma).
    Address(u64),
    /// At this offset, in bytes, from the start of the module's thread-local segment of each thread.
    ThreadLocal(u64),
    /// Defined elsewhere: this module only declares it.
    Declared,
    /// Nowhere: the compiler optimised it away, or it needs registers to compute.
    Unavailable,
}

/// A global or static variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type, where the debug information tells.
    pub ty: Option<TypeRef>,
    /// Where it is.
    pub location: Location,
    /// Size in bytes, where it is known.
    pub size: Option<u64>,
    /// Visible to other compile units.
    pub external: bool,
    /// The compile unit that defines it.
    pub unit: Option<String>,
    /// Where this is known from.
    pub origin: Origin,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, unless it has none.
    pub name: Option<String>,
    /// Its type.
    pub ty: TypeRef,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The name that the linker knows it by, where that differs (C++, Rust).
    pub linkage_name: Option<String>,
    /// Address of its first instruction (svma). `None` where it exists only inlined or is only declared.
    pub entry: Option<u64>,
    /// Size in bytes of the contiguous code at the entry; zero where unknown. Cold parts elsewhere are not counted.
    pub size: u64,
    /// Its parameters, where the debug information tells.
    pub parameters: Option<Vec<Parameter>>,
    /// Whether it takes further arguments (`...`).
    pub variadic: bool,
    /// What it returns, where the debug information tells.
    pub result: Option<TypeRef>,
    /// Its type as such, to be described as a function; where the debug information tells.
    pub ty: Option<TypeRef>,
    /// Visible to other compile units.
    pub external: bool,
    /// The compile unit that defines it.
    pub unit: Option<String>,
    /// The address is that of a resolver which picks the implementation at load time.
    pub indirect: bool,
    /// Where this is known from.
    pub origin: Origin,
}

impl Debug {
    fn rows_in(&self, kind: NameKind, name: &str, unit: Option<&str>) -> Result<Vec<EntryRow>> {
        let rows = self.rows(kind, name)?;
        let Some(unit) = unit else {
            return Ok(rows);
        };
        let units = self.units_called(unit)?;
        Ok(rows
            .into_iter()
            .filter(|r| units.contains(&r.unit))
            .collect())
    }

    fn shown_unit(&self, row: &EntryRow) -> Result<Option<String>> {
        let index = self.index()?;
        let name = index.shown_name(row.unit);
        Ok((!name.is_empty()).then(|| name.to_owned()))
    }

    /// All variables of that name that the debug information knows.
    pub(crate) fn variables(&self, name: &str, unit: Option<&str>) -> Result<Vec<Variable>> {
        let mut found = Vec::new();
        for row in self.rows_in(NameKind::Variable, name, unit)? {
            let here = self.entry(row.at)?;
            let location = if row.is(DECLARATION) {
                Location::Declared
            } else {
                self.location(&here)
            };
            let ty = self.inherited_type(&here)?;
            found.push(Variable {
                name: name.to_owned(),
                ty: Some(ty),
                location,
                size: self.size_of(ty)?,
                external: row.is(EXTERNAL) || self.inherits_external(&here)?,
                unit: self.shown_unit(&row)?,
                origin: Origin::DebugInfo,
            });
        }
        Ok(found)
    }

    /// All functions of that name that the debug information knows.
    pub(crate) fn functions(&self, name: &str, unit: Option<&str>) -> Result<Vec<Function>> {
        let mut found = Vec::new();
        for row in self.rows_in(NameKind::Function, name, unit)? {
            found.push(self.function(name, &row)?);
        }
        Ok(found)
    }

    /// The linker's name of the function at an entry, else its name.
    pub(crate) fn function_name(&self, at: TypeRef) -> Result<Option<String>> {
        let chain = self.chain(self.entry(at)?)?;
        let linkage = chain.iter().find_map(|link| self.linkage_name(link));
        Ok(linkage.or_else(|| chain.iter().find_map(|link| self.name_of(link))))
    }

    fn linkage_name(&self, link: &Located) -> Option<String> {
        let value = link
            .entry
            .attr_value(gimli::DW_AT_linkage_name)
            .or_else(|| link.entry.attr_value(gimli::DW_AT_MIPS_linkage_name))?;
        self.data().ok()?.string(link.section, &link.unit, value)
    }

    /// Whether a function without a place is one that was inlined, rather than one that is only declared.
    pub(crate) fn is_inlined_only(&self, function: &Function) -> Result<bool> {
        let Some(at) = function.ty.filter(|_| function.entry.is_none()) else {
            return Ok(false);
        };
        let here = self.entry(at)?;
        Ok(!is_declaration(&here.entry) && here.entry.attr(gimli::DW_AT_inline).is_some())
    }

    fn function(&self, name: &str, row: &EntryRow) -> Result<Function> {
        let here = self.entry(row.at)?;
        // Parameters, type and linkage name may be left to the abstract instance or the declaration.
        let chain = self.chain(here)?;
        let mut parameters = Vec::new();
        let mut variadic = false;
        // A copy that the compiler has made of a function may list them in another order than the abstract instance does.
        let copied = chain
            .first()
            .is_some_and(|here| here.entry.attr(gimli::DW_AT_abstract_origin).is_some());
        let first = usize::from(copied && chain.len() > 1);
        for link in chain.iter().skip(first).chain(chain.iter().take(first)) {
            let (own, more) = self.parameters(link)?;
            variadic |= more;
            if !own.is_empty() {
                parameters = own;
                break;
            }
        }
        let result = chain
            .iter()
            .find(|l| l.entry.attr(gimli::DW_AT_type).is_some())
            .map_or(Ok(TypeRef::VOID), |l| self.type_of(l))?;
        // Assemblers write down where a function is, and an unspecified type for what they do not know.
        let unknown = parameters.is_empty() && self.is_unspecified(result)?;
        let linkage_name = chain.iter().find_map(|l| self.linkage_name(l));
        let external = chain.iter().any(is_external);
        let place = match chain.first() {
            Some(here) if !row.is(DECLARATION) && !row.is(NO_PLACE) => self.code_range(here),
            _ => None,
        };
        Ok(Function {
            name: name.to_owned(),
            linkage_name,
            entry: place.map(|p| p.0),
            size: place.map_or(0, |p| p.1),
            parameters: (!unknown).then(|| {
                parameters
                    .into_iter()
                    .map(|(name, ty)| Parameter { name, ty })
                    .collect()
            }),
            variadic,
            result: (!unknown).then_some(result),
            ty: Some(row.at),
            external,
            unit: self.shown_unit(row)?,
            indirect: false,
            origin: Origin::DebugInfo,
        })
    }

    /// Whether a type is one of which nothing is said, not even a name.
    fn is_unspecified(&self, ty: TypeRef) -> Result<bool> {
        if ty == TypeRef::VOID {
            return Ok(false);
        }
        let here = self.entry(ty)?;
        let nameless = self.name_of(&here).is_none();
        Ok(nameless && here.entry.tag() == gimli::DW_TAG_unspecified_type)
    }

    /// An entry and those that it completes: abstract instances and declarations.
    pub(crate) fn chain(&self, first: Located) -> Result<Vec<Located>> {
        let mut chain = vec![first];
        while chain.len() < MAX_HOPS {
            let Some(last) = chain.last() else { break };
            let next = match self.follow(last, gimli::DW_AT_abstract_origin)? {
                Some(at) => Some(at),
                None => self.follow(last, gimli::DW_AT_specification)?,
            };
            match next {
                Some(at) if chain.iter().all(|l| l.at != at) => chain.push(self.entry(at)?),
                _ => break,
            }
        }
        Ok(chain)
    }

    fn inherited_type(&self, here: &Located) -> Result<TypeRef> {
        // The definition's own type is the better one: `extern int a[]; int a[4];`.
        if here.entry.attr(gimli::DW_AT_type).is_some() {
            return self.type_of(here);
        }
        let chain = self.chain(self.entry(here.at)?)?;
        chain
            .iter()
            .find(|l| l.entry.attr(gimli::DW_AT_type).is_some())
            .map_or(Ok(TypeRef::VOID), |l| self.type_of(l))
    }

    fn inherits_external(&self, here: &Located) -> Result<bool> {
        if here.entry.attr(gimli::DW_AT_specification).is_none() {
            return Ok(false);
        }
        Ok(self.chain(self.entry(here.at)?)?.iter().any(is_external))
    }

    /// The address of a variable: `DW_OP_addr`, `DW_OP_addrx`, or a constant followed by the operator for thread-local storage.
    fn location(&self, here: &Located) -> Location {
        self.fixed_location(here).unwrap_or(Location::Unavailable)
    }

    fn fixed_location(&self, here: &Located) -> Option<Location> {
        let value = here.entry.attr_value(gimli::DW_AT_location)?;
        let expression = match value {
            gimli::AttributeValue::Exprloc(e) => e,
            gimli::AttributeValue::Block(b) => gimli::Expression(b),
            _ => return None,
        };
        let dwarf = self.data().ok()?.dwarf_of(here.section);
        let mut operations = expression.operations(here.unit.encoding());
        let first = match operations.next().ok()?? {
            gimli::Operation::Address { address } => address,
            gimli::Operation::AddressIndex { index }
            | gimli::Operation::ConstantIndex { index } => dwarf.address(&here.unit, index).ok()?,
            gimli::Operation::UnsignedConstant { value } => value,
            gimli::Operation::SignedConstant { value } => u64::try_from(value).ok()?,
            _ => return None,
        };
        let mut location = Location::Address(first);
        while let Some(operation) = operations.next().ok()? {
            match (operation, location) {
                (gimli::Operation::TLS, Location::Address(offset)) => {
                    location = Location::ThreadLocal(offset);
                }
                (gimli::Operation::PlusConstant { value }, Location::Address(address)) => {
                    location = Location::Address(address.checked_add(value)?);
                }
                _ => return None,
            }
        }
        Some(location)
    }

    /// Entry address and size of the code at the entry.
    fn code_range(&self, here: &Located) -> Option<(u64, u64)> {
        let dwarf = self.data().ok()?.dwarf_of(here.section);
        let entry_pc = here
            .entry
            .attr_value(gimli::DW_AT_entry_pc)
            .and_then(|v| dwarf.attr_address(&here.unit, v).ok()?);
        let mut ranges = dwarf.die_ranges(&here.unit, &here.entry).ok()?;
        let mut first = None;
        // A function has a handful of ranges; a list of a million is not one.
        for _ in 0..256 {
            let Ok(Some(range)) = ranges.next() else {
                break;
            };
            let Some(size) = range.end.checked_sub(range.begin).filter(|&s| s > 0) else {
                continue;
            };
            match entry_pc {
                Some(pc) if (range.begin..range.end).contains(&pc) => {
                    return Some((pc, range.end - pc));
                }
                _ => first = first.or(Some((range.begin, size))),
            }
        }
        first.or_else(|| {
            let value = here.entry.attr_value(gimli::DW_AT_low_pc)?;
            Some((dwarf.attr_address(&here.unit, value).ok()??, 0))
        })
    }

    /// The constant of that name and the enumeration that defines it.
    pub(crate) fn enumerator(
        &self,
        name: &str,
        unit: Option<&str>,
    ) -> Result<Option<(i128, TypeRef)>> {
        let Some(at) = self.find_enumerator(name, unit)? else {
            return Ok(None);
        };
        let crate::types::TypeDesc::Enum(description) = self.describe(at)? else {
            return Ok(None);
        };
        // C++ qualifies the names of scoped constants.
        let last = name.rsplit("::").next().unwrap_or(name);
        let found = description
            .enumerators
            .iter()
            .find(|e| e.name == name || e.name == last);
        Ok(found.map(|e| (e.value, at)))
    }

    fn find_enumerator(&self, name: &str, unit: Option<&str>) -> Result<Option<TypeRef>> {
        self.find_type(NameKind::Enumerator, name, unit)
    }
}

fn is_external(link: &Located) -> bool {
    matches!(
        link.entry.attr_value(gimli::DW_AT_external),
        Some(gimli::AttributeValue::Flag(true))
    )
}
