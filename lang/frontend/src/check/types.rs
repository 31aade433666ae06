//! Types as the text writes them.

use super::Checker;
use super::class::Class;
use super::script::{Ordinary, Progress, Tag};
use super::symbols::LocalSymbol;
use crate::ast;
use crate::source::Span;
use crate::target::TypeNameKind;
use crate::types::{Type, TypeId};

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
    pub(super) fn holds_handles(&self, ty: TypeId) -> bool {
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
        match self.integer_or_type(length) {
            Some(Ok(count)) => self.sized_array(element, count, length.span),
            Some(Err(ty)) => {
                let found = self.quoted(ty);
                let (label, help) = if self.class(ty).is_integer() {
                    let label = "its value is known only when the probe runs".to_owned();
                    let help = "there are no arrays of variable length; one that grows is `[]`, and \
                                `_push` appends to it";
                    (label, help)
                } else {
                    let help =
                        "a growing array is `[]`; the keys of a table are types: `[typeof(…)]`";
                    (format!("this is {found}"), help)
                };
                let message = "the length of an array must be a constant";
                self.error_help(length.span, message, label, help);
                self.basics.unknown
            }
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
                    self.instead_of_key(*key),
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
    /// What to write instead of a type that is no key.
    fn instead_of_key(&self, ty: TypeId) -> String {
        let part = match self.class(ty) {
            Class::Record(id) if !self.types.record(id).union => {
                let body = self.types.record(id).body.as_ref();
                let mut members = body.iter().flat_map(|body| &body.members);
                members.find(|member| !self.is_key(member.ty, 1))
            }
            _ => None,
        };
        let (name, ty) = match part {
            Some(member) => (member.name.as_deref().unwrap_or("(no name)"), member.ty),
            None => ("", ty),
        };
        let what = match name {
            "" => String::new(),
            name => format!("its member `{name}` is {}; ", self.quoted(ty)),
        };
        match self.class(ty) {
            Class::Record(id) if self.types.record(id).union => {
                format!("{what}use the member of the union that counts as the key")
            }
            Class::Array(element, _) if !self.is_character(element) => {
                format!("{what}name its elements as several keys: `T t[int, int]`")
            }
            _ => format!("{what}for text of the target, use `_str` and `_tostr(p)`"),
        }
    }

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
    pub(super) fn find_target_type(
        &mut self,
        name: &ast::Name,
        kind: TypeNameKind,
    ) -> Option<TypeId> {
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
                // `typedef struct s t; struct s { t *next; };`: the members of `s` are being looked at.
                if let Some(base) = self.record_in_progress(&declaration.base) {
                    let ty = self.declarator_type(base, declarator, Place::Typedef);
                    return self.new_typedef(declarator, ty);
                }
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

    /// The record that a specifier names by its tag alone, if its definition has been begun.
    fn record_in_progress(&self, specifier: &ast::TypeSpecifier) -> Option<TypeId> {
        let ast::TypeSpecifier::Record(record) = specifier else {
            return None;
        };
        let tag = record.tag.as_ref()?;
        if record.members.is_some() || tag.prefix.is_some() {
            return None;
        }
        let (Tag::Record(definition), _) = self.script.tags.get(tag.text.as_str())? else {
            return None;
        };
        self.defined_record(definition)
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
}
