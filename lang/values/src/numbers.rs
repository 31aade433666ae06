//! C's numeric conversions, as `printf` of C17 (7.21.6.1) has them.

use crate::constants::{Conversion, ConversionKind};

/// More digits than any `double` has after its point; further ones are zeros.
const MAX_DIGITS: usize = 1100;

/// A number before padding: sign or prefix, then digits.
pub(crate) struct Number {
    /// `-`, `+`, a space, `0x`.
    pub(crate) prefix: String,
    /// What follows.
    pub(crate) digits: String,
    /// How many zeros follow the digits before an exponent: precision beyond what is exact.
    pub(crate) zeros: usize,
    /// The exponent, or empty.
    pub(crate) suffix: String,
    /// Whether zeros may pad between prefix and digits.
    pub(crate) zero_padded: bool,
}

/// An integer: its sign and magnitude, in the base of the conversion.
pub(crate) fn integer(
    conversion: &Conversion,
    negative: bool,
    magnitude: u64,
    precision: Option<usize>,
) -> Number {
    let mut digits = match conversion.kind {
        ConversionKind::Octal => format!("{magnitude:o}"),
        ConversionKind::Hexadecimal { upper: false } => format!("{magnitude:x}"),
        ConversionKind::Hexadecimal { upper: true } => format!("{magnitude:X}"),
        _ => magnitude.to_string(),
    };
    if magnitude == 0 && precision == Some(0) {
        digits.clear();
    }
    if conversion.thousands
        && matches!(
            conversion.kind,
            ConversionKind::Decimal | ConversionKind::Unsigned
        )
    {
        digits = crate::units::group(&digits);
    }
    let signed = matches!(conversion.kind, ConversionKind::Decimal);
    let mut prefix = sign(conversion, negative, signed).to_owned();
    if conversion.alternate && magnitude != 0 {
        match conversion.kind {
            ConversionKind::Hexadecimal { upper: false } => prefix.push_str("0x"),
            ConversionKind::Hexadecimal { upper: true } => prefix.push_str("0X"),
            _ => {}
        }
    }
    let missing = precision.unwrap_or(0).saturating_sub(digits.len());
    if conversion.alternate
        && conversion.kind == ConversionKind::Octal
        && missing == 0
        && !digits.starts_with('0')
    {
        digits.insert(0, '0');
    }
    // Leading zeros of a precision are bounded by the caller.
    if missing > 0 {
        digits.insert_str(0, &"0".repeat(missing));
    }
    Number {
        prefix,
        digits,
        zeros: 0,
        suffix: String::new(),
        zero_padded: precision.is_none(),
    }
}

/// A `double` by one of `e E f F g G a A`.
pub(crate) fn float(
    conversion: &Conversion,
    letter: char,
    value: f64,
    precision: Option<usize>,
) -> Number {
    let upper = letter.is_ascii_uppercase();
    let mut number = Number {
        prefix: sign(conversion, value.is_sign_negative(), true).to_owned(),
        digits: String::new(),
        zeros: 0,
        suffix: String::new(),
        zero_padded: true,
    };
    let magnitude = value.abs();
    if !magnitude.is_finite() {
        number.digits = if value.is_nan() { "nan" } else { "inf" }.to_owned();
        number.zero_padded = false;
    } else {
        let alternate = conversion.alternate;
        match letter.to_ascii_lowercase() {
            'f' => fixed(&mut number, magnitude, precision.unwrap_or(6), alternate),
            'e' => exponential(&mut number, magnitude, precision.unwrap_or(6), alternate),
            'a' => hexadecimal(&mut number, magnitude, precision, alternate),
            _ => general(&mut number, magnitude, precision.unwrap_or(6), alternate),
        }
    }
    if conversion.thousands && matches!(letter, 'f' | 'F' | 'g' | 'G') {
        let whole = number
            .digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(number.digits.len());
        let (whole, rest) = number.digits.split_at(whole);
        number.digits = crate::units::group(whole) + rest;
    }
    if upper {
        number.prefix.make_ascii_uppercase();
        number.digits.make_ascii_uppercase();
        number.suffix.make_ascii_uppercase();
    }
    number
}

