//! Captured stacks: the quick way against the full tables and against the unwinder of the C++ runtime, on programs of several
//! languages at their every instruction.

#[path = "common/captures.rs"]
mod captures;
mod common;

use std::collections::BTreeMap;

use captures::{Capture, Code, Programs, Tally, VARIANTS, compare, slowly, unavailable};
use common::{run, skip};
use ytrace_debuginfo::{
    CapturedStack, CodeMap, Cut, MAX_FRAMES, MappedModule, REGISTERS, Stack, Unwinder,
};
use ytrace_tests::processes::{Random, rounds, seed};

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
        let (mut shortened, mut lost) = (0, 0);
        let tally = compare(
            &mut captures,
            variant.debug_frame,
            &mut |capture, stack, code, fast, slow| {
                lost += usize::from(stack.cut == Some(Cut::Lost));
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
        // All registers are known where a stack is captured, also in procedure linkage tables, whose rules ask for the address.
        assert_eq!(lost, 0, "{}", variant.name);
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

/// How many stacks are made up; `YTRACE_TEST_ROUNDS` says otherwise.
const MADE_UP: usize = 22_000;

/// So many are made of one that was captured.
const MADE_OF_EACH: usize = 50;

/// A word that leads an unwinder astray: an address of code or of the stack, or one near it, a small or a huge number.
fn nonsense(random: &mut Random, capture: &Capture, code: &Code) -> u64 {
    let near = random.below(64).wrapping_sub(32);
    let start = capture.registers[7];
    match random.below(8) {
        0..=2 => code.somewhere(random.below(u64::MAX)),
        3 | 4 => start.wrapping_add(random.below(capture.memory.len() as u64 + 64) & !7),
        5 => start.wrapping_add(near),
        6 => near,
        _ => random.below(u64::MAX) << random.below(64),
    }
}

/// A stack with some of its words, its registers and its place replaced.
fn made_up(random: &mut Random, capture: &Capture, code: &Code) -> Capture {
    let mut made = Capture {
        instruction_pointer: capture.instruction_pointer,
        registers: capture.registers,
        memory: capture.memory.clone(),
        truth: Vec::new(),
        crashed: false,
    };
    if random.below(2) == 0 {
        made.instruction_pointer = code.somewhere(random.below(u64::MAX));
    }
    for _ in 0..random.below(4) {
        let register = usize::try_from(random.below(16)).unwrap();
        // The memory stays where it is.
        if register != 7 {
            made.registers[register] = nonsense(random, capture, code);
        }
    }
    let most = 1 << random.below(12);
    for _ in 0..random.below(most) {
        let words = capture.memory.len() as u64 / 8;
        // Most of what is read lies near the stack pointer.
        let at = usize::try_from(random.below(words) >> random.below(10)).unwrap() * 8;
        let word = nonsense(random, capture, code).to_ne_bytes();
        if let Some(place) = made.memory.get_mut(at..at + 8) {
            place.copy_from_slice(&word);
        }
    }
    if random.below(4) == 0 {
        // The same frames again and again.
        let words = capture.memory.len() as u64 / 8;
        let length = 1 + random.below(64);
        let from = random.below(words.saturating_sub(length).min(64));
        let (from, length) = (from as usize * 8, length as usize * 8);
        for at in from + length..made.memory.len() {
            made.memory[at] = made.memory[at - length];
        }
    }
    if random.below(4) == 0 {
        let length = random.below(made.memory.len() as u64 + 1);
        made.memory.truncate(usize::try_from(length).unwrap());
    }
    made
}

#[test]
fn stacks_that_are_made_up_end_in_the_same_way_by_both() {
    if let Some(why) = unavailable() {
        return skip("stacks that are made up", &why);
    }
    let most = rounds(MADE_UP);
    let programs = Programs::new();
    let mut random = Random::new(seed());
    let (mut tried, mut frames, mut longest) = (0, 0, 0);
    let mut recognized = 0;
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for variant in &VARIANTS {
        let each = most.div_ceil(VARIANTS.len() * MADE_OF_EACH).max(1);
        let mut captures = programs.start(variant, each, 199);
        compare(
            &mut captures,
            variant.debug_frame,
            &mut |capture, _, code, fast, slow| {
                let mut stack = Stack::default();
                let before = fast.recognized();
                let whole = slowly(slow, capture, &capture.memory, code);
                for _ in 0..MADE_OF_EACH {
                    // Once it has come twice it is recognized.
                    fast.captured(&capture.captured(), code, &mut stack);
                    assert_eq!(stack, whole);
                    let made = made_up(&mut random, capture, code);
                    let expected = slowly(slow, &made, &made.memory, code);
                    for _ in 0..3 {
                        fast.captured(&made.captured(), code, &mut stack);
                        assert_eq!(stack, expected, "{:#x?}", made.captured());
                    }
                    let entry = CapturedStack {
                        at_entry: true,
                        ..made.captured()
                    };
                    let end = stack.cut.map_or("whole".to_owned(), |cut| {
                        let cut = format!("{cut:?}");
                        cut.split('(').next().unwrap_or_default().to_owned()
                    });
                    *ends.entry(end).or_default() += 1;
                    frames += stack.frames.len();
                    longest = longest.max(stack.frames.len());
                    fast.captured(&entry, code, &mut stack);
                    tried += 1;
                }
                recognized += fast.recognized() - before;
            },
        );
    }
    println!(
        "{tried} stacks made up, {frames} frames, {longest} at most, {recognized} recognized: {ends:?}"
    );
    assert!(recognized > tried as u64 / 2, "{recognized}");
    assert!(tried >= most);
    assert!(longest <= MAX_FRAMES, "{longest}");
    // They are nonsense of every kind.
    assert!(ends.len() >= 4, "{ends:?}");
}

/// Code that no module has.
struct Made;

impl CodeMap for Made {
    fn module_at(&self, _: u64) -> Option<MappedModule<'_>> {
        None
    }

    fn is_code(&self, address: u64) -> bool {
        (0x1000..0x2000).contains(&address)
    }
}

/// The stack of a thread in code without tables, with this memory from 0x7000 and this frame pointer.
fn uncovered(words: &[u64], frame_pointer: u64, at_entry: bool) -> Stack {
    let memory: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let mut registers = [0; REGISTERS];
    let (frame, pointer) = if cfg!(target_arch = "x86_64") {
        (6, 7)
    } else {
        (29, 31)
    };
    (registers[frame], registers[pointer]) = (frame_pointer, 0x7000);
    let captured = CapturedStack {
        instruction_pointer: 0x1500,
        registers,
        memory: &memory,
        at_entry,
    };
    let mut stack = Stack::default();
    Unwinder::default().captured(&captured, &Made, &mut stack);
    stack
}

#[test]
fn code_without_tables_is_left_by_plausible_frame_pointers_and_stacks_say_why_they_end() {
    // The return address, then a chain of two frame pointers.
    let words = [0x1600, 0x7018, 0x1700, 0x7028, 0x1800, 0, 0x9999];
    let stack = uncovered(&words, 0x7008, true);
    assert_eq!(stack.frames, [0x1500, 0x15ff, 0x16ff, 0x17ff]);
    assert_eq!(stack.by_frame_pointer, [2, 3]);
    assert_eq!(
        (stack.cut, stack.uncovered),
        (Some(Cut::NoTable), Some(0x15ff))
    );
    // Elsewhere than at the entry, the frame pointer is all there is.
    let stack = uncovered(&words, 0x7008, false);
    assert_eq!(stack.frames, [0x1500, 0x16ff, 0x17ff]);
    assert_eq!(stack.by_frame_pointer, [1, 2]);
    // With a word less, it is said how much is missing.
    let stack = uncovered(&words[..6], 0x7008, false);
    assert_eq!((stack.cut, stack.bytes), (Some(Cut::Slice(56)), 56));
    // Values that lead below the stack pointer, beside words, or far away are no frame pointers.
    for wrong in [0, 0x6ff8, 0x7009, 0x7000 + (65 << 20)] {
        let stack = uncovered(&words, wrong, false);
        assert_eq!(
            (&stack.frames[..], stack.cut),
            (&[0x1500][..], Some(Cut::NoTable))
        );
    }
}
