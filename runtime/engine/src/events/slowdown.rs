//! By how much probes slow the target down in the windows of `--duty`, so that these see less of it than there is without them.
//!
//! What a target does takes its own code the same processor time in windows as outside them. So the processor time of its own code, as windows estimate it, is
//! held against what it really took. There are two ways to tell how much of its time is that of its own code: by the timer's interrupts, that found it there or in
//! the kernel, where hits are, which is good where it runs for long; and by what hits cost, which is good where they are few. The one
//! that tells it more narrowly is taken. And nothing is slower than if each hit had held up all that it does.

use std::time::Duration;

use ytrace_target::ProcessorTimes;

/// A hit costs so many times as much in the target as in a program that does nothing else: its caches are cold, and memory is busy.
const COST: [f64; 3] = [0.8, 1.5, 4.0];
/// So many standard deviations hold the truth 19 times in 20.
const DEVIATIONS: f64 = 2.0;
/// After a hit the target's own code is slower, too, for its caches have changed: by up to this share of what the hit costs at least. In a program that allocates every
/// 0.2 µs and does nothing else it was 0.3, and in one that does so every 10 µs it was not to be seen.
const AFTER: f64 = 0.4;
/// More than that is not told.
const MOST: f64 = 1000.0;

/// How many times as long what the target did took it in windows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slowdown {
    /// The least that it may be, what is likely, and the most.
    pub(crate) least: f64,
    pub(crate) likely: f64,
    pub(crate) most: f64,
}

impl Slowdown {
    /// It was not slower.
    pub(crate) const NONE: Slowdown = Slowdown {
        least: 1.0,
        likely: 1.0,
        most: 1.0,
    };

    /// Nothing tells.
    pub(crate) const UNKNOWN: Slowdown = Slowdown {
        most: MOST,
        ..Slowdown::NONE
    };

    /// The same within bounds.
    fn within(self, least: f64, most: f64) -> Slowdown {
        Slowdown {
            least: self.least.clamp(least, most),
            likely: self.likely.clamp(least, most),
            most: self.most.clamp(least, most),
        }
    }

    /// How little it tells: how many times the least the most is.
    fn width(&self) -> f64 {
        self.most / self.least
    }
}

impl Default for Slowdown {
    fn default() -> Self {
        Self::NONE
    }
}

/// One window, in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Work {
    /// How long it was, and for how long it stands.
    pub(super) open: f64,
    pub(super) stands: f64,
    /// The processor times of the target when it began and when it was over.
    pub(super) began: ProcessorTimes,
    pub(super) over: ProcessorTimes,
    /// What hits took by what they cost at least.
    pub(super) hits: f64,
}

/// What windows tell of the slowdown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Windows {
    /// The target's processor times when they began.
    before: ProcessorTimes,
    /// The time between two interrupts of the timer, in seconds.
    tick: f64,
    /// What the hits in all of them took.
    hits: f64,
    /// The time that interrupts found the target running in them.
    sampled: f64,
    /// All that a window had, times what it stands for: time, processor time, that of hits, and what interrupts found.
    stood: f64,
    stood_ran: f64,
    stood_hits: f64,
    stood_sampled: f64,
    stood_own: f64,
}

/// A share that was counted in so many interrupts, and its standard deviation. Each is taken to have come once more either way, so that a few do not tell too much.
fn share(own: f64, sampled: f64, number: f64) -> (f64, f64) {
    let share = (own / sampled * number + 1.0) / (number + 2.0);
    (share, (share * (1.0 - share) / (number + 2.0)).sqrt())
}

impl Windows {
    /// Windows begin, and the target has run for so long; the timer interrupts at intervals of `tick`.
    pub(super) fn begin(before: ProcessorTimes, tick: Duration) -> Windows {
        Windows {
            before,
            tick: tick.as_secs_f64(),
            ..Windows::default()
        }
    }

    /// A window is over.
    pub(super) fn add(&mut self, work: Work) {
        if work.open <= 0.0 {
            return;
        }
        let times = work.stands / work.open;
        let between = |of: fn(&ProcessorTimes) -> Duration| {
            of(&work.over).saturating_sub(of(&work.began)).as_secs_f64()
        };
        let sampled = between(|times| times.sampled);
        self.hits += work.hits;
        self.sampled += sampled;
        self.stood += work.stands;
        self.stood_ran += between(|times| times.ran) * times;
        self.stood_hits += work.hits * times;
        self.stood_sampled += sampled * times;
        self.stood_own += between(|times| times.own).min(sampled) * times;
    }

    /// The slowdown, where they are spread over so many seconds and the target has run for so long.
    pub(super) fn slowdown(&self, spanned: f64, now: ProcessorTimes) -> Slowdown {
        if self.stood <= 0.0 || self.stood_hits <= 0.0 {
            return Slowdown::NONE;
        }
        let costs = COST.map(|cost| self.by_costs(cost, spanned, &now));
        let by_costs = Slowdown {
            least: costs.into_iter().fold(f64::INFINITY, f64::min),
            likely: costs[1],
            most: costs.into_iter().fold(1.0, f64::max),
        };
        let most = self.held_up(COST[2]);
        match self.by_interrupts(spanned, &now) {
            Some(found) if found.width() < by_costs.width() => found.within(1.0, most),
            _ => by_costs,
        }
    }

