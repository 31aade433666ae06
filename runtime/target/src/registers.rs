//! The registers of a stopped thread, in the numbering of DWARF.

/// The number of general registers that are kept, in DWARF's order.
#[cfg(target_arch = "x86_64")]
pub(crate) const GENERAL: usize = 16;
/// The number of general registers that are kept, in DWARF's order.
#[cfg(target_arch = "aarch64")]
pub(crate) const GENERAL: usize = 32;

/// The registers of a thread as it was stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// The address of the next instruction.
    pub instruction_pointer: u64,
    /// The stack pointer.
    pub stack_pointer: u64,
    /// The frame pointer (`rbp`, `x29`), whatever the program uses it for.
    pub frame_pointer: u64,
    /// The base of thread-local storage (`fs_base`, `tpidr_el0`).
    pub thread_pointer: u64,
    /// The flags (`rflags`, `pstate`).
    pub flags: u64,
    /// The system call that the thread is in, if it is in one and the machine tells.
    pub system_call: Option<u64>,
    general: [u64; GENERAL],
}

/// A thread as it was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadSnapshot {
    /// Its number in our pid namespace.
    pub tid: i32,
    /// Its registers; `None` for a thread that waits inside the kernel in a way that nothing interrupts, or where a core file
    /// is cut short.
    pub registers: Option<Registers>,
}

impl Registers {
    /// The general register that DWARF numbers `number` (System V ABI AMD64 figure 3.36; AADWARF64): 0–15, or 0–30 and the
    /// stack pointer as 31; on x86-64 16 is the return address column, the instruction pointer.
    pub fn dwarf(&self, number: u16) -> Option<u64> {
        if cfg!(target_arch = "x86_64") && number == 16 {
            return Some(self.instruction_pointer);
        }
        self.general.get(usize::from(number)).copied()
    }
}

#[cfg(target_arch = "x86_64")]
impl Registers {
    /// The registers in the note of a thread (`elf_gregset_t`, which is `struct user_regs_struct`); `None` if it is too short.
    pub(crate) fn from_note(bytes: &[u8]) -> Option<Registers> {
        let words: [u64; 27] = words(bytes)?;
        let [
            r15,
            r14,
            r13,
            r12,
            rbp,
            rbx,
            r11,
            r10,
            r9,
            r8,
            rax,
            rcx,
            rdx,
            rsi,
            rdi,
            orig_rax,
            rip,
            cs,
            eflags,
            rsp,
            ss,
            fs_base,
            gs_base,
            ds,
            es,
            fs,
            gs,
        ] = words;
        Some(Registers::from_user(&libc::user_regs_struct {
            r15,
            r14,
            r13,
            r12,
            rbp,
            rbx,
            r11,
            r10,
            r9,
            r8,
            rax,
            rcx,
            rdx,
            rsi,
            rdi,
            orig_rax,
            rip,
            cs,
            eflags,
            rsp,
            ss,
            fs_base,
            gs_base,
            ds,
            es,
            fs,
            gs,
        }))
    }

    pub(crate) fn from_user(user: &libc::user_regs_struct) -> Registers {
        Registers {
            instruction_pointer: user.rip,
            stack_pointer: user.rsp,
            frame_pointer: user.rbp,
            thread_pointer: user.fs_base,
            flags: user.eflags,
            system_call: (user.orig_rax as i64 >= 0).then_some(user.orig_rax),
            general: [
                user.rax, user.rdx, user.rcx, user.rbx, user.rsi, user.rdi, user.rbp, user.rsp,
                user.r8, user.r9, user.r10, user.r11, user.r12, user.r13, user.r14, user.r15,
            ],
        }
    }
}

#[cfg(target_arch = "aarch64")]
impl Registers {
    /// The registers in the note of a thread (`elf_gregset_t`, which is `struct user_pt_regs`); `None` if it is too short. The
    /// thread pointer stands in a note of its own.
    pub(crate) fn from_note(bytes: &[u8]) -> Option<Registers> {
        let [general @ .., sp, pc, pstate]: [u64; 34] = words(bytes)?;
        let user = libc::user_regs_struct {
            regs: general,
            sp,
            pc,
            pstate,
        };
        Some(Registers::from_user(&user, 0))
    }

    pub(crate) fn from_user(user: &libc::user_regs_struct, thread_pointer: u64) -> Registers {
        let mut general = [0; GENERAL];
        for (slot, value) in general.iter_mut().zip(user.regs.iter().chain([&user.sp])) {
            *slot = *value;
        }
        Registers {
            instruction_pointer: user.pc,
            stack_pointer: user.sp,
            frame_pointer: user.regs[29],
            thread_pointer,
            flags: user.pstate,
            system_call: None,
            general,
        }
    }
}

/// The first words of a note.
fn words<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    let mut words = [0; N];
    let mut chunks = bytes.chunks_exact(size_of::<u64>());
    for word in &mut words {
        *word = u64::from_ne_bytes(chunks.next()?.try_into().ok()?);
    }
    Some(words)
}
