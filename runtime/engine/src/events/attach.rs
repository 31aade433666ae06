//! Attaching the probes of a program.

mod awaited;
mod mirrors;
mod returns;

use std::collections::{BTreeMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use ytrace_lang::capture::{
    Captures, Countable, Counting, Options as CaptureOptions, Plan, Value, ValueId, countable,
};
use ytrace_lang::compile::SourceErrors;
use ytrace_lang::diagnostics::Diagnostic;
use ytrace_lang::hir::{self, EventPoint, EventSite, ProbePoint, ProcessEvent};
use ytrace_lang::ir::{FunctionId, Program};
use ytrace_target::Process;
use ytrace_target::events::{
    Attachment, EventError, EventOptions, EventSession, HitProgram, MAX_SETTINGS, Probe, Site,
    Source, TableSpec, clock_tables,
};
use ytrace_values::Store;

use self::returns::Dangers;
use super::costs::Expected;
pub(super) use awaited::Awaited;
use mirrors::{mirror, mirrored, mirrors_of};

use super::counted::{self, Counted, KernelCounts};
use super::duty::{Duty, unknown_slowdown};
use super::follow::counted;
use super::hit::global_word;
use super::overhead::Foreseen;
use super::plan::{Argument, SiteFacts, hit_program};
use super::sites::{Finder, Place, Places};
use super::spent::Spent;
use super::tier::Runs;
use super::watch::Watch;
use super::{EventFailure, Events, Handler, Now};
use crate::error::SessionError;
use crate::host::Sink;
use crate::session::{Session, State};

/// The bytes of stack that a record has while it is not known how many are needed; later it has as many as these ([`ytrace_target::events::Record::stack_took`]).
pub(super) const STACK_BYTES: u32 = 8 << 10;

/// What the kernel is told of one handler: what it reads, and the entry values of one that runs at a return.
#[derive(Clone)]
struct Plans {
    hit: Plan,
    entries: Option<Vec<(Plan, ValueId)>>,
    /// The plan of a handler that need not run for some hits, or for all.
    counting: Option<Counting>,
    /// Why it does run.
    why: Option<String>,
}

impl Plans {
    /// What is carried out.
    fn plan(&self) -> &Plan {
        self.counting
            .as_ref()
            .map_or(&self.hit, |counting| &counting.plan)
    }

    /// Leaves out what is done by mirrors of other tables than these.
    fn keep_mirrors(&mut self, mirrored: &BTreeMap<u64, usize>) {
        self.hit.keep_mirrors(mirrored);
        if let Some(counting) = &mut self.counting {
            counting.plan.keep_mirrors(mirrored);
        }
    }
}

/// Probes of the kernel's in the making.
#[derive(Default)]
struct Making {
    probes: Vec<Probe>,
    handlers: Vec<Handler>,
    /// Of each probe the names of its sites, in order.
    names: Vec<Vec<String>>,
    /// Of each probe how many sites the kernel has to single-step.
    stepped: Vec<usize>,
    /// What may end the target at returns.
    dangers: Dangers,
    /// The globals of the script that the kernel is told of, by offset and size.
    settled: Vec<(u64, u64)>,
    /// The tables of the script whose keys the kernel mirrors, in the order of its own tables.
    mirrors: Vec<u64>,
    /// What its tables after these are for.
    counted: Vec<Counted>,
    /// What is probed, or is to be.
    placed: HashSet<Placed>,
    /// For each probe of the program, which of these are its.
    of: Vec<std::ops::Range<usize>>,
}

/// A place that has a probe: the handler, the file (device and inode), and the offset in it.
pub(super) type Placed = (FunctionId, Option<(u64, u64)>, u64);

impl Making {
    fn add(&mut self, program: HitProgram, source: Source, handler: Handler, names: Vec<String>) {
        self.stepped.push(0);
        self.probes.push(Probe { program, source });
        self.handlers.push(handler);
        self.names.push(names);
    }
}

impl Session<'_> {
    /// Puts the probes on events into their places.
    pub(crate) fn attach(
        &mut self,
        process: &Process,
        state: &mut State<'_>,
        probes: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<Events, SessionError> {
        sink.progress("attaching probes");
        let program = &state.compiled.program;
        let mut settled = ytrace_lang::capture::settled(&state.compiled.typed, program);
        settled.truncate(MAX_SETTINGS);
        let captures = self.captures(state, settled.clone());
        let (mut all_plans, mut mirrored) = self.plans(&captures, state, probes)?;
        let countable = self.count_in_kernel(&captures, state, probes, &mut all_plans);
        let tableless = tableless(state, probes)?;
        // The stack of a program of the kernel is small, and keys take some of it: where there is no room, the handlers run, and ask for themselves.
        let (plans, making, left_out) = loop {
            let mut plans = all_plans.clone();
            for plans in &mut plans {
                plans.keep_mirrors(&mirrored);
            }
            let counting = plans.iter().filter_map(|plans| plans.counting.as_ref());
            let (squares, types) = (countable.squares, &countable.containers);
            let counted = counted::tables(program, counting, squares, types);
            let (making, left_out) =
                self.make_all(state, probes, &plans, &settled, &mirrored, counted)?;
            let tables = mirrored.values().copied().map(mirror);
            let tables: Vec<TableSpec> = tables
                .chain(making.counted.iter().map(|counted| counted.spec(1)))
                .collect();
            let obstacles = plans.iter().zip(&making.of).zip(&tableless);
            let obstacles = obstacles.map(|((plans, range), tableless)| {
                // Nothing could be left out of others.
                if plans.counting.is_none() && mirrors_of(&plans.hit).is_empty() {
                    return None;
                }
                let made = making.probes.get(range.clone()).unwrap_or_default();
                let crowded = made
                    .iter()
                    .any(|probe| probe.program.check_room(&tables).is_err());
                tableless.or(crowded.then_some("the kernel's program for it is too large"))
            });
            let obstacles: Vec<Option<&str>> = obstacles.collect();
            let mut left = false;
            let mut unmirrored = Vec::new();
            let obstacles = all_plans.iter_mut().zip(&obstacles);
            for (plans, why) in obstacles.filter_map(|(plans, why)| Some((plans, (*why)?))) {
                if plans.counting.take().is_some() {
                    plans.why = Some(why.to_owned());
                    left = true;
                } else {
                    unmirrored.extend(mirrors_of(&plans.hit));
                }
            }
            let before = mirrored.len();
            mirrored.retain(|table, _| !unmirrored.contains(table));
            if !left && mirrored.len() == before {
                break (plans, making, left_out);
            }
        };
        let runs = probes.iter().zip(&plans).map(|(probe, plans)| Runs {
            probe: *probe,
            counted: plans.counting.is_some(),
            why: plans.why.clone(),
        });
        let runs: Vec<Runs> = runs.collect();
        let mut left_out = left_out;
        for function in state.functions(probes) {
            self.prepare(state.runner, function);
        }
        let stacks = plans.iter().any(|plans| plans.hit.stack);
        if stacks {
            self.names.prepare_stacks();
        }
        let first = probes.first().copied().unwrap_or(0);
        let awaited = Awaited::of(state, probes, plans);
        let Making {
            probes,
            mut handlers,
            names,
            stepped,
            dangers,
            settled,
            mirrors: _,
            counted: tables,
            placed,
            of: _,
        } = making;
        let expected: Vec<Expected<'_>> = Expected::all(&probes, &stepped).collect();
        let specs = |processors: usize| -> Vec<TableSpec> {
            let mirrors = mirrored.values().copied().map(mirror);
            let counted = tables.iter().map(|counted| counted.spec(processors));
            mirrors.chain(counted).collect()
        };
        let duty = Duty::of(self.options.duty);
        let allowed = self.limit_of(state);
        let mut spent = None;
        if duty.is_some() || allowed.is_some() {
            match Spent::measure() {
                Ok(measured) => spent = Some(measured),
                Err(error) if allowed.is_some() => {
                    return Err(event_error(state, first, error.into()));
                }
                Err(error) => self.result.partial(unknown_slowdown(&error)),
            }
        }
        let mut limit = None;
        if let (Some(percent), Some(spent)) = (allowed, &spent) {
            let foreseen = Foreseen {
                percent,
                cost: spent.cost(),
                probes: &expected,
                tables: &specs,
            };
            limit = self
                .foresee(process, state, &foreseen, &settled, sink)
                .map_err(|error| event_error(state, first, error))?;
        }
        let single_stepped: usize = stepped.iter().sum();
        if single_stepped > 0 {
            self.result.note(format!(
                "{} {} no instruction that the kernel can emulate: a hit there takes about 5 µs more",
                counted(single_stepped as u64, "place"),
                if single_stepped == 1 { "has" } else { "have" }
            ));
        }
        dangers.warn(sink);
        let failed = |error: EventError| event_error(state, first, error.into());
        let options = EventOptions {
            children: self.options.children,
            ..event_options()
        };
        if options.children {
            self.warn_of_others(probes.iter().map(|probe| &probe.source), sink);
        }
        let mut session = EventSession::new(process, options).map_err(failed)?;
        self.note_tier(&session);
        for runs in &runs {
            self.note_handler(state, runs, &session);
        }
        let mut mirrors = Vec::with_capacity(mirrored.len());
        for words in mirrored.values() {
            let table = session.add_table(mirror(*words));
            mirrors.push(table.map_err(failed)?);
        }
        let counts = KernelCounts::make(&mut session, &tables).map_err(failed)?;
        // First, so that what it tells stands before the hits to which it matters.
        let children = self.options.children;
        let pid = process.pid();
        let (mut watch, refused) =
            Watch::begin(&mut session, &self.names, pid, children).map_err(failed)?;
        if let Some(error) = refused {
            self.result.note(format!(
                "libraries that are loaded, programs that are executed, or children are not all noticed: {error}"
            ));
        }
        publish(&mut session, &settled, state.store).map_err(failed)?;
        // Hits of all count from one instant on.
        session.shut();
        let attachment = session.attach(probes.clone()).map_err(failed)?;
        if children {
            watch.begin_children(&mut session).map_err(failed)?;
        }
        if let Some(spent) = &mut spent {
            spent.add(attachment.probes.iter().copied(), expected.into_iter());
        }
        left_out.extend(refused_places(&attachment, &names, &mut handlers));
        for (name, why) in left_out {
            sink.warn(&format!("{name} is not probed: {why}"));
            self.result.partial("some places could not be probed");
        }
        sink.progress("");
        let sites: usize = names.iter().map(Vec::len).sum();
        let others = handlers
            .iter()
            .filter(|handler| handler.sites.is_empty())
            .count();
        let attached = sites.saturating_sub(attachment.refused.len());
        // What `_late` functions read is read when their handlers run.
        let late = state
            .compiled
            .program
            .functions
            .iter()
            .any(|function| function.late);
        if late && self.options.children {
            return Err(event_error(state, first, EventFailure::LateOfChildren));
        }
        let mut events = Events {
            now: match late {
                true => Some(self.live_memory(process)?),
                false => None,
            },
            session,
            settled,
            mirrors,
            mirrored: mirrored.into_keys().collect(),
            counts,
            handlers: attachment.probes.into_iter().zip(handlers).collect(),
            stacks,
            watch,
            awaited,
            placed,
            processor_time: None,
            duty,
            limit,
            spent,
        };
        // What came while the program was compiled.
        let changes = self
            .names
            .look_again(|| events.watch.changes_wait(&events.session));
        self.attach_awaited(&mut events, state, &changes.come, None, sink);
        self.begin_watching(&mut events);
        sink.attached(attached, others);
        Ok(events)
    }

    /// Makes the kernel's probes for those of the program, with what could not be probed.
    #[allow(clippy::type_complexity)]
    fn make_all(
        &self,
        state: &State<'_>,
        probes: &[usize],
        plans: &[Plans],
        settled: &[(u64, u64)],
        mirrored: &BTreeMap<u64, usize>,
        counted: Vec<Counted>,
    ) -> Result<(Making, Vec<(String, String)>), SessionError> {
        let mut making = Making {
            settled: settled.to_vec(),
            mirrors: mirrored.keys().copied().collect(),
            counted,
            ..Making::default()
        };
        let mut left_out = Vec::new();
        let mut finder = Finder::new(&self.names);
        for (probe, plans) in probes.iter().zip(plans) {
            let first = making.probes.len();
            self.make(
                state,
                *probe,
                plans,
                &mut finder,
                &mut making,
                &mut left_out,
            )
            .map_err(|error| event_error(state, *probe, error))?;
            making.of.push(first..making.probes.len());
        }
        Ok((making, left_out))
    }

    /// Works out what each handler reads.
    fn plans(
        &self,
        captures: &Captures<'_>,
        state: &State<'_>,
        probes: &[usize],
    ) -> Result<(Vec<Plans>, BTreeMap<u64, usize>), SessionError> {
        let program = &state.compiled.program;
        let mut refused: Vec<Diagnostic> = Vec::new();
        let mut plans = Vec::with_capacity(probes.len());
        for probe in probes {
            let (Some(typed), Some(function)) = (
                state.compiled.typed.probes.get(*probe),
                program.probes.get(*probe),
            ) else {
                continue;
            };
            let hit = captures.analyze(*function);
            let mut entries = None;
            if let ProbePoint::Event(point) = &typed.point
                && point.at_return
            {
                let mut known = Vec::with_capacity(point.entry_values.len());
                for value in &point.entry_values {
                    match captures.analyze_value(FunctionId(value.0)) {
                        Ok(value) => known.push(value),
                        Err(errors) => {
                            if let Some(vector) = captures.vector_of(FunctionId(value.0)) {
                                let error = EventFailure::Vector(vector);
                                return Err(event_error(state, *probe, error));
                            }
                            refused.extend(errors);
                        }
                    }
                }
                entries = Some(known);
            }
            match hit {
                Ok(hit) => plans.push(Plans {
                    hit,
                    entries,
                    counting: None,
                    why: None,
                }),
                Err(errors) => refused.extend(errors),
            }
        }
        if refused.is_empty() {
            // What other programs do to the tables the kernel is not told of.
            let mirrored = match self.shares_values {
                true => BTreeMap::new(),
                false => mirrored(captures, (&state.compiled.typed, program), probes, &plans),
            };
            return Ok((plans, mirrored));
        }
        Err(SessionError::Source {
            errors: Box::new(SourceErrors {
                diagnostics: refused,
                sources: state.compiled.sources.clone(),
                expansions: state.compiled.expansions.clone(),
            }),
        })
    }

    /// Finds out for which hits the kernel can do all that handlers would.
    fn count_in_kernel(
        &self,
        captures: &Captures<'_>,
        state: &State<'_>,
        probes: &[usize],
        plans: &mut [Plans],
    ) -> Countable {
        let (typed, program) = (&state.compiled.typed, &state.compiled.program);
        let forbidden = match ytrace_target::events::kernel_tables() {
            Ok(true) if self.shares_values => Some("what is typed reads its variables at any time"),
            Ok(true) => None,
            _ => Some("YTRACE_FORBID switches it off"),
        };
        let functions = state.functions(probes);
        let mut counting: Vec<Option<Counting>> = functions
            .iter()
            .map(|function| captures.counting(*function))
            .collect();
        let entries: Vec<FunctionId> = program.entry_values.clone();
        let all: Vec<Option<&Counting>> = counting.iter().map(Option::as_ref).collect();
        let countable = countable(typed, program, &functions, &entries, &all);
        let budgets = &self.options.budgets;
        for (plans, counting) in plans.iter_mut().zip(&mut counting) {
            let Some(mut counting) = counting.take() else {
                plans.why = Some("it cannot be followed".to_owned());
                continue;
            };
            let other = counting.keep(&countable);
            let place = |span| state.compiled.sources.location(span);
            let obstacle = counting
                .obstacle
                .filter(|(span, _)| *span != Default::default());
            let obstacle = obstacle.map(|(span, why)| format!("{why}, at {}", place(span)));
            let obstacle = obstacle.or(counting.obstacle.map(|(_, why)| why.to_owned()));
            let refused = other.map(|global| {
                let why = countable
                    .refused
                    .get(&global)
                    .copied()
                    .unwrap_or("it is not its own");
                format!("of `{}`: {why}", global_name(typed, program, global))
            });
            plans.why = obstacle.or(refused);
            let counts = counting.updates().next().is_some();
            if let Some(why) = forbidden {
                plans.why = Some(why.to_owned());
            } else if counting.steps > budgets.steps || counting.stack > budgets.stack {
                plans.why = Some("its budget might be used up".to_owned());
            } else if counts {
                plans.counting = Some(counting);
            } else if plans.why.is_none() {
                plans.why = Some("it adds to no variable".to_owned());
            }
        }
        countable
    }

    /// Notes where a handler runs.
    fn note_handler(&mut self, state: &State<'_>, runs: &Runs, session: &EventSession) {
        let Some(typed) = state.compiled.typed.probes.get(runs.probe) else {
            return;
        };
        let place = state.compiled.sources.location(typed.span);
        let told = runs.told(session.tier());
        self.result.handlers.push(format!("{place}: {told}"));
    }

    /// What follows handlers; `settled` is what the kernel is told of.
    fn captures<'s>(&self, state: &State<'s>, settled: Vec<(u64, u64)>) -> Captures<'s> {
        Captures::new(
            &state.compiled.program,
            CaptureOptions {
                page_size: self.page_size,
                string: self.options.budgets.string,
            },
            settled,
        )
    }

    /// Makes the kernel's probes for one of the program: one for all sites that are alike.
    fn make(
        &self,
        state: &State<'_>,
        probe: usize,
        plans: &Plans,
        finder: &mut Finder<'_>,
        making: &mut Making,
        left_out: &mut Vec<(String, String)>,
    ) -> Result<(), EventFailure> {
        let (Some(typed), Some(function)) = (
            state.compiled.typed.probes.get(probe),
            state.compiled.program.probes.get(probe).copied(),
        ) else {
            return Err(EventFailure::Malformed("a probe that is not there"));
        };
        let point = match &typed.point {
            ProbePoint::Event(point) => point,
            ProbePoint::Profile(hertz) => {
                let source = Source::Clock { hertz: *hertz };
                return self.make_without_sites(state, function, plans, source, making);
            }
            _ => return Err(EventFailure::Malformed("a probe that is on no event")),
        };
        let source = match &point.site {
            EventSite::Process(ProcessEvent::ThreadBegin) => Some(Source::ThreadBegin),
            EventSite::Process(ProcessEvent::ThreadEnd) => Some(Source::ThreadEnd),
            EventSite::Process(ProcessEvent::Exec) => Some(Source::Exec),
            EventSite::Process(ProcessEvent::PageFault) => Some(Source::PageFaults { every: 1 }),
            EventSite::Process(ProcessEvent::Exit) => return Err(EventFailure::Kind("`_exit`")),
            EventSite::Process(ProcessEvent::Signal) => {
                return Err(EventFailure::Kind("`_signal`"));
            }
            EventSite::Watch { .. } => return Err(EventFailure::Kind("a watchpoint")),
            EventSite::Functions(_)
            | EventSite::Line { .. }
            | EventSite::Address(_)
            | EventSite::Static { .. } => None,
        };
        if let Some(source) = source {
            return self.make_without_sites(state, function, plans, source, making);
        }
        self.make_on_places(state, function, point, plans, finder, making, left_out)
    }

    /// Makes the kernel's probes for a point that is on places in the code.
    #[allow(clippy::too_many_arguments)]
    fn make_on_places(
        &self,
        state: &State<'_>,
        function: FunctionId,
        point: &EventPoint,
        plans: &Plans,
        finder: &mut Finder<'_>,
        making: &mut Making,
        left_out: &mut Vec<(String, String)>,
    ) -> Result<(), EventFailure> {
        let Places {
            mut places,
            left_out: lacking,
        } = finder.places(point);
        if places.is_empty() && lacking.is_empty() {
            if point.awaited.is_some() {
                return Ok(());
            }
            return Err(finder.no_such(point, described(point)));
        }
        if places.is_empty() {
            return Err(EventFailure::NoSite(lacking));
        }
        left_out.extend(lacking);
        places.retain(|place| {
            let file = place.file.metadata().map(|file| (file.dev(), file.ino()));
            making.placed.insert((function, file.ok(), place.offset))
        });
        if point.at_return {
            let addresses = places.iter().map(|place| place.function);
            making.dangers.note(addresses, finder, self.options.force)?;
        }
        let common = self.facts(state, making);
        let entries = plans.entries.iter().flatten();
        let mut all = std::iter::once(plans.plan()).chain(entries.map(|(plan, _)| plan));
        let by_function = all.any(|plan| plan.values.contains(&Value::Function));
        let mut alike: Vec<(SiteFacts, Vec<Place>)> = Vec::new();
        for place in places {
            let facts = SiteFacts {
                function: if by_function { place.function } else { 0 },
                stack_offset: place.stack_offset,
                arguments: place.arguments.clone(),
                ..common.clone()
            };
            match alike.iter_mut().find(|(known, _)| *known == facts) {
                Some((_, places)) => places.push(place),
                None => alike.push((facts, vec![place])),
            }
        }
        for (facts, places) in alike {
            let (program, reading) = hit_program(plans.plan(), plans.entries.as_deref(), &facts)?;
            let handler = Handler {
                function,
                reading: Arc::new(reading),
                at_return: point.at_return,
                stack_offset: facts.stack_offset,
                sites: places
                    .iter()
                    .map(|place| (place.function, place.address))
                    .collect(),
                now: places
                    .iter()
                    .map(|place| Now {
                        function: place.function,
                        address: place.address,
                        inode: place.file.metadata().map_or(0, |file| file.ino()),
                    })
                    .collect(),
                refused: 0,
                hertz: None,
                removes_from: removes_from(plans, making),
            };
            let names = places.iter().map(|place| place.name.clone()).collect();
            let stepped = places.iter().filter(|place| place.stepped).count();
            let sites = places.into_iter().zip(0..).map(|(place, cookie)| Site {
                cookie,
                file: place.file,
                offset: place.offset,
                semaphore: place.semaphore,
            });
            making.add(program, Source::Sites(sites.collect()), handler, names);
            if let Some(last) = making.stepped.last_mut() {
                *last = stepped;
            }
        }
        Ok(())
    }

    /// Makes the kernel's probe for one of the program that is on no place in the code.
    fn make_without_sites(
        &self,
        state: &State<'_>,
        function: FunctionId,
        plans: &Plans,
        source: Source,
        making: &mut Making,
    ) -> Result<(), EventFailure> {
        let mut facts = self.facts(state, making);
        facts.arguments.extend(match source {
            Source::PageFaults { .. } => Some(Argument::FaultAddress),
            Source::ThreadEnd => Some(Argument::ExitStatus),
            _ => None,
        });
        let (program, reading) = hit_program(plans.plan(), None, &facts)?;
        let handler = Handler {
            function,
            reading: Arc::new(reading),
            at_return: false,
            stack_offset: 0,
            sites: Vec::new(),
            now: Vec::new(),
            refused: 0,
            hertz: match source {
                Source::Clock { hertz } => Some(hertz),
                _ => None,
            },
            removes_from: removes_from(plans, making),
        };
        making.add(program, source, handler, Vec::new());
        Ok(())
    }

    /// What is the same for all sites.
    fn facts(&self, state: &State<'_>, making: &Making) -> SiteFacts {
        let (settled, mirrors) = (&making.settled, &making.mirrors);
        let variables = state.compiled.typed.thread_locals.iter();
        let thread_locals = variables.map(|variable| {
            let module = variable.module.0 as usize;
            let distance = self.names.thread_local_distance(module).ok()?;
            Some(variable.offset.wrapping_sub(distance))
        });
        SiteFacts {
            thread_locals: thread_locals.collect(),
            globals: settled.to_vec(),
            mirrors: mirrors.to_vec(),
            counted: making.counted.clone(),
            stack_expected: STACK_BYTES,
            ..SiteFacts::default()
        }
    }
}

