//! The values of literals.

use crate::ast::IntegerLiteral;

/// The value of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer.
    Integer(IntegerLiteral),
    /// A floating-point number; the flag is the suffix `f`.
    Float(f64, bool),
}

/// The value of a number's text, or what is wrong with it.
pub fn number(text: &str) -> Result<Number, String> {
    let lower = text.to_ascii_lowercase();
    let (radix, digits) = if let Some(digits) = lower.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = lower.strip_prefix("0b") {
        (2, digits)
    } else {
        (10, lower.as_str())
    };
    let float = match radix {
        16 => digits.contains(['.', 'p']),
        10 => digits.contains(['.', 'e']),
        _ => false,
    };
    if float {
        return if radix == 16 {
            hexadecimal_float(digits)
        } else {
            decimal_float(digits)
        };
    }
    let end = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    let (mut digits, suffix) = digits.split_at(end);
    let mut radix = radix;
    if radix == 10 && digits.len() > 1 && digits.starts_with('0') {
        radix = 8;
        if digits.contains(['8', '9']) {
            return Err("8 and 9 are no octal digits (a leading 0 makes a number octal)".into());
        }
        digits = digits.trim_start_matches('0');
    }
    if digits.is_empty() && radix != 8 {
        return Err("digits must follow".into());
    }
    let (unsigned, longs) = match suffix {
        "" => (false, 0),
        "u" => (true, 0),
        "l" => (false, 1),
        "ul" | "lu" => (true, 1),
        "ll" => (false, 2),
        "ull" | "llu" => (true, 2),
        _ => return Err(format!("`{suffix}` is no suffix of an integer")),
    };
    let value = if digits.is_empty() {
        0
    } else {
        u64::from_str_radix(digits, radix)
            .map_err(|_| "the number does not fit in 64 bits".to_owned())?
    };
    Ok(Number::Integer(IntegerLiteral {
        value,
        unsigned,
        longs,
        decimal: radix == 10,
    }))
}

fn float_suffix(text: &str) -> (&str, bool) {
    if let Some(digits) = text.strip_suffix('f') {
        (digits, true)
    } else if let Some(digits) = text.strip_suffix('l') {
        (digits, false)
    } else {
        (text, false)
    }
}

fn decimal_float(text: &str) -> Result<Number, String> {
    let (digits, single) = float_suffix(text);
    let plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-'));
    match digits.parse::<f64>() {
        Ok(value) if plain => Ok(Number::Float(value, single)),
        _ => Err("this is no number".into()),
    }
}

/// `1.8p3`: the digits after `0x`. The exponent is required, as in C.
fn hexadecimal_float(text: &str) -> Result<Number, String> {
    let (mantissa, exponent) = text
        .split_once('p')
        .ok_or("a hexadecimal floating-point number needs an exponent: `p0`")?;
    let (exponent, single) = float_suffix(exponent);
    let mut exponent: i64 = exponent
        .parse()
        .map_err(|_| "the exponent is no number".to_owned())?;
    let mut value: u128 = 0;
    let mut sticky = false;
    let mut point = false;
    let mut digits = 0usize;
    for c in mantissa.chars() {
        if c == '.' {
            if point {
                return Err("this is no number".into());
            }
            point = true;
            continue;
        }
        let digit = c.to_digit(16).ok_or("this is no number")?;
        digits += 1;
        if value >> 120 == 0 {
            value = (value << 4) | u128::from(digit);
            exponent = exponent.saturating_sub(if point { 4 } else { 0 });
        } else {
            // Digits beyond the precision only decide how to round.
            sticky |= digit != 0;
            exponent = exponent.saturating_add(if point { 0 } else { 4 });
        }
    }
    if digits == 0 {
        return Err("digits must follow `0x`".into());
    }
    let mut result = (value | u128::from(sticky)) as f64;
    let mut exponent = exponent.clamp(-4000, 4000);
    while exponent != 0 && result != 0.0 && result.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        result *= 2f64.powi(step as i32);
        exponent -= step;
    }
    Ok(Number::Float(result, single))
}

/// The bytes of a string literal with its quotes, or what is wrong and at which offset.
pub fn string(text: &str) -> Result<Vec<u8>, (usize, String)> {
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_default();
    unescape(inner).map_err(|(offset, message)| (offset + 1, message))
}

/// The value of a character literal with its quotes, as C's `int`.
pub fn character(text: &str) -> Result<i64, String> {
    let inner = text
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap_or_default();
    let bytes = unescape(inner).map_err(|(_, message)| message)?;
    match bytes.as_slice() {
        [] => Err("a character literal holds one character".into()),
        [byte] => Ok(i64::from(*byte as i8)),
        // As gcc: the bytes of several characters, the last one lowest.
        [..] if bytes.len() <= 4 => Ok(i64::from(
            bytes
                .iter()
                .fold(0u32, |value, byte| (value << 8) | u32::from(*byte)) as i32,
        )),
        _ => Err("a character literal holds at most four bytes; text stands in \"…\"".into()),
    }
}

