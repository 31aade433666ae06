//! Probes that are in their places for a part of the time only (`--duty`): short windows at random phases, and nothing in the target between them.
//!
//! The time that it takes to put probes in place and to take them away is of the share that is allowed, for some of them are in place then. So what comes
//! after a window is as long as what the window has cost demands, on average: a target that is busy makes windows shorter and costlier, and so rarer.
//! How long a pause really is is drawn as the times between independent events are (exponentially), so that a window may begin at each moment of it
//! with the same chance. Then what is seen in a window stands for the average pause before it, without bias, whatever the target does
//! and whatever the lengths of windows and pauses depend on.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use ytrace_target::events::{EventError, ProbeId};
use ytrace_target::{Process, ProcessorTimes};

use super::Events;
use super::follow::counted;
use super::slowdown::{Slowdown, Windows, Work};
use crate::host::Sink;
use crate::session::{Session, State};

/// How long a window is, unless putting probes in place takes long, or much comes in it.
const WINDOW: Duration = Duration::from_millis(10);
/// A window is so many times as long as it takes to put the probes in place and to take them away, for that sees nothing.
const WORTH: u32 = 2;
/// The shortest and the longest window.
const SHORTEST: Duration = Duration::from_micros(500);
const LONGEST: Duration = Duration::from_secs(1);

/// The windows of which a script can ask how long they were: those after which it has not looked yet.
const RECENT: usize = 8;

/// A window that is over, or a sum of several, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// For how long probes watched.
    pub(crate) open: u64,
    /// For how long that stands.
    pub(crate) stands: u64,
}

/// When probes have watched the target.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watching {
    /// When they began and when they ended, in nanoseconds of the monotonic clock.
    begun: Option<u64>,
    ended: Option<u64>,
    /// The sum of the windows that are over.
    over: Window,
    /// The last of these, each at its number modulo the length of this.
    recent: [Window; RECENT],
    /// When the window began that is not over, and for how much more than itself it stands.
    since: Option<u64>,
    lead: u64,
    windows: u64,
    /// By how much the target was slower in windows.
    slowdown: Slowdown,
}

impl Watching {
    /// It begins now, with a window or with none yet.
    pub(crate) fn begin(&mut self, now: u64, in_place: bool) {
        self.begun = Some(now);
        if in_place {
            self.open(now, 0);
        }
    }

    /// A window begins, which stands for so much time before it, too.
    fn open(&mut self, now: u64, lead: u64) {
        self.since = Some(now);
        self.lead = lead;
        self.windows += 1;
        if let Some(place) = self.place(self.windows) {
            *place = Window::default();
        }
    }

    /// The window is over, if there is one, after this share of the time that it was to last.
    fn shut(&mut self, now: u64, share: f64) {
        if let Some(since) = self.since.take() {
            let open = now.saturating_sub(since);
            self.over.open += open;
            if let Some(place) = self.place(self.windows) {
                // A nanosecond tells it from one that goes on.
                place.open = open.max(1);
            }
            self.add(open.saturating_add((self.lead as f64 * share.min(1.0)) as u64));
        }
    }

    /// The last window stands for so much more time.
    fn add(&mut self, more: u64) {
        self.over.stands += more;
        if let Some(place) = self.place(self.windows) {
            place.stands += more;
        }
    }

    /// Where a window is kept, from 1.
    fn place(&mut self, window: u64) -> Option<&mut Window> {
        self.recent.get_mut((window % RECENT as u64) as usize)
    }

    /// A window that is over, or with 0 the sum of all; nothing where it is not over, or too long ago.
    pub(crate) fn window(&self, window: u64) -> Window {
        let known = window <= self.windows && self.windows - window < RECENT as u64;
        match window {
            0 => self.over,
            _ if known => {
                let place = (window % RECENT as u64) as usize;
                self.recent.get(place).copied().unwrap_or_default()
            }
            _ => Window::default(),
        }
    }

