//! Operations on strings, the target's bytes and the world, each through the machine.

mod common;

use common::{BASE, Bench, LIMITS, MAPPINGS};
use ytrace_values::constants::{ContainerType, Element, Scalar, Shape};
use ytrace_values::{Fault, FaultKind, Operation as Op, Value};

#[test]
fn strings() {
    let mut bench = Bench::new();
    let (a, b) = (bench.text("alpha beta"), bench.text("beta"));
    assert_eq!(bench.ok(Op::StrCompare, &[a, b]) as i64, -1);
    assert_eq!(bench.ok(Op::StrCompare, &[b, a]), 1);
    assert_eq!(bench.ok(Op::StrCompare, &[a, a]), 0);
    assert_eq!(bench.string(Op::StrConcat, &[b, b]), "betabeta");
    assert_eq!(bench.ok(Op::StrConcat, &[0, b]), b);
    assert_eq!(bench.ok(Op::StrLength, &[a]), 10);
    assert_eq!(bench.ok(Op::StrIndex, &[a, 1]), u64::from(b'l'));
    for index in [10, u64::MAX] {
        let fault = bench.run(Op::StrIndex, &[a, index]).unwrap_err();
        assert_eq!(fault.kind, FaultKind::IndexOutOfRange);
    }
    assert_eq!(bench.string(Op::StrSubstr, &[a, 6, 99]), "beta");
    assert_eq!(bench.ok(Op::StrContains, &[a, b]), 1);
    assert_eq!(bench.ok(Op::StrIsPrefix, &[a, b]), 0);
    assert_eq!(bench.ok(Op::StrIsSuffix, &[a, b]), 1);
    let space = bench.text(" ");
    assert_eq!(bench.string(Op::StrFirstToken, &[a, space]), "alpha");
    assert_eq!(bench.string(Op::StrAfterToken, &[a, space]), "beta");
    assert_eq!(bench.string(Op::StrFromInteger, &[u64::MAX, 1]), "-1");
    assert_eq!(
        bench.string(Op::StrFromInteger, &[u64::MAX, 0]),
        "18446744073709551615"
    );
    let quoted = bench.text("a\"\n");
    assert_eq!(bench.string(Op::StrQuoted, &[quoted]), "\"a\\\"\\n\"");
    assert_eq!(
        bench.store.literal(1),
        Some(bench.store.intern(b"hello").unwrap())
    );
    assert_eq!(bench.store.literal(2), None);
}

#[test]
fn captures_are_those_of_the_last_match() {
    let constants = common::constants(vec![], &[r"(\w+)@(\w+)?", "z", "(a|a)*b"]);
    let mut bench = Bench::with(constants, LIMITS);
    assert_eq!(bench.ok(Op::StrCapture, &[0]), 0);
    let mail = bench.text("to joe@host now");
    assert_eq!(bench.ok(Op::StrMatch, &[mail, 0]), 1);
    assert_eq!(bench.ok(Op::StrMatch, &[mail, 1]), 0);
    assert_eq!(bench.string(Op::StrCapture, &[0]), "joe@host");
    assert_eq!(bench.string(Op::StrCapture, &[2]), "host");
    assert_eq!(bench.string(Op::StrCapture, &[9]), "");
    // Linear time.
    let long = bench.text(&"a".repeat(100_000));
    assert_eq!(bench.ok(Op::StrMatch, &[long, 2]), 0);
    let bytes = bench.store.intern(b"x\xff@y").unwrap();
    assert_eq!(bench.ok(Op::StrMatch, &[bytes, 0]), 0);
    assert_eq!(
        bench.run(Op::StrMatch, &[mail, 3]).unwrap_err().kind,
        FaultKind::Internal
    );
}

