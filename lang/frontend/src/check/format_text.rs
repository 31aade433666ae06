//! The text of a format: its conversions as they are written.

use ytrace_values::constants::{Amount, Conversion, ConversionKind, FormatArgument, Scalar};

/// One conversion as the text of a format has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    /// The whole conversion, for messages.
    pub text: String,
    pub conversion: Conversion,
    /// The size in bytes that the length modifier says, for integers.
    pub size: u8,
}

/// A piece of a format's text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Text(Vec<u8>),
    Conversion(Written),
}

/// The largest width or precision.
const WIDEST: u32 = 65536;

/// Splits a format. The error says what is wrong with which conversion.
pub(super) fn parse(format: &[u8]) -> Result<Vec<Part>, (String, String)> {
    let mut parts = Vec::new();
    let mut text = Vec::new();
    let mut rest = format;
    while let Some((byte, after)) = rest.split_first() {
        if *byte != b'%' {
            text.push(*byte);
            rest = after;
            continue;
        }
        if after.first() == Some(&b'%') {
            text.push(b'%');
            rest = after.get(1..).unwrap_or_default();
            continue;
        }
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        let (written, remainder) = parse_conversion(rest)?;
        parts.push(Part::Conversion(written));
        rest = remainder;
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

/// A number of a width or a precision.
fn number(rest: &mut &[u8]) -> Option<u32> {
    let mut value: Option<u32> = None;
    while let Some((digit, after)) = rest.split_first().filter(|(byte, _)| byte.is_ascii_digit()) {
        let next = value
            .unwrap_or(0)
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'));
        value = Some(next.min(WIDEST + 1));
        *rest = after;
    }
    value
}

fn amount(rest: &mut &[u8]) -> Amount {
    if let Some(after) = rest.strip_prefix(b"*") {
        *rest = after;
        return Amount::Argument;
    }
    number(rest).map_or(Amount::None, Amount::Fixed)
}

/// One conversion, which starts with `%`, and what follows it.
fn parse_conversion(whole: &[u8]) -> Result<(Written, &[u8]), (String, String)> {
    let mut rest = whole.get(1..).unwrap_or_default();
    let mut conversion = Conversion {
        left: false,
        plus: false,
        space: false,
        alternate: false,
        zero: false,
        thousands: false,
        width: Amount::None,
        precision: Amount::None,
        kind: ConversionKind::Decimal,
        argument: FormatArgument::Scalar(Scalar::Signed(8)),
    };
    while let Some((flag, after)) = rest.split_first() {
        match flag {
            b'-' => conversion.left = true,
            b'+' => conversion.plus = true,
            b' ' => conversion.space = true,
            b'#' => conversion.alternate = true,
            b'0' => conversion.zero = true,
            b'\'' => conversion.thousands = true,
            _ => break,
        }
        rest = after;
    }
    conversion.width = amount(&mut rest);
    if let Some(after) = rest.strip_prefix(b".") {
        rest = after;
        conversion.precision = match amount(&mut rest) {
            Amount::None => Amount::Fixed(0),
            given => given,
        };
    }
    let written_to = |rest: &[u8]| {
        let length = whole.len().saturating_sub(rest.len());
        String::from_utf8_lossy(whole.get(..length).unwrap_or(whole)).into_owned()
    };
    for given in [conversion.width, conversion.precision] {
        if matches!(given, Amount::Fixed(value) if value > WIDEST) {
            return Err((
                written_to(rest),
                format!("a width or a precision of more than {WIDEST}"),
            ));
        }
    }
    let lengths: [(&[u8], u8); 9] = [
        (b"hh", 1),
        (b"h", 2),
        (b"ll", 8),
        (b"l", 8),
        (b"q", 8),
        (b"j", 8),
        (b"z", 8),
        (b"t", 8),
        (b"L", 16),
    ];
    let mut size = 4;
    let human = matches!(rest, [b'h', b'B' | b'T', ..]);
    if !human
        && let Some((after, length)) = lengths
            .iter()
            .find_map(|(prefix, length)| Some((rest.strip_prefix(*prefix)?, *length)))
    {
        rest = after;
        size = length;
    }
    if human {
        rest = rest.get(1..).unwrap_or_default();
    }
    let Some((letter, after)) = rest.split_first() else {
        return Err((written_to(rest), "the conversion has no letter".to_owned()));
    };
    conversion.kind = match letter {
        b'B' if human => ConversionKind::Bytes,
        b'T' if human => ConversionKind::Duration,
        b'd' | b'i' => ConversionKind::Decimal,
        b'u' => ConversionKind::Unsigned,
        b'o' => ConversionKind::Octal,
        b'x' => ConversionKind::Hexadecimal { upper: false },
        b'X' => ConversionKind::Hexadecimal { upper: true },
        b'c' => ConversionKind::Character,
        b'p' => ConversionKind::Pointer,
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A' => {
            ConversionKind::Float(char::from(*letter))
        }
        b's' => ConversionKind::String,
        b'V' => ConversionKind::Value,
        b'n' => {
            return Err((
                written_to(after),
                "`%n` writes to memory, which no probe file does".to_owned(),
            ));
        }
        _ => {
            return Err((
                written_to(after),
                "no such conversion; there are d i u o x X c p e f g a s V hB hT".to_owned(),
            ));
        }
    };
    let written = Written {
        text: written_to(after),
        conversion,
        size,
    };
    Ok((written, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(format: &str) -> Written {
        match parse(format.as_bytes()).unwrap().as_slice() {
            [Part::Conversion(written)] => written.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_all_parts_of_a_conversion() {
        let written = only("%-#010.3lx");
        assert_eq!(written.text, "%-#010.3lx");
        assert_eq!(written.size, 8);
        let conversion = written.conversion;
        assert!(conversion.left && conversion.alternate && conversion.zero);
        assert_eq!(conversion.width, Amount::Fixed(10));
        assert_eq!(conversion.precision, Amount::Fixed(3));
        assert_eq!(only("%.*s").conversion.precision, Amount::Argument);
        assert_eq!(only("%hhd").size, 1);
        assert_eq!(only("%hB").conversion.kind, ConversionKind::Bytes);
        assert_eq!(only("%5.1hT").conversion.kind, ConversionKind::Duration);
    }

    #[test]
    fn keeps_text_and_percent_signs() {
        assert_eq!(
            parse(b"100%% of it").unwrap(),
            [Part::Text(b"100% of it".to_vec())]
        );
    }

    #[test]
    fn refuses_what_is_no_conversion() {
        assert!(parse(b"%").is_err());
        assert!(parse(b"%5").is_err());
        assert!(parse(b"%n").is_err());
        assert!(parse(b"%y").is_err());
        assert!(parse(b"%99999999999d").is_err());
    }
}
