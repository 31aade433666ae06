//! Instructions that are carried out on a thread's registers, since `int3` stands in their place.
//!
//! Those are the ones that functions begin with, and that calls return to. The flags are computed as the processor does
//! (Intel SDM volume 1, 3.4.3.1; AF included). Calls and returns are left to the processor, which may check them by a shadow stack.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::tables::Address;
use super::text::BREAKPOINT;

/// What became of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The registers are as after it; this word is still to be written to this address.
    Done { written: Option<(u64, u64)> },
    /// It is none of those that are known, or its memory could not be read: nothing was done.
    Unknown,
}

/// Bits of the flags.
const CARRY: u64 = 1;
const PARITY: u64 = 1 << 2;
const ADJUST: u64 = 1 << 4;
const ZERO: u64 = 1 << 6;
const SIGN: u64 = 1 << 7;
const OVERFLOW: u64 = 1 << 11;
const ARITHMETIC: u64 = CARRY | PARITY | ADJUST | ZERO | SIGN | OVERFLOW;
/// The flag that the kernel sets to pass a breakpoint of the processor; it ends with the instruction.
const RESUME: u64 = 1 << 16;

/// Decodes an instruction once, before the fork.
pub(super) fn warm_up() {
    let mut point = Address {
        length: 1,
        ..Address::default()
    };
    point.code[0] = 0x90;
    let _ = refusal(&point);
}

fn decode(point: &Address) -> Instruction {
    let code = point.code.get(..point.length.into()).unwrap_or(&[]);
    Decoder::with_ip(64, code, point.address, DecoderOptions::NONE).decode()
}

/// Whether a breakpoint may not stand there: no instruction, another breakpoint, or one that enters the kernel, which could
/// neither be carried out nor stepped in peace.
pub(super) fn refusal(point: &Address) -> bool {
    if point.length == 0 || point.code[0] == BREAKPOINT {
        return true;
    }
    let instruction = decode(point);
    matches!(
        instruction.mnemonic(),
        Mnemonic::INVALID
            | Mnemonic::Syscall
            | Mnemonic::Sysenter
            | Mnemonic::Int
            | Mnemonic::Int1
            | Mnemonic::Int3
            | Mnemonic::Into
            | Mnemonic::Iret
            | Mnemonic::Iretd
            | Mnemonic::Iretq
            | Mnemonic::Popf
            | Mnemonic::Popfd
            | Mnemonic::Popfq
            | Mnemonic::Pushf
            | Mnemonic::Pushfd
            | Mnemonic::Pushfq
    )
}

/// How many of the bytes that were read are the instruction.
pub(super) fn size(point: &Address) -> u8 {
    u8::try_from(decode(point).len()).unwrap_or(1)
}

/// How long an instruction is that may take several steps, since it is repeated; `None` for any other.
pub(super) fn repeated(point: &Address) -> Option<u64> {
    let instruction = decode(point);
    let repeated = instruction.is_string_instruction()
        && (instruction.has_rep_prefix() || instruction.has_repne_prefix());
    repeated.then(|| instruction.len() as u64)
}

/// Carries out the instruction at an address. `read` fills a buffer from the target's memory, and tells whether it could.
pub(super) fn run(
    point: &Address,
    user: &mut libc::user_regs_struct,
    read: &mut dyn FnMut(u64, &mut [u8]) -> bool,
) -> Outcome {
    let instruction = decode(point);
    let mut machine = Machine {
        user: *user,
        instruction,
        read,
        written: None,
    };
    if machine.run().is_none() {
        return Outcome::Unknown;
    }
    let written = machine.written;
    *user = machine.user;
    user.eflags &= !RESUME;
    Outcome::Done { written }
}

struct Machine<'a> {
    user: libc::user_regs_struct,
    instruction: Instruction,
    read: &'a mut dyn FnMut(u64, &mut [u8]) -> bool,
    written: Option<(u64, u64)>,
}

