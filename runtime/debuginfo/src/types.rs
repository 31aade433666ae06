//! The shape of types, as the debug information tells it.

use std::fmt;

use crate::dwarf::EntrySection;

/// A type of one module: small, copyable, meaningful only to the module that gave it out.
///
/// It holds the section and offset of the entry and, for arrays of several dimensions, how many of these are taken off.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeRef(u64);

const OFFSET_BITS: u32 = 48;
const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;

impl TypeRef {
    /// The type `void`.
    pub const VOID: TypeRef = TypeRef(u64::MAX);

    /// `None` where the offset is larger than any section.
    pub(crate) fn new(section: EntrySection, offset: u64) -> Option<Self> {
        (offset <= OFFSET_MASK).then_some(TypeRef((section as u64) << 62 | offset))
    }

    pub(crate) fn from_raw(raw: u64) -> Self {
        TypeRef(raw)
    }

    pub(crate) fn raw(self) -> u64 {
        self.0
    }

    pub(crate) fn section(self) -> Option<EntrySection> {
        EntrySection::from_number((self.0 >> 62) as u8)
    }

    /// Offset in bytes of the entry in its section.
    pub(crate) fn offset(self) -> u64 {
        self.0 & OFFSET_MASK
    }

    /// How many dimensions of an array are taken off.
    pub(crate) fn dimension(self) -> usize {
        (self.0 >> OFFSET_BITS & 0xff) as usize
    }

    /// The same array with `dimension` dimensions taken off; `None` beyond 255.
    pub(crate) fn with_dimension(self, dimension: usize) -> Option<Self> {
        let dimension = u8::try_from(dimension).ok()?;
        Some(TypeRef(
            self.0 & !(0xff << OFFSET_BITS) | u64::from(dimension) << OFFSET_BITS,
        ))
    }
}

impl fmt::Debug for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.section() {
            _ if *self == TypeRef::VOID => f.write_str("void"),
            Some(section) => write!(
                f,
                "{}+{:#x}/{}",
                section.name(),
                self.offset(),
                self.dimension()
            ),
            None => f.write_str("invalid"),
        }
    }
}

/// Which namespace a name is looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum NameKind {
    /// A base type such as `unsigned int`.
    Base = 0,
    /// A typedef.
    Typedef = 1,
    /// A structure or a C++ class.
    Struct = 2,
    /// A union.
    Union = 3,
    /// An enumeration.
    Enum = 4,
    /// A constant of an enumeration.
    Enumerator = 5,
    /// A variable.
    Variable = 6,
    /// A function.
    Function = 7,
}

impl NameKind {
    /// All kinds.
    pub const ALL: [NameKind; 8] = [
        NameKind::Base,
        NameKind::Typedef,
        NameKind::Struct,
        NameKind::Union,
        NameKind::Enum,
        NameKind::Enumerator,
        NameKind::Variable,
        NameKind::Function,
    ];
}

impl fmt::Display for NameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameKind::Base => "base type",
            NameKind::Typedef => "typedef",
            NameKind::Struct => "struct",
            NameKind::Union => "union",
            NameKind::Enum => "enum",
            NameKind::Enumerator => "enumerator",
            NameKind::Variable => "variable",
            NameKind::Function => "function",
        })
    }
}

/// How the bits of a base type are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BaseEncoding {
    /// `_Bool`.
    Bool,
    /// A signed integer.
    Signed,
    /// An unsigned integer.
    Unsigned,
    /// A `char` that is signed.
    SignedChar,
    /// A `char` that is unsigned.
    UnsignedChar,
    /// A Unicode character (`char16_t`, `char32_t`, Rust's `char`).
    Utf,
    /// A floating-point number.
    Float,
    /// A complex floating-point number.
    ComplexFloat,
    /// Anything else, with the DWARF code (`DW_ATE_*`).
    Other(u8),
}

/// Where a bit-field lies.
///
/// On little-endian targets, read the bytes from the field's `offset` to cover `bit_offset + bit_size` bits as an unsigned number, least
/// significant byte first, shift right by `bit_offset` and keep `bit_size` bits. `offset` is a multiple of the declared type's size
/// where the field does not cross such a boundary, and `bit_offset + bit_size` never exceeds 8 + 64 for integers of C.
/// On big-endian targets `bit_offset` counts from the most significant bit of the byte at `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bitfield {
    /// Bits below the field.
    pub bit_offset: u64,
    /// Width in bits.
    pub bit_size: u64,
}

