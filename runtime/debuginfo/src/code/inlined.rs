//! Copies of functions that the compiler put into others: where each begins, and which one an address is in.

use std::collections::HashMap;

use gimli::AttributeValue;

use crate::demangle::qualified;
use crate::dwarf::{self, EntrySection, Reference};
use crate::error::Result;
use crate::index::Slice;
use crate::lookup::Debug;
use crate::module::Module;
use crate::types::TypeRef;

/// More copies than this are not listed.
const MAX_COPIES: usize = 1 << 22;
/// Ranges of one copy that are read.
const MAX_RANGES: usize = 256;
/// Ranges that are looked at for one address.
const MAX_OVERLAP: usize = 1 << 12;

/// A copy of a function inside another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlinedCopy {
    /// Where its body begins (svma). Arguments are not where a call would put them.
    pub address: u64,
    /// Where that is in the file; `None` where the file does not hold it.
    pub file_offset: Option<u64>,
    /// The function that it is in, by the symbol tables.
    pub within: Option<String>,
    /// The line of the call that it replaces, in the file of that call.
    pub call_line: Option<u32>,
}

struct Copy {
    address: u64,
    call_line: u32,
}

/// All inlined copies of a module.
#[derive(Default)]
pub(crate) struct Inlined {
    copies: Vec<Copy>,
    /// Start, end, the greatest end of this and all before it, index of the copy. Sorted; of equal starts, the outermost first.
    ranges: Vec<(u64, u64, u64, u32)>,
    by_name: HashMap<String, Vec<u32>>,
}

impl Module {
    /// Where copies of a function of that name (with scopes, without parameters) begin in other functions, in the order of addresses.
    /// Reads all entries of the debug information, once.
    ///
    /// # Errors
    /// The debug information is damaged.
    pub fn inlined_copies(&self, name: &str) -> Result<Vec<InlinedCopy>> {
        let inlined = self.inlined()?;
        let numbers = inlined.by_name.get(name);
        let mut copies: Vec<InlinedCopy> = numbers
            .into_iter()
            .flatten()
            .filter_map(|&n| inlined.copies.get(n as usize))
            .filter(|copy| self.holds_code(copy.address))
            .map(|copy| InlinedCopy {
                address: copy.address,
                file_offset: self.offset_of_address(copy.address),
                within: self.function_name(copy.address).map(|(name, _)| name),
                call_line: (copy.call_line != 0).then_some(copy.call_line),
            })
            .collect();
        copies.sort_by_key(|copy| copy.address);
        copies.dedup_by_key(|copy| copy.address);
        Ok(copies)
    }

    pub(super) fn inlined(&self) -> Result<&Inlined> {
        self.inlined_cell()
            .get_or_init(|| match self.debug()? {
                Some(debug) => Inlined::read(debug),
                None => Ok(Inlined::default()),
            })
            .as_ref()
            .map_err(Clone::clone)
    }
}

impl Inlined {
    /// The innermost copy that an address is in, as a number that tells it from others.
    pub(super) fn innermost(&self, address: u64) -> Option<u32> {
        let after = self.ranges.partition_point(|r| r.0 <= address);
        let before = self.ranges.get(..after)?.iter().rev().take(MAX_OVERLAP);
        before
            .take_while(|r| address < r.2)
            .find(|r| address < r.1)
            .map(|r| r.3)
    }

    fn read(debug: &Debug) -> Result<Self> {
        let index = debug.index()?;
        let slices = debug.data()?.sections.slices();
        let deadline = debug.deadline();
        let mut inlined = Inlined::default();
        let mut by_origin: HashMap<TypeRef, Vec<u32>> = HashMap::new();
        for number in 0..index.unit_count() as u32 {
            let Some(row) = index
                .unit(number)
                .filter(|row| row.section == EntrySection::Info)
            else {
                continue;
            };
            if deadline.is_some_and(|d| std::time::Instant::now() > d) {
                return Err(debug.timeout());
            }
            // What is damaged is left out, as it is in the index, which tells so.
            let unit = dwarf::unit_header(&slices, row.section, row.start)
                .and_then(|header| dwarf::unit_without_lines(&slices, header));
            if let Ok(unit) = unit {
                let _ = inlined.read_unit(&slices, &unit, &mut by_origin);
            }
        }
        for (origin, numbers) in by_origin {
            if let Ok(Some(name)) = debug.function_name(origin) {
                let name = qualified(&name).into_owned();
                inlined.by_name.entry(name).or_default().extend(numbers);
            }
        }
        inlined
            .ranges
            .sort_unstable_by_key(|&(start, end, _, number)| {
                (start, std::cmp::Reverse(end), number)
            });
        let mut reach = 0;
        for range in &mut inlined.ranges {
            reach = range.1.max(reach);
            range.2 = reach;
        }
        Ok(inlined)
    }

