//! `%V`: any value, written as C would write its initializer.

use crate::constants::{Scalar, Shape, ShapeField, ShapeId, Wide};
use crate::escape;
use crate::fault::Fault;
use crate::machine::Machine;
use crate::reading::{active, bit_field, load, scalar_of};
use crate::{target_bytes, wide};

/// Records nested deeper are shown as `{…}`.
pub const MAX_DEPTH: u32 = 8;
/// Elements of one array.
pub const MAX_ELEMENTS: u64 = 200;
/// Scalars of one value.
pub const MAX_SCALARS: u32 = 4096;
/// Bytes of a value's text; where it is reached, `…` stands for the rest.
pub const MAX_TEXT: usize = 1 << 16;

/// Where a value lies.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// In these bytes of the tracer.
    Tracer(&'a [u8]),
    /// At this address of the target.
    Target(u64),
}

/// How integers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Radix {
    /// As their types say: enumerators by name, characters as such.
    #[default]
    Natural,
    /// In decimal, with a sign.
    Decimal,
    /// In decimal, without a sign.
    Unsigned,
    /// `0x…`.
    Hexadecimal,
    /// `0…`.
    Octal,
    /// `0b…`.
    Binary,
    /// As the character of their lowest byte.
    Character,
    /// As an address, with the symbol that it lies in.
    Address,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// The most elements of one array; [`MAX_ELEMENTS`] if it is not said.
    pub elements: Option<u64>,
    /// Whether a pointer that is the whole value is written with its type, `(struct pool *) 0x55…`.
    pub typed_pointers: bool,
    /// How integers are written.
    pub radix: Radix,
    /// How many bits the whole value has, if it is that of a bit-field: it comes as a value of the field's type, which is wider.
    pub bits: Option<u32>,
}

/// What stands at a place of an [`Outline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// The inside of a `{` begins.
    Open,
    /// The space after a comma.
    Separator,
    /// A `}`.
    Close,
}

/// A place where a line may be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The offset in the text, in bytes.
    pub at: usize,
    /// What stands there.
    pub kind: MarkKind,
}

/// A value written in one line, and where that may be broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The text.
    pub text: Vec<u8>,
    /// The places, in order; each [`MarkKind::Open`] has its [`MarkKind::Close`].
    pub marks: Vec<Mark>,
}

impl Machine<'_> {
    /// Writes a value of a shape.
    ///
    /// # Errors
    /// The memory of the target that it lies in cannot be read.
    pub fn outline(
        &mut self,
        shape: ShapeId,
        place: Place<'_>,
        style: Style,
    ) -> Result<Outline, Fault> {
        let mut show = Show::styled(self, style);
        show.value(shape, place)?;
        Ok(show.outlined())
    }

    /// Writes a container, by its handle.
    ///
    /// # Errors
    /// Memory of the target that strings in it lie in cannot be read.
    pub fn outline_container(&mut self, handle: u64, style: Style) -> Result<Outline, Fault> {
        let mut show = Show::styled(self, style);
        show.container(handle)?;
        Ok(show.outlined())
    }
}

impl<'a> Place<'a> {
    fn after(self, offset: u64) -> Place<'a> {
        match self {
            Place::Tracer(bytes) => {
                let offset = usize::try_from(offset).unwrap_or(usize::MAX);
                Place::Tracer(bytes.get(offset..).unwrap_or_default())
            }
            Place::Target(address) => Place::Target(address.wrapping_add(offset)),
        }
    }
}

/// Writes one value.
pub(crate) struct Show<'m, 'a> {
    pub(crate) machine: &'m mut Machine<'a>,
    out: Vec<u8>,
    scalars: u32,
    depth: u32,
    elements: u64,
    typed_pointers: bool,
    radix: Radix,
    /// See [`Style::bits`].
    bits: Option<u32>,
    /// Where lines may be broken, if anybody wants to know.
    marks: Option<Vec<Mark>>,
}

