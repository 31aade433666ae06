//! The heads of probes on functions: which ones they name, their parameters and results. `sites.rs` has the other points.

mod awaited;

pub use awaited::misfit;

use super::Checker;
use super::class::Class;
use super::hits::{Arguments, Hit, HitValue};
use super::script::Ordinary;
use super::suggest::did_you_mean;
use crate::abi::{self, CallLayout, Location, Word};
use crate::ast::{self, FunctionReference, ProbeParameters, ProbeResult};
use crate::diagnostics::Diagnostic;
use crate::hir::{AwaitedFunctions, EventFunction, EventSite};
use crate::source::Span;
use crate::target::{
    CopyDescription, FunctionDescription, InlinedPlace, LookupError, NameKind, ParameterPlace,
};
use crate::types::{Type, TypeId};

/// Parameters beyond these are not looked at.
const MOST_PARAMETERS: usize = 256;

const UNCLEAR_COPY: &str = "it is a copy that the compiler made of one of several functions of that name, and nothing tells of which";
const IN_PARTS: &str =
    "a copy of the function that the compiler made for some callers is hit, which has it in parts";
const UNKNOWN_PLACE: &str = "a copy of the function that the compiler made for some callers is hit, and nothing tells where that has it (`_arg(n)` are the registers of arguments)";

/// Of a pattern that matches nothing, no more letters are tried.
const MOST_LETTERS: usize = 64;

/// A shorter part of a name is part of too many others.
const SHORTEST_STEM: usize = 3;

/// A function that a head names.
struct Found {
    function: EventFunction,
    prototype: Option<Prototype>,
    /// Where it has its parameters, if not where the calling convention has them.
    places: Option<Vec<ParameterPlace>>,
    /// The other code that its calls enter.
    copies: Vec<CopyDescription>,
    /// Copies that may be another function's.
    unclear: Vec<String>,
}

/// What debug information says of a function.
#[derive(Clone)]
pub(super) struct Prototype {
    pub(super) parameters: Vec<(Option<String>, TypeId)>,
    /// `void` for a function without a result.
    result: TypeId,
    variadic: bool,
}

/// What the head of a probe on functions says.
struct Head<'a> {
    parameters: &'a ProbeParameters,
    result: Option<&'a ProbeResult>,
    span: Span,
}

impl<'a> Checker<'a> {
    /// The event of a probe on functions.
    pub(super) fn function_event(
        &mut self,
        reference: &'a FunctionReference,
        parameters: &'a ProbeParameters,
        result: Option<&'a ProbeResult>,
    ) -> Hit {
        self.awaited = None;
        let (found, name_span) = match reference {
            FunctionReference::Named(name) => (self.functions_named(name), name.span),
            FunctionReference::Computed(expression) => {
                (self.functions_computed(expression), expression.span)
            }
        };
        let head = Head {
            parameters,
            result,
            span: name_span,
        };
        let mut hit = Hit::at(None);
        hit.awaited = self.awaited.take();
        hit.at_return = result.is_some();
        hit.on_functions = true;
        hit.arguments = Arguments::Function { hidden: 0 };
        self.fill_head(&head, found.as_deref().unwrap_or_default(), &mut hit);
        match found {
            Some(found) if found.is_empty() && self.asks_debug_information(&head) => {
                hit.nameless = true;
                self.error_help(
                    name_span,
                    "the parameters of a function that is not there yet are not known",
                    "no module of the target has it",
                    "write them, `f(void *p, size_t n) -> long r`, or ask for `_arg(0)`",
                );
            }
            Some(found) => {
                if let [only] = found.as_slice() {
                    hit.function = Some(only.function.name.clone());
                }
                let mut functions: Vec<EventFunction> = Vec::new();
                for found in found {
                    let module = found.function.module;
                    let unclear = found.unclear.into_iter();
                    hit.left_out
                        .extend(unclear.map(|name| (name, UNCLEAR_COPY.to_owned())));
                    let copies = found.copies.into_iter().map(|copy| EventFunction {
                        name: copy.name,
                        module,
                        address: copy.address,
                    });
                    for function in std::iter::once(found.function).chain(copies) {
                        // Equal functions may share their code.
                        let known = functions.iter().any(|known| {
                            (known.address, known.module) == (function.address, module)
                        });
                        if !known {
                            functions.push(function);
                        }
                    }
                }
                hit.site = Some(EventSite::Functions(functions));
            }
            // Without the function its parameters have no names.
            None => hit.nameless |= self.target.is_some() && self.asks_debug_information(&head),
        }
        hit
    }

