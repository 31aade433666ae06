//! What each line does.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use ytrace_report::outline::fit_value;
use ytrace_report::{json as report_json, units};
use ytrace_runtime::interactive::{Answer, Interactive, SaveError, Shown, Style, Wanted};
use ytrace_runtime::library::main_file;
use ytrace_runtime::{SessionError, Sink};
use ytrace_target::PauseReport;

use super::After;
use super::commands::{self, COMMANDS, Dump, Parsed};
use super::heap;
use super::output::{LineSink, Redirect, Silent, deliver, split_redirect};
use crate::diagnose::session_failure;
use crate::terminal::{Terminal, safe, say};

/// The most elements of an array that are shown; `p a[100]` shows another, and JSON has all.
const ELEMENTS: u64 = 32;

/// Files that `source` reads within one another.
const DEEPEST: usize = 16;

/// The largest file that `source` reads, in bytes.
const MOST_SOURCE: u64 = 1 << 20;

/// The most pointers that `p+` follows.
const MOST_FOLLOWED: usize = 64;

/// What runs lines and shows what they give.
pub(crate) struct Prompt<'o> {
    pub(super) interactive: Rc<RefCell<Interactive<'o>>>,
    terminal: Terminal,
    pub(super) json: bool,
    pub(super) sink: LineSink,
    /// How `x` showed memory last.
    dump: Dump,
    /// The thread that `thread` has chosen.
    thread: Option<i32>,
    /// How many files `source` is reading.
    depth: usize,
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
            sink: LineSink::new(&terminal),
            dump: Dump {
                count: 1,
                format: 'x',
                unit: 4,
            },
            thread: None,
            depth: 0,
        }
    }

    /// Runs a line; an interrupt that came before is not for it.
    pub(crate) fn run(&mut self, line: &str) -> After {
        ytrace_runtime::interrupt::begin_anew(&super::INTERRUPTED);
        let line = line.trim();
        let after = match self.redirect(line) {
            Some((left, redirect)) => self.run_redirected(left, &redirect),
            None => self.run_line(line),
        };
        match self.sink.closed {
            true => After::End,
            false => after,
        }
    }

    /// Where the output of a line goes, unless what looks so is an operator: a whole line that is right is what it says.
    fn redirect<'l>(&mut self, line: &'l str) -> Option<(&'l str, Redirect)> {
        let (left, redirect) = split_redirect(line)?;
        let expression = match self.command(line) {
            Some(parsed) if takes_expression(parsed.name) => parsed.rest,
            Some(_) => return Some((left, redirect)),
            None => line,
        };
        let whole = self
            .interactive
            .borrow_mut()
            .is_expression(expression, &mut Silent);
        (!whole).then_some((left, redirect))
    }

    fn run_redirected(&mut self, line: &str, redirect: &Redirect) -> After {
        self.sink.kept = Some(Vec::new());
        let after = self.run_line(line);
        let kept = self.sink.kept.take().unwrap_or_default();
        // What went wrong has been said; there is nothing to read.
        if after == After::Wrong && kept.is_empty() {
            return after;
        }
        match deliver(&kept, redirect) {
            Ok(()) => after,
            Err(why) => {
                self.sink.error(&why);
                After::Wrong
            }
        }
    }

    /// The command that a line is. A variable of that name that was declared here comes first.
    fn command<'l>(&self, line: &'l str) -> Option<Parsed<'l>> {
        let parsed = commands::parse(line)?;
        let word = line
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next();
        let declared = word.is_some_and(|word| self.interactive.borrow().is_declared(word));
        (!declared).then_some(parsed)
    }

    fn run_line(&mut self, line: &str) -> After {
        let Some(parsed) = self.command(line) else {
            return self.evaluate(line, Style::default());
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
            ":save" => self.save(parsed.rest),
            "source" => return self.source(parsed.rest),
            name => match heap::verb(name) {
                Some(verb) => self.heap(verb, parsed.rest),
                None => Err(Wrong::Words(format!("`{name}` is no command"))),
            },
        };
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
        let wanted = Wanted {
            style: Style {
                elements: Some(ELEMENTS),
                typed_pointers: true,
                ..style
            },
            tree: self.json,
        };
        let answer = self
            .interactive
            .borrow_mut()
            .run(text, wanted, &mut self.sink);
        match answer {
            Ok(answer) => self.show(&answer),
            Err(error) => {
                self.tell(Wrong::Session(Box::new(error)));
                After::Wrong
            }
        }
    }

    pub(super) fn show(&mut self, answer: &Answer) -> After {
        if let Some(shown) = &answer.shown {
            let text = match self.json {
                true => format!("{}\n", as_json(shown)),
                false => self.value_line(shown),
            };
            self.sink.data(text.as_bytes());
        }
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

    fn value_line(&self, shown: &Shown) -> String {
        let head = match shown.number {
            Some(number) => format!("${number} = "),
            None => String::new(),
        };
        let width = match self.sink.kept {
            // A file is as wide as need be, but not wider than can be read.
            Some(_) => 200,
            None => self.terminal.width,
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
        for path in pointers.iter().take(MOST_FOLLOWED) {
            let pointer = format!("{base}{path}");
            let word = self.interactive.borrow_mut().word(&pointer, &mut self.sink);
            // What points nowhere is seen above, and so is what points to something of which nothing is known.
            let leads = matches!(word, Ok(Ok(address)) if address != 0);
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
            self.evaluate(&target, Style::default());
        }
        if let Some(more) = pointers
            .len()
            .checked_sub(MOST_FOLLOWED)
            .filter(|more| *more > 0)
        {
            say(&format!("{more} further pointers were not followed\n"));
        }
        After::Fine
    }

    fn help(&mut self, name: &str) -> Result<(), Wrong> {
        let mut text = String::new();
        let mut found = false;
        for entry in COMMANDS {
            if !name.is_empty() && !entry.names.contains(&name) {
                continue;
            }
            found = true;
            let head = format!("{} {}", entry.names.join(", "), entry.arguments);
            text.push_str(&format!("  {:<32} {}\n", head.trim_end(), entry.help));
        }
        if !found {
            return Err(Wrong::Words(format!("there is no command `{name}`")));
        }
        if name.is_empty() {
            text.insert_str(
                0,
                "Expressions, statements, variables, functions, structs and #include of the probe language; a line with an open bracket goes on.\n\
                 `_` is the last value, `$1`, `$2` … are earlier ones. Tab completes, Ctrl-C ends a line, Ctrl-D the session.\n\n",
            );
            text.push_str(
                "\nLINE | COMMAND   the output goes to a program\nLINE > FILE      … to a file; >> FILE is added to\n",
            );
        }
        self.sink.data(text.as_bytes());
        Ok(())
    }

    fn type_of(&mut self, text: &str, whole: bool) -> Result<(), Wrong> {
        let text = self.operand(text)?;
        let found = self
            .interactive
            .borrow_mut()
            .type_of(&text, &mut self.sink)?;
        let line = match (self.json, whole) {
            (true, _) => json!({
                "type": found.name, "size": found.size, "whole": found.whole,
            })
            .to_string(),
            (false, false) => format!("type = {}", found.name),
            (false, true) => match found.size {
                Some(size) => format!("type = {}  // {size} bytes", found.whole),
                None => format!("type = {}", found.whole),
            },
        };
        let safe_lines: Vec<String> = line.lines().map(safe).collect();
        self.sink
            .data(format!("{}\n", safe_lines.join("\n")).as_bytes());
        Ok(())
    }

    /// The expression of a command; the last value where there is none.
    fn operand(&self, text: &str) -> Result<String, Wrong> {
        match text {
            "" if self.interactive.borrow().last_name().is_some() => Ok("_".to_owned()),
            "" => Err(Wrong::Words("an expression is missing".to_owned())),
            text => Ok(text.to_owned()),
        }
    }

    pub(super) fn address(&mut self, text: &str) -> Result<u64, Wrong> {
        let text = self.operand(text)?;
        let word = self.interactive.borrow_mut().word(&text, &mut self.sink)?;
        word.map_err(Wrong::Words)
    }

    fn with_address(
        &mut self,
        text: &str,
        show: impl FnOnce(&Self, u64) -> Result<Vec<String>, Wrong>,
    ) -> Result<(), Wrong> {
        let address = self.address(text)?;
        for line in show(self, address)? {
            self.sink.data(format!("{}\n", safe(&line)).as_bytes());
        }
        Ok(())
    }

    fn symbol(&self, address: u64) -> Result<Vec<String>, Wrong> {
        let found = self.interactive.borrow().symbol_at(address);
        match found.symbol {
            Some((name, 0)) => Ok(vec![format!(
                "{name} is at {address:#x}{}",
                in_module(&found.module)
            )]),
            Some((name, offset)) => Ok(vec![format!(
                "{name}+{offset} is at {address:#x}{}",
                in_module(&found.module)
            )]),
            None => Err(Wrong::Words(format!("no symbol covers {address:#x}"))),
        }
    }

    fn line(&self, address: u64) -> Result<Vec<String>, Wrong> {
        let interactive = self.interactive.borrow();
        let symbol = interactive.symbol_at(address).symbol;
        let function = symbol.map_or_else(String::new, |(name, offset)| match offset {
            0 => format!(", the start of {name}"),
            offset => format!(", {name}+{offset}"),
        });
        match interactive.line_at(address) {
            Some(line) => Ok(vec![format!(
                "{line} has the code at {address:#x}{function}"
            )]),
            None => Err(Wrong::Words(format!(
                "no source line is known of {address:#x}{function}"
            ))),
        }
    }

    fn memory(&mut self, parsed: &Parsed<'_>) -> Result<(), Wrong> {
        let dump = commands::dump(parsed.format, self.dump).map_err(Wrong::Words)?;
        let mut address = self.address(parsed.rest)?;
        self.dump = Dump { count: 1, ..dump };
        if dump.format == 's' {
            for _ in 0..dump.count {
                let text = self.string_at(address)?;
                let shown = ytrace_report::escape::line(&text);
                let label = self.label(address);
                self.sink
                    .data(format!("{label}:\t\"{}\"\n", safe(&shown)).as_bytes());
                address = address.wrapping_add(text.len() as u64 + 1);
            }
            return Ok(());
        }
        let unit = dump.unit;
        let length = usize::try_from(dump.count)
            .unwrap_or(0)
            .saturating_mul(unit);
        let mut bytes = vec![0; length];
        let read = self
            .interactive
            .borrow_mut()
            .read_memory(address, &mut bytes)?;
        let (whole, why) = match read {
            Ok(()) => (length, None),
            Err((why, whole)) => (whole, Some(why)),
        };
        let row = match (unit, dump.format) {
            (8, _) => 2,
            (4, _) => 4,
            _ => 8,
        };
        let readable = bytes.get(..whole / unit * unit).unwrap_or_default();
        for (index, line) in readable.chunks(row * unit).enumerate() {
            let at = address.wrapping_add((index * row * unit) as u64);
            let mut text = format!("{}:", self.label(at));
            for bytes in line.chunks(unit) {
                text.push('\t');
                text.push_str(&self.unit(bytes, dump.format));
            }
            text.push('\n');
            self.sink.data(text.as_bytes());
        }
        match why {
            Some(why) => Err(Wrong::Words(why)),
            None => Ok(()),
        }
    }

    /// A unit of memory in a format.
    fn unit(&self, bytes: &[u8], format: char) -> String {
        let width = bytes.len() * 2;
        let mut whole = [0; 8];
        for (to, from) in whole.iter_mut().zip(bytes) {
            *to = *from;
        }
        let word = u64::from_le_bytes(whole);
        let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
        let signed = (word << unused) as i64 >> unused;
        match format {
            'd' => signed.to_string(),
            'u' => word.to_string(),
            'o' => format!("0{word:o}"),
            't' => format!("{word:0width$b}", width = bytes.len() * 8),
            'c' => {
                let byte = word as u8;
                format!("{signed} '{}'", ytrace_report::escape::line(&[byte]))
            }
            'a' => match self.interactive.borrow().symbol_at(word).symbol {
                Some((name, 0)) => format!("{word:#x} <{}>", safe(&name)),
                Some((name, offset)) => format!("{word:#x} <{}+{offset}>", safe(&name)),
                None => format!("{word:#x}"),
            },
            _ => format!("0x{word:0width$x}"),
        }
    }

    /// An address with its symbol, as `x` shows it.
    fn label(&self, address: u64) -> String {
        match self.interactive.borrow().symbol_at(address).symbol {
            Some((name, offset)) => format!("{address:#x} <{}+{offset}>", safe(&name)),
            None => format!("{address:#x}"),
        }
    }

    /// The bytes up to a NUL, or to a bound.
    fn string_at(&mut self, address: u64) -> Result<Vec<u8>, Wrong> {
        /// The longest string that is shown.
        const LONGEST: usize = 1 << 14;
        let mut bytes = vec![0; LONGEST];
        let read = self
            .interactive
            .borrow_mut()
            .read_memory(address, &mut bytes)?;
        if let Err((why, whole)) = read {
            bytes.truncate(whole);
            if !bytes.contains(&0) {
                return Err(Wrong::Words(why));
            }
        }
        let end = bytes.iter().position(|byte| *byte == 0);
        bytes.truncate(end.unwrap_or(bytes.len()));
        Ok(bytes)
    }

    fn current_thread(&self) -> i32 {
        self.thread
            .unwrap_or_else(|| self.interactive.borrow().first_thread())
    }

    fn threads(&mut self) -> Result<(), Wrong> {
        let current = self.current_thread();
        let threads = self.interactive.borrow().threads()?;
        for thread in threads {
            let mark = if thread.tid == current { '*' } else { ' ' };
            let line = format!(
                "{mark} {:<8} {:<2} {}",
                thread.tid, thread.state, thread.name
            );
            self.sink
                .data(format!("{}\n", safe(line.trim_end())).as_bytes());
        }
        Ok(())
    }

    fn choose_thread(&mut self, text: &str) -> Result<(), Wrong> {
        let threads = self.interactive.borrow().threads()?;
        let wanted = match text {
            "" => self.current_thread(),
            text => text
                .parse()
                .map_err(|_| Wrong::Words(format!("`{text}` is no thread number")))?,
        };
        let Some(thread) = threads.iter().find(|thread| thread.tid == wanted) else {
            return Err(Wrong::Words(format!("there is no thread {wanted}")));
        };
        self.thread = Some(wanted);
        let line = format!("thread {} {}", thread.tid, thread.name);
        self.sink
            .data(format!("{}\n", safe(line.trim_end())).as_bytes());
        Ok(())
    }

    fn stack(&mut self, text: &str) -> Result<(), Wrong> {
        let most = match text {
            "" => usize::MAX,
            text => text
                .parse()
                .map_err(|_| Wrong::Words(format!("`{text}` is no number of frames")))?,
        };
        let tid = self.current_thread();
        let (frames, cut, pause) = self.interactive.borrow_mut().stack(tid)?;
        for (number, frame) in frames.iter().enumerate().take(most) {
            let place = frame.place.as_ref();
            let place = place.map_or_else(String::new, |place| format!(" at {place}"));
            let line = match frame.inlined {
                true => format!("#{number:<3} {} (inlined){place}", frame.function),
                false => format!(
                    "#{number:<3} {:#018x} in {}{place}",
                    frame.address, frame.function
                ),
            };
            self.sink.data(format!("{}\n", safe(&line)).as_bytes());
        }
        if frames.len() > most {
            self.sink
                .data(format!("({} more frames)\n", frames.len() - most).as_bytes());
        } else if let Some(why) = cut {
            say(&format!("the stack ends here: {why}\n"));
        }
        if let Some(pause) = pause {
            self.tell_pause(&pause);
        }
        Ok(())
    }

    fn freeze(&mut self) -> Result<(), Wrong> {
        let frozen = self.interactive.borrow_mut().freeze()?;
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
        let saved = self.interactive.borrow_mut().save(&mut self.sink);
        let text = match saved {
            Ok(text) => text,
            Err(error @ SaveError::Nothing) => return Err(Wrong::Words(error.to_string())),
            Err(SaveError::Wrong(error)) => {
                self.sink
                    .error("what was typed does not make a probe file as it stands");
                return Err(Wrong::Session(error));
            }
        };
        deliver(text.as_bytes(), &Redirect::File(name.to_owned())).map_err(Wrong::Words)?;
        say(&format!("wrote {}\n", safe(name)));
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
        let mut part = String::new();
        for line in text.lines() {
            part.push_str(line);
            part.push('\n');
            if ytrace_lang::fragment::is_incomplete(&part) && !commands::is_command(&part) {
                continue;
            }
            after = self.run(&std::mem::take(&mut part));
            if after != After::Fine {
                break;
            }
        }
        if after == After::Fine && !part.trim().is_empty() {
            after = self.run(&part);
        }
        self.depth -= 1;
        after
    }

    pub(super) fn tell_pause(&self, pause: &PauseReport) {
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
                    if let Some(hint) = hint {
                        self.sink.hint(hint);
                    }
                }
                other => {
                    self.sink.error(&other.to_string());
                    for hint in other.hints() {
                        self.sink.hint(&hint);
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

/// Whether a command takes an expression, in which `|` and `>` may be operators.
fn takes_expression(name: &str) -> bool {
    matches!(
        name,
        "p" | "p+" | "whatis" | "ptype" | "x" | "info symbol" | "info line" | ":what"
    )
}

fn in_module(module: &Option<String>) -> String {
    module
        .as_ref()
        .map_or_else(String::new, |module| format!(", {module}"))
}

fn duration(time: Duration) -> String {
    units::duration(i128::try_from(time.as_nanos()).unwrap_or(i128::MAX))
}

fn as_json(shown: &Shown) -> serde_json::Value {
    let text = String::from_utf8_lossy(&shown.outline.text);
    let value = match &shown.value {
        Some((value, paths)) => {
            let path = |handle: u64| paths.get(&handle).cloned().unwrap_or_default();
            report_json::value(value, &path)
        }
        None => serde_json::Value::Null,
    };
    json!({
        "number": shown.number,
        "type": shown.type_name,
        "address": shown.address.map(|address| format!("{address:#x}")),
        "value": value,
        "text": text,
    })
}

fn read_source(name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("a file is missing: `source FILE`".to_owned());
    }
    let wrong = |error: std::io::Error| format!("{name}: {error}");
    let length = std::fs::metadata(name).map_err(wrong)?.len();
    if length > MOST_SOURCE {
        return Err(format!("{name} has more than {MOST_SOURCE} bytes"));
    }
    // Its lines may start programs, so it is refused where others can write it.
    let file = main_file(Path::new(name)).map_err(|error| error.to_string())?;
    Ok(file.text.to_string())
}
