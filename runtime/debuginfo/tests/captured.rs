//! Captured stacks: the quick way against the full tables and against the unwinder of the C++ runtime, on programs of several
//! languages at their every instruction.

#[path = "common/captures.rs"]
mod captures;
mod common;

use captures::{Capture, Code, Programs, Tally, VARIANTS, compare, slowly, unavailable};
use common::{run, skip};
use ytrace_debuginfo::{CapturedStack, Cut, Stack, Unwinder};

/// How many stacks are captured in all; `YTRACE_STACKS` says otherwise.
const STACKS: usize = 110_000;

/// A program captures one in so many instructions.
const EVERY: usize = 29;

/// Of how many stacks one is cut short, too.
const SHORTENED: u64 = 16;

#[test]
fn captured_stacks_are_those_of_the_full_tables_and_of_another_unwinder() {
    if let Some(why) = unavailable() {
        return skip("captured stacks", &why);
    }
    let stacks = std::env::var("YTRACE_STACKS").map_or(STACKS, |text| text.parse().unwrap());
    let programs = Programs::new();
    let mut total = Tally::default();
    for variant in &VARIANTS {
        let mut captures = programs.start(variant, stacks / VARIANTS.len(), EVERY);
        let mut random = 1u64;
        let mut shortened = 0;
        let tally = compare(
            &mut captures,
            variant.debug_frame,
            &mut |capture, stack, code, fast, slow| {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                if (random >> 40).is_multiple_of(SHORTENED) {
                    let length =
                        usize::try_from(random >> 33).unwrap() % (capture.memory.len() + 1);
                    shorten(capture, stack, length, code, fast, slow);
                    shortened += 1;
                }
            },
        );
        tally.show(variant.name);
        assert!(shortened > tally.stacks / 64, "{shortened}");
        // No stack is cut off silently: what differs from the peer is not a beginning of what that has.
        let known = tally.stacks - tally.crashed - tally.beyond;
        assert!(
            tally.different * 1000 <= known * 5,
            "{}: {tally:?}",
            variant.name
        );
        assert!(
            (tally.equal + tally.beyond) * 100 >= tally.stacks * 85,
            "{tally:?}"
        );
        total.add(&tally);
    }
    total.show("all");
}

/// Unwinds with less of the stack, then with as much as is asked for, until there is enough.
fn shorten(
    capture: &Capture,
    whole: &Stack,
    length: usize,
    code: &Code,
    fast: &mut Unwinder,
    slow: &mut Unwinder,
) {
    let mut length = length;
    let mut stack = Stack::default();
    let mut frames = 0;
    loop {
        let memory = &capture.memory[..length];
        let captured = CapturedStack {
            memory,
            ..capture.captured()
        };
        fast.captured(&captured, code, &mut stack);
        assert_eq!(stack, slowly(slow, capture, memory, code));
        // One with less memory has fewer frames, unless it went another way for want of a register.
        assert!(stack.frames.len() >= frames);
        frames = stack.frames.len();
        match stack.cut {
            Some(Cut::Slice(needed)) => {
                assert!(whole.frames.starts_with(&stack.frames));
                let needed = usize::try_from(needed).unwrap();
                assert!(needed > length, "{needed} bytes of {length}");
                assert_eq!(stack.bytes, needed as u64);
                if needed > capture.memory.len() {
                    assert_eq!(stack.cut, whole.cut);
                    return;
                }
                length = needed;
            }
            _ => {
                assert_eq!(&stack, whole);
                assert!(stack.bytes <= length as u64 || stack.cut.is_some());
                return;
            }
        }
    }
}
