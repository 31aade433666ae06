//! ELF symbol tables: look-up by name (with versions) and by address. Built when first asked for.

use std::collections::HashMap;
use std::sync::OnceLock;

use object::Endianness;
use object::SymbolIndex;
use object::elf;
use object::read::elf::{FileHeader, VersionTable};

use crate::elf::ElfImage;
use crate::mapping::SharedBytes;

/// A table with more symbols than this is cut off.
const MAX_SYMBOLS: usize = 1 << 24;
/// Names longer than this are cut off (mangled names of C++ templates reach several kilobytes).
pub(crate) const MAX_NAME: usize = 16 << 10;

/// What a symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SymbolKind {
    /// A function (`STT_FUNC`).
    Function,
    /// A function whose address is chosen by a resolver at load time (`STT_GNU_IFUNC`); the address is the resolver's.
    IndirectFunction,
    /// A variable (`STT_OBJECT`, `STT_COMMON`).
    Object,
    /// A thread-local variable (`STT_TLS`); the address is an offset in the module's thread-local segment.
    ThreadLocal,
    /// A label of assembly code or another symbol without a type (`STT_NOTYPE`).
    Untyped,
}

/// Which table a symbol stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SymbolTableKind {
    /// `.symtab`, which strip removes.
    Static,
    /// `.dynsym`, which every shared library keeps.
    Dynamic,
}

/// A defined symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// The name as the linker knows it (mangled), without version.
    pub name: String,
    /// The version, where the symbol has one, and whether it is the default (`@@`).
    pub version: Option<(String, bool)>,
    /// Address in the module's own address space (svma); for thread-local variables an offset.
    pub address: u64,
    /// Size in bytes; zero where the table does not tell.
    pub size: u64,
    /// What it stands for.
    pub kind: SymbolKind,
    /// Visible to other modules or units (global or weak).
    pub global: bool,
    /// Which table it stands in.
    pub table: SymbolTableKind,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    name_start: u32,
    name_len: u32,
    version: u16,
    default_version: bool,
    kind: SymbolKind,
    global: bool,
    address: u64,
    size: u64,
}

/// One symbol table with its names.
#[derive(Debug)]
pub(crate) struct SymbolTable {
    table: SymbolTableKind,
    strings: SharedBytes,
    versions: Vec<String>,
    entries: Vec<Entry>,
    by_name: OnceLock<HashMap<u64, Vec<u32>, std::hash::BuildHasherDefault<NoHash>>>,
    by_address: OnceLock<Vec<u32>>,
}

