//! When the handlers of probes run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ytrace_lang::hir::ProbePoint;
use ytrace_target::{Held, Process, StopError};

use crate::error::SessionError;
use crate::events::{Events, Stops, counted};
use crate::host::{Effects, Sink};
use crate::options::Options;
use crate::series::Recorder;
use crate::session::{Finding, Session, State, take_effects};

impl Session<'_> {
    /// Runs the probes: `_begin`, then `_oneshot` and the timers, then `_end`.
    pub(crate) fn run_probes(
        &mut self,
        state: &mut State<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        crate::interrupt::keep_result();
        let of = |wanted: fn(&ProbePoint) -> bool| -> Vec<usize> {
            let probes = state.compiled.typed.probes.iter().enumerate();
            probes
                .filter(|(_, probe)| wanted(&probe.point))
                .map(|(index, _)| index)
                .collect()
        };
        let begin = of(|point| *point == ProbePoint::Begin);
        let oneshot = of(|point| *point == ProbePoint::Oneshot);
        let end = of(|point| *point == ProbePoint::End);
        let timers: Vec<(usize, u64)> = state
            .compiled
            .typed
            .probes
            .iter()
            .enumerate()
            .filter_map(|(index, probe)| match probe.point {
                ProbePoint::Timer(interval) => Some((index, interval)),
                _ => None,
            })
            .collect();
        let mut recorder = Recorder::new(&state.compiled.typed, &state.compiled.program);
        let launched = self.command.is_some();
        let mut events = of(|point| matches!(point, ProbePoint::Event(_) | ProbePoint::Profile(_)));
        let awaited = self.awaited(state.main, state.compiled)?;
        events.retain(|probe| Some(*probe) != awaited);
        // Handlers that are due at the same time share a view of the target, and so a pause.
        let first: &[&Vec<usize>] = match launched {
            true => &[&begin],
            false if awaited.is_some() => &[&begin],
            false => &[&begin, &oneshot],
        };
        for probes in first {
            if !state.end && !probes.is_empty() {
                self.run_handlers(state, probes, sink)?;
            }
        }
        if let (Some(awaited), Some(process), false) = (awaited, self.running(), state.end) {
            self.run_when(&process, state, awaited, &oneshot, sink)?;
        }
        let mut interrupted = false;
        match self.running() {
            _ if timers.is_empty() && events.is_empty() => {}
            None => self
                .result
                .partial("the timers did not run: the command had come to its exit (with --after they run while it does)"),
            Some(_) if state.end => {}
            Some(process) => {
                self.followed = !events.is_empty();
                let ended = |error| ended_meanwhile(&process, error);
                let mut events = match events.is_empty() {
                    true => None,
                    false if self.options.synchronous => {
                        let stops = self.attach_stops(&process, state, &events, sink);
                        let stops = stops.map_err(ended)?;
                        self.watched.begin(ytrace_target::monotonic_ns(), true);
                        Some(Attached::Stops(Box::new(stops)))
                    }
                    false => {
                        let events = self.attach(&process, state, &events, sink);
                        let events = events.map_err(ended)?;
                        Some(Attached::Kernel(Box::new(events)))
                    }
                };
                self.go_on(!oneshot.is_empty());
                let followed =
                    self.follow(&process, state, &timers, &mut events, &mut recorder, sink);
                interrupted = self.interrupted();
                match events {
                    None => {}
                    Some(Attached::Kernel(events)) => self.detach(*events, state, sink)?,
                    // What went wrong before says more than what follows from it.
                    Some(Attached::Stops(stops)) => {
                        self.watched.end(ytrace_target::monotonic_ns());
                        match self.finish_stops(*stops) {
                            Err(error) if followed.is_ok() => return Err(error),
                            _ => {}
                        }
                    }
                }
                followed?;
            }
        }
        if launched && !state.end && !oneshot.is_empty() {
            self.come_to_exit(interrupted);
            self.run_handlers(state, &oneshot, sink)?;
        }
        if self.result.error.is_some() {
            return Ok(());
        }
        // Ctrl-C is how a session with timers ends, and `_end` is there to show what it has gathered. A further one ends that.
        self.options.interrupt.store(false, Ordering::Relaxed);
        // Each of these runs, whatever the others do.
        for probe in end {
            self.run_handlers(state, &[probe], sink)?;
        }
        let recorded = recorder.finish(state.store, self.started.elapsed());
        self.result.series = recorded.series;
        self.result.notes.extend(recorded.notes);
        for reason in recorded.partial {
            self.result.partial(reason);
        }
        Ok(())
    }

    /// Lets the command go that was started for this session. Unless it is to be looked at when it exits, it is not traced any
    /// longer.
    fn go_on(&mut self, looked_at: bool) {
        if let Some(command) = &mut self.command {
            command.go();
            if !looked_at {
                command.set_free();
                // It may have come to its exit before that. What its last thread does there is an event like others.
                if let Some(Held::AtExit(_)) = command.look() {
                    command.release();
                }
            }
        }
    }

    /// Waits for the command to come to its exit after an interrupt, which it got, too, from a terminal; else it is looked at as
    /// it runs.
    fn come_to_exit(&mut self, interrupted: bool) {
        let Some(command) = &mut self.command else {
            return;
        };
        let found = match interrupted {
            true => Some(command.wait(&AtomicBool::new(true), None)),
            false => command.look(),
        };
        if let Some(Held::AtExit(_)) = found {
            self.held = Some(command.threads().to_vec());
        } else {
            command.set_free();
        }
    }

    /// Runs timers and the handlers of events until `_exit()`, Ctrl-C, the end of the time that was given, or the end of the target.
    fn follow(
        &mut self,
        process: &Process,
        state: &mut State<'_>,
        timers: &[(usize, u64)],
        events: &mut Option<Attached>,
        recorder: &mut Recorder,
        sink: &mut dyn Sink,
    ) -> Result<(), SessionError> {
        let mut agenda = Agenda::new(timers, self.options, Instant::now());
        sink.progress("");
        while !state.end {
            let at = agenda.next();
            let over = match (&mut *events, at) {
                (Some(Attached::Kernel(events)), at) => {
                    self.follow_events(events, process, state, at, sink)?
                }
                (Some(Attached::Stops(stops)), at) => self.follow_stops(stops, state, at, sink)?,
                (None, Some(at)) => self.wait_until(process, at),
                (None, None) => return Ok(()),
            };
            if over {
                break;
            }
            let due = agenda.due(Instant::now());
            // Those that are due by now share a view of the target, and so a pause.
            if !due.probes.is_empty() {
                match events {
                    Some(Attached::Stops(_)) if !process.exited() => {
                        self.run_beside_stops(state, &due.probes, sink)?;
                    }
                    _ => self.run_handlers(state, &due.probes, sink)?,
                }
                recorder.sample(&due.probes, state.store, self.started.elapsed());
            }
            if due.interim && !state.end {
                self.show_interim(state, sink);
            }
            sink.progress("");
            if due.end {
                break;
            }
            agenda.done(&due, Instant::now());
        }
        if let Some(skipped) = agenda.skipped() {
            self.result.note(skipped);
        }
        Ok(())
    }

    /// Gives what has been found so far to the sink.
    fn show_interim(&self, state: &State<'_>, sink: &mut dyn Sink) {
        let mut result = self.result.clone();
        let effects = Effects {
            // It was shown as it came.
            text: Vec::new(),
            ..state.effects.clone()
        };
        take_effects(&mut result, effects);
        self.conclude(&mut result);
        let finding = Finding {
            main: state.main,
            compiled: state.compiled,
            store: state.store,
            result: &result,
        };
        sink.interim(&finding, &self.names);
    }

    /// Waits; true if the target exited or the user interrupted before.
    pub(crate) fn wait_until(&self, process: &Process, at: Instant) -> bool {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        /// An interrupt between the check and the wait is seen after this long at most.
        const SLICE: Duration = Duration::from_millis(200);
        loop {
            if self.interrupted() || process.exited() {
                return true;
            }
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let timeout = PollTimeout::try_from(left.min(SLICE)).unwrap_or(PollTimeout::ZERO);
            // The descriptor becomes readable when the target exits. A wait that is interrupted is
            // taken up again.
            let _ = match process.pidfd() {
                Some(descriptor) => {
                    poll(&mut [PollFd::new(descriptor, PollFlags::POLLIN)], timeout)
                }
                None => poll(&mut [], timeout),
            };
        }
    }
}

