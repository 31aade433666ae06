//! Core files: a process as it was when it ended, or when `gcore` was used on it.
//!
//! A core file lists the process's memory, of which it holds a part, and the files that were mapped. [`CoreFile`] tells of these
//! as [`Process`](crate::Process) does of a living one, and finds the files; [`CoreMemory`] reads the memory.
//!
//! What was mapped from a file is mostly left out of a core file, so the files are needed, and they may have changed since. The first
//! page of each ELF file is in the core file by default (`coredump_filter`, core(5)): a file is used only if its build-id, or else its
//! program headers, agree with those. gdb leaves these pages out of some; then the file's segments must be those that were mapped.
//!
//! A core file may be hostile, as anybody's process can have any memory and any file names: all counts and lengths are bounded, and
//! only regular files are opened.

mod compressed;
mod error;
mod image;
mod memory;
mod parse;
mod recover;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag};

pub use compressed::Unpacking;
pub use error::{CoreError, CoreModuleError};
pub use memory::CoreMemory;

use crate::maps::{Mapping, MappingKind, Maps, Permissions, classify_file};
use crate::modules::{AT_PHDR, Module, auxiliary_value};
use crate::process::open_regular;
use crate::registers::ThreadSnapshot;
use crate::sys;
use image::{Build, build_of, build_of_file};
use parse::{Content, MappedFile, Segment};
use recover::recover;

/// The most files of which permissions are taken.
const MAX_FILES: usize = 4096;
/// Where the kernel has the system calls of old programs, which it writes into core files as it does the process's own memory: a constant of the machine's
/// binary interface (`asm/vsyscall.h`).
const VSYSCALL: u64 = 0xffff_ffff_ff60_0000;

const AT_SYSINFO_EHDR: u64 = 33;

/// Where the files of a core file are.
#[derive(Clone, Debug, Default)]
pub struct CoreOptions {
    /// The executable, instead of the path in the core file.
    pub executable: Option<PathBuf>,
    /// The directory under which all other paths of the core file are looked up; links in it do not lead out of it. The root directory
    /// of this machine unless given.
    pub sysroot: Option<PathBuf>,
    /// The most bytes that a compressed core file may come to; half of what is free where temporary files go unless given.
    pub most_bytes: Option<u64>,
}

/// A core file. Clones are handles to the same.
#[derive(Clone, Debug)]
pub struct CoreFile {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: File,
    content: Content,
    maps: Arc<Maps>,
    /// Which of the mappings show each file, by the file's number.
    parts: HashMap<u64, Vec<usize>>,
    page_size: u64,
    options: CoreOptions,
}

/// How far opening a core file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It is being unpacked.
    Unpacking(Unpacking),
    /// The files that it names are being looked at.
    Files {
        /// So many have been.
        done: usize,
        /// So many will be.
        of: usize,
    },
}

/// The file of a module, open.
#[derive(Debug)]
pub struct CoreModuleFile {
    /// The file, open for reading.
    pub file: File,
    /// Its path: as the core file has it, or the executable that was given instead.
    pub path: PathBuf,
    /// Whether it agrees with what the core file holds of it. Else the core file holds no more to tell by than where its segments were
    /// mapped, and these are the same.
    pub verified: bool,
}

impl CoreFile {
    /// Reads the headers and notes of a core file. One that is compressed with zstd, as systemd-coredump's are, is unpacked into a
    /// temporary file first.
    ///
    /// # Errors
    /// It cannot be read, is compressed in another way, is no core file, is of another machine, or is damaged before it has told what is
    /// in it. One that is cut short after that is read as far as it goes; see [`CoreFile::warnings`].
    pub fn open(path: &Path, options: CoreOptions) -> Result<CoreFile, CoreError> {
        CoreFile::open_with(path, options, &mut |_| true)
    }

