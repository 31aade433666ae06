//! The session: joins the language to a target.
//!
//! Modes, budgets, probe points, the library that ships with ytrace, and the adapters that make
//! debug information and address spaces what the language's seams ask for.

pub mod audit;
mod compiling;
mod copying;
pub mod core;
pub mod doctor;
pub mod error;
pub mod events;
mod figures;
pub mod host;
pub mod identity;
pub mod interactive;
pub mod interrupt;
mod left_behind;
pub mod library;
pub mod listing;
mod memory;
mod modes;
mod moment;
pub mod names;
pub mod options;
pub mod packages;
mod program;
pub mod result;
mod schedule;
pub mod series;
pub mod session;
pub mod target;
mod trusted;
pub mod types;
pub mod views;
mod when;
mod writers;

pub use error::SessionError;
pub use host::Sink;
pub use options::{Budgets, ExecutorKind, Mode, Options, When};
pub use result::RunResult;
pub use session::{Finding, Finished, Session};
pub use ytrace_debuginfo::{Debuginfod, Progress, ServersError};
