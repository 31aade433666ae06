//! Types as the text writes them.

use super::Checker;
use super::class::Class;
use super::layout::{Field, lay_out};
use super::script::{Ordinary, Progress, Tag};
use super::symbols::LocalSymbol;
use crate::ast;
use crate::diagnostics::Diagnostic;
use crate::source::Span;
use crate::target::TypeNameKind;
use crate::types::{Enumeration, Member, Record, RecordBody, RecordId, Type, TypeId};

/// Where a type is written, which decides what `[]` means and whether a tag may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A variable, a parameter, a cast: `[]` is a growing array, tags must exist.
    Program,
    /// A member of a record: `[]` is a flexible array, tables are refused.
    Member,
    /// A typedef or a pointer's target among declarations: unknown tags are incomplete types.
    Typedef,
}

impl<'a> Checker<'a> {
    /// The type of a type name.
    pub(super) fn type_name(&mut self, name: &ast::TypeName) -> TypeId {
        self.type_name_in(name, Place::Program)
    }

    pub(super) fn type_name_in(&mut self, name: &ast::TypeName, place: Place) -> TypeId {
        let base = self.specifier(&name.base, place);
        self.derive(base, &name.derivations, place, name.span)
    }

    /// The type of a declarator.
    pub(super) fn declarator_type(
        &mut self,
        base: TypeId,
        declarator: &ast::Declarator,
        place: Place,
    ) -> TypeId {
        self.derive(base, &declarator.derivations, place, declarator.span)
    }

    /// Applies derivations, which stand with the one nearest to the name first.
    fn derive(
        &mut self,
        base: TypeId,
        derivations: &[ast::Derivation],
        place: Place,
        span: Span,
    ) -> TypeId {
        let mut ty = base;
        if derivations.len() > 64 {
            self.error(span, "a type of too many parts", "more than 64 derivations");
            return self.basics.unknown;
        }
        for derivation in derivations.iter().rev() {
            if self.is_unknown(ty) {
                return self.basics.unknown;
            }
            ty = match derivation {
                ast::Derivation::Pointer => {
                    if self.types.is_container(ty) || self.holds_handles(ty) {
                        self.error_help(
                            span,
                            format!("no pointer to {} exists", self.quoted(ty)),
                            "this lives in the tracer",
                            "a pointer always points into the target; pass tables and arrays \
                             themselves (they go by reference), or keep an index",
                        );
                        return self.basics.unknown;
                    }
                    self.types.intern(Type::Pointer(ty))
                }
                ast::Derivation::Array(suffix) => self.array(ty, suffix, place, span),
                ast::Derivation::Function {
                    parameters,
                    variadic,
                } => {
                    let void = self.basics.void;
                    let parameters = parameters
                        .iter()
                        .map(|parameter| self.prototype_parameter(parameter))
                        .filter(|ty| *ty != void)
                        .collect();
                    self.types.intern(Type::Function {
                        result: ty,
                        parameters,
                        variadic: *variadic,
                    })
                }
            };
        }
        ty
    }

    /// A parameter of a function type of the target: arrays and functions become pointers.
    fn prototype_parameter(&mut self, parameter: &ast::Parameter) -> TypeId {
        let ty = self.type_name_in(&parameter.ty, Place::Member);
        match self.class(ty) {
            Class::Array(element, _) => self.types.intern(Type::Pointer(element)),
            Class::Function => self.types.intern(Type::Pointer(ty)),
            _ => ty,
        }
    }

    /// Whether values of the type hold strings or paths, which no memory of the target does.
    fn holds_handles(&self, ty: TypeId) -> bool {
        matches!(self.class(ty), Class::Str | Class::Path)
    }

    fn array(
        &mut self,
        element: TypeId,
        suffix: &ast::ArraySuffix,
        place: Place,
        span: Span,
    ) -> TypeId {
        if matches!(self.class(element), Class::Void | Class::Function) {
            self.error(
                span,
                format!("no array of {} exists", self.quoted(element)),
                "an element must have a size",
            );
            return self.basics.unknown;
        }
        match suffix {
            ast::ArraySuffix::Empty(_) if place == Place::Program => {
                self.complete_value(element);
                self.types.intern(Type::Growing(element))
            }
            ast::ArraySuffix::Empty(_) => self.types.intern(Type::Array(element, None)),
            ast::ArraySuffix::Length(length) => self.array_of_length(element, length),
            ast::ArraySuffix::Name(name) => {
                if let Some(key) = self.find_named_type(name) {
                    return self.table(&[(key, name.span)], element, place, span);
                }
                match self.named_constant(name) {
                    Some(length) => self.sized_array(element, i128::from(length), name.span),
                    None => {
                        if self.is_known_value(name) {
                            self.error_help(
                                name.span,
                                "the length of an array must be a constant",
                                format!("`{}` varies", name.text),
                                format!(
                                    "a growing array is `[]`; a table keyed by its type is \
                                     `[typeof({})]`",
                                    name.text
                                ),
                            );
                        } else {
                            self.unknown_type(name);
                        }
                        self.basics.unknown
                    }
                }
            }
            ast::ArraySuffix::Keys(keys, span) => {
                let keys: Vec<_> = keys
                    .iter()
                    .map(|key| (self.type_name(key), key.span))
                    .collect();
                self.table(&keys, element, place, *span)
            }
        }
    }

