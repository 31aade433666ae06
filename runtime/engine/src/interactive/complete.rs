//! Completion of what is being typed: members, names of the target and of the session, words of the language.

use std::path::PathBuf;

use ytrace_debuginfo::NameKind;
use ytrace_lang::check::builtins;
use ytrace_lang::types::{RecordId, Type, Types};

use super::Interactive;
use crate::host::Sink;
use crate::library::{search_paths, shipped_names};
use crate::listing::declare::Declarations;

/// The most candidates that are given.
const MOST: usize = 500;

/// The most entries of a directory that are looked at.
const MOST_LISTED: usize = 10_000;

/// How deep members of structs without names are looked for.
const DEEPEST: u32 = 8;

/// Words of C that begin statements and types.
pub const WORDS: &[&str] = &[
    "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum",
    "float", "for", "goto", "if", "int", "long", "return", "short", "signed", "sizeof", "struct",
    "switch", "typedef", "typeof", "union", "unsigned", "void", "while", "_agg", "_catch",
    "_delete", "_foreach", "_path", "_sort", "_str", "_try",
];

/// What a place can be completed with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    /// Where the word begins that is completed, in bytes.
    pub start: usize,
    /// What it may become, sorted.
    pub words: Vec<String>,
    /// If there are more: what all begin with, those that are not given, too.
    pub cut: Option<String>,
}

impl Completions {
    /// Of these words the first ones. Those of which only the first are among them go on up to `last`.
    fn new(start: usize, mut words: Vec<String>, last: &[String]) -> Self {
        words.sort_unstable();
        words.dedup();
        let cut = (words.len() > MOST).then(|| {
            let ends = words.first().into_iter().chain(words.last()).chain(last);
            let common = ends.map(String::as_str).reduce(common_start);
            common.unwrap_or_default().to_owned()
        });
        words.truncate(MOST);
        Self { start, words, cut }
    }
}

/// What two texts begin with.
fn common_start<'t>(one: &'t str, other: &str) -> &'t str {
    let alike = one.chars().zip(other.chars());
    let length = alike.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8());
    one.get(..length.sum()).unwrap_or_default()
}

/// The names of a target, read when they are first wanted.
#[derive(Default)]
pub(super) struct NameLists {
    /// Variables, functions and enumerators, sorted.
    values: Option<Vec<String>>,
    /// Types by bare names, sorted.
    types: Option<Vec<String>>,
    /// Tags, sorted.
    tags: [Option<Vec<String>>; 3],
}

/// Where a name lies, for completion.
enum Context<'t> {
    /// After `->` or `.` of this expression.
    Member { object: &'t str, arrow: bool },
    /// After `struct`, `union` or `enum`.
    Tag(NameKind),
    /// Anywhere else.
    Name,
}