    /// Whether names or types of a head come from debug information.
    fn asks_debug_information(&self, head: &Head<'_>) -> bool {
        matches!(head.parameters, ProbeParameters::Dots)
            || matches!(head.result, Some(ProbeResult::Named(_)))
    }

    /// The functions of a name or a pattern; `None` after an error, or without a target.
    fn functions_named(&mut self, name: &ast::Name) -> Option<Vec<Found>> {
        let scope = self.scope_of(name);
        let Some(target) = self.target.as_deref_mut() else {
            self.add_unresolved(name.span, name.text.clone());
            return None;
        };
        let awaits = target.awaits_functions();
        let awaited = || AwaitedFunctions {
            scope: scope.clone(),
            name: name.text.clone(),
            parameters: Vec::new(),
            result: None,
            layout: CallLayout::default(),
        };
        let is_pattern = name.text.contains(['*', '?']);
        match target.find_function(&scope, &name.text) {
            Ok(Some(function)) => {
                let found = self.found(name.text.clone(), function);
                return Some(vec![found]);
            }
            Ok(None) => {}
            // All functions of the name are meant, which may differ in their parameters.
            Err(LookupError::Ambiguous { .. }) if name.text.contains("::") => {}
            Err(LookupError::NoSuchPrefix { .. }) if awaits => {
                self.awaited = Some(awaited());
                return Some(Vec::new());
            }
            Err(LookupError::NoSuchPrefix {
                prefix,
                suggestions,
            }) if suggestions.is_empty() && prefix.contains(".so") => {
                self.error_help(
                    name.span,
                    format!("no module or source file `{prefix}` in the target"),
                    "it is not loaded",
                    "if the target loads it later, `--pending` waits for it",
                );
                return None;
            }
            Err(error) => {
                self.lookup_error(name, error);
                return None;
            }
        }
        let most = self.most_probes;
        let target = self.target.as_deref_mut()?;
        let matches = match target.find_functions(&scope, &name.text, most) {
            Ok(matches) => matches,
            Err(error) => {
                self.lookup_error(name, error);
                return None;
            }
        };
        if matches.total > most {
            self.error_help(
                name.span,
                format!("`{}` matches {} functions", name.text, matches.total),
                format!("{most} are the most that one probe may be on"),
                "narrow the pattern, or name a module: `libc.so.6::`…``; `--max-probes` allows more",
            );
            return None;
        }
        if awaits && (is_pattern || matches.functions.is_empty()) {
            self.awaited = Some(awaited());
        } else if matches.functions.is_empty() {
            match is_pattern {
                true => self.no_function_matches(name),
                false => self.unknown_target_function(name),
            }
            return None;
        }
        let mut found: Vec<Found> = Vec::with_capacity(matches.functions.len());
        for (name, function) in matches.functions {
            // Names of the same code are one function.
            let known = found.iter().any(|known| {
                known.function.address == function.address
                    && known.function.module == function.module
            });
            if !known {
                let function = self.found(name, function);
                found.push(function);
            }
        }
        Some(found)
    }

