//! What a name in an expression denotes.

use super::Checker;
use super::class::Operand;
use super::interactive::LAST;
use super::script::Ordinary;
use super::symbols::LocalSymbol;
use crate::ast;
use crate::hir::{self, ExpressionKind, PlaceKind};
use crate::source::Span;
use crate::target::VariableDescription;
use crate::types::{Type, TypeId};
use ytrace_values::Operation;

impl Checker<'_> {
    /// Whether a name denotes a value: a variable, a constant, a function of the target.
    pub(super) fn is_known_value(&mut self, name: &ast::Name) -> bool {
        if name.prefix.is_none() {
            match self.context.find(&name.text) {
                Some(LocalSymbol::Typedef(_)) => return false,
                Some(_) => return true,
                None => {}
            }
            if let Some((meaning, _)) = self.script.ordinary.get(name.text.as_str()) {
                return matches!(
                    meaning,
                    Ordinary::Global(_) | Ordinary::Enumerator(_) | Ordinary::Option(_)
                );
            }
            if matches!(name.text.as_str(), "NULL" | "true" | "false") {
                return true;
            }
        }
        let scope = self.scope_of(name);
        let Some(target) = self.target.as_deref_mut() else {
            return false;
        };
        matches!(target.find_variable(&scope, &name.text), Ok(Some(_)))
            || matches!(target.find_enumerator(&scope, &name.text), Ok(Some(_)))
            || matches!(target.find_function(&scope, &name.text), Ok(Some(_)))
    }

    /// What a name in an expression denotes. Unknown names are reported.
    pub(super) fn name_operand(&mut self, name: &ast::Name) -> Operand {
        if name.prefix.is_none() {
            if let Some(symbol) = self.context.find(&name.text) {
                return self.local_operand(symbol, name);
            }
            if name.text == LAST
                && let Some(operand) = self.earlier_value(LAST, name.span)
            {
                return operand;
            }
            if self.is_local_of_handler(name) {
                return self.unknown_operand(name.span);
            }
            if let Some((meaning, _)) = self.script.ordinary.get(name.text.as_str()) {
                let meaning = *meaning;
                // A prototype alone declares what the target has.
                if self.is_prototype(meaning)
                    && let Some(operand) = self.target_operand(name)
                {
                    return operand;
                }
                return self.script_operand(meaning, name);
            }
            match name.text.as_str() {
                "NULL" => {
                    return Operand::Value(self.integer(0, self.basics.void_pointer, name.span));
                }
                "true" => return Operand::Value(self.int(1, name.span)),
                "false" => return Operand::Value(self.int(0, name.span)),
                _ => {}
            }
        }
        match self.target_operand(name) {
            Some(operand) => operand,
            None => {
                self.report_unknown_value(name);
                self.unknown_operand(name.span)
            }
        }
    }

    fn report_unknown_value(&mut self, name: &ast::Name) {
        if self.find_named_type(name).is_some() {
            self.error(
                name.span,
                format!("`{}` is a type", name.text),
                "a value is wanted here",
            );
        } else {
            self.unknown_name(name);
        }
    }

    fn local_operand(&mut self, symbol: LocalSymbol, name: &ast::Name) -> Operand {
        match symbol {
            LocalSymbol::Variable(id) => {
                self.context.used.insert(id);
                let ty = self.context.local_type(id).unwrap_or(self.basics.unknown);
                self.local_variable(id, ty, name.span)
            }
            LocalSymbol::Enumerator(value, ty) => {
                Operand::Value(self.integer(value as u64, ty, name.span))
            }
            LocalSymbol::Typedef(_) => {
                self.error(
                    name.span,
                    format!("`{}` is a type", name.text),
                    "a value is wanted here",
                );
                self.unknown_operand(name.span)
            }
        }
    }

    /// A local as an operand.
    pub(super) fn local_variable(&self, id: hir::LocalId, ty: TypeId, span: Span) -> Operand {
        if self.types.is_container(ty) {
            return Operand::Container(hir::Container {
                kind: hir::ContainerKind::Local(id),
                ty,
                span,
            });
        }
        Operand::Place(hir::Place {
            kind: PlaceKind::Local(id),
            ty,
            span,
        })
    }

    /// A global as an operand.
    pub(super) fn global_variable(&self, id: hir::GlobalId, span: Span) -> Operand {
        let ty = self
            .globals
            .get(id.0 as usize)
            .map_or(self.basics.unknown, |global| global.ty);
        if self.types.is_container(ty) {
            return Operand::Container(hir::Container {
                kind: hir::ContainerKind::Global(id),
                ty,
                span,
            });
        }
        Operand::Place(hir::Place {
            kind: PlaceKind::Global(id),
            ty,
            span,
        })
    }

    /// Whether it is a function that has no body.
    fn is_prototype(&self, meaning: Ordinary<'_>) -> bool {
        match meaning {
            Ordinary::Function(index) => {
                let entry = self.script.functions.get(index);
                entry.is_some_and(|entry| entry.function.body.is_none())
            }
            _ => false,
        }
    }

    fn script_operand(&mut self, meaning: Ordinary<'_>, name: &ast::Name) -> Operand {
        match meaning {
            Ordinary::Option(id) => self.global_variable(id, name.span),
            Ordinary::Global(index) => match self.global_id(index) {
                Some(_) if self.in_global && self.interactive.is_none() => {
                    self.error_help(
                        name.span,
                        "the initializer of a global cannot read another global",
                        "globals are set before anything runs",
                        "set it in `_probe _begin { … }`",
                    );
                    self.unknown_operand(name.span)
                }
                Some(id) => self.global_variable(id, name.span),
                None => self.unknown_operand(name.span),
            },
            Ordinary::Enumerator(_) => {
                let definition = match self.script.ordinary.get(name.text.as_str()) {
                    Some((Ordinary::Enumerator(definition), _)) => Some(*definition),
                    _ => None,
                };
                match definition.and_then(|definition| self.enumerator(&name.text, definition)) {
                    Some((value, ty)) => Operand::Value(self.integer(value as u64, ty, name.span)),
                    None => {
                        self.error(
                            name.span,
                            format!("`{}` is used before it has a value", name.text),
                            "an enumerator may only refer to those before it",
                        );
                        self.unknown_operand(name.span)
                    }
                }
            }
            Ordinary::Function(_) => {
                self.error_help(
                    name.span,
                    format!("`{}` is a function of the script", name.text),
                    "it can only be called",
                    format!("write `{}(…)`", name.text),
                );
                self.unknown_operand(name.span)
            }
            Ordinary::Typedef(_) => {
                self.error(
                    name.span,
                    format!("`{}` is a type", name.text),
                    "a value is wanted here",
                );
                self.unknown_operand(name.span)
            }
        }
    }

    /// A variable, an enumerator or a function of the target.
    fn target_operand(&mut self, name: &ast::Name) -> Option<Operand> {
        let scope = self.scope_of(name);
        let target = self.target.as_deref_mut()?;
        match target.find_variable(&scope, &name.text) {
            Ok(None) => {}
            Ok(Some(variable)) => {
                let tid = self.current_tid(name.span);
                return Some(self.variable_operand(&name.text, variable, tid, name.span));
            }
            Err(error) => {
                self.lookup_error(name, error);
                return Some(self.unknown_operand(name.span));
            }
        }
        match self
            .target
            .as_deref_mut()?
            .find_enumerator(&scope, &name.text)
        {
            Ok(None) => {}
            Ok(Some((value, ty))) => {
                let int = self.basics.int;
                let ty = match ty.map(|ty| self.import(ty)) {
                    Some(ty) if i32::try_from(value).is_err() && !self.is_unknown(ty) => ty,
                    _ if i32::try_from(value).is_err() => self.basics.long,
                    _ => int,
                };
                return Some(Operand::Value(self.integer(value as u64, ty, name.span)));
            }
            Err(error) => {
                self.lookup_error(name, error);
                return Some(self.unknown_operand(name.span));
            }
        }
        match self
            .target
            .as_deref_mut()?
            .find_function(&scope, &name.text)
        {
            Ok(None) => None,
            Ok(Some(function)) => {
                let result = match function.result {
                    Some(result) => self.import(result),
                    None => self.basics.void,
                };
                let parameters = function
                    .parameters
                    .unwrap_or_default()
                    .into_iter()
                    .take(256)
                    .map(|(_, ty)| self.import(ty))
                    .collect();
                let ty = self.types.intern(Type::Function {
                    result,
                    parameters,
                    variadic: function.variadic,
                });
                let pointer = self.types.intern(Type::Pointer(ty));
                Some(Operand::Place(hir::Place {
                    kind: PlaceKind::Target(Box::new(self.integer(
                        function.address,
                        pointer,
                        name.span,
                    ))),
                    ty,
                    span: name.span,
                }))
            }
            Err(error) => {
                self.lookup_error(name, error);
                Some(self.unknown_operand(name.span))
            }
        }
    }

    /// The thread that the handler runs for.
    pub(super) fn current_tid(&self, span: Span) -> hir::Expression {
        hir::Expression {
            kind: ExpressionKind::Operation(Operation::Tid, Vec::new()),
            ty: self.basics.long,
            span,
        }
    }

    /// A variable of the target as a place. One without a type is a place of `void`, which can
    /// only have its address taken.
    pub(super) fn variable_operand(
        &mut self,
        name: &str,
        variable: VariableDescription,
        tid: hir::Expression,
        span: Span,
    ) -> Operand {
        let ty = match variable.ty {
            Some(ty) => self.import(ty),
            None => self.basics.void,
        };
        let pointer = self.types.intern(Type::Pointer(ty));
        let address = if variable.thread_local {
            let found = self
                .target
                .as_deref()
                .map(|target| target.thread_locals_of(variable.module));
            if let Some(Err(why)) = found {
                self.error_help(
                    span,
                    format!("`{name}` is thread-local, and where threads have it is not known"),
                    why,
                    "thread-local variables are found in the executable and in the libraries that it was started with",
                );
                return self.unknown_operand(span);
            }
            let index = self.thread_local_index(name, &variable);
            let index = self.integer(u64::from(index), self.basics.unsigned_int, span);
            hir::Expression {
                kind: ExpressionKind::Operation(Operation::ThreadLocal, vec![index, tid]),
                ty: pointer,
                span,
            }
        } else {
            self.integer(variable.address, pointer, span)
        };
        Operand::Place(hir::Place {
            kind: PlaceKind::Target(Box::new(address)),
            ty,
            span,
        })
    }

    fn thread_local_index(&mut self, name: &str, variable: &VariableDescription) -> u32 {
        let known = self
            .thread_locals
            .iter()
            .position(|known| known.module == variable.module && known.offset == variable.address);
        let index = known.unwrap_or_else(|| {
            self.thread_locals.push(hir::ThreadLocal {
                module: variable.module,
                offset: variable.address,
                name: name.to_owned(),
            });
            self.thread_locals.len() - 1
        });
        index as u32
    }
}
