//! Which files were mapped, where a core file has no list of them: `gcore` writes its notes at the end, so they are the first to be lost.
//!
//! What is dumped of programs and libraries begins with their headers; these lead to the dynamic linker's list, which has the libraries'
//! paths. The kernel has put the path of the program at the end of the stack, and above the program's environment the vector that tells
//! where its headers are (`create_elf_tables` in fs/binfmt_elf.c). All of it is the process's own memory, and may hold anything; that a
//! file is the one that was mapped is held against its build-id as ever.

use std::collections::HashMap;
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::CoreFile;
use super::error::{CoreError, hexadecimal};
use super::image::{Build, build_of, build_of_file};
use super::parse::MappedFile;
use crate::modules::{
    AT_PHDR, AT_PHENT, AT_PHNUM, DT_DEBUG, MAX_DYNAMIC, PROGRAM_HEADER_SIZE, auxiliary_value,
    read_links,
};
use crate::process::open_regular;
use crate::sys;

/// The most images of programs and libraries that are looked at.
const MAX_IMAGES: usize = 4096;
/// The most pieces of files that are told.
const MAX_PIECES: usize = 1 << 16;
/// Segments that are looked at between two looks at interrupts.
const STEP: usize = 1024;
/// The longest path, in bytes.
const MAX_PATH: u64 = 4096;
/// So many bytes at the end of the stack may hold arguments and environment (`_STK_LIM / 4 * 3` in fs/exec.c).
const MAX_ARGUMENTS: u64 = 6 << 20;
/// The most entries of the auxiliary vector, and the largest kind of one; there are some twenty, up to 51.
const MAX_ENTRIES: usize = 64;
const MAX_KIND: u64 = 255;

const AT_EXECFN: u64 = 31;

/// What was found.
pub(super) struct Recovered {
    /// By ascending address, none overlapping.
    pub files: Vec<MappedFile>,
    /// The auxiliary vector: the core file's, that on the stack, or what of it the executable tells.
    pub auxv: Vec<u8>,
    /// What the user should know.
    pub warning: String,
}

/// An ELF file whose headers were dumped.
struct Image {
    /// The address of its first byte.
    start: u64,
    /// Address in memory less address in the file.
    bias: u64,
    build: Build,
    /// The address of its program headers, and how many there are.
    headers: (u64, u64),
    /// Where its dynamic section is.
    dynamic: Option<u64>,
    /// Whether that leads to the dynamic linker's list, as a program's does.
    leads: bool,
}

/// Finds the files. `proceed` is told how far it has come.
pub(super) fn recover(
    core: &CoreFile,
    proceed: &mut dyn FnMut(usize, usize) -> Result<(), CoreError>,
) -> Result<Recovered, CoreError> {
    let content = &core.inner.content;
    let on_stack = end_of_stack(core);
    let (mut auxv, executed) = match on_stack {
        Some((auxv, path)) => (auxv, Some(path)),
        None => (Vec::new(), None),
    };
    if !content.auxv.is_empty() {
        auxv.clone_from(&content.auxv);
    }
    let images = images(core, proceed)?;
    let main = main_image(core, &images, &auxv);
    let mut names: HashMap<u64, Vec<u8>> = HashMap::new();
    let first = main.into_iter().chain(&images);
    for image in first.filter(|image| image.leads) {
        let links = read_links(&mut core.memory(), image.headers.0, image.headers.1);
        for link in links.unwrap_or_default() {
            if let Some(name) = text_at(core, link.name).filter(|name| !name.is_empty()) {
                names.insert(link.dynamic, name);
            }
        }
        if !names.is_empty() {
            break;
        }
    }
    let mut files = Vec::new();
    let mut unnamed = 0usize;
    let given = core.inner.options.executable.as_deref();
    let mut program = given.map(|path| path.as_os_str().as_bytes().to_vec());
    program = program.or(executed.filter(|path| path.starts_with(b"/")));
    let mut known = 0usize;
    for image in &images {
        let is_main = main.is_some_and(|main| main.start == image.start);
        let name = match is_main {
            true => program.as_ref(),
            false => image.dynamic.and_then(|dynamic| names.get(&dynamic)),
        };
        match name {
            Some(name) if name.starts_with(b"/") => {
                known += 1;
                pieces(core, image, name, &mut files);
            }
            // The vDSO, which is no file.
            Some(_) => {}
            None => unnamed += 1,
        }
    }
    files.sort_by_key(|file| file.range.start);
    super::parse::drop_overlapping(&mut files, |file| file.range.clone());
    if let (Some(main), None) = (main, auxiliary_value(&auxv, AT_PHDR)) {
        auxv.clear();
        let (headers, count) = main.headers;
        for word in [
            (AT_PHDR, headers),
            (AT_PHENT, PROGRAM_HEADER_SIZE),
            (AT_PHNUM, count),
            (0, 0),
        ] {
            auxv.extend(word.0.to_ne_bytes());
            auxv.extend(word.1.to_ne_bytes());
        }
    }
    let lost = match content.threads.is_empty() {
        true => "no threads, registers and list of mapped files, which gcore writes at the end",
        false => "no list of mapped files",
    };
    let mut warning = format!(
        "the core file has {lost}; what is in its memory tells the names of {known} of {} files",
        known + unnamed
    );
    if let (Some(main), None) = (main, &program) {
        let id = main.build.id.as_deref().unwrap_or_default();
        warning.push_str(&format!(
            ", but not that of the executable, whose build-id is {}",
            hexadecimal(id)
        ));
    }
    Ok(Recovered {
        files,
        auxv,
        warning,
    })
}

