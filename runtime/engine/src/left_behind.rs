//! Breakpoints in the text of a process that its files have not: of a tracer or of the kernel's probes, maybe left behind by one that
//! was killed.

use std::fs::File;
use std::os::unix::fs::FileExt;

use ytrace_target::{AddressSpace, ModuleKind};

use crate::names::Names;

/// `int3` of x86-64, which debuggers and the kernel's probes alike put into the text.
const BREAKPOINT: u8 = 0xcc;
/// So much is compared at a time.
const CHUNK: usize = 1 << 20;
/// The most text that is compared.
const MOST_TEXT: u64 = 1 << 30;
/// The most that are told.
pub(crate) const MOST: usize = 1 << 10;

/// Whether a breakpoint stands at an address of which the file has another instruction at an offset. What cannot be read has none that
/// is known.
pub(crate) fn stands_at(
    memory: &mut dyn AddressSpace,
    address: u64,
    file: &File,
    offset: u64,
) -> bool {
    let (mut there, mut own) = ([0; 1], [0; 1]);
    let read = memory.read(address, &mut there).is_ok();
    read && there == [BREAKPOINT]
        && file.read_exact_at(&mut own, offset).is_ok()
        && own != [BREAKPOINT]
}

/// Where breakpoints stand in the text of all modules, [`MOST`] of them at most. What cannot be read is left out.
pub(crate) fn find(names: &Names, memory: &mut dyn AddressSpace) -> Vec<u64> {
    let mut found = Vec::new();
    let mut left = MOST_TEXT;
    let (mut there, mut own) = (vec![0; CHUNK], vec![0; CHUNK]);
    for (index, module) in names.modules().iter().enumerate() {
        if module.gone || module.mapped.kind != ModuleKind::File {
            continue;
        }
        let Ok(file) = names.file(index) else {
            continue;
        };
        let mappings = module.mapped.mappings.iter();
        for mapping in mappings.filter(|mapping| mapping.permissions.execute) {
            let mut at = 0;
            while at < mapping.len() && left > 0 && found.len() < MOST {
                let length = (mapping.len() - at).min(CHUNK as u64).min(left);
                let length_here = usize::try_from(length).unwrap_or(CHUNK);
                let (Some(there), Some(own)) =
                    (there.get_mut(..length_here), own.get_mut(..length_here))
                else {
                    break;
                };
                let address = mapping.start.saturating_add(at);
                let offset = mapping.offset.saturating_add(at);
                let read =
                    memory.read(address, there).is_ok() && file.read_exact_at(own, offset).is_ok();
                if read && there != own {
                    let differ = (address..).zip(there.iter().zip(own.iter()));
                    let standing =
                        differ.filter(|(_, (now, file))| **now == BREAKPOINT && now != file);
                    found.extend(standing.map(|(address, _)| address));
                }
                at = at.saturating_add(length);
                left = left.saturating_sub(length);
            }
        }
    }
    found.truncate(MOST);
    found
}
