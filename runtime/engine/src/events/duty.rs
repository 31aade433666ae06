//! Probes that are in their places for a part of the time only (`--duty`): short windows at random phases, and nothing in the target between them.
//!
//! The time that it takes to put probes in place and to take them away is of the share that is allowed, for some of them are in place then. So what comes
//! after a window is as long as what the window has cost demands. The random part of it, and that of the time before the first one, keeps windows
//! from falling on the same phase of what the target does periodically.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use ytrace_target::Process;
use ytrace_target::events::ProbeId;

use super::Events;
use super::follow::counted;
use crate::host::Sink;
use crate::session::{Session, State};

/// How long a window is, unless putting probes in place takes long, or much comes in it.
const WINDOW: Duration = Duration::from_millis(10);
/// A window is so many times as long as it takes to put the probes in place and to take them away, for that sees nothing.
const WORTH: u32 = 2;
/// The shortest and the longest window.
const SHORTEST: Duration = Duration::from_micros(500);
const LONGEST: Duration = Duration::from_secs(1);

/// When probes have watched the target.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watching {
    /// When they began and when they ended, in nanoseconds of the monotonic clock.
    begun: Option<u64>,
    ended: Option<u64>,
    /// Nanoseconds of the windows that are over.
    before: u64,
    /// When the window began that is not over.
    since: Option<u64>,
    windows: u64,
}

impl Watching {
    /// It begins now, with a window or with none yet.
    pub(crate) fn begin(&mut self, now: u64, in_place: bool) {
        self.begun = Some(now);
        if in_place {
            self.open(now);
        }
    }

    /// A window begins.
    fn open(&mut self, now: u64) {
        self.since = Some(now);
        self.windows += 1;
    }

    /// The window is over, if there is one.
    fn shut(&mut self, now: u64) {
        if let Some(since) = self.since.take() {
            self.before += now.saturating_sub(since);
        }
    }

    /// All is over.
    pub(crate) fn end(&mut self, now: u64) {
        self.shut(now);
        self.ended = Some(now);
    }

    /// For how long probes have watched.
    pub(crate) fn watched(&self, now: u64) -> u64 {
        let open = self.since.map_or(0, |since| now.saturating_sub(since));
        self.before.saturating_add(open)
    }

    /// Over which time that is spread.
    pub(crate) fn spanned(&self, now: u64) -> u64 {
        let ended = self.ended.unwrap_or(now);
        self.begun.map_or(0, |begun| ended.saturating_sub(begun))
    }

    /// Whether it has begun and not ended.
    pub(crate) fn goes_on(&self) -> bool {
        self.begun.is_some() && self.ended.is_none()
    }

    /// How many windows there have been.
    pub(crate) fn windows(&self) -> u64 {
        self.windows
    }
}

/// The plan of the windows.
#[derive(Debug)]
pub(super) struct Duty {
    /// The share of time that is allowed, above 0 and below 1.
    share: f64,
    /// When the next window begins, or the present one ends.
    due: Instant,
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
}

impl Duty {
    /// The plan of a share in per cent; `None` where that is all of the time.
    pub(super) fn of(percent: Option<f64>) -> Option<Duty> {
        let share = percent? / 100.0;
        (share < 1.0).then(|| Duty {
            share: share.max(1e-6),
            due: Instant::now(),
            making: None,
            placing: Duration::ZERO,
            cost: Duration::ZERO,
            costs: Duration::ZERO,
            // What comes is not known yet.
            room: 2 * SHORTEST,
            sent: 0,
            seed: RandomState::new(),
            draws: 0,
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
        let whole = self.pause(self.length());
        let wait = whole * self.random();
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

    /// When the present window ends; `None` where there is none.
    fn ends(&self) -> Option<Instant> {
        self.is_open().then_some(self.due)
    }

    /// When the next window begins; `None` while there is one.
    fn begins(&self) -> Option<Instant> {
        (!self.is_open()).then_some(self.due)
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
        let whole = self.pause(self.placing + open + removing);
        // From half of it to one and a half: on average the whole.
        let wait = whole * (0.5 + self.random());
        self.due = later(Instant::now(), wait);
    }
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
                self.watched.begin(now, true);
            }
            Some(duty) => {
                events.session.suspend_probes(&probes);
                duty.begin();
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
        events.session.open();
        self.watched.open(ytrace_target::monotonic_ns());
        duty.due = Instant::now() + duty.length();
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
        self.watched.shut(ytrace_target::monotonic_ns());
        let begun = Instant::now();
        events.session.suspend_probes(&probes);
        let removing = begun.elapsed();
        let (sent, room) = (events.session.sent_bytes(), events.session.ring_bytes());
        if let Some(duty) = &mut events.duty {
            let open = duty
                .making
                .map_or(Duration::ZERO, |making| begun - making)
                .saturating_sub(duty.placing);
            duty.over(open, removing, sent.saturating_sub(duty.sent), room);
        }
        self.take_hits(events, state, Instant::now(), false, sink);
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
        let (mut taken, mut waited) = (0.0, 0.0);
        for _ in 0..500 {
            duty.making = Some(Instant::now());
            duty.placing = Duration::from_millis(1);
            duty.over(
                Duration::from_millis(10),
                Duration::from_millis(1),
                1000,
                1 << 24,
            );
            let pause = duty.begins().unwrap() - Instant::now();
            assert!(
                pause.as_secs_f64() > 0.1 && pause.as_secs_f64() < 0.36,
                "{pause:?}"
            );
            taken += 0.012;
            waited += pause.as_secs_f64();
        }
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
        watching.open(200);
        assert_eq!((watching.watched(210), watching.spanned(210)), (10, 110));
        watching.shut(220);
        watching.open(300);
        watching.end(305);
        assert_eq!((watching.watched(999), watching.spanned(999)), (25, 205));
        assert_eq!(watching.windows(), 2);
        let mut whole = Watching::default();
        whole.begin(100, true);
        assert_eq!(
            (whole.watched(150), whole.spanned(150), whole.windows()),
            (50, 50, 1)
        );
    }
}
