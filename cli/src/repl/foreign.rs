//! What users of gdb type and what is called otherwise here.

use ytrace_lang::abi::register_number;
use ytrace_lang::fragment;

use super::heap;

/// What is here instead of a command that there is not: what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advice {
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// Commands of gdb, and what does the like here.
const FOREIGN: &[(&[&str], &str)] = &[
    (
        &["frame", "f", "up", "down", "locals"],
        "`bt` shows all frames; expressions see variables of the whole program, not of a frame",
    ),
    (
        &["disassemble", "disas"],
        "`x/20i FUNCTION` shows instructions",
    ),
    (
        &[
            "break",
            "b",
            "tbreak",
            "hbreak",
            "watch",
            "rwatch",
            "awatch",
            "catch",
            "delete",
            "display",
            "undisplay",
        ],
        "`probe FUNCTION { … }` does something at each call, `:probes` lists probes and `:detach` takes them away",
    ),
    (
        &[
            "continue", "c", "step", "s", "stepi", "next", "n", "nexti", "finish", "until", "run",
            "r", "start", "kill", "call", "jump",
        ],
        "the process runs all the time, and nothing is changed in it; `:freeze` takes a snapshot of it",
    ),
    (
        &["set"],
        "the process is only read; variables that are declared here are given values as in C: `long n = 3;`",
    ),
    (
        &["show", "file", "attach", "core", "symbol-file"],
        "the target and its options are given when `ytrace repl` starts; `ytrace repl --help` lists them",
    ),
    (
        &["detach"],
        "`:detach` takes probes away, `quit` ends the session",
    ),
    (&["apropos", "h"], "`help` lists the commands"),
];

/// What to say of a line that is no right text of the language and begins as a command of gdb, or as one of those here without what
/// belongs to it.
pub(crate) fn advice(line: &str) -> Option<Advice> {
    let line = line.trim();
    // What is of the language has its own errors.
    if line.contains([';', '{', '=']) {
        return None;
    }
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let advice = |message: String, hint: &str| {
        Some(Advice {
            message,
            hint: hint.to_owned(),
        })
    };
    if let Some(name) = first.strip_prefix(':') {
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        return advice(
            format!("there is no command `{first}`"),
            "`help` lists them",
        );
    }
    // An operator behind it makes it a name of the program.
    if !rest.is_empty()
        && !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "_$*&/-".contains(c))
    {
        return None;
    }
    if matches!(first, "info" | "i") {
        return advice(
            match rest {
                "" => "`info` of what?".to_owned(),
                rest => format!("there is no `info {rest}`"),
            },
            "there is `info symbol ADDRESS`, `info line ADDRESS`, `info threads`; `bt` shows the stack, `_reg(\"rsp\")` is a register, `ptype` shows types",
        );
    }
    if heap::verb(first).is_some() {
        return advice(
            match rest {
                "" => format!("`{first}` of which blocks?"),
                rest => format!("`{rest}` begins with no set of blocks"),
            },
            "sets are used, free, leaked, incoming ADDRESS, outgoing ADDRESS",
        );
    }
    let (_, hint) = FOREIGN.iter().find(|(names, _)| names.contains(&first))?;
    advice(format!("there is no command `{first}`"), hint)
}

/// Registers by the names that gdb has for them on all processors.
const REGISTERS: [(&str, &str); 3] = [("pc", "rip"), ("sp", "rsp"), ("fp", "rbp")];

/// A line with `$` and `$$` as the last value and the one before it, `$$3` as the third before it, and `$rip` as that register, as gdb has them.
/// `last` is the number of the last value. The error is in words.
pub(crate) fn with_last_values(line: &str, last: Option<usize>) -> Result<String, String> {
    if !line.contains('$') || fragment::has_captures(line) {
        return Ok(line.to_owned());
    }
    let mut text = String::with_capacity(line.len());
    let mut quote = None;
    let mut rest = line;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match quote {
            Some(_) if c == '\\' => {
                taken += rest.chars().nth(1).map_or(0, char::len_utf8);
            }
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if c == '$' && !before.is_ascii_alphanumeric() && before != '_' => {
                let double = rest.starts_with("$$");
                let behind = rest.get(if double { 2 } else { 1 }..).unwrap_or_default();
                let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
                let (number, after) = behind.split_at(digits);
                let is_name = after.starts_with(|c: char| c.is_alphanumeric() || "_$".contains(c));
                let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
                let (word, behind_word) =
                    behind.split_at(behind.find(ends).unwrap_or(behind.len()));
                if let Some(register) = register(word).filter(|_| !double) {
                    text.push_str(&format!("_reg(\"{register}\")"));
                    before = ')';
                    rest = behind_word;
                    continue;
                }
                if !is_name && (double || digits == 0) {
                    let back = match (double, number) {
                        (false, _) => 0,
                        (true, "") => 1,
                        (true, number) => number.parse().unwrap_or(usize::MAX),
                    };
                    let wanted = last.and_then(|last| last.checked_sub(back));
                    let wanted = wanted.filter(|number| *number > 0);
                    let written = rest.len() - after.len();
                    let written = rest.get(..written).unwrap_or_default();
                    let Some(wanted) = wanted else {
                        return Err(match last {
                            None => format!("`{written}`: no value has been shown yet"),
                            Some(last) => format!("`{written}`: the last value is `${last}`"),
                        });
                    };
                    text.push_str(&format!("${wanted}"));
                    before = '0';
                    rest = after;
                    continue;
                }
            }
            None => {}
        }
        text.push_str(rest.get(..taken).unwrap_or_default());
        before = c;
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(text)
}

/// The register that gdb has by a name.
fn register(name: &str) -> Option<&str> {
    let other = REGISTERS.iter().find(|(known, _)| *known == name);
    let name = other.map_or(name, |(_, register)| *register);
    register_number(name).map(|_| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_gdb_are_known_from_the_language() {
        for (line, part) in [
            ("info locals", "info symbol"),
            ("info registers", "_reg"),
            ("i r", "info threads"),
            ("disassemble add", "x/20i"),
            ("frame 1", "`bt`"),
            ("up", "`bt`"),
            ("count foo", "used, free, leaked"),
            ("list", "used, free, leaked"),
            ("b main", "probe"),
            (":frezee", "help"),
        ] {
            let told = advice(line).unwrap_or_else(|| panic!("{line}"));
            assert!(told.hint.contains(part), "{line}: {told:?}");
        }
        for line in [
            "up = 3",
            "up + 1",
            "frame->next",
            "frame (1)",
            "info;",
            "struct info x;",
            "set[3]",
            "number",
        ] {
            assert_eq!(advice(line), None, "{line}");
        }
    }

    #[test]
    fn the_last_values() {
        let with = |line| with_last_values(line, Some(5));
        for (line, expected) in [
            ("$", "$5"),
            ("p $->next", "p $5->next"),
            ("$.a + $$.b", "$5.a + $4.b"),
            ("$$2 * $3", "$3 * $3"),
            ("\"$\" '$' `$`", "\"$\" '$' `$`"),
            ("x/i $pc", "x/i _reg(\"rip\")"),
            ("$rsp+8", "_reg(\"rsp\")+8"),
            ("$ripe", "$ripe"),
            ("a$", "a$"),
            ("f($, $1)", "f($5, $1)"),
            ("s ~~ rx/a$/", "s ~~ rx/a$/"),
        ] {
            assert_eq!(with(line).as_deref(), Ok(expected), "{line}");
        }
        assert!(with("$$7").unwrap_err().contains("`$5`"));
        assert!(
            with_last_values("$", None)
                .unwrap_err()
                .contains("no value")
        );
    }
}
