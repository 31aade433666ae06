//! From a line of the source to its code.
//!
//! A line may have code in many places: in each unit that includes its file, in each copy of its function, and within one function in
//! several pieces, since compilers move code. Of the pieces within one function or inlined copy, the first is taken, so that one
//! execution of the line is one hit; the pieces of a loop's head are one line, too.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::dwarf::{self, EntrySection, Purpose, Reader, Sections};
use crate::error::Result;
use crate::module::Module;
use crate::suggest;

/// Files of one unit that are looked at.
const MAX_FILES: usize = 1 << 16;
/// Rows of a line program that are read.
const MAX_ROWS: usize = 1 << 24;
/// Damaged units beyond this number are not told.
const MAX_PROBLEMS: usize = 16;
/// Paths are not longer.
const MAX_PATH: usize = 4 << 10;

/// One place of a line's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePlace {
    /// The path of the source file, as the compiler recorded it.
    pub file: String,
    /// The first instruction of the line here (svma).
    pub address: u64,
    /// Where that is in the file of the module; `None` where the file does not hold it.
    pub file_offset: Option<u64>,
    /// The function that it is in, by the symbol tables.
    pub function: Option<String>,
    /// Whether it is in a copy of its function that was inlined into that one.
    pub inlined: bool,
}

/// What a file and a line stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinePlaces {
    /// Paths of all source files that are meant by the name, sorted. Several are told apart by more of their path.
    pub files: Vec<String>,
    /// The line's places, by file and address.
    pub places: Vec<LinePlace>,
    /// Of a line without code: the nearest lines with code before and after it.
    pub nearest: (Option<u32>, Option<u32>),
    /// Where no file is meant: names that resemble it, best first.
    pub similar: Vec<String>,
    /// What is damaged, and was read as far as it goes.
    pub problems: Vec<String>,
}

impl Module {
    /// The code of a line. `file` is the end of a path, whole components of it.
    ///
    /// # Errors
    /// The debug information cannot be read.
    pub fn line_places(&self, file: &str, line: u32) -> Result<LinePlaces> {
        let Some(debug) = self.debug()? else {
            return Ok(LinePlaces::default());
        };
        let index = debug.index()?;
        let files = &debug.files;
        let sections = Sections::load(&files.main, files.sup.as_deref(), Purpose::Lines)?;
        let dwarf = sections.shared();
        let deadline = debug.deadline();
        let mut search = Search {
            wanted: normal(file),
            line: u64::from(line),
            ..Search::default()
        };
        let mut read = HashSet::new();
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
            let read_unit = dwarf::unit_header(&dwarf, row.section, row.start)
                .and_then(|header| dwarf.unit(header))
                .and_then(|unit| match unit.line_program.clone() {
                    Some(program) if read.insert(program.header().offset().0) => {
                        search.unit(&dwarf, &unit, program)
                    }
                    _ => Ok(()),
                });
            if let Err(error) = read_unit
                && search.problems.len() < MAX_PROBLEMS
            {
                search.problems.push(format!("{}: {error}", row.name));
            }
        }
        self.found(search)
    }

    fn found(&self, search: Search) -> Result<LinePlaces> {
        if search.files.is_empty() {
            let names = search.others.iter().map(String::as_str);
            return Ok(LinePlaces {
                similar: suggest::closest(&search.wanted, names),
                problems: search.problems,
                ..LinePlaces::default()
            });
        }
        let inlined = self.inlined()?;
        let mut first: BTreeMap<(String, Option<u64>, Option<u32>), LinePlace> = BTreeMap::new();
        for (file, address) in search.found {
            if !self.holds_code(address) {
                continue;
            }
            let symbol = self.function_name(address);
            let start = symbol.as_ref().map(|(_, offset)| address - offset);
            let copy = inlined.innermost(address);
            first
                .entry((file.clone(), start, copy))
                .or_insert_with(|| LinePlace {
                    address,
                    file_offset: self.offset_of_address(address),
                    function: symbol.map(|(name, _)| name),
                    inlined: copy.is_some(),
                    file,
                });
        }
        let mut places: Vec<LinePlace> = first.into_values().collect();
        places.sort_by(|a, b| (&a.file, a.address).cmp(&(&b.file, b.address)));
        let nearest = if places.is_empty() {
            search.nearest
        } else {
            (None, None)
        };
        Ok(LinePlaces {
            files: search.files.into_iter().collect(),
            places,
            nearest,
            similar: Vec::new(),
            problems: search.problems,
        })
    }
}