/// Of each probe why its program may use no tables, if that is so.
fn tableless(
    state: &State<'_>,
    probes: &[usize],
) -> Result<Vec<Option<&'static str>>, SessionError> {
    let fault = EventSite::Process(ProcessEvent::PageFault);
    let by_clock = |probe: &usize| match &state.compiled.typed.probes.get(*probe)?.point {
        ProbePoint::Profile(_) => Some(()),
        ProbePoint::Event(point) => (point.site == fault).then_some(()),
        _ => None,
    };
    let by_clock: Vec<Option<()>> = probes.iter().map(by_clock).collect();
    let first = probes.first().copied().unwrap_or(0);
    let refused = by_clock.contains(&Some(()))
        && !clock_tables().map_err(|error| event_error(state, first, error.into()))?;
    let why = refused.then_some(
        "this kernel has no such tables for handlers of the clock and of page faults (Linux 6.1 has)",
    );
    Ok(by_clock.into_iter().map(|by| by.and(why)).collect())
}

/// The name of a variable of the script.
fn global_name<'t>(typed: &'t hir::Program, program: &Program, global: u64) -> &'t str {
    let offsets = program.global_offsets.iter();
    let place = offsets
        .zip(&typed.globals)
        .find(|(offset, _)| **offset == global);
    place.map_or("?", |(_, global)| global.name.as_str())
}