/// The images that segments begin with.
fn images(
    core: &CoreFile,
    proceed: &mut dyn FnMut(usize, usize) -> Result<(), CoreError>,
) -> Result<Vec<Image>, CoreError> {
    let segments = &core.inner.content.segments;
    let mut images = Vec::new();
    for (done, segment) in segments.iter().enumerate() {
        if done % STEP == 0 {
            proceed(done, segments.len())?;
        }
        let mut magic = [0; 4];
        if core.read_dumped(segment.start, &mut magic) && magic == *b"\x7fELF" {
            images.extend(image(core, segment.start..segment.end));
        }
        if images.len() >= MAX_IMAGES {
            break;
        }
    }
    Ok(images)
}

/// The image at the start of a segment.
fn image(core: &CoreFile, range: Range<u64>) -> Option<Image> {
    let start = range.start;
    let mut headers_at = None;
    let build = build_of(&mut |offset, length| {
        let at = start.checked_add(offset)?;
        let within = at.checked_add(length as u64)? <= range.end;
        let mut bytes = vec![0; length];
        // The ELF header comes first, the program headers second.
        headers_at = headers_at.or((offset > 0).then_some(at));
        (within && core.read_dumped(at, &mut bytes)).then_some(bytes)
    })?;
    let page_size = core.inner.page_size;
    let first = build.loads.first()?;
    if first.file.start & !(page_size - 1) != 0 {
        return None;
    }
    let bias = start.wrapping_sub(first.address & !(page_size - 1));
    let dynamic = build.dynamic.map(|address| bias.wrapping_add(address));
    let leads = dynamic.is_some_and(|dynamic| leads_to_list(core, dynamic));
    Some(Image {
        start,
        bias,
        headers: (
            headers_at?,
            build.headers.len() as u64 / PROGRAM_HEADER_SIZE,
        ),
        build,
        dynamic,
        leads,
    })
}

/// Whether a dynamic section has the address of the dynamic linker's list.
fn leads_to_list(core: &CoreFile, dynamic: u64) -> bool {
    for index in 0..MAX_DYNAMIC as u64 {
        let mut entry = [[0; 8]; 2];
        let at = dynamic.wrapping_add(index * 16);
        if !core.read_dumped(at, entry.as_flattened_mut()) {
            return false;
        }
        match entry.map(u64::from_ne_bytes) {
            [0, _] => return false,
            [DT_DEBUG, address] => return address != 0,
            _ => {}
        }
    }
    false
}

