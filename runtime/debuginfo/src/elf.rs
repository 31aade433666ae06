//! One ELF file: headers, segments, sections (decompressed on demand), build-id, soname, links to other files.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use object::Endianness;
use object::elf;
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader};

use crate::compress;
use crate::error::{Error, Result};
use crate::mapping::SharedBytes;

/// More sections or segments than this are not read.
const MAX_HEADERS: usize = 1 << 16;

/// A loadable segment (`PT_LOAD`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Address in the file's own address space (svma), in bytes.
    pub address: u64,
    /// Size in memory, in bytes.
    pub memory_size: u64,
    /// Offset of its content in the file, in bytes.
    pub offset: u64,
    /// Size of its content in the file, in bytes.
    pub file_size: u64,
    /// Whether it is readable, writable, executable.
    pub permissions: [bool; 3],
}

/// The segment that holds the initial values of thread-local variables (`PT_TLS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadLocalSegment {
    /// Address in the file's own address space (svma), in bytes.
    pub address: u64,
    /// Size in memory, in bytes.
    pub memory_size: u64,
    /// Alignment in bytes; zero and one mean none.
    pub alignment: u64,
}

/// A section header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name; bytes that are not UTF-8 are replaced.
    pub name: String,
    /// Address in the file's own address space (svma), zero where it is not loaded.
    pub address: u64,
    /// Size in memory, in bytes.
    pub size: u64,
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// `SHT_*`.
    pub kind: u32,
    /// `SHF_*`.
    pub flags: u64,
    pub(crate) link: u32,
    pub(crate) entry_size: u64,
}

impl Section {
    /// Whether the file holds content for it.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.kind != elf::SHT_NOBITS.0 && self.kind != elf::SHT_NULL.0
    }

    /// Whether it holds machine code.
    #[must_use]
    pub fn is_code(&self) -> bool {
        self.flags & elf::SHF_EXECINSTR.0 != 0
    }
}

/// An opened ELF file.
#[derive(Debug)]
pub(crate) struct ElfImage {
    pub path: PathBuf,
    pub data: SharedBytes,
    pub endian: Endianness,
    pub is_64: bool,
    /// `EM_*`.
    pub machine: u16,
    /// `ET_*`.
    pub kind: u16,
    pub entry: u64,
    pub segments: Vec<Segment>,
    pub thread_locals: Option<ThreadLocalSegment>,
    pub sections: Vec<Section>,
    pub build_id: Option<Vec<u8>>,
    pub soname: Option<String>,
    /// Decompressed contents, parallel to `sections`.
    contents: Vec<OnceLock<Result<SharedBytes>>>,
}

impl ElfImage {
    /// Reads the headers of `file`. `path` names it in errors.
    pub fn open(file: &File, path: &Path) -> Result<Self> {
        Self::parse(SharedBytes::from_file(file, path)?, path)
    }

    /// Reads the headers of an ELF file held in memory.
    pub fn parse(data: SharedBytes, path: &Path) -> Result<Self> {
        // The fifth byte tells 32 from 64 bits.
        let parsed = match data.get(4) {
            Some(1) => Headers::read::<elf::FileHeader32<Endianness>>(&data),
            _ => Headers::read::<elf::FileHeader64<Endianness>>(&data),
        };
        let headers = parsed.map_err(|reason| Error::Elf {
            path: path.to_owned(),
            reason,
        })?;
        let contents = headers.sections.iter().map(|_| OnceLock::new()).collect();
        Ok(ElfImage {
            path: path.to_owned(),
            data,
            endian: headers.endian,
            is_64: headers.is_64,
            machine: headers.machine,
            kind: headers.kind,
            entry: headers.entry,
            segments: headers.segments,
            thread_locals: headers.thread_locals,
            sections: headers.sections,
            build_id: headers.build_id,
            soname: headers.soname,
            contents,
        })
    }

    pub fn runtime_endian(&self) -> gimli::RunTimeEndian {
        match self.endian {
            Endianness::Little => gimli::RunTimeEndian::Little,
            Endianness::Big => gimli::RunTimeEndian::Big,
        }
    }

    pub fn find_section(&self, name: &str) -> Option<usize> {
        self.sections.iter().position(|s| s.name == name)
    }

    /// Whether a section of this name has content here.
    pub fn has_content(&self, name: &str) -> bool {
        self.sections
            .iter()
            .any(|s| s.name == name && s.has_content() && s.size > 0)
    }

