//! This program's side: starting the supervisor, and asking it.

use std::ffi::CStr;
use std::time::{Duration, Instant};

use super::messages::{Figures, Order, Reply};
use super::tables::{Board, Came, MAX_ADDRESSES, MAX_MEMBERS, Tables};
use super::{
    BreakpointError, EntryState, Events, Next, Reason, Refused, Request, Stop, Subject, Totals,
    What,
};
use crate::error::StopError;
use crate::maps::Origin;
use crate::process::Process;
use crate::registers::ThreadSnapshot;
use crate::stop::already_traced;
use crate::stop::channel::{Received, Words, message};
use crate::stop::process::{Ended, SupervisorProcess, tiers};

use crate::sys;

/// The name of the supervisor.
const NAME: &CStr = c"ytrace-tracer";
/// How long the supervisor may take for what it is asked. It waits for threads for ten seconds itself.
const ANSWER: Duration = Duration::from_secs(30);
/// How long it may take to end when its channel is closed. It is never killed before it has taken everything out of the text.
const END: Duration = Duration::from_secs(30);

/// Breakpoints in a process. When this value is finished or dropped, or this program ends in whatever way, they are taken out and
/// the process goes on untraced.
#[derive(Debug)]
pub struct Session {
    supervisor: SupervisorProcess,
    board: Board,
    refused: Vec<Refused>,
    places: usize,
    watches: usize,
    vectors: bool,
    /// The number of the stop that is out.
    out: Option<u64>,
    gone: Option<Option<i32>>,
}

/// What the supervisor is to do, made before it is forked.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) pid: i32,
    /// By address and place.
    pub(super) points: Vec<Point>,
    /// Those that can be had, with their index.
    pub(super) watches: Vec<(usize, super::Watch)>,
    pub(super) places: usize,
    pub(super) events: Events,
    pub(super) children: bool,
    pub(super) vectors: bool,
    /// In nanoseconds.
    pub(super) max_hold: u64,
    /// In nanoseconds.
    pub(super) max_pause: u64,
    pub(super) hardware: bool,
}

/// An address of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    pub(super) address: u64,
    pub(super) place: u32,
    pub(super) at_return: bool,
    /// It is in memory that other processes may share.
    pub(super) shared: bool,
    /// What it is mapped from.
    pub(super) origin: Origin,
}

impl Session {
    /// Becomes the tracer of all threads of a process, sets breakpoints, and lets everything go on. What cannot be stopped at is
    /// left out, and told by [`Session::refused`].
    ///
    /// # Errors
    /// The process has gone, is this very program, or is traced by another; access is refused; too much is asked for. It runs
    /// on as before.
    pub fn start(process: &Process, request: &Request) -> Result<Session, BreakpointError> {
        if !cfg!(target_arch = "x86_64") {
            return Err(BreakpointError::Machine);
        }
        let pid = process.pid();
        if u32::try_from(pid).is_ok_and(|pid| pid == std::process::id()) {
            return Err(StopError::Ourselves { pid }.into());
        }
        if process.exited() {
            return Err(StopError::Exited { pid }.into());
        }
        if let Some(tracer) = process.tracer() {
            return Err(already_traced(pid, tracer).into());
        }
        let mut refused = Vec::new();
        let plan = plan(process, request, &mut refused)?;
        let (by_range, by_pidfd) = tiers()?;
        let no_supervisor = |errno| StopError::NoSupervisor { errno };
        let (places, watches) = (request.places.len(), request.watches.len());
        let mut board = Board::new(places.saturating_add(watches)).map_err(no_supervisor)?;
        let mut tables = Tables::new().map_err(no_supervisor)?;
        warm_up();
        // SAFETY: the supervisor's code neither allocates nor locks nor unwinds.
        let supervisor = unsafe {
            SupervisorProcess::fork(NAME, by_range, by_pidfd, END, |channel| {
                #[cfg(target_arch = "x86_64")]
                super::tracer::run(channel, &mut tables, &mut board, &plan);
                #[cfg(not(target_arch = "x86_64"))]
                let _ = (channel, &mut tables, &mut board, &plan);
            })
        };
        drop(tables);
        let mut session = Session {
            supervisor: supervisor.map_err(no_supervisor)?,
            board,
            refused,
            places,
            watches,
            vectors: request.vectors,
            out: None,
            gone: None,
        };
        match session.supervisor.receive(ANSWER) {
            Some(Reply::Started { refused }) => {
                let count = usize::try_from(refused).unwrap_or(usize::MAX);
                let found = (0..count).map_while(|index| session.board.refused.get(index));
                session
                    .refused
                    .extend(found.map(super::tables::Refusal::refused));
                Ok(session)
            }
            Some(Reply::Failed(failure)) => {
                session.end()?;
                Err(crate::stop::stop_error(pid, failure).into())
            }
            _ => Err(session.lost()),
        }
    }

    /// What could not be stopped at.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// The number of the process that traces.
    pub fn tracer(&self) -> i32 {
        self.supervisor.pid()
    }

