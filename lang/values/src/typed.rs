//! The values of what is printed, beside the text: numbers as numbers, strings as strings, structs with their members.

use crate::constants::{Conversion, ConversionKind, Scalar, Shape, ShapeId};
use crate::machine::Machine;
use crate::reading::Value;

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
        match self.memory.read(address, &mut bytes) {
            Ok(()) => self.typed_tracer(shape, &bytes),
            // Of a hit, what is shown has been captured and not what lies between.
            Err(_) => Value::Str(text.to_vec()),
        }
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