impl SymbolTable {
    /// Reads `.symtab` or `.dynsym` of an image; an empty table where it has none or a damaged one.
    pub fn read(image: &ElfImage, table: SymbolTableKind) -> Self {
        let wanted = match table {
            SymbolTableKind::Static => elf::SHT_SYMTAB.0,
            SymbolTableKind::Dynamic => elf::SHT_DYNSYM.0,
        };
        let empty = || SymbolTable {
            table,
            strings: SharedBytes::from_vec(Vec::new()),
            versions: Vec::new(),
            entries: Vec::new(),
            by_name: OnceLock::new(),
            by_address: OnceLock::new(),
        };
        let Some(index) = image.sections.iter().position(|s| s.kind == wanted) else {
            return empty();
        };
        let strings = image
            .sections
            .get(index)
            .and_then(|s| image.content_at(s.link as usize).ok().flatten());
        let (Ok(Some(data)), Some(strings)) = (image.content_at(index), strings) else {
            return empty();
        };
        let versions = match table {
            SymbolTableKind::Static => Versions::default(),
            SymbolTableKind::Dynamic => Versions::read(image),
        };
        let entry_size = if image.is_64 { 24 } else { 16 };
        let entries = data
            .chunks_exact(entry_size)
            .take(MAX_SYMBOLS)
            .enumerate()
            .filter_map(|(i, raw)| {
                let mut entry = read_entry(raw, image.is_64, image.endian, &strings)?;
                if let Some(&(version, default)) = versions.of_symbol.get(i) {
                    entry.version = version;
                    entry.default_version = default;
                }
                Some(entry)
            })
            .collect();
        SymbolTable {
            table,
            strings,
            versions: versions.names,
            entries,
            by_name: OnceLock::new(),
            by_address: OnceLock::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.entries.iter().map(|e| self.symbol(e))
    }

    /// The symbols whose kind and name (without version) satisfy `wanted`.
    pub fn select(&self, wanted: impl Fn(SymbolKind, &[u8]) -> bool) -> Vec<Symbol> {
        self.entries
            .iter()
            .filter(|e| wanted(e.kind, split_version(self.raw_name(e)).0))
            .map(|e| self.symbol(e))
            .collect()
    }

    /// Names of all symbols that satisfy `wanted`, without versions.
    pub fn names(&self, wanted: impl Fn(SymbolKind) -> bool) -> impl Iterator<Item = &str> {
        self.entries
            .iter()
            .filter(move |e| wanted(e.kind))
            .filter_map(|e| std::str::from_utf8(split_version(self.raw_name(e)).0).ok())
    }

    /// All symbols of that name. `name` may carry a version (`foo@V` or `foo@@V`); without one, default versions come first.
    pub fn by_name(&self, name: &str) -> Vec<Symbol> {
        let (bare, wanted) = split_version(name.as_bytes());
        let map = self.by_name.get_or_init(|| {
            let mut map: HashMap<u64, Vec<u32>, _> = HashMap::default();
            for (i, entry) in self.entries.iter().enumerate() {
                let key = name_hash(split_version(self.raw_name(entry)).0);
                map.entry(key).or_default().push(i as u32);
            }
            map
        });
        let mut found: Vec<Symbol> = map
            .get(&name_hash(bare))
            .into_iter()
            .flatten()
            .filter_map(|&i| self.entries.get(i as usize))
            .filter(|e| split_version(self.raw_name(e)).0 == bare)
            .map(|e| self.symbol(e))
            .filter(|s| match wanted {
                None => true,
                Some((version, _)) => s
                    .version
                    .as_ref()
                    .is_some_and(|(v, _)| v.as_bytes() == version),
            })
            .collect();
        found.sort_by_key(|s| {
            let old = s.version.as_ref().is_some_and(|(_, default)| !default);
            (old, !s.global)
        });
        found
    }

    /// The symbol that covers `address`, or, for symbols without a size, the nearest one before it that `accept`s.
    pub fn by_address(&self, address: u64, accept: impl Fn(SymbolKind) -> bool) -> Option<Symbol> {
        let order = self.order();
        let end = order.partition_point(|&i| {
            self.entries
                .get(i as usize)
                .is_some_and(|e| e.address <= address)
        });
        let mut best: Option<&Entry> = None;
        // Symbols that start before the address but end before it too may hide a larger one that covers it; look back a little.
        for &i in order.get(..end)?.iter().rev().take(64) {
            let Some(entry) = self.entries.get(i as usize).filter(|e| accept(e.kind)) else {
                continue;
            };
            let covers = address - entry.address < entry.size;
            let unsized_label = entry.size == 0 && entry.kind != SymbolKind::Object;
            if !covers && !unsized_label {
                continue;
            }
            let Some(previous) = best else {
                best = Some(entry);
                continue;
            };
            let previous_covers = previous.size != 0;
            if entry.address == previous.address || (covers && !previous_covers) {
                // Of several names for one place, the one that people write: with the fewest leading underscores, then the shortest
                // (`free`, not `cfree` nor `__libc_free`).
                let rank = |e: &Entry| {
                    let name = self.raw_name(e);
                    let underscores = name.iter().take_while(|byte| **byte == b'_').count();
                    let plain = std::cmp::Reverse((underscores, name.len()));
                    (e.size != 0, e.global, e.kind != SymbolKind::Untyped, plain)
                };
                if rank(entry) > rank(previous) {
                    best = Some(entry);
                }
            }
        }
        best.map(|e| self.symbol(e))
    }

    /// Indices of all symbols with an address, in the order of addresses.
    fn order(&self) -> &[u32] {
        self.by_address.get_or_init(|| {
            let mut order: Vec<u32> = (0..self.entries.len() as u32)
                .filter(|&i| {
                    self.entries
                        .get(i as usize)
                        .is_some_and(|e| e.kind != SymbolKind::ThreadLocal)
                })
                .collect();
            order.sort_by_key(|&i| self.entries.get(i as usize).map(|e| e.address));
            order
        })
    }

    /// The symbols that start exactly at `address`.
    pub fn at(&self, address: u64) -> Vec<Symbol> {
        let entry = |i: &u32| self.entries.get(*i as usize);
        let order = self.order();
        let first = order.partition_point(|i| entry(i).is_some_and(|e| e.address < address));
        order
            .get(first..)
            .unwrap_or_default()
            .iter()
            .map_while(|i| entry(i).filter(|e| e.address == address))
            .take(64)
            .map(|e| self.symbol(e))
            .collect()
    }

    fn raw_name(&self, entry: &Entry) -> &[u8] {
        let start = entry.name_start as usize;
        self.strings
            .get(start..start.saturating_add(entry.name_len as usize))
            .unwrap_or_default()
    }

    fn symbol(&self, entry: &Entry) -> Symbol {
        let (name, suffix) = split_version(self.raw_name(entry));
        let version = match suffix {
            Some((version, default)) => {
                Some((String::from_utf8_lossy(version).into_owned(), default))
            }
            None => self
                .versions
                .get(usize::from(entry.version))
                .filter(|v| !v.is_empty())
                .map(|v| (v.clone(), entry.default_version)),
        };
        Symbol {
            name: String::from_utf8_lossy(name).into_owned(),
            version,
            address: entry.address,
            size: entry.size,
            kind: entry.kind,
            global: entry.global,
            table: self.table,
        }
    }
}

/// Splits `foo@@V` into `foo` and (`V`, default). `.symtab` of glibc keeps versions in the names themselves.
fn split_version(name: &[u8]) -> (&[u8], Option<(&[u8], bool)>) {
    let Some(at) = name.iter().position(|&b| b == b'@').filter(|&at| at > 0) else {
        return (name, None);
    };
    let (bare, rest) = name.split_at(at);
    match rest {
        [b'@', b'@', version @ ..] => (bare, Some((version, true))),
        [b'@', version @ ..] => (bare, Some((version, false))),
        _ => (name, None),
    }
}

fn read_entry(raw: &[u8], is_64: bool, endian: Endianness, strings: &[u8]) -> Option<Entry> {
    let number = |at: usize, len: usize| -> Option<u64> {
        let bytes = raw.get(at..at + len)?;
        let fold = |acc: u64, b: &u8| acc << 8 | u64::from(*b);
        Some(match endian {
            Endianness::Little => bytes.iter().rev().fold(0, fold),
            Endianness::Big => bytes.iter().fold(0, fold),
        })
    };
    let (name, info, section, address, size) = if is_64 {
        (
            number(0, 4)?,
            number(4, 1)?,
            number(6, 2)?,
            number(8, 8)?,
            number(16, 8)?,
        )
    } else {
        (
            number(0, 4)?,
            number(12, 1)?,
            number(14, 2)?,
            number(4, 4)?,
            number(8, 4)?,
        )
    };
    let kind = match elf::SymbolType((info & 0xf) as u8) {
        elf::STT_FUNC => SymbolKind::Function,
        elf::STT_GNU_IFUNC => SymbolKind::IndirectFunction,
        elf::STT_OBJECT | elf::STT_COMMON => SymbolKind::Object,
        elf::STT_TLS => SymbolKind::ThreadLocal,
        elf::STT_NOTYPE => SymbolKind::Untyped,
        _ => return None,
    };
    // Undefined symbols and absolute ones (versions, file names) stand for nothing in this module.
    if section == u64::from(elf::SHN_UNDEF.0) || section == u64::from(elf::SHN_ABS.0) {
        return None;
    }
    let start = usize::try_from(name).ok()?;
    let tail = strings.get(start..)?;
    let tail = tail.get(..tail.len().min(MAX_NAME))?;
    let len = tail.iter().position(|&b| b == 0)?;
    if len == 0 {
        return None;
    }
    Some(Entry {
        name_start: u32::try_from(start).ok()?,
        name_len: len as u32,
        version: 0,
        default_version: false,
        kind,
        global: info >> 4 != 0,
        address,
        size,
    })
}

#[derive(Default)]
struct Versions {
    /// By version index; empty where an index is unused.
    names: Vec<String>,
    /// By symbol index: version index, and whether it is the default one.
    of_symbol: Vec<(u16, bool)>,
}

impl Versions {
    fn read(image: &ElfImage) -> Self {
        let read = if image.is_64 {
            Self::read_class::<elf::FileHeader64<Endianness>>(image)
        } else {
            Self::read_class::<elf::FileHeader32<Endianness>>(image)
        };
        // A damaged version section costs the versions, not the symbols.
        read.unwrap_or_default()
    }

