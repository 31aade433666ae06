//! Operations on strings.

use crate::escape;
use crate::fault::{Fault, FaultKind};
use crate::machine::wrong_arity;
use crate::operation::Operation;
use crate::store::{Store, internal};

/// Carries out a `Str…` operation.
pub(crate) fn perform(
    store: &mut Store,
    operation: Operation,
    arguments: &[u64],
) -> Result<u64, Fault> {
    use Operation as Op;
    Ok(match (operation, arguments) {
        (Op::StrCompare, &[left, right]) => store.text(left)?.cmp(store.text(right)?) as i8 as u64,
        (Op::StrConcat, &[left, right]) => {
            let joined = [store.text(left)?, store.text(right)?].concat();
            store.intern(&joined)?
        }
        (Op::StrLength, &[text]) => store.text(text)?.len() as u64,
        (Op::StrIndex, &[text, index]) => {
            let bytes = store.text(text)?;
            let byte = usize::try_from(index)
                .ok()
                .and_then(|index| bytes.get(index));
            match byte {
                Some(&byte) => u64::from(byte),
                None => {
                    return Err(Fault::new(FaultKind::IndexOutOfRange).with_message(format!(
                        "index {} is outside of a string of {} bytes",
                        index as i64,
                        bytes.len()
                    )));
                }
            }
        }
        (Op::StrSubstr, &[text, start, length]) => {
            let bytes = store.text(text)?;
            let part = cut(bytes, start as i64, length as i64).to_vec();
            store.intern(&part)?
        }
        (Op::StrContains, &[text, part]) => {
            let (bytes, part) = (store.text(text)?, store.text(part)?);
            u64::from(memchr::memmem::find(bytes, part).is_some())
        }
        (Op::StrIsPrefix, &[text, prefix]) => {
            u64::from(store.text(text)?.starts_with(store.text(prefix)?))
        }
        (Op::StrIsSuffix, &[text, suffix]) => {
            u64::from(store.text(text)?.ends_with(store.text(suffix)?))
        }
        (Op::StrToInteger, &[text, base]) => to_integer(store.text(text)?, base) as u64,
        (Op::StrQuoted, &[text]) => {
            let mut quoted = vec![b'"'];
            escape::c_into(&mut quoted, store.text(text)?, b'"');
            quoted.push(b'"');
            store.intern(&quoted)?
        }
        (Op::StrFirstToken, &[text, delimiters]) => {
            let (first, _) = split(store.text(text)?, store.text(delimiters)?);
            let first = first.to_vec();
            store.intern(&first)?
        }
        (Op::StrAfterToken, &[text, delimiters]) => {
            let (_, rest) = split(store.text(text)?, store.text(delimiters)?);
            let rest = rest.to_vec();
            store.intern(&rest)?
        }
        (Op::StrFromInteger, &[value, signed]) => {
            let text = match signed {
                0 => value.to_string(),
                _ => (value as i64).to_string(),
            };
            store.intern(text.as_bytes())?
        }
        (Op::StrMatch, &[text, regex]) => {
            let bytes = store
                .strings
                .get(text)
                .ok_or_else(|| internal("no such string"))?;
            let constants = &store.constants;
            u64::from(store.regexes.matches(regex, text, bytes, constants)?)
        }
        (Op::StrCapture, &[number]) => {
            let Some(subject) = store.regexes.subject() else {
                return Ok(0);
            };
            let bytes = store.strings.get(subject).unwrap_or_default();
            let part = store
                .regexes
                .capture(number, bytes)
                .and_then(|range| bytes.get(range))
                .unwrap_or_default()
                .to_vec();
            store.intern(&part)?
        }
        _ => return Err(wrong_arity(operation, arguments)),
    })
}

/// `length` bytes from `start`, what lies outside cut off.
fn cut(bytes: &[u8], start: i64, length: i64) -> &[u8] {
    let most = bytes.len() as i64;
    let end = start.saturating_add(length.max(0)).clamp(0, most);
    let start = start.clamp(0, end);
    bytes.get(start as usize..end as usize).unwrap_or_default()
}

