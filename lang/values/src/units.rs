//! Amounts for people: bytes, durations, groups of thousands.

/// Bytes in decimal units with one decimal: `0 B`, `999 B`, `1.3 GB`.
pub fn bytes(amount: impl Into<i128>) -> String {
    bytes_with(amount, 1)
}

/// The same with so many decimals (at most 9).
pub fn bytes_with(amount: impl Into<i128>, decimals: usize) -> String {
    let amount = amount.into();
    const UNITS: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    let decimals = decimals.min(9);
    let sign = if amount < 0 { "-" } else { "" };
    let magnitude = amount.unsigned_abs();
    if magnitude < 1000 {
        return format!("{sign}{magnitude} B");
    }
    let mut divisor = 1000_u128;
    let mut unit = 1;
    // A value that would be rounded to 1000.0 belongs to the next unit.
    while unit + 1 < UNITS.len() && rounded(magnitude, divisor, decimals) >= thousand(decimals) {
        divisor *= 1000;
        unit += 1;
    }
    let (whole, fraction) = split(rounded(magnitude, divisor, decimals), decimals);
    let name = UNITS.get(unit).copied().unwrap_or("B");
    format!("{sign}{whole}{fraction} {name}")
}

/// Nanoseconds: `640 ns`, `4.2 ms`, `12.0 s`, `6m05s`, `3h04m`, `2d07h`.
pub fn duration(nanoseconds: impl Into<i128>) -> String {
    duration_with(nanoseconds, 1)
}

/// The same with so many decimals (at most 9) where there are any.
pub fn duration_with(nanoseconds: impl Into<i128>, decimals: usize) -> String {
    let nanoseconds = nanoseconds.into();
    let decimals = decimals.min(9);
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let magnitude = nanoseconds.unsigned_abs();
    if magnitude < 1000 {
        return format!("{sign}{magnitude} ns");
    }
    for (divisor, name, limit) in [
        (1_000_u128, "µs", 1000_u128),
        (1_000_000, "ms", 1000),
        (1_000_000_000, "s", 60),
    ] {
        let value = rounded(magnitude, divisor, decimals);
        if value < limit * 10_u128.pow(decimals as u32) {
            let (whole, fraction) = split(value, decimals);
            return format!("{sign}{whole}{fraction} {name}");
        }
    }
    let seconds = rounded(magnitude, 1_000_000_000, 0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if hours == 0 {
        format!("{sign}{minutes}m{:02}s", seconds % 60)
    } else if days == 0 {
        format!("{sign}{hours}h{:02}m", minutes % 60)
    } else {
        format!("{sign}{days}d{:02}h", hours % 24)
    }
}

/// A decimal number with commas between groups of three digits.
pub fn thousands(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let grouped = group(&digits);
    if number < 0 {
        format!("-{grouped}")
    } else {
        grouped
    }
}

/// Puts commas between groups of three digits, counted from the right.
pub fn group(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index != 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `magnitude / divisor` in units of the last decimal, rounded half up.
fn rounded(magnitude: u128, divisor: u128, decimals: usize) -> u128 {
    let scale = 10_u128.pow(decimals as u32);
    let whole = magnitude / divisor;
    let rest = magnitude % divisor;
    whole
        .saturating_mul(scale)
        .saturating_add((rest * scale + divisor / 2) / divisor)
}

fn thousand(decimals: usize) -> u128 {
    1000 * 10_u128.pow(decimals as u32)
}

fn split(value: u128, decimals: usize) -> (u128, String) {
    if decimals == 0 {
        return (value, String::new());
    }
    let scale = 10_u128.pow(decimals as u32);
    (value / scale, format!(".{:0decimals$}", value % scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_amounts() {
        for (amount, text) in [
            (0_i128, "0 B"),
            (1, "1 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1049, "1.0 kB"),
            (1050, "1.1 kB"),
            (24_100_000, "24.1 MB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (1_300_000_000, "1.3 GB"),
            (-1_300_000_000, "-1.3 GB"),
            (i128::from(u64::MAX), "18.4 EB"),
        ] {
            assert_eq!(bytes(amount), text);
        }
        assert_eq!(bytes_with(2_240_000_000_u64, 2), "2.24 GB");
        assert_eq!(bytes_with(999_600, 0), "1 MB");
        bytes_with(i128::MIN, 9);
        bytes_with(i128::MAX, 400);
    }

    #[test]
    fn durations() {
        for (amount, text) in [
            (0_i128, "0 ns"),
            (640, "640 ns"),
            (4_200_000, "4.2 ms"),
            (999_960, "1.0 ms"),
            (12_000_000_000, "12.0 s"),
            (59_960_000_000, "1m00s"),
            (365_000_000_000, "6m05s"),
            (11_040_000_000_000, "3h04m"),
            (198_000_000_000_000, "2d07h"),
            (-1500, "-1.5 µs"),
        ] {
            assert_eq!(duration(amount), text);
        }
        duration_with(i128::MIN, 9);
    }

    #[test]
    fn groups() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1000), "1,000");
        assert_eq!(thousands(-1_234_567), "-1,234,567");
        assert_eq!(
            thousands(i128::from(i64::MIN)),
            "-9,223,372,036,854,775,808"
        );
    }
}
