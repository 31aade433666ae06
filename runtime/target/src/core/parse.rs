//! The headers and notes of a core file (elf(5), core(5); `fs/binfmt_elf.c` of Linux writes them, gdb's `gcore` as well).

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsFd;
use std::path::Path;

use nix::errno::Errno;
use object::NativeEndian;
use object::elf::{self, FileHeader64};
use object::read::ReadCache;
use object::read::elf::{FileHeader, NoteIterator, ProgramHeader};

use super::error::CoreError;
use super::image::permissions;
use crate::maps::Permissions;
use crate::modules::auxiliary_value;
use crate::registers::{Registers, ThreadSnapshot};
use crate::sys;

const AT_PAGESZ: u64 = 6;
/// The largest gap between the bytes of two segments that alignment may ask for.
const MAX_ALIGN: u64 = 1 << 16;

/// The machine whose core files this build reads.
#[cfg(target_arch = "x86_64")]
const MACHINE: elf::Machine = elf::EM_X86_64;
#[cfg(target_arch = "aarch64")]
const MACHINE: elf::Machine = elf::EM_AARCH64;

/// The most program headers and the most mapped files that are looked at. The kernel's default limit of mappings is 65,530.
const MAX_ENTRIES: usize = 1 << 20;
/// The most bytes of notes that are read: some kilobytes for each thread, and some megabytes of file names.
const MAX_NOTES: u64 = 256 << 20;
/// Where the registers stand in a thread's note: after `pr_pid`, three more such numbers and four `struct timeval`.
const REGISTERS: usize = 112;
/// The most bytes of an auxiliary vector that are kept; it has a few dozen entries of 16 bytes.
const MAX_AUXV: usize = 1 << 16;

/// A `PT_LOAD` segment: memory of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The first address.
    pub start: u64,
    /// The first address after it.
    pub end: u64,
    /// Where its bytes stand in the core file.
    pub offset: u64,
    /// How many of them are there, from `start` on.
    pub dumped: u64,
    /// How many of them there were. The rest was not dumped.
    pub meant: u64,
    /// What the memory may be used for. Whether it is shared is not told.
    pub permissions: Permissions,
}

/// A mapping of a file, by the note `NT_FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MappedFile {
    pub range: Range<u64>,
    /// Where in the file it starts, in bytes.
    pub offset: u64,
    /// As the kernel wrote it, perhaps with ` (deleted)` at its end.
    pub path: Vec<u8>,
}

/// What a core file says of its process.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// By ascending address, none overlapping.
    pub segments: Vec<Segment>,
    /// The same.
    pub files: Vec<MappedFile>,
    /// Whether memory that only the process has, such as its stack, was dumped at all.
    pub dumps_written: bool,
    pub auxv: Vec<u8>,
    pub pid: Option<i32>,
    pub name: String,
    pub arguments: String,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// First the one that got the signal.
    pub threads: Vec<ThreadSnapshot>,
    /// What the user should know, such as that the file was cut short.
    pub warnings: Vec<String>,
}

