//! From text to a syntax tree: the whole way with its error recovery.
//!
//! The preprocessed terminals are split into top-level items, brackets that do not match are
//! reported and repaired, and each item is parsed on its own. When a statement is wrong, it is
//! reported, replaced by an error statement, and the item is parsed again, so that one run shows
//! several errors.

mod attributes;
mod forgotten;
mod items;
mod messages;
mod recovery;
mod storage;

use std::collections::HashSet;

use crate::ast::{Item, ItemKind, Unit};
use crate::compile::LayoutChoices;
use crate::diagnostics::{Diagnostic, Severity, Topic};
use crate::lexer::Token;
use crate::preprocess::{self, Preprocessed};
use crate::source::{FileId, Loader, SourceFile, SourceMap, Span};
use crate::target::{ModuleId, Target};
use crate::terminal;

pub(crate) use messages::POINTS;

pub use crate::preprocess::{Expansion, Expansions};

/// Errors beyond this number are not reported.
pub const MAX_ERRORS: usize = 20;

/// The greatest depth of a syntax tree; deeper text is an error. Passes over the tree may recurse.
pub const MAX_DEPTH: usize = items::MAX_DEPTH;

/// What `_module` says in one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileScope {
    /// Where the file's `_module` line stands, if it has one.
    pub line: Option<Span>,
    /// The module that it chose. `None` with a `line` and a target means that none of the
    /// modules is loaded.
    pub module: Option<ModuleId>,
}

/// A parsed program.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The tree: items of the main file and of what it includes.
    pub unit: Unit,
    /// All files that were read, the main one first.
    pub sources: SourceMap,
    /// The `///` text at the top of the main file, which describes the program.
    pub documentation: Option<String>,
    /// What `_module` says in each file, by [`FileId`].
    pub scopes: Vec<FileScope>,
    /// Errors and warnings, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// Where macros were used.
    pub expansions: Expansions,
    /// Without a target: in how many rounds each arm of each `##if…` has its turn, so that a check can go through them; else 0.
    pub arms: usize,
    /// Whether there are arms that have their turn in none of these: of files whose names macros give.
    pub arms_hidden: bool,
}

/// The most rounds that are worth their time: of more arms the rest is left out, which is to be told.
pub const MOST_ROUNDS: usize = 64;

impl Parsed {
    /// Whether the program cannot run.
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether text is missing, such as a file that is not there: what is wrong besides may come from that, and is not told.
    pub fn lacks_text(&self) -> bool {
        lacks_text(&self.diagnostics)
    }

    /// What `_module` says in a file.
    pub fn scope(&self, file: FileId) -> FileScope {
        self.scopes
            .get(file.0 as usize)
            .copied()
            .unwrap_or_default()
    }
}

/// Parses a program. Without a target the first arm of every `##if…` is taken.
///
/// Never fails: what is wrong is in the diagnostics, and the tree holds what could be read.
pub fn parse(
    main: SourceFile,
    loader: &mut dyn Loader,
    target: Option<&mut dyn Target>,
    layouts: &LayoutChoices,
    defines: &[(String, String)],
) -> Parsed {
    parse_arm(main, loader, target, layouts, defines, 0)
}

/// As [`parse`]; without a target the arms of each `##if…` are taken whose turn it is in the round `arm`, from 0. See
/// [`Parsed::arms`].
pub fn parse_arm(
    main: SourceFile,
    loader: &mut dyn Loader,
    target: Option<&mut dyn Target>,
    layouts: &LayoutChoices,
    defines: &[(String, String)],
    arm: usize,
) -> Parsed {
    let Preprocessed {
        tokens,
        sources,
        scopes,
        mut diagnostics,
        expansions,
        mut layouts,
        mut typedefs,
        arms,
        arms_hidden,
        documentation,
    } = preprocess::preprocess(main, loader, target, layouts, defines, arm);
    let mut items = parse_tokens(tokens, &mut typedefs, &mut diagnostics);
    for item in &mut items {
        if let ItemKind::Layout(layout) = &mut item.kind
            && let Some(settled) = layouts.remove(&layout.name.span)
        {
            *layout = settled;
        }
    }
    diagnostics.sort_by_key(|diagnostic| {
        let span = diagnostic.primary.0;
        (span.file, span.start)
    });
    limit(&mut diagnostics);
    Parsed {
        unit: Unit { items },
        sources,
        documentation,
        scopes,
        diagnostics,
        expansions,
        arms,
        arms_hidden,
    }
}

fn lacks_text(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| {
        diagnostic.topic == Topic::Missing && diagnostic.severity == Severity::Error
    })
}

/// Parses preprocessed tokens. `typedefs` holds the type names that the script has declared so
/// far and receives new ones.
pub(crate) fn parse_tokens(
    tokens: Vec<Token>,
    typedefs: &mut HashSet<String>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Item> {
    let mut lexemes = terminal::terminals(tokens, diagnostics);
    forgotten::mend(&mut lexemes, diagnostics);
    // What follows from missing text would hide the cause.
    let told = lacks_text(diagnostics).then_some(diagnostics.len());
    let mut result = Vec::new();
    for raw in items::split(lexemes, diagnostics) {
        let span = raw.span();
        let is_extern = storage::is_extern(&raw.lexemes);
        storage::warn_of_static(&raw.lexemes, diagnostics);
        let weak = raw.lexemes.iter().any(|lexeme| lexeme.weak);
        let late = storage::late(&raw.lexemes);
        if let Some(mut kind) = recovery::parse_item(raw.lexemes, typedefs, diagnostics) {
            if let ItemKind::Function(function) = &mut kind {
                function.weak = weak;
                function.late = late.is_some();
            } else if let Some(span) = late {
                diagnostics.push(
                    Diagnostic::error(span, "`_late` belongs before a function", "this is none")
                        .with_help("what a `_late` function reads is read when the handler runs"),
                );
            }
            // It declares what the target has: there is nothing to define.
            if is_extern && storage::declares_only(&kind) {
                continue;
            }
            result.push(Item {
                documentation: raw.documentation,
                kind,
                span,
            });
        }
    }
    if let Some(told) = told {
        diagnostics.truncate(told);
    }
    result
}

/// Keeps the list of errors readable: one for each place, [`MAX_ERRORS`] in all.
fn limit(diagnostics: &mut Vec<Diagnostic>) {
    let mut seen = HashSet::new();
    let mut errors = 0usize;
    let mut dropped = 0usize;
    diagnostics.retain(|diagnostic| {
        if diagnostic.severity != Severity::Error {
            return true;
        }
        let span = diagnostic.primary.0;
        if !seen.insert((span.file, span.start)) {
            return false;
        }
        errors += 1;
        dropped += usize::from(errors > MAX_ERRORS);
        errors <= MAX_ERRORS
    });
    if dropped > 0
        && let Some(last) = diagnostics
            .iter_mut()
            .rev()
            .find(|diagnostic| diagnostic.severity == Severity::Error)
    {
        let note = format!("{dropped} more errors are not shown");
        last.help = Some(match last.help.take() {
            Some(help) => format!("{help}; {note}"),
            None => note,
        });
    }
}
