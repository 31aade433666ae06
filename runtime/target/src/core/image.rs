//! What tells one build of an ELF file from another: its build-id, or else its program headers.

use std::ops::Range;

use object::NativeEndian;
use object::elf::{self, FileHeader64};
use object::pod;
use object::read::elf::{FileHeader, NoteIterator, ProgramHeader};

use crate::maps::{Mapping, Permissions};

/// The most program headers that are looked at.
const MAX_HEADERS: usize = 512;
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
    /// The segment that a mapping shows a part of.
    pub fn load_of(&self, mapping: &Mapping, page_size: u64) -> Option<&Load> {
        let length = mapping.end - mapping.start;
        let end = mapping.offset.checked_add(length)?;
        let holds = |load: &&Load| {
            let first = load.file.start & !(page_size - 1);
            let last = load.file.end.checked_next_multiple_of(page_size);
            first <= mapping.offset && last.is_some_and(|last| end <= last)
        };
        // The last page of one segment is often the first one of the next: that which begins there is mapped over it.
        self.loads.iter().rev().find(holds)
    }

    /// Whether mappings of one file show segments of it, all as far from where the file has them.
    pub fn fits<'a>(
        &self,
        mut mappings: impl Iterator<Item = &'a Mapping>,
        page_size: u64,
    ) -> bool {
        let mut bias = None;
        mappings.all(|mapping| {
            // A file that is mapped twice begins anew.
            if mapping.offset == 0 {
                bias = None;
            }
            let Some(load) = self.load_of(mapping, page_size) else {
                return false;
            };
            let address = mapping
                .offset
                .wrapping_sub(load.file.start)
                .wrapping_add(load.address);
            let found = mapping.start.wrapping_sub(address);
            *bias.get_or_insert(found) == found
        })
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
        .map(|header| {
            let start = header.p_offset(NativeEndian);
            Load {
                file: start..start.saturating_add(header.p_filesz(NativeEndian)),
                address: header.p_vaddr(NativeEndian),
                permissions: permissions(header.p_flags(NativeEndian)),
            }
        })
        .collect();
    Some(Build { id, headers, loads })
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
