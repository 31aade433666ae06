//! The instructions that write records, and what an entry part saves.

use super::super::assemble::{Alu, Jump, R};
use super::super::check::index;
use super::super::error::PlanError;
use super::super::layout::{CAPTURE_HEADER, RecordLayout, capture_bytes, header, state};
use super::super::program::*;
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
        self.code.map(R::R1, ring);
        self.code.number(R::R2, u64::from(layout.bytes()));
        self.code.mov(R::R3, 0);
        self.code.call(helper::RING_RESERVE);
        self.code.jump_if(Jump::Equal, R::R0, 0, lost);
        self.code.mov(R::R7, R::R0);
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
        self.write_stack(&layout)?;
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
            .store(Width::Four, R::R7, short(header::RESERVED), 0);
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

    /// Writes the stack: all that was asked for, or as many whole pages of it as can be read.
    fn write_stack(&mut self, layout: &RecordLayout) -> Result<(), PlanError> {
        let wanted = layout.stack_bytes;
        if wanted == 0 {
            return Ok(());
        }
        let (whole, done) = (self.code.label(), self.code.label());
        self.code.number(R::R2, u64::from(wanted));
        self.read_stack(layout.stack_offset);
        self.code.jump_if(Jump::Equal, R::R0, 0, whole);
        // A stack ends where a page does: so many bytes after the stack pointer, or whole pages more.
        let page = self.environment.page_bytes.max(1);
        let length = self.frame.take(8)?;
        for pages in (0..=wanted / page).rev() {
            let (next, stored) = (self.code.label(), self.code.label());
            self.code
                .load(Width::Eight, R::R1, R::R6, register_offset(Register::Rsp));
            self.code.alu(Alu::And, R::R1, (page - 1) as i32);
            self.code
                .number(R::R2, u64::from(page) * (u64::from(pages) + 1));
            self.code.alu(Alu::Sub, R::R2, R::R1);
            self.code
                .jump_if(Jump::GreaterEqual, R::R2, wanted as i32, next);
            self.code.store(Width::Eight, R::Frame, length, R::R2);
            self.read_stack(layout.stack_offset);
            self.code.jump_if(Jump::Equal, R::R0, 0, stored);
            self.code.jump(next);
            self.code.place(stored);
            self.code.load(Width::Eight, R::R1, R::Frame, length);
            self.code
                .store(Width::Four, R::R7, short(header::STACK_LENGTH), R::R1);
            self.code.jump(done);
            self.code.place(next);
        }
        self.frame.release(length, 8);
        self.code.jump(done);
        self.code.place(whole);
        self.code.number(R::R1, u64::from(wanted));
        self.code
            .store(Width::Four, R::R7, short(header::STACK_LENGTH), R::R1);
        self.code.place(done);
        self.restore_returns(layout);
        Ok(())
    }

    /// Puts return addresses that the kernel has replaced back into the copy of the stack. r0 to r5 are lost.
    fn restore_returns(&mut self, layout: &RecordLayout) {
        let (Some(places), Some(most)) =
            (self.environment.returns, layout.stack_bytes.checked_sub(8))
        else {
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
        for _ in 0..AWAITED_RETURNS {
            let next = self.code.label();
            self.code.jump_if(Jump::Equal, R::R1, 0, done);
            self.code.load(Width::Eight, R::R2, R::R1, places.place);
            self.code.alu(Alu::Sub, R::R2, R::R4);
            // Not in the copy, or on another stack.
            self.code.jump_if(Jump::Greater, R::R2, most as i32, next);
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

    /// Reads as many bytes of the stack as r2 says.
    fn read_stack(&mut self, offset: u32) {
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
