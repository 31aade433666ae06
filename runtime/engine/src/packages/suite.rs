//! What a package's own tests say: suites in `tests/*.toml`, in the manner of bpftrace's runtime tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;

use super::{Package, PackageError, contents, set};
use crate::library::normal;

/// How long a test may take unless it says otherwise.
const LIMIT: Duration = Duration::from_secs(60);

/// What no output is.
const UNLIKELY: &str = "\u{1}";

/// The longest that a test may ask for.
const LONGEST: u64 = 3600;

/// A file of tests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Commands that are run first, in order; `{build}` in them is a directory for what they make.
    #[serde(default)]
    pub build: Vec<String>,
    /// The tests.
    #[serde(rename = "test", default)]
    pub tests: Vec<Test>,
    /// The file, below the package.
    #[serde(skip)]
    pub file: PathBuf,
}

/// One run of a probe file, and what is expected of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// What it shows.
    pub name: String,
    /// The probe file, below the package.
    pub probe: String,
    /// The program to start and to look at while it runs.
    pub start: Option<String>,
    /// With `start`: what the program prints when it is ready to be looked at.
    pub ready: Option<String>,
    /// The command to give to `ytrace run -c`: it is looked at when it exits.
    pub command: Option<String>,
    /// The core file to look at, below the package.
    pub core: Option<String>,
    /// Further arguments of `ytrace run`.
    #[serde(default)]
    pub run: Vec<String>,
    /// Options of the probe.
    #[serde(default)]
    pub options: Vec<String>,
    /// Programs that must be on the `PATH`, and privileges as a manifest has them; without one the test is skipped.
    #[serde(default)]
    pub requires: Vec<String>,
    /// How long it may take, in seconds.
    pub timeout: Option<u64>,
    /// The exit status of `ytrace run`.
    #[serde(default)]
    pub status: i32,
    /// Texts that standard output holds.
    #[serde(default)]
    pub expect: Vec<String>,
    /// Regular expressions that match somewhere in standard output.
    #[serde(default)]
    pub expect_regex: Vec<String>,
    /// Texts that standard output does not hold.
    #[serde(default)]
    pub expect_none: Vec<String>,
    /// Regular expressions that match nowhere in standard output.
    #[serde(default)]
    pub expect_none_regex: Vec<String>,
    /// Texts that standard error holds.
    #[serde(default)]
    pub expect_error: Vec<String>,
    /// A file, below the package, that is equal to standard output.
    pub expect_file: Option<String>,
    /// Members of the result as JSON, by JSON pointers (RFC 6901), and their values. The views then go there, not to standard output.
    #[serde(default)]
    pub expect_json: BTreeMap<String, serde_json::Value>,
}

impl Test {
    /// How long it may take.
    pub fn limit(&self) -> Duration {
        self.timeout.map_or(LIMIT, Duration::from_secs)
    }

