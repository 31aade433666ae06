//! An assembler for the kernel's virtual machine (Documentation/bpf/standardization/instruction-set.rst).

use super::program::Width;

/// A register of the virtual machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum R {
    R0 = 0,
    R1 = 1,
    R2 = 2,
    R3 = 3,
    R4 = 4,
    R5 = 5,
    R6 = 6,
    R7 = 7,
    R8 = 8,
    R9 = 9,
    /// The frame: the stack is below it.
    Frame = 10,
}

/// Arithmetic on 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Alu {
    Add = 0x00,
    Sub = 0x10,
    Mul = 0x20,
    Div = 0x30,
    Or = 0x40,
    And = 0x50,
    Lsh = 0x60,
    Rsh = 0x70,
    Neg = 0x80,
    Mod = 0x90,
    Xor = 0xa0,
    Mov = 0xb0,
    Arsh = 0xc0,
}

/// Conditions of jumps, on 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Jump {
    Equal = 0x10,
    Greater = 0x20,
    GreaterEqual = 0x30,
    NotEqual = 0x50,
    GreaterEqualSigned = 0x70,
    LessEqual = 0xb0,
    LessSigned = 0xc0,
}

/// A second operand: a register or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Register(R),
    Number(i32),
}

impl From<R> for Operand {
    fn from(register: R) -> Operand {
        Operand::Register(register)
    }
}

impl From<i32> for Operand {
    fn from(number: i32) -> Operand {
        Operand::Number(number)
    }
}

/// What a two-word load of a number stands for (`BPF_PSEUDO_*` of `linux/bpf.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Wide {
    Number = 0,
    Map = 1,
    MapValue = 2,
}

const CLASS_LOAD_IMMEDIATE: u8 = 0x18;
const CLASS_LOAD: u8 = 0x61;
const CLASS_STORE_NUMBER: u8 = 0x62;
const CLASS_STORE: u8 = 0x63;
const CLASS_ATOMIC: u8 = 0xdb;
const CLASS_ALU64: u8 = 0x07;
const CLASS_JUMP: u8 = 0x05;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
const FROM_REGISTER: u8 = 0x08;
/// Calls a function of the kernel by its number in the kernel's type information (`BPF_PSEUDO_KFUNC_CALL`).
const CALL_KERNEL: u8 = 2;
const FETCH: i32 = 1;
const COMPARE_EXCHANGE: i32 = 0xf1;

/// A place that jumps go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(usize);

/// Instructions, as they are made.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    words: Vec<u64>,
    labels: Vec<Option<usize>>,
    jumps: Vec<(usize, Label)>,
}

impl Assembler {
    /// A label whose place is not known yet.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// The label is here.
    pub fn place(&mut self, label: Label) {
        let here = self.words.len();
        if let Some(place) = self.labels.get_mut(label.0) {
            *place = Some(here);
        }
    }

    /// Whether anything jumps to the label. The kernel refuses instructions that nothing comes to.
    pub fn is_target(&self, label: Label) -> bool {
        self.jumps.iter().any(|(_, target)| *target == label)
    }

    /// The instructions; `None` if a jump is too far or its label has no place.
    pub fn finish(mut self) -> Option<Vec<u64>> {
        for (from, label) in self.jumps {
            let to = (*self.labels.get(label.0)?)?;
            let distance = i64::try_from(to).ok()? - i64::try_from(from).ok()? - 1;
            let distance = i16::try_from(distance).ok()?;
            *self.words.get_mut(from)? |= u64::from(distance as u16) << 16;
        }
        Some(self.words)
    }

    pub fn alu(&mut self, operation: Alu, to: R, operand: impl Into<Operand>) {
        let code = CLASS_ALU64 | operation as u8;
        match operand.into() {
            Operand::Register(from) => self.word(code | FROM_REGISTER, to, from, 0, 0),
            Operand::Number(number) => self.word(code, to, R::R0, 0, number),
        }
    }

    pub fn mov(&mut self, to: R, operand: impl Into<Operand>) {
        self.alu(Alu::Mov, to, operand);
    }

    /// Any number, in one instruction if it is a small one.
    pub fn number(&mut self, to: R, number: u64) {
        match i32::try_from(number as i64) {
            Ok(small) => self.mov(to, small),
            Err(_) => self.wide(to, Wide::Number, number as u32, (number >> 32) as u32),
        }
    }

    /// A map.
    pub fn map(&mut self, to: R, map: i32) {
        self.wide(to, Wide::Map, map as u32, 0);
    }

    /// The address of the first element of an array map, and so many bytes more.
    pub fn map_value(&mut self, to: R, map: i32, offset: u32) {
        self.wide(to, Wide::MapValue, map as u32, offset);
    }

    pub fn load(&mut self, width: Width, to: R, from: R, offset: i16) {
        self.word(CLASS_LOAD | size(width), to, from, offset, 0);
    }

