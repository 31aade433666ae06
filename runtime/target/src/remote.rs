//! Reads of another process's memory that leave its pages as they are.
//!
//! `process_vm_readv` pins what it reads, and since Linux 5.19 the kernel gives a process a copy of its own of an anonymous page that a fork
//! still shares before it pins it (`gup_must_unshare` in mm/gup.c): a walk of a worker's heap would end its sharing with the master, page by
//! page. `/proc/PID/mem` does not pin, but is slower for large reads, and reads the registers of devices where these are mapped. So it
//! serves for pages without a file behind them that other page tables map too, in mappings of memory and of ordinary files.

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsFd;

use nix::errno::Errno;

use crate::error::OpenError;
use crate::maps::{Mapping, MappingKind, Maps};
use crate::presence::{Entries, Owner, Pagemap, Sharing};
use crate::process::Process;
use crate::sys;

/// Stretches of pages of its own between shared ones that are at most this long, in pages, are read with them.
const GAP: u64 = 64;

/// Another process's memory.
#[derive(Debug)]
pub(crate) struct Remote {
    pid: i32,
    memory: File,
    entries: Entries,
    page_size: u64,
}

/// A stretch, and whether it has pages that other processes share and that would be copied.
type Part = (Range<u64>, bool);

impl Remote {
    /// Opens that of a process, whose page table is this.
    ///
    /// # Errors
    /// It has gone, or may not be read.
    pub(crate) fn open(process: &Process, pagemap: &Pagemap) -> Result<Remote, OpenError> {
        Ok(Remote {
            pid: process.pid(),
            memory: process.open_proc(c"mem", "mem")?,
            entries: pagemap.entries(),
            page_size: sys::page_size(),
        })
    }

    /// Copies stretches, one after another, into `local`, which is as long as they are together or shorter; returns the bytes copied, which
    /// are fewer than asked for where a page could not be read. Not all stretches need be looked at. Which pages others share is taken from
    /// `sharing` where that knows it.
    ///
    /// # Errors
    /// When nothing could be read: `EFAULT` for an unreadable first page, `ESRCH` for a process that has gone, `EPERM`.
    pub(crate) fn read(
        &self,
        maps: &Maps,
        sharing: &Sharing,
        stretches: impl Iterator<Item = Range<u64>>,
        local: &mut [u8],
    ) -> Result<usize, Errno> {
        let mut done = 0usize;
        let mut plain: Vec<libc::iovec> = Vec::new();
        let mut waiting = 0usize;
        for stretch in stretches.take(sys::MAX_PIECES) {
            let room = local.len().saturating_sub(done + waiting) as u64;
            if room == 0 {
                break;
            }
            let end = stretch.end.min(stretch.start.saturating_add(room));
            for (part, shared) in self.parts(maps, sharing, stretch.start..end)? {
                let length = (part.end - part.start) as usize;
                if plain.len() >= sys::MAX_PIECES || shared {
                    let got = self.pinned(&mut plain, local.get_mut(done..done + waiting));
                    let got = after(done, got)?;
                    done += got;
                    if got < std::mem::take(&mut waiting) {
                        return Ok(done);
                    }
                }
                if shared {
                    let got = self.unpinned(part.start, local.get_mut(done..done + length));
                    let got = after(done, got)?;
                    done += got;
                    if got < length {
                        return Ok(done);
                    }
                } else {
                    plain.push(sys::remote_piece(part.start, length));
                    waiting += length;
                }
            }
        }
        let got = self.pinned(&mut plain, local.get_mut(done..done + waiting));
        Ok(done + after(done, got)?)
    }

    fn pinned(
        &self,
        pieces: &mut Vec<libc::iovec>,
        local: Option<&mut [u8]>,
    ) -> Result<usize, Errno> {
        let got = match local {
            Some(local) if !pieces.is_empty() => sys::read_process(self.pid, pieces, local),
            _ => Ok(0),
        };
        pieces.clear();
        got
    }

    fn unpinned(&self, address: u64, local: Option<&mut [u8]>) -> Result<usize, Errno> {
        match sys::read_at(self.memory.as_fd(), local.unwrap_or_default(), address) {
            // What was there a moment ago has gone with the whole address space.
            Ok(0) => Err(Errno::ESRCH),
            Err(Errno::EIO) => Err(Errno::EFAULT),
            other => other,
        }
    }

    /// Cuts a stretch where one way of reading ends and the other begins.
    fn parts(
        &self,
        maps: &Maps,
        sharing: &Sharing,
        stretch: Range<u64>,
    ) -> Result<Vec<Part>, Errno> {
        let mut parts = Vec::new();
        let mut buffer = Vec::new();
        let mut at = stretch.start;
        while at < stretch.end {
            let mapping = maps.find(at);
            let mut end = mapping.map_or(stretch.end, |mapping| mapping.end.min(stretch.end));
            if mapping.is_some_and(may_hold_copies) {
                let (known, until) = sharing.knows(at);
                end = end.min(until);
                let mut cutter = Cutter::new(&mut parts, at, GAP * self.page_size);
                if known {
                    for shared in sharing.shared(at..end) {
                        cutter.next(cutter.end..shared.start, Owner::Own);
                        cutter.next(shared, Owner::Shared);
                    }
                } else {
                    self.entries.each(at..end, &mut buffer, |page, entry| {
                        let page = page.max(at)..(page + self.page_size).min(end);
                        cutter.next(page, entry.owner());
                    })?;
                }
                cutter.finish(end);
            } else {
                add(&mut parts, at..end, false);
            }
            at = end;
        }
        Ok(parts)
    }
}

