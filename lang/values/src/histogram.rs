//! Histograms of aggregates as text, one line a row.

use std::cmp::Ordering;

use crate::aggregate::{Aggregate, AggregateSummary, LinearCounts};
use crate::fault::{Fault, FaultKind};

/// The length of the longest bar.
const BAR: u64 = 50;
/// The most rows of a linear histogram.
const MAX_ROWS: i128 = 1000;

/// A row of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistogramRow {
    /// The least value; `None` for a row of everything below.
    pub low: Option<i64>,
    /// The greatest value; `None` for a row of everything above.
    pub high: Option<i64>,
    /// How many values.
    pub count: u64,
    /// Whether the count is an estimate.
    pub approximate: bool,
}

/// Rows of `step` values each from `low` up to, not including, `high`. [`rows_of_steps`] says whether they make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Steps {
    /// The least value of the first row.
    pub low: i64,
    /// Where the last row ends.
    pub high: i64,
    /// How many values a row takes.
    pub step: i64,
}

impl Steps {
    /// The number of the row of a value, or on which side of all rows it lies.
    pub(crate) fn row_of(self, value: i64) -> Result<u16, Ordering> {
        if value < self.low {
            return Err(Ordering::Less);
        }
        if value >= self.high {
            return Err(Ordering::Greater);
        }
        let row = (i128::from(value) - i128::from(self.low)).checked_div(i128::from(self.step));
        row.and_then(|row| u16::try_from(row).ok())
            .ok_or(Ordering::Greater)
    }
}

impl AggregateSummary {
    /// Rows of powers of two, from that of the least value to that of the greatest. None without
    /// values.
    pub fn logarithmic_rows(&self) -> Vec<HistogramRow> {
        if self.count == 0 {
            return Vec::new();
        }
        let (first, last) = (binary_row(self.min), binary_row(self.max));
        let mut rows: Vec<HistogramRow> = (first..=last)
            .map(|row| {
                let (low, high) = binary_bounds(row);
                HistogramRow {
                    low: Some(low),
                    high: Some(high),
                    count: 0,
                    approximate: false,
                }
            })
            .collect();
        // No bucket of the distribution crosses a power of two.
        for (low, _, count) in &self.buckets {
            let at = usize::try_from(binary_row(*low) - first).ok();
            if let Some(row) = at.and_then(|at| rows.get_mut(at)) {
                row.count = row.count.saturating_add(*count);
            }
        }
        rows
    }

    /// Rows of `step` values from `low` up to `high`, which the last row may pass. Values outside
    /// have a row of their own at each end. They are exact if the aggregate has counted these rows, or has had few different
    /// values; else a row says whether its count is an estimate. None without values.
    ///
    /// # Errors
    /// The number of rows that the steps give, where [`rows_of_steps`] does not take it.
    pub fn linear_rows(&self, low: i64, high: i64, step: i64) -> Result<Vec<HistogramRow>, i128> {
        let number = rows_of_steps(low, high, step)?;
        if self.count == 0 {
            return Ok(Vec::new());
        }
        let steps = Steps { low, high, step };
        let counted = self.linear.iter().find(|counts| counts.steps == steps);
        let (counts, estimated) = match counted {
            Some(counts) => (counts.clone(), Vec::new()),
            None => self.estimate(steps),
        };
        let is_estimated = |place| estimated.contains(&place);
        let clamp = |value: i128| value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
        let mut rows: Vec<HistogramRow> = (0..number)
            .map(|row| {
                let start = i128::from(low) + row * i128::from(step);
                let end = (start + i128::from(step)).min(i128::from(high)) - 1;
                HistogramRow {
                    low: Some(clamp(start)),
                    high: Some(clamp(end)),
                    count: 0,
                    approximate: u16::try_from(row).is_ok_and(|row| is_estimated(Ok(row))),
                }
            })
            .collect();
        for (row, count) in counts.rows {
            if let Some(row) = rows.get_mut(usize::from(row)) {
                row.count = count;
            }
        }
        let mut end = |at: usize, low, high, count, side| {
            let approximate = is_estimated(Err(side));
            if count > 0 || approximate {
                rows.insert(
                    at.min(rows.len()),
                    HistogramRow {
                        low,
                        high,
                        count,
                        approximate,
                    },
                );
            }
        };
        let below = Some(low.saturating_sub(1));
        end(0, None, below, counts.below, Ordering::Less);
        end(
            usize::MAX,
            Some(high),
            None,
            counts.above,
            Ordering::Greater,
        );
        Ok(rows)
    }

