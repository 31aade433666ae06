//! From the probes of a program to breakpoints and watchpoints.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use ytrace_lang::hir::{EventPoint, EventSite, ProbePoint, ProcessEvent};
use ytrace_lang::ir::{FunctionId, InstructionKind, Program};
use ytrace_target::Process;
use ytrace_target::breakpoints::{self, Access, Events, Place, Request, Subject, Watch};

use ytrace_values::Operation;

use super::super::EventFailure;
use super::super::attach::{described, event_error};
use super::super::programs::Programs;
use super::super::sites::{Finder, Places};
use super::calls::Calls;
use super::memory::StopMemory;
use super::output::Output;
use super::{Figures, Handler, PlaceUse, Stops};
use crate::error::SessionError;
use crate::host::Sink;
use crate::left_behind;
use crate::session::{Session, State};

/// What is asked of the target's room, in the making.
#[derive(Default)]
struct Making {
    request: Request,
    /// What each place is for, and its name.
    places: Vec<(PlaceUse, String)>,
    /// The places by their address and whether they are a function's return.
    known: HashMap<(u64, bool), usize>,
    watches: Vec<Vec<usize>>,
    processes: HashMap<ProcessEvent, Vec<usize>>,
    handlers: Vec<Handler>,
    /// Places in their files.
    in_files: Vec<InFile>,
}

/// An address that is probed, and what of which file is mapped there.
struct InFile {
    address: u64,
    name: String,
    file: Arc<File>,
    offset: u64,
}

impl Making {
    /// The use of an address.
    fn place(
        &mut self,
        address: u64,
        at_return: bool,
        function: u64,
        name: &str,
    ) -> Option<&mut PlaceUse> {
        let index = *self.known.entry((address, at_return)).or_insert_with(|| {
            self.request.places.push(Place {
                addresses: vec![address],
                at_return,
            });
            let place = PlaceUse {
                function,
                run: Vec::new(),
                keep: Vec::new(),
            };
            self.places.push((place, name.to_owned()));
            self.places.len() - 1
        });
        let (place, _) = self.places.get_mut(index)?;
        if place.function == 0 {
            place.function = function;
        }
        Some(place)
    }

    fn watch(&mut self, watch: Watch, handler: usize) {
        let known = self.request.watches.iter().position(|one| *one == watch);
        match known.and_then(|known| self.watches.get_mut(known)) {
            Some(handlers) => handlers.push(handler),
            None => {
                self.request.watches.push(watch);
                self.watches.push(vec![handler]);
            }
        }
    }

    fn process_event(&mut self, event: ProcessEvent, handler: usize) -> Result<(), EventFailure> {
        let events = &mut self.request.events;
        match event {
            ProcessEvent::ThreadBegin | ProcessEvent::ThreadEnd => events.threads = true,
            ProcessEvent::Exec => events.exec = true,
            ProcessEvent::Exit => events.exit = true,
            ProcessEvent::Signal => events.signals = true,
            ProcessEvent::PageFault => return Err(EventFailure::KernelOnly("`_page_fault`")),
        }
        self.processes.entry(event).or_default().push(handler);
        Ok(())
    }
}

impl Session<'_> {
    /// Puts the probes on events into their places, as breakpoints and watchpoints.
    pub(crate) fn attach_stops(
        &mut self,
        process: &Process,
        state: &mut State<'_>,
        probes: &[usize],
        sink: &mut dyn Sink,
    ) -> Result<Stops, SessionError> {
        sink.progress("attaching probes");
        let mut making = Making {
            request: Request {
                vectors: asks_for_vectors(&state.compiled.program),
                // Breakpoints are gone by that, which is told whether or not a probe asks for it.
                events: Events {
                    exec: true,
                    ..Events::default()
                },
                max_hold: longest_hold(self.options.max_pause, self.shares_values),
                max_pause: self.options.max_pause,
                ..Request::default()
            },
            ..Making::default()
        };
        let mut left_out = Vec::new();
        let mut finder = Finder::exact(&self.names);
        for probe in probes {
            make(state, *probe, &mut finder, &mut making, &mut left_out)
                .map_err(|error| event_error(state, *probe, error))?;
        }
        drop(finder);
        // Nothing is compiled or read from files while a thread stands still.
        for function in state.functions(probes) {
            self.prepare(state.runner, function);
        }
        for handler in &making.handlers {
            for function in &handler.entry_values {
                self.prepare(state.runner, *function);
            }
        }
        if state.compiled.typed.stacks {
            self.names.prepare_stacks();
        }
        let first = probes.first().copied().unwrap_or(0);
        self.warn_of_breakpoints(process, &making.in_files, sink)?;
        let Making {
            request,
            places,
            watches,
            processes,
            handlers,
            ..
        } = making;
        let memory = StopMemory::new(self.live_space(process)?)
            .ok_or(EventFailure::Malformed("a page without bytes"))
            .map_err(|error| event_error(state, first, error))?;
        let session = self.in_turn(|| {
            breakpoints::Session::start(process, &request)
                .map_err(|error| event_error(state, first, error.into()))
        })?;
        let files = files_of(process, &request);
        let refused = session.refused();
        for refused in refused {
            let name = match refused.subject {
                Subject::Place(place) => places.get(place).map(|(_, name)| name.clone()),
                Subject::Watch(_) => None,
            };
            let name = name.unwrap_or_else(|| format!("{:#x}", refused.address));
            left_out.push((name, refused.reason.to_string()));
        }
        let asked = request.places.len() + request.watches.len();
        let there = asked.saturating_sub(refused.len());
        if asked > 0 && there == 0 {
            return Err(event_error(state, first, EventFailure::NoSite(left_out)));
        }
        for (name, why) in left_out {
            sink.warn(&format!("{name} is not probed: {why}"));
            self.result.partial("some places could not be probed");
        }
        sink.progress("");
        sink.attached(there, processes.values().map(Vec::len).sum());
        self.result.one_by_one = true;
        Ok(Stops {
            session,
            places: places.into_iter().map(|(place, _)| place).collect(),
            files,
            watches,
            processes,
            handlers,
            calls: Calls::default(),
            memory,
            output: Output::default(),
            programs: Programs::default(),
            max_hold: request.max_hold,
            figures: Figures {
                places: there,
                ..Figures::default()
            },
        })
    }
}

