//! Results of a session to terminal text, SVG, HTML, folded stacks, profiles for pprof and speedscope, and JSON, as a document or line by line.
//!
//! A [`Report`] holds what a session found, in plain data: lines of a header, views, checks,
//! and what a reader must know to trust them. [`text::render`] shows it on a terminal,
//! [`output::render`] turns it into the bytes of a file whose ending chooses the format.
//!
//! Invariants: nothing here knows of processes or of the language; every string may come from
//! a hostile target, so it is escaped on its way into each format; what was left out is counted
//! and said.
#![forbid(unsafe_code)]

mod chart;
mod columns;
pub mod difference;
mod difference_text;
mod flame_text;
pub mod folded;
mod heapmap;
mod heapmap_text;
mod histogram_text;
mod html;
pub mod json;
mod markup;
pub mod model;
pub mod ndjson;
pub mod outline;
pub mod output;
pub mod pprof;
mod series_text;
pub mod speedscope;
pub mod svg;
mod table_text;
pub mod text;
mod tree;

pub use difference::{DifferenceError, Earlier};
pub use model::{
    Bars, Cell, Change, Check, Column, Compared, Difference, Distribution, Fault, Flamegraph,
    Footer, Heapmap, Histogram, Hits, Line, Region, Report, Sample, Series, Table, Unit, View,
    ViewData,
};
pub use output::{Output, OutputError, check_output, left_out, render, write_output};
pub use ytrace_values::{Value, escape, units};
