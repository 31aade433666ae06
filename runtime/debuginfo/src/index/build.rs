//! Builds the index of a module: reads all units, in parallel where there are many, and writes the tables.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::scan::{Name, Scanned, Slice, Stop, scan_unit};
use super::{DECLARATION, Fingerprint, HEADER, Index, MAGIC, NO_PLACE, NO_UNIT, VERSION};
use gimli::Section as _;

use crate::dwarf::{self, DebugData, EntrySection};
use crate::error::{Error, Result};
use crate::types::{NameKind, TypeRef};

/// Distinct layouts of one name beyond this number are not told apart.
const MAX_LAYOUTS: usize = 32;
/// Damaged units beyond this number are not listed.
const MAX_PROBLEMS: usize = 16;
/// Below this size of `.debug_info`, threads cost more than they save.
const PARALLEL_FROM: usize = 1 << 18;
/// Entries nested more deeply than this are not read by recursion (gcc stays below a hundred).
const MAX_NESTING: isize = 256;
const MAX_THREADS: usize = 8;

type SliceDwarf<'a> = gimli::Dwarf<Slice<'a>>;
type SliceUnit<'a> = gimli::Unit<Slice<'a>>;

struct UnitSlot<'a> {
    section: EntrySection,
    start: usize,
    end: usize,
    header: gimli::UnitHeader<Slice<'a>>,
    unit: OnceLock<std::result::Result<SliceUnit<'a>, gimli::Error>>,
}

/// One definition that is kept.
#[derive(Clone, Copy)]
struct Kept {
    flags: u8,
    unit: u32,
    at: TypeRef,
    hash: u64,
}

type Names<'a> = HashMap<(Cow<'a, [u8]>, NameKind), Vec<Kept>>;

#[derive(Default)]
struct Collected<'a> {
    names: Names<'a>,
    imports: Vec<(u32, TypeRef)>,
    signatures: Vec<(u32, u64)>,
    too_deep: HashSet<u32>,
    problems: Vec<String>,
    timeout: bool,
}

/// Reads all debug information. Returns the index and, as text, which units are damaged; these are left out.
///
/// # Errors
/// [`Error::IndexTimeout`] where reading takes longer than `limit`.
pub(crate) fn build(
    data: &DebugData,
    fingerprint: &Fingerprint,
    limit: Duration,
) -> Result<(Index, Vec<String>)> {
    let deadline = Instant::now().checked_add(limit);
    let mut main = data.sections.slices();
    main.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
    if let Some(sup) = main.sup.as_mut().and_then(Arc::get_mut) {
        sup.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
    }
    let builder = Builder {
        data,
        main: &main,
        sup: main.sup(),
        units: Vec::new(),
        deadline,
    };
    builder.run(fingerprint, limit)
}

struct Builder<'b, 'a> {
    data: &'b DebugData,
    main: &'b SliceDwarf<'a>,
    sup: Option<&'b SliceDwarf<'a>>,
    units: Vec<UnitSlot<'a>>,
    deadline: Option<Instant>,
}

