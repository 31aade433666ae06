//! What probe programs compute with.
//!
//! Strings, paths, tables, arrays, aggregates, formatted output, faults and the memory budget.
//! The reference interpreter and the compiled code both work on a [`Store`] through a
//! [`Machine`], so an operation has one implementation and one meaning.
//!
//! Invariants: no `unsafe`; nothing here knows of syntax, processes or files. Memory of the
//! target comes in through [`Memory`], everything else of the outside world through [`Host`].
#![forbid(unsafe_code)]

mod account;
mod aggregate;
mod array;
mod captured;
pub mod constants;
mod containers;
mod elements;
pub mod escape;
pub mod fault;
pub mod floats;
mod format;
mod histogram;
pub mod host;
mod index;
mod iterator;
pub mod machine;
pub mod memory;
mod numbers;
pub mod operation;
mod paths;
mod reading;
pub mod regexes;
pub mod show;
mod show_container;
pub mod store;
mod strings;
mod table;
mod target_bytes;
mod text;
mod typed;
pub mod units;
mod wide;

pub use aggregate::{AggregateSummary, AggregateUpdate, LinearCounts};
pub use captured::{CapturedMemory, LateMemory};
pub use constants::Constants;
pub use fault::{Fault, FaultKind};
pub use histogram::{HistogramRow, Steps, bad_steps, rows_of_steps};
pub use host::Host;
pub use iterator::SortKind;
pub use machine::Machine;
pub use memory::{Memory, Page};
pub use operation::Operation;
pub use paths::FrameWord;
pub use reading::Value;
pub use store::{Caught, Frame, Limits, OwnPart, Store};