impl<'m, 'a> Show<'m, 'a> {
    /// A writer that shows at most `elements` of an array.
    pub(crate) fn new(machine: &'m mut Machine<'a>, elements: Option<usize>) -> Self {
        let style = Style {
            elements: elements.map(|elements| elements as u64),
            ..Style::default()
        };
        Self {
            marks: None,
            ..Self::styled(machine, style)
        }
    }

    /// A writer in a style, for an outline.
    fn styled(machine: &'m mut Machine<'a>, style: Style) -> Self {
        Self {
            machine,
            out: Vec::new(),
            scalars: 0,
            depth: 0,
            elements: style.elements.unwrap_or(MAX_ELEMENTS),
            typed_pointers: style.typed_pointers,
            radix: style.radix,
            bits: style.bits,
            marks: Some(Vec::new()),
        }
    }

    /// The text with the places where lines may be broken.
    fn outlined(self) -> Outline {
        Outline {
            text: self.out,
            marks: self.marks.unwrap_or_default(),
        }
    }

    fn mark(&mut self, kind: MarkKind) {
        let at = self.out.len();
        if let Some(marks) = &mut self.marks {
            marks.push(Mark { at, kind });
        }
    }

    /// `{`.
    pub(crate) fn open(&mut self) {
        self.push(b"{");
        self.mark(MarkKind::Open);
    }

    /// `, ` between two parts.
    pub(crate) fn separate(&mut self) {
        self.push(b",");
        self.mark(MarkKind::Separator);
        self.push(b" ");
    }

    /// `}`.
    pub(crate) fn close(&mut self) {
        self.mark(MarkKind::Close);
        self.push(b"}");
    }

    /// The text.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// Writes a value. Faults where the target cannot be read.
    pub(crate) fn value(&mut self, id: ShapeId, place: Place<'_>) -> Result<(), Fault> {
        let constants = self.machine.store.constants.clone();
        let Some(shape) = constants.shapes.get(id.0 as usize) else {
            return Err(crate::store::internal("no such shape"));
        };
        match shape {
            Shape::Record { fields, .. } => self.record(fields, place),
            // A flexible array member: how many elements there are is not known. Its address is shown, as gdb does.
            Shape::Array {
                element, count: 0, ..
            } => {
                let to_char = matches!(
                    constants.shapes.get(element.0 as usize),
                    Some(Shape::Char { .. })
                );
                match place {
                    Place::Target(address) => {
                        let pointer = Shape::Pointer {
                            type_name: String::new(),
                            to_char,
                        };
                        self.word(&pointer, address);
                    }
                    Place::Tracer(_) => self.push(b"{}"),
                }
                Ok(())
            }
            Shape::Array {
                element,
                count,
                stride,
            } => match constants.shapes.get(element.0 as usize) {
                // Numbers were asked for.
                Some(Shape::Char { .. })
                    if !matches!(self.radix, Radix::Natural | Radix::Character) =>
                {
                    self.array(*element, *count, *stride, place)
                }
                Some(Shape::Char { .. }) => self.characters(*count, place),
                _ => self.array(*element, *count, *stride, place),
            },
            Shape::Wide(kind) => {
                let mut bytes = [0_u8; wide::SIZE];
                self.read(place, &mut bytes)?;
                self.scalars += 1;
                let text = self
                    .wide_in_radix(*kind, bytes)
                    .unwrap_or_else(|| wide::text(*kind, bytes));
                self.push(text.as_bytes());
                Ok(())
            }
            Shape::Variants {
                discriminant,
                cases,
            } => {
                let mut bytes = [0_u8; 16];
                let number = match discriminant {
                    Some((offset, size)) => {
                        let bytes = bytes.get_mut(..usize::from(*size)).unwrap_or_default();
                        self.read(place.after(*offset), bytes)?;
                        Some(&*bytes)
                    }
                    None => None,
                };
                let Some(field) = active(number, cases) else {
                    self.push(b"<no variant has this discriminant>");
                    return Ok(());
                };
                self.scalars += 1;
                self.push(escape::line(field.name.as_bytes()).as_bytes());
                // A variant without data is its name.
                let empty = matches!(
                    constants.shapes.get(field.shape.0 as usize),
                    Some(Shape::Record { fields, .. }) if fields.is_empty()
                );
                if !empty {
                    self.push(b" ");
                    self.value(field.shape, place.after(field.offset))?;
                }
                Ok(())
            }
            Shape::Complex { part } => {
                let mut bytes = [0_u8; 2 * wide::SIZE];
                let bytes = bytes.get_mut(..2 * usize::from(*part)).unwrap_or_default();
                self.read(place, bytes)?;
                self.scalars += 1;
                let text = wide::complex(*part, bytes)
                    .ok_or_else(|| crate::store::internal("a complex number of an odd size"))?;
                self.push(text.as_bytes());
                Ok(())
            }
            Shape::Opaque { type_name } => {
                self.push(format!("<{}>", escape::line(type_name.as_bytes())).as_bytes());
                Ok(())
            }
            _ => {
                let scalar = scalar_of(shape);
                let mut bytes = [0_u8; 8];
                let size = scalar.map_or(8, |scalar| scalar.size().min(8)) as usize;
                let bytes = bytes.get_mut(..size).unwrap_or_default();
                self.read(place, bytes)?;
                let word = load(scalar, bytes)
                    .ok_or_else(|| crate::store::internal("a scalar of an odd size"))?;
                self.word(shape, word);
                Ok(())
            }
        }
    }

