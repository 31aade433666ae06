//! The inline look-up of the target's pages; see [`crate::memory_access`] for the scheme.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, Value, types};

use super::Translator;
use crate::context::offset;
use crate::helpers::Helper;

/// The binary logarithm of the size of a cache entry.
const ENTRY_SHIFT: u32 = 4;
const _: () = assert!(size_of::<crate::memory_access::CacheEntry>() == 1 << ENTRY_SHIFT);

/// The most bytes that are copied from the target inline.
const INLINE_BYTES: u64 = 64;

impl Translator<'_> {
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

    /// A pointer to the copy of a scalar of `size` bytes, a power of two.
    pub(super) fn target_pointer(&mut self, address: Value, size: u64) -> Value {
        let (tag, addend) = self.cache_entry(address);
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
