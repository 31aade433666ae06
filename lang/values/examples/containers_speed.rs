//! Prints what the hot operations of a store cost: `cargo run --release -p ytrace-values
//! --example containers_speed`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use ytrace_values::constants::{ContainerType, ContainerTypeId, Element, Scalar, Shape, ShapeId};
use ytrace_values::operation::NO_ROW;
use ytrace_values::{Constants, Fault, FrameWord, Limits, Store};

fn main() -> Result<(), Fault> {
    let word = Element::Value {
        size: 8,
        shape: ShapeId(0),
    };
    let constants = Constants {
        shapes: vec![Shape::Scalar(Scalar::Signed(8))],
        containers: vec![
            ContainerType::Table {
                key: vec![Scalar::Pointer],
                key_shapes: vec![(ShapeId(0), 1)],
                element: word.clone(),
            },
            ContainerType::Array { element: word },
        ],
        ..Constants::default()
    };
    let limits = Limits {
        memory: 4 << 30,
        output: 1 << 20,
        string: 4096,
    };
    let mut store = Store::new(Arc::new(constants), limits);
    for count in [1_000_u64, 20_000, 200_000, 1_000_000, 4_000_000] {
        table(&mut store, count)?;
    }
    for (parents, frames) in [(100, 10), (10_000, 10), (100_000, 10)] {
        paths(&mut store, parents, frames)?;
    }
    let array = store.container_new(ContainerTypeId(1))?;
    let operations = 10_000_000;
    report("array push", operations, || {
        for value in 0..operations {
            let row = store.array_push(array)?;
            if let Some(bytes) = store.row_mut(array, row) {
                bytes.copy_from_slice(&value.to_ne_bytes());
            }
        }
        Ok(())
    })?;
    report("array shift", operations, || {
        for _ in 0..operations {
            black_box(store.array_shift(array)?);
        }
        Ok(())
    })
}

fn table(store: &mut Store, count: u64) -> Result<(), Fault> {
    let mark = store.mark();
    let table = store.container_new(ContainerTypeId(0))?;
    // Addresses in no order, 16 bytes apart.
    let key = |index: u64| 0x7f00_0000_0000 + (index.wrapping_mul(0x9e37_79b1) % count) * 16;
    report(&format!("insert of {count} keys"), count, || {
        for index in 0..count {
            let row = store.table_insert1(table, key(index))?;
            if let Some(bytes) = store
                .row_mut(table, row)
                .and_then(|row| row.last_chunk_mut())
            {
                *bytes = index.to_ne_bytes();
            }
        }
        Ok(())
    })?;
    let rounds = (8_000_000 / count).max(1);
    report(&format!("find among {count}"), count * rounds, || {
        for _ in 0..rounds {
            for index in 0..count {
                black_box(store.table_find1(table, key(index)));
            }
        }
        Ok(())
    })?;
    report(&format!("miss among {count}"), count * rounds, || {
        for _ in 0..rounds {
            for index in 0..count {
                let row = store.table_find1(table, key(index) + 8);
                assert_eq!(row, Some(NO_ROW));
            }
        }
        Ok(())
    })?;
    store.release(mark);
    Ok(())
}

fn paths(store: &mut Store, parents: u64, frames: u64) -> Result<(), Fault> {
    let root = store.path_append(0, FrameWord::Code(parents))?;
    for (what, rounds) in [("new", 1), ("known", 5)] {
        report(
            &format!("path append, {what}, {} nodes", parents * frames),
            parents * frames * rounds,
            || {
                for _ in 0..rounds {
                    for parent in 0..parents {
                        let mut path = store.path_append(root, FrameWord::Code(parent))?;
                        for frame in 1..frames {
                            path = store.path_append(path, FrameWord::Code(frame))?;
                        }
                        black_box(path);
                    }
                }
                Ok(())
            },
        )?;
    }
    Ok(())
}

fn report(
    what: &str,
    operations: u64,
    run: impl FnOnce() -> Result<(), Fault>,
) -> Result<(), Fault> {
    let start = Instant::now();
    run()?;
    let each = start.elapsed().as_nanos() as f64 / operations as f64;
    println!("{what:40} {each:7.1} ns  {:7.1} M/s", 1000.0 / each);
    Ok(())
}