fn unescape(text: &str) -> Result<Vec<u8>, (usize, String)> {
    let bytes = text.as_bytes();
    let mut result = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'\\' {
            result.push(byte);
            at += 1;
            continue;
        }
        let start = at;
        let Some(&escape) = bytes.get(at + 1) else {
            return Err((start, "nothing follows the backslash".into()));
        };
        at += 2;
        let digits = |at: usize, most: usize, radix: u32| {
            bytes
                .get(at..)
                .unwrap_or_default()
                .iter()
                .take(most)
                .take_while(|byte| char::from(**byte).is_digit(radix))
                .count()
        };
        let value = |at: usize, count: usize, radix: u32| {
            text.get(at..at + count)
                .and_then(|digits| u32::from_str_radix(digits, radix).ok())
        };
        match escape {
            b'n' => result.push(b'\n'),
            b't' => result.push(b'\t'),
            b'r' => result.push(b'\r'),
            b'a' => result.push(7),
            b'b' => result.push(8),
            b'f' => result.push(12),
            b'v' => result.push(11),
            b'e' => result.push(27),
            b'\\' | b'\'' | b'"' | b'?' => result.push(escape),
            b'\n' => {}
            b'\r' if bytes.get(at) == Some(&b'\n') => at += 1,
            b'0'..=b'7' => {
                let count = 1 + digits(at, 2, 8);
                match value(at - 1, count, 8).map(u8::try_from) {
                    Some(Ok(byte)) => result.push(byte),
                    _ => return Err((start, "an octal escape is at most `\\377`".into())),
                }
                at += count - 1;
            }
            b'x' => {
                let count = digits(at, 8, 16);
                match value(at, count, 16).map(u8::try_from) {
                    Some(Ok(byte)) => result.push(byte),
                    _ if count == 0 => {
                        return Err((start, "hexadecimal digits must follow `\\x`".into()));
                    }
                    _ => return Err((start, "a hexadecimal escape is at most `\\xff`".into())),
                }
                at += count;
            }
            b'u' | b'U' => {
                let wanted = if escape == b'u' { 4 } else { 8 };
                let count = digits(at, wanted, 16);
                match value(at, count, 16).and_then(char::from_u32) {
                    Some(c) if count == wanted => {
                        result.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    _ => {
                        return Err((
                            start,
                            format!(
                                "`\\{}` needs {wanted} digits of a Unicode character",
                                char::from(escape)
                            ),
                        ));
                    }
                }
                at += count;
            }
            _ => {
                let shown: String = text
                    .get(start..)
                    .unwrap_or_default()
                    .chars()
                    .take(2)
                    .collect();
                return Err((start, format!("`{shown}` is no escape")));
            }
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(text: &str) -> (u64, bool, u8, bool) {
        match number(text) {
            Ok(Number::Integer(i)) => (i.value, i.unsigned, i.longs, i.decimal),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn float(text: &str) -> f64 {
        match number(text) {
            Ok(Number::Float(value, _)) => value,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn integers() {
        assert_eq!(integer("0"), (0, false, 0, true));
        assert_eq!(integer("0755"), (0o755, false, 0, false));
        assert_eq!(integer("0xFFull"), (255, true, 2, false));
        assert_eq!(integer("0b101"), (5, false, 0, false));
        assert_eq!(integer("18446744073709551615u"), (u64::MAX, true, 0, true));
        for wrong in ["08", "0x", "1lul", "18446744073709551616", "0b2", "12ab"] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn floats() {
        assert_eq!(float("1.5"), 1.5);
        assert_eq!(float("1e3f"), 1000.0);
        assert_eq!(float("0x1.8p3"), 12.0);
        assert_eq!(float("0x1p-1074"), f64::from_bits(1));
        assert_eq!(float("0x1.fffffffffffffp1023"), f64::MAX);
        assert_eq!(float(".5"), 0.5);
        for wrong in ["1.2.3", "0x1.8", "1e", "0x.p1"] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(string(r#""a\n\x41\101\u00e9\0""#), Ok("a\nAAé\0".into()));
        assert_eq!(character("'\\xff'"), Ok(-1));
        assert_eq!(character("'ab'"), Ok(0x6162));
        assert!(character("''").is_err());
        assert!(string(r#""\q""#).is_err());
        assert!(string(r#""\400""#).is_err());
    }
}
