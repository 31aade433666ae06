//! What compiled code calls.
//!
//! Every helper takes the run's [`Context`] first and words after it, and tells of a fault by its
//! return value, after it has made the fault the pending one. A panic inside a helper becomes a
//! fault of kind `Internal`: it must not unwind through compiled code, which has no unwinding
//! tables.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ytrace_lang::ir::{FunctionId, SpanId};
use ytrace_values::operation::NO_ROW;
use ytrace_values::{Fault, FaultKind, FrameWord, Operation, Store};

use crate::context::{Context, HostState, Returned};
use crate::memory_access::{CacheEntry, read_scalar};

/// A function that compiled code may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Helper {
    /// `(address, size) -> pointer | 0`: where the bytes of a scalar of the target are.
    LoadMiss,
    /// `(destination, address, length) -> status`: copies bytes of the target.
    CopyTarget,
    /// `(operation number, arguments, count) -> (status, value)`.
    Perform,
    /// The same for an operation whose result is a row of its first argument; leaves the row's
    /// bytes in [`Context::row`] and [`Context::row_length`].
    PerformRow,
    /// `(table, key) -> (status, value)`: `TableFind` of one word, as `PerformRow`.
    TableFind1,
    /// Likewise `TableInsert`.
    TableInsert1,
    /// `(array, index) -> (status, value)`: `ArrayIndex`, as `PerformRow`.
    ArrayIndex,
    /// `(array) -> (status, value)`: `ArrayPush`, as `PerformRow`.
    ArrayPush,
    /// Likewise `ArrayPop`.
    ArrayPop,
    /// Likewise `ArrayShift`.
    ArrayShift,
    /// `(iterator) -> (status, value)`.
    IteratorNext,
    /// `(container) -> (status, value)`.
    ContainerLength,
    /// `(path, str) -> (status, value)`.
    PathAppendStr,
    /// `(path, address) -> (status, value)`.
    PathAppendCode,
    /// `(container, row) -> status`: leaves the row's bytes in the context.
    ResolveRow,
    /// `(fault number, a, b)`: makes a [`Raised`] fault the pending one.
    Raise,
    /// `(function, span)`: the pending fault leaves a function.
    Leave,
    /// `(function, span)`: the pending fault is caught there.
    Catch,
    /// `() -> steps | 0`: the next steps of the budget.
    Refill,
    /// `(pointer, length)`: zeroes tracer memory.
    Zero,
    /// `(destination, source, length)`: copies tracer memory.
    Copy,
}

impl Helper {
    /// All helpers, in the order of their declaration.
    pub const ALL: [Helper; 21] = [
        Helper::LoadMiss,
        Helper::CopyTarget,
        Helper::Perform,
        Helper::PerformRow,
        Helper::TableFind1,
        Helper::TableInsert1,
        Helper::ArrayIndex,
        Helper::ArrayPush,
        Helper::ArrayPop,
        Helper::ArrayShift,
        Helper::IteratorNext,
        Helper::ContainerLength,
        Helper::PathAppendStr,
        Helper::PathAppendCode,
        Helper::ResolveRow,
        Helper::Raise,
        Helper::Leave,
        Helper::Catch,
        Helper::Refill,
        Helper::Zero,
        Helper::Copy,
    ];

