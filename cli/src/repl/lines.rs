//! What each line does.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use ytrace_report::outline::fit_value;
use ytrace_report::units;
use ytrace_runtime::interactive::{
    Answer, Interactive, SAVED_HEAD, SaveError, Shown, Style, Wanted,
};
use ytrace_runtime::library::main_file;
use ytrace_runtime::{SessionError, Sink};
use ytrace_target::PauseReport;

use super::After;
use super::commands::{self, Dump, Parsed};
use super::documents::{as_json, losses};
use super::events::{Above, EventSink};
use super::foreign::{self, Advice};
use super::heap;
use super::names::file_name;
use super::output::{LineSink, Silent, deliver};
use super::probes::counted;
use super::redirect::Redirect;
use crate::diagnose::session_failure;
use crate::failure::{Failure, Status};
use crate::files::check_replaceable;
use crate::terminal::{Terminal, safe, say};

/// The most elements of an array that are shown; `p a[100]` shows another, and JSON has all.
const ELEMENTS: u64 = 32;

/// Files that `source` reads within one another.
const DEEPEST: usize = 16;

/// The largest file that `source` reads, in bytes.
const MOST_SOURCE: usize = 1 << 20;

/// The most pointers that `p+` follows.
const MOST_FOLLOWED: usize = 64;

/// What runs lines and shows what they give.
pub(crate) struct Prompt<'o> {
    pub(super) interactive: Rc<RefCell<Interactive<'o>>>,
    pub(super) terminal: Terminal,
    pub(super) json: bool,
    pub(super) sink: LineSink,
    /// How `x` showed memory last.
    pub(super) dump: Dump,
    /// Where `x` without an address goes on, unless a value was shown since.
    pub(super) next: Option<u64>,
    /// How many files `source` is reading.
    depth: usize,
    /// Whether an answer was not whole, or not of one instant.
    pub(super) partial: bool,
    /// Whether anything went wrong.
    pub(super) wrong: bool,
    /// What the line took and lacks so far.
    pub(super) taken: Answer,
    /// What attached probes print and what is said of them.
    pub(super) events: EventSink,
    /// Where that is shown while a line is being typed.
    pub(crate) above: Option<Above>,
}

impl<'o> Prompt<'o> {
    pub(crate) fn new(
        interactive: Rc<RefCell<Interactive<'o>>>,
        terminal: Terminal,
        json: bool,
    ) -> Self {
        Self {
            interactive,
            terminal,
            json,
            sink: LineSink::new(&terminal).in_json(json),
            next: None,
            dump: Dump {
                count: 1,
                format: 'x',
                unit: 4,
            },
            depth: 0,
            partial: false,
            wrong: false,
            taken: Answer::default(),
            events: EventSink::new(&terminal),
            above: None,
        }
    }