impl Session<'_> {
    /// Tells of places where a breakpoint stands already.
    fn warn_of_breakpoints(
        &mut self,
        process: &Process,
        places: &[InFile],
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        let mut memory = self.live_space(process)?;
        let mut told: Option<u64> = None;
        for place in places {
            let stands =
                left_behind::stands_at(&mut memory, place.address, &place.file, place.offset);
            if stands && told.replace(place.address) != Some(place.address) {
                sink.warn(&format!(
                    "at {} a breakpoint stands already that its file has not: it is another program's, or was left behind by one that was killed (`ytrace doctor -p {}`). Hits there may not be seen",
                    place.name,
                    process.pid()
                ));
                self.result
                    .partial("a breakpoint stood already at a place that was to be probed");
            }
        }
        Ok(())
    }
}

/// The file that each place is mapped from; without a name where that cannot be read any more.
fn files_of(process: &Process, request: &Request) -> Vec<String> {
    let maps = process.maps().unwrap_or_default();
    let file = |place: &Place| {
        let mapping = place.addresses.first().and_then(|at| maps.find(*at));
        let path = mapping.and_then(|mapping| mapping.path.as_ref());
        path.map_or_else(
            || "code that was probed".to_owned(),
            |path| path.display().to_string(),
        )
    };
    request.places.iter().map(file).collect()
}

/// How long a thread may be held where a handler, or a copy, may take so long: what comes before and after that takes time, too, and a
/// busy machine some more. At a prompt, a line may keep threads waiting for as long as a pause may take, then their handlers may take as
/// long; a line that takes longer shall not hold them for long.
fn longest_hold(max_pause: Duration, prompt: bool) -> Duration {
    let more = match prompt {
        true => Duration::from_millis(100),
        false => Duration::from_secs(1),
    };
    max_pause.saturating_mul(2).saturating_add(more)
}

/// Whether anything in a program asks for vector registers, which takes a system call more at each stop.
fn asks_for_vectors(program: &Program) -> bool {
    let functions = program.functions.iter();
    let mut instructions = functions
        .flat_map(|function| &function.blocks)
        .flat_map(|block| &block.instructions);
    instructions.any(|instruction| {
        matches!(
            instruction.kind,
            InstructionKind::Operation {
                operation: Operation::HitVector,
                ..
            }
        )
    })
}

/// Adds what one probe of the program takes.
fn make(
    state: &State<'_>,
    probe: usize,
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
    let point: &EventPoint = match &typed.point {
        ProbePoint::Event(point) => point,
        ProbePoint::Profile(_) => return Err(EventFailure::KernelOnly("`_timer.profile`")),
        _ => return Err(EventFailure::Malformed("a probe that is on no event")),
    };
    let handler = making.handlers.len();
    let values = point.entry_values.iter();
    making.handlers.push(Handler {
        function,
        entry_values: values.map(|value| FunctionId(value.0)).collect(),
    });
    match &point.site {
        EventSite::Process(event) => {
            return making.process_event(*event, handler);
        }
        EventSite::Watch {
            address,
            length,
            reads,
        } => {
            let bytes = u8::try_from(*length)
                .map_err(|_| EventFailure::Malformed("a watchpoint of a size that is none"))?;
            let access = match reads {
                true => Access::ReadWrite,
                false => Access::Write,
            };
            let watch = Watch {
                address: *address,
                bytes,
                access,
            };
            making.watch(watch, handler);
            return Ok(());
        }
        EventSite::Functions(_)
        | EventSite::Line { .. }
        | EventSite::Address(_)
        | EventSite::Static { .. } => {}
    }
    let Places {
        places,
        left_out: lacking,
    } = finder.places(point);
    if places.is_empty() && lacking.is_empty() {
        return Err(finder.no_such(point, described(point)));
    }
    if places.is_empty() {
        return Err(EventFailure::NoSite(lacking));
    }
    left_out.extend(lacking);
    let keeps = !point.entry_values.is_empty();
    for place in places {
        making.in_files.push(InFile {
            address: place.address,
            name: place.name.clone(),
            file: Arc::clone(&place.file),
            offset: place.offset,
        });
        let lost = || EventFailure::Malformed("a place that is not there");
        let (address, function) = (place.address, place.function);
        if point.at_return && keeps {
            let entry = making.place(address, false, function, &place.name);
            entry.ok_or_else(lost)?.keep.push(handler);
        }
        let hit = making.place(address, point.at_return, function, &place.name);
        hit.ok_or_else(lost)?.run.push((handler, place.arguments));
    }
    Ok(())
}
