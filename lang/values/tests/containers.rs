//! Tables, arrays and iterators against simple models, and who frees what.

mod common;

use std::collections::{HashMap, VecDeque};

use common::{
    AGGREGATE, ARRAY, ARRAYS, BYTES, Bench, HELD, LIMITS, STACK_OF_TABLES, TABLE1, TABLE2,
};
use proptest::prelude::*;
use ytrace_values::operation::NO_ROW;
use ytrace_values::{FaultKind, FrameWord, Limits, Operation as Op, Value};

#[derive(Clone, Debug)]
enum TableStep {
    Insert(u64, u64),
    Delete(u64),
    Find(u64),
    Clear,
    Walk,
}

fn table_steps() -> impl Strategy<Value = Vec<TableStep>> {
    // Few keys, so that deletions and repeats hit; some spread over the whole range.
    let key = prop_oneof![
        0..40_u64,
        (0..40_u64).prop_map(|key| key << 58),
        any::<u64>()
    ];
    let step = prop_oneof![
        8 => (key.clone(), any::<u64>()).prop_map(|(key, value)| TableStep::Insert(key, value)),
        6 => key.clone().prop_map(TableStep::Delete),
        4 => key.prop_map(TableStep::Find),
        1 => Just(TableStep::Walk),
        1 => Just(TableStep::Clear),
    ];
    prop::collection::vec(step, 0..800)
}