    /// Waits for the next stop, for so long at most. A stop that is out goes on first.
    ///
    /// # Errors
    /// The supervisor was lost.
    pub fn next(&mut self, wait: Duration) -> Result<Next, BreakpointError> {
        if self.out.is_some() {
            self.resume()?;
        }
        if let Some(status) = self.gone {
            return Ok(Next::Gone { status });
        }
        match self.supervisor.wait(wait) {
            Received::Message(Reply::Stop { number }) => {
                self.out = Some(number);
                match self.stop() {
                    Some(stop) => Ok(Next::Stop(Box::new(stop))),
                    None => Err(self.lost()),
                }
            }
            Received::Message(Reply::Gone { status }) => {
                self.gone = Some(status);
                Ok(Next::Gone { status })
            }
            Received::Timeout => Ok(Next::Nothing),
            Received::Message(_) | Received::Closed => Err(self.lost()),
        }
    }

    /// Lets the thread of the last stop go on, and all that [`Session::hold`] has stopped.
    ///
    /// # Errors
    /// No stop is out, or the supervisor was lost.
    pub fn resume(&mut self) -> Result<(), BreakpointError> {
        let stop = self.out.take().ok_or(BreakpointError::NotStopped)?;
        if self.supervisor.send(&Order::Resume { stop }) {
            Ok(())
        } else {
            Err(self.lost())
        }
    }

    /// Stops all other threads of what is followed until [`Session::resume`], and tells their registers: memory is consistent
    /// then. A thread that waits inside the kernel in a way that nothing interrupts has none; it runs nothing either.
    ///
    /// # Errors
    /// No stop is out or it was held for too long; the supervisor was lost.
    pub fn hold(&mut self) -> Result<Vec<ThreadSnapshot>, BreakpointError> {
        let stop = self.out.ok_or(BreakpointError::NotStopped)?;
        self.supervisor.wake();
        self.supervisor.send(&Order::Hold { stop });
        match self.supervisor.receive(ANSWER) {
            Some(Reply::Held {
                records,
                done: true,
            }) => {
                let count = usize::try_from(records).unwrap_or(usize::MAX);
                let others = (0..count).map_while(|index| self.board.others.get(index));
                Ok(others
                    .map(|other| ThreadSnapshot {
                        tid: other.tid,
                        registers: other.known.then_some(other.registers),
                    })
                    .collect())
            }
            Some(Reply::Held { done: false, .. }) => Err(BreakpointError::NotStopped),
            _ => Err(self.lost()),
        }
    }

    /// Takes everything out, detaches, and tells how it went.
    ///
    /// # Errors
    /// The supervisor was lost.
    pub fn finish(mut self) -> Result<Totals, BreakpointError> {
        self.supervisor.wake();
        self.supervisor.send(&Order::Finish);
        let deadline = Instant::now().checked_add(ANSWER);
        let left = || match deadline {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => ANSWER,
        };
        loop {
            match self.supervisor.receive(left()) {
                Some(Reply::Totals(figures)) => {
                    let totals = self.totals(&figures);
                    self.end()?;
                    return Ok(totals);
                }
                // What was under way.
                Some(Reply::Stop { .. } | Reply::Gone { .. } | Reply::Held { .. }) => {}
                _ => return Err(self.lost()),
            }
        }
    }

    /// How it has gone so far. Each number is right for itself; `restored` is as if there were nothing to undo.
    pub fn so_far(&self) -> Totals {
        let mut words = message(&[]);
        for (index, word) in words.iter_mut().enumerate() {
            *word = self.board.figures.get(index).unwrap_or(0);
        }
        let figures = match Reply::parse(&words) {
            Some(Reply::Totals(figures)) => figures,
            // Nothing has been written yet.
            _ => Figures::default(),
        };
        Totals {
            restored: true,
            ..self.totals(&figures)
        }
    }

    fn totals(&self, figures: &Figures) -> Totals {
        let hits = |range: std::ops::Range<usize>| {
            range
                .map(|index| self.board.hits.get(index).unwrap_or(0))
                .collect::<Vec<u64>>()
        };
        Totals {
            hits: hits(0..self.places),
            watch_hits: hits(self.places..self.places.saturating_add(self.watches)),
            replaced: (0..self.places)
                .filter(|place| self.board.replaced.get(*place).is_some_and(|one| one > 0))
                .collect(),
            stops: figures.stops,
            returns_left_out: figures.returns_left_out,
            returns_unfollowed: figures.returns_unfollowed,
            returns_without_room: figures.returns_without_room,
            hardware: figures.hardware,
            text: figures.text,
            emulated: figures.emulated,
            stepped: figures.stepped,
            longest_held: Duration::from_nanos(figures.longest_held),
            overdue: figures.overdue,
            unserved: figures.unserved,
            unwatched: figures.unwatched,
            late: figures.late,
            handler_lost: figures.handler_lost,
            restarted_calls: figures.restarted_calls,
            children_let_go: figures.children_let_go,
            freezes: figures.freezes,
            long_freezes: figures.long_freezes,
            frozen: Duration::from_nanos(figures.frozen),
            longest_frozen: Duration::from_nanos(figures.longest_frozen),
            restored: figures.restored,
        }
    }

