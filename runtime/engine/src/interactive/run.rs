//! Compiling and running one part of a line.

use std::collections::HashMap;

use ytrace_lang::compile::Compiled;
use ytrace_lang::execute::Outcome;
use ytrace_lang::fragment::{
    self, HANDLER, HANDLER_END, PieceKind, SHOWN_HANDLER, SHOWN_HANDLER_END,
};
use ytrace_lang::hir::{Program, ShownValue};
use ytrace_lang::ir::{FunctionId, SpanId};
use ytrace_lang::source::{FileId, SourceFile, Span};
use ytrace_lang::types::{Type, Types};
use ytrace_target::{Counters, PauseReport, ThreadSnapshot};
use ytrace_values::constants::{FormatArgument, FormatPiece, ShapeId};
use ytrace_values::show::{Outline, Place, Radix, Style};
use ytrace_values::{FaultKind, Machine, Memory, Store, Value};

use super::declared::{Earlier, Form};
use super::{Answer, HowShown, Interactive, NAME, Shown, Typed, Wanted};
use crate::error::SessionError;
use crate::host::{CrossCheck, Effects, RunHost, Sink};
use crate::memory::{GoneMemory, Interruptible};
use crate::moment::Moment;
use crate::program::{Runner, asks_for_registers};
use crate::result::{FaultReport, pages_left_out};
use crate::session::exhausted;

/// The largest value of the target that is made a tree of, in bytes.
const MOST_TREE: u64 = 16 << 20;

/// The most values that are kept.
const MOST_EARLIER: usize = 100_000;

/// A part of a line, compiled.
pub(super) struct Part {
    pub(super) compiled: Compiled,
    pub(super) runner: Runner,
    /// What is to run; nothing but initializers where that waits for something to happen.
    handler: Option<FunctionId>,
    /// What stands before what was typed and belongs to it alone, in bytes of the text.
    before: std::ops::Range<usize>,
}

/// What a run left behind.
struct Ran {
    outcome: Outcome,
    shown: Option<Result<Shown, FaultReport>>,
    store: Store,
    counters: Counters,
    effects: Effects,
}

/// What a part sees of the target besides its memory.
struct Seen<'s> {
    threads: &'s [ThreadSnapshot],
    /// Of a snapshot.
    moment: Option<&'s Moment>,
}

impl<'s> Seen<'s> {
    fn now(threads: &'s [ThreadSnapshot]) -> Self {
        Self {
            threads,
            moment: None,
        }
    }
}

