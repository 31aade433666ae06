//! The mappings of a process, as `/proc/PID/maps` tells them (proc_pid_maps(5)).

use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The most mappings that are kept of one process; the kernel's default limit is 65,530.
const MAX_MAPPINGS: usize = 4 << 20;

/// What a mapping may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Permissions {
    /// It may be read.
    pub read: bool,
    /// It may be written.
    pub write: bool,
    /// It may be executed.
    pub execute: bool,
    /// Writes are seen by others who map the same object.
    pub shared: bool,
}

/// What lies behind a mapping.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MappingKind {
    /// Private memory without a file.
    Anonymous,
    /// The heap that `brk` moves.
    Heap,
    /// The main thread's stack.
    Stack,
    /// Shared memory without a path that can be opened: `MAP_SHARED|MAP_ANONYMOUS`, System V segments, memfds.
    SharedMemory,
    /// A file (also one in `/dev/shm`).
    File,
    /// The kernel's shared library, `[vdso]`.
    Vdso,
    /// Memory of the kernel that is not read through the target: `[vvar]`, `[vsyscall]`, `[uprobes]`.
    Kernel,
    /// Anything else, such as the rings of io_uring (`anon_inode:[io_uring]`).
    Other,
}

/// Where in a file something comes from. What is found at an address with the same origin later is the same piece of the same
/// file; anything else has taken its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub(crate) device: (u32, u32),
    /// 0 without a file.
    pub(crate) inode: u64,
    /// Of the address itself, not of its mapping, which may be split and joined.
    pub(crate) offset: u64,
}

impl Origin {
    /// Whether there is a file at all.
    pub(crate) fn is_file(self) -> bool {
        self.inode != 0
    }
}

/// One mapping.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mapping {
    /// The first address.
    pub start: u64,
    /// The first address after it.
    pub end: u64,
    /// What it may be used for.
    pub permissions: Permissions,
    /// Where in the file it starts, in bytes.
    pub offset: u64,
    /// The device of the file: major, minor. Not always what `stat` says (btrfs, overlayfs).
    pub device: (u32, u32),
    /// The inode of the file; 0 without a file.
    pub inode: u64,
    /// The path as the process's mount namespace has it, newlines decoded, without ` (deleted)`. A name in brackets for
    /// special mappings; `None` for plain anonymous memory.
    pub path: Option<PathBuf>,
    /// Whether the file has been deleted (or was replaced) since.
    pub deleted: bool,
    /// What lies behind it.
    pub kind: MappingKind,
}

impl Mapping {
    /// The length in bytes.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it has no bytes; the kernel makes none such.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `address` lies in it.
    pub fn contains(&self, address: u64) -> bool {
        self.start <= address && address < self.end
    }

    /// Where an address in it comes from.
    pub(crate) fn origin(&self, address: u64) -> Origin {
        let within = address.wrapping_sub(self.start);
        Origin {
            device: self.device,
            inode: self.inode,
            offset: self.offset.wrapping_add(within),
        }
    }

    /// Its addresses.
    pub fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// Whether an absent page of it is a page of zeros.
    pub fn is_anonymous(&self) -> bool {
        matches!(
            self.kind,
            MappingKind::Anonymous | MappingKind::Heap | MappingKind::Stack
        )
    }

    /// Whether its content does not change while it is mapped: private and not writable, from a file or the kernel.
    pub fn is_constant(&self) -> bool {
        !self.permissions.write
            && !self.permissions.shared
            && matches!(self.kind, MappingKind::File | MappingKind::Vdso)
    }
}

/// All mappings of a process, by ascending address, none overlapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maps {
    mappings: Vec<Mapping>,
}

impl Maps {
    /// Parses the text of `/proc/PID/maps`. Lines that do not have the documented form, or do not ascend, are left out.
    pub fn parse(text: &[u8]) -> Maps {
        let mut mappings: Vec<Mapping> = Vec::new();
        for line in text.split(|byte| *byte == b'\n').take(MAX_MAPPINGS) {
            let Some(mapping) = parse_line(line) else {
                continue;
            };
            if mappings.last().is_none_or(|last| last.end <= mapping.start) {
                mappings.push(mapping);
            }
        }
        Maps { mappings }
    }

    /// Makes mappings of a list, which is sorted; those that overlap an earlier one are left out.
    pub fn from_mappings(mut list: Vec<Mapping>) -> Maps {
        list.sort_by_key(|mapping| mapping.start);
        let mut mappings: Vec<Mapping> = Vec::with_capacity(list.len());
        for mapping in list {
            let after = mappings.last().is_none_or(|last| last.end <= mapping.start);
            if after && !mapping.is_empty() {
                mappings.push(mapping);
            }
        }
        Maps { mappings }
    }

    /// The mappings, ascending.
    pub fn as_slice(&self) -> &[Mapping] {
        &self.mappings
    }

    /// The mapping that holds `address`.
    pub fn find(&self, address: u64) -> Option<&Mapping> {
        let index = self
            .mappings
            .partition_point(|mapping| mapping.end <= address);
        self.mappings
            .get(index)
            .filter(|mapping| mapping.contains(address))
    }