proptest! {
    #[test]
    fn tables_keep_keys_and_order(steps in table_steps()) {
        let mut bench = Bench::new();
        let table = bench.ok(Op::ContainerNew, &[u64::from(TABLE1.0)]);
        let mut model: HashMap<u64, u64> = HashMap::new();
        let mut order: Vec<u64> = Vec::new();
        for step in steps {
            match step {
                TableStep::Insert(key, value) => {
                    let row = bench.ok(Op::TableInsert, &[table, key]);
                    match model.insert(key, value) {
                        Some(old) => prop_assert_eq!(bench.get(table, row), old),
                        None => {
                            prop_assert_eq!(bench.get(table, row), 0);
                            order.push(key);
                        }
                    }
                    bench.set(table, row, value);
                }
                TableStep::Delete(key) => {
                    let there = bench.ok(Op::TableDelete, &[table, key]) == 1;
                    prop_assert_eq!(there, model.remove(&key).is_some());
                    order.retain(|other| *other != key);
                }
                TableStep::Find(key) => {
                    let row = bench.ok(Op::TableFind, &[table, key]);
                    match model.get(&key) {
                        Some(&value) => prop_assert_eq!(bench.get(table, row), value),
                        None => prop_assert_eq!(row, NO_ROW),
                    }
                }
                TableStep::Clear => {
                    bench.ok(Op::ContainerClear, &[table]);
                    model.clear();
                    order.clear();
                }
                TableStep::Walk => {
                    prop_assert_eq!(bench.ok(Op::ContainerLength, &[table]), order.len() as u64);
                    let mark = bench.ok(Op::ContainerMark, &[]);
                    let iterator = bench.ok(Op::IteratorNew, &[table]);
                    for (position, &key) in order.iter().enumerate() {
                        let row = bench.ok(Op::IteratorNext, &[iterator]);
                        let found = u64::from_ne_bytes(
                            *bench.store.row(table, row).unwrap().first_chunk().unwrap());
                        prop_assert_eq!(found, key);
                        prop_assert_eq!(bench.get(table, row), model[&key]);
                        prop_assert_eq!(
                            bench.ok(Op::IteratorPosition, &[iterator]), position as u64);
                    }
                    prop_assert_eq!(bench.ok(Op::IteratorNext, &[iterator]), NO_ROW);
                    bench.ok(Op::ContainerRelease, &[mark]);
                }
            }
        }
    }

    #[test]
    fn arrays_are_deques(steps in prop::collection::vec((0..8_u8, any::<u64>()), 0..600)) {
        let mut bench = Bench::new();
        let array = bench.ok(Op::ContainerNew, &[u64::from(ARRAY.0)]);
        let mut model: VecDeque<u64> = VecDeque::new();
        for (step, value) in steps {
            match step {
                0..=2 => {
                    let row = bench.ok(Op::ArrayPush, &[array]);
                    prop_assert_eq!(bench.get(array, row), 0);
                    bench.set(array, row, value);
                    model.push_back(value);
                }
                3 => {
                    let row = bench.ok(Op::ArrayUnshift, &[array]);
                    prop_assert_eq!(bench.get(array, row), 0);
                    bench.set(array, row, value);
                    model.push_front(value);
                }
                4 | 5 => {
                    let (operation, expected) = match step {
                        4 => (Op::ArrayPop, model.pop_back()),
                        _ => (Op::ArrayShift, model.pop_front()),
                    };
                    match (bench.run(operation, &[array]), expected) {
                        (Ok(row), Some(expected)) => {
                            prop_assert_eq!(bench.get(array, row), expected);
                        }
                        (Err(fault), None) => {
                            prop_assert_eq!(fault.kind, FaultKind::IndexOutOfRange);
                        }
                        other => prop_assert!(false, "{other:?}"),
                    }
                }
                6 => {
                    let index = value % (model.len() as u64 + 2);
                    match (bench.run(Op::ArrayIndex, &[array, index]), model.get(index as usize)) {
                        (Ok(row), Some(&expected)) => {
                            prop_assert_eq!(bench.get(array, row), expected);
                        }
                        (Err(fault), None) => {
                            prop_assert_eq!(fault.kind, FaultKind::IndexOutOfRange);
                        }
                        other => prop_assert!(false, "{other:?}"),
                    }
                }
                _ => {
                    // Sort, descending every other time.
                    let mark = bench.ok(Op::ContainerMark, &[]);
                    let iterator = bench.ok(Op::IteratorNew, &[array]);
                    loop {
                        let row = bench.ok(Op::IteratorNext, &[iterator]);
                        if row == NO_ROW {
                            break;
                        }
                        let key = bench.get(array, row);
                        bench.ok(Op::IteratorSortKey, &[iterator, key, 1]);
                    }
                    bench.ok(Op::IteratorSort, &[iterator, value & 1]);
                    bench.ok(Op::ArrayReorder, &[array, iterator]);
                    bench.ok(Op::ContainerRelease, &[mark]);
                    let mut sorted: Vec<u64> = model.into();
                    sorted.sort();
                    if value & 1 == 1 {
                        sorted.reverse();
                    }
                    model = sorted.into();
                }
            }
            prop_assert_eq!(bench.ok(Op::ContainerLength, &[array]), model.len() as u64);
        }
        let values: Vec<Value> = bench.store.array_elements(array).collect();
        let expected: Vec<Value> =
            model.into_iter().map(|value| Value::Integer(value as i64)).collect();
        prop_assert_eq!(values, expected);
    }

    /// Whatever happens to an array or a table meanwhile, an iterator gives elements that were
    /// there at its start and still are, each once.
    #[test]
    fn iterators_see_a_snapshot(
        length in 0..20_u64,
        steps in prop::collection::vec((0..7_u8, 0..40_u64), 0..60),
        of_table: bool,
    ) {
        let mut bench = Bench::new();
        let kind = if of_table { TABLE1 } else { ARRAY };
        let container = bench.ok(Op::ContainerNew, &[u64::from(kind.0)]);
        let mut next_value = 1;
        let mut add = |bench: &mut Bench, front: bool| {
            let row = match (of_table, front) {
                (true, _) => bench.ok(Op::TableInsert, &[container, next_value]),
                (false, true) => bench.ok(Op::ArrayUnshift, &[container]),
                (false, false) => bench.ok(Op::ArrayPush, &[container]),
            };
            bench.set(container, row, next_value);
            next_value += 1;
        };
        for _ in 0..length {
            add(&mut bench, false);
        }
        let mut waiting: VecDeque<u64> = (1..=length).collect();
        let iterator = bench.ok(Op::IteratorNew, &[container]);
        for (step, value) in steps {
            match step {
                0 | 1 => add(&mut bench, step == 0),
                2 if of_table => {
                    bench.ok(Op::TableDelete, &[container, value]);
                    waiting.retain(|&other| other != value);
                }
                2 | 3 if !of_table => {
                    let operation = if step == 2 { Op::ArrayPop } else { Op::ArrayShift };
                    if let Ok(row) = bench.run(operation, &[container]) {
                        let gone = bench.get(container, row);
                        waiting.retain(|&other| other != gone);
                    }
                }
                4 if value == 7 => {
                    bench.ok(Op::ContainerClear, &[container]);
                    waiting.clear();
                }
                _ => {
                    let row = bench.ok(Op::IteratorNext, &[iterator]);
                    match waiting.pop_front() {
                        Some(expected) => prop_assert_eq!(bench.get(container, row), expected),
                        None => prop_assert_eq!(row, NO_ROW),
                    }
                }
            }
        }
        for expected in waiting {
            let row = bench.ok(Op::IteratorNext, &[iterator]);
            prop_assert_eq!(bench.get(container, row), expected);
        }
        prop_assert_eq!(bench.ok(Op::IteratorNext, &[iterator]), NO_ROW);
    }

    #[test]
    fn equal_paths_are_one_handle(
        chains in prop::collection::vec(prop::collection::vec(0..6_u64, 0..8), 0..40),
    ) {
        let mut bench = Bench::new();
        let mut known: HashMap<Vec<u64>, u64> = HashMap::new();
        let word = |bench: &mut Bench, frame: u64| match frame % 2 {
            0 => FrameWord::Code(frame),
            _ => FrameWord::Name(bench.text(&format!("f{frame}"))),
        };
        for chain in &chains {
            let mut path = 0;
            for &frame in chain {
                let frame = word(&mut bench, frame);
                path = bench.store.path_append(path, frame).unwrap();
            }
            prop_assert_eq!(*known.entry(chain.clone()).or_insert(path), path);
            prop_assert_eq!(bench.ok(Op::PathDepth, &[path]), chain.len() as u64);
            let frames = bench.store.path_frames(path);
            prop_assert_eq!(bench.store.path_from(&frames).unwrap(), path);
        }
        let mut handles: Vec<u64> = known.values().copied().collect();
        handles.sort();
        handles.dedup();
        prop_assert_eq!(handles.len(), known.len());
        for left in known.keys() {
            for right in known.keys() {
                let joined = [left.clone(), right.clone()].concat();
                let path = bench.ok(Op::PathAppendPath, &[known[left], known[right]]);
                if let Some(&expected) = known.get(&joined) {
                    prop_assert_eq!(path, expected);
                }
                prop_assert_eq!(bench.ok(Op::PathDepth, &[path]), joined.len() as u64);
            }
        }
    }

    /// A stack that came lately is the path that its frames make one by one.
    #[test]
    fn stacks_are_the_paths_of_their_frames(
        stacks in prop::collection::vec((0..4_u64, prop::collection::vec(0..3_u64, 0..5)), 0..200),
    ) {
        let mut bench = Bench::new();
        let mut before = [0; 4];
        for path in &mut before[1..] {
            *path = bench.store.path_append(0, FrameWord::Code(1)).unwrap();
        }
        let name = bench.text("name");
        before[2] = bench.store.path_append(before[1], FrameWord::Name(name)).unwrap();
        before[3] = bench.store.path_append(0, FrameWord::Name(2)).unwrap();
        for (start, frames) in &stacks {
            let start = before[*start as usize];
            let path = bench.store.path_append_stack(start, frames).unwrap();
            let one_by_one = frames.iter().rev().try_fold(start, |path, &frame| {
                bench.store.path_append(path, FrameWord::Code(frame))
            });
            prop_assert_eq!(path, one_by_one.unwrap());
        }
    }

    /// No words, however wrong, make an operation panic.
    #[test]
    fn operations_survive_any_words(
        calls in prop::collection::vec(
            (0..OPERATIONS.len(), prop::collection::vec(
                prop_oneof![0..12_u64, any::<u64>(), (1..9_u64).prop_map(|slot| 1 << 32 | slot),
                    (0..9000_u64).prop_map(|offset| common::BASE + offset)], 0..5)),
            0..60),
    ) {
        let limits = Limits { memory: 1 << 20, ..LIMITS };
        let mut bench = Bench::with(common::constants(vec![], &["(a)|b"]), limits);
        for (operation, words) in calls {
            let _ = bench.run(OPERATIONS[operation], &words);
            prop_assert!(bench.store.memory_used() <= limits.memory);
        }
    }
}

