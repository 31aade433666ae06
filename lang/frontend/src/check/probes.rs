//! Probes and groups of layouts.

use super::hits::Hit;
use super::symbols::FunctionContext;
use super::{Checker, Work, suggest};
use crate::ast;
use crate::diagnostics::Diagnostic;
use crate::hir;
use crate::parse::POINTS;
use crate::source::Span;

/// A point of a probe, with what its handler may ask.
enum Point {
    /// One at which nothing is hit.
    Plain(hir::ProbePoint),
    /// An event, or a sample.
    Hit(Box<Hit>),
}

impl<'a> Checker<'a> {
    /// Checks a probe: its point, its condition, its body.
    pub(super) fn check_probe(&mut self, probe: &'a ast::Probe, span: Span) {
        self.check_probe_that(probe, span, false);
    }

    /// The same with the probe of an interactive program, whose body's value is shown.
    pub(super) fn check_shown_handler(&mut self, probe: &'a ast::Probe, span: Span) {
        self.check_probe_that(probe, span, true);
    }

    fn check_probe_that(&mut self, probe: &'a ast::Probe, span: Span, shows: bool) {
        let head = Span {
            end: probe.body.span.start.max(span.start),
            ..span
        };
        self.context = FunctionContext::new(self.basics.void);
        let attached = match &probe.condition {
            Some(condition) => self.probe_condition(condition),
            None => true,
        };
        // What is not probed need not be there: an option may name no function.
        let computed = matches!(
            &probe.point,
            ast::ProbePoint::Function {
                function: ast::FunctionReference::Computed(_),
                ..
            }
        );
        if computed && !attached {
            return;
        }
        let Some(point) = self.probe_point(&probe.point, head) else {
            return;
        };
        self.context = FunctionContext::new(self.basics.void);
        self.context.probe = true;
        let id = hir::FunctionId(self.functions.len() as u32);
        self.functions.push(None);
        let (body, point) = match point {
            Point::Plain(point) if shows => {
                (self.shown_statements(&probe.body.statements), Some(point))
            }
            Point::Plain(point) => (self.statements(&probe.body.statements), Some(point)),
            // Nobody knows the names that the body would use.
            Point::Hit(hit) if hit.nameless => return,
            Point::Hit(hit) => {
                self.hit = Some(*hit);
                self.context.hit = true;
                let declared = self.declare_hit_values(true);
                // As in C, the body may not declare a parameter again.
                let mut body = self.statements(&probe.body.statements);
                let assigned = self.assign_hit_values(declared);
                body.splice(0..0, assigned);
                (body, self.hit.take().and_then(Hit::into_point))
            }
        };
        self.check_labels();
        let context = std::mem::replace(&mut self.context, FunctionContext::new(self.basics.void));
        self.note_asked(id, &context);
        let Some(point) = point.filter(|_| attached) else {
            return;
        };
        let name = self.text(head);
        let function = hir::Function {
            name: name.trim().to_owned(),
            parameters: 0,
            locals: context.locals,
            result: self.basics.void,
            body,
            late: false,
            span: head,
        };
        self.check_flow(&function);
        if let Some(slot) = self.functions.get_mut(id.0 as usize) {
            *slot = Some(function);
        }
        self.probes.push(hir::Probe {
            point,
            function: id,
            span: head,
        });
    }

    fn probe_point(&mut self, point: &'a ast::ProbePoint, span: Span) -> Option<Point> {
        let hit = match point {
            ast::ProbePoint::Oneshot => return Some(Point::Plain(hir::ProbePoint::Oneshot)),
            ast::ProbePoint::Begin => return Some(Point::Plain(hir::ProbePoint::Begin)),
            ast::ProbePoint::End => return Some(Point::Plain(hir::ProbePoint::End)),
            ast::ProbePoint::Timer { unit, amount } if unit.text == "profile" => {
                self.profile_event(amount)
            }
            ast::ProbePoint::Timer { unit, amount } => {
                return self.timer(unit, amount).map(Point::Plain);
            }
            ast::ProbePoint::Function { function, .. } if self.is_misspelled(function) => {
                return None;
            }
            ast::ProbePoint::Function {
                function,
                parameters,
                result,
            } => self.function_event(function, parameters, result.as_ref()),
            ast::ProbePoint::Line(arguments) => self.line_event(arguments, span),
            ast::ProbePoint::Address(address) => self.address_event(address),
            ast::ProbePoint::Usdt { name, arguments } => self.static_event(name, arguments),
            ast::ProbePoint::Watch(arguments) => self.watch_event(arguments, span),
            ast::ProbePoint::Process(name) => self.process_event(name),
        };
        Some(Point::Hit(Box::new(hit)))
    }

