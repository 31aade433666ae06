//! Results as trees of values, for reports.

use crate::aggregate::AggregateSummary;
use crate::constants::{
    Constants, ContainerType, ContainerTypeId, Element, Scalar, Shape, ShapeField, ShapeId, Wide,
};
use crate::containers::Content;
use crate::store::Store;
use crate::wide;

/// How deep shapes are followed.
pub(crate) const MAX_DEPTH: u32 = 16;
/// How many elements of one fixed array are decoded.
pub(crate) const MAX_ELEMENTS: u64 = 1 << 16;

/// A value of a program, decoded.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A signed integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A floating-point number.
    Float(f64),
    /// `_Bool`.
    Bool(bool),
    /// A character, as a number with the sign that its type has.
    Char(i16),
    /// A string, or an array of characters up to its NUL.
    Str(Vec<u8>),
    /// A path; [`Store::path_frames`] gives its frames.
    Path(u64),
    /// An address in the target.
    Pointer(u64),
    /// An enumerator: its name if it has one, and its value.
    Enum(Option<String>, i64),
    /// Fields in order of declaration.
    Record(Vec<(String, Value)>),
    /// Elements of an array.
    Array(Vec<Value>),
    /// Rows of a table: keys and value.
    Table(Vec<(Vec<Value>, Value)>),
    /// The numbers of an aggregate.
    Aggregate(Box<AggregateSummary>),
    /// Something without a layout.
    Opaque,
}

impl Store {
    /// A value from its bytes in tracer memory.
    pub fn decode(&self, shape: ShapeId, bytes: &[u8]) -> Value {
        self.decode_shape(shape, bytes, 0)
    }

    /// A whole container by its handle; `None` if there is none. Nested ones are included.
    pub fn decode_container(&self, handle: u64) -> Option<Value> {
        self.decode_nested(handle, 0)
    }

