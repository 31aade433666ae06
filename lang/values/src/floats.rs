//! Floats whose bits do not depend on the machine.

/// The bits of a double, with one NaN for all: which bits a machine gives to a NaN depends on the order of its operands.
pub fn canonical64(value: f64) -> u64 {
    // Compilers take all NaNs for the same, and would drop a choice between two floats.
    const INFINITY: u64 = f64::INFINITY.to_bits();
    const NAN: u64 = f64::NAN.to_bits();
    let bits = value.to_bits();
    if bits & !(1 << 63) > INFINITY {
        NAN
    } else {
        bits
    }
}

/// The same for a float.
pub fn canonical32(value: f32) -> u32 {
    const INFINITY: u32 = f32::INFINITY.to_bits();
    const NAN: u32 = f32::NAN.to_bits();
    let bits = value.to_bits();
    if bits & !(1 << 31) > INFINITY {
        NAN
    } else {
        bits
    }
}