    /// `_func(expression)`: the functions that a constant or an option names.
    fn functions_computed(&mut self, expression: &'a ast::Expression) -> Option<Vec<Found>> {
        let text = self.constant_text(expression, "the name of a function")?;
        let name = |prefix: Option<&str>, text: &str| ast::Name {
            prefix: prefix.map(str::to_owned),
            text: text.to_owned(),
            span: expression.span,
        };
        let whole = name(None, &text);
        if let Some((prefix, rest)) = text.split_once("::") {
            // A name of C++ has colons of its own.
            let scope = self.scope_of(&whole);
            let known = self
                .target
                .as_deref_mut()
                .map(|target| target.find_function(&scope, &text));
            if !matches!(known, Some(Ok(Some(_)))) {
                return self.functions_named(&name(Some(prefix), rest));
            }
        }
        self.functions_named(&whole)
    }

    fn found(&mut self, name: String, function: FunctionDescription) -> Found {
        let FunctionDescription {
            module,
            address,
            parameters,
            result,
            variadic,
            places,
            copies,
            unclear_copies,
        } = function;
        let prototype = parameters.map(|parameters| Prototype {
            parameters: parameters
                .into_iter()
                .take(MOST_PARAMETERS)
                .map(|(name, ty)| {
                    let ty = self.import(ty);
                    self.complete_value(ty);
                    (name, ty)
                })
                .collect(),
            result: match result {
                Some(result) => {
                    let result = self.import(result);
                    self.complete_value(result);
                    result
                }
                None => self.basics.void,
            },
            variadic,
        });
        Found {
            function: EventFunction {
                name,
                module,
                address,
            },
            prototype,
            places,
            copies,
            unclear: unclear_copies,
        }
    }

    /// Reports a function that the target lacks.
    fn unknown_target_function(&mut self, name: &ast::Name) {
        let scope = self.scope_of(name);
        let mut is_variable = false;
        let mut inlined = Vec::new();
        let mut close = Vec::new();
        let mut reasons = Vec::new();
        if let Some(target) = self.target.as_deref_mut() {
            is_variable = matches!(target.find_variable(&scope, &name.text), Ok(Some(_)));
            inlined = target.inlined_at(&scope, &name.text);
            close = target.suggest(&scope, NameKind::Symbol, &name.text);
            close.retain(|close| *close != name.text);
            reasons = target.missing_debug_information();
        }
        if is_variable {
            self.error_help(
                name.span,
                format!("`{}` is a variable of the target", name.text),
                "a probe is on a function",
                format!(
                    "who changes it, `_probe _watch(&{}, 8, \"w\")` tells",
                    name.text
                ),
            );
            return;
        }
        if let Some(first) = inlined.first() {
            let InlinedPlace { file, line, .. } = first;
            let shown: Vec<String> = inlined.iter().take(3).map(InlinedPlace::shown).collect();
            let more = if inlined.len() > shown.len() {
                ", …"
            } else {
                ""
            };
            self.error_help(
                name.span,
                format!("`{}` is only inlined: no code of it is called", name.text),
                format!("it is part of {}{more}", shown.join(", ")),
                format!(
                    "probe a line of it, `_line(\"{file}\", {line})`, or a function that it is in"
                ),
            );
            return;
        }
        let label = match &name.prefix {
            Some(prefix) => format!("`{prefix}` has no such function"),
            None => "the target has no such function".to_owned(),
        };
        let diagnostic =
            Diagnostic::error(name.span, format!("no function `{}`", name.text), label);
        let help = self.outside_of_backquotes(name);
        let help = help.or_else(|| did_you_mean(&close)).or_else(|| {
            let shown: Vec<String> = reasons.into_iter().take(3).collect();
            (!shown.is_empty()).then(|| shown.join("\n"))
        });
        self.report(match help {
            Some(help) => diagnostic.with_help(help),
            None => diagnostic,
        });
    }

