//! The types of a checked program.
//!
//! Types live in one arena and are referred to by [`TypeId`]. Equal structure gives equal ids
//! (records and enumerations are equal by identity), so `==` on ids is type equality once
//! typedefs are resolved with [`Types::resolve`].

use std::collections::{HashMap, HashSet};

use crate::target::{MemberRole, ModuleId, TargetType};

/// A type in a [`Types`] arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u32);

/// A record (struct or union) in a [`Types`] arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(pub u32);

/// An enumeration in a [`Types`] arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumId(pub u32);

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `void`.
    Void,
    /// A type that could not be determined; an error has been reported, more would be noise.
    Unknown,
    /// `_Bool`.
    Bool,
    /// An integer. `rank` orders C's conversions: char 1, short 2, int 3, long 4, long long 5.
    Integer {
        /// Size in bytes: 1, 2, 4 or 8.
        size: u8,
        /// Whether it is signed.
        signed: bool,
        /// The conversion rank.
        rank: u8,
        /// Whether it is a character type (`char`, `signed char`, `unsigned char`).
        character: bool,
    },
    /// `float` (4) or `double` (8). `long double` of a target can be printed only by its bytes.
    Float {
        /// Size in bytes.
        size: u8,
    },
    /// An enumeration.
    Enum(EnumId),
    /// A pointer into the target.
    Pointer(TypeId),
    /// C's array. `None` is a flexible array or one of unknown length.
    Array(TypeId, Option<u64>),
    /// A struct or union.
    Record(RecordId),
    /// A function.
    Function {
        /// What it returns.
        result: TypeId,
        /// Its parameters.
        parameters: Vec<TypeId>,
        /// Whether it ends in `...`.
        variadic: bool,
    },
    /// A typedef, kept for messages.
    Typedef(String, TypeId),
    /// `_str`.
    Str,
    /// `_path`.
    Path,
    /// `_agg`.
    Aggregate,
    /// A growing array `T a[]`.
    Growing(TypeId),
    /// A table `T a[K1, K2]`.
    Table(Vec<TypeId>, TypeId),
}

/// A struct or union.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The tag, or for an anonymous one the name of its first typedef, else empty.
    pub name: String,
    /// Whether it is a union.
    pub union: bool,
    /// Where it comes from: the target's type, or `None` for one that the script declares.
    pub origin: Option<TargetType>,
    /// The module of the target that it comes from, if known.
    pub module: Option<ModuleId>,
    /// The members, once they have been asked for. `None` before.
    pub body: Option<RecordBody>,
}

/// The members of a complete record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordBody {
    /// Size in bytes.
    pub size: u64,
    /// Alignment in bytes (1 for records of the target, whose layout is given).
    pub align: u64,
    /// Members in order of declaration.
    pub members: Vec<Member>,
    /// Whether arguments and results of it are passed by reference, as some classes of C++ are; `None` where its members tell.
    pub by_reference: Option<bool>,
}

/// A member of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The name; `None` for an anonymous struct or union, whose members show through.
    pub name: Option<String>,
    /// Its type.
    pub ty: TypeId,
    /// Offset in bytes.
    pub offset: u64,
    /// For a bit-field: lowest bit counted from `offset`, and width.
    pub bits: Option<(u32, u32)>,
    /// Whether it is there always, or is a variant of an `enum` of Rust.
    pub role: MemberRole,
}

/// An enumeration.
#[derive(Clone, Debug, PartialEq)]
pub struct Enumeration {
    /// The tag, or the name of its first typedef, else empty.
    pub name: String,
    /// Size in bytes.
    pub size: u8,
    /// Whether values are signed.
    pub signed: bool,
    /// Enumerators.
    pub enumerators: Vec<(String, i64)>,
}

