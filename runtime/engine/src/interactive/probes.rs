//! Probes that are attached from the prompt, and follow the target beside the lines that are typed.
//!
//! All runs on one thread: while nothing is typed, [`Interactive::follow`] takes what has come for a short time. The programs of the
//! probes and of the lines share one store. Each has its own layout of variables, so the values are carried over by their names
//! whenever another one's turn comes; tables and arrays stay where they are.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Instant;

use ytrace_lang::compile::Compiled;
use ytrace_lang::fragment::{self, PieceKind};
use ytrace_lang::hir::ProbePoint;
use ytrace_lang::source::SourceFile;
use ytrace_target::{Process, StopError};
use ytrace_values::constants::ContainerTypeId;
use ytrace_values::units::thousands;
use ytrace_values::{OwnPart, Store};

use super::run::{globals, word};
use super::{Answer, HowShown, Interactive, NAME, Typed};
use crate::error::SessionError;
use crate::events::Watching;
use crate::host::{Effects, Sink};
use crate::options::Mode;
use crate::program::Runner;
use crate::result::{FaultReport, RunResult};
use crate::schedule::{Agenda, Attached as Placed};
use crate::session::{Session, State};

/// The most probes that are attached at a time: each has a buffer of its own.
const MOST_PROBES: usize = 64;

/// A probe that is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeInfo {
    /// Its number.
    pub number: usize,
    /// What it waits for, as it was typed.
    pub head: String,
    /// At how many places it is; 0 of a timer.
    pub places: u64,
    /// How often that has happened.
    pub hits: u64,
    /// How many hits were lost, for they came faster than they could be handled.
    pub lost: u64,
}

/// A probe that has been taken away.
#[derive(Clone, Debug)]
pub struct Detached {
    /// Its number.
    pub number: usize,
    /// What it waited for.
    pub head: String,
    /// Why, unless that was asked for.
    pub why: Option<String>,
    /// What came of it.
    pub notes: Vec<String>,
    /// Why that is less than whole.
    pub partial: Vec<String>,
    /// Whether a handler of it faulted, or called `_error()`.
    pub faulted: bool,
}

/// A probe in its place.
pub(super) struct Attached {
    pub(super) number: usize,
    head: String,
    main: SourceFile,
    compiled: Compiled,
    runner: Runner,
    /// What its program has of its own, while others have their turn.
    part: OwnPart,
    /// The variables that it shares with lines.
    shared: Vec<Shared>,
    /// All names that it uses, with what uses them: they cannot be declared anew.
    used: HashSet<String>,
    /// The names that its handler comes to, itself or in functions and macros.
    reached: HashSet<String>,
    effects: Effects,
    result: RunResult,
    watched: Watching,
    events: Option<Placed>,
    agenda: Agenda,
    /// How often timers have run.
    rounds: u64,
    /// How often each of its faults had happened when that was told.
    told: Vec<u64>,
    /// Whether its program has ended its session: no handler runs any more.
    ended: bool,
}

impl Attached {
    /// Warns of faults that are new, or that have become ten times as many since.
    fn tell_faults(&mut self, sink: &mut dyn Sink) {
        self.told.resize(self.result.faults.len(), 0);
        for (fault, told) in self.result.faults.iter().zip(&mut self.told) {
            if fault.count >= told.saturating_mul(10).max(1) {
                *told = fault.count;
                sink.warn(&format!("probe {}: {}", self.number, often(fault)));
            }
        }
    }
}

/// A fault, its place, and how often it has happened.
fn often(fault: &FaultReport) -> String {
    let FaultReport {
        message,
        location,
        count,
        ..
    } = fault;
    match count {
        1 => format!("{message} ({location})"),
        count => format!("{message} ({location}), {} times", thousands(*count)),
    }
}

/// A variable of a probe's program that lines have, too.
struct Shared {
    name: String,
    range: Range<usize>,
    /// Its type in the probe's program, if it is a table or an array.
    container: Option<ContainerTypeId>,
}

