//! A session: one program on one target, from text to a result.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ytrace_debuginfo::MAX_FRAMES;
use ytrace_lang::ast::{ItemKind, ProbePoint as Point, Unit};
use ytrace_lang::compile::{
    self, CompileError, Compiled, LayoutChoices, OptionHelp, Request, SourceErrors,
};
use ytrace_lang::execute::Outcome;
use ytrace_lang::hir::ProbePoint;
use ytrace_lang::ir::{FunctionId, Program};
use ytrace_lang::parse::{MOST_ROUNDS, parse_arm};
use ytrace_lang::source::SourceFile;
use ytrace_report::{Earlier, Output};
use ytrace_target::{
    AddressSpace, CacheOptions, CoreFile, LiveMemory, LiveOptions, Module, PageCache, Process,
    SpawnedTarget, Stopper, ThreadSnapshot, scheduling,
};
use ytrace_values::{FaultKind, Store};

use crate::error::SessionError;
use crate::events::Watching;
use crate::host::{CutStacks, Effects, RunHost, Sink};
use crate::identity::{Identity, Rules};
use crate::library::Library;
use crate::memory::{CountedMemory, TargetMemory};
use crate::names::{DebugOptions, Names};
use crate::options::{ExecutorKind, Mode, Options};
use crate::program::{Runner, is_brief};
use crate::result::{FaultReport, RunResult, pages_left_out};
use crate::target::{Target, shell_word};
use crate::views;

/// A target with its names, ready for programs.
pub struct Session<'o> {
    pub(crate) target: Target,
    pub(crate) options: &'o Options,
    pub(crate) names: Names,
    pub(crate) rules: Rules,
    pub(crate) identity: Option<Identity>,
    pub(crate) started: Instant,
    /// The mode that was chosen, or that the program chose where it was left open.
    pub(crate) mode: Mode,
    pub(crate) result: RunResult,
    pub(crate) page_size: u64,
    pub(crate) stopper: Stopper,
    /// The threads of a target that stands still: of a process that is held at its exit, of a core file.
    pub(crate) held: Option<Vec<ThreadSnapshot>>,
    /// The thread whose hit `--when` waited for: the one that is meant where handlers name none.
    pub(crate) hit_thread: Option<i32>,
    /// The threads as they were last seen stopped, for learning runs: only their thread pointers are of use later.
    pub(crate) seen_threads: Vec<ThreadSnapshot>,
    /// When probes on events watched.
    pub(crate) watched: Watching,
    /// Whether probes on events have followed the target, whose end is then the end of what there is to see.
    pub(crate) followed: bool,
    /// Whether that was what ended it.
    outlived: bool,
    /// How many runs of handlers have begun that count.
    pub(crate) runs: u64,
    /// Whether handlers of events run to their end after an interrupt.
    pub(crate) patient: bool,
    /// Whether interrupts are not for what is being done.
    pub(crate) undisturbed: bool,
    /// The command that was started for this session, if it is to go on when the probes are in their places.
    pub(crate) command: Option<SpawnedTarget>,
    /// The formats that the result is to be written in.
    forms: Vec<Output>,
    earlier: Option<Arc<Earlier>>,
    /// The words of the command line that name the target, where they are not its own.
    pub(crate) words: Option<String>,
    /// How a program that is typed in is to be compiled.
    pub(crate) typed_in: Option<TypedIn>,
    /// Whether other programs, too, change the variables and tables of a program whose probes are attached.
    pub(crate) shares_values: bool,
}

/// What is known while programs are typed in.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypedIn {
    /// Variables that have their values.
    pub(crate) kept: Vec<String>,
    /// Whether a value is to be shown.
    pub(crate) show: bool,
    /// Where in the text each thing begins that was typed for itself: lines are counted from there.
    pub(crate) starts: Vec<usize>,
    /// The candidates of layouts that have been found to hold, and what they were called with.
    pub(crate) layouts: LayoutChoices,
    /// Groups with the candidate that holds.
    pub(crate) settled: Vec<(String, Option<String>)>,
}