impl Interactive<'_> {
    /// Compiles a part of a line. `text` has the line's other parts blanked out.
    pub(super) fn compile_piece(
        &mut self,
        kind: PieceKind,
        text: &str,
        sink: &mut dyn Sink,
    ) -> Result<Part, SessionError> {
        let prelude = format!("{}{}", self.declared.text(), self.earlier_text(text));
        let whole = match kind {
            PieceKind::Definition => format!("{prelude}{text}\n{HANDLER}{HANDLER_END}"),
            PieceKind::Probe => format!("{prelude}{text}\n"),
            PieceKind::Expression => {
                format!("{prelude}{SHOWN_HANDLER}{text}{SHOWN_HANDLER_END}")
            }
            PieceKind::Statements => {
                // A comment at the end would hide the semicolon.
                let end = if text.contains("//") { "\n;" } else { " ;" };
                format!("{prelude}{HANDLER}{text}{end}{HANDLER_END}")
            }
        };
        let wrapper = match kind {
            PieceKind::Definition | PieceKind::Probe => 0,
            PieceKind::Expression => SHOWN_HANDLER.len(),
            PieceKind::Statements => HANDLER.len(),
        };
        self.typed_in.starts = self.declared.starts();
        let start = prelude.len() + wrapper;
        self.typed_in.starts.extend([start, start + text.len()]);
        let compiled = self.compile_text(whole, kind == PieceKind::Expression, sink);
        let mut part = compiled.map_err(|error| match error {
            SessionError::Source { mut errors } => {
                fragment::as_typed(&mut errors, prelude.len() + wrapper, wrapper, text);
                SessionError::Source { errors }
            }
            other => other,
        })?;
        let blanks = text.len() - text.trim_start().len();
        part.before = prelude.len()..start + blanks;
        // What is wrong with earlier lines has been said then.
        part.compiled.warnings.retain(|warning| {
            let span = warning.primary.0;
            span.file == FileId(0) && span.start as usize >= prelude.len()
        });
        Ok(part)
    }

    /// Compiles a whole program, whose last probe is the handler.
    pub(super) fn compile_text(
        &mut self,
        text: String,
        show: bool,
        sink: &mut dyn Sink,
    ) -> Result<Part, SessionError> {
        let main = SourceFile {
            name: NAME.to_owned(),
            text: text.into(),
            library: false,
        };
        self.typed_in.show = show;
        self.typed_in.kept = self.values.keys().cloned().collect();
        self.session.typed_in = Some(self.typed_in.clone());
        let result = self.session.compile(&main, sink);
        self.typed_in.starts.clear();
        if let Some(typed_in) = self.session.typed_in.take() {
            self.typed_in.layouts = typed_in.layouts;
            self.typed_in.settled = typed_in.settled;
        }
        sink.progress("");
        let (compiled, runner) = result?;
        let handler = compiled.program.probes.first().copied();
        let handler = handler.ok_or(SessionError::NoProbe)?;
        Ok(Part {
            compiled,
            runner,
            handler: Some(handler),
            before: 0..0,
        })
    }

    /// Compiles and runs a part of a line. An expression is kept under the next number if `own`, its text, is given.
    /// The second result is the typed program.
    pub(super) fn evaluate(
        &mut self,
        kind: PieceKind,
        text: &str,
        own: Option<&str>,
        wanted: Wanted,
        sink: &mut dyn Sink,
    ) -> Result<(Answer, Program), SessionError> {
        self.check_earlier(text)?;
        let mut part = self.compile_piece(kind, text, sink)?;
        self.say_of(&part, sink);
        // The variables of earlier values are declared for this text only.
        let variables = self.earlier_variables(text);
        let ran = self.run_part(&mut part, &variables, wanted, sink)?;
        let Part {
            compiled, before, ..
        } = part;
        let mut answer = Answer {
            pause: ran.1,
            missed: ran.0.counters.missed,
            swapped: ran.0.counters.swapped_skipped,
            partial: pages_left_out(&ran.0.counters),
            ..Answer::default()
        };
        let Ran {
            outcome,
            shown,
            store,
            effects,
            ..
        } = ran.0;
        answer.checks = failed_checks(&effects.checks);
        self.keep_values(&compiled, &store);
        let ended = self.ending(&outcome, &compiled, &before);
        answer.end = matches!(
            &outcome.result,
            Err(fault) if fault.fault.kind == FaultKind::Exit
        );
        answer.fault = ended;
        match shown {
            Some(Ok(mut shown)) => {
                if let Some(own) = own {
                    shown.number = self.keep_shown(own, &compiled, &store, &shown);
                }
                answer.shown = Some(shown);
            }
            Some(Err(fault)) => answer.fault = Some(fault),
            None => {}
        }
        if let Some(own) = own {
            self.record(Typed {
                kind,
                text: self.with_earlier_numbers(own, &answer),
                number: answer.shown.as_ref().and_then(|shown| shown.number),
                names: Vec::new(),
                shown: how_shown(&compiled, answer.shown.as_ref(), wanted.style),
                faulted: answer.fault.is_some(),
                order: 0,
            });
        }
        self.store = Some(store);
        Ok((answer, compiled.typed))
    }

    /// Runs a program that shares nothing with the session.
    pub(super) fn run_alone(
        &mut self,
        part: &mut Part,
        wanted: Wanted,
        sink: &mut dyn Sink,
    ) -> Result<Answer, SessionError> {
        let (ran, pause) = self.run_part(part, &[], wanted, sink)?;
        Ok(Answer {
            pause,
            missed: ran.counters.missed,
            swapped: ran.counters.swapped_skipped,
            partial: pages_left_out(&ran.counters),
            fault: self.ending(&ran.outcome, &part.compiled, &part.before),
            checks: failed_checks(&ran.effects.checks),
            ..Answer::default()
        })
    }

    /// Says what is to be said of a part before it runs.
    pub(super) fn say_of(&mut self, part: &Part, sink: &mut dyn Sink) {
        sink.compiled(&part.compiled);
        let names = &self.session.names;
        for warning in names.warnings().into_iter().chain(names.notes()) {
            if self.warned.insert(warning.clone()) {
                sink.warn(&warning);
            }
        }
    }

    /// Gives the variables of a part their initial values, or those that they have, and makes its program the one of the store; how that
    /// ended, if not well.
    pub(super) fn initialize(
        &mut self,
        part: &mut Part,
        variables: &[(String, usize)],
        sink: &mut dyn Sink,
    ) -> Result<Option<FaultReport>, SessionError> {
        part.handler = None;
        let (ran, _) = self.run_part(part, variables, Wanted::default(), sink)?;
        self.keep_values(&part.compiled, &ran.store);
        self.store = Some(ran.store);
        Ok(self.ending(&ran.outcome, &part.compiled, &part.before))
    }

    /// A text as it is kept: the last value is the one before what it gave itself.
    fn with_earlier_numbers(&self, own: &str, answer: &Answer) -> String {
        match answer.shown.as_ref().and_then(|shown| shown.number) {
            Some(number) => self
                .earlier
                .get(number - 1)
                .map_or_else(|| own.to_owned(), |earlier| earlier.text.clone()),
            None => self.with_numbers(own),
        }
    }

    /// How a run ended, if not well; `before` is what stands before what was typed.
    fn ending(
        &self,
        outcome: &Outcome,
        compiled: &Compiled,
        before: &std::ops::Range<usize>,
    ) -> Option<FaultReport> {
        let run_fault = outcome.result.as_ref().err()?;
        let fault = &run_fault.fault;
        if matches!(fault.kind, FaultKind::Next | FaultKind::Exit) {
            return None;
        }
        let place = |span: SpanId| {
            let span = compiled.program.spans.get(span.0 as usize);
            span.map_or_else(
                || "?".to_owned(),
                |span| compiled.program.sources.location(within(*span, before)),
            )
        };
        let chain = run_fault.chain.iter().filter_map(|(function, span)| {
            let function = compiled.program.functions.get(function.0 as usize)?;
            // The handler is no function of the user's.
            let own = compiled
                .program
                .probes
                .first()
                .and_then(|probe| compiled.program.functions.get(probe.0 as usize));
            let handler = own.is_some_and(|own| std::ptr::eq(own, function));
            (!handler).then(|| format!("{} at {}", function.name, place(*span)))
        });
        // What it says is for who reads it, wherever in a library it was said.
        if fault.kind == FaultKind::Error {
            return Some(FaultReport {
                message: fault.message.clone().unwrap_or_default(),
                location: String::new(),
                chain: Vec::new(),
                count: 1,
            });
        }
        let message = match exhausted(fault.kind) {
            Some(budget) => budget.to_owned(),
            None if fault.kind == FaultKind::Interrupted => "interrupted".to_owned(),
            None => fault.to_string(),
        };
        Some(FaultReport {
            message,
            location: place(run_fault.span),
            chain: chain.collect(),
            count: 1,
        })
    }

    /// Runs a part on the view of the target that is due.
    fn run_part(
        &mut self,
        part: &mut Part,
        variables: &[(String, usize)],
        wanted: Wanted,
        sink: &mut dyn Sink,
    ) -> Result<(Ran, Option<PauseReport>), SessionError> {
        part.runner.prepare(part.compiled.program.initialize);
        if let Some(handler) = part.handler {
            part.runner.prepare(handler);
        }
        if let Some(mut frozen) = self.frozen.take() {
            let before = frozen.memory.counters();
            let seen = Seen {
                threads: &frozen.threads,
                moment: Some(&frozen.moment),
            };
            let mut ran = self.run_on(part, variables, &mut frozen.memory, seen, wanted, sink);
            let after = frozen.memory.counters();
            ran.counters = after.since(&before);
            self.frozen = Some(frozen);
            return Ok((ran, None));
        }
        let Some(process) = self.session.running() else {
            let mut memory = self.session.memory()?;
            let threads = self.session.held.clone().unwrap_or_default();
            let mut ran = self.run_on(
                part,
                variables,
                &mut *memory,
                Seen::now(&threads),
                wanted,
                sink,
            );
            ran.counters = memory.counters();
            return Ok((ran, None));
        };
        let asks = |handler| asks_for_registers(&part.compiled.program, handler);
        let registers = part
            .handler
            .is_some_and(|handler| asks(handler) || part.compiled.typed.stacks);
        let live = match process.exited() {
            true => None,
            false => match self.session.live_memory(&process) {
                Err(error) if error.is_exit() => None,
                live => Some(live?),
            },
        };
        // What needs nothing of it any more still works.
        let Some(mut memory) = live else {
            let mut memory = GoneMemory {
                page_size: self.session.page_size,
            };
            let ran = self.run_on(part, variables, &mut memory, Seen::now(&[]), wanted, sink);
            return Ok((ran, None));
        };
        if !registers {
            let mut ran = self.run_on(part, variables, &mut memory, Seen::now(&[]), wanted, sink);
            ran.counters = memory.counters();
            return Ok((ran, None));
        }
        if part.compiled.typed.stacks {
            self.session.names.prepare_stacks();
        }
        let (mut ran, report) =
            self.while_stopped(&process, &mut memory, |own, memory, threads| {
                own.run_on(part, variables, memory, Seen::now(threads), wanted, sink)
            })?;
        ran.counters = memory.counters();
        match report {
            Ok(report) => Ok((ran, Some(report))),
            Err(error) => {
                // The variables are those of probes, too.
                self.store = Some(ran.store);
                Err(error)
            }
        }
    }

    fn run_on(
        &mut self,
        part: &mut Part,
        variables: &[(String, usize)],
        memory: &mut dyn Memory,
        seen: Seen<'_>,
        wanted: Wanted,
        sink: &mut dyn Sink,
    ) -> Ran {
        let mut effects = Effects::default();
        let session = &self.session;
        let memory: &mut dyn Memory = &mut Interruptible {
            memory,
            interrupt: session.options.interrupt,
        };
        let mut host = RunHost::new(&session.target, &session.names, &mut effects)
            .shown_on(sink)
            .of_thread(self.thread)
            .with_threads(seen.threads)
            .at(seen.moment)
            .with_thread_locals(&part.compiled.typed.thread_locals)
            .named(session.words.as_deref());
        let before = self.store.take();
        let earlier = before.as_ref().map(|store| {
            let constants = store.constants.clone();
            (constants, store.mark())
        });
        let options = session.options;
        let (mut store, initialized) = part.runner.next_store(before, memory, &mut host, options);
        let shown_variables: Vec<(&str, &[u8])> = variables
            .iter()
            .filter_map(|(name, number)| {
                let earlier = self.earlier.get(number.checked_sub(1)?)?;
                Some((name.as_str(), earlier.bytes.as_slice()))
            })
            .collect();
        let mut pairs = Vec::new();
        let mut places = Vec::new();
        for global in globals(&part.compiled) {
            let shown = shown_variables
                .iter()
                .find(|(name, _)| *name == global.name)
                .map(|(_, bytes)| *bytes);
            let known = self.values.get(global.name).map(Vec::as_slice);
            let Some(bytes) = shown.or(known) else {
                continue;
            };
            let Some(place) = store.globals.get_mut(global.range.clone()) else {
                continue;
            };
            if place.len() != bytes.len() {
                continue;
            }
            if global.container {
                if let (Some(old), Some(new)) = (word(bytes), word(place)) {
                    pairs.push((old, new));
                    places.push(global.range.clone());
                }
                continue;
            }
            place.copy_from_slice(bytes);
        }
        if let Some((constants, mark)) = earlier {
            let stay = store.keep_containers(&constants, mark, &pairs);
            for (((old, _), place), stays) in pairs.iter().zip(places).zip(stay) {
                if stays && let Some(place) = store.globals.get_mut(place) {
                    place.copy_from_slice(&old.to_ne_bytes());
                }
            }
        }
        let outcome = match (&initialized.result, part.handler) {
            (Ok(_), Some(handler)) => part
                .runner
                .run(handler, &mut store, memory, &mut host, options),
            _ => initialized,
        };
        let shown = match outcome.result {
            Ok(_) => {
                let mut machine = Machine {
                    store: &mut store,
                    memory,
                    host: &mut host,
                };
                show(&part.compiled, &mut machine, wanted)
            }
            Err(_) => None,
        };
        if effects.asked_for_pages {
            let of = match seen.moment {
                Some(_) => {
                    "a snapshot holds neither proportional shares nor which pages are unshared, nor what the kernel counts elsewhere"
                }
                None => "which pages were resident, shared or swapped is not known of a core file",
            };
            if self.warned.insert(of.to_owned()) {
                sink.remark(of);
            }
        }
        Ran {
            outcome,
            shown,
            store,
            counters: Counters::default(),
            effects,
        }
    }

    /// Keeps the values of variables for the next line.
    fn keep_values(&mut self, compiled: &Compiled, store: &Store) {
        self.values.clear();
        for global in globals(compiled) {
            let own = global.name.starts_with('$') || matches!(global.name, "_" | "_*");
            if own || global.name == ytrace_lang::check::SHOWN {
                continue;
            }
            if let Some(bytes) = store.globals.get(global.range) {
                self.values.insert(global.name.to_owned(), bytes.to_vec());
            }
        }
    }

    /// Keeps a value that is shown; gives its number.
    fn keep_shown(
        &mut self,
        own: &str,
        compiled: &Compiled,
        store: &Store,
        shown: &Shown,
    ) -> Option<usize> {
        if self.earlier.len() >= MOST_EARLIER {
            return None;
        }
        let found = compiled.typed.shown.as_ref()?;
        let (global, form) = match found.value {
            ShownValue::Value { global, .. } => {
                let types = &compiled.typed.types;
                let function = matches!(
                    types.resolved(found.ty),
                    Type::Pointer(target) if matches!(types.resolved(*target), Type::Function { .. })
                );
                (
                    global,
                    if function {
                        Form::Function
                    } else {
                        Form::Value
                    },
                )
            }
            ShownValue::Target { global, .. } => (global, Form::Place),
            ShownValue::Container(_) | ShownValue::Text(_) => return None,
        };
        let mut all = globals(compiled);
        let place = all.find(|one| one.index == global.0 as usize)?;
        let bytes = store.globals.get(place.range)?.to_vec();
        // A value that lies in the target may be on its way out when it is looked at again; its address does not change.
        debug_assert!(form != Form::Place || shown.address.is_some());
        self.earlier.push(Earlier {
            text: self.with_numbers(own),
            form,
            bytes,
            known: true,
        });
        Some(self.earlier.len())
    }
}

