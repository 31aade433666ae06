//! How large the words in registers can be, as far as the instructions of a block tell.
//!
//! A check that cannot fail by this is left out: that of an index which was masked, or of a place
//! whose index has just been checked. It is derived from the instructions alone, so nothing that the
//! lowering says is believed.

use std::collections::HashMap;

use ytrace_lang::ir::{IntegerOperator, IntegerType, MemoryType, Register};

use super::Translator;

/// The most that each register can hold as an unsigned word, where that is less than all words.
pub(super) type Ranges = HashMap<Register, u64>;

/// With more, nothing is known where the next block begins.
pub(super) const MOST_RANGES: usize = 64;

impl Translator<'_> {
    /// The most that a register can hold.
    pub(super) fn most(&self, register: Register) -> u64 {
        let known = self.constants.get(&register);
        let known = known.or_else(|| self.ranges.get(&register));
        known.copied().unwrap_or(u64::MAX)
    }

    /// Notes that a register, as it is now, holds no more than this.
    pub(super) fn limit(&mut self, register: Register, most: u64) {
        if most < self.most(register) {
            self.ranges.insert(register, most);
        }
    }

    /// The most that the result of an operator can be.
    pub(super) fn most_of_integer(
        &self,
        operator: IntegerOperator,
        ty: IntegerType,
        left: Register,
        right: Register,
    ) -> u64 {
        use IntegerOperator as O;
        let known = self.constants.get(&right).copied();
        let (left, right) = (self.most(left), self.most(right));
        let most = match operator {
            O::And => left.min(right),
            // No bit above the highest of both.
            O::Or | O::Xor => low_bits((left | right).leading_zeros()),
            O::Add => left.saturating_add(right),
            O::Multiply => left.saturating_mul(right),
            O::ShiftLeft => {
                match known.and_then(|bits| 1_u64.checked_shl(u32::try_from(bits).ok()?)) {
                    Some(factor) => left.saturating_mul(factor),
                    None => u64::MAX,
                }
            }
            // What might be negative takes its sign along.
            O::ShiftRight if ty.signed && left > i64::MAX as u64 => u64::MAX,
            O::ShiftRight => left >> known.filter(|&bits| bits < 64).unwrap_or(0),
            O::Subtract | O::Divide | O::Remainder => u64::MAX,
        };
        most_as(ty, most)
    }
}

/// The most that a word of at most `most` is after it has been truncated to a type and extended.
pub(super) fn most_as(ty: IntegerType, most: u64) -> u64 {
    let bits = u32::from(ty.size) * 8;
    let largest = low_bits(64_u32.saturating_sub(bits) + u32::from(ty.signed));
    if most <= largest {
        most
    } else if ty.signed {
        u64::MAX
    } else {
        largest
    }
}

/// The most that a scalar read from memory can be.
pub(super) fn most_of_load(ty: MemoryType) -> u64 {
    match ty {
        MemoryType::U8 => u64::from(u8::MAX),
        MemoryType::U16 => u64::from(u16::MAX),
        MemoryType::U32 => u64::from(u32::MAX),
        _ => u64::MAX,
    }
}

/// A word with so many leading zeros and then ones.
fn low_bits(zeros: u32) -> u64 {
    u64::MAX.checked_shr(zeros).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_type_can_hold() {
        let ty = |size, signed| IntegerType { size, signed };
        assert_eq!(most_as(ty(1, false), 255), 255);
        assert_eq!(most_as(ty(1, false), 256), 255);
        assert_eq!(most_as(ty(1, true), 127), 127);
        assert_eq!(most_as(ty(1, true), 128), u64::MAX);
        assert_eq!(most_as(ty(4, true), 1 << 31), u64::MAX);
        assert_eq!(most_as(ty(4, false), 1 << 40), u64::from(u32::MAX));
        assert_eq!(most_as(ty(8, true), 1 << 63), u64::MAX);
        assert_eq!(most_as(ty(8, false), u64::MAX), u64::MAX);
        assert_eq!(low_bits(64), 0);
        assert_eq!(low_bits(0), u64::MAX);
    }
}
