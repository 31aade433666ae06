//! Where a function finds its arguments, and its caller the result: the calling convention of Linux on x86-64.
//!
//! Source: "System V Application Binary Interface, AMD64 Architecture Processor Supplement", section 3.2.3 "Parameter Passing".
//! An argument is classified in pieces of eight bytes; each piece goes into the next free register of its class, and an argument
//! for which there are not enough registers lies on the stack as a whole.

use crate::target::MemberRole;
use crate::types::{Member, RecordId, Type, TypeId, Types};

/// DWARF numbers of the registers that take integer arguments, in order: rdi, rsi, rdx, rcx, r8, r9.
pub const INTEGER_ARGUMENTS: [u8; 6] = [5, 4, 1, 2, 8, 9];

/// The DWARF number of the stack pointer.
pub const STACK_POINTER: u8 = 7;

/// The DWARF number of the program counter.
pub const PROGRAM_COUNTER: u8 = 16;

/// DWARF numbers of the registers that take integer results: rax, rdx.
const INTEGER_RESULTS: [u8; 2] = [0, 1];

/// How many vector registers take arguments.
const VECTOR_ARGUMENTS: u8 = 8;

/// How many vector registers take results.
const VECTOR_RESULTS: u8 = 2;

/// Records with more scalars than this, counting each element of an array, are not looked into.
const MOST_LEAVES: usize = 4096;

/// Records nested deeper are not looked into.
const DEEPEST: u32 = 64;

/// General registers by name, with their DWARF numbers.
const REGISTERS: &[(&str, u8)] = &[
    ("rax", 0),
    ("rdx", 1),
    ("rcx", 2),
    ("rbx", 3),
    ("rsi", 4),
    ("rdi", 5),
    ("rbp", 6),
    ("rsp", 7),
    ("r8", 8),
    ("r9", 9),
    ("r10", 10),
    ("r11", 11),
    ("r12", 12),
    ("r13", 13),
    ("r14", 14),
    ("r15", 15),
    ("rip", 16),
    ("eflags", 49),
    ("fs_base", 58),
    ("gs_base", 59),
];

/// The DWARF number of a general register of x86-64 by its name.
pub fn register_number(name: &str) -> Option<u8> {
    let found = REGISTERS.iter().find(|(known, _)| *known == name);
    found.map(|(_, number)| *number)
}

/// The number of a vector register of x86-64 by its name: `xmm0` to `xmm15`.
pub fn vector_register_number(name: &str) -> Option<u8> {
    let number = name.strip_prefix("xmm")?.parse::<u8>().ok()?;
    // As it is written, without a sign or zeros before.
    (number < 16 && name == format!("xmm{number}")).then_some(number)
}

/// The name of a general register of x86-64 by its DWARF number.
pub fn register_name(number: u8) -> Option<&'static str> {
    let found = REGISTERS.iter().find(|(_, known)| *known == number);
    found.map(|(name, _)| *name)
}

/// Names of the general registers.
pub fn register_names() -> impl Iterator<Item = &'static str> {
    REGISTERS.iter().map(|(name, _)| *name)
}

/// Eight bytes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// In a general register, by its DWARF number.
    General(u8),
    /// The low half of a vector register, counted from 0.
    Vector(u8),
    /// So many bytes above where the stack pointer points when the function is entered.
    Stack(u64),
    /// An argument of a static probe, counted from 0.
    Argument(u64),
    /// Always this number.
    Constant(u64),
    /// Nowhere: these bytes are padding.
    Padding,
}

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In these words, the lowest bytes first. None for a value without bytes.
    Words(Vec<Word>),
    /// On the stack, so many bytes above where the stack pointer points when the function is entered.
    Stack(u64),
    /// In memory, at the address in this word.
    Indirect(Word),
    /// Where it cannot be read from. The sentence says why.
    OutOfReach(&'static str),
}

/// Where the arguments and the result of a function are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallLayout {
    /// One for each parameter, in order. Behind one whose type is not known all are out of reach.
    pub parameters: Vec<Location>,
    /// The result, when the function has returned; `None` for `void`.
    pub result: Option<Location>,
    /// How many integer registers the function's hidden argument takes: 1 if the result lies in memory.
    pub hidden: usize,
}