impl<'a> Builder<'_, 'a> {
    fn run(mut self, fingerprint: &Fingerprint, limit: Duration) -> Result<(Index, Vec<String>)> {
        let mut problems = self.list_units();
        let next = AtomicUsize::new(0);
        let size = self.main.debug_info.reader().len() + self.main.debug_types.reader().len();
        let threads = if size < PARALLEL_FROM {
            1
        } else {
            std::thread::available_parallelism().map_or(1, |n| n.get().min(MAX_THREADS))
        };
        let this = &self;
        let next = &next;
        let mut parts: Vec<Collected<'a>> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads)
                .map(|_| scope.spawn(move || this.collect(next)))
                .collect();
            let mut parts = vec![this.collect(next)];
            // A thread that died left its units out; that is a problem to report, not a reason to die too.
            parts.extend(others.into_iter().map(|t| {
                t.join().unwrap_or_else(|_| Collected {
                    problems: vec!["a part of the units could not be read".into()],
                    ..Collected::default()
                })
            }));
            parts
        });
        if parts.iter().any(|p| p.timeout) {
            return Err(Error::IndexTimeout {
                path: self.data.files.main.path.clone(),
                seconds: limit.as_secs(),
            });
        }
        let mut all = parts.swap_remove(0);
        for part in parts {
            all.imports.extend(part.imports);
            all.signatures.extend(part.signatures);
            all.too_deep.extend(part.too_deep);
            problems.extend(part.problems);
            for (key, kept) in part.names {
                let list = all.names.entry(key).or_default();
                for one in kept {
                    keep(list, one);
                }
            }
        }
        problems.extend(std::mem::take(&mut all.problems));
        problems.truncate(MAX_PROBLEMS);
        let bytes = self.write(all, fingerprint);
        let index = Index::from_bytes(bytes, fingerprint).ok_or_else(|| Error::TooLarge {
            path: self.data.files.main.path.clone(),
            what: "the index of its names".into(),
            size: u64::MAX,
            limit: u64::from(u32::MAX),
        })?;
        Ok((index, problems))
    }

    fn dwarf(&self, section: EntrySection) -> &SliceDwarf<'a> {
        match (section, self.sup) {
            (EntrySection::Supplementary, Some(sup)) => sup,
            _ => self.main,
        }
    }

    /// Reads all unit headers; a damaged one hides what follows it in the same section.
    fn list_units(&mut self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut found = Vec::new();
        let mut note = |section: EntrySection, e: gimli::Error| {
            problems.push(format!(
                "{}: a unit header is damaged, the rest is not read: {e}",
                section.name()
            ));
        };
        let sections = [
            (EntrySection::Info, Some(self.main)),
            (EntrySection::Supplementary, self.sup),
        ];
        for (section, dwarf) in sections {
            let Some(dwarf) = dwarf else { continue };
            let mut headers = dwarf.units();
            loop {
                match headers.next() {
                    Ok(Some(header)) => found.push((section, header)),
                    Ok(None) => break,
                    Err(e) => {
                        note(section, e);
                        break;
                    }
                }
            }
        }
        let mut headers = self.main.type_units();
        loop {
            match headers.next() {
                Ok(Some(header)) => found.push((EntrySection::Types, header)),
                Ok(None) => break,
                Err(e) => {
                    note(EntrySection::Types, e);
                    break;
                }
            }
        }
        found.truncate(NO_UNIT as usize - 1);
        self.units = found
            .into_iter()
            .map(|(section, header)| UnitSlot {
                section,
                start: header.offset().0,
                end: header
                    .offset()
                    .0
                    .saturating_add(header.length_including_self()),
                header,
                unit: OnceLock::new(),
            })
            .collect();
        self.units.sort_by_key(|u| (u.section, u.start));
        problems
    }

    fn unit<'u>(
        &'u self,
        slot: &'u UnitSlot<'a>,
    ) -> std::result::Result<&'u SliceUnit<'a>, gimli::Error> {
        slot.unit
            .get_or_init(|| dwarf::unit_without_lines(self.dwarf(slot.section), slot.header))
            .as_ref()
            .map_err(|e| *e)
    }

    fn slot_of(&self, at: TypeRef) -> Option<(usize, &UnitSlot<'a>)> {
        let section = at.section()?;
        let offset = usize::try_from(at.offset()).ok()?;
        let after = self
            .units
            .partition_point(|u| (u.section, u.start) <= (section, offset));
        let number = after.checked_sub(1)?;
        let slot = self.units.get(number)?;
        (slot.section == section && offset < slot.end).then_some((number, slot))
    }

    /// The name of an entry anywhere, through a few more references if need be.
    fn name_of(&self, at: TypeRef) -> Option<&'a [u8]> {
        let mut at = at;
        for _ in 0..8 {
            let (_, slot) = self.slot_of(at)?;
            let unit = self.unit(slot).ok()?;
            let offset = usize::try_from(at.offset()).ok()?.checked_sub(slot.start)?;
            let entry = unit.entry(gimli::UnitOffset(offset)).ok()?;
            if let Some(value) = entry.attr_value(gimli::DW_AT_name) {
                let name = self.dwarf(slot.section).attr_string(unit, value).ok()?;
                return name
                    .slice()
                    .get(..name.slice().len().min(crate::symtab::MAX_NAME));
            }
            let origin = entry
                .attr_value(gimli::DW_AT_specification)
                .or_else(|| entry.attr_value(gimli::DW_AT_abstract_origin))?;
            match dwarf::reference(slot.section, slot.start, &origin)? {
                dwarf::Reference::Entry(next) => at = next,
                dwarf::Reference::Signature(_) => return None,
            }
        }
        None
    }

    /// Takes units one by one until none is left.
    fn collect(&self, next: &AtomicUsize) -> Collected<'a> {
        let mut all = Collected::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(slot) = self.units.get(number) else {
                return all;
            };
            if self.deadline.is_some_and(|d| Instant::now() > d) {
                all.timeout = true;
                return all;
            }
            let damaged =
                |at: u64, e: gimli::Error| format!("{}+{at:#x}: {e}", slot.section.name());
            let unit = match self.unit(slot) {
                Ok(unit) => unit,
                Err(e) => {
                    all.problem(damaged(slot.start as u64, e));
                    continue;
                }
            };
            let mut scanned = Scanned::default();
            let dwarf = self.dwarf(slot.section);
            let elsewhere = |at| self.name_of(at);
            match scan_unit(
                dwarf,
                unit,
                slot.section,
                &elsewhere,
                self.deadline,
                &mut scanned,
            ) {
                Ok(()) => {}
                Err(Stop::Damaged(at, e)) => all.problem(damaged(at, e)),
                Err(Stop::Timeout) => {
                    all.timeout = true;
                    return all;
                }
            }
            let number = number as u32;
            if is_too_deep(unit) {
                all.too_deep.insert(number);
            }
            all.imports
                .extend(scanned.imports.into_iter().map(|at| (number, at)));
            all.signatures
                .extend(scanned.signatures.into_iter().map(|s| (number, s)));
            for Name {
                name,
                kind,
                flags,
                at,
                hash,
            } in scanned.names
            {
                let one = Kept {
                    flags,
                    unit: number,
                    at,
                    hash,
                };
                keep(all.names.entry((name, kind)).or_default(), one);
            }
        }
    }

    fn write(&self, mut all: Collected<'a>, fingerprint: &Fingerprint) -> Vec<u8> {
        let mut strings = Strings::default();
        let signatures = self.signatures();
        let imports = self.imports(&all, &signatures);
        let shown_as = self.shown_as(&imports);
        let mut names: Vec<_> = std::mem::take(&mut all.names).into_iter().collect();
        names.sort_unstable_by(|a, b| (&a.0.0, a.0.1).cmp(&(&b.0.0, b.0.1)));

        let mut out = vec![0u8; HEADER];
        let mut tables = Vec::new();
        let begin = |out: &Vec<u8>, size: usize, tables: &mut Vec<(usize, usize)>| {
            tables.push((out.len(), size));
        };
        begin(&out, super::UNIT, &mut tables);
        for (i, (slot, shown)) in self.units.iter().zip(&shown_as).enumerate() {
            let name = match slot.unit.get() {
                Some(Ok(unit)) => unit.name.as_ref().map_or(&[][..], |n| n.slice()),
                _ => &[],
            };
            let text = String::from_utf8_lossy(name.get(..name.len().min(4096)).unwrap_or(name));
            let (start, len) = strings.add(text.as_bytes());
            let at = TypeRef::new(slot.section, slot.start as u64).map_or(u64::MAX, TypeRef::raw);
            out.extend(at.to_le_bytes());
            out.extend((slot.end as u64).to_le_bytes());
            out.extend(start.to_le_bytes());
            out.extend(len.to_le_bytes());
            out.extend(shown.to_le_bytes());
            out.extend(u32::from(all.too_deep.contains(&(i as u32))).to_le_bytes());
        }
        begin(&out, super::ENTRY, &mut tables);
        for ((name, kind), mut kept) in names {
            prune(kind, &mut kept);
            let (start, len) = strings.add(&name);
            for one in kept {
                out.extend(start.to_le_bytes());
                out.extend(len.to_le_bytes());
                out.extend([kind as u8, one.flags, 0, 0]);
                out.extend(one.unit.to_le_bytes());
                out.extend(one.at.raw().to_le_bytes());
                out.extend(one.hash.to_le_bytes());
            }
        }
        begin(&out, super::SIGNATURE, &mut tables);
        for (signature, at) in signatures {
            out.extend(signature.to_le_bytes());
            out.extend(at.raw().to_le_bytes());
        }
        begin(&out, super::IMPORT, &mut tables);
        for (from, to) in &imports {
            out.extend(from.to_le_bytes());
            out.extend(to.to_le_bytes());
        }
        begin(&out, 1, &mut tables);
        out.extend_from_slice(&strings.bytes);
        finish(out, &tables, fingerprint)
    }

    /// Which unit refers to which others as a whole: partial units by import, type units by signature.
    fn imports(&self, all: &Collected<'a>, signatures: &[(u64, TypeRef)]) -> Vec<(u32, u32)> {
        let by_signature = all.signatures.iter().filter_map(|&(from, signature)| {
            let i = signatures.binary_search_by_key(&signature, |s| s.0).ok()?;
            Some((from, signatures.get(i)?.1))
        });
        let mut imports: Vec<(u32, u32)> = all
            .imports
            .iter()
            .copied()
            .chain(by_signature)
            .filter_map(|(from, at)| Some((from, self.slot_of(at)?.0 as u32)))
            .filter(|(from, to)| from != to)
            .collect();
        imports.sort_unstable();
        imports.dedup();
        imports
    }

    /// For each unit the compile unit by which it is shown: itself if it has a name, else the first that imports it, over others.
    fn shown_as(&self, imports: &[(u32, u32)]) -> Vec<u32> {
        let mut shown = vec![NO_UNIT; self.units.len()];
        let mut queue = std::collections::VecDeque::new();
        for (i, slot) in self.units.iter().enumerate() {
            if matches!(slot.unit.get(), Some(Ok(unit)) if unit.name.is_some()) {
                if let Some(entry) = shown.get_mut(i) {
                    *entry = i as u32;
                }
                queue.push_back(i as u32);
            }
        }
        while let Some(from) = queue.pop_front() {
            let shown_from = shown.get(from as usize).copied().unwrap_or(NO_UNIT);
            let first = imports.partition_point(|&(f, _)| f < from);
            for &(_, to) in imports
                .get(first..)
                .unwrap_or_default()
                .iter()
                .take_while(|&&(f, _)| f == from)
            {
                if let Some(entry) = shown.get_mut(to as usize).filter(|e| **e == NO_UNIT) {
                    *entry = shown_from;
                    queue.push_back(to);
                }
            }
        }
        shown
    }

    fn signatures(&self) -> Vec<(u64, TypeRef)> {
        let mut signatures: Vec<(u64, TypeRef)> = self
            .units
            .iter()
            .filter_map(|slot| match slot.header.type_() {
                gimli::UnitType::Type {
                    type_signature,
                    type_offset,
                }
                | gimli::UnitType::SplitType {
                    type_signature,
                    type_offset,
                } => {
                    let offset = slot.start.checked_add(type_offset.0)?;
                    Some((type_signature.0, TypeRef::new(slot.section, offset as u64)?))
                }
                _ => None,
            })
            .collect();
        signatures.sort_unstable();
        signatures.dedup_by_key(|s| s.0);
        signatures
    }
}

