//! Generated programs as source text. See `source_differential.rs`.

pub mod against_c;
pub mod choices;
mod composites;
pub mod coverage;
mod expressions;
mod places;
pub mod program;
pub mod run;
mod statements;
pub mod types;
