//! A program's address space behind one trait.
//!
//! [`Process`] names a live process and tells facts about it; [`LiveMemory`] reads its memory while it runs;
//! [`PausedProcess`] holds it still; [`copy_ranges`] stops it for as long as a copy takes and gives a [`PausedCopy`].
//! [`CoreFile`] and [`CoreMemory`] do the same for a process that has left a core file.
//! All of these are read through [`AddressSpace`], and [`PageCache`] turns any of them into stable local pages.
//!
//! Reading must not change the target. A page that its page table shows absent is never touched through the target:
//! anonymous ones are zeros, those of files and shared memory are read from the file behind the mapping, those on swap
//! are read only on request. What a death of this program at each instant leaves behind is told in [`stop`].
//!
//! The crate knows nothing of debug information and nothing of the probe language.

mod access;
pub mod breakpoints;
mod budget;
mod buffer;
mod cache;
mod cgroup;
mod copy;
mod core;
mod error;
pub mod events;
mod facts;
mod live;
mod machine;
mod maps;
mod memory;
mod modules;
mod plan;
mod presence;
mod process;
mod ptrace;
mod registers;
mod remote;
pub mod scheduling;
pub mod spawn;
pub mod stop;
mod sys;
mod tasks;
mod usage;

pub use self::core::{
    CoreError, CoreFile, CoreMemory, CoreModuleError, CoreModuleFile, CoreOptions, Opening,
    Unpacking,
};
pub use access::DenialCause;
pub use budget::{MemoryHeadroom, memory_headroom};
pub use buffer::Page;
pub use cache::{CacheOptions, PageCache};
pub use cgroup::CgroupFigure;
pub use copy::{CopyOptions, HeldCopy, PausedCopy, copy_ranges};
pub use error::{CopyError, OpenError, ReadError, StopError};
pub use facts::{ProcessFacts, ProcessSummary, list_processes};
pub use live::{LiveMemory, LiveOptions};
pub use machine::{Capability, Machine};
pub use maps::{Mapping, MappingKind, Maps, Permissions};
pub use memory::{AddressSpace, Counters, PageOutcome};
pub use modules::{Module, ModuleFile, ModuleFileSource, ModuleKind, link_map_notifier};
pub use plan::{CopyPlan, plan_copy};
pub use presence::{PageState, PageTable, PresenceRun, Residency};
pub use process::Process;
pub use registers::{Registers, ThreadSnapshot};
pub use spawn::{Held, SpawnError, SpawnedTarget, spawn, spawn_held};
pub use stop::{PauseReport, PausedProcess, StopOptions, Stopper, TRACER_NAME};
pub use sys::{ProcessorTimes, monotonic_ns, processor_time, processor_times, tick};
pub use usage::{MappingUsage, MemoryUsage, field_bytes};
