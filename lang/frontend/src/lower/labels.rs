//! Which containers are in scope at each label.
//!
//! A jump frees the containers whose scope it leaves, and may not enter the scope of one: its
//! declaration would not have been reached.

use std::collections::HashMap;

use crate::hir::{Foreach, Function, LabelId, LocalId, Statement, StatementKind};
use crate::types::Types;

/// What keeps a container or an iterator alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeKey {
    /// A local container.
    Local(LocalId),
    /// The iterator of a `_foreach`, by the address of its node, which is unique in the tree.
    Foreach(usize),
    /// The guarded statements of a `_try`, by the address of their first, or 0 without any.
    Try(usize),
}

impl ScopeKey {
    pub(super) fn foreach(foreach: &Foreach) -> Self {
        ScopeKey::Foreach(std::ptr::from_ref(foreach) as usize)
    }

    pub(super) fn guarded(body: &[Statement]) -> Self {
        ScopeKey::Try(
            body.first()
                .map_or(0, |statement| std::ptr::from_ref(statement) as usize),
        )
    }
}

/// For each label, the scopes around it.
#[derive(Default)]
pub(super) struct LabelScopes {
    labels: HashMap<LabelId, Vec<ScopeKey>>,
    collected: bool,
}

impl LabelScopes {
    /// Nothing collected yet: most functions have no labels.
    pub(super) fn new(_function: &Function) -> Self {
        Self::default()
    }

    /// The scopes around a label.
    pub(super) fn get(
        &mut self,
        label: LabelId,
        function: &Function,
        types: &Types,
    ) -> Option<&[ScopeKey]> {
        if !self.collected {
            self.collected = true;
            let mut collector = Collector {
                labels: &mut self.labels,
                stack: Vec::new(),
                function,
                types,
            };
            collector.statements(&function.body, 0);
        }
        self.labels.get(&label).map(Vec::as_slice)
    }
}

struct Collector<'a> {
    labels: &'a mut HashMap<LabelId, Vec<ScopeKey>>,
    stack: Vec<ScopeKey>,
    function: &'a Function,
    types: &'a Types,
}

impl Collector<'_> {
    fn statements(&mut self, statements: &[Statement], depth: u32) {
        // The lowering itself reports nesting that is too deep.
        if depth > super::MAX_DEPTH {
            return;
        }
        let outside = self.stack.len();
        for statement in statements {
            self.statement(statement, depth + 1);
        }
        self.stack.truncate(outside);
    }

    fn statement(&mut self, statement: &Statement, depth: u32) {
        match &statement.kind {
            StatementKind::Declare(local) => {
                let container = self
                    .function
                    .locals
                    .get(local.0 as usize)
                    .is_some_and(|local| self.types.is_container(local.ty));
                if container {
                    self.stack.push(ScopeKey::Local(*local));
                }
            }
            StatementKind::Label(label) => {
                self.labels.insert(*label, self.stack.clone());
            }
            StatementKind::Block(body)
            | StatementKind::Loop { body, .. }
            | StatementKind::Switch { body, .. } => self.statements(body, depth),
            StatementKind::If(_, then, otherwise) => {
                self.statements(then, depth);
                self.statements(otherwise, depth);
            }
            StatementKind::Foreach(foreach) => {
                self.stack.push(ScopeKey::foreach(foreach));
                self.statements(&foreach.body, depth);
                self.stack.pop();
            }
            StatementKind::Try { body, handler, .. } => {
                self.stack.push(ScopeKey::guarded(body));
                self.statements(body, depth);
                self.stack.pop();
                self.statements(handler, depth);
            }
            StatementKind::Expression(_)
            | StatementKind::Goto(_)
            | StatementKind::Break
            | StatementKind::Continue
            | StatementKind::Return(_)
            | StatementKind::Delete { .. }
            | StatementKind::Sort { .. } => {}
        }
    }
}
