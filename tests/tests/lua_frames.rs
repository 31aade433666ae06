//! Lua frames in backtraces of events: they are those that LuaJIT itself tells.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ytrace_tests::tracing::{Tracing, says};
use ytrace_tests::{fixtures, root};

const PROBE: &str = r#"
    #include <luajit/frames.y>
    _probe _begin { if (!lj_frames_begin("auto")) _error("no machine"); }
    _probe getenv(const char *name) { puts(_sym_ubt(lj_mixed_ubt())); _exit(); }
"#;

/// A LuaJIT program that runs `frames.lua`.
struct Lua {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Lua {
    fn start(luajit: &Path, words: &[&str]) -> Self {
        let mut child = Command::new(luajit)
            .arg(root().join("tests/fixtures/leak/frames.lua"))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lua = Self {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        assert_eq!(lua.line(), "READY");
        lua
    }

    fn pid(&self) -> String {
        self.child.id().to_string()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line).unwrap();
        assert!(read > 0, "it has ended");
        line.trim_end().to_owned()
    }

    fn say(&mut self, command: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{command}").unwrap();
    }

    /// What is printed up to "DONE".
    fn answer(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if line == "DONE" {
                return lines;
            }
            lines.push(line);
        }
    }
}

impl Drop for Lua {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.stdin.take());
        drop(self.child.wait());
    }
}

/// "frames.lua:12" of each Lua function in lines of either form, the innermost first.
fn places<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    lines
        .filter_map(|line| {
            let (_, rest) = line.split_once("frames.lua:")?;
            Some(rest.chars().take_while(char::is_ascii_digit).collect())
        })
        .collect()
}

/// The number of the line that reads so.
fn line_of(text: &str) -> String {
    let script = std::fs::read_to_string(root().join("tests/fixtures/leak/frames.lua")).unwrap();
    let number = script.lines().position(|line| line == text).unwrap();
    (number + 1).to_string()
}

#[test]
fn frames_are_those_of_luajits_own_traceback() {
    for (name, luajit) in fixtures::luajits() {
        for words in [&[][..], &["off"]] {
            let mut lua = Lua::start(&luajit, words);
            let tracing = Tracing::start(&["run", "-e", PROBE, "-p", &lua.pid()]);
            lua.say("go");
            let said = lua.answer();
            let finished = tracing.finish().expect_status(0);
            says(&finished, &[" 0 lost"]);
            let mut expected = places(said.iter().map(String::as_str));
            let seen = places(finished.stdout.lines());
            // The traceback was made a few lines before the call.
            assert!(expected.len() >= 8, "{name}: {said:?}");
            expected[0] = (expected[0].parse::<u32>().unwrap() + 2).to_string();
            // It is of the coroutine alone; whoever resumed that follows.
            expected.push(line_of("        coroutines()"));
            assert_eq!(seen, expected, "{name} {words:?}: {finished}\n{said:#?}");
            // C functions stand where they call Lua functions and are called by them.
            let order = [
                "getenv",
                "lj_cf_os_getenv",
                "frames.lua:",
                "sort_comp",
                "lj_cf_table_sort",
                "lua_pcall",
                "main",
            ];
            let mut rest = finished.stdout.as_str();
            for part in order {
                let Some((_, after)) = rest.split_once(part) else {
                    panic!("{name}: no {part} in its place: {finished}");
                };
                rest = after;
            }
            assert!(!finished.stdout.contains("(gone)") && !finished.stdout.contains("cut)"));
        }
    }
}