/// A program's state and what it found.
pub struct Finished {
    /// Its main file.
    pub main: SourceFile,
    /// The typed and the lowered program.
    pub compiled: Compiled,
    /// Its globals and containers.
    pub store: Store,
    /// What was found besides the views.
    pub result: RunResult,
}

impl Finished {
    /// The same by reference.
    pub fn finding(&self) -> Finding<'_> {
        Finding {
            main: &self.main,
            compiled: &self.compiled,
            store: &self.store,
            result: &self.result,
        }
    }
}

/// What a program has found, at its end or so far.
#[derive(Clone, Copy)]
pub struct Finding<'a> {
    /// Its main file.
    pub main: &'a SourceFile,
    /// The typed and the lowered program.
    pub compiled: &'a Compiled,
    /// Its globals and containers.
    pub store: &'a Store,
    /// What was found besides the views.
    pub result: &'a RunResult,
}

impl<'o> Session<'o> {
    /// Opens a process and finds its modules.
    ///
    /// # Errors
    /// It does not exist, has no memory of its own, or may not be read; or the options contradict each other.
    pub fn open(process: Process, options: &'o Options) -> Result<Self, SessionError> {
        let started = Instant::now();
        check_waiting(options)?;
        process.check_access()?;
        use_processors(options)?;
        let stopper = Stopper::new();
        if options.mode != Mode::Live {
            // Without one now, the first pause starts it, and tells of an error.
            let _ = stopper.prepare();
        }
        if options.mode != Mode::Stop && !options.synchronous && options.when.is_none() {
            // What is done in a pause is done by the threads that the stopper has. Where the handlers themselves run in it,
            // the target would wait the longer.
            scheduling::give_way();
        }
        let rules = Rules::shipped()?;
        let identity = rules.identify_pid(process.pid());
        let mut live = LiveMemory::new(&process, LiveOptions::default())?;
        let auxv = process.auxiliary_vector()?;
        let modules = Module::find_all(&mut live, &auxv);
        let names = Names::new(process.clone(), modules, &debug_options(options)?);
        Ok(Self {
            page_size: live.page_size(),
            stopper,
            held: None,
            ..Self::new(
                Target::Process(process),
                names,
                rules,
                identity,
                options,
                started,
            )
        })
    }

    /// Opens a core file, with the modules that it names. Handlers run as on a process that is held at its exit, in
    /// [`Mode::Core`] whatever the options say.
    ///
    /// # Errors
    /// Its executable cannot be used, or a file of the options.
    pub fn open_core(
        core: CoreFile,
        options: &'o Options,
        sink: &mut dyn Sink,
    ) -> Result<Self, SessionError> {
        let started = Instant::now();
        use_processors(options)?;
        scheduling::give_way();
        let rules = Rules::shipped()?;
        let opened = crate::core::names(&core, &debug_options(options)?)?;
        for warning in opened.warnings {
            sink.warn(&warning);
        }
        let identity = Some(rules.identify_core(&core));
        let page_size = core.memory().page_size();
        let partial = core.warnings().to_vec();
        let file = core.path().file_name().unwrap_or_default();
        let file = file.to_string_lossy().into_owned();
        let target = Target::Core(core);
        let mut session = Self {
            page_size,
            held: target.snapshots(),
            ..Self::new(target, opened.names, rules, identity, options, started)
        };
        session.result.core = Some(match session.target.pid() {
            0 => format!("core file {file}"),
            pid => format!("core file {file} of {pid}"),
        });
        for reason in partial {
            session.result.partial(reason);
        }
        Ok(session)
    }

