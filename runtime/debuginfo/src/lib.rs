//! Debug information of ELF files: which types, variables and functions a module has, where they are, and what an address means.
//!
//! A [`Loader`] opens [`Module`]s. A module knows its segments and symbols, finds its separate debug information, and answers
//! questions by name or by address. Nothing is read before it is asked for; names are looked up in an index that is built once and
//! kept on disk.
//!
//! This crate knows nothing of processes: addresses are those of the file (svma). The caller adds the load bias, decides which
//! modules there are and in which order they are searched, and gives access to files through a [`FileProvider`].
//!
//! Every file may be hostile. No input makes this crate panic, recurse without bound, or allocate out of proportion to its size.
#![deny(unsafe_code)]

mod arguments;
mod code;
mod compress;
mod debuginfod;
mod demangle;
mod dwarf;
mod elf;
mod error;
mod files;
mod fit;
mod index;
mod layout;
mod locate;
mod lookup;
mod macros;
mod mapping;
mod module;
mod objects;
mod perf_map;
mod suggest;
mod symbolize;
mod symtab;
mod typefile;
mod types;
mod unwind;

pub use arguments::{ParameterPlace, ParameterPlaces};
pub use code::functions::{Body, CopiedFunction, ProbeFunction};
pub use code::inlined::InlinedCopy;
pub use code::instruction::KernelRules;
pub use code::lines::{LinePlace, LinePlaces};
pub use code::operand::{MachineRegister, Operand, StaticArgument};
pub use code::place::{Refusal, Serves, Site, SiteKind};
pub use code::usdt::{Semaphore, StaticProbe, StaticProbes};
pub use debuginfod::{Debuginfod, Progress, ServersError, Watcher};
pub use elf::{Section, Segment, ThreadLocalSegment};
pub use error::{Candidate, Error, Result};
pub use files::{FileProvider, HostFiles};
pub use index::IndexSource;
pub use locate::{Attempt, DebugRoot, DebugSource, DebugStatus, Found, Outcome, Supplementary};
pub use macros::MacroDefinition;
pub use mapping::SharedBytes;
pub use module::{Loader, Module};
pub use objects::{Function, Location, Origin, Parameter, Variable};
pub use perf_map::PerfMap;
pub use suggest::closest;
pub use symbolize::{CodeSymbol, DataSymbol, InlinedFrame, SourceLocation};
pub use symtab::{Symbol, SymbolKind, SymbolTableKind};
pub use typefile::{Extracted, TypesFile};
pub use types::{
    Aggregate, BaseEncoding, Bitfield, EnumType, Enumerator, Field, FieldRole, NameKind, TypeDesc,
    TypeRef,
};
pub use unwind::{
    Caller, CapturedStack, CodeMap, Cut, MAX_FRAMES, MappedModule, Part, REGISTERS, Stack,
    ThreadState, Unwinder,
};
