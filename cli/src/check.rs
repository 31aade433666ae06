//! `ytrace check`: tells whether probe files are right, without running them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ytrace_lang::compile::{CompileError, LayoutChoices, Request, SourceErrors, compile_arm};
use ytrace_lang::diagnostics::{Diagnostic, Severity, Topic};
use ytrace_lang::hir::LayoutUse;
use ytrace_lang::parse::Expansions;
use ytrace_lang::parse::MOST_ROUNDS;
use ytrace_lang::render::render;
use ytrace_lang::source::{SourceFile, SourceMap, Span};
use ytrace_lang::target::Target;
use ytrace_runtime::audit::audit;
use ytrace_runtime::library::{Library, main_file};
use ytrace_runtime::names::Names;
use ytrace_runtime::packages::installed::about;
use ytrace_runtime::{Options, Session, SessionError, Sink};
use ytrace_target::Process;

use crate::arguments::CheckArguments;
use crate::audit;
use crate::core_file;
use crate::diagnose::{defines, failure, package, probe_file, session_failure};
use crate::failure::{Failure, Status};
use crate::files::probe_files;
use crate::fmt::worse;
use crate::terminal::{self, Terminal, safe, say};

/// Ctrl-C ends this command at once.
static NEVER: AtomicBool = AtomicBool::new(false);

/// The stack of the thread that checks, in bytes. It is address space, used as needed.
const STACK: usize = 1 << 30;

/// A diagnostic by file, place and message.
type Key = (String, u32, u32, String);

fn key(diagnostic: &Diagnostic, sources: &SourceMap) -> Key {
    let span = diagnostic.primary.0;
    let file = sources
        .get(span.file)
        .map_or_else(String::new, |file| file.name.clone());
    (file, span.start, span.end, diagnostic.message.clone())
}

/// What compiling one arm gave.
struct Attempt {
    diagnostics: Vec<Diagnostic>,
    sources: SourceMap,
    expansions: Expansions,
    unresolved: Vec<(Span, String)>,
    layouts: Vec<LayoutUse>,
    arms: usize,
    /// Whether not all arms have their turn.
    arms_hidden: bool,
}

impl Attempt {
    fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// The candidate of each layout with this number, or its last one.
fn choices(layouts: &[LayoutUse], number: usize) -> LayoutChoices {
    let mut result = LayoutChoices::new();
    for layout in layouts {
        let last = layout.candidates.last();
        if let Some(candidate) = layout.candidates.get(number).or(last) {
            result.insert(layout.group.clone(), candidate.clone());
        }
    }
    result
}

/// What the checks of several files share.
struct Checks<'a> {
    arguments: &'a CheckArguments,
    terminal: &'a Terminal,
    /// The names of types files, where these are the target.
    names: Option<Names>,
    /// What the target is called, as in "for these types".
    known_as: &'static str,
    /// What has been said: a file that several others include says it once.
    said: HashSet<Key>,
    /// Names that only a target could settle: the first place of each.
    unresolved: BTreeMap<String, String>,
}

/// Checks files.
pub fn run(arguments: CheckArguments, terminal: &Terminal) -> Result<Status, Failure> {
    let terminal = *terminal;
    // The checks of layouts are compiled code, which runs on the native stack.
    let worker = std::thread::Builder::new()
        .name("ytrace".to_owned())
        .stack_size(STACK)
        .spawn(move || check(arguments, &terminal))
        .map_err(|error| Failure::usage(format!("cannot start a thread: {error}")))?;
    match worker.join() {
        Ok(result) => result,
        Err(_) => Err(Failure::usage("ytrace failed; this is a defect of ytrace")),
    }
}

