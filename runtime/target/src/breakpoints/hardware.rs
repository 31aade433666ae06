//! Breakpoints by the processor's registers for addresses, as events of the kernel that go away with their descriptors.

use std::os::fd::IntoRawFd;

use nix::errno::Errno;

use super::tables::{SLOTS, State};
use super::tracer::{Slot, Tracer};
use super::{Access, Reason, Subject};
use crate::events::perf::{self, Stops};

impl Slot {
    fn stops(&self) -> Stops {
        match (self.watch, self.writes_only) {
            (None, _) => Stops::Execute,
            (Some(_), true) => Stops::Write,
            (Some(_), false) => Stops::ReadWrite,
        }
    }

    fn open(&self, data: u64, tid: i32) -> Result<i32, Errno> {
        let event = perf::breakpoint(self.stops(), self.address, self.bytes.into(), data, tid)?;
        Ok(event.into_raw_fd())
    }
}

/// Closes an event.
fn close(event: i32) {
    // SAFETY: the descriptor is that thread's alone, and is forgotten.
    unsafe { libc::close(event) };
}

impl Tracer<'_> {
    /// Whether the kernel has such events for us. It is tried on a thread, at an address that is never come to.
    pub(super) fn try_hardware(&mut self) -> bool {
        if self.hardware.is_ok() {
            let mut result = Err(Errno::ESRCH);
            for index in self.all_threads() {
                let tid = self.thread(index).tid;
                let nowhere = Slot {
                    bytes: 8,
                    ..Slot::default()
                };
                result = nowhere.open(0, tid).map(close);
                if result != Err(Errno::ESRCH) {
                    break;
                }
            }
            self.hardware = result;
        }
        self.hardware.is_ok()
    }

    /// Sets all watches.
    pub(super) fn set_watches(&mut self) {
        let plan = self.plan;
        for (index, watch) in &plan.watches {
            let subject = Subject::Watch(*index);
            if !self.try_hardware() {
                let errno = self.hardware.err().unwrap_or(Errno::EOPNOTSUPP);
                self.refuse(subject, watch.address, Reason::Hardware(errno));
                continue;
            }
            let slot = Slot {
                used: true,
                watch: Some(*index),
                address: watch.address,
                bytes: watch.bytes,
                writes_only: watch.access == Access::Write,
                is_late: false,
            };
            match self.take_slot(slot) {
                Ok(_) => self.figures.hardware += 1,
                Err(errno) => self.refuse(subject, watch.address, Reason::Hardware(errno)),
            }
        }
    }

    /// Sets an address by hardware; false where that cannot be.
    pub(super) fn set_in_hardware(&mut self, index: usize) -> bool {
        let address = self.address(index).address;
        let slot = Slot {
            used: true,
            watch: None,
            address,
            bytes: 8,
            writes_only: false,
            is_late: false,
        };
        let Ok(number) = self.take_slot(slot) else {
            return false;
        };
        if let Some(point) = self.tables.addresses.get_mut(index) {
            point.slot = u8::try_from(number + 1).unwrap_or(0);
        }
        self.figures.hardware += 1;
        true
    }

    /// Sets a slot in all threads; returns its number.
    ///
    /// # Errors
    /// There is none free, or it could not be set in a thread; it is in none then.
    fn take_slot(&mut self, slot: Slot) -> Result<usize, Errno> {
        let free = self.slots.iter().position(|slot| !slot.used);
        let number = free.ok_or(Errno::ENOSPC)?;
        if let Some(place) = self.slots.get_mut(number) {
            *place = slot;
        }
        for index in self.all_threads() {
            if !self.has_slots(index) {
                continue;
            }
            match self.set_slot(index, number) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(errno) => {
                    self.release_slot(number);
                    return Err(errno);
                }
            }
        }
        Ok(number)
    }

    /// Whether a slot is free in all threads.
    pub(super) fn has_free_slot(&self) -> bool {
        self.hardware.is_ok() && self.slots.iter().any(|slot| !slot.used)
    }

    /// Whether a thread is one that hardware breakpoints are set in.
    fn has_slots(&self, index: u32) -> bool {
        let thread = self.thread(index);
        let space = self.space(thread.space);
        thread.state != State::Free && thread.begun && space.followed && space.has_text
    }

    fn set_slot(&mut self, index: u32, number: usize) -> Result<(), Errno> {
        let thread = self.thread(index);
        let Some(slot) = self.slots.get(number).copied() else {
            return Ok(());
        };
        if !slot.used || thread.events.get(number).is_none_or(|event| *event > 0) {
            return Ok(());
        }
        let event = slot.open(number as u64, thread.tid)?;
        self.change(index, |thread| {
            if let Some(place) = thread.events.get_mut(number) {
                *place = event;
            }
        });
        Ok(())
    }

    fn release_slot(&mut self, number: usize) {
        for index in self.all_threads() {
            let event = self.thread(index).events.get(number).copied().unwrap_or(0);
            if event > 0 {
                close(event);
                self.change(index, |thread| {
                    if let Some(place) = thread.events.get_mut(number) {
                        *place = 0;
                    }
                });
            }
        }
        if let Some(slot) = self.slots.get_mut(number) {
            *slot = Slot::default();
        }
    }

    /// Sets all slots in a new thread. Where one cannot be, its address is set in the text instead.
    pub(super) fn set_slots(&mut self, index: u32) {
        if !self.has_slots(index) {
            return;
        }
        for number in 0..SLOTS {
            let Err(errno) = self.set_slot(index, number) else {
                continue;
            };
            if errno == Errno::ESRCH {
                return;
            }
            let Some(slot) = self.slots.get(number).copied() else {
                continue;
            };
            if slot.watch.is_some() {
                self.figures.unwatched += 1;
            } else {
                self.move_to_text(number);
            }
        }
    }

    /// Has what a slot stops at stopped at in the text. Where that cannot be, the slot stays.
    fn move_to_text(&mut self, number: usize) {
        if let Some(slot) = self.slots.get(number).copied()
            && let Some(at) = self.find_address(slot.address)
            && self.set_in_text(at).is_ok()
        {
            self.figures.hardware = self.figures.hardware.saturating_sub(1);
            if let Some(point) = self.tables.addresses.get_mut(at) {
                point.slot = 0;
            }
            self.release_slot(number);
        }
    }

    /// Has code stopped at in the text where the processor's registers have told of a hit too late: there the kernel unblocks
    /// SIGTRAP.
    pub(super) fn give_up_late_slots(&mut self) {
        if !self.any_late || self.frozen {
            return;
        }
        self.any_late = false;
        if self.traps.spare_text() {
            return;
        }
        // As at the start, children that nobody traces must not come to it. Where that takes too long the slots stay, and hits that
        // are told late are counted.
        self.starting = true;
        if self.freeze_to_start().is_ok() {
            for number in 0..SLOTS {
                if self.slots.get(number).is_some_and(|slot| slot.is_late) {
                    self.move_to_text(number);
                }
            }
            self.thaw();
        }
        self.starting = false;
    }

    pub(super) fn close_events(&mut self, index: u32) {
        for event in self.thread(index).events {
            if event > 0 {
                close(event);
            }
        }
        self.change(index, |thread| thread.events = [0; SLOTS]);
    }

    /// Takes all out of all threads.
    pub(super) fn close_all_events(&mut self) {
        for index in self.all_threads() {
            self.close_events(index);
        }
        self.slots = [Slot::default(); SLOTS];
    }
}
