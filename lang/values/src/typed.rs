//! The values of what is printed, beside the text: numbers as numbers, strings as strings, structs with their members.

use crate::constants::{Constants, Conversion, ConversionKind, Scalar, Shape, ShapeField, ShapeId};
use crate::machine::Machine;
use crate::reading::{MAX_DEPTH, MAX_ELEMENTS, Value, active, scalar_of};
use crate::wide;

/// A value of the target that is larger is given as its text, in bytes.
const MOST_BYTES: u64 = 64 << 10;

impl Machine<'_> {
    /// A value in the target as members, if it can be had as a whole; else as the text that was printed.
    pub(crate) fn typed_target(&mut self, shape: ShapeId, address: u64, text: &[u8]) -> Value {
        let constants = self.store.constants.clone();
        let size = match constants.shapes.get(shape.0 as usize) {
            Some(Shape::Record { size, .. }) => Some(*size),
            Some(Shape::Array { count, stride, .. }) if *count > 0 => count.checked_mul(*stride),
            _ => None,
        };
        let size = size.filter(|size| *size <= MOST_BYTES);
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
            return Value::Str(text.to_vec());
        };
        let mut bytes = vec![0; size];
        // Of a hit, what is shown has been captured and not the padding between.
        let whole = self.memory.read(address, &mut bytes).is_ok()
            || self.gather(&constants, shape, address, &mut bytes, 0);
        if !whole {
            return Value::Str(text.to_vec());
        }
        self.typed_tracer(shape, &bytes)
    }

    /// Reads each part of a value that [`crate::Store::decode`] looks at into its place; false where one cannot be read.
    fn gather(
        &mut self,
        constants: &Constants,
        id: ShapeId,
        address: u64,
        bytes: &mut [u8],
        depth: u32,
    ) -> bool {
        let Some(shape) = constants.shapes.get(id.0 as usize) else {
            return false;
        };
        match shape {
            _ if depth > MAX_DEPTH => true,
            Shape::Record { fields, .. } => fields
                .iter()
                .all(|field| self.gather_field(constants, field, address, bytes, depth)),
            Shape::Array {
                element,
                count,
                stride,
            } => {
                let element_shape = constants.shapes.get(element.0 as usize);
                if matches!(element_shape, Some(Shape::Char { .. })) {
                    return self.gather_part(address, bytes, 0, *count);
                }
                (0..(*count).min(MAX_ELEMENTS)).all(|index| {
                    let offset = index.saturating_mul(*stride);
                    let Some(bytes) = after(bytes, offset) else {
                        return false;
                    };
                    let address = address.wrapping_add(offset);
                    self.gather(constants, *element, address, bytes, depth + 1)
                })
            }
            Shape::Variants {
                discriminant,
                cases,
            } => {
                if let Some((offset, size)) = discriminant
                    && !self.gather_part(address, bytes, *offset, u64::from(*size))
                {
                    return false;
                }
                let number = discriminant.and_then(|(offset, size)| {
                    let number = after(bytes, offset)?.get(..usize::from(size));
                    number.map(<[u8]>::to_vec)
                });
                match active(number.as_deref(), cases) {
                    Some(field) => self.gather_field(constants, field, address, bytes, depth),
                    None => true,
                }
            }
            Shape::Wide(_) => self.gather_part(address, bytes, 0, wide::SIZE as u64),
            Shape::Complex { part } => self.gather_part(address, bytes, 0, 2 * u64::from(*part)),
            Shape::Opaque { .. } => true,
            _ => {
                let size = scalar_of(shape).map_or(8, Scalar::size);
                self.gather_part(address, bytes, 0, size)
            }
        }
    }

    fn gather_field(
        &mut self,
        constants: &Constants,
        field: &ShapeField,
        address: u64,
        bytes: &mut [u8],
        depth: u32,
    ) -> bool {
        if let Some((low, width)) = field.bits {
            let offset = field.offset.saturating_add(u64::from(low / 8));
            let size = (low % 8 + width.clamp(1, 64)).div_ceil(8);
            return self.gather_part(address, bytes, offset, u64::from(size));
        }
        let Some(bytes) = after(bytes, field.offset) else {
            return false;
        };
        let address = address.wrapping_add(field.offset);
        self.gather(constants, field.shape, address, bytes, depth + 1)
    }

    fn gather_part(&mut self, address: u64, bytes: &mut [u8], offset: u64, size: u64) -> bool {
        let part = after(bytes, offset).and_then(|bytes| {
            let size = usize::try_from(size).ok()?;
            bytes.get_mut(..size)
        });
        part.is_some_and(|part| {
            let address = address.wrapping_add(offset);
            self.memory.read(address, part).is_ok()
        })
    }

    /// A value in bytes of ours.
    pub(crate) fn typed_tracer(&mut self, shape: ShapeId, bytes: &[u8]) -> Value {
        let value = self.store.decode(shape, bytes);
        self.without_handles(value)
    }

    /// A scalar as a conversion prints it: what it cuts or reinterprets, so that text and value are the same number.
    pub(crate) fn typed_scalar(
        &mut self,
        conversion: &Conversion,
        scalar: Scalar,
        word: u64,
        text: &[u8],
    ) -> Value {
        let narrow = scalar.size() == 4;
        match conversion.kind {
            ConversionKind::Decimal => match (scalar, narrow) {
                (Scalar::Unsigned(_), true) => Value::Integer(i64::from(word as i32)),
                _ => Value::Integer(word as i64),
            },
            ConversionKind::Unsigned
            | ConversionKind::Octal
            | ConversionKind::Hexadecimal { .. } => match scalar.size() {
                8 => Value::Unsigned(word),
                _ => Value::Unsigned(u64::from(word as u32)),
            },
            ConversionKind::Pointer => Value::Pointer(word),
            ConversionKind::Character => Value::Str(vec![word as u8]),
            ConversionKind::String => Value::Str(text.to_vec()),
            ConversionKind::Float(_)
            | ConversionKind::Bytes
            | ConversionKind::Duration
            | ConversionKind::Value => match scalar {
                Scalar::Bool => Value::Bool(word != 0),
                Scalar::Signed(_) => Value::Integer(word as i64),
                Scalar::Unsigned(_) => Value::Unsigned(word),
                Scalar::Float32 | Scalar::Float64 => Value::Float(f64::from_bits(word)),
                Scalar::Pointer => Value::Pointer(word),
                Scalar::Str => Value::Str(
                    self.store
                        .text(word)
                        .map_or_else(|_| text.to_vec(), <[u8]>::to_vec),
                ),
                Scalar::Path => Value::Str(self.path_text(word)),
            },
        }
    }

    /// The value with the texts of paths in place of their handles, which nobody else knows.
    fn without_handles(&mut self, value: Value) -> Value {
        match value {
            Value::Path(handle) => Value::Str(self.path_text(handle)),
            Value::Record(fields) => {
                let fields = fields.into_iter();
                Value::Record(
                    fields
                        .map(|(name, value)| (name, self.without_handles(value)))
                        .collect(),
                )
            }
            Value::Array(values) => {
                let values = values.into_iter();
                Value::Array(values.map(|value| self.without_handles(value)).collect())
            }
            other => other,
        }
    }
}

/// What begins at an offset; `None` where that is beyond the value.
fn after(bytes: &mut [u8], offset: u64) -> Option<&mut [u8]> {
    let offset = usize::try_from(offset).ok()?;
    bytes.get_mut(offset..)
}
