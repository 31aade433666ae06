//! Calls of functions of the script, and what a call of anything else means.

use super::Checker;
use super::builtins;
use super::class::{Class, Operand};
use super::habits;
use super::script::Ordinary;
use crate::ast::{self, Argument};
use crate::diagnostics::Diagnostic;
use crate::hir::{self, CallArgument, ExpressionKind};
use crate::source::Span;

impl Checker<'_> {
    /// `callee(arguments)`.
    pub(super) fn call(
        &mut self,
        callee: &ast::Expression,
        arguments: &[Argument],
        span: Span,
    ) -> Operand {
        let ast::ExpressionKind::Name(name) = &callee.kind else {
            self.call_of_value(callee, arguments);
            return self.unknown_operand(span);
        };
        if name.prefix.is_none() {
            if self.context.find(&name.text).is_some() {
                self.call_of_value(callee, arguments);
                return self.unknown_operand(span);
            }
            match self.script.ordinary.get(name.text.as_str()) {
                Some((Ordinary::Function(index), _)) => {
                    let index = *index;
                    return Operand::Value(self.script_call(index, name, arguments, span));
                }
                Some(_) => {
                    self.call_of_value(callee, arguments);
                    return self.unknown_operand(span);
                }
                None => {}
            }
            if let Some(builtin) = builtins::find(&name.text) {
                return self.builtin_call(builtin, arguments, span);
            }
        }
        self.check_arguments(arguments);
        if self.is_known_value(name) {
            self.error_help(
                span,
                format!("`{}` is of the target, which is only ever read", name.text),
                "its code cannot be called",
                habits::function(&name.text).unwrap_or_else(|| {
                    "write the function in the script, in terms of what it reads".to_owned()
                }),
            );
        } else {
            self.unknown_function(name);
        }
        self.unknown_operand(span)
    }

    /// A call of something that is a value.
    fn call_of_value(&mut self, callee: &ast::Expression, arguments: &[Argument]) {
        let value = self.operand(callee);
        self.check_arguments(arguments);
        if self.is_unknown(value.ty()) {
            return;
        }
        let is_function = match self.class(value.ty()) {
            Class::Function => true,
            Class::Pointer(target) => self.class(target) == Class::Function,
            _ => false,
        };
        if is_function {
            self.error_help(
                callee.span,
                "a function of the target cannot be called",
                "the target is only ever read",
                "its name is `_usym(p)`",
            );
        } else {
            let found = self.quoted(value.ty());
            self.error(
                callee.span,
                "only functions can be called",
                format!("this is {found}"),
            );
        }
    }

    /// Checks arguments for their own errors.
    pub(super) fn check_arguments(&mut self, arguments: &[Argument]) {
        for argument in arguments {
            match argument {
                Argument::Expression(expression) => {
                    self.operand(expression);
                }
                Argument::Type(name) => {
                    self.type_name(name);
                }
            }
        }
    }

    fn script_call(
        &mut self,
        index: usize,
        name: &ast::Name,
        arguments: &[Argument],
        span: Span,
    ) -> hir::Expression {
        if self.in_global && self.interactive.is_none() {
            self.error_help(
                span,
                "the initializer of a global cannot call a function",
                "globals are set before anything runs",
                "set it in `_probe _begin { … }`",
            );
            return self.unknown(span);
        }
        let Some(signature) = self.signature(index) else {
            return self.unknown(span);
        };
        let Some(id) = self.function_id(&name.text) else {
            if self.reported.insert(("body", name.text.clone())) {
                self.error(
                    span,
                    format!("`{}` is declared, but has no body", name.text),
                    "called here",
                );
            }
            return self.unknown(span);
        };
        self.context.calls.entry(id).or_insert(span);
        let defined = self
            .script
            .functions
            .get(index)
            .map(|entry| entry.function.name.span);
        if arguments.len() != signature.parameters.len() {
            self.check_arguments(arguments);
            let wanted = signature.parameters.len();
            let diagnostic = Diagnostic::error(
                span,
                format!(
                    "`{}` takes {wanted} argument{}, not {}",
                    name.text,
                    if wanted == 1 { "" } else { "s" },
                    arguments.len()
                ),
                "called here",
            );
            self.report(match defined {
                Some(defined) => diagnostic.with_secondary(defined, "defined here"),
                None => diagnostic,
            });
            return self.unknown(span);
        }
        let mut converted = Vec::with_capacity(arguments.len());
        let mut failed = false;
        for (position, (argument, (ty, parameter))) in
            arguments.iter().zip(&signature.parameters).enumerate()
        {
            let what = match parameter {
                Some(parameter) => format!("the argument `{parameter}` of `{}`", name.text),
                None => format!("argument {} of `{}`", position + 1, name.text),
            };
            match self.argument(argument, *ty, &what) {
                Some(argument) => converted.push(argument),
                None => failed = true,
            }
        }
        if failed || self.is_unknown(signature.result) {
            return self.unknown(span);
        }
        hir::Expression {
            kind: ExpressionKind::Call(id, converted),
            ty: signature.result,
            span,
        }
    }

    fn argument(
        &mut self,
        argument: &Argument,
        ty: crate::types::TypeId,
        what: &str,
    ) -> Option<CallArgument> {
        let expression = match argument {
            Argument::Expression(expression) => expression,
            Argument::Type(name) => {
                self.error(
                    name.span,
                    format!("{what} must be a value"),
                    "this is a type",
                );
                return None;
            }
        };
        let operand = self.operand(expression);
        if !self.types.is_container(ty) {
            let value = self.rvalue(operand);
            let value = self.assign_to(value, ty, what);
            return (!self.is_unknown(value.ty)).then_some(CallArgument::Value(value));
        }
        match operand {
            Operand::Container(container) if self.same_type(container.ty, ty) => {
                Some(CallArgument::Container(container))
            }
            other => {
                if !self.is_unknown(other.ty()) {
                    let found = self.quoted(other.ty());
                    self.error(
                        expression.span,
                        format!("{what} must be {}", self.quoted(ty)),
                        format!("this is {found}"),
                    );
                }
                None
            }
        }
    }
}