    /// Reports a pattern that no function matches.
    fn no_function_matches(&mut self, name: &ast::Name) {
        let scope = self.scope_of(name);
        // What stands between the stars is what was meant, or its beginning.
        let stem: Vec<char> = name
            .text
            .split(['*', '?'])
            .max_by_key(|part| part.len())
            .unwrap_or_default()
            .chars()
            .take(MOST_LETTERS)
            .collect();
        let mut close = Vec::new();
        for length in (SHORTEST_STEM..=stem.len()).rev() {
            let beginning: String = stem.iter().take(length).collect();
            let Some(target) = self.target.as_deref_mut() else {
                break;
            };
            let found = target.find_functions(&scope, &format!("*{beginning}*"), self.most_probes);
            // A failed look-up has been reported for the pattern itself.
            if let Ok(found) = found
                && found.total > 0
            {
                close.extend(found.functions.into_iter().map(|(name, _)| name).take(3));
                break;
            }
        }
        let diagnostic = Diagnostic::error(
            name.span,
            format!("no function matches `{}`", name.text),
            "`*` stands for any text, `?` for one character",
        );
        let help = self.outside_of_backquotes(name);
        self.report(match help.or_else(|| did_you_mean(&close)) {
            Some(help) => diagnostic.with_help(help),
            None => diagnostic,
        });
    }

    /// What to write where the name of a module is part of a name in backquotes.
    fn outside_of_backquotes(&mut self, name: &ast::Name) -> Option<String> {
        let (prefix, rest) = name.text.split_once("::")?;
        self.target.as_deref_mut()?.find_module(prefix)?;
        Some(format!(
            "`{prefix}` is a module, which stands outside of the backquotes: {prefix}::`{rest}`"
        ))
    }

    /// Warns of parameters that nobody has written and that hide variables of the script.
    fn warn_of_hidden(&mut self, names: &[(Option<String>, TypeId, Span)]) {
        for (name, _, span) in names {
            let Some(name) = name else { continue };
            let known = self.script.ordinary.get(name.as_str());
            if matches!(known, Some((Ordinary::Global(_), _))) {
                self.report(
                    Diagnostic::warning(
                        *span,
                        format!("`{name}` is a parameter here, and not the variable of this file"),
                        "`(...)` names all parameters as the debug information does",
                    )
                    .with_help("rename the variable, or write the parameters that are wanted"),
                );
            }
        }
    }

    /// Parameters and result of a head, and where they are.
    fn fill_head(&mut self, head: &Head<'a>, found: &[Found], hit: &mut Hit) {
        let declared = self.declared_parameters(head.parameters);
        let declared_result = match head.result {
            Some(ProbeResult::Typed(parameter)) => self.declared_result(parameter),
            _ => None,
        };
        for found in found {
            if let Some(prototype) = &found.prototype {
                self.check_head(head, &declared, declared_result, &found.function, prototype);
            }
        }
        // Where the first ordinary function has its parameters, the others have theirs; of copies each has its own places.
        let first = found.iter().position(|found| found.places.is_none());
        let first = first.or((!found.is_empty()).then_some(0));
        let layout = self.layout_of(
            first.and_then(|first| found.get(first)),
            &declared,
            declared_result,
        );
        let mut copies = Vec::new();
        for (index, found) in found.iter().enumerate() {
            let is_first = first == Some(index);
            match &found.places {
                Some(places) => {
                    let function = &found.function;
                    let name = (function.name.as_str(), function.address);
                    let copy = self.copy_of(name, found.prototype.as_ref(), places, &declared);
                    match is_first {
                        true => hit.first_copy = Some(copy.0),
                        false => copies.push(copy),
                    }
                }
                None if is_first => {}
                None => {
                    let this = self.layout_of(Some(found), &declared, declared_result);
                    if differs(&layout, &this, declared.len(), head.result) {
                        let message = "the functions of this pattern do not have these parameters in the same places";
                        let label = format!("`{}` differs from the first", found.function.name);
                        self.error_help(
                            head.span,
                            message,
                            label,
                            "narrow the pattern, or ask for registers: `_arg(n)`",
                        );
                        return;
                    }
                }
            }
            for copy in &found.copies {
                let Some(places) = &copy.places else {
                    continue;
                };
                let (name, prototype) = ((copy.name.as_str(), copy.address), &found.prototype);
                copies.push(self.copy_of(name, prototype.as_ref(), places, &declared));
            }
        }
        hit.arguments = Arguments::Function {
            hidden: layout.hidden,
        };
        let words = found
            .iter()
            .map(|found| self.words_of(found.prototype.as_ref()?));
        hit.most_words = words
            .collect::<Option<Vec<usize>>>()
            .and_then(|all| all.into_iter().max());
        let names: Vec<(Option<String>, TypeId, Span)> = match head.parameters {
            ProbeParameters::Dots => {
                let names = self.parameters_of_all(head, found, hit);
                self.warn_of_hidden(&names);
                names
            }
            _ => declared,
        };
        if let Some(awaited) = &mut hit.awaited {
            awaited.parameters = names.iter().map(|(_, ty, _)| *ty).collect();
            awaited.layout = layout.clone();
        }
        let at = |list: &[Location], index: usize| {
            let location = list.get(index).cloned();
            location.unwrap_or(Location::OutOfReach("the function has fewer parameters"))
        };
        for (index, (name, ty, span)) in names.into_iter().enumerate() {
            if let Some(name) = name {
                let in_copies = copies.iter().map(|(_, parameters)| at(parameters, index));
                hit.parameters.push(HitValue {
                    name,
                    ty,
                    location: at(&layout.parameters, index),
                    in_copies: in_copies.collect(),
                    span,
                });
            }
        }
        hit.copies = copies.into_iter().map(|(copy, _)| copy).collect();
        self.fill_result(head, found, declared_result, layout.result, hit);
    }

