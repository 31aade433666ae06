//! What a user types in, line by line: where it is complete, what it is made of, and which names it has.
//!
//! A fragment is read behind a prelude, the text of all that has been declared before, so that its type names and macros are known.

mod complete;
mod generations;
mod shown;
mod spans;

use std::collections::HashSet;
use std::ops::Range;

use crate::ast::{
    Declaration, Expression, Item, ItemKind, ProbePoint, Statement, StatementKind, TypeSpecifier,
};
use crate::compile::{LayoutChoices, SourceErrors};
use crate::diagnostics::{Diagnostic, Severity};
use crate::lexer::{self, Interner, Token, TokenKind};
use crate::parse::{self, Parsed};
use crate::source::{FileId, Loader, SourceFile, Span};
use crate::target::Target;

pub use complete::is_incomplete;
pub use generations::{macros, split_initializer, used_names, with_other_names};
pub use shown::{with_view, without};
pub use spans::{TextKind, TextSpan, assigns, is_closed, spans};

/// What stands before statements, on a line of its own so that columns stay what they are.
pub const HANDLER: &str = "_probe _begin {\n";

/// What stands after them.
pub const HANDLER_END: &str = "\n}\n";

/// What stands before an expression: within parentheses, `a * b` is no declaration.
pub const SHOWN_HANDLER: &str = "_probe _begin {(\n";

/// What stands after it.
pub const SHOWN_HANDLER_END: &str = "\n);\n}\n";

/// What a piece of a fragment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// Something that later fragments can use: variables, types, functions, directives.
    Definition,
    /// A probe that waits for something to happen.
    Probe,
    /// Statements.
    Statements,
    /// An expression without a semicolon, whose value is wanted.
    Expression,
}

/// A part of a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
    /// The names that it declares, tags as `struct name`, `union name` and `enum name`.
    pub names: Vec<String>,
}

/// What a fragment is made of.
#[derive(Debug)]
pub enum Reading {
    /// Nothing but white space and comments.
    Blank,
    /// These, in order.
    Pieces(Vec<Piece>),
    /// It is wrong.
    Wrong(Box<SourceErrors>),
}

/// What a fragment is read with.
pub struct Surroundings<'a> {
    /// The text of what has been declared before.
    pub prelude: &'a str,
    /// The name of the text for diagnostics.
    pub name: &'a str,
    /// Loads includes.
    pub loader: &'a mut dyn Loader,
    /// The target.
    pub target: &'a mut dyn Target,
    /// Candidates for `_layout` groups.
    pub layouts: &'a LayoutChoices,
    /// `#define`s from the command line.
    pub defines: &'a [(String, String)],
}

fn tokens(text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let tokens = lexer::lex(FileId(0), text, &mut Interner::default(), &mut diagnostics);
    (tokens, diagnostics)
}

/// The names and earlier values (`_`, `$1`) that a text mentions.
pub fn mentioned(text: &str) -> HashSet<String> {
    let (tokens, _) = tokens(text);
    let names = tokens.iter().filter(|token| {
        matches!(
            token.kind,
            TokenKind::Identifier | TokenKind::Quoted | TokenKind::Capture
        )
    });
    names.map(|token| token.text.to_string()).collect()
}

