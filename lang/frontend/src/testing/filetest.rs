//! Filetests: small probe files whose expected output stands in comments.
//!
//! The first line names the phase, directives follow, then the program, then what it gives:
//!
//! ```text
//! // test run
//! //! memory 0x1000 u32 1 2 3 "text\0"
//! _probe _oneshot { printf("%d\n", *(int *)0x1004); }
//! //> 2
//! ```
//!
//! Phases: `parse` (the syntax tree), `type` (globals and functions with their types), `ir` (the
//! lowered program as text), `capture` (what would be captured at a hit if each probe were on an event), `run` (what its probes print, warn and check), and `parse-error`,
//! `type-error`, `run-error` (the diagnostics, or the fault that ends a probe).
//!
//! Directives:
//! - `//! memory ADDRESS ITEMS…`: bytes of the target. Items are strings in quotes (`\n`, `\0`,
//!   `\\`, `\"`, `\xNN`) and numbers of the type named last (`u8 u16 u32 u64 f32 f64`; `u8` at
//!   first), little-endian.
//! - `//! repeat ADDRESS COUNT STRIDE ITEMS…`: the same for each i below COUNT, STRIDE bytes apart;
//!   a number may be `A+B*i`.
//! - `//: C DECLARATION`: the target's types, variables and functions. Variables lie at 0x10000,
//!   0x11000 … in order, functions at 0x400000, 0x400100 …
//! - `//! at NAME ADDRESS`, `//! thread-local NAME OFFSET`, `//! literal ADDRESS ITEMS…`: puts a
//!   name elsewhere; makes a variable thread-local; bytes of the target's read-only data.
//! - `//! arguments WORDS…`: the words after `--`.
//! - `//! steps N`, `//! stack N`, `//! tracer-memory N`, `//! output N`, `//! string N`: budgets.
//! - `//! hit SITE ITEMS…`, `//! return SITE ITEMS…`: what happens, in order, after `_begin`, `_oneshot` and timers. A site is a
//!   function's name, `line:FILE:N`, `address:N`, `static:PROVIDER:NAME`, `watch:ADDRESS`, `profile`, or the name of a process event.
//!   Items are registers (`rdi=1`, `xmm0=1.5`, `xmm1=1.5f`, `xmm2=0x10`), arguments of events (`arg0=1`), `tid=N` and
//!   `weight=N`. A hit's values as of entry are kept for the next return of the same function in the same thread. A `memory`
//!   directive that follows takes place then.
//! - `//! stripped NAME`, `//! variadic NAME`: debug information knows nothing of a function; its parameters end in `...`.
//! - `//! copied NAME PLACE…`: it is a copy for some callers, with its parameters in registers, always a number, at `sp+N`, or nowhere (`-`).
//! - `//! copy NAME COPY PLACE…`: the function has a copy of this name besides, with its parameters there.
//! - `//! most-probes N`: how many functions a pattern may match.
//! - `//! show steps`: the number of steps of each probe is part of the output.
//! - `//! file NAME`: the lines `//| …` that follow are a file that `#include` finds.
//!
//! This module reads no files: who calls it brings the text. [`Filetest::transcript`] takes any
//! executor, so that another one can be held against the interpreter.

use std::fmt::Write;
use std::sync::Arc;

use super::hits::Step;
use super::world::{PAGE_SIZE, RecordingHost, SparseMemory};
use crate::abi;
use crate::check::{self, testing::TestTarget};
use crate::compile::LayoutChoices;
use crate::diagnostics::{Diagnostic, Severity};
use crate::execute::{Budget, Executor, Outcome};
use crate::hir::ProbePoint;
use crate::interpret::Interpreter;
use crate::source::{LoadError, Loader, SourceFile, SourceMap};
use crate::target::{CopyDescription, ParameterPlace};
use crate::{capture, dump, hir, ir, lower, parse, verify};
use ytrace_values::{FaultKind, Limits, Machine, Store};

/// What a filetest looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Phase {
    Parse,
    ParseError,
    Type,
    TypeError,
    Ir,
    Capture,
    Run,
    RunError,
}

/// A filetest that was read.
#[derive(Clone, Debug)]
pub struct Filetest {
    /// What it looks at.
    pub phase: Phase,
    /// The lines of `//> `.
    pub expected: String,
    /// The text without those lines.
    pub(super) program: String,
    pub(super) directives: Directives,
    /// The target of the declarations, where it was made once for many programs.
    pub(super) target: Option<Arc<TestTarget>>,
}