/// A global variable that is not of the library.
pub(super) struct Global<'p> {
    index: usize,
    pub(super) name: &'p str,
    pub(super) container: bool,
    pub(super) range: std::ops::Range<usize>,
}

/// The global variables that are not of the library.
pub(super) fn globals(compiled: &Compiled) -> impl Iterator<Item = Global<'_>> {
    let typed = &compiled.typed;
    let all = typed.globals.iter().zip(&compiled.program.global_offsets);
    all.enumerate().filter_map(|(index, (global, offset))| {
        let file = compiled.sources.get(global.span.file);
        if file.is_some_and(|file| file.library) {
            return None;
        }
        let container = typed.types.is_container(global.ty);
        let size = match container {
            true => size_of::<u64>() as u64,
            false => typed.types.size_of(global.ty)?,
        };
        let start = usize::try_from(*offset).ok()?;
        let end = start.checked_add(usize::try_from(size).ok()?)?;
        Some(Global {
            index,
            name: &global.name,
            container,
            range: start..end,
        })
    })
}

/// The word in up to eight bytes.
pub(super) fn word(bytes: &[u8]) -> Option<u64> {
    let mut whole = [0; size_of::<u64>()];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u64::from_le_bytes(whole))
}

/// The same word as an expression of C would give it where an address is wanted: what is signed keeps its sign.
fn extended(bytes: &[u8], ty: &Type, types: &Types) -> Option<u64> {
    let word = word(bytes)?;
    let signed = match ty {
        Type::Integer { signed, .. } => *signed,
        Type::Enum(id) => types.enumeration(*id).signed,
        _ => false,
    };
    let unused = 64 - 8 * u32::try_from(bytes.len()).ok()?.clamp(1, 8);
    Some(match signed {
        true => ((word << unused) as i64 >> unused) as u64,
        false => word,
    })
}

