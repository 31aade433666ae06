//! How many captured stacks are unwound in a second, by kept rows and by the full tables, and how many are as the C++ runtime's
//! unwinder has them.
//!
//! `cargo bench -p ytrace-debuginfo --bench unwind [-- COMMAND...]`: of the programs that the tests build, or of a command. Nothing
//! else than the command's first process is looked at. `YTRACE_STACKS` and `YTRACE_EVERY` say how many stacks there are, and of one
//! in how many instructions.

#[path = "../tests/common/captures.rs"]
mod captures;

use std::path::Path;
use std::process::Command;

use captures::{Captures, Programs, Tally, VARIANTS, compare, unavailable};

/// What `cargo bench` hands over.
const BENCH: &str = "--bench";

/// Runs a tool that the programs are built with.
fn run(tool: &str, arguments: &[&str], folder: &Path) {
    let status = Command::new(tool)
        .args(arguments)
        .current_dir(folder)
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{tool} {arguments:?}"
    );
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| {
        text.parse()
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    })
}

fn main() {
    if let Some(why) = unavailable() {
        println!("unwind: skipped: {why}");
        return;
    }
    let stacks = number("YTRACE_STACKS", 220_000);
    let every = number("YTRACE_EVERY", 29);
    let programs = Programs::new();
    let mut words = std::env::args_os()
        .skip(1)
        .filter(|word| word.as_os_str() != BENCH);
    if let Some(program) = words.next() {
        let mut command = Command::new(program);
        command.args(words).env("LD_PRELOAD", programs.library());
        let mut captures = Captures::of(&mut command, stacks, every);
        compare(&mut captures, false, &mut |_, _, _, _, _| {}).show("the command");
        return;
    }
    let mut total = Tally::default();
    for variant in &VARIANTS {
        let mut captures = programs.start(variant, stacks / VARIANTS.len(), every);
        let tally = compare(&mut captures, variant.debug_frame, &mut |_, _, _, _, _| {});
        tally.show(variant.name);
        total.add(&tally);
    }
    total.show("all");
}
