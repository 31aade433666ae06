//! The language's `Host` for a run on a target.

use std::cmp::Ordering;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use ytrace_debuginfo::{Cut, Part};
use ytrace_lang::compile::Compiled;
use ytrace_lang::hir::ThreadLocal;
use ytrace_lang::ir::FunctionId;
use ytrace_target::{Mapping, Process, Registers, ThreadSnapshot};
use ytrace_values::host::{
    Caller, HitQuestion, MappingRecord, ModuleRecord, PageFigure, Stack, ThreadRecord,
};
use ytrace_values::{Fault, FaultKind, Host, Memory, Value};

use crate::events::{Hit, StopHit, Watching};
use crate::figures::{Figures, Used};
use crate::moment::{Moment, PausedMaps, threads_of};
use crate::names::Names;
use crate::names::hexadecimal;
use crate::session::Finding;
use crate::target::Target;

/// What printed something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin<'a> {
    /// The handler that ran; `None` for what runs before any probe.
    pub(crate) function: Option<FunctionId>,
    /// The program that it is of.
    compiled: Option<&'a Compiled>,
    /// The process and the thread of the hit; `None` for what no thread of the target ran into.
    pub thread: Option<(i32, i32)>,
    /// When the hit was, in nanoseconds of the clock that [`ytrace_target::monotonic_ns`] reads; `None` for what is no hit.
    pub time: Option<u64>,
}

impl<'a> Origin<'a> {
    /// Output of a handler of the program, if it is of one.
    pub(crate) fn of(compiled: &'a Compiled, function: Option<FunctionId>) -> Self {
        Origin {
            function,
            compiled: Some(compiled),
            ..Origin::default()
        }
    }

    /// The same for comparison later: [`Origin::probe`] is no longer known.
    pub fn without_program(&self) -> Origin<'static> {
        Origin {
            function: self.function,
            compiled: None,
            thread: self.thread,
            time: self.time,
        }
    }

    /// The same as output of a program, which it is of.
    pub(crate) fn of_program(self, compiled: &Compiled) -> Origin<'_> {
        Origin {
            function: self.function,
            compiled: Some(compiled),
            thread: self.thread,
            time: self.time,
        }
    }

    /// Whether both are the same run of a handler, as far as that can be told.
    pub fn is_run_of(&self, other: &Origin<'_>) -> bool {
        self.function == other.function && self.thread == other.thread && self.time == other.time
    }

    /// The head of the probe as its file has it, on one line, without `_probe`: `_oneshot`, `libc.so.6::malloc(size_t bytes)`. Empty where
    /// there is none.
    pub fn probe(&self) -> String {
        self.head().unwrap_or_default()
    }

    fn head(&self) -> Option<String> {
        let (compiled, function) = (self.compiled?, self.function?);
        let mut functions = compiled.program.probes.iter();
        let index = functions.position(|known| *known == function)?;
        let span = compiled.typed.probes.get(index)?.span;
        let text = &compiled.sources.get(span.file)?.text;
        let text = text.get(span.start as usize..span.end as usize)?.trim();
        let head = text.strip_prefix("_probe").unwrap_or(text);
        let words: Vec<&str> = head.split_whitespace().collect();
        Some(words.join(" "))
    }
}

