//! What the handler of an event asks of its hit: parameters, the result, values as of entry, registers.
//!
//! A handler has no parameters of its own. Those of its head are locals, assigned at its start from where the calling convention
//! has them, and only where the body uses them: each costs something at every hit.

use std::collections::HashMap;

use super::Checker;
use super::class::Class;
use super::copies::Copied;
use super::suggest::did_you_mean;
use super::symbols::{FunctionContext, LocalSymbol};
use crate::abi::{self, Location, Word};
use crate::ast;
use crate::diagnostics::Diagnostic;
use crate::hir::{self, ExpressionKind, PlaceKind, StatementKind};
use crate::source::Span;
use crate::types::{Type, TypeId};
use ytrace_values::Operation;

/// Of a parameter on the stack, so many words are kept from the entry to the return.
const MOST_KEPT_WORDS: u64 = 64;

/// A probe has at most so many values as of entry.
const MOST_ENTRY_VALUES: usize = 256;

/// `_arg(n)` goes so far.
const MOST_ARGUMENTS: i128 = 64;

/// A parameter, or the result, of the function that a probe is on.
#[derive(Clone, Debug)]
pub(super) struct HitValue {
    /// Its name in the handler.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
    /// Where it is.
    pub location: Location,
    /// Where each of the hit's copies has it.
    pub in_copies: Vec<Location>,
    /// Where it is declared.
    pub span: Span,
}

/// What `_arg(n)` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arguments {
    /// Those of a function, after so many hidden ones.
    Function { hidden: usize },
    /// Those that the event itself gives.
    Event,
    /// The place has none.
    None,
}

/// The event whose handler is being checked.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    /// Where it is waited for; `None` after an error or without a target.
    pub site: Option<hir::EventSite>,
    /// How many samples a second, for what is no event but takes samples.
    pub profile: Option<u64>,
    /// Whether the handler runs when the function returns.
    pub at_return: bool,
    /// The function's parameters that have names.
    pub parameters: Vec<HitValue>,
    /// Its result, if the head names it.
    pub result: Option<HitValue>,
    /// What `_arg` means.
    pub arguments: Arguments,
    /// The name of the function, if there is one only.
    pub function: Option<String>,
    /// Whether the point is one of functions.
    pub on_functions: bool,
    /// Whether `(...)` stands for parameters that nobody knows: the body cannot be checked.
    pub nameless: bool,
    /// How many integers and pointers the functions take, if debug information says so of all of them: the most.
    pub most_words: Option<usize>,
    /// The functions that give the values as of entry.
    pub entry_values: Vec<hir::FunctionId>,
    /// The functions that are waited for.
    pub awaited: Option<hir::AwaitedFunctions>,
    /// The copies that are probed with the functions, with parameters elsewhere.
    pub copies: Vec<Copied>,
    /// What has parameters in `location`, if that is a copy itself.
    pub first_copy: Option<Copied>,
    /// What is not probed, and why.
    pub left_out: Vec<(String, String)>,
    /// Whether the handler asks for parameters.
    pub takes_arguments: bool,
    /// The words among them.
    words: HashMap<Word, u64>,
}

impl Hit {
    /// An event at a site, whose handler runs at once and that has no arguments.
    pub fn at(site: Option<hir::EventSite>) -> Self {
        Self {
            site,
            profile: None,
            at_return: false,
            parameters: Vec::new(),
            result: None,
            arguments: Arguments::None,
            function: None,
            on_functions: false,
            nameless: false,
            most_words: None,
            entry_values: Vec::new(),
            awaited: None,
            copies: Vec::new(),
            first_copy: None,
            left_out: Vec::new(),
            takes_arguments: false,
            words: HashMap::new(),
        }
    }

    /// The point, once the handler has been checked.
    pub fn into_point(self) -> Option<hir::ProbePoint> {
        if let Some(rate) = self.profile {
            return Some(hir::ProbePoint::Profile(rate));
        }
        let mut left_out = self.left_out;
        let mut site = self.site?;
        if let hir::EventSite::Functions(functions) = &mut site {
            for copy in self.first_copy.into_iter().chain(self.copies) {
                if let Some(why) = copy.left_out {
                    functions.retain(|function| function.address != copy.address);
                    left_out.push((copy.name, why));
                }
            }
        }
        Some(hir::ProbePoint::Event(Box::new(hir::EventPoint {
            site,
            at_return: self.at_return,
            entry_values: self.entry_values,
            awaited: self.awaited,
            takes_arguments: self.takes_arguments,
            left_out,
        })))
    }
}

