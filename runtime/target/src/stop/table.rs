//! Memory that is shared with a process forked later.

use std::marker::PhantomData;
use std::ptr::NonNull;

use nix::errno::Errno;

/// An array of zeros, of which each side keeps a handle. Elements are read and written whole. There is no lock: a side must
/// know by other means when the other one does not write.
#[derive(Debug)]
pub(crate) struct Shared<T> {
    base: NonNull<T>,
    length: usize,
    owns: PhantomData<T>,
}

// SAFETY: the mapping is not bound to a thread, and elements are plain data.
unsafe impl<T: Plain> Send for Shared<T> {}

/// # Safety
/// For types without references and without a destructor, for which all-zero bytes are a value.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: a number.
unsafe impl Plain for u64 {}

impl<T: Plain> Shared<T> {
    /// Room for `length` elements; memory is taken when they are written.
    pub(crate) fn new(length: usize) -> Result<Shared<T>, Errno> {
        let bytes = length.checked_mul(size_of::<T>()).ok_or(Errno::ENOMEM)?;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches no existing memory.
        let raw = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if raw == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        // SAFETY: the mapping just made.
        unsafe { libc::madvise(raw, bytes, libc::MADV_DONTDUMP) };
        Ok(Shared {
            base: NonNull::new(raw.cast()).ok_or(Errno::ENOMEM)?,
            length,
            owns: PhantomData,
        })
    }

    /// An element; `None` past the end.
    pub(crate) fn get(&self, index: usize) -> Option<T> {
        // SAFETY: the element is within the mapping, aligned, and holds zeros or a value that was written whole.
        (index < self.length).then(|| unsafe { self.base.add(index).as_ptr().read_volatile() })
    }

    /// Sets an element; past the end nothing is done.
    pub(crate) fn set(&mut self, index: usize, value: T) {
        if index < self.length {
            // SAFETY: the element is within the mapping and aligned.
            unsafe { self.base.add(index).as_ptr().write_volatile(value) };
        }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no reference into it exists.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.length * size_of::<T>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_kept_and_the_end_is_known() {
        let mut shared = Shared::<u64>::new(3).unwrap();
        assert_eq!((shared.get(2), shared.get(3)), (Some(0), None));
        shared.set(2, 7);
        shared.set(3, 8);
        assert_eq!(shared.get(2), Some(7));
    }
}