/// Receives what a session shows while it runs.
pub trait Sink {
    /// The program is about to run. Without views its output is the data and is wanted as it
    /// comes (`streams`); with views it belongs above them.
    fn begin(&mut self, streams: bool);
    /// The program has been compiled; what is said of its text is in it.
    fn compiled(&mut self, _compiled: &Compiled) {}
    /// Data output of the probe (`printf`).
    fn text(&mut self, text: &[u8]);
    /// The same with where it comes from.
    fn printed(&mut self, _origin: &Origin<'_>, text: &[u8]) {
        self.text(text);
    }
    /// The values of what is printed next from there, where they are asked for ([`crate::Options::values`]).
    fn values(&mut self, _origin: &Origin<'_>, _values: Vec<Value>) {}
    /// A run of handlers is over: text that was held back to be written at once is wanted now.
    fn flush(&mut self) {}
    /// A warning of the probe or of ytrace, for standard error.
    fn warn(&mut self, text: &str);
    /// Something that the user wants to know before it goes on, for standard error.
    fn remark(&mut self, _text: &str) {}
    /// Probes on events are in their places: so many of them, and so many events that have none, as the clock.
    fn attached(&mut self, _places: usize, _others: usize) {}
    /// So many more are, in these modules that have been loaded.
    fn more_attached(&mut self, _places: usize, _modules: &str) {}
    /// What has been found so far, where it was asked for ([`crate::Options::interval`]).
    fn interim(&mut self, _finding: &Finding<'_>, _names: &Names) {}
    /// What is being done now, for a progress line; empty to clear it.
    fn progress(&mut self, text: &str);
}

/// A cross-check that a probe made with `_assert_equal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossCheck {
    /// Its name.
    pub name: String,
    /// What was found.
    pub left: i64,
    /// What the target says of itself.
    pub right: i64,
    /// How far they may be apart.
    pub tolerance: u64,
}

impl CrossCheck {
    /// Whether both are alike, as far as they must be.
    pub fn holds(&self) -> bool {
        self.left.abs_diff(self.right) <= self.tolerance
    }
}

/// What a run left behind besides the program's store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    /// What was printed, for result files.
    pub(crate) text: Vec<u8>,
    /// Of a run that learns: where in it the text of each handler ends.
    pub(crate) ends: Vec<(usize, Option<FunctionId>)>,
    /// Whether the values of what is printed are wanted.
    pub(crate) values_wanted: bool,
    /// Of a run that learns: these, and where the text begins that each belongs to.
    pub(crate) values: Vec<(usize, Vec<Value>)>,
    /// Warnings of the probe.
    pub(crate) warnings: Vec<String>,
    /// Cross-checks.
    pub(crate) checks: Vec<CrossCheck>,
    /// Cross-checks beyond [`MAX_CHECKS`].
    pub(crate) more_checks: u64,
    /// Whether the run is one that only learns what is read. Its effects are of use only if no other run follows.
    pub(crate) learning: bool,
    /// Bytes that a learning run printed beyond [`MAX_LEARNED_TEXT`].
    pub(crate) more_text: u64,
    /// Whether a run that learns asked for a register.
    pub(crate) registers_wanted: bool,
    /// Whether it was said that stacks lead through code without unwind tables.
    pub(crate) uncovered: bool,
    /// Stacks that were not followed to their end, by why.
    pub(crate) cut_stacks: CutStacks,
    /// Whether it was asked which pages are in memory where nobody can tell.
    pub(crate) asked_for_pages: bool,
}

/// Counts of stacks that were not followed to their end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CutStacks {
    /// Memory of theirs could not be read.
    pub(crate) unreadable: u64,
    /// Too little of them was captured.
    pub(crate) short: u64,
    /// The most that one of these would have taken for its next frame, in bytes.
    pub(crate) wanted: u64,
    /// They are too deep.
    pub(crate) deep: u64,
    /// Nothing led on.
    pub(crate) lost: u64,
}

impl CutStacks {
    fn count(&mut self, cut: Option<Cut>) {
        match cut {
            None => {}
            Some(Cut::Memory(_)) => self.unreadable += 1,
            Some(Cut::Slice(bytes)) => {
                self.short += 1;
                self.wanted = self.wanted.max(bytes);
            }
            Some(Cut::Depth) => self.deep += 1,
            Some(Cut::Lost | Cut::NoTable | Cut::Cycle) => self.lost += 1,
        }
    }
}