    fn fill_result(
        &mut self,
        head: &Head<'a>,
        found: &[Found],
        declared: Option<TypeId>,
        location: Option<Location>,
        hit: &mut Hit,
    ) {
        let (name, ty) = match head.result {
            None | Some(ProbeResult::Void) => return,
            Some(ProbeResult::Named(name)) => {
                let ty = self.result_of_all(name, found).unwrap_or_else(|| {
                    hit.nameless |= self.target.is_some();
                    self.basics.unknown
                });
                (name, ty)
            }
            Some(ProbeResult::Typed(parameter)) => {
                let Some(name) = &parameter.name else { return };
                (name, declared.unwrap_or(self.basics.unknown))
            }
        };
        if let Some(awaited) = &mut hit.awaited {
            awaited.result = Some(ty);
        }
        hit.result = Some(HitValue {
            name: name.text.clone(),
            ty,
            location: location.unwrap_or(Location::OutOfReach("the function returns nothing")),
            in_copies: Vec::new(),
            span: name.span,
        });
    }

    /// The type of a result that the head only names; `None` after an error.
    fn result_of_all(&mut self, name: &ast::Name, found: &[Found]) -> Option<TypeId> {
        let mut ty: Option<TypeId> = None;
        for found in found {
            let function = &found.function.name;
            let Some(prototype) = &found.prototype else {
                self.error_help(
                    name.span,
                    format!("the type of what `{function}` returns is not known"),
                    "there is no debug information about it",
                    format!("write its type: `-> long {}`", name.text),
                );
                return None;
            };
            if self.class(prototype.result) == Class::Void {
                self.returns_nothing(name.span, function);
                return None;
            }
            match ty {
                Some(first) if !self.same_type(first, prototype.result) => {
                    let (first, other) = (self.quoted(first), self.quoted(prototype.result));
                    self.error_help(
                        name.span,
                        "the functions of this pattern return different types",
                        format!("{first} and {other} (`{function}`)"),
                        format!("write a type that fits all: `-> long {}`", name.text),
                    );
                    return None;
                }
                _ => ty = Some(prototype.result),
            }
        }
        let ty = ty?;
        let hint = "write `-> _void`";
        self.is_passable(ty, name.span, hint).then_some(ty)
    }

