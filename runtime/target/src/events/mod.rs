//! Events of a process that never stop it: probes at instructions, at returns of functions, at page faults, by the clock.
//!
//! A [`Probe`] is a [`Source`] and a [`HitProgram`], a plan of what is to be done at each hit: capture memory, filter, sample,
//! update tables, send a record. The plan runs in the kernel, on the thread that is hit; records come through a ring
//! buffer, and what finds no room there is counted. The kernel removes all probes when this program ends, however it ends.

#![allow(dead_code)]

mod check;
mod error;
mod facilities;
mod layout;
mod program;
mod record;
mod session;
mod table;

pub use error::{EventError, PlanError};
pub use facilities::{EventDenial, Facilities};
pub use program::*;
pub use record::{Captured, Record};
pub use session::*;
pub use table::{Power, TableId, TableKind, TableRow, TableSpec};