    fn read_class<Elf: FileHeader<Endian = Endianness>>(image: &ElfImage) -> Option<Self> {
        let data: &[u8] = &image.data;
        let header = Elf::parse(data).ok()?;
        let sections = header.sections(image.endian, data).ok()?;
        let table: VersionTable<'_, Elf> = sections.versions(image.endian, data).ok()??;
        let count = image
            .sections
            .iter()
            .find(|s| s.kind == elf::SHT_GNU_VERSYM.0)
            .map_or(0, |s| (s.size / 2).min(MAX_SYMBOLS as u64) as usize);
        let mut names = Vec::new();
        let mut of_symbol = Vec::with_capacity(count.min(1 << 20));
        for i in 0..count {
            let index = table.version_index(image.endian, SymbolIndex(i));
            let number = index.index().0;
            if let Ok(Some(version)) = table.version(index.index()) {
                let slot = usize::from(number);
                if names.len() <= slot {
                    names.resize(slot + 1, String::new());
                }
                if let Some(name) = names.get_mut(slot).filter(|n| n.is_empty()) {
                    let bytes = version.name();
                    *name =
                        String::from_utf8_lossy(bytes.get(..bytes.len().min(256)).unwrap_or(bytes))
                            .into_owned();
                }
            }
            of_symbol.push((number, !index.is_hidden()));
        }
        Some(Versions { names, of_symbol })
    }
}

/// FNV-1a with 64 bits; names are short, and an adversary gains nothing but a slower look-up in their own file.
pub(crate) fn name_hash(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &b| {
        (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Passes on keys that are hashes already.
#[derive(Default)]
pub(crate) struct NoHash(u64);

impl std::hash::Hasher for NoHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = name_hash(bytes);
    }

    fn write_u64(&mut self, value: u64) {
        // The map takes its buckets from the low bits and its tags from the high ones; both are well mixed by FNV.
        self.0 = value;
    }
}
