//! Which call is being typed, for the prototype that is shown beside it.

/// The function whose arguments are being typed at the end of a text.
pub(crate) fn called(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut open: Vec<usize> = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate() {
        if let Some(end) = quote {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                _ if *byte == end => quote = None,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' | b'\'' => quote = Some(*byte),
            b'(' | b'[' | b'{' => open.push(at),
            b')' | b']' | b'}' => drop(open.pop()),
            _ => {}
        }
    }
    // Brackets of expressions within the arguments have no name before them.
    open.into_iter()
        .rev()
        .filter(|at| bytes.get(*at) == Some(&b'('))
        .find_map(|at| name_before(text.get(..at)?))
}

/// The name that ends a text, if one does, and it is no word of the language.
fn name_before(text: &str) -> Option<&str> {
    let text = text.trim_end();
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let length = text.bytes().rev().take_while(|byte| word(byte)).count();
    let name = text.get(text.len() - length..)?;
    let keyword = matches!(
        name,
        "if" | "while" | "for" | "switch" | "sizeof" | "typeof" | "return" | "_if"
    );
    let named = name
        .bytes()
        .next()
        .is_some_and(|first| !first.is_ascii_digit());
    (named && !keyword).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_that_is_open_is_found() {
        for (text, expected) in [
            ("ngx_palloc(", Some("ngx_palloc")),
            ("p f (a, g(b), ", Some("f")),
            ("f(a, (b + ", Some("f")),
            ("f(g(", Some("g")),
            ("f(\"(\", ')', ", Some("f")),
            ("f(a[", Some("f")),
            ("f(a)", None),
            ("if (x", None),
            ("(a", None),
            ("1(", None),
            ("while (f(", Some("f")),
        ] {
            assert_eq!(called(text), expected, "{text}");
        }
    }
}
