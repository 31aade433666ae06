//! Memory of our own that target bytes are copied into, and handles to parts of it.
//!
//! A [`Buffer`] is written through [`Region`]s, which never overlap and cannot be cloned; a region that is frozen becomes a
//! [`Page`], which can only be read. So bytes that a page shows never change.

use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

use nix::errno::Errno;

/// Regions at least this long are aligned to it, so that the kernel can back them with huge pages.
const HUGE: usize = 2 << 20;

/// An anonymous private mapping. It is left out of our own core dumps.
#[derive(Debug)]
pub(crate) struct Buffer {
    base: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping belongs to the buffer alone and is not bound to a thread.
unsafe impl Send for Buffer {}
// SAFETY: through a shared buffer bytes are only read by pages, and written only by the one region that covers them.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Reserves `length` bytes of zeros; no memory is taken until they are written.
    pub(crate) fn reserve(length: usize) -> Result<Buffer, Errno> {
        let length = length
            .max(1)
            .checked_next_multiple_of(crate::sys::page_size() as usize)
            .ok_or(Errno::ENOMEM)?;
        let slack = if length >= HUGE { HUGE } else { 0 };
        let whole = length.checked_add(slack).ok_or(Errno::ENOMEM)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches no existing memory.
        let raw = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                whole,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1,
                0,
            )
        };
        if raw == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        let head = if slack == 0 {
            0
        } else {
            (raw as usize).wrapping_neg() & (HUGE - 1)
        };
        let tail = slack - head;
        let raw = raw.cast::<u8>();
        // SAFETY: head bytes at the start, then length bytes, then tail bytes are all within the mapping just made; the two
        // ends are given back and never used.
        let base = unsafe {
            let base = raw.add(head);
            if head > 0 {
                libc::munmap(raw.cast(), head);
            }
            if tail > 0 {
                libc::munmap(base.add(length).cast(), tail);
            }
            if length >= HUGE {
                libc::madvise(base.cast(), length, libc::MADV_HUGEPAGE);
            }
            libc::madvise(base.cast(), length, libc::MADV_DONTDUMP);
            // A supervisor that is forked has no use for it, and sharing it would cost a fault for each page that is written.
            libc::madvise(base.cast(), length, libc::MADV_DONTFORK);
            base
        };
        Ok(Buffer {
            base: NonNull::new(base).ok_or(Errno::ENOMEM)?,
            length,
        })
    }

    /// The length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.length
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: base and length describe a mapping that this buffer owns, and no handle to it is left.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.length) };
    }
}

/// A part of a buffer that is still being written. Regions of one buffer never overlap each other or a page.
#[derive(Debug)]
pub(crate) struct Region {
    buffer: Arc<Buffer>,
    offset: usize,
    length: usize,
}

impl Region {
    /// The whole of a new buffer.
    pub(crate) fn new(length: usize) -> Result<Region, Errno> {
        let buffer = Buffer::reserve(length)?;
        let length = buffer.len();
        Ok(Region {
            buffer: Arc::new(buffer),
            offset: 0,
            length,
        })
    }

