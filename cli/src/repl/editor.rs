//! The prompt on a terminal: editing, history, completion.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TryRecvError};
use std::time::{Duration, Instant};

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter, MatchingBracketHighlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{ColorMode, CompletionType, Config, Context, Editor, ExternalPrinter, Helper};
use ytrace_lang::fragment;

use super::After;
use super::commands::{self, COMMANDS};
use super::events::Above;
use super::heap;
use super::lines::Prompt;
use super::output::Silent;
use super::paint::painted;
use super::signature::called;
use super::view;
use crate::failure::Failure;
use crate::terminal::{Terminal, print, safe, say};

/// The most lines of history that are kept.
const MOST_HISTORY: usize = 10_000;

const PROMPT: &str = "(ytrace) ";

/// What the thread that edits lines asks of the one that runs them.
enum Request {
    /// A line is to be run. The next one is read when it has been.
    Line(String),
    /// What the word that ends at a place of a line may become.
    Complete(String, usize, SyncSender<(usize, Vec<Pair>)>),
    /// The prototype of a function.
    Prototype(String, SyncSender<Option<String>>),
    /// No more lines come.
    End(Result<(), Failure>),
}

/// How long probes are followed before it is looked whether something was typed.
const SLICE: Duration = Duration::from_millis(2);

/// Reads lines from a user and runs them, until the end. They are edited on a thread of their own, so that attached probes are followed
/// meanwhile; all else happens on this one.
pub(crate) fn converse(prompt: &mut Prompt<'_>, terminal: &Terminal) -> Result<(), Failure> {
    let (requests, asked) = mpsc::channel();
    let (go_on, done) = mpsc::sync_channel(0);
    let (above, shown) = Above::new();
    prompt.above = Some(above);
    let terminal = *terminal;
    let editing = std::thread::Builder::new()
        .name("editor".to_owned())
        .spawn(move || {
            let ended = edit(&terminal, &requests, &done, shown);
            // Nobody asks any more if the other side has ended.
            let _ = requests.send(Request::End(ended));
        })
        .map_err(|error| Failure::usage(format!("cannot start a thread: {error}")))?;
    let status = serve(prompt, &asked, &go_on);
    drop(go_on);
    // It waits for this side only, which is gone.
    drop(asked);
    if editing.join().is_err() {
        return Err(Failure::usage(
            "the editor of lines failed; this is a defect",
        ));
    }
    status
}

/// Does what the editor asks for, until the end.
fn serve(
    prompt: &mut Prompt<'_>,
    asked: &Receiver<Request>,
    go_on: &SyncSender<()>,
) -> Result<(), Failure> {
    loop {
        let request = match prompt.has_probes() {
            false => asked.recv().ok(),
            true => match asked.try_recv() {
                Ok(request) => Some(request),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => {
                    // An interrupt was for a line.
                    ytrace_runtime::interrupt::begin_anew(&super::INTERRUPTED);
                    prompt.follow(Instant::now() + SLICE);
                    continue;
                }
            },
        };
        match request {
            Some(Request::Line(line)) => {
                let after = prompt.run(&line);
                if after == After::End {
                    return Ok(());
                }
                if go_on.send(()).is_err() {
                    return Ok(());
                }
            }
            Some(Request::Complete(line, at, reply)) => {
                let found = prompt
                    .interactive()
                    .borrow_mut()
                    .complete(&line, at, &mut Silent);
                let mut pairs: Vec<Pair> = found
                    .words
                    .into_iter()
                    .map(|word| Pair {
                        display: word.clone(),
                        replacement: word,
                    })
                    .collect();
                // What all have in common is inserted: those that are not shown are among them.
                pairs.extend(found.cut.map(|common| Pair {
                    display: "… and more".to_owned(),
                    replacement: common,
                }));
                // Who asks waits for it.
                let _ = reply.send((found.start, pairs));
            }
            Some(Request::Prototype(name, reply)) => {
                let _ = reply.send(prompt.interactive().borrow().prototype(&name));
            }
            Some(Request::End(ended)) => return ended,
            None => return Ok(()),
        }
    }
}