/// Why probes could not be attached: what the kernel says of a process that has ended meanwhile is of no use.
fn ended_meanwhile(process: &Process, error: SessionError) -> SessionError {
    match process.exited() {
        true => StopError::Exited { pid: process.pid() }.into(),
        false => error,
    }
}

/// Probes on events in their places.
pub(crate) enum Attached {
    /// Of the kernel's.
    Kernel(Box<Events>),
    /// That stop threads.
    Stops(Box<Stops>),
}

/// What is to be done when.
pub(crate) struct Agenda {
    /// When a timer is due, its probe, and its interval. In the order of the file.
    timers: Vec<(Instant, usize, Duration)>,
    /// When what has been found so far is shown, and how often.
    interim: Option<(Instant, Duration)>,
    /// When all ends.
    end: Option<Instant>,
    /// How many rounds of timers came, and how many could not come.
    rounds: u64,
    skipped: u64,
}

/// What is due.
pub(crate) struct Due {
    /// Probes, in the order of the file.
    pub(crate) probes: Vec<usize>,
    /// Whether what has been found so far is to be shown.
    interim: bool,
    /// Whether the time is over.
    end: bool,
}

impl Agenda {
    /// The agenda of timers, which are given with their intervals in nanoseconds.
    pub(crate) fn new(timers: &[(usize, u64)], options: &Options, begun: Instant) -> Self {
        let timers = timers.iter().map(|(probe, interval)| {
            let interval = Duration::from_nanos((*interval).max(1));
            (begun + interval, *probe, interval)
        });
        Self {
            timers: timers.collect(),
            interim: options.interval.and_then(|interval| {
                let interval = interval.max(Duration::from_nanos(1));
                Some((begun.checked_add(interval)?, interval))
            }),
            // A time without end is none.
            end: options.duration.and_then(|time| begun.checked_add(time)),
            rounds: 0,
            skipped: 0,
        }
    }

