//! The types that every program has.

use crate::ast::BasicType;
use crate::types::{Type, TypeId, Types};

/// Ids of C's own types, of the tracer's, and of the typedefs that always exist.
#[derive(Clone, Copy, Debug)]
pub(super) struct Basics {
    pub void: TypeId,
    pub unknown: TypeId,
    pub boolean: TypeId,
    pub char: TypeId,
    pub unsigned_char: TypeId,
    pub short: TypeId,
    pub unsigned_short: TypeId,
    pub int: TypeId,
    pub unsigned_int: TypeId,
    pub long: TypeId,
    pub unsigned_long: TypeId,
    pub long_long: TypeId,
    pub unsigned_long_long: TypeId,
    pub float: TypeId,
    pub double: TypeId,
    pub string: TypeId,
    pub path: TypeId,
    pub aggregate: TypeId,
    pub void_pointer: TypeId,
    pub size: TypeId,
    pub difference: TypeId,
    pub signed_byte: TypeId,
    pub unsigned_byte: TypeId,
}

/// An integer type of C on LP64.
fn integer(types: &mut Types, size: u8, signed: bool, rank: u8) -> TypeId {
    types.intern(Type::Integer {
        size,
        signed,
        rank,
        character: size == 1,
    })
}

impl Basics {
    /// Interns the basic types.
    pub fn new(types: &mut Types) -> Self {
        let void = types.intern(Type::Void);
        let long = integer(types, 8, true, 4);
        let unsigned_long = integer(types, 8, false, 4);
        let char = integer(types, 1, true, 1);
        let unsigned_char = integer(types, 1, false, 1);
        Self {
            void,
            unknown: types.intern(Type::Unknown),
            boolean: types.intern(Type::Bool),
            char,
            unsigned_char,
            short: integer(types, 2, true, 2),
            unsigned_short: integer(types, 2, false, 2),
            int: integer(types, 4, true, 3),
            unsigned_int: integer(types, 4, false, 3),
            long,
            unsigned_long,
            long_long: integer(types, 8, true, 5),
            unsigned_long_long: integer(types, 8, false, 5),
            float: types.intern(Type::Float { size: 4 }),
            double: types.intern(Type::Float { size: 8 }),
            string: types.intern(Type::Str),
            path: types.intern(Type::Path),
            aggregate: types.intern(Type::Aggregate),
            void_pointer: types.intern(Type::Pointer(void)),
            size: types.intern(Type::Typedef("size_t".to_owned(), unsigned_long)),
            difference: types.intern(Type::Typedef("ptrdiff_t".to_owned(), long)),
            // Shown as numbers, not as characters.
            signed_byte: types.intern(Type::Typedef("int8_t".to_owned(), char)),
            unsigned_byte: types.intern(Type::Typedef("uint8_t".to_owned(), unsigned_char)),
        }
    }

    /// The type of a keyword; `None` for `long double` and `_fault`, which are records.
    pub fn keyword(&self, basic: BasicType) -> Option<TypeId> {
        Some(match basic {
            BasicType::Void => self.void,
            BasicType::Bool => self.boolean,
            BasicType::Char | BasicType::SignedChar => self.char,
            BasicType::UnsignedChar => self.unsigned_char,
            BasicType::Short => self.short,
            BasicType::UnsignedShort => self.unsigned_short,
            BasicType::Int => self.int,
            BasicType::UnsignedInt => self.unsigned_int,
            BasicType::Long => self.long,
            BasicType::UnsignedLong => self.unsigned_long,
            BasicType::LongLong => self.long_long,
            BasicType::UnsignedLongLong => self.unsigned_long_long,
            BasicType::Float => self.float,
            BasicType::Double => self.double,
            BasicType::Str => self.string,
            BasicType::Path => self.path,
            BasicType::Aggregate => self.aggregate,
            BasicType::LongDouble | BasicType::Fault => return None,
        })
    }

    /// The typedefs that exist without a target.
    pub fn standard_typedef(&self, name: &str) -> Option<TypeId> {
        Some(match name {
            "size_t" | "uintptr_t" | "uint64_t" | "uintmax_t" => self.unsigned_long,
            "ssize_t" | "ptrdiff_t" | "intptr_t" | "int64_t" | "intmax_t" => self.long,
            "int8_t" => self.signed_byte,
            "uint8_t" => self.unsigned_byte,
            "int16_t" => self.short,
            "uint16_t" => self.unsigned_short,
            "int32_t" => self.int,
            "uint32_t" => self.unsigned_int,
            _ => return None,
        })
    }
}
