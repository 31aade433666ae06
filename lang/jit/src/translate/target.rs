//! The inline look-up of the target's pages; see [`crate::memory_access`] for the scheme.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, Value, types};
use ytrace_lang::ir::{Place, Register};

use super::Translator;
use crate::context::offset;
use crate::helpers::Helper;

/// The binary logarithm of the size of a cache entry.
const ENTRY_SHIFT: u32 = 4;
const _: () = assert!(size_of::<crate::memory_access::CacheEntry>() == 1 << ENTRY_SHIFT);

/// The most bytes that are copied from the target inline.
const INLINE_BYTES: u64 = 64;

/// The share of a page within which fields are looked for on the page of the field before: farther
/// apart, they lie on different pages too often.
const NEAR_SHARE: u64 = 8;

/// The entry that the last look-up selected: the fields of a record mostly lie on one page, so the
/// next one need not look it up again.
///
/// The entry may have been missed. Its page is then that of another address with the same index, or
/// none, and may be gone: but no address near the one that was looked up has that page, since the
/// pages beside it have other indexes. For the same reason a miss near by drops no page that is in
/// use here. Only a look-up of another address does, which replaces this entry, and a call.
#[derive(Clone, Copy)]
pub(super) struct NearPage {
    /// The register with the record's address, which has not changed since.
    pub(super) base: Register,
    /// What was added to it.
    offset: i64,
    tag: Value,
    addend: Value,
}

impl Translator<'_> {
    /// A pointer to the copy of a scalar of `size` bytes at a place in the target.
    pub(super) fn target_place(&mut self, base: Register, place: &Place, size: u64) -> Value {
        let address = self.target_address(place);
        if place.index.is_some() {
            return self.target_pointer(address, size, None);
        }
        let least = (self.plan.geometry.granule / NEAR_SHARE).max(1);
        let near = self
            .near
            .filter(|near| near.base == base && near.offset.abs_diff(place.offset) < least);
        match near {
            Some(near) => self.look_up(address, size, near.tag, near.addend),
            None => self.target_pointer(address, size, Some((base, place.offset))),
        }
    }

    /// The tag and the addend of the entry that an address selects.
    fn cache_entry(&mut self, address: Value) -> (Value, Value) {
        let geometry = self.plan.geometry;
        let shift = geometry.granule.trailing_zeros() - ENTRY_SHIFT;
        let mask = (geometry.entries - 1) << ENTRY_SHIFT;
        let offset = self.builder.ins().ushr_imm_u(address, i64::from(shift));
        let offset = self.builder.ins().band_imm_s(offset, mask as i64);
        let cache = self.fixed_field(offset::CACHE);
        let entry = self.builder.ins().iadd(cache, offset);
        let flags = MemFlagsData::trusted();
        let tag = self.builder.ins().load(types::I64, flags, entry, 0);
        let addend = self.builder.ins().load(types::I64, flags, entry, 8);
        (tag, addend)
    }

    /// A pointer to the copy of a scalar of `size` bytes, a power of two, at an address that may be
    /// a register and an offset.
    fn target_pointer(
        &mut self,
        address: Value,
        size: u64,
        place: Option<(Register, i64)>,
    ) -> Value {
        let (tag, addend) = self.cache_entry(address);
        // With one entry, all pages have the same index.
        self.near = place
            .filter(|_| self.plan.geometry.entries > 1)
            .map(|(base, offset)| NearPage {
                base,
                offset,
                tag,
                addend,
            });
        self.look_up(address, size, tag, addend)
    }

    /// A pointer to the copy of a scalar, by an entry if that is the right one, else by the helper.
    fn look_up(&mut self, address: Value, size: u64, tag: Value, addend: Value) -> Value {
        let mask = !(self.plan.geometry.granule - 1) | (size - 1);
        let wanted = self.builder.ins().band_imm_s(address, mask as i64);
        let hit = self.builder.ins().icmp(IntCC::Equal, tag, wanted);
        let pointer = self.builder.ins().iadd(address, addend);
        let (miss, next) = (self.new_block(true), self.new_block(false));
        self.builder.append_block_param(next, types::I64);
        self.builder
            .ins()
            .brif(hit, next, &[BlockArg::Value(pointer)], miss, &[]);
        self.go_on(miss);
        let size = self.word(size as i64);
        let call = self.help(Helper::LoadMiss, &[address, size]);
        let pointer = self.first(call);
        let (fault, span) = self.fault_target();
        self.builder
            .ins()
            .brif(pointer, next, &[BlockArg::Value(pointer)], fault, &[span]);
        self.go_on(next);
        self.builder.block_params(next)[0]
    }

    /// Copies bytes of the target to a pointer that is known to be the program's.
    pub(super) fn copy_from_target(&mut self, destination: Value, address: Value, length: u64) {
        let granule = self.plan.geometry.granule;
        let next = self.new_block(false);
        if length <= INLINE_BYTES && length <= granule {
            let (tag, addend) = self.cache_entry(address);
            let wanted = self
                .builder
                .ins()
                .band_imm_s(address, !(granule - 1) as i64);
            let within = self.builder.ins().band_imm_s(address, (granule - 1) as i64);
            let same = self.builder.ins().icmp(IntCC::Equal, tag, wanted);
            let last = self.word((granule - length) as i64);
            let whole = self
                .builder
                .ins()
                .icmp(IntCC::UnsignedLessThanOrEqual, within, last);
            let hit = self.builder.ins().band(same, whole);
            let (inline, miss) = (self.new_block(false), self.new_block(true));
            self.builder.ins().brif(hit, inline, &[], miss, &[]);
            self.go_on(inline);
            let source = self.builder.ins().iadd(address, addend);
            self.copy_inline((destination, 0), (source, 0), length);
            self.builder.ins().jump(next, &[]);
            self.go_on(miss);
        }
        let length = self.word(length as i64);
        let call = self.help(Helper::CopyTarget, &[destination, address, length]);
        let status = self.first(call);
        self.check_status(status);
        self.builder.ins().jump(next, &[]);
        self.go_on(next);
    }
}