/// The arena of types.
#[derive(Clone, Debug, Default)]
pub struct Types {
    types: Vec<Type>,
    ids: HashMap<Type, TypeId>,
    records: Vec<Record>,
    enums: Vec<Enumeration>,
    /// Records and enumerations without a tag that are called by a typedef's name.
    records_named_by_typedef: HashSet<RecordId>,
    enums_named_by_typedef: HashSet<EnumId>,
}

impl Types {
    /// The id of a type; the same for equal types.
    pub fn intern(&mut self, ty: Type) -> TypeId {
        if let Some(id) = self.ids.get(&ty) {
            return *id;
        }
        let id = TypeId(self.types.len() as u32);
        self.types.push(ty.clone());
        self.ids.insert(ty, id);
        id
    }

    /// The type with an id.
    pub fn get(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }

    /// The type with typedefs looked through.
    pub fn resolve(&self, mut id: TypeId) -> TypeId {
        while let Type::Typedef(_, target) = self.get(id) {
            id = *target;
        }
        id
    }

    /// The type with typedefs looked through.
    pub fn resolved(&self, id: TypeId) -> &Type {
        self.get(self.resolve(id))
    }

    /// Adds a record.
    pub fn add_record(&mut self, record: Record) -> RecordId {
        let id = RecordId(self.records.len() as u32);
        self.records.push(record);
        id
    }

    /// A record.
    pub fn record(&self, id: RecordId) -> &Record {
        &self.records[id.0 as usize]
    }

    /// A record, to complete it.
    pub fn record_mut(&mut self, id: RecordId) -> &mut Record {
        &mut self.records[id.0 as usize]
    }

    /// Adds an enumeration.
    pub fn add_enum(&mut self, enumeration: Enumeration) -> EnumId {
        let id = EnumId(self.enums.len() as u32);
        self.enums.push(enumeration);
        id
    }

    /// An enumeration.
    pub fn enumeration(&self, id: EnumId) -> &Enumeration {
        &self.enums[id.0 as usize]
    }

    /// The size in bytes of a value of the type in tracer or tracee memory; handles take 8.
    /// `None` for incomplete types, functions, `void` and containers.
    pub fn size_of(&self, id: TypeId) -> Option<u64> {
        match self.resolved(id) {
            Type::Bool => Some(1),
            Type::Integer { size, .. } | Type::Float { size } => Some(u64::from(*size)),
            Type::Enum(id) => Some(u64::from(self.enumeration(*id).size)),
            Type::Pointer(_) | Type::Str | Type::Path => Some(8),
            Type::Array(element, Some(count)) => self.size_of(*element)?.checked_mul(*count),
            Type::Array(_, None) => Some(0),
            Type::Record(id) => self.record(*id).body.as_ref().map(|body| body.size),
            Type::Typedef(..)
            | Type::Void
            | Type::Unknown
            | Type::Function { .. }
            | Type::Aggregate
            | Type::Growing(_)
            | Type::Table(..) => None,
        }
    }

    /// Whether the type is a container, which is passed by reference and never assigned.
    pub fn is_container(&self, id: TypeId) -> bool {
        matches!(
            self.resolved(id),
            Type::Aggregate | Type::Growing(_) | Type::Table(..)
        )
    }

    /// Gives a record without a tag the name of a typedef for it.
    pub fn name_record(&mut self, id: RecordId, typedef: &str) {
        let record = self.record_mut(id);
        if record.name.is_empty() {
            typedef.clone_into(&mut record.name);
            self.records_named_by_typedef.insert(id);
        }
    }

    /// Gives an enumeration without a tag the name of a typedef for it.
    pub fn name_enum(&mut self, id: EnumId, typedef: &str) {
        let enumeration = &mut self.enums[id.0 as usize];
        if enumeration.name.is_empty() {
            typedef.clone_into(&mut enumeration.name);
            self.enums_named_by_typedef.insert(id);
        }
    }

    /// How a probe file writes the type: `struct ngx_pool_s *`, `u_char [16]`, `long [_path]`.
    pub fn name_of(&self, id: TypeId) -> String {
        self.declare(id, String::new(), 0)
    }

