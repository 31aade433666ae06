//! What was so when: a sample is read after its hit, which must have what there was then.

use std::collections::VecDeque;

/// A value, and what it was before.
#[derive(Debug)]
pub(super) struct Dated<T> {
    /// Since when, the latest last.
    since: VecDeque<(u64, T)>,
}

impl<T: PartialEq + Default> Dated<T> {
    /// It has always been so.
    pub fn new(value: T) -> Dated<T> {
        Dated {
            since: VecDeque::from([(0, value)]),
        }
    }

    /// From now on it is so.
    pub fn set(&mut self, now: u64, value: T) {
        if self.last().is_none_or(|last| *last != value) {
            self.since.push_back((now, value));
        }
    }

    /// What it is.
    pub fn last(&self) -> Option<&T> {
        self.since.back().map(|(_, value)| value)
    }

    /// What it was at a time.
    pub fn at(&self, time: u64) -> Option<&T> {
        let then = self.since.iter().rev().find(|(since, _)| *since <= time);
        then.or(self.since.front()).map(|(_, value)| value)
    }

    /// Forgets what it was before a time.
    pub fn forget_before(&mut self, time: u64) {
        while self.since.get(1).is_some_and(|(since, _)| *since <= time) {
            self.since.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_was_then() {
        let mut dated = Dated::new(1);
        dated.set(10, 2);
        dated.set(15, 2);
        dated.set(20, 3);
        let at = |dated: &Dated<i32>, time| *dated.at(time).unwrap();
        assert_eq!(
            [0, 9, 10, 19, 20, 99].map(|time| at(&dated, time)),
            [1, 1, 2, 2, 3, 3]
        );
        dated.forget_before(19);
        assert_eq!([0, 19, 20].map(|time| at(&dated, time)), [2, 2, 3]);
        assert_eq!(dated.last(), Some(&3));
    }
}
