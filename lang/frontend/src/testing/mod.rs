//! Doubles of the outside world, the runner of filetests, and what fuzzers call.
//!
//! For tests of this crate and of other executors; nothing here is used by a run on a target.

pub mod filetest;
pub mod fuzzing;
mod hits;
pub mod mutation;
pub mod page;
pub mod world;
