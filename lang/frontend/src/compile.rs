//! From a main file to a program that can run.

use std::collections::BTreeMap;

use crate::check::{self, Checked, Interactive, OptionError};
use crate::diagnostics::{Diagnostic, Severity};
use crate::hir::OptionValue;
use crate::source::{Loader, SourceFile, SourceMap, Span};
use crate::target::Target;
use crate::{lower, parse};

/// Candidates chosen for `_layout` groups by name. A group that is not in the map takes the
/// target's debug information if that has every record of the group's first candidate complete,
/// else its first candidate.
pub type LayoutChoices = BTreeMap<String, String>;

/// What is compiled, and against what.
pub struct Request<'a> {
    /// The main file.
    pub main: SourceFile,
    /// Loads includes.
    pub loader: &'a mut dyn Loader,
    /// The target, or `None` for checks without one.
    pub target: Option<&'a mut dyn Target>,
    /// Candidates for `_layout` groups.
    pub layouts: LayoutChoices,
    /// `#define`s from the command line.
    pub defines: Vec<(String, String)>,
    /// The words after `--` on the command line (`--depth`, `8`, `--show-keys`, `--vm=http`).
    pub arguments: Vec<String>,
    /// How many functions a pattern may match; [`crate::check::MOST_PROBES`] is usual.
    pub most_probes: usize,
}

/// A program with its sources and its warnings.
#[derive(Debug)]
pub struct Compiled {
    /// The typed program.
    pub typed: crate::hir::Program,
    /// The lowered program.
    pub program: crate::ir::Program,
    /// The source text, for diagnostics.
    pub sources: SourceMap,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
    /// Where macros were used, to show the warnings.
    pub expansions: crate::parse::Expansions,
}

/// Why a program could not be compiled.
#[derive(Debug)]
pub enum CompileError {
    /// The text is wrong.
    Source(Box<SourceErrors>),
    /// The words after `--` are wrong: a message, and a hint.
    Arguments(String, Option<String>),
    /// `--help` stands after `--`: the options of the script, to be listed.
    Help(Vec<OptionHelp>),
}

/// Errors and warnings of a program, with what it takes to show them.
#[derive(Debug)]
pub struct SourceErrors {
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// The source text.
    pub sources: SourceMap,
    /// Where macros were used.
    pub expansions: crate::parse::Expansions,
}

/// One option of a script, for its `--help`.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionHelp {
    /// The name as typed on the command line, with hyphens.
    pub name: String,
    /// What it takes: empty for a switch, else `N`, `X`, `TEXT`.
    pub value: &'static str,
    /// The default.
    pub default: OptionValue,
    /// The `///` text.
    pub documentation: Option<String>,
}

/// A checked program that has not been lowered.
#[derive(Debug)]
pub struct Typed {
    /// What the checker gave, with the diagnostics of the parser first.
    pub checked: crate::check::Checked,
    /// The source text.
    pub sources: SourceMap,
    /// The `///` text at the top of the main file.
    pub documentation: Option<String>,
    /// Where macros were used.
    pub expansions: crate::parse::Expansions,
    /// See [`crate::parse::Parsed::arms`].
    pub arms: usize,
    /// See [`crate::parse::Parsed::arms_hidden`].
    pub arms_hidden: bool,
}

/// Parses and checks a program. Errors in the text are among the diagnostics of the result;
/// only words after `--` that do not fit are an error here.
pub fn compile_typed(request: Request<'_>) -> Result<Typed, CompileError> {
    compile_arm(request, 0)
}

/// As [`compile_typed`]; without a target in the round `arm` of those that [`crate::parse::Parsed::arms`] counts.
pub fn compile_arm(request: Request<'_>, arm: usize) -> Result<Typed, CompileError> {
    compile_any(request, arm, None)
}

fn compile_any(
    request: Request<'_>,
    arm: usize,
    interactive: Option<Interactive>,
) -> Result<Typed, CompileError> {
    let Request {
        main,
        loader,
        target,
        layouts,
        defines,
        arguments,
        most_probes,
    } = request;
    let Some(target) = target else {
        let parsed = parse::parse_arm(main, loader, None, &layouts, &defines, arm);
        return typed(parsed, None, &arguments, most_probes, interactive);
    };
    let parsed = parse::parse_arm(main, loader, Some(&mut *target), &layouts, &defines, arm);
    typed(parsed, Some(target), &arguments, most_probes, interactive)
}

/// How a program that was typed in is compiled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fragment<'a> {
    /// Global variables that have their values already: they are not initialized.
    pub kept: &'a [String],
    /// Whether the value of the only expression in the last probe's body is to be shown ([`crate::hir::Program::shown`]).
    pub show: bool,
    /// Where in the main file each thing begins that was typed for itself, in bytes and in order: places in it are counted from there.
    pub starts: &'a [usize],
}

