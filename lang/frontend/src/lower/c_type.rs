//! How C writes a type.

use crate::types::{Type, TypeId, Types};

/// How many derivations are followed.
const MAX_LEVELS: u32 = 64;

/// The name of a type as C writes it: `struct ngx_pool_s *`, `char [16]`.
pub(super) fn name(types: &Types, ty: TypeId) -> String {
    declaration(types, ty, String::new(), 0)
}

/// A declaration of `inner` (a name with its derivations so far, or nothing) with a type.
fn declaration(types: &Types, ty: TypeId, inner: String, level: u32) -> String {
    if level > MAX_LEVELS {
        return "…".to_owned();
    }
    let next = level + 1;
    match types.get(ty) {
        Type::Pointer(target) => {
            let pointer = match types.get(*target) {
                Type::Array(..) | Type::Function { .. } => format!("(*{inner})"),
                _ => format!("*{inner}"),
            };
            declaration(types, *target, pointer, next)
        }
        Type::Array(element, count) => {
            let count = count.map(|count| count.to_string()).unwrap_or_default();
            declaration(types, *element, format!("{inner}[{count}]"), next)
        }
        Type::Growing(element) => declaration(types, *element, format!("{inner}[]"), next),
        Type::Table(keys, value) => {
            let keys: Vec<String> = keys
                .iter()
                .map(|key| declaration(types, *key, String::new(), next))
                .collect();
            declaration(types, *value, format!("{inner}[{}]", keys.join(", ")), next)
        }
        Type::Function {
            result,
            parameters,
            variadic,
        } => {
            let mut list: Vec<String> = parameters
                .iter()
                .map(|parameter| declaration(types, *parameter, String::new(), next))
                .collect();
            if *variadic {
                list.push("...".to_owned());
            }
            if list.is_empty() {
                list.push("void".to_owned());
            }
            declaration(types, *result, format!("{inner}({})", list.join(", ")), next)
        }
        base => {
            let base = base_name(types, base);
            if inner.is_empty() {
                base
            } else {
                format!("{base} {inner}")
            }
        }
    }
}

fn base_name(types: &Types, ty: &Type) -> String {
    match ty {
        Type::Void => "void".to_owned(),
        Type::Unknown => "?".to_owned(),
        Type::Bool => "_Bool".to_owned(),
        Type::Integer {
            size,
            signed,
            rank,
            character,
        } => integer_name(*size, *signed, *rank, *character).to_owned(),
        Type::Float { size: 4 } => "float".to_owned(),
        Type::Float { .. } => "double".to_owned(),
        Type::Enum(id) => tagged("enum", &types.enumeration(*id).name),
        Type::Record(id) => {
            let record = types.record(*id);
            tagged(if record.union { "union" } else { "struct" }, &record.name)
        }
        Type::Typedef(name, _) => name.clone(),
        Type::Str => "_str".to_owned(),
        Type::Path => "_path".to_owned(),
        Type::Aggregate => "_agg".to_owned(),
        Type::Pointer(_)
        | Type::Array(..)
        | Type::Function { .. }
        | Type::Growing(_)
        | Type::Table(..) => String::new(),
    }
}

fn tagged(keyword: &str, tag: &str) -> String {
    if tag.is_empty() {
        format!("{keyword} {{…}}")
    } else {
        format!("{keyword} {tag}")
    }
}

fn integer_name(size: u8, signed: bool, rank: u8, character: bool) -> &'static str {
    match (size, signed, rank, character) {
        (1, true, _, true) => "char",
        (1, false, _, true) => "unsigned char",
        (1, true, ..) => "signed char",
        (1, false, ..) => "unsigned char",
        (2, true, ..) => "short",
        (2, false, ..) => "unsigned short",
        (4, true, ..) => "int",
        (4, false, ..) => "unsigned int",
        (_, true, 5, _) => "long long",
        (_, false, 5, _) => "unsigned long long",
        (_, true, ..) => "long",
        (_, false, ..) => "unsigned long",
    }
}
