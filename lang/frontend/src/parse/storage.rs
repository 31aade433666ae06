//! Storage classes: `extern` declares what the target has, `static` means nothing outside of a
//! body and is warned about inside of one.

use crate::ast::{ItemKind, TypeSpecifier};
use crate::diagnostics::Diagnostic;
use crate::source::Span;
use crate::terminal::{Lexeme, Terminal};

/// Whether an item has `extern` before its type.
pub(super) fn is_extern(lexemes: &[Lexeme]) -> bool {
    lexemes
        .iter()
        .take_while(|lexeme| lexeme.is(&Terminal::Qualifier))
        .any(|lexeme| &*lexeme.text == "extern")
}

/// Where `_late` stands before the type of an item.
pub(super) fn late(lexemes: &[Lexeme]) -> Option<Span> {
    lexemes
        .iter()
        .take_while(|lexeme| lexeme.is(&Terminal::Qualifier))
        .find(|lexeme| &*lexeme.text == "_late")
        .map(|lexeme| lexeme.span)
}

/// Whether a declaration has neither values nor new types.
pub(super) fn declares_only(kind: &ItemKind) -> bool {
    let ItemKind::Declaration(declaration) = kind else {
        return false;
    };
    let defines = match &declaration.base {
        TypeSpecifier::Record(record) => record.members.is_some(),
        TypeSpecifier::Enum(specifier) => specifier.enumerators.is_some(),
        _ => false,
    };
    let mut declarators = declaration.declarators.iter();
    !defines && declarators.all(|declarator| declarator.initializer.is_none())
}

/// Warns about `static` variables of functions that are no constants: they keep nothing here.
pub(super) fn warn_of_static(lexemes: &[Lexeme], diagnostics: &mut Vec<Diagnostic>) {
    let mut depth = 0_usize;
    for (index, lexeme) in lexemes.iter().enumerate() {
        match lexeme.terminal {
            Terminal::LeftBrace => depth += 1,
            Terminal::RightBrace => depth = depth.saturating_sub(1),
            Terminal::Qualifier if depth > 0 && &*lexeme.text == "static" => {
                let rest = lexemes.get(index..).unwrap_or_default();
                let mut declaration = rest
                    .iter()
                    .take_while(|lexeme| !lexeme.is(&Terminal::Semicolon));
                if !declaration.any(|lexeme| &*lexeme.text == "const") {
                    diagnostics.push(
                        Diagnostic::warning(
                            lexeme.span,
                            "`static` keeps no value between calls here",
                            "the variable starts at zero each time",
                        )
                        .with_help("declare it outside of the function"),
                    );
                }
            }
            _ => {}
        }
    }
}