    /// The content of the section as the file stores it, or `None` where it stores none.
    pub fn raw_content(&self, index: usize) -> Result<Option<SharedBytes>> {
        let Some(section) = self.sections.get(index).filter(|s| s.has_content()) else {
            return Ok(None);
        };
        match self.data.slice(section.offset, section.size) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(self.section_error(section, "it reaches beyond the end of the file")),
        }
    }

    /// The content of a section, decompressed; `None` where there is no such section or it has no content here.
    /// `.debug_x` also finds `.zdebug_x`.
    pub fn content(&self, name: &str) -> Result<Option<SharedBytes>> {
        let index = self.find_section(name).or_else(|| {
            let rest = name.strip_prefix(".debug_")?;
            self.find_section(&format!(".zdebug_{rest}"))
        });
        index.map_or(Ok(None), |index| self.content_at(index))
    }

    /// The same by the section's index.
    pub fn content_at(&self, index: usize) -> Result<Option<SharedBytes>> {
        let Some(raw) = self.raw_content(index)? else {
            return Ok(None);
        };
        let (Some(section), Some(slot)) = (self.sections.get(index), self.contents.get(index))
        else {
            return Ok(None);
        };
        let compressed = section.flags & elf::SHF_COMPRESSED.0 != 0;
        let old_style = section.name.starts_with(".zdebug_");
        if !compressed && !old_style {
            return Ok(Some(raw));
        }
        let result = slot.get_or_init(|| {
            let unpacked = if compressed {
                compress::unpack_elf(&raw, self.is_64, self.endian)
            } else {
                compress::unpack_gnu(&raw)
            };
            unpacked
                .map(SharedBytes::from_vec)
                .map_err(|reason| self.section_error(section, &reason))
        });
        result.clone().map(Some)
    }

    fn section_error(&self, section: &Section, reason: &str) -> Error {
        Error::Section {
            path: self.path.clone(),
            section: section.name.clone(),
            reason: reason.to_owned(),
        }
    }

    /// File name and CRC-32 of `.gnu_debuglink`.
    pub fn debug_link(&self) -> Result<Option<(Vec<u8>, u32)>> {
        let Some(data) = self.content(".gnu_debuglink")? else {
            return Ok(None);
        };
        let Some((name, rest)) = split_nul(&data) else {
            return Ok(None);
        };
        // The checksum follows the name at the next multiple of four bytes.
        let padding = (name.len() + 1).next_multiple_of(4) - (name.len() + 1);
        let crc = rest
            .get(padding..padding + 4)
            .and_then(|b| <[u8; 4]>::try_from(b).ok());
        Ok(crc.map(|b| {
            let crc = match self.endian {
                Endianness::Little => u32::from_le_bytes(b),
                Endianness::Big => u32::from_be_bytes(b),
            };
            (name.to_vec(), crc)
        }))
    }

    /// File name and build-id (or checksum) of the supplementary file: `.gnu_debugaltlink`, or `.debug_sup` of DWARF 5.
    pub fn supplementary_link(&self) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        if let Some(data) = self.content(".gnu_debugaltlink")? {
            return Ok(split_nul(&data).map(|(name, id)| (name.to_vec(), id.to_vec())));
        }
        Ok(self
            .debug_sup()?
            .filter(|sup| !sup.is_supplementary)
            .map(|sup| (sup.file_name, sup.checksum)))
    }

    /// The checksum by which others refer to this supplementary file: `.debug_sup`, else the build-id.
    pub fn supplementary_id(&self) -> Result<Option<Vec<u8>>> {
        let sup = self.debug_sup()?.filter(|sup| sup.is_supplementary);
        Ok(sup
            .map(|sup| sup.checksum)
            .or_else(|| self.build_id.clone()))
    }

    /// DWARF 5, section 7.3.6: version (2 bytes), whether this file is the supplementary one (1), file name, checksum with a ULEB length.
    fn debug_sup(&self) -> Result<Option<DebugSup>> {
        let Some(data) = self.content(".debug_sup")? else {
            return Ok(None);
        };
        let parsed = (|| {
            let is_supplementary = *data.get(2)? != 0;
            let (name, rest) = split_nul(data.get(3..)?)?;
            let mut reader = gimli::EndianSlice::new(rest, gimli::LittleEndian);
            let len = gimli::Reader::read_uleb128(&mut reader).ok()?;
            let checksum = reader.slice().get(..usize::try_from(len).ok()?)?;
            Some(DebugSup {
                is_supplementary,
                file_name: name.to_vec(),
                checksum: checksum.to_vec(),
            })
        })();
        Ok(parsed)
    }

    /// The architecture's usual name, for messages.
    pub fn machine_name(&self) -> String {
        match elf::Machine(self.machine) {
            elf::EM_X86_64 => "x86-64".into(),
            elf::EM_AARCH64 => "aarch64".into(),
            elf::EM_386 => "i386".into(),
            other => format!("machine {}", other.0),
        }
    }
}

struct DebugSup {
    is_supplementary: bool,
    file_name: Vec<u8>,
    checksum: Vec<u8>,
}

fn split_nul(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = data.iter().position(|&b| b == 0)?;
    Some((data.get(..end)?, data.get(end + 1..)?))
}

/// What `ElfImage` takes from the headers, whatever the class.
struct Headers {
    endian: Endianness,
    is_64: bool,
    machine: u16,
    kind: u16,
    entry: u64,
    segments: Vec<Segment>,
    thread_locals: Option<ThreadLocalSegment>,
    sections: Vec<Section>,
    build_id: Option<Vec<u8>>,
    soname: Option<String>,
}