    /// The same. `progress` is told how far it has come, and ends it by `false`.
    ///
    /// # Errors
    /// As those of [`CoreFile::open`], and [`CoreError::Interrupted`].
    pub fn open_with(
        path: &Path,
        mut options: CoreOptions,
        progress: &mut dyn FnMut(Opening) -> bool,
    ) -> Result<CoreFile, CoreError> {
        options.executable = options
            .executable
            .map(|path| std::path::absolute(&path).unwrap_or(path));
        let file = open_regular(path, &[]).map_err(|errno| refused(path, errno))?;
        let (file, warning) = if compressed::is_zstd(&file) {
            let mut progress = |done| progress(Opening::Unpacking(done));
            let unpacked = compressed::unpack(&file, path, options.most_bytes, &mut progress)?;
            (unpacked.file, unpacked.warning)
        } else {
            (file, None)
        };
        let mut content = parse::parse(&file, path)?;
        content.warnings.splice(0..0, warning);
        let mut core = CoreFile {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                file,
                page_size: content.page_size(),
                maps: Arc::new(mappings(&content)),
                parts: HashMap::new(),
                content,
                options,
            }),
        };
        let mut proceed = |done, of| match progress(Opening::Files { done, of }) {
            true => Ok(()),
            false => Err(CoreError::Interrupted {
                path: path.to_owned(),
            }),
        };
        if core.inner.content.files.is_empty() {
            let found = recover(&core, &mut proceed)?;
            if let Some(inner) = Arc::get_mut(&mut core.inner) {
                inner.content.files = found.files;
                inner.content.auxv = found.auxv;
                inner.content.warnings.push(found.warning);
                inner.page_size = inner.content.page_size();
                inner.maps = Arc::new(mappings(&inner.content));
            }
        }
        if let Some(inner) = Arc::get_mut(&mut core.inner) {
            inner.parts = parts(&inner.maps);
        }
        let maps = core.with_permissions(&mut proceed)?;
        if let Some(inner) = Arc::get_mut(&mut core.inner) {
            inner.maps = Arc::new(maps);
        }
        Ok(core)
    }

    /// The mappings, with the permissions of those of files that have no segment in the core file: gdb leaves out what the process
    /// has not changed. The files tell. `proceed` is told how many of how many files were looked at.
    fn with_permissions(
        &self,
        proceed: &mut dyn FnMut(usize, usize) -> Result<(), CoreError>,
    ) -> Result<Maps, CoreError> {
        let page_size = self.inner.page_size;
        let mut list = self.inner.maps.as_slice().to_vec();
        let untold = |mapping: &Mapping| {
            mapping.kind == MappingKind::File && self.segment_at(mapping.start).is_none()
        };
        let files: Vec<&Vec<usize>> = self
            .inner
            .parts
            .values()
            .filter(|parts| parts.iter().any(|part| list.get(*part).is_some_and(untold)))
            .take(MAX_FILES)
            .collect();
        for (done, indexes) in files.iter().enumerate() {
            proceed(done, files.len())?;
            let parts = self.at(indexes);
            let Some(first) = parts.first() else {
                continue;
            };
            let Ok((_, build)) = self.open_build(first) else {
                continue;
            };
            let loads = build.place(&parts, page_size);
            for ((index, part), load) in indexes.iter().zip(&parts).zip(loads) {
                if let (Some(mapping), Some(load)) = (list.get_mut(*index), load)
                    && untold(part)
                {
                    mapping.permissions = load.permissions;
                }
            }
        }
        Ok(Maps::from_mappings(list))
    }

    /// The mappings of the file that one of them shows, by ascending address.
    fn parts_of(&self, mapping: &Mapping) -> Vec<&Mapping> {
        self.inner
            .parts
            .get(&mapping.inode)
            .map_or(Vec::new(), |indexes| self.at(indexes))
    }

    fn at(&self, indexes: &[usize]) -> Vec<&Mapping> {
        let maps = self.inner.maps.as_slice();
        indexes
            .iter()
            .filter_map(|index| maps.get(*index))
            .collect()
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Where its files are.
    pub fn options(&self) -> &CoreOptions {
        &self.inner.options
    }

    /// The path of the executable, as the process saw it, if the core file tells which that is.
    pub fn executable(&self) -> Option<PathBuf> {
        self.main_mapping()?.path.clone()
    }

    /// The mapping of the executable that holds its program headers.
    fn main_mapping(&self) -> Option<&Mapping> {
        let headers = auxiliary_value(&self.inner.content.auxv, AT_PHDR)?;
        let mapping = self.inner.maps.find(headers)?;
        (mapping.kind == MappingKind::File).then_some(mapping)
    }

    /// The number that the process had, if the core file tells it.
    pub fn pid(&self) -> Option<i32> {
        self.inner.content.pid
    }

    /// The name that the process had (proc_pid_comm(5)); empty if the core file does not tell it.
    pub fn name(&self) -> &str {
        &self.inner.content.name
    }

    /// The first 80 bytes of its command line.
    pub fn arguments(&self) -> &str {
        &self.inner.content.arguments
    }

    /// The signal that ended it, if one did.
    pub fn signal(&self) -> Option<i32> {
        self.inner.content.signal
    }

    /// Its threads with their registers, first the one that got the signal.
    pub fn threads(&self) -> &[ThreadSnapshot] {
        &self.inner.content.threads
    }

    /// The auxiliary vector (getauxval(3)), or nothing.
    pub fn auxiliary_vector(&self) -> &[u8] {
        &self.inner.content.auxv
    }

    /// Its mappings. A core file tells no devices and inodes: each file has a number of its own for an inode. It also does not tell
    /// which memory is the heap, a stack, or shared.
    pub fn maps(&self) -> Arc<Maps> {
        Arc::clone(&self.inner.maps)
    }

    /// In what respect the core file is not whole, such as that it was cut short: one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.inner.content.warnings
    }

    /// The memory of the process.
    pub fn memory(&self) -> CoreMemory {
        CoreMemory::new(self.clone())
    }

    /// Its modules, in the order of the dynamic linker's list where that was dumped.
    pub fn modules(&self) -> Vec<Module> {
        Module::find_all(&mut self.memory(), self.auxiliary_vector())
    }

    /// The GNU build-id of a module, if the core file has it.
    pub fn build_id(&self, module: &Module) -> Option<Vec<u8>> {
        self.build(module.mappings.first()?)?.id
    }

    /// Whether the core file holds nothing by which the file of a module could be told to be the one that was mapped.
    pub fn is_unverified(&self, module: &Module) -> bool {
        module
            .mappings
            .first()
            .is_none_or(|first| self.build(first).is_none())
    }

    /// Opens the file of a module.
    ///
    /// # Errors
    /// It is not there, or is not the one that was mapped.
    pub fn open_module(&self, module: &Module) -> Result<CoreModuleFile, CoreModuleError> {
        let Some(first) = module.mappings.first() else {
            return Err(CoreModuleError::Open {
                path: module.path.clone(),
                errno: Errno::ENOENT,
            });
        };
        self.open_mapping(first)
    }

    /// Opens a file by a path of the process: under the directory that was given, else on this machine. What lies beside an executable
    /// that was given is also found.
    ///
    /// # Errors
    /// As opening a file has them; `EINVAL` for what is no regular file.
    pub fn open_in_root(&self, path: &Path) -> Result<File, Errno> {
        let options = &self.inner.options;
        let beside = options
            .executable
            .as_deref()
            .is_some_and(|executable| executable.parent() == path.parent());
        match &options.sysroot {
            Some(root) if !beside => open_below(root, path),
            _ => open_regular(path, &[]),
        }
    }

    /// Opens the file behind a mapping.
    ///
    /// # Errors
    /// It is not there, or is not the one that was mapped.
    pub fn open_mapping(&self, mapping: &Mapping) -> Result<CoreModuleFile, CoreModuleError> {
        Ok(self.open_build(mapping)?.0)
    }

    /// The same, with the mark of the file.
    fn open_build(&self, mapping: &Mapping) -> Result<(CoreModuleFile, Build), CoreModuleError> {
        let inner = &self.inner;
        let main = self
            .main_mapping()
            .is_some_and(|main| main.inode == mapping.inode);
        let named = mapping.path.clone().unwrap_or_default();
        let (path, opened, shown) = match (&inner.options.executable, &inner.options.sysroot) {
            (Some(given), _) if main => (given.clone(), open_regular(given, &[]), given.clone()),
            (_, Some(root)) => {
                let shown = root.join(named.strip_prefix("/").unwrap_or(&named));
                (named.clone(), open_below(root, &named), shown)
            }
            _ => (named.clone(), open_regular(&named, &[]), named),
        };
        let file = opened.map_err(|errno| CoreModuleError::Open {
            path: shown.clone(),
            errno,
        })?;
        let (verified, build) = self.verify(mapping, &file, &shown)?;
        let opened = CoreModuleFile {
            file,
            path,
            verified,
        };
        Ok((opened, build))
    }

    /// Whether a file is the one that was mapped, and its mark; `false` if only the places of its segments tell.
    fn verify(
        &self,
        mapping: &Mapping,
        file: &File,
        path: &Path,
    ) -> Result<(bool, Build), CoreModuleError> {
        let Some(found) = build_of_file(file) else {
            return Err(CoreModuleError::NotElf {
                path: path.to_owned(),
            });
        };
        let Some(wanted) = self.build(mapping) else {
            let parts = self.parts_of(mapping);
            let placed = found.place(&parts, self.inner.page_size);
            return if placed.iter().all(Option::is_some) {
                Ok((false, found))
            } else {
                Err(CoreModuleError::OtherSegments {
                    path: path.to_owned(),
                })
            };
        };
        if found.id != wanted.id {
            return Err(CoreModuleError::OtherBuild {
                path: path.to_owned(),
                found: found.id.unwrap_or_default(),
                wanted: wanted.id.unwrap_or_default(),
            });
        }
        if found.id.is_none() && found.headers != wanted.headers {
            return Err(CoreModuleError::OtherHeaders {
                path: path.to_owned(),
            });
        }
        Ok((true, found))
    }

    /// The mark of the file behind a mapping, from what the core file holds of its first pages.
    fn build(&self, mapping: &Mapping) -> Option<Build> {
        let parts = self.parts_of(mapping);
        let first = parts.iter().find(|part| part.offset == 0)?;
        build_of(&mut |offset, length| {
            let mut bytes = vec![0; length];
            let start = first.start.checked_add(offset)?;
            let end = start.checked_add(length as u64)?;
            if end > first.end {
                return None;
            }
            self.read_dumped(start, &mut bytes).then_some(bytes)
        })
    }

    /// Fills a buffer with bytes that were dumped, if all of them were.
    fn read_dumped(&self, address: u64, buffer: &mut [u8]) -> bool {
        let mut done = 0usize;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = address.saturating_add(done as u64);
            let Some((offset, length)) = self.dumped_at(at) else {
                return false;
            };
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let piece = length.min(rest.len());
            let Some(piece) = rest.get_mut(..piece) else {
                return false;
            };
            match sys::read_at(self.inner.file.as_fd(), piece, offset) {
                Ok(got) if got == piece.len() => done += got,
                _ => return false,
            }
        }
        true
    }

    /// The segment that holds an address.
    fn segment_at(&self, address: u64) -> Option<&Segment> {
        let segments = &self.inner.content.segments;
        let index = segments.partition_point(|segment| segment.end <= address);
        segments
            .get(index)
            .filter(|segment| segment.start <= address)
    }

    /// Whether an address was dumped and is no longer in the core file, or may have been written and was left out: the mapped file does
    /// not tell what stood there.
    fn lost_at(&self, address: u64) -> bool {
        self.segment_at(address).is_some_and(|segment| {
            let cut_off = address - segment.start < segment.meant;
            cut_off || (segment.permissions.write && !self.inner.content.dumps_written)
        })
    }

    /// How many bytes of a range of addresses the core file holds.
    pub fn dumped_in(&self, range: std::ops::Range<u64>) -> u64 {
        let segments = &self.inner.content.segments;
        let first = segments.partition_point(|segment| segment.end <= range.start);
        let there = segments.iter().skip(first);
        there
            .take_while(|segment| segment.start < range.end)
            .map(|segment| {
                let end = segment.start.saturating_add(segment.dumped).min(range.end);
                end.saturating_sub(segment.start.max(range.start))
            })
            .sum()
    }

    /// Where in the core file the byte of an address stands, and how many of those that follow stand there as well.
    fn dumped_at(&self, address: u64) -> Option<(u64, u64)> {
        let segment = self.segment_at(address)?;
        let within = address - segment.start;
        let length = segment.dumped.checked_sub(within)?;
        (length > 0).then(|| (segment.offset.saturating_add(within), length))
    }
}

