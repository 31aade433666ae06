//! The modules of a program: its executable, its shared libraries and the vDSO, as mapped.
//!
//! The dynamic linker's own list (`struct link_map`, `link.h`) gives their order and the exact load bias; it is read from
//! the target's memory and so checked and bounded at each step. Where it cannot be had, the order is that of addresses.

use std::collections::HashSet;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;

use crate::error::ReadError;
use crate::maps::{Mapping, MappingKind, Maps};
use crate::memory::AddressSpace;

/// The most entries of the dynamic linker's list that are followed.
const MAX_LINKS: usize = 16_384;
/// The most entries of a dynamic section that are looked at.
pub(crate) const MAX_DYNAMIC: usize = 512;
/// The most program headers that are looked at.
const MAX_PROGRAM_HEADERS: u64 = 512;
/// The most namespaces (`dlmopen`) that are followed.
const MAX_NAMESPACES: usize = 64;

pub(crate) const AT_PHDR: u64 = 3;
pub(crate) const AT_PHENT: u64 = 4;
pub(crate) const AT_PHNUM: u64 = 5;
const AT_BASE: u64 = 7;
pub(crate) const PT_DYNAMIC: u32 = 2;
const PT_PHDR: u32 = 6;
pub(crate) const DT_DEBUG: u64 = 21;
/// The size of a 64-bit program header.
pub(crate) const PROGRAM_HEADER_SIZE: u64 = 56;

/// What a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleKind {
    /// A file: the executable or a shared library.
    File,
    /// The kernel's shared library; its bytes are only in memory.
    Vdso,
}

/// A file that is mapped to be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// What it is.
    pub kind: ModuleKind,
    /// The path as the process's mount namespace has it.
    pub path: PathBuf,
    /// Whether the file has been deleted or replaced since.
    pub deleted: bool,
    /// Its mappings of the file, ascending. A mapping's `start`, less the virtual address that the program headers give for
    /// its `offset`, is the load bias.
    pub mappings: Vec<Mapping>,
    /// The anonymous mapping right after them, if there is one: what of the zeroed data (`.bss`) lies beyond the file's last
    /// page. It may go on with memory that is not the module's.
    pub zeroed: Option<Range<u64>>,
    /// The load bias as the dynamic linker tells it (`l_addr`), where it is in its list: address in memory less virtual
    /// address in the file, modulo 2^64.
    pub load_bias: Option<u64>,
    /// The address of its entry in the dynamic linker's list (`struct link_map`), where it has one.
    pub link: Option<u64>,
    /// Whether it is the executable, as far as that can be told.
    pub main: bool,
}

impl Module {
    /// The lowest address of its mappings.
    pub fn start(&self) -> u64 {
        self.mappings.first().map_or(0, |mapping| mapping.start)
    }

    /// The first address after the last of its mappings; other things may lie between.
    pub fn end(&self) -> u64 {
        self.mappings.last().map_or(0, |mapping| mapping.end)
    }
}

/// Through what a module's file was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleFileSource {
    /// `/proc/PID/map_files`: the very file.
    MapFiles,
    /// The path under `/proc/PID/root`, where the inode agreed.
    Root,
    /// The path under our own root, where the inode agreed.
    Path,
    /// `/proc/PID/exe`.
    Exe,
}

/// The open file behind a mapping.
#[derive(Debug)]
pub struct ModuleFile {
    /// The file, open for reading.
    pub file: File,
    /// Through what it was opened.
    pub source: ModuleFileSource,
}

/// What the dynamic linker's list tells of one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// `l_addr`.
    bias: u64,
    /// `l_name`: where its path stands.
    pub(crate) name: u64,
    /// `l_ld`: the address of its dynamic section.
    pub(crate) dynamic: u64,
    /// Where the entry itself is.
    address: u64,
}

