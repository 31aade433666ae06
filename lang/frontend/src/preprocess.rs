//! The preprocessor: includes, macros, and conditions on the target.
//!
//! Works on tokens. A file is cut at its directive lines; the text between two of them is expanded
//! as a whole, so that the arguments of a macro may span lines but not directives.
//!
//! `_module` lines and `_layout` groups take effect here, because the conditions that follow them
//! depend on what they choose.

mod arms;
mod candidates;
mod condition;
mod directives;
mod layout;
mod macros;
mod target;
mod target_macros;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::ast::Layout;
use crate::compile::LayoutChoices;
use crate::diagnostics::{Diagnostic, Topic};
use crate::lexer::{self, Interner, Token, TokenKind};
use crate::parse::FileScope;
use crate::source::{FileId, Loader, SourceFile, SourceMap, Span};
use crate::target::Target;

/// Files that may include one another in a row.
const MAX_INCLUDE_DEPTH: usize = 64;

/// Files of a program.
const MAX_FILES: usize = 2_000;

/// One use of a macro.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// The macro.
    pub name: String,
    /// Where it is defined; `None` for one that is built in or the target's.
    pub definition: Option<Span>,
    /// Where the target's source defines it, as file and line, for one that its debug information has.
    pub place: Option<String>,
}

/// Where macros were used.
///
/// A token out of a macro carries the span of the macro's name at its use in a file, and the number of the chain of macros
/// that it came through, which stands here. An argument that is written in a file carries its own place.
#[derive(Clone, Debug, Default)]
pub struct Expansions {
    /// Chains, numbered from 1: that of the macro's name, and the macro.
    chains: Vec<(u32, Expansion)>,
    /// The numbers of chains by that of the macro's name and the number of the macro.
    known: HashMap<(u32, u32), u32>,
    /// The macros in force at the end, in order of their names.
    names: Vec<String>,
}

impl Expansions {
    /// The macros that the start of a span came through, the outermost first, without those in the middle of a long chain;
    /// empty where the text is as written.
    pub fn at(&self, span: Span) -> Vec<&Expansion> {
        let mut chain = Vec::new();
        let mut next = span.expansion;
        while let Some((outer, expansion)) = self.chain(next) {
            chain.push(expansion);
            next = *outer;
        }
        chain.reverse();
        if chain.len() > 2 * Self::ENDS {
            chain.drain(Self::ENDS..chain.len() - Self::ENDS);
        }
        chain
    }

    /// The macros that the program defines and does not take back, in order of their names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Of a longer chain than two of these, so many macros at either end are shown: the others help nobody.
    const ENDS: usize = 4;

    fn chain(&self, number: u32) -> Option<&(u32, Expansion)> {
        self.chains.get((number as usize).checked_sub(1)?)
    }

    /// The chain `outer`, gone on by the macro with a number.
    fn through(&mut self, outer: u32, id: u32, expansion: impl FnOnce() -> Expansion) -> u32 {
        let next = u32::try_from(self.chains.len() + 1).unwrap_or(u32::MAX);
        *self.known.entry((outer, id)).or_insert_with(|| {
            // The number of an outer chain is smaller, so no chain is endless.
            self.chains.push((outer, expansion()));
            next
        })
    }
}

/// What the preprocessor gives.
pub struct Preprocessed {
    /// The tokens of the program.
    pub tokens: Vec<Token>,
    /// The files that were read.
    pub sources: SourceMap,
    /// What `_module` says in each.
    pub scopes: Vec<FileScope>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// Where macros were used.
    pub expansions: Expansions,
    /// The `_layout` groups, by the span of their names. In the tokens they have no candidates.
    pub layouts: HashMap<Span, Layout>,
    /// The type names that they declare.
    pub typedefs: HashSet<String>,
    /// Without a target: in how many rounds each arm of each `##if…` has its turn.
    pub arms: usize,
    /// Whether there are arms that have their turn in none of these.
    pub arms_hidden: bool,
    /// The `///` text at the top of the main file.
    pub documentation: Option<String>,
}

