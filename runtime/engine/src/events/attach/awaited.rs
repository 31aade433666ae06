//! Functions that no module has yet: they are probed when a library is loaded that has them.

use std::collections::BTreeSet;

use ytrace_lang::check::misfit;
use ytrace_lang::hir::{AwaitedFunctions, EventFunction, EventPoint, EventSite, ProbePoint};
use ytrace_lang::target::{NameKind, Scope, SymbolSource};
use ytrace_lang::types::Types;
use ytrace_target::monotonic_ns;
use ytrace_values::units;

use super::super::Events;
use super::super::costs::Expected;
use super::super::sites::Finder;
use super::{Making, Plans, described, refused_places};
use crate::host::Sink;
use crate::names::Changes;
use crate::session::{Session, State};

/// Why a copy of a function that came later is not probed.
const COPY_TOO_LATE: &str = "it is a copy that the compiler made for some callers, whose parameters were not known when the probe was made: run again, now that the library is loaded";
/// So many libraries are named of those that came later.
const SHOWN: usize = 5;

/// The probes that wait for functions, and what the kernel is told of them.
#[derive(Default)]
pub(in crate::events) struct Awaited {
    probes: Vec<(usize, Plans)>,
    /// When the dynamic linker told first of changes that have not been looked at, in nanoseconds of the monotonic clock.
    since: Option<u64>,
    /// How often it has told of these.
    told: usize,
    /// The libraries that were probed after they had been loaded.
    late: BTreeSet<String>,
    /// How long after, in nanoseconds: the longest.
    latest: u64,
    /// Whether libraries may have come and gone unseen.
    unseen: bool,
    /// The probes of which something came.
    come: BTreeSet<usize>,
}

impl Awaited {
    pub(super) fn of(state: &State<'_>, probes: &[usize], plans: Vec<Plans>) -> Self {
        let waits = |probe: &usize| {
            let probe = state.compiled.typed.probes.get(*probe);
            matches!(probe.map(|probe| &probe.point), Some(ProbePoint::Event(point)) if point.awaited.is_some())
        };
        let probes = probes.iter().copied().zip(plans);
        Self {
            probes: probes.filter(|(probe, _)| waits(probe)).collect(),
            ..Self::default()
        }
    }

    /// Takes note that the dynamic linker has told of a change.
    pub(in crate::events) fn told(&mut self, at: u64) {
        self.since.get_or_insert(at);
        self.told += 1;
    }

    /// Since when a library may have been there that is found now; `before` is when the modules were looked up the last time.
    pub(in crate::events) fn since(&self, before: u64) -> u64 {
        self.since.unwrap_or(before)
    }

    /// Takes note that what has been told so far was looked at.
    pub(in crate::events) fn looked(&mut self, changes: &Changes) {
        // Each load and each unload is told twice, before and after; a look in between leaves one of these for the next.
        let explained = 2 * (changes.come.len() + changes.gone.len()) + 1;
        self.unseen |= self.told > explained;
        (self.since, self.told) = (None, 0);
    }
}

