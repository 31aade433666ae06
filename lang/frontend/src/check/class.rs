//! What kind of thing a type is, for the rules of expressions.

use super::Checker;
use crate::hir;
use crate::types::{EnumId, RecordId, Type, TypeId};

/// The kind of a type with typedefs looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Void,
    Unknown,
    Bool,
    Integer { size: u8, signed: bool },
    Enum(EnumId),
    Float(u8),
    Pointer(TypeId),
    Array(TypeId, Option<u64>),
    Record(RecordId),
    Function,
    Str,
    Path,
    Container,
}

impl Class {
    /// `_Bool`, integers and enumerations.
    pub fn is_integer(self) -> bool {
        matches!(self, Class::Bool | Class::Integer { .. } | Class::Enum(_))
    }

    /// Integers and floats.
    pub fn is_arithmetic(self) -> bool {
        self.is_integer() || matches!(self, Class::Float(_))
    }

    /// What one word can hold.
    pub fn is_scalar(self) -> bool {
        self.is_arithmetic() || matches!(self, Class::Pointer(_) | Class::Str | Class::Path)
    }
}

/// Something that an expression denotes.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    /// A value.
    Value(hir::Expression),
    /// A place, which can be loaded.
    Place(hir::Place),
    /// A container.
    Container(hir::Container),
}

impl Operand {
    /// The type.
    pub fn ty(&self) -> TypeId {
        match self {
            Operand::Value(value) => value.ty,
            Operand::Place(place) => place.ty,
            Operand::Container(container) => container.ty,
        }
    }
}

impl Checker<'_> {
    /// The kind of a type.
    pub(super) fn class(&self, ty: TypeId) -> Class {
        match self.types.resolved(ty) {
            Type::Void => Class::Void,
            Type::Unknown | Type::Typedef(..) => Class::Unknown,
            Type::Bool => Class::Bool,
            Type::Integer { size, signed, .. } => Class::Integer {
                size: *size,
                signed: *signed,
            },
            Type::Float { size } => Class::Float(*size),
            Type::Enum(id) => Class::Enum(*id),
            Type::Pointer(target) => Class::Pointer(*target),
            Type::Array(element, count) => Class::Array(*element, *count),
            Type::Record(id) => Class::Record(*id),
            Type::Function { .. } => Class::Function,
            Type::Str => Class::Str,
            Type::Path => Class::Path,
            Type::Aggregate | Type::Growing(_) | Type::Table(..) => Class::Container,
        }
    }

    /// Size and signedness of a `_Bool`, integer, enumeration or pointer.
    pub(super) fn integer_shape(&self, ty: TypeId) -> Option<(u8, bool)> {
        match self.class(ty) {
            Class::Bool => Some((1, false)),
            Class::Integer { size, signed } => Some((size, signed)),
            Class::Enum(id) => {
                let enumeration = self.types.enumeration(id);
                Some((enumeration.size, enumeration.signed))
            }
            Class::Pointer(_) => Some((8, false)),
            _ => None,
        }
    }

    /// Whether two types are the same: equal structure under typedefs; records also by equal tag
    /// and layout.
    pub(super) fn same_type(&self, left: TypeId, right: TypeId) -> bool {
        self.same_type_within(left, right, 32)
    }

    fn same_type_within(&self, left: TypeId, right: TypeId, depth: u32) -> bool {
        let (left, right) = (self.types.resolve(left), self.types.resolve(right));
        if left == right {
            return true;
        }
        let Some(depth) = depth.checked_sub(1) else {
            return true;
        };
        let same = |a: TypeId, b: TypeId| self.same_type_within(a, b, depth);
        match (self.types.get(left), self.types.get(right)) {
            (Type::Unknown, _) | (_, Type::Unknown) => true,
            (Type::Pointer(a), Type::Pointer(b)) | (Type::Growing(a), Type::Growing(b)) => {
                same(*a, *b)
            }
            (Type::Array(a, n), Type::Array(b, m)) => {
                (n == m || n.is_none() || m.is_none()) && same(*a, *b)
            }
            (
                Type::Integer {
                    size: a, signed: s, ..
                },
                Type::Integer {
                    size: b, signed: t, ..
                },
            ) => a == b && s == t,
            (Type::Record(a), Type::Record(b)) => self.same_record(*a, *b),
            (Type::Enum(a), Type::Enum(b)) => {
                let (a, b) = (self.types.enumeration(*a), self.types.enumeration(*b));
                !a.name.is_empty() && a.name == b.name && a.size == b.size
            }
            (Type::Table(keys, value), Type::Table(other_keys, other_value)) => {
                keys.len() == other_keys.len()
                    && keys.iter().zip(other_keys).all(|(a, b)| same(*a, *b))
                    && same(*value, *other_value)
            }
            (
                Type::Function {
                    result,
                    parameters,
                    variadic,
                },
                Type::Function {
                    result: other_result,
                    parameters: other_parameters,
                    variadic: other_variadic,
                },
            ) => {
                variadic == other_variadic
                    && parameters.len() == other_parameters.len()
                    && same(*result, *other_result)
                    && parameters
                        .iter()
                        .zip(other_parameters)
                        .all(|(a, b)| same(*a, *b))
            }
            _ => false,
        }
    }

    /// Whether two records have the same tag and, as far as both are complete, the same layout.
    fn same_record(&self, left: RecordId, right: RecordId) -> bool {
        if left == right {
            return true;
        }
        let (left, right) = (self.types.record(left), self.types.record(right));
        if left.name.is_empty() || left.name != right.name || left.union != right.union {
            return false;
        }
        match (&left.body, &right.body) {
            (Some(left), Some(right)) => {
                left.size == right.size
                    && left.members.len() == right.members.len()
                    && left
                        .members
                        .iter()
                        .zip(&right.members)
                        .all(|(a, b)| a.name == b.name && a.offset == b.offset && a.bits == b.bits)
            }
            _ => true,
        }
    }
}