/// Makes errors in a text that was compiled within others, `before` bytes behind the beginning of the main file, of which `wrapper` stand
/// around it alone, errors in what was typed: nothing else is shown, places behind its end are its end, and lines are counted from its
/// beginning, unless something is wrong with what stands before it.
pub fn as_typed(errors: &mut SourceErrors, before: usize, wrapper: usize, text: &str) {
    let own = |span: &Span| span.file == FileId(0);
    let start = before.saturating_sub(wrapper);
    let spans = errors.diagnostics.iter().flat_map(|diagnostic| {
        let secondary = diagnostic.secondary.iter().map(|(span, _)| *span);
        std::iter::once(diagnostic.primary.0).chain(secondary)
    });
    let earlier = spans
        .filter(own)
        .any(|span| (span.start as usize) < start || span.expansion != 0);
    let shown = match earlier {
        // What stands before is what is wrong, or where a macro is defined.
        true => {
            let Some(main) = errors.sources.get(FileId(0)) else {
                return;
            };
            let known = main.text.get(..start).unwrap_or_default();
            format!(
                "{known}{}{text}\n",
                " ".repeat(wrapper.saturating_sub(1)) + "\n"
            )
        }
        false => format!("{text}\n"),
    };
    let shift = if earlier { 0 } else { before };
    let end = text.trim_end().len() + before - shift;
    let last = text
        .trim_end()
        .chars()
        .next_back()
        .map_or(1, char::len_utf8);
    for diagnostic in &mut errors.diagnostics {
        let secondary = diagnostic.secondary.iter_mut().map(|(span, _)| span);
        let mut behind = false;
        let primary = &mut diagnostic.primary.0;
        for (index, span) in std::iter::once(primary).chain(secondary).enumerate() {
            if !own(span) {
                continue;
            }
            let place = |at: u32| (at as usize).saturating_sub(shift);
            let (mut from, mut to) = (place(span.start), place(span.end).min(end));
            if from >= end {
                behind |= index == 0;
                from = end.saturating_sub(last);
                to = end;
            }
            span.start = u32::try_from(from).unwrap_or(u32::MAX);
            span.end = u32::try_from(to.max(from)).unwrap_or(u32::MAX);
        }
        if behind {
            if let Some((message, _)) = diagnostic.message.rsplit_once(", found `") {
                diagnostic.message = format!("{message}, found the end");
            }
            diagnostic.primary.1 = "the end is here".to_owned();
        }
    }
    errors.sources.set_text(FileId(0), &shown);
}

/// Makes errors in a text whose first character nobody typed errors in the rest of it.
pub fn without_first(errors: &mut SourceErrors, text: &str) {
    let whole = errors.sources.get(FileId(0));
    let shown = whole.map_or("", |file| &*file.text).trim_end();
    let length = match (shown == text.trim_end(), text.chars().next()) {
        (true, Some(first)) => first.len_utf8(),
        // What stands before it is shown, too.
        _ => return,
    };
    let rest = format!("{}\n", shown.get(length..).unwrap_or_default());
    for diagnostic in &mut errors.diagnostics {
        let secondary = diagnostic.secondary.iter_mut().map(|(span, _)| span);
        for span in std::iter::once(&mut diagnostic.primary.0).chain(secondary) {
            if span.file == FileId(0) {
                let length = u32::try_from(length).unwrap_or(u32::MAX);
                span.start = span.start.saturating_sub(length);
                span.end = span.end.saturating_sub(length);
            }
        }
    }
    errors.sources.set_text(FileId(0), &rest);
}

/// Whether a text matches regular expressions, so that `$1` is what one has captured.
pub fn has_captures(text: &str) -> bool {
    let (tokens, _) = tokens(text);
    tokens.iter().any(|token| token.kind == TokenKind::Regex)
}

/// The text with names and earlier values written otherwise, where `other` says how.
pub fn renamed(text: &str, other: &dyn Fn(&str) -> Option<String>) -> String {
    let (tokens, _) = tokens(text);
    let named = tokens.iter().filter(|token| {
        matches!(token.kind, TokenKind::Identifier | TokenKind::Capture) && token.prefix.is_none()
    });
    replaced(
        text,
        named.filter_map(|token| Some((token.span, other(&token.text)?))),
    )
}

/// The text with others in place of some of its spans, which come in order.
fn replaced(text: &str, others: impl IntoIterator<Item = (Span, String)>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    for (span, written) in others {
        result.push_str(text.get(from..span.start as usize).unwrap_or_default());
        result.push_str(&written);
        from = span.end as usize;
    }
    result.push_str(text.get(from..).unwrap_or_default());
    result
}

/// The text with everything outside of a range replaced by blanks, so that places stay what they are.
pub fn only(text: &str, range: &Range<usize>) -> String {
    text.char_indices()
        .map(|(at, c)| match range.contains(&at) || c == '\n' {
            true => c.to_string(),
            // As wide as it is long, for places are counted in bytes.
            false => " ".repeat(c.len_utf8()),
        })
        .collect()
}

