//! Tables that hits write, against what the program did.

mod common;
#[path = "common/sites.rs"]
mod sites;
#[path = "common/traced.rs"]
mod traced;

use traced::{Traced, again_without, emit};
use ytrace_target::events::*;

#[test]
fn tables_hold_what_the_program_did() {
    let mut traced = Traced::start();
    let table = |kind, keys| TableSpec {
        kind,
        keys,
        rows: 4096,
    };
    let aggregate = TableKind::Aggregate { squares: true };
    let session = &mut traced.session;
    let counts = session.add_table(table(TableKind::Count, 2)).unwrap();
    let sum = session.add_table(table(TableKind::Sum, 0)).unwrap();
    let by_thread = session.add_table(table(aggregate, 1)).unwrap();
    let whole = session.add_table(table(aggregate, 0)).unwrap();
    let buckets = session.add_table(table(TableKind::Count, 1)).unwrap();
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    let number = part.value(Value::Register(Register::Rdi));
    let thread = part.value(Value::Register(Register::Rsi));
    let seven = part.value(Value::Constant(7));
    let rest = part.value(Value::Binary(
        BinaryOperation::RemainderUnsigned,
        number,
        seven,
    ));
    let shift = part.value(Value::Constant(500));
    let value = part.value(Value::Binary(BinaryOperation::Subtract, number, shift));
    let factor = part.value(Value::Constant(FACTOR as u64));
    let value = part.value(Value::Binary(BinaryOperation::Multiply, value, factor));
    let bucket = part.value(Value::Unary(UnaryOperation::Bucket, value));
    let mut updates = vec![
        Update {
            table: counts,
            keys: vec![thread, rest],
            value: None,
            when: Some(rest),
        },
        Update {
            table: buckets,
            keys: vec![bucket],
            value: None,
            when: None,
        },
    ];
    for (table, keys) in [(sum, vec![]), (by_thread, vec![thread]), (whole, vec![])] {
        updates.push(Update {
            table,
            keys,
            value: Some(value),
            when: None,
        });
    }
    part.step(Step::Count {
        condition: None,
        needs: Vec::new(),
        updates,
    });
    emit(part, &[]);
    let probe = traced.probe("step", program);
    assert_eq!(traced.program.ask("work 4 20000"), "80000");
    let totals = traced.session.totals(probe).unwrap().entry;
    assert_eq!((totals.hits, totals.counted), (80_000, 80_000));
    assert!(traced.records(|_| ()).is_empty());

    let values: Vec<i64> = (0..20_000).map(|number| (number - 500) * FACTOR).collect();
    let mut rows = traced.session.rows(counts).unwrap();
    rows.sort_by(|a, b| a.keys.cmp(&b.keys));
    let expected: Vec<(Vec<u64>, u64)> = (0..4)
        .flat_map(|thread| {
            (1..7).map(move |rest| (vec![thread, rest], (rest..20_000).step_by(7).count() as u64))
        })
        .collect();
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row.keys.clone(), row.count))
        .collect();
    assert_eq!(found, expected);
    // Those of a thread were made one after another.
    for rows in rows.chunks(6) {
        assert!(rows.is_sorted_by(|a, b| 0 < a.made && a.made < b.made));
    }

    let total: i128 = values.iter().map(|value| i128::from(*value)).sum();
    let row = &traced.session.rows(sum).unwrap()[0];
    assert_eq!((row.count, row.sum), (1, i128::from((4 * total) as i64)));

    let mut expected = std::collections::BTreeMap::new();
    for value in &values {
        *expected.entry(Bucket::of(*value)).or_insert(0u64) += 4;
    }
    let rows = traced.session.rows(buckets).unwrap();
    let bucket = |row: &TableRow| Bucket(i16::try_from(row.keys[0] as i64).unwrap());
    let found: std::collections::BTreeMap<Bucket, u64> =
        rows.iter().map(|row| (bucket(row), row.count)).collect();
    assert_eq!(found, expected);

    let squares: u128 = values
        .iter()
        .map(|value| u128::from(value.unsigned_abs()).pow(2))
        .sum();
    let expected = |keys, times: u64| TableRow {
        keys,
        made: 0,
        count: 20_000 * times,
        sum: total * i128::from(times),
        min: values[0],
        max: values[19_999],
        squares: Some(squares * u128::from(times)),
    };
    let mut rows = traced.session.rows(by_thread).unwrap();
    rows.sort_by(|a, b| a.keys.cmp(&b.keys));
    let by_thread_expected: Vec<TableRow> =
        (0..4).map(|thread| expected(vec![thread], 1)).collect();
    for row in &mut rows {
        assert_ne!(std::mem::take(&mut row.made), 0);
    }
    assert_eq!(rows, by_thread_expected);
    assert_eq!(traced.session.rows(whole).unwrap(), [expected(vec![], 4)]);

    traced.session.clear_table(by_thread).unwrap();
    traced.session.clear_table(whole).unwrap();
    assert_eq!(traced.session.rows(by_thread).unwrap(), []);
    assert_eq!(traced.session.rows(whole).unwrap()[0].count, 0);
}

