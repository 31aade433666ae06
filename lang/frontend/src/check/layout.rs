//! How C lays out a record: the System V ABI for x86-64, bit-fields included.

/// One member as far as its layout goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Size in bytes; of a bit-field, of its declared type.
    pub size: u64,
    /// Alignment in bytes, not zero.
    pub align: u64,
    /// The width of a bit-field.
    pub bits: Option<u32>,
    /// Whether it has a name; nameless bit-fields do not align the record.
    pub named: bool,
}

/// Offset in bytes, and for a bit-field its lowest bit from there and its width.
pub(super) type Position = (u64, Option<(u32, u32)>);

/// A record's layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Size in bytes.
    pub size: u64,
    /// Alignment in bytes.
    pub align: u64,
    /// A position for each field.
    pub positions: Vec<Position>,
}

/// Lays out a struct or union; if it is packed, members lie at the next byte and bit-fields at the
/// next bit. `None` if it would be larger than 2^40 bytes.
pub(super) fn lay_out(union: bool, packed: bool, fields: &[Field]) -> Option<Layout> {
    const LARGEST: u64 = 1 << 40;
    let mut positions = Vec::with_capacity(fields.len());
    let mut align = 1;
    let mut size_bits = 0_u64;
    let mut next_bit = 0_u64;
    for field in fields {
        if union {
            next_bit = 0;
        }
        let unit = field.size.checked_mul(8)?;
        match field.bits {
            None => {
                let own = if packed { 1 } else { field.align };
                let start = next_bit.div_ceil(8).checked_next_multiple_of(own)?;
                positions.push((start, None));
                next_bit = start.checked_mul(8)?.checked_add(unit)?;
                align = align.max(own);
            }
            Some(0) => {
                positions.push((next_bit / 8, Some((0, 0))));
                next_bit = next_bit.checked_next_multiple_of(unit.max(1))?;
            }
            Some(width) if packed => {
                let offset = next_bit / 8;
                let bit = u32::try_from(next_bit % 8).ok()?;
                positions.push((offset, Some((bit, width))));
                next_bit = next_bit.checked_add(u64::from(width))?;
            }
            Some(width) => {
                let unit = unit.max(1);
                let last = next_bit.checked_add(u64::from(width))?.checked_sub(1)?;
                if next_bit / unit != last / unit {
                    next_bit = next_bit.checked_next_multiple_of(unit)?;
                }
                let offset = next_bit / unit * field.size;
                let bit = u32::try_from(next_bit - offset * 8).ok()?;
                positions.push((offset, Some((bit, width))));
                next_bit += u64::from(width);
                if field.named {
                    align = align.max(field.align);
                }
            }
        }
        size_bits = size_bits.max(next_bit);
        if size_bits / 8 > LARGEST {
            return None;
        }
    }
    let size = size_bits.div_ceil(8).checked_next_multiple_of(align)?;
    Some(Layout {
        size,
        align,
        positions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(size: u64) -> Field {
        Field {
            size,
            align: size,
            bits: None,
            named: true,
        }
    }

    fn bits(size: u64, width: u32) -> Field {
        Field {
            bits: Some(width),
            ..plain(size)
        }
    }

    #[test]
    fn pads_members_and_the_end() {
        let layout = lay_out(false, false, &[plain(1), plain(8), plain(2)]).unwrap();
        assert_eq!((layout.size, layout.align), (24, 8));
        assert_eq!(layout.positions, [(0, None), (8, None), (16, None)]);
    }

    #[test]
    fn packs_bit_fields_into_units_of_their_type() {
        // struct { unsigned a:3; unsigned b:30; unsigned char c; unsigned d:4; }
        let layout = lay_out(
            false,
            false,
            &[bits(4, 3), bits(4, 30), plain(1), bits(4, 4)],
        )
        .unwrap();
        assert_eq!(
            layout.positions,
            [
                (0, Some((0, 3))),
                (4, Some((0, 30))),
                (8, None),
                (8, Some((8, 4))),
            ]
        );
        assert_eq!(layout.size, 12);
    }

    #[test]
    fn a_zero_width_closes_the_unit() {
        let layout = lay_out(false, false, &[bits(4, 3), bits(4, 0), bits(4, 5)]).unwrap();
        assert_eq!(layout.positions[2], (4, Some((0, 5))));
        assert_eq!(layout.size, 8);
    }

    #[test]
    fn a_union_overlaps() {
        let layout = lay_out(true, false, &[plain(4), plain(8), bits(4, 9)]).unwrap();
        assert_eq!((layout.size, layout.align), (8, 8));
        assert!(layout.positions.iter().all(|(offset, _)| *offset == 0));
    }
}
