//! Regular expressions of a program: compiled when first used, matched in linear time.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

use crate::constants::Constants;
use crate::fault::{Fault, FaultKind};

/// The most that one compiled expression may take, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// The longest source, in bytes: beyond, the time to compile grows with its square.
const SOURCE_LIMIT: usize = 4 << 10;

/// The most that all expressions of a program may take together, in bytes.
const TOTAL_LIMIT: usize = 16 << 20;

/// Compiles an expression over bytes: `.` is any byte but a newline, classes are ASCII.
///
/// The error is what is wrong with the source, over several lines.
pub fn compile(source: &str) -> Result<Regex, String> {
    if source.len() > SOURCE_LIMIT {
        return Err(format!("longer than {SOURCE_LIMIT} bytes"));
    }
    compile_within(source, SIZE_LIMIT).map_err(|error| error.to_string())
}

fn compile_within(source: &str, size: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(source)
        .unicode(false)
        .size_limit(size)
        .dfa_size_limit(SIZE_LIMIT)
        .nest_limit(64)
        .build()
}

/// Checks the expressions of one program: that each compiles, and that all of them together take
/// no more memory, nor time to compile, than a program may.
#[derive(Debug)]
pub struct RegexCheck {
    left: usize,
}

impl Default for RegexCheck {
    fn default() -> Self {
        Self { left: TOTAL_LIMIT }
    }
}

impl RegexCheck {
    /// Checks one more expression. If this holds, [`compile`] makes it.
    ///
    /// The error is what is wrong with the source, over several lines.
    pub fn check(&mut self, source: &str) -> Result<(), String> {
        if source.len() > SOURCE_LIMIT {
            return Err(format!("longer than {SOURCE_LIMIT} bytes"));
        }
        // How large one is shows only in whether it fits.
        for size in [SIZE_LIMIT / 64, SIZE_LIMIT / 8, SIZE_LIMIT] {
            self.left = match self.left.checked_sub(size) {
                Some(left) => left,
                None => {
                    return Err(
                        "the regular expressions of this program are too large together".to_owned(),
                    );
                }
            };
            match compile_within(source, size) {
                Ok(_) => return Ok(()),
                Err(regex::Error::CompiledTooBig(_)) if size < SIZE_LIMIT => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }
}

/// The expressions of a program, and the last match.
#[derive(Clone, Debug)]
pub(crate) struct Regexes {
    compiled: Vec<Option<Regex>>,
    /// The expression and the string that it matched last; captures are worked out on demand.
    matched: Option<(usize, u64)>,
    captures: Option<Vec<Option<Range<usize>>>>,
}

impl Regexes {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            compiled: vec![None; count],
            matched: None,
            captures: None,
        }
    }

    /// Whether expression `index` matches; a match is remembered for its captures.
    pub(crate) fn matches(
        &mut self,
        index: u64,
        handle: u64,
        text: &[u8],
        constants: &Constants,
    ) -> Result<bool, Fault> {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let (Some(place), Some(source)) =
            (self.compiled.get_mut(index), constants.regexes.get(index))
        else {
            return Err(crate::store::internal("no such regular expression"));
        };
        let regex = match place {
            Some(regex) => regex,
            None => {
                let regex = compile(source)
                    .map_err(|error| Fault::new(FaultKind::Internal).with_message(error))?;
                place.insert(regex)
            }
        };
        let matches = regex.is_match(text);
        if matches {
            self.matched = Some((index, handle));
            self.captures = None;
        }
        Ok(matches)
    }

    /// The string of the last match, whose bytes [`Regexes::capture`] needs.
    pub(crate) fn subject(&self) -> Option<u64> {
        self.matched.map(|(_, handle)| handle)
    }

    /// Where capture `number` of the last match lies in its string.
    pub(crate) fn capture(&mut self, number: u64, text: &[u8]) -> Option<Range<usize>> {
        let (index, _) = self.matched?;
        if self.captures.is_none() {
            let regex = self.compiled.get(index)?.as_ref()?;
            let captures = regex.captures(text)?;
            let ranges = captures
                .iter()
                .map(|capture| capture.map(|capture| capture.range()))
                .collect();
            self.captures = Some(ranges);
        }
        let number = usize::try_from(number).ok()?;
        self.captures.as_ref()?.get(number)?.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_compiles() {
        let mut check = RegexCheck::default();
        for source in ["a", "[[:alnum:]_]+", "(a{200}b{200}){8}", "\\x{61}"] {
            assert_eq!(check.check(source), Ok(()), "{source}");
            assert!(compile(source).is_ok(), "{source}");
        }
        let long = "a?".repeat(SOURCE_LIMIT);
        for source in ["\\pL", "[“]", "(", "a{1000}{1000}{1000}", &long] {
            assert!(check.check(source).is_err(), "{source}");
            assert!(compile(source).is_err(), "{source}");
        }
    }

    #[test]
    fn many_large_ones_are_too_large_together() {
        let mut check = RegexCheck::default();
        let large = "(a{500}b{500}){3}";
        let count = (0..1000).take_while(|_| check.check(large).is_ok()).count();
        assert!((10..200).contains(&count), "{count}");
        let many = (0..2000)
            .scan(RegexCheck::default(), |check, _| check.check("ab?c").ok())
            .count();
        assert!((500..2000).contains(&many), "{many}");
    }
}
