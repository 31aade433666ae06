//! `ytrace run`: runs a probe file on a process or a core file.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use ytrace_lang::compile::{Compiled, OptionHelp};
use ytrace_lang::hir::OptionValue;
use ytrace_lang::source::SourceFile;
use ytrace_report::{Earlier, Output, Report, Value, output, text};
use ytrace_runtime::host::Origin;
use ytrace_runtime::interrupt;
use ytrace_runtime::library;
use ytrace_runtime::names::Names;
use ytrace_runtime::result::RunResult;
use ytrace_runtime::{
    Budgets, ExecutorKind, Finding, Mode, Options, Session, SessionError, Sink, When, views,
};
use ytrace_target::{Held, Process, SpawnError, spawn, spawn_held};

use crate::arguments::{ModeChoice, RunArguments, StreamFormat};
use crate::core_file;
use crate::diagnose::{failure, probe_file, session_failure, warnings};
use crate::failure::{Failure, Status};
use crate::stream::Lines;
use crate::terminal::{self, Terminal, safe, say};

/// Set by Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The stack of the thread that runs handlers, in bytes. It is address space, used as needed.
const STACK: usize = 1 << 30;

/// Text for something that is no terminal is collected up to this length, in bytes, within one run of a handler.
const MOST_WAITING: usize = 64 << 10;

/// Text that comes when none has been written for so long is written at once: who waits for it sees it.
const QUIET: Duration = Duration::from_millis(20);

/// Runs a probe file.
pub fn run(arguments: RunArguments, terminal: &Terminal) -> Result<Status, Failure> {
    belong(&arguments)?;
    forms(&arguments)?;
    for path in &arguments.output {
        output::check_output(path).map_err(Failure::usage)?;
    }
    let main = main_file(&arguments)?;
    let earlier = match &arguments.diff {
        Some(path) => Some(Arc::new(Earlier::read(path).map_err(Failure::usage)?)),
        None => None,
    };
    interrupt::on_interrupt(&INTERRUPTED);
    let terminal = *terminal;
    // Compiled handlers run on the native stack.
    let worker = std::thread::Builder::new()
        .name("ytrace".to_owned())
        .stack_size(STACK)
        .spawn(move || run_on_target(main, earlier, &arguments, &terminal))
        .map_err(|error| Failure::usage(format!("cannot start a thread: {error}")))?;
    match worker.join() {
        Ok(result) => result,
        Err(_) => Err(Failure::usage(
            "ytrace failed; this is a defect of ytrace, the target goes on",
        )),
    }
}

/// Refuses options that mean nothing for the target given.
fn belong(arguments: &RunArguments) -> Result<(), Failure> {
    let refused = |option: &str, why: &str| {
        let failure = Failure::usage(format!("{option} cannot be used here: {why}"));
        Err(failure.with_hint(format!("leave {option} out")))
    };
    let of_core = arguments.core.is_some();
    if arguments.after.is_some() && arguments.command.is_none() {
        return refused(
            "--after",
            match of_core {
                true => "a core file stands still, it is of no use to wait",
                false => "it says when to look at a command that -c starts",
            },
        );
    }
    if arguments.sync && arguments.command.is_some() {
        let failure = Failure::usage(
            "--sync cannot be used with -c: a command that -c starts has a tracer until it is looked at, and a process has one tracer",
        );
        return Err(failure.with_hint(
            "start the command by itself, and give its number: COMMAND & ytrace run --sync -p $! …; or leave --sync out",
        ));
    }
    if arguments.read_swap && of_core {
        return refused(
            "--read-swap",
            "a core file has no pages on swap; what of them was dumped is in it",
        );
    }
    Ok(())
}