    /// The length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// The bytes, to be written.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the range is within the buffer, and no other region and no page covers any of it.
        unsafe {
            std::slice::from_raw_parts_mut(self.buffer.base.as_ptr().add(self.offset), self.length)
        }
    }

    /// Takes the first `length` bytes off as a region of their own; `None` when there are not as many.
    pub(crate) fn take_front(&mut self, length: usize) -> Option<Region> {
        let rest = self.length.checked_sub(length)?;
        let front = Region {
            buffer: Arc::clone(&self.buffer),
            offset: self.offset,
            length,
        };
        self.offset += length;
        self.length = rest;
        Some(front)
    }

    /// Gives a region back that was the last one taken off the front, and so lies just before this one.
    pub(crate) fn give_back(&mut self, front: Region) {
        if Arc::ptr_eq(&self.buffer, &front.buffer) && front.offset + front.length == self.offset {
            self.offset = front.offset;
            self.length += front.length;
        }
    }

    /// Makes the kernel provide the memory now, so that writing it later costs no fault.
    pub(crate) fn populate(&mut self, range: Range<usize>) {
        let page = crate::sys::page_size() as usize;
        let Some(part) = self.bytes_mut().get_mut(range) else {
            return;
        };
        let start = part.as_mut_ptr();
        let skew = start.align_offset(page).min(part.len());
        let whole = (part.len() - skew) / page * page;
        // SAFETY: start + skew .. + whole is page-aligned memory of this region.
        let populated =
            unsafe { libc::madvise(start.add(skew).cast(), whole, libc::MADV_POPULATE_WRITE) } == 0;
        if !populated {
            for byte in part.iter_mut().step_by(page) {
                // SAFETY: a plain write through an exclusive reference; volatile so that it is not dropped.
                unsafe { std::ptr::write_volatile(byte, 0) };
            }
        }
    }

    /// Returns the memory of a range that will not be used; it reads as zeros afterwards.
    pub(crate) fn discard(&mut self, range: Range<usize>) {
        let page = crate::sys::page_size() as usize;
        let Some(part) = self.bytes_mut().get_mut(range) else {
            return;
        };
        let start = part.as_mut_ptr();
        let skew = start.align_offset(page).min(part.len());
        let whole = (part.len() - skew) / page * page;
        if whole > 0 {
            // SAFETY: the range is page-aligned memory of this region; private anonymous pages become zeros.
            unsafe { libc::madvise(start.add(skew).cast(), whole, libc::MADV_DONTNEED) };
        }
    }

    /// Ends the writing: from now on the bytes never change.
    pub(crate) fn freeze(self) -> Page {
        Page {
            buffer: self.buffer,
            offset: self.offset,
            length: self.length,
        }
    }
}

/// Bytes copied from a target: a cheap handle that keeps them alive. They never change while a handle exists.
#[derive(Clone, Debug)]
pub struct Page {
    buffer: Arc<Buffer>,
    offset: usize,
    length: usize,
}

impl Page {
    /// A page of `length` zeros.
    pub(crate) fn zeros(length: usize) -> Result<Page, Errno> {
        let mut region = Region::new(length)?;
        let front = region.take_front(length).ok_or(Errno::ENOMEM)?;
        Ok(front.freeze())
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the range is within the buffer, which the handle keeps alive, and no region covers any of it.
        unsafe {
            std::slice::from_raw_parts(self.buffer.base.as_ptr().add(self.offset), self.length)
        }
    }

    /// A handle to a part of the bytes; `None` when it is not inside.
    pub fn slice(&self, range: Range<usize>) -> Option<Page> {
        let length = range.end.checked_sub(range.start)?;
        if range.end > self.length {
            return None;
        }
        Some(Page {
            buffer: Arc::clone(&self.buffer),
            offset: self.offset + range.start,
            length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_disjoint_and_pages_stay() {
        let mut rest = Region::new(3 << 20).unwrap();
        let mut first = rest.take_front(4096).unwrap();
        first.bytes_mut().fill(7);
        let first = first.freeze();
        let mut second = rest.take_front(4096).unwrap();
        second.bytes_mut().fill(9);
        rest.give_back(second);
        let mut again = rest.take_front(8192).unwrap();
        assert_eq!(again.bytes_mut().first(), Some(&9));
        again.bytes_mut().fill(1);
        drop(rest);
        assert!(first.bytes().iter().all(|byte| *byte == 7));
        let part = first.slice(10..20).unwrap();
        drop(first);
        assert_eq!(part.bytes(), [7; 10]);
        assert!(part.slice(0..11).is_none());
    }

    #[test]
    fn populate_and_discard() {
        let mut region = Region::new(5 << 20).unwrap();
        assert_eq!(region.len(), 5 << 20);
        region.populate(0..5 << 20);
        region.bytes_mut().fill(3);
        region.discard(4096..5 << 20);
        assert_eq!(region.bytes_mut()[4095], 3);
        assert_eq!(region.bytes_mut()[4096], 0);
    }
}