/// Preprocesses a program. Without a target, the arms of each `##if…` are taken whose turn it is in the round `arm`.
pub fn preprocess(
    main: SourceFile,
    loader: &mut dyn Loader,
    target: Option<&mut dyn Target>,
    choices: &LayoutChoices,
    defines: &[(String, String)],
    arm: usize,
) -> Preprocessed {
    let mut preprocessor = Preprocessor {
        loader,
        target,
        choices,
        turn: arms::Turn::outermost(arm),
        interner: Interner::default(),
        sources: SourceMap::default(),
        scopes: Vec::new(),
        diagnostics: Vec::new(),
        macros: macros::Macros::default(),
        target_macros: target_macros::TargetMacros::default(),
        expansions: Expansions::default(),
        included: HashSet::new(),
        depth: 0,
        output: Vec::new(),
        watch: Watch::None,
        layouts: HashMap::new(),
        typedefs: HashSet::new(),
        declared: target::Declared::default(),
        arms: 0,
        arms_hidden: false,
        counted: HashMap::new(),
        counting: 0,
        documentation: None,
        lines: HashMap::new(),
    };
    preprocessor.run(main, defines);
    preprocessor.expansions.names = preprocessor.macros.names();
    Preprocessed {
        tokens: preprocessor.output,
        sources: preprocessor.sources,
        scopes: preprocessor.scopes,
        diagnostics: preprocessor.diagnostics,
        expansions: preprocessor.expansions,
        layouts: preprocessor.layouts,
        typedefs: preprocessor.typedefs,
        arms: preprocessor.arms,
        arms_hidden: preprocessor.arms_hidden,
        documentation: preprocessor.documentation,
    }
}

/// What the output is inside of.
#[derive(Clone, Copy, Debug)]
enum Watch {
    None,
    /// A `_module` line that started at this index of the output.
    Module(usize),
    /// A `_layout` group that started at this index of the output, and its open braces.
    Layout(usize, usize),
}

struct Preprocessor<'l, 't, 'c> {
    loader: &'l mut dyn Loader,
    target: Option<&'t mut dyn Target>,
    choices: &'c LayoutChoices,
    /// Without a target: which arms are taken where the text stands that is read.
    turn: arms::Turn,
    interner: Interner,
    sources: SourceMap,
    scopes: Vec<FileScope>,
    diagnostics: Vec<Diagnostic>,
    macros: macros::Macros,
    target_macros: target_macros::TargetMacros,
    expansions: Expansions,
    /// Canonical names of the files that were included.
    included: HashSet<String>,
    depth: usize,
    output: Vec<Token>,
    watch: Watch,
    layouts: HashMap<Span, Layout>,
    typedefs: HashSet<String>,
    /// The types of the layouts in use.
    declared: target::Declared,
    arms: usize,
    arms_hidden: bool,
    /// The rounds that files need, by their names, and how many files are being counted that include one another.
    counted: HashMap<String, usize>,
    counting: usize,
    documentation: Option<String>,
    /// Offsets of the line starts of a file, once `__LINE__` asked for them.
    lines: HashMap<FileId, Rc<[u32]>>,
}