fn run_on_target(
    main: SourceFile,
    earlier: Option<Arc<Earlier>>,
    arguments: &RunArguments,
    terminal: &Terminal,
) -> Result<Status, Failure> {
    let options = options(arguments, terminal)?;
    if let Some(command) = &arguments.command {
        return run_on_command(command, main, earlier, arguments, &options, terminal);
    }
    let asks_for_help = arguments.script.iter().any(|word| word == "--help");
    if arguments.pid.is_none() && arguments.core.is_none() && asks_for_help {
        let known = ytrace_runtime::session::options_of(&main, &options)
            .map_err(|error| session_failure(error, terminal))?;
        terminal::print(&options_help(&known))?;
        return Ok(Status::Success);
    }
    if let Some(core) = &arguments.core {
        let mut sink = TerminalSink::new(terminal);
        let core = core_file::open(core, &arguments.core_files, &INTERRUPTED, &mut sink)?;
        let mut session = Session::open_core(core, &options, &mut sink).map_err(failure)?;
        return run_session(&mut session, main, earlier, arguments, terminal);
    }
    let pid = arguments
        .pid
        .ok_or_else(|| Failure::usage("no process given").with_hint("-p PID, or --core FILE"))?;
    let process = Process::open(pid).map_err(|error| failure(SessionError::Open(error)))?;
    let mut session = Session::open(process, &options).map_err(failure)?;
    run_session(&mut session, main, earlier, arguments, terminal)
}

/// Starts a command and looks at it at its exit, after a time, or at Ctrl-C.
fn run_on_command(
    command: &str,
    main: SourceFile,
    earlier: Option<Arc<Earlier>>,
    arguments: &RunArguments,
    options: &Options,
    terminal: &Terminal,
) -> Result<Status, Failure> {
    // A slip in the probe should not cost a run of the command.
    let outline = ytrace_runtime::session::parse(&main, options, &forms(arguments)?)
        .map_err(|error| session_failure(error, terminal))?;
    let not_started = |error: SpawnError| {
        let hint = error.hint();
        Failure::usage(format!("cannot start `{command}`: {error}")).with_hints(hint)
    };
    if outline.events {
        let target = spawn_held(command).map_err(not_started)?;
        let options = Options {
            duration: options.duration.or(arguments.after),
            ..self::options(arguments, terminal)?
        };
        let mut session = Session::open(target.process().clone(), &options).map_err(failure)?;
        session.started_by(command, arguments.after);
        session.launch(target);
        let status = run_session(&mut session, main, earlier, arguments, terminal);
        // A command at its exit goes on to its end; one that still runs is asked to end.
        let outlived = session.outlived();
        if let Some(mut target) = session.take_command() {
            if let Some(Held::AtExit(status) | Held::Gone(Some(status))) =
                target.look().filter(|_| outlived)
            {
                warn_of_ending(command, status, terminal);
            }
            target.release();
        }
        return status;
    }
    let mut target = spawn(command).map_err(not_started)?;
    let held = target.wait(&INTERRUPTED, arguments.after);
    if let Held::Gone(status) = held {
        let status = status.map_or("in an unknown way".to_owned(), |status| status.to_string());
        return Err(Failure::usage(format!(
            "`{command}` ended ({status}) before it could be examined"
        )));
    }
    // The first Ctrl-C asked for the result; the next one is for the run.
    interrupt::keep_result();
    let asked = INTERRUPTED.swap(false, Ordering::Relaxed);
    if let Held::AtExit(status) = held
        && !asked
    {
        warn_of_ending(command, status, terminal);
    }
    let mut session = Session::open(target.process().clone(), options).map_err(failure)?;
    session.started_by(command, arguments.after);
    if let Held::AtExit(_) = held {
        session.hold(target.threads().to_vec());
    }
    let status = run_session(&mut session, main, earlier, arguments, terminal);
    drop(session);
    // A command at its exit goes on to its end; one that still runs is asked to end.
    target.release();
    status
}

/// Tells of a command that did not end well.
fn warn_of_ending(command: &str, status: ExitStatus, terminal: &Terminal) {
    if let Some(ending) = bad_ending(status) {
        let (yellow, _, reset) = terminal.error_colors("\x1b[1;33m", "");
        say(&format!(
            "{yellow}warning{reset}: {}\n",
            safe(&format!("`{command}` {ending}"))
        ));
    }
}

/// How a command ended that did not end well.
fn bad_ending(status: ExitStatus) -> Option<String> {
    match (status.signal(), status.code()) {
        (Some(number), _) => {
            let name = Signal::try_from(number).map_or("", Signal::as_str);
            let core = match status.core_dumped() {
                true => " and dumped core",
                false => "",
            };
            let name = match name {
                "" => String::new(),
                name => format!(" ({name})"),
            };
            Some(format!("was killed by signal {number}{name}{core}"))
        }
        (None, Some(0)) => None,
        (None, Some(code)) => Some(format!("failed with exit status {code}")),
        (None, None) => Some(format!("ended with {status}")),
    }
}