    /// What lines are run on.
    pub(crate) fn interactive(&self) -> Rc<RefCell<Interactive<'o>>> {
        Rc::clone(&self.interactive)
    }

    /// Says that a line has bytes that are no text.
    pub(crate) fn refuse_bytes(&mut self, at: usize) {
        self.sink.error(&format!(
            "the line is not text: byte {} is not UTF-8",
            at.saturating_add(1)
        ));
        self.wrong = true;
    }

    /// Says what does not run, for an interrupt has ended what it is a part of.
    pub(crate) fn leave_out(&mut self, what: &str) {
        self.sink.warn(&format!("interrupted: {what} did not run"));
        self.partial = true;
    }

    /// Runs a line; an interrupt that came before is not for it.
    pub(crate) fn run(&mut self, line: &str) -> After {
        ytrace_runtime::interrupt::begin_anew(&super::INTERRUPTED);
        let line = line.trim();
        let redirected = self.redirect(line);
        // A shell has a `$` of its own.
        let own = redirected.as_ref().map_or(line, |(left, _)| left);
        let own = match self.with_last_values(own) {
            Ok(own) => own,
            Err(why) => {
                self.sink.error(&why);
                self.wrong = true;
                return After::Wrong;
            }
        };
        let after = match &redirected {
            Some((_, redirect)) => self.run_redirected(&own, redirect),
            None => self.run_line(&own),
        };
        self.end_line();
        self.wrong |= after == After::Wrong;
        match self.sink.closed {
            Some(_) => After::End,
            None => after,
        }
    }

    /// A line with numbers for `$` and `$$`; the error is in words.
    pub(super) fn with_last_values(&self, line: &str) -> Result<String, String> {
        let last = self.interactive.borrow().last_name();
        let last = last.and_then(|name| name.strip_prefix('$')?.parse().ok());
        foreign::with_last_values(line, last)
    }

    /// Why standard output takes no more, if that has ended the session.
    pub(crate) fn output_failure(&mut self) -> Option<Failure> {
        self.sink.closed.take()
    }

    /// The command that a line is. A variable of that name that was declared here comes first.
    pub(super) fn command<'l>(&self, line: &'l str) -> Option<Parsed<'l>> {
        let parsed = commands::parse(line)?;
        let word = line
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next();
        let declared = word.is_some_and(|word| self.interactive.borrow().is_declared(word));
        (!declared).then_some(parsed)
    }

    pub(super) fn run_line(&mut self, line: &str) -> After {
        let after = self.run_command(line);
        self.end_line();
        after
    }

    /// Prints the last document of a line, with what the line took and lacks.
    fn end_line(&mut self) {
        let taken = std::mem::take(&mut self.taken);
        let members = match self.json {
            true => losses(&taken),
            false => serde_json::Map::new(),
        };
        self.sink.end_line(members);
    }

    /// How the session ends: what went wrong comes before what is not whole.
    pub(crate) fn status(&self) -> Status {
        match (self.wrong, self.partial) {
            (true, _) => Status::Probe,
            (false, true) => Status::Partial,
            (false, false) => Status::Success,
        }
    }

    fn run_command(&mut self, line: &str) -> After {
        let Some(parsed) = self.command(line) else {
            return match self.advice(line) {
                Some(advice) => {
                    self.sink.error(&advice.message);
                    self.sink.hint(&advice.hint);
                    After::Wrong
                }
                None => self.evaluate(line, Style::default()),
            };
        };
        let done = match parsed.name {
            "p" => return self.print(&parsed),
            "p+" => return self.print_followed(parsed.rest),
            "quit" => return After::End,
            "help" => self.help(parsed.rest),
            "whatis" => self.type_of(parsed.rest, false),
            "ptype" => self.type_of(parsed.rest, true),
            "x" => self.memory(&parsed),
            "info symbol" => self.with_address(parsed.rest, Self::symbol),
            "info line" => self.with_address(parsed.rest, Self::line),
            ":what" => self.what(parsed.rest),
            "info threads" => self.threads(),
            "thread" => self.choose_thread(parsed.rest),
            "bt" => self.stack(parsed.rest),
            ":freeze" => self.freeze(),
            ":thaw" => self.thaw(),
            ":probes" => self.probes(),
            ":detach" => self.detach(parsed.rest),
            ":wait" => self.wait(parsed.rest),
            "probe" => return self.evaluate_as(line, Style::default(), true),
            ":view" => self.view(parsed.rest),
            ":save" => match file_name(parsed.rest) {
                Ok(name) => self.save(&name),
                Err(why) => Err(Wrong::Words(why)),
            },
            "source" => match file_name(parsed.rest) {
                Ok(name) => return self.source(&name),
                Err(why) => Err(Wrong::Words(why)),
            },
            name => match heap::verb(name) {
                Some(verb) => self.heap(verb, parsed.rest),
                None => Err(Wrong::Words(format!("`{name}` is no command"))),
            },
        };
        self.after(done)
    }

    /// What to say of a line that begins as a command which there is not. Names of the target come first.
    fn advice(&mut self, line: &str) -> Option<Advice> {
        let advice = foreign::advice(line)?;
        let means = self
            .interactive
            .borrow_mut()
            .is_expression(line, &mut Silent);
        (!means).then_some(advice)
    }

    pub(super) fn after(&mut self, done: Result<(), Wrong>) -> After {
        match done {
            Ok(()) => After::Fine,
            Err(wrong) => {
                self.tell(wrong);
                After::Wrong
            }
        }
    }

    fn print(&mut self, parsed: &Parsed<'_>) -> After {
        let mut style = Style::default();
        for letter in parsed.format.chars() {
            match commands::radix(letter) {
                Some(radix) => style.radix = radix,
                None => {
                    self.sink
                        .error(&format!("`p` has no format `{letter}`: x d u o t c a"));
                    return After::Wrong;
                }
            }
        }
        let expression = match parsed.rest {
            "" => "_",
            rest => rest,
        };
        if expression.ends_with(';') {
            self.sink.error("`p` takes an expression, without a `;`");
            return After::Wrong;
        }
        self.evaluate(expression, style)
    }

    /// Runs a line of the language.
    fn evaluate(&mut self, text: &str, style: Style) -> After {
        self.evaluate_as(text, style, false)
    }

    /// The same; of a probe whose head has no underscore if `probe`.
    fn evaluate_as(&mut self, text: &str, style: Style, probe: bool) -> After {
        let wanted = Wanted {
            style: Style {
                elements: Some(ELEMENTS),
                typed_pointers: true,
                ..style
            },
            tree: self.json,
        };
        let mut interactive = self.interactive.borrow_mut();
        let answer = match probe {
            true => interactive.run_probe(text, wanted, &mut self.sink),
            false => interactive.run(text, wanted, &mut self.sink),
        };
        drop(interactive);
        match answer {
            Ok(answer) => self.show(&answer),
            Err(error) => {
                self.tell(Wrong::Session(Box::new(error)));
                After::Wrong
            }
        }
    }

    pub(super) fn show(&mut self, answer: &Answer) -> After {
        self.sink.show_printed();
        if let Some(shown) = &answer.shown {
            self.next = None;
            match self.json {
                true => self.sink.document(&as_json(shown)),
                false => self.sink.data(self.value_line(shown).as_bytes()),
            }
        }
        for probe in &answer.attached {
            let places = match probe.places {
                0 => String::new(),
                places => format!(" at {}", counted(places, "place")),
            };
            say(&format!(
                "probe {} ({}) is attached{places}\n",
                probe.number,
                safe(&probe.head)
            ));
        }
        self.tell_losses(answer);
        if let Some(fault) = &answer.fault {
            let place = match fault.location.as_str() {
                "" | "?" => String::new(),
                location => format!(" ({location})"),
            };
            self.sink.error(&format!("{}{place}", fault.message));
            for caller in &fault.chain {
                say(&format!("  in {}\n", safe(caller)));
            }
        }
        match (answer.end, &answer.fault) {
            (true, _) => After::End,
            (false, Some(_)) => After::Wrong,
            (false, None) => After::Fine,
        }
    }

    /// Says what an answer took and lacks.
    pub(super) fn tell_losses(&mut self, answer: &Answer) {
        self.taken.absorb_losses(answer);
        for check in &answer.checks {
            self.sink.error(check);
        }
        for reason in &answer.partial {
            self.sink.warn(reason);
        }
        if let Some(pause) = &answer.pause {
            self.tell_pause(pause);
        }
        if answer.missed > 0 {
            say(&format!(
                "{} pages are not in the snapshot and were read as they are now\n",
                answer.missed
            ));
        }
        if answer.swapped > 0 {
            say(&format!(
                "{} pages are swapped out and were not read (--read-swap reads them)\n",
                answer.swapped
            ));
        }
        self.partial |= answer.is_partial();
    }

    fn value_line(&self, shown: &Shown) -> String {
        let head = match shown.number {
            Some(number) => format!("${number} = "),
            None => String::new(),
        };
        let width = match self.sink.kept {
            // A file is as wide as need be, but not wider than can be read.
            Some(_) => 200,
            None => self.terminal.width_now(),
        };
        let value = fit_value(&shown.outline, width, head.chars().count());
        format!("{head}{value}\n")
    }

    /// A value, then what the pointers lead to that are its members, or that it is.
    fn print_followed(&mut self, expression: &str) -> After {
        let after = self.evaluate(expression, Style::default());
        if after != After::Fine {
            return after;
        }
        let pointers = self
            .interactive
            .borrow_mut()
            .pointers_in("_", &mut self.sink);
        let pointers = match pointers {
            Ok(pointers) => pointers,
            Err(error) => {
                self.tell(Wrong::Session(Box::new(error)));
                return After::Wrong;
            }
        };
        let base = self.interactive.borrow().last_name();
        let Some(base) = base else {
            return After::Fine;
        };
        let mut worst = after;
        for path in pointers.iter().take(MOST_FOLLOWED) {
            let pointer = format!("{base}{path}");
            let word = self.interactive.borrow_mut().word(&pointer, &mut self.sink);
            // What points nowhere is seen above, and so is what points to something of which nothing is known.
            let leads = match word {
                Ok((word, answer)) => {
                    self.tell_losses(&answer);
                    word.is_ok_and(|address| address != 0)
                }
                Err(_) => false,
            };
            let target = format!("*({pointer})");
            let known = leads && {
                let ty = self.interactive.borrow_mut().type_of(&target, &mut Silent);
                ty.is_ok_and(|ty| ty.size.is_some())
            };
            if !known {
                continue;
            }
            let label = match path.as_str() {
                "" => format!("*{base}:\n"),
                path => format!("*{}:\n", path.trim_start_matches('.')),
            };
            if !self.json {
                self.sink.data(safe(label.trim_end()).as_bytes());
                self.sink.data(b"\n");
            }
            worst = worst.max(self.evaluate(&target, Style::default()));
        }
        if let Some(more) = pointers
            .len()
            .checked_sub(MOST_FOLLOWED)
            .filter(|more| *more > 0)
        {
            say(&format!("{more} further pointers were not followed\n"));
        }
        worst
    }

    /// The expression of a command; the last value where there is none.
    pub(super) fn operand(&self, text: &str) -> Result<String, Wrong> {
        match text {
            "" if self.interactive.borrow().last_name().is_some() => Ok("_".to_owned()),
            "" => Err(Wrong::Words("an expression is missing".to_owned())),
            text => Ok(text.to_owned()),
        }
    }

    pub(super) fn address(&mut self, text: &str) -> Result<u64, Wrong> {
        let text = self.operand(text)?;
        let word = self.interactive.borrow_mut().word(&text, &mut self.sink)?;
        let (word, answer) = word;
        self.tell_losses(&answer);
        word.map_err(Wrong::Words)
    }

    fn freeze(&mut self) -> Result<(), Wrong> {
        let frozen = self.interactive.borrow_mut().freeze()?;
        if self.json {
            let length = u64::try_from(frozen.pause.pause.as_nanos()).unwrap_or(u64::MAX);
            self.sink.document(&json!({
                "copied": frozen.bytes, "left_out": frozen.left_out, "pause_ns": length,
            }));
        }
        let left_out = match frozen.left_out {
            0 => String::new(),
            bytes => format!(
                "; {} more can change and are read as they are then (--max-pause)",
                units::bytes(bytes)
            ),
        };
        say(&format!(
            "frozen: stopped {}, {} copied{left_out}\n",
            duration(frozen.pause.pause),
            units::bytes(frozen.bytes)
        ));
        Ok(())
    }

    fn thaw(&mut self) -> Result<(), Wrong> {
        match self.interactive.borrow_mut().thaw() {
            true => {
                say("lines see the target as it is now\n");
                Ok(())
            }
            false => Err(Wrong::Words("there is no snapshot".to_owned())),
        }
    }

    fn save(&mut self, name: &str) -> Result<(), Wrong> {
        if name.is_empty() {
            return Err(Wrong::Words("a file is missing: `:save FILE`".to_owned()));
        }
        check_replaceable(Path::new(name), SAVED_HEAD, "session that was saved")
            .map_err(|why| Wrong::Words(format!("{why}: give another name")))?;
        let saved = self.interactive.borrow_mut().save(&mut self.sink);
        let saved = match saved {
            Ok(saved) => saved,
            Err(error @ (SaveError::Nothing | SaveError::Unlike(_))) => {
                return Err(Wrong::Words(error.to_string()));
            }
            Err(SaveError::Wrong(error)) => {
                self.sink
                    .error("what was typed does not make a probe file as it stands");
                return Err(Wrong::Session(error));
            }
        };
        let file = Redirect::File(name.to_owned());
        deliver(saved.text.as_bytes(), &file).map_err(Wrong::Words)?;
        say(&format!("wrote {}\n", safe(name)));
        if !saved.left_out.is_empty() {
            let first = saved.left_out.first().map_or("", String::as_str);
            let first = first.lines().next().unwrap_or_default();
            self.sink.warn(&format!(
                "{} left out, which faulted after it may have done a part of its work: {first}{}",
                match saved.left_out.len() {
                    1 => "a part of what was typed is".to_owned(),
                    count => format!("{count} parts of what was typed are"),
                },
                if saved.left_out.len() > 1 { " …" } else { "" }
            ));
        }
        Ok(())
    }

    fn source(&mut self, name: &str) -> After {
        let text = match read_source(name) {
            Ok(text) if self.depth < DEEPEST => text,
            Ok(_) => {
                self.sink.error("files read one another too deeply");
                return After::Wrong;
            }
            Err(why) => {
                self.sink.error(&why);
                return After::Wrong;
            }
        };
        self.depth += 1;
        let mut after = After::Fine;
        let mut interrupted = false;
        let mut part = String::new();
        let mut lines = text.lines();
        for line in lines.by_ref() {
            part.push_str(line);
            part.push('\n');
            if ytrace_lang::fragment::is_incomplete(&part) && !commands::is_command(&part) {
                continue;
            }
            after = self.run(&std::mem::take(&mut part));
            interrupted = super::INTERRUPTED.load(Ordering::Relaxed);
            if after != After::Fine || interrupted {
                break;
            }
        }
        let left = lines.filter(|line| !line.trim().is_empty()).count();
        if interrupted && left > 0 {
            self.leave_out(&format!("{} of {name}", counted(left as u64, "line")));
        }
        if after == After::Fine && !interrupted && !part.trim().is_empty() {
            after = self.run(&part);
        }
        self.depth -= 1;
        after
    }

    fn tell_pause(&mut self, pause: &PauseReport) {
        let expired = match pause.expired {
            true => ", the longest pause: what was read after it is not of the same instant",
            false => "",
        };
        say(&format!("stopped {}{expired}\n", duration(pause.pause)));
    }

    fn tell(&mut self, wrong: Wrong) {
        match wrong {
            Wrong::Said => {}
            Wrong::Words(text) => self.sink.error(&text),
            Wrong::Session(error) => match &*error {
                // What is shown of the text says it all.
                SessionError::Source { .. } => drop(session_failure(*error, &self.terminal)),
                SessionError::Arguments { message, hint } => {
                    self.sink.error(message);
                    if let Some(hint) = hint.as_deref().and_then(at_the_prompt) {
                        self.sink.hint(&hint);
                    }
                }
                other => {
                    self.sink.error(&other.to_string());
                    for hint in other.hints() {
                        if let Some(hint) = at_the_prompt(&hint) {
                            self.sink.hint(&hint);
                        }
                    }
                }
            },
        }
    }
}