/// Why a path could not be opened as a core file.
fn refused(path: &Path, errno: Errno) -> CoreError {
    let kind = std::fs::metadata(path).map(|found| found.file_type());
    let what = match (errno, kind) {
        (Errno::EINVAL, Ok(kind)) if kind.is_dir() => "a directory",
        (Errno::EINVAL, Ok(kind)) if kind.is_fifo() => "a pipe",
        (Errno::EINVAL, Ok(kind)) if kind.is_socket() => "a socket",
        (Errno::EINVAL, Ok(kind)) if kind.is_char_device() || kind.is_block_device() => "a device",
        _ => {
            return CoreError::Read {
                path: path.to_owned(),
                errno,
            };
        }
    };
    CoreError::NoFile {
        path: path.to_owned(),
        what,
    }
}

/// Which mappings show each file, by the file's number.
fn parts(maps: &Maps) -> HashMap<u64, Vec<usize>> {
    let mut parts: HashMap<u64, Vec<usize>> = HashMap::new();
    for (index, mapping) in maps.as_slice().iter().enumerate() {
        if mapping.inode != 0 {
            parts.entry(mapping.inode).or_default().push(index);
        }
    }
    parts
}

/// Opens a regular file by a path that is taken to be below a directory, links included.
fn open_below(root: &Path, path: &Path) -> Result<File, Errno> {
    let directory = File::open(root).map_err(|error| sys::errno_of(&error))?;
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    // Found first and opened then, for opening a device may do something.
    let found = nix::fcntl::openat2(directory.as_fd(), path, how)?;
    open_regular(
        Path::new(&format!("/proc/self/fd/{}", found.as_raw_fd())),
        &[],
    )
}