fn run_session(
    session: &mut Session<'_>,
    main: SourceFile,
    earlier: Option<Arc<Earlier>>,
    arguments: &RunArguments,
    terminal: &Terminal,
) -> Result<Status, Failure> {
    let mut sink = TerminalSink {
        weight: arguments.weight.clone(),
        rows: arguments.rows,
        format: arguments.format,
        ..TerminalSink::new(terminal)
    };
    if arguments.format == StreamFormat::Ndjson {
        let probe = views::probe_name(&main.name);
        sink.lines = Some(Lines::new(probe, session.pid()));
    }
    session.expect(forms(arguments)?);
    if let Some(earlier) = &earlier {
        session.compare_with(earlier.clone());
    }
    let finished = session.run(main, &mut sink);
    sink.flush();
    sink.progress("");
    let finished = match finished {
        Ok(finished) => finished,
        Err(SessionError::Help(options)) => {
            terminal::print(&options_help(&options))?;
            return Ok(Status::Success);
        }
        Err(error) => return Err(session_failure(error, terminal)),
    };
    if let Some(error) = sink.output_error {
        // The run was ended early, for its output went nowhere.
        return terminal::output_failure(&error).map_or(Ok(Status::Success), Err);
    }
    let mut report = views::report(
        &finished.finding(),
        session.names(),
        arguments.weight.as_deref(),
    );
    if let Some(earlier) = &earlier {
        report.compare(earlier).map_err(Failure::usage)?;
    }
    let data = match (arguments.format, sink.lines.take()) {
        (StreamFormat::Json, _) => Some(output::render(&report, Output::Json)),
        (_, Some(lines)) => Some(lines.end(&report)),
        (_, None) => None,
    };
    let data = data.transpose().map_err(Failure::usage)?;
    show_beside(&report, data, &arguments.output, arguments.rows, terminal)?;
    if arguments.verbose {
        timings(&finished.result);
    }
    conclude(&finished.result)
}

/// The formats of the files asked for.
fn forms(arguments: &RunArguments) -> Result<Vec<Output>, Failure> {
    arguments
        .output
        .iter()
        .map(|path| Output::from_path(path).map_err(Failure::usage))
        .collect()
}

/// Writes the files asked for; without any, shows the report.
///
/// `rows` is what `--rows` says.
pub fn show(
    report: &Report,
    files: &[PathBuf],
    rows: Option<usize>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    show_beside(report, None, files, rows, terminal)
}

/// The same with other data on standard output, if there are any: they are all that goes there.
fn show_beside(
    report: &Report,
    data: Option<Vec<u8>>,
    files: &[PathBuf],
    rows: Option<usize>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    for path in files {
        let form = Output::from_path(path).map_err(Failure::usage)?;
        let bytes = match (form, rows) {
            (Output::Text, Some(rows)) => {
                let options = text::Options {
                    rows: most_rows(rows),
                    ..text::Options::default()
                };
                text::render(report, options)
            }
            _ => output::render(report, form).map_err(Failure::usage)?,
        };
        output::write_output(path, &bytes).map_err(Failure::usage)?;
    }
    // What the probe printed must have arrived before anything else is said of it.
    terminal::print_bytes(data.as_deref().unwrap_or_default())?;
    let options = output_options(rows, terminal);
    let errors = text::Options {
        color: terminal.error_color,
        fold: terminal.interactive,
        ..options
    };
    if !files.is_empty() {
        // The numbers that say how far to trust the files.
        // The views are in the files. What the probe printed is data all the same; without views it was shown as it came.
        if !report.shown().is_empty() && data.is_none() {
            let printed = Report {
                views: Vec::new(),
                differences: Vec::new(),
                ..report.clone()
            };
            terminal::print_bytes(&text::render_data(&printed, options))?;
        }
        say(&text::render_footer(&trailer(report), errors));
        for path in files {
            say(&format!("wrote {}\n", safe(&path.display().to_string())));
            let form = Output::from_path(path).map_err(Failure::usage)?;
            if let Some(lack) = output::left_out(report, form) {
                let (yellow, _, reset) = terminal.error_colors("\x1b[1;33m", "");
                say(&format!("{yellow}warning{reset}: {}\n", safe(&lack)));
            }
        }
        return Ok(());
    }
    // Data to standard output, what is to be said of them to standard error.
    if !report.shown().is_empty() && data.is_none() {
        terminal::print_bytes(&text::render_data(report, options))?;
    }
    say(&text::render_footer(&trailer(report), errors));
    Ok(())
}

