//! From a program to code in memory.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, ModuleReloc, default_libcall_names};
use ytrace_lang::ir::{FunctionId, InstructionKind, Program};
use ytrace_values::Operation;

use crate::context::{Context, Returned};
use crate::error::CompileError;
use crate::helpers::Helper;
use crate::memory_access::{Geometry, LEAST_GRANULE};
use crate::translate::{Plan, Symbol, function_signature, helper_signature, translate};
use crate::verify::verify;

/// How much of the target the default cache covers, in bytes. What a walk in random order reads
/// beyond it costs a call a page, more than the larger cache costs in the processor's.
const CACHED_BYTES: u64 = 256 << 20;

/// The most entries of a cache.
const MOST_ENTRIES: u64 = 1 << 20;

/// How a program is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The size of the target's pages in bytes, as [`ytrace_values::Memory::page_size`] gives it;
    /// a power of two of at least 64. A run on a memory whose pages are smaller is correct but
    /// slow, since nothing is then cached.
    pub page_size: u64,
    /// Entries of the page cache, a power of two up to 2^20. An entry takes 16 bytes and keeps one
    /// page alive.
    pub cache_entries: u64,
}

impl Options {
    /// The default options for pages of a size: a cache that covers [`CACHED_BYTES`].
    pub fn new(page_size: u64) -> Self {
        let entries = CACHED_BYTES / page_size.clamp(1, CACHED_BYTES);
        Self {
            page_size,
            cache_entries: entries.clamp(1, MOST_ENTRIES),
        }
    }

    pub(crate) fn geometry(self) -> Result<Geometry, CompileError> {
        if !self.page_size.is_power_of_two() || !(LEAST_GRANULE..=1 << 30).contains(&self.page_size)
        {
            return Err(CompileError::Option {
                name: "the page size",
                expected: "a power of two from 64 to 2^30",
                value: self.page_size,
            });
        }
        if !self.cache_entries.is_power_of_two() || self.cache_entries > MOST_ENTRIES {
            return Err(CompileError::Option {
                name: "the number of cache entries",
                expected: "a power of two up to 2^20",
                value: self.cache_entries,
            });
        }
        Ok(Geometry {
            granule: self.page_size,
            entries: self.cache_entries,
        })
    }
}

/// Code of a function: context, frame, stack left.
pub type Entry = unsafe extern "C" fn(*mut Context, *mut u8, u64) -> Returned;

/// The native code of a program: of all that it can run, or of what has been asked for. Each function is compiled once.
/// It can be shared between threads; each runs it with a [`crate::Jit`] of its own.
pub struct CompiledProgram {
    program: Arc<Program>,
    geometry: Geometry,
    isa: OwnedTargetIsa,
    operations: Vec<Operation>,
    /// The place of each in `operations`.
    numbers: HashMap<Operation, u64>,
    /// The address of each function's code; 0 where there is none.
    addresses: Vec<usize>,
    /// Native bytes that a call of each function takes.
    native_frames: Vec<u64>,
    /// The most of them.
    largest_native_frame: u64,
    /// Native bytes that the deepest chain of calls from each function takes; `None` if it can
    /// lead to a recursion.
    native_chains: Vec<Option<u64>>,
    code_size: usize,
    translations: u64,
    /// Functions that could not be compiled.
    failed: HashMap<FunctionId, Arc<CompileError>>,
    /// They own the memory of the code, and go only when this value is dropped. Code of later ones calls code of earlier
    /// ones.
    modules: Mutex<Vec<JITModule>>,
}

impl std::fmt::Debug for CompiledProgram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompiledProgram")
            .field("functions", &self.addresses.len())
            .field("translations", &self.translations)
            .field("code_size", &self.code_size)
            .finish_non_exhaustive()
    }
}

impl CompiledProgram {
    /// Compiles the functions that the initializer, the probes with their values as of entry, and the validators reach, on up
    /// to four threads.
    pub fn compile(program: Arc<Program>, options: Options) -> Result<Self, CompileError> {
        let mut roots = vec![program.initialize];
        roots.extend(&program.probes);
        roots.extend(&program.validators);
        roots.extend(&program.entry_values);
        let mut compiled = Self::empty(program, options)?;
        let missing = compiled.missing(roots);
        compiled.extend(&missing).map_err(|failure| failure.error)?;
        Ok(compiled)
    }

