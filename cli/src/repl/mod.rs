//! `ytrace repl`: a process or a core file, looked at line by line.

mod commands;
mod documents;
mod editor;
mod events;
mod foreign;
mod heap;
mod lines;
mod look;
mod memory;
mod names;
mod output;
mod paint;
mod probes;
mod redirect;
mod script;
mod signature;
mod view;
mod what;

use std::cell::RefCell;
use std::io::IsTerminal;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use ytrace_runtime::identity::core_in_words;
use ytrace_runtime::interactive::Interactive;
use ytrace_runtime::{Budgets, Mode, Options, Session, SessionError};
use ytrace_target::Process;

use crate::arguments::ReplArguments;
use crate::core_file;
use crate::diagnose::failure;
use crate::failure::{Failure, Status};
use crate::terminal::{Terminal, safe, say};
use lines::Prompt;
use output::LineSink;

/// Set by Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The stack of the thread that runs lines, in bytes. It is address space, used as needed.
const STACK: usize = 1 << 30;

/// The longest text of one input, in bytes.
const MOST_TEXT: usize = 1 << 20;

/// What a line led to, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum After {
    /// It went well.
    Fine,
    /// It went wrong.
    Wrong,
    /// It ended the session.
    End,
}

/// Runs lines of the command line, of a file, or of a user.
pub fn run(arguments: ReplArguments, terminal: &Terminal) -> Result<Status, Failure> {
    ytrace_runtime::interrupt::on_keyboard(&INTERRUPTED);
    let terminal = *terminal;
    // Lines run on the native stack.
    let worker = std::thread::Builder::new()
        .name("ytrace".to_owned())
        .stack_size(STACK)
        .spawn(move || run_on_target(&arguments, &terminal))
        .map_err(|error| Failure::usage(format!("cannot start a thread: {error}")))?;
    match worker.join() {
        Ok(result) => result,
        Err(_) => Err(Failure::usage(
            "ytrace failed; this is a defect of ytrace, the target goes on",
        )),
    }
}

fn run_on_target(arguments: &ReplArguments, terminal: &Terminal) -> Result<Status, Failure> {
    let mut options = Options {
        // Pauses are for snapshots and stacks only.
        mode: Mode::Stop,
        max_pause: arguments.max_pause,
        read_swap: arguments.read_swap,
        synchronous: arguments.sync,
        pending: arguments.pending,
        budgets: Budgets {
            time: arguments.timeout,
            memory: arguments.memory,
            string: arguments.max_string,
            ..Budgets::default()
        },
        interrupt: &INTERRUPTED,
        ..Options::default()
    };
    arguments.debug.fill(&mut options, &INTERRUPTED, terminal)?;
    arguments.types.fill(&mut options);
    arguments.text.fill(&mut options);
    let mut sink = LineSink::new(terminal);
    let typed = arguments.lines.is_empty() && std::io::stdin().is_terminal();
    let session = match (&arguments.core, arguments.pid) {
        (Some(core), _) => {
            let core = core_file::open(core, &arguments.core_files, &INTERRUPTED, &mut sink)?;
            if typed {
                say(&format!("{}\n", safe(&core_in_words(&core))));
            }
            Session::open_core(core, &options, &mut sink).map_err(failure)?
        }
        (None, Some(pid)) => {
            let process = Process::open(pid).map_err(|error| failure(SessionError::Open(error)))?;
            Session::open(process, &options).map_err(failure)?
        }
        (None, None) => {
            return Err(Failure::usage("no process given").with_hint("-p PID, or --core FILE"));
        }
    };
    let interactive = Interactive::new(session, &mut sink).map_err(failure)?;
    let interactive = Rc::new(RefCell::new(interactive));
    let mut prompt = Prompt::new(interactive, *terminal, arguments.json);
    let ended = match typed {
        true => editor::converse(&mut prompt, terminal),
        false if arguments.lines.is_empty() => script::run_standard_input(&mut prompt),
        false => script::run(&mut prompt, &arguments.lines),
    };
    prompt.finish();
    if let Some(failure) = prompt.output_failure() {
        return Err(failure);
    }
    // Of lines that nobody types the end tells, and of their probes, which have come to theirs.
    ended.map(|()| match typed {
        true => Status::Success,
        false => prompt.status(),
    })
}
