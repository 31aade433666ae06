//! Stacks: from the registers of a thread and the memory of its stack to the functions that are being called.
//!
//! Frames are found by the unwind tables of each module (`.eh_frame`, or `.debug_frame` where there is no other), which gimli
//! reads; so no frame pointers are needed, and stacks go on through signal handlers, whose tables hold expressions on memory.
//! Code that no table covers is unwound by its frame pointer, as long as that leads to code.
//!
//! [`Unwinder::stack`] takes the stack of a thread that stands still, and reads the tables anew for each frame.
//! [`Unwinder::captured`] takes stacks that were copied at a hit, of which there are many: the rows of the tables that it came by
//! are kept in a form that takes some nanoseconds to apply ([`rows`]), and whole stacks that come again are recognized
//! ([`seen`]). Rows that have no such form are read anew, so both give the same stacks.

mod frame;
mod rows;
mod seen;
pub(crate) mod tables;

use std::collections::HashMap;
use std::ops::Range;

use crate::module::Module;
use frame::{Frame, Step};
use rows::{Row, Rows};
use seen::{Known, SeenStacks};
use tables::Tables;

pub use frame::REGISTERS;

/// Stacks that are deeper are cut off at their outer end.
pub const MAX_FRAMES: usize = 1024;

/// Room for so many is made at once.
const USUAL_FRAMES: usize = 48;

/// The most that is asked for of a stack, in bytes above the stack pointer: what lies further away is not of the same stack.
const MAX_SLICE: u64 = 64 << 20;

/// The size of a word of the stack, in bytes.
const WORD: u64 = size_of::<u64>() as u64;

/// A thread as it was stopped.
pub struct ThreadState<'a> {
    /// The address of the next instruction.
    pub instruction_pointer: u64,
    /// The general registers by their DWARF numbers.
    pub register: &'a dyn Fn(u16) -> Option<u64>,
}

/// A thread as it was when its registers and the inner end of its stack were copied.
#[derive(Clone, Copy, Debug)]
pub struct CapturedStack<'a> {
    /// The address of the next instruction.
    pub instruction_pointer: u64,
    /// The general registers by their DWARF numbers (System V ABI AMD64 figure 3.36: rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp, r8
    /// to r15; AADWARF64: x0 to x30, sp).
    pub registers: [u64; REGISTERS],
    /// Memory from the stack pointer upwards.
    pub memory: &'a [u8],
    /// Whether the function has just been called: the stack pointer points to the return address, whether a table says so or not.
    pub at_entry: bool,
}

/// The registers of a function that has called another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The address that the call returns to.
    pub pc: u64,
    /// The stack pointer once it has returned.
    pub sp: u64,
    /// The frame pointer.
    pub bp: u64,
}

/// Which part of a captured stack is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The innermost function of it, where that is not the thread's; its other registers count as unknown.
    pub from: Option<Caller>,
    /// Frames belong to it whose stack pointer is below this address. Where that is not the greatest, code that no table covers ends it
    /// too, and does not belong to it: what has made such code tells otherwise where its callers are.
    pub end: u64,
}

impl Part {
    /// All of it.
    pub const WHOLE: Part = Part {
        from: None,
        end: u64::MAX,
    };
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

/// Which code a process has at its addresses.
pub trait CodeMap {
    /// The module at an address.
    fn module_at(&self, address: u64) -> Option<MappedModule<'_>>;

    /// Whether code can be at an address: that of a module, or what a compiler has made in memory.
    fn is_code(&self, address: u64) -> bool {
        self.module_at(address).is_some()
    }
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
    /// The frames, as indexes in order, that a frame pointer led to and no table.
    pub by_frame_pointer: Vec<u32>,
    /// How much of the stack this took, in bytes from the stack pointer upwards. Of one that was cut for want of memory: how
    /// much the next step would have taken.
    pub bytes: u64,
}

impl Stack {
    fn clear(&mut self) {
        self.frames.clear();
        self.by_frame_pointer.clear();
        (self.cut, self.uncovered, self.bytes) = (None, None, 0);
    }
}

/// Why a stack was not followed to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// What was captured of the stack ends too early: so many bytes from the stack pointer upwards are needed for the next step.
    Slice(u64),
    /// The word of memory at this address cannot be read. Of a captured stack: it is not in the captured part, nor above it, as
    /// where a signal handler has a stack of its own.
    Memory(u64),
    /// There are more than [`MAX_FRAMES`].
    Depth,
    /// The frames lead back to themselves: the stack is damaged.
    Cycle,
    /// No table covers the code, and no frame pointer leads on.
    NoTable,
    /// A table asks for a register whose value is not known: the stack or the table is damaged.
    Lost,
}