/// The bits of a value of so many bytes.
fn mask(bytes: usize) -> u64 {
    match bytes {
        1 => 0xff,
        2 => 0xffff,
        4 => 0xffff_ffff,
        _ => u64::MAX,
    }
}

/// The highest bit of a value of so many bytes.
fn top(bytes: usize) -> u64 {
    mask(bytes) ^ mask(bytes) >> 1
}

fn sign_extend(value: u64, bytes: usize) -> u64 {
    let value = value & mask(bytes);
    match value & top(bytes) {
        0 => value,
        _ => value | !mask(bytes),
    }
}

impl Machine<'_> {
    /// `None`: not known, and what was done to the registers here is to be thrown away.
    fn run(&mut self) -> Option<()> {
        let one = self.instruction;
        // 32-bit programs, and what the prefixes of repetition and locks mean, are for the processor.
        if one.has_lock_prefix() || self.user.cs != 0x33 {
            return None;
        }
        self.user.rip = one.next_ip();
        match one.mnemonic() {
            Mnemonic::Nop | Mnemonic::Endbr64 | Mnemonic::Endbr32 => Some(()),
            Mnemonic::Push => self.push(),
            Mnemonic::Pop => self.pop(),
            Mnemonic::Leave if one.code() == Code::Leaveq => {
                let frame = self.user.rbp;
                self.user.rbp = self.load(frame, 8)?;
                self.user.rsp = frame.wrapping_add(8);
                Some(())
            }
            Mnemonic::Mov | Mnemonic::Movzx => {
                let value = self.operand(1)?;
                self.assign(value)
            }
            Mnemonic::Movsx | Mnemonic::Movsxd => {
                let value = sign_extend(self.operand(1)?, self.size(1)?);
                self.assign(value)
            }
            Mnemonic::Lea => {
                let value = self.effective_address(false)?;
                self.assign(value)
            }
            Mnemonic::Cdqe => {
                self.user.rax = sign_extend(self.user.rax, 4);
                Some(())
            }
            Mnemonic::Add
            | Mnemonic::Sub
            | Mnemonic::Cmp
            | Mnemonic::And
            | Mnemonic::Or
            | Mnemonic::Xor
            | Mnemonic::Test => self.arithmetic(),
            Mnemonic::Jmp if one.is_jmp_short_or_near() => {
                self.user.rip = one.near_branch_target();
                Some(())
            }
            _ if one.is_jcc_short_or_near() => {
                if self.condition()? {
                    self.user.rip = one.near_branch_target();
                }
                Some(())
            }
            _ => None,
        }
    }

    fn push(&mut self) -> Option<()> {
        let value = match self.instruction.code() {
            Code::Push_r64 => self.operand(0)?,
            Code::Pushq_imm8 | Code::Pushq_imm32 => self.operand(0)?,
            _ => return None,
        };
        let stack = self.user.rsp.wrapping_sub(8);
        self.user.rsp = stack;
        self.written = Some((stack, value));
        Some(())
    }

    fn pop(&mut self) -> Option<()> {
        if self.instruction.code() != Code::Pop_r64 {
            return None;
        }
        let stack = self.user.rsp;
        let value = self.load(stack, 8)?;
        self.user.rsp = stack.wrapping_add(8);
        self.assign(value)
    }

    fn arithmetic(&mut self) -> Option<()> {
        let bytes = self.size(0)?;
        let (one, other) = (
            self.operand(0)? & mask(bytes),
            self.operand(1)? & mask(bytes),
        );
        let mut flags = 0;
        let result = match self.instruction.mnemonic() {
            Mnemonic::Add => {
                let result = one.wrapping_add(other) & mask(bytes);
                flags |= if result < one { CARRY } else { 0 };
                flags |= if (one ^ result) & (other ^ result) & top(bytes) != 0 {
                    OVERFLOW
                } else {
                    0
                };
                flags |= (one ^ other ^ result) & ADJUST;
                result
            }
            Mnemonic::Sub | Mnemonic::Cmp => {
                let result = one.wrapping_sub(other) & mask(bytes);
                flags |= if one < other { CARRY } else { 0 };
                flags |= if (one ^ other) & (one ^ result) & top(bytes) != 0 {
                    OVERFLOW
                } else {
                    0
                };
                flags |= (one ^ other ^ result) & ADJUST;
                result
            }
            Mnemonic::And | Mnemonic::Test => one & other,
            Mnemonic::Or => one | other,
            Mnemonic::Xor => one ^ other,
            _ => return None,
        };
        flags |= if result == 0 { ZERO } else { 0 };
        flags |= if result & top(bytes) != 0 { SIGN } else { 0 };
        flags |= if (result as u8).count_ones().is_multiple_of(2) {
            PARITY
        } else {
            0
        };
        self.user.eflags = self.user.eflags & !ARITHMETIC | flags;
        match self.instruction.mnemonic() {
            Mnemonic::Cmp | Mnemonic::Test => Some(()),
            _ => self.assign(result),
        }
    }

    fn condition(&self) -> Option<bool> {
        use iced_x86::ConditionCode as Condition;
        let is = |flag| self.user.eflags & flag != 0;
        let less = is(SIGN) != is(OVERFLOW);
        Some(match self.instruction.condition_code() {
            Condition::o => is(OVERFLOW),
            Condition::no => !is(OVERFLOW),
            Condition::b => is(CARRY),
            Condition::ae => !is(CARRY),
            Condition::e => is(ZERO),
            Condition::ne => !is(ZERO),
            Condition::be => is(CARRY) || is(ZERO),
            Condition::a => !is(CARRY) && !is(ZERO),
            Condition::s => is(SIGN),
            Condition::ns => !is(SIGN),
            Condition::p => is(PARITY),
            Condition::np => !is(PARITY),
            Condition::l => less,
            Condition::ge => !less,
            Condition::le => less || is(ZERO),
            Condition::g => !less && !is(ZERO),
            Condition::None => return None,
        })
    }

    /// The size of an operand in bytes.
    fn size(&self, operand: u32) -> Option<usize> {
        let one = &self.instruction;
        let bytes = match one.op_kind(operand) {
            OpKind::Register => one.op_register(operand).size(),
            OpKind::Memory => one.memory_size().size(),
            // As wide as what it is used with.
            _ => return self.size(0).filter(|_| operand != 0).or(Some(8)),
        };
        matches!(bytes, 1 | 2 | 4 | 8).then_some(bytes)
    }

    fn operand(&mut self, operand: u32) -> Option<u64> {
        let one = self.instruction;
        match one.op_kind(operand) {
            OpKind::Register => self.register(one.op_register(operand)),
            OpKind::Memory => {
                let bytes = self.size(operand)?;
                let address = self.effective_address(true)?;
                self.load(address, bytes)
            }
            OpKind::Immediate8
            | OpKind::Immediate16
            | OpKind::Immediate32
            | OpKind::Immediate64
            | OpKind::Immediate8to16
            | OpKind::Immediate8to32
            | OpKind::Immediate8to64
            | OpKind::Immediate32to64 => Some(one.immediate(operand)),
            _ => None,
        }
    }

    /// Sets the first operand, which must be a register.
    fn assign(&mut self, value: u64) -> Option<()> {
        let one = self.instruction;
        if one.op_kind(0) != OpKind::Register {
            return None;
        }
        let register = one.op_register(0);
        let bytes = register.size();
        let whole = self.general(register.full_register())?;
        let before = *whole;
        if is_high_byte(register) {
            return None;
        }
        *whole = match bytes {
            8 => value,
            // The upper half is cleared.
            4 => value & mask(4),
            1 | 2 => before & !mask(bytes) | value & mask(bytes),
            _ => return None,
        };
        Some(())
    }

    fn register(&mut self, register: Register) -> Option<u64> {
        if is_high_byte(register) {
            return None;
        }
        let bytes = register.size();
        Some(*self.general(register.full_register())? & mask(bytes))
    }

    fn effective_address(&mut self, with_segment: bool) -> Option<u64> {
        let one = self.instruction;
        let mut address = match one.memory_base() {
            Register::None => one.memory_displacement64(),
            // The displacement is the address then.
            Register::RIP => one.memory_displacement64(),
            base if base.size() == 8 => self
                .register(base)?
                .wrapping_add(one.memory_displacement64()),
            _ => return None,
        };
        match one.memory_index() {
            Register::None => {}
            index if index.size() == 8 => {
                let scale = u64::from(one.memory_index_scale());
                address = address.wrapping_add(self.register(index)?.wrapping_mul(scale));
            }
            _ => return None,
        }
        if with_segment {
            address = match one.segment_prefix() {
                Register::FS => address.wrapping_add(self.user.fs_base),
                Register::GS => address.wrapping_add(self.user.gs_base),
                _ => address,
            };
        }
        Some(address)
    }

    fn load(&mut self, address: u64, bytes: usize) -> Option<u64> {
        let mut word = [0u8; 8];
        (self.read)(address, word.get_mut(..bytes)?).then(|| u64::from_le_bytes(word))
    }

    fn general(&mut self, register: Register) -> Option<&mut u64> {
        let user = &mut self.user;
        Some(match register {
            Register::RAX => &mut user.rax,
            Register::RBX => &mut user.rbx,
            Register::RCX => &mut user.rcx,
            Register::RDX => &mut user.rdx,
            Register::RSI => &mut user.rsi,
            Register::RDI => &mut user.rdi,
            Register::RBP => &mut user.rbp,
            Register::RSP => &mut user.rsp,
            Register::R8 => &mut user.r8,
            Register::R9 => &mut user.r9,
            Register::R10 => &mut user.r10,
            Register::R11 => &mut user.r11,
            Register::R12 => &mut user.r12,
            Register::R13 => &mut user.r13,
            Register::R14 => &mut user.r14,
            Register::R15 => &mut user.r15,
            _ => return None,
        })
    }
}