    /// Reports a function that is not one, but looks like another point.
    fn is_misspelled(&mut self, function: &ast::FunctionReference) -> bool {
        let ast::FunctionReference::Named(name) = function else {
            return false;
        };
        if name.prefix.is_some() {
            return false;
        }
        let close = if name.text.starts_with('_') {
            suggest::similar(&name.text, POINTS.iter().copied())
        } else {
            let point = format!("_{}", name.text);
            let known = POINTS.contains(&point.as_str());
            known.then_some(point).into_iter().collect()
        };
        let Some(help) = suggest::did_you_mean(&close) else {
            return false;
        };
        let scope = self.scope_of(name);
        // A function of the target may be called so.
        let found = self
            .target
            .as_deref_mut()
            .map(|target| target.find_function(&scope, &name.text));
        if matches!(found, Some(Ok(Some(_)))) {
            return false;
        }
        self.error_help(
            name.span,
            format!("no probe point `{}`", name.text),
            "no such point, and no such function",
            help,
        );
        true
    }

    fn timer(&mut self, unit: &ast::Name, amount: &'a ast::Expression) -> Option<hir::ProbePoint> {
        let nanoseconds: i128 = match unit.text.as_str() {
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" => 1_000,
            _ => {
                self.error_help(
                    unit.span,
                    format!("no timer `_timer.{}`", unit.text),
                    "no such unit",
                    "there are `_timer.s(n)`, `_timer.ms(n)`, `_timer.us(n)` and `_timer.profile(hz)`",
                );
                return None;
            }
        };
        let value = self.constant_integer(amount)?;
        match value
            .checked_mul(nanoseconds)
            .and_then(|total| u64::try_from(total).ok())
        {
            Some(total) if total > 0 => Some(hir::ProbePoint::Timer(total)),
            _ => {
                let diagnostic = Diagnostic::error(
                    amount.span,
                    "an interval must be positive",
                    format!("this is {value}"),
                );
                let amount = self.value(amount);
                self.report(match self.option_to_change(&amount) {
                    Some(option) => diagnostic.with_help(option),
                    None => diagnostic,
                });
                None
            }
        }
    }

    /// `_if (e)`: over options and constants, decided now.
    fn probe_condition(&mut self, condition: &'a ast::Expression) -> bool {
        let value = self.condition(condition);
        if self.is_unknown(value.ty) {
            return true;
        }
        let value = self.with_option_values(value);
        match self.constant_truth(&value) {
            Some(truth) => truth,
            None => {
                self.error_help(
                    condition.span,
                    "the condition of a probe is decided before anything runs",
                    "this is not known then",
                    "use options and constants; test everything else in the body",
                );
                true
            }
        }
    }

    /// Groups of layouts: their validators are functions without parameters.
    pub(super) fn check_layouts(&mut self, unit: &'a ast::Unit) {
        for item in &unit.items {
            let ast::ItemKind::Layout(layout) = &item.kind else {
                continue;
            };
            let Some(valid) = self.validator(&layout.valid) else {
                continue;
            };
            self.layouts.push(hir::LayoutUse {
                group: layout.name.text.clone(),
                candidate: layout
                    .chosen
                    .and_then(|chosen| layout.candidates.get(chosen))
                    .map(|candidate| candidate.name.clone()),
                candidates: layout
                    .candidates
                    .iter()
                    .map(|candidate| candidate.name.clone())
                    .collect(),
                valid,
                span: layout.name.span,
            });
        }
    }

    fn validator(&mut self, name: &'a ast::Name) -> Option<hir::FunctionId> {
        let index = match self.script.ordinary.get(name.text.as_str()) {
            Some((super::script::Ordinary::Function(index), _)) => Some(*index),
            _ => None,
        };
        let signature = index.and_then(|index| self.signature(index));
        let fits = signature.is_some_and(|signature| {
            signature.parameters.is_empty() && self.class(signature.result).is_integer()
        });
        if fits && let Some(id) = self.function_id(&name.text) {
            return Some(id);
        }
        self.report(
            Diagnostic::error(
                name.span,
                format!("`{}` does not validate a layout", name.text),
                "this must be a function of the script",
            )
            .with_help(format!("write `int {}(void) {{ … }}`", name.text)),
        );
        None
    }
}

impl std::fmt::Debug for Work<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {}", self.id, self.function.name.text)
    }
}
