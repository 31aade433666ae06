//! Views: which kind shows which type.

use super::Checker;
use super::class::Class;
use super::script::Ordinary;
use super::suggest;
use crate::ast;
use crate::hir::{self, HistogramRows, ViewKind};
use crate::source::Span;
use crate::types::{Type, TypeId};

/// The kinds with what each is of, for messages.
const KINDS: &[(&str, ViewKind, &str)] = &[
    (
        "flamegraph",
        ViewKind::Flamegraph,
        "a table of numbers (or of structs of numbers) keyed by one `_path`: `long t[_path]`",
    ),
    ("pie", ViewKind::Pie, "a table of numbers: `long t[_str]`"),
    ("bars", ViewKind::Bars, "a table of numbers: `long t[_str]`"),
    (
        "histogram",
        ViewKind::Histogram,
        "an aggregate, or a table of them: `_agg a` or `_agg a[_str]`",
    ),
    (
        "table",
        ViewKind::Table,
        "an array, or a table of values or aggregates: `struct row a[]` or `long t[_str]`",
    ),
    (
        "series",
        ViewKind::Series,
        "a number, or a table of numbers keyed by `_str`: `long n` or `long t[_str]`",
    ),
    (
        "heapmap",
        ViewKind::Heapmap,
        "a table from start and length to a state, or to a struct of `_str state` and `_str owner`: \
         `_str t[void *, size_t]`",
    ),
];

/// The kinds of views, as they are written.
pub fn view_kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, ..)| *name)
}

impl<'a> Checker<'a> {
    /// Checks all views.
    pub(super) fn check_views(&mut self, unit: &'a ast::Unit) {
        for item in &unit.items {
            if let ast::ItemKind::View(view) = &item.kind {
                self.check_view(view, item.span);
            }
        }
    }

    fn check_view(&mut self, view: &'a ast::View, span: Span) {
        let kind = KINDS.iter().find(|(name, ..)| *name == view.kind.text);
        if kind.is_none() {
            let close = suggest::similar(&view.kind.text, KINDS.iter().map(|(name, ..)| *name));
            let all: Vec<&str> = KINDS.iter().map(|(name, ..)| *name).collect();
            self.error_help(
                view.kind.span,
                format!("no view `{}`", view.kind.text),
                "no such kind",
                suggest::did_you_mean(&close)
                    .unwrap_or_else(|| format!("there are {}", all.join(", "))),
            );
        }
        if view.declaration.typedef || view.declaration.declarators.is_empty() {
            self.error(span, "a view shows a variable", "none is declared");
            return;
        }
        let rows = self.histogram_rows(view, kind.map(|(_, kind, _)| *kind));
        for init in &view.declaration.declarators {
            let Some(name) = &init.declarator.name else {
                continue;
            };
            let Some((Ordinary::Global(index), defined)) =
                self.script.ordinary.get(name.text.as_str())
            else {
                continue;
            };
            let (index, defined) = (*index, *defined);
            if defined != name.span {
                continue;
            }
            let Some(global) = self.global_id(index) else {
                continue;
            };
            let Some((written, kind, of)) = kind else {
                continue;
            };
            let ty = self
                .globals
                .get(global.0 as usize)
                .map_or(self.basics.unknown, |global| global.ty);
            if !self.is_unknown(ty) && !self.fits_view(*kind, ty) {
                let found = self.quoted(ty);
                let value = self.table_types(ty).map(|(_, value)| value);
                let help = match value {
                    Some(value) if *kind == ViewKind::Table && self.types.is_container(value) => {
                        "each row of a table is one value: give one table both keys, `long t[int, int]`, instead of `long t[int][int]`".to_owned()
                    }
                    _ => format!("a {written} is of {of}"),
                };
                self.error_help(
                    name.span,
                    format!("a {written} does not show {found}"),
                    format!("`{}` is {found}", name.text),
                    help,
                );
                continue;
            }
            self.views.push(hir::View {
                kind: *kind,
                title: view.title.clone(),
                unit: view.unit.clone().unwrap_or_default(),
                rows,
                global,
                span,
            });
        }
    }

