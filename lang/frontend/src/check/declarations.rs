//! Globals and functions of the script.

use super::script::{Ordinary, Progress, Signature};
use super::symbols::FunctionContext;
use super::types::Place;
use super::{Checker, Work};
use crate::ast;
use crate::hir;
use crate::lower::MAX_GLOBALS;
use crate::source::Span;
use crate::types::{Type, TypeId};

impl<'a> Checker<'a> {
    /// Checks what a top-level declaration declares.
    pub(super) fn check_global_declaration(&mut self, declaration: &'a ast::Declaration) {
        if declaration.declarators.is_empty() {
            self.specifier(&declaration.base, Place::Typedef);
        }
        for init in &declaration.declarators {
            let Some(name) = &init.declarator.name else {
                continue;
            };
            match self.script.ordinary.get(name.text.as_str()) {
                Some((Ordinary::Global(index), span)) if *span == name.span => {
                    let index = *index;
                    self.global_id(index);
                }
                Some((Ordinary::Typedef(_), _)) => {
                    self.find_named_type(name);
                }
                _ => {}
            }
        }
    }

    /// The id of a global, which is checked when it is first needed. `None` after an error.
    pub(super) fn global_id(&mut self, index: usize) -> Option<hir::GlobalId> {
        let entry = self.script.globals.get_mut(index)?;
        match entry.progress {
            Progress::Done(id) => return id,
            Progress::Running => {
                let span = entry.declarator.declarator.span;
                self.error(span, "a global whose type or value needs itself", "");
                return None;
            }
            Progress::Waiting => entry.progress = Progress::Running,
        }
        let (declaration, init) = (entry.declaration, entry.declarator);
        let documentation = entry.documentation.map(str::to_owned);
        let void = self.basics.void;
        let outer = std::mem::replace(&mut self.context, FunctionContext::new(void));
        let in_global = std::mem::replace(&mut self.in_global, true);
        let id = self.new_global(declaration, init, documentation);
        self.in_global = in_global;
        self.context = outer;
        if let Some(entry) = self.script.globals.get_mut(index) {
            entry.progress = Progress::Done(id);
        }
        id
    }

    fn new_global(
        &mut self,
        declaration: &'a ast::Declaration,
        init: &'a ast::InitDeclarator,
        documentation: Option<String>,
    ) -> Option<hir::GlobalId> {
        let name = init.declarator.name.as_ref()?;
        let base = self.specifier(&declaration.base, Place::Program);
        let ty = self.declarator_type(base, &init.declarator, Place::Program);
        let ty = self.initialized_type(ty, init.initializer.as_ref());
        if !self.is_variable_type(ty, name) {
            return None;
        }
        let id = self.add_global(&name.text, ty, name.span, documentation);
        if let Some(initializer) = &init.initializer {
            let variable = self.global_variable(id, name.span);
            let statements = self.initialize(variable, initializer, &name.text, name.span);
            if let Some(global) = self.globals.get_mut(id.0 as usize) {
                global.initializer = statements;
            }
        }
        Some(id)
    }

    /// Adds a global without an initializer.
    pub(super) fn add_global(
        &mut self,
        name: &str,
        ty: TypeId,
        span: Span,
        documentation: Option<String>,
    ) -> hir::GlobalId {
        let id = hir::GlobalId(self.globals.len() as u32);
        self.globals.push(hir::Global {
            name: name.to_owned(),
            ty,
            initializer: Vec::new(),
            span,
            documentation,
        });
        id
    }

    /// Whether a variable can have the type; if not, the error is reported.
    pub(super) fn is_variable_type(&mut self, ty: TypeId, name: &ast::Name) -> bool {
        self.complete_value(ty);
        match self.types.resolved(ty) {
            Type::Unknown => return false,
            Type::Void | Type::Function { .. } => {
                self.error(
                    name.span,
                    format!("a variable cannot be {}", self.quoted(ty)),
                    "this has no value",
                );
                return false;
            }
            Type::Aggregate => return true,
            Type::Growing(element) => {
                let element = *element;
                return self.types.is_container(element) || self.has_size(element, name);
            }
            Type::Table(_, value) => {
                let value = *value;
                return self.types.is_container(value) || self.has_size(value, name);
            }
            _ => {}
        }
        self.has_size(ty, name)
    }