/// Says what a text is made of.
pub fn read(text: &str, around: &mut Surroundings<'_>) -> Reading {
    let (all, _) = tokens(text);
    let Some(first) = all
        .iter()
        .find(|token| token.kind != TokenKind::Documentation)
    else {
        return Reading::Blank;
    };
    let whole = 0..text.len();
    let known = around.prelude.len();
    if first.is("#") || first.is("##") {
        let parsed = around.parse("", text, "\n");
        return match wrong(parsed) {
            Ok(parsed) => {
                // Under a condition that does not hold anything looks like nothing at all.
                let empty = own_items(&parsed, known).next().is_none();
                let conditional = if empty {
                    conditional(text, &all, around)
                } else {
                    None
                };
                conditional.unwrap_or_else(|| directive(&parsed, known, whole))
            }
            Err((errors, _)) => {
                conditional(text, &all, around).unwrap_or_else(|| typed(errors, known, 0, text))
            }
        };
    }
    let last = all
        .iter()
        .rfind(|token| token.kind != TokenKind::Documentation);
    let begin = first.span.start as usize;
    let end = last.map_or(begin, |last| last.span.end as usize);
    if !last.is_some_and(|last| last.is(";") || last.is("}")) {
        let parsed = around.parse(SHOWN_HANDLER, text, SHOWN_HANDLER_END);
        let start = around.prelude.len();
        if own_items(&parsed, start).count() == 1 && !parsed.has_errors() {
            return Reading::Pieces(vec![Piece {
                kind: PieceKind::Expression,
                range: begin..end,
                names: Vec::new(),
            }]);
        }
    }
    // A comment or a directive at the end would hide the semicolon.
    let end = match text.contains("//") || text.contains('#') {
        true => "\n;",
        false => " ;",
    };
    let closing = format!("{end}{HANDLER_END}");
    let parsed = around.parse(HANDLER, text, &closing);
    let start = around.prelude.len() + HANDLER.len();
    let (as_statements, reached) = match wrong(parsed) {
        Ok(parsed) => match statements(&parsed, text, start) {
            Some(pieces) => return Reading::Pieces(pieces),
            None => (None, 0),
        },
        Err((errors, at)) => (Some(errors), at.saturating_sub(start)),
    };
    let parsed = around.parse("", text, "\n");
    let start = around.prelude.len();
    match wrong(parsed) {
        Ok(parsed) => items(parsed, start, text),
        // What was understood further is what was meant.
        Err((errors, at)) => match as_statements {
            Some(statements) if reached >= at.saturating_sub(start) => {
                typed(statements, known + HANDLER.len(), HANDLER.len(), text)
            }
            _ => typed(errors, known, 0, text),
        },
    }
}

/// The pieces of statements and an expression that stand between `#if` and `#endif`. What is defined there lasts, which only items of the top
/// level can be.
fn conditional(text: &str, all: &[Token], around: &mut Surroundings<'_>) -> Option<Reading> {
    let directives = all.windows(2).filter_map(|pair| match pair {
        [hash, word] if hash.first && hash.is("#") => Some(&*word.text),
        _ => None,
    });
    let only_conditions =
        |word: &str| word.starts_with("if") || word.starts_with("el") || word == "endif";
    if !directives.clone().all(only_conditions) {
        return None;
    }
    let parsed = around.parse(HANDLER, text, &format!("\n;{HANDLER_END}"));
    let start = around.prelude.len() + HANDLER.len();
    let pieces = statements(&wrong(parsed).ok()?, text, start)?;
    Some(match pieces.is_empty() {
        true => Reading::Blank,
        false => Reading::Pieces(pieces),
    })
}

fn typed(mut errors: Box<SourceErrors>, before: usize, wrapper: usize, text: &str) -> Reading {
    as_typed(&mut errors, before, wrapper, text);
    Reading::Wrong(errors)
}

