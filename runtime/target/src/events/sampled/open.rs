//! Putting probes in their places for all threads, and taking them away.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::super::attach::is_of_a_site;
use super::super::error::EventError;
use super::super::perf::{self, Counted, Sampled, Shape};
use super::super::session::{MAX_HERTZ, Refused, Source};
use super::needs::Needs;
use super::room;
use super::state::{Known, Probed};
use super::threads::{self, Thread};
use super::{SampledSession, id};

impl SampledSession {
    /// Puts probes in their places for all threads.
    pub(super) fn put_in_place(
        &mut self,
        which: impl Fn(usize) -> bool,
    ) -> Result<Vec<Refused>, EventError> {
        self.look_for_threads();
        let threads: Vec<i32> = self.living().map(|thread| thread.tid).collect();
        if threads.is_empty() {
            return Err(match self.missed.1.take() {
                Some(error) => error,
                None => EventError::attach(Errno::ESRCH),
            });
        }
        let probes = self.state.probes.iter().enumerate();
        let probes = probes.filter(|(number, _)| which(*number));
        let events = probes.map(|(_, probe)| events_of(probe)).sum();
        threads::check_descriptors(threads.len(), events)?;
        let mut refused = Vec::new();
        for tid in threads {
            self.open_events(tid, &which, Some(&mut refused))?;
        }
        for (number, probe) in self.state.probes.iter_mut().enumerate() {
            if which(number) {
                probe.set_attached(true);
            }
        }
        // Those that began meanwhile have all of them.
        self.look_for_threads();
        Ok(refused)
    }

    pub(super) fn living(&self) -> impl Iterator<Item = &Thread> {
        self.threads.iter().filter(|thread| !thread.gone)
    }

    /// Opens the events of probes for a thread. Sites that the kernel refuses are noted where that is asked for.
    fn open_events(
        &mut self,
        tid: i32,
        which: impl Fn(usize) -> bool,
        mut refused: Option<&mut Vec<Refused>>,
    ) -> Result<(), EventError> {
        let mut threads = self.threads.iter_mut();
        let Some(thread) = threads.find(|thread| thread.tid == tid && !thread.gone) else {
            return Ok(());
        };
        let ring = thread.ring.size();
        let mut shortest: Option<u32> = None;
        let counting = self.state.open.last().copied().unwrap_or(true);
        let mut opened: Vec<(OwnedFd, Known, bool)> = Vec::new();
        let mut bad = Vec::new();
        for always in [true, false] {
            let mut events = Vec::new();
            let mut known = Vec::new();
            let probes = self.state.probes.iter().enumerate();
            let probes =
                probes.filter(|(number, probe)| which(*number) && probe.program.always == always);
            for (number, probe) in probes {
                for (site, what, on_return, cookie) in what_of(probe) {
                    let shape = shape(&probe.needs, on_return, ring);
                    if is_short(&probe.needs, on_return, ring) {
                        shortest = Some(shortest.unwrap_or(u32::MAX).min(shape.stack_bytes));
                    }
                    events.push((what, shape));
                    let counts_samples = match what {
                        Sampled::Instruction { .. } => true,
                        Sampled::Counted(Counted::PageFaults(every)) => every <= 1,
                        Sampled::Counted(Counted::Clock(_)) | Sampled::Tasks => false,
                    };
                    let one = Known {
                        probe: number,
                        on_return,
                        cookie,
                        shape,
                        counts_samples,
                        seen: 0,
                        lost: 0,
                    };
                    known.push((site, one));
                }
            }
            let enabled = always || counting;
            let results = perf::open_sampled(&events, enabled, self.tells_lost, tid);
            for (result, (site, known)) in results.into_iter().zip(known) {
                match result {
                    Ok(event) => opened.push((event, known, always)),
                    // The thread has ended.
                    Err(libc::ESRCH) => {
                        self.closer
                            .later(opened.into_iter().map(|(event, ..)| event).collect());
                        return Ok(());
                    }
                    Err(errno) if site.is_some() && is_of_a_site(errno) => {
                        bad.push((known.probe, site.unwrap_or(0), errno));
                    }
                    Err(errno) => {
                        self.closer
                            .later(opened.into_iter().map(|(event, ..)| event).collect());
                        return Err(EventError::attach(Errno::from_raw(errno)));
                    }
                }
            }
        }
        for (probe, site, errno) in bad {
            let place = self.state.probes.get_mut(probe);
            if let Some(place) = place.and_then(|probe| probe.places.get_mut(site)) {
                place.refused = true;
            }
            let one = Refused {
                probe: id(probe),
                site,
                errno,
            };
            if let Some(list) = refused.as_mut()
                && !list.contains(&one)
            {
                list.push(one);
            }
        }
        for (event, known, always) in opened {
            let number = thread.take_in(event, known.probe, always);
            let number = number.map_err(EventError::attach)?;
            self.state.known.insert(number, known);
        }
        if let Some(bytes) = shortest
            && !std::mem::replace(&mut thread.short, true)
        {
            self.rings.add_short(bytes);
        }
        Ok(())
    }