    /// Whether values of a type of the target can be had: its size is known. Else that is an error.
    fn is_passable(&mut self, ty: TypeId, span: Span, hint: &str) -> bool {
        if self.is_unknown(ty) {
            return true;
        }
        self.complete_value(ty);
        if self.size_of(ty).is_some() {
            return true;
        }
        self.error_help(
            span,
            format!("the size of {} is not known", self.quoted(ty)),
            "the type is incomplete in the debug information",
            hint,
        );
        false
    }

    fn returns_nothing(&mut self, span: Span, function: &str) {
        self.error_help(
            span,
            format!("`{function}` returns nothing"),
            "there is no result to name",
            "write `-> _void`",
        );
    }

    /// Names and types of `(...)`.
    fn parameters_of_all(
        &mut self,
        head: &Head<'a>,
        found: &[Found],
        hit: &mut Hit,
    ) -> Vec<(Option<String>, TypeId, Span)> {
        let mut first: Option<(&EventFunction, &Prototype)> = None;
        for found in found {
            let function = &found.function;
            let Some(prototype) = &found.prototype else {
                hit.nameless = true;
                self.error_help(
                    head.span,
                    format!("the parameters of `{}` are not known", function.name),
                    "there is no debug information about it",
                    format!(
                        "write them, `{}(void *p, size_t n)`, or ask for `_arg(0)`",
                        function.name
                    ),
                );
                return Vec::new();
            };
            let Some((other, known)) = first else {
                first = Some((function, prototype));
                continue;
            };
            let same = known.parameters.len() == prototype.parameters.len()
                && known.parameters.iter().zip(&prototype.parameters).all(
                    |((name, ty), (other, other_ty))| {
                        name == other && self.same_type(*ty, *other_ty)
                    },
                );
            if !same {
                hit.nameless = true;
                let (written, other_written) = (
                    self.written_prototype(&other.name, known),
                    self.written_prototype(&function.name, prototype),
                );
                self.error_help(
                    head.span,
                    "the functions of this pattern have different parameters",
                    format!("`{written}` and `{other_written}`"),
                    "write those that all of them have, or none, and ask for `_arg(0)`, `_arg(1)` …",
                );
                return Vec::new();
            }
        }
        let Some((_, prototype)) = first else {
            return Vec::new();
        };
        let hint = "write the parameters that are needed, or ask for registers: `_arg(n)`";
        for (name, ty) in &prototype.parameters {
            if name.is_some() && !self.is_passable(*ty, head.span, hint) {
                hit.nameless = true;
                return Vec::new();
            }
        }
        let parameters = prototype.parameters.iter();
        parameters
            .map(|(name, ty)| (name.clone(), *ty, head.span))
            .collect()
    }

    /// A prototype as C writes it.
    fn written_prototype(&self, name: &str, prototype: &Prototype) -> String {
        let mut parameters: Vec<String> = prototype
            .parameters
            .iter()
            .map(|(name, ty)| {
                let ty = self.types.name_of(*ty);
                match name {
                    Some(name) if ty.ends_with('*') => format!("{ty}{name}"),
                    Some(name) => format!("{ty} {name}"),
                    None => ty,
                }
            })
            .collect();
        if prototype.variadic {
            parameters.push("...".to_owned());
        }
        if parameters.is_empty() {
            parameters.push("void".to_owned());
        }
        format!("{name}({})", parameters.join(", "))
    }