impl Surroundings<'_> {
    fn parse(&mut self, before: &str, text: &str, after: &str) -> Parsed {
        let text = format!("{}{before}{text}{after}", self.prelude);
        let main = SourceFile {
            name: self.name.to_owned(),
            text: text.into(),
            library: false,
        };
        parse::parse(
            main,
            self.loader,
            Some(self.target),
            self.layouts,
            self.defines,
        )
    }
}

/// What was parsed; or the errors, and where in the main file the first one is.
fn wrong(parsed: Parsed) -> Result<Parsed, (Box<SourceErrors>, usize)> {
    let mut errors = parsed
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error);
    let Some(first) = errors.next() else {
        return Ok(parsed);
    };
    let span = first.primary.0;
    let at = match span.file {
        FileId(0) => span.start as usize,
        // What is included was found.
        _ => usize::MAX,
    };
    let errors = SourceErrors {
        diagnostics: parsed.diagnostics,
        sources: parsed.sources,
        expansions: parsed.expansions,
    };
    Err((Box::new(errors), at))
}

/// Items of the main file from an offset on.
fn own_items(parsed: &Parsed, start: usize) -> impl Iterator<Item = &Item> {
    parsed
        .unit
        .items
        .iter()
        .filter(move |item| item.span.file == FileId(0) && item.span.start as usize >= start)
}

/// A text that begins with a directive is one definition.
fn directive(parsed: &Parsed, start: usize, whole: Range<usize>) -> Reading {
    let names = own_items(parsed, start).flat_map(|item| item_names(&item.kind));
    let piece = Piece {
        kind: PieceKind::Definition,
        names: names.collect(),
        range: whole,
    };
    Reading::Pieces(vec![piece])
}

/// The pieces of a text that is statements; `None` if it ends the handler that stands around it.
fn statements(parsed: &Parsed, text: &str, start: usize) -> Option<Vec<Piece>> {
    let mut own = own_items(parsed, start - HANDLER.len());
    let Some(ItemKind::Probe(probe)) = own.next().map(|item| &item.kind) else {
        return None;
    };
    if own.next().is_some() {
        return None;
    }
    let range = |span: Span| {
        let place = |at: u32| (at as usize).saturating_sub(start).min(text.len());
        place(span.start)..place(span.end)
    };
    let all: Vec<&Statement> = probe
        .body
        .statements
        .iter()
        .filter(|statement| !matches!(statement.kind, StatementKind::Empty))
        .collect();
    let (tokens, _) = tokens(text);
    let silent = tokens.last().is_some_and(|last| last.is(";"));
    let end = tokens.last().map_or(0, |last| last.span.end as usize);
    let conditions = tokens.iter().any(|token| token.first && token.is("#"));
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, statement) in all.iter().enumerate() {
        let last = index + 1 == all.len();
        let mut range = with_semicolon(text, range(statement.span));
        let (kind, names) = match &statement.kind {
            StatementKind::Declaration(declaration) => {
                (PieceKind::Definition, declared_names(declaration))
            }
            // Its own semicolon is one that was typed.
            StatementKind::Expression(expression)
                if last && conditions && statement.span.end as usize > start + text.len() =>
            {
                range.end = range_end(expression, start, text);
                (PieceKind::Expression, Vec::new())
            }
            StatementKind::Expression(_) if last && !silent && !conditions => {
                // Without the comment that may follow.
                range.end = end;
                (PieceKind::Expression, Vec::new())
            }
            _ => (PieceKind::Statements, Vec::new()),
        };
        match pieces.last_mut() {
            // Between two there may be what is left out.
            Some(before) if kind == PieceKind::Statements && before.kind == kind && !conditions => {
                before.range.end = range.end;
            }
            _ => pieces.push(Piece { kind, range, names }),
        }
    }
    Some(pieces)
}