impl Preprocessor<'_, '_, '_> {
    fn run(&mut self, main: SourceFile, defines: &[(String, String)]) {
        self.included.insert(main.name.clone());
        let main_id = self.add_file(main);
        for (name, value) in [
            ("__YTRACE__", "1"),
            ("__linux__", "1"),
            ("__x86_64__", "1"),
            ("__LP64__", "1"),
        ] {
            self.define_built_in(name, value);
        }
        if !defines.is_empty() {
            let text: String = defines
                .iter()
                .map(|(name, value)| format!("#define {name} {}\n", value.replace('\n', " ")))
                .collect();
            let file = self.add_file(SourceFile {
                name: "<command line>".to_owned(),
                text: text.into(),
                library: false,
            });
            self.file(file);
        }
        self.file(main_id);
    }

    fn add_file(&mut self, file: SourceFile) -> FileId {
        let id = self.sources.add(file);
        self.scopes.push(FileScope::default());
        id
    }

    fn text(&self, file: FileId) -> std::sync::Arc<str> {
        self.sources
            .get(file)
            .map(|file| file.text.clone())
            .unwrap_or_default()
    }

    fn error(&mut self, span: Span, message: impl Into<String>, label: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::error(span, message, label));
    }

    /// Preprocesses one file.
    fn file(&mut self, file: FileId) {
        let text = self.text(file);
        let mut tokens = lexer::lex(file, &text, &mut self.interner, &mut self.diagnostics);
        if file == FileId(0) {
            self.take_documentation(&text, &mut tokens);
        }
        if self.target.is_some() {
            self.target_macros.note_declarations(file, &tokens);
        }
        let needs = match self.target {
            None => {
                let name = self.sources.get(file).map(|file| file.name.clone());
                self.count_rounds(&text, &tokens, &name.unwrap_or_default(), false)
            }
            Some(_) => arms::Needs::default(),
        };
        self.arms = self.arms.max(needs.rounds);
        // As where a macro gives the name of the file, which is not known when rounds are counted.
        self.arms_hidden |= needs.rounds > self.turn.rounds;
        let mut conditions: Vec<directives::Condition> = Vec::new();
        let mut index = 0;
        while let Some(token) = tokens.get(index) {
            let directive = directives::is_directive(token);
            // A directive ends at the end of its line, text at the next directive.
            let length = tokens
                .get(index + 1..)
                .unwrap_or_default()
                .iter()
                .position(|next| next.first && (directive || directives::is_directive(next)));
            let mut end = length.map_or(tokens.len(), |length| index + 1 + length);
            if !directive && let Some(length) = module_line(tokens.get(index..end)) {
                // What follows is expanded with the macros of the module that the line chooses.
                end = index + length;
            }
            let part = tokens.get(index..end).unwrap_or_default();
            if directive {
                let needs = needs.arms.get(&index).map(Vec::as_slice);
                self.directive(&text, part, &mut conditions, needs);
            } else if conditions.last().is_none_or(|condition| condition.active) {
                // What documents a directive documents no item.
                let documents = |last: &Token| last.kind == TokenKind::Documentation && last.first;
                let after = part.iter().rev().take_while(|last| documents(last)).count();
                let kept = if end < tokens.len() {
                    part.len() - after
                } else {
                    part.len()
                };
                let expanded = self.expand(part.get(..kept).unwrap_or_default().to_vec());
                self.emit(expanded);
            }
            index = end;
        }
        for condition in conditions {
            self.error(
                condition.span,
                "this condition never ends",
                format!("no `{}endif` follows", condition.mark()),
            );
        }
    }

    /// Takes the `///` lines at the top of the main file, if a directive or an empty line follows
    /// them: they describe the program, not its first item.
    fn take_documentation(&mut self, text: &str, tokens: &mut Vec<Token>) {
        let alone = |last: &Token, next: Option<&Token>| match next {
            None => true,
            Some(next) => {
                directives::is_directive(next)
                    || text
                        .get(last.span.end as usize..next.span.start as usize)
                        .is_some_and(|between| between.matches('\n').count() > 1)
            }
        };
        let count = tokens
            .iter()
            .enumerate()
            .take_while(|(_, token)| token.kind == TokenKind::Documentation)
            .find(|(index, token)| alone(token, tokens.get(index + 1)))
            .map(|(index, _)| index + 1);
        if let Some(count) = count {
            let lines: Vec<&str> = tokens
                .iter()
                .take(count)
                .map(|token| {
                    token
                        .text
                        .strip_prefix(' ')
                        .unwrap_or(&token.text)
                        .trim_end()
                })
                .collect();
            self.documentation = Some(lines.join("\n"));
            tokens.drain(..count);
        }
    }

    /// Adds expanded tokens to the output. What `_module` and `_layout` say takes effect here.
    fn emit(&mut self, tokens: Vec<Token>) {
        for token in tokens {
            let index = self.output.len();
            let mut complete = false;
            self.watch = match self.watch {
                Watch::None if token.is_word("_module") => Watch::Module(index),
                Watch::None if token.is_word("_layout") => Watch::Layout(index, 0),
                Watch::Module(_) if token.is(";") => {
                    complete = true;
                    self.watch
                }
                Watch::Layout(_, 0) if token.is(";") => {
                    complete = true;
                    self.watch
                }
                Watch::Layout(start, depth) if token.is("{") => Watch::Layout(start, depth + 1),
                Watch::Layout(start, depth) if token.is("}") => {
                    Watch::Layout(start, depth.saturating_sub(1))
                }
                other => other,
            };
            self.output.push(token);
            if complete {
                let watch = std::mem::replace(&mut self.watch, Watch::None);
                match watch {
                    Watch::Module(start) => self.module_line(start),
                    Watch::Layout(start, _) => self.layout_group(start),
                    Watch::None => {}
                }
            }
        }
    }

    /// A `_module` line that starts at `start` of the output.
    fn module_line(&mut self, start: usize) {
        let Some(first) = self.output.get(start) else {
            return;
        };
        let span = first.span;
        let mut patterns: Vec<String> = Vec::new();
        let mut last = span;
        for token in self.output.get(start + 1..).unwrap_or_default() {
            match token.kind {
                TokenKind::String => {
                    // A wrong escape is reported where the text is parsed.
                    let bytes = crate::lexer_literals::string(&token.text).unwrap_or_default();
                    patterns.push(String::from_utf8_lossy(&bytes).into_owned());
                }
                TokenKind::Identifier if token.is_word("_exe") => patterns.push("_exe".to_owned()),
                _ => {}
            }
            last = token.span;
        }
        let Some(scope) = self.scopes.get(span.file.0 as usize) else {
            return;
        };
        if let Some(before) = scope.line {
            self.diagnostics.push(
                Diagnostic::error(
                    span,
                    "a file has one `_module` line",
                    "this is the second one",
                )
                .with_secondary(before, "the first one"),
            );
            return;
        }
        let module = self.target.as_deref_mut().and_then(|target| {
            patterns
                .iter()
                .find_map(|pattern| target.find_module(pattern))
        });
        if let Some(scope) = self.scopes.get_mut(span.file.0 as usize) {
            scope.line = Some(span.to(last));
            scope.module = module;
        }
    }

    /// Reads a file that a directive names.
    fn include(&mut self, name: &str, quoted: bool, span: Span) {
        if self.depth >= MAX_INCLUDE_DEPTH || self.scopes.len() >= MAX_FILES {
            self.error(
                span,
                "too many files include one another",
                format!("more than {MAX_INCLUDE_DEPTH} in a row, or {MAX_FILES} in all"),
            );
            return;
        }
        let from = self
            .sources
            .get(span.file)
            .map(|file| file.name.clone())
            .unwrap_or_default();
        match self.loader.load(name, quoted, &from) {
            Ok(file) => {
                if self.included.insert(file.name.clone()) {
                    let id = self.add_file(file);
                    self.depth += 1;
                    self.file(id);
                    self.depth -= 1;
                }
            }
            Err(error) => {
                let diagnostic = match &error {
                    crate::source::LoadError::NotFound { tried, .. } if tried.is_empty() => {
                        Diagnostic::error(span, format!("no file `{name}`"), "not found")
                    }
                    crate::source::LoadError::NotFound { tried, .. } => {
                        Diagnostic::error(span, format!("no file `{name}`"), "not found")
                            .with_help(format!("looked for in {}", tried.join(", ")))
                    }
                    crate::source::LoadError::Refused { reason, hint, .. } => {
                        let message = format!("`{name}` is not read");
                        let refused = Diagnostic::error(span, message, reason.clone());
                        match hint {
                            Some(hint) => refused.with_help(hint.clone()),
                            None => refused,
                        }
                    }
                };
                self.diagnostics.push(diagnostic.about(Topic::Missing));
            }
        }
    }
}

/// Where the first `_module` line of a stretch of text ends.
fn module_line(tokens: Option<&[Token]>) -> Option<usize> {
    let tokens = tokens?;
    let start = tokens.iter().position(|token| token.is_word("_module"))?;
    let length = tokens
        .get(start..)?
        .iter()
        .position(|token| token.is(";"))?;
    Some(start + length + 1)
}

#[cfg(test)]
mod tests;