/// The mappings: each segment, cut where mapped files begin and end, and mapped files that no segment has.
fn mappings(content: &Content) -> Maps {
    let vdso = auxiliary_value(&content.auxv, AT_SYSINFO_EHDR);
    let mut numbers: HashMap<&[u8], u64> = HashMap::new();
    let mut list = Vec::with_capacity(content.segments.len() + content.files.len());
    let files = &content.files;
    for segment in &content.segments {
        let first = files.partition_point(|file| file.range.end <= segment.start);
        let mut at = segment.start;
        let within = files
            .iter()
            .skip(first)
            .take_while(|file| file.range.start < segment.end);
        for file in within {
            let start = file.range.start.max(segment.start);
            let end = file.range.end.min(segment.end);
            list.push(without_file(at..start, segment.permissions, vdso));
            list.push(of_file(file, start..end, segment.permissions, &mut numbers));
            at = end;
        }
        list.push(without_file(at..segment.end, segment.permissions, vdso));
    }
    for file in files {
        let index = content
            .segments
            .partition_point(|segment| segment.end <= file.range.start);
        let next = content.segments.get(index);
        if next.is_none_or(|segment| file.range.end <= segment.start) {
            let permissions = Permissions {
                read: true,
                ..Permissions::default()
            };
            list.push(of_file(file, file.range.clone(), permissions, &mut numbers));
        }
    }
    Maps::from_mappings(list)
}