/// Memory as words.
trait Words {
    /// The word at an address, if it can be read.
    fn word(&mut self, address: u64) -> Option<u64>;
}

/// The readable part of a captured stack.
struct Slice<'a> {
    /// The address of its first byte.
    start: u64,
    bytes: &'a [u8],
    /// The greatest distance from the start, in bytes, that was asked for.
    reach: u64,
}

impl Words for Slice<'_> {
    #[inline]
    fn word(&mut self, address: u64) -> Option<u64> {
        let offset = address.wrapping_sub(self.start);
        if offset < MAX_SLICE {
            self.reach = self.reach.max(offset + WORD);
        }
        let bytes = self.bytes.get(usize::try_from(offset).ok()?..)?;
        Some(u64::from_ne_bytes(*bytes.first_chunk()?))
    }
}

/// Memory behind a function, of which some is the stack.
struct Callback<'a, 'r> {
    /// Where the stack pointer pointed to.
    start: u64,
    read: &'a mut (dyn FnMut(u64) -> Option<u64> + 'r),
    /// The greatest distance from the start, in bytes, that was asked for.
    reach: u64,
}

impl Words for Callback<'_, '_> {
    fn word(&mut self, address: u64) -> Option<u64> {
        let offset = address.wrapping_sub(self.start);
        if offset < MAX_SLICE {
            self.reach = self.reach.max(offset + WORD);
        }
        (self.read)(address)
    }
}

/// Unwinds the stacks of one process. Keeps the tables of the modules that it came by, and rows of them.
#[derive(Default)]
pub struct Unwinder {
    known: KnownTables,
    rows: Rows,
    seen: SeenStacks,
}

/// The tables of the modules that were come by, and what reads them.
#[derive(Default)]
struct KnownTables {
    /// By the start of the module.
    tables: HashMap<u64, Tables>,
    context: frame::Context,
}

impl KnownTables {
    fn of(&mut self, mapped: &MappedModule<'_>) -> (&Tables, &mut frame::Context) {
        let tables = self
            .tables
            .entry(mapped.range.start)
            .or_insert_with(|| Tables::of(mapped.module));
        (tables, &mut self.context)
    }

    /// The step by the tables of the module at an address; `None` where none covers it.
    fn step(
        &mut self,
        address: u64,
        frame: &Frame,
        code: &dyn CodeMap,
        memory: &mut dyn Words,
    ) -> Option<Step> {
        let mapped = code.module_at(address)?;
        let (tables, context) = self.of(&mapped);
        context.by_tables(tables, address.wrapping_sub(mapped.bias), frame, memory)
    }

    /// The row for an address.
    fn row(&mut self, address: u64, code: &dyn CodeMap) -> Row {
        let row = code.module_at(address).and_then(|mapped| {
            let (tables, context) = self.of(&mapped);
            context.row(tables, address.wrapping_sub(mapped.bias))
        });
        row.unwrap_or(Row::Uncovered)
    }
}

impl Unwinder {
    /// Reads the tables of a module, so that stacks need not wait for it.
    pub fn prepare(&mut self, mapped: &MappedModule<'_>) {
        self.known.of(mapped);
    }

    /// Forgets what is known of the code at these addresses: another module may be there now, or none.
    pub fn forget(&mut self, range: &Range<u64>) {
        self.known.tables.retain(|start, _| !range.contains(start));
        self.rows.clear();
        self.seen.clear();
    }

    /// How many captured stacks were such as had come before, and were not followed.
    pub fn recognized(&self) -> u64 {
        self.seen.given()
    }

    /// The stack of a thread. `read` gives the word of memory at an address.
    pub fn stack(
        &mut self,
        thread: &ThreadState<'_>,
        code: &dyn CodeMap,
        read: &mut dyn FnMut(u64) -> Option<u64>,
    ) -> Stack {
        self.stack_below(thread, u64::MAX, code, read)
    }

    /// The same, of the frames whose stack pointer is below an address (see [`Part::end`]).
    pub fn stack_below(
        &mut self,
        thread: &ThreadState<'_>,
        end: u64,
        code: &dyn CodeMap,
        read: &mut dyn FnMut(u64) -> Option<u64>,
    ) -> Stack {
        let mut stack = Stack::default();
        let frame = Frame::innermost(thread.instruction_pointer, thread.register);
        let mut memory = Callback {
            start: frame.stack_pointer().unwrap_or_default(),
            read,
            reach: 0,
        };
        let known = &mut self.known;
        let step = |address, frame: &mut Frame, memory: &mut Callback<'_, '_>| {
            known
                .step(address, frame, code, memory)
                .map(|step| frame.take(step))
        };
        follow(frame, end, code, &mut memory, step, &mut stack);
        stack.bytes = memory.reach;
        stack
    }

