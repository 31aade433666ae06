//! The session: joins the language to a target.
//!
//! Modes, budgets, probe points, the library that ships with ytrace, and the adapters that make
//! debug information and address spaces what the language's seams ask for.

pub mod library;
pub mod names;
pub mod options;
