//! Types and functions of debug information as the language writes them.

use std::cell::RefCell;
use std::collections::HashMap;

use ytrace_debuginfo::{Aggregate, Function, Module, NameKind, TypeDesc, TypeRef};

use super::ListedMember;

/// Pointers, arrays and functions within one another, beyond which a type is cut short.
const MAX_DEPTH: usize = 24;

/// One step of a type on the way to its name.
#[derive(Clone)]
enum Step {
    Pointer(TypeRef),
    Array(TypeRef, Option<u64>),
    Function {
        result: TypeRef,
        parameters: Vec<TypeRef>,
        variadic: bool,
    },
    Named(String),
}

/// Writes declarations of one module's types.
pub(crate) struct Declarations<'m> {
    info: &'m Module,
    steps: RefCell<HashMap<TypeRef, Step>>,
}

impl<'m> Declarations<'m> {
    pub fn new(info: &'m Module) -> Self {
        Declarations {
            info,
            steps: RefCell::default(),
        }
    }

    /// `name(type parameter, …) -> type r`, `-> _void` of one that returns nothing, or `name(...)` where nothing is known.
    pub fn head(&self, name: &str, prototype: Option<&Function>) -> String {
        let Some(Some(parameters)) = prototype.map(|p| p.parameters.as_ref()) else {
            return format!("{name}(...)");
        };
        let mut list: Vec<String> = parameters
            .iter()
            .map(|p| self.declare(p.ty, p.name.as_deref().unwrap_or_default()))
            .collect();
        if prototype.is_some_and(|p| p.variadic) {
            list.push("...".to_owned());
        }
        // The result has a name of its own.
        let taken = |name: &str| parameters.iter().any(|p| p.name.as_deref() == Some(name));
        let own = if taken("r") { "result" } else { "r" };
        let result = match prototype.and_then(|p| p.result) {
            Some(TypeRef::VOID) | None => "_void".to_owned(),
            Some(ty) => self.declare(ty, own),
        };
        format!("{name}({}) -> {result}", list.join(", "))
    }

    /// `type name(type parameter, …)`, as C declares a function; `None` where its parameters are not known.
    pub fn prototype(&self, function: &Function) -> Option<String> {
        let parameters = function.parameters.as_ref()?;
        let declare = |p: &ytrace_debuginfo::Parameter| {
            self.declare(p.ty, p.name.as_deref().unwrap_or_default())
        };
        let mut list: Vec<String> = parameters.iter().map(declare).collect();
        if function.variadic {
            list.push("...".to_owned());
        }
        if list.is_empty() {
            list.push("void".to_owned());
        }
        let call = format!("{}({})", quoted(&function.name), list.join(", "));
        Some(match function.result {
            Some(TypeRef::VOID) | None => join("void", &call),
            Some(ty) => self.declare(ty, &call),
        })
    }

    /// A declaration of `name`, which may be empty.
    pub fn declare(&self, ty: TypeRef, name: &str) -> String {
        self.build(ty, name.to_owned(), 0)
    }

    /// `typedef … name`.
    pub fn typedef(&self, ty: TypeRef, name: &str) -> String {
        match self.info.describe(ty) {
            Ok(TypeDesc::Typedef { target, .. }) => {
                format!("typedef {}", self.declare(target, &quoted(name)))
            }
            _ => format!("typedef {}", quoted(name)),
        }
    }

