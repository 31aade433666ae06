//! Events of a process that never stop it: probes at instructions, at returns of functions, at page faults, by the clock.
//!
//! A [`Probe`] is a [`Source`] and a [`HitProgram`], a plan of what is to be done at each hit: capture memory, filter, sample,
//! update tables, send a record. The plan runs in the kernel, on the thread that is hit; records come through a ring
//! buffer, and what finds no room there is counted. The kernel removes all probes when this program ends, however it ends.
//!
//! An [`EventSession`] has the probes of one process: [`EventSession::add_table`], [`EventSession::attach`],
//! [`EventSession::poll`], [`EventSession::totals`], [`EventSession::rows`]. Dropping it removes the probes.
//!
//! Where the kernel takes no programs, [`EventSession`] probes by `perf_event_open` alone (`sampled/`), and carries plans out itself.

mod assemble;
mod attach;
mod attached;
mod btf;
mod check;
mod compile;
mod cost;
mod counters;
mod error;
mod facilities;
mod kernel;
mod layout;
mod numbers;
pub(crate) mod perf;
mod program;
mod record;
mod ring;
mod rows;
mod sampled;
mod saved;
mod self_test;
mod session;
mod settings;
mod shield;
mod table;
mod table_trials;
mod tier;
mod tops;

pub use cost::HitCost;
pub use error::{EventError, PlanError};
pub use facilities::{EventDenial, Facilities, kernel_tables};
pub use program::*;
pub use record::{Captured, Record};
pub use sampled::Rings;
pub use session::*;
pub use table::{Bucket, TableId, TableKind, TableRow, TableSpec};
pub use table_trials::clock_tables;
pub use tier::{Copied, Copies, EventSession, EventTier, LateThreads};
pub use tops::StackEnd;