    /// The private writable memory that `later` has and these mappings have not: where a process put what it allocated
    /// since. At most `limit` bytes of addresses.
    pub fn growth(&self, later: &Maps, limit: u64) -> Vec<Range<u64>> {
        let mut left = limit;
        let mut grown = Vec::new();
        let writable = later.mappings.iter().filter(|mapping| {
            let permissions = mapping.permissions;
            permissions.read
                && permissions.write
                && !permissions.shared
                && matches!(mapping.kind, MappingKind::Anonymous | MappingKind::Heap)
        });
        for mapping in writable {
            let mut gaps = Vec::new();
            let mut at = mapping.start;
            for old in self.overlapping(mapping.range()) {
                gaps.push(at..old.start.max(at));
                at = at.max(old.end);
            }
            gaps.push(at..mapping.end.max(at));
            for gap in gaps.into_iter().filter(|gap| !gap.is_empty()) {
                if let Some(rest) = left.checked_sub(gap.end - gap.start) {
                    left = rest;
                    grown.push(gap);
                }
            }
        }
        grown
    }

    /// The mappings that overlap a range, ascending.
    pub fn overlapping(&self, range: Range<u64>) -> impl Iterator<Item = &Mapping> {
        let first = self
            .mappings
            .partition_point(|mapping| mapping.end <= range.start);
        self.mappings
            .iter()
            .skip(first)
            .take_while(move |mapping| mapping.start < range.end)
    }
}

fn parse_line(line: &[u8]) -> Option<Mapping> {
    let mut rest = line;
    let mut field = || {
        let end = rest
            .iter()
            .position(|byte| *byte == b' ')
            .unwrap_or(rest.len());
        let (field, after) = rest.split_at_checked(end)?;
        rest = after.strip_prefix(b" ").unwrap_or(after);
        std::str::from_utf8(field)
            .ok()
            .filter(|field| !field.is_empty())
    };
    let (start, end) = field()?.split_once('-')?;
    let flags = field()?.as_bytes();
    let offset = field()?;
    let (major, minor) = field()?.split_once(':')?;
    let inode = field()?;
    let start = u64::from_str_radix(start, 16).ok()?;
    let end = u64::from_str_radix(end, 16)
        .ok()
        .filter(|end| *end > start)?;
    let inode = inode.parse::<u64>().ok()?;
    let permissions = Permissions {
        read: flags.first() == Some(&b'r'),
        write: flags.get(1) == Some(&b'w'),
        execute: flags.get(2) == Some(&b'x'),
        shared: flags.get(3) == Some(&b's'),
    };
    let padding = rest.iter().take_while(|byte| **byte == b' ').count();
    let name = rest.get(padding..).unwrap_or(b"");
    let (kind, deleted, path) = classify(name, inode, permissions.shared);
    Some(Mapping {
        start,
        end,
        permissions,
        offset: u64::from_str_radix(offset, 16).ok()?,
        device: (
            u32::from_str_radix(major, 16).ok()?,
            u32::from_str_radix(minor, 16).ok()?,
        ),
        inode,
        path,
        deleted,
        kind,
    })
}

fn classify(name: &[u8], inode: u64, shared: bool) -> (MappingKind, bool, Option<PathBuf>) {
    if name.is_empty() {
        let kind = if inode == 0 && !shared {
            MappingKind::Anonymous
        } else {
            MappingKind::Other
        };
        return (kind, false, None);
    }
    let path_of = |name: &[u8]| Some(PathBuf::from(OsString::from_vec(unescape(name))));
    if name.starts_with(b"[anon_shmem:") {
        return (MappingKind::SharedMemory, false, path_of(name));
    }
    if inode == 0 && name.starts_with(b"[") {
        let kind = match name {
            b"[heap]" => MappingKind::Heap,
            b"[stack]" => MappingKind::Stack,
            b"[vdso]" => MappingKind::Vdso,
            _ if name.starts_with(b"[anon:") || name.starts_with(b"[stack:") => {
                MappingKind::Anonymous
            }
            _ => MappingKind::Kernel,
        };
        return (kind, false, path_of(name));
    }
    let (kind, deleted, stem) = classify_file(name);
    (kind, deleted, path_of(stem))
}

/// What lies behind a mapping that has a path, whether that was deleted, and the path without the mark of that.
pub(crate) fn classify_file(name: &[u8]) -> (MappingKind, bool, &[u8]) {
    let (stem, deleted) = match name.strip_suffix(b" (deleted)") {
        Some(stem) => (stem, true),
        None => (name, false),
    };
    let nameless = deleted
        && (stem == b"/dev/zero" || stem.starts_with(b"/SYSV") || stem.starts_with(b"/memfd:"));
    let kind = match stem.first() {
        Some(b'/') if nameless => MappingKind::SharedMemory,
        Some(b'/') => MappingKind::File,
        _ => MappingKind::Other,
    };
    (kind, deleted, stem)
}

/// Decodes the only escape that the kernel makes here: a newline, written `\012`. A backslash itself is not escaped, so a
/// file whose name really holds these four characters cannot be told apart; whoever opens it compares the inode.
fn unescape(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(b"\\012") {
            plain.push(b'\n');
            rest = after;
        } else {
            plain.push(*first);
            rest = after;
        }
    }
    plain
}

