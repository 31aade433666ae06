//! The instructions that compute values.

use super::super::assemble::{Alu, Assembler, Jump, R};
use super::super::check::index;
use super::super::error::PlanError;
use super::super::layout::{CAPTURE_HEADER, state};
use super::super::program::*;
use super::super::settings::{BANK_MASK, FIRST_BANK};
use super::super::table::Bucket;
use super::schedule::{distance, divides};
use super::{Mode, Numbering, Pairing, PartCompiler, ThreadPlaces, helper};

/// Where the registers are in `struct pt_regs` of x86-64 (`arch/x86/include/uapi/asm/ptrace.h`).
pub(super) fn register_offset(register: Register) -> i16 {
    match register {
        Register::R15 => 0,
        Register::R14 => 8,
        Register::R13 => 16,
        Register::R12 => 24,
        Register::Rbp => 32,
        Register::Rbx => 40,
        Register::R11 => 48,
        Register::R10 => 56,
        Register::R9 => 64,
        Register::R8 => 72,
        Register::Rax => 80,
        Register::Rcx => 88,
        Register::Rdx => 96,
        Register::Rsi => 104,
        Register::Rdi => 112,
        Register::Rip => 128,
        Register::Rflags => 144,
        Register::Rsp => 152,
        // Not among them.
        Register::FsBase => 0,
    }
}

/// What is asked of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Equal,
    NotEqual,
    Less { signed: bool },
    LessEqual { signed: bool },
}