/// Whether entries are nested more deeply than any compiler does. A damaged unit is not followed beyond the damage by other readers either.
fn is_too_deep(unit: &SliceUnit<'_>) -> bool {
    let Ok(mut raw) = unit.entries_raw(None) else {
        return false;
    };
    while !raw.is_empty() {
        if raw.next_depth() > MAX_NESTING {
            return true;
        }
        match raw.read_abbreviation() {
            Ok(Some(abbrev)) => {
                if raw.skip_attributes(abbrev.attributes()).is_err() {
                    return false;
                }
            }
            Ok(None) => {}
            Err(_) => return false,
        }
    }
    false
}

impl Collected<'_> {
    fn problem(&mut self, text: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(text);
        }
    }
}

/// Adds a definition unless an equal one is there; of equal ones the first unit's stays, whichever thread was faster.
fn keep(list: &mut Vec<Kept>, one: Kept) {
    match list
        .iter_mut()
        .take(MAX_LAYOUTS)
        .find(|k| k.hash == one.hash && (k.flags ^ one.flags) & (DECLARATION | NO_PLACE) == 0)
    {
        Some(same) => {
            if one.unit < same.unit {
                *same = one;
            }
        }
        None => list.push(one),
    }
}

/// Drops declarations where there are definitions, and sorts the rest.
fn prune(kind: NameKind, kept: &mut Vec<Kept>) {
    let weight = |k: &Kept| k.flags & (DECLARATION | NO_PLACE);
    if kept.iter().any(|k| weight(k) == 0) {
        kept.retain(|k| weight(k) == 0);
    } else if kept.iter().any(|k| k.flags & DECLARATION == 0) {
        kept.retain(|k| k.flags & DECLARATION == 0);
    }
    kept.sort_unstable_by_key(|k| (k.unit, k.at));
    if !matches!(kind, NameKind::Function | NameKind::Variable) {
        kept.truncate(MAX_LAYOUTS);
    }
}