/// Cross-checks that do not hold, in words.
pub(super) fn failed_checks(checks: &[CrossCheck]) -> Vec<String> {
    let failed = checks.iter().filter(|check| !check.holds());
    failed
        .map(|check| {
            format!(
                "{}: found {}, the target says {}, difference {}",
                check.name,
                check.left,
                check.right,
                i128::from(check.left) - i128::from(check.right)
            )
        })
        .collect()
}

/// The value that a program shows, when its handler has run; the inner error is a fault.
fn show(
    compiled: &Compiled,
    machine: &mut Machine<'_>,
    wanted: Wanted,
) -> Option<Result<Shown, FaultReport>> {
    let found = compiled.typed.shown.as_ref()?;
    let type_name = compiled.typed.types.name_of(found.ty);
    let bytes_of = |machine: &Machine<'_>, index: u32| {
        let global = globals(compiled).find(|global| global.index == index as usize)?;
        Some(machine.store.globals.get(global.range)?.to_vec())
    };
    let shape = |machine: &Machine<'_>, format: u32| shape_of(machine, format);
    let (outline, address, bytes, tree) = match found.value {
        ShownValue::Value { global, format } => {
            let bytes = bytes_of(machine, global.0)?;
            let shape = shape(machine, format)?;
            let style = Style {
                bits: found.bits,
                ..wanted.style
            };
            let outline = machine.outline(shape, Place::Tracer(&bytes), style);
            let tree = wanted.tree.then(|| machine.store.decode(shape, &bytes));
            (outline, None, bytes, tree)
        }
        ShownValue::Target { global, format } => {
            let address = word(&bytes_of(machine, global.0)?)?;
            let shape = shape(machine, format)?;
            let outline = machine.outline(shape, Place::Target(address), wanted.style);
            let size = compiled.typed.types.size_of(found.ty).unwrap_or(0);
            let mut tree = None;
            if wanted.tree && size <= MOST_TREE {
                let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
                if machine.memory.read(address, &mut bytes).is_ok() {
                    tree = Some(machine.store.decode(shape, &bytes));
                }
            }
            (outline, Some(address), Vec::new(), tree)
        }
        ShownValue::Container(global) => {
            let handle = word(&bytes_of(machine, global.0)?)?;
            let outline = machine.outline_container(handle, wanted.style);
            let tree = match wanted.tree {
                true => machine.store.decode_container(handle),
                false => None,
            };
            (outline, None, Vec::new(), tree)
        }
        ShownValue::Text(global) => {
            let handle = word(&bytes_of(machine, global.0)?)?;
            let outline = Outline {
                text: machine.store.string(handle).to_vec(),
                marks: Vec::new(),
            };
            (Ok(outline), None, Vec::new(), None)
        }
    };
    let outline = match outline {
        Ok(outline) => outline,
        Err(fault) => {
            return Some(Err(FaultReport {
                message: fault.to_string(),
                location: String::new(),
                chain: Vec::new(),
                count: 1,
            }));
        }
    };
    let value = tree.map(|tree| {
        let mut paths = HashMap::new();
        name_paths(&tree, machine, &mut paths);
        (tree, paths)
    });
    Some(Ok(Shown {
        number: None,
        type_name,
        outline,
        address,
        word: match bytes.len() {
            1..=8 => extended(
                &bytes,
                compiled.typed.types.resolved(found.ty),
                &compiled.typed.types,
            ),
            _ => None,
        },
        value,
    }))
}

