//! Histograms of aggregates as text, one line a row.

use crate::aggregate::{Aggregate, AggregateSummary};
use crate::fault::{Fault, FaultKind};

/// The length of the longest bar.
const BAR: u64 = 50;
/// The most rows of a linear histogram.
const MAX_ROWS: i128 = 1000;

/// A row: least and greatest value, and the count.
type Row = (Bound, Bound, u64);

#[derive(Clone, Copy)]
enum Bound {
    Value(i64),
    /// Everything below, or everything above.
    Open,
}

/// A histogram whose rows are powers of two, from the row of the least value to that of the
/// greatest. Empty for an aggregate without values.
pub(crate) fn logarithmic(aggregate: &Aggregate) -> String {
    let summary = aggregate.summary();
    if summary.count == 0 {
        return String::new();
    }
    let (first, last) = (binary_row(summary.min), binary_row(summary.max));
    let mut rows: Vec<Row> = (first..=last)
        .map(|row| {
            let (low, high) = binary_bounds(row);
            (Bound::Value(low), Bound::Value(high), 0)
        })
        .collect();
    // No bucket of the distribution crosses a power of two.
    for (low, _, count) in &summary.buckets {
        let at = usize::try_from(binary_row(*low) - first).ok();
        if let Some(row) = at.and_then(|at| rows.get_mut(at)) {
            row.2 = row.2.saturating_add(*count);
        }
    }
    draw(&rows)
}

/// A histogram of rows of `step` values from `low` up to `high`, which the last row may pass.
/// Values outside have a row of their own at each end. Values beyond 32 are known to one part in
/// 16, so a row that is finer than that takes those of its neighbours.
///
/// Faults if the steps make no sense or are too many.
pub(crate) fn linear(
    aggregate: &Aggregate,
    low: i64,
    high: i64,
    step: i64,
) -> Result<String, Fault> {
    let width = i128::from(high) - i128::from(low);
    let count = match width.checked_div(i128::from(step)) {
        Some(whole) if step > 0 && width > 0 => whole + i128::from(width % i128::from(step) != 0),
        _ => 0,
    };
    if !(1..=MAX_ROWS).contains(&count) {
        return Err(Fault::new(FaultKind::Raised).with_message(format!(
            "a linear histogram has 1 to {MAX_ROWS} rows, but {low} to {high} by {step} gives {}",
            if count == 0 {
                "none".to_owned()
            } else {
                count.to_string()
            }
        )));
    }
    let summary = aggregate.summary();
    if summary.count == 0 {
        return Ok(String::new());
    }
    let clamp = |value: i128| value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
    let mut below = 0_u64;
    let mut above = 0_u64;
    let mut rows: Vec<Row> = (0..count)
        .map(|row| {
            let start = i128::from(low) + row * i128::from(step);
            let end = (start + i128::from(step)).min(i128::from(high)) - 1;
            (Bound::Value(clamp(start)), Bound::Value(clamp(end)), 0)
        })
        .collect();
    for (value, times) in middles(&summary) {
        let place = if value < low {
            &mut below
        } else if value >= high {
            &mut above
        } else {
            let row = (i128::from(value) - i128::from(low)) / i128::from(step);
            match usize::try_from(row).ok().and_then(|row| rows.get_mut(row)) {
                Some(row) => &mut row.2,
                None => &mut above,
            }
        };
        *place = place.saturating_add(times);
    }
    if below > 0 {
        rows.insert(0, (Bound::Open, Bound::Value(low.saturating_sub(1)), below));
    }
    if above > 0 {
        rows.push((Bound::Value(high), Bound::Open, above));
    }
    Ok(draw(&rows))
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

fn draw(rows: &[Row]) -> String {
    let bound = |bound: Bound| match bound {
        Bound::Value(value) => value.to_string(),
        Bound::Open => String::new(),
    };
    let most = rows.iter().map(|row| row.2).max().unwrap_or(0).max(1);
    let width =
        |text: &dyn Fn(&Row) -> String| rows.iter().map(|row| text(row).len()).max().unwrap_or(0);
    let lows = width(&|row| bound(row.0));
    let highs = width(&|row| bound(row.1));
    let counts = width(&|row| row.2.to_string());
    let mut text = String::new();
    for (low, high, count) in rows {
        // A count that is not zero shows at least one mark.
        let length = u128::from(*count) * u128::from(BAR);
        let length = length.div_ceil(u128::from(most)) as usize;
        text.push_str(&format!(
            "{:>lows$} .. {:>highs$} {count:>counts$} |{}\n",
            bound(*low),
            bound(*high),
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
