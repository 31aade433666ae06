//! The candidates of a `_layout` group as runs of tokens.
//!
//! A group of a library holds many versions of the same types, of which a program uses one. So candidates are parsed one
//! at a time, and only those that matter.

use std::collections::HashSet;
use std::ops::Range;

use crate::ast::{Item, ItemKind, Layout};
use crate::lexer::{Token, TokenKind};
use crate::parse;
use crate::target::TypeNameKind;

/// A group whose candidates can be told apart by their brackets alone.
pub(super) struct Group<'t> {
    tokens: &'t [Token],
    /// Each candidate: its name, then its declarations in braces.
    candidates: Vec<Range<usize>>,
    /// The `}` that ends the group.
    close: usize,
}

impl<'t> Group<'t> {
    /// The group of these tokens; `None` if its outline is wrong.
    pub(super) fn new(tokens: &'t [Token]) -> Option<Self> {
        let mut candidates = Vec::new();
        let mut start = HEAD;
        let mut depth = 0usize;
        for (index, token) in tokens.iter().enumerate().skip(HEAD) {
            if token.is("{") {
                depth += 1;
            } else if token.is("}") {
                let Some(outer) = depth.checked_sub(1) else {
                    return (start == index).then_some(Self {
                        tokens,
                        candidates,
                        close: index,
                    });
                };
                depth = outer;
                if depth == 0 {
                    candidates.push(start..index + 1);
                    start = index + 1;
                }
            }
        }
        None
    }

    /// The number of candidates.
    pub(super) fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Parses the group with one of its candidates alone. `typedefs` receives the type names that it declares.
    /// `None` if anything is wrong with it.
    pub(super) fn parse(&self, index: usize, typedefs: &mut HashSet<String>) -> Option<Layout> {
        let head = self.tokens.get(..HEAD)?;
        let candidate = self.tokens.get(self.candidates.get(index)?.clone())?;
        let tail = self.tokens.get(self.close..)?;
        let mut wrong = Vec::new();
        let mut items = parse::parse_tokens([head, candidate, tail].concat(), typedefs, &mut wrong);
        match (items.pop(), items.is_empty(), wrong.is_empty()) {
            (
                Some(Item {
                    kind: ItemKind::Layout(layout),
                    ..
                }),
                true,
                true,
            ) if layout.candidates.len() == 1 => Some(layout),
            _ => None,
        }
    }

    /// Parses the group with nothing in its candidates but their names.
    pub(super) fn outline(&self) -> Option<Layout> {
        let mut tokens = self.tokens.get(..HEAD)?.to_vec();
        for candidate in &self.candidates {
            let candidate = self.tokens.get(candidate.clone())?;
            let name = candidate.iter().position(|token| token.is("{"))?;
            tokens.extend_from_slice(candidate.get(..=name)?);
            tokens.push(candidate.last()?.clone());
        }
        tokens.extend_from_slice(self.tokens.get(self.close..)?);
        let mut wrong = Vec::new();
        let mut items = parse::parse_tokens(tokens, &mut HashSet::new(), &mut wrong);
        match (items.pop(), items.is_empty(), wrong.is_empty()) {
            (
                Some(Item {
                    kind: ItemKind::Layout(layout),
                    ..
                }),
                true,
                true,
            ) if layout.candidates.len() == self.candidates.len() => Some(layout),
            _ => None,
        }
    }

    /// The records that a candidate defines at its top level.
    pub(super) fn records(&self, index: usize) -> HashSet<(TypeNameKind, &'t str)> {
        let tokens = self
            .candidates
            .get(index)
            .and_then(|range| self.tokens.get(range.clone()))
            .unwrap_or_default();
        records(tokens)
    }
}

/// `_layout name {`.
const HEAD: usize = 3;