    /// The stop that the supervisor tells of; `None` for one that cannot be.
    fn stop(&self) -> Option<Stop> {
        let told = self.board.told.get(0)?;
        let index = || usize::try_from(told.number).ok();
        let what = match told.came {
            Came::Code => What::Entry { place: index()? },
            Came::Return => What::Return { place: index()? },
            Came::Watch => What::Watch { watch: index()? },
            Came::ThreadBegin => What::ThreadBegin,
            Came::ThreadEnd => What::ThreadEnd {
                status: told.number,
            },
            Came::Exec => What::Exec,
            Came::Exit => What::Exit {
                status: told.number,
            },
            Came::Signal => What::Signal {
                number: told.number,
            },
            Came::Nowhere => return None,
        };
        let EntryState {
            time,
            registers,
            vectors,
        } = told.now;
        Some(Stop {
            what,
            pid: told.pid,
            tid: told.tid,
            time,
            deadline: told.deadline,
            registers,
            vectors: if self.vectors { vectors } else { [0; 16] },
            entry: told.has_entry.then_some(told.entry),
        })
    }

    /// Ends a supervisor that has gone or does not answer.
    fn lost(&mut self) -> BreakpointError {
        match self.end() {
            Ok(()) => BreakpointError::TracerLost { text: self.text() },
            Err(error) => error,
        }
    }

    /// Has the supervisor take everything out and end. While there are breakpoints in the text it is not killed: the target would
    /// be ended by them.
    fn end(&mut self) -> Result<(), BreakpointError> {
        let board = &self.board;
        let needed = || board.text.get(0).unwrap_or(0) > 0;
        match self.supervisor.end_unless(needed)? {
            Ended::Gone => Ok(()),
            Ended::Left => Err(BreakpointError::TracerLeft {
                tracer: self.supervisor.pid(),
                text: self.text(),
            }),
        }
    }

    /// How many addresses are changed in the text, as far as is known.
    fn text(&self) -> u64 {
        self.board.text.get(0).unwrap_or(0)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // There is nobody to be told; one that is left goes on by itself.
        let _ = self.end();
    }
}

/// Sorts out what can be stopped at.
fn plan(
    process: &Process,
    request: &Request,
    refused: &mut Vec<Refused>,
) -> Result<Plan, BreakpointError> {
    let maps = process.maps()?;
    let asked = request.places.iter().fold(0usize, |sum, place| {
        sum.saturating_add(place.addresses.len())
    });
    if asked > MAX_MEMBERS {
        return Err(BreakpointError::TooMany {
            asked,
            limit: MAX_MEMBERS,
        });
    }
    let mut refuse = |subject, address, reason| {
        refused.push(Refused {
            subject,
            address,
            reason,
        });
    };
    let mut points = Vec::with_capacity(asked);
    for (index, place) in request.places.iter().enumerate() {
        for &address in &place.addresses {
            let mapping = maps.find(address);
            match mapping.filter(|mapping| mapping.permissions.execute) {
                Some(mapping) => points.push(Point {
                    address,
                    place: u32::try_from(index).unwrap_or(u32::MAX),
                    at_return: place.at_return,
                    shared: mapping.permissions.shared,
                    origin: mapping.origin(address),
                }),
                None => refuse(Subject::Place(index), address, Reason::NoCode),
            }
        }
    }
    points.sort_unstable();
    points.dedup();
    let distinct = points
        .chunk_by(|one, other| one.address == other.address)
        .count();
    // As many returns again need room.
    let limit = MAX_ADDRESSES / 2;
    if distinct > limit {
        return Err(BreakpointError::TooMany {
            asked: distinct,
            limit,
        });
    }
    let mut watches = Vec::new();
    for (index, watch) in request.watches.iter().enumerate() {
        let bytes = u64::from(watch.bytes);
        if !matches!(bytes, 1 | 2 | 4 | 8) || !watch.address.is_multiple_of(bytes) {
            refuse(Subject::Watch(index), watch.address, Reason::Alignment);
        } else if watches.len() == super::tables::SLOTS {
            refuse(Subject::Watch(index), watch.address, Reason::TooMany);
        } else {
            watches.push((index, *watch));
        }
    }
    let forbidden = sys::forbidden(sys::HARDWARE_BREAKPOINTS);
    let hardware = !forbidden.map_err(|word| StopError::UnknownTier { word })?;
    Ok(Plan {
        pid: process.pid(),
        points,
        watches,
        places: request.places.len(),
        events: request.events,
        children: request.children,
        vectors: request.vectors,
        max_hold: sys::nanoseconds(request.max_hold),
        max_pause: sys::nanoseconds(request.max_pause),
        hardware,
    })
}

/// Has the decoder of instructions make its tables, which it does once, and which the supervisor could not.
fn warm_up() {
    #[cfg(target_arch = "x86_64")]
    super::emulate::warm_up();
}
