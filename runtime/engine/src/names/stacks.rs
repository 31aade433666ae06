//! Stacks of the target's threads.

use std::cell::{OnceCell, RefCell};
use std::ops::Range;
use std::time::{Duration, Instant};

use ytrace_debuginfo::{CapturedStack, CodeMap, MappedModule, Part, Stack, ThreadState};
use ytrace_target::{Maps, Registers};
use ytrace_values::Memory;

use super::{Names, Origin};

/// How long what is known of code outside of modules holds before it is looked up again for an address that is not there.
const FRESH: Duration = Duration::from_millis(100);

/// Where code is.
#[derive(Default)]
pub(super) struct Code {
    /// The executable mappings of modules, in order, and the modules.
    modules: OnceCell<Vec<(Range<u64>, usize)>>,
    /// The executable mappings of anything else, in order: what compilers have made in memory.
    others: RefCell<Others>,
}

#[derive(Default)]
struct Others {
    ranges: Vec<Range<u64>>,
    /// When they were looked up.
    since: Option<Instant>,
}

impl Names {
    /// Reads the unwind tables of all modules, and what names functions: for when stacks are wanted while the target stands still.
    pub(crate) fn prepare_stacks(&self) {
        for index in 0..self.modules().len() {
            self.prepare_stacks_of(index);
        }
    }

    /// The same for one module.
    pub(crate) fn prepare_stacks_of(&self, index: usize) {
        if let Some(mapped) = self.mapped_module(index) {
            self.unwinder.borrow_mut().prepare(&mapped);
            if self.show_inlined {
                mapped.module.prepare_symbolize();
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
        self.stack_below(registers, u64::MAX, memory)
    }

    /// The same, of the frames whose stack pointer is below an address.
    pub(crate) fn stack_below(
        &self,
        registers: &Registers,
        end: u64,
        memory: &mut dyn Memory,
    ) -> Stack {
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
        let mut unwinder = self.unwinder.borrow_mut();
        unwinder.stack_below(&thread, end, self, &mut read)
    }

    /// The stack of a thread, or a part of it, as of when it was captured. `stack` is filled anew; its room is used again.
    pub(crate) fn captured_stack(
        &self,
        captured: &CapturedStack<'_>,
        part: Part,
        stack: &mut Stack,
    ) {
        let mut unwinder = self.unwinder.borrow_mut();
        unwinder.captured_part(captured, part, self, stack);
    }

    /// The module whose code is at an address.
    pub(super) fn code_at(&self, address: u64) -> Option<usize> {
        let modules = self.code.modules.get_or_init(|| {
            let here = self.modules().iter().enumerate();
            let here = here.filter(|(_, one)| !one.gone);
            let mappings = here.flat_map(|(index, one)| {
                let code = one.mapped.mappings.iter();
                code.filter(|mapping| mapping.permissions.execute)
                    .map(move |mapping| (mapping.range(), index))
            });
            let mut mappings: Vec<_> = mappings.collect();
            mappings.sort_unstable_by_key(|(range, _)| range.start);
            mappings
        });
        let after = modules.partition_point(|(range, _)| range.start <= address);
        let (range, index) = modules.get(after.checked_sub(1)?)?;
        range.contains(&address).then_some(*index)
    }

    /// The mappings as they are now.
    fn mappings_now(&self) -> Option<Maps> {
        match &self.origin {
            Origin::Process(process) => process.maps().ok(),
            Origin::Core(core) => Some(Maps::clone(&core.maps())),
            Origin::Types | Origin::File => None,
        }
    }
}

impl CodeMap for Names {
    fn module_at(&self, address: u64) -> Option<MappedModule<'_>> {
        self.mapped_module(self.code_at(address)?)
    }

    fn is_code(&self, address: u64) -> bool {
        if self.code_at(address).is_some() {
            return true;
        }
        let mut others = self.code.others.borrow_mut();
        let known = |ranges: &[Range<u64>]| {
            let after = ranges.partition_point(|range| range.start <= address);
            let range = after.checked_sub(1).and_then(|at| ranges.get(at));
            range.is_some_and(|range| range.contains(&address))
        };
        if known(&others.ranges) {
            return true;
        }
        if others.since.is_some_and(|since| since.elapsed() < FRESH) {
            return false;
        }
        others.since = Some(Instant::now());
        let Some(maps) = self.mappings_now() else {
            return false;
        };
        // They are in order.
        others.ranges = maps
            .as_slice()
            .iter()
            .filter(|mapping| mapping.permissions.execute)
            .map(|mapping| mapping.range())
            .collect();
        known(&others.ranges)
    }
}