/// The places of the kernel's tables that a handler takes keys out of.
fn removes_from(plans: &Plans, making: &Making) -> Vec<usize> {
    let tables = plans.hit.removes.iter();
    let places =
        tables.filter_map(|key| making.mirrors.iter().position(|table| *table == key.table));
    places.collect()
}

/// The names of places that the kernel refuses, and why; they are counted in their handlers.
fn refused_places(
    attachment: &Attachment,
    names: &[Vec<String>],
    handlers: &mut [Handler],
) -> Vec<(String, String)> {
    let mut left_out = Vec::new();
    for refused in &attachment.refused {
        let probe = attachment.probes.iter().position(|id| *id == refused.probe);
        let name = probe.and_then(|probe| names.get(probe)?.get(refused.site));
        left_out.push((name.cloned().unwrap_or_default(), refused.reason()));
        if let Some(handler) = probe.and_then(|probe| handlers.get_mut(probe)) {
            handler.refused += 1;
        }
    }
    left_out
}

/// Tells the kernel what globals hold that no handler of an event writes.
pub(super) fn publish(
    session: &mut EventSession,
    settled: &[(u64, u64)],
    store: &Store,
) -> Result<(), EventError> {
    if settled.is_empty() {
        return Ok(());
    }
    let words = settled.iter().map(|(offset, size)| {
        let word = global_word(store, *offset, *size);
        word.unwrap_or(0)
    });
    session.set(&words.collect::<Vec<u64>>())
}

