//! Lua frames in backtraces of events: they are those that LuaJIT itself tells.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ytrace_tests::program::run;
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

/// Paths and numbers of a file of folded stacks.
fn folded(file: &Path) -> Vec<(String, u64)> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| line.rsplit_once(' ').unwrap());
    lines
        .map(|(path, number)| (path.to_owned(), number.parse().unwrap()))
        .collect()
}

/// The sum of the paths that hold a text.
fn sum(paths: &[(String, u64)], part: &str) -> u64 {
    let with = paths.iter().filter(|(path, _)| path.contains(part));
    with.map(|(_, number)| number).sum()
}

#[test]
fn processor_time_is_that_of_the_functions_that_took_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("time.folded");
    for (name, luajit) in fixtures::luajits() {
        for words in [&[][..], &["off"]] {
            let mut lua = Lua::start(&luajit, words);
            lua.say("spin 60000");
            run(&[
                "run",
                "probes/cpu-profile.y",
                "-p",
                &lua.pid(),
                "--duration",
                "3s",
                "-o",
                file.to_str().unwrap(),
                "--",
                "--hz",
                "999",
            ])
            .expect_status(0);
            lua.child.kill().unwrap();
            let paths = folded(&file);
            let line = |text: &str| format!("frames.lua:{} ", line_of(text));
            let often = sum(&paths, &line("        often()"));
            let seldom = sum(&paths, &line("        seldom()"));
            let all = sum(&paths, "");
            // Nothing else takes time, and one takes three times as much as the other. Of some 1,000 samples at least, the share of one is
            // within 0.08 of three quarters unless five standard deviations lie between.
            assert!(
                often + seldom > all * 9 / 10,
                "{name} {words:?}: {paths:#?}"
            );
            let share = often as f64 / (often + seldom) as f64;
            assert!((share - 0.75).abs() < 0.08, "{name} {words:?}: {share}");
        }
    }
}

#[test]
fn lua_memory_is_that_of_the_function_that_makes_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("allocated.folded");
    for (name, luajit) in fixtures::luajits() {
        let mut lua = Lua::start(&luajit, &[]);
        let tracing = Tracing::start(&[
            "run",
            "probes/lua-alloc-fgraph.y",
            "-p",
            &lua.pid(),
            "-o",
            file.to_str().unwrap(),
            "--",
            "--every",
            "1",
        ]);
        lua.say("garbage 1000");
        let said: u64 = lua.answer()[0].parse().unwrap();
        says(&tracing.interrupt().expect_status(0), &[" 0 lost"]);
        let paths = folded(&file);
        // In the function that makes the tables, the collector being stopped: all of it, but for what asking takes.
        let line = format!("frames.lua:{} ", line_of("    local kept = make(n)"));
        let made = sum(&paths, &line);
        assert!(
            made.abs_diff(said) < 512,
            "{name}: {made} of {said}: {paths:#?}"
        );
    }
}
