//! Keys of tables as words.

use super::builder::{Builder, Home, fixed};
use super::{LowerError, Lowered};
use crate::hir::{self, ExpressionKind, LocalId};
use crate::ir::{
    Base, Class, Comparison, FloatOperator, InstructionKind, IntegerOperator, IntegerType,
    MemoryType, Place, Register,
};
use crate::source::Span;

/// The bits of the one NaN that keys know.
const CANONICAL_NAN: u64 = 0x7ff8_0000_0000_0000;

impl Builder<'_, '_> {
    /// Evaluates keys from left to right, each flattened to its words.
    pub(super) fn keys(&mut self, keys: &[hir::Expression]) -> Lowered<Vec<Register>> {
        let mut words = Vec::with_capacity(keys.len());
        for key in keys {
            if self.is_scalar(key.ty) {
                let register = self.scalar(key)?;
                words.push(self.key_word(register));
                continue;
            }
            let bytes = match &key.kind {
                // A record in a slot of its own is read in place: nothing comes between but
                // the other keys, which are evaluated after its words are loaded.
                ExpressionKind::Load(place) => {
                    let resolved = self.resolve(place)?;
                    match resolved.fixed() {
                        Some(place) if !matches!(place.base, Base::Target(_)) => place,
                        _ => {
                            let length = self.unit.size(key.ty, key.span)?;
                            let to = self.temporary(length)?;
                            self.copy_out(&resolved, to, length)?;
                            to
                        }
                    }
                }
                _ => self.record(key)?,
            };
            self.record_key(bytes, key, &mut words)?;
        }
        Ok(words)
    }

    fn record_key(
        &mut self,
        bytes: Place,
        key: &hir::Expression,
        words: &mut Vec<Register>,
    ) -> Lowered<()> {
        let mut parts = Vec::new();
        self.unit
            .each_key_part(key.ty, key.span, &mut |part| parts.push(part))?;
        for part in parts {
            let class = self.class(part.ty);
            let register = self.register(class);
            let place = self.part(bytes, part.offset);
            self.load_from(place, part.bits, part.ty, register);
            words.push(self.key_word(register));
        }
        Ok(())
    }

    /// The word that a scalar is as a key: floats with one zero and one NaN.
    fn key_word(&mut self, register: Register) -> Register {
        let class = self.class_of(register);
        if class == Class::Word {
            return register;
        }
        // -0.0 + 0.0 is 0.0.
        let zero = self.register(class);
        self.emit(InstructionKind::Constant { to: zero, value: 0 });
        let sum = self.register(class);
        self.emit(InstructionKind::Float {
            operator: FloatOperator::Add,
            to: sum,
            left: register,
            right: zero,
        });
        let bits = self.word();
        self.emit(InstructionKind::FloatToBits {
            to: bits,
            from: sum,
        });
        // All ones where the value is NaN, else 0.
        let nan = self.word();
        self.emit(InstructionKind::CompareFloats {
            comparison: Comparison::NotEqual,
            to: nan,
            left: register,
            right: register,
        });
        let none = self.constant(0);
        let all = self.bitwise(IntegerOperator::Subtract, none, nan);
        let ones = self.constant(u64::MAX);
        let others = self.bitwise(IntegerOperator::Xor, all, ones);
        let kept = self.bitwise(IntegerOperator::And, bits, others);
        let canonical = self.constant(CANONICAL_NAN);
        let replaced = self.bitwise(IntegerOperator::And, canonical, all);
        self.bitwise(IntegerOperator::Or, kept, replaced)
    }

    fn bitwise(&mut self, operator: IntegerOperator, left: Register, right: Register) -> Register {
        let to = self.word();
        self.emit(InstructionKind::Integer {
            operator,
            ty: IntegerType {
                size: 8,
                signed: false,
            },
            to,
            left,
            right,
        });
        to
    }

    /// Puts the words of a row's key, from word `first` on, into a local. Gives the number of
    /// words.
    pub(super) fn key_to_local(
        &mut self,
        row: Place,
        first: u64,
        local: LocalId,
        span: Span,
    ) -> Lowered<u64> {
        let ty = self.local_type(local, span)?;
        match self.home(local, span)? {
            Home::Container(_) => Err(LowerError::malformed(span, "a container as a key")),
            Home::Register(register) => {
                let word = self.key_part_word(row, first);
                let value = self.word_as(word, ty);
                self.copy(register, value);
                Ok(1)
            }
            Home::Slot(slot, size) => {
                let to = fixed(Base::Slot(slot));
                self.emit(InstructionKind::Zero {
                    place: to,
                    length: size,
                });
                let mut parts = Vec::new();
                self.unit
                    .each_key_part(ty, span, &mut |part| parts.push(part))?;
                for (index, part) in parts.iter().enumerate() {
                    let word = self.key_part_word(row, first + index as u64);
                    let value = self.word_as(word, part.ty);
                    let place = self.part(to, part.offset);
                    self.store_to(
                        super::place::Located::Memory(place),
                        part.bits,
                        part.ty,
                        value,
                    );
                }
                Ok(parts.len() as u64)
            }
        }
    }

    fn key_part_word(&mut self, row: Place, index: u64) -> Register {
        let word = self.word();
        let place = self.part(row, 8 * index);
        self.emit(InstructionKind::Load {
            to: word,
            place,
            ty: MemoryType::W64,
        });
        word
    }
}
