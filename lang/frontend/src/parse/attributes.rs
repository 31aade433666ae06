//! `__attribute__((…))`: `packed` and `weak` are heeded, what changes nothing here is dropped, and what would
//! change a layout is refused.

use std::collections::HashMap;

use crate::diagnostics::Diagnostic;
use crate::terminal::{Lexeme, Terminal};

/// Attributes that give values another size or place than the language would.
const REFUSED: &[&str] = &[
    "aligned",
    "vector_size",
    "mode",
    "ms_struct",
    "gcc_struct",
    "scalar_storage_order",
];

/// Takes the attributes out of a list of terminals, and marks the records that are packed.
pub(super) fn apply(lexemes: Vec<Lexeme>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Lexeme> {
    if !lexemes.iter().any(|lexeme| lexeme.is(&Terminal::Attribute)) {
        return lexemes;
    }
    let records = records_by_end(&lexemes);
    let mut packed = Vec::new();
    let mut kept = vec![true; lexemes.len()];
    // The places after attributes that hold `weak`.
    let mut weak = Vec::new();
    // The terminal before a run of attributes.
    let mut before: Option<usize> = None;
    let mut position = 0;
    while let Some(lexeme) = lexemes.get(position) {
        if !lexeme.is(&Terminal::Attribute) {
            before = Some(position);
            position += 1;
            continue;
        }
        let end = end_of(&lexemes, position);
        for place in position..end {
            if let Some(kept) = kept.get_mut(place) {
                *kept = false;
            }
        }
        for word in lexemes.get(position + 1..end).unwrap_or_default() {
            let name = word.text.trim_matches('_');
            if REFUSED.contains(&name) {
                diagnostics.push(
                    Diagnostic::error(
                        word.span,
                        format!("the attribute `{name}` is not supported"),
                        "it would change where things lie",
                    )
                    .with_help(
                        "take the type from the target's debug information, or write out the \
                         padding as members",
                    ),
                );
            } else if name == "weak" {
                weak.push(end);
            } else if name == "packed" {
                let record = before.and_then(|before| match lexemes.get(before) {
                    Some(lexeme) if matches!(lexeme.terminal, Terminal::Struct { .. }) => {
                        Some(before)
                    }
                    _ => records.get(&before).copied(),
                });
                match record {
                    Some(record) => packed.push(record),
                    None => diagnostics.push(
                        Diagnostic::error(
                            word.span,
                            "`packed` belongs to a whole struct here",
                            "not after the `struct` or the `}` of one",
                        )
                        .with_help("write `struct __attribute__((packed)) tag { … };`"),
                    ),
                }
            }
        }
        position = end;
    }
    let mut result = Vec::with_capacity(lexemes.len());
    packed.sort_unstable();
    let mut is_weak = false;
    for (index, (mut lexeme, kept)) in lexemes.into_iter().zip(kept).enumerate() {
        is_weak |= weak.binary_search(&index).is_ok();
        if !kept {
            continue;
        }
        lexeme.weak = std::mem::take(&mut is_weak);
        if packed.binary_search(&index).is_ok()
            && let Terminal::Struct { packed, .. } = &mut lexeme.terminal
        {
            *packed = true;
        }
        result.push(lexeme);
    }
    result
}

/// The place after the attribute at `start`.
fn end_of(lexemes: &[Lexeme], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut end = start + 1;
    while let Some(lexeme) = lexemes.get(end) {
        match lexeme.terminal {
            Terminal::LeftParenthesis => depth += 1,
            Terminal::RightParenthesis if depth > 0 => depth -= 1,
            _ if depth == 0 => break,
            _ => {}
        }
        end += 1;
        if depth == 0 {
            break;
        }
    }
    end
}

/// For the `}` of each record the place of its keyword.
fn records_by_end(lexemes: &[Lexeme]) -> HashMap<usize, usize> {
    let mut found = HashMap::new();
    // For each open brace the keyword of its record.
    let mut open: Vec<Option<usize>> = Vec::new();
    // The keyword of a record whose brace may follow.
    let mut keyword = None;
    let mut position = 0;
    while let Some(lexeme) = lexemes.get(position) {
        match &lexeme.terminal {
            Terminal::Attribute => {
                position = end_of(lexemes, position);
                continue;
            }
            Terminal::Struct { .. } => keyword = Some(position),
            Terminal::Identifier(_) => {}
            Terminal::LeftBrace => open.push(keyword.take()),
            Terminal::RightBrace => {
                keyword = None;
                if let Some(Some(record)) = open.pop() {
                    found.insert(position, record);
                }
            }
            _ => keyword = None,
        }
        position += 1;
    }
    found
}
