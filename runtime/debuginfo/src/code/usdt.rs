//! Static probes (USDT): places that the program's author marked with `<sys/sdt.h>` or an equal, as the notes in `.note.stapsdt`
//! list them.
//!
//! A note has the type 3 and the name `stapsdt`. It holds three addresses (the probe's instruction, where `.stapsdt.base` was when
//! the note was made, the semaphore or zero) and three strings (provider, name, arguments). The addresses move with
//! `.stapsdt.base`, should somebody have moved that.

use super::operand::StaticArgument;
use crate::error::{Error, Result};
use crate::module::Module;
use crate::symtab::{MAX_NAME, SymbolKind};

/// More probes than this are not read.
const MAX_PROBES: usize = 1 << 16;
/// `<sys/sdt.h>` has at most twelve arguments; more than this are not read.
const MAX_ARGUMENTS: usize = 32;
/// The type of the notes.
const NOTE_TYPE: u32 = 3;

/// One place of a static probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticProbe {
    /// Who provides it, such as `libc`.
    pub provider: String,
    /// Its name, such as `memory_heap_new`. Several places may have the same.
    pub name: String,
    /// The instruction that marks the place (svma).
    pub address: u64,
    /// What to raise while it is probed, so that the program reaches the place.
    pub semaphore: Option<Semaphore>,
    /// Its arguments.
    pub arguments: Vec<StaticArgument>,
}

/// A 16-bit counter of those who probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Semaphore {
    /// Its address (svma).
    pub address: u64,
    /// Its offset in the file, by which the kernel raises it; `None` where the file does not hold it.
    pub file_offset: Option<u64>,
}

/// The static probes of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaticProbes {
    /// By provider, name and address.
    pub probes: Vec<StaticProbe>,
    /// What is wrong with notes that were left out.
    pub problems: Vec<String>,
}

impl Module {
    /// All static probes.
    ///
    /// # Errors
    /// The section that lists them is damaged as a whole.
    pub fn static_probes(&self) -> Result<StaticProbes> {
        const SECTION: &str = ".note.stapsdt";
        let Some(data) = self.section(SECTION)? else {
            return Ok(StaticProbes::default());
        };
        if !self.is_little_endian() {
            return Err(Error::Section {
                path: self.path().to_owned(),
                section: SECTION.into(),
                reason: "big-endian notes are not read".into(),
            });
        }
        let base = self
            .sections()
            .iter()
            .find(|s| s.name == ".stapsdt.base")
            .map(|s| s.address);
        let address_of = |name: &str| self.only_address(name);
        let mut found = parse_notes(&data, self.is_64(), base, &address_of);
        for probe in &mut found.probes {
            if let Some(semaphore) = &mut probe.semaphore {
                semaphore.file_offset = self.offset_of_address(semaphore.address);
            }
        }
        found.probes.sort_by(|a, b| {
            let key = |p: &StaticProbe| (p.provider.clone(), p.name.clone(), p.address);
            key(a).cmp(&key(b))
        });
        Ok(found)
    }

    /// The address of the one object or label of that name.
    fn only_address(&self, name: &str) -> Option<u64> {
        let symbols = self.symbols_named(name);
        let mut addresses = symbols
            .iter()
            .filter(|s| matches!(s.kind, SymbolKind::Object | SymbolKind::Untyped))
            .map(|s| s.address);
        let first = addresses.next()?;
        addresses.all(|a| a == first).then_some(first)
    }
}

fn parse_notes(
    data: &[u8],
    is_64: bool,
    base: Option<u64>,
    address_of: &dyn Fn(&str) -> Option<u64>,
) -> StaticProbes {
    let mut found = StaticProbes::default();
    let mut rest = data;
    while !rest.is_empty() {
        if found.probes.len() >= MAX_PROBES {
            found
                .problems
                .push(format!("there are more than {MAX_PROBES} notes"));
            break;
        }
        let at = data.len() - rest.len();
        let Some((note, after)) = next_note(rest) else {
            found
                .problems
                .push(format!("the note at +{at:#x} is cut off"));
            break;
        };
        rest = after;
        if note.kind != NOTE_TYPE || note.name != b"stapsdt\0" {
            continue;
        }
        match parse_probe(note.content, is_64, base, address_of) {
            Some(probe) => found.probes.push(probe),
            None if found.problems.len() < 16 => found
                .problems
                .push(format!("the note at +{at:#x} is not that of a probe")),
            None => {}
        }
    }
    found
}

struct Note<'a> {
    kind: u32,
    name: &'a [u8],
    content: &'a [u8],
}

/// Splits off one note (gABI, "Note Section"): three words, then name and content, each padded to four bytes.
fn next_note(data: &[u8]) -> Option<(Note<'_>, &[u8])> {
    let (name_size, rest) = word(data)?;
    let (size, rest) = word(rest)?;
    let (kind, rest) = word(rest)?;
    let (name, rest) = padded(rest, name_size)?;
    let (content, rest) = padded(rest, size)?;
    Some((
        Note {
            kind,
            name,
            content,
        },
        rest,
    ))
}