/// Reads lines until the user ends it, or there is nobody any more who runs them.
fn edit(
    terminal: &Terminal,
    requests: &Sender<Request>,
    done: &Receiver<()>,
    shown: Receiver<String>,
) -> Result<(), Failure> {
    let broken =
        |error: ReadlineError| Failure::usage(format!("the terminal cannot be used: {error}"));
    let color = match terminal.output_color {
        true => ColorMode::Enabled,
        false => ColorMode::Disabled,
    };
    let config = Config::builder()
        .max_history_size(MOST_HISTORY)
        .map_err(broken)?
        .history_ignore_dups(true)
        .map_err(broken)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .color_mode(color)
        .build();
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config).map_err(broken)?;
    editor.set_helper(Some(Assistant {
        requests: requests.clone(),
        files: FilenameCompleter::new(),
        brackets: MatchingBracketHighlighter::new(),
        known: RefCell::new(None),
        terminal: *terminal,
    }));
    show_above(&mut editor, shown)?;
    let history = history_file();
    if let Some(file) = history.as_deref().filter(|file| file.exists())
        && let Err(error) = editor.load_history(file)
    {
        warn_of_history(file, &error);
    }
    let styled = match terminal.output_color {
        true => format!("\x1b[1;34m{PROMPT}\x1b[0m"),
        false => PROMPT.to_owned(),
    };
    let mut history = history;
    loop {
        let line = match editor.readline(&(PROMPT, styled.as_str())) {
            Ok(line) => line,
            // What was begun is given up.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            // A byte that is no text.
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                say("what was typed is not UTF-8; the line is given up\n");
                continue;
            }
            Err(error) => return Err(broken(error)),
        };
        if line.trim().is_empty() {
            continue;
        }
        editor.add_history_entry(line.as_str()).map_err(broken)?;
        // At once, so that it is there however the session ends.
        if let Some(file) = &history
            && let Err(error) = editor.append_history(file)
        {
            warn_of_history(file, &error);
            history = None;
        }
        if requests.send(Request::Line(line)).is_err() || done.recv().is_err() {
            return Ok(());
        }
    }
}

/// Shows what comes above the line that is being typed. That may wait for the editor, so it is on a thread of its own, which ends with
/// the sender.
fn show_above(
    editor: &mut Editor<Assistant, FileHistory>,
    shown: Receiver<String>,
) -> Result<(), Failure> {
    let mut printer = editor.create_external_printer().ok();
    std::thread::Builder::new()
        .name("printer".to_owned())
        .spawn(move || {
            for text in shown {
                let printed = printer
                    .as_mut()
                    .is_some_and(|printer| printer.print(text.clone()).is_ok());
                // Where the terminal can do no more than show text.
                if !printed && print(&text).is_err() {
                    return;
                }
            }
        })
        .map(drop)
        .map_err(|error| Failure::usage(format!("cannot start a thread: {error}")))
}

fn warn_of_history(file: &Path, error: &ReadlineError) {
    say(&format!(
        "warning: the history in {} is not used: {error}\n",
        safe(&file.display().to_string())
    ));
}

/// Where the history is (XDG base directory specification), in a directory that exists; `None` where there is none to be had.
fn history_file() -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = PathBuf::from(std::env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    let state = match absolute("XDG_STATE_HOME") {
        Some(state) => state,
        None => absolute("HOME")?.join(".local/state"),
    };
    let folder = state.join("ytrace");
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder);
    match made {
        Ok(()) => Some(folder.join("history")),
        Err(error) => {
            say(&format!(
                "warning: no history is kept, {} cannot be made: {error}\n",
                safe(&folder.display().to_string())
            ));
            None
        }
    }
}

/// What helps the editor.
struct Assistant {
    requests: Sender<Request>,
    files: FilenameCompleter,
    brackets: MatchingBracketHighlighter,
    /// The function whose prototype was asked for last, and the answer.
    known: RefCell<Option<(String, Option<String>)>>,
    terminal: Terminal,
}

impl Assistant {
    /// Names of commands that begin as the text does; of names of several words the first, until that is there.
    fn commands(text: &str) -> Vec<Pair> {
        let whole = text.contains([' ', ':']);
        let names = COMMANDS.iter().flat_map(|entry| entry.names);
        let mut names: Vec<&str> = names
            .map(|name| match whole {
                true => name,
                false => name.split(' ').next().unwrap_or(name),
            })
            .filter(|name| name.starts_with(text) && name.len() > text.len())
            .collect();
        names.dedup();
        names
            .into_iter()
            .map(|name| Pair {
                display: name.to_owned(),
                replacement: format!("{name} "),
            })
            .collect()
    }

