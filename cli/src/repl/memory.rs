//! `x`: memory as numbers, strings and instructions.

use serde_json::json;

use super::commands::{self, Dump, Parsed};
use super::lines::{Prompt, Wrong};
use crate::terminal::safe;

/// Bytes as they stand between the quotes of C.
fn quoted(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    ytrace_report::escape::c_into(&mut text, bytes, b'"');
    String::from_utf8_lossy(&text).into_owned()
}

impl Prompt<'_> {
    pub(super) fn memory(&mut self, parsed: &Parsed<'_>) -> Result<(), Wrong> {
        let dump = commands::dump(parsed.format, self.dump).map_err(Wrong::Words)?;
        let mut address = match self.next {
            Some(next) if parsed.rest.is_empty() => next,
            _ => self.address(parsed.rest)?,
        };
        self.dump = Dump { count: 1, ..dump };
        if dump.format == 's' {
            for _ in 0..dump.count {
                let (text, whole) = self.string_at(address)?;
                let shown = ytrace_report::escape::line(&text);
                match (self.json, whole) {
                    (true, true) => self.unit_document(address, &json!(shown)),
                    (true, false) => {
                        let at = format!("{address:#x}");
                        let document = json!({ "address": at, "value": shown, "cut": true });
                        self.sink.document(&document);
                    }
                    (false, _) => {
                        let label = self.label(address);
                        let cut = if whole { "" } else { "…" };
                        self.sink
                            .data(format!("{label}:\t\"{}\"{cut}\n", quoted(&text)).as_bytes());
                    }
                }
                // What was cut goes on; else its NUL lies behind it.
                address = address.wrapping_add(text.len() as u64 + u64::from(whole));
                self.next = Some(address);
            }
            return Ok(());
        }
        if dump.format == 'i' {
            return self.instructions(address, dump.count);
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
            self.next = Some(at.wrapping_add(line.len() as u64));
            if self.json {
                let units = line.chunks(unit);
                let units: Vec<String> = units.map(|bytes| self.unit(bytes, dump.format)).collect();
                self.unit_document(at, &json!(units));
                continue;
            }
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

    /// Shows instructions, as gdb writes them.
    fn instructions(&mut self, address: u64, count: u64) -> Result<(), Wrong> {
        let (instructions, why) = self
            .interactive
            .borrow_mut()
            .instructions(address, usize::try_from(count).unwrap_or(usize::MAX))?;
        for instruction in &instructions {
            self.next = Some(instruction.address.wrapping_add(instruction.length));
            if self.json {
                self.unit_document(instruction.address, &json!(instruction.text));
                continue;
            }
            let label = self.label(instruction.address);
            self.sink
                .data(format!("{label}:\t{}\n", safe(&instruction.text)).as_bytes());
        }
        match why {
            Some(why) => Err(Wrong::Words(why)),
            None => Ok(()),
        }
    }

    fn unit_document(&mut self, address: u64, value: &serde_json::Value) {
        let document = json!({ "address": format!("{address:#x}"), "value": value });
        self.sink.document(&document);
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

    /// The bytes up to a NUL, or to a bound; and whether there was a NUL.
    fn string_at(&mut self, address: u64) -> Result<(Vec<u8>, bool), Wrong> {
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
        Ok((bytes, end.is_some()))
    }
}
