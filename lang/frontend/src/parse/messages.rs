//! What the user sees when the grammar meets a terminal that it does not expect.

use crate::diagnostics::Diagnostic;
use crate::source::Span;
use crate::terminal::{Lexeme, Terminal};

/// The words that name points.
pub(crate) const POINTS: &[&str] = &[
    "_oneshot",
    "_begin",
    "_end",
    "_timer",
    "_func",
    "_line",
    "_addr",
    "_usdt",
    "_watch",
    "_thread_begin",
    "_thread_end",
    "_exec",
    "_exit",
    "_signal",
    "_page_fault",
];

/// The error for the terminal at `at` (the end, if there is none). `expected` are the names of
/// terminals in the grammar.
pub fn unexpected(lexemes: &[Lexeme], at: usize, expected: &[String]) -> Diagnostic {
    let expected: Vec<&str> = expected.iter().map(|name| name.trim_matches('"')).collect();
    let mut wanted = wanted(&expected);
    let before = at.checked_sub(1).and_then(|before| lexemes.get(before));
    let Some(found) = lexemes.get(at) else {
        let span = before.map(|lexeme| end_of(lexeme.span)).unwrap_or_default();
        return Diagnostic::error(
            span,
            format!("expected {wanted}, found the end"),
            format!("{wanted} must follow"),
        );
    };
    // A missing `;` belongs to the line before.
    let semicolon = expected.contains(&";");
    if let Some(before) = before
        && semicolon
        && (found.first || found.is(&Terminal::RightBrace))
    {
        let diagnostic =
            Diagnostic::error(end_of(before.span), "`;` is missing", "`;` must stand here");
        return match macro_before(lexemes, at) {
            Some(name) => diagnostic.with_help(unknown_macro(name)),
            None => diagnostic,
        };
    }
    if let (Some(before), Terminal::Identifier(_) | Terminal::TypeName(_)) =
        (before, &found.terminal)
        && matches!(before.terminal, Terminal::Regex(_))
        && before.span.file == found.span.file
        && before.span.end == found.span.start
    {
        return Diagnostic::error(
            found.span,
            "a regex has no flags behind it",
            "flags stand inside",
        )
        .with_help(regex_flags(before, found));
    }
    let shown = describe(found);
    if expected.is_empty() {
        wanted = "the end of the declaration".to_owned();
    }
    let mut diagnostic = Diagnostic::error(
        found.span,
        format!("expected {wanted}, found {shown}"),
        format!("{wanted} must stand here"),
    );
    if let Some(help) = help(lexemes, at, found, &expected) {
        diagnostic = diagnostic.with_help(help);
    }
    diagnostic
}

/// How the flags that were written behind a regex are written.
fn regex_flags(regex: &Lexeme, flags: &Lexeme) -> String {
    let known: String = "imsx"
        .chars()
        .filter(|flag| flags.text.contains(*flag))
        .collect();
    match (&regex.terminal, known.as_str()) {
        (Terminal::Regex(pattern), "") if pattern.len() < 40 => {
            format!("`rx/{pattern}/` is all; `i`, `m`, `s` and `x` go inside: `rx/(?i){pattern}/`")
        }
        (Terminal::Regex(pattern), known) if pattern.len() < 40 => {
            format!("write `rx/(?{known}){pattern}/`")
        }
        _ => "`i`, `m`, `s` and `x` go inside: `rx/(?i)…/`".to_owned(),
    }
}

/// The place just behind a span.
fn end_of(span: Span) -> Span {
    Span {
        start: span.end.saturating_sub(1).max(span.start),
        ..span
    }
}

/// A terminal as the user knows it.
fn describe(lexeme: &Lexeme) -> String {
    match &lexeme.terminal {
        Terminal::String(_) => "a string".to_owned(),
        Terminal::Regex(_) => "a regex".to_owned(),
        Terminal::TypeName(name) => format!("the type `{}`", name.text),
        Terminal::ErrorStatement => "the statement before".to_owned(),
        _ => format!("`{}`", lexeme.text),
    }
}

