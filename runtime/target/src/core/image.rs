//! What tells one build of an ELF file from another: its build-id, or else its program headers.

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsFd;

use object::NativeEndian;
use object::elf::{self, FileHeader64};
use object::pod;
use object::read::elf::{FileHeader, NoteIterator, ProgramHeader};

use crate::maps::{Mapping, Permissions};
use crate::sys;

/// The most program headers that are looked at.
const MAX_HEADERS: usize = 512;
/// The most segments: what linkers make has less than ten.
const MAX_LOADS: usize = 64;
/// How many places are tried for the segments of a file.
const MAX_PLACES: usize = 8;
/// The most bytes of a segment of notes that are looked at.
const MAX_NOTES: u64 = 1 << 16;

/// The mark of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Build {
    /// The GNU build-id, if it has one.
    pub id: Option<Vec<u8>>,
    /// The program headers. Stripping a file changes its section headers, but not these.
    pub headers: Vec<u8>,
    /// What of the file is mapped where.
    pub loads: Vec<Load>,
    /// The address of its dynamic section, in the file, if it has one.
    pub dynamic: Option<u64>,
}

/// A `PT_LOAD` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Load {
    /// Where it stands in the file.
    pub file: Range<u64>,
    /// The address of its start, in the file.
    pub address: u64,
    /// What it may be used for.
    pub permissions: Permissions,
}

impl Build {
    /// Whether another mark is of the same build.
    pub fn is(&self, other: &Build) -> bool {
        self.id == other.id && (self.id.is_some() || self.headers == other.headers)
    }

    /// The segments that a mapping may show a part of. The last page of one segment is often the first one of the next, so there may be
    /// two: first that which begins later, for it is mapped over the other.
    fn loads_of(&self, mapping: &Mapping, page_size: u64) -> impl Iterator<Item = &Load> {
        let first = mapping.offset;
        let end = first.checked_add(mapping.end - mapping.start);
        self.loads.iter().rev().filter(move |load| {
            let start = load.file.start & !(page_size - 1);
            let last = load.file.end.checked_next_multiple_of(page_size);
            start <= first && matches!((end, last), (Some(end), Some(last)) if end <= last)
        })
    }

    /// The segment that each of some mappings of the file shows a part of, all as far from where the file has them; `None` for those that
    /// show none. The mappings are in the order of their addresses; a file that is mapped twice begins anew at its first byte.
    pub fn place(&self, mappings: &[&Mapping], page_size: u64) -> Vec<Option<&Load>> {
        let bias = |mapping: &Mapping, load: &Load| {
            let address = mapping
                .offset
                .wrapping_sub(load.file.start)
                .wrapping_add(load.address);
            mapping.start.wrapping_sub(address)
        };
        let mut placed = Vec::with_capacity(mappings.len());
        let mut rest = mappings;
        while let Some((first, after)) = rest.split_first() {
            let again = after.iter().position(|part| part.offset == 0);
            let (copy, next) = rest.split_at(again.map_or(rest.len(), |index| index + 1));
            let candidates: Vec<&Load> = self.loads_of(first, page_size).take(MAX_PLACES).collect();
            // The last of those that do equally well is taken.
            let found = candidates.into_iter().rev().map(|load| {
                let wanted = bias(first, load);
                let fitting = |part: &&Mapping| {
                    let mut loads = self.loads_of(part, page_size);
                    loads.find(|load| bias(part, load) == wanted)
                };
                copy.iter().map(fitting).collect::<Vec<_>>()
            });
            let most = found.max_by_key(|loads| loads.iter().flatten().count());
            placed.extend(most.unwrap_or_else(|| vec![None; copy.len()]));
            rest = next;
        }
        placed
    }
}

/// The mark of the file whose bytes `read` gives, by offset and length; `None` where these are not to be had.
///
/// `None` is also the answer for what is no ELF file of this machine.
pub(super) fn build_of(read: &mut dyn FnMut(u64, usize) -> Option<Vec<u8>>) -> Option<Build> {
    type Header = FileHeader64<NativeEndian>;
    let bytes = read(0, size_of::<Header>())?;
    let (header, _) = pod::from_bytes::<Header>(&bytes).ok()?;
    let size = usize::from(header.e_phentsize(NativeEndian));
    let count = usize::from(header.e_phnum(NativeEndian));
    let known = size_of::<elf::ProgramHeader64<NativeEndian>>();
    if !header.is_supported() || size != known || count > MAX_HEADERS {
        return None;
    }
    let headers = read(header.e_phoff(NativeEndian), size * count)?;
    let (list, _) =
        pod::slice_from_bytes::<elf::ProgramHeader64<NativeEndian>>(&headers, count).ok()?;
    let notes = list
        .iter()
        .filter(|header| header.p_type(NativeEndian) == elf::PT_NOTE);
    let mut id = None;
    for header in notes {
        let size = header.p_filesz(NativeEndian).min(MAX_NOTES) as usize;
        let Some(bytes) = read(header.p_offset(NativeEndian), size) else {
            continue;
        };
        id = id.or_else(|| gnu_build_id(&bytes, header.p_align(NativeEndian)));
    }
    let loads = list
        .iter()
        .filter(|header| header.p_type(NativeEndian) == elf::PT_LOAD)
        .take(MAX_LOADS)
        .map(|header| {
            let start = header.p_offset(NativeEndian);
            Load {
                file: start..start.saturating_add(header.p_filesz(NativeEndian)),
                address: header.p_vaddr(NativeEndian),
                permissions: permissions(header.p_flags(NativeEndian)),
            }
        })
        .collect();
    let dynamic = list
        .iter()
        .find(|header| header.p_type(NativeEndian) == elf::PT_DYNAMIC)
        .map(|header| header.p_vaddr(NativeEndian));
    Some(Build {
        id,
        headers,
        loads,
        dynamic,
    })
}

/// The mark of a file.
pub(super) fn build_of_file(file: &File) -> Option<Build> {
    build_of(&mut |offset, length| {
        let mut bytes = vec![0; length];
        let got = sys::read_at(file.as_fd(), &mut bytes, offset).ok()?;
        (got == length).then_some(bytes)
    })
}

/// What a segment may be used for. Whether it is shared is not told.
pub(super) fn permissions(flags: elf::ProgramFlags) -> Permissions {
    Permissions {
        read: flags.0 & elf::PF_R.0 != 0,
        write: flags.0 & elf::PF_W.0 != 0,
        execute: flags.0 & elf::PF_X.0 != 0,
        shared: false,
    }
}

fn gnu_build_id(notes: &[u8], align: u64) -> Option<Vec<u8>> {
    let notes = NoteIterator::<FileHeader64<NativeEndian>>::new(NativeEndian, align, notes);
    let mut notes = notes.ok()?;
    while let Ok(Some(note)) = notes.next() {
        if note.name() == elf::ELF_NOTE_GNU
            && note.n_type(NativeEndian) == elf::NT_GNU_BUILD_ID
            && !note.desc().is_empty()
        {
            return Some(note.desc().to_vec());
        }
    }
    None
}
