//! The preprocessor: includes, macros, and conditions on the target.

use std::collections::HashMap;

use crate::compile::LayoutChoices;
use crate::diagnostics::Diagnostic;
use crate::lexer::{self, Interner, Token};
use crate::parse::FileScope;
use crate::source::{Loader, SourceFile, SourceMap, Span};
use crate::target::Target;

/// One use of a macro.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// The macro.
    pub name: String,
    /// Where it is defined; `None` for one from the command line or built in.
    pub definition: Option<Span>,
}

/// Where macros were used: by the span of the name at the use, the macros that were expanded
/// there, the outermost first.
#[derive(Clone, Debug, Default)]
pub struct Expansions {
    uses: HashMap<Span, Vec<Expansion>>,
}

/// What the preprocessor gives.
pub struct Preprocessed {
    pub tokens: Vec<Token>,
    pub sources: SourceMap,
    pub scopes: Vec<FileScope>,
    pub diagnostics: Vec<Diagnostic>,
    pub expansions: Expansions,
    /// The candidate in use of each `_layout` group.
    pub layouts: HashMap<String, Option<usize>>,
    pub arms: usize,
    pub documentation: Option<String>,
}

pub fn preprocess(
    main: SourceFile,
    _loader: &mut dyn Loader,
    _target: Option<&mut dyn Target>,
    _choices: &LayoutChoices,
    _defines: &[(String, String)],
    _arm: usize,
) -> Preprocessed {
    let mut sources = SourceMap::default();
    let text = main.text.clone();
    let file = sources.add(main);
    let mut diagnostics = Vec::new();
    let tokens = lexer::lex(file, &text, &mut Interner::default(), &mut diagnostics);
    Preprocessed {
        tokens,
        sources,
        scopes: Vec::new(),
        diagnostics,
        expansions: Expansions::default(),
        layouts: HashMap::new(),
        arms: 0,
        documentation: None,
    }
}