/// Cuts a stretch where pages that others share begin and end; what lies between two such and is not long goes with them.
struct Cutter<'a> {
    parts: &'a mut Vec<Part>,
    /// The longest stretch that goes with what is shared, in bytes.
    gap: u64,
    /// Where that begins that is not in `parts` yet.
    start: u64,
    /// Where the last page of that ends which others share, if one does.
    shared: Option<u64>,
    /// How far it has come.
    end: u64,
}

impl<'a> Cutter<'a> {
    fn new(parts: &'a mut Vec<Part>, start: u64, gap: u64) -> Self {
        Self {
            parts,
            gap,
            start,
            shared: None,
            end: start,
        }
    }

    /// Takes in the next pages.
    fn next(&mut self, pages: Range<u64>, owner: Owner) {
        self.end = pages.end;
        match (owner, self.shared) {
            (Owner::Shared, last) => {
                if last.is_none() {
                    add(self.parts, self.start..pages.start, false);
                    self.start = pages.start;
                }
                self.shared = Some(pages.end);
            }
            (_, None) => {}
            (Owner::Own, Some(last)) if pages.end - last <= self.gap => {}
            (_, Some(last)) => {
                add(self.parts, self.start..last, true);
                self.start = last;
                self.shared = None;
            }
        }
    }

    fn finish(self, end: u64) {
        let shared = self.shared.unwrap_or(self.start);
        add(self.parts, self.start..shared, true);
        add(self.parts, shared..end, false);
    }
}

/// Whether pages of a mapping may be copies that a fork shares. A device's memory has none, and must not be read but by what is certain not
/// to reach its registers.
fn may_hold_copies(mapping: &Mapping) -> bool {
    let file = mapping.kind == MappingKind::File
        && mapping
            .path
            .as_ref()
            .is_some_and(|path| !path.iter().any(|part| part == "dev"));
    !mapping.permissions.shared && (mapping.is_anonymous() || file)
}

/// Adds a stretch, joined with the one before it where both are read alike.
fn add(parts: &mut Vec<Part>, range: Range<u64>, shared: bool) {
    match parts.last_mut() {
        _ if range.start >= range.end => {}
        Some((last, kind)) if *kind == shared && last.end == range.start => last.end = range.end,
        _ => parts.push((range, shared)),
    }
}

/// An error counts only where nothing was read before it.
fn after(done: usize, got: Result<usize, Errno>) -> Result<usize, Errno> {
    match got {
        Err(_) if done > 0 => Ok(0),
        got => got,
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::*;
    use crate::process::Process;

    #[test]
    fn stretches_are_cut_where_pages_that_others_share_begin_and_end() {
        use Owner::{Other, Own, Shared};
        let cut = |owners: &[(u64, Owner)]| {
            let mut parts = Vec::new();
            let mut cutter = Cutter::new(&mut parts, 0, GAP);
            let mut at = 0;
            for (length, owner) in owners {
                for page in at..at + length {
                    cutter.next(page..page + 1, *owner);
                }
                at += length;
            }
            cutter.finish(at);
            parts
        };
        assert_eq!(cut(&[(9, Own), (9, Other)]), [(0..18, false)]);
        assert_eq!(cut(&[(9, Shared)]), [(0..9, true)]);
        assert_eq!(
            cut(&[(1, Own), (2, Shared), (3, Own)]),
            [(0..1, false), (1..3, true), (3..6, false)]
        );
        assert_eq!(
            cut(&[(1, Shared), (GAP, Own), (1, Shared)]),
            [(0..GAP + 2, true)]
        );
        let apart = [(0..1, true), (1..GAP + 2, false), (GAP + 2..GAP + 3, true)];
        assert_eq!(cut(&[(1, Shared), (GAP + 1, Own), (1, Shared)]), apart);
        let file = [(0..1, true), (1..2, false), (2..3, true)];
        assert_eq!(cut(&[(1, Shared), (1, Other), (1, Shared)]), file);
    }

    #[test]
    fn what_is_known_of_sharing_is_not_asked_again() {
        let own = Process::open(i32::try_from(std::process::id()).unwrap()).unwrap();
        let pagemap = Pagemap::open(&own).unwrap();
        let remote = Remote::open(&own, &pagemap).unwrap();
        let page = sys::page_size();
        let bytes = vec![1u8; 8 * page as usize];
        let start = (bytes.as_ptr() as u64).next_multiple_of(page);
        let all = start..start + 4 * page;
        let maps = own.maps().unwrap();
        let asked = |sharing: &Sharing| remote.parts(&maps, sharing, all.clone()).unwrap();
        // This process has them alone; what is said before counts.
        assert_eq!(asked(&Sharing::default()), [(all.clone(), false)]);
        let mut sharing = Sharing::default();
        let shared = start + page..start + 2 * page;
        sharing.add(start..start + 3 * page, std::iter::once(shared.clone()));
        assert_eq!(
            asked(&sharing),
            [
                (start..shared.start, false),
                (shared.clone(), true),
                (shared.end..all.end, false)
            ]
        );
    }
}