/// The spellings under which the file of a mapping may be found: as decoded, with the escape left alone, and with the
/// ending that is taken for the mark of a deleted file.
pub(crate) fn path_candidates(mapping: &Mapping) -> Vec<PathBuf> {
    let Some(path) = mapping.path.as_deref() else {
        return Vec::new();
    };
    let mut candidates = vec![path.to_owned()];
    let bytes = path.as_os_str().as_bytes();
    if bytes.contains(&b'\n') {
        let escaped: Vec<u8> = bytes
            .iter()
            .flat_map(|byte| {
                if *byte == b'\n' {
                    b"\\012".to_vec()
                } else {
                    vec![*byte]
                }
            })
            .collect();
        candidates.push(PathBuf::from(OsString::from_vec(escaped)));
    }
    if mapping.deleted {
        let marked: Vec<PathBuf> = candidates
            .iter()
            .map(|path| with_suffix(path, " (deleted)"))
            .collect();
        candidates.extend(marked);
    }
    candidates
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(OsStr::new(suffix));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(line: &str) -> Mapping {
        Maps::parse(line.as_bytes()).as_slice()[0].clone()
    }

    #[test]
    fn ordinary_lines() {
        let text = one("55d0-55d1 r-xp 00001000 fe:01 1234                       /usr/bin/a b");
        assert_eq!(
            (text.start, text.end, text.offset, text.device, text.inode),
            (0x55d0, 0x55d1, 0x1000, (0xfe, 1), 1234)
        );
        assert_eq!(text.path.as_deref(), Some(Path::new("/usr/bin/a b")));
        assert!(text.permissions.execute && !text.permissions.write && !text.permissions.shared);
        assert!(text.is_constant());
        assert_eq!(one("1-2 rw-p 0 00:00 0 ").kind, MappingKind::Anonymous);
        assert_eq!(one("1-2 rw-p 0 00:00 0").kind, MappingKind::Anonymous);
        assert_eq!(one("1-2 rw-p 0 00:00 0    [heap]").kind, MappingKind::Heap);
        assert_eq!(
            one("1-2 rw-p 0 00:00 0    [anon:glibc: malloc]").kind,
            MappingKind::Anonymous
        );
        assert_eq!(
            one("1-2 rw-s 0 00:01 77    /dev/zero (deleted)").kind,
            MappingKind::SharedMemory
        );
        assert_eq!(
            one("1-2 rw-s 0 00:01 77    anon_inode:[io_uring]").kind,
            MappingKind::Other
        );
        assert_eq!(
            one("1-2 r--p 0 00:00 0    [vvar_vclock]").kind,
            MappingKind::Kernel
        );
    }

    #[test]
    fn hostile_names() {
        let mapping = one("1-2 r--p 0 00:01 77 /tmp/x\\012-9 rw-p (deleted)");
        assert_eq!(mapping.path.as_deref(), Some(Path::new("/tmp/x\n-9 rw-p")));
        assert!(mapping.deleted);
        let candidates = path_candidates(&mapping);
        assert!(candidates.contains(&PathBuf::from("/tmp/x\\012-9 rw-p (deleted)")));
        assert_eq!(one("1-2 r--p 0 00:01 77   /[heap]").kind, MappingKind::File);
        assert!(
            Maps::parse(b"garbage\n\n-\n5-1 r--p 0 00:00 0\n1-2")
                .as_slice()
                .is_empty()
        );
        let overlap = Maps::parse(b"1000-3000 rw-p 0 00:00 0\n2000-4000 rw-p 0 00:00 0\n");
        assert_eq!(overlap.as_slice().len(), 1);
    }

    #[test]
    fn finding() {
        let maps = Maps::parse(b"1000-3000 rw-p 0 00:00 0\n5000-6000 rw-p 0 00:00 0\n");
        assert!(maps.find(0xfff).is_none());
        assert_eq!(maps.find(0x2fff).map(|mapping| mapping.start), Some(0x1000));
        assert!(maps.find(0x3000).is_none());
        assert_eq!(maps.overlapping(0x2000..0x5001).count(), 2);
        assert_eq!(maps.overlapping(0x3000..0x5000).count(), 0);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            Maps::parse(&text);
        }

        #[test]
        fn any_name_comes_back(name in proptest::collection::vec(1u8..=255, 1..60)) {
            let mut path = b"/".to_vec();
            path.extend(&name);
            let escaped: Vec<u8> = path.iter().flat_map(|byte| match byte {
                b'\n' => b"\\012".to_vec(),
                other => vec![*other],
            }).collect();
            let mut line = b"1000-2000 r--p 00000000 08:01 5   ".to_vec();
            line.extend(&escaped);
            let maps = Maps::parse(&line);
            let wanted = PathBuf::from(OsString::from_vec(path));
            prop_assert!(path_candidates(&maps.as_slice()[0]).contains(&wanted)
                || name.windows(4).any(|four| four == b"\\012"));
        }
    }
}
