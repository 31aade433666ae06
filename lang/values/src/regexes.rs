//! Regular expressions of a program: compiled when first used, matched in linear time.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

use crate::constants::Constants;
use crate::fault::{Fault, FaultKind};

/// The most that one compiled expression may take, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// Compiles an expression over bytes: `.` is any byte but a newline, classes are ASCII.
///
/// The error is what is wrong with the source, over several lines.
pub fn compile(source: &str) -> Result<Regex, String> {
    RegexBuilder::new(source)
        .unicode(false)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .nest_limit(64)
        .build()
        .map_err(|error| error.to_string())
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