    /// The members of a type with their offsets, or its constants with their values.
    pub fn members(&self, ty: TypeRef) -> Vec<ListedMember> {
        let fields = |aggregate: Aggregate| {
            aggregate
                .fields
                .into_iter()
                .map(|field| {
                    let name = field.name.unwrap_or_default();
                    let mut declaration = self.declare(field.ty, &name);
                    let mut at = i128::from(field.offset);
                    let mut bit = None;
                    if let Some(bits) = field.bitfield {
                        declaration.push_str(&format!(" : {}", bits.bit_size));
                        // The offset is that of the word which it is read from.
                        at += i128::from(bits.bit_offset / 8);
                        bit = Some(bits.bit_offset % 8);
                    }
                    ListedMember {
                        at,
                        bit,
                        declaration,
                    }
                })
                .collect()
        };
        match self.info.describe(ty) {
            Ok(TypeDesc::Struct(a) | TypeDesc::Union(a)) => fields(a),
            Ok(TypeDesc::Enum(e)) => e
                .enumerators
                .into_iter()
                .map(|e| ListedMember {
                    at: e.value,
                    bit: None,
                    declaration: e.name,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    fn build(&self, ty: TypeRef, inner: String, depth: usize) -> String {
        if depth > MAX_DEPTH {
            return join("…", &inner);
        }
        let next = depth + 1;
        // A `*` binds less than `[]` and `()`.
        let bound = |inner: String| match inner.starts_with('*') {
            true => format!("({inner})"),
            false => inner,
        };
        match self.step(ty) {
            Step::Named(name) => join(&name, &inner),
            Step::Pointer(target) => self.build(target, format!("*{inner}"), next),
            Step::Array(element, count) => {
                let count = count.map_or(String::new(), |n| n.to_string());
                self.build(element, format!("{}[{count}]", bound(inner)), next)
            }
            Step::Function {
                result,
                parameters,
                variadic,
            } => {
                let mut list: Vec<String> = parameters
                    .into_iter()
                    .map(|p| self.build(p, String::new(), next))
                    .collect();
                if variadic {
                    list.push("...".to_owned());
                }
                let inner = format!("{}({})", bound(inner), list.join(", "));
                self.build(result, inner, next)
            }
        }
    }

    fn step(&self, ty: TypeRef) -> Step {
        if let Some(known) = self.steps.borrow().get(&ty) {
            return known.clone();
        }
        let step = match self.info.describe(ty) {
            Ok(description) => step_of(description),
            // What is damaged is told by the listing as a whole; here is only no name.
            Err(_) => Step::Named("?".to_owned()),
        };
        self.steps.borrow_mut().insert(ty, step.clone());
        step
    }
}

fn step_of(description: TypeDesc) -> Step {
    let tag = |word: &str, name: Option<String>| match name {
        Some(name) => format!("{word} {}", quoted(&name)),
        None => format!("{word} {{…}}"),
    };
    Step::Named(match description {
        TypeDesc::Void => "void".to_owned(),
        TypeDesc::Base { name, .. } => name,
        TypeDesc::Typedef { name, .. } => quoted(&name),
        TypeDesc::Struct(a) => tag("struct", a.name),
        TypeDesc::Union(a) => tag("union", a.name),
        TypeDesc::Enum(e) => tag("enum", e.name),
        TypeDesc::Other { name, .. } => name.unwrap_or_else(|| "?".to_owned()),
        TypeDesc::Pointer { target, .. } => return Step::Pointer(target),
        TypeDesc::Array { element, count } => return Step::Array(element, count),
        TypeDesc::Function {
            result,
            parameters,
            variadic,
        } => {
            return Step::Function {
                result,
                parameters,
                variadic,
            };
        }
    })
}

/// A type's name and what is declared with it.
fn join(name: &str, inner: &str) -> String {
    match inner.is_empty() {
        true => name.to_owned(),
        false => format!("{name} {inner}"),
    }
}

/// `struct name`, and the like.
pub(super) fn tagged(kind: NameKind, name: &str) -> String {
    let name = quoted(name);
    match kind {
        NameKind::Struct => format!("struct {name}"),
        NameKind::Union => format!("union {name}"),
        NameKind::Enum => format!("enum {name}"),
        _ => name,
    }
}

/// A name as the language writes it: in backquotes where C cannot spell it.
pub(super) fn quoted(name: &str) -> String {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty();
    match plain {
        true => name.to_owned(),
        false => format!("`{name}`"),
    }
}

/// A module's name before `::`.
pub(super) fn prefix(name: &str) -> String {
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    match plain {
        true => name.to_owned(),
        false => format!("`{name}`"),
    }
}