/// A piece of a mapped file. Each path has a number.
fn of_file<'a>(
    file: &'a MappedFile,
    range: Range<u64>,
    permissions: Permissions,
    numbers: &mut HashMap<&'a [u8], u64>,
) -> Mapping {
    let (kind, deleted, path) = classify_file(&file.path);
    let next = numbers.len() as u64 + 1;
    // Whether memory is shared is told by its file alone.
    let permissions = Permissions {
        shared: kind == MappingKind::SharedMemory,
        ..permissions
    };
    Mapping {
        start: range.start,
        end: range.end,
        permissions,
        offset: file.offset.saturating_add(range.start - file.range.start),
        device: (0, 0),
        inode: *numbers.entry(&file.path).or_insert(next),
        path: Some(PathBuf::from(OsStr::from_bytes(path))),
        deleted,
        kind,
    }
}

/// Memory behind which there is no file; it may be empty, which [`Maps::from_mappings`] leaves out.
fn without_file(range: Range<u64>, permissions: Permissions, vdso: Option<u64>) -> Mapping {
    let (kind, path) = match range.start {
        start if vdso == Some(start) => (MappingKind::Vdso, Some("[vdso]")),
        VSYSCALL => (MappingKind::Kernel, Some("[vsyscall]")),
        _ => (MappingKind::Anonymous, None),
    };
    Mapping {
        start: range.start,
        end: range.end,
        permissions,
        offset: 0,
        device: (0, 0),
        inode: 0,
        path: path.map(PathBuf::from),
        deleted: false,
        kind,
    }
}
