//! What formats read of the target, as `ytrace_values` shows values.

use super::found::What;
use super::run::{Analysis, Stop};
use super::state::{Known, State};
use super::terms::Extent;
use crate::ir::SpanId;
use ytrace_values::Constants;
use ytrace_values::constants::{
    Amount, ContainerType, ConversionKind, Element, FormatArgument, FormatPiece, Scalar, Shape,
    ShapeId,
};
use ytrace_values::show::{MAX_DEPTH, MAX_ELEMENTS, MAX_SCALARS, MAX_TEXT};

/// What is read of a value of some shape.
#[derive(Default)]
struct Shown {
    /// From its beginning to the end of its last part that is read, in bytes.
    extent: u64,
    /// The offsets of pointers to characters, whose strings are shown.
    strings: Vec<u64>,
    /// The offsets of strings of no known length that are in the value itself.
    own_strings: Vec<u64>,
    scalars: u32,
}

impl<'p> Analysis<'p> {
    /// Reads what a format shows.
    pub(super) fn format(
        &mut self,
        arguments: &[Known],
        state: &mut State,
        span: SpanId,
    ) -> Result<(), Stop> {
        let program = self.program;
        let constants = &program.constants;
        let mut words = arguments.iter();
        let index = words.next().and_then(Known::single);
        let index = index.and_then(|index| self.terms.as_constant(index));
        let format = index
            .and_then(|index| usize::try_from(index).ok())
            .and_then(|index| constants.formats.get(index));
        let Some(format) = format else {
            return Ok(());
        };
        for piece in format {
            let FormatPiece::Conversion(conversion) = piece else {
                continue;
            };
            if conversion.width == Amount::Argument {
                words.next();
            }
            let (precision, elements) = match conversion.precision {
                Amount::None => (self.precision(None), None),
                Amount::Fixed(precision) => {
                    let word = self.terms.constant(u64::from(precision));
                    (self.precision(Some(word)), Some(u64::from(precision)))
                }
                Amount::Argument => {
                    let word = words.next().and_then(Known::single);
                    let constant = word.and_then(|word| self.terms.as_constant(word));
                    // A negative one counts as none.
                    let elements = constant.filter(|constant| (*constant as i64) >= 0);
                    let known = word.is_some() && constant.is_some();
                    let elements = if known { elements } else { Some(MAX_ELEMENTS) };
                    (self.precision(word), elements)
                }
            };
            let elements = elements.unwrap_or(MAX_ELEMENTS);
            match &conversion.argument {
                FormatArgument::TargetString => {
                    let address = words.next();
                    self.read_at(address, precision, state, span)?;
                }
                FormatArgument::Scalar(scalar) => {
                    let word = words.next();
                    let own = matches!(scalar, Scalar::Str | Scalar::Path);
                    if conversion.kind == ConversionKind::String && !own {
                        self.read_at(word, precision, state, span)?;
                    }
                }
                FormatArgument::TargetValue(shape) => {
                    let address = words.next().copied();
                    self.shown(constants, *shape, address, elements, state, span)?;
                }
                FormatArgument::TracerValue {
                    shape,
                    words: count,
                } => {
                    let all: Vec<Known> = words.by_ref().take(*count as usize).copied().collect();
                    if conversion.kind == ConversionKind::String {
                        continue;
                    }
                    let mut shown = Shown::default();
                    shown.walk(constants, *shape, 0, elements, 0);
                    for offset in shown.strings {
                        let word = usize::try_from(offset / 8).ok();
                        let word = word.and_then(|word| all.get(word)).copied();
                        let string = self.precision(None);
                        self.read_at(word.as_ref(), string, state, span)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads what is shown of a value of the target.
    fn shown(
        &mut self,
        constants: &Constants,
        shape: ShapeId,
        address: Option<Known>,
        elements: u64,
        state: &mut State,
        span: SpanId,
    ) -> Result<(), Stop> {
        let mut shown = Shown::default();
        shown.walk(constants, shape, 0, elements, 0);
        if shown.extent > super::MAX_BYTES {
            self.refuse(state, span, What::Large(shown.extent));
            return Ok(());
        }
        let most = shown.extent as u32;
        let length = self.terms.constant(shown.extent);
        let extent = Extent::Bytes { length, most };
        self.read_at(address.as_ref(), extent, state, span)?;
        let string = self.precision(None);
        let Some(Known::Words(words)) = address else {
            return Ok(());
        };
        for base in words.all() {
            for offset in &shown.own_strings {
                let offset = self.terms.constant(*offset);
                let place = self.terms.add(*base, offset);
                let noted = state.reads.clone();
                self.read(state, place, string, span)?;
                state.reads = noted;
            }
            for offset in &shown.strings {
                let offset = self.terms.constant(*offset);
                let place = self.terms.add(*base, offset);
                let pointer = self.read(state, place, Extent::Exact(8), span)?;
                let pointer = self.terms.term(super::terms::Term::Loaded {
                    read: pointer,
                    offset: 0,
                    size: 8,
                    signed: false,
                });
                // A pointer that leads nowhere is shown as such.
                let noted = state.reads.clone();
                self.read(state, pointer, string, span)?;
                state.reads = noted;
            }
        }
        Ok(())
    }

    /// Whether showing a container may read strings of the target.
    pub(super) fn containers_show_strings(&self) -> bool {
        let constants = &self.program.constants;
        let shows = |shape: ShapeId| {
            let mut shown = Shown::default();
            shown.walk(constants, shape, 0, MAX_ELEMENTS, 0);
            !shown.strings.is_empty()
        };
        let holds = |element: &Element| match element {
            Element::Value { shape, .. } => shows(*shape),
            Element::Container(_) => false,
        };
        constants
            .containers
            .iter()
            .any(|container| match container {
                ContainerType::Array { element } => holds(element),
                ContainerType::Table {
                    key_shapes,
                    element,
                    ..
                } => holds(element) || key_shapes.iter().any(|(shape, _)| shows(*shape)),
                ContainerType::Aggregate { .. } => false,
            })
    }
}

impl Shown {
    fn part(&mut self, offset: u64, size: u64) {
        self.scalars += 1;
        self.extent = self.extent.max(offset.saturating_add(size));
    }

    /// Notes what is read of a value at an offset.
    fn walk(&mut self, constants: &Constants, id: ShapeId, offset: u64, elements: u64, depth: u32) {
        if self.scalars >= MAX_SCALARS || depth > 2 * MAX_DEPTH {
            return;
        }
        let Some(shape) = constants.shapes.get(id.0 as usize) else {
            return;
        };
        match shape {
            Shape::Record { .. } | Shape::Array { .. } if depth > MAX_DEPTH => {}
            Shape::Record { fields, .. } => {
                for field in fields {
                    let at = offset.saturating_add(field.offset);
                    match field.bits {
                        Some((low, width)) => {
                            let first = u64::from(low / 8);
                            let count = (low % 8 + width.clamp(1, 64)).div_ceil(8);
                            self.part(at.saturating_add(first), u64::from(count));
                        }
                        None => self.walk(constants, field.shape, at, elements, depth + 1),
                    }
                }
            }
            // Its address is shown, with the string that is there.
            Shape::Array {
                element, count: 0, ..
            } => {
                let character = constants.shapes.get(element.0 as usize);
                if matches!(character, Some(Shape::Char { .. })) {
                    self.own_strings.push(offset);
                }
            }
            Shape::Array {
                element,
                count,
                stride,
            } => match constants.shapes.get(element.0 as usize) {
                Some(Shape::Char { .. }) => self.part(offset, (*count).min(MAX_TEXT as u64)),
                _ => {
                    for index in 0..(*count).min(elements) {
                        if self.scalars >= MAX_SCALARS {
                            break;
                        }
                        let at = offset.saturating_add(index.saturating_mul(*stride));
                        // Elements without anything in them count, too.
                        self.scalars += 1;
                        self.walk(constants, *element, at, elements, depth + 1);
                    }
                }
            },
            Shape::Wide(_) => self.part(offset, 16),
            Shape::Complex { part } => self.part(offset, 2 * u64::from(*part)),
            Shape::Variants {
                discriminant,
                cases,
            } => {
                if let Some((at, size)) = discriminant {
                    self.part(offset.saturating_add(*at), u64::from(*size));
                }
                for (_, field) in cases {
                    let at = offset.saturating_add(field.offset);
                    self.walk(constants, field.shape, at, elements, depth + 1);
                }
            }
            Shape::Opaque { .. } => {}
            Shape::Pointer { to_char, .. } => {
                self.part(offset, 8);
                if *to_char {
                    self.strings.push(offset);
                }
            }
            Shape::Scalar(scalar) | Shape::Enum { scalar, .. } => self.part(offset, scalar.size()),
            Shape::Char { .. } => self.part(offset, 1),
        }
    }
}
