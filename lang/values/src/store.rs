//! The memory of a running program.

use std::sync::Arc;

use crate::constants::Constants;

/// Limits on what a program may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tracer memory for strings, paths, tables and arrays, in bytes.
    pub memory: u64,
    /// Output of `printf` and its like, in bytes.
    pub output: u64,
    /// The longest string taken from the target, in bytes (`--max-string`).
    pub string: u64,
}

/// Globals, strings, paths and containers of one program.
#[derive(Debug)]
pub struct Store {
    /// The program's tables.
    pub constants: Arc<Constants>,
    /// The bytes of the global variables, laid out by the compiler. Starts as zeros.
    pub globals: Vec<u8>,
    /// What it may use.
    pub limits: Limits,
}

impl Store {
    /// A fresh store: zeroed globals, no containers.
    pub fn new(constants: Arc<Constants>, limits: Limits) -> Self {
        let globals = vec![0; constants.globals_size as usize];
        Self {
            constants,
            globals,
            limits,
        }
    }

    /// The handle of string literal `index`.
    pub fn literal(&self, index: u32) -> Option<u64> {
        let _ = index;
        None
    }

    /// The bytes of a row that an operation gave: key words, then the value.
    ///
    /// A row is opaque; it stays valid until the next operation on any container.
    pub fn row(&self, container: u64, row: u64) -> Option<&[u8]> {
        let _ = (container, row);
        None
    }

    /// The same, for writing.
    pub fn row_mut(&mut self, container: u64, row: u64) -> Option<&mut [u8]> {
        let _ = (container, row);
        None
    }
}
