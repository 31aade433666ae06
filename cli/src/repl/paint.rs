//! The colours of the line that is being typed.

use std::collections::HashSet;
use std::sync::LazyLock;

use ytrace_lang::check::builtins;
use ytrace_lang::fragment::{self, TextKind};
use ytrace_runtime::interactive::WORDS;

use super::commands;

/// The longest line that has colours, in bytes: it is gone through at each letter.
const LONGEST: usize = 1 << 14;

const COMMAND: &str = "\x1b[1;36m";
const KEYWORD: &str = "\x1b[35m";
const BUILTIN: &str = "\x1b[36m";
const QUOTED: &str = "\x1b[32m";
const NUMBER: &str = "\x1b[33m";
const COMMENT: &str = "\x1b[2m";
const BRACKET: &str = "\x1b[1;34m";
const NONE: &str = "\x1b[0m";

/// The names of what the language has built in.
static BUILTINS: LazyLock<HashSet<&str>> = LazyLock::new(|| builtins::names().collect());

/// A line with colours; of its bracket at a place, which belongs to that at the cursor, with one of its own.
pub(crate) fn painted(line: &str, bracket: Option<usize>) -> String {
    if line.len() > LONGEST {
        return line.to_owned();
    }
    let mut text = String::with_capacity(line.len() * 2);
    let start = line.len() - line.trim_start().len();
    let command = start..start + command(line.trim_start());
    let mut from = command.end;
    text.push_str(line.get(..command.start).unwrap_or_default());
    paint(&mut text, COMMAND, line.get(command).unwrap_or_default());
    for part in fragment::spans(line) {
        if part.range.start < from {
            continue;
        }
        text.push_str(line.get(from..part.range.start).unwrap_or_default());
        from = part.range.end;
        let own = line.get(part.range.clone()).unwrap_or_default();
        let color = match part.kind {
            TextKind::Name if WORDS.contains(&own) => KEYWORD,
            TextKind::Name if own.starts_with('_') && own.len() > 1 => match own {
                own if BUILTINS.contains(own) => BUILTIN,
                "_probe" | "_if" | "_module" | "_timer" => KEYWORD,
                _ => "",
            },
            TextKind::Name | TextKind::Other => "",
            TextKind::Number => NUMBER,
            TextKind::Quoted => QUOTED,
            TextKind::Comment => COMMENT,
            TextKind::Sign if bracket == Some(part.range.start) => BRACKET,
            TextKind::Sign if part.first && own == "#" => KEYWORD,
            TextKind::Sign => "",
        };
        paint(&mut text, color, own);
    }
    text.push_str(line.get(from..).unwrap_or_default());
    text
}

/// How long the name of the command is that a line begins with.
fn command(line: &str) -> usize {
    match commands::parse(line) {
        Some(parsed) => {
            let rest = match parsed.format {
                "" => parsed.rest,
                _ => line.split_once('/').map_or("", |(_, rest)| rest),
            };
            let name = line.len() - rest.len();
            line.get(..name).map_or(0, |name| {
                name.trim_end_matches(|c: char| c == '/' || c.is_whitespace())
                    .len()
            })
        }
        None => 0,
    }
}

fn paint(text: &mut String, color: &str, own: &str) {
    match (color, own) {
        ("", own) => text.push_str(own),
        (_, "") => {}
        // What goes on in another line is coloured there, too.
        (color, own) => {
            for line in own.split_inclusive('\n') {
                let end = line.len() - line.trim_end_matches('\n').len();
                let (line, end) = line.split_at(line.len() - end);
                text.push_str(&format!("{color}{line}{NONE}{end}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let mut text = painted(line, None);
        for (color, mark) in [
            (COMMAND, "<c:"),
            (KEYWORD, "<k:"),
            (BUILTIN, "<b:"),
            (QUOTED, "<q:"),
            (NUMBER, "<n:"),
            (COMMENT, "<r:"),
            (NONE, ">"),
        ] {
            text = text.replace(color, mark);
        }
        text
    }

    #[test]
    fn what_is_typed_has_colours() {
        for (line, expected) in [
            ("p/x box.width + 0x10", "<c:p>/x box.width + <n:0x10>"),
            ("  info symbol main", "  <c:info symbol> main"),
            (
                "for (long n = 1; n; n++) // on",
                "<k:for> (<k:long> n = <n:1>; n; n++) <r:// on>",
            ),
            ("f(_tostr(p), \"a b", "f(<b:_tostr>(p), <q:\"a b>"),
            ("_probe main { n++; }", "<k:_probe> main { n++; }"),
            ("$1 + _ + _own", "$1 + _ + _own"),
            ("n /* a\nb */", "n <r:/* a>\n<r:b */>"),
            ("é § x", "é § x"),
            ("", ""),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
        let bracket = painted("f(a)", Some(3));
        assert_eq!(bracket, format!("f(a{BRACKET}){NONE}"));
    }

    #[test]
    fn nothing_but_colours_is_added() {
        for line in [
            "p+ a",
            ":what &x",
            "x/4x \"q",
            "list used limit 3",
            "probe f { '",
            "q",
        ] {
            let mut text = painted(line, Some(0));
            for color in [
                COMMAND, KEYWORD, BUILTIN, QUOTED, NUMBER, COMMENT, BRACKET, NONE,
            ] {
                text = text.replace(color, "");
            }
            assert_eq!(text, line);
        }
    }
}