/// The pieces of a text that is items of the top level.
fn items(parsed: Parsed, start: usize, text: &str) -> Reading {
    let mut pieces = Vec::new();
    let mut refused = None;
    for item in own_items(&parsed, start) {
        let what = match &item.kind {
            ItemKind::Probe(probe) => match probe.point {
                ProbePoint::Begin => Some("`_begin`"),
                ProbePoint::Oneshot => Some("`_oneshot`"),
                ProbePoint::End => Some("`_end`"),
                _ => None,
            },
            ItemKind::View(_) => Some("a view"),
            ItemKind::Option(_) => Some("an option"),
            ItemKind::Mode(_) | ItemKind::MaxOverhead(_) => Some("this"),
            _ => None,
        };
        if let Some(what) = what {
            let help = match item.kind {
                ItemKind::View(_) => {
                    "declare the variable without it; `:view KIND NAME` shows what it holds"
                }
                _ => "statements run as they are typed; probes on events and timers are attached",
            };
            refused = Some(
                Diagnostic::error(
                    item.span,
                    format!("{what} does nothing at the prompt"),
                    "it is of use in a probe file",
                )
                .with_help(help),
            );
            break;
        }
        let place = |at: u32| (at as usize).saturating_sub(start).min(text.len());
        pieces.push(Piece {
            kind: match item.kind {
                ItemKind::Probe(_) => PieceKind::Probe,
                _ => PieceKind::Definition,
            },
            range: with_semicolon(text, place(item.span.start)..place(item.span.end)),
            names: item_names(&item.kind),
        });
    }
    match refused {
        Some(diagnostic) => {
            let errors = Box::new(SourceErrors {
                diagnostics: vec![diagnostic],
                sources: parsed.sources,
                expansions: parsed.expansions,
            });
            typed(errors, start, 0, text)
        }
        None if pieces.is_empty() => Reading::Blank,
        None => Reading::Pieces(pieces),
    }
}

/// Where an expression ends in the text.
fn range_end(expression: &Expression, start: usize, text: &str) -> usize {
    (expression.span.end as usize)
        .saturating_sub(start)
        .min(text.len())
}

/// The range with the semicolon that follows it.
fn with_semicolon(text: &str, range: Range<usize>) -> Range<usize> {
    let rest = text.get(range.end..).unwrap_or_default();
    let after = rest.trim_start();
    match after.starts_with(';') {
        true => range.start..text.len() - after.len() + 1,
        false => range,
    }
}

fn item_names(kind: &ItemKind) -> Vec<String> {
    match kind {
        ItemKind::Declaration(declaration) => declared_names(declaration),
        ItemKind::Function(function) => vec![function.name.text.clone()],
        ItemKind::Layout(layout) => vec![layout.name.text.clone()],
        _ => Vec::new(),
    }
}