impl Module {
    /// Finds the modules of a program in its mappings, in the order of the dynamic linker's list where it can be read, with
    /// those that are not in the list after it. `auxv` is the content of `/proc/PID/auxv`, or empty.
    pub fn find_all<S: AddressSpace + ?Sized>(space: &mut S, auxv: &[u8]) -> Vec<Module> {
        let maps = space.mappings();
        let main = auxiliary_value(auxv, AT_PHDR);
        let mut links = match main {
            Some(headers) if auxiliary_value(auxv, AT_PHENT) == Some(PROGRAM_HEADER_SIZE) => {
                let count = auxiliary_value(auxv, AT_PHNUM).unwrap_or(0);
                read_links(space, headers, count).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let mut modules = group(&maps);
        // A loader that was started as a program has no list of its own: the program that it loaded leads to it.
        for module in &modules {
            if !links.is_empty() || main.is_none() {
                break;
            }
            if let Ok(Some((headers, count))) = read_elf_header(space, module.start()) {
                links = read_links(space, headers, count).unwrap_or_default();
            }
        }
        for module in &mut modules {
            module.main = main
                .is_some_and(|headers| module.mappings.iter().any(|part| part.contains(headers)));
        }
        modules.retain(|module| {
            let executable = module.mappings.iter().any(|part| part.permissions.execute);
            let linked = links
                .iter()
                .any(|link| module.start() <= link.dynamic && link.dynamic < module.end());
            executable || linked || module.main || module.kind == ModuleKind::Vdso
        });
        let mut ordered = Vec::with_capacity(modules.len());
        for link in &links {
            let found = modules.iter().position(|module| {
                module
                    .mappings
                    .iter()
                    .any(|part| part.contains(link.dynamic))
                    || (module.start() <= link.dynamic && link.dynamic < module.end())
            });
            if let Some(mut module) = found.map(|index| modules.remove(index)) {
                module.load_bias = Some(link.bias);
                module.link = Some(link.address);
                ordered.push(module);
            }
        }
        // The executable stands first even without a list.
        modules.sort_by_key(|module| (!module.main, module.start()));
        if ordered.is_empty() {
            return modules;
        }
        ordered.extend(modules);
        ordered
    }
}

/// Groups mappings by file. The same file mapped twice, as `dlmopen` does, starts anew where the offset falls back.
fn group(maps: &Maps) -> Vec<Module> {
    let mut modules: Vec<Module> = Vec::new();
    for mapping in maps.as_slice() {
        let kind = match mapping.kind {
            MappingKind::File if mapping.inode != 0 => ModuleKind::File,
            // Code may be run from a memfd.
            MappingKind::SharedMemory if mapping.permissions.execute || mapping.deleted => {
                ModuleKind::File
            }
            MappingKind::Vdso => ModuleKind::Vdso,
            _ => continue,
        };
        let same = modules.iter_mut().rev().take(8).find(|module| {
            module.mappings.last().is_some_and(|last| {
                (last.inode, last.device) == (mapping.inode, mapping.device)
                    && last.path == mapping.path
                    && last.offset <= mapping.offset
            })
        });
        match same {
            Some(module) => module.mappings.push(mapping.clone()),
            None => modules.push(Module {
                kind,
                path: mapping.path.clone().unwrap_or_default(),
                deleted: mapping.deleted,
                mappings: vec![mapping.clone()],
                zeroed: None,
                load_bias: None,
                link: None,
                main: false,
            }),
        }
    }
    for module in &mut modules {
        let end = module.end();
        let after = maps.find(end);
        module.zeroed = after
            .filter(|after| after.start == end && after.kind == MappingKind::Anonymous)
            .map(Mapping::range);
    }
    modules
}

/// The value of an entry of the auxiliary vector (getauxval(3)).
pub(crate) fn auxiliary_value(auxv: &[u8], wanted: u64) -> Option<u64> {
    for pair in auxv.chunks_exact(16).take(256) {
        let (key, value) = pair.split_at_checked(8)?;
        let key = u64::from_ne_bytes(key.try_into().ok()?);
        if key == wanted {
            return value.try_into().ok().map(u64::from_ne_bytes);
        }
        if key == 0 {
            break;
        }
    }
    None
}

fn read_words<const COUNT: usize, S: AddressSpace + ?Sized>(
    space: &mut S,
    address: u64,
) -> Result<[u64; COUNT], ReadError> {
    let mut bytes = vec![0u8; COUNT * 8];
    space.read(address, &mut bytes)?;
    let mut words = [0u64; COUNT];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = chunk.try_into().map_or(0, u64::from_ne_bytes);
    }
    Ok(words)
}

/// Where the program headers of the 64-bit ELF file that is mapped at `start` are, and how many.
fn read_elf_header<S: AddressSpace + ?Sized>(
    space: &mut S,
    start: u64,
) -> Result<Option<(u64, u64)>, ReadError> {
    // e_ident, type to version, e_entry, e_phoff, e_shoff, e_flags to e_phentsize, e_phnum to e_shstrndx.
    let [ident, _, _, _, offset, _, sizes, counts]: [u64; 8] = read_words(space, start)?;
    let elf64 = ident.to_ne_bytes().starts_with(b"\x7fELF\x02");
    if !elf64 || sizes >> 48 != PROGRAM_HEADER_SIZE {
        return Ok(None);
    }
    Ok(Some((start.wrapping_add(offset), counts & 0xffff)))
}

/// Whether the dynamic linker has loaded and relocated all libraries that a program is started with; also if there is no
/// dynamic linker, or one that tells nothing. `auxv` is the content of `/proc/PID/auxv`.
pub(crate) fn is_loaded<S: AddressSpace + ?Sized>(space: &mut S, auxv: &[u8]) -> bool {
    let interpreted = auxiliary_value(auxv, AT_BASE).is_some_and(|base| base != 0);
    let headers = auxiliary_value(auxv, AT_PHDR);
    let (true, Some(headers)) = (interpreted, headers) else {
        return true;
    };
    let count = auxiliary_value(auxv, AT_PHNUM).unwrap_or(0);
    match read_debug(space, headers, count) {
        // Without such an entry it never tells.
        Ok(None) => true,
        Ok(Some(0)) => false,
        // struct r_debug: r_version, r_map, r_brk, r_state. The state is RT_CONSISTENT before and after, RT_ADD meanwhile.
        Ok(Some(debug)) => read_words::<4, S>(space, debug)
            .is_ok_and(|[_, first, _, state]| first != 0 && state as u32 == 0),
        Err(_) => false,
    }
}

/// The address of the instruction that the dynamic linker comes to whenever its list changes (`r_brk`): first when it begins to, then
/// when the list is whole again, before it relocates what it has loaded and runs its initialisation. `auxv` is the content of
/// `/proc/PID/auxv`. `None` if there is no dynamic linker, or one that tells nothing.
pub fn link_map_notifier<S: AddressSpace + ?Sized>(space: &mut S, auxv: &[u8]) -> Option<u64> {
    let headers = auxiliary_value(auxv, AT_PHDR)?;
    let count = auxiliary_value(auxv, AT_PHNUM)?;
    let debug = read_debug(space, headers, count).ok()?;
    // struct r_debug: r_version, r_map, r_brk.
    let [_, _, notifier] = read_words::<3, S>(space, debug.filter(|debug| *debug != 0)?).ok()?;
    (notifier != 0).then_some(notifier)
}

/// Follows program headers → dynamic section → `r_debug` → `link_map`. 64-bit programs only.
pub(crate) fn read_links<S: AddressSpace + ?Sized>(
    space: &mut S,
    headers: u64,
    count: u64,
) -> Result<Vec<Link>, ReadError> {
    let mut debug = read_debug(space, headers, count)?.unwrap_or(0);
    let mut links = Vec::new();
    let mut seen = HashSet::new();
    for _ in 0..MAX_NAMESPACES {
        if debug == 0 || !seen.insert(debug) {
            break;
        }
        // struct r_debug: r_version, r_map, r_brk, r_state, r_ldbase; version 2 adds r_next.
        let [version, first, _, _, _]: [u64; 5] = read_words(space, debug)?;
        let version = version as u32;
        follow(space, first, &mut links, &mut seen);
        debug = if version >= 2 {
            read_words::<1, S>(space, debug.wrapping_add(40)).map_or(0, |[next]| next)
        } else {
            0
        };
    }
    Ok(links)
}

/// The value of `DT_DEBUG` (the address of `r_debug`, 0 until the dynamic linker has set it), if the program has such an entry.
fn read_debug<S: AddressSpace + ?Sized>(
    space: &mut S,
    headers: u64,
    count: u64,
) -> Result<Option<u64>, ReadError> {
    let count = count.min(MAX_PROGRAM_HEADERS);
    let (mut bias, mut dynamic) = (0u64, None);
    for index in 0..count {
        // p_type and p_flags share the first word; p_vaddr is the third, p_memsz the sixth.
        let header: [u64; 7] =
            read_words(space, headers.wrapping_add(index * PROGRAM_HEADER_SIZE))?;
        let [kind, _, address, _, _, size, _] = header;
        match kind as u32 {
            PT_PHDR => bias = headers.wrapping_sub(address),
            PT_DYNAMIC => dynamic = Some((address, size)),
            _ => {}
        }
    }
    let Some((address, size)) = dynamic else {
        return Ok(None);
    };
    let start = address.wrapping_add(bias);
    for index in 0..(size / 16).min(MAX_DYNAMIC as u64) {
        let [tag, value]: [u64; 2] = read_words(space, start.wrapping_add(index * 16))?;
        match tag {
            DT_DEBUG => return Ok(Some(value)),
            0 => break,
            _ => {}
        }
    }
    Ok(None)
}

/// Follows one list; what was read before an error is kept.
fn follow<S: AddressSpace + ?Sized>(
    space: &mut S,
    first: u64,
    links: &mut Vec<Link>,
    seen: &mut HashSet<u64>,
) {
    let mut link = first;
    while link != 0 && links.len() < MAX_LINKS && seen.insert(link) {
        // struct link_map: l_addr, l_name, l_ld, l_next, l_prev.
        let Ok([bias, name, dynamic, next]) = read_words::<4, S>(space, link) else {
            return;
        };
        if space.mapping_at(dynamic).is_some() {
            links.push(Link {
                bias,
                name,
                dynamic,
                address: link,
            });
        }
        link = next;
    }
}
