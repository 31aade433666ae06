//! Machine code for typed programs.
//!
//! [`CompiledProgram::compile`] turns the functions of a program that its initializer, probes
//! and validators reach into native code (cranelift), and [`Jit`] runs them. The result of every
//! run — value, fault, place, call chain, steps — is the one that the reference interpreter
//! gives; only the time differs.
//!
//! # How compiled code works
//!
//! - **Convention.** Every function takes a pointer to a [`context::Context`], the address of its
//!   frame slots, what is left of the stack budget, and its parameters. It returns a status
//!   (0: it returned, 1: it faulted) and the bits of its result. A caller tests the status and
//!   either goes to the block that catches or leaves as well, so no unwinding is needed.
//! - **The target's memory** is read through an inline look-up in a direct-mapped cache of page
//!   copies ([`memory_access`]); misses, reads across pages and unaligned reads take a helper.
//! - **Frame slots** live on a stack of their own, not on the native one. Each use of a frame
//!   address is checked against that stack's bounds, each use of a row against the row's length,
//!   and each indexed use of a slot or of the globals against their size, so that even a defect
//!   in the lowering cannot reach memory that is not the program's.
//! - **Operations** are calls of helpers ([`helpers`]), which catch panics.
//!
//! Invariants: code pages are never writable and executable at once; no processes, no printing.

pub mod compile;
pub mod context;
pub mod error;
pub mod executor;
pub mod helpers;
pub mod memory_access;
mod translate;
mod verify;

pub use compile::{CompiledProgram, Options};
pub use error::CompileError;
pub use executor::Jit;
