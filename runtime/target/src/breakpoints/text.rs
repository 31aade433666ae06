//! Breakpoints in the text: reading instructions, replacing their first byte, and putting it back.

use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd};

use nix::errno::Errno;

use super::Reason;
use super::tables::{Address, LONGEST, Space};
use super::tracer::Tracer;
use crate::{sys, tasks};

/// The instruction `int3`.
pub(super) const BREAKPOINT: u8 = 0xcc;

impl Tracer<'_> {
    /// Opens the memory of a process, which stays that of the program that it runs now.
    pub(super) fn open_memory(&mut self, index: u32) -> Result<(), Errno> {
        let file = tasks::open_memory(self.space(index).pid)?;
        self.change_space(index, |space| space.memory = file.into_raw_fd());
        Ok(())
    }

    pub(super) fn close_memory(&mut self, index: u32) {
        let memory = self.space(index).memory;
        if memory > 0 {
            // SAFETY: the descriptor is that process's alone, and is forgotten.
            unsafe { libc::close(memory) };
        }
        self.change_space(index, |space| space.memory = 0);
    }

    /// A process that has the text which breakpoints are set in.
    pub(super) fn space_of_text(&self) -> Option<Space> {
        let mut spaces = self.tables.spaces.iter().take(self.spaces);
        let found = spaces.find(|space| space.used && space.has_text && space.memory > 0);
        found.copied()
    }

    /// The index of an address.
    pub(super) fn find_address(&self, address: u64) -> Option<usize> {
        let known = self.tables.addresses.get(..self.addresses)?;
        known
            .binary_search_by_key(&address, |known| known.address)
            .ok()
    }

    /// An address; one without places past the end.
    pub(super) fn address(&self, index: usize) -> Address {
        let found = self.tables.addresses.get(index);
        found.copied().unwrap_or_default()
    }

    /// Notes an address; returns its index.
    pub(super) fn note_address(&mut self, point: Address) -> Option<usize> {
        if self.addresses == self.tables.addresses.len() {
            return None;
        }
        let known = self.tables.addresses.get_mut(..=self.addresses)?;
        let at = known
            .get(..self.addresses)?
            .partition_point(|known| known.address < point.address);
        known.copy_within(at..self.addresses, at + 1);
        *known.get_mut(at)? = point;
        self.addresses += 1;
        Some(at)
    }

    /// An address with the instruction there, as far as it can be read.
    pub(super) fn read_instruction(&self, space: Space, address: u64) -> Address {
        let mut point = Address {
            address,
            ..Address::default()
        };
        let got = read(space, address, &mut point.code).unwrap_or(0);
        point.length = u8::try_from(got).unwrap_or(0);
        // What others have put there is not the instruction.
        for index in 0..self.addresses {
            let other = self.address(index);
            let offset = other.address.wrapping_sub(address);
            if other.in_text && offset > 0 && offset < LONGEST as u64 {
                let byte = usize::try_from(offset).ok();
                if let Some(byte) = byte.and_then(|offset| point.code.get_mut(offset)) {
                    *byte = other.code[0];
                }
            }
        }
        point
    }

    /// Puts a breakpoint into the text of every process that has it.
    ///
    /// # Errors
    /// It must not stand there, or could not be written; it is in none then.
    pub(super) fn set_in_text(&mut self, index: usize) -> Result<(), Reason> {
        let point = self.address(index);
        if point.in_text || point.length == 0 {
            return Ok(());
        }
        if point.shared {
            return Err(Reason::Shared);
        }
        if self.traps.spare_text() {
            return Err(Reason::Trap);
        }
        for space in 0..self.spaces {
            let space = self.space(u32::try_from(space).unwrap_or(0));
            if !space.used || !space.has_text || space.borrows || space.memory == 0 {
                continue;
            }
            if space.pid != self.plan.pid {
                // One that cannot be set in a child is missed there alone.
                complete(space, &point);
                continue;
            }
            if let Err(errno) = write(space, point.address, BREAKPOINT) {
                // A process that has just gone is no reason.
                if errno != Errno::ESRCH {
                    self.for_each_text(|space| {
                        let _ = put_back(space, &point);
                    });
                    return Err(Reason::Text(errno));
                }
            }
        }
        if let Some(point) = self.tables.addresses.get_mut(index) {
            point.in_text = true;
        }
        self.figures.text += 1;
        self.board.text.set(0, self.figures.text);
        Ok(())
    }

    fn for_each_text(&self, mut each: impl FnMut(Space)) {
        let spaces = self.tables.spaces.iter().take(self.spaces);
        for space in spaces {
            if space.used && space.has_text && !space.borrows && space.memory > 0 {
                each(*space);
            }
        }
    }

    /// Takes all breakpoints out of the text of one process; tells whether all are out.
    pub(super) fn clear_text(&self, space: Space) -> bool {
        let mut clear = true;
        for index in 0..self.addresses {
            let point = self.address(index);
            if point.in_text {
                clear &= put_back(space, &point).is_ok();
            }
        }
        clear
    }

    /// Takes all breakpoints out of all text; tells whether all are out.
    pub(super) fn clear_all_text(&self) -> bool {
        let mut clear = true;
        self.for_each_text(|space| clear &= self.clear_text(space));
        clear
    }

    /// Sees that the text of a new process, a copy, has the breakpoints that there are by now.
    pub(super) fn complete_text(&self, space: Space) {
        for index in 0..self.addresses {
            let point = self.address(index);
            if point.in_text {
                complete(space, &point);
            }
        }
    }

    /// Puts a breakpoint back into one process, or takes it out for a step.
    pub(super) fn toggle(&self, space: Space, point: &Address, set: bool) -> Result<(), Errno> {
        match set {
            true => write(space, point.address, BREAKPOINT),
            false => put_back(space, point),
        }
    }

    /// The mapping of the code at an address of a process, if there is code.
    pub(super) fn code_at(&self, space: Space, address: u64) -> Option<tasks::Mapped> {
        let found = tasks::mapping_at(space.pid, address).ok().flatten();
        found.filter(|found| found.executable)
    }
}

