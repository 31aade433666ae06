//! Where control goes: functions that may end without a value, statements and probes that are
//! never reached.

use super::Checker;
use super::class::Class;
use crate::diagnostics::Diagnostic;
use crate::hir::{self, ExpressionKind, ProbePoint, Statement, StatementKind};
use crate::source::Span;
use ytrace_values::Operation;

/// What may happen to control in statements.
#[derive(Clone, Copy)]
struct Flow {
    /// It reaches their end.
    falls: bool,
    /// A `break` leaves the loop or switch around them.
    breaks: bool,
    /// A `continue` goes on with the loop around them.
    continues: bool,
}

impl Flow {
    const LEAVES: Flow = Flow {
        falls: false,
        breaks: false,
        continues: false,
    };
    const FALLS: Flow = Flow {
        falls: true,
        ..Flow::LEAVES
    };

    fn or(self, other: Flow) -> Flow {
        Flow {
            falls: self.falls || other.falls,
            breaks: self.breaks || other.breaks,
            continues: self.continues || other.continues,
        }
    }
}

impl Checker<'_> {
    /// Warns about what a body never reaches, and if it may end without the value that it should
    /// return.
    pub(super) fn check_flow(&mut self, function: &hir::Function) {
        let falls = self.flow_of(&function.body).falls;
        let void = matches!(self.class(function.result), Class::Void | Class::Unknown);
        if falls && !void {
            let diagnostic = Diagnostic::warning(
                function.span,
                format!("`{}` may end without a value", function.name),
                format!("it returns {}; 0 is used", self.quoted(function.result)),
            )
            .with_help("end it with `return …;`");
            self.report(diagnostic);
        }
    }

    /// Warns about probes that never run because one before them ends the session each time.
    pub(super) fn check_probe_flow(&mut self) {
        let ending = self.probes.iter().find_map(|probe| {
            if probe.point != ProbePoint::Begin {
                return None;
            }
            let function = self.functions.get(probe.function.0 as usize)?.as_ref()?;
            Some((probe.span, self.always_exits(&function.body)?))
        });
        let Some((before, exit)) = ending else {
            return;
        };
        let unreached: Vec<Span> = self
            .probes
            .iter()
            .filter(|probe| match probe.point {
                ProbePoint::Begin => {
                    (probe.span.file, probe.span.start) > (before.file, before.start)
                }
                ProbePoint::Oneshot
                | ProbePoint::Timer(_)
                | ProbePoint::Profile(_)
                | ProbePoint::Event(_) => true,
                ProbePoint::End => false,
            })
            .map(|probe| probe.span)
            .collect();
        for span in unreached {
            let diagnostic = Diagnostic::warning(span, "this probe never runs", "")
                .with_secondary(exit, "the session always ends here");
            self.report(diagnostic);
        }
    }

    /// What statements do with control.
    fn flow_of(&mut self, statements: &[Statement]) -> Flow {
        let mut flow = Flow::FALLS;
        let mut warned = false;
        for statement in statements {
            flow.falls |= matches!(statement.kind, StatementKind::Label(_));
            // `return x; break;` is good style in a switch.
            let harmless = matches!(
                statement.kind,
                StatementKind::Break | StatementKind::Declare(_)
            );
            if !flow.falls && !warned && !harmless {
                warned = true;
                self.warning(
                    statement.span,
                    "this is never reached",
                    "what stands before it always leaves",
                );
            }
            let next = self.statement_flow(statement);
            if flow.falls {
                flow = Flow {
                    falls: next.falls,
                    breaks: flow.breaks || next.breaks,
                    continues: flow.continues || next.continues,
                };
            }
        }
        flow
    }

    fn statement_flow(&mut self, statement: &Statement) -> Flow {
        match &statement.kind {
            StatementKind::Expression(expression) if ending_operation(expression).is_some() => {
                Flow::LEAVES
            }
            StatementKind::Expression(_)
            | StatementKind::Declare(_)
            | StatementKind::Label(_)
            | StatementKind::Delete { .. }
            | StatementKind::Sort { .. } => Flow::FALLS,
            StatementKind::Goto(_) | StatementKind::Return(_) => Flow::LEAVES,
            StatementKind::Break => Flow {
                breaks: true,
                ..Flow::LEAVES
            },
            StatementKind::Continue => Flow {
                continues: true,
                ..Flow::LEAVES
            },
            StatementKind::Block(body) => self.flow_of(body),
            StatementKind::If(condition, then, otherwise) => {
                let then = self.flow_of(then);
                let otherwise = self.flow_of(otherwise);
                match self.constant_truth(condition) {
                    Some(true) => then,
                    Some(false) => otherwise,
                    None => then.or(otherwise),
                }
            }
            StatementKind::Loop {
                condition,
                test_last,
                body,
                ..
            } => {
                let body = self.flow_of(body);
                let endless = match condition {
                    None => true,
                    Some(condition) => self.constant_truth(condition) == Some(true),
                };
                // A condition at the end is only tested where the body gets there.
                let tested = !test_last || body.falls || body.continues;
                Flow {
                    falls: body.breaks || (tested && !endless),
                    ..Flow::LEAVES
                }
            }
            StatementKind::Foreach(foreach) => {
                self.flow_of(&foreach.body);
                Flow::FALLS
            }
            StatementKind::Switch { default, body, .. } => {
                let body = self.flow_of(body);
                Flow {
                    falls: body.falls || body.breaks || default.is_none(),
                    breaks: false,
                    continues: body.continues,
                }
            }
            StatementKind::Try { body, handler, .. } => {
                let body = self.flow_of(body);
                body.or(self.flow_of(handler))
            }
        }
    }

    /// Where a body ends the session on every way through it; `None` if there is another way.
    fn always_exits(&self, body: &[Statement]) -> Option<Span> {
        for statement in body {
            if let StatementKind::Expression(expression) = &statement.kind {
                match ending_operation(expression) {
                    Some(Operation::Exit | Operation::Error) => return Some(statement.span),
                    Some(_) => return None,
                    None => continue,
                }
            }
            if let StatementKind::Block(body) = &statement.kind
                && let Some(span) = self.always_exits(body)
            {
                return Some(span);
            }
            if may_end(std::slice::from_ref(statement)) {
                return None;
            }
        }
        None
    }
}

/// The operation of an expression that never gives control back.
fn ending_operation(expression: &hir::Expression) -> Option<Operation> {
    match &expression.kind {
        ExpressionKind::Operation(
            operation @ (Operation::Next | Operation::Exit | Operation::Error | Operation::Raise),
            _,
        ) => Some(*operation),
        ExpressionKind::Comma(first, last) => {
            ending_operation(first).or_else(|| ending_operation(last))
        }
        ExpressionKind::Convert(_, inner) => ending_operation(inner),
        _ => None,
    }
}

/// Whether a body may end its handler or jump.
fn may_end(body: &[Statement]) -> bool {
    body.iter().any(|statement| match &statement.kind {
        StatementKind::Return(_) | StatementKind::Goto(_) | StatementKind::Label(_) => true,
        StatementKind::Expression(expression) => ending_operation(expression).is_some(),
        StatementKind::Block(body) | StatementKind::Loop { body, .. } => may_end(body),
        StatementKind::Switch { body, .. } => may_end(body),
        StatementKind::Foreach(foreach) => may_end(&foreach.body),
        StatementKind::If(_, then, otherwise) => may_end(then) || may_end(otherwise),
        StatementKind::Try { body, handler, .. } => may_end(body) || may_end(handler),
        _ => false,
    })
}