impl Effects {
    /// Takes over what a learning run has done, and shows it: no other run follows.
    pub(crate) fn take_over(&mut self, learned: Effects, compiled: &Compiled, sink: &mut dyn Sink) {
        let mut start = 0;
        let mut values = learned.values.into_iter().peekable();
        for (end, function) in learned.ends {
            let origin = Origin::of(compiled, function);
            while let Some((_, values)) = values.next_if(|(at, _)| *at < end) {
                sink.values(&origin, values);
            }
            match learned.text.get(start..end) {
                Some(text) if !text.is_empty() => sink.printed(&origin, text),
                _ => {}
            }
            start = end;
        }
        self.text.extend(learned.text);
        for text in learned.warnings {
            sink.warn(&text);
            self.warnings.push(text);
        }
        self.checks.extend(learned.checks);
        self.more_checks += learned.more_checks;
        self.cut_stacks = learned.cut_stacks;
    }
}

/// The host of one run of a handler.
pub(crate) struct RunHost<'a> {
    pub(crate) target: &'a Target,
    pub(crate) names: &'a Names,
    /// Where output goes; `None` where nothing is shown as it comes.
    pub(crate) sink: Option<&'a mut dyn Sink>,
    pub(crate) effects: &'a mut Effects,
    /// Registers as of the pause, if there was one.
    pub(crate) threads: &'a [ThreadSnapshot],
    /// The program's thread-local variables.
    pub(crate) thread_locals: &'a [ThreadLocal],
    /// The program and its handler that runs.
    handler: Option<(&'a Compiled, FunctionId)>,
    /// The hit, of a handler that runs for one.
    hit: Option<Hit<'a>>,
    /// The stop, for a handler whose thread stands still.
    stop: Option<&'a StopHit<'a>>,
    /// The thread that is meant where none is named, if it is not the first.
    thread: Option<i32>,
    /// When probes on events watched.
    watched: Watching,
    /// The words of the command line that name the target, where they are others than its own.
    words: Option<&'a str>,
    /// The moment that is looked at, where that is not now.
    moment: Option<&'a Moment>,
    /// The mappings as of the pause, where the memory is a copy that has been taken for this run.
    paused: Option<&'a PausedMaps>,
    figures: Figures,
}

impl<'a> RunHost<'a> {
    /// The host of a run whose effects are not shown, on a target of which no registers are known.
    pub(crate) fn new(target: &'a Target, names: &'a Names, effects: &'a mut Effects) -> Self {
        Self {
            target,
            names,
            sink: None,
            effects,
            threads: &[],
            thread_locals: &[],
            handler: None,
            hit: None,
            stop: None,
            thread: None,
            watched: Watching::default(),
            words: None,
            moment: None,
            paused: None,
            figures: Figures::default(),
        }
    }

    /// The same with a place where output goes.
    pub(crate) fn shown_on(mut self, sink: &'a mut dyn Sink) -> Self {
        self.sink = Some(sink);
        self
    }

    /// The handler that runs next.
    pub(crate) fn runs(&mut self, compiled: &'a Compiled, function: FunctionId) {
        self.handler = Some((compiled, function));
    }