impl Interactive<'_> {
    /// Whether any probe is attached, so that [`Interactive::follow`] has something to do.
    pub fn has_probes(&self) -> bool {
        !self.probes.is_empty()
    }

    /// Whether an attached probe notices what the target loads and executes: those of the kernel do.
    pub(super) fn is_watched(&self) -> bool {
        let mut probes = self.probes.iter();
        probes.any(|probe| matches!(probe.events, Some(Placed::Kernel(_))))
    }

    /// The probes that are attached.
    ///
    /// # Errors
    /// The kernel does not tell its counts.
    pub fn probes(&self) -> Result<Vec<ProbeInfo>, SessionError> {
        let infos = self.probes.iter().map(|attached| {
            let (hits, lost, places) = self.counts_of(attached)?;
            Ok(ProbeInfo {
                number: attached.number,
                head: attached.head.clone(),
                places,
                hits,
                lost,
            })
        });
        infos.collect()
    }

    /// Hits of a probe or runs of its timer, what was lost of them, and places.
    fn counts_of(&self, attached: &Attached) -> Result<(u64, u64, u64), SessionError> {
        match &attached.events {
            Some(Placed::Kernel(events)) => self.session.counts_of(events),
            Some(Placed::Stops(stops)) => Ok(stops.counts()),
            None => Ok((attached.rounds, 0, 0)),
        }
    }

    /// Refuses what wants to trace the target while a probe of `--sync` does: a process has one tracer.
    pub(super) fn check_no_tracer(&self, what: &str) -> Result<(), SessionError> {
        let stops = |probe: &&Attached| matches!(probe.events, Some(Placed::Stops(_)));
        match self.probes.iter().find(stops) {
            None => Ok(()),
            Some(probe) => Err(SessionError::Arguments {
                message: format!(
                    "probe {} stops threads of the target, and a process has one tracer: {what}",
                    probe.number
                ),
                hint: Some(format!("`:detach {}` takes the probe away", probe.number)),
            }),
        }
    }

    /// Puts a probe into its place.
    pub(super) fn attach(
        &mut self,
        own: &str,
        aligned: &str,
        sink: &mut dyn Sink,
    ) -> Result<Answer, SessionError> {
        if self.probes.len() >= MOST_PROBES {
            return Err(SessionError::Arguments {
                message: format!("{MOST_PROBES} probes are attached, which is the most"),
                hint: Some("`:detach N` takes one away".to_owned()),
            });
        }
        self.check_earlier(aligned)?;
        let mut part = self.compile_piece(PieceKind::Probe, aligned, sink)?;
        self.say_of(&part, sink);
        self.session.check_probe_points(&part.compiled)?;
        let Some(process) = self.session.running() else {
            return Err(SessionError::NeedsProcess {
                what: "a probe",
                place: NAME.to_owned(),
            });
        };
        if process.exited() {
            return Err(StopError::Exited { pid: process.pid() }.into());
        }
        let variables = self.earlier_variables(aligned);
        if let Some(fault) = self.initialize(&mut part, &variables, sink)? {
            return Ok(Answer {
                fault: Some(fault),
                ..Answer::default()
            });
        }
        let text = self.with_numbers(own);
        let used = self.used_by(&text, |_| true);
        let reached = self.used_by(&text, has_code);
        let Some(store) = &self.store else {
            return Err(SessionError::NoProbe);
        };
        let shared = globals(&part.compiled).filter(|global| used.contains(global.name));
        let shared = shared.map(|global| Shared {
            name: global.name.to_owned(),
            container: match global.container {
                true => {
                    let handle = store.globals.get(global.range.clone()).and_then(word);
                    handle.and_then(|handle| store.container_type(handle))
                }
                false => None,
            },
            range: global.range,
        });
        let shared = shared.collect();
        let own_part = store.own_part();
        let probes = || part.compiled.typed.probes.iter().enumerate();
        let timers: Vec<(usize, u64)> = probes()
            .filter_map(|(index, probe)| match probe.point {
                ProbePoint::Timer(interval) => Some((index, interval)),
                _ => None,
            })
            .collect();
        let waiting: Vec<usize> = probes()
            .filter(|(_, probe)| {
                matches!(probe.point, ProbePoint::Event(_) | ProbePoint::Profile(_))
            })
            .map(|(index, _)| index)
            .collect();
        let mut attached = Attached {
            number: self.numbered + 1,
            head: head_of(own),
            main: SourceFile {
                name: NAME.to_owned(),
                text: own.into(),
                library: false,
            },
            compiled: part.compiled,
            runner: part.runner,
            part: own_part,
            shared,
            used,
            reached,
            effects: Effects::default(),
            result: RunResult::default(),
            watched: Watching::default(),
            events: None,
            agenda: Agenda::new(&timers, self.session.options, Instant::now()),
            rounds: 0,
            told: Vec::new(),
            ended: false,
        };
        if !waiting.is_empty() {
            if self.session.options.synchronous {
                self.check_no_tracer("another one cannot be attached with --sync")?;
            }
            let placed = self.in_turn_of(&mut attached, |session, state, events| {
                *events = Some(match session.options.synchronous {
                    true => {
                        let stops = session.attach_stops(&process, state, &waiting, sink)?;
                        session.watched.begin(ytrace_target::monotonic_ns(), true);
                        Placed::Stops(Box::new(stops))
                    }
                    false => {
                        let events = session.attach(&process, state, &waiting, sink)?;
                        Placed::Kernel(Box::new(events))
                    }
                });
                Ok(())
            });
            if let Err(error) = placed {
                return Err(match process.exited() {
                    true => StopError::Exited { pid: process.pid() }.into(),
                    false => error,
                });
            }
        }
        self.numbered += 1;
        self.record(Typed {
            kind: PieceKind::Probe,
            text,
            number: Some(attached.number),
            names: Vec::new(),
            shown: HowShown::Nothing,
            faulted: false,
            order: 0,
        });
        let (_, _, places) = self.counts_of(&attached)?;
        let info = ProbeInfo {
            number: attached.number,
            head: attached.head.clone(),
            places,
            hits: 0,
            lost: 0,
        };
        self.probes.push(attached);
        Ok(Answer {
            attached: vec![info],
            ..Answer::default()
        })
    }

    /// Takes what has come of the probes, until an instant: their handlers run. Gives those that have ended with the target, or by
    /// themselves.
    pub fn follow(&mut self, until: Instant, sink: &mut dyn Sink) -> Vec<Detached> {
        let Some(process) = self.session.running() else {
            return Vec::new();
        };
        let mut gone = Vec::new();
        let mut left = std::mem::take(&mut self.probes);
        let mut remaining = u32::try_from(left.len()).unwrap_or(u32::MAX);
        for mut attached in left.drain(..) {
            // Each has its share of the time.
            let now = Instant::now();
            let share = until.saturating_duration_since(now) / remaining.max(1);
            remaining = remaining.saturating_sub(1);
            match self.follow_one(&mut attached, &process, now + share, sink) {
                Ok(false) => self.probes.push(attached),
                Ok(true) => {
                    let why = match (&attached.result.error, process.exited()) {
                        (Some(error), _) => format!("it called `_error()`: {error}"),
                        (None, true) => "the target has ended".to_owned(),
                        (None, false) => "it called `_exit()`".to_owned(),
                    };
                    gone.push(self.take_away(attached, Some(why), sink));
                }
                Err(error) => {
                    let why = match process.exited() {
                        true => "the target has ended".to_owned(),
                        false => error.to_string(),
                    };
                    gone.push(self.take_away(attached, Some(why), sink));
                }
            }
        }
        gone
    }

    /// True if the probe has come to its end.
    fn follow_one(
        &mut self,
        attached: &mut Attached,
        process: &Process,
        until: Instant,
        sink: &mut dyn Sink,
    ) -> Result<bool, SessionError> {
        let mut agenda = std::mem::replace(
            &mut attached.agenda,
            Agenda::new(&[], self.session.options, until),
        );
        let mut rounds = 0;
        let over = self.in_turn_of(attached, |session, state, events| {
            loop {
                let next = agenda.next().filter(|next| *next < until).unwrap_or(until);
                let over = match events {
                    Some(Placed::Kernel(events)) => {
                        session.follow_events(events, process, state, Some(next), sink)?
                    }
                    Some(Placed::Stops(stops)) => {
                        session.follow_stops(stops, state, Some(next), sink)?
                    }
                    None => session.wait_until(process, next),
                };
                let interrupted = session.interrupted();
                if over && (state.end || process.exited() || !interrupted) {
                    return Ok(true);
                }
                let due = agenda.due(Instant::now());
                if !due.probes.is_empty() && !interrupted {
                    // Handlers of timers see the target as those of `ytrace run` do.
                    let mode = std::mem::replace(&mut session.mode, Mode::Auto);
                    // An interrupt is for a line, or for the waiting.
                    (session.undisturbed, state.runner.patient) = (true, true);
                    let ran = match session.options.synchronous {
                        true => session.run_beside_stops(state, &due.probes, sink),
                        false => session.run_handlers(state, &due.probes, sink),
                    };
                    (session.undisturbed, state.runner.patient) = (false, false);
                    session.mode = mode;
                    ran?;
                    rounds += due.probes.len() as u64;
                    agenda.done(&due, Instant::now());
                }
                if state.end {
                    return Ok(true);
                }
                if interrupted || Instant::now() >= until {
                    return Ok(false);
                }
            }
        });
        attached.agenda = agenda;
        attached.rounds += rounds;
        attached.tell_faults(sink);
        // It was shown as it came.
        attached.effects = Effects::default();
        over
    }

    /// Lets a probe's program have its turn: variables are as lines have left them, and lines find them as it leaves them.
    fn in_turn_of<R>(
        &mut self,
        attached: &mut Attached,
        run: impl FnOnce(
            &mut Session<'_>,
            &mut State<'_>,
            &mut Option<Placed>,
        ) -> Result<R, SessionError>,
    ) -> Result<R, SessionError> {
        let Some(mut store) = self.store.take() else {
            return Err(SessionError::NoProbe);
        };
        let before = self.enter(attached, &mut store);
        let Attached {
            main,
            compiled,
            runner,
            effects,
            result,
            watched,
            events,
            ended,
            ..
        } = attached;
        let session = &mut self.session;
        std::mem::swap(&mut session.result, result);
        std::mem::swap(&mut session.watched, watched);
        session.followed = true;
        session.patient = true;
        let mut state = State {
            main,
            runner,
            compiled,
            store: &mut store,
            effects,
            end: *ended,
            pristine: false,
        };
        let done = run(session, &mut state, events);
        *ended = state.end;
        session.followed = false;
        std::mem::swap(&mut session.result, result);
        std::mem::swap(&mut session.watched, watched);
        self.leave(attached, &mut store, &before);
        self.store = Some(store);
        done
    }

    /// Makes a probe's program the one of the store; gives the types that containers had for the one before.
    fn enter(&self, attached: &mut Attached, store: &mut Store) -> Vec<(u64, ContainerTypeId)> {
        let mut before = Vec::new();
        store.exchange(&mut attached.part);
        for shared in &attached.shared {
            let Some(bytes) = self.values.get(&shared.name) else {
                continue;
            };
            let place = store.globals.get_mut(shared.range.clone());
            let Some(place) = place.filter(|place| place.len() == bytes.len()) else {
                continue;
            };
            place.copy_from_slice(bytes);
            if let (Some(own), Some(handle)) = (shared.container, word(bytes)) {
                before.extend(store.container_type(handle).map(|ty| (handle, ty)));
                store.retype(handle, own);
            }
        }
        before
    }

    /// Gives the store back to the program that had it before.
    fn leave(
        &mut self,
        attached: &mut Attached,
        store: &mut Store,
        before: &[(u64, ContainerTypeId)],
    ) {
        for shared in &attached.shared {
            let bytes = store.globals.get(shared.range.clone());
            if let (Some(bytes), Some(value)) = (bytes, self.values.get_mut(&shared.name))
                && bytes.len() == value.len()
            {
                value.copy_from_slice(bytes);
            }
        }
        store.exchange(&mut attached.part);
        for (handle, ty) in before {
            store.retype(*handle, *ty);
        }
    }

    /// Takes a probe away, or all; what came before is handled.
    ///
    /// # Errors
    /// There is no such probe.
    pub fn detach(
        &mut self,
        number: Option<usize>,
        sink: &mut dyn Sink,
    ) -> Result<Vec<Detached>, SessionError> {
        if self.probes.is_empty() {
            return Err(SessionError::Arguments {
                message: "no probe is attached".to_owned(),
                hint: None,
            });
        }
        if let Some(number) = number
            && !self.probes.iter().any(|probe| probe.number == number)
        {
            return Err(SessionError::Arguments {
                message: format!("there is no probe {number}"),
                hint: Some("`:probes` lists them".to_owned()),
            });
        }
        let all = std::mem::take(&mut self.probes);
        let (taken, kept): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|probe| number.is_none_or(|number| probe.number == number));
        self.probes = kept;
        let taken = taken.into_iter();
        Ok(taken
            .map(|attached| self.take_away(attached, None, sink))
            .collect())
    }

    /// Takes all probes away at the end of the session.
    pub fn finish(&mut self, sink: &mut dyn Sink) -> Vec<Detached> {
        let all = std::mem::take(&mut self.probes);
        all.into_iter()
            .map(|attached| self.take_away(attached, None, sink))
            .collect()
    }

    fn take_away(
        &mut self,
        mut attached: Attached,
        why: Option<String>,
        sink: &mut dyn Sink,
    ) -> Detached {
        let done = self.in_turn_of(&mut attached, |session, state, events| {
            match events.take() {
                Some(Placed::Kernel(events)) => session.detach(*events, state, sink),
                Some(Placed::Stops(stops)) => {
                    session.watched.end(ytrace_target::monotonic_ns());
                    session.finish_stops(*stops)
                }
                None => Ok(()),
            }
        });
        let mut partial = std::mem::take(&mut attached.result.partial);
        partial.extend(attached.result.faults.iter().map(often));
        let faulted = !attached.result.faults.is_empty() || attached.result.error.is_some();
        if let Err(error) = done {
            partial.push(error.to_string());
        }
        Detached {
            number: attached.number,
            head: attached.head,
            why,
            notes: attached.result.notes,
            partial,
            faulted,
        }
    }

    /// The names that a text uses, and those that what is declared by these uses, if its text is to be looked at.
    fn used_by(&self, text: &str, looked_at: impl Fn(&str) -> bool) -> HashSet<String> {
        let mut used = HashSet::new();
        let mut pending: Vec<String> = fragment::mentioned(text).into_iter().collect();
        while let Some(name) = pending.pop() {
            if !used.insert(name.clone()) {
                continue;
            }
            let items = self.declared.items();
            for (text, names) in items.filter(|(text, _)| looked_at(text)) {
                // A tag is declared as `struct name`; macros have no names here, and may stand for any.
                let declares = |declared: &String| {
                    *declared == name || declared.rsplit(' ').next() == Some(name.as_str())
                };
                if names.is_empty() || names.iter().any(declares) {
                    pending.extend(fragment::mentioned(text));
                }
            }
        }
        used
    }

    /// Refuses names that an attached probe uses: what it has would be another thing than what lines have.
    pub(super) fn check_unused(&self, names: &[String]) -> Result<(), SessionError> {
        let declared: HashSet<&str> = self.declared.names().collect();
        for name in names.iter().filter(|name| declared.contains(name.as_str())) {
            let bare = name.rsplit(' ').next().unwrap_or(name);
            let user = self.probes.iter().find(|probe| probe.used.contains(bare));
            if let Some(probe) = user {
                return Err(SessionError::Arguments {
                    message: format!(
                        "`{name}` is used by probe {}, and cannot be declared anew",
                        probe.number
                    ),
                    hint: Some(format!("`:detach {}` takes the probe away", probe.number)),
                });
            }
        }
        Ok(())
    }

    /// What attached probes have lost that use one of the variables that a text mentions, in words.
    pub(super) fn losses_behind(&self, text: &str) -> Result<Vec<String>, SessionError> {
        if self.probes.is_empty() {
            return Ok(Vec::new());
        }
        let mut names = self.used_by(text, has_code);
        names.retain(|name| self.values.contains_key(name));
        self.losses_of_users(&names)
    }

    /// What attached probes have lost that use one of these names, and why else what they found is not whole.
    pub(super) fn losses_of_users(
        &self,
        names: &HashSet<String>,
    ) -> Result<Vec<String>, SessionError> {
        let mut losses = Vec::new();
        let users = self.probes.iter();
        for probe in users.filter(|probe| !probe.reached.is_disjoint(names)) {
            let mut partial = probe.result.partial.clone();
            let lost = match &probe.events {
                // They say more of it.
                Some(Placed::Stops(stops)) => {
                    partial.extend(stops.losses());
                    0
                }
                _ => self.counts_of(probe)?.1,
            };
            let number = probe.number;
            if lost > 0 {
                losses.push(format!("probe {number} has lost {lost} hits"));
            }
            let reasons = partial.into_iter();
            losses.extend(reasons.map(|reason| format!("probe {number}: {reason}")));
        }
        Ok(losses)
    }
}

/// Whether a declaration may do something when its name is used: a function, or a macro.
fn has_code(text: &str) -> bool {
    text.contains('{') || text.trim_start().starts_with('#')
}

/// The head of a probe, on one line.
fn head_of(text: &str) -> String {
    let head = text.split('{').next().unwrap_or_default();
    let head = head.trim().strip_prefix("_probe").unwrap_or(head);
    head.split_whitespace().collect::<Vec<_>>().join(" ")
}
