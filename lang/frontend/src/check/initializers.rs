//! Initializers and compound literals.

use super::Checker;
use super::class::{Class, Operand};
use super::members::FoundMember;
use crate::ast::{self, Designator, Initializer};
use crate::hir::{self, ExpressionKind, StatementKind};
use crate::source::Span;
use crate::types::{Type, TypeId};

/// A part of an aggregate: offset, bits, value.
type Part = (u64, Option<(u32, u32)>, hir::Expression);

/// The items of a braced list.
type Items = [(Vec<Designator>, Initializer)];

/// Most parts of one initializer.
const MOST_PARTS: usize = 1 << 16;

/// A scalar slot or a subobject of what is initialized.
#[derive(Clone, Copy, Debug)]
struct Slot {
    offset: u64,
    bits: Option<(u32, u32)>,
    ty: TypeId,
}

impl Checker<'_> {
    /// The type of a variable with its initializer: `char a[] = "text"` has C's length.
    pub(super) fn initialized_type(
        &mut self,
        ty: TypeId,
        initializer: Option<&Initializer>,
    ) -> TypeId {
        match (self.growing_type(ty), initializer) {
            (Some(element), Some(Initializer::Expression(expression)))
                if self.is_character(element) =>
            {
                match &expression.kind {
                    ast::ExpressionKind::String(bytes) => {
                        let length = bytes.len() as u64 + 1;
                        self.types.intern(Type::Array(element, Some(length)))
                    }
                    _ => ty,
                }
            }
            _ => ty,
        }
    }

    /// Statements that give a variable its first value. The variable is zero or empty before.
    pub(super) fn initialize(
        &mut self,
        variable: Operand,
        initializer: &Initializer,
        name: &str,
        span: Span,
    ) -> Vec<hir::Statement> {
        match variable {
            Operand::Place(place) => {
                let what = format!("the value of `{name}`");
                let value = match (initializer, self.class(place.ty)) {
                    (Initializer::Expression(expression), Class::Array(element, _))
                        if self.is_character(element)
                            && matches!(expression.kind, ast::ExpressionKind::String(_)) =>
                    {
                        let items = [(Vec::new(), initializer.clone())];
                        self.aggregate(place.ty, &items, span)
                    }
                    (Initializer::Expression(expression), _) => {
                        let value = self.value(expression);
                        return self.assign_statement(place, value, &what, span);
                    }
                    (Initializer::List(items, list), Class::Record(_) | Class::Array(..)) => {
                        self.aggregate(place.ty, items, *list)
                    }
                    (Initializer::List(items, list), _) => {
                        let value = self.braced_scalar(items, *list);
                        return self.assign_statement(place, value, &what, span);
                    }
                };
                if self.is_unknown(value.ty) {
                    return Vec::new();
                }
                vec![hir::Statement {
                    kind: StatementKind::Expression(hir::Expression {
                        ty: place.ty,
                        span,
                        kind: ExpressionKind::Assign(Box::new(place), Box::new(value)),
                    }),
                    span,
                }]
            }
            Operand::Container(container) => self.fill_container(container, initializer, span),
            Operand::Value(_) => Vec::new(),
        }
    }

    fn assign_statement(
        &mut self,
        place: hir::Place,
        value: hir::Expression,
        what: &str,
        span: Span,
    ) -> Vec<hir::Statement> {
        let value = self.store(place, value, what, span);
        if self.is_unknown(value.ty) {
            return Vec::new();
        }
        vec![hir::Statement {
            kind: StatementKind::Expression(value),
            span,
        }]
    }

    /// `{ value }` for a scalar.
    fn braced_scalar(&mut self, items: &Items, span: Span) -> hir::Expression {
        if let [(designators, Initializer::Expression(expression))] = items
            && designators.is_empty()
        {
            return self.value(expression);
        }
        self.error(
            span,
            "a list initializes a struct or an array",
            "one value is wanted here",
        );
        self.unknown(span)
    }

    /// A growing array is filled with the values of a list.
    fn fill_container(
        &mut self,
        container: hir::Container,
        initializer: &Initializer,
        span: Span,
    ) -> Vec<hir::Statement> {
        let (Some(element), Initializer::List(items, _)) =
            (self.growing_type(container.ty), initializer)
        else {
            let found = self.quoted(container.ty);
            self.error_help(
                span,
                "containers are never assigned",
                format!("this is {found}"),
                "an array takes a list, `T a[] = { x, y };`; a table is filled by statements",
            );
            return Vec::new();
        };
        let mut statements = Vec::new();
        for (designators, item) in items.iter().take(MOST_PARTS) {
            if !designators.is_empty() {
                self.error(
                    span,
                    "a growing array is filled in order",
                    "leave out the designator",
                );
                return Vec::new();
            }
            let value = match item {
                Initializer::Expression(expression) => {
                    let value = self.value(expression);
                    self.assign_to(value, element, "the element")
                }
                Initializer::List(items, span) => match self.class(element) {
                    Class::Record(_) | Class::Array(..) => self.aggregate(element, items, *span),
                    _ => self.braced_scalar(items, *span),
                },
            };
            if self.is_unknown(value.ty) {
                continue;
            }
            let span = value.span;
            statements.push(hir::Statement {
                kind: StatementKind::Expression(hir::Expression {
                    kind: ExpressionKind::ArrayAppend {
                        front: false,
                        container: container.clone(),
                        value: Box::new(value),
                    },
                    ty: self.basics.void,
                    span,
                }),
                span,
            });
        }
        statements
    }

    /// `(T) { … }`.
    pub(super) fn compound_literal(
        &mut self,
        ty: &ast::TypeName,
        items: &Items,
        span: Span,
    ) -> hir::Expression {
        let mut ty = self.type_name(ty);
        if let Some(element) = self.growing_type(ty) {
            ty = self
                .types
                .intern(Type::Array(element, Some(items.len() as u64)));
        }
        match self.class(ty) {
            Class::Unknown => self.unknown(span),
            Class::Record(_) | Class::Array(..) => self.aggregate(ty, items, span),
            class if class.is_scalar() => {
                let value = self.braced_scalar(items, span);
                self.assign_to(value, ty, "the value")
            }
            _ => {
                self.error(
                    span,
                    format!("no literal of {} exists", self.quoted(ty)),
                    "only structs, arrays and scalars have them",
                );
                self.unknown(span)
            }
        }
    }

    /// A record or an array of fixed length from a braced list.
    fn aggregate(&mut self, ty: TypeId, items: &Items, span: Span) -> hir::Expression {
        self.complete_value(ty);
        if self.size_of(ty).is_none() {
            self.error(
                span,
                format!("{} is incomplete", self.quoted(ty)),
                "so it has no values",
            );
            return self.unknown(span);
        }
        let mut parts = Vec::new();
        let slot = Slot {
            offset: 0,
            bits: None,
            ty,
        };
        let errors = self.errors;
        match (items, self.class(ty)) {
            // `char a[8] = "text"` and `{ "text" }` are the same.
            (
                [(designators, Initializer::Expression(expression))],
                Class::Array(element, count),
            ) if designators.is_empty() && self.is_character(element) => match &expression.kind {
                ast::ExpressionKind::String(bytes) => {
                    self.fill_text(slot, element, count, bytes, expression.span, &mut parts);
                }
                _ => self.fill_list(slot, items, span, &mut parts),
            },
            _ => self.fill_list(slot, items, span, &mut parts),
        }
        if self.errors != errors || parts.iter().any(|(_, _, value)| self.is_unknown(value.ty)) {
            return self.unknown(span);
        }
        hir::Expression {
            kind: ExpressionKind::Aggregate(parts),
            ty,
            span,
        }
    }

    /// Fills a subobject from its own braces.
    fn fill_list(&mut self, slot: Slot, items: &Items, span: Span, parts: &mut Vec<Part>) {
        self.nested(
            span,
            |checker| {
                let mut rest = items.iter().peekable();
                checker.fill_items(slot, &mut rest, true, span, parts);
            },
            |_| (),
        );
    }

    /// The subobjects of a record or an array, in order; a union has its first member only.
    fn subobject(&mut self, slot: Slot, index: u64) -> Option<Slot> {
        match self.class(slot.ty) {
            Class::Array(element, count) => {
                let size = self.size_of(element)?;
                (index < count.unwrap_or(0)).then_some(Slot {
                    offset: slot.offset.checked_add(index.checked_mul(size)?)?,
                    bits: None,
                    ty: element,
                })
            }
            Class::Record(id) => {
                let record = self.types.record(id);
                if record.union && index > 0 {
                    return None;
                }
                let member = record
                    .body
                    .as_ref()?
                    .members
                    .get(usize::try_from(index).ok()?)?;
                Some(Slot {
                    offset: slot.offset.checked_add(member.offset)?,
                    bits: member.bits,
                    ty: member.ty,
                })
            }
            _ => None,
        }
    }

    /// Fills a record or an array from items, with C's brace elision.
    fn fill_items<'i>(
        &mut self,
        slot: Slot,
        rest: &mut std::iter::Peekable<std::slice::Iter<'i, (Vec<Designator>, Initializer)>>,
        braced: bool,
        span: Span,
        parts: &mut Vec<Part>,
    ) {
        let mut next = 0_u64;
        while let Some((designators, item)) = rest.peek().copied() {
            if parts.len() >= MOST_PARTS {
                self.error(span, "this initializer has too many parts", "");
                return;
            }
            if let Some((first, others)) = designators.split_first() {
                // A designator speaks of the object whose braces it stands in.
                if !braced {
                    return;
                }
                let Some((target, index)) = self.designated_slot(slot, first, others) else {
                    rest.next();
                    continue;
                };
                next = index + 1;
                rest.next();
                self.fill_slot(target, item, rest, span, parts);
                continue;
            }
            let Some(target) = self.subobject(slot, next) else {
                if braced {
                    self.error(
                        match item {
                            Initializer::Expression(expression) => expression.span,
                            Initializer::List(_, span) => *span,
                        },
                        format!("too many values for {}", self.quoted(slot.ty)),
                        format!("it takes {next}"),
                    );
                    rest.by_ref().for_each(drop);
                }
                return;
            };
            next += 1;
            rest.next();
            self.fill_slot(target, item, rest, span, parts);
        }
    }

    /// The slot that designators name, and the index of its outermost part in `slot`.
    fn designated_slot(
        &mut self,
        slot: Slot,
        first: &Designator,
        others: &[Designator],
    ) -> Option<(Slot, u64)> {
        let (mut found, index) = self.one_designator(slot, first)?;
        for designator in others {
            found = self.one_designator(found, designator)?.0;
        }
        Some((found, index))
    }

    fn one_designator(&mut self, slot: Slot, designator: &Designator) -> Option<(Slot, u64)> {
        match (designator, self.class(slot.ty)) {
            (Designator::Field(name), Class::Record(record)) => {
                let Some(FoundMember { offset, bits, ty }) =
                    self.find_member(record, &name.text, 0)
                else {
                    self.unknown_member(record, name);
                    return None;
                };
                let index = self
                    .types
                    .record(record)
                    .body
                    .as_ref()
                    .and_then(|body| {
                        body.members
                            .iter()
                            .position(|member| member.name.as_deref() == Some(&name.text))
                    })
                    .unwrap_or(usize::MAX - 1);
                let slot = Slot {
                    offset: slot.offset.wrapping_add(offset),
                    bits,
                    ty,
                };
                Some((slot, index as u64))
            }
            (Designator::Index(index), Class::Array(..)) => {
                let span = index.span;
                let value = self.constant_integer(index)?;
                let found = u64::try_from(value)
                    .ok()
                    .and_then(|index| Some((self.subobject(slot, index)?, index)));
                if found.is_none() {
                    self.error(
                        span,
                        format!("index {value} is outside of the array"),
                        format!("this is {}", self.quoted(slot.ty)),
                    );
                }
                found
            }
            (Designator::Field(name), _) => {
                self.error(
                    name.span,
                    format!("{} has no members", self.quoted(slot.ty)),
                    "no such member",
                );
                None
            }
            (Designator::Index(index), _) => {
                self.error(
                    index.span,
                    format!("{} has no elements", self.quoted(slot.ty)),
                    "this is no array",
                );
                None
            }
        }
    }

    fn fill_slot<'i>(
        &mut self,
        slot: Slot,
        item: &'i Initializer,
        rest: &mut std::iter::Peekable<std::slice::Iter<'i, (Vec<Designator>, Initializer)>>,
        span: Span,
        parts: &mut Vec<Part>,
    ) {
        let class = self.class(slot.ty);
        let compound = matches!(class, Class::Record(_) | Class::Array(..));
        match item {
            Initializer::List(items, list) if compound => {
                self.fill_list(slot, items, *list, parts);
            }
            Initializer::List(items, list) => {
                let value = self.braced_scalar(items, *list);
                let value = self.assign_to(value, slot.ty, "the value");
                parts.push((slot.offset, slot.bits, value));
            }
            Initializer::Expression(expression) => {
                if let (Class::Array(element, count), ast::ExpressionKind::String(bytes)) =
                    (class, &expression.kind)
                    && self.is_character(element)
                {
                    self.fill_text(slot, element, count, bytes, expression.span, parts);
                    return;
                }
                let value = self.value(expression);
                if compound && !self.is_unknown(value.ty) && !self.same_type(value.ty, slot.ty) {
                    // Elided braces: the value is the first of those that fill the subobject.
                    self.fill_elided(slot, value, rest, span, parts);
                    return;
                }
                let value = self.assign_to(value, slot.ty, "the value");
                parts.push((slot.offset, slot.bits, value));
            }
        }
    }

    fn fill_elided<'i>(
        &mut self,
        slot: Slot,
        value: hir::Expression,
        rest: &mut std::iter::Peekable<std::slice::Iter<'i, (Vec<Designator>, Initializer)>>,
        span: Span,
        parts: &mut Vec<Part>,
    ) {
        self.nested(
            span,
            |checker| {
                let Some(first) = checker.subobject(slot, 0) else {
                    checker.assign_to(value, slot.ty, "the value");
                    return;
                };
                let compound =
                    matches!(checker.class(first.ty), Class::Record(_) | Class::Array(..));
                if compound && !checker.same_type(value.ty, first.ty) {
                    checker.fill_elided(first, value, rest, span, parts);
                } else {
                    let value = checker.assign_to(value, first.ty, "the value");
                    parts.push((first.offset, first.bits, value));
                }
                let mut next = 1;
                while let Some((designators, item)) = rest.peek().copied() {
                    let Some(target) = checker.subobject(slot, next) else {
                        return;
                    };
                    if !designators.is_empty() || parts.len() >= MOST_PARTS {
                        return;
                    }
                    next += 1;
                    rest.next();
                    checker.fill_slot(target, item, rest, span, parts);
                }
            },
            |_| (),
        );
    }

    /// A character array from a literal.
    fn fill_text(
        &mut self,
        slot: Slot,
        element: TypeId,
        count: Option<u64>,
        bytes: &[u8],
        span: Span,
        parts: &mut Vec<Part>,
    ) {
        let count = count.unwrap_or(0);
        if bytes.len() as u64 > count {
            self.error(
                span,
                "the text is longer than the array",
                format!("{} bytes for {count}", bytes.len()),
            );
            return;
        }
        for (byte, index) in bytes.iter().zip(0_u64..).take(MOST_PARTS) {
            let value = self.integer(u64::from(*byte), self.basics.unsigned_char, span);
            let value = self.convert(value, element);
            parts.push((slot.offset.wrapping_add(index), None, value));
        }
    }
}
