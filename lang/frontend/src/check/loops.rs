//! `_foreach`, `_sort` and `switch`.

use super::Checker;
use super::class::Class;
use super::symbols::Switch;
use crate::ast;
use crate::hir::{self, ExpressionKind, StatementKind};
use crate::source::Span;
use crate::types::TypeId;

/// The names of a `_foreach` with their types: keys (or the index), and the value.
type LoopNames<'n> = (
    Vec<(&'n ast::Name, TypeId)>,
    Option<(&'n ast::Name, TypeId)>,
);

impl Checker<'_> {
    /// `_foreach (k, v in t …) s`; `None` after an error in its head.
    pub(super) fn foreach(&mut self, foreach: &ast::Foreach) -> Option<hir::Foreach> {
        let container = self.container(&foreach.container, "what `_foreach` walks");
        let names: Vec<&ast::Name> = foreach.keys.iter().chain(&foreach.value).collect();
        let variables = container
            .as_ref()
            .and_then(|container| self.foreach_types(container, &names));
        let Some((container, (keys, value))) = container.zip(variables) else {
            // The body is checked for its own errors.
            self.scoped(|checker| {
                let unknown = checker.basics.unknown;
                for name in names {
                    checker
                        .context
                        .declare_local(&name.text, unknown, name.span);
                }
                checker.loop_body(&foreach.body);
            });
            return None;
        };
        // Evaluated once, before there is an element: the names of the loop are not known here.
        let limit = foreach.limit.as_ref().and_then(|limit| {
            let value = self.value(limit);
            let long = self.basics.long;
            let value = self.assign_to(value, long, "the number after `_limit`");
            (!self.is_unknown(value.ty)).then_some(value)
        });
        Some(self.scoped(|checker| {
            let keys = keys
                .into_iter()
                .map(|(name, ty)| checker.foreach_local(name, ty))
                .collect();
            let value = value.map(|(name, ty)| checker.foreach_local(name, ty));
            let by = foreach.by.as_ref().and_then(|by| checker.sort_key(by));
            let body = checker.loop_body(&foreach.body);
            hir::Foreach {
                container,
                keys,
                value,
                by,
                descending: foreach.descending,
                limit,
                body,
            }
        }))
    }

    fn foreach_local(&mut self, name: &ast::Name, ty: TypeId) -> hir::LocalId {
        let (id, collides) = self.context.declare_local(&name.text, ty, name.span);
        if collides.is_some() {
            self.error(
                name.span,
                format!("`{}` stands twice in this `_foreach`", name.text),
                "again here",
            );
        }
        id
    }

    /// Which names are keys, which one is the value, with their types.
    fn foreach_types<'n>(
        &mut self,
        container: &hir::Container,
        names: &[&'n ast::Name],
    ) -> Option<LoopNames<'n>> {
        if let Some((keys, value)) = self.table_types(container.ty) {
            if names.len() != keys.len() && names.len() != keys.len() + 1 {
                let shown: Vec<String> = keys.iter().map(|key| self.types.name_of(*key)).collect();
                let example = if keys.len() == 1 {
                    "`_foreach (k in t)` or `_foreach (k, v in t)`"
                } else {
                    "`_foreach ((a, b), v in t)`"
                };
                self.error_help(
                    container.span,
                    format!("this table has {} keys", keys.len()),
                    format!("its keys are [{}]", shown.join(", ")),
                    format!("write {example}"),
                );
                return None;
            }
            let named: Vec<_> = names.iter().copied().zip(keys.iter().copied()).collect();
            let value = names.get(keys.len()).map(|name| (*name, value));
            return Some((named, value));
        }
        let Some(element) = self.growing_type(container.ty) else {
            let found = self.quoted(container.ty);
            self.error(
                container.span,
                "an aggregate holds no elements to walk",
                format!("this is {found}"),
            );
            return None;
        };
        let long = self.basics.long;
        match names {
            [value] => Some((Vec::new(), Some((*value, element)))),
            [index, value] => Some((vec![(*index, long)], Some((*value, element)))),
            _ => {
                self.error_help(
                    container.span,
                    "an array has an index and a value",
                    format!("{} names are given", names.len()),
                    "write `_foreach (x in a)` or `_foreach (i, x in a)`",
                );
                None
            }
        }
    }

    /// A key to sort by; `None` after an error.
    fn sort_key(&mut self, by: &ast::Expression) -> Option<hir::Expression> {
        let value = self.value(by);
        if !self.is_sortable(value.ty) {
            let found = self.quoted(value.ty);
            self.error(
                by.span,
                "the key to sort by must be a number, a pointer or a string",
                format!("this is {found}"),
            );
            return None;
        }
        (!self.is_unknown(value.ty)).then_some(value)
    }

    /// `_sort(a _by e _desc);` The element is called `_`, or `x` where nothing else is.
    pub(super) fn sort(
        &mut self,
        container: &ast::Expression,
        by: Option<&ast::Expression>,
        descending: bool,
        span: Span,
    ) -> Option<StatementKind> {
        let container = self.container(container, "what `_sort` sorts")?;
        let Some(element) = self.growing_type(container.ty) else {
            let found = self.quoted(container.ty);
            self.error_help(
                container.span,
                "`_sort` sorts a growing array",
                format!("this is {found}"),
                "a table is walked in order by `_foreach (k, v in t _by v)`",
            );
            return None;
        };
        if self.types.is_container(element) {
            self.error(span, "an array of containers cannot be sorted", "");
            return None;
        }
        self.scoped(|checker| {
            let (id, _) = checker.context.declare_local("_", element, span);
            let x_is_free =
                checker.context.find("x").is_none() && !checker.script.ordinary.contains_key("x");
            if x_is_free {
                checker
                    .context
                    .declare("x", super::symbols::LocalSymbol::Variable(id));
            }
            let by = match by {
                Some(by) => checker.sort_key(by)?,
                None if checker.is_sortable(element) => hir::Expression {
                    kind: ExpressionKind::Load(Box::new(hir::Place {
                        kind: hir::PlaceKind::Local(id),
                        ty: element,
                        span,
                    })),
                    ty: element,
                    span,
                },
                None => {
                    let found = checker.quoted(element);
                    checker.error_help(
                        span,
                        "the elements have no order of their own",
                        format!("they are {found}"),
                        "say what to sort by: `_sort(a _by _.member)`",
                    );
                    return None;
                }
            };
            Some(StatementKind::Sort {
                container,
                element: id,
                by,
                descending,
            })
        })
    }

    /// `switch (value) body`.
    pub(super) fn switch(
        &mut self,
        value: &ast::Expression,
        body: &ast::Statement,
    ) -> StatementKind {
        let value = self.value(value);
        let class = self.class(value.ty);
        if !class.is_integer() && class != Class::Unknown {
            let found = self.quoted(value.ty);
            self.error_help(
                value.span,
                "`switch` takes an integer",
                format!("this is {found}"),
                "compare with `if … else if …`",
            );
        }
        let value = if class.is_integer() {
            self.promote(value)
        } else {
            self.unknown(value.span)
        };
        let signed = self
            .integer_shape(value.ty)
            .is_none_or(|(_, signed)| signed);
        self.context.switches.push(Switch {
            ty: value.ty,
            signed,
            cases: Vec::new(),
            default: None,
        });
        self.context.breakable += 1;
        let body = self.body(body);
        self.context.breakable -= 1;
        let (cases, default) = match self.context.switches.pop() {
            Some(switch) => (switch.cases, switch.default),
            None => (Vec::new(), None),
        };
        StatementKind::Switch {
            value,
            cases,
            signed,
            default,
            body,
        }
    }

    /// The label of a `case`; `None` where there can be none.
    pub(super) fn case_label(
        &mut self,
        value: &ast::Expression,
        last: Option<&ast::Expression>,
        span: Span,
    ) -> Option<hir::LabelId> {
        let Some((ty, signed)) = self
            .context
            .switches
            .last()
            .map(|switch| (switch.ty, switch.signed))
        else {
            self.error(span, "`case` outside of a `switch`", "nothing chooses it");
            return None;
        };
        let first_word = self.case_word(value, ty);
        let last_word = match last {
            Some(last) => self.case_word(last, ty),
            None => first_word,
        };
        let (Some(first_word), Some(last_word)) = (first_word, last_word) else {
            // What is chosen by a value that is not known, or is wrong, can be reached all the same.
            return Some(self.context.hidden_label());
        };
        let below = |a: u64, b: u64| {
            if signed {
                (a as i64) < (b as i64)
            } else {
                a < b
            }
        };
        if below(last_word, first_word) {
            self.error(span, "this range is empty", "its end lies before its start");
            return None;
        }
        let taken = self.context.switches.last().is_some_and(|switch| {
            switch
                .cases
                .iter()
                .any(|(from, to, _)| !below(last_word, *from) && !below(*to, first_word))
        });
        if taken {
            self.error(
                value.span,
                "this case stands twice",
                "an earlier one takes it",
            );
            return None;
        }
        let label = self.context.hidden_label();
        if let Some(switch) = self.context.switches.last_mut() {
            switch.cases.push((first_word, last_word, label));
        }
        Some(label)
    }

    fn case_word(&mut self, value: &ast::Expression, ty: TypeId) -> Option<u64> {
        let value = self.value(value);
        if self.is_unknown(value.ty) || self.is_unknown(ty) {
            return None;
        }
        let value = self.with_option_values(value);
        let span = value.span;
        let constant = self.constant_of(&value);
        if constant.is_none() || !self.class(value.ty).is_integer() {
            let found = self.quoted(value.ty);
            self.error(
                span,
                "a case must be an integer constant",
                format!("this is {found}"),
            );
            return None;
        }
        let converted = self.convert(value, ty);
        match converted.kind {
            ExpressionKind::Integer(word) => Some(word),
            _ => None,
        }
    }

    /// The label of a `default`; `None` after an error.
    pub(super) fn default_label(&mut self, span: Span) -> Option<hir::LabelId> {
        let label = self.context.hidden_label();
        let Some(switch) = self.context.switches.last_mut() else {
            self.error(
                span,
                "`default` outside of a `switch`",
                "nothing chooses it",
            );
            return None;
        };
        if switch.default.is_some() {
            self.error(span, "a second `default`", "there can be one");
            return None;
        }
        switch.default = Some(label);
        Some(label)
    }
}
