//! Names of a fragment that were declared several times, and are written otherwise the second time.

use crate::lexer::{Token, TokenKind};

use super::{replaced, tokens};

/// The names that a text mentions and may have declared, tags as `struct name`, `union name` and `enum name`; not the members of structs.
pub fn used_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    each_name(text, &mut |name, _| names.push(name.to_owned()));
    names
}

/// The text with such names written otherwise, where `other` says how; of a tag only what follows `struct`.
pub fn with_other_names(text: &str, other: &dyn Fn(&str) -> Option<String>) -> String {
    let mut others = Vec::new();
    each_name(text, &mut |name, token| {
        others.extend(other(name).map(|written| (token.span, written)));
    });
    replaced(text, others)
}

/// The macros that a text defines, and those that it takes away.
pub fn macros(text: &str) -> (Vec<String>, Vec<String>) {
    let (all, _) = tokens(text);
    let (mut defined, mut undefined) = (Vec::new(), Vec::new());
    for (at, hash) in all.iter().enumerate() {
        if !(hash.first && hash.is("#")) {
            continue;
        }
        let (Some(word), Some(name)) = (all.get(at + 1), all.get(at + 2)) else {
            continue;
        };
        match &*word.text {
            "define" => defined.push(name.text.to_string()),
            "undef" => undefined.push(name.text.to_string()),
            _ => {}
        }
    }
    (defined, undefined)
}

/// A declaration of one variable with an initializer that can be assigned: without it, and the assignment. `None` for any other.
pub fn split_initializer(declaration: &str) -> Option<(String, String)> {
    let (all, _) = tokens(declaration);
    let mut depth = 0_i64;
    let mut equals = None;
    for (at, token) in all.iter().enumerate() {
        if token.kind != TokenKind::Punctuator {
            continue;
        }
        match &*token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            "," if depth == 0 => return None,
            "=" if depth == 0 && equals.is_none() => equals = Some(at),
            _ => {}
        }
    }
    let equals = equals?;
    let name = all.get(equals.checked_sub(1)?)?;
    let first = all.get(equals + 1)?;
    if name.kind != TokenKind::Identifier || first.is("{") {
        return None;
    }
    let start = name.span.start as usize;
    let end = name.span.end as usize;
    Some((
        format!("{};", declaration.get(..end)?),
        declaration.get(start..)?.to_owned(),
    ))
}

fn each_name(text: &str, found: &mut dyn FnMut(&str, &Token)) {
    let (all, _) = tokens(text);
    // Of each brace that is open, whether it is the body of a struct or union.
    let mut bodies: Vec<bool> = Vec::new();
    for (at, token) in all.iter().enumerate() {
        let before = |distance: usize| at.checked_sub(distance).and_then(|at| all.get(at));
        let is_record = |token: Option<&Token>| {
            token.is_some_and(|token| token.is_word("struct") || token.is_word("union"))
        };
        if token.is("{") {
            bodies.push(is_record(before(1)) || is_record(before(2)));
        } else if token.is("}") {
            bodies.pop();
        }
        let is_name = matches!(token.kind, TokenKind::Identifier | TokenKind::Quoted);
        if !is_name || token.prefix.is_some() {
            continue;
        }
        if before(1).is_some_and(|last| last.is(".") || last.is("->")) {
            continue;
        }
        let declares_member = bodies.last() == Some(&true)
            && all
                .get(at + 1)
                .is_some_and(|next| [";", ",", "[", ":", ")"].iter().any(|sign| next.is(sign)));
        if declares_member {
            continue;
        }
        match before(1).map(|last| &*last.text) {
            Some(keyword @ ("struct" | "union" | "enum")) => {
                found(&format!("{keyword} {}", token.text), token);
            }
            _ => found(&token.text, token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_no_members_are_written_otherwise() {
        let other = |name: &str| match name {
            "k" => Some("k_2".to_owned()),
            "struct k" => Some("k_3".to_owned()),
            "count" => Some("count_2".to_owned()),
            _ => None,
        };
        for (text, wanted) in [
            ("k += a.k + p->k;", "k_2 += a.k + p->k;"),
            (
                "struct k { int k; count n[k]; } s = { .k = k };",
                "struct k_3 { int k; count_2 n[k_2]; } s = { .k = k_2 };",
            ),
            ("#define twice(x) (k * x)", "#define twice(x) (k_2 * x)"),
            ("printf(\"k %d\", `k`);", "printf(\"k %d\", k_2);"),
        ] {
            assert_eq!(with_other_names(text, &other), wanted);
        }
    }

    #[test]
    fn macros_that_come_and_go() {
        let text = "#define a 1\n#if b\n# define c(x) x\n#endif\n#undef d";
        assert_eq!(
            macros(text),
            (vec!["a".to_owned(), "c".to_owned()], vec!["d".to_owned()])
        );
    }

    #[test]
    fn an_initializer_becomes_an_assignment() {
        let split = |text| split_initializer(text);
        assert_eq!(
            split("long m = n * 2;"),
            Some(("long m;".to_owned(), "m = n * 2;".to_owned()))
        );
        for text in ["long m;", "int a = 1, b = 2;", "int a[2] = { 1, 2 };"] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
