//! What probe programs compute with.
//!
//! Strings, paths, tables, arrays, aggregates, formatted output, faults and the memory budget.
//! The reference interpreter and the compiled code both work on a [`Store`] through a
//! [`Machine`], so an operation has one implementation and one meaning.
//!
//! Invariants: no `unsafe`; nothing here knows of syntax, processes or files. Memory of the
//! target comes in through [`Memory`], everything else of the outside world through [`Host`].
#![forbid(unsafe_code)]

pub mod constants;
pub mod fault;
pub mod host;
pub mod machine;
pub mod memory;
pub mod operation;
pub mod store;

pub use constants::Constants;
pub use fault::{Fault, FaultKind};
pub use host::Host;
pub use machine::Machine;
pub use memory::{Memory, Page};
pub use operation::Operation;
pub use store::{Limits, Store};