    /// Where what is printed comes from.
    fn origin(&self) -> Origin<'a> {
        let (thread, time) = match (&self.hit, self.stop) {
            (Some(hit), _) => (Some(hit.thread()), Some(hit.time())),
            (None, Some(stop)) => {
                let thread = i32::try_from(stop.tid()).ok();
                (
                    thread.map(|tid| (self.target.pid(), tid)),
                    Some(stop.time()),
                )
            }
            (None, None) => (None, None),
        };
        Origin {
            function: self.handler.map(|(_, function)| function),
            compiled: self.handler.map(|(compiled, _)| compiled),
            thread,
            time,
        }
    }

    /// The same for a thread that is meant where none is named.
    pub(crate) fn of_thread(mut self, thread: Option<i32>) -> Self {
        self.thread = thread;
        self
    }

    /// The same with when probes on events watched.
    pub(crate) fn watching(mut self, watched: Watching) -> Self {
        self.watched = watched;
        self
    }

    /// The same with the registers as of a pause.
    pub(crate) fn with_threads(mut self, threads: &'a [ThreadSnapshot]) -> Self {
        self.threads = threads;
        self
    }

    /// The same with the thread-local variables of the program that runs.
    pub(crate) fn with_thread_locals(mut self, variables: &'a [ThreadLocal]) -> Self {
        self.thread_locals = variables;
        self
    }

    /// The same for a hit.
    pub(crate) fn with_hit(mut self, hit: Hit<'a>) -> Self {
        self.hit = Some(hit);
        self
    }

    /// The same for a stop; its thread's registers are those of [`RunHost::with_threads`].
    pub(crate) fn with_stop(mut self, stop: &'a StopHit<'a>) -> Self {
        self.stop = Some(stop);
        self
    }

    /// The same with the words that name the target on the command line, where these are not its own.
    pub(crate) fn named(mut self, words: Option<&'a str>) -> Self {
        self.words = words;
        self
    }

    /// The same for a snapshot: what the kernel says is what it said then.
    pub(crate) fn at(mut self, moment: Option<&'a Moment>) -> Self {
        self.moment = moment;
        self
    }

    /// The same on a copy that has just been taken, with the mappings of its pause.
    pub(crate) fn with_paused(mut self, paused: Option<&'a PausedMaps>) -> Self {
        self.paused = paused;
        self
    }

    /// The process, for questions of its pages; notes that they were asked in vain where there is none.
    fn process(&mut self) -> Option<&'a Process> {
        match self.target {
            Target::Process(process) => Some(process),
            Target::Core(_) => {
                self.effects.asked_for_pages = true;
                None
            }
        }
    }

    /// What the mappings of a pause that is over use now, but for what is known of their pages; `None` of those that are no longer there as a
    /// whole.
    fn used_since(&mut self, paused: &PausedMaps, proportional: bool) -> Vec<Option<Used>> {
        let maps = &paused.maps;
        let unknown = vec![None; maps.as_slice().len()];
        let Some(process) = self.process() else {
            return unknown;
        };
        let figures = self.figures.mappings(process, maps, proportional);
        let (Ok(used), Ok(now)) = (figures, process.maps()) else {
            return unknown;
        };
        let stays = |mapping: &Mapping| {
            let found = now.find(mapping.start);
            found.is_some_and(|found| mapping.end <= found.end && mapping.inode == found.inode)
        };
        let mappings = maps.as_slice().iter().zip(used);
        let mut used: Vec<Option<Used>> = mappings
            .map(|(mapping, used)| used.filter(|_| stays(mapping)))
            .collect();
        paused.correct(&mut used);
        used
    }

    /// Counts how a stack ended.
    fn followed(&mut self, stack: ytrace_debuginfo::Stack) -> Result<Stack, Fault> {
        self.effects.cut_stacks.count(stack.cut);
        if let Some(address) = stack.uncovered
            && !std::mem::replace(&mut self.effects.uncovered, true)
        {
            let place = self.names.frame(address);
            self.warn(&format!(
                "no unwind table covers {place}: such code is left by frame pointers, and callers may be missing in stacks"
            ))?;
        }
        Ok(Stack {
            frames: stack.frames,
            truncated: stack.cut.is_some(),
        })
    }

    /// The registers of a thread as of the pause.
    fn registers(&self, tid: u64) -> Result<Registers, Fault> {
        let thread = self
            .threads
            .iter()
            .find(|thread| u64::try_from(thread.tid).ok() == Some(tid))
            .ok_or_else(|| {
                not_available(match self.target {
                    Target::Core(_) => format!("the core file has no registers of a thread {tid}"),
                    Target::Process(_) if self.threads.is_empty() => {
                        "registers are known only of a run that stopped the target".to_owned()
                    }
                    Target::Process(_) if self.stop.is_some() => {
                        format!("thread {tid} runs on: only the thread that was hit stands still")
                    }
                    Target::Process(_) => format!("the target had no thread {tid} in the pause"),
                })
            })?;
        thread.registers.ok_or_else(|| {
            not_available(match self.target {
                Target::Core(_) => {
                    "the core file is cut short where the registers of the thread stand"
                }
                Target::Process(_) => {
                    "the thread waits inside the kernel, its registers are not known"
                }
            })
        })
    }
}