    /// Compiles nothing yet.
    pub fn empty(program: Arc<Program>, options: Options) -> Result<Self, CompileError> {
        let count = program.functions.len();
        Ok(Self {
            geometry: options.geometry()?,
            isa: host_isa()?,
            operations: Vec::new(),
            numbers: HashMap::new(),
            addresses: vec![0; count],
            native_frames: vec![0; count],
            largest_native_frame: 0,
            native_chains: vec![None; count],
            code_size: 0,
            translations: 0,
            failed: HashMap::new(),
            modules: Mutex::default(),
            program,
        })
    }

    /// Compiles what a function reaches and what has not been compiled, on up to four threads.
    ///
    /// # Errors
    /// The function, or one that it reaches, cannot be compiled. That is remembered: nothing that reaches the same is tried
    /// again.
    pub fn add(&mut self, function: FunctionId) -> Result<(), Arc<CompileError>> {
        let missing = self.missing(vec![function]);
        if let Some(error) = missing.iter().find_map(|id| self.failed.get(id)) {
            return Err(Arc::clone(error));
        }
        self.extend(&missing).map_err(|failure| {
            let error = Arc::new(failure.error);
            for id in failure.function.into_iter().chain([function]) {
                self.failed.insert(id, Arc::clone(&error));
            }
            error
        })
    }

    /// Compiles functions, with which all that they call is compiled.
    fn extend(&mut self, functions: &[FunctionId]) -> Result<(), Failure> {
        if functions.is_empty() {
            return Ok(());
        }
        for &id in functions {
            self.translations += 1;
            verify(&self.program, id).map_err(|error| Failure::of(id, error))?;
        }
        // The symbols: helpers, functions that are there and called, functions to be made.
        let calls = functions.iter().flat_map(|&id| callees(&self.program, id));
        let mut known: Vec<(FunctionId, usize)> = calls
            .map(|id| (id, self.address(id)))
            .filter(|&(_, address)| address != 0)
            .collect();
        known.sort_unstable();
        known.dedup();
        let mut symbols = vec![None; self.program.functions.len()];
        let ids = known
            .iter()
            .map(|&(id, _)| id)
            .chain(functions.iter().copied());
        for (number, id) in (Helper::ALL.len()..).zip(ids) {
            if let (Some(symbol), Ok(number)) =
                (symbols.get_mut(id.0 as usize), u32::try_from(number))
            {
                let near = self.address(id) == 0;
                *symbol = Some(Symbol { number, near });
            }
        }
        self.number_operations(functions);
        let plan = Plan {
            program: &self.program,
            symbols,
            operations: &self.numbers,
            geometry: self.geometry,
            convention: self.isa.default_call_conv(),
            frontend: self.isa.frontend_config(),
        };
        let compiled = compile_all(&plan, &self.isa, functions)?;
        let (module, addresses) = link(&plan, &self.isa, &known, functions, &compiled)?;
        for ((&id, code), address) in functions.iter().zip(&compiled).zip(addresses) {
            let index = id.0 as usize;
            // Arguments beyond the registers lie on the native stack too.
            let parameters = self.program.functions[index].parameters;
            self.native_frames[index] = code.native_frame + u64::from(parameters) * 8;
            self.addresses[index] = address;
            self.code_size += code.bytes.len();
        }
        self.largest_native_frame = self.native_frames.iter().copied().max().unwrap_or(0);
        self.native_chains = native_chains(&self.program, &self.native_frames);
        let modules = self.modules.get_mut();
        modules.unwrap_or_else(PoisonError::into_inner).push(module);
        Ok(())
    }

    /// The functions without code that some functions reach, in order of their numbers. Numbers of functions that do not
    /// exist are kept; verification refuses them.
    fn missing(&self, mut pending: Vec<FunctionId>) -> Vec<FunctionId> {
        let mut missing = BTreeSet::new();
        while let Some(id) = pending.pop() {
            // What a function calls was compiled with it.
            if self.address(id) == 0 && missing.insert(id) {
                pending.extend(callees(&self.program, id));
            }
        }
        missing.into_iter().collect()
    }

