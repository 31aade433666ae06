//! `ytrace run`: runs a probe file on a process.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ytrace_lang::compile::OptionHelp;
use ytrace_lang::hir::OptionValue;
use ytrace_lang::source::SourceFile;
use ytrace_report::{Output, Report, output, text};
use ytrace_runtime::library::{self, ProbeFileError};
use ytrace_runtime::result::RunResult;
use ytrace_runtime::{
    Budgets, ExecutorKind, Mode, Options, Session, SessionError, Sink, views,
};
use ytrace_target::Process;

use crate::arguments::{ModeChoice, RunArguments};
use crate::failure::{Failure, Status};
use crate::terminal::Terminal;

/// Set by Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The stack of the thread that runs handlers, in bytes. It is address space, used as needed.
const STACK: usize = 1 << 30;

/// Runs a probe file.
pub fn run(arguments: RunArguments, terminal: &Terminal) -> Result<Status, Failure> {
    for path in &arguments.output {
        Output::from_path(path).map_err(Failure::usage)?;
    }
    let main = main_file(&arguments)?;
    let pid = arguments
        .pid
        .ok_or_else(|| Failure::usage("no process given").with_hint("-p PID"))?;
    ytrace_runtime::interrupt::on_interrupt(&INTERRUPTED);
    let terminal = *terminal;
    // Compiled handlers run on the native stack.
    let worker = std::thread::Builder::new()
        .name("ytrace".to_owned())
        .stack_size(STACK)
        .spawn(move || run_on(pid, main, &arguments, &terminal))
        .map_err(|error| Failure::usage(format!("cannot start a thread: {error}")))?;
    match worker.join() {
        Ok(result) => result,
        Err(_) => Err(Failure::usage(
            "ytrace failed; this is a defect of ytrace, the target goes on",
        )),
    }
}

fn run_on(
    pid: i32,
    main: SourceFile,
    arguments: &RunArguments,
    terminal: &Terminal,
) -> Result<Status, Failure> {
    let options = options(arguments);
    let process =
        Process::open(pid).map_err(|error| failure(SessionError::Open(error)))?;
    let mut session = Session::open(process, &options).map_err(failure)?;
    let mut sink = TerminalSink {
        terminal: *terminal,
        shown: false,
        stream: false,
        color: terminal.error_color,
    };
    let finished = session.run(main, &mut sink);
    sink.progress("");
    let finished = match finished {
        Ok(finished) => finished,
        Err(SessionError::Help(options)) => {
            print_options(&options);
            return Ok(Status::Success);
        }
        Err(error) => return Err(session_failure(error, terminal)),
    };
    let report = views::report(&finished, session.names(), arguments.weight.as_deref())
        .map_err(|error| {
            let views::ViewError::NoSuchWeight { known, .. } = &error;
            let hint = if known.is_empty() {
                "no view of this probe has columns to choose from".to_owned()
            } else {
                format!("--weight takes {}", known.join(", "))
            };
            Failure::usage(&error).with_hint(hint)
        })?;
    show(&report, arguments, terminal)?;
    if arguments.verbose {
        timings(&finished.result);
    }
    conclude(&finished.result)
}

/// Writes the files asked for; without any, shows the report.
fn show(
    report: &Report,
    arguments: &RunArguments,
    terminal: &Terminal,
) -> Result<(), Failure> {
    for path in &arguments.output {
        let form = Output::from_path(path).map_err(Failure::usage)?;
        let bytes = output::render(report, form).map_err(Failure::usage)?;
        output::write_output(path, &bytes).map_err(Failure::usage)?;
    }
    let rows = text::Options {
        width: terminal.width,
        color: terminal.output_color,
        ..text::Options::default()
    };
    if !arguments.output.is_empty() {
        // The numbers that say how far to trust the files.
        let short = Report {
            views: Vec::new(),
            ..report.clone()
        };
        let color = terminal.error_color;
        eprint!("{}", text::render(&short, text::Options { color, ..rows }));
        for path in &arguments.output {
            eprintln!("wrote {}", path.display());
        }
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    if report.views.is_empty() {
        // What the probe printed has been written as it came; the rest must not mix with it.
        let _ = out.flush();
        let footer = Report {
            header: Vec::new(),
            ..report.clone()
        };
        let color = terminal.error_color;
        eprint!("{}", text::render(&footer, text::Options { color, ..rows }));
        return Ok(());
    }
    // A reader that has seen enough closes the pipe; that is no failure.
    let _ = out.write_all(text::render(report, rows).as_bytes());
    let _ = out.flush();
    Ok(())
}

/// The exit status that a result deserves.
fn conclude(result: &RunResult) -> Result<Status, Failure> {
    if let Some(message) = &result.error {
        return Err(Failure::probe(message));
    }
    Ok(if result.failed {
        Status::Probe
    } else if result.partial.is_empty() {
        Status::Success
    } else {
        Status::Partial
    })
}

fn main_file(arguments: &RunArguments) -> Result<SourceFile, Failure> {
    if let Some(text) = &arguments.expression {
        return Ok(SourceFile {
            name: "-e".to_owned(),
            text: Arc::from(text.as_str()),
            library: false,
        });
    }
    let path: PathBuf = arguments.file.clone().unwrap_or_default();
    library::main_file(&path).map_err(|error| {
        let failure = Failure::usage(&error);
        match error {
            ProbeFileError::NotFound { shipped, .. } => failure.with_hint(format!(
                "probes that ship with ytrace: {}",
                shipped.join(", ")
            )),
            ProbeFileError::Refused { .. } => failure,
        }
    })
}

fn options(arguments: &RunArguments) -> Options {
    Options {
        mode: match arguments.mode {
            ModeChoice::Auto => Mode::Auto,
            ModeChoice::Live => Mode::Live,
            ModeChoice::Copy => Mode::Copy,
            ModeChoice::Stop => Mode::Stop,
        },
        max_pause: arguments.max_pause,
        read_swap: arguments.read_swap,
        budgets: Budgets {
            steps: arguments.steps,
            time: arguments.timeout,
            memory: arguments.memory,
            output: arguments.max_output,
            string: arguments.max_string,
            ..Budgets::default()
        },
        executor: if arguments.interpret {
            ExecutorKind::Interpreter
        } else {
            ExecutorKind::Compiled
        },
        debug_files: arguments.debug_file.clone(),
        debug_roots: arguments.debug_root.clone(),
        include: arguments.include.clone(),
        defines: arguments
            .define
            .iter()
            .map(|define| match define.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (define.clone(), "1".to_owned()),
            })
            .collect(),
        arguments: arguments.script.clone(),
        weight: arguments.weight.clone(),
        interrupt: &INTERRUPTED,
    }
}