/// More rows than are copied at once, by both ways of reading them.
#[test]
fn all_rows_of_a_large_table_are_read() {
    let mut traced = Traced::start();
    let spec = TableSpec {
        kind: TableKind::Count,
        keys: 2,
        rows: 1 << 18,
    };
    let table = traced.session.add_table(spec).unwrap();
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    let keys = [Register::Rdi, Register::Rsi].map(|one| part.value(Value::Register(one)));
    part.step(Step::Count {
        condition: None,
        needs: Vec::new(),
        updates: vec![Update {
            table,
            keys: keys.to_vec(),
            value: None,
            when: None,
        }],
    });
    let probe = traced.probe("step", program);
    assert_eq!(traced.program.ask("work 4 30000"), "120000");
    // The kernel may have had no memory for some at the moment of their hits.
    let counted = traced.session.totals(probe).unwrap().entry.counted as usize;
    assert!(counted > 60_000, "{counted}");
    let rows = traced.session.rows(table).unwrap();
    let mut keys: Vec<&[u64]> = rows.iter().map(|row| row.keys.as_slice()).collect();
    assert!(rows.iter().all(|row| row.count == 1 && row.made > 0));
    keys.sort_unstable();
    keys.dedup();
    assert_eq!((keys.len(), rows.len()), (counted, counted));
    if std::env::var_os("YTRACE_FORBID").is_none() {
        again_without("table_batches", "all_rows_of_a_large_table_are_read");
    }
}

/// Large enough that squares need more than 64 bits, small enough that values do not.
const FACTOR: i64 = 123_456_789_012;

/// Where one of two tables has no room, or a key cannot be read, nothing is added to either, and the hit becomes a record.
#[test]
fn what_cannot_be_counted_is_sent() {
    let mut traced = Traced::start();
    let mut table = |rows| {
        let spec = TableSpec {
            kind: TableKind::Count,
            keys: 1,
            rows,
        };
        traced.session.add_table(spec).unwrap()
    };
    let (large, small) = (table(4096), table(10));
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    let number = part.value(Value::Register(Register::Rdi));
    let hundred = part.value(Value::Constant(100));
    let condition = part.value(Value::Binary(
        BinaryOperation::LessUnsigned,
        number,
        hundred,
    ));
    // The stack can be read, the number is no address.
    let rsp = part.value(Value::Register(Register::Rsp));
    let three = part.value(Value::Constant(3));
    let third = part.value(Value::Binary(BinaryOperation::Equal, number, three));
    let address = part.value(Value::Select {
        condition: third,
        then: number,
        otherwise: rsp,
    });
    let capture = part.step(Step::Capture {
        address,
        extent: Extent::Bytes(1),
    });
    let read = part.value(Value::Slot {
        capture,
        offset: 0,
        width: Width::One,
        signed: false,
    });
    let update = |table| Update {
        table,
        keys: vec![number],
        value: None,
        when: None,
    };
    part.step(Step::Count {
        condition: Some(condition),
        needs: vec![read],
        updates: vec![update(large), update(small)],
    });
    emit(part, &[Value::Register(Register::Rdi)]);
    let probe = traced.probe("step", program);
    traced.program.ask("work 1 120");
    let sent = traced.records(|record| record.value(0).unwrap());
    let totals = traced.session.totals(probe).unwrap().entry;
    assert_eq!((totals.hits, totals.lost), (120, 0));
    assert_eq!(totals.counted + sent.len() as u64, 120);
    let mut counted = Vec::new();
    for table in [large, small] {
        let rows = traced.session.rows(table).unwrap();
        let mut numbers: Vec<u64> = rows
            .iter()
            .flat_map(|row| vec![row.keys[0]; row.count as usize])
            .collect();
        numbers.sort_unstable();
        counted.push(numbers);
    }
    assert_eq!(counted[0], counted[1]);
    assert!((9..60).contains(&counted[0].len()), "{counted:?}");
    assert!(sent.contains(&3));
    let mut all = [sent, counted.swap_remove(0)].concat();
    all.sort_unstable();
    assert_eq!(all, Vec::from_iter(0..120));
}

