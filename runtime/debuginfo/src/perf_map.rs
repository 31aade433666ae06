//! Names of code that was made in memory: the files `/tmp/perf-PID.map` that just-in-time compilers write for `perf`.
//!
//! A line has the start and the size of some code, in hexadecimal digits, and a name that goes on to the end of the line
//! (`tools/perf/Documentation/jit-interface.txt` of the Linux kernel). A file only grows; code that is made where other code was
//! comes later. Anybody may have written it.

use std::collections::BTreeMap;

/// Longer lines are not read.
const MAX_LINE: usize = 4 << 10;

/// Pieces of code beyond these are not kept: a large Java program has a hundred thousand.
const MAX_ENTRIES: usize = 1 << 20;

/// Names beyond so many bytes together are not kept.
const MAX_NAMES: usize = 128 << 20;

/// The names of code that was made in memory.
#[derive(Debug, Default)]
pub struct PerfMap {
    /// Pieces of code by their starts; none overlaps another.
    pieces: BTreeMap<u64, Piece>,
    /// The names, one after another.
    names: String,
    /// The start of a line whose end has not come yet.
    unfinished: Vec<u8>,
    /// Whether the line that has not ended is too long.
    skipping: bool,
    skipped: u64,
}

/// Code that has one name. What was overwritten in the midst leaves two of one.
#[derive(Clone, Copy, Debug)]
struct Piece {
    end: u64,
    /// Where the code begins that it is part of.
    origin: u64,
    /// Where its name stands among the names.
    name: (usize, usize),
}