const OPERATIONS: &[Op] = &[
    Op::StrCompare,
    Op::StrConcat,
    Op::StrLength,
    Op::StrIndex,
    Op::StrSubstr,
    Op::StrContains,
    Op::StrIsPrefix,
    Op::StrIsSuffix,
    Op::StrToInteger,
    Op::StrQuoted,
    Op::StrFirstToken,
    Op::StrAfterToken,
    Op::StrFromInteger,
    Op::StrMatch,
    Op::StrCapture,
    Op::TargetString,
    Op::TargetBytes,
    Op::TargetCompare,
    Op::TargetStringCompare,
    Op::TargetStringCompareN,
    Op::TargetStringLength,
    Op::TargetReadable,
    Op::TargetCapture,
    Op::TargetHex,
    Op::PathAppendStr,
    Op::PathAppendCode,
    Op::PathAppendPath,
    Op::PathParent,
    Op::PathLeaf,
    Op::PathDepth,
    Op::ContainerNew,
    Op::ContainerNew,
    Op::ContainerMark,
    Op::ContainerRelease,
    Op::ContainerLength,
    Op::ContainerClear,
    Op::TableFind,
    Op::TableInsert,
    Op::TableInsert,
    Op::TableDelete,
    Op::ArrayIndex,
    Op::ArrayPush,
    Op::ArrayPop,
    Op::ArrayShift,
    Op::ArrayUnshift,
    Op::IteratorNew,
    Op::IteratorNext,
    Op::IteratorSortKey,
    Op::IteratorSort,
    Op::IteratorLimit,
    Op::IteratorPosition,
    Op::ArrayReorder,
    Op::TableSum,
    Op::TableMin,
    Op::TableMax,
    Op::AggregateAdd,
    Op::AggregateCount,
    Op::AggregateSum,
    Op::AggregateMin,
    Op::AggregateMax,
    Op::AggregateAverage,
    Op::AggregateVariance,
    Op::Printf,
    Op::Sprintf,
    Op::PrintStr,
    Op::Warn,
    Op::Error,
    Op::Raise,
    Op::AssertionFailed,
    Op::AssertEqual,
    Op::Next,
    Op::Exit,
    Op::NowNs,
    Op::Pid,
    Op::Tid,
    Op::ExecName,
    Op::IsLive,
    Op::TargetWords,
    Op::SymbolName,
    Op::ObjectBytes,
    Op::Register,
    Op::Backtrace,
    Op::ThreadLocal,
    Op::PageSize,
    Op::ResidentBytes,
    Op::UnsharedBytes,
    Op::SwappedBytes,
    Op::ProcessBytes,
    Op::CountersLag,
    Op::WatchedTime,
    Op::SpannedTime,
    Op::WatchedUntil,
    Op::Windows,
    Op::WindowTime,
    Op::WindowStands,
    Op::WindowSlowdown,
    Op::CgroupBytes,
    Op::Mappings,
    Op::Threads,
    Op::Modules,
    Op::RandomInteger,
    Op::FaultKind,
    Op::FaultAddress,
    Op::FaultMessage,
    Op::FaultSpan,
    Op::FloatAbs,
    Op::FloatMod,
    Op::FloatRemainder,
    Op::FloatSqrt,
    Op::FloatLog,
    Op::FloatFloor,
    Op::FloatCeil,
    Op::FloatPow,
];