    /// The rows of a table in order: keys, and the value. Nothing if the handle is no table.
    pub fn table_rows(&self, handle: u64) -> impl Iterator<Item = (Vec<Value>, Value)> + '_ {
        self.rows_of(handle, 0)
    }

    /// The elements of an array in order. Nothing if the handle is no array.
    pub fn array_elements(&self, handle: u64) -> impl Iterator<Item = Value> + '_ {
        self.elements_of(handle, 0)
    }

    /// The numbers of an aggregate.
    pub fn aggregate_summary(&self, handle: u64) -> Option<AggregateSummary> {
        self.with_aggregate(handle, |aggregate| aggregate.summary())
            .ok()
    }

    /// The first element at or after a position: its keys (of a table), its bytes, and the
    /// position after it.
    pub(crate) fn raw_element(
        &self,
        handle: u64,
        from: u64,
    ) -> Option<(Option<Vec<Value>>, Vec<u8>, u64)> {
        match self.containers.get(handle)? {
            Content::Table(table) => {
                let (key_shapes, _) = self.table_type(table.type_id)?;
                let row = table.next_live(u32::try_from(from).ok()?, table.end())?;
                let (words, value) = table.row(row)?.split_at_checked(table.key_words())?;
                let keys = self.decode_keys(key_shapes, words);
                let bytes: &[u8] = bytemuck::cast_slice(value);
                Some((Some(keys), bytes.to_vec(), u64::from(row) + 1))
            }
            Content::Array(array) => {
                let bytes = array.row(array.slot(from)?)?;
                Some((None, bytes.to_vec(), from + 1))
            }
            _ => None,
        }
    }

    fn decode_keys(&self, key_shapes: &[(ShapeId, u32)], mut words: &[u64]) -> Vec<Value> {
        key_shapes
            .iter()
            .map(|&(shape, count)| {
                let count = (count as usize).min(words.len());
                let (mut own, rest) = words.split_at(count);
                words = rest;
                self.decode_key(shape, &mut own, 0)
            })
            .collect()
    }

    fn decode_nested(&self, handle: u64, depth: u32) -> Option<Value> {
        match self.containers.get(handle)? {
            Content::Table(_) => Some(Value::Table(self.rows_of(handle, depth).collect())),
            Content::Array(_) => Some(Value::Array(self.elements_of(handle, depth).collect())),
            Content::Aggregate(aggregate) => Some(Value::Aggregate(Box::new(aggregate.summary()))),
            Content::Iterator(_) | Content::Free => None,
        }
    }

    fn rows_of(&self, handle: u64, depth: u32) -> impl Iterator<Item = (Vec<Value>, Value)> + '_ {
        let table = self.containers.table(handle);
        let parts = table.and_then(|table| self.table_type(table.type_id));
        let mut from = 0;
        std::iter::from_fn(move || {
            let (table, (key_shapes, element)) = (table?, parts?);
            let row = table.next_live(from, table.end())?;
            from = row + 1;
            let words = table.row(row)?;
            let (key_words, value) = words.split_at_checked(table.key_words())?;
            let keys = self.decode_keys(key_shapes, key_words);
            let value = self.decode_element(element, bytemuck::cast_slice(value), depth);
            Some((keys, value))
        })
    }

    fn elements_of(&self, handle: u64, depth: u32) -> impl Iterator<Item = Value> + '_ {
        let array = self.containers.array(handle);
        let element =
            array.and_then(
                |array| match self.constants.containers.get(array.type_id.0 as usize) {
                    Some(ContainerType::Array { element }) => Some(element),
                    _ => None,
                },
            );
        let length = array.map_or(0, |array| array.len());
        (0..length).map_while(move |index| {
            let array = array?;
            let bytes = array.row(array.slot(index)?)?;
            Some(self.decode_element(element?, bytes, depth))
        })
    }

    fn table_type(&self, id: ContainerTypeId) -> Option<(&[(ShapeId, u32)], &Element)> {
        match self.constants.containers.get(id.0 as usize) {
            Some(ContainerType::Table {
                key_shapes,
                element,
                ..
            }) => Some((key_shapes, element)),
            _ => None,
        }
    }

    fn decode_element(&self, element: &Element, bytes: &[u8], depth: u32) -> Value {
        match element {
            Element::Value { shape, .. } => self.decode_shape(*shape, bytes, 0),
            Element::Container(_) if depth < MAX_DEPTH => load(None, bytes)
                .and_then(|handle| self.decode_nested(handle, depth + 1))
                .unwrap_or(Value::Opaque),
            Element::Container(_) => Value::Opaque,
        }
    }

    fn decode_shape(&self, id: ShapeId, bytes: &[u8], depth: u32) -> Value {
        let Some(shape) = self.constants.shapes.get(id.0 as usize) else {
            return Value::Opaque;
        };
        match shape {
            _ if depth > MAX_DEPTH => Value::Opaque,
            Shape::Record { fields, .. } => Value::Record(
                fields
                    .iter()
                    .map(|field| {
                        let value = match field_word(&self.constants, field, bytes) {
                            Some(word) => self.decode_word(field.shape, word),
                            None => {
                                let start = usize::try_from(field.offset).unwrap_or(usize::MAX);
                                let bytes = bytes.get(start..).unwrap_or_default();
                                self.decode_shape(field.shape, bytes, depth + 1)
                            }
                        };
                        (field.name.clone(), value)
                    })
                    .collect(),
            ),
            Shape::Array {
                element,
                count,
                stride,
            } => {
                if let Some(Shape::Char { signed }) = self.constants.shapes.get(element.0 as usize)
                {
                    let count = usize::try_from(*count).unwrap_or(usize::MAX);
                    let bytes = bytes.get(..count.min(bytes.len())).unwrap_or_default();
                    if let Some(text) = text_of(bytes, *signed) {
                        return Value::Str(text.to_vec());
                    }
                }
                let mut at = 0_u64;
                let mut values = Vec::new();
                for _ in 0..(*count).min(MAX_ELEMENTS) {
                    let start = usize::try_from(at).unwrap_or(usize::MAX);
                    let Some(bytes) = bytes.get(start..).filter(|bytes| !bytes.is_empty()) else {
                        break;
                    };
                    values.push(self.decode_shape(*element, bytes, depth + 1));
                    at = at.saturating_add(*stride);
                }
                Value::Array(values)
            }
            Shape::Wide(kind) => match (kind, bytes.first_chunk().copied()) {
                (_, None) => Value::Opaque,
                (Wide::Extended, Some(bytes)) => Value::Float(wide::extended(bytes)),
                (kind, Some(bytes)) => Value::Str(wide::text(*kind, bytes).into_bytes()),
            },
            Shape::Variants {
                discriminant,
                cases,
            } => {
                let number = discriminant.map(|(offset, size)| {
                    let start = usize::try_from(offset).unwrap_or(usize::MAX);
                    let number = bytes.get(start..).unwrap_or_default();
                    number.get(..usize::from(size)).unwrap_or_default()
                });
                match active(number, cases) {
                    Some(field) => {
                        let start = usize::try_from(field.offset).unwrap_or(usize::MAX);
                        let bytes = bytes.get(start..).unwrap_or_default();
                        let value = self.decode_shape(field.shape, bytes, depth + 1);
                        Value::Record(vec![(field.name.clone(), value)])
                    }
                    None => Value::Opaque,
                }
            }
            Shape::Complex { part } => match wide::complex(*part, bytes) {
                Some(text) => Value::Str(text.into_bytes()),
                None => Value::Opaque,
            },
            _ => scalar_of(shape)
                .and_then(|scalar| load(Some(scalar), bytes))
                .map_or(Value::Opaque, |word| self.decode_word(id, word)),
        }
    }

    /// A scalar value from its word.
    fn decode_word(&self, id: ShapeId, word: u64) -> Value {
        match self.constants.shapes.get(id.0 as usize) {
            Some(Shape::Char { .. }) => Value::Char(word as i16),
            Some(Shape::Pointer { .. }) => Value::Pointer(word),
            Some(Shape::Enum { names, .. }) => {
                let value = word as i64;
                let name = names.iter().find(|(_, number)| *number == value);
                Value::Enum(name.map(|(name, _)| name.clone()), value)
            }
            Some(Shape::Scalar(scalar)) => match scalar {
                Scalar::Bool => Value::Bool(word != 0),
                Scalar::Signed(_) => Value::Integer(word as i64),
                Scalar::Unsigned(_) => Value::Unsigned(word),
                Scalar::Float32 | Scalar::Float64 => Value::Float(f64::from_bits(word)),
                Scalar::Pointer => Value::Pointer(word),
                Scalar::Str => Value::Str(self.string(word).to_vec()),
                Scalar::Path => Value::Path(word),
            },
            _ => Value::Opaque,
        }
    }

    /// A value from the words of a key, where every scalar takes one.
    fn decode_key(&self, id: ShapeId, words: &mut &[u64], depth: u32) -> Value {
        match self.constants.shapes.get(id.0 as usize) {
            _ if depth > MAX_DEPTH => Value::Opaque,
            Some(Shape::Record { fields, .. }) => Value::Record(
                fields
                    .iter()
                    .map(|field| {
                        let value = self.decode_key(field.shape, words, depth + 1);
                        (field.name.clone(), value)
                    })
                    .collect(),
            ),
            Some(Shape::Array { element, count, .. }) => {
                let mut values = Vec::new();
                for _ in 0..*count {
                    if words.is_empty() {
                        break;
                    }
                    values.push(self.decode_key(*element, words, depth + 1));
                }
                Value::Array(values)
            }
            _ => match words.split_first() {
                Some((&word, rest)) => {
                    *words = rest;
                    self.decode_word(id, word)
                }
                None => Value::Opaque,
            },
        }
    }
}