    /// The parameters that a head declares, arrays and functions being pointers as in C.
    fn declared_parameters(
        &mut self,
        parameters: &'a ProbeParameters,
    ) -> Vec<(Option<String>, TypeId, Span)> {
        let ProbeParameters::Declared(parameters) = parameters else {
            return Vec::new();
        };
        let mut declared = Vec::with_capacity(parameters.len());
        for parameter in parameters.iter().take(MOST_PARAMETERS) {
            let ty = self.type_name(&parameter.ty);
            let span = parameter
                .name
                .as_ref()
                .map_or(parameter.ty.span, |name| name.span);
            // `f(void)`.
            if self.class(ty) == Class::Void && parameter.name.is_none() && parameters.len() == 1 {
                break;
            }
            let ty = self.passed_type(ty, parameter);
            let name = parameter.name.as_ref().map(|name| name.text.clone());
            declared.push((name, ty, span));
        }
        declared
    }

    /// The type that a parameter or a result has; unknown after an error.
    fn passed_type(&mut self, ty: TypeId, parameter: &ast::Parameter) -> TypeId {
        match self.types.resolved(ty) {
            Type::Array(element, _) | Type::Growing(element) => {
                let element = *element;
                return self.types.intern(Type::Pointer(element));
            }
            Type::Function { .. } => return self.types.intern(Type::Pointer(ty)),
            _ => {}
        }
        if self.types.is_container(ty) || self.holds_handles(ty) {
            let found = self.quoted(ty);
            self.error_help(
                parameter.ty.span,
                "a function of the target takes and gives types of C",
                format!("{found} lives in the tracer"),
                "text is a `char *`, from which `_tostr(s)` makes a `_str`",
            );
            return self.basics.unknown;
        }
        let stand_in = parameter.name.clone().unwrap_or_else(|| ast::Name {
            prefix: None,
            text: String::new(),
            span: parameter.ty.span,
        });
        if self.is_variable_type(ty, &stand_in) {
            ty
        } else {
            self.basics.unknown
        }
    }

    fn declared_result(&mut self, parameter: &'a ast::Parameter) -> Option<TypeId> {
        let ty = self.type_name(&parameter.ty);
        if self.class(ty) == Class::Void {
            self.error_help(
                parameter.ty.span,
                "a result cannot be `void`",
                "there is no value to name",
                "a probe on the return of such a function is `-> _void`",
            );
            return None;
        }
        Some(self.passed_type(ty, parameter))
    }

    /// Where a function has its parameters and its result: by debug information, else as declared.
    /// How many integers and pointers a function takes; `None` where it takes any number, or values that may be passed as such.
    fn words_of(&self, prototype: &Prototype) -> Option<usize> {
        let words = prototype
            .parameters
            .iter()
            .map(|(_, ty)| match self.class(*ty) {
                Class::Bool
                | Class::Integer { size: ..=8, .. }
                | Class::Enum(_)
                | Class::Pointer(_) => Some(1),
                Class::Float(_) => Some(0),
                _ => None,
            });
        let all = words.sum::<Option<usize>>()?;
        (!prototype.variadic && prototype.parameters.len() < MOST_PARAMETERS).then_some(all)
    }

    fn layout_of(
        &mut self,
        found: Option<&Found>,
        declared: &[(Option<String>, TypeId, Span)],
        result: Option<TypeId>,
    ) -> CallLayout {
        let prototype = found.and_then(|found| found.prototype.as_ref());
        let known = prototype.map_or(&[][..], |prototype| prototype.parameters.as_slice());
        let more = declared.iter().skip(known.len()).map(|(_, ty, _)| *ty);
        let parameters: Vec<TypeId> = known.iter().map(|(_, ty)| *ty).chain(more).collect();
        let result = prototype.map_or(result, |prototype| Some(prototype.result));
        let mut layout = abi::call_layout(&self.types, &parameters, result);
        if let Some(places) = found.and_then(|found| found.places.as_deref()) {
            layout.parameters = self.locations_at(places, &parameters);
        }
        layout
    }

    /// Where a copy has parameters of these types.
    pub(super) fn locations_at(
        &mut self,
        places: &[ParameterPlace],
        parameters: &[TypeId],
    ) -> Vec<Location> {
        let parameters = parameters.iter().enumerate();
        parameters
            .map(|(index, ty)| self.location_at(places.get(index).copied(), *ty))
            .collect()
    }