/// Reads headers and notes.
pub(super) fn parse(file: &File, path: &Path) -> Result<Content, CoreError> {
    let read_error = |errno| CoreError::Read {
        path: path.to_owned(),
        errno,
    };
    let length = file
        .metadata()
        .map_err(|error| read_error(sys::errno_of(&error)))?
        .len();
    let mut start = [0u8; 64];
    let got = sys::read_at(file.as_fd(), &mut start, 0).map_err(read_error)?;
    check_kind(start.get(..got).unwrap_or(&[]), path)?;
    let damaged = |reason: String| CoreError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let cache = ReadCache::new(file);
    let header = FileHeader64::<NativeEndian>::parse(&cache)
        .map_err(|_| damaged("it ends in its header".to_owned()))?;
    let count = header
        .phnum(NativeEndian, &cache)
        .map_err(|error| damaged(error.to_string()))? as usize;
    if count > MAX_ENTRIES {
        return Err(damaged(format!("it claims to have {count} segments")));
    }
    let table = header.e_phoff(NativeEndian);
    let size = (count as u64).saturating_mul(u64::from(header.e_phentsize(NativeEndian)));
    if table.saturating_add(size) > length {
        return Err(damaged(format!(
            "it is cut short after {length} bytes, within its program headers, which tell what it holds"
        )));
    }
    let headers = header
        .program_headers(NativeEndian, &cache)
        .map_err(|error| damaged(error.to_string()))?;
    let mut content = Content::default();
    let mut notes_left = MAX_NOTES;
    let mut wanted = 0u64;
    let mut wrong = 0usize;
    let mut order = Order::default();
    for header in headers {
        let (offset, size) = header.file_range(NativeEndian);
        let there = size.min(length.saturating_sub(offset));
        wanted = wanted.max(offset.saturating_add(size));
        match header.p_type(NativeEndian) {
            elf::PT_LOAD => {
                let start = header.p_vaddr(NativeEndian);
                let Some(end) = start.checked_add(header.p_memsz(NativeEndian)) else {
                    wrong += 1;
                    continue;
                };
                order.next(start..end, offset, size, header.p_align(NativeEndian));
                if end > start {
                    content.segments.push(Segment {
                        start,
                        end,
                        offset,
                        dumped: there.min(end - start),
                        meant: size.min(end - start),
                        permissions: permissions(header.p_flags(NativeEndian)),
                    });
                }
            }
            elf::PT_NOTE => {
                let taken = there.min(notes_left);
                notes_left -= taken;
                let bytes = read_piece(file, offset, taken).map_err(read_error)?;
                content.read_notes(&bytes, header.p_align(NativeEndian));
            }
            elf::PT_NULL => {}
            _ => order.odd += 1,
        }
    }
    if wanted > length {
        content.warnings.push(format!(
            "the core file is truncated: {length} of {wanted} bytes are there"
        ));
    }
    content.segments.sort_by_key(|segment| segment.start);
    wrong += drop_overlapping(&mut content.segments, |segment| segment.start..segment.end);
    if wrong > 0 {
        content.warnings.push(format!(
            "the core file has {wrong} segments at impossible addresses; they are left out"
        ));
    }
    content.files.sort_by_key(|file| file.range.start);
    let overlapping = drop_overlapping(&mut content.files, |file| file.range.clone());
    content.dumps_written = content.dumps_written();
    let within_pages = order.bits & (content.page_size() - 1) != 0;
    let odd = order.odd + usize::from(within_pages) + overlapping + content.misfits();
    if odd > 0 {
        content.warnings.push(format!(
            "the core file may be damaged: {odd} of its segments or mapped files are not where those of a process would be"
        ));
    }
    Ok(content)
}

/// What holds of the segments of every core file that the kernel or gdb writes: they begin and end at pages, stand in the order of
/// their addresses, and their bytes follow one another. One wrong bit in a header would else pass for memory that was not dumped
/// and is as in its file.
#[derive(Default)]
struct Order {
    /// Where the last segment ended, and its bytes.
    end: u64,
    bytes: Option<u64>,
    /// The bits of all addresses at which segments begin and end.
    bits: u64,
    /// How many segments are out of it.
    odd: usize,
}

impl Order {
    fn next(&mut self, range: Range<u64>, offset: u64, size: u64, align: u64) {
        let follows = self.bytes.is_none_or(|bytes| {
            let gap = offset.checked_sub(bytes);
            size == 0 || gap.is_some_and(|gap| gap < align.clamp(1, MAX_ALIGN))
        });
        let right = range.start >= self.end && size <= range.end - range.start && follows;
        self.bits |= range.start | range.end;
        self.odd += usize::from(!right);
        self.end = range.end;
        if size > 0 {
            self.bytes = Some(offset.saturating_add(size));
        }
    }
}

