//! From probe text to a typed program.
//!
//! The way: [`source`] → lexer → preprocessor → classifier → grammar → [`ast`] → checker →
//! [`hir`] → lowering → [`ir`] → executor. Parsing needs no target and never panics. The target
//! comes in through [`target`], its memory through [`ytrace_values::Memory`], files through
//! [`source::Loader`].
#![forbid(unsafe_code)]

pub mod ast;
pub mod compile;
pub mod diagnostics;
pub mod execute;
pub mod flat;
pub mod hir;
pub mod ir;
pub mod source;
pub mod target;
pub mod types;
