//! Debug information's description of a type in the language's words.

use ytrace_debuginfo::{Aggregate, BaseEncoding, FieldRole, TypeDesc, TypeRef};
use ytrace_lang::target::{MemberDescription, MemberRole, TargetType, TypeDescription};

/// Translates one level of a type; `number` gives the language's number of a type referred to.
pub(super) fn describe(
    description: TypeDesc,
    mut number: impl FnMut(TypeRef) -> TargetType,
) -> TypeDescription {
    match description {
        TypeDesc::Void | TypeDesc::Other { .. } => TypeDescription::Void,
        TypeDesc::Base {
            name,
            size,
            encoding,
        } => base(name, size, encoding),
        TypeDesc::Pointer { target, .. } => TypeDescription::Pointer {
            target: number(target),
        },
        TypeDesc::Array { element, count } => TypeDescription::Array {
            element: number(element),
            count,
        },
        TypeDesc::Struct(aggregate) => record(aggregate, false, number),
        TypeDesc::Union(aggregate) => record(aggregate, true, number),
        TypeDesc::Enum(enumeration) => TypeDescription::Enum {
            name: enumeration.name,
            size: enumeration.size,
            signed: enumeration.signed,
            // An enumerator beyond 64 bits is no C.
            enumerators: enumeration
                .enumerators
                .into_iter()
                .map(|enumerator| (enumerator.name, enumerator.value as i64))
                .collect(),
        },
        TypeDesc::Typedef { name, target } => TypeDescription::Typedef {
            name,
            target: number(target),
        },
        TypeDesc::Function {
            result,
            parameters,
            variadic,
        } => TypeDescription::Function {
            result: number(result),
            parameters: parameters.into_iter().map(number).collect(),
            variadic,
        },
    }
}

fn base(name: String, size: u64, encoding: BaseEncoding) -> TypeDescription {
    let integer = |signed, character| TypeDescription::Integer {
        name: name.clone(),
        size,
        signed,
        character,
    };
    match encoding {
        BaseEncoding::Bool => TypeDescription::Bool,
        BaseEncoding::Signed => integer(true, false),
        BaseEncoding::Unsigned => integer(false, false),
        BaseEncoding::SignedChar => integer(true, true),
        BaseEncoding::UnsignedChar => integer(false, true),
        BaseEncoding::Utf => integer(false, size == 1),
        BaseEncoding::Float => TypeDescription::Float { name, size },
        BaseEncoding::ComplexFloat => TypeDescription::Complex { size },
        BaseEncoding::Other(_) => TypeDescription::Void,
    }
}

fn record(
    aggregate: Aggregate,
    union: bool,
    mut number: impl FnMut(TypeRef) -> TargetType,
) -> TypeDescription {
    let members = aggregate
        .fields
        .into_iter()
        .map(|field| MemberDescription {
            // A base class is a member without a name, whose members show through.
            name: field.name.filter(|_| !field.is_base),
            ty: number(field.ty),
            offset: field.offset,
            role: match field.role {
                FieldRole::Always => MemberRole::Always,
                FieldRole::Discriminant => MemberRole::Discriminant,
                FieldRole::Variant(value) => MemberRole::Variant(value),
                FieldRole::Virtual(distance) => MemberRole::Virtual(distance),
            },
            bits: field.bitfield.map(|bits| {
                (
                    u32::try_from(bits.bit_offset).unwrap_or(u32::MAX),
                    u32::try_from(bits.bit_size).unwrap_or(u32::MAX),
                )
            }),
        })
        .collect();
    TypeDescription::Record {
        name: aggregate.name,
        union,
        size: aggregate.complete.then_some(aggregate.size),
        members,
        by_reference: aggregate.by_reference,
    }
}
