//! No text of 64 KiB takes the front end a second, or memory out of proportion.
//!
//! `YTRACE_GROWTH=part` runs the inputs whose name holds `part`; with `--nocapture` it prints what
//! each costs.

mod inputs;

use std::alloc::System;
use std::time::Duration;

use cap::Cap;
use rustix::time::{ClockId, clock_gettime};
use ytrace_lang::testing::fuzzing::{FuzzTarget, TARGETS};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The sizes that are compared, in bytes.
const SMALL: usize = 16 << 10;
const LARGE: usize = 64 << 10;

/// How much more the larger text may take. In proportion would be 4, with its square 16.
const GROWTH: u64 = 8;

/// Differences below these are noise, or the cost of what the text merely names.
const FREE_BYTES: u64 = 8 << 20;
const FREE_TIME: Duration = Duration::from_millis(100);

/// The most that is ever in use at once, and the longest time, in the thread's own CPU time.
const MOST_BYTES: usize = 256 << 20;
const MOST_TIME: Duration = Duration::from_secs(1);

/// The others are parts of the first. The lexer's target also reads what it writes, which is no
/// concern of ytrace.
const MEASURED: &[&str] = &["checker", "formatter", "whole"];

/// What one call took.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// Everything that was allocated, freed since or not.
    bytes: u64,
    time: Duration,
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

fn measure(target: &FuzzTarget, text: &str) -> Cost {
    let (bytes, time) = (ALLOCATOR.total_allocated(), cpu_time());
    (target.run)(text.as_bytes());
    Cost {
        bytes: (ALLOCATOR.total_allocated() - bytes) as u64,
        time: cpu_time() - time,
    }
}

/// What both texts take, and what is wrong with it. That counts if it is so three times: another
/// process may take the caches away, but none speeds us up.
fn compare(target: &FuzzTarget, small: &str, large: &str) -> (Cost, Cost, Option<String>) {
    let mut costs = (measure(target, small), measure(target, large));
    let mut wrong = judge(costs.0, costs.1);
    for _ in 0..2 {
        if wrong.is_none() {
            break;
        }
        let again = (measure(target, small), measure(target, large));
        costs.0.time = costs.0.time.min(again.0.time);
        costs.1.time = costs.1.time.min(again.1.time);
        wrong = judge(costs.0, costs.1);
    }
    (costs.0, costs.1, wrong)
}

fn judge(small: Cost, large: Cost) -> Option<String> {
    if large.bytes > small.bytes * GROWTH + FREE_BYTES {
        return Some("allocates out of proportion".to_owned());
    }
    if large.time > small.time * GROWTH as u32 + FREE_TIME {
        return Some("takes time out of proportion".to_owned());
    }
    (large.time > MOST_TIME).then(|| format!("takes longer than {MOST_TIME:?}"))
}

/// One test, because the allocator counts what all threads do.
#[test]
fn hostile_text_costs_in_proportion() {
    a_square_is_noticed();
    let only = std::env::var("YTRACE_GROWTH").unwrap_or_default();
    let mut failures = Vec::new();
    // What is made once belongs to no input.
    let targets: Vec<&FuzzTarget> = TARGETS
        .iter()
        .filter(|target| MEASURED.contains(&target.name))
        .collect();
    assert_eq!(targets.len(), MEASURED.len());
    for target in &targets {
        (target.run)(b"int x; _probe _oneshot { x = 1; }");
    }
    for (name, make) in inputs::INPUTS {
        if !name.contains(&only) {
            continue;
        }
        let (small_text, large_text) = (make(SMALL), make(LARGE));
        for target in &targets {
            let (small, large, wrong) = compare(target, &small_text, &large_text);
            let line = format!(
                "{name}, {}: {} KiB in {:?}, {} KiB in {:?}",
                target.name,
                small.bytes >> 10,
                small.time,
                large.bytes >> 10,
                large.time
            );
            println!("{line}");
            failures.extend(wrong.map(|why| format!("{line}: {why}")));
            let peak = ALLOCATOR.max_allocated();
            assert!(
                peak < MOST_BYTES,
                "{name}, {}: {peak} bytes in use",
                target.name
            );
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The measure sees what it is meant to see.
fn a_square_is_noticed() {
    fn square(data: &[u8]) {
        for length in 0..data.len() / 16 {
            std::hint::black_box(data.get(..length).map(<[u8]>::to_vec));
        }
    }
    let target = FuzzTarget {
        name: "square",
        run: square,
    };
    let (small, large, wrong) = compare(&target, &"x".repeat(SMALL * 2), &"x".repeat(LARGE * 2));
    assert!(wrong.is_some(), "{small:?} {large:?}");
    let slow = Cost {
        bytes: 1,
        time: MOST_TIME * 2,
    };
    assert!(judge(slow, slow).is_some());
}
