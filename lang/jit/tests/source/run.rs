//! Runs of generated programs on both executors.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ytrace_jit::{CompiledProgram, Jit, Options};
use ytrace_lang::interpret::Interpreter;
use ytrace_lang::testing::filetest::{Compiled, Filetest, Phase, Transcript};
use ytrace_lang::testing::world::PAGE_SIZE;
use ytrace_values::FaultKind;

use super::types::WORLD;

/// What became of a program.
pub enum Verdict {
    /// Both executors agree.
    Alike(Box<Transcript>),
    /// The checker or the lowering refuses it.
    Refused(String),
    /// They do not agree, or something panicked.
    Different(String),
}

/// The target of all programs.
pub fn world() -> Filetest {
    Filetest::of(Phase::Run, WORLD, String::new())
        .expect("well-formed directives")
        .with_target()
}

fn options() -> Options {
    Options {
        // Few entries, so that they collide.
        cache_entries: 8,
        ..Options::new(PAGE_SIZE)
    }
}

/// What machine code does with a compiled program.
pub fn native(test: &Filetest, compiled: &Compiled) -> Result<Transcript, String> {
    let code = CompiledProgram::compile(Arc::clone(&compiled.program), options())
        .map_err(|error| format!("{error}: {error:?}"))?;
    Ok(test.run(compiled, Box::new(Jit::new(Arc::new(code)))))
}

/// Internal errors are defects even where both executors have them.
fn internal(transcript: &Transcript) -> bool {
    transcript.outcomes.iter().any(|(_, outcome)| {
        matches!(&outcome.result, Err(fault) if fault.fault.kind == FaultKind::Internal)
    })
}

/// Where two transcripts differ, line by line.
fn difference(expected: &Transcript, found: &Transcript) -> String {
    let lines = |transcript: &Transcript| -> Vec<String> {
        format!("{transcript:#?}")
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let (expected, found) = (lines(expected), lines(found));
    let same = expected
        .iter()
        .zip(&found)
        .take_while(|(left, right)| left == right)
        .count();
    let part = |lines: &[String]| {
        let from = same.saturating_sub(12);
        lines[from.min(lines.len())..(same + 12).min(lines.len())].join("\n")
    };
    format!(
        "the interpreter gives\n{}\nand machine code\n{}\n",
        part(&expected),
        part(&found)
    )
}

/// Compiles a program and compares the executors.
pub fn verdict(world: &Filetest, text: &str) -> Verdict {
    let attempt = catch_unwind(AssertUnwindSafe(|| {
        let test = match world.with_program(text) {
            Ok(test) => test,
            Err(message) => return Verdict::Refused(message),
        };
        let compiled = match test.compile("t.y") {
            Ok(compiled) => compiled,
            Err(message) => return Verdict::Refused(message),
        };
        let expected = test.run(
            &compiled,
            Box::new(Interpreter::new(Arc::clone(&compiled.program))),
        );
        if internal(&expected) {
            return Verdict::Different(format!("an internal error: {:#?}", expected.outcomes));
        }
        match native(&test, &compiled) {
            Ok(found) if found == expected => Verdict::Alike(Box::new(expected)),
            Ok(found) => Verdict::Different(difference(&expected, &found)),
            Err(message) => Verdict::Different(format!("it is not compiled: {message}")),
        }
    }));
    attempt.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default();
        Verdict::Different(format!("a panic: {text}"))
    })
}