fn check(arguments: CheckArguments, terminal: &Terminal) -> Result<Status, Failure> {
    let files = probe_files(&arguments.paths)?;
    let options = options(&arguments, terminal)?;
    // Without a process, types files are the target.
    let types = arguments.types.types.as_slice();
    let (names, session, known_as) = match (&arguments.core, arguments.pid, types) {
        (Some(core), ..) => {
            let mut sink = Quiet { terminal };
            let core = core_file::open(core, &arguments.core_files, options.interrupt, &mut sink)?;
            let session = Session::open_core(core, &options, &mut sink).map_err(failure)?;
            (None, Some(session), "this core file")
        }
        (None, Some(pid), _) => {
            let process = Process::open(pid).map_err(|error| failure(SessionError::Open(error)))?;
            let session = Session::open(process, &options).map_err(failure)?;
            (None, Some(session), "this target")
        }
        (None, None, paths @ [_, ..]) => {
            let names = ytrace_runtime::types::names(paths)
                .map_err(|error| failure(SessionError::DebugInfo(error)))?;
            (Some(names), None, "these types")
        }
        (None, None, []) => (None, None, ""),
    };
    let mut session = session;
    let mut checks = Checks {
        arguments: &arguments,
        terminal,
        names,
        known_as,
        said: HashSet::new(),
        unresolved: BTreeMap::new(),
    };
    let mut status = Status::Success;
    let mut wrong = 0usize;
    for path in &files {
        let result = checks.file(path, session.as_mut());
        let of_file = result.unwrap_or_else(|failure| {
            failure.print(terminal);
            failure.status()
        });
        wrong += usize::from(of_file != Status::Success);
        status = worse(status, of_file);
    }
    if files.len() > 1 {
        print(&format!(
            "{} files: {} right, {wrong} wrong\n",
            files.len(),
            files.len() - wrong
        ))?;
    }
    Ok(status)
}

fn options(arguments: &CheckArguments, terminal: &Terminal) -> Result<Options, Failure> {
    let mut options = Options {
        arguments: arguments.script.clone(),
        ..Options::default()
    };
    arguments.debug.fill(&mut options, &NEVER, terminal)?;
    arguments.types.fill(&mut options);
    arguments.text.fill(&mut options);
    Ok(options)
}

