//! The prompt: from the start of the command to the prompt, and from Enter to the answer, on nginx with debug information; beside it gdb
//! and drgn, on pseudo-terminals all three.

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use common::{Samples, machine, row, runs, scratch, title};
use ytrace_tests::fixtures::{self, Nginx};
use ytrace_tests::pty::Terminal;

/// Lines that are typed in each session; the first one is a sample of its own.
const LINES: usize = 20;

/// A debugger at its prompt.
struct Tool {
    name: &'static str,
    command: Command,
    prompt: &'static str,
    /// What ends the greeting: the prompt, and what stands before it where the greeting shows prompts as well.
    ready: &'static str,
    /// What is typed before anything is measured.
    before: &'static [&'static str],
    /// The line that shows the struct.
    line: &'static str,
    /// What is in the answer.
    answer: &'static str,
    quit: &'static str,
    start: Samples,
    first: Samples,
    later: Samples,
}

fn main() {
    if let Some(why) = fixtures::unavailable("dwarf") {
        println!("prompt: skipped: {why}");
        return;
    }
    machine();
    let nginx = Nginx::start("dwarf", &["--workers", "1"]);
    let pid = nginx.worker.to_string();
    let (_folder, folder) = scratch();
    let mut tools = tools(&pid, &folder);
    for tool in &mut tools {
        // Warms the index and the page cache.
        session(tool);
        (tool.start, tool.first, tool.later) = Default::default();
    }
    for _ in 0..runs(7) {
        for tool in &mut tools {
            session(tool);
        }
    }
    show(
        "from the start to the prompt, warm (aim: 150)",
        &tools,
        |tool| &tool.start,
    );
    show(
        "from Enter to the answer of `p *ngx_cycle`, the first time",
        &tools,
        |tool| &tool.first,
    );
    show("the same, later (aim: 5)", &tools, |tool| &tool.later);
}

fn tools(pid: &str, folder: &Path) -> Vec<Tool> {
    let tool = |name, program: &Path, arguments: &[&str], prompt, line, answer, quit| {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("TERM", "dumb")
            .env("NO_COLOR", "1")
            .env("XDG_CACHE_HOME", folder)
            .env("XDG_STATE_HOME", folder)
            .env("HOME", folder)
            .env_remove("DEBUGINFOD_URLS");
        Tool {
            name,
            command,
            prompt,
            ready: prompt,
            before: &[],
            line,
            answer,
            quit,
            start: Samples::default(),
            first: Samples::default(),
            later: Samples::default(),
        }
    };
    let mut tools = vec![tool(
        "ytrace",
        &ytrace_tests::program::ytrace(),
        &["repl", "-p", pid],
        "(ytrace) ",
        "p *ngx_cycle",
        "connection_n = ",
        "quit",
    )];
    // As a user has it.
    if let Some(own) = tools.first_mut() {
        own.command.env("TERM", "xterm");
    }
    let gdb = Path::new("/usr/bin/gdb");
    if gdb.is_file() {
        let quiet = ["-q", "-nx", "-p", pid];
        tools.push(Tool {
            before: &["set pagination off", "set confirm off"],
            ..tool(
                "gdb",
                gdb,
                &quiet,
                "(gdb) ",
                "p *ngx_cycle",
                "connection_n = ",
                "quit",
            )
        });
    }
    let drgn = fixtures::directory().join("venv/bin/drgn");
    if drgn.is_file() {
        // Its greeting shows what it has imported, each line behind a prompt.
        tools.push(Tool {
            ready: "import *\n>>> ",
            ..tool(
                "drgn",
                &drgn,
                &["-q", "-p", pid],
                ">>> ",
                "prog['ngx_cycle'][0]",
                ".connection_n = ",
                "exit()",
            )
        });
    }
    tools
}

/// One session, from its start to its end.
fn session(tool: &mut Tool) {
    let started = Instant::now();
    let mut terminal = Terminal::start(&tool.command, 100);
    terminal.expect(tool.ready);
    tool.start.push(milliseconds(started));
    for line in tool.before {
        terminal.ask(line, tool.prompt);
    }
    for number in 0..LINES {
        let started = Instant::now();
        let answer = terminal.ask(tool.line, tool.prompt);
        let took = milliseconds(started);
        assert!(answer.contains(tool.answer), "{}: {answer}", tool.name);
        match number {
            0 => tool.first.push(took),
            _ => tool.later.push(took),
        }
    }
    terminal.send(&format!("{}\r", tool.quit));
    terminal.wait();
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn show(text: &str, tools: &[Tool], samples: fn(&Tool) -> &Samples) {
    title(text, "ms");
    for tool in tools {
        row(tool.name, samples(tool));
    }
    let mut all = tools.iter();
    let Some(own) = all.next() else {
        return;
    };
    for other in all {
        println!(
            "  ytrace / {}: {:.3}",
            other.name,
            samples(own).median() / samples(other).median()
        );
    }
}