#[derive(Clone, Debug)]
pub(super) struct Directives {
    /// The most that `repeat` repeats.
    pub(super) repeats: u64,
    memory: SparseMemory,
    pub(super) declarations: String,
    places: Vec<(String, u64, bool)>,
    literals: Vec<(u64, Vec<u8>)>,
    pub(super) arguments: Vec<String>,
    pub(super) steps: u64,
    pub(super) stack: u64,
    pub(super) limits: Limits,
    show_steps: bool,
    files: Vec<(String, String)>,
    /// What happens, in order.
    pub(super) happens: Vec<Step>,
    stripped: Vec<String>,
    variadic: Vec<String>,
    copied: Vec<(String, Vec<ParameterPlace>)>,
    copies: Vec<(String, String, Vec<ParameterPlace>)>,
    most_probes: usize,
}

impl Default for Directives {
    fn default() -> Self {
        Self {
            repeats: 1 << 21,
            memory: SparseMemory::default(),
            declarations: String::new(),
            places: Vec::new(),
            literals: Vec::new(),
            arguments: Vec::new(),
            steps: 10_000_000,
            stack: 1 << 20,
            limits: Limits {
                memory: 1 << 26,
                output: 1 << 20,
                string: 1 << 12,
            },
            show_steps: false,
            files: Vec::new(),
            happens: Vec::new(),
            stripped: Vec::new(),
            variadic: Vec::new(),
            copied: Vec::new(),
            copies: Vec::new(),
            most_probes: check::MOST_PROBES,
        }
    }
}

/// Everything that a run did. Two executors must agree on all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// What ran, how it ended, and in how many steps.
    pub outcomes: Vec<(String, Outcome)>,
    /// What was printed.
    pub output: Vec<u8>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Cross-checks.
    pub checks: Vec<(String, i64, i64)>,
    /// The bytes of the globals at the end.
    pub globals: Vec<u8>,
    /// The globals at the end, decoded as views decode them, in the debug form of their values.
    pub values: Vec<String>,
    /// How many faults were caught.
    pub caught: u64,
    /// Tracer memory in use at the end.
    pub memory_used: u64,
}

/// A program of a filetest, ready to run.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The typed program. Every global has a view, so that [`Transcript::values`] has it.
    pub typed: hir::Program,
    /// The lowered program.
    pub program: Arc<ir::Program>,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
}

/// Makes an executor of a program.
pub type MakeExecutor<'a> =
    &'a mut dyn FnMut(Arc<ir::Program>) -> Result<Box<dyn Executor>, String>;