    /// Gives numbers to the operations that functions use.
    fn number_operations(&mut self, functions: &[FunctionId]) {
        for id in functions {
            let blocks = &self.program.functions[id.0 as usize].blocks;
            for instruction in blocks.iter().flat_map(|block| &block.instructions) {
                if let InstructionKind::Operation { operation, .. } = instruction.kind {
                    self.numbers.entry(operation).or_insert_with(|| {
                        self.operations.push(operation);
                        self.operations.len() as u64 - 1
                    });
                }
            }
        }
    }

    /// Whether a function, with what it calls, has been compiled.
    pub(crate) fn has(&self, function: FunctionId) -> bool {
        self.address(function) != 0
    }

    /// The address of a function's code; 0 if there is none.
    fn address(&self, function: FunctionId) -> usize {
        let address = self.addresses.get(function.0 as usize);
        address.copied().unwrap_or(0)
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// How many functions have been compiled, or could not be.
    pub fn translations(&self) -> u64 {
        self.translations
    }

    /// Bytes of machine code.
    pub fn code_size(&self) -> usize {
        self.code_size
    }

    /// The page cache that the code expects.
    pub(crate) fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// The operations by the numbers that the code uses.
    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The code of a function without parameters, if it was compiled.
    pub(crate) fn entry(&self, function: FunctionId) -> Option<Entry> {
        let parameters = self.program.functions.get(function.0 as usize)?.parameters;
        let address = self.address(function);
        if address == 0 || parameters != 0 {
            return None;
        }
        // SAFETY: the code at the address was generated with the signature of a function without
        // parameters of its own, which is `Entry` in the C calling convention of the host.
        Some(unsafe { std::mem::transmute::<*const u8, Entry>(address as *const u8) })
    }

    /// How many bytes of the native stack a run of a function may take with a stack budget of
    /// `stack` bytes, without what helpers need.
    ///
    /// Where no recursion is possible, it is what the deepest chain of calls takes; else as much
    /// as the budget allows, `u64::MAX` when some function costs nothing.
    pub(crate) fn native_need(&self, function: FunctionId, stack: u64) -> u64 {
        let chain = self.native_chains.get(function.0 as usize).copied();
        let Some(None) = chain else {
            return chain.flatten().unwrap_or(0);
        };
        let functions = self.program.functions.iter().zip(&self.native_frames);
        functions
            .filter(|&(_, &native)| native > 0)
            .map(|(function, &native)| match function.frame_cost {
                0 => u64::MAX,
                cost => (stack / cost + 1).saturating_mul(native),
            })
            .max()
            .unwrap_or(0)
    }

    /// The most native bytes that a call of one function takes.
    pub(crate) fn largest_native_frame(&self) -> u64 {
        self.largest_native_frame
    }
}

impl Drop for CompiledProgram {
    fn drop(&mut self) {
        let modules = self.modules.get_mut();
        for module in modules.unwrap_or_else(PoisonError::into_inner).drain(..) {
            // SAFETY: code runs only while a `Jit` holds this value, so none runs now; its addresses are
            // private to this value, and the code of all modules goes together.
            unsafe { module.free_memory() };
        }
    }
}

/// Why functions could not be compiled, and which of them it was, where that is known.
struct Failure {
    function: Option<FunctionId>,
    error: CompileError,
}

impl Failure {
    fn of(function: FunctionId, error: CompileError) -> Self {
        Self {
            function: Some(function),
            error,
        }
    }
}

impl From<CompileError> for Failure {
    fn from(error: CompileError) -> Self {
        Self {
            function: None,
            error,
        }
    }
}

/// The code generator for the processor that this runs on.
fn host_isa() -> Result<OwnedTargetIsa, CompileError> {
    let host = |reason: String| CompileError::Host { reason };
    let mut flags = settings::builder();
    for (name, value) in [
        ("opt_level", "speed"),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        ("unwind_info", "false"),
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
        // Two NaNs may be swapped as operands, and their bits then differ.
        ("enable_nan_canonicalization", "true"),
        (
            "enable_verifier",
            if cfg!(debug_assertions) {
                "true"
            } else {
                "false"
            },
        ),
    ] {
        flags
            .set(name, value)
            .map_err(|error| host(format!("{name}: {error}")))?;
    }
    cranelift_native::builder()
        .map_err(|reason| host(reason.to_owned()))?
        .finish(settings::Flags::new(flags))
        .map_err(|error| host(error.to_string()))
}

/// The functions that a function calls.
fn callees(program: &Program, id: FunctionId) -> impl Iterator<Item = FunctionId> {
    let function = program.functions.get(id.0 as usize);
    let blocks = function.into_iter().flat_map(|function| &function.blocks);
    blocks
        .flat_map(|block| &block.instructions)
        .filter_map(|instruction| match instruction.kind {
            InstructionKind::Call { function, .. } => Some(function),
            _ => None,
        })
}

/// See [`CompiledProgram::native_chains`].
fn native_chains(program: &Program, native_frames: &[u64]) -> Vec<Option<u64>> {
    // Callees first: a function is settled when all that it calls are; what is never settled
    // leads to a recursion.
    let count = native_frames.len();
    let mut waiting = vec![0_usize; count];
    let mut callers = vec![Vec::new(); count];
    for (index, &frame) in native_frames.iter().enumerate() {
        if frame == 0 {
            continue;
        }
        for callee in callees(program, FunctionId(index as u32)) {
            if let Some(callers) = callers.get_mut(callee.0 as usize) {
                callers.push(index);
                waiting[index] += 1;
            }
        }
    }
    let mut chains = vec![None; count];
    let mut deepest = vec![0_u64; count];
    let mut settled: Vec<usize> = (0..count).filter(|&index| waiting[index] == 0).collect();
    while let Some(index) = settled.pop() {
        let chain = native_frames[index].saturating_add(deepest[index]);
        chains[index] = Some(chain);
        for &caller in &callers[index] {
            deepest[caller] = deepest[caller].max(chain);
            waiting[caller] -= 1;
            if waiting[caller] == 0 {
                settled.push(caller);
            }
        }
    }
    chains
}

/// The code of one function before it is placed.
struct Code {
    bytes: Vec<u8>,
    alignment: u64,
    relocations: Vec<ModuleReloc>,
    /// Bytes of the native stack that a call takes.
    native_frame: u64,
}

/// Compiles functions, the result in their order.
fn compile_all(
    plan: &Plan<'_>,
    isa: &OwnedTargetIsa,
    functions: &[FunctionId],
) -> Result<Vec<Code>, Failure> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        let mut buffers = FunctionBuilderContext::new();
        while let Some(&id) = functions.get(next.fetch_add(1, Ordering::Relaxed)) {
            let code = compile_one(plan, isa, id, &mut buffers);
            let failed = code.is_err();
            done.push((id, code));
            if failed {
                break;
            }
        }
        done
    };
    let threads = if functions.len() < 4 {
        1
    } else {
        std::thread::available_parallelism().map_or(1, |count| count.get().min(4))
    };
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        let mut done = work();
        for other in others {
            // `compile_one` catches panics, so a thread gives its part.
            done.extend(other.join().unwrap_or_default());
        }
        done
    });
    done.sort_by_key(|&(id, _)| id);
    let codes = done
        .into_iter()
        .map(|(id, code)| code.map_err(|error| Failure::of(id, error)))
        .collect::<Result<Vec<_>, _>>()?;
    if codes.len() == functions.len() {
        Ok(codes)
    } else {
        let reason = "a thread of the code generator ended early".to_owned();
        Err(Failure::from(CompileError::Codegen {
            function: "?".to_owned(),
            reason,
        }))
    }
}

