//! Statistical aggregates: what `_agg` keeps of the values put into it.

use crate::account::{Account, vector_bytes};
use crate::fault::Fault;
use crate::histogram::Steps;

/// Sub-buckets of a power of two in the distribution, as a binary logarithm.
const SUB_BITS: u32 = 4;

/// The most different values that an aggregate keeps one by one.
const MAX_VALUES: usize = 1024;

/// An aggregate.
///
/// The distribution keeps each value with its count, as long as there are at most [`MAX_VALUES`] different ones. After that
/// it keeps values below 32 exactly and larger ones to one part in 16, which is exact for rows of powers of two. Rows of
/// equal steps that the program is known to ask for are counted besides, so that they are always exact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aggregate {
    count: u64,
    sum: i128,
    min: i64,
    max: i64,
    /// Σv², while it fits.
    squares: Option<u128>,
    /// Welford's running mean and sum of squared differences, for when it does not.
    mean: f64,
    differences: f64,
    /// Value and count, in order of the value, or `None` when there are too many for that.
    values: Option<Vec<(i64, u64)>>,
    /// Bucket number and count, in order of the bucket; empty as long as there are `values`.
    buckets: Vec<(i16, u64)>,
    /// Counts of rows of equal steps.
    linear: Vec<LinearCounts>,
}

/// How many values lie in each row of equal steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinearCounts {
    /// The rows.
    pub steps: Steps,
    /// Row number and count, in order of the row; rows without values are left out.
    pub rows: Vec<(u16, u64)>,
    /// How many values lie below the first row.
    pub below: u64,
    /// How many values lie above the last row.
    pub above: u64,
}

/// What was kept of some values, to be put into an aggregate at once. What belongs to a value may come in several updates: its count in one,
/// its sum in the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregateUpdate {
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: i128,
    /// The least and the greatest of them, if these are known; may be of earlier values, too.
    pub extremes: Option<(i64, i64)>,
    /// The sum of their squares, if it is known.
    pub squares: Option<u128>,
    /// Their distribution: a value that stands for all of its bucket, and how many there were. Buckets are values below 32, and else those with
    /// the same highest five bits.
    pub buckets: Vec<(i64, u64)>,
    /// The rows of equal steps.
    pub linear: Vec<LinearCounts>,
}

impl Default for AggregateUpdate {
    /// Of no values.
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0,
            extremes: None,
            squares: Some(0),
            buckets: Vec::new(),
            linear: Vec::new(),
        }
    }
}

/// The numbers of an aggregate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AggregateSummary {
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: i128,
    /// The least; 0 when there is none.
    pub min: i64,
    /// The greatest; 0 when there is none.
    pub max: i64,
    /// The average, 0 when there is none.
    pub average: f64,
    /// The sample variance; 0 for fewer than two values.
    pub variance: f64,
    /// The distribution, ascending: least and greatest value of a bucket, and its count. Only
    /// buckets with values are listed.
    pub buckets: Vec<(i64, i64, u64)>,
    /// The rows of equal steps that were counted.
    pub linear: Vec<LinearCounts>,
}

impl Aggregate {
    /// An empty one that counts these rows besides.
    pub(crate) fn new(linear: &[Steps]) -> Self {
        let rows = linear.iter().map(|steps| LinearCounts {
            steps: *steps,
            rows: Vec::new(),
            below: 0,
            above: 0,
        });
        Self {
            squares: Some(0),
            values: Some(Vec::new()),
            linear: rows.collect(),
            ..Self::default()
        }
    }

    /// Adds a value so many times.
    pub(crate) fn add(
        &mut self,
        value: i64,
        times: u64,
        account: &mut Account,
    ) -> Result<(), Fault> {
        if times == 0 {
            return Ok(());
        }
        // All or nothing: where memory runs out, nothing of the value is counted.
        for counts in &mut self.linear {
            counts.make_room(value, account)?;
        }
        self.distribute(value, times, account)?;
        for counts in &mut self.linear {
            counts.add(value, times, account)?;
        }
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        } else {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
        let before = self.count as f64;
        self.count = self.count.saturating_add(times);
        self.sum = self
            .sum
            .wrapping_add(i128::from(value).wrapping_mul(i128::from(times)));
        let square = u128::from(value.unsigned_abs()).pow(2);
        self.squares = self
            .squares
            .and_then(|squares| squares.checked_add(square.checked_mul(u128::from(times))?));
        let (total, times) = (self.count as f64, times as f64);
        let delta = value as f64 - self.mean;
        self.mean += delta * times / total;
        self.differences += delta * delta * before * times / total;
        Ok(())
    }