/// Refuses what is no core file of this machine.
fn check_kind(start: &[u8], path: &Path) -> Result<(), CoreError> {
    let formats: [(&[u8], &str, &str); 4] = [
        // Only within another one.
        (&[0x28, 0xb5, 0x2f, 0xfd], "zstd", "zstd -d"),
        (&[0x04, 0x22, 0x4d, 0x18], "lz4", "lz4 -d"),
        (&[0xfd, b'7', b'z', b'X', b'Z'], "xz", "xz -dk"),
        (&[0x1f, 0x8b], "gzip", "gzip -dk"),
    ];
    for (magic, format, command) in formats {
        if start.starts_with(magic) {
            return Err(CoreError::Compressed {
                path: path.to_owned(),
                format,
                command,
            });
        }
    }
    let not_core = |what: &str| CoreError::NotCore {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    if start.is_empty() {
        return Err(not_core("it is empty"));
    }
    let Some(ident) = start.strip_prefix(b"\x7fELF") else {
        return Err(not_core("it is no ELF file"));
    };
    let other = |machine: &str| CoreError::OtherMachine {
        path: path.to_owned(),
        machine: machine.to_owned(),
    };
    let order = if cfg!(target_endian = "big") {
        elf::ELFDATA2MSB
    } else {
        elf::ELFDATA2LSB
    };
    // EI_CLASS and EI_DATA; e_type and e_machine stand after the 16 bytes of e_ident, whatever the class.
    match ident {
        [class, ..] if *class == elf::ELFCLASS32.0 => return Err(other("a 32-bit program")),
        [_, data, ..] if *data != order.0 => {
            return Err(other("a machine with another order of bytes"));
        }
        _ => {}
    }
    let half = |at: usize| {
        let bytes = start.get(at..at + 2)?;
        Some(u16::from_ne_bytes(bytes.try_into().ok()?))
    };
    let (Some(kind), Some(machine)) = (half(16), half(18)) else {
        return Err(CoreError::Damaged {
            path: path.to_owned(),
            reason: "it ends in its header".to_owned(),
        });
    };
    if kind != elf::ET_CORE.0 {
        return Err(not_core(match elf::FileType(kind) {
            elf::ET_EXEC | elf::ET_DYN => "it is a program or a library",
            elf::ET_REL => "it is an object file",
            _ => "it is an ELF file of another kind",
        }));
    }
    if machine != MACHINE.0 {
        return Err(match elf::Machine(machine) {
            elf::EM_X86_64 => other("an x86-64 program"),
            elf::EM_AARCH64 => other("an AArch64 program"),
            _ => other(&format!("another machine (ELF machine {machine})")),
        });
    }
    Ok(())
}

/// Bytes of a file; fewer where it ends.
fn read_piece(file: &File, offset: u64, length: u64) -> Result<Vec<u8>, Errno> {
    let length = usize::try_from(length).map_err(|_| Errno::ENOMEM)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| Errno::ENOMEM)?;
    bytes.resize(length, 0);
    let got = sys::read_at(file.as_fd(), &mut bytes, offset)?;
    bytes.truncate(got);
    Ok(bytes)
}

/// Leaves out what overlaps an earlier one; returns how many those were.
pub(super) fn drop_overlapping<T>(sorted: &mut Vec<T>, range: impl Fn(&T) -> Range<u64>) -> usize {
    let before = sorted.len();
    let mut end = 0;
    sorted.retain(|item| {
        let range = range(item);
        let kept = range.start >= end;
        if kept {
            end = range.end;
        }
        kept
    });
    before - sorted.len()
}

impl Content {
    fn dumps_written(&self) -> bool {
        let of_file = |segment: &Segment| {
            let index = self
                .files
                .partition_point(|file| file.range.end <= segment.start);
            let file = self.files.get(index);
            file.is_some_and(|file| file.range.start < segment.end)
        };
        self.segments
            .iter()
            .any(|segment| segment.permissions.write && segment.meant > 0 && !of_file(segment))
    }

    /// The size of a page: what the process was told, if it makes sense.
    pub(super) fn page_size(&self) -> u64 {
        auxiliary_value(&self.auxv, AT_PAGESZ)
            .filter(|size| size.is_power_of_two() && (1 << 10..=1 << 21).contains(size))
            .unwrap_or_else(sys::page_size)
    }

    /// How many mapped files lie in a segment and do not fill it: each mapping has a segment of its own.
    fn misfits(&self) -> usize {
        let misfit = |file: &&MappedFile| {
            let segments = &self.segments;
            let index = segments.partition_point(|segment| segment.end <= file.range.start);
            segments.get(index).is_some_and(|segment| {
                let touches = segment.start < file.range.end;
                touches && (segment.start..segment.end) != file.range
            })
        };
        self.files.iter().filter(misfit).count()
    }

