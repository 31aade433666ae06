//! What compiled code and its helpers share during a run.

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ytrace_lang::execute::{RunFault, STEPS_PER_CHECK};
use ytrace_lang::interpret::MAX_CHAIN;
use ytrace_lang::ir::{FunctionId, Program, SpanId};
use ytrace_values::{Fault, FaultKind, Machine, Operation};

use crate::memory_access::{CacheEntry, PageHandles};

/// The least size of the frame stack in bytes.
pub const LEAST_FRAMES: u64 = 1 << 16;

/// The part of the state of a run that compiled code reads and writes itself.
///
/// Compiled code addresses the fields by the offsets in [`offset`]. It treats those marked
/// *fixed* as constant for the whole run.
#[repr(C)]
#[derive(Debug)]
pub struct Context {
    /// The entries of the page cache; as many as the program was compiled for. Fixed.
    pub cache: *mut CacheEntry,
    /// The first byte of the frame stack. Fixed.
    pub frames: *mut u8,
    /// Its size in bytes. Fixed.
    pub frames_length: u64,
    /// The native stack pointer below which no function may be called. Fixed.
    pub native_limit: u64,
    /// The handles of the string literals, one each. Fixed.
    pub literals: *const u64,
    /// The first byte of the globals. Renewed after each operation.
    pub globals: *mut u8,
    /// Steps left until the next check of the budget, while no function holds them in a register.
    pub steps: u64,
    /// The bytes of the row that the last operation or look-up of a row gave.
    pub row: *mut u8,
    /// How many they are; 0 if there is none.
    pub row_length: u64,
    /// 1 if the pending fault may be caught, else 0.
    pub catchable: u64,
    /// Bytes of a scalar that was read across pages or without the cache.
    pub scratch: u64,
    /// The [`HostState`] of the run.
    pub host: *mut c_void,
}

/// Offsets of the fields of [`Context`] in bytes.
#[allow(missing_docs, reason = "each is the offset of the field of its name")]
pub mod offset {
    use super::{Context, offset_of};

    pub const CACHE: i32 = offset_of!(Context, cache) as i32;
    pub const FRAMES: i32 = offset_of!(Context, frames) as i32;
    pub const FRAMES_LENGTH: i32 = offset_of!(Context, frames_length) as i32;
    pub const NATIVE_LIMIT: i32 = offset_of!(Context, native_limit) as i32;
    pub const LITERALS: i32 = offset_of!(Context, literals) as i32;
    pub const GLOBALS: i32 = offset_of!(Context, globals) as i32;
    pub const STEPS: i32 = offset_of!(Context, steps) as i32;
    pub const ROW: i32 = offset_of!(Context, row) as i32;
    pub const ROW_LENGTH: i32 = offset_of!(Context, row_length) as i32;
    pub const CATCHABLE: i32 = offset_of!(Context, catchable) as i32;
}

/// What functions and helpers that can fault return.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    /// 0, or 1 if a fault is pending.
    pub status: u64,
    /// The result.
    pub value: u64,
}

/// The part of the state of a run that only helpers touch.
pub struct HostState<'run, 'machine> {
    /// What operations work on.
    pub machine: &'run mut Machine<'machine>,
    /// The program, for the places of caught faults.
    pub program: &'run Program,
    /// Whether the target's memory has pages; else nothing is kept in the cache.
    pub paged: bool,
    /// The pages that the cache's entries point into.
    pub pages: &'run mut PageHandles,
    /// The operations of the program by their number.
    pub operations: &'run [Operation],
    /// The size of the globals that the code was compiled for.
    pub globals_size: u64,
    /// The pending fault.
    pub fault: Option<Fault>,
    /// Functions that the pending fault has left, innermost first.
    pub chain: Vec<(FunctionId, SpanId)>,
    /// The budget of steps, without those that were handed to the code.
    pub steps_remaining: u64,
    /// When the run must have ended.
    pub deadline: Option<Instant>,
    /// Set from elsewhere to end the run.
    pub interrupt: Option<&'run AtomicBool>,
}

impl HostState<'_, '_> {
    /// Makes a fault the pending one.
    pub fn raise(&mut self, context: &mut Context, fault: Fault) {
        context.catchable = u64::from(fault.kind.catchable());
        self.chain.clear();
        self.fault = Some(fault);
    }

    /// Takes a step after the code has used up those that were handed to it, looks at the
    /// deadline and the interrupt, and hands more to the code. Returns how many, plus one; 0 if a
    /// fault is pending.
    pub fn refill(&mut self, context: &mut Context) -> u64 {
        let Some(remaining) = self.steps_remaining.checked_sub(1) else {
            self.raise(context, Fault::new(FaultKind::StepsExhausted));
            return 0;
        };
        let part = remaining.min(STEPS_PER_CHECK - 1);
        self.steps_remaining = remaining;
        if let Err(fault) = check(self.deadline, self.interrupt) {
            self.raise(context, fault);
            return 0;
        }
        self.steps_remaining = remaining - part;
        part + 1
    }

    /// Notes that the pending fault leaves a function at a place.
    pub fn leave(&mut self, function: FunctionId, span: SpanId) {
        if self.chain.len() < MAX_CHAIN {
            self.chain.push((function, span));
        }
    }

    /// Takes the pending fault, with its place.
    pub fn take_fault(&mut self) -> RunFault {
        let fault = self.fault.take().unwrap_or_else(|| {
            Fault::new(FaultKind::Internal).with_message("compiled code reported no fault")
        });
        let chain = std::mem::take(&mut self.chain);
        let span = chain.first().map_or(SpanId(0), |&(_, span)| span);
        RunFault { fault, span, chain }
    }

    /// Hands the pending fault, which a block of the program catches, to the store.
    pub fn caught(&mut self) {
        let caught = self.take_fault();
        let location = self.program.location(caught.span);
        self.machine.store.set_caught(caught.fault, location);
    }

    /// Renews what the context knows of the store, whose globals an operation might have moved.
    pub fn renew(&mut self, context: &mut Context) -> Result<(), Fault> {
        let globals = &mut self.machine.store.globals;
        if (globals.len() as u64) < self.globals_size {
            return Err(Fault::new(FaultKind::Internal).with_message("the globals have shrunk"));
        }
        context.globals = globals.as_mut_ptr();
        Ok(())
    }
}

/// Whether a run may go on, by the deadline and the interrupt.
pub fn check(deadline: Option<Instant>, interrupt: Option<&AtomicBool>) -> Result<(), Fault> {
    if interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
        return Err(Fault::new(FaultKind::Interrupted));
    }
    match deadline {
        Some(deadline) if Instant::now() >= deadline => Err(Fault::new(FaultKind::TimeExhausted)),
        _ => Ok(()),
    }
}
