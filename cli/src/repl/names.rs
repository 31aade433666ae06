//! Names of files as they are typed.

use std::path::PathBuf;

/// The file that a typed name means: in quotes or not, a backslash before what would have a meaning, `~/` for the home directory. Blanks
/// without quotes belong to the name. The error is in words.
pub(crate) fn file_name(typed: &str) -> Result<String, String> {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    named(typed, home)
}

fn named(typed: &str, home: impl Fn() -> Option<PathBuf>) -> Result<String, String> {
    let typed = typed.trim();
    let mut name = String::new();
    let mut quote = None;
    let mut characters = typed.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), c) => name.push(c),
            (Some(_), '\\') => match characters.next() {
                Some(c @ ('"' | '\\')) => name.push(c),
                other => {
                    name.push('\\');
                    name.extend(other);
                }
            },
            (None, '\\') => match characters.next() {
                Some(c) => name.push(c),
                None => return Err(format!("{typed}: a backslash stands at the end of a name")),
            },
            (None, '"' | '\'') => quote = Some(c),
            (_, c) => name.push(c),
        }
    }
    if let Some(open) = quote {
        return Err(format!("{typed}: the name lacks its second {open}"));
    }
    if name.is_empty() && !typed.is_empty() {
        return Err("the name of the file is empty".to_owned());
    }
    // In quotes it is a character as any other.
    let below = match typed {
        "~" => Some(""),
        typed if typed.starts_with("~/") => name.strip_prefix("~/"),
        _ => None,
    };
    match below {
        None => Ok(name),
        Some(below) => match home() {
            Some(home) => Ok(home.join(below).display().to_string()),
            None => Err(format!("{typed}: HOME does not say where `~` is")),
        },
    }
}

/// Whether a typed name has a blank that is neither in quotes nor behind a backslash.
pub(crate) fn has_bare_blank(typed: &str) -> bool {
    let mut quote = None;
    let mut escaped = false;
    for c in typed.chars() {
        match quote {
            _ if escaped => escaped = false,
            _ if c == '\\' && quote != Some('\'') => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if c.is_whitespace() => return true,
            None => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_a_shell_has_them() {
        let of = |typed| named(typed, || Some(PathBuf::from("/home/me")));
        for (typed, expected) in [
            ("a.svg", "a.svg"),
            ("\"out 2.txt\"", "out 2.txt"),
            ("'out 2.txt'", "out 2.txt"),
            ("out\\ 3.txt", "out 3.txt"),
            ("sp ace.y", "sp ace.y"),
            ("\"a\\\"b\\c\"", "a\"b\\c"),
            ("~/x", "/home/me/x"),
            ("~/\"a b\"", "/home/me/a b"),
            ("'~/x'", "~/x"),
            ("~x", "~x"),
            ("./~/x", "./~/x"),
            ("", ""),
        ] {
            assert_eq!(of(typed).as_deref(), Ok(expected), "{typed}");
        }
        for typed in ["\"q.txt", "'q", "a\\", "\"\""] {
            assert!(of(typed).is_err(), "{typed}");
        }
        assert!(named("~/x", || None).unwrap_err().contains("HOME"));
        assert!(has_bare_blank("a b") && has_bare_blank("\"a\" b"));
        assert!(!has_bare_blank("\"a b\"") && !has_bare_blank("a\\ b"));
    }
}
