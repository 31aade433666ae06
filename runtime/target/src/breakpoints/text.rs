//! Breakpoints in the text: reading instructions, replacing their first byte, and putting it back.
//!
//! `/proc/PID/mem` writes to whatever is mapped at an address by then: a library may have been unloaded, and memory of the heap
//! been put in its place. So nothing is written unless the address is of the same place of the same file as when it was noted, and
//! holds the instruction that was there. Where the address stands in that file is known of every piece of text, since none is set in
//! code without a file.

use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};

use nix::errno::Errno;

use super::Reason;
use super::emulate;
use super::tables::{Address, LONGEST, Space};
use super::tracer::Tracer;
use crate::tasks::Mappings;
use crate::{sys, tasks};

/// The instruction `int3`.
pub(super) const BREAKPOINT: u8 = 0xcc;

impl Tracer<'_> {
    /// Opens the memory of a process, which stays that of the program that it runs now, and the list of what is mapped there.
    pub(super) fn open_memory(&mut self, index: u32) -> Result<(), Errno> {
        let pid = self.space(index).pid;
        let file = tasks::open_memory(pid)?;
        self.change_space(index, |space| space.memory = file.into_raw_fd());
        // A process that changes its rights later shows it to nobody who opens it then.
        let file = tasks::open_maps(pid)?;
        self.change_space(index, |space| space.maps = file.into_raw_fd());
        Ok(())
    }

    pub(super) fn close_memory(&mut self, index: u32) {
        let space = self.space(index);
        for file in [space.memory, space.maps] {
            if file > 0 {
                // SAFETY: the descriptor is that process's alone, and is forgotten.
                unsafe { libc::close(file) };
            }
        }
        self.change_space(index, |space| (space.memory, space.maps) = (0, 0));
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
        self.restore_others(address, &mut point.code);
        point.size = emulate::size(&point);
        point
    }

    /// Replaces the breakpoints in bytes of the text that begin at an address, but for one at the first, by what belongs there.
    fn restore_others(&self, address: u64, bytes: &mut [u8]) {
        let known = self.tables.addresses.get(..self.addresses).unwrap_or(&[]);
        let after = known.partition_point(|known| known.address <= address);
        for other in known.get(after..).unwrap_or(&[]) {
            let offset = usize::try_from(other.address.wrapping_sub(address));
            let Some(byte) = offset.ok().and_then(|offset| bytes.get_mut(offset)) else {
                return;
            };
            if other.in_text {
                *byte = other.code[0];
            }
        }
    }

    /// Puts a breakpoint into the text of every process that has it.
    ///
    /// # Errors
    /// It must not stand there, or could not be written; it is in none then.
    pub(super) fn set_in_text(&mut self, index: usize) -> Result<(), Reason> {
        let target = self.space_of_target();
        let mut mappings = mappings(&target);
        self.set_in_text_of(index, &target, mappings.as_mut())
    }

    /// The same, given what is mapped in the target.
    pub(super) fn set_in_text_of(
        &mut self,
        index: usize,
        target: &Space,
        mut of_target: Option<&mut Mappings<'_>>,
    ) -> Result<(), Reason> {
        let point = self.address(index);
        if point.in_text || point.length == 0 {
            return Ok(());
        }
        if let Some(reason) = point.text_refusal() {
            return Err(reason);
        }
        if self.traps.spare_text() {
            return Err(Reason::Trap);
        }
        // Before the first byte: whoever sees none must be right to end us.
        let before = self.figures.text;
        self.board.text.set(0, before.saturating_add(1));
        let mut result = Err(Reason::NoCode);
        for space in 0..self.spaces {
            let space = self.space(u32::try_from(space).unwrap_or(0));
            if !space.used || !space.has_text || space.memory == 0 {
                continue;
            }
            let is_target = space.pid == target.pid;
            let done = match of_target.as_deref_mut().filter(|_| is_target) {
                Some(mappings) => self.put(space, &point, mappings),
                None => mappings(&space).map_or(Err(Errno::EBADF), |mut mappings| {
                    self.put(space, &point, &mut mappings)
                }),
            };
            match done {
                // A process that has just gone is no reason.
                Ok(true) | Err(Errno::ESRCH) => result = Ok(()),
                Err(errno) if is_target => {
                    result = Err(Reason::Text(errno));
                    break;
                }
                // One that is mapped in another process alone, or cannot be set there, is missed in this one alone.
                Ok(false) | Err(_) => {}
            }
        }
        if result.is_err() {
            self.for_each_text(|space| {
                let _ = self.put_back(space, &point, mappings(&space).as_mut());
            });
            self.board.text.set(0, before);
            return result;
        }
        if let Some(point) = self.tables.addresses.get_mut(index) {
            point.in_text = true;
        }
        self.figures.text = before.saturating_add(1);
        Ok(())
    }

    /// The process that is probed; one that is not in use when it has gone.
    pub(super) fn space_of_target(&self) -> Space {
        let mut spaces = self.tables.spaces.iter().take(self.spaces);
        let found = spaces.find(|space| space.used && space.pid == self.plan.pid);
        found.copied().unwrap_or_default()
    }

    /// Those that have their memory from another process are among them: they may outlive it.
    fn for_each_text(&self, mut each: impl FnMut(Space)) {
        let spaces = self.tables.spaces.iter().take(self.spaces);
        for space in spaces {
            if space.used && space.has_text && space.memory > 0 {
                each(*space);
            }
        }
    }

    /// Takes all breakpoints out of the text of one process; tells whether all are out.
    pub(super) fn clear_text(&self, space: Space) -> bool {
        let mut mappings = mappings(&space);
        let mut clear = true;
        for index in 0..self.addresses {
            let point = self.address(index);
            if point.in_text {
                clear &= self.put_back(space, &point, mappings.as_mut()).is_ok();
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

    /// Notes which places of the target are no longer what breakpoints were set in.
    pub(super) fn note_replaced(&mut self) {
        let target = self.space_of_target();
        let Some(mut mappings) = mappings(&target).filter(|_| target.has_text) else {
            return;
        };
        for index in 0..self.addresses {
            let point = self.address(index);
            if !(point.in_text || point.slot > 0) || !point.origin.is_file() {
                continue;
            }
            let first = if point.in_text {
                BREAKPOINT
            } else {
                point.code[0]
            };
            let stands = self.has_instruction(target, &point, first);
            // A process that has gone has nothing mapped.
            let (Ok(stands), Ok(mapped)) = (stands, is_mapped_as_noted(&point, &mut mappings))
            else {
                continue;
            };
            // A register of the processor is for the address, whatever stands there.
            if mapped && (stands || !point.in_text) {
                continue;
            }
            for at in self.members_of(&point) {
                if let Some(member) = self.tables.members.get(at).copied() {
                    self.board.replaced.set(member.place as usize, 1);
                }
            }
        }
    }

    /// Takes all breakpoints out of the text of a process that is not in the tables; tells whether all are out.
    pub(super) fn clear_text_of(&self, pid: i32) -> bool {
        let memory = match tasks::open_memory(pid) {
            Ok(memory) => memory,
            Err(errno) => return matches!(errno, Errno::ENOENT | Errno::ESRCH),
        };
        let maps = tasks::open_maps(pid).ok();
        self.clear_text(Space {
            pid,
            memory: memory.as_raw_fd(),
            maps: maps.as_ref().map_or(0, OwnedFd::as_raw_fd),
            ..Space::default()
        })
    }

    /// Sees that the text of a new process, a copy, has the breakpoints that there are by now.
    pub(super) fn complete_text(&self, space: Space) {
        let Some(mut mappings) = mappings(&space) else {
            return;
        };
        for index in 0..self.addresses {
            let point = self.address(index);
            if point.in_text {
                // One that cannot be set is missed in this process alone.
                let _ = self.put(space, &point, &mut mappings);
            }
        }
    }

    /// Puts a breakpoint back into one process, or takes it out for a step. A thread stands at that very address, so the code is
    /// there, and what is mapped is not read each time.
    pub(super) fn toggle(&self, space: Space, point: &Address, set: bool) -> Result<(), Errno> {
        let (there, then) = match set {
            true => (point.code[0], BREAKPOINT),
            false => (BREAKPOINT, point.code[0]),
        };
        match self.has_instruction(space, point, there)? {
            true => write(space, point.address, then),
            false => Ok(()),
        }
    }

    /// Puts a breakpoint into one process where the instruction is still the one that belongs there; tells whether it was.
    fn put(
        &self,
        space: Space,
        point: &Address,
        mappings: &mut Mappings<'_>,
    ) -> Result<bool, Errno> {
        let there = self.has_instruction(space, point, point.code[0])?
            && is_mapped_as_noted(point, mappings)?;
        if there {
            write(space, point.address, BREAKPOINT)?;
        }
        Ok(there)
    }

    /// Puts the first byte of an instruction back, where our breakpoint stands. Text that the program has unmapped or changed
    /// since is left alone, and so is what has taken its place. Where what is mapped cannot be read, the instruction has to do: a
    /// breakpoint that stays ends the program.
    fn put_back(
        &self,
        space: Space,
        point: &Address,
        mappings: Option<&mut Mappings<'_>>,
    ) -> Result<(), Errno> {
        let there = match self.has_instruction(space, point, BREAKPOINT) {
            Ok(there) => there,
            Err(Errno::ESRCH) => return Ok(()),
            Err(errno) => return Err(errno),
        };
        if !there {
            return Ok(());
        }
        if let Some(mappings) = mappings
            && !is_mapped_as_noted(point, mappings)?
        {
            return Ok(());
        }
        match write(space, point.address, point.code[0]) {
            Err(Errno::ESRCH) => Ok(()),
            result => result,
        }
    }

    /// Whether the instruction stands where it stood, but for its first byte, which is to be `first`.
    ///
    /// # Errors
    /// `ESRCH`: the process has gone.
    fn has_instruction(&self, space: Space, point: &Address, first: u8) -> Result<bool, Errno> {
        let mut bytes = [0; LONGEST];
        let size = usize::from(point.size.max(1)).min(LONGEST);
        let (bytes, _) = bytes.split_at_mut(size);
        match read(space, point.address, bytes) {
            Ok(0) => return Err(Errno::ESRCH),
            Ok(got) if got == size => {}
            // It is not mapped any more, not all of it at least.
            Ok(_) | Err(Errno::EIO | Errno::EFAULT) => return Ok(false),
            Err(errno) => return Err(errno),
        }
        self.restore_others(point.address, bytes);
        Ok(bytes.first() == Some(&first) && bytes.get(1..) == point.code.get(1..size))
    }

    /// The mapping of the code at an address of a process, if there is code.
    pub(super) fn code_at(&self, space: Space, address: u64) -> Option<tasks::Mapped> {
        let found = tasks::mapping_at(space.pid, address).ok().flatten();
        found.filter(|found| found.executable)
    }
}

/// What is mapped in a process; `None` where that cannot be read.
pub(super) fn mappings(space: &Space) -> Option<Mappings<'_>> {
    // SAFETY: the descriptor is open for as long as the process is in use.
    (space.maps > 0).then(|| Mappings::new(unsafe { BorrowedFd::borrow_raw(space.maps) }))
}

/// Whether an address is of the same place of the same file as when it was noted.
fn is_mapped_as_noted(point: &Address, mappings: &mut Mappings<'_>) -> Result<bool, Errno> {
    for again in [false, true] {
        if again {
            // What is read while threads run may not be of one moment.
            mappings.forget();
        }
        let found = mappings.at(point.address)?;
        if found.is_some_and(|found| !found.shared && found.origin(point.address) == point.origin) {
            return Ok(true);
        }
    }
    Ok(false)
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
