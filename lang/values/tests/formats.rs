//! Formats: expectations are what C's `printf` writes.

mod common;

use common::{BASE, Bench, CHAR_POINTER, COLOUR, LIMITS, NUMBERS, POINT};
use ytrace_values::constants::{
    Amount, Conversion, ConversionKind, Format, FormatArgument, FormatPiece, Scalar, ShapeId,
};
use ytrace_values::{FaultKind, Limits, Operation as Op};

/// A format from its C text; the kind of every argument is given.
fn parse(text: &str, arguments: &[FormatArgument]) -> Format {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut arguments = arguments.iter().cloned();
    while let Some(at) = rest.find('%') {
        if at > 0 {
            pieces.push(FormatPiece::Text(rest.as_bytes()[..at].to_vec()));
        }
        rest = &rest[at + 1..];
        let flags = rest.len()
            - rest
                .trim_start_matches(['-', '+', ' ', '#', '0', '\''])
                .len();
        let (flags, tail) = rest.split_at(flags);
        let amount = |text: &mut &str| {
            if let Some(tail) = text.strip_prefix('*') {
                *text = tail;
                return Amount::Argument;
            }
            let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, tail) = text.split_at(digits);
            *text = tail;
            number.parse().map_or(Amount::None, Amount::Fixed)
        };
        let mut tail = tail;
        let width = amount(&mut tail);
        let precision = match tail.strip_prefix('.') {
            Some(after) => {
                tail = after;
                match amount(&mut tail) {
                    Amount::None => Amount::Fixed(0),
                    amount => amount,
                }
            }
            None => Amount::None,
        };
        let length = if tail.starts_with('h') { 2 } else { 1 };
        let (letter, after) = tail.split_at(length);
        rest = after;
        let kind = match letter {
            "d" => ConversionKind::Decimal,
            "u" => ConversionKind::Unsigned,
            "o" => ConversionKind::Octal,
            "x" => ConversionKind::Hexadecimal { upper: false },
            "X" => ConversionKind::Hexadecimal { upper: true },
            "c" => ConversionKind::Character,
            "p" => ConversionKind::Pointer,
            "s" => ConversionKind::String,
            "V" => ConversionKind::Value,
            "hB" => ConversionKind::Bytes,
            "hT" => ConversionKind::Duration,
            letter => ConversionKind::Float(letter.chars().next().unwrap()),
        };
        pieces.push(FormatPiece::Conversion(Conversion {
            left: flags.contains('-'),
            plus: flags.contains('+'),
            space: flags.contains(' '),
            alternate: flags.contains('#'),
            zero: flags.contains('0'),
            thousands: flags.contains('\''),
            width,
            precision,
            kind,
            argument: arguments.next().unwrap(),
        }));
    }
    if !rest.is_empty() {
        pieces.push(FormatPiece::Text(rest.as_bytes().to_vec()));
    }
    pieces
}

fn bench(text: &str, arguments: &[FormatArgument]) -> Bench {
    Bench::with(common::constants(vec![parse(text, arguments)], &[]), LIMITS)
}

fn printed(bench: &mut Bench, words: &[u64]) -> String {
    let words = [&[0], words].concat();
    bench.ok(Op::Printf, &words);
    String::from_utf8(std::mem::take(&mut bench.host.printed)).unwrap()
}

fn one(text: &str, scalar: Scalar, words: &[u64]) -> String {
    printed(&mut bench(text, &[FormatArgument::Scalar(scalar)]), words)
}

