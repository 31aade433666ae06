//! Bit-fields.
//!
//! A field is loaded and stored by the fewest whole bytes that hold it, in pieces of 1, 2, 4 or
//! 8 bytes, so that nothing outside of its record is touched.

use super::builder::Builder;
use crate::ir::{InstructionKind, IntegerOperator, IntegerType, MemoryType, Place, Register};
use crate::types::TypeId;

const WORD: IntegerType = IntegerType {
    size: 8,
    signed: false,
};

/// One piece: its first byte counted from that of the field, and how it lies in memory.
type Piece = (u64, MemoryType);

/// The first byte of a field, its lowest bit in that byte, and the pieces that hold it.
fn pieces((low, width): (u32, u32)) -> (u64, u32, Vec<Piece>) {
    let first = u64::from(low / 8);
    let shift = low % 8;
    let mut left = u64::from((shift + width.clamp(1, 64)).div_ceil(8));
    let mut at = 0;
    let mut pieces = Vec::new();
    while left > 0 {
        let (size, ty) = match left {
            8.. => (8, MemoryType::W64),
            4.. => (4, MemoryType::U32),
            2.. => (2, MemoryType::U16),
            _ => (1, MemoryType::U8),
        };
        pieces.push((at, ty));
        at += size;
        left -= size;
    }
    (first, shift, pieces)
}

/// The lowest `width` bits set.
fn mask(width: u32) -> u64 {
    match width {
        0 => 0,
        1..=63 => (1 << width) - 1,
        _ => u64::MAX,
    }
}

impl Builder<'_, '_> {
    fn word_operation(
        &mut self,
        operator: IntegerOperator,
        left: Register,
        right: u64,
    ) -> Register {
        let right = self.constant(right);
        let to = self.word();
        self.emit(InstructionKind::Integer {
            operator,
            ty: WORD,
            to,
            left,
            right,
        });
        to
    }

    /// Shifts left by `by` bits, or right if it is negative.
    fn shifted_word(&mut self, register: Register, by: i64) -> Register {
        match by {
            0 => register,
            1.. => self.word_operation(IntegerOperator::ShiftLeft, register, by as u64),
            _ => self.word_operation(IntegerOperator::ShiftRight, register, by.unsigned_abs()),
        }
    }

    /// Loads the field at a place.
    pub(super) fn load_bits(&mut self, place: Place, bits: (u32, u32), ty: TypeId, to: Register) {
        let (first, shift, pieces) = pieces(bits);
        let mut sum = None;
        for (at, memory) in pieces {
            let piece = self.word();
            let place = self.part(place, first + at);
            self.emit(InstructionKind::Load {
                to: piece,
                place,
                ty: memory,
            });
            let moved = self.shifted_word(piece, 8 * at as i64 - i64::from(shift));
            sum = Some(match sum {
                None => moved,
                Some(sum) => {
                    let to = self.word();
                    self.emit(InstructionKind::Integer {
                        operator: IntegerOperator::Or,
                        ty: WORD,
                        to,
                        left: sum,
                        right: moved,
                    });
                    to
                }
            });
        }
        if let Some(sum) = sum {
            let value = self.extend_bits(sum, bits.1, ty);
            self.copy(to, value);
        }
    }

    /// Extends the lowest `width` bits of a word as the type of the field says.
    pub(super) fn extend_bits(&mut self, word: Register, width: u32, ty: TypeId) -> Register {
        if width >= 64 {
            return word;
        }
        if !self.integer(ty).signed {
            return self.word_operation(IntegerOperator::And, word, mask(width));
        }
        let by = 64 - u64::from(width.max(1));
        let high = self.word_operation(IntegerOperator::ShiftLeft, word, by);
        let right = self.constant(by);
        let to = self.word();
        self.emit(InstructionKind::Integer {
            operator: IntegerOperator::ShiftRight,
            ty: IntegerType {
                size: 8,
                signed: true,
            },
            to,
            left: high,
            right,
        });
        to
    }

    /// Stores the lowest bits of a word in the field at a place.
    pub(super) fn store_bits(&mut self, place: Place, bits: (u32, u32), from: Register) {
        let (first, shift, pieces) = pieces(bits);
        let width = bits.1.clamp(1, 64);
        let value = self.word_operation(IntegerOperator::And, from, mask(width));
        for (at, memory) in pieces {
            let place = self.part(place, first + at);
            let by = i64::from(shift) - 8 * at as i64;
            let size_mask = mask(8 * memory.size() as u32);
            let field = match by {
                0.. => mask(width) << by,
                _ => mask(width) >> by.unsigned_abs(),
            } & size_mask;
            let moved = self.shifted_word(value, by);
            let new = if field == size_mask {
                moved
            } else {
                let old = self.word();
                self.emit(InstructionKind::Load {
                    to: old,
                    place,
                    ty: memory,
                });
                let kept = self.word_operation(IntegerOperator::And, old, !field & size_mask);
                let part = self.word_operation(IntegerOperator::And, moved, field);
                let to = self.word();
                self.emit(InstructionKind::Integer {
                    operator: IntegerOperator::Or,
                    ty: WORD,
                    to,
                    left: kept,
                    right: part,
                });
                to
            };
            self.emit(InstructionKind::Store {
                place,
                from: new,
                ty: memory,
            });
        }
    }
}