fn failure(error: SessionError) -> Failure {
    let hints = error.hints();
    Failure::usage(&error).with_hints(hints)
}

/// A session that gave no result; errors in the probe's text are shown where they stand.
fn session_failure(error: SessionError, terminal: &Terminal) -> Failure {
    let hints = error.hints();
    match &error {
        SessionError::Source { errors, .. } => {
            eprint!(
                "{}",
                ytrace_lang::render::render(
                    &errors.diagnostics,
                    &errors.sources,
                    &errors.expansions,
                    terminal.error_color
                )
            );
            Failure::probe(&error).with_hints(hints)
        }
        SessionError::NoProbe | SessionError::Compile(_) => {
            Failure::probe(&error).with_hints(hints)
        }
        _ => failure(error),
    }
}

/// Lists the options of a script.
fn print_options(options: &[OptionHelp]) {
    if options.is_empty() {
        println!("This probe has no options.");
        return;
    }
    println!("Options of the probe (after `--`):");
    let heads: Vec<String> = options
        .iter()
        .map(|option| {
            if option.value.is_empty() {
                format!("--{}", option.name)
            } else {
                format!("--{} {}", option.name, option.value)
            }
        })
        .collect();
    let width = heads.iter().map(String::len).max().unwrap_or(0);
    for (option, head) in options.iter().zip(&heads) {
        let about = option.documentation.clone().unwrap_or_default();
        let default = match &option.default {
            OptionValue::Integer(_) if option.value.is_empty() => String::new(),
            OptionValue::Integer(value) => format!(" [default: {value}]"),
            OptionValue::Float(value) => format!(" [default: {value}]"),
            OptionValue::Str(value) => {
                format!(" [default: {}]", String::from_utf8_lossy(value))
            }
        };
        println!("  {head:<width$}  {}{default}", about.replace('\n', " ").trim());
    }
}

fn timings(result: &RunResult) {
    let timings = result.timings;
    let ms = |duration: std::time::Duration| duration.as_secs_f64() * 1e3;
    eprintln!(
        "open {:.1} ms · compile {:.1} ms · machine code {:.1} ms · learn {:.1} ms · copy {:.1} ms ({:.1} MB) · run {:.1} ms · {} steps",
        ms(timings.open),
        ms(timings.compile),
        ms(timings.machine_code),
        ms(timings.learn),
        ms(timings.copy),
        result.copied as f64 / 1e6,
        ms(timings.run),
        result.steps,
    );
}

/// Shows progress and warnings on standard error.
struct TerminalSink {
    terminal: Terminal,
    shown: bool,
    stream: bool,
    color: bool,
}

impl Sink for TerminalSink {
    fn begin(&mut self, streams: bool) {
        self.stream = streams;
    }

    fn text(&mut self, text: &[u8]) {
        if self.stream {
            let mut out = std::io::stdout().lock();
            let _ = out.write_all(text);
            if std::io::stdout().is_terminal() {
                let _ = out.flush();
            }
        }
    }

    fn warn(&mut self, text: &str) {
        self.progress("");
        let (yellow, reset) = if self.color {
            ("\x1b[1;33m", "\x1b[0m")
        } else {
            ("", "")
        };
        eprintln!("{yellow}warning{reset}: {}", text.escape_debug());
    }

    fn progress(&mut self, text: &str) {
        if !self.terminal.interactive || INTERRUPTED.load(Ordering::Relaxed) {
            return;
        }
        if self.shown || !text.is_empty() {
            eprint!("\r\x1b[K{text}");
            self.shown = !text.is_empty();
        }
    }
}
