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
use crate::presence::{EXCLUSIVE_BIT, FILE_BIT, PRESENT_BIT};
use crate::process::Process;
use crate::sys;

/// Stretches of pages of its own between shared ones that are at most this long, in pages, are read with them.
const GAP: usize = 64;
/// Entries of the page table that are read at once.
const ENTRIES: u64 = 4096;

/// Another process's memory.
#[derive(Debug)]
pub(crate) struct Remote {
    pid: i32,
    memory: File,
    pagemap: File,
    page_size: u64,
}

/// A stretch, and whether it has pages that other processes share and that would be copied.
type Part = (Range<u64>, bool);

impl Remote {
    /// Opens that of a process.
    ///
    /// # Errors
    /// It has gone, or may not be read.
    pub(crate) fn open(process: &Process) -> Result<Remote, OpenError> {
        Ok(Remote {
            pid: process.pid(),
            memory: process.open_proc(c"mem", "mem")?,
            pagemap: process.open_proc(c"pagemap", "pagemap")?,
            page_size: sys::page_size(),
        })
    }

    /// Copies stretches, one after another, into `local`, which is as long as they are together or shorter; returns the bytes copied, which
    /// are fewer than asked for where a page could not be read. Not all stretches need be looked at.
    ///
    /// # Errors
    /// When nothing could be read: `EFAULT` for an unreadable first page, `ESRCH` for a process that has gone, `EPERM`.
    pub(crate) fn read(
        &self,
        maps: &Maps,
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
            for (part, shared) in self.parts(maps, stretch.start..end)? {
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
    fn parts(&self, maps: &Maps, stretch: Range<u64>) -> Result<Vec<Part>, Errno> {
        let mut parts = Vec::new();
        let mut at = stretch.start;
        while at < stretch.end {
            let mapping = maps.find(at);
            let end = mapping.map_or(stretch.end, |mapping| mapping.end.min(stretch.end));
            if mapping.is_some_and(may_hold_copies) {
                self.classify(at..end, &mut parts)?;
            } else {
                add(&mut parts, at..end, false);
            }
            at = end;
        }
        Ok(parts)
    }

    fn classify(&self, range: Range<u64>, parts: &mut Vec<Part>) -> Result<(), Errno> {
        let page = self.page_size;
        let mut number = range.start / page;
        let last = range.end.div_ceil(page);
        let mut bytes = Vec::new();
        let bounds = |first: u64, end: u64| {
            (first * page).max(range.start)..end.saturating_mul(page).min(range.end)
        };
        while number < last {
            bytes.resize((last - number).min(ENTRIES) as usize * 8, 0);
            let got = sys::read_at(self.pagemap.as_fd(), &mut bytes, number * 8)? / 8;
            if got == 0 {
                return Err(Errno::ESRCH);
            }
            let kinds: Vec<Kind> = bytes
                .chunks_exact(8)
                .take(got)
                .map(|entry| Kind::of(entry.try_into().map_or(0, u64::from_ne_bytes)))
                .collect();
            let mut index = 0;
            while let Some(&kind) = kinds.get(index) {
                let mut end = index;
                // The end of what is shared, and what follows it that is not long.
                let mut shared_end = index;
                while let Some(&next) = kinds.get(end) {
                    let goes_on = match (kind, next) {
                        (Kind::Shared, Kind::Shared) => {
                            shared_end = end + 1;
                            true
                        }
                        (Kind::Shared, Kind::Own) => end - shared_end < GAP,
                        (Kind::Shared, Kind::Other) => false,
                        (_, next) => next != Kind::Shared,
                    };
                    if !goes_on {
                        break;
                    }
                    end += 1;
                }
                let shared = kind == Kind::Shared;
                if shared {
                    end = shared_end;
                }
                add(
                    parts,
                    bounds(number + index as u64, number + end as u64),
                    shared,
                );
                index = end;
            }
            number += got as u64;
        }
        Ok(())
    }
}

/// How a page would be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Without a file behind it, and mapped by others, too; or the kernel's page of zeros.
    Shared,
    /// Without a file behind it, and this process's alone.
    Own,
    /// Of a file, or not there.
    Other,
}

impl Kind {
    fn of(entry: u64) -> Kind {
        if entry & PRESENT_BIT == 0 || entry & FILE_BIT != 0 {
            Kind::Other
        } else if entry & EXCLUSIVE_BIT != 0 {
            Kind::Own
        } else {
            Kind::Shared
        }
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
        Some((last, kind)) if *kind == shared && last.end == range.start => last.end = range.end,
        _ if range.start < range.end => parts.push((range, shared)),
        _ => {}
    }
}

/// An error counts only where nothing was read before it.
fn after(done: usize, got: Result<usize, Errno>) -> Result<usize, Errno> {
    match got {
        Err(_) if done > 0 => Ok(0),
        got => got,
    }
}