impl Filetest {
    /// Reads a filetest. The error says what is wrong with its form.
    pub fn read(text: &str) -> Result<Self, String> {
        let phase = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("// test "))
            .ok_or("the first line is not `// test PHASE`")?;
        let phase = match phase.trim() {
            "parse" => Phase::Parse,
            "parse-error" => Phase::ParseError,
            "type" => Phase::Type,
            "type-error" => Phase::TypeError,
            "ir" => Phase::Ir,
            "capture" => Phase::Capture,
            "run" => Phase::Run,
            "run-error" => Phase::RunError,
            other => return Err(format!("no phase `{other}`")),
        };
        let mut expected = String::new();
        let mut program = String::new();
        for line in text.lines() {
            match line.strip_prefix("//>") {
                Some(line) => {
                    expected.push_str(line.strip_prefix(' ').unwrap_or(line));
                    expected.push('\n');
                }
                None => {
                    program.push_str(line);
                    program.push('\n');
                }
            }
        }
        Self::of(phase, &program, expected)
    }

    /// A filetest of a program with its directives. The error says what is wrong with them.
    pub fn of(phase: Phase, program: &str, expected: String) -> Result<Self, String> {
        Self::starting_from(Directives::default(), phase, program, expected)
    }

    /// The same, where the directives change these.
    pub(super) fn starting_from(
        mut directives: Directives,
        phase: Phase,
        program: &str,
        expected: String,
    ) -> Result<Self, String> {
        directives.read(program)?;
        Ok(Self {
            phase,
            expected,
            program: format!("{}\n", program.trim_end_matches('\n')),
            directives,
            target: None,
        })
    }

    /// The same with its target made once, for [`Filetest::with_program`].
    pub fn with_target(mut self) -> Self {
        self.target = Some(Arc::new(self.target()));
        self
    }

    /// Another program on the same target, with the directives of both; those of the program
    /// must declare nothing. The error says what is wrong with them.
    pub fn with_program(&self, program: &str) -> Result<Self, String> {
        let mut directives = self.directives.clone();
        directives.read(program)?;
        Ok(Self {
            phase: self.phase,
            expected: String::new(),
            program: format!("{}\n", program.trim_end_matches('\n')),
            directives,
            target: self.target.clone(),
        })
    }

    /// The text with other expectations.
    pub fn blessed(&self, actual: &str) -> String {
        let mut text = self.program.trim_end().to_owned();
        text.push('\n');
        for line in actual.lines() {
            text.push_str("//>");
            if !line.is_empty() {
                text.push(' ');
                text.push_str(line);
            }
            text.push('\n');
        }
        text
    }

    /// What the program gives in its phase, by the interpreter.
    pub fn evaluate(&self, name: &str) -> Result<String, String> {
        let parsed = self.parse(name);
        if self.phase == Phase::ParseError {
            return if parsed.has_errors() {
                Ok(diagnostics(&parsed.diagnostics, &parsed.sources))
            } else {
                Err("it should not parse, but does".to_owned())
            };
        }
        if parsed.has_errors() {
            return Err(diagnostics(&parsed.diagnostics, &parsed.sources));
        }
        if self.phase == Phase::Parse {
            return Ok(tree(&parsed.unit));
        }
        let checked = self.check(&parsed)?;
        let complete = checked.is_complete();
        let mut text = diagnostics(&parsed.diagnostics, &parsed.sources);
        text.push_str(&diagnostics(&checked.diagnostics, &parsed.sources));
        for (span, message) in &checked.unresolved {
            let place = place(&parsed.sources, *span);
            let _ = writeln!(text, "unresolved {place}: {message}");
        }
        if self.phase == Phase::TypeError {
            if !complete {
                return Ok(text);
            }
            // Some rules are known to the lowering alone.
            return match lower::lower(&checked.program) {
                Err(error) => {
                    let place = place(&parsed.sources, error.span());
                    Ok(format!("{text}error {place}: {error}\n"))
                }
                Ok(_) => Err("it should not check, but does".to_owned()),
            };
        }
        if !complete {
            return Err(text);
        }
        if self.phase == Phase::Type {
            text.push_str(&declarations(&checked.program));
            return Ok(text);
        }
        let program = Arc::new(lowered(&checked.program, &parsed.sources)?);
        if self.phase == Phase::Ir {
            text.push_str(&dump::program(&program));
            return Ok(text);
        }
        if self.phase == Phase::Capture {
            text.push_str(&self.captures(&checked.program, &program, &parsed.sources));
            return Ok(text);
        }
        let executor = Interpreter::new(Arc::clone(&program));
        let transcript = self.execute(&checked.program, &program, Box::new(executor));
        let failed = transcript
            .outcomes
            .iter()
            .any(|(_, outcome)| fails(outcome));
        if failed != (self.phase == Phase::RunError) {
            return Err(self.show(&transcript, &program));
        }
        text.push_str(&self.show(&transcript, &program));
        Ok(text)
    }

    /// What an executor does with the program; `None` for phases that run nothing.
    pub fn transcript(
        &self,
        name: &str,
        make: MakeExecutor<'_>,
    ) -> Result<Option<Transcript>, String> {
        if !matches!(self.phase, Phase::Run | Phase::RunError) {
            return Ok(None);
        }
        let compiled = self.compile(name)?;
        let executor = make(Arc::clone(&compiled.program))?;
        Ok(Some(self.run(&compiled, executor)))
    }

    /// Compiles the program, whatever the phase. The error is what is wrong with it.
    pub fn compile(&self, name: &str) -> Result<Compiled, String> {
        let parsed = self.parse(name);
        if parsed.has_errors() {
            return Err(diagnostics(&parsed.diagnostics, &parsed.sources));
        }
        let check::Checked {
            program: mut typed,
            diagnostics: found,
            unresolved,
            ..
        } = self.check(&parsed)?;
        let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
        if found.iter().any(is_error) || !unresolved.is_empty() {
            return Err(diagnostics(&found, &parsed.sources));
        }
        // What the kind of a view can show is a matter of the checker; all of them are decoded
        // alike.
        typed.views = (0..)
            .map(hir::GlobalId)
            .zip(&typed.globals)
            .map(|(id, global)| hir::View {
                kind: hir::ViewKind::Table,
                title: String::new(),
                unit: String::new(),
                rows: hir::HistogramRows::Logarithmic,
                global: id,
                span: global.span,
            })
            .collect();
        let program = Arc::new(lowered(&typed, &parsed.sources)?);
        Ok(Compiled {
            typed,
            program,
            warnings: found,
        })
    }

    /// What an executor of the compiled program does.
    pub fn run(&self, compiled: &Compiled, executor: Box<dyn Executor>) -> Transcript {
        self.execute(&compiled.typed, &compiled.program, executor)
    }

    /// What the interpreter does with the program; `None` for phases that run nothing.
    pub fn interpreted(&self, name: &str) -> Result<Option<Transcript>, String> {
        self.transcript(name, &mut |program| Ok(Box::new(Interpreter::new(program))))
    }

    /// What is captured for each probe, or why it cannot be.
    fn captures(&self, typed: &hir::Program, program: &ir::Program, sources: &SourceMap) -> String {
        let options = capture::Options {
            page_size: PAGE_SIZE,
            string: self.directives.limits.string,
        };
        // Where no probe is on an event, all stand for such.
        let event = |probe: &hir::Probe| matches!(probe.point, ProbePoint::Event(_));
        let settled = match typed.probes.iter().any(event) {
            true => capture::settled(typed, program),
            false => Vec::new(),
        };
        let captures = capture::Captures::new(program, options, settled);
        // Where no probe is on an event, all stand for such.
        let on_events = typed.probes.iter().zip(&program.probes);
        let on_events =
            on_events.filter(|(probe, _)| event(probe) || !typed.probes.iter().any(event));
        let handlers: Vec<ir::FunctionId> = on_events.map(|(_, function)| *function).collect();
        let counting: Vec<Option<capture::Counting>> = handlers
            .iter()
            .map(|function| captures.counting(*function))
            .collect();
        let all: Vec<Option<&capture::Counting>> = counting.iter().map(Option::as_ref).collect();
        let countable = capture::countable(typed, program, &handlers, &program.entry_values, &all);
        let mut text = String::new();
        for (number, probe) in program.probes.iter().enumerate() {
            if number > 0 {
                text.push('\n');
            }
            match captures.analyze(*probe) {
                Ok(plan) => text.push_str(&capture::text(&plan)),
                Err(errors) => text.push_str(&diagnostics(&errors, sources)),
            }
            let place = handlers.iter().position(|function| function == probe);
            let counting = place.and_then(|place| counting.get(place)?.clone());
            if let Some(mut counting) = counting {
                text.push_str(&counted(&mut counting, &countable, sources));
            }
        }
        text
    }

    fn parse(&self, name: &str) -> parse::Parsed {
        let main = SourceFile {
            name: name.to_owned(),
            text: Arc::from(self.program.as_str()),
            library: false,
        };
        let mut loader = self.loader();
        let mut double = self.target();
        parse::parse(
            main,
            &mut loader,
            Some(&mut double),
            &LayoutChoices::new(),
            &[],
        )
    }

    fn check(&self, parsed: &parse::Parsed) -> Result<check::Checked, String> {
        let mut double = self.target();
        check::check(
            check::Input {
                unit: &parsed.unit,
                sources: &parsed.sources,
                scopes: &parsed.scopes,
                arguments: &self.directives.arguments,
                macros: parsed.expansions.names(),
                most_probes: self.directives.most_probes,
                interactive: None,
            },
            Some(&mut double),
        )
        .map_err(|error| format!("{error:?}"))
    }

    fn target(&self) -> TestTarget {
        match &self.target {
            Some(target) => TestTarget::clone(target),
            None => self.placed(TestTarget::new(&self.directives.declarations)),
        }
    }

    /// A target with the places that the directives name.
    pub(super) fn placed(&self, mut target: TestTarget) -> TestTarget {
        let directives = &self.directives;
        for (name, address, thread_local) in &directives.places {
            target = if *thread_local {
                target.thread_local(name, *address)
            } else {
                target.at(name, *address)
            };
        }
        for name in &directives.stripped {
            target = target.stripped(name);
        }
        for name in &directives.variadic {
            target = target.variadic(name);
        }
        for (name, places) in &directives.copied {
            target = target.copied(name, places);
        }
        for ((of, name, places), address) in directives
            .copies
            .iter()
            .zip((0x500_000_u64..).step_by(0x100))
        {
            let copy = CopyDescription {
                name: name.clone(),
                address,
                places: Some(places.clone()),
            };
            target = target.with_copy(of, copy);
        }
        for (address, bytes) in &directives.literals {
            target = target.string(bytes, *address);
        }
        target
    }

    /// What `#include` finds.
    pub(super) fn loader(&self) -> impl Loader + '_ {
        Files(&self.directives.files)
    }

    /// Runs the initializers, then every probe once: `_begin`, oneshots and timers, `_end`. As in
    /// a session, nothing follows initializers that fail.
    pub(super) fn execute(
        &self,
        typed: &hir::Program,
        program: &ir::Program,
        mut executor: Box<dyn Executor>,
    ) -> Transcript {
        let directives = &self.directives;
        let mut store = Store::new(Arc::clone(&program.constants), directives.limits);
        let mut memory = directives.memory.clone();
        let mut host = RecordingHost::default();
        let budget = Budget {
            steps: directives.steps,
            stack: directives.stack,
            deadline: None,
            interrupt: None,
        };
        let mut outcomes: Vec<(String, Outcome)> = Vec::new();
        let mut note = |name: &str, outcome: Outcome| {
            let kind = outcome.result.as_ref().err().map(|fault| fault.fault.kind);
            outcomes.push((name.to_owned(), outcome));
            kind
        };
        let ends = |kind| matches!(kind, Some(FaultKind::Exit | FaultKind::Error));
        // Nothing can run on globals that were not all set.
        let set = {
            let mut machine = Machine {
                store: &mut store,
                memory: &mut memory,
                host: &mut host,
            };
            let outcome = executor.run(program.initialize, &mut machine, budget);
            note("initialize", outcome).is_none()
        };
        let mut ended = !set;
        let of_group = |wanted: u32| {
            let probes = typed.probes.iter().zip(&program.probes);
            probes.filter_map(move |(probe, function)| {
                let (group, name) = match &probe.point {
                    ProbePoint::Begin => (0, "_begin"),
                    ProbePoint::Oneshot => (1, "_oneshot"),
                    ProbePoint::Timer(_) => (1, "_timer"),
                    ProbePoint::End => (2, "_end"),
                    ProbePoint::Profile(_) | ProbePoint::Event(_) => return None,
                };
                (group == wanted).then_some((name, *function))
            })
        };
        for group in 0..3 {
            // What happens to the target happens before the end.
            if group == 2 && !ended {
                let mut happening = super::hits::Happening::new(&directives.happens, typed);
                while let Some((name, function, entry)) = happening.next(&mut memory, &mut host) {
                    let mut machine = Machine {
                        store: &mut store,
                        memory: &mut memory,
                        host: &mut host,
                    };
                    let outcome = executor.run(function, &mut machine, budget);
                    if entry {
                        happening.entered(outcome);
                    } else if ends(note(&name, outcome)) {
                        ended = true;
                        break;
                    }
                }
                host.hit = None;
            }
            for (name, function) in of_group(group) {
                if !set || (ended && group != 2) {
                    continue;
                }
                let mut machine = Machine {
                    store: &mut store,
                    memory: &mut memory,
                    host: &mut host,
                };
                let outcome = executor.run(function, &mut machine, budget);
                ended |= ends(note(name, outcome));
            }
        }
        Transcript {
            outcomes,
            output: host.output,
            warnings: host.warnings,
            checks: host.checks,
            globals: store.globals.clone(),
            values: values(&store, typed, program),
            caught: store.caught_count(),
            memory_used: store.memory_used(),
        }
    }

    fn show(&self, transcript: &Transcript, program: &ir::Program) -> String {
        let mut text = String::from_utf8_lossy(&transcript.output).into_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str("⏎\n");
        }
        for warning in &transcript.warnings {
            let _ = writeln!(text, "warning: {warning}");
        }
        for (name, left, right) in &transcript.checks {
            let _ = writeln!(text, "check {name}: {left} {right}");
        }
        for (name, outcome) in &transcript.outcomes {
            if let Err(fault) = &outcome.result {
                let location = |span| {
                    let location = program.location(span);
                    // Without the name of the file, which is that of the test.
                    location
                        .split_once(':')
                        .map_or(location.clone(), |(_, place)| place.to_owned())
                };
                let _ = write!(
                    text,
                    "{name} ended: {} at {}",
                    fault.fault,
                    location(fault.span)
                );
                for (function, span) in fault.chain.iter().skip(1).take(4) {
                    let name = program
                        .functions
                        .get(function.0 as usize)
                        .map_or("?", |function| function.name.as_str());
                    let _ = write!(text, ", from {name} at {}", location(*span));
                }
                text.push('\n');
            }
            if self.directives.show_steps {
                let _ = writeln!(text, "{name}: {} steps", outcome.steps);
            }
        }
        text
    }
}

