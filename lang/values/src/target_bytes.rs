//! Bounded reads of strings and ranges of the target's memory.

use std::cmp::Ordering;

use crate::fault::{Fault, FaultKind};
use crate::memory::{Memory, MemoryError, Page};

/// What marks a string that was cut at the limit.
pub(crate) const CUT: &[u8] = "…".as_bytes();

/// `strlen` looks at no more than this.
pub(crate) const MAX_LENGTH: u64 = 1 << 20;

/// Comparisons and checks of readability look at no more than this.
pub(crate) const MAX_RANGE: u64 = 1 << 26;

/// The bytes from `address` up to a NUL or the limit, and whether the limit came first.
pub(crate) fn c_string(
    memory: &mut dyn Memory,
    address: u64,
    limit: u64,
) -> Result<(Vec<u8>, bool), Fault> {
    let mut text = Vec::new();
    let mut cursor = Cursor::new(address);
    // One byte more than the limit tells whether the string ends there.
    while text.len() as u64 <= limit {
        let bytes = cursor.rest(memory)?;
        let room = (limit + 1 - text.len() as u64).min(bytes.len() as u64) as usize;
        let bytes = bytes.get(..room).unwrap_or_default();
        if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
            text.extend_from_slice(bytes.get(..end).unwrap_or_default());
            return Ok((text, false));
        }
        text.extend_from_slice(bytes);
        cursor.advance(room);
        if text.len() as u64 == limit && !cursor.readable(memory) {
            break;
        }
    }
    text.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((text, true))
}

/// `length` bytes, or as many as the limit allows, and whether that cut them.
pub(crate) fn range(
    memory: &mut dyn Memory,
    address: u64,
    length: u64,
    limit: u64,
) -> Result<(Vec<u8>, bool), Fault> {
    let wanted = length.min(limit);
    let mut bytes = Vec::new();
    let mut cursor = Cursor::new(address);
    // Page by page, so that nothing large is set aside for what cannot be read.
    while (bytes.len() as u64) < wanted {
        let part = cursor.rest(memory)?;
        let room = (wanted - bytes.len() as u64).min(part.len() as u64) as usize;
        bytes.extend_from_slice(part.get(..room).unwrap_or_default());
        cursor.advance(room);
    }
    Ok((bytes, wanted < length))
}

/// The length of a C string.
pub(crate) fn length(memory: &mut dyn Memory, address: u64) -> Result<u64, Fault> {
    let mut cursor = Cursor::new(address);
    let mut length = 0_u64;
    while length <= MAX_LENGTH {
        let bytes = cursor.rest(memory)?;
        if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
            length += end as u64;
            if length <= MAX_LENGTH {
                return Ok(length);
            }
            break;
        }
        let count = bytes.len();
        length += count as u64;
        cursor.advance(count);
    }
    Err(Fault {
        kind: FaultKind::IndexOutOfRange,
        address: Some(address),
        message: Some(format!("no NUL in {MAX_LENGTH} bytes from {address:#x}")),
    })
}

/// Compares two ranges byte by byte, up to `limit`; `strings` ends at a NUL of both.
pub(crate) fn compare(
    memory: &mut dyn Memory,
    left: u64,
    right: u64,
    limit: u64,
    strings: bool,
) -> Result<Ordering, Fault> {
    let (mut left_at, mut right_at) = (Cursor::new(left), Cursor::new(right));
    let mut done = 0_u64;
    while done < limit {
        if done >= MAX_RANGE {
            return Err(Fault {
                kind: FaultKind::IndexOutOfRange,
                address: Some(left),
                message: Some(format!("a comparison of more than {MAX_RANGE} bytes")),
            });
        }
        let a = left_at.rest(memory)?;
        let b = right_at.rest(memory)?;
        let count = (limit - done).min(a.len() as u64).min(b.len() as u64) as usize;
        for (&a, &b) in a.iter().zip(b).take(count) {
            if a != b {
                return Ok(a.cmp(&b));
            }
            if strings && a == 0 {
                return Ok(Ordering::Equal);
            }
        }
        done += count as u64;
        left_at.advance(count);
        right_at.advance(count);
    }
    Ok(Ordering::Equal)
}

