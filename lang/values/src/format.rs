//! `printf`: checked formats and their argument words to text.

use crate::constants::{
    Amount, Conversion, ConversionKind, FormatArgument, FormatPiece, Scalar, Shape,
};
use crate::escape;
use crate::fault::{Fault, FaultKind};
use crate::machine::Machine;
use crate::numbers::{self, Number};
use crate::reading::Value;
use crate::show::{Place, Show};
use crate::store::internal;
use crate::target_bytes;

/// Text under construction, with the most that it may become.
pub(crate) struct Output {
    pub(crate) bytes: Vec<u8>,
    /// The most bytes that there is room for.
    room: u64,
    /// The budget that the room is left of, for messages.
    budget: u64,
    /// What is exhausted at the limit.
    kind: FaultKind,
    /// Whether arguments are made safe for terminals.
    escape: bool,
    /// The values of what was converted, if they are wanted.
    pub(crate) values: Option<Vec<Value>>,
}

impl Output {
    /// Text of `room` bytes at most, which is what is left of a budget.
    pub(crate) fn new(room: u64, budget: u64, kind: FaultKind, escape: bool) -> Self {
        Self {
            bytes: Vec::new(),
            room,
            budget,
            kind,
            escape,
            values: None,
        }
    }

    /// Takes the value of what is being converted.
    fn note(&mut self, value: impl FnOnce() -> Value) {
        if let Some(values) = &mut self.values {
            values.push(value());
        }
    }

    /// Adds text of the program itself. At the limit what fits is kept.
    pub(crate) fn text(&mut self, text: &[u8]) -> Result<(), Fault> {
        let room = usize::try_from(self.room)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.bytes.len());
        match text.get(..room) {
            Some(fitting) if text.len() > room => {
                self.bytes.extend_from_slice(fitting);
                Err(Fault::new(self.kind)
                    .with_message(format!("the limit of {} bytes is reached", self.budget)))
            }
            _ => {
                self.bytes.extend_from_slice(text);
                Ok(())
            }
        }
    }

    fn repeat(&mut self, byte: u8, count: usize) -> Result<(), Fault> {
        let block = [byte; 64];
        let mut left = count;
        while left > 0 {
            let part = left.min(block.len());
            self.text(block.get(..part).unwrap_or_default())?;
            left -= part;
        }
        Ok(())
    }

    /// Adds an argument's bytes, made safe if this output goes to terminals, padded.
    fn argument(&mut self, text: &[u8], left: bool, width: usize) -> Result<(), Fault> {
        if self.escape {
            let mut escaped = Vec::with_capacity(text.len());
            escape::terminal_into(&mut escaped, text);
            self.padded(&escaped, left, width)
        } else {
            self.padded(text, left, width)
        }
    }

    fn padded(&mut self, text: &[u8], left: bool, width: usize) -> Result<(), Fault> {
        let padding = width.saturating_sub(text.len());
        if !left {
            self.repeat(b' ', padding)?;
        }
        self.text(text)?;
        if left {
            self.repeat(b' ', padding)?;
        }
        Ok(())
    }

    fn number(&mut self, number: &Number, spec: &Spec<'_>) -> Result<(), Fault> {
        let length = number.prefix.len() + number.digits.len() + number.zeros + number.suffix.len();
        let padding = spec.width.saturating_sub(length);
        let zeros = spec.conversion.zero && !spec.left && number.zero_padded;
        if !spec.left && !zeros {
            self.repeat(b' ', padding)?;
        }
        self.text(number.prefix.as_bytes())?;
        if zeros {
            self.repeat(b'0', padding)?;
        }
        self.text(number.digits.as_bytes())?;
        self.repeat(b'0', number.zeros)?;
        self.text(number.suffix.as_bytes())?;
        if spec.left {
            self.repeat(b' ', padding)?;
        }
        Ok(())
    }
}

/// The string that a pointer leads to.
fn text_or_null(address: u64, text: &[u8]) -> Value {
    match address {
        0 => Value::Opaque,
        _ => Value::Str(text.to_vec()),
    }
}

/// A conversion with its width and precision known.
struct Spec<'a> {
    conversion: &'a Conversion,
    left: bool,
    width: usize,
    precision: Option<usize>,
}

