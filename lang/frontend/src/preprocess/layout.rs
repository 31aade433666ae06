//! `_layout` groups: which candidate is in use.

use std::collections::HashSet;

use super::{Preprocessor, target};
use crate::ast::{Declaration, Item, ItemKind, Layout, TypeSpecifier};
use crate::diagnostics::Diagnostic;
use crate::parse;
use crate::source::FileId;
use crate::target::{Scope, TypeNameKind};

impl Preprocessor<'_, '_, '_> {
    /// Settles the group whose tokens start at `start` of the output. Errors in it are reported
    /// when the whole program is parsed.
    pub(super) fn layout_group(&mut self, start: usize) {
        let tokens = self.output.get(start..).unwrap_or_default().to_vec();
        let mut ignored = Vec::new();
        let items = parse::parse_tokens(tokens, &mut HashSet::new(), &mut ignored);
        let Some(Item {
            kind: ItemKind::Layout(layout),
            ..
        }) = items.into_iter().next()
        else {
            return;
        };
        let chosen = self.choose(&layout);
        if let Some(candidate) = chosen.and_then(|index| layout.candidates.get(index)) {
            for declaration in &candidate.declarations {
                self.declared.add(declaration);
            }
        }
        if self
            .layouts
            .insert(layout.name.text.clone(), chosen)
            .is_some()
        {
            self.error(
                layout.name.span,
                format!("two layouts are called `{}`", layout.name.text),
                "the second one",
            );
        }
    }

    /// The candidate in use; `None` for the target's debug information.
    fn choose(&mut self, layout: &Layout) -> Option<usize> {
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
        let first = layout.candidates.first();
        let Some(target) = self.target.as_deref_mut() else {
            return Some(0);
        };
        let complete = first.is_some_and(|candidate| {
            let mut records = candidate
                .declarations
                .iter()
                .filter_map(record_name)
                .peekable();
            records.peek().is_some()
                && records
                    .all(|(kind, name)| target::has_complete_record(target, &scope, kind, name))
        });
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

/// The name of the record that a declaration defines.
fn record_name(declaration: &Declaration) -> Option<(TypeNameKind, &str)> {
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
