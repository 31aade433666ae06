//! From a main file to a program that can run.

use std::collections::BTreeMap;

use crate::diagnostics::Diagnostic;
use crate::hir::OptionValue;
use crate::source::{Loader, SourceFile, SourceMap};
use crate::target::Target;

/// Candidates chosen for `_layout` groups by name. A group that is not in the map takes the
/// target's debug information if that has every record of the group's first candidate complete,
/// else its first candidate.
pub type LayoutChoices = BTreeMap<String, String>;

/// What is compiled, and against what.
pub struct Request<'a> {
    /// The main file.
    pub main: SourceFile,
    /// Loads includes.
    pub loader: &'a mut dyn Loader,
    /// The target, or `None` for checks without one.
    pub target: Option<&'a mut dyn Target>,
    /// Candidates for `_layout` groups.
    pub layouts: LayoutChoices,
    /// `#define`s from the command line.
    pub defines: Vec<(String, String)>,
    /// The words after `--` on the command line (`--depth`, `8`, `--show-keys`, `--vm=http`).
    pub arguments: Vec<String>,
}

/// A program with its sources and its warnings.
#[derive(Debug)]
pub struct Compiled {
    /// The typed program.
    pub typed: crate::hir::Program,
    /// The lowered program.
    pub program: crate::ir::Program,
    /// The source text, for diagnostics.
    pub sources: SourceMap,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
}

/// Why a program could not be compiled.
#[derive(Debug)]
pub enum CompileError {
    /// The text is wrong; errors and warnings, with the sources to show them.
    Source(Vec<Diagnostic>, SourceMap),
    /// The words after `--` are wrong: a message, and a hint.
    Arguments(String, Option<String>),
    /// `--help` stands after `--`: the options of the script, to be listed.
    Help(Vec<OptionHelp>),
}

/// One option of a script, for its `--help`.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionHelp {
    /// The name as typed on the command line, with hyphens.
    pub name: String,
    /// What it takes: empty for a switch, else `N`, `X`, `TEXT`.
    pub value: &'static str,
    /// The default.
    pub default: OptionValue,
    /// The `///` text.
    pub documentation: Option<String>,
}
