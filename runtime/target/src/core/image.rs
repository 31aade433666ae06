//! What tells one build of an ELF file from another: its build-id, or else its program headers.

use object::NativeEndian;
use object::elf::{self, FileHeader64};
use object::pod;
use object::read::elf::{FileHeader, NoteIterator, ProgramHeader};

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
    Some(Build { id, headers })
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
