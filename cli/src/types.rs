//! `ytrace types`: makes and shows types files, which stand in for debug information.

use std::sync::atomic::AtomicBool;

use ytrace_report::output::write_output;
use ytrace_runtime::types::{Extraction, describe, extract_file, extract_module, module_name};
use ytrace_runtime::{Mode, Options, Session, SessionError};
use ytrace_target::Process;

use crate::arguments::{ExtractArguments, ShowArguments, TypesCommand};
use crate::diagnose::failure;
use crate::failure::{Failure, Status};
use crate::servers::servers;
use crate::terminal::{Terminal, print, safe, say};

/// Ctrl-C ends this command at once.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Runs one of the commands.
pub fn run(command: TypesCommand, terminal: &Terminal) -> Result<Status, Failure> {
    match command {
        TypesCommand::Extract(arguments) => extract(&arguments, terminal),
        TypesCommand::Show(arguments) => show(&arguments),
    }
}

fn extract(arguments: &ExtractArguments, terminal: &Terminal) -> Result<Status, Failure> {
    let extraction = match arguments.pid {
        None => extract_file(
            &arguments.module,
            arguments.debug_file.clone(),
            &arguments.debug_root,
            servers(&arguments.servers, &NEVER, terminal)?,
        )
        .map_err(failure)?,
        Some(pid) => of_process(arguments, pid, terminal)?,
    };
    let extracted = &extraction.extracted;
    write_output(&arguments.output, &extracted.bytes)
        .map_err(|error| failure(SessionError::Output(error)))?;
    print(&format!(
        "{}: {} of {}, {} types, {} variables, {} functions, {} macros, {} symbols, from {}\n",
        safe(&arguments.output.display().to_string()),
        size(extracted.bytes.len()),
        safe(&extraction.module),
        extracted.types,
        extracted.variables,
        extracted.functions,
        extracted.macros,
        extracted.symbols,
        safe(&extraction.source.display().to_string())
    ))?;
    if extracted.problems.is_empty() {
        return Ok(Status::Success);
    }
    let (yellow, _, reset) = terminal.error_colors("\x1b[1;33m", "");
    for problem in &extracted.problems {
        say(&format!(
            "{yellow}warning{reset}: left out: {}\n",
            safe(problem)
        ));
    }
    Ok(Status::Partial)
}

fn of_process(
    arguments: &ExtractArguments,
    pid: i32,
    terminal: &Terminal,
) -> Result<Extraction, Failure> {
    let wanted = arguments.module.to_string_lossy().into_owned();
    let mut options = options(arguments, terminal)?;
    if let Some(file) = &arguments.debug_file {
        // A debug file goes by the module's own name, which a pattern does not give.
        let found = module_name(open(pid, &options)?.names(), &wanted).map_err(failure)?;
        options.debug_files.push((found, file.clone()));
    }
    extract_module(open(pid, &options)?.names(), &wanted).map_err(failure)
}

fn open(pid: i32, options: &Options) -> Result<Session<'_>, Failure> {
    let process = Process::open(pid).map_err(|error| failure(SessionError::Open(error)))?;
    Session::open(process, options).map_err(failure)
}

fn options(arguments: &ExtractArguments, terminal: &Terminal) -> Result<Options, Failure> {
    Ok(Options {
        mode: Mode::Live,
        debug_roots: arguments.debug_root.clone(),
        debuginfod: servers(&arguments.servers, &NEVER, terminal)?,
        ..Options::default()
    })
}

fn show(arguments: &ShowArguments) -> Result<Status, Failure> {
    let mut text = String::new();
    for (index, file) in arguments.files.iter().enumerate() {
        let lines = describe(file).map_err(|error| failure(SessionError::DebugInfo(error)))?;
        if arguments.files.len() > 1 {
            if index > 0 {
                text.push('\n');
            }
            text.push_str(&format!("{}:\n", safe(&file.display().to_string())));
        }
        for line in lines {
            text.push_str(&safe(&line));
            text.push('\n');
        }
    }
    print(&text)?;
    Ok(Status::Success)
}

/// A size in the largest unit in which it is at least one.
fn size(bytes: usize) -> String {
    match bytes {
        0..=1023 => format!("{bytes} bytes"),
        1024..=1_048_575 => format!("{:.0} KB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}