    /// All is over.
    pub(crate) fn end(&mut self, now: u64) {
        self.shut(now, 1.0);
        self.ended = Some(now);
    }

    /// For how long probes have watched.
    pub(crate) fn watched(&self, now: u64) -> u64 {
        let open = self.since.map_or(0, |since| now.saturating_sub(since));
        self.over.open.saturating_add(open)
    }

    /// Over which time that is spread.
    pub(crate) fn spanned(&self, now: u64) -> u64 {
        let ended = self.ended.unwrap_or(now);
        self.begun.map_or(0, |begun| ended.saturating_sub(begun))
    }

    /// When they ended to watch, or now.
    pub(crate) fn until(&self, now: u64) -> u64 {
        self.ended.unwrap_or(now)
    }

    /// Whether it has begun and not ended.
    pub(crate) fn goes_on(&self) -> bool {
        self.begun.is_some() && self.ended.is_none()
    }

    /// How many windows there have been.
    pub(crate) fn windows(&self) -> u64 {
        self.windows
    }

    /// By how much the target was slower in windows, by those that are over.
    pub(crate) fn slowdown(&self) -> Slowdown {
        self.slowdown
    }
}

/// The plan of the windows.
#[derive(Debug)]
pub(super) struct Duty {
    /// The share of time that is allowed, above 0 and below 1.
    share: f64,
    /// When the next window begins, or the present one ends.
    due: Instant,
    /// How long the pause before it was to be on average.
    pause: Duration,
    /// How long the present one is to last.
    planned: Duration,
    /// When the present one began to be made.
    making: Option<Instant>,
    /// How long it has taken to put the probes in place, of the present window, and to do that and to take them away of the last one.
    placing: Duration,
    cost: Duration,
    /// The sum of all that.
    costs: Duration,
    /// How long a window may be so that the ring has room for what comes.
    room: Duration,
    /// The bytes of records that the session had sent before the window.
    sent: u64,
    seed: RandomState,
    draws: u64,
    /// What tells by how much the target is slower in windows; nothing where hits of others count, too.
    work: Option<Windows>,
    /// When the present window began: the target's processor times, and what all hits before had taken, in nanoseconds.
    busy: Option<ProcessorTimes>,
    spent: f64,
}

impl Duty {
    /// The plan of a share in per cent; `None` where that is all of the time.
    pub(super) fn of(percent: Option<f64>) -> Option<Duty> {
        let share = percent? / 100.0;
        (share < 1.0).then(|| Duty {
            share: share.max(1e-6),
            due: Instant::now(),
            pause: Duration::ZERO,
            planned: Duration::ZERO,
            making: None,
            placing: Duration::ZERO,
            cost: Duration::ZERO,
            costs: Duration::ZERO,
            // What comes is not known yet.
            room: 2 * SHORTEST,
            sent: 0,
            seed: RandomState::new(),
            draws: 0,
            work: None,
            busy: None,
            spent: 0.0,
        })
    }