    fn has_size(&mut self, ty: TypeId, name: &ast::Name) -> bool {
        match self.size_of(ty) {
            _ if self.is_unknown(ty) => false,
            None => {
                self.error(
                    name.span,
                    format!("the size of {} is not known", self.quoted(ty)),
                    "the type is incomplete",
                );
                false
            }
            Some(size) if size > MAX_GLOBALS => {
                self.error_help(
                    name.span,
                    format!("this variable takes {size} bytes"),
                    format!("{MAX_GLOBALS} are the most"),
                    "use a table or a growing array",
                );
                false
            }
            Some(_) => true,
        }
    }

    /// The id of a function of the script; its body will be checked. `None` if it has none.
    pub(super) fn function_id(&mut self, name: &str) -> Option<hir::FunctionId> {
        let Some((Ordinary::Function(index), _)) = self.script.ordinary.get(name) else {
            return None;
        };
        let entry = self.script.functions.get_mut(*index)?;
        if let Some(id) = entry.id {
            return Some(id);
        }
        entry.function.body.as_ref()?;
        let id = hir::FunctionId(self.functions.len() as u32);
        entry.id = Some(id);
        let function = entry.function;
        self.functions.push(None);
        self.queue.push_back(Work { id, function });
        Some(id)
    }

    /// The signature of a function of the script.
    pub(super) fn signature(&mut self, index: usize) -> Option<Signature> {
        let entry = self.script.functions.get(index)?;
        if let Some(signature) = &entry.signature {
            return Some(signature.clone());
        }
        let function = entry.function;
        let void = self.basics.void;
        let outer = std::mem::replace(&mut self.context, FunctionContext::new(void));
        let signature = self.new_signature(function);
        self.context = outer;
        if let Some(entry) = self.script.functions.get_mut(index) {
            entry.signature = Some(signature.clone());
        }
        Some(signature)
    }

    fn new_signature(&mut self, function: &'a ast::Function) -> Signature {
        let mut result = self.type_name(&function.result);
        self.complete_value(result);
        if self.types.is_container(result) || matches!(self.types.resolved(result), Type::Array(..))
        {
            self.error_help(
                function.result.span,
                format!("a function cannot return {}", self.quoted(result)),
                "containers go by reference",
                "pass the container to be filled as a parameter",
            );
            result = self.basics.unknown;
        }
        let mut parameters = Vec::new();
        for parameter in &function.parameters {
            let mut ty = self.type_name(&parameter.ty);
            let name = parameter.name.as_ref().map(|name| name.text.clone());
            match self.types.resolved(ty) {
                // `f(void)`.
                Type::Void if name.is_none() && function.parameters.len() == 1 => continue,
                Type::Array(element, _) => {
                    let element = *element;
                    ty = self.types.intern(Type::Pointer(element));
                }
                Type::Function { .. } => ty = self.types.intern(Type::Pointer(ty)),
                _ => {
                    let stand_in = parameter.name.clone().unwrap_or_else(|| ast::Name {
                        prefix: None,
                        text: String::new(),
                        span: parameter.ty.span,
                    });
                    if !self.is_variable_type(ty, &stand_in) {
                        ty = self.basics.unknown;
                    }
                }
            }
            parameters.push((ty, name));
        }
        Signature { parameters, result }
    }

    /// Checks the body of a function.
    pub(super) fn check_function(
        &mut self,
        id: hir::FunctionId,
        function: &'a ast::Function,
    ) -> hir::Function {
        let signature = match self.script.ordinary.get(function.name.text.as_str()) {
            Some((Ordinary::Function(index), _)) => {
                let index = *index;
                self.signature(index)
            }
            _ => None,
        }
        .unwrap_or_else(|| Signature {
            parameters: Vec::new(),
            result: self.basics.void,
        });
        self.context = FunctionContext::new(signature.result);
        let named = function
            .parameters
            .iter()
            .filter(|_| !signature.parameters.is_empty());
        for (parameter, (ty, name)) in named.zip(&signature.parameters) {
            let span = parameter
                .name
                .as_ref()
                .map_or(parameter.ty.span, |name| name.span);
            match name {
                Some(name) => {
                    let (_, collides) = self.context.declare_local(name, *ty, span);
                    if collides.is_some() {
                        self.error(span, format!("two parameters are called `{name}`"), "");
                    }
                }
                None => {
                    self.context.hidden_local("", *ty, span);
                }
            }
        }
        let body = match &function.body {
            Some(block) => self.statements(&block.statements),
            None => Vec::new(),
        };
        self.check_labels();
        let context = std::mem::replace(&mut self.context, FunctionContext::new(self.basics.void));
        self.note_asked(id, &context);
        hir::Function {
            name: function.name.text.clone(),
            parameters: signature.parameters.len() as u32,
            locals: context.locals,
            result: signature.result,
            body,
            late: function.late,
            span: function.name.span,
        }
    }
}