#[test]
fn integers() {
    const INT: Scalar = Scalar::Signed(4);
    const LONG: Scalar = Scalar::Signed(8);
    for (format, scalar, value, expected) in [
        ("%d", INT, 42_i64, "42"),
        ("[%5d]", INT, -42, "[  -42]"),
        ("[%-5d]", INT, -42, "[-42  ]"),
        ("[%05d]", INT, -42, "[-0042]"),
        ("[%-05d]", INT, 42, "[42   ]"),
        ("[%+d]", INT, 42, "[+42]"),
        ("[% d]", INT, 42, "[ 42]"),
        ("[%+ d]", INT, 42, "[+42]"),
        ("[%.5d]", INT, -42, "[-00042]"),
        ("[%08.5d]", INT, 42, "[   00042]"),
        ("[%.0d]", INT, 0, "[]"),
        ("[%+.0d]", INT, 0, "[+]"),
        ("[%5.0d]", INT, 0, "[     ]"),
        ("%d", LONG, i64::MIN, "-9223372036854775808"),
        ("%u", LONG, -1, "18446744073709551615"),
        ("%u", INT, -1, "4294967295"),
        ("%d", Scalar::Unsigned(4), 0xffff_ffff, "-1"),
        ("%d", Scalar::Unsigned(2), 0xffff, "65535"),
        ("%x", INT, -1, "ffffffff"),
        ("%#x", INT, 255, "0xff"),
        ("%#X", INT, 255, "0XFF"),
        ("%#x", INT, 0, "0"),
        ("[%#8x]", INT, 255, "[    0xff]"),
        ("[%#08x]", INT, 255, "[0x0000ff]"),
        ("[%#-8x]", INT, 255, "[0xff    ]"),
        ("%#o", INT, 8, "010"),
        ("%#o", INT, 0, "0"),
        ("[%#.0o]", INT, 0, "[0]"),
        ("%#.4o", INT, 8, "0010"),
        ("%#.2o", INT, 8, "010"),
        ("%o", LONG, -1, "1777777777777777777777"),
        ("%'d", LONG, -1_234_567, "-1,234,567"),
        ("[%'12d]", LONG, 1_234_567, "[   1,234,567]"),
        ("%'u", LONG, 999, "999"),
        ("%p", Scalar::Pointer, 0x55d0, "0x55d0"),
        ("[%8p]", Scalar::Pointer, 0, "[     0x0]"),
        ("%c", INT, 65, "A"),
        ("[%3c]", INT, 65, "[  A]"),
        ("[%-3c]", INT, 65, "[A  ]"),
        ("%c", INT, 27, "\\x1b"),
        ("%hB", LONG, 1_300_000_000, "1.3 GB"),
        ("%hB", LONG, 24_100_000, "24.1 MB"),
        ("%hB", LONG, 0, "0 B"),
        ("[%9hB]", LONG, 24_100_000, "[  24.1 MB]"),
        ("%.2hB", Scalar::Unsigned(8), 2_240_000_000, "2.24 GB"),
        ("%hT", LONG, 4_200_000, "4.2 ms"),
        ("[%8hT]", LONG, 4_200, "[  4.2 µs]"),
        ("100%d", INT, 7, "1007"),
    ] {
        assert_eq!(
            one(format, scalar, &[value as u64]),
            expected,
            "{format} {value}"
        );
    }
}

#[test]
fn width_and_precision_as_arguments() {
    let int = Scalar::Signed(4);
    for (format, words, expected) in [
        ("[%*d]", vec![5, 42], "[   42]"),
        ("[%*d]", vec![-5_i64, 42], "[42   ]"),
        ("[%.*d]", vec![4, 42], "[0042]"),
        ("[%.*d]", vec![-1, 0], "[0]"),
        ("[%*.*d]", vec![6, 4, 42], "[  0042]"),
    ] {
        let words: Vec<u64> = words.into_iter().map(|word| word as u64).collect();
        assert_eq!(one(format, int, &words), expected, "{format}");
    }
}