/// The globals that have views, decoded as reports decode them.
fn values(store: &Store, typed: &hir::Program, program: &ir::Program) -> Vec<String> {
    let shown = typed.views.iter().zip(&program.view_shapes);
    shown
        .map(|(view, shape)| {
            let bytes = program
                .global_offsets
                .get(view.global.0 as usize)
                .and_then(|offset| store.globals.get(usize::try_from(*offset).ok()?..))
                .unwrap_or_default();
            match shape {
                ir::ViewShape::Value(shape) => format!("{:?}", store.decode(*shape, bytes)),
                ir::ViewShape::Container(_) => {
                    let handle = bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
                    let value = handle.and_then(|handle| store.decode_container(handle));
                    format!("{value:?}")
                }
            }
        })
        .collect()
}

/// Whether a run ended in a way that a `run` test does not expect.
fn fails(outcome: &Outcome) -> bool {
    match &outcome.result {
        Ok(_) => false,
        Err(fault) => !matches!(fault.fault.kind, FaultKind::Next | FaultKind::Exit),
    }
}

fn lowered(typed: &hir::Program, sources: &SourceMap) -> Result<ir::Program, String> {
    let mut program = lower::lower(typed)
        .map_err(|error| format!("error {}: {error}", place(sources, error.span())))?;
    verify::verify(&program).map_err(|error| error.to_string())?;
    program.sources = Arc::new(sources.clone());
    Ok(program)
}

