//! The instructions that write records, and what an entry part saves.

use super::super::assemble::Label;
use super::super::assemble::{Alu, Jump, R};
use super::super::check::index;
use super::super::error::PlanError;
use super::super::layout::{CAPTURE_HEADER, RecordLayout, capture_bytes, header, state};
use super::super::program::*;
use super::super::tops::{FACTOR, REGION_SHIFT, WORDS_SHIFT};
use super::values::{register_offset, short};
use super::{Mode, Pairing, PartCompiler, counter, helper};

/// The most bytes of a record before its stack, and of a row that an entry part saves: what loads and stores reach.
pub(super) const MAX_FIXED: u32 = 1 << 14;
/// Captures of up to so many bytes are copied word by word.
const UNROLLED: u32 = 128;
/// The most returns that the kernel awaits of one thread (`MAX_URETPROBE_DEPTH` of `kernel/events/uprobes.c`).
pub(super) const AWAITED_RETURNS: usize = 64;
/// `BPF_RB_NO_WAKEUP`: the reader polls, for waking it would cost the target as much as the rest of a hit.
const NO_WAKE_UP: i32 = 1;

/// The least room for a slice of a stack whose length is not constant. There are rooms of twice, four times as much and so on.
const LEAST_ROOM: u32 = 256;

/// A slice of the stack: where on the program's own stack it says how many bytes are wanted, and how many there is room for in the record.
#[derive(Clone, Copy, Debug)]
struct Slice {
    wanted: i16,
    room: i16,
}