#[test]
fn floats() {
    for (format, value, expected) in [
        ("%f", 1.5, "1.500000"),
        ("%.2f", -1.005, "-1.00"),
        ("%.0f", 2.5, "2"),
        ("%.0f", 3.5, "4"),
        ("%.0f", 0.5, "0"),
        ("%#.0f", 3.0, "3."),
        ("[%8.2f]", 2.7654, "[    2.77]"),
        ("[%08.2f]", -2.7654, "[-0002.77]"),
        ("[%-8.2f]", 2.7654, "[2.77    ]"),
        ("%+.1f", 0.05, "+0.1"),
        ("%f", 1e15, "1000000000000000.000000"),
        ("%.3f", 1e22, "10000000000000000000000.000"),
        ("%e", 12345.678, "1.234568e+04"),
        ("%E", 0.000_012_3, "1.230000E-05"),
        ("%.0e", 12345.0, "1e+04"),
        ("%#.0e", 12345.0, "1.e+04"),
        ("%e", 0.0, "0.000000e+00"),
        ("%e", 1e100, "1.000000e+100"),
        ("%.1e", 9.96, "1.0e+01"),
        ("%g", 100_000.0, "100000"),
        ("%g", 1_000_000.0, "1e+06"),
        ("%g", 0.0001, "0.0001"),
        ("%g", 0.00001, "1e-05"),
        ("%g", 1.5, "1.5"),
        ("%#g", 1.5, "1.50000"),
        ("%.3g", 1234.0, "1.23e+03"),
        ("%.3g", 999.9, "1e+03"),
        ("%.10g", 0.1, "0.1"),
        ("%.17g", 0.1, "0.10000000000000001"),
        ("%.0g", 123.0, "1e+02"),
        ("%g", 0.0, "0"),
        ("%G", 1e-10, "1E-10"),
        ("%a", 1.0, "0x1p+0"),
        ("%a", 0.0, "0x0p+0"),
        ("%a", -3.0, "-0x1.8p+1"),
        ("%A", 0.1, "0X1.999999999999AP-4"),
        ("%.2a", 1.999, "0x2.00p+0"),
        ("%.0a", 1.5, "0x2p+0"),
        ("%.15a", 1.0, "0x1.000000000000000p+0"),
        ("%a", 5e-324, "0x0.0000000000001p-1022"),
        ("[%010a]", 1.0, "[0x00001p+0]"),
        ("%f", f64::INFINITY, "inf"),
        ("[%06f]", f64::NEG_INFINITY, "[  -inf]"),
        ("%F", f64::NAN, "NAN"),
        ("%+e", f64::INFINITY, "+inf"),
        ("%'.2f", 1_234_567.891, "1,234,567.89"),
        ("%f", -0.0, "-0.000000"),
        ("%.20f", 0.1, "0.10000000000000000555"),
    ] {
        assert_eq!(
            one(format, Scalar::Float64, &[f64::to_bits(value)]),
            expected,
            "{format}"
        );
    }
    // More digits than Rust formats at once.
    let long = one("%.2000f", Scalar::Float64, &[1.0_f64.to_bits()]);
    assert_eq!(long.len(), 2002);
    assert!(long.ends_with("000"));
    let long = one("%.2000e", Scalar::Float64, &[1.0_f64.to_bits()]);
    assert!(long.ends_with("000e+00"));
}

#[test]
fn strings_are_cut_padded_and_escaped() {
    let mut bench = bench(
        "[%s][%5s][%-5s][%.2s]",
        &[
            FormatArgument::Scalar(Scalar::Str),
            FormatArgument::Scalar(Scalar::Str),
            FormatArgument::Scalar(Scalar::Str),
            FormatArgument::Scalar(Scalar::Str),
        ],
    );
    let evil = bench.text("\x1b[2Jx\n");
    let abc = bench.text("abc");
    assert_eq!(
        printed(&mut bench, &[evil, abc, abc, abc]),
        "[\\x1b[2Jx\n][  abc][abc  ][ab]"
    );
    // Strings keep their bytes; showing them is what escapes.
    let handle = bench.ok(Op::Sprintf, &[0, evil, abc, abc, abc]);
    assert!(bench.store.string(handle).starts_with(b"[\x1b[2Jx\n]"));
    bench.ok(Op::PrintStr, &[evil]);
    assert_eq!(bench.host.printed, b"\\x1b[2Jx\n");
}

#[test]
fn strings_of_the_target() {
    let mut bench = bench(
        "%s|%.3s",
        &[FormatArgument::TargetString, FormatArgument::TargetString],
    );
    bench.poke(BASE + 100, b"hello\0");
    assert_eq!(printed(&mut bench, &[BASE + 100, BASE + 100]), "hello|hel");
    assert_eq!(printed(&mut bench, &[0, BASE + 105]), "(null)|");
    // Longer than the limit: cut and marked; a precision needs no NUL.
    bench.poke(BASE + 200, &[b'x'; 600]);
    let text = printed(&mut bench, &[BASE + 200, BASE + 200]);
    assert_eq!(text, format!("{}…|xxx", "x".repeat(512)));
    // A string that ends with the mapping.
    bench.poke(BASE + 8189, b"end");
    assert_eq!(printed(&mut bench, &[BASE + 100, BASE + 8189]), "hello|end");
    let fault = bench.run(Op::Printf, &[0, BASE + 8189, BASE]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unmapped);
    assert_eq!(fault.address, Some(BASE + 8192));
}

