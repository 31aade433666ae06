//! Names and types: from the syntax tree to the typed program.
//!
//! [`check`] resolves every name, gives every expression a type, makes every conversion explicit
//! and folds constants. Types and symbols of the target are asked for only when a name needs
//! them. Functions and globals of the library are checked when something reaches them, so a
//! library may hold functions for types that a target lacks.
//!
//! After an error an expression has [`Type::Unknown`], which silences what would follow from it.

mod access;
mod bases;
mod basics;
mod builtin_calls;
pub mod builtins;
mod calls;
mod class;
mod comparisons;
mod constants;
mod containers;
mod convert;
mod copies;
mod declarations;
mod expressions;
mod flow;
mod format_text;
mod formats;
mod habits;
mod hits;
mod import;
mod initializers;
mod interactive;
mod layout;
mod lookup;
mod loops;
mod members;
mod operators;
mod options;
mod points;
mod probes;
mod reach;
mod records;
mod script;
mod sites;
mod statements;
mod strings;
mod suggest;
mod symbols;
#[doc(hidden)]
pub mod testing;
mod type_expressions;
mod types;
mod views;

use std::collections::{HashMap, HashSet, VecDeque};

use crate::ast;
use crate::diagnostics::{Diagnostic, Severity, Topic};
use crate::hir;
use crate::parse::FileScope;
use crate::source::{SourceMap, Span};
use crate::target::{ModuleId, Scope, Target, TargetType};
use crate::types::{RecordId, Type, TypeId, Types};

use basics::Basics;
use script::Script;
use symbols::FunctionContext;

pub use interactive::{Interactive, SHOWN};
pub use options::{OptionError, option_help};
pub use points::misfit;
pub use views::view_kinds;

/// What is checked.
pub struct Input<'a> {
    /// The syntax tree.
    pub unit: &'a ast::Unit,
    /// The files it came from: which belong to the library, and their text for messages.
    pub sources: &'a SourceMap,
    /// What `_module` says in each file, by [`crate::source::FileId`].
    pub scopes: &'a [FileScope],
    /// The words after `--` on the command line.
    pub arguments: &'a [String],
    /// The macros that the program defines, for a did-you-mean.
    pub macros: &'a [String],
    /// How many functions a pattern may match.
    pub most_probes: usize,
    /// Whether the program is what a user types in, and what follows from that.
    pub interactive: Option<Interactive>,
}

/// The usual bound of [`Input::most_probes`].
pub const MOST_PROBES: usize = 1000;

/// What checking gives.
#[derive(Debug)]
pub struct Checked {
    /// The typed program. With errors, or with `unresolved` names, it must not be lowered.
    pub program: hir::Program,
    /// Errors and warnings, in order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// Names that only a target could settle, when there is none: the first hundred.
    pub unresolved: Vec<(Span, String)>,
    /// How many more there are.
    pub more_unresolved: usize,
}

impl Checked {
    /// Whether the program may run.
    pub fn is_complete(&self) -> bool {
        self.unresolved.is_empty()
            && !self
                .diagnostics
                .iter()
                .any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Checks a program, against a target if there is one.
///
/// Words after `--` that no option of the script takes are an [`OptionError`]; everything that
/// is wrong with the text is among the diagnostics.
pub fn check<'a>(
    input: Input<'a>,
    target: Option<&'a mut (dyn Target + 'a)>,
) -> Result<Checked, OptionError> {
    let mut checker = Checker::new(&input, target);
    checker.collect(input.unit);
    checker.check_options(input.unit, input.arguments)?;
    checker.check_overhead(input.unit);
    checker.check_views(input.unit);
    checker.check_layouts(input.unit);
    checker.check_roots(input.unit);
    checker.check_queue();
    checker.check_reach();
    checker.check_probe_flow();
    Ok(checker.finish())
}

/// Expressions, statements and types nested deeper than this are refused.
const NESTING: u32 = 400;

/// Most errors that are kept; the rest are counted in one last message.
const MOST_ERRORS: usize = 100;

/// A function whose body is still to be checked.
struct Work<'a> {
    id: hir::FunctionId,
    function: &'a ast::Function,
}

