//! The instructions that read and write tables.

use super::super::assemble::{Alu, Jump, R};
use super::super::check::index;
use super::super::error::PlanError;
use super::super::program::*;
use super::super::table::{TableId, TableKind, places};
use super::{Label, PartCompiler, TableMaps, counter, helper};

/// `BPF_NOEXIST`.
const ONLY_NEW: i32 = 1;
/// A least or greatest value that another hit on the same processor changes at the same time is tried again so often.
const TRIES: usize = 8;

impl PartCompiler<'_> {
    pub(super) fn update_table(
        &mut self,
        table: TableId,
        keys: &[ValueId],
        value: Option<ValueId>,
        when: Option<ValueId>,
    ) -> Result<(), PlanError> {
        let maps = self.table(table)?;
        let (done, full) = (self.code.label(), self.code.label());
        if let Some(value) = value {
            self.jump_if_failed(value, done);
        }
        let (key, bytes) = self.key(maps, keys, when, done)?;
        self.find_or_make(maps.rows, key, maps.spec.kind, full)?;
        match (maps.spec.kind, value) {
            (TableKind::Sum { .. }, Some(value)) => {
                self.fetch(value, R::R1);
                self.code.atomic_add(R::R0, places::COUNT, R::R1);
            }
            (TableKind::Aggregate { .. }, Some(value)) => self.aggregate(maps, value),
            _ => {
                self.code.mov(R::R1, 1);
                self.code.atomic_add(R::R0, places::COUNT, R::R1);
            }
        }
        if let (Some(powers), Some(value)) = (maps.powers, value) {
            self.count_power(maps, powers, value, key, bytes, full)?;
        }
        self.frame.release(key, bytes);
        self.if_full(full);
        self.code.place(done);
        Ok(())
    }

    pub(super) fn put(
        &mut self,
        table: TableId,
        keys: &[ValueId],
        value: ValueId,
        when: Option<ValueId>,
    ) -> Result<(), PlanError> {
        let maps = self.table(table)?;
        let (done, full) = (self.code.label(), self.code.label());
        self.jump_if_failed(value, done);
        let (key, bytes) = self.key(maps, keys, when, done)?;
        // Where only the keys matter, the first word of the key stands for the value too: the stack is small.
        let place = match maps.spec.kind {
            TableKind::Keys => None,
            _ => Some(self.frame.take(8)?),
        };
        if let Some(place) = place {
            self.fetch(value, R::R1);
            self.code.store(Width::Eight, R::Frame, place, R::R1);
        }
        self.code.map(R::R1, maps.rows);
        self.frame_address(R::R2, key);
        self.frame_address(R::R3, place.unwrap_or(key));
        self.code.mov(R::R4, 0);
        self.code.call(helper::MAP_UPDATE);
        self.code.jump_if(Jump::NotEqual, R::R0, 0, full);
        if let Some(place) = place {
            self.frame.release(place, 8);
        }
        self.frame.release(key, bytes);
        match maps.lacking {
            Some(lacking) => {
                self.code.jump(done);
                self.code.place(full);
                self.code.map_value(R::R1, lacking, 0);
                self.code.store(Width::Eight, R::R1, 0, 1);
            }
            None => self.if_full(full),
        }
        self.code.place(done);
        Ok(())
    }

    pub(super) fn remove(
        &mut self,
        table: TableId,
        keys: &[ValueId],
        when: Option<ValueId>,
    ) -> Result<(), PlanError> {
        let maps = self.table(table)?;
        let done = self.code.label();
        let (key, bytes) = self.key(maps, keys, when, done)?;
        self.code.map(R::R1, maps.rows);
        self.frame_address(R::R2, key);
        self.code.call(helper::MAP_DELETE);
        self.frame.release(key, bytes);
        self.code.place(done);
        Ok(())
    }

    pub(super) fn lookup(
        &mut self,
        number: usize,
        table: TableId,
        keys: &[ValueId],
    ) -> Result<(), PlanError> {
        let maps = self.table(table)?;
        let place = self.outcome(number)?;
        let (missing, done) = (self.code.label(), self.code.label());
        self.code.store(Width::Eight, R::Frame, place, 0);
        // A key that is not known may be among those of a filter.
        let unknown = match maps.lacking {
            Some(_) => done,
            None => missing,
        };
        let (key, bytes) = self.key(maps, keys, None, unknown)?;
        self.code.map(R::R1, maps.rows);
        self.frame_address(R::R2, key);
        self.code.call(helper::MAP_LOOKUP);
        self.code.jump_if(Jump::Equal, R::R0, 0, missing);
        self.code.load(Width::Eight, R::R1, R::R0, 0);
        self.code.store(Width::Eight, R::Frame, place, R::R1);
        self.code.jump(done);
        self.code.place(missing);
        if let Some(lacking) = maps.lacking {
            self.code.map_value(R::R1, lacking, 0);
            self.code.load(Width::Eight, R::R1, R::R1, 0);
            self.code.jump_if(Jump::NotEqual, R::R1, 0, done);
        }
        let bit = self.schedule.not_found.get(number).copied().unwrap_or(0);
        if bit != 0 {
            self.set_failed(bit);
        }
        self.code.place(done);
        self.frame.release(key, bytes);
        Ok(())
    }

    fn table(&self, table: TableId) -> Result<TableMaps, PlanError> {
        let maps = self.environment.tables.get(index(table.0)).copied();
        maps.ok_or(PlanError::Unknown {
            what: "table",
            number: table.0,
        })
    }

    /// Makes a key on the stack; jumps if it fails or is not wanted. There is room for a power behind it.
    fn key(
        &mut self,
        maps: TableMaps,
        keys: &[ValueId],
        when: Option<ValueId>,
        away: Label,
    ) -> Result<(i16, u32), PlanError> {
        if let Some(when) = when {
            self.jump_if_failed(when, away);
            self.fetch(when, R::R1);
            self.code.jump_if(Jump::Equal, R::R1, 0, away);
        }
        let words = u32::try_from(keys.len()).unwrap_or(0).max(1);
        let bytes = 8 * (words + u32::from(maps.powers.is_some()));
        let place = self.frame.take(bytes)?;
        if keys.is_empty() {
            // The number of the only element of an array.
            self.code.store(Width::Eight, R::Frame, place, 0);
        }
        for (offset, key) in (place..).step_by(8).zip(keys) {
            self.jump_if_failed(*key, away);
            self.fetch(*key, R::R1);
            self.code.store(Width::Eight, R::Frame, offset, R::R1);
        }
        Ok((place, bytes))
    }

    /// Leaves the address of the row in r0.
    fn find_or_make(
        &mut self,
        map: i32,
        key: i16,
        kind: TableKind,
        full: Label,
    ) -> Result<(), PlanError> {
        let found = self.code.label();
        self.look_up(map, key);
        self.code.jump_if(Jump::NotEqual, R::R0, 0, found);
        let bytes = places::bytes(kind);
        let zeros = self.frame.take(bytes)?;
        for offset in (zeros..0).step_by(8).take(bytes as usize / 8) {
            self.code.store(Width::Eight, R::Frame, offset, 0);
        }
        self.code.map(R::R1, map);
        self.frame_address(R::R2, key);
        self.frame_address(R::R3, zeros);
        self.code.mov(R::R4, ONLY_NEW);
        self.code.call(helper::MAP_UPDATE);
        self.frame.release(zeros, bytes);
        // Another processor may have made it in the meantime, which is as good.
        self.look_up(map, key);
        self.code.jump_if(Jump::Equal, R::R0, 0, full);
        self.code.place(found);
        Ok(())
    }

    fn look_up(&mut self, map: i32, key: i16) {
        self.code.map(R::R1, map);
        self.frame_address(R::R2, key);
        self.code.call(helper::MAP_LOOKUP);
    }

    /// Counts what found no room.
    fn if_full(&mut self, full: Label) {
        if !self.code.is_target(full) {
            return;
        }
        let on = self.code.label();
        self.code.jump(on);
        self.code.place(full);
        self.count(counter::TABLE_FULL);
        self.code.place(on);
    }

    /// Adds a value to the aggregate at r0. All its words begin at 0, on all processors.
    fn aggregate(&mut self, maps: TableMaps, value: ValueId) {
        let TableKind::Aggregate {
            signed, squares, ..
        } = maps.spec.kind
        else {
            return;
        };
        self.code.mov(R::R7, R::R0);
        self.code.mov(R::R1, 1);
        self.code.atomic_add(R::R7, places::COUNT, R::R1);
        self.fetch(value, R::R2);
        // The sum of the low halves and the sum of the high ones, neither of which overflows.
        self.code.mov(R::R1, R::R2);
        self.low_half(R::R1);
        self.code.atomic_add(R::R7, places::SUM_LOW, R::R1);
        self.code.mov(R::R1, R::R2);
        let shift = if signed { Alu::Arsh } else { Alu::Rsh };
        self.code.alu(shift, R::R1, 32);
        self.code.atomic_add(R::R7, places::SUM_HIGH, R::R1);
        // Of signed values the order is that of unsigned ones with the highest bit the other way.
        self.code.mov(R::R3, R::R2);
        if signed {
            self.code.number(R::R1, 1 << 63);
            self.code.alu(Alu::Xor, R::R3, R::R1);
        }
        self.raise(places::MAX);
        self.code.alu(Alu::Xor, R::R3, -1);
        self.raise(places::INVERTED_MIN);
        if squares {
            self.add_square(signed);
        }
    }

    fn low_half(&mut self, register: R) {
        self.code.alu(Alu::Lsh, register, 32);
        self.code.alu(Alu::Rsh, register, 32);
    }

    /// Sets the word at r7 and an offset to r3, if that is more. r0 and r1 are lost.
    fn raise(&mut self, offset: i16) {
        let done = self.code.label();
        self.code.load(Width::Eight, R::R1, R::R7, offset);
        for _ in 0..TRIES {
            self.code.jump_if(Jump::GreaterEqual, R::R1, R::R3, done);
            self.code.mov(R::R0, R::R1);
            self.code.compare_exchange(R::R7, offset, R::R3);
            self.code.jump_if(Jump::Equal, R::R0, R::R1, done);
            self.code.mov(R::R1, R::R0);
        }
        self.code.place(done);
    }

    /// Adds the square of r2 to the aggregate at r7: for each 32 bits of it a word, none of which overflows.
    fn add_square(&mut self, signed: bool) {
        if signed {
            let positive = self.code.label();
            self.code
                .jump_if(Jump::GreaterEqualSigned, R::R2, 0, positive);
            self.code.alu(Alu::Neg, R::R2, 0);
            self.code.place(positive);
        }
        // (h·2³² + l)² = h²·2⁶⁴ + 2·h·l·2³² + l²
        self.code.mov(R::R1, R::R2);
        self.code.alu(Alu::Rsh, R::R1, 32);
        self.low_half(R::R2);
        self.code.mov(R::R3, R::R1);
        self.code.alu(Alu::Mul, R::R3, R::R2);
        self.code.alu(Alu::Mul, R::R1, R::R1);
        self.code.alu(Alu::Mul, R::R2, R::R2);
        for (product, low) in [(R::R2, places::SQUARES), (R::R1, places::SQUARES + 16)] {
            self.add_halves(product, low);
        }
        // Twice.
        self.add_halves(R::R3, places::SQUARES + 8);
        self.add_halves(R::R3, places::SQUARES + 8);
    }

    /// Adds the halves of a register to the word at r7 and an offset, and to the next one. r4 and r5 are lost.
    fn add_halves(&mut self, product: R, low: i16) {
        self.code.mov(R::R4, product);
        self.low_half(R::R4);
        self.code.atomic_add(R::R7, low, R::R4);
        self.code.mov(R::R4, product);
        self.code.alu(Alu::Rsh, R::R4, 32);
        self.code.atomic_add(R::R7, low + 8, R::R4);
    }

    /// Counts the power of two of a value, under its key and the power.
    fn count_power(
        &mut self,
        maps: TableMaps,
        powers: i32,
        value: ValueId,
        key: i16,
        bytes: u32,
        full: Label,
    ) -> Result<(), PlanError> {
        let signed = matches!(maps.spec.kind, TableKind::Aggregate { signed: true, .. });
        self.fetch(value, R::R1);
        self.code.mov(R::R3, 0);
        if signed {
            let positive = self.code.label();
            self.code
                .jump_if(Jump::GreaterEqualSigned, R::R1, 0, positive);
            self.code.alu(Alu::Neg, R::R1, 0);
            self.code.mov(R::R3, 1);
            self.code.place(positive);
        }
        // The number of significant bits, by halves.
        self.code.mov(R::R2, 0);
        for bits in [32, 16, 8, 4, 2, 1] {
            let small = self.code.label();
            self.code.mov(R::R4, R::R1);
            self.code.alu(Alu::Rsh, R::R4, bits);
            self.code.jump_if(Jump::Equal, R::R4, 0, small);
            self.code.mov(R::R1, R::R4);
            self.code.alu(Alu::Add, R::R2, bits);
            self.code.place(small);
        }
        // What is left is 0 or 1.
        self.code.alu(Alu::Add, R::R2, R::R1);
        if signed {
            let positive = self.code.label();
            self.code.jump_if(Jump::Equal, R::R3, 0, positive);
            self.code.alu(Alu::Neg, R::R2, 0);
            self.code.place(positive);
        }
        let behind = key.saturating_add(8 * maps.spec.keys as i16);
        debug_assert!(8 * maps.spec.keys as u32 <= bytes);
        self.code.store(Width::Eight, R::Frame, behind, R::R2);
        self.find_or_make(powers, key, TableKind::Count, full)?;
        self.code.mov(R::R1, 1);
        self.code.atomic_add(R::R0, places::COUNT, R::R1);
        Ok(())
    }
}