/// How results are shown on standard output.
fn output_options(rows: Option<usize>, terminal: &Terminal) -> text::Options {
    text::Options {
        width: terminal.width,
        color: terminal.output_color,
        rows: rows.map_or(text::Options::default().rows, most_rows),
        fold: terminal.output_terminal,
    }
}

/// The limit that `--rows` asks for.
fn most_rows(rows: usize) -> usize {
    match rows {
        0 => text::ALL_ROWS,
        rows => rows,
    }
}

/// What standard error still needs to say of a report: the probe's warnings were shown as they came, and so was its text
/// where it has no views.
fn trailer(report: &Report) -> Report {
    Report {
        header: Vec::new(),
        text: Vec::new(),
        warnings: Vec::new(),
        ..report.clone()
    }
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
    library::main_file(&path).map_err(probe_file)
}

fn options(arguments: &RunArguments, terminal: &Terminal) -> Result<Options, Failure> {
    let mut options = Options {
        mode: match arguments.mode {
            ModeChoice::Auto => Mode::Auto,
            ModeChoice::Live => Mode::Live,
            ModeChoice::Copy => Mode::Copy,
            ModeChoice::Stop => Mode::Stop,
        },
        max_pause: arguments.max_pause,
        processors: arguments
            .cpu
            .as_ref()
            .map(|list| list.0.clone())
            .unwrap_or_default(),
        read_swap: arguments.read_swap,
        budgets: Budgets {
            steps: arguments.steps,
            time: arguments.timeout,
            memory: arguments.memory,
            output: arguments.max_output,
            string: arguments.max_string,
            stack: arguments.max_stack,
        },
        executor: if arguments.interpret {
            ExecutorKind::Interpreter
        } else {
            ExecutorKind::Compiled
        },
        no_inlined: arguments.no_inline,
        pending: arguments.pending,
        arguments: arguments.script.clone(),
        max_probes: arguments.max_probes,
        max_overhead: arguments.max_overhead,
        force: arguments.force,
        duty: arguments.duty.filter(|share| *share < 100.0),
        children: arguments.children,
        weight: arguments.weight.clone(),
        duration: arguments.duration,
        interval: arguments.interval,
        synchronous: arguments.sync,
        values: arguments.format == StreamFormat::Ndjson,
        when: arguments.when.clone().map(|head| When {
            head,
            condition: arguments.condition.clone(),
            within: arguments.within,
        }),
        interrupt: &INTERRUPTED,
        ..Options::default()
    };
    arguments.debug.fill(&mut options, &INTERRUPTED, terminal)?;
    arguments.types.fill(&mut options);
    arguments.text.fill(&mut options);
    Ok(options)
}

/// Lists the options of a script.
fn options_help(options: &[OptionHelp]) -> String {
    if options.is_empty() {
        return "This probe has no options.\n".to_owned();
    }
    let mut text = "Options of the probe (after `--`):\n".to_owned();
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
            // It is everything unless something else is said.
            OptionValue::Range { .. } => String::new(),
        };
        let line = format!(
            "  {head:<width$}  {}{default}",
            about.replace('\n', " ").trim()
        );
        text.push_str(&format!("{}\n", safe(&line)));
    }
    text
}

fn timings(result: &RunResult) {
    for handler in &result.handlers {
        say(&format!("{handler}\n"));
    }
    let timings = result.timings;
    let ms = |duration: std::time::Duration| duration.as_secs_f64() * 1e3;
    say(&format!(
        "open {:.1} ms · compile {:.1} ms · machine code {:.1} ms · learn {:.1} ms · copy {:.1} ms ({:.1} MB) · run {:.1} ms · {} steps\n",
        ms(timings.open),
        ms(timings.compile),
        ms(timings.machine_code),
        ms(timings.learn),
        ms(timings.copy),
        result.copied as f64 / 1e6,
        ms(timings.run),
        result.steps,
    ));
}

