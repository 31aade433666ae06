//! `_layout` groups: which candidate is in use.

use std::collections::HashSet;

use super::candidates::Group;
use super::{Preprocessor, target};
use crate::ast::{Declaration, Item, ItemKind, Layout, TypeSpecifier};
use crate::diagnostics::Diagnostic;
use crate::lexer::Token;
use crate::parse;
use crate::source::FileId;
use crate::target::{Scope, TypeNameKind};

impl Preprocessor<'_, '_, '_> {
    /// Settles the group whose tokens start at `start` of the output. A group without errors is
    /// kept as parsed, and only its head and its end stay in the output; another one is reported
    /// when the whole program is parsed.
    ///
    /// What is wrong with a candidate that is not in use is found in the first arm without a
    /// target and without choices; else such a candidate is not parsed.
    pub(super) fn layout_group(&mut self, start: usize) {
        let tokens = self.output.split_off(start);
        let settled = self.settle(&tokens);
        let (layout, right) = match settled {
            Some((layout, typedefs)) => {
                self.typedefs.extend(typedefs);
                (Some(layout), true)
            }
            None => (self.settle_whole(&tokens), false),
        };
        self.output.extend(tokens);
        let Some(layout) = layout else {
            return;
        };
        let chosen = layout.chosen;
        if let Some(candidate) = chosen.and_then(|index| layout.candidates.get(index)) {
            for declaration in &candidate.declarations {
                self.declared.add(declaration);
            }
        }
        if right {
            self.shorten(start);
        }
        if let Some(before) = self.layouts.values().find(|before| {
            before.name.text == layout.name.text && before.name.span != layout.name.span
        }) {
            self.diagnostics.push(
                Diagnostic::error(
                    layout.name.span,
                    format!("two layouts are called `{}`", layout.name.text),
                    "the second one",
                )
                .with_secondary(before.name.span, "the first one"),
            );
        }
        self.layouts.insert(layout.name.span, layout);
    }

    /// The group of these tokens with the declarations of the candidate in use, and the type
    /// names that it declares; `None` if anything is wrong with it.
    fn settle(&mut self, tokens: &[Token]) -> Option<(Layout, HashSet<String>)> {
        let group = Group::new(tokens)?;
        let mut layout = group.outline()?;
        let mut typedefs = HashSet::new();
        // Whatever the target, the first candidate is a sample of the others.
        let mut first = group.parse(0, &mut typedefs)?;
        let mut common: Vec<(TypeNameKind, &str)> = first
            .candidates
            .iter()
            .flat_map(|candidate| &candidate.declarations)
            .filter_map(record_name)
            .collect();
        if self.target.is_some() && !self.choices.contains_key(&layout.name.text) {
            for index in 1..group.len() {
                let records = group.records(index);
                common.retain(|record| records.contains(record));
            }
        }
        layout.chosen = self.choose(&layout, &common);
        if layout.chosen == Some(0)
            && let Some(place) = layout.candidates.first_mut()
        {
            *place = first.candidates.pop()?;
        }
        let whole = self.target.is_none() && self.turn.round == 0 && self.choices.is_empty();
        for index in 1..group.len() {
            if layout.chosen != Some(index) && !whole {
                continue;
            }
            let mut parsed = group.parse(index, &mut typedefs)?;
            if layout.chosen == Some(index)
                && let Some(place) = layout.candidates.get_mut(index)
            {
                *place = parsed.candidates.pop()?;
            }
        }
        Some((layout, typedefs))
    }

    /// The same for a group with errors, as far as it can be read.
    fn settle_whole(&mut self, tokens: &[Token]) -> Option<Layout> {
        let mut wrong = Vec::new();
        let mut typedefs = HashSet::new();
        let items = parse::parse_tokens(tokens.to_vec(), &mut typedefs, &mut wrong);
        let Some(Item {
            kind: ItemKind::Layout(mut layout),
            ..
        }) = items.into_iter().next()
        else {
            return None;
        };
        layout.chosen = self.choose(&layout, &common_records(&layout));
        Some(layout)
    }

    /// Drops the candidates of the group that starts at `start` of the output: what lies between
    /// its first `{` and its last `}`.
    fn shorten(&mut self, start: usize) {
        let group = self.output.get(start..).unwrap_or_default();
        let first = group.iter().position(|token| token.is("{"));
        let last = group.iter().rposition(|token| token.is("}"));
        if let (Some(first), Some(last)) = (first, last)
            && first < last
        {
            self.output.drain(start + first + 1..start + last);
        }
    }

    /// The candidate in use; `None` for the target's debug information.
    fn choose(&mut self, layout: &Layout, common: &[(TypeNameKind, &str)]) -> Option<usize> {
        if let Some(wanted) = self.choices.get(&layout.name.text) {
            let found = layout
                .candidates
                .iter()
                .position(|candidate| candidate.name == *wanted);
            if found.is_none() {
                let names: Vec<String> = layout
                    .candidates
                    .iter()
                    .map(|candidate| format!("`{}`", candidate.name))
                    .collect();
                self.diagnostics.push(
                    Diagnostic::error(
                        layout.name.span,
                        format!(
                            "the layout `{}` has no candidate `{wanted}`",
                            layout.name.text
                        ),
                        "declared here",
                    )
                    .with_help(format!("it has {}", names.join(", "))),
                );
            }
            return Some(found.unwrap_or(0));
        }
        let scope = self.scope_of(layout.name.span.file);
        let Some(target) = self.target.as_deref_mut() else {
            return Some(0);
        };
        let complete = !common.is_empty()
            && common
                .iter()
                .all(|(kind, name)| target::has_complete_record(target, &scope, *kind, name));
        if complete { None } else { Some(0) }
    }

    /// Where the names of a file are looked up.
    fn scope_of(&self, file: FileId) -> Scope {
        Scope {
            prefix: None,
            preferred: self
                .scopes
                .get(file.0 as usize)
                .and_then(|scope| scope.module),
        }
    }
}

/// The records that every candidate declares. Versions of a program differ in the others, so
/// debug information may rightly lack those.
fn common_records(layout: &Layout) -> Vec<(TypeNameKind, &str)> {
    let mut candidates = layout.candidates.iter().map(|candidate| {
        let records = candidate.declarations.iter();
        records.filter_map(record_name).collect::<Vec<_>>()
    });
    let mut common = candidates.next().unwrap_or_default();
    for records in candidates {
        let names: HashSet<&str> = records.iter().map(|(_, name)| *name).collect();
        common.retain(|(_, name)| names.contains(name));
    }
    common
}

/// The name of the record that a declaration defines.
pub(super) fn record_name(declaration: &Declaration) -> Option<(TypeNameKind, &str)> {
    let TypeSpecifier::Record(record) = &declaration.base else {
        return None;
    };
    record.members.as_ref()?;
    match &record.tag {
        Some(tag) if record.union => Some((TypeNameKind::Union, &tag.text)),
        Some(tag) => Some((TypeNameKind::Struct, &tag.text)),
        None if declaration.typedef => declaration
            .declarators
            .iter()
            .find(|declarator| declarator.declarator.derivations.is_empty())
            .and_then(|declarator| declarator.declarator.name.as_ref())
            .map(|name| (TypeNameKind::Plain, name.text.as_str())),
        None => None,
    }
}