    /// Takes in a segment of notes. One that is cut off ends it; those before count.
    fn read_notes(&mut self, bytes: &[u8], align: u64) {
        let notes = NoteIterator::<FileHeader64<NativeEndian>>::new(NativeEndian, align, bytes);
        let Ok(mut notes) = notes else {
            self.warn("the core file has notes that cannot be read");
            return;
        };
        loop {
            match notes.next() {
                Ok(Some(note)) if note.name() == elf::ELF_NOTE_CORE => {
                    self.read_note(note.n_type(NativeEndian), note.desc());
                }
                // The thread pointer of the thread whose registers came before.
                #[cfg(target_arch = "aarch64")]
                Ok(Some(note))
                    if note.name() == elf::ELF_NOTE_LINUX
                        && note.n_type(NativeEndian) == elf::NT_ARM_TLS =>
                {
                    let thread = self.threads.last_mut();
                    let registers = thread.and_then(|thread| thread.registers.as_mut());
                    if let (Some(registers), Some((pointer, _))) = (registers, word(note.desc())) {
                        registers.thread_pointer = pointer;
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(_) => {
                    self.warn("a note of the core file is cut short");
                    return;
                }
            }
        }
    }

    /// Keeps a warning, once.
    fn warn(&mut self, text: &str) {
        if !self.warnings.iter().any(|known| known == text) {
            self.warnings.push(text.to_owned());
        }
    }

    fn read_note(&mut self, kind: elf::NoteType, bytes: &[u8]) {
        match kind {
            // struct elf_prstatus (linux/elfcore.h): pr_cursig after three ints, pr_pid after two sets of signals.
            elf::NT_PRSTATUS => {
                if let Some(tid) = number(bytes, 32) {
                    if self.threads.is_empty() {
                        let signal = bytes.get(12..14).and_then(|half| half.try_into().ok());
                        self.signal = signal
                            .map(|half| i32::from(i16::from_ne_bytes(half)))
                            .filter(|signal| *signal > 0);
                    }
                    if self.threads.len() < MAX_ENTRIES {
                        let registers = bytes.get(REGISTERS..).and_then(Registers::from_note);
                        self.threads.push(ThreadSnapshot { tid, registers });
                    }
                }
            }
            // struct elf_prpsinfo: pr_pid, pr_fname[16], pr_psargs[80].
            elf::NT_PRPSINFO if self.pid.is_none() => {
                self.pid = number(bytes, 24);
                self.name = text(bytes.get(40..56).unwrap_or(&[]));
                self.arguments = text(bytes.get(56..136).unwrap_or(&[]));
            }
            elf::NT_AUXV if self.auxv.is_empty() => {
                self.auxv = bytes.get(..bytes.len().min(MAX_AUXV)).unwrap_or(&[]).into();
            }
            elf::NT_FILE if self.files.is_empty() && self.read_files(bytes).is_none() => {
                self.warn("the core file's list of mapped files is damaged");
            }
            _ => {}
        }
    }

    /// `NT_FILE`: the number of entries, the unit of offsets, then start, end and offset of each, then the names, each with a
    /// zero byte at its end.
    fn read_files(&mut self, bytes: &[u8]) -> Option<()> {
        let (count, rest) = word(bytes)?;
        let (unit, rest) = word(rest)?;
        let table = usize::try_from(count).ok()?.checked_mul(24)?;
        let (table, names) = rest.split_at_checked(table)?;
        let names = names.split(|byte| *byte == 0);
        for (entry, name) in table.chunks_exact(24).zip(names).take(MAX_ENTRIES) {
            let (start, entry) = word(entry)?;
            let (end, entry) = word(entry)?;
            let (offset, _) = word(entry)?;
            let Some(offset) = offset.checked_mul(unit).filter(|_| end > start) else {
                continue;
            };
            self.files.push(MappedFile {
                range: start..end,
                offset,
                path: name.to_owned(),
            });
        }
        Some(())
    }
}

/// The first eight bytes as a number, and the rest.
fn word(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_ne_bytes(*first), rest))
}

fn number(bytes: &[u8], at: usize) -> Option<i32> {
    let bytes = bytes.get(at..)?.first_chunk::<4>()?;
    Some(i32::from_ne_bytes(*bytes))
}

/// The text before the first zero byte.
fn text(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or(&[]);
    String::from_utf8_lossy(text).trim_end().to_owned()
}