/// Which image is the executable: that whose headers the kernel has pointed at, the one that the user has named, one that leads to the
/// dynamic linker's list, or the only one.
fn main_image<'a>(core: &CoreFile, images: &'a [Image], auxv: &[u8]) -> Option<&'a Image> {
    if let Some(headers) = auxiliary_value(auxv, AT_PHDR) {
        return images.iter().find(|image| image.headers.0 == headers);
    }
    let given = core.inner.options.executable.as_deref();
    let given = given.and_then(|path: &Path| build_of_file(&open_regular(path, &[]).ok()?));
    let same = |image: &&Image| given.as_ref().is_some_and(|given| image.build.is(given));
    let mut named = images.iter().filter(same);
    // Where the user has named another file, comparing the two will tell what is wrong.
    let mut leading = images.iter().filter(|image| image.leads);
    let alone = images.first().filter(|_| images.len() == 1);
    named.next().or_else(|| leading.next()).or(alone)
}

/// The pieces of a file, cut where segments begin and end.
fn pieces(core: &CoreFile, image: &Image, name: &[u8], files: &mut Vec<MappedFile>) {
    let page_size = core.inner.page_size;
    let segments = &core.inner.content.segments;
    for load in &image.build.loads {
        let address = image.bias.wrapping_add(load.address);
        let start = address & !(page_size - 1);
        let length = load.file.end - load.file.start;
        let end = address
            .checked_add(length)
            .and_then(|end| end.checked_next_multiple_of(page_size));
        let Some(end) = end.filter(|end| length > 0 && *end > start) else {
            continue;
        };
        let mut at = start;
        let mut next = segments.partition_point(|segment| segment.end <= start);
        while at < end && files.len() < MAX_PIECES {
            let (until, inside) = match segments.get(next) {
                Some(segment) if segment.start <= at => (segment.end, true),
                Some(segment) => (segment.start, false),
                None => (end, false),
            };
            next += usize::from(inside);
            let until = until.min(end);
            files.push(MappedFile {
                range: at..until,
                offset: (load.file.start & !(page_size - 1)).saturating_add(at - start),
                path: name.to_owned(),
            });
            at = until;
        }
    }
}

/// The text at an address, without its zero byte.
fn text_at(core: &CoreFile, address: u64) -> Option<Vec<u8>> {
    let (offset, length) = core.dumped_at(address)?;
    let mut bytes = vec![0; usize::try_from(length.min(MAX_PATH)).ok()?];
    let got = sys::read_at(core.inner.file.as_fd(), &mut bytes, offset).ok()?;
    bytes.truncate(got);
    let end = bytes.iter().position(|byte| *byte == 0)?;
    bytes.truncate(end);
    Some(bytes)
}

/// The auxiliary vector and the path of the program, from the end of the stack.
fn end_of_stack(core: &CoreFile) -> Option<(Vec<u8>, Vec<u8>)> {
    let segments = core.inner.content.segments.iter().rev();
    let mut writable = segments.filter(|segment| segment.permissions.write);
    // The kernel puts it above all else.
    let stack = writable.next()?;
    let start = stack.start.max(stack.end.saturating_sub(MAX_ARGUMENTS));
    let mut bytes = vec![0; usize::try_from(stack.end - start).ok()?];
    if !core.read_dumped(start, &mut bytes) {
        return None;
    }
    let end = bytes.iter().rposition(|byte| *byte != 0)? + 1;
    let text = bytes.get(..end)?;
    let first = text.iter().rposition(|byte| *byte == 0)? + 1;
    let path = text.get(first..)?.to_owned();
    let at = start + first as u64;
    let words: Vec<u64> = bytes
        .chunks_exact(8)
        .map(|word| word.try_into().map_or(0, u64::from_ne_bytes))
        .collect();
    let here = words.windows(2).rposition(|pair| pair == [AT_EXECFN, at])?;
    let is_entry = |index: &usize| {
        words
            .get(*index)
            .is_some_and(|kind| (1..=MAX_KIND).contains(kind))
    };
    let before = (1..MAX_ENTRIES).map_while(|back| here.checked_sub(2 * back));
    let first = before.take_while(is_entry).last().unwrap_or(here);
    let count = (0..MAX_ENTRIES)
        .map(|next| first + 2 * next)
        .take_while(is_entry)
        .count();
    let entries = words.get(first..first + 2 * count)?;
    let mut auxv: Vec<u8> = entries.iter().flat_map(|word| word.to_ne_bytes()).collect();
    auxv.extend([0; 16]);
    Some((auxv, path))
}