impl Interactive<'_> {
    /// What the word that ends at `at` may become. `text` may be any text, complete or not.
    pub fn complete(&mut self, text: &str, at: usize, sink: &mut dyn Sink) -> Completions {
        let Some(before) = text.get(..at) else {
            return Completions::default();
        };
        if let Some(found) = self.includes(before) {
            return found;
        }
        let start = word_start(before);
        let (Some(head), Some(word)) = (before.get(..start), before.get(start..)) else {
            return Completions::default();
        };
        let mut last = Vec::new();
        let mut words: Vec<String> = match context(head) {
            Context::Member { object, arrow } => self.members(object, arrow, sink),
            Context::Tag(kind) => self.tags(kind).to_vec(),
            Context::Name if word.is_empty() => Vec::new(),
            Context::Name => {
                let declared = self.declared.names().filter(|name| !name.contains(' '));
                let mut words: Vec<String> = declared.map(str::to_owned).collect();
                words.extend(WORDS.iter().map(|word| (*word).to_owned()));
                words.extend(builtins::names().map(str::to_owned));
                if word.starts_with('$') {
                    let numbers = 1..=self.earlier.len();
                    words.extend(numbers.map(|number| format!("${number}")));
                }
                self.list_names();
                for list in [&self.names.values, &self.names.types]
                    .into_iter()
                    .flatten()
                {
                    let from = list.partition_point(|name| name.as_str() < word);
                    let to =
                        list.partition_point(|name| name.as_str() < word || name.starts_with(word));
                    let alike = list.get(from..to).unwrap_or_default();
                    let plain = alike.iter().filter(|name| is_plain(name));
                    words.extend(plain.take(MOST + 1).cloned());
                    last.extend(alike.last().cloned());
                }
                words
            }
        };
        words.retain(|candidate| candidate.starts_with(word) && is_plain(candidate));
        Completions::new(start, words, &last)
    }

    /// How a function is called: one that was declared here, one of the language, or one of the target, as its debug information says.
    pub fn prototype(&self, name: &str) -> Option<String> {
        let declared = self.declared.items().find(|(text, names)| {
            names.iter().any(|declared| declared == name) && text.contains('{')
        });
        if let Some((text, _)) = declared {
            let head = text.split('{').next()?;
            return Some(head.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        builtins::usage(name).or_else(|| self.target_prototype(name))
    }

    /// The declaration of a function of the target, as its debug information says.
    pub fn target_prototype(&self, name: &str) -> Option<String> {
        let names = &self.session.names;
        (0..names.modules().len()).find_map(|index| {
            let opened = names.open(index).ok()?;
            let function = opened.info.function(name, None).ok()??;
            Declarations::new(&opened.info).prototype(&function)
        })
    }

    /// The members of what an expression is or points to. One that is wrong has none.
    fn members(&mut self, object: &str, arrow: bool, sink: &mut dyn Sink) -> Vec<String> {
        let pointed = format!("*({object})");
        // After a pointer, `.` is a slip: what would be right is offered even so.
        let asked: &[&str] = match arrow {
            true => &[&pointed],
            false => &[object, &pointed],
        };
        let mut names = Vec::new();
        for asked in asked {
            if names.is_empty()
                && let Ok((program, ty)) = self.asked_type(asked, sink)
                && let Type::Record(record) = program.types.resolved(ty)
            {
                member_names(&program.types, *record, 0, &mut names);
            }
        }
        names
    }

    /// The files and directories that a name after `#include` may become, if the text ends in one.
    fn includes(&self, before: &str) -> Option<Completions> {
        let line = before.rsplit('\n').next()?;
        let rest = line.trim_start().strip_prefix('#')?.trim_start();
        let name = rest.strip_prefix("include")?.trim_start();
        let word = name.strip_prefix(['<', '"'])?;
        if word.contains(['>', '"']) {
            return Some(Completions::default());
        }
        let (folder, beginning) = match word.rfind('/') {
            Some(slash) => (word.get(..=slash)?, word.get(slash + 1..)?),
            None => ("", word),
        };
        let mut places: Vec<PathBuf> = self.session.options.include.clone();
        places.extend(search_paths());
        if name.starts_with('"') {
            places.push(PathBuf::from("."));
        }
        let mut words: Vec<String> = shipped_names(folder);
        for place in places {
            // What cannot be listed has nothing to offer.
            let Ok(entries) = std::fs::read_dir(place.join(folder)) else {
                continue;
            };
            for entry in entries.take(MOST_LISTED).flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                match entry.path().is_dir() {
                    true => words.push(name + "/"),
                    false if name.ends_with(".y") => words.push(name),
                    false => {}
                }
            }
        }
        words.retain(|name| name.starts_with(beginning) && !name.starts_with('.'));
        let start = before.len() - beginning.len();
        Some(Completions::new(start, words, &[]))
    }

    fn list_names(&mut self) {
        if self.names.values.is_some() {
            return;
        }
        let kinds = [NameKind::Variable, NameKind::Function, NameKind::Enumerator];
        let mut values = self.all_names(&kinds);
        // What has no debug information has symbols.
        for index in 0..self.session.names.modules().len() {
            if let Ok(opened) = self.session.names.open(index) {
                values.extend(opened.info.symbols().map(|symbol| symbol.name));
            }
        }
        values.sort_unstable();
        values.dedup();
        self.names.values = Some(values);
        self.names.types = Some(self.all_names(&[NameKind::Typedef]));
    }

    fn tags(&mut self, kind: NameKind) -> &[String] {
        let index = match kind {
            NameKind::Struct => 0,
            NameKind::Union => 1,
            _ => 2,
        };
        if self.names.tags.get(index).is_some_and(Option::is_none) {
            let names = self.all_names(&[kind]);
            if let Some(list) = self.names.tags.get_mut(index) {
                *list = Some(names);
            }
        }
        let list = self.names.tags.get(index).and_then(Option::as_deref);
        list.unwrap_or_default()
    }

    /// The names of these kinds in all modules, sorted. Modules that cannot be read have none.
    fn all_names(&self, kinds: &[NameKind]) -> Vec<String> {
        let names = &self.session.names;
        let mut all: Vec<String> = Vec::new();
        for index in 0..names.modules().len() {
            let Ok(opened) = names.open(index) else {
                continue;
            };
            for kind in kinds {
                all.extend(opened.info.names(*kind).unwrap_or_default());
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Whether a name can be written without backquotes.
fn is_plain(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$'));
    first && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

/// Where the word begins that ends the text.
fn word_start(text: &str) -> usize {
    let word = text.bytes().rev().take_while(|byte| is_word(*byte)).count();
    text.len() - word
}

/// What stands before a word.
fn context(head: &str) -> Context<'_> {
    let trimmed = head.trim_end();
    let (object, arrow) = match (trimmed.strip_suffix("->"), trimmed.strip_suffix('.')) {
        (Some(object), _) => (object, true),
        // A number or an ellipsis is no object.
        (None, Some(object)) if !object.ends_with('.') => (object, false),
        _ => {
            let keyword = trimmed.get(word_start(trimmed)..).unwrap_or_default();
            return match keyword {
                "struct" => Context::Tag(NameKind::Struct),
                "union" => Context::Tag(NameKind::Union),
                "enum" => Context::Tag(NameKind::Enum),
                _ => Context::Name,
            };
        }
    };
    let start = operand_start(object);
    match object.get(start..) {
        Some(object) if !object.trim().is_empty() => Context::Member { object, arrow },
        _ => Context::Name,
    }
}

/// Where the postfix expression begins that ends the text: names, members, calls, indices, parentheses.
fn operand_start(text: &str) -> usize {
    let bytes = text.as_bytes();
    let byte = |at: usize| at.checked_sub(1).and_then(|at| bytes.get(at)).copied();
    let blanks = |mut at: usize| {
        while byte(at).is_some_and(|byte| byte.is_ascii_whitespace()) {
            at -= 1;
        }
        at
    };
    let mut at = blanks(bytes.len());
    loop {
        match byte(at) {
            Some(close @ (b')' | b']')) => {
                let open = if close == b')' { b'(' } else { b'[' };
                let Some(opened) = matching(bytes, at - 1, open, close) else {
                    return at;
                };
                at = opened;
                // What is called or indexed stands before.
                let before = blanks(at);
                let callee = byte(before)
                    .is_some_and(|byte| is_word(byte) || matches!(byte, b')' | b']' | b'`'));
                if callee {
                    at = before;
                    continue;
                }
                return at;
            }
            Some(b'`') => {
                let inner = bytes.get(..at - 1).unwrap_or_default();
                match inner.iter().rposition(|byte| *byte == b'`') {
                    Some(opened) => at = opened,
                    None => return at,
                }
            }
            Some(first) if is_word(first) => {
                while byte(at).is_some_and(is_word) {
                    at -= 1;
                }
            }
            _ => return at,
        }
        // What it is a member of.
        let before = blanks(at);
        let rest = bytes.get(..before).unwrap_or_default();
        let joint = [b"->".as_slice(), b".", b"::"]
            .into_iter()
            .find(|joint| rest.ends_with(joint));
        match joint {
            Some(joint) => at = blanks(before - joint.len()),
            None => return at,
        }
    }
}

/// The place of the bracket that the one at `at` closes.
fn matching(bytes: &[u8], at: usize, open: u8, close: u8) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, byte) in bytes.iter().enumerate().take(at + 1).rev() {
        if *byte == close {
            depth += 1;
        } else if *byte == open {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(index);
            }
        }
    }
    None
}

fn member_names(types: &Types, record: RecordId, depth: u32, names: &mut Vec<String>) {
    let members = types
        .record(record)
        .body
        .iter()
        .flat_map(|body| &body.members);
    for member in members {
        match &member.name {
            Some(name) => names.push(name.clone()),
            None if depth < DEEPEST => {
                if let Type::Record(inner) = types.resolved(member.ty) {
                    member_names(types, *inner, depth + 1, names);
                }
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Option<(&str, bool)> {
        let head = &text[..word_start(text)];
        match context(head) {
            Context::Member { object, arrow } => Some((object, arrow)),
            Context::Tag(_) | Context::Name => None,
        }
    }

    #[test]
    fn what_is_cut_is_said_to_be_with_what_all_have_in_common() {
        let names = |count: usize| {
            (0..count)
                .map(|n| format!("name_{n:04}"))
                .collect::<Vec<_>>()
        };
        let whole = Completions::new(2, names(MOST), &[]);
        assert_eq!((whole.words.len(), whole.cut), (MOST, None));
        let cut = Completions::new(2, names(MOST + 1), &[]);
        assert_eq!(
            (cut.words.len(), cut.cut.as_deref()),
            (MOST, Some("name_0"))
        );
        let cut = Completions::new(2, names(MOST + 1), &["nail".to_owned()]);
        assert_eq!(cut.cut.as_deref(), Some("na"));
        assert_eq!(common_start("fée", "fête"), "f");
    }

    #[test]
    fn the_object_of_a_member_is_found() {
        for (text, expected) in [
            ("p->", ("p", true)),
            ("p ngx_cycle->conn", ("ngx_cycle", true)),
            ("x = a.b->c.", ("a.b->c", false)),
            ("f(a, b->c)->d", ("f(a, b->c)", true)),
            ("1 + t[i + g(2)].n", ("t[i + g(2)]", false)),
            ("((struct a *) p)->", ("((struct a *) p)", true)),
            ("*_->", ("_", true)),
            ("$1 -> ", ("$1 ", true)),
            ("libc.so.6::main_arena.", ("libc.so.6::main_arena", false)),
            ("`odd name`.x", ("`odd name`", false)),
        ] {
            assert_eq!(object(text), Some(expected), "{text}");
        }
        for text in ["->", "", "1...", "a + ", ")->x", "struct "] {
            assert_eq!(object(text), None, "{text}");
        }
        assert!(matches!(
            context("(struct "),
            Context::Tag(NameKind::Struct)
        ));
    }
}
