//! Types of the target, brought in when they are asked for.

use super::Checker;
use crate::source::Span;
use crate::target::{TargetType, TypeDescription};
use crate::types::{Enumeration, Member, Record, RecordBody, RecordId, Type, TypeId};

/// Chains of pointers, arrays and typedefs longer than this are cut.
const LONGEST_CHAIN: u32 = 64;

impl Checker<'_> {
    /// The type of the target as a type of the program. Broken or endless types are unknown.
    pub(super) fn import(&mut self, source: TargetType) -> TypeId {
        self.import_within(source, LONGEST_CHAIN)
    }

    fn import_within(&mut self, source: TargetType, depth: u32) -> TypeId {
        if let Some(id) = self.imported.get(&source) {
            return *id;
        }
        let unknown = self.basics.unknown;
        let Some(depth) = depth.checked_sub(1) else {
            return unknown;
        };
        // A chain that leads back to itself without a record between has no meaning.
        if !self.importing.insert(source) {
            return unknown;
        }
        let description = match self.target.as_deref_mut() {
            Some(target) => target.describe(source),
            None => Ok(TypeDescription::Void),
        };
        let id = match description {
            Ok(description) => self.import_description(source, description, depth),
            Err(error) => {
                if self.reported.insert(("broken type", error.to_string())) {
                    self.warning(
                        Span::default(),
                        format!("a type of the target cannot be read: {error}"),
                        "",
                    );
                }
                unknown
            }
        };
        self.importing.remove(&source);
        self.imported.insert(source, id);
        id
    }

    fn import_description(
        &mut self,
        source: TargetType,
        description: TypeDescription,
        depth: u32,
    ) -> TypeId {
        match description {
            TypeDescription::Void => self.basics.void,
            TypeDescription::Bool => self.basics.boolean,
            TypeDescription::Integer {
                name,
                size,
                signed,
                character,
            } => self.import_integer(&name, size, signed, character),
            TypeDescription::Float { size: 4, .. } => self.basics.float,
            TypeDescription::Float { size: 8, .. } => self.basics.double,
            TypeDescription::Float { name, size } => self.opaque_bytes(&name, size),
            TypeDescription::Complex { size } => {
                let name = match size {
                    8 => "complex float",
                    16 => "complex double",
                    32 => "complex long double",
                    _ => "complex",
                };
                self.opaque_bytes(name, size)
            }
            TypeDescription::Pointer { target } => {
                let target = self.import_within(target, depth);
                self.types.intern(Type::Pointer(target))
            }
            TypeDescription::Array { element, count } => {
                let element = self.import_within(element, depth);
                self.types.intern(Type::Array(element, count))
            }
            TypeDescription::Record { name, union, .. } => {
                let record = self.types.add_record(Record {
                    name: name.unwrap_or_default(),
                    union,
                    origin: Some(source),
                    module: None,
                    body: None,
                });
                self.types.intern(Type::Record(record))
            }
            TypeDescription::Enum {
                name,
                size,
                signed,
                enumerators,
            } => {
                let size = match size {
                    1 | 2 | 4 | 8 => size as u8,
                    _ => return self.basics.unknown,
                };
                let id = self.types.add_enum(Enumeration {
                    name: name.unwrap_or_default(),
                    size,
                    signed,
                    enumerators,
                });
                self.types.intern(Type::Enum(id))
            }
            TypeDescription::Typedef { name, target } => {
                let target = self.import_within(target, depth);
                self.name_after_typedef(target, &name);
                self.types.intern(Type::Typedef(name, target))
            }
            TypeDescription::Function {
                result,
                parameters,
                variadic,
            } => {
                let result = self.import_within(result, depth);
                let parameters = parameters
                    .into_iter()
                    .take(256)
                    .map(|parameter| self.import_within(parameter, depth))
                    .collect();
                self.types.intern(Type::Function {
                    result,
                    parameters,
                    variadic,
                })
            }
        }
    }

    /// An integer of the target; its rank tells `long` from `long long`.
    fn import_integer(&mut self, name: &str, size: u64, signed: bool, character: bool) -> TypeId {
        let (size, rank) = match size {
            1 => (1, 1),
            2 => (2, 2),
            4 => (4, 3),
            8 if name.contains("long long") => (8, 5),
            8 => (8, 4),
            _ => return self.opaque_bytes(name, size),
        };
        self.types.intern(Type::Integer {
            size,
            signed,
            rank,
            character,
        })
    }

    /// A type of so many bytes about which nothing else is known, such as `long double`.
    pub(super) fn opaque_bytes(&mut self, name: &str, size: u64) -> TypeId {
        let record = self.types.add_record(Record {
            name: String::new(),
            union: false,
            origin: None,
            module: None,
            body: Some(RecordBody {
                size,
                align: size.clamp(1, 16),
                members: Vec::new(),
                by_reference: None,
            }),
        });
        self.types.name_record(record, name);
        self.types.intern(Type::Record(record))
    }

    /// A record or an enumeration without a tag is called by its first typedef.
    pub(super) fn name_after_typedef(&mut self, ty: TypeId, name: &str) {
        match self.types.get(ty) {
            Type::Record(id) => {
                let id = *id;
                self.types.name_record(id, name);
            }
            Type::Enum(id) => {
                let id = *id;
                self.types.name_enum(id, name);
            }
            _ => {}
        }
    }

    /// Brings in the members of a record. Returns whether it is complete now.
    pub(super) fn complete(&mut self, id: RecordId) -> bool {
        if self.types.record(id).body.is_some() {
            return true;
        }
        let Some(source) = self.types.record(id).origin else {
            return false;
        };
        let Some(Ok(TypeDescription::Record {
            size: Some(size),
            members,
            by_reference,
            ..
        })) = self
            .target
            .as_deref_mut()
            .map(|target| target.describe(source))
        else {
            return false;
        };
        let members = members
            .into_iter()
            .map(|member| Member {
                name: member.name,
                ty: self.import(member.ty),
                offset: member.offset,
                role: member.role,
                bits: member
                    .bits
                    .filter(|(low, width)| *width > 0 && *width <= 64 && *low < 64),
            })
            .collect();
        self.types.record_mut(id).body = Some(RecordBody {
            size,
            align: 1,
            members,
            by_reference,
        });
        true
    }

    /// Brings in everything that a value of the type contains, so that its size is known and it
    /// can be shown. A record that contains itself, as only broken debug information has it,
    /// loses the member in question.
    pub(super) fn complete_value(&mut self, ty: TypeId) {
        let mut path = Vec::new();
        self.complete_within(ty, &mut path);
    }

    fn complete_within(&mut self, ty: TypeId, path: &mut Vec<RecordId>) {
        match self.types.resolved(ty).clone() {
            Type::Array(element, _) | Type::Growing(element) => {
                self.complete_within(element, path);
            }
            Type::Table(keys, value) => {
                for key in keys {
                    self.complete_within(key, path);
                }
                self.complete_within(value, path);
            }
            Type::Record(id) => {
                if !self.complete(id) || !self.value_complete.insert(id) {
                    return;
                }
                path.push(id);
                let members: Vec<TypeId> = self
                    .types
                    .record(id)
                    .body
                    .iter()
                    .flat_map(|body| body.members.iter().map(|member| member.ty))
                    .collect();
                for (index, member) in members.into_iter().enumerate() {
                    if self.contains_by_value(member, path) || path.len() > 64 {
                        let unknown = self.basics.unknown;
                        if let Some(body) = &mut self.types.record_mut(id).body
                            && let Some(member) = body.members.get_mut(index)
                        {
                            member.ty = unknown;
                        }
                    } else {
                        self.complete_within(member, path);
                    }
                }
                path.pop();
            }
            _ => {}
        }
    }

    /// Whether a type is, or is an array of, one of the records.
    fn contains_by_value(&self, ty: TypeId, records: &[RecordId]) -> bool {
        let mut ty = self.types.resolve(ty);
        for _ in 0..LONGEST_CHAIN * 2 {
            match self.types.get(ty) {
                Type::Array(element, _) => ty = self.types.resolve(*element),
                Type::Record(id) => return records.contains(id),
                _ => return false,
            }
        }
        true
    }

    /// The size of a type, completing records on the way.
    pub(super) fn size_of(&mut self, ty: TypeId) -> Option<u64> {
        let mut element = self.types.resolve(ty);
        while let Type::Array(inner, _) = self.types.get(element) {
            element = self.types.resolve(*inner);
        }
        if let Type::Record(id) = self.types.get(element) {
            let id = *id;
            self.complete(id);
        }
        self.types.size_of(ty)
    }

    /// The alignment of a type in a record that the script declares.
    pub(super) fn align_of(&mut self, ty: TypeId) -> u64 {
        let mut element = self.types.resolve(ty);
        while let Type::Array(inner, _) = self.types.get(element) {
            element = self.types.resolve(*inner);
        }
        let Type::Record(id) = self.types.get(element) else {
            return self.types.size_of(element).unwrap_or(1).clamp(1, 8);
        };
        let id = *id;
        self.complete(id);
        let record = self.types.record(id);
        let Some(body) = &record.body else { return 1 };
        if record.origin.is_none() {
            return body.align.max(1);
        }
        // The layout of a target's record is given; its alignment is that of its members. Cycles
        // through values, which only broken debug information has, end at the entry made here.
        if let Some(align) = self.alignments.get(&id) {
            return *align;
        }
        let members: Vec<(TypeId, u64)> = body
            .members
            .iter()
            .map(|member| (member.ty, member.offset))
            .collect();
        let size = body.size;
        self.alignments.insert(id, 1);
        let align = self.nested(
            Span::default(),
            |checker| {
                members
                    .into_iter()
                    .map(|(ty, offset)| {
                        let align = checker.align_of(ty);
                        // A packed record has members off their alignment.
                        if offset % align == 0 && size % align == 0 {
                            align
                        } else {
                            1
                        }
                    })
                    .max()
                    .unwrap_or(1)
            },
            |_| 1,
        );
        self.alignments.insert(id, align);
        align
    }
}