/// The first token, and what follows the delimiter that ends it. Delimiters before the first
/// token are skipped, as `strtok` does.
fn split<'a>(bytes: &'a [u8], delimiters: &[u8]) -> (&'a [u8], &'a [u8]) {
    let start = bytes
        .iter()
        .position(|byte| !delimiters.contains(byte))
        .unwrap_or(bytes.len());
    let bytes = bytes.get(start..).unwrap_or_default();
    match bytes.iter().position(|byte| delimiters.contains(byte)) {
        Some(end) => (
            bytes.get(..end).unwrap_or_default(),
            bytes.get(end + 1..).unwrap_or_default(),
        ),
        None => (bytes, &[]),
    }
}

/// C's `strtoll`: blanks, a sign, a prefix where the base allows it, digits; saturates. A base
/// that C does not have gives 0.
fn to_integer(bytes: &[u8], base: u64) -> i64 {
    let bytes = bytes.trim_ascii_start();
    // C's isspace knows the vertical tab, which Rust's does not.
    let bytes = match bytes
        .iter()
        .position(|byte| !b" \t\n\r\x0b\x0c".contains(byte))
    {
        Some(start) => bytes.get(start..).unwrap_or_default(),
        None => return 0,
    };
    let (negative, bytes) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    };
    let prefixed = match bytes {
        [b'0', b'x' | b'X', rest @ ..]
            if rest.first().is_some_and(|byte| byte.is_ascii_hexdigit()) =>
        {
            Some(rest)
        }
        _ => None,
    };
    let (base, bytes) = match (base, prefixed, bytes) {
        (0 | 16, Some(rest), _) => (16, rest),
        (0, None, [b'0', ..]) => (8, bytes),
        (0, None, _) => (10, bytes),
        (2..=36, _, _) => (base as u32, bytes),
        _ => return 0,
    };
    let mut value = 0_i128;
    for byte in bytes {
        let Some(digit) = char::from(*byte).to_digit(base) else {
            break;
        };
        value = value * i128::from(base) + i128::from(digit);
        // One past the range is enough to know that it saturates.
        value = value.min(1 << 64);
    }
    let value = if negative { -value } else { value };
    value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strtoll() {
        for (text, base, value) in [
            ("42", 10, 42),
            ("  -42x", 10, -42),
            ("\x0b+7", 10, 7),
            ("0x1f", 0, 31),
            ("0x1f", 16, 31),
            ("0x", 16, 0),
            ("0xg", 0, 0),
            ("017", 0, 15),
            ("zz", 36, 35 * 36 + 35),
            ("9223372036854775808", 10, i64::MAX),
            ("-9223372036854775809", 10, i64::MIN),
            ("99999999999999999999999999999999999999999999", 10, i64::MAX),
            ("12", 1, 0),
            ("12", 37, 0),
            ("", 10, 0),
            ("102", 2, 2),
        ] {
            assert_eq!(to_integer(text.as_bytes(), base), value, "{text} {base}");
        }
    }

    #[test]
    fn substrings_are_cut_to_what_exists() {
        assert_eq!(cut(b"hello", 1, 3), b"ell");
        assert_eq!(cut(b"hello", 3, 99), b"lo");
        assert_eq!(cut(b"hello", 9, 1), b"");
        assert_eq!(cut(b"hello", -2, 4), b"he");
        assert_eq!(cut(b"hello", 2, -1), b"");
        assert_eq!(cut(b"hello", i64::MAX, i64::MAX), b"");
    }

    #[test]
    fn tokens() {
        assert_eq!(split(b"  a b c", b" "), (&b"a"[..], &b"b c"[..]));
        assert_eq!(split(b"abc", b" "), (&b"abc"[..], &b""[..]));
        assert_eq!(split(b"", b" "), (&b""[..], &b""[..]));
        assert_eq!(split(b"a,b", b""), (&b"a,b"[..], &b""[..]));
    }
}
