//! Formats of `printf` and `sprintf`.

use super::builder::Builder;
use super::{LowerError, Lowered, Unit};
use crate::hir::{Expression, FormatPiece};
use crate::ir::{Class, InstructionKind, MemoryType, Register};
use crate::source::Span;
use crate::types::TypeId;
use ytrace_values::Operation;
use ytrace_values::constants::{self, Amount, FormatArgument};

/// The most bytes of a tracer value that one `%V` takes.
const MAX_PRINTED: u64 = 2048;

impl Unit<'_> {
    /// Fills in the shapes of all formats.
    pub(super) fn lower_formats(&mut self) -> Lowered<()> {
        let program = self.program;
        for format in &program.formats {
            let mut pieces = Vec::with_capacity(format.len());
            for piece in format {
                pieces.push(match piece {
                    FormatPiece::Text(text) => constants::FormatPiece::Text(text.clone()),
                    FormatPiece::Conversion { conversion, value } => {
                        let mut conversion = conversion.clone();
                        if let Some((ty, in_target)) = value {
                            conversion.argument = self.value_argument(*ty, *in_target)?;
                        }
                        constants::FormatPiece::Conversion(conversion)
                    }
                });
            }
            self.constants.formats.push(pieces);
        }
        Ok(())
    }

    /// How the argument of `%V` arrives.
    fn value_argument(&mut self, ty: TypeId, in_target: bool) -> Lowered<FormatArgument> {
        let shape = self.shape(ty);
        if in_target {
            return Ok(FormatArgument::TargetValue(shape));
        }
        let words = self.size(ty, Span::default())?.div_ceil(8);
        Ok(FormatArgument::TracerValue {
            shape,
            words: words as u32,
        })
    }
}

/// How an argument is handed over.
enum Passing {
    Word,
    Bytes,
}

impl Builder<'_, '_> {
    /// `printf` and `sprintf`.
    pub(super) fn format(
        &mut self,
        string: bool,
        format: u32,
        arguments: &[Expression],
    ) -> Lowered<Option<Register>> {
        let program = self.unit.program;
        let Some(pieces) = program.formats.get(format as usize) else {
            return Err(LowerError::malformed(self.here(), "no such format"));
        };
        let mut passing = Vec::with_capacity(arguments.len());
        for piece in pieces {
            let FormatPiece::Conversion { conversion, value } = piece else {
                continue;
            };
            for amount in [conversion.width, conversion.precision] {
                if amount == Amount::Argument {
                    passing.push(Passing::Word);
                }
            }
            passing.push(match value {
                Some((_, false)) => Passing::Bytes,
                _ => Passing::Word,
            });
        }
        if passing.len() != arguments.len() {
            return Err(LowerError::malformed(
                self.here(),
                "a format with the wrong number of arguments",
            ));
        }
        let mut words = vec![self.constant(u64::from(format))];
        for (argument, passing) in arguments.iter().zip(passing) {
            match passing {
                Passing::Word => words.push(self.scalar_word(argument)?),
                Passing::Bytes => self.value_words(argument, &mut words)?,
            }
        }
        if string {
            return Ok(Some(self.operate(Operation::Sprintf, words)));
        }
        self.operation(Operation::Printf, words, None);
        Ok(None)
    }

    /// The bytes of a value, eight a word.
    fn value_words(&mut self, value: &Expression, words: &mut Vec<Register>) -> Lowered<()> {
        let bytes = if self.is_scalar(value.ty) {
            let from = self.scalar(value)?;
            if self.class_of(from) == Class::Word {
                // Little-endian: the lowest bytes of the word are those of the value.
                words.push(from);
                return Ok(());
            }
            let place = self.temporary(8)?;
            self.emit(InstructionKind::Zero { place, length: 8 });
            let ty = self.memory_type(value.ty);
            self.emit(InstructionKind::Store { place, from, ty });
            place
        } else {
            self.record(value)?
        };
        let length = self.unit.size(value.ty, value.span)?;
        if length > MAX_PRINTED {
            return Err(LowerError::TooLarge {
                what: "the value that is to be printed".to_owned(),
                size: length,
                limit: MAX_PRINTED,
                span: value.span,
            });
        }
        // The bytes after the last one, up to a whole word, are whatever the slot held.
        let tail = length % 8;
        if tail != 0 && !self.is_scalar(value.ty) {
            let place = self.part(bytes, length);
            self.emit(InstructionKind::Zero {
                place,
                length: 8 - tail,
            });
        }
        for index in 0..length.div_ceil(8) {
            let to = self.word();
            let place = self.part(bytes, 8 * index);
            self.emit(InstructionKind::Load {
                to,
                place,
                ty: MemoryType::W64,
            });
            words.push(to);
        }
        Ok(())
    }
}
