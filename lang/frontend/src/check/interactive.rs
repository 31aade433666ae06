//! What differs where a program is one of many that a user types in: earlier values, and a value that is shown.

use ytrace_values::constants::{ConversionKind, FormatArgument, Scalar};

use super::Checker;
use super::class::{Class, Operand};
use super::script::Ordinary;
use crate::ast;
use crate::hir::{self, ContainerKind, ExpressionKind, PlaceKind, ShownValue, StatementKind};
use crate::source::Span;

/// The name of the value that was shown last.
pub(super) const LAST: &str = "_";

/// The name of the variable that takes what is shown. No text can spell it.
pub const SHOWN: &str = "shown value";

/// How an interactive program is checked: initializers of globals may use other globals and call functions, for they run as
/// statements of the handler; `_`, `$1`, … are the globals of these names if there are any, or what the pointers in globals called
/// `_*`, `$1*`, … lead to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interactive {
    /// Whether the body of the last probe is one expression, whose value is to be shown.
    pub show: bool,
}

impl<'a> Checker<'a> {
    /// The number of the item that is the probe whose value is shown.
    pub(super) fn shown_handler(&self, unit: &ast::Unit) -> Option<usize> {
        self.interactive.filter(|interactive| interactive.show)?;
        let is_probe = |item: &ast::Item| matches!(item.kind, ast::ItemKind::Probe(_));
        unit.items.iter().rposition(is_probe)
    }

    /// A value that was shown earlier, by its name; `None` if there is none.
    pub(super) fn earlier_value(&mut self, name: &str, span: Span) -> Option<Operand> {
        self.interactive?;
        if let Some(value) = self.earlier_global(name, span) {
            return Some(value);
        }
        let Operand::Place(pointer) = self.earlier_global(&format!("{name}*"), span)? else {
            return None;
        };
        let Class::Pointer(target) = self.class(pointer.ty) else {
            return None;
        };
        let address = self.rvalue(Operand::Place(pointer));
        Some(Operand::Place(hir::Place {
            kind: PlaceKind::Target(Box::new(address)),
            ty: target,
            span,
        }))
    }

    fn earlier_global(&mut self, name: &str, span: Span) -> Option<Operand> {
        let (Ordinary::Global(index), _) = *self.script.ordinary.get(name)? else {
            return None;
        };
        let id = self.global_id(index)?;
        Some(self.global_variable(id, span))
    }

    /// The statements that leave the value of the only expression among these where it is shown from.
    pub(super) fn shown_statements(
        &mut self,
        statements: &'a [ast::Statement],
    ) -> Vec<hir::Statement> {
        let mut all = statements
            .iter()
            .filter(|statement| !matches!(statement.kind, ast::StatementKind::Empty));
        match (all.next().map(|statement| &statement.kind), all.next()) {
            (Some(ast::StatementKind::Expression(expression)), None) => self.shown(expression),
            _ => self.statements(statements),
        }
    }

    fn shown(&mut self, expression: &ast::Expression) -> Vec<hir::Statement> {
        let span = expression.span;
        let operand = self.operand(expression);
        if let Operand::Container(container) = &operand
            && let ContainerKind::Global(id) = container.kind
        {
            self.shown = Some(hir::Shown {
                value: ShownValue::Container(id),
                ty: container.ty,
                bits: None,
            });
            return Vec::new();
        }
        if let Operand::Value(value) = &operand
            && self.class(value.ty) == Class::Void
        {
            let Operand::Value(value) = operand else {
                return Vec::new();
            };
            return vec![hir::Statement {
                kind: StatementKind::Expression(value),
                span,
            }];
        }
        let container = match &operand {
            Operand::Container(container) => Some(container.ty),
            _ => None,
        };
        let bits = match &operand {
            Operand::Place(hir::Place {
                kind: PlaceKind::Member { bits, .. },
                ..
            }) => bits.map(|(_, width)| width),
            _ => None,
        };
        let conversion = Self::bare(
            ConversionKind::Value,
            FormatArgument::Scalar(Scalar::Unsigned(8)),
        );
        // What is wrong has been reported.
        let Some((piece, value)) = self.value_argument(conversion, operand) else {
            return Vec::new();
        };
        let hir::FormatPiece::Conversion { value: shown, .. } = &piece else {
            return Vec::new();
        };
        let shown = *shown;
        let global = self.add_global(SHOWN, value.ty, span, None);
        let format = self.formats.len() as u32;
        let (value_of, ty) = match shown {
            Some((ty, true)) => (ShownValue::Target { global, format }, ty),
            Some((ty, false)) => (ShownValue::Value { global, format }, ty),
            None => (ShownValue::Text(global), container.unwrap_or(value.ty)),
        };
        self.formats.push(vec![piece]);
        self.shown = Some(hir::Shown {
            value: value_of,
            ty,
            bits,
        });
        let place = hir::Place {
            kind: PlaceKind::Global(global),
            ty: value.ty,
            span,
        };
        vec![hir::Statement {
            kind: StatementKind::Expression(hir::Expression {
                ty: value.ty,
                kind: ExpressionKind::Assign(Box::new(place), Box::new(value)),
                span,
            }),
            span,
        }]
    }
}
