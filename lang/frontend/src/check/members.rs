//! Built-in records, and members of any record.

use super::Checker;
use super::class::Class;
use crate::target::MemberRole;
use crate::types::{Member, Record, RecordBody, RecordId, Type, TypeId};

/// A member found by name.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundMember {
    /// Offset in bytes.
    pub offset: u64,
    /// For a bit-field: lowest bit from the offset, and width.
    pub bits: Option<(u32, u32)>,
    /// Its type.
    pub ty: TypeId,
}

/// Whether a member is a virtual base, which has no fixed place.
fn is_virtual(member: &Member) -> bool {
    matches!(member.role, MemberRole::Virtual(_))
}

impl Checker<'_> {
    /// The record that a built-in gives, by its name.
    pub(super) fn find_builtin_record(&mut self, name: &str) -> Option<TypeId> {
        let name = super::builtins::RECORDS
            .iter()
            .find(|record| record.name == name)?
            .name;
        Some(self.builtin_record(name))
    }

    /// A record of [`super::builtins::RECORDS`]: eight bytes a field.
    pub(super) fn builtin_record(&mut self, name: &'static str) -> TypeId {
        if let Some(ty) = self.builtin_records.get(name) {
            return *ty;
        }
        let fields = super::builtins::RECORDS
            .iter()
            .find(|record| record.name == name)
            .map(|record| record.fields)
            .unwrap_or_default();
        let members: Vec<Member> = fields
            .iter()
            .zip(0_u64..)
            .map(|((name, kind), index)| Member {
                role: crate::target::MemberRole::Always,
                name: Some((*name).to_owned()),
                ty: self.builtin_type(*kind),
                offset: index * 8,
                bits: None,
            })
            .collect();
        let id = self.types.add_record(Record {
            name: String::new(),
            union: false,
            origin: None,
            module: None,
            body: Some(RecordBody {
                size: members.len() as u64 * 8,
                align: 8,
                members,
                by_reference: None,
            }),
        });
        self.types.name_record(id, name);
        let ty = self.types.intern(Type::Record(id));
        self.builtin_records.insert(name, ty);
        ty
    }

    /// A member by name, those of anonymous members included.
    pub(super) fn find_member(
        &mut self,
        record: RecordId,
        name: &str,
        depth: u32,
    ) -> Option<FoundMember> {
        if depth > 16 || !self.complete(record) {
            return None;
        }
        let body = self.types.record(record).body.as_ref()?;
        if let Some(member) = body
            .members
            .iter()
            .find(|member| member.name.as_deref() == Some(name))
        {
            return Some(FoundMember {
                offset: member.offset,
                bits: member.bits,
                ty: member.ty,
            });
        }
        let anonymous: Vec<(u64, TypeId)> = body
            .members
            .iter()
            .filter(|member| member.name.is_none() && !is_virtual(member))
            .map(|member| (member.offset, member.ty))
            .collect();
        anonymous.into_iter().find_map(|(offset, ty)| {
            let Class::Record(inner) = self.class(ty) else {
                return None;
            };
            let found = self.find_member(inner, name, depth + 1)?;
            Some(FoundMember {
                offset: offset.checked_add(found.offset)?,
                ..found
            })
        })
    }

    /// The virtual base that has a member: the record that it is a base of, the base, and where its offset stands.
    pub(super) fn virtual_base_with(
        &mut self,
        record: RecordId,
        name: &str,
        depth: u32,
    ) -> Option<(RecordId, TypeId, Option<u64>)> {
        if depth > 16 || !self.complete(record) {
            return None;
        }
        let body = self.types.record(record).body.as_ref()?;
        let unnamed = body.members.iter().filter(|member| member.name.is_none());
        let unnamed: Vec<(MemberRole, TypeId)> =
            unnamed.map(|member| (member.role, member.ty)).collect();
        for (role, ty) in unnamed {
            let Class::Record(inner) = self.class(ty) else {
                continue;
            };
            if let MemberRole::Virtual(distance) = role
                && self.find_member(inner, name, depth + 1).is_some()
            {
                return Some((record, ty, distance));
            }
            if let Some(found) = self.virtual_base_with(inner, name, depth + 1) {
                return Some(found);
            }
        }
        None
    }

    /// All names that a member access on the record may use, for suggestions.
    pub(super) fn member_names(&mut self, record: RecordId, depth: u32) -> Vec<String> {
        if depth > 16 || !self.complete(record) {
            return Vec::new();
        }
        let members: Vec<(Option<String>, TypeId)> = self
            .types
            .record(record)
            .body
            .iter()
            .flat_map(|body| &body.members)
            .filter(|member| !is_virtual(member))
            .map(|member| (member.name.clone(), member.ty))
            .collect();
        let mut names = Vec::new();
        for (name, ty) in members {
            match (name, self.class(ty)) {
                (Some(name), _) => names.push(name),
                (None, Class::Record(inner)) => names.extend(self.member_names(inner, depth + 1)),
                _ => {}
            }
        }
        names
    }
}
