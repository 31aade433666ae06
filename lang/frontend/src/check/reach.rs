//! Built-ins that only an event can answer, in functions that probes on no event reach.

use std::collections::{HashMap, VecDeque};

use super::Checker;
use super::symbols::FunctionContext;
use crate::diagnostics::Diagnostic;
use crate::hir::{FunctionId, ProbePoint};
use crate::source::Span;

/// What a function asks of a hit, and whom it calls.
pub(super) struct Asked {
    function: FunctionId,
    asks: Option<(&'static str, Span)>,
    calls: Vec<(FunctionId, Span)>,
}

impl Checker<'_> {
    /// Remembers what a function asks, once its body has been checked.
    pub(super) fn note_asked(&mut self, function: FunctionId, context: &FunctionContext) {
        let mut calls: Vec<_> = context
            .calls
            .iter()
            .map(|(id, span)| (*id, *span))
            .collect();
        calls.sort_by_key(|(id, _)| *id);
        self.asked.push(Asked {
            function,
            asks: context.asks_hit,
            calls,
        });
    }

    /// Reports what probes on no event reach of it.
    pub(super) fn check_reach(&mut self) {
        let asked: HashMap<FunctionId, &Asked> = self
            .asked
            .iter()
            .map(|asked| (asked.function, asked))
            .collect();
        if asked.values().all(|asked| asked.asks.is_none()) {
            return;
        }
        let mut diagnostics = Vec::new();
        for probe in &self.probes {
            if matches!(probe.point, ProbePoint::Event(_) | ProbePoint::Profile(_)) {
                continue;
            }
            // The way back from each function that was reached.
            let mut from: HashMap<FunctionId, Option<(FunctionId, Span)>> =
                HashMap::from([(probe.function, None)]);
            let mut queue = VecDeque::from([probe.function]);
            while let Some(id) = queue.pop_front() {
                let Some(function) = asked.get(&id) else {
                    continue;
                };
                if let Some((name, span)) = function.asks {
                    diagnostics.push(self.reached(probe.span, name, span, id, &from));
                    break;
                }
                for (callee, span) in &function.calls {
                    if !from.contains_key(callee) {
                        from.insert(*callee, Some((id, *span)));
                        queue.push_back(*callee);
                    }
                }
            }
        }
        for diagnostic in diagnostics {
            self.report(diagnostic);
        }
    }

    fn reached(
        &self,
        probe: Span,
        name: &str,
        span: Span,
        function: FunctionId,
        from: &HashMap<FunctionId, Option<(FunctionId, Span)>>,
    ) -> Diagnostic {
        let named = |id: FunctionId| {
            let function = self.functions.get(id.0 as usize)?.as_ref()?;
            Some(format!("`{}`", function.name))
        };
        let mut chain = Vec::new();
        let mut at = function;
        let mut call = None;
        while let Some(Some((caller, place))) = from.get(&at) {
            chain.extend(named(at));
            call = Some(*place);
            at = *caller;
        }
        let message = format!("`{name}` belongs to probes on events");
        let Some(call) = call else {
            return Diagnostic::error(span, message, "this probe is on none")
                .with_help("write `_probe f(T a, U b) { … }` for a function of the target");
        };
        chain.extend(named(at));
        chain.reverse();
        let mut shown = chain.join(" calls ");
        if let Some((index, _)) = shown.char_indices().nth(300) {
            shown.truncate(index);
            shown.push('…');
        }
        Diagnostic::error(probe, message, "this probe is on none, and reaches it")
            .with_secondary(call, "by this call")
            .with_secondary(span, "where it stands")
            .with_help(shown)
    }
}
