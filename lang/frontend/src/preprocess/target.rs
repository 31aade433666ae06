//! The questions of `##if…`, asked of the layouts in use and of the target.

use std::collections::{HashMap, HashSet};

use super::Preprocessor;
use super::directives::Query;
use crate::ast::{Declaration, Declarator, Derivation, TypeSpecifier};
use crate::diagnostics::Diagnostic;
use crate::lexer::{Token, TokenKind};
use crate::source::Span;
use crate::target::{LookupError, Scope, Target, TargetType, TypeDescription, TypeNameKind};

/// Steps from a type through its typedefs, or through nested anonymous members.
const MAX_STEPS: usize = 64;

/// Members that are looked at for one question.
const MAX_MEMBERS: usize = 100_000;

/// A type as a `##if…` names it.
#[derive(Clone, Debug)]
pub struct TypeReference {
    kind: TypeNameKind,
    prefix: Option<String>,
    name: String,
}

/// A `##if…` that has been read.
#[derive(Clone, Debug)]
pub enum Question {
    /// Is there a type?
    Type(TypeReference),
    /// Has it this field (of a field …)?
    Field(TypeReference, Vec<String>),
    /// Is there a function, a variable, an enumerator?
    Symbol(Query, Option<String>, String),
    /// Has this function a parameter of this name?
    Argument(Option<String>, String, String),
}

/// The types of the layouts in use.
#[derive(Debug, Default)]
pub struct Declared {
    records: HashMap<(TypeNameKind, String), Vec<Declaration>>,
    typedefs: HashMap<String, (TypeSpecifier, Vec<Derivation>)>,
    enumerations: HashSet<String>,
    enumerators: HashSet<String>,
}

impl Declared {
    /// Adds what a declaration declares.
    pub fn add(&mut self, declaration: &Declaration) {
        self.add_specifier(&declaration.base, 0);
        if declaration.typedef {
            for declarator in &declaration.declarators {
                if let Some(name) = &declarator.declarator.name {
                    self.typedefs.insert(
                        name.text.clone(),
                        (
                            declaration.base.clone(),
                            declarator.declarator.derivations.clone(),
                        ),
                    );
                }
            }
        }
    }

    fn add_specifier(&mut self, specifier: &TypeSpecifier, depth: usize) {
        if depth > MAX_STEPS {
            return;
        }
        match specifier {
            TypeSpecifier::Record(record) => {
                let Some(members) = &record.members else {
                    return;
                };
                if let Some(tag) = &record.tag {
                    let kind = if record.union {
                        TypeNameKind::Union
                    } else {
                        TypeNameKind::Struct
                    };
                    self.records
                        .insert((kind, tag.text.clone()), members.clone());
                }
                for member in members {
                    self.add_specifier(&member.base, depth + 1);
                }
            }
            TypeSpecifier::Enum(specifier) => {
                let Some(enumerators) = &specifier.enumerators else {
                    return;
                };
                if let Some(tag) = &specifier.tag {
                    self.enumerations.insert(tag.text.clone());
                }
                for (name, _) in enumerators {
                    self.enumerators.insert(name.text.clone());
                }
            }
            _ => {}
        }
    }

    fn has(&self, reference: &TypeReference) -> bool {
        match reference.kind {
            TypeNameKind::Plain => self.typedefs.contains_key(&reference.name),
            TypeNameKind::Enum => self.enumerations.contains(&reference.name),
            kind => self.records.contains_key(&(kind, reference.name.clone())),
        }
    }

    /// The members of a type; `None` if it is none of these, or has none.
    fn members(&self, reference: &TypeReference) -> Option<&[Declaration]> {
        match reference.kind {
            TypeNameKind::Plain => {
                let (base, derivations) = self.typedefs.get(&reference.name)?;
                if derivations.is_empty() {
                    self.members_of(base)
                } else {
                    None
                }
            }
            TypeNameKind::Enum => None,
            kind => self
                .records
                .get(&(kind, reference.name.clone()))
                .map(Vec::as_slice),
        }
    }

    fn members_of<'s>(&'s self, specifier: &'s TypeSpecifier) -> Option<&'s [Declaration]> {
        let mut specifier = specifier;
        for _ in 0..MAX_STEPS {
            match specifier {
                TypeSpecifier::Record(record) => {
                    if let Some(members) = &record.members {
                        return Some(members);
                    }
                    let kind = if record.union {
                        TypeNameKind::Union
                    } else {
                        TypeNameKind::Struct
                    };
                    let tag = record.tag.as_ref()?;
                    return self
                        .records
                        .get(&(kind, tag.text.clone()))
                        .map(Vec::as_slice);
                }
                TypeSpecifier::Named(name) => {
                    let (base, derivations) = self.typedefs.get(&name.text)?;
                    if !derivations.is_empty() {
                        return None;
                    }
                    specifier = base;
                }
                _ => return None,
            }
        }
        None
    }

