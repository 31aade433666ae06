//! The ELF file around the sections: like a separate debug file, with a description of its own in front.

use std::io::Write;

use object::elf;

use super::description::{self, Description};
use crate::elf::{ElfImage, Section};
use crate::symtab::{Symbol, SymbolKind};

/// A section header.
struct Header {
    kind: u32,
    flags: u64,
    address: u64,
    offset: u64,
    size: u64,
    link: u32,
    info: u32,
    align: u64,
    entry_size: u64,
}

impl Header {
    const EMPTY: Header = Header {
        kind: 0,
        flags: 0,
        address: 0,
        offset: 0,
        size: 0,
        link: 0,
        info: 0,
        align: 0,
        entry_size: 0,
    };

    /// A section of what was written from `start` on.
    fn of(kind: u32, start: usize, out: &[u8]) -> Self {
        Header {
            kind,
            offset: start as u64,
            size: out.len().saturating_sub(start) as u64,
            align: 1,
            ..Header::EMPTY
        }
    }
}

/// Writes numbers as the module has them.
struct Numbers {
    is_64: bool,
    little: bool,
}

impl Numbers {
    fn put(&self, out: &mut Vec<u8>, number: u64, bytes: usize) {
        let all = number.to_le_bytes();
        let part = all.iter().take(bytes);
        if self.little {
            out.extend(part);
        } else {
            out.extend(part.rev());
        }
    }

    /// A number as wide as an address.
    fn word(&self, out: &mut Vec<u8>, number: u64) {
        self.put(out, number, if self.is_64 { 8 } else { 4 });
    }
}

/// The file as it grows.
struct Output {
    numbers: Numbers,
    bytes: Vec<u8>,
    names: Vec<u8>,
    /// With the place of its name.
    headers: Vec<(u32, Header)>,
}

