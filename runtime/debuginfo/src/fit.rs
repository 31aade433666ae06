//! Whether a debug file that the user names belongs to a module, when build-ids cannot prove it.

use object::elf;

use crate::elf::{ElfImage, Section};
use crate::error::{Error, Result};
use crate::locate::has_dwarf;
use crate::symtab::{SymbolKind, SymbolTable, SymbolTableKind};

/// Differences beyond this number are only counted.
const SHOWN: usize = 6;

/// Checks that `debug` describes `module`.
///
/// They fit when the architecture agrees, the code is the same (byte for byte where the debug file has code, else by the addresses
/// and sizes of all loaded sections), and every dynamic symbol of the module has the same address in the debug file's symbol table.
/// Returns warnings for the user, none where the build-ids agree.
///
/// # Errors
/// [`Error::Misfit`] with every difference found.
pub(crate) fn check(module: &ElfImage, debug: &ElfImage) -> Result<Vec<String>> {
    let mut differences = Differences::default();
    let mut bytes = false;
    if (module.machine, module.is_64, module.endian) != (debug.machine, debug.is_64, debug.endian) {
        differences.add(format!(
            "it is for {}, the module for {}",
            debug.machine_name(),
            module.machine_name()
        ));
    } else if !has_dwarf(debug) {
        differences.add("it has no debug information".into());
    } else if module.build_id.is_some() && module.build_id == debug.build_id {
        return Ok(Vec::new());
    } else {
        bytes = compare_code(module, debug, &mut differences);
        compare_symbols(module, debug, &mut differences);
    }
    if differences.list.is_empty() {
        return Ok(vec![format!(
            "{} has {}, {} has {}; it is used because {} and symbols agree",
            debug.path.display(),
            describe_id(debug),
            module.path.display(),
            describe_id(module),
            if bytes { "code" } else { "sections" }
        )]);
    }
    Err(Error::Misfit {
        module: module.path.clone(),
        debug_file: debug.path.clone(),
        differences: differences.finish(),
    })
}

#[derive(Default)]
struct Differences {
    list: Vec<String>,
    more: usize,
}

impl Differences {
    fn add(&mut self, text: String) {
        if self.list.len() < SHOWN {
            self.list.push(text);
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.list.push(format!("and {} more", self.more));
        }
        self.list
    }
}

fn describe_id(image: &ElfImage) -> String {
    image.build_id.as_ref().map_or("no build-id".into(), |id| {
        let hex: String = id.iter().map(|b| format!("{b:02x}")).collect();
        format!("build-id {hex}")
    })
}

fn loaded(image: &ElfImage) -> impl Iterator<Item = (usize, &Section)> {
    image
        .sections
        .iter()
        .enumerate()
        .filter(|(_, s)| s.flags & elf::SHF_ALLOC.0 != 0)
}

/// Compares sections. Returns whether code was compared byte for byte, which a file without code does not allow.
fn compare_code(module: &ElfImage, debug: &ElfImage, differences: &mut Differences) -> bool {
    let mut compared = false;
    let mut bytes = false;
    for (i, section) in loaded(module) {
        // The build-id note may differ by definition; interpreters and notes may be rewritten by packagers.
        if section.kind == elf::SHT_NOTE.0 || section.name == ".interp" {
            continue;
        }
        let Some((j, other)) = loaded(debug).find(|(_, s)| s.name == section.name) else {
            differences.add(format!("it has no section {}", section.name));
            continue;
        };
        if (section.address, section.size) != (other.address, other.size) {
            differences.add(format!(
                "section {} is {:#x} bytes at {:#x} there, {:#x} bytes at {:#x} in the module",
                section.name, other.size, other.address, section.size, section.address
            ));
            continue;
        }
        if section.is_code() {
            compared = true;
            if let (Ok(Some(mine)), Ok(Some(theirs))) = (module.content_at(i), debug.content_at(j))
            {
                bytes = true;
                if let Some(at) = mine.iter().zip(theirs.iter()).position(|(a, b)| a != b) {
                    differences.add(format!(
                        "the code of {} differs at {:#x}",
                        section.name,
                        section.address.saturating_add(at as u64)
                    ));
                }
            }
        }
    }
    if !compared && differences.list.is_empty() {
        differences.add("the module has no section of code to compare".into());
    }
    bytes
}

fn compare_symbols(module: &ElfImage, debug: &ElfImage, differences: &mut Differences) {
    let ours = SymbolTable::read(module, SymbolTableKind::Dynamic);
    let theirs = SymbolTable::read(debug, SymbolTableKind::Static);
    if theirs.is_empty() {
        return;
    }
    for symbol in ours.iter() {
        if symbol.kind == SymbolKind::Untyped || !symbol.global {
            continue;
        }
        let same_name: Vec<_> = theirs
            .by_name(&symbol.name)
            .into_iter()
            .filter(|s| s.global)
            .collect();
        // Several versions of one symbol stand at several addresses; one of them must be ours. A missing one proves nothing.
        if let Some(first) = same_name.first()
            && !same_name.iter().any(|s| s.address == symbol.address)
        {
            differences.add(format!(
                "{} is at {:#x} there, at {:#x} in the module",
                symbol.name, first.address, symbol.address
            ));
        }
    }
}
