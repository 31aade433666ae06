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
    /// See [`Step::Count`]. All rows are found or made before anything is added.
    pub(super) fn count_in_tables(
        &mut self,
        condition: Option<ValueId>,
        needs: &[ValueId],
        updates: &[Update],
    ) -> Result<(), PlanError> {
        let on = self.code.label();
        for value in needs {
            self.jump_if_failed(*value, on);
        }
        if let Some(condition) = condition {
            self.jump_if_failed(condition, on);
            self.fetch(condition, R::R1);
            self.code.jump_if(Jump::Equal, R::R1, 0, on);
        }
        for update in updates {
            for value in update.value.iter().chain(&update.when) {
                self.jump_if_failed(*value, on);
            }
        }
        let mut rows = Vec::with_capacity(updates.len());
        for update in updates {
            let maps = self.table(update.table)?;
            let row = self.frame.take(8)?;
            let unwanted = self.code.label();
            if let Some(when) = update.when {
                self.code.store(Width::Eight, R::Frame, row, 0);
                self.fetch(when, R::R1);
                self.code.jump_if(Jump::Equal, R::R1, 0, unwanted);
            }
            let (key, bytes) = self.key(&update.keys, None, on)?;
            self.find_or_make(maps, key, on)?;
            self.code.store(Width::Eight, R::Frame, row, R::R0);
            self.frame.release(key, bytes);
            self.code.place(unwanted);
            rows.push((maps, row));
        }
        for (update, (maps, row)) in updates.iter().zip(rows) {
            let unwanted = self.code.label();
            self.code.load(Width::Eight, R::R0, R::Frame, row);
            if update.when.is_some() {
                self.code.jump_if(Jump::Equal, R::R0, 0, unwanted);
            }
            match (maps.spec.kind, update.value) {
                (TableKind::Sum, Some(value)) => {
                    self.code.store(Width::Eight, R::R0, places::COUNT, 1);
                    self.fetch(value, R::R1);
                    self.code.atomic_add(R::R0, places::SUM, R::R1);
                }
                (TableKind::Aggregate { squares }, Some(value)) => self.aggregate(squares, value),
                _ => {
                    self.code.mov(R::R1, 1);
                    self.code.atomic_add(R::R0, places::COUNT, R::R1);
                }
            }
            self.code.place(unwanted);
            self.frame.release(row, 8);
        }
        self.code.jump(self.ends.counted);
        self.code.place(on);
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
        let (key, bytes) = self.key(keys, when, done)?;
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
        let (key, bytes) = self.key(keys, when, done)?;
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
        let (key, bytes) = self.key(keys, None, unknown)?;
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

    /// Makes a key on the stack; jumps if it fails or is not wanted.
    fn key(
        &mut self,
        keys: &[ValueId],
        when: Option<ValueId>,
        away: Label,
    ) -> Result<(i16, u32), PlanError> {
        if let Some(when) = when {
            self.jump_if_failed(when, away);
            self.fetch(when, R::R1);
            self.code.jump_if(Jump::Equal, R::R1, 0, away);
        }
        let bytes = 8 * u32::try_from(keys.len()).unwrap_or(0).max(1);
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
    fn find_or_make(&mut self, maps: TableMaps, key: i16, full: Label) -> Result<(), PlanError> {
        self.look_up(maps.rows, key);
        if maps.spec.keys == 0 {
            // The only element of an array is always there, for all that the kernel's verifier knows of it.
            self.code.jump_if(Jump::Equal, R::R0, 0, full);
            return Ok(());
        }
        let found = self.code.label();
        self.code.jump_if(Jump::NotEqual, R::R0, 0, found);
        let bytes = places::bytes(maps.spec.kind);
        let row = self.frame.take(bytes)?;
        for offset in (row..0).step_by(8).take(bytes as usize / 8) {
            self.code.store(Width::Eight, R::Frame, offset, 0);
        }
        // Of two rows of one hit, too, one is made before the other.
        self.code.call(helper::TIME);
        self.code
            .store(Width::Eight, R::Frame, row + places::MADE, R::R0);
        self.code.map(R::R1, maps.rows);
        self.frame_address(R::R2, key);
        self.frame_address(R::R3, row);
        self.code.mov(R::R4, ONLY_NEW);
        self.code.call(helper::MAP_UPDATE);
        self.frame.release(row, bytes);
        // Another processor may have made it in the meantime, which is as good.
        self.look_up(maps.rows, key);
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
    fn aggregate(&mut self, squares: bool, value: ValueId) {
        self.code.mov(R::R7, R::R0);
        self.code.mov(R::R1, 1);
        self.code.atomic_add(R::R7, places::COUNT, R::R1);
        self.fetch(value, R::R2);
        // The sum of the low halves and the sum of the high ones, neither of which overflows.
        self.code.mov(R::R1, R::R2);
        self.low_half(R::R1);
        self.code.atomic_add(R::R7, places::SUM_LOW, R::R1);
        self.code.mov(R::R1, R::R2);
        self.code.alu(Alu::Arsh, R::R1, 32);
        self.code.atomic_add(R::R7, places::SUM_HIGH, R::R1);
        // Their order is that of unsigned ones with the highest bit the other way.
        self.code.mov(R::R3, R::R2);
        self.code.number(R::R1, 1 << 63);
        self.code.alu(Alu::Xor, R::R3, R::R1);
        self.raise(places::MAX);
        self.code.alu(Alu::Xor, R::R3, -1);
        self.raise(places::INVERTED_MIN);
        if squares {
            self.add_square();
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
    fn add_square(&mut self) {
        let positive = self.code.label();
        self.code
            .jump_if(Jump::GreaterEqualSigned, R::R2, 0, positive);
        self.code.alu(Alu::Neg, R::R2, 0);
        self.code.place(positive);
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
}
