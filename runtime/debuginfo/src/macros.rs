//! Macros: `.debug_macro` (DWARF 5 and its GNU predecessor), `.debug_macinfo`, and the list in a types file.
//!
//! All units are read once, when a macro is first asked for. What a unit takes back with `#undef` is left out. A header's macros are
//! imported by many units and read only once.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use gimli::{AttributeValue, MacroEntry};

use crate::dwarf::{self, EntrySection, Files, Purpose, Reader, Sections};
use crate::elf::ElfImage;
use crate::error::{Error, Result};
use crate::index::Index;

/// Macros beyond this number, all units together, are not read.
const MAX_MACROS: usize = 1 << 21;
/// Text of macros beyond this size, in bytes, is not read.
const MAX_TEXT: usize = 1 << 28;
/// Imports within imports beyond this depth are not followed; compilers do not nest them.
const MAX_IMPORTS: usize = 16;
/// Files included within one another beyond this depth are not told apart.
const MAX_FILES: usize = 256;
/// Definitions of one name beyond this number are not told apart.
const MAX_DEFINITIONS: usize = 16;
/// The section of a types file that holds its macros.
pub(crate) const SECTION: &str = ".ytrace.macros";

/// A macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacroDefinition {
    /// The parameters of a function-like macro; a variadic one's last is `...` or ends in it.
    pub parameters: Option<Vec<String>>,
    /// What it stands for, as written.
    pub replacement: String,
    /// The file that defines it, as the compiler recorded it; `None` for the compiler's command line.
    pub file: Option<String>,
    /// The line, from 1; 0 where there is none.
    pub line: u64,
}

/// All macros of a module, by name.
#[derive(Debug, Default)]
pub(crate) struct Macros {
    names: BTreeMap<String, Vec<MacroDefinition>>,
    count: usize,
    text: usize,
}

impl Macros {
    /// Whether a debug file has any macros, which most have not.
    pub fn are_in(image: &ElfImage) -> bool {
        [
            SECTION,
            ".debug_macro",
            ".zdebug_macro",
            ".debug_macinfo",
            ".zdebug_macinfo",
        ]
        .iter()
        .any(|name| image.has_content(name))
    }

    /// Reads the macros of all units.
    pub fn read(files: &Files, index: &Index, deadline: Option<Instant>) -> Result<Self> {
        let main = &files.main;
        let mut macros = Macros::default();
        if let Some(text) = main.content(SECTION)? {
            macros.read_list(&text);
            return Ok(macros);
        }
        let dwarf = Sections::load(main, files.sup.as_deref(), Purpose::Macros)?.shared();
        let mut walk = Walk {
            files,
            dwarf: &dwarf,
            deadline,
            macros: &mut macros,
            imported: HashSet::new(),
            own: HashSet::new(),
            stack: Vec::new(),
        };
        for number in 0..index.unit_count() as u32 {
            if let Some(row) = index
                .unit(number)
                .filter(|row| row.section == EntrySection::Info)
            {
                walk.unit(row.start)?;
            }
        }
        Ok(macros)
    }

    /// The definitions of a name, all different, in the order of the units.
    pub fn find(&self, name: &str) -> &[MacroDefinition] {
        self.names.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// Adds a definition, unless it is known; tells whether it was added.
    fn add(&mut self, text: &str, file: Option<&str>, line: u64) -> Option<String> {
        let (name, parameters, replacement) = split(text)?;
        // Without a file: predefined, or from the command line. The names reserved for the compiler, and the old names of systems
        // (`unix`, `linux`), say nothing about the program.
        let bare = name.starts_with("__") || !name.contains(|c: char| c.is_ascii_uppercase());
        if file.is_none() && bare {
            return None;
        }
        if self.count >= MAX_MACROS || self.text.saturating_add(text.len()) > MAX_TEXT {
            return None;
        }
        let definition = MacroDefinition {
            parameters,
            replacement: replacement.to_owned(),
            file: file.map(str::to_owned),
            line,
        };
        let known = self.names.entry(name.to_owned()).or_default();
        let is_known = known.iter().any(|one| {
            (&one.parameters, &one.replacement) == (&definition.parameters, &definition.replacement)
        });
        if is_known || known.len() >= MAX_DEFINITIONS {
            return None;
        }
        self.count += 1;
        self.text += text.len();
        known.push(definition);
        Some(name.to_owned())
    }

    /// The list of a types file: a line `=FILE` for each file that lines after it are of, and `NUMBER TEXT` for each definition.
    fn read_list(&mut self, text: &[u8]) {
        let mut file: Option<String> = None;
        for line in text.split(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(line);
            if let Some(name) = line.strip_prefix('=') {
                file = Some(name.to_owned()).filter(|name| !name.is_empty());
            } else if let Some((number, text)) = line.split_once(' ') {
                self.add(text, file.as_deref(), number.parse().unwrap_or(0));
            }
        }
    }

    /// The same list, to be written.
    pub fn list(&self) -> String {
        let mut by_file: BTreeMap<&str, Vec<(u64, String)>> = BTreeMap::new();
        for (name, definitions) in &self.names {
            for one in definitions {
                let parameters = match &one.parameters {
                    Some(parameters) => format!("({})", parameters.join(",")),
                    None => String::new(),
                };
                let text = format!("{name}{parameters} {}", one.replacement);
                by_file
                    .entry(one.file.as_deref().unwrap_or_default())
                    .or_default()
                    .push((one.line, text.replace('\n', " ")));
            }
        }
        let mut out = String::new();
        for (file, mut lines) in by_file {
            lines.sort();
            out.push_str(&format!("={}\n", file.replace('\n', " ")));
            for (line, text) in lines {
                out.push_str(&format!("{line} {text}\n"));
            }
        }
        out
    }
}

/// Name, parameters and replacement of `NAME(a,b) text` or `NAME text`.
fn split(text: &str) -> Option<(&str, Option<Vec<String>>, &str)> {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let Some(inside) = rest.strip_prefix('(') else {
        return Some((name, None, rest.trim()));
    };
    let (inside, replacement) = inside.split_once(')')?;
    let parameters = inside
        .split(',')
        .map(|parameter| parameter.trim().to_owned())
        .filter(|parameter| !parameter.is_empty())
        .collect();
    Some((name, Some(parameters), replacement.trim()))
}

/// The walk through the units.
struct Walk<'w> {
    files: &'w Files,
    dwarf: &'w dwarf::Dwarf,
    deadline: Option<Instant>,
    macros: &'w mut Macros,
    /// What was imported before, by offset.
    imported: HashSet<usize>,
    /// Names that the present unit added: only these may it take back.
    own: HashSet<String>,
    /// The files that are being included.
    stack: Vec<Option<String>>,
}

