//! Members, indices and dereferencing.

use super::Checker;
use super::class::{Class, Operand};
use super::members::FoundMember;
use crate::ast;
use crate::hir::{self, PlaceKind};
use crate::source::Span;
use crate::types::{RecordId, Type, TypeId};
use ytrace_values::Operation;

impl Checker<'_> {
    /// Memory of the target at an address, as a place of type `ty`.
    pub(super) fn target_place(address: hir::Expression, ty: TypeId, span: Span) -> Operand {
        Operand::Place(hir::Place {
            kind: PlaceKind::Target(Box::new(address)),
            ty,
            span,
        })
    }

    /// `*operand`.
    pub(super) fn dereference(&mut self, operand: &ast::Expression, span: Span) -> Operand {
        let value = self.value(operand);
        match self.class(value.ty) {
            Class::Unknown => self.unknown_operand(span),
            Class::Pointer(target) => match self.class(target) {
                Class::Unknown => self.unknown_operand(span),
                Class::Void => {
                    self.error_help(
                        span,
                        "a `void *` does not say what it points to",
                        "nothing can be read through it",
                        "cast it: `*(T *) p`",
                    );
                    self.unknown_operand(span)
                }
                _ => Self::target_place(value, target, span),
            },
            _ => {
                let found = self.quoted(value.ty);
                self.error(
                    value.span,
                    "only a pointer can be followed",
                    format!("this is {found}"),
                );
                self.unknown_operand(span)
            }
        }
    }

    /// `object.member` or `object->member`.
    pub(super) fn member(
        &mut self,
        object: &ast::Expression,
        arrow: bool,
        member: &ast::Name,
        span: Span,
    ) -> Operand {
        let operand = self.operand(object);
        let ty = operand.ty();
        match self.class(ty) {
            Class::Unknown => self.unknown_operand(span),
            Class::Record(record) => {
                if arrow {
                    self.error(
                        span,
                        format!("`->` needs a pointer, and this is {}", self.quoted(ty)),
                        format!("write `.{}`", member.text),
                    );
                    return self.unknown_operand(span);
                }
                let base = match operand {
                    Operand::Place(place) => place,
                    Operand::Value(value) => hir::Place {
                        ty: value.ty,
                        span: value.span,
                        kind: PlaceKind::Value(Box::new(value)),
                    },
                    Operand::Container(_) => return self.unknown_operand(span),
                };
                self.member_place(base, record, member, span)
            }
            Class::Pointer(_) | Class::Array(..) if arrow => {
                let pointer = self.rvalue(operand);
                self.pointed_member(pointer, member, span)
            }
            Class::Pointer(target) if matches!(self.class(target), Class::Record(_)) => {
                self.error(
                    span,
                    format!("`.` needs a struct, and this is {}", self.quoted(ty)),
                    format!("write `->{}`", member.text),
                );
                self.unknown_operand(span)
            }
            Class::Container => {
                self.error_help(
                    span,
                    format!("{} has no members", self.quoted(ty)),
                    "a container holds elements",
                    "take an element first: `t[k].member`",
                );
                self.unknown_operand(span)
            }
            Class::Void => {
                self.rvalue(operand);
                self.unknown_operand(span)
            }
            _ => {
                self.error(
                    span,
                    format!("{} has no members", self.quoted(ty)),
                    format!("so there is no `{}`", member.text),
                );
                self.unknown_operand(span)
            }
        }
    }

    fn pointed_member(
        &mut self,
        pointer: hir::Expression,
        member: &ast::Name,
        span: Span,
    ) -> Operand {
        let Class::Pointer(target) = self.class(pointer.ty) else {
            if !self.is_unknown(pointer.ty) {
                let found = self.quoted(pointer.ty);
                self.error_help(
                    span,
                    "`->` needs a pointer into the target",
                    format!("this is {found}"),
                    "take an element of the array first: `a[i].member`",
                );
            }
            return self.unknown_operand(span);
        };
        match self.class(target) {
            Class::Record(record) => {
                let base = hir::Place {
                    span: pointer.span,
                    kind: PlaceKind::Target(Box::new(pointer)),
                    ty: target,
                };
                self.member_place(base, record, member, span)
            }
            Class::Unknown => self.unknown_operand(span),
            class => {
                let found = self.quoted(pointer.ty);
                let help = match class {
                    Class::Void => format!("cast it: `((T *) p)->{}`", member.text),
                    Class::Pointer(_) => format!("follow it first: `(*p)->{}`", member.text),
                    _ => format!("so there is no `{}`", member.text),
                };
                self.error_help(
                    span,
                    "`->` needs a pointer to a struct",
                    format!("this is {found}"),
                    help,
                );
                self.unknown_operand(span)
            }
        }
    }

    fn member_place(
        &mut self,
        base: hir::Place,
        record: RecordId,
        member: &ast::Name,
        span: Span,
    ) -> Operand {
        let Some(FoundMember { offset, bits, ty }) = self.find_member(record, &member.text, 0)
        else {
            self.unknown_member(record, member);
            return self.unknown_operand(span);
        };
        if self.is_unknown(ty) {
            return self.unknown_operand(span);
        }
        Operand::Place(hir::Place {
            kind: PlaceKind::Member {
                base: Box::new(base),
                offset,
                bits,
            },
            ty,
            span,
        })
    }

    /// `base[indices]`.
    pub(super) fn index(
        &mut self,
        base: &ast::Expression,
        indices: &[ast::Expression],
        span: Span,
    ) -> Operand {
        let operand = self.operand(base);
        if let Operand::Container(container) = operand {
            return self.container_element(container, indices, span);
        }
        let [index] = indices else {
            if !self.is_unknown(operand.ty()) {
                let found = self.quoted(operand.ty());
                self.error(
                    span,
                    "several keys need a table",
                    format!("this is {found}"),
                );
            }
            return self.unknown_operand(span);
        };
        if let Operand::Place(place) = &operand
            && let Class::Array(element, count) = self.class(place.ty)
            && !Self::in_target(place)
        {
            let place = place.clone();
            let index = self.value(index);
            let index = self.index_value(index);
            return self.tracer_element(place, element, count.unwrap_or(0), index, span);
        }
        let value = self.rvalue(operand);
        let index = self.value(index);
        if self.is_unknown(value.ty) || self.is_unknown(index.ty) {
            return self.unknown_operand(span);
        }
        match (self.class(value.ty), self.class(index.ty)) {
            (Class::Str, _) => {
                let index = self.index_value(index);
                Operand::Value(self.operation(
                    Operation::StrIndex,
                    vec![value, index],
                    self.basics.unsigned_char,
                    span,
                ))
            }
            (Class::Array(element, Some(count)), _) => {
                let place = hir::Place {
                    ty: value.ty,
                    span: value.span,
                    kind: PlaceKind::Value(Box::new(value)),
                };
                let index = self.index_value(index);
                self.tracer_element(place, element, count, index, span)
            }
            (Class::Pointer(target), _) => self.pointer_element(value, target, index, span),
            // C allows `2[p]` too.
            (class, Class::Pointer(target)) if class.is_integer() => {
                self.pointer_element(index, target, value, span)
            }
            _ => {
                let found = self.quoted(value.ty);
                self.error(
                    span,
                    "only arrays, tables, pointers and strings have elements",
                    format!("this is {found}"),
                );
                self.unknown_operand(span)
            }
        }
    }

    fn tracer_element(
        &mut self,
        base: hir::Place,
        element: TypeId,
        count: u64,
        index: hir::Expression,
        span: Span,
    ) -> Operand {
        let Some(stride) = self.size_of(element) else {
            return self.unknown_operand(span);
        };
        if self.is_unknown(index.ty) {
            return self.unknown_operand(span);
        }
        if let Some(constant) = self.constant_of(&index)
            && (constant < 0 || constant >= i128::from(count))
        {
            self.error(
                index.span,
                format!("index {constant} is outside of the array"),
                format!("it has {count} elements"),
            );
            return self.unknown_operand(span);
        }
        Operand::Place(hir::Place {
            kind: PlaceKind::Index {
                base: Box::new(base),
                index: Box::new(index),
                stride,
                count,
            },
            ty: element,
            span,
        })
    }

    fn pointer_element(
        &mut self,
        pointer: hir::Expression,
        target: TypeId,
        index: hir::Expression,
        span: Span,
    ) -> Operand {
        if self.class(target) == Class::Void {
            self.error_help(
                span,
                "a `void *` does not say what it points to",
                "so it has no elements",
                "cast it: `((T *) p)[i]`",
            );
            return self.unknown_operand(span);
        }
        let Some(scale) = self.pointee_size(target, span) else {
            return self.unknown_operand(span);
        };
        let index = self.index_value(index);
        let ty = self.types.intern(Type::Pointer(target));
        let address = self.offset_pointer(pointer, index, scale, ty, span);
        if self.is_unknown(address.ty) {
            return self.unknown_operand(span);
        }
        Self::target_place(address, target, span)
    }
}
