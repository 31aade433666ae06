//! Compiling a program for a target, with the layouts that hold on it.

use std::collections::BTreeSet;
use std::time::Instant;

use ytrace_lang::compile::{self, CompileError, Compiled, Fragment, LayoutChoices, Request};
use ytrace_lang::hir::LayoutUse;
use ytrace_lang::ir::{FunctionId, Program};
use ytrace_lang::source::SourceFile;
use ytrace_lang::target::SymbolSource;
use ytrace_target::{AddressSpace, PausedCopy};
use ytrace_values::{FaultKind, Memory};

use crate::error::{Misfit, SessionError};
use crate::host::{Effects, RunHost, Sink};
use crate::library::Library;
use crate::memory::TargetMemory;
use crate::options::Mode;
use crate::packages::needs;
use crate::program::Runner;
use crate::session::{Session, exhausted};
use crate::target::Target;
use crate::when::{self, WhenLoader};

impl Session<'_> {
    /// Compiles, and finds for each `_layout` the first candidate that holds on the target.
    pub(crate) fn compile(
        &mut self,
        main: &SourceFile,
        sink: &mut dyn Sink,
    ) -> Result<(Compiled, Runner), SessionError> {
        let mut choices = match &self.typed_in {
            Some(typed_in) => typed_in.layouts.clone(),
            None => LayoutChoices::new(),
        };
        let mut tried: Vec<(String, Misfit)> = Vec::new();
        let mut group = String::new();
        let mut waived = BTreeSet::new();
        let mut copy = None;
        loop {
            sink.progress("reading debug information");
            let started = Instant::now();
            let compiled = self.compile_once(main, choices.clone())?;
            self.result.timings.compile += started.elapsed();
            let failed = self.failed_layout(&compiled, &waived, &mut copy, sink)?;
            if self.interrupted() {
                // A check that was cut short says nothing of its layout.
                return Err(SessionError::Interrupted);
            }
            let Some((layout, candidate, why)) = failed else {
                let runner = self.runner(&compiled.program)?;
                if let Some(typed_in) = &mut self.typed_in {
                    typed_in.layouts = choices;
                    let layouts = compiled.typed.layouts.iter();
                    typed_in.settled = layouts
                        .map(|layout| (layout.group.clone(), layout.candidate.clone()))
                        .collect();
                }
                let layouts = compiled.typed.layouts.iter();
                self.result.layouts = layouts
                    .filter(|layout| !waived.contains(&layout.group))
                    .filter_map(|layout| Some((layout.group.clone(), layout.candidate.clone()?)))
                    .collect();
                return Ok((compiled, runner));
            };
            let next = layout
                .candidates
                .iter()
                .skip_while(|known| **known != candidate)
                .nth(1)
                .cloned();
            // Groups are settled one after another.
            if layout.group != group {
                group.clone_from(&layout.group);
                tried.clear();
            }
            let settled = matches!(why, Misfit::Dispensable { all: true } | Misfit::Absent(_));
            if settled {
                // What other candidates say no longer matters.
                tried.clear();
            }
            tried.push((candidate, why));
            let dispensable =
                |(_, why): &(String, Misfit)| matches!(why, Misfit::Dispensable { .. });
            match next.filter(|_| !settled) {
                Some(next) => {
                    choices.insert(layout.group, next);
                }
                None if tried.iter().all(dispensable) => {
                    // Any types do: the program asks itself whether they fit, and does without.
                    choices.remove(&layout.group);
                    waived.insert(layout.group);
                }
                None => {
                    return Err(SessionError::Layout {
                        group: layout.group,
                        tried,
                        missing: self.names.missing_debug_information(),
                        runtimes: self.rules.runtimes(&self.target, true),
                    });
                }
            }
        }
    }

    /// The first `_layout` whose candidate does not hold on the target: the layout, the candidate
    /// and why. Types from debug information need no proof, nor do groups that the program does without.
    fn failed_layout(
        &mut self,
        compiled: &Compiled,
        waived: &BTreeSet<String>,
        copy: &mut Option<TargetMemory<PausedCopy>>,
        sink: &mut dyn Sink,
    ) -> Result<Option<(LayoutUse, String, Misfit)>, SessionError> {
        let mut runner = None;
        for (index, layout) in compiled.typed.layouts.iter().enumerate() {
            let Some(candidate) = layout.candidate.clone() else {
                continue;
            };
            if waived.contains(&layout.group) || self.is_settled(layout) {
                continue;
            }
            sink.progress(&format!("trying layout {candidate}"));
            let runner = match &mut runner {
                Some(runner) => runner,
                // Most candidates fail: only what the checks need is compiled for them.
                empty => empty.insert(self.runner(&Program {
                    probes: Vec::new(),
                    ..compiled.program.clone()
                })?),
            };
            match self.validate(runner, compiled, index, copy, sink)? {
                Ok(()) => {}
                Err(Unfit::Misfit(why)) => return Ok(Some((layout.clone(), candidate, why))),
                Err(Unfit::Exhausted(reason)) => {
                    return Err(SessionError::LayoutBudget {
                        group: layout.group.clone(),
                        candidate,
                        reason,
                    });
                }
            }
        }
        Ok(None)
    }

    /// Whether a layout was found to hold when an earlier line was compiled.
    fn is_settled(&self, layout: &LayoutUse) -> bool {
        self.typed_in.as_ref().is_some_and(|typed_in| {
            let mut settled = typed_in.settled.iter();
            settled
                .any(|(group, candidate)| *group == layout.group && *candidate == layout.candidate)
        })
    }

    fn compile_once(
        &mut self,
        main: &SourceFile,
        layouts: LayoutChoices,
    ) -> Result<Compiled, SessionError> {
        let when = self.options.when.as_ref();
        let mut loader = WhenLoader::new(Library::new(&self.options.include, main), when);
        let whole = match when {
            Some(when) => when::with_probe(main, when)?,
            None => main.clone(),
        };
        let request = Request {
            main: whole,
            loader: &mut loader,
            target: Some(&mut self.names),
            layouts,
            defines: self.options.macros(),
            arguments: self.options.arguments.clone(),
            most_probes: self.options.max_probes,
        };
        let compiled = match &self.typed_in {
            Some(typed_in) => {
                let fragment = Fragment {
                    kept: &typed_in.kept,
                    show: typed_in.show,
                    starts: &typed_in.starts,
                };
                compile::compile_fragment(request, fragment)
            }
            None => compile::compile(request),
        };
        // What a package lacks explains whatever else is wrong.
        loader.library().check_refused()?;
        for package in loader.library().packages() {
            needs::check_version(package)?;
            needs::check_privileges(package)?;
            needs::check_target(package, &mut self.names)?;
        }
        if let Ok(compiled) = &compiled
            && compiled.typed.live
            && self.mode == Mode::Auto
            && matches!(self.target, Target::Process(_))
        {
            self.mode = Mode::Live;
            self.note_choice("live, as the probe asks".to_owned());
        }
        compiled.map_err(|error| match error {
            CompileError::Source(mut errors) => {
                if when.is_some() {
                    when::point_to_options(&mut errors, main.text.len());
                }
                SessionError::Source { errors }
            }
            CompileError::Arguments(message, hint) => SessionError::Arguments { message, hint },
            CompileError::Help(options) => SessionError::Help(options),
        })
    }

    /// Runs the check of a layout; the inner error says why it does not hold. Live memory may change
    /// under a check, so where one fails there, it is made again on a copy, and so are all later ones.
    fn validate(
        &mut self,
        runner: &mut Runner,
        compiled: &Compiled,
        layout: usize,
        copy: &mut Option<TargetMemory<PausedCopy>>,
        sink: &mut dyn Sink,
    ) -> Result<Result<(), Unfit>, SessionError> {
        let Some(function) = compiled.program.validators.get(layout).copied() else {
            return Ok(Err(Unfit::failed("it has no check")));
        };
        if let Some(memory) = copy {
            return Ok(self.check_layout(runner, function, memory));
        }
        let Some(process) = self.running().filter(|_| self.mode != Mode::Live) else {
            let mut memory = self.memory()?;
            return Ok(self.check_layout(runner, function, &mut *memory));
        };
        let mut memory = self.live_memory(&process)?;
        let verdict = self.check_layout(runner, function, &mut memory);
        let settled = matches!(verdict, Ok(()) | Err(Unfit::Exhausted(_)));
        if settled || self.interrupted() {
            return Ok(verdict);
        }
        let touched = memory.cache().touched();
        let before = memory.cache().space().mappings();
        let plan = self.plan(memory.space_mut(), &before, &touched)?;
        drop(memory);
        if plan.ranges.is_empty() {
            return Ok(verdict);
        }
        match self.copy(&process, &plan, sink) {
            Ok((mut memory, _)) => {
                let verdict = self.check_layout(runner, function, &mut memory);
                *copy = Some(memory);
                Ok(verdict)
            }
            // Too much to copy: what live memory said stands.
            Err(SessionError::Copy(_)) => Ok(verdict),
            Err(error) => Err(error),
        }
    }

    fn check_layout(
        &self,
        runner: &mut Runner,
        function: FunctionId,
        memory: &mut dyn Memory,
    ) -> Result<(), Unfit> {
        let mut effects = Effects::default();
        let threads = self.held.as_deref().unwrap_or_default();
        let mut host = RunHost::new(&self.target, &self.names, &mut effects).with_threads(threads);
        let (mut store, outcome) = runner.store(memory, &mut host, self.options);
        if let Err(fault) = outcome.result {
            return Err(Unfit::of(&fault.fault));
        }
        let outcome = runner.run(function, &mut store, memory, &mut host, self.options);
        match outcome.result {
            Ok(0) => Err(Unfit::failed("its check does not hold")),
            // An `int`: its low half is the value.
            Ok(value) if (value as i32) < 0 => Err(Unfit::Misfit(Misfit::Dispensable {
                all: (value as i32) < -1,
            })),
            Ok(_) => Ok(()),
            Err(fault) => Err(Unfit::of(&fault.fault)),
        }
    }
}

/// How the check of a layout went, where it did not hold.
enum Unfit {
    /// It says that the layout does not fit.
    Misfit(Misfit),
    /// It could not come to its end.
    Exhausted(&'static str),
}

impl Unfit {
    fn failed(text: &str) -> Self {
        Unfit::Misfit(Misfit::Failed(text.to_owned()))
    }

    fn of(fault: &ytrace_values::Fault) -> Self {
        match (exhausted(fault.kind), fault.kind, &fault.message) {
            (Some(reason), ..) => Unfit::Exhausted(reason),
            (None, FaultKind::Raised, Some(message)) => {
                Unfit::Misfit(Misfit::Explained(message.clone()))
            }
            (None, FaultKind::Error, Some(message)) => {
                Unfit::Misfit(Misfit::Absent(message.clone()))
            }
            _ => Unfit::failed(&format!("its check ended early: {fault}")),
        }
    }
}
