//! The seam to everything outside of a program but the target's memory.

use std::cmp::Ordering;

use crate::fault::{Fault, FaultKind};
use crate::memory::Memory;
use crate::reading::Value;

/// One mapping of the target, as `_maps()` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappingRecord {
    /// First address.
    pub start: u64,
    /// First address after the mapping.
    pub end: u64,
    /// `rwxp` letters.
    pub perms: String,
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// File name, or a name in brackets, or empty.
    pub file: Vec<u8>,
    /// Resident bytes, pages of `hugetlbfs` apart. This and what follows is `None` where it is not known.
    pub rss: Option<u64>,
    /// Proportional share of the resident bytes, if it was asked for.
    pub pss: Option<u64>,
    /// Swapped bytes.
    pub swap: Option<u64>,
    /// Anonymous resident bytes.
    pub anon: Option<u64>,
    /// Resident bytes of pages that no other process maps.
    pub unshared: Option<u64>,
    /// Bytes in pages of `hugetlbfs`, which the kernel does not count as resident.
    pub hugetlb: Option<u64>,
    /// The device of the file or the shared memory, its major number times 2^20 and its minor one.
    pub device: u64,
    /// The inode on that device; 0 where there is neither file nor shared memory.
    pub inode: u64,
    /// The bytes of it that a core file holds; 0 of a process.
    pub dumped: u64,
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

/// The fields that `_process_bytes` knows: those of proc_pid_status(5) that are bytes, then those of `smaps_rollup`, proc_pid_smaps(5).
pub const PROCESS_FIELDS: &[&str] = &[
    "VmPeak",
    "VmSize",
    "VmLck",
    "VmPin",
    "VmHWM",
    "VmRSS",
    "RssAnon",
    "RssFile",
    "RssShmem",
    "VmData",
    "VmStk",
    "VmExe",
    "VmLib",
    "VmPTE",
    "VmPMD",
    "VmSwap",
    "HugetlbPages",
    "Rss",
    "Pss",
    "Pss_Dirty",
    "Pss_Anon",
    "Pss_File",
    "Pss_Shmem",
    "Shared_Clean",
    "Shared_Dirty",
    "Private_Clean",
    "Private_Dirty",
    "Referenced",
    "Anonymous",
    "KSM",
    "LazyFree",
    "AnonHugePages",
    "ShmemPmdMapped",
    "FilePmdMapped",
    "Shared_Hugetlb",
    "Private_Hugetlb",
    "Swap",
    "SwapPss",
    "Locked",
];

/// One thread of the target, as `_threads()` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadRecord {
    /// Thread id.
    pub tid: u64,
    /// Name as in `/proc/PID/task/TID/comm`.
    pub name: Vec<u8>,
    /// One letter as in `/proc/PID/task/TID/stat`.
    pub state: String,
    /// The stack pointer of a thread that waits in the kernel, as of now; 0 where it runs or that cannot be known.
    pub sp: u64,
}

/// One module of the target, as `_modules()` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleRecord {
    /// Soname or file name.
    pub name: Vec<u8>,
    /// Path as the target sees it.
    pub path: Vec<u8>,
    /// Lowest mapped address.
    pub start: u64,
    /// First address after the highest mapping.
    pub end: u64,
    /// Build-id in hexadecimal, or empty.
    pub build_id: String,
}

/// The stack of a thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// Addresses of code, the innermost function first: of the next instruction, and in the callers one within that of the call.
    pub frames: Vec<u64>,
    /// Whether it ends before the function that the thread began with.
    pub truncated: bool,
}

/// What is asked of the pages of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFigure {
    /// Those in memory.
    Resident,
    /// Of these, those that no other process maps.
    Unshared,
    /// Those on swap.
    Swapped,
}

/// What the handler of a probe on an event asks of the hit that it runs for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HitQuestion {
    /// A general register, by its DWARF number.
    Register(u64),
    /// The low 64 bits of a vector register, counted from 0.
    Vector(u64),
    /// An argument of a static probe, counted from 0.
    Argument(u64),
    /// Where the function that was hit begins; 0 where the point is no function's.
    Function,
    /// A value of the probe that was taken when the function was entered, by its index.
    Entry(u64),
    /// The weight of this hit in a sample of one in `every` bytes, 0 if it is not of the sample.
    Sample {
        /// How many bytes there are from one hit of the sample to the next, on average.
        every: u64,
        /// The bytes of this hit.
        bytes: u64,
    },
}

