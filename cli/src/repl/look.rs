//! Commands that show what is no value: types, symbols, lines, threads, stacks; and the list of commands.

use serde_json::json;
use ytrace_runtime::interactive::{Answer, ThreadInfo};

use super::commands::COMMANDS;
use super::lines::{Prompt, Wrong};
use crate::terminal::safe;

impl Prompt<'_> {
    pub(super) fn help(&mut self, name: &str) -> Result<(), Wrong> {
        let mut text = String::new();
        let mut entries = COMMANDS.iter().collect::<Vec<_>>();
        entries.retain(|entry| name.is_empty() || entry.names.contains(&name));
        if entries.is_empty() {
            return Err(Wrong::Words(format!("there is no command `{name}`")));
        }
        for entry in entries {
            if self.json {
                self.sink.document(&json!({
                    "command": entry.names.first(), "names": entry.names,
                    "arguments": entry.arguments, "help": entry.help,
                }));
                continue;
            }
            let head = format!("{} {}", entry.names.join(", "), entry.arguments);
            text.push_str(&format!("  {:<32} {}\n", head.trim_end(), entry.help));
        }
        if name.is_empty() && !self.json {
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

    pub(super) fn type_of(&mut self, text: &str, whole: bool) -> Result<(), Wrong> {
        let text = self.operand(text)?;
        let found = self
            .interactive
            .borrow_mut()
            .type_of(&text, &mut self.sink)?;
        // A function has names for what it takes.
        let interactive = self.interactive.borrow();
        let prototype = match interactive.is_declared(&text) {
            true => None,
            false => interactive.target_prototype(&text),
        };
        drop(interactive);
        if self.json {
            self.sink.document(&json!({
                "type": found.name, "size": found.size, "whole": found.whole,
                "prototype": prototype,
            }));
            return Ok(());
        }
        let line = match (prototype, whole, found.size) {
            (Some(prototype), ..) => format!("type = {prototype}"),
            (None, false, _) => format!("type = {}", found.name),
            (None, true, Some(size)) => format!("type = {}  // {size} bytes", found.whole),
            (None, true, None) => format!("type = {}", found.whole),
        };
        let safe_lines: Vec<String> = line.lines().map(safe).collect();
        self.sink
            .data(format!("{}\n", safe_lines.join("\n")).as_bytes());
        Ok(())
    }

    pub(super) fn with_address(
        &mut self,
        text: &str,
        show: impl FnOnce(&Self, u64) -> Result<Vec<String>, Wrong>,
    ) -> Result<(), Wrong> {
        let address = self.address(text)?;
        let lines = show(self, address)?;
        if self.json {
            let address = format!("{address:#x}");
            let document = json!({ "address": address, "lines": lines });
            self.sink.document(&document);
            return Ok(());
        }
        for line in lines {
            self.sink.data(format!("{}\n", safe(&line)).as_bytes());
        }
        Ok(())
    }

    pub(super) fn symbol(&self, address: u64) -> Result<Vec<String>, Wrong> {
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

    pub(super) fn line(&self, address: u64) -> Result<Vec<String>, Wrong> {
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

    fn current_thread(&self) -> i32 {
        self.interactive.borrow().thread()
    }

    pub(super) fn threads(&mut self) -> Result<(), Wrong> {
        let current = self.current_thread();
        let threads = self.interactive.borrow().threads()?;
        for thread in threads {
            if self.json {
                self.sink
                    .document(&thread_document(&thread, thread.tid == current));
                continue;
            }
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

    pub(super) fn choose_thread(&mut self, text: &str) -> Result<(), Wrong> {
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
        self.interactive.borrow_mut().choose_thread(wanted);
        if self.json {
            self.sink.document(&thread_document(thread, true));
            return Ok(());
        }
        let line = format!("thread {} {}", thread.tid, thread.name);
        self.sink
            .data(format!("{}\n", safe(line.trim_end())).as_bytes());
        Ok(())
    }

    pub(super) fn stack(&mut self, text: &str) -> Result<(), Wrong> {
        let most = match text {
            "" => usize::MAX,
            text => text
                .parse()
                .map_err(|_| Wrong::Words(format!("`{text}` is no number of frames")))?,
        };
        let tid = self.current_thread();
        let (frames, cut, pause) = self.interactive.borrow_mut().stack(tid)?;
        let more = frames.len().saturating_sub(most);
        for (number, frame) in frames.iter().enumerate().take(most) {
            if self.json {
                let mut document = json!({
                    "frame": number, "address": format!("{:#x}", frame.address),
                    "function": frame.function, "inlined": frame.inlined, "place": frame.place,
                });
                if let Some(document) = document.as_object_mut()
                    && more > 0
                    && number + 1 == most
                {
                    document.insert("left_out".to_owned(), json!(more));
                }
                self.sink.document(&document);
                continue;
            }
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
        let mut taken = Answer {
            pause,
            ..Answer::default()
        };
        match cut {
            _ if more > 0 && self.json => {}
            _ if more > 0 => self.sink.data(format!("({more} more frames)\n").as_bytes()),
            Some(why) => taken.partial.push(format!("the stack ends here: {why}")),
            None => {}
        }
        self.tell_losses(&taken);
        Ok(())
    }
}

fn thread_document(thread: &ThreadInfo, chosen: bool) -> serde_json::Value {
    json!({
        "thread": thread.tid, "state": thread.state, "name": thread.name, "chosen": chosen,
    })
}

fn in_module(module: &Option<String>) -> String {
    module
        .as_ref()
        .map_or_else(String::new, |module| format!(", {module}"))
}