impl PartCompiler<'_> {
    pub(super) fn emit(&mut self, number: usize, emit: &Emit) -> Result<(), PlanError> {
        let Some(ring) = self.environment.ring else {
            return Ok(());
        };
        let extents = self.program.record_extents(self.part, emit)?;
        let layout = RecordLayout::new(emit, &extents, self.on_return);
        check_fixed("bytes of a record before its stack", layout.stack_offset)?;
        let (numbers, time) = (self.numbers()?, self.time()?);
        let (lost, done) = (self.code.label(), self.code.label());
        let outcome = self.outcome(number)?;
        self.code.store(Width::Eight, R::Frame, outcome, 0);
        let slice = match layout.stack_bytes {
            0 => None,
            _ => Some(self.slice(&layout)?),
        };
        self.reserve(ring, &layout, slice, lost);
        self.write_header(numbers, time);
        for register in emit.registers.iter() {
            let offset = layout.register_offset(register).unwrap_or(0);
            self.fetch_register(register)?;
            self.code.store(Width::Eight, R::R7, short(offset), R::R0);
        }
        let first = layout.value_offset(0).unwrap_or(0);
        self.write_values(&emit.values, first, header::FAILED);
        let own = emit.captures.len();
        for (place, capture) in layout.captures.iter().enumerate() {
            if let Some(step) = emit.captures.get(place) {
                self.write_capture(*step, capture.offset)?;
            } else if let Some(saved) = emit.entry_captures.get(place.saturating_sub(own)) {
                self.copy_saved(*saved, capture.offset, capture.extent);
            }
        }
        if let Some(slice) = slice {
            self.write_stack(&layout, slice);
            self.frame.release(slice.wanted, 8);
            self.frame.release(slice.room, 8);
        }
        self.code.mov(R::R1, R::R7);
        self.code.mov(R::R2, NO_WAKE_UP);
        self.code.call(helper::RING_SUBMIT);
        self.code.jump(done);
        self.code.place(lost);
        self.count(counter::LOST);
        self.code.store(Width::Eight, R::Frame, outcome, 1);
        self.code.place(done);
        Ok(())
    }

    fn write_header(&mut self, numbers: i16, time: i16) {
        let mut copy = |width, from: i16, to: u32| {
            self.code.load(width, R::R1, R::Frame, from);
            self.code.store(width, R::R7, short(to), R::R1);
        };
        copy(Width::Eight, time, header::TIME);
        // The thread's number and the process's, which are side by side in both places.
        copy(Width::Eight, numbers, header::TID);
        copy(Width::Four, self.processor, header::CPU);
        self.fetch_weight();
        self.code
            .store(Width::Eight, R::R7, short(header::WEIGHT), R::R1);
        let part = self.environment.probe << 1 | u32::from(self.on_return);
        self.code.number(R::R1, u64::from(part));
        self.code
            .store(Width::Four, R::R7, short(header::PART), R::R1);
        self.code
            .store(Width::Four, R::R7, short(header::STACK_LENGTH), 0);
        self.code
            .store(Width::Four, R::R7, short(header::STACK_WANTED), 0);
        self.cookie();
        self.code
            .store(Width::Eight, R::R7, short(header::COOKIE), R::R0);
    }

    /// Leaves a register in r0.
    fn fetch_register(&mut self, register: Register) -> Result<(), PlanError> {
        if register != Register::FsBase {
            self.code
                .load(Width::Eight, R::R0, R::R6, register_offset(register));
            return Ok(());
        }
        self.thread_pointer()
    }

    /// Leaves the thread pointer in r0; r1 to r5 are lost.
    pub(super) fn thread_pointer(&mut self) -> Result<(), PlanError> {
        let offset = self.environment.thread_pointer;
        let offset = offset.ok_or_else(|| PlanError::NoThreadPointer {
            why: "the kernel's type information does not tell where it is".to_owned(),
        })?;
        self.code.call(helper::CURRENT_TASK);
        self.code.load(Width::Eight, R::R0, R::R0, offset);
        Ok(())
    }

    /// Writes values side by side from an offset of r7 on, and the word of those that failed.
    fn write_values(&mut self, values: &[ValueId], first: u32, failed: u32) {
        for (offset, value) in (first..).step_by(8).zip(values) {
            self.fetch(*value, R::R1);
            self.code.store(Width::Eight, R::R7, short(offset), R::R1);
        }
        self.code.mov(R::R1, 0);
        for (place, value) in values.iter().enumerate() {
            if self.schedule.failures_of(*value) == 0 {
                continue;
            }
            let (bad, fine) = (self.code.label(), self.code.label());
            self.jump_if_failed(*value, bad);
            self.code.jump(fine);
            self.code.place(bad);
            self.code
                .number(R::R2, 1u64.checked_shl(place as u32).unwrap_or(0));
            self.code.alu(Alu::Or, R::R1, R::R2);
            self.code.place(fine);
        }
        self.code.store(Width::Eight, R::R7, short(failed), R::R1);
    }

    /// Writes a capture at an offset of r7: from the stack if it is there, else from the target.
    fn write_capture(&mut self, step: StepId, offset: u32) -> Result<(), PlanError> {
        let Some(Step::Capture { address, extent }) = self.part.steps.get(index(step.0)) else {
            return Ok(());
        };
        if let Some(place) = self.kept_whole(step) {
            for word in 0..capture_bytes(*extent) / 8 {
                let from = place.saturating_add((8 * word) as i16);
                self.code.load(Width::Eight, R::R1, R::Frame, from);
                self.code
                    .store(Width::Eight, R::R7, short(offset + 8 * word), R::R1);
            }
            return Ok(());
        }
        let (failed, done) = (self.code.label(), self.code.label());
        self.fetch_address(*address);
        self.code.mov(R::R1, R::R7);
        let data = i32::try_from(offset + CAPTURE_HEADER).unwrap_or(i32::MAX);
        self.code.alu(Alu::Add, R::R1, data);
        if let Extent::Bytes(bytes) = *extent {
            self.read_bytes(bytes);
            self.code.store(Width::Four, R::R7, short(offset), R::R1);
            self.code
                .store(Width::Four, R::R7, short(offset + 4), R::R2);
            return Ok(());
        }
        self.read(*extent, failed)?;
        self.code.store(Width::Four, R::R7, short(offset), R::R1);
        self.code
            .store(Width::Four, R::R7, short(offset + 4), R::R2);
        self.code.jump(done);
        self.code.place(failed);
        self.code.store(Width::Four, R::R7, short(offset), 0);
        self.code
            .store(Width::Four, R::R7, short(offset + 4), state::FAILED as i32);
        self.code.place(done);
        Ok(())
    }

    /// Copies what the entry part captured to an offset of r7.
    fn copy_saved(&mut self, saved: u32, offset: u32, extent: Extent) {
        let from = self.saved_layout.capture(saved);
        let bytes = capture_bytes(extent);
        let Some(row) = self.saved_row else {
            return;
        };
        if bytes <= UNROLLED {
            self.code.load(Width::Eight, R::R2, R::Frame, row);
            for word in 0..bytes / 8 {
                self.code
                    .load(Width::Eight, R::R1, R::R2, short(from + 8 * word));
                self.code
                    .store(Width::Eight, R::R7, short(offset + 8 * word), R::R1);
            }
            return;
        }
        let (whole, done) = (self.code.label(), self.code.label());
        self.code.mov(R::R1, R::R7);
        self.code.alu(Alu::Add, R::R1, offset as i32);
        self.code.number(R::R2, u64::from(bytes));
        self.code.load(Width::Eight, R::R3, R::Frame, row);
        self.code.alu(Alu::Add, R::R3, from as i32);
        self.code.call(helper::READ_KERNEL);
        self.code.jump_if(Jump::Equal, R::R0, 0, whole);
        self.code
            .store(Width::Four, R::R7, short(offset + 4), state::FAILED as i32);
        self.code.jump(done);
        self.code.place(whole);
        self.code.place(done);
    }

    /// Finds how many bytes of the stack are wanted.
    fn slice(&mut self, layout: &RecordLayout) -> Result<Slice, PlanError> {
        let slice = Slice {
            wanted: self.frame.take(8)?,
            room: self.frame.take(8)?,
        };
        let (most, expected) = (layout.stack_bytes, layout.stack_expected);
        if expected == 0 {
            self.code.number(R::R2, u64::from(most));
            self.code.store(Width::Eight, R::Frame, slice.wanted, R::R2);
            return Ok(slice);
        }
        let pointer = register_offset(Register::Rsp);
        let (known, unknown) = (self.code.label(), self.code.label());
        self.code.load(Width::Eight, R::R1, R::R6, pointer);
        self.code.mov(R::R2, R::R1);
        self.code.alu(Alu::Rsh, R::R2, REGION_SHIFT as i32);
        self.code.number(R::R3, FACTOR);
        self.code.alu(Alu::Mul, R::R2, R::R3);
        self.code
            .alu(Alu::Rsh, R::R2, (u64::BITS - WORDS_SHIFT) as i32);
        self.code.alu(Alu::Lsh, R::R2, 3);
        self.code.map_value(R::R3, self.environment.tops, 0);
        self.code.alu(Alu::Add, R::R3, R::R2);
        self.code.load(Width::Eight, R::R2, R::R3, 0);
        self.below(most, unknown);
        self.code.jump(known);
        self.code.place(unknown);
        // A thread's own data is above its stack, if it is near.
        let neither = self.code.label();
        if self.environment.thread_pointer.is_some() {
            self.thread_pointer()?;
            self.code.mov(R::R2, R::R0);
            self.code.load(Width::Eight, R::R1, R::R6, pointer);
            self.below(most, neither);
            self.code.jump(known);
            self.code.place(neither);
        }
        self.code.number(R::R2, u64::from(expected));
        self.code.place(known);
        self.code.store(Width::Eight, R::Frame, slice.wanted, R::R2);
        Ok(slice)
    }

    /// The distance from r1 up to r2, in r2; jumps if it is 0 or more than `most`. r3 is lost.
    fn below(&mut self, most: u32, otherwise: Label) {
        self.code.alu(Alu::Sub, R::R2, R::R1);
        self.code.mov(R::R3, R::R2);
        self.code.alu(Alu::Sub, R::R3, 1);
        self.code
            .jump_if(Jump::GreaterEqual, R::R3, most as i32, otherwise);
    }

    /// Reserves room for a record; its address is then in r7. The kernel reserves none but constant sizes, so a slice has the least
    /// of a few that holds it. `lost` is where there is none.
    fn reserve(&mut self, ring: i32, layout: &RecordLayout, slice: Option<Slice>, lost: Label) {
        let mut rooms = vec![layout.stack_bytes];
        if layout.stack_expected != 0 {
            let smaller = std::iter::successors(Some(LEAST_ROOM), |room| room.checked_mul(2));
            let smaller = smaller.take_while(|room| *room < layout.stack_bytes);
            rooms = smaller.chain([layout.stack_bytes]).collect();
        }
        let reserved = self.code.label();
        if let Some(slice) = slice {
            self.code.load(Width::Eight, R::R5, R::Frame, slice.wanted);
        }
        let last = rooms.len().saturating_sub(1);
        for (number, room) in rooms.into_iter().enumerate() {
            let larger = self.code.label();
            if number < last {
                self.code.jump_if(Jump::Greater, R::R5, room as i32, larger);
            }
            if let Some(slice) = slice {
                self.code.number(R::R4, u64::from(room));
                self.code.store(Width::Eight, R::Frame, slice.room, R::R4);
            }
            let bytes = layout.stack_offset.saturating_add(room);
            self.code.map(R::R1, ring);
            self.code.number(R::R2, u64::from(bytes));
            self.code.mov(R::R3, 0);
            self.code.call(helper::RING_RESERVE);
            if number < last {
                self.code.jump(reserved);
            }
            self.code.place(larger);
        }
        self.code.place(reserved);
        self.code.jump_if(Jump::Equal, R::R0, 0, lost);
        self.code.mov(R::R7, R::R0);
    }

    /// Writes the stack: all that is wanted, or as many whole pages of it as can be read.
    fn write_stack(&mut self, layout: &RecordLayout, slice: Slice) {
        let (read, done) = (self.code.label(), self.code.label());
        self.code.load(Width::Eight, R::R2, R::Frame, slice.wanted);
        self.code
            .store(Width::Four, R::R7, short(header::STACK_WANTED), R::R2);
        self.read_stack(layout.stack_offset, slice, done);
        self.code.jump_if(Jump::Equal, R::R0, 0, read);
        // A stack ends where a page does: up to the end of the last but one page, and of those before.
        let page = self.environment.page_bytes.max(1);
        for _ in 0..=layout.stack_bytes / page {
            self.code
                .load(Width::Eight, R::R1, R::R6, register_offset(Register::Rsp));
            self.code.load(Width::Eight, R::R2, R::Frame, slice.wanted);
            self.code.alu(Alu::Add, R::R2, R::R1);
            self.code.alu(Alu::Sub, R::R2, 1);
            self.code.alu(Alu::And, R::R2, -(page as i32));
            self.code.alu(Alu::Sub, R::R2, R::R1);
            self.code.store(Width::Eight, R::Frame, slice.wanted, R::R2);
            self.read_stack(layout.stack_offset, slice, done);
            self.code.jump_if(Jump::Equal, R::R0, 0, read);
        }
        self.code.jump(done);
        self.code.place(read);
        self.code.load(Width::Eight, R::R1, R::Frame, slice.wanted);
        self.code
            .store(Width::Four, R::R7, short(header::STACK_LENGTH), R::R1);
        self.restore_returns(layout, slice);
        self.code.place(done);
    }

    /// Puts return addresses that the kernel has replaced back into the copy of the stack. r0 to r5 are lost.
    fn restore_returns(&mut self, layout: &RecordLayout, slice: Slice) {
        let Some(places) = self.environment.returns else {
            return;
        };
        let done = self.code.label();
        self.code.call(helper::CURRENT_TASK);
        self.code
            .load(Width::Eight, R::R1, R::R0, places.thread_probes);
        self.code.jump_if(Jump::Equal, R::R1, 0, done);
        self.code.load(Width::Eight, R::R1, R::R1, places.first);
        self.code
            .load(Width::Eight, R::R4, R::R6, register_offset(Register::Rsp));
        self.code.load(Width::Eight, R::R0, R::Frame, slice.room);
        self.code.alu(Alu::Sub, R::R0, 8);
        for _ in 0..AWAITED_RETURNS {
            let next = self.code.label();
            self.code.jump_if(Jump::Equal, R::R1, 0, done);
            self.code.load(Width::Eight, R::R2, R::R1, places.place);
            self.code.alu(Alu::Sub, R::R2, R::R4);
            // Not in the copy, or on another stack.
            self.code.jump_if(Jump::Greater, R::R2, R::R0, next);
            self.code.load(Width::Eight, R::R3, R::R1, places.address);
            self.code.mov(R::R5, R::R7);
            self.code.alu(Alu::Add, R::R5, layout.stack_offset as i32);
            self.code.alu(Alu::Add, R::R5, R::R2);
            self.code.store(Width::Eight, R::R5, 0, R::R3);
            self.code.place(next);
            self.code.load(Width::Eight, R::R1, R::R1, places.next);
        }
        self.code.place(done);
    }

    /// Reads as many bytes of the stack as r2 says; jumps if that is nothing, or more than there is room for.
    fn read_stack(&mut self, offset: u32, slice: Slice, otherwise: Label) {
        self.code.load(Width::Eight, R::R1, R::Frame, slice.room);
        self.code.jump_if(Jump::Equal, R::R2, 0, otherwise);
        self.code.jump_if(Jump::Greater, R::R2, R::R1, otherwise);
        self.code.mov(R::R1, R::R7);
        self.code.alu(Alu::Add, R::R1, offset as i32);
        self.code
            .load(Width::Eight, R::R3, R::R6, register_offset(Register::Rsp));
        self.code.call(helper::READ_USER);
    }

    /// At the end of an entry part: saves what the return part needs.
    pub(super) fn save(&mut self) -> Result<(), PlanError> {
        let program = self.program;
        if self.pairing == Pairing::Word {
            self.session_word();
            if let Some(value) = program.saved_values.first() {
                self.fetch(*value, R::R1);
                self.code.store(Width::Eight, R::R0, 0, R::R1);
            }
            return Ok(());
        }
        let Some(maps) = self.environment.saved else {
            return Ok(());
        };
        check_fixed("bytes that an entry part saves", self.saved_layout.bytes())?;
        let key = self.saved_key()?;
        // A new row of zeros, which is then filled in place: what is saved may be larger than the stack.
        self.code.map(R::R1, maps.rows);
        self.frame_address(R::R2, key);
        self.code.map_value(R::R3, maps.zeros, 0);
        self.code.mov(R::R4, 0);
        self.code.call(helper::MAP_UPDATE);
        self.code
            .jump_if(Jump::NotEqual, R::R0, 0, self.ends.unpaired);
        self.code.map(R::R1, maps.rows);
        self.frame_address(R::R2, key);
        self.code.call(helper::MAP_LOOKUP);
        self.code.jump_if(Jump::Equal, R::R0, 0, self.ends.unpaired);
        self.code.mov(R::R7, R::R0);
        self.write_values(&program.saved_values, self.saved_layout.value(0), 0);
        for (place, step) in program.saved_captures.iter().enumerate() {
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            let offset = self.saved_layout.capture(place);
            self.write_capture(*step, offset)?;
        }
        if let Mode::Session(_) = self.environment.mode {
            self.session_word();
            self.code.load(Width::Eight, R::R1, R::Frame, key);
            self.code.store(Width::Eight, R::R0, 0, R::R1);
        }
        Ok(())
    }
}

fn check_fixed(what: &'static str, bytes: u32) -> Result<(), PlanError> {
    if bytes <= MAX_FIXED {
        return Ok(());
    }
    Err(PlanError::Range {
        what,
        number: u64::from(bytes),
        least: 0,
        most: u64::from(MAX_FIXED),
    })
}