/// What a program asks of the world. The engine implements it; tests give a small double.
pub trait Host {
    /// Writes data output (`printf`, `puts`, `_print`).
    fn print(&mut self, text: &[u8]) -> Result<(), Fault>;
    /// Whether the values of what is printed are wanted, too.
    fn wants_values(&self) -> bool {
        false
    }
    /// The values of what is printed next: of each conversion of a `printf`, of each argument of `_print`, the text of `puts`.
    fn print_values(&mut self, _values: Vec<Value>) {}
    /// Shows a warning of the probe (`_warn`) and counts it.
    fn warn(&mut self, text: &str) -> Result<(), Fault>;
    /// `_assert_equal`: records a cross-check; a difference of more than the tolerance makes the result partial.
    fn assert_equal(
        &mut self,
        name: &str,
        left: i64,
        right: i64,
        tolerance: u64,
    ) -> Result<(), Fault>;
    /// Nanoseconds of the monotonic clock.
    fn now_ns(&mut self) -> u64;
    /// The process id of the target.
    fn pid(&mut self) -> u64;
    /// The thread that the handler runs for; the process id for handlers that run for none.
    fn tid(&mut self) -> u64;
    /// The name of the target's executable, as in `/proc/PID/comm`.
    fn execname(&mut self) -> Vec<u8>;
    /// `_is_live`: whether the target is a process that runs or can go on, and not what one has left.
    fn is_live(&mut self) -> bool {
        true
    }
    /// `_target_words`: the words that name the target on ytrace's command line.
    fn target_words(&mut self) -> Vec<u8> {
        format!("-p {}", self.pid()).into_bytes()
    }
    /// `_usym`: the name of the function or variable at an address, or `None`.
    fn symbol_name(&mut self, address: u64) -> Option<String>;
    /// The module that an address is of and where it is in that, `server+0x1040`, or `None`.
    fn module_place(&mut self, _address: u64) -> Option<String> {
        None
    }
    /// The names of the functions that are inlined at an address of a stack, marked so, the innermost first.
    fn inlined_names(&mut self, _address: u64) -> Vec<String> {
        Vec::new()
    }
    /// `_object_bytes`: the bytes that the kernel holds for the file or the shared memory that is mapped at an address,
    /// whoever uses them; `None` for private memory of no file, and where the kernel does not tell.
    fn object_bytes(&mut self, address: u64) -> Option<u64>;
    /// A register of the thread `tid` by its name, or why it is not to be had.
    fn register(&mut self, name: &str, tid: u64) -> Result<u64, Fault>;
    /// The stack of a thread, read from this memory.
    fn backtrace(&mut self, tid: u64, memory: &mut dyn Memory) -> Result<Stack, Fault>;
    /// A part of the stack of the thread that was hit: from the hit, or from a caller there, to the frame whose stack pointer has come to
    /// `end`.
    fn backtrace_part(&mut self, _end: u64, _from: Option<Caller>) -> Result<Stack, Fault> {
        Err(Fault::new(FaultKind::NotAvailable)
            .with_message("parts of a stack are known only of an event"))
    }
    /// What is known of the hit that the handler runs for.
    fn hit(&mut self, question: HitQuestion) -> Result<u64, Fault> {
        Err(Fault::new(FaultKind::NotAvailable)
            .with_message(format!("{question:?} is known only of an event")))
    }
    /// The address of a thread-local variable, given the program's index of it.
    fn thread_local(&mut self, variable: u32, tid: u64) -> Result<u64, Fault>;
    /// `_resident`, `_unshared`, `_swapped`: bytes of the pages that lie in a range as a whole, as of now; `None` if that cannot be known.
    /// Different figures of one range, asked for one after another, are of one look.
    fn residency(&mut self, address: u64, length: u64, figure: PageFigure) -> Option<u64>;
    /// `_process_bytes`: a field of `/proc/PID/status` or `/proc/PID/smaps_rollup`, one of [`PROCESS_FIELDS`], in bytes; `None` where
    /// this process or this kernel has none of that name.
    /// Different fields, asked for one after another, are of one look.
    fn process_bytes(&mut self, field: &str) -> Option<u64>;
    /// `_counters_lag`: how many bytes the kernel's count of what is resident may be from what is.
    fn counters_lag(&mut self) -> u64 {
        0
    }
    /// `_watched_ns`: how long probes on events have been watching the target.
    fn watched_ns(&mut self) -> u64 {
        0
    }
    /// `_spanned_ns`: over which time that is spread.
    fn spanned_ns(&mut self) -> u64 {
        0
    }
    /// `_watched_until_ns`: when they ended to watch, or now.
    fn watched_until_ns(&mut self) -> u64 {
        0
    }
    /// `_windows`: how often they have begun to watch.
    fn windows(&mut self) -> u64 {
        0
    }
    /// `_window_ns`: how long one of these was; with 0 the sum of those that are over.
    fn window_ns(&mut self, window: u64) -> u64 {
        let _ = window;
        0
    }
    /// `_window_stands_ns`: the time that it stands for.
    fn window_stands_ns(&mut self, window: u64) -> u64 {
        let _ = window;
        0
    }
    /// `_window_slowdown`: how many times as long what the target did took it in windows: the least, what is likely (equal), or the most.
    fn window_slowdown(&mut self, bound: Ordering) -> f64 {
        let _ = bound;
        1.0
    }
    /// `_cgroup_bytes`: a figure of the control group that accounts the target's memory; `None` where there is none.
    fn cgroup_bytes(&mut self, figure: &str) -> Result<Option<u64>, Fault>;
    /// The mappings of the target; with their proportional shares only if asked, for that costs more.
    fn mappings(&mut self, proportional: bool) -> Result<Vec<MappingRecord>, Fault>;
    /// The threads of the target.
    fn threads(&mut self) -> Result<Vec<ThreadRecord>, Fault>;
    /// The modules of the target.
    fn modules(&mut self) -> Result<Vec<ModuleRecord>, Fault>;
}