/// A value that was declared in a function's context.
pub(super) struct Declared {
    local: hir::LocalId,
    value: HitValue,
    /// Whether it is the result.
    is_result: bool,
}

impl Checker<'_> {
    /// Declares what the head names in the context at hand.
    pub(super) fn declare_hit_values(&mut self, with_result: bool) -> Vec<Declared> {
        let Some(hit) = &self.hit else {
            return Vec::new();
        };
        let parameters = hit.parameters.iter().map(|value| (value.clone(), false));
        let result = hit.result.iter().filter(|_| with_result);
        let values: Vec<(HitValue, bool)> = parameters
            .chain(result.map(|value| (value.clone(), true)))
            .collect();
        let mut declared = Vec::with_capacity(values.len());
        for (value, is_result) in values {
            let (local, before) = self
                .context
                .declare_local(&value.name, value.ty, value.span);
            if before.is_some() && with_result {
                let message = format!("two parameters are called `{}`", value.name);
                self.error(value.span, message, "");
            }
            declared.push(Declared {
                local,
                value,
                is_result,
            });
        }
        declared
    }

    /// The statements that give those of them their values that have been used.
    pub(super) fn assign_hit_values(&mut self, declared: Vec<Declared>) -> Vec<hir::Statement> {
        let mut statements = Vec::new();
        for Declared {
            local,
            value,
            is_result,
        } in declared
        {
            if !self.context.used.contains(&local) || self.is_unknown(value.ty) {
                continue;
            }
            let span = value.span;
            let kept = self.is_at_return() && !is_result;
            let found = match self.located_anywhere(&value, kept) {
                Ok(found) => found,
                Err(why) => {
                    let message = format!("`{}` cannot be read: {why}", value.name);
                    let found = format!("this is {}", self.quoted(value.ty));
                    self.error(span, message, found);
                    continue;
                }
            };
            let place = hir::Place {
                kind: PlaceKind::Local(local),
                ty: value.ty,
                span,
            };
            let assign = hir::Expression {
                kind: ExpressionKind::Assign(Box::new(place), Box::new(found)),
                ty: value.ty,
                span,
            };
            for kind in [
                StatementKind::Declare(local),
                StatementKind::Expression(assign),
            ] {
                statements.push(hir::Statement { kind, span });
            }
        }
        statements
    }

    /// Whether what is being checked runs at a function's return.
    fn is_at_return(&self) -> bool {
        self.outer.is_none() && self.hit.as_ref().is_some_and(|hit| hit.at_return)
    }

    /// The value of a type at a location; `kept` if it is wanted as of entry, at the return. The error says why it is not to be
    /// had.
    pub(super) fn located(
        &mut self,
        location: &Location,
        ty: TypeId,
        kept: bool,
        span: Span,
    ) -> Result<hir::Expression, String> {
        let target = |address: hir::Expression| hir::Expression {
            kind: ExpressionKind::Load(Box::new(hir::Place {
                kind: PlaceKind::Target(Box::new(address)),
                ty,
                span,
            })),
            ty,
            span,
        };
        let words = match location {
            Location::OutOfReach(why) => return Err((*why).to_owned()),
            Location::Indirect(word) => {
                let address = self.word(*word, kept, span)?;
                return Ok(target(self.as_pointer_to(address, ty)));
            }
            Location::Stack(offset) if !kept => {
                let address = self.stack_address(*offset, ty, span);
                return Ok(target(address));
            }
            Location::Stack(offset) => {
                let size = self.size_of(ty).unwrap_or_default();
                let count = size.div_ceil(8);
                if count > MOST_KEPT_WORDS {
                    return Err(format!(
                        "it takes {size} bytes of the stack, and at the return only {} of a parameter are at hand; `_entry(…)` gives one member of it",
                        MOST_KEPT_WORDS * 8
                    ));
                }
                (0..count)
                    .map(|index| Word::Stack(offset.wrapping_add(index * 8)))
                    .collect()
            }
            Location::Words(words) => words.clone(),
        };
        let mut values = Vec::with_capacity(words.len());
        for word in &words {
            values.push(self.word(*word, kept, span)?);
        }
        Ok(self.made_of_words(&words, values, ty, span))
    }

    /// A value made of words.
    fn made_of_words(
        &mut self,
        words: &[Word],
        mut values: Vec<hir::Expression>,
        ty: TypeId,
        span: Span,
    ) -> hir::Expression {
        let class = self.class(ty);
        let in_vector = matches!(words, [Word::Vector(_)]);
        match (values.len(), class) {
            (0, _) => {
                return hir::Expression {
                    kind: ExpressionKind::Aggregate(Vec::new()),
                    ty,
                    span,
                };
            }
            (1, Class::Bool) => {
                // All but the lowest byte of the register may be anything.
                let word = values.remove(0);
                let byte = self.convert(word, self.basics.unsigned_char);
                return self.convert(byte, ty);
            }
            (1, Class::Integer { .. } | Class::Enum(_) | Class::Pointer(_)) => {
                let word = values.remove(0);
                return self.convert(word, ty);
            }
            // An operation that gives a `double` gives its bits.
            (1, Class::Float(8)) if in_vector => {
                let word = values.remove(0);
                return hir::Expression { ty, ..word };
            }
            _ => {}
        }
        let value = if values.len() == 1 {
            values.remove(0)
        } else {
            let word = self.basics.unsigned_long;
            let array = self
                .types
                .intern(Type::Array(word, Some(values.len() as u64)));
            let parts = (0_u64..).step_by(8).zip(values);
            hir::Expression {
                kind: ExpressionKind::Aggregate(
                    parts.map(|(offset, value)| (offset, None, value)).collect(),
                ),
                ty: array,
                span,
            }
        };
        reinterpreted(value, ty)
    }

    /// A word of the hit; `kept` if it is wanted as of entry, at the return.
    fn word(&mut self, word: Word, kept: bool, span: Span) -> Result<hir::Expression, String> {
        if !kept || matches!(word, Word::Constant(_) | Word::Padding) {
            return Ok(self.word_now(word, span));
        }
        let known = self
            .hit
            .as_ref()
            .and_then(|hit| hit.words.get(&word).copied());
        let index = match known {
            Some(index) => index,
            None => {
                let value = self.word_now(word, span);
                let function = self.entry_function(value, FunctionContext::new(self.basics.void));
                let index = self.add_entry_value(function)?;
                if let Some(hit) = &mut self.hit {
                    hit.words.insert(word, index);
                }
                index
            }
        };
        Ok(self.entry_word(index, span))
    }

    /// A word as the place at hand finds it.
    fn word_now(&mut self, word: Word, span: Span) -> hir::Expression {
        let ty = self.basics.unsigned_long;
        match word {
            Word::General(number) => self.register_operation(number, span),
            Word::Vector(number) => {
                let number = self.integer(u64::from(number), ty, span);
                self.operation(Operation::HitVector, vec![number], ty, span)
            }
            Word::Stack(offset) => {
                let address = self.stack_address(offset, ty, span);
                hir::Expression {
                    kind: ExpressionKind::Load(Box::new(hir::Place {
                        kind: PlaceKind::Target(Box::new(address)),
                        ty,
                        span,
                    })),
                    ty,
                    span,
                }
            }
            Word::Argument(number) => {
                let number = self.integer(number, ty, span);
                self.operation(Operation::HitArgument, vec![number], ty, span)
            }
            Word::Constant(value) => self.integer(value, ty, span),
            Word::Padding => self.integer(0, ty, span),
        }
    }

    fn register_operation(&self, number: u8, span: Span) -> hir::Expression {
        let ty = self.basics.unsigned_long;
        let number = self.integer(u64::from(number), ty, span);
        self.operation(Operation::HitRegister, vec![number], ty, span)
    }

    /// So many bytes above the stack pointer, as a pointer to a type.
    fn stack_address(&mut self, offset: u64, ty: TypeId, span: Span) -> hir::Expression {
        let stack = self.register_operation(abi::STACK_POINTER, span);
        let stack = self.as_pointer_to(stack, ty);
        hir::Expression {
            ty: stack.ty,
            span,
            kind: ExpressionKind::PointerAdd {
                pointer: Box::new(stack),
                index: Box::new(self.integer(offset, self.basics.long, span)),
                scale: 1,
            },
        }
    }

    fn as_pointer_to(&mut self, word: hir::Expression, ty: TypeId) -> hir::Expression {
        let pointer = self.types.intern(Type::Pointer(ty));
        self.convert(word, pointer)
    }

    /// What an entry value was, as a word.
    fn entry_word(&self, index: u64, span: Span) -> hir::Expression {
        let ty = self.basics.unsigned_long;
        let index = self.integer(index, ty, span);
        self.operation(Operation::EntryValue, vec![index], ty, span)
    }

    /// A function that gives a word when the function is entered that the probe is on.
    fn entry_function(
        &mut self,
        value: hir::Expression,
        context: FunctionContext,
    ) -> hir::Function {
        let span = value.span;
        hir::Function {
            name: "as of entry".to_owned(),
            parameters: 0,
            locals: context.locals,
            result: self.basics.unsigned_long,
            body: vec![hir::Statement {
                kind: StatementKind::Return(Some(value)),
                span,
            }],
            late: false,
            span,
        }
    }

    fn add_entry_value(&mut self, function: hir::Function) -> Result<u64, String> {
        let id = hir::FunctionId(self.functions.len() as u32);
        let Some(hit) = &mut self.hit else {
            return Err("there is no event".to_owned());
        };
        if hit.entry_values.len() >= MOST_ENTRY_VALUES {
            return Err(format!(
                "a probe has at most {MOST_ENTRY_VALUES} words as of entry"
            ));
        }
        hit.entry_values.push(id);
        let index = hit.entry_values.len() as u64 - 1;
        self.functions.push(Some(function));
        Ok(index)
    }

    /// `_entry(e)`.
    pub(super) fn entry_value(
        &mut self,
        expression: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        if self.outer.is_some() {
            self.error_help(
                span,
                "`_entry` in `_entry`",
                "all of it is as of entry already",
                "leave out the inner one",
            );
            return self.unknown(span);
        }
        if !self.is_at_return() {
            self.error_help(
                span,
                "`_entry(e)` belongs to the body of a probe on a function's return",
                match self.hit {
                    Some(_) => "this probe does not run at a return",
                    None => "there is no entry here",
                },
                match self.hit {
                    Some(_) => "write `e` alone: it is as of the hit",
                    None => {
                        "write `_probe f(…) -> r { … }`; hand the value to a function as an argument"
                    }
                },
            );
            return self.unknown(span);
        }
        // The expression has a function of its own, in which the parameters are as of entry.
        let outer = std::mem::replace(&mut self.context, FunctionContext::new(self.basics.void));
        self.context.hit = true;
        self.outer = Some(Box::new(outer));
        let declared = self.declare_hit_values(false);
        let value = self.value(expression);
        let ty = value.ty;
        let word = match self.class(ty) {
            Class::Unknown => None,
            Class::Float(_) => {
                let double = self.convert(value, self.basics.double);
                Some(reinterpreted(double, self.basics.unsigned_long))
            }
            class if class.is_integer() => Some(self.convert(value, self.basics.unsigned_long)),
            Class::Pointer(_) => Some(self.convert(value, self.basics.unsigned_long)),
            class => {
                let found = self.quoted(ty);
                self.error_help(
                    expression.span,
                    "`_entry` keeps a number or a pointer",
                    format!("this is {found}"),
                    match class {
                        Class::Record(_) => "name a member: `_entry(s.member)`",
                        Class::Str => {
                            "keep the pointer to the text; what it points to is read at the return"
                        }
                        Class::Path => "what led to the call is what leads to the return: `_ubt()`",
                        Class::Void => "this gives no value",
                        _ => "take one of its elements",
                    },
                );
                None
            }
        };
        let assigned = self.assign_hit_values(declared);
        if let Some(outer) = self.outer.take() {
            let context = std::mem::replace(&mut self.context, *outer);
            let Some(word) = word else {
                return self.unknown(span);
            };
            let mut function = self.entry_function(word, context);
            function.name = format!("_entry({})", self.text(expression.span));
            function.body.splice(0..0, assigned);
            return match self.add_entry_value(function) {
                Ok(index) => self.kept_value(index, ty, span),
                Err(why) => {
                    self.error(span, "too many values as of entry", why);
                    self.unknown(span)
                }
            };
        }
        self.unknown(span)
    }

    /// A scalar that `_entry` has kept.
    fn kept_value(&mut self, index: u64, ty: TypeId, span: Span) -> hir::Expression {
        let word = self.entry_word(index, span);
        match self.class(ty) {
            Class::Float(_) => {
                let double = hir::Expression {
                    ty: self.basics.double,
                    ..word
                };
                self.convert(double, ty)
            }
            _ => self.convert(word, ty),
        }
    }

    /// Reports a name in `_entry(…)` that is one of the handler's. Returns whether it is.
    pub(super) fn is_local_of_handler(&mut self, name: &ast::Name) -> bool {
        let symbol = self.outer.as_ref().and_then(|outer| outer.find(&name.text));
        if !matches!(symbol, Some(LocalSymbol::Variable(_))) {
            return false;
        }
        let result = self.hit.as_ref().and_then(|hit| hit.result.as_ref());
        let is_result = result.is_some_and(|result| result.name == name.text);
        self.error_help(
            name.span,
            format!(
                "`{}` has no value yet when the function is entered",
                name.text
            ),
            if is_result {
                "the result"
            } else {
                "a variable of the handler"
            },
            "`_entry` takes parameters, variables of the target and what they lead to",
        );
        true
    }

    /// `_arg(n)`.
    pub(super) fn hit_argument(
        &mut self,
        expression: &ast::Expression,
        span: Span,
    ) -> hir::Expression {
        let Some(arguments) = self.hit_here().map(|hit| hit.arguments) else {
            self.value(expression);
            self.outside_of_events("_arg", span);
            return self.unknown(span);
        };
        let Some(number) = self.constant_integer(expression) else {
            return self.unknown(span);
        };
        if !(0..MOST_ARGUMENTS).contains(&number) {
            self.error(
                expression.span,
                "no such argument",
                format!("they are counted from 0, and {number} is out of reach"),
            );
            return self.unknown(span);
        }
        let number = number as usize;
        let long = self.basics.long;
        let word = match arguments {
            Arguments::None => {
                self.error_help(
                    span,
                    "this point has no arguments",
                    "only functions, static probes and some events have",
                    "registers are `_reg(\"rdi\")`",
                );
                return self.unknown(span);
            }
            Arguments::Event => self.word_now(Word::Argument(number as u64), span),
            Arguments::Function { hidden } => {
                if self.is_beyond_prototype(number, expression) {
                    return self.unknown(span);
                }
                let value = self.passed_argument(number, hidden, span);
                match self.located_anywhere(&value, self.is_at_return()) {
                    Ok(word) => word,
                    Err(why) => {
                        self.error(span, format!("`_arg({number})` cannot be read: {why}"), "");
                        return self.unknown(span);
                    }
                }
            }
        };
        self.convert(word, long)
    }

    /// Reports an argument that the functions of the probe do not have. Returns whether that is so.
    fn is_beyond_prototype(&mut self, number: usize, expression: &ast::Expression) -> bool {
        let hit = self.hit_here();
        let Some(most) = hit
            .and_then(|hit| hit.most_words)
            .filter(|most| number >= *most)
        else {
            return false;
        };
        let whose = match hit.and_then(|hit| hit.function.as_deref()) {
            Some(name) => format!("`{name}` takes"),
            None => "these functions take".to_owned(),
        };
        let has = match most {
            0 => "no argument that is an integer or a pointer".to_owned(),
            1 => "one argument that is an integer or a pointer".to_owned(),
            most => format!("{most} arguments that are integers or pointers"),
        };
        let value = self.value(expression);
        let option = self.option_in(&value);
        let diagnostic = Diagnostic::error(
            expression.span,
            format!("{whose} {has}"),
            format!("this is {number}, and they are counted from 0"),
        );
        self.report(match option {
            Some((name, _)) => diagnostic.with_help(format!("it is the option --{name}")),
            None => diagnostic,
        });
        true
    }

    /// `_func()`.
    pub(super) fn hit_function(&mut self, span: Span) -> hir::Expression {
        self.context.asks_hit.get_or_insert(("_func", span));
        if let Some(hit) = self.hit_here() {
            if let Some(name) = hit.function.clone() {
                return self.str_constant(name, span);
            }
            if !hit.on_functions {
                self.error_help(
                    span,
                    "this point is not one of functions",
                    "so there is no function that was hit",
                    "where the thread is, `_usym(_pc_reg())` tells",
                );
                return self.unknown(span);
            }
        }
        let function = self.operation(
            Operation::HitFunction,
            Vec::new(),
            self.basics.unsigned_long,
            span,
        );
        let function = self.convert(function, self.basics.void_pointer);
        let string = self.basics.string;
        self.operation(Operation::SymbolName, vec![function], string, span)
    }

    /// `_every(n, bytes)`.
    pub(super) fn hit_sample(
        &mut self,
        arguments: Vec<hir::Expression>,
        span: Span,
    ) -> hir::Expression {
        self.context.asks_hit.get_or_insert(("_every", span));
        if arguments
            .iter()
            .any(|argument| self.is_unknown(argument.ty))
        {
            return self.unknown(span);
        }
        if let Some(every) = arguments.first() {
            let option = self.option_in(every);
            let every = self.with_option_values(every.clone());
            if let Some(every) = self.constant_of(&every).filter(|every| *every <= 0) {
                match option {
                    // Who gave the option need not know where it is used.
                    Some((name, place)) => {
                        if self.reported.insert(("option", name.clone())) {
                            self.error(
                                place,
                                format!("--{name} is {every}, and must be above 0"),
                                "a sample is one in so many",
                            );
                        }
                    }
                    None => self.error(
                        span,
                        "`_every(n, bytes)` takes one sample in n bytes",
                        format!("n is {every} here"),
                    ),
                }
            }
        }
        let long = self.basics.long;
        self.operation(Operation::SampleBytes, arguments, long, span)
    }

    /// `_reg("rdi")` and the like in a handler of an event; `None` elsewhere.
    pub(super) fn hit_register(
        &mut self,
        name: &str,
        span: Span,
        name_span: Span,
    ) -> Option<hir::Expression> {
        self.hit_here()?;
        if let Some(vector) = abi::vector_register_number(name) {
            return Some(self.word_now(Word::Vector(vector), span));
        }
        let Some(number) = abi::register_number(name) else {
            let close = self.similar(name, abi::register_names());
            let help = did_you_mean(&close)
                .unwrap_or_else(|| "registers are called as in `_reg(\"rdi\")`".to_owned());
            let message = format!("no register `{name}` of x86-64");
            self.error_help(name_span, message, "no such register", help);
            return Some(self.unknown(span));
        };
        Some(self.register_operation(number, span))
    }

    /// The event whose handler, or `_entry(…)` in it, the place at hand belongs to.
    fn hit_here(&self) -> Option<&Hit> {
        self.hit.as_ref().filter(|_| self.context.hit)
    }

    /// Reports a built-in that needs a hit.
    fn outside_of_events(&mut self, name: &str, span: Span) {
        let (label, help) = if self.context.probe {
            (
                "this probe is on none",
                "write `_probe f(T a, U b) { … }` for a function of the target".to_owned(),
            )
        } else {
            (
                "a function may be called from any probe",
                format!("hand `{name}(…)` to it as an argument"),
            )
        };
        self.error_help(
            span,
            format!("`{name}` belongs to the body of a probe on an event"),
            label,
            help,
        );
    }
}

/// The bytes of a value as a value of another type, which is not larger.
fn reinterpreted(value: hir::Expression, ty: TypeId) -> hir::Expression {
    let span = value.span;
    hir::Expression {
        kind: ExpressionKind::Load(Box::new(hir::Place {
            kind: PlaceKind::Value(Box::new(value)),
            ty,
            span,
        })),
        ty,
        span,
    }
}