/// Compiles one function. A panic of the code generator is an error like any other.
fn compile_one(
    plan: &Plan<'_>,
    isa: &OwnedTargetIsa,
    id: FunctionId,
    buffers: &mut FunctionBuilderContext,
) -> Result<Code, CompileError> {
    let failed = |reason: String| CompileError::Codegen {
        function: plan.program.functions[id.0 as usize].name.clone(),
        reason,
    };
    let symbol = plan.symbols[id.0 as usize]
        .ok_or_else(|| failed("the function has no symbol".to_owned()))?
        .number;
    let result = catch_unwind(AssertUnwindSafe(|| {
        let function = translate(plan, id, buffers)?;
        let mut context = cranelift_codegen::Context::for_function(function);
        let mut control = ControlPlane::default();
        let compiled = context
            .compile(isa.as_ref(), &mut control)
            .map_err(|error| failed(format!("{:?}", error.inner)))?;
        let bytes = compiled.code_buffer().to_vec();
        let alignment = u64::from(compiled.buffer.alignment);
        let frame = compiled
            .buffer
            .frame_layout()
            .map_or(0, |layout| u64::from(layout.frame_to_fp_offset));
        let relocations = compiled.buffer.relocs().to_vec();
        let relocations = relocations
            .iter()
            .map(|relocation| {
                ModuleReloc::from_mach_reloc(relocation, &context.func, FuncId::from_u32(symbol))
            })
            .collect();
        Ok(Code {
            bytes,
            alignment: alignment
                .max(u64::from(isa.function_alignment().minimum))
                .max(isa.symbol_alignment()),
            relocations,
            native_frame: frame + CALL_OVERHEAD,
        })
    }));
    result.unwrap_or_else(|panic| {
        *buffers = FunctionBuilderContext::new();
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Err(failed(text.unwrap_or_else(|| {
            "the code generator panicked".to_owned()
        })))
    })
}

