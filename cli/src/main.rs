//! `ytrace`: asks a running process why it holds its memory.
//!
//! One file a command. Data goes to standard output, everything else to standard error. Exit
//! status: 0 success, 1 the probe failed, 2 wrong usage or environment, 3 a partial result.
#![forbid(unsafe_code)]

mod arguments;
mod audit;
mod check;
mod core_file;
mod diagnose;
mod diff;
mod doctor;
mod failure;
mod files;
mod fmt;
mod groups;
mod list;
mod packages;
mod pages;
mod ps;
mod repl;
mod run;
mod servers;
mod stream;
mod terminal;
mod types;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Cli, Command};

/// The size of a block that teaches the allocator of the C library to keep memory, in bytes. It is never touched.
const LARGE_BLOCK: usize = 30 << 20;

fn main() -> ExitCode {
    // The allocator returns freed memory to the kernel at a threshold that rises to twice the largest block that was freed.
    // A program is compiled in phases that free megabytes and take them again, each page of which would fault anew.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE_BLOCK)));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no failure.
            let status = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    let terminal = terminal::Terminal::detect(cli.color);
    let result = match cli.command {
        Command::Run(arguments) => run::run(*arguments, &terminal),
        Command::Repl(arguments) => repl::run(*arguments, &terminal),
        Command::Check(arguments) => check::run(arguments, &terminal),
        Command::Fmt(arguments) => fmt::run(arguments, &terminal),
        Command::Types(command) => types::run(command, &terminal),
        Command::Diff(arguments) => diff::run(&arguments, &terminal),
        Command::Ps(arguments) => ps::run(arguments, &terminal),
        Command::List(arguments) => list::run(&arguments, &terminal),
        Command::Doc(arguments) => packages::doc(&arguments),
        Command::New(arguments) => packages::new(&arguments),
        Command::Test(arguments) => packages::test(&arguments, &terminal),
        Command::Add(arguments) => packages::add(&arguments),
        Command::Remove(arguments) => packages::remove(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments, &terminal),
        Command::Completions(arguments) => pages::completions(&arguments),
        Command::Man(arguments) => pages::man(&arguments),
    };
    match result {
        Ok(status) => status.into(),
        Err(failure) => {
            failure.print(&terminal);
            failure.status().into()
        }
    }
}