fn sign(conversion: &Conversion, negative: bool, signed: bool) -> &'static str {
    match (negative, signed) {
        (true, _) => "-",
        (false, true) if conversion.plus => "+",
        (false, true) if conversion.space => " ",
        _ => "",
    }
}

fn fixed(number: &mut Number, value: f64, precision: usize, alternate: bool) {
    let exact = precision.min(MAX_DIGITS);
    number.zeros = precision - exact;
    number.digits = format!("{value:.exact$}");
    if precision == 0 && alternate {
        number.digits.push('.');
    }
}

fn exponential(number: &mut Number, value: f64, precision: usize, alternate: bool) {
    let exact = precision.min(MAX_DIGITS);
    number.zeros = precision - exact;
    let (digits, exponent) = split_exponential(value, exact);
    number.digits = digits;
    if precision == 0 && alternate {
        number.digits.push('.');
    }
    number.suffix = exponent_text(exponent);
}

fn general(number: &mut Number, value: f64, precision: usize, alternate: bool) {
    let precision = precision.max(1);
    let exact = precision.min(MAX_DIGITS);
    let (_, exponent) = split_exponential(value, exact - 1);
    let scientific = exponent < -4 || i64::from(exponent) >= precision as i64;
    if scientific {
        exponential(number, value, precision - 1, alternate);
    } else {
        let decimals = (precision as i64 - 1 - i64::from(exponent)).max(0) as usize;
        fixed(number, value, decimals, alternate);
    }
    if !alternate {
        number.zeros = 0;
        if number.digits.contains('.') {
            let kept = number
                .digits
                .trim_end_matches('0')
                .trim_end_matches('.')
                .len();
            number.digits.truncate(kept);
        }
    }
}

/// Digits with a point after the first, and the decimal exponent.
fn split_exponential(value: f64, precision: usize) -> (String, i32) {
    let text = format!("{value:.precision$e}");
    match text.split_once('e') {
        Some((digits, exponent)) => (digits.to_owned(), exponent.parse().unwrap_or(0)),
        None => (text, 0),
    }
}

fn exponent_text(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("e{sign}{:02}", exponent.unsigned_abs())
}

/// `0x1.8p+1`, normalized as glibc does; subnormal numbers begin with 0.
fn hexadecimal(number: &mut Number, value: f64, precision: Option<usize>, alternate: bool) {
    const FRACTION_BITS: u32 = 52;
    const FRACTION_DIGITS: usize = 13;
    let bits = value.to_bits();
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let biased = (bits >> FRACTION_BITS) as i32 & 0x7ff;
    let (mut mantissa, exponent) = match (biased, fraction) {
        (0, 0) => (0, 0),
        (0, _) => (fraction, -1022),
        _ => (fraction | 1 << FRACTION_BITS, biased - 1023),
    };
    if let Some(precision) = precision.filter(|&precision| precision < FRACTION_DIGITS) {
        // Round to nearest, ties to even.
        let dropped = 4 * (FRACTION_DIGITS - precision) as u32;
        let (rest, half) = (mantissa & ((1 << dropped) - 1), 1_u64 << (dropped - 1));
        mantissa >>= dropped;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= dropped;
    }
    number.prefix.push_str("0x");
    let mut digits = format!("{:013x}", mantissa & ((1 << FRACTION_BITS) - 1));
    match precision {
        None => digits.truncate(digits.trim_end_matches('0').len()),
        Some(precision) => {
            digits.truncate(precision);
            number.zeros = precision.saturating_sub(FRACTION_DIGITS);
        }
    }
    number.digits = (mantissa >> FRACTION_BITS).to_string();
    if !digits.is_empty() || alternate {
        number.digits.push('.');
        number.digits.push_str(&digits);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    number.suffix = format!("p{sign}{}", exponent.unsigned_abs());
}
