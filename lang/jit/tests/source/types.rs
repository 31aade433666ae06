//! The types of generated programs, and how C writes them.

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub enum Ty {
    /// Only behind pointers.
    Void,
    /// One of [`INTEGERS`].
    Int(usize),
    Float,
    Double,
    /// `enum color` of the target, or `enum shade` of the program.
    Enum(bool),
    Pointer(Box<Ty>),
    Str,
    Path,
    /// One of the generator's records.
    Record(usize),
    Fixed(Box<Ty>, usize),
    Growing(Box<Ty>),
    Table(Vec<Ty>, Box<Ty>),
    Aggregate,
}

/// The integer types as they may be written; the first ones are the commonest.
pub const INTEGERS: &[&str] = &[
    "int",
    "long",
    "unsigned int",
    "unsigned long",
    "char",
    "unsigned char",
    "short",
    "unsigned short",
    "_Bool",
    "signed char",
    "long long",
    "unsigned long long",
    "int8_t",
    "uint8_t",
    "int16_t",
    "uint16_t",
    "int32_t",
    "uint32_t",
    "int64_t",
    "uint64_t",
    "size_t",
    "ssize_t",
    "ptrdiff_t",
    "uintptr_t",
];

/// The index of `char` in [`INTEGERS`].
pub const CHAR: usize = 4;

impl Ty {
    pub fn int() -> Self {
        Ty::Int(0)
    }

    pub fn pointer(to: Ty) -> Self {
        Ty::Pointer(Box::new(to))
    }

    pub fn is_container(&self) -> bool {
        matches!(self, Ty::Growing(_) | Ty::Table(..) | Ty::Aggregate)
    }

    pub fn is_integer(&self) -> bool {
        matches!(self, Ty::Int(_) | Ty::Enum(_))
    }

    pub fn is_number(&self) -> bool {
        self.is_integer() || matches!(self, Ty::Float | Ty::Double)
    }

    pub fn is_scalar(&self) -> bool {
        self.is_number() || matches!(self, Ty::Pointer(_) | Ty::Str | Ty::Path)
    }
}

/// A member of a record.
#[derive(Clone, Debug)]
pub struct Member {
    pub name: String,
    pub ty: Ty,
    /// The width of a bit-field.
    pub bits: Option<usize>,
}

/// A struct or union.
#[derive(Clone, Debug)]
pub struct Record {
    /// How its type is written: `struct node`, `_fault`.
    pub name: String,
    pub union: bool,
    /// Whether variables of it can be declared.
    pub declarable: bool,
    /// Whether it can lie in the target: no strings, no paths.
    pub plain: bool,
    /// Whether it can be a key.
    pub key: bool,
    pub members: Vec<Member>,
}

impl Record {
    pub fn new(name: &str, members: &[(&str, Ty)]) -> Self {
        Self {
            name: name.to_owned(),
            union: false,
            declarable: true,
            plain: true,
            key: false,
            members: members
                .iter()
                .map(|(name, ty)| Member {
                    name: (*name).to_owned(),
                    ty: ty.clone(),
                    bits: None,
                })
                .collect(),
        }
    }
}

/// The records of the target and of the language, which every program knows.
pub fn known_records() -> Vec<Record> {
    let void = || Ty::pointer(Ty::Void);
    let node = Record::new(
        "struct node",
        &[
            ("next", Ty::pointer(Ty::Record(0))),
            ("value", Ty::int()),
            ("tag", Ty::Int(5)),
            ("name", Ty::Fixed(Box::new(Ty::Int(CHAR)), 8)),
        ],
    );
    let mut wide = Record::new(
        "struct wide",
        &[
            ("on", Ty::Int(8)),
            ("c", Ty::Int(CHAR)),
            ("uc", Ty::Int(5)),
            ("s", Ty::Int(6)),
            ("us", Ty::Int(7)),
            ("i", Ty::Int(0)),
            ("u", Ty::Int(2)),
            ("l", Ty::Int(1)),
            ("ul", Ty::Int(3)),
            ("f", Ty::Float),
            ("d", Ty::Double),
            ("color", Ty::Enum(false)),
            ("text", Ty::pointer(Ty::Int(CHAR))),
            ("node", Ty::pointer(Ty::Record(0))),
            ("number", Ty::Int(1)),
            ("lo", Ty::Int(6)),
            ("hi", Ty::Int(6)),
            ("real", Ty::Double),
            (
                "matrix",
                Ty::Fixed(Box::new(Ty::Fixed(Box::new(Ty::int()), 3)), 2),
            ),
            ("inner", Ty::Record(0)),
            ("a", Ty::Int(2)),
            ("b", Ty::Int(0)),
            ("w", Ty::Int(3)),
            ("q", Ty::Int(10)),
        ],
    );
    for (member, width) in wide.members.iter_mut().rev().zip([23, 40, 5, 3]) {
        member.bits = Some(width);
    }
    let mut fault = Record::new(
        "_fault",
        &[
            ("kind", Ty::Str),
            ("addr", void()),
            ("message", Ty::Str),
            ("span", Ty::Str),
        ],
    );
    fault.plain = false;
    let of_language = |members: &[(&str, Ty)]| {
        let mut record = Record::new("", members);
        record.declarable = false;
        record.plain = false;
        record
    };
    vec![
        node,
        wide,
        fault,
        of_language(&[
            ("start", void()),
            ("end", void()),
            ("perms", Ty::Str),
            ("offset", Ty::Int(3)),
            ("file", Ty::Str),
            ("rss", Ty::Int(3)),
        ]),
        of_language(&[("tid", Ty::Int(1)), ("name", Ty::Str), ("state", Ty::Str)]),
        of_language(&[
            ("name", Ty::Str),
            ("path", Ty::Str),
            ("start", void()),
            ("build_id", Ty::Str),
        ]),
    ]
}