impl Checks<'_> {
    fn file(&mut self, path: &Path, session: Option<&mut Session<'_>>) -> Result<Status, Failure> {
        let main = main_file(path).map_err(probe_file)?;
        let shown = main.name.clone();
        let audited = self.arguments.audit.then(|| main.clone());
        let mut session = session;
        let status = self.right(main, &shown, session.as_deref_mut())?;
        let Some(main) = audited else {
            return Ok(status);
        };
        let options = options(self.arguments, self.terminal)?;
        let target = match (session, self.names.as_mut()) {
            (Some(session), _) => Some(session.target_names() as &mut dyn Target),
            (None, Some(names)) => Some(names as &mut dyn Target),
            (None, None) => None,
        };
        let with_target = target.is_some();
        let audit = audit(&main, &options, target)
            .map_err(|error| session_failure(error, self.terminal))?;
        let about = about(&main.text);
        print(&audit::text(
            &shown,
            &about,
            &audit,
            with_target,
            self.terminal,
        ))?;
        match (audit.arms_left, status) {
            (Some(_), Status::Success) => Ok(Status::Partial),
            _ => Ok(status),
        }
    }

    /// Tells whether a file is right.
    fn right(
        &mut self,
        main: SourceFile,
        shown: &str,
        session: Option<&mut Session<'_>>,
    ) -> Result<Status, Failure> {
        let Some(session) = session else {
            return self.alone(main, shown);
        };
        let mut sink = Quiet {
            terminal: self.terminal,
        };
        match session.check(main, &mut sink) {
            Ok(compiled) => {
                self.say(&compiled.warnings, &compiled.sources, &compiled.expansions);
                print(&format!("{}: right for {}\n", safe(shown), self.known_as))?;
                Ok(Status::Success)
            }
            Err(error) => {
                let failure = session_failure(error, self.terminal);
                if failure.status() != Status::Probe {
                    return Err(failure);
                }
                print(&format!("{}: wrong\n", safe(shown)))?;
                Ok(Status::Probe)
            }
        }
    }

    /// Checks what can be checked without a target: each arm of the conditionals.
    fn alone(&mut self, main: SourceFile, shown: &str) -> Result<Status, Failure> {
        self.unresolved.clear();
        let file = Alone {
            arguments: self.arguments,
            main,
        };
        // One loader for the arms that one thread goes through: each file is read once.
        let mut loader = Library::new(&self.arguments.text.include, &file.main);
        let first = file.arm(&mut loader, self.names.as_mut(), 0, &LayoutChoices::new())?;
        // Later arms are mostly for the last candidates: with these they are tried first.
        let last = choices(&first.layouts, usize::MAX);
        let mut arms = first.arms.min(MOST_ROUNDS);
        let mut attempts = vec![first];
        // An arm may hold a conditional with more arms.
        while attempts.len() < arms {
            for attempt in file.arms(attempts.len()..arms, &last) {
                let attempt = attempt?;
                arms = arms.max(attempt.arms.min(MOST_ROUNDS));
                attempts.push(attempt);
            }
        }
        let mut errors = false;
        let wanted = attempts.iter().map(|attempt| attempt.arms).max();
        let wanted = wanted.unwrap_or(1);
        let left_out = wanted > MOST_ROUNDS || attempts.iter().any(|attempt| attempt.arms_hidden);
        if left_out {
            let mut sink = Quiet {
                terminal: self.terminal,
            };
            sink.warn(&format!("{shown}: {}", audit::arms_left(wanted)));
        }
        for attempt in attempts {
            errors |= self.say(&attempt.diagnostics, &attempt.sources, &attempt.expansions);
            for (span, name) in attempt.unresolved {
                let place = attempt.sources.location(span);
                self.unresolved.entry(name).or_insert(place);
            }
        }
        let status = self.conclude(shown, errors, arms.max(1))?;
        match status {
            Status::Success if left_out => Ok(Status::Partial),
            status => Ok(status),
        }
    }

    fn conclude(&self, shown: &str, errors: bool, arms: usize) -> Result<Status, Failure> {
        let shown = safe(shown);
        let mut text = format!("{shown}: {}", if errors { "wrong" } else { "right" });
        if self.names.is_some() {
            let _ = write!(text, " for {}", self.known_as);
        }
        if arms > 1 {
            let _ = write!(text, ", with each of {arms} arms");
        }
        let open = self.unresolved.len();
        if open > 0 {
            let _ = write!(
                text,
                "; {open} {} of a target, not checked ({})",
                if open == 1 { "name is" } else { "names are" },
                if self.arguments.verbose {
                    "-p PID checks them"
                } else {
                    "-v lists them, -p PID checks them"
                }
            );
        }
        text.push('\n');
        if self.arguments.verbose {
            for (name, place) in &self.unresolved {
                let _ = writeln!(text, "    {} at {}", name.escape_debug(), place);
            }
        }
        print(&text)?;
        Ok(if errors {
            Status::Probe
        } else {
            Status::Success
        })
    }

    /// Shows diagnostics that have not been shown; tells whether there are errors among all.
    fn say(
        &mut self,
        diagnostics: &[Diagnostic],
        sources: &SourceMap,
        expansions: &Expansions,
    ) -> bool {
        let mut errors = false;
        let mut new = Vec::new();
        for diagnostic in diagnostics {
            // A library has no probes of its own.
            if diagnostic.topic == Topic::NoProbe {
                continue;
            }
            errors |= diagnostic.severity == Severity::Error;
            if self.said.insert(key(diagnostic, sources)) {
                new.push(diagnostic.clone());
            }
        }
        if !new.is_empty() {
            say(&render(
                &new,
                sources,
                expansions,
                self.terminal.error_color,
            ));
        }
        errors
    }
}

/// A file that is checked without a process.
struct Alone<'a> {
    arguments: &'a CheckArguments,
    main: SourceFile,
}

