//! Elements of containers.

use super::Checker;
use super::class::{Class, Operand};
use crate::ast;
use crate::hir::{self, ContainerKind, ExpressionKind, PlaceKind};
use crate::source::Span;
use crate::types::{Type, TypeId};
use ytrace_values::Operation;

impl Checker<'_> {
    /// Key types and value type of a table.
    pub(super) fn table_types(&self, ty: TypeId) -> Option<(Vec<TypeId>, TypeId)> {
        match self.types.resolved(ty) {
            Type::Table(keys, value) => Some((keys.clone(), *value)),
            _ => None,
        }
    }

    /// The element type of a growing array.
    pub(super) fn growing_type(&self, ty: TypeId) -> Option<TypeId> {
        match self.types.resolved(ty) {
            Type::Growing(element) => Some(*element),
            _ => None,
        }
    }

    /// The keys of a table, converted to their types; `None` after an error.
    pub(super) fn keys(
        &mut self,
        keys: &[ast::Expression],
        types: &[TypeId],
        span: Span,
    ) -> Option<Vec<hir::Expression>> {
        let values: Vec<hir::Expression> = keys.iter().map(|key| self.value(key)).collect();
        if values.len() != types.len() {
            let wanted: Vec<String> = types.iter().map(|ty| self.types.name_of(*ty)).collect();
            self.error(
                span,
                format!(
                    "this table has {} key{}, not {}",
                    types.len(),
                    if types.len() == 1 { "" } else { "s" },
                    values.len()
                ),
                format!("its keys are [{}]", wanted.join(", ")),
            );
            return None;
        }
        let converted: Vec<hir::Expression> = values
            .into_iter()
            .zip(types)
            .map(|(value, ty)| self.assign_to(value, *ty, "the key"))
            .collect();
        (!converted.iter().any(|key| self.is_unknown(key.ty))).then_some(converted)
    }

    /// `container[indices]`.
    pub(super) fn container_element(
        &mut self,
        container: hir::Container,
        indices: &[ast::Expression],
        span: Span,
    ) -> Operand {
        if let Some((keys, value)) = self.table_types(container.ty) {
            let Some(keys) = self.keys(indices, &keys, span) else {
                return self.unknown_operand(span);
            };
            return self.container_row(container, keys, value, span);
        }
        let (Some(element), [index]) = (self.growing_type(container.ty), indices) else {
            let found = self.quoted(container.ty);
            self.error(
                span,
                if indices.len() == 1 {
                    "an aggregate has no elements"
                } else {
                    "an array has one index"
                },
                format!("this is {found}"),
            );
            return self.unknown_operand(span);
        };
        let index = self.value(index);
        let index = self.index_value(index);
        if self.is_unknown(index.ty) || self.is_unknown(element) {
            return self.unknown_operand(span);
        }
        if self.types.is_container(element) {
            return Operand::Container(hir::Container {
                kind: ContainerKind::Element(Box::new(container), Box::new(index)),
                ty: element,
                span,
            });
        }
        Operand::Place(hir::Place {
            kind: PlaceKind::Element(container, Box::new(index)),
            ty: element,
            span,
        })
    }

    fn container_row(
        &mut self,
        container: hir::Container,
        keys: Vec<hir::Expression>,
        value: TypeId,
        span: Span,
    ) -> Operand {
        if self.types.is_container(value) {
            return Operand::Container(hir::Container {
                kind: ContainerKind::Row(Box::new(container), keys),
                ty: value,
                span,
            });
        }
        Operand::Place(hir::Place {
            kind: PlaceKind::Row(container, keys),
            ty: value,
            span,
        })
    }

    /// `aggregate <<< value`.
    pub(super) fn aggregate_add(
        &mut self,
        aggregate: &ast::Expression,
        value: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let container = self.container(aggregate, "the left side of `<<<`");
        let value = self.value(value);
        let long = self.basics.long;
        let value = self.assign_to(value, long, "the value added to the aggregate");
        let Some(container) = container else {
            return self.unknown(span);
        };
        if !matches!(self.types.resolved(container.ty), Type::Aggregate) {
            let found = self.quoted(container.ty);
            self.error_help(
                aggregate.span,
                "`<<<` adds to an aggregate",
                format!("this is {found}"),
                "declare it as `_agg a;` or `_agg a[K];`",
            );
            return self.unknown(span);
        }
        if self.is_unknown(value.ty) {
            return self.unknown(span);
        }
        let once = self.integer(1, long, span);
        hir::Expression {
            kind: ExpressionKind::ContainerOperation(
                Operation::AggregateAdd,
                container,
                vec![value, once],
            ),
            ty: self.basics.void,
            span,
        }
    }

    /// `_delete t[k];` as a statement; `None` after an error.
    pub(super) fn delete(&mut self, expression: &ast::Expression) -> Option<hir::StatementKind> {
        let span = expression.span;
        let help = "write `_delete t[k];`; `_clear(t)` empties a whole container";
        let ast::ExpressionKind::Index(base, indices) = &expression.kind else {
            self.error_help(
                span,
                "`_delete` takes an element of a table",
                "this is none",
                help,
            );
            return None;
        };
        let container = self.container(base, "what `_delete` takes an element of")?;
        let Some((types, _)) = self.table_types(container.ty) else {
            let found = self.quoted(container.ty);
            self.error_help(
                base.span,
                "`_delete` takes an element of a table",
                format!("this is {found}"),
                "arrays shrink by `_pop(a)` and `_shift(a)`",
            );
            return None;
        };
        let keys = self.keys(indices, &types, span)?;
        Some(hir::StatementKind::Delete { container, keys })
    }

    /// Whether values of a type can be ordered, to sort by.
    pub(super) fn is_sortable(&self, ty: TypeId) -> bool {
        let class = self.class(ty);
        class.is_scalar() || class == Class::Unknown
    }
}