/// The index of `_fault` among [`known_records`]; `_map`, `_thread`, `_loaded_module` follow.
pub const FAULT: usize = 2;

/// How a type is written without a name.
pub fn written(ty: &Ty, records: &[Record]) -> String {
    declared(ty, "", records)
}

/// A declarator of a type.
pub fn declared(ty: &Ty, name: &str, records: &[Record]) -> String {
    let plain = |word: &str| {
        if name.is_empty() {
            word.to_owned()
        } else {
            format!("{word} {name}")
        }
    };
    match ty {
        Ty::Void => plain("void"),
        Ty::Int(index) => plain(INTEGERS[*index]),
        Ty::Float => plain("float"),
        Ty::Double => plain("double"),
        Ty::Enum(own) => plain(if *own { "enum shade" } else { "enum color" }),
        Ty::Str => plain("_str"),
        Ty::Path => plain("_path"),
        Ty::Aggregate => plain("_agg"),
        Ty::Record(index) => plain(&records[*index].name),
        Ty::Pointer(to) => declared(to, &format!("*{name}"), records),
        Ty::Fixed(of, length) => declared(of, &format!("{name}[{length}]"), records),
        Ty::Growing(of) => declared(of, &format!("{name}[]"), records),
        Ty::Table(keys, value) => {
            let keys: Vec<String> = keys.iter().map(|key| written(key, records)).collect();
            declared(value, &format!("{name}[{}]", keys.join(", ")), records)
        }
    }
}

/// The target of all programs, as directives of filetests.
pub const WORLD: &str = r#"//: typedef unsigned char u_char;
//: enum color { RED, GREEN = 5, BLUE, BELOW = -3 };
//: struct node { struct node *next; int value; u_char tag; char name[8]; };
//: struct wide {
//:     _Bool on; char c; unsigned char uc; short s; unsigned short us; int i; unsigned u;
//:     long l; unsigned long ul; float f; double d; enum color color;
//:     char *text; struct node *node; int (*handler)(int);
//:     union { long number; struct { short lo; short hi; }; double real; };
//:     int matrix[2][3]; struct node inner;
//:     unsigned a : 3; int b : 5; unsigned long w : 40; long long q : 23;
//: };
//: struct node *head;
//: struct node nodes[4];
//: struct wide wide;
//: struct wide *wides;
//: char *text;
//: char banner[16];
//: int counter;
//: double ratio;
//: int tcache;
//: int work(int n);
//! thread-local tcache 0x18
//! literal 0x8000 "http"
//! memory 0x8000 "http\0https\0"
//! memory 0x9300 u64 1 2 3 4 5 6
//! memory 0x9400 u64 7 8 9 0xffffffff80000000 11
//! memory 0x10000 u64 0x2000
//! memory 0x11000 u64 0x11018 u32 1 u8 1 "zero\0\0\0" u64 0x11030 u32 -1 u8 2 "one" 0 1 2 3 4
//! memory 0x11030 u64 0 u32 7 u8 255 "two\0\0\0\0" u64 0x11000 u32 9 u8 3 "three" 0xc3 0xa9
//! memory 0x12000 u8 1 0x80 0xff 0 u16 0x8000 0xffff u32 0 0x80000000 0xffffffff
//! memory 0x12018 u64 0x8000000000000000 0xffffffffffffffff f32 1.5 u32 0 f64 -2.25 u32 6 0
//! memory 0x12040 u64 0x4000 0x2000 0x400010 0x7fff0001 u32 1 -2 3 -4 5 -6
//! memory 0x12078 u64 0x2100 u32 77 u8 9 "inner\0\0\0" u64 0x1f5a5a5a3c u64 0x400000fffffff
//! memory 0x13000 u64 0x2ff0
//! memory 0x14000 u64 0x4000
//! memory 0x15000 "no end of this.."
//! memory 0x16000 u32 -42
//! memory 0x17000 f64 1e300
//! memory 0x2000 u64 0x2100 u32 10 u8 1 "first\0\0\0"
//! memory 0x2100 u64 0x21f8 u32 -20 u8 2 "second\0\0"
//! memory 0x21f8 u64 0x22f4 u32 30 u8 3 "third\0\0\0"
//! memory 0x22f4 u64 0xdead0000 u32 40
//! memory 0x2ff0 u8 2 0x7f 0x81 0 u16 0x7fff 1 u32 -1 1 2 0 u64 -1 1 f32 nan u32 0 f64 inf u32 5 0
//! memory 0x3040 u64 0x40f4 0 0 u64 1
//! memory 0x4000 "GET /index.html?a=b HTTP/1.1\0Host: example.org\r\n\0\x1b[2J\0\xc3\xa9\xff\0"
//! memory 0x40f4 "unterminated"
//! repeat 0x5000 64 4 u32 0+1000003*i
"#;

/// Addresses worth pointing to: good, null, at the end of a page, dangling, wrapping.
pub const ADDRESSES: &[u64] = &[
    0,
    0x2000,
    0x4000,
    0x5000,
    0x11000,
    0x12000,
    0x2100,
    0x21f8,
    0x22f4,
    0x22fe,
    0x2ff0,
    0x401d,
    0x40f4,
    0x8000,
    0x10,
    0xdead_0000,
    0x40_0000,
    0x40_0010,
    0x8000_0000_0000,
    0xffff_ffff_ffff_fff8,
    0xffff_ffff_ffff_ffff,
];