    /// A number from 0 to 1, another one at each call.
    fn random(&mut self) -> f64 {
        self.draws += 1;
        (self.seed.hash_one(self.draws) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// How long nothing is to be watched for a window that has taken so long, on average.
    fn pause(&self, taken: Duration) -> f64 {
        taken.as_secs_f64() * (1.0 - self.share) / self.share
    }

    /// Plans the first window. What it costs is not known yet: what has put the probes in place for the first time has loaded their programs, too.
    fn begin(&mut self) {
        self.plan(self.length());
    }

    /// Plans a window after something that has taken so long.
    fn plan(&mut self, taken: Duration) {
        let whole = self.pause(taken);
        let wait = whole * -(1.0 - self.random()).ln();
        self.pause = Duration::try_from_secs_f64(whole).unwrap_or(Duration::MAX);
        self.due = later(Instant::now(), wait);
    }

    /// How long a window is.
    fn length(&self) -> Duration {
        let wanted = WINDOW.max(self.cost.saturating_mul(WORTH));
        wanted.min(self.room).clamp(SHORTEST, LONGEST)
    }

    /// Whether a window is open.
    fn is_open(&self) -> bool {
        self.making.is_some()
    }

    /// For how long it had been open at an instant.
    fn open_until(&self, end: Instant) -> Duration {
        let making = self.making.map_or(Duration::ZERO, |making| end - making);
        making.saturating_sub(self.placing)
    }

    /// When the present window ends; `None` where there is none.
    fn ends(&self) -> Option<Instant> {
        self.is_open().then_some(self.due)
    }

    /// When the next window begins; `None` while there is one.
    fn begins(&self) -> Option<Instant> {
        (!self.is_open()).then_some(self.due)
    }

    /// By how much the target has been slower in windows, when one is over; they are spread over so many nanoseconds, the target has run for so long, and hits have
    /// taken so many nanoseconds of that.
    fn slowdown(
        &mut self,
        window: Window,
        spanned: u64,
        busy: Option<ProcessorTimes>,
        spent: f64,
    ) -> Option<Slowdown> {
        let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
        let hits = (spent - self.spent).max(0.0) / 1e9;
        self.spent = spent;
        let (work, began, busy) = (self.work.as_mut()?, self.busy.take()?, busy?);
        work.add(Work {
            open: seconds(window.open),
            stands: seconds(window.stands),
            began,
            over: busy,
            hits,
        });
        Some(work.slowdown(seconds(spanned), busy))
    }

    /// What a window cost, and how many bytes of records came in it, of those that the ring has room for.
    fn over(&mut self, open: Duration, removing: Duration, bytes: u64, room: u64) {
        self.making = None;
        // Breakpoints are gone long before a link is: the kernel then waits until no processor runs its program any more, and the target does not.
        let removing = removing.min(self.placing);
        self.cost = self.placing + removing;
        self.costs += self.cost;
        // A quarter is to be filled, for the next one may bring more; a window that brings less makes the next one longer step by step.
        let quarter = room as f64 / 4.0;
        let fits = open.as_secs_f64() * quarter / (bytes.max(1) as f64);
        let fits = Duration::try_from_secs_f64(fits).unwrap_or(LONGEST);
        self.room = fits.min(4 * open.max(SHORTEST)).clamp(SHORTEST, LONGEST);
        self.plan(self.placing + open + removing);
    }
}

/// Why figures of windows are not corrected.
pub(super) fn unknown_slowdown(error: &EventError) -> String {
    format!("how much windows of --duty slow the target down is not known: {error}")
}

fn later(now: Instant, seconds: f64) -> Instant {
    let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    // A time without end is longer than anybody waits.
    now.checked_add(wait)
        .unwrap_or_else(|| now + Duration::from_secs(1 << 30))
}

impl Events {
    /// The probes of the program, without those of the session itself.
    fn of_the_program(&self) -> Vec<ProbeId> {
        self.handlers.keys().copied().collect()
    }

    /// The end of the present window, of probes that are not always in place.
    pub(super) fn window_ends(&self) -> Option<Instant> {
        self.duty.as_ref()?.ends()
    }

    /// The begin of the next window, of such probes.
    pub(super) fn window_begins(&self) -> Option<Instant> {
        self.duty.as_ref()?.begins()
    }
}

impl Session<'_> {
    /// Says that probes are in their places, or takes them away until their first window.
    pub(super) fn begin_watching(&mut self, events: &mut Events) {
        let probes = events.of_the_program();
        let now = ytrace_target::monotonic_ns();
        match &mut events.duty {
            None => {
                events.session.open();
                events.processor_time = ytrace_target::processor_time(self.target.pid());
                self.watched.begin(now, true);
            }
            Some(duty) => {
                events.session.suspend_probes(&probes);
                duty.begin();
                self.watched.slowdown = Slowdown::UNKNOWN;
                // Which of them a hit is of is not told.
                if !self.options.children && events.spent.is_some() {
                    let busy = ytrace_target::processor_times(self.target.pid());
                    duty.work = busy.map(|busy| Windows::begin(busy, ytrace_target::tick()));
                }
                self.watched.begin(ytrace_target::monotonic_ns(), false);
            }
        }
    }

    /// Begins a window.
    pub(super) fn begin_window(&mut self, events: &mut Events, process: &Process) {
        let probes = events.of_the_program();
        let Some(duty) = &mut events.duty else {
            return;
        };
        let begun = Instant::now();
        duty.making = Some(begun);
        duty.sent = events.session.sent_bytes();
        if let Err(error) = events.session.resume_probes(&probes)
            && !process.exited()
        {
            self.result.partial(format!(
                "probes could not be put in their places again: {error}"
            ));
        }
        duty.placing = begun.elapsed();
        duty.planned = duty.length();
        let lead = duty.pause.saturating_add(duty.placing).as_nanos();
        duty.busy = ytrace_target::processor_times(process.pid());
        events.session.open();
        let now = ytrace_target::monotonic_ns();
        self.watched
            .open(now, u64::try_from(lead).unwrap_or(u64::MAX));
        duty.due = Instant::now() + duty.planned;
    }

    /// Ends the window. What came in it has been handled then.
    pub(super) fn end_window(
        &mut self,
        events: &mut Events,
        state: &mut State<'_>,
        sink: &mut dyn Sink,
    ) {
        let probes = events.of_the_program();
        events.session.shut();
        let begun = Instant::now();
        let busy = ytrace_target::processor_times(self.target.pid());
        let open = events.duty.as_ref().map(|duty| duty.open_until(begun));
        let open = open.unwrap_or_default();
        // The end of all may come before that of a window: what was seen is a part of what it was to see, and stands for as little.
        let share = events.duty.as_ref().map_or(1.0, |duty| {
            open.as_secs_f64() / duty.planned.as_secs_f64().max(1e-9)
        });
        self.watched.shut(ytrace_target::monotonic_ns(), share);
        events.session.suspend_probes(&probes);
        let removing = begun.elapsed();
        self.watched
            .add(u64::try_from(removing.as_nanos()).unwrap_or(u64::MAX));
        let (sent, room) = (events.session.sent_bytes(), events.session.ring_bytes());
        if let Some(duty) = &mut events.duty {
            duty.over(open, removing, sent.saturating_sub(duty.sent), room);
        }
        let spanned = self.watched.spanned(ytrace_target::monotonic_ns());
        self.take_hits(events, state, Instant::now(), false, sink);
        // Where hits are samples, they are counted as they are read.
        self.learn_slowdown(events, busy, spanned);
    }

    /// Learns by how much the target was slower in a window that is over, when it had run for so long, and so many nanoseconds had passed.
    fn learn_slowdown(&mut self, events: &mut Events, busy: Option<ProcessorTimes>, spanned: u64) {
        let (Some(duty), Some(spent)) = (&mut events.duty, &events.spent) else {
            return;
        };
        let spent = match spent.nanoseconds(&events.session) {
            Ok(spent) => spent,
            Err(error) => {
                self.result.partial(unknown_slowdown(&error));
                self.watched.slowdown = Slowdown::UNKNOWN;
                duty.work = None;
                return;
            }
        };
        let window = self.watched.window(self.watched.windows());
        // Of a target that has ended, the last that is known stands.
        if let Some(slowdown) = duty.slowdown(window, spanned, busy, spent) {
            self.watched.slowdown = slowdown;
        }
    }

    /// Says how much was watched, where that is a part of the time.
    pub(super) fn note_duty(&mut self, events: &Events) {
        let Some(duty) = &events.duty else {
            return;
        };
        let now = ytrace_target::monotonic_ns();
        let (watched, spanned) = (self.watched.watched(now), self.watched.spanned(now));
        let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
        self.result.note(format!(
            "watched {:.3} s of {:.1} s, in {}; putting probes in place and taking them away took {:.3} s more",
            seconds(watched),
            seconds(spanned),
            counted(self.watched.windows(), "window"),
            duty.costs.as_secs_f64()
        ));
        if self.watched.windows() == 0 {
            self.result
                .partial("no window of --duty began before the end");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_followed_by_what_its_cost_demands() {
        assert!(Duty::of(None).is_none());
        assert!(Duty::of(Some(100.0)).is_none());
        let mut duty = Duty::of(Some(5.0)).unwrap();
        let (mut taken, mut waited, mut longer) = (0.0, 0.0, 0);
        for _ in 0..5000 {
            let begun = Instant::now();
            duty.making = Some(begun);
            duty.placing = Duration::from_millis(1);
            duty.over(
                Duration::from_millis(10),
                Duration::from_millis(1),
                1000,
                1 << 24,
            );
            let pause = duty.begins().unwrap().saturating_duration_since(begun);
            let mean = duty.pause.as_secs_f64();
            assert!((mean - 0.228).abs() < 1e-6, "{mean}");
            longer += u32::from(pause > duty.pause);
            taken += 0.012;
            waited += pause.as_secs_f64();
        }
        // A window may begin at each moment with the same chance: one pause in e is longer than they are on average.
        assert!((1640..2040).contains(&longer), "{longer}");
        let share = taken / (taken + waited);
        assert!((share - 0.05).abs() < 0.005, "{share}");
        assert!(!duty.is_open() && duty.ends().is_none());
    }

    #[test]
    fn a_window_is_as_long_as_the_ring_has_room() {
        let mut duty = Duty::of(Some(5.0)).unwrap();
        // What comes is not known: a short one.
        assert!(duty.length() <= 2 * SHORTEST);
        let over = |duty: &mut Duty, bytes| {
            duty.making = Some(Instant::now());
            let open = duty.length();
            duty.over(open, Duration::from_micros(100), bytes, 1 << 20);
        };
        over(&mut duty, 0);
        over(&mut duty, 0);
        over(&mut duty, 0);
        assert_eq!(duty.length(), WINDOW);
        // The whole ring in a window: the next is a quarter as long.
        over(&mut duty, 1 << 20);
        assert_eq!(duty.length(), WINDOW / 4);
        // Much time to put probes in place makes them longer.
        over(&mut duty, 0);
        duty.cost = Duration::from_millis(30);
        duty.room = LONGEST;
        assert_eq!(duty.length(), Duration::from_millis(60));
    }

    #[test]
    fn what_is_watched_is_the_sum_of_the_windows() {
        let mut watching = Watching::default();
        assert_eq!(
            (watching.watched(5), watching.spanned(5), watching.windows()),
            (0, 0, 0)
        );
        watching.begin(100, false);
        assert_eq!((watching.watched(150), watching.spanned(150)), (0, 50));
        watching.open(200, 90);
        assert_eq!((watching.watched(210), watching.spanned(210)), (10, 110));
        assert_eq!(watching.window(1), Window::default());
        watching.shut(220, 1.2);
        watching.add(3);
        let window = |open, stands| Window { open, stands };
        assert_eq!(watching.window(1), window(20, 113));
        // One that was to last twice as long stands for half of the pause.
        watching.open(300, 60);
        watching.shut(304, 0.5);
        assert_eq!(watching.window(2), window(4, 34));
        assert_eq!(watching.window(0), window(24, 147));
        watching.open(304, 0);
        watching.end(305);
        assert_eq!((watching.watched(999), watching.spanned(999)), (25, 205));
        assert_eq!(watching.windows(), 3);
        // Three are over; the first one gives way to the ninth.
        for now in 4..=RECENT as u64 {
            watching.open(400 + now, 0);
            watching.shut(401 + now, 1.0);
            assert_eq!(watching.window(1), window(20, 113));
        }
        watching.open(500, 0);
        assert_eq!(watching.window(1), Window::default());
        let mut whole = Watching::default();
        whole.begin(100, true);
        assert_eq!(
            (whole.watched(150), whole.spanned(150), whole.windows()),
            (50, 50, 1)
        );
    }
}
