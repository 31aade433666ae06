//! Stacks: from the registers of a thread and the memory of its stack to the functions that are being called.
//!
//! Frames are found by the unwind tables of each module (`.eh_frame`, or `.debug_frame` where there is no other), which gimli
//! reads; so no frame pointers are needed, and stacks go on through signal handlers, whose tables hold expressions on memory.
//! Code that no table covers is unwound by its frame pointer, as long as that leads to code.

mod frame;
mod tables;

use std::collections::HashMap;
use std::ops::Range;

use crate::module::Module;
use frame::Step;
use tables::Tables;

/// Stacks that are deeper are cut off at their outer end.
pub const MAX_FRAMES: usize = 1024;

/// A thread as it was stopped.
pub struct ThreadState<'a> {
    /// The address of the next instruction.
    pub instruction_pointer: u64,
    /// The general registers by their DWARF numbers.
    pub register: &'a dyn Fn(u16) -> Option<u64>,
}

/// A module in memory.
pub struct MappedModule<'a> {
    /// The addresses that it takes.
    pub range: Range<u64>,
    /// Address in memory less address in the file.
    pub bias: u64,
    /// Its file.
    pub module: &'a Module,
}

/// A stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// An address in each function, the innermost first: the instruction that is next there, in callers one within the
    /// instruction that called.
    pub frames: Vec<u64>,
    /// Why it ends before the function that the thread began with.
    pub cut: Option<Cut>,
    /// The first address of code that no table covers and that was left by the frame pointer. If code there keeps none,
    /// callers are missing.
    pub uncovered: Option<u64>,
}

/// Why a stack was not followed to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The word of memory at this address cannot be read.
    Memory(u64),
    /// There are more than [`MAX_FRAMES`].
    Depth,
    /// Neither a table nor a frame pointer leads on: the stack is damaged, or code without tables keeps no frame pointer.
    Lost,
}

/// Unwinds the stacks of one process. Keeps the tables of the modules that it came by.
#[derive(Default)]
pub struct Unwinder {
    /// By the start of the module.
    known: HashMap<u64, Tables>,
    context: frame::Context,
}

impl Unwinder {
    /// Reads the tables of a module, so that stacks need not wait for it.
    pub fn prepare(&mut self, mapped: &MappedModule<'_>) {
        self.known
            .entry(mapped.range.start)
            .or_insert_with(|| Tables::of(mapped.module));
    }

    /// The stack of a thread. `module_at` gives the module at an address, `read` the word of memory at one.
    pub fn stack<'m>(
        &mut self,
        thread: &ThreadState<'_>,
        module_at: &dyn Fn(u64) -> Option<MappedModule<'m>>,
        read: &mut dyn FnMut(u64) -> Option<u64>,
    ) -> Stack {
        let mut stack = Stack::default();
        let mut frame = frame::Frame::innermost(thread);
        while stack.frames.len() < MAX_FRAMES {
            let address = frame.lookup_address();
            stack.frames.push(address);
            let module = module_at(address);
            let covered = module.as_ref().and_then(|mapped| {
                let tables = self
                    .known
                    .entry(mapped.range.start)
                    .or_insert_with(|| Tables::of(mapped.module));
                let inside = address.wrapping_sub(mapped.bias);
                self.context.by_tables(tables, inside, &frame, read)
            });
            let step = match covered {
                Some(step) => step,
                None => {
                    stack.uncovered.get_or_insert(address);
                    let is_code = |address| module_at(address).is_some();
                    frame.by_frame_pointer(&is_code, read)
                }
            };
            match step {
                Step::Caller(caller) => frame = *caller,
                Step::End => return stack,
                Step::Cut(cut) => {
                    stack.cut = Some(cut);
                    return stack;
                }
            }
        }
        stack.cut = Some(Cut::Depth);
        stack
    }
}
