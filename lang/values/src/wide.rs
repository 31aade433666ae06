//! Numbers of 16 bytes: `__int128` and `long double`.

use crate::constants::Wide;

/// The bytes that each of them takes.
pub(crate) const SIZE: usize = 16;

/// A number as text: an integer in decimal, a `long double` as the `double` next to it.
pub(crate) fn text(kind: Wide, bytes: [u8; SIZE]) -> String {
    match kind {
        Wide::Signed => i128::from_le_bytes(bytes).to_string(),
        Wide::Unsigned => u128::from_le_bytes(bytes).to_string(),
        Wide::Extended => format!("{:?}", extended(bytes)),
    }
}

/// A complex number as gdb writes it, `1 + 2i`; `part` is the size in bytes of each of its parts. `None` where there are fewer bytes or
/// no such numbers.
pub(crate) fn complex(part: u8, bytes: &[u8]) -> Option<String> {
    let (real, rest) = bytes.split_at_checked(usize::from(part))?;
    Some(format!(
        "{} + {}i",
        component(real)?,
        component(rest.get(..usize::from(part))?)?
    ))
}

/// A part of a complex number; whole numbers have no point.
fn component(bytes: &[u8]) -> Option<String> {
    let text = match bytes.len() {
        4 => format!("{:?}", f32::from_le_bytes(*bytes.first_chunk()?)),
        8 => format!("{:?}", f64::from_le_bytes(*bytes.first_chunk()?)),
        SIZE => format!("{:?}", extended(*bytes.first_chunk()?)),
        _ => return None,
    };
    Some(match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    })
}

/// The `double` next to a number of the x87: 64 bits of mantissa with its leading bit, 15 bits of
/// exponent, a sign (Intel 64 manual, volume 1, 4.2.2).
pub(crate) fn extended(bytes: [u8; SIZE]) -> f64 {
    let raw = u128::from_le_bytes(bytes);
    let mantissa = raw as u64;
    let exponent = ((raw >> 64) & 0x7fff) as i32;
    let magnitude = match (exponent, mantissa << 1) {
        (0x7fff, 0) => f64::INFINITY,
        (0x7fff, _) => f64::NAN,
        _ => scaled(mantissa as f64, exponent - 16383 - 63),
    };
    match (raw >> 79) & 1 {
        0 => magnitude,
        _ => -magnitude,
    }
}

/// `number` times 2 to the power of `exponent`, in steps that are powers of two themselves.
fn scaled(mut number: f64, mut exponent: i32) -> f64 {
    const STEP: i32 = 1000;
    while exponent.abs() > STEP {
        number *= 2_f64.powi(STEP * exponent.signum());
        exponent -= STEP * exponent.signum();
    }
    number * 2_f64.powi(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(sign_and_exponent: u16, mantissa: u64) -> [u8; SIZE] {
        (u128::from(sign_and_exponent) << 64 | u128::from(mantissa)).to_le_bytes()
    }

    #[test]
    fn complex_numbers() {
        let double: Vec<u8> = [1.0_f64, -2.5]
            .iter()
            .flat_map(|n| n.to_le_bytes())
            .collect();
        assert_eq!(complex(8, &double).as_deref(), Some("1 + -2.5i"));
        let float: Vec<u8> = [0.5_f32, 3e20]
            .iter()
            .flat_map(|n| n.to_le_bytes())
            .collect();
        assert_eq!(complex(4, &float).as_deref(), Some("0.5 + 3e20i"));
        assert_eq!(complex(8, &float), None);
        assert_eq!(complex(3, &double), None);
    }

    #[test]
    fn numbers_of_the_x87() {
        assert_eq!(extended(number(0x3fff, 1 << 63)), 1.0);
        assert_eq!(extended(number(0x4000, 0xd000_0000_0000_0000)), 3.25);
        assert_eq!(extended(number(0xc000, 0xd000_0000_0000_0000)), -3.25);
        assert_eq!(extended(number(0, 0)), 0.0);
        assert_eq!(extended(number(0x7fff, 1 << 63)), f64::INFINITY);
        assert!(extended(number(0x7fff, 3 << 62)).is_nan());
        // Beyond the range of a double.
        assert_eq!(extended(number(0x7ffe, 1 << 63)), f64::INFINITY);
        assert_eq!(extended(number(1, 1 << 63)), 0.0);
        // The unused bytes do not count.
        let mut bytes = number(0x3fff, 1 << 63);
        bytes[15] = 0xff;
        assert_eq!(extended(bytes), 1.0);
    }

    #[test]
    fn integers() {
        assert_eq!(text(Wide::Signed, (-5_i128).to_le_bytes()), "-5");
        assert_eq!(
            text(Wide::Unsigned, (1_u128 << 100).to_le_bytes()),
            "1267650600228229401496703205376"
        );
    }
}