/// What a call takes from the native stack besides the frame of the callee: the return address,
/// the frame pointer, and arguments that do not fit into registers.
const CALL_OVERHEAD: u64 = 16;

/// Places code in memory and makes it executable: what owns it, and the address of each function. `known` are functions
/// that are called and have code already, with its address.
fn link(
    plan: &Plan<'_>,
    isa: &OwnedTargetIsa,
    known: &[(FunctionId, usize)],
    functions: &[FunctionId],
    codes: &[Code],
) -> Result<(JITModule, Vec<usize>), CompileError> {
    let size = codes
        .iter()
        .map(|code| code.bytes.len() + code.alignment as usize + VENEERS)
        .sum::<usize>()
        .max(1);
    // One contiguous piece, so that calls within it always reach; the arena rounds each
    // function that does not fit into the last page up to pages.
    let reserve = size.saturating_mul(2) + (codes.len() + 1) * PAGE_ALLOWANCE;
    let arena =
        ArenaMemoryProvider::new_with_size(reserve).map_err(|error| CompileError::CodeMemory {
            bytes: reserve,
            reason: error.to_string(),
        })?;
    let mut builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
    builder.memory_provider(Box::new(arena));
    builder.symbols(
        Helper::ALL
            .iter()
            .map(|helper| (helper.symbol(), helper.address())),
    );
    let known_name = |id: FunctionId| format!("function {}", id.0);
    builder.symbols(
        known
            .iter()
            .map(|&(id, address)| (known_name(id), address as *const u8)),
    );
    let mut module = JITModule::new(builder);
    let mut declared = 0;
    let mut check = |id: FuncId| {
        let expected = declared;
        declared += 1;
        if id.as_u32() == expected {
            Ok(id)
        } else {
            Err(CompileError::Codegen {
                function: "?".to_owned(),
                reason: "symbols are not numbered in order".to_owned(),
            })
        }
    };
    for helper in Helper::ALL {
        let signature = helper_signature(helper, plan.convention);
        check(module.declare_function(helper.symbol(), Linkage::Import, &signature)?)?;
    }
    let signature = |id: FunctionId| {
        let function = &plan.program.functions[id.0 as usize];
        function_signature(function, plan.convention)
    };
    for &(id, _) in known {
        check(module.declare_function(&known_name(id), Linkage::Import, &signature(id))?)?;
    }
    let mut ids = Vec::with_capacity(functions.len());
    for &id in functions {
        ids.push(check(module.declare_anonymous_function(&signature(id))?)?);
    }
    for (&id, code) in ids.iter().zip(codes) {
        module.define_function_bytes(id, code.alignment, &code.bytes, &code.relocations)?;
    }
    module.finalize_definitions()?;

    let addresses = ids
        .iter()
        .map(|&id| module.get_finalized_function(id) as usize)
        .collect();
    Ok((module, addresses))
}

/// Room for what linking adds to a function on processors with short calls.
const VENEERS: usize = 64;

/// Room for rounding up to a page, of which the reserve takes only address space.
const PAGE_ALLOWANCE: usize = 1 << 16;