/// Shows progress and warnings on standard error.
struct TerminalSink {
    terminal: Terminal,
    shown: bool,
    streams: bool,
    /// Text on its way to something that is no terminal.
    waiting: Vec<u8>,
    /// When some was written last.
    written: Option<Instant>,
    /// Why standard output could not be written.
    output_error: Option<std::io::Error>,
    color: bool,
    /// The column that decides in what is shown meanwhile, and how many rows that has.
    weight: Option<String>,
    rows: Option<usize>,
    format: StreamFormat,
    /// What makes the objects of a stream of them.
    lines: Option<Lines>,
}

impl TerminalSink {
    /// Puts out what a stream of objects has to say, if there is one.
    fn stream(&mut self, made: impl FnOnce(&mut Lines) -> Vec<u8>) {
        if let Some(lines) = &mut self.lines {
            let made = made(lines);
            self.waiting.extend(made);
            if self.waiting.len() >= MOST_WAITING {
                self.write();
            }
        }
    }

    /// Writes what waits.
    fn write(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.waiting);
        if self.output_error.is_some() {
            return;
        }
        self.written = Some(Instant::now());
        let written = interrupt::writing(|| {
            let mut out = std::io::stdout().lock();
            out.write_all(&text).and_then(|()| out.flush())
        });
        if let Err(error) = written {
            self.output_error = Some(error);
            // There is no point in going on.
            INTERRUPTED.store(true, Ordering::Relaxed);
        }
    }

    fn new(terminal: &Terminal) -> Self {
        Self {
            terminal: *terminal,
            shown: false,
            streams: false,
            waiting: Vec::new(),
            written: None,
            output_error: None,
            color: terminal.error_color,
            weight: None,
            rows: None,
            format: StreamFormat::Text,
            lines: None,
        }
    }
}

impl Sink for TerminalSink {
    fn begin(&mut self, streams: bool) {
        self.streams = streams && self.format == StreamFormat::Text;
        // Who reads a stream sees that it has begun.
        self.stream(Lines::begin);
        self.flush();
    }

    fn compiled(&mut self, compiled: &Compiled) {
        if let Some(warnings) = warnings(compiled, self.color) {
            self.progress("");
            say(&warnings);
        }
    }

    fn text(&mut self, text: &[u8]) {
        if !self.streams {
            return;
        }
        self.waiting.extend_from_slice(text);
        // A terminal shows each piece as it comes, lines that are not whole yet too; for files, one call a line is many.
        let quiet = self.written.is_none_or(|last| last.elapsed() >= QUIET);
        if quiet || self.terminal.output_terminal || self.waiting.len() >= MOST_WAITING {
            self.flush();
        }
    }

    fn values(&mut self, origin: &Origin<'_>, values: Vec<Value>) {
        self.stream(|lines| lines.values(origin, &values));
    }

    fn printed(&mut self, origin: &Origin<'_>, text: &[u8]) {
        match self.lines {
            Some(_) => self.stream(|lines| lines.printed(origin, text)),
            None => self.text(text),
        }
    }

    fn flush(&mut self) {
        self.stream(Lines::complete);
        self.write();
    }

    fn warn(&mut self, text: &str) {
        self.stream(|lines| lines.warning(text));
        // Where both go to one place, they stand there in order.
        self.flush();
        self.progress("");
        let (yellow, reset) = if self.color {
            ("\x1b[1;33m", "\x1b[0m")
        } else {
            ("", "")
        };
        say(&format!("{yellow}warning{reset}: {}\n", safe(text)));
    }

    fn remark(&mut self, text: &str) {
        self.progress("");
        say(&format!("{}\n", safe(text)));
    }

    fn attached(&mut self, places: usize, others: usize) {
        self.stream(|lines| lines.attached(places, others));
        self.flush();
        self.progress("");
        let counted = |number: usize, what: &str| match number {
            0 => None,
            1 => Some(format!("1 {what}")),
            number => Some(format!("{number} {what}s")),
        };
        let what = [counted(places, "place"), counted(others, "event")];
        let what: Vec<String> = what.into_iter().flatten().collect();
        let what = match what.is_empty() {
            true => "nothing yet".to_owned(),
            false => what.join(" and "),
        };
        say(&format!("probing {what}; Ctrl-C shows the result\n"));
    }