impl Alone<'_> {
    /// Checks several arms, each by itself, on all processors.
    fn arms(&self, arms: Range<usize>, last: &LayoutChoices) -> Vec<Result<Attempt, Failure>> {
        let next = AtomicUsize::new(arms.start);
        let work = || {
            let mut loader = Library::new(&self.arguments.text.include, &self.main);
            let mut done = Vec::new();
            loop {
                let arm = next.fetch_add(1, Ordering::Relaxed);
                if arm >= arms.end {
                    return done;
                }
                done.push((arm, self.arm(&mut loader, None, arm, last)));
            }
        };
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let mut done = std::thread::scope(|scope| {
            // A thread that cannot be started leaves its part to the others.
            let helpers: Vec<_> = (1..processors.min(arms.len()))
                .filter_map(|_| {
                    let builder = std::thread::Builder::new().stack_size(STACK);
                    builder.spawn_scoped(scope, work).ok()
                })
                .collect();
            let mut done = work();
            for helper in helpers {
                match helper.join() {
                    Ok(more) => done.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            done
        });
        done.sort_by_key(|(arm, _)| *arm);
        done.into_iter().map(|(_, attempt)| attempt).collect()
    }

    /// Checks an arm, with the candidates `layouts` of layouts if it is right with these.
    fn arm(
        &self,
        loader: &mut Library,
        mut names: Option<&mut Names>,
        arm: usize,
        layouts: &LayoutChoices,
    ) -> Result<Attempt, Failure> {
        let mut attempt = self.compile(loader, names.as_deref_mut(), arm, layouts.clone())?;
        if !layouts.is_empty() && attempt.has_errors() {
            attempt = self.compile(loader, names.as_deref_mut(), arm, LayoutChoices::new())?;
        }
        self.drop_errors_of_a_layout(&mut attempt, loader, names, arm)?;
        Ok(attempt)
    }

    fn compile(
        &self,
        loader: &mut Library,
        names: Option<&mut Names>,
        arm: usize,
        layouts: LayoutChoices,
    ) -> Result<Attempt, Failure> {
        let typed = compile_arm(
            Request {
                main: self.main.clone(),
                loader: &mut *loader,
                target: names.map(|names| names as &mut dyn Target),
                layouts,
                defines: defines(&self.arguments.text.define),
                arguments: self.arguments.script.clone(),
                most_probes: self.arguments.max_probes,
            },
            arm,
        );
        loader.check_refused().map_err(package)?;
        match typed {
            Ok(typed) => Ok(Attempt {
                diagnostics: typed.checked.diagnostics,
                sources: typed.sources,
                expansions: typed.expansions,
                unresolved: typed.checked.unresolved,
                layouts: typed.checked.program.layouts,
                arms: typed.arms,
                arms_hidden: typed.arms_hidden,
            }),
            Err(CompileError::Source(wrong)) => {
                let SourceErrors {
                    diagnostics,
                    sources,
                    expansions,
                } = *wrong;
                Ok(Attempt {
                    diagnostics,
                    sources,
                    expansions,
                    unresolved: Vec::new(),
                    layouts: Vec::new(),
                    arms: 1,
                    arms_hidden: false,
                })
            }
            Err(CompileError::Arguments(message, hint)) => {
                Err(Failure::usage(message).with_hints(hint))
            }
            Err(CompileError::Help(_)) => Err(Failure::usage("`ytrace check` lists no options")
                .with_hint("`ytrace run FILE -p PID -- --help` does")),
        }
    }

    /// An arm of `##if…` may be for other types than those of the layouts' first candidates: only
    /// what is wrong with every candidate is an error.
    fn drop_errors_of_a_layout(
        &self,
        attempt: &mut Attempt,
        loader: &mut Library,
        mut names: Option<&mut Names>,
        arm: usize,
    ) -> Result<(), Failure> {
        let candidates = attempt.layouts.iter().map(|layout| layout.candidates.len());
        let most = candidates.max().unwrap_or(0).min(MOST_ROUNDS);
        // Candidates that lie apart differ more: the last one, then by halves.
        let mut numbers: Vec<usize> = (1..most).collect();
        numbers.sort_by_key(|&number| (number + 1 != most, Reverse(number.trailing_zeros())));
        for number in numbers {
            if !attempt.has_errors() {
                break;
            }
            let layouts = choices(&attempt.layouts, number);
            let other = self.compile(loader, names.as_deref_mut(), arm, layouts)?;
            let known: HashSet<Key> = other
                .diagnostics
                .iter()
                .filter(|diagnostic| diagnostic.severity == Severity::Error)
                .map(|diagnostic| key(diagnostic, &other.sources))
                .collect();
            let sources = &attempt.sources;
            attempt.diagnostics.retain(|diagnostic| {
                diagnostic.severity != Severity::Error || known.contains(&key(diagnostic, sources))
            });
        }
        Ok(())
    }
}

/// Shows warnings, and no progress.
struct Quiet<'a> {
    terminal: &'a Terminal,
}

impl Sink for Quiet<'_> {
    fn begin(&mut self, _streams: bool) {}

    fn text(&mut self, _text: &[u8]) {}

    fn warn(&mut self, text: &str) {
        let (yellow, _, reset) = self.terminal.error_colors("\x1b[1;33m", "");
        say(&format!(
            "{yellow}warning{reset}: {}\n",
            text.escape_debug()
        ));
    }

    fn progress(&mut self, _text: &str) {}
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Ok(()) => Ok(()),
        Err(error) => terminal::output_failure(&error).map_or(Ok(()), Err),
    }
}