    fn array_of_length(&mut self, element: TypeId, length: &ast::Expression) -> TypeId {
        match self.constant_integer(length) {
            Some(count) => self.sized_array(element, count, length.span),
            None => self.basics.unknown,
        }
    }

    fn sized_array(&mut self, element: TypeId, count: i128, span: Span) -> TypeId {
        if self.types.is_container(element) {
            self.error_help(
                span,
                "an array of fixed length cannot hold containers",
                format!("the element is {}", self.quoted(element)),
                "leave the length out: `[]`",
            );
            return self.basics.unknown;
        }
        match u64::try_from(count) {
            Ok(count) if count <= 1 << 40 => self.types.intern(Type::Array(element, Some(count))),
            _ => {
                self.error(span, "not a length of an array", format!("this is {count}"));
                self.basics.unknown
            }
        }
    }

    fn table(
        &mut self,
        keys: &[(TypeId, Span)],
        value: TypeId,
        place: Place,
        span: Span,
    ) -> TypeId {
        if place == Place::Member {
            self.error_help(
                span,
                "a struct cannot hold a table",
                "containers are never members",
                "declare the table as a variable of its own, keyed by what identifies the struct",
            );
            return self.basics.unknown;
        }
        for (key, span) in keys {
            self.complete_value(*key);
            if !self.is_key(*key, 0) {
                self.error_help(
                    *span,
                    format!("{} cannot be a key", self.quoted(*key)),
                    "keys are numbers, pointers, strings, paths, and structs of these",
                    "for text of the target, use `_str` and `_tostr(p)`",
                );
                return self.basics.unknown;
            }
        }
        if keys.iter().any(|(key, _)| self.is_unknown(*key)) {
            return self.basics.unknown;
        }
        self.complete_value(value);
        let keys = keys.iter().map(|(key, _)| *key).collect();
        self.types.intern(Type::Table(keys, value))
    }

    /// Whether a type can be a key: a scalar, or a struct of them.
    fn is_key(&self, ty: TypeId, depth: u32) -> bool {
        match self.class(ty) {
            Class::Unknown => true,
            Class::Record(id) => {
                let record = self.types.record(id);
                depth < 8
                    && !record.union
                    && record.body.as_ref().is_some_and(|body| {
                        !body.members.is_empty()
                            && body.members.len() <= 64
                            && body
                                .members
                                .iter()
                                .all(|member| self.is_key(member.ty, depth + 1))
                    })
            }
            class => class.is_scalar(),
        }
    }

    /// The type of a specifier.
    pub(super) fn specifier(&mut self, specifier: &ast::TypeSpecifier, place: Place) -> TypeId {
        let unknown = self.basics.unknown;
        match specifier {
            ast::TypeSpecifier::Basic(basic, _) => match self.basics.keyword(*basic) {
                Some(ty) => ty,
                None if *basic == ast::BasicType::Fault => self.builtin_record("_fault"),
                None => self.long_double(),
            },
            ast::TypeSpecifier::Named(name) => match self.find_named_type(name) {
                Some(ty) => ty,
                None => {
                    self.unknown_type(name);
                    unknown
                }
            },
            ast::TypeSpecifier::Record(record) => {
                let span = record.span;
                self.nested(
                    span,
                    |checker| checker.record_specifier(record, place),
                    |_| unknown,
                )
            }
            ast::TypeSpecifier::Enum(specifier) => self.enum_specifier(specifier),
            ast::TypeSpecifier::TypeofExpression(expression, _) => self.type_of(expression),
            ast::TypeSpecifier::TypeofType(name, _) => self.type_name(name),
        }
    }

    fn long_double(&mut self) -> TypeId {
        if let Some(ty) = self.builtin_records.get("long double") {
            return *ty;
        }
        let ty = self.opaque_bytes("long double", 16);
        self.builtin_records.insert("long double", ty);
        ty
    }