/// Globals, then functions with their locals.
fn declarations(program: &hir::Program) -> String {
    let mut text = String::new();
    let types = &program.types;
    for global in &program.globals {
        let _ = writeln!(text, "{}: {}", global.name, types.name_of(global.ty));
    }
    for function in &program.functions {
        let locals: Vec<String> = function
            .locals
            .iter()
            .map(|local| format!("{}: {}", local.name, types.name_of(local.ty)))
            .collect();
        let (parameters, locals) = locals.split_at(locals.len().min(function.parameters as usize));
        let _ = write!(
            text,
            "{}({}) -> {}",
            function.name,
            parameters.join(", "),
            types.name_of(function.result)
        );
        if !locals.is_empty() {
            let _ = write!(text, " {{ {} }}", locals.join(", "));
        }
        text.push('\n');
    }
    text
}

/// One line an item: its debug form without the spans.
fn tree(unit: &crate::ast::Unit) -> String {
    let mut text = String::new();
    for item in &unit.items {
        let debug = format!("{:?}", item.kind);
        let mut rest = debug.as_str();
        while let Some(start) = rest.find("Span { file") {
            // Two levels of braces: the span, and the id of the file in parentheses.
            let (before, span) = rest.split_at(start);
            let before = before.trim_end_matches("span: ").trim_end_matches(", ");
            text.push_str(before);
            rest = span
                .find('}')
                .and_then(|end| span.get(end + 1..))
                .unwrap_or_default();
        }
        text.push_str(rest);
        text.push('\n');
    }
    text
}