#[derive(Default)]
struct Search {
    wanted: String,
    line: u64,
    files: BTreeSet<String>,
    /// File names that are not meant, to suggest from.
    others: BTreeSet<String>,
    /// In the order of addresses, so that the first of each group is the lowest.
    found: BTreeSet<(String, u64)>,
    nearest: (Option<u32>, Option<u32>),
    problems: Vec<String>,
}

impl Search {
    fn unit(
        &mut self,
        dwarf: &gimli::Dwarf<Reader>,
        unit: &gimli::Unit<Reader>,
        program: gimli::IncompleteLineProgram<Reader>,
    ) -> gimli::Result<()> {
        let header = program.header();
        // Files are numbered from one before DWARF 5, from zero since.
        let base = u64::from(header.version() < 5);
        let mut meant: Vec<(u64, String)> = Vec::new();
        for (number, file) in (base..).zip(header.file_names()).take(MAX_FILES) {
            let path = path_of(dwarf, unit, header, file);
            if is_meant(&path, &self.wanted) {
                meant.push((number, path));
            } else if let Some((_, name)) = path.rsplit_once('/') {
                self.others.insert(name.to_owned());
            }
        }
        if meant.is_empty() {
            return Ok(());
        }
        let mut rows = program.rows();
        let mut count = 0;
        while let Some((_, row)) = rows.next_row()? {
            count += 1;
            if count > MAX_ROWS {
                break;
            }
            let Some(line) = row.line().map(std::num::NonZeroU64::get) else {
                continue;
            };
            if row.end_sequence() || !row.is_stmt() {
                continue;
            }
            let Some((_, path)) = meant.iter().find(|(n, _)| *n == row.file_index()) else {
                continue;
            };
            self.files.insert(path.clone());
            if line == self.line {
                self.found.insert((path.clone(), row.address()));
            } else {
                self.note(line);
            }
        }
        Ok(())
    }

    /// Remembers the nearest lines with code.
    fn note(&mut self, line: u64) {
        let Ok(number) = u32::try_from(line) else {
            return;
        };
        let (before, after) = &mut self.nearest;
        if line < self.line {
            *before = Some(before.map_or(number, |b| b.max(number)));
        } else {
            *after = Some(after.map_or(number, |a| a.min(number)));
        }
    }
}

/// The whole path of a file, with `.` and `..` taken out.
fn path_of(
    dwarf: &gimli::Dwarf<Reader>,
    unit: &gimli::Unit<Reader>,
    header: &gimli::LineProgramHeader<Reader>,
    file: &gimli::FileEntry<Reader>,
) -> String {
    let text = |value| {
        let bytes = dwarf.attr_string(unit, value).ok()?;
        let bytes = bytes.bytes();
        let bytes = bytes.get(..bytes.len().min(MAX_PATH))?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    };
    let mut path = String::new();
    let mut add = |part: Option<String>| match part {
        Some(part) if part.starts_with('/') => path = part,
        Some(part) if path.is_empty() => path = part,
        Some(part) => {
            path.push('/');
            path.push_str(&part);
        }
        None => {}
    };
    let own = unit.comp_dir.as_ref().map(|dir| {
        let bytes = dir.bytes();
        let bytes = bytes.get(..bytes.len().min(MAX_PATH)).unwrap_or(bytes);
        String::from_utf8_lossy(bytes).into_owned()
    });
    add(own);
    add(file.directory(header).and_then(text));
    add(text(file.path_name()));
    normal(&path)
}

fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let absolute = path.starts_with('/');
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if absolute {
        format!("/{joined}")
    } else {
        joined
    }
}

fn is_meant(path: &str, wanted: &str) -> bool {
    !wanted.is_empty()
        && path
            .strip_suffix(wanted)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('/') || wanted.starts_with('/'))
        && (!wanted.starts_with('/') || path == wanted)
}

#[cfg(test)]
mod tests {
    use super::{is_meant, normal};

    #[test]
    fn paths() {
        assert_eq!(normal("/a/./b/../c.c"), "/a/c.c");
        assert_eq!(normal("../a//b.c"), "../a/b.c");
        assert_eq!(normal("/../a"), "/a");
        for (path, wanted, meant) in [
            ("/src/event/ngx_event.c", "ngx_event.c", true),
            ("/src/event/ngx_event.c", "event/ngx_event.c", true),
            ("/src/event/ngx_event.c", "vent/ngx_event.c", false),
            ("/src/event/ngx_event.c", "event.c", false),
            ("/src/event/ngx_event.c", "/src/event/ngx_event.c", true),
            ("/src/event/ngx_event.c", "/event/ngx_event.c", false),
            ("a.c", "a.c", true),
            ("a.c", "", false),
        ] {
            assert_eq!(is_meant(path, wanted), meant, "{path} {wanted}");
        }
    }
}