    /// Whether members have a field, in anonymous members as well; and its own members.
    fn field<'s>(
        &'s self,
        members: &'s [Declaration],
        name: &str,
        budget: &mut usize,
    ) -> Option<Option<&'s [Declaration]>> {
        let mut pending: Vec<&[Declaration]> = vec![members];
        while let Some(members) = pending.pop() {
            for member in members {
                *budget = budget.checked_sub(1)?;
                if member.declarators.is_empty() {
                    pending.extend(self.members_of(&member.base));
                    continue;
                }
                let named = |declarator: &Declarator| {
                    declarator.name.as_ref().is_some_and(|n| n.text == name)
                };
                if let Some(found) = member
                    .declarators
                    .iter()
                    .find(|declarator| named(&declarator.declarator))
                {
                    let plain = found
                        .declarator
                        .derivations
                        .iter()
                        .all(|derivation| matches!(derivation, Derivation::Array(_)));
                    return Some(if plain {
                        self.members_of(&member.base)
                    } else {
                        None
                    });
                }
            }
        }
        None
    }
}

impl Preprocessor<'_, '_, '_> {
    /// Reads the arguments of a `##if…`. Reports what is wrong.
    pub(super) fn question(
        &mut self,
        query: Query,
        arguments: &[&Token],
        span: Span,
    ) -> Option<Question> {
        let prefix = |token: &Token| token.prefix.as_deref().map(str::to_owned);
        let question = match query {
            Query::Type | Query::Field => {
                let (kind, prefix, rest) = match arguments.split_first() {
                    Some((word, rest))
                        if word.kind == TokenKind::Identifier
                            && matches!(&*word.text, "struct" | "union" | "enum") =>
                    {
                        let kind = match &*word.text {
                            "struct" => TypeNameKind::Struct,
                            "union" => TypeNameKind::Union,
                            _ => TypeNameKind::Enum,
                        };
                        (kind, prefix(word), rest)
                    }
                    _ => (TypeNameKind::Plain, None, arguments),
                };
                match rest.split_first() {
                    Some((name, rest)) if is_name(name) => {
                        let reference = TypeReference {
                            kind,
                            prefix: prefix.or_else(|| name.prefix.as_deref().map(str::to_owned)),
                            name: name.text.to_string(),
                        };
                        match (query, field_path(rest)) {
                            (Query::Type, _) if rest.is_empty() => Some(Question::Type(reference)),
                            (Query::Field, Some(path)) => Some(Question::Field(reference, path)),
                            _ => None,
                        }
                    }
                    _ => None,
                }
            }
            Query::Argument => match arguments {
                [function, argument] if is_name(function) && is_name(argument) => {
                    Some(Question::Argument(
                        prefix(function),
                        function.text.to_string(),
                        argument.text.to_string(),
                    ))
                }
                _ => None,
            },
            Query::Function | Query::Variable | Query::Enumerator => match arguments {
                [name] if is_name(name) => {
                    Some(Question::Symbol(query, prefix(name), name.text.to_string()))
                }
                _ => None,
            },
        };
        if question.is_none() {
            let (wanted, example) = match query {
                Query::Type => ("a type", "ngx_pool_t"),
                Query::Field => ("a type and a field", "struct ngx_pool_s chain"),
                Query::Function => ("a function", "lj_gc_step"),
                Query::Variable => ("a variable", "ngx_cycle"),
                Query::Enumerator => ("an enumerator", "NGX_OK"),
                Query::Argument => ("a function and a parameter", "ngx_palloc size"),
            };
            self.diagnostics.push(
                Diagnostic::error(span, format!("{wanted} must follow"), "not understood")
                    .with_help(format!("for instance `{example}`")),
            );
        }
        question
    }

    /// Asks. `None` if the file has a `_module` line and none of its modules is loaded.
    pub(super) fn answer(&mut self, question: &Question, span: Span) -> Option<bool> {
        let file = self
            .scopes
            .get(span.file.0 as usize)
            .copied()
            .unwrap_or_default();
        if file.line.is_some() && file.module.is_none() {
            return None;
        }
        let scope = |prefix: &Option<String>| Scope {
            prefix: prefix.clone(),
            preferred: file.module,
        };
        let target = self.target.as_deref_mut()?;
        let result = match question {
            Question::Type(reference) => {
                if reference.prefix.is_none() && self.declared.has(reference) {
                    Ok(true)
                } else {
                    find(target, &scope(&reference.prefix), reference).map(|found| found.is_some())
                }
            }
            Question::Field(reference, path) => {
                let members = match reference.prefix {
                    None => self.declared.members(reference),
                    Some(_) => None,
                };
                match members {
                    Some(members) => Ok(declared_path(&self.declared, members, path)),
                    None => target_path(target, &scope(&reference.prefix), reference, path),
                }
            }
            Question::Symbol(query, prefix, name) => {
                let scope = scope(prefix);
                match query {
                    Query::Function => target.find_function(&scope, name).map(|f| f.is_some()),
                    // One that threads have where nobody can tell is of no use.
                    Query::Variable => target.find_variable(&scope, name).map(|variable| {
                        variable.is_some_and(|variable| {
                            !variable.thread_local
                                || target.thread_locals_of(variable.module).is_ok()
                        })
                    }),
                    _ if prefix.is_none() && self.declared.enumerators.contains(name) => Ok(true),
                    _ => target.find_enumerator(&scope, name).map(|e| e.is_some()),
                }
            }
            Question::Argument(prefix, function, argument) => target
                .find_function(&scope(prefix), function)
                .map(|function| {
                    function
                        .and_then(|function| function.parameters)
                        .is_some_and(|parameters| {
                            parameters
                                .iter()
                                .any(|(name, _)| name.as_deref() == Some(argument))
                        })
                }),
        };
        Some(match result {
            Ok(answer) => answer,
            // The name exists, more than once.
            Err(LookupError::Ambiguous { .. }) => true,
            Err(LookupError::NoSuchPrefix { .. }) => false,
            Err(LookupError::Broken(reason)) => {
                self.diagnostics.push(Diagnostic::warning(
                    span,
                    "the target's debug information could not be read",
                    reason,
                ));
                false
            }
        })
    }
}