/// Writes the file: the sections of the module without content, its build-id, `contents` compressed, and symbols.
///
/// # Errors
/// Compression fails.
pub(super) fn write(
    module: &ElfImage,
    description: &Description,
    contents: &[(&'static str, Vec<u8>)],
    symbols: Vec<Symbol>,
) -> std::io::Result<Vec<u8>> {
    let mut output = Output {
        numbers: Numbers {
            is_64: module.is_64,
            little: module.endian == object::Endianness::Little,
        },
        bytes: vec![0; description::place(module.is_64)],
        names: vec![0],
        headers: vec![(0, Header::EMPTY)],
    };
    let start = output.bytes.len();
    description.write(&mut output.bytes);
    let header = Header::of(elf::SHT_PROGBITS.0, start, &output.bytes);
    output.add(description::SECTION, header);
    output.outline(module);
    for (name, content) in contents {
        output.compressed(name, content)?;
    }
    output.symbols(module, symbols);
    output.finish(module);
    description::seal(&mut output.bytes, module.is_64);
    Ok(output.bytes)
}

/// The loaded sections of a module.
fn loaded(module: &ElfImage) -> impl Iterator<Item = &Section> {
    module
        .sections
        .iter()
        .filter(|section| section.flags & elf::SHF_ALLOC.0 != 0)
}

impl Output {
    fn add(&mut self, name: &str, header: Header) {
        self.headers.push((self.names.len() as u32, header));
        self.names.extend(name.as_bytes());
        self.names.push(0);
    }

    fn align(&mut self, to: usize) {
        let len = self.bytes.len().next_multiple_of(to);
        self.bytes.resize(len, 0);
    }

    /// The loaded sections: the build-id note is what the file is found by; all else is there to be compared with a module.
    fn outline(&mut self, module: &ElfImage) {
        for section in loaded(module) {
            let id = (section.name == ".note.gnu.build-id")
                .then(|| module.data.slice(section.offset, section.size))
                .flatten();
            let mut header = Header {
                kind: elf::SHT_NOBITS.0,
                flags: section.flags & !elf::SHF_COMPRESSED.0,
                address: section.address,
                offset: self.bytes.len() as u64,
                size: section.size,
                align: 1,
                ..Header::EMPTY
            };
            if let Some(id) = id {
                self.align(4);
                header.kind = section.kind;
                header.offset = self.bytes.len() as u64;
                header.align = 4;
                self.bytes.extend_from_slice(&id);
            }
            self.add(&section.name, header);
        }
    }

    /// A compressed section, with the header that ELF asks for (`Elf64_Chdr`, `Elf32_Chdr`): method, size and alignment.
    fn compressed(&mut self, name: &str, content: &[u8]) -> std::io::Result<()> {
        self.align(8);
        let start = self.bytes.len();
        let (numbers, out) = (&self.numbers, &mut self.bytes);
        numbers.put(out, u64::from(elf::ELFCOMPRESS_ZLIB.0), 4);
        if numbers.is_64 {
            numbers.put(out, 0, 4);
        }
        numbers.word(out, content.len() as u64);
        numbers.word(out, 1);
        let mut encoder = flate2::write::ZlibEncoder::new(out, flate2::Compression::best());
        encoder.write_all(content)?;
        encoder.finish()?;
        let header = Header {
            flags: elf::SHF_COMPRESSED.0,
            align: 8,
            ..Header::of(elf::SHT_PROGBITS.0, start, &self.bytes)
        };
        self.add(name, header);
        Ok(())
    }

    fn symbols(&mut self, module: &ElfImage, mut symbols: Vec<Symbol>) {
        // The format wants local symbols first.
        symbols.sort_by_key(|symbol| symbol.global);
        let locals = symbols.iter().take_while(|symbol| !symbol.global).count();
        let mut strings = vec![0u8];
        let mut table = Vec::new();
        let entry_size = if self.numbers.is_64 { 24 } else { 16 };
        table.resize(entry_size, 0);
        for symbol in &symbols {
            let name = strings.len() as u64;
            strings.extend(symbol.name.bytes().filter(|byte| *byte != 0));
            if let Some((version, default)) = &symbol.version {
                strings.extend(if *default { &b"@@"[..] } else { b"@" });
                strings.extend(version.bytes().filter(|byte| *byte != 0));
            }
            strings.push(0);
            let kind = match symbol.kind {
                SymbolKind::Function => elf::STT_FUNC.0,
                SymbolKind::IndirectFunction => elf::STT_GNU_IFUNC.0,
                SymbolKind::Object => elf::STT_OBJECT.0,
                SymbolKind::ThreadLocal => elf::STT_TLS.0,
                SymbolKind::Untyped => elf::STT_NOTYPE.0,
            };
            let info = u64::from(symbol.global) << 4 | u64::from(kind);
            // The section with the address; the first one is the description, which has none.
            let section = loaded(module)
                .position(|s| symbol.address.wrapping_sub(s.address) < s.size)
                .map_or(1, |at| at as u64 + 2);
            let numbers = &self.numbers;
            numbers.put(&mut table, name, 4);
            if numbers.is_64 {
                numbers.put(&mut table, info, 1);
                numbers.put(&mut table, 0, 1);
                numbers.put(&mut table, section, 2);
                numbers.word(&mut table, symbol.address);
                numbers.word(&mut table, symbol.size);
            } else {
                numbers.word(&mut table, symbol.address);
                numbers.word(&mut table, symbol.size);
                numbers.put(&mut table, info, 1);
                numbers.put(&mut table, 0, 1);
                numbers.put(&mut table, section, 2);
            }
        }
        self.compressed_table(table, strings, locals, entry_size);
    }

    fn compressed_table(
        &mut self,
        table: Vec<u8>,
        strings: Vec<u8>,
        locals: usize,
        entry_size: usize,
    ) {
        self.align(8);
        let start = self.bytes.len();
        self.bytes.extend(table);
        let header = Header {
            // Its strings are the section after it.
            link: self.headers.len() as u32 + 1,
            info: locals as u32 + 1,
            align: 8,
            entry_size: entry_size as u64,
            ..Header::of(elf::SHT_SYMTAB.0, start, &self.bytes)
        };
        self.add(".symtab", header);
        let start = self.bytes.len();
        self.bytes.extend(strings);
        let header = Header::of(elf::SHT_STRTAB.0, start, &self.bytes);
        self.add(".strtab", header);
    }

    /// Section names, section headers, and the file header at the start.
    fn finish(&mut self, module: &ElfImage) {
        let name = self.names.len() as u32;
        self.names.extend(b".shstrtab\0");
        let start = self.bytes.len();
        self.bytes.extend(&self.names);
        let header = Header::of(elf::SHT_STRTAB.0, start, &self.bytes);
        self.headers.push((name, header));
        self.align(8);
        let table = self.bytes.len() as u64;
        let (numbers, out) = (&self.numbers, &mut self.bytes);
        for (name, header) in &self.headers {
            numbers.put(out, u64::from(*name), 4);
            numbers.put(out, u64::from(header.kind), 4);
            numbers.word(out, header.flags);
            numbers.word(out, header.address);
            numbers.word(out, header.offset);
            numbers.word(out, header.size);
            numbers.put(out, u64::from(header.link), 4);
            numbers.put(out, u64::from(header.info), 4);
            numbers.word(out, header.align);
            numbers.word(out, header.entry_size);
        }
        let mut first = Vec::new();
        let class = if numbers.is_64 { 2 } else { 1 };
        let data = if numbers.little { 1 } else { 2 };
        first.extend(b"\x7fELF");
        first.extend([class, data, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        numbers.put(&mut first, u64::from(module.kind), 2);
        numbers.put(&mut first, u64::from(module.machine), 2);
        numbers.put(&mut first, 1, 4);
        numbers.word(&mut first, module.entry);
        numbers.word(&mut first, 0);
        numbers.word(&mut first, table);
        numbers.put(&mut first, 0, 4);
        let sizes = if numbers.is_64 { (64, 64) } else { (52, 40) };
        for number in [
            sizes.0,
            0,
            0,
            sizes.1,
            self.headers.len() as u64,
            self.headers.len() as u64 - 1,
        ] {
            numbers.put(&mut first, number, 2);
        }
        for (to, from) in self.bytes.iter_mut().zip(first) {
            *to = from;
        }
    }
}