/// Compiles a program that was typed in: one that declares all that was declared before, and whose last probe does what is new.
/// That probe is the only one of the result. New global variables are initialized when it runs, in the order of the text and before
/// its own statements; those of the library and options are by [`crate::ir::Program::initialize`]. See also [`Interactive`].
pub fn compile_fragment(
    request: Request<'_>,
    fragment: Fragment<'_>,
) -> Result<Compiled, CompileError> {
    let interactive = Interactive {
        show: fragment.show,
    };
    let mut typed = compile_any(request, 0, Some(interactive))?;
    typed.sources.count_from(fragment.starts);
    let program = &mut typed.checked.program;
    let handler = program.probes.pop();
    program.probes = handler.into_iter().collect();
    let mut first = Vec::new();
    for (index, global) in program.globals.iter_mut().enumerate() {
        let file = typed.sources.get(global.span.file);
        let library = file.is_some_and(|file| file.library);
        let mut options = program.options.iter();
        if library || options.any(|option| option.global.0 as usize == index) {
            continue;
        }
        let initializer = std::mem::take(&mut global.initializer);
        if !fragment.kept.contains(&global.name) {
            first.extend(initializer);
        }
    }
    if let Some(probe) = program.probes.first()
        && let Some(function) = program.functions.get_mut(probe.function.0 as usize)
    {
        function.body.splice(0..0, first);
    }
    lowered(typed)
}

fn typed(
    parsed: parse::Parsed,
    target: Option<&mut dyn Target>,
    arguments: &[String],
    most_probes: usize,
    interactive: Option<Interactive>,
) -> Result<Typed, CompileError> {
    let checked = match target {
        Some(target) => check_parsed(
            &parsed,
            Some(&mut *target),
            arguments,
            most_probes,
            interactive,
        ),
        None => check_parsed(&parsed, None, arguments, most_probes, interactive),
    };
    let mut checked = match checked {
        Ok(checked) => checked,
        Err(OptionError::Help(options)) => return Err(CompileError::Help(options)),
        // Options are only as good as the text that declares them.
        Err(OptionError::Wrong { .. }) if parsed.has_errors() => {
            return Err(CompileError::Source(Box::new(SourceErrors {
                diagnostics: parsed.diagnostics,
                sources: parsed.sources,
                expansions: parsed.expansions,
            })));
        }
        Err(OptionError::Wrong { message, help }) => {
            return Err(CompileError::Arguments(message, help));
        }
    };
    if parsed.lacks_text() {
        checked.diagnostics.clear();
        checked.unresolved.clear();
        checked.more_unresolved = 0;
    }
    checked.diagnostics.splice(0..0, parsed.diagnostics);
    Ok(Typed {
        checked,
        sources: parsed.sources,
        documentation: parsed.documentation,
        expansions: parsed.expansions,
        arms: parsed.arms,
        arms_hidden: parsed.arms_hidden,
    })
}

fn check_parsed<'a>(
    parsed: &'a parse::Parsed,
    target: Option<&'a mut (dyn Target + 'a)>,
    arguments: &'a [String],
    most_probes: usize,
    interactive: Option<Interactive>,
) -> Result<Checked, OptionError> {
    check::check(
        check::Input {
            unit: &parsed.unit,
            sources: &parsed.sources,
            scopes: &parsed.scopes,
            arguments,
            macros: parsed.expansions.names(),
            most_probes,
            interactive,
        },
        target,
    )
}

/// Compiles a program: parses, checks, lowers.
pub fn compile(request: Request<'_>) -> Result<Compiled, CompileError> {
    lowered(compile_typed(request)?)
}

/// Lowers a program that was checked.
fn lowered(typed: Typed) -> Result<Compiled, CompileError> {
    let Typed {
        checked,
        sources,
        expansions,
        ..
    } = typed;
    let failed = |diagnostics, sources, expansions| {
        Err(CompileError::Source(Box::new(SourceErrors {
            diagnostics,
            sources,
            expansions,
        })))
    };
    let Checked {
        program: typed,
        mut diagnostics,
        unresolved,
        more_unresolved,
    } = checked;
    for (span, name) in unresolved {
        diagnostics.push(
            Diagnostic::error(
                span,
                format!("`{name}` is of a target, and there is none"),
                "",
            )
            .with_help("name one with `-p PID`, `--core FILE` or `--types FILE`"),
        );
    }
    if more_unresolved > 0 {
        diagnostics.push(Diagnostic::error(
            Span::default(),
            format!("{more_unresolved} more names of a target are not shown"),
            "",
        ));
    }
    let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    if diagnostics.iter().any(is_error) {
        return failed(diagnostics, sources, expansions);
    }
    match lower::lower(&typed) {
        Ok(program) => Ok(Compiled {
            // For the places that `_catch` shows.
            program: crate::ir::Program {
                sources: std::sync::Arc::new(sources.clone()),
                ..program
            },
            typed,
            sources,
            warnings: diagnostics,
            expansions,
        }),
        Err(error) => {
            diagnostics.push(Diagnostic::error(error.span(), error.to_string(), ""));
            failed(diagnostics, sources, expansions)
        }
    }
}