    /// A session on a process that runs.
    fn new(
        target: Target,
        names: Names,
        rules: Rules,
        identity: Option<Identity>,
        options: &'o Options,
        started: Instant,
    ) -> Self {
        let mut result = RunResult {
            identity: identity.clone(),
            ..RunResult::default()
        };
        result.timings.open = started.elapsed();
        Self {
            mode: options.mode,
            target,
            options,
            names,
            rules,
            identity,
            started,
            result,
            page_size: 0,
            stopper: Stopper::new(),
            held: None,
            hit_thread: None,
            seen_threads: Vec::new(),
            watched: Watching::default(),
            followed: false,
            outlived: false,
            runs: 0,
            patient: true,
            undisturbed: false,
            command: None,
            forms: Vec::new(),
            earlier: None,
            words: None,
            typed_in: None,
            shares_values: false,
        }
    }

    /// Says that the process is held at its exit ([`ytrace_target::SpawnedTarget::wait`]) and stays so until the session is
    /// over; `threads` are its threads there. Handlers read its memory as it is, in [`crate::Mode::Held`] whatever the
    /// options say, without a pause. Timers do not run, for no time passes in it.
    pub fn hold(&mut self, threads: Vec<ThreadSnapshot>) {
        self.held = Some(threads);
    }

    /// Hands over the command that is the target, which [`ytrace_target::spawn_held`] has started. It goes on when the probes on
    /// events are in their places. `_oneshot` runs at its exit, when the time is over, or at the interrupt.
    pub fn launch(&mut self, command: SpawnedTarget) {
        self.command = Some(command);
    }

    /// Whether the target has ended while probes on events followed it, and nothing else ended the session.
    pub fn outlived(&self) -> bool {
        self.outlived
    }

    /// The command, when the session is over.
    pub fn take_command(&mut self) -> Option<SpawnedTarget> {
        self.command.take()
    }

    /// Says that the process is one that a command line has started, which suggestions repeat in place of its number: `command`
    /// as it was given, and how long it ran before it was looked at, if it was not held at its exit.
    pub fn started_by(&mut self, command: &str, after: Option<Duration>) {
        let after = after.map_or_else(String::new, |after| {
            match (after.as_secs(), after.subsec_millis()) {
                (seconds, 0) => format!(" --after {seconds}s"),
                _ => format!(" --after {}ms", after.as_millis()),
            }
        });
        self.words = Some(format!("-c {}{after}", shell_word(command)));
    }

    /// Names the formats that the result is to be written in, so that a program without a view for one is refused before
    /// it runs.
    pub fn expect(&mut self, forms: Vec<Output>) {
        self.forms = forms;
    }

    /// Names an earlier result that this one is to be compared with, so that a program that has nothing in common with it is
    /// refused before it runs.
    pub fn compare_with(&mut self, earlier: Arc<Earlier>) {
        self.earlier = Some(earlier);
    }

    /// The number of the process, or that which it had.
    pub fn pid(&self) -> Option<i32> {
        Some(self.target.pid()).filter(|pid| *pid > 0)
    }

    /// The names of the target, for the frames of paths.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The same as what programs are checked against.
    pub fn target_names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// Compiles a program and runs its probes.
    ///
    /// # Errors
    /// It does not compile, its layouts do not fit, its views cannot be shown as asked, or the target cannot be read or
    /// stopped.
    pub fn run(&mut self, main: SourceFile, sink: &mut dyn Sink) -> Result<Finished, SessionError> {
        self.check_debug_files(sink)?;
        let (compiled, mut runner) = self.compile(&main, sink)?;
        sink.compiled(&compiled);
        for warning in self.names.warnings() {
            sink.warn(&warning);
        }
        if compiled.typed.probes.is_empty() {
            return Err(SessionError::NoProbe);
        }
        self.check_probe_points(&compiled)?;
        let earlier = self.earlier.as_deref();
        views::check(
            &compiled,
            self.options.weight.as_deref(),
            &self.forms,
            earlier.map(|earlier| (earlier, main.name.as_str())),
        )?;
        sink.begin(compiled.typed.views.is_empty());
        let mut effects = Effects {
            values_wanted: self.options.values,
            ..Effects::default()
        };
        let (mut store, end) = self.fresh_store(&mut runner, &mut effects, &compiled)?;
        let mut state = State {
            main: &main,
            runner: &mut runner,
            compiled: &compiled,
            store: &mut store,
            effects: &mut effects,
            end,
            pristine: true,
        };
        if !end {
            self.run_probes(&mut state, sink)?;
        }
        sink.progress("");
        let mut result = std::mem::take(&mut self.result);
        take_effects(&mut result, effects);
        result.notes.extend(self.names.notes());
        self.conclude(&mut result);
        Ok(Finished {
            main,
            compiled,
            store,
            result,
        })
    }

