//! A declaration of a fragment, with a view in front of one of the variables that it declares.

use crate::lexer::{Token, TokenKind};

use super::tokens;

/// A declaration in which `head`, as `_view table "title"`, stands before one of the variables that it declares; of several that it declares
/// together, that one gets a declaration of its own. `None` where the text does not show how it is declared: it comes from a macro, or
/// stands beside others behind the body of a struct.
pub fn with_view(declaration: &str, name: &str, head: &str) -> Option<String> {
    let (all, _) = tokens(declaration);
    let all: Vec<&Token> = all
        .iter()
        .filter(|token| token.kind != TokenKind::Documentation)
        .collect();
    let end = all.iter().rposition(|token| token.is(";"))?;
    let all = all.get(..end)?;
    let mut depth = 0_i64;
    let mut commas = Vec::new();
    // Where the name stands that is declared: in no initializer, and in no bracket.
    let mut named = None;
    let mut body = false;
    let mut initializer = false;
    for (at, token) in all.iter().enumerate() {
        if token.kind == TokenKind::Punctuator {
            match &*token.text {
                "{" if depth == 0 && commas.is_empty() && !initializer => body = true,
                "=" if depth == 0 => initializer = true,
                "," if depth == 0 => {
                    commas.push(at);
                    initializer = false;
                }
                _ => {}
            }
            match &*token.text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
        }
        let is_name = matches!(token.kind, TokenKind::Identifier | TokenKind::Quoted);
        if depth == 0 && !initializer && is_name && &*token.text == name {
            named = Some(at);
        }
    }
    let named = named?;
    let start_of = |at: usize| Some(all.get(at)?.span.start as usize);
    let end_of = |at: usize| Some(all.get(at)?.span.end as usize);
    if commas.is_empty() {
        return Some(format!("{head} {declaration}"));
    }
    if body {
        return None;
    }
    // The first declarator begins with its stars, at the last word before the first bracket, comma or initializer.
    let stops = |token: &&Token| {
        token.kind == TokenKind::Punctuator && matches!(&*token.text, "[" | "(" | "," | "=")
    };
    let mut first = all.iter().position(stops)?.checked_sub(1)?;
    while first > 0 && all.get(first - 1)?.is("*") {
        first -= 1;
    }
    if first == 0 {
        return None;
    }
    let base = declaration.get(start_of(0)?..start_of(first)?)?.trim_end();
    let mut parts = Vec::new();
    let mut from = first;
    for to in commas.iter().copied().chain([all.len()]) {
        let own = declaration.get(start_of(from)?..end_of(to.checked_sub(1)?)?)?;
        let shown = (from..to).contains(&named);
        parts.push(match shown {
            true => format!("{head} {base} {own};"),
            false => format!("{base} {own};"),
        });
        from = to + 1;
    }
    Some(parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_variable_gets_the_view() {
        let shown = |text, name| with_view(text, name, "_view bars \"t\"");
        for (text, name, expected) in [
            (
                "long by[_str];",
                "by",
                Some("_view bars \"t\" long by[_str];"),
            ),
            (
                "static long n = f(1, 2), *by[_str, int], m;",
                "by",
                Some(
                    "static long n = f(1, 2); _view bars \"t\" static long *by[_str, int]; static long m;",
                ),
            ),
            (
                "struct row { int a, b; } rows[];",
                "rows",
                Some("_view bars \"t\" struct row { int a, b; } rows[];"),
            ),
            ("struct row { int a; } rows[], other;", "rows", None),
            ("MINE(by);", "by", None),
            ("typeof(other) by, n;", "by", None),
            ("long n = by;", "by", None),
            (
                "_agg `by`, n;",
                "n",
                Some("_agg `by`; _view bars \"t\" _agg n;"),
            ),
        ] {
            assert_eq!(shown(text, name).as_deref(), expected, "{text}");
        }
    }
}