impl Headers {
    fn read<Elf: FileHeader<Endian = Endianness>>(data: &[u8]) -> Result<Self, String> {
        let text = |e: object::read::Error| format!("not a readable ELF file: {e}");
        let header = Elf::parse(data).map_err(text)?;
        let endian = header.endian().map_err(text)?;
        let programs = header.program_headers(endian, data).map_err(text)?;
        let table = header.sections(endian, data).map_err(text)?;
        if programs.len() > MAX_HEADERS || table.len() > MAX_HEADERS {
            return Err(format!("it has more than {MAX_HEADERS} headers"));
        }
        let segments = programs
            .iter()
            .filter(|p| p.p_type(endian) == elf::PT_LOAD)
            .map(|p| {
                let flags = p.p_flags(endian).0;
                Segment {
                    address: p.p_vaddr(endian).into(),
                    memory_size: p.p_memsz(endian).into(),
                    offset: p.p_offset(endian).into(),
                    file_size: p.p_filesz(endian).into(),
                    permissions: [
                        flags & elf::PF_R.0 != 0,
                        flags & elf::PF_W.0 != 0,
                        flags & elf::PF_X.0 != 0,
                    ],
                }
            })
            .collect();
        let thread_locals = programs
            .iter()
            .find(|p| p.p_type(endian) == elf::PT_TLS)
            .map(|p| ThreadLocalSegment {
                address: p.p_vaddr(endian).into(),
                memory_size: p.p_memsz(endian).into(),
                alignment: p.p_align(endian).into(),
            });
        let sections = table
            .iter()
            .map(|s| Section {
                name: table
                    .section_name(endian, s)
                    .map(|n| {
                        String::from_utf8_lossy(n.get(..n.len().min(256)).unwrap_or(n)).into_owned()
                    })
                    .unwrap_or_default(),
                address: s.sh_addr(endian).into(),
                size: s.sh_size(endian).into(),
                offset: s.sh_offset(endian).into(),
                kind: s.sh_type(endian).0,
                flags: s.sh_flags(endian).0,
                link: s.sh_link(endian),
                entry_size: s.sh_entsize(endian).into(),
            })
            .collect();
        Ok(Headers {
            endian,
            is_64: header.is_type_64(),
            machine: header.e_machine(endian).0,
            kind: header.e_type(endian).0,
            entry: header.e_entry(endian).into(),
            build_id: build_id::<Elf>(endian, data, programs, &table),
            soname: soname::<Elf>(endian, data, programs),
            segments,
            thread_locals,
            sections,
        })
    }
}

/// The `NT_GNU_BUILD_ID` note, from the segments or, in a separate debug file, whose segments may be empty, the sections.
fn build_id<Elf: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    data: &[u8],
    programs: &[Elf::ProgramHeader],
    table: &object::read::elf::SectionTable<'_, Elf>,
) -> Option<Vec<u8>> {
    let from_sections = table
        .iter()
        .filter_map(|s| s.notes(endian, data).ok().flatten());
    let from_segments = programs
        .iter()
        .filter_map(|p| p.notes(endian, data).ok().flatten());
    for mut notes in from_sections.chain(from_segments) {
        while let Ok(Some(note)) = notes.next() {
            let is_id =
                note.name() == elf::ELF_NOTE_GNU && note.n_type(endian) == elf::NT_GNU_BUILD_ID;
            // Twenty bytes is usual; the limit keeps file names made from it short.
            if is_id && (2..=64).contains(&note.desc().len()) {
                return Some(note.desc().to_vec());
            }
        }
    }
    None
}

/// `DT_SONAME`, through `DT_STRTAB` and the loadable segments, so that it needs no section headers.
fn soname<Elf: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    data: &[u8],
    programs: &[Elf::ProgramHeader],
) -> Option<String> {
    let dynamic = programs
        .iter()
        .find_map(|p| p.dynamic(endian, data).ok().flatten())?;
    let value = |tag| {
        dynamic
            .iter()
            .take_while(|d| d.tag(endian) != elf::DT_NULL)
            .find(|d| d.tag(endian) == tag)
            .map(|d| d.val(endian))
    };
    let name = value(elf::DT_SONAME)?;
    let address = value(elf::DT_STRTAB)?.checked_add(name)?;
    let bytes = programs
        .iter()
        .filter(|p| p.p_type(endian) == elf::PT_LOAD)
        .find_map(|p| {
            let start: u64 = p.p_vaddr(endian).into();
            let size: u64 = p.p_filesz(endian).into();
            let offset: u64 = p.p_offset(endian).into();
            let within = address.checked_sub(start).filter(|&w| w < size)?;
            let from = usize::try_from(offset.checked_add(within)?).ok()?;
            data.get(from..from.saturating_add(256).min(data.len()))
        })?;
    let (name, _) = split_nul(bytes)?;
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}