    /// Refuses probes that wait for something to happen where nothing does any more.
    pub(crate) fn check_probe_points(&self, compiled: &Compiled) -> Result<(), SessionError> {
        let Target::Core(_) = &self.target else {
            return Ok(());
        };
        for probe in &compiled.typed.probes {
            match probe.point {
                ProbePoint::Begin | ProbePoint::Oneshot | ProbePoint::End => {}
                ProbePoint::Timer(_) | ProbePoint::Profile(_) | ProbePoint::Event(_) => {
                    let what = match probe.point {
                        ProbePoint::Event(_) => "a probe on an event",
                        _ => "a timer",
                    };
                    return Err(SessionError::NeedsProcess {
                        what,
                        place: compiled.sources.location(probe.span),
                    });
                }
            }
        }
        Ok(())
    }

    /// Compiles a program as [`Session::run`] does, with the layouts that hold on the target, and runs none of its probes.
    ///
    /// # Errors
    /// It does not compile, its layouts do not fit, or the target cannot be read.
    pub fn check(
        &mut self,
        main: SourceFile,
        sink: &mut dyn Sink,
    ) -> Result<Compiled, SessionError> {
        self.check_debug_files(sink)?;
        let (compiled, _) = self.compile(&main, sink)?;
        for warning in self.names.warnings() {
            sink.warn(&warning);
        }
        self.check_probe_points(&compiled)?;
        Ok(compiled)
    }

    /// A debug file that was named must be of a module of the target, and fit it: better to say
    /// so than to go on without.
    pub(crate) fn check_debug_files(&self, sink: &mut dyn Sink) -> Result<(), SessionError> {
        for (module, file) in &self.options.debug_files {
            self.names
                .check_debug_file(module, file)
                .map_err(|(message, hint)| SessionError::Arguments { message, hint })?;
        }
        let unused = self
            .names
            .check_types_files()
            .map_err(|(message, hint)| SessionError::Arguments { message, hint })?;
        for warning in unused {
            sink.warn(&warning);
        }
        Ok(())
    }

    pub(crate) fn runner(&mut self, program: &Program) -> Result<Runner, SessionError> {
        let started = Instant::now();
        // Compiling what runs once takes longer than to run it.
        let mut probes = program.probes.iter();
        let brief = self.typed_in.is_some()
            && !program.probes.is_empty()
            && probes.all(|probe| is_brief(program, *probe));
        let executor = match brief {
            true => ExecutorKind::Interpreter,
            false => self.options.executor,
        };
        let program = Arc::new(program.clone());
        let runner = Runner::new(program, executor, self.options, self.page_size);
        self.result.timings.machine_code += started.elapsed();
        runner
    }

    /// Compiles a function of a program.
    pub(crate) fn prepare(&mut self, runner: &mut Runner, function: FunctionId) {
        let started = Instant::now();
        runner.prepare(function);
        self.result.timings.machine_code += started.elapsed();
    }

    /// The process, if the target is one that runs: what it is asked may change, and it can be stopped.
    pub(crate) fn running(&self) -> Option<Process> {
        match &self.target {
            Target::Process(process) if self.held.is_none() => Some(process.clone()),
            _ => None,
        }
    }

    /// Whether the user has asked for an end.
    pub(crate) fn interrupted(&self) -> bool {
        !self.undisturbed && self.options.interrupt.load(Ordering::Relaxed)
    }