    /// Takes probes away.
    pub(super) fn take_away(&mut self, which: impl Fn(usize) -> bool) {
        let mut ended = Vec::new();
        for thread in &mut self.threads {
            ended.extend(thread.release(|event| which(event.probe)));
            thread.ask_untold();
        }
        self.closer.now(ended);
        for (number, probe) in self.state.probes.iter_mut().enumerate() {
            if which(number) {
                probe.set_attached(false);
            }
        }
        // Nobody may ask for records where none are sent: what was counted is read now.
        let probes = &self.state.probes;
        if probes
            .iter()
            .all(|probe| probe.layouts.iter().all(Option::is_none))
        {
            self.read_all();
        }
    }

    /// Finds threads that have begun, and probes them.
    pub(super) fn look_for_threads(&mut self) {
        /// Threads that begin faster than they are found are left to the next time: it is late for them anyway.
        const MOST_ROUNDS: usize = 8;
        self.looked = Some(Instant::now());
        // A thread may begin while others are looked at.
        for _ in 0..MOST_ROUNDS {
            let here: Vec<i32> = threads::numbers(self.process.pid());
            self.give_up_ended(&here);
            let known: HashSet<i32> = self.living().map(|thread| thread.tid).collect();
            let is_new = |tid: &i32| !known.contains(tid) && !self.given_up.contains(tid);
            let new: Vec<i32> = here.into_iter().filter(is_new).collect();
            // They have the same of what there is for rings.
            let ring = self.ring_for(new.len());
            let join = |tid: &i32| self.join_with(*tid, ring.clone());
            let joined = new.into_iter().filter(join).count();
            if joined == 0 {
                return;
            }
        }
    }

    /// Forgets threads that have ended, of those, too, whose rings had no room to tell that.
    fn give_up_ended(&mut self, here: &[i32]) {
        // One that executes a program has another number for a moment before it tells.
        const LONG: Duration = Duration::from_millis(100);
        let here: HashSet<i32> = here.iter().copied().collect();
        self.given_up.retain(|tid| here.contains(tid));
        for thread in self.threads.iter_mut().filter(|thread| !thread.gone) {
            let ended = !here.contains(&thread.tid) && thread.ring.waiting() == 0;
            thread.absent = match ended {
                true => thread.absent.or(Some(Instant::now())),
                false => None,
            };
            if thread.absent.is_some_and(|since| since.elapsed() > LONG) {
                thread.gone = true;
                let events = thread.release(|_| true);
                self.closer.later(events);
            }
        }
    }

    /// What the ring of each of some threads that have begun may have.
    fn ring_for(&self, coming: usize) -> Result<(u64, u64), EventError> {
        // Those of threads that have ended are there until they have been read.
        let taken = self.threads.iter().map(|thread| thread.ring.size()).sum();
        let total = u64::from(self.options.ring_bytes);
        room::ring(total, taken, self.threads.len(), coming)
    }

    /// Probes a thread that another one has told of; false if it has ended, or cannot be probed.
    pub(super) fn join(&mut self, tid: i32) -> bool {
        let joined = self.join_with(tid, self.ring_for(1));
        // One that has ended before it was found is as late as can be.
        let known = self.given_up.contains(&tid);
        if !joined && !known && self.threads.iter().all(|thread| thread.tid != tid) {
            self.late += u64::from(self.is_watched());
        }
        joined
    }