#[test]
fn keys_of_several_words() {
    let mut bench = Bench::new();
    let table = bench.ok(Op::ContainerNew, &[u64::from(TABLE2.0)]);
    let names: Vec<u64> = (0..50).map(|n| bench.text(&format!("n{n}"))).collect();
    for number in 0..50_u64 {
        for &name in &names {
            let row = bench.ok(Op::TableInsert, &[table, number, name]);
            assert_eq!(bench.store.row(table, row).unwrap().len(), 24);
        }
    }
    assert_eq!(bench.ok(Op::ContainerLength, &[table]), 2500);
    assert_eq!(bench.ok(Op::TableFind, &[table, 50, names[0]]), NO_ROW);
    assert_ne!(bench.ok(Op::TableFind, &[table, 49, names[49]]), NO_ROW);
    let fault = bench.run(Op::TableFind, &[table, 1]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Internal);
    let (keys, value) = bench.store.table_rows(table).nth(51).unwrap();
    assert_eq!(keys, [Value::Integer(1), Value::Str(b"n1".to_vec())]);
    assert_eq!(value, Value::Integer(0));
}

#[test]
fn bytes_are_packed() {
    let mut bench = Bench::new();
    let array = bench.ok(Op::ContainerNew, &[u64::from(BYTES.0)]);
    for byte in b"packed" {
        let row = bench.ok(Op::ArrayPush, &[array]);
        bench.store.row_mut(array, row).unwrap()[0] = *byte;
    }
    let values: Vec<Value> = bench.store.array_elements(array).collect();
    assert_eq!(values[0], Value::Char(i16::from(b'p')));
    assert_eq!(values.len(), 6);
}