/// The state of checking one program.
struct Checker<'a> {
    sources: &'a SourceMap,
    target: Option<&'a mut (dyn Target + 'a)>,
    types: Types,
    basics: Basics,
    /// Types of the target that have been brought in.
    imported: HashMap<TargetType, TypeId>,
    /// Types of the target that are being brought in.
    importing: HashSet<TargetType>,
    /// Records whose contents by value have been brought in.
    value_complete: HashSet<RecordId>,
    /// Alignments of the target's records.
    alignments: HashMap<RecordId, u64>,
    /// Anonymous and named definitions of the script by the address of their syntax.
    defined: HashMap<usize, TypeId>,
    /// Records that a candidate of a layout declares.
    layout_records: HashSet<RecordId>,
    /// Incomplete records of the script by tag.
    incomplete: HashMap<String, TypeId>,
    /// Enumerators of the top level that have been settled.
    enumerators: HashMap<String, (i64, TypeId)>,
    /// Built-in records (`_map`, `_fault`) by name.
    builtin_records: HashMap<&'static str, TypeId>,
    /// The module that each file's `_module` chose.
    scopes: &'a [FileScope],
    script: Script<'a>,
    globals: Vec<hir::Global>,
    /// The functions that the head at hand waits for.
    awaited: Option<hir::AwaitedFunctions>,
    functions: Vec<Option<hir::Function>>,
    queue: VecDeque<Work<'a>>,
    probes: Vec<hir::Probe>,
    options: Vec<hir::ScriptOption>,
    views: Vec<hir::View>,
    thread_locals: Vec<hir::ThreadLocal>,
    /// Whether a stack was asked for.
    stacks: bool,
    /// Whether a thread pointer was asked for by its register's name.
    thread_pointers: bool,
    live: bool,
    max_overhead: Option<u64>,
    layouts: Vec<hir::LayoutUse>,
    formats: Vec<Vec<hir::FormatPiece>>,
    regexes: Vec<String>,
    regex_check: ytrace_values::regexes::RegexCheck,
    /// The function at hand.
    context: FunctionContext,
    /// The event whose handler is at hand.
    hit: Option<hits::Hit>,
    /// The handler's context while `_entry(…)` in it has one of its own.
    outer: Option<Box<FunctionContext>>,
    /// What each function asks of a hit, and whom it calls.
    asked: Vec<reach::Asked>,
    /// How many functions a pattern may match.
    most_probes: usize,
    interactive: Option<Interactive>,
    /// What an interactive program shows.
    shown: Option<hir::Shown>,
    /// Whether the initializer of a global is being checked.
    in_global: bool,
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    /// Unknown names that have been reported.
    reported: HashSet<(&'static str, String)>,
    unresolved: Vec<(Span, String)>,
    more_unresolved: usize,
    macros: &'a [String],
    depth: u32,
}