    fn check(&self) -> Result<(), String> {
        let targets = [&self.start, &self.command, &self.core];
        if targets.iter().filter(|target| target.is_some()).count() != 1 {
            return Err("a test has one of `start`, `command` and `core`".to_owned());
        }
        if self.start.is_some() != self.ready.is_some() {
            return Err(
                "`start` and `ready` go together: a program is looked at once it has printed what `ready` says"
                    .to_owned(),
            );
        }
        if self.ready.as_ref().is_some_and(String::is_empty) {
            return Err("`ready` is empty: every program is ready by that".to_owned());
        }
        let expects = !self.expect.is_empty()
            || !self.expect_regex.is_empty()
            || !self.expect_none.is_empty()
            || !self.expect_none_regex.is_empty()
            || !self.expect_error.is_empty()
            || !self.expect_json.is_empty()
            || self.expect_file.is_some();
        if !expects {
            return Err(
                "it expects nothing: `expect = [\"…\"]` names text of the output".to_owned(),
            );
        }
        if self
            .timeout
            .is_some_and(|limit| limit == 0 || limit > LONGEST)
        {
            return Err(format!("`timeout` is 1 to {LONGEST} seconds"));
        }
        let texts = self.expect.iter().chain(&self.expect_error);
        if texts.chain(&self.expect_none).any(String::is_empty) {
            return Err("an empty text is part of every output".to_owned());
        }
        for pattern in self.expect_regex.iter().chain(&self.expect_none_regex) {
            let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
            if ["", UNLIKELY].iter().all(|text| regex.is_match(text)) {
                return Err(format!(
                    "`{}` matches whatever is printed",
                    pattern.escape_debug()
                ));
            }
        }
        let core = self.core.as_deref();
        for (key, path) in [
            ("probe", Some(self.probe.as_str())),
            ("core", core.map(|core| core.trim_start_matches("{build}/"))),
            ("expect_file", self.expect_file.as_deref()),
        ] {
            let Some(path) = path else { continue };
            // What begins so would be an option.
            if path.starts_with('-') || normal(Path::new(path)).is_none() {
                return Err(format!(
                    "`{key}` names a file below the package, and `{}` is none",
                    path.escape_debug()
                ));
            }
        }
        for pointer in self.expect_json.keys() {
            if !pointer.starts_with('/') {
                return Err(format!(
                    "`{}` is no JSON pointer, as `/footer/complete` is",
                    pointer.escape_debug()
                ));
            }
        }
        Ok(())
    }

    /// What of the expectations does not hold; nothing if all do.
    ///
    /// `file` is what `expect_file` names, `json` the result.
    pub fn compare(
        &self,
        status: Option<i32>,
        output: &str,
        errors: &str,
        file: Option<&str>,
        json: Option<&serde_json::Value>,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        if status != Some(self.status) {
            let got = status.map_or("a signal".to_owned(), |status| format!("status {status}"));
            wrong.push(format!(
                "it ended with {got}, expected status {}",
                self.status
            ));
        }
        // A pattern that is wrong was refused when the suite was read.
        let matches =
            |pattern: &String| Regex::new(pattern).is_ok_and(|regex| regex.is_match(output));
        let missing = self.expect.iter().filter(|text| !output.contains(*text));
        wrong.extend(missing.map(|text| format!("standard output lacks {text:?}")));
        let missing = self.expect_regex.iter().filter(|pattern| !matches(pattern));
        wrong.extend(missing.map(|text| format!("nothing in standard output matches {text:?}")));
        let found = self
            .expect_none
            .iter()
            .filter(|text| output.contains(*text));
        wrong.extend(found.map(|text| format!("standard output has {text:?}")));
        let found = self
            .expect_none_regex
            .iter()
            .filter(|pattern| matches(pattern));
        wrong.extend(found.map(|text| format!("standard output matches {text:?}")));
        let missing = self
            .expect_error
            .iter()
            .filter(|text| !errors.contains(*text));
        wrong.extend(missing.map(|text| format!("standard error lacks {text:?}")));
        if let (Some(name), Some(file)) = (&self.expect_file, file)
            && file != output
        {
            let line = file
                .lines()
                .zip(output.lines())
                .take_while(|(a, b)| a == b)
                .count();
            wrong.push(format!(
                "standard output differs from {name}, first in line {}",
                line + 1
            ));
        }
        for (pointer, wanted) in &self.expect_json {
            match json.and_then(|json| json.pointer(pointer)) {
                Some(value) if value == wanted => {}
                Some(value) => wrong.push(format!("{pointer} is {value}, expected {wanted}")),
                None => wrong.push(format!("the result has no {pointer}, expected {wanted}")),
            }
        }
        wrong
    }
}

impl Suite {
    /// Reads a suite.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let suite: Suite = super::from_toml(text)?;
        if suite.tests.is_empty() {
            return Err("it has no [[test]]".to_owned());
        }
        for (index, test) in suite.tests.iter().enumerate() {
            test.check()
                .map_err(|reason| format!("test {} (`{}`): {reason}", index + 1, test.name))?;
        }
        Ok(suite)
    }
}

