//! The types of a checked program.
//!
//! Types live in one arena and are referred to by [`TypeId`]. Equal structure gives equal ids
//! (records and enumerations are equal by identity), so `==` on ids is type equality once
//! typedefs are resolved with [`Types::resolve`].

use std::collections::HashMap;

use crate::target::{ModuleId, TargetType};

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
}
