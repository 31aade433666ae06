//! Definitions of structs, unions and enumerations.

use super::Checker;
use super::layout::{Field, lay_out};
use super::script::Tag;
use super::symbols::LocalSymbol;
use super::types::Place;
use crate::ast;
use crate::diagnostics::Diagnostic;
use crate::source::Span;
use crate::target::TypeNameKind;
use crate::types::{Enumeration, Member, Record, RecordBody, Type, TypeId};

/// Among how many members of one record a second one of the same name is looked for.
const COMPARED_MEMBERS: usize = 1 << 12;

impl<'a> Checker<'a> {
    /// `struct tag`, `struct tag { … }`, `union …`.
    pub(super) fn record_specifier(
        &mut self,
        record: &ast::RecordSpecifier,
        place: Place,
    ) -> TypeId {
        if let Some(members) = &record.members {
            return self.define_record(record, members);
        }
        let unknown = self.basics.unknown;
        let Some(tag) = &record.tag else {
            return unknown;
        };
        if tag.prefix.is_none() {
            if let Some(ty) = self.context.find_tag(&tag.text) {
                return self.check_keyword(ty, record, tag);
            }
            match self.script.tags.get(tag.text.as_str()) {
                Some((Tag::Record(definition), _)) => {
                    let definition: &'a ast::RecordSpecifier = definition;
                    let scopes = std::mem::take(&mut self.context.scopes);
                    let ty = self.record_specifier(definition, place);
                    self.context.scopes = scopes;
                    return self.check_keyword(ty, record, tag);
                }
                Some((Tag::Enum(_), _)) => {
                    self.error(
                        tag.span,
                        format!("`{}` is an enumeration", tag.text),
                        format!("write `enum {}`", tag.text),
                    );
                    return unknown;
                }
                None => {}
            }
        }
        let (kind, other) = if record.union {
            (TypeNameKind::Union, TypeNameKind::Struct)
        } else {
            (TypeNameKind::Struct, TypeNameKind::Union)
        };
        if let Some(ty) = self.find_target_type(tag, kind) {
            return ty;
        }
        if place != Place::Program && tag.prefix.is_none() {
            if let Some(ty) = self.incomplete.get(&tag.text) {
                return *ty;
            }
            let id = self.types.add_record(Record {
                name: tag.text.clone(),
                union: record.union,
                origin: None,
                module: None,
                body: None,
            });
            let ty = self.types.intern(Type::Record(id));
            self.incomplete.insert(tag.text.clone(), ty);
            return ty;
        }
        let keyword = if record.union { "union" } else { "struct" };
        if self.find_target_type(tag, other).is_some() {
            let right = if record.union { "struct" } else { "union" };
            self.error(
                tag.span,
                format!("`{}` is a {right}", tag.text),
                format!("write `{right} {}`", tag.text),
            );
            return unknown;
        }
        if self.find_target_type(tag, TypeNameKind::Plain).is_some() {
            self.error(
                tag.span,
                format!("no `{keyword} {}`, but a typedef of that name", tag.text),
                format!("write `{}` without `{keyword}`", tag.text),
            );
            return unknown;
        }
        self.unknown_tag(keyword, tag);
        unknown
    }

    fn check_keyword(
        &mut self,
        ty: TypeId,
        record: &ast::RecordSpecifier,
        tag: &ast::Name,
    ) -> TypeId {
        let right = match self.types.get(ty) {
            Type::Record(id) => self.types.record(*id).union,
            Type::Enum(_) => {
                self.error(
                    tag.span,
                    format!("`{}` is an enumeration", tag.text),
                    format!("write `enum {}`", tag.text),
                );
                return self.basics.unknown;
            }
            _ => record.union,
        };
        if right == record.union {
            return ty;
        }
        let keyword = if right { "union" } else { "struct" };
        self.error(
            tag.span,
            format!("`{}` is a {keyword}", tag.text),
            format!("write `{keyword} {}`", tag.text),
        );
        self.basics.unknown
    }

    /// A definition with members. The same syntax gives the same type each time.
    fn define_record(
        &mut self,
        record: &ast::RecordSpecifier,
        members: &[ast::Declaration],
    ) -> TypeId {
        let address = std::ptr::from_ref(record) as usize;
        if let Some(ty) = self.defined.get(&address) {
            return *ty;
        }
        let id = self.types.add_record(Record {
            name: record
                .tag
                .as_ref()
                .map(|tag| tag.text.clone())
                .unwrap_or_default(),
            union: record.union,
            origin: None,
            module: None,
            body: None,
        });
        let ty = self.types.intern(Type::Record(id));
        self.remember(record.tag.as_ref(), address, ty);
        if self.script.of_layouts.contains(&address) {
            self.layout_records.insert(id);
        }
        let body = self.record_body(record, members);
        self.types.record_mut(id).body = Some(body);
        ty
    }