#[test]
fn nested_containers_live_with_their_elements() {
    let mut bench = Bench::new();
    let outer = bench.ok(Op::ContainerNew, &[u64::from(ARRAYS.0)]);
    let before = bench.store.memory_used();
    let mark = bench.ok(Op::ContainerMark, &[]);
    for key in 0..100 {
        let row = bench.ok(Op::TableInsert, &[outer, key]);
        let inner = bench.get(outer, row);
        for value in 0..key {
            let row = bench.ok(Op::ArrayPush, &[inner]);
            bench.set(inner, row, value);
        }
    }
    // A release does not reach them.
    bench.ok(Op::ContainerRelease, &[mark]);
    let row = bench.ok(Op::TableFind, &[outer, 42]);
    let inner = bench.get(outer, row);
    assert_eq!(bench.ok(Op::ContainerLength, &[inner]), 42);
    match bench.store.decode_container(outer) {
        Some(Value::Table(rows)) => match &rows[3].1 {
            Value::Array(values) => assert_eq!(values.len(), 3),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
    bench.ok(Op::TableDelete, &[outer, 42]);
    let fault = bench.run(Op::ContainerLength, &[inner]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Internal);
    let full = bench.store.memory_used();
    bench.ok(Op::ContainerClear, &[outer]);
    assert!(bench.store.memory_used() < full);
    bench.ok(Op::ContainerRelease, &[0]);
    // Only the slab and its lists remain.
    assert!(bench.store.memory_used() < before + 64 * 1024);
}

#[test]
fn a_popped_container_can_still_be_read() {
    let mut bench = Bench::new();
    let stack = bench.ok(Op::ContainerNew, &[u64::from(STACK_OF_TABLES.0)]);
    let row = bench.ok(Op::ArrayPush, &[stack]);
    let table = bench.get(stack, row);
    bench.ok(Op::TableInsert, &[table, 5]);
    let mark = bench.ok(Op::ContainerMark, &[]);
    let row = bench.ok(Op::ArrayPop, &[stack]);
    assert_eq!(bench.get(stack, row), table);
    assert_ne!(bench.ok(Op::TableFind, &[table, 5]), NO_ROW);
    bench.ok(Op::ContainerRelease, &[mark]);
    assert!(bench.run(Op::TableFind, &[table, 5]).is_err());
}

#[test]
fn locals_and_iterators_are_freed_in_bulk_and_memory_is_given_back() {
    let mut bench = Bench::new();
    let global = bench.ok(Op::ContainerNew, &[u64::from(TABLE1.0)]);
    let mut used = Vec::new();
    for _ in 0..3 {
        let mark = bench.ok(Op::ContainerMark, &[]);
        let local = bench.ok(Op::ContainerNew, &[u64::from(TABLE1.0)]);
        for key in 0..1000 {
            bench.ok(Op::TableInsert, &[local, key]);
        }
        bench.ok(Op::IteratorNew, &[local]);
        bench.ok(Op::IteratorNew, &[global]);
        bench.ok(Op::ContainerRelease, &[mark]);
        assert!(bench.run(Op::TableInsert, &[local, 1]).is_err());
        used.push(bench.store.memory_used());
    }
    assert_eq!(used[0], used[2]);
    bench.ok(Op::TableInsert, &[global, 1]);
}

#[test]
fn handle_zero_reads_as_empty() {
    let mut bench = Bench::new();
    assert_eq!(bench.ok(Op::ContainerLength, &[0]), 0);
    assert_eq!(bench.ok(Op::TableFind, &[0, 1]), NO_ROW);
    assert_eq!(bench.ok(Op::TableDelete, &[0, 1]), 0);
    assert_eq!(bench.ok(Op::AggregateSum, &[0]), 0);
    assert_eq!(bench.ok(Op::TableSum, &[0, 8, 0]), 0);
    let iterator = bench.ok(Op::IteratorNew, &[0]);
    assert_eq!(bench.ok(Op::IteratorNext, &[iterator]), NO_ROW);
    let fault = bench.run(Op::ArrayIndex, &[0, 0]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::IndexOutOfRange);
    let fault = bench.run(Op::ArrayPush, &[0]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Internal);
}

#[test]
fn the_memory_limit_is_a_fault_and_leaves_the_container_whole() {
    let limits = Limits {
        memory: 100_000,
        ..LIMITS
    };
    let mut bench = Bench::with(common::constants(vec![], &[]), limits);
    let table = bench.ok(Op::ContainerNew, &[u64::from(TABLE1.0)]);
    let mut key = 0;
    let fault = loop {
        match bench.run(Op::TableInsert, &[table, key]) {
            Ok(row) => bench.set(table, row, key),
            Err(fault) => break fault,
        }
        key += 1;
    };
    assert_eq!(fault.kind, FaultKind::MemoryExhausted);
    assert!(fault.message.unwrap().contains("100.0 kB"));
    assert!(key > 1000, "{key}");
    for known in 0..key {
        let row = bench.ok(Op::TableFind, &[table, known]);
        assert_eq!(bench.get(table, row), known);
    }
    assert_eq!(bench.ok(Op::TableFind, &[table, key]), NO_ROW);
    assert!(bench.store.memory_used() <= 100_000);
    // What is given back can be used again.
    bench.store.release(0);
    let array = bench.ok(Op::ContainerNew, &[u64::from(ARRAY.0)]);
    for _ in 0..1000 {
        bench.ok(Op::ArrayPush, &[array]);
    }
    let big = vec![b'x'; 200_000];
    let fault = bench.store.intern(&big).unwrap_err();
    assert_eq!(fault.kind, FaultKind::MemoryExhausted);
}

#[test]
fn sorting_limits_and_positions() {
    let mut bench = Bench::new();
    let table = bench.ok(Op::ContainerNew, &[u64::from(TABLE1.0)]);
    let words = ["pear", "apple", "fig", "apple"];
    for (key, word) in words.iter().enumerate() {
        let row = bench.ok(Op::TableInsert, &[table, key as u64]);
        let text = bench.text(word);
        bench.set(table, row, text);
    }
    for (descending, limit, expected) in [
        (0, 9, vec![1, 3, 2, 0]),
        (1, 9, vec![0, 2, 1, 3]),
        (0, 2, vec![1, 3]),
        (0, u64::MAX, vec![]),
    ] {
        let iterator = bench.ok(Op::IteratorNew, &[table]);
        loop {
            let row = bench.ok(Op::IteratorNext, &[iterator]);
            if row == NO_ROW {
                break;
            }
            let key = bench.get(table, row);
            bench.ok(Op::IteratorSortKey, &[iterator, key, 3]);
        }
        bench.ok(Op::IteratorSort, &[iterator, descending]);
        bench.ok(Op::IteratorLimit, &[iterator, limit]);
        let mut seen = Vec::new();
        while bench.ok(Op::IteratorNext, &[iterator]) != NO_ROW {
            seen.push(bench.ok(Op::IteratorPosition, &[iterator]));
        }
        assert_eq!(seen, expected);
    }
}

#[test]
fn paths_sort_by_their_frames_from_the_root() {
    let mut bench = Bench::new();
    let array = bench.ok(Op::ContainerNew, &[u64::from(ARRAY.0)]);
    let chains: [&[&str]; 6] = [
        &["b"],
        &["a", "z"],
        &[],
        &["a"],
        &["a", "b", "c"],
        &["a", "b"],
    ];
    for chain in chains {
        let mut path = 0;
        for frame in chain {
            let name = bench.text(frame);
            path = bench.ok(Op::PathAppendStr, &[path, name]);
        }
        let row = bench.ok(Op::ArrayPush, &[array]);
        bench.set(array, row, path);
    }
    let iterator = bench.ok(Op::IteratorNew, &[array]);
    loop {
        let row = bench.ok(Op::IteratorNext, &[iterator]);
        if row == NO_ROW {
            break;
        }
        let path = bench.get(array, row);
        bench.ok(Op::IteratorSortKey, &[iterator, path, 4]);
    }
    bench.ok(Op::IteratorSort, &[iterator, 0]);
    let mut order = Vec::new();
    while bench.ok(Op::IteratorNext, &[iterator]) != NO_ROW {
        order.push(bench.ok(Op::IteratorPosition, &[iterator]));
    }
    assert_eq!(order, [2, 3, 5, 4, 1, 0]);
}

#[test]
fn sums_and_extremes_of_tables() {
    let mut bench = Bench::new();
    let held = bench.ok(Op::ContainerNew, &[u64::from(HELD.0)]);
    for (depth, bytes, count) in [(1_u64, 100_i64, -3_i32), (2, 200, 5), (3, -50, 1)] {
        let path = bench.ok(Op::PathAppendCode, &[0, depth]);
        let row = bench.ok(Op::TableInsert, &[held, path]);
        let row = bench.store.row_mut(held, row).unwrap();
        row[8..16].copy_from_slice(&bytes.to_ne_bytes());
        row[16..20].copy_from_slice(&count.to_ne_bytes());
    }
    assert_eq!(bench.ok(Op::TableSum, &[held, 8, 0]), 250);
    // A field of four bytes is read as such.
    assert_eq!(bench.ok(Op::TableSum, &[held, 16, 0]), 3);
    assert_eq!(bench.ok(Op::TableMin, &[held, 16, 0]) as i64, -3);
    assert_eq!(bench.ok(Op::TableMax, &[held, 8, 0]), 200);
    assert!(bench.run(Op::TableSum, &[held, 999, 0]).is_err());
    let rows: Vec<_> = bench.store.table_rows(held).collect();
    assert_eq!(
        rows[0].1,
        Value::Record(vec![
            ("bytes".into(), Value::Integer(100)),
            ("count".into(), Value::Integer(-3)),
        ])
    );
    assert!(matches!(rows[0].0[..], [Value::Path(_)]));
}

#[test]
fn aggregates_as_operations() {
    let mut bench = Bench::new();
    let aggregate = bench.ok(Op::ContainerNew, &[u64::from(AGGREGATE.0)]);
    for value in [-4_i64, 10, 10] {
        bench.ok(Op::AggregateAdd, &[aggregate, value as u64, 1]);
    }
    assert_eq!(bench.ok(Op::AggregateCount, &[aggregate]), 3);
    assert_eq!(bench.ok(Op::AggregateSum, &[aggregate]), 16);
    assert_eq!(bench.ok(Op::AggregateMin, &[aggregate]) as i64, -4);
    assert_eq!(bench.ok(Op::AggregateAverage, &[aggregate]), 5);
    assert_eq!(bench.ok(Op::AggregateVariance, &[aggregate]), 65);
    let summary = bench.store.aggregate_summary(aggregate).unwrap();
    assert_eq!(summary.buckets, [(-4, -4, 1), (10, 10, 2)]);
    bench.ok(Op::ContainerClear, &[aggregate]);
    assert_eq!(bench.ok(Op::AggregateMax, &[aggregate]), 0);
}
