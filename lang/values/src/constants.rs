//! The tables of a compiled program that operations refer to by index.

use crate::histogram::Steps;

/// How a scalar lies in tracer or tracee memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// `_Bool`: one byte, 0 or 1.
    Bool,
    /// A signed integer of so many bytes (1, 2, 4, 8).
    Signed(u8),
    /// An unsigned integer of so many bytes (1, 2, 4, 8).
    Unsigned(u8),
    /// `float`.
    Float32,
    /// `double`.
    Float64,
    /// A pointer into the target.
    Pointer,
    /// A handle of an interned string.
    Str,
    /// A handle of an interned path.
    Path,
}

impl Scalar {
    /// The size in bytes in tracer memory.
    pub fn size(self) -> u64 {
        match self {
            Scalar::Bool => 1,
            Scalar::Signed(bytes) | Scalar::Unsigned(bytes) => u64::from(bytes),
            Scalar::Float32 => 4,
            Scalar::Float64 | Scalar::Pointer | Scalar::Str | Scalar::Path => 8,
        }
    }
}

/// The index of a [`Shape`] in [`Constants::shapes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShapeId(pub u32);

/// How a value looks in memory, for `%V`, views and JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A scalar.
    Scalar(Scalar),
    /// `char`: shown as a character.
    Char {
        /// Whether `char` is signed.
        signed: bool,
    },
    /// An enumeration: names with their values.
    Enum {
        /// The integer it is stored as.
        scalar: Scalar,
        /// Enumerators in order of declaration.
        names: Vec<(String, i64)>,
    },
    /// A pointer that knows what it points to.
    Pointer {
        /// How C writes the type of the pointer.
        type_name: String,
        /// Whether it points to a character, so that a string may be shown.
        to_char: bool,
    },
    /// A struct or union.
    Record {
        /// How C writes the type.
        type_name: String,
        /// Fields in order of declaration.
        fields: Vec<ShapeField>,
        /// Size in bytes.
        size: u64,
    },
    /// An array of a fixed number of elements.
    Array {
        /// The element.
        element: ShapeId,
        /// The number of elements.
        count: u64,
        /// The distance between elements in bytes.
        stride: u64,
    },
    /// A number of 16 bytes, which is shown but not computed with.
    Wide(Wide),
    /// One of several variants, as an `enum` of Rust with data.
    Variants {
        /// Offset and size in bytes (1, 2, 4, 8, 16) of the number that tells which; `None` where there is none, or none that could be
        /// read: then only a single variant without a value is known to be there.
        discriminant: Option<(u64, u8)>,
        /// The value of each, as far as the size of the discriminant goes (`None`: all other values), and what is there then.
        cases: Vec<(Option<u128>, ShapeField)>,
    },
    /// A complex number of C: its real part, then its imaginary one.
    Complex {
        /// The size in bytes of each part: 4, 8, or 16 for the 80 bits of the x87.
        part: u8,
    },
    /// Something with no layout (an incomplete type, a function).
    Opaque {
        /// How C writes the type.
        type_name: String,
    },
}

/// Numbers that are wider than a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wide {
    /// `__int128`.
    Signed,
    /// `unsigned __int128`.
    Unsigned,
    /// `long double`: the 80 bits of the x87, in 16 bytes.
    Extended,
}

/// One field of a [`Shape::Record`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeField {
    /// The name; empty for an anonymous member.
    pub name: String,
    /// Offset in bytes.
    pub offset: u64,
    /// For a bit-field: the offset of its lowest bit from `offset`, and its width, in bits.
    pub bits: Option<(u32, u32)>,
    /// The shape of the field.
    pub shape: ShapeId,
}

/// The index of a [`ContainerType`] in [`Constants::containers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContainerTypeId(pub u32);

/// What one element of a container holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// A plain value: so many bytes of tracer memory, of this shape.
    Value {
        /// Size in bytes.
        size: u64,
        /// How it looks.
        shape: ShapeId,
    },
    /// A container of its own, made when the element is inserted; eight bytes hold its handle.
    Container(ContainerTypeId),
}

/// The type of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerType {
    /// A growing array.
    Array {
        /// Its elements.
        element: Element,
    },
    /// A table. A key is one 64-bit word a scalar, struct keys flattened field by field.
    Table {
        /// The words of a key, with the scalar that each holds (sign- or zero-extended to 64
        /// bits; floating point as the bits of a double with one zero and one NaN).
        key: Vec<Scalar>,
        /// One entry a declared key: its shape, and how many words of `key` it takes.
        key_shapes: Vec<(ShapeId, u32)>,
        /// What a row holds after its key.
        element: Element,
    },
    /// A statistical aggregate.
    Aggregate {
        /// The rows of equal steps that are asked of it.
        linear: Vec<Steps>,
    },
}

/// How an argument of a format arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatArgument {
    /// One word, of this scalar kind.
    Scalar(Scalar),
    /// One word: the address of a NUL-terminated string in the target.
    TargetString,
    /// One word: the address of a value of this shape in the target.
    TargetValue(ShapeId),
    /// The bytes of a tracer value of this shape, eight a word, little-endian.
    TracerValue {
        /// The shape.
        shape: ShapeId,
        /// How many words it takes.
        words: u32,
    },
}

/// A conversion of a format, checked at compile time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatPiece {
    /// Text to copy.
    Text(Vec<u8>),
    /// One conversion.
    Conversion(Conversion),
}

/// Everything between `%` and the letter that ends a conversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// `-`.
    pub left: bool,
    /// `+`.
    pub plus: bool,
    /// A space.
    pub space: bool,
    /// `#`.
    pub alternate: bool,
    /// `0`.
    pub zero: bool,
    /// `'`: groups of thousands.
    pub thousands: bool,
    /// The least width: none, fixed, or the next argument (`*`).
    pub width: Amount,
    /// The precision: none, fixed, or the next argument (`.*`).
    pub precision: Amount,
    /// What is converted.
    pub kind: ConversionKind,
    /// How the argument arrives.
    pub argument: FormatArgument,
}

/// A width or a precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Not given.
    None,
    /// Given in the format.
    Fixed(u32),
    /// The next argument, a signed word.
    Argument,
}

/// The letter of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversionKind {
    /// `d i`.
    Decimal,
    /// `u`.
    Unsigned,
    /// `o`.
    Octal,
    /// `x X`.
    Hexadecimal {
        /// `X`.
        upper: bool,
    },
    /// `c`.
    Character,
    /// `p`.
    Pointer,
    /// `e E f F g G a A`.
    Float(char),
    /// `s`.
    String,
    /// `V`: any value.
    Value,
    /// `hB`: bytes as `1.3 GB`.
    Bytes,
    /// `hT`: nanoseconds as `4.2 ms`.
    Duration,
}

/// A checked format.
pub type Format = Vec<FormatPiece>;

/// Everything that operations refer to by index.
#[derive(Clone, Debug, Default)]
pub struct Constants {
    /// String literals, by the index of an `Str` instruction.
    pub strings: Vec<Vec<u8>>,
    /// Formats of `printf` and `sprintf`.
    pub formats: Vec<Format>,
    /// Shapes of values.
    pub shapes: Vec<Shape>,
    /// Container types.
    pub containers: Vec<ContainerType>,
    /// Sources of regular expressions, checked when the program was compiled.
    pub regexes: Vec<String>,
    /// Size of the global variables in bytes.
    pub globals_size: u64,
}
