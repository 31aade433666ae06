//! Statements.

use super::Checker;
use super::class::{Class, Operand};
use super::symbols::{LocalSymbol, Scope};
use super::types::Place;
use crate::ast::{self, StatementKind as Syntax};
use crate::diagnostics::Diagnostic;
use crate::hir::{self, ExpressionKind, StatementKind};
use crate::source::Span;

impl Checker<'_> {
    /// Statements in the scope at hand.
    pub(super) fn statements(&mut self, statements: &[ast::Statement]) -> Vec<hir::Statement> {
        let mut result = Vec::with_capacity(statements.len());
        for statement in statements {
            self.statement(statement, &mut result);
        }
        result
    }

    /// A block with a scope of its own.
    pub(super) fn block(&mut self, block: &ast::Block) -> Vec<hir::Statement> {
        self.scoped(|checker| checker.statements(&block.statements))
    }

    /// Runs `check` in a scope of its own.
    pub(super) fn scoped<T>(&mut self, check: impl FnOnce(&mut Self) -> T) -> T {
        self.context.scopes.push(Scope::default());
        let result = check(self);
        self.context.scopes.pop();
        result
    }

    /// A statement that is the body of another, with a scope of its own.
    pub(super) fn body(&mut self, statement: &ast::Statement) -> Vec<hir::Statement> {
        let statements = self.scoped(|checker| {
            let mut result = Vec::new();
            match &statement.kind {
                Syntax::Block(block) => result = checker.statements(&block.statements),
                _ => checker.statement(statement, &mut result),
            }
            result
        });
        // What is declared in a body ends with each run of it.
        if statements
            .iter()
            .any(|statement| matches!(statement.kind, StatementKind::Declare(_)))
        {
            return vec![hir::Statement {
                kind: StatementKind::Block(statements),
                span: statement.span,
            }];
        }
        statements
    }

    pub(super) fn statement(
        &mut self,
        statement: &ast::Statement,
        result: &mut Vec<hir::Statement>,
    ) {
        // Labels and cases in a row do not nest.
        let mut statement = statement;
        while let Some(inner) = self.label_before(statement, result) {
            statement = inner;
        }
        self.nested(
            statement.span,
            |checker| checker.plain_statement(statement, result),
            |_| (),
        );
    }

    /// If the statement is labelled, enters the label and gives the statement that follows it.
    fn label_before<'s>(
        &mut self,
        statement: &'s ast::Statement,
        result: &mut Vec<hir::Statement>,
    ) -> Option<&'s ast::Statement> {
        let (label, inner) = match &statement.kind {
            Syntax::Case(value, last, inner) => {
                (self.case_label(value, last.as_ref(), statement.span), inner)
            }
            Syntax::Default(inner) => (self.default_label(statement.span), inner),
            Syntax::Label(name, inner) => {
                let label = self.context.label(&name.text);
                let id = label.id;
                let first = label.defined.replace(name.span);
                if let Some(first) = first {
                    let diagnostic = Diagnostic::error(
                        name.span,
                        format!("the label `{}` stands twice", name.text),
                        "again here",
                    )
                    .with_secondary(first, "first here");
                    self.report(diagnostic);
                    (None, inner)
                } else {
                    (Some(id), inner)
                }
            }
            _ => return None,
        };
        if let Some(label) = label {
            result.push(hir::Statement {
                kind: StatementKind::Label(label),
                span: statement.span,
            });
        }
        Some(inner)
    }

    fn plain_statement(&mut self, statement: &ast::Statement, result: &mut Vec<hir::Statement>) {
        let span = statement.span;
        let kind = match &statement.kind {
            Syntax::Empty | Syntax::Error => return,
            Syntax::Case(..) | Syntax::Default(_) | Syntax::Label(..) => return,
            Syntax::Expression(expression) => StatementKind::Expression(self.effect(expression)),
            Syntax::Declaration(declaration) => {
                self.local_declaration(declaration, result);
                return;
            }
            Syntax::Block(block) => StatementKind::Block(self.block(block)),
            Syntax::If(condition, then, otherwise) => {
                self.if_statement(condition, then, otherwise.as_deref())
            }
            Syntax::While(condition, body) => StatementKind::Loop {
                condition: Some(self.statement_condition(condition)),
                test_last: false,
                step: None,
                body: self.loop_body(body),
            },
            Syntax::DoWhile(body, condition) => {
                let body = self.loop_body(body);
                StatementKind::Loop {
                    condition: Some(self.statement_condition(condition)),
                    test_last: true,
                    step: None,
                    body,
                }
            }
            Syntax::For {
                init,
                condition,
                step,
                body,
            } => self.for_statement(
                init.as_deref(),
                condition.as_ref(),
                step.as_ref(),
                body,
                span,
            ),
            Syntax::Foreach(foreach) => match self.foreach(foreach) {
                Some(foreach) => StatementKind::Foreach(Box::new(foreach)),
                None => return,
            },
            Syntax::Switch(value, body) => self.switch(value, body),
            Syntax::Goto(name) => {
                let label = self.context.label(&name.text);
                label.used.get_or_insert(name.span);
                StatementKind::Goto(label.id)
            }
            Syntax::Break => {
                if self.context.breakable == 0 {
                    self.error(
                        span,
                        "`break` outside of a loop or a switch",
                        "nothing to leave",
                    );
                }
                StatementKind::Break
            }
            Syntax::Continue => {
                if self.context.loops == 0 {
                    self.error(
                        span,
                        "`continue` outside of a loop",
                        "nothing to go on with",
                    );
                }
                StatementKind::Continue
            }
            Syntax::Return(value) => self.return_statement(value.as_ref(), span),
            Syntax::Try {
                body,
                fault,
                handler,
            } => self.try_statement(body, fault.as_ref(), handler),
            Syntax::Delete(expression) => match self.delete(expression) {
                Some(kind) => kind,
                None => return,
            },
            Syntax::Sort {
                container,
                by,
                descending,
            } => match self.sort(container, by.as_ref(), *descending, span) {
                Some(kind) => kind,
                None => return,
            },
        };
        result.push(hir::Statement { kind, span });
    }

    /// An expression for its effects; one without any is warned about.
    pub(super) fn effect(&mut self, expression: &ast::Expression) -> hir::Expression {
        let operand = self.operand(expression);
        let value = match operand {
            Operand::Container(container) => {
                self.warning(
                    container.span,
                    "this does nothing",
                    "a container is named, and nothing done with it",
                );
                return self.int(0, expression.span);
            }
            other => self.rvalue(other),
        };
        if !self.is_unknown(value.ty) && Self::is_pure(&value) {
            self.warning(
                expression.span,
                "the result is not used",
                format!("this computes {} and drops it", self.quoted(value.ty)),
            );
        }
        value
    }

    /// Whether evaluating does nothing but give a value.
    fn is_pure(value: &hir::Expression) -> bool {
        match &value.kind {
            ExpressionKind::Integer(_)
            | ExpressionKind::Float(_)
            | ExpressionKind::Str(_)
            | ExpressionKind::EmptyPath
            | ExpressionKind::Load(_)
            | ExpressionKind::AddressOf(_)
            | ExpressionKind::Unary(..)
            | ExpressionKind::Not(_)
            | ExpressionKind::Arithmetic(..)
            | ExpressionKind::Compare(..)
            | ExpressionKind::PointerAdd { .. }
            | ExpressionKind::PointerDifference { .. }
            | ExpressionKind::In(..)
            | ExpressionKind::Aggregate(_)
            | ExpressionKind::TableReduce { .. } => true,
            ExpressionKind::Format { string, .. } => *string,
            ExpressionKind::Convert(_, inner) => Self::is_pure(inner),
            _ => false,
        }
    }

    fn if_statement(
        &mut self,
        condition: &ast::Expression,
        then: &ast::Statement,
        otherwise: Option<&ast::Statement>,
    ) -> StatementKind {
        let condition = self.statement_condition(condition);
        let then = self.body(then);
        let otherwise = match otherwise {
            Some(otherwise) => self.body(otherwise),
            None => Vec::new(),
        };
        StatementKind::If(condition, then, otherwise)
    }

    /// The body of a loop.
    pub(super) fn loop_body(&mut self, body: &ast::Statement) -> Vec<hir::Statement> {
        self.context.breakable += 1;
        self.context.loops += 1;
        let statements = self.body(body);
        self.context.breakable -= 1;
        self.context.loops -= 1;
        statements
    }

    fn for_statement(
        &mut self,
        init: Option<&ast::Statement>,
        condition: Option<&ast::Expression>,
        step: Option<&ast::Expression>,
        body: &ast::Statement,
        span: Span,
    ) -> StatementKind {
        let statements = self.scoped(|checker| {
            let mut statements = Vec::new();
            if let Some(init) = init {
                checker.statement(init, &mut statements);
            }
            let condition = condition.map(|condition| checker.condition(condition));
            let step = step.map(|step| checker.effect(step));
            let body = checker.loop_body(body);
            statements.push(hir::Statement {
                kind: StatementKind::Loop {
                    condition,
                    test_last: false,
                    step,
                    body,
                },
                span,
            });
            statements
        });
        StatementKind::Block(statements)
    }

    fn return_statement(&mut self, value: Option<&ast::Expression>, span: Span) -> StatementKind {
        let result = self.context.result;
        let void = self.class(result) == Class::Void;
        let Some(expression) = value else {
            if !void && !self.is_unknown(result) {
                self.error(
                    span,
                    "`return` without a value",
                    format!("this function returns {}", self.quoted(result)),
                );
            }
            return StatementKind::Return(None);
        };
        let value = self.value(expression);
        if void {
            if self.class(value.ty) == Class::Void {
                return StatementKind::Return(Some(value));
            }
            if !self.is_unknown(value.ty) {
                let help = if self.context.probe {
                    "a probe returns nothing; write `return;`"
                } else {
                    "declare what it returns, or write `return;`"
                };
                self.error_help(span, "a value is returned from a void function", "", help);
            }
            return StatementKind::Return(None);
        }
        let value = self.assign_to(value, result, "the returned value");
        StatementKind::Return(Some(value))
    }

    fn try_statement(
        &mut self,
        body: &ast::Block,
        fault: Option<&ast::Name>,
        handler: &ast::Block,
    ) -> StatementKind {
        let body = self.block(body);
        let (fault, handler) = self.scoped(|checker| {
            let fault = fault.map(|name| {
                let ty = checker.builtin_record("_fault");
                checker.context.declare_local(&name.text, ty, name.span).0
            });
            (fault, checker.statements(&handler.statements))
        });
        StatementKind::Try {
            body,
            fault,
            handler,
        }
    }

    /// A declaration inside a function.
    fn local_declaration(
        &mut self,
        declaration: &ast::Declaration,
        result: &mut Vec<hir::Statement>,
    ) {
        let place = if declaration.typedef {
            Place::Typedef
        } else {
            Place::Program
        };
        let base = self.specifier(&declaration.base, place);
        for init in &declaration.declarators {
            let Some(name) = &init.declarator.name else {
                continue;
            };
            let ty = self.declarator_type(base, &init.declarator, place);
            let ty = self.initialized_type(ty, init.initializer.as_ref());
            if declaration.typedef {
                let ty = self.new_typedef(&init.declarator, ty);
                self.declare_once(name, |context, text| {
                    context.declare(text, LocalSymbol::Typedef(ty))
                });
                continue;
            }
            if !self.is_variable_type(ty, name) {
                // The name is known all the same, so that its uses are no errors.
                let unknown = self.basics.unknown;
                self.context.declare_local(&name.text, unknown, name.span);
                if let Some(ast::Initializer::Expression(expression)) = &init.initializer {
                    self.operand(expression);
                }
                continue;
            }
            let mut id = None;
            self.declare_once(name, |context, text| {
                let (local, previous) = context.declare_local(text, ty, name.span);
                id = Some(local);
                previous
            });
            let Some(id) = id else { continue };
            result.push(hir::Statement {
                kind: StatementKind::Declare(id),
                span: name.span,
            });
            if let Some(initializer) = &init.initializer {
                let variable = self.local_variable(id, ty, name.span);
                result.extend(self.initialize(variable, initializer, &name.text, name.span));
            }
        }
    }

    /// Declares a local name; the same name twice in one block is an error.
    fn declare_once(
        &mut self,
        name: &ast::Name,
        declare: impl FnOnce(&mut super::symbols::FunctionContext, &str) -> Option<LocalSymbol>,
    ) {
        let previous = declare(&mut self.context, &name.text);
        if previous.is_none() {
            return;
        }
        let first = match previous {
            Some(LocalSymbol::Variable(id)) => self
                .context
                .locals
                .get(id.0 as usize)
                .map(|local| local.span),
            _ => None,
        };
        let diagnostic = Diagnostic::error(
            name.span,
            format!("`{}` is declared twice in this block", name.text),
            "again here",
        );
        self.report(match first {
            Some(first) => diagnostic.with_secondary(first, "first here"),
            None => diagnostic,
        });
    }

    /// Every `goto` has a label.
    pub(super) fn check_labels(&mut self) {
        let mut missing: Vec<(String, Span)> = self
            .context
            .labels
            .iter()
            .filter(|(_, label)| label.defined.is_none())
            .filter_map(|(name, label)| Some((name.clone(), label.used?)))
            .collect();
        missing.sort_by_key(|(_, span)| span.start);
        let defined: Vec<String> = self
            .context
            .labels
            .iter()
            .filter(|(_, label)| label.defined.is_some())
            .map(|(name, _)| name.clone())
            .collect();
        for (name, span) in missing {
            let close = self.similar(&name, defined.iter().map(String::as_str));
            let diagnostic = Diagnostic::error(
                span,
                format!("no label `{name}` in this function"),
                "nowhere to go",
            );
            self.report(match super::suggest::did_you_mean(&close) {
                Some(help) => diagnostic.with_help(help),
                None => diagnostic,
            });
        }
    }
}