    /// Rows made from the distribution, and which of them are estimates: those that a bucket touches which touches
    /// others, too. Such a bucket is counted in the row of its middle.
    fn estimate(&self, steps: Steps) -> (LinearCounts, Vec<Place>) {
        let mut counts = LinearCounts {
            steps,
            rows: Vec::new(),
            below: 0,
            above: 0,
        };
        let mut estimated = Vec::new();
        for &(least, greatest, times) in &self.buckets {
            let (first, last) = (steps.row_of(least), steps.row_of(greatest));
            if first != last {
                let from = first.map_or(0, |row| row);
                let to = last.map_or(MAX_ROWS as u16, |row| row);
                estimated.extend((from..=to).map(Ok));
                estimated.extend([first, last].into_iter().filter(Result::is_err));
            }
            let middle = (i128::from(least) + i128::from(greatest)).div_euclid(2) as i64;
            match steps.row_of(middle) {
                Err(Ordering::Less) => counts.below = counts.below.saturating_add(times),
                Err(_) => counts.above = counts.above.saturating_add(times),
                // Buckets ascend, and so do their rows.
                Ok(row) => match counts.rows.last_mut() {
                    Some((last, count)) if *last == row => *count = count.saturating_add(times),
                    _ => counts.rows.push((row, times)),
                },
            }
        }
        estimated.sort_unstable();
        estimated.dedup();
        (counts, estimated)
    }
}

/// A row by its number, or one of the rows at the ends.
type Place = Result<u16, Ordering>;

/// How many rows of `step` values there are from `low` up to `high`.
///
/// # Errors
/// That number, if it is not from 1 to 1000; 0 for steps that make no sense.
pub fn rows_of_steps(low: i64, high: i64, step: i64) -> Result<i128, i128> {
    let width = i128::from(high) - i128::from(low);
    let count = match width.checked_div(i128::from(step)) {
        Some(whole) if step > 0 && width > 0 => whole + i128::from(width % i128::from(step) != 0),
        _ => 0,
    };
    match count {
        1..=MAX_ROWS => Ok(count),
        _ => Err(count),
    }
}

/// Why a linear histogram cannot be drawn; `rows` is what [`rows_of_steps`] refused.
pub fn bad_steps(low: i64, high: i64, step: i64, rows: i128) -> String {
    let gives = match rows {
        0 => "none".to_owned(),
        rows => rows.to_string(),
    };
    format!(
        "a linear histogram has 1 to {MAX_ROWS} rows, but {low} to {high} by {step} gives {gives}"
    )
}

/// A histogram whose rows are powers of two. Empty for an aggregate without values.
pub(crate) fn logarithmic(aggregate: &Aggregate) -> String {
    draw(&aggregate.summary().logarithmic_rows())
}

/// A histogram of equal rows. Faults if the steps make no sense or are too many.
pub(crate) fn linear(
    aggregate: &Aggregate,
    low: i64,
    high: i64,
    step: i64,
) -> Result<String, Fault> {
    match aggregate.summary().linear_rows(low, high, step) {
        Ok(rows) => Ok(draw(&rows)),
        Err(rows) => {
            Err(Fault::new(FaultKind::Raised).with_message(bad_steps(low, high, step, rows)))
        }
    }
}

/// The number of the row of a value: 0 for 0, n for 2^(n-1) up to 2^n − 1, negative ones alike.
fn binary_row(value: i64) -> i32 {
    let bits = (64 - value.unsigned_abs().leading_zeros()) as i32;
    if value < 0 { -bits } else { bits }
}

fn binary_bounds(row: i32) -> (i64, i64) {
    let bits = row.unsigned_abs();
    if bits == 0 {
        return (0, 0);
    }
    let low = 1_u128 << (bits - 1);
    let high = (1_u128 << bits) - 1;
    let clamp = |value: i128| value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
    if row < 0 {
        (clamp(-(high as i128)), clamp(-(low as i128)))
    } else {
        (clamp(low as i128), clamp(high as i128))
    }
}