    /// The type of a definition that has been seen, even if its members are still being looked at.
    pub(super) fn defined_record(&self, record: &ast::RecordSpecifier) -> Option<TypeId> {
        let address = std::ptr::from_ref(record) as usize;
        self.defined.get(&address).copied()
    }

    /// Keeps the type of a definition: those of the top level by the address of their syntax,
    /// which lives as long as the checker; a tag that a function defines in its block.
    fn remember(&mut self, tag: Option<&ast::Name>, address: usize, ty: TypeId) {
        if self.script.definitions.contains(&address) {
            self.defined.insert(address, ty);
        } else if let (Some(tag), Some(scope)) = (tag, self.context.scopes.last_mut()) {
            scope.tags.insert(tag.text.clone(), ty);
        }
    }

    fn record_body(
        &mut self,
        record: &ast::RecordSpecifier,
        declarations: &[ast::Declaration],
    ) -> RecordBody {
        let mut members: Vec<Member> = Vec::new();
        let mut fields: Vec<Field> = Vec::new();
        let mut spans: Vec<(String, Span)> = Vec::new();
        for declaration in declarations {
            let base = self.specifier(&declaration.base, Place::Member);
            if declaration.declarators.is_empty() {
                // An anonymous struct or union; with a tag it is only a definition.
                let anonymous = matches!(
                    &declaration.base,
                    ast::TypeSpecifier::Record(inner) if inner.tag.is_none()
                );
                if anonymous {
                    self.add_member(
                        None,
                        base,
                        None,
                        declaration.span,
                        &mut members,
                        &mut fields,
                    );
                }
                continue;
            }
            for init in &declaration.declarators {
                let declarator = &init.declarator;
                let ty = self.declarator_type(base, declarator, Place::Member);
                let bits = match &declarator.bits {
                    Some(width) => match self.bit_width(ty, width) {
                        Some(width) => Some(width),
                        None => continue,
                    },
                    None => None,
                };
                let name = declarator.name.as_ref();
                if let Some(name) = name {
                    if let Some((_, first)) = spans.iter().find(|(text, _)| *text == name.text) {
                        let diagnostic = Diagnostic::error(
                            name.span,
                            format!("the member `{}` stands twice", name.text),
                            "again here",
                        )
                        .with_secondary(*first, "first here");
                        self.report(diagnostic);
                        continue;
                    }
                    if spans.len() < COMPARED_MEMBERS {
                        spans.push((name.text.clone(), name.span));
                    }
                }
                let name = name.map(|name| name.text.clone());
                self.add_member(name, ty, bits, declarator.span, &mut members, &mut fields);
            }
        }
        let Some(layout) = lay_out(record.union, record.packed, &fields) else {
            self.error(
                record.span,
                "this struct is too large",
                "more than a terabyte",
            );
            return RecordBody::default();
        };
        for (member, (offset, bits)) in members.iter_mut().zip(&layout.positions) {
            member.offset = *offset;
            member.bits = *bits;
        }
        // Nameless bit-fields only take room.
        members.retain(|member| member.name.is_some() || member.bits.is_none());
        RecordBody {
            size: layout.size,
            align: layout.align,
            members,
            by_reference: None,
        }
    }

    fn add_member(
        &mut self,
        name: Option<String>,
        ty: TypeId,
        bits: Option<u32>,
        span: Span,
        members: &mut Vec<Member>,
        fields: &mut Vec<Field>,
    ) {
        if self.is_unknown(ty) {
            // The error is known; the member is kept so that its name is.
        } else if self.types.is_container(ty) {
            self.error_help(
                span,
                "a struct cannot hold a container",
                format!("this is {}", self.quoted(ty)),
                "declare it as a variable of its own, keyed by what identifies the struct",
            );
            return;
        } else if self.size_of(ty).is_none() {
            self.error(
                span,
                "a member of incomplete type",
                format!("{} has no size", self.quoted(ty)),
            );
            return;
        }
        let size = self.size_of(ty).unwrap_or(0);
        let align = self.align_of(ty);
        fields.push(Field {
            size,
            align,
            bits,
            named: name.is_some(),
        });
        members.push(Member {
            role: crate::target::MemberRole::Always,
            name,
            ty,
            offset: 0,
            bits: None,
        });
    }