    /// Writes a scalar of the tracer.
    pub(crate) fn scalar(&mut self, scalar: Scalar, word: u64) {
        self.word(&Shape::Scalar(scalar), word);
    }

    fn record(&mut self, fields: &[ShapeField], place: Place<'_>) -> Result<(), Fault> {
        if self.depth >= MAX_DEPTH {
            self.push("{…}".as_bytes());
            return Ok(());
        }
        self.depth += 1;
        self.open();
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.separate();
            }
            if self.full() {
                self.push(target_bytes::CUT);
                break;
            }
            if !field.name.is_empty() {
                self.push(escape::line(field.name.as_bytes()).as_bytes());
                self.push(b" = ");
            }
            let place = place.after(field.offset);
            match field.bits {
                Some((low, width)) => self.bit_field(field.shape, low, width, place)?,
                None => self.value(field.shape, place)?,
            }
        }
        self.close();
        self.depth -= 1;
        Ok(())
    }

    fn bit_field(
        &mut self,
        id: ShapeId,
        low: u32,
        width: u32,
        place: Place<'_>,
    ) -> Result<(), Fault> {
        let constants = self.machine.store.constants.clone();
        let Some(shape) = constants.shapes.get(id.0 as usize) else {
            return Err(crate::store::internal("no such shape"));
        };
        // Only the bytes that hold bits of the field are read.
        let first = low / 8;
        let count = (low % 8 + width.clamp(1, 64)).div_ceil(8) as usize;
        let mut bytes = [0_u8; 9];
        let bytes = bytes.get_mut(..count).unwrap_or_default();
        self.read(place.after(u64::from(first)), bytes)?;
        let signed = matches!(scalar_of(shape), Some(Scalar::Signed(_)));
        let word = bit_field(bytes, low % 8, width, signed);
        if !self.in_radix(shape, word, Some(width)) {
            self.word(shape, word);
        }
        Ok(())
    }

    fn array(
        &mut self,
        element: ShapeId,
        count: u64,
        stride: u64,
        place: Place<'_>,
    ) -> Result<(), Fault> {
        if self.depth >= MAX_DEPTH {
            self.push("{…}".as_bytes());
            return Ok(());
        }
        self.depth += 1;
        self.open();
        for index in 0..count {
            if index > 0 {
                self.separate();
            }
            if index >= self.elements || self.full() {
                self.push(target_bytes::CUT);
                break;
            }
            self.value(element, place.after(index.wrapping_mul(stride)))?;
        }
        self.close();
        self.depth -= 1;
        Ok(())
    }

    /// An array of characters as C would write it: up to its trailing zeros, so that what follows a zero is seen.
    fn characters(&mut self, count: u64, place: Place<'_>) -> Result<(), Fault> {
        self.scalars += 1;
        let limit = self.machine.store.limits.string;
        // More is looked at than is shown: most of a large buffer is zeros.
        let looked = limit.max(MAX_TEXT as u64);
        let (mut bytes, mut cut) = match place {
            Place::Tracer(bytes) => {
                let length = usize::try_from(count.min(looked)).unwrap_or(usize::MAX);
                let bytes = bytes.get(..length.min(bytes.len())).unwrap_or_default();
                (bytes.to_vec(), looked < count)
            }
            Place::Target(address) => {
                target_bytes::range(self.machine.memory, address, count, looked)?
            }
        };
        let text = bytes.iter().rposition(|byte| *byte != 0);
        bytes.truncate(text.map_or(0, |last| last + 1));
        if bytes.len() as u64 > limit {
            bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            cut = true;
        }
        self.quoted(&bytes);
        if cut {
            self.push(target_bytes::CUT);
        }
        Ok(())
    }

    /// An integer of 16 bytes in the radix that was asked for; `None` where it is to be written as its type says.
    fn wide_in_radix(&self, kind: Wide, bytes: [u8; wide::SIZE]) -> Option<String> {
        if kind == Wide::Extended {
            return None;
        }
        let number = u128::from_le_bytes(bytes);
        Some(match self.radix {
            Radix::Natural | Radix::Character => return None,
            Radix::Decimal => (number as i128).to_string(),
            Radix::Unsigned => number.to_string(),
            Radix::Hexadecimal | Radix::Address => format!("{number:#x}"),
            Radix::Octal if number == 0 => "0".to_owned(),
            Radix::Octal => format!("0{number:o}"),
            Radix::Binary => format!("0b{number:b}"),
        })
    }

    /// An integer, a character or an enumerator in the radix that was asked for; false where it is to be written as its type says. Of a
    /// bit-field it has `bits` bits.
    fn in_radix(&mut self, shape: &Shape, word: u64, bits: Option<u32>) -> bool {
        let bytes = match shape {
            Shape::Scalar(Scalar::Bool) | Shape::Char { .. } => 1,
            Shape::Scalar(scalar @ (Scalar::Signed(_) | Scalar::Unsigned(_)))
            | Shape::Enum { scalar, .. } => scalar.size(),
            Shape::Scalar(Scalar::Pointer) | Shape::Pointer { .. } => 8,
            _ => return false,
        };
        let pointer = matches!(
            shape,
            Shape::Scalar(Scalar::Pointer) | Shape::Pointer { .. }
        );
        let whole = u32::try_from(bytes).unwrap_or(8) * 8;
        let unused = 64 - bits.unwrap_or(whole).clamp(1, 64);
        let plain = word << unused >> unused;
        let text = match self.radix {
            Radix::Natural => return false,
            // A bit-field has the sign that its type gives it, and was widened by that.
            Radix::Decimal => {
                let unused = 64 - whole.clamp(1, 64);
                ((word << unused) as i64 >> unused).to_string()
            }
            Radix::Unsigned => plain.to_string(),
            Radix::Hexadecimal => format!("{plain:#x}"),
            Radix::Octal if plain == 0 => "0".to_owned(),
            Radix::Octal => format!("0{plain:o}"),
            Radix::Binary => format!("0b{plain:b}"),
            Radix::Character if pointer => return false,
            Radix::Character => {
                let mut text = vec![b'\''];
                escape::c_into(&mut text, &[plain as u8], b'\'');
                text.push(b'\'');
                self.push(&text);
                return true;
            }
            Radix::Address => {
                self.push(format!("{plain:#x}").as_bytes());
                self.symbol(plain);
                return true;
            }
        };
        self.push(text.as_bytes());
        true
    }

    /// The symbol that an address lies in, if there is one.
    fn symbol(&mut self, address: u64) {
        if address != 0
            && let Some(name) = self.machine.host.symbol_name(address)
        {
            self.push(format!(" <{}>", escape::line(name.as_bytes())).as_bytes());
        }
    }

    fn word(&mut self, shape: &Shape, word: u64) {
        self.scalars += 1;
        let bits = self.bits.filter(|_| self.depth == 0);
        if self.in_radix(shape, word, bits) {
            return;
        }
        let text = match shape {
            Shape::Scalar(scalar) => match scalar {
                Scalar::Bool => if word != 0 { "true" } else { "false" }.to_owned(),
                Scalar::Signed(_) => (word as i64).to_string(),
                Scalar::Unsigned(_) => word.to_string(),
                Scalar::Float32 => format!("{:?}", f64::from_bits(word) as f32),
                Scalar::Float64 => format!("{:?}", f64::from_bits(word)),
                Scalar::Pointer => format!("{word:#x}"),
                Scalar::Str => {
                    let text = self.machine.store.string(word).to_vec();
                    return self.quoted(&text);
                }
                Scalar::Path => {
                    let text = self.machine.path_text(word);
                    return self.push(&text);
                }
            },
            Shape::Char { .. } => {
                let mut text = vec![b'\''];
                match word as u8 {
                    0 => text.extend_from_slice(b"\\0"),
                    byte => escape::c_into(&mut text, &[byte], b'\''),
                }
                text.push(b'\'');
                return self.push(&text);
            }
            Shape::Enum { names, .. } => enumerator(names, word as i64),
            Shape::Pointer { type_name, to_char } => {
                // What a string shows need not be said of its type.
                if self.typed_pointers && self.depth == 0 && !*to_char && !type_name.is_empty() {
                    self.push(format!("({}) ", escape::line(type_name.as_bytes())).as_bytes());
                }
                self.push(format!("{word:#x}").as_bytes());
                if *to_char && word != 0 {
                    self.pointed_string(word);
                } else {
                    self.symbol(word);
                }
                return;
            }
            _ => "?".to_owned(),
        };
        self.push(text.as_bytes());
    }

    /// The string behind a pointer; a pointer need not lead anywhere, so this does not fault.
    fn pointed_string(&mut self, address: u64) {
        let limit = self.machine.store.limits.string;
        match target_bytes::c_string(self.machine.memory, address, limit) {
            Ok((text, cut)) => {
                self.push(b" ");
                self.quoted(&text);
                if cut {
                    self.push(target_bytes::CUT);
                }
            }
            Err(_) => self.push(b" <unreadable>"),
        }
    }

    pub(crate) fn quoted(&mut self, bytes: &[u8]) {
        let mut text = vec![b'"'];
        escape::c_into(&mut text, bytes, b'"');
        text.push(b'"');
        self.push(&text);
    }

    fn read(&mut self, place: Place<'_>, into: &mut [u8]) -> Result<(), Fault> {
        match place {
            Place::Tracer(bytes) => {
                for (to, from) in into.iter_mut().zip(bytes) {
                    *to = *from;
                }
                Ok(())
            }
            Place::Target(address) => self
                .machine
                .memory
                .read(address, into)
                .map_err(Fault::memory),
        }
    }

    /// Goes one level deeper; false, with a mark for what is left out, at the deepest.
    pub(crate) fn enter(&mut self) -> bool {
        if self.depth >= MAX_DEPTH {
            self.push("{…}".as_bytes());
            return false;
        }
        self.depth += 1;
        true
    }

    /// Leaves a level that was entered.
    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// The most elements of one array or container.
    pub(crate) fn most_elements(&self) -> u64 {
        self.elements
    }

    pub(crate) fn full(&self) -> bool {
        self.scalars >= MAX_SCALARS || self.out.len() >= MAX_TEXT
    }

    pub(crate) fn push(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }
}

/// The name of an enumerator, names of single bits joined with `|`, or the number.
fn enumerator(names: &[(String, i64)], value: i64) -> String {
    if let Some((name, _)) = names.iter().find(|(_, number)| *number == value) {
        return escape::line(name.as_bytes());
    }
    let mut left = value as u64;
    let mut parts: Vec<String> = Vec::new();
    for (name, number) in names {
        let bit = *number as u64;
        if bit.is_power_of_two() && left & bit != 0 {
            left &= !bit;
            parts.push(escape::line(name.as_bytes()));
        }
    }
    match left {
        0 if !parts.is_empty() => parts.join(" | "),
        _ => value.to_string(),
    }
}
