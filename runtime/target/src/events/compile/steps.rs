//! The instructions of steps.

use super::super::assemble::{Alu, Jump, R};
use super::super::check::index;
use super::super::error::PlanError;
use super::super::layout::{CAPTURE_HEADER, state};
use super::super::program::*;
use super::{PartCompiler, helper};

/// An address that no program has, so that reading it fails.
const NOWHERE: i32 = -1;

impl PartCompiler<'_> {
    pub(super) fn step(&mut self, number: usize) -> Result<(), PlanError> {
        let part = self.part;
        match part.steps.get(number) {
            Some(Step::Capture { address, .. }) => self.keep_capture(number, *address),
            Some(Step::ReturnIf {
                condition,
                on_failure,
            }) => {
                self.return_if(*condition, *on_failure);
                Ok(())
            }
            Some(Step::Sample { bytes, every }) => self.sample(number, *bytes, *every),
            Some(Step::Count {
                condition,
                needs,
                updates,
            }) => self.count_in_tables(*condition, needs, updates),
            Some(Step::Put {
                table,
                keys,
                value,
                when,
            }) => self.put(*table, keys, *value, *when),
            Some(Step::Remove { table, keys, when }) => self.remove(*table, keys, *when),
            Some(Step::Lookup { table, keys }) => self.lookup(number, *table, keys),
            Some(Step::Emit(emit)) => self.emit(number, emit),
            None => Ok(()),
        }
    }

    /// Makes a capture that values are read from.
    fn keep_capture(&mut self, number: usize, address: ValueId) -> Result<(), PlanError> {
        let Some(kept) = self.schedule.on_stack.get(number).copied().flatten() else {
            return Ok(());
        };
        let bytes = CAPTURE_HEADER.saturating_add(kept.buffer());
        let place = self.frame.take(bytes)?;
        if let Some(buffer) = self.buffers.get_mut(number) {
            *buffer = Some(place);
        }
        // The helper leaves bytes beyond the end of a string as they are, and padding is never written.
        for word in 0..bytes / 8 {
            let offset = place.saturating_add((8 * word) as i16);
            self.code.store(Width::Eight, R::Frame, offset, 0);
        }
        self.fetch_address(address);
        self.code.alu(Alu::Add, R::R3, kept.first as i32);
        self.frame_address(R::R1, place + CAPTURE_HEADER as i16);
        if let Extent::Bytes(bytes) = kept.extent {
            self.read_bytes(bytes);
            self.code.store(Width::Four, R::Frame, place, R::R1);
            self.code.store(Width::Four, R::Frame, place + 4, R::R2);
            self.code
                .alu(Alu::Lsh, R::R0, kept.failure.trailing_zeros() as i32);
            self.code.alu(Alu::Or, R::R9, R::R0);
            return Ok(());
        }
        let (failed, done) = (self.code.label(), self.code.label());
        self.read(kept.extent, failed)?;
        self.code.store(Width::Four, R::Frame, place, R::R1);
        self.code.store(Width::Four, R::Frame, place + 4, R::R2);
        self.code.jump(done);
        self.code.place(failed);
        self.code
            .store(Width::Four, R::Frame, place + 4, state::FAILED as i32);
        self.set_failed(kept.failure);
        self.code.place(done);
        Ok(())
    }

    /// Leaves an address in r3, or one that cannot be read if it failed. r5 is lost.
    pub(super) fn fetch_address(&mut self, address: ValueId) {
        let (failed, done) = (self.code.label(), self.code.label());
        self.jump_if_failed(address, failed);
        self.fetch(address, R::R3);
        if self.code.is_target(failed) {
            self.code.jump(done);
            self.code.place(failed);
            self.code.mov(R::R3, NOWHERE);
            self.code.place(done);
        }
    }

    /// Reads so many bytes from the address in r3 to that in r1; leaves the length in r1, the state in r2, and in r0 whether it failed. r3 to
    /// r5 are lost. There is no jump: the kernel's verifier would follow either way of each such read to the end, for all that it knows.
    pub(super) fn read_bytes(&mut self, bytes: u32) {
        self.code.number(R::R2, u64::from(bytes));
        self.code.call(helper::READ_USER);
        // Errors are negative.
        self.code.alu(Alu::Rsh, R::R0, 63);
        self.code.mov(R::R2, R::R0);
        self.code.alu(Alu::Mul, R::R2, state::FAILED as i32);
        self.code.number(R::R3, u64::from(bytes));
        self.code.mov(R::R1, R::R0);
        self.code.alu(Alu::Sub, R::R1, 1);
        self.code.alu(Alu::And, R::R1, R::R3);
    }

    /// Reads from the address in r3 to that in r1; leaves the length in r1 and the state in r2, or jumps if it fails. r3 to r5
    /// are lost.
    pub(super) fn read(&mut self, extent: Extent, failed: super::Label) -> Result<(), PlanError> {
        match extent {
            Extent::UpTo { length, max } => {
                self.jump_if_failed(length, failed);
                self.fetch(length, R::R2);
                let fits = self.code.label();
                let most = i32::try_from(max).unwrap_or(i32::MAX);
                self.code.jump_if(Jump::LessEqual, R::R2, most, fits);
                self.code.mov(R::R2, most);
                self.code.place(fits);
                let place = self.frame.take(24)?;
                self.code.store(Width::Eight, R::Frame, place, R::R2);
                self.keep_place(place);
                self.code.call(helper::READ_USER);
                let (done, whole) = (self.code.label(), self.code.label());
                self.code.jump_if(Jump::Equal, R::R0, 0, whole);
                self.read_to_page_end(place, max, failed);
                self.code.jump(done);
                self.code.place(whole);
                self.code.load(Width::Eight, R::R1, R::Frame, place);
                self.code.mov(R::R2, state::WHOLE as i32);
                self.code.place(done);
                self.frame.release(place, 24);
            }
            Extent::Bytes(bytes) => {
                self.code.number(R::R2, u64::from(bytes));
                self.code.call(helper::READ_USER);
                self.code.jump_if(Jump::NotEqual, R::R0, 0, failed);
                self.code.number(R::R1, u64::from(bytes));
                self.code.mov(R::R2, state::WHOLE as i32);
            }
            Extent::String { max } => {
                // Room for one byte too many and the NUL: a string that fills it is longer than `max`.
                self.code.number(R::R2, u64::from(max.saturating_add(2)));
                let place = self.frame.take(24)?;
                self.code.number(R::R4, u64::from(max.saturating_add(2)));
                self.code.store(Width::Eight, R::Frame, place, R::R4);
                self.keep_place(place);
                self.code.call(helper::READ_USER_STRING);
                let (done, missed) = (self.code.label(), self.code.label());
                self.code.jump_if(Jump::LessSigned, R::R0, 1, missed);
                let room = max.saturating_add(2);
                let fits = self.code.label();
                self.code.mov(R::R2, state::WHOLE as i32);
                self.code.mov(R::R1, R::R0);
                self.code.alu(Alu::Sub, R::R1, 1);
                let max = i32::try_from(max).unwrap_or(i32::MAX);
                self.code.jump_if(Jump::LessEqual, R::R1, max, fits);
                self.code.mov(R::R1, max);
                self.code.mov(R::R2, state::CUT as i32);
                self.code.place(fits);
                self.code.jump(done);
                self.code.place(missed);
                self.read_to_page_end(place, room, failed);
                self.code.place(done);
                self.frame.release(place, 24);
            }
        }
        Ok(())
    }

    /// Keeps where is read to (r1) and from (r3), in the words after `place`.
    fn keep_place(&mut self, place: i16) {
        self.code.store(Width::Eight, R::Frame, place + 8, R::R1);
        self.code.store(Width::Eight, R::Frame, place + 16, R::R3);
    }

    /// After a read that failed, of as many bytes as the word at `place` says, `most` at most: reads those before the first page that cannot
    /// be read, as [`PartCompiler::read`] does. It asks for a page less each time.
    fn read_to_page_end(&mut self, place: i16, most: u32, failed: super::Label) {
        let page = self.environment.page_bytes.max(1);
        let bound = i32::try_from(most).unwrap_or(i32::MAX);
        let read = self.code.label();
        for _ in 0..=most / page {
            // From the beginning to the last boundary of pages within.
            self.code.load(Width::Eight, R::R3, R::Frame, place + 16);
            self.code.load(Width::Eight, R::R2, R::Frame, place);
            self.code.alu(Alu::Add, R::R2, R::R3);
            self.code.alu(Alu::Sub, R::R2, 1);
            self.code.alu(Alu::And, R::R2, -(page as i32));
            self.code.alu(Alu::Sub, R::R2, R::R3);
            // There is none: this is the first page that cannot be read.
            self.code.jump_if(Jump::Equal, R::R2, 0, failed);
            self.code.jump_if(Jump::GreaterEqual, R::R2, bound, failed);
            self.code.store(Width::Eight, R::Frame, place, R::R2);
            self.code.load(Width::Eight, R::R1, R::Frame, place + 8);
            self.code.call(helper::READ_USER);
            self.code.jump_if(Jump::Equal, R::R0, 0, read);
        }
        self.code.jump(failed);
        self.code.place(read);
        self.code.load(Width::Eight, R::R1, R::Frame, place);
        self.code.mov(R::R2, state::CUT as i32);
    }

    fn return_if(&mut self, condition: ValueId, on_failure: OnFailure) {
        let on = self.code.label();
        let failed = match on_failure {
            OnFailure::GoOn => on,
            OnFailure::End => self.ends.filtered,
        };
        self.jump_if_failed(condition, failed);
        self.fetch(condition, R::R1);
        self.code
            .jump_if(Jump::NotEqual, R::R1, 0, self.ends.filtered);
        self.code.place(on);
    }

    fn sample(&mut self, number: usize, bytes: ValueId, every: u64) -> Result<(), PlanError> {
        let place = self.outcome(number)?;
        self.jump_if_failed(bytes, self.ends.unsampled);
        self.code.call(helper::RANDOM);
        // The helper gives 32 bits; saying so again keeps the product within 64.
        self.code.alu(Alu::Lsh, R::R0, 32);
        self.code.alu(Alu::Rsh, R::R0, 32);
        self.code.number(R::R1, every);
        self.code.alu(Alu::Mul, R::R0, R::R1);
        self.code.alu(Alu::Rsh, R::R0, 32);
        self.fetch(bytes, R::R2);
        self.code
            .jump_if(Jump::GreaterEqual, R::R0, R::R2, self.ends.unsampled);
        let large = self.code.label();
        self.code.jump_if(Jump::GreaterEqual, R::R2, R::R1, large);
        self.code.mov(R::R2, R::R1);
        self.code.place(large);
        self.code.store(Width::Eight, R::Frame, place, R::R2);
        Ok(())
    }

    /// Room for the outcome of a step.
    pub(super) fn outcome(&mut self, number: usize) -> Result<i16, PlanError> {
        let place = self.frame.take(8)?;
        if let Some(outcome) = self.outcomes.get_mut(number) {
            *outcome = Some(place);
        }
        Ok(place)
    }

    /// The weight of the last sample, if there is one, into r1.
    pub(super) fn fetch_weight(&mut self) {
        let sample = self
            .part
            .steps
            .iter()
            .enumerate()
            .rev()
            .find_map(|(number, step)| {
                let place = self.outcomes.get(number).copied().flatten();
                place.filter(|_| matches!(step, Step::Sample { .. }))
            });
        match sample {
            Some(place) => self.code.load(Width::Eight, R::R1, R::Frame, place),
            None => self.code.mov(R::R1, 0),
        }
    }

    /// Whether a step of this number is a capture that is kept whole, and where.
    pub(super) fn kept_whole(&self, step: StepId) -> Option<i16> {
        let kept = self.schedule.kept(step)?;
        let place = self.buffers.get(index(step.0)).copied().flatten();
        place.filter(|_| kept.whole)
    }
}
