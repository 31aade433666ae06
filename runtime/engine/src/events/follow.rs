//! Running handlers on what the kernel sends.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use ytrace_lang::execute::Outcome;
use ytrace_target::Process;
use ytrace_target::events::{EventError, TableId};
use ytrace_values::{CapturedMemory, FaultKind, LateMemory, Machine, Memory};

use super::attach::publish;
use super::children::has_code_of;
use super::hit::{Hit, set_global};
use super::limit::SHORTEST;
use super::tier::handled;
use super::watch::Watched;
use super::{EventFigures, Events};
use crate::error::SessionError;
use crate::host::{RunHost, Sink};
use crate::interrupt;
use crate::session::{Session, State, exhausted};

/// An interrupt, or the target's end, is seen after this long at most.
const SLICE: Duration = Duration::from_millis(50);
/// After so many hits it is looked at the clock.
const BATCH: u32 = 1 << 10;

impl Session<'_> {
    /// Runs handlers as hits come, until `until`. True if nothing more will come: the target exited, the user interrupted, or a
    /// handler ended the session.
    pub(crate) fn follow_events(
        &mut self,
        events: &mut Events,
        process: &Process,
        state: &mut State<'_>,
        until: Option<Instant>,
        sink: &mut dyn Sink,
    ) -> Result<bool, SessionError> {
        // Timers and others may have changed them.
        publish(&mut events.session, &events.settled, state.store).map_err(kernel_failed)?;
        loop {
            // What came before the end counts, so this is asked first.
            let interrupted = self.interrupted();
            let ended = self.has_ended(process);
            let over = interrupted || ended;
            let now = Instant::now();
            if events.window_ends().is_some_and(|ends| over || now >= ends) {
                self.end_window(events, state, sink);
            } else if events.window_begins().is_some_and(|begins| now >= begins)
                // What else is to be done, as timers, would hold a window open. While one is, it waits.
                && !(over || until.is_some_and(|until| now >= until))
            {
                self.begin_window(events, process);
            }
            let windows = [events.window_ends(), events.window_begins()];
            let until_now = until.filter(|_| events.window_ends().is_none());
            let next = windows.into_iter().chain([until_now]).flatten().min();
            let wait = match over {
                true => now,
                false => next.map_or(now + SLICE, |next| next.min(now + SLICE)),
            };
            // What waits at an interrupt is taken when the probes are taken away.
            self.take_hits(events, state, wait, !ended, sink);
            self.settle(events, state, sink);
            self.hold_to_limit(events, process, None, sink)
                .map_err(kernel_failed)?;
            sink.flush();
            if ended && !interrupted && !state.end {
                self.note_end();
            }
            let due = events.window_ends().is_none()
                && until.is_some_and(|until| Instant::now() >= until);
            if over || state.end || due {
                // Whoever runs now reads what has been counted.
                self.merge_counts(events, state).map_err(kernel_failed)?;
                // An interrupt that has come since is the end, too: what is read by a handler that is interrupted is not whole.
                return Ok(over || state.end || self.interrupted());
            }
        }
    }

    /// Whether the target runs no more: it has exited, or is held at its exit.
    fn has_ended(&mut self, process: &Process) -> bool {
        match &mut self.command {
            Some(command) => command.look().is_some(),
            None => process.exited(),
        }
    }

    /// Takes what comes until an instant; what waits then is taken, too, unless more will be taken later.
    pub(super) fn take_hits(
        &mut self,
        events: &mut Events,
        state: &mut State<'_>,
        until: Instant,
        later: bool,
        sink: &mut dyn Sink,
    ) {
        // What a hit means depends on what the target was then, so this comes in order.
        while let Some((watched, at)) =
            self.take_hits_until_change(events, state, until, later, sink)
        {
            self.notice(events, watched, at, state, sink);
            // One that becomes another all the time does not hold up what else is due.
            if later && (Instant::now() >= until || self.interrupted()) {
                break;
            }
        }
    }

    /// The same, but no further than to where the target has become another one, and when.
    fn take_hits_until_change(
        &mut self,
        events: &mut Events,
        state: &mut State<'_>,
        until: Instant,
        later: bool,
        sink: &mut dyn Sink,
    ) -> Option<(Watched, u64)> {
        let Events {
            session,
            handlers,
            watch,
            now,
            mirrors,
            ..
        } = events;
        let mut noticed = None;
        let mut distrusted = BTreeSet::new();
        let mut taken = 0u32;
        let go_on = |state: &State<'_>| match state.end {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let mut memory = CapturedMemory::new(self.page_size);
        let (target, children) = (self.target.pid(), self.options.children);
        session.poll(until, |record| {
            taken = taken.wrapping_add(1);
            let overdue = later && taken.is_multiple_of(BATCH) && Instant::now() >= until;
            let of_target = record.pid() == target;
            match watch.watched(record.probe()) {
                None => {}
                Some(Watched::Fork) => {
                    watch.count_child();
                    if children {
                        let changes = self.names.changes();
                        watch.children.born(record.pid(), target, changes);
                    }
                    return go_on(state);
                }
                Some(Watched::End) => {
                    watch.children.ended(record.pid());
                    return go_on(state);
                }
                Some(Watched::Exec) if children && !of_target => {
                    watch.children.executed(record.pid());
                    return go_on(state);
                }
                Some(Watched::Modules) if children && !of_target => {
                    watch.children.changed(record.pid());
                    return go_on(state);
                }
                // That has been seen since.
                Some(Watched::Modules) if record.time() <= self.names.looked_up() => {
                    return go_on(state);
                }
                Some(watched) => {
                    noticed = Some((watched, record.time()));
                    return ControlFlow::Break(());
                }
            }
            let Some(handler) = handlers.get(&record.probe()) else {
                return go_on(state);
            };
            let site = usize::try_from(record.cookie()).ok();
            let (function, _) = site
                .and_then(|site| handler.sites.get(site).copied())
                .unwrap_or_default();
            let here = site.and_then(|site| handler.now.get(site).copied());
            let here = here.unwrap_or_default();
            let known = !children || of_target || {
                let (pid, names) = (record.pid(), &self.names);
                let holds = || has_code_of(pid, names.modules());
                watch.children.is_known(pid, names.changes(), holds)
            };
            if !known && handler.reading.stack {
                watch.children.count_cut();
            }
            let hit = Hit {
                record,
                reading: &handler.reading,
                stack_offset: handler.stack_offset,
                function,
                here: here.function,
                address: here.address,
                known,
            };
            hit.fill(&mut memory);
            let faulted = match now {
                None => self.run_hit(&hit, handler.function, state, &mut memory, sink),
                Some(now) => {
                    now.forget();
                    let mut late = LateMemory {
                        captured: &mut memory,
                        now,
                    };
                    self.run_hit(&hit, handler.function, state, &mut late, sink)
                }
            };
            if faulted {
                distrusted.extend(handler.removes_from.iter().copied());
            }
            match overdue {
                true => ControlFlow::Break(()),
                false => go_on(state),
            }
        });
        // A handler that did not come to its end may have left a key in a table that the kernel thinks is gone. Where the kernel cannot be
        // told, it drops hits as before.
        for mirror in distrusted
            .into_iter()
            .filter_map(|index| mirrors.get(index))
        {
            let _ = session.distrust(*mirror);
        }
        noticed
    }

    /// Runs a handler; true if it ended by a fault.
    fn run_hit(
        &mut self,
        hit: &Hit<'_>,
        function: ytrace_lang::ir::FunctionId,
        state: &mut State<'_>,
        memory: &mut dyn Memory,
        sink: &mut dyn Sink,
    ) -> bool {
        let kept = hit.set_globals(state.store);
        let mut host = RunHost::new(&self.target, &self.names, state.effects)
            .shown_on(sink)
            .with_thread_locals(&state.compiled.typed.thread_locals)
            .watching(self.watched)
            .with_hit(*hit);
        host.runs(state.compiled, function);
        state.pristine = false;
        let mut machine = Machine {
            store: state.store,
            memory,
            host: &mut host,
        };
        let outcome = state.runner.run_for_event(
            function,
            &mut machine,
            self.options,
            self.patient,
            Duration::MAX,
        );
        for (offset, size, value) in kept {
            set_global(state.store, offset, size, value);
        }
        self.tell_budget(&outcome, sink);
        if self.account(&outcome, state.compiled) {
            state.end = true;
        }
        let next = FaultKind::Next;
        matches!(&outcome.result, Err(fault) if fault.fault.kind != next)
    }

    /// Says at once that a budget has run out for the first time: the session goes on, maybe for hours.
    pub(crate) fn tell_budget(&self, outcome: &Outcome, sink: &mut dyn Sink) {
        let fault = outcome.result.as_ref().err();
        if let Some(why) = fault.and_then(|fault| exhausted(fault.fault.kind))
            && !self.result.partial.iter().any(|told| told == why)
        {
            sink.warn(&format!(
                "{why}: handlers end where they need more, which is counted; what is shown in the end is partial"
            ));
        }
    }

    /// What has come of the probes so far: hits, those lost, and at how many places.
    pub(crate) fn counts_of(&self, events: &Events) -> Result<(u64, u64, u64), SessionError> {
        let figures = figures(events)?;
        let lost = figures.lost.saturating_add(figures.evicted);
        let lost = lost.saturating_add(figures.too_deep);
        Ok((figures.hits, lost, figures.sites))
    }

    /// Takes the probes away, runs handlers on what came before, and notes what came of them.
    pub(crate) fn detach(
        &mut self,
        mut events: Events,
        state: &mut State<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        let ended = state.end;
        // Those of all probes count up to one instant; to take them away may take seconds.
        events.session.shut();
        self.watched.end(ytrace_target::monotonic_ns());
        self.note_clocks(&events);
        events.session.suspend();
        // The interrupt that ended the waiting has done its work; a further one ends this.
        interrupt::take_first(self.options.interrupt);
        self.patient = false;
        match ended {
            false => self.take_hits(&mut events, state, Instant::now(), false, sink),
            true => self.note_unhandled(&mut events),
        }
        // Nothing is counted any more, so what is added now is of one instant for all variables.
        self.merge_counts(&mut events, state)
            .map_err(kernel_failed)?;
        self.note_counts(&events);
        events.counts.give_back(state.store);
        sink.flush();
        let figures = figures(&events)?;
        self.note_events(figures, handled(events.session.tier()));
        self.note_awaited(&events, state);
        self.note_duty(&events);
        self.note_late_threads(&events.session);
        self.note_rings(&events.session);
        let lacking = |mirror: &&TableId| events.session.is_lacking(**mirror).unwrap_or(false);
        let lacking = events.mirrors.iter().filter(lacking).count();
        if lacking > 0 {
            self.result.note(format!(
                "{lacking} tables had too many keys for the kernel to drop hits by them, or a handler failed"
            ));
        }
        if let Some(process) = self.running() {
            self.note_watch(&events, &process);
            self.hold_to_limit(&mut events, &process, Some(SHORTEST), sink)
                .map_err(kernel_failed)?;
        }
        self.note_limit(&events);
        self.note_unnoticed(&events).map_err(kernel_failed)?;
        match events.session.malformed() {
            0 => {}
            number => self.result.partial(format!(
                "{number} records were not of the form that they should have"
            )),
        }
        Ok(())
    }

    /// Says how many hits have come since the session was ended, for which no handler runs any more.
    fn note_unhandled(&mut self, events: &mut Events) {
        let Events {
            session, handlers, ..
        } = events;
        let mut waiting = 0;
        session.poll(Instant::now(), |record| {
            waiting += u64::from(handlers.contains_key(&record.probe()));
            ControlFlow::Continue(())
        });
        if waiting > 0 {
            self.result.note(format!(
                "{} came when the session had been ended, and no handler ran for {}",
                counted(waiting, "hit"),
                if waiting == 1 { "it" } else { "them" }
            ));
        }
    }

    fn note_events(&mut self, figures: EventFigures, handled: &str) {
        let EventFigures {
            sites,
            hits,
            filtered,
            unsampled,
            counted: in_kernel,
            lost,
            unpaired,
            evicted,
            too_deep,
            unseen,
            table_full,
        } = figures;
        self.result.hits = Some(ytrace_report::Hits {
            places: sites,
            hits,
            dropped: filtered,
            unsampled,
            lost,
            too_deep,
            evicted,
            unpaired,
            table_full,
        });
        let mut note = format!("{} at {}", counted(hits, "hit"), counted(sites, "place"));
        for (number, what) in [
            (filtered, "dropped by conditions"),
            (unsampled, "outside of the sample"),
            (in_kernel, handled),
        ] {
            if number > 0 {
                note.push_str(&format!(
                    ", {} {what}",
                    ytrace_values::units::thousands(number)
                ));
            }
        }
        let missing = lost.saturating_add(too_deep);
        note.push_str(&format!(
            ", {} lost",
            ytrace_values::units::thousands(missing)
        ));
        if evicted > 0 {
            let pushed_out = ytrace_values::units::thousands(evicted);
            note.push_str(&format!(", {pushed_out} pushed out"));
        }
        self.result.note(note);
        if lost > 0 {
            let (were, they) = match lost {
                1 => ("was", "it"),
                _ => ("were", "they"),
            };
            self.result.partial(format!(
                "{} {were} lost: {they} came faster than could be handled",
                counted(lost, "hit")
            ));
        }
        if too_deep > 0 {
            self.result.partial(format!(
                "{too_deep} returns were not seen: the kernel follows 64 calls of a thread whose return is probed, and their threads had so many under way (--sync has no such limit)"
            ));
        }
        if evicted > 0 {
            self.result.partial(format!(
                "{} out: so many calls were under way at the same time that what was noted at their entries was gone before they returned",
                match evicted {
                    1 => "1 return was pushed".to_owned(),
                    more => format!("{} returns were pushed", ytrace_values::units::thousands(more)),
                }
            ));
        }
        if unseen > 0 {
            self.result.partial(format!(
                "{} came to no return: they were left by longjmp, an exception or a jump to another function, or too many calls were under way; this kernel has no sessions of probes (Linux 6.13), without which these are not told apart",
                counted(unseen, "call")
            ));
        }
        if unpaired > 0 {
            self.result.note(format!(
                "{unpaired} returns are left out: their calls had begun before the probes were there, or on kernels without sessions of probes, too many calls were under way"
            ));
        }
        if table_full > 0 {
            self.result.partial(format!(
                "{table_full} updates found no room in the kernel's tables"
            ));
        }
    }
}

fn kernel_failed(error: EventError) -> SessionError {
    SessionError::Event {
        place: String::new(),
        error: error.into(),
    }
}

/// What has come of all probes.
fn figures(events: &Events) -> Result<EventFigures, SessionError> {
    let mut figures = EventFigures::default();
    for (id, handler) in &events.handlers {
        let totals = events.session.totals(*id).map_err(kernel_failed)?;
        figures.add(handler, &totals);
    }
    Ok(figures)
}

/// A number of things.
pub(crate) fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", ytrace_values::units::thousands(number))
}
