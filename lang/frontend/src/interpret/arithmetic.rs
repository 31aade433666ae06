//! Arithmetic on registers, free of undefined behaviour.

use crate::ir::{Comparison, FloatOperator, IntegerOperator, IntegerType};
use ytrace_values::floats::{canonical32, canonical64};
use ytrace_values::{Fault, FaultKind};

/// Truncates a word to a type and extends it again.
pub(crate) fn extend(word: u64, ty: IntegerType) -> u64 {
    match (ty.size, ty.signed) {
        (1, true) => word as i8 as u64,
        (1, false) => u64::from(word as u8),
        (2, true) => word as i16 as u64,
        (2, false) => u64::from(word as u16),
        (4, true) => word as i32 as u64,
        (4, false) => u64::from(word as u32),
        _ => word,
    }
}

/// `left op right`, extended to the type.
pub(crate) fn integer(
    operator: IntegerOperator,
    ty: IntegerType,
    left: u64,
    right: u64,
) -> Result<u64, Fault> {
    let by_zero = || Fault::new(FaultKind::DivisionByZero);
    let bits = u64::from(ty.size) * 8;
    let shift = || {
        if right < bits {
            Ok(right as u32)
        } else {
            Err(Fault::new(FaultKind::ShiftRange))
        }
    };
    let word = match operator {
        IntegerOperator::Add => left.wrapping_add(right),
        IntegerOperator::Subtract => left.wrapping_sub(right),
        IntegerOperator::Multiply => left.wrapping_mul(right),
        IntegerOperator::Divide if right == 0 => return Err(by_zero()),
        IntegerOperator::Divide if ty.signed => (left as i64).wrapping_div(right as i64) as u64,
        IntegerOperator::Divide => left / right,
        IntegerOperator::Remainder if right == 0 => return Err(by_zero()),
        IntegerOperator::Remainder if ty.signed => (left as i64).wrapping_rem(right as i64) as u64,
        IntegerOperator::Remainder => left % right,
        IntegerOperator::And => left & right,
        IntegerOperator::Or => left | right,
        IntegerOperator::Xor => left ^ right,
        IntegerOperator::ShiftLeft => left.wrapping_shl(shift()?),
        IntegerOperator::ShiftRight if ty.signed => (left as i64).wrapping_shr(shift()?) as u64,
        IntegerOperator::ShiftRight => left.wrapping_shr(shift()?),
    };
    Ok(extend(word, ty))
}

/// `left ? right` on words.
pub(crate) fn compare(comparison: Comparison, signed: bool, left: u64, right: u64) -> u64 {
    let order = if signed {
        (left as i64).cmp(&(right as i64))
    } else {
        left.cmp(&right)
    };
    u64::from(match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterEqual => order.is_ge(),
    })
}

/// `left ? right` on floats.
pub(super) fn compare_floats<T: PartialOrd>(comparison: Comparison, left: T, right: T) -> u64 {
    u64::from(match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left < right,
        Comparison::LessEqual => left <= right,
        Comparison::Greater => left > right,
        Comparison::GreaterEqual => left >= right,
    })
}

/// The bits of `left op right` on doubles.
pub(super) fn float64(operator: FloatOperator, left: f64, right: f64) -> u64 {
    canonical64(match operator {
        FloatOperator::Add => left + right,
        FloatOperator::Subtract => left - right,
        FloatOperator::Multiply => left * right,
        FloatOperator::Divide => left / right,
    })
}

/// The bits of `left op right` on floats.
pub(super) fn float32(operator: FloatOperator, left: f32, right: f32) -> u64 {
    u64::from(canonical32(match operator {
        FloatOperator::Add => left + right,
        FloatOperator::Subtract => left - right,
        FloatOperator::Multiply => left * right,
        FloatOperator::Divide => left / right,
    }))
}

/// A float to an integer, towards zero. (A 32-bit float widened to 64 bits is the same number.)
pub(super) fn float_to_integer(value: f64, ty: IntegerType) -> Result<u64, Fault> {
    let bits = i32::from(ty.size) * 8;
    // Both bounds are powers of two (or zero), so they are exact.
    let (least, beyond) = if ty.signed {
        (-(2f64.powi(bits - 1)), 2f64.powi(bits - 1))
    } else {
        (0.0, 2f64.powi(bits))
    };
    let whole = value.trunc();
    // NaN fails the comparison.
    if !(whole >= least && whole < beyond) {
        return Err(Fault::new(FaultKind::FloatRange));
    }
    Ok(if ty.signed {
        whole as i64 as u64
    } else {
        whole as u64
    })
}