#[test]
fn maps_are_put_looked_up_and_removed() {
    let mut traced = Traced::start();
    let spec = TableSpec {
        kind: TableKind::Map,
        keys: 1,
        rows: 1000,
    };
    let table = traced.session.add_table(spec).unwrap();
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    let number = part.value(Value::Register(Register::Rdi));
    let (one, two, three) = (1, 2, 3);
    let [one, two, three] = [one, two, three].map(|number| part.value(Value::Constant(number)));
    let before = part.value(Value::Binary(BinaryOperation::Subtract, number, one));
    let earlier = part.value(Value::Binary(BinaryOperation::Subtract, number, three));
    let even = part.value(Value::Binary(BinaryOperation::And, number, one));
    let even = part.value(Value::Unary(UnaryOperation::IsZero, even));
    let double = part.value(Value::Binary(BinaryOperation::Multiply, number, two));
    part.step(Step::Put {
        table,
        keys: vec![number],
        value: double,
        when: Some(even),
    });
    part.step(Step::Remove {
        table,
        keys: vec![earlier],
        when: None,
    });
    let lookup = part.step(Step::Lookup {
        table,
        keys: vec![before],
    });
    emit(part, &[Value::Found(lookup)]);
    traced.probe("step", program);
    traced.program.ask("work 1 10");
    let found = traced.records(|record| record.value(0));
    let expected: Vec<Option<u64>> = (0..10)
        .map(|number| (number % 2 == 1).then(|| 2 * (number - 1)))
        .collect();
    assert_eq!(found, expected);
    let mut rows: Vec<(u64, i128)> = traced
        .session
        .rows(table)
        .unwrap()
        .into_iter()
        .map(|row| (row.keys[0], row.sum))
        .collect();
    rows.sort_unstable();
    assert_eq!(rows, [(8, 16)]);
}

#[test]
fn a_filter_of_keys_finds_all_once_it_may_lack_some() {
    let mut traced = Traced::start();
    let spec = TableSpec {
        kind: TableKind::Keys,
        keys: 1,
        rows: 64,
    };
    let table = traced.session.add_table(spec).unwrap();
    let none = TableSpec { keys: 0, ..spec };
    assert!(traced.session.add_table(none).is_err());
    // `step` puts its number in, `divide` asks for its first.
    let mut program = HitProgram::default();
    let number = program.entry.value(Value::Register(Register::Rdi));
    program.entry.step(Step::Put {
        table,
        keys: vec![number],
        value: number,
        when: None,
    });
    let put = traced.probe("step", program);
    let mut program = HitProgram::default();
    let part = &mut program.entry;
    let number = part.value(Value::Register(Register::Rdi));
    let unreadable = part.value(Value::Constant(8));
    let capture = part.step(Step::Capture {
        address: unreadable,
        extent: Extent::Bytes(8),
    });
    let failed = part.value(Value::Slot {
        capture,
        offset: 0,
        width: Width::Eight,
        signed: false,
    });
    let mut absent = Vec::new();
    for key in [number, failed] {
        let lookup = part.step(Step::Lookup {
            table,
            keys: vec![key],
        });
        let found = part.value(Value::Found(lookup));
        absent.push(Value::Failed(found));
    }
    emit(part, &absent);
    traced.probe("divide", program);
    let ask = |traced: &mut Traced, number: u64| {
        traced.program.ask(&format!("divide {number} 1"));
        let found = traced.records(|record| (record.value(0), record.value(1)));
        assert_eq!(found.len(), 1);
        // A key that could not be read may be any.
        assert_eq!(found[0].1, Some(0));
        found[0].0 == Some(0)
    };
    traced.program.ask("work 1 10");
    assert!(ask(&mut traced, 9));
    assert!(!ask(&mut traced, 10));
    assert!(!traced.session.is_lacking(table).unwrap());
    traced.program.ask("work 1 1000");
    assert!(traced.session.is_lacking(table).unwrap());
    assert!(ask(&mut traced, 5000));
    // Nothing is missing in what is found, so it is no table that was too small.
    assert_eq!(traced.session.totals(put).unwrap().entry.table_full, 0);
    let other = traced.session.add_table(spec).unwrap();
    traced.session.distrust(other).unwrap();
    assert!(traced.session.is_lacking(other).unwrap());
}

#[test]
fn a_record_that_is_lost_is_known_to_later_steps() {
    let mut traced = Traced::with(EventOptions {
        ring_bytes: 1 << 14,
        ..EventOptions::default()
    });
    let spec = TableSpec {
        kind: TableKind::Count,
        keys: 0,
        rows: 1,
    };
    let table = traced.session.add_table(spec).unwrap();
    let mut program = HitProgram::default();
    emit(&mut program.entry, &[Value::Register(Register::Rdi)]);
    let lost = program.entry.value(Value::Lost(StepId(0)));
    program.entry.step(Step::Count {
        condition: Some(lost),
        needs: Vec::new(),
        updates: vec![Update {
            table,
            keys: Vec::new(),
            value: None,
            when: None,
        }],
    });
    let probe = traced.probe("step", program);
    traced.program.ask("work 2 1000");
    let totals = traced.session.totals(probe).unwrap().entry;
    assert!((1..2000).contains(&totals.lost), "{totals:?}");
    assert_eq!(traced.session.rows(table).unwrap()[0].count, totals.lost);
}