/// A span of the bracket that stands before an expression is one of the expression.
fn within(span: Span, before: &std::ops::Range<usize>) -> Span {
    match span.file == FileId(0) && before.contains(&(span.start as usize)) {
        true => Span {
            start: u32::try_from(before.end).unwrap_or(u32::MAX),
            ..span
        },
        false => span,
    }
}

/// How a value was shown, for a file that shows it, too.
fn how_shown(compiled: &Compiled, shown: Option<&Shown>, style: Style) -> HowShown {
    let (Some(found), Some(shown)) = (&compiled.typed.shown, shown) else {
        return HowShown::Nothing;
    };
    if matches!(found.value, ShownValue::Container(_) | ShownValue::Text(_)) {
        return HowShown::Text;
    }
    let head = format!("({}) ", shown.type_name);
    let begins = shown.outline.text.starts_with(head.as_bytes());
    HowShown::Value {
        head: if begins { head } else { String::new() },
        style: match style.radix {
            Radix::Natural => None,
            Radix::Hexadecimal => Some("hexadecimal"),
            Radix::Decimal => Some("decimal"),
            Radix::Unsigned => Some("decimal, without signs"),
            Radix::Octal => Some("octal"),
            Radix::Binary => Some("binary"),
            Radix::Character => Some("characters"),
            Radix::Address => Some("addresses"),
        },
    }
}