fn draw(rows: &[HistogramRow]) -> String {
    let bound = |bound: Option<i64>| bound.map_or_else(String::new, |value| value.to_string());
    let most = rows.iter().map(|row| row.count).max().unwrap_or(0).max(1);
    let width = |text: &dyn Fn(&HistogramRow) -> String| {
        rows.iter().map(|row| text(row).len()).max().unwrap_or(0)
    };
    let lows = width(&|row| bound(row.low));
    let highs = width(&|row| bound(row.high));
    let number = |row: &HistogramRow| {
        let mark = if row.approximate { "≈" } else { "" };
        format!("{mark}{}", row.count)
    };
    let counts = rows
        .iter()
        .map(|row| number(row).chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        // A count that is not zero shows at least one mark.
        let length = u128::from(row.count) * u128::from(BAR);
        let length = length.div_ceil(u128::from(most)) as usize;
        text.push_str(&format!(
            "{:>lows$} .. {:>highs$} {:>counts$} |{}\n",
            bound(row.low),
            bound(row.high),
            number(row),
            "@".repeat(length.min(BAR as usize)),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;

    fn of(values: &[i64]) -> Aggregate {
        let mut account = Account::new(1 << 20);
        let mut aggregate = Aggregate::new(&[]);
        for &value in values {
            aggregate.add(value, 1, &mut account).unwrap();
        }
        aggregate
    }

    #[test]
    fn rows_of_powers_of_two_contain_their_values() {
        for value in [i64::MIN, -5, -1, 0, 1, 2, 3, 4, 7, 8, i64::MAX] {
            let (low, high) = binary_bounds(binary_row(value));
            assert!(low <= value && value <= high, "{value}: {low}..={high}");
        }
        assert_eq!(logarithmic(&of(&[])), "");
        assert_eq!(
            logarithmic(&of(&[0, 1, 5, 5])),
            format!(
                "0 .. 0 1 |{0}\n1 .. 1 1 |{0}\n2 .. 3 0 |\n4 .. 7 2 |{0}{0}\n",
                "@".repeat(25)
            )
        );
    }

    #[test]
    fn linear_rows_and_what_lies_outside() {
        let text = linear(&of(&[-3, 0, 9, 10, 29, 30]), 0, 30, 10).unwrap();
        let counts: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split(" |").next())
            .collect();
        assert_eq!(
            counts,
            [
                "   .. -1 1",
                " 0 ..  9 2",
                "10 .. 19 1",
                "20 .. 29 1",
                "30 ..    1"
            ]
        );
        assert!(linear(&of(&[1]), 0, 10, 0).is_err());
        assert!(linear(&of(&[1]), 10, 0, 1).is_err());
        assert!(linear(&of(&[1]), 0, i64::MAX, 1).is_err());
        linear(&of(&[i64::MIN, i64::MAX]), i64::MIN, i64::MAX, i64::MAX).unwrap();
        logarithmic(&of(&[i64::MIN, i64::MAX]));
    }

    #[test]
    fn rows_that_were_counted_are_exact_and_others_say_when_they_are_not() {
        let mut account = Account::new(1 << 20);
        let steps = Steps {
            low: 0,
            high: 10_000,
            step: 10,
        };
        let mut aggregate = Aggregate::new(&[steps]);
        for value in 0..10_007 {
            aggregate.add(value, 1, &mut account).unwrap();
        }
        let summary = aggregate.summary();
        let rows = summary.linear_rows(0, 10_000, 10).unwrap();
        assert_eq!(rows.len(), 1001);
        assert!(
            rows[..1000]
                .iter()
                .all(|row| row.count == 10 && !row.approximate)
        );
        assert_eq!((rows[1000].low, rows[1000].count), (Some(10_000), 7));
        // Others are made from buckets of one part in 16, so what is below 32 is exact.
        let rows = summary.linear_rows(0, 10_000, 16).unwrap();
        assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), 10_007);
        assert_eq!((rows[1].count, rows[1].approximate), (16, false));
        assert!(rows[600].approximate);
        let text = linear(&aggregate, 0, 10_000, 5000).unwrap();
        assert!(text.contains(" ≈"), "{text}");
        // Powers of two end where buckets end.
        let text = linear(&aggregate, 0, 8192, 4096).unwrap();
        assert!(text.contains("4096 |") && !text.contains('≈'), "{text}");
        // Few different values are kept one by one.
        let few = of(&[1000, 1001, 1009, 1010, 999_999]);
        let counts: Vec<u64> = (few.summary().linear_rows(1000, 1020, 10).unwrap().iter())
            .map(|row| row.count)
            .collect();
        assert_eq!(counts, [3, 1, 1]);
    }
}