    fn read_unit(
        &mut self,
        dwarf: &gimli::Dwarf<Slice<'_>>,
        unit: &gimli::Unit<Slice<'_>>,
        by_origin: &mut HashMap<TypeRef, Vec<u32>>,
    ) -> gimli::Result<()> {
        let start = unit.header.offset().0;
        let mut raw = unit.entries_raw(None)?;
        while !raw.is_empty() {
            let at = raw.next_offset();
            let Some(abbrev) = raw.read_abbreviation()? else {
                continue;
            };
            raw.skip_attributes(abbrev.attributes())?;
            if abbrev.tag() != gimli::DW_TAG_inlined_subroutine {
                continue;
            }
            let entry = unit.entry(at)?;
            let origin = entry
                .attr_value(gimli::DW_AT_abstract_origin)
                .and_then(|value| dwarf::reference(EntrySection::Info, start, &value));
            let (Some(Reference::Entry(origin)), Some((address, ranges))) =
                (origin, place(dwarf, unit, &entry))
            else {
                continue;
            };
            let Ok(number) = u32::try_from(self.copies.len()) else {
                return Ok(());
            };
            if self.copies.len() >= MAX_COPIES {
                return Ok(());
            }
            let call_line = entry
                .attr_value(gimli::DW_AT_call_line)
                .and_then(|value| dwarf::unsigned(&value))
                .and_then(|line| u32::try_from(line).ok());
            self.copies.push(Copy {
                address,
                call_line: call_line.unwrap_or(0),
            });
            by_origin.entry(origin).or_default().push(number);
            let ranges = ranges.into_iter().map(|(from, to)| (from, to, 0, number));
            self.ranges.extend(ranges);
        }
        Ok(())
    }
}

type Ranges = Vec<(u64, u64)>;

/// Where a copy begins, and its ranges.
fn place<'a>(
    dwarf: &gimli::Dwarf<Slice<'a>>,
    unit: &gimli::Unit<Slice<'a>>,
    entry: &gimli::DebuggingInformationEntry<Slice<'a>>,
) -> Option<(u64, Ranges)> {
    let address = |value| dwarf.attr_address(unit, value).ok().flatten();
    let mut ranges = Ranges::new();
    let low = entry.attr_value(gimli::DW_AT_low_pc).and_then(address);
    if let Some(value) = entry.attr_value(gimli::DW_AT_ranges) {
        let mut list = dwarf.attr_ranges(unit, value).ok()??;
        while let Ok(Some(range)) = list.next() {
            if range.begin < range.end {
                ranges.push((range.begin, range.end));
            }
            if ranges.len() >= MAX_RANGES {
                break;
            }
        }
    } else if let (Some(low), Some(high)) = (low, entry.attr_value(gimli::DW_AT_high_pc)) {
        let end = match high {
            AttributeValue::Udata(size) => low.checked_add(size),
            value => address(value),
        };
        ranges.extend(end.filter(|&end| low < end).map(|end| (low, end)));
    }
    let first = low.or(ranges.first().map(|r| r.0));
    let begins = match entry.attr_value(gimli::DW_AT_entry_pc) {
        // DWARF 5 allows an offset from the base address.
        Some(value) => match dwarf::unsigned(&value) {
            Some(offset) => first.and_then(|first| first.checked_add(offset)),
            None => address(value),
        },
        None => first,
    };
    Some((begins.or(first)?, ranges))
}