fn is_name(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Identifier | TokenKind::Quoted)
}

/// `a.b.c`.
fn field_path(tokens: &[&Token]) -> Option<Vec<String>> {
    let mut path = Vec::new();
    let mut rest = tokens;
    loop {
        match rest {
            [name] if is_name(name) => {
                path.push(name.text.to_string());
                return Some(path);
            }
            [name, dot, after @ ..] if is_name(name) && dot.is(".") => {
                path.push(name.text.to_string());
                rest = after;
            }
            _ => return None,
        }
    }
}

fn declared_path(declared: &Declared, members: &[Declaration], path: &[String]) -> bool {
    let mut budget = MAX_MEMBERS;
    let mut members = Some(members);
    for name in path {
        let Some(current) = members else {
            return false;
        };
        match declared.field(current, name, &mut budget) {
            Some(next) => members = next,
            None => return false,
        }
    }
    true
}

/// The type that a reference names in the target.
pub fn find(
    target: &mut dyn Target,
    scope: &Scope,
    reference: &TypeReference,
) -> Result<Option<TargetType>, LookupError> {
    target.find_type(scope, reference.kind, &reference.name)
}

/// What a type is, behind its typedefs and (for a path) arrays.
fn behind_typedefs(
    target: &mut dyn Target,
    ty: TargetType,
) -> Result<Option<TypeDescription>, LookupError> {
    let mut ty = ty;
    for _ in 0..MAX_STEPS {
        match target.describe(ty)? {
            TypeDescription::Typedef { target: next, .. } => ty = next,
            TypeDescription::Array { element, .. } => ty = element,
            other => return Ok(Some(other)),
        }
    }
    Ok(None)
}

fn target_path(
    target: &mut dyn Target,
    scope: &Scope,
    reference: &TypeReference,
    path: &[String],
) -> Result<bool, LookupError> {
    let Some(mut ty) = find(target, scope, reference)? else {
        return Ok(false);
    };
    let mut budget = MAX_MEMBERS;
    for name in path {
        match target_field(target, ty, name, &mut budget)? {
            Some(next) => ty = next,
            None => return Ok(false),
        }
    }
    Ok(true)
}

fn target_field(
    target: &mut dyn Target,
    ty: TargetType,
    name: &str,
    budget: &mut usize,
) -> Result<Option<TargetType>, LookupError> {
    let mut pending = vec![ty];
    while let Some(ty) = pending.pop() {
        let Some(TypeDescription::Record { members, .. }) = behind_typedefs(target, ty)? else {
            continue;
        };
        for member in members {
            match budget.checked_sub(1) {
                Some(left) => *budget = left,
                None => return Ok(None),
            }
            match &member.name {
                Some(found) if found == name => return Ok(Some(member.ty)),
                Some(_) => {}
                None => pending.push(member.ty),
            }
        }
    }
    Ok(None)
}

/// Whether the target has a complete record of this name.
pub fn has_complete_record(
    target: &mut dyn Target,
    scope: &Scope,
    kind: TypeNameKind,
    name: &str,
) -> bool {
    let Ok(Some(mut ty)) = target.find_type(scope, kind, name) else {
        return false;
    };
    for _ in 0..MAX_STEPS {
        match target.describe(ty) {
            Ok(TypeDescription::Typedef { target: next, .. }) => ty = next,
            Ok(TypeDescription::Record { size, .. }) => return size.is_some(),
            _ => return false,
        }
    }
    false
}
