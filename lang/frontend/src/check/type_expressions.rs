//! `sizeof`, `offsetof`, `_container_of` and `typeof`.

use ytrace_values::Operation;

use super::Checker;
use super::class::{Class, Operand};
use crate::ast;
use crate::hir::{self, ArithmeticOperator, ExpressionKind};
use crate::source::Span;
use crate::types::{Type, TypeId};

impl Checker<'_> {
    /// The type of an expression that is not evaluated.
    pub(super) fn type_of(&mut self, expression: &ast::Expression) -> TypeId {
        // The parser does not know the target's types.
        if let ast::ExpressionKind::Name(name) = &expression.kind
            && !self.is_known_value(name)
            && let Some(ty) = self.find_named_type(name)
        {
            return ty;
        }
        // What is not evaluated may name what has no value yet.
        let in_global = std::mem::replace(&mut self.in_global, false);
        let operand = self.operand(expression);
        self.in_global = in_global;
        self.unevaluated_type(operand)
    }

    fn unevaluated_type(&mut self, operand: Operand) -> TypeId {
        match &operand {
            Operand::Place(place) if self.class(place.ty) == Class::Void => self.rvalue(operand).ty,
            other => other.ty(),
        }
    }

    /// The bytes of a growing array: its present length times the size of an element, so that
    /// `sizeof(a) / sizeof(a[0])` is what it is in C.
    fn growing_size(&mut self, operand: &Operand, span: Span) -> Option<hir::Expression> {
        let Operand::Container(container) = operand else {
            return None;
        };
        let element = self.growing_type(container.ty)?;
        if self.types.is_container(element) || self.holds_handles(element) {
            return None;
        }
        let size = self.size_of(element)?;
        let ty = self.basics.size;
        let length = hir::Expression {
            kind: ExpressionKind::ContainerOperation(
                Operation::ContainerLength,
                container.clone(),
                Vec::new(),
            ),
            ty: self.basics.long,
            span,
        };
        Some(hir::Expression {
            kind: ExpressionKind::Arithmetic(
                ArithmeticOperator::Multiply,
                Box::new(self.convert(length, ty)),
                Box::new(self.integer(size, ty, span)),
            ),
            ty,
            span,
        })
    }

    /// `sizeof …`.
    pub(super) fn size_expression(
        &mut self,
        argument: &ast::SizeofArgument,
        span: Span,
    ) -> hir::Expression {
        let ty = match argument {
            ast::SizeofArgument::Type(name) => self.type_name(name),
            ast::SizeofArgument::Expression(expression) => {
                // The size of a literal is that of C's array.
                if let ast::ExpressionKind::String(bytes) = &expression.kind {
                    return self.integer(bytes.len() as u64 + 1, self.basics.size, span);
                }
                let operand = self.operand(expression);
                if let Some(size) = self.growing_size(&operand, span) {
                    return size;
                }
                self.unevaluated_type(operand)
            }
            ast::SizeofArgument::Name(name) => match self.find_named_type(name) {
                Some(ty) => ty,
                None => {
                    let operand = self.name_operand(name);
                    if let Some(size) = self.growing_size(&operand, span) {
                        return size;
                    }
                    self.unevaluated_type(operand)
                }
            },
        };
        self.size_constant(ty, span)
    }

    fn size_constant(&mut self, ty: TypeId, span: Span) -> hir::Expression {
        let size = match self.class(ty) {
            Class::Unknown => return self.unknown(span),
            // As GNU C has it.
            Class::Void | Class::Function => Some(1),
            Class::Str | Class::Path | Class::Container => {
                let found = self.quoted(ty);
                self.error_help(
                    span,
                    format!("{found} has no size in memory"),
                    "it lives in the tracer",
                    "the number of bytes or elements is `_len(…)`",
                );
                return self.unknown(span);
            }
            Class::Array(_, None) => {
                self.error(
                    span,
                    "an array of unknown length has no size",
                    format!("this is {}", self.quoted(ty)),
                );
                return self.unknown(span);
            }
            _ => self.size_of(ty),
        };
        match size {
            Some(size) => self.integer(size, self.basics.size, span),
            None => {
                self.error(
                    span,
                    format!("the size of {} is not known", self.quoted(ty)),
                    "the type is incomplete",
                );
                self.unknown(span)
            }
        }
    }

    /// The byte offset and type of `.a.b[2]` in a type; `None` after an error.
    fn designated(
        &mut self,
        ty: TypeId,
        designators: &[ast::Designator],
        span: Span,
    ) -> Option<(u64, TypeId)> {
        let mut offset = 0_u64;
        let mut ty = ty;
        for designator in designators {
            match (designator, self.class(ty)) {
                (_, Class::Unknown) => return None,
                (ast::Designator::Field(name), Class::Record(record)) => {
                    let Some(found) = self.find_member(record, &name.text, 0) else {
                        self.unknown_member(record, name);
                        return None;
                    };
                    if found.bits.is_some() {
                        self.error(name.span, "a bit-field has no offset in bytes", "");
                        return None;
                    }
                    offset = offset.wrapping_add(found.offset);
                    ty = found.ty;
                }
                (ast::Designator::Index(index), Class::Array(element, _)) => {
                    let index = self.constant_integer(index)?;
                    let size = self.size_of(element)?;
                    offset = offset.wrapping_add((index as u64).wrapping_mul(size));
                    ty = element;
                }
                (ast::Designator::Field(name), _) => {
                    self.error(
                        name.span,
                        format!("{} has no members", self.quoted(ty)),
                        "no such member",
                    );
                    return None;
                }
                (ast::Designator::Index(index), _) => {
                    self.error(
                        index.span,
                        format!("{} has no elements", self.quoted(ty)),
                        "this is no array",
                    );
                    return None;
                }
            }
        }
        if designators.is_empty() {
            self.error(span, "a member is missing", "name one");
            return None;
        }
        Some((offset, ty))
    }

    /// `offsetof(T, member)`.
    pub(super) fn offset_expression(
        &mut self,
        ty: &ast::TypeName,
        designators: &[ast::Designator],
        span: Span,
    ) -> hir::Expression {
        let ty = self.type_name(ty);
        match self.designated(ty, designators, span) {
            Some((offset, _)) => self.integer(offset, self.basics.size, span),
            None => self.unknown(span),
        }
    }

    /// `_container_of(p, T, member)`: the `T` whose member `p` points to.
    pub(super) fn container_of(
        &mut self,
        pointer: &ast::Expression,
        ty: &ast::TypeName,
        designators: &[ast::Designator],
        span: Span,
    ) -> hir::Expression {
        let pointer = self.value(pointer);
        let ty = self.type_name(ty);
        let Some((offset, _)) = self.designated(ty, designators, span) else {
            return self.unknown(span);
        };
        match self.class(pointer.ty) {
            Class::Pointer(_) => {}
            Class::Unknown => return self.unknown(span),
            _ => {
                self.error(
                    pointer.span,
                    "`_container_of` starts from a pointer to the member",
                    format!("this is {}", self.quoted(pointer.ty)),
                );
                return self.unknown(span);
            }
        }
        let result = self.types.intern(Type::Pointer(ty));
        let offset = self.integer(
            (offset as i64).wrapping_neg() as u64,
            self.basics.long,
            span,
        );
        self.offset_pointer(pointer, offset, 1, result, span)
    }
}
