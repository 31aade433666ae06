//! Where probes go: which places of a module's code stand for a function, a line or a static probe, and what a probe costs there.
//!
//! Nothing here runs or changes anything: all is read from the module's file and its debug information.

pub(crate) mod facts;
pub(crate) mod functions;
mod indirect;
pub(crate) mod inlined;
pub(crate) mod instruction;
pub(crate) mod lines;
pub(crate) mod operand;
pub(crate) mod place;
pub(crate) mod usdt;