    /// The name of the symbol.
    pub fn symbol(self) -> &'static str {
        match self {
            Helper::LoadMiss => "ytrace_load_miss",
            Helper::CopyTarget => "ytrace_copy_target",
            Helper::Perform => "ytrace_perform",
            Helper::PerformRow => "ytrace_perform_row",
            Helper::TableFind1 => "ytrace_table_find1",
            Helper::TableInsert1 => "ytrace_table_insert1",
            Helper::ArrayIndex => "ytrace_array_index",
            Helper::ArrayPush => "ytrace_array_push",
            Helper::ArrayPop => "ytrace_array_pop",
            Helper::ArrayShift => "ytrace_array_shift",
            Helper::IteratorNext => "ytrace_iterator_next",
            Helper::ContainerLength => "ytrace_container_length",
            Helper::PathAppendStr => "ytrace_path_append_str",
            Helper::PathAppendCode => "ytrace_path_append_code",
            Helper::ResolveRow => "ytrace_resolve_row",
            Helper::Raise => "ytrace_raise",
            Helper::Leave => "ytrace_leave",
            Helper::Catch => "ytrace_catch",
            Helper::Refill => "ytrace_refill",
            Helper::Zero => "ytrace_zero",
            Helper::Copy => "ytrace_copy",
        }
    }

    /// The address of the code.
    pub fn address(self) -> *const u8 {
        match self {
            Helper::LoadMiss => load_miss as *const u8,
            Helper::CopyTarget => copy_target as *const u8,
            Helper::Perform => perform as *const u8,
            Helper::PerformRow => perform_row as *const u8,
            Helper::TableFind1 => table_find1 as *const u8,
            Helper::TableInsert1 => table_insert1 as *const u8,
            Helper::ArrayIndex => array_index as *const u8,
            Helper::ArrayPush => array_push as *const u8,
            Helper::ArrayPop => array_pop as *const u8,
            Helper::ArrayShift => array_shift as *const u8,
            Helper::IteratorNext => iterator_next as *const u8,
            Helper::ContainerLength => container_length as *const u8,
            Helper::PathAppendStr => path_append_str as *const u8,
            Helper::PathAppendCode => path_append_code as *const u8,
            Helper::ResolveRow => resolve_row as *const u8,
            Helper::Raise => raise as *const u8,
            Helper::Leave => leave as *const u8,
            Helper::Catch => catch as *const u8,
            Helper::Refill => refill as *const u8,
            Helper::Zero => zero as *const u8,
            Helper::Copy => copy as *const u8,
        }
    }

    /// How many words it takes, the context included, and how many it returns.
    pub fn signature(self) -> (usize, usize) {
        match self {
            Helper::LoadMiss => (3, 1),
            Helper::CopyTarget => (4, 1),
            Helper::Perform => (4, 2),
            Helper::PerformRow => (4, 2),
            Helper::TableFind1
            | Helper::TableInsert1
            | Helper::ArrayIndex
            | Helper::PathAppendStr
            | Helper::PathAppendCode => (3, 2),
            Helper::ArrayPush
            | Helper::ArrayPop
            | Helper::ArrayShift
            | Helper::IteratorNext
            | Helper::ContainerLength => (2, 2),
            Helper::ResolveRow => (3, 1),
            Helper::Raise => (4, 0),
            Helper::Leave => (3, 0),
            Helper::Catch => (3, 0),
            Helper::Refill => (1, 1),
            Helper::Zero => (3, 0),
            Helper::Copy => (4, 0),
        }
    }
}

/// Faults that compiled code finds itself, with the words that come along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u64)]
pub enum Raised {
    /// A division or remainder by zero.
    DivisionByZero,
    /// A shift by a negative amount or by the width of the type or more.
    ShiftRange,
    /// A float out of the range of an integer type.
    FloatRange,
    /// Index `a` where only less than `b` is allowed.
    IndexOutOfRange,
    /// A call beyond the stack budget.
    StackTooDeep,
    /// An access outside of the memory that a place may touch.
    BadPlace,
}

impl Raised {
    /// All kinds, in the order of their numbers.
    const ALL: [Raised; 6] = [
        Raised::DivisionByZero,
        Raised::ShiftRange,
        Raised::FloatRange,
        Raised::IndexOutOfRange,
        Raised::StackTooDeep,
        Raised::BadPlace,
    ];

    /// How many words come along.
    pub fn words(self) -> usize {
        match self {
            Raised::IndexOutOfRange => 2,
            _ => 0,
        }
    }

    /// The fault with its words.
    pub fn fault(self, a: u64, b: u64) -> Fault {
        match self {
            Raised::DivisionByZero => Fault::new(FaultKind::DivisionByZero),
            Raised::ShiftRange => Fault::new(FaultKind::ShiftRange),
            Raised::FloatRange => Fault::new(FaultKind::FloatRange),
            Raised::IndexOutOfRange => Fault::new(FaultKind::IndexOutOfRange)
                .with_message(format!("index {} of {b}", a as i64)),
            Raised::StackTooDeep => Fault::new(FaultKind::StackTooDeep),
            Raised::BadPlace => Fault::new(FaultKind::Internal)
                .with_message("an access outside of the memory of its place"),
        }
    }
}