/// How much may wait to be read: as much as comes in a burst, and a small part of the memory that there is.
pub(super) fn event_options() -> EventOptions {
    const LEAST: u64 = 4 << 20;
    const MOST: u64 = 128 << 20;
    let allowance = ytrace_target::memory_headroom().allowance().0;
    EventOptions {
        ring_bytes: u32::try_from((allowance / 16).clamp(LEAST, MOST)).unwrap_or(u32::MAX),
        ..EventOptions::default()
    }
}

/// What a point waits for, in words.
pub(super) fn described(point: &EventPoint) -> String {
    match &point.site {
        EventSite::Static { provider, name, .. } => format!("the static probe {provider}:{name}"),
        EventSite::Line { file, line } => format!("code for {file}:{line}"),
        EventSite::Address(address) => format!("code at {address:#x}"),
        EventSite::Functions(_) | EventSite::Watch { .. } | EventSite::Process(_) => {
            "such a place".to_owned()
        }
    }
}

pub(super) fn event_error(state: &State<'_>, probe: usize, error: EventFailure) -> SessionError {
    let probe = state.compiled.typed.probes.get(probe);
    SessionError::Event {
        place: probe.map_or_else(String::new, |probe| {
            state.compiled.sources.location(probe.span)
        }),
        error,
    }
}
