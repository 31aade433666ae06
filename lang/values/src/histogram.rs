//! Histograms of aggregates as text, one line a row.

use crate::aggregate::{Aggregate, AggregateSummary};
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
    /// have a row of their own at each end. Values beyond 32 are known to one part in 16, so a
    /// row that is finer than that takes those of its neighbours. None without values.
    ///
    /// # Errors
    /// The number of rows that the steps give, where [`rows_of_steps`] does not take it.
    pub fn linear_rows(&self, low: i64, high: i64, step: i64) -> Result<Vec<HistogramRow>, i128> {
        let rows = rows_of_steps(low, high, step)?;
        if self.count == 0 {
            return Ok(Vec::new());
        }
        let clamp = |value: i128| value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
        let mut below = 0_u64;
        let mut above = 0_u64;
        let mut rows: Vec<HistogramRow> = (0..rows)
            .map(|row| {
                let start = i128::from(low) + row * i128::from(step);
                let end = (start + i128::from(step)).min(i128::from(high)) - 1;
                HistogramRow {
                    low: Some(clamp(start)),
                    high: Some(clamp(end)),
                    count: 0,
                }
            })
            .collect();
        for (value, times) in middles(self) {
            let place = if value < low {
                &mut below
            } else if value >= high {
                &mut above
            } else {
                let row = (i128::from(value) - i128::from(low)) / i128::from(step);
                match usize::try_from(row).ok().and_then(|row| rows.get_mut(row)) {
                    Some(row) => &mut row.count,
                    None => &mut above,
                }
            };
            *place = place.saturating_add(times);
        }
        let row = |low, high, count| HistogramRow { low, high, count };
        if below > 0 {
            rows.insert(0, row(None, Some(low.saturating_sub(1)), below));
        }
        if above > 0 {
            rows.push(row(Some(high), None, above));
        }
        Ok(rows)
    }
}

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

/// A value that stands for each bucket, within the extremes, with its count.
fn middles(summary: &AggregateSummary) -> impl Iterator<Item = (i64, u64)> + '_ {
    summary.buckets.iter().map(|(low, high, count)| {
        let middle = (i128::from(*low) + i128::from(*high)).div_euclid(2) as i64;
        (
            middle.clamp(summary.min, summary.max.max(summary.min)),
            *count,
        )
    })
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
    let counts = width(&|row| row.count.to_string());
    let mut text = String::new();
    for row in rows {
        // A count that is not zero shows at least one mark.
        let length = u128::from(row.count) * u128::from(BAR);
        let length = length.div_ceil(u128::from(most)) as usize;
        text.push_str(&format!(
            "{:>lows$} .. {:>highs$} {:>counts$} |{}\n",
            bound(row.low),
            bound(row.high),
            row.count,
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
        let mut aggregate = Aggregate::new();
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
}