    /// A store with initial values, outside of any view, and whether the session is over already: nothing can run on values
    /// that were not all set.
    fn fresh_store(
        &mut self,
        runner: &mut Runner,
        effects: &mut Effects,
        compiled: &Compiled,
    ) -> Result<(Store, bool), SessionError> {
        self.prepare(runner, compiled.program.initialize);
        let mut memory = self.memory()?;
        let mut host =
            RunHost::new(&self.target, &self.names, effects).named(self.words.as_deref());
        let (store, outcome) = runner.store(&mut *memory, &mut host, self.options);
        self.account(&outcome, compiled);
        self.add_counters(memory.counters());
        Ok((store, outcome.result.is_err()))
    }

    /// The target's memory as it is now.
    pub(crate) fn memory(&self) -> Result<Box<dyn CountedMemory>, SessionError> {
        self.target.memory(self.options.read_swap)
    }

    /// A process's memory while it runs, behind a cache within our allowance.
    pub(crate) fn live_memory(
        &self,
        process: &Process,
    ) -> Result<TargetMemory<LiveMemory>, SessionError> {
        let live = self.live_space(process)?;
        Ok(TargetMemory::new(PageCache::new(live, cache_options())?))
    }

    /// A process's memory while it runs.
    pub(crate) fn live_space(&self, process: &Process) -> Result<LiveMemory, SessionError> {
        let options = LiveOptions {
            read_swap: self.options.read_swap,
        };
        Ok(LiveMemory::new(process, options)?)
    }

    /// Notes how a run ended; tells whether the session is to end.
    pub(crate) fn account(&mut self, outcome: &Outcome, compiled: &Compiled) -> bool {
        self.result.steps += outcome.steps;
        let Err(run_fault) = &outcome.result else {
            return false;
        };
        let fault = &run_fault.fault;
        match fault.kind {
            FaultKind::Next => return false,
            FaultKind::Exit => return true,
            FaultKind::Error => {
                self.result.error = Some(fault.message.clone().unwrap_or_default());
                self.result.partial(ENDED_WITH_ERROR);
                return true;
            }
            _ => {}
        }
        let place = |span: ytrace_lang::ir::SpanId| {
            compiled
                .program
                .spans
                .get(span.0 as usize)
                .map_or_else(|| "?".to_owned(), |span| compiled.sources.location(*span))
        };
        let name = |function: ytrace_lang::ir::FunctionId| {
            compiled
                .program
                .functions
                .get(function.0 as usize)
                .map_or("?", |function| function.name.as_str())
        };
        let message = fault.to_string();
        let location = place(run_fault.span);
        let chain: Vec<String> = run_fault
            .chain
            .iter()
            .map(|(function, span)| format!("{} at {}", name(*function), place(*span)))
            .collect();
        let reason = match fault.kind {
            FaultKind::Interrupted => "interrupted",
            FaultKind::TargetGone => EXITED,
            kind => exhausted(kind).unwrap_or_else(|| {
                self.result.failed = true;
                ENDED_IN_FAULT
            }),
        };
        self.result.partial(reason);
        let known = self
            .result
            .faults
            .iter_mut()
            .find(|known| known.message == message && known.location == location);
        if let Some(known) = known {
            known.count += 1;
            return is_last(outcome);
        }
        // Addresses differ from hit to hit, and would fill screens.
        let here = |known: &&mut FaultReport| known.location == location;
        let mut alike = self.result.faults.iter_mut().filter(here);
        match alike.nth(MOST_FAULTS) {
            Some(others) => others.count += 1,
            None => {
                let known = self.result.faults.iter();
                let full = known.filter(|known| known.location == location).count() >= MOST_FAULTS;
                self.result.faults.push(FaultReport {
                    message: match full {
                        true => "other faults at this place".to_owned(),
                        false => message,
                    },
                    location,
                    chain,
                    count: 1,
                });
            }
        }
        is_last(outcome)
    }

    /// Notes that the target has ended, which ended the session.
    pub(crate) fn note_end(&mut self) {
        self.outlived = true;
    }