impl Walk<'_> {
    fn unit(&mut self, start: u64) -> Result<()> {
        let fail = |e| self.files.dwarf_error(EntrySection::Info, start, e);
        let header = dwarf::unit_header(self.dwarf, EntrySection::Info, start).map_err(fail)?;
        let root = match dwarf::unit_without_lines(self.dwarf, header.clone()) {
            Ok(unit) => unit,
            // What is wrong with a unit is told where its entries are read.
            Err(_) => return Ok(()),
        };
        let Ok(entry) = root.entry(root.header.root_offset()) else {
            return Ok(());
        };
        let offset = |name| match entry.attr_value(name)? {
            AttributeValue::DebugMacroRef(at) => Some((at.0, true)),
            AttributeValue::DebugMacinfoRef(at) => Some((at.0, false)),
            AttributeValue::SecOffset(at) => Some((at, name != gimli::DW_AT_macro_info)),
            _ => None,
        };
        let at = offset(gimli::DW_AT_macros)
            .or_else(|| offset(gimli::DW_AT_GNU_macros))
            .or_else(|| offset(gimli::DW_AT_macro_info));
        let Some((at, modern)) = at else {
            return Ok(());
        };
        // The names of files are in the line table.
        let unit = self.dwarf.unit(header).unwrap_or(root);
        self.own.clear();
        self.stack.clear();
        // Damage ends a unit's list; what came before it holds.
        let entries = if modern {
            self.dwarf.macros(gimli::DebugMacroOffset(at))
        } else {
            self.dwarf.macinfo(gimli::DebugMacinfoOffset(at))
        };
        match entries {
            Ok(entries) => self.entries(&unit, entries, 0),
            Err(_) => Ok(()),
        }
    }

    fn entries(
        &mut self,
        unit: &dwarf::Unit,
        mut entries: gimli::MacroIter<Reader>,
        depth: usize,
    ) -> Result<()> {
        let mut steps = 0u32;
        while let Ok(Some(entry)) = entries.next() {
            steps = steps.wrapping_add(1);
            if steps.is_multiple_of(1024) && self.deadline.is_some_and(|d| Instant::now() > d) {
                return Err(Error::TooLarge {
                    path: self.files.main.path.clone(),
                    what: "the list of its macros".into(),
                    size: self.macros.len() as u64,
                    limit: MAX_MACROS as u64,
                });
            }
            match entry {
                MacroEntry::Define { line, text } => {
                    let Ok(text) = text.string(unit.unit_ref(self.dwarf)) else {
                        continue;
                    };
                    let bytes = text.bytes();
                    let Some(text) = bytes.get(..bytes.len().min(crate::symtab::MAX_NAME)) else {
                        continue;
                    };
                    let file = self.stack.last().cloned().flatten();
                    let text = String::from_utf8_lossy(text);
                    if let Some(name) = self.macros.add(&text, file.as_deref(), line) {
                        self.own.insert(name);
                    }
                }
                MacroEntry::Undef { name, .. } => {
                    let Ok(name) = name.string(unit.unit_ref(self.dwarf)) else {
                        continue;
                    };
                    let name = String::from_utf8_lossy(name.bytes()).into_owned();
                    if self.own.remove(&name)
                        && let Some(known) = self.macros.names.get_mut(&name)
                        && known.pop().is_some()
                    {
                        self.macros.count -= 1;
                    }
                }
                MacroEntry::StartFile { file, .. } => {
                    if self.stack.len() < MAX_FILES {
                        self.stack.push(file_name(self.dwarf, unit, file));
                    }
                }
                MacroEntry::EndFile => {
                    self.stack.pop();
                }
                MacroEntry::Import { offset } => {
                    if depth < MAX_IMPORTS
                        && self.imported.insert(offset.0)
                        && let Ok(inner) = self.dwarf.macros(offset)
                    {
                        self.entries(unit, inner, depth + 1)?;
                    }
                }
                MacroEntry::ImportSup { .. } | MacroEntry::VendorExt { .. } => {}
            }
        }
        Ok(())
    }
}

fn file_name(dwarf: &dwarf::Dwarf, unit: &dwarf::Unit, file: u64) -> Option<String> {
    let program = unit.line_program.as_ref()?;
    let entry = program.header().file(file)?;
    let name = dwarf.attr_string(unit, entry.path_name()).ok()?;
    let name = name.bytes().get(..name.bytes().len().min(4096))?.to_vec();
    Some(String::from_utf8_lossy(&name).into_owned())
}