const UNKNOWN: &str = "its type is not known";
const BEHIND_UNKNOWN: &str = "the type of a parameter before it is not known";
const WIDE: &str = "more than the low half of a vector register would have to be read";
const X87: &str = "it is in a register of the x87 unit, which cannot be read";

/// What a piece of eight bytes holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    None,
    Integer,
    Sse,
    SseUp,
    X87,
    X87Up,
    ComplexX87,
    Memory,
}

impl Class {
    /// The class of a piece that holds two things.
    fn merged(self, other: Class) -> Class {
        match (self, other) {
            (left, right) if left == right => left,
            (Class::None, class) | (class, Class::None) => class,
            (Class::Memory, _) | (_, Class::Memory) => Class::Memory,
            (Class::Integer, _) | (_, Class::Integer) => Class::Integer,
            (Class::X87 | Class::X87Up | Class::ComplexX87, _)
            | (_, Class::X87 | Class::X87Up | Class::ComplexX87) => Class::Memory,
            _ => Class::Sse,
        }
    }
}

/// The classes of a value, with its size and alignment in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shape {
    size: u64,
    align: u64,
    /// One for each eight bytes; `None` for a value that is passed in memory.
    classes: Option<Vec<Class>>,
}

impl Shape {
    fn of_pointer() -> Self {
        Self {
            size: 8,
            align: 8,
            classes: Some(vec![Class::Integer]),
        }
    }
}

/// A scalar in a value: its place, its size, what it is. A bit-field's place and size are those of the bytes that it touches.
#[derive(Clone, Copy, Debug)]
struct Leaf {
    offset: u64,
    size: u64,
    align: u64,
    class: Class,
    /// Whether it may lie off its alignment: a bit-field.
    anywhere: bool,
}

/// Where the arguments of these types, and a result, are found. Records must be complete, as far as they are.
pub fn call_layout(types: &Types, parameters: &[TypeId], result: Option<TypeId>) -> CallLayout {
    let result_shape = result
        .filter(|ty| !matches!(types.resolved(*ty), Type::Void))
        .map(|ty| shape(types, ty));
    let mut general = INTEGER_ARGUMENTS.iter().copied();
    let mut hidden = 0;
    let result = result_shape.map(|shape| match shape {
        _ if result.is_some_and(|ty| is_by_reference(types, ty)) => {
            Location::Indirect(Word::General(INTEGER_RESULTS[0]))
        }
        Some(shape) => result_location(&shape),
        None => Location::OutOfReach(UNKNOWN),
    });
    if let Some(Location::Indirect(_)) = result {
        general.next();
        hidden = 1;
    }
    let mut vectors = 0..VECTOR_ARGUMENTS;
    // The return address lies where the stack pointer points.
    let mut stack = 8_u64;
    let mut lost = false;
    let parameters = parameters
        .iter()
        .map(|ty| {
            if lost {
                return Location::OutOfReach(BEHIND_UNKNOWN);
            }
            let by_reference = is_by_reference(types, *ty);
            let found = match by_reference {
                true => Some(Shape::of_pointer()),
                false => shape(types, *ty),
            };
            let Some(shape) = found else {
                lost = true;
                return Location::OutOfReach(UNKNOWN);
            };
            if by_reference && let Some(number) = general.next() {
                return Location::Indirect(Word::General(number));
            }
            if let Some(location) = in_registers(&shape, &mut general, &mut vectors) {
                return location;
            }
            // Alignment counts from above the return address.
            let align = shape.align.max(8);
            let start = (stack - 8).checked_next_multiple_of(align);
            let length = shape.size.checked_next_multiple_of(8);
            let end = start.and_then(|start| start.checked_add(length?));
            match (start, end) {
                (Some(start), Some(end)) if end < u64::MAX - 8 => {
                    stack = end + 8;
                    match by_reference {
                        true => Location::Indirect(Word::Stack(start + 8)),
                        false => Location::Stack(start + 8),
                    }
                }
                _ => {
                    lost = true;
                    Location::OutOfReach(UNKNOWN)
                }
            }
        })
        .collect();
    CallLayout {
        parameters,
        result,
        hidden,
    }
}

