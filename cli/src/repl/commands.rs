//! The commands of the prompt, as users of gdb type them, and how lines are told from expressions.

use ytrace_runtime::interactive::Radix;

use super::heap;

/// A command with what `help` says of it.
pub(crate) struct Entry {
    /// Its names, the usual one first.
    pub(crate) names: &'static [&'static str],
    /// What follows it.
    pub(crate) arguments: &'static str,
    /// What it does.
    pub(crate) help: &'static str,
}

/// All commands.
pub(crate) const COMMANDS: &[Entry] = &[
    Entry {
        names: &["p", "print"],
        arguments: "[/FMT] EXPR",
        help: "the value of an expression, which a line alone gives too; FMT is x d u o t (binary) c a (address)",
    },
    Entry {
        names: &["p+"],
        arguments: "EXPR",
        help: "the same, and what the pointers in it lead to",
    },
    Entry {
        names: &["whatis"],
        arguments: "EXPR|TYPE",
        help: "the type of an expression",
    },
    Entry {
        names: &["ptype"],
        arguments: "EXPR|TYPE",
        help: "what a type is made of, with offsets and sizes",
    },
    Entry {
        names: &["x"],
        arguments: "[/NFU] ADDRESS",
        help: "memory: N units, format x d u o t c a s (string) i (instruction), unit b h w g; without an address what follows",
    },
    Entry {
        names: &["info symbol"],
        arguments: "ADDRESS",
        help: "the function or variable at an address",
    },
    Entry {
        names: &["info line"],
        arguments: "ADDRESS|FUNCTION",
        help: "the source line of code",
    },
    Entry {
        names: &["info threads", "threads"],
        arguments: "",
        help: "the threads",
    },
    Entry {
        names: &["thread"],
        arguments: "[TID]",
        help: "the thread whose stack `bt` shows, or choose it",
    },
    Entry {
        names: &["bt", "backtrace", "where"],
        arguments: "[N]",
        help: "the stack of that thread, N frames of it; it is stopped for a moment",
    },
    Entry {
        names: &[":what"],
        arguments: "ADDRESS",
        help: "what an address is: mapping, stack, symbol, block of an allocator, pool, object",
    },
    Entry {
        names: &["count"],
        arguments: heap::ARGUMENTS,
        help: "how many blocks of the heap are used, free, leaked, incoming ADDRESS or outgoing ADDRESS, and their bytes",
    },
    Entry {
        names: &["list"],
        arguments: heap::ARGUMENTS,
        help: "such blocks, a line each",
    },
    Entry {
        names: &["summarize"],
        arguments: heap::ARGUMENTS,
        help: "such blocks by type and size",
    },
    Entry {
        names: &["describe"],
        arguments: heap::ARGUMENTS,
        help: "such blocks, what `:what` says of each",
    },
    Entry {
        names: &[":freeze"],
        arguments: "",
        help: "take a snapshot that all later lines see, until `:thaw`; the pause is told",
    },
    Entry {
        names: &[":thaw"],
        arguments: "",
        help: "see the target as it is now again",
    },
    Entry {
        names: &["probe"],
        arguments: "HEAD { … }",
        help: "attach a probe (`_probe` of the language): what it prints comes while lines are typed, and its variables are those of the prompt",
    },
    Entry {
        names: &[":probes"],
        arguments: "",
        help: "the probes that are attached, with their hits",
    },
    Entry {
        names: &[":detach"],
        arguments: "[N]",
        help: "take a probe away, or all",
    },
    Entry {
        names: &[":wait"],
        arguments: "TIME",
        help: "let probes run for so long (5s, 200ms), or until Ctrl-C, before the next line",
    },
    Entry {
        names: &[":view"],
        arguments: "KIND [\"TITLE\" [\"UNIT\"]] VARIABLE",
        help: "what a variable that was declared here holds, as `_view` of a probe file shows it: table, bars, pie, histogram, flamegraph, heapmap; `> FILE` writes .svg, .html, .json …",
    },
    Entry {
        names: &[":save"],
        arguments: "FILE",
        help: "write what was typed as a probe file for `ytrace run`",
    },
    Entry {
        names: &["source"],
        arguments: "FILE",
        help: "run the lines of a file",
    },
    Entry {
        names: &["help"],
        arguments: "[COMMAND]",
        help: "this list",
    },
    Entry {
        names: &["quit", "q", "exit"],
        arguments: "",
        help: "end the session, as Ctrl-D does",
    },
];

/// A line that is a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parsed<'l> {
    /// The usual name.
    pub(crate) name: &'static str,
    /// What follows `/`.
    pub(crate) format: &'l str,
    /// The rest.
    pub(crate) rest: &'l str,
}