/// Runs the body of a helper: a fault or a panic becomes the pending fault, and `failed` the
/// result.
///
/// # Safety
///
/// `context` must point to the context of a run that is under way, with a valid
/// [`Context::host`], neither of which anything else is using.
unsafe fn enter<R>(
    context: *mut Context,
    failed: R,
    body: impl FnOnce(&mut Context, &mut HostState<'_, '_>) -> Result<R, Fault>,
) -> R {
    // SAFETY: the caller vouches for both pointers; compiled code is suspended in the call of
    // the helper and holds no reference to either.
    let (context, host) = unsafe {
        let context = &mut *context;
        let host = &mut *context.host.cast::<HostState<'_, '_>>();
        (context, host)
    };
    match catch_unwind(AssertUnwindSafe(|| body(context, host))) {
        Ok(Ok(result)) => result,
        Ok(Err(fault)) => {
            host.raise(context, fault);
            failed
        }
        Err(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "an operation panicked".to_owned());
            host.raise(context, Fault::new(FaultKind::Internal).with_message(text));
            failed
        }
    }
}

/// See [`Helper::LoadMiss`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn load_miss(context: *mut Context, address: u64, size: u64) -> *const u8 {
    // SAFETY: the same contract.
    unsafe {
        enter(context, std::ptr::null(), |context, host| {
            let geometry = host.pages.geometry();
            let within = address & (geometry.granule - 1);
            if host.paged && within + size <= geometry.granule {
                let index = geometry.index(address);
                // SAFETY: the cache has `geometry.entries` entries, and an index is less; only
                // this helper writes to them during a run.
                let entry = &mut *context.cache.add(index);
                if entry.tag != address - within {
                    match host.pages.fill(host.machine, address) {
                        Some(filled) => *entry = filled,
                        None => *entry = CacheEntry::EMPTY,
                    }
                }
                if entry.tag == address - within {
                    return Ok(address.wrapping_add(entry.addend) as *const u8);
                }
            }
            context.scratch = read_scalar(host.machine, address, size as usize)?;
            Ok(std::ptr::from_ref(&context.scratch).cast())
        })
    }
}

/// See [`Helper::CopyTarget`].
///
/// # Safety
///
/// As for [`enter`], and `length` bytes at `destination` must be tracer memory of the program.
unsafe extern "C" fn copy_target(
    context: *mut Context,
    destination: *mut u8,
    address: u64,
    length: u64,
) -> u64 {
    // SAFETY: the same contract.
    unsafe {
        enter(context, 1, |context, host| {
            let geometry = host.pages.geometry();
            let within = address & (geometry.granule - 1);
            // SAFETY: as in `load_miss`.
            let entry = &*context.cache.add(geometry.index(address));
            if entry.tag == address - within && length <= geometry.granule - within {
                let source = address.wrapping_add(entry.addend) as *const u8;
                // SAFETY: the granule has so many bytes at `source` and is never tracer memory.
                std::ptr::copy_nonoverlapping(source, destination, length as usize);
                return Ok(0);
            }
            // All or nothing: a fault must leave the destination as it was.
            let mut bytes = vec![0; length as usize];
            host.machine
                .memory
                .read(address, &mut bytes)
                .map_err(Fault::memory)?;
            // SAFETY: the caller vouches for the destination; `bytes` is apart from it.
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), destination, bytes.len());
            Ok(0)
        })
    }
}

/// What [`Returned`] says of a fault.
const FAULTED: Returned = Returned {
    status: 1,
    value: 0,
};

/// The operation of a number, with its arguments.
///
/// # Safety
///
/// `arguments` must point to `count` words that nothing writes to meanwhile.
unsafe fn operation<'a>(
    host: &HostState<'_, '_>,
    number: u64,
    arguments: *const u64,
    count: u64,
) -> Result<(Operation, &'a [u64]), Fault> {
    let operation = usize::try_from(number)
        .ok()
        .and_then(|number| host.operations.get(number))
        .ok_or_else(|| Fault::new(FaultKind::Internal).with_message("no such operation"))?;
    let arguments = if count == 0 {
        &[]
    } else {
        // SAFETY: the caller vouches for the words.
        unsafe { std::slice::from_raw_parts(arguments, count as usize) }
    };
    Ok((*operation, arguments))
}