fn word(data: &[u8]) -> Option<(u32, &[u8])> {
    let (bytes, rest) = data.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*bytes), rest))
}

fn padded(data: &[u8], size: u32) -> Option<(&[u8], &[u8])> {
    let size = usize::try_from(size).ok()?;
    let (content, _) = data.split_at_checked(size)?;
    // The last note may lack its padding.
    let next = size.checked_next_multiple_of(4)?.min(data.len());
    Some((content, data.get(next..)?))
}

fn parse_probe(
    content: &[u8],
    is_64: bool,
    base: Option<u64>,
    address_of: &dyn Fn(&str) -> Option<u64>,
) -> Option<StaticProbe> {
    let (address, rest) = address_word(content, is_64)?;
    let (noted_base, rest) = address_word(rest, is_64)?;
    let (semaphore, rest) = address_word(rest, is_64)?;
    let (provider, rest) = string(rest)?;
    let (name, rest) = string(rest)?;
    let (arguments, _) = string(rest)?;
    if provider.is_empty() || name.is_empty() {
        return None;
    }
    let moved = base.map_or(0, |base| base.wrapping_sub(noted_base));
    let arguments = arguments
        .split_ascii_whitespace()
        .take(MAX_ARGUMENTS)
        .map(|text| StaticArgument::parse(text, address_of))
        .collect();
    Some(StaticProbe {
        provider,
        name,
        address: address.wrapping_add(moved),
        semaphore: (semaphore != 0).then(|| Semaphore {
            address: semaphore.wrapping_add(moved),
            file_offset: None,
        }),
        arguments,
    })
}

fn address_word(data: &[u8], is_64: bool) -> Option<(u64, &[u8])> {
    if is_64 {
        let (bytes, rest) = data.split_first_chunk::<8>()?;
        Some((u64::from_le_bytes(*bytes), rest))
    } else {
        let (value, rest) = word(data)?;
        Some((u64::from(value), rest))
    }
}

fn string(data: &[u8]) -> Option<(String, &[u8])> {
    let end = data.iter().position(|&b| b == 0)?;
    let text = data.get(..end.min(MAX_NAME))?;
    Some((
        String::from_utf8_lossy(text).into_owned(),
        data.get(end + 1..)?,
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn note(kind: u32, name: &[u8], content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for number in [name.len() as u32, content.len() as u32, kind] {
            out.extend(number.to_le_bytes());
        }
        for part in [name, content] {
            out.extend(part);
            out.resize(out.len().next_multiple_of(4), 0);
        }
        out
    }

    fn content(words: [u64; 3], strings: &str) -> Vec<u8> {
        let mut out: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        out.extend(strings.as_bytes());
        out
    }

    #[test]
    fn addresses_move_with_the_base() {
        let text = "prov\0name\0-4@%edi 8@$7\0";
        let data = note(3, b"stapsdt\0", &content([0x1100, 0x2000, 0x3000], text));
        let found = parse_notes(&data, true, Some(0x2500), &|_| None);
        assert_eq!(found.problems, Vec::<String>::new());
        let [probe] = found.probes.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            (probe.provider.as_str(), probe.name.as_str()),
            ("prov", "name")
        );
        assert_eq!(probe.address, 0x1600);
        assert_eq!(probe.semaphore.unwrap().address, 0x3500);
        assert_eq!(probe.arguments.len(), 2);
    }

    #[test]
    fn other_notes_are_skipped_and_damaged_ones_told() {
        let mut data = note(1, b"GNU\0", b"abcde");
        data.extend(note(3, b"stapsdt\0", &content([1, 2, 0], "p\0n\0\0")));
        data.extend(note(3, b"stapsdt\0", &content([1, 2, 0], "no end")));
        data.extend([9; 7]);
        let found = parse_notes(&data, true, None, &|_| None);
        assert_eq!(found.probes.len(), 1);
        assert_eq!(found.probes[0].semaphore, None);
        assert_eq!(found.problems.len(), 2, "{:?}", found.problems);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(data in proptest::collection::vec(any::<u8>(), 0..400), is_64: bool) {
            let found = parse_notes(&data, is_64, Some(7), &|_| None);
            prop_assert!(found.probes.len() <= data.len() / 12);
        }

        #[test]
        fn damaged_notes_are_read(
            at in 0usize..80, value: u8, strings in "\\PC{0,20}\0\\PC{0,20}\0[-@%a-z0-9() ]{0,30}\0"
        ) {
            let mut data = note(3, b"stapsdt\0", &content([1, 2, 3], &strings));
            if let Some(byte) = data.get_mut(at) {
                *byte = value;
            }
            let found = parse_notes(&data, true, None, &|_| None);
            prop_assert!(found.probes.len() <= 1);
        }
    }
}
