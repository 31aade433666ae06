//! The names inside one function.

use std::collections::{HashMap, HashSet};

use crate::hir;
use crate::source::Span;
use crate::types::TypeId;

/// What a name means inside a function.
#[derive(Clone, Copy, Debug)]
pub(super) enum LocalSymbol {
    /// A variable or a parameter.
    Variable(hir::LocalId),
    /// A typedef.
    Typedef(TypeId),
    /// An enumerator.
    Enumerator(i64, TypeId),
}

/// The names of one block.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub names: HashMap<String, LocalSymbol>,
    pub tags: HashMap<String, TypeId>,
}

/// A label of a function.
#[derive(Debug)]
pub(super) struct Label {
    pub id: hir::LabelId,
    pub defined: Option<Span>,
    pub used: Option<Span>,
}

/// The `switch` at hand.
#[derive(Debug)]
pub(super) struct Switch {
    pub ty: TypeId,
    pub signed: bool,
    pub cases: Vec<(u64, u64, hir::LabelId)>,
    pub default: Option<hir::LabelId>,
}

/// What is known while a function is checked.
#[derive(Debug)]
pub(super) struct FunctionContext {
    pub locals: Vec<hir::Local>,
    pub scopes: Vec<Scope>,
    pub labels: HashMap<String, Label>,
    pub label_count: u32,
    pub result: TypeId,
    /// How many loops and switches surround the place at hand, and how many loops.
    pub breakable: u32,
    pub loops: u32,
    pub switches: Vec<Switch>,
    /// Whether it is the body of a probe.
    pub probe: bool,
    /// Whether it is the body of a probe on an event, or in `_entry(…)` there.
    pub hit: bool,
    /// The variables that an expression has named.
    pub used: HashSet<hir::LocalId>,
    /// The first built-in in it that only an event can answer.
    pub asks_hit: Option<(&'static str, Span)>,
    /// The functions of the script that it calls, and where first.
    pub calls: HashMap<hir::FunctionId, Span>,
}

impl FunctionContext {
    /// A function without names yet.
    pub fn new(result: TypeId) -> Self {
        Self {
            locals: Vec::new(),
            scopes: vec![Scope::default()],
            labels: HashMap::new(),
            label_count: 0,
            result,
            breakable: 0,
            loops: 0,
            switches: Vec::new(),
            probe: false,
            hit: false,
            used: HashSet::new(),
            asks_hit: None,
            calls: HashMap::new(),
        }
    }

    /// A variable that no text names.
    pub fn hidden_local(&mut self, name: &str, ty: TypeId, span: Span) -> hir::LocalId {
        let id = hir::LocalId(self.locals.len() as u32);
        self.locals.push(hir::Local {
            name: name.to_owned(),
            ty,
            span,
        });
        id
    }

    /// A variable in the innermost scope. Gives the one that it collides with, if any.
    pub fn declare_local(
        &mut self,
        name: &str,
        ty: TypeId,
        span: Span,
    ) -> (hir::LocalId, Option<LocalSymbol>) {
        let id = self.hidden_local(name, ty, span);
        (id, self.declare(name, LocalSymbol::Variable(id)))
    }

    /// A name in the innermost scope. Gives the one that it replaces.
    pub fn declare(&mut self, name: &str, symbol: LocalSymbol) -> Option<LocalSymbol> {
        self.scopes
            .last_mut()
            .and_then(|scope| scope.names.insert(name.to_owned(), symbol))
    }

    /// The innermost meaning of a name.
    pub fn find(&self, name: &str) -> Option<LocalSymbol> {
        self.scopes
            .iter()
            .rev()
            .find_map(|scope| scope.names.get(name).copied())
    }

    /// The innermost meaning of a tag.
    pub fn find_tag(&self, tag: &str) -> Option<TypeId> {
        self.scopes
            .iter()
            .rev()
            .find_map(|scope| scope.tags.get(tag).copied())
    }

    /// A label that no text names.
    pub fn hidden_label(&mut self) -> hir::LabelId {
        let id = hir::LabelId(self.label_count);
        self.label_count += 1;
        id
    }

    /// The label of a name, made when it is first seen.
    pub fn label(&mut self, name: &str) -> &mut Label {
        let count = &mut self.label_count;
        self.labels.entry(name.to_owned()).or_insert_with(|| {
            let id = hir::LabelId(*count);
            *count += 1;
            Label {
                id,
                defined: None,
                used: None,
            }
        })
    }

    /// The type of a local.
    pub fn local_type(&self, id: hir::LocalId) -> Option<TypeId> {
        self.locals.get(id.0 as usize).map(|local| local.ty)
    }
}