fn is_high_byte(register: Register) -> bool {
    matches!(
        register,
        Register::AH | Register::BH | Register::CH | Register::DH
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(code: &[u8]) -> Address {
        let mut point = Address {
            address: 0x1000,
            length: code.len() as u8,
            ..Address::default()
        };
        point.code[..code.len()].copy_from_slice(code);
        point
    }

    fn user() -> libc::user_regs_struct {
        // SAFETY: all-zero registers are valid values.
        let mut user = unsafe { std::mem::zeroed::<libc::user_regs_struct>() };
        user.cs = 0x33;
        user.rip = 0x1000;
        user.eflags = 0x202;
        user
    }

    /// Runs an instruction on a memory where each byte is the lowest of its address.
    fn emulate(code: &[u8], user: &mut libc::user_regs_struct) -> Outcome {
        run(&point(code), user, &mut |address, bytes| {
            for (offset, byte) in bytes.iter_mut().enumerate() {
                *byte = address.wrapping_add(offset as u64) as u8;
            }
            true
        })
    }

    /// Has the processor run an instruction on rdi and rsi; returns rdi and the flags.
    fn native(code: &[u8], one: u64, other: u64) -> (u64, u64) {
        // mov %rdi, (%rdx); pushf; pop %rax; ret
        let rest = [0x48, 0x89, 0x3a, 0x9c, 0x58, 0xc3];
        let mut result = 0;
        let code = [code, &rest].concat();
        // SAFETY: a page of our own, written before it is made executable, whose code is a function of this type that
        // writes nothing but the result.
        let flags = unsafe {
            let writable = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let page = libc::mmap(std::ptr::null_mut(), 64, writable, flags, -1, 0);
            assert_ne!(page, libc::MAP_FAILED);
            std::ptr::copy_nonoverlapping(code.as_ptr(), page.cast(), code.len());
            libc::mprotect(page, 64, libc::PROT_READ | libc::PROT_EXEC);
            let function: extern "C" fn(u64, u64, *mut u64) -> u64 = std::mem::transmute(page);
            let found = function(one, other, &raw mut result);
            libc::munmap(page, 64);
            found
        };
        (result, flags)
    }

    /// `add`, `or`, `and`, `sub`, `xor`, `cmp`, `test` of rsi to rdi.
    const OPERATIONS: [u8; 7] = [0x00, 0x08, 0x20, 0x28, 0x30, 0x38, 0x84];

    fn numbers() -> impl Strategy<Value = u64> {
        let edges = [0, 1, 0x7f, 0x80, 0xff, 0x7fff_ffff, 0x8000_0000, u64::MAX];
        prop_oneof![
            any::<u64>(),
            prop::sample::select(edges.to_vec()),
            Just(1 << 63)
        ]
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_the_processor(one in numbers(), other in numbers(), operation in 0..7usize, width in 0..4usize) {
            let opcode = OPERATIONS[operation];
            let code: Vec<u8> = match width {
                0 => vec![0x40, opcode, 0xf7],
                1 => vec![0x66, opcode | 1, 0xf7],
                2 => vec![opcode | 1, 0xf7],
                _ => vec![0x48, opcode | 1, 0xf7],
            };
            let mut user = user();
            (user.rdi, user.rsi) = (one, other);
            prop_assert_eq!(emulate(&code, &mut user), Outcome::Done { written: None });
            let (result, flags) = native(&code, one, other);
            prop_assert_eq!(user.rdi, result);
            // AF is undefined after the logical ones.
            let defined = match opcode {
                0x00 | 0x28 | 0x38 => ARITHMETIC,
                _ => ARITHMETIC & !ADJUST,
            };
            prop_assert_eq!(user.eflags & defined, flags & defined);
            prop_assert_eq!(user.rip, 0x1000 + code.len() as u64);
        }

        #[test]
        fn branches_are_those_of_the_processor(one in numbers(), other in numbers(), condition in 0..16u8) {
            let compare = [0x48, 0x39, 0xf7];
            let mut user = user();
            (user.rdi, user.rsi) = (one, other);
            emulate(&compare, &mut user);
            user.rip = 0x1000;
            prop_assert_eq!(emulate(&[0x70 | condition, 0x10], &mut user), Outcome::Done { written: None });
            // cmp; setcc %dil; movzbl %dil, %edi
            let code = [&compare[..], &[0x40, 0x0f, 0x90 | condition, 0xc7, 0x40, 0x0f, 0xb6, 0xff]].concat();
            let (taken, _) = native(&code, one, other);
            prop_assert_eq!(user.rip, if taken == 1 { 0x1012 } else { 0x1002 });
        }

        #[test]
        fn any_bytes_are_carried_out_or_left(code in prop::collection::vec(any::<u8>(), 1..=15), number in any::<u64>()) {
            let mut user = user();
            (user.rdi, user.rbp, user.rsp) = (number, number, number);
            let before = user.rip;
            match emulate(&code, &mut user) {
                // A jump may lead to itself.
                Outcome::Done { .. } => {
                    let own = decode(&point(&code)).near_branch_target() == before;
                    prop_assert!(own || user.rip != before);
                }
                Outcome::Unknown => prop_assert_eq!(user.rip, before),
            }
        }
    }

    #[test]
    fn beginnings_of_functions() {
        let done = Outcome::Done { written: None };
        let mut user = user();
        (user.rsp, user.rbp, user.r12) = (0x8000, 0x77, 0x99);
        let pushed = |value| Outcome::Done {
            written: Some((0x7ff8, value)),
        };
        // push %rbp
        assert_eq!(emulate(&[0x55], &mut user), pushed(0x77));
        assert_eq!((user.rsp, user.rip), (0x7ff8, 0x1001));
        user.rsp = 0x8000;
        // push %r12; push %rsp, which pushes what it was; push $-2
        assert_eq!(emulate(&[0x41, 0x54], &mut user), pushed(0x99));
        user.rsp = 0x8000;
        assert_eq!(emulate(&[0x54], &mut user), pushed(0x8000));
        user.rsp = 0x8000;
        assert_eq!(
            emulate(&[0x6a, 0xfe], &mut user),
            pushed(u64::MAX.wrapping_sub(1))
        );
        // mov %rsp, %rbp; endbr64; nopw
        assert_eq!(emulate(&[0x48, 0x89, 0xe5], &mut user), done);
        assert_eq!(user.rbp, 0x7ff8);
        assert_eq!(emulate(&[0xf3, 0x0f, 0x1e, 0xfa], &mut user), done);
        assert_eq!(emulate(&[0x66, 0x0f, 0x1f, 0x44, 0, 0], &mut user), done);
        assert_eq!(user.rip, 0x1006);
        // sub $0x28, %rsp
        assert_eq!(emulate(&[0x48, 0x83, 0xec, 0x28], &mut user), done);
        assert_eq!(user.rsp, 0x7fd0);
        // mov 0x10(%rip), %rax: the memory holds its addresses.
        assert_eq!(emulate(&[0x48, 0x8b, 0x05, 0x10, 0, 0, 0], &mut user), done);
        assert_eq!(user.rax, 0x1e1d_1c1b_1a19_1817);
        // mov %fs:0x28, %rax
        user.fs_base = 0x100;
        let canary = [0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0];
        assert_eq!(emulate(&canary, &mut user), done);
        assert_eq!(user.rax, 0x2f2e_2d2c_2b2a_2928);
        // movslq %eax, %rbx; movzbl %al, %ecx; mov %eax, %eax
        user.rax = 0xffff_ffff_8000_00ff;
        assert_eq!(emulate(&[0x48, 0x63, 0xd8], &mut user), done);
        assert_eq!(user.rbx, 0xffff_ffff_8000_00ff);
        assert_eq!(emulate(&[0x0f, 0xb6, 0xc8], &mut user), done);
        assert_eq!(user.rcx, 0xff);
        assert_eq!(emulate(&[0x89, 0xc0], &mut user), done);
        assert_eq!(user.rax, 0x8000_00ff);
        // lea 8(%rbx,%rcx,4), %rdx; pop %rsi; leave
        assert_eq!(emulate(&[0x48, 0x8d, 0x54, 0x8b, 8], &mut user), done);
        assert_eq!(user.rdx, 0xffff_ffff_8000_00ff_u64 + 0x3fc + 8);
        user.rsp = 0x40;
        assert_eq!(emulate(&[0x5e], &mut user), done);
        assert_eq!((user.rsi, user.rsp), (0x4746_4544_4342_4140, 0x48));
        user.rbp = 0x50;
        assert_eq!(emulate(&[0xc9], &mut user), done);
        assert_eq!((user.rbp, user.rsp), (0x5756_5554_5352_5150, 0x58));
        // Left to the processor: imul, call, ret, lock add, what writes memory.
        for code in [
            &[0x48, 0x0f, 0xaf, 0xfe][..],
            &[0xe8, 0, 0, 0, 0],
            &[0xc3],
            &[0xf0, 0x01, 0x37],
            &[0x89, 0x37],
        ] {
            assert_eq!(emulate(code, &mut user), Outcome::Unknown);
        }
    }

    #[test]
    fn some_instructions_are_refused() {
        for code in [&[0xcc][..], &[0x0f, 0x05], &[0xcd, 0x80], &[0x06], &[0x9d]] {
            assert!(refusal(&point(code)), "{code:02x?}");
        }
        assert!(refusal(&Address::default()));
        assert!(!refusal(&point(&[0x55])));
    }
}