    pub fn store(&mut self, width: Width, to: R, offset: i16, operand: impl Into<Operand>) {
        match operand.into() {
            Operand::Register(from) => {
                self.word(CLASS_STORE | size(width), to, from, offset, 0);
            }
            Operand::Number(number) => {
                self.word(CLASS_STORE_NUMBER | size(width), to, R::R0, offset, number);
            }
        }
    }

    /// Adds to eight bytes of memory.
    pub fn atomic_add(&mut self, to: R, offset: i16, from: R) {
        self.word(CLASS_ATOMIC, to, from, offset, Alu::Add as i32);
    }

    /// Adds to eight bytes of memory; what was there before goes to `from`.
    pub fn atomic_fetch_add(&mut self, to: R, offset: i16, from: R) {
        self.word(CLASS_ATOMIC, to, from, offset, Alu::Add as i32 | FETCH);
    }

    /// Sets eight bytes of memory to `from` if they are as r0; what was there before goes to r0.
    pub fn compare_exchange(&mut self, to: R, offset: i16, from: R) {
        self.word(CLASS_ATOMIC, to, from, offset, COMPARE_EXCHANGE);
    }

    pub fn jump(&mut self, label: Label) {
        self.jumps.push((self.words.len(), label));
        self.word(CLASS_JUMP, R::R0, R::R0, 0, 0);
    }

    pub fn jump_if(&mut self, condition: Jump, a: R, b: impl Into<Operand>, label: Label) {
        self.jumps.push((self.words.len(), label));
        let code = CLASS_JUMP | condition as u8;
        match b.into() {
            Operand::Register(from) => self.word(code | FROM_REGISTER, a, from, 0, 0),
            Operand::Number(number) => self.word(code, a, R::R0, 0, number),
        }
    }

    /// Calls a helper by its number; r1 to r5 are its operands and are lost, r0 is its result.
    pub fn call(&mut self, helper: i32) {
        self.word(CALL, R::R0, R::R0, 0, helper);
    }

    /// Calls a function of the kernel by its number in the kernel's type information.
    pub fn call_kernel(&mut self, function: i32) {
        let register = u64::from(CALL_KERNEL) << 12;
        self.words
            .push(u64::from(CALL) | register | u64::from(function as u32) << 32);
    }

    pub fn exit(&mut self) {
        self.word(EXIT, R::R0, R::R0, 0, 0);
    }

    fn wide(&mut self, to: R, kind: Wide, low: u32, high: u32) {
        let registers = u64::from(to as u8) | u64::from(kind as u8) << 4;
        self.words
            .push(u64::from(CLASS_LOAD_IMMEDIATE) | registers << 8 | u64::from(low) << 32);
        self.words.push(u64::from(high) << 32);
    }

    fn word(&mut self, code: u8, to: R, from: R, offset: i16, number: i32) {
        let registers = u64::from(to as u8) | u64::from(from as u8) << 4;
        self.words.push(
            u64::from(code)
                | registers << 8
                | u64::from(offset as u16) << 16
                | u64::from(number as u32) << 32,
        );
    }
}

/// The bits of a width in loads and stores.
fn size(width: Width) -> u8 {
    match width {
        Width::Four => 0x00,
        Width::Two => 0x08,
        Width::One => 0x10,
        Width::Eight => 0x18,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_have_the_documented_form() {
        let mut code = Assembler::default();
        let end = code.label();
        code.mov(R::R6, R::R1);
        code.load(Width::Eight, R::R2, R::R6, 152);
        code.store(Width::Four, R::Frame, -8, 7);
        code.jump_if(Jump::NotEqual, R::R2, 0, end);
        code.number(R::R3, 0x1_0000_0002);
        code.atomic_add(R::R8, 8, R::R3);
        code.place(end);
        code.call(14);
        code.exit();
        let bytes: Vec<[u8; 8]> = code
            .finish()
            .unwrap()
            .iter()
            .map(|w| w.to_le_bytes())
            .collect();
        let expected: [[u8; 8]; 9] = [
            [0xbf, 0x16, 0, 0, 0, 0, 0, 0],
            [0x79, 0x62, 152, 0, 0, 0, 0, 0],
            [0x62, 0x0a, 0xf8, 0xff, 7, 0, 0, 0],
            [0x55, 0x02, 3, 0, 0, 0, 0, 0],
            [0x18, 0x03, 0, 0, 2, 0, 0, 0],
            [0, 0, 0, 0, 1, 0, 0, 0],
            [0xdb, 0x38, 8, 0, 0, 0, 0, 0],
            [0x85, 0, 0, 0, 14, 0, 0, 0],
            [0x95, 0, 0, 0, 0, 0, 0, 0],
        ];
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_jump_to_nowhere_is_no_program() {
        let mut code = Assembler::default();
        let nowhere = code.label();
        code.jump(nowhere);
        assert_eq!(code.finish(), None);
    }
}