    /// The rows that a view asks for; those of a logarithm after an error.
    fn histogram_rows(&mut self, view: &'a ast::View, kind: Option<ViewKind>) -> HistogramRows {
        let Some(form) = &view.form else {
            return HistogramRows::default();
        };
        if kind.is_some_and(|kind| kind != ViewKind::Histogram) {
            self.error_help(
                form.name.span,
                format!("`{}` is of histograms", form.name.text),
                format!("this view is a {}", view.kind.text),
                "write `_view histogram \"title\" \"unit\" _hist_linear(low, high, step) _agg a;`",
            );
            return HistogramRows::default();
        }
        let values: Vec<Option<i64>> = form
            .arguments
            .iter()
            .map(|argument| {
                let value = self.constant_integer(argument)?;
                Some(value.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
            })
            .collect();
        match (form.name.text.as_str(), values.as_slice()) {
            ("_hist_log", []) => HistogramRows::Logarithmic,
            ("_hist_linear", &[Some(low), Some(high), Some(step)]) => {
                if let Err(rows) = ytrace_values::rows_of_steps(low, high, step) {
                    self.error(
                        form.name.span,
                        ytrace_values::bad_steps(low, high, step, rows),
                        "the steps make no sense",
                    );
                }
                HistogramRows::Linear { low, high, step }
            }
            // Reported above.
            ("_hist_linear", [_, _, _]) => HistogramRows::default(),
            _ => {
                self.error_help(
                    form.name.span,
                    "this is no form of a histogram",
                    "no such form",
                    "there are `_hist_log()` and `_hist_linear(low, high, step)`",
                );
                HistogramRows::default()
            }
        }
    }

    fn is_number(&self, ty: TypeId) -> bool {
        self.class(ty).is_arithmetic()
    }

    /// A number, or a struct of numbers only.
    fn is_weight(&self, ty: TypeId) -> bool {
        match self.class(ty) {
            Class::Record(id) => {
                let record = self.types.record(id);
                !record.union
                    && record.body.as_ref().is_some_and(|body| {
                        !body.members.is_empty()
                            && body.members.iter().all(|member| {
                                member.name.is_some()
                                    && member.bits.is_none()
                                    && self.is_number(member.ty)
                            })
                    })
            }
            class => class.is_arithmetic(),
        }
    }

    /// A struct of `_str state` and `_str owner`, in any order.
    fn is_state_and_owner(&self, ty: TypeId) -> bool {
        let Class::Record(id) = self.class(ty) else {
            return false;
        };
        let record = self.types.record(id);
        let members = record.body.as_ref().map(|body| body.members.as_slice());
        let Some(members @ [_, _]) = members else {
            return false;
        };
        let has = |wanted: &str| {
            members.iter().any(|member| {
                member.name.as_deref() == Some(wanted) && self.class(member.ty) == Class::Str
            })
        };
        !record.union && has("state") && has("owner")
    }

    fn fits_view(&self, kind: ViewKind, ty: TypeId) -> bool {
        let table = self.table_types(ty);
        let table = table
            .as_ref()
            .map(|(keys, value)| (keys.as_slice(), *value));
        let is_aggregate = |ty: TypeId| matches!(self.types.resolved(ty), Type::Aggregate);
        match kind {
            ViewKind::Flamegraph => {
                matches!(table, Some(([key], value))
                    if self.class(*key) == Class::Path && self.is_weight(value))
            }
            ViewKind::Pie | ViewKind::Bars => {
                matches!(table, Some((_, value)) if self.is_weight(value))
            }
            ViewKind::Histogram => {
                is_aggregate(ty) || matches!(table, Some((_, value)) if is_aggregate(value))
            }
            ViewKind::Table => {
                table.is_some_and(|(_, value)| {
                    !self.types.is_container(value) || is_aggregate(value)
                }) || self
                    .growing_type(ty)
                    .is_some_and(|element| !self.types.is_container(element))
            }
            ViewKind::Series => {
                self.is_number(ty)
                    || matches!(table, Some(([key], value))
                        if self.class(*key) == Class::Str && self.is_number(value))
            }
            ViewKind::Heapmap => {
                matches!(table, Some(([start, length], value))
                    if matches!(self.class(*start), Class::Pointer(_) | Class::Integer { size: 8, .. })
                        && matches!(self.class(*length), Class::Integer { .. })
                        && (self.class(value) == Class::Str || self.is_state_and_owner(value)))
            }
        }
    }
}
