//! A declaration of a fragment, with a view in front of one of the variables that it declares.

use crate::lexer::{Token, TokenKind};

use super::tokens;

/// A declaration in which `head`, as `_view table "title"`, stands before one of the variables that it declares; of several that it declares
/// together, that one gets a declaration of its own. `None` where the text does not show how it is declared: it comes from a macro, or
/// stands beside others behind the body of a struct.
pub fn with_view(declaration: &str, name: &str, head: &str) -> Option<String> {
    let found = Declarators::of(declaration)?;
    found.parts.iter().find(|part| part.declares(name))?;
    if found.parts.len() == 1 {
        return Some(format!("{head} {declaration}"));
    }
    let base = found.base?;
    let parts = found.parts.iter().map(|part| match part.declares(name) {
        true => format!("{head} {base} {};", part.text),
        false => format!("{base} {};", part.text),
    });
    Some(parts.collect::<Vec<_>>().join(" "))
}

/// What a declaration of several variables declares besides those of these names. `None` where the text does not show that: as of a view of one,
/// or where nothing is left.
pub fn without(declaration: &str, names: &[String]) -> Option<String> {
    let found = Declarators::of(declaration)?;
    let base = found.base?;
    let is_taken = |part: &&Declarator<'_>| names.iter().any(|name| part.declares(name));
    let left = found.parts.iter().filter(|part| !is_taken(part));
    let left: Vec<&str> = left.map(|part| part.text).collect();
    let is_whole = left.len() == found.parts.len();
    (!left.is_empty() && !is_whole).then(|| format!("{base} {};", left.join(", ")))
}

/// A declaration of variables, taken apart.
struct Declarators<'t> {
    /// What stands before the first variable; `None` where it cannot stand before the others as well.
    base: Option<&'t str>,
    parts: Vec<Declarator<'t>>,
}

/// One of the variables, with its initializer.
struct Declarator<'t> {
    text: &'t str,
    /// The names in it, but for those in brackets and initializers.
    names: Vec<&'t str>,
}

impl Declarator<'_> {
    fn declares(&self, name: &str) -> bool {
        self.names.contains(&name)
    }
}

impl<'t> Declarators<'t> {
    fn of(declaration: &'t str) -> Option<Self> {
        let (all, _) = tokens(declaration);
        let all: Vec<&Token> = all
            .iter()
            .filter(|token| token.kind != TokenKind::Documentation)
            .collect();
        let end = all.iter().rposition(|token| token.is(";"))?;
        let all = all.get(..end)?;
        let text = |token: &Token| {
            let quoted = token.kind == TokenKind::Quoted;
            let text = declaration.get(token.span.start as usize..token.span.end as usize)?;
            Some(if quoted { text.trim_matches('`') } else { text })
        };
        let mut depth = 0_i64;
        let mut commas = Vec::new();
        // Names stand in no initializer, and in no bracket.
        let mut named: Vec<(usize, &str)> = Vec::new();
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
            if depth == 0 && !initializer && is_name {
                named.push((at, text(token)?));
            }
        }
        let start_of = |at: usize| Some(all.get(at)?.span.start as usize);
        let end_of = |at: usize| Some(all.get(at)?.span.end as usize);
        let names_in = |range: std::ops::Range<usize>| {
            let inside = named.iter().filter(|(at, _)| range.contains(at));
            inside.map(|(_, name)| *name).collect()
        };
        if commas.is_empty() {
            return Some(Self {
                base: None,
                parts: vec![Declarator {
                    text: declaration,
                    names: names_in(0..all.len()),
                }],
            });
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
            parts.push(Declarator {
                text: declaration.get(start_of(from)?..end_of(to.checked_sub(1)?)?)?,
                names: names_in(from..to),
            });
            from = to + 1;
        }
        Some(Self {
            base: Some(base),
            parts,
        })
    }
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

    #[test]
    fn what_is_declared_anew_is_left_out() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        for (text, taken, expected) in [
            ("long calls, bytes;", &["calls"][..], Some("long bytes;")),
            (
                "static long n = f(1, 2), *by[_str, int], m;",
                &["by"],
                Some("static long n = f(1, 2), m;"),
            ),
            ("long `a`, b;", &["a"], Some("long b;")),
            ("long a, b;", &["a", "b"], None),
            ("long a = b, c;", &["b"], None),
            ("long a;", &["a"], None),
            ("struct pair { int a; } p, q;", &["p"], None),
        ] {
            assert_eq!(without(text, &names(taken)).as_deref(), expected, "{text}");
        }
    }
}