/// How the only conversion of a format looks.
fn shape_of(machine: &Machine<'_>, format: u32) -> Option<ShapeId> {
    let format = machine.store.constants.formats.get(format as usize)?;
    match format.as_slice() {
        [FormatPiece::Conversion(conversion)] => match &conversion.argument {
            FormatArgument::TargetValue(shape) | FormatArgument::TracerValue { shape, .. } => {
                Some(*shape)
            }
            FormatArgument::Scalar(_) | FormatArgument::TargetString => None,
        },
        _ => None,
    }
}

/// Writes the paths in a tree.
fn name_paths(value: &Value, machine: &mut Machine<'_>, paths: &mut HashMap<u64, String>) {
    match value {
        Value::Path(handle) if !paths.contains_key(handle) => {
            let frames = machine.store.path_frames(*handle);
            let names = frames.into_iter().map(|frame| match frame {
                ytrace_values::Frame::Name(name) => String::from_utf8_lossy(&name).into_owned(),
                ytrace_values::Frame::Code(address) => machine
                    .host
                    .symbol_name(address)
                    .unwrap_or_else(|| format!("{address:#x}")),
            });
            let names: Vec<String> = names.collect();
            paths.insert(*handle, names.join(";"));
        }
        Value::Record(fields) => {
            for (_, value) in fields {
                name_paths(value, machine, paths);
            }
        }
        Value::Array(values) => {
            for value in values {
                name_paths(value, machine, paths);
            }
        }
        Value::Table(rows) => {
            for (keys, value) in rows {
                for key in keys {
                    name_paths(key, machine, paths);
                }
                name_paths(value, machine, paths);
            }
        }
        _ => {}
    }
}
