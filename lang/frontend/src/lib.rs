//! From probe text to a typed program.
//!
//! The way: [`source`] → lexer → preprocessor → classifier → grammar → [`ast`] → checker →
//! [`hir`] → lowering → [`ir`] → executor. Parsing needs no target and never panics. The target
//! comes in through [`target`], its memory through [`ytrace_values::Memory`], files through
//! [`source::Loader`].
#![forbid(unsafe_code)]

pub mod abi;
pub mod ast;
pub mod capture;
pub mod check;
mod classify;
pub mod compile;
pub mod diagnostics;
pub mod document;
pub mod dump;
pub mod execute;
pub mod flat;
pub mod format;
pub mod fragment;
mod grammar_actions;
pub mod hir;
pub mod interpret;
pub mod ir;
mod lexer;
mod lexer_literals;
pub mod lower;
pub mod parse;
mod preprocess;
pub mod render;
pub mod source;
pub mod target;
mod terminal;
pub mod testing;
pub mod types;
pub mod verify;

lalrpop_util::lalrpop_mod!(
    #[allow(missing_docs, unused, clippy::all, clippy::pedantic)]
    grammar
);
