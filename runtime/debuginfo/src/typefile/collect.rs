//! Reads everything that a module's debug information defines, as a graph of types with the units that have them.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::index::{DECLARATION, Index, NO_PLACE};
use crate::lookup::Debug;
use crate::objects::{Function, Variable};
use crate::types::{NameKind, TypeDesc, TypeRef};

/// Problems beyond this number are only counted.
const MAX_PROBLEMS: usize = 8;
/// A module with more types than this is refused.
const MAX_TYPES: usize = 1 << 26;

/// A type: what it is, without what it refers to.
pub(super) struct Node {
    pub description: TypeDesc,
    /// Numbers of the types that the description refers to, in the order of [`references`].
    pub references: Vec<u32>,
    /// Under which scope its name is found (`ns::Class`, empty for C); `None` where its name is not to be found.
    pub scope: Option<String>,
    /// Whether the constants of the enumeration stand in a scope of their own (`enum class`).
    pub scoped: bool,
    /// The units that define it, ascending.
    pub units: Vec<u32>,
}

/// A variable or function.
pub(super) struct Object<T> {
    /// As it is found, with its scopes; `None` where only its linkage name is known.
    pub name: Option<String>,
    pub linkage_name: Option<String>,
    pub is: T,
    /// Where it stood: the first of several declarations is the one that is found.
    at: (u32, TypeRef),
    /// The unit by which it is shown.
    pub unit: Option<u32>,
    /// It has no place because it is inlined everywhere or was optimised away.
    pub no_place: bool,
    pub declaration: bool,
    /// Its type; for functions what they return.
    pub ty: u32,
    /// Types of the parameters.
    pub parameters: Vec<u32>,
}

/// A unit that has a name.
pub(super) struct NamedUnit {
    pub name: String,
    pub language: Option<gimli::DwLang>,
    /// The units whose content is its own: itself and those that it imports.
    pub holds: Vec<u32>,
}

/// All that is to be written.
#[derive(Default)]
pub(super) struct Collection {
    /// By number; number 0 is `void`.
    pub nodes: Vec<Node>,
    pub variables: Vec<Object<Variable>>,
    pub functions: Vec<Object<Function>>,
    pub units: Vec<(u32, NamedUnit)>,
    /// What could not be read.
    pub problems: Vec<String>,
    pub more_problems: usize,
}

/// The types that a description refers to, in order.
pub(super) fn references(description: &TypeDesc) -> Vec<TypeRef> {
    match description {
        TypeDesc::Void | TypeDesc::Base { .. } | TypeDesc::Enum(_) | TypeDesc::Other { .. } => {
            Vec::new()
        }
        TypeDesc::Pointer { target, .. } | TypeDesc::Typedef { target, .. } => vec![*target],
        TypeDesc::Array { element, .. } => vec![*element],
        TypeDesc::Struct(aggregate) | TypeDesc::Union(aggregate) => {
            aggregate.fields.iter().map(|field| field.ty).collect()
        }
        TypeDesc::Function {
            result, parameters, ..
        } => [result].into_iter().chain(parameters).copied().collect(),
    }
}

/// Reads it all.
///
/// # Errors
/// The index cannot be had, or reading takes too long. Types that cannot be read become `void` and are listed as problems.
pub(super) fn collect(debug: &Debug) -> Result<Collection> {
    let index = debug.index()?;
    let mut collector = Collector {
        debug,
        index: &index,
        deadline: debug.deadline(),
        numbers: HashMap::new(),
        waiting: Vec::new(),
        out: Collection::default(),
    };
    collector.out.nodes.push(Node {
        description: TypeDesc::Void,
        references: Vec::new(),
        scope: None,
        scoped: false,
        units: Vec::new(),
    });
    collector.units()?;
    collector.types()?;
    collector.variables()?;
    collector.functions()?;
    collector.finish()?;
    collector.out.variables.sort_by_key(|object| object.at);
    collector.out.functions.sort_by_key(|object| object.at);
    Ok(collector.out)
}

struct Collector<'d> {
    debug: &'d Debug,
    index: &'d Index,
    deadline: Option<std::time::Instant>,
    numbers: HashMap<TypeRef, u32>,
    /// Types whose references are not numbered yet.
    waiting: Vec<u32>,
    out: Collection,
}