impl<'a> Checker<'a> {
    fn new(input: &Input<'a>, target: Option<&'a mut (dyn Target + 'a)>) -> Self {
        let mut types = Types::default();
        let basics = Basics::new(&mut types);
        Self {
            sources: input.sources,
            target,
            context: FunctionContext::new(basics.void),
            types,
            basics,
            imported: HashMap::new(),
            importing: HashSet::new(),
            value_complete: HashSet::new(),
            alignments: HashMap::new(),
            defined: HashMap::new(),
            layout_records: HashSet::new(),
            incomplete: HashMap::new(),
            enumerators: HashMap::new(),
            builtin_records: HashMap::new(),
            scopes: input.scopes,
            script: Script::default(),
            globals: Vec::new(),
            awaited: None,
            functions: Vec::new(),
            queue: VecDeque::new(),
            probes: Vec::new(),
            options: Vec::new(),
            views: Vec::new(),
            thread_locals: Vec::new(),
            stacks: false,
            thread_pointers: false,
            live: false,
            max_overhead: None,
            layouts: Vec::new(),
            formats: Vec::new(),
            regexes: Vec::new(),
            regex_check: Default::default(),
            hit: None,
            outer: None,
            asked: Vec::new(),
            most_probes: input.most_probes,
            interactive: input.interactive,
            shown: None,
            in_global: false,
            diagnostics: Vec::new(),
            errors: 0,
            reported: HashSet::new(),
            unresolved: Vec::new(),
            more_unresolved: 0,
            macros: input.macros,
            depth: 0,
        }
    }

    /// Checks everything that is not library: globals, functions, probes.
    fn check_roots(&mut self, unit: &'a ast::Unit) {
        let handler = self.shown_handler(unit);
        for (index, item) in unit.items.iter().enumerate() {
            let library = self.is_library(item.span);
            match &item.kind {
                ast::ItemKind::Probe(probe) if handler == Some(index) => {
                    self.check_shown_handler(probe, item.span);
                }
                ast::ItemKind::Declaration(declaration) if !library => {
                    self.check_global_declaration(declaration);
                }
                ast::ItemKind::Function(function) if !library && function.body.is_some() => {
                    self.function_id(&function.name.text);
                }
                ast::ItemKind::Probe(probe) => self.check_probe(probe, item.span),
                _ => {}
            }
        }
        if self.probes.is_empty() && self.errors == 0 {
            let span = unit.items.first().map(|item| item.span).unwrap_or_default();
            self.report(
                Diagnostic::warning(span, "there is no probe, so nothing will run", "")
                    .about(Topic::NoProbe)
                    .with_help("write `_probe _oneshot { … }`"),
            );
        }
    }

    /// Checks the bodies of functions until no new one has been reached.
    fn check_queue(&mut self) {
        while let Some(work) = self.queue.pop_front() {
            let function = self.check_function(work.id, work.function);
            self.check_flow(&function);
            if let Some(slot) = self.functions.get_mut(work.id.0 as usize) {
                *slot = Some(function);
            }
        }
    }

    fn finish(mut self) -> Checked {
        let order =
            |diagnostic: &Diagnostic| (diagnostic.primary.0.file, diagnostic.primary.0.start);
        self.diagnostics.sort_by_key(order);
        if self.errors > MOST_ERRORS {
            self.diagnostics.push(Diagnostic::error(
                Span::default(),
                format!("{} more errors are not shown", self.errors - MOST_ERRORS),
                "",
            ));
        }
        let void = self.basics.void;
        let functions = self
            .functions
            .into_iter()
            .map(|function| {
                function.unwrap_or_else(|| hir::Function {
                    name: String::new(),
                    parameters: 0,
                    locals: Vec::new(),
                    result: void,
                    body: Vec::new(),
                    late: false,
                    span: Span::default(),
                })
            })
            .collect();
        Checked {
            program: hir::Program {
                types: self.types,
                globals: self.globals,
                functions,
                probes: self.probes,
                options: self.options,
                views: self.views,
                thread_locals: self.thread_locals,
                stacks: self.stacks,
                thread_pointers: self.thread_pointers,
                live: self.live,
                max_overhead: self.max_overhead,
                layouts: self.layouts,
                formats: self.formats,
                regexes: self.regexes,
                shown: self.shown,
            },
            diagnostics: self.diagnostics,
            unresolved: self.unresolved,
            more_unresolved: self.more_unresolved,
        }
    }

    fn is_library(&self, span: Span) -> bool {
        self.sources.get(span.file).is_some_and(|file| file.library)
    }

    /// The scope of the target in which a name is looked up.
    fn scope_of(&self, name: &ast::Name) -> Scope {
        Scope {
            prefix: name.prefix.clone(),
            preferred: self.preferred_module(name.span),
        }
    }

    /// The module that the `_module` of a span's file chose.
    fn preferred_module(&self, span: Span) -> Option<ModuleId> {
        self.scopes.get(span.file.0 as usize)?.module
    }

    /// Keeps a diagnostic; errors beyond a bound are only counted.
    fn report(&mut self, diagnostic: Diagnostic) {
        if diagnostic.severity == Severity::Error {
            self.errors += 1;
            if self.errors > MOST_ERRORS {
                return;
            }
        } else if self.is_library(diagnostic.primary.0) || self.diagnostics.len() > 4 * MOST_ERRORS
        {
            return;
        }
        self.diagnostics.push(diagnostic);
    }

    fn error(&mut self, span: Span, message: impl Into<String>, label: impl Into<String>) {
        self.report(Diagnostic::error(span, message, label));
    }

    fn error_help(
        &mut self,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(Diagnostic::error(span, message, label).with_help(help));
    }

    fn warning(&mut self, span: Span, message: impl Into<String>, label: impl Into<String>) {
        self.report(Diagnostic::warning(span, message, label));
    }

    /// The source text of a span on one line, shortened for a message.
    fn text(&self, span: Span) -> String {
        let text = self
            .sources
            .get(span.file)
            .and_then(|file| file.text.get(span.start as usize..span.end as usize))
            .unwrap_or_default();
        let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() > 60 {
            text = text.chars().take(59).collect();
            text.push('…');
        }
        text
    }

    /// Runs `check` one level deeper, or reports that the text is nested too deeply.
    fn nested<T>(
        &mut self,
        span: Span,
        check: impl FnOnce(&mut Self) -> T,
        refused: impl FnOnce(&mut Self) -> T,
    ) -> T {
        if self.depth >= NESTING {
            if self.reported.insert(("nesting", String::new())) {
                self.error_help(
                    span,
                    "nested too deeply",
                    format!("more than {NESTING} levels"),
                    "split it up with variables or functions",
                );
            }
            return refused(self);
        }
        self.depth += 1;
        let result = check(self);
        self.depth -= 1;
        result
    }

    /// The name of a type for a message, in backquotes.
    fn quoted(&self, ty: TypeId) -> String {
        format!("`{}`", self.types.name_of(ty))
    }

    fn is_unknown(&self, ty: TypeId) -> bool {
        matches!(self.types.resolved(ty), Type::Unknown)
    }
}