    fn bit_width(&mut self, ty: TypeId, width: &ast::Expression) -> Option<u32> {
        let value = self.constant_integer(width)?;
        let Some((size, _)) = self
            .integer_shape(ty)
            .filter(|_| self.class(ty).is_integer())
        else {
            if !self.is_unknown(ty) {
                self.error(
                    width.span,
                    "a bit-field must be an integer",
                    format!("this one is {}", self.quoted(ty)),
                );
            }
            return None;
        };
        match u32::try_from(value) {
            Ok(bits) if bits <= u32::from(size) * 8 => Some(bits),
            _ => {
                self.error(
                    width.span,
                    "not a width of a bit-field",
                    format!("{} has {} bits", self.quoted(ty), u32::from(size) * 8),
                );
                None
            }
        }
    }

    /// `enum tag`, `enum tag { … }`.
    pub(super) fn enum_specifier(&mut self, specifier: &ast::EnumSpecifier) -> TypeId {
        if let Some(enumerators) = &specifier.enumerators {
            return self.define_enum(specifier, enumerators);
        }
        let unknown = self.basics.unknown;
        let Some(tag) = &specifier.tag else {
            return unknown;
        };
        if tag.prefix.is_none() {
            if let Some(ty) = self.context.find_tag(&tag.text) {
                return ty;
            }
            if let Some((Tag::Enum(definition), _)) = self.script.tags.get(tag.text.as_str()) {
                let definition: &'a ast::EnumSpecifier = definition;
                return self.enum_specifier(definition);
            }
        }
        match self.find_target_type(tag, TypeNameKind::Enum) {
            Some(ty) => ty,
            None => {
                self.unknown_tag("enum", tag);
                unknown
            }
        }
    }

    fn define_enum(
        &mut self,
        specifier: &ast::EnumSpecifier,
        enumerators: &[(ast::Name, Option<ast::Expression>)],
    ) -> TypeId {
        let address = std::ptr::from_ref(specifier) as usize;
        if let Some(ty) = self.defined.get(&address) {
            return *ty;
        }
        // An enumerator may refer to those before it, so the type exists from the start.
        let (int, long) = (self.basics.int, self.basics.long);
        let top_level = self.script.definitions.contains(&address);
        if top_level {
            self.defined.insert(address, int);
        }
        let mut next: i128 = 0;
        let mut values: Vec<(String, i64)> = Vec::new();
        for (name, value) in enumerators {
            if let Some(value) = value {
                next = self.constant_integer(value).unwrap_or(next);
            }
            // Values of `unsigned long` beyond the signed range keep their bits.
            let word = i64::try_from(next).unwrap_or(next as u64 as i64);
            values.push((name.text.clone(), word));
            let ty = if i32::try_from(next).is_ok() {
                int
            } else {
                long
            };
            if top_level {
                self.enumerators.insert(name.text.clone(), (word, ty));
            } else if let Some(LocalSymbol::Variable(_) | LocalSymbol::Enumerator(..)) = self
                .context
                .declare(&name.text, LocalSymbol::Enumerator(word, ty))
            {
                self.error(
                    name.span,
                    format!("`{}` is defined twice", name.text),
                    "again here",
                );
            }
            next += 1;
        }
        let signed = values.iter().any(|(_, value)| *value < 0);
        let fits = values.iter().all(|(_, value)| {
            if signed {
                i32::try_from(*value).is_ok()
            } else {
                u32::try_from(*value).is_ok()
            }
        });
        let id = self.types.add_enum(Enumeration {
            name: specifier
                .tag
                .as_ref()
                .map(|tag| tag.text.clone())
                .unwrap_or_default(),
            size: if fits { 4 } else { 8 },
            signed,
            enumerators: values,
        });
        let ty = self.types.intern(Type::Enum(id));
        self.remember(specifier.tag.as_ref(), address, ty);
        ty
    }

    /// The value and type of an enumerator of the top level.
    pub(super) fn enumerator(
        &mut self,
        name: &str,
        specifier: &ast::EnumSpecifier,
    ) -> Option<(i64, TypeId)> {
        if let Some(known) = self.enumerators.get(name) {
            return Some(*known);
        }
        let scopes = std::mem::take(&mut self.context.scopes);
        self.enum_specifier(specifier);
        self.context.scopes = scopes;
        self.enumerators.get(name).copied()
    }
}