impl PartCompiler<'_> {
    /// Computes the values that are first needed by a step.
    pub(super) fn compute(&mut self, step: usize) -> Result<(), PlanError> {
        let values = self.schedule.compute.get(step).cloned();
        for value in values.unwrap_or_default() {
            self.compute_value(value)?;
        }
        Ok(())
    }

    /// Leaves a value in r1 to r4 or r0; r5 is lost.
    pub(super) fn fetch(&mut self, value: ValueId, to: R) {
        if let Some(place) = self.slots.get(index(value.0)).copied().flatten() {
            self.code.load(Width::Eight, to, R::Frame, place);
            return;
        }
        match self.value(value) {
            Value::Constant(number) => self.code.number(to, number),
            Value::Register(register) => {
                self.code
                    .load(Width::Eight, to, R::R6, register_offset(register));
            }
            Value::Tid => self.fetch_frame(Width::Four, to, self.numbers),
            Value::Pid => {
                self.fetch_frame(Width::Four, to, self.numbers.map(|place| place + 4));
            }
            Value::Time => self.fetch_frame(Width::Eight, to, self.time),
            Value::Cpu => self.fetch_frame(Width::Eight, to, Some(self.processor)),
            Value::FaultAddress => self.fetch_frame(Width::Eight, to, self.fault_address),
            Value::Weight(step) | Value::Found(step) | Value::Lost(step) => {
                let place = self.outcomes.get(index(step.0)).copied().flatten();
                self.fetch_frame(Width::Eight, to, place);
            }
            Value::Length(step) => {
                let place = self.buffers.get(index(step.0)).copied().flatten();
                self.fetch_frame(Width::Four, to, place);
            }
            Value::Slot {
                capture,
                offset,
                width,
                signed,
            } => {
                let buffer = self.buffers.get(index(capture.0)).copied().flatten();
                let first = self.schedule.kept(capture).map_or(0, |kept| kept.first);
                let Some(buffer) = buffer else {
                    return self.code.mov(to, 0);
                };
                let within = CAPTURE_HEADER.saturating_add(offset.saturating_sub(first));
                let place = buffer.saturating_add(i16::try_from(within).unwrap_or(0));
                self.fetch_bytes(to, R::Frame, place, width, signed);
            }
            Value::Entry(place) => match self.pairing {
                Pairing::Word => self.fetch_frame(Width::Eight, to, self.saved_row),
                _ => {
                    self.fetch_frame(Width::Eight, to, self.saved_row);
                    let offset = self.saved_layout.value(place);
                    self.code.load(Width::Eight, to, to, short(offset));
                }
            },
            Value::EntrySlot {
                capture,
                offset,
                width,
                signed,
            } => {
                let capture = self.saved_layout.capture(capture);
                let place = capture
                    .saturating_add(CAPTURE_HEADER)
                    .saturating_add(offset);
                self.fetch_frame(Width::Eight, to, self.saved_row);
                // Rows of maps may be read at any address, unlike the stack.
                self.code.load(width, to, to, short(place));
                if signed {
                    self.extend(to, width, true);
                }
            }
            value @ Value::Binary(..) => match distance(self.part, &value) {
                Some((base, distance)) => {
                    self.fetch(base, to);
                    self.code.alu(Alu::Add, to, distance);
                }
                None => self.code.mov(to, 0),
            },
            Value::Cookie
            | Value::ExitStatus
            | Value::Setting(_)
            | Value::Failed(_)
            | Value::Unary(..)
            | Value::Select { .. } => self.code.mov(to, 0),
        }
    }

    /// Jumps if the value failed. r5 is lost.
    pub(super) fn jump_if_failed(&mut self, value: ValueId, label: super::Label) {
        let failures = self.schedule.failures_of(value);
        self.jump_if_any(failures, label);
    }

    /// Jumps if one of the bits is set. r5 is lost.
    pub(super) fn jump_if_any(&mut self, failures: u64, label: super::Label) {
        if failures == 0 {
            return;
        }
        // On a copy, so that the verifier learns nothing of r9 by which it would tell the ways apart ever after.
        self.code.number(R::R5, failures);
        self.code.alu(Alu::And, R::R5, R::R9);
        self.code.jump_if(Jump::NotEqual, R::R5, 0, label);
    }

    /// Notes that something failed. r5 is lost.
    pub(super) fn set_failed(&mut self, bit: u64) {
        match i32::try_from(bit) {
            Ok(small) => self.code.alu(Alu::Or, R::R9, small),
            Err(_) => {
                self.code.number(R::R5, bit);
                self.code.alu(Alu::Or, R::R9, R::R5);
            }
        }
    }

    /// Where the numbers of the thread (four bytes) and of the process are.
    pub(super) fn numbers(&mut self) -> Result<i16, PlanError> {
        if let Some(place) = self.numbers {
            return Ok(place);
        }
        let place = self.frame.take(8)?;
        match self.environment.numbering {
            Numbering::Kernel => {
                self.code.call(helper::PID_TGID);
                self.code.store(Width::Eight, R::Frame, place, R::R0);
            }
            Numbering::Namespace { device, inode } => {
                // `struct bpf_pidns_info`: the thread's number, then the process's.
                self.code.number(R::R1, device);
                self.code.number(R::R2, inode);
                self.frame_address(R::R3, place);
                self.code.mov(R::R4, 8);
                self.code.call(helper::NAMESPACE_PID_TGID);
            }
        }
        self.numbers = Some(place);
        Ok(place)
    }

    /// Takes the numbers of a thread that the current one starts: the second operand of the place in the kernel describes it.
    pub(super) fn numbers_of_started(&mut self, places: ThreadPlaces) -> Result<(), PlanError> {
        let numbers = self.frame.take(8)?;
        for (place, offset) in [(numbers, places.tid), (numbers + 4, places.pid)] {
            self.frame_address(R::R1, place);
            self.code.mov(R::R2, 4);
            self.code.load(Width::Eight, R::R3, R::R6, 8);
            self.code.number(R::R5, u64::from(offset));
            self.code.alu(Alu::Add, R::R3, R::R5);
            self.code.call(helper::READ_KERNEL);
        }
        self.numbers = Some(numbers);
        Ok(())
    }

    /// Where the time of the hit is.
    pub(super) fn time(&mut self) -> Result<i16, PlanError> {
        if let Some(place) = self.time {
            return Ok(place);
        }
        let place = self.frame.take(8)?;
        self.code.call(helper::TIME);
        self.code.store(Width::Eight, R::Frame, place, R::R0);
        self.time = Some(place);
        Ok(place)
    }

    /// Leaves a word that the session's owner sets in r0; r1 is lost.
    fn setting(&mut self, number: u32) -> Result<(), PlanError> {
        let map = self.environment.settings;
        let bank = match self.bank {
            Some(bank) => bank,
            None => {
                let bank = self.frame.take(8)?;
                self.code.map_value(R::R1, map, 0);
                self.code.load(Width::Eight, R::R0, R::R1, 0);
                self.code.store(Width::Eight, R::Frame, bank, R::R0);
                self.bank = Some(bank);
                bank
            }
        };
        let offset = number.saturating_mul(8).saturating_add(FIRST_BANK);
        self.code.map_value(R::R1, map, offset);
        self.code.load(Width::Eight, R::R0, R::Frame, bank);
        self.code.alu(Alu::And, R::R0, BANK_MASK);
        self.code.alu(Alu::Add, R::R1, R::R0);
        self.code.load(Width::Eight, R::R0, R::R1, 0);
        Ok(())
    }

    /// Leaves the number of the site in r0; r1 to r5 are lost.
    pub(super) fn cookie(&mut self) {
        match self.environment.mode {
            // What is counted has no sites.
            Mode::Event { .. } | Mode::Thread { .. } | Mode::Fork(_) => {
                self.code.mov(R::R0, 0);
            }
            _ => {
                self.code.mov(R::R1, R::R6);
                self.code.call(helper::ATTACH_COOKIE);
            }
        }
    }

    pub(super) fn frame_address(&mut self, to: R, place: i16) {
        self.code.mov(to, R::Frame);
        self.code.alu(Alu::Add, to, i32::from(place));
    }

    fn value(&self, value: ValueId) -> Value {
        let value = self.part.values.get(index(value.0)).copied();
        value.unwrap_or(Value::Constant(0))
    }

    fn fetch_frame(&mut self, width: Width, to: R, place: Option<i16>) {
        match place {
            Some(place) => self.code.load(width, to, R::Frame, place),
            None => self.code.mov(to, 0),
        }
    }

    /// Loads an integer that need not be aligned, from memory where loads must be. r5 is lost.
    fn fetch_bytes(&mut self, to: R, from: R, place: i16, width: Width, signed: bool) {
        let step = (1..=3)
            .rev()
            .filter_map(|power| Width::of_bytes(1 << power))
            .filter(|step| step.bytes() <= width.bytes())
            .find(|step| i32::from(place).rem_euclid(step.bytes() as i32) == 0)
            .unwrap_or(Width::One);
        self.code.load(step, to, from, place);
        let mut done = step.bytes();
        while done < width.bytes() {
            let offset = place.saturating_add(done as i16);
            self.code.load(step, R::R5, from, offset);
            self.code.alu(Alu::Lsh, R::R5, 8 * done as i32);
            self.code.alu(Alu::Or, to, R::R5);
            done += step.bytes();
        }
        if signed {
            self.extend(to, width, true);
        }
    }

    fn extend(&mut self, to: R, width: Width, signed: bool) {
        let bits = 64 - 8 * width.bytes() as i32;
        if bits > 0 {
            self.code.alu(Alu::Lsh, to, bits);
            let back = if signed { Alu::Arsh } else { Alu::Rsh };
            self.code.alu(back, to, bits);
        }
    }

    /// Computes a value, if it is one that has to be, and keeps it.
    fn compute_value(&mut self, id: ValueId) -> Result<(), PlanError> {
        let own = self.schedule.own.get(index(id.0)).copied().unwrap_or(0);
        match self.value(id) {
            Value::Tid | Value::Pid => return self.numbers().map(drop),
            Value::Time => return self.time().map(drop),
            Value::Register(Register::FsBase) => {
                self.thread_pointer()?;
            }
            Value::Cookie => self.cookie(),
            Value::ExitStatus => {
                let offset = self.environment.exit_status;
                let offset = offset.ok_or(PlanError::NoExitStatus)?;
                self.code.call(helper::CURRENT_TASK);
                self.code.load(Width::Four, R::R0, R::R0, offset);
            }
            Value::Setting(number) => self.setting(number)?,
            Value::Failed(value) => {
                let done = self.code.label();
                self.code.mov(R::R0, 1);
                self.jump_if_failed(value, done);
                self.code.mov(R::R0, 0);
                self.code.place(done);
            }
            Value::Unary(operation, value) => {
                self.fetch(value, R::R0);
                self.unary(operation);
            }
            value @ Value::Binary(..) if distance(self.part, &value).is_some() => return Ok(()),
            Value::Binary(operation, a, b) => {
                self.fetch(a, R::R0);
                self.fetch(b, R::R1);
                if divides(operation) {
                    self.divide(operation, own);
                } else {
                    self.binary(operation);
                }
            }
            Value::Select {
                condition,
                then,
                otherwise,
            } => self.select(condition, then, otherwise, own),
            Value::Constant(_)
            | Value::Register(_)
            | Value::Cpu
            | Value::FaultAddress
            | Value::Entry(_)
            | Value::EntrySlot { .. }
            | Value::Slot { .. }
            | Value::Length(_)
            | Value::Weight(_)
            | Value::Lost(_)
            | Value::Found(_) => return Ok(()),
        }
        let place = self.frame.take(8)?;
        self.code.store(Width::Eight, R::Frame, place, R::R0);
        if let Some(slot) = self.slots.get_mut(index(id.0)) {
            *slot = Some(place);
        }
        Ok(())
    }

    /// On r0.
    fn unary(&mut self, operation: UnaryOperation) {
        match operation {
            UnaryOperation::Negate => self.code.alu(Alu::Neg, R::R0, 0),
            UnaryOperation::Invert => self.code.alu(Alu::Xor, R::R0, -1),
            UnaryOperation::IsZero => {
                self.code.mov(R::R1, 0);
                self.truth(Truth::Equal);
            }
            UnaryOperation::ZeroExtend(width) => self.extend(R::R0, width, false),
            UnaryOperation::SignExtend(width) => self.extend(R::R0, width, true),
            UnaryOperation::Bucket => self.bucket(),
        }
    }

    /// The number of the bucket of r0, into r0; r1 to r4 are lost.
    fn bucket(&mut self) {
        let code = &mut *self.code;
        let alu =
            |code: &mut Assembler, operation, to, operand: R| code.alu(operation, to, operand);
        // Its absolute value; r3 is 0, or -1 for a negative one.
        code.mov(R::R3, R::R0);
        code.alu(Alu::Arsh, R::R3, 63);
        alu(code, Alu::Xor, R::R0, R::R3);
        alu(code, Alu::Sub, R::R0, R::R3);
        // The number of its significant bits, by halves.
        code.mov(R::R1, R::R0);
        code.mov(R::R2, 0);
        for bits in [32, 16, 8, 4, 2, 1] {
            let small = code.label();
            code.mov(R::R4, R::R1);
            code.alu(Alu::Rsh, R::R4, bits);
            code.jump_if(Jump::Equal, R::R4, 0, small);
            code.mov(R::R1, R::R4);
            code.alu(Alu::Add, R::R2, bits);
            code.place(small);
        }
        // What is left is 0 or 1.
        alu(code, Alu::Add, R::R2, R::R1);
        let exact = code.label();
        let whole = Bucket::SUB_BITS as i32 + 1;
        code.jump_if(Jump::LessEqual, R::R2, whole, exact);
        code.alu(Alu::Sub, R::R2, whole);
        code.alu(Alu::And, R::R2, 63);
        alu(code, Alu::Rsh, R::R0, R::R2);
        code.alu(Alu::Lsh, R::R2, Bucket::SUB_BITS as i32);
        alu(code, Alu::Add, R::R0, R::R2);
        code.place(exact);
        alu(code, Alu::Xor, R::R0, R::R3);
        alu(code, Alu::Sub, R::R0, R::R3);
    }

    /// On r0 and r1, into r0.
    fn binary(&mut self, operation: BinaryOperation) {
        let arithmetic = match operation {
            BinaryOperation::Add => Alu::Add,
            BinaryOperation::Subtract => Alu::Sub,
            BinaryOperation::Multiply => Alu::Mul,
            BinaryOperation::And => Alu::And,
            BinaryOperation::Or => Alu::Or,
            BinaryOperation::Xor => Alu::Xor,
            BinaryOperation::ShiftLeft => Alu::Lsh,
            BinaryOperation::ShiftRightLogical => Alu::Rsh,
            BinaryOperation::ShiftRightArithmetic => Alu::Arsh,
            BinaryOperation::Equal => return self.truth(Truth::Equal),
            BinaryOperation::NotEqual => return self.truth(Truth::NotEqual),
            BinaryOperation::LessUnsigned => return self.truth(Truth::Less { signed: false }),
            BinaryOperation::LessEqualUnsigned => {
                return self.truth(Truth::LessEqual { signed: false });
            }
            BinaryOperation::LessSigned => return self.truth(Truth::Less { signed: true }),
            BinaryOperation::LessEqualSigned => {
                return self.truth(Truth::LessEqual { signed: true });
            }
            BinaryOperation::DivideUnsigned
            | BinaryOperation::DivideSigned
            | BinaryOperation::RemainderUnsigned
            | BinaryOperation::RemainderSigned => return,
        };
        if matches!(arithmetic, Alu::Lsh | Alu::Rsh | Alu::Arsh) {
            self.code.alu(Alu::And, R::R1, 63);
        }
        self.code.alu(arithmetic, R::R0, R::R1);
    }

    /// Whether r0 is less than r1, or equal to it, into r0; r1 and r2 are lost. Without jumps, as in [`PartCompiler::read_bytes`].
    fn truth(&mut self, condition: Truth) {
        let code = &mut *self.code;
        match condition {
            Truth::Equal | Truth::NotEqual => {
                code.alu(Alu::Xor, R::R0, R::R1);
                code.mov(R::R1, R::R0);
                code.alu(Alu::Neg, R::R1, 0);
                code.alu(Alu::Or, R::R0, R::R1);
            }
            Truth::Less { signed } | Truth::LessEqual { signed } => {
                // a <= b is not b < a.
                let (a, b) = match condition {
                    Truth::LessEqual { .. } => (R::R1, R::R0),
                    _ => (R::R0, R::R1),
                };
                // The borrow of a - b, or its sign where it has not overflowed (Hacker's Delight, 2-12): the difference d, and
                // (~a & b) | (~(a ^ b) & d) = d ^ ((a ^ b) & (d ^ b)), or for signed numbers d ^ ((a ^ b) & (d ^ a)).
                code.mov(R::R2, a);
                code.alu(Alu::Sub, R::R2, b);
                code.mov(R::R3, R::R2);
                code.alu(Alu::Xor, R::R3, if signed { a } else { b });
                code.alu(Alu::Xor, R::R0, R::R1);
                code.alu(Alu::And, R::R0, R::R3);
                code.alu(Alu::Xor, R::R0, R::R2);
            }
        }
        code.alu(Alu::Rsh, R::R0, 63);
        if matches!(condition, Truth::Equal | Truth::LessEqual { .. }) {
            code.alu(Alu::Xor, R::R0, 1);
        }
    }

    /// r0 by r1, into r0; by 0 it fails, and is 0. Signed division is made of unsigned division: before Linux 6.6 there is no
    /// other.
    fn divide(&mut self, operation: BinaryOperation, own: u64) {
        let done = self.code.label();
        if own != 0 {
            let some = self.code.label();
            self.code.jump_if(Jump::NotEqual, R::R1, 0, some);
            self.set_failed(own);
            self.code.mov(R::R0, 0);
            self.code.jump(done);
            self.code.place(some);
        }
        let remainder = matches!(
            operation,
            BinaryOperation::RemainderUnsigned | BinaryOperation::RemainderSigned
        );
        let arithmetic = if remainder { Alu::Mod } else { Alu::Div };
        if matches!(
            operation,
            BinaryOperation::DivideUnsigned | BinaryOperation::RemainderUnsigned
        ) {
            self.code.alu(arithmetic, R::R0, R::R1);
        } else {
            // The sign of the result: that of the dividend, for a quotient times that of the divisor.
            self.code.mov(R::R2, R::R0);
            if !remainder {
                self.code.alu(Alu::Xor, R::R2, R::R1);
            }
            for register in [R::R0, R::R1] {
                let positive = self.code.label();
                self.code
                    .jump_if(Jump::GreaterEqualSigned, register, 0, positive);
                self.code.alu(Alu::Neg, register, 0);
                self.code.place(positive);
            }
            self.code.alu(arithmetic, R::R0, R::R1);
            self.code.jump_if(Jump::GreaterEqualSigned, R::R2, 0, done);
            self.code.alu(Alu::Neg, R::R0, 0);
        }
        self.code.place(done);
    }

    fn select(&mut self, condition: ValueId, then: ValueId, otherwise: ValueId, own: u64) {
        let (failed, other, done) = (self.code.label(), self.code.label(), self.code.label());
        if own != 0 {
            self.jump_if_failed(condition, failed);
        }
        self.fetch(condition, R::R0);
        self.code.jump_if(Jump::Equal, R::R0, 0, other);
        if own != 0 {
            self.jump_if_failed(then, failed);
        }
        self.fetch(then, R::R0);
        self.code.jump(done);
        self.code.place(other);
        if own != 0 {
            self.jump_if_failed(otherwise, failed);
        }
        self.fetch(otherwise, R::R0);
        if own != 0 && self.code.is_target(failed) {
            self.code.jump(done);
            self.code.place(failed);
            self.set_failed(own);
            self.code.mov(R::R0, 0);
        }
        self.code.place(done);
    }

    /// In a return part: finds what the entry part saved, or ends the part.
    pub(super) fn find_saved(&mut self) -> Result<(), PlanError> {
        if self.pairing == Pairing::None {
            return Ok(());
        }
        let place = self.frame.take(8)?;
        self.saved_row = Some(place);
        if self.pairing == Pairing::Word {
            self.session_word();
            self.code.load(Width::Eight, R::R0, R::R0, 0);
            self.code.store(Width::Eight, R::Frame, place, R::R0);
            return Ok(());
        }
        let Some(maps) = self.environment.saved else {
            return Ok(());
        };
        let key = self.saved_key()?;
        self.code.map(R::R1, maps.rows);
        self.frame_address(R::R2, key);
        self.code.call(helper::MAP_LOOKUP);
        // Without a session the kernel runs the return of an entry part that has ended early, too.
        let ended = self
            .program
            .entry
            .steps
            .iter()
            .any(|step| matches!(step, Step::ReturnIf { .. } | Step::Sample { .. }));
        let missing = match self.environment.mode {
            Mode::Return if ended => self.ends.leave,
            _ => self.ends.unpaired,
        };
        self.code.jump_if(Jump::Equal, R::R0, 0, missing);
        self.code.store(Width::Eight, R::Frame, place, R::R0);
        self.find_saved_failures();
        Ok(())
    }

    /// Takes over which saved values failed. r0 has the address of the row.
    fn find_saved_failures(&mut self) {
        for (number, value) in self.part.values.iter().enumerate() {
            let own = self.schedule.own.get(number).copied().unwrap_or(0);
            let Value::Entry(entry) = *value else {
                continue;
            };
            if own == 0 {
                continue;
            }
            let fine = self.code.label();
            self.code.load(Width::Eight, R::R1, R::R0, 0);
            self.code
                .alu(Alu::Rsh, R::R1, i32::try_from(entry).unwrap_or(0));
            self.code.alu(Alu::And, R::R1, 1);
            self.code.jump_if(Jump::Equal, R::R1, 0, fine);
            self.set_failed(own);
            self.code.place(fine);
        }
        for capture in 0..self.schedule.entry_failures.len() {
            let bit = self.schedule.entry_failures.get(capture).copied();
            let Some(bit) = bit.filter(|bit| *bit != 0) else {
                continue;
            };
            let place = self
                .saved_layout
                .capture(u32::try_from(capture).unwrap_or(0));
            let fine = self.code.label();
            self.code
                .load(Width::Four, R::R1, R::R0, short(place.saturating_add(4)));
            self.code
                .jump_if(Jump::NotEqual, R::R1, state::FAILED as i32, fine);
            self.set_failed(bit);
            self.code.place(fine);
        }
    }

    /// Leaves the address of the word that the kernel keeps for the return in r0.
    pub(super) fn session_word(&mut self) {
        if let Mode::Session(functions) = self.environment.mode {
            // Later kernels take the context as an operand, earlier ones none.
            self.code.mov(R::R1, R::R6);
            self.code.call_kernel(functions.cookie);
        }
    }

    /// The key of what the entry part saved: of a session, the number in the kernel's word; else the thread, the probe and the
    /// stack pointer at entry.
    pub(super) fn saved_key(&mut self) -> Result<i16, PlanError> {
        let key = self.frame.take(super::SAVED_KEY)?;
        self.saved_key = Some(key);
        let probe = self.environment.probe;
        if let Mode::Session(_) = self.environment.mode {
            if self.on_return {
                self.session_word();
                self.code.load(Width::Eight, R::R1, R::R0, 0);
            } else {
                // Each processor numbers its entries; so no two that are under way at the same time have the same key.
                self.code.mov(R::R1, 1);
                self.code
                    .atomic_fetch_add(R::R8, super::counter::NEXT, R::R1);
                self.code.alu(Alu::Lsh, R::R1, 16);
                self.code
                    .load(Width::Eight, R::R2, R::Frame, self.processor);
                self.code.alu(Alu::Or, R::R1, R::R2);
            }
            self.code.store(Width::Eight, R::Frame, key, R::R1);
            self.code.number(R::R1, u64::from(probe));
            self.code.store(Width::Eight, R::Frame, key + 8, R::R1);
            return Ok(key);
        }
        let numbers = self.numbers()?;
        self.code
            .load(Width::Eight, R::R1, R::R6, register_offset(Register::Rsp));
        if self.on_return {
            // The return address has been popped.
            self.code.alu(Alu::Sub, R::R1, 8);
        }
        self.code.store(Width::Eight, R::Frame, key, R::R1);
        self.code.load(Width::Four, R::R1, R::Frame, numbers);
        self.code.alu(Alu::Lsh, R::R1, 32);
        self.code.number(R::R2, u64::from(probe));
        self.code.alu(Alu::Or, R::R1, R::R2);
        self.code.store(Width::Eight, R::Frame, key + 8, R::R1);
        Ok(key)
    }

    /// At an end where nothing that was computed is needed any more: takes away the row that this call has, or an earlier one at the same
    /// place of the stack, and counts it if there was one.
    pub(super) fn forget_row(&mut self, counter: Option<i16>) -> Result<(), PlanError> {
        let Some(maps) = self.environment.saved else {
            return Ok(());
        };
        // The code comes here from where the numbers are not known yet, too.
        let (frame, numbers) = (std::mem::take(&mut self.frame), self.numbers.take());
        let saved_key = self.saved_key.take();
        let key = self.saved_key()?;
        self.code.map(R::R1, maps.rows);
        self.frame_address(R::R2, key);
        self.code.call(helper::MAP_DELETE);
        if let Some(counter) = counter {
            let none = self.code.label();
            self.code.jump_if(Jump::NotEqual, R::R0, 0, none);
            self.count(counter);
            self.code.place(none);
        }
        (self.frame, self.numbers, self.saved_key) = (frame, numbers, saved_key);
        Ok(())
    }

    /// In a return part: gives back the room of what the entry part saved.
    pub(super) fn forget_saved(&mut self) {
        let (true, Pairing::Row, Some(maps), Some(key)) = (
            self.on_return,
            self.pairing,
            self.environment.saved,
            self.saved_key,
        ) else {
            return;
        };
        self.code.map(R::R1, maps.rows);
        self.frame_address(R::R2, key);
        self.code.call(helper::MAP_DELETE);
    }
}

/// A place in a row or a record; those beyond the reach of a load are refused before ([`super::record`]).
pub(super) fn short(offset: u32) -> i16 {
    i16::try_from(offset).unwrap_or(i16::MAX)
}
