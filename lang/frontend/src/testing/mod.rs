//! Doubles of the outside world, and the runner of filetests.
//!
//! For tests of this crate and of other executors; nothing here is used by a run on a target.

pub mod filetest;
pub mod page;
pub mod world;
