//! What becomes of the target while it is probed: libraries that it loads and unloads, programs that it executes, children.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use ytrace_target::events::{
    Emit, EventError, EventSession, HitProgram, Probe, ProbeId, Site, Source, Step,
};
use ytrace_target::{Mapping, Process};
use ytrace_values::units;

use super::Events;
use super::children::Children;
use super::follow::counted;
use super::programs::Programs;
use crate::host::Sink;
use crate::names::{Changes, Names};
use crate::session::{Session, State};

/// How long after the begin of another program its dynamic linker is looked for.
const SETTLING: Duration = Duration::from_secs(2);

/// What a probe of the session's own tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Watched {
    /// The dynamic linker has changed its list of modules, or is about to.
    Modules,
    /// The process has begun to run another program.
    Exec,
    /// The process has forked a child.
    Fork,
    /// A process has ended, where children are probed.
    End,
}

/// The session's own probes, and what they have told.
#[derive(Default)]
pub(super) struct Watch {
    probes: HashMap<ProbeId, Watched>,
    /// The file and the place in it where the dynamic linker tells of changes.
    notifier: Option<((u32, u32), u64, u64)>,
    /// Until when the dynamic linker of another program is looked for.
    settling: Option<Instant>,
    /// The programs that were executed.
    executed: Programs,
    /// The number of the target.
    target: i32,
    forked: u64,
    /// The children, where they are probed.
    pub(super) children: Children,
}

impl Watch {
    /// Attaches the session's own probes. What the kernel refuses is not told: only the first of these errors is given. Where children are
    /// probed, all must be there that tell of them.
    pub(super) fn begin(
        session: &mut EventSession,
        names: &Names,
        target: i32,
        children: bool,
    ) -> Result<(Self, Option<EventError>), EventError> {
        let mut watch = Self {
            target,
            ..Self::default()
        };
        let mut refused = None;
        let forks = (!children).then_some((Watched::Fork, Source::Fork));
        let own = [(Watched::Exec, Source::Exec)].into_iter().chain(forks);
        for (watched, source) in own {
            match watch.add(session, watched, source) {
                Err(error) if children => return Err(error),
                Err(error) => {
                    refused.get_or_insert(error);
                }
                Ok(()) => {}
            }
        }
        if let Err(error) = watch.add_notifier(session, names) {
            refused.get_or_insert(error);
        }
        Ok((watch, refused))
    }

    /// Has children join, when the probes are in their places: what has those leave that end comes last, or the end of a process's last
    /// thread would be no hit.
    pub(super) fn begin_children(&mut self, session: &mut EventSession) -> Result<(), EventError> {
        // Children join when all that has them leave is there.
        self.add(session, Watched::End, Source::End)?;
        self.add(session, Watched::Fork, Source::Fork)
    }

    /// What a record is of, if it is of one of the session's own probes.
    pub(super) fn watched(&self, probe: ProbeId) -> Option<Watched> {
        self.probes.get(&probe).copied()
    }

    /// Whether it has been told already that the modules have changed again.
    pub(super) fn changes_wait(&self, session: &EventSession) -> bool {
        session.waits(|probe, pid| {
            let watched = self.watched(probe);
            pid == self.target && matches!(watched, Some(Watched::Modules | Watched::Exec))
        })
    }

    /// How many records of the session's own probes found no room, by what they tell.
    fn lost(&self, session: &EventSession) -> Result<BTreeMap<Watched, u64>, EventError> {
        let mut lost = BTreeMap::new();
        for (probe, watched) in &self.probes {
            let missing = session.totals(*probe)?.entry.lost;
            if missing > 0 {
                *lost.entry(*watched).or_default() += missing;
            }
        }
        Ok(lost)
    }

    /// Counts a child.
    pub(super) fn count_child(&mut self) {
        self.forked = self.forked.saturating_add(1);
    }

    fn add(
        &mut self,
        session: &mut EventSession,
        watched: Watched,
        source: Source,
    ) -> Result<(), EventError> {
        let mut program = HitProgram {
            always: true,
            ..HitProgram::default()
        };
        program.entry.step(Step::Emit(Emit::default()));
        let attachment = session.attach(vec![Probe { program, source }])?;
        let probes = attachment.probes.into_iter();
        self.probes.extend(probes.map(|probe| (probe, watched)));
        Ok(())
    }

