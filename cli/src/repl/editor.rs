//! The prompt on a terminal: editing, history, completion.

use std::borrow::Cow;
use std::cell::RefCell;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter, MatchingBracketHighlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{ColorMode, CompletionType, Config, Context, Editor, Helper};
use ytrace_lang::fragment;
use ytrace_runtime::interactive::Interactive;

use super::After;
use super::commands::{self, COMMANDS};
use super::heap;
use super::lines::Prompt;
use super::output::Silent;
use crate::failure::{Failure, Status};
use crate::terminal::{Terminal, safe, say};

/// The most lines of history that are kept.
const MOST_HISTORY: usize = 10_000;

const PROMPT: &str = "(ytrace) ";

/// Reads lines from a user and runs them, until the end.
pub(crate) fn converse(
    prompt: &mut Prompt<'_>,
    interactive: Rc<RefCell<Interactive<'_>>>,
    terminal: &Terminal,
) -> Result<Status, Failure> {
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
    let mut editor: Editor<Assistant<'_>, FileHistory> =
        Editor::with_config(config).map_err(broken)?;
    editor.set_helper(Some(Assistant {
        interactive,
        files: FilenameCompleter::new(),
        brackets: MatchingBracketHighlighter::new(),
    }));
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
            Err(ReadlineError::Eof) => return Ok(Status::Success),
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
        if prompt.run(&line) == After::End {
            return Ok(Status::Success);
        }
    }
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
struct Assistant<'o> {
    interactive: Rc<RefCell<Interactive<'o>>>,
    files: FilenameCompleter,
    brackets: MatchingBracketHighlighter,
}

impl Assistant<'_> {
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
}

impl Completer for Assistant<'_> {
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
            .is_some_and(|parsed| matches!(parsed.name, ":save" | "source"))
            || before.trim_start().starts_with("#include \"");
        if wants_file {
            return self.files.complete_path(line, at);
        }
        let blanks = before.len() - before.trim_start().len();
        if let Some((start, words)) = heap::completions(before.trim_start()) {
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
        // The names may be in use only while a line runs, and none does.
        let Ok(mut interactive) = self.interactive.try_borrow_mut() else {
            return Ok((at, pairs));
        };
        let found = interactive.complete(line, at, &mut Silent);
        let known: Vec<String> = pairs.iter().map(|pair| pair.display.clone()).collect();
        let words = found.words.into_iter().filter(|word| !known.contains(word));
        pairs.extend(words.map(|word| Pair {
            display: word.clone(),
            replacement: word,
        }));
        Ok((found.start, pairs))
    }
}

impl Validator for Assistant<'_> {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let open = fragment::is_incomplete(text) && !commands::is_command(text);
        Ok(match open {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Highlighter for Assistant<'_> {
    fn highlight<'l>(&self, line: &'l str, at: usize) -> Cow<'l, str> {
        self.brackets.highlight(line, at)
    }

    fn highlight_char(&self, line: &str, at: usize, kind: CmdKind) -> bool {
        self.brackets.highlight_char(line, at, kind)
    }
}

impl Hinter for Assistant<'_> {
    type Hint = String;
}

impl Helper for Assistant<'_> {}
