//! `LINE | COMMAND`, `LINE > FILE`, `LINE >> FILE`; and how they are told from operators.

use ytrace_lang::fragment::{self, TextKind};

use super::After;
use super::lines::Prompt;
use super::names::{file_name, has_bare_blank};
use super::output::{Silent, deliver};

/// Where the output of one line goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Redirect {
    /// `| COMMAND`.
    Pipe(String),
    /// `> FILE`.
    File(String),
    /// `>> FILE`.
    Append(String),
    /// The name of a file is not right, in words.
    Wrong(String),
}

/// Splits a line at the last `>` or `>>`, or at the first `|` if there is one, that stands between blanks and outside of brackets, quotes
/// and comments. Whether it is meant so, or is an operator, is for others to say. A directive, and what ends with a `;`, is of the
/// language.
fn split_redirect(line: &str) -> Option<(&str, Redirect)> {
    let mut depth = 0_i64;
    let mut found = None;
    for part in fragment::spans(line) {
        let blank = |rest: Option<&str>, at_end: bool| {
            let c = rest.and_then(|rest| match at_end {
                true => rest.chars().next_back(),
                false => rest.chars().next(),
            });
            c.is_some_and(char::is_whitespace)
        };
        if part.kind != TextKind::Sign {
            continue;
        }
        let sign = line.get(part.range.clone()).unwrap_or_default();
        match sign {
            "#" | "##" if part.first => return None,
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            "|" | ">" | ">>" if depth == 0 => {
                let before = blank(line.get(..part.range.start), true);
                let after = blank(line.get(part.range.end..), false);
                if before && after {
                    found = Some((sign, part.range));
                }
                // Of a chain of programs the shell takes all.
                if matches!(found, Some(("|", _))) {
                    break;
                }
            }
            _ => {}
        }
    }
    let (sign, range) = found?;
    let left = line.get(..range.start)?.trim_end();
    let right = line.get(range.end..)?.trim().to_owned();
    if left.is_empty() || right.is_empty() || right.ends_with(';') {
        return None;
    }
    let redirect = match sign {
        "|" => Redirect::Pipe(right),
        _ if has_bare_blank(&right) && file_name(&right).is_ok() => return None,
        sign => match file_name(&right) {
            Ok(name) if sign == ">" => Redirect::File(name),
            Ok(name) => Redirect::Append(name),
            Err(why) => Redirect::Wrong(why),
        },
    };
    Some((left, redirect))
}

/// Whether a command takes an expression, in which `|` and `>` may be operators.
fn takes_expression(name: &str) -> bool {
    matches!(
        name,
        "p" | "p+" | "whatis" | "ptype" | "x" | "info symbol" | "info line" | ":what"
    )
}

impl Prompt<'_> {
    /// Where the output of a line goes, unless what looks so is an operator: a whole line that is right is what it says.
    pub(super) fn redirect<'l>(&mut self, line: &'l str) -> Option<(&'l str, Redirect)> {
        let (left, redirect) = split_redirect(line)?;
        let (whole, shown, expression) = match self.command(line) {
            Some(parsed) if takes_expression(parsed.name) => {
                let shown = self.command(left).map_or("", |parsed| parsed.rest);
                (parsed.rest.to_owned(), shown, true)
            }
            Some(parsed) if parsed.name == "probe" => (format!("_{line}"), left, false),
            Some(_) => return Some((left, redirect)),
            None => (line.to_owned(), left, false),
        };
        let is_right = self.with_last_values(&whole).is_ok_and(|whole| {
            let mut interactive = self.interactive.borrow_mut();
            match expression {
                true => interactive.is_expression(&whole, &mut Silent),
                false => interactive.is_right(&whole, &mut Silent),
            }
        });
        if is_right {
            return None;
        }
        // A slip behind an operator is not to assign what stands before it, nor to run what stands behind it.
        let slip = match fragment::is_closed(shown) {
            true => false,
            false => {
                fragment::assigns(shown)
                    || !expression && !self.interactive.borrow_mut().is_finished(shown)
            }
        };
        (!slip).then_some((left, redirect))
    }

    pub(super) fn run_redirected(&mut self, line: &str, redirect: &Redirect) -> After {
        if let Redirect::Wrong(why) = redirect {
            self.sink.error(why);
            return After::Wrong;
        }
        if let (Some(parsed), Redirect::File(name)) = (self.command(line), redirect)
            && parsed.name == ":view"
        {
            let done = self.view_file(parsed.rest, name);
            return self.after(done);
        }
        // `source FILE > OUT` has lines that are sent elsewhere.
        let outer = self.sink.kept.replace(Vec::new());
        let after = self.run_line(line);
        let kept = std::mem::replace(&mut self.sink.kept, outer).unwrap_or_default();
        // What went wrong has been said; there is nothing to read.
        if after == After::Wrong && kept.is_empty() {
            return after;
        }
        match deliver(&kept, redirect) {
            Ok(()) => after,
            Err(why) => {
                self.sink.error(&why);
                After::Wrong
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirections_are_told_from_operators() {
        let pipe = |command: &str| Redirect::Pipe(command.to_owned());
        for (line, expected) in [
            ("p a | less", Some(("p a", pipe("less")))),
            (
                "bt | grep x | head -3",
                Some(("bt", pipe("grep x | head -3"))),
            ),
            ("p a > f", Some(("p a", Redirect::File("f".to_owned())))),
            (
                "p a >> /tmp/f",
                Some(("p a", Redirect::Append("/tmp/f".to_owned()))),
            ),
            ("p a|b", None),
            ("p (a | b)", None),
            ("p f(\" | \")", None),
            ("p '|'", None),
            ("p a->b", None),
            ("p a > b c", None),
            (
                "p a > \"b c\"",
                Some(("p a", Redirect::File("b c".to_owned()))),
            ),
            (
                "p a >> b\\ c",
                Some(("p a", Redirect::Append("b c".to_owned()))),
            ),
            ("| less", None),
            ("p a || b", None),
            ("p a >= b", None),
            ("n = a > b;", None),
            ("#define M A | B", None),
            ("n++; // a > b", None),
            ("n++; /* a | b */", None),
            ("p s ~~ rx/a | b/", None),
            (
                "n; /* c */ > f",
                Some(("n; /* c */", Redirect::File("f".to_owned()))),
            ),
        ] {
            assert_eq!(split_redirect(line), expected, "{line}");
        }
        assert!(matches!(
            split_redirect("p a > \"q.txt"),
            Some(("p a", Redirect::Wrong(_)))
        ));
    }
}
