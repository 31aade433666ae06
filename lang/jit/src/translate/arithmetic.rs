//! Integers and floats.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::Ieee64;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use ytrace_lang::ir::{Class, Comparison, FloatOperator, IntegerOperator, IntegerType, Register};

use super::{Translator, class_type};
use crate::helpers::Raised;

impl Translator<'_> {
    /// Truncates a word to a type and extends it again.
    pub(super) fn extend(&mut self, ty: IntegerType, value: Value) -> Value {
        let narrow = match ty.size {
            1 => types::I8,
            2 => types::I16,
            4 => types::I32,
            _ => return value,
        };
        let value = self.builder.ins().ireduce(narrow, value);
        if ty.signed {
            self.builder.ins().sextend(types::I64, value)
        } else {
            self.builder.ins().uextend(types::I64, value)
        }
    }

    pub(super) fn integer(
        &mut self,
        operator: IntegerOperator,
        ty: IntegerType,
        to: Register,
        left: Register,
        right: Register,
    ) {
        use IntegerOperator as O;
        let known = self.constants.get(&right).copied();
        let most = self.most_of_integer(operator, ty, left, right);
        let (left, right) = (self.value(left), self.value(right));
        let value = match operator {
            O::Add => self.builder.ins().iadd(left, right),
            O::Subtract => self.builder.ins().isub(left, right),
            O::Multiply => self.builder.ins().imul(left, right),
            O::And => self.builder.ins().band(left, right),
            O::Or => self.builder.ins().bor(left, right),
            O::Xor => self.builder.ins().bxor(left, right),
            O::Divide | O::Remainder => {
                self.division(operator == O::Divide, ty, left, right, known)
            }
            O::ShiftLeft | O::ShiftRight => {
                let bits = u64::from(ty.size) * 8;
                if known.is_none_or(|known| known >= bits) {
                    let limit = self.word(bits as i64);
                    let outside =
                        self.builder
                            .ins()
                            .icmp(IntCC::UnsignedGreaterThanOrEqual, right, limit);
                    self.fault_if(outside, Raised::ShiftRange, None);
                }
                match (operator, ty.signed) {
                    (O::ShiftLeft, _) => self.builder.ins().ishl(left, right),
                    (_, true) => self.builder.ins().sshr(left, right),
                    (_, false) => self.builder.ins().ushr(left, right),
                }
            }
        };
        let value = self.extend(ty, value);
        self.define(to, value);
        self.limit(to, most);
    }

    /// A quotient or a remainder. The processor would trap on a zero and on the least integer by
    /// -1, so neither reaches it.
    fn division(
        &mut self,
        quotient: bool,
        ty: IntegerType,
        left: Value,
        right: Value,
        known: Option<u64>,
    ) -> Value {
        // Division of 32 bits is several times faster than that of 64.
        let narrow = ty.size <= 4;
        let known = known.map(|known| {
            if narrow {
                known as u32 as i32 as i64
            } else {
                known as i64
            }
        });
        let (left, right) = if narrow {
            let left = self.builder.ins().ireduce(types::I32, left);
            (left, self.builder.ins().ireduce(types::I32, right))
        } else {
            (left, right)
        };
        if known.is_none_or(|known| known == 0) {
            let zero = self.builder.ins().icmp_imm_s(IntCC::Equal, right, 0);
            self.fault_if(zero, Raised::DivisionByZero, None);
        }
        let value = match (ty.signed, known) {
            // After a fault for a known zero the code is dead, but it is still generated.
            (_, Some(0)) => left,
            (false, _) if quotient => self.builder.ins().udiv(left, right),
            (false, _) => self.builder.ins().urem(left, right),
            (true, Some(known)) if known != -1 => {
                if quotient {
                    self.builder.ins().sdiv(left, right)
                } else {
                    self.builder.ins().srem(left, right)
                }
            }
            (true, _) => {
                let minus = self.builder.ins().icmp_imm_s(IntCC::Equal, right, -1);
                let kind = self.builder.func.dfg.value_type(left);
                let one = self.builder.ins().iconst(kind, 1);
                let divisor = self.builder.ins().select(minus, one, right);
                if quotient {
                    let value = self.builder.ins().sdiv(left, divisor);
                    let negated = self.builder.ins().ineg(left);
                    self.builder.ins().select(minus, negated, value)
                } else {
                    // The remainder by 1 is that by -1.
                    self.builder.ins().srem(left, divisor)
                }
            }
        };
        if narrow {
            self.builder.ins().uextend(types::I64, value)
        } else {
            value
        }
    }

    pub(super) fn compare_integers(
        &mut self,
        comparison: Comparison,
        signed: bool,
        to: Register,
        left: Register,
        right: Register,
    ) {
        let condition = match (comparison, signed) {
            (Comparison::Equal, _) => IntCC::Equal,
            (Comparison::NotEqual, _) => IntCC::NotEqual,
            (Comparison::Less, true) => IntCC::SignedLessThan,
            (Comparison::Less, false) => IntCC::UnsignedLessThan,
            (Comparison::LessEqual, true) => IntCC::SignedLessThanOrEqual,
            (Comparison::LessEqual, false) => IntCC::UnsignedLessThanOrEqual,
            (Comparison::Greater, true) => IntCC::SignedGreaterThan,
            (Comparison::Greater, false) => IntCC::UnsignedGreaterThan,
            (Comparison::GreaterEqual, true) => IntCC::SignedGreaterThanOrEqual,
            (Comparison::GreaterEqual, false) => IntCC::UnsignedGreaterThanOrEqual,
        };
        let (left, right) = (self.value(left), self.value(right));
        let bit = self.builder.ins().icmp(condition, left, right);
        let word = self.builder.ins().uextend(types::I64, bit);
        self.define(to, word);
        self.limit(to, 1);
    }

    pub(super) fn float(
        &mut self,
        operator: FloatOperator,
        to: Register,
        left: Register,
        right: Register,
    ) {
        let (left, right) = (self.value(left), self.value(right));
        let value = match operator {
            FloatOperator::Add => self.builder.ins().fadd(left, right),
            FloatOperator::Subtract => self.builder.ins().fsub(left, right),
            FloatOperator::Multiply => self.builder.ins().fmul(left, right),
            FloatOperator::Divide => self.builder.ins().fdiv(left, right),
        };
        self.define(to, value);
    }

    pub(super) fn compare_floats(
        &mut self,
        comparison: Comparison,
        to: Register,
        left: Register,
        right: Register,
    ) {
        let condition = match comparison {
            Comparison::Equal => FloatCC::Equal,
            Comparison::NotEqual => FloatCC::NotEqual,
            Comparison::Less => FloatCC::LessThan,
            Comparison::LessEqual => FloatCC::LessThanOrEqual,
            Comparison::Greater => FloatCC::GreaterThan,
            Comparison::GreaterEqual => FloatCC::GreaterThanOrEqual,
        };
        let (left, right) = (self.value(left), self.value(right));
        let bit = self.builder.ins().fcmp(condition, left, right);
        let word = self.builder.ins().uextend(types::I64, bit);
        self.define(to, word);
    }

    pub(super) fn integer_to_float(&mut self, signed: bool, to: Register, from: Register) {
        let kind = class_type(self.class(to));
        let word = self.value(from);
        let value = if signed {
            self.builder.ins().fcvt_from_sint(kind, word)
        } else {
            self.builder.ins().fcvt_from_uint(kind, word)
        };
        self.define(to, value);
    }

    /// Converts towards zero, after a check against the range: the open interval of the floats
    /// whose integer part the type can hold. Its ends are exact as 64-bit floats, but for the
    /// lower one of the signed 64-bit type, which is therefore part of the interval.
    pub(super) fn float_to_integer(&mut self, ty: IntegerType, to: Register, from: Register) {
        let value = self.value_as_float64(from);
        let bits = i32::from(ty.size) * 8;
        let (low, low_included, high) = match (ty.signed, ty.size) {
            (true, 8) => (-(2_f64.powi(63)), true, 2_f64.powi(63)),
            (true, _) => (-(2_f64.powi(bits - 1)) - 1.0, false, 2_f64.powi(bits - 1)),
            (false, _) => (-1.0, false, 2_f64.powi(bits)),
        };
        let low = self.builder.ins().f64const(Ieee64::with_float(low));
        let high = self.builder.ins().f64const(Ieee64::with_float(high));
        // The unordered comparisons also hold for NaN.
        let too_low = self.builder.ins().fcmp(
            if low_included {
                FloatCC::UnorderedOrLessThan
            } else {
                FloatCC::UnorderedOrLessThanOrEqual
            },
            value,
            low,
        );
        let too_high = self
            .builder
            .ins()
            .fcmp(FloatCC::UnorderedOrGreaterThanOrEqual, value, high);
        let outside = self.builder.ins().bor(too_low, too_high);
        self.fault_if(outside, Raised::FloatRange, None);
        let word = if ty.signed || ty.size < 8 {
            self.builder.ins().fcvt_to_sint_sat(types::I64, value)
        } else {
            self.builder.ins().fcvt_to_uint_sat(types::I64, value)
        };
        let word = self.extend(ty, word);
        self.define(to, word);
    }

    /// A float register widened to 64 bits.
    fn value_as_float64(&mut self, register: Register) -> Value {
        let value = self.value(register);
        match self.class(register) {
            Class::Float32 => self.builder.ins().fpromote(types::F64, value),
            _ => value,
        }
    }

    pub(super) fn float_to_float(&mut self, to: Register, from: Register) {
        let value = self.value(from);
        let value = match (self.class(from), self.class(to)) {
            (Class::Float32, Class::Float64) => self.builder.ins().fpromote(types::F64, value),
            (Class::Float64, Class::Float32) => self.builder.ins().fdemote(types::F32, value),
            _ => value,
        };
        self.define(to, value);
    }

    pub(super) fn float_to_bits(&mut self, to: Register, from: Register) {
        let value = self.value_as_float64(from);
        let word = self.bits_of(value);
        self.define(to, word);
    }

    pub(super) fn bits_to_float(&mut self, to: Register, from: Register) {
        let word = self.value(from);
        let value = self.value_of_bits(Class::Float64, word);
        let value = match self.class(to) {
            Class::Float32 => self.builder.ins().fdemote(types::F32, value),
            _ => value,
        };
        self.define(to, value);
    }
}