fn file(space: &Space) -> BorrowedFd<'_> {
    // SAFETY: the descriptor is open for as long as the process is in use; callers have checked that it is there.
    unsafe { BorrowedFd::borrow_raw(space.memory) }
}

/// Reads memory; what cannot be read ends it.
pub(super) fn read(space: Space, address: u64, bytes: &mut [u8]) -> Result<usize, Errno> {
    if space.memory <= 0 {
        return Err(Errno::ESRCH);
    }
    let mut done = 0;
    // The instruction may end where the next page cannot be read.
    while done < bytes.len() {
        let rest = bytes.get_mut(done..).unwrap_or(&mut []);
        let position =
            i64::try_from(address.wrapping_add(done as u64)).map_err(|_| Errno::EFAULT)?;
        // SAFETY: the buffer is writable for the length given.
        let got = sys::retry(|| unsafe {
            libc::pread64(
                file(&space).as_raw_fd(),
                rest.as_mut_ptr().cast(),
                rest.len(),
                position,
            )
        });
        match got.map(usize::try_from) {
            Ok(Ok(got)) if got > 0 => done += got,
            Err(errno) if done == 0 => return Err(errno),
            _ => break,
        }
    }
    Ok(done)
}

/// Writes one byte of text.
pub(super) fn write(space: Space, address: u64, byte: u8) -> Result<(), Errno> {
    if space.memory <= 0 {
        return Err(Errno::ESRCH);
    }
    let position = i64::try_from(address).map_err(|_| Errno::EFAULT)?;
    let bytes = [byte];
    // SAFETY: the buffer is live for the length given.
    let done = sys::retry(|| unsafe {
        libc::pwrite64(file(&space).as_raw_fd(), bytes.as_ptr().cast(), 1, position)
    })?;
    match done {
        1 => Ok(()),
        // The memory of a process that has gone reads and writes nothing.
        _ => Err(Errno::ESRCH),
    }
}

/// Puts a breakpoint into one process where the instruction is still the one that belongs there.
fn complete(space: Space, point: &Address) {
    let mut byte = [0];
    if read(space, point.address, &mut byte) == Ok(1) && byte == [point.code[0]] {
        // One that cannot be set is missed in this process alone.
        let _ = write(space, point.address, BREAKPOINT);
    }
}

/// Puts the first byte of an instruction back, where our breakpoint stands. Text that the program has unmapped or changed
/// since is left alone.
fn put_back(space: Space, point: &Address) -> Result<(), Errno> {
    let mut byte = [0];
    match read(space, point.address, &mut byte) {
        Ok(1) if byte == [BREAKPOINT] => match write(space, point.address, point.code[0]) {
            Err(Errno::ESRCH) => Ok(()),
            result => result,
        },
        Ok(_) | Err(Errno::EIO | Errno::EFAULT | Errno::ESRCH) => Ok(()),
        Err(errno) => Err(errno),
    }
}