impl Session<'_> {
    /// Puts probes on functions of modules that have come since. `since` is when these may have come, in nanoseconds of the monotonic clock;
    /// `None` if that was before hits count.
    pub(in crate::events) fn attach_awaited(
        &mut self,
        events: &mut Events,
        state: &State<'_>,
        come: &[usize],
        since: Option<u64>,
        sink: &mut dyn Sink,
    ) {
        if come.is_empty() || events.awaited.probes.is_empty() {
            return;
        }
        let mut making = Making {
            settled: events.settled.clone(),
            mirrors: events.mirrored.clone(),
            counted: events.counts.tables(),
            // A library that comes back has its probes still: they are on the file.
            placed: std::mem::take(&mut events.placed),
            ..Making::default()
        };
        let mut left_out = Vec::new();
        for (probe, plans) in &events.awaited.probes {
            let point = state.compiled.typed.probes.get(*probe);
            let Some(ProbePoint::Event(point)) = point.map(|probe| &probe.point) else {
                continue;
            };
            let Some(function) = state.compiled.program.probes.get(*probe).copied() else {
                continue;
            };
            let types = &state.compiled.typed.types;
            let Some(point) = self.awaited_point(point, come, types) else {
                continue;
            };
            events.awaited.come.insert(*probe);
            // Why is told of each.
            if matches!(&point.site, EventSite::Functions(functions) if functions.is_empty()) {
                left_out.extend(point.left_out);
                continue;
            }
            let mut finder = Finder::new(&self.names);
            let made = self.make_on_places(
                state,
                function,
                &point,
                plans,
                &mut finder,
                &mut making,
                &mut left_out,
            );
            if let Err(error) = made {
                left_out.push((described(&point), error.to_string()));
            }
        }
        events.placed = making.placed;
        making.dangers.warn(sink);
        let sites: usize = making.names.iter().map(Vec::len).sum();
        if sites > 0 {
            match events.session.attach(making.probes.clone()) {
                Ok(attachment) => {
                    if let Some(spent) = &mut events.spent {
                        let made = Expected::all(&making.probes, &making.stepped);
                        spent.add(attachment.probes.iter().copied(), made);
                    }
                    // Before the probes were there, hits went by without being counted.
                    if let Some(since) = since {
                        let late = monotonic_ns().saturating_sub(since);
                        let awaited = &mut events.awaited;
                        awaited.latest = awaited.latest.max(late);
                        let files = making.handlers.iter().flat_map(|handler| &handler.sites);
                        let modules = self.names.modules();
                        let files = files
                            .filter_map(|(_, address)| self.names.module_at(*address))
                            .filter_map(|module| Some(modules.get(module)?.file_name.clone()));
                        awaited.late.extend(files);
                    }
                    let refused = refused_places(&attachment, &making.names, &mut making.handlers);
                    let handlers = attachment.probes.into_iter().zip(making.handlers);
                    events.handlers.extend(handlers);
                    let modules = self.names.modules();
                    let names = come.iter().filter_map(|module| modules.get(*module));
                    let names: Vec<&str> = names.map(|module| module.file_name.as_str()).collect();
                    let attached = sites.saturating_sub(attachment.refused.len());
                    sink.more_attached(attached, &names.join(", "));
                    left_out.extend(refused);
                }
                Err(error) => left_out.push(("what was waited for".to_owned(), error.to_string())),
            }
        }
        for (name, why) in left_out {
            sink.warn(&format!("{name} is not probed: {why}"));
            self.result.partial("some places could not be probed");
        }
    }

    /// What of a point is in modules that have come since.
    fn awaited_point(
        &mut self,
        point: &EventPoint,
        come: &[usize],
        types: &Types,
    ) -> Option<EventPoint> {
        let awaited = point.awaited.as_ref()?;
        let AwaitedFunctions { scope, name, .. } = awaited;
        let limit = self.options.max_probes;
        // What cannot be looked up is not there.
        let found = self.names.find_functions(scope, name, limit).ok()?;
        let (mut functions, mut left_out) = (Vec::new(), Vec::new());
        for (name, function) in found.functions {
            let module = function.module;
            if !come.contains(&(module.0 as usize)) {
                continue;
            }
            let names = &mut self.names;
            if let Some(why) = misfit(types, awaited, &name, function.clone(), names) {
                left_out.push((name, why));
                continue;
            }
            let own = (name, function.address, function.places.is_some());
            let copies = function.copies.into_iter();
            let copies = copies.map(|copy| (copy.name, copy.address, true));
            for (name, address, is_copy) in std::iter::once(own).chain(copies) {
                // The handler was compiled before anybody knew where a copy has its parameters.
                if is_copy && point.takes_arguments {
                    left_out.push((name, COPY_TOO_LATE.to_owned()));
                } else {
                    functions.push(EventFunction {
                        name,
                        module,
                        address,
                    });
                }
            }
        }
        (!functions.is_empty() || !left_out.is_empty()).then(|| EventPoint {
            site: EventSite::Functions(functions),
            left_out,
            ..point.clone()
        })
    }

    /// Says that a function that was waited for never came.
    fn note_absent(&mut self, scope: &Scope, name: &str) {
        let written = match &scope.prefix {
            Some(prefix) => format!("{prefix}::{name}"),
            None => name.to_owned(),
        };
        // Names of other modules are no help where one was named that did not come.
        let mut close = self.names.suggest(scope, NameKind::Symbol, name);
        close.retain(|close| close != name);
        let close: Vec<String> = close.iter().map(|close| format!("`{close}`")).collect();
        let alike = match close.is_empty() {
            true => String::new(),
            false => format!("; what is called alike: {}", close.join(", ")),
        };
        self.result.partial(format!(
            "no function `{written}` came: no library was loaded that has it, so there is no hit of it{alike}"
        ));
    }

    /// Says what may have been missed of libraries that came later.
    pub(in crate::events) fn note_awaited(&mut self, events: &Events, state: &State<'_>) {
        let Awaited {
            probes,
            late,
            latest,
            unseen,
            come,
            ..
        } = &events.awaited;
        if probes.is_empty() {
            return;
        }
        for (probe, _) in probes {
            let typed = state.compiled.typed.probes.get(*probe);
            if let Some(ProbePoint::Event(point)) = typed.map(|probe| &probe.point)
                && !come.contains(probe)
                && matches!(&point.site, EventSite::Functions(functions) if functions.is_empty())
                && let Some(AwaitedFunctions { scope, name, .. }) = &point.awaited
            {
                self.note_absent(scope, name);
            }
        }
        if !late.is_empty() {
            let shown: Vec<&str> = late.iter().take(SHOWN).map(String::as_str).collect();
            let more = match late.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            self.result.partial(format!(
                "{}{more} {} probed up to {} after being loaded: calls before that are missing, how many is not known",
                shown.join(", "),
                if late.len() == 1 { "was" } else { "were" },
                units::duration(*latest),
            ));
        }
        if *unseen {
            self.result.partial(
                "libraries may have been loaded and unloaded faster than they were looked at: calls in these are missing, how many is not known",
            );
        }
    }
}
