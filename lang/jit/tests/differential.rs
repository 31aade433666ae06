//! Random programs give the same in the interpreter and as machine code: result or fault with
//! its address, place and call chain, steps, globals, output.
//!
//! `YTRACE_DIFFERENTIAL_CASES` says how many programs are tried.

mod common;
#[path = "common/generate.rs"]
mod generate;

use std::sync::Arc;

use common::{compile, options, run_on};
use proptest::prelude::*;
use ytrace_jit::{CompiledProgram, Jit};
use ytrace_lang::execute::Outcome;
use ytrace_lang::interpret::Interpreter;
use ytrace_lang::ir::Program;
use ytrace_values::FaultKind;

fn cases() -> u32 {
    std::env::var("YTRACE_DIFFERENTIAL_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(500)
}

/// Internal errors tell of the same defect in other words.
fn normal(mut outcome: Outcome) -> Outcome {
    if let Err(fault) = &mut outcome.result
        && fault.fault.kind == FaultKind::Internal
    {
        fault.fault.message = None;
    }
    outcome
}

fn dump(program: &Program) -> String {
    let mut text = String::new();
    for (number, function) in program.functions.iter().enumerate() {
        text += &format!("f{number} {:?}\n", function.registers);
        for (number, block) in function.blocks.iter().enumerate() {
            text += &format!("  b{number} on_fault {:?}\n", block.on_fault);
            for instruction in &block.instructions {
                text += &format!("    {:?} {:?}\n", instruction.span, instruction.kind);
            }
            text += &format!("    {:?}\n", block.terminator);
        }
    }
    text
}

fn agree(words: Vec<u32>) -> Result<(), TestCaseError> {
    let case = generate::case(words);
    let mut interpreter = Interpreter::new(Arc::clone(&case.program));
    let mut jit = compile(&case.program);
    // Twice, since executors keep memory between runs.
    for _ in 0..2 {
        let mut memory = generate::memory();
        let (expected, globals, printed) =
            run_on(&mut interpreter, &case.program, &mut memory, case.budget);
        let (found, found_globals, found_printed) =
            run_on(&mut jit, &case.program, &mut memory, case.budget);
        prop_assert_eq!(normal(found), normal(expected), "\n{}", dump(&case.program));
        prop_assert_eq!(found_globals, globals);
        prop_assert_eq!(found_printed, printed);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_programs_agree(words in prop::collection::vec(any::<u32>(), 0..600)) {
        agree(words)?;
    }
}

/// The programs are worth comparing: they end in many ways, and not at once.
#[test]
fn random_programs_end_in_many_ways() {
    let mut ways = std::collections::BTreeMap::<String, u32>::new();
    let mut state = 1_u64;
    for _ in 0..400 {
        let words = (0..400)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 33) as u32
            })
            .collect();
        let case = generate::case(words);
        let mut interpreter = Interpreter::new(Arc::clone(&case.program));
        let mut memory = generate::memory();
        let (outcome, ..) = run_on(&mut interpreter, &case.program, &mut memory, case.budget);
        let way = match outcome.result {
            Ok(_) => "returned",
            Err(fault) => fault.fault.kind.name(),
        };
        *ways.entry(way.to_owned()).or_default() += 1;
    }
    assert!(ways.len() >= 8, "{ways:?}");
    assert!(
        ways.get("returned").is_some_and(|&count| count > 60),
        "{ways:?}"
    );
    println!("{ways:?}");
}

#[test]
fn code_is_shared_between_threads() {
    let words = (0..500_u32)
        .map(|at| at.wrapping_mul(2_654_435_761))
        .collect();
    let case = generate::case(words);
    let code = CompiledProgram::compile(Arc::clone(&case.program), options()).expect("compiles");
    let code = Arc::new(code);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut jit = Jit::new(Arc::clone(&code));
                    let mut memory = generate::memory();
                    run_on(&mut jit, &case.program, &mut memory, case.budget).0
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("the run ends"))
            .collect()
    });
    assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]));
}