    /// How long a target was followed that has ended since.
    fn life(&self) -> String {
        let what = match &self.command {
            Some(_) => "the command",
            None => "the target",
        };
        if !self.outlived {
            return format!("{what} has ended");
        }
        let spanned = self.watched.spanned(ytrace_target::monotonic_ns());
        format!(
            "{what} ended {} after it was first followed; what is shown is until then",
            ytrace_values::units::duration(i128::from(spanned))
        )
    }

    /// The reasons for a partial result that only the end shows.
    pub(crate) fn conclude(&self, result: &mut RunResult) {
        let counters = result.counters;
        if counters.missed > 0 {
            result.partial(format!(
                "{} pages were wanted but not copied in the pause, and were read while the target ran",
                counters.missed
            ));
        }
        if self.mode == Mode::Live && self.held.is_none() {
            result
                .notes
                .push("the target ran while it was read".to_owned());
        }
        if counters.swapped_skipped > 0 {
            result.partial(format!(
                "{} pages are swapped out and were not read (--read-swap reads them)",
                counters.swapped_skipped
            ));
        }
        for why in pages_left_out(&counters) {
            result.partial(why);
        }
        if result.pauses.expired {
            result.partial(format!(
                "the pause reached its limit of {} before its work was done (--max-pause)",
                ytrace_values::units::duration_with(
                    i128::try_from(self.options.max_pause.as_nanos()).unwrap_or(i128::MAX),
                    0
                )
            ));
        }
        for check in result.checks.clone() {
            if !check.holds() {
                let tolerance = match check.tolerance {
                    0 => String::new(),
                    tolerance => format!(", more than the {tolerance} that it may be"),
                };
                result.partial(format!(
                    "{}: found {}, the target says {}, difference {}{tolerance}",
                    check.name,
                    check.left,
                    check.right,
                    i128::from(check.left) - i128::from(check.right)
                ));
            }
        }
        let Target::Process(process) = &self.target else {
            return;
        };
        // What is shown is as of now, as the age is.
        if let Some(shown) = &mut result.identity {
            let before = self.identity.as_ref().and_then(|identity| identity.age);
            shown.age = before.map(|age| age.saturating_add(self.started.elapsed()));
        }
        let exited = self.held.is_none() && process.exited();
        // A command may be kept at its exit at this moment.
        if self.followed && self.held.is_none() && (exited || self.outlived) {
            result.note(self.life());
        } else if exited {
            result.partial(EXITED);
        }
        if exited {
            result.gone = Some(process.pid());
            if let Some(identity) = &self.identity {
                result.successors = self.rules.successors(identity);
            }
        } else if let Some(now) = self.rules.identify_pid(process.pid())
            && now.leaving
        {
            let before = self
                .identity
                .as_ref()
                .is_some_and(|identity| identity.leaving);
            if !before {
                result
                    .notes
                    .push("the target began to shut down during the run".to_owned());
            }
            result.successors = self.rules.successors(&now);
        }
    }
}

/// Binds this program to the processors that were asked for.
fn use_processors(options: &Options) -> Result<(), SessionError> {
    if options.processors.is_empty() {
        return Ok(());
    }
    scheduling::use_processors(&options.processors).map_err(SessionError::Processors)
}

pub(crate) fn debug_options(options: &Options) -> Result<DebugOptions, SessionError> {
    Ok(DebugOptions {
        files: options.debug_files.clone(),
        roots: options.debug_roots.clone(),
        types: crate::types::open(&options.types)?,
        types_any_build: options.types_any_build,
        no_inlined: options.no_inlined,
        pending: options.pending,
        debuginfod: options.debuginfod.clone(),
    })
}