    /// The stack of a captured thread, into `stack`, of which nothing but its room is kept.
    pub fn captured(
        &mut self,
        captured: &CapturedStack<'_>,
        code: &dyn CodeMap,
        stack: &mut Stack,
    ) {
        self.captured_part(captured, Part::WHOLE, code, stack);
    }

    /// The same for a part of the stack.
    pub fn captured_part(
        &mut self,
        captured: &CapturedStack<'_>,
        part: Part,
        code: &dyn CodeMap,
        stack: &mut Stack,
    ) {
        stack.clear();
        stack.frames.reserve(USUAL_FRAMES);
        let known = match part == Part::WHOLE {
            true => self.seen.give(captured, stack),
            false => Known::New,
        };
        if matches!(known, Known::Given) {
            return;
        }
        let mut frame = Frame::captured(captured.instruction_pointer, &captured.registers);
        let start = frame.stack_pointer().unwrap_or_default();
        if let Some(caller) = part.from {
            frame = Frame::calling(caller);
        }
        let mut memory = Slice {
            start,
            bytes: captured.memory,
            reach: 0,
        };
        let (tables, rows) = (&mut self.known, &mut self.rows);
        let mut at_entry = captured.at_entry;
        let step = |address, frame: &mut Frame, memory: &mut Slice<'_>| match rows
            .get(address, || tables.row(address, code))
        {
            Row::Compact(row) => Some(row.apply(frame, memory)),
            Row::Full => tables
                .step(address, frame, code, memory)
                .map(|step| frame.take(step)),
            // Only what the probe was hit in was not returned to.
            Row::Uncovered if at_entry && !frame.returned_to => {
                at_entry = false;
                Some(frame.by_entry(&|address| code.is_code(address), memory))
            }
            Row::Uncovered => None,
        };
        follow(frame, part.end, code, &mut memory, step, stack);
        stack.bytes = memory.reach;
        if let Some(Cut::Memory(address)) = stack.cut
            && let Some(offset) = address.checked_sub(start)
            && offset < MAX_SLICE
        {
            stack.cut = Some(Cut::Slice(offset + WORD));
            stack.bytes = offset + WORD;
        }
        if let Known::Wanted(missed) = known {
            self.seen.remember(missed, captured, stack, &mut self.rows);
        }
    }
}

/// What a step has come to.
enum Next {
    /// The frame is its caller's now.
    Caller,
    /// The thread began with it.
    End,
    /// The caller cannot be told.
    Cut(Cut),
}

/// Follows a stack from its innermost frame to one at `end` (see [`Part::end`]). `step` goes to the caller by a table, and is `None` where no table covers the address.
fn follow<M: Words>(
    mut frame: Frame,
    end: u64,
    code: &dyn CodeMap,
    memory: &mut M,
    mut step: impl FnMut(u64, &mut Frame, &mut M) -> Option<Next>,
    stack: &mut Stack,
) {
    let mut earlier = frame.place();
    let mut since = 0usize;
    while stack.frames.len() < MAX_FRAMES {
        if frame.stack_pointer().is_some_and(|pointer| pointer >= end) {
            return;
        }
        let address = frame.lookup_address();
        stack.frames.push(address);
        let next = match step(address, &mut frame, memory) {
            Some(next) => next,
            None if end != u64::MAX => {
                stack.frames.pop();
                return;
            }
            None => {
                stack.uncovered.get_or_insert(address);
                let next = frame.by_frame_pointer(&|address| code.is_code(address), memory);
                if matches!(next, Next::Caller) {
                    let index = u32::try_from(stack.frames.len());
                    stack.by_frame_pointer.extend(index.ok());
                }
                next
            }
        };
        match next {
            Next::Caller => {}
            Next::End => return,
            Next::Cut(cut) => {
                stack.cut = Some(cut);
                return;
            }
        }
        // No two frames of a sound stack are at the same place. Each is compared with one before it, which moves on at
        // powers of two (Brent's algorithm).
        if frame.place() == earlier {
            stack.cut = Some(Cut::Cycle);
            return;
        }
        since += 1;
        if since.is_power_of_two() {
            earlier = frame.place();
        }
    }
    stack.cut = Some(Cut::Depth);
}