impl PerfMap {
    /// Takes in what follows in the file. A line that has no end yet waits for the next call.
    pub fn extend(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(at);
            rest = after.get(1..).unwrap_or_default();
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            if self.unfinished.is_empty() {
                self.line(line);
            } else {
                let mut whole = std::mem::take(&mut self.unfinished);
                whole.extend_from_slice(line);
                self.line(&whole);
            }
        }
        if self.skipping {
            return;
        }
        if self.unfinished.len() + rest.len() > MAX_LINE {
            self.unfinished = Vec::new();
            self.skipping = true;
            self.skipped += 1;
        } else {
            self.unfinished.extend_from_slice(rest);
        }
    }

    /// Forgets everything: for a file that was written anew.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The name of the code at an address, and how far into it that is, in bytes.
    #[must_use]
    pub fn name(&self, address: u64) -> Option<(&str, u64)> {
        let (_, piece) = self.pieces.range(..=address).next_back()?;
        if address >= piece.end {
            return None;
        }
        let name = self.names.get(piece.name.0..piece.name.1)?;
        Some((name, address - piece.origin))
    }

    /// How many pieces of code have names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// How many lines were left out, because they are none of such a file, or because there are too many.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn line(&mut self, line: &[u8]) {
        if self.take(line).is_none() {
            self.skipped += 1;
        }
    }

    fn take(&mut self, line: &[u8]) -> Option<()> {
        if line.len() > MAX_LINE || self.pieces.len() >= MAX_ENTRIES {
            return None;
        }
        let text = String::from_utf8_lossy(line);
        let mut words = text.splitn(3, ' ');
        let mut number = || {
            let word = words.next()?;
            let digits = word.strip_prefix("0x").unwrap_or(word);
            // A sign is no digit.
            let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            u64::from_str_radix(digits, 16).ok().filter(|_| plain)
        };
        let (start, size) = (number()?, number()?);
        let name = words.next()?.trim_end_matches('\r');
        let end = start.checked_add(size).filter(|end| *end > start)?;
        if name.is_empty() || self.names.len() + name.len() > MAX_NAMES {
            return None;
        }
        let from = self.names.len();
        // Names are shown on terminals.
        self.names.extend(
            name.chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c }),
        );
        self.replace(
            start,
            Piece {
                end,
                origin: start,
                name: (from, self.names.len()),
            },
        );
        Some(())
    }

    /// Puts a piece where others may have been, of which what lies outside of it is left.
    fn replace(&mut self, start: u64, piece: Piece) {
        let before = self.pieces.range_mut(..start).next_back();
        if let Some((_, earlier)) = before
            && earlier.end > start
        {
            let after = Piece { ..*earlier };
            earlier.end = start;
            if after.end > piece.end {
                self.pieces.insert(piece.end, after);
            }
        }
        // Every piece is taken out once.
        while let Some((&at, &later)) = self.pieces.range(start..piece.end).next() {
            self.pieces.remove(&at);
            if later.end > piece.end {
                self.pieces.insert(piece.end, later);
            }
        }
        self.pieces.insert(start, piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> PerfMap {
        let mut map = PerfMap::default();
        map.extend(text.as_bytes());
        map
    }

    #[test]
    fn names_go_on_to_the_end_of_their_lines() {
        let map = of("7f00 10 Lazy:~main /a b.js:1\n0x8000 0x20 TRACE_1::x\r\n");
        assert_eq!(map.name(0x7f00), Some(("Lazy:~main /a b.js:1", 0)));
        assert_eq!(map.name(0x7f0f), Some(("Lazy:~main /a b.js:1", 15)));
        assert_eq!(map.name(0x7f10), None);
        assert_eq!(map.name(0x8001), Some(("TRACE_1::x", 1)));
        assert_eq!(map.name(0x7eff), None);
        assert_eq!((map.len(), map.skipped()), (2, 0));
    }

    #[test]
    fn later_code_replaces_earlier() {
        let map = of("100 100 old\n140 20 new\n1f0 20 after\n0 8 first\n");
        let names = [
            0x100, 0x13f, 0x140, 0x15f, 0x160, 0x1ef, 0x1f0, 0x20f, 0x210,
        ];
        let found = names.map(|address| map.name(address));
        assert_eq!(
            found,
            [
                Some(("old", 0)),
                Some(("old", 0x3f)),
                Some(("new", 0)),
                Some(("new", 0x1f)),
                Some(("old", 0x60)),
                Some(("old", 0xef)),
                Some(("after", 0)),
                Some(("after", 0x1f)),
                None,
            ]
        );
    }

    #[test]
    fn lines_come_in_parts_and_odd_ones_are_counted() {
        let mut map = PerfMap::default();
        for part in [
            "10",
            "00 1",
            "0 na",
            "me\nno number\n1000\n1000 0 empty\n+10 10 sign\n",
        ] {
            map.extend(part.as_bytes());
        }
        assert_eq!(map.name(0x1008), Some(("name", 8)));
        assert_eq!(map.skipped(), 4);
        map.extend(b"ffffffffffffffff 10 beyond\n2000 1 \x1b[31m\xff\n");
        assert_eq!(map.name(0x2000), Some(("\u{fffd}[31m\u{fffd}", 0)));
        assert_eq!(map.skipped(), 5);
        // A line without an end is given up, and what follows it is read.
        map.extend(&vec![b'a'; 3 * MAX_LINE]);
        map.extend(&vec![b'a'; 3 * MAX_LINE]);
        map.extend(b"\n3000 10 last\n");
        assert_eq!(map.name(0x3000), Some(("last", 0)));
        assert_eq!(map.skipped(), 6);
        map.clear();
        assert!(map.is_empty());
    }

    proptest! {
        #[test]
        fn the_last_line_that_covers_an_address_names_it(lines in prop::collection::vec((0u64..64, 1u64..32), 1..40)) {
            let text: String = lines.iter().enumerate().map(|(index, (start, size))| format!("{start:x} {size:x} {index}\n")).collect();
            let map = of(&text);
            for address in 0..100 {
                let last = lines.iter().enumerate().rev().find(|(_, (start, size))| (*start..start + size).contains(&address));
                let expected = last.map(|(index, (start, _))| (index.to_string(), address - start));
                prop_assert_eq!(map.name(address).map(|(name, offset)| (name.to_owned(), offset)), expected);
            }
        }

        #[test]
        fn any_text_is_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut map = PerfMap::default();
            for part in bytes.chunks(7) {
                map.extend(part);
            }
            let _ = map.name(0);
        }
    }
}