    /// Whether hits count now that are missed where a thread is not probed.
    fn is_watched(&self) -> bool {
        let counting = self.state.open.last().copied().unwrap_or(true);
        let mut probes = self.state.probes.iter();
        counting && probes.any(|probe| probe.attached && !probe.program.always)
    }

    /// Probes a thread, with such a ring.
    fn join_with(&mut self, tid: i32, ring: Result<(u64, u64), EventError>) -> bool {
        if self.given_up.contains(&tid) || self.living().any(|thread| thread.tid == tid) {
            return false;
        }
        let joined = ring.and_then(|bytes| {
            // Of those that come together the last may find none any more.
            self.ring_for(1)?;
            let joined = Thread::join(tid, bytes, &mut self.tells_lost);
            joined.map_err(|errno| EventError::system("events of a thread", errno))
        });
        match joined {
            Ok(thread) => {
                self.rings.add(thread.ring.size());
                self.threads.push(thread);
            }
            Err(EventError::System {
                errno: Errno::ESRCH,
                ..
            }) => return false,
            Err(error) => {
                self.given_up.insert(tid);
                self.miss(error);
                return false;
            }
        }
        let attached: Vec<bool> = self
            .state
            .probes
            .iter()
            .map(|probe| probe.attached)
            .collect();
        let which = |number: usize| attached.get(number).copied().unwrap_or(false);
        let watched = self.is_watched();
        match self.open_events(tid, which, None) {
            Ok(()) => {
                self.late += u64::from(watched);
                true
            }
            Err(error) => {
                self.miss(error);
                true
            }
        }
    }

    fn miss(&mut self, error: EventError) {
        self.missed.0 += 1;
        self.missed.1 = Some(error);
    }
}

/// How many events a probe has for each thread.
fn events_of(probe: &Probed) -> usize {
    what_of(probe).count()
}

/// The events of a probe: the number of the site, if it has one, what it is, whether it is at a return, and the number of the caller's. Returns come first: no
/// entry shall be without its own.
fn what_of(probe: &Probed) -> impl Iterator<Item = (Option<usize>, Sampled<'_>, bool, u32)> {
    let counted = match &probe.source {
        Source::PageFaults { every } => Some(Counted::PageFaults(*every)),
        Source::Clock { hertz } => {
            let period = 1_000_000_000 / (*hertz).clamp(1, MAX_HERTZ);
            Some(Counted::Clock(period))
        }
        _ => None,
    };
    let counted = counted.map(|counted| (None, Sampled::Counted(counted), false, 0));
    let has_return = probe.program.on_return.is_some();
    let places = probe.places.iter().enumerate();
    let places = places.filter(|(_, place)| !place.refused);
    let sites = places.flat_map(move |(site, place)| {
        let at_return = has_return.then_some(true);
        let parts = at_return.into_iter().chain([false]);
        parts.map(move |on_return| {
            (
                Some(site),
                place.sampled(on_return),
                on_return,
                place.cookie,
            )
        })
    });
    counted.into_iter().chain(sites)
}

/// What the samples of a part have, where the ring has so many bytes.
pub(super) fn shape(needs: &[Needs; 2], on_return: bool, ring: u64) -> Shape {
    let needs = of_part(needs, on_return);
    let expected = room::stack(needs.expected_stack, ring);
    Shape {
        stack_bytes: needs.least_stack.max(expected),
        registers: needs.shape.registers || needs.least_stack > 0 || expected > 0,
        ..needs.shape
    }
}

/// Whether these have a shorter stack than there might be.
fn is_short(needs: &[Needs; 2], on_return: bool, ring: u64) -> bool {
    let needs = of_part(needs, on_return);
    needs.expected_stack > 0 && room::is_short(needs.expected_stack, ring)
}

fn of_part(needs: &[Needs; 2], on_return: bool) -> Needs {
    let needs = needs.get(usize::from(on_return));
    needs.copied().unwrap_or_default()
}