/// The command that a line is, if it is one.
pub(crate) fn parse(line: &str) -> Option<Parsed<'_>> {
    let line = line.trim();
    let mut best: Option<(&'static str, &str)> = None;
    for entry in COMMANDS {
        for name in entry.names {
            let Some(rest) = line.strip_prefix(name) else {
                continue;
            };
            let ends = rest.is_empty()
                || rest.starts_with(char::is_whitespace)
                || rest.starts_with('/') && matches!(*name, "p" | "print" | "x");
            // Programs have variables of these names.
            let meant = heap::verb(name).is_none() || heap::begins_with_set(rest);
            let longer = best.is_none_or(|(_, other)| rest.len() < other.len());
            if ends && meant && longer {
                best = Some((entry.names.first().copied().unwrap_or(name), rest));
            }
        }
    }
    let (name, rest) = best?;
    // It has a body; anything else is a name.
    if name == "probe" && !rest.contains('{') {
        return None;
    }
    let (format, rest) = match rest.strip_prefix('/') {
        Some(rest) => {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            rest.split_at(end)
        }
        None => ("", rest),
    };
    let rest = rest.trim();
    // A variable of that name is assigned to.
    let assigned = rest.trim_start_matches(['+', '-', '*', '/', '%', '&', '|', '^', '<', '>']);
    if assigned.starts_with('=') && !assigned.starts_with("==") {
        return None;
    }
    Some(Parsed { name, format, rest })
}

/// Whether a line is a command, so that no bracket of it is waited for.
pub(crate) fn is_command(line: &str) -> bool {
    let Some(parsed) = parse(line) else {
        return false;
    };
    !matches!(parsed.name, "p" | "p+" | "whatis" | "ptype" | "x" | "probe")
}

/// What the letters of `p/FMT` mean.
pub(crate) fn radix(letter: char) -> Option<Radix> {
    Some(match letter {
        'x' => Radix::Hexadecimal,
        'd' | 'i' => Radix::Decimal,
        'u' => Radix::Unsigned,
        'o' => Radix::Octal,
        't' => Radix::Binary,
        'c' => Radix::Character,
        'a' => Radix::Address,
        _ => return None,
    })
}

/// How `x` shows memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dump {
    /// How many units.
    pub(crate) count: u64,
    /// A letter of [`radix`], or `s`.
    pub(crate) format: char,
    /// Bytes of a unit: 1, 2, 4, 8.
    pub(crate) unit: usize,
}

/// The most units of one `x`.
const MOST_UNITS: u64 = 1 << 16;

/// What `x/16xg` says; what it leaves out is as it was in `before`. The error is in words.
pub(crate) fn dump(text: &str, before: Dump) -> Result<Dump, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, letters) = text.split_at(digits);
    let mut dump = Dump {
        count: match count {
            "" => 1,
            count => count.parse().unwrap_or(u64::MAX),
        },
        ..before
    };
    if dump.count > MOST_UNITS {
        return Err(format!("`x` shows at most {MOST_UNITS} units"));
    }
    for letter in letters.chars() {
        match letter {
            'b' => dump.unit = 1,
            'h' => dump.unit = 2,
            'w' => dump.unit = 4,
            'g' => dump.unit = 8,
            's' | 'i' => dump.format = letter,
            letter if radix(letter).is_some() => {
                dump.format = letter;
                match letter {
                    'a' => dump.unit = 8,
                    'c' if !letters.contains(['h', 'w', 'g']) => dump.unit = 1,
                    _ => {}
                }
            }
            _ => {
                return Err(format!(
                    "`x` has no format and no unit `{letter}`: x d u o t c a s i, b h w g"
                ));
            }
        }
    }
    Ok(dump)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_expressions() {
        let named = |line| parse(line).map(|parsed| (parsed.name, parsed.format, parsed.rest));
        assert_eq!(named("p a + b"), Some(("p", "", "a + b")));
        assert_eq!(named(" print/x  a "), Some(("p", "x", "a")));
        assert_eq!(named("x/16xg &a"), Some(("x", "16xg", "&a")));
        assert_eq!(named("p+ *q"), Some(("p+", "", "*q")));
        assert_eq!(named("info symbol main"), Some(("info symbol", "", "main")));
        assert_eq!(named("where"), Some(("bt", "", "")));
        assert_eq!(named("q"), Some(("quit", "", "")));
        assert_eq!(
            named("probe main { n++; }"),
            Some(("probe", "", "main { n++; }"))
        );
        for line in [
            "probe",
            "probe + 1",
            "p->next",
            "x = 1;",
            "x += 2",
            "pool",
            "p+1",
            "bt1",
            "info",
            "quits",
        ] {
            assert_eq!(named(line), None, "{line}");
        }
    }

    #[test]
    fn units_of_memory() {
        let before = Dump {
            count: 1,
            format: 'x',
            unit: 4,
        };
        let all = |text: &str| dump(text, before).map(|d| (d.count, d.format, d.unit));
        assert_eq!(all("16xg"), Ok((16, 'x', 8)));
        assert_eq!(all(""), Ok((1, 'x', 4)));
        assert_eq!(all("3s"), Ok((3, 's', 4)));
        assert_eq!(all("2a"), Ok((2, 'a', 8)));
        assert_eq!(all("4c"), Ok((4, 'c', 1)));
        assert!(all("99999999999999999999x").is_err() && all("z").is_err());
    }
}