/// See [`Helper::Perform`].
///
/// # Safety
///
/// As for [`enter`] and [`operation`].
unsafe extern "C" fn perform(
    context: *mut Context,
    number: u64,
    arguments: *const u64,
    count: u64,
) -> Returned {
    // SAFETY: the same contract.
    unsafe {
        enter(context, FAULTED, |context, host| {
            let (operation, arguments) = operation(host, number, arguments, count)?;
            let value = host.machine.perform(operation, arguments)?;
            host.renew(context)?;
            Ok(Returned { status: 0, value })
        })
    }
}

/// Leaves the bytes of a row in the context.
fn keep_row(
    context: &mut Context,
    host: &mut HostState<'_, '_>,
    container: u64,
    row: u64,
) -> Result<(), Fault> {
    let bytes = host
        .machine
        .store
        .row_mut(container, row)
        .ok_or_else(|| Fault::new(FaultKind::Internal).with_message("a stale row"))?;
    context.row_length = bytes.len() as u64;
    context.row = bytes.as_mut_ptr();
    Ok(())
}

/// See [`Helper::PerformRow`].
///
/// # Safety
///
/// As for [`enter`] and [`operation`].
unsafe extern "C" fn perform_row(
    context: *mut Context,
    number: u64,
    arguments: *const u64,
    count: u64,
) -> Returned {
    // SAFETY: the same contract.
    unsafe {
        enter(context, FAULTED, |context, host| {
            let (operation, arguments) = operation(host, number, arguments, count)?;
            let row = host.machine.perform(operation, arguments)?;
            host.renew(context)?;
            context.row_length = 0;
            match arguments.first() {
                Some(&container) if row != NO_ROW => keep_row(context, host, container, row)?,
                _ => {}
            }
            Ok(Returned {
                status: 0,
                value: row,
            })
        })
    }
}

/// Carries out an operation whose result is a row of a container, and leaves the row's bytes in
/// the context.
///
/// # Safety
///
/// As for [`enter`].
unsafe fn row_of(
    context: *mut Context,
    container: u64,
    body: impl FnOnce(&mut Store) -> Result<u64, Fault>,
) -> Returned {
    // SAFETY: the same contract.
    unsafe {
        enter(context, FAULTED, |context, host| {
            let value = body(host.machine.store)?;
            context.row_length = 0;
            if value != NO_ROW {
                keep_row(context, host, container, value)?;
            }
            Ok(Returned { status: 0, value })
        })
    }
}

/// Carries out an operation whose result is a plain word.
///
/// # Safety
///
/// As for [`enter`].
unsafe fn word_of(
    context: *mut Context,
    body: impl FnOnce(&mut Store) -> Result<u64, Fault>,
) -> Returned {
    // SAFETY: the same contract.
    unsafe {
        enter(context, FAULTED, |_, host| {
            let value = body(host.machine.store)?;
            Ok(Returned { status: 0, value })
        })
    }
}

/// See [`Helper::TableFind1`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn table_find1(context: *mut Context, table: u64, key: u64) -> Returned {
    // SAFETY: the same contract.
    unsafe {
        enter(context, FAULTED, |context, host| {
            let store = &mut *host.machine.store;
            if let Some((value, bytes)) = store.table_find1_row(table, key) {
                return Ok(with_row(context, value, bytes));
            }
            context.row_length = 0;
            let value = match store.table_find1(table, key) {
                Some(row) => row,
                None => store.table_find(table, &[key])?,
            };
            if value != NO_ROW {
                keep_row(context, host, table, value)?;
            }
            Ok(Returned { status: 0, value })
        })
    }
}

/// A row with its bytes, which are left in the context.
fn with_row(context: &mut Context, value: u64, bytes: &mut [u8]) -> Returned {
    context.row_length = bytes.len() as u64;
    context.row = bytes.as_mut_ptr();
    Returned { status: 0, value }
}

/// See [`Helper::TableInsert1`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn table_insert1(context: *mut Context, table: u64, key: u64) -> Returned {
    // SAFETY: the same contract.
    unsafe {
        enter(context, FAULTED, |context, host| {
            let store = &mut *host.machine.store;
            if let Some(inserted) = store.table_insert1_row(table, key) {
                let (value, bytes) = inserted?;
                return Ok(with_row(context, value, bytes));
            }
            let value = host.machine.store.table_insert1(table, key)?;
            context.row_length = 0;
            keep_row(context, host, table, value)?;
            Ok(Returned { status: 0, value })
        })
    }
}

