//! Stacks of the target's threads.

use ytrace_debuginfo::{MappedModule, Stack, ThreadState};
use ytrace_target::Registers;
use ytrace_values::Memory;

use super::Names;

impl Names {
    /// Reads the unwind tables of all modules: for when stacks are wanted while the target stands still.
    pub(crate) fn prepare_stacks(&self) {
        for index in 0..self.modules().len() {
            if let Some(mapped) = self.mapped_module(index) {
                self.unwinder.borrow_mut().prepare(&mapped);
            }
        }
    }

    /// A module for the unwinder; one that cannot be opened is unwound by frame pointers.
    fn mapped_module(&self, index: usize) -> Option<MappedModule<'_>> {
        let opened = self.open(index).ok()?;
        let mapped = &self.modules().get(index)?.mapped;
        Some(MappedModule {
            range: mapped.start()..mapped.end(),
            bias: opened.bias,
            module: &opened.info,
        })
    }

    /// The stack of a thread that stopped with these registers, read from memory as of that instant.
    pub(crate) fn stack(&self, registers: &Registers, memory: &mut dyn Memory) -> Stack {
        let module_at = |address| self.mapped_module(self.module_at(address)?);
        let mut read = |address| {
            let mut word = [0; size_of::<u64>()];
            memory.read(address, &mut word).ok()?;
            Some(u64::from_ne_bytes(word))
        };
        let register = |number| registers.dwarf(number);
        let thread = ThreadState {
            instruction_pointer: registers.instruction_pointer,
            register: &register,
        };
        self.unwinder
            .borrow_mut()
            .stack(&thread, &module_at, &mut read)
    }
}