/// The budget that ran out, with its option.
pub(crate) fn exhausted(kind: FaultKind) -> Option<&'static str> {
    Some(match kind {
        FaultKind::StepsExhausted => "the step budget was exhausted (--steps)",
        FaultKind::TimeExhausted => "the time budget was exhausted (--timeout)",
        FaultKind::MemoryExhausted => "the memory budget was exhausted (--memory)",
        FaultKind::StackTooDeep => "the budget of nested calls was exhausted (--max-stack)",
        FaultKind::OutputExhausted => "the output budget was exhausted (--max-output)",
        _ => return None,
    })
}

/// Why a result is partial when the probe itself has called it wrong.
pub(crate) const ENDED_WITH_ERROR: &str = "the probe ended with an error";

/// Why a result is partial when a handler did not come to its end.
pub(crate) const ENDED_IN_FAULT: &str = "a handler ended in a fault";

/// Why a result is partial when the target did not live to its end.
pub(crate) const EXITED: &str = "the target exited during the run";

/// What is known of a program without a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Whether it may have probes on events.
    pub events: bool,
}

/// Parses a program without a target, to report before a target is started what is wrong with its text, and that none of
/// its views is for a format in `forms`. With `##if…`, that depends on the target, and one arm of each that has such a view
/// is enough.
///
/// # Errors
/// The text is wrong, or it has no flame graph for a format that shows one.
pub fn parse(
    main: &SourceFile,
    options: &Options,
    forms: &[Output],
) -> Result<Outline, SessionError> {
    let round = |arm, library: &mut Library| {
        parse_arm(
            main.clone(),
            library,
            None,
            &LayoutChoices::new(),
            &options.macros(),
            arm,
        )
    };
    let mut library = Library::new(&options.include, main);
    let parsed = round(0, &mut library);
    let arms = parsed.arms.min(MOST_ROUNDS);
    let mut kinds = views::declared_kinds(&parsed.unit);
    if parsed.has_errors() {
        library.check_refused()?;
        return Err(SessionError::Source {
            errors: Box::new(SourceErrors {
                diagnostics: parsed.diagnostics,
                sources: parsed.sources,
                expansions: parsed.expansions,
            }),
        });
    }
    let mut outline = Outline {
        events: has_events(&parsed.unit),
    };
    let graph = forms.iter().find(|form| form.wants_flamegraph());
    for arm in 1..arms {
        let unit = round(arm, &mut library).unit;
        outline.events |= has_events(&unit);
        kinds.extend(views::declared_kinds(&unit));
    }
    if let Some(form) = forms.iter().find(|form| form.wants_view())
        && kinds.is_empty()
    {
        return Err(views::no_view(*form));
    }
    if let Some(form) = graph {
        views::check_kinds(&kinds, *form)?;
    }
    Ok(outline)
}

/// Whether a program has probes on what the target does.
fn has_events(unit: &Unit) -> bool {
    unit.items.iter().any(|item| match &item.kind {
        ItemKind::Probe(probe) => match &probe.point {
            Point::Oneshot | Point::Begin | Point::End => false,
            Point::Timer { unit, .. } => unit.text == "profile",
            Point::Function { .. }
            | Point::Line(_)
            | Point::Address(_)
            | Point::Usdt { .. }
            | Point::Watch(_)
            | Point::Process(_) => true,
        },
        _ => false,
    })
}

/// Breakpoints are set once, and nobody tells of libraries that are loaded while they are there.
fn check_waiting(options: &Options) -> Result<(), SessionError> {
    if let (Some(_), true) = (options.duty, options.synchronous || options.when.is_some()) {
        return Err(SessionError::Arguments {
            message: "--duty does not go with --sync or --when".to_owned(),
            hint: Some(
                "threads that are stopped at a probe are few, or the target is slow anyway: leave one of them out"
                    .to_owned(),
            ),
        });
    }
    let stops = options.synchronous || options.when.is_some();
    if options.children && stops {
        return Err(SessionError::Arguments {
            message: "--children does not go with --sync or --when".to_owned(),
            hint: Some(
                "only the kernel follows children: breakpoints are for one process".to_owned(),
            ),
        });
    }
    let with = match (options.synchronous, &options.when) {
        _ if !options.pending => return Ok(()),
        (true, _) => "--sync",
        (false, Some(_)) => "--when",
        (false, None) => return Ok(()),
    };
    Err(SessionError::Arguments {
        message: format!("--pending does not go with {with}"),
        hint: Some(format!(
            "{with} probes what is loaded when it starts: start it when the library is, or leave {with} out"
        )),
    })
}

