//! Heap questions as they are typed: `count`, `list`, `summarize` or `describe`, a set of blocks, and what they are restricted to.

use ytrace_runtime::interactive::{HeapQuestion, HeapSet, HeapVerb, Question};

use super::lines::{Prompt, Wrong};
use crate::arguments::parse_size;

/// The sets, as they are typed.
const SETS: &[&str] = &["used", "free", "leaked", "incoming", "outgoing"];

/// The words that a restriction begins with.
const RESTRICTIONS: &[&str] = &["size", "type", "first", "limit"];

/// The most words of `first`.
const MOST_WORDS: usize = 64;

/// What is said of the sets and restrictions in the list of commands.
pub(crate) const ARGUMENTS: &str = "SET [size FROM..TO] [type PATTERN] [first WORD,…] [limit N]";

/// The verb that a name is.
pub(crate) fn verb(name: &str) -> Option<HeapVerb> {
    Some(match name {
        "count" => HeapVerb::Count,
        "list" => HeapVerb::List,
        "summarize" => HeapVerb::Summarize,
        "describe" => HeapVerb::Describe,
        _ => return None,
    })
}

/// Whether what follows a verb makes the line a question: the target may have variables named as the verbs are.
pub(crate) fn begins_with_set(rest: &str) -> bool {
    let word = rest.split_whitespace().next();
    word.is_some_and(|word| SETS.contains(&word))
}

/// What can follow a text that begins with a verb: where the word at its end begins, and the words.
pub(crate) fn completions(text: &str) -> Option<(usize, Vec<&'static str>)> {
    let (name, rest) = text.split_once(char::is_whitespace)?;
    verb(name)?;
    let start = text.rfind(char::is_whitespace)? + 1;
    let word = text.get(start..)?;
    let first = !rest.trim_start().contains(char::is_whitespace);
    if !first && !begins_with_set(rest) {
        return None;
    }
    let words = if first { SETS } else { RESTRICTIONS };
    let fitting = words.iter().filter(|one| one.starts_with(word)).copied();
    let found: Vec<&str> = fitting.collect();
    (!found.is_empty()).then_some((start, found))
}

/// A question as it is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Typed<'l> {
    set: &'l str,
    /// The expression behind the set.
    address: &'l str,
    sizes: (u64, u64),
    of_type: Option<&'l str>,
    first: Vec<&'l str>,
    limit: Option<u64>,
}

/// Where words begin that are no part of brackets or quotes, and where they end.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut depth = 0_i32;
    let mut quote = None;
    let mut start = None;
    for (at, c) in text.char_indices() {
        let outside = depth == 0 && quote.is_none();
        if c.is_whitespace() && outside {
            words.extend(start.take().map(|start| (start, at)));
            continue;
        }
        start.get_or_insert(at);
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            _ => {}
        }
    }
    words.extend(start.map(|start| (start, text.len())));
    words
}

/// Reads what follows the verb; the error is in words.
fn read(text: &str) -> Result<Typed<'_>, String> {
    let all = words(text);
    let word = |at: usize| {
        let (start, end) = all.get(at).copied()?;
        text.get(start..end)
    };
    let set = word(0).ok_or_else(|| format!("a set is missing: {}", SETS.join(", ")))?;
    if !SETS.contains(&set) {
        return Err(format!("there is no set `{set}`: {}", SETS.join(", ")));
    }
    // From each restriction to the next; what stands before the first belongs to the set.
    let marks: Vec<usize> = (1..all.len())
        .filter(|at| word(*at).is_some_and(|word| RESTRICTIONS.contains(&word)))
        .collect();
    let between = |from: usize, to: Option<&usize>| {
        let last = to.copied().unwrap_or(all.len()).checked_sub(1)?;
        let (start, _) = *all.get(from)?;
        let (_, end) = *all.get(last)?;
        text.get(start..end)
    };
    let mut typed = Typed {
        set,
        address: between(1, marks.first()).unwrap_or_default(),
        sizes: (0, u64::MAX),
        of_type: None,
        first: Vec::new(),
        limit: None,
    };
    let wants_address = matches!(set, "incoming" | "outgoing");
    match (wants_address, typed.address) {
        (true, "") => return Err(format!("an address is missing: `{set} ADDRESS`")),
        (false, unknown) if !unknown.is_empty() => {
            return Err(format!(
                "`{unknown}` is no restriction: {}",
                RESTRICTIONS.join(", ")
            ));
        }
        _ => {}
    }
    for (index, mark) in marks.iter().enumerate() {
        let name = word(*mark).unwrap_or_default();
        let value = between(mark + 1, marks.get(index + 1)).unwrap_or_default();
        if value.is_empty() {
            return Err(format!("`{name}` lacks a value"));
        }
        match name {
            "size" => typed.sizes = sizes(value)?,
            "type" => typed.of_type = Some(unquoted(value)),
            "first" => {
                typed.first = value.split(',').map(str::trim).collect();
                if typed.first.len() > MOST_WORDS {
                    return Err(format!("`first` takes {MOST_WORDS} words at most"));
                }
            }
            _ => {
                let limit = value
                    .parse()
                    .map_err(|_| format!("`{value}` is no number of lines"));
                typed.limit = Some(limit?);
            }
        }
    }
    Ok(typed)
}