/// Why a line gave nothing.
pub(super) enum Wrong {
    Words(String),
    Session(Box<SessionError>),
    /// It has been said.
    Said,
}

impl From<SessionError> for Wrong {
    fn from(error: SessionError) -> Self {
        Wrong::Session(Box::new(error))
    }
}

/// A hint as it holds at the prompt, which has fewer options.
fn at_the_prompt(hint: &str) -> Option<String> {
    // Lines are read live, and what stops the target cannot do without.
    if hint.contains("--mode live") || hint.starts_with("use the live mode") {
        return None;
    }
    if let Some((other, _)) = hint.split_once(", or use the live mode") {
        return Some(other.to_owned());
    }
    let others = ["--max-overhead", "--force", "--mode"];
    Some(match others.iter().any(|option| hint.contains(option)) {
        true => format!("{hint} (these are options of `ytrace run`)"),
        false => hint.to_owned(),
    })
}

fn duration(time: Duration) -> String {
    units::duration(i128::try_from(time.as_nanos()).unwrap_or(i128::MAX))
}

fn read_source(name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("a file is missing: `source FILE`".to_owned());
    }
    // Probes that ship with ytrace are no lines.
    std::fs::metadata(name).map_err(|error| format!("{name}: {error}"))?;
    // Its lines may start programs, so it is refused where others can write it.
    let file = main_file(Path::new(name)).map_err(|error| error.to_string())?;
    if file.text.len() > MOST_SOURCE {
        return Err(format!("{name} has more than {MOST_SOURCE} bytes"));
    }
    Ok(file.text.to_string())
}