/// The records that the declarations of a candidate, `"name" { … }`, define.
fn records(tokens: &[Token]) -> HashSet<(TypeNameKind, &str)> {
    let mut result = HashSet::new();
    let mut depth = 0usize;
    // Since the last declaration: its record's kind, and whether it is a typedef.
    let mut kind = None;
    let mut typedef = false;
    // The name after the `}` of a record without a tag is that of the record.
    let mut nameless = false;
    for (index, token) in tokens.iter().enumerate() {
        let before = || index.checked_sub(1).and_then(|index| tokens.get(index));
        match &*token.text {
            "{" if token.is("{") => {
                if depth == 1 {
                    let tag = before().filter(|before| is_name(before));
                    nameless = tag.is_none();
                    if let (Some(kind), Some(tag)) = (kind, tag) {
                        result.insert((kind, &*tag.text));
                    }
                }
                depth += 1;
            }
            "}" if token.is("}") => depth = depth.saturating_sub(1),
            ";" if depth == 1 => {
                kind = None;
                typedef = false;
                nameless = false;
            }
            _ if depth != 1 => {}
            "struct" => kind = Some(TypeNameKind::Struct),
            "union" => kind = Some(TypeNameKind::Union),
            "enum" => kind = None,
            "typedef" => typedef = true,
            text if nameless && typedef && kind.is_some() && is_name(token) => {
                let next = tokens.get(index + 1);
                let ends = next.is_some_and(|next| {
                    next.is(",") || next.is(";") || next.is_word("__attribute__")
                });
                let begins = before()
                    .is_some_and(|before| before.is("}") || before.is(",") || before.is(")"));
                if begins && ends {
                    result.insert((TypeNameKind::Plain, text));
                    nameless = false;
                }
            }
            _ => {}
        }
    }
    result
}

fn is_name(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Identifier | TokenKind::Quoted)
        && !matches!(&*token.text, "struct" | "union" | "enum")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::{Interner, lex};
    use crate::preprocess::layout::record_name;
    use crate::source::FileId;

    fn tokens(text: &str) -> Vec<Token> {
        let mut diagnostics = Vec::new();
        let tokens = lex(FileId(0), text, &mut Interner::default(), &mut diagnostics);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        tokens
    }

    /// What the scan finds must be what the tree says.
    fn same_records(text: &str) {
        let tokens = tokens(text);
        let group = Group::new(&tokens).expect("an outline");
        let outline = group.outline().expect("names");
        assert_eq!(outline.candidates.len(), group.len());
        for index in 0..group.len() {
            let layout = group.parse(index, &mut HashSet::new()).expect("parses");
            let declarations = &layout.candidates[0].declarations;
            let expected: HashSet<_> = declarations.iter().filter_map(record_name).collect();
            assert_eq!(group.records(index), expected, "candidate {index}");
            assert_eq!(layout.candidates[0].name, outline.candidates[index].name);
            assert_eq!(layout.candidates[0].span, outline.candidates[index].span);
        }
    }

    #[test]
    fn the_scan_finds_the_records_of_the_tree() {
        same_records(
            r#"_layout g {
                "a" {
                    struct s { struct inner { int x; } i; };
                    typedef struct t { int y; } T;
                    typedef struct { int z; } Nameless, *P;
                    typedef union { int z; } *Q, U;
                    typedef struct { int z; } Many[3];
                    typedef struct forward F;
                    struct declared;
                    enum e { ONE };
                    typedef enum { TWO } E;
                    struct __attribute__((packed)) packed { int a; };
                    typedef struct __attribute__((packed)) { int a; } Packed;
                    typedef struct { int a; } __attribute__((packed)) After;
                    union u { struct { int a; }; long b; };
                }
                "b" "c" { }
            } _valid v;"#,
        );
    }

    #[test]
    fn the_scan_finds_the_records_of_the_library() {
        let text = include_str!("../../../../stdlib/luajit/layouts.y");
        let start = text.find("_layout lj {").expect("the group");
        let end = text[start..].find("_valid").expect("its end") + start;
        same_records(&format!("{} _valid v;", &text[start..end]));
    }

    #[test]
    fn a_wrong_outline_is_none() {
        for text in [
            "_layout g { \"a\" { int x; } ",
            "_layout g { \"a\" { } int } _valid v;",
            "_layout g ;",
        ] {
            assert!(Group::new(&tokens(text)).is_none(), "{text}");
        }
    }
}