/// `64`, `64..4K`, `64..`, `..4K`: both ends belong to it.
fn sizes(text: &str) -> Result<(u64, u64), String> {
    let size = |text: &str| parse_size(text).map_err(|why| format!("`size {text}`: {why}"));
    let Some((from, to)) = text.split_once("..") else {
        let size = size(text)?;
        return Ok((size, size));
    };
    let from = match from.trim() {
        "" => 0,
        from => size(from)?,
    };
    let to = match to.trim() {
        "" => u64::MAX,
        to => size(to)?,
    };
    match from <= to {
        true => Ok((from, to)),
        false => Err(format!(
            "`size {text}` holds nothing: it ends before it begins"
        )),
    }
}

fn unquoted(text: &str) -> &str {
    let inside = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inside.unwrap_or(text)
}

/// How many lines a question gives, unless the user says otherwise.
fn usual_limit(verb: HeapVerb) -> u64 {
    match verb {
        HeapVerb::Count | HeapVerb::List => 100,
        HeapVerb::Summarize => 40,
        HeapVerb::Describe => 20,
    }
}

impl Prompt<'_> {
    /// Answers a question about the heap.
    pub(super) fn heap(&mut self, verb: HeapVerb, text: &str) -> Result<(), Wrong> {
        let typed = read(text).map_err(Wrong::Words)?;
        let set = match typed.set {
            "used" => HeapSet::Used,
            "free" => HeapSet::Free,
            "leaked" => HeapSet::Leaked,
            "incoming" => HeapSet::Incoming(self.address(typed.address)?),
            _ => HeapSet::Outgoing(self.address(typed.address)?),
        };
        let mut first = Vec::new();
        for word in &typed.first {
            if word.is_empty() {
                return Err(Wrong::Words("`first` lacks a word".to_owned()));
            }
            first.push(self.address(word)?);
        }
        self.ask(&Question::Heap(HeapQuestion {
            verb,
            set,
            sizes: typed.sizes,
            of_type: typed.of_type.map(str::to_owned),
            first,
            limit: typed.limit.unwrap_or(usual_limit(verb)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read() {
        let plain = Typed {
            set: "used",
            address: "",
            sizes: (0, u64::MAX),
            of_type: None,
            first: Vec::new(),
            limit: None,
        };
        assert_eq!(read("used"), Ok(plain.clone()));
        assert_eq!(
            read("used size 64..4K type request pool  limit 5"),
            Ok(Typed {
                sizes: (64, 4096),
                of_type: Some("request pool"),
                limit: Some(5),
                ..plain.clone()
            })
        );
        assert_eq!(
            read("incoming f(a, size b) + 1 first 0x1, &x type \"a b\""),
            Ok(Typed {
                set: "incoming",
                address: "f(a, size b) + 1",
                first: vec!["0x1", "&x"],
                of_type: Some("a b"),
                ..plain.clone()
            })
        );
        assert_eq!(read("free size ..1K").unwrap().sizes, (0, 1024));
        assert_eq!(read("free size 24").unwrap().sizes, (24, 24));
        for (text, part) in [
            ("", "a set is missing"),
            ("lost", "no set `lost`"),
            ("outgoing limit 3", "an address is missing"),
            ("used 3", "no restriction"),
            ("used size", "lacks a value"),
            ("used size x", "expected a number"),
            ("used size 9..3", "holds nothing"),
            ("used limit -1", "no number of lines"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
    }

    #[test]
    fn sets_and_restrictions_are_completed() {
        assert_eq!(completions("count u"), Some((6, vec!["used"])));
        assert_eq!(completions("list used s"), Some((10, vec!["size"])));
        assert_eq!(completions("count x"), None);
        assert_eq!(completions("counts u"), None);
        assert!(begins_with_set("leaked") && !begins_with_set("+ 1"));
    }
}