/// Whether all of a range can be read.
pub(crate) fn readable(memory: &mut dyn Memory, address: u64, length: u64) -> Result<bool, Fault> {
    if length == 0 {
        return Ok(true);
    }
    if address.checked_add(length - 1).is_none() {
        return Ok(false);
    }
    if length > MAX_RANGE {
        return Err(Fault {
            kind: FaultKind::IndexOutOfRange,
            address: Some(address),
            message: Some(format!("a range of more than {MAX_RANGE} bytes")),
        });
    }
    let mut cursor = Cursor::new(address);
    let mut left = length;
    while left > 0 {
        let count = match cursor.ask(memory) {
            Ok(bytes) => left.min(bytes.len() as u64),
            Err(
                error @ (MemoryError::TargetGone
                | MemoryError::CacheFull { .. }
                | MemoryError::Interrupted),
            ) => {
                return Err(Fault::memory(error));
            }
            Err(_) => return Ok(false),
        };
        cursor.advance(count as usize);
        left -= count;
    }
    Ok(true)
}

/// A hexadecimal dump: up to 16 bytes in one line, more in lines with address and characters.
pub(crate) fn dump(address: u64, bytes: &[u8], cut: bool) -> Vec<u8> {
    use std::fmt::Write;
    let mut text = String::new();
    if bytes.len() <= 16 {
        for (index, byte) in bytes.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            // Writing to a string does not fail.
            let _ = write!(text, "{space}{byte:02x}");
        }
    } else {
        for (index, line) in bytes.chunks(16).enumerate() {
            let at = address.wrapping_add(index as u64 * 16);
            let _ = write!(text, "{at:#014x}:");
            for column in 0..16 {
                let _ = match line.get(column) {
                    Some(byte) => write!(text, " {byte:02x}"),
                    None => write!(text, "   "),
                };
            }
            text.push_str("  ");
            text.extend(line.iter().map(|&byte| match byte {
                b' '..=b'~' => char::from(byte),
                _ => '.',
            }));
            text.push('\n');
        }
    }
    if cut {
        text.push('…');
    }
    text.into_bytes()
}

/// How many bytes are asked for at once of memory without pages.
const PART: usize = 256;

/// Walks memory page by page, or part by part where there are no pages.
struct Cursor {
    address: u64,
    page: Option<(u64, Page)>,
    /// Bytes at an address, of memory without pages.
    part: Vec<u8>,
    part_at: u64,
}

impl Cursor {
    fn new(address: u64) -> Self {
        Self {
            address,
            page: None,
            part: Vec::new(),
            part_at: 0,
        }
    }

    /// The bytes from here to the end of the page; at least one.
    fn page(&mut self, memory: &mut dyn Memory) -> Result<&[u8], MemoryError> {
        self.page_by(memory, |memory, base| memory.page(base))
    }

    /// The same, for the question whether they can be read.
    fn ask(&mut self, memory: &mut dyn Memory) -> Result<&[u8], MemoryError> {
        self.page_by(memory, |memory, base| memory.ask(base))
    }

    fn page_by(
        &mut self,
        memory: &mut dyn Memory,
        get: fn(&mut dyn Memory, u64) -> Result<Page, MemoryError>,
    ) -> Result<&[u8], MemoryError> {
        let address = self.address;
        if !memory.is_paged() {
            return self.part(memory);
        }
        let size = memory.page_size().max(1);
        let base = address & !(size - 1);
        if self.page.as_ref().is_none_or(|(known, _)| *known != base) {
            let page = get(memory, base).map_err(|error| error.at(address))?;
            self.page = Some((base, page));
        }
        self.page
            .as_ref()
            .and_then(|(base, page)| page.bytes().get((address - base) as usize..))
            .filter(|bytes| !bytes.is_empty())
            .ok_or(MemoryError::Unmapped { address })
    }

    /// The bytes from here on, at least one, of memory without pages.
    fn part(&mut self, memory: &mut dyn Memory) -> Result<&[u8], MemoryError> {
        let within = self.address.wrapping_sub(self.part_at);
        if within >= self.part.len() as u64 {
            self.part.resize(PART, 0);
            let read = memory.leading(self.address, &mut self.part);
            self.part.truncate(*read.as_ref().unwrap_or(&0));
            self.part_at = self.address;
            read?;
        }
        let within = usize::try_from(self.address.wrapping_sub(self.part_at));
        within
            .ok()
            .and_then(|within| self.part.get(within..))
            .filter(|bytes| !bytes.is_empty())
            .ok_or(MemoryError::Unmapped {
                address: self.address,
            })
    }

    fn rest(&mut self, memory: &mut dyn Memory) -> Result<&[u8], Fault> {
        self.page(memory).map_err(Fault::memory)
    }

    fn readable(&mut self, memory: &mut dyn Memory) -> bool {
        self.page(memory).is_ok()
    }

    fn advance(&mut self, count: usize) {
        self.address = self.address.wrapping_add(count as u64);
    }
}