/// The variant that is there by the bytes of the discriminant, little-endian; without one, the only variant.
pub(crate) fn active<'c>(
    discriminant: Option<&[u8]>,
    cases: &'c [(Option<u128>, ShapeField)],
) -> Option<&'c ShapeField> {
    let Some(bytes) = discriminant else {
        return match cases {
            [(None, only)] => Some(only),
            _ => None,
        };
    };
    let number = |bytes: &[u8]| {
        let low = bytes.iter().take(16).rev();
        low.fold(0_u128, |number, byte| number << 8 | u128::from(*byte))
    };
    let mask = match bytes.len() {
        0 => return None,
        size @ 1..16 => (1_u128 << (8 * size)) - 1,
        _ => u128::MAX,
    };
    let value = number(bytes);
    let named = cases
        .iter()
        .find(|(wanted, _)| wanted.is_some_and(|wanted| wanted & mask == value));
    let chosen = named.or_else(|| cases.iter().find(|(wanted, _)| wanted.is_none()));
    chosen.map(|(_, field)| field)
}

/// The text of an array of characters, up to its NUL. Unsigned ones are as often plain bytes: `None` where they are no text.
pub(crate) fn text_of(bytes: &[u8], signed: bool) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == 0);
    let (text, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    let is_text = signed || rest.iter().all(|byte| *byte == 0) && std::str::from_utf8(text).is_ok();
    is_text.then_some(text)
}

/// The scalar that a shape is stored as.
pub(crate) fn scalar_of(shape: &Shape) -> Option<Scalar> {
    match shape {
        Shape::Scalar(scalar) | Shape::Enum { scalar, .. } => Some(*scalar),
        Shape::Char { signed: true } => Some(Scalar::Signed(1)),
        Shape::Char { signed: false } => Some(Scalar::Unsigned(1)),
        Shape::Pointer { .. } => Some(Scalar::Pointer),
        Shape::Record { .. } | Shape::Array { .. } | Shape::Wide(_) => None,
        Shape::Variants { .. } | Shape::Complex { .. } | Shape::Opaque { .. } => None,
    }
}