    /// Adds a value to the distribution.
    fn distribute(&mut self, value: i64, times: u64, account: &mut Account) -> Result<(), Fault> {
        if let Some(values) = &mut self.values {
            let known = values.binary_search_by_key(&value, |entry| entry.0);
            if known.is_ok() || values.len() < MAX_VALUES {
                return count_at(values, known, value, times, account);
            }
            self.leave_values(account)?;
        }
        let bucket = bucket_of(value);
        let known = self.buckets.binary_search_by_key(&bucket, |entry| entry.0);
        count_at(&mut self.buckets, known, bucket, times, account)
    }

    /// Adds what was kept of some values. The distribution is by buckets then, unless all are of one value each. All or nothing: where memory
    /// runs out, nothing of them is added.
    pub(crate) fn merge(
        &mut self,
        more: &AggregateUpdate,
        account: &mut Account,
    ) -> Result<(), Fault> {
        self.make_room(more, account)?;
        for (value, times) in &more.buckets {
            self.distribute(*value, *times, account)?;
        }
        for counts in &more.linear {
            let Some(own) = self.linear_of(counts.steps) else {
                continue;
            };
            for (row, times) in &counts.rows {
                let known = own.rows.binary_search_by_key(row, |entry| entry.0);
                count_at(&mut own.rows, known, *row, *times, account)?;
            }
            own.below = own.below.saturating_add(counts.below);
            own.above = own.above.saturating_add(counts.above);
        }
        if let Some((min, max)) = more.extremes {
            (self.min, self.max) = match self.count {
                0 => (min, max),
                _ => (self.min.min(min), self.max.max(max)),
            };
        }
        let total = self.count.saturating_add(more.count);
        if more.count > 0 {
            // Mean and differences of two parts (Chan, Golub and LeVeque 1979).
            let (before, times) = (self.count as f64, more.count as f64);
            let mean = more.sum as f64 / times;
            let differences = match more.squares {
                Some(squares) => (squares as f64 - mean * mean * times).max(0.0),
                None => 0.0,
            };
            let delta = mean - self.mean;
            self.mean += delta * times / (before + times);
            self.differences += differences + delta * delta * before * times / (before + times);
        } else if total > 0 {
            // Sums of values that have been counted before.
            let (mean, squares) = (more.sum as f64 / total as f64, more.squares.unwrap_or(0));
            // Σ(v − m)² = Σv² − n·m²: both have grown.
            let before = self.mean * self.mean;
            self.mean += mean;
            let grown = (self.mean * self.mean - before) * total as f64;
            self.differences = (self.differences + squares as f64 - grown).max(0.0);
        }
        self.count = total;
        self.sum = self.sum.wrapping_add(more.sum);
        self.squares = self
            .squares
            .and_then(|squares| squares.checked_add(more.squares?));
        Ok(())
    }

    /// Sets memory aside for what an update adds, so that adding it cannot fail. Where the distribution cannot be by values any more, it is
    /// by buckets from then on.
    fn make_room(&mut self, more: &AggregateUpdate, account: &mut Account) -> Result<(), Fault> {
        if let Some(values) = &mut self.values {
            let buckets = || more.buckets.iter().map(|(value, _)| *value);
            let whole = |value| {
                let (low, high) = bounds_of(bucket_of(value));
                low == high
            };
            let new = missing(values, buckets());
            if buckets().all(whole) && values.len() + new <= MAX_VALUES {
                account.reserve(values, new)?;
            } else {
                self.leave_values(account)?;
            }
        }
        if self.values.is_none() {
            let buckets = more.buckets.iter().map(|(value, _)| bucket_of(*value));
            let new = missing(&self.buckets, buckets);
            account.reserve(&mut self.buckets, new)?;
        }
        for counts in &more.linear {
            if let Some(own) = self.linear_of(counts.steps) {
                let new = missing(&own.rows, counts.rows.iter().map(|(row, _)| *row));
                account.reserve(&mut own.rows, new)?;
            }
        }
        Ok(())
    }

