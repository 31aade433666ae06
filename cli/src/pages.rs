//! What is made of the table behind `--help`: completions of shells, and man pages.

use std::path::Path;

use clap::CommandFactory;

use crate::arguments::{Cli, CompletionsArguments, ManArguments};
use crate::failure::{Failure, Status};
use crate::terminal;

/// Prints what a shell reads to complete the words of `ytrace`.
pub fn completions(arguments: &CompletionsArguments) -> Result<Status, Failure> {
    let mut bytes = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "ytrace", &mut bytes);
    terminal::print_bytes(&bytes)?;
    Ok(Status::Success)
}

/// Writes a man page for `ytrace` and one for each of its commands into a directory.
pub fn man(arguments: &ManArguments) -> Result<Status, Failure> {
    let directory = &arguments.directory;
    std::fs::create_dir_all(directory).map_err(|error| failed(directory, &error))?;
    let mut command = without_help(Cli::command());
    command.build();
    clap_mangen::generate_to(command, directory).map_err(|error| failed(directory, &error))?;
    Ok(Status::Success)
}

/// A command and those below it without `help COMMAND`, which says what the pages say.
fn without_help(command: clap::Command) -> clap::Command {
    command
        .disable_help_subcommand(true)
        .mut_subcommands(without_help)
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{}: {error}", path.display()))
}