impl Collector<'_> {
    fn units(&mut self) -> Result<()> {
        for number in 0..self.index.unit_count() as u32 {
            let Some(row) = self.index.unit(number).filter(|row| !row.name.is_empty()) else {
                continue;
            };
            let mut holds = vec![number];
            let mut seen: HashSet<u32> = HashSet::from([number]);
            let mut next = 0;
            while let Some(unit) = holds.get(next).copied() {
                next += 1;
                holds.extend(self.index.imports(unit).filter(|other| seen.insert(*other)));
            }
            self.out.units.push((
                number,
                NamedUnit {
                    name: row.name.to_owned(),
                    language: self.language(row.section, row.start),
                    holds,
                },
            ));
        }
        Ok(())
    }

    fn language(&self, section: crate::dwarf::EntrySection, start: u64) -> Option<gimli::DwLang> {
        let unit = self.debug.data().ok()?.unit(section, start).ok()?;
        let root = unit.entry(unit.header.root_offset()).ok()?;
        match root.attr_value(gimli::DW_AT_language)? {
            gimli::AttributeValue::Language(language) => Some(language),
            _ => None,
        }
    }

    fn problem(&mut self, error: &Error) {
        if self.out.problems.len() < MAX_PROBLEMS {
            self.out.problems.push(error.to_string());
        } else {
            self.out.more_problems += 1;
        }
    }

    fn in_time(&self) -> Result<()> {
        match self.deadline {
            Some(deadline) if std::time::Instant::now() > deadline => Err(self.debug.timeout()),
            _ => Ok(()),
        }
    }

    /// The types that units name.
    fn types(&mut self) -> Result<()> {
        for number in 0..self.index.unit_count() as u32 {
            self.in_time()?;
            let mut found = Vec::new();
            let mut constants = Vec::new();
            let scanned = self
                .debug
                .scan(self.index, number, self.deadline, |name, kind, row| {
                    let name = String::from_utf8_lossy(&name).into_owned();
                    match kind {
                        NameKind::Enumerator => constants.push((row.at, name)),
                        NameKind::Variable | NameKind::Function => {}
                        _ => found.push((row.at, name)),
                    }
                });
            match scanned {
                Ok(()) => {}
                Err(error @ Error::IndexTimeout { .. }) => return Err(error),
                Err(error) => self.problem(&error),
            }
            for (at, name) in found {
                let type_number = self.number(at, Some(number))?;
                let Some(node) = self.out.nodes.get_mut(type_number as usize) else {
                    continue;
                };
                let own = own_name(&node.description).unwrap_or_default();
                let scope = name.strip_suffix(own).unwrap_or_default();
                node.scope = Some(scope.strip_suffix("::").unwrap_or(scope).to_owned());
            }
            for (at, name) in constants {
                let type_number = self.number(at, Some(number))?;
                let Some(node) = self.out.nodes.get_mut(type_number as usize) else {
                    continue;
                };
                if let (TypeDesc::Enum(own), Some(scope)) = (&node.description, &node.scope)
                    && let Some(tag) = &own.name
                {
                    let inner = if scope.is_empty() {
                        format!("{tag}::")
                    } else {
                        format!("{scope}::{tag}::")
                    };
                    node.scoped |= name.starts_with(&inner);
                }
            }
        }
        Ok(())
    }

    /// The number of a type, which `unit` names, or which stands where it stands. Its references are numbered later.
    fn number(&mut self, at: TypeRef, unit: Option<u32>) -> Result<u32> {
        let number = match self.numbers.get(&at) {
            Some(number) => *number,
            None => self.new_number(at)?,
        };
        let holder = unit.or_else(|| self.index.unit_holding(at.section()?, at.offset()));
        if let (Some(unit), Some(node)) = (holder, self.out.nodes.get_mut(number as usize))
            && let Err(place) = node.units.binary_search(&unit)
        {
            node.units.insert(place, unit);
        }
        Ok(number)
    }

    fn new_number(&mut self, at: TypeRef) -> Result<u32> {
        let (at_last, description) = match self.read(at) {
            Ok(Some(read)) => read,
            Ok(None) => {
                self.numbers.insert(at, 0);
                return Ok(0);
            }
            Err(error) => {
                self.problem(&error);
                self.numbers.insert(at, 0);
                return Ok(0);
            }
        };
        if let Some(&known) = self.numbers.get(&at_last) {
            self.numbers.insert(at, known);
            return Ok(known);
        }
        if self.out.nodes.len() >= MAX_TYPES {
            return Err(Error::TooLarge {
                path: self.debug.files.main.path.clone(),
                what: "the number of its types".into(),
                size: self.out.nodes.len() as u64,
                limit: MAX_TYPES as u64,
            });
        }
        let number = self.out.nodes.len() as u32;
        self.out.nodes.push(Node {
            description,
            references: Vec::new(),
            scope: None,
            scoped: false,
            units: Vec::new(),
        });
        self.numbers.insert(at, number);
        self.numbers.insert(at_last, number);
        self.waiting.push(number);
        Ok(number)
    }

    /// Where the type is defined, behind qualifiers and declarations, and what it is.
    fn read(&self, at: TypeRef) -> Result<Option<(TypeRef, TypeDesc)>> {
        let Some(here) = self.debug.strip(at, true)? else {
            return Ok(None);
        };
        Ok(Some((here.at, self.debug.describe_entry(&here)?)))
    }

    fn variables(&mut self) -> Result<()> {
        let mut by_place: HashMap<TypeRef, usize> = HashMap::new();
        for name in owned_names(self.index, NameKind::Variable) {
            self.in_time()?;
            let rows = self.debug.rows(NameKind::Variable, &name)?;
            let found = match self.debug.variables(&name, None) {
                Ok(found) => found,
                Err(error) => {
                    self.problem(&error);
                    continue;
                }
            };
            for (row, variable) in rows.into_iter().zip(found) {
                if let Some(known) = by_place.get(&row.at) {
                    if let Some(known) = self.out.variables.get_mut(*known) {
                        known.other_name(&name);
                    }
                    continue;
                }
                let ty = match variable.ty {
                    Some(ty) => self.number(ty, None)?,
                    None => 0,
                };
                by_place.insert(row.at, self.out.variables.len());
                self.out.variables.push(Object {
                    name: Some(name.clone()),
                    linkage_name: None,
                    is: variable,
                    at: (row.unit, row.at),
                    unit: self.shown(row.unit),
                    no_place: row.is(NO_PLACE),
                    declaration: row.is(DECLARATION),
                    ty,
                    parameters: Vec::new(),
                });
            }
        }
        Ok(())
    }

    fn functions(&mut self) -> Result<()> {
        let mut by_place: HashMap<TypeRef, usize> = HashMap::new();
        for name in owned_names(self.index, NameKind::Function) {
            self.in_time()?;
            let rows = self.debug.rows(NameKind::Function, &name)?;
            let found = match self.debug.functions(&name, None) {
                Ok(found) => found,
                Err(error) => {
                    self.problem(&error);
                    continue;
                }
            };
            for (row, function) in rows.into_iter().zip(found) {
                if let Some(known) = by_place.get(&row.at) {
                    if let Some(known) = self.out.functions.get_mut(*known) {
                        known.other_name(&name);
                    }
                    continue;
                }
                let ty = match function.result {
                    Some(ty) => self.number(ty, None)?,
                    None => 0,
                };
                let mut parameters = Vec::new();
                for parameter in function.parameters.iter().flatten() {
                    parameters.push(self.number(parameter.ty, None)?);
                }
                by_place.insert(row.at, self.out.functions.len());
                let linkage_name = function.linkage_name.clone();
                self.out.functions.push(Object {
                    name: (linkage_name.as_ref() != Some(&name)).then(|| name.clone()),
                    linkage_name,
                    is: function,
                    at: (row.unit, row.at),
                    unit: self.shown(row.unit),
                    no_place: row.is(NO_PLACE),
                    declaration: row.is(DECLARATION),
                    ty,
                    parameters,
                });
            }
        }
        Ok(())
    }

    fn shown(&self, unit: u32) -> Option<u32> {
        let row = self.index.unit(unit)?;
        let unit = if row.name.is_empty() {
            row.shown_as
        } else {
            unit
        };
        self.index
            .unit(unit)
            .filter(|row| !row.name.is_empty())
            .map(|_| unit)
    }

    /// Numbers what types refer to, until there is nothing left.
    fn finish(&mut self) -> Result<()> {
        let mut count = 0u32;
        while let Some(number) = self.waiting.pop() {
            count = count.wrapping_add(1);
            if count.is_multiple_of(1024) {
                self.in_time()?;
            }
            let Some(node) = self.out.nodes.get(number as usize) else {
                continue;
            };
            let wanted = references(&node.description);
            let mut numbers = Vec::with_capacity(wanted.len());
            for at in wanted {
                numbers.push(self.number(at, None)?);
            }
            if let Some(node) = self.out.nodes.get_mut(number as usize) {
                node.references = numbers;
            }
        }
        Ok(())
    }
}

