//! Which thread's stack an address lies in, and which frame of it.

use ytrace_debuginfo::Cut;
use ytrace_target::{Mapping, PauseReport, ThreadSnapshot};
use ytrace_values::Memory;

use super::{Interactive, StackFrame};
use crate::error::SessionError;

/// A place on a stack.
#[derive(Clone, Debug)]
pub struct StackPlace {
    /// The thread.
    pub tid: i32,
    /// Its stack pointer.
    pub stack_pointer: u64,
    /// Whether nothing but this stack can lie below that: the kernel calls the mapping the first thread's stack. Other mappings may have
    /// anything there that the program has put there.
    pub alone: bool,
    /// The number of the frame that the address lies in, the innermost being 0, and its function, where that is known.
    pub frame: Option<(usize, StackFrame)>,
}

impl Interactive<'_> {
    /// The place on a stack that an address is, if it is one, and the pause that it took to find out.
    ///
    /// # Errors
    /// The target cannot be stopped or read.
    pub fn stack_at(
        &mut self,
        address: u64,
    ) -> Result<(Option<StackPlace>, Option<PauseReport>), SessionError> {
        let maps = self.mappings()?;
        let Some(mapping) = maps.find(address).filter(|mapping| can_be_stack(mapping)) else {
            return Ok((None, None));
        };
        if let Some(mut frozen) = self.frozen.take() {
            let found = self.place_of(address, mapping, &frozen.threads, &mut frozen.memory);
            self.frozen = Some(frozen);
            return Ok((found, None));
        }
        let Some(process) = self.session.running() else {
            let threads = self.session.held.clone().unwrap_or_default();
            let mut memory = self.session.memory()?;
            return Ok((
                self.place_of(address, mapping, &threads, &mut *memory),
                None,
            ));
        };
        // Nothing is stopped where all threads wait, and none of them on this mapping.
        let threads = self.session.target.threads()?;
        let here = |sp: u64| sp == 0 || mapping.range().contains(&sp);
        if !threads.iter().any(|thread| here(thread.sp)) {
            return Ok((None, None));
        }
        let mut memory = self.session.live_memory(&process)?;
        self.session.names.prepare_stacks();
        let (found, report) =
            self.while_stopped(&process, &mut memory, |own, memory, threads| {
                own.place_of(address, mapping, threads, memory)
            })?;
        Ok((found, Some(report?)))
    }

    /// The place on the stack of one of some threads. Of several in one mapping it is that of the nearest stack pointer below.
    fn place_of(
        &self,
        address: u64,
        mapping: &Mapping,
        threads: &[ThreadSnapshot],
        memory: &mut dyn Memory,
    ) -> Option<StackPlace> {
        let here = threads.iter().filter_map(|thread| {
            let registers = thread.registers?;
            let inside = mapping.range().contains(&registers.stack_pointer);
            inside.then_some((thread.tid, registers))
        });
        let (tid, registers) = here.max_by_key(|(_, registers)| {
            let pointer = registers.stack_pointer;
            (
                pointer <= address,
                if pointer <= address {
                    pointer
                } else {
                    !pointer
                },
            )
        })?;
        let stack_pointer = registers.stack_pointer;
        let mut frame = None;
        if stack_pointer <= address {
            let names = &self.session.names;
            let stack = names.stack_below(&registers, address.saturating_add(1), memory);
            // One that was cut does not reach as far.
            let reaches = !matches!(
                stack.cut,
                Some(Cut::Slice(_) | Cut::Memory(_) | Cut::Depth | Cut::Cycle)
            );
            let number = stack.frames.len().checked_sub(1);
            if let (true, Some(number), Some(code)) = (reaches, number, stack.frames.last()) {
                let mut frames = Vec::new();
                self.add_frames(*code, &mut frames);
                frame = frames.pop().map(|frame| (number, frame));
            }
        }
        Some(StackPlace {
            tid,
            stack_pointer,
            alone: mapping
                .path
                .as_ref()
                .is_some_and(|path| path.as_os_str() == "[stack]"),
            frame,
        })
    }
}

/// Whether a mapping can hold stacks: memory of no file that can be written.
fn can_be_stack(mapping: &Mapping) -> bool {
    let permissions = mapping.permissions;
    let of_file = mapping.path.as_ref().is_some_and(|path| path.is_absolute());
    permissions.write && !of_file
}