/// One line a diagnostic: place, message, label, help.
fn diagnostics(list: &[Diagnostic], sources: &SourceMap) -> String {
    let mut text = String::new();
    for diagnostic in list {
        let kind = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let (span, label) = &diagnostic.primary;
        let _ = write!(
            text,
            "{kind} {}: {}",
            place(sources, *span),
            diagnostic.message
        );
        if !label.is_empty() {
            let _ = write!(text, " [{label}]");
        }
        for (span, label) in &diagnostic.secondary {
            let _ = write!(text, " [{}: {label}]", place(sources, *span));
        }
        if let Some(help) = &diagnostic.help {
            let _ = write!(text, " (help: {help})");
        }
        text.push('\n');
    }
    text
}

/// Line and column, with the name of the file unless it is the main one.
fn place(sources: &SourceMap, span: crate::source::Span) -> String {
    let location = sources.location(span);
    if span.file.0 > 0 {
        return location;
    }
    match location.split_once(':') {
        Some((_, place)) => place.to_owned(),
        None => location,
    }
}

struct Files<'a>(&'a [(String, String)]);

impl Loader for Files<'_> {
    fn load(&mut self, name: &str, _quoted: bool, _from: &str) -> Result<SourceFile, LoadError> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(name, text)| SourceFile {
                name: name.clone(),
                text: Arc::from(text.as_str()),
                library: false,
            })
            .ok_or_else(|| LoadError::NotFound {
                name: name.to_owned(),
                tried: vec!["the filetest".to_owned()],
            })
    }
}