/// The suites of a package, by file name, to be run: a package that was added must be, with all its files, what was added.
///
/// # Errors
/// One is wrong, cannot be read, or can be written by others; or there is none.
pub fn suites(package: &Package) -> Result<Vec<Suite>, PackageError> {
    set::check_package(package)?;
    let suites = read(package)?;
    if suites.is_empty() {
        return Err(PackageError::new(&package.root, "has no tests")
            .hint("tests are files that end in .toml in its directory tests/"));
    }
    Ok(suites)
}

/// Reads the suites of a package, by file name; there may be none.
///
/// # Errors
/// One is wrong, cannot be read, or can be written by others.
pub fn read(package: &Package) -> Result<Vec<Suite>, PackageError> {
    let mut suites = Vec::new();
    for name in contents::names(&package.root)? {
        let file = Path::new(&name);
        let ends = file.extension().is_some_and(|ending| ending == "toml");
        if !ends || file.parent() != Some(Path::new("tests")) {
            continue;
        }
        let path = package.root.join(file);
        let Some(text) = super::read(&path)? else {
            continue;
        };
        let suite = Suite::parse(&text).map_err(|reason| {
            PackageError::new(&path, reason).hint("docs/packages.md says what a test holds")
        })?;
        suites.push(Suite {
            file: file.to_owned(),
            ..suite
        });
    }
    Ok(suites)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(text: &str) -> Result<Suite, String> {
        Suite::parse(&format!("[[test]]\nname = \"a\"\nprobe = \"a.y\"\n{text}"))
    }

    #[test]
    fn a_test_that_cannot_fail_is_refused() {
        for (text, part) in [
            ("core = \"c\"", "expects nothing"),
            ("expect = [\"x\"]", "one of `start`, `command` and `core`"),
            ("core = \"c\"\ncommand = \"c\"\nexpect = [\"x\"]", "one of"),
            ("start = \"c\"\nexpect = [\"x\"]", "go together"),
            ("core = \"c\"\nexpect_regex = [\"(\"]", "unclosed group"),
            (
                "core = \"c\"\nexpect = [\"x\"]\nexpcet = [\"y\"]",
                "unknown field",
            ),
            ("core = \"c\"\nexpect = [\"x\"]\ntimeout = 0", "1 to 3600"),
            ("core = \"c\"\nexpect_json = { a = 1 }", "no JSON pointer"),
            ("core = \"c\"\nexpect = [\"\"]", "an empty text"),
            ("core = \"c\"\nexpect_error = [\"\"]", "an empty text"),
            ("core = \"c\"\nexpect_regex = [\"x*\"]", "matches whatever"),
            (
                "core = \"../c\"\nexpect = [\"x\"]",
                "`core` names a file below",
            ),
            (
                "core = \"{build}/../c\"\nexpect = [\"x\"]",
                "`core` names a file below",
            ),
            (
                "core = \"c\"\nexpect_file = \"/etc/passwd\"",
                "`expect_file` names a file below",
            ),
        ] {
            let error = suite(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(Suite::parse("").unwrap_err().contains("no [[test]]"));
    }

    #[test]
    fn each_expectation_can_fail() {
        let all = "core = \"c\"\nstatus = 3\nexpect = [\"one\"]\nexpect_regex = [\"t.o\"]\nexpect_none = [\"three\"]\nexpect_none_regex = [\"f..r\"]\nexpect_error = [\"PARTIAL\"]\nexpect_file = \"f\"\nexpect_json = { \"/a/0\" = 7 }\n";
        let test = suite(all).unwrap().tests.remove(0);
        let json = serde_json::json!({"a": [7]});
        let file = Some("one two\n");
        let right = test.compare(Some(3), "one two\n", "PARTIAL", file, Some(&json));
        assert_eq!(right, Vec::<String>::new());
        let other = serde_json::json!({"a": [8]});
        let wrong = test.compare(Some(0), "three four", "", file, Some(&other));
        assert_eq!(wrong.len(), 8, "{wrong:?}");
        assert_eq!(
            test.compare(None, "one two\n", "PARTIAL", file, None).len(),
            2
        );
    }
}