/// See [`Helper::ArrayIndex`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn array_index(context: *mut Context, array: u64, index: u64) -> Returned {
    // SAFETY: the same contract.
    unsafe { row_of(context, array, |store| store.array_index(array, index)) }
}

/// See [`Helper::ArrayPush`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn array_push(context: *mut Context, array: u64) -> Returned {
    // SAFETY: the same contract.
    unsafe { row_of(context, array, |store| store.array_push(array)) }
}

/// See [`Helper::ArrayPop`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn array_pop(context: *mut Context, array: u64) -> Returned {
    // SAFETY: the same contract.
    unsafe { row_of(context, array, |store| store.array_pop(array)) }
}

/// See [`Helper::ArrayShift`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn array_shift(context: *mut Context, array: u64) -> Returned {
    // SAFETY: the same contract.
    unsafe { row_of(context, array, |store| store.array_shift(array)) }
}

/// See [`Helper::IteratorNext`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn iterator_next(context: *mut Context, iterator: u64) -> Returned {
    // SAFETY: the same contract.
    unsafe { word_of(context, |store| store.iterator_next(iterator)) }
}

/// See [`Helper::ContainerLength`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn container_length(context: *mut Context, container: u64) -> Returned {
    // SAFETY: the same contract.
    unsafe { word_of(context, |store| store.container_length(container)) }
}

/// See [`Helper::PathAppendStr`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn path_append_str(context: *mut Context, path: u64, name: u64) -> Returned {
    // SAFETY: the same contract.
    unsafe {
        enter(context, FAULTED, |_, host| {
            let value = host
                .machine
                .perform(Operation::PathAppendStr, &[path, name])?;
            Ok(Returned { status: 0, value })
        })
    }
}

/// See [`Helper::PathAppendCode`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn path_append_code(context: *mut Context, path: u64, address: u64) -> Returned {
    // SAFETY: the same contract.
    unsafe {
        word_of(context, |store| {
            store.path_append(path, FrameWord::Code(address))
        })
    }
}

/// See [`Helper::ResolveRow`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn resolve_row(context: *mut Context, container: u64, row: u64) -> u64 {
    // SAFETY: the same contract.
    unsafe {
        enter(context, 1, |context, host| {
            keep_row(context, host, container, row)?;
            Ok(0)
        })
    }
}

/// See [`Helper::Raise`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn raise(context: *mut Context, number: u64, a: u64, b: u64) {
    // SAFETY: the same contract.
    unsafe {
        enter(context, (), |_, _| {
            let raised = usize::try_from(number)
                .ok()
                .and_then(|number| Raised::ALL.get(number));
            Err(raised.map_or_else(
                || Fault::new(FaultKind::Internal),
                |raised| raised.fault(a, b),
            ))
        });
    }
}

/// See [`Helper::Leave`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn leave(context: *mut Context, function: u64, span: u64) {
    // SAFETY: the same contract.
    unsafe {
        enter(context, (), |_, host| {
            host.leave(FunctionId(function as u32), SpanId(span as u32));
            Ok(())
        });
    }
}

/// See [`Helper::Catch`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn catch(context: *mut Context, function: u64, span: u64) {
    // SAFETY: the same contract.
    unsafe {
        enter(context, (), |_, host| {
            host.leave(FunctionId(function as u32), SpanId(span as u32));
            host.caught();
            Ok(())
        });
    }
}

/// See [`Helper::Refill`].
///
/// # Safety
///
/// As for [`enter`].
unsafe extern "C" fn refill(context: *mut Context) -> u64 {
    // SAFETY: the same contract.
    unsafe { enter(context, 0, |context, host| Ok(host.refill(context))) }
}

/// See [`Helper::Zero`].
///
/// # Safety
///
/// `length` bytes at `pointer` must be tracer memory of the program.
unsafe extern "C" fn zero(_context: *mut Context, pointer: *mut u8, length: u64) {
    // SAFETY: the same contract.
    unsafe { std::ptr::write_bytes(pointer, 0, length as usize) }
}

/// See [`Helper::Copy`].
///
/// # Safety
///
/// `length` bytes at both pointers must be tracer memory of the program.
unsafe extern "C" fn copy(
    _context: *mut Context,
    destination: *mut u8,
    source: *const u8,
    length: u64,
) {
    // SAFETY: the same contract; `copy` allows the ranges to overlap.
    unsafe { std::ptr::copy(source, destination, length as usize) }
}