#[derive(Default)]
struct Strings {
    bytes: Vec<u8>,
    last: (u32, u32),
}

impl Strings {
    /// Where a string stands. Equal strings that come one after the other share their place.
    fn add(&mut self, text: &[u8]) -> (u32, u32) {
        let (start, len) = (self.last.0 as usize, self.last.1 as usize);
        if !text.is_empty() && self.bytes.get(start..start + len) == Some(text) {
            return self.last;
        }
        let (Ok(start), Ok(len)) = (u32::try_from(self.bytes.len()), u32::try_from(text.len()))
        else {
            return (0, 0);
        };
        self.bytes.extend_from_slice(text);
        self.last = (start, len);
        self.last
    }
}

/// Fills in the header.
fn finish(mut out: Vec<u8>, tables: &[(usize, usize)], fingerprint: &Fingerprint) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER);
    header.extend(MAGIC);
    header.extend(VERSION.to_le_bytes());
    header.extend([0; 4]);
    header.extend((out.len() as u64).to_le_bytes());
    header.extend(fingerprint.bytes());
    let ends = tables.iter().skip(1).map(|t| t.0).chain([out.len()]);
    for (&(start, size), end) in tables.iter().zip(ends) {
        header.extend((start as u64).to_le_bytes());
        header.extend((((end - start) / size) as u64).to_le_bytes());
    }
    if let Some(place) = out.get_mut(..header.len()) {
        place.copy_from_slice(&header);
    }
    let checksum = crc32fast::hash(out.get(16..).unwrap_or_default());
    if let Some(place) = out.get_mut(12..16) {
        place.copy_from_slice(&checksum.to_le_bytes());
    }
    out
}