impl Directives {
    /// Reads the directives and declarations among the lines of a program.
    fn read(&mut self, program: &str) -> Result<(), String> {
        for line in program.lines() {
            if let Some(line) = line.strip_prefix("//! ") {
                self.directive(line)?;
            } else if let Some(line) = line.strip_prefix("//:") {
                self.declarations.push_str(line);
                self.declarations.push('\n');
            } else if let Some(line) = line.strip_prefix("//|") {
                let Some((_, file)) = self.files.last_mut() else {
                    return Err("a line `//|` before any `//! file`".to_owned());
                };
                file.push_str(line.strip_prefix(' ').unwrap_or(line));
                file.push('\n');
            }
        }
        Ok(())
    }

    fn directive(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        let number = || number(rest).ok_or_else(|| format!("`{word}` without a number"));
        match word {
            "memory" => {
                let (address, items) = rest.split_once(' ').unwrap_or((rest, ""));
                let address =
                    self::number(address).ok_or_else(|| format!("`{address}` is no address"))?;
                let bytes = items_of(items)?;
                if self.happens.is_empty() {
                    self.memory.write(address, &bytes);
                } else {
                    self.happens.push(Step::Memory(address, bytes));
                }
            }
            "hit" | "return" => self.happens.push(Step::read(word == "return", rest)?),
            "stripped" => self.stripped.push(rest.to_owned()),
            "variadic" => self.variadic.push(rest.to_owned()),
            "copied" => {
                let mut words = rest.split(' ');
                let name = words.next().unwrap_or_default().to_owned();
                let places = words.map(place_of_parameter);
                self.copied
                    .push((name, places.collect::<Result<_, String>>()?));
            }
            "copy" => {
                let mut words = rest.split(' ');
                let mut name = || words.next().unwrap_or_default().to_owned();
                let (of, name) = (name(), name());
                let places = words.map(place_of_parameter);
                self.copies
                    .push((of, name, places.collect::<Result<_, String>>()?));
            }
            "most-probes" => {
                self.most_probes = usize::try_from(number()?).unwrap_or(usize::MAX);
            }
            "repeat" => {
                let mut words = rest.splitn(4, ' ');
                let mut next = || words.next().and_then(self::number);
                let (Some(address), Some(count), Some(stride)) = (next(), next(), next()) else {
                    return Err("`repeat` takes an address, a count and a stride".to_owned());
                };
                let items = words.next().unwrap_or_default();
                if count > self.repeats {
                    return Err(format!("`repeat` repeats at most {} times", self.repeats));
                }
                let mut bytes = Vec::new();
                for index in 0..count {
                    let start = usize::try_from(index.wrapping_mul(stride)).unwrap_or(usize::MAX);
                    if start as u64 > self.repeats * 64 {
                        return Err("`repeat` makes too many bytes".to_owned());
                    }
                    let items = numbered_items(items, index)?;
                    if bytes.len() < start + items.len() {
                        bytes.resize(start + items.len(), 0);
                    }
                    for (place, byte) in bytes.iter_mut().skip(start).zip(items) {
                        *place = byte;
                    }
                }
                self.memory.write(address, &bytes);
            }
            "literal" => {
                let (address, items) = rest.split_once(' ').unwrap_or((rest, ""));
                let address =
                    self::number(address).ok_or_else(|| format!("`{address}` is no address"))?;
                self.literals.push((address, items_of(items)?));
            }
            "at" | "thread-local" => {
                let (name, address) = rest.split_once(' ').unwrap_or((rest, ""));
                let address =
                    self::number(address).ok_or_else(|| format!("`{address}` is no address"))?;
                self.places
                    .push((name.to_owned(), address, word == "thread-local"));
            }
            "arguments" => {
                self.arguments = rest.split_whitespace().map(str::to_owned).collect();
            }
            "steps" => self.steps = number()?,
            "stack" => self.stack = number()?,
            "tracer-memory" => self.limits.memory = number()?,
            "output" => self.limits.output = number()?,
            "string" => self.limits.string = number()?,
            "show" if rest == "steps" => self.show_steps = true,
            "file" => self.files.push((rest.to_owned(), String::new())),
            _ => return Err(format!("no directive `{line}`")),
        }
        Ok(())
    }
}