/// The most cross-checks of a session that are kept and shown.
const MAX_CHECKS: usize = 1000;

/// The most text of a learning run that is kept, in bytes: most such runs are done again, on the copy.
const MAX_LEARNED_TEXT: usize = 4 << 20;

/// The most warnings of a probe that are kept and shown.
const MAX_WARNINGS: usize = 100;

impl Host for RunHost<'_> {
    fn wants_values(&self) -> bool {
        self.effects.values_wanted && (self.sink.is_some() || self.effects.learning)
    }

    fn print_values(&mut self, values: Vec<Value>) {
        let origin = self.origin();
        if let Some(sink) = &mut self.sink {
            sink.values(&origin, values);
        } else if self.effects.learning && self.effects.text.len() < MAX_LEARNED_TEXT {
            self.effects.values.push((self.effects.text.len(), values));
        }
    }

    fn print(&mut self, text: &[u8]) -> Result<(), Fault> {
        let origin = self.origin();
        if let Some(sink) = &mut self.sink {
            self.effects.text.extend_from_slice(text);
            sink.printed(&origin, text);
        } else if self.effects.learning {
            let room = MAX_LEARNED_TEXT.saturating_sub(self.effects.text.len());
            let kept = text.get(..room).unwrap_or(text);
            self.effects.text.extend_from_slice(kept);
            self.effects.more_text += (text.len() - kept.len()) as u64;
            let function = self.handler.map(|(_, function)| function);
            let end = self.effects.text.len();
            match self.effects.ends.last_mut() {
                Some((last, known)) if *known == function => *last = end,
                _ => self.effects.ends.push((end, function)),
            }
        }
        Ok(())
    }

    fn warn(&mut self, text: &str) -> Result<(), Fault> {
        if self.sink.is_none() && !self.effects.learning {
            return Ok(());
        }
        let text = match self.effects.warnings.len() {
            known if known < MAX_WARNINGS => text,
            MAX_WARNINGS => "further warnings of the probe are not shown",
            _ => return Ok(()),
        };
        if let Some(sink) = &mut self.sink {
            sink.warn(text);
        }
        self.effects.warnings.push(text.to_owned());
        Ok(())
    }

    fn assert_equal(
        &mut self,
        name: &str,
        left: i64,
        right: i64,
        tolerance: u64,
    ) -> Result<(), Fault> {
        if self.sink.is_none() && !self.effects.learning {
            return Ok(());
        }
        if self.effects.checks.len() >= MAX_CHECKS {
            self.effects.more_checks += 1;
        } else {
            self.effects.checks.push(CrossCheck {
                name: name.to_owned(),
                left,
                right,
                tolerance,
            });
        }
        Ok(())
    }

    fn now_ns(&mut self) -> u64 {
        // Programs that read the same clock can be compared with it.
        if let Some(stop) = self.stop {
            return stop.time();
        }
        self.hit
            .as_ref()
            .map_or_else(ytrace_target::monotonic_ns, Hit::time)
    }

    fn pid(&mut self) -> u64 {
        if let Some(hit) = &self.hit {
            return hit.pid();
        }
        u64::try_from(self.target.pid()).unwrap_or(0)
    }

    fn tid(&mut self) -> u64 {
        if let Some(hit) = &self.hit {
            return hit.tid();
        }
        if let Some(stop) = self.stop {
            return stop.tid();
        }
        let thread = self.thread.unwrap_or_else(|| self.target.first_thread());
        u64::try_from(thread).unwrap_or(0)
    }

    fn execname(&mut self) -> Vec<u8> {
        self.target.name().into_bytes()
    }

    fn is_live(&mut self) -> bool {
        matches!(self.target, Target::Process(_))
    }

    fn target_words(&mut self) -> Vec<u8> {
        let words = self.words.map(str::to_owned);
        words.unwrap_or_else(|| self.target.words()).into_bytes()
    }

    fn module_place(&mut self, address: u64) -> Option<String> {
        self.names.module_place(address)
    }

    fn symbol_name(&mut self, address: u64) -> Option<String> {
        let (name, offset) = self.names.symbol_name(address)?;
        Some(if offset == 0 {
            name
        } else {
            format!("{name}+{offset:#x}")
        })
    }

    fn inlined_names(&mut self, address: u64) -> Vec<String> {
        self.names.inlined_at(address)
    }

    fn object_bytes(&mut self, address: u64) -> Option<u64> {
        // What a snapshot does not hold is not known of it.
        if self.moment.is_some() {
            self.effects.asked_for_pages = true;
            return None;
        }
        let process = self.process()?;
        let maps = process.maps().ok()?;
        process.object_bytes(maps.find(address)?)
    }

    fn register(&mut self, name: &str, tid: u64) -> Result<u64, Fault> {
        if let Some(hit) = self.hit.filter(|hit| hit.tid() == tid) {
            let number = ytrace_lang::abi::register_number(name)
                .ok_or_else(|| not_available(format!("no register of a hit is called {name}")))?;
            return hit.answer(HitQuestion::Register(u64::from(number)));
        }
        if self.effects.learning {
            // Only the pause will tell. What is read through a register is not learned, and then counted as missed.
            self.effects.registers_wanted = true;
            // Thread pointers are known: they were asked for before the run, and a thread keeps its own.
            let known = self.registers(tid).ok().filter(|_| is_thread_pointer(name));
            return Ok(known.map_or(0, |registers| registers.thread_pointer));
        }
        let registers = self.registers(tid)?;
        register_by_name(&registers, name)
            .ok_or_else(|| not_available(format!("no register is called {name}")))
    }

    fn hit(&mut self, question: HitQuestion) -> Result<u64, Fault> {
        match (&self.hit, self.stop) {
            (Some(hit), _) => hit.answer(question),
            (None, Some(stop)) => stop.answer(question),
            (None, None) => Err(not_available("this is known only of an event")),
        }
    }

    fn backtrace(&mut self, tid: u64, memory: &mut dyn Memory) -> Result<Stack, Fault> {
        if let Some(hit) = self.hit.filter(|hit| hit.tid() == tid) {
            let mut stack = ytrace_debuginfo::Stack::default();
            hit.backtrace(self.names, Part::WHOLE, &mut stack)?;
            return self.followed(stack);
        }
        if let Some(stop) = self.stop.filter(|stop| stop.tid() == tid) {
            let stack = stop.backtrace(self.names, memory);
            return self.followed(stack);
        }
        // A learning run has registers of a moment ago: the stack itself is what it is to learn.
        if self.effects.learning {
            self.effects.registers_wanted = true;
        }
        let registers = match self.registers(tid) {
            Err(_) if self.effects.learning => {
                return Ok(Stack {
                    truncated: true,
                    ..Stack::default()
                });
            }
            registers => registers?,
        };
        let stack = self.names.stack(&registers, memory);
        self.followed(stack)
    }

    fn backtrace_part(&mut self, end: u64, from: Option<Caller>) -> Result<Stack, Fault> {
        let Some(hit) = self.hit else {
            return Err(not_available("parts of a stack are known only of an event"));
        };
        let mut stack = ytrace_debuginfo::Stack::default();
        let from = from.map(|Caller { pc, sp, bp }| ytrace_debuginfo::Caller { pc, sp, bp });
        hit.backtrace(self.names, Part { from, end }, &mut stack)?;
        self.followed(stack)
    }

    fn thread_local(&mut self, variable: u32, tid: u64) -> Result<u64, Fault> {
        if let Some(hit) = self.hit.filter(|hit| hit.tid() == tid) {
            return hit.thread_local(variable).ok_or_else(|| {
                not_available("the thread-local variable was not captured at the hit")
            });
        }
        let variable = self
            .thread_locals
            .get(variable as usize)
            .ok_or_else(|| not_available("thread-local variables are not known here"))?;
        // A learning run, too, has the thread pointers: they were asked for before it.
        if self.effects.learning {
            self.effects.registers_wanted = true;
        }
        let pointer = self.registers(tid)?.thread_pointer;
        let distance = self
            .names
            .thread_local_distance(variable.module.0 as usize)
            .map_err(|why| not_available(format!("`{}`: {why}", variable.name)))?;
        Ok(pointer.wrapping_sub(distance).wrapping_add(variable.offset))
    }

    fn residency(&mut self, address: u64, length: u64, figure: PageFigure) -> Option<u64> {
        if let Some(moment) = self.moment {
            let known = moment.paused.pages(address, length, figure);
            self.effects.asked_for_pages |= known.is_none();
            return known;
        }
        // Of pages that were not copied, the memory is what it is now as well.
        let paused = self.paused;
        let known = paused.and_then(|paused| paused.pages(address, length, figure));
        if known.is_some() {
            return known;
        }
        let process = self.process()?;
        self.figures.pages(process, address, length, figure)
    }

    fn process_bytes(&mut self, field: &str) -> Option<u64> {
        if let Some(moment) = self.moment {
            let known = moment.field(field);
            self.effects.asked_for_pages |= known.is_none();
            return known;
        }
        let process = self.process()?;
        self.figures.field(process, field)
    }

    fn watched_ns(&mut self) -> u64 {
        self.watched.watched(ytrace_target::monotonic_ns())
    }

    fn spanned_ns(&mut self) -> u64 {
        self.watched.spanned(ytrace_target::monotonic_ns())
    }

    fn watched_until_ns(&mut self) -> u64 {
        self.watched.until(ytrace_target::monotonic_ns())
    }

    fn windows(&mut self) -> u64 {
        self.watched.windows()
    }

    fn window_ns(&mut self, window: u64) -> u64 {
        self.watched.window(window).open
    }

    fn window_stands_ns(&mut self, window: u64) -> u64 {
        self.watched.window(window).stands
    }

    fn window_slowdown(&mut self, bound: Ordering) -> f64 {
        let slowdown = self.watched.slowdown();
        match bound {
            Ordering::Less => slowdown.least,
            Ordering::Equal => slowdown.likely,
            Ordering::Greater => slowdown.most,
        }
    }

    fn counters_lag(&mut self) -> u64 {
        self.process().map_or(0, Process::counters_lag)
    }

    fn cgroup_bytes(&mut self, figure: &str) -> Result<Option<u64>, Fault> {
        if self.moment.is_some() {
            self.effects.asked_for_pages = true;
            return Ok(None);
        }
        match self.process() {
            Some(process) => Figures::cgroup(process, figure).map_err(not_available),
            None => Ok(None),
        }
    }

    fn mappings(&mut self, proportional: bool) -> Result<Vec<MappingRecord>, Fault> {
        let (maps, used) = match (self.moment, self.paused) {
            (Some(moment), _) => {
                // Proportional shares are not part of a snapshot.
                self.effects.asked_for_pages |= proportional;
                (Arc::clone(&moment.paused.maps), moment.used.clone())
            }
            (None, Some(paused)) => {
                let used = self.used_since(paused, proportional);
                (Arc::clone(&paused.maps), used)
            }
            (None, None) => {
                let maps = self.target.maps().map_err(gone)?;
                let used = match self.process() {
                    Some(process) => self
                        .figures
                        .mappings(process, &maps, proportional)
                        .map_err(gone)?,
                    None => vec![None; maps.as_slice().len()],
                };
                (maps, used)
            }
        };
        let mut records = Vec::with_capacity(maps.as_slice().len());
        for (mapping, used) in maps.as_slice().iter().zip(used) {
            records.push(MappingRecord {
                start: mapping.start,
                end: mapping.end,
                perms: letters(mapping),
                offset: mapping.offset,
                file: file_name(mapping),
                rss: used.map(|used| used.resident),
                pss: used.and_then(|used| used.proportional),
                swap: used.map(|used| used.swapped),
                anon: used.map(|used| used.anonymous),
                unshared: used.map(|used| used.unshared),
                hugetlb: used.map(|used| used.hugetlb),
                device: u64::from(mapping.device.0) << 20 | u64::from(mapping.device.1),
                inode: mapping.inode,
                dumped: match &self.target {
                    Target::Core(core) => core.dumped_in(mapping.range()),
                    Target::Process(_) => 0,
                },
            });
        }
        Ok(records)
    }

    fn threads(&mut self) -> Result<Vec<ThreadRecord>, Fault> {
        if let Some(moment) = self.moment {
            return Ok(moment.threads.clone());
        }
        if self.paused.is_some() {
            // Names are asked for now; one that has ended since has none.
            let known = self.target.threads().unwrap_or_default();
            return Ok(threads_of(known, self.threads));
        }
        self.target.threads().map_err(gone)
    }

    fn modules(&mut self) -> Result<Vec<ModuleRecord>, Fault> {
        let modules = self.names.modules();
        Ok(modules
            .iter()
            .enumerate()
            .filter(|(_, module)| !module.gone)
            .map(|(index, module)| ModuleRecord {
                name: module.file_name.clone().into_bytes(),
                path: module.mapped.path.as_os_str().as_bytes().to_vec(),
                start: module.mapped.start(),
                end: module.mapped.end(),
                build_id: self
                    .names
                    .open(index)
                    .ok()
                    .and_then(|opened| opened.info.build_id())
                    .map(hexadecimal)
                    .unwrap_or_default(),
            })
            .collect())
    }
}