fn point(bench: &mut Bench, address: u64) {
    let mut bytes = vec![0_u8; 48];
    bytes[0..4].copy_from_slice(&(-7_i32).to_le_bytes());
    // flag: bits 3..8 of byte 4 = 21; delta: bits 6..10 from byte 4 overlaps, so is set apart.
    bytes[4] = 21 << 3;
    bytes[5] = 0b10;
    bytes[8..12].copy_from_slice(&2_u32.to_le_bytes());
    bytes[16..24].copy_from_slice(&(BASE + 0x400).to_le_bytes());
    bytes[24..28].copy_from_slice(b"tag\0");
    for (index, value) in [1_i32, 2, 3, -4].iter().enumerate() {
        bytes[32 + index * 4..36 + index * 4].copy_from_slice(&value.to_le_bytes());
    }
    bench.poke(address, &bytes);
    bench.poke(BASE + 0x400, b"a \"name\"\x01\0");
}

#[test]
fn values_as_c_writes_them() {
    let mut bench = bench("%V", &[FormatArgument::TargetValue(POINT)]);
    point(&mut bench, BASE);
    let text = printed(&mut bench, &[BASE]);
    assert_eq!(
        text,
        "{x = -7, flag = 21, delta = -6, colour = GREEN, name = 0x100400 \
         \"a \\\"name\\\"\\001\", tag = \"tag\", n = {1, 2, 3, -4}}"
    );
    // A pointer that leads nowhere is shown, not followed.
    bench.poke(BASE + 16, &0xdead_0000_u64.to_le_bytes());
    assert!(printed(&mut bench, &[BASE]).contains("name = 0xdead0000 <unreadable>"));
    let fault = bench.run(Op::Printf, &[0, 0x10]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unmapped);
}

#[test]
fn values_of_the_tracer_and_elements_cut() {
    let words = |shape: ShapeId, words| [FormatArgument::TracerValue { shape, words }];
    let mut numbers = bench("%.2V", &words(NUMBERS, 2));
    assert_eq!(
        printed(&mut numbers, &[2 << 32 | 1, 4 << 32 | 3]),
        "{1, 2, …}"
    );
    for (value, expected) in [(4, "BLUE"), (3, "RED | GREEN"), (8, "8"), (0, "0")] {
        let mut colour = bench("%V", &words(COLOUR, 1));
        assert_eq!(printed(&mut colour, &[value]), expected);
    }
    let mut pointer = bench("%V", &words(CHAR_POINTER, 1));
    assert_eq!(printed(&mut pointer, &[0]), "0x0");
    let text = one("%V", Scalar::Str, &[1]);
    assert_eq!(text, "\"hello\"");
}

#[test]
fn paths_in_one_line() {
    let mut bench = bench("%s", &[FormatArgument::Scalar(Scalar::Path)]);
    let mut path = 0;
    for frame in ["_LOADED", ".cert", "[1]", "function f"] {
        let name = bench.text(frame);
        path = bench.ok(Op::PathAppendStr, &[path, name]);
    }
    path = bench.ok(Op::PathAppendCode, &[path, 0x4011]);
    assert_eq!(
        printed(&mut bench, &[path]),
        "_LOADED.cert[1] / function f / main+0x10"
    );
}

#[test]
fn the_output_limit_shows_what_fits() {
    let limits = Limits {
        output: 10,
        ..LIMITS
    };
    let format = parse("%20d", &[FormatArgument::Scalar(Scalar::Signed(8))]);
    let mut bench = Bench::with(common::constants(vec![format], &[]), limits);
    let fault = bench.run(Op::Printf, &[0, 7]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::OutputExhausted);
    assert_eq!(bench.host.printed, b"          ");
    assert_eq!(bench.store.output_used(), 10);
    assert!(bench.run(Op::PrintStr, &[1]).is_err());
    // Absurd widths and precisions cost no more than the limit.
    for format in [
        "%2000000000d",
        "%.2000000000d",
        "%.2000000000f",
        "%.2000000000e",
    ] {
        let scalar = if format.ends_with('d') {
            Scalar::Signed(8)
        } else {
            Scalar::Float64
        };
        let format = parse(format, &[FormatArgument::Scalar(scalar)]);
        let mut bench = Bench::with(common::constants(vec![format], &[]), limits);
        let fault = bench.run(Op::Printf, &[0, 7]).unwrap_err();
        assert_eq!(fault.kind, FaultKind::OutputExhausted);
    }
}

#[test]
fn wrong_words_are_internal_faults() {
    let mut bench = bench(
        "%d%d",
        &[
            FormatArgument::Scalar(Scalar::Signed(4)),
            FormatArgument::Scalar(Scalar::Signed(4)),
        ],
    );
    for words in [vec![], vec![0], vec![0, 1], vec![0, 1, 2, 3], vec![9]] {
        let fault = bench.run(Op::Printf, &words).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Internal);
    }
}