    /// A declaration of `name` as one of the type, as a probe file writes it.
    pub fn declaration(&self, id: TypeId, name: &str) -> String {
        self.declare(id, name.to_owned(), 0)
    }

    /// The type around a declarator, as in a declaration.
    fn declare(&self, id: TypeId, declarator: String, depth: u32) -> String {
        if depth > 64 {
            return format!("…{declarator}");
        }
        let simple = |name: &str| {
            if declarator.is_empty() {
                name.to_owned()
            } else if declarator.starts_with('[') || declarator.starts_with('(') {
                format!("{name} {declarator}")
            } else {
                format!("{name} {}", declarator.trim_start())
            }
        };
        match self.get(id) {
            Type::Void => simple("void"),
            Type::Unknown => simple("(unknown type)"),
            Type::Bool => simple("_Bool"),
            Type::Integer {
                size,
                signed,
                rank,
                character,
            } => simple(match (size, signed, rank, character) {
                (1, true, _, true) => "char",
                (1, false, _, true) => "unsigned char",
                (1, true, _, false) => "int8_t",
                (1, false, _, false) => "uint8_t",
                (2, true, _, _) => "short",
                (2, false, _, _) => "unsigned short",
                (4, true, _, _) => "int",
                (4, false, _, _) => "unsigned int",
                (_, true, 5, _) => "long long",
                (_, false, 5, _) => "unsigned long long",
                (_, true, _, _) => "long",
                (_, false, _, _) => "unsigned long",
            }),
            Type::Float { size: 4 } => simple("float"),
            Type::Float { .. } => simple("double"),
            Type::Enum(id) => {
                let name = &self.enumeration(*id).name;
                if name.is_empty() {
                    simple("enum { … }")
                } else if self.enums_named_by_typedef.contains(id) {
                    simple(name)
                } else {
                    simple(&format!("enum {name}"))
                }
            }
            Type::Pointer(target) => {
                let function_or_array = matches!(
                    self.get(*target),
                    Type::Function { .. } | Type::Array(..) | Type::Growing(_) | Type::Table(..)
                );
                let inner = format!("*{declarator}");
                let inner = if function_or_array {
                    format!("({inner})")
                } else {
                    inner
                };
                self.declare(*target, inner, depth + 1)
            }
            Type::Array(element, count) => {
                let count = count.map(|count| count.to_string()).unwrap_or_default();
                self.declare(*element, format!("{declarator}[{count}]"), depth + 1)
            }
            Type::Record(id) => {
                let record = self.record(*id);
                let keyword = if record.union { "union" } else { "struct" };
                if record.name.is_empty() {
                    simple(&format!("{keyword} {{ … }}"))
                } else if self.records_named_by_typedef.contains(id) {
                    simple(&record.name)
                } else {
                    simple(&format!("{keyword} {}", record.name))
                }
            }
            Type::Function {
                result,
                parameters,
                variadic,
            } => {
                let mut names: Vec<String> = parameters
                    .iter()
                    .take(32)
                    .map(|parameter| self.declare(*parameter, String::new(), depth + 8))
                    .collect();
                if *variadic || parameters.len() > 32 {
                    names.push("...".to_owned());
                }
                if names.is_empty() {
                    names.push("void".to_owned());
                }
                self.declare(
                    *result,
                    format!("{declarator}({})", names.join(", ")),
                    depth + 1,
                )
            }
            Type::Typedef(name, _) => simple(name),
            Type::Str => simple("_str"),
            Type::Path => simple("_path"),
            Type::Aggregate => simple("_agg"),
            Type::Growing(element) => self.declare(*element, format!("{declarator}[]"), depth + 1),
            Type::Table(keys, value) => {
                let keys: Vec<String> = keys
                    .iter()
                    .map(|key| self.declare(*key, String::new(), depth + 8))
                    .collect();
                self.declare(
                    *value,
                    format!("{declarator}[{}]", keys.join(", ")),
                    depth + 1,
                )
            }
        }
    }
}