    /// Says how many rounds of timers were skipped, if any were.
    pub(crate) fn skipped(&self) -> Option<String> {
        let whole = self.rounds.saturating_add(self.skipped);
        (self.skipped > 0).then(|| {
            format!(
                "{} of {} of timers were skipped: handlers took longer than the time between them, or the machine was busy (ytrace runs at low priority: nice 10)",
                ytrace_values::units::thousands(self.skipped),
                counted(whole, "round"),
            )
        })
    }

    /// When the next thing is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        let first = self.timers.iter().map(|(at, _, _)| *at).min();
        let interim = self.interim.map(|(at, _)| at);
        [first, interim, self.end].into_iter().flatten().min()
    }

    /// What is due by now.
    pub(crate) fn due(&self, now: Instant) -> Due {
        Due {
            probes: self
                .timers
                .iter()
                .filter(|(at, _, _)| *at <= now)
                .map(|(_, probe, _)| *probe)
                .collect(),
            interim: self.interim.is_some_and(|(at, _)| at <= now),
            end: self.end.is_some_and(|at| at <= now),
        }
    }

    /// Notes that it has been done.
    pub(crate) fn done(&mut self, due: &Due, now: Instant) {
        for (at, probe, interval) in &mut self.timers {
            if due.probes.contains(probe) {
                let rounds = rounds_until(*at, *interval, now);
                self.rounds += 1;
                let skipped = u64::try_from(rounds - 1).unwrap_or(u64::MAX);
                self.skipped = self.skipped.saturating_add(skipped);
                *at = after(*at, *interval, rounds);
            }
        }
        if let Some((at, interval)) = &mut self.interim
            && due.interim
        {
            *at = after(*at, *interval, rounds_until(*at, *interval, now));
        }
    }
}

/// In how many intervals a timer that was due at `at` is due next: a whole number, so that it is after `now`. A handler that takes
/// longer than its interval skips rounds.
fn rounds_until(at: Instant, interval: Duration, now: Instant) -> u128 {
    let late = now.saturating_duration_since(at).as_nanos();
    late / interval.as_nanos().max(1) + 1
}

fn after(at: Instant, interval: Duration, rounds: u128) -> Instant {
    let ahead = rounds.saturating_mul(interval.as_nanos());
    at + Duration::from_nanos(u64::try_from(ahead).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_that_were_missed_are_skipped_at_once() {
        let at = Instant::now();
        let second = Duration::from_secs(1);
        let next_round = |at, interval, now| after(at, interval, rounds_until(at, interval, now));
        assert_eq!(next_round(at, second, at), at + second);
        assert_eq!(next_round(at, second, at + second), at + 2 * second);
        assert_eq!(next_round(at, second, at + second * 7 / 2), at + 4 * second);
        // An hour late with the shortest interval: no loop over the rounds.
        let hour = Duration::from_secs(3600);
        let shortest = Duration::from_nanos(1);
        assert_eq!(next_round(at, shortest, at + hour), at + hour + shortest);
    }

    #[test]
    fn rounds_that_were_skipped_are_told() {
        let begun = Instant::now();
        let second = Duration::from_secs(1);
        let mut agenda = Agenda::new(&[(0, 1_000_000_000)], &Options::default(), begun);
        let mut at = |now: Instant| {
            let due = agenda.due(now);
            agenda.done(&due, now);
            agenda.skipped()
        };
        assert_eq!(at(begun + second), None);
        assert_eq!(at(begun + second * 2), None);
        let told = at(begun + second * 11 / 2).unwrap();
        assert!(
            told.starts_with("2 of 5 rounds of timers were skipped"),
            "{told}"
        );
    }
}