impl Machine<'_> {
    /// The text of format `index` with these argument words, appended to `output`.
    pub(crate) fn format(
        &mut self,
        index: u64,
        words: &[u64],
        output: &mut Output,
    ) -> Result<(), Fault> {
        let constants = self.store.constants.clone();
        let format = usize::try_from(index)
            .ok()
            .and_then(|index| constants.formats.get(index))
            .ok_or_else(|| internal("no such format"))?;
        let mut words = words.iter().copied();
        for piece in format {
            match piece {
                FormatPiece::Text(text) => output.text(text)?,
                FormatPiece::Conversion(conversion) => {
                    self.convert(conversion, &mut words, output)?;
                }
            }
        }
        match words.next() {
            None => Ok(()),
            Some(_) => Err(internal("too many arguments for a format")),
        }
    }

    fn convert(
        &mut self,
        conversion: &Conversion,
        words: &mut impl Iterator<Item = u64>,
        output: &mut Output,
    ) -> Result<(), Fault> {
        let missing = || internal("too few arguments for a format");
        let mut left = conversion.left;
        let width = match conversion.width {
            Amount::None => 0,
            Amount::Fixed(width) => width as usize,
            Amount::Argument => {
                let width = words.next().ok_or_else(missing)? as i32;
                left |= width < 0;
                width.unsigned_abs() as usize
            }
        };
        let precision = match conversion.precision {
            Amount::None => None,
            Amount::Fixed(precision) => Some(precision as usize),
            // A negative precision counts as none.
            Amount::Argument => usize::try_from(words.next().ok_or_else(missing)? as i64).ok(),
        };
        // A number is built whole, so its precision is bounded by what may be put out at all.
        let most = usize::try_from(output.room.saturating_add(1)).unwrap_or(usize::MAX);
        let spec = Spec {
            conversion,
            left,
            width,
            precision: precision.map(|precision| match conversion.kind {
                ConversionKind::String | ConversionKind::Value => precision,
                _ => precision.min(most),
            }),
        };
        if let FormatArgument::TracerValue {
            shape,
            words: count,
        } = &conversion.argument
        {
            let mut bytes = Vec::new();
            for _ in 0..*count {
                bytes.extend_from_slice(&words.next().ok_or_else(missing)?.to_le_bytes());
            }
            if conversion.kind == ConversionKind::String {
                // An array of characters: up to the first zero, as `%s` of C.
                let constants = self.store.constants.clone();
                let length = match constants.shapes.get(shape.0 as usize) {
                    Some(Shape::Array { count, .. }) => usize::try_from(*count),
                    _ => return Err(internal("text of a value that is no array")),
                };
                let length = length.unwrap_or(usize::MAX).min(bytes.len());
                let length = length.min(precision.unwrap_or(usize::MAX));
                let text = bytes.get(..length).unwrap_or_default();
                let end = text.iter().position(|byte| *byte == 0);
                let text = text.get(..end.unwrap_or(length)).unwrap_or_default();
                output.note(|| Value::Str(text.to_vec()));
                return output.argument(text, left, width);
            }
            let mut show = Show::new(self, precision);
            show.value(*shape, Place::Tracer(&bytes))?;
            let text = show.finish();
            output.note(|| self.typed_tracer(*shape, &bytes));
            return output.argument(&text, left, width);
        }
        let word = words.next().ok_or_else(missing)?;
        match &conversion.argument {
            FormatArgument::Scalar(scalar) => self.scalar(*scalar, word, &spec, output),
            FormatArgument::TargetString => {
                let text = self.target_text(word, precision)?;
                output.note(|| text_or_null(word, &text));
                output.argument(&text, left, width)
            }
            FormatArgument::TargetValue(shape) => {
                let mut show = Show::new(self, precision);
                show.value(*shape, Place::Target(word))?;
                let text = show.finish();
                output.note(|| self.typed_target(*shape, word, &text));
                output.argument(&text, left, width)
            }
            FormatArgument::TracerValue { .. } => Err(internal("a tracer value twice")),
        }
    }

    /// `%s` of a `char *`: with a precision, at most that many bytes and no mark.
    fn target_text(&mut self, address: u64, precision: Option<usize>) -> Result<Vec<u8>, Fault> {
        if address == 0 {
            return Ok(b"(null)".to_vec());
        }
        let limit = self.store.limits.string;
        let wanted = precision.map_or(u64::MAX, |precision| precision as u64);
        let (mut text, cut) = target_bytes::c_string(self.memory, address, limit.min(wanted))?;
        if cut && wanted > limit {
            text.extend_from_slice(target_bytes::CUT);
        }
        Ok(text)
    }

    fn scalar(
        &mut self,
        scalar: Scalar,
        word: u64,
        spec: &Spec<'_>,
        output: &mut Output,
    ) -> Result<(), Fault> {
        let (left, width) = (spec.left, spec.width);
        if spec.conversion.kind != ConversionKind::String {
            output.note(|| self.typed_scalar(spec.conversion, scalar, word, &[]));
        }
        match spec.conversion.kind {
            ConversionKind::Decimal => {
                // As C: narrow types are promoted, wide unsigned ones reinterpreted.
                let value = match (scalar, scalar.size()) {
                    (Scalar::Unsigned(_), 4) => i64::from(word as i32),
                    _ => word as i64,
                };
                let number = numbers::integer(
                    spec.conversion,
                    value < 0,
                    value.unsigned_abs(),
                    spec.precision,
                );
                output.number(&number, spec)
            }
            ConversionKind::Unsigned
            | ConversionKind::Octal
            | ConversionKind::Hexadecimal { .. } => {
                let value = match scalar.size() {
                    8 => word,
                    _ => u64::from(word as u32),
                };
                let number = numbers::integer(spec.conversion, false, value, spec.precision);
                output.number(&number, spec)
            }
            ConversionKind::Character => output.argument(&[word as u8], left, width),
            ConversionKind::Pointer => output.padded(format!("{word:#x}").as_bytes(), left, width),
            ConversionKind::Float(letter) => {
                let value = match scalar {
                    Scalar::Float32 | Scalar::Float64 => f64::from_bits(word),
                    Scalar::Signed(_) => word as i64 as f64,
                    _ => word as f64,
                };
                let number = numbers::float(spec.conversion, letter, value, spec.precision);
                output.number(&number, spec)
            }
            ConversionKind::Bytes | ConversionKind::Duration => {
                let amount = match scalar {
                    Scalar::Float32 | Scalar::Float64 => f64::from_bits(word) as i128,
                    Scalar::Signed(_) => i128::from(word as i64),
                    _ => i128::from(word),
                };
                let decimals = spec.precision.unwrap_or(1);
                let text = match spec.conversion.kind {
                    ConversionKind::Bytes => crate::units::bytes_with(amount, decimals),
                    _ => crate::units::duration_with(amount, decimals),
                };
                // `µ` is one column and two bytes.
                let width = match width {
                    0 => 0,
                    width => width + text.len() - text.chars().count(),
                };
                output.padded(text.as_bytes(), left, width)
            }
            ConversionKind::String => {
                let text = match scalar {
                    Scalar::Str => self.store.text(word)?.to_vec(),
                    Scalar::Path => self.path_text(word),
                    _ => {
                        let text = self.target_text(word, spec.precision)?;
                        output.note(|| text_or_null(word, &text));
                        return output.argument(&text, left, width);
                    }
                };
                let kept = spec.precision.unwrap_or(usize::MAX).min(text.len());
                let text = text.get(..kept).unwrap_or_default();
                output.note(|| self.typed_scalar(spec.conversion, scalar, word, text));
                output.argument(text, left, width)
            }
            ConversionKind::Value => {
                let mut show = Show::new(self, spec.precision);
                show.scalar(scalar, word);
                let text = show.finish();
                output.argument(&text, left, width)
            }
        }
    }

    /// The names of a path's frames, one a line, the leaf first.
    pub(crate) fn path_symbols(&mut self, path: u64) -> Vec<u8> {
        use crate::store::Frame;
        let mut text = Vec::new();
        for frame in self.store.path_frames(path).into_iter().rev() {
            match frame {
                Frame::Name(name) => text.extend_from_slice(&name),
                Frame::Code(address) => {
                    for name in self.host.inlined_names(address) {
                        text.extend_from_slice(name.as_bytes());
                        text.push(b'\n');
                    }
                    match self.host.symbol_name(address) {
                        Some(name) => text.extend_from_slice(name.as_bytes()),
                        None => text.extend_from_slice(format!("{address:#x}").as_bytes()),
                    }
                }
            }
            text.push(b'\n');
        }
        text
    }

    /// A path in one line: frames that begin with `.` or `[` follow directly, others after ` / `.
    pub(crate) fn path_text(&mut self, path: u64) -> Vec<u8> {
        use crate::store::Frame;
        let mut text = Vec::new();
        for frame in self.store.path_frames(path) {
            let name = match frame {
                Frame::Name(name) => name,
                Frame::Code(address) => {
                    let name = self.host.symbol_name(address);
                    let name = name.unwrap_or_else(|| format!("{address:#x}"));
                    let inlined = self.host.inlined_names(address).into_iter().rev();
                    let names: Vec<String> = std::iter::once(name).chain(inlined).collect();
                    names.join(" / ").into_bytes()
                }
            };
            if !text.is_empty() && !matches!(name.first(), Some(b'.' | b'[')) {
                text.extend_from_slice(b" / ");
            }
            text.extend_from_slice(&name);
        }
        text
    }
}