/// A number, decimal or hexadecimal, perhaps negative.
pub(super) fn number(text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok();
    }
    match text.strip_prefix('-') {
        Some(digits) => digits.parse::<u64>().ok().map(u64::wrapping_neg),
        None => text.parse().ok(),
    }
}

/// A number of a `repeat` directive: `A`, or `A+B*i`.
fn numbered(text: &str, index: u64) -> Option<u64> {
    match text
        .strip_suffix("*i")
        .and_then(|text| text.rsplit_once('+'))
    {
        Some((first, step)) => Some(number(first)?.wrapping_add(number(step)?.wrapping_mul(index))),
        None => number(text),
    }
}

/// The bytes of a `memory` directive.
fn items_of(text: &str) -> Result<Vec<u8>, String> {
    numbered_items(text, 0)
}

fn numbered_items(mut text: &str, index: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut ty = "u8";
    loop {
        text = text.trim_start();
        if text.is_empty() {
            return Ok(bytes);
        }
        if let Some(rest) = text.strip_prefix('"') {
            text = string_item(rest, &mut bytes)?;
            continue;
        }
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        text = rest;
        if matches!(word, "u8" | "u16" | "u32" | "u64" | "f32" | "f64") {
            ty = word;
            continue;
        }
        let bad = || format!("`{word}` is no {ty}");
        let value = match ty {
            "f32" => u64::from(word.parse::<f32>().map_err(|_| bad())?.to_bits()),
            "f64" => word.parse::<f64>().map_err(|_| bad())?.to_bits(),
            _ => numbered(word, index).ok_or_else(bad)?,
        };
        let size = match ty {
            "u8" => 1,
            "u16" => 2,
            "u32" | "f32" => 4,
            _ => 8,
        };
        bytes.extend(value.to_le_bytes().into_iter().take(size));
    }
}

/// Reads a string up to its closing quote; gives what follows.
fn string_item<'t>(text: &'t str, bytes: &mut Vec<u8>) -> Result<&'t str, String> {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok(text.get(at + 1..).unwrap_or_default()),
            '\\' => match characters.next() {
                Some((_, 'n')) => bytes.push(b'\n'),
                Some((_, '0')) => bytes.push(0),
                Some((at, 'x')) => {
                    let digits = text.get(at + 1..at + 3).unwrap_or_default();
                    let byte = u8::from_str_radix(digits, 16)
                        .map_err(|_| format!("`\\x{digits}` in a string"))?;
                    bytes.push(byte);
                    characters.next();
                    characters.next();
                }
                Some((_, other)) => bytes.extend(other.to_string().as_bytes()),
                None => break,
            },
            other => bytes.extend(other.to_string().as_bytes()),
        }
    }
    Err("a string without an end".to_owned())
}

/// A place of a parameter, as `copied` has it.
fn place_of_parameter(word: &str) -> Result<ParameterPlace, String> {
    if let Some(register) = abi::register_number(word) {
        return Ok(ParameterPlace::General(register));
    }
    if let Some(register) = abi::vector_register_number(word) {
        return Ok(ParameterPlace::Vector(register));
    }
    if let Some(offset) = word.strip_prefix("sp+").and_then(number) {
        return Ok(ParameterPlace::Stack(offset));
    }
    match number(word) {
        Some(constant) => Ok(ParameterPlace::Constant(constant)),
        None if word == "-" => Ok(ParameterPlace::Nowhere("the compiler has left it out")),
        None => Err(format!("`{word}` is no place of a parameter")),
    }
}

/// What the kernel counts for a handler, and what it does not.
fn counted(
    counting: &mut capture::Counting,
    countable: &capture::Countable,
    sources: &SourceMap,
) -> String {
    let adds = counting.updates().next().is_some();
    let refused = counting.keep(countable);
    let plan = capture::text(&counting.plan);
    let mut text: String = plan
        .lines()
        .filter(|line| line.starts_with("count if"))
        .flat_map(|line| [line, "\n"])
        .collect();
    if let (true, Some(why)) = (
        adds,
        refused.and_then(|global| countable.refused.get(&global)),
    ) {
        text.push_str(&format!("not counted: {why}\n"));
    } else if let (true, Some((span, why))) = (adds, counting.obstacle) {
        text.push_str(&format!(
            "not all counted: {why}, at {}\n",
            sources.location(span)
        ));
    }
    text
}