    fn more_attached(&mut self, places: usize, modules: &str) {
        self.progress("");
        let places = match places {
            1 => "1 more place".to_owned(),
            number => format!("{number} more places"),
        };
        say(&format!("probing {places}: {} was loaded\n", safe(modules)));
    }

    fn interim(&mut self, finding: &Finding<'_>, names: &Names) {
        let report = views::report(finding, names, self.weight.as_deref());
        if report.shown().is_empty() || self.format == StreamFormat::Json {
            return;
        }
        if self.lines.is_some() {
            self.stream(|lines| lines.interim(&report));
            self.flush();
            return;
        }
        self.progress("");
        if self.terminal.output_terminal {
            // What was there is replaced; what was printed before stays in the terminal's memory.
            self.waiting.extend_from_slice(b"\x1b[H\x1b[2J");
        }
        let options = output_options(self.rows, &self.terminal);
        self.waiting
            .extend_from_slice(&text::render_data(&report, options));
        self.flush();
    }

    fn progress(&mut self, text: &str) {
        if !self.terminal.interactive || INTERRUPTED.load(Ordering::Relaxed) {
            return;
        }
        if self.shown || !text.is_empty() {
            let text = text::fit(text, self.terminal.width.saturating_sub(1));
            say(&format!("\r\x1b[K{text}"));
            self.shown = !text.is_empty();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(result: &RunResult) -> Status {
        conclude(result).unwrap_or_else(|failure| failure.status())
    }

    #[test]
    fn exit_statuses() {
        let whole = RunResult::default();
        assert_eq!(status(&whole), Status::Success);
        let partial = RunResult {
            partial: vec!["interrupted".to_owned()],
            ..RunResult::default()
        };
        assert_eq!(status(&partial), Status::Partial);
        // A fault of the probe's own also makes the result partial; the probe is to blame.
        let failed = RunResult {
            failed: true,
            ..partial.clone()
        };
        assert_eq!(status(&failed), Status::Probe);
        let error = RunResult {
            error: Some("no machine".to_owned()),
            ..partial
        };
        assert_eq!(status(&error), Status::Probe);
    }

    #[test]
    fn errors_that_are_not_the_probes_are_of_usage() {
        let terminal = Terminal {
            output_color: false,
            error_color: false,
            output_terminal: false,
            interactive: false,
            width: 80,
        };
        let status = |error| session_failure(error, &terminal).status();
        assert_eq!(status(SessionError::NoProbe), Status::Probe);
        assert_eq!(
            status(SessionError::Arguments {
                message: "no option --x".to_owned(),
                hint: None
            }),
            Status::Usage
        );
        assert_eq!(status(SessionError::Interrupted), Status::Usage);
    }

    #[test]
    fn a_closed_pipe_is_no_failure_and_a_full_disk_is() {
        let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(terminal::output_failure(&closed).is_none());
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(
            terminal::output_failure(&full).map(|failure| failure.status()),
            Some(Status::Usage)
        );
    }

    #[test]
    fn help_shows_defaults_and_no_escapes() {
        let option = |name: &str, value: &'static str, default| OptionHelp {
            name: name.to_owned(),
            value,
            documentation: Some("what it\nsays".to_owned()),
            default,
        };
        let text = options_help(&[
            option("depth", "N", OptionValue::Integer(64)),
            option("show-keys", "", OptionValue::Integer(0)),
            option("vm", "TEXT", OptionValue::Str(b"\x1b[31mauto".to_vec())),
        ]);
        assert!(text.contains("--depth N"), "{text}");
        assert!(text.contains("what it says [default: 64]"), "{text}");
        assert!(!text.contains('\x1b'), "{text:?}");
        assert!(text.contains("--show-keys"), "{text}");
        assert_eq!(options_help(&[]), "This probe has no options.\n");
    }

    #[test]
    fn text_that_was_streamed_is_not_said_again() {
        let report = Report {
            header: vec!["a 1, up 2s".to_owned()],
            text: b"printed\n".to_vec(),
            warnings: vec!["seen".to_owned()],
            ..Report::default()
        };
        let text = text::render(&trailer(&report), text::Options::default());
        let text = String::from_utf8(text).unwrap();
        assert!(
            !text.contains("printed") && !text.contains("seen"),
            "{text}"
        );
        assert!(text.contains("complete"));
    }
}