#[test]
fn bytes_of_the_target() {
    let mut bench = Bench::new();
    bench.poke(BASE, b"one\0two\0ond\0");
    assert_eq!(bench.string(Op::TargetString, &[BASE]), "one");
    assert_eq!(bench.string(Op::TargetBytes, &[BASE, 7]), "one\0two");
    assert_eq!(bench.ok(Op::TargetCompare, &[BASE, BASE + 8, 2]), 0);
    assert_eq!(bench.ok(Op::TargetCompare, &[BASE, BASE + 8, 3]), 1);
    assert_eq!(
        bench.ok(Op::TargetStringCompare, &[BASE, BASE + 4]) as i64,
        -1
    );
    assert_eq!(bench.ok(Op::TargetStringCompare, &[BASE, BASE]), 0);
    assert_eq!(bench.ok(Op::TargetStringCompareN, &[BASE, BASE + 8, 2]), 0);
    assert_eq!(bench.ok(Op::TargetStringLength, &[BASE + 4]), 3);
    assert_eq!(bench.string(Op::TargetHex, &[BASE, 4]), "6f 6e 65 00");
    assert_eq!(bench.string(Op::TargetHex, &[BASE, 17]).lines().count(), 2);
    assert_eq!(bench.ok(Op::TargetReadable, &[BASE, 8192]), 1);
    assert_eq!(bench.ok(Op::TargetReadable, &[BASE, 8193]), 0);
    assert_eq!(bench.ok(Op::TargetReadable, &[u64::MAX, 2]), 0);
    assert_eq!(bench.ok(Op::TargetReadable, &[1, 0]), 1);
    // Across pages.
    bench.poke(BASE + 4090, b"across the page\0");
    assert_eq!(
        bench.string(Op::TargetString, &[BASE + 4090]),
        "across the page"
    );
    assert_eq!(bench.ok(Op::TargetStringLength, &[BASE + 4090]), 15);
    let fault = bench.run(Op::TargetString, &[0]).unwrap_err();
    assert_eq!((fault.kind, fault.address), (FaultKind::Unmapped, Some(0)));
    let fault = bench.run(Op::TargetBytes, &[BASE + 8190, 4]).unwrap_err();
    assert_eq!(fault.address, Some(BASE + 8192));
}

#[test]
fn long_strings_of_the_target_are_cut_and_bounded() {
    let mut bench = Bench::new();
    bench.memory.0 = vec![b'x'; 4 << 20];
    let text = bench.string(Op::TargetString, &[BASE]);
    assert_eq!(text, "x".repeat(512) + "…");
    let text = bench.string(Op::TargetBytes, &[BASE, u64::MAX]);
    assert_eq!(text, "x".repeat(512) + "…");
    let exact = bench.string(Op::TargetBytes, &[BASE, 512]);
    assert_eq!(exact, "x".repeat(512));
    let fault = bench.run(Op::TargetStringLength, &[BASE]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::IndexOutOfRange);
    assert_eq!(
        bench
            .run(Op::TargetReadable, &[BASE, 1 << 60])
            .unwrap_err()
            .kind,
        FaultKind::IndexOutOfRange
    );
}

#[test]
fn faults_raised_and_caught() {
    let mut bench = Bench::new();
    let text = bench.text("bad \x1b thing");
    for (operation, kind) in [
        (Op::Raise, FaultKind::Raised),
        (Op::Error, FaultKind::Error),
        (Op::AssertionFailed, FaultKind::AssertionFailed),
    ] {
        let fault = bench.run(operation, &[text]).unwrap_err();
        assert_eq!(fault.kind, kind);
        assert_eq!(fault.message.as_deref(), Some("bad \\x1b thing"));
    }
    assert_eq!(bench.run(Op::Next, &[]).unwrap_err().kind, FaultKind::Next);
    assert_eq!(bench.run(Op::Exit, &[]).unwrap_err().kind, FaultKind::Exit);
    assert_eq!(bench.string(Op::FaultKind, &[]), "");
    let fault = Fault {
        kind: FaultKind::Unmapped,
        address: Some(0x10),
        message: None,
    };
    assert_eq!(bench.store.caught_count(), 0);
    bench.store.set_caught(fault, "a.y:3:4".into());
    assert_eq!(bench.store.caught_count(), 1);
    assert_eq!(bench.string(Op::FaultKind, &[]), "unmapped");
    assert_eq!(bench.ok(Op::FaultAddress, &[]), 0x10);
    assert_eq!(bench.string(Op::FaultMessage, &[]), "unmapped");
    assert_eq!(bench.string(Op::FaultSpan, &[]), "a.y:3:4");
    bench.ok(Op::Warn, &[text]);
    assert_eq!(bench.host.warnings, ["bad \\x1b thing"]);
    bench.ok(Op::AssertEqual, &[text, u64::MAX, 5, 7]);
    bench.ok(Op::AssertEqual, &[text, 1, 1, u64::MAX]);
    let name = "bad \\x1b thing".to_owned();
    // Less than nothing is no tolerance.
    assert_eq!(
        bench.host.checks,
        [(name.clone(), -1, 5, 7), (name, 1, 1, 0)]
    );
}