/// What would be right, in words.
fn wanted(expected: &[&str]) -> String {
    let has = |name: &str| expected.contains(&name);
    if has("_probe") {
        return "a declaration, a function or a probe".to_owned();
    }
    if has("_oneshot") {
        return "a probe point".to_owned();
    }
    let mut phrases: Vec<String> = Vec::new();
    let expression = has("identifier") && has("integer");
    let ty = has("type word");
    if expression && has("if") {
        phrases.push("a statement".to_owned());
    } else if expression && ty && has(";") {
        phrases.push("a declaration or an expression".to_owned());
    } else if expression && ty {
        phrases.push("an expression or a type".to_owned());
    } else if expression {
        phrases.push("an expression".to_owned());
    } else if ty && has("identifier") {
        // The type is there already.
        return "a name".to_owned();
    } else if ty {
        phrases.push("a type".to_owned());
    } else if has("identifier") {
        phrases.push("a name".to_owned());
    } else if has("string") {
        phrases.push("a string".to_owned());
    }
    let after_operand = has("infix operator");
    if !expression || phrases.is_empty() {
        for mark in [
            ";", ")", "]", "}", "{", "(", ":", "->", "while", "_catch", "_valid", "in", "=", ",",
            ".",
        ] {
            let noise = match mark {
                "," | "=" | "(" | "[" | "->" | "." => after_operand && has(";"),
                _ => false,
            };
            let suffix = after_operand && matches!(mark, "(" | "[" | "->" | "." | "in" | "=");
            if has(mark) && !noise && !suffix && phrases.len() < 3 {
                phrases.push(format!("`{mark}`"));
            }
        }
    }
    if phrases.is_empty() && after_operand {
        phrases.push("an operator".to_owned());
    }
    match phrases.as_slice() {
        [] => "something else".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

/// How far back the name of a macro is looked for, in lexemes.
const MACRO_REACH: usize = 256;

/// What ends before `at` and is named as macros are: `NAME`, `NAME(…)`, or `NAME(…` up to there.
fn macro_before(lexemes: &[Lexeme], at: usize) -> Option<&str> {
    let named = |lexeme: &Lexeme| {
        let text = &*lexeme.text;
        let capitals = text
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        matches!(lexeme.terminal, Terminal::Identifier(_))
            && capitals
            && text.chars().filter(char::is_ascii_uppercase).count() > 1
    };
    let mut before = lexemes
        .get(at.saturating_sub(MACRO_REACH)..at)?
        .iter()
        .rev();
    let last = before.next()?;
    if named(last) {
        return Some(&last.text);
    }
    // Back to the parenthesis that opens what `at` follows or stands in.
    let mut depth = i32::from(last.is(&Terminal::RightParenthesis));
    let inside = depth == 0;
    while let Some(lexeme) = before.next() {
        if lexeme.is(&Terminal::RightParenthesis) {
            depth += 1;
        } else if lexeme.is(&Terminal::LeftParenthesis) {
            depth -= 1;
            if depth == -i32::from(inside) {
                let name = before.next()?;
                return named(name).then_some(&*name.text);
            }
        } else if lexeme.is(&Terminal::RightBrace) || lexeme.is(&Terminal::Semicolon) {
            return None;
        }
    }
    None
}

fn unknown_macro(name: &str) -> String {
    format!(
        "if `{name}` is a macro of the target, the text can be read only with it (`-p PID`, `--core FILE` or `--types FILE`, built with -g3), or with a `#define`"
    )
}

/// Words that begin declarations and are long enough to be misspelt.
const DECLARING: [&str; 9] = [
    "struct", "union", "enum", "typedef", "unsigned", "signed", "const", "static", "volatile",
];

/// The pattern that begins at a name or a star in the head of a probe, and which is not in backquotes, if `at` is in it.
fn bare_pattern(lexemes: &[Lexeme], at: usize) -> Option<String> {
    let start = lexemes
        .get(..at)?
        .iter()
        .rposition(|lexeme| lexeme.is(&Terminal::Probe))?;
    let mut pattern = String::new();
    let mut end = None;
    for lexeme in lexemes.get(start + 1..)?.iter().take(MACRO_REACH) {
        let part = matches!(
            lexeme.terminal,
            Terminal::Identifier(_) | Terminal::TypeName(_)
        ) || matches!(&*lexeme.text, "*" | "?");
        // A pattern is in one piece.
        if !part || end.is_some_and(|end| end != lexeme.span.start) {
            break;
        }
        pattern.push_str(&lexeme.text);
        end = Some(lexeme.span.end);
    }
    let found = lexemes.get(at)?;
    let within = end.is_some_and(|end| found.span.start < end);
    (within && pattern.contains(['*', '?'])).then_some(pattern)
}

/// The name with its scopes that the `::` at `at` is part of, if that touches what stands on both sides: the first `::` of a name makes
/// its prefix, the next ones are not of the language.
fn scoped_name(lexemes: &[Lexeme], at: usize) -> Option<String> {
    let first = lexemes.get(at.checked_sub(1)?)?;
    let Terminal::Identifier(name) = &first.terminal else {
        return None;
    };
    let prefix = name.prefix.as_ref()?;
    let mut text = format!("{prefix}::{}", name.text);
    let mut end = first.span;
    for pair in lexemes.get(at..)?.chunks(2) {
        let [colons, part] = pair else {
            break;
        };
        let touches = |from: Span, to: Span| from.file == to.file && from.end == to.start;
        let is_name = matches!(
            part.terminal,
            Terminal::Identifier(_) | Terminal::TypeName(_)
        );
        if &*colons.text != "::"
            || !is_name
            || !touches(end, colons.span)
            || !touches(colons.span, part.span)
        {
            break;
        }
        text.push_str(&format!("::{}", part.text));
        end = part.span;
    }
    (end != first.span).then_some(text)
}

/// What the user probably meant.
fn help(lexemes: &[Lexeme], at: usize, found: &Lexeme, expected: &[&str]) -> Option<String> {
    let before = at.checked_sub(1).and_then(|before| lexemes.get(before));
    let text = &*found.text;
    if expected.contains(&"_probe") {
        if let Terminal::Identifier(name) = &found.terminal
            && lexemes
                .get(at + 1)
                .is_some_and(|next| next.is(&Terminal::LeftParenthesis))
        {
            return Some(format!(
                "a function starts with the type that it returns: `void {}(…)`",
                name.text
            ));
        }
        return Some("statements stand in functions and in probes: `_probe _oneshot { … }`".into());
    }
    if let (Some(Terminal::Probe), Some(Terminal::Identifier(point))) = (
        lexemes.first().map(|lexeme| &lexeme.terminal),
        lexemes.get(1).map(|lexeme| &lexeme.terminal),
    ) && at == 2
        && point.text.starts_with('_')
    {
        let nearest = POINTS
            .iter()
            .map(|known| (strsim::osa_distance(known, &point.text), known))
            .min()
            .filter(|(distance, _)| *distance <= 2);
        if let Some((_, known)) = nearest {
            return Some(format!("did you mean the probe point `{known}`?"));
        }
    }
    if matches!(text, "*" | "?")
        && let Some(pattern) = bare_pattern(lexemes, at)
    {
        let written = match pattern.rsplit_once("::") {
            Some((module, pattern)) => format!("{module}::`{pattern}`"),
            None => format!("`{pattern}`"),
        };
        return Some(format!(
            "a pattern stands in backquotes: `` _probe {written} ``"
        ));
    }
    let earlier = |by: usize| at.checked_sub(by).and_then(|at| lexemes.get(at));
    let named = |lexeme: &&Lexeme| {
        matches!(
            lexeme.terminal,
            Terminal::Identifier(_) | Terminal::TypeName(_)
        )
    };
    if let (Some(word), Some(_)) = (earlier(2).filter(named), earlier(1).filter(named)) {
        let near = DECLARING.iter();
        let near = near.map(|known| (strsim::osa_distance(known, &word.text), known));
        if let Some((_, known)) = near
            .filter(|(distance, _)| (1..=2).contains(distance))
            .min()
        {
            return Some(format!("did you mean `{known}` for `{}`?", word.text));
        }
    }
    if text == "::"
        && let Some(name) = scoped_name(lexemes, at)
    {
        return Some(format!(
            "a name with several `::` stands in backquotes: `{name}`"
        ));
    }
    if text == "::" {
        return Some("a module prefix touches its name: `libc.so.6::main_arena`".into());
    }
    if let Some(name) = macro_before(lexemes, at) {
        return Some(unknown_macro(name));
    }
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if expected.contains(&"identifier")
        && word
        && !matches!(
            found.terminal,
            Terminal::Identifier(_) | Terminal::TypeName(_)
        )
    {
        return Some(format!(
            "`{text}` is a word of the language; a name of the target that is spelt so is written `` `{text}` ``"
        ));
    }
    match (before.map(|before| &before.terminal), &found.terminal) {
        (Some(Terminal::Identifier(name)), Terminal::Identifier(_) | Terminal::Star)
            if expected.contains(&"infix operator") =>
        {
            Some(format!(
                "if `{}` is meant as a type, a declaration starts a statement",
                name.text
            ))
        }
        (Some(Terminal::ErrorStatement), Terminal::Else) => None,
        (_, Terminal::Else) => Some("there is no `if` that this could belong to".into()),
        (_, Terminal::Regex(_)) => Some("a regex stands after `~~` or `!~~`".into()),
        (_, Terminal::Struct { .. } | Terminal::TypeWord(_)) if expected.contains(&"integer") => {
            Some("a type is converted to in parentheses: `(int) x`".into())
        }
        _ => None,
    }
}