    /// Asks the thread that runs lines. None does while a line is edited, so it answers soon.
    fn ask<T>(&self, request: impl FnOnce(SyncSender<T>) -> Request) -> Option<T> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.requests.send(request(reply)).ok()?;
        answer.recv().ok()
    }

    /// The prototype of a function, if one is known.
    fn prototype(&self, name: &str) -> Option<String> {
        let mut known = self.known.borrow_mut();
        match &*known {
            Some((asked, answer)) if asked == name => answer.clone(),
            _ => {
                let answer = self
                    .ask(|reply| Request::Prototype(name.to_owned(), reply))
                    .flatten();
                *known = Some((name.to_owned(), answer.clone()));
                answer
            }
        }
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..at).unwrap_or_default();
        let command = commands::parse(before);
        let wants_file = command
            .as_ref()
            .is_some_and(|parsed| matches!(parsed.name, ":save" | "source"));
        if wants_file {
            return self.files.complete_path(line, at);
        }
        let blanks = before.len() - before.trim_start().len();
        let known = heap::completions(before.trim_start())
            .or_else(|| view::completions(before.trim_start()));
        if let Some((start, words)) = known {
            let pairs = words.into_iter().map(|word| Pair {
                display: word.to_owned(),
                replacement: format!("{word} "),
            });
            return Ok((blanks + start, pairs.collect()));
        }
        let mut pairs = match before.trim_start() {
            "" => Vec::new(),
            text => Self::commands(text),
        };
        // A name of several words is completed as a whole.
        if !pairs.is_empty() && before.trim_start().contains([' ', ':']) {
            let start = before.len() - before.trim_start().len();
            return Ok((start, pairs));
        }
        if let Some(parsed) = command.filter(|parsed| parsed.name == "help") {
            let names = COMMANDS.iter().flat_map(|entry| entry.names);
            let names = names.filter(|name| name.starts_with(parsed.rest));
            let pairs = names.map(|name| Pair {
                display: (*name).to_owned(),
                replacement: (*name).to_owned(),
            });
            return Ok((at - parsed.rest.len(), pairs.collect()));
        }
        let found = self.ask(|reply| Request::Complete(line.to_owned(), at, reply));
        let Some((start, words)) = found else {
            return Ok((at, pairs));
        };
        let known: Vec<String> = pairs.iter().map(|pair| pair.display.clone()).collect();
        pairs.extend(
            words
                .into_iter()
                .filter(|word| !known.contains(&word.display)),
        );
        Ok((start, pairs))
    }
}

/// What is shown beside the line, and not inserted.
struct Prototype(String);

impl Hint for Prototype {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Assistant {
    type Hint = Prototype;

    fn hint(&self, line: &str, at: usize, _context: &Context<'_>) -> Option<Prototype> {
        if at < line.len() {
            return None;
        }
        let prototype = self.prototype(called(line)?)?;
        // As much as there is room for on the line.
        let last = line.lines().last().unwrap_or_default().chars().count();
        let room = self
            .terminal
            .width_now()
            .saturating_sub(PROMPT.len() + last + 3);
        let shown = ytrace_report::text::fit(&prototype, room);
        (!shown.is_empty()).then(|| Prototype(format!("  {shown}")))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let open = fragment::is_incomplete(text) && !commands::is_command(text);
        Ok(match open {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, at: usize) -> Cow<'l, str> {
        // It colours one bracket, with a sequence before it.
        let bracket = match self.brackets.highlight(line, at) {
            Cow::Borrowed(_) => None,
            Cow::Owned(shown) => {
                let alike = line.bytes().zip(shown.bytes());
                Some(alike.take_while(|(a, b)| a == b).count())
            }
        };
        Cow::Owned(painted(line, bracket))
    }

    fn highlight_char(&self, line: &str, at: usize, kind: CmdKind) -> bool {
        // A letter makes another word of what is there.
        let bracket = self.brackets.highlight_char(line, at, kind);
        bracket || kind == CmdKind::Other
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
    }
}

impl Helper for Assistant {}