#[test]
fn the_world() {
    // Ten fields of eight bytes, as mappings are.
    let mut constants = common::constants(vec![], &[]);
    constants.containers[MAPPINGS.0 as usize] = ContainerType::Array {
        element: Element::Value {
            size: 112,
            shape: common::I64,
        },
    };
    assert_eq!(constants.shapes[0], Shape::Scalar(Scalar::Signed(8)));
    let mut bench = Bench::with(constants, LIMITS);
    assert_eq!(bench.ok(Op::Pid, &[]), 4211);
    assert_eq!(bench.ok(Op::NowNs, &[]), 77);
    assert_eq!(bench.string(Op::ExecName, &[]), "nginx");
    assert_eq!(bench.ok(Op::IsLive, &[]), 1);
    assert_eq!(bench.string(Op::TargetWords, &[]), "-p 4211");
    assert_eq!(bench.string(Op::SymbolName, &[0x4011]), "main+0x10");
    assert_eq!(bench.string(Op::SymbolName, &[0x4012]), "0x4012");
    assert_eq!(bench.run(Op::ObjectBytes, &[0x4011]).unwrap(), 0x3000);
    assert_eq!(bench.run(Op::ObjectBytes, &[0x4012]).unwrap(), u64::MAX);
    let rdi = bench.text("rdi");
    assert_eq!(bench.ok(Op::Register, &[rdi, 1]), 3);
    assert_eq!(bench.ok(Op::ThreadLocal, &[2, 1]), 0x1002);
    assert_eq!(bench.ok(Op::PageSize, &[]), common::PAGE);
    assert_eq!(bench.ok(Op::ResidentBytes, &[BASE, 8192]), 4096);
    assert_eq!(bench.ok(Op::UnsharedBytes, &[BASE, 8192]), 1024);
    assert_eq!(bench.ok(Op::SwappedBytes, &[BASE, 8192]), 512);
    assert_eq!(bench.ok(Op::ResidentBytes, &[0, 8192]), u64::MAX);
    let [field, absent, none, usage, limit] =
        ["VmRSS", "VmPMD", "Vm", "usage", "limit"].map(|text| bench.text(text));
    assert_eq!(bench.ok(Op::ProcessBytes, &[field]), 5 << 20);
    assert_eq!(bench.ok(Op::ProcessBytes, &[absent]), u64::MAX);
    let fault = bench.run(Op::ProcessBytes, &[none]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotAvailable);
    assert_eq!(bench.ok(Op::CountersLag, &[]), 3 << 12);
    assert_eq!(bench.ok(Op::WatchedTime, &[]), 7 << 20);
    assert_eq!(bench.ok(Op::SpannedTime, &[]), 9 << 20);
    assert_eq!(bench.ok(Op::WatchedUntil, &[]), 11 << 20);
    assert_eq!(bench.ok(Op::Windows, &[]), 3);
    assert_eq!(bench.ok(Op::WindowTime, &[2]), 2 << 10);
    assert_eq!(bench.ok(Op::WindowStands, &[2]), 2 << 14);
    for (bound, slowdown) in [(-3_i64, 1.25), (0, 1.5), (7, 1.75_f64)] {
        let found = bench.ok(Op::WindowSlowdown, &[bound as u64]);
        assert_eq!(found, slowdown.to_bits());
    }
    assert_eq!(bench.ok(Op::CgroupBytes, &[usage]), 6 << 20);
    assert_eq!(bench.ok(Op::CgroupBytes, &[limit]), u64::MAX);
    let fault = bench.run(Op::CgroupBytes, &[none]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotAvailable);
    let path = bench.ok(Op::Backtrace, &[1]);
    // The leaf is the current function.
    assert_eq!(bench.string(Op::PathLeaf, &[path]), "main+0x10");
    assert_eq!(bench.ok(Op::PathDepth, &[path]), 2);
    assert_eq!(bench.ok(Op::PathLeaf, &[0]), 0);
    let cut = bench.ok(Op::Backtrace, &[2]);
    assert_eq!(bench.ok(Op::PathDepth, &[cut]), 3);
    let root = bench.ok(Op::PathParent, &[cut]);
    let root = bench.ok(Op::PathParent, &[root]);
    assert_eq!(bench.string(Op::PathLeaf, &[root]), "(truncated)");
    let array = bench.ok(Op::Mappings, &[u64::from(MAPPINGS.0), 0]);
    let row = bench.ok(Op::ArrayIndex, &[array, 0]);
    let words: Vec<u64> = bench
        .store
        .row(array, row)
        .unwrap()
        .chunks(8)
        .map(|word| u64::from_ne_bytes(word.try_into().unwrap()))
        .collect();
    assert_eq!(words[..2], [BASE, BASE + 4096]);
    assert_eq!(bench.store.string(words[4]), b"[heap]");
    assert_eq!((words[6], words[9]), (u64::MAX, 512));
    let array = bench.ok(Op::Mappings, &[u64::from(MAPPINGS.0), 1]);
    let row = bench.ok(Op::ArrayIndex, &[array, 0]);
    assert_eq!(
        bench.store.row(array, row).unwrap()[48..56],
        1024u64.to_ne_bytes()
    );
    // A wrong layout is a defect, not a panic.
    let fault = bench
        .run(Op::Mappings, &[u64::from(common::BYTES.0), 0])
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Internal);
    let numbers: Vec<u64> = (0..100)
        .map(|_| bench.ok(Op::RandomInteger, &[6]))
        .collect();
    assert!(numbers.iter().all(|&number| number < 6));
    assert!((0..6).all(|wanted| numbers.contains(&wanted)));
    assert_eq!(bench.ok(Op::RandomInteger, &[0]), 0);
}