/// The options of a probe, found without a target.
///
/// # Errors
/// The text is wrong, or the words after `--` are.
pub fn options_of(main: &SourceFile, options: &Options) -> Result<Vec<OptionHelp>, SessionError> {
    let mut library = Library::new(&options.include, main);
    let typed = compile::compile_typed(Request {
        main: main.clone(),
        loader: &mut library,
        target: None,
        layouts: LayoutChoices::new(),
        defines: options.macros(),
        arguments: options.arguments.clone(),
        most_probes: options.max_probes,
    });
    library.check_refused()?;
    match typed {
        Ok(typed) => Ok(ytrace_lang::check::option_help(
            &typed.checked.program.options,
        )),
        Err(CompileError::Help(options)) => Ok(options),
        Err(CompileError::Source(errors)) => Err(SessionError::Source { errors }),
        Err(CompileError::Arguments(message, hint)) => {
            Err(SessionError::Arguments { message, hint })
        }
    }
}

/// What the handlers of a program work on.
pub(crate) struct State<'a> {
    pub(crate) main: &'a SourceFile,
    pub(crate) runner: &'a mut Runner,
    pub(crate) compiled: &'a Compiled,
    pub(crate) store: &'a mut Store,
    pub(crate) effects: &'a mut Effects,
    /// `_exit()` was called, or the session must end.
    pub(crate) end: bool,
    /// No handler has run yet: the store is as the initializers left it.
    pub(crate) pristine: bool,
}

impl State<'_> {
    /// The functions of probes.
    pub(crate) fn functions(&self, probes: &[usize]) -> Vec<FunctionId> {
        let all = &self.compiled.program.probes;
        probes
            .iter()
            .filter_map(|probe| all.get(*probe).copied())
            .collect()
    }
}

/// The most different faults at one place that are shown each for itself.
const MOST_FAULTS: usize = 3;

/// Whether a run ended in a way that ends the session.
pub(crate) fn is_last(outcome: &Outcome) -> bool {
    let kind = outcome.result.as_ref().err().map(|fault| &fault.fault.kind);
    matches!(
        kind,
        Some(FaultKind::Exit | FaultKind::Error | FaultKind::Interrupted | FaultKind::TargetGone)
    )
}

/// Adds to a result what its handlers left behind.
pub(crate) fn take_effects(result: &mut RunResult, effects: Effects) {
    result.text = effects.text;
    result.warnings = effects.warnings;
    result.checks = effects.checks;
    if effects.more_checks > 0 {
        result.partial(format!(
            "{} further cross-checks were not kept",
            effects.more_checks
        ));
    }
    let CutStacks {
        unreadable,
        short,
        wanted,
        deep,
        lost,
    } = effects.cut_stacks;
    if unreadable > 0 {
        result.partial(format!(
            "{unreadable} stacks end where memory could not be read"
        ));
    }
    if short > 0 {
        result.partial(format!(
            "{short} stacks go on beyond what was captured of them: their next frames take up to {wanted} bytes"
        ));
    }
    if deep > 0 {
        result.partial(format!(
            "{deep} stacks have more than {MAX_FRAMES} frames, which were cut off at their outer ends"
        ));
    }
    if lost > 0 {
        result.note(format!(
            "{lost} stacks end where neither a table nor a frame pointer leads on"
        ));
    }
    if effects.asked_for_pages {
        result.note("which pages were resident, shared or swapped is not known of a core file");
    }
}

/// A page cache within our allowance.
pub(crate) fn cache_options() -> CacheOptions {
    CacheOptions {
        limit: ytrace_target::memory_headroom().allowance().0,
        ..CacheOptions::default()
    }
}