impl<T> Object<T> {
    /// Takes note of the second name of one entry: a name and a linkage name are both found.
    fn other_name(&mut self, name: &str) {
        match &self.name {
            None => self.name = Some(name.to_owned()),
            // Mangled names have no `::`, and the index does not tell which is which otherwise.
            Some(own) if self.linkage_name.is_none() && own != name => {
                let mangled = |name: &str| name.starts_with("_Z") || name.starts_with("_R");
                if mangled(own) && !mangled(name) {
                    self.linkage_name = self.name.replace(name.to_owned());
                } else {
                    self.linkage_name = Some(name.to_owned());
                }
            }
            Some(_) => {}
        }
    }
}

fn owned_names(index: &Index, kind: NameKind) -> Vec<String> {
    index.names(kind).map(str::to_owned).collect()
}

/// The name that a type carries itself.
pub(super) fn own_name(description: &TypeDesc) -> Option<&str> {
    match description {
        TypeDesc::Base { name, .. } | TypeDesc::Typedef { name, .. } => Some(name),
        TypeDesc::Struct(aggregate) | TypeDesc::Union(aggregate) => aggregate.name.as_deref(),
        TypeDesc::Enum(enumeration) => enumeration.name.as_deref(),
        TypeDesc::Other { name, .. } => name.as_deref(),
        TypeDesc::Void
        | TypeDesc::Pointer { .. }
        | TypeDesc::Array { .. }
        | TypeDesc::Function { .. } => None,
    }
}