    /// The slowdown if each hit holds up all that the target does, where it costs so many times as much: a thread does nothing else meanwhile.
    fn held_up(&self, cost: f64) -> f64 {
        let of = |time: f64| {
            let rest = time - cost * self.stood_hits;
            if rest * MOST > time {
                time / rest
            } else {
                MOST
            }
        };
        of(self.stood).min(of(self.stood_ran)).max(1.0)
    }

    /// By what hits cost, if that is so many times as much.
    fn by_costs(&self, cost: f64, spanned: f64, now: &ProcessorTimes) -> f64 {
        let ran = now.ran.saturating_sub(self.before.ran).as_secs_f64();
        let own = (ran - cost * self.hits).max(0.0);
        let seen = (self.stood_ran - cost * self.stood_hits) * spanned / self.stood;
        let ratio = if seen > 0.0 { own / seen } else { MOST };
        ratio.clamp(1.0, self.held_up(cost))
    }

    /// By where interrupts found it.
    fn by_interrupts(&self, spanned: f64, now: &ProcessorTimes) -> Option<Slowdown> {
        let sampled = now.sampled.saturating_sub(self.before.sampled);
        let sampled = sampled.as_secs_f64();
        let own = now.own.saturating_sub(self.before.own).as_secs_f64();
        let ran = now.ran.saturating_sub(self.before.ran).as_secs_f64();
        if sampled <= 0.0 || self.stood_sampled <= 0.0 || self.stood_ran <= 0.0 {
            return None;
        }
        let (all, of_all) = share(own.min(sampled), sampled, sampled / self.tick);
        let number = self.sampled / self.tick;
        let (seen, of_seen) = share(self.stood_own, self.stood_sampled, number);
        let likely = ran * all / (self.stood_ran * spanned / self.stood * seen);
        let inexact = DEVIATIONS * (of_all / all).hypot(of_seen / seen);
        let own = self.stood_ran * seen;
        let rest = own - AFTER * self.stood_hits;
        let slower = if rest * MOST > own { own / rest } else { MOST };
        Some(Slowdown {
            least: likely / (1.0 + inexact),
            likely,
            most: likely * (1.0 + inexact) * slower,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(4);

    fn times(ran: f64, sampled: f64, own: f64) -> ProcessorTimes {
        ProcessorTimes {
            ran: Duration::from_secs_f64(ran),
            sampled: Duration::from_secs_f64(sampled),
            own: Duration::from_secs_f64(own),
        }
    }

    /// Windows of 10 ms that stand for 100 ms each, so many of them, with what the target ran and what of that was its own; and what it ran outside, all its own.
    fn windows(number: u32, ran: f64, own: f64, hits: f64, outside: f64) -> Slowdown {
        let before = times(7.0, 7.0, 5.0);
        let mut windows = Windows::begin(before, TICK);
        for _ in 0..number {
            windows.add(Work {
                open: 0.01,
                stands: 0.1,
                began: before,
                over: times(7.0 + ran * 0.01, 7.0 + ran * 0.01, 5.0 + own * 0.01),
                hits: hits * 0.01,
            });
        }
        let (inside, outside) = (f64::from(number) * 0.01, f64::from(number) * 0.09 * outside);
        let now = times(
            7.0 + ran * inside + outside,
            7.0 + ran * inside + outside,
            5.0 + own * inside + outside,
        );
        windows.slowdown(f64::from(number) * 0.1, now)
    }

    #[test]
    fn what_computes_all_the_time_is_slower_by_all_hits() {
        // Windows see 0.3 of what there is in as long a time, whatever hits are thought to cost.
        for hits in [0.2, 0.4, 0.7] {
            let found = windows(1000, 1.0, 0.3, hits, 1.0);
            let truth = (0.3 * 100.0 + 900.0) / 300.0;
            assert!((found.likely - truth).abs() < 0.1, "{found:?}");
            assert!(found.least > 2.7 && found.most > 3.3, "{found:?}");
        }
        // The fewer hits, the better it is known.
        let (few, many) = (
            windows(1000, 1.0, 0.3, 0.2, 1.0),
            windows(1000, 1.0, 0.3, 0.6, 1.0),
        );
        assert!(few.most < 4.6 && many.most > 10.0, "{few:?} {many:?}");
        // A few windows tell less.
        let found = windows(20, 1.0, 0.3, 0.4, 1.0);
        assert!(found.least < 2.4 && found.most > 3.8, "{found:?}");
        assert_eq!(windows(1000, 1.0, 1.0, 0.0, 1.0), Slowdown::NONE);
    }

    #[test]
    fn what_has_time_to_spare_is_not_slower() {
        let found = windows(1000, 0.15, 0.1, 0.03, 0.1);
        assert!((found.likely - 1.0).abs() < 0.03, "{found:?}");
        assert!(found.most < 1.14, "{found:?}");
    }

    #[test]
    fn what_is_seldom_found_running_is_slower_by_no_more_than_hits() {
        // All that is seen of it is hits, and it waits for most of the time.
        let found = windows(50, 0.02, 0.0, 0.02, 0.004);
        assert!(found.least == 1.0 && found.most < 1.1, "{found:?}");
        let found = windows(50, 1.0, 0.0, 1.0, 1.0);
        assert!(found.most <= MOST && found.least >= 1.0, "{found:?}");
    }
}