/// What a member is to its structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FieldRole {
    /// It is always there.
    #[default]
    Always,
    /// It tells which variant is there (`DW_AT_discr`, DWARF 5, section 5.7.10). Rust's enumerations with data have one, unless there is
    /// one variant only.
    Discriminant,
    /// It is there where the discriminant has this value, as far as its size goes; `None` is the variant for all other values.
    Variant(Option<u128>),
    /// A virtual base of C++, whose place each object tells: its distance from the start of the object stands so many bytes below
    /// where the object's first word points (Itanium C++ ABI, section 2.5.2). `None` where it is computed otherwise. The offset is 0.
    Virtual(Option<u64>),
}

/// A member of a structure or union.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// `None` for anonymous members, whose own members are accessed as if they stood here, and for C++ base classes.
    pub name: Option<String>,
    /// Its type.
    pub ty: TypeRef,
    /// Offset in bytes from the start of the structure.
    pub offset: u64,
    /// Set for bit-fields.
    pub bitfield: Option<Bitfield>,
    /// Whether it is a C++ base class.
    pub is_base: bool,
    /// Whether it is there always, or is a variant.
    pub role: FieldRole,
}

/// A structure, class or union.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// Its tag; `None` for anonymous ones.
    pub name: Option<String>,
    /// Size in bytes; zero where it is only declared.
    pub size: u64,
    /// Whether its members are known. `false` where the module declares it and has no definition.
    pub complete: bool,
    /// Its members in the order of declaration.
    pub fields: Vec<Field>,
    /// How many members are left out because their place is computed at run time.
    pub omitted: u32,
    /// Whether arguments and results of this type are passed by reference, as classes of C++ are that cannot be copied as bytes
    /// (Itanium C++ ABI, section 3.1.1). `None` where its members tell.
    pub by_reference: Option<bool>,
}

/// A constant of an enumeration. The value is sign-extended or zero-extended as the enumeration's type says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enumerator {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: i128,
}

/// An enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumType {
    /// Its tag; `None` for anonymous ones.
    pub name: Option<String>,
    /// Size in bytes; zero where it is only declared.
    pub size: u64,
    /// Whether values are signed.
    pub signed: bool,
    /// Whether its constants are known.
    pub complete: bool,
    /// Its constants in the order of declaration.
    pub enumerators: Vec<Enumerator>,
}

/// What a type is. Qualifiers (`const`, `volatile`, `restrict`, `_Atomic`) are stripped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeDesc {
    /// No type.
    Void,
    /// A type that the compiler brings along.
    Base {
        /// Its name, such as `long unsigned int`.
        name: String,
        /// Size in bytes.
        size: u64,
        /// How its bits are read.
        encoding: BaseEncoding,
    },
    /// A pointer, or a C++ reference.
    Pointer {
        /// What it points to.
        target: TypeRef,
        /// Size in bytes.
        size: u64,
    },
    /// One dimension of an array.
    Array {
        /// The element; for arrays of several dimensions an array again.
        element: TypeRef,
        /// Number of elements; `None` for flexible and variable-length arrays.
        count: Option<u64>,
    },
    /// A structure or C++ class.
    Struct(Aggregate),
    /// A union.
    Union(Aggregate),
    /// An enumeration.
    Enum(EnumType),
    /// Another name for a type.
    Typedef {
        /// The name.
        name: String,
        /// The type that it names.
        target: TypeRef,
    },
    /// A function.
    Function {
        /// What it returns.
        result: TypeRef,
        /// The types of its parameters.
        parameters: Vec<TypeRef>,
        /// Whether it takes further arguments (`...`).
        variadic: bool,
    },
    /// A type that C does not have (pointer to member, set, subrange…).
    Other {
        /// The DWARF tag (`DW_TAG_*`).
        tag: u16,
        /// Its name.
        name: Option<String>,
        /// Size in bytes, where it has one.
        size: Option<u64>,
    },
}