    /// A type by its bare name, or `None`. Errors of the look-up are reported here.
    pub(super) fn find_named_type(&mut self, name: &ast::Name) -> Option<TypeId> {
        if name.prefix.is_none() {
            match self.context.find(&name.text) {
                Some(LocalSymbol::Typedef(ty)) => return Some(ty),
                Some(_) => return None,
                None => {}
            }
            if let Some((meaning, _)) = self.script.ordinary.get(name.text.as_str()) {
                return match *meaning {
                    Ordinary::Typedef(index) => Some(self.typedef(index)),
                    _ => None,
                };
            }
            if let Some(ty) = self.basics.standard_typedef(&name.text) {
                return Some(self.types.intern(Type::Typedef(name.text.clone(), ty)));
            }
            if let Some(ty) = self.find_builtin_record(&name.text) {
                return Some(ty);
            }
        }
        self.find_target_type(name, TypeNameKind::Plain)
    }

    /// A type of the target, or `None`.
    fn find_target_type(&mut self, name: &ast::Name, kind: TypeNameKind) -> Option<TypeId> {
        let scope = self.scope_of(name);
        match self
            .target
            .as_deref_mut()?
            .find_type(&scope, kind, &name.text)
        {
            Ok(found) => found.map(|ty| self.import(ty)),
            Err(error) => {
                self.lookup_error(name, error);
                Some(self.basics.unknown)
            }
        }
    }

    /// A typedef of the script.
    fn typedef(&mut self, index: usize) -> TypeId {
        let unknown = self.basics.unknown;
        let Some(entry) = self.script.typedefs.get_mut(index) else {
            return unknown;
        };
        let (declaration, declarator) = (entry.declaration, entry.declarator);
        match entry.progress {
            Progress::Done(ty) => return ty,
            Progress::Running => {
                self.error(
                    declarator.span,
                    "a typedef of itself",
                    "needs its own meaning",
                );
                return unknown;
            }
            Progress::Waiting => entry.progress = Progress::Running,
        }
        // What a top-level typedef means does not depend on the function that uses it first.
        let scopes = std::mem::take(&mut self.context.scopes);
        let ty = self.nested(
            declarator.span,
            |checker| {
                let base = checker.specifier(&declaration.base, Place::Typedef);
                checker.declarator_type(base, declarator, Place::Typedef)
            },
            |_| unknown,
        );
        self.context.scopes = scopes;
        let ty = self.new_typedef(declarator, ty);
        if let Some(entry) = self.script.typedefs.get_mut(index) {
            entry.progress = Progress::Done(ty);
        }
        ty
    }

    /// The typedef that a declarator introduces for a type.
    pub(super) fn new_typedef(&mut self, declarator: &ast::Declarator, ty: TypeId) -> TypeId {
        let Some(name) = &declarator.name else {
            return ty;
        };
        if self.is_unknown(ty) || self.types.is_container(ty) {
            return ty;
        }
        self.name_after_typedef(ty, &name.text);
        self.types.intern(Type::Typedef(name.text.clone(), ty))
    }

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
                    if spans.len() < 4096 {
                        spans.push((name.text.clone(), name.span));
                    }
                }
                let name = name.map(|name| name.text.clone());
                self.add_member(name, ty, bits, declarator.span, &mut members, &mut fields);
            }
        }
        let Some(layout) = lay_out(record.union, &fields) else {
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
            }),
        });
        self.types.name_record(id, name);
        let ty = self.types.intern(Type::Record(id));
        self.builtin_records.insert(name, ty);
        ty
    }

    /// A member by name, those of anonymous members included: offset, bits and type.
    pub(super) fn find_member(
        &mut self,
        record: RecordId,
        name: &str,
        depth: u32,
    ) -> Option<(u64, Option<(u32, u32)>, TypeId)> {
        if depth > 16 || !self.complete(record) {
            return None;
        }
        let body = self.types.record(record).body.as_ref()?;
        if let Some(member) = body
            .members
            .iter()
            .find(|member| member.name.as_deref() == Some(name))
        {
            return Some((member.offset, member.bits, member.ty));
        }
        let anonymous: Vec<(u64, TypeId)> = body
            .members
            .iter()
            .filter(|member| member.name.is_none())
            .map(|member| (member.offset, member.ty))
            .collect();
        anonymous.into_iter().find_map(|(offset, ty)| {
            let Class::Record(inner) = self.class(ty) else {
                return None;
            };
            let (within, bits, ty) = self.find_member(inner, name, depth + 1)?;
            Some((offset.checked_add(within)?, bits, ty))
        })
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