    /// The rows of such steps, if they are counted.
    fn linear_of(&mut self, steps: Steps) -> Option<&mut LinearCounts> {
        self.linear.iter_mut().find(|own| own.steps == steps)
    }

    /// Keeps the distribution by buckets from now on.
    fn leave_values(&mut self, account: &mut Account) -> Result<(), Fault> {
        let Some(values) = &mut self.values else {
            return Ok(());
        };
        // Apart, until all are there: the values stay if memory runs out before.
        let mut buckets = Vec::new();
        for (value, times) in values.iter().copied() {
            let bucket = bucket_of(value);
            let known = buckets.binary_search_by_key(&bucket, |entry: &(i16, u64)| entry.0);
            if let Err(fault) = count_at(&mut buckets, known, bucket, times, account) {
                account.release(&mut buckets);
                return Err(fault);
            }
        }
        account.refund(vector_bytes(values));
        self.values = None;
        account.refund(vector_bytes(&self.buckets));
        self.buckets = buckets;
        Ok(())
    }

    pub(crate) fn clear(&mut self, account: &mut Account) {
        let before = self.bytes();
        let mut linear = std::mem::take(&mut self.linear);
        for counts in &mut linear {
            counts.rows.clear();
            (counts.below, counts.above) = (0, 0);
        }
        let mut values = self.values.take().unwrap_or_default();
        values.clear();
        *self = Self {
            values: Some(values),
            linear,
            ..Self::new(&[])
        };
        account.refund(before.saturating_sub(self.bytes()));
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The sum, wrapped to 64 bits.
    pub(crate) fn sum(&self) -> i64 {
        self.sum as i64
    }

    pub(crate) fn min(&self) -> i64 {
        self.min
    }

    pub(crate) fn max(&self) -> i64 {
        self.max
    }

    /// The average, towards zero; 0 when empty.
    pub(crate) fn average(&self) -> i64 {
        self.sum
            .checked_div(i128::from(self.count))
            .map_or(0, |average| average as i64)
    }

    /// The sample variance, towards zero; saturates; 0 for fewer than two values.
    pub(crate) fn variance(&self) -> i64 {
        match self.exact_variance() {
            Some((dividend, divisor)) => {
                i64::try_from(dividend / divisor.max(1)).unwrap_or(i64::MAX)
            }
            None => self.float_variance() as i64,
        }
    }

    /// n·Σv² − (Σv)² over n·(n − 1), when all of it fits.
    fn exact_variance(&self) -> Option<(u128, u128)> {
        let count = u128::from(self.count);
        if count < 2 {
            return Some((0, 1));
        }
        let sum = self.sum.unsigned_abs();
        let dividend = count
            .checked_mul(self.squares?)?
            .checked_sub(sum.checked_mul(sum)?)?;
        Some((dividend, count.checked_mul(count - 1)?))
    }

    fn float_variance(&self) -> f64 {
        match self.exact_variance() {
            Some((dividend, divisor)) => dividend as f64 / divisor as f64,
            None => self.differences / (self.count as f64 - 1.0).max(1.0),
        }
    }

    /// All numbers.
    pub(crate) fn summary(&self) -> AggregateSummary {
        AggregateSummary {
            count: self.count,
            sum: self.sum,
            min: self.min,
            max: self.max,
            average: match self.count {
                0 => 0.0,
                count => self.sum as f64 / count as f64,
            },
            variance: self.float_variance(),
            buckets: match &self.values {
                Some(values) => values.iter().map(|&(v, count)| (v, v, count)).collect(),
                None => self
                    .buckets
                    .iter()
                    .map(|&(bucket, count)| {
                        let (low, high) = bounds_of(bucket);
                        // The values at both ends are known.
                        (low.max(self.min), high.min(self.max), count)
                    })
                    .collect(),
            },
            linear: self.linear.clone(),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        let rows = self.linear.iter().map(|counts| vector_bytes(&counts.rows));
        vector_bytes(&self.buckets)
            + self.values.as_ref().map_or(0, vector_bytes)
            + vector_bytes(&self.linear)
            + rows.sum::<u64>()
    }
}

impl LinearCounts {
    /// Sets memory aside for a row that the value would begin, so that adding it cannot fail.
    fn make_room(&mut self, value: i64, account: &mut Account) -> Result<(), Fault> {
        if self.rows.len() < self.rows.capacity() {
            return Ok(());
        }
        match self.steps.row_of(value) {
            Ok(row)
                if self
                    .rows
                    .binary_search_by_key(&row, |entry| entry.0)
                    .is_err() =>
            {
                account.reserve(&mut self.rows, 1)
            }
            _ => Ok(()),
        }
    }

    fn add(&mut self, value: i64, times: u64, account: &mut Account) -> Result<(), Fault> {
        let place = match self.steps.row_of(value) {
            Ok(row) => {
                let known = self.rows.binary_search_by_key(&row, |entry| entry.0);
                return count_at(&mut self.rows, known, row, times, account);
            }
            Err(std::cmp::Ordering::Less) => &mut self.below,
            Err(_) => &mut self.above,
        };
        *place = place.saturating_add(times);
        Ok(())
    }
}

/// How many of some keys have no count yet, with those that come twice.
fn missing<K: Ord + Copy>(counts: &[(K, u64)], keys: impl Iterator<Item = K>) -> usize {
    keys.filter(|key| counts.binary_search_by_key(key, |entry| entry.0).is_err())
        .count()
}

/// Counts `times` more of what a search has found, or has not.
fn count_at<K>(
    counts: &mut Vec<(K, u64)>,
    known: Result<usize, usize>,
    key: K,
    times: u64,
    account: &mut Account,
) -> Result<(), Fault> {
    match known {
        Ok(at) => {
            if let Some(entry) = counts.get_mut(at) {
                entry.1 = entry.1.saturating_add(times);
            }
        }
        Err(at) => {
            account.reserve(counts, 1)?;
            counts.insert(at, (key, times));
        }
    }
    Ok(())
}

/// The number of the bucket of a value; negative values have negative numbers.
fn bucket_of(value: i64) -> i16 {
    let magnitude = value.unsigned_abs();
    let bits = 64 - magnitude.leading_zeros();
    let number = if bits <= SUB_BITS + 1 {
        magnitude as i16
    } else {
        let shift = bits - SUB_BITS - 1;
        ((shift << SUB_BITS) as u64 + (magnitude >> shift)) as i16
    };
    if value < 0 { -number } else { number }
}

/// The least and greatest value of a bucket.
fn bounds_of(bucket: i16) -> (i64, i64) {
    let number = u64::from(bucket.unsigned_abs());
    let sub = 1_u64 << SUB_BITS;
    let (low, high) = if number < 2 * sub {
        (number, number)
    } else {
        let shift = number / sub - 1;
        let low = u128::from(sub + number % sub) << shift;
        let high = low + (1_u128 << shift) - 1;
        (
            u64::try_from(low).unwrap_or(u64::MAX),
            u64::try_from(high).unwrap_or(u64::MAX),
        )
    };
    if bucket < 0 {
        let negate = |magnitude: u64| 0_i64.checked_sub_unsigned(magnitude).unwrap_or(i64::MIN);
        (negate(high), negate(low))
    } else {
        let clamp = |magnitude: u64| i64::try_from(magnitude).unwrap_or(i64::MAX);
        (clamp(low), clamp(high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[i64]) -> Aggregate {
        let mut account = Account::new(1 << 20);
        let mut aggregate = Aggregate::new(&[]);
        for &value in values {
            aggregate.add(value, 1, &mut account).unwrap();
        }
        aggregate
    }

    #[test]
    fn buckets_contain_their_values() {
        let mut values = vec![i64::MIN, i64::MIN + 1, i64::MAX, -1, 0];
        for shift in 0..63 {
            for near in [-1, 0, 1] {
                values.push((1_i64 << shift) + near);
                values.push(-((1_i64 << shift) + near));
            }
        }
        for value in values {
            let (low, high) = bounds_of(bucket_of(value));
            assert!(low <= value && value <= high, "{value}: {low}..={high}");
            // One part in sixteen.
            let width = i128::from(high) - i128::from(low);
            assert!(width * 16 <= i128::from(value).abs(), "{value}");
        }
    }

    #[test]
    fn statistics() {
        let aggregate = of(&[2, 4, 4, 4, 5, 5, 7, 9]);
        assert_eq!(aggregate.count(), 8);
        assert_eq!(aggregate.sum(), 40);
        assert_eq!((aggregate.min(), aggregate.max()), (2, 9));
        assert_eq!(aggregate.average(), 5);
        // 32 / 7.
        assert_eq!(aggregate.variance(), 4);
        assert!((aggregate.summary().variance - 32.0 / 7.0).abs() < 1e-12);
    }

    #[test]
    fn extremes_wrap_and_do_not_panic() {
        let aggregate = of(&[i64::MAX, i64::MAX, i64::MIN, i64::MIN, i64::MIN, i64::MIN]);
        assert_eq!(aggregate.sum(), 2_i64.wrapping_mul(i64::MAX));
        assert_eq!(aggregate.variance(), i64::MAX);
        let mut account = Account::new(1 << 20);
        let mut many = Aggregate::new(&[]);
        for _ in 0..4 {
            many.add(i64::MIN, u64::MAX, &mut account).unwrap();
        }
        assert_eq!(many.count(), u64::MAX);
        many.variance();
        many.summary();
        assert_eq!(of(&[]).average(), 0);
        assert_eq!(of(&[7]).variance(), 0);
    }

    #[test]
    fn times_count_as_repeats() {
        let mut account = Account::new(1 << 20);
        let mut aggregate = Aggregate::new(&[]);
        aggregate.add(3, 5, &mut account).unwrap();
        aggregate.add(8, 2, &mut account).unwrap();
        let repeated = of(&[3, 3, 3, 3, 3, 8, 8]);
        let (left, right) = (aggregate.summary(), repeated.summary());
        assert_eq!(left.buckets, right.buckets);
        assert_eq!(left.variance, right.variance);
        assert!((aggregate.differences - repeated.differences).abs() < 1e-9);
    }

    #[test]
    fn what_memory_does_not_suffice_for_is_not_counted_at_all() {
        let steps = Steps {
            low: 0,
            high: 500_000,
            step: 1000,
        };
        let value = |number: i64| number * 1_000_003 % 700_001;
        // Somewhere on the way, memory runs out; there is more of it later, as when a handler has freed some.
        for limit in (0..80_000).step_by(97) {
            let mut account = Account::new(limit);
            let mut aggregate = Aggregate::new(&[steps]);
            let failed = (0..2000)
                .take_while(|number| aggregate.add(value(*number), 1, &mut account).is_ok())
                .count() as u64;
            let counted = |aggregate: &Aggregate| {
                let summary = aggregate.summary();
                let [rows] = summary.linear.as_slice() else {
                    panic!("{summary:?}");
                };
                let inside: u64 = rows.rows.iter().map(|row| row.1).sum();
                let all: u64 = summary.buckets.iter().map(|bucket| bucket.2).sum();
                assert_eq!(inside + rows.below + rows.above, all);
                assert_eq!(all, summary.count);
                all
            };
            assert_eq!(counted(&aggregate), failed, "{limit}");
            account = Account::new(1 << 20);
            account.charge(aggregate.bytes()).unwrap();
            for number in failed as i64..2000 {
                aggregate.add(value(number), 1, &mut account).unwrap();
            }
            assert_eq!(counted(&aggregate), 2000, "{limit}");
        }
    }

    #[test]
    fn updates_that_memory_does_not_suffice_for_are_not_added_at_all() {
        let steps = Steps {
            low: 0,
            high: 500_000,
            step: 1000,
        };
        let values = |from: i64| (from..from + 40).map(|number| number * 1_000_003 % 400_001);
        let update = |from: i64| {
            let mut buckets: Vec<i64> = values(from).collect();
            buckets.sort_unstable();
            let rows = values(from).map(|value| (u16::try_from(value / 1000).unwrap(), 1));
            AggregateUpdate {
                count: 40,
                sum: values(from).map(i128::from).sum(),
                extremes: values(from).min().zip(values(from).max()),
                squares: None,
                buckets: buckets.into_iter().map(|value| (value, 1)).collect(),
                linear: vec![LinearCounts {
                    steps,
                    rows: rows.collect(),
                    below: 1,
                    above: 2,
                }],
            }
        };
        let mut failed = 0;
        for limit in (0..20_000).step_by(7) {
            let mut account = Account::new(limit);
            let mut aggregate = Aggregate::new(&[steps]);
            for from in (0..400).step_by(40) {
                let before = aggregate.summary();
                if aggregate.merge(&update(from), &mut account).is_ok() {
                    continue;
                }
                failed += 1;
                // Values may have become buckets.
                let all = |summary: &AggregateSummary| -> u64 {
                    summary.buckets.iter().map(|bucket| bucket.2).sum()
                };
                let after = aggregate.summary();
                assert_eq!(all(&before), all(&after), "{limit}");
                assert_eq!((before.count, &before.linear), (after.count, &after.linear));
                // There is more later, and nothing is added twice.
                account = Account::new(1 << 20);
                account.charge(aggregate.bytes()).unwrap();
                aggregate.merge(&update(from), &mut account).unwrap();
                assert_eq!(all(&aggregate.summary()), all(&before) + 40, "{limit}");
            }
        }
        assert!(failed > 100, "{failed}");
    }

    #[test]
    fn what_comes_after_its_count_is_added() {
        let mut account = Account::new(1 << 20);
        let mut late = of(&[10, 20]);
        let counted = AggregateUpdate {
            count: 2,
            ..AggregateUpdate::default()
        };
        late.merge(&counted, &mut account).unwrap();
        assert_eq!((late.count(), late.min(), late.max()), (4, 10, 20));
        let rest = AggregateUpdate {
            sum: 100,
            extremes: Some((-50, 150)),
            squares: Some(2500 + 22_500),
            ..AggregateUpdate::default()
        };
        late.merge(&rest, &mut account).unwrap();
        let whole = of(&[10, 20, -50, 150]);
        let numbers = |one: &Aggregate| (one.count, one.sum, one.min, one.max, one.squares);
        assert_eq!(numbers(&late), numbers(&whole));
        assert!((late.mean - whole.mean).abs() < 1e-9);
        assert!(
            (late.differences - whole.differences).abs() < 1e-6,
            "{late:?}"
        );
        // Nothing at all changes nothing.
        late.merge(&AggregateUpdate::default(), &mut account)
            .unwrap();
        assert_eq!(numbers(&late), numbers(&whole));
    }

    #[test]
    fn many_values_become_buckets_and_nothing_is_lost() {
        let mut account = Account::new(1 << 20);
        let before = account.used();
        let steps = Steps {
            low: 0,
            high: 1_000_000,
            step: 1000,
        };
        let mut aggregate = Aggregate::new(&[steps]);
        for value in 0..3000 {
            aggregate.add(value * 1000 + 999, 1, &mut account).unwrap();
            assert_eq!(aggregate.values.is_some(), value < MAX_VALUES as i64);
        }
        let summary = aggregate.summary();
        assert_eq!(
            summary.buckets.iter().map(|bucket| bucket.2).sum::<u64>(),
            3000
        );
        let [counts] = summary.linear.as_slice() else {
            panic!("{summary:?}");
        };
        assert_eq!(
            (counts.below, counts.above, counts.rows.len()),
            (0, 2000, 1000)
        );
        assert!(counts.rows.iter().all(|row| row.1 == 1));
        let list = size_of::<LinearCounts>() as u64;
        assert_eq!(account.used() - before, aggregate.bytes() - list);
        aggregate.clear(&mut account);
        assert_eq!(account.used() - before, aggregate.bytes() - list);
        assert_eq!(aggregate.summary().linear[0].above, 0);
        aggregate.add(5, 1, &mut account).unwrap();
        assert_eq!(aggregate.summary().buckets, [(5, 5, 1)]);
    }
}