    /// Probes where the dynamic linker tells of changes, if there is one and that is not done yet.
    fn add_notifier(
        &mut self,
        session: &mut EventSession,
        names: &Names,
    ) -> Result<(), EventError> {
        let place = names.notifier().and_then(|address| {
            let module = names.module_at(names.dated(address))?;
            let mappings = &names.modules().get(module)?.mapped.mappings;
            let mapping = mappings.iter().find(|mapping| mapping.contains(address))?;
            let offset = (address - mapping.start).checked_add(mapping.offset)?;
            Some((module, mapping.device, mapping.inode, offset))
        });
        let Some((module, device, inode, offset)) = place else {
            return Ok(());
        };
        let known = Some((device, inode, offset));
        if self.notifier == known {
            return Ok(());
        }
        let Ok(file) = names.file(module) else {
            return Ok(());
        };
        let site = Site {
            file: file.into(),
            offset,
            semaphore: None,
            cookie: 0,
        };
        self.add(session, Watched::Modules, Source::Sites(vec![site]))?;
        self.notifier = known;
        self.settling = None;
        Ok(())
    }
}

/// What it means that so many records of the session's own were lost.
fn unnoticed(watched: Watched, number: u64, children: bool) -> String {
    let (what, then) = match (watched, children) {
        (Watched::Modules, _) => (
            "libraries being loaded or unloaded",
            "functions of these may not be probed, and stacks through them wrong or cut",
        ),
        (Watched::Exec, false) => (
            "another program being executed",
            "hits in that may be missing",
        ),
        (Watched::Exec, true) => (
            "another program being executed",
            "hits in that may be missing, and children be counted that were left alone",
        ),
        (Watched::Fork, false) => ("children being forked", "there were more than are told"),
        (Watched::Fork, true) => (
            "children being forked",
            "their stacks end at the innermost function, and there were more than are told",
        ),
        (Watched::End, _) => ("children's ends", "more have ended than are told"),
    };
    let were = if number == 1 { "was" } else { "were" };
    format!(
        "{} of {what} {were} lost: {then}",
        counted(number, "record")
    )
}