    /// Where a copy of a function that the compiler has made for some callers has a parameter.
    pub(super) fn location_at(&mut self, place: Option<ParameterPlace>, ty: TypeId) -> Location {
        let of_a_word = self.size_of(ty).is_some_and(|size| size <= 8);
        match place {
            Some(ParameterPlace::General(number)) if of_a_word => {
                Location::Words(vec![Word::General(number)])
            }
            Some(ParameterPlace::Vector(number)) if of_a_word => {
                Location::Words(vec![Word::Vector(number)])
            }
            Some(ParameterPlace::Constant(value)) if of_a_word => {
                Location::Words(vec![Word::Constant(value)])
            }
            Some(ParameterPlace::Stack(offset)) => Location::Stack(offset),
            Some(ParameterPlace::Nowhere(why)) => Location::OutOfReach(why),
            Some(_) => Location::OutOfReach(IN_PARTS),
            None => Location::OutOfReach(UNKNOWN_PLACE),
        }
    }

    /// Compares what a head declares with what debug information says of a function.
    fn check_head(
        &mut self,
        head: &Head<'a>,
        declared: &[(Option<String>, TypeId, Span)],
        result: Option<TypeId>,
        function: &EventFunction,
        prototype: &Prototype,
    ) {
        let count = prototype.parameters.len();
        if let Some((_, _, span)) = declared.get(count) {
            let written = self.written_prototype(&function.name, prototype);
            if prototype.variadic {
                self.error_help(
                    *span,
                    format!("`{}` names only {count} of its parameters", function.name),
                    format!("it is `{written}`"),
                    "where the others are depends on each call; integers and pointers are `_arg(n)`",
                );
            } else {
                let has = match count {
                    0 => "no parameters".to_owned(),
                    1 => "1 parameter".to_owned(),
                    _ => format!("{count} parameters"),
                };
                self.error(
                    *span,
                    format!("`{}` has {has}", function.name),
                    format!("it is `{written}`"),
                );
            }
        }
        for ((_, ty, span), (name, actual)) in declared.iter().zip(&prototype.parameters) {
            let what = match name {
                Some(name) => format!("the parameter `{name}` of `{}`", function.name),
                None => format!("a parameter of `{}`", function.name),
            };
            self.check_passed_alike(*ty, *actual, *span, &what);
        }
        let (Some(result), Some(ProbeResult::Typed(parameter))) = (result, head.result) else {
            return;
        };
        let span = parameter.ty.span;
        if self.class(prototype.result) == Class::Void {
            self.returns_nothing(span, &function.name);
            return;
        }
        let what = format!("the result of `{}`", function.name);
        self.check_passed_alike(result, prototype.result, span, &what);
    }

    /// Reports a declared type that is not passed as the actual one is.
    fn check_passed_alike(&mut self, declared: TypeId, actual: TypeId, span: Span, what: &str) {
        if abi::passed_alike(&self.types, declared, actual) != Some(false) {
            return;
        }
        let diagnostic = Diagnostic::error(
            span,
            format!("{what} is {}", self.quoted(actual)),
            format!("{} is passed differently", self.quoted(declared)),
        );
        let (is, wanted) = (
            abi::describe(&self.types, actual),
            abi::describe(&self.types, declared),
        );
        self.report(diagnostic.with_help(format!("it takes {is}; this type takes {wanted}")));
    }
}

/// Whether two functions have what a head names in different places.
fn differs(
    first: &CallLayout,
    other: &CallLayout,
    declared: usize,
    result: Option<&ProbeResult>,
) -> bool {
    let hidden = first.hidden != other.hidden;
    let parameters =
        (0..declared).any(|index| first.parameters.get(index) != other.parameters.get(index));
    let named = matches!(result, Some(ProbeResult::Named(_) | ProbeResult::Typed(_)));
    parameters || (declared > 0 && hidden) || (named && first.result != other.result)
}