/// The scalar at an offset of a shape.
pub(crate) fn scalar_at(constants: &Constants, shape: ShapeId, offset: u64) -> Option<Scalar> {
    let (mut id, mut offset) = (shape, offset);
    for _ in 0..=MAX_DEPTH {
        match constants.shapes.get(id.0 as usize)? {
            Shape::Record { fields, .. } => {
                let field = fields
                    .iter()
                    .filter(|field| field.bits.is_none() && field.offset <= offset)
                    .max_by_key(|field| field.offset)?;
                offset -= field.offset;
                id = field.shape;
            }
            Shape::Array {
                element, stride, ..
            } => {
                offset = offset.checked_rem(*stride)?;
                id = *element;
            }
            other => return scalar_of(other).filter(|_| offset == 0),
        }
    }
    None
}

/// A scalar as a word from its bytes; without a scalar, eight bytes.
pub(crate) fn load(scalar: Option<Scalar>, bytes: &[u8]) -> Option<u64> {
    fn take<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
        bytes.first_chunk().copied()
    }
    Some(match scalar {
        Some(Scalar::Bool) => u64::from(*bytes.first()? != 0),
        Some(Scalar::Signed(1)) => i8::from_ne_bytes(take(bytes)?) as u64,
        Some(Scalar::Signed(2)) => i16::from_ne_bytes(take(bytes)?) as u64,
        Some(Scalar::Signed(4)) => i32::from_ne_bytes(take(bytes)?) as u64,
        Some(Scalar::Unsigned(1)) => u64::from(*bytes.first()?),
        Some(Scalar::Unsigned(2)) => u64::from(u16::from_ne_bytes(take(bytes)?)),
        Some(Scalar::Unsigned(4)) => u64::from(u32::from_ne_bytes(take(bytes)?)),
        Some(Scalar::Float32) => f64::from(f32::from_ne_bytes(take(bytes)?)).to_bits(),
        _ => u64::from_ne_bytes(take(bytes)?),
    })
}

/// The value of a bit-field from the bytes of its record; `None` if the field is none.
pub(crate) fn field_word(constants: &Constants, field: &ShapeField, bytes: &[u8]) -> Option<u64> {
    let (low, width) = field.bits?;
    let start = usize::try_from(field.offset).ok()?;
    let signed = constants
        .shapes
        .get(field.shape.0 as usize)
        .and_then(scalar_of)
        .is_some_and(|scalar| matches!(scalar, Scalar::Signed(_)));
    Some(bit_field(
        bytes.get(start..).unwrap_or_default(),
        low,
        width,
        signed,
    ))
}

/// Bits `low..low + width` of little-endian bytes, extended to a word.
pub(crate) fn bit_field(bytes: &[u8], low: u32, width: u32, signed: bool) -> u64 {
    let width = width.clamp(1, 64);
    let first = (low / 8) as usize;
    let mut raw = [0_u8; 16];
    for (place, byte) in raw.iter_mut().zip(bytes.iter().skip(first)) {
        *place = *byte;
    }
    let word = (u128::from_le_bytes(raw) >> (low % 8)) as u64;
    let shift = 64 - width;
    if signed {
        ((word << shift) as i64 >> shift) as u64
    } else {
        word << shift >> shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_by_their_discriminant() {
        let field = |name: &str| ShapeField {
            name: name.to_owned(),
            offset: 0,
            bits: None,
            shape: crate::constants::ShapeId(0),
        };
        let minus_one = (-1_i128) as u128;
        let cases = [
            (Some(1), field("one")),
            (Some(minus_one), field("minus")),
            (None, field("rest")),
        ];
        let name = |bytes: Option<&[u8]>, cases| active(bytes, cases).map(|f| f.name.as_str());
        assert_eq!(name(Some(&[1, 0]), &cases), Some("one"));
        assert_eq!(name(Some(&[255]), &cases), Some("minus"));
        assert_eq!(name(Some(&[255; 16]), &cases), Some("minus"));
        assert_eq!(name(Some(&[9, 9, 9, 9]), &cases), Some("rest"));
        // Without a value for all others, or with none to read, nothing is known.
        assert_eq!(name(Some(&[9]), &cases[..2]), None);
        assert_eq!(name(None, &cases), None);
        assert_eq!(name(None, &cases[..1]), None);
        assert_eq!(name(None, &cases[2..]), Some("rest"));
    }
}
