//! What of a store outlives its program, and values written for a reader at a prompt.

mod common;

use std::sync::Arc;

use common::{AGGREGATE, ARRAY, ARRAYS, BASE, Bench, POINT, TABLE1, constants};
use ytrace_values::constants::ContainerTypeId;
use ytrace_values::show::{MarkKind, Place, Radix, Style};
use ytrace_values::{Constants, Operation as Op, Store};

/// The same program with its container types the other way round, so that each has another number.
fn reversed() -> Constants {
    let mut after = constants(vec![], &[]);
    let last = after.containers.len() as u32 - 1;
    after.containers.reverse();
    for container in &mut after.containers {
        use ytrace_values::constants::{ContainerType, Element};
        if let ContainerType::Array { element } | ContainerType::Table { element, .. } = container
            && let Element::Container(inner) = element
        {
            *inner = ContainerTypeId(last - inner.0);
        }
    }
    after
}

fn make(bench: &mut Bench, ty: ContainerTypeId) -> u64 {
    bench.ok(Op::ContainerNew, &[u64::from(ty.0)])
}

fn there(bench: &Bench, handle: u64) -> bool {
    bench.store.decode_container(handle).is_some()
}

/// The bench with the store of the next program.
fn succeed(bench: Bench, after: Constants) -> Bench {
    Bench {
        store: Store::succeed(bench.store, Arc::new(after)),
        ..bench
    }
}

#[test]
fn containers_that_are_kept_take_the_types_of_the_next_program() {
    let mut bench = Bench::new();
    let text = bench.text("kept");
    let outer = make(&mut bench, ARRAYS);
    let row = bench.ok(Op::TableInsert, &[outer, 7]);
    let inner = bench.get(outer, row);
    let place = bench.ok(Op::ArrayPush, &[inner]);
    bench.set(inner, place, 42);
    let count = make(&mut bench, AGGREGATE);
    bench.ok(Op::AggregateAdd, &[count, 5, 1]);
    let dropped = make(&mut bench, TABLE1);
    bench.ok(Op::IteratorNew, &[outer]);

    let before = bench.store.constants.clone();
    let mark = bench.store.mark();
    let mut bench = succeed(bench, reversed());
    let last = bench.store.constants.containers.len() as u32 - 1;
    let later = |ty: ContainerTypeId| ContainerTypeId(last - ty.0);
    let new_outer = make(&mut bench, later(ARRAYS));
    let new_count = make(&mut bench, later(AGGREGATE));
    let fresh = make(&mut bench, later(ARRAY));
    let stay =
        bench
            .store
            .keep_containers(&before, mark, &[(outer, new_outer), (count, new_count)]);
    assert_eq!(stay, [true, true]);
    assert!(!there(&bench, dropped) && !there(&bench, new_outer));
    assert!(!there(&bench, new_count) && there(&bench, fresh));
    assert_eq!(bench.store.string(text), b"kept");
    let shown = |bench: &mut Bench, handle| bench.string(Op::ContainerText, &[handle]);
    assert_eq!(shown(&mut bench, outer), "{[7] = {42}}");
    assert_eq!(bench.ok(Op::AggregateSum, &[count]), 5);
    // New rows are of the new types.
    let row = bench.ok(Op::TableInsert, &[outer, 8]);
    let inner = bench.get(outer, row);
    bench.ok(Op::ArrayPush, &[inner]);
    assert_eq!(shown(&mut bench, outer), "{[7] = {42}, [8] = {0}}");
    // What is kept is not freed with what a later block makes.
    let mark = bench.store.mark();
    make(&mut bench, later(TABLE1));
    bench.store.release(mark);
    assert!(there(&bench, outer));
}

#[test]
fn containers_of_another_kind_are_not_kept() {
    let mut bench = Bench::new();
    let table = make(&mut bench, TABLE1);
    let list = make(&mut bench, ARRAY);
    let before = bench.store.constants.clone();
    let mark = bench.store.mark();
    let used = bench.store.memory_used();
    let mut bench = succeed(bench, constants(vec![], &[]));
    let other = make(&mut bench, ARRAYS);
    let third = make(&mut bench, AGGREGATE);
    let stay =
        bench
            .store
            .keep_containers(&before, mark, &[(table, other), (list, third), (99, 98)]);
    assert_eq!(stay, [false, false, false]);
    assert!(!there(&bench, table) && !there(&bench, list));
    assert!(there(&bench, other) && there(&bench, third));
    let empty = bench.store.keep_containers(&before, u64::MAX, &[]);
    assert!(empty.is_empty() && !there(&bench, other));
    assert!(bench.store.memory_used() <= used);
}

#[test]
fn outlines_say_where_lines_may_be_broken() {
    let mut bench = Bench::new();
    bench.poke(BASE, &[7, 0, 0, 0, 0b1010_1000]);
    bench.poke(BASE + 8, &2_u32.to_le_bytes());
    bench.poke(BASE + 24, b"tag");
    let mut machine = ytrace_values::Machine {
        store: &mut bench.store,
        memory: &mut bench.memory,
        host: &mut bench.host,
    };
    let outline = machine
        .outline(POINT, Place::Target(BASE), Style::default())
        .unwrap();
    let text = String::from_utf8(outline.text.clone()).unwrap();
    assert_eq!(
        text,
        "{x = 7, flag = 21, delta = 2, colour = GREEN, name = 0x0, tag = \"tag\", n = {0, 0, 0, 0}}"
    );
    let mut depth = 0;
    for mark in &outline.marks {
        match mark.kind {
            MarkKind::Open => {
                depth += 1;
                assert!(text[..mark.at].ends_with('{'));
            }
            MarkKind::Close => {
                depth -= 1;
                assert!(text[mark.at..].starts_with('}'));
            }
            MarkKind::Separator => assert!(text[..mark.at].ends_with(',')),
        }
    }
    assert_eq!((depth, outline.marks.len()), (0, 13));
    let style = Style {
        radix: Radix::Hexadecimal,
        elements: Some(2),
        ..Style::default()
    };
    let outline = machine.outline(POINT, Place::Target(BASE), style).unwrap();
    let text = String::from_utf8(outline.text).unwrap();
    assert_eq!(
        text,
        "{x = 0x7, flag = 0x15, delta = 0x2, colour = 0x2, name = 0x0, tag = {0x74, 0x61, …}, n = {0x0, 0x0, …}}"
    );
    assert!(
        machine
            .outline(POINT, Place::Target(8), Style::default())
            .is_err()
    );
}