/// The names that a declaration declares.
fn declared_names(declaration: &Declaration) -> Vec<String> {
    let mut names: Vec<String> = declaration
        .declarators
        .iter()
        .filter_map(|init| Some(init.declarator.name.as_ref()?.text.clone()))
        .collect();
    match &declaration.base {
        TypeSpecifier::Record(record) if record.members.is_some() => {
            let keyword = if record.union { "union" } else { "struct" };
            names.extend(
                record
                    .tag
                    .iter()
                    .map(|tag| format!("{keyword} {}", tag.text)),
            );
        }
        TypeSpecifier::Enum(specifier) => {
            if let Some(enumerators) = &specifier.enumerators {
                names.extend(specifier.tag.iter().map(|tag| format!("enum {}", tag.text)));
                names.extend(enumerators.iter().map(|(name, _)| name.text.clone()));
            }
        }
        _ => {}
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{NoFiles, TestTarget};

    fn reading(prelude: &str, text: &str) -> Reading {
        let mut around = Surroundings {
            prelude,
            name: "typed",
            loader: &mut NoFiles,
            target: &mut TestTarget::sample(),
            layouts: &LayoutChoices::new(),
            defines: &[],
        };
        read(text, &mut around)
    }

    fn pieces(prelude: &str, text: &str) -> Vec<(PieceKind, String)> {
        match reading(prelude, text) {
            Reading::Pieces(pieces) => pieces
                .into_iter()
                .map(|piece| (piece.kind, text[piece.range].to_owned()))
                .collect(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn statements_expressions_and_definitions_are_told_apart() {
        use PieceKind::{Definition, Expression, Statements};
        assert_eq!(pieces("", "1 + 2"), [(Expression, "1 + 2".to_owned())]);
        assert_eq!(pieces("", "n*m"), [(Expression, "n*m".to_owned())]);
        assert_eq!(
            pieces("", " n * m // all"),
            [(Expression, "n * m".to_owned())]
        );
        assert_eq!(pieces("", "n * m;"), [(Definition, "n * m;".to_owned())]);
        assert_eq!(pieces("", "1 + 2;"), [(Statements, "1 + 2;".to_owned())]);
        assert_eq!(
            pieces("", "int x = 3; x++; x--; int y; x + 1 // last"),
            [
                (Definition, "int x = 3;".to_owned()),
                (Statements, "x++; x--;".to_owned()),
                (Definition, "int y;".to_owned()),
                (Expression, "x + 1".to_owned()),
            ]
        );
        assert_eq!(
            pieces("", "int f(int a) { return a; }\nint g;"),
            [
                (Definition, "int f(int a) { return a; }".to_owned()),
                (Definition, "int g;".to_owned()),
            ]
        );
        assert_eq!(
            pieces("", "#define three 3"),
            [(Definition, "#define three 3".to_owned())]
        );
        // What holds of a condition is what is read.
        assert_eq!(
            pieces("", "#if 1\nn + 1 // all\n#else\nm\n#endif"),
            [(Expression, "n + 1".to_owned())]
        );
        assert_eq!(
            pieces("", "#if 0\nint x;\n#else\nn++;\nm++;\n#endif"),
            [
                (Statements, "n++;".to_owned()),
                (Statements, "m++;".to_owned()),
            ]
        );
        assert!(matches!(reading("", "#if 0\nn++;\n#endif"), Reading::Blank));
        assert!(matches!(reading("", " // nothing "), Reading::Blank));
        // A probe that waits for something.
        assert_eq!(
            pieces("", "long n; _probe main { n++; }"),
            [
                (Definition, "long n;".to_owned()),
                (PieceKind::Probe, "_probe main { n++; }".to_owned()),
            ]
        );
        // What the prelude declares is known.
        assert_eq!(
            pieces("typedef long number;\n", "number * n;"),
            [(Definition, "number * n;".to_owned())]
        );
    }

    #[test]
    fn the_names_of_definitions() {
        let Reading::Pieces(pieces) =
            reading("", "struct box { int a; } b, *c; enum e { one, two };")
        else {
            panic!();
        };
        let names: Vec<&String> = pieces.iter().flat_map(|piece| &piece.names).collect();
        assert_eq!(names, ["b", "c", "struct box", "enum e", "one", "two"]);
    }

    #[test]
    fn errors_point_into_what_was_typed() {
        for text in ["1 +", "}", "x y z", "_probe _begin { }", "} int x; {"] {
            let Reading::Wrong(errors) = reading("int known;\n", text) else {
                panic!("{text}");
            };
            assert!(!errors.diagnostics.is_empty());
            // Nothing but what was typed is shown.
            let shown = errors.sources.get(FileId(0)).unwrap().text.to_string();
            assert_eq!(shown, format!("{text}\n"));
            for diagnostic in &errors.diagnostics {
                let span = diagnostic.primary.0;
                assert!(span.start <= span.end && span.end as usize <= text.len());
            }
        }
    }

    #[test]
    fn names_are_found_and_replaced() {
        let text = "f(_, $1, \"_\", a_)";
        let names = mentioned(text);
        assert!(names.contains("_") && names.contains("$1") && names.contains("a_"));
        let other = |name: &str| match name {
            "_" => Some("v2".to_owned()),
            "$1" => Some("(*v1)".to_owned()),
            _ => None,
        };
        assert_eq!(renamed(text, &other), "f(v2, (*v1), \"_\", a_)");
        assert!(has_captures("s ~~ rx/a(b)/") && !has_captures("a == ~~b"));
        assert_eq!(only("a;é;b", &(5..6)), "     b");
    }
}