impl Session<'_> {
    /// Looks at what the target has become. `at` is when that was told, in nanoseconds of the monotonic clock.
    pub(super) fn notice(
        &mut self,
        events: &mut Events,
        watched: Watched,
        at: u64,
        state: &State<'_>,
        sink: &mut dyn Sink,
    ) {
        if watched == Watched::Exec {
            match events.session.follow_exec() {
                Ok(false) => {}
                // A thread that is not the first becomes it, and the kernel's probes are for the one that was.
                Ok(true) => {
                    let blind = ytrace_target::monotonic_ns().saturating_sub(at);
                    self.result.partial(format!(
                        "another thread than the first executed another program, and what was probed was not in its first {}",
                        units::duration(i128::from(blind))
                    ));
                }
                // It may have gone already, which is told elsewhere.
                Err(_) if self.running().is_some_and(|process| process.exited()) => {}
                Err(error) => self.result.partial(format!(
                    "the target executed another program, where it could not be probed: {error}"
                )),
            }
        }
        if watched == Watched::Modules {
            events.awaited.told(at);
        }
        // Of modules that were there for so short a time that others have come since nothing can be known any more. They must not be
        // taken for those.
        if watched == Watched::Modules && events.watch.changes_wait(&events.session) {
            return;
        }
        let before = self.names.looked_up();
        let changes = self
            .names
            .look_again(|| events.watch.changes_wait(&events.session));
        if watched == Watched::Exec {
            events.watch.settling = Some(Instant::now() + SETTLING);
            // What is known of the process is of its first program.
            events.watch.executed.count(self.target.pid());
        }
        self.take_changes(events, &changes, before, state, sink);
    }

    /// What is to be done from time to time while hits are waited for.
    pub(super) fn settle(&mut self, events: &mut Events, state: &State<'_>, sink: &mut dyn Sink) {
        let Some(until) = events.watch.settling else {
            return;
        };
        if Instant::now() >= until {
            events.watch.settling = None;
        }
        let before = self.names.looked_up();
        let changes = self
            .names
            .look_again(|| events.watch.changes_wait(&events.session));
        self.take_changes(events, &changes, before, state, sink);
        // What cannot be probed leaves the modules of now.
        let added = events.watch.add_notifier(&mut events.session, &self.names);
        if let (None, Err(error)) = (events.watch.settling, added) {
            self.result.note(format!(
                "libraries that the program loads, which another one has executed, are not noticed: {error}"
            ));
        }
    }

    /// `before` is when the modules were looked up the last time.
    fn take_changes(
        &mut self,
        events: &mut Events,
        changes: &Changes,
        before: u64,
        state: &State<'_>,
        sink: &mut dyn Sink,
    ) {
        self.relocate(events, &changes.come);
        let since = Some(events.awaited.since(before));
        self.attach_awaited(events, state, &changes.come, since, sink);
        // Otherwise it has changed again meanwhile, and is looked at once more.
        if self.names.looked_up() != before {
            events.awaited.looked(changes);
        }
        if events.stacks {
            for module in &changes.come {
                self.names.prepare_stacks_of(*module);
            }
        }
    }

    /// Finds what is probed in libraries that have come back to another place.
    fn relocate(&self, events: &mut Events, come: &[usize]) {
        let modules = self.names.modules();
        for new in come.iter().filter_map(|index| modules.get(*index)) {
            let Some(place) = new.mapped.mappings.first() else {
                continue;
            };
            let gone = modules.iter().filter(|module| module.gone);
            for old in gone {
                let Some(before) = old.mapped.mappings.first() else {
                    continue;
                };
                let identity = |one: &Mapping| (one.device, one.inode, one.offset);
                if identity(before) != identity(place) || before.start == place.start {
                    continue;
                }
                let range = old.mapped.start()..old.mapped.end();
                let distance = place.start.wrapping_sub(before.start);
                let sites = events.handlers.values_mut();
                for now in sites.flat_map(|handler| &mut handler.now) {
                    if now.inode == place.inode && range.contains(&now.address) {
                        now.address = now.address.wrapping_add(distance);
                        if now.function != 0 {
                            now.function = now.function.wrapping_add(distance);
                        }
                    }
                }
            }
        }
    }

    /// Says what may have been missed of what the target has become.
    pub(super) fn note_unnoticed(&mut self, events: &Events) -> Result<(), EventError> {
        for (watched, number) in events.watch.lost(&events.session)? {
            self.result
                .partial(unnoticed(watched, number, self.options.children));
        }
        Ok(())
    }

    /// Says what the target has become.
    pub(super) fn note_watch(&mut self, events: &Events, process: &Process) {
        if self.options.children {
            self.note_children(events);
        }
        let Watch {
            executed, forked, ..
        } = &events.watch;
        match self.names.skipped_made_names() {
            0 => {}
            number => self.result.note(format!(
                "{number} lines of the list of made code (/tmp/perf-PID.map) could not be used"
            )),
        }
        match forked {
            0 => {}
            _ if self.options.children => {}
            1 => self
                .result
                .note("1 child was forked, which was not probed".to_owned()),
            number => self.result.note(format!(
                "{number} children were forked, which were not probed"
            )),
        }
        if executed.executed() == 0 {
            return;
        }
        let names = executed.shown();
        let missing = self.left_behind(events);
        // The files of one that has exited are not looked up any more.
        if missing.is_empty() || process.exited() {
            self.result.note(format!(
                "the target executed {names}; what is shown is of all its programs"
            ));
        } else {
            let missing: Vec<String> = missing.into_iter().collect();
            self.result.partial(format!(
                "the target executed {names}, which has not what was probed in {}",
                missing.join(", ")
            ));
        }
    }

    /// The files that were probed and are not mapped any more.
    fn left_behind(&self, events: &Events) -> BTreeSet<String> {
        let modules = self.names.modules();
        let sites = events.handlers.values().flat_map(|handler| &handler.sites);
        let probed: BTreeSet<usize> = sites
            .filter_map(|(_, address)| self.names.module_at(*address))
            .collect();
        let file = |module: usize| {
            let first = modules.get(module)?.mapped.mappings.first()?;
            Some((first.device, first.inode))
        };
        let here: BTreeSet<_> = (0..modules.len())
            .filter(|module| modules.get(*module).is_some_and(|module| !module.gone))
            .filter_map(file)
            .collect();
        probed
            .into_iter()
            .filter(|module| file(*module).is_some_and(|file| !here.contains(&file)))
            .filter_map(|module| Some(modules.get(module)?.file_name.clone()))
            .collect()
    }
}