#[test]
fn mathematics() {
    let mut bench = Bench::new();
    let mut float = |operation, arguments: &[f64]| {
        let words: Vec<u64> = arguments.iter().map(|value| value.to_bits()).collect();
        f64::from_bits(bench.ok(operation, &words))
    };
    assert_eq!(float(Op::FloatAbs, &[-2.5]), 2.5);
    assert_eq!(float(Op::FloatMod, &[-7.0, 3.0]), -1.0);
    assert_eq!(float(Op::FloatSqrt, &[9.0]), 3.0);
    assert_eq!(float(Op::FloatFloor, &[-1.5]), -2.0);
    assert_eq!(float(Op::FloatCeil, &[-1.5]), -1.0);
    assert_eq!(float(Op::FloatPow, &[2.0, 10.0]), 1024.0);
    assert!((float(Op::FloatLog, &[std::f64::consts::E]) - 1.0).abs() < 1e-15);
    for (x, y, expected) in [
        (5.0, 3.0, -1.0),
        (4.0, 3.0, 1.0),
        (2.5, 1.0, 0.5),
        (3.5, 1.0, -0.5),
        (1.5, 1.0, -0.5),
        (0.5, 1.0, 0.5),
        (-5.0, 3.0, 1.0),
        (5.0, f64::INFINITY, 5.0),
        (f64::MAX, 1.5e308, f64::MAX - 1.5e308),
        (5e-324, 5e-324, 0.0),
        (1.5e-323, 1e-323, -5e-324),
    ] {
        assert_eq!(float(Op::FloatRemainder, &[x, y]), expected, "{x} {y}");
    }
    assert!(float(Op::FloatRemainder, &[1.0, 0.0]).is_nan());
    assert!(float(Op::FloatRemainder, &[f64::INFINITY, 1.0]).is_nan());
}

#[test]
fn values_decode_by_shape() {
    let mut bench = Bench::new();
    let hello = bench.text("hello").to_ne_bytes();
    assert_eq!(
        bench.store.decode(common::STR, &hello),
        Value::Str(b"hello".to_vec())
    );
    assert_eq!(
        bench.store.decode(common::COLOUR, &2_u32.to_ne_bytes()),
        Value::Enum(Some("GREEN".into()), 2)
    );
    assert_eq!(
        bench.store.decode(common::NAME, b"abc\0\0\0\0\0"),
        Value::Str(b"abc".to_vec())
    );
    assert_eq!(bench.store.decode(common::I64, b"abc"), Value::Opaque);
    match bench.store.decode(common::POINT, &[0xff; 48]) {
        Value::Record(fields) => {
            assert_eq!(fields[1], ("flag".into(), Value::Unsigned(31)));
            assert_eq!(fields[2], ("delta".into(), Value::Integer(-1)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn wrong_arity_is_an_internal_fault() {
    let mut bench = Bench::new();
    for (operation, words) in [
        (Op::TableFind, vec![]),
        (Op::StrConcat, vec![1]),
        (Op::PathLeaf, vec![1, 2]),
        (Op::Next, vec![1]),
        (Op::FloatPow, vec![1]),
        (Op::Pid, vec![1]),
        (Op::TargetString, vec![]),
    ] {
        let fault = bench.run(operation, &words).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Internal, "{operation:?}");
    }
    for operation in [
        Op::StrLength,
        Op::PathParent,
        Op::ContainerLength,
        Op::IteratorNext,
    ] {
        assert_eq!(
            bench.run(operation, &[99 << 32 | 7]).unwrap_err().kind,
            FaultKind::Internal
        );
    }
}