/// The permissions of a mapping as `/proc/PID/maps` writes them.
fn letters(mapping: &Mapping) -> String {
    let permissions = mapping.permissions;
    [
        if permissions.read { 'r' } else { '-' },
        if permissions.write { 'w' } else { '-' },
        if permissions.execute { 'x' } else { '-' },
        if permissions.shared { 's' } else { 'p' },
    ]
    .iter()
    .collect()
}

fn file_name(mapping: &Mapping) -> Vec<u8> {
    let mut name = mapping
        .path
        .as_ref()
        .map(|path| path.as_os_str().as_bytes().to_vec())
        .unwrap_or_default();
    if mapping.deleted {
        name.extend_from_slice(b" (deleted)");
    }
    name
}

/// Whether a register is the base of thread-local storage.
fn is_thread_pointer(name: &str) -> bool {
    matches!(name, "fs_base" | "tpidr_el0")
}

/// A register by the name that the ABI gives it.
fn register_by_name(registers: &Registers, name: &str) -> Option<u64> {
    let name = name.trim_start_matches(['%', '$']);
    match name {
        "pc" | "rip" => return Some(registers.instruction_pointer),
        "sp" | "rsp" => return Some(registers.stack_pointer),
        "eflags" | "rflags" | "pstate" => return Some(registers.flags),
        name if is_thread_pointer(name) => return Some(registers.thread_pointer),
        _ => {}
    }
    let number = if cfg!(target_arch = "x86_64") {
        // DWARF's numbers, System V ABI AMD64 figure 3.36.
        let names = ["rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"];
        match names.iter().position(|known| *known == name) {
            Some(number) => number,
            None => name
                .strip_prefix('r')?
                .parse()
                .ok()
                .filter(|number| (8..16).contains(number))?,
        }
    } else {
        name.strip_prefix('x')?
            .parse()
            .ok()
            .filter(|number| *number < 31)?
    };
    registers.dwarf(u16::try_from(number).ok()?)
}

fn not_available(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::NotAvailable).with_message(message)
}

fn gone(error: ytrace_target::OpenError) -> Fault {
    Fault::new(FaultKind::TargetGone).with_message(error.to_string())
}