/// What C programmers would call the class of a type: what two types have in common that are passed alike.
///
/// `None` if that is not known.
pub fn passed_alike(types: &Types, left: TypeId, right: TypeId) -> Option<bool> {
    let by_reference = is_by_reference(types, left) || is_by_reference(types, right);
    if by_reference {
        // A struct of the program's own may stand for a class.
        let record = |ty| matches!(types.resolved(ty), Type::Record(_));
        let sizes = types.size_of(left)? == types.size_of(right)?;
        return Some(sizes && record(left) && record(right));
    }
    let (left, right) = (shape(types, left)?, shape(types, right)?);
    Some(left.size == right.size && left.classes == right.classes)
}

/// How a value of the type is passed, for messages: `8 bytes in an integer register`.
pub fn describe(types: &Types, ty: TypeId) -> String {
    if is_by_reference(types, ty) {
        return match types.size_of(ty) {
            Some(size) => format!("a pointer to {size} bytes, as its class is passed by reference"),
            None => "a pointer, as its class is passed by reference".to_owned(),
        };
    }
    let Some(shape) = shape(types, ty) else {
        return "of unknown size".to_owned();
    };
    let bytes = match shape.size {
        1 => "1 byte".to_owned(),
        size => format!("{size} bytes"),
    };
    let Some(classes) = &shape.classes else {
        return format!("{bytes} on the stack");
    };
    let count = |wanted: Class| classes.iter().filter(|class| **class == wanted).count();
    let of = |count: usize, kind: &str| match count {
        0 => None,
        1 => Some(format!("an {kind} register")),
        several => Some(format!("{several} {kind} registers")),
    };
    let places: Vec<String> = [
        of(count(Class::Integer), "integer"),
        of(count(Class::Sse), "SSE"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if places.is_empty() {
        return "without bytes".to_owned();
    }
    format!("{bytes} in {}", places.join(" and "))
}

/// Whether a value of the type is passed by reference: its class, or that of a part of it, cannot be copied as bytes.
///
/// Source: "Itanium C++ ABI", sections 3.1.1 and 3.1.4: a pointer to it is passed, and the caller of a function that returns one
/// passes a pointer to where it goes, which the function returns.
pub fn is_by_reference(types: &Types, ty: TypeId) -> bool {
    part_by_reference(types, ty, 0, &mut 0)
}

fn part_by_reference(types: &Types, ty: TypeId, depth: u32, seen: &mut usize) -> bool {
    *seen += 1;
    if depth > DEEPEST || *seen > MOST_LEAVES {
        return false;
    }
    match types.resolved(ty) {
        Type::Array(element, Some(1..)) => part_by_reference(types, *element, depth + 1, seen),
        Type::Record(id) => types.record(*id).body.as_ref().is_some_and(|body| {
            body.by_reference.unwrap_or_else(|| {
                body.members.iter().any(|member| {
                    matches!(member.role, MemberRole::Virtual(_))
                        || part_by_reference(types, member.ty, depth + 1, seen)
                })
            })
        }),
        _ => false,
    }
}

/// Takes registers for a value; `None`, and takes none, if it goes onto the stack.
fn in_registers(
    shape: &Shape,
    general: &mut (impl Iterator<Item = u8> + Clone),
    vectors: &mut std::ops::Range<u8>,
) -> Option<Location> {
    let classes = shape.classes.as_ref()?;
    let (mut next_general, mut next_vectors) = (general.clone(), vectors.clone());
    let mut words = Vec::with_capacity(classes.len());
    let mut wide = false;
    for class in classes {
        words.push(match class {
            Class::Integer => Word::General(next_general.next()?),
            Class::Sse => Word::Vector(next_vectors.next()?),
            Class::SseUp => {
                wide = true;
                Word::Padding
            }
            Class::None => Word::Padding,
            Class::X87 | Class::X87Up | Class::ComplexX87 | Class::Memory => return None,
        });
    }
    (*general, *vectors) = (next_general, next_vectors);
    Some(if wide {
        Location::OutOfReach(WIDE)
    } else {
        Location::Words(words)
    })
}

/// Where a result is.
fn result_location(shape: &Shape) -> Location {
    let in_memory = Location::Indirect(Word::General(INTEGER_RESULTS[0]));
    let Some(classes) = &shape.classes else {
        return in_memory;
    };
    let x87 = |class: &Class| matches!(class, Class::X87 | Class::X87Up | Class::ComplexX87);
    if classes.iter().any(x87) {
        return Location::OutOfReach(X87);
    }
    let mut general = INTEGER_RESULTS.iter().copied();
    let mut vectors = 0..VECTOR_RESULTS;
    in_registers(shape, &mut general, &mut vectors).unwrap_or(in_memory)
}

/// The classes of a type; `None` if something in it is not known.
fn shape(types: &Types, ty: TypeId) -> Option<Shape> {
    // No parameter of C is an array; debug information calls vectors so.
    if let Type::Array(..) = types.resolved(ty) {
        let size = types.size_of(ty)?;
        let classes = match size {
            8 => Some(vec![Class::Sse]),
            16 | 32 | 64 => {
                let mut classes = vec![Class::SseUp; usize::try_from(size / 8).ok()?];
                *classes.first_mut()? = Class::Sse;
                Some(classes)
            }
            _ => return None,
        };
        return Some(Shape {
            size,
            align: size,
            classes,
        });
    }
    let size = types.size_of(ty)?;
    let mut leaves = Vec::new();
    let known = collect_leaves(types, ty, 0, 0, &mut leaves);
    let align = leaves
        .iter()
        .filter(|leaf| leaf.offset % leaf.align == 0 && size % leaf.align == 0)
        .map(|leaf| leaf.align)
        .max()
        .unwrap_or(1);
    let in_memory = Shape {
        size,
        align,
        classes: None,
    };
    match known {
        Ok(()) => {}
        // What is that large is passed in memory, whatever is in it.
        Err(_) if size > 64 => return Some(in_memory),
        Err(Unknown) => return None,
    }
    if let [leaf] = leaves.as_slice()
        && leaf.class == Class::ComplexX87
    {
        // In a record it is too large for registers.
        let bare = !matches!(types.resolved(ty), Type::Record(id) if !is_opaque(types, *id));
        let classes = bare.then(|| vec![Class::ComplexX87; 4]);
        return Some(Shape {
            size,
            align,
            classes,
        });
    }
    if size > 16 {
        return Some(in_memory);
    }
    let mut classes = vec![Class::None; usize::try_from(size.div_ceil(8)).ok()?];
    for leaf in &leaves {
        if !leaf.anywhere && leaf.offset % leaf.align != 0 {
            return Some(in_memory);
        }
        let first = leaf.offset / 8;
        let end = leaf.offset.checked_add(leaf.size)?.div_ceil(8);
        for piece in first..end {
            let class = match leaf.class {
                Class::X87 if piece > first => Class::X87Up,
                // A vector of sixteen bytes.
                Class::SseUp if piece == first => Class::Sse,
                class => class,
            };
            // What lies outside, as only broken debug information has it, is not looked at.
            if let Some(slot) = usize::try_from(piece)
                .ok()
                .and_then(|piece| classes.get_mut(piece))
            {
                *slot = slot.merged(class);
            }
        }
    }
    let mut before = Class::None;
    for class in &mut classes {
        match *class {
            Class::Memory | Class::ComplexX87 => return Some(in_memory),
            Class::X87Up if before != Class::X87 => return Some(in_memory),
            Class::SseUp if !matches!(before, Class::Sse | Class::SseUp) => *class = Class::Sse,
            _ => {}
        }
        before = *class;
    }
    Some(Shape {
        size,
        align,
        classes: Some(classes),
    })
}

/// Something in a type is not known.
#[derive(Clone, Copy, Debug)]
struct Unknown;

/// Lists the scalars of a value at an offset.
fn collect_leaves(
    types: &Types,
    ty: TypeId,
    offset: u64,
    depth: u32,
    leaves: &mut Vec<Leaf>,
) -> Result<(), Unknown> {
    if depth > DEEPEST || leaves.len() >= MOST_LEAVES {
        return Err(Unknown);
    }
    let mut leaf = |size: u64, align: u64, class: Class| {
        leaves.push(Leaf {
            offset,
            size,
            align,
            class,
            anywhere: false,
        });
    };
    match types.resolved(ty) {
        Type::Bool | Type::Integer { .. } | Type::Enum(_) | Type::Pointer(_) => {
            let size = types.size_of(ty).ok_or(Unknown)?;
            leaf(size, size.max(1), Class::Integer);
        }
        Type::Float { size } => leaf(u64::from(*size), u64::from(*size), Class::Sse),
        Type::Array(_, None) => {}
        Type::Array(element, Some(count)) => {
            let size = types.size_of(*element).ok_or(Unknown)?;
            if size == 0 {
                return Ok(());
            }
            for index in 0..*count {
                let at = index
                    .checked_mul(size)
                    .and_then(|bytes| offset.checked_add(bytes));
                collect_leaves(types, *element, at.ok_or(Unknown)?, depth + 1, leaves)?;
            }
        }
        Type::Record(id) if is_opaque(types, *id) => return opaque(types, *id, offset, leaves),
        Type::Record(id) => {
            let body = types.record(*id).body.as_ref().ok_or(Unknown)?;
            for member in &body.members {
                member_leaves(types, member, offset, depth, leaves)?;
            }
        }
        Type::Void
        | Type::Unknown
        | Type::Function { .. }
        | Type::Typedef(..)
        | Type::Str
        | Type::Path
        | Type::Aggregate
        | Type::Growing(_)
        | Type::Table(..) => return Err(Unknown),
    }
    Ok(())
}

fn member_leaves(
    types: &Types,
    member: &Member,
    offset: u64,
    depth: u32,
    leaves: &mut Vec<Leaf>,
) -> Result<(), Unknown> {
    let offset = offset.checked_add(member.offset).ok_or(Unknown)?;
    let Some((low, width)) = member.bits else {
        return collect_leaves(types, member.ty, offset, depth + 1, leaves);
    };
    // Padding has no class.
    if member.name.is_none() || width == 0 {
        return Ok(());
    }
    let first = u64::from(low / 8);
    let end = (u64::from(low) + u64::from(width)).div_ceil(8);
    leaves.push(Leaf {
        offset: offset.checked_add(first).ok_or(Unknown)?,
        size: end - first,
        // Only alignments above eight bytes matter.
        align: 1,
        class: Class::Integer,
        anywhere: true,
    });
    Ok(())
}

/// Whether a record is a number that programs cannot compute with.
fn is_opaque(types: &Types, id: RecordId) -> bool {
    let record = types.record(id);
    record.origin.is_none()
        && record
            .body
            .as_ref()
            .is_some_and(|body| body.members.is_empty() && body.size > 0)
}

/// The classes of a number that programs cannot compute with, by its name.
fn opaque(types: &Types, id: RecordId, offset: u64, leaves: &mut Vec<Leaf>) -> Result<(), Unknown> {
    let record = types.record(id);
    let size = record.body.as_ref().map_or(0, |body| body.size);
    let name = record.name.as_str();
    let mut leaf = |offset: u64, size: u64, align: u64, class: Class| {
        leaves.push(Leaf {
            offset,
            size,
            align,
            class,
            anywhere: false,
        });
    };
    let half = size / 2;
    match (name.starts_with("complex"), size) {
        (true, 32) => leaf(offset, 32, 16, Class::ComplexX87),
        (true, 4 | 8 | 16) => {
            leaf(offset, half, half, Class::Sse);
            let second = offset.checked_add(half).ok_or(Unknown)?;
            leaf(second, half, half, Class::Sse);
        }
        (true, _) => return Err(Unknown),
        (false, 16) if name.contains("int128") => leaf(offset, 16, 16, Class::Integer),
        (false, 16) if name == "long double" || name == "_Float64x" => {
            leaf(offset, 16, 16, Class::X87);
        }
        (false, 16) if name.to_lowercase().contains("float128") => {
            leaf(offset, 16, 16, Class::SseUp);
        }
        (false, 2) if name.contains("loat16") || name.contains("bf16") => {
            leaf(offset, 2, 2, Class::Sse);
        }
        (false, _) => return Err(Unknown),
    }
    Ok(())
}
